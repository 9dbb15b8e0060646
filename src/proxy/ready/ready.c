/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ready.c - What stands in a splice's way
 *
 * Hop by hop, as doctor's. A proxy that runs beside is not touched: the program
 * is loaded, and put on a device only by a hook of its own.
 */
#include "ready/ready.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hops/hops.h"
#include "join/usplice.h"
#include "net/devices.h"

#define BTF	"/sys/kernel/btf/vmlinux"
#define RANGE	"/proc/sys/net/ipv4/ip_local_port_range"
#define TRACKED "/proc/sys/net/netfilter/nf_conntrack_count"
#define LIBERAL "/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal"

static int has_btf(void *ctx)
{
	(void)ctx;
	if (access(BTF, R_OK) == 0)
		return hop_ok("the kernel says where its structures lie (BTF)");
	hop_fail("the kernel does not say where its structures lie: no %s",
		 BTF);
	return hop_remedy("boot one with CONFIG_DEBUG_INFO_BTF; --splice copy "
			  "does without");
}

/* Return: 0 or -Exxx, with a sentence */
static int try_open(const struct usplice_options *u, char *err, size_t n)
{
	struct usplice *s = NULL;
	int rc = usplice_open(&s, u, err, n);

	if (rc == 0)
		usplice_close(s);
	return rc;
}

static int loads(void *ctx)
{
	const struct setup *o = ctx;
	const struct usplice_options u = { .pairs = o->connections,
					   .pin = o->pin };
	char err[200] = "";
	int rc = try_open(&u, err, sizeof(err));

	if (rc == 0)
		return hop_ok("the program can be loaded, for %u connections",
			      o->connections);
	if (rc == -EBUSY)
		return hop_ok("another proxy has the tables in %s", o->pin);
	hop_fail("the program cannot be loaded: %s", err);
	if (rc == -EPERM || rc == -EACCES)
		return hop_remedy("be root, or have CAP_NET_ADMIN, CAP_BPF and "
				  "CAP_PERFMON");
	if (o->pin)
		return hop_remedy(
			"give --pin a folder in a bpffs (mount -t bpf "
			"none DIR), and the --connections that it was "
			"made with");
	return hop_remedy(
		"a kernel from 6.1 on can; --splice copy does without");
}

static int has_hook(void *ctx)
{
	const char *dev[DEVICES_LISTED + 1];
	const struct usplice_options u = { .pairs = 1,
					   .flags = USPLICE_TCX,
					   .dev = dev };
	char err[200] = "";

	(void)ctx;
	devices_list(dev);
	if (!dev[0]) {
		hop_fail("no Ethernet device is up and has an address");
		return hop_remedy("ip link set DEV up; ip address add ADDR/LEN "
				  "dev DEV");
	}
	dev[1] = NULL;
	if (try_open(&u, err, sizeof(err)) == 0)
		return hop_ok("it has a hook of its own (tcx) on %s", dev[0]);
	return hop_ok("it shares clsact with others, who may delete it: then "
		      "it is put back, and what came meanwhile was reset "
		      "(Linux 6.6 has tcx)");
}

static bool read_numbers(const char *path, unsigned *a, unsigned *b)
{
	FILE *f = fopen(path, "re");
	int n;

	if (!f)
		return false;
	*b = 0;
	n = fscanf(f, "%u %u", a, b);
	fclose(f);
	return n >= 1;
}

static int has_ports(void *ctx)
{
	const struct setup *o = ctx;
	unsigned low, high;

	if (!read_numbers(RANGE, &low, &high) || low > o->port_high ||
	    high < o->port_low)
		return hop_ok("the kernel gives out none of our ports, %u-%u",
			      o->port_low, o->port_high);
	hop_fail("the kernel gives out ports %u-%u by itself, and %u-%u are "
		 "to be ours: a port of a spliced connection may be given to "
		 "another program",
		 low, high, o->port_low, o->port_high);
	return hop_remedy(
		"sysctl -w net.ipv4.ip_local_port_range='32768 60999', "
		"or give other --ports");
}

static bool has_lro(int fd, const char *dev)
{
	struct ethtool_value v = { .cmd = ETHTOOL_GFLAGS };
	struct ifreq r;

	memset(&r, 0, sizeof(r));
	strncpy(r.ifr_name, dev, IF_NAMESIZE - 1);
	r.ifr_data = (void *)&v;
	return ioctl(fd, SIOCETHTOOL, &r) == 0 && (v.data & ETH_FLAG_LRO);
}

static int no_lro(void *ctx)
{
	const char *dev[DEVICES_LISTED + 1];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const char *bad = NULL;

	(void)ctx;
	devices_list(dev);
	for (int i = 0; fd >= 0 && dev[i] && !bad; i++)
		if (has_lro(fd, dev[i]))
			bad = dev[i];
	if (fd >= 0)
		close(fd);
	if (!bad)
		return hop_ok("no device joins segments for good (LRO)");
	hop_fail("%s joins segments for good (LRO): what it makes of them "
		 "cannot be passed on",
		 bad);
	return hop_remedy("ethtool -K %s lro off", bad);
}

static int no_conntrack(void *ctx)
{
	unsigned tracked, liberal, none;

	(void)ctx;
	/* The kernel can always, but does only if a rule asks for it. */
	if (!read_numbers(TRACKED, &tracked, &none) || tracked == 0 ||
	    !read_numbers(LIBERAL, &liberal, &none))
		return hop_ok("no connection is tracked here");
	if (liberal != 0)
		return hop_ok("tracking of connections bears what it has not "
			      "seen");
	hop_fail("connections are tracked here: of a spliced one only the "
		 "handshake is seen, and when its port is taken again, "
		 "packets may be called invalid and dropped");
	return hop_remedy(
		"sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1,"
		" or a rule that does not track them");
}

int ready_check(const struct setup *o)
{
	static const struct hop way[] = {
		{ 0, has_btf },	  { 0, loads },	 { 0, has_hook },
		{ 0, has_ports }, { 0, no_lro }, { 0, no_conntrack },
	};
	struct setup copy = *o;
	int r = hops_walk(way, sizeof(way) / sizeof(way[0]), 0, &copy);

	fflush(stdout);
	return r;
}
