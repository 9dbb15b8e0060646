/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.c - The packet thread
 *
 * Theory of operation
 *
 * One thread, one loop. Each turn takes what the SUT's wire has, then a batch
 * of the source (the mirror, a capture, the plan of one), then what is due, and
 * sends what came of it with few system calls. The SUT goes first: its acks
 * make room. Time is read once a batch; the engine never sees it go back. Then
 * the loop looks at signals and limits, and rests until a wire speaks or the
 * earliest of what is due: a timer of the engine's, or what the source said.
 *
 * A run is three such loops: until the wire is proved (proof.c), until the
 * source is over, until the SUT's last answers are there (last.c).
 *
 * With nothing to do the thread sleeps in poll() and is woken by the next
 * frame. Under load, with many flows, that costs more than it saves: every
 * wake-up of ours preempts somebody for two or three frames. Then it naps for
 * NAP instead and takes what has come in one go; not at level `timing`, whose
 * promise is the moment.
 *
 * Who else is told of it all are observers (observe.h). Everything of theirs
 * that can wait (disk, report) lies behind rings and threads of its own.
 */
#include <poll.h>
#include <unistd.h>

#include "os/clock.h"
#include "run/replay.h"
#include "os/log.h"
#include "run/run_internal.h"
#include "shadow/counters.h"

#define SUT_BATCH 256
#define NAP	  (250 * NS_PER_US)

static void poll_rings(struct run *run, bool mirror, uint64_t wait)
{
	struct pollfd pf[2 + 2 * RING_LANES] = { { run->signal_fd, POLLIN,
						   0 } };
	struct timespec ts = { .tv_nsec = (long)wait };
	bool bad = false;
	nfds_t n = 1;

	if (run->has_sut)
		n += ring_poll(&run->sut, pf + n);
	if (mirror && run->has_mirror)
		n += ring_poll(&run->mirror, pf + n);
	if (run->pipe >= 0)
		pf[n++] = (struct pollfd){ run->pipe, POLLIN, 0 };
	ppoll(pf, n, &ts, NULL);
	for (nfds_t i = 1; i < n; i++)
		bad |= (pf[i].revents & (POLLERR | POLLNVAL)) != 0;
	if (bad)
		run_look_at_links(run);
}

static void wait_for_frame(struct run *run, bool mirror, uint64_t next)
{
	uint64_t due = engine_next_timeout(run->engine);
	uint64_t wait = NS_PER_SEC / 10;

	run->now = clock_mono();
	if (next < due)
		due = next;
	if (due <= run->now)
		return;
	if (due - run->now < wait)
		wait = due - run->now;
	run->slept += wait;
	poll_rings(run, mirror, wait);
}

/* Sleep until a wire speaks, something is due, or it is @next; under load only
 * for a moment.
 */
static void rest(struct run *run, bool mirror, uint64_t next)
{
	if (run->busy) {
		run->slept += NAP;
		clock_pause(NAP);
		return;
	}
	wait_for_frame(run, mirror, next);
}

static void turn_timers(struct run *run)
{
	struct effects out;
	unsigned guard = 0;

	while (engine_next_timeout(run->engine) <= run->now && guard++ < 4096) {
		engine_timeout(run->engine, run->now, &out);
		observe_timeout(run);
		run_send(run, &out);
		run_events(run);
	}
}

void run_records(struct run *run)
{
	struct engine_item t;

	while (engine_take(run->engine, &t))
		observe_item(run, &t);
}

void run_events(struct run *run)
{
	/* They follow the line that says what the run is. */
	if (!run->proved)
		return;
	run_records(run);
	run_judged(run);
}

/* The SUT's part of a turn. Return: frames taken */
static uint32_t turn_sut(struct run *run)
{
	uint32_t n = 0;

	if (run->by_file)
		return 0;
	run->now = clock_mono();
	run_turn_begins(run);
	if (run->has_sut) {
		n = run_ring(run, &run->sut, ENGINE_SUT, SUT_BATCH);
		if (n < SUT_BATCH)
			run_sut_is_read(run);
		run_flush(run);
		run->now = clock_mono();
	}
	return n;
}

static void turn_ends(struct run *run)
{
	if (run->by_file) /* the source does it at each record */
		return;
	turn_timers(run);
	run_flush(run);
	if (run->now >= run->next_clock)
		run_clock(run);
	run_events(run);
	if (run_wire_is_bad(run))
		run->stop = true;
}

static bool is_over(struct run *run, const struct source *src)
{
	return src->ops->over && src->ops->over(run, src->ctx);
}

int run_loop(struct run *run, const struct source *src, struct errbuf *e)
{
	const struct source_ops *ops = src->ops;
	uint64_t look = 0;

	while (!run->stop && !is_over(run, src)) {
		uint64_t next = UINT64_MAX;
		uint32_t n = turn_sut(run);
		int says = SOURCE_RESTS;

		if (ops->turn)
			says = ops->turn(run, src->ctx, &next, e);
		if (says < 0)
			return says;
		turn_ends(run);
		if (run->now >= look) {
			run_look(run);
			look = run->now + ops->look_every;
		}
		if (says == SOURCE_OVER)
			break;
		if (n == 0 && says == SOURCE_RESTS && !run->stop)
			rest(run, ops->mirror, next);
	}
	return 0;
}

static int play_source(struct run *run, struct errbuf *e)
{
	if (run->replay)
		return replay_play(run, e);
	if (run->opt->files > 0)
		return run_files(run, e);
	return run_loop(run, &(struct source){ &source_ring, NULL }, e);
}

/* What a second POST does, only the user can know. */
static void say_methods(const struct options *o)
{
	if (o->engine.sut_none || o->quiet || o->engine.methods[0] != '\0')
		return;
	log_line(LOG_INFO, "requests of every method are played, POST and "
			   "DELETE too; --methods safe: none that may change "
			   "something");
}

int run_play(struct run *run, struct errbuf *e)
{
	int r;

	run->now = run->epoch.begun;
	run_progress_begin(run);
	r = run->replay ? replay_index(run, e) : 0;
	if (r == 0)
		r = run_prove(run, e);
	if (r != 0)
		return r;
	/* From here on its files stay, and it makes no other. */
	if (run->makers && run->opt->files == 0 && run->hup_ends &&
	    !run_rotates(run->opt))
		makers_dismiss(run->makers);
	run_start_line(run);
	say_methods(run->opt);
	r = play_source(run, e);
	run_last(run);
	run_say_sums(run);
	run_clear_line(run);
	return r;
}
