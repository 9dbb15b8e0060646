/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passing.c - Connections that the kernel passes on from their SYN
 *
 * With --splice syn each --forward is one of the library's, too
 * (usplice_forward()): its listener gets what cannot be passed on. Of the rest
 * nothing is told but numbers.
 */
#include <errno.h>
#include <string.h>

#include "front/front_internal.h"

static int pass(struct front *f, const struct front_place *p, struct errbuf *e)
{
	const struct server *s = &p->servers.s[0];
	struct sockaddr_storage at, to;
	socklen_t at_len = address_put(&at, &p->ip, p->port);
	socklen_t to_len = address_put(&to, &s->ip, s->port);
	int rc = usplice_forward(f->splicer, (const struct sockaddr *)&at,
				 at_len, (const struct sockaddr *)&to, to_len);
	char text[TEXT_ENDPOINT];

	if (rc == 0)
		return 0;
	return errbuf_set(e, rc,
			  "--splice syn: %s cannot be reached by the kernel "
			  "alone: %s; give --splice auto",
			  text_endpoint(text, &s->ip, s->port),
			  rc == -EOPNOTSUPP ? "it is on this host, or behind "
					      "no Ethernet"
					    : strerror(-rc));
}

int passing_set(struct front *f, struct errbuf *e)
{
	int rc = 0;

	if (f->o->splice != FRONT_SYN)
		return 0;
	for (unsigned i = 0; rc == 0 && i < f->o->places; i++)
		if (f->o->place[i].servers.n > 0)
			rc = pass(f, &f->o->place[i], e);
	return rc;
}

void passing_stop(struct front *f)
{
	if (f->o->splice == FRONT_SYN)
		usplice_stop(f->splicer);
}

bool passing_holds(const struct front *f)
{
	static struct usplice_counters k;

	return f->o->splice == FRONT_SYN && f->o->pin == NULL &&
	       usplice_counters(f->splicer, &k) == 0 && k.syn_live > 0;
}
