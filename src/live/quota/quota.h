/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quota - Which clients are played, so that a SUT gets no more than a rate
 *
 * Whole clients are played or left out: one that is left out has no connection
 * at the SUT.
 */
#ifndef QUOTA_QUOTA_H
#define QUOTA_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/hash.h"
#include "core/ipaddr.h"
#include "core/limits.h"

/* Clients are told apart by their hash: those of one bucket go together. */
#define QUOTA_BUCKETS 256
/* How often it is decided anew, and of how many steps a load is the mean. */
#define QUOTA_STEP  (100 * NS_PER_MS)
#define QUOTA_STEPS 8
/* What a segment is counted with beside its payload: Ethernet, IPv4, TCP. */
#define QUOTA_HEADERS 54

struct quota;

/** quota_size() - Arena bytes that it takes */
size_t quota_size(void);

/**
 * quota_init() - All clients are played until their load is known
 * @out:	Quota, in the arena
 * @a:		Arena with quota_size() bytes left, zero filled
 * @rate:	Bits a second, more than 0
 * @key:	Of the hash; copied
 * @now:	Time, ns
 *
 * Return: 0 or -ENOMEM
 */
int quota_init(struct quota **out, struct arena *a, uint64_t rate,
	       const struct hash_key *key, uint64_t now);

/**
 * quota_plays() - Is a client played at @now?
 * @q:		Quota
 * @client:	Its address
 * @bytes:	Of it towards production that are counted with this call; 0: it
 *		is production that speaks
 * @now:	Time, ns; never less than at any call before
 */
bool quota_plays(struct quota *q, const struct ipaddr *client, uint32_t bytes,
		 uint64_t now);

#endif /* QUOTA_QUOTA_H */
