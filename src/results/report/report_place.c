/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_place.c - Where answers differ: by --map, and by endpoint
 *
 * The list of endpoints stands at the very end of the summary, where the eye is
 * when a run has ended. Each line has how often, what, since when (UTC) and
 * which request; names are captured bytes, and are cut to the width of a line.
 */
#include <string.h>

#include "report/report_internal.h"

#define INDENT 12

static void put_map(struct text *t, const struct report_map *m)
{
	char a[TEXT_ENDPOINT], b[TEXT_ENDPOINT];
	const struct report_endpoint *p = &m->production;
	const struct report_endpoint *s = &m->sut;

	if (p->port == 0)
		text_ip(a, &p->ip);
	else
		text_endpoint(a, &p->ip, p->port);
	if (s->port == 0)
		text_ip(b, &s->ip);
	else
		text_endpoint(b, &s->ip, s->port);
	if (INDENT + strlen(a) + 4 + strlen(b) <= TEXT_COLUMNS)
		text_add(t, "%s to %s\n", a, b);
	else
		text_add(t, "%s\n%*sto %s\n", a, INDENT, "", b);
}

static void put_map_sums(struct text *t, const struct report_map_sums *m)
{
	static const char *const words[VERDICT_COUNT] = {
		"identical", "equivalent", "different", "not compared"
	};
	char n[TEXT_NUMBER];
	size_t column = 0;

	for (unsigned v = 0; v < VERDICT_COUNT; v++) {
		char item[64];
		struct text s;

		text_begin(&s, item, sizeof(item));
		text_add(&s, "%s %s", text_number(n, m->verdicts[v]), words[v]);
		if (column > 0 && INDENT + 4 + column + s.len > TEXT_COLUMNS) {
			text_add(t, ",\n");
			column = 0;
		}
		if (column == 0)
			text_add(t, "%*s  %s", INDENT, "", item);
		else
			text_add(t, ", %s", item);
		column += s.len + 2;
	}
	text_add(t, "\n");
}

static void put_reasons(struct text *t, const uint64_t *each)
{
	char n[TEXT_NUMBER];
	size_t column = 0;

	for (unsigned i = 0; i < REASON_COUNT; i++) {
		char item[64];
		struct text s;

		if (each[i] == 0)
			continue;
		text_begin(&s, item, sizeof(item));
		text_add(&s, "%s %s", reason_name((enum compare_reason)i),
			 text_number(n, each[i]));
		if (column > 0 && INDENT + 6 + column + s.len > TEXT_COLUMNS) {
			text_add(t, ",\n");
			column = 0;
		}
		if (column == 0)
			text_add(t, "%*s    %s", INDENT, "", item);
		else
			text_add(t, ", %s", item);
		column += s.len + 2;
	}
	if (column > 0)
		text_add(t, "\n");
}

void report_text_maps(struct text *t, const struct report_data *d)
{
	for (size_t i = 0; d->maps > 1 && i < d->maps; i++) {
		text_add(t, "%-*s", INDENT, i == 0 ? "maps" : "");
		put_map(t, &d->map[i].map);
		if (d->map[i].baseline)
			text_add(t, "%*s  baseline:\n", INDENT, "");
		put_map_sums(t, &d->map[i]);
		put_reasons(t, d->map[i].each);
	}
}

/* May a word stand in a command line as it is? */
static bool is_plain(const char *s)
{
	size_t n =
		strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			  "0123456789_./+:,=-");

	return n > 0 && s[n] == '\0' && s[0] != '-';
}

static void put_again(struct text *t, const struct report_data *d)
{
	const struct report_place *p = &d->place[0];
	const char *file = d->frames;

	if (!file || p->client_port == 0 || strcmp(file, "-") == 0)
		return;
	if (!is_plain(file) || strlen(file) > 30)
		file = "FILE";
	text_add(t,
		 "play one of the first again:\n"
		 "  understudy replay -r %s %s '%s port %u'\n",
		 file, d->again ? d->again : "--sut-dev DEV --map ...",
		 p->udp ? "udp" : "tcp", (unsigned)p->client_port);
}

/* Where it fits; --json has all of them. */
static void put_curl(struct text *t, const struct report_place *p)
{
	char line[TEXT_COLUMNS + 1 - INDENT];
	struct text s;

	text_begin(&s, line, sizeof(line));
	if (report_curl(&s, p))
		text_add(t, "%*s%s\n", INDENT, "", line);
}

static void put_place(struct text *t, const struct report_place *p)
{
	char n[TEXT_NUMBER], when[TEXT_NUMBER];
	char line[TEXT_COLUMNS + 1], name[TEXT_COLUMNS];
	struct text s;

	text_when(when, p->since);
	text_begin(&s, line, sizeof(line));
	text_add(&s, "%11s %-13s %.8s ", text_number(n, p->n),
		 reason_name(p->reason), when + strlen("1970-01-01T"));
	text_safe(name, TEXT_COLUMNS - s.len + 1, p->name, p->name_len);
	text_add(t, "%s%s\n", line, p->name_len == 0 ? "-" : name);
	put_curl(t, p);
	if (p->kind.id == 0)
		return;
	text_begin(&s, line, sizeof(line));
	text_add(&s, "%11s %s %s: ", "",
		 case_judge_name((enum case_judge)p->kind.judge),
		 case_change_name((enum case_change)p->kind.change));
	text_safe(name, TEXT_COLUMNS - s.len - KIND_NAME, p->kind.place,
		  strlen(p->kind.place));
	text_add(t, "%s%s %s\n", line, name, kind_name(when, p->kind.id));
}

void report_text_places(struct text *t, const struct report_data *d)
{
	if (d->places == 0)
		return;
	text_add(t, "\nmost different, and since when (UTC):\n");
	for (size_t i = 0; i < d->places && i < REPORT_TOP; i++)
		put_place(t, &d->place[i]);
	put_again(t, d);
}

static void put_kind(struct json *j, const struct diff_kind *k)
{
	char id[KIND_NAME];

	json_str(j, "kind_id", kind_name(id, k->id));
	json_str(j, "judge", case_judge_name((enum case_judge)k->judge));
	json_str(j, "change", case_change_name((enum case_change)k->change));
	json_bytes(j, "place", k->place, strlen(k->place));
}

static void json_places(struct json *j, const struct report_data *d)
{
	char curl[3 * REPORT_REQUEST];
	char when[TEXT_NUMBER];
	struct text line;

	json_array(j, "endpoints");
	for (size_t i = 0; i < d->places && i < REPORT_TOP; i++) {
		const struct report_place *p = &d->place[i];

		json_object(j, NULL);
		json_bytes(j, "request", p->name, p->name_len);
		json_str(j, "reason", reason_name(p->reason));
		json_u64(j, "different", p->n);
		json_u64(j, "over", p->over);
		json_str(j, "since", text_when(when, p->since));
		json_str(j, "last", text_when(when, p->last));
		text_begin(&line, curl, sizeof(curl));
		if (report_curl(&line, p))
			json_str(j, "curl", curl);
		if (p->map < d->maps)
			report_put_endpoint(j, "sut", &d->map[p->map].map.sut);
		json_u64(j, "client_port", p->client_port);
		if (p->kind.id != 0)
			put_kind(j, &p->kind);
		json_close_object(j);
	}
	json_close_array(j);
}

void report_json_places(struct json *j, const struct report_data *d)
{
	json_array(j, "maps");
	for (size_t i = 0; i < d->maps; i++) {
		const struct report_map_sums *m = &d->map[i];

		json_object(j, NULL);
		report_put_endpoint(j, "production", &m->map.production);
		report_put_endpoint(j, "sut", &m->map.sut);
		if (m->baseline)
			json_bool(j, "baseline", true);
		for (unsigned v = 0; v < VERDICT_COUNT; v++)
			json_u64(j, verdict_name((enum verdict)v),
				 m->verdicts[v]);
		report_json_each(j, m->each);
		json_close_object(j);
	}
	json_close_array(j);
	json_places(j, d);
}
