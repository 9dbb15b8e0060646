/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spsc - Records from one thread to another, never waiting
 *
 * One producer, one consumer. What does not fit is lost and counted: the packet
 * thread must not wait for a disk. A record lies in one piece, so that the
 * producer writes it in place and the consumer reads it in place.
 */
#ifndef CORE_SPSC_H
#define CORE_SPSC_H

#include <stdint.h>

#include "core/arena.h"

#define RING_MIN   4096u	       /* smallest ring, bytes */
#define RING_TOP   (UINT64_C(1) << 33) /* largest */
#define RING_ALIGN 8u /* every record begins at a multiple of it */

struct spsc;

/**
 * spsc_size() - Arena bytes for a ring
 * @bytes:	Its room; rounded up to a power of two, at least RING_MIN
 *
 * Return: bytes; 0 if @bytes is more than RING_TOP
 */
size_t spsc_size(size_t bytes);

/**
 * spsc_init() - Make an empty ring
 * @out:	Ring, in the arena
 * @a:		Arena with spsc_size(@bytes) bytes left
 * @bytes:	Room
 *
 * Return: 0, -EINVAL if @bytes is more than RING_TOP, -ENOMEM if the arena is
 * too small (@out untouched)
 */
int spsc_init(struct spsc **out, struct arena *a, size_t bytes);

/** spsc_longest() - Longest record that an empty ring takes, at any place */
uint32_t spsc_longest(const struct spsc *r);

/**
 * spsc_reserve() - Begin a record; producer only
 * @len:	Its bytes, 0 and up
 *
 * A second call without spsc_commit() begins anew.
 *
 * Return: where to write it, aligned to RING_ALIGN; NULL if it does not fit now
 * or is longer than spsc_longest(): it is counted as lost
 */
uint8_t *spsc_reserve(struct spsc *r, uint32_t len);

/**
 * spsc_reserve_above() - The same, but @keep bytes of the ring's room stay free
 *
 * For records that make room for others.
 */
uint8_t *spsc_reserve_above(struct spsc *r, uint32_t len, uint32_t keep);

/** spsc_commit() - Hand the reserved record over; producer only */
void spsc_commit(struct spsc *r);

/**
 * spsc_peek() - Look at the oldest record; consumer only
 * @len:	Its bytes, if there is one
 *
 * Return: the record, valid until spsc_release(); NULL if the ring is empty
 */
const uint8_t *spsc_peek(struct spsc *r, uint32_t *len);

/** spsc_release() - Give the peeked record's room back; consumer only */
void spsc_release(struct spsc *r);

/** spsc_lost() - Records that did not fit; any thread */
uint64_t spsc_lost(const struct spsc *r);

/** spsc_room() - Bytes of the ring, records with their heads and padding */
uint64_t spsc_room(const struct spsc *r);

/** spsc_used() - Bytes in use, a snapshot; any thread */
uint64_t spsc_used(const struct spsc *r);

#endif /* CORE_SPSC_H */
