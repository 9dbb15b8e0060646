/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_internal.h - What the files of this machine share
 */
#ifndef DGRAM_UDP_INTERNAL_H
#define DGRAM_UDP_INTERNAL_H

#include "dgram/udp.h"

#include "core/list.h"
#include "core/map.h"
#include "core/wheel.h"
#include "effect/wait.h"

enum ex_state {
	EX_FREE,
	EX_OPEN,
	EX_ENDED,
};

/* Hashed and compared as bytes: no padding. */
struct udp_key {
	struct ipaddr client;
	struct ipaddr server; /* production or SUT */
	uint16_t cport;
	uint16_t sport;
	uint16_t id;
	uint16_t sut;
};

_Static_assert(sizeof(struct udp_key) == 40, "no padding");

/** struct udp_more - Datagrams of one server that wait for the other's */
struct udp_more {
	uint32_t n;
	uint32_t hash[UDP_AHEAD];
};

/**
 * struct exchange - One query and its answers to one SUT
 * @age:	Link in the list of its state; open and ended: oldest first
 * @in:		Links of the two maps, by key of WHO_PROD and WHO_SUT
 *		([WHO_CLIENT] is not used)
 * @send:	Link in the list of those with @unsent
 * @key:	Keys of the two maps
 * @unsent:	Payload of an effect that found no room (BUF_EMIT), or NULL
 * @timer:	When it ends, while it is open
 * @since:	When it was opened, then when it ended
 * @wait_from, @wait: The wait for the SUT, once production has answered
 * @serial:	Number of the exchange, from 1
 * @state:	Where it is
 * @ttl:	Of the query
 * @pair:	What will be reported
 * @more:	What came behind the first answer of production and of the SUT
 */
struct exchange {
	struct list age;
	uint32_t in[WHO_COUNT];
	struct list send;
	struct timer timer;
	uint64_t wait_from;
	uint64_t wait;
	struct udp_key key[WHO_COUNT];
	struct buf *unsent;
	uint64_t since;
	uint64_t serial;
	enum ex_state state;
	uint8_t ttl;
	struct udp_pair pair;
	struct udp_more more[2];
};

/**
 * struct udp_shadow - The machine
 * @map:	By WHO_PROD and WHO_SUT, over @slot
 * @slots, @fresh: Slots, and how many of them were ever used: the rest takes no
 *		memory of the machine
 * @free, @open, @ended: Slots by state
 * @send:	Exchanges with an effect that found no room
 * @waits_due:	A wait for a SUT is over, if its wire is empty
 * @sut_read:	When that was read empty last
 * @stalled:	ns that this process stood still, in all
 * @ring:	Finished exchanges, the oldest at @first
 */
struct udp_shadow {
	struct pool *pool;
	bool keep;
	uint32_t used;
	uint32_t opened;
	uint64_t serial;
	struct map map[WHO_COUNT];
	struct exchange *slot;
	uint32_t slots;
	uint32_t fresh;
	struct list free;
	struct list open;
	struct list ended;
	struct list send;
	bool waits_due;
	uint64_t sut_read;
	uint64_t wait;
	uint64_t stalled;
	struct wheel wheel;
	uint32_t first;
	uint32_t pairs;
	struct udp_counters count;
	struct udp_pair ring[UDP_PAIRS];
};

/* more.c */

/* @who sent a datagram behind its first answer. */
void udp_more(struct udp_shadow *u, struct exchange *ex, enum who who,
	      const struct segment *seg);

/* Nobody waits any more for what the other has not sent. */
void udp_more_over(struct udp_shadow *u, struct exchange *ex);

/* udp_table.c */

/* Put an exchange into the map of @who. */
void udp_ex_enter(struct udp_shadow *u, struct exchange *ex, enum who who);

struct exchange *udp_by_age(struct list *l);

/* The exchange of which @l is the link of @who's table. */
void udp_move_to(struct exchange *ex, struct list *to);

void udp_drop_unsent(struct udp_shadow *u, struct exchange *ex);

/* An open exchange is over: report it, and remember it for a while. */
void udp_ex_end(struct udp_shadow *u, struct exchange *ex, enum udp_end end,
		uint64_t now);

void udp_ex_forget(struct udp_shadow *u, struct exchange *ex);

/* Take a slot, at the cost of the oldest exchange if there is none free. */
struct exchange *udp_ex_take(struct udp_shadow *u, uint64_t now);

/* Keep the number of exchanges with one key below UDP_SAME_KEY: this bounds
 * every walk, and what one client can take.
 */
void udp_bound_key(struct udp_shadow *u, const struct udp_key *key,
		   uint64_t now);

struct udp_key udp_key_of(const struct segment *seg, enum who from, uint16_t id,
			  uint8_t sut);

#endif /* DGRAM_UDP_INTERNAL_H */
