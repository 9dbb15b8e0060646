/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_file.c - Captures, one after the other, by their stamps
 *
 * Theory of operation
 *
 * With nobody to send to, the file's own time is the engine's (run->by_file):
 * the loop reads no clock, and before each record the timers that are due by
 * then run. With a SUT, records are put on the clock by their distance from the
 * first one. Either is a clock of stamps (pace/stamps.h): it never goes back
 * and has no leap that is longer than --maxsleep. A capture that was cut off is
 * taken up to there.
 *
 * A pipe is waited for in the loop too: with a source that is over when there
 * is something to read.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "os/log.h"
#include "run/run_internal.h"

#define FILE_BATCH  64
#define LOOK_TIMERS 4096 /* of a file's time, between two looks */

/* The file's time is the engine's; it never goes back. */
static void run_until(struct run *run, uint64_t ts)
{
	struct effects out;
	uint32_t n = 0;

	while (!run->stop && engine_next_timeout(run->engine) <= ts) {
		uint64_t next = engine_next_timeout(run->engine);

		if (++n % LOOK_TIMERS == 0)
			run_look_at_signals(run);
		if (next > run->now)
			run->now = next;
		engine_timeout(run->engine, run->now, &out);
		observe_timeout(run);
		run_send(run, &out);
		run_events(run);
	}
	if (ts > run->now)
		run->now = ts;
}

/* The sentence of file_next(), and what can be done. */
static int file_remedy(struct errbuf *e, int r)
{
	size_t n = strlen(e->s);
	const char *remedy = "";

	if (r == -EBADMSG)
		remedy = "; give what tcpdump -w wrote, pcap or pcapng";
	snprintf(e->s + n, sizeof(e->s) - n, "%s", remedy);
	return r;
}

static bool has_bytes(struct run *run, void *ctx)
{
	struct pollfd pf = { .fd = run->pipe, .events = POLLIN };
	const struct timespec none = { 0 };

	(void)ctx;
	return ppoll(&pf, 1, &none, NULL) != 0;
}

static void on_bytes(void *ctx, uint64_t now)
{
	struct run *run = ctx;

	(void)now;
	loop_end(run->loop);
}

static void on_signal(void *ctx, uint64_t now)
{
	struct run *run = ctx;

	(void)now;
	run_look_at_signals(run);
	if (run->stop)
		loop_end(run->loop);
}

/* Nobody is played to, or not yet: a pipe is waited for beside signals alone.
 */
static void wait_alone(struct run *run, int fd)
{
	struct loop_watch bytes = { .ready = on_bytes, .ctx = run };
	struct loop_watch sig = { .ready = on_signal, .ctx = run };

	if (loop_add(run->loop, &bytes, fd) == 0 &&
	    loop_add(run->loop, &sig, run->signal_fd) == 0)
		loop_run(run->loop);
	loop_drop(run->loop, &bytes);
	loop_drop(run->loop, &sig);
}

/* A pipe is waited for beside the SUT's wire, timers and signals. */
static int wait_for_bytes(void *ctx, int fd)
{
	static const struct source_ops ops = { .over = has_bytes };
	struct run *run = ctx;

	run->pipe = fd;
	if (run->has_sut && run->proved)
		run_loop(run, &(struct source){ &ops, NULL }, NULL);
	else if (!run->stop && !has_bytes(run, NULL))
		wait_alone(run, fd);
	run->pipe = -1;
	return run->stop ? -EINTR : 0;
}

int run_file_open(struct run *run, uint32_t i, struct errbuf *e)
{
	int r = file_adopt(&run->file, run->capture[i], run->opt->file[i], e);

	if (r == 0) {
		run->capture[i] = -1;
		run->file.wait = wait_for_bytes;
		run->file.ctx = run;
		run_choose_sums(run);
		r = file_next(&run->file, &run->record, e);
	}
	run->record_waits = r > 0;
	if ((r == -EINTR && run->stop) || r == -ENODATA)
		return 0; /* the end is told again when it is asked for again */
	return r < 0 ? file_remedy(e, r) : 0;
}

void run_file_over(struct run *run)
{
	struct errbuf said;
	int r;

	counter_add(&file_counter_list, &run->input, &run->file.count);
	if (run->file.count.bytes_all == 0) /* a pipe */
		run->input.bytes_all += run->file.bytes;
	if (run->stop) /* it was not read to its end */
		return;
	r = file_verdict(&run->file, &said);
	if (r == 0)
		return;
	run_clear_line(run);
	if (r > 0)
		log_line(LOG_WARN, "%s", said.s);
	else if (run->stopped.s[0] == '\0')
		run->stopped = said;
}

/* Of a journal, what the SUT and we have sent is no client's. */
static bool left_out(struct run *run)
{
	if (!journal_leaves_out(&run->file.reader, run->file.iface))
		return false;
	if (!run->journal_read)
		log_line(LOG_INFO,
			 "%s is a journal: what clients and production sent is "
			 "played, what the SUT and Understudy sent is not",
			 run->file.path);
	run->journal_read = true;
	return true;
}

static int next_record(struct run *run, struct frame_info *in, struct errbuf *e)
{
	int r = 1;

	if (run->record_waits && left_out(run))
		run->record_waits = false;
	while (!run->record_waits) {
		r = file_next(&run->file, &run->record, e);
		if (r <= 0 || !left_out(run))
			break;
	}
	run->record_waits = false;
	*in = run->record;
	in->trusted = run->trust;
	if ((r == -EINTR && run->stop) || r == -ENODATA)
		return 0; /* file_verdict() says it */
	return r < 0 ? file_remedy(e, r) : r;
}

static int set_link(struct run *run, uint16_t link, struct errbuf *e)
{
	if (run->opt->journal && link != run->link)
		return errbuf_set(e, -ENOTSUP,
				  "%s: link type %u after %u: one journal "
				  "cannot hold both; drop -w or run again for "
				  "this file",
				  run->file.path, link, run->link);
	for (uint32_t i = 0; i < FILE_LINKS; i++) {
		const struct link_filter *f = &run->by_link[i];

		if (file_links[i] != link)
			continue;
		run->of_link = &f->f;
		run->file_link = link;
		return f->rc != 0 ? errbuf_set(e, f->rc, "%s", f->e.s) : 0;
	}
	return errbuf_set(e, -ENOTSUP, "link type %u is not read", link);
}

int run_record(struct run *run, struct frame_info *in, struct errbuf *e)
{
	int r;

	do {
		r = next_record(run, in, e);
		if (r > 0 && (!run->of_link || in->link != run->file_link)) {
			int bad = set_link(run, in->link, e);

			if (bad != 0)
				return bad;
		}
	} while (r > 0 &&
		 !filter_match(run->of_link, in->data, in->cap, in->wire));
	return r;
}

/**
 * struct files - Where a run stands in its captures
 * @i:		Capture
 * @waits:	@in was read and is not due yet
 * @in, @due:	The last record
 */
struct files {
	uint32_t i;
	bool waits;
	struct frame_info in;
	uint64_t due;
};

/* Return: 1 and when it is due, 0 at the capture's end, or -Exxx */
static int next_due(struct run *run, struct files *f, struct errbuf *e)
{
	int r = run_record(run, &f->in, e);

	if (r <= 0)
		return r;
	f->due = stamps_next(&run->stamps, f->in.ts);
	if (run->mirror_frames++ == 0 && run->by_file)
		run->file_begun = run->stamps.first;
	f->due += run->file_begun;
	return r;
}

static int next_file(struct run *run, struct files *f, struct errbuf *e)
{
	int r;

	run_file_over(run);
	file_close(&run->file);
	if (++f->i == run->opt->files || run->stop)
		return SOURCE_OVER;
	r = run_file_open(run, f->i, e);
	return r < 0 ? r : SOURCE_MORE;
}

static int file_turn(struct run *run, void *ctx, uint64_t *next,
		     struct errbuf *e)
{
	struct files *f = ctx;

	do {
		int r = f->waits ? 1 : next_due(run, f, e);

		if (r <= 0)
			return r < 0 ? r : next_file(run, f, e);
		f->waits = !run->by_file && f->due > run->now;
		if (f->waits) {
			run_say_wait(run, f->due);
			*next = f->due;
			return SOURCE_RESTS;
		}
		if (run->by_file)
			run_until(run, f->due);
		if (run->stop)
			break;
		if (clients_take(run, &f->in))
			run_feed(run, &f->in);
	} while (run->mirror_frames % FILE_BATCH != 0);
	return SOURCE_MORE;
}

static const struct source_ops source_file = { .turn = file_turn };

int run_files(struct run *run, struct errbuf *e)
{
	struct files f = { .i = 0 };

	run->file_begun = run->now;
	run->by_file = !run->has_sut;
	run->stamps.leap = run->opt->maxsleep;
	return run_loop(run, &(struct source){ &source_file, &f }, e);
}
