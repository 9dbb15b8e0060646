/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_framer.c - Choice of the framer, and the one that knows nothing
 */
#include "app/framer.h"

#include <string.h>

#include "check.h"

#define S(text) (const uint8_t *)(text), sizeof(text) - 1

static void test_guess(void)
{
	static const struct {
		const char *name;
		uint16_t port;
		const uint8_t *p;
		size_t n;
		const struct framer_ops *want;
	} rows[] = {
		{ "HTTP on 80", 80, S("GET / HTTP/1.1\r\n"), &framer_http1 },
		{ "HTTP on any port", 7, S("POST /x"), &framer_http1 },
		{ "first byte only", 80, S("G"), &framer_http1 },
		{ "port 53", 53, S("\0\x1d"), &framer_dns_tcp },
		{ "TLS", 443, S("\x16\x03\x01\0\x05\1"), &framer_quiet },
		{ "HTTP/2", 80, S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		  &framer_quiet },
		{ "memcached", 80, S("get key\r\n"), &framer_quiet },
		{ "redis", 80, S("*1\r\n$4\r\nPING\r\n"), &framer_redis },
		{ "a dump", 80, S("\0\0\0\0"), &framer_quiet },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(framer_guess(rows[i].port, rows[i].p,
				       (uint32_t)rows[i].n) == rows[i].want,
			  rows[i].name);
}

static void test_tls(void)
{
	static const struct {
		const char *name;
		const uint8_t *p;
		size_t n;
		int want;
	} rows[] = {
		{ "nothing yet", S(""), -1 },
		{ "type", S("\x16"), -1 },
		{ "version", S("\x16\x03\x01"), -1 },
		{ "length", S("\x16\x03\x01\x02\x00"), -1 },
		{ "ClientHello", S("\x16\x03\x01\x02\x00\x01"), 1 },
		{ "version 3.4", S("\x16\x03\x04\x40\x00\x01\x00"), 1 },
		{ "other type", S("\x17"), 0 },
		{ "other version", S("\x16\x02"), 0 },
		{ "version 3.5", S("\x16\x03\x05"), 0 },
		{ "too long", S("\x16\x03\x01\x40\x01"), 0 },
		{ "far too long", S("\x16\x03\x01\x41"), 0 },
		{ "too short", S("\x16\x03\x01\x00\x03"), 0 },
		{ "ServerHello", S("\x16\x03\x01\x02\x00\x02"), 0 },
		{ "HTTP", S("GET / HTTP/1.1"), 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(framer_is_tls(rows[i].p, (uint32_t)rows[i].n) ==
				  rows[i].want,
			  rows[i].name);
}

static void test_quiet_makes_no_marks(void)
{
	struct framer_piece piece;
	uint64_t state;

	framer_quiet.init(&state, false);
	framer_quiet.feed(&state, WHO_SUT, S("GET / HTTP/1.1\r\n\r\n"), &piece);
	CHECK(piece.used == 18 && piece.part == FRAMER_OPAQUE);
	CHECK(piece.flags == 0 && piece.index == 0);
	CHECK(framer_quiet.fin(&state, WHO_SUT) == 0);
	CHECK(framer_quiet.skip(&state, WHO_SUT, 9));
	CHECK(framer_quiet.begins(S("x")));
}

static void test_state_fits_a_flow(void)
{
	static const struct framer_ops *const all[] = { &framer_http1,
							&framer_dns_tcp,
							&framer_quiet };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		CHECK_ROW(all[i]->size <= FRAMER_STATE_MAX, all[i]->name);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "guess", test_guess },
		{ "TLS", test_tls },
		{ "quiet makes no marks", test_quiet_makes_no_marks },
		{ "state fits a flow", test_state_fits_a_flow },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
