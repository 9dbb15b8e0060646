/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters.c - The tables of what is counted on the SUT's wire
 */
#include "lan/prove.h"
#include "lan/sutwire.h"

static const struct counter wire_rows[] = { SUTWIRE_COUNTERS(
	COUNTER_ROW, struct sutwire_stats) };
static const struct counter prove_rows[] = { PROVE_COUNTERS(
	COUNTER_ROW, struct prove_counters) };

const struct counter_list sutwire_counter_list = COUNTER_LIST(wire_rows);
const struct counter_list prove_counter_list = COUNTER_LIST(prove_rows);
