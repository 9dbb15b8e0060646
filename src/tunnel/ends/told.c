/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * told.c - What the network says of datagrams that did not arrive
 *
 * Theory of operation
 *
 * The kernel keeps the messages of routers and hosts (ICMP) that are about our
 * sockets in a queue of their own. It looks at ports and addresses only, which
 * anybody can guess; so one is taken if it quotes what we sent, and went where
 * that path leads. Nothing is believed even then: a length is tried next
 * (multipath/size.c), and all else is counted. Whether a path is there, what
 * comes back says.
 *
 * Our own kernel's errors (no neighbour, a device that takes less) come the
 * same way, and are counted as the path's.
 */
#include "ends/ends_internal.h"

#define TURN	 16 /* in a turn of the loop */
#define UDP_OVER 8
#define IP4_OVER 20
#define IP6_OVER 40

static uint32_t message_of(const struct ends *t, const struct wire_told *w)
{
	uint32_t over = UDP_OVER + link_overhead(t->link) +
			(ipaddr_is4(&w->way.remote) ? IP4_OVER : IP6_OVER);

	return w->size > over ? w->size - over : 0;
}

static void take_one(struct ends *t, const struct wire_told *w, uint64_t now)
{
	uint32_t of = link_quotes(t->link, w->p, w->n);
	bool any = false;

	for (unsigned i = 0; i < ENDS_PATHS; i++) {
		struct ends_path *p = &t->path[i];

		if (!(of >> i & 1) || !p->known || p->way.port != w->way.port ||
		    !ipaddr_eq(&p->way.remote, &w->way.remote))
			continue;
		any = true;
		p->told++;
		if (w->size == 0)
			continue;
		p->told_size++;
		if (p->added && w->network)
			mp_size_told(t->mp, i, message_of(t, w), now);
	}
	t->n.told++;
	t->n.told_strange += !any;
}

void told_take(struct ends *t, unsigned socket, uint64_t now)
{
	struct wire_told w;

	for (int k = 0; k < TURN && wire_told(t->wire, socket, &w); k++)
		take_one(t, &w, now);
}
