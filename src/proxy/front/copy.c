/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy.c - A connection whose bytes we carry
 *
 * Theory of operation
 *
 * Each direction has a buffer. It is read into when it is empty, and only then:
 * who does not take what is sent to him keeps it full, what its sender sends
 * fills our socket, and its window shuts. So a connection holds what its two
 * buffers and its two sockets may, whatever its ends do.
 *
 * An end of a stream is passed on when all before it was. When both have ended,
 * the connection is kept until the last bytes are acked, so that the log can
 * say what arrived; a reset is passed on as a reset.
 *
 * Events tell of edges, so a direction is carried on until it would block; one
 * that could go on for ever waits in front.busy for the others to have their
 * turn.
 */
#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "core/limits.h"
#include "front/front_internal.h"

#define ROUNDS	   4 /* of a buffer, before others have their turn */
#define ACKS_FIRST (5 * NS_PER_MS) /* until last acks are looked for, doubled */
#define ACKS_MOST  (NS_PER_SEC)	   /* up to this */

bool copy_begin(struct conn *c)
{
	struct front *f = c->f;

	if (list_empty(&f->free_copies))
		return false;
	c->copy = list_entry(f->free_copies.next, struct copy, link);
	list_del(&c->copy->link);
	f->n_copies++;
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		struct copy_way *w = &c->copy->way[d];

		*w = (struct copy_way){ .buf = w->buf };
	}
	c->state = CONN_COPY;
	c->active = f->now;
	return true;
}

/* Return: 1: something was; 0: it would block, or has ended; -Exxx */
static int fill(struct copy_way *w, int from)
{
	ssize_t n;

	if (w->len > 0)
		return 1;
	if (w->ended)
		return 0;
	n = recv(from, w->buf, COPY_BUFFER, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	w->ended = n == 0;
	w->at = 0;
	w->len = (uint32_t)n;
	return n > 0;
}

/* The same; 0 also: all of it is gone */
static int empty(struct copy_way *w, int to)
{
	ssize_t n;

	n = send(to, w->buf + w->at, w->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	assert((size_t)n <= w->len);
	w->at += (uint32_t)n;
	w->len -= (uint32_t)n;
	w->sent += (uint64_t)n;
	return 1;
}

/* Return: 1: there is more; 0: not now; -Exxx */
static int carry(struct conn *c, enum dir d)
{
	struct copy_way *w = &c->copy->way[d];
	int to = c->fd[dir_reverse(d)];
	int rc = 1;

	for (int i = 0; i < ROUNDS && rc == 1; i++) {
		rc = fill(w, c->fd[d]);
		if (rc == 1) {
			c->active = c->f->now;
			rc = empty(w, to);
		}
	}
	if (rc >= 0 && w->ended && w->len == 0 && !w->passed) {
		c->active = c->f->now;
		w->passed = true;
		if (shutdown(to, SHUT_WR) != 0)
			return -errno;
	}
	return rc;
}

/* --- the end --- */

/* Bytes of direction @d that its receiver has acked. */
static uint64_t acked(const struct conn *c, enum dir d)
{
	const struct copy_way *w = &c->copy->way[d];
	int left = 0;

	if (ioctl(c->fd[dir_reverse(d)], SIOCOUTQ, &left) != 0 || left < 0)
		return w->sent;
	/* A FIN counts one. */
	if (left > 0 && w->passed)
		left--;
	return w->sent > (uint64_t)left ? w->sent - (uint64_t)left : 0;
}

static void over(struct conn *c, struct why end)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		c->bytes[d] = acked(c, d);
	conn_over(c, end);
}

static bool is_acked(const struct conn *c)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		if (acked(c, d) != c->copy->way[d].sent)
			return false;
	return true;
}

static bool is_broken(const struct conn *c)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		socklen_t n = sizeof(int);
		int rc = 0;

		if (getsockopt(c->fd[d], SOL_SOCKET, SO_ERROR, &rc, &n) != 0 ||
		    rc != 0)
			return true;
	}
	return false;
}

/* Both have ended: @c may be over then. */
static void wait_for_acks(struct conn *c)
{
	struct front *f = c->f;

	if (is_broken(c)) {
		over(c, WHY(f, ended_reset));
		return;
	}
	if (is_acked(c)) {
		over(c, WHY(f, ended_closed));
		return;
	}
	if (f->now - c->active >= half_closed_limit(f->o)) {
		over(c, WHY(f, ended_half_closed));
		return;
	}
	c->outq_wait = c->outq_wait == 0	      ? ACKS_FIRST
		       : c->outq_wait < ACKS_MOST / 2 ? 2 * c->outq_wait
						      : ACKS_MOST;
	due_at(f, &c->due, f->now + c->outq_wait);
}

static bool is_half_closed(const struct conn *c)
{
	return c->copy->way[DIR_C2S].passed || c->copy->way[DIR_S2C].passed;
}

/* When it has been silent for too long. */
static uint64_t limit_of(const struct conn *c)
{
	const struct front_options *o = c->f->o;

	return c->active +
	       (is_half_closed(c) ? half_closed_limit(o) : o->idle_timeout);
}

/* The limits move with each byte; the timer follows when it runs out. */
void copy_due(struct conn *c)
{
	struct front *f = c->f;

	if (c->state == CONN_CLOSE) {
		wait_for_acks(c);
		return;
	}
	if (f->now < limit_of(c)) {
		due_at(f, &c->due, limit_of(c));
		return;
	}
	over(c, is_half_closed(c) ? WHY(f, ended_half_closed)
				  : WHY(f, ended_idle));
}

void copy_run(struct conn *c)
{
	int rc[DIR_COUNT];

	if (c->state == CONN_CLOSE) {
		wait_for_acks(c);
		return;
	}
	list_del(&c->busy);
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		rc[d] = carry(c, d);
		if (rc[d] < 0) {
			over(c, WHY(c->f, ended_reset));
			return;
		}
	}
	if (c->copy->way[DIR_C2S].passed && c->copy->way[DIR_S2C].passed) {
		c->state = CONN_CLOSE;
		wait_for_acks(c);
	} else if (rc[DIR_C2S] == 1 || rc[DIR_S2C] == 1) {
		list_add_tail(&c->f->busy, &c->busy);
	} else if (limit_of(c) < c->due.timer.when ||
		   !timer_armed(&c->due.timer)) {
		due_at(c->f, &c->due, limit_of(c));
	}
}
