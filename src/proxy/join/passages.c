/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passages.c - Connections that are passed on from their SYN
 *
 * Theory of operation
 *
 * The program makes them (join/pass.h), ends them, and counts them; there is no
 * struct usplice_pair of them. What is left for us is to say where SYNs go, to
 * end once a second those that are silent, and to follow routes: of each
 * forward to its server, and of each pair to both of its ends.
 *
 * Ports: a socket of ours towards a server has a clock of timestamps which the
 * kernel makes of the four numbers of the connection; a SYN that is passed on
 * has another. A server's TIME-WAIT would not take the one behind the other, so
 * each kind has ports of its own.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "core/ipaddr.h"
#include "join/usplice_internal.h"
#include "os/random.h"

#define FOLLOW_AT_ONCE 256 /* pairs */

/* The upper half of the ports is for them, from the first one on. */
static void share_ports(struct usplice *s)
{
	uint32_t n = s->o.port_high - s->o.port_low + 1u;

	if (s->syn_ports != 0)
		return;
	s->syn_ports = n - n / 2;
	if (n / 2 > 0)
		s->o.port_high = (uint16_t)(s->o.port_high - s->syn_ports);
	if (s->next_port > s->o.port_high)
		s->next_port = s->o.port_low;
	s->syn_port_low = s->o.port_low + n / 2;
}

static bool is_4(const uint8_t ip[16])
{
	struct ipaddr a = ipaddr_from6(ip);

	return ipaddr_is4(&a);
}

static struct passage *find(struct usplice *s, const struct join_at *at)
{
	for (unsigned i = 0; i < s->n_passages; i++)
		if (memcmp(&s->passage[i].at, at, sizeof(*at)) == 0)
			return &s->passage[i];
	return NULL;
}

int usplice_forward(struct usplice *s, const struct sockaddr *at,
		    socklen_t atlen, const struct sockaddr *to, socklen_t tolen)
{
	struct passage p = { .f.ports = 0 };
	struct passage *known;
	uint16_t port = 0;
	int rc = pair_address(at, atlen, p.at.ip, &port);

	p.at.port = port;
	if (rc == 0)
		rc = pair_address(to, tolen, p.f.server.src, &p.f.server.sport);
	if (rc == 0 && is_4(p.at.ip) != is_4(p.f.server.src))
		rc = -EAFNOSUPPORT;
	if (rc == 0)
		rc = ways_of_tuple(s, &p.f.server, &p.f.way);
	if (rc != 0)
		return rc;
	share_ports(s);
	p.f.ip6 = !is_4(p.at.ip);
	p.f.port_low = s->syn_port_low;
	p.f.ports = s->syn_ports;
	/* Who was here before us began elsewhere. */
	random_bytes(&p.f.next, sizeof(p.f.next));
	known = find(s, &p.at);
	if (known == NULL && s->n_passages == JOIN_FORWARDS)
		return -ENOSPC;
	rc = router_forward(s->router, &p.at, &p.f);
	if (rc != 0)
		return rc;
	*(known != NULL ? known : &s->passage[s->n_passages++]) = p;
	/* From now on there is something to look after once a second. */
	if (!s->ticking)
		tick_set(s, 1);
	return 0;
}

void usplice_stop(struct usplice *s)
{
	for (unsigned i = 0; i < s->n_passages; i++)
		router_unforward(s->router, &s->passage[i].at);
	s->n_passages = 0;
	/* What is there is still to be looked after. */
	s->has_syn = true;
}

static void follow_forward(struct usplice *s, struct passage *p)
{
	struct join_forward was = p->f;

	if (ways_of_tuple(s, &p->f.server, &p->f.way) != 0) {
		s->counters.astray++;
		return;
	}
	if (memcmp(&was.way, &p->f.way, sizeof(was.way)) != 0 &&
	    router_forward(s->router, &p->at, &p->f) == 0)
		s->counters.moved++;
}

static void follow_pair(struct usplice *s, const struct join_name *name,
			struct splice_pair *p)
{
	struct join_way way[DIR_COUNT];

	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		if (ways_of_tuple(s, &p->side[d].tuple, &way[d]) != 0) {
			s->counters.astray++;
			return;
		}
	/* Where it goes already is not looked at. */
	if (router_move(s->router, name, way) == 0)
		s->counters.moved++;
}

bool passages_follow(struct usplice *s)
{
	struct join_name name;
	struct splice_pair pair;

	if (s->follow_syn_at == 0)
		for (unsigned i = 0; i < s->n_passages; i++)
			follow_forward(s, &s->passage[i]);
	for (int i = 0; i < FOLLOW_AT_ONCE; i++) {
		if (router_each(s->router, &s->follow_syn_at, &name, &pair) ==
		    0) {
			s->follow_syn_at = UINT32_MAX;
			return false;
		}
		if ((pair.flags & SPLICE_PAIR_SYN) != 0)
			follow_pair(s, &name, &pair);
	}
	return true;
}
