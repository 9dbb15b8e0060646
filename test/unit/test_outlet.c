/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_outlet.c - Unit test of os/outlet: readers that go on, stop, and go away
 */
#include "os/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "os/clock.h"

#define MUCH (1u << 20) /* more than a pipe holds */

static char bytes[MUCH];

static void make_pipe(int fd[2], struct outlet *o)
{
	CHECK(pipe2(fd, O_CLOEXEC) == 0);
	outlet_init(o, fd[1]);
	CHECK(o->waits);
}

static void *read_all(void *arg)
{
	static char got[MUCH];
	int fd = *(int *)arg;
	size_t n = 0;
	ssize_t r;

	while ((r = read(fd, got + n, n < MUCH ? MUCH - n : 0)) > 0)
		n += (size_t)r;
	CHECK(n == MUCH && memcmp(got, bytes, MUCH) == 0);
	return NULL;
}

static void test_all_arrives(void)
{
	struct outlet o;
	pthread_t t;
	size_t done;
	int fd[2];

	make_pipe(fd, &o);
	CHECK(pthread_create(&t, NULL, read_all, &fd[0]) == 0);
	CHECK(outlet_write(&o, NULL, bytes, MUCH, &done) == 0);
	CHECK(done == MUCH);
	close(fd[1]);
	pthread_join(t, NULL);
	close(fd[0]);
}

static void test_stopped_reader_is_given_up(void)
{
	struct outlet o;
	uint64_t began;
	size_t done;
	int fd[2];

	make_pipe(fd, &o);
	began = clock_mono();
	CHECK(outlet_write(&o, NULL, bytes, MUCH, &done) == -ETIMEDOUT);
	CHECK(clock_mono() - began >= OUTLET_STALL);
	CHECK(done > 0 && done < MUCH);
	/* No second wait, and no byte behind a hole. */
	began = clock_mono();
	CHECK(outlet_write(&o, NULL, bytes, MUCH, &done) == -ETIMEDOUT);
	CHECK(clock_mono() - began < OUTLET_STALL / 2);
	CHECK(done == 0);
	close(fd[0]);
	close(fd[1]);
}

static void test_reader_that_is_gone(void)
{
	struct outlet o;
	size_t done;
	int fd[2];

	make_pipe(fd, &o);
	close(fd[0]);
	CHECK(outlet_write(&o, NULL, bytes, MUCH, &done) == -EPIPE);
	CHECK(done == 0);
	close(fd[1]);
}

static void test_file_does_not_wait(void)
{
	char name[] = "/tmp/test_outlet.XXXXXX";
	int fd = mkstemp(name);
	struct outlet o;
	size_t done;

	unlink(name);
	outlet_init(&o, fd);
	CHECK(!o.waits);
	CHECK(outlet_write(&o, NULL, bytes, MUCH, &done) == 0);
	CHECK(done == MUCH && lseek(fd, 0, SEEK_END) == MUCH);
	close(fd);
}

struct stuck {
	struct outlet o;
	struct drain *d;
	int result;
};

static void on_record(void *ctx, const uint8_t *p, uint32_t len)
{
	struct stuck *s = ctx;
	size_t done;

	s->result = outlet_write(&s->o, s->d, p, len, &done);
}

/* While the run goes on a reader has all the time; from the end on it has not. */
static void test_the_end_begins_with_stop(void)
{
	static const struct drain_ops ops = { .record = on_record };
	struct stuck s = { .result = 1 };
	uint64_t began;
	uint8_t *p;
	int fd[2];

	make_pipe(fd, &s.o);
	CHECK(drain_start(&s.d, 8 * MUCH, &ops, &s) == 0);
	p = spsc_reserve(drain_ring(s.d), MUCH);
	CHECK(p != NULL);
	memset(p, 'x', MUCH);
	spsc_commit(drain_ring(s.d));
	clock_pause(OUTLET_STALL + OUTLET_STALL / 5);
	CHECK(s.result == 1 && !s.o.over);
	began = clock_mono();
	drain_stop(s.d);
	CHECK(clock_mono() - began >= OUTLET_STALL * 9 / 10);
	CHECK(s.result == -ETIMEDOUT);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "all arrives", test_all_arrives },
		{ "a stopped reader is given up",
		  test_stopped_reader_is_given_up },
		{ "a reader that is gone", test_reader_that_is_gone },
		{ "a file does not wait", test_file_does_not_wait },
		{ "the end begins with stop", test_the_end_begins_with_stop },
	};

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < MUCH; i++)
		bytes[i] = (char)(i * 7 + i / 4096);
	return check_main(tests, ARRAY_SIZE(tests));
}
