/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_owed.c - Unit test of engine/owed: how far the SUT is with a connection
 */
#include "engine_rig.h"

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define OK  "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"
#define TEN "0123456789"

static struct flow_key key_of(uint16_t cport, uint16_t pport)
{
	return (struct flow_key){ .client = ip(1, 0, 1),
				  .prod = ip(2, 0, 1),
				  .cport = cport,
				  .pport = pport };
}

static enum engine_owed owed(struct rig *r, uint32_t ahead, bool answers)
{
	struct flow_key k = key_of(5000, 80);

	return engine_owed(r->e, &k, ahead, answers);
}

static void test_one_leg(void)
{
	const uint32_t end = 1001 + sizeof(GET) - 1;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	CHECK(owed(&r, 0, true) == ENGINE_OVER); /* not known */
	client(&r, 1000, 0, TCP_SYN, "");
	CHECK(owed(&r, 0, false) == ENGINE_BUSY);
	handshakes(&r);
	CHECK(owed(&r, 0, true) == ENGINE_EVEN);
	client(&r, 1001, 501, TCP_ACK | TCP_PSH, GET);
	/* All has gone out; who waits for answers waits for this one. */
	CHECK(owed(&r, 0, false) == ENGINE_EVEN);
	CHECK(owed(&r, 0, true) == ENGINE_BUSY);
	sut(&r, 1, 501, end, TCP_ACK, "");
	CHECK(owed(&r, 0, true) == ENGINE_BUSY);
	production(&r, 501, end, TCP_ACK, OK);
	CHECK(owed(&r, sizeof(OK) - 1, false) == ENGINE_EVEN);
	CHECK(owed(&r, sizeof(OK) - 2, false) == ENGINE_AHEAD);
	CHECK(owed(&r, sizeof(OK) - 2, true) == ENGINE_BUSY);
	sut(&r, 1, 501, end, TCP_ACK, OK);
	CHECK(owed(&r, 0, false) == ENGINE_EVEN);
	/* Ahead of production is not behind it. */
	sut(&r, 1, 501 + sizeof(OK) - 1, end, TCP_ACK, TEN TEN TEN TEN TEN);
	CHECK(owed(&r, 0, true) == ENGINE_EVEN);
	production(&r, 501 + sizeof(OK) - 1, end, TCP_ACK, TEN TEN TEN TEN TEN);
	CHECK(owed(&r, 0, true) == ENGINE_EVEN);
	check_closed(&r);
}

/* A server that another one is compared with, of another port or address. */
static void test_other_maps(void)
{
	struct flow_key k = key_of(5000, 81);
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	handshakes(&r);
	CHECK(engine_owed(r.e, &k, 0, false) == ENGINE_OVER);
	k = key_of(5001, 80);
	CHECK(engine_owed(r.e, &k, 0, false) == ENGINE_OVER);
	k = key_of(5000, 80);
	k.prod = ip(2, 0, 2);
	CHECK(engine_owed(r.e, &k, 0, false) == ENGINE_OVER);
	check_closed(&r);
}

/* Of several legs the slowest counts. */
static void test_two_legs(void)
{
	const uint32_t end = 1001 + sizeof(GET) - 1;

	for (unsigned slow = 1; slow <= 2; slow++) {
		struct rig r;

		defaults(&r);
		add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
		add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 2), 0);
		start(&r);
		handshakes(&r);
		client(&r, 1001, 501, TCP_ACK | TCP_PSH, GET);
		production(&r, 501, end, TCP_ACK, OK TEN TEN TEN TEN TEN);
		sut(&r, 3 - slow, 501, end, TCP_ACK, OK TEN TEN TEN TEN TEN);
		CHECK(owed(&r, 0, true) == ENGINE_BUSY);
		CHECK(owed(&r, 0, false) == ENGINE_AHEAD);
		sut(&r, slow, 501, end, TCP_ACK, OK TEN TEN TEN TEN TEN);
		CHECK(owed(&r, 0, true) == ENGINE_EVEN);
		check_closed(&r);
	}
}

/* The SUT's window is shut: bytes wait for it. */
static void test_window(void)
{
	uint8_t buf[FRAME_LEN];
	struct tcp_header h = {
		.seq = 501, .ack = 1001, .flags = TCP_ACK, .win = 0
	};
	size_t n;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	handshakes(&r);
	memcpy(h.eth_src, mac_sut, ETH_LEN);
	n = make(buf, false, ip(9, 0, 1), 80, ip(1, 0, 1), 5000, h, "", 0);
	inject(&r, ENGINE_SUT, buf, n);
	client(&r, 1001, 501, TCP_ACK | TCP_PSH, GET);
	CHECK(owed(&r, 0, false) == ENGINE_BUSY);
	check_closed(&r);
}

static const struct check_test tests[] = {
	{ "one leg, from its SYN to its answer", test_one_leg },
	{ "connections that are not known", test_other_maps },
	{ "two legs", test_two_legs },
	{ "a shut window", test_window },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
