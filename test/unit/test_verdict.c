/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_verdict.c - Unit test of engine/read and verdict: what an exchange is
 * judged as at the end of the run and behind the middle
 */
#include "engine_rig.h"

#define GET	"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define HEAD	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define LEN(s)	((uint32_t)sizeof(s) - 1)

static void rig_start(struct rig *r)
{
	defaults(r);
	add_map(r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(r);
}

static uint64_t reason(const struct rig *r, enum verdict v,
		       enum compare_reason why)
{
	return engine_stats(r->e)->reason[v][why];
}

/* What is open when the run ends: nothing is known of the answers. */
static void test_run_ends(void)
{
	const uint32_t end = 1001 + LEN(GET);

	for (unsigned who = 0; who < 3; who++) {
		struct rig r;

		rig_start(&r);
		handshakes(&r);
		client(&r, 1001, 501, TCP_ACK | TCP_PSH, GET);
		if (who == 1)
			production(&r, 501, end, TCP_ACK, HEAD "12345");
		if (who == 2)
			sut(&r, 1, 501, end, TCP_ACK, HEAD "12345");
		stop(&r);
		CHECK(reason(&r, VERDICT_NOT_COMPARED, REASON_RUN_ENDED) == 1);
		CHECK(count(&r)->requests_missed == 0);
		check_closed(&r);
	}
}

/* Production's place was lost: its answer will not come any more. */
static void test_run_ends_in_a_hole(void)
{
	const uint32_t end = 1001 + LEN(GET);

	for (unsigned answered = 0; answered < 2; answered++) {
		struct rig r;

		rig_start(&r);
		handshakes(&r);
		client(&r, 1001, 501, TCP_ACK | TCP_PSH, GET);
		production(&r, 501, end, TCP_ACK, CHUNKED "5\r\nab");
		production(&r, 501 + LEN(CHUNKED) + 30, end, TCP_ACK, "xyz");
		client(&r, end, 501 + LEN(CHUNKED) + 33, TCP_ACK, "");
		pass(&r, NS_PER_SEC);
		CHECK(count(&r)->holes_lost == 1);
		if (answered)
			sut(&r, 1, 501, end, TCP_ACK, HEAD "12345");
		stop(&r);
		CHECK(reason(&r, VERDICT_NOT_COMPARED, REASON_PROD_GAP) == 1);
		CHECK(reason(&r, VERDICT_NOT_COMPARED, REASON_RUN_ENDED) == 0);
		check_closed(&r);
	}
}

/* A connection met in the middle: its answers, then those to a second request. */
static void in_the_middle(struct rig *r, const char *p1, const char *s1)
{
	const uint32_t end = 1001 + LEN(GET);
	const uint32_t next = 501 + LEN(HEAD) + 5;

	client(r, 1001, 501, TCP_ACK | TCP_PSH, GET);
	production(r, 501, end, TCP_ACK, p1);
	sut(r, 1, 500, 1001, TCP_SYN | TCP_ACK, "");
	sut(r, 1, 501, end, TCP_ACK, s1);
	client(r, end, next, TCP_ACK | TCP_PSH, GET);
	production(r, next, end + LEN(GET), TCP_ACK, HEAD "12345");
	sut(r, 1, next, end + LEN(GET), TCP_ACK, HEAD "54321");
}

/* There a difference is no evidence before an answer was equal. */
static void test_middle(void)
{
	struct rig r;

	rig_start(&r);
	in_the_middle(&r, HEAD "12345", HEAD "abcde");
	CHECK(reason(&r, VERDICT_NOT_COMPARED, REASON_MIDSTREAM) == 2);
	CHECK(engine_stats(r.e)->verdict[VERDICT_DIFFERENT] == 0);
	check_closed(&r);

	rig_start(&r);
	in_the_middle(&r, HEAD "12345", HEAD "12345");
	CHECK(engine_stats(r.e)->verdict[VERDICT_IDENTICAL] == 1);
	CHECK(reason(&r, VERDICT_DIFFERENT, REASON_BODY) == 1);
	check_closed(&r);
}

/* What is no middle of a connection, and when nobody asked for them. */
static void test_no_middle(void)
{
	struct rig r;

	rig_start(&r);
	client(&r, 1001, 501, TCP_ACK | TCP_RST, GET);
	client(&r, 1001, 501, TCP_ACK, "");
	client(&r, 1001, 501, TCP_ACK, "half of a body");
	CHECK(machine(&r)->flows_seen == 0);
	check_closed(&r);

	defaults(&r);
	r.cfg.shadow.midstream = false;
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	client(&r, 1001, 501, TCP_ACK, GET);
	CHECK(machine(&r)->flows_seen == 0);
	check_closed(&r);
}

static const struct check_test tests[] = {
	{ "the run ends before the answers", test_run_ends },
	{ "the run ends behind a hole of production", test_run_ends_in_a_hole },
	{ "met in the middle, a difference is no evidence yet", test_middle },
	{ "what is not met in the middle", test_no_middle },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
