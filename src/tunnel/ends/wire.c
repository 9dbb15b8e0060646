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
 * order of a way is kept. A shaper in front of the device (tc(8)) sees one too:
 * all of it leaves at once, and then nothing for as long as that should have
 * taken. So one is no longer than what its path sends in a millisecond, as
 * TCP's own are. On the way in the kernel hands over those of a way that came
 * together as one (UDP_GRO). A kernel that refuses gets them singly.
 */
#include "ends/wire_internal.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/errqueue.h>

size_t wire_size(void)
{
	return arena_need(sizeof(struct wire));
}

socklen_t wire_put_address(union address *a, const struct ipaddr *ip,
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

int wire_set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0
								       : -errno;
}

/* A path's MTU is ours to find, and an ICMP message anybody's to forge: the
 * kernel shall believe none of them for this socket. Of IPv4 it may cut. Of
 * IPv6 it hands on no Packet Too Big of a socket whose datagrams it may cut
 * (there no router does, so it may only cut what its own device does not take):
 * that is asked for when a device has refused one, see give().
 */
static int set_up(int fd, bool four, uint32_t mark)
{
	int r = four ? wire_set(fd, IPPROTO_IP, IP_PKTINFO, 1)
		     : wire_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);

	if (r == 0)
		r = four ? wire_set(fd, IPPROTO_IP, IP_RECVTOS, 1)
			 : wire_set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	if (r == 0)
		r = four ? wire_set(fd, IPPROTO_IP, IP_RECVERR, 1)
			 : wire_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	if (r == 0 && !four)
		r = wire_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (r == 0)
		r = four ? wire_set(fd, IPPROTO_IP, IP_MTU_DISCOVER,
				    IP_PMTUDISC_OMIT)
			 : wire_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
				    IPV6_PMTUDISC_PROBE);
	if (r == 0 && mark != 0)
		r = wire_set(fd, SOL_SOCKET, SO_MARK, (int)mark);
	/* Without the privilege it is as large as the system lets it be. */
	if (r == 0 && wire_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER) != 0)
		r = wire_set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER);
	if (r == 0 && wire_set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER) != 0)
		r = wire_set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER);
	return r;
}

static int open_one(struct wire *w, unsigned i, const struct ipaddr *ip,
		    uint16_t port, uint32_t mark)
{
	bool four = i == 0;
	union address a;
	socklen_t len = wire_put_address(&a, ip, port, 0);
	int fd = socket(four ? AF_INET : AF_INET6,
			SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : set_up(fd, four, mark);

	/* A kernel without it gives and takes them one by one. */
	w->join = w->join && r == 0 && wire_set(fd, SOL_UDP, UDP_GRO, 1) == 0;
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

	assert(w);
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
	for (unsigned i = 0; w && i < WIRE_SOCKETS; i++)
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
		came->device = (uint32_t)info.ipi_ifindex;
	} else if (c->cmsg_level == IPPROTO_IPV6 &&
		   c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;

		memcpy(&info, data, sizeof(info));
		memcpy(came->way.local.b, &info.ipi6_addr, 16);
		came->device = info.ipi6_ifindex;
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

void wire_aim(struct wire *w, unsigned i, struct iovec *iov, unsigned n)
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
		wire_aim(w, k, &w->iov[k], 1);
	}
	n = recvmmsg(w->fd[i], w->msg, WIRE_READ, 0, NULL);
	for (int k = 0; k < n; k++) {
		struct msghdr *m = &w->msg[k].msg_hdr;
		struct wire_came *one = &w->came[k];

		one->p = w->in[k];
		one->n = w->msg[k].msg_len;
		one->each = READ_BYTES;
		one->tos = 0;
		one->device = 0;
		read_name(&one->way, &w->more[k].addr);
		for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
		     c = CMSG_NXTHDR(m, c))
			read_control(one, c);
	}
	*came = w->came;
	return n > 0 ? (unsigned)n : 0;
}

/* An error's own message; of a router, or of our kernel. */
static void read_error(struct wire_told *out, const struct cmsghdr *c)
{
	struct sock_extended_err e;

	if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
	    !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
		return;
	memcpy(&e, CMSG_DATA(c), sizeof(e));
	out->network = e.ee_origin == SO_EE_ORIGIN_ICMP ||
		       e.ee_origin == SO_EE_ORIGIN_ICMP6;
	out->size = e.ee_errno == EMSGSIZE ? e.ee_info : 0;
}

bool wire_told(struct wire *w, unsigned i, struct wire_told *out)
{
	struct iovec iov = { w->told, sizeof(w->told) };
	union address a;
	struct mmsghdr m = { .msg_hdr = { .msg_name = &a,
					  .msg_namelen = sizeof(a),
					  .msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = w->told_control,
					  .msg_controllen = TOLD_CONTROL } };

	if (recvmmsg(w->fd[i], &m, 1, MSG_ERRQUEUE, NULL) != 1)
		return false;
	*out = (struct wire_told){ .p = w->told };
	out->n = m.msg_len < TOLD_BYTES ? m.msg_len : TOLD_BYTES;
	if (m.msg_hdr.msg_namelen > 0)
		read_name(&out->way, &a);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m.msg_hdr); c != NULL;
	     c = CMSG_NXTHDR(&m.msg_hdr, c))
		read_error(out, c);
	return true;
}

int wire_source(const struct wire_way *way, struct ipaddr *out)
{
	union address a;
	socklen_t len =
		wire_put_address(&a, &way->remote, way->port, way->scope);
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
