/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_gates.c - What came of gates
 */
#include <string.h>

#include "report/report_internal.h"

const char *report_gate_name(enum report_gate_state s)
{
	static const char *const name[] = {
#define X(id, text) [id] = text,
		REPORT_GATES(X)
#undef X
	};

	return name[s];
}

size_t report_json_gate(char *out, size_t size, const struct report_gate *g)
{
	struct json j;

	json_begin(&j, out, size);
	json_u64(&j, "schema", REPORT_SCHEMA);
	json_str(&j, "type", "gate");
	json_str(&j, "gate", g->name);
	if (g->endpoint)
		json_bytes(&j, "endpoint", g->endpoint, strlen(g->endpoint));
	else
		json_null(&j, "endpoint");
	json_str(&j, "state", report_gate_name(g->state));
	if (g->unit == GATE_ANSWERS) {
		json_i64(&j, "limit", g->limit);
		json_i64(&j, "answers", g->at);
	} else if (g->unit == GATE_LEAK) {
		json_i64(&j, "limit_per_million", g->limit);
		json_i64(&j, "per_million", g->at);
		json_i64(&j, "low_per_million", g->low);
		json_i64(&j, "high_per_million", g->high);
	} else {
		json_i64(&j, "limit_ppm", g->limit);
		json_i64(&j, g->unit == GATE_BY ? "by_ppm" : "share_ppm",
			 g->at);
		json_i64(&j, "low_ppm", g->low);
		json_i64(&j, "high_ppm", g->high);
	}
	if (g->needs > 0)
		json_u64(&j, "answers_needed", g->needs);
	return json_line(&j);
}

/* A share of all, in 1/1000000: four decimals tell it exactly. */
static void add_share(struct text *t, int64_t ppm)
{
	text_add(t, "%llu.%04llu%%", (unsigned long long)ppm / 10000,
		 (unsigned long long)ppm % 10000);
}

static void add_values(struct text *t, const struct report_gate *g)
{
	char n[TEXT_NUMBER];

	switch (g->unit) {
	case GATE_BY:
		if (g->low == 0 && g->high == 0)
			break;
		text_add(t, ", ");
		report_add_percent(t, g->low);
		text_add(t, " to ");
		report_add_percent(t, g->high);
		break;
	case GATE_SHARE:
		text_add(t, ", ");
		add_share(t, g->low);
		text_add(t, " to ");
		add_share(t, g->high);
		break;
	case GATE_ANSWERS:
		text_add(t, ", %s", text_number(n, (uint64_t)g->at));
		break;
	case GATE_LEAK:
		if (g->low != 0 || g->high != 0)
			text_add(t, ", %.1f to %.1f bytes a request",
				 (double)g->low / 1e6, (double)g->high / 1e6);
		break;
	case GATE_UNITS:
		break;
	}
}

static void add_needs(struct text *t, const struct report_gate *g)
{
	char n[TEXT_NUMBER];

	if (g->needs > 0 && g->state == GATE_UNDECIDED)
		text_add(t, "; about %s answers would tell",
			 text_number(n, g->needs));
	else if (g->needs > 0)
		text_add(t, "; %s answers are missing",
			 text_number(n, g->needs));
	else if (g->state == GATE_UNDECIDED && g->unit == GATE_BY)
		text_add(t, "; too few answers, or less than 30 s with some");
	else if (g->state == GATE_UNDECIDED && g->unit == GATE_LEAK)
		text_add(t, "; more requests, or looks, would tell");
	else if (g->state == GATE_UNDECIDED)
		text_add(t, "; no number of answers is known that would tell");
}

size_t report_text_gate(char *out, size_t size, const struct report_gate *g)
{
	char name[64];
	struct text t;

	text_begin(&t, out, size);
	text_add(&t, "%-*s", INDENT, "gate");
	if (g->endpoint)
		text_add(&t, "%s: ",
			 text_safe(name, sizeof(name), g->endpoint,
				   strlen(g->endpoint)));
	text_add(&t, "%s: %s", g->name, report_gate_name(g->state));
	add_values(&t, g);
	add_needs(&t, g);
	text_add(&t, "\n");
	return t.len;
}
