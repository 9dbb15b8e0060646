/* SPDX-License-Identifier: BSD-2-Clause */
#include "shadow/counters.h"

static const struct counter rows[] = { SHADOW_COUNTERS(
	COUNTER_ROW, struct shadow_counters) };

const struct counter_list shadow_counter_list = COUNTER_LIST(rows);
