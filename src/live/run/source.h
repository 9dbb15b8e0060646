/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source - What hands frames in, and the loop that asks for them
 *
 * The loop is in loop.c, with its theory. What a run waits for without any
 * frame of a client (the proof of the SUT's wire, its last answers) is a source
 * too: one that hands nothing in and says when it is over.
 */
#ifndef RUN_SOURCE_H
#define RUN_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "os/errbuf.h"

struct run;

/* What a source says at the end of its turn. */
enum source_says {
	SOURCE_RESTS, /* it has nothing until a time to come */
	SOURCE_MORE,  /* it goes on at once */
	SOURCE_OVER,  /* it has nothing more */
};

/**
 * struct source_ops - A source
 * @mirror:	Frames of the mirror's ring wake it
 * @look_every:	How often the loop looks at what is no frame, ns; 0: each turn
 * @over:	Asked before each turn: is it over? NULL: its turn says so
 * @turn:	Hand in what is due by run->now, a batch at most, through
 *		run_input(). *@next, UINT64_MAX before, is when it wants its
 *		turn again, with SOURCE_RESTS. NULL: it hands nothing in.
 *		Returns enum source_says, or -Exxx with a sentence
 */
struct source_ops {
	bool mirror;
	uint64_t look_every;
	bool (*over)(struct run *run, void *ctx);
	int (*turn)(struct run *run, void *ctx, uint64_t *next,
		    struct errbuf *e);
};

/** struct source - One of them, and what is its own */
struct source {
	const struct source_ops *ops;
	void *ctx;
};

/**
 * run_loop() - Serve the SUT and @src, until that is over or the run is to stop
 *
 * A source's turn may call it for another one, which hands nothing in.
 *
 * Return: 0, or what the source's turn failed with
 */
int run_loop(struct run *run, const struct source *src, struct errbuf *e);

extern const struct source_ops source_ring; /* the mirror */

#endif /* RUN_SOURCE_H */
