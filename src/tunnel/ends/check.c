/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - What stands in the way of each path, before a tunnel is begun
 *
 * Hop by hop, as doctor's; nothing is sent. Of the routes only the main table
 * is known here: who has rules of his own (ip rule) reads the remedies with
 * them in mind.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ends/ends_internal.h"
#include "ends/places.h"
#include "hops/hops.h"
#include "os/clock.h"

#define ROUTES	 "/proc/net/route"
#define FILTER	 "/proc/sys/net/ipv4/conf/%s/rp_filter"
#define STRICT	 1
#define LEAST	 1280	     /* of a device, for an MTU that IPv6 takes */
#define BUILT	 1767225600u /* 2026: a clock that says less was not set */
#define ROUTE_UP 1	     /* RTF_UP */

/** struct checked - A path that is looked at */
struct checked {
	const struct ends_options *o;
	struct wire_way way;
	const char *dev;
	char to[TEXT_ENDPOINT];
};

static bool ask_device(const char *dev, unsigned long what, struct ifreq *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good;

	memset(r, 0, sizeof(*r));
	strncpy(r->ifr_name, dev, IF_NAMESIZE - 1);
	good = fd >= 0 && ioctl(fd, what, r) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

static int is_up(void *ctx)
{
	const struct checked *c = ctx;
	struct ifreq r;

	if (!ask_device(c->dev, SIOCGIFFLAGS, &r)) {
		hop_fail("%s: there is no such device", c->dev);
		return hop_remedy("'ip link' lists them");
	}
	if (r.ifr_flags & IFF_UP && r.ifr_flags & IFF_RUNNING)
		return hop_ok("%s is up", c->dev);
	hop_fail("%s is down, or has no carrier", c->dev);
	return hop_remedy("ip link set %s up", c->dev);
}

/* Does a line of the main table lead there? Its numbers are as they lie in
 * memory.
 */
static bool leads(const char *line, const struct checked *c)
{
	char dev[IF_NAMESIZE];
	unsigned dst, gate, flags, mask, remote;

	if (sscanf(line, "%15s %x %x %x %*s %*s %*s %x", dev, &dst, &gate,
		   &flags, &mask) != 5)
		return false;
	memcpy(&remote, c->way.remote.b + 12, sizeof(remote));
	return strcmp(dev, c->dev) == 0 && flags & ROUTE_UP &&
	       (remote & mask) == dst;
}

static bool main_table_leads(const struct checked *c)
{
	char line[256];
	bool found = false;
	FILE *f = fopen(ROUTES, "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = leads(line, c);
	if (f)
		fclose(f);
	return found;
}

/* With a device and no route the kernel takes anybody for a neighbour there. */
static int has_route(void *ctx)
{
	const struct checked *c = ctx;
	char s[TEXT_IP];
	struct ipaddr from;

	if (c->dev[0] != '\0' && ipaddr_is4(&c->way.remote)) {
		if (main_table_leads(c))
			return hop_ok("a route leads to %s by %s", c->to,
				      c->dev);
		hop_fail("no route leads to %s by %s", c->to, c->dev);
		return hop_remedy("ip route add %s via GATEWAY dev %s metric "
				  "1000, as a second way beside the first",
				  text_ip(s, &c->way.remote), c->dev);
	}
	if (wire_source(&c->way, &from) == 0)
		return hop_ok("a route leads to %s, from %s", c->to,
			      text_ip(s, &from));
	hop_fail("no route leads to %s", c->to);
	return hop_remedy("'ip route get %s' says why",
			  text_ip(s, &c->way.remote));
}

static int filter_of(const char *dev)
{
	char path[sizeof(FILTER) + IF_NAMESIZE];
	struct text t;
	FILE *f;
	int v = 0;

	text_begin(&t, path, sizeof(path));
	text_add(&t, FILTER, dev);
	f = fopen(path, "re");
	if (f && fscanf(f, "%d", &v) != 1)
		v = 0;
	if (f)
		fclose(f);
	return v;
}

/* The greater of the two holds: Documentation/networking/ip-sysctl.rst. */
static int not_strict(void *ctx)
{
	const struct checked *c = ctx;
	int all = filter_of("all"), own = filter_of(c->dev);

	if (!ipaddr_is4(&c->way.remote) || (all > own ? all : own) != STRICT)
		return hop_ok("%s takes what comes by another way than ours "
			      "(rp_filter)",
			      c->dev);
	hop_fail("%s drops what comes from where the best route does not lead "
		 "by it (rp_filter)",
		 c->dev);
	return hop_remedy("sysctl -w net.ipv4.conf.%s.rp_filter=2", c->dev);
}

static int is_wide(void *ctx)
{
	const struct checked *c = ctx;
	struct ifreq r;

	if (!ask_device(c->dev, SIOCGIFMTU, &r))
		return hop_ok("%s does not say its MTU", c->dev);
	if (r.ifr_mtu >= LEAST)
		return hop_ok("%s takes %d bytes; what the way takes is found "
			      "while it is used",
			      c->dev, r.ifr_mtu);
	hop_fail("%s takes %d bytes: datagrams are cut there", c->dev,
		 r.ifr_mtu);
	return hop_remedy("ip link set %s mtu 1500, or give a smaller --mtu",
			  c->dev);
}

static bool is_private(const struct ipaddr *a)
{
	const uint8_t *b = a->b + 12;

	if (!ipaddr_is4(a))
		return false;
	return b[0] == 10 || (b[0] == 172 && b[1] >> 4 == 1) ||
	       (b[0] == 192 && b[1] == 168) || (b[0] == 100 && b[1] >> 6 == 1);
}

/* RFC 1918, and RFC 6598 (carriers' own). */
static int keeps_nat(void *ctx)
{
	const struct checked *c = ctx;
	struct wire_way way = c->way;
	struct ipaddr from;

	if (wire_source(&way, &from) != 0 || !is_private(&from) ||
	    is_private(&way.remote))
		return hop_ok("no NAT is to be seen from here");
	if (c->o->keepalive > 0)
		return hop_ok("a NAT is kept open by --keepalive");
	return hop_ok("our address is a private one: a NAT forgets a path that "
		      "is idle, and until we send the other end cannot; "
		      "--keepalive 25s keeps it open");
}

static int has_time(void *ctx)
{
	(void)ctx;
	if (clock_real() / NS_PER_SEC >= BUILT)
		return hop_ok("the clock was set");
	hop_fail("the clock was not set: the other end takes handshakes for "
		 "old ones, and later none");
	return hop_remedy("let a time service run (timedatectl set-ntp true)");
}

enum { BY_DEVICE = 1, BY_SEVERAL = 2, BY_KEYS = 4 };

static const struct hop of_path[] = {
	{ BY_DEVICE, is_up },	{ 0, has_route }, { BY_SEVERAL, not_strict },
	{ BY_DEVICE, is_wide }, { 0, keeps_nat },
};
static const struct hop of_host[] = { { BY_KEYS, has_time } };

#define N(way) (sizeof(way) / sizeof((way)[0]))

int ends_check(const struct ends_options *given, struct errbuf *e)
{
	static struct ends_options o;
	int r, bad = 0;

	o = *given;
	r = places_look_up(&o, e);
	if (r != 0)
		return r;
	for (unsigned i = 0; i < o.paths; i++) {
		const struct ends_place *p = &o.path[i];
		struct checked c = { .o = &o,
				     .way = { .remote = p->remote,
					      .port = p->port },
				     .dev = p->dev };
		unsigned parts = p->dev[0] == '\0' ? 0
				 : o.paths > 1	   ? BY_DEVICE | BY_SEVERAL
						   : BY_DEVICE;

		if (p->has_local)
			c.way.local = p->local;
		text_endpoint(c.to, &p->remote, p->port);
		bad += hops_walk(of_path, N(of_path), parts, &c) != 0;
	}
	bad += hops_walk(of_host, N(of_host), o.plain ? 0 : BY_KEYS, NULL) != 0;
	return bad == 0 ? 0 : -EHOSTUNREACH;
}
