/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stats - What an engine knows of its run, as numbers; everything that a report
 * prints
 */
#ifndef TALLY_STATS_H
#define TALLY_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/case.h"
#include "compare/compare.h"
#include "compare/kind.h"
#include "core/histogram.h"
#include "core/limits.h"
#include "decap/decap.h"
#include "record/health.h"
#include "record/record.h"
#include "rrsets/rrsets.h"
#include "rules/rules.h"
#include "tally/counters.h"
#include "wire/decode.h"

/* Destinations outside the emulated world that the SUT tried to reach; when the
 * table is full the smallest count is taken over (Metwally, "space saving").
 */
#define ABSORB_MAX 64

/** struct engine_absorbed - One of them */
struct engine_absorbed {
	struct ipaddr dst;
	uint16_t port;
	uint8_t proto;
	uint64_t n;
};

/* Endpoints that differ; when the table is full the smallest count is taken
 * over, as above: a count may then be too high by what its place had, and
 * @since too late.
 */
#define ENDPOINTS_MAX 64
#define ENDPOINT_NAME 96 /* bytes of method and path, or DNS question, kept */

/**
 * struct engine_endpoint - A request's place, and how the answers to it differ
 * @name:	Method and path without its query, captured bytes; empty: no
 *		request
 * @map:	Number of the --map
 * @reason:	First reason of the difference
 * @kind:	Where in the answers, if a judge has found it
 * @n:		Differences
 * @over:	Of @n: what the place had when it was taken over, at most
 * @since, @last: First and last of them, as exchange_record.asked
 * @client_port, @sut_port, @udp: Of the flow of the first one
 * @http:	It is HTTP/1
 * @request, @request_len: Its first line, captured bytes
 */
struct engine_endpoint {
	uint8_t name_len;
	uint8_t reason; /* enum compare_reason */
	uint8_t request_len;
	bool udp;
	bool http;
	uint16_t client_port;
	uint16_t sut_port;
	uint32_t map;
	char name[ENDPOINT_NAME];
	struct diff_kind kind;
	uint64_t n;
	uint64_t over;
	uint64_t since;
	uint64_t last;
	char request[RECORD_REQUEST];
};

/** struct engine_map_stats - Verdicts of one --map; of a @baseline they are in
 * no sum
 */
struct engine_map_stats {
	bool baseline;
	uint64_t verdict[VERDICT_COUNT];
	uint64_t each[REASON_COUNT]; /* as engine_stats.each */
};

/**
 * struct refer_stats - What came of rules
 * @handed, @judged, @lost: Cases: handed over, answered, and out when the desk
 *		went
 * @notes:	Answers of production's that were handed over to be remembered
 * @notes_refused: For which there was no room
 * @held:	Answers that could be taken back
 * @held_full:	Of these: stood because there were too many
 * @taken_back:	Of these
 * @parts:	The same of answers of DNS that may be parts of a set
 * @given:	Cookies that production has set, and a leg not so
 * @given_pushed: That made room for others
 * @tokens, @tokens_pushed: The same of tokens in content
 * @made:	Equivalent answers, by all that made them so
 * @verdict:	By endpoint of the rules, and verdict
 * @overload:	By endpoint: refused
 */
struct refer_stats {
	struct rrsets_stats parts;
	uint64_t handed;
	uint64_t judged;
	uint64_t lost;
	uint64_t notes;
	uint64_t notes_refused;
	uint64_t held;
	uint64_t held_full;
	uint64_t taken_back;
	uint64_t given;
	uint64_t given_pushed;
	uint64_t tokens;
	uint64_t tokens_pushed;
	uint64_t made[CASE_MADE_COUNT];
	uint64_t verdict[RULES_ENDPOINTS][VERDICT_COUNT];
	uint64_t overload[RULES_ENDPOINTS];
};

/**
 * struct status_stats - Statuses of HTTP answers that were compared
 * @pairs:	Both had one
 * @errors:	Both were errors (400 and up)
 * @denied:	The SUT said 401 or 403 where production did not
 */
struct status_stats {
	uint64_t pairs;
	uint64_t errors;
	uint64_t denied;
};

/** struct engine_stats - Everything that a report prints */
struct engine_stats {
	struct engine_counters count;
	struct record_counts records;
	uint64_t decode[2][DECODE_COUNT]; /* by source */
	struct decap_tally tunnels;	  /* of the mirror */
	struct mirror_icmp icmp;	  /* of the mirror */
	uint64_t to_prod; /* segments that --map names, by direction */
	uint64_t to_client;
	uint64_t verdict[VERDICT_COUNT];
	uint64_t reason[VERDICT_COUNT][REASON_COUNT];
	uint64_t unanswered[UNANSWERED_COUNT];
	struct histogram after_verdict; /* how much too late, ns */
	uint64_t stalled;		/* ns, see counters.h */
	uint32_t suts;
	struct ipaddr sut[MAP_MAX];
	struct health health[MAP_MAX];
	uint64_t each[REASON_COUNT]; /* differences, by each of their reasons */
	struct engine_map_stats map[MAP_MAX];
	struct engine_endpoint endpoint[ENDPOINTS_MAX];
	uint32_t endpoints;
	struct engine_absorbed absorbed[ABSORB_MAX];
	uint32_t absorbed_n;
	struct refer_stats refer;
	struct status_stats status;
};

#endif /* TALLY_STATS_H */
