/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - What a proxy says of itself, at its end and when it is asked
 */
#include <stdio.h>

#include "face/state.h"
#include "os/log.h"
#include "text/json.h"
#include "text/text.h"

#define LINE_MOST 131072 /* of JSON: all counters, and all servers */

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
	X(T, challenged, "", "SYNs of live pairs, which were answered")        \
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

void front_count(struct front_state *s)
{
	s->g.opening = opening(&s->n);
	s->g.open = open_now(&s->n);
}

/* --- of several --- */

static void sum_server(struct front_server *place,
		       const struct front_server *from)
{
	struct front_server *free = NULL;
	struct front_server *to = NULL;

	for (unsigned i = 0; i < SERVERS_PLACES && !to; i++) {
		struct front_server *v = &place[i];

		if (!v->there && !free)
			free = v;
		else if (v->there && v->port == from->port &&
			 ipaddr_eq(&v->ip, &from->ip))
			to = v;
	}
	if (!to && free)
		*free = *from;
	if (!to)
		return;
	counter_add(&server_counter_list, &to->n, &from->n);
	to->g.users += from->g.users;
	to->g.out |= from->g.out;
	to->g.drained |= from->g.drained;
}

void front_sum(struct front_state *to, const struct front_state *from)
{
	uint64_t draining = to->g.draining | from->g.draining;

	counter_add(&front_counter_list, &to->n, &from->n);
	counter_add(&front_gauge_list, &to->g, &from->g);
	to->g.draining = draining;
	if (from->has_kernel && !to->has_kernel) {
		to->kernel = from->kernel;
		to->has_kernel = true;
	} else if (from->has_kernel) {
		counter_add(&kernel_list, &to->kernel, &from->kernel);
		counter_add(&kernel_gauge_list, &to->kernel, &from->kernel);
	}
	if (from->has_tap && !to->has_tap) {
		to->tap = from->tap;
		to->has_tap = true;
	} else if (from->has_tap) {
		counter_add(&tap_counter_list, &to->tap, &from->tap);
	}
	for (unsigned i = 0; i < FRONT_SERVERS; i++)
		if (from->server[i].there)
			sum_server(&to->server[i / SERVERS_PLACES *
					       SERVERS_PLACES],
				   &from->server[i]);
}

/* --- what a control socket shows --- */

static bool find_connections(void *ctx, unsigned i, struct ctl_item *out)
{
	const struct front_view *v = ctx;

	(void)i;
	v->look(v->ctx);
	out->counters = &v->s->n;
	out->gauges = &v->s->g;
	return true;
}

static bool find_server(void *ctx, unsigned i, struct ctl_item *out)
{
	const struct front_view *v = ctx;
	const struct front_server *s = &v->s->server[i];

	if (!s->there)
		return false;
	out->counters = &s->n;
	out->gauges = &s->g;
	text_endpoint(out->note, &s->ip, s->port);
	return true;
}

static bool find_kernel(void *ctx, unsigned i, struct ctl_item *out)
{
	const struct front_view *v = ctx;

	(void)i;
	out->counters = out->gauges = &v->s->kernel;
	return v->s->has_kernel;
}

static bool find_tap(void *ctx, unsigned i, struct ctl_item *out)
{
	const struct front_view *v = ctx;

	(void)i;
	out->counters = &v->s->tap;
	return v->s->has_tap;
}

static bool find_ctl(void *ctx, unsigned i, struct ctl_item *out)
{
	const struct front_view *v = ctx;

	(void)i;
	if (!*v->ctl)
		return false;
	out->counters = ctl_counters(*v->ctl);
	return true;
}

static bool find_metrics(void *ctx, unsigned i, struct ctl_item *out)
{
	const struct front_view *v = ctx;

	(void)i;
	if (!*v->metrics)
		return false;
	out->counters = metrics_counters(*v->metrics);
	return true;
}

const struct ctl_group front_groups[FRONT_GROUPS] = {
	{ "connections", "connections", 0, &front_counter_list,
	  &front_gauge_list, find_connections },
	{ "server", "server", FRONT_SERVERS, &server_counter_list,
	  &front_server_gauge_list, find_server },
	{ "kernel", "kernel", 0, &kernel_list, &kernel_gauge_list,
	  find_kernel },
	{ "tap", "tap", 0, &tap_counter_list, NULL, find_tap },
	{ "ctl", "control socket", 0, &ctl_counter_list, NULL, find_ctl },
	{ "metrics", "metrics", 0, &metrics_counter_list, NULL, find_metrics },
};

/* --- JSON --- */

static void put_servers(struct json *j, const struct front_view *v)
{
	char s[TEXT_ENDPOINT];

	json_array(j, "servers");
	for (unsigned i = 0; i < FRONT_SERVERS; i++) {
		const struct front_server *k = &v->s->server[i];
		const struct setup_place *p = &v->o->place[i / SERVERS_PLACES];

		if (!k->there)
			continue;
		json_object(j, NULL);
		json_str(j, "listener", text_endpoint(s, &p->ip, p->port));
		json_str(j, "server", text_endpoint(s, &k->ip, k->port));
		json_bool(j, "out", k->g.out);
		json_u64(j, "taken", k->n.taken);
		json_u64(j, "not_taken", k->n.not_taken);
		json_u64(j, "passed", k->n.passed);
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

static void report_json(const struct front_view *v)
{
	static char line[LINE_MOST];
	struct json j;
	size_t n;

	json_begin(&j, line, sizeof(line));
	json_str(&j, "type", "proxy");
	json_u64(&j, "schema", 1);
	put_all(&j, &front_counter_list, &v->s->n);
	json_u64(&j, "opening", v->s->g.opening);
	json_u64(&j, "open", v->s->g.open);
	put_servers(&j, v);
	if (v->s->has_kernel) {
		json_object(&j, "kernel");
		put_all(&j, &kernel_gauge_list, &v->s->kernel);
		put_all(&j, &kernel_list, &v->s->kernel);
		json_close_object(&j);
	}
	if (v->s->has_tap) {
		json_object(&j, "tap");
		put_all(&j, &tap_counter_list, &v->s->tap);
		json_close_object(&j);
	}
	n = json_line(&j);
	fwrite(line, 1, n, stdout);
}

/* --- text --- */

static void report_text(const struct front_state *s)
{
	char number[TEXT_NUMBER], who[TEXT_ENDPOINT];

	/* What is 0 is not worth a line, but for the sum. */
	for (size_t i = 0; i < front_counter_list.n; i++) {
		uint64_t v = counter_get(&rows[i], &s->n);

		if (v > 0 ||
		    rows[i].offset <= offsetof(struct front_counters, failed))
			printf("%17s  %s\n", text_number(number, v),
			       rows[i].help);
	}
	if (s->g.opening + s->g.open > 0)
		printf("%17s  still open\n",
		       text_number(number, s->g.opening + s->g.open));
	if (s->has_kernel)
		printf("%17s  segments passed on in the kernel\n",
		       text_number(number, s->kernel.relayed));
	for (size_t i = 0; s->has_tap && i < tap_counter_list.n; i++) {
		const struct counter *c = &tap_counter_list.row[i];

		if (counter_get(c, &s->tap) > 0)
			printf("%17s  %s\n",
			       text_number(number, counter_get(c, &s->tap)),
			       c->help);
	}
	for (unsigned i = 0; i < FRONT_SERVERS; i++)
		if (s->server[i].there && s->server[i].g.out)
			printf("%s is out\n",
			       text_endpoint(who, &s->server[i].ip,
					     s->server[i].port));
}

void front_print(const struct front_view *v)
{
	if (v->o->json)
		report_json(v);
	else if (!v->o->quiet)
		report_text(v->s);
	fflush(stdout);
}

void front_say_start(const struct front_view *v)
{
	char s[TEXT_ENDPOINT];

	if (v->o->quiet)
		return;
	for (unsigned i = 0; i < v->o->places; i++) {
		const struct setup_place *p = &v->o->place[i];

		log_line(LOG_INFO, "proxy: at %s, %s",
			 text_endpoint(s, &p->ip, p->port),
			 !v->s->has_kernel ? "copied"
			 : p->http ? "CONNECT spliced in the kernel, other "
				     "requests copied"
			 : v->o->splice == SETUP_SYN && p->servers.n > 0
				 ? "passed on in the kernel"
				 : "spliced in the kernel");
	}
	if (v->o->tap)
		log_line(LOG_INFO, "proxy: copies for a shadow at %s",
			 v->o->tap);
	if (v->s->n.adopted > 0)
		log_line(LOG_INFO, "proxy: %llu spliced connections go on",
			 (unsigned long long)v->s->n.adopted);
}
