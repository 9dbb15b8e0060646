/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_dgram.c - Unit test of engine: datagrams, from the query to the verdict
 */
#include "engine_rig.h"

/* A DNS message about "a.": query, or answer with one address (RFC 1035). */
static size_t dns(uint8_t *p, uint16_t id, bool answer, uint8_t last)
{
	static const uint8_t question[] = { 1, 'a', 0, 0, 1, 0, 1 };
	const uint8_t record[] = { 0xc0, 12, 0, 1, 0,  1, 0, 0,
				   0,	 60, 0, 4, 10, 0, 0, last };
	size_t n = 12;

	memset(p, 0, 12);
	put_be16(p, id);
	put_be16(p + 2, answer ? 0x8180 : 0x0100);
	put_be16(p + 4, 1);
	put_be16(p + 6, answer);
	memcpy(p + n, question, sizeof(question));
	n += sizeof(question);
	if (answer) {
		memcpy(p + n, record, sizeof(record));
		n += sizeof(record);
	}
	return n;
}

static void query(struct rig *r, uint16_t id)
{
	uint8_t m[64];

	udp(r, ENGINE_MIRROR, ip(1, 0, 1), 5353, ip(2, 0, 1), 53, m,
	    dns(m, id, false, 0));
}

static void answer(struct rig *r, enum engine_source from, uint16_t id,
		   uint8_t last)
{
	uint8_t m[64];

	udp(r, from, from == ENGINE_SUT ? ip(9, 0, 1) : ip(2, 0, 1), 53,
	    ip(1, 0, 1), 5353, m, dns(m, id, true, last));
}

/* What the event on an unanswered query with this question calls it. */
static void asks(struct rig *r, const char *question, size_t len,
		 const char *text)
{
	struct engine_item ev;
	uint8_t m[512] = { 0 };
	uint16_t id = 77;

	put_be16(m, id);
	put_be16(m + 2, 0x0100);
	put_be16(m + 4, 1);
	memcpy(m + 12, question, len);
	udp(r, ENGINE_MIRROR, ip(1, 0, 1), 5353, ip(2, 0, 1), 53, m, 12 + len);
	put_be16(m + 2, 0x8180);
	udp(r, ENGINE_MIRROR, ip(2, 0, 1), 53, ip(1, 0, 1), 5353, m, 12 + len);
	pass(r, UDP_TIMEOUT + 2 * NS_PER_SEC);
	while (next_told(r, &ev) && ev.kind != EVENT_VERDICT)
		;
	CHECK_ROW(ev.kind == EVENT_VERDICT, text);
	CHECK_ROW(ev.text->request_len == strlen(text) &&
			  memcmp(ev.text->request, text, strlen(text)) == 0,
		  text);
}

static void test_question(void)
{
	static char many[4 * 64 + 5];
	static char text[RECORD_REQUEST + 1];
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
#define ASKS(question, text) asks(&r, question, sizeof(question) - 1, text)
	ASKS("\2n7\3lab\0\0\1\0\1", "n7.lab. A");
	ASKS("\0\0\2\0\1", ". NS");
	ASKS("\1a\0\0\34\0\1", "a. AAAA");
	ASKS("\1a\0\377\377\0\1", "a. TYPE65535");
	ASKS("\1a\0\0\0\0\1", "a. TYPE0");
	ASKS("\3a.b\2\\\33\0\0\1\0\1", "a\\.b.\\\\\33. A");
#undef ASKS
	/* As much as there is room for. */
	for (size_t i = 0; i < 4; i++) {
		many[64 * i] = 63;
		memset(many + 64 * i + 1, 'x', 63);
	}
	many[64 * 3] = 0; /* three labels: a name is at most 255 bytes */
	memcpy(many + 64 * 3 + 1, "\0\1\0\1", 4);
	memset(text, 'x', RECORD_REQUEST);
	text[63] = '.';
	asks(&r, many, 64 * 3 + 5, text);
	stop(&r);
	check_closed(&r);
}

static void test_dns(void)
{
	const struct engine_stats *st;
	struct engine_item ev;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
	st = engine_stats(r.e);
	query(&r, 11);
	query(&r, 12);
	query(&r, 13);
	query(&r, 14);
	CHECK(r.n == 4 && r.seen[0].kind == EFFECT_UDP);
	CHECK(r.n == 4 && r.seen[3].dport == 53 && r.seen[3].sport == 5353);
	CHECK(get_be16(r.data[2]) == 13);
	/* In any order, and the second one differs. */
	answer(&r, ENGINE_SUT, 12, 9);
	answer(&r, ENGINE_MIRROR, 11, 1);
	answer(&r, ENGINE_MIRROR, 12, 1);
	answer(&r, ENGINE_SUT, 11, 1);
	answer(&r, ENGINE_MIRROR, 13, 1);
	pass(&r, NS_PER_SEC);
	CHECK(st->verdict[VERDICT_IDENTICAL] == 1);
	CHECK(st->verdict[VERDICT_DIFFERENT] == 1);
	CHECK(next_told(&r, &ev) && ev.kind == EVENT_VERDICT &&
	      ev.exchange->verdict == VERDICT_DIFFERENT);
	CHECK(ev.text->request_len == 4 &&
	      memcmp(ev.text->request, "a. A", 4) == 0);
	pass(&r, UDP_TIMEOUT + NS_PER_SEC);
	CHECK(st->reason[VERDICT_DIFFERENT][REASON_UNANSWERED] == 1);  /* 13 */
	CHECK(st->reason[VERDICT_NOT_COMPARED][REASON_PROD_CUT] == 1); /* 14 */
	CHECK(count(&r)->client_datagram == 4);
	CHECK(count(&r)->production_datagram == 3);
	CHECK(count(&r)->sut_datagram == 2);
	query(&r, 15);
	stop(&r);
	CHECK(st->reason[VERDICT_NOT_COMPARED][REASON_RUN_ENDED] == 1);
	check_closed(&r);
}

static void test_datagrams(void)
{
	const struct engine_stats *st;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 0, ip(9, 0, 1), 0);
	start(&r);
	st = engine_stats(r.e);
	/* Of no protocol that is known: paired in order, compared as bytes. */
	for (int i = 0; i < 2; i++) {
		udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1), 9000,
		    "ask", 3);
		udp(&r, ENGINE_MIRROR, ip(2, 0, 1), 9000, ip(1, 0, 1), 5000,
		    "tell", 4);
		udp(&r, ENGINE_SUT, ip(9, 0, 1), 9000, ip(1, 0, 1), 5000,
		    i == 0 ? "tell" : "tall", 4);
	}
	pass(&r, NS_PER_SEC);
	CHECK(r.n == 2 && memcmp(r.data[1], "ask", 3) == 0);
	CHECK(st->verdict[VERDICT_IDENTICAL] == 1);
	CHECK(st->reason[VERDICT_DIFFERENT][REASON_BYTES] == 1);
	check_closed(&r);
}

static void test_quic(void)
{
	static const uint8_t initial[1200] = { 0xc3, 0, 0, 0, 1, 8 };
	static const uint8_t later[40] = { 0x41 };
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 0, ip(9, 0, 1), 0);
	start(&r);
	udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1), 443, initial,
	    1200);
	udp(&r, ENGINE_MIRROR, ip(2, 0, 1), 443, ip(1, 0, 1), 5000, initial,
	    1200);
	udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1), 443, later, 40);
	CHECK(count(&r)->quic == 3 && r.n == 0);
	CHECK(count(&r)->client_datagram == 0);
	udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1), 444, later, 40);
	CHECK(count(&r)->quic == 3 && r.n == 1);
	stop(&r);
	check_closed(&r);
}

/* One answer of each server, in two fragments. */
static void answer_in_parts(struct rig *r, enum engine_source from,
			    const uint8_t *m, uint32_t len, bool swapped)
{
	struct tcp_header h = { .src = from == ENGINE_SUT ? ip(9, 0, 1)
							  : ip(2, 0, 1),
				.dst = ip(1, 0, 1),
				.sport = 53,
				.dport = 5353,
				.ttl = 64 };
	uint8_t f[2][FRAME_LEN];
	size_t n[2];

	memcpy(h.eth_src, from == ENGINE_SUT ? mac_sut : mac_a, ETH_LEN);
	memcpy(h.eth_dst, mac_own, ETH_LEN);
	h.ip_id = get_be16(m);
	n[0] = build_udp_fragment(f[0], &h, m, len, 0, 16);
	n[1] = build_udp_fragment(f[1], &h, m, len, 16, len - 16);
	memcpy(f[0] + n[0], m, 16);
	memcpy(f[1] + n[1], m + 16, len - 16);
	n[0] += 16;
	n[1] += len - 16;
	inject(r, from, f[swapped], n[swapped]);
	inject(r, from, f[!swapped], n[!swapped]);
}

static void test_answers_in_fragments(void)
{
	struct rig r;
	uint8_t m[64];

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
	for (unsigned i = 0; i < 4; i++) {
		query(&r, (uint16_t)(20 + i));
		answer_in_parts(&r, ENGINE_MIRROR, m,
				(uint32_t)dns(m, (uint16_t)(20 + i), true, 1),
				i & 1);
		answer_in_parts(&r, ENGINE_SUT, m,
				(uint32_t)dns(m, (uint16_t)(20 + i), true,
					      i == 3 ? 2 : 1),
				i & 2);
	}
	CHECK(engine_stats(r.e)->verdict[VERDICT_IDENTICAL] == 3);
	CHECK(engine_stats(r.e)->verdict[VERDICT_DIFFERENT] == 1);
	stop(&r);
	check_closed(&r);
}

static void test_datagrams_not_compared(void)
{
	struct rig r;

	defaults(&r);
	r.cfg.compare = COMPARE_NONE;
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
	query(&r, 1);
	answer(&r, ENGINE_MIRROR, 1, 1);
	answer(&r, ENGINE_SUT, 1, 2);
	pass(&r, NS_PER_SEC);
	CHECK(engine_stats(r.e)
		      ->reason[VERDICT_NOT_COMPARED][REASON_LEVEL_NONE] == 1);
	CHECK(engine_stats(r.e)->verdict[VERDICT_DIFFERENT] == 0);
	check_closed(&r);
}

/* A SUT's datagram that is a beginning of production's, and the other way. */
static void test_datagrams_of_other_length(void)
{
	const struct engine_stats *st;
	struct engine_item ev;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 0, ip(9, 0, 1), 0);
	start(&r);
	st = engine_stats(r.e);
	for (unsigned i = 0; i < 2; i++) {
		udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1), 9000,
		    "ask", 3);
		udp(&r, ENGINE_MIRROR, ip(2, 0, 1), 9000, ip(1, 0, 1), 5000,
		    "tell", 3 + i);
		udp(&r, ENGINE_SUT, ip(9, 0, 1), 9000, ip(1, 0, 1), 5000,
		    "tell", 4 - i);
	}
	pass(&r, NS_PER_SEC);
	CHECK(st->reason[VERDICT_DIFFERENT][REASON_BYTES] == 2);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(next_told(&r, &ev) && ev.exchange->offset == 3);
		CHECK(ev.exchange->bytes[0] == 3 + i);
		CHECK(ev.exchange->bytes[1] == 4 - i);
		CHECK(ev.exchange->client_port == 5000 &&
		      ev.exchange->prod_port == 9000);
		CHECK(ev.text->request_len == 0);
	}
	check_closed(&r);
}

/* Questions that cannot be read have no words. */
static void test_no_question(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
#define ASKS(question) asks(&r, question, sizeof(question) - 1, "")
	ASKS("");
	ASKS("\300\14\0\1\0\1");
	ASKS("\2n");
	ASKS("\1a");
	ASKS("\1a\0\0\1\0");
	ASKS("\100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	     "aaa"
	     "\0\0\1\0\1");
#undef ASKS
	check_closed(&r);
}

/* Events that nobody fetches: the oldest stay, the others are counted. */
static void test_events_lost(void)
{
	struct engine_item ev;
	unsigned n = 0;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
	for (uint16_t i = 0; i < 700; i++) {
		query(&r, i);
		answer(&r, ENGINE_MIRROR, i, 1);
		answer(&r, ENGINE_SUT, i, 2);
		pass(&r, NS_PER_MS);
	}
	CHECK(engine_stats(r.e)->verdict[VERDICT_DIFFERENT] == 700);
	while (next_told(&r, &ev))
		n++;
	CHECK(n > 0 && n + count(&r)->events_lost == 700);
	CHECK(count(&r)->events_lost > 0);
	check_closed(&r);
}

/* A capture taken on the host that sent the frame: no checksum yet. */
static void test_datagram_port(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 9000, ip(9, 0, 1), 9001);
	start(&r);
	udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1), 9000, "ask", 3);
	CHECK(r.n == 1 && r.seen[0].dport == 9001);
	udp(&r, ENGINE_MIRROR, ip(2, 0, 1), 9000, ip(1, 0, 1), 5000, "tell", 4);
	udp(&r, ENGINE_SUT, ip(9, 0, 1), 9001, ip(1, 0, 1), 5000, "tell", 4);
	udp(&r, ENGINE_SUT, ip(9, 0, 1), 9000, ip(1, 0, 1), 5000, "tell", 4);
	pass(&r, NS_PER_SEC);
	CHECK(engine_stats(r.e)->verdict[VERDICT_IDENTICAL] == 1);
	CHECK(count(&r)->sut_datagram == 1 && count(&r)->absorbed == 1);
	check_closed(&r);
}

/* A datagram that the sink did not take, and one of a served port that nobody
 * asked for.
 */
static void test_unsent_datagram(void)
{
	struct effects out = { .n = 0 };
	uint8_t buf[FRAME_LEN];
	struct tcp_header h = { .seq = 0 };
	struct frame_info in = { .data = buf, .link = LINK_ETHERNET };
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 0, ip(9, 0, 1), 0);
	start(&r);
	memcpy(h.eth_src, mac_a, ETH_LEN);
	in.cap = in.wire = (uint32_t)make(buf, true, ip(1, 0, 1), 5000,
					  ip(2, 0, 1), 9000, h, "ask", 3);
	engine_frame(r.e, ENGINE_MIRROR, &in, r.now, &out);
	CHECK(out.n == 1 && out.e[0].kind == EFFECT_UDP);
	engine_unsent(r.e, &out.e[0]);
	engine_sent(r.e, &out.e[0]);
	CHECK(engine_udp(r.e)->unsent == 1);
	udp(&r, ENGINE_SUT, ip(9, 0, 1), 9000, ip(1, 0, 1), 5000, "eh", 2);
	CHECK(count(&r)->sut_datagram == 1 && r.n == 0);
	check_closed(&r);
}

/* What a report calls the SUT's end is where the query went. */
static void test_sut_port_is_told(void)
{
	struct engine_item ev;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 9000, ip(9, 0, 1), 9001);
	start(&r);
	udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1), 9000, "ask", 3);
	r.now += NS_PER_MS;
	udp(&r, ENGINE_MIRROR, ip(2, 0, 1), 9000, ip(1, 0, 1), 5000, "tell", 4);
	r.now += NS_PER_MS;
	udp(&r, ENGINE_SUT, ip(9, 0, 1), 9001, ip(1, 0, 1), 5000, "tall", 4);
	CHECK(next_told(&r, &ev) && ev.kind == EVENT_VERDICT);
	CHECK(ev.exchange->sut_port == 9001 && ev.exchange->prod_port == 9000);
	CHECK(ipaddr_eq(&ev.exchange->sut, &r.cfg.map[0].sut));
	CHECK(ev.exchange->first_ns[0] == NS_PER_MS &&
	      ev.exchange->first_ns[1] == 2 * NS_PER_MS);
	CHECK(ev.exchange->offset == 1);
	check_closed(&r);
}

/* Production's answer that the capture has not whole is not compared, and is no
 * missing one.
 */
static void test_answer_not_captured_whole(void)
{
	const struct engine_stats *st;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 0, ip(9, 0, 1), 0);
	start(&r);
	st = engine_stats(r.e);
	query(&r, 7);
	udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1), 9000, "ask", 3);
	r.missed = 2;
	answer(&r, ENGINE_MIRROR, 7, 1);
	udp(&r, ENGINE_MIRROR, ip(2, 0, 1), 9000, ip(1, 0, 1), 5000, "tell", 4);
	r.missed = 0;
	answer(&r, ENGINE_SUT, 7, 2);
	udp(&r, ENGINE_SUT, ip(9, 0, 1), 9000, ip(1, 0, 1), 5000, "tall", 4);
	CHECK(st->reason[VERDICT_NOT_COMPARED][REASON_PROD_GAP] == 2);
	CHECK(st->verdict[VERDICT_DIFFERENT] == 0);
	CHECK(engine_udp(r.e)->answer_cut == 2);
	/* Nor is a query played that is not whole. */
	r.missed = 2;
	query(&r, 8);
	CHECK(r.n == 2 && engine_udp(r.e)->query_cut == 1);
	check_closed(&r);
}

/* An answer for which there is no memory. */
static void test_no_memory(void)
{
	static char big[1400];
	const struct engine_stats *st;
	struct rig r;

	defaults(&r);
	r.cfg.limits.flows = 4096;
	add_map(&r, ip(2, 0, 1), 32, 0, ip(9, 0, 1), 0);
	start(&r);
	st = engine_stats(r.e);
	for (uint16_t i = 0; i < 4000; i++) {
		if (engine_udp(r.e)->query_pool_full > 0)
			break;
		udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000 + i, ip(2, 0, 1), 9000,
		    big, sizeof(big));
	}
	udp(&r, ENGINE_MIRROR, ip(2, 0, 1), 9000, ip(1, 0, 1), 5000, big,
	    sizeof(big));
	udp(&r, ENGINE_SUT, ip(9, 0, 1), 9000, ip(1, 0, 1), 5000, big,
	    sizeof(big));
	CHECK(engine_udp(r.e)->answer_pool_full == 2);
	CHECK(st->reason[VERDICT_NOT_COMPARED][REASON_NO_MEMORY] == 1);
	check_closed(&r);
}

/* A table with room for one exchange. */
static void test_pushed_out(void)
{
	struct rig r;

	defaults(&r);
	r.cfg.limits.flows = 1;
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
	query(&r, 1);
	query(&r, 2);
	CHECK(engine_stats(r.e)
		      ->reason[VERDICT_NOT_COMPARED][REASON_NOT_PLAYED] == 1);
	CHECK(engine_udp(r.e)->evicted == 1);
	answer(&r, ENGINE_MIRROR, 2, 1);
	answer(&r, ENGINE_SUT, 2, 1);
	CHECK(engine_stats(r.e)->verdict[VERDICT_IDENTICAL] == 1);
	check_closed(&r);
}

/* The SUT alone answers: production's answer was not seen. */
static void test_only_the_sut_answers(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
	query(&r, 1);
	answer(&r, ENGINE_SUT, 1, 1);
	pass(&r, UDP_TIMEOUT + NS_PER_SEC);
	CHECK(engine_stats(r.e)
		      ->reason[VERDICT_NOT_COMPARED][REASON_PROD_CUT] == 1);
	CHECK(engine_udp(r.e)->no_production == 1);
	check_closed(&r);
}

/* More exchanges are open at the end than are reported in one go. */
static void test_many_at_the_end(void)
{
	struct rig r;
	uint64_t n;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
	for (unsigned i = 0; i < 2 * UDP_PAIRS + 1; i++)
		query(&r, (uint16_t)i);
	stop(&r);
	n = engine_stats(r.e)->reason[VERDICT_NOT_COMPARED][REASON_RUN_ENDED];
	CHECK(n == 2 * UDP_PAIRS + 1 && engine_udp(r.e)->pairs_lost == 0);
	check_closed(&r);
}

/* A SUT that answers no connection gets no datagrams. */
static void test_silent_sut(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 0, ip(9, 0, 1), 0);
	start(&r);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80);
	pass(&r, SHADOW_SUT_SILENT + 2 * NS_PER_SEC);
	CHECK(shadow_is_silent((struct shadow *)(uintptr_t)engine_shadow(r.e),
			       0));
	query(&r, 1);
	CHECK(count(&r)->datagrams_not_played == 1);
	CHECK(engine_udp(r.e)->queries == 1 && engine_udp(r.e)->forwarded == 0);
	check_closed(&r);
}

/* A message that asks nothing has no words, and is paired all the same. */
static void test_no_questions(void)
{
	struct engine_item ev;
	uint8_t m[12] = { 0, 9, 1, 0 };
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
	m[6] = 1; /* and claims to answer, which is nothing to a query */
	udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5353, ip(2, 0, 1), 53, m, 12);
	m[6] = 0;
	m[2] = 0x81;
	udp(&r, ENGINE_MIRROR, ip(2, 0, 1), 53, ip(1, 0, 1), 5353, m, 12);
	m[3] = 2;
	udp(&r, ENGINE_SUT, ip(9, 0, 1), 53, ip(1, 0, 1), 5353, m, 12);
	CHECK(next_told(&r, &ev) && ev.exchange->reason == REASON_STATUS);
	CHECK(ev.text->request_len == 0);
	check_closed(&r);
}

static const struct check_test tests[] = {
	{ "a question in words", test_question },
	{ "DNS", test_dns },
	{ "other datagrams", test_datagrams },
	{ "QUIC", test_quic },
	{ "answers in fragments", test_answers_in_fragments },
	{ "datagrams that are not compared", test_datagrams_not_compared },
	{ "datagrams of another length", test_datagrams_of_other_length },
	{ "questions without words", test_no_question },
	{ "events that nobody fetches", test_events_lost },
	{ "the SUT's port of a datagram", test_datagram_port },
	{ "a datagram that was not sent", test_unsent_datagram },
	{ "the SUT's port of a difference", test_sut_port_is_told },
	{ "answers that were not captured whole",
	  test_answer_not_captured_whole },
	{ "no memory for an answer", test_no_memory },
	{ "pushed out of a full table", test_pushed_out },
	{ "production's answer was not seen", test_only_the_sut_answers },
	{ "many open exchanges at the end", test_many_at_the_end },
	{ "a silent SUT", test_silent_sut },
	{ "a message that asks nothing", test_no_questions },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
