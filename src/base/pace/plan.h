/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan - The records of a capture, by connection and in their order
 *
 * What `replay` knows of a capture after it has read it once: where each record
 * lies, which connection it belongs to, which one of the connection comes next.
 * The bytes stay in the file.
 *
 * Size is bounded by plan_size(); what does not fit is the caller's to count.
 */
#ifndef PACE_PLAN_H
#define PACE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/hash.h"
#include "core/ipaddr.h"

#define PLAN_NONE UINT32_MAX /* no record, no connection */

/* What a record is; bits of plan_record.is. */
enum {
	PLAN_CLIENT = 1 << 0, /* of the client; else of production */
	PLAN_SYN = 1 << 1,    /* SYN without ACK */
	PLAN_DATA = 1 << 2,   /* has payload */
	PLAN_END = 1 << 3,    /* FIN or RST */
	PLAN_CUT = 1 << 4,    /* its payload was not captured whole */
	PLAN_READ = 1 << 5,   /* the client has acked something new since it
			       * last sent payload */
	PLAN_DATAGRAM = 1 << 6,
};

/**
 * struct plan_tuple - A connection's addresses; no padding
 * @proto:	IP protocol number
 */
struct plan_tuple {
	struct ipaddr client;
	struct ipaddr prod;
	uint16_t cport;
	uint16_t pport;
	uint32_t proto;
};

/**
 * struct plan_seen - A record, as it is handed in
 * @tuple:	Whose it is; proto 0: of no connection
 * @is:		PLAN_ bits; PLAN_READ is found out here
 * @seq, @ack:	Of its TCP header
 * @offset, @file: Where its frame begins in which capture
 * @ts:		ns since 1970
 * @at:		ns since the capture's first record, by the clock of its stamps
 * @cap, @wire, @link: As in the capture
 */
struct plan_seen {
	struct plan_tuple tuple;
	uint8_t is;
	uint32_t seq;
	uint32_t ack;
	uint64_t offset;
	uint64_t ts;
	uint64_t at;
	uint32_t cap;
	uint32_t wire;
	uint16_t link;
	uint8_t file;
};

/**
 * struct plan_record - A record
 * @flow:	Its connection; PLAN_NONE: of none
 * @next:	The connection's next record, PLAN_NONE: it is the last
 */
struct plan_record {
	uint64_t offset;
	uint64_t ts;
	uint32_t cap;
	uint32_t wire;
	uint32_t flow;
	uint32_t next;
	uint16_t link;
	uint8_t file;
	uint8_t is;
};

/**
 * struct plan_flow - One incarnation of a connection
 * @iss:	Of the client's SYN; valid if @has has PLAN_SYN
 * @first, @last: Its records
 * @at:		When the first one is, ns since the capture's
 * @older:	The incarnation of the tuple before it, PLAN_NONE
 * @client:	Number of the client's address
 * @cut:	Its first client record without its payload, PLAN_NONE; nothing
 *		of the client behind it can be played
 * @has:	PLAN_ bits that any of its records has
 * @answered:	It has a record of production
 * @played:	The caller's: loops in which it was played to its end
 * @acked, @sent, @in: Private
 */
struct plan_flow {
	struct plan_tuple tuple;
	uint64_t at;
	uint32_t iss;
	uint32_t first;
	uint32_t last;
	uint32_t older;
	uint32_t client;
	uint32_t cut;
	uint32_t played;
	uint32_t acked; /* by the client, when it last sent payload */
	uint32_t in;	/* link of the map */
	uint8_t has;
	bool answered;
	bool sent;
};

struct plan;

/** plan_records() - Records of a plan that takes at most @bytes */
uint32_t plan_records(size_t bytes);

/** plan_size() - Arena bytes of a plan for @records */
size_t plan_size(uint32_t records);

/**
 * plan_init() - Make an empty one
 * @a:		Arena with plan_size() bytes left, zero filled
 * @records:	Room
 * @flows:	Connections that are taken, 0: all; later ones are left out
 *
 * Return: 0 or -ENOMEM
 */
int plan_init(struct plan **out, struct arena *a, uint32_t records,
	      uint32_t flows, const struct hash_key *key);

/* What became of a record that was handed in. */
enum plan_taken {
	PLAN_TAKEN,
	PLAN_BEYOND, /* of a connection behind the last one that is wanted */
	PLAN_FULL,   /* there is no room */
};

/** plan_add() - Hand in the next record of the capture */
enum plan_taken plan_add(struct plan *p, const struct plan_seen *s);

/** plan_count(), plan_flows(), plan_clients() - How many there are */
uint32_t plan_count(const struct plan *p);
uint32_t plan_flows(const struct plan *p);
uint32_t plan_clients(const struct plan *p);

/** plan_record() - Record @i, below plan_count() */
const struct plan_record *plan_record(const struct plan *p, uint32_t i);

/** plan_flow() - Connection @i, below plan_flows(), in the order in which they
 * begin
 */
struct plan_flow *plan_flow(struct plan *p, uint32_t i);

/** plan_is_behind_cut() - Is record @i of a client whose bytes before it were
 * not captured whole? It must not be played
 */
bool plan_is_behind_cut(const struct plan *p, uint32_t i);

/* Networks that repetitions take their clients from: shared address space (RFC
 * 6598), 4 million addresses, and a unique local prefix (RFC 4193).
 */
extern const struct ipaddr plan_net4;
extern const struct ipaddr plan_net6;
#define PLAN_BITS4 (IPADDR_4IN6 + 10)
#define PLAN_BITS6 64

/**
 * plan_client() - The client's address of connection @flow in repetition @loop
 *
 * Its own in loop 0. Later one of plan_net4 or plan_net6 that no other client
 * has, nor itself in another loop; the 4 million are used in turn.
 */
struct ipaddr plan_client(const struct plan *p, uint32_t flow, uint32_t loop);

/**
 * plan_time() - @ns of a capture, played @thousandths times as fast, 1 or more
 */
uint64_t plan_time(uint64_t ns, uint32_t thousandths);

#endif /* PACE_PLAN_H */
