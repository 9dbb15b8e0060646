/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay - A capture's clients, played by a plan of it
 */
#ifndef RUN_REPLAY_H
#define RUN_REPLAY_H

#include <stdint.h>

#include "account/replay_counters.h"
#include "os/errbuf.h"

struct run;

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
