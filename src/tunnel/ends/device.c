/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.c - The TUN or TAP device whose packets go through the tunnel
 */
#include "ends/device.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_tun.h>
#include <linux/ipv6.h>

#define TUN "/dev/net/tun"
/* Packets that the kernel keeps for us: what is sent while we are not
 * scheduled.
 */
#define QUEUE	1000
#define TAP_MTU 1500 /* of the networks that are bridged */

/* Since Linux 6.2; headers of Debian 12 do not have them. */
#define USO4 0x20
#define USO6 0x40
#define TSO  (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)

/* Ask for long packets, as far as the kernel has them. The header is in the
 * same order everywhere, or it is not asked for.
 */
static void offload(int fd, struct device_can *can)
{
	int on = 1;

	if (ioctl(fd, TUNSETVNETLE, &on) != 0)
		return;
	can->udp = ioctl(fd, TUNSETOFFLOAD, TSO | USO4 | USO6) == 0;
	can->tcp = can->udp || ioctl(fd, TUNSETOFFLOAD, TSO) == 0;
}

static int tun_open(const char *dev, bool tap, bool vnet, struct errbuf *e)
{
	struct ifreq r = {
		.ifr_flags = (short)((tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI |
				     (vnet ? IFF_VNET_HDR : 0)),
	};
	int fd = open(TUN, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return errbuf_set(e, -errno,
				  TUN ": %s; load the module tun, and start "
				      "as root or with CAP_NET_ADMIN",
				  strerror(errno));
	memcpy(r.ifr_name, dev, strlen(dev));
	if (ioctl(fd, TUNSETIFF, &r) == 0)
		return fd;
	rc = errbuf_set(e, -errno, "--dev %s: %s; %s", dev, strerror(errno),
			errno == EPERM	 ? "start as root or with CAP_NET_ADMIN"
			: errno == EBUSY ? "another process has it, or it is "
					   "another kind of device: take "
					   "another name"
					 : "take another name");
	close(fd);
	return rc;
}

static uint32_t netmask(unsigned bits)
{
	return bits == 0 ? 0 : htonl(UINT32_MAX << (32 - bits));
}

static int add_addr(int s4, int s6, const char *dev, const struct ends_net *a)
{
	struct ifreq r = { .ifr_flags = 0 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct in6_ifreq r6 = { .ifr6_prefixlen = a->bits };

	memcpy(r.ifr_name, dev, strlen(dev));
	if (!ipaddr_is4(&a->ip)) {
		if (ioctl(s4, SIOCGIFINDEX, &r) != 0)
			return -errno;
		r6.ifr6_ifindex = r.ifr_ifindex;
		memcpy(&r6.ifr6_addr, a->ip.b, sizeof(r6.ifr6_addr));
		return ioctl(s6, SIOCSIFADDR, &r6) == 0 ? 0 : -errno;
	}
	memcpy(&in.sin_addr, a->ip.b + 12, sizeof(in.sin_addr));
	memcpy(&r.ifr_addr, &in, sizeof(in));
	if (ioctl(s4, SIOCSIFADDR, &r) != 0)
		return -errno;
	in.sin_addr.s_addr = netmask(a->bits - IPADDR_4IN6);
	memcpy(&r.ifr_netmask, &in, sizeof(in));
	return ioctl(s4, SIOCSIFNETMASK, &r) == 0 ? 0 : -errno;
}

static int set_up(int s4, const char *dev, uint32_t mtu)
{
	struct ifreq r = { .ifr_mtu = (int)mtu };

	memcpy(r.ifr_name, dev, strlen(dev));
	if (ioctl(s4, SIOCSIFMTU, &r) != 0)
		return -errno;
	r.ifr_qlen = QUEUE;
	if (ioctl(s4, SIOCSIFTXQLEN, &r) != 0)
		return -errno;
	if (ioctl(s4, SIOCGIFFLAGS, &r) != 0)
		return -errno;
	r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
	return ioctl(s4, SIOCSIFFLAGS, &r) == 0 ? 0 : -errno;
}

uint32_t device_mtu(const struct ends_options *o, uint32_t mtu)
{
	if (!o->tap)
		return mtu;
	return o->mtu != 0 ? o->mtu : TAP_MTU;
}

int device_open(const struct ends_options *o, uint32_t mtu,
		struct device_can *can, struct errbuf *e)
{
	/* Long frames are not cut here. */
	bool vnet = o->offload == ENDS_OFFLOAD_AUTO && !o->tap;
	int fd = tun_open(o->dev, o->tap, vnet, e), s4, s6, r;

	if (fd < 0)
		return fd;
	*can = (struct device_can){ .vnet = vnet };
	if (vnet)
		offload(fd, can);
	s4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = set_up(s4, o->dev, device_mtu(o, mtu));
	for (unsigned i = 0; r == 0 && i < o->addrs; i++)
		r = add_addr(s4, s6, o->dev, &o->addr[i]);
	if (s4 >= 0)
		close(s4);
	if (s6 >= 0)
		close(s6);
	if (r == 0)
		return fd;
	close(fd);
	return errbuf_set(e, r,
			  "--dev %s: could not get its MTU and addresses: %s",
			  o->dev, strerror(-r));
}
