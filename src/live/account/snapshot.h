/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot - From an engine's numbers, and what its surroundings know, to a
 * report
 */
#ifndef ACCOUNT_SNAPSHOT_H
#define ACCOUNT_SNAPSHOT_H

#include "account/networks.h"
#include "account/replay_counters.h"
#include "capture/file.h"
#include "config/config.h"
#include "decap/decap.h"
#include "emit/sink.h"
#include "engine/engine.h"
#include "noise/noise.h"
#include "pace/stamps.h"
#include "redact/redact.h"
#include "report/report.h"

#define COUNTS_MAX  128
#define SUMS_MAX    9
#define GROUPS_MAX  14
#define NO_ROUTE    512			/* bytes of a list of networks */
#define PLACE_SHOWN (2 * ENDPOINT_NAME) /* bytes of a name with tags in it */

/**
 * struct run_epoch - What the engine's time is by a calendar
 * @started:	Time of day, ns since 1970, when it was
 * @begun:	this
 */
struct run_epoch {
	uint64_t started;
	uint64_t begun;
};

/**
 * struct read_counts - What was read of captures
 * @file:	Sums over them
 * @stamps:	The clock of their records
 * @trusted:	Frames whose checksums were not tested
 * @renamed:	Frames of clients that got another address
 * @unplayable:	Frames of clients that no SUT would answer
 */
struct read_counts {
	struct file_counters file;
	struct stamps_counters stamps;
	uint64_t trusted;
	uint64_t renamed;
	uint64_t unplayable;
};

/**
 * struct run_facts - What is not the engine's
 * @opt:	What was asked for
 * @epoch, @now, @elapsed: Its time, and how long the run is
 * @delay:	From the kernel's time stamp to us
 * @sink:	What was sent
 * @mirror_ring, @sut_ring: What came; NULL: there is none
 * @read:	NULL: no capture is read
 * @replay:	NULL: there is no plan
 * @drops:	Frames that the rings lost
 * @live:	There is a mirror and a SUT
 * @lines_lost, @journal_lost: Lines and records
 * @effects, @sunk: Made, and known to a sink
 * @frames:	File in which the frames of a difference are numbered; or NULL
 * @redact:	What is redacted of captured bytes
 */
struct run_facts {
	const struct options *opt;
	const struct redact *redact;
	struct run_epoch epoch;
	uint64_t now;
	uint64_t elapsed;
	const struct histogram *delay;
	const struct sink_stats *sink;
	const struct ring_stats *mirror_ring;
	const struct ring_stats *sut_ring;
	const struct read_counts *read;
	const struct replay_counters *replay;
	uint64_t drops;
	bool live;
	uint64_t lines_lost;
	uint64_t journal_lost;
	uint64_t effects;
	uint64_t sunk;
	const char *frames;
};

#define SNAPSHOT_SESSIONS 4 /* of cookies and tokens */
#define SNAPSHOT_VERSIONS 8 /* counters of what production served before */

/** struct snapshot - @d, and everything that it points to */
struct snapshot {
	struct report_data d;
	struct report_count ended[FLOW_END_COUNT];
	struct report_count decode[2][DECODE_COUNT]; /* by source */
	struct report_tunnel tunnel[DECAP_SEEN + 1];
	struct report_count machine[COUNTS_MAX];
	struct report_count lost[FLOW_END_COUNT];
	struct report_count frames[COUNTS_MAX];
	struct report_count udp[COUNTS_MAX];
	struct report_count icmp[COUNTS_MAX];
	struct report_count wire[COUNTS_MAX];
	struct report_count others[WIRE_KINDS];
	struct report_count replay[COUNTS_MAX];
	struct report_count input[COUNTS_MAX];
	struct report_count ring[2][COUNTS_MAX]; /* mirror's, SUT's */
	struct report_count sink[COUNTS_MAX];
	struct report_absorbed top[ABSORB_MAX];
	struct report_map_sums map[MAP_MAX];
	struct report_place place[ENDPOINTS_MAX];
	char place_name[ENDPOINTS_MAX][PLACE_SHOWN];
	char place_request[ENDPOINTS_MAX][2 * RECORD_REQUEST];
	struct report_sum sum[SUMS_MAX];
	struct report_count networks[COUNTS_MAX];
	struct report_group group[GROUPS_MAX];
	struct latencies latency;
	struct report_count not_measured[LATENCY_SIDES][LATENCY_WHY_COUNT];
	char no_route[NO_ROUTE];
	char again[OPTIONS_AGAIN];
	struct report_sut sut[MAP_MAX];
	struct report_rules rules;
	struct report_count made[CASE_MADE_COUNT];
	struct report_count versions[SNAPSHOT_VERSIONS];
	struct report_count sessions[SNAPSHOT_SESSIONS];
	struct report_ruled endpoint[RULES_ENDPOINTS];
	struct report_rule line[RULES_LINES];
	struct report_noise noise;
	struct report_noise_place noise_place[NOISE_PLACES];
	char noise_name[NOISE_PLACES][PLACE_SHOWN];
};

/**
 * snapshot_fill() - Fill in @f->d
 * @f:		Must outlive the use of @f->d
 * @engine:	Only asked
 * @x:		Must outlive it too
 */
void snapshot_fill(struct snapshot *f, const struct engine *engine,
		   const struct run_facts *x);

/** epoch_wall() - Time of day, ns since 1970, at time @now of the engine */
uint64_t epoch_wall(const struct run_epoch *t, uint64_t now);

/**
 * item_json() - A record of the engine as a JSON line
 * @by:		What is redacted of captured bytes
 *
 * Any thread. Return: its length; 0: there is none of it, or no room
 */
size_t item_json(const struct run_epoch *t, const struct redact *by,
		 const struct engine_item *told, char *out, size_t size);

/**
 * item_difference() - A difference of the engine's, as a report has it
 * @told:	With a text
 * @r, @detail, @request: What @d points to: COMPARE_DETAIL and ITEM_REQUEST
 *		bytes
 */
#define ITEM_REQUEST (2 * RECORD_REQUEST) /* a request's line, with tags */
void item_difference(struct report_difference *d, const struct run_epoch *t,
		     const struct redact *by, const struct engine_item *told,
		     struct compare_result *r, char *detail, char *request);

/** snapshot_map() - Entry @i of --map, as a report has it */
struct report_map snapshot_map(const struct options *o, size_t i);

#endif /* ACCOUNT_SNAPSHOT_H */
