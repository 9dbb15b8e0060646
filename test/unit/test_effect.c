/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_effect.c - Unit test of live/effect: causes, payload, and waits for answers
 */
#include "effect/effect.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "effect/wait.h"

#define S NS_PER_SEC

static void answers_are_waited_for(void)
{
	static const struct {
		uint64_t least, took, wait, limit;
	} row[] = {
		{ 5 * S, 0, 5 * S, 60 * S },
		{ 5 * S, S / 10, 5 * S, 61 * S },
		{ 5 * S, S, 10 * S, 70 * S },
		{ 5 * S, 6 * S - 1, 60 * S - 10, 120 * S - 10 },
		{ 5 * S, 6 * S, 60 * S, 120 * S },
		{ 5 * S, 20 * S, 60 * S, 260 * S },
		{ 5 * S, 30 * S, 60 * S, 360 * S },
		{ 5 * S, 40 * S, 80 * S, 460 * S },
		{ 90 * S, S, 90 * S, 90 * S },
		{ 90 * S, 5 * S, 90 * S, 110 * S },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		CHECK(answer_wait(row[i].least, row[i].took) == row[i].wait);
		CHECK(answer_limit(row[i].least, row[i].took) == row[i].limit);
	}
}

static void payload_lies_in_its_frame(void)
{
	struct buf *frame = malloc(sizeof(*frame) + 8);
	struct effect e = { .frame = frame, .off = 3 };

	CHECK(effects_data(&e) == frame->data + 3);
	e.frame = NULL;
	CHECK(effects_data(&e) == NULL);
	free(frame);
}

static void each_cause_has_a_name(void)
{
	for (int a = 0; a < CAUSE_COUNT; a++)
		for (int b = 0; b < a; b++)
			CHECK(strcmp(cause_name((enum effect_cause)a),
				     cause_name((enum effect_cause)b)) != 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "answers are waited for", answers_are_waited_for },
		{ "payload lies in its frame", payload_lies_in_its_frame },
		{ "each cause has a name", each_cause_has_a_name },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
