/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag - Put IP fragments together (RFC 791 section 3.2, RFC 8200 section 4.5)
 *
 * Bounded in datagrams, bytes and time; overlapping fragments drop the datagram
 * (RFC 5722; for IPv4 as Linux does), an exact repetition is ignored. The
 * theory is in frag.c.
 */
#ifndef WIRE_FRAG_H
#define WIRE_FRAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/hash.h"
#include "core/ipaddr.h"

struct frag_table;

#define FRAG_TIMEOUT (UINT64_C(30) * 1000000000) /* ns, as Linux */

/** struct frag_key - What fragments of one datagram have in common */
struct frag_key {
	struct ipaddr src;
	struct ipaddr dst;
	uint32_t id;
	uint8_t proto;
};

/**
 * struct frag_stats - Datagrams that were given up
 * @evicted:	For a new one, since the table was full
 * @expired:	Not whole within FRAG_TIMEOUT
 * @overlapped:	Fragments contradict each other
 */
struct frag_stats {
	uint64_t evicted;
	uint64_t expired;
	uint64_t overlapped;
};

/** frag_size() - Arena bytes for @n datagrams under reassembly */
size_t frag_size(uint32_t n);

/** frag_init() - Make a table. Return: 0 or -ENOMEM */
int frag_init(struct frag_table **out, struct arena *a, uint32_t n,
	      const struct hash_key *key);

/**
 * frag_input() - Add a fragment
 * @t:		Table
 * @key:	Its datagram
 * @off:	Offset of its payload in the datagram's, in bytes
 * @more:	More fragments follow
 * @p:		Payload of the fragment
 * @len:	Its length
 * @now:	Time, ns
 * @whole:	Set to the datagram's payload, valid until the next call
 *
 * What is 30 s old is given up first. A repetition of bytes that are there is
 * ignored. If the table is full, the oldest datagram is given up for a new one.
 *
 * Return: bytes at @whole if the datagram is whole now, 0 if not yet, or
 *	   -EBADMSG if the length is impossible (the fragment is dropped) or it
 *	   contradicts others (the datagram is dropped), or
 *	   -ENOBUFS if the table has no room for even one
 */
int frag_input(struct frag_table *t, const struct frag_key *key, uint32_t off,
	       bool more, const uint8_t *p, uint32_t len, uint64_t now,
	       const uint8_t **whole);

/** frag_used() - Datagrams under reassembly now (expired ones not counted) */
uint32_t frag_used(const struct frag_table *t, uint64_t now);

/** frag_stats() - What was given up so far */
const struct frag_stats *frag_stats(const struct frag_table *t);

#endif /* WIRE_FRAG_H */
