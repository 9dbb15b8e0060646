/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters.c - The table of what one end counts
 */
#include "multipath/counters.h"

static const struct counter rows[] = { MP_COUNTERS(COUNTER_ROW,
						   struct mp_counters) };

static const struct counter path_rows[] = { MP_PATH_COUNTERS(
	COUNTER_ROW, struct mp_path_counters) };

const struct counter_list mp_counter_list = COUNTER_LIST(rows);
const struct counter_list mp_path_counter_list = COUNTER_LIST(path_rows);
