/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passing.c - Connections that the kernel passes on from their SYN
 *
 * Theory of operation
 *
 * With --splice syn each --forward is one of the library's, too
 * (usplice_forward()): its listener gets what cannot be passed on. Of the rest
 * nothing is told but numbers.
 *
 * So nobody learns from a client whether a server answers. Where there are
 * several, each is asked by a connection of ours (health.c), and the kernel has
 * those that may get clients: as servers_choose(), those that are in, or, where
 * none is, those that are out.
 */
#include <errno.h>
#include <string.h>

#include "front/front_internal.h"
#include "os/log.h"

static int pass(struct front *f, unsigned place, struct errbuf *e)
{
	const struct setup_place *p = &f->o->place[place];
	const struct server *now[SERVERS_MAX];
	struct sockaddr_storage at, to[SERVERS_MAX];
	struct usplice_server list[SERVERS_MAX];
	unsigned n = servers_now(&f->servers[place], now);
	socklen_t len = address_put(&at, &p->ip, p->port);
	char text[TEXT_ENDPOINT];
	int rc;

	for (unsigned i = 0; i < n; i++) {
		list[i].addr = (const struct sockaddr *)&to[i];
		list[i].len = address_put(&to[i], &now[i]->ip, now[i]->port);
	}
	rc = usplice_forward(f->splicer, (const struct sockaddr *)&at, len,
			     list, n);
	if (rc == 0)
		return 0;
	return errbuf_set(e, rc,
			  "--splice syn: a server of %s cannot be reached by "
			  "the kernel alone: %s; give --splice auto",
			  text_endpoint(text, &p->ip, p->port),
			  rc == -EOPNOTSUPP ? "it is on this host, or behind "
					      "no Ethernet"
					    : strerror(-rc));
}

int passing_set(struct front *f, struct errbuf *e)
{
	int rc = 0;

	if (f->o->splice != SETUP_SYN || f->stop_at != UINT64_MAX)
		return 0;
	for (unsigned i = 0; rc == 0 && i < f->o->places; i++)
		if (f->o->place[i].servers.n > 0)
			rc = pass(f, i, e);
	return rc;
}

void passing_changed(struct front *f, unsigned place)
{
	struct errbuf e = { "" };

	if (f->o->splice != SETUP_SYN || f->stop_at != UINT64_MAX)
		return;
	if (pass(f, place, &e) != 0)
		log_line(LOG_WARN, "proxy: clients go where they went: %s",
			 e.s);
}

uint64_t passing_passed(const struct front *f, unsigned place,
			const struct server *v)
{
	const struct setup_place *p = &f->o->place[place];
	struct sockaddr_storage at, to;
	struct usplice_server server = { .addr = (struct sockaddr *)&to };
	socklen_t len = address_put(&at, &p->ip, p->port);
	uint64_t n = 0;

	server.len = address_put(&to, &v->ip, v->port);
	if (f->o->splice == SETUP_SYN && f->splicer)
		(void)usplice_served(f->splicer, (struct sockaddr *)&at, len,
				     &server, &n);
	return n;
}

bool passing_asks(const struct front *f, unsigned place)
{
	return f->o->splice == SETUP_SYN &&
	       servers_there(&f->servers[place]) > 1;
}

void passing_stop(struct front *f)
{
	if (f->o->splice == SETUP_SYN)
		usplice_stop(f->splicer);
}

bool passing_holds(const struct front *f)
{
	static struct usplice_counters k;

	return f->o->splice == SETUP_SYN && !f->o->pin &&
	       usplice_counters(f->splicer, &k) == 0 && k.syn_live > 0;
}
