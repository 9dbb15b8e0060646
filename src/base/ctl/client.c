/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client.c - understudy ctl: one request, and its answer
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/request.h"

#define BUFFER 65536

_Static_assert(sizeof(((struct ctl_options *)NULL)->request) == CTL_LINE,
	       "a request has room");

static const struct opt_row rows[] = {
	{ "help", 'h', &opt_kind_help, 0, NULL, "this text",
	  .group = "Options" },
};

static int operand(void *base, const char *word, struct errbuf *e)
{
	struct ctl_options *o = base;
	size_t n = strlen(o->request);

	if (!o->path) {
		o->path = word;
		return 0;
	}
	/* A blank, the word, a newline and the end. */
	if (n + strlen(word) + 3 > sizeof(o->request))
		return errbuf_set(e, -EINVAL,
				  "that request is too long; it may have %d "
				  "characters",
				  CTL_LINE - 2);
	if (n > 0)
		o->request[n++] = ' ';
	memcpy(o->request + n, word, strlen(word) + 1);
	return 0;
}

static const struct opt_table tables[] = {
	{ rows, sizeof(rows) / sizeof(rows[0]), 0 },
};

const struct opt_command ctl_command = {
	.name = "ctl",
	.usage = "ctl PATH get [NAME]\n"
		 "ctl PATH set NAME VALUE\n"
		 "ctl PATH show [json | prometheus]\n"
		 "ctl PATH watch\n"
		 "ctl PATH REQUEST [WORD...]",
	.about = "Asks and tells the process whose --ctl is PATH: its options, "
		 "its counters, and what happens to it; and for what it alone "
		 "knows (a proxy: list, kill, drain, ready, reload).",
	.tables = tables,
	.count = sizeof(tables) / sizeof(tables[0]),
	.operand = operand,
};

int ctl_options_parse(struct ctl_options *o, int argc, char **argv,
		      struct errbuf *e)
{
	int rc;

	*o = (struct ctl_options){ .path = NULL };
	rc = opt_parse(&ctl_command, o, argc, argv, NULL, e);
	if (rc == 0 && !o->path)
		return errbuf_set(e, -EINVAL,
				  "whom to ask? write 'understudy ctl PATH "
				  "show', with the path of its --ctl");
	if (rc == 0 && o->request[0] == '\0')
		return errbuf_set(
			e, -EINVAL,
			"what to ask? write get, set, show or watch behind the "
			"path, or a request of its own");
	if (rc == 0 && strchr(o->request, '\n'))
		return errbuf_set(e, -EINVAL, "a request is one line");
	return rc;
}

/* Only root, or we ourselves, may tell us anything; but root asks anybody. */
static int check_server(int fd, const char *path, struct errbuf *e)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
	    (peer.uid == 0 || peer.uid == geteuid() || geteuid() == 0))
		return 0;
	return errbuf_set(e, -EPERM,
			  "%s: is another user's; become that user, or root",
			  path);
}

static int connect_to(const char *path, struct errbuf *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, rc = 0;

	if (strlen(path) >= sizeof(a.sun_path))
		return errbuf_set(e, -ENAMETOOLONG, "%s: is too long a path",
				  path);
	memcpy(a.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const void *)&a, sizeof(a)) != 0)
		rc = -errno;
	if (rc != 0)
		errbuf_set(e, rc, "%s: %s; %s", path, strerror(-rc),
			   rc == -EACCES ? "start this as root, or as who "
					   "started the process"
					 : "is the process there, and is that "
					   "the path of its --ctl?");
	else
		rc = check_server(fd, path, e);
	if (rc != 0 && fd >= 0)
		close(fd);
	return rc == 0 ? fd : rc;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno != EINTR)
			return -errno;
		if (k > 0) {
			p += k;
			n -= (size_t)k;
		}
	}
	return 0;
}

/* Bytes up to the first newline, which is left out. Return: 0 or -Exxx */
static int read_line(int fd, char *line, size_t size)
{
	for (size_t n = 0; n < size; n++) {
		ssize_t k = read(fd, line + n, 1);

		if (k < 0 && errno == EINTR) {
			n--;
			continue;
		}
		if (k <= 0)
			return k < 0 ? -errno : -EPIPE;
		if (line[n] == '\n') {
			line[n] = '\0';
			return 0;
		}
	}
	return -EBADMSG;
}

/* Who answers may be less than who asks: nothing of it steers a terminal. */
static void make_text(char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((b[i] < ' ' || b[i] > '~') && b[i] != '\n')
			b[i] = '?';
}

/* Print @left bytes, or all until it is closed. */
static int copy(int fd, uint64_t left)
{
	static char buf[BUFFER];

	while (left > 0) {
		ssize_t n =
			read(fd, buf, left < sizeof(buf) ? left : sizeof(buf));
		int rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return left == UINT64_MAX ? 0 : -EPIPE;
		make_text(buf, (size_t)n);
		rc = write_all(STDOUT_FILENO, buf, (size_t)n);
		if (rc != 0)
			return rc;
		left -= left == UINT64_MAX ? 0 : (uint64_t)n;
	}
	return 0;
}

static int talk(int fd, const struct ctl_options *o, struct errbuf *e)
{
	char line[CTL_LINE + sizeof(struct errbuf)];
	size_t n = strlen(o->request);
	uint64_t size;
	int rc = 0;

	memcpy(line, o->request, n);
	line[n] = '\n';
	/* A line is taken at once, or the other side is gone. */
	if (send(fd, line, n + 1, MSG_NOSIGNAL) != (ssize_t)n + 1)
		rc = -EPIPE;
	if (rc == 0)
		rc = read_line(fd, line, sizeof(line));
	if (rc != 0)
		return errbuf_set(e, rc,
				  "%s: was closed before it answered; it takes "
				  "%d clients at a time, of its own user",
				  o->path, CTL_CLIENTS);
	make_text(line, strlen(line));
	if (strncmp(line, "error ", 6) == 0) {
		errbuf_set(e, -EINVAL, "%s", line + 6);
		return 1;
	}
	if (strcmp(line, "events") == 0) {
		size = UINT64_MAX;
	} else if (strncmp(line, "ok ", 3) == 0) {
		size = strtoull(line + 3, NULL, 10);
	} else {
		return errbuf_set(e, -EBADMSG,
				  "%s: who listens there speaks otherwise; "
				  "is it an understudy's?",
				  o->path);
	}
	rc = copy(fd, size);
	return rc == 0 ? 0
		       : errbuf_set(e, rc, "%s: the answer broke off: %s",
				    o->path, strerror(-rc));
}

int ctl_ask(const struct ctl_options *o, struct errbuf *e)
{
	int fd = connect_to(o->path, e);
	int rc;

	if (fd < 0)
		return fd;
	rc = talk(fd, o, e);
	close(fd);
	return rc;
}
