/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spsc.c - Single-producer, single-consumer ring of records
 *
 * Theory of operation
 *
 * @head and @tail count bytes and never wrap (2^64 bytes are not reached);
 * their lower bits are the place in the buffer. The producer alone writes
 * @head, with release, after the record's bytes; the consumer loads it with
 * acquire, so it sees the bytes. @tail goes the other way round, so that the
 * producer does not write over what is still being read.
 *
 * A record is RING_ALIGN bytes of head (its length) and its data, padded. It
 * never crosses the end of the buffer: if it would, the rest is filled with a
 * head of length SKIP and the record begins at 0. A record of at most half the
 * buffer therefore always fits an empty ring: either before the end, or behind
 * the beginning.
 *
 * Each side keeps a copy of the other's counter and looks at the real one only
 * when the copy says full (or empty): the two cache lines then travel once per
 * many records and not for each one.
 */
#include "core/spsc.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define SKIP UINT32_MAX
static_assert(RING_TOP / 2 - RING_ALIGN < SKIP,
	      "every length is told from SKIP");

struct spsc {
	/* Set once. */
	uint8_t *buf;
	uint64_t size;

	/* The producer's line. */
	alignas(ARENA_ALIGN) _Atomic uint64_t head;
	_Atomic uint64_t lost;
	uint64_t tail_seen;
	uint64_t next; /* head after the commit */

	/* The consumer's line. */
	alignas(ARENA_ALIGN) _Atomic uint64_t tail;
	uint64_t head_seen;
	uint64_t taken; /* tail after the release */
};

static uint64_t room_for(size_t bytes)
{
	uint64_t size = RING_MIN;

	while (size < bytes)
		size *= 2;
	return size;
}

size_t spsc_size(size_t bytes)
{
	if (bytes > RING_TOP)
		return 0;
	return arena_need(sizeof(struct spsc)) + arena_need(room_for(bytes));
}

int spsc_init(struct spsc **out, struct arena *a, size_t bytes)
{
	struct spsc *r;

	if (bytes > RING_TOP)
		return -EINVAL;
	if (a->size - a->used < spsc_size(bytes))
		return -ENOMEM;
	r = arena_take(a, sizeof(*r));
	memset(r, 0, sizeof(*r));
	r->size = room_for(bytes);
	r->buf = arena_take(a, r->size);
	*out = r;
	return 0;
}

/* Bytes that a record of @len takes, head and padding included. */
static uint64_t record_need(uint32_t len)
{
	return ((uint64_t)len + 2 * RING_ALIGN - 1) / RING_ALIGN * RING_ALIGN;
}

uint32_t spsc_longest(const struct spsc *r)
{
	return (uint32_t)(r->size / 2 - RING_ALIGN);
}

static bool has_room(struct spsc *r, uint64_t head, uint64_t need)
{
	if (r->size - (head - r->tail_seen) >= need)
		return true;
	r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
	return r->size - (head - r->tail_seen) >= need;
}

static void put_head(struct spsc *r, uint64_t at, uint32_t len)
{
	memcpy(r->buf + at, &len, sizeof(len));
}

uint8_t *spsc_reserve(struct spsc *r, uint32_t len)
{
	return spsc_reserve_above(r, len, 0);
}

uint8_t *spsc_reserve_above(struct spsc *r, uint32_t len, uint32_t keep)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	uint64_t at = head & (r->size - 1);
	uint64_t need = record_need(len);
	uint64_t skip = need > r->size - at ? r->size - at : 0;

	if (len > spsc_longest(r) || !has_room(r, head, skip + need + keep)) {
		atomic_fetch_add_explicit(&r->lost, 1, memory_order_relaxed);
		return NULL;
	}
	if (skip > 0) {
		put_head(r, at, SKIP);
		at = 0;
	}
	put_head(r, at, len);
	r->next = head + skip + need;
	return r->buf + at + RING_ALIGN;
}

void spsc_commit(struct spsc *r)
{
	atomic_store_explicit(&r->head, r->next, memory_order_release);
}

const uint8_t *spsc_peek(struct spsc *r, uint32_t *len)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint64_t at = tail & (r->size - 1);
	uint32_t n;

	if (tail == r->head_seen) {
		r->head_seen =
			atomic_load_explicit(&r->head, memory_order_acquire);
		if (tail == r->head_seen)
			return NULL;
	}
	memcpy(&n, r->buf + at, sizeof(n));
	if (n == SKIP) {
		/* A record follows: both were handed over by one commit. */
		tail += r->size - at;
		at = 0;
		memcpy(&n, r->buf, sizeof(n));
	}
	r->taken = tail + record_need(n);
	*len = n;
	return r->buf + at + RING_ALIGN;
}

void spsc_release(struct spsc *r)
{
	atomic_store_explicit(&r->tail, r->taken, memory_order_release);
}

uint64_t spsc_lost(const struct spsc *r)
{
	return atomic_load_explicit(&r->lost, memory_order_relaxed);
}

uint64_t spsc_room(const struct spsc *r)
{
	return r->size;
}

uint64_t spsc_used(const struct spsc *r)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);

	return atomic_load_explicit(&r->head, memory_order_acquire) - tail;
}
