/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stats.c - McNemar's exact test, and Holm's method for several tests
 *
 * Theory of operation
 *
 * With n = a + b, P(X >= a) = sum of C(n, k) / 2^n for k = a..n, which is the
 * sum for j = 0..b of C(n, j) / 2^n. C(n, 0) is 1, and each term follows from
 * the one before by a multiplication with (n - j + 1) / j. Terms become as
 * large as 2^n, so they and their sum are kept as a number below LARGE and a
 * power of two that is counted. All terms are positive: nothing cancels, and
 * errors of rounding grow with the number of terms only.
 */
#include "noise/stats.h"

#define SHIFT 512
#define LARGE 0x1p512

/* @x * 2^@e; 0 where that is less than a double has */
static double scaled(double x, int64_t e)
{
	if (e < -2200)
		return 0;
	for (; e <= -SHIFT; e += SHIFT)
		x *= 0x1p-512;
	for (; e < 0; e++)
		x *= 0.5;
	for (; e > 0; e--)
		x *= 2;
	return x;
}

double stats_mcnemar(uint64_t a, uint64_t b)
{
	uint64_t n = a + b;
	double term = 1, sum = 1;
	int64_t e = 0;

	if (a == 0)
		return 1;
	for (uint64_t j = 1; j <= b; j++) {
		term *= (double)(n - j + 1) / (double)j;
		sum += term;
		if (sum >= LARGE) {
			sum *= 0x1p-512;
			term *= 0x1p-512;
			e += SHIFT;
		}
	}
	sum = scaled(sum, e - (int64_t)n);
	return sum < 1 ? sum : 1;
}

void stats_holm(const double *p, uint32_t n, double alpha, bool *yes)
{
	for (uint32_t i = 0; i < n; i++)
		yes[i] = false;
	for (uint32_t left = n; left > 0; left--) {
		uint32_t least = n;

		for (uint32_t i = 0; i < n; i++)
			if (!yes[i] && (least == n || p[i] < p[least]))
				least = i;
		if (p[least] > alpha / (double)left)
			return;
		yes[least] = true;
	}
}
