/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.c - UDP: one socket a family, whatever paths there are
 */
#include "ends/wire.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/arena.h"

/* A burst of several paths, while we are not scheduled. */
#define BUFFER	(4 << 20)
#define CONTROL 96 /* bytes of the messages that say addresses and TOS */

/* Both are as long as a family's own, and all of one batch is of one family. */
union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/** struct batch - Messages of one call */
struct batch {
	unsigned n;
	bool whole[WIRE_BATCH];
	struct mmsghdr msg[WIRE_BATCH];
	struct iovec iov[WIRE_BATCH];
	union address addr[WIRE_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[WIRE_BATCH][CONTROL];
	uint8_t data[WIRE_BATCH][WIRE_DATAGRAM];
};

struct wire {
	int fd[WIRE_SOCKETS];
	uint16_t port[WIRE_SOCKETS];
	unsigned unsent;
	struct wire_came came[WIRE_BATCH];
	struct batch in;
	struct batch out[WIRE_SOCKETS];
};

size_t wire_size(void)
{
	return arena_need(sizeof(struct wire));
}

static socklen_t put_address(union address *a, const struct ipaddr *ip,
			     uint16_t port, uint32_t scope)
{
	memset(a, 0, sizeof(*a));
	if (ipaddr_is4(ip)) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons(port);
		memcpy(&a->in.sin_addr, ip->b + 12, 4);
		return sizeof(a->in);
	}
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_port = htons(port);
	a->in6.sin6_scope_id = scope;
	memcpy(&a->in6.sin6_addr, ip->b, 16);
	return sizeof(a->in6);
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0
								       : -errno;
}

/* A path's MTU is ours to find, and an ICMP message anybody's to forge: the
 * kernel shall believe none of them, and may cut.
 */
static int set_up(int fd, bool four, uint32_t mark)
{
	int r = four ? set(fd, IPPROTO_IP, IP_PKTINFO, 1)
		     : set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);

	if (r == 0)
		r = four ? set(fd, IPPROTO_IP, IP_RECVTOS, 1)
			 : set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	if (r == 0 && !four)
		r = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (r == 0)
		r = four ? set(fd, IPPROTO_IP, IP_MTU_DISCOVER,
			       IP_PMTUDISC_OMIT)
			 : set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
			       IPV6_PMTUDISC_OMIT);
	if (r == 0 && mark != 0)
		r = set(fd, SOL_SOCKET, SO_MARK, (int)mark);
	/* Without the privilege it is as large as the system lets it be. */
	if (r == 0 && set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER) != 0)
		r = set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER);
	return r;
}

static int open_one(struct wire *w, unsigned i, const struct ipaddr *ip,
		    uint16_t port, uint32_t mark)
{
	bool four = i == 0;
	union address a;
	socklen_t len = put_address(&a, ip, port, 0);
	int fd = socket(four ? AF_INET : AF_INET6,
			SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : set_up(fd, four, mark);

	if (r == 0 && bind(fd, &a.any, len) != 0)
		r = -errno;
	if (r == 0 && getsockname(fd, &a.any, &len) != 0)
		r = -errno;
	if (r != 0) {
		if (fd >= 0)
			close(fd);
		return r;
	}
	w->fd[i] = fd;
	w->port[i] = ntohs(four ? a.in.sin_port : a.in6.sin6_port);
	return 0;
}

int wire_open(struct wire **out, struct arena *a, const struct ends_options *o,
	      struct errbuf *e)
{
	struct wire *w = arena_take(a, sizeof(*w));
	struct ipaddr none6 = { { 0 } }, none4 = ipaddr_from4(none6.b);
	int r = 0;

	assert(w != NULL);
	w->fd[0] = w->fd[1] = -1;
	*out = w;
	for (unsigned i = 0; r == 0 && i < o->paths; i++) {
		bool four = ipaddr_is4(&o->path[i].remote);

		if (w->fd[!four] < 0)
			r = open_one(w, !four, four ? &none4 : &none6, 0,
				     o->mark);
	}
	for (unsigned i = 0; r == 0 && i < o->listens; i++) {
		const struct ends_place *p = &o->listen[i];
		char s[TEXT_ENDPOINT];

		r = open_one(w, !ipaddr_is4(&p->local), &p->local, p->port,
			     o->mark);
		if (r != 0)
			return errbuf_set(e, r, "--listen %s: %s",
					  text_endpoint(s, &p->local, p->port),
					  strerror(-r));
	}
	if (r != 0)
		return errbuf_set(e, r, "no socket for the paths: %s",
				  strerror(-r));
	return 0;
}

void wire_close(struct wire *w)
{
	for (unsigned i = 0; w != NULL && i < WIRE_SOCKETS; i++)
		if (w->fd[i] >= 0)
			close(w->fd[i]);
}

int wire_socket(const struct wire *w, unsigned i)
{
	return w->fd[i];
}

uint16_t wire_port(const struct wire *w, bool four)
{
	return w->port[!four];
}

/* --- in --- */

static void read_name(struct wire_way *way, const union address *a)
{
	memset(way, 0, sizeof(*way));
	if (a->any.sa_family == AF_INET) {
		uint8_t b[4];

		memcpy(b, &a->in.sin_addr, 4);
		way->remote = ipaddr_from4(b);
		way->port = ntohs(a->in.sin_port);
	} else {
		memcpy(way->remote.b, &a->in6.sin6_addr, 16);
		way->port = ntohs(a->in6.sin6_port);
		way->scope = a->in6.sin6_scope_id;
	}
}

/* What the kernel says of a datagram beside its bytes. */
static void read_control(struct wire_came *came, const struct cmsghdr *c)
{
	const uint8_t *data = CMSG_DATA(c);

	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		uint8_t b[4];

		memcpy(&info, data, sizeof(info));
		memcpy(b, &info.ipi_addr, 4);
		came->way.local = ipaddr_from4(b);
	} else if (c->cmsg_level == IPPROTO_IPV6 &&
		   c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;

		memcpy(&info, data, sizeof(info));
		memcpy(came->way.local.b, &info.ipi6_addr, 16);
	} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
		came->tos = data[0];
	} else if (c->cmsg_level == IPPROTO_IPV6 &&
		   c->cmsg_type == IPV6_TCLASS) {
		int tos;

		memcpy(&tos, data, sizeof(tos));
		came->tos = (uint8_t)tos;
	}
}

static void aim(struct batch *b, unsigned i, uint32_t n)
{
	b->iov[i] = (struct iovec){ b->data[i], n };
	b->msg[i].msg_hdr = (struct msghdr){
		.msg_name = &b->addr[i],
		.msg_namelen = sizeof(b->addr[i]),
		.msg_iov = &b->iov[i],
		.msg_iovlen = 1,
		.msg_control = b->control[i],
		.msg_controllen = CONTROL,
	};
}

unsigned wire_receive(struct wire *w, unsigned i, struct wire_came **came)
{
	struct batch *b = &w->in;
	int n;

	for (unsigned k = 0; k < WIRE_BATCH; k++)
		aim(b, k, WIRE_DATAGRAM);
	n = recvmmsg(w->fd[i], b->msg, WIRE_BATCH, 0, NULL);
	for (int k = 0; k < n; k++) {
		struct msghdr *m = &b->msg[k].msg_hdr;
		bool cut = (m->msg_flags & MSG_TRUNC) != 0;
		struct wire_came *one = &w->came[k];

		one->p = b->data[k];
		one->n = cut ? 0 : b->msg[k].msg_len;
		one->tos = 0;
		read_name(&one->way, &b->addr[k]);
		for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
		     c = CMSG_NXTHDR(m, c))
			read_control(one, c);
	}
	*came = w->came;
	return n > 0 ? (unsigned)n : 0;
}

/* --- out --- */

static size_t put_one(uint8_t *out, int level, int type, const void *p,
		      size_t n)
{
	struct cmsghdr c = { .cmsg_level = level,
			     .cmsg_type = type,
			     .cmsg_len = CMSG_LEN(n) };

	memset(out, 0, CMSG_SPACE(n));
	memcpy(out, &c, sizeof(c));
	memcpy(out + CMSG_LEN(0), p, n);
	return CMSG_SPACE(n);
}

static size_t put_control(uint8_t *out, const struct wire_way *way, int tos)
{
	struct in_pktinfo in = { .ipi_ifindex = (int)way->ifindex };
	struct in6_pktinfo in6 = { .ipi6_ifindex = way->ifindex };
	size_t n;

	if (ipaddr_is4(&way->remote)) {
		memcpy(&in.ipi_spec_dst, way->local.b + 12, 4);
		n = put_one(out, IPPROTO_IP, IP_PKTINFO, &in, sizeof(in));
		return n +
		       put_one(out + n, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	}
	memcpy(&in6.ipi6_addr, way->local.b, 16);
	n = put_one(out, IPPROTO_IPV6, IPV6_PKTINFO, &in6, sizeof(in6));
	return n +
	       put_one(out + n, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
}

/* Whether a datagram may be cut is the socket's to know, and not the message's.
 */
static void may_cut(const struct wire *w, unsigned s, bool may)
{
	(void)(s == 0 ? set(w->fd[s], IPPROTO_IP, IP_MTU_DISCOVER,
			    may ? IP_PMTUDISC_OMIT : IP_PMTUDISC_PROBE)
		      : set(w->fd[s], IPPROTO_IPV6, IPV6_MTU_DISCOVER,
			    may ? IPV6_PMTUDISC_OMIT : IPV6_PMTUDISC_PROBE));
}

/* Those from @at on that are alike in this. */
static unsigned alike(const struct batch *b, unsigned at)
{
	unsigned n = 1;

	while (at + n < b->n && b->whole[at + n] == b->whole[at])
		n++;
	return n;
}

static void flush_one(struct wire *w, unsigned s)
{
	struct batch *b = &w->out[s];
	unsigned at = 0;

	while (at < b->n) {
		bool whole = b->whole[at];
		int n;

		if (whole)
			may_cut(w, s, false);
		n = sendmmsg(w->fd[s], b->msg + at, alike(b, at), 0);
		/* One that cannot be sent is lost; the next may take another
		 * way. That it is too long was the question.
		 */
		if (n <= 0)
			w->unsent += !(whole && errno == EMSGSIZE);
		if (whole)
			may_cut(w, s, true);
		at += n > 0 ? (unsigned)n : 1;
	}
	b->n = 0;
}

uint8_t *wire_room(struct wire *w, const struct wire_way *way)
{
	unsigned s = !ipaddr_is4(&way->remote);

	if (w->out[s].n == WIRE_BATCH)
		flush_one(w, s);
	return w->out[s].data[w->out[s].n];
}

void wire_send(struct wire *w, const struct wire_way *way, uint32_t n,
	       uint8_t tos, bool whole)
{
	unsigned s = !ipaddr_is4(&way->remote);
	struct batch *b = &w->out[s];
	struct msghdr *m = &b->msg[b->n].msg_hdr;

	assert(b->n < WIRE_BATCH && n <= WIRE_DATAGRAM && w->fd[s] >= 0);
	aim(b, b->n, n);
	b->whole[b->n] = whole;
	m->msg_namelen = put_address(&b->addr[b->n], &way->remote, way->port,
				     way->scope);
	m->msg_controllen = put_control(b->control[b->n], way, tos);
	b->n++;
}

unsigned wire_flush(struct wire *w)
{
	unsigned n;

	flush_one(w, 0);
	flush_one(w, 1);
	n = w->unsent;
	w->unsent = 0;
	return n;
}

int wire_source(const struct wire_way *way, struct ipaddr *out)
{
	union address a;
	socklen_t len = put_address(&a, &way->remote, way->port, way->scope);
	int fd = socket(a.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct wire_way from;
	int r = fd < 0 ? -errno : 0;

	/* Connecting a datagram socket looks the route up, and sends nothing.
	 */
	if (r == 0 && connect(fd, &a.any, len) != 0)
		r = -errno;
	if (r == 0 && getsockname(fd, &a.any, &len) != 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	if (r != 0)
		return r;
	read_name(&from, &a);
	*out = from.remote;
	return 0;
}
