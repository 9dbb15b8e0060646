/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Theory of operation
 *
 * An interface without an address is not silent. Linux answers ARP on it for
 * every address of the host, takes SYNs for those addresses and sends the
 * answers out of another interface, and speaks IPv6 as soon as the link is up.
 * On the wire of a system under test that would break the play, and on a mirror
 * port it would be seen in the world.
 *
 * The guard is a program of two instructions, "return TC_ACT_SHOT", in the
 * ingress and the egress hook of the clsact qdisc. Packet sockets see a frame
 * before ingress, and write round egress with PACKET_QDISC_BYPASS: we still
 * hear and speak, the host's own stack does not. The filters belong to the
 * interface, not to our process, so they outlive it; only guard_release() lifts
 * them.
 *
 * Ours are known by handle, priority and the program's name together. Priority
 * 1 is asked first by the kernel, and cls_bpf puts the newest of a priority in
 * front, so that nobody's earlier filter can let a frame pass before ours. What
 * runs ahead of clsact (XDP, tcx) is not looked at.
 *
 * Whether an interface is in use is read by netlink: it shows the network
 * namespace that we are in, whereas /sys shows the one that it was mounted in.
 * An upper device is a link whose IFLA_LINK is ours; the two ends of a veth pair
 * point at each other and are told apart by that.
 */
#include "bpf/guard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_addr.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/netlink.h"

#define GUARD_NAME     "understudy_drop"
#define GUARD_HANDLE   0x5544
#define GUARD_PRIORITY 1

static const enum bpf_tc_attach_point point[2] = { BPF_TC_INGRESS,
						   BPF_TC_EGRESS };

const char *guard_use_text(enum guard_use u)
{
	static const char *const text[] = {
#define X(id, t) t,
		GUARD_USES(X)
#undef X
	};

	return text[u];
}

/* libbpf writes what went wrong to stderr by itself; libraries are silent. */
static int print_nothing(enum libbpf_print_level level, const char *fmt,
			 va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static int index_of(const char *ifname, int *index)
{
	unsigned i = if_nametoindex(ifname);

	if (i == 0)
		return errno == ENODEV || errno == ENXIO ? -ENODEV : -errno;
	*index = (int)i;
	return 0;
}

/* What the dumps are asked for and what they found. */
struct use_query {
	int index;
	int peer;     /* IFLA_LINK of the interface itself */
	bool foreign; /* that link is in another namespace */
	enum guard_use use;
};

/* fe80::/10 and ff00::/8: what a link has by only being up. */
static bool only_link(const uint8_t *a)
{
	return a[0] == 0xff || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
}

static int on_addr(void *ctx, const struct nlmsghdr *h)
{
	struct use_query *q = ctx;
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	const uint8_t *a;
	size_t len = 0;

	if (h->nlmsg_type != RTM_NEWADDR ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
	    (int)m->ifa_index != q->index)
		return 0;
	a = netlink_attr(h, sizeof(*m), IFA_ADDRESS, &len);
	if (m->ifa_family == AF_INET6 && a && len == 16 && only_link(a))
		return 0;
	q->use = GUARD_ADDRESS;
	return 0;
}

static int get_int(const void *p, size_t len)
{
	int v = 0;

	if (p && len == sizeof(v))
		memcpy(&v, p, sizeof(v));
	return v;
}

/* Test whether one of the next hops of a multipath route uses the interface. */
static bool hop_uses(const uint8_t *p, size_t len, int index)
{
	struct rtnexthop hop;

	while (p && len >= sizeof(hop)) {
		size_t step;

		memcpy(&hop, p, sizeof(hop));
		if (hop.rtnh_ifindex == index)
			return true;
		/* The kernel's own macro mixes signs; it rounds up to 4. */
		step = ((size_t)hop.rtnh_len + 3) / 4 * 4;
		if (step < sizeof(hop) || step >= len)
			return false;
		p += step;
		len -= step;
	}
	return false;
}

static int on_route(void *ctx, const struct nlmsghdr *h)
{
	struct use_query *q = ctx;
	const struct rtmsg *m = NLMSG_DATA(h);
	const uint8_t *dst;
	const void *oif;
	const uint8_t *hops;
	size_t dst_len = 0;
	size_t oif_len = 0;
	size_t hops_len = 0;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return 0;
	oif = netlink_attr(h, sizeof(*m), RTA_OIF, &oif_len);
	hops = netlink_attr(h, sizeof(*m), RTA_MULTIPATH, &hops_len);
	if (get_int(oif, oif_len) != q->index &&
	    !hop_uses(hops, hops_len, q->index))
		return 0;
	dst = netlink_attr(h, sizeof(*m), RTA_DST, &dst_len);
	if (m->rtm_family == AF_INET6 && dst && dst_len == 16 &&
	    m->rtm_dst_len >= 8 && only_link(dst))
		return 0;
	q->use = GUARD_ROUTE;
	return 0;
}

static int on_own_link(void *ctx, const struct nlmsghdr *h)
{
	struct use_query *q = ctx;
	const struct ifinfomsg *m = NLMSG_DATA(h);
	const void *p;
	size_t len = 0;

	if (h->nlmsg_type != RTM_NEWLINK ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->ifi_index != q->index)
		return 0;
	if (m->ifi_flags & IFF_LOOPBACK)
		q->use = GUARD_LOOPBACK;
	p = netlink_attr(h, sizeof(*m), IFLA_MASTER, &len);
	if (get_int(p, len) != 0)
		q->use = GUARD_MASTER;
	p = netlink_attr(h, sizeof(*m), IFLA_LINK, &len);
	q->peer = get_int(p, len);
	q->foreign = netlink_attr(h, sizeof(*m), IFLA_LINK_NETNSID, &len);
	return 0;
}

static int on_other_link(void *ctx, const struct nlmsghdr *h)
{
	struct use_query *q = ctx;
	const struct ifinfomsg *m = NLMSG_DATA(h);
	const void *link;
	size_t len = 0;
	size_t ns = 0;

	if (h->nlmsg_type != RTM_NEWLINK ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->ifi_index == q->index)
		return 0;
	link = netlink_attr(h, sizeof(*m), IFLA_LINK, &len);
	if (get_int(link, len) != q->index ||
	    netlink_attr(h, sizeof(*m), IFLA_LINK_NETNSID, &ns))
		return 0;
	if (m->ifi_index == q->peer && !q->foreign)
		return 0; /* the other end of a veth pair */
	q->use = GUARD_UPPER;
	return 0;
}

int guard_in_use(const char *ifname, enum guard_use *use)
{
	struct use_query q = { .use = GUARD_FREE };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	const struct ifaddrmsg addr = { .ifa_family = AF_UNSPEC };
	const struct rtmsg route = { .rtm_family = AF_UNSPEC };
	int rc = index_of(ifname, &q.index);

	if (rc == 0)
		rc = netlink_dump(RTM_GETLINK, &link, sizeof(link), on_own_link,
				  &q);
	if (rc == 0 && q.use == GUARD_FREE)
		rc = netlink_dump(RTM_GETLINK, &link, sizeof(link),
				  on_other_link, &q);
	if (rc == 0 && q.use == GUARD_FREE)
		rc = netlink_dump(RTM_GETADDR, &addr, sizeof(addr), on_addr,
				  &q);
	if (rc == 0 && q.use == GUARD_FREE)
		rc = netlink_dump(RTM_GETROUTE, &route, sizeof(route), on_route,
				  &q);
	if (rc == 0)
		*use = q.use;
	return rc;
}

static int program_load(void)
{
	const struct bpf_insn insn[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = BPF_REG_0,
		  .imm = TC_ACT_SHOT },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, GUARD_NAME,
			     "Dual BSD/GPL", insn,
			     sizeof(insn) / sizeof(insn[0]), NULL);
}

/* Test whether the program with this number is the guard's. */
static int program_is_ours(uint32_t id)
{
	struct bpf_prog_info info;
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);
	int rc;

	if (fd < 0)
		return fd;
	memset(&info, 0, sizeof(info));
	rc = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	if (rc)
		return rc;
	return strncmp(info.name, GUARD_NAME, sizeof(info.name)) == 0;
}

/* Return: 1 this half is there, 0 not, or -Exxx. */
static int half_present(int index, enum bpf_tc_attach_point at)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = index, .attach_point = at);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = GUARD_HANDLE,
		    .priority = GUARD_PRIORITY);
	int rc = bpf_tc_query(&hook, &opts);

	/* -EINVAL: no clsact at all. */
	if (rc == -ENOENT || rc == -EINVAL)
		return 0;
	return rc ? rc : program_is_ours(opts.prog_id);
}

static int half_attach(int index, enum bpf_tc_attach_point at, int prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = index, .attach_point = at);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = GUARD_HANDLE,
		    .priority = GUARD_PRIORITY, .prog_fd = prog);
	int there = half_present(index, at);

	if (there != 0)
		return there < 0 ? there : 0;
	return bpf_tc_attach(&hook, &opts);
}

static int half_detach(int index, enum bpf_tc_attach_point at)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = index, .attach_point = at);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = GUARD_HANDLE,
		    .priority = GUARD_PRIORITY);
	int there = half_present(index, at);

	return there > 0 ? bpf_tc_detach(&hook, &opts) : there;
}

static int on_filter(void *ctx, const struct nlmsghdr *h)
{
	(void)ctx;
	return h->nlmsg_type == RTM_NEWTFILTER;
}

/* Remove the qdisc unless somebody's filter is in it. */
static int clsact_remove(int index)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = index,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct tcmsg m = { .tcm_family = AF_UNSPEC, .tcm_ifindex = index };
	int rc;

	m.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
	rc = netlink_dump(RTM_GETTFILTER, &m, sizeof(m), on_filter, NULL);
	if (rc == 0) {
		m.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS);
		rc = netlink_dump(RTM_GETTFILTER, &m, sizeof(m), on_filter,
				  NULL);
	}
	if (rc)
		return rc > 0 ? 0 : rc;
	rc = bpf_tc_hook_destroy(&hook);
	return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
}

static int detach_all(int index)
{
	int rc = half_detach(index, point[0]);
	int rc2 = half_detach(index, point[1]);

	if (rc == 0)
		rc = rc2;
	return rc ? rc : clsact_remove(index);
}

static int attach_all(int index)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = index,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int prog = program_load();
	int rc;

	if (prog < 0)
		return prog;
	rc = bpf_tc_hook_create(&hook);
	if (rc == -EEXIST)
		rc = 0;
	for (int i = 0; i < 2 && rc == 0; i++)
		rc = half_attach(index, point[i], prog);
	/* The filters hold the program from here on. */
	close(prog);
	if (rc)
		(void)detach_all(index);
	return rc;
}

int guard_attach(const char *ifname, struct errbuf *e)
{
	enum guard_use use = GUARD_FREE;
	int index = 0;
	int rc = index_of(ifname, &index);

	libbpf_set_print(print_nothing);
	if (rc == 0)
		rc = guard_in_use(ifname, &use);
	if (rc)
		return errbuf_set(e, rc, "%s: %s", ifname, strerror(-rc));
	if (use != GUARD_FREE)
		return errbuf_set(e, -EBUSY, "%s is in use: %s", ifname,
				  guard_use_text(use));
	rc = attach_all(index);
	if (rc)
		return errbuf_set(e, rc, "%s: cannot set the guard: %s", ifname,
				  strerror(-rc));
	return 0;
}

int guard_present(const char *ifname)
{
	int index = 0;
	int rc = index_of(ifname, &index);

	libbpf_set_print(print_nothing);
	for (int i = 0; i < 2 && rc == 0; i++) {
		rc = half_present(index, point[i]);
		if (rc <= 0)
			return rc;
		rc = 0;
	}
	return rc ? rc : 1;
}

int guard_release(const char *ifname, struct errbuf *e)
{
	int index = 0;
	int rc = index_of(ifname, &index);
	int there;

	libbpf_set_print(print_nothing);
	if (rc == 0) {
		there = half_present(index, point[0]);
		if (there == 0)
			there = half_present(index, point[1]);
		rc = there > 0 ? detach_all(index) : there;
	}
	if (rc)
		return errbuf_set(e, rc, "%s: cannot lift the guard: %s",
				  ifname, strerror(-rc));
	return 0;
}

int guard_link_up(const char *ifname, struct errbuf *e)
{
	struct ifreq r;
	int rc = 0;
	int fd;

	memset(&r, 0, sizeof(r));
	if (strlen(ifname) >= sizeof(r.ifr_name))
		return errbuf_set(e, -ENODEV, "%s: name too long", ifname);
	memcpy(r.ifr_name, ifname, strlen(ifname));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errbuf_set(e, -errno, "socket: %s", strerror(errno));
	if (ioctl(fd, SIOCGIFFLAGS, &r))
		rc = -errno;
	if (rc == 0 && !(r.ifr_flags & IFF_UP)) {
		rc = guard_present(ifname);
		if (rc == 0)
			rc = -EPERM;
		r.ifr_flags |= IFF_UP;
		if (rc > 0)
			rc = ioctl(fd, SIOCSIFFLAGS, &r) ? -errno : 0;
	}
	close(fd);
	if (rc)
		return errbuf_set(e, rc, "%s: cannot set it up: %s", ifname,
				  strerror(-rc));
	return 0;
}
