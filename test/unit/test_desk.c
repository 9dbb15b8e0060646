/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_desk.c - Unit test of os/shring.h and desk/desk.h
 *
 * The ring is held against a list, between two processes, and against an end that
 * lies. A desk judges, is killed, is stopped, and is told nothing that can be read.
 */
#include "desk/desk.h"

#include <errno.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case_rig.h"
#include "check.h"
#include "core/buf.h"
#include "core/rng.h"
#include "os/shring.h"

#define ROOM  4096u
#define LONG  (1u << 20)
#define WAITS 20000 /* ms that something may take on a busy machine */

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* What number @i is: its length and its bytes. */
static size_t record_of(uint64_t i, uint8_t *out)
{
	size_t n = (size_t)(i * 7919 % 900);

	for (size_t k = 0; k < n; k++)
		out[k] = (uint8_t)(i + k);
	return n;
}

static int put(struct shring *w, uint64_t i)
{
	uint8_t buf[1024];
	size_t n = record_of(i, buf);
	int r = shring_begin(w, n);

	if (r != 0)
		return r;
	shring_add(w, buf, n / 2);
	shring_add(w, buf + n / 2, n - n / 2);
	shring_commit(w);
	return 0;
}

static bool is_record(uint64_t i, const uint8_t *p, size_t n)
{
	uint8_t buf[1024];

	return record_of(i, buf) == n && memcmp(buf, p, n) == 0;
}

static void records_come_in_order(void)
{
	void *m = shared(shring_size(ROOM));
	struct shring w, r;
	struct rng rng = { 1 };
	uint64_t in = 0, out = 0, full = 0;
	uint8_t buf[1024];
	size_t n;

	shring_open(&w, m, ROOM);
	shring_open(&r, m, ROOM);
	for (unsigned step = 0; step < 200000; step++) {
		if (rng_next(&rng) % 2 == 0) {
			int rc = put(&w, in);

			CHECK(rc == 0 || rc == -EAGAIN);
			in += rc == 0;
			full += rc != 0;
			continue;
		}
		if (shring_take(&r, buf, sizeof(buf), &n) == 1) {
			CHECK(is_record(out, buf, n));
			out++;
		} else {
			CHECK(in == out);
		}
	}
	CHECK(full > 0 && out > 1000);
	CHECK(shring_begin(&w, ROOM) == -EMSGSIZE);
	CHECK(shring_begin(&w, SIZE_MAX) == -EMSGSIZE);
	munmap(m, shring_size(ROOM));
}

/* A child writes, we read; each goes on as long as the other does. */
static void two_processes_speak(void)
{
	void *m = shared(shring_size(ROOM));
	const uint64_t all = 5000;
	struct shring w, r;
	uint8_t buf[1024];
	uint64_t out = 0;
	int status;
	size_t n;
	pid_t child = fork();

	shring_open(&w, m, ROOM);
	shring_open(&r, m, ROOM);
	if (child == 0) {
		for (uint64_t i = 0; i < all;)
			if (put(&w, i) == 0)
				i++;
			else
				poll(NULL, 0, 1);
		_exit(0);
	}
	for (unsigned idle = 0; out < all && idle < WAITS;) {
		if (shring_take(&r, buf, sizeof(buf), &n) != 1) {
			poll(NULL, 0, 1);
			idle++;
			continue;
		}
		CHECK(is_record(out, buf, n));
		out++;
	}
	CHECK(out == all);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	munmap(m, shring_size(ROOM));
}

/* Each word of the shared memory gets any value; neither end leaves the memory. */
static void lies_are_noticed(void)
{
	static const uint64_t lies[] = {
		1, 7, 9, 4095, 4097, UINT64_MAX, UINT64_C(1) << 63
	};
	size_t size = shring_size(ROOM);
	uint64_t *m = aligned_alloc(64, size);
	uint8_t buf[1024];
	size_t n;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct shring w, r;

		memset(m, 0, size);
		shring_open(&w, m, ROOM);
		shring_open(&r, m, ROOM);
		CHECK(put(&w, 1) == 0);
		m[0] = lies[i]; /* the writer's counter */
		if (lies[i] != 4095) {
			CHECK(shring_take(&r, buf, sizeof(buf), &n) == -EPROTO);
		}
		m[0] = 0;
		m[8] = lies[i]; /* the reader's */
		CHECK((shring_begin(&w, 8) == -EPROTO) ==
		      (w.own - lies[i] > ROOM));
	}
	memset(m, 0, size);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct shring r;

		shring_open(&r, m, ROOM);
		m[0] = 64;
		m[16] = lies[i]; /* a record's length */
		n = 77;
		if (lies[i] > 56) {
			CHECK(shring_take(&r, buf, sizeof(buf), &n) == -EPROTO);
			CHECK(n == 77);
		}
	}
	free(m);
}

/* --- the desk --- */

struct rig {
	struct arena mem;
	struct pool *pool;
	struct rules *rules;
	struct desk *desk;
};

static void rig_begin(struct rig *g, size_t ring)
{
	struct desk_config c = { .ring = ring, .longest = LONG };
	struct errbuf e = { "" };

	memset(g, 0, sizeof(*g));
	g->mem.size = pool_size(4u << 20);
	g->mem.base = aligned_alloc(ARENA_ALIGN, g->mem.size);
	memset(g->mem.base, 0, g->mem.size);
	CHECK(pool_init(&g->pool, &g->mem, 4u << 20) == 0);
	g->rules = case_rules("json ignore $.at");
	c.rules = g->rules;
	CHECK(desk_start(&g->desk, &c, &e) == 0);
	if (e.s[0] != '\0')
		printf("# %s\n", e.s);
}

static void rig_end(struct rig *g)
{
	desk_stop(g->desk);
	CHECK(pool_used(g->pool) == 0);
	free(g->rules);
	free(g->mem.base);
}

/* A case of JSON texts. Return: as desk_put() */
static int hand(struct rig *g, uint64_t serial, const char *a, const char *b)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n"
				   "Content-Type: application/json\r\n\r\n";
	struct keep *k = keep_begin(g->pool, LONG / 4);
	const char *const body[2] = { a, b };
	struct case_view c;
	int r;

	CHECK(k != NULL);
	for (unsigned i = 0; i < 2; i++) {
		enum who who = i == 0 ? WHO_PROD : WHO_SUT;
		struct framer_piece pc = { .used = sizeof(head) - 1,
					   .part = FRAMER_HEAD };

		keep_answer(k, g->pool, who, &pc, (const uint8_t *)head);
		pc.part = FRAMER_BODY;
		pc.used = (uint32_t)strlen(body[i]);
		keep_answer(k, g->pool, who, &pc, (const uint8_t *)body[i]);
	}
	keep_case(k, false, false, &c);
	c.serial = serial;
	r = desk_put(g->desk, k, &c);
	keep_end(k, g->pool);
	return r;
}

/* Wait for an answer. Return: as desk_take(), 0 after WAITS */
static int wait_answer(struct rig *g, struct case_answer *a)
{
	for (unsigned i = 0; i < WAITS; i++) {
		int r = desk_take(g->desk, a);

		if (r != 0)
			return r;
		if (!desk_lives(g->desk))
			return -EPIPE;
		poll(NULL, 0, 1);
	}
	return 0;
}

static void a_desk_judges_in_order(void)
{
	struct case_answer a;
	struct rig g;

	rig_begin(&g, 1u << 20);
	for (uint64_t i = 0; i < 100; i++)
		CHECK(hand(&g, i, "{\"a\":1,\"at\":1}",
			   i % 3 == 0 ? "{\"at\":2,\"a\":1}" : "{\"a\":2}") ==
		      0);
	for (uint64_t i = 0; i < 100; i++) {
		memset(&a, 0, sizeof(a));
		CHECK(wait_answer(&g, &a) == 1);
		CHECK(a.serial == i && case_is_answer(&a, 1));
		CHECK(a.verdict ==
		      (i % 3 == 0 ? VERDICT_EQUIVALENT : VERDICT_DIFFERENT));
	}
	CHECK(desk_take(g.desk, &a) == 0);
	rig_end(&g);
}

/* The child of ours that there is; by /proc, as tests of runs find it. */
static pid_t child_of(pid_t parent)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	pid_t found = -1;

	while ((e = readdir(d)) != NULL) {
		char name[300], line[512] = "";
		int pid = 0, ppid = 0;
		FILE *f;

		snprintf(name, sizeof(name), "/proc/%s/stat", e->d_name);
		f = fopen(name, "r");
		if (f == NULL)
			continue;
		if (fgets(line, sizeof(line), f) != NULL &&
		    strstr(line, "(understudy-desk)") != NULL &&
		    sscanf(line, "%d", &pid) == 1 &&
		    sscanf(strrchr(line, ')') + 1, " %*c %d", &ppid) == 1 &&
		    ppid == parent)
			found = pid;
		fclose(f);
	}
	closedir(d);
	return found;
}

static void a_killed_desk_is_gone(void)
{
	struct case_answer a;
	struct rig g;
	pid_t desk;

	rig_begin(&g, 1u << 20);
	CHECK(hand(&g, 1, "[1]", "[2]") == 0);
	CHECK(wait_answer(&g, &a) == 1 && desk_lives(g.desk));
	desk = child_of(getpid());
	CHECK(desk > 0 && kill(desk, SIGKILL) == 0);
	CHECK(hand(&g, 2, "[1]", "[2]") == 0);
	CHECK(wait_answer(&g, &a) == -EPIPE && !desk_lives(g.desk));
	desk_leave(g.desk);
	CHECK(hand(&g, 3, "[1]", "[2]") == -EPIPE);
	CHECK(desk_take(g.desk, &a) == -EPIPE);
	rig_end(&g);
}

/* A stopped desk lets its ring run full, and nobody waits. It ends with us. */
static void a_stopped_desk_lets_its_ring_run_full(void)
{
	struct case_answer a;
	unsigned put = 0;
	struct rig g;
	pid_t desk;
	int r = 0;

	rig_begin(&g, 4096);
	desk = child_of(getpid());
	CHECK(desk > 0 && kill(desk, SIGSTOP) == 0);
	while (put < 1000 && (r = hand(&g, put, "[1]", "[2]")) == 0)
		put++;
	CHECK(r == -EAGAIN && put >= 8);
	CHECK(desk_lives(g.desk));
	CHECK(kill(desk, SIGCONT) == 0);
	for (uint64_t i = 0; i < put; i++)
		CHECK(wait_answer(&g, &a) == 1 && a.serial == i);
	CHECK(hand(&g, put, "[1]", "[2]") == 0);
	CHECK(wait_answer(&g, &a) == 1);
	rig_end(&g);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "records come in order", records_come_in_order },
		{ "two processes speak", two_processes_speak },
		{ "lies are noticed", lies_are_noticed },
		{ "a desk judges in order", a_desk_judges_in_order },
		{ "a killed desk is gone", a_killed_desk_is_gone },
		{ "a stopped desk lets its ring run full",
		  a_stopped_desk_lets_its_ring_run_full },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
