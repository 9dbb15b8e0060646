/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * histogram - Distribution of durations in fixed memory
 *
 * Log-linear buckets (as HdrHistogram): HIST_SUB buckets per power of two, so
 * a quantile is wrong by less than 1/HIST_SUB.
 */
#ifndef CORE_HISTOGRAM_H
#define CORE_HISTOGRAM_H

#include <stdint.h>

#define HIST_SUB_BITS 4
#define HIST_SUB      (1u << HIST_SUB_BITS)
#define HIST_BUCKETS  ((64 - HIST_SUB_BITS + 1) * HIST_SUB)

/**
 * struct histogram - Zero is an empty one
 */
struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t min; /* valid if count > 0 */
	uint64_t max;
	uint64_t bucket[HIST_BUCKETS];
};

/** hist_add() - Count one value */
void hist_add(struct histogram *h, uint64_t v);

/** hist_merge() - Add all of @from to @to */
void hist_merge(struct histogram *to, const struct histogram *from);

/**
 * hist_quantile() - Value at or below which @permille of the values lie
 * @permille:	0 to 1000
 *
 * Return: upper end of the bucket, clamped to [min, max]; 0 if empty
 */
uint64_t hist_quantile(const struct histogram *h, unsigned permille);

#endif /* CORE_HISTOGRAM_H */
