/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocks.c - Are answers that came together alike?
 *
 * A SUT that stumbles for three seconds gives hundreds of different answers
 * that have one cause: they tell less than as many by themselves. How much less
 * is the design effect (W. G. Cochran, "Sampling Techniques", 1977, section 9.4
 * and 6.3): the variance of the share between blocks of time, as that of a
 * ratio, over what it would be if each answer were drawn alone. Below 1 it is
 * taken for 1. Few blocks tell it badly, and a cause that lasts longer than a
 * block is not seen; then the interval is too narrow.
 */
#include <assert.h>

#include "gates/gates.h"

static void merge(struct gates_blocks *b)
{
	for (unsigned i = 0; i < GATES_BLOCKS / 2; i++) {
		unsigned k = 2 * i;
		uint64_t n = b->block[k].n + b->block[k + 1].n;
		uint64_t hit = b->block[k].hit + b->block[k + 1].hit;

		b->block[i].n = n;
		b->block[i].hit = hit;
	}
	for (unsigned i = GATES_BLOCKS / 2; i < GATES_BLOCKS; i++)
		b->block[i].n = b->block[i].hit = 0;
	b->length *= 2;
}

void gates_count(struct gates_blocks *b, uint64_t at, bool hit)
{
	uint64_t i;

	if (b->length == 0) {
		b->begun = at;
		b->length = GATES_BLOCK;
	}
	i = at < b->begun ? 0 : (at - b->begun) / b->length;
	while (i >= GATES_BLOCKS) {
		merge(b);
		i /= 2;
	}
	b->block[i].n++;
	b->block[i].hit += hit;
}

double gates_effect(const struct gates_blocks *b)
{
	double n = 0, hit = 0, sum = 0, p, effect;
	unsigned used = 0;

	for (unsigned i = 0; i < GATES_BLOCKS; i++) {
		assert(b->block[i].hit <= b->block[i].n);
		n += (double)b->block[i].n;
		hit += (double)b->block[i].hit;
		used += b->block[i].n > 0;
	}
	if (used < 2 || hit <= 0 || hit >= n)
		return 1;
	p = hit / n;
	for (unsigned i = 0; i < GATES_BLOCKS; i++) {
		double off =
			(double)b->block[i].hit - p * (double)b->block[i].n;

		sum += off * off;
	}
	effect = sum * used / (used - 1) / (n * p * (1 - p));
	return effect > 1 ? effect : 1;
}
