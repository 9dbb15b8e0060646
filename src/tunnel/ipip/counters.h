/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - What the reorder buffer counts
 */
#ifndef IPIP_COUNTERS_H
#define IPIP_COUNTERS_H

#include <stdint.h>

#include "core/counters.h"

/* came = passed + in_turn + late + held + no_room + duplicate; held =
 * released + overtaken + what is held now (check.c).
 */
#define REORDER_COUNTERS(X, T)                                                 \
	X(T, came, "", "packets that came")                                    \
	X(T, passed, "", "of these, packets without an order of their own")    \
	X(T, in_turn, "", "of these, segments whose turn it was")              \
	X(T, late, "", "of these, segments behind their turn")                 \
	X(T, held, "", "of these, segments that waited for one before them")   \
	X(T, no_room, "", "of these, segments that there was no room for")     \
	X(T, duplicate, "", "of these, dropped: the same was held")            \
	X(T, overtaken, "", "held segments dropped: another brought all")      \
	X(T, released, "", "held segments handed on")                          \
	X(T, given_up, "", "times that the timer gave up a hole")              \
	X(T, flushed, "", "times that the size limit gave up all")             \
	X(T, resync, "", "connections that went on far ahead")                 \
	X(T, flows, "", "connections that were seen")                          \
	X(T, evicted, "", "of these, forgotten for another one")

struct reorder_counters {
	REORDER_COUNTERS(COUNTER_MEMBER, )
};

extern const struct counter_list reorder_counter_list;

#endif /* IPIP_COUNTERS_H */
