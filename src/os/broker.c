/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * broker.c - A process that makes root's files for one that is root no more
 *
 * Theory of operation
 *
 * Who reads hostile bytes is not to be root, and yet the files that root asked
 * for lie in root's folders, where another user makes and removes none. So a
 * copy of the process stays behind before anything is opened. It keeps root's
 * uid and nothing else: no capability, no descriptor but its socket and the
 * folders, Landlock for these folders and a seccomp filter of a dozen calls.
 *
 * It takes two requests, of fixed length: make the file of this path with this
 * number, and remove one that it has made. Names are its own, numbers only go
 * up, a file is made with O_EXCL: nothing that was there can be read, written or
 * removed through it. Whatever else comes by the socket ends it, and so does the
 * end of the process that it serves.
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

#include "os/folder.h"
#include "os/privileges.h"
#include "os/sandbox.h"

#define NAME_SIZE (NAME_MAX + 32) /* with a number behind the longest */

enum request_kind { REQUEST_MAKE = 1, REQUEST_REMOVE };

struct request {
	uint32_t kind;
	uint32_t which;
	uint64_t number;
};

struct broker {
	int fd;
};

/* A path of the broker's process. @made is a ring of the newest numbers. */
struct place {
	int folder;
	const char *base;
	bool any;
	uint64_t last; /* number of the newest request to make one */
	uint64_t *made;
	uint64_t made_n;
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

/* Take a message of @len bytes; *@fd is what came with it, or -1. */
static int message_take(int from, void *p, size_t len, int *fd)
{
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(int))];
	} c = { .b = { 0 } };
	struct iovec v = { .iov_base = p, .iov_len = len };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = fd != NULL ? c.b : NULL,
			    .msg_controllen = fd != NULL ? sizeof(c.b) : 0 };
	ssize_t n;

	do {
		n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (fd != NULL) {
		*fd = -1;
		if (n > 0 && m.msg_controllen >= CMSG_LEN(sizeof(int)) &&
		    c.h.cmsg_level == SOL_SOCKET && c.h.cmsg_type == SCM_RIGHTS)
			memcpy(fd, CMSG_DATA(&c.h), sizeof(*fd));
	}
	return n == (ssize_t)len && !(m.msg_flags & MSG_TRUNC) ? 0 : -EPIPE;
}

/* --- the broker's process --- */

static void place_name(const struct place *p, uint64_t number, char *name)
{
	if (number == 0)
		snprintf(name, NAME_SIZE, "%s", p->base);
	else
		snprintf(name, NAME_SIZE, "%s%llu", p->base,
			 (unsigned long long)number);
}

static int serve_make(struct place *p, uint64_t number)
{
	char name[NAME_SIZE];
	int fd;

	if (p->any && number <= p->last)
		return -EPERM;
	p->any = true;
	p->last = number;
	place_name(p, number, name);
	fd = folder_make(p->folder, name);
	if (fd >= 0)
		p->made[p->made_n++ % BROKER_KEPT] = number;
	return fd;
}

static int serve_remove(struct place *p, uint64_t number)
{
	uint64_t n = p->made_n < BROKER_KEPT ? p->made_n : BROKER_KEPT;
	char name[NAME_SIZE];

	for (uint64_t i = 0; i < n; i++) {
		if (p->made[i] != number)
			continue;
		place_name(p, number, name);
		/* Once: the name may be another file's afterwards. A number
		 * that is never asked for takes its place.
		 */
		p->made[i] = UINT64_MAX;
		return unlinkat(p->folder, name, 0) ? -errno : 0;
	}
	return -EPERM;
}

/* Until the other end is gone, or says what it never would. */
static void serve(int fd, struct place *place)
{
	struct request q;
	int32_t answer;

	while (message_take(fd, &q, sizeof(q), NULL) == 0) {
		if (q.which >= BROKER_PATHS || place[q.which].folder < 0 ||
		    q.number == UINT64_MAX)
			return;
		if (q.kind == REQUEST_MAKE)
			answer = serve_make(&place[q.which], q.number);
		else if (q.kind == REQUEST_REMOVE)
			answer = serve_remove(&place[q.which], q.number);
		else
			return;
		if (message_send(fd, &answer, sizeof(answer),
				 q.kind == REQUEST_MAKE ? answer : -1))
			return;
		if (q.kind == REQUEST_MAKE && answer >= 0)
			close(answer);
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

static int confine(int fd, const struct place *place, struct errbuf *e)
{
	struct sandbox s = { .needs = SANDBOX_BROKER | SANDBOX_MAKE,
			     .sink = -1,
			     .broker = fd };
	struct sandbox_place at[BROKER_PATHS];
	unsigned n = 0;
	int r = privileges_drop(NULL, e);

	for (unsigned i = 0; i < BROKER_PATHS; i++)
		if (place[i].folder >= 0)
			at[n++] =
				(struct sandbox_place){ place[i].folder, true };
	if (r == 0)
		r = sandbox_files(at, n, e);
	return r < 0 ? r : sandbox_calls(&s, e);
}

static void run(int fd, struct place *place)
{
	struct errbuf e = { "" };
	int keep[BROKER_PATHS + 1];
	int32_t ready;
	sigset_t all;
	unsigned n = 0;

	/* ^C is for the other: this one ends with it. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (unsigned i = 0; i < BROKER_PATHS; i++)
		if (place[i].folder >= 0)
			keep[n++] = place[i].folder;
	keep[n++] = fd; /* opened after them */
	close_others(keep, n);
	ready = confine(fd, place, &e);
	if (message_send(fd, &ready, sizeof(ready), -1) == 0 && ready == 0)
		serve(fd, place);
	_exit(0);
}

/* --- who uses it --- */

static int open_places(struct place *place, const char *const *path,
		       struct errbuf *e)
{
	for (unsigned i = 0; i < BROKER_PATHS; i++) {
		struct place *p = &place[i];

		if (path[i] == NULL)
			continue;
		p->folder = folder_open(path[i], &p->base);
		if (p->folder < 0)
			return errbuf_set(e, p->folder, "%s: %s", path[i],
					  strerror(-p->folder));
		if (strlen(p->base) > NAME_MAX)
			return errbuf_set(e, -ENAMETOOLONG, "%s: %s", path[i],
					  strerror(ENAMETOOLONG));
		p->made = calloc(BROKER_KEPT, sizeof(*p->made));
		if (p->made == NULL)
			return errbuf_set(e, -ENOMEM, "no memory");
	}
	return 0;
}

static void close_places(struct place *place)
{
	for (unsigned i = 0; i < BROKER_PATHS; i++) {
		if (place[i].folder >= 0)
			close(place[i].folder);
		free(place[i].made);
	}
}

static int start(struct broker *b, struct place *place, struct errbuf *e)
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
		run(pair[1], place);
	close(pair[1]);
	b->fd = pair[0];
	if (child > 0)
		(void)message_take(b->fd, &ready, sizeof(ready), NULL);
	else
		ready = -errno;
	if (ready != 0) {
		close(b->fd);
		return errbuf_set(e, ready,
				  "cannot keep a process that makes root's "
				  "files: %s",
				  strerror(-ready));
	}
	return 0;
}

int broker_start(struct broker **out, const char *const path[BROKER_PATHS],
		 struct errbuf *e)
{
	struct place place[BROKER_PATHS] = { { .folder = -1 },
					     { .folder = -1 } };
	struct broker *b = calloc(1, sizeof(*b));
	int r = b == NULL ? -ENOMEM : 0;

	if (r == 0)
		r = open_places(place, path, e);
	else
		errbuf_set(e, r, "no memory");
	if (r == 0)
		r = start(b, place, e);
	close_places(place);
	if (r != 0)
		free(b);
	else
		*out = b;
	return r;
}

int broker_fd(const struct broker *b)
{
	return b != NULL ? b->fd : -1;
}

static int ask(struct broker *b, enum request_kind kind, enum broker_path which,
	       uint64_t number, int *fd)
{
	struct request q = { .kind = kind, .which = which, .number = number };
	int32_t answer;
	int r = message_send(b->fd, &q, sizeof(q), -1);

	if (r == 0)
		r = message_take(b->fd, &answer, sizeof(answer), fd);
	return r != 0 ? r : answer;
}

int broker_make(struct broker *b, enum broker_path which, uint64_t number)
{
	int fd = -1;
	int r = ask(b, REQUEST_MAKE, which, number, &fd);

	/* The number in the answer is the descriptor's in the other process. */
	if (r >= 0 && fd < 0)
		r = -EPIPE;
	return r < 0 ? r : fd;
}

int broker_remove(struct broker *b, enum broker_path which, uint64_t number)
{
	return ask(b, REQUEST_REMOVE, which, number, NULL);
}

void broker_dismiss(struct broker *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}

void broker_stop(struct broker *b)
{
	if (b != NULL)
		broker_dismiss(b);
	free(b);
}
