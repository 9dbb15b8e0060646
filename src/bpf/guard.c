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
 */
#include "bpf/guard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
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
	char text[GUARD_WHY_TEXT];
	struct guard_why why;
	int index = 0;
	int rc = index_of(ifname, &index);

	libbpf_set_print(print_nothing);
	if (rc == 0)
		rc = guard_in_use(ifname, &why);
	if (rc)
		return errbuf_set(e, rc, "%s: %s", ifname, strerror(-rc));
	if (why.use != GUARD_FREE)
		return errbuf_set(e, -EBUSY, "%s is in use: %s", ifname,
				  guard_why_text(&why, text));
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
