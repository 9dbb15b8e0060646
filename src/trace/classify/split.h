/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * split - Which way each frame of a capture goes, connection by connection
 *
 * One pass over the capture: split_frame() names for each frame the connection
 * and the side that it belongs to. When all is known, split_finish() decides
 * about the connections, and split_fate() says what becomes of a frame.
 */
#ifndef CLASSIFY_SPLIT_H
#define CLASSIFY_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classify/rules.h"
#include "core/arena.h"
#include "core/hash.h"
#include "wire/cachefile.h"
#include "wire/peek.h"

/* Why a connection's client is who it is, the weakest first. */
#define SPLIT_LEVELS(X)                                                        \
	X(SPLIT_GUESS, "guess")	      /* who was seen first */                 \
	X(SPLIT_HOST, "host")	      /* how its hosts act elsewhere */        \
	X(SPLIT_PORT, "port")	      /* one port is a server's */             \
	X(SPLIT_NETWORK, "network")   /* router mode: a network of servers */  \
	X(SPLIT_ENDPOINT, "endpoint") /* address and port serve elsewhere */   \
	X(SPLIT_CONTENT, "content")   /* HTTP, TLS, DNS, NTP, echo */          \
	X(SPLIT_HANDSHAKE, "handshake") /* SYN or SYN,ACK */

enum split_level {
#define X(id, name) id,
	SPLIT_LEVELS(X)
#undef X
		SPLIT_LEVEL_COUNT
};

/** split_level_name() - As the summary spells it */
const char *split_level_name(enum split_level l);

/* Entries of split_frame() that are no connection's. */
#define SPLIT_ENTRY_SKIP UINT32_C(0xffffffff)
#define SPLIT_ENTRY_C2S	 UINT32_C(0xfffffffe)
#define SPLIT_ENTRY_S2C	 UINT32_C(0xfffffffd)
#define SPLIT_CONNS_MAX	 (UINT32_C(1) << 30) /* full: -EFBIG */

/**
 * struct split_counters - What was seen and decided
 * @level:	Connections decided at each level
 * @right, @tried: Of connections with a handshake: how often the weaker level
 *		alone would have said the same, and how often it said anything.
 *		For SPLIT_GUESS, SPLIT_PORT and SPLIT_CONTENT
 * @fates:	Frames of each enum bitcache_fate
 * @frames:	Frames decided by a connection of that level
 * @nonip:	Frames without IP
 * @lost_fragments: Parts whose first part was not seen before
 * @early:	Connections that were decided before the end, for want of room
 * @unlearnt:	Endpoints and hosts that were not remembered, for want of room
 * @pushed_out:	Connections that made room for a new one
 */
struct split_counters {
	uint64_t level[SPLIT_LEVEL_COUNT];
	uint64_t right[SPLIT_LEVEL_COUNT];
	uint64_t tried[SPLIT_LEVEL_COUNT];
	uint64_t frames[SPLIT_LEVEL_COUNT];
	uint64_t fates[4];
	uint64_t nonip;
	uint64_t lost_fragments;
	uint64_t early;
	uint64_t unlearnt;
	uint64_t pushed_out;
};

struct split;

/** split_size() - Arena bytes for @flows connections at a time */
size_t split_size(uint32_t flows);

/**
 * split_init() - Begin
 * @out:	Set on success
 * @a:		Arena with split_size() bytes
 * @flows:	Connections followed at a time; full: one that was not used
 *		for long is decided by what it showed
 * @r:		Rules, borrowed
 * @key:	For the hash
 * @states:	One state of 16 for each connection, empty; the caller's. It
 *		must have room for as many as the capture has (split_frame())
 *
 * Return: 0 or -ENOMEM
 */
int split_init(struct split **out, struct arena *a, uint32_t flows,
	       const struct prep_rules *r, const struct hash_key *key,
	       struct bitcache *states);

/**
 * split_frame() - The next frame
 * @i:		Its number, from 1
 * @p:		What peek_frame() found
 * @entry:	Set: to be given to split_fate()
 *
 * Return: 0, or -EFBIG: more than SPLIT_CONNS_MAX connections, or more than
 * the caller's states hold
 */
int split_frame(struct split *s, uint64_t i, const struct peek *p,
		uint32_t *entry);

/** split_finish() - Decide about all connections; then no more frames */
void split_finish(struct split *s);

/** split_fate() - What becomes of a frame; counts it */
enum bitcache_fate split_fate(struct split *s, uint32_t entry);

/** split_counters() - So far */
const struct split_counters *split_counters(const struct split *s);

#endif /* CLASSIFY_SPLIT_H */
