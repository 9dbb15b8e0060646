/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay_counters.c - The table of what a plan of captures counts
 */
#include "account/replay_counters.h"

static const struct counter rows[] = { REPLAY_COUNTERS(
	COUNTER_ROW, struct replay_counters) };

const struct counter_list replay_counter_list = COUNTER_LIST(rows);
