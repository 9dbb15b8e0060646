/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netdev.c - What a driver says that it can do with XDP
 *
 * Theory of operation
 *
 * Two questions on one generic netlink socket: the number of the family
 * "netdev" (it is given out when the kernel starts), then NETDEV_CMD_DEV_GET
 * for the interface. The numbers of the family are part of the kernel's
 * interface (linux/netdev.h) and stand here since older headers do not have
 * them.
 */
#include "bpf/netdev.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/netlink.h"

#define NETDEV_CMD_DEV_GET	  1
#define NETDEV_A_DEV_IFINDEX	  1
#define NETDEV_A_DEV_XDP_FEATURES 3
#define NETDEV_XDP_ACT_NDO_XMIT	  4

#define ANSWER_MAX 8192

union answer {
	struct nlmsghdr h; /* for its alignment */
	uint8_t b[ANSWER_MAX];
};

struct question {
	struct nlmsghdr h;
	struct genlmsghdr g;
	struct nlattr a;
	uint8_t value[16];
};

/* Ask with one attribute. Return: 0 and @r is one whole message, or -Exxx */
static int ask(int fd, uint16_t family, uint8_t cmd, uint16_t attr,
	       const void *value, uint16_t len, union answer *r)
{
	struct question q;
	ssize_t n;

	memset(&q, 0, sizeof(q));
	q.h.nlmsg_len = (uint32_t)(offsetof(struct question, value) +
				   (len + 3u) / 4 * 4);
	q.h.nlmsg_type = family;
	q.h.nlmsg_flags = NLM_F_REQUEST;
	q.g.cmd = cmd;
	q.g.version = 1;
	q.a.nla_type = attr;
	q.a.nla_len = (uint16_t)(sizeof(q.a) + len);
	memcpy(q.value, value, len);
	if (send(fd, &q, q.h.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, r, sizeof(*r), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(struct genlmsghdr)) ||
	    r->h.nlmsg_len > (size_t)n)
		return -EPROTO;
	if (r->h.nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *err = NLMSG_DATA(&r->h);

		return err->error ? err->error : -EPROTO;
	}
	return 0;
}

static int family_of(int fd, uint16_t *family)
{
	static const char name[] = "netdev";
	union answer r;
	const void *a;
	size_t len = 0;
	int rc = ask(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY,
		     CTRL_ATTR_FAMILY_NAME, name, sizeof(name), &r);

	if (rc)
		return rc == -ENOENT ? -EOPNOTSUPP : rc;
	a = netlink_attr(&r.h, sizeof(struct genlmsghdr), CTRL_ATTR_FAMILY_ID,
			 &len);
	if (!a || len != sizeof(*family))
		return -EPROTO;
	memcpy(family, a, sizeof(*family));
	return 0;
}

int netdev_takes_redirects(int index)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	uint32_t ifindex = (uint32_t)index;
	uint64_t features = 0;
	uint16_t family = 0;
	union answer r;
	const void *a;
	size_t len = 0;
	int rc;

	if (fd < 0)
		return -errno;
	rc = family_of(fd, &family);
	if (rc == 0)
		rc = ask(fd, family, NETDEV_CMD_DEV_GET, NETDEV_A_DEV_IFINDEX,
			 &ifindex, sizeof(ifindex), &r);
	close(fd);
	if (rc)
		return rc;
	a = netlink_attr(&r.h, sizeof(struct genlmsghdr),
			 NETDEV_A_DEV_XDP_FEATURES, &len);
	if (!a || len != sizeof(features))
		return -EOPNOTSUPP;
	memcpy(&features, a, sizeof(features));
	return (features & NETDEV_XDP_ACT_NDO_XMIT) != 0;
}
