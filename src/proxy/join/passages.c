/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passages.c - Connections that are passed on from their SYN
 *
 * Theory of operation
 *
 * The program makes them (route/pass.h), ends them, and counts them; there is
 * no struct usplice_pair of them. What is left for us is to say where SYNs go,
 * to end once a second those that are silent, and to follow routes: of each
 * forward to its servers, and of each pair to both of its ends.
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
#include "core/rendezvous.h"
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

/* Index of a server in usplice.served; usplice.n_served: it is not there */
static uint32_t find_served(const struct usplice *s, const struct served *v)
{
	uint32_t i = 0;

	while (i < s->n_served && memcmp(&s->served[i], v, sizeof(*v)) != 0)
		i++;
	return i;
}

/* Where the connections of a server are counted. */
static uint32_t count_at(struct usplice *s, const struct join_at *at,
			 const struct splice_tuple *t)
{
	struct served v = { .at = *at, .port = t->sport };
	uint32_t i;

	memcpy(v.ip, t->src, sizeof(v.ip));
	i = find_served(s, &v);
	if (i == s->n_served && i < JOIN_SERVED)
		s->served[s->n_served++] = v;
	return i;
}

int usplice_served(const struct usplice *s, const struct sockaddr *at,
		   socklen_t atlen, const struct usplice_server *to,
		   uint64_t *n)
{
	struct served v = { .port = 0 };
	uint16_t here = 0, there = 0;
	int rc = pair_address(at, atlen, v.at.ip, &here);
	uint32_t i;

	if (rc == 0)
		rc = pair_address(to->addr, to->len, v.ip, &there);
	if (rc != 0)
		return rc;
	v.at.port = here;
	v.port = there;
	i = find_served(s, &v);
	return i < s->n_served ? router_served(s->router, i, n) : -ENOENT;
}

/* What the program is to know of a server. Return: 0 or -Exxx */
static int set_server(struct usplice *s, const struct usplice_server *to,
		      struct join_server *out)
{
	const struct hash_key key = { { s->o.key[0], s->o.key[1] } };
	int rc = pair_address(to->addr, to->len, out->tuple.src,
			      &out->tuple.sport);

	if (rc == 0)
		rc = ways_of_tuple(s, &out->tuple, &out->way);
	if (rc == 0)
		out->hash = rendezvous_server(&key, out->tuple.src,
					      out->tuple.sport);
	return rc;
}

static int set_servers(struct usplice *s, const struct usplice_server *to,
		       unsigned n, struct passage *p)
{
	if (n > JOIN_SERVERS)
		return -E2BIG;
	for (unsigned i = 0; i < n; i++) {
		int rc = set_server(s, &to[i], &p->f.server[i]);

		if (rc == 0 && is_4(p->at.ip) != is_4(p->f.server[i].tuple.src))
			rc = -EAFNOSUPPORT;
		if (rc != 0)
			return rc;
	}
	p->f.servers = n;
	return 0;
}

static void forget(struct usplice *s, struct passage *p)
{
	if (!p)
		return;
	router_unforward(s->router, &p->at);
	*p = s->passage[--s->n_passages];
	/* What is there is still to be looked after. */
	s->has_syn = true;
}

int usplice_forward(struct usplice *s, const struct sockaddr *at,
		    socklen_t atlen, const struct usplice_server *to,
		    unsigned n)
{
	struct passage p = { .f.ports = 0 };
	struct passage *known;
	uint16_t port = 0;
	int rc = pair_address(at, atlen, p.at.ip, &port);

	p.at.port = port;
	if (rc == 0)
		rc = set_servers(s, to, n, &p);
	if (rc != 0)
		return rc;
	for (unsigned i = 0; i < n; i++)
		p.f.server[i].served = count_at(s, &p.at, &p.f.server[i].tuple);
	known = find(s, &p.at);
	if (n == 0) {
		forget(s, known);
		return 0;
	}
	share_ports(s);
	p.f.ip6 = !is_4(p.at.ip);
	p.f.port_low = s->syn_port_low;
	p.f.ports = s->syn_ports;
	/* Who was here before us began elsewhere. */
	random_bytes(&p.f.next, sizeof(p.f.next));
	if (!known && s->n_passages == JOIN_FORWARDS)
		return -ENOSPC;
	rc = router_forward(s->router, &p.at, &p.f);
	if (rc != 0)
		return rc;
	*(known ? known : &s->passage[s->n_passages++]) = p;
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
	bool moved = false;

	for (uint32_t i = 0; i < p->f.servers; i++) {
		struct join_server *v = &p->f.server[i];
		struct join_way was = v->way;

		if (ways_of_tuple(s, &v->tuple, &v->way) != 0)
			s->counters.astray++;
		else if (memcmp(&was, &v->way, sizeof(was)) != 0)
			moved = true;
	}
	if (moved && router_forward(s->router, &p->at, &p->f) == 0)
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
		if (pair.flags & SPLICE_PAIR_SYN)
			follow_pair(s, &name, &pair);
	}
	return true;
}
