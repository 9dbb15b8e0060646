/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shares - How many connections each client has
 */
#ifndef DIAL_SHARES_H
#define DIAL_SHARES_H

#include <stdint.h>

#include "core/arena.h"
#include "core/hash.h"
#include "core/ipaddr.h"
#include "core/map.h"

/** struct client - Somebody with connections */
struct client {
	struct ipaddr ip; /* of IPv6, the first half */
	uint32_t link;	  /* of the map */
	uint32_t next;	  /* free */
	uint32_t n;
};

/** struct shares - All of them */
struct shares {
	struct map map;
	struct client *client;
	uint32_t free;
};

/** shares_size(), shares_init() - For so many clients */
size_t shares_size(uint32_t n);
void shares_init(struct shares *c, struct arena *a, uint32_t n,
		 const struct hash_key *key);

/** shares_take() - One more of a client's. Return: MAP_NONE: he has @most,
 * unless that is 0
 */
uint32_t shares_take(struct shares *c, const struct ipaddr *ip, uint32_t most);

/** shares_give() - One less, by what shares_take() returned */
void shares_give(struct shares *c, uint32_t at);

#endif /* DIAL_SHARES_H */
