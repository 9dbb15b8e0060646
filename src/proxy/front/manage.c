/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * manage.c - The control socket of a proxy: who is connected, and ends of them
 *
 * Theory of operation
 *
 * Options of OPT_RUNTIME are read where they are needed, each time, and hold
 * from then on; each is sound by itself, so nothing is to be done when one has
 * changed.
 *
 * Connections have numbers that grow along the list of those in use. So a list
 * that is longer than an answer is given in parts, each from where the last one
 * ended, while others come and go; and who is ended by kill is not the next one
 * at his place.
 */
#include <errno.h>
#include <string.h>

#include "front/front_internal.h"
#include "front/manage_internal.h"
#include "front/work_internal.h"
#include "opt/values.h"

#define LIST_LINE 1024 /* bytes of a connection */
#define LIST_ROOM (CTL_ANSWER - 2 * LIST_LINE)
#define KILL_MOST 4096 /* of one request */

/* --- list --- */

static const char *state_of(const struct conn *c)
{
	static const char *const word[] = {
		[CONN_FREE] = "free",	    [CONN_HEAD] = "header",
		[CONN_SOCKS] = "socks",	    [CONN_LOGIN] = "login",
		[CONN_RACE] = "opening",    [CONN_CONNECT] = "connect",
		[CONN_COPY] = "copied",	    [CONN_CLOSE] = "closing",
		[CONN_SPLICED] = "joining",
	};

	return c->joined ? "spliced" : word[c->state];
}

/* Is it a connection yet? It stays for TIMEWAIT. */
static bool is_there(const struct conn *c)
{
	return c->ended == 0;
}

static void list_one(struct conn *c, struct text *out)
{
	char line[LIST_LINE];
	struct json j;

	conn_bytes(c);
	json_begin(&j, line, sizeof(line));
	access_put(&j, c);
	json_str(&j, "state", state_of(c));
	json_us(&j, "age_us", c->f->now - c->began);
	if (json_line(&j) > 0)
		text_add(out, "%s", line);
}

static int list(void *ctx, const char *words, struct text *out,
		struct errbuf *e)
{
	struct front *f = ctx;
	uint64_t from = 0;

	if (words[0] != '\0' && value_get_number(words, &from) != 0)
		return errbuf_set(e, -EINVAL,
				  "list %s: write list [ID], the number of a "
				  "connection",
				  words);
	for (struct list *i = f->conns.next; i != &f->conns; i = i->next) {
		struct conn *c = list_entry(i, struct conn, link);

		if (c->id < from || !is_there(c))
			continue;
		if (out->len > LIST_ROOM) {
			text_add(out, "{\"more\":%llu}\n",
				 (unsigned long long)c->id);
			break;
		}
		list_one(c, out);
	}
	return 0;
}

/* --- kill --- */

/** struct target - Whom kill means: one, or all clients of a network */
struct target {
	uint64_t id; /* 0: by network */
	struct judge_net net;
};

static int get_target(const char *words, struct target *t, struct errbuf *e)
{
	*t = (struct target){ 0 };
	if (value_get_number(words, &t->id) == 0 && t->id > 0)
		return 0;
	t->id = 0;
	if (words[0] != '\0' &&
	    value_get_net(words, strlen(words), &t->net.ip, &t->net.bits) == 0)
		return 0;
	return errbuf_set(e, -EINVAL,
			  "kill %s: write kill ID, as list has it, or kill NET "
			  "for all clients there",
			  words);
}

static bool is_meant(const struct target *t, const struct conn *c)
{
	if (!is_there(c))
		return false;
	return t->id != 0 ? c->id == t->id
			  : ipaddr_in(&c->client, &t->net.ip, t->net.bits);
}

static int kill(void *ctx, const char *words, struct text *out,
		struct errbuf *e)
{
	struct front *f = ctx;
	struct target t;
	unsigned n = 0;
	int rc = get_target(words, &t, e);
	struct json j;

	if (rc != 0)
		return rc;
	for (struct list *i = f->conns.next, *next; i != &f->conns; i = next) {
		struct conn *c = list_entry(i, struct conn, link);

		next = i->next;
		if (!is_meant(&t, c))
			continue;
		if (n == KILL_MOST)
			break;
		conn_kill(c);
		n++;
	}
	if (n == 0)
		return errbuf_set(e, -ENOENT, "kill %s: there is nobody",
				  words);
	text_add(out, "killed %u%s\n", n,
		 n == KILL_MOST ? ", and perhaps there are more" : "");
	if (ctl_event(f->ctl, &j, "kill")) {
		json_str(&j, "who", words);
		json_u64(&j, "killed", n);
		ctl_tell(f->ctl, &j);
	}
	return 0;
}

/* --- drain and ready --- */

void manage_told(struct front *f, const char *what)
{
	struct json j;

	if (ctl_event(f->ctl, &j, what))
		ctl_tell(f->ctl, &j);
}

void manage_server(struct front *f, const char *what, unsigned place,
		   unsigned server)
{
	const struct setup_place *p = &f->o->place[place];
	const struct server *v = &f->servers[place].s[server];
	char s[TEXT_ENDPOINT], listener[TEXT_ENDPOINT];
	struct json j;

	text_endpoint(s, &v->ip, v->port);
	text_endpoint(listener, &p->ip, p->port);
	if (f->worker)
		work_event(f, what, s, listener);
	if (!ctl_event(f->ctl, &j, what))
		return;
	json_str(&j, "server", s);
	json_str(&j, "listener", listener);
	ctl_tell(f->ctl, &j);
}

/* Of each listener that has this server. Return: 0 or -Exxx with a sentence */
static int set_drained(struct front *f, const char *words, bool drained,
		       struct errbuf *e)
{
	struct ipaddr ip;
	uint8_t bits;
	uint16_t port = 0;
	bool any = false;

	if (value_get_endpoint(words, strlen(words), &ip, &bits, &port) != 0 ||
	    bits != IPADDR_BITS || port == 0)
		return errbuf_set(e, -EINVAL, "%s: is no ADDR:PORT", words);
	for (unsigned p = 0; p < f->o->places; p++)
		for (unsigned i = 0; i < f->servers[p].n; i++) {
			struct server *s = &f->servers[p].s[i];

			if (s->gone || !ipaddr_eq(&s->ip, &ip) ||
			    s->port != port)
				continue;
			any = true;
			if (s->drained == drained)
				continue;
			s->drained = drained;
			passing_changed(f, p);
			manage_server(
				f, drained ? "server_drained" : "server_ready",
				p, i);
		}
	return any ? 0
		   : errbuf_set(e, -ENOENT, "%s: is no server of --forward",
				words);
}

static int drain(void *ctx, const char *words, struct text *out,
		 struct errbuf *e)
{
	struct front *f = ctx;

	(void)out;
	if (words[0] != '\0')
		return set_drained(f, words, true, e);
	if (f->stop_at != UINT64_MAX)
		return errbuf_set(e, -EALREADY, "it is draining already");
	front_stop(f);
	return 0;
}

static int ready(void *ctx, const char *words, struct text *out,
		 struct errbuf *e)
{
	(void)out;
	return set_drained(ctx, words, false, e);
}

static int read_again(void *ctx, const char *words, struct text *out,
		      struct errbuf *e)
{
	(void)out;
	if (words[0] != '\0')
		return errbuf_set(e, -EINVAL, "%s: is one word too many",
				  words);
	return reload(ctx, true, e);
}

static const struct ctl_call calls[] = {
	{ "list", "list [ID]", list },
	{ "kill", "kill ID|NET", kill },
	{ "drain", "drain [ADDR:PORT]", drain },
	{ "ready", "ready ADDR:PORT", ready },
	{ "reload", "reload", read_again },
};

int manage_run(struct front *f, const char *name, const char *words,
	       struct text *out, struct errbuf *e)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].run(f, words, out, e);
	return errbuf_set(e, -EINVAL, "%s: what is it?", name);
}

static int open_ctl(struct front *f, const struct ctl_shown *shown,
		    struct errbuf *e)
{
	struct ctl_config c = { .path = f->o->ctl,
				.options = &proxy_command,
				.base = &f->set,
				.call = calls,
				.calls = sizeof(calls) / sizeof(calls[0]),
				.ctx = f,
				.shown = *shown };
	int r;

	if (!f->o->ctl)
		return 0;
	r = ctl_open(&f->ctl, &f->arena, &c, e);
	if (r == 0 && ctl_serve(f->ctl, f->loop) != 0)
		r = errbuf_set(e, -EIO, "--ctl %s: cannot be waited for",
			       f->o->ctl);
	return r;
}

static int open_metrics(struct front *f, const struct ctl_shown *shown,
			struct errbuf *e)
{
	const struct setup *o = f->o;
	int r;

	if (o->metrics_port == 0)
		return 0;
	r = metrics_open(&f->metrics, &f->arena, &o->metrics, o->metrics_port,
			 shown, e);
	if (r == 0 && metrics_serve(f->metrics, f->loop) != 0)
		r = errbuf_set(e, -EIO, "--metrics: cannot be waited for");
	return r;
}

int manage_open(struct front *f, struct errbuf *e)
{
	struct ctl_shown shown = { "proxy", front_groups, FRONT_GROUPS,
				   &f->view };
	int r = open_ctl(f, &shown, e);

	return r == 0 ? open_metrics(f, &shown, e) : r;
}
