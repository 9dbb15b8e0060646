/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ways.c - Devices and routes
 *
 * Theory of operation
 *
 * The program must be on each device by which a peer's segments come in, or
 * this host's own stack gets them and answers with a RST. Nobody says by which
 * they come; they are taken to come by the device by which the peer is reached,
 * and by those that the options name.
 *
 * A pair's way is asked for when it is intended, unless it was for another pair
 * just before. When a route changes anywhere,
 * all pairs are asked for again, some at a time. First the program is put on
 * the new device, then the pair moves: so no answer comes in by a device
 * without it.
 *
 * Somebody's setup may take away clsact, and the program with it. Then it is
 * attached again at once; what came meanwhile was answered by this host, so
 * that pairs which had traffic are lost. A hook of tcx has no such neighbour.
 */
#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/lead.h"
#include "bpf/netlink.h"
#include "bpf/way.h"
#include "core/ipaddr.h"
#include "core/limits.h"
#include "join/usplice_internal.h"
#include "os/clock.h"
#include "os/errbuf.h"

#define FOLLOW_AT_ONCE 256	  /* pairs; about 5 ms */
#define KNOWN_FOR      NS_PER_SEC /* of what routers say nothing is told */

static int attach(struct usplice *s, struct hook *h, int ifindex)
{
	enum hook_way way = s->o.flags & USPLICE_TCX	  ? HOOK_TCX
			    : s->o.flags & USPLICE_CLSACT ? HOOK_CLSACT
							  : HOOK_BEST;
	char pin[PIN_PATH_MAX + 32];

	snprintf(pin, sizeof(pin), "%s/device-%d", s->pin, ifindex);
	return hook_attach(h, router_program(s->router), ifindex, way,
			   s->o.pin ? pin : NULL);
}

/* The program is on a device from now on. */
static int use_device(struct usplice *s, uint32_t ifindex)
{
	int rc;

	for (unsigned i = 0; i < s->n_devices; i++)
		if (s->device[i].ifindex == (int)ifindex)
			return 0;
	assert(s->n_devices <= DEVICES_MAX);
	if (s->n_devices == DEVICES_MAX)
		return -ENOSPC;
	if (!way_is_ethernet(ifindex))
		return -EOPNOTSUPP;
	rc = attach(s, &s->device[s->n_devices], (int)ifindex);
	if (rc == 0)
		s->n_devices++;
	return rc;
}

int ways_open(struct usplice *s, struct errbuf *e)
{
	s->routes = netlink_open();
	if (s->routes < 0)
		return errbuf_set(e, s->routes, "no socket for routes");
	s->watch = way_watch();
	if (s->watch < 0)
		return errbuf_set(e, s->watch, "no socket for changes");
	if (s->o.mark != 0) {
		int rc = lead_here(s->routes, s->o.mark);

		if (rc != 0)
			return errbuf_set(e, rc, "a rule for a mark: %s",
					  strerror(-rc));
	}
	for (const char *const *d = s->o.dev; d && *d; d++) {
		unsigned ifindex = if_nametoindex(*d);
		int rc = ifindex == 0 ? -ENODEV : use_device(s, ifindex);

		if (rc != 0)
			return errbuf_set(e, rc, "device %s: %s", *d,
					  strerror(-rc));
	}
	return 0;
}

void ways_close(struct usplice *s)
{
	for (unsigned i = 0; i < s->n_devices; i++) {
		if (s->o.pin)
			hook_leave(&s->device[i]);
		else
			hook_detach(&s->device[i]);
	}
	if (s->routes >= 0 && s->o.mark != 0)
		lead_no_more(s->routes, s->o.mark);
	if (s->routes >= 0)
		close(s->routes);
	if (s->watch >= 0)
		close(s->watch);
}

/* Where a way would be known. */
static struct known_way *known_at(struct usplice *s, const struct ipaddr *peer,
				  const struct ipaddr *ours)
{
	uint32_t h = 0;

	for (int i = 12; i < 16; i++)
		h = h * 31 + (uint32_t)(peer->b[i] ^ ours->b[i] << 3);
	return &s->known[h % WAYS_KNOWN];
}

/* Ask the kernel, unless it has said so within the last second and nothing has
 * changed since. The program is on the device then.
 */
static int look_up(struct usplice *s, const struct ipaddr *peer,
		   const struct ipaddr *ours, struct way *w)
{
	static const struct ipaddr none;
	struct known_way *k = known_at(s, peer, ours);
	uint64_t now = clock_mono();
	int rc;

	if (k->until > now && ipaddr_eq(&k->peer, peer) &&
	    ipaddr_eq(&k->ours, ours)) {
		*w = k->way;
		return 0;
	}
	rc = way_find(s->routes, peer, ipaddr_eq(ours, &none) ? NULL : ours, w);
	if (rc == 0 && w->local)
		rc = -EOPNOTSUPP;
	if (rc == 0)
		rc = use_device(s, w->ifindex);
	if (rc != 0)
		return rc;
	*k = (struct known_way){ .peer = *peer,
				 .ours = *ours,
				 .way = *w,
				 .until = now + KNOWN_FOR };
	return 0;
}

void ways_unlearn(struct usplice *s)
{
	for (unsigned i = 0; i < WAYS_KNOWN; i++)
		s->known[i].until = 0;
}

int ways_of_tuple(struct usplice *s, struct splice_tuple *t,
		  struct join_way *out)
{
	static const struct ipaddr none;
	struct ipaddr peer = ipaddr_from6(t->src);
	struct ipaddr ours = ipaddr_from6(t->dst);
	bool chosen = !ipaddr_eq(&ours, &none);
	struct way w;
	int rc = look_up(s, &peer, &ours, &w);

	if (rc != 0)
		return rc;
	if (!chosen && ipaddr_eq(&w.src, &none))
		return -EADDRNOTAVAIL;
	if (!chosen)
		memcpy(t->dst, w.src.b, sizeof(t->dst));
	out->ifindex = w.ifindex;
	out->mtu = w.mtu;
	return 0;
}

/* With another host's address towards the server the kernel is asked as with
 * any of ours: it knows no way from there.
 */
static int to_server(struct usplice_pair *p, struct join_way *way)
{
	struct splice_tuple any = p->tuple[DIR_S2C];

	if (p->s->o.mark == 0)
		return ways_of_tuple(p->s, &p->tuple[DIR_S2C], way);
	memset(any.dst, 0, sizeof(any.dst));
	return ways_of_tuple(p->s, &any, way);
}

int ways_find(struct usplice_pair *p)
{
	struct join_way way[DIR_COUNT];
	int rc = ways_of_tuple(p->s, &p->tuple[DIR_C2S], &way[DIR_C2S]);

	if (rc == 0)
		rc = to_server(p, &way[DIR_S2C]);
	if (rc == 0)
		memcpy(p->way, way, sizeof(way));
	return rc;
}

void ways_mend(struct usplice *s)
{
	for (unsigned i = 0; i < s->n_devices; i++) {
		struct hook *h = &s->device[i];
		int ifindex = h->ifindex;

		if (hook_present(h) == 1)
			continue;
		hook_leave(h);
		if (attach(s, h, ifindex) == 0) {
			s->counters.mended++;
			continue;
		}
		/* The device is gone. */
		*h = s->device[--s->n_devices];
		i--;
	}
}

static void follow_one(struct usplice_pair *p)
{
	struct join_way was[DIR_COUNT];

	memcpy(was, p->way, sizeof(was));
	if (ways_find(p) != 0) {
		p->s->counters.astray++;
		return;
	}
	if (memcmp(was, p->way, sizeof(was)) != 0 &&
	    router_move(p->s->router, &p->name, p->way) == 0)
		p->s->counters.moved++;
}

bool ways_follow(struct usplice *s)
{
	for (unsigned i = 0; i < FOLLOW_AT_ONCE && s->follow_at < s->used;
	     i++) {
		struct usplice_pair *p = &s->pairs[s->follow_at++];

		if (p->state != PAIR_FREE && p->state != PAIR_OVER)
			follow_one(p);
	}
	return s->follow_at < s->used;
}
