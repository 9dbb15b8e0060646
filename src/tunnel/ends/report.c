/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - What a tunnel says of itself at its end
 */
#include <inttypes.h>
#include <stdio.h>

#include "ends/ends_internal.h"
#include "text/json.h"
#include "text/text.h"

#define LINE_MOST                                                              \
	32768 /* of JSON: counters of 16 paths and of three machines */

static const struct counter rows[] = { ENDS_COUNTERS(COUNTER_ROW,
						     struct ends_counters) };

const struct counter_list ends_counter_list = COUNTER_LIST(rows);

static void put_json(struct json *j, const char *key,
		     const struct counter_list *l, const void *base)
{
	if (key != NULL)
		json_object(j, key);
	for (size_t i = 0; i < l->n; i++)
		json_u64(j, l->row[i].name, counter_get(&l->row[i], base));
	if (key != NULL)
		json_close_object(j);
}

static void path_json(struct json *j, const struct ends *t, unsigned i)
{
	const struct ends_path *p = &t->path[i];
	struct mp_path_info info;
	char s[TEXT_ENDPOINT];

	mp_path_info(t->mp, i, &info);
	json_object(j, NULL);
	json_u64(j, "path", i);
	json_str(j, "to", text_endpoint(s, &p->way.remote, p->way.port));
	json_bool(j, "alive", info.alive);
	json_u64(j, "rate", info.rate);
	json_us(j, "rtt_us", info.srtt);
	json_us(j, "min_rtt_us", info.min_rtt);
	put_json(j, NULL, &mp_path_counter_list, &info.n);
	json_close_object(j);
}

static void report_json(const struct ends *t)
{
	static char line[LINE_MOST];
	struct json j;
	size_t n;

	json_begin(&j, line, sizeof(line));
	json_str(&j, "type", "tunnel");
	json_u64(&j, "schema", 1);
	json_array(&j, "paths");
	for (unsigned i = 0; i < ENDS_PATHS; i++)
		if (t->path[i].added)
			path_json(&j, t, i);
	json_close_array(&j);
	put_json(&j, "ends", &ends_counter_list, &t->n);
	put_json(&j, "link", &link_counter_list, link_counters(t->link));
	put_json(&j, "machine", &mp_counter_list, mp_counters(t->mp));
	n = json_line(&j);
	fwrite(line, 1, n, stdout);
}

/* What is 0 is not worth a line. */
static void put_text(const struct counter_list *l, const void *base)
{
	for (size_t i = 0; i < l->n; i++) {
		uint64_t v = counter_get(&l->row[i], base);
		char s[TEXT_NUMBER];

		if (v > 0)
			printf("  %15s  %s\n", text_number(s, v),
			       l->row[i].help);
	}
}

static void path_text(const struct ends *t, unsigned i)
{
	const struct ends_path *p = &t->path[i];
	char to[TEXT_ENDPOINT], rate[TEXT_NUMBER], rtt[TEXT_NUMBER];
	struct mp_path_info info;

	mp_path_info(t->mp, i, &info);
	printf("path %u to %s: %s, %s/s, round trip %s\n", i,
	       text_endpoint(to, &p->way.remote, p->way.port),
	       info.alive ? "alive" : "silent", text_amount(rate, info.rate),
	       text_time(rtt, info.srtt));
	put_text(&mp_path_counter_list, &info.n);
}

void report_end(const struct ends *t)
{
	if (t->o->json) {
		report_json(t);
	} else if (!t->o->quiet) {
		for (unsigned i = 0; i < ENDS_PATHS; i++)
			if (t->path[i].added)
				path_text(t, i);
		printf("all paths\n");
		put_text(&mp_counter_list, mp_counters(t->mp));
		printf("datagrams\n");
		put_text(&link_counter_list, link_counters(t->link));
		printf("device and sockets\n");
		put_text(&ends_counter_list, &t->n);
	}
	fflush(stdout);
}
