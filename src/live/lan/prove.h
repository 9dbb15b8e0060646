/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove - Which clients' networks does a SUT answer on its own wire?
 *
 * A pure machine: networks are asked for, SYNs go out from addresses of theirs
 * that are nobody's, answers come in. The theory is in prove.c.
 */
#ifndef LAN_PROVE_H
#define LAN_PROVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/counters.h"
#include "core/hash.h"
#include "core/ipaddr.h"
#include "core/limits.h"
#include "core/list.h"
#include "effect/effect.h"
#include "flow/key.h"
#include "wire/segment.h"

/* Networks that are remembered; full: the one settled longest ago is forgotten,
 * and proved again when its next client comes, counted.
 */
#define PROVE_NETS 65536
/* SYNs of a probe, and the time between them; it is over one step after that.
 */
#define PROVE_TRIES 3
#define PROVE_STEP  (250 * NS_PER_MS)
/* A network that is not played is tried again after this. */
#define PROVE_AGAIN (60 * NS_PER_SEC)
/* So many SYNs of a network's clients without an answer, in a row, prove it
 * anew.
 */
#define PROVE_DEAF 5
/* At most so many SYNs a second, all networks together. */
#define PROVE_RATE 20000
/* Networks that wait for their first SYN; full: their clients are not played
 * yet (GATE_LATER), counted.
 */
#define PROVE_QUEUE 16384
/* Networks that are not played and can be named; full: the oldest is left out.
 */
#define PROVE_NAMED 64

#define PROVE_COUNTERS(X, T)                                                   \
	X(T, probes, "",                                                       \
	  "SYNs sent to prove a network, or that the SUT answers")             \
	X(T, proved, "", "networks whose probe came back on the SUT's wire")   \
	X(T, lost, "",                                                         \
	  "networks whose probe did not come back, while the SUT answered "    \
	  "others")                                                            \
	X(T, moved, "", "lost networks that had been answered before")         \
	X(T, regained, "", "lost or moved networks that are proved now")       \
	X(T, undecided, "",                                                    \
	  "networks neither proved nor lost: the SUT answered nobody")         \
	X(T, unasked, "",                                                      \
	  "requests for a proof that the queue had no room for")               \
	X(T, forgotten, "", "networks forgotten to make room in the table")    \
	X(T, full, "", "networks that the table had no room for")              \
	X(T, crowded, "",                                                      \
	  "networks of which the mirror had shown every address")              \
	X(T, elsewhere, "", "answers that went to another hardware address")   \
	X(T, datagrams_held, "",                                               \
	  "datagrams held until their network was proved")                     \
	X(T, datagrams_dropped, "",                                            \
	  "datagrams dropped since their network was not proved")

/** struct prove_counters - What happened so far */
struct prove_counters {
	PROVE_COUNTERS(COUNTER_MEMBER, )
};

/** prove_counter_list - Their names and what they are */
extern const struct counter_list prove_counter_list;

/** struct prove_sut - A SUT and the TCP port that is asked */
struct prove_sut {
	struct ipaddr ip;
	uint16_t port;
};

/**
 * struct prove_cfg - How the machine is set up
 * @sut, @suts:	At most MAP_MAX; effects call them by their place
 * @never, @nevers: Addresses that no probe is from, at most 2 * MAP_MAX
 * @nets:	Networks that are remembered, at least 1
 * @each:	Every network is proved before its first client; else only one
 *		whose clients are not answered
 * @seed, @key:	Of the run
 */
struct prove_cfg {
	const struct prove_sut *sut;
	uint32_t suts;
	const struct ipaddr *never;
	uint32_t nevers;
	uint32_t nets;
	bool each;
	uint64_t seed;
	struct hash_key key;
};

/**
 * struct prove_news - A network is settled
 * @sut, @net, @bits: Which
 * @gate:	What those who waited may do; never GATE_WAIT
 * @tell:	It is news for the user: @gate changed for the network
 * @flows:	Who waited: struct flow by its link @more
 * @queries:	Datagrams that waited, for udp_release()
 */
struct prove_news {
	uint8_t sut;
	uint8_t bits;
	bool tell;
	enum flow_gate gate;
	struct ipaddr net;
	struct list *flows;
	struct list *queries;
};

/**
 * struct prove_lost - A network that is not played
 * @moved:	It had been answered here before
 */
struct prove_lost {
	struct ipaddr net;
	uint8_t bits;
	uint8_t sut;
	bool moved;
};

struct prove;

/** prove_size() - Arena bytes of a machine for @nets networks */
size_t prove_size(uint32_t nets);

/** prove_init() - Make one, from zero filled memory. Return: 0 or -ENOMEM */
int prove_init(struct prove **out, struct arena *a, const struct prove_cfg *cfg,
	       uint64_t now);

/** prove_show() - The mirror showed this address: no probe is from it */
void prove_show(struct prove *p, const struct ipaddr *ip);

/** struct prove_ask - An answer: the lists are for who waits, with GATE_WAIT */
struct prove_ask {
	enum flow_gate gate;
	struct list *flows;
	struct list *queries;
};

/** prove_ask() - May clients of @client's network be played to SUT @sut? */
struct prove_ask prove_ask(struct prove *p, uint8_t sut,
			   const struct ipaddr *client, uint64_t now);

/** prove_deaf(), prove_heard() - A SYN of @client to @sut went unanswered for
 * as long as one may wait; was answered on this wire, by SYN,ACK or RST
 */
void prove_deaf(struct prove *p, uint8_t sut, const struct ipaddr *client);
void prove_heard(struct prove *p, uint8_t sut, const struct ipaddr *client);

/**
 * prove_segment() - A TCP segment of SUT @sut came in on its wire
 * @ours:	Its frame was for our hardware address
 * @out:	The RST that a SYN,ACK gets is added, if there is room
 *
 * Return: true if it answered a probe
 */
bool prove_segment(struct prove *p, uint8_t sut, const struct segment *seg,
		   bool ours, uint64_t now, struct effects *out);

/** prove_next() - Take the oldest news. Return: false if there is none */
bool prove_next(struct prove *p, struct prove_news *news);

/** prove_timeout() - Send what is due: a few effects a call, so call again
 * while prove_next_timeout() is not after @now
 */
void prove_timeout(struct prove *p, uint64_t now, struct effects *out);

/** prove_next_timeout() - When to call it; WHEEL_NEVER: never */
uint64_t prove_next_timeout(const struct prove *p);

/** prove_lost() - Entry @i of the networks not played; NULL: no more */
const struct prove_lost *prove_lost(const struct prove *p, uint32_t i);

/** prove_bits() - Length of @client's network: as of an IPv6 address */
uint8_t prove_bits(const struct ipaddr *client);

/** prove_counters() - Counters, two of which are the caller's to add to */
struct prove_counters *prove_counters(struct prove *p);

/** prove_check() - For tests: assert what holds between two calls, the first of
 * them at @now
 */
void prove_check(struct prove *p, uint64_t now);

#endif /* LAN_PROVE_H */
