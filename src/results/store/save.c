/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * save.c - A run's facts become rows
 *
 * One row after the other is made in memory that is taken once, and handed on;
 * the first that is not taken ends it. The row of the table "ended" comes last,
 * so that a store in which it stands has all of them.
 */
#include <errno.h>
#include <string.h>

#include "compare/case.h"
#include "perf/perf.h"
#include "store/store_internal.h"

#define ROW_MAX (1u << 20) /* more than the longest line, or options */

struct saver {
	store_put_fn put;
	void *ctx;
	int error;
	struct row row;
};

static uint8_t space[ROW_MAX]; /* one thread saves */

static void begin(struct saver *s, enum store_table t)
{
	row_begin(&s->row, space, sizeof(space), t);
}

static void end(struct saver *s)
{
	size_t n = row_end(&s->row);

	if (s->error == 0)
		s->error = n > 0 ? s->put(s->ctx, space, n) : -EMSGSIZE;
}

static void put_end(struct row *r, const struct report_endpoint *e)
{
	row_bytes(r, e->ip.b, sizeof(e->ip.b));
	row_int(r, e->port);
}

/* Of all entries of --map. */
static void put_nowhere(struct row *r)
{
	row_text(r, NULL);
	row_int(r, 0);
}

static void put_verdicts(struct row *r, const uint64_t v[VERDICT_COUNT])
{
	row_u64(r, v[VERDICT_IDENTICAL]);
	row_u64(r, v[VERDICT_EQUIVALENT]);
	row_u64(r, v[VERDICT_DIFFERENT]);
	row_u64(r, v[VERDICT_NOT_COMPARED]);
}

int store_start(const struct report_start *st, store_put_fn put, void *ctx)
{
	struct saver s = { .put = put, .ctx = ctx };

	begin(&s, STORE_START);
	row_text(&s.row, st->version);
	row_text(&s.row, st->command);
	row_text(&s.row, st->options);
	row_u64(&s.row, st->started);
	end(&s);
	return s.error;
}

static void save_sums(struct saver *s, const struct report_data *d)
{
	for (size_t i = 0; i < d->maps; i++) {
		begin(s, STORE_MAP);
		put_end(&s->row, &d->map[i].map.production);
		put_end(&s->row, &d->map[i].map.sut);
		row_int(&s->row, d->map[i].baseline);
		put_verdicts(&s->row, d->map[i].verdicts);
		end(s);
	}
	for (size_t i = 0; d->rules && i < d->rules->endpoints; i++) {
		begin(s, STORE_ENDPOINT);
		row_text(&s->row, d->rules->endpoint[i].name);
		put_verdicts(&s->row, d->rules->endpoint[i].verdicts);
		end(s);
	}
}

static void save_places(struct saver *s, const struct report_data *d)
{
	for (size_t i = 0; i < d->places; i++) {
		const struct report_place *p = &d->place[i];

		begin(s, STORE_PLACE);
		row_bytes(&s->row, p->name, p->name_len);
		row_text(&s->row, reason_name(p->reason));
		row_int(&s->row, p->kind.id);
		row_text(&s->row, p->kind.place);
		row_text(&s->row,
			 case_change_name((enum case_change)p->kind.change));
		row_u64(&s->row, p->n);
		row_u64(&s->row, p->since);
		end(s);
	}
}

const char *store_unit(enum report_gate_unit u)
{
	static const char *const name[] = { [GATE_BY] = "more",
					    [GATE_SHARE] = "share",
					    [GATE_ANSWERS] = "answers",
					    [GATE_LEAK] = "leak" };

	return name[u];
}

static void save_gates(struct saver *s, const struct form *f)
{
	for (unsigned i = 0; i < f->gates; i++) {
		const struct report_gate *g = f->gate[i];

		begin(s, STORE_GATE);
		row_text(&s->row, g->name);
		row_text(&s->row, g->endpoint);
		row_text(&s->row, report_gate_name(g->state));
		row_text(&s->row, store_unit(g->unit));
		row_u64(&s->row, g->needs);
		row_int(&s->row, g->limit);
		row_int(&s->row, g->low);
		row_int(&s->row, g->at);
		row_int(&s->row, g->high);
		end(s);
	}
}

static void save_quantiles(struct saver *s, unsigned i,
			   const struct perf_row *p)
{
	for (unsigned q = 0; q < PERF_QUANTILES; q++) {
		const struct perf_quantiles *v = &p->q[q];

		begin(s, STORE_QUANTILE);
		row_int(&s->row, i);
		row_int(&s->row, perf_quantile[q]);
		row_text(&s->row, perf_says_name(v->says));
		row_u64(&s->row, v->yard);
		row_u64(&s->row, v->sut);
		row_int(&s->row, v->by);
		row_int(&s->row, v->low);
		row_int(&s->row, v->high);
		row_int(&s->row, v->share);
		row_int(&s->row, v->share_low);
		row_int(&s->row, v->share_high);
		end(s);
	}
}

static void save_times(struct saver *s, const struct form *f)
{
	for (unsigned i = 0; i < f->times_n; i++) {
		const struct report_times *t = &f->times[i];

		begin(s, STORE_TIMES);
		row_text(&s->row, t->name);
		if (t->production)
			put_end(&s->row, t->production);
		else
			put_nowhere(&s->row);
		row_text(&s->row, perf_metric_name(t->metric));
		row_u64(&s->row, t->error);
		row_text(&s->row, t->row.yard == PERF_BASELINE ? "baseline"
							       : "production");
		row_u64(&s->row, t->row.n[0]);
		row_u64(&s->row, t->row.n[1]);
		row_int(&s->row, t->row.blocks);
		end(s);
		save_quantiles(s, i, &t->row);
	}
}

int store_save(const struct form *f, uint64_t refused, const char *const *line,
	       size_t lines, store_put_fn put, void *ctx)
{
	struct saver s = { .put = put, .ctx = ctx };
	const struct report_data *d = f->data;

	save_sums(&s, d);
	save_places(&s, d);
	save_gates(&s, f);
	save_times(&s, f);
	for (size_t i = 0; i < lines; i++) {
		begin(&s, STORE_LINE);
		row_text(&s.row, line[i]);
		end(&s);
	}
	begin(&s, STORE_ENDED);
	row_int(&s.row, f->code);
	row_u64(&s.row, d->elapsed);
	row_int(&s.row, report_sums_closed(d));
	put_verdicts(&s.row, d->verdicts);
	row_int(&s.row, d->rules != NULL);
	row_u64(&s.row, f->left_out);
	row_u64(&s.row, refused);
	row_text(&s.row, f->text);
	end(&s);
	return s.error;
}
