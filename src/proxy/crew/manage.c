/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * manage.c - The control socket of all workers
 *
 * Each request goes to all that are there, one after the other, and their
 * answers are made one. Files of options are read by each: first all see
 * whether they may take what they say then, and only if they all may, they do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crew/crew_internal.h"
#include "crew/merge.h"
#include "opt/opt.h"
#include "os/log.h"
#include "text/json.h"

#define LIST_ROOM (CTL_ANSWER - 2048) /* two lines less than fit */
#define KILLED	  "killed "

static int list(void *ctx, const char *words, struct text *out,
		struct errbuf *e)
{
	struct crew *c = ctx;
	const char *part[SETUP_WORKERS];
	char line[WORKER_LINE];
	int rc;

	snprintf(line, sizeof(line), "list %s", words);
	rc = ask_all(c, line, e);
	if (rc != 0)
		return rc;
	for (unsigned i = 0; i < c->o.workers; i++)
		part[i] = c->member[i].text;
	merge_list(part, c->o.workers, LIST_ROOM, out);
	return 0;
}

/* Ask all, each of whom may know nobody who is meant. Return: 0 or -Exxx with a
 * sentence: -ENOENT: nobody knows one
 */
static int ask_any(struct crew *c, const char *verb, const char *words,
		   struct errbuf *e)
{
	char line[WORKER_LINE];
	struct errbuf one = { "" };
	int bad = 0, none = -ESRCH;
	bool any = false;

	snprintf(line, sizeof(line), "%s %s", verb, words);
	for (unsigned i = 0; i < c->o.workers; i++) {
		int rc = ask_one(&c->member[i], line, &one);

		any |= rc == 0;
		if (rc == -ENOENT)
			none = rc;
		else if (rc != 0 && rc != -ESRCH)
			bad = rc;
		if (rc != 0 && (rc == bad || (rc == -ENOENT && bad == 0)))
			*e = one;
	}
	if (bad != 0 || any)
		return bad;
	return none == -ENOENT ? none
			       : errbuf_set(e, none, "no worker is there");
}

static int kill(void *ctx, const char *words, struct text *out,
		struct errbuf *e)
{
	struct crew *c = ctx;
	int rc = ask_any(c, "kill", words, e);
	unsigned long n = 0;
	bool more = false;
	struct json j;

	if (rc != 0)
		return rc;
	for (unsigned i = 0; i < c->o.workers; i++) {
		const char *said = c->member[i].text;

		if (strncmp(said, KILLED, strlen(KILLED)) != 0)
			continue;
		n += strtoul(said + strlen(KILLED), NULL, 10);
		more |= strchr(said, ',') != NULL;
	}
	text_add(out, KILLED "%lu%s\n", n,
		 more ? ", and perhaps there are more" : "");
	if (ctl_event(c->ctl, &j, "kill")) {
		json_str(&j, "who", words);
		json_u64(&j, "killed", n);
		ctl_tell(c->ctl, &j);
	}
	return 0;
}

static int drain(void *ctx, const char *words, struct text *out,
		 struct errbuf *e)
{
	struct crew *c = ctx;

	(void)out;
	if (words[0] != '\0')
		return ask_any(c, "drain", words, e);
	if (c->stops > 0)
		return errbuf_set(e, -EALREADY, "it is draining already");
	crew_stop(c);
	return 0;
}

static int ready(void *ctx, const char *words, struct text *out,
		 struct errbuf *e)
{
	(void)out;
	return ask_any(ctx, "ready", words, e);
}

/* --- options --- */

/* All of them or none. Return: 0 or -Exxx with a sentence */
static int reload(struct crew *c, struct errbuf *e)
{
	static struct setup now;
	const void *mark = opt_mark();
	struct json j;
	int r = setup_parse(&now, c->o.argc, c->o.argv, e);

	if (r == 0)
		r = setup_see(&c->o, &now, e);
	if (r == 0)
		r = ask_all(c, "see", e);
	if (r == 0)
		r = ask_all(c, "take", e);
	if (r == 0)
		setup_take(&c->o, &now);
	opt_forget_since(mark);
	c->own.reloads++;
	c->own.reload_errors += r != 0;
	if (ctl_event(c->ctl, &j, "reload")) {
		json_bool(&j, "taken", r == 0);
		if (r != 0)
			json_str(&j, "error", e->s);
		ctl_tell(c->ctl, &j);
	}
	return r;
}

static int read_again(void *ctx, const char *words, struct text *out,
		      struct errbuf *e)
{
	(void)out;
	if (words[0] != '\0')
		return errbuf_set(e, -EINVAL, "%s: is one word too many",
				  words);
	return reload(ctx, e);
}

void crew_hup(struct crew *c)
{
	struct errbuf e = { "" };

	if (ask_all(c, "logs", &e) != 0)
		log_line(LOG_WARN, "proxy: %s", e.s);
	if (c->o.files == 0 && !c->o.socks_users)
		return;
	if (reload(c, &e) != 0)
		log_line(LOG_WARN, "proxy: all options stay as they were: %s",
			 e.s);
	else if (!c->o.quiet)
		log_line(LOG_INFO, "proxy: options were read again");
}

/* An option was set here, and so it is a good one. */
static int was_set(void *ctx, const char *name, struct errbuf *e)
{
	struct crew *c = ctx;
	char line[WORKER_LINE];
	struct text t;

	text_begin(&t, line, sizeof(line));
	text_add(&t, "set %s ", name);
	(void)opt_get(&proxy_command, &c->o, name, &t, e);
	return ask_all(c, line, e);
}

/* --- events --- */

void crew_event(struct crew *c, const char *what)
{
	struct json j;

	if (ctl_event(c->ctl, &j, what))
		ctl_tell(c->ctl, &j);
}

void crew_told(struct member *m, struct worker_message *said)
{
	struct json j;

	said->event[sizeof(said->event) - 1] = '\0';
	said->server[sizeof(said->server) - 1] = '\0';
	said->listener[sizeof(said->listener) - 1] = '\0';
	if (!ctl_event(m->c->ctl, &j, said->event))
		return;
	json_str(&j, "server", said->server);
	json_str(&j, "listener", said->listener);
	json_u64(&j, "worker", m->index);
	ctl_tell(m->c->ctl, &j);
}

/* --- what is shown --- */

static bool find_worker(void *ctx, unsigned i, struct ctl_item *out)
{
	const struct front_view *v = ctx;
	struct crew *c = v->ctx;
	struct text t;

	if (i >= c->o.workers)
		return false;
	text_begin(&t, out->note, sizeof(out->note));
	text_add(&t, "process %d", (int)c->member[i].pid);
	out->gauges = &c->member[i].state.g;
	return true;
}

static const struct ctl_call calls[] = {
	{ "list", "list [ID]", list },
	{ "kill", "kill ID|NET", kill },
	{ "drain", "drain [ADDR:PORT]", drain },
	{ "ready", "ready ADDR:PORT", ready },
	{ "reload", "reload", read_again },
};

static int open_ctl(struct crew *c, const struct ctl_shown *shown,
		    struct errbuf *e)
{
	struct ctl_config k = { .path = c->o.ctl,
				.options = &proxy_command,
				.base = &c->o,
				.after = was_set,
				.call = calls,
				.calls = sizeof(calls) / sizeof(calls[0]),
				.ctx = c,
				.shown = *shown };
	int r;

	if (!c->o.ctl)
		return 0;
	r = ctl_open(&c->ctl, &c->arena, &k, e);
	if (r == 0 && ctl_serve(c->ctl, c->loop) != 0)
		r = errbuf_set(e, -EIO, "--ctl %s: cannot be waited for",
			       c->o.ctl);
	return r;
}

int crew_manage(struct crew *c, struct errbuf *e)
{
	static struct ctl_group groups[FRONT_GROUPS + 1];
	struct ctl_shown shown = { "proxy", groups, FRONT_GROUPS + 1,
				   &c->view };
	int r;

	memcpy(groups, front_groups, sizeof(front_groups));
	groups[FRONT_GROUPS] =
		(struct ctl_group){ "worker", "worker",		 SETUP_WORKERS,
				    NULL,     &front_gauge_list, find_worker };
	r = open_ctl(c, &shown, e);
	if (r != 0 || c->o.metrics_port == 0)
		return r;
	r = metrics_open(&c->metrics, &c->arena, &c->o.metrics,
			 c->o.metrics_port, &shown, e);
	if (r == 0 && metrics_serve(c->metrics, c->loop) != 0)
		r = errbuf_set(e, -EIO, "--metrics: cannot be waited for");
	return r;
}
