/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_loop.c - Unit test of os/loop
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/signals.h"

#define MS UINT64_C(1000000)

/* struct seen - What a watch was told; @drop and @add: done in the callback */
struct seen {
	struct loop *l;
	struct loop_watch w;
	unsigned times;
	uint64_t now;
	bool takes; /* what there is to read */
	struct seen *drop;
	struct seen *add;
	bool ends;
};

static void on_ready(void *ctx, uint64_t now)
{
	struct seen *s = ctx;
	char c;

	s->times++;
	s->now = now;
	if (s->takes)
		CHECK(read(s->w.fd, &c, 1) == 1);
	if (s->drop != NULL)
		loop_drop(s->l, &s->drop->w);
	if (s->add != NULL)
		CHECK(loop_add(s->l, &s->add->w, s->add->w.fd) == 0);
	if (s->ends)
		loop_end(s->l);
}

static void init(struct seen *s, struct loop *l)
{
	*s = (struct seen){ .l = l, .w = { .ready = on_ready, .ctx = s } };
}

static void test_reading(void)
{
	struct loop *l = NULL;
	struct seen s;
	int p[2];

	CHECK(loop_open(&l) == 0 && pipe(p) == 0);
	init(&s, l);
	CHECK(loop_add(l, &s.w, p[0]) == 0);
	CHECK(loop_add(l, &s.w, p[0]) == -EEXIST);
	CHECK(loop_wait(l, 0) == 0 && s.times == 0);
	CHECK(write(p[1], "ab", 2) == 2);
	CHECK(loop_wait(l, UINT64_MAX) == 1);
	CHECK(loop_wait(l, 0) == 1 && s.times == 2); /* it is still there */
	s.takes = true;
	CHECK(loop_wait(l, 0) == 1 && loop_wait(l, 0) == 1);
	CHECK(loop_wait(l, 0) == 0 && s.times == 4);
	s.takes = false;
	close(p[1]); /* an end is told, too */
	CHECK(loop_wait(l, UINT64_MAX) == 1);
	loop_drop(l, &s.w);
	loop_drop(l, &s.w);
	CHECK(loop_wait(l, 0) == 0 && s.times == 5);
	close(p[0]);
	loop_close(l);
	loop_close(NULL);
}

static void test_no_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct loop *l = NULL;
	struct seen s;

	CHECK(loop_open(&l) == 0);
	init(&s, l);
	CHECK(fd >= 0 && loop_add(l, &s.w, fd) == -EPERM);
	CHECK(loop_add(l, &s.w, -1) == -EBADF);
	loop_drop(l, &s.w); /* it is not in it */
	close(fd);
	loop_close(l);
}

static void test_timer(void)
{
	struct loop *l = NULL;
	struct seen s, past;
	uint64_t begun = clock_mono();

	CHECK(loop_open(&l) == 0);
	init(&s, l);
	init(&past, l);
	CHECK(loop_timer(l, &s.w) == 0 && loop_timer(l, &past.w) == 0);
	CHECK(loop_wait(l, 2 * MS) == 0); /* not set */
	CHECK(clock_mono() - begun >= 2 * MS);
	loop_set(&s.w, begun + 20 * MS);
	loop_set(&past.w, 0);
	/* On a busy machine both are due in one round. */
	CHECK(loop_wait(l, UINT64_MAX) >= 1 && past.times == 1);
	while (s.times == 0)
		CHECK(loop_wait(l, UINT64_MAX) == 1);
	CHECK(s.times == 1 && past.times == 1);
	CHECK(s.now >= begun + 20 * MS && clock_mono() >= s.now);
	CHECK(loop_wait(l, 2 * MS) == 0); /* once */
	loop_set(&s.w, clock_mono() + MS);
	loop_set(&s.w, UINT64_MAX);
	CHECK(loop_wait(l, 5 * MS) == 0 && s.times == 1);
	loop_drop(l, &s.w);
	loop_drop(l, &past.w);
	loop_close(l);
}

/* Two are ready, and whoever is called first drops the other. */
static void test_dropped(void)
{
	struct loop *l = NULL;
	struct seen s[2];
	int p[2];
	int q[2];

	CHECK(loop_open(&l) == 0 && pipe(p) == 0 && pipe(q) == 0);
	for (int i = 0; i < 2; i++) {
		init(&s[i], l);
		s[i].drop = &s[1 - i];
	}
	CHECK(loop_add(l, &s[0].w, p[0]) == 0 &&
	      loop_add(l, &s[1].w, q[0]) == 0);
	CHECK(write(p[1], "a", 1) == 1 && write(q[1], "a", 1) == 1);
	CHECK(loop_wait(l, UINT64_MAX) == 1);
	CHECK(s[0].times + s[1].times == 1);
	/* The one that is left puts the other in again: for the next round. */
	for (int i = 0; i < 2; i++) {
		s[i].drop = NULL;
		if (s[i].times == 1)
			s[i].add = &s[1 - i];
	}
	CHECK(loop_wait(l, UINT64_MAX) == 1);
	CHECK(s[0].times + s[1].times == 2);
	s[0].add = s[1].add = NULL;
	CHECK(loop_wait(l, UINT64_MAX) == 2);
	for (int i = 0; i < 2; i++) {
		close(p[i]);
		close(q[i]);
	}
	loop_close(l);
}

/* Dropped and added in one callback: what was found before is not told. */
static void test_again(void)
{
	struct loop *l = NULL;
	struct seen s[2];
	int p[2];
	int q[2];

	CHECK(loop_open(&l) == 0 && pipe(p) == 0 && pipe(q) == 0);
	for (int i = 0; i < 2; i++) {
		init(&s[i], l);
		s[i].drop = s[i].add = &s[1 - i];
	}
	CHECK(loop_add(l, &s[0].w, p[0]) == 0 &&
	      loop_add(l, &s[1].w, q[0]) == 0);
	CHECK(write(p[1], "a", 1) == 1 && write(q[1], "a", 1) == 1);
	CHECK(loop_wait(l, UINT64_MAX) == 1);
	CHECK(s[0].times + s[1].times == 1);
	for (int i = 0; i < 2; i++) {
		close(p[i]);
		close(q[i]);
	}
	loop_close(l);
}

/* It is told that there is room, then again what there is to read. */
static void test_turned(void)
{
	struct loop *l = NULL;
	struct seen s;
	int p[2];

	CHECK(loop_open(&l) == 0 &&
	      socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p) == 0);
	init(&s, l);
	CHECK(loop_add(l, &s.w, p[0]) == 0);
	CHECK(loop_wait(l, 0) == 0);
	loop_turn(l, &s.w, true);
	CHECK(loop_wait(l, 0) == 1);
	while (write(p[0], &s, sizeof(s)) > 0)
		;
	CHECK(loop_wait(l, 0) == 0 && write(p[1], "a", 1) == 1);
	CHECK(loop_wait(l, 0) == 0);
	loop_turn(l, &s.w, false);
	CHECK(loop_wait(l, 0) == 1);
	loop_turn(l, &s.w, true);
	close(p[1]);
	CHECK(loop_wait(l, 0) == 1);
	close(p[0]);
	loop_close(l);
}

/* Signals and a timer; the run ends when a callback says so. */
static void test_signals(void)
{
	int fd = signals_open();
	struct loop *l = NULL;
	struct seen sig, timer;

	CHECK(fd >= 0 && loop_open(&l) == 0);
	init(&sig, l);
	init(&timer, l);
	CHECK(loop_add(l, &sig.w, fd) == 0 && loop_timer(l, &timer.w) == 0);
	sig.ends = true;
	CHECK(raise(SIGUSR1) == 0);
	loop_run(l);
	CHECK(sig.times == 1 && signals_next(fd) == SIGUSR1);
	timer.ends = true;
	loop_set(&timer.w, clock_mono() + MS);
	loop_run(l);
	CHECK(sig.times == 1 && timer.times == 1);
	loop_drop(l, &timer.w);
	close(fd);
	loop_close(l);
}

/* Told once of what is there to read, and of room to write when it comes back. */
static void test_edges(void)
{
	static const char most[1 << 16];
	struct loop *l = NULL;
	struct seen s;
	int p[2];
	char b[4096];

	CHECK(loop_open(&l) == 0 &&
	      socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
	CHECK(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
	CHECK(fcntl(p[1], F_SETFL, O_NONBLOCK) == 0);
	init(&s, l);
	CHECK(loop_add_edges(l, &s.w, p[0]) == 0);
	CHECK(loop_wait(l, 0) == 1 && loop_wait(l, 0) == 0);
	CHECK(write(p[1], "xy", 2) == 2);
	CHECK(loop_wait(l, 0) == 1 && loop_wait(l, 0) == 0);
	CHECK(read(p[0], b, 1) == 1 && loop_wait(l, 0) == 0);
	while (write(p[0], most, sizeof(most)) > 0)
		;
	CHECK(loop_wait(l, 0) == 0);
	while (read(p[1], b, sizeof(b)) > 0)
		;
	CHECK(loop_wait(l, 0) == 1);
	close(p[1]);
	CHECK(loop_wait(l, 0) == 1 && loop_wait(l, 0) == 0);
	loop_drop(l, &s.w);
	close(p[0]);
	loop_close(l);
}

static const struct check_test tests[] = {
	{ "what can be read is told until it is", test_reading },
	{ "a file cannot be waited for", test_no_file },
	{ "a timer is told once, and never early", test_timer },
	{ "edges are told once", test_edges },
	{ "who is dropped is not told", test_dropped },
	{ "who is added is told from the next round on", test_again },
	{ "a watch is turned to writing and back", test_turned },
	{ "signals, and the end of a run", test_signals },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
