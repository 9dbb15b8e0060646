/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tick - How a run goes, once a second
 *
 * A row of the table "tick", whose columns are these in this order (schema.c).
 */
#ifndef STORE_TICK_H
#define STORE_TICK_H

#include "core/counters.h"
#include "store/store.h"

#define TICK_COUNTERS(X, T)                                                    \
	X(T, seen, "", "requests that clients have sent")                      \
	X(T, delivered, "", "of these, acked by the SUT")                      \
	X(T, answered, "", "of these, answered by it")                         \
	X(T, identical, "", "answers of the same bytes")                       \
	X(T, equivalent, "", "answers that mean the same")                     \
	X(T, different, "", "answers that differ")                             \
	X(T, not_compared, "", "answers that were not compared")               \
	X(T, drops, "", "frames that the capture has lost")

#define TICK_GAUGES(X, T)                                                      \
	X(T, flows, "", "connections that are played")                         \
	X(T, behind, "ns", "how far the SUT is behind, median")

struct tick_counters {
	TICK_COUNTERS(COUNTER_MEMBER, )
};

struct tick_gauges {
	TICK_GAUGES(COUNTER_MEMBER, )
};

extern const struct counter_list tick_counter_list;
extern const struct counter_list tick_gauge_list;

/**
 * struct store_tick - One
 * @at:		ns since 1970
 * @n:		Since the run began
 */
struct store_tick {
	uint64_t at;
	struct tick_counters n;
	struct tick_gauges is;
};

/** store_tick() - Put one. Return: what @put returns */
int store_tick(const struct store_tick *t, store_put_fn put, void *ctx);

#endif /* STORE_TICK_H */
