/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay_counters - What a plan of captures counts; reports print them under
 * these names
 */
#ifndef ACCOUNT_REPLAY_COUNTERS_H
#define ACCOUNT_REPLAY_COUNTERS_H

#include <stdint.h>

#include "core/counters.h"

#define REPLAY_COUNTERS(X, T)                                                  \
	X(T, records, "", "in the plan")                                       \
	X(T, records_played, "", "handed to the engine, in all repetitions")   \
	X(T, records_cut, "", "the capture holds less than was sent")          \
	X(T, records_behind_cut, "", "of a client, not played: its payload")   \
	X(T, records_no_flow, "", "of no connection to production")            \
	X(T, records_left, "", "of these, not handed to the engine")           \
	X(T, records_beyond, "", "of connections beyond --flows")              \
	X(T, records_not_indexed, "", "--index is full")                       \
	X(T, records_not_reached, "", "the run ended first")                   \
	X(T, flows, "", "in the plan")                                         \
	X(T, flows_midstream, "", "their beginning was not captured")          \
	X(T, flows_one_sided, "", "nothing of production was captured")        \
	X(T, flows_no_client, "", "nothing of the client was")                 \
	X(T, flows_cut, "", "a client's payload was not captured whole")       \
	X(T, clients, "", "addresses")                                         \
	X(T, loops, "", "repetitions begun")                                   \
	X(T, gates_forced, "", "--fast: fed though the SUT was not so far")

/** struct replay_counters - All of them */
struct replay_counters {
	REPLAY_COUNTERS(COUNTER_MEMBER, )
};

/** replay_counter_list - Their names and what they are */
extern const struct counter_list replay_counter_list;

#endif /* ACCOUNT_REPLAY_COUNTERS_H */
