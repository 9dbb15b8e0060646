/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_perf.c - What counting an answer's times costs the packet thread
 *
 * usage: bench_perf
 *
 * An answer's eight times in core/histogram, which any run counts anyway, against
 * perf_add(), in turns, 21 of each: median of ns for one answer, the spread, and
 * the median of the ratios of one turn. Then the longest single call while time
 * passes the last block, which makes two of all blocks one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/histogram.h"
#include "core/rng.h"
#include "os/clock.h"
#include "perf/perf.h"

#define TURNS	21
#define ANSWERS 20000
#define S	UINT64_C(1000000000)

static struct perf_answer answer[ANSWERS];
static struct histogram peer[8];

static int ascending(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

static void make_answers(void)
{
	struct rng r = { 3 };

	for (uint32_t i = 0; i < ANSWERS; i++) {
		struct perf_answer *a = &answer[i];

		a->endpoint = rng_below(&r, 4);
		a->at = S + i % 64 * S / 2;
		a->waited = 50000 + rng_below(&r, 100000);
		for (unsigned k = 0; k < 2; k++) {
			a->first[k] = 100000 + rng_below(&r, 20000000);
			a->last[k] = a->first[k] + rng_below(&r, 1000000);
			a->bytes[k] = rng_below(&r, 100000);
		}
	}
}

static double by_peer(void)
{
	uint64_t began = clock_mono();

	for (uint32_t i = 0; i < ANSWERS; i++)
		for (unsigned k = 0; k < 8; k++)
			hist_add(&peer[k], (k & 1 ? answer[i].last
						  : answer[i].first)[k >> 2]);
	return (double)(clock_mono() - began) / ANSWERS;
}

static double by_perf(struct perf *p)
{
	uint64_t began = clock_mono();

	for (uint32_t i = 0; i < ANSWERS; i++)
		perf_add(p, &answer[i]);
	return (double)(clock_mono() - began) / ANSWERS;
}

static void print(const char *what, double *v, const char *unit)
{
	qsort(v, TURNS, sizeof(*v), ascending);
	printf("%-12s median %.2f%s, %.2f to %.2f\n", what, v[TURNS / 2], unit,
	       v[0], v[TURNS - 1]);
}

static double longest(struct perf *p)
{
	double worst = 0;

	for (uint64_t t = 1; t < 2000; t++) {
		struct perf_answer a = answer[t % ANSWERS];
		uint64_t began;

		a.at = t * S;
		began = clock_mono();
		perf_add(p, &a);
		if ((double)(clock_mono() - began) > worst)
			worst = (double)(clock_mono() - began);
	}
	return worst / 1000;
}

int main(void)
{
	struct arena a = { .size = perf_size() };
	double old[TURNS], new[TURNS], ratio[TURNS];
	struct perf *p;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	if (!a.base)
		return 2;
	memset(a.base, 0, a.size);
	if (perf_init(&p, &a, 1) != 0)
		return 2;
	make_answers();
	for (unsigned i = 0; i < TURNS; i++) {
		old[i] = by_peer();
		new[i] = by_perf(p);
		ratio[i] = new[i] / old[i];
	}
	print("histogram", old, " ns");
	print("perf", new, " ns");
	print("ratio", ratio, "");
	printf("longest call %.0f us, %zu MB\n", longest(p), a.size >> 20);
	return 0;
}
