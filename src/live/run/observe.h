/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe - Who is notified of what goes into the engine, and of what comes of
 * it
 *
 * An observer changes nothing of a run and never waits: what is slow lies
 * behind a ring of its own. All are notified in the order in which they were
 * added, and of everything in the order in which it happened: an input first,
 * then what it made us send.
 */
#ifndef RUN_OBSERVE_H
#define RUN_OBSERVE_H

#include "capture/ring.h"
#include "engine/engine.h"

#define OBSERVERS_MAX 8

struct run;

/**
 * struct run_input - A frame that the engine has got
 * @from, @kind: Its wire, and what the engine took it for
 * @frame:	It
 * @ring:	What else a ring told of it; NULL: it is from a file
 */
struct run_input {
	enum engine_source from;
	enum engine_kind kind;
	const struct frame_info *frame;
	const struct ring_frame *ring;
};

/**
 * struct observer_ops - An observer; of what is NULL it is not notified
 * @ahead:	A frame is about to go in
 * @input:	It went in
 * @timeout:	The engine was called for its timers
 * @note:	It was notified of what is no frame
 * @clock:	It was told that the wall clock was set by @step ns
 * @effect:	Effect number @run->effects, to hardware address @dst, is about
 *		to go to the sink
 * @unsent:	Effect @number was not sent
 * @left:	The effects below @to, that were not told of, left at @stamp
 * @told:	A record came out of the engine: an exchange, or something else
 *		that is no frame
 *
 * The time of all is @run->now.
 */
struct observer_ops {
	void (*ahead)(struct run *run);
	void (*input)(struct run *run, const struct run_input *in);
	void (*timeout)(struct run *run);
	void (*note)(struct run *run, enum engine_note what, uint64_t value);
	void (*clock)(struct run *run, int64_t step);
	void (*effect)(struct run *run, const struct effect *x,
		       const uint8_t *dst);
	void (*unsent)(struct run *run, uint64_t number);
	void (*left)(struct run *run, uint64_t to, uint64_t stamp);
	void (*told)(struct run *run, const struct engine_item *t);
};

/** observe_add() - From now on it is notified; at most OBSERVERS_MAX are */
void observe_add(struct run *run, const struct observer_ops *ops);

/**
 * observe_none() - Nobody is notified any more: what they write to is closed
 */
void observe_none(struct run *run);

/* Tell all of them: the functions of struct observer_ops. */
void observe_ahead(struct run *run);
void observe_input(struct run *run, const struct run_input *in);
void observe_timeout(struct run *run);
void observe_note(struct run *run, enum engine_note what, uint64_t value);
void observe_clock(struct run *run, int64_t step);
void observe_effect(struct run *run, const struct effect *x,
		    const uint8_t *dst);
void observe_unsent(struct run *run, uint64_t number);
void observe_left(struct run *run, uint64_t to, uint64_t stamp);
void observe_item(struct run *run, const struct engine_item *t);

/* Those that there are. */
extern const struct observer_ops observe_journal;  /* run->journal */
extern const struct observer_ops observe_print;	   /* --print */
extern const struct observer_ops observe_lines;	   /* run->lines */
extern const struct observer_ops observe_gauge;	   /* run->gauge */
extern const struct observer_ops observe_outcome;  /* run->outcome */
extern const struct observer_ops observe_networks; /* a person */

#endif /* RUN_OBSERVE_H */
