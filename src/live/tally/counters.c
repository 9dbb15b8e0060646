/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters.c - The table of what the engine counts
 */
#include "tally/counters.h"

static const struct counter rows[] = { ENGINE_COUNTERS(
	COUNTER_ROW, struct engine_counters) };
static const struct counter fates[] = { ENGINE_FATES(COUNTER_ROW,
						     struct engine_counters) };

static const struct counter icmp[] = { MIRROR_ICMP(COUNTER_ROW,
						   struct mirror_icmp) };

const struct counter_list mirror_icmp_list = COUNTER_LIST(icmp);
const struct counter_list engine_counter_list = COUNTER_LIST(rows);
const struct counter_list engine_fate_list = COUNTER_LIST(fates);
