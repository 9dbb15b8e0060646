/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_times.c - How long it took: the rows of the summary, and their JSON
 *
 * Each request is measured on each side or has a reason why not; the two
 * numbers and the reasons stand under the times, so that nobody takes the times
 * of a few for those of all.
 */
#include "report/report_internal.h"

static const char *const side_name[REPORT_SIDES] = { "production", "SUT" };

static uint64_t total(const struct report_side *s)
{
	uint64_t n = s->measured;

	for (size_t i = 0; i < s->not_measured.n; i++)
		n += s->not_measured.v[i].value;
	return n;
}

/* --- text --- */

static void time_row(struct text *t, const char *title, const char *who,
		     const struct histogram *h, bool skewed)
{
	char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER];

	text_add(t, "%-*s%-12s", INDENT, title, who);
	if (skewed)
		text_add(t, "%28s\n", "skewed, not reported");
	else if (!h || h->count == 0)
		text_add(t, "%14s\n", "none");
	else
		text_add(t, "%14s%14s%14s\n",
			 text_time(a, hist_quantile(h, P50)),
			 text_time(b, hist_quantile(h, P99)),
			 text_time(c, h->max));
}

static void measured(struct text *t, const struct report_data *d)
{
	char n[TEXT_NUMBER], all[TEXT_NUMBER], item[128];
	struct para p;
	struct text s;

	para_begin(&p, t, "  measured");
	for (int i = 0; i < REPORT_SIDES; i++) {
		const struct report_side *side = &d->side[i];

		text_begin(&s, item, sizeof(item));
		text_add(&s, "%s %s of %s requests", side_name[i],
			 text_number(n, side->measured),
			 text_number(all, total(side)));
		para_item(&p, item);
		for (size_t k = 0; k < side->not_measured.n; k++) {
			const struct report_count *c = &side->not_measured.v[k];

			text_begin(&s, item, sizeof(item));
			text_add(&s, "%s ", c->name);
			if (c->value > 0)
				para_count(&p, item, c->value, "");
		}
	}
	para_end(&p);
}

void report_times(struct text *t, const struct report_data *d)
{
	text_add(t, "%-*s%-12s%14s%14s%14s\n", INDENT, "times", "", "p50",
		 "p99", "max");
	for (int i = 0; i < REPORT_SIDES; i++)
		time_row(t, i == 0 ? "connected" : "", side_name[i],
			 d->side[i].connect, d->side[i].skewed);
	for (int i = 0; i < REPORT_SIDES; i++)
		time_row(t, i == 0 ? "first byte" : "", side_name[i],
			 d->side[i].first, d->side[i].skewed);
	for (int i = 0; i < REPORT_SIDES; i++)
		time_row(t, i == 0 ? "last byte" : "", side_name[i],
			 d->side[i].last, d->side[i].skewed);
	time_row(t, "", "behind", d->behind, false);
	time_row(t, "", "own delay", d->own, false);
	measured(t, d);
}

/* --- JSON --- */

void report_put_quantile(struct json *j, const char *key,
			 const struct histogram *h, unsigned permille,
			 put_time_fn put_time)
{
	if (h && h->count > 0)
		put_time(j, key, hist_quantile(h, permille));
	else
		json_null(j, key);
}

/* Key "SIDE_WHAT". */
static const char *key_of(char key[64], int side, const char *what)
{
	struct text t;

	text_begin(&t, key, 64);
	text_add(&t, "%s_%s", side == REPORT_PROD ? "prod" : "sut", what);
	return key;
}

void report_put_latency(struct json *j, const struct report_data *d)
{
	char key[64];

	json_object(j, "latency");
	for (int i = 0; i < REPORT_SIDES; i++) {
		const struct report_side *s = &d->side[i];

		report_put_quantile(j, key_of(key, i, "p50_us"), s->first, P50,
				    json_us);
		report_put_quantile(j, key_of(key, i, "p99_us"), s->first, P99,
				    json_us);
	}
	for (int i = 0; i < REPORT_SIDES; i++) {
		const struct report_side *s = &d->side[i];

		report_put_quantile(j, key_of(key, i, "connect_p50_us"),
				    s->connect, P50, json_us);
		report_put_quantile(j, key_of(key, i, "connect_p99_us"),
				    s->connect, P99, json_us);
		report_put_quantile(j, key_of(key, i, "last_p50_us"), s->last,
				    P50, json_us);
		report_put_quantile(j, key_of(key, i, "last_p99_us"), s->last,
				    P99, json_us);
		json_u64(j, key_of(key, i, "requests"), total(s));
		json_u64(j, key_of(key, i, "measured"), s->measured);
		report_put_counts(j, key_of(key, i, "not_measured"),
				  &s->not_measured);
	}
	json_bool(j, "prod_skewed", d->side[REPORT_PROD].skewed);
	report_put_quantile(j, "own_delay_p50_us", d->own, P50, json_us);
	report_put_quantile(j, "own_delay_p99_us", d->own, P99, json_us);
	json_close_object(j);
}
