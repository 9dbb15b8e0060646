/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.c - What an interface can do, and what it says that it has sent
 */
#include "xmit/device.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/netdev.h"
#include "bpf/netlink.h"

#define IP_MAX 65535u

/* What a dump of all links is asked for. */
struct query {
	int index;
	struct device *dev;
	struct device_counter *counter;
	bool found;
};

static uint32_t attr_u32(const struct nlmsghdr *h, uint16_t type)
{
	size_t len = 0;
	uint32_t v = 0;
	const void *a = netlink_attr(h, sizeof(struct ifinfomsg), type, &len);

	if (a && len == sizeof(v))
		memcpy(&v, a, sizeof(v));
	return v;
}

static void read_device(struct device *d, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	uint32_t max = attr_u32(h, IFLA_GSO_MAX_SIZE);
	size_t len = 0;
	const void *mac = netlink_attr(h, sizeof(*m), IFLA_ADDRESS, &len);

	d->mtu = attr_u32(h, IFLA_MTU);
	d->up = (m->ifi_flags & IFF_UP) && (m->ifi_flags & IFF_RUNNING);
	d->ethernet =
		m->ifi_type == ARPHRD_ETHER || m->ifi_type == ARPHRD_LOOPBACK;
	/* The kernel wants less than the limit, an IP header 65535 at most. */
	d->super_max = max > IP_MAX ? IP_MAX : max > 0 ? max - 1 : 0;
	if (mac && len == sizeof(d->mac))
		memcpy(d->mac, mac, sizeof(d->mac));
}

static void read_counter(struct device_counter *c, const struct nlmsghdr *h)
{
	struct rtnl_link_stats64 st;
	size_t len = 0;
	const void *a =
		netlink_attr(h, sizeof(struct ifinfomsg), IFLA_STATS64, &len);

	memset(&st, 0, sizeof(st));
	if (a)
		memcpy(&st, a, len < sizeof(st) ? len : sizeof(st));
	c->tx_packets = st.tx_packets;
	c->tx_bytes = st.tx_bytes;
	c->tx_dropped = st.tx_dropped;
	c->tx_errors = st.tx_errors;
}

static int on_link(void *ctx, const struct nlmsghdr *h)
{
	struct query *q = ctx;
	const struct ifinfomsg *m = NLMSG_DATA(h);

	if (h->nlmsg_type != RTM_NEWLINK ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->ifi_index != q->index)
		return 0;
	q->found = true;
	if (q->dev)
		read_device(q->dev, h);
	if (q->counter)
		read_counter(q->counter, h);
	return 0;
}

static int ask(struct query *q, int fd)
{
	const struct ifinfomsg all = { .ifi_family = AF_UNSPEC };
	int rc = netlink_ask(fd, RTM_GETLINK, &all, sizeof(all), on_link, q);

	return rc ? rc : q->found ? 0 : -ENODEV;
}

static bool has_tso(const char *ifname)
{
	struct ethtool_value tso = { .cmd = ETHTOOL_GTSO };
	struct ifreq q;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return false;
	memset(&q, 0, sizeof(q));
	memcpy(q.ifr_name, ifname, strnlen(ifname, sizeof(q.ifr_name) - 1));
	q.ifr_data = (void *)&tso;
	rc = ioctl(fd, SIOCETHTOOL, &q);
	close(fd);
	return rc == 0 && tso.data != 0;
}

int device_socket(void)
{
	return netlink_open();
}

int device_ask(struct device *d, int fd, const char *ifname, struct errbuf *e)
{
	struct device n;
	struct query q = { .dev = &n };
	int rc;

	memset(&n, 0, sizeof(n));
	q.index = (int)if_nametoindex(ifname);
	if (q.index == 0 || strlen(ifname) >= sizeof(n.name))
		return errbuf_set(e, -ENODEV, "no interface named %s", ifname);
	rc = ask(&q, fd);
	if (rc)
		return errbuf_set(e, rc, "%s: %s", ifname, strerror(-rc));
	n.index = q.index;
	memcpy(n.name, ifname, strlen(ifname));
	n.tso = has_tso(ifname) && n.super_max > 0;
	n.redirect = netdev_takes_redirects(n.index);
	*d = n;
	return 0;
}

int device_count(const struct device *d, int fd, struct device_counter *c)
{
	struct device_counter n = { 0 };
	struct query q = { .index = d->index, .counter = &n };
	int rc = ask(&q, fd);

	if (rc == 0)
		*c = n;
	return rc;
}
