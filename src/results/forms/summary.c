/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * summary.c - A run in Markdown, for a page of a CI system or a review
 *
 * Tables are those of GitHub Flavored Markdown. It is as long as what differs,
 * and never more than some hundred lines.
 */
#include <string.h>

#include "compare/case.h"
#include "compare/compare.h"
#include "forms/out.h"
#include "perf/perf.h"
#include "text/text.h"

static void put_lines(struct out *o, const char *p, size_t n)
{
	size_t from = 0;

	while (from < n) {
		const char *nl = memchr(p + from, '\n', n - from);
		size_t len = nl ? (size_t)(nl - p) - from : n - from;

		out_put(o, from == 0 ? "## " : "> ");
		out_text(o, OUT_MARKDOWN, p + from, len);
		out_put(o, from == 0 ? "\n\n" : "  \n");
		from += len + 1;
	}
	out_put(o, "\n");
}

static void put_gates(struct out *o, const struct form *f)
{
	char limit[FORM_LIMIT], n[TEXT_NUMBER];

	out_put(o, "| Demand | | Found | Answers needed |\n"
		   "| --- | --- | --- | --: |\n");
	for (unsigned i = 0; i < f->gates; i++) {
		const struct report_gate *g = f->gate[i];

		out_put(o, "| ");
		if (g->endpoint) {
			out_str(o, OUT_MARKDOWN, g->endpoint);
			out_put(o, ": ");
		}
		out_str(o, OUT_MARKDOWN, g->name);
		out_add(o, " | %s%s%s | ", g->state == GATE_PASSED ? "" : "**",
			report_gate_name(g->state),
			g->state == GATE_PASSED ? "" : "**");
		out_str(o, OUT_MARKDOWN, form_limit(limit, g));
		out_add(o, " | %s |\n",
			g->needs > 0 ? text_number(n, g->needs) : "");
	}
	out_put(o, "\n");
}

static void put_row(struct out *o, const char *name, const uint64_t *v)
{
	char n[TEXT_NUMBER];

	out_put(o, "| ");
	out_str(o, OUT_MARKDOWN, name);
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		out_add(o, " | %s", text_number(n, v[i]));
	out_put(o, " |\n");
}

static void put_answers(struct out *o, const struct form *f)
{
	const struct report_data *d = f->data;
	char name[2 * TEXT_ENDPOINT + 8], a[TEXT_ENDPOINT], b[TEXT_ENDPOINT];
	struct text t;

	out_put(o, "| Answers | identical | equivalent | different | "
		   "not compared |\n| --- | --: | --: | --: | --: |\n");
	for (size_t i = 0; i < d->maps; i++) {
		const struct report_map *m = &d->map[i].map;

		text_begin(&t, name, sizeof(name));
		text_add(
			&t, "%s to %s",
			text_endpoint(a, &m->production.ip, m->production.port),
			text_endpoint(b, &m->sut.ip, m->sut.port));
		put_row(o, name, d->map[i].verdicts);
	}
	for (size_t i = 0; d->rules && i < d->rules->endpoints; i++)
		if (out_any(d->rules->endpoint[i].verdicts))
			put_row(o, d->rules->endpoint[i].name,
				d->rules->endpoint[i].verdicts);
	out_put(o, "\n");
}

static void put_places(struct out *o, const struct form *f)
{
	const struct report_data *d = f->data;
	char n[TEXT_NUMBER];

	if (d->places == 0)
		return;
	out_put(o, "| Different | Reason | Where |\n| --: | --- | --- |\n");
	for (size_t i = 0; i < d->places && i < REPORT_TOP; i++) {
		const struct report_place *p = &d->place[i];

		out_add(o, "| %s | %s | ", text_number(n, p->n),
			reason_name(p->reason));
		out_text(o, OUT_MARKDOWN, p->name, p->name_len);
		if (p->kind.id != 0) {
			out_put(o, " ");
			out_str(o, OUT_MARKDOWN, p->kind.place);
			out_add(o, " (%s)",
				case_change_name(
					(enum case_change)p->kind.change));
		}
		out_put(o, " |\n");
	}
	out_put(o, "\n");
}

static void put_times(struct out *o, const struct form *f)
{
	if (f->times_n == 0)
		return;
	out_put(o, "| Times | | p50 | p99 |\n| --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < f->times_n; i++) {
		const struct report_times *r = &f->times[i];

		out_put(o, "| ");
		out_str(o, OUT_MARKDOWN, r->name);
		out_add(o, " | %s", perf_metric_name(r->metric));
		for (unsigned q = 0; q < PERF_QUANTILES; q++) {
			const struct perf_quantiles *v = &r->row.q[q];

			if (perf_quantile[q] != 500 && perf_quantile[q] != 990)
				continue;
			out_add(o, " | %s", perf_says_name(v->says));
			if (v->says != PERF_TOO_FEW)
				out_add(o, " %+.1f %% (%+.1f to %+.1f)",
					(double)v->share / 1e4,
					(double)v->share_low / 1e4,
					(double)v->share_high / 1e4);
		}
		out_put(o, " |\n");
	}
	out_put(o, "\n");
}

void form_summary(struct out *o, const struct form *f)
{
	put_lines(o, f->text, form_head(f));
	put_gates(o, f);
	put_answers(o, f);
	put_places(o, f);
	put_times(o, f);
	out_add(o, "understudy %s, exit code %d\n", f->data->version, f->code);
}
