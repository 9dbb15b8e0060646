/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read.c - What forms are made of, from a store
 *
 * All that save.c put, the other way; differences by the rule of forms/few.h.
 * A form that is made of it is the one that the run made.
 */
#include <errno.h>
#include <string.h>

#include "compare/case.h"
#include "perf/perf.h"
#include "store/archive.h"
#include "store/look.h"

/* --- names --- */

static const char *reason_of(unsigned i)
{
	return reason_name((enum compare_reason)i);
}

static const char *change_of(unsigned i)
{
	return case_change_name((enum case_change)i);
}

static const char *state_of(unsigned i)
{
	return report_gate_name((enum report_gate_state)i);
}

static const char *unit_of(unsigned i)
{
	return store_unit((enum report_gate_unit)i);
}

static const char *metric_of(unsigned i)
{
	return perf_metric_name((enum perf_metric)i);
}

static const char *says_of(unsigned i)
{
	return perf_says_name((enum perf_says)i);
}

static const char *yard_of(unsigned i)
{
	return i == 0 ? "production" : "baseline";
}

static void verdicts(struct archive_row *r, uint64_t v[VERDICT_COUNT])
{
	v[VERDICT_IDENTICAL] = archive_u64(r);
	v[VERDICT_EQUIVALENT] = archive_u64(r);
	v[VERDICT_DIFFERENT] = archive_u64(r);
	v[VERDICT_NOT_COMPARED] = archive_u64(r);
}

/* --- rows --- */

/* A table that is read whole: its rows in memory. */
struct rows {
	uint8_t *p;
	size_t size; /* of one */
	unsigned n;
};

static void *next(struct rows *a)
{
	return a->p + a->size * a->n++;
}

static int take_start(struct archive_row *r, unsigned i, void *ctx)
{
	struct report_start *s = ctx;

	(void)i;
	s->version = archive_text(r);
	s->command = archive_text(r);
	s->options = archive_text(r);
	s->started = archive_u64(r);
	r->bad |= !s->version || !s->command || !s->options;
	return 0;
}

static int take_map(struct archive_row *r, unsigned i, void *ctx)
{
	struct report_map_sums *m = next(ctx);

	(void)i;
	archive_end(r, &m->map.production);
	archive_end(r, &m->map.sut);
	m->baseline = archive_int(r, 0, 1) != 0;
	verdicts(r, m->verdicts);
	return 0;
}

static int take_endpoint(struct archive_row *r, unsigned i, void *ctx)
{
	struct report_ruled *m = next(ctx);

	(void)i;
	m->name = archive_text(r);
	r->bad |= !m->name;
	verdicts(r, m->verdicts);
	return 0;
}

static int take_place(struct archive_row *r, unsigned i, void *ctx)
{
	struct report_place *p = next(ctx);
	const char *where, *name;
	char *copy;

	(void)i;
	name = archive_bytes(r, &p->name_len);
	copy = archive_take(r->s, p->name_len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, name, p->name_len);
	p->name = copy;
	p->reason =
		(enum compare_reason)archive_word(r, reason_of, REASON_COUNT);
	p->kind.id = (uint32_t)archive_int(r, 0, UINT32_MAX);
	where = archive_bytes(r, NULL);
	strncpy(p->kind.place, where, sizeof(p->kind.place) - 1);
	p->kind.change = (uint8_t)archive_word(r, change_of, CASE_CHANGE_COUNT);
	p->n = archive_u64(r);
	p->since = archive_u64(r);
	return 0;
}

static int take_gate(struct archive_row *r, unsigned i, void *ctx)
{
	struct report_gate *g = next(ctx);

	(void)i;
	g->name = archive_text(r);
	r->bad |= !g->name;
	g->endpoint = archive_text(r);
	g->state =
		(enum report_gate_state)archive_word(r, state_of, GATE_STATES);
	g->unit = (enum report_gate_unit)archive_word(r, unit_of, GATE_UNITS);
	g->needs = archive_u64(r);
	g->limit = archive_int(r, INT64_MIN, INT64_MAX);
	g->low = archive_int(r, INT64_MIN, INT64_MAX);
	g->at = archive_int(r, INT64_MIN, INT64_MAX);
	g->high = archive_int(r, INT64_MIN, INT64_MAX);
	return 0;
}

static int take_times(struct archive_row *r, unsigned i, void *ctx)
{
	struct report_times *t = next(ctx);
	struct report_endpoint *p = archive_take(r->s, sizeof(*p));

	(void)i;
	if (!p)
		return -ENOMEM;
	t->name = archive_text(r);
	r->bad |= !t->name;
	if (sqlite3_column_type(r->st, r->at) == SQLITE_NULL) {
		r->at += 2;
	} else {
		archive_end(r, p);
		t->production = p;
	}
	t->metric = (enum perf_metric)archive_word(r, metric_of, PERF_METRICS);
	t->error = archive_u64(r);
	t->row.yard =
		archive_word(r, yard_of, 2) == 0 ? PERF_PROD : PERF_BASELINE;
	t->row.n[0] = archive_u64(r);
	t->row.n[1] = archive_u64(r);
	t->row.blocks = (uint32_t)archive_int(r, 0, UINT32_MAX);
	return 0;
}

static int take_quantile(struct archive_row *r, unsigned i, void *ctx)
{
	struct rows *times = ctx;
	struct perf_quantiles *v;
	int64_t of = archive_int(r, 0, times->n > 0 ? times->n - 1 : 0);
	int64_t permille = archive_int(r, 0, 1000);
	unsigned q = 0;

	(void)i;
	while (q < PERF_QUANTILES && perf_quantile[q] != permille)
		q++;
	if (r->bad || q == PERF_QUANTILES || times->n == 0)
		return -EBADMSG;
	v = &((struct report_times *)(void *)times->p)[of].row.q[q];
	v->says = (enum perf_says)archive_word(r, says_of, PERF_SAYS);
	v->yard = archive_u64(r);
	v->sut = archive_u64(r);
	v->by = archive_int(r, INT64_MIN, INT64_MAX);
	v->low = archive_int(r, INT64_MIN, INT64_MAX);
	v->high = archive_int(r, INT64_MIN, INT64_MAX);
	v->share = archive_int(r, INT64_MIN, INT64_MAX);
	v->share_low = archive_int(r, INT64_MIN, INT64_MAX);
	v->share_high = archive_int(r, INT64_MIN, INT64_MAX);
	return 0;
}

static int take_ended(struct archive_row *r, unsigned i, void *ctx)
{
	struct form *f = ctx;
	struct archive *s = r->s;

	(void)i;
	f->code = (int)archive_int(r, 0, 255);
	s->data.elapsed = archive_u64(r);
	s->sum.left = (uint64_t)archive_int(r, 0, 1);
	s->sum.right = 1;
	verdicts(r, s->data.verdicts);
	s->data.rules = archive_int(r, 0, 1) != 0 ? &s->rules : NULL;
	f->left_out = archive_u64(r);
	r->at++; /* refused: the differences that are there show it */
	f->text = archive_printable(s, archive_bytes(r, NULL));
	return f->text ? 0 : -ENOMEM;
}

static int take_difference(struct archive_row *r, unsigned i, void *ctx)
{
	struct rows *a = ctx;
	struct report_difference d, *to;
	struct compare_result result, *kept;
	char *request, *detail;

	(void)i;
	archive_difference(r, &d, &result);
	if (r->bad)
		return -EBADMSG;
	if (!few_wants(&r->s->few, result.evidence.kind, result.reason))
		return 0;
	kept = archive_take(r->s, sizeof(*kept));
	request = archive_take(r->s, d.request_len + 1);
	detail = archive_take(r->s, strlen(d.detail) + 1);
	if (!kept || !request || !detail)
		return -ENOMEM;
	*kept = result;
	memcpy(request, d.request, d.request_len);
	memcpy(detail, d.detail, strlen(d.detail));
	r->at = 0;
	r->s->number[a->n] = archive_int(r, 1, INT64_MAX);
	to = next(a);
	*to = d;
	to->result = kept;
	to->request = request;
	to->detail = detail;
	return 0;
}

/* --- all of it --- */

static int count_row(struct archive_row *r, unsigned i, void *ctx)
{
	(void)i;
	*(int64_t *)ctx = archive_int(r, 0, ARCHIVE_ROWS);
	return 0;
}

/* Read @table whole, in the order in which it was written. */
static int whole(struct archive *s, const char *table, struct rows *a,
		 size_t size,
		 int (*row)(struct archive_row *r, unsigned i, void *ctx))
{
	char sql[96] = "SELECT count(*) FROM ";
	int64_t n = 0;
	int r;

	strcat(sql, table);
	r = archive_each(s, sql, 1, count_row, &n);
	*a = (struct rows){ .size = size };
	if (r == 0) {
		a->p = archive_take(s, ((size_t)n + 1) * size);
		r = a->p ? 0 : -ENOMEM;
	}
	strcpy(sql, "SELECT * FROM ");
	strcat(sql, table);
	strcat(sql, " ORDER BY rowid");
	return r != 0 ? r : archive_each(s, sql, (unsigned)n, row, a);
}

static int read_gates(struct archive *s, struct form *out)
{
	const struct report_gate **list;
	struct rows a;
	int r = whole(s, "gate", &a, sizeof(struct report_gate), take_gate);

	if (r != 0)
		return r;
	list = archive_take(s, (a.n + 1) * sizeof(const void *));
	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < a.n; i++)
		list[i] = (struct report_gate *)(void *)a.p + i;
	out->gate = list;
	out->gates = a.n;
	return 0;
}

static int read_times(struct archive *s, struct form *out)
{
	struct rows a;
	int r = whole(s, "times", &a, sizeof(struct report_times), take_times);

	if (r == 0)
		r = archive_each(s, "SELECT * FROM quantile", ARCHIVE_ROWS,
				 take_quantile, &a);
	out->times = (struct report_times *)(void *)a.p;
	out->times_n = a.n;
	return r;
}

static int read_sums(struct archive *s)
{
	struct report_map *map;
	struct rows a = { 0 }, b = { 0 }, c = { 0 };
	int r = whole(s, "map", &a, sizeof(struct report_map_sums), take_map);

	if (r == 0)
		r = whole(s, "endpoint", &b, sizeof(struct report_ruled),
			  take_endpoint);
	if (r == 0)
		r = whole(s, "place", &c, sizeof(struct report_place),
			  take_place);
	map = r == 0 ? archive_take(s, (a.n + 1) * sizeof(*map)) : NULL;
	if (!map)
		return r != 0 ? r : -ENOMEM;
	s->data.map = (struct report_map_sums *)(void *)a.p;
	s->data.maps = a.n;
	for (unsigned i = 0; i < a.n; i++)
		map[i] = s->data.map[i].map;
	s->start.map = map;
	s->start.maps = a.n;
	s->rules.endpoint = (struct report_ruled *)(void *)b.p;
	s->rules.endpoints = b.n;
	s->data.place = (struct report_place *)(void *)c.p;
	s->data.places = c.n;
	return 0;
}

static int read_differences(struct archive *s, struct form *out)
{
	struct rows a = { .size = sizeof(struct report_difference) };
	int r;

	a.p = archive_take(s, FEW_MAX * a.size);
	if (!a.p)
		return -ENOMEM;
	s->few = (struct few){ 0 };
	r = archive_each(s, "SELECT * FROM difference ORDER BY id", UINT32_MAX,
			 take_difference, &a);
	out->difference = (struct report_difference *)(void *)a.p;
	out->differences = a.n;
	return r;
}

int archive_facts(struct archive *s, struct form *out, bool *ended,
		  struct errbuf *e)
{
	struct form f = { .start = &s->start, .data = &s->data };
	int r = archive_each(s, "SELECT * FROM start", 1, take_start,
			     &s->start);

	if (r == 0)
		r = archive_each(s, "SELECT * FROM ended", 1, take_ended, &f);
	*ended = f.text && s->start.version;
	if (r == 0 && *ended)
		r = read_sums(s);
	if (r == 0 && *ended)
		r = read_gates(s, &f);
	if (r == 0 && *ended)
		r = read_times(s, &f);
	if (r != 0)
		return archive_bad(s, r, e);
	s->data.version = s->start.version;
	s->data.sums = &s->sum;
	s->data.sum_count = 1;
	*out = f;
	return 0;
}

int archive_form(struct archive *s, struct form *out, struct errbuf *e)
{
	struct form f;
	bool ended;
	int r = archive_facts(s, &f, &ended, e);

	if (r != 0)
		return r;
	if (!ended)
		return errbuf_set(e, -ENODATA,
				  "%s: the run has not ended, or its end did "
				  "not come into the store; make it again from "
				  "the journal (understudy rerun)",
				  s->path);
	r = read_differences(s, &f);
	if (r != 0)
		return archive_bad(s, r, e);
	*out = f;
	return 0;
}

const int64_t *archive_numbers(const struct archive *s)
{
	return s->number;
}
