/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf: what is counted is found again, and intervals mean what they say.
 *
 * The oracle of the intervals are series that are made without a difference, or
 * with one that is known: each second the load of both sides goes its own way,
 * and remembers half of what it was.
 */
#include "perf/perf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

#define US UINT64_C(1000)
#define S  UINT64_C(1000000000)

static struct arena memory;

static struct perf *fresh(uint64_t seed)
{
	struct perf *p;

	if (!memory.base) {
		memory.size = perf_size();
		memory.base = aligned_alloc(ARENA_ALIGN, memory.size);
	}
	memory.used = 0;
	memset(memory.base, 0, memory.size);
	if (perf_init(&p, &memory, seed) != 0)
		abort();
	return p;
}

/* One without its memory is none, and takes nothing. */
static void without_its_memory_there_is_none(void)
{
	struct perf *p = NULL;
	struct arena small;

	fresh(1);
	for (size_t size = 0; size < memory.size; size += memory.size / 64) {
		small = (struct arena){ .base = memory.base, .size = size };
		CHECK(perf_init(&p, &small, 1) == -ENOMEM && !p);
		CHECK(small.used == 0);
	}
}

/* --- made-up servers --- */

static double unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) / (double)(UINT64_C(1) << 53);
}

/* About normal, mean 0 and deviation 1. */
static double normal(struct rng *r)
{
	double v = -6;

	for (unsigned i = 0; i < 12; i++)
		v += unit(r);
	return v;
}

/* e to the @v, for small ones. */
static double power(double v)
{
	double sum = 1, term = 1;

	for (unsigned i = 1; i < 16; i++) {
		term *= v / i;
		sum += term;
	}
	return sum;
}

/* struct server - Its load remembers @rho of what it was */
struct server {
	double load;
	double rho;
	double times; /* how slow */
};

static void serve(struct perf *p, struct rng *r, struct server *who,
		  enum perf_side side, uint64_t second, unsigned n)
{
	who->load = who->rho * who->load + 0.1 * normal(r);
	for (unsigned i = 0; i < n; i++) {
		double ns = 1e6 * power(0.6 * normal(r) + who->load);

		if (unit(r) < 0.02)
			ns *= 4;
		perf_value(p, 0, 0, (second + 1) * S, side, PERF_SERVICE_LAST,
			   (uint64_t)(ns * who->times));
	}
}

static void two_servers(struct perf *p, uint64_t seed, unsigned seconds,
			unsigned n, double rho, double slower)
{
	struct server a = { 0, rho, 1 }, b = { 0, rho, slower };
	struct rng r = { seed };

	for (unsigned s = 0; s < seconds; s++) {
		serve(p, &r, &a, PERF_PROD, s, n);
		serve(p, &r, &b, PERF_SUT, s, n);
	}
}

/* --- tests --- */

static void an_interval_without_a_difference_has_0_in_it(void)
{
	static const struct {
		unsigned seconds;
		unsigned n;
		double rho;
	} kind[] = { { 60, 100, 0.5 },
		     { 40, 100, 0 },
		     { 120, 50, 0.3 },
		     { 60, 400, 0.6 } };
	unsigned in[PERF_QUANTILES] = { 0 }, of[PERF_QUANTILES] = { 0 };
	struct perf_row row;

	for (unsigned i = 0; i < 400; i++) {
		struct perf *p = fresh(i);

		two_servers(p, 1000 + i, kind[i % 4].seconds, kind[i % 4].n,
			    kind[i % 4].rho, 1);
		perf_settle(p, 0, PERF_SERVICE_LAST, 0, &row);
		for (unsigned q = 0; q < PERF_QUANTILES; q++) {
			of[q] += row.q[q].says != PERF_TOO_FEW;
			in[q] += row.q[q].says == PERF_ALIKE;
		}
	}
	for (unsigned q = 0; q < PERF_QUANTILES; q++) {
		printf("# p%u: %u of %u\n", perf_quantile[q], in[q], of[q]);
		CHECK(in[q] * 100 >= of[q] * 92 && in[q] * 100 <= of[q] * 98);
	}
	CHECK(of[0] == 400 && of[2] == 400);
}

static void ten_percent_of_p99_are_found(void)
{
	struct perf_row row;
	unsigned found = 0;

	for (unsigned i = 0; i < 20; i++) {
		struct perf *p = fresh(i);

		two_servers(p, 77 + i, 100, 500, 0, 1.1);
		perf_settle(p, 0, PERF_SERVICE_LAST, 0, &row);
		CHECK(row.n[1] == 50000);
		found += row.q[2].says == PERF_SLOWER;
	}
	printf("# %u of 20\n", found);
	CHECK(found >= 19);
}

static void what_is_counted_is_there_whatever_the_blocks(void)
{
	struct perf *p = fresh(1);
	struct rng r = { 5 };
	uint64_t n = 0;

	for (uint64_t s = 0; s < 1000; s++)
		for (unsigned i = 0; i < 7; i++, n++)
			perf_value(p, 0, 0, s * S, PERF_SUT, PERF_SERVICE_LAST,
				   rng_next(&r) >> (20 + i * 4));
	perf_check(p);
	CHECK(perf_count(p, 0, PERF_SUT, PERF_SERVICE_LAST) == n);
	CHECK(perf_lost(p) == 0);
}

static void groups_beyond_are_other(void)
{
	struct perf *p = fresh(1);

	for (uint32_t e = 0; e < PERF_GROUPS + 3; e++)
		perf_value(p, 0, e, S, PERF_SUT, PERF_SERVICE_LAST, 5);
	CHECK(perf_groups(p) == PERF_GROUPS);
	CHECK(perf_beyond(p) == 3);
	CHECK(perf_count(p, PERF_OTHER, PERF_SUT, PERF_SERVICE_LAST) == 3);
	CHECK(perf_key(p, 2).endpoint == 2);
	perf_check(p);
}

static void without_room_a_value_is_lost_and_counted(void)
{
	struct perf *p = fresh(1);
	struct rng r = { 5 };
	uint64_t n = 0, kept = 0;

	for (uint32_t e = 0; e <= PERF_GROUPS; e++)
		for (unsigned m = 0; m < PERF_METRICS; m++)
			for (unsigned i = 0; i < 3000; i++, n++)
				perf_value(p, 0, e, i % 64 * S, PERF_SUT,
					   (enum perf_metric)m,
					   rng_next(&r) >> (24 + i % 30));
	CHECK(perf_lost(p) > 0);
	for (uint32_t g = 0; g <= PERF_OTHER; g++)
		for (unsigned m = 0; m < PERF_METRICS; m++)
			kept += perf_count(p, g, PERF_SUT, (enum perf_metric)m);
	CHECK(kept + perf_lost(p) == n);
	perf_check(p);
}

static void an_answer_has_service_and_response(void)
{
	struct perf *p = fresh(1);
	struct perf_answer a = { .at = S,
				 .first = { 100 * US, 200 * US },
				 .last = { 300 * US, 1200 * US },
				 .waited = 5000 * US,
				 .bytes = { 1000, 1000 } };
	struct perf_row row;

	for (unsigned i = 0; i < 60 * 20; i++) {
		a.at = (1 + i / 20) * S;
		a.baseline = false;
		perf_add(p, &a);
	}
	perf_settle(p, 0, PERF_SERVICE_FIRST, 0, &row);
	CHECK(perf_count(p, PERF_ALL, PERF_SUT, PERF_SERVICE_LAST) == 1200);
	CHECK(row.yard == PERF_PROD && row.n[0] == 1200 && row.n[1] == 1200);
	CHECK(row.q[0].says == PERF_SLOWER && row.q[3].says == PERF_TOO_FEW);
	CHECK(row.q[0].by > 90000 && row.q[0].by < 110000);
	perf_settle(p, 0, PERF_SERVICE_FIRST, 150 * US, &row);
	CHECK(row.q[0].says == PERF_WITHIN);
	perf_settle(p, 0, PERF_RESPONSE_LAST, 0, &row);
	CHECK(row.q[0].sut > 6000 * US && row.q[0].sut < 6400 * US);
	/* 1,000 bytes in 1 ms, and in 200 us. */
	perf_settle(p, 0, PERF_THROUGHPUT, 0, &row);
	CHECK(row.q[0].says == PERF_SLOWER);
	CHECK(row.q[0].sut > 970000 && row.q[0].sut < 1030000);
	a.baseline = true;
	perf_add(p, &a);
	perf_settle(p, 0, PERF_SERVICE_FIRST, 0, &row);
	CHECK(row.yard == PERF_BASELINE && row.q[0].says == PERF_TOO_FEW);
	perf_check(p);
}

static void few_seconds_tell_nothing(void)
{
	struct perf *p = fresh(1);
	struct perf_row row;

	two_servers(p, 3, PERF_LEAST_BLOCKS - 1, 2000, 0, 2);
	perf_settle(p, 0, PERF_SERVICE_LAST, 0, &row);
	CHECK(row.blocks == PERF_LEAST_BLOCKS - 1);
	CHECK(row.q[0].says == PERF_TOO_FEW);
}

static void the_same_seed_says_the_same(void)
{
	struct perf_row row[2];

	for (unsigned i = 0; i < 2; i++) {
		struct perf *p = fresh(9);

		two_servers(p, 3, 40, 50, 0, 1.2);
		perf_settle(p, 0, PERF_SERVICE_LAST, 0, &row[i]);
	}
	CHECK(memcmp(&row[0], &row[1], sizeof(row[0])) == 0);
}

static void a_line_that_does_not_fit_is_none(void)
{
	static char line[PERF_HDR_LINE];
	struct perf *p = fresh(9);
	size_t n;

	CHECK(perf_hdr(p, 0, PERF_SUT, PERF_SERVICE_LAST, "x", 0, S, line,
		       sizeof(line)) == 0);
	perf_value(p, 0, 0, S, PERF_SUT, PERF_SERVICE_LAST, 12345);
	n = perf_hdr(p, 0, PERF_SUT, PERF_SERVICE_LAST, "x", 0, S, line,
		     sizeof(line));
	CHECK(n > 0 && line[n - 1] == '\n');
	CHECK(memcmp(line, "Tag=x,0.000,1.000,0.012,HISTFAAA", 32) == 0);
	for (size_t k = 0; k < n; k++)
		CHECK(perf_hdr(p, 0, PERF_SUT, PERF_SERVICE_LAST, "x", 0, S,
			       line, k) == 0);
}

/* For test_hdr.py: a log, and behind it what is in it. */
static int print_log(void)
{
	static char line[PERF_HDR_LINE];
	struct perf *p = fresh(9);
	struct rng r = { 4 };

	printf("#[StartTime: 0 (seconds since epoch)]\n"
	       "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
	       "\"Interval_Compressed_Histogram\"\n");
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t v = rng_next(&r) >> (25 + rng_below(&r, 35));

		perf_value(p, 0, 0, S, PERF_SUT, PERF_SERVICE_LAST, v);
		fprintf(stderr, "%llu\n", (unsigned long long)v);
	}
	fwrite(line, 1,
	       perf_hdr(p, 0, PERF_SUT, PERF_SERVICE_LAST, "sut", 0, S, line,
			sizeof(line)),
	       stdout);
	return 0;
}

#define TEST(name)                                                             \
	{                                                                      \
#name, name                                                    \
	}

int main(int argc, char **argv)
{
	static const struct check_test tests[] = {
		TEST(without_its_memory_there_is_none),
		TEST(an_interval_without_a_difference_has_0_in_it),
		TEST(ten_percent_of_p99_are_found),
		TEST(what_is_counted_is_there_whatever_the_blocks),
		TEST(groups_beyond_are_other),
		TEST(without_room_a_value_is_lost_and_counted),
		TEST(an_answer_has_service_and_response),
		TEST(few_seconds_tell_nothing),
		TEST(the_same_seed_says_the_same),
		TEST(a_line_that_does_not_fit_is_none),
	};

	if (argc > 1 && strcmp(argv[1], "--log") == 0)
		return print_log();
	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
