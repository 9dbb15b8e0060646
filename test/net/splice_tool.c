/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * splice_tool.c - The smallest proxy that splices, for tests
 *
 *	splice_tool PORT SERVER_ADDR SERVER_PORT best|tcx|clsact [PIN]
 *
 * Takes connections at PORT: reads a line of the client, connects to the server, splices,
 * writes "ok\n" to the client, and closes its descriptors. PIN: a folder of a bpffs; pairs
 * that lie there are taken over. Prints "ready" when it listens, a line for each pair that
 * is spliced or is not ("pair: "), one for all else that happens ("event: "), one
 * when pairs have moved or programs were attached again, and with SIGTERM its counters
 * (= NAME N).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "join/usplice.h"

static const char OK[] = "ok\n";
static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static bool is6(const char *addr)
{
	return strchr(addr, ':') != NULL;
}

static socklen_t address(const char *addr, const char *port,
			 struct sockaddr_storage *s)
{
	struct sockaddr_in *a = (struct sockaddr_in *)s;
	struct sockaddr_in6 *b = (struct sockaddr_in6 *)s;

	memset(s, 0, sizeof(*s));
	if (is6(addr)) {
		b->sin6_family = AF_INET6;
		b->sin6_port = htons((uint16_t)atoi(port));
		if (inet_pton(AF_INET6, addr, &b->sin6_addr) != 1)
			die(addr);
		return sizeof(*b);
	}
	a->sin_family = AF_INET;
	a->sin_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET, addr, &a->sin_addr) != 1)
		die(addr);
	return sizeof(*a);
}

static bool read_line(int c)
{
	char b;

	do {
		if (recv(c, &b, 1, 0) != 1)
			return false;
	} while (b != '\n');
	return true;
}

/* Return: 0 or what did not go */
static int splice_them(struct usplice *u, int c, int s,
		       const struct sockaddr_storage *to, socklen_t n)
{
	struct usplice_pair *p;
	ssize_t n_written;
	int rc = usplice_intend(u, c, s, (const struct sockaddr *)to, n, NULL,
				&p);

	if (rc != 0)
		return rc;
	if (connect(s, (const struct sockaddr *)to, n) != 0)
		rc = -errno;
	if (rc == 0)
		rc = usplice_splice(p, sizeof(OK) - 1);
	if (rc != 0) {
		usplice_end(p);
		return rc;
	}
	if (usplice_write(p, OK, sizeof(OK)) != -EMSGSIZE)
		die("write");
	n_written = usplice_write(p, OK, sizeof(OK) - 1);
	if (n_written == sizeof(OK) - 1)
		return 0;
	/* A client may be gone at once. */
	if (n_written != -EPIPE && n_written != -ECONNRESET)
		die("write");
	usplice_end(p);
	return (int)n_written;
}

static void serve(struct usplice *u, int c, const struct sockaddr_storage *to,
		  socklen_t n)
{
	int s = socket(to->ss_family, SOCK_STREAM, 0);
	int rc;

	if (s < 0)
		die("socket");
	if (read_line(c)) {
		rc = splice_them(u, c, s, to, n);
		if (rc != 0)
			printf("pair: not spliced: %s\n", strerror(-rc));
	}
	close(s);
	close(c);
}

/* What no event tells. */
static void tell_counters(struct usplice *u)
{
	static struct usplice_counters was;
	struct usplice_counters c;

	if (usplice_counters(u, &c) != 0)
		die("counters");
	if (c.moved != was.moved)
		printf("moved: %llu\n", (unsigned long long)c.moved);
	if (c.mended != was.mended)
		printf("mended: %llu\n", (unsigned long long)c.mended);
	was = c;
}

static void tell(struct usplice *u)
{
	static const char *const events[] = { "spliced", "fin",	     "reset",
					      "revived", "timewait", "over" };
	struct usplice_note n;

	while (usplice_next(u, &n) == 1) {
		if (n.what == USPLICE_SPLICED)
			printf("pair: spliced\n");
		else
			printf("event: %s %d\n", events[n.what],
			       n.what == USPLICE_OVER ? (int)n.reason
						      : (int)n.dir);
	}
	tell_counters(u);
	fflush(stdout);
}

static void counters(struct usplice *u)
{
	struct usplice_counters c;
	uint64_t over = 0;

	if (usplice_counters(u, &c) != 0)
		die("counters");
	for (int i = 0; i < USPLICE_REASONS; i++)
		over += c.over[i];
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {
		{ "spliced", c.spliced },
		{ "adopted", c.adopted },
		{ "over", over },
		{ "live", c.live },
		{ "done", c.over[USPLICE_DONE] },
		{ "relayed", c.relayed },
		{ "to_stack", c.to_stack },
		{ "dropped", c.dropped },
		{ "too_long", c.too_long },
		{ "challenged", c.challenged },
		{ "failed", c.failed },
		{ "errors", c.errors },
		{ "missed", c.missed },
		{ "moved", c.moved },
		{ "astray", c.astray },
		{ "mended", c.mended },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("= %s %llu\n", rows[i].name,
		       (unsigned long long)rows[i].n);
	fflush(stdout);
}

static int listen_at(struct usplice *u, bool six, const char *port)
{
	struct sockaddr_storage a;
	socklen_t n = address(six ? "::" : "0.0.0.0", port, &a);
	int fd = socket(a.ss_family, SOCK_STREAM, 0);
	int one = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (usplice_init(u, fd) != 0 ||
	    bind(fd, (struct sockaddr *)&a, n) != 0 || listen(fd, 1024) != 0)
		die("listen");
	return fd;
}

static void take_over(struct usplice *u)
{
	struct usplice_pair *p;

	while (usplice_adopt(u, &p) == 1)
		printf("event: adopted 0\n");
}

int main(int argc, char **argv)
{
	struct usplice_options o = { .pairs = 4096 };
	struct sigaction sa = { .sa_handler = on_term };
	struct sockaddr_storage to;
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	struct usplice *u;
	char err[200];
	socklen_t n;

	if (argc < 5)
		return 2;
	o.flags = strcmp(argv[4], "tcx") == 0	   ? USPLICE_TCX
		  : strcmp(argv[4], "clsact") == 0 ? USPLICE_CLSACT
						   : 0;
	o.pin = argv[5];
	n = address(argv[2], argv[3], &to);
	sigaction(SIGTERM, &sa, NULL);
	if (usplice_open(&u, &o, err, sizeof(err)) != 0) {
		printf("%s\n", err);
		return 1;
	}
	take_over(u);
	p[0].fd = listen_at(u, is6(argv[2]), argv[1]);
	p[1].fd = usplice_fd(u);
	printf("ready\n");
	fflush(stdout);
	while (!stop) {
		poll(p, 2, -1);
		if (p[1].revents != 0)
			tell(u);
		if ((p[0].revents & POLLIN) != 0)
			serve(u, accept(p[0].fd, NULL, NULL), &to, n);
	}
	tell(u);
	counters(u);
	usplice_close(u);
	return 0;
}
