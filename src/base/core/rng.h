/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rng - Seeded random numbers, the same on every machine
 *
 * For what must differ and be repeatable (substitute ports, tests). Not for
 * secrets.
 */
#ifndef CORE_RNG_H
#define CORE_RNG_H

#include <stdint.h>

/** struct rng - State; any value is a good seed (splitmix64, Steele 2014) */
struct rng {
	uint64_t s;
};

/** rng_next() - Next 64 random bits */
static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->s += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/** rng_below() - A number in [0, @n); @n at least 1 */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)((rng_next(r) >> 32) * n >> 32);
}

#endif /* CORE_RNG_H */
