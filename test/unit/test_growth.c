/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * growth: lines of another host are taken as they come, cut anywhere; what is none
 * is counted; a leak is told by requests, and a restart begins anew.
 */
#include "growth/growth.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "core/rng.h"
#include "gauge/gauge.h"

#define MB 1e6

static struct growth *g;
static int to;
static char path[64];

static void begin(void)
{
	char dir[] = "/tmp/test_growth.XXXXXX";
	struct errbuf e = { "" };

	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/fifo", dir);
	CHECK(mkfifo(path, 0600) == 0);
	CHECK(growth_open(&g, path, &e) == 0);
	to = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(to >= 0);
	growth_look(g, 0);
}

static void end(void)
{
	close(to);
	growth_close(g);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

static void say(const char *text)
{
	CHECK(write(to, text, strlen(text)) == (ssize_t)strlen(text));
}

static void line(double rss, unsigned restarts, uint64_t cpu)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "{\"schema\":1,\"type\":\"vitals\",\"time_ns\":"
		 "1764600000000000000,"
		 "\"rss\":%" PRIu64
		 ",\"fds\":12,\"threads\":3,\"cpu_us\":%" PRIu64
		 ",\"restarts\":%u}\n",
		 (uint64_t)rss, cpu, restarts);
	say(text);
}

static void lines_may_be_cut_anywhere(void)
{
	static const char text[] =
		"{\"schema\":1,\"type\":\"vitals\",\"rss\":5,\"fds\":null,"
		"\"threads\":1,\"cpu_us\":7,\"restarts\":2}\n";
	const struct growth_found *f;

	begin();
	f = growth_found(g);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		CHECK(f->looks == 0);
		CHECK(write(to, text + i, 1) == 1);
		growth_look(g, 1);
	}
	CHECK(f->looks == 1 && f->bad == 0 && f->last.rss == 5 &&
	      f->last.fds == VITALS_UNSEEN && f->restarts == 0);
	end();
}

static void what_is_none_is_counted(void)
{
	static const char *const bad[] = {
		"\n",
		"nothing\n",
		"{}x\n",
		"{\"schema\":2,\"type\":\"vitals\"}\n",
		"{\"schema\":1,\"type\":\"vitals\",\"rss\":1}\n",
		"{\"schema\":1,\"type\":\"vitals\",\"rss\":1,\"fds\":-1,"
		"\"threads\":1,\"cpu_us\":7,\"restarts\":2}\n",
		"{\"schema\":1,\"type\":\"vitals\",\"rss\":1125899906842624,"
		"\"fds\":1,\"threads\":1,\"cpu_us\":7,\"restarts\":2}\n",
	};
	const struct growth_found *f;

	begin();
	f = growth_found(g);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		say(bad[i]);
	for (unsigned i = 0; i < 3000; i++)
		say("x");
	say("\n");
	say("{\"schema\":1,\"type\":\"growth\",\"says\":\"steady\"}\n");
	line(1, 0, 0);
	growth_look(g, 0);
	CHECK(f->bad == ARRAY_SIZE(bad) + 1 && f->looks == 1);
	end();
}

/* 200,000 requests in 400 looks, @leak bytes each; memory goes up and down. */
static void serve(uint64_t seed, double leak, double noise)
{
	struct rng r = { seed };
	double off = 0;

	for (unsigned i = 0; i <= 400; i++) {
		double u = (double)(rng_next(&r) >> 11) / 9007199254740992.0;

		off = off / 2 + (u - 0.5) * noise;
		line(60 * MB + leak * 500 * i + off, 0, i * 25000);
		growth_look(g, (uint64_t)500 * i);
	}
	growth_settle(g);
}

static void a_leak_is_told_by_requests(void)
{
	const struct growth_found *f;
	struct report_gate gate;
	char text[GROWTH_LINE];
	unsigned told = 0, undecided = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		begin();
		f = growth_found(g);
		serve(seed, 200, 4 * MB);
		told += f->rss.says == VITALS_LEAK;
		CHECK(f->requests == 200000 && f->cpu_us == 10000000);
		CHECK(f->rss.low <= 200e6 * 1.05 &&
		      f->rss.high >= 200e6 * 0.95);
		gate_leak(&gate, &f->rss, 100);
		CHECK(gate.state == GATE_FAILED && gate.limit == 100000000);
		gate_leak(&gate, &f->rss, 300);
		CHECK(gate.state == GATE_PASSED);
		/* The limit is the truth: its interval holds it. */
		gate_leak(&gate, &f->rss, 200);
		undecided += gate.state == GATE_UNDECIDED;
		CHECK(growth_text(f, text, sizeof(text)) > 0);
		CHECK(strstr(text, ": leak\n") && strstr(text, "50.0 us"));
		CHECK(growth_json(f, text, sizeof(text)) > 0);
		CHECK(strstr(text, "\"says\":\"leak\""));
		end();
	}
	printf("# told in %u of 20 runs\n", told);
	CHECK(told == 20 && undecided >= 16);
}

static void what_does_not_grow_is_no_leak(void)
{
	unsigned told = 0;
	struct report_gate gate;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		begin();
		serve(seed, 0, seed % 2 ? 0 : 4 * MB);
		told += growth_found(g)->rss.says == VITALS_LEAK;
		gate_leak(&gate, &growth_found(g)->rss, 100);
		CHECK(gate.state == GATE_PASSED);
		end();
	}
	CHECK(told == 0);
}

/* Growth is by requests: none of an idle server, whatever its memory does. */
static void an_idle_server_has_none(void)
{
	begin();
	for (unsigned i = 0; i < 100; i++) {
		line(60 * MB + 1 * MB * i, 0, 0);
		growth_look(g, 7);
	}
	growth_settle(g);
	CHECK(growth_found(g)->rss.says == VITALS_STEADY);
	CHECK(growth_found(g)->requests == 0);
	end();
}

static void a_restart_begins_anew(void)
{
	const struct growth_found *f;
	struct report_gate gate;

	begin();
	f = growth_found(g);
	for (unsigned i = 0; i < 60; i++) {
		line(60 * MB + 2 * MB * (i % 30), i / 30 * 2, i % 30 * 1000);
		growth_look(g, (uint64_t)1000 * i);
	}
	growth_settle(g);
	CHECK(f->restarts == 2 && f->cpu_us == 2 * 29 * 1000);
	CHECK(f->rss.points <= 30 && f->rss.says == VITALS_LEAK);
	line(60 * MB, 1, 0); /* another counter: it is another process, too */
	growth_look(g, 60000);
	growth_settle(g);
	CHECK(f->restarts == 3 && f->rss.says == VITALS_TOO_FEW);
	gate_leak(&gate, &f->rss, 100);
	CHECK(gate.state == GATE_UNDECIDED);
	gate_leak(&gate, NULL, 100);
	CHECK(gate.state == GATE_UNDECIDED);
	end();
}

static void of_a_file_the_end_is_read(void)
{
	char name[] = "/tmp/test_growth.XXXXXX";
	struct errbuf e = { "" };

	to = mkstemp(name);
	line(1, 0, 0);
	say("half a li");
	CHECK(growth_open(&g, name, &e) == 0);
	growth_look(g, 0);
	CHECK(growth_found(g)->looks == 0);
	say("ne\n");
	line(2, 0, 0);
	growth_look(g, 5);
	CHECK(growth_found(g)->looks == 1 && growth_found(g)->bad == 0);
	CHECK(growth_found(g)->last.rss == 2);
	growth_close(g);
	close(to);
	unlink(name);
	CHECK(growth_open(&g, "/tmp", &e) != 0 && strstr(e.s, "neither"));
	CHECK(growth_open(&g, name, &e) != 0 && strstr(e.s, "No such"));
	CHECK(growth_open(&g, NULL, &e) == 0 && !g && !growth_found(g));
	growth_look(g, 0);
	growth_settle(g);
	growth_close(g);
}

#define TEST(name)                                                             \
	{                                                                      \
#name, name                                                    \
	}

int main(void)
{
	static const struct check_test tests[] = {
		TEST(lines_may_be_cut_anywhere),
		TEST(what_is_none_is_counted),
		TEST(a_leak_is_told_by_requests),
		TEST(what_does_not_grow_is_no_leak),
		TEST(an_idle_server_has_none),
		TEST(a_restart_begins_anew),
		TEST(of_a_file_the_end_is_read),
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
