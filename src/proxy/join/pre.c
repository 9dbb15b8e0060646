/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pre.c - The sockets of a pair, until it is joined
 *
 * Theory of operation
 *
 * Until both ends have acked all that our sockets have sent to them, what they
 * send goes to our sockets (splice/state.h) and is relayed here. An end that
 * never pauses could keep its pair here for ever: as it is read, it sends on,
 * and there is always a byte that the other end has not acked. To clamp its
 * window does not help by itself: a window that is opened whenever something
 * was read is used again one round trip later, which may be shorter than the
 * other end's. So nothing is read. What has come is looked at (MSG_PEEK, from
 * where SO_PEEK_OFF says) and sent on, and stays where it is: the window is
 * what our socket has left, and shuts. Then the last ack of the other end joins
 * the pair, and is the segment that opens the window again.
 *
 * It is the socket, too, that keeps what could not be sent yet. So a pair has
 * no buffer here, and what it may hold is what its sockets may.
 *
 * System calls are what the beginning of a splice costs. So a socket is put
 * into epoll once, and leaves it by being closed; it is looked into before it
 * is waited for; and an option is set when it begins to matter.
 *
 * A kernel without SO_PEEK_OFF for TCP (before 6.9) gives away what was sent
 * on. There an end that never pauses stays with our sockets until it does.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/ipaddr.h"
#include "join/usplice_internal.h"

/* Of PRE_BUFFER, for one direction, before others have their turn. */
#define ROUNDS 16

void pre_keep_urgent(int fd)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
}

/* Return: the kernel looks into this socket at an offset */
static bool look_from(int fd, uint32_t at)
{
	int off = (int)at;

	return setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)) == 0;
}

bool pre_peeks(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = fd >= 0 && look_from(fd, 0);

	if (fd >= 0)
		close(fd);
	return yes;
}

/* --- waiting --- */

/* @room: also for room to write */
static int watch(struct usplice_pair *p, enum dir d, bool room)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET |
					   (room ? EPOLLOUT : 0u),
				 .data.ptr = p };
	int op = (p->watched >> d & 1) ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (epoll_ctl(p->s->epoll, op, p->fd[d], &e) != 0)
		return -errno;
	p->watched |= (uint8_t)(1u << d);
	return 0;
}

void pre_unwatch(struct usplice_pair *p)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		if (p->watched >> d & 1)
			epoll_ctl(p->s->epoll, EPOLL_CTL_DEL, p->fd[d], NULL);
	p->watched = 0;
}

static void connected(struct usplice_pair *p, int error)
{
	p->state = PAIR_INTENDED;
	p->error = error;
	pair_note(p, USPLICE_CONNECTED);
}

int pre_ask(int fd, const struct splice_tuple *t)
{
	struct ipaddr to = ipaddr_from6(t->src);
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(t->sport) };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(t->sport) };
	int rc;

	memcpy(&in6.sin6_addr, t->src, 16);
	memcpy(&in.sin_addr, t->src + 12, 4);
	rc = ipaddr_is4(&to)
		     ? connect(fd, (struct sockaddr *)&in, sizeof(in))
		     : connect(fd, (struct sockaddr *)&in6, sizeof(in6));
	return rc == 0 ? 0 : -errno;
}

int pre_connect(struct usplice_pair *p)
{
	int rc = pre_ask(p->fd[DIR_S2C], &p->tuple[DIR_S2C]);

	if (rc == 0) {
		connected(p, 0);
		return 0;
	}
	if (rc != -EINPROGRESS)
		return rc;
	p->state = PAIR_CONNECTING;
	return watch(p, DIR_S2C, true);
}

void pre_event(struct usplice_pair *p, uint32_t events)
{
	socklen_t n = sizeof(int);
	int error = 0;

	if (p->state == PAIR_PRE) {
		pre_relay(p);
		return;
	}
	if (events & (EPOLLIN | EPOLLRDHUP))
		p->spoken = true;
	if (p->state != PAIR_CONNECTING)
		return;
	if (events & (EPOLLERR | EPOLLHUP)) {
		if (getsockopt(p->fd[DIR_S2C], SOL_SOCKET, SO_ERROR, &error,
			       &n) != 0)
			error = errno;
		connected(p, error != 0 ? -error : -ECONNABORTED);
	} else if (events & EPOLLOUT) {
		connected(p, 0);
	}
}

/* --- ours --- */

static int copy_both(const int fd[DIR_COUNT], int out[DIR_COUNT])
{
	int rc;

	out[DIR_C2S] = fcntl(fd[DIR_C2S], F_DUPFD_CLOEXEC, 3);
	if (out[DIR_C2S] < 0)
		return -errno;
	out[DIR_S2C] = fcntl(fd[DIR_S2C], F_DUPFD_CLOEXEC, 3);
	if (out[DIR_S2C] >= 0)
		return 0;
	rc = -errno;
	close(out[DIR_C2S]);
	return rc;
}

int pre_begin(struct usplice_pair *p, bool give)
{
	int fd[DIR_COUNT] = { p->fd[DIR_C2S], p->fd[DIR_S2C] };
	int rc = give ? 0 : copy_both(p->fd, fd);

	if (rc != 0)
		return rc;
	/* A copy is waited for by itself. */
	if (!give)
		pre_unwatch(p);
	memcpy(p->fd, fd, sizeof(fd));
	p->state = PAIR_PRE;
	p->shared = !give;
	return 0;
}

void pre_undo(struct usplice_pair *p, const int fd[DIR_COUNT])
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		if (p->fd[d] != fd[d])
			close(p->fd[d]);
	memcpy(p->fd, fd, sizeof(p->fd));
	p->state = PAIR_INTENDED;
}

void pre_measure(struct usplice_pair *p)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		struct tcp_info i = { .tcpi_snd_mss = 536 };
		socklen_t n = sizeof(i);

		getsockopt(p->fd[d], IPPROTO_TCP, TCP_INFO, &i, &n);
		/* The kernel counts without timestamps, the option with. */
		p->mss[d] = (uint16_t)(i.tcpi_snd_mss +
				       ((i.tcpi_options & TCPI_OPT_TIMESTAMPS)
						? 12u
						: 0u));
	}
}

void pre_close(struct usplice_pair *p, bool silent)
{
	assert(p->state == PAIR_PRE);
	/* The caller's descriptor may keep the socket in there. */
	if (p->shared)
		pre_unwatch(p);
	p->watched = 0;
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		int none = -1;
		int on = 1;

		if (silent)
			setsockopt(p->fd[d], IPPROTO_TCP, TCP_REPAIR, &on,
				   sizeof(on));
		else if (p->shared)
			setsockopt(p->fd[d], SOL_SOCKET, SO_PEEK_OFF, &none,
				   sizeof(none));
		close(p->fd[d]);
		p->fd[d] = -1;
	}
}

void pre_apart(struct usplice_pair *p)
{
	int none = -1;

	assert(p->state == PAIR_PRE && !p->shared);
	pre_unwatch(p);
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		p->crossed[d] = p->sent[d];
		if (!p->s->peeks)
			continue;
		setsockopt(p->fd[d], SOL_SOCKET, SO_PEEK_OFF, &none,
			   sizeof(none));
		/* Without a buffer, TCP throws away. */
		if (p->sent[d] > 0)
			recv(p->fd[d], NULL, p->sent[d],
			     MSG_TRUNC | MSG_DONTWAIT);
	}
}

/* --- what comes --- */

/* @n bytes of direction @d were sent on. */
static void was_sent(struct usplice_pair *p, enum dir d, size_t n)
{
	if (!p->s->peeks)
		/* Without a buffer, TCP throws away. */
		recv(p->fd[d], NULL, n, MSG_TRUNC | MSG_DONTWAIT);
	assert(!p->s->peeks || p->sent[d] + n <= INT32_MAX);
	p->sent[d] += (uint32_t)n;
}

/* Have all clients what their listener was given? */
static bool is_prepared(const struct usplice *s)
{
	return s->listeners > 0 && s->prepared == s->listeners;
}

/* The first look at a socket needs nothing but this; each further one begins
 * behind what was sent on.
 */
static void prepare(struct usplice_pair *p, enum dir d)
{
	int one = 1;

	if (!(p->looked >> d & 1) && !(d == DIR_C2S && is_prepared(p->s)))
		pre_keep_urgent(p->fd[d]);
	p->looked |= (uint8_t)(1u << d);
	if (p->sent[d] > 0 && p->s->peeks)
		look_from(p->fd[d], p->sent[d]);
	if (p->sent[d] == 0 || p->hurried[d])
		return;
	/* Of more than one piece none waits for the ack of the one before. */
	setsockopt(p->fd[dir_reverse(d)], IPPROTO_TCP, TCP_NODELAY, &one,
		   sizeof(one));
	p->hurried[d] = true;
}

/* Bytes that may still cross. */
static size_t left(const struct usplice_pair *p, enum dir d)
{
	assert(p->sent[d] <= p->cut[d]);
	return p->cut[d] - p->sent[d];
}

/* There is more than may cross, and our sockets have it: if the pair is not
 * joined just now, it is not to be.
 */
static void withdraw(struct usplice_pair *p)
{
	uint32_t events;

	p->beyond = false;
	if (router_cut(p->s->router, &p->name, JOIN_CUT_WITHDRAW, NULL,
		       &events) == 0)
		back_cut(p);
}

/* One piece of direction @d. Return: 1; 0: there is none, or no room; -Exxx */
static int relay_one(struct usplice_pair *p, enum dir d)
{
	struct usplice *s = p->s;
	int to = p->fd[dir_reverse(d)];
	ssize_t n, sent;

	prepare(p, d);
	n = recv(p->fd[d], s->buffer, sizeof(s->buffer),
		 MSG_PEEK | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (p->has_cut && (n == 0 || (size_t)n > left(p, d))) {
		n = (ssize_t)left(p, d);
		p->beyond = true;
		if (n == 0)
			return 0;
	}
	if (n == 0) {
		p->ended[d] = true;
		p->fin |= (uint8_t)(1u << d);
		pair_note(p, USPLICE_FIN);
		return shutdown(to, SHUT_WR) == 0 ? 0 : -errno;
	}
	sent = send(to, s->buffer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	assert(sent <= n);
	was_sent(p, d, sent < 0 ? 0 : (size_t)sent);
	return sent == n ? 1 : watch(p, dir_reverse(d), true);
}

static void lost(struct usplice_pair *p)
{
	router_forget(p->s->router, &p->name);
	pair_over(p, USPLICE_LOST);
}

/* All of direction @d that there is now. Return: 0 or -Exxx */
static int relay(struct usplice_pair *p, enum dir d)
{
	int rc = 1;

	/* What the caller has to say to the client comes first. */
	if (p->ended[d])
		return 0;
	if (d == DIR_S2C && p->extra > 0) {
		p->held = true;
		return 0;
	}
	for (int i = 0; i < ROUNDS && rc == 1; i++)
		rc = relay_one(p, d);
	/* There is more: be told of it again. */
	return rc == 1 ? watch(p, d, true) : rc;
}

void pre_relay(struct usplice_pair *p)
{
	int rc;

	assert(p->state == PAIR_PRE);
	rc = relay(p, DIR_C2S);
	if (rc == 0)
		rc = relay(p, DIR_S2C);
	if (rc < 0)
		lost(p);
	else if (p->beyond)
		withdraw(p);
}

void pre_first(struct usplice_pair *p, bool unread)
{
	bool asked = (p->watched >> DIR_S2C & 1);
	int rc = unread ? relay_one(p, DIR_C2S) : 0;

	/* What is left, and what comes from now on, is told of at once. */
	if (rc >= 0)
		rc = watch(p, DIR_C2S, false);
	/* What the server has said already was told of, to nobody. */
	if (rc == 0 && p->spoken)
		rc = relay(p, DIR_S2C);
	if (rc == 0 && !asked)
		rc = watch(p, DIR_S2C, false);
	if (rc < 0)
		lost(p);
	else if (p->beyond)
		withdraw(p);
}
