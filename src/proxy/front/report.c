/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - What a proxy says of itself, at its end and when it is asked
 */
#include <stdio.h>

#include "front/front_internal.h"
#include "text/json.h"
#include "text/text.h"

#define LINE_MOST   65536 /* of JSON: all counters, and all servers */
#define SERVERS_ALL (FRONT_LISTENERS * SERVERS_PLACES)

static const struct counter rows[] = { FRONT_COUNTERS(COUNTER_ROW,
						      struct front_counters) };
static const struct counter gauge_rows[] = { FRONT_GAUGES(
	COUNTER_ROW, struct front_gauges) };
static const struct counter server_gauge_rows[] = { FRONT_SERVER_GAUGES(
	COUNTER_ROW, struct front_server_gauges) };

const struct counter_list front_counter_list = COUNTER_LIST(rows);
const struct counter_list front_gauge_list = COUNTER_LIST(gauge_rows);
const struct counter_list front_server_gauge_list =
	COUNTER_LIST(server_gauge_rows);

/* Of the library's counters, those of segments and ways. */
#define KERNEL_COUNTERS(X, T)                                                  \
	X(T, relayed, "", "segments passed on in the kernel")                  \
	X(T, to_stack, "", "segments that our own sockets got")                \
	X(T, dropped, "", "segments that could not be passed on")              \
	X(T, too_long, "", "segments answered with \"too big\"")               \
	X(T, failed, "", "segments that the kernel could not send or change")  \
	X(T, errors, "", "messages of ICMP that were passed on")               \
	X(T, missed, "", "events that did not fit, and were found later")      \
	X(T, moved, "", "pairs whose way to an end has changed")               \
	X(T, astray, "", "pairs to one of whose ends there was no way")        \
	X(T, mended, "", "times that the program was attached again")          \
	X(T, syn_begun, "", "connections whose SYN was passed on")             \
	X(T, syn_closed, "", "of these, closed by both ends")                  \
	X(T, syn_reset, "", "the same, reset by one")                          \
	X(T, syn_idle, "", "the same, for --idle-timeout silent")              \
	X(T, syn_half_closed, "",                                              \
	  "the same, silent for --half-closed-timeout")                        \
	X(T, syn_unopened, "", "the same, never opened")                       \
	X(T, syn_full, "", "SYNs for which there was no room: the listener's") \
	X(T, syn_ports, "", "SYNs for which no port was free: the listener's")

static const struct counter kernel_rows[] = { KERNEL_COUNTERS(
	COUNTER_ROW, struct usplice_counters) };
static const struct counter_list kernel_list = COUNTER_LIST(kernel_rows);
static const struct counter kernel_gauge_rows[] = {
	COUNTER_ROW(struct usplice_counters, live, "", "spliced, and not over")
		COUNTER_ROW(struct usplice_counters, syn_live, "",
			    "passed on from the SYN, and not over")
			COUNTER_ROW(struct usplice_counters, syn_opening, "",
				    "of these, not open yet")
};
static const struct counter_list kernel_gauge_list =
	COUNTER_LIST(kernel_gauge_rows);

/* Of accepted, those of which nothing is settled yet. */
static uint64_t opening(const struct front_counters *n)
{
	return n->accepted - n->spliced - n->copied - n->refused - n->failed;
}

static uint64_t open_now(const struct front_counters *n)
{
	return n->spliced + n->copied - n->ended_closed - n->ended_reset -
	       n->ended_idle - n->ended_half_closed - n->ended_lost -
	       n->ended_stopped - n->ended_killed - n->ended_left;
}

/* --- what a control socket shows --- */

static bool find_connections(void *ctx, unsigned i, struct ctl_item *out)
{
	static struct front_gauges g;
	struct front *f = ctx;

	(void)i;
	g = (struct front_gauges){
		.opening = opening(&f->n),
		.open = open_now(&f->n),
		.used = f->n_conns,
		.copying = f->n_copies,
		.draining = f->stop_at != UINT64_MAX,
	};
	out->counters = &f->n;
	out->gauges = &g;
	return true;
}

static bool find_server(void *ctx, unsigned i, struct ctl_item *out)
{
	static struct front_server_gauges g;
	struct front *f = ctx;
	const struct servers *l = &f->servers[i / SERVERS_PLACES];
	const struct server *s = &l->s[i % SERVERS_PLACES];

	if (i % SERVERS_PLACES >= l->n || s->gone)
		return false;
	g = (struct front_server_gauges){
		.users = s->users,
		.out = s->out,
		.drained = s->drained,
	};
	out->counters = &s->n;
	out->gauges = &g;
	text_endpoint(out->note, &s->ip, s->port);
	return true;
}

static bool find_kernel(void *ctx, unsigned i, struct ctl_item *out)
{
	static struct usplice_counters k;
	struct front *f = ctx;

	(void)i;
	if (f->splicer == NULL || usplice_counters(f->splicer, &k) != 0)
		return false;
	out->counters = out->gauges = &k;
	return true;
}

static bool find_ctl(void *ctx, unsigned i, struct ctl_item *out)
{
	struct front *f = ctx;

	(void)i;
	if (f->ctl == NULL)
		return false;
	out->counters = ctl_counters(f->ctl);
	return true;
}

static bool find_metrics(void *ctx, unsigned i, struct ctl_item *out)
{
	struct front *f = ctx;

	(void)i;
	if (f->metrics == NULL)
		return false;
	out->counters = metrics_counters(f->metrics);
	return true;
}

static const struct ctl_group groups[] = {
	{ "connections", "connections", 0, &front_counter_list,
	  &front_gauge_list, find_connections },
	{ "server", "server", SERVERS_ALL, &server_counter_list,
	  &front_server_gauge_list, find_server },
	{ "kernel", "kernel", 0, &kernel_list, &kernel_gauge_list,
	  find_kernel },
	{ "ctl", "control socket", 0, &ctl_counter_list, NULL, find_ctl },
	{ "metrics", "metrics", 0, &metrics_counter_list, NULL, find_metrics },
};

struct ctl_shown front_shown(struct front *f)
{
	return (struct ctl_shown){ "proxy", groups,
				   sizeof(groups) / sizeof(groups[0]), f };
}

/* --- JSON --- */

static void put_servers(struct json *j, const struct front *f)
{
	char s[TEXT_ENDPOINT];

	json_array(j, "servers");
	for (unsigned p = 0; p < f->o->places; p++)
		for (unsigned i = 0; i < f->servers[p].n; i++) {
			const struct server *v = &f->servers[p].s[i];

			if (v->gone)
				continue;
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

static void put_all(struct json *j, const struct counter_list *l,
		    const void *base)
{
	for (size_t i = 0; i < l->n; i++)
		json_u64(j, l->row[i].name, counter_get(&l->row[i], base));
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
	put_all(&j, &front_counter_list, &f->n);
	json_u64(&j, "opening", opening(&f->n));
	json_u64(&j, "open", open_now(&f->n));
	put_servers(&j, f);
	if (kernel != NULL) {
		json_object(&j, "kernel");
		put_all(&j, &kernel_gauge_list, kernel);
		put_all(&j, &kernel_list, kernel);
		json_close_object(&j);
	}
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
			if (f->servers[p].s[i].out && !f->servers[p].s[i].gone)
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
