/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_health.c - Unit test of record/health: for how long a SUT was down
 */
#include "record/health.h"

#include <string.h>

#include "check.h"

/* One SUT's life: each state, since when it is, when that was seen, and what is known
 * of it then.
 */
static void time_down_is_summed(void)
{
	static const struct {
		const char *name;
		enum health_state to;
		uint64_t since, now;
		bool news;
		uint32_t times;
		uint64_t down; /* until @now + 5 */
	} row[] = {
		{ "never ready", HEALTH_NEVER, 0, 1, false, 0, 0 },
		{ "ready", HEALTH_UP, 2, 2, true, 0, 0 },
		{ "still", HEALTH_UP, 3, 3, false, 0, 0 },
		{ "silent since a while", HEALTH_SILENT, 10, 20, true, 1, 15 },
		{ "not to be found, too", HEALTH_UNPROVED, 15, 25, true, 1,
		  20 },
		{ "back", HEALTH_UP, 30, 30, true, 1, 20 },
		{ "down before it was back: only since then", HEALTH_SILENT, 28,
		  40, true, 2, 35 },
		{ "back at once", HEALTH_UP, 40, 30, true, 2, 20 },
	};
	struct health h = { .state = HEALTH_NEVER };

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		CHECK_ROW(health_turn(&h, row[i].to, row[i].since,
				      row[i].now) == row[i].news,
			  row[i].name);
		CHECK_ROW(h.state == row[i].to, row[i].name);
		CHECK_ROW(h.times == row[i].times, row[i].name);
		CHECK_ROW(health_down(&h, row[i].now + 5) == row[i].down,
			  row[i].name);
		CHECK_ROW(health_was_ready(&h) == (i > 0), row[i].name);
	}
	/* A time before it went down counts nothing. */
	CHECK(health_turn(&h, HEALTH_SILENT, 100, 100));
	CHECK(health_down(&h, 90) == 20 && health_down(&h, 101) == 21);
}

static void each_state_has_a_name(void)
{
	for (int a = 0; a < HEALTH_COUNT; a++)
		for (int b = 0; b < a; b++)
			CHECK(strcmp(health_name((enum health_state)a),
				     health_name((enum health_state)b)) != 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "time down is summed", time_down_is_summed },
		{ "each state has a name", each_state_has_a_name },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
