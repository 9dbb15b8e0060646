/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * result.c - What a run says of itself: report, live line, JSON lines, exit
 * code
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "account/snapshot.h"
#include "os/log.h"
#include "report/report.h"
#include "run/replay.h"
#include "run/run_internal.h"
#include "shadow/counters.h"
#include "text/text.h"
#include "record/record.h"

#define COLUMNS 80
#define ROWS	24

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

/* The last report. */
static struct snapshot last;
static char last_text[REPORT_TEXT_MAX];

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
		.replay = run->replay ? replay_count(run->replay) : NULL,
		.drops = run_drops(run),
		.live = run->has_sut && run->has_mirror,
		.journal_lost =
			run->journal_end.lost_ring + run->journal_end.lost_disk,
		.effects = run->effects,
		.sunk = run->sunk + run->pend_n,
		/* A replay's journal has the times of its capture and its run.
		 */
		.frames = run->replay ? run->opt->file[0] : run->opt->journal,
	};

	if (run->has_mirror)
		f.mirror_ring = ring_stats(&run->mirror);
	if (run->has_sut) {
		f.sut_ring = ring_stats(&run->sut);
		f.drops += f.sut_ring->drops;
	}
	run->lines_told = run->lines ? lines_lost(run->lines) : 0;
	f.lines_lost = run->lines_told;
	snapshot_fill(s, run->engine, &f);
}

static void copy_counters(void *ctx, struct prom_copy *c)
{
	struct run *run = ctx;
	const struct engine_stats *st = engine_stats(run->engine);
	struct engine_occupancy o;

	memset(c, 0, sizeof(*c));
	engine_occupancy(run->engine, run->now, &o);
	c->now = (struct prom_now){
		o.flows,      o.pool_used,
		o.pool_total, o.datagrams_open,
		o.timers,     run->metrics ? prom_lost(run->metrics) : 0
	};
	c->answers = (struct prom_answers){ st->verdict[VERDICT_IDENTICAL],
					    st->verdict[VERDICT_EQUIVALENT],
					    st->verdict[VERDICT_DIFFERENT],
					    st->verdict[VERDICT_NOT_COMPARED] };
	memcpy(c->different, st->reason[VERDICT_DIFFERENT],
	       sizeof(c->different));
	memcpy(c->not_compared, st->reason[VERDICT_NOT_COMPARED],
	       sizeof(c->not_compared));
	c->machine = *shadow_counters(engine_shadow(run->engine));
	c->frames = st->count;
	c->datagrams = *engine_udp(run->engine);
	c->sink = run->sink->stats;
	c->has_ring[0] = run->has_mirror;
	c->has_ring[1] = run->has_sut;
	if (run->has_mirror)
		c->ring[0] = *ring_stats(&run->mirror);
	if (run->has_sut)
		c->ring[1] = *ring_stats(&run->sut);
}

void run_put_metrics(struct run *run)
{
	static struct prom_copy c;

	copy_counters(run, &c);
	prom_put(run->metrics, &c);
	run->next_metrics = run->now + PROM_EVERY;
}

static void end_run(void *ctx)
{
	struct run *run = ctx;

	run->stop = true;
	loop_end(run->loop); /* if it waits for a pipe there */
}

static void print_report(void *ctx)
{
	run_report(ctx);
}

int run_control(struct run *run, struct errbuf *e)
{
	struct runctl_config c = { .path = run->opt->ctl,
				   .loop = run->loop,
				   .opt = &run->set,
				   .redact = &run->redact,
				   .has_ring = { run->has_mirror,
						 run->has_sut },
				   .copy = copy_counters,
				   .report = print_report,
				   .stop = end_run,
				   .ctx = run };

	return run->opt->ctl ? runctl_open(&run->control, &c, e) : 0;
}

void run_end_metrics(struct run *run)
{
	int r;

	if (!run->metrics)
		return;
	if (run->engine && run->sink)
		run_put_metrics(run);
	r = prom_close(run->metrics);
	run->metrics = NULL;
	if (r != 0)
		log_line(LOG_WARN, "%s: not always written: %s",
			 run->opt->metrics,
			 r == -EEXIST ? "a file of that name with a 1 behind "
					"it is there; remove it"
				      : strerror(-r));
}

static bool form_on_stdout(const struct options *o)
{
	for (unsigned i = 0; i < FORM_KINDS; i++)
		if (o->form[i] && !strcmp(o->form[i], "-"))
			return true;
	return false;
}

static bool stdout_is_taken(const struct options *o)
{
	return (o->json && !strcmp(o->json, "-")) ||
	       (o->hdr && !strcmp(o->hdr, "-")) || form_on_stdout(o) ||
	       (o->journal && !strcmp(o->journal, "-"));
}

void run_report(struct run *run)
{
	static char line[REPORT_LINE_MAX];
	size_t n;

	snapshot(run, &last);
	n = report_text(last_text, sizeof(last_text), &last.d);
	run_clear_line(run);
	fwrite(last_text, 1, n, stdout_is_taken(run->opt) ? stderr : stdout);
	fflush(stdout);
	if (!run->lines)
		return;
	n = report_json(line, sizeof(line), &last.d);
	if (n > 0)
		lines_write(run->lines, line, n);
}

uint64_t run_answered(const struct run *run)
{
	return shadow_counters(engine_shadow(run->engine))->requests_answered +
	       engine_udp(run->engine)->sut_paired;
}

static void put_line(void *lines, const char *p, size_t n)
{
	lines_write(lines, p, n);
}

void run_gauge(struct run *run)
{
	static char text[GAUGE_TEXT];
	size_t n;

	growth_look(run->growth, run_answered(run));
	growth_settle(run->growth);
	gauge_growth(run->gauge, growth_found(run->growth));
	gauge_end(run->gauge, run->engine, run->opt, run_elapsed(run));
	n = gauge_text(run->gauge, text, sizeof(text));
	run_clear_line(run);
	fwrite(text, 1, n, stdout_is_taken(run->opt) ? stderr : stdout);
	if (run->lines)
		gauge_lines(run->gauge, put_line, run->lines);
}

/* An exchange was judged. */
static void measure(struct run *run, const struct engine_item *t)
{
	if (t->kind == EVENT_VERDICT)
		gauge_exchange(run->gauge, t->exchange);
}

const struct observer_ops observe_gauge = {
	.told = measure,
};

static void keep_sample(struct run *run, const struct engine_item *t)
{
	outcome_item(run->outcome, t);
}

const struct observer_ops observe_outcome = {
	.told = keep_sample,
};

static const char *command(const struct run *run)
{
	return run->replay ? "replay" : "shadow";
}

int run_forms(struct run *run)
{
	struct outcome_facts f = { .command = command(run),
				   .epoch = run->epoch,
				   .redact = &run->redact,
				   .data = &last.d,
				   .text = last_text,
				   .gauge = run->gauge };

	f.code = outcome_code(run->engine, run->gauge, run->opt, run->now,
			      run->stopped.s[0] != '\0');

	return run->outcome ? outcome_write(run->outcome, &f) : f.code;
}

void run_start_line(struct run *run)
{
	static char line[REPORT_LINE_MAX];
	static char text[JOURNAL_OPTIONS_MAX];
	struct report_map map[MAP_MAX];
	struct report_start s;
	size_t n;

	if (!run->lines)
		return;
	outcome_start(&s, run->opt, command(run), run->epoch.started, text,
		      map);
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
	if (t->kind != EVENT_VERDICT || t->text)
		lines_put(run->lines, t->bytes, t->len);
}

const struct observer_ops observe_lines = {
	.told = line_of,
};

/* A terminal that may be anything gets lines, as a file does. */
void run_progress_begin(struct run *run)
{
	static struct top screen;
	const char *term = getenv("TERM");
	bool terminal = !run->opt->quiet && isatty(STDERR_FILENO);
	bool able = term && strcmp(term, "dumb") != 0;

	run->live_line = terminal && (able || !run->opt->top);
	run->top = run->live_line && run->opt->top ? &screen : NULL;
	run->plain = run->opt->top && !run->top;
}

static void draw_screen(struct run *run, const struct winsize *ws)
{
	static struct top_view v;
	char out[TOP_TEXT];

	top_view(&v, run->engine, &run->redact, run->now);
	v.elapsed = run_elapsed(run);
	v.missed = run_drops(run);
	v.journal_lost = run->journal_lost;
	fwrite(out, 1, top_draw(run->top, &v, ws->ws_col, ws->ws_row, out),
	       stderr);
}

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
		.journal_lost = run->journal_lost,
	};
	struct winsize ws;
	char text[256];
	size_t n;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) != 0 || ws.ws_col == 0)
		ws = (struct winsize){ .ws_row = ROWS, .ws_col = COLUMNS };
	if (run->top) {
		draw_screen(run, &ws);
		return;
	}
	n = report_text_live(text, sizeof(text), ws.ws_col, &v);
	fprintf(stderr, run->plain ? "%.*s\n" : "\r\033[K%.*s", (int)n, text);
	run->last_requests = requests;
}
