/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paths.c - Where each path leads, and which one a packet takes
 *
 * Theory of operation
 *
 * Nothing comes back that says how a path is: a gateway that only takes a
 * header off answers nobody. So the choice is the thesis's, made beforehand:
 * each in turn, or by weights. 1:w is "of 1 + w packets one goes to the first
 * path, the others to the others in turn", which is the weights n - 1, w, w,
 * ... of n paths.
 *
 * Spread are the segments of TCP, which have numbers to be put in order by.
 * What has none, a datagram of UDP, a fragment, goes by one path with all of
 * its connection, chosen by a keyed hash; a fragment, whose ports may be in
 * another one, with all between these two addresses.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "core/bytes.h"
#include "core/hash.h"
#include "ends/wire.h"
#include "lone/lone_internal.h"
#include "wire/decode.h"
#include "wire/peek.h"
#include "wire/segment.h"

static int refuse_loop(const struct lone *t, const struct lone_path *p,
		       struct errbuf *e)
{
	struct wire_way way = { .remote = p->remote, .port = 9 };
	char s[TEXT_IP];
	struct ipaddr from;

	if (p->way.ifindex != 0 || wire_source(&way, &from) != 0)
		return 0;
	for (unsigned i = 0; i < t->o->addrs; i++)
		if (ipaddr_eq(&from, &t->o->addr[i].ip))
			return errbuf_set(
				e, -ELOOP,
				"--path ...,%s: is routed into %s, the tunnel "
				"itself; give it a route of its own, or name "
				"its device",
				text_ip(s, &p->remote), t->o->dev);
	return 0;
}

int lone_paths_init(struct lone *t, struct errbuf *e)
{
	for (unsigned i = 0; i < t->o->paths; i++) {
		const struct ends_place *from = &t->o->path[i];
		struct lone_path *p = &t->path[i];
		int r;

		p->remote = from->remote;
		memcpy(p->way.remote, from->remote.b + 12, 4);
		if (from->has_local)
			memcpy(p->way.local, from->local.b + 12, 4);
		if (from->dev[0] != '\0')
			p->way.ifindex = if_nametoindex(from->dev);
		if (from->dev[0] != '\0' && p->way.ifindex == 0)
			return errbuf_set(e, -ENODEV,
					  "--path %s,...: there is no such "
					  "device; 'ip link' lists them",
					  from->dev);
		if (lone_paths_find(t, p->way.remote) != p)
			return errbuf_set(
				e, -EEXIST,
				"--path: two lead to one address; of IP in IP "
				"nothing else tells them apart");
		r = refuse_loop(t, p, e);
		if (r != 0)
			return r;
	}
	lone_paths_configure(t);
	return 0;
}

void lone_paths_configure(struct lone *t)
{
	bool own = false;

	for (unsigned i = 0; i < t->o->paths; i++)
		own |= t->o->path[i].config.weight > 0;
	for (unsigned i = 0; i < t->o->paths; i++) {
		uint32_t weight = t->o->path[i].config.weight;

		if (t->o->scheduler != MP_WEIGHTS)
			weight = 1;
		else if (own)
			weight = weight > 0 ? weight : 1;
		else
			weight = i > 0		   ? t->o->weight
				 : t->o->paths > 1 ? t->o->paths - 1
						   : 1;
		t->weight[i] = weight;
	}
	t->turn = (struct turn){ .credit = { 0 } };
}

static struct lone_path *pinned(struct lone *t, const struct peek *k)
{
	uint8_t key[40] = { 0 };

	memcpy(key, k->src.b, 16);
	memcpy(key + 16, k->dst.b, 16);
	if (!k->fragment) {
		key[32] = k->proto;
		put_be16(key + 33, k->sport);
		put_be16(key + 35, k->dport);
	}
	return &t->path[hash_bytes(&t->key, key, sizeof(key)) % t->o->paths];
}

struct lone_path *lone_paths_choose(struct lone *t, const uint8_t *p,
				    uint32_t n)
{
	uint32_t all = (1u << t->o->paths) - 1;
	struct peek k;

	peek_frame(LINK_RAW, p, n, &k);
	if (t->o->scheduler == MP_PIN || k.fragment || k.depth != PEEK_PORTS ||
	    k.proto != PROTO_TCP || k.error)
		return pinned(t, &k);
	return &t->path[turn_next(&t->turn, t->weight, all)];
}

struct lone_path *lone_paths_find(struct lone *t, const uint8_t addr[4])
{
	for (unsigned i = 0; i < t->o->paths; i++)
		if (memcmp(t->path[i].way.remote, addr, 4) == 0)
			return &t->path[i];
	return NULL;
}
