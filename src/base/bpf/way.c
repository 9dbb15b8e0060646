/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * way.c - Where the kernel would send a packet
 *
 * Theory of operation
 *
 * The question is RTM_GETROUTE, which goes through rules and tables as a packet
 * of ours would. Changes are told by the groups of routing netlink. What has
 * changed is not read: who cares asks again for what he needs, since a route
 * may cover another one, or a rule lead to another table. A link that goes down
 * takes routes of IPv4 with it and tells of the link alone; hence links and
 * addresses count as routes.
 */
#include "bpf/way.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/netlink.h"

#define NOTICE_MAX                                                             \
	16384 /* of a notice only the head is read; what is longer is cut */

struct question {
	struct rtmsg r;
	uint8_t attrs[2 * (sizeof(struct rtattr) + 16)];
};

static size_t put_address(uint8_t *at, uint16_t type, const struct ipaddr *a)
{
	uint16_t n = ipaddr_is4(a) ? 4 : 16;
	struct rtattr h = { .rta_len = (uint16_t)(sizeof(h) + n),
			    .rta_type = type };

	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), a->b + 16 - n, n);
	return sizeof(h) + n;
}

static int take_number(const void *p, size_t len, uint32_t *out)
{
	if (!p || len != sizeof(*out))
		return -EPROTO;
	memcpy(out, p, sizeof(*out));
	return 0;
}

static int take_route(void *ctx, const struct nlmsghdr *h)
{
	struct way *w = ctx;
	struct rtmsg r;
	const void *p;
	size_t len = 0;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_HDRLEN + sizeof(r))
		return -EPROTO;
	memcpy(&r, (const uint8_t *)h + NLMSG_HDRLEN, sizeof(r));
	if (r.rtm_type != RTN_UNICAST && r.rtm_type != RTN_LOCAL)
		return -ENETUNREACH;
	w->local = r.rtm_type == RTN_LOCAL;
	p = netlink_attr(h, sizeof(r), RTA_PREFSRC, &len);
	if (p && len == 4)
		w->src = ipaddr_from4(p);
	else if (p && len == 16)
		w->src = ipaddr_from6(p);
	p = netlink_attr(h, sizeof(r), RTA_METRICS, &len);
	if (p)
		p = netlink_nested(p, len, RTAX_MTU, &len);
	if (p && take_number(p, len, &w->mtu) != 0)
		return -EPROTO;
	p = netlink_attr(h, sizeof(r), RTA_OIF, &len);
	return take_number(p, len, &w->ifindex);
}

int way_find(int fd, const struct ipaddr *dst, const struct ipaddr *src,
	     struct way *out)
{
	bool four = ipaddr_is4(dst);
	struct question q;
	struct way w;
	size_t n;
	int rc;

	if (src && ipaddr_is4(src) != four)
		return -EINVAL;
	memset(&q, 0, sizeof(q));
	memset(&w, 0, sizeof(w));
	q.r.rtm_family = four ? AF_INET : AF_INET6;
	q.r.rtm_dst_len = four ? 32 : 128;
	n = put_address(q.attrs, RTA_DST, dst);
	if (src) {
		q.r.rtm_src_len = q.r.rtm_dst_len;
		n += put_address(q.attrs + n, RTA_SRC, src);
	}
	rc = netlink_get(fd, RTM_GETROUTE, &q, sizeof(q.r) + n, take_route, &w);
	if (rc == 0)
		*out = w;
	return rc;
}

int way_watch(void)
{
	static const unsigned groups[] = {
		RTNLGRP_LINK,	    RTNLGRP_TC,	       RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV6_RULE,
	};
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_ROUTE);
	int rc;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		a.nl_groups |= 1u << (groups[i] - 1);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static unsigned told_by(uint16_t type)
{
	switch (type) {
	case RTM_NEWQDISC:
	case RTM_DELQDISC:
	case RTM_NEWTFILTER:
	case RTM_DELTFILTER:
		return WAY_HOOKS;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return WAY_ROUTES | WAY_HOOKS;
	default:
		return WAY_ROUTES;
	}
}

unsigned way_changes(int fd)
{
	union {
		struct nlmsghdr h;
		uint8_t b[NOTICE_MAX];
	} buf;
	unsigned what = 0;

	for (;;) {
		ssize_t n = recv(fd, &buf, sizeof(buf), 0);

		if (n >= (ssize_t)sizeof(buf.h))
			what |= told_by(buf.h.nlmsg_type);
		else if (n < 0 && errno == ENOBUFS)
			what |= WAY_ROUTES | WAY_HOOKS;
		else if (n >= 0 || errno != EINTR)
			return what;
	}
}

bool way_is_ethernet(uint32_t ifindex)
{
	struct ifreq r;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool yes;

	memset(&r, 0, sizeof(r));
	r.ifr_ifindex = (int)ifindex;
	/* One socket for both: a caller may have given up all other kinds. */
	yes = fd >= 0 && ioctl(fd, SIOCGIFNAME, &r) == 0 &&
	      ioctl(fd, SIOCGIFHWADDR, &r) == 0 &&
	      r.ifr_hwaddr.sa_family == ARPHRD_ETHER;
	if (fd >= 0)
		close(fd);
	return yes;
}
