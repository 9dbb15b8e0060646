/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vitals: growth is told where there is some, by how much, and nowhere else; and
 * a process's name changes nothing of what is read of it.
 */
#include "vitals/vitals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

#define S  UINT64_C(1000000000)
#define MB 1e6

static struct vitals_scratch scratch;

static double unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) / (double)(UINT64_C(1) << 53);
}

/* A server with 100 MB that go up and down by @noise, each second half as they
 * were before, and grow by @leak a second. @warm: it takes so much in the first
 * fifth.
 */
static void serve(struct vitals_series *s, uint64_t seed, unsigned seconds,
		  double noise, double leak, double warm)
{
	struct rng r = { seed };
	double off = 0;

	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < seconds; i++) {
		double v = 100 * MB + leak * i;

		if (i < seconds / 6)
			v -= warm * (seconds / 6 - i) / (seconds / 6);
		off = off / 2 + (unit(&r) - 0.5) * noise;
		vitals_add(s, 7 * S + i * S, (uint64_t)(v + off));
	}
}

static void growth_is_told(void)
{
	static const struct {
		const char *what;
		unsigned seconds;
		double noise, leak, warm;
		enum vitals_says says;
	} rows[] = {
		{ "too short", 28, 0, 1e6, 0, VITALS_TOO_FEW },
		{ "as short as can be", 29, 0, 1e6, 0, VITALS_LEAK },
		{ "steady", 600, 4 * MB, 0, 0, VITALS_STEADY },
		{ "a leak", 600, 4 * MB, 40000, 0, VITALS_LEAK },
		{ "a leak for hours", 20000, 4 * MB, 2000, 0, VITALS_LEAK },
		{ "less than 8 MB", 600, MB, 12000, 0, VITALS_STEADY },
		{ "caches fill at first", 600, 4 * MB, 0, 60 * MB,
		  VITALS_STEADY },
		{ "it shrinks", 600, 4 * MB, -40000, 0, VITALS_STEADY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static struct vitals_series s;
		struct vitals_growth g;

		serve(&s, 3, rows[i].seconds, rows[i].noise, rows[i].leak,
		      rows[i].warm);
		vitals_grows(&s, 3600, 8 * MB, 1, &scratch, &g);
		CHECK_ROW(g.says == rows[i].says, rows[i].what);
		if (g.says == VITALS_TOO_FEW)
			continue;
		CHECK_ROW(g.low <= g.by && g.by <= g.high, rows[i].what);
		CHECK_ROW(g.level > 90 * MB, rows[i].what);
	}
}

/* 200 bytes of each of 200,000 requests, 500 in a second. */
static void a_leak_of_200_bytes_a_request_is_told(void)
{
	unsigned told = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		static struct vitals_series s;
		struct vitals_growth g;

		serve(&s, seed, 400, 4 * MB, 200 * 500, 0);
		vitals_grows(&s, 3600, 8 * MB, seed, &scratch, &g);
		told += g.says == VITALS_LEAK;
	}
	printf("# told in %u of 20 runs\n", told);
	CHECK(told == 20);
}

/* Of 200 runs, how many intervals hold the slope? And is nothing called a leak? */
static void intervals_cover(void)
{
	const double leak[] = { 0, 3000 };

	for (size_t k = 0; k < ARRAY_SIZE(leak); k++) {
		unsigned in = 0, leaks = 0;

		for (uint64_t seed = 1; seed <= 200; seed++) {
			static struct vitals_series s;
			struct vitals_growth g;

			serve(&s, seed, 300, 4 * MB, leak[k], 0);
			vitals_grows(&s, 3600, 8 * MB, seed, &scratch, &g);
			in += g.low <= leak[k] * 3600 &&
			      leak[k] * 3600 <= g.high;
			leaks += g.says == VITALS_LEAK;
		}
		printf("# %g bytes a second: covered in %u of 200, %u leaks\n",
		       leak[k], in, leaks);
		CHECK(in >= 186 && leaks == 0);
	}
}

static void a_peak_moves_nothing(void)
{
	static struct vitals_series s;
	struct vitals_growth g;

	serve(&s, 1, 100, 0, 0, 0);
	for (unsigned i = 90; i < 99; i++)
		s.v[i] += 500 * MB;
	vitals_grows(&s, 3600, 8 * MB, 1, &scratch, &g);
	CHECK(g.says == VITALS_STEADY && g.by < 1 && g.by > -1);
}

static void points_become_fewer(void)
{
	static struct vitals_series s;
	double sum = 0;

	for (unsigned i = 0; i < 100000; i++)
		vitals_add(&s, S + i * S, i);
	CHECK(s.n >= VITALS_POINTS / 2 && s.n <= VITALS_POINTS);
	for (uint32_t i = 0; i < s.n; i++) {
		CHECK(s.t[i] > s.v[i] - 0.001 && s.t[i] < s.v[i] + 0.001);
		CHECK(i == 0 || s.t[i] > s.t[i - 1]);
		sum += s.each;
	}
	CHECK(sum + s.have >= 100000 && sum + s.have < 100001);
}

#define NUMBERS                                                                \
	" S 1 2 3 4 5 6 7 8 9 10 700 30 13 14 15 16 5 18 9000 20 1234 99\n"

static void a_name_changes_nothing(void)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{ "42 (nginx)" NUMBERS, 0 },
		{ "42 (a" NUMBERS, -EINVAL },
		{ "42 (a) b) (c)" NUMBERS, 0 },
		{ "42 () R 1 2 3)" NUMBERS, 0 },
		{ "42 (a\nb)" NUMBERS, 0 },
		{ "", -EINVAL },
		{ ")", -EINVAL },
		{ "42 (nginx) S 1 2 3 4 5 6 7 8 9 10 700 30", -EINVAL },
		{ "42 (x) S 1 2 3 4 5 6 7 8 9 10 -7 30 13 14 15 16 5 18 9 2 1",
		  -EINVAL },
		{ "42 (x) S 1 2 3 4 5 6 7 8 9 10 99999999999999999999 30 13 14 "
		  "15 16 5 18 9 2 1",
		  -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct vitals_stat st = { .start = 1 };
		size_t n = strlen(rows[i].text);
		char *p = malloc(n > 0 ? n : 1);

		memcpy(p, rows[i].text, n);
		CHECK_ROW(vitals_stat(&st, p, n) == rows[i].rc, rows[i].text);
		if (rows[i].rc == 0)
			CHECK_ROW(st.ticks == 730 && st.threads == 5 &&
					  st.start == 9000 && st.pages == 1234,
				  rows[i].text);
		else
			CHECK_ROW(st.start == 1, rows[i].text);
		free(p);
	}
}

#define TEST(name)                                                             \
	{                                                                      \
#name, name                                                    \
	}

int main(void)
{
	static const struct check_test tests[] = {
		TEST(growth_is_told),
		TEST(a_leak_of_200_bytes_a_request_is_told),
		TEST(intervals_cover),
		TEST(a_peak_moves_nothing),
		TEST(points_become_fewer),
		TEST(a_name_changes_nothing),
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
