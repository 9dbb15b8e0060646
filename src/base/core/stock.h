/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stock - Records of one size, of which as few as can be are ever touched
 *
 * What was given back last is taken first, and a record that was never taken is
 * taken last. So of memory that is only reserved no more becomes real than the
 * most that were in use at once, and what is taken is warm.
 *
 * The first bytes of a record that is free are the stock's, the rest stays as
 * it was left.
 */
#ifndef CORE_STOCK_H
#define CORE_STOCK_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/arena.h"

/**
 * struct stock - All members are private
 * @free:	The one that was given back last; its first bytes name the next
 * @n, @used, @out: Records; those that were ever taken; those that are in use
 */
struct stock {
	uint8_t *base;
	void *free;
	size_t size;
	uint32_t n;
	uint32_t used;
	uint32_t out;
};

/** stock_size() - Bytes that stock_init() takes for @n records of @size */
static inline size_t stock_size(uint32_t n, size_t size)
{
	return arena_need(n * size);
}

/** stock_init() - @n records of @size bytes; none is touched. A record has
 * room for a pointer
 */
static inline void stock_init(struct stock *s, struct arena *a, uint32_t n,
			      size_t size)
{
	assert(size >= sizeof(void *));
	*s = (struct stock){ .base = arena_take(a, n * size),
			     .size = size,
			     .n = n };
}

/** stock_at(), stock_index() - A record by its number, 0 to n - 1, and back */
static inline void *stock_at(const struct stock *s, uint32_t i)
{
	assert(i < s->n);
	return s->base + i * s->size;
}

static inline uint32_t stock_index(const struct stock *s, const void *record)
{
	return (uint32_t)((size_t)((const uint8_t *)record - s->base) /
			  s->size);
}

/** stock_take() - One of them, or NULL: all are in use */
static inline void *stock_take(struct stock *s)
{
	void *r = s->free;

	if (r)
		memcpy(&s->free, r, sizeof(s->free));
	else if (s->used < s->n)
		r = stock_at(s, s->used++);
	else
		return NULL;
	s->out++;
	return r;
}

/** stock_give() - It is not in use any more */
static inline void stock_give(struct stock *s, void *record)
{
	assert(s->out > 0);
	memcpy(record, &s->free, sizeof(s->free));
	s->free = record;
	s->out--;
}

/** stock_empty() - All are in use */
static inline bool stock_empty(const struct stock *s)
{
	return s->out == s->n;
}

#endif /* CORE_STOCK_H */
