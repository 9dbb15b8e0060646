/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay - A capture's clients, played by a plan of it
 */
#ifndef CMD_REPLAY_H
#define CMD_REPLAY_H

#include <stdint.h>

#include "cmd/live.h"
#include "pace/plan.h"

#define REPLAY_COUNTERS(X)                                                     \
	X(records)	       /* in the plan */                               \
	X(records_played)      /* handed to the engine, in all repetitions */  \
	X(records_cut)	       /* the capture holds less than was sent */      \
	X(records_behind_cut)  /* of a client, not played: its payload */      \
	X(records_no_flow)     /* of no connection to production */            \
	X(records_left)	       /* of these, not handed to the engine */        \
	X(records_beyond)      /* of connections beyond --flows */             \
	X(records_not_indexed) /* --index is full */                           \
	X(records_not_reached) /* the run ended first */                       \
	X(flows)	       /* in the plan */                               \
	X(flows_midstream)     /* their beginning was not captured */          \
	X(flows_one_sided)     /* nothing of production was captured */        \
	X(flows_no_client)     /* nothing of the client was */                 \
	X(flows_cut)	       /* a client's payload was not captured whole */ \
	X(clients)	       /* addresses */                                 \
	X(loops)	       /* repetitions begun */                         \
	X(gates_forced)	       /* --fast: fed though the SUT was not so far */

/** struct replay_counters - All of them */
struct replay_counters {
#define X(name) uint64_t name;
	REPLAY_COUNTERS(X)
#undef X
};

struct replay;

/** replay_new() - Return: one, or NULL: no memory. replay_free() takes it back */
struct replay *replay_new(void);
void replay_free(struct replay *r);

/** replay_count() - Its counters as they are now */
const struct replay_counters *replay_count(const struct replay *r);

/**
 * replay_index() - Read the captures once and make the plan
 * @l:		With @replay, after live_open()
 * @e:		Sentence on failure
 *
 * A capture that was cut off is planned up to there, and so is one that the plan
 * has no more room for; replay_play() says so at the end.
 *
 * Return: 0 or -Exxx: nothing can be played
 */
int replay_index(struct live *l, struct errbuf *e);

/** replay_play() - Play it; what ends it early is in @l->stopped */
void replay_play(struct live *l);

#endif /* CMD_REPLAY_H */
