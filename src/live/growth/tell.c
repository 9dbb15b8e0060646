/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tell.c - How the SUT's process fared, for a person and for a program
 */
#include <stdbool.h>

#include "growth/growth.h"
#include "report/report.h"
#include "text/json.h"
#include "text/text.h"

static void add_growth(struct text *t, const struct vitals_growth *g)
{
	if (g->says == VITALS_TOO_FEW) {
		text_add(t, "; too few looks to tell whether it grows\n");
		return;
	}
	text_add(t, "; %.1f a request (%.1f to %.1f): %s\n", g->by / GROWTH_PER,
		 g->low / GROWTH_PER, g->high / GROWTH_PER,
		 vitals_says_name(g->says));
}

size_t growth_text(const struct growth_found *f, char *out, size_t size)
{
	char a[TEXT_NUMBER], b[TEXT_NUMBER];
	struct text t;

	text_begin(&t, out, size);
	text_add(&t, "%-12s%s looks, %s restarts", "vitals",
		 text_number(a, f->looks), text_number(b, f->restarts));
	if (f->requests > 0)
		text_add(&t, ", %s of processor time a request",
			 text_time(a, f->cpu_us * 1000 / f->requests));
	if (f->bad > 0)
		text_add(&t, "; %s lines are none of understudy vitals",
			 text_number(a, f->bad));
	text_add(&t, "\n");
	if (f->looks == 0)
		return t.len;
	text_add(&t, "  %-10s%s", "memory", text_amount(a, f->last.rss));
	add_growth(&t, &f->rss);
	text_add(&t, "  %-10s", "files");
	if (f->last.fds == VITALS_UNSEEN) {
		text_add(&t, "may not be seen\n");
	} else {
		text_add(&t, "%s", text_number(a, f->last.fds));
		add_growth(&t, &f->fds);
	}
	text_add(&t, "  %-10s%s\n", "threads", text_number(a, f->last.threads));
	return t.len;
}

static void put_growth(struct json *j, const char *key,
		       const struct vitals_growth *g)
{
	json_object(j, key);
	json_str(j, "says", vitals_says_name(g->says));
	json_u64(j, "points", g->points);
	if (g->says != VITALS_TOO_FEW) {
		json_i64(j, "per_million", vitals_whole(g->by));
		json_i64(j, "low", vitals_whole(g->low));
		json_i64(j, "high", vitals_whole(g->high));
		json_i64(j, "adds", vitals_whole(g->adds));
		json_i64(j, "level", vitals_whole(g->level));
	}
	json_close_object(j);
}

size_t growth_json(const struct growth_found *f, char *out, size_t size)
{
	struct json j;

	json_begin(&j, out, size);
	json_u64(&j, "schema", REPORT_SCHEMA);
	json_str(&j, "type", "sut_vitals");
	json_u64(&j, "looks", f->looks);
	json_u64(&j, "bad_lines", f->bad);
	json_u64(&j, "restarts", f->restarts);
	json_u64(&j, "requests", f->requests);
	json_u64(&j, "cpu_us", f->cpu_us);
	json_u64(&j, "rss", f->last.rss);
	if (f->last.fds == VITALS_UNSEEN)
		json_null(&j, "fds");
	else
		json_u64(&j, "fds", f->last.fds);
	json_u64(&j, "threads", f->last.threads);
	put_growth(&j, "memory", &f->rss);
	put_growth(&j, "files", &f->fds);
	return json_line(&j);
}
