/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stats - Tests that noise is judged by
 */
#ifndef NOISE_STATS_H
#define NOISE_STATS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * stats_mcnemar() - Does the SUT differ more often than the baseline?
 * @a:		Answers in which the SUT alone differs
 * @b:		The baseline alone
 *
 * McNemar's exact test, one-sided: if both differ by the same chance, either is
 * as likely to be the one, so P(X >= @a) with X binomial of @a + @b and 1/2.
 * Time grows with @b.
 *
 * Return: that probability, with a relative error below 1e-9 for @a + @b up to
 * 10^6; 0 where no double is so small
 */
double stats_mcnemar(uint64_t a, uint64_t b);

/**
 * stats_holm() - Which of several tests are significant together?
 * @p, @n:	Their probabilities
 * @alpha:	Chance that any is called so though none is, at most
 * @yes:	Set for each
 *
 * Holm's method: the smallest is held against @alpha / @n, the next against
 * @alpha / (@n - 1), up to the first that is larger. Time grows with @n squared
 * at most.
 */
void stats_holm(const double *p, uint32_t n, double alpha, bool *yes);

#endif /* NOISE_STATS_H */
