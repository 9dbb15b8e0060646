/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * result.c - What a run says of itself: report, live line, JSON lines, exit
 * code
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "account/networks.h"
#include "account/snapshot.h"
#include "noise/noise.h"
#include "os/exitcode.h"
#include "report/report.h"
#include "run/replay.h"
#include "run/run_internal.h"
#include "shadow/counters.h"
#include "text/text.h"
#include "record/health.h"
#include "record/record.h"

#define COLUMNS 80

uint64_t run_elapsed(const struct run *run)
{
	if (run->opt->files == 0 || run->has_sut)
		return run->now - run->epoch.begun;
	return run->mirror_frames > 0 ? run->now - run->file_begun : 0;
}

uint64_t run_drops(struct run *run)
{
	if (run->mirror_over || !run->has_mirror)
		return run->mirror_drops;
	return ring_stats(&run->mirror)->drops;
}

static void snapshot(struct run *run, struct snapshot *s)
{
	struct read_counts read = { .file = run->input,
				    .stamps = run->stamps.count,
				    .trusted = run->trusted,
				    .renamed = run->frames_renamed,
				    .unplayable = run->frames_unplayable };
	struct run_facts f = {
		.opt = run->opt,
		.redact = &run->redact,
		.epoch = run->epoch,
		.now = run->now,
		.elapsed = run_elapsed(run),
		.delay = &run->delay,
		.sink = &run->sink->stats,
		.read = run->opt->files > 0 ? &read : NULL,
		.replay =
			run->replay != NULL ? replay_count(run->replay) : NULL,
		.drops = run_drops(run),
		.live = run->has_sut && run->has_mirror,
		.journal_lost =
			run->journal_end.lost_ring + run->journal_end.lost_disk,
		.effects = run->effects,
		.sunk = run->sunk + run->pend_n,
		/* A replay's journal has the times of its capture and its run.
		 */
		.frames = run->replay != NULL ? run->opt->file[0]
					      : run->opt->journal,
	};

	if (run->has_mirror)
		f.mirror_ring = ring_stats(&run->mirror);
	if (run->has_sut) {
		f.sut_ring = ring_stats(&run->sut);
		f.drops += f.sut_ring->drops;
	}
	run->lines_told = run->lines != NULL ? lines_lost(run->lines) : 0;
	f.lines_lost = run->lines_told;
	snapshot_fill(s, run->engine, &f);
}

static bool stdout_is_taken(const struct options *o)
{
	return (o->json != NULL && !strcmp(o->json, "-")) ||
	       (o->journal != NULL && !strcmp(o->journal, "-"));
}

void run_report(struct run *run)
{
	static struct snapshot s;
	static char line[REPORT_LINE_MAX];
	static char text[REPORT_TEXT_MAX];
	size_t n;

	snapshot(run, &s);
	n = report_text(text, sizeof(text), &s.d);
	run_clear_line(run);
	fwrite(text, 1, n, stdout_is_taken(run->opt) ? stderr : stdout);
	fflush(stdout);
	if (run->lines == NULL)
		return;
	n = report_json(line, sizeof(line), &s.d);
	if (n > 0)
		lines_write(run->lines, line, n);
}

void run_start_line(struct run *run)
{
	static char line[REPORT_LINE_MAX];
	static char text[JOURNAL_OPTIONS_MAX];
	struct report_map map[MAP_MAX];
	struct report_start s = { .version = VERSION,
				  .command = run->replay != NULL ? "replay"
								 : "shadow",
				  .options = text,
				  .started = run->epoch.started,
				  .map = map,
				  .maps = run->opt->engine.maps };
	size_t n;

	if (run->lines == NULL)
		return;
	if (options_text(run->opt, text, sizeof(text)) < 0)
		text[0] = '\0';
	for (size_t i = 0; i < s.maps; i++)
		map[i] = snapshot_map(run->opt, i);
	n = report_json_start(line, sizeof(line), &s);
	if (n == 0) { /* rules can be longer than a line */
		text[0] = '\0';
		n = report_json_start(line, sizeof(line), &s);
	}
	if (n > 0)
		lines_write(run->lines, line, n);
}

/* In the thread of the lines. */
static size_t make_line(void *ctx, const void *p, uint32_t len, char *out,
			size_t size)
{
	const struct run *run = ctx;
	struct engine_item t;

	item_read(&t, p, len);
	return item_json(&run->epoch, &run->redact, &t, out, size);
}

void run_make_lines(struct run *run)
{
	lines_texts(run->lines, make_line, run);
}

static void line_of(struct run *run, const struct engine_item *t)
{
	if (t->kind != EVENT_VERDICT || t->text != NULL)
		lines_put(run->lines, t->bytes, t->len);
}

const struct observer_ops observe_lines = {
	.told = line_of,
};

void run_progress(struct run *run)
{
	const struct engine_stats *st = engine_stats(run->engine);
	const struct shadow *s = engine_shadow(run->engine);
	uint64_t requests = shadow_counters(s)->requests_seen;
	struct report_live v = {
		.elapsed = run_elapsed(run),
		.flows = shadow_flows(s),
		.rate = requests - run->last_requests,
		.same = st->verdict[VERDICT_IDENTICAL] +
			st->verdict[VERDICT_EQUIVALENT],
		.different = st->verdict[VERDICT_DIFFERENT],
		.not_compared = st->verdict[VERDICT_NOT_COMPARED],
		.behind = hist_quantile(shadow_behind(s), 500),
		.drops = run_drops(run),
	};
	struct winsize ws;
	unsigned cols = COLUMNS;
	char text[256];
	size_t n;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		cols = ws.ws_col;
	n = report_text_live(text, sizeof(text), cols, &v);
	fprintf(stderr, "\r\033[K%.*s", (int)n, text);
	run->last_requests = requests;
}

/* Level none: something was played. */
static bool was_played(const struct run *run)
{
	return shadow_counters(engine_shadow(run->engine))->flows_played +
		       engine_udp(run->engine)->forwarded >
	       0;
}

/* What a baseline showed, or zeroes. */
static const struct noise_sums *noise(const struct run *run)
{
	static struct noise_sums sums;
	struct noise *n = engine_noise(run->engine);

	if (n != NULL)
		noise_settle(n, &sums);
	return &sums;
}

/* What counts for --max-different. At level none a capture without production's
 * side tells what the SUT should have answered all the same: every request.
 */
static uint64_t different(const struct run *run)
{
	const struct engine_stats *st = engine_stats(run->engine);
	const struct shadow_counters *c =
		shadow_counters(engine_shadow(run->engine));
	const struct udp_counters *u = engine_udp(run->engine);

	if (run->opt->engine.compare != COMPARE_NONE ||
	    st->count.production + st->count.production_datagram > 0)
		return st->verdict[VERDICT_DIFFERENT] - noise(run)->excused;
	return c->requests_seen - c->requests_answered + u->exchanges -
	       u->sut_paired;
}

static uint64_t amount_of(const struct option_amount *a, uint64_t all)
{
	return a->share ? all * a->n / 1000000 : a->n;
}

/* By what was compared, or, at level none, answered. */
static int exit_compared(const struct run *run)
{
	const struct engine_stats *st = engine_stats(run->engine);
	const struct options *o = run->opt;
	uint64_t compared = st->verdict[VERDICT_IDENTICAL] +
			    st->verdict[VERDICT_EQUIVALENT] +
			    st->verdict[VERDICT_DIFFERENT];
	uint64_t all = compared + st->verdict[VERDICT_NOT_COMPARED];
	uint64_t least = amount_of(&o->min_compared, all);

	if (o->engine.compare == COMPARE_NONE
		    ? !was_played(run)
		    : compared == 0 || compared < least)
		return EXIT_ERROR;
	if (o->engine.compare == COMPARE_NONE)
		compared = all;
	return different(run) > amount_of(&o->max_different, compared)
		       ? EXIT_DIFFERENT
		       : EXIT_SAME;
}

static bool was_down(const struct run *run)
{
	const struct engine_stats *st = engine_stats(run->engine);

	for (uint32_t i = 0; i < st->suts; i++)
		if (!engine_is_baseline(run->engine, i) &&
		    health_down(&st->health[i], run->now) >
			    run->opt->allow_down)
			return true;
	return false;
}

int run_exit_code(const struct run *run)
{
	const struct engine_stats *st = engine_stats(run->engine);
	int code;

	if (run->stopped.s[0] != '\0' ||
	    st->reason[VERDICT_NOT_COMPARED][REASON_DESK] > 0 ||
	    networks_too_many(run->engine, run->opt) ||
	    (run->opt->has_baseline && noise(run)->paired == 0))
		return EXIT_ERROR;
	if (run->opt->engine.sut_none)
		return counter_sum(&engine_fate_list, &st->count) ==
				       st->count.frames_mirror +
					       st->count.other_legs
			       ? EXIT_SAME
			       : EXIT_ERROR;
	code = exit_compared(run);
	return code == EXIT_SAME && was_down(run) ? EXIT_DIFFERENT : code;
}
