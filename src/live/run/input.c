/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input.c - Frames go into the engine: of a ring, or of a capture
 */
#include "os/clock.h"
#include "os/log.h"
#include "run/run_internal.h"

#define MIRROR_BATCH 64
#define LOOK_EVERY   (10 * NS_PER_MS) /* at signals and the live line */
#define DELAY_SAMPLE 16		      /* every so many frames */

/* @ring: what else a ring told of it, NULL: it is from a file */
static void feed(struct run *run, enum engine_source from,
		 const struct frame_info *in, const struct ring_frame *ring)
{
	struct run_input i = { .from = from, .frame = in, .ring = ring };
	struct effects out;

	observe_ahead(run);
	i.kind = engine_frame(run->engine, from, in, run->now, &out);
	observe_input(run, &i);
	if (out.n > 0)
		run_send(run, &out);
	/* At once: the ring has room for what one call gives, not for a
	 * batch's.
	 */
	run_events(run);
}

void run_feed(struct run *run, const struct frame_info *in)
{
	run->trusted += in->trusted;
	feed(run, ENGINE_MIRROR, in, NULL);
}

static void grow(struct run *run, struct ring *r, enum engine_source from)
{
	const char *dev =
		from == ENGINE_MIRROR ? run->opt->iface : run->opt->sut_dev;
	unsigned what = ring_grow(r);

	if (what & RING_GREW)
		log_line(LOG_INFO, "%s: a ring has got its larger memory", dev);
	if (what & RING_NOT_GROWN)
		log_line(LOG_WARN,
			 "%s: there is no memory for a larger ring; bursts may "
			 "be missed",
			 dev);
}

uint32_t run_ring(struct run *run, struct ring *r, enum engine_source from,
		  uint32_t max)
{
	struct ring_frame f;
	uint32_t n = 0;

	grow(run, r, from);
	while (n < max && ring_next(r, &f)) {
		if (from == ENGINE_MIRROR) {
			if (run->mirror_frames++ % DELAY_SAMPLE == 0) {
				uint64_t real = clock_real();

				hist_add(&run->delay, real > f.info.ts
							      ? real - f.info.ts
							      : 0);
			}
		}
		feed(run, from, &f.info, &f);
		ring_done(r);
		n++;
	}
	return n;
}

static int ring_turn(struct run *run, void *ctx, uint64_t *next,
		     struct errbuf *e)
{
	(void)ctx;
	(void)next;
	(void)e;
	return run_ring(run, &run->mirror, ENGINE_MIRROR, MIRROR_BATCH) > 0
		       ? SOURCE_MORE
		       : SOURCE_RESTS;
}

const struct source_ops source_ring = {
	.mirror = true,
	.look_every = LOOK_EVERY,
	.turn = ring_turn,
};
