/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard_use.c - Is an interface the host's own?
 *
 * Theory of operation
 *
 * What we send on an interface that somebody uses reaches somebody, and the
 * guard would cut him off. So an interface is free only if nothing of the host
 * hangs on it, above, below or beside:
 *
 *   itself	no address and no route beyond IPv6 link-local and multicast; no
 *		master (bridge, bond, team, Open vSwitch, VRF) that it belongs
 *		to; no port that belongs to it, for then it is a bridge or bond
 *		of somebody; nothing that is built on it (VLAN, macvlan, tunnel)
 *   lower	what a VLAN, macvlan, ipvlan or the like is built on is asked
 *		the same, down to the wire; what else is built there may be
 *		another VLAN, but a macvlan or ipvlan shares the wire with its
 *		siblings, and so these are asked as well
 *   peer	the other end of a veth pair, if it is here too: a pair whose
 *		other end is a port of the host's bridge leads into that bridge
 *
 * A tunnel (VXLAN, GRE and so on) is a wire of its own: what carries it may be
 * in use. A veth pair whose other end is in another namespace is like a cable
 * out of the house. A lower interface in another namespace is somebody's until
 * he shows it, and he cannot.
 *
 * All is read by netlink: it shows the network namespace that we are in,
 * whereas /sys shows the one that it was mounted in. IFLA_LINK of a veth names
 * the other end, of all else the interface below.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/guard_use.h"
#include "bpf/netlink.h"

/* Interfaces of a namespace that are read; more are an error, and no interface
 * is taken to be free.
 */
#define GUARD_LINKS 16384
#define GROW	    256
#define LOWER_MAX   8 /* interfaces one below the other, as in the kernel */

const char *guard_why_text(const struct guard_why *why, char *out)
{
	static const char *const where[] = {
#define X(id, t) t,
		GUARD_WHERES(X)
#undef X
	};
	static const char *const use[] = {
#define X(id, t) t,
		GUARD_USES(X)
#undef X
	};
	const char *const part[2] = { where[why->where], use[why->use] };
	const char *const name[2] = { why->dev, why->other };
	size_t at = 0;

	/* "not in use" is said of nobody else. */
	for (int i = why->use == GUARD_FREE; i < 2; i++) {
		const char *gap = strstr(part[i], "%s");
		size_t head = gap ? (size_t)(gap - part[i]) : strlen(part[i]);
		int n = snprintf(out + at, GUARD_WHY_TEXT - at, "%.*s%.*s%s",
				 (int)head, part[i], GUARD_DEV,
				 gap ? name[i] : "", gap ? gap + 2 : "");

		at += (size_t)n < GUARD_WHY_TEXT - at ? (size_t)n : 0;
	}
	return out;
}

/* fe80::/10 and ff00::/8: what a link has by only being up. */
static bool only_link(const uint8_t *a)
{
	return a[0] == 0xff || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
}

static int get_int(const void *p, size_t len)
{
	int v = 0;

	if (p && len == sizeof(v))
		memcpy(&v, p, sizeof(v));
	return v;
}

static struct guard_link *find(const struct guard_links *ls, int index)
{
	for (uint32_t i = 0; index != 0 && i < ls->n; i++)
		if (ls->l[i].index == index)
			return &ls->l[i];
	return NULL;
}

enum guard_bind guard_bind_of(const char *kind)
{
	static const struct {
		const char *kind;
		enum guard_bind bind;
	} known[] = {
		{ "veth", BIND_PEER },	    { "vxcan", BIND_PEER },
		{ "netkit", BIND_PEER },    { "macvlan", BIND_SHARED },
		{ "macvtap", BIND_SHARED }, { "ipvlan", BIND_SHARED },
		{ "ipvtap", BIND_SHARED },  { "vxlan", BIND_NONE },
		{ "geneve", BIND_NONE },    { "gre", BIND_NONE },
		{ "gretap", BIND_NONE },    { "erspan", BIND_NONE },
		{ "ip6gre", BIND_NONE },    { "ip6gretap", BIND_NONE },
		{ "ip6erspan", BIND_NONE }, { "ipip", BIND_NONE },
		{ "ip6tnl", BIND_NONE },    { "sit", BIND_NONE },
		{ "vti", BIND_NONE },	    { "vti6", BIND_NONE },
		{ "amt", BIND_NONE },	    { "bareudp", BIND_NONE },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].kind, kind) == 0)
			return known[i].bind;
	return BIND_LOWER;
}

static struct guard_link *link_new(struct guard_links *ls)
{
	struct guard_link *l;

	if (ls->n == ls->room) {
		if (ls->room >= GUARD_LINKS)
			return NULL;
		l = realloc(ls->l, (ls->room + GROW) * sizeof(*l));
		if (!l)
			return NULL;
		ls->l = l;
		ls->room += GROW;
	}
	l = &ls->l[ls->n++];
	memset(l, 0, sizeof(*l));
	return l;
}

/* A name in an attribute, as a string. */
static void get_name(char *out, size_t max, const void *p, size_t len)
{
	if (!p)
		len = 0;
	if (len >= max)
		len = max - 1;
	if (len > 0)
		memcpy(out, p, len);
	out[len] = '\0';
}

static int on_link(void *ctx, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	struct guard_links *ls = ctx;
	char kind[GUARD_DEV];
	struct guard_link *l;
	const void *p;
	size_t len = 0;
	size_t n = 0;

	if (h->nlmsg_type != RTM_NEWLINK ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return 0;
	l = link_new(ls);
	if (!l)
		return -E2BIG;
	l->index = m->ifi_index;
	l->loopback = (m->ifi_flags & IFF_LOOPBACK) != 0;
	p = netlink_attr(h, sizeof(*m), IFLA_IFNAME, &n);
	get_name(l->name, sizeof(l->name), p, n);
	p = netlink_attr(h, sizeof(*m), IFLA_MASTER, &n);
	l->master = get_int(p, n);
	p = netlink_attr(h, sizeof(*m), IFLA_LINK, &n);
	l->below = get_int(p, n);
	l->foreign = netlink_attr(h, sizeof(*m), IFLA_LINK_NETNSID, &n) != NULL;
	p = netlink_attr(h, sizeof(*m), IFLA_LINKINFO, &len);
	p = p ? netlink_nested(p, len, IFLA_INFO_KIND, &n) : NULL;
	get_name(kind, sizeof(kind), p, n);
	l->ovs = strcmp(kind, "openvswitch") == 0;
	if (l->below != 0 || l->foreign)
		l->bind = guard_bind_of(kind);
	return 0;
}

static int on_addr(void *ctx, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	struct guard_link *l;
	const uint8_t *a;
	size_t len = 0;

	if (h->nlmsg_type != RTM_NEWADDR ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return 0;
	l = find(ctx, (int)m->ifa_index);
	a = netlink_attr(h, sizeof(*m), IFA_ADDRESS, &len);
	if (m->ifa_family == AF_INET6 && a && len == 16 && only_link(a))
		return 0;
	if (l)
		l->address = true;
	return 0;
}

static void routed(const struct guard_links *ls, int index)
{
	struct guard_link *l = find(ls, index);

	if (l)
		l->route = true;
}

/* The next hops of a multipath route. */
static void hops_routed(const struct guard_links *ls, const uint8_t *p,
			size_t len)
{
	struct rtnexthop hop;

	while (p && len >= sizeof(hop)) {
		size_t step;

		memcpy(&hop, p, sizeof(hop));
		routed(ls, hop.rtnh_ifindex);
		/* The kernel's own macro mixes signs; it rounds up to 4. */
		step = ((size_t)hop.rtnh_len + 3) / 4 * 4;
		if (step < sizeof(hop) || step >= len)
			return;
		p += step;
		len -= step;
	}
}

static int on_route(void *ctx, const struct nlmsghdr *h)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	const uint8_t *dst;
	const void *p;
	size_t len = 0;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return 0;
	dst = netlink_attr(h, sizeof(*m), RTA_DST, &len);
	if (m->rtm_family == AF_INET6 && dst && len == 16 &&
	    m->rtm_dst_len >= 8 && only_link(dst))
		return 0;
	p = netlink_attr(h, sizeof(*m), RTA_OIF, &len);
	routed(ctx, get_int(p, len));
	p = netlink_attr(h, sizeof(*m), RTA_MULTIPATH, &len);
	hops_routed(ctx, p, len);
	return 0;
}

static bool found(struct guard_why *why, enum guard_use use,
		  const struct guard_link *l, const struct guard_link *other)
{
	why->use = use;
	memcpy(why->dev, l->name, sizeof(why->dev));
	memset(why->other, 0, sizeof(why->other));
	if (other)
		memcpy(why->other, other->name, sizeof(why->other));
	return true;
}

/* Does @l itself carry an address or a route, or belong to somebody? */
static bool held(const struct guard_links *ls, const struct guard_link *l,
		 struct guard_why *why)
{
	static const struct guard_link nameless = { .name = "another" };
	const struct guard_link *m = find(ls, l->master);

	if (l->loopback)
		return found(why, GUARD_LOOPBACK, l, NULL);
	if (l->master != 0)
		return found(why, GUARD_MASTER, l, m ? m : &nameless);
	if (l->ovs)
		return found(why, GUARD_SWITCH, l, NULL);
	if (l->address)
		return found(why, GUARD_ADDRESS, l, NULL);
	if (l->route)
		return found(why, GUARD_ROUTE, l, NULL);
	for (uint32_t i = 0; i < ls->n; i++)
		if (ls->l[i].master == l->index)
			return found(why, GUARD_PORT, l, &ls->l[i]);
	return false;
}

static bool on_top(const struct guard_link *u, const struct guard_link *l)
{
	return u->below == l->index && !u->foreign && u->bind != BIND_PEER;
}

/* Is anything built on @l? */
static bool carries(const struct guard_links *ls, const struct guard_link *l,
		    struct guard_why *why)
{
	for (uint32_t i = 0; i < ls->n; i++)
		if (ls->l[i].index != l->index && on_top(&ls->l[i], l))
			return found(why, GUARD_UPPER, l, &ls->l[i]);
	return false;
}

/* Do those who share @low's wire with @me use it? */
static bool siblings(const struct guard_links *ls, const struct guard_link *low,
		     const struct guard_link *me, struct guard_why *why)
{
	for (uint32_t i = 0; i < ls->n; i++) {
		const struct guard_link *s = &ls->l[i];

		if (s->index == me->index || !on_top(s, low))
			continue;
		why->where = GUARD_SIBLING;
		if (held(ls, s, why) || carries(ls, s, why))
			return true;
	}
	return false;
}

/* What @l is built on, one below the other. */
static bool lower(const struct guard_links *ls, const struct guard_link *l,
		  struct guard_why *why)
{
	for (int i = 0; i < LOWER_MAX; i++) {
		const struct guard_link *low;

		if (l->bind != BIND_LOWER && l->bind != BIND_SHARED)
			return false;
		low = l->foreign ? NULL : find(ls, l->below);
		if (!low)
			return found(why, GUARD_HIDDEN, l, NULL);
		why->where = GUARD_LOWER;
		if (held(ls, low, why))
			return true;
		if (l->bind == BIND_SHARED && siblings(ls, low, l, why))
			return true;
		why->where = GUARD_LOWER;
		l = low;
	}
	return found(why, GUARD_HIDDEN, l, NULL);
}

int guard_judge(const struct guard_links *ls, int index, struct guard_why *why)
{
	const struct guard_link *l = find(ls, index);
	const struct guard_link *peer;

	if (!l)
		return -ENODEV; /* it has just gone */
	why->where = GUARD_SELF;
	if (held(ls, l, why) || carries(ls, l, why) || lower(ls, l, why))
		return 0;
	peer = l->bind == BIND_PEER && !l->foreign ? find(ls, l->below) : NULL;
	why->where = GUARD_PEER;
	if (peer && (held(ls, peer, why) || carries(ls, peer, why)))
		return 0;
	why->where = GUARD_SELF;
	found(why, GUARD_FREE, l, NULL);
	return 0;
}

int guard_in_use(const char *ifname, struct guard_why *why)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	const struct ifaddrmsg addr = { .ifa_family = AF_UNSPEC };
	const struct rtmsg route = { .rtm_family = AF_UNSPEC };
	unsigned index = if_nametoindex(ifname);
	struct guard_links ls = { NULL, 0, 0 };
	struct guard_why w = { .use = GUARD_FREE };
	int rc;

	if (index == 0)
		return errno == ENODEV || errno == ENXIO ? -ENODEV : -errno;
	rc = netlink_dump(RTM_GETLINK, &link, sizeof(link), on_link, &ls);
	if (rc == 0)
		rc = netlink_dump(RTM_GETADDR, &addr, sizeof(addr), on_addr,
				  &ls);
	if (rc == 0)
		rc = netlink_dump(RTM_GETROUTE, &route, sizeof(route), on_route,
				  &ls);
	if (rc == 0)
		rc = guard_judge(&ls, (int)index, &w);
	free(ls.l);
	if (rc == 0)
		*why = w;
	return rc;
}
