/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters.c - The table of what one end counts
 */
#include "multipath/counters.h"

static const struct counter rows[] = { MP_COUNTERS(COUNTER_ROW,
						   struct mp_counters) };

static const struct counter path_rows[] = { MP_PATH_COUNTERS(
	COUNTER_ROW, struct mp_path_counters) };

static const struct counter lane_rows[] = { MP_LANE_COUNTERS(
	COUNTER_ROW, struct mp_lane_counters) };

const struct counter_list mp_counter_list = COUNTER_LIST(rows);
const struct counter_list mp_path_counter_list = COUNTER_LIST(path_rows);
const struct counter_list mp_lane_counter_list = COUNTER_LIST(lane_rows);
