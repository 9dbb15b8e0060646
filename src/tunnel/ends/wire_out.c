/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_out.c - UDP: datagrams wait, and those that may are sent as one
 *
 * What goes together, and why, is said in wire.c.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "ends/wire_internal.h"

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
	(void)(s == 0 ? wire_set(w->fd[s], IPPROTO_IP, IP_MTU_DISCOVER,
				 may ? IP_PMTUDISC_OMIT : IP_PMTUDISC_PROBE)
		      : wire_set(w->fd[s], IPPROTO_IPV6, IPV6_MTU_DISCOVER,
				 may ? IPV6_PMTUDISC_OMIT
				     : IPV6_PMTUDISC_PROBE));
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
		    all + d->n > JOIN_BYTES || all + d->n > first->together)
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

	wire_aim(w, i, iov, n);
	w->whole[i] = d->whole;
	m->msg_namelen = wire_put_address(&more->addr, &d->way.remote,
					  d->way.port, d->way.scope);
	m->msg_controllen = put_control(more->control, &d->way, d->tos);
	if (n > 1)
		m->msg_controllen +=
			put_one(more->control + m->msg_controllen, SOL_UDP,
				UDP_SEGMENT, &each, sizeof(each));
}

/* An error that the network told is said to the next call, whatever that one
 * sends: it is made again, and fails for its own reasons only.
 */
static int ask_twice(const struct wire *w, unsigned s, struct mmsghdr *m,
		     unsigned n)
{
	int sent = sendmmsg(w->fd[s], m, n, 0);

	return sent >= 0 || errno == EAGAIN ? sent
					    : sendmmsg(w->fd[s], m, n, 0);
}

/* Hand the kernel @n messages, of which it may cut none (@whole) or any.
 * Return: how many it took, or -1 and errno for the first
 */
static int give(const struct wire *w, unsigned s, struct mmsghdr *m, unsigned n,
		bool whole)
{
	bool four = s == 0;
	int sent;

	if (four && whole)
		may_cut(w, s, false);
	sent = ask_twice(w, s, m, n);
	if (four && whole)
		may_cut(w, s, true);
	if (four || whole || sent >= 0 || errno != EMSGSIZE)
		return sent;
	may_cut(w, s, true);
	sent = ask_twice(w, s, m, 1);
	may_cut(w, s, false);
	return sent;
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
		w->went.unsent += give(w, s, &one, 1, false) != 1;
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
	int sent = give(w, s, w->msg + at, alike(w, at, n), whole);
	int error = errno;

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
	       uint8_t tos, bool whole, uint32_t together)
{
	unsigned s = !ipaddr_is4(&way->remote);
	struct waiting *d = &w->out[s][w->waits[s]];

	assert(w->waits[s] < WIRE_BATCH && n <= WIRE_DATAGRAM);
	assert(w->fd[s] >= 0);
	d->taken = false;
	d->whole = whole;
	d->tos = tos;
	d->n = n;
	d->together = together;
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
