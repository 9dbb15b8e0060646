/* SPDX-License-Identifier: BSD-2-Clause */
#include "account/replay_counters.h"

static const struct counter rows[] = { REPLAY_COUNTERS(
	COUNTER_ROW, struct replay_counters) };

const struct counter_list replay_counter_list = COUNTER_LIST(rows);
