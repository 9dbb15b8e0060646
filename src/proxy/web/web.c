/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * web.c - Bytes of HTTP's clients and servers
 *
 * Theory of operation
 *
 * What is to be sent is sent, what can be read is read where there is room, and
 * the machine goes on, until nothing of the three has done anything: then an
 * event will tell when it can. A server that takes no more of a request may
 * have answered it (413): the rest of the request is thrown away, and what he
 * has said is read.
 */
#include "web/web.h"

#include <errno.h>
#include <sys/socket.h>

#define ROUNDS 32 /* before others have their turn */

void web_begin(struct web *w, int client, uint8_t *memory)
{
	*w = (struct web){ .fd = { [DIR_C2S] = client, [DIR_S2C] = -1 } };
	http_begin(&w->x, memory);
}

void web_server(struct web *w, int server)
{
	w->fd[DIR_S2C] = server;
	w->deaf = w->dry[DIR_S2C] = false;
	http_connected(&w->x);
}

void web_left(struct web *w)
{
	w->fd[DIR_S2C] = -1;
	http_left(&w->x);
}

/* Return: 1: some was, 0: none, -1: its receiver is gone */
static int send_some(struct web *w, enum dir d)
{
	int fd = w->fd[dir_reverse(d)];
	const uint8_t *b;
	ssize_t k = 0;
	size_t n;

	b = http_next(&w->x, d, &n);
	if (!b || fd < 0)
		return 0;
	if (d == DIR_C2S && w->deaf) {
		http_sent(&w->x, d, n);
		return 1;
	}
	k = send(fd, b, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (k < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	w->sent[d] += (uint64_t)k;
	http_sent(&w->x, d, (size_t)k);
	return 1;
}

/* Return: as send_some(), of its sender */
static int read_some(struct web *w, enum dir d)
{
	uint8_t *to;
	ssize_t k;
	size_t n;

	if (w->fd[d] < 0 || w->dry[d])
		return 0;
	to = http_room(&w->x, d, &n);
	if (!to)
		return 0;
	k = recv(w->fd[d], to, n, MSG_DONTWAIT);
	if (k < 0) {
		w->dry[d] = errno == EAGAIN;
		return w->dry[d] || errno == EINTR ? 0 : -1;
	}
	http_got(&w->x, d, (size_t)k);
	return 1;
}

/* In a tunnel one end may have said all before the other. */
static void tell_end(struct web *w, enum dir d)
{
	if (!w->x.way[d].shut || (w->told & (1u << d)) ||
	    w->fd[dir_reverse(d)] < 0)
		return;
	w->told |= (uint8_t)(1u << d);
	(void)shutdown(w->fd[dir_reverse(d)], SHUT_WR);
}

/* Return: 1: something has moved, 0: nothing, -1: the client is gone */
static int move_all(struct web *w)
{
	int moved = 0, r;

	r = send_some(w, DIR_S2C);
	if (r < 0)
		return -1;
	moved |= r;
	r = send_some(w, DIR_C2S);
	w->deaf |= r < 0;
	moved |= r != 0;
	r = read_some(w, DIR_C2S);
	if (r < 0)
		return -1;
	moved |= r;
	r = read_some(w, DIR_S2C);
	if (r < 0)
		http_got(&w->x, DIR_S2C, 0);
	return moved | (r != 0);
}

int web_run(struct web *w, bool *moved)
{
	*moved = false;
	for (int i = 0; i < ROUNDS; i++) {
		enum http_step step = http_run(&w->x);
		int r;

		tell_end(w, DIR_C2S);
		tell_end(w, DIR_S2C);
		if (step != HTTP_WAIT)
			return (int)step;
		r = move_all(w);
		if (r < 0)
			return HTTP_BROKEN;
		if (r == 0)
			return HTTP_WAIT;
		*moved = true;
	}
	return WEB_MORE;
}
