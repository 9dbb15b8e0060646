/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * histogram.c - Log-linear buckets
 *
 * Theory of operation
 *
 * Values below HIST_SUB have a bucket each. From there on every power of two is
 * cut into HIST_SUB buckets of equal width: the highest set bit gives the
 * group, the HIST_SUB_BITS below it the bucket. A bucket's width is at most
 * 1/HIST_SUB of its lowest value, which bounds the error of a quantile.
 */
#include "core/histogram.h"

#include <assert.h>

static unsigned bucket_of(uint64_t v)
{
	unsigned shift;

	if (v < HIST_SUB)
		return (unsigned)v;
	shift = 63 - (unsigned)__builtin_clzll(v) - HIST_SUB_BITS;
	return (shift + 1) * HIST_SUB + (unsigned)(v >> shift & (HIST_SUB - 1));
}

/* Highest value that falls into bucket @i. */
static uint64_t bucket_top(unsigned i)
{
	unsigned shift;

	if (i < HIST_SUB)
		return i;
	shift = i / HIST_SUB - 1;
	return ((uint64_t)(HIST_SUB + i % HIST_SUB) << shift) +
	       ((UINT64_C(1) << shift) - 1);
}

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void hist_add(struct histogram *h, uint64_t v)
{
	if (h->count == 0 || v < h->min)
		h->min = v;
	if (v > h->max)
		h->max = v;
	h->count++;
	h->sum = add_saturated(h->sum, v);
	h->bucket[bucket_of(v)]++;
}

void hist_merge(struct histogram *to, const struct histogram *from)
{
	if (from->count == 0)
		return;
	if (to->count == 0 || from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	to->count += from->count;
	to->sum = add_saturated(to->sum, from->sum);
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}

uint64_t hist_quantile(const struct histogram *h, unsigned permille)
{
	uint64_t rank, top;
	unsigned i = 0;

	assert(permille <= 1000);

	if (h->count == 0)
		return 0;
	/* ceil(count * permille / 1000), where the product may not fit */
	rank = h->count / 1000 * permille +
	       (h->count % 1000 * permille + 999) / 1000;
	for (uint64_t seen = h->bucket[0]; seen < rank; seen += h->bucket[i])
		i++;
	top = bucket_top(i);
	if (top < h->min)
		return h->min;
	return top > h->max ? h->max : top;
}
