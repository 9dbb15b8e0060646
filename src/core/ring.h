/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring - Records from one thread to another, never waiting
 *
 * One producer, one consumer. What does not fit is lost and counted: the packet
 * thread must not wait for a disk. A record lies in one piece, so that the
 * producer writes it in place and the consumer reads it in place.
 */
#ifndef CORE_RING_H
#define CORE_RING_H

#include <stdint.h>

#include "core/arena.h"

#define RING_MIN   4096u	       /* smallest ring, bytes */
#define RING_TOP   (UINT64_C(1) << 40) /* largest */
#define RING_ALIGN 8u /* every record begins at a multiple of it */

struct ring;

/**
 * ring_size() - Arena bytes for a ring
 * @bytes:	Its room; rounded up to a power of two, at least RING_MIN
 *
 * Return: bytes; 0 if @bytes is more than RING_TOP
 */
size_t ring_size(size_t bytes);

/**
 * ring_init() - Make an empty ring
 * @out:	Ring, in the arena
 * @a:		Arena with ring_size(@bytes) bytes left
 * @bytes:	Room
 *
 * Return: 0, -EINVAL if @bytes is more than RING_TOP, -ENOMEM if the arena is
 * too small (@out untouched)
 */
int ring_init(struct ring **out, struct arena *a, size_t bytes);

/** ring_longest() - Longest record that an empty ring takes, at any place */
uint32_t ring_longest(const struct ring *r);

/**
 * ring_reserve() - Begin a record; producer only
 * @len:	Its bytes, 0 and up
 *
 * A second call without ring_commit() begins anew.
 *
 * Return: where to write it, aligned to RING_ALIGN; NULL if it does not fit now
 * or is longer than ring_longest(): it is counted as lost
 */
uint8_t *ring_reserve(struct ring *r, uint32_t len);

/** ring_commit() - Hand the reserved record over; producer only */
void ring_commit(struct ring *r);

/**
 * ring_peek() - Look at the oldest record; consumer only
 * @len:	Its bytes, if there is one
 *
 * Return: the record, valid until ring_release(); NULL if the ring is empty
 */
const uint8_t *ring_peek(struct ring *r, uint32_t *len);

/** ring_release() - Give the peeked record's room back; consumer only */
void ring_release(struct ring *r);

/** ring_lost() - Records that did not fit; any thread */
uint64_t ring_lost(const struct ring *r);

/** ring_used() - Bytes in use, a snapshot; any thread */
uint64_t ring_used(const struct ring *r);

#endif /* CORE_RING_H */
