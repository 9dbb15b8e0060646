/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_quic.c - Unit test of app/quic.h
 */
#include "app/quic.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

/* The first @n bytes of @p, in a copy of this size. */
static bool is(const void *p, uint32_t n, uint16_t port)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	bool r;

	memcpy(copy, p, n);
	r = quic_is(copy, n, port);
	free(copy);
	return r;
}

static void long_headers_are_known_on_any_port(void)
{
	static const struct {
		const char *bytes;
		uint32_t n;
		bool any; /* on a port that is not 443 */
		bool https;
	} rows[] = {
		/* RFC 9001 appendix A.2: a client's Initial */
		{ "\xc0\0\0\0\1\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08\0\0", 16,
		  true, true },
		/* RFC 9369 appendix A.2 */
		{ "\xd3\x6b\x33\x43\xcf\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08"
		  "\0\0",
		  16, true, true },
		{ "\xc0\xff\0\0\x1d\0\0", 7, true, true },
		{ "\xc0\x1a\x2a\x3a\x4a\0\0", 7, true, true },
		{ "\xc0\0\0\0\3\0\0", 7, false, false },   /* no version */
		{ "\x80\0\0\0\1\0\0", 7, false, false },   /* no fixed bit */
		{ "\x80\0\0\0\0\0\0", 7, false, true },	   /* versions */
		{ "\xc0\0\0\0\1\x15\0", 7, false, false }, /* too long */
		{ "\xc0\0\0\0\1\1\0", 7, false, false },   /* too short */
		{ "\xc0\0\0\0\1\0\x15", 7, false, false },
		{ "\xc0\0\0\0\1\0", 6, false, false },
		{ "", 0, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK(is(rows[i].bytes, rows[i].n, 4433) == rows[i].any);
		CHECK(is(rows[i].bytes, rows[i].n, 443) == rows[i].https);
	}
}

static void short_headers_are_believed_on_443_alone(void)
{
	uint8_t p[21] = { 0x40 };

	CHECK(is(p, 21, 443) && !is(p, 20, 443) && !is(p, 21, 4433));
	p[0] = 0x3f;
	CHECK(!is(p, 21, 443));
}

/* What else is spoken on any port. */
static void others_are_not(void)
{
	static const char *const others[] = {
		"\x80\x60\x12\x34\0\0\0\1\0\0\0\2", /* RTP */
		"\x12\x34\x01\x00\0\1\0\0\0\0\0\0", /* DNS */
		/* A resolver's query, whose number is such. */
		"\xc0\xff\x00\x00\0\1\0\0\0\0\0\0",
		"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0",	    /* DTLS */
		"\x00\x01\x00\x00\x21\x12\xa4\x42\0\0\0\0", /* STUN */
		"\xe3\x00\x04\xfa\0\1\0\0\0\1\0\0",	    /* NTP */
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		CHECK(!is(others[i], 12, 4433));
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "long headers are known on any port",
		  long_headers_are_known_on_any_port },
		{ "short headers are believed on 443 alone",
		  short_headers_are_believed_on_443_alone },
		{ "others are not", others_are_not },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
