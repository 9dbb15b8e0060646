/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipe.c - Pages move from one socket to another through a pipe
 *
 * A pipe costs four calls, so one that is empty at its connection's end is kept
 * for another connection. It is asked for no more than it takes: what was read
 * into it is what is in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "carry/carry_internal.h"

#define HOW (SPLICE_F_MOVE | SPLICE_F_NONBLOCK)

int pipe_open(struct carry_way *w)
{
	return pipe2(w->pipe, O_CLOEXEC | O_NONBLOCK) == 0 ? 0 : -errno;
}

void pipe_drop(struct carry_way *w)
{
	if (w->pipe[0] >= 0) {
		close(w->pipe[0]);
		close(w->pipe[1]);
	}
	w->pipe[0] = w->pipe[1] = -1;
}

int pipe_fill(struct carry_way *w, int from)
{
	ssize_t n = splice(from, NULL, w->pipe[1], NULL, CARRY_BUFFER, HOW);

	return n < 0 ? -errno : (int)n;
}

int pipe_empty(struct carry_way *w, int to)
{
	ssize_t n = splice(w->pipe[0], NULL, to, NULL, w->len, HOW);

	return n < 0 ? -errno : (int)n;
}
