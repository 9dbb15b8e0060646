/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters.c - The table of what the machine counts
 */
#include "shadow/counters.h"

static const struct counter rows[] = { SHADOW_COUNTERS(
	COUNTER_ROW, struct shadow_counters) };

const struct counter_list shadow_counter_list = COUNTER_LIST(rows);
