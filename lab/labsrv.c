/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * labsrv - An HTTP/1.1 server that is slow or wrong on demand
 *
 *   labsrv -a ADDR -p PORT [-l LOG] [-d MS] [-s US] [-f]
 *
 * One thread, epoll, pipelining, request bodies by Content-Length. It reads a
 * request whole before it answers. What it answers stands in the request's
 * query: size=N (body length, 100), close=1 (close after the answer), and with
 * -f (only the system under test gets it) a planted fault:
 *
 *   fault=status|header|byte   500, another X-Lab header, body's last byte
 *   fault=cut                  half of the body, then close
 *   fault=missing              close without an answer
 *   fault=reset                RST instead of an answer
 *   fault=freeze               never an answer
 *   fault=swap                 this answer after that of the next request
 *
 * -d delays each answer; answers of one connection are delayed one after
 * another, as a server does that works on each for so long.
 *
 * -s makes it a server with one worker, which takes so long for each answer:
 * requests are served one at a time, in the order in which connections asked,
 * 1000000/US a second at most, whatever the processor does meanwhile.
 *
 * The log has one line an answer, in the order of answers, written at its end:
 * "connection number id status bytes seconds OK|CUT", like this lab's nginx.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX   8192
#define FDS_MAX	   20000
#define BODY_BLOCK 65536
#define ID_MAX	   64
#define FLUSH_MS   100

enum fault { NONE, STATUS, HEADER, BYTE, CUT, MISSING, RESET, FREEZE, SWAP };

static const char *const fault_name[] = { "",	   "status", "header",
					  "byte",  "cut",    "missing",
					  "reset", "freeze", "swap" };

struct answer {
	char head[256];
	size_t head_len, body_len, total, sent;
	char id[ID_MAX];
	int status;
	enum fault fault;
	uint64_t began; /* ms */
};

struct conn {
	int fd;
	unsigned long serial, requests;
	char in[HEAD_MAX];
	size_t in_len;
	size_t skip; /* bytes of the request's body still to come */
	bool have, busy, ended, last, has_held;
	uint64_t due; /* ms; answer not before this */
	bool turn;    /* the one worker has done it */
	struct answer out, held;
	struct conn *next, *prev; /* those that wait for their time */
	bool waiting;
};

static char pattern[BODY_BLOCK];
static struct conn *conns[FDS_MAX];
static struct conn waiting = { .next = &waiting, .prev = &waiting };
static unsigned long serial;
static unsigned delay_ms;
static uint64_t service_us; /* of the one worker; 0: there is none */
static uint64_t free_at;    /* us; when it is */
static uint64_t flushed;    /* ms */
static bool faults;
static FILE *logfile;
static int ep;
static volatile sig_atomic_t stop;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t now_ms(void)
{
	return now_us() / 1000;
}

static void on_stop(int sig)
{
	(void)sig;
	stop = 1;
}

static void wait_remove(struct conn *c)
{
	if (!c->waiting)
		return;
	c->prev->next = c->next;
	c->next->prev = c->prev;
	c->waiting = false;
}

static void wait_add(struct conn *c)
{
	uint64_t now = service_us ? now_us() : 0;

	wait_remove(c);
	if (waiting.next == &waiting && free_at < now)
		free_at = now;
	c->prev = waiting.prev;
	c->next = &waiting;
	c->prev->next = c;
	waiting.prev = c;
	c->waiting = true;
}

static void conn_close(struct conn *c, bool reset)
{
	struct linger l = { 1, 0 };

	if (reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	wait_remove(c);
	conns[c->fd] = NULL;
	close(c->fd);
	free(c);
}

static void log_answer(const struct conn *c, const struct answer *a)
{
	if (logfile)
		fprintf(logfile, "%lu %lu %s %d %zu %.3f %s\n", c->serial,
			c->requests, a->id[0] ? a->id : "-", a->status, a->sent,
			(double)(now_ms() - a->began) / 1e3,
			a->sent == a->total && a->fault != CUT ? "OK" : "CUT");
}

/* The value of @key in the query between @q and @end, or "" (in @buf). */
static const char *query(const char *q, const char *end, const char *key,
			 char *buf, size_t size)
{
	size_t len = strlen(key), n = 0;

	buf[0] = 0;
	while ((q = memmem(q, (size_t)(end - q), key, len))) {
		if ((q[-1] == '?' || q[-1] == '&') && q + len < end &&
		    q[len] == '=') {
			for (q += len + 1;
			     q < end && *q != '&' && *q != ' ' && n + 1 < size;
			     q++)
				buf[n++] = *q;
			buf[n] = 0;
			return buf;
		}
		q += len;
	}
	return buf;
}

/* Fills @c->out for the request whose head is @len bytes at @c->in. */
static void make_answer(struct conn *c, size_t len)
{
	struct answer *a = &c->out;
	const char *line_end = memchr(c->in, '\n', len);
	const char *cl = memmem(c->in, len, "\r\nContent-Length:", 17);
	char v[32];
	int n;

	memset(a, 0, sizeof(*a));
	query(c->in + 1, line_end, "id", a->id, sizeof(a->id));
	query(c->in + 1, line_end, "size", v, sizeof(v));
	a->body_len = v[0] ? strtoul(v, NULL, 10) : 100;
	query(c->in + 1, line_end, "fault", v, sizeof(v));
	for (unsigned i = 1; faults && i <= SWAP; i++) {
		if (!strcmp(v, fault_name[i]))
			a->fault = (enum fault)i;
	}
	c->last = query(c->in + 1, line_end, "close", v, sizeof(v))[0] ||
		  memmem(c->in, len, "\r\nConnection: close", 19);
	c->skip = cl ? strtoul(cl + 17, NULL, 10) : 0;
	a->status = a->fault == STATUS ? 500 : 200;
	n = snprintf(a->head, sizeof(a->head),
		     "HTTP/1.1 %d Lab\r\nContent-Length: %zu\r\n"
		     "X-Lab: %s\r\nConnection: %s\r\n\r\n",
		     a->status, a->body_len,
		     a->fault == HEADER ? "other" : "same",
		     c->last ? "close" : "keep-alive");
	a->head_len = (size_t)n;
	if (c->in[0] == 'H')
		a->body_len = 0;
	a->total = a->head_len + a->body_len;
	if (a->fault == CUT)
		a->total = a->head_len + a->body_len / 2;
	c->have = true;
	c->turn = !service_us;
	a->began = now_ms();
	c->due = a->began + delay_ms;
}

/* Sends what is left of @c->out. Returns 1 when done, 0 to wait, -1 on error. */
static int send_out(struct conn *c)
{
	struct answer *a = &c->out;

	while (a->sent < a->total) {
		const char *from = a->head + a->sent;
		char last = '!';
		size_t n = a->head_len - a->sent;
		ssize_t r;

		if (a->sent >= a->head_len) {
			size_t at = a->sent - a->head_len;

			from = pattern + at % BODY_BLOCK;
			n = BODY_BLOCK - at % BODY_BLOCK;
			if (n > a->total - a->sent)
				n = a->total - a->sent;
			if (a->fault == BYTE && n == a->total - a->sent) {
				n = n > 1 ? n - 1 : n;
				if (a->total - a->sent == 1)
					from = &last;
			}
		}
		r = send(c->fd, from, n,
			 MSG_NOSIGNAL |
				 (a->sent + n < a->total ? MSG_MORE : 0));
		if (r < 0)
			return errno == EAGAIN ? 0 : -1;
		a->sent += (size_t)r;
	}
	return 1;
}

/* Starts or goes on with the answer. Returns false if the connection is gone. */
static bool answer(struct conn *c)
{
	int done;

	if (c->out.fault == FREEZE || !c->turn || c->due > now_ms()) {
		if (!c->waiting)
			wait_add(c);
		return true;
	}
	wait_remove(c);
	if (c->out.fault == SWAP && !c->has_held) {
		c->held = c->out;
		c->held.fault = NONE;
		c->has_held = true;
		c->have = false;
		return true;
	}
	if (c->out.fault == MISSING || c->out.fault == RESET) {
		conn_close(c, c->out.fault == RESET);
		return false;
	}
	done = send_out(c);
	if (!done)
		return true;
	c->requests++;
	log_answer(c, &c->out);
	if (done > 0 && c->has_held) {
		c->out = c->held;
		c->has_held = false;
		return answer(c);
	}
	if (done < 0 || c->last || c->out.fault == CUT) {
		conn_close(c, false);
		return false;
	}
	c->have = false;
	return true;
}

/* Takes requests out of @c->in as far as possible. False: connection gone. */
static bool work(struct conn *c)
{
	for (;;) {
		size_t n = c->skip < c->in_len ? c->skip : c->in_len;
		char *end;

		if (n) {
			memmove(c->in, c->in + n, c->in_len - n);
			c->in_len -= n;
			c->skip -= n;
		}
		if (c->skip)
			return true;
		if (c->have) {
			if (!answer(c))
				return false;
			if (c->have)
				return true;
			continue;
		}
		end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
		if (!end)
			return true;
		n = (size_t)(end - c->in) + 4;
		make_answer(c, n);
		memmove(c->in, c->in + n, c->in_len - n);
		c->in_len -= n;
	}
}

static void conn_readable(struct conn *c)
{
	static char sink[1 << 18];

	for (;;) {
		bool body = c->skip > c->in_len;
		size_t room = body ? sizeof(sink) : sizeof(c->in) - c->in_len;
		ssize_t r;

		if (body && room > c->skip)
			room = c->skip;
		if (!room)
			return; /* pipelined more than fits: read on later */
		r = recv(c->fd, body ? sink : c->in + c->in_len, room, 0);
		if (r < 0 && errno == EAGAIN)
			return;
		if (r < 0) {
			conn_close(c, false);
			return;
		}
		if (r == 0) {
			c->ended = true;
			break;
		}
		if (body)
			c->skip -= (size_t)r;
		else
			c->in_len += (size_t)r;
		if (!work(c))
			return;
	}
	if (!c->have || c->skip)
		conn_close(c, false);
}

static void accept_all(int lfd)
{
	int one = 1;

	for (;;) {
		int fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT |
						    EPOLLET };
		struct conn *c;

		if (fd < 0)
			return;
		c = fd < FDS_MAX ? calloc(1, sizeof(*c)) : NULL;
		if (!c) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		c->fd = fd;
		c->serial = ++serial;
		conns[fd] = c;
		ev.data.fd = fd;
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	}
}

/* Answers whose time has come. The delay is constant: the list is in order. */
static void serve_due(void)
{
	uint64_t now = now_ms();
	struct conn *c = waiting.next;

	while (c != &waiting) {
		struct conn *next = c->next;

		if (c->out.fault != FREEZE) {
			if (c->due > now)
				return;
			wait_remove(c);
			if (work(c))
				conn_readable(c);
			/* conn_readable() may have ended others' neighbours. */
			next = waiting.next;
		}
		c = next;
	}
}

/* The one worker does what it can until now. */
static void serve_one(void)
{
	uint64_t now = now_us();
	struct conn *c;

	while ((c = waiting.next) != &waiting && free_at + service_us <= now) {
		free_at += service_us;
		wait_remove(c);
		c->turn = true;
		if (work(c))
			conn_readable(c);
	}
}

/* us until something is due */
static uint64_t next_wait(void)
{
	uint64_t now = service_us ? now_us() : now_ms();

	if (service_us && waiting.next != &waiting)
		return free_at + service_us > now ? free_at + service_us - now
						  : 0;
	for (struct conn *c = waiting.next; c != &waiting; c = c->next) {
		if (c->out.fault != FREEZE && !service_us)
			return c->due > now ? (c->due - now) * 1000 : 0;
	}
	return FLUSH_MS * 1000;
}

/* Who reads the log while we run sees what is older than FLUSH_MS. */
static void flush_log(void)
{
	uint64_t now = now_ms();

	if (!logfile || now - flushed < FLUSH_MS)
		return;
	fflush(logfile);
	flushed = now;
}

static int listen_at(const char *addr, const char *port)
{
	struct addrinfo hint = { .ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICHOST | AI_PASSIVE };
	struct addrinfo *ai;
	int fd, one = 1;

	if (getaddrinfo(addr, port, &hint, &ai))
		return -1;
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd >= 0 &&
	    (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	     bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 4096))) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(ai);
	return fd;
}

static void serve(int lfd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = lfd };
	struct epoll_event got[256];

	ep = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(ep, EPOLL_CTL_ADD, lfd, &ev);
	while (!stop) {
		uint64_t us = next_wait();
		struct timespec t = { (time_t)(us / 1000000),
				      (long)(us % 1000000 * 1000) };
		int n = epoll_pwait2(ep, got, 256, &t, NULL);

		for (int i = 0; i < n; i++) {
			struct conn *c = conns[got[i].data.fd];

			if (got[i].data.fd == lfd)
				accept_all(lfd);
			else if (c && work(c))
				conn_readable(c);
		}
		if (service_us)
			serve_one();
		else
			serve_due();
		flush_log();
	}
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_stop };
	const char *addr = "127.0.0.1", *port = "8080";
	int opt, fd;

	while ((opt = getopt(argc, argv, "a:p:l:d:s:f")) != -1) {
		if (opt == 'a')
			addr = optarg;
		else if (opt == 'p')
			port = optarg;
		else if (opt == 'l')
			logfile = fopen(optarg, "w");
		else if (opt == 'd')
			delay_ms = (unsigned)strtoul(optarg, NULL, 10);
		else if (opt == 's')
			service_us = strtoul(optarg, NULL, 10);
		else if (opt == 'f')
			faults = true;
		else
			return 2;
	}
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)('a' + i % 23);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	fd = listen_at(addr, port);
	if (fd < 0) {
		fprintf(stderr, "labsrv: cannot listen at %s port %s: %s\n",
			addr, port, strerror(errno));
		return 2;
	}
	serve(fd);
	if (logfile)
		fclose(logfile);
	return 0;
}
