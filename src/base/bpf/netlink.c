/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netlink.c - Ask the kernel for a table of routing netlink
 */
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

static int ask_send(int fd, uint16_t type, uint16_t flags, const void *body,
		    size_t len)
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
	q.h.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	q.h.nlmsg_seq = 1;
	memcpy(q.b + NLMSG_HDRLEN, body, len);
	if (send(fd, &q, q.h.nlmsg_len, 0) < 0)
		return -errno;
	return 0;
}

/* One datagram of the answer. *@end is set behind the last message, which is
 * the first one if it was set before. Return: 0, or -Exxx, or @fn's.
 */
static int answer_part(const struct nlmsghdr *h, size_t n, netlink_fn *fn,
		       void *ctx, bool *end)
{
	bool one = *end;
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
		if (rc || one)
			return rc;
		if (step >= n)
			break;
		h = (const void *)((const uint8_t *)h + step);
		n -= step;
	}
	return 0;
}

int netlink_open(void)
{
	struct timeval tv = { .tv_sec = DUMP_WAIT };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return fd;
}

static int ask(int fd, uint16_t type, uint16_t flags, const void *body,
	       size_t len, netlink_fn *fn, void *ctx)
{
	static _Thread_local union {
		struct nlmsghdr h;
		uint8_t b[DUMP_BUF];
	} buf;
	int rc = fd < 0 ? fd : ask_send(fd, type, flags, body, len);
	bool one = !(flags & NLM_F_DUMP);
	bool end = false;

	while (rc == 0 && !end) {
		ssize_t n = recv(fd, &buf, sizeof(buf), 0);

		end = one;
		if (n > 0)
			rc = answer_part(&buf.h, (size_t)n, fn, ctx, &end);
		else if (n < 0 && errno == EINTR)
			end = false;
		else
			rc = n == 0 ? -EPROTO : -errno;
	}
	return rc;
}

int netlink_ask(int fd, uint16_t type, const void *body, size_t len,
		netlink_fn *fn, void *ctx)
{
	return ask(fd, type, NLM_F_DUMP, body, len, fn, ctx);
}

int netlink_get(int fd, uint16_t type, const void *body, size_t len,
		netlink_fn *fn, void *ctx)
{
	return ask(fd, type, 0, body, len, fn, ctx);
}

int netlink_set(int fd, uint16_t type, uint16_t flags, const void *body,
		size_t len)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} answer;
	int rc = fd < 0 ? fd
			: ask_send(fd, type, (uint16_t)(flags | NLM_F_ACK),
				   body, len);
	ssize_t n;

	if (rc != 0)
		return rc;
	do
		n = recv(fd, &answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* What is behind it, the request again, is cut. */
	if ((size_t)n < offsetof(struct nlmsgerr, msg) + sizeof(answer.h) ||
	    answer.h.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.e.error;
}

int netlink_dump(uint16_t type, const void *body, size_t len, netlink_fn *fn,
		 void *ctx)
{
	int fd = netlink_open();
	int rc = netlink_ask(fd, type, body, len, fn, ctx);

	if (fd >= 0)
		close(fd);
	return rc;
}

/* The attribute of this type among the @len bytes at @p; NULL: none. */
static const void *attr_find(const uint8_t *p, size_t n, uint16_t type,
			     size_t *len)
{
	while (n >= sizeof(struct nlattr)) {
		struct nlattr a;
		size_t step;

		memcpy(&a, p, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > n)
			return NULL;
		if ((a.nla_type & NLA_TYPE_MASK) == type) {
			*len = a.nla_len - sizeof(a);
			return p + sizeof(a);
		}
		/* The kernel's own macro mixes signs; it rounds up to 4. */
		step = ((size_t)a.nla_len + 3) / 4 * 4;
		if (step >= n)
			return NULL;
		p += step;
		n -= step;
	}
	return NULL;
}

const void *netlink_attr(const struct nlmsghdr *h, size_t head, uint16_t type,
			 size_t *len)
{
	size_t off = NLMSG_HDRLEN + NLMSG_ALIGN(head);

	if (off > h->nlmsg_len)
		return NULL;
	return attr_find((const uint8_t *)h + off, h->nlmsg_len - off, type,
			 len);
}

const void *netlink_nested(const void *p, size_t n, uint16_t type, size_t *len)
{
	return attr_find(p, n, type, len);
}
