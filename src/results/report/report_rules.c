/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_rules.c - What rules made alike, by endpoint and by line
 */
#include <stdio.h>
#include <string.h>

#include "report/report_internal.h"

#define UNUSED_SHOWN 10 /* lines that are named in the text */

static void made(struct text *t, const struct report_rules *r)
{
	struct para p;
	bool any = false;

	for (size_t i = 0; i < r->made.n; i++) {
		char name[32];

		if (r->made.v[i].value == 0)
			continue;
		if (!any)
			para_begin(&p, t, "  equiv. by");
		any = true;
		snprintf(name, sizeof(name), "%s ", r->made.v[i].name);
		para_count(&p, name, r->made.v[i].value, "");
	}
	if (any)
		para_end(&p);
}

/* "orders: 10 identical, 3 equivalent, 1 different" */
static void endpoints(struct text *t, const struct report_rules *r)
{
	bool any = false;

	for (size_t i = 0; i < r->endpoints; i++) {
		const struct report_ruled *e = &r->endpoint[i];
		char name[48], first[64];
		uint64_t all = 0;
		struct para p;
		struct text s;

		for (unsigned v = 0; v < VERDICT_COUNT; v++)
			all += e->verdicts[v];
		if (all == 0 || r->endpoints == 1)
			continue;
		para_begin(&p, t, any ? "" : "endpoints");
		any = true;
		text_begin(&s, first, sizeof(first));
		text_add(&s, "%s: ",
			 text_safe(name, sizeof(name), e->name,
				   strlen(e->name)));
		para_count(&p, first, e->verdicts[VERDICT_IDENTICAL],
			   " identical");
		para_count(&p, "", e->verdicts[VERDICT_EQUIVALENT],
			   " equivalent");
		para_count(&p, "", e->verdicts[VERDICT_DIFFERENT],
			   " different");
		para_count(&p, "", e->verdicts[VERDICT_NOT_COMPARED],
			   " not compared");
		if (e->overload > 0)
			para_count(&p, "", e->overload, " of them overload");
		para_end(&p);
	}
}

static void unused(struct text *t, const struct report_rules *r)
{
	size_t left = 0;
	char name[64];

	for (size_t i = 0; i < r->lines; i++) {
		const struct report_rule *l = &r->line[i];

		if (l->hits > 0 || l->preset)
			continue;
		if (left++ >= UNUSED_SHOWN)
			continue;
		text_add(t, "%-*s%s:%u was not needed\n", INDENT,
			 left == 1 ? "rules" : "",
			 text_safe(name, sizeof(name), l->source,
				   strlen(l->source)),
			 l->number);
	}
	if (left > UNUSED_SHOWN)
		text_add(t, "%*sand %zu more\n", INDENT, "",
			 left - UNUSED_SHOWN);
}

void report_text_rules(struct text *t, const struct report_data *d)
{
	const struct report_rules *r = d->rules;
	char a[TEXT_NUMBER], b[TEXT_NUMBER];

	if (!r)
		return;
	made(t, r);
	endpoints(t, r);
	text_add(t, "%-*s%s answers were handed over, %s judged\n", INDENT,
		 "desk", text_number(a, r->handed), text_number(b, r->judged));
	unused(t, r);
}

void report_json_rules(struct json *j, const struct report_data *d)
{
	const struct report_rules *r = d->rules;

	if (!r)
		return;
	json_object(j, "rules");
	json_u64(j, "handed", r->handed);
	json_u64(j, "judged", r->judged);
	report_put_counts(j, "equivalent", &r->made);
	report_put_counts(j, "versions", &r->versions);
	report_put_counts(j, "sessions", &r->sessions);
	json_array(j, "endpoints");
	for (size_t i = 0; i < r->endpoints; i++) {
		json_object(j, NULL);
		json_str(j, "name", r->endpoint[i].name);
		for (unsigned v = 0; v < VERDICT_COUNT; v++)
			json_u64(j, verdict_name((enum verdict)v),
				 r->endpoint[i].verdicts[v]);
		json_u64(j, "overload", r->endpoint[i].overload);
		json_close_object(j);
	}
	json_close_array(j);
	json_array(j, "lines");
	for (size_t i = 0; i < r->lines; i++) {
		const struct report_rule *l = &r->line[i];

		if (l->hits == 0 && l->preset)
			continue;
		json_object(j, NULL);
		json_str(j, "source", l->source);
		json_u64(j, "line", l->number);
		json_u64(j, "hits", l->hits);
		json_u64(j, "alone", l->alone);
		json_close_object(j);
	}
	json_close_array(j);
	json_close_object(j);
}
