/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show.c - Groups of counters as a person, a program and Prometheus read them
 */
#include <inttypes.h>
#include <string.h>

#include "core/limits.h"
#include "ctl/ctl.h"

#define KEY 32 /* bytes of a group's name with an s */

static bool is_unit(const struct counter *c, const char *unit)
{
	return strcmp(c->unit, unit) == 0;
}

/* --- text --- */

static void text_value(struct text *t, const struct counter *c, uint64_t v,
		       bool gauge)
{
	char s[TEXT_NUMBER];

	if (is_unit(c, "bool"))
		text_add(t, "  %15s", v != 0 ? "yes" : "no");
	else if (gauge && is_unit(c, "us"))
		text_add(t, "  %15s", text_time(s, v * NS_PER_US));
	else if (gauge && is_unit(c, "bytes/s"))
		text_add(t, "  %13s/s", text_amount(s, v));
	else
		text_add(t, "  %15s", text_number(s, v));
	text_add(t, "  %s\n", c->help);
}

static void text_list(struct text *t, const struct counter_list *l,
		      const void *base, bool gauges)
{
	for (size_t i = 0; l && i < l->n; i++) {
		uint64_t v = counter_get(&l->row[i], base);

		if (gauges || v != 0)
			text_value(t, &l->row[i], v, gauges);
	}
}

static void text_group(const struct ctl_shown *s, const struct ctl_group *g,
		       struct text *t)
{
	struct ctl_item item;

	for (unsigned i = 0; i == 0 || i < g->numbers; i++) {
		item.note[0] = '\0';
		if (!g->find(s->ctx, i, &item))
			continue;
		text_add(t, "%s", g->title);
		if (g->numbers > 0)
			text_add(t, " %u", i);
		text_add(t, "%s%s\n", item.note[0] != '\0' ? " to " : "",
			 item.note);
		text_list(t, g->gauges, item.gauges, true);
		text_list(t, g->counters, item.counters, false);
	}
}

void ctl_show_text(const struct ctl_shown *s, struct text *t)
{
	for (size_t i = 0; i < s->groups; i++)
		text_group(s, &s->group[i], t);
}

/* --- JSON --- */

static void json_list(struct json *j, const struct counter_list *l,
		      const void *base)
{
	for (size_t i = 0; l && i < l->n; i++) {
		const struct counter *c = &l->row[i];

		if (is_unit(c, "bool"))
			json_bool(j, c->name, counter_get(c, base) != 0);
		else
			json_u64(j, c->name, counter_get(c, base));
	}
}

static void json_group(const struct ctl_shown *s, const struct ctl_group *g,
		       struct json *j)
{
	struct ctl_item item;
	char key[KEY];
	struct text t;

	text_begin(&t, key, sizeof(key));
	text_add(&t, "%s%s", g->name, g->numbers > 0 ? "s" : "");
	if (g->numbers > 0)
		json_array(j, key);
	for (unsigned i = 0; i == 0 || i < g->numbers; i++) {
		item.note[0] = '\0';
		if (!g->find(s->ctx, i, &item))
			continue;
		json_object(j, g->numbers > 0 ? NULL : key);
		if (g->numbers > 0)
			json_u64(j, g->name, i);
		if (item.note[0] != '\0')
			json_str(j, "to", item.note);
		json_list(j, g->gauges, item.gauges);
		json_list(j, g->counters, item.counters);
		json_close_object(j);
	}
	if (g->numbers > 0)
		json_close_array(j);
}

size_t ctl_show_json(const struct ctl_shown *s, char *buf, size_t size)
{
	struct json j;

	json_begin(&j, buf, size);
	json_str(&j, "type", s->type);
	json_u64(&j, "schema", 1);
	for (size_t i = 0; i < s->groups; i++)
		json_group(s, &s->group[i], &j);
	return json_line(&j);
}

/* --- Prometheus --- */

/* Does the name end with the unit already, as sent_bytes does? */
static bool has_unit(const char *name, const char *unit)
{
	size_t n = strlen(name), k = strlen(unit);

	return n >= k && memcmp(name + n - k, unit, k) == 0;
}

static void labels(const char *group, unsigned i, const char *note,
		   struct text *t)
{
	text_add(t, "{%s=\"%u\"", group, i);
	if (note[0] != '\0') {
		text_add(t, ",to=\"");
		for (const char *c = note; *c != '\0'; c++)
			text_add(t, *c == '"' || *c == '\\' ? "\\%c" : "%c",
				 *c);
		text_add(t, "\"");
	}
	text_add(t, "}");
}

static void family(const struct ctl_shown *s, const struct ctl_group *g,
		   const struct counter *c, bool gauge, struct text *t)
{
	const char *unit = is_unit(c, "bytes/s") ? "bytes_per_second"
			   : is_unit(c, "bool")	 ? ""
						 : c->unit;
	char name[128];
	struct ctl_item item;
	struct text n;

	text_begin(&n, name, sizeof(name));
	text_add(&n, "understudy_%s_%s_%s", s->type, g->name, c->name);
	if (!has_unit(c->name, unit))
		text_add(&n, "_%s", unit);
	if (!gauge)
		text_add(&n, "_total");
	text_add(t, "# HELP %s %s\n# TYPE %s %s\n", name, c->help, name,
		 gauge ? "gauge" : "counter");
	for (unsigned i = 0; i == 0 || i < g->numbers; i++) {
		item.note[0] = '\0';
		if (!g->find(s->ctx, i, &item))
			continue;
		text_add(t, "%s", name);
		if (g->numbers > 0)
			labels(g->name, i, item.note, t);
		text_add(t, " %" PRIu64 "\n",
			 counter_get(c, gauge ? item.gauges : item.counters));
	}
}

void ctl_show_prometheus(const struct ctl_shown *s, struct text *t)
{
	for (size_t i = 0; i < s->groups; i++) {
		const struct ctl_group *g = &s->group[i];

		for (size_t k = 0; g->gauges && k < g->gauges->n; k++)
			family(s, g, &g->gauges->row[k], true, t);
		for (size_t k = 0; g->counters && k < g->counters->n; k++)
			family(s, g, &g->counters->row[k], false, t);
	}
}
