/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters.c - The table of what a link counts
 */
#include "keys/counters.h"

static const struct counter rows[] = {
	LINK_EVENTS(COUNTER_ROW, struct link_counters)
		LINK_FATES(COUNTER_ROW, struct link_counters)
};

const struct counter_list link_counter_list = COUNTER_LIST(rows);
