/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * again.c - A command line that is read a second time
 *
 * Values that are text stay those of the first reading, which are equal, so the
 * memory behind the second can be given back.
 */
#include <errno.h>
#include <string.h>

#include "setup/setup.h"
#include "text/text.h"

#define VALUE_MOST 8192 /* bytes of an option's value, as text */

/* Is it of the kind whose values are looked at one by one, listeners? */
static bool is_place(const struct opt_row *r)
{
	return strcmp(r->name, "forward") == 0 ||
	       strcmp(r->name, "socks") == 0 || strcmp(r->name, "http") == 0;
}

/* Has an option one value in both? Longer than there is room for: no. */
static bool is_same(const struct setup *a, const struct setup *b,
		    const struct opt_row *r)
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
	return (r->flags & (OPT_RUNTIME | OPT_RELOAD)) ||
	       r->kind == &opt_kind_help || is_place(r);
}

int setup_see(const struct setup *was, const struct setup *now,
	      struct errbuf *e)
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

const struct setup_place *setup_find(const struct setup *o,
				     const struct setup_place *p)
{
	for (unsigned i = 0; i < o->places; i++)
		if (o->place[i].port == p->port &&
		    ipaddr_eq(&o->place[i].ip, &p->ip) &&
		    o->place[i].http == p->http &&
		    (o->place[i].servers.n == 0) == (p->servers.n == 0))
			return &o->place[i];
	return NULL;
}

static void keep_text(const struct setup *was, struct setup *now)
{
	const size_t size = sizeof(const char *);
	const struct opt_row *r;

	for (size_t i = 0; (r = opt_row(&proxy_command, i, NULL)) != NULL; i++)
		if (r->kind == &opt_kind_string)
			memcpy((char *)now + r->offset,
			       (const char *)was + r->offset, size);
	memcpy(now->file, was->file, sizeof(now->file));
}

void setup_take(struct setup *was, struct setup *now)
{
	struct setup_place place[SETUP_LISTENERS];

	keep_text(was, now);
	/* Listeners have the numbers that they had. */
	for (unsigned p = 0; p < was->places; p++)
		place[p] = *setup_find(now, &was->place[p]);
	memcpy(now->place, place, was->places * sizeof(place[0]));
	*was = *now;
}
