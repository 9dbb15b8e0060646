/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_perf.c - By how much the SUT is slower
 */
#include <string.h>

#include "report/report_internal.h"

/* Of these the text tells; the JSON has all. */
static const unsigned told[] = { 500, 990 };

static const char *yard_name(enum perf_side side)
{
	return side == PERF_BASELINE ? "baseline" : "production";
}

/* --- JSON --- */

static void put_quantile(struct json *j, unsigned permille,
			 const struct perf_quantiles *q)
{
	json_object(j, NULL);
	json_u64(j, "permille", permille);
	json_str(j, "says", perf_says_name(q->says));
	if (q->says != PERF_TOO_FEW) {
		json_u64(j, "yardstick", q->yard);
		json_u64(j, "sut", q->sut);
		json_i64(j, "by", q->by);
		json_i64(j, "low", q->low);
		json_i64(j, "high", q->high);
		json_i64(j, "by_ppm", q->share);
		json_i64(j, "low_ppm", q->share_low);
		json_i64(j, "high_ppm", q->share_high);
	}
	json_close_object(j);
}

size_t report_json_times(char *out, size_t size, const struct report_times *r)
{
	struct json j;

	json_begin(&j, out, size);
	json_u64(&j, "schema", REPORT_SCHEMA);
	json_str(&j, "type", "times");
	json_bytes(&j, "endpoint", r->name, strlen(r->name));
	if (r->production)
		report_put_endpoint(&j, "production", r->production);
	else
		json_null(&j, "production");
	json_str(&j, "metric", perf_metric_name(r->metric));
	json_str(&j, "unit", r->metric == PERF_THROUGHPUT ? "bytes/s" : "ns");
	json_str(&j, "yardstick", yard_name(r->row.yard));
	json_u64(&j, "error_ns", r->error);
	json_array(&j, "answers");
	json_u64(&j, NULL, r->row.n[0]);
	json_u64(&j, NULL, r->row.n[1]);
	json_close_array(&j);
	json_u64(&j, "blocks", r->row.blocks);
	json_array(&j, "quantiles");
	for (unsigned i = 0; i < PERF_QUANTILES; i++)
		put_quantile(&j, perf_quantile[i], &r->row.q[i]);
	json_close_array(&j);
	return json_line(&j);
}

/* --- text --- */

void report_add_percent(struct text *t, int64_t ppm)
{
	uint64_t v = (uint64_t)(ppm < 0 ? -ppm : ppm);

	text_add(t, "%c%llu.%llu%%", ppm < 0 ? '-' : '+',
		 (unsigned long long)(v / 10000),
		 (unsigned long long)(v / 1000 % 10));
}

static void put_row(struct text *t, const struct report_times *r,
		    const struct perf_quantiles *q, unsigned permille)
{
	char a[TEXT_NUMBER], b[TEXT_NUMBER], by[TEXT_NUMBER], to[64];
	bool rate = r->metric == PERF_THROUGHPUT;
	struct text s;

	text_add(t, "  %-15sp%u ", perf_metric_name(r->metric), permille / 10);
	if (q->says == PERF_TOO_FEW) {
		text_add(t, "too few\n");
		return;
	}
	text_begin(&s, by, sizeof(by));
	report_add_percent(&s, q->share);
	text_begin(&s, to, sizeof(to));
	report_add_percent(&s, q->share_low);
	text_add(&s, " to ");
	report_add_percent(&s, q->share_high);
	text_add(t, "%10s%10s %8s  %-18s %s\n",
		 rate ? text_amount(a, q->yard) : text_time(a, q->yard),
		 rate ? text_amount(b, q->sut) : text_time(b, q->sut), by, to,
		 perf_says_name(q->says));
}

static void put_name(struct text *t, const struct report_times *r)
{
	char name[64], where[TEXT_ENDPOINT];

	text_add(t, "  of %s",
		 text_safe(name, sizeof(name), r->name, strlen(r->name)));
	if (r->production)
		text_add(t, " at %s",
			 text_endpoint(where, &r->production->ip,
				       r->production->port));
	text_add(t, "\n");
}

size_t report_text_times(char *out, size_t size, const struct report_times *r,
			 unsigned n)
{
	char error[TEXT_NUMBER];
	struct text t;

	text_begin(&t, out, size);
	if (n == 0)
		return 0;
	text_add(&t, "%-*sSUT against %s, intervals of 95 %%; own error %s\n",
		 INDENT, "slower", yard_name(r->row.yard),
		 r->error > 0 ? text_time(error, r->error) : "not known");
	for (unsigned i = 0; i < n; i++) {
		if (i == 0 || strcmp(r[i].name, r[i - 1].name) != 0 ||
		    r[i].production != r[i - 1].production)
			put_name(&t, &r[i]);
		for (unsigned q = 0; q < PERF_QUANTILES; q++)
			for (size_t k = 0; k < sizeof(told) / sizeof(told[0]);
			     k++)
				if (perf_quantile[q] == told[k])
					put_row(&t, &r[i], &r[i].row.q[q],
						told[k]);
	}
	return t.len;
}
