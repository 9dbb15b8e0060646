/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.c - Block a wire that is ours alone, in both directions
 *
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
 * Ours are known by handle, priority and the program's name and tag (a hash of
 * its instructions) together, all of which the dump of the filters tells:
 * opening a program that is there already would take CAP_SYS_ADMIN. Priority 1
 * is asked first by the kernel, and cls_bpf puts the newest of a priority in
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

/* What the kernel calls a program by: its name and the hash of what it does. */
struct mark {
	char name[sizeof(GUARD_NAME)];
	uint8_t tag[BPF_TAG_SIZE];
};

/* What the dump of a hook is looked through for. */
struct search {
	const struct mark *mark;
	bool found;
};

/* Load the program and learn its mark. Return: its descriptor, or -Exxx */
static int program_marked(struct mark *m)
{
	struct bpf_prog_info info;
	uint32_t len = sizeof(info);
	int prog = program_load();
	int rc;

	if (prog < 0)
		return prog;
	memset(&info, 0, sizeof(info));
	rc = bpf_obj_get_info_by_fd(prog, &info, &len);
	if (rc) {
		close(prog);
		return rc;
	}
	memcpy(m->tag, info.tag, sizeof(m->tag));
	memset(m->name, 0, sizeof(m->name));
	memcpy(m->name, info.name, sizeof(m->name) - 1);
	return prog;
}

/* Is it one of cls_bpf that bears the mark? Its name there is that of the
 * program, and behind it what libbpf adds.
 */
static bool bears(const struct mark *m, const struct nlmsghdr *h)
{
	const size_t head = sizeof(struct tcmsg);
	size_t kind_len = 0;
	size_t opts_len = 0;
	size_t len = 0;
	const char *kind = netlink_attr(h, head, TCA_KIND, &kind_len);
	const uint8_t *opts = netlink_attr(h, head, TCA_OPTIONS, &opts_len);
	const void *p;
	size_t n = strlen(m->name);

	if (!kind || kind_len < 4 || strncmp(kind, "bpf", 4) != 0 || !opts)
		return false;
	p = netlink_nested(opts, opts_len, TCA_BPF_NAME, &len);
	if (!p || len <= n || memcmp(p, m->name, n) != 0 ||
	    (((const char *)p)[n] != '\0' && ((const char *)p)[n] != ':'))
		return false;
	p = netlink_nested(opts, opts_len, TCA_BPF_TAG, &len);
	return p && len == sizeof(m->tag) && memcmp(p, m->tag, len) == 0;
}

static int on_guard(void *ctx, const struct nlmsghdr *h)
{
	struct search *s = ctx;
	const struct tcmsg *m = NLMSG_DATA(h);

	if (h->nlmsg_type == RTM_NEWTFILTER &&
	    h->nlmsg_len >= NLMSG_LENGTH(sizeof(*m)) &&
	    m->tcm_handle == GUARD_HANDLE &&
	    TC_H_MAJ(m->tcm_info) >> 16 == GUARD_PRIORITY)
		s->found |= bears(s->mark, h);
	return 0;
}

/* Return: 1 this half is there, 0 not, or -Exxx. */
static int half_present(int index, enum bpf_tc_attach_point at,
			const struct mark *mark)
{
	struct tcmsg m = { .tcm_family = AF_UNSPEC, .tcm_ifindex = index };
	struct search s = { .mark = mark };
	int rc;

	m.tcm_parent =
		TC_H_MAKE(TC_H_CLSACT, at == BPF_TC_INGRESS ? TC_H_MIN_INGRESS
							    : TC_H_MIN_EGRESS);
	rc = netlink_dump(RTM_GETTFILTER, &m, sizeof(m), on_guard, &s);
	/* -EINVAL: no clsact at all. */
	if (rc == -ENOENT || rc == -EINVAL)
		return 0;
	return rc ? rc : s.found;
}

static int half_attach(int index, enum bpf_tc_attach_point at, int prog,
		       const struct mark *mark)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = index, .attach_point = at);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = GUARD_HANDLE,
		    .priority = GUARD_PRIORITY, .prog_fd = prog);
	int there = half_present(index, at, mark);

	if (there != 0)
		return there < 0 ? there : 0;
	return bpf_tc_attach(&hook, &opts);
}

static int half_detach(int index, enum bpf_tc_attach_point at,
		       const struct mark *mark)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = index, .attach_point = at);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = GUARD_HANDLE,
		    .priority = GUARD_PRIORITY);
	int there = half_present(index, at, mark);

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

static int detach_all(int index, const struct mark *mark)
{
	int rc = half_detach(index, point[0], mark);
	int rc2 = half_detach(index, point[1], mark);

	if (rc == 0)
		rc = rc2;
	return rc ? rc : clsact_remove(index);
}

static int attach_all(int index)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = index,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct mark mark;
	int prog = program_marked(&mark);
	int rc;

	if (prog < 0)
		return prog;
	rc = bpf_tc_hook_create(&hook);
	if (rc == -EEXIST)
		rc = 0;
	for (int i = 0; i < 2 && rc == 0; i++)
		rc = half_attach(index, point[i], prog, &mark);
	/* The filters hold the program from here on. */
	close(prog);
	if (rc)
		(void)detach_all(index, &mark);
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

/* Return: how many halves are there, or -Exxx. */
static int halves(int index, const struct mark *mark)
{
	int n = 0;

	for (int i = 0; i < 2; i++) {
		int there = half_present(index, point[i], mark);

		if (there < 0)
			return there;
		n += there;
	}
	return n;
}

int guard_present(const char *ifname)
{
	struct mark mark;
	int index = 0;
	int rc = index_of(ifname, &index);
	int prog;

	libbpf_set_print(print_nothing);
	if (rc)
		return rc;
	prog = program_marked(&mark);
	if (prog < 0)
		return prog;
	close(prog);
	rc = halves(index, &mark);
	return rc < 0 ? rc : rc == 2;
}

int guard_release(const char *ifname, struct errbuf *e)
{
	struct mark mark;
	int index = 0;
	int rc = index_of(ifname, &index);
	int prog = -1;

	libbpf_set_print(print_nothing);
	if (rc == 0) {
		prog = program_marked(&mark);
		rc = prog < 0 ? prog : 0;
	}
	if (prog >= 0)
		close(prog);
	if (rc == 0)
		rc = halves(index, &mark);
	if (rc > 0)
		rc = detach_all(index, &mark);
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
