/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload.c - The files of options are read again
 *
 * Theory of operation
 *
 * The words of the command line are read once more, those of its @FILEs as they
 * are now. All of it is taken or nothing: what cannot be changed while
 * connections are there (a listener, a limit that memory was taken for) must
 * have the value that it has, and the first option that has not is named.
 *
 * Values that are text stay those of the start, which are equal, so the memory
 * behind a new reading can be given back. Servers keep their places in the
 * tables (servers_change()): connections, health and counters go on for those
 * that stay. Who is connected to one that is gone stays connected.
 */
#include <errno.h>
#include <string.h>

#include "front/front_internal.h"
#include "os/log.h"

#define VALUE_MOST 8192 /* bytes of an option's value, as text */

/* Is it of the kind whose values are looked at one by one, listeners? */
static bool is_place(const struct opt_row *r)
{
	return strcmp(r->name, "forward") == 0 || strcmp(r->name, "socks") == 0;
}

/* Has an option one value in both? Longer than there is room for: no. */
static bool is_same(const struct front_options *a,
		    const struct front_options *b, const struct opt_row *r)
{
	static char was[VALUE_MOST], now[VALUE_MOST];
	struct errbuf e = { "" };
	struct text x, y;

	text_begin(&x, was, sizeof(was));
	text_begin(&y, now, sizeof(now));
	return opt_get(&proxy_command, a, r->name, &x, &e) == 0 &&
	       opt_get(&proxy_command, b, r->name, &y, &e) == 0 && !x.full &&
	       !y.full && strcmp(was, now) == 0;
}

static bool may_change(const struct opt_row *r)
{
	return (r->flags & (OPT_RUNTIME | OPT_RELOAD)) != 0 ||
	       r->kind == &opt_kind_help || is_place(r);
}

static int see_options(const struct front_options *was,
		       const struct front_options *now, struct errbuf *e)
{
	const struct opt_row *r;

	for (size_t i = 0; (r = opt_row(&proxy_command, i, NULL)) != NULL; i++)
		if (!may_change(r) && !is_same(was, now, r))
			return errbuf_set(e, -EPERM,
					  "--%s cannot be changed while it "
					  "runs; start it anew",
					  r->name);
	return 0;
}

static const struct front_place *find_place(const struct front_options *o,
					    const struct front_place *p)
{
	for (unsigned i = 0; i < o->places; i++)
		if (o->place[i].port == p->port &&
		    ipaddr_eq(&o->place[i].ip, &p->ip) &&
		    (o->place[i].servers.n == 0) == (p->servers.n == 0))
			return &o->place[i];
	return NULL;
}

/* Servers as they will be. Return: 0 or -Exxx with a sentence */
static int see_servers(const struct front *f, const struct front_options *now,
		       struct servers *next, struct errbuf *e)
{
	int r = now->places == f->o->places ? 0 : -EPERM;
	char s[TEXT_ENDPOINT];

	for (unsigned i = 0; r == 0 && i < f->o->places; i++) {
		const struct front_place *p = find_place(now, &f->o->place[i]);

		next[i] = f->servers[i];
		if (p == NULL)
			r = -EPERM;
		else if (servers_change(&next[i], &p->servers) != 0)
			return errbuf_set(e, -ENOSPC,
					  "--forward %s: connections to too "
					  "many servers that are gone are open",
					  text_endpoint(s, &p->ip, p->port));
	}
	return r == 0 ? own_servers(f, next, e)
		      : errbuf_set(e, r,
				   "listeners cannot be changed while it runs; "
				   "start it anew");
}

static void keep_text(const struct front_options *was,
		      struct front_options *now)
{
	const size_t size = sizeof(const char *);
	const struct opt_row *r;

	for (size_t i = 0; (r = opt_row(&proxy_command, i, NULL)) != NULL; i++)
		if (r->kind == &opt_kind_string)
			memcpy((char *)now + r->offset,
			       (const char *)was + r->offset, size);
	memcpy(now->file, was->file, sizeof(now->file));
}

static void take(struct front *f, struct front_options *now,
		 const struct servers *next)
{
	static struct front_place place[FRONT_LISTENERS];

	keep_text(&f->set, now);
	/* Listeners have the numbers that they had. */
	for (unsigned p = 0; p < f->set.places; p++)
		place[p] = *find_place(now, &f->set.place[p]);
	memcpy(now->place, place, sizeof(place));
	f->set = *now;
	if (f->login != NULL)
		login_take(f->login);
	for (unsigned p = 0; p < f->o->places; p++) {
		f->servers[p] = next[p];
		for (unsigned i = 0; i < SERVERS_PLACES; i++)
			health_changed(f, p, i);
	}
}

int reload(struct front *f, struct errbuf *e)
{
	static struct front_options now;
	static struct servers next[FRONT_LISTENERS];
	const void *mark = opt_mark();
	struct json j;
	int r = front_options_parse(&now, f->o->argc, f->o->argv, e);

	if (r == 0)
		r = see_options(f->o, &now, e);
	if (r == 0)
		r = see_servers(f, &now, next, e);
	if (r == 0 && f->login != NULL)
		r = login_read(f->login, e);
	if (r == 0)
		take(f, &now, next);
	if (r == 0)
		r = passing_set(f, e);
	opt_forget_since(mark);
	f->n.reloads++;
	f->n.reload_errors += r != 0;
	if (ctl_event(f->ctl, &j, "reload")) {
		json_bool(&j, "taken", r == 0);
		if (r != 0)
			json_str(&j, "error", e->s);
		ctl_tell(f->ctl, &j);
	}
	return r;
}

void reload_files(struct front *f)
{
	struct errbuf e = { "" };

	if (f->o->files == 0 && f->login == NULL)
		return;
	if (reload(f, &e) != 0)
		log_line(LOG_WARN, "proxy: all options stay as they were: %s",
			 e.s);
	else if (!f->o->quiet)
		log_line(LOG_INFO, "proxy: options were read again");
}
