/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * told.c - Rows of a store as JSON
 */
#include "page/told.h"

#include <string.h>

#include "compare/kind.h"
#include "perf/perf.h"
#include "report/again.h"
#include "text/text.h"

#define MS	    1000000u
#define TIMES_TOLD  64u /* rows of latencies */
#define ENDS_TOLD   256u
#define JUDGED_MOST UINT32_MAX /* numbers of kinds that a judge has found */

static void end_of(struct json *j, const char *key,
		   const struct report_endpoint *p)
{
	char at[TEXT_ENDPOINT];

	json_str(j, key, text_endpoint(at, &p->ip, p->port));
}

static void verdicts(struct json *j, const uint64_t v[VERDICT_COUNT])
{
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		json_u64(j, verdict_name((enum verdict)i), v[i]);
}

/* --- the run --- */

/* Lines of the report that warn. */
static void warnings(struct json *j, const char *text)
{
	static const char word[] = "warning: ";

	json_array(j, "warnings");
	for (const char *p = text; p && *p != '\0';) {
		size_t n = strcspn(p, "\n");

		if (strncmp(p, word, sizeof(word) - 1) == 0)
			json_bytes(j, NULL, p + sizeof(word) - 1,
				   n - (sizeof(word) - 1));
		p += n + (p[n] == '\n');
	}
	json_close_array(j);
}

static void gate(struct json *j, const struct report_gate *g)
{
	static const char *const unit[] = { [GATE_BY] = "more",
					    [GATE_SHARE] = "share",
					    [GATE_ANSWERS] = "answers" };

	json_object(j, NULL);
	json_str(j, "name", g->name);
	json_str(j, "endpoint", g->endpoint);
	json_str(j, "state", report_gate_name(g->state));
	json_str(j, "unit", unit[g->unit]);
	json_i64(j, "at", g->at);
	json_i64(j, "low", g->low);
	json_i64(j, "high", g->high);
	json_u64(j, "needs", g->needs);
	json_close_object(j);
}

static void times(struct json *j, const struct report_times *t)
{
	json_object(j, NULL);
	json_str(j, "name", t->name);
	json_str(j, "metric", perf_metric_name(t->metric));
	json_str(j, "yard",
		 t->row.yard == PERF_BASELINE ? "baseline" : "production");
	json_us(j, "error_us", t->error);
	json_array(j, "quantiles");
	for (unsigned q = 0; q < PERF_QUANTILES; q++) {
		const struct perf_quantiles *v = &t->row.q[q];

		json_object(j, NULL);
		json_u64(j, "permille", (uint64_t)perf_quantile[q]);
		json_str(j, "says", perf_says_name(v->says));
		json_us(j, "yard_us", v->yard);
		json_us(j, "sut_us", v->sut);
		json_i64(j, "low_us", v->low / 1000);
		json_i64(j, "high_us", v->high / 1000);
		json_close_object(j);
	}
	json_close_array(j);
	json_close_object(j);
}

static void endpoints(struct json *j, const struct form *f)
{
	const struct report_rules *by = f->data->rules;

	json_array(j, "endpoints");
	for (size_t i = 0; by && i < by->endpoints && i < ENDS_TOLD; i++) {
		json_object(j, NULL);
		json_str(j, "name", by->endpoint[i].name);
		verdicts(j, by->endpoint[i].verdicts);
		json_close_object(j);
	}
	json_close_array(j);
	json_array(j, "maps");
	for (size_t i = 0; i < f->data->maps && i < ENDS_TOLD; i++) {
		json_object(j, NULL);
		end_of(j, "production", &f->data->map[i].map.production);
		end_of(j, "sut", &f->data->map[i].map.sut);
		json_bool(j, "baseline", f->data->map[i].baseline);
		verdicts(j, f->data->map[i].verdicts);
		json_close_object(j);
	}
	json_close_array(j);
}

void told_facts(struct json *j, const struct form *f, bool ended)
{
	json_bool(j, "ended", ended);
	json_str(j, "version", f->start->version);
	json_str(j, "command", f->start->command);
	json_u64(j, "started_ms", f->start->started / MS);
	if (!ended)
		return;
	json_u64(j, "code", (uint64_t)f->code);
	json_u64(j, "elapsed_ms", f->data->elapsed / MS);
	json_object(j, "verdicts");
	verdicts(j, f->data->verdicts);
	json_close_object(j);
	warnings(j, f->text);
	json_array(j, "gates");
	for (unsigned i = 0; i < f->gates; i++)
		gate(j, f->gate[i]);
	json_close_array(j);
	endpoints(j, f);
	json_array(j, "times");
	for (unsigned i = 0; i < f->times_n && i < TIMES_TOLD; i++)
		times(j, &f->times[i]);
	json_close_array(j);
}

static void counters(struct json *j, const struct counter_list *l,
		     const void *base)
{
	for (size_t i = 0; i < l->n; i++)
		json_u64(j, NULL, counter_get(&l->row[i], base));
}

static void names(struct json *j, const struct counter_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		json_str(j, NULL, l->row[i].name);
}

void told_ticks(struct json *j, const struct store_tick *t, size_t n)
{
	json_array(j, "tick_names");
	json_str(j, NULL, "at_ms");
	names(j, &tick_counter_list);
	names(j, &tick_gauge_list);
	json_close_array(j);
	json_array(j, "ticks");
	for (size_t i = 0; i < n; i++) {
		json_array(j, NULL);
		json_u64(j, NULL, t[i].at / MS);
		counters(j, &tick_counter_list, &t[i].n);
		counters(j, &tick_gauge_list, &t[i].is);
		json_close_array(j);
	}
	json_close_array(j);
}

/* --- kinds and differences --- */

void told_kind(struct json *j, const char *key, const struct archive_kind *k)
{
	char name[KIND_NAME];

	json_object(j, key);
	json_i64(j, "id", k->id);
	if (k->number > 0 && k->number <= JUDGED_MOST)
		json_str(j, "kind", kind_name(name, (uint32_t)k->number));
	json_bytes(j, "name", k->name, k->name_len);
	json_str(j, "reason", reason_name(k->reason));
	json_bool(j, "baseline", k->baseline);
	json_bytes(j, "detail", k->detail, strlen(k->detail));
	json_u64(j, "n", k->n);
	json_u64(j, "first_ms", k->first / MS);
	json_u64(j, "last_ms", k->last / MS);
	json_bytes(j, "rule", k->rule, strlen(k->rule));
	json_close_object(j);
}

static void curl(struct json *j, const char *key,
		 const struct report_difference *d,
		 const struct report_endpoint *to)
{
	char line[3 * REPORT_REQUEST];

	if (report_curl_to(line, sizeof(line), d->request, d->request_len, to) >
	    0)
		json_str(j, key, line);
}

void told_difference(struct json *j, const char *key,
		     const struct look_difference *d, bool whole)
{
	const struct compare_result *r = &d->result;

	json_object(j, key);
	json_i64(j, "id", d->id);
	json_u64(j, "at_ms", d->d.asked / MS);
	json_bool(j, "sampled", d->sampled);
	json_bytes(j, "request", d->d.request, d->d.request_len);
	json_bytes(j, "detail", d->d.detail, strlen(d->d.detail));
	end_of(j, "client", &d->d.client);
	if (whole) {
		json_i64(j, "kind", d->kind);
		end_of(j, "production", &d->d.production);
		end_of(j, "sut", &d->d.sut);
		json_str(j, "reason", reason_name(r->reason));
		json_array(j, "status");
		for (unsigned i = 0; i < 2; i++)
			json_u64(j, NULL, r->status[i]);
		json_close_array(j);
		json_array(j, "bytes");
		for (unsigned i = 0; i < 2; i++)
			json_u64(j, NULL, r->bytes[i]);
		json_close_array(j);
		if (d->d.prod_ns != 0 && d->d.sut_ns != 0) {
			json_us(j, "production_us", d->d.prod_ns);
			json_us(j, "sut_us", d->d.sut_ns);
		}
		curl(j, "curl_production", &d->d, &d->d.production);
		curl(j, "curl_sut", &d->d, &d->d.sut);
	}
	json_close_object(j);
}

void told_samples(struct json *j, const struct sample *s, size_t n)
{
	json_array(j, "samples");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "side", sample_side_name(s[i].side));
		json_str(j, "shown", sample_shown_name(s[i].shown));
		json_u64(j, "start", s[i].start);
		json_u64(j, "bytes", s[i].bytes);
		if (s[i].at != SAMPLE_SAME)
			json_u64(j, "at", s[i].at);
		json_bytes(j, "head", s[i].head, s[i].head_len);
		json_bytes(j, "body", s[i].body, s[i].body_len);
		json_close_object(j);
	}
	json_close_array(j);
}
