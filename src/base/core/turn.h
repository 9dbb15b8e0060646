/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turn - Whose turn it is, by weights
 *
 * Each who may have it gets its own weight as credit, and who has most has the
 * turn, and pays for all. So each has its share exactly, and the turns of a
 * heavy one are not all in a row. Equal weights are round robin.
 *
 * Also included by programs for the kernel.
 */
#ifndef CORE_TURN_H
#define CORE_TURN_H

#include <stdint.h>

#define TURN_MOST   16u /* who may have it */
#define TURN_WEIGHT 1000000u

/** struct turn - @credit: private, at first 0; it sums up to 0 */
struct turn {
	int64_t credit[TURN_MOST];
};

/**
 * turn_next() - Give the turn to the next one
 * @weight:	Of each, 0 to TURN_WEIGHT
 * @of:		Bit i: it may have the turn; at least one of TURN_MOST
 *
 * Return: its number
 */
static inline uint32_t turn_next(struct turn *t,
				 const uint32_t weight[TURN_MOST], uint32_t of)
{
	uint32_t best = TURN_MOST;
	int64_t all = 0, most = 0;

	for (uint32_t i = 0; i < TURN_MOST; i++) {
		if (!(of >> i & 1))
			continue;
		all += weight[i];
		t->credit[i] += weight[i];
		if (best == TURN_MOST || t->credit[i] > most) {
			best = i;
			most = t->credit[i];
		}
	}
	t->credit[best & (TURN_MOST - 1)] -= all;
	return best & (TURN_MOST - 1);
}

#endif /* CORE_TURN_H */
