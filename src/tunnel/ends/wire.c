/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.c - UDP: one socket a family, whatever paths there are
 *
 * Theory of operation
 *
 * Datagrams wait until the turn of the loop is over, or there is no more room.
 * Then those of a way that are equally long, one behind the other but for those
 * of other ways, are given to the kernel as one (UDP_SEGMENT), which goes
 * through its layers once and is cut by the device, or just before it; the
 * order of a way is kept. On the way in the kernel hands over those of a way
 * that came together as one (UDP_GRO). A kernel that refuses gets them singly.
 */
#include "ends/wire.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/arena.h"

/* A burst of several paths, while we are not scheduled. */
#define BUFFER	(4 << 20)
#define CONTROL 96 /* bytes of the messages that say addresses, TOS, length */

/* What the kernel takes as one (UDP_MAX_SEGMENTS of older ones), and what IP
 * has room for.
 */
#define JOIN_DATAGRAMS 64u
#define JOIN_BYTES     65000u
#define READ_BYTES     65536u /* of one that is many */

/* Both are as long as a family's own, and all of one batch is of one family. */
union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/** struct message - One of a call, but for its bytes */
struct message {
	union address addr;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL];
};

/** struct waiting - A datagram that is to be sent; @taken: into a message */
struct waiting {
	bool taken;
	bool whole;
	uint8_t tos;
	uint32_t n;
	struct wire_way way;
	uint8_t data[WIRE_DATAGRAM];
};

struct wire {
	bool join; /* datagrams may be given to the kernel in one */
	int fd[WIRE_SOCKETS];
	uint16_t port[WIRE_SOCKETS];
	struct wire_went went;
	/* Of the call that is made now. */
	struct mmsghdr msg[WIRE_BATCH];
	struct message more[WIRE_BATCH];
	struct iovec iov[WIRE_BATCH];
	bool whole[WIRE_BATCH];
	struct wire_came came[WIRE_READ];
	uint8_t in[WIRE_READ][READ_BYTES];
	unsigned waits[WIRE_SOCKETS];
	struct waiting out[WIRE_SOCKETS][WIRE_BATCH];
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
	if (r == 0 && set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER) != 0)
		r = set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER);
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

	/* A kernel without it gives and takes them one by one. */
	w->join = w->join && r == 0 && set(fd, SOL_UDP, UDP_GRO, 1) == 0;
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
	w->join = o->offload == ENDS_OFFLOAD_AUTO;
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
	} else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
		int each;

		memcpy(&each, data, sizeof(each));
		came->each = each > 0 ? (uint32_t)each : READ_BYTES;
	}
}

static void aim(struct wire *w, unsigned i, struct iovec *iov, unsigned n)
{
	w->msg[i].msg_hdr = (struct msghdr){
		.msg_name = &w->more[i].addr,
		.msg_namelen = sizeof(w->more[i].addr),
		.msg_iov = iov,
		.msg_iovlen = n,
		.msg_control = w->more[i].control,
		.msg_controllen = CONTROL,
	};
}

unsigned wire_receive(struct wire *w, unsigned i, struct wire_came **came)
{
	int n;

	for (unsigned k = 0; k < WIRE_READ; k++) {
		w->iov[k] = (struct iovec){ w->in[k], READ_BYTES };
		aim(w, k, &w->iov[k], 1);
	}
	n = recvmmsg(w->fd[i], w->msg, WIRE_READ, 0, NULL);
	for (int k = 0; k < n; k++) {
		struct msghdr *m = &w->msg[k].msg_hdr;
		struct wire_came *one = &w->came[k];

		one->p = w->in[k];
		one->n = w->msg[k].msg_len;
		one->each = READ_BYTES;
		one->tos = 0;
		read_name(&one->way, &w->more[k].addr);
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

static bool same_way(const struct wire_way *a, const struct wire_way *b)
{
	return memcmp(&a->remote, &b->remote, sizeof(a->remote)) == 0 &&
	       memcmp(&a->local, &b->local, sizeof(a->local)) == 0 &&
	       a->ifindex == b->ifindex && a->scope == b->scope &&
	       a->port == b->port;
}

/* Take the datagram at @at and those that may go with it in one: the next ones
 * of its way, as long as itself, the last one maybe shorter. Return: how many
 */
static unsigned gather(struct wire *w, unsigned s, unsigned at,
		       struct iovec *iov)
{
	struct waiting *first = &w->out[s][at];
	uint32_t all = first->n;
	unsigned n = 1;
	bool more = w->join && !first->whole;

	iov[0] = (struct iovec){ first->data, first->n };
	first->taken = true;
	for (unsigned i = at + 1; more && i < w->waits[s]; i++) {
		struct waiting *d = &w->out[s][i];

		if (d->taken || !same_way(&d->way, &first->way))
			continue;
		if (d->whole || d->tos != first->tos || d->n > first->n ||
		    all + d->n > JOIN_BYTES)
			break;
		iov[n++] = (struct iovec){ d->data, d->n };
		d->taken = true;
		all += d->n;
		more = d->n == first->n && n < JOIN_DATAGRAMS;
	}
	return n;
}

static void fill(struct wire *w, unsigned i, const struct waiting *d,
		 struct iovec *iov, unsigned n)
{
	struct message *more = &w->more[i];
	struct msghdr *m = &w->msg[i].msg_hdr;
	uint16_t each = (uint16_t)d->n;

	aim(w, i, iov, n);
	w->whole[i] = d->whole;
	m->msg_namelen = put_address(&more->addr, &d->way.remote, d->way.port,
				     d->way.scope);
	m->msg_controllen = put_control(more->control, &d->way, d->tos);
	if (n > 1)
		m->msg_controllen +=
			put_one(more->control + m->msg_controllen, SOL_UDP,
				UDP_SEGMENT, &each, sizeof(each));
}

/* The message at @i was not taken as it is: its datagrams go by themselves. */
static void send_single(struct wire *w, unsigned s, unsigned i, int error)
{
	struct msghdr *m = &w->msg[i].msg_hdr;
	struct iovec *iov = m->msg_iov;
	size_t n = m->msg_iovlen;
	struct mmsghdr one = { .msg_hdr = *m };

	/* The device makes no checksums, so the kernel will never take it. */
	if (error == EIO)
		w->join = false;
	w->went.refused++;
	one.msg_hdr.msg_iovlen = 1;
	one.msg_hdr.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
	for (size_t k = 0; k < n; k++) {
		one.msg_hdr.msg_iov = &iov[k];
		w->went.unsent += sendmmsg(w->fd[s], &one, 1, 0) != 1;
	}
}

/* Those from @at on that are alike in this. */
static unsigned alike(const struct wire *w, unsigned at, unsigned n)
{
	unsigned k = 1;

	while (at + k < n && w->whole[at + k] == w->whole[at])
		k++;
	return k;
}

/* Messages @at to @n, which nobody may cut or anybody may. Return: how many
 * were dealt with
 */
static unsigned send_some(struct wire *w, unsigned s, unsigned at, unsigned n)
{
	bool whole = w->whole[at];
	int sent, error;

	if (whole)
		may_cut(w, s, false);
	sent = sendmmsg(w->fd[s], w->msg + at, alike(w, at, n), 0);
	error = errno;
	if (whole)
		may_cut(w, s, true);
	for (int i = 0; i < sent; i++)
		if (w->msg[at + (unsigned)i].msg_hdr.msg_iovlen > 1)
			w->went.joined += (uint32_t)w->msg[at + (unsigned)i]
						  .msg_hdr.msg_iovlen;
	if (sent > 0)
		return (unsigned)sent;
	/* One that cannot be sent is lost; the next may take another way. That
	 * it is too long was the question.
	 */
	if (w->msg[at].msg_hdr.msg_iovlen > 1)
		send_single(w, s, at, error);
	else
		w->went.unsent += !(whole && error == EMSGSIZE);
	return 1;
}

static void flush_one(struct wire *w, unsigned s)
{
	unsigned messages = 0, used = 0, at = 0;

	for (unsigned i = 0; i < w->waits[s]; i++) {
		unsigned n;

		if (w->out[s][i].taken)
			continue;
		n = gather(w, s, i, &w->iov[used]);
		fill(w, messages++, &w->out[s][i], &w->iov[used], n);
		used += n;
	}
	assert(used == w->waits[s]);
	while (at < messages)
		at += send_some(w, s, at, messages);
	w->waits[s] = 0;
}

uint8_t *wire_room(struct wire *w, const struct wire_way *way)
{
	unsigned s = !ipaddr_is4(&way->remote);

	if (w->waits[s] == WIRE_BATCH)
		flush_one(w, s);
	return w->out[s][w->waits[s]].data;
}

void wire_send(struct wire *w, const struct wire_way *way, uint32_t n,
	       uint8_t tos, bool whole)
{
	unsigned s = !ipaddr_is4(&way->remote);
	struct waiting *d = &w->out[s][w->waits[s]];

	assert(w->waits[s] < WIRE_BATCH && n <= WIRE_DATAGRAM);
	assert(w->fd[s] >= 0);
	d->taken = false;
	d->whole = whole;
	d->tos = tos;
	d->n = n;
	d->way = *way;
	w->waits[s]++;
}

struct wire_went wire_flush(struct wire *w)
{
	struct wire_went went;

	flush_one(w, 0);
	flush_one(w, 1);
	went = w->went;
	w->went = (struct wire_went){ 0 };
	return went;
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
