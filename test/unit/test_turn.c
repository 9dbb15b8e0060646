/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_turn.c - Unit test of core/turn: shares are exact, and not in a row
 */
#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "core/turn.h"

static void shares_are_exact(void)
{
	static const uint32_t weight[TURN_MOST] = { 4, 10, 10, 0, 1 };
	uint32_t got[TURN_MOST] = { 0 };
	struct turn t = { .credit = { 0 } };
	int64_t sum;

	for (int round = 0; round < 20; round++) {
		memset(got, 0, sizeof(got));
		for (int i = 0; i < 25; i++) {
			got[turn_next(&t, weight, 0x1f)]++;
			sum = 0;
			for (uint32_t k = 0; k < TURN_MOST; k++)
				sum += t.credit[k];
			CHECK(sum == 0);
		}
		for (uint32_t k = 0; k < TURN_MOST; k++)
			CHECK(got[k] == weight[k]);
	}
}

static void equal_ones_take_turns(void)
{
	static const uint32_t weight[TURN_MOST] = { 1, 1, 1 };
	struct turn t = { .credit = { 0 } };

	for (uint32_t i = 0; i < 30; i++)
		CHECK(turn_next(&t, weight, 7) == i % 3);
}

static void a_heavy_one_is_not_in_a_row(void)
{
	static const uint32_t weight[TURN_MOST] = { 3, 3 };
	struct turn t = { .credit = { 0 } };
	uint32_t last = 1;

	for (int i = 0; i < 12; i++) {
		uint32_t now = turn_next(&t, weight, 3);

		CHECK(now != last);
		last = now;
	}
}

static void who_may_not_has_none(void)
{
	static const uint32_t weight[TURN_MOST] = { 5, 5, 5, 5 };
	struct turn t = { .credit = { 0 } };

	for (int i = 0; i < 20; i++) {
		uint32_t now = turn_next(&t, weight, 0xa);

		CHECK(now == 1 || now == 3);
	}
	CHECK(turn_next(&t, weight, 0x8000) == 15);
}

static const struct check_test tests[] = {
	{ "shares are exact", shares_are_exact },
	{ "equal ones take turns", equal_ones_take_turns },
	{ "a heavy one is not in a row", a_heavy_one_is_not_in_a_row },
	{ "who may not has none", who_may_not_has_none },
};

int main(void)
{
	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
