/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stamps - A clock made of the stamps of a capture's records
 *
 * Stamps come from a file and may be anything. What comes out never goes back,
 * has no leap longer than a limit, and fits every sum of a time and a duration.
 * The theory is in stamps.c.
 */
#ifndef PACE_STAMPS_H
#define PACE_STAMPS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/counters.h"
#include "core/limits.h"

#define STAMPS_LEAP  (7 * 24 * 3600 * NS_PER_SEC) /* longest without a limit */
#define STAMPS_BACK  NS_PER_SEC /* so far back the order of records is blurred */
#define STAMPS_AGREE 16		/* records that together set the clock back */

/* The latest time at which a clock of stamps begins (the year 2200), and the
 * longest that it runs: 100 years. Their sum and any timer's limit fit 64 bits.
 */
#define STAMPS_BEGIN_MAX (UINT64_C(7258118400) * NS_PER_SEC)
#define STAMPS_RUN_MAX	 (UINT64_C(3155760000) * NS_PER_SEC)

#define STAMPS_COUNTERS(X, T)                                                  \
	X(T, stamps_missing, "", "the record has none")                        \
	X(T, stamps_back, "", "far before one that came earlier")              \
	X(T, stamps_leaps, "", "a gap that was cut to the limit")

/** struct stamps_counters - What was odd about them */
struct stamps_counters {
	STAMPS_COUNTERS(COUNTER_MEMBER, )
};

/** stamps_counter_list - Their names and what they are */
extern const struct counter_list stamps_counter_list;

/**
 * struct stamps - The clock; all zero but @leap is its beginning
 * @leap:	No gap is longer, ns; 0: STAMPS_LEAP
 * @now:	ns since the first record
 * @first:	When that was, ns since 1970, at most STAMPS_BEGIN_MAX
 */
struct stamps {
	uint64_t leap;
	uint64_t now;
	uint64_t first;
	uint64_t high;	 /* the stamp that @now stands for */
	uint32_t behind; /* records in a row far before it */
	bool begun;
	struct stamps_counters count;
};

/**
 * stamps_next() - The next record of the capture
 * @ts:		Its stamp, ns since 1970; 0: it has none
 *
 * Return: @now, which it may have moved
 */
uint64_t stamps_next(struct stamps *s, uint64_t ts);

#endif /* PACE_STAMPS_H */
