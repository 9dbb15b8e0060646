/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - What a rerun says: the report of its run
 *
 * It has the same makers as a live run's, which are handed the same: records of
 * the engine as they come, and at the end the engine. A gate or a form makes it
 * judge, too: the report is printed, and the exit code is that of the run, or
 * of the frames, whichever is worse.
 */
#include "os/exitcode.h"
#include "report/report.h"
#include "rerun/rerun_internal.h"

static const char *command(const struct rerun *g)
{
	return g->o.replay ? "replay" : "shadow";
}

static void put_line(void *lines, const char *p, size_t n)
{
	fwrite(p, 1, n, lines);
}

static void tell_start(struct rerun *g)
{
	static char line[REPORT_LINE_MAX];
	static char text[JOURNAL_OPTIONS_MAX];
	struct report_map map[MAP_MAX];
	struct report_start s;
	size_t n;

	outcome_start(&s, &g->o, command(g), g->epoch.started, text, map);
	n = report_json_start(line, sizeof(line), &s);
	if (n == 0) { /* rules can be longer than a line */
		text[0] = '\0';
		n = report_json_start(line, sizeof(line), &s);
	}
	put_line(g->to.lines, line, n);
}

int rerun_report_begin(struct rerun *g)
{
	struct errbuf e = { "" };

	if (!g->reports)
		return 0;
	if (gauge_open(&g->gauge, &g->o, g->o.engine.seed, NULL, &e) != 0)
		return rerun_cannot(g, "%s", e.s);
	outcome_epoch(g->to.outcome, &g->epoch);
	if (g->to.lines)
		tell_start(g);
	return 0;
}

void rerun_report_item(struct rerun *g, const struct engine_item *t)
{
	static char line[REPORT_LINE_MAX];

	if (g->to.lines)
		put_line(g->to.lines, line,
			 item_json(&g->epoch, &g->redact, t, line,
				   sizeof(line)));
	if (t->kind == EVENT_VERDICT)
		gauge_exchange(g->gauge, t->exchange);
	if (g->to.outcome)
		outcome_item(g->to.outcome, t);
}

static uint64_t elapsed(const struct rerun *g)
{
	if (g->o.files == 0)
		return g->now - g->epoch.begun;
	return g->mirror_frames > 0 ? g->now - g->file_begun : 0;
}

static void snapshot(struct rerun *g, struct snapshot *s)
{
	static const struct histogram none;
	struct run_facts f = { .opt = &g->o,
			       .redact = &g->redact,
			       .epoch = g->epoch,
			       .now = g->now,
			       .elapsed = elapsed(g),
			       .delay = &none,
			       .sink = &g->sent,
			       .effects = g->seen,
			       .sunk = g->compared,
			       .frames = g->o.journal };

	snapshot_fill(s, g->engine, &f);
}

static void print_gauge(struct rerun *g)
{
	static char text[GAUGE_TEXT];

	fwrite(text, 1, gauge_text(g->gauge, text, sizeof(text)),
	       rerun_answers(g));
}

/* As a run prints it; the exit code, and the forms. */
static void judge(struct rerun *g, const struct snapshot *s)
{
	static char text[REPORT_TEXT_MAX];
	struct outcome_facts f = { .command = command(g),
				   .epoch = g->epoch,
				   .redact = &g->redact,
				   .data = &s->d,
				   .text = text,
				   .gauge = g->gauge };

	fwrite(text, 1, report_text(text, sizeof(text), &s->d),
	       rerun_answers(g));
	print_gauge(g);
	f.code = outcome_code(g->engine, g->gauge, &g->o, g->now, false);
	if (f.code < g->result)
		f.code = g->result;
	g->result = g->to.outcome ? outcome_write(g->to.outcome, &f) : f.code;
}

void rerun_report(struct rerun *g)
{
	static struct snapshot s;
	static char line[REPORT_LINE_MAX];

	snapshot(g, &s);
	if (g->to.lines)
		put_line(g->to.lines, line,
			 report_json(line, sizeof(line), &s.d));
	gauge_end(g->gauge, g->engine, &g->o, elapsed(g));
	if (g->to.lines)
		gauge_lines(g->gauge, put_line, g->to.lines);
	if (g->judges)
		judge(g, &s);
}
