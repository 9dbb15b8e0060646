/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_clock.c - Unit test of run/clock
 *
 * Both clocks are the test's own; what engine and observers are told must agree, and
 * nobody may be told of a step that was none.
 */
#include <stdarg.h>
#include <string.h>

#include "check.h"
#include "run/clock.c"

static uint64_t mono;
static uint64_t wall;
static uint64_t nap; /* of the process, between two readings */
static int64_t engine_item;
static int64_t observers_told;
static unsigned looks;
static unsigned warnings;

uint64_t clock_mono(void)
{
	mono += nap;
	return mono;
}

uint64_t clock_real(void)
{
	return wall;
}

void engine_clock(struct engine *e, int64_t step, uint64_t now)
{
	(void)e;
	(void)now;
	engine_item = step;
	looks++;
}

void observe_clock(struct run *run, int64_t step)
{
	(void)run;
	observers_told = step;
}

void run_clear_line(const struct run *run)
{
	(void)run;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	(void)fmt;
	warnings += level == LOG_WARN;
}

static struct run l;

static void begin(void)
{
	memset(&l, 0, sizeof(l));
	l.has_mirror = true;
	mono = NS_PER_SEC;
	wall = UINT64_C(1700000000) * NS_PER_SEC;
	nap = 0;
	looks = 0;
	warnings = 0;
	run_clock(&l);
	CHECK(looks == 1 && engine_item == 0 && warnings == 0);
	CHECK(l.next_clock == l.now + NS_PER_SEC);
}

/* The clocks go on by so much. */
static void go_on(int64_t by_mono, int64_t by_wall)
{
	mono += (uint64_t)by_mono;
	wall += (uint64_t)by_wall;
	run_clock(&l);
}

static void test_steps(void)
{
	const int64_t sec = (int64_t)NS_PER_SEC;
	const int64_t ms = (int64_t)NS_PER_MS;

	begin();
	go_on(sec, sec + 5 * ms);
	CHECK(engine_item == 5 * ms && observers_told == 5 * ms);
	CHECK(looks == 2 && warnings == 1);
	go_on(sec, sec); /* what was told is over */
	CHECK(engine_item == 0 && observers_told == 0 && warnings == 1);
	go_on(sec, -3600 * sec);
	CHECK(engine_item == -3601 * sec && warnings == 2);
}

/* A clock that is steered, for a day. */
static void test_steered(void)
{
	const int64_t sec = (int64_t)NS_PER_SEC;

	begin();
	for (int i = 0; i < 86400; i++)
		go_on(sec, sec + sec / 2000);
	CHECK(warnings == 0 && engine_item == 0);
}

/* The process is put to sleep between two readings: nothing is known. */
static void test_nap(void)
{
	begin();
	nap = 20 * NS_PER_MS;
	go_on((int64_t)NS_PER_SEC, (int64_t)NS_PER_SEC);
	CHECK(looks == 1 && warnings == 0);
}

/* With files alone and nobody to play to no stamp is of this clock. */
static void test_file(void)
{
	begin();
	l.has_mirror = false;
	go_on(0, 3600 * (int64_t)NS_PER_SEC);
	CHECK(looks == 1 && warnings == 0);
}

static const struct check_test tests[] = {
	{ "a step is told, and once", test_steps },
	{ "a clock that is steered", test_steered },
	{ "readings that are far apart", test_nap },
	{ "a capture that is played to nobody", test_file },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
