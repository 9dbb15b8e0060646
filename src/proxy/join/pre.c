/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pre.c - Bytes that come before a pair is joined
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

#include "join/usplice_internal.h"

/* Of PRE_BUFFER, for one direction, before others have their turn. */
#define ROUNDS 16

/* A byte of urgent data is one of the stream, or numbers would be wrong by one.
 */
static void keep_urgent(int fd)
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

static int watch(struct usplice_pair *p, enum dir d, int op)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP |
					   EPOLLET,
				 .data.ptr = p };

	return epoll_ctl(p->s->epoll, op, p->fd[d], &e) == 0 ? 0 : -errno;
}

int pre_begin(struct usplice_pair *p)
{
	int fd[DIR_COUNT];
	int rc;

	fd[DIR_C2S] = fcntl(p->fd[DIR_C2S], F_DUPFD_CLOEXEC, 3);
	if (fd[DIR_C2S] < 0)
		return -errno;
	fd[DIR_S2C] = fcntl(p->fd[DIR_S2C], F_DUPFD_CLOEXEC, 3);
	if (fd[DIR_S2C] < 0) {
		rc = -errno;
		close(fd[DIR_C2S]);
		return rc;
	}
	memcpy(p->fd, fd, sizeof(fd));
	p->state = PAIR_PRE;
	keep_urgent(fd[DIR_C2S]);
	keep_urgent(fd[DIR_S2C]);
	p->s->peeks = look_from(fd[DIR_C2S], 0) && look_from(fd[DIR_S2C], 0);
	rc = watch(p, DIR_C2S, EPOLL_CTL_ADD);
	return rc != 0 ? rc : watch(p, DIR_S2C, EPOLL_CTL_ADD);
}

void pre_close(struct usplice_pair *p, bool silent)
{
	assert(p->state == PAIR_PRE);
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		int none = -1;
		int on = 1;

		/* The caller's descriptor may keep the socket in there. */
		epoll_ctl(p->s->epoll, EPOLL_CTL_DEL, p->fd[d], NULL);
		if (silent)
			setsockopt(p->fd[d], IPPROTO_TCP, TCP_REPAIR, &on,
				   sizeof(on));
		else
			setsockopt(p->fd[d], SOL_SOCKET, SO_PEEK_OFF, &none,
				   sizeof(none));
		close(p->fd[d]);
		p->fd[d] = -1;
	}
}

/* @n bytes of direction @d were sent on. */
static void was_sent(struct usplice_pair *p, enum dir d, size_t n)
{
	if (!p->s->peeks) {
		/* Without a buffer, TCP throws away. */
		recv(p->fd[d], NULL, n, MSG_TRUNC | MSG_DONTWAIT);
		return;
	}
	assert(p->sent[d] + n <= INT32_MAX);
	p->sent[d] += (uint32_t)n;
	look_from(p->fd[d], p->sent[d]);
}

/* One piece of direction @d. Return: 1; 0: there is none, or no room; -Exxx */
static int relay_one(struct usplice_pair *p, enum dir d)
{
	struct usplice *s = p->s;
	int to = p->fd[dir_reverse(d)];
	ssize_t n = recv(p->fd[d], s->buffer, sizeof(s->buffer),
			 MSG_PEEK | MSG_DONTWAIT);
	ssize_t sent;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
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
	return sent == n;
}

void pre_relay(struct usplice_pair *p)
{
	assert(p->state == PAIR_PRE);
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		int rc = 1;

		/* What the caller has to say to the client comes first. */
		if (p->ended[d] || (d == DIR_S2C && p->extra > 0))
			continue;
		for (int i = 0; i < ROUNDS && rc == 1; i++)
			rc = relay_one(p, d);
		/* There is more: be told of it again. */
		if (rc == 1)
			rc = watch(p, d, EPOLL_CTL_MOD);
		if (rc < 0) {
			router_forget(p->s->router, &p->name);
			pair_over(p, USPLICE_LOST);
			return;
		}
	}
}
