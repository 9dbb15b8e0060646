/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair.c - Two sockets become a pair
 *
 * Theory of operation
 *
 * The pair is in the router's table before the server is asked, so that nothing
 * which it sends is unseen (splice/begin.h). For that its tuple must be known,
 * port included: the port is ours to choose. It is bound explicitly, from a
 * range of which the kernel gives out nothing by itself: once a pair is spliced
 * no socket has the port, and the table alone knows that it is in use. Ports go
 * round, so that the one which was free the longest is taken; a port may be in
 * use towards one server and free towards another. One that a socket has, be it
 * in TIME-WAIT, is passed over: bind() says so, as long as SO_REUSEADDR is not
 * set.
 *
 * The server is told no larger MSS than the client has announced, since
 * segments are not cut, and no larger window: it goes by what our socket has
 * offered until a later segment of the client's says otherwise, and a RST
 * beyond his window is not heard.
 */
#include <assert.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "core/ipaddr.h"
#include "join/usplice_internal.h"

/* Ports that are tried, one after the other, for one connection. */
#define PORT_TRIES 512

/* A new socket of ours offers no more than this (without a scale, RFC 9293). */
#define WINDOW_OFFERED 65535

int pair_address(const struct sockaddr *a, socklen_t n, uint8_t ip[16],
		 uint16_t *port)
{
	struct sockaddr_storage whole;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct ipaddr v;

	memset(&whole, 0, sizeof(whole));
	if (n > sizeof(whole) || n < sizeof(whole.ss_family))
		return -EINVAL;
	memcpy(&whole, a, n);
	switch (whole.ss_family) {
	case AF_INET:
		memcpy(&in, &whole, sizeof(in));
		v = ipaddr_from4((const uint8_t *)&in.sin_addr);
		*port = ntohs(in.sin_port);
		break;
	case AF_INET6:
		memcpy(&in6, &whole, sizeof(in6));
		v = ipaddr_from6(in6.sin6_addr.s6_addr);
		*port = ntohs(in6.sin6_port);
		break;
	default:
		return -EAFNOSUPPORT;
	}
	memcpy(ip, v.b, sizeof(v.b));
	return 0;
}

/* The tuple of what a connected client sends. */
static int client_tuple(int fd, struct splice_tuple *t)
{
	struct sockaddr_storage us, them;
	socklen_t n_us = sizeof(us), n_them = sizeof(them);
	int rc;

	if (getsockname(fd, (struct sockaddr *)&us, &n_us) != 0 ||
	    getpeername(fd, (struct sockaddr *)&them, &n_them) != 0)
		return -errno;
	rc = pair_address((struct sockaddr *)&them, n_them, t->src, &t->sport);
	return rc != 0 ? rc
		       : pair_address((struct sockaddr *)&us, n_us, t->dst,
				      &t->dport);
}

static bool is_ip6(const struct splice_tuple *t)
{
	struct ipaddr a = ipaddr_from6(t->src);

	return !ipaddr_is4(&a);
}

int pair_bind(int fd, const struct splice_tuple *t, bool foreign)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(t->dport) };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(t->dport) };
	int one = 1;
	int rc = 0;

	if (foreign)
		rc = is_ip6(t) ? setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT,
					    &one, sizeof(one))
			       : setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT,
					    &one, sizeof(one));
	if (rc != 0)
		return -errno;
	memcpy(&in6.sin6_addr, t->dst, 16);
	memcpy(&in.sin_addr, t->dst + 12, 4);
	rc = is_ip6(t) ? bind(fd, (struct sockaddr *)&in6, sizeof(in6))
		       : bind(fd, (struct sockaddr *)&in, sizeof(in));
	return rc == 0 ? 0 : -errno;
}

/* The server may send what the client can take. Return: 0 or -Exxx */
static int match_options(const struct join_peer *client, int server)
{
	int mss = (int)client->mss;
	int window = (int)client->window;

	if (mss == 0)
		return -ENOTCONN;
	if (setsockopt(server, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss)) != 0)
		return -errno;
	if (window > 0 && window < WINDOW_OFFERED)
		setsockopt(server, IPPROTO_TCP, TCP_WINDOW_CLAMP, &window,
			   sizeof(window));
	return 0;
}

static uint16_t next_port(struct usplice *s)
{
	uint16_t port = s->next_port;

	s->next_port =
		port == s->o.port_high ? s->o.port_low : (uint16_t)(port + 1);
	return port;
}

/* A port that is free in the router's table and for the socket. */
static int choose_port(struct usplice_pair *p, int server,
		       struct join_name *name)
{
	struct splice_tuple *t = &p->tuple[DIR_S2C];
	struct router *r = p->s->router;
	struct join_peer client;
	int rc = -EADDRINUSE;

	for (int i = 0; i < PORT_TRIES; i++) {
		t->dport = next_port(p->s);
		rc = router_intend(r, &p->tuple[DIR_C2S], t, is_ip6(t), p->way,
				   name, &client);
		if (rc == -EEXIST)
			continue;
		if (rc == 0) {
			rc = match_options(&client, server);
			if (rc == 0)
				rc = pair_bind(server, t, p->s->o.mark != 0);
			if (rc == 0)
				return 0;
			router_forget(r, name);
		}
		if (rc != -EADDRINUSE)
			return rc;
	}
	return -EADDRINUSE;
}

static int intend(struct usplice_pair *p, int client, int server,
		  const struct sockaddr *to, socklen_t tolen)
{
	struct join_name name;
	int rc = client_tuple(client, &p->tuple[DIR_C2S]);

	if (rc == 0)
		rc = pair_address(to, tolen, p->tuple[DIR_S2C].src,
				  &p->tuple[DIR_S2C].sport);
	if (rc == 0 && is_ip6(&p->tuple[DIR_C2S]) != is_ip6(&p->tuple[DIR_S2C]))
		rc = -EAFNOSUPPORT;
	if (rc == 0 && p->s->o.mark != 0)
		memcpy(p->tuple[DIR_S2C].dst, p->tuple[DIR_C2S].src,
		       sizeof(p->tuple[DIR_S2C].dst));
	if (rc == 0)
		rc = ways_find(p);
	if (rc == 0)
		rc = choose_port(p, server, &name);
	if (rc != 0)
		return rc;
	assert(p->tuple[DIR_S2C].dport >= p->s->o.port_low &&
	       p->tuple[DIR_S2C].dport <= p->s->o.port_high);
	p->fd[DIR_C2S] = client;
	p->fd[DIR_S2C] = server;
	pair_named(p, &name);
	return 0;
}

int usplice_intend(struct usplice *s, int client, int server,
		   const struct sockaddr *to, socklen_t tolen, void *user,
		   struct usplice_pair **out)
{
	struct usplice_pair *p = pair_take(s);
	int rc;

	if (!p)
		return -ENOSPC;
	p->user = user;
	rc = intend(p, client, server, to, tolen);
	if (rc != 0)
		pair_free(p);
	else
		*out = p;
	return rc;
}

int usplice_connect(struct usplice_pair *p)
{
	return p->state == PAIR_INTENDED ? pre_connect(p) : -EINVAL;
}

static int splice(struct usplice_pair *p, uint32_t extra, bool give)
{
	const uint32_t pending[DIR_COUNT] = { [DIR_C2S] = extra };
	const int fd[DIR_COUNT] = { p->fd[DIR_C2S], p->fd[DIR_S2C] };
	uint32_t events = 0;
	int rc;

	if (p->state != PAIR_INTENDED)
		return -EINVAL;
	if (p->has_cut && (!give || extra != 0))
		return -EINVAL;
	rc = pre_begin(p, give);
	if (rc != 0)
		return rc;
	rc = router_splice(p->s->router, &p->name, pending,
			   p->has_cut ? p->cut : NULL, &events);
	if (rc != 0) {
		pre_undo(p, fd);
		return rc;
	}
	p->extra = extra;
	if (events & SPLICE_EV_JOINED)
		pair_joined(p);
	else if (events & SPLICE_EV_CUT)
		back_cut(p);
	else
		pre_first(p, events & JOIN_UNREAD);
	if ((events & SPLICE_EV_TIMEWAIT) && p->state == PAIR_SPLICED)
		pair_ending(p, USPLICE_TIMEWAIT);
	return 0;
}

int usplice_splice(struct usplice_pair *p, uint32_t extra)
{
	return splice(p, extra, false);
}

int usplice_give(struct usplice_pair *p, uint32_t extra)
{
	return splice(p, extra, true);
}

ssize_t usplice_write(struct usplice_pair *p, const void *b, size_t n)
{
	ssize_t sent;

	if (n > p->extra)
		return -EMSGSIZE;
	if (p->state != PAIR_PRE)
		return -EPIPE;
	sent = send(p->fd[DIR_C2S], b, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	p->extra -= (uint32_t)sent;
	if (p->extra == 0 && p->held)
		pre_relay(p);
	return sent;
}

void usplice_end(struct usplice_pair *p)
{
	assert(p->state != PAIR_FREE);
	if (p->state == PAIR_PRE)
		pre_close(p, false);
	else if (p->state == PAIR_SPLICED || p->state == PAIR_APART)
		back_drop(p);
	else
		pre_unwatch(p);
	if (p->state != PAIR_OVER) {
		router_forget(p->s->router, &p->name);
		if (p->state == PAIR_SPLICED)
			p->s->counters.ended++;
	}
	if (p->s->last == p)
		p->s->last = NULL;
	pair_free(p);
}
