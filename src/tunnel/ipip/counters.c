/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters.c - The table of what the reorder buffer counts
 */
#include "ipip/counters.h"

static const struct counter rows[] = { REORDER_COUNTERS(
	COUNTER_ROW, struct reorder_counters) };

const struct counter_list reorder_counter_list = COUNTER_LIST(rows);
