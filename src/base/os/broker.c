/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * broker.c - A process that does a few things for one that has no rights any
 * more
 *
 * Theory of operation
 *
 * Who reads hostile bytes is not to be root, and yet some things that it was
 * asked for only root can do. So a copy of the process stays behind before
 * anything is opened. It keeps root's uid and nothing else: no capability, no
 * descriptor but its socket and the folders that its requests are about,
 * Landlock for these folders and a seccomp filter of a dozen calls.
 *
 * It takes the requests of its caller's table, each of fixed length, which the
 * process that asks cannot change any more. Whatever else comes by the socket
 * ends it, and so does the end of the process that it serves.
 */
#include "os/broker.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/privileges.h"

struct question {
	uint32_t id;
	uint8_t arg[BROKER_ARG_MAX];
};

#define QUESTION_HEAD offsetof(struct question, arg)

struct broker {
	int fd;
};

/* --- messages --- */

/* Send @len bytes, and @fd with them unless it is below 0. */
static int message_send(int to, const void *p, size_t len, int fd)
{
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(int))];
	} c = { .b = { 0 } };
	struct iovec v = { .iov_base = (void *)(uintptr_t)p, .iov_len = len };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		m.msg_control = c.b;
		m.msg_controllen = sizeof(c.b);
		c.h.cmsg_level = SOL_SOCKET;
		c.h.cmsg_type = SCM_RIGHTS;
		c.h.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(to, &m, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)len ? 0 : -EPIPE;
}

/* Take a message of up to @len bytes; *@fd is what came with it, or -1. Return:
 * its length, or -EPIPE
 */
static int message_take(int from, void *p, size_t len, int *fd)
{
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(int))];
	} c = { .b = { 0 } };
	struct iovec v = { .iov_base = p, .iov_len = len };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = fd ? c.b : NULL,
			    .msg_controllen = fd ? sizeof(c.b) : 0 };
	ssize_t n;

	do {
		n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (fd) {
		*fd = -1;
		if (n > 0 && m.msg_controllen >= CMSG_LEN(sizeof(int)) &&
		    c.h.cmsg_level == SOL_SOCKET && c.h.cmsg_type == SCM_RIGHTS)
			memcpy(fd, CMSG_DATA(&c.h), sizeof(*fd));
	}
	return n > 0 && !(m.msg_flags & MSG_TRUNC) ? (int)n : -EPIPE;
}

/* --- the broker's process --- */

static const struct broker_request *find(const struct broker_config *c,
					 uint32_t id)
{
	for (unsigned i = 0; i < c->requests; i++)
		if (c->request[i].id == id)
			return &c->request[i];
	return NULL;
}

/* Until the other end is gone, or says what it never would. */
static void serve(int fd, const struct broker_config *c)
{
	struct question q;
	int n;

	while ((n = message_take(fd, &q, sizeof(q), NULL)) > 0) {
		const struct broker_request *r =
			n >= (int)QUESTION_HEAD ? find(c, q.id) : NULL;
		int32_t answer;
		int give = -1;

		if (!r || n != (int)(QUESTION_HEAD + r->size))
			return;
		answer = r->serve(c->ctx, q.arg, &give);
		if (answer == BROKER_END ||
		    message_send(fd, &answer, sizeof(answer), give))
			return;
		if (give >= 0)
			close(give);
	}
}

/* Close every descriptor but @keep, which is sorted upwards. */
static void close_others(const int *keep, unsigned n)
{
	unsigned from = 0;

	/* Without close_range() (Linux 5.9) some stay open: they are those that
	 * the process was started with, as nothing else is open yet.
	 */
	for (unsigned i = 0; i < n; i++) {
		if ((unsigned)keep[i] > from)
			(void)close_range(from, (unsigned)keep[i] - 1, 0);
		from = (unsigned)keep[i] + 1;
	}
	(void)close_range(from, UINT_MAX, 0);
}

static int confine_broker(int fd, const struct broker_config *c,
			  struct errbuf *e)
{
	struct sandbox s = { .needs = SANDBOX_BROKER | c->needs, .broker = fd };
	struct sandbox_place at[BROKER_FOLDERS];
	int r = privileges_drop(NULL, e);

	for (unsigned i = 0; i < c->folders; i++)
		at[i] = (struct sandbox_place){ c->folder[i], true };
	if (r == 0)
		r = sandbox_files(at, c->folders, 0, e);
	return r < 0 ? r : sandbox_calls(&s, e);
}

static void run(int fd, const struct broker_config *c)
{
	struct errbuf e = { "" };
	int keep[BROKER_FOLDERS + 1];
	int32_t ready;
	sigset_t all;

	/* ^C is for the other: this one ends with it. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	memcpy(keep, c->folder, sizeof(c->folder));
	keep[c->folders] = fd; /* opened after them */
	close_others(keep, c->folders + 1);
	ready = confine_broker(fd, c, &e);
	if (message_send(fd, &ready, sizeof(ready), -1) == 0 && ready == 0)
		serve(fd, c);
	_exit(0);
}

/* --- who uses it --- */

static int start(struct broker *b, const struct broker_config *c,
		 struct errbuf *e)
{
	int32_t ready = -EPIPE;
	int pair[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return errbuf_set(e, -errno, "socketpair: %s", strerror(errno));
	signal(SIGCHLD, SIG_IGN);
	fflush(NULL);
	child = fork();
	if (child == 0)
		run(pair[1], c);
	close(pair[1]);
	b->fd = pair[0];
	if (child < 0)
		ready = -errno;
	else if (message_take(b->fd, &ready, sizeof(ready), NULL) !=
		 sizeof(ready))
		ready = -EPIPE;
	if (ready != 0) {
		close(b->fd);
		return errbuf_set(e, ready,
				  "cannot keep a process that makes root's "
				  "files: %s",
				  strerror(-ready));
	}
	return 0;
}

int broker_start(struct broker **out, const struct broker_config *c,
		 struct errbuf *e)
{
	struct broker *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return errbuf_set(e, -ENOMEM, "no memory");
	r = start(b, c, e);
	if (r != 0)
		free(b);
	else
		*out = b;
	return r;
}

int broker_fd(const struct broker *b)
{
	return b ? b->fd : -1;
}

int broker_ask(struct broker *b, uint32_t id, const void *arg, size_t size,
	       int *fd)
{
	struct question q = { .id = id };
	int32_t answer;
	int r;

	if (size > BROKER_ARG_MAX)
		return -EINVAL;
	memcpy(q.arg, arg, size);
	r = message_send(b->fd, &q, QUESTION_HEAD + size, -1);
	if (r == 0 &&
	    message_take(b->fd, &answer, sizeof(answer), fd) != sizeof(answer))
		r = -EPIPE;
	return r != 0 ? r : answer;
}

void broker_dismiss(struct broker *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}

void broker_stop(struct broker *b)
{
	if (b)
		broker_dismiss(b);
	free(b);
}
