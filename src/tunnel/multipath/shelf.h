/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shelf - Frames that wait, found by lane and number
 */
#ifndef MULTIPATH_SHELF_H
#define MULTIPATH_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"

/**
 * struct shelf - A table of fixed size
 * @mask:	Chains - 1; a power of two less 1
 * @count:	Frames on it, at most @mask + 1
 * @chain:	Frames, linked by frame.next; frame.seq is the number, frame.ack
 *		the lane
 */
struct shelf {
	uint32_t mask;
	uint32_t count;
	struct buf **chain;
};

/** shelf_size() - Arena bytes of one for @n frames, a power of two */
size_t shelf_size(uint32_t n);

/** shelf_init() - Make an empty one. Return: 0 or -ENOMEM */
int shelf_init(struct shelf *s, struct arena *a, uint32_t n);

/** shelf_full() - Test whether nothing more can be put on it */
static inline bool shelf_full(const struct shelf *s)
{
	return s->count > s->mask;
}

/**
 * shelf_put() - Put a frame with its lane and number on it
 *
 * Return: false if it is full, or if there is one with that lane and number
 */
bool shelf_put(struct shelf *s, struct buf *f);

/** shelf_find() - The frame with this lane and number, or NULL */
struct buf *shelf_find(const struct shelf *s, uint32_t lane, uint32_t seq);

/** shelf_take() - Take it off. Return: the frame, or NULL */
struct buf *shelf_take(struct shelf *s, uint32_t lane, uint32_t seq);

#endif /* MULTIPATH_SHELF_H */
