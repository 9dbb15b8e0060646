/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove_internal.h - What the files of this machine share
 */
#ifndef LAN_PROVE_INTERNAL_H
#define LAN_PROVE_INTERNAL_H

#include "lan/prove.h"

#include "core/bytes.h"
#include "core/map.h"
#include "core/rng.h"
#include "core/wheel.h"
#include "wire/tcpopt.h"

#define CONTROL_WAIT PROVE_STEP /* longer is no answer */
#define SLOT	     (NS_PER_SEC / PROVE_RATE)

enum net_state {
	NET_NEW,
	NET_QUEUED,
	NET_ASKED,
	NET_PROVED,
	NET_LOST,
	NET_MOVED,
};

/* What a SYN of ours is known by. */
struct probe {
	struct ipaddr from;
	uint16_t port;
	uint32_t iss;
};

/* Hashed as bytes: no padding. */
struct net_key {
	struct ipaddr net;
	uint32_t sut;
};

/**
 * struct net - A network and a SUT
 * @in:		Link of the map
 * @settled:	Its place in the list of those that nobody asks for now, or in
 *		the queue
 * @news:	Link in the list of what prove_next() gives
 * @old:	State before it was queued
 * @told:	What the user was told last: it is not played
 * @heard:	A SYN of it was answered here, in this run
 * @deaf:	SYNs of its clients since without an answer
 * @step:	SYNs of the probe so far; PROVE_TRIES + 1: the last wait
 * @sent:	When its last SYN went out
 * @since:	When it was lost
 * @good, @bad:	Of the SUT's control, when the first SYN went out
 * @gate:	What those who waited may do
 */
struct net {
	uint32_t in;
	struct list settled;
	struct list news;
	struct list flows;
	struct list queries;
	struct timer timer;
	struct net_key key;
	struct probe probe;
	uint8_t state;
	uint8_t old;
	uint8_t gate;
	uint8_t deaf;
	uint8_t step;
	bool told;
	bool tell;
	bool heard;
	uint64_t sent;
	uint64_t since;
	uint64_t good;
	uint64_t bad;
};

/**
 * struct control - Does a SUT answer at all?
 * @open:	The last one is not answered yet
 * @sent, @last: When it was sent; when the last good one was
 * @good, @bad:	Answered within CONTROL_WAIT, or not
 */
struct control {
	struct prove_sut sut;
	struct probe probe;
	bool open;
	uint64_t sent;
	uint64_t last;
	uint64_t good;
	uint64_t bad;
};

struct prove {
	bool each;	     /* a network is proved before its first client */
	uint32_t suts;	     /* used of @control */
	uint32_t nevers;     /* used of @never */
	uint32_t nets;	     /* room of @net */
	uint32_t fresh;	     /* of @net, those from here on were never used */
	uint32_t queued;     /* length of @queue */
	uint32_t shown_mask; /* bits of @shown, less one */
	uint32_t shown_n;    /* bits that are set, at most */
	uint32_t lost_n;     /* used of @lost */
	uint64_t slot;	     /* when the next probe may go */
	struct rng rng;
	struct control control[MAP_MAX];
	struct ipaddr never[2 * MAP_MAX];
	struct prove_lost lost[PROVE_NAMED];
	struct list queue;   /* networks that wait for a probe */
	struct list settled; /* longest ago first */
	struct list news;    /* what prove_next() gives */
	struct map map;	     /* over @net */
	struct net *net;
	uint8_t *
		shown; /* a bit a hash; addresses are not kept, so it is no map */
	struct prove_counters count;
	struct wheel wheel;
};

/* prove.c */

void net_number(struct prove *p, struct probe *b);

/* prove_table.c */

struct net_key net_key_of(uint8_t sut, const struct ipaddr *client);

struct net *net_find(struct prove *p, const struct net_key *k);

void net_touch(struct prove *p, struct net *n);

/* Find a network, or make it; NULL: no room. */
struct net *net_get(struct prove *p, uint8_t sut, const struct ipaddr *client);

/* An address of the network that is nobody's. */
bool net_draw(struct prove *p, const struct net *n, struct ipaddr *ip);

#endif /* LAN_PROVE_INTERNAL_H */
