/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hook.c - A program at the ingress of a device, or at its egress
 *
 * Theory of operation
 *
 * A tcx hook is a link of its own: no other program's setup removes it, as it
 * does remove clsact and all that is in it. So it is tried first. Library and
 * headers of Debian 12 are older than it; the one call that it takes is made by
 * hand, with the numbers of the kernel's interface, which never change.
 */
#include "bpf/hook.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOOK_HANDLE   0x5550
#define HOOK_PRIORITY 1
#define TCX_INGRESS   46 /* enum bpf_attach_type */
#define TCX_EGRESS    47
#define TCX_BEFORE    (1u << 3) /* BPF_F_BEFORE: with no other named, the first */

/* union bpf_attr as BPF_LINK_CREATE has it for tcx; what follows is 0. */
struct link_create {
	uint32_t prog_fd;
	uint32_t ifindex;
	uint32_t attach_type;
	uint32_t flags;
	uint32_t relative;
	uint32_t pad;
	uint64_t revision;
	uint8_t rest[64];
};

static int attach_tcx(int prog, int ifindex, enum hook_point point)
{
	struct link_create a;
	long fd;

	memset(&a, 0, sizeof(a));
	a.prog_fd = (uint32_t)prog;
	a.ifindex = (uint32_t)ifindex;
	a.attach_type = point == HOOK_EGRESS ? TCX_EGRESS : TCX_INGRESS;
	a.flags = TCX_BEFORE;
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, &a, sizeof(a));
	if (fd >= 0)
		return (int)fd;
	/* A kernel that knows no such type says that it is no valid argument.
	 */
	return errno == EINVAL ? -EOPNOTSUPP : -errno;
}

static enum bpf_tc_attach_point clsact_point(enum hook_point p)
{
	return p == HOOK_EGRESS ? BPF_TC_EGRESS : BPF_TC_INGRESS;
}

static uint32_t clsact_handle(enum hook_point p)
{
	return HOOK_HANDLE + (uint32_t)p;
}

static int attach_clsact(int prog, int ifindex, enum hook_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = clsact_point(point));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = clsact_handle(point),
		    .priority = HOOK_PRIORITY, .prog_fd = prog,
		    .flags = BPF_TC_F_REPLACE);
	int rc = bpf_tc_hook_create(&hook);

	if (rc != 0 && rc != -EEXIST)
		return rc;
	return bpf_tc_attach(&hook, &opts);
}

/* The link that is pinned there, with our program in it. Return: it, or -Exxx
 */
static int take_over(const char *pin, int prog, int ifindex)
{
	struct hook h = { .ifindex = ifindex, .link = bpf_obj_get(pin) };
	int rc;

	if (h.link < 0)
		return -ENOENT;
	rc = hook_present(&h) == 1 ? bpf_link_update(h.link, prog, NULL)
				   : -ENOENT;
	if (rc == 0)
		return h.link;
	/* Of a device that is gone. */
	close(h.link);
	unlink(pin);
	return rc;
}

static int attach_pinned(int prog, int ifindex, enum hook_point point,
			 const char *pin)
{
	int link = !pin ? -ENOENT : take_over(pin, prog, ifindex);
	int rc;

	if (link >= 0)
		return link;
	link = attach_tcx(prog, ifindex, point);
	if (link < 0 || !pin || bpf_obj_pin(link, pin) == 0)
		return link;
	rc = -errno;
	close(link);
	return rc;
}

static int attach(struct hook *h, int prog, int ifindex, enum hook_way way,
		  enum hook_point point, const char *pin)
{
	int link = -EOPNOTSUPP;
	int rc;

	if (pin && strlen(pin) >= sizeof(h->pin))
		return -ENAMETOOLONG;
	if (way != HOOK_CLSACT)
		link = attach_pinned(prog, ifindex, point, pin);
	if (link < 0 && (way == HOOK_TCX || link != -EOPNOTSUPP))
		return link;
	if (link < 0) {
		rc = attach_clsact(prog, ifindex, point);
		if (rc != 0)
			return rc;
	}
	memset(h, 0, sizeof(*h));
	h->ifindex = ifindex;
	h->point = point;
	h->link = link < 0 ? -1 : link;
	if (link >= 0 && pin)
		strcpy(h->pin, pin);
	return 0;
}

int hook_attach(struct hook *h, int prog, int ifindex, enum hook_way way,
		const char *pin)
{
	return attach(h, prog, ifindex, way, HOOK_INGRESS, pin);
}

int hook_attach_at(struct hook *h, int prog, int ifindex, enum hook_way way,
		   enum hook_point point)
{
	return attach(h, prog, ifindex, way, point, NULL);
}

void hook_leave(struct hook *h)
{
	if (h->link >= 0)
		close(h->link);
	h->link = -1;
}

int hook_detach(struct hook *h)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = h->ifindex,
		    .attach_point = clsact_point(h->point));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = clsact_handle(h->point),
		    .priority = HOOK_PRIORITY);

	if (h->link < 0)
		return bpf_tc_detach(&hook, &opts);
	if (h->pin[0] != '\0')
		unlink(h->pin);
	hook_leave(h);
	return 0;
}

int hook_present(const struct hook *h)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = h->ifindex,
		    .attach_point = clsact_point(h->point));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = clsact_handle(h->point),
		    .priority = HOOK_PRIORITY);
	struct bpf_link_info info;
	uint32_t len = sizeof(info);
	int rc;

	if (h->link >= 0) {
		memset(&info, 0, sizeof(info));
		rc = bpf_obj_get_info_by_fd(h->link, &info, &len);
		/* The device's index, 0 once the device is gone, is what the
		 * info of this type begins with.
		 */
		return rc != 0 ? rc : info.xdp.ifindex == (uint32_t)h->ifindex;
	}
	rc = bpf_tc_query(&hook, &opts);
	return rc == 0 ? 1 : rc == -ENOENT || rc == -EINVAL ? 0 : rc;
}
