/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_redis.c - Framing of redis against literal streams
 *
 * Expected lines are written as framer_trace.h spells them. Every row is fed
 * whole, byte by byte and in random pieces.
 */
#include "app/framer.h"

#include "check.h"
#include "framer_trace.h"

#define CUTS 12 /* whole, bytes, and ten random ones */

static uint64_t state[FRAMER_STATE_MAX / 8];

struct row {
	const char *name;
	const char *request; /* fed before, as the client's; NULL: none */
	const char *in;
	const char *want;
	uint16_t fin;
};

static void run(enum who who, const struct row *row)
{
	for (unsigned i = 0; i < CUTS; i++) {
		struct rng rng = { i };
		struct trace first = { 0 }, t = { 0 };
		const char *got;

		framer_redis.init(state, false);
		if (row->request != NULL)
			trace_feed(&first, &framer_redis, state, WHO_CLIENT,
				   (const uint8_t *)row->request,
				   strlen(row->request), CUT_WHOLE, &rng);
		trace_feed(&t, &framer_redis, state, who,
			   (const uint8_t *)row->in, strlen(row->in),
			   i < 2 ? (enum cut)i : CUT_RANDOM, &rng);
		got = trace_end(&t);
		CHECK_ROW(t.errors == 0 && first.errors == 0, row->name);
		CHECK_ROW(strcmp(got, row->want) == 0, row->name);
		if (strcmp(got, row->want) != 0)
			printf("# got %s want %s\n", got, row->want);
		CHECK_ROW(framer_redis.fin(state, who) == row->fin, row->name);
	}
}

#define PING  "*1\r\n$4\r\nPING\r\n"		     /* 14: F8 H4 F2 */
#define GET_K "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"     /* 22 */
#define SUB   "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n" /* 26 */

static void test_commands(void)
{
	static const struct row rows[] = {
		{ "one word", NULL, PING, "F8H4F2.", 0 },
		{ "two words are its line", NULL, GET_K, "F8H3F6H3F2.", 0 },
		{ "the third is body", NULL,
		  "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n",
		  "F8H3F6H1F6B5F2.", 0 },
		{ "an empty word", NULL, "*2\r\n$3\r\nGET\r\n$0\r\n\r\n",
		  "F8H3F8.", 0 },
		{ "pipelined", NULL, PING GET_K PING,
		  "F8H4F2.F8H3F6H3F2.F8H4F2.", 0 },
		{ "lines", NULL, "PING\r\nget k v\n", "H4F2.H3F1H1F1B1F1.", 0 },
		{ "empty lines and arrays are none", NULL,
		  "\r\n*0\r\n*-1\r\n" PING, "F19H4F2.", 0 },
		{ "a line behind an empty array", NULL, "*0\r\nPING\r\n",
		  "F4H4F2.", 0 },
		{ "a line with blanks around", NULL, " PING \r\n", "F1H4F3.",
		  0 },
		{ "no password is shown", NULL,
		  "*2\r\n$4\r\nAUTH\r\n$3\r\npwd\r\n", "F8H4F6B3F2.", 0 },
		{ "nor one behind HELLO", NULL, "hello 3 AUTH u p\r\n",
		  "H5F1B1F1B4F1B1F1B1F2.", 0 },
		{ "a command under way", NULL, "*2\r\n$3\r\nGET\r\n$3\r\nk",
		  "F8H3F6H1", FRAMER_TUNNEL },
		{ "SUBSCRIBE is the last one", NULL, SUB PING,
		  "F8H9F6H1F2.!O14", 0 },
		{ "so is CLIENT REPLY, but not another CLIENT", NULL,
		  "client id\r\nclient reply off\r\nx",
		  "H6F1H2F2.H6F1H5F1B3F2.!O1", 0 },
		{ "no array of strings", NULL, "*1\r\n:1\r\n", "F5!O3", 0 },
		{ "an array in an array", NULL, "*1\r\n*1\r\n$1\r\na\r\n",
		  "F5!O10", 0 },
		{ "a length that is none", NULL, "*x\r\n", "F1!O3", 0 },
		{ "a string behind which there is no line end", NULL,
		  "*1\r\n$1\r\nabc", "F8H1!O2", 0 },
		{ "what no line begins with", NULL, "\x16\x03\x01", "!O3", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run(WHO_CLIENT, &rows[i]);
}

static void test_replies(void)
{
	static const struct row rows[] = {
		{ "lines", PING PING PING, "+OK\r\n:1\r\n-ERR no\r\n",
		  "B5.B4.B9.", 0 },
		{ "a string", GET_K, "$5\r\nvalue\r\n", "B11.", 0 },
		{ "an empty one, and none", GET_K GET_K, "$0\r\n\r\n$-1\r\n",
		  "B6.B5.", 0 },
		{ "line ends in a string", GET_K, "$4\r\n\r\n\r\n\r\n", "B10.",
		  0 },
		{ "arrays in arrays", GET_K PING,
		  "*2\r\n*2\r\n:1\r\n*0\r\n$1\r\nx\r\n+OK\r\n", "B23.B5.", 0 },
		{ "no array, and an empty one", GET_K GET_K, "*-1\r\n*0\r\n",
		  "B5.B4.", 0 },
		{ "RESP3", GET_K,
		  "%2\r\n+a\r\n,1.5\r\n+b\r\n~3\r\n#t\r\n_\r\n(12\r\n", "B34.",
		  0 },
		{ "verbatim strings, errors of a length", GET_K GET_K,
		  "=7\r\ntxt:abc\r\n!3\r\nERR\r\n", "B13.B9.", 0 },
		{ "an attribute stands in front of its value", GET_K,
		  "|1\r\n+ttl\r\n:7\r\n$1\r\nx\r\n", "B21.", 0 },
		{ "a push is no reply", GET_K,
		  ">2\r\n+a\r\n+b\r\n$1\r\nx\r\n>1\r\n+c\r\n", "I12B7.I8", 0 },
		{ "a push in a value", GET_K, "*1\r\n>1\r\n+a\r\n", "B4!O8",
		  0 },
		{ "a type that is none", GET_K, "?1\r\n", "!O4", 0 },
		{ "a length that is none", GET_K, "$1x\r\n", "B2!O3", 0 },
		{ "a length that no string has", GET_K, "$-2\r\n", "B3!O2", 0 },
		{ "more values than any has", GET_K, "*99999999999\r\n",
		  "B11!O3", 0 },
		{ "a bare line feed", GET_K, "+a\n+b\r\n", "B2!O5", 0 },
		{ "under way", GET_K, "*2\r\n:1\r\n", "B8", FRAMER_TUNNEL },
		{ "behind the reply to SUBSCRIBE", SUB,
		  "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n*3\r\n", "B30.!O4",
		  0 },
		{ "behind the one that a break gets", "*1\r\n:", "-ERR\r\nx",
		  "B6.!O1", 0 },
		{ "behind CLIENT REPLY", PING "client reply on\r\n",
		  "+PONG\r\n+OK\r\n+OK\r\n", "B7.B5.!O5", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run(WHO_SUT, &rows[i]);
}

static void feed(enum who who, const char *text, struct framer_piece *piece)
{
	framer_redis.feed(state, who, (const uint8_t *)text,
			  (uint32_t)strlen(text), piece);
}

static void test_breaks_are_told(void)
{
	struct framer_piece piece;

	framer_redis.init(state, false);
	feed(WHO_PROD, "HTTP", &piece);
	CHECK(piece.flags == (FRAMER_TUNNEL | FRAMER_MALFORMED));
	CHECK(piece.odd == ODD_REPLY && piece.used == 4);
	/* A client's is told by its server's answer. */
	feed(WHO_CLIENT, "\xff", &piece);
	CHECK((piece.flags & FRAMER_TUNNEL) != 0);
	CHECK((piece.flags & FRAMER_MALFORMED) == 0);
}

static void test_words_begin_once(void)
{
	struct framer_piece piece;

	framer_redis.init(state, false);
	feed(WHO_CLIENT, "*1\r\n$4\r\n", &piece);
	feed(WHO_CLIENT, "PI", &piece);
	CHECK((piece.flags & FRAMER_WORD) != 0);
	feed(WHO_CLIENT, "NG", &piece);
	CHECK((piece.flags & FRAMER_WORD) == 0 && piece.part == FRAMER_HEAD);
}

static void test_holes(void)
{
	struct framer_piece piece;

	framer_redis.init(state, false);
	feed(WHO_PROD, "$12\r\nabc", &piece);
	CHECK(framer_redis.skip(state, WHO_PROD, 8));
	feed(WHO_PROD, "z\r\n", &piece);
	CHECK(piece.used == 3 && (piece.flags & FRAMER_MARK) != 0);
	CHECK(!framer_redis.skip(state, WHO_PROD, 1));
	feed(WHO_PROD, "+OK\r\n", &piece);
	CHECK(piece.part == FRAMER_OPAQUE && piece.flags == 0);
	framer_redis.resync(state, WHO_PROD, 4);
	feed(WHO_PROD, "+OK\r\n", &piece);
	CHECK(piece.part == FRAMER_BODY && piece.index == 4);
	/* The command may have been any. */
	feed(WHO_CLIENT, "*1\r\n$9\r\n", &piece);
	CHECK(!framer_redis.skip(state, WHO_CLIENT, 3));
	framer_redis.resync(state, WHO_CLIENT, 0);
	feed(WHO_CLIENT, "*3\r\n$1\r\n", &piece);
	feed(WHO_CLIENT, "a", &piece);
	feed(WHO_CLIENT, "\r\n$1\r\n", &piece);
	feed(WHO_CLIENT, "b", &piece);
	feed(WHO_CLIENT, "\r\n$9\r\n", &piece);
	CHECK(framer_redis.skip(state, WHO_CLIENT, 3));
}

static bool begins(const char *text)
{
	return framer_redis.begins((const uint8_t *)text,
				   (uint32_t)strlen(text));
}

static bool restarts(const char *text)
{
	return framer_redis.restarts((const uint8_t *)text,
				     (uint32_t)strlen(text));
}

static const struct framer_ops *guess(uint16_t port, const char *text)
{
	return framer_guess(port, (const uint8_t *)text,
			    (uint32_t)strlen(text));
}

static void test_beginnings(void)
{
	CHECK(begins("*") && begins("*1") && begins(PING));
	CHECK(!begins("*x") && !begins("*\r\n") && !begins("*1\r\n:"));
	CHECK(!begins("GET / HTTP/1.1\r\n") && !begins("PING\r\n"));
	CHECK(!restarts("*1\r\n") && !restarts("*1\r\n$4"));
	CHECK(restarts("*1\r\n$4\r\n"));
	CHECK(guess(80, PING) == &framer_redis);
	CHECK(guess(80, "GET / HTTP/1.1\r\n") == &framer_http1);
	CHECK(guess(6379, "GET key\r\n") == &framer_redis);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "commands", test_commands },
		{ "replies", test_replies },
		{ "breaks are told", test_breaks_are_told },
		{ "words begin once", test_words_begin_once },
		{ "holes", test_holes },
		{ "beginnings", test_beginnings },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
