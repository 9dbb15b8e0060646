/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * html.c - A run as one page that needs no other file
 *
 * No script is in it and none may run (a Content-Security-Policy in the page
 * says so): what opens and closes are elements of HTML, what is drawn is SVG.
 * It asks nobody for anything, so that it may be kept, mailed, or be an
 * artifact of a CI system. Light or dark is the reader's choice. All that
 * others wrote goes through out_text().
 */
#include <string.h>

#include "compare/case.h"
#include "compare/compare.h"
#include "forms/out.h"
#include "os/exitcode.h"
#include "perf/perf.h"
#include "text/text.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
	"'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, "
	"initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
	"<title>Understudy</title>\n<style>\n"
	":root{color-scheme:light dark;--bg:#fbfbfa;--fg:#1c1e21;--dim:#5b6069;"
	"--line:#dcdfe3;--card:#fff;--ok:#1a7f4b;--bad:#b3261e;--open:#8a5a00;"
	"--eq:#2f6fb5;--nc:#8a8f98}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#16181b;--fg:#e6e7e9;"
	"--dim:#a0a6af;--line:#33373d;--card:#1e2125;--ok:#56c68a;--bad:#"
	"ff8a80;"
	"--open:#f0bb55;--eq:#7db4ee;--nc:#7c828b}}\n"
	"*{box-sizing:border-box}body{margin:0 "
	"auto;max-width:76rem;padding:1.5rem "
	"1rem 4rem;background:var(--bg);color:var(--fg);font:15px/1.5 "
	"system-ui,"
	"sans-serif}\n"
	"h1{font-size:1.35rem;line-height:1.3;margin:.2rem 0 .4rem}"
	"h2{font-size:1.02rem;margin:2rem 0 .5rem}\n"
	"p{margin:.3rem 0}.dim{color:var(--dim)}.mono,pre,code{font-family:"
	"ui-monospace,'DejaVu Sans Mono',monospace;font-size:.86em}\n"
	".state{display:inline-block;padding:.1rem .6rem;border-radius:1rem;"
	"border:1.5px solid;font-weight:600;font-size:.85rem}\n"
	".ok{color:var(--ok)}.bad{color:var(--bad)}.open{color:var(--open)}\n"
	".warn{border-left:4px solid var(--open);padding:.2rem "
	".8rem;margin:.8rem "
	"0;white-space:pre-wrap;overflow-wrap:anywhere}\n"
	".bar{display:flex;height:1.1rem;border-radius:.3rem;overflow:hidden;"
	"background:var(--line);margin:.8rem 0 .4rem}.bar i{display:block}\n"
	".key{display:inline-block;width:.75rem;height:.75rem;border-radius:."
	"2rem;"
	"margin:0 .35rem 0 1rem;vertical-align:-.05rem}\n"
	".b0{background:var(--ok)}.b1{background:var(--eq)}.b2{background:"
	"var(--bad)}.b3{background:var(--nc)}\n"
	".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;"
	"background:var(--card);border:1px solid var(--line)}\n"
	"th,td{text-align:left;padding:.35rem .7rem;border-bottom:1px solid "
	"var(--line);vertical-align:top}th{font-weight:600;color:var(--dim);"
	"font-size:.84rem}\n"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-"
	"space:"
	"nowrap}td.w{overflow-wrap:anywhere}\n"
	"details{background:var(--card);border:1px solid "
	"var(--line);margin:-1px 0 "
	"0;padding:.4rem .8rem}summary{cursor:pointer;overflow-wrap:anywhere}\n"
	"summary:focus-visible{outline:2px solid "
	"var(--eq);outline-offset:2px}\n"
	"pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0}\n"
	"svg{display:block}svg line{stroke:var(--dim);stroke-width:2}"
	"svg .zero{stroke:var(--line);stroke-width:1}svg "
	"circle{fill:var(--fg)}\n"
	"</style></head><body>\n";

static const char *const verdict_words[VERDICT_COUNT] = {
	"identical", "equivalent", "different", "not compared"
};

static const char *state_class(enum report_gate_state s)
{
	return s == GATE_PASSED ? "ok" : s == GATE_FAILED ? "bad" : "open";
}

static void put_cell(struct out *o, const char *class, const char *s)
{
	out_add(o, "<td class=\"%s\">", class);
	out_str(o, OUT_XML, s);
	out_put(o, "</td>");
}

/* --- how it ended --- */

static void put_bar(struct out *o, const uint64_t *v)
{
	uint64_t all = 0;
	char n[TEXT_NUMBER], share[TEXT_NUMBER];

	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		all += v[i];
	if (all == 0)
		return;
	out_put(o, "<div class=\"bar\" aria-hidden=\"true\">");
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		if (v[i] > 0)
			out_add(o,
				"<i class=\"b%u\" style=\"width:%.3f%%;"
				"min-width:3px\"></i>",
				i, (double)v[i] / (double)all * 100);
	out_put(o, "</div><p>");
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		out_add(o,
			"<span class=\"key b%u\"></span>%s %s "
			"<span class=\"dim\">(%s)</span>",
			i, text_number(n, v[i]), verdict_words[i],
			text_share(share, v[i], all));
	out_put(o, "</p>\n");
}

static void put_ending(struct out *o, const struct form *f)
{
	size_t head_len = form_head(f), first = strcspn(f->text, "\n");
	char when[TEXT_NUMBER];

	out_add(o, "<p><span class=\"state %s\">%s</span></p>\n<h1>",
		f->code == EXIT_SAME	    ? "ok"
		: f->code == EXIT_DIFFERENT ? "bad"
					    : "open",
		f->code == EXIT_SAME	    ? "passed"
		: f->code == EXIT_DIFFERENT ? "failed"
					    : "no answer");
	out_text(o, OUT_XML, f->text, first);
	text_when(when, f->start->started);
	out_add(o,
		"</h1>\n<p class=\"dim\">%s, begun %.19sZ, exit code %d, "
		"understudy %s</p>\n",
		f->start->command, when, f->code, f->data->version);
	if (head_len > first + 1) {
		out_put(o, "<div class=\"warn\" role=\"note\">");
		for (size_t i = first + 1; i < head_len; i++) {
			if (f->text[i] == '\n')
				out_put(o, "\n");
			else
				out_text(o, OUT_XML, f->text + i, 1);
		}
		out_put(o, "</div>\n");
	}
	put_bar(o, f->data->verdicts);
}

static void put_gates(struct out *o, const struct form *f)
{
	char limit[FORM_LIMIT], n[TEXT_NUMBER];

	out_put(o, "<h2>What is demanded</h2>\n<div class=\"scroll\"><table>"
		   "<tr><th>Demand</th><th>State</th><th>Found</th>"
		   "<th class=\"n\">Answers needed</th></tr>\n");
	for (unsigned i = 0; i < f->gates; i++) {
		const struct report_gate *g = f->gate[i];

		out_put(o, "<tr><td class=\"w\">");
		if (g->endpoint) {
			out_str(o, OUT_XML, g->endpoint);
			out_put(o, ": ");
		}
		out_str(o, OUT_XML, g->name);
		out_add(o, "</td><td class=\"%s\">%s</td>",
			state_class(g->state), report_gate_name(g->state));
		put_cell(o, "", form_limit(limit, g));
		put_cell(o, "n", g->needs > 0 ? text_number(n, g->needs) : "");
		out_put(o, "</tr>\n");
	}
	out_put(o, "</table></div>\n");
}

/* --- answers --- */

static void put_row(struct out *o, const char *name, const uint64_t *v)
{
	char n[TEXT_NUMBER];

	out_put(o, "<tr>");
	put_cell(o, "w", name);
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		put_cell(o, i == VERDICT_DIFFERENT && v[i] > 0 ? "n bad" : "n",
			 text_number(n, v[i]));
	out_put(o, "</tr>\n");
}

static void put_answers(struct out *o, const struct form *f)
{
	const struct report_data *d = f->data;
	char name[2 * TEXT_ENDPOINT + 32], a[TEXT_ENDPOINT], b[TEXT_ENDPOINT];
	struct text t;

	out_put(o, "<h2>Answers</h2>\n<div class=\"scroll\"><table><tr>"
		   "<th>Of</th><th class=\"n\">identical</th><th class=\"n\">"
		   "equivalent</th><th class=\"n\">different</th>"
		   "<th class=\"n\">not compared</th></tr>\n");
	for (size_t i = 0; i < d->maps; i++) {
		const struct report_map *m = &d->map[i].map;

		text_begin(&t, name, sizeof(name));
		text_add(
			&t, "%s to %s%s",
			text_endpoint(a, &m->production.ip, m->production.port),
			text_endpoint(b, &m->sut.ip, m->sut.port),
			d->map[i].baseline ? " (baseline)" : "");
		put_row(o, name, d->map[i].verdicts);
	}
	for (size_t i = 0; d->rules && i < d->rules->endpoints; i++)
		if (out_any(d->rules->endpoint[i].verdicts))
			put_row(o, d->rules->endpoint[i].name,
				d->rules->endpoint[i].verdicts);
	out_put(o, "</table></div>\n");
}

static void put_places(struct out *o, const struct form *f)
{
	const struct report_data *d = f->data;
	char n[TEXT_NUMBER], when[TEXT_NUMBER], id[KIND_NAME];

	if (d->places == 0)
		return;
	out_put(o, "<h2>Most different</h2>\n<div class=\"scroll\"><table><tr>"
		   "<th class=\"n\">Answers</th><th>Reason</th><th>Request</th>"
		   "<th>Where</th><th>Since (UTC)</th></tr>\n");
	for (size_t i = 0; i < d->places && i < REPORT_TOP; i++) {
		const struct report_place *p = &d->place[i];

		out_put(o, "<tr>");
		put_cell(o, "n", text_number(n, p->n));
		put_cell(o, "", reason_name(p->reason));
		out_put(o, "<td class=\"w mono\">");
		out_text(o, OUT_XML, p->name, p->name_len);
		out_put(o, "</td><td class=\"w\">");
		if (p->kind.id != 0) {
			out_str(o, OUT_XML, p->kind.place);
			out_add(o, " %s <span class=\"dim\">%s</span>",
				case_change_name(
					(enum case_change)p->kind.change),
				kind_name(id, p->kind.id));
		}
		text_when(when, p->since);
		out_add(o, "</td><td>%.8s</td></tr>\n",
			when + strlen("1970-01-01T"));
	}
	out_put(o, "</table></div>\n");
}

/* --- times --- */

/* What the pictures reach to, in 1/1000000. */
static double widest(const struct form *f)
{
	double most = 10000;

	for (unsigned i = 0; i < f->times_n; i++)
		for (unsigned q = 0; q < PERF_QUANTILES; q++) {
			const struct perf_quantiles *v = &f->times[i].row.q[q];
			double low = v->says == PERF_TOO_FEW
					     ? 0
					     : -(double)v->share_low;
			double high = v->says == PERF_TOO_FEW
					      ? 0
					      : (double)v->share_high;

			most = low > most ? low : most;
			most = high > most ? high : most;
		}
	return most;
}

#define WIDTH 120.0 /* of a picture, from its middle to its side */

static void put_interval(struct out *o, const struct perf_quantiles *v,
			 double most)
{
	double low = (double)v->share_low / most * WIDTH;
	double high = (double)v->share_high / most * WIDTH;
	double at = (double)v->share / most * WIDTH;

	out_add(o,
		"<svg width=\"250\" height=\"14\" viewBox=\"-125 -7 250 14\" "
		"role=\"img\" aria-label=\"interval\"><line class=\"zero\" "
		"x1=\"0\" x2=\"0\" y1=\"-7\" y2=\"7\"/><line x1=\"%.1f\" "
		"x2=\"%.1f\" y1=\"0\" y2=\"0\"/><circle cx=\"%.1f\" cy=\"0\" "
		"r=\"3\"/></svg>",
		low, high, at);
}

static void put_quantile(struct out *o, const struct report_times *r,
			 unsigned q, double most)
{
	const struct perf_quantiles *v = &r->row.q[q];
	bool rate = r->metric == PERF_THROUGHPUT;
	char a[TEXT_NUMBER];

	out_put(o, "<tr>");
	put_cell(o, "w", r->name);
	out_add(o, "<td>%s p%u", perf_metric_name(r->metric),
		perf_quantile[q] / 10);
	out_put(o, perf_quantile[q] % 10 != 0 ? ".9</td>" : "</td>");
	if (v->says == PERF_TOO_FEW) {
		out_put(o, "<td></td><td></td><td class=\"dim\" colspan=\"2\">"
			   "too few</td></tr>\n");
		return;
	}
	put_cell(o, "n",
		 rate ? text_amount(a, v->yard) : text_time(a, v->yard));
	put_cell(o, "n", rate ? text_amount(a, v->sut) : text_time(a, v->sut));
	out_add(o, "<td class=\"%s\">%s %+.1f %%</td><td>",
		v->says == PERF_SLOWER ? "bad" : "", perf_says_name(v->says),
		(double)v->share / 1e4);
	put_interval(o, v, most);
	out_put(o, "</td></tr>\n");
}

/* Quantiles of which something can be said, or one line that says "too few". */
static void put_metric(struct out *o, const struct report_times *r, double most)
{
	bool any = false;

	for (unsigned q = 0; q < PERF_QUANTILES; q++) {
		if (r->row.q[q].says == PERF_TOO_FEW &&
		    (any || q + 1 < PERF_QUANTILES))
			continue;
		put_quantile(o, r, q, most);
		any = true;
	}
}

static void put_times(struct out *o, const struct form *f)
{
	double most = widest(f);

	if (f->times_n == 0)
		return;
	out_add(o,
		"<h2>How much slower</h2>\n<p class=\"dim\">SUT against %s, "
		"intervals of 95 %%; the pictures reach from -%.1f %% to "
		"+%.1f %%</p>\n<div class=\"scroll\"><table><tr><th>Endpoint"
		"</th><th>Metric</th><th class=\"n\">yardstick</th>"
		"<th class=\"n\">SUT</th><th>Difference</th><th>Interval</th>"
		"</tr>\n",
		f->times[0].row.yard == PERF_BASELINE ? "baseline"
						      : "production",
		most / 1e4, most / 1e4);
	for (unsigned i = 0; i < f->times_n; i++)
		put_metric(o, &f->times[i], most);
	out_put(o, "</table></div>\n");
}

/* --- differences --- */

static void put_side(struct out *o, const char *who,
		     const struct report_endpoint *e, unsigned status,
		     uint64_t bytes, uint64_t ns)
{
	char where[TEXT_ENDPOINT], n[TEXT_NUMBER];

	out_add(o, "<tr><td>%s</td>", who);
	put_cell(o, "mono", text_endpoint(where, &e->ip, e->port));
	out_add(o, "<td class=\"n\">");
	if (status > 0)
		out_add(o, "%u", status);
	out_add(o, "</td><td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
		text_number(n, bytes), ns > 0 ? text_time(where, ns) : "");
}

static void put_difference(struct out *o, const struct report_difference *d)
{
	const struct compare_result *r = d->result;
	char when[TEXT_NUMBER], client[TEXT_ENDPOINT];

	text_when(when, d->asked);
	out_add(o,
		"<details><summary><span class=\"dim\">%.12s</span> %s%s "
		"<span class=\"mono\">",
		when + strlen("1970-01-01T"), reason_name(r->reason),
		d->baseline ? " (baseline)" : "");
	out_text(o, OUT_XML, d->request, d->request_len);
	out_put(o, "</span></summary>\n<pre>");
	out_str(o, OUT_XML, d->detail);
	out_put(o, "</pre>\n<div class=\"scroll\"><table><tr><th></th><th>"
		   "Server</th><th class=\"n\">Status</th><th class=\"n\">Bytes"
		   "</th><th class=\"n\">First byte after</th></tr>\n");
	put_side(o, "production", &d->production, r->status[0], r->bytes[0],
		 d->prod_ns);
	put_side(o, "SUT", &d->sut, r->status[1], r->bytes[1], d->sut_ns);
	out_add(o,
		"</table></div>\n<p class=\"dim\">client %s, answer %u of its "
		"connection",
		text_endpoint(client, &d->client.ip, d->client.port),
		(unsigned)d->index + 1);
	if (d->record > 0)
		out_add(o, ", from frame %llu of the journal on",
			(unsigned long long)d->record);
	out_put(o, "</p></details>\n");
}

static void put_differences(struct out *o, const struct form *f)
{
	char n[TEXT_NUMBER];

	if (f->differences == 0)
		return;
	out_add(o, "<h2>Differences, the first of each kind</h2>\n");
	for (size_t i = 0; i < f->differences; i++)
		put_difference(o, &f->difference[i]);
	if (f->left_out > 0)
		out_add(o,
			"<p class=\"dim\">%s more are in the JSON lines."
			"</p>\n",
			text_number(n, f->left_out));
}

static void put_report(struct out *o, const struct form *f)
{
	out_put(o, "<h2>The whole report</h2>\n<details><summary>as text"
		   "</summary><pre>");
	for (const char *p = f->text; *p; p++) {
		if (*p == '\n')
			out_put(o, "\n");
		else
			out_text(o, OUT_XML, p, 1);
	}
	out_put(o, "</pre></details>\n<details><summary>options</summary>"
		   "<pre>");
	out_str(o, OUT_XML, f->start->options);
	out_put(o, "</pre></details>\n");
}

void form_html(struct out *o, const struct form *f)
{
	out_put(o, head);
	out_put(o, "<main>\n");
	put_ending(o, f);
	put_gates(o, f);
	put_answers(o, f);
	put_places(o, f);
	put_differences(o, f);
	put_times(o, f);
	put_report(o, f);
	out_put(o, "</main></body></html>\n");
}
