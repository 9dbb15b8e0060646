/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_conns.c - Connections at a rate, or many at once
 *
 *	bench_conns rate ADDR PORT RATE SECS [SOURCE...]
 *	bench_conns hold ADDR PORT COUNT [SOURCE...]
 *	bench_conns socks ADDR PORT CONNS SECS TO TOPORT
 *
 * rate: opens RATE connections a second whatever becomes of them, each of which asks for
 * /k and reads to its end; prints how many were opened, were answered whole, were refused
 * or reset, had not ended WAIT behind the last one, and the p50 and p99 from connect() to
 * the last byte, us; and how many were late: opened 10 ms or more after their time.
 *
 * hold: opens COUNT connections, each of which has /k once and stays; says "held N", and
 * goes on until its input ends.
 *
 * socks: for SECS, CONNS connections at a time through a server of SOCKS 5, each of which
 * asks TO for /k, reads to its end, and is followed by another; prints what rate does.
 *
 * SOURCES take turns; a source has as many connections to one address as it has ports.
 * IPv4. One thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SLOTS	   131072u /* connections at once */
#define EVENTS	   256
#define HOLD_BURST 64u /* that open at once */
#define SOURCES	   16
#define WAIT	   2000000u /* us */
#define MOST	   1000000u /* connections of `socks` */

static const char ONCE[] =
	"GET /k HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n";
static const char STAYS[] = "GET /k HTTP/1.1\r\nHost: b\r\n\r\n";

struct conn {
	int fd; /* -1: free */
	bool asked;
	uint8_t step; /* of what is said to a server of SOCKS */
	uint32_t got;
	uint64_t began;
};

static struct {
	int epoll;
	bool stays;
	bool socks;
	uint8_t wish[10]; /* CONNECT, RFC 1928 section 4 */
	struct sockaddr_in to, from[SOURCES];
	unsigned sources;
	struct conn *conn;
	uint32_t *free, n_free;
	uint32_t open;
	uint64_t begun, done, refused, failed, late;
	uint32_t *took; /* us */
} b;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void end(struct conn *c, bool good)
{
	if (good)
		b.took[b.done++] = (uint32_t)(now_us() - c->began);
	close(c->fd);
	c->fd = -1;
	b.free[b.n_free++] = (uint32_t)(c - b.conn);
	b.open--;
}

static void failed(struct conn *c, int error)
{
	if (error == ECONNREFUSED || error == ECONNRESET)
		b.refused++;
	else
		b.failed++;
	end(c, false);
}

static void begin(void)
{
	struct sockaddr_in *from = &b.from[b.begun % (b.sources + !b.sources)];
	struct epoll_event e = { .events = EPOLLOUT | EPOLLIN | EPOLLET };
	struct conn *c;
	int on = 1;

	b.begun++;
	if (b.n_free == 0) {
		b.failed++;
		return;
	}
	c = &b.conn[b.free[--b.n_free]];
	*c = (struct conn){ .began = now_us() };
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		die("socket");
	b.open++;
	e.data.ptr = c;
	setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (b.sources > 0 &&
	    bind(c->fd, (struct sockaddr *)from, sizeof(*from)) != 0)
		die("bind");
	if (connect(c->fd, (struct sockaddr *)&b.to, sizeof(b.to)) != 0 &&
	    errno != EINPROGRESS) {
		failed(c, errno);
		return;
	}
	if (epoll_ctl(b.epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
		die("epoll");
}

/* What is said to a server of SOCKS, one message after the other. Return: 1: all of it;
 * 0: not yet; -1: it does not want to
 */
static int greet(struct conn *c)
{
	static const uint8_t hello[] = { 5, 1, 0 };
	uint8_t r[10];
	ssize_t n;

	if (c->step == 0)
		n = send(c->fd, hello, sizeof(hello), MSG_NOSIGNAL);
	else
		n = recv(c->fd, r, c->step == 1 ? 2 : sizeof(r), 0);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	if (c->step == 0)
		return ++c->step == 1 ? 0 : -1;
	if (n != (c->step == 1 ? 2 : 10) || r[1] != 0)
		return -1;
	if (c->step++ == 2)
		return 1;
	return send(c->fd, b.wish, sizeof(b.wish), MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* The answer of one that stays is whole when nothing more comes: a head and 1 KB. */
static void turn(struct conn *c)
{
	const char *text = b.stays ? STAYS : ONCE;
	size_t len = b.stays ? sizeof(STAYS) - 1 : sizeof(ONCE) - 1;
	static char buf[65536];
	socklen_t n = sizeof(int);
	int error = 0;
	ssize_t got;

	if (!c->asked) {
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n);
		if (error == 0 && b.socks && c->step < 3) {
			int rc = greet(c);

			if (rc < 0)
				failed(c, ECONNRESET);
			if (rc <= 0)
				return;
		}
		if (error == 0 &&
		    send(c->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
			error = errno == EAGAIN ? 0 : errno;
		else if (error == 0)
			c->asked = true;
		if (error != 0)
			failed(c, error);
		return;
	}
	while ((got = recv(c->fd, buf, sizeof(buf), 0)) > 0) {
		if (c->got == 0 && b.stays)
			b.done++;
		c->got += (uint32_t)got;
	}
	if (got == 0)
		end(c, c->got > 1024 && !b.stays);
	else if (errno != EAGAIN)
		failed(c, errno);
}

static void events(int ms)
{
	struct epoll_event e[EVENTS];
	int n = epoll_wait(b.epoll, e, EVENTS, ms);

	for (int i = 0; i < n; i++) {
		struct conn *c = e[i].data.ptr;

		if (c->fd >= 0)
			turn(c);
	}
}

static int by_size(const void *x, const void *y)
{
	uint32_t v = *(const uint32_t *)x, w = *(const uint32_t *)y;

	return v < w ? -1 : v > w;
}

static void print(void)
{
	qsort(b.took, b.done, sizeof(*b.took), by_size);
	printf("begun %llu done %llu refused %llu failed %llu open %u late "
	       "%llu "
	       "p50 %u p99 %u\n",
	       (unsigned long long)b.begun, (unsigned long long)b.done,
	       (unsigned long long)b.refused, (unsigned long long)b.failed,
	       b.open, (unsigned long long)b.late,
	       b.done > 0 ? b.took[b.done / 2] : 0,
	       b.done > 0 ? b.took[b.done * 99 / 100] : 0);
}

static void at_once(unsigned conns, unsigned secs)
{
	uint64_t end = now_us() + secs * 1000000ull;

	while (now_us() < end && b.done < MOST) {
		while (b.open < conns && b.refused + b.failed < MOST)
			begin();
		events(1);
	}
	print();
}

static void at_rate(unsigned rate, unsigned secs)
{
	uint64_t from = now_us(), last = (uint64_t)rate * secs;

	while (b.begun < last) {
		uint64_t t = now_us() - from;

		while (b.begun < last && b.begun * 1000000 / rate <= t) {
			b.late += t - b.begun * 1000000 / rate >= 10000;
			begin();
		}
		events(1);
	}
	from = now_us();
	while (b.open > 0 && now_us() - from < WAIT)
		events(1);
	print();
}

static void hold(uint64_t count)
{
	uint64_t from = now_us();
	char c;

	while (b.done + b.refused + b.failed < count &&
	       now_us() - from < 120000000) {
		while (b.begun < count &&
		       b.begun - b.done - b.refused - b.failed < HOLD_BURST)
			begin();
		events(1);
	}
	printf("held %u refused %llu failed %llu\n", b.open,
	       (unsigned long long)b.refused, (unsigned long long)b.failed);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
}

static void address(const char *text, uint16_t port, struct sockaddr_in *a)
{
	*a = (struct sockaddr_in){ .sin_family = AF_INET,
				   .sin_port = htons(port) };
	if (inet_pton(AF_INET, text, &a->sin_addr) != 1)
		die(text);
}

static void wish(const char *text, uint16_t port)
{
	struct sockaddr_in a;

	address(text, port, &a);
	memcpy(b.wish, (uint8_t[]){ 5, 1, 0, 1 }, 4);
	memcpy(b.wish + 4, &a.sin_addr, 4);
	memcpy(b.wish + 8, &a.sin_port, 2);
}

int main(int argc, char **argv)
{
	struct rlimit r;
	int first;

	if (argc < 5)
		return 2;
	b.stays = strcmp(argv[1], "hold") == 0;
	b.socks = strcmp(argv[1], "socks") == 0;
	first = b.stays ? 5 : b.socks ? 8 : 6;
	if (argc < first)
		return 2;
	address(argv[2], (uint16_t)atoi(argv[3]), &b.to);
	if (b.socks)
		wish(argv[6], (uint16_t)atoi(argv[7]));
	for (int i = first; i < argc && b.sources < SOURCES; i++)
		address(argv[i], 0, &b.from[b.sources++]);
	/* More than that takes a right that root may not have. */
	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		die("descriptors");
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		die("descriptors");
	b.epoll = epoll_create1(0);
	b.conn = calloc(SLOTS, sizeof(*b.conn));
	b.free = calloc(SLOTS, sizeof(*b.free));
	b.took = calloc(b.socks ? MOST + SLOTS
				: (size_t)atoi(argv[4]) *
					  (b.stays ? 1 : (size_t)atoi(argv[5])),
			sizeof(*b.took));
	if (b.epoll < 0 || b.conn == NULL || b.free == NULL || b.took == NULL)
		die("memory");
	for (uint32_t i = 0; i < SLOTS; i++) {
		b.conn[i].fd = -1;
		b.free[b.n_free++] = i;
	}
	if (b.stays)
		hold((uint64_t)atoi(argv[4]));
	else if (b.socks)
		at_once((unsigned)atoi(argv[4]), (unsigned)atoi(argv[5]));
	else
		at_rate((unsigned)atoi(argv[4]), (unsigned)atoi(argv[5]));
	return 0;
}
