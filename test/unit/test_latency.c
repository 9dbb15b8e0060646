/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_latency.c - Unit test of engine/latency and engine/stamp
 *
 * Stamps are given by hand, apart from the engine's time: what is measured must be
 * theirs, each exchange that is judged is measured or has its reason, and the sums
 * close.
 */
#include "engine_rig.h"

#define GET	"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define HEAD	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
#define LEN(s)	((uint32_t)sizeof(s) - 1)
#define REQUEST (1001 + LEN(GET)) /* end of the first one */
#define ANSWER	(501 + LEN(HEAD) + 5)

static void rig_start(struct rig *r, bool live)
{
	defaults(r);
	add_map(r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	r->cfg.mirror_live = live;
	start(r);
}

static struct latencies *measured(const struct rig *r)
{
	static struct latencies l;

	engine_latencies(r->e, &l);
	return &l;
}

static uint64_t why(const struct rig *r, int side, enum latency_why w)
{
	return measured(r)->side[side].why[w];
}

/* As many as were judged are measured or not, on either side; then all is over. */
static void check_sums(struct rig *r)
{
	const struct engine_stats *st = engine_stats(r->e);
	uint64_t judged = 0;

	stop(r);
	for (int v = 0; v < VERDICT_COUNT; v++)
		judged += st->verdict[v];
	for (int i = 0; i < LATENCY_SIDES; i++) {
		const struct latency_side *s = &measured(r)->side[i];

		CHECK(latency_total(s) == judged);
		CHECK(s->first.count == s->why[LATENCY_MEASURED]);
		CHECK(s->last.count == s->why[LATENCY_MEASURED]);
	}
	check_closed(r);
}

/* The stamp of what comes next. */
static void stamped(struct rig *r, uint64_t us)
{
	r->ahead = us * NS_PER_US;
}

static void test_rules(void)
{
	static const struct {
		struct latency_stamps s;
		enum latency_why why;
	} row[] = {
		{ { .asked = 5, .first = 5, .last = 9, .answered = true },
		  LATENCY_MEASURED },
		{ { .asked = 5, .first = 5, .last = 9 }, LATENCY_NO_ANSWER },
		{ { .asked = 5, .first = 4, .last = 9, .answered = true },
		  LATENCY_SKEW },
		{ { .asked = 5, .first = 6, .last = 5, .answered = true },
		  LATENCY_SKEW },
		{ { .first = 6, .last = 7, .answered = true },
		  LATENCY_NO_STAMP },
		{ { .asked = 5, .last = 7, .answered = true },
		  LATENCY_NO_STAMP },
		{ { .asked = 5, .first = 6, .answered = true },
		  LATENCY_NO_STAMP },
		{ { .asked = 5,
		    .first = 4,
		    .last = 9,
		    .answered = true,
		    .early = true },
		  LATENCY_EARLY },
		{ { .asked = 5,
		    .first = 5,
		    .last = 9,
		    .answered = true,
		    .stepped = true },
		  LATENCY_CLOCK_STEP },
		{ { .asked = 5,
		    .first = 5,
		    .last = 9,
		    .answered = true,
		    .resumed = true },
		  LATENCY_RESUMED },
		{ { .asked = 5,
		    .first = 5,
		    .last = 9,
		    .answered = true,
		    .guessed = true },
		  LATENCY_UNSURE },
	};
	struct latency l;

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		CHECK(latency_of(&row[i].s, &l) == row[i].why);
		CHECK(l.first == 0);
		CHECK(l.last == (row[i].why == LATENCY_MEASURED ? 4 : 0));
	}
}

/* All of it comes in one batch: one time of the engine's, five stamps. */
static void test_one_batch(void)
{
	const struct latencies *l;
	struct rig r;

	rig_start(&r, true);
	handshakes(&r);
	stamped(&r, 100);
	client(&r, 1001, 501, TCP_ACK | TCP_PSH, GET);
	stamped(&r, 141);
	production(&r, 501, REQUEST, TCP_ACK, HEAD);
	stamped(&r, 160);
	production(&r, 501 + LEN(HEAD), REQUEST, TCP_ACK, "12345");
	stamped(&r, 190);
	sut(&r, 1, 501, REQUEST, TCP_ACK, HEAD);
	stamped(&r, 200);
	sut(&r, 1, 501 + LEN(HEAD), REQUEST, TCP_ACK, "12345");
	l = measured(&r);
	CHECK(engine_stats(r.e)->verdict[VERDICT_IDENTICAL] == 1);
	CHECK(l->side[LATENCY_PROD].first.max == 41 * NS_PER_US);
	CHECK(l->side[LATENCY_PROD].last.max == 60 * NS_PER_US);
	CHECK(l->side[LATENCY_SUT].first.max == 90 * NS_PER_US);
	CHECK(l->side[LATENCY_SUT].last.max == 100 * NS_PER_US);
	check_sums(&r);
}

/* The end of what was sent is its latest stamp, in whatever order it is read. */
static void test_last_to_come(void)
{
	const struct latencies *l;
	struct rig r;

	rig_start(&r, true);
	handshakes(&r);
	stamped(&r, 100);
	client(&r, 1021, 501, TCP_ACK | TCP_PSH, &GET[20]);
	stamped(&r, 130);
	client(&r, 1001, 501, TCP_ACK, "GET / HTTP/1.1\r\nHost");
	stamped(&r, 150);
	production(&r, 501 + LEN(HEAD), REQUEST, TCP_ACK, "12345");
	stamped(&r, 170);
	production(&r, 501, REQUEST, TCP_ACK, HEAD);
	sut(&r, 1, 501, REQUEST, TCP_ACK, HEAD "12345");
	l = measured(&r);
	CHECK(l->side[LATENCY_PROD].first.max == 40 * NS_PER_US);
	CHECK(l->side[LATENCY_PROD].last.max == 40 * NS_PER_US);
	check_sums(&r);
}

/* From each SYN to its answer; and of our own delay what a client let go. */
static void test_connection(void)
{
	const struct latencies *l;
	struct rig r;

	rig_start(&r, true);
	client(&r, 1000, 0, TCP_SYN, "");
	stamped(&r, 7);
	production(&r, 500, 1001, TCP_SYN | TCP_ACK, "");
	production(&r, 500, 1001, TCP_SYN | TCP_ACK, "");
	stamped(&r, 9);
	sut(&r, 1, 500, 1001, TCP_SYN | TCP_ACK, "");
	sut(&r, 1, 500, 1001, TCP_SYN | TCP_ACK, "");
	client(&r, 1001, 501, TCP_ACK, "");
	l = measured(&r);
	CHECK(l->side[LATENCY_PROD].connect.count == 1);
	CHECK(l->side[LATENCY_PROD].connect.max == 7 * NS_PER_US);
	CHECK(l->side[LATENCY_SUT].connect.count == 1);
	CHECK(l->side[LATENCY_SUT].connect.max == 9 * NS_PER_US);
	CHECK(l->handshakes.seen == 1 && l->handshakes.swapped == 0);
	CHECK(l->own.count == 1);
	client(&r, 1001, 501, TCP_ACK | TCP_PSH, GET);
	CHECK(measured(&r)->own.count == 2);
	production(&r, 501, REQUEST, TCP_ACK, HEAD "12345");
	/* This one waits for the SUT's answer, and not for us. */
	client(&r, REQUEST, ANSWER, TCP_ACK | TCP_PSH, GET);
	sut(&r, 1, 501, REQUEST, TCP_ACK, HEAD "12345");
	CHECK(r.seen[r.n - 1].timed && r.seen[r.n - 1].seq == REQUEST);
	CHECK(measured(&r)->own.count == 2);
	check_sums(&r);

	/* A capture's stamps are of another time than what is sent. */
	rig_start(&r, false);
	handshakes(&r);
	CHECK(measured(&r)->own.count == 0);
	check_sums(&r);
}

/* Requests in one segment have left with it, on a connection with many before. */
static void test_pipelined(void)
{
	const uint32_t n = LEN(GET);
	struct rig r;

	rig_start(&r, true);
	handshakes(&r);
	client(&r, 1001, 501, TCP_ACK | TCP_PSH, GET GET GET);
	client(&r, 1001 + 3 * n, 501, TCP_ACK | TCP_PSH, GET);
	production(&r, 501, 1001 + 4 * n, TCP_ACK,
		   HEAD "12345" HEAD "12345" HEAD "12345" HEAD "12345");
	stamped(&r, 30);
	sut(&r, 1, 501, 1001 + 4 * n, TCP_ACK,
	    HEAD "12345" HEAD "12345" HEAD "12345" HEAD "12345");
	CHECK(why(&r, LATENCY_PROD, LATENCY_MEASURED) == 4);
	CHECK(why(&r, LATENCY_SUT, LATENCY_MEASURED) == 4);
	CHECK(measured(&r)->side[LATENCY_SUT].first.min == 30 * NS_PER_US);
	check_sums(&r);
}

/* Where messages end by quiet the end of a request is known behind its sending. */
static void test_quiet(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 25, ip(9, 0, 1), 0);
	r.cfg.mirror_live = true;
	start(&r);
	tcp(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 25, 1000, 0, TCP_SYN, "");
	tcp(&r, ip(2, 0, 1), 25, ip(1, 0, 1), 5000, 500, 1001,
	    TCP_SYN | TCP_ACK, "");
	tcp_sut(&r, ip(9, 0, 1), 25, ip(1, 0, 1), 5000, 500, 1001,
		TCP_SYN | TCP_ACK, "");
	tcp(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 25, 1001, 501,
	    TCP_ACK | TCP_PSH, "@half");
	stamped(&r, 10);
	tcp(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 25, 1006, 501,
	    TCP_ACK | TCP_PSH, "line\n");
	stamped(&r, 25);
	tcp(&r, ip(2, 0, 1), 25, ip(1, 0, 1), 5000, 501, 1011, TCP_ACK, "ok\n");
	stamped(&r, 40);
	tcp_sut(&r, ip(9, 0, 1), 25, ip(1, 0, 1), 5000, 501, 1011, TCP_ACK,
		"ok\n");
	pass(&r, NS_PER_SEC);
	tcp(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 25, 1011, 504,
	    TCP_ACK | TCP_PSH, "next\n");
	CHECK(engine_stats(r.e)->verdict[VERDICT_IDENTICAL] == 1);
	CHECK(measured(&r)->side[LATENCY_PROD].first.max == 15 * NS_PER_US);
	CHECK(measured(&r)->side[LATENCY_SUT].first.max == 30 * NS_PER_US);
	check_sums(&r);
}

/* What is not measured has its reason. */
static void test_reasons(void)
{
	struct rig r;

	/* The answer begins before the request ends. */
	rig_start(&r, true);
	handshakes(&r);
	client(&r, 1001, 501, TCP_ACK,
	       "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab");
	production(&r, 501, 1041, TCP_ACK, HEAD "12345");
	client(&r, 1041, 501, TCP_ACK, "cde");
	sut(&r, 1, 501, 1044, TCP_ACK, HEAD "12345");
	CHECK(why(&r, LATENCY_PROD, LATENCY_EARLY) == 1);
	CHECK(why(&r, LATENCY_SUT, LATENCY_MEASURED) == 1);
	check_sums(&r);

	/* The SUT ends without an answer; the next flow's sink fails. */
	rig_start(&r, true);
	handshakes(&r);
	r.unsent = true;
	client(&r, 1001, 501, TCP_ACK | TCP_PSH, GET);
	r.unsent = false;
	production(&r, 501, REQUEST, TCP_ACK, HEAD "12345");
	pass(&r, 10 * NS_PER_MS);
	CHECK(r.seen[r.n - 1].cause == CAUSE_DATA_AGAIN);
	sut(&r, 1, 501, REQUEST, TCP_ACK, HEAD "12345");
	CHECK(why(&r, LATENCY_SUT, LATENCY_NO_STAMP) == 1);
	client(&r, REQUEST, ANSWER, TCP_ACK | TCP_PSH, GET);
	production(&r, ANSWER, REQUEST + LEN(GET), TCP_ACK, HEAD "12345");
	sut(&r, 1, ANSWER, REQUEST + LEN(GET), TCP_RST | TCP_ACK, "");
	CHECK(why(&r, LATENCY_SUT, LATENCY_NO_ANSWER) == 1);
	CHECK(why(&r, LATENCY_PROD, LATENCY_MEASURED) == 2);
	check_sums(&r);

	/* With the first request a flow is taken up, behind it pairs are sure. */
	rig_start(&r, true);
	client(&r, 1001, 501, TCP_ACK | TCP_PSH, GET);
	production(&r, 501, REQUEST, TCP_ACK, HEAD "12345");
	sut(&r, 1, 500, 1001, TCP_SYN | TCP_ACK, "");
	sut(&r, 1, 501, REQUEST, TCP_ACK, HEAD "12345");
	CHECK(why(&r, LATENCY_SUT, LATENCY_RESUMED) == 1);
	CHECK(measured(&r)->side[LATENCY_SUT].connect.count == 0);
	client(&r, REQUEST, ANSWER, TCP_ACK | TCP_PSH, GET);
	production(&r, ANSWER, REQUEST + LEN(GET), TCP_ACK, HEAD "12345");
	sut(&r, 1, ANSWER, REQUEST + LEN(GET), TCP_ACK, HEAD "12345");
	CHECK(why(&r, LATENCY_SUT, LATENCY_MEASURED) == 1);
	check_sums(&r);
}

/* A repeated query: which copy was answered nobody knows. */
static void test_datagrams(void)
{
	static const char ask[] = "\0\7\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1";
	static const char tell[] = "\0\7\201\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1";
	struct rig r;

	for (int copies = 1; copies <= 2; copies++) {
		defaults(&r);
		add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
		start(&r);
		for (int i = 0; i < copies; i++)
			udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1),
			    53, ask, sizeof(ask) - 1);
		stamped(&r, 5);
		udp(&r, ENGINE_MIRROR, ip(2, 0, 1), 53, ip(1, 0, 1), 5000, tell,
		    sizeof(tell) - 1);
		stamped(&r, 8);
		udp(&r, ENGINE_SUT, ip(9, 0, 1), 53, ip(1, 0, 1), 5000, tell,
		    sizeof(tell) - 1);
		CHECK(engine_stats(r.e)->verdict[VERDICT_IDENTICAL] == 1);
		CHECK(why(&r, LATENCY_SUT,
			  copies == 1 ? LATENCY_MEASURED : LATENCY_UNSURE) ==
		      1);
		CHECK(measured(&r)->side[LATENCY_PROD].first.max ==
		      (copies == 1 ? 5 * NS_PER_US : 0));
		CHECK(measured(&r)->side[LATENCY_SUT].first.max ==
		      (copies == 1 ? 8 * NS_PER_US : 0));
		check_sums(&r);
	}
}

/* What was measured since the last look at a clock that was set is not, nor what
 * was under way; behind it all is well.
 */
static void test_clock_step(void)
{
	for (int live = 0; live < 2; live++) {
		struct engine_item ev;
		struct rig r;
		uint32_t n = LEN(GET);
		uint32_t c = 1001;
		uint32_t s = 501;

		rig_start(&r, live);
		handshakes(&r);
		for (int i = 0; i < 4; i++, c += n, s += LEN(HEAD) + 5) {
			client(&r, c, s, TCP_ACK | TCP_PSH, GET);
			if (i == 2)
				engine_clock(r.e, -3 * (int64_t)NS_PER_SEC,
					     r.now);
			if (i == 0)
				engine_clock(r.e, 0, r.now);
			pass(&r, NS_PER_MS);
			production(&r, s, c + n, TCP_ACK, HEAD "12345");
			sut(&r, 1, s, c + n, TCP_ACK, HEAD "12345");
			if (i == 0)
				engine_clock(r.e, 0, r.now);
		}
		/* The second was measured, the third had begun. */
		CHECK(why(&r, LATENCY_SUT, LATENCY_CLOCK_STEP) == 2);
		CHECK(why(&r, LATENCY_SUT, LATENCY_MEASURED) == 2);
		CHECK(why(&r, LATENCY_PROD, LATENCY_MEASURED) ==
		      (live ? 2 : 4));
		CHECK(next_told(&r, &ev) && ev.kind == EVENT_CLOCK_STEP &&
		      ev.event->step_ns == -3 * (int64_t)NS_PER_SEC);
		check_sums(&r);
	}
}

/* Two clocks: production's stamps are later, or earlier, than they should be. */
static void test_skew(void)
{
	static const struct {
		uint64_t client;
		uint64_t production;
		bool skewed;
	} row[] = {
		{ 0, 40, false },   { 900, 0, false }, { 0, 900, false },
		{ 5000, 0, true },  { 0, 5000, true }, { 25000, 0, true },
		{ 0, 25000, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct rig r;

		rig_start(&r, true);
		stamped(&r, row[i].client);
		client(&r, 1000, 0, TCP_SYN, "");
		stamped(&r, row[i].production);
		production(&r, 500, 1001, TCP_SYN | TCP_ACK, "");
		sut(&r, 1, 500, 1001, TCP_SYN | TCP_ACK, "");
		stamped(&r, row[i].client);
		client(&r, 1001, 501, TCP_ACK | TCP_PSH, GET);
		stamped(&r, row[i].production);
		production(&r, 501, REQUEST, TCP_ACK, HEAD "12345");
		CHECK(latency_skewed(measured(&r)) == row[i].skewed);
		check_sums(&r);
	}
}

/* A few in a thousand do not spoil the others; then all is taken back. */
static void test_skew_share(void)
{
	struct latencies l = { .answers = { 1000, 10 } };
	struct latency_side *p = &l.side[LATENCY_PROD];

	CHECK(!latency_skewed(&l));
	l.answers.swapped++;
	CHECK(latency_skewed(&l));
	l.answers.swapped = 0;
	l.handshakes = (struct latency_pairs){ 10, 1 };
	CHECK(latency_skewed(&l));
	p->why[LATENCY_MEASURED] = 2;
	p->why[LATENCY_SKEW] = 1;
	hist_add(&p->last, 5);
	latency_distrust(p);
	CHECK(p->why[LATENCY_MEASURED] == 0 && p->why[LATENCY_SKEW] == 3);
	CHECK(p->last.count == 0);
}

static const struct check_test tests[] = {
	{ "the rules", test_rules },
	{ "a request and its answers in one batch", test_one_batch },
	{ "the last byte is the last to come", test_last_to_come },
	{ "the time of a connection, and our own delay", test_connection },
	{ "pipelined requests", test_pipelined },
	{ "messages that end by quiet", test_quiet },
	{ "what is not measured has its reason", test_reasons },
	{ "datagrams", test_datagrams },
	{ "the clock is set", test_clock_step },
	{ "stamps of two clocks", test_skew },
	{ "from which share on they are not believed", test_skew_share },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
