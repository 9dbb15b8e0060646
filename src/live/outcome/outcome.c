/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outcome.c - The forms of a run
 *
 * Their files are made before privileges go and before a byte is read, so that
 * a name that cannot be made is told at once; they stay empty until the run is
 * over. Then each is written once, from the last report, what was demanded, and
 * the differences that were kept. With --out all differences go to a process of
 * its own as they come (kept.c), and the rest of it at the end. A run of which
 * there is nothing to report takes its files along.
 */
#include "outcome/outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/histogram.h"
#include "forms/forms.h"
#include "journal/journal.h"
#include "os/exitcode.h"
#include "os/log.h"
#include "outcome/kept.h"
#include "outcome/samples.h"
#include "report/report.h"
#include "shadow/counters.h"
#include "shadow/shadow.h"

#define LOOK_EVERY UINT64_C(1000000000) /* ns */

struct outcome {
	const struct options *opt;
	struct makers *makers;
	unsigned first;
	int fd[FORM_KINDS]; /* or -1 */
	struct samples *samples;
	struct kept *kept; /* NULL: no folder is wanted */
	struct run_epoch epoch;
	uint64_t next; /* look */
};

static bool wanted(const struct options *o)
{
	for (unsigned i = 0; i < FORM_KINDS; i++)
		if (o->form[i])
			return true;
	return o->out != NULL;
}

static int open_all(struct outcome *c, struct errbuf *e)
{
	for (unsigned i = 0; i < FORM_KINDS; i++) {
		if (!c->opt->form[i])
			continue;
		c->fd[i] = form_open(c->opt->form[i],
				     makers_of(c->makers, c->first + i), e);
		if (c->fd[i] < 0)
			return c->fd[i];
	}
	return 0;
}

int outcome_begin(struct outcome **out, const struct outcome_config *config,
		  struct errbuf *e)
{
	const struct options *o = config->opt;
	struct outcome *c;
	int r = 0;

	if (o->listen && !o->out)
		return errbuf_set(e, -EINVAL,
				  "--listen shows the folder of --out; add "
				  "--out DIR");
	if (!wanted(o)) {
		*out = NULL;
		return 0;
	}
	c = calloc(1, sizeof(*c));
	if (c)
		c->samples = samples_new();
	if (!c || !c->samples) {
		free(c);
		return errbuf_set(e, -ENOMEM, "no memory");
	}
	c->opt = o;
	for (unsigned i = 0; i < FORM_KINDS; i++)
		c->fd[i] = -1;
	if (o->out)
		r = kept_start(&c->kept, config, e);
	if (r != 0) {
		outcome_close(c);
		return r;
	}
	*out = c;
	return 0;
}

int outcome_open(struct outcome *c, struct makers *m, unsigned first,
		 struct errbuf *e)
{
	if (!c)
		return 0;
	c->makers = m;
	c->first = first;
	return open_all(c, e);
}

void outcome_epoch(struct outcome *c, const struct run_epoch *epoch)
{
	if (!c)
		return;
	c->epoch = *epoch;
	if (c->kept)
		kept_epoch(c->kept, epoch);
}

bool outcome_keeps(const struct outcome *c)
{
	return c && c->kept;
}

void outcome_item(struct outcome *c, const struct engine_item *t)
{
	samples_put(c->samples, t);
	if (c->kept)
		kept_put(c->kept, t);
}

void outcome_look(struct outcome *c, struct engine *engine, uint64_t now,
		  uint64_t drops)
{
	const struct shadow_counters *n;
	const struct engine_stats *st;
	const struct shadow *s;
	struct store_tick t = { .n.drops = drops };

	if (!c || !c->kept || now < c->next)
		return;
	c->next = now + LOOK_EVERY;
	st = engine_stats(engine);
	s = engine_shadow(engine);
	n = shadow_counters(s);
	t.at = epoch_wall(&c->epoch, now);
	t.n.seen = n->requests_seen;
	t.n.delivered = n->requests_delivered;
	t.n.answered = n->requests_answered;
	t.n.identical = st->verdict[VERDICT_IDENTICAL];
	t.n.equivalent = st->verdict[VERDICT_EQUIVALENT];
	t.n.different = st->verdict[VERDICT_DIFFERENT];
	t.n.not_compared = st->verdict[VERDICT_NOT_COMPARED];
	t.is.flows = shadow_flows(s);
	t.is.behind = hist_quantile(shadow_behind(s), 500);
	kept_tick(c->kept, &t);
}

void outcome_start(struct report_start *s, const struct options *o,
		   const char *command, uint64_t started, char *text,
		   struct report_map *map)
{
	*s = (struct report_start){ .version = VERSION,
				    .command = command,
				    .options = text,
				    .started = started,
				    .map = map,
				    .maps = o->engine.maps };
	if (options_text(o, text, JOURNAL_OPTIONS_MAX) < 0)
		text[0] = '\0';
	for (size_t i = 0; i < s->maps; i++)
		map[i] = snapshot_map(o, i);
}

int outcome_write(struct outcome *c, const struct outcome_facts *f)
{
	static char options[JOURNAL_OPTIONS_MAX];
	static const struct report_gate *gate[GAUGE_GATES];
	struct report_map map[MAP_MAX];
	struct report_start start;
	struct form form = { .start = &start,
			     .data = f->data,
			     .text = f->text,
			     .code = f->code,
			     .gate = gate };
	int code = f->code;
	int r;

	outcome_start(&start, c->opt, f->command, f->epoch.started, options,
		      map);
	form.times_n = gauge_times(f->gauge, &form.times);
	form.gates = gauge_gates(f->gauge, gate);
	form.differences = samples_tell(c->samples, &f->epoch, f->redact,
					&form.difference);
	form.left_out = samples_left(c->samples);
	if (c->kept)
		kept_save(c->kept, &form);
	for (unsigned i = 0; i < FORM_KINDS; i++) {
		if (c->fd[i] < 0)
			continue;
		r = form_write((enum form_kind)i, c->fd[i], &form);
		if (r == 0)
			continue;
		log_line(LOG_ERROR, "%s: not all of it was written: %s",
			 c->opt->form[i], strerror(-r));
		code = EXIT_ERROR;
	}
	return code;
}

void outcome_forget(struct outcome *c)
{
	if (c && c->kept)
		kept_forget(c->kept);
	for (unsigned i = 0; c && i < FORM_KINDS; i++) {
		if (c->fd[i] < 0 || strcmp(c->opt->form[i], "-") == 0)
			continue;
		if (c->makers)
			(void)maker_remove(makers_of(c->makers, c->first + i),
					   0);
		else
			unlinkat(AT_FDCWD, c->opt->form[i], 0);
	}
}

void outcome_close(struct outcome *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < FORM_KINDS; i++)
		if (c->fd[i] >= 0)
			close(c->fd[i]);
	kept_close(c->kept);
	samples_free(c->samples);
	free(c);
}
