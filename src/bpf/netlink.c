/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel's largest dump message (NLMSG_GOODSIZE is at most this). */
#define DUMP_BUF  (32 * 1024)
#define BODY_MAX  64
#define DUMP_WAIT 2 /* seconds for an answer of our own kernel */

static int dump_send(int fd, uint16_t type, const void *body, size_t len)
{
	union {
		struct nlmsghdr h;
		uint8_t b[NLMSG_HDRLEN + BODY_MAX];
	} q;

	if (len > BODY_MAX)
		return -EINVAL;
	memset(&q, 0, sizeof(q));
	q.h.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len);
	q.h.nlmsg_type = type;
	q.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	q.h.nlmsg_seq = 1;
	memcpy(q.b + NLMSG_HDRLEN, body, len);
	if (send(fd, &q, q.h.nlmsg_len, 0) < 0)
		return -errno;
	return 0;
}

/* One datagram of the answer. Return: 0 and *@end, or -Exxx, or @fn's. */
static int dump_part(const struct nlmsghdr *h, size_t n, netlink_fn *fn,
		     void *ctx, bool *end)
{
	int rc = 0;

	/* The kernel's own macros mix signs; the sums are written out. */
	while (n >= sizeof(*h) && h->nlmsg_len >= sizeof(*h) &&
	       h->nlmsg_len <= n) {
		size_t step = NLMSG_ALIGN((size_t)h->nlmsg_len);

		if (h->nlmsg_type == NLMSG_DONE) {
			*end = true;
			return 0;
		}
		if (h->nlmsg_type == NLMSG_ERROR) {
			if (h->nlmsg_len < NLMSG_HDRLEN + sizeof(int))
				return -EPROTO;
			memcpy(&rc, (const uint8_t *)h + NLMSG_HDRLEN,
			       sizeof(rc));
			return rc < 0 ? rc : -EPROTO;
		}
		rc = fn(ctx, h);
		if (rc)
			return rc;
		if (step >= n)
			break;
		h = (const void *)((const uint8_t *)h + step);
		n -= step;
	}
	return 0;
}

int netlink_dump(uint16_t type, const void *body, size_t len, netlink_fn *fn,
		 void *ctx)
{
	struct timeval tv = { .tv_sec = DUMP_WAIT };
	static _Thread_local union {
		struct nlmsghdr h;
		uint8_t b[DUMP_BUF];
	} buf;
	bool end = false;
	int rc;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	rc = dump_send(fd, type, body, len);
	while (rc == 0 && !end) {
		ssize_t n = recv(fd, &buf, sizeof(buf), 0);

		if (n > 0)
			rc = dump_part(&buf.h, (size_t)n, fn, ctx, &end);
		else if (n == 0 || errno != EINTR)
			rc = n == 0 ? -EPROTO : -errno;
	}
	close(fd);
	return rc;
}

const void *netlink_attr(const struct nlmsghdr *h, size_t head, uint16_t type,
			 size_t *len)
{
	size_t off = NLMSG_HDRLEN + NLMSG_ALIGN(head);
	const uint8_t *p = (const uint8_t *)h;

	while (off + sizeof(struct nlattr) <= h->nlmsg_len) {
		struct nlattr a;

		memcpy(&a, p + off, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > h->nlmsg_len - off)
			return NULL;
		if ((a.nla_type & NLA_TYPE_MASK) == type) {
			*len = a.nla_len - sizeof(a);
			return p + off + sizeof(a);
		}
		/* The kernel's own macro mixes signs; it rounds up to 4. */
		off += ((size_t)a.nla_len + 3) / 4 * 4;
	}
	return NULL;
}
