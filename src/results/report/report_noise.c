/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_noise.c - What a baseline shows too
 */
#include <string.h>

#include "report/report_internal.h"

uint64_t report_excused(const struct report_data *d)
{
	return d->noise ? d->noise->excused : 0;
}

static void put_place(struct text *t, const struct report_noise_place *p)
{
	char n[4][TEXT_NUMBER];
	char line[TEXT_COLUMNS + 1], name[TEXT_COLUMNS];
	struct text s;

	text_begin(&s, line, sizeof(line));
	text_add(&s, "  %-9s ", p->state);
	text_safe(name, TEXT_COLUMNS - s.len, p->name, p->name_len);
	text_add(t, "%s%s\n", line, p->name_len == 0 ? "-" : name);
	text_begin(&s, line, sizeof(line));
	text_add(&s, "%*s%s %s: ", INDENT, "",
		 p->kind.judge == CASE_NOBODY
			 ? reason_name(p->reason)
			 : case_judge_name((enum case_judge)p->kind.judge),
		 case_change_name((enum case_change)p->kind.change));
	text_safe(name, TEXT_COLUMNS - s.len, p->kind.place,
		  strlen(p->kind.place));
	text_add(t, "%s%s\n", line, name);
	text_add(t, "%*sSUT %s, baseline %s, both %s", INDENT, "",
		 text_number(n[0], p->sut + p->lone),
		 text_number(n[1], p->baseline), text_number(n[2], p->both));
	if (p->strange > 0)
		text_add(t, ", of another class %s",
			 text_number(n[3], p->strange));
	text_add(t, "\n");
}

void report_text_noise(struct text *t, const struct report_data *d)
{
	const struct report_noise *r = d->noise;
	char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER];

	if (!r)
		return;
	text_add(t, "%-*s%s answers compared on both, %s on the SUT only\n",
		 INDENT, "baseline", text_number(a, r->paired),
		 text_number(b, r->alone));
	text_add(t, "%*s%s differ only as it does, too\n", INDENT, "",
		 text_number(c, r->excused));
	for (size_t i = 0; i < r->places && i < REPORT_TOP; i++)
		put_place(t, &r->place[i]);
}

void report_json_noise(struct json *j, const struct report_data *d)
{
	const struct report_noise *r = d->noise;

	if (!r)
		return;
	json_object(j, "baseline");
	json_u64(j, "paired", r->paired);
	json_u64(j, "alone", r->alone);
	json_u64(j, "lost", r->lost);
	json_u64(j, "beyond", r->beyond);
	json_u64(j, "noise", r->excused);
	json_array(j, "places");
	for (size_t i = 0; i < r->places && i < REPORT_NOISE; i++) {
		const struct report_noise_place *p = &r->place[i];

		json_object(j, NULL);
		json_bytes(j, "request", p->name, p->name_len);
		json_str(j, "reason", reason_name(p->reason));
		json_str(j, "judge",
			 case_judge_name((enum case_judge)p->kind.judge));
		json_str(j, "change",
			 case_change_name((enum case_change)p->kind.change));
		json_bytes(j, "place", p->kind.place, strlen(p->kind.place));
		json_str(j, "state", p->state);
		json_u64(j, "sut", p->sut);
		json_u64(j, "baseline", p->baseline);
		json_u64(j, "both", p->both);
		json_u64(j, "lone", p->lone);
		json_u64(j, "strange", p->strange);
		json_u64(j, "p_ppm", p->ppm);
		json_close_object(j);
	}
	json_close_array(j);
	json_close_object(j);
}
