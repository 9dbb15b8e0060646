/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * early - Connections of which production was seen first; see early.c
 */
#ifndef FLOW_EARLY_H
#define FLOW_EARLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "flow/key.h"
#include "wire/segment.h"

/* Such connections at one time; full: the new one is not known. */
#define EARLY_FLOWS 256
/* Segments of one; full: the newest is missed, as if by the capture. */
#define EARLY_SEGMENTS 512

/** struct early_flow - One of them */
struct early_flow {
	struct flow_key key; /* without map */
	uint64_t since;	     /* when its SYN,ACK came */
	uint32_t iss;	     /* the client's, that this acks */
	uint32_t irs;	     /* production's */
	uint32_t n;
	struct buf *head; /* a struct segment each, and its payload */
	struct buf *tail;
};

/** struct early - All of them, in the order of their coming */
struct early {
	uint32_t n;
	struct early_flow *flow; /* EARLY_FLOWS */
};

/** early_size() - Arena bytes that they take */
size_t early_size(void);

/** early_init() - No connection yet. Return: 0 or -ENOMEM */
int early_init(struct early *e, struct arena *a);

/**
 * early_keep() - A segment of production's, of a connection that is not known
 *
 * Return: true if it is kept, because it is a SYN,ACK, or one has been kept
 */
bool early_keep(struct early *e, struct pool *pool, const struct flow_key *key,
		const struct segment *seg, uint64_t now);

/**
 * early_is_newer() - Is @seg of production's of a connection that is not known
 * yet, although an older one of the same addresses is?
 * @end:	Behind the older client's SYN and the data in it; initial
 *		sequence numbers grow from one connection to the next (RFC 6528)
 */
bool early_is_newer(struct early *e, const struct flow_key *key,
		    const struct segment *seg, uint32_t end);

/**
 * early_find() - What is kept of a connection of which the client's @seg has
 * come: its SYN, or where the capture has none, data
 *
 * Return: NULL if nothing is
 */
struct early_flow *early_find(struct early *e, const struct flow_key *key,
			      const struct segment *seg);

/**
 * early_pop() - The oldest segment of @f
 * @frame:	What it lies in, the caller's to clear (BUF_QUEUE)
 *
 * Return: false if there is none: @f is gone
 */
bool early_pop(struct early *e, struct early_flow *f, struct segment *seg,
	       struct buf **frame);

/** early_timeout() - Drop what waits for longer than @wait. Return: segments */
uint64_t early_timeout(struct early *e, struct pool *pool, uint64_t wait,
		       uint64_t now);

/** early_next_timeout() - When to call it; UINT64_MAX: never */
uint64_t early_next_timeout(const struct early *e, uint64_t wait);

#endif /* FLOW_EARLY_H */
