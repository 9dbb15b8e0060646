/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_wheel.c - Unit test of the timer wheel
 *
 * The model is the plain list of what is armed: at every step the wheel must
 * hand out exactly the timers whose tick has come, in order of ticks, and
 * wheel_next() must not let one be late.
 */
#include "core/wheel.h"

#include "check.h"
#include "core/limits.h"
#include "core/rng.h"

#define TIMERS 300u

static struct wheel w;
static struct timer timer[TIMERS];

static uint64_t tick_up(uint64_t when)
{
	return when / WHEEL_TICK + (when % WHEEL_TICK != 0);
}

/* Earliest tick that is armed, UINT64_MAX: none. */
static uint64_t model_first(uint32_t *count)
{
	uint64_t first = UINT64_MAX;

	*count = 0;
	for (uint32_t i = 0; i < TIMERS; i++) {
		if (!timer_armed(&timer[i]))
			continue;
		++*count;
		if (tick_up(timer[i].when) < first)
			first = tick_up(timer[i].when);
	}
	return first;
}

static void start(uint64_t now)
{
	wheel_init(&w, now);
	for (uint32_t i = 0; i < TIMERS; i++)
		timer_init(&timer[i]);
}

/* A duration of any scale, from below a tick to many years. */
static uint64_t any_duration(struct rng *r, unsigned bits)
{
	return rng_next(r) >> (64 - 1 - rng_below(r, bits));
}

static void pop_all(uint64_t now, uint64_t armed_since)
{
	uint32_t count;
	uint64_t first = model_first(&count);
	uint64_t last = 0;
	struct timer *t;

	CHECK(w.count == count);
	if (first != UINT64_MAX && first < UINT64_MAX / WHEEL_TICK &&
	    first > armed_since / WHEEL_TICK)
		CHECK(wheel_next(&w) <= first * WHEEL_TICK);
	while ((t = wheel_pop(&w, now)) != NULL) {
		uint64_t tick = tick_up(t->when);

		CHECK(!timer_armed(t));
		CHECK(t->when <= now);
		/* What was armed for the past is due at once, at the end. */
		if (tick > armed_since / WHEEL_TICK) {
			CHECK(tick >= last);
			last = tick;
		}
	}
	first = model_first(&count);
	CHECK(w.count == count);
	CHECK(first > now / WHEEL_TICK);
}

static void run_random(uint64_t seed, uint64_t now, unsigned bits, int steps)
{
	struct rng r = { seed };

	start(now);
	for (int s = 0; s < steps; s++) {
		uint64_t armed_at = now;
		uint64_t jump;

		for (uint32_t k = rng_below(&r, 20); k > 0; k--) {
			struct timer *t = &timer[rng_below(&r, TIMERS)];
			uint64_t d = any_duration(&r, bits);

			if (rng_below(&r, 4) == 0)
				wheel_disarm(&w, t);
			else if (rng_below(&r, 8) == 0)
				wheel_arm(&w, t, now > d ? now - d : 0);
			else
				wheel_arm(&w, t,
					  d > UINT64_MAX - now ? UINT64_MAX
							       : now + d);
		}
		jump = any_duration(&r, bits);
		if (rng_below(&r, 3) == 0 && wheel_next(&w) != WHEEL_NEVER &&
		    wheel_next(&w) > now)
			now = wheel_next(&w);
		else if (jump < UINT64_MAX - now)
			now += jump;
		pop_all(now, armed_at);
	}
}

static void test_random_against_a_list(void)
{
	run_random(1, 0, 24, 3000);
	run_random(2, 1, 32, 3000);
	run_random(3, 17 * NS_PER_SEC + 5, 45, 3000);
	run_random(4, UINT64_C(1) << 50, 52, 3000);
	run_random(5, 12345, 58, 3000);
	run_random(6, UINT64_MAX / 2 + 77, 63, 3000);
}

static void test_fires_within_a_tick(void)
{
	static const uint64_t after[] = {
		1,
		WHEEL_TICK - 1,
		WHEEL_TICK,
		WHEEL_TICK + 1,
		64 * WHEEL_TICK,
		WHEEL_TICK * 64 * 64 + 1,
		3600 * NS_PER_SEC,
		UINT64_C(365) * 86400 * NS_PER_SEC,
	};
	const uint64_t begin = 1000 * NS_PER_SEC + 123;

	for (size_t i = 0; i < ARRAY_SIZE(after); i++) {
		uint64_t when = begin + after[i];
		int asked = 0;

		start(begin);
		wheel_arm(&w, &timer[0], when);
		CHECK(wheel_pop(&w, begin) == NULL);
		CHECK(wheel_pop(&w, when - 1) == NULL);
		/* However often it says "perhaps earlier", it comes near. */
		while (wheel_next(&w) < when && asked < WHEEL_LEVELS) {
			CHECK(wheel_pop(&w, wheel_next(&w)) == NULL);
			asked++;
		}
		CHECK(wheel_next(&w) >= when);
		CHECK(wheel_next(&w) < when + WHEEL_TICK);
		CHECK(wheel_pop(&w, wheel_next(&w)) == &timer[0]);
		CHECK(wheel_next(&w) == WHEEL_NEVER && w.count == 0);
	}
}

static void test_past_is_due_at_once(void)
{
	start(5 * NS_PER_SEC);
	wheel_arm(&w, &timer[0], 0);
	CHECK(wheel_next(&w) <= 5 * NS_PER_SEC);
	CHECK(wheel_pop(&w, 5 * NS_PER_SEC) == &timer[0]);
	CHECK(wheel_pop(&w, 5 * NS_PER_SEC) == NULL);
}

static void test_clock_that_goes_back_changes_nothing(void)
{
	start(5000 * NS_PER_SEC);
	wheel_arm(&w, &timer[0], 5100 * NS_PER_SEC);
	CHECK(wheel_pop(&w, 0) == NULL);
	CHECK(wheel_next(&w) > 5000 * NS_PER_SEC);
	CHECK(wheel_pop(&w, 5099 * NS_PER_SEC) == NULL);
	CHECK(wheel_pop(&w, 5101 * NS_PER_SEC) == &timer[0]);
}

static void test_near_timer_is_found_at_once_after_a_long_sleep(void)
{
	const uint64_t now = 7777 * NS_PER_SEC + 1;

	start(0);
	CHECK(wheel_pop(&w, now) == NULL);
	wheel_arm(&w, &timer[0], now + WHEEL_TICK);
	CHECK(wheel_next(&w) >= now + WHEEL_TICK);
}

static void test_moved_and_disarmed(void)
{
	start(0);
	wheel_disarm(&w, &timer[0]);
	wheel_arm(&w, &timer[0], NS_PER_SEC);
	wheel_arm(&w, &timer[1], NS_PER_SEC);
	wheel_arm(&w, &timer[0], 9 * NS_PER_SEC);
	CHECK(w.count == 2);
	CHECK(wheel_pop(&w, 2 * NS_PER_SEC) == &timer[1]);
	CHECK(wheel_pop(&w, 2 * NS_PER_SEC) == NULL);
	wheel_disarm(&w, &timer[0]);
	CHECK(w.count == 0 && wheel_next(&w) == WHEEL_NEVER);
	CHECK(wheel_pop(&w, 20 * NS_PER_SEC) == NULL);
	wheel_arm(&w, &timer[0], 0); /* due, and taken back */
	wheel_disarm(&w, &timer[0]);
	CHECK(wheel_pop(&w, 30 * NS_PER_SEC) == NULL);
}

static void test_armed_while_popping_comes_in_its_turn(void)
{
	start(0);
	wheel_arm(&w, &timer[0], NS_PER_SEC);
	wheel_arm(&w, &timer[1], 3600 * NS_PER_SEC);
	CHECK(wheel_pop(&w, 7200 * NS_PER_SEC) == &timer[0]);
	wheel_arm(&w, &timer[2], 60 * NS_PER_SEC);
	CHECK(wheel_pop(&w, 7200 * NS_PER_SEC) == &timer[2]);
	CHECK(wheel_pop(&w, 7200 * NS_PER_SEC) == &timer[1]);
	CHECK(wheel_pop(&w, 7200 * NS_PER_SEC) == NULL);
}

static void test_end_of_time(void)
{
	start(0);
	wheel_arm(&w, &timer[0], WHEEL_NEVER);
	wheel_arm(&w, &timer[1], WHEEL_NEVER - WHEEL_TICK);
	CHECK(wheel_pop(&w, UINT64_MAX) == &timer[1]);
	CHECK(wheel_pop(&w, UINT64_MAX) == NULL);
	CHECK(wheel_next(&w) == WHEEL_NEVER && w.count == 1);
	wheel_disarm(&w, &timer[0]);
	CHECK(w.count == 0);
}

static const struct check_test tests[] = {
	{ "random against a list", test_random_against_a_list },
	{ "fires within a tick", test_fires_within_a_tick },
	{ "past is due at once", test_past_is_due_at_once },
	{ "clock that goes back changes nothing",
	  test_clock_that_goes_back_changes_nothing },
	{ "near timer is found at once after a long sleep",
	  test_near_timer_is_found_at_once_after_a_long_sleep },
	{ "moved and disarmed", test_moved_and_disarmed },
	{ "armed while popping comes in its turn",
	  test_armed_while_popping_comes_in_its_turn },
	{ "end of time", test_end_of_time },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
