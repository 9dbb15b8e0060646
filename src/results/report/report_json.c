/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_json.c - The report as JSON
 */
#include "report/report.h"

#include <string.h>

#include "report/report_internal.h"
#include "text/json.h"
#include "text/text.h"

static void begin(struct json *j, char *out, size_t size, const char *type)
{
	json_begin(j, out, size);
	json_u64(j, "schema", REPORT_SCHEMA);
	json_str(j, "type", type);
}

void report_put_endpoint(struct json *j, const char *key,
			 const struct report_endpoint *e)
{
	char text[TEXT_ENDPOINT];

	json_str(j, key, text_endpoint(text, &e->ip, e->port));
}

void report_put_counts(struct json *j, const char *key,
		       const struct report_counts *c)
{
	json_object(j, key);
	for (size_t i = 0; i < c->n; i++)
		json_u64(j, c->v[i].name, c->v[i].value);
	json_close_object(j);
}

size_t report_json_start(char *out, size_t size, const struct report_start *s)
{
	struct json j;

	begin(&j, out, size, "start");
	json_str(&j, "version", s->version);
	json_str(&j, "command", s->command);
	json_str(&j, "options", s->options);
	json_u64(&j, "started_ns", s->started);
	json_array(&j, "map");
	for (size_t i = 0; i < s->maps; i++) {
		json_object(&j, NULL);
		report_put_endpoint(&j, "production", &s->map[i].production);
		report_put_endpoint(&j, "sut", &s->map[i].sut);
		json_close_object(&j);
	}
	json_close_array(&j);
	return json_line(&j);
}

static void put_measured(struct json *j, const char *key, uint64_t ns)
{
	if (ns > 0)
		json_us(j, key, ns);
	else
		json_null(j, key);
}

/* Every reason of a difference. */
static void put_set(struct json *j, uint64_t reasons)
{
	json_array(j, "reasons");
	for (unsigned i = 0; i < REASON_COUNT; i++)
		if (reasons >> i & 1)
			json_str(j, NULL, reason_name((enum compare_reason)i));
	json_close_array(j);
}

size_t report_json_difference(char *out, size_t size,
			      const struct report_difference *d)
{
	const struct compare_result *r = d->result;
	size_t request = d->request_len;
	char kind[KIND_NAME];
	char when[TEXT_NUMBER];
	struct json j;

	begin(&j, out, size, "difference");
	json_u64(&j, "flow", d->flow);
	report_put_endpoint(&j, "client", &d->client);
	report_put_endpoint(&j, "production", &d->production);
	report_put_endpoint(&j, "sut", &d->sut);
	if (d->asked != 0) {
		json_str(&j, "time", text_when(when, d->asked));
		json_u64(&j, "time_ns", d->asked);
	} else {
		json_null(&j, "time");
		json_null(&j, "time_ns");
	}
	if (d->record != 0)
		json_u64(&j, "record", d->record);
	else
		json_null(&j, "record");
	json_u64(&j, "index", d->index);
	if (d->baseline)
		json_bool(&j, "baseline", true);
	json_str(&j, "verdict", verdict_name(r->verdict));
	json_str(&j, "reason", reason_name(r->reason));
	if (r->reason == REASON_UNANSWERED)
		json_str(&j, "kind", unanswered_name(r->how));
	if (r->evidence.kind != 0)
		json_str(&j, "kind_id", kind_name(kind, r->evidence.kind));
	put_set(&j, r->reasons);
	json_bytes(&j, "request", d->request,
		   request < REPORT_REQUEST ? request : REPORT_REQUEST);
	json_array(&j, "status");
	json_u64(&j, NULL, r->status[0]);
	json_u64(&j, NULL, r->status[1]);
	json_close_array(&j);
	json_array(&j, "bytes");
	json_u64(&j, NULL, r->bytes[0]);
	json_u64(&j, NULL, r->bytes[1]);
	json_close_array(&j);
	if (r->offset != UINT64_MAX) {
		json_u64(&j, "offset", r->offset);
	} else {
		json_null(&j, "offset");
		json_u64(&j, "block", r->block);
	}
	json_bytes(&j, "detail", d->detail, strlen(d->detail));
	put_measured(&j, "prod_us", d->prod_ns);
	put_measured(&j, "sut_us", d->sut_ns);
	return json_line(&j);
}

size_t report_json_network(char *out, size_t size,
			   const struct report_network *n)
{
	struct json j;

	begin(&j, out, size, "network");
	json_str(&j, "network", n->name);
	report_put_endpoint(&j, "sut", &n->sut);
	json_str(&j, "state", n->state);
	return json_line(&j);
}

static void put_flow(struct json *j, const struct report_happened *h)
{
	json_us(j, "at_us", h->at);
	if (h->flow != 0) {
		json_u64(j, "flow", h->flow);
		report_put_endpoint(j, "client", &h->client);
		report_put_endpoint(j, "production", &h->production);
	}
	report_put_endpoint(j, "sut", &h->sut);
}

size_t report_json_flow_end(char *out, size_t size,
			    const struct report_happened *h)
{
	struct json j;

	begin(&j, out, size, "flow_end");
	put_flow(&j, h);
	json_str(&j, "why", h->what);
	return json_line(&j);
}

size_t report_json_sut_state(char *out, size_t size,
			     const struct report_happened *h)
{
	size_t request = h->request_len;
	struct json j;

	begin(&j, out, size, "sut_state");
	put_flow(&j, h);
	json_str(&j, "state", h->what);
	json_us(&j, "since_us", h->since);
	if (request > 0)
		json_bytes(&j, "request", h->request,
			   request < REPORT_REQUEST ? request : REPORT_REQUEST);
	return json_line(&j);
}

/* All that can be a reason of @v, zero or not, and whatever else was one. */
static void put_reasons(struct json *j, const struct report_data *d,
			enum verdict v, unsigned from, unsigned to)
{
	json_object(j, verdict_name(v));
	for (unsigned i = 0; i < REASON_COUNT; i++)
		if ((i >= from && i < to) || d->reasons[v][i] > 0)
			json_u64(j, reason_name((enum compare_reason)i),
				 d->reasons[v][i]);
	json_close_object(j);
}

void report_json_each(struct json *j, const uint64_t *each)
{
	json_object(j, "reasons");
	for (unsigned i = REASON_NONE + 1; i < REASON_COUNT; i++)
		if (i < REASON_LEVEL_NONE || each[i] > 0)
			json_u64(j, reason_name((enum compare_reason)i),
				 each[i]);
	json_close_object(j);
}

static void put_verdicts(struct json *j, const struct report_data *d)
{
	json_object(j, "flows");
	json_u64(j, "seen", d->flows.seen);
	json_u64(j, "played", d->flows.played);
	json_u64(j, "resumed", d->flows.resumed);
	report_put_counts(j, "ended", &d->flows.ended);
	json_close_object(j);

	json_object(j, "requests");
	json_u64(j, "seen", d->requests.seen);
	json_u64(j, "delivered", d->requests.delivered);
	json_u64(j, "answered", d->requests.answered);
	json_close_object(j);

	json_object(j, "verdicts");
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		json_u64(j, verdict_name((enum verdict)i), d->verdicts[i]);
	json_close_object(j);
	put_reasons(j, d, VERDICT_DIFFERENT, REASON_NONE + 1,
		    REASON_LEVEL_NONE);
	/* Of rules only where there were some. */
	put_reasons(j, d, VERDICT_NOT_COMPARED, REASON_LEVEL_NONE,
		    d->rules ? REASON_COUNT : REASON_TOO_LONG);
	report_json_each(j, d->each);
	report_json_places(j, d);
	report_json_rules(j, d);
	report_json_noise(j, d);
	report_json_doubts(j, d);
}

static void put_unanswered(struct json *j, const struct report_data *d)
{
	json_object(j, "unanswered");
	for (unsigned i = UNANSWERED_NONE + 1; i < UNANSWERED_COUNT; i++)
		json_u64(j, unanswered_name((enum unanswered)i),
			 d->unanswered[i]);
	json_close_object(j);
	json_object(j, "after_verdict");
	json_u64(j, "answers", d->after_verdict ? d->after_verdict->count : 0);
	report_put_quantile(j, "p50_ms", d->after_verdict, P50, json_ms);
	report_put_quantile(j, "max_ms", d->after_verdict, 1000, json_ms);
	json_close_object(j);

	json_array(j, "suts");
	for (size_t i = 0; i < d->suts; i++) {
		char ip[TEXT_IP];

		json_object(j, NULL);
		json_str(j, "sut", text_ip(ip, &d->sut_list[i].ip));
		json_str(j, "state", d->sut_list[i].state);
		json_ms(j, "down_ms", d->sut_list[i].down);
		json_u64(j, "times_down", d->sut_list[i].times);
		json_close_object(j);
	}
	json_close_array(j);
	json_object(j, "stalled");
	json_u64(j, "times", d->stalls);
	json_ms(j, "ms", d->stalled);
	json_close_object(j);
}

/* Nothing where the mirror had none. */
static void put_tunnels(struct json *j, const struct report_data *d)
{
	if (d->capture.tunnels == 0)
		return;
	json_array(j, "tunnels");
	for (size_t i = 0; i < d->capture.tunnels; i++) {
		const struct report_tunnel *t = &d->capture.tunnel[i];

		json_object(j, NULL);
		json_str(j, "kind", t->kind ? t->kind : "more");
		if (t->keyed)
			json_u64(j, "key", t->key);
		json_bool(j, "taken", t->taken);
		json_u64(j, "frames", t->frames);
		json_close_object(j);
	}
	json_close_array(j);
}

static void put_traffic(struct json *j, const struct report_data *d)
{
	json_object(j, "behind");
	report_put_quantile(j, "p50_ms", d->behind, P50, json_ms);
	report_put_quantile(j, "p99_ms", d->behind, P99, json_ms);
	report_put_quantile(j, "max_ms", d->behind, 1000, json_ms);
	json_u64(j, "not_played", d->not_played);
	json_close_object(j);

	json_object(j, "capture");
	json_u64(j, "frames", d->capture.frames);
	json_u64(j, "drops", d->capture.drops);
	json_u64(j, "rings_not_grown", d->capture.not_grown);
	json_u64(j, "missed_segments", d->capture.missed);
	report_put_quantile(j, "delay_p50_us", d->capture.delay, P50, json_us);
	report_put_quantile(j, "delay_p99_us", d->capture.delay, P99, json_us);
	report_put_counts(j, "decode", &d->capture.decode);
	put_tunnels(j, d);
	json_close_object(j);

	json_object(j, "emit");
	json_u64(j, "frames", d->emit.frames);
	json_u64(j, "bytes", d->emit.bytes);
	json_u64(j, "refused", d->emit.refused);
	json_u64(j, "errors", d->emit.errors);
	json_close_object(j);

	json_object(j, "absorbed");
	json_u64(j, "total", d->absorbed);
	json_u64(j, "refused", d->refused);
	json_array(j, "top");
	for (size_t i = 0; i < d->tops && i < REPORT_TOP; i++) {
		json_object(j, NULL);
		report_put_endpoint(j, "dst", &d->top[i].dst);
		json_str(j, "kind", d->top[i].kind);
		json_u64(j, "n", d->top[i].n);
		json_close_object(j);
	}
	json_close_array(j);
	json_close_object(j);

	report_put_latency(j, d);
}

size_t report_json_clock_step(char *out, size_t size, int64_t step_ns)
{
	bool back = step_ns < 0;
	struct json j;

	begin(&j, out, size, "clock_step");
	json_us(&j, "by_us", back ? 0 - (uint64_t)step_ns : (uint64_t)step_ns);
	json_bool(&j, "back", back);
	return json_line(&j);
}

static void put_process(struct json *j, const struct report_data *d)
{
	json_object(j, "memory");
	json_u64(j, "pool_used", d->memory.pool_used);
	json_u64(j, "pool_peak", d->memory.pool_peak);
	json_u64(j, "pool_total", d->memory.pool_total);
	json_u64(j, "flows_used", d->memory.flows_used);
	json_u64(j, "timers_used", d->memory.timers_used);
	json_close_object(j);

	json_us(j, "cpu_us", d->cpu);
	json_object(j, "lost");
	json_u64(j, "report_lines", d->report_lost);
	json_u64(j, "journal_records", d->journal_lost);
	json_close_object(j);

	json_object(j, "sums");
	json_bool(j, "closed", report_sums_closed(d));
	for (size_t i = 0; i < d->sum_count; i++) {
		json_array(j, d->sums[i].name);
		json_u64(j, NULL, d->sums[i].left);
		json_u64(j, NULL, d->sums[i].right);
		json_close_array(j);
	}
	json_close_object(j);
}

size_t report_json(char *out, size_t size, const struct report_data *d)
{
	struct json j;

	begin(&j, out, size, "report");
	json_str(&j, "version", d->version);
	json_us(&j, "elapsed_us", d->elapsed);
	put_verdicts(&j, d);
	put_unanswered(&j, d);
	put_traffic(&j, d);
	put_process(&j, d);
	for (size_t i = 0; i < d->group_count; i++)
		report_put_counts(&j, d->groups[i].name, &d->groups[i].counts);
	return json_line(&j);
}
