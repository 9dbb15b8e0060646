/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crew_internal - The parent of the workers
 *
 * crew.c calls manage.c and pins.c; all call ask.c.
 */
#ifndef CREW_CREW_INTERNAL_H
#define CREW_CREW_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/arena.h"
#include "ctl/ctl.h"
#include "ctl/metrics.h"
#include "face/state.h"
#include "front/worker.h"
#include "net/activation.h"
#include "os/loop.h"
#include "setup/setup.h"

struct crew;

/**
 * struct member - A worker
 * @memory:	Of @share, which it has, too
 * @fd:		The channel; -1: it is gone
 * @number:	Of what it was asked last
 * @told:	How often it has answered that it ends, of crew.stops
 * @ends:	It has said that it ends, as it was told to
 * @buried:	It is gone, and what it has left is counted
 * @state:	What it has shown last
 * @text:	Its last answer
 */
struct member {
	struct crew *c;
	pid_t pid;
	unsigned index;
	struct arena memory;
	struct worker_share *share;
	int fd;
	struct loop_watch watch;
	uint32_t number;
	unsigned told;
	bool ends;
	bool buried;
	struct front_state state;
	char text[CTL_ANSWER];
};

/**
 * struct crew - All of them
 * @o:		What holds now
 * @shared:	Memory of all workers: who has how many connections
 * @arena:	Ours alone
 * @own:	What is counted here and not by workers
 * @state:	Of all together
 * @stops:	How often they were told to end
 * @until:	Then who is left is killed, ns; UINT64_MAX: not yet
 * @why:	One has ended by itself; empty: none has
 */
struct crew {
	struct setup o;
	struct activation activation;
	struct arena shared;
	struct arena arena;
	struct shares *clients;
	struct lock *lock;
	struct hash_key key;
	struct loop *loop;
	struct ctl *ctl;
	struct metrics *metrics;
	int signals;
	struct loop_watch on_signal;
	struct front_counters own;
	struct front_state state;
	struct front_view view;
	unsigned stops;
	uint64_t until;
	struct errbuf why;
	struct member member[SETUP_WORKERS];
};

/* --- ask.c --- */

/**
 * ask_hear() - Take what a worker says
 * @answer:	Number of the answer that is waited for; 0: none is
 *
 * What it tells without being asked is told on. Return: 1: the answer has come;
 * 0: there is nothing more; -EPIPE: it is gone, and @m->fd closed
 */
int ask_hear(struct member *m, uint32_t answer);

/** ask_drop() - It is gone, or as good as that */
void ask_drop(struct member *m);

/**
 * ask_one() - Ask a worker, and wait for its answer, at most ASK_MOST
 * @words:	As worker_share.words
 *
 * Return: what it has returned, 0 or -Exxx, with @m->text or a sentence;
 * -ESRCH: it is gone or will be
 */
int ask_one(struct member *m, const char *words, struct errbuf *e);

/** ask_all() - Ask all that are there. Return: 0, or -Exxx of the first that
 * refused, with its sentence; the others were asked, too
 */
int ask_all(struct crew *c, const char *words, struct errbuf *e);

/** ask_state() - See what there is to show, of all together */
void ask_state(struct crew *c);

/* --- crew.c --- */

/** crew_stop() - Let them come to their end; again: now */
void crew_stop(struct crew *c);

/* --- manage.c --- */

/** crew_manage() - Make what --ctl and --metrics ask for */
int crew_manage(struct crew *c, struct errbuf *e);

/** crew_told() - A worker tells what has happened to a server */
void crew_told(struct member *m, struct worker_message *said);

/** crew_event() - An event without more to say */
void crew_event(struct crew *c, const char *what);

/** crew_hup() - SIGHUP has come: new logs, and options are read again */
void crew_hup(struct crew *c);

/* --- pins.c --- */

/**
 * pins_fit() - Is there nothing in the folder of --pin that was left by another
 * number of workers? With several, it is made
 *
 * Return: 0 or -Exxx with a sentence
 */
int pins_fit(const struct setup *o, struct errbuf *e);

#endif /* CREW_CREW_INTERNAL_H */
