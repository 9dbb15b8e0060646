/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_dns.c - DNS over TCP, and what pairs messages
 */
#include "app/framer.h"

#include <errno.h>

#include "check.h"
#include "framer_trace.h"

#define M(text)                                                                \
	{                                                                      \
		(const uint8_t *)(text), sizeof(text) - 1                      \
	}

struct bytes {
	const uint8_t *p;
	size_t n;
};

static uint64_t state[FRAMER_STATE_MAX / 8];

static void test_streams(void)
{
	static const struct {
		const char *name;
		struct bytes in;
		const char *want;
		uint16_t fin;
	} rows[] = {
		{ "two messages", M("\0\3abc\0\1x"), "F2B3.F2B1.", 0 },
		{ "empty message", M("\0\0\0\1x"), "F2.F2B1.", 0 },
		{ "long message", M("\1\0x"), "F2B1", FRAMER_TUNNEL },
		{ "half a length", M("\0\1x\0"), "F2B1.F1", FRAMER_TUNNEL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned k = 0; k < 10; k++) {
			struct rng rng = { k };
			struct trace t = { 0 };

			framer_dns_tcp.init(state, false);
			trace_feed(&t, &framer_dns_tcp, state, WHO_SUT,
				   rows[i].in.p, rows[i].in.n,
				   k < 2 ? (enum cut)k : CUT_RANDOM, &rng);
			CHECK_ROW(strcmp(trace_end(&t), rows[i].want) == 0,
				  rows[i].name);
			CHECK_ROW(t.errors == 0, rows[i].name);
			CHECK_ROW(framer_dns_tcp.fin(state, WHO_SUT) ==
					  rows[i].fin,
				  rows[i].name);
		}
	}
}

static void test_holes(void)
{
	struct framer_piece piece;
	const uint8_t *p = (const uint8_t *)"\0\12abc";

	framer_dns_tcp.init(state, false);
	framer_dns_tcp.feed(state, WHO_PROD, p, 5, &piece);
	CHECK(piece.used == 2 && piece.flags == FRAMER_BEGIN);
	CHECK(framer_dns_tcp.skip(state, WHO_PROD, 9));
	framer_dns_tcp.feed(state, WHO_PROD, p + 2, 3, &piece);
	CHECK(piece.used == 1 && piece.flags == FRAMER_MARK);
	CHECK(!framer_dns_tcp.skip(state, WHO_PROD, 1));
	framer_dns_tcp.feed(state, WHO_PROD, p, 5, &piece);
	CHECK(piece.part == FRAMER_OPAQUE && piece.used == 5);
	framer_dns_tcp.resync(state, WHO_PROD, 4);
	framer_dns_tcp.feed(state, WHO_PROD, p, 5, &piece);
	CHECK(piece.part == FRAMER_FRAMING && piece.index == 4);
}

#define HEAD(qr, count) "\x12\x34" qr "\0\0" count "\0\0\0\0\0\0"
#define END		"\0\1\0\1"

/* The question of each must be that of "a.bc IN A", or not, or be refused. */
static const struct {
	const char *name;
	struct bytes in;
	int ret;
	bool same;
	bool response;
} questions[] = {
	{ "query", M(HEAD("\0", "\1") "\1a\2bc\0" END), 0, true, false },
	{ "answer", M(HEAD("\x80", "\1") "\1a\2bc\0" END), 0, true, true },
	{ "capitals", M(HEAD("\0", "\1") "\1A\2bC\0" END), 0, true, false },
	{ "bytes behind it", M(HEAD("\0", "\1") "\1a\2bc\0" END "xx"), 0, true,
	  false },
	{ "other name", M(HEAD("\0", "\1") "\1b\2bc\0" END), 0, false, false },
	{ "other labels", M(HEAD("\0", "\1") "\2ab\1c\0" END), 0, false,
	  false },
	{ "other type", M(HEAD("\0", "\1") "\1a\2bc\0\0\2\0\1"), 0, false,
	  false },
	{ "no question", M(HEAD("\0", "\0")), 0, false, false },
	{ "root", M(HEAD("\0", "\1") "\0" END), 0, false, false },
	{ "two questions, one compressed",
	  M(HEAD("\0", "\2") "\1a\2bc\0" END "\1x\xc0\x0c" END), 0, false,
	  false },
	{ "header cut", M("\x12\x34\0\0\0\1\0\0\0\0\0"), -EBADMSG, false,
	  false },
	{ "no name", M(HEAD("\0", "\1")), -EBADMSG, false, false },
	{ "label cut", M(HEAD("\0", "\1") "\5abcd"), -EBADMSG, false, false },
	{ "name not ended", M(HEAD("\0", "\1") "\1a"), -EBADMSG, false, false },
	{ "type cut", M(HEAD("\0", "\1") "\1a\0\0\1\0"), -EBADMSG, false,
	  false },
	{ "pointer to itself", M(HEAD("\0", "\1") "\xc0\x0c" END), -EBADMSG,
	  false, false },
	{ "pointer forward", M(HEAD("\0", "\1") "\xc0\x0e\0" END), -EBADMSG,
	  false, false },
	{ "pointer into the header", M(HEAD("\0", "\1") "\xc0\x04" END),
	  -EBADMSG, false, false },
	{ "pointer into its own name", M(HEAD("\0", "\1") "\1a\xc0\x0c" END),
	  -EBADMSG, false, false },
	{ "pointer cut", M(HEAD("\0", "\1") "\xc0"), -EBADMSG, false, false },
	{ "two names pointing at each other",
	  M(HEAD("\0", "\2") "\1a\0" END "\xc0\x13\xc0\x13" END), -EBADMSG,
	  false, false },
	{ "label type 01", M(HEAD("\0", "\1") "\x40\0" END), -EBADMSG, false,
	  false },
	{ "label of 64 bytes",
	  M(HEAD("\0", "\1") "\x40"
			     "0123456789abcdef0123456789abcdef"
			     "0123456789abcdef0123456789abcdef\0" END),
	  -EBADMSG, false, false },
	{ "too many questions", M(HEAD("\0", "\x09")), -EBADMSG, false, false },
};

static void test_questions(void)
{
	struct dns_id want, id;

	CHECK(dns_parse_id(questions[0].in.p, (uint32_t)questions[0].in.n,
			   &want) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		uint8_t *copy = malloc(questions[i].in.n);
		int r;

		if (copy == NULL)
			abort();
		memcpy(copy, questions[i].in.p, questions[i].in.n);
		id = (struct dns_id){ .id = 7 };
		r = dns_parse_id(copy, (uint32_t)questions[i].in.n, &id);
		free(copy);
		CHECK_ROW(r == questions[i].ret, questions[i].name);
		if (r != 0) {
			CHECK_ROW(id.id == 7, questions[i].name);
			continue;
		}
		CHECK_ROW(id.id == 0x1234, questions[i].name);
		CHECK_ROW(id.response == questions[i].response,
			  questions[i].name);
		CHECK_ROW((id.question == want.question) == questions[i].same,
			  questions[i].name);
	}
}

static void test_longest_name(void)
{
	uint8_t m[12 + 256 + 4] = { 0 };
	struct dns_id id;

	m[5] = 1;
	for (unsigned i = 0; i < 4; i++)
		m[12 + i * 64] = i < 3 ? 63 : 61;
	CHECK(dns_parse_id(m, 12 + 255 + 4, &id) == 0);
	CHECK(dns_parse_id(m, 12 + 255 + 3, &id) == -EBADMSG);
	m[12 + 3 * 64] = 62;
	CHECK(dns_parse_id(m, sizeof(m), &id) == -EBADMSG);
}

static void test_begins(void)
{
	static const struct {
		const char *name;
		struct bytes in;
		bool want;
	} rows[] = {
		{ "query", M("\0\x1d\x12\x34\1\0\0\1"), true },
		{ "one byte", M("\0"), true },
		{ "too short a length", M("\0\x0b"), false },
		{ "answer", M("\0\x1d\x12\x34\x81\0\0\1"), false },
		{ "many questions", M("\0\x1d\x12\x34\1\0\1\1"), false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(framer_dns_tcp.begins(rows[i].in.p,
						(uint32_t)rows[i].in.n) ==
				  rows[i].want,
			  rows[i].name);
}

/* --- what a query is called --- */

static const struct {
	struct bytes in;
	const char *want;
} names[] = {
	{ M(HEAD("\0", "\1") "\1a\2bc\0" END), "a.bc. A" },
	{ M(HEAD("\0", "\1") "\0\0\2\0\1"), ". NS" },
	{ M(HEAD("\0", "\2") "\1a\0\0\x1c\0\1"
			     "\1b\0" END),
	  "a. AAAA" },
	{ M(HEAD("\0", "\1") "\1a\0\xff\xff\0\1"), "a. TYPE65535" },
	{ M(HEAD("\0", "\1") "\1a\0\0\0\0\1"), "a. TYPE0" },
	{ M(HEAD("\0", "\1") "\3x.y\1\\\0" END), "x\\.y.\\\\. A" },
	{ M(HEAD("\0", "\1") "\3\x01\xff\n\0" END), "\x01\xff\n. A" },
	{ M(HEAD("\0", "\0") "\1a\0" END), "" },
	/* Nobody follows a pointer: it is a label that is too long. */
	{ M(HEAD("\0", "\1") "\xc0\x0c" END), "" },
	{ M(HEAD("\0", "\1") "\1a\xff" END), "" },
};

/* From exact copies, to a buffer of exact size. Return: bytes, at most @size */
static size_t question(const uint8_t *p, size_t n, char *text, size_t size)
{
	uint8_t *in = malloc(n > 0 ? n : 1);
	char *out = malloc(size > 0 ? size : 1);
	size_t r;

	if (!in || !out)
		abort();
	memcpy(in, p, n);
	r = dns_question(in, (uint32_t)n, out, size);
	CHECK(r <= size);
	memcpy(text, out, r);
	free(in);
	free(out);
	return r;
}

static void test_names(void)
{
	char text[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t whole = strlen(names[i].want);
		/* Only the first question of two is looked at. */
		size_t end = i == 2 ? 12 + 3 + 4 : names[i].in.n;

		for (size_t n = 0; n <= names[i].in.n; n++) {
			size_t got =
				question(names[i].in.p, n, text, sizeof(text));

			CHECK_ROW(got == (n < end ? 0 : whole), names[i].want);
			CHECK_ROW(memcmp(text, names[i].want, got) == 0,
				  names[i].want);
		}
		for (size_t size = 0; size <= whole; size++)
			CHECK_ROW(question(names[i].in.p, names[i].in.n, text,
					   size) == size &&
					  memcmp(text, names[i].want, size) ==
						  0,
				  names[i].want);
	}
}

/* Whatever is in it: a smaller buffer has the beginning of what a larger has. */
static void test_any_bytes(void)
{
	struct rng rng = { 53 };
	unsigned named = 0;

	for (unsigned i = 0; i < 20000; i++) {
		uint8_t m[300];
		char all[700], some[700];
		size_t n = rng_below(&rng, sizeof(m));
		size_t size = rng_below(&rng, 400);
		size_t whole, got;

		for (size_t k = 0; k < sizeof(m); k++)
			m[k] = (uint8_t)rng_below(
				&rng, rng_below(&rng, 8) == 0 ? 256 : 6);
		whole = question(m, n, all, sizeof(all));
		got = question(m, n, some, size);
		CHECK(got == (whole < size ? whole : size));
		CHECK(memcmp(all, some, got) == 0);
		named += whole > 0;
	}
	CHECK(named > 5000);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "streams", test_streams },
		{ "holes", test_holes },
		{ "questions", test_questions },
		{ "what a query is called, cut anywhere", test_names },
		{ "what any bytes are called", test_any_bytes },
		{ "longest name", test_longest_name },
		{ "begins", test_begins },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
