/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * carry.c - A connection whose bytes we carry
 *
 * Theory of operation
 *
 * Each direction has a buffer, or a pipe. It is read into when it is empty, and
 * only then: who does not take what is sent to him keeps it full, what its
 * sender sends fills our socket, and its window shuts. So a connection holds
 * what its two buffers and its two sockets may, whatever its ends do.
 *
 * Events tell of edges, so a direction is carried on until it would block; one
 * that could go on for ever says so after a few rounds.
 */
#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "carry/carry_internal.h"

#define ROUNDS 4 /* of a buffer, before others have their turn */

void carry_init(struct carry *k)
{
	*k = (struct carry){ .way = { { .pipe = { -1, -1 } },
				      { .pipe = { -1, -1 } } },
			     .fd = { -1, -1 } };
}

static bool has_pipes(struct carry *k)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		if (k->way[d].pipe[0] < 0 && pipe_open(&k->way[d]) != 0)
			return false;
	return true;
}

bool carry_begin(struct carry *k, const int fd[DIR_COUNT], uint8_t *buf,
		 bool pipes)
{
	bool as_asked = !pipes || has_pipes(k);

	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		struct carry_way *w = &k->way[d];

		if (!pipes || !as_asked)
			pipe_drop(w);
		*w = (struct carry_way){ .buf = buf + d * CARRY_BUFFER,
					 .pipe = { w->pipe[0], w->pipe[1] } };
		k->fd[d] = fd[d];
	}
	return as_asked;
}

/* Of a call: nothing now, or an error? */
static int or_nothing(int rc)
{
	return rc == -EAGAIN || rc == -EINTR ? 0 : rc;
}

static int read_some(struct carry_way *w, int from)
{
	ssize_t n;

	if (w->pipe[0] >= 0)
		return pipe_fill(w, from);
	n = recv(from, w->buf, CARRY_BUFFER, MSG_DONTWAIT);
	return n < 0 ? -errno : (int)n;
}

static int write_some(struct carry_way *w, int to)
{
	ssize_t n;

	if (w->pipe[0] >= 0)
		return pipe_empty(w, to);
	n = send(to, w->buf + w->at, w->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? -errno : (int)n;
}

/* Return: 1: something was; 0: it would block, or has ended; -Exxx */
static int fill(struct carry_way *w, int from)
{
	int n;

	if (w->len > 0)
		return 1;
	if (w->ended)
		return 0;
	n = read_some(w, from);
	if (n < 0)
		return or_nothing(n);
	w->ended = n == 0;
	w->at = 0;
	w->len = (uint32_t)n;
	return n > 0;
}

/* The same; 0 also: all of it is gone */
static int empty(struct carry_way *w, int to)
{
	int n = write_some(w, to);

	if (n < 0)
		return or_nothing(n);
	assert((uint32_t)n <= w->len);
	w->at += (uint32_t)n;
	w->len -= (uint32_t)n;
	w->sent += (uint64_t)n;
	return 1;
}

/* Return: 1: there is more; 0: not now; -Exxx */
static int carry(struct carry *k, enum dir d, bool *moved)
{
	struct carry_way *w = &k->way[d];
	int to = k->fd[dir_reverse(d)];
	uint64_t sent = w->sent;
	uint32_t len = w->len;
	int rc = 1;

	for (int i = 0; i < ROUNDS && rc == 1; i++) {
		rc = fill(w, k->fd[d]);
		if (rc == 1)
			rc = empty(w, to);
	}
	*moved |= w->sent != sent || w->len != len;
	if (rc >= 0 && w->ended && w->len == 0 && !w->passed) {
		*moved = true;
		w->passed = true;
		if (shutdown(to, SHUT_WR) != 0)
			return -errno;
	}
	return rc;
}

int carry_run(struct carry *k, bool *moved)
{
	int rc[DIR_COUNT];

	*moved = false;
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		rc[d] = carry(k, d, moved);
		if (rc[d] < 0)
			return rc[d];
	}
	if (k->way[DIR_C2S].passed && k->way[DIR_S2C].passed)
		return CARRY_DONE;
	return rc[DIR_C2S] == 1 || rc[DIR_S2C] == 1 ? CARRY_MORE : CARRY_WAIT;
}

uint64_t carry_acked(const struct carry *k, enum dir d)
{
	const struct carry_way *w = &k->way[d];
	int left = 0;

	if (ioctl(k->fd[dir_reverse(d)], SIOCOUTQ, &left) != 0 || left < 0)
		return w->sent;
	/* A FIN counts one. */
	if (left > 0 && w->passed)
		left--;
	return w->sent > (uint64_t)left ? w->sent - (uint64_t)left : 0;
}

bool carry_all_acked(const struct carry *k)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		if (carry_acked(k, d) != k->way[d].sent)
			return false;
	return true;
}

bool carry_half_closed(const struct carry *k)
{
	return k->way[DIR_C2S].passed || k->way[DIR_S2C].passed;
}

void carry_end(struct carry *k)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		if (k->way[d].len > 0)
			pipe_drop(&k->way[d]);
}

void carry_close(struct carry *k)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		pipe_drop(&k->way[d]);
	carry_init(k);
}
