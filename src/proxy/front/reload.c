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
 * Servers keep their places in the tables (servers_change()): connections,
 * health and counters go on for those that stay. Who is connected to one that
 * is gone stays connected.
 */
#include <errno.h>
#include <string.h>

#include "front/front_internal.h"
#include "front/manage_internal.h"
#include "os/log.h"

/* Servers as they will be. Return: 0 or -Exxx with a sentence */
static int see_servers(const struct front *f, const struct setup *now,
		       struct servers *next, struct errbuf *e)
{
	int r = now->places == f->o->places ? 0 : -EPERM;
	char s[TEXT_ENDPOINT];

	for (unsigned i = 0; r == 0 && i < f->o->places; i++) {
		const struct setup_place *p = setup_find(now, &f->o->place[i]);

		next[i] = f->servers[i];
		if (!p)
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

static void take(struct front *f, struct setup *now, const struct servers *next)
{
	setup_take(&f->set, now);
	if (f->login)
		login_take(f->login);
	for (unsigned p = 0; p < f->o->places; p++) {
		f->servers[p] = next[p];
		for (unsigned i = 0; i < SERVERS_PLACES; i++)
			health_changed(f, p, i);
	}
}

int reload(struct front *f, bool takes, struct errbuf *e)
{
	static struct setup now;
	static struct servers next[SETUP_LISTENERS];
	const void *mark = opt_mark();
	struct json j;
	int r = setup_parse(&now, f->o->argc, f->o->argv, e);

	if (r == 0 && f->worker)
		r = setup_share(&now, f->worker->index, f->worker->count, e);
	if (r == 0)
		r = setup_see(f->o, &now, e);
	if (r == 0)
		r = see_servers(f, &now, next, e);
	if (r == 0 && f->login)
		r = login_read(f->login, e);
	if (r == 0 && takes)
		take(f, &now, next);
	if (r == 0 && takes)
		r = passing_set(f, e);
	opt_forget_since(mark);
	/* Of workers their parent counts once, and tells. */
	if (f->worker)
		return r;
	f->n->reloads++;
	f->n->reload_errors += r != 0;
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

	if (f->o->files == 0 && !f->login)
		return;
	if (reload(f, true, &e) != 0)
		log_line(LOG_WARN, "proxy: all options stay as they were: %s",
			 e.s);
	else if (!f->o->quiet)
		log_line(LOG_INFO, "proxy: options were read again");
}
