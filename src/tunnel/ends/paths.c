/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paths.c - Where each path leads
 *
 * Theory of operation
 *
 * The end that begins numbers its paths as the command line has them, and each
 * datagram bears the number. The other end learns from the first authentic
 * datagram of a path where it leads, and from each later one where it leads
 * now: an address changes with a NAT, a lease, a carrier. A datagram that was
 * overtaken moves nothing, and neither does one that is not authentic. So it is
 * for both ends.
 *
 * A path that is routed into the tunnel would wrap its own packets without end.
 * At start the kernel is asked which address it would send from; if it is the
 * device's, the path is refused. Routes change later, so each packet that the
 * device gives is looked at: one that goes from our port to a path's end is one
 * of ours.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "ends/ends_internal.h"
#include "ends/inner.h"
#include "os/log.h"

#define BASE 1200u /* bytes of a datagram: RFC 8899 section 5.1.2 */

static bool same(const struct wire_way *a, const struct wire_way *b)
{
	return ipaddr_eq(&a->remote, &b->remote) && a->port == b->port &&
	       a->scope == b->scope && ipaddr_eq(&a->local, &b->local);
}

static int refuse_loop(const struct ends *t, const struct ends_path *p,
		       struct errbuf *e)
{
	char s[TEXT_ENDPOINT];
	struct ipaddr from;

	/* Which device it leaves by is said, or there is no route yet. */
	if (p->way.ifindex != 0 || wire_source(&p->way, &from) != 0)
		return 0;
	for (unsigned i = 0; i < t->o->addrs; i++)
		if (ipaddr_eq(&from, &t->o->addr[i].ip))
			return errbuf_set(
				e, -ELOOP,
				"--path ...,%s: is routed into %s, "
				"the tunnel itself; give it a route "
				"of its own, or name its device",
				text_endpoint(s, &p->way.remote, p->way.port),
				t->o->dev);
	return 0;
}

int paths_init(struct ends *t, struct errbuf *e)
{
	for (unsigned i = 0; i < t->o->paths; i++) {
		const struct ends_place *from = &t->o->path[i];
		struct ends_path *p = &t->path[i];
		int r;

		p->known = true;
		p->config = from->config;
		p->way.remote = from->remote;
		p->way.port = from->port;
		if (from->has_local)
			p->way.local = from->local;
		else if (ipaddr_is4(&from->remote))
			p->way.local = ipaddr_from4((const uint8_t[4]){ 0 });
		if (from->dev[0] != '\0')
			p->way.ifindex = if_nametoindex(from->dev);
		if (from->dev[0] != '\0' && p->way.ifindex == 0)
			return errbuf_set(e, -ENODEV,
					  "--path %s,...: there is no such "
					  "device; 'ip link' lists them",
					  from->dev);
		/* Link-local: RFC 4291 section 2.5.6. */
		if (from->remote.b[0] == 0xfe && from->remote.b[1] >> 6 == 2)
			p->way.scope = p->way.ifindex;
		r = refuse_loop(t, p, e);
		if (r != 0)
			return r;
	}
	return 0;
}

bool paths_loops(const struct ends *t, const struct inner_head *h)
{
	if (!h->udp || h->src_port != wire_port(t->wire, ipaddr_is4(&h->dst)))
		return false;
	for (unsigned i = 0; i < ENDS_PATHS; i++)
		if (t->path[i].known && h->dst_port == t->path[i].way.port &&
		    ipaddr_eq(&h->dst, &t->path[i].way.remote))
			return true;
	return false;
}

uint32_t paths_from(const struct ends *t, const struct wire_came *came)
{
	static const struct ipaddr any;
	const struct ipaddr any4 = ipaddr_from4(any.b);
	const struct wire_way *from = &came->way;
	uint32_t of = 0;

	for (unsigned i = 0; i < ENDS_PATHS; i++) {
		const struct wire_way *w = &t->path[i].way;

		if (t->path[i].known && w->port == from->port &&
		    ipaddr_eq(&w->remote, &from->remote) &&
		    (w->ifindex == 0 || w->ifindex == came->device) &&
		    (ipaddr_eq(&w->local, &any) ||
		     ipaddr_eq(&w->local, &any4) ||
		     ipaddr_eq(&w->local, &from->local)))
			of |= 1u << i;
	}
	return of;
}

/* How it is used: by whom it was given, and how long its messages may be. The
 * least is RFC 8899's base for UDP.
 */
static void configure(const struct ends *t, unsigned i,
		      struct mp_path_config *c)
{
	uint32_t least = BASE - link_overhead(t->link);

	c->off = t->nodes > 0 && i >= t->nodes;
	c->size_most = t->mtu + (t->timed ? MP_HEADER_TIMED : MP_HEADER);
	c->size_least = least < c->size_most ? least : c->size_most;
}

void paths_use(struct ends *t, uint64_t now)
{
	for (unsigned i = 0; i < ENDS_PATHS; i++) {
		struct ends_path *p = &t->path[i];

		configure(t, i, &p->config);
		if (p->known && !p->added)
			p->added = mp_path_add(t->mp, i, &p->config, now) == 0;
	}
}

void paths_configure(struct ends *t)
{
	for (unsigned i = 0; i < ENDS_PATHS; i++) {
		struct ends_path *p = &t->path[i];

		configure(t, i, &p->config);
		if (p->added)
			(void)mp_path_configure(t->mp, i, &p->config);
	}
}

void paths_forget(struct ends *t, unsigned but, uint64_t now)
{
	/* Those of the command line stay; the others are learned again. */
	for (unsigned i = 0; t->o->paths == 0 && i < ENDS_PATHS; i++) {
		if (i == but)
			continue;
		if (t->path[i].added) {
			(void)mp_path_remove(t->mp, i, now);
			control_left(t, i);
		}
		t->path[i] = (struct ends_path){ .known = false };
	}
}

void paths_proved(struct ends *t, unsigned i, const struct wire_way *way,
		  bool newest, uint64_t now)
{
	struct ends_path *p = &t->path[i];
	struct wire_way to = *way;
	char s[TEXT_ENDPOINT];
	bool moved;

	if (!newest)
		return;
	/* The device that a path leaves by is the command line's alone, and so
	 * is the address that it leaves from.
	 */
	if (t->o->paths > 0) {
		to.local = p->way.local;
		to.ifindex = p->way.ifindex;
	}
	if (p->known && same(&p->way, &to))
		return;
	if (!p->known && t->o->paths > 0)
		return; /* a path that we have not */
	t->n.moved += p->known;
	moved = p->known;
	p->way = to;
	p->known = true;
	paths_use(t, now);
	if (moved)
		control_moved(t, i);
	if (!t->o->quiet)
		log_line(LOG_INFO, "tunnel: path %u leads to %s", i,
			 text_endpoint(s, &to.remote, to.port));
}
