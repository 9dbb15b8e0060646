/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_stamps.c - Unit test of pace/stamps.h
 */
#include "pace/stamps.h"

#include "check.h"
#include "core/rng.h"

#define T0	(UINT64_C(1700000000) * NS_PER_SEC)
#define RECORDS 100000

static void distances_are_those_of_the_stamps(void)
{
	struct stamps s = { 0 };

	CHECK(stamps_next(&s, T0) == 0);
	CHECK(stamps_next(&s, T0 + 5) == 5);
	CHECK(stamps_next(&s, T0 + 3) == 5); /* a little older: the same time */
	CHECK(stamps_next(&s, T0 + 7) == 7);
	CHECK(s.first == T0 && s.count.stamps_back == 0);
}

static void a_record_without_a_stamp_is_with_the_one_before(void)
{
	struct stamps s = { 0 };

	CHECK(stamps_next(&s, 0) == 0);
	CHECK(stamps_next(&s, T0) == 0);
	for (uint64_t i = 1; i < 100; i++) {
		CHECK(stamps_next(&s, 0) == (i - 1) * NS_PER_SEC);
		CHECK(stamps_next(&s, T0 + i * NS_PER_SEC) == i * NS_PER_SEC);
	}
	CHECK(s.count.stamps_missing == 100);
}

static void stamps_may_count_from_zero(void)
{
	struct stamps s = { 0 };

	CHECK(stamps_next(&s, 0) == 0);
	CHECK(stamps_next(&s, 1500) == 1500);
	CHECK(stamps_next(&s, 2000) == 2000);
	CHECK(s.first == 0);
}

static void one_wrong_stamp_costs_one_leap_at_most(void)
{
	struct stamps s = { .leap = 10 * NS_PER_SEC };
	uint64_t ahead = UINT64_MAX;

	CHECK(stamps_next(&s, T0) == 0);
	CHECK(stamps_next(&s, 5) == 0); /* early: no effect at all */
	CHECK(stamps_next(&s, T0 + 1) == 1);
	CHECK(stamps_next(&s, ahead) == 1 + 10 * NS_PER_SEC);
	for (uint64_t i = 0; i < STAMPS_AGREE; i++)
		CHECK(stamps_next(&s, T0 + 2 + i) == 1 + 10 * NS_PER_SEC);
	CHECK(stamps_next(&s, T0 + 102) ==
	      1 + 10 * NS_PER_SEC + 102 - 2 - (STAMPS_AGREE - 1));
	CHECK(s.count.stamps_leaps == 1);
	CHECK(s.count.stamps_back == 1 + STAMPS_AGREE);
}

static void odd_ones_out_never_set_it_back(void)
{
	struct stamps s = { 0 };
	uint64_t t = T0;

	CHECK(stamps_next(&s, t) == 0);
	for (uint64_t i = 0; i < RECORDS; i++) {
		t += 1000;
		CHECK(stamps_next(&s, t) == t - T0);
		CHECK(stamps_next(&s, 1 + i) == t - T0);
	}
}

static void an_older_capture_behind_a_younger_one_has_its_own_pace(void)
{
	struct stamps s = { 0 };
	uint64_t old = T0 - 86400 * NS_PER_SEC;

	CHECK(stamps_next(&s, T0) == 0);
	for (uint64_t i = 0; i < 1000; i++)
		stamps_next(&s, old + i * NS_PER_SEC);
	CHECK(s.now == (1000 - STAMPS_AGREE) * NS_PER_SEC);
}

static void it_never_goes_back_nor_beyond_its_bounds(void)
{
	struct rng r = { .s = 4 };
	struct stamps s = { 0 };
	uint64_t last = 0;

	for (uint64_t i = 0; i < RECORDS; i++) {
		uint64_t ts = rng_next(&r) >> rng_below(&r, 64);
		uint64_t at = stamps_next(&s, ts);

		CHECK(at >= last && at - last <= STAMPS_LEAP);
		CHECK(at <= STAMPS_RUN_MAX && s.first <= STAMPS_BEGIN_MAX);
		last = at;
	}
	CHECK(s.count.stamps_leaps > 0 && s.count.stamps_back > 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "distances are those of the stamps",
		  distances_are_those_of_the_stamps },
		{ "a record without a stamp is with the one before",
		  a_record_without_a_stamp_is_with_the_one_before },
		{ "stamps may count from zero", stamps_may_count_from_zero },
		{ "one wrong stamp costs one leap at most",
		  one_wrong_stamp_costs_one_leap_at_most },
		{ "odd ones out never set it back",
		  odd_ones_out_never_set_it_back },
		{ "an older capture behind a younger one has its own pace",
		  an_older_capture_behind_a_younger_one_has_its_own_pace },
		{ "it never goes back, nor beyond its bounds",
		  it_never_goes_back_nor_beyond_its_bounds },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
