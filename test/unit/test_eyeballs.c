/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_eyeballs.c - Unit test of dial/eyeballs: RFC 8305, in made-up time
 */
#include <string.h>

#include "check.h"
#include "core/rng.h"
#include "dial/eyeballs.h"

#define MS NS_PER_MS

static struct ipaddr six[EYEBALLS_ADDRESSES + 1], four[EYEBALLS_ADDRESSES + 1];
static struct eyeballs e;

/* Addresses of both, which end with their number. */
static void begin(unsigned most)
{
	for (uint8_t i = 0; i <= EYEBALLS_ADDRESSES; i++) {
		uint8_t a[16] = { 0x20, 1, [15] = i };

		six[i] = ipaddr_from6(a);
		four[i] = ipaddr_from4((const uint8_t[4]){ 192, 0, 2, i });
	}
	eyeballs_begin(&e, most);
}

/* "6.0" is tried now, "-" is waiting, "x" is the end. */
static const char *step(uint64_t now)
{
	static char s[8];
	struct ipaddr a;

	switch (eyeballs_next(&e, now, &a)) {
	case EYEBALLS_TRY:
		snprintf(s, sizeof(s), "%c.%d", ipaddr_is4(&a) ? '4' : '6',
			 a.b[15]);
		return s;
	case EYEBALLS_WAIT:
		return "-";
	default:
		return "x";
	}
}

#define STEP(now, want) CHECK_ROW(strcmp(step(now), want) == 0, want)

/* Section 4 and 5: in turn, and 250 ms apart. */
static void test_in_turn(void)
{
	begin(8);
	STEP(0, "-");
	CHECK(eyeballs_due(&e) == UINT64_MAX);
	eyeballs_answer(&e, EYEBALLS_PREFERRED, six, 3, 5);
	STEP(5, "6.0");
	STEP(5, "-");
	eyeballs_answer(&e, EYEBALLS_OTHER, four, 2, 10);
	CHECK(eyeballs_due(&e) == 5 + 250 * MS);
	STEP(5 + 250 * MS - 1, "-");
	STEP(5 + 250 * MS, "4.0");
	CHECK(eyeballs_due(&e) == 5 + 500 * MS);
	STEP(5 + 500 * MS, "6.1");
	STEP(800 * MS, "4.1");
	STEP(1050 * MS, "6.2");
	STEP(2000 * MS, "-");
	CHECK(eyeballs_due(&e) == UINT64_MAX);
	for (int i = 0; i < 4; i++) {
		eyeballs_failed(&e);
		STEP(2000 * MS, "-");
	}
	eyeballs_failed(&e);
	STEP(2000 * MS, "x");
}

/* Section 3: the other family waits 50 ms for the preferred one. */
static void test_resolution_delay(void)
{
	begin(3);
	eyeballs_answer(&e, EYEBALLS_OTHER, four, 1, 7);
	STEP(7, "-");
	CHECK(eyeballs_due(&e) == 7 + 50 * MS);
	eyeballs_answer(&e, EYEBALLS_PREFERRED, six, 1, 20 * MS);
	STEP(20 * MS, "6.0");
	STEP(20 * MS + 250 * MS, "4.0");
	/* It says nothing in this time: its addresses come behind. */
	begin(3);
	eyeballs_answer(&e, EYEBALLS_OTHER, four, 2, 7);
	STEP(7 + 50 * MS - 1, "-");
	STEP(7 + 50 * MS, "4.0");
	eyeballs_answer(&e, EYEBALLS_PREFERRED, six, 1, 100 * MS);
	STEP(100 * MS, "-");
	STEP(307 * MS, "6.0");
	/* It has none: nothing is waited for. */
	begin(3);
	eyeballs_answer(&e, EYEBALLS_OTHER, four, 1, 7);
	eyeballs_answer(&e, EYEBALLS_PREFERRED, NULL, 0, 8);
	STEP(8, "4.0");
	begin(3);
	eyeballs_answer(&e, EYEBALLS_PREFERRED, NULL, 0, 8);
	STEP(8, "-");
	eyeballs_answer(&e, EYEBALLS_OTHER, NULL, 0, 8);
	STEP(8, "x");
}

/* Section 5: one that fails is followed at once. */
static void test_failure(void)
{
	begin(3);
	eyeballs_answer(&e, EYEBALLS_PREFERRED, six, 2, 0);
	STEP(0, "6.0");
	eyeballs_failed(&e);
	CHECK(eyeballs_due(&e) <= 1);
	STEP(1, "6.1");
	eyeballs_failed(&e);
	/* The other family has not said yet. */
	STEP(2, "-");
	eyeballs_answer(&e, EYEBALLS_OTHER, four, 1, 900 * MS);
	STEP(900 * MS, "4.0");
	eyeballs_failed(&e);
	STEP(900 * MS, "x");
}

static void test_limits(void)
{
	unsigned n = 0;

	/* One at a time: the next when it has ended. */
	begin(1);
	eyeballs_answer(&e, EYEBALLS_PREFERRED, six, 2, 0);
	STEP(0, "6.0");
	STEP(9000 * MS, "-");
	CHECK(eyeballs_due(&e) == UINT64_MAX);
	eyeballs_failed(&e);
	STEP(9000 * MS, "6.1");
	/* As many addresses as there is room for. */
	begin(255);
	eyeballs_answer(&e, EYEBALLS_PREFERRED, six, EYEBALLS_ADDRESSES + 1, 0);
	eyeballs_answer(&e, EYEBALLS_OTHER, four, EYEBALLS_ADDRESSES + 1, 0);
	while (strcmp(step(n * 250 * MS), "-") != 0)
		n++;
	CHECK(n == 2 * EYEBALLS_ADDRESSES);
}

/* Whatever comes when: each address once, never too many, 250 ms apart but for
 * failures, and it ends.
 */
static void random_run(struct rng *r)
{
	unsigned most = 1 + rng_below(r, 4), out = 0, tried = 0;
	unsigned n[2] = { rng_below(r, 10), rng_below(r, 10) };
	unsigned want = 0;
	bool answered[2] = { false, false }, over = false, failed = true;
	bool alone = false;
	uint64_t now = 0, last = 0;

	begin(most);
	for (int k = 0; k < 2; k++)
		want += n[k] < EYEBALLS_ADDRESSES ? n[k] : EYEBALLS_ADDRESSES;
	for (int i = 0; i < 4000 && !over; i++) {
		unsigned k = rng_below(r, 6);
		struct ipaddr a;

		now += rng_below(r, 100) * MS;
		if (k < 2 && !answered[k]) {
			eyeballs_answer(&e, k, k == 0 ? six : four,
					n[k] < 9 ? n[k] : 9, now);
			answered[k] = true;
		} else if (k == 2 && out > 0) {
			eyeballs_failed(&e);
			out--;
			failed = true;
		}
		switch (eyeballs_next(&e, now, &a)) {
		case EYEBALLS_TRY:
			CHECK(failed || now - last >= EYEBALLS_ATTEMPT);
			CHECK(failed || !alone);
			failed = false;
			last = now;
			tried++;
			out++;
			break;
		case EYEBALLS_OVER:
			over = true;
			CHECK(out == 0 && answered[0] && answered[1]);
			break;
		case EYEBALLS_WAIT:
			CHECK(eyeballs_due(&e) > now);
			break;
		}
		CHECK(out <= most);
		/* Who is alone stays so until it has failed. */
		CHECK(!alone || failed || eyeballs_alone(&e));
		alone = out > 0 && eyeballs_alone(&e);
		CHECK(!alone || most == 1 || tried == want);
	}
	CHECK(over && tried == want);
}

static void test_whatever_comes(void)
{
	struct rng r = { 8305 };

	for (int i = 0; i < 300; i++)
		random_run(&r);
}

static const struct check_test tests[] = {
	{ "in turn, 250 ms apart", test_in_turn },
	{ "the other family waits for the preferred one",
	  test_resolution_delay },
	{ "who fails is followed at once", test_failure },
	{ "limits", test_limits },
	{ "whatever comes when", test_whatever_comes },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
