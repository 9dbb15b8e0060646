/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gates: an interval is the exact one and covers what it should, also where
 * answers come in bunches; a limit is decided as the interval lies; a bet that
 * is looked at all the time is won by chance as rarely as is claimed.
 */
#include "gates/gates.h"

#include <string.h>

#include "check.h"
#include "core/rng.h"

#define S UINT64_C(1000000000)

static double unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) / (double)(UINT64_C(1) << 53);
}

/* P(X <= x) and P(X >= x) of n draws, one draw after the other: slow, and
 * nothing of the room's is in it.
 */
static void oracle(unsigned x, unsigned n, double p, double *below,
		   double *above)
{
	static double at[400];

	memset(at, 0, sizeof(at));
	at[0] = 1;
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = i + 2; k-- > 0;)
			at[k] = at[k] * (1 - p) + (k > 0 ? at[k - 1] * p : 0);
	*below = *above = 0;
	for (unsigned k = 0; k <= n; k++) {
		*below += k <= x ? at[k] : 0;
		*above += k >= x ? at[k] : 0;
	}
}

static void an_interval_is_the_exact_one(void)
{
	struct rng r = { 3 };

	for (unsigned i = 0; i < 300; i++) {
		unsigned n = 1 + (unsigned)rng_below(&r, 300);
		unsigned x = i % 5 == 0	  ? 0
			     : i % 5 == 1 ? n
					  : (unsigned)rng_below(&r, n + 1);
		struct gates_interval v;
		double below, above;

		gates_interval(x, n, 1, &v);
		if (x > 0) {
			oracle(x, n, v.low / 1e6, &below, &above);
			CHECK_ROW(above <= 0.025 * 1.000001, "low is too high");
			oracle(x, n, (v.low + 1) / 1e6, &below, &above);
			CHECK_ROW(above >= 0.025 * 0.999999, "low is too low");
		} else {
			CHECK(v.low == 0);
		}
		if (x < n) {
			oracle(x, n, v.high / 1e6, &below, &above);
			CHECK_ROW(below <= 0.025 * 1.000001, "high is too low");
			oracle(x, n, (v.high - 1) / 1e6, &below, &above);
			CHECK_ROW(below >= 0.025 * 0.999999,
				  "high is too high");
		} else {
			CHECK(v.high == GATES_WHOLE);
		}
		CHECK(v.low <= v.at && v.at <= v.high);
	}
}

/* Of the tables that come with the method. */
static void intervals_are_those_of_tables(void)
{
	static const struct {
		uint64_t hit, n;
		uint32_t low, high; /* in 1/10000 */
	} rows[] = {
		{ 0, 10, 0, 3085 },	 { 1, 10, 25, 4450 },
		{ 5, 100, 164, 1128 },	 { 10, 10, 6915, 10000 },
		{ 50, 100, 3983, 6017 }, { 0, 0, 0, 10000 },
	};
	struct gates_interval v;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		gates_interval(rows[i].hit, rows[i].n, 1, &v);
		CHECK((v.low + 50) / 100 == rows[i].low);
		CHECK((v.high + 50) / 100 == rows[i].high);
	}
}

static void many_answers_are_reckoned_with(void)
{
	struct gates_interval v;

	gates_interval(1000000, 1000000000, 1, &v);
	CHECK(v.low >= 997 && v.low <= 999 && v.high >= 1001 && v.high <= 1003);
	gates_interval(UINT64_MAX / 2, UINT64_MAX, 1, &v);
	CHECK(v.low >= 499960 && v.at <= 500000 && v.high <= 500040);
}

/* Of 2,000 runs, how many intervals hold the share? @bunch: so many answers of a
 * second have one fate in one of @bunch seconds
 */
static unsigned held(double p, unsigned seconds, unsigned rate, unsigned bunch,
		     bool by_blocks)
{
	struct rng r = { 5 };
	unsigned in = 0;

	for (unsigned run = 0; run < 2000; run++) {
		struct gates_blocks b = { .length = 0 };
		struct gates_interval v;
		uint64_t hits = 0;

		for (unsigned s = 0; s < seconds; s++) {
			bool bad = bunch > 0 && rng_below(&r, bunch) == 0;
			double q = bunch == 0 ? p : bad ? p * bunch : 0;

			for (unsigned i = 0; i < rate; i++) {
				bool hit = unit(&r) < q;

				gates_count(&b, S * s + i, hit);
				hits += hit;
			}
		}
		gates_interval(hits, (uint64_t)seconds * rate,
			       by_blocks ? gates_effect(&b) : 1, &v);
		in += v.low <= p * 1e6 && p * 1e6 <= v.high;
	}
	return in;
}

static void intervals_cover(void)
{
	static const struct {
		double p;
		unsigned seconds, rate, bunch;
		unsigned least; /* of 2,000 */
	} rows[] = {
		{ 0.001, 60, 20, 0, 1900 }, { 0.02, 60, 20, 0, 1880 },
		{ 0.3, 40, 10, 0, 1880 },   { 0.05, 120, 20, 4, 1840 },
		{ 0.02, 200, 20, 8, 1800 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned n = held(rows[i].p, rows[i].seconds, rows[i].rate,
				  rows[i].bunch, true);

		printf("# share %g, %u s, bunches 1/%u: covered in %.1f %%\n",
		       rows[i].p, rows[i].seconds, rows[i].bunch, n / 20.0);
		CHECK(n >= rows[i].least);
	}
	/* Were each answer taken for one by itself: */
	CHECK(held(0.05, 120, 20, 4, false) < 1600);
}

static void a_limit_is_decided_as_the_interval_lies(void)
{
	static const struct {
		uint64_t hit, n;
		uint32_t limit;
		double effect;
		enum gates_side side;
	} rows[] = {
		{ 0, 0, 1000, 1, GATES_ACROSS },
		{ 0, 1000, 1000, 1, GATES_ACROSS },
		{ 0, 3800, 1000, 1, GATES_BELOW },
		{ 0, 3800, 1000, 2, GATES_ACROSS },
		{ 1, 1000, 1000, 1, GATES_ACROSS },
		{ 5, 1000, 1000, 1, GATES_ABOVE },
		{ 5, 1000, 1000, 4, GATES_ACROSS },
		{ 1, 1000, 10, 1, GATES_ABOVE },
		{ 0, 5, 0, 1, GATES_BELOW },
		{ 1, 1000000, 0, 1, GATES_ABOVE },
		{ 7, 7, GATES_WHOLE, 1, GATES_BELOW },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(gates_side(rows[i].hit, rows[i].n, rows[i].effect,
				 rows[i].limit) == rows[i].side);
}

static void what_is_needed_decides(void)
{
	uint64_t n = gates_needed(0, 1000, 1, 1000);

	CHECK(n >= 3688 && n <= 3760); /* ln(0.025) / ln(0.999) = 3,688 */
	n = gates_needed(3, 1000, 1, 1000);
	CHECK(n > 1000 &&
	      gates_side((n * 3 + 500) / 1000, n, 1, 1000) == GATES_ABOVE);
	CHECK(gates_side(n * 3 / 1100, n * 10 / 11, 1, 1000) == GATES_ACROSS);
	CHECK(gates_needed(0, 0, 1, 1000) > 3000);
	CHECK(gates_needed(1, 1000, 1, 1000) == 0); /* it lies on the limit */
}

/* In how many of @runs is a bet won within @n answers? */
static unsigned won(double p, uint32_t limit, unsigned runs, unsigned n)
{
	struct rng r = { 11 };
	unsigned sum = 0;

	for (unsigned run = 0; run < runs; run++) {
		struct gates_watch w = { .n = 0 };

		for (unsigned i = 0; i < n && !gates_hopeless(&w); i++)
			gates_watch(&w, limit, unit(&r) < p);
		sum += gates_hopeless(&w);
	}
	return sum;
}

static void a_bet_is_seldom_won_by_chance(void)
{
	unsigned n = won(0.01, 10000, 4000, 5000);

	printf("# won by chance: %u of 4,000, bound %u\n", n,
	       4000 / GATES_CHANCE);
	CHECK(n <= 4000 / GATES_CHANCE);
	CHECK(won(0.005, 10000, 2000, 5000) <= 2);
	CHECK(won(0.02, 10000, 200, 5000) >= 190);
	CHECK(won(0.5, 10000, 200, 20) >= 199);
}

/* Of all that is won and lost again something is left. */
static void a_bet_has_no_end(void)
{
	struct gates_watch w = { .n = 0 };

	for (unsigned i = 0; i < 2000000; i++)
		gates_watch(&w, 900000, false);
	CHECK(w.m > 0.999 && !gates_hopeless(&w));
	for (unsigned round = 0; round < 20; round++)
		for (unsigned i = 0; i < 100000; i++)
			gates_watch(&w, 500000, round % 2 == 0);
	CHECK(w.m > 1e-9 && !gates_hopeless(&w));
	w = (struct gates_watch){ .n = 0 };
	for (unsigned i = 0; i < 2000000; i++)
		gates_watch(&w, 1, true);
	CHECK(gates_hopeless(&w));
}

static void blocks_have_all_that_came(void)
{
	struct gates_blocks b = { .length = 0 };
	uint64_t n = 0, hit = 0;

	CHECK(gates_effect(&b) <= 1);
	gates_count(&b, 100 * S, true);
	gates_count(&b, 99 * S, false);
	for (uint64_t t = 100; t < 5000; t += 7)
		gates_count(&b, t * S, t % 3 == 0);
	for (unsigned i = 0; i < GATES_BLOCKS; i++) {
		n += b.block[i].n;
		hit += b.block[i].hit;
	}
	CHECK(n == 702 && hit == 1 + 233);
	CHECK(b.length == 128 * S);
}

#define TEST(name)                                                             \
	{                                                                      \
#name, name                                                    \
	}

int main(void)
{
	static const struct check_test tests[] = {
		TEST(an_interval_is_the_exact_one),
		TEST(intervals_are_those_of_tables),
		TEST(many_answers_are_reckoned_with),
		TEST(intervals_cover),
		TEST(a_limit_is_decided_as_the_interval_lies),
		TEST(what_is_needed_decides),
		TEST(a_bet_is_seldom_won_by_chance),
		TEST(a_bet_has_no_end),
		TEST(blocks_have_all_that_came),
	};

	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
