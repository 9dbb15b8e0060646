/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_record.c - Unit test of engine/record: one record for each verdict, what a full
 * ring refuses, and which records are of one connection
 */
#include "compare/protocol.h"
#include "engine_rig.h"

#define PROD   ip(2, 0, 1)
#define CLIENT ip(1, 0, 1)
#define PORT   9000
#define ASKED  40000 /* a client's first port */

static uint64_t refused(const struct rig *r)
{
	const struct record_counts *c = &engine_stats(r->e)->records;
	uint64_t n = 0;

	for (int v = 0; v < VERDICT_COUNT; v++)
		n += c->refused[v];
	return n;
}

/* One exchange of datagrams: production answers "tell", SUT @sut @answer. */
static void ask(struct rig *r, uint16_t cport, const char *answer)
{
	udp(r, ENGINE_MIRROR, CLIENT, cport, PROD, PORT, "ask", 3);
	udp(r, ENGINE_MIRROR, PROD, PORT, CLIENT, cport, "tell", 4);
	udp(r, ENGINE_SUT, ip(9, 0, 1), PORT, CLIENT, cport, answer, 4);
}

/* Every kind of verdict is a record; the text stands with differences alone. */
static void every_verdict(void)
{
	unsigned seen[VERDICT_COUNT] = { 0 };
	struct engine_item t;
	struct rig r;

	defaults(&r);
	add_map(&r, PROD, 32, 0, ip(9, 0, 1), 0);
	start(&r);
	ask(&r, ASKED, "tell");
	ask(&r, ASKED + 1, "tall");
	udp(&r, ENGINE_MIRROR, CLIENT, ASKED + 2, PROD, PORT, "ask", 3);
	pass(&r, 2 * UDP_TIMEOUT);
	while (engine_take(r.e, &t)) {
		const struct exchange_record *x = t.exchange;

		CHECK(t.kind == EVENT_VERDICT && x->udp && x->flow == 0);
		CHECK((t.text != NULL) == (x->verdict == VERDICT_DIFFERENT));
		CHECK(x->has_text == (t.text != NULL));
		CHECK(x->protocol == PROTOCOL_DATAGRAM);
		CHECK(x->conn == x->client_port - ASKED + 1u);
		CHECK(ipaddr_eq(&x->sut, &r.cfg.map[0].sut));
		CHECK(x->asked != 0 && x->judged >= x->asked);
		seen[x->verdict]++;
	}
	CHECK(seen[VERDICT_IDENTICAL] == 1 && seen[VERDICT_DIFFERENT] == 1 &&
	      seen[VERDICT_NOT_COMPARED] == 1);
	CHECK(engine_stats(r.e)->records.put == 3 && refused(&r) == 0);
	check_closed(&r);
}

/* A record that was handed on is read as it was. */
static void read_again(void)
{
	_Alignas(8) uint8_t copy[2048];
	struct compare_result res;
	struct engine_item t;
	struct engine_item again;
	struct rig r;

	defaults(&r);
	add_map(&r, PROD, 32, 0, ip(9, 0, 1), 0);
	start(&r);
	ask(&r, ASKED, "tall");
	CHECK(next_told(&r, &t) && t.len <= sizeof(copy));
	memcpy(copy, t.bytes, t.len);
	CHECK(!engine_take(r.e, &t));
	item_read(&again, copy, t.len);
	CHECK(again.kind == EVENT_VERDICT && again.event == NULL);
	CHECK(again.text != NULL && again.text->request_len == 0);
	item_result(&again, &res);
	CHECK(res.verdict == VERDICT_DIFFERENT && res.reason == REASON_BYTES);
	CHECK(res.reasons == reason_bit(REASON_BYTES));
	CHECK(res.offset == 1 && res.bytes[0] == 4 && res.bytes[1] == 4);
	check_closed(&r);
}

/* What is told has an eighth of the ring of its own. */
static void full(void)
{
	const uint32_t most = RECORDS_ROOM / sizeof(struct exchange_record);
	const struct record_counts *c;
	uint64_t put;
	unsigned told = 0;
	unsigned n = 0;
	struct engine_item t;
	struct rig r;

	defaults(&r);
	add_map(&r, PROD, 32, 0, ip(9, 0, 1), 0);
	start(&r);
	c = &engine_stats(r.e)->records;
	for (uint32_t i = 0; i < most; i++) {
		ask(&r, (uint16_t)(ASKED + i), "tell");
		pass(&r, NS_PER_MS);
	}
	put = c->put;
	CHECK(put > most * 3 / 4 && put < most * 7 / 8);
	CHECK(c->refused[VERDICT_IDENTICAL] == most - put);
	CHECK(count(&r)->events_lost == 0);
	/* Differences still find room, until there is none for them either. */
	for (uint32_t i = 0; i < 200; i++) {
		ask(&r, (uint16_t)(ASKED + most + i), "tall");
		pass(&r, NS_PER_MS);
	}
	CHECK(c->put - put > 32 && c->refused[VERDICT_DIFFERENT] > 0);
	CHECK(count(&r)->events_lost == c->refused[VERDICT_DIFFERENT]);
	while (engine_take(r.e, &t)) {
		told += t.text != NULL;
		n++;
	}
	CHECK(n == c->put && told == c->put - put);
	CHECK(n + refused(&r) == most + 200);
	/* And then there is room again. */
	ask(&r, ASKED - 1, "tell");
	CHECK(engine_take(r.e, &t) && t.exchange->client_port == ASKED - 1);
	check_closed(&r);
}

/* A client's query is one, whoever answers it. */
static void legs_of_a_query(void)
{
	struct engine_item t;
	struct rig r;

	defaults(&r);
	add_map(&r, PROD, 32, 0, ip(9, 0, 1), 0);
	add_map(&r, PROD, 32, 0, ip(9, 0, 2), 0);
	start(&r);
	for (unsigned i = 1; i <= 2; i++) {
		udp(&r, ENGINE_MIRROR, CLIENT, ASKED, PROD, PORT, "ask", 3);
		pass(&r, 2 * UDP_TIMEOUT);
		for (unsigned leg = 0; leg < 2; leg++)
			CHECK(engine_take(r.e, &t) && t.exchange->conn == i &&
			      t.exchange->map == leg);
	}
	CHECK(!engine_take(r.e, &t));
	check_closed(&r);
}

static void connect(struct rig *r, uint16_t cport, uint32_t iss)
{
	tcp(r, CLIENT, cport, PROD, 80, iss, 0, TCP_SYN, "");
	tcp(r, PROD, 80, CLIENT, cport, 500, iss + 1, TCP_SYN | TCP_ACK, "");
	tcp(r, CLIENT, cport, PROD, 80, iss + 1, 501, TCP_ACK, "");
	tcp(r, CLIENT, cport, PROD, 80, iss + 1, 501, TCP_ACK,
	    "GET / HTTP/1.1\r\n\r\n");
}

/* The legs of a connection have its number, and each has its own; another one, also
 * of the same addresses, has another.
 */
static void legs_of_a_connection(void)
{
	uint64_t conn[3][2] = { { 0 } };
	uint64_t flow[3][2] = { { 0 } };
	struct engine_item t;
	unsigned n = 0;
	struct rig r;

	defaults(&r);
	add_map(&r, PROD, 32, 80, ip(9, 0, 1), 0);
	add_map(&r, PROD, 32, 80, ip(9, 0, 2), 0);
	start(&r);
	connect(&r, 5000, 1000);
	connect(&r, 5001, 1000);
	tcp(&r, CLIENT, 5000, PROD, 80, 1019, 501, TCP_RST | TCP_ACK, "");
	pass(&r, NS_PER_SEC);
	connect(&r, 5000, 900000);
	stop(&r);
	while (engine_take(r.e, &t)) {
		const struct exchange_record *x = t.exchange;
		unsigned k = 0;

		if (t.kind != EVENT_VERDICT)
			continue;
		if (x->client_port == 5000)
			k = conn[0][x->map] != 0 ? 2 : 0;
		else
			k = 1;
		CHECK(x->protocol == PROTOCOL_HTTP1 && !x->udp);
		conn[k][x->map] = x->conn;
		flow[k][x->map] = x->flow;
		n++;
	}
	CHECK(n == 6);
	for (unsigned k = 0; k < 3; k++) {
		CHECK(conn[k][0] == flow[k][0] && conn[k][1] == conn[k][0]);
		CHECK(flow[k][1] == flow[k][0] + 1);
	}
	CHECK(conn[0][0] != conn[1][0] && conn[0][0] != conn[2][0] &&
	      conn[1][0] != conn[2][0]);
	check_closed(&r);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "every verdict is a record", every_verdict },
		{ "a record that was handed on", read_again },
		{ "a full ring refuses and counts", full },
		{ "legs of a query", legs_of_a_query },
		{ "legs of a connection", legs_of_a_connection },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
