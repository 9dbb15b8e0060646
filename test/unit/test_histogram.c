/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_histogram.c - Unit test of the histogram
 *
 * The oracle is the sorted array of all values: a quantile must be the value of
 * that rank, or above it by less than 1/HIST_SUB of it.
 */
#include "core/histogram.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

#define VALUES 5000u

static uint64_t value[VALUES];
static struct histogram h;

static int by_value(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static void check_quantiles(const struct histogram *g, uint32_t n)
{
	qsort(value, n, sizeof(value[0]), by_value);
	CHECK(g->count == n);
	CHECK(g->min == value[0] && g->max == value[n - 1]);
	for (unsigned q = 0; q <= 1000; q++) {
		uint32_t rank = (n * q + 999) / 1000;
		uint64_t real = value[rank == 0 ? 0 : rank - 1];
		uint64_t got = hist_quantile(g, q);

		CHECK(got >= real);
		CHECK(got - real <= real / HIST_SUB);
		CHECK(got <= g->max);
	}
}

static void test_empty(void)
{
	h = (struct histogram){ 0 };
	CHECK(hist_quantile(&h, 500) == 0);
}

static void test_one_value_is_exact(void)
{
	static const uint64_t one[] = {
		0, 1, 15, 16, 17, 1000003, 1u << 31, UINT64_MAX - 1, UINT64_MAX
	};

	for (size_t i = 0; i < ARRAY_SIZE(one); i++) {
		h = (struct histogram){ 0 };
		hist_add(&h, one[i]);
		CHECK(hist_quantile(&h, 0) == one[i]);
		CHECK(hist_quantile(&h, 500) == one[i]);
		CHECK(hist_quantile(&h, 1000) == one[i]);
		CHECK(h.sum == one[i]);
	}
}

static void test_small_values_are_exact(void)
{
	h = (struct histogram){ 0 };
	for (uint64_t v = 1; v <= 10; v++)
		hist_add(&h, v);
	CHECK(hist_quantile(&h, 100) == 1);
	CHECK(hist_quantile(&h, 101) == 2);
	CHECK(hist_quantile(&h, 500) == 5);
	CHECK(hist_quantile(&h, 900) == 9);
	CHECK(hist_quantile(&h, 1000) == 10);
}

static void test_quantiles_are_near_for_any_scale(void)
{
	for (unsigned bits = 3; bits <= 64; bits++) {
		struct rng r = { bits };

		h = (struct histogram){ 0 };
		for (uint32_t i = 0; i < VALUES; i++) {
			value[i] = rng_next(&r) >> (64 - bits) >>
				   rng_below(&r, bits);
			hist_add(&h, value[i]);
		}
		check_quantiles(&h, VALUES);
	}
}

static void test_edges_of_buckets(void)
{
	uint32_t n = 0;

	h = (struct histogram){ 0 };
	for (unsigned bit = 1; bit < 64; bit++)
		for (uint64_t d = 0; d < 3; d++)
			value[n++] = (UINT64_C(1) << bit) + d - 1;
	for (uint32_t i = 0; i < n; i++)
		hist_add(&h, value[i]);
	check_quantiles(&h, n);
}

static void test_merge_is_adding_all(void)
{
	struct histogram to = { 0 };
	struct rng r = { 99 };
	uint64_t sum = 0;

	h = (struct histogram){ 0 };
	hist_merge(&to, &h);
	CHECK(to.count == 0);
	for (uint32_t i = 0; i < VALUES; i++) {
		value[i] = rng_next(&r) >> 24;
		sum += value[i];
		hist_add(i % 3 == 0 ? &to : &h, value[i]);
	}
	hist_merge(&to, &h);
	CHECK(to.sum == sum);
	check_quantiles(&to, VALUES);

	h = (struct histogram){ 0 };
	hist_merge(&h, &to);
	check_quantiles(&h, VALUES);
	to = (struct histogram){ 0 };
	hist_merge(&h, &to); /* its min is 0, and means nothing */
	check_quantiles(&h, VALUES);
}

static void test_merge_takes_the_ends_of_both(void)
{
	static const uint64_t pair[][2] = { { 100, 200 }, { 50, 300 } };

	for (unsigned i = 0; i < 2; i++) {
		struct histogram to = { 0 };

		h = (struct histogram){ 0 };
		hist_add(&to, pair[i][0]);
		hist_add(&to, pair[i][1]);
		hist_add(&h, pair[1 - i][0]);
		hist_add(&h, pair[1 - i][1]);
		hist_merge(&to, &h);
		CHECK(to.min == 50 && to.max == 300);
	}
}

static void test_sum_does_not_wrap(void)
{
	h = (struct histogram){ 0 };
	hist_add(&h, UINT64_MAX - 1);
	hist_add(&h, 5);
	CHECK(h.sum == UINT64_MAX);
	hist_merge(&h, &h);
	CHECK(h.sum == UINT64_MAX && h.count == 4);
}

static const struct check_test tests[] = {
	{ "empty", test_empty },
	{ "one value is exact", test_one_value_is_exact },
	{ "small values are exact", test_small_values_are_exact },
	{ "quantiles are near for any scale",
	  test_quantiles_are_near_for_any_scale },
	{ "edges of buckets", test_edges_of_buckets },
	{ "merge is adding all", test_merge_is_adding_all },
	{ "merge takes the ends of both", test_merge_takes_the_ends_of_both },
	{ "sum does not wrap", test_sum_does_not_wrap },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
