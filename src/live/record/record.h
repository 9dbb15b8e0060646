/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record - What leaves the engine beside effects: a record of each exchange,
 * and of what else happened
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/compare.h"
#include "core/ipaddr.h"
#include "record/health.h"
#include "flow/key.h"

/* Bytes of the ring of records: about 1,300 of exchanges that are not reported,
 * 330 of those that are. Full: what comes is refused and counted; the last
 * eighth takes only what is reported (differences, and what is no exchange).
 */
#define RECORDS_ROOM (256u << 10)
#define RECORDS_KEPT (RECORDS_ROOM / 8)

#define RECORD_REQUEST 120 /* bytes of a request's first line that are kept */

enum event_kind {
	EVENT_VERDICT,	 /* on one exchange */
	EVENT_FLOW_END,	 /* the SUT's leg of a flow has ended */
	EVENT_SUT_STATE, /* a SUT is up, went down, or is back */
	EVENT_NETWORK,	 /* clients of a network are not played, or are again */
	EVENT_CLOCK_STEP, /* the wall clock was set */
};

/**
 * struct exchange_record - An exchange and its verdict
 * @kind:	EVENT_VERDICT
 * @protocol:	enum protocol_id
 * @verdict, @reason, @how: enum verdict, enum compare_reason, and with
 *		REASON_UNANSWERED enum unanswered
 * @udp:	It was a datagram
 * @has_text:	A struct exchange_text stands behind it
 * @baseline:	It is of a baseline's leg
 * @client ... @sut_port: Its endpoints
 * @index:	Number of the exchange in its flow
 * @map:	Number of the --map
 * @record:	Number of the frame that the request began with, as
 *		engine_record() said, below 2^32; 0: not known
 * @status:	As compare_result; [0] production, [1] SUT, as in all that
 *		follows
 * @conn:	Common to the legs of one connection of a client's: the serial
 *		number of its first flow; of datagrams, of the query
 * @flow:	Serial number of the flow, which is its leg; 0: a datagram
 * @asked:	When the request was here whole, ns as @judged; 0: never
 * @diverged:	It depends on what production has set, and the SUT otherwise
 * @judged:	When the verdict was given, ns
 * @first_ns, @last_ns: From the last byte of the request to the first and last
 *		byte of the answer, by their stamps; 0: not measured
 * @waited_us:	From the capture of the request's last byte to its hand-over to
 *		the SUT's wire, rounded up; 0: not known, as of a capture
 * @endpoint:	Whose it is by the rules; RULES_ALL: nobody's
 * @reasons, @bytes, @offset, @block: As compare_result
 */
struct exchange_record {
	enum event_kind kind;
	uint8_t protocol;
	uint8_t verdict;
	uint8_t reason;
	uint8_t how;
	bool udp;
	bool has_text;
	bool baseline;
	bool diverged;
	uint8_t endpoint;
	uint16_t client_port;
	uint16_t prod_port;
	uint16_t sut_port;
	uint32_t index;
	uint32_t map;
	uint32_t record;
	uint16_t status[2];
	uint32_t waited_us;
	uint64_t conn;
	uint64_t flow;
	uint64_t asked;
	uint64_t judged;
	uint64_t first_ns[2];
	uint64_t last_ns[2];
	struct ipaddr client;
	struct ipaddr prod;
	struct ipaddr sut;
	uint64_t reasons;
	uint64_t bytes[2];
	uint64_t offset;
	uint64_t block;
};

_Static_assert(sizeof(struct exchange_record) <= 192,
	       "three lines of the cache a verdict, no more");
_Static_assert(VERDICT_COUNT <= UINT8_MAX && REASON_COUNT <= UINT8_MAX &&
		       UNANSWERED_COUNT <= UINT8_MAX,
	       "each fits its byte");

/**
 * struct exchange_text - What is kept of an exchange that is reported
 * @request:	First line of the request, or what its protocol makes of a
 *		query, as captured: hostile bytes
 * @evidence:	What the protocol's describe->difference() makes a text of
 */
struct exchange_text {
	uint8_t request_len;
	char request[RECORD_REQUEST];
	struct compare_evidence evidence;
};

/**
 * struct engine_event - What happened beside exchanges
 * @kind:	What; not EVENT_VERDICT
 * @request_len, @request: For EVENT_SUT_STATE: what it owes, as captured
 * @flow:	Serial number of the flow; 0: of none
 * @now:	When, ns
 * @map:	Number of the --map
 * @index:	Number of the exchange in it
 * @client ... @sut_port: Endpoints
 * @end:	For EVENT_FLOW_END; for EVENT_NETWORK FLOW_END_NO_ROUTE if the
 *		SUT never answered it on its wire, FLOW_END_SYN_TIMEOUT if it
 *		had
 * @state, @since: For EVENT_SUT_STATE: what it is, and from when on
 * @up:		For EVENT_SUT_STATE: it is up again; for EVENT_NETWORK: it is
 *		proved
 * @step_ns:	For EVENT_CLOCK_STEP: by so much, forward
 * @bits:	For EVENT_NETWORK: length of the network @client
 */
struct engine_event {
	enum event_kind kind;
	uint64_t flow;
	uint64_t now;
	uint32_t map;
	uint32_t index;
	struct ipaddr client;
	struct ipaddr prod;
	struct ipaddr sut;
	uint16_t client_port;
	uint16_t prod_port;
	uint16_t sut_port;
	uint8_t request_len;
	uint8_t bits;
	bool up;
	enum flow_end end;
	enum health_state state;
	int64_t step_ns;
	uint64_t since;
	char request[RECORD_REQUEST];
};

/**
 * struct engine_item - A record that was taken out of the ring
 * @kind:	What it is of
 * @exchange:	EVENT_VERDICT
 * @text:	Its text; NULL: it is not reported
 * @event:	Any other kind
 * @bytes, @len: The record as it lies there, to be handed on: item_read() finds
 *		the others again
 */
struct engine_item {
	enum event_kind kind;
	const struct exchange_record *exchange;
	const struct exchange_text *text;
	const struct engine_event *event;
	const void *bytes;
	uint32_t len;
};

/** item_read() - From the bytes of a record, borrowed, aligned to 8 */
void item_read(struct engine_item *out, const void *bytes, uint32_t len);

/**
 * item_result() - The verdict of an exchange that is reported, as it was given
 */
void item_result(const struct engine_item *t, struct compare_result *out);

/** record_result() - The verdict's part of a record */
void record_result(struct exchange_record *x, const struct compare_result *r);

/**
 * struct record_counts - Each verdict is counted once
 * @put:	Its record went into the ring
 * @refused:	The ring was full, by verdict
 */
struct record_counts {
	uint64_t put;
	uint64_t refused[VERDICT_COUNT];
};

#endif /* RECORD_RECORD_H */
