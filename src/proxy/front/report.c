/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - What a proxy says of itself at its end
 */
#include <stdio.h>

#include "front/front_internal.h"
#include "text/json.h"
#include "text/text.h"

#define LINE_MOST 65536 /* of JSON: all counters, and all servers */

static const struct counter rows[] = { FRONT_COUNTERS(COUNTER_ROW,
						      struct front_counters) };

const struct counter_list front_counter_list = COUNTER_LIST(rows);

/* Of accepted, those of which nothing is settled yet. */
static uint64_t opening(const struct front_counters *n)
{
	return n->accepted - n->spliced - n->copied - n->refused - n->failed;
}

static uint64_t open_now(const struct front_counters *n)
{
	return n->spliced + n->copied - n->ended_closed - n->ended_reset -
	       n->ended_idle - n->ended_half_closed - n->ended_lost -
	       n->ended_stopped - n->ended_left;
}

/* --- JSON --- */

static void put_servers(struct json *j, const struct front *f)
{
	char s[TEXT_ENDPOINT];

	json_array(j, "servers");
	for (unsigned p = 0; p < f->o->places; p++)
		for (unsigned i = 0; i < f->servers[p].n; i++) {
			const struct server *v = &f->servers[p].s[i];

			json_object(j, NULL);
			json_str(j, "listener",
				 text_endpoint(s, &f->o->place[p].ip,
					       f->o->place[p].port));
			json_str(j, "server",
				 text_endpoint(s, &v->ip, v->port));
			json_bool(j, "out", v->out);
			json_close_object(j);
		}
	json_close_array(j);
}

static void put_kernel(struct json *j, const struct usplice_counters *k)
{
	json_object(j, "kernel");
	json_u64(j, "live", k->live);
	json_u64(j, "relayed", k->relayed);
	json_u64(j, "to_stack", k->to_stack);
	json_u64(j, "dropped", k->dropped);
	json_u64(j, "too_long", k->too_long);
	json_u64(j, "failed", k->failed);
	json_u64(j, "errors", k->errors);
	json_u64(j, "missed", k->missed);
	json_u64(j, "moved", k->moved);
	json_u64(j, "astray", k->astray);
	json_u64(j, "mended", k->mended);
	json_close_object(j);
}

static void report_json(const struct front *f,
			const struct usplice_counters *kernel)
{
	static char line[LINE_MOST];
	struct json j;
	size_t n;

	json_begin(&j, line, sizeof(line));
	json_str(&j, "type", "proxy");
	json_u64(&j, "schema", 1);
	for (size_t i = 0; i < front_counter_list.n; i++)
		json_u64(&j, rows[i].name, counter_get(&rows[i], &f->n));
	json_u64(&j, "opening", opening(&f->n));
	json_u64(&j, "open", open_now(&f->n));
	put_servers(&j, f);
	if (kernel != NULL)
		put_kernel(&j, kernel);
	n = json_line(&j);
	fwrite(line, 1, n, stdout);
}

/* --- text --- */

static void report_text(const struct front *f,
			const struct usplice_counters *kernel)
{
	char s[TEXT_NUMBER], out[TEXT_ENDPOINT];

	/* What is 0 is not worth a line, but for the sum. */
	for (size_t i = 0; i < front_counter_list.n; i++) {
		uint64_t v = counter_get(&rows[i], &f->n);

		if (v > 0 ||
		    rows[i].offset <= offsetof(struct front_counters, failed))
			printf("%17s  %s\n", text_number(s, v), rows[i].help);
	}
	if (opening(&f->n) + open_now(&f->n) > 0)
		printf("%17s  still open\n",
		       text_number(s, opening(&f->n) + open_now(&f->n)));
	if (kernel != NULL)
		printf("%17s  segments passed on in the kernel\n",
		       text_number(s, kernel->relayed));
	for (unsigned p = 0; p < f->o->places; p++)
		for (unsigned i = 0; i < f->servers[p].n; i++)
			if (f->servers[p].s[i].out)
				printf("%s is out\n",
				       text_endpoint(out,
						     &f->servers[p].s[i].ip,
						     f->servers[p].s[i].port));
}

void front_report(const struct front *f)
{
	struct usplice_counters kernel;
	bool has = f->splicer != NULL &&
		   usplice_counters(f->splicer, &kernel) == 0;

	if (f->o->json)
		report_json(f, has ? &kernel : NULL);
	else if (!f->o->quiet)
		report_text(f, has ? &kernel : NULL);
	fflush(stdout);
}
