/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_carry.c - Unit test of proxy/carry: bytes from one socket to another
 *
 * Between sockets of AF_UNIX.
 */
#include "carry/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "core/rng.h"

#define SIZE (3u << 20)

/* A client and a server, and what is between them. */
struct line {
	int client, server;
	struct carry k;
	uint8_t *buf;
};

static int descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void begin(struct line *l, bool pipes)
{
	int c[2], s[2];
	int kind = SOCK_STREAM | SOCK_NONBLOCK;

	CHECK(socketpair(AF_UNIX, kind, 0, c) == 0);
	CHECK(socketpair(AF_UNIX, kind, 0, s) == 0);
	l->client = c[0];
	l->server = s[0];
	l->buf = malloc(DIR_COUNT * CARRY_BUFFER);
	CHECK(carry_begin(&l->k, (int[]){ c[1], s[1] }, l->buf, pipes));
}

static void finish(struct line *l)
{
	carry_end(&l->k);
	close(l->client);
	close(l->server);
	close(l->k.fd[DIR_C2S]);
	close(l->k.fd[DIR_S2C]);
	free(l->buf);
}

static uint8_t byte_at(int who, uint32_t i)
{
	return (uint8_t)((i * 2654435761u) >> 13 ^ (uint32_t)who);
}

struct end {
	int fd, who;
	uint32_t sent, got, to_send;
	bool shut, eof;
};

/* A piece at a time, of any length. */
static void turn(struct end *e, struct rng *r)
{
	static uint8_t b[70000];
	uint32_t most = 1 + rng_below(r, sizeof(b));
	uint32_t n = e->to_send - e->sent < most ? e->to_send - e->sent : most;
	ssize_t k;

	for (uint32_t i = 0; i < n; i++)
		b[i] = byte_at(e->who, e->sent + i);
	k = n > 0 ? send(e->fd, b, n, MSG_DONTWAIT) : 0;
	if (k > 0)
		e->sent += (uint32_t)k;
	if (e->sent == e->to_send && !e->shut) {
		e->shut = true;
		CHECK(shutdown(e->fd, SHUT_WR) == 0);
	}
	k = recv(e->fd, b, 1 + rng_below(r, sizeof(b)), MSG_DONTWAIT);
	for (ssize_t i = 0; i < k; i++)
		if (b[i] != byte_at(!e->who, e->got + (uint32_t)i)) {
			printf("Bail out! another byte\n");
			exit(1);
		}
	e->eof |= k == 0;
	if (k > 0)
		e->got += (uint32_t)k;
}

static void both_ways(bool pipes, uint32_t c2s, uint32_t s2c, struct carry *k)
{
	struct line l = { .k = *k };
	struct rng r = { c2s + pipes };
	struct end c, s;
	bool moved;
	int rc = 0;

	begin(&l, pipes);
	c = (struct end){ l.client, 0, .to_send = c2s };
	s = (struct end){ l.server, 1, .to_send = s2c };
	while (rc >= 0 && !(c.eof && s.eof)) {
		turn(&c, &r);
		turn(&s, &r);
		if (rc != CARRY_DONE)
			rc = carry_run(&l.k, &moved);
	}
	CHECK(rc == CARRY_DONE && c.got == s2c && s.got == c2s);
	CHECK(l.k.way[DIR_C2S].sent == c2s && l.k.way[DIR_S2C].sent == s2c);
	CHECK(carry_half_closed(&l.k));
	finish(&l);
	*k = l.k;
}

static void all_bytes_both_ways(void)
{
	static const uint32_t size[] = { 0, 1, 1024, SIZE };
	struct carry k;

	carry_init(&k);
	for (int pipes = 0; pipes < 2; pipes++)
		for (int i = 0; i < 4; i++)
			both_ways(pipes, size[i], size[3 - i], &k);
	carry_close(&k);
}

static void an_empty_pipe_is_used_again(void)
{
	struct carry k;
	int was, pipe;

	carry_init(&k);
	was = descriptors();
	both_ways(true, 1000, 1000, &k);
	pipe = k.way[DIR_C2S].pipe[0];
	CHECK(pipe >= 0 && descriptors() == was + 4);
	both_ways(true, 1000, 1000, &k);
	CHECK(k.way[DIR_C2S].pipe[0] == pipe && descriptors() == was + 4);
	both_ways(false, 1000, 1000, &k);
	CHECK(descriptors() == was);
	carry_close(&k);
}

/* The server reads nothing: the pipe stays full. */
static void a_pipe_with_bytes_is_not(void)
{
	static uint8_t b[1 << 20];
	struct line l;
	bool moved;
	int was;

	carry_init(&l.k);
	was = descriptors();
	begin(&l, true);
	do {
		CHECK(carry_run(&l.k, &moved) >= 0);
	} while (send(l.client, b, sizeof(b), MSG_DONTWAIT) > 0 || moved);
	CHECK(l.k.way[DIR_C2S].len > 0);
	finish(&l);
	CHECK(l.k.way[DIR_C2S].pipe[0] == -1);
	CHECK(l.k.way[DIR_S2C].pipe[0] >= 0);
	CHECK(descriptors() == was + 2);
	both_ways(true, 5000, 5000, &l.k);
	carry_close(&l.k);
	CHECK(descriptors() == was);
}

static void who_does_not_read_stops_his_sender(void)
{
	static uint8_t b[1 << 20];

	for (int pipes = 0; pipes < 2; pipes++) {
		struct line l;
		size_t all = 0;
		bool moved;
		ssize_t n;

		carry_init(&l.k);
		begin(&l, pipes);
		do {
			n = send(l.client, b, sizeof(b), MSG_DONTWAIT);
			all += n > 0 ? (size_t)n : 0;
			CHECK(carry_run(&l.k, &moved) >= 0);
		} while (n > 0 || moved);
		CHECK(all < 4 * sizeof(b));
		CHECK(carry_run(&l.k, &moved) == CARRY_WAIT && !moved);
		finish(&l);
		carry_close(&l.k);
	}
}

static void an_end_that_is_gone_is_an_error(void)
{
	for (int pipes = 0; pipes < 2; pipes++) {
		struct line l;
		bool moved;

		signal(SIGPIPE, SIG_IGN);
		carry_init(&l.k);
		begin(&l, pipes);
		CHECK(send(l.client, "x", 1, 0) == 1);
		close(l.server);
		l.server = -1;
		CHECK(carry_run(&l.k, &moved) == -EPIPE);
		finish(&l);
		carry_close(&l.k);
	}
}

/* One is there, and not the other one. */
static void without_a_pipe_it_goes_by_the_buffer(void)
{
	struct rlimit few, was;
	struct line l;
	int s[2];

	carry_init(&l.k);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &was) == 0);
	few = was;
	few.rlim_cur = (rlim_t)s[1] + 3;
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	l.buf = malloc(DIR_COUNT * CARRY_BUFFER);
	CHECK(!carry_begin(&l.k, s, l.buf, true));
	CHECK(setrlimit(RLIMIT_NOFILE, &was) == 0);
	CHECK(l.k.way[DIR_C2S].pipe[0] == -1 && l.k.way[DIR_S2C].pipe[0] == -1);
	free(l.buf);
	close(s[0]);
	close(s[1]);
	both_ways(true, 5000, 5000, &l.k);
	CHECK(l.k.way[DIR_C2S].pipe[0] >= 0);
	carry_close(&l.k);
}

static const struct check_test tests[] = {
	{ "all bytes both ways", all_bytes_both_ways },
	{ "an empty pipe is used again", an_empty_pipe_is_used_again },
	{ "a pipe with bytes is not", a_pipe_with_bytes_is_not },
	{ "who does not read stops his sender",
	  who_does_not_read_stops_his_sender },
	{ "an end that is gone is an error", an_end_that_is_gone_is_an_error },
	{ "without a pipe it goes by the buffer",
	  without_a_pipe_it_goes_by_the_buffer },
};

int main(void)
{
	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
