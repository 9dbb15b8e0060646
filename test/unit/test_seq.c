/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_seq.c - Unit test of core/seq.h against RFC 1982, word for word
 */
#include "core/seq.h"

#include "check.h"
#include "core/rng.h"

/* RFC 1982 section 3.2, word for word, in integers that do not wrap. */
static bool rfc1982_lt(uint32_t s1, uint32_t s2)
{
	const int64_t half = INT64_C(1) << 31;
	int64_t i1 = s1;
	int64_t i2 = s2;

	return (i1 < i2 && i2 - i1 < half) || (i1 > i2 && i1 - i2 > half);
}

static void check_pair(uint32_t a, uint32_t b)
{
	CHECK(seq_lt(a, b) == rfc1982_lt(a, b));
	CHECK(seq_le(a, b) == (a == b || rfc1982_lt(a, b)));
}

static void test_order_follows_rfc1982(void)
{
	static const uint32_t edge[] = {
		0, 1, 2, SEQ_HALF - 1, SEQ_HALF, SEQ_HALF + 1, UINT32_MAX
	};
	struct rng r = { 1982 };

	for (size_t i = 0; i < ARRAY_SIZE(edge); i++)
		for (size_t j = 0; j < ARRAY_SIZE(edge); j++)
			check_pair(edge[i], edge[j]);

	for (int i = 0; i < 1000000; i++) {
		uint32_t a = (uint32_t)rng_next(&r);

		check_pair(a, (uint32_t)rng_next(&r));
		check_pair(a, a + SEQ_HALF - 1 + (uint32_t)(i % 3));
	}
}

static void test_half_apart_is_unordered(void)
{
	CHECK(!seq_lt(7, 7 + SEQ_HALF));
	CHECK(!seq_lt(7 + SEQ_HALF, 7));
	CHECK(!seq_le(7, 7 + SEQ_HALF));
	CHECK(!seq_le(7 + SEQ_HALF, 7));
}

static void test_interval_is_half_open(void)
{
	CHECK(seq_in(10, 10, 20));
	CHECK(seq_in(19, 10, 20));
	CHECK(!seq_in(20, 10, 20));
	CHECK(!seq_in(9, 10, 20));

	CHECK(!seq_in(10, 10, 10)); /* empty */

	CHECK(seq_in(UINT32_MAX, UINT32_MAX - 1, 3)); /* across the wrap */
	CHECK(seq_in(0, UINT32_MAX - 1, 3));
	CHECK(!seq_in(3, UINT32_MAX - 1, 3));

	CHECK(seq_in(0xc0000000u, 1, 0)); /* longer than SEQ_HALF */
	CHECK(!seq_in(0, 1, 0));
}

static const struct check_test tests[] = {
	{ "order follows RFC 1982", test_order_follows_rfc1982 },
	{ "half apart is unordered", test_half_apart_is_unordered },
	{ "interval is half open", test_interval_is_half_open },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
