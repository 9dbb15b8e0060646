/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_pace.c - Unit test of pace/pace
 *
 * The oracle is the same schedule in 128 bits, reckoned from the start for each
 * frame.
 */
#include "pace/pace.h"

#include <errno.h>
#include <stdbool.h>

#include "check.h"
#include "core/limits.h"
#include "core/rng.h"

#define FRAMES 20000

__extension__ typedef unsigned __int128 wide;

static struct pace_config captured(uint64_t scale, uint64_t gap_max)
{
	return (struct pace_config){ .mode = PACE_CAPTURED,
				     .scale = scale,
				     .gap_max = gap_max };
}

static void a_multiplier_is_exact_however_long(void)
{
	static const uint64_t scales[] = { 1,		700000,	 1000000,
					   1234567,	2000000, 3000000,
					   999999999999 };

	for (size_t k = 0; k < ARRAY_SIZE(scales); k++) {
		struct pace_config c = captured(scales[k], 0);
		struct rng r = { .s = k + 1 };
		struct pace p;
		uint64_t ts = 1700000000ull * NS_PER_SEC;
		uint64_t first = ts;
		bool good = true;

		CHECK(pace_init(&p, &c) == 0);
		for (int i = 0; i < FRAMES; i++) {
			wide want =
				(wide)(ts - first) * PACE_MILLION / scales[k];

			good &= pace_due(&p, ts, 60) == want;
			ts += rng_below(&r, 1000000);
		}
		CHECK(good);
	}
}

static void gaps_are_capped_after_the_multiplier(void)
{
	struct pace_config c = captured(2 * PACE_MILLION, 10);
	struct pace p;

	CHECK(pace_init(&p, &c) == 0);
	CHECK(pace_due(&p, 1000, 60) == 0);
	CHECK(pace_due(&p, 1016, 60) == 8);
	CHECK(pace_due(&p, 1038, 60) == 18); /* 11 */
	CHECK(pace_due(&p, 1048, 60) == 23);
	CHECK(pace_due(&p, 9048, 60) == 33);
	CHECK(p.capped == 2);
}

static void time_that_goes_back_is_due_at_once(void)
{
	struct pace_config c = captured(PACE_MILLION, 0);
	struct pace p;

	CHECK(pace_init(&p, &c) == 0);
	CHECK(pace_due(&p, 5000, 60) == 0);
	CHECK(pace_due(&p, 6000, 60) == 1000);
	CHECK(pace_due(&p, 10, 60) == 1000);
	CHECK(pace_due(&p, 6500, 60) == 1500);
	CHECK(p.backward == 1);
}

static void a_far_future_never_wraps(void)
{
	struct pace_config c = captured(1, 0);
	struct pace p;
	uint64_t last = 0;

	CHECK(pace_init(&p, &c) == 0);
	CHECK(pace_due(&p, 0, 60) == 0);
	for (int i = 1; i < 64; i++) {
		uint64_t at = pace_due(&p, UINT64_C(1) << i, 60);

		CHECK(at >= last);
		last = at;
	}
	pace_loop(&p, UINT64_MAX);
	CHECK(pace_due(&p, 0, 60) == UINT64_MAX);
}

static void a_bit_rate_carries_what_is_left_over(void)
{
	static const uint64_t rates[] = { 1, 999, 9999999, 10000000000 };

	for (size_t k = 0; k < ARRAY_SIZE(rates); k++) {
		struct pace_config c = { .mode = PACE_BITS, .bps = rates[k] };
		struct rng r = { .s = k + 7 };
		struct pace p;
		wide bits = 0;
		bool good = true;

		CHECK(pace_init(&p, &c) == 0);
		for (int i = 0; i < 1000; i++) {
			uint32_t len = 60 + (uint32_t)rng_below(&r, 1454);

			good &= pace_due(&p, 0, len) ==
				bits * NS_PER_SEC / rates[k];
			bits += len * 8;
		}
		CHECK(good);
		CHECK(pace_end(&p) == bits * NS_PER_SEC / rates[k]);
	}
}

static void packets_a_second_may_come_in_bursts(void)
{
	struct pace_config c = { .mode = PACE_PACKETS,
				 .pps = 3 * PACE_MILLION,
				 .burst = 2 };
	struct pace p;

	CHECK(pace_init(&p, &c) == 0);
	CHECK(pace_due(&p, 0, 60) == 0);
	CHECK(pace_due(&p, 0, 60) == 0);
	CHECK(pace_due(&p, 0, 60) == 666666666);
	CHECK(pace_due(&p, 0, 60) == 666666666);
	CHECK(pace_due(&p, 0, 60) == 1333333333);
	c.pps = PACE_MILLION / 4;
	c.burst = 1;
	CHECK(pace_init(&p, &c) == 0);
	CHECK(pace_due(&p, 0, 60) == 0);
	CHECK(pace_due(&p, 0, 60) == 4 * NS_PER_SEC);
}

static void a_loop_goes_on_where_the_last_ended(void)
{
	struct pace_config c = captured(PACE_MILLION, 0);
	struct pace p;

	CHECK(pace_init(&p, &c) == 0);
	for (uint64_t loop = 0; loop < 3; loop++) {
		CHECK(pace_due(&p, 100, 60) == loop * 60);
		CHECK(pace_due(&p, 150, 60) == loop * 60 + 50);
		CHECK(pace_end(&p) == loop * 60 + 50);
		pace_loop(&p, 10);
	}
	c = (struct pace_config){ .mode = PACE_PACKETS,
				  .pps = 1000 * PACE_MILLION,
				  .burst = 1 };
	CHECK(pace_init(&p, &c) == 0);
	CHECK(pace_due(&p, 0, 60) == 0);
	pace_loop(&p, 0);
	CHECK(pace_due(&p, 0, 60) == NS_PER_MS);
}

static void what_is_out_of_range_is_refused(void)
{
	struct pace_config c = captured(0, 0);
	struct pace p;

	CHECK(pace_init(&p, &c) == -EINVAL);
	c.scale = PACE_SCALE_MAX + 1;
	CHECK(pace_init(&p, &c) == -EINVAL);
	c = (struct pace_config){ .mode = PACE_BITS };
	CHECK(pace_init(&p, &c) == -EINVAL);
	c.bps = PACE_BPS_MAX;
	CHECK(pace_init(&p, &c) == 0);
	c.bps++;
	CHECK(pace_init(&p, &c) == -EINVAL);
	c = (struct pace_config){ .mode = PACE_PACKETS, .pps = 1 };
	CHECK(pace_init(&p, &c) == -EINVAL);
	c.burst = 1;
	CHECK(pace_init(&p, &c) == 0);
	c.pps = PACE_PPS_MAX;
	CHECK(pace_init(&p, &c) == 0);
	c.pps++;
	CHECK(pace_init(&p, &c) == -EINVAL);
	c.pps = 0;
	CHECK(pace_init(&p, &c) == -EINVAL);
	c = (struct pace_config){ .mode = PACE_TOP };
	CHECK(pace_init(&p, &c) == 0);
	CHECK(pace_due(&p, 77, 60) == 0 && pace_due(&p, 99, 60) == 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a multiplier is exact however long",
		  a_multiplier_is_exact_however_long },
		{ "gaps are capped after the multiplier",
		  gaps_are_capped_after_the_multiplier },
		{ "time that goes back is due at once",
		  time_that_goes_back_is_due_at_once },
		{ "a far future never wraps", a_far_future_never_wraps },
		{ "a bit rate carries what is left over",
		  a_bit_rate_carries_what_is_left_over },
		{ "packets a second may come in bursts",
		  packets_a_second_may_come_in_bursts },
		{ "a loop goes on where the last ended",
		  a_loop_goes_on_where_the_last_ended },
		{ "what is out of range is refused",
		  what_is_out_of_range_is_refused },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
