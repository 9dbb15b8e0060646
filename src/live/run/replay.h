/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay - A capture's clients, played by a plan of it
 */
#ifndef RUN_REPLAY_H
#define RUN_REPLAY_H

#include <stdint.h>

#include "core/counters.h"
#include "os/errbuf.h"

struct run;

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

struct replay;

/**
 * replay_new() - Return: one, or NULL: no memory. replay_free() takes it back
 */
struct replay *replay_new(void);
void replay_free(struct replay *r);

/** replay_count() - Its counters as they are now */
const struct replay_counters *replay_count(const struct replay *r);

/**
 * replay_index() - Read the captures once and make the plan
 * @run:		With @replay, after run_open()
 * @e:		Sentence on failure
 *
 * A capture that was cut off is planned up to there, and so is one that the
 * plan has no more room for; replay_play() says so at the end.
 *
 * Return: 0 or -Exxx: nothing can be played
 */
int replay_index(struct run *run, struct errbuf *e);

/**
 * replay_play() - Play it; what ends it early is in @run->stopped. Return: 0
 */
int replay_play(struct run *run, struct errbuf *e);

#endif /* RUN_REPLAY_H */
