/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_http1.c - Framing of HTTP/1 against literal streams
 *
 * Expected lines are written as framer_trace.h spells them. Every row is fed
 * whole, byte by byte and in random pieces.
 */
#include "app/framer.h"

#include "check.h"
#include "framer_trace.h"

#define S(text)                                                                \
	{                                                                      \
		(const uint8_t *)(text), sizeof(text) - 1                      \
	}

struct bytes {
	const uint8_t *p;
	size_t n;
};

struct row {
	const char *name;
	struct bytes in;
	const char *want;
};

#define CUTS 12 /* whole, bytes, and ten random ones */

static uint64_t state[FRAMER_STATE_MAX / 8];

static enum cut cut_of(unsigned i)
{
	return i < 2 ? (enum cut)i : CUT_RANDOM;
}

/* Feed @request, if any, then @in as @who's, and compare traces. */
static void run(const char *request, enum who who, const struct row *row)
{
	for (unsigned i = 0; i < CUTS; i++) {
		struct rng rng = { i };
		struct trace first = { 0 }, t = { 0 };
		const char *got;

		framer_http1.init(state, false);
		if (request != NULL)
			trace_feed(&first, &framer_http1, state, WHO_CLIENT,
				   (const uint8_t *)request, strlen(request),
				   CUT_WHOLE, &rng);
		trace_feed(&t, &framer_http1, state, who, row->in.p, row->in.n,
			   cut_of(i), &rng);
		got = trace_end(&t);
		CHECK_ROW(t.errors == 0, row->name);
		CHECK_ROW(strcmp(got, row->want) == 0, row->name);
		if (strcmp(got, row->want) != 0)
			printf("# got %s want %s\n", got, row->want);
	}
}

static void run_all(const char *request, enum who who, const struct row *rows,
		    size_t count)
{
	for (size_t i = 0; i < count; i++)
		run(request, who, &rows[i]);
}

#define GET  "GET / HTTP/1.1\r\n"  /* 16 bytes */
#define POST "POST / HTTP/1.1\r\n" /* 17 */
#define OK   "HTTP/1.1 200 OK\r\n" /* 17 */

static void test_requests(void)
{
	static const struct row rows[] = {
		{ "no field", S(GET "\r\n"), "H18|." },
		{ "one field", S(GET "Host: a\r\n\r\n"), "H27|." },
		{ "bare LF ends lines", S("GET / HTTP/1.1\nHost: a\n\n"),
		  "H24|.?" },
		{ "pipelined", S(GET "\r\n" GET "\r\n" GET "\r\n"),
		  "H18|.H18|.H18|." },
		{ "content-length", S(POST "Content-Length: 5\r\n\r\nhello"),
		  "H38|B5." },
		{ "content-length 0", S(POST "content-LENGTH:0\r\n\r\n"),
		  "H37|." },
		{ "length, then the next",
		  S(POST "Content-Length:\t 2 \t\r\n\r\nhi" GET "\r\n"),
		  "H41|B2.H18|." },
		{ "equal lengths twice",
		  S(POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"),
		  "H57|B2." },
		{ "head under way", S(GET "Host: a\r\n"), "H25" },
		{ "body under way", S(POST "Content-Length: 5\r\n\r\nhel"),
		  "H38|B3" },
		{ "empty lines in front", S("\r\n\r\n" GET "\r\n"), "F4H18|." },
		{ "empty line behind a body",
		  S(POST "Content-Length: 1\r\n\r\nx\r\n" GET "\r\n"),
		  "H38|B1.F2H18|." },
		{ "HTTP/1.0", S("GET / HTTP/1.0\r\n\r\n"), "H18|." },
		{ "similar names are not taken",
		  S(POST "Content-Lengths: 5\r\nContent-Lengt: 5\r\n"
			 "xContent-Length: 5\r\nTransfer-Encodin: chunked\r\n"
			 "Transfer-Encodings: chunked\r\n\r\n"),
		  "H133|." },
		{ "chunked",
		  S(POST "Transfer-Encoding: chunked\r\n\r\n"
			 "5\r\nhello\r\n0\r\n\r\n" GET "\r\n"),
		  "H47|F3B5F7.H18|." },
		{ "chunked, capitals and blanks",
		  S(POST "TRANSFER-encoding: \t CHUNked \t\r\n\r\n"
			 "A\r\n0123456789\r\n00\r\n\r\n"),
		  "H51|F3B10F8." },
		{ "chunk extension",
		  S(POST "Transfer-Encoding: chunked\r\n\r\n"
			 "1;a=b;c=\"d\"\r\nx\r\n0;last\r\n\r\n"),
		  "H47|F13B1F12." },
		{ "trailers",
		  S(POST "Transfer-Encoding: chunked\r\n\r\n"
			 "1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n"),
		  "H47|F3B1F5T12F2." },
		{ "length in a trailer is none",
		  S(POST "Transfer-Encoding: chunked\r\n\r\n"
			 "0\r\nContent-Length: 5\r\n\r\n" GET "\r\n"),
		  "H47|F3T19F2.H18|." },
		{ "gzip, chunked",
		  S(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"
			 "0\r\n\r\n"),
		  "H53|F5." },
		{ "gzip and chunked in two fields",
		  S(POST "Transfer-Encoding: gzip\r\n"
			 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		  "H72|F5." },
		{ "fold of another field",
		  S(GET "Host: a\r\n b\r\nX: y\r\n\r\n"), "H37|.?" },
	};

	run_all(NULL, WHO_CLIENT, rows, ARRAY_SIZE(rows));
}

static const struct row doubtful[] = {
	{ "lengths differ",
	  S(POST "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi"),
	  "H57|B2.?" },
	{ "length +", S(POST "Content-Length: +2\r\n\r\n"), "H39|.?" },
	{ "length -", S(POST "Content-Length: -2\r\n\r\n"), "H39|.?" },
	{ "length list", S(POST "Content-Length: 2, 2\r\n\r\nhi"), "H41|B2.?" },
	{ "length hex", S(POST "Content-Length: 0x2\r\n\r\n"), "H40|.?" },
	{ "length octal", S(POST "Content-Length: 02\r\n\r\nhi"), "H39|B2.?" },
	{ "length empty", S(POST "Content-Length: \r\n\r\n"), "H37|.?" },
	{ "length in two words", S(POST "Content-Length: 1 1\r\n\r\nx"),
	  "H40|B1.?" },
	{ "length 2^63",
	  S(POST "Content-Length: "
		 "9223372036854775808\r\n\r\n"),
	  "H56|?" },
	{ "length folded", S(POST "Content-Length: 1\r\n 2\r\n\r\nx"),
	  "H42|B1.?" },
	{ "length on a fold", S(POST "Content-Length:\r\n 1\r\n\r\n"),
	  "H40|.?" },
	{ "both",
	  S(POST "Content-Length: 9\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n"
		 "0\r\n\r\n"),
	  "H66|F5.?" },
	{ "both, other order",
	  S(POST "Transfer-Encoding: chunked\r\n"
		 "Content-Length: 9\r\n\r\n0\r\n\r\n"),
	  "H66|F5.?" },
	{ "chunked in HTTP/1.0",
	  S("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "0\r\n\r\n"),
	  "H47|F5.?" },
	{ "unknown coding", S(POST "Transfer-Encoding: x\r\n\r\n"), "H41|.?" },
	{ "unknown before chunked",
	  S(POST "Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n"),
	  "H50|F5.?" },
	{ "chunked not last",
	  S(POST "Transfer-Encoding: chunked, gzip\r\n\r\n"), "H53|.?" },
	{ "chunked, identity",
	  S(POST "Transfer-Encoding: chunked, identity\r\n\r\n"), "H57|.?" },
	{ "chunked twice",
	  S(POST "Transfer-Encoding: chunked\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	  "H75|F5.?" },
	{ "chunked with a vertical tab",
	  S(POST "Transfer-Encoding: \vchunked\r\n\r\n"), "H48|.?" },
	{ "chunked quoted", S(POST "Transfer-Encoding: \"chunked\"\r\n\r\n"),
	  "H49|.?" },
	{ "chunked abc", S(POST "Transfer-Encoding: chunked abc\r\n\r\n"),
	  "H51|.?" },
	{ "coding empty", S(POST "Transfer-Encoding:\r\n\r\n"), "H39|.?" },
	{ "element empty",
	  S(POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"), "H48|F5.?" },
	{ "coding folded",
	  S(POST "Transfer-Encoding: chunked\r\n abc\r\n\r\n"
		 "0\r\n\r\n"),
	  "H53|F5.?" },
	{ "blank before the colon",
	  S(POST "Content-Length : 1\r\n\r\n"
		 "x"),
	  "H39|B1.?" },
	{ "no colon", S(GET "Host\r\n\r\n"), "H24|.?" },
	{ "no name", S(GET ": x\r\n\r\n"), "H23|.?" },
	{ "name not ASCII", S(GET "H\xc3\xa9: x\r\n\r\n"), "H26|.?" },
	{ "NUL in a value", S(GET "A: b\0c\r\n\r\n"), "H26|.?" },
	{ "bare CR in a value", S(GET "A: b\rc\r\n\r\n"), "H26|.?" },
	{ "bare CR in a length",
	  S(POST "Content-Length: 1\r1\r\n\r\n01234567890"), "H40|B11.?" },
	{ "CR before another byte ends the head", S(GET "A: b\r\n\rX\r\n\r\n"),
	  "H28|.?" },
	{ "two CR", S(GET "A: b\r\r\n\r\n"), "H25|.?" },
	{ "first field folded", S(GET " A: b\r\n\r\n"), "H25|.?" },
	{ "bare CR in front", S("\r" GET "\r\n"), "F1H18|.?" },
	{ "only the one message is ambiguous",
	  S(GET "A : b\r\n\r\n" GET "\r\n"), "H25|.?H18|." },
};

static void test_requests_that_two_may_split(void)
{
	run_all(NULL, WHO_CLIENT, doubtful, ARRAY_SIZE(doubtful));
}

#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n" /* 47 bytes */

static void test_chunks_that_two_may_split(void)
{
	static const struct row rows[] = {
		{ "size 0x", S(CHUNKED "0x5\r\n\r\n"), "H47|F7.?" },
		{ "size with a blank", S(CHUNKED "1 \r\nx\r\n0\r\n\r\n"),
		  "H47|F4B1F7.?" },
		{ "size with an underscore", S(CHUNKED "1_0\r\nx\r\n0\r\n\r\n"),
		  "H47|F5B1F7.?" },
		{ "size with a sign", S(CHUNKED "+1\r\nx\r\n"), "H47|F1!O6?" },
		{ "size empty", S(CHUNKED "\r\n\r\n"), "H47|F1!O3?" },
		{ "size 2^63", S(CHUNKED "8000000000000000\r\n"),
		  "H47|F16!O2?" },
		{ "size 2^63 - 1", S(CHUNKED "7fffffffffffffff\r\nx"),
		  "H47|F18B1" },
		{ "17 digits",
		  S(CHUNKED "00000000000000001\r\nx\r\n"
			    "0\r\n\r\n"),
		  "H47|F19B1F7.?" },
		{ "size line ends with LF", S(CHUNKED "1\nx\r\n0\r\n\r\n"),
		  "H47|F2B1F7.?" },
		{ "bare CR in an extension",
		  S(CHUNKED "1;\rX\r\nx\r\n0\r\n\r\n"), "H47|F6B1F7.?" },
		{ "data ends with LF", S(CHUNKED "1\r\nx\n0\r\n\r\n"),
		  "H47|F3B1F6.?" },
		{ "data ends with nothing", S(CHUNKED "5\r\nABCDE0\r\n\r\n"),
		  "H47|F3B5F1!O4?" },
		{ "data ends with CR X", S(CHUNKED "1\r\nx\rX\r\n"),
		  "H47|F3B1F2!O2?" },
		{ "trailer without a colon", S(CHUNKED "0\r\nX\r\n\r\n"),
		  "H47|F3T3F2.?" },
		{ "trailers end with CR X", S(CHUNKED "0\r\n\rX\r\n\r\n"),
		  "H47|F4T3F2.?" },
	};

	run_all(NULL, WHO_CLIENT, rows, ARRAY_SIZE(rows));
}

static void test_no_http1_is_a_tunnel(void)
{
	static const struct row rows[] = {
		{ "HTTP/0.9", S("GET /\r\nmore"), "H7!O4" },
		{ "HTTP/2", S("PRI * HTTP/2.0\r\n\r\nSM"), "H16!O4" },
		{ "RTSP", S("OPTIONS * RTSP/1.0\r\n"), "H20!" },
		{ "no blank before the version", S("GET /HTTP/1.1\r\n"),
		  "H15!" },
		{ "version HTTP/1.10", S("GET / HTTP/1.10\r\n"), "H17!" },
		{ "CR inside of the version", S("GET / HTTP/\r1.1\r\n"),
		  "H17!?" },
		{ "first word too long",
		  S("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n"),
		  "H33!O16" },
		{ "no first word", S(" / HTTP/1.1\r\n"), "H1!O12" },
		{ "TLS", S("\x16\x03\x01\x00"), "H1!O3" },
	};

	run_all(NULL, WHO_CLIENT, rows, ARRAY_SIZE(rows));
}

static void test_answers(void)
{
	static const struct row rows[] = {
		{ "length", S(OK "Content-Length: 5\r\n\r\nhello"), "H38|B5." },
		{ "no length", S(OK "\r\nhello, world"), "H19|~B12" },
		{ "no reason, no blank",
		  S("HTTP/1.1 200\r\n"
		    "Content-Length: 0\r\n\r\n"),
		  "H35|." },
		{ "chunked",
		  S(OK "Transfer-Encoding: chunked\r\n\r\n"
		       "3\r\nabc\r\n0\r\n\r\n"),
		  "H47|F3B3F7." },
		{ "coding not chunked",
		  S(OK "Transfer-Encoding: gzip\r\n\r\n"
		       "abc"),
		  "H44|~B3?" },
		{ "204", S("HTTP/1.1 204 No Content\r\n\r\n"), "H27|." },
		{ "204 with a length",
		  S("HTTP/1.1 204 x\r\nContent-Length: 3\r\n\r\n"), "H37|.?" },
		{ "304 with a length",
		  S("HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\n"), "H37|." },
		{ "100 and 200",
		  S("HTTP/1.1 100 Continue\r\n\r\n" OK
		    "Content-Length: 1\r\n\r\nx"),
		  "I25H38|B1." },
		{ "103 twice and 200",
		  S("HTTP/1.1 103 E\r\nLink: a\r\n\r\n"
		    "HTTP/1.1 103 E\r\n\r\n" OK "Content-Length: 0\r\n\r\n"),
		  "I45H38|." },
		{ "100 with a length",
		  S("HTTP/1.1 100 x\r\nContent-Length: 3\r\n\r\n" OK
		    "Content-Length: 0\r\n\r\n"),
		  "I37H38|.?" },
		{ "101 with a length",
		  S("HTTP/1.1 101 x\r\nContent-Length: 3\r\n\r\n"), "H37|.?!" },
		{ "101", S("HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\nabc"),
		  "H30|.!O3" },
		{ "pipelined",
		  S(OK "Content-Length: 1\r\n\r\nx" OK
		       "Content-Length: 0\r\n\r\n"),
		  "H38|B1.H38|." },
		{ "empty line in front",
		  S("\r\n" OK "Content-Length: 0\r\n"
		    "\r\n"),
		  "F2H38|.?" },
		{ "no HTTP", S("SSH-2.0-x\r\n"), "H1!O10" },
		{ "HTTP/2", S("HTTP/2.0 200 OK\r\n"), "H6!O11" },
		{ "status of 4 digits", S("HTTP/1.1 2000 OK\r\n"), "H13!O5" },
		{ "status of 2 digits", S("HTTP/1.1 20 OK\r\n"), "H12!O4" },
		{ "status 099", S("HTTP/1.1 099 OK\r\n"), "H10!O7" },
	};

	run_all(GET "\r\n" GET "\r\n", WHO_PROD, rows, ARRAY_SIZE(rows));
	run_all(GET "\r\n" GET "\r\n", WHO_SUT, rows, ARRAY_SIZE(rows));
	run_all(NULL, WHO_SUT, rows, ARRAY_SIZE(rows)); /* before its request */
}

static void test_method_decides(void)
{
	static const struct {
		const char *request;
		struct row row;
	} rows[] = {
		{ "HEAD / HTTP/1.1\r\n\r\n" GET "\r\n",
		  { "HEAD then GET",
		    S(OK "Content-Length: 5\r\n\r\n" OK
			 "Content-Length: 1\r\n\r\nx"),
		    "H38|.H38|B1." } },
		{ "HEAD / HTTP/1.1\r\n\r\n",
		  { "HEAD chunked", S(OK "Transfer-Encoding: chunked\r\n\r\n"),
		    "H47|." } },
		{ "HEAD ",
		  { "HEAD whose request is not whole",
		    S(OK "Content-Length: 5\r\n\r\n"), "H38|." } },
		{ "head / HTTP/1.1\r\n\r\n",
		  { "methods are case-sensitive",
		    S(OK "Content-Length: 1\r\n\r\nx"), "H38|B1." } },
		{ "CONNECT a:1 HTTP/1.1\r\n\r\n",
		  { "CONNECT 200", S(OK "Content-Length: 5\r\n\r\nHTTP/1"),
		    "H38|.!O6" } },
		{ "CONNECT a:1 HTTP/1.1\r\n\r\n",
		  { "CONNECT 407",
		    S("HTTP/1.1 407 x\r\nContent-Length: 1\r\n\r\nx"),
		    "H37|B1." } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		run(rows[i].request, WHO_PROD, &rows[i].row);
		run(rows[i].request, WHO_SUT, &rows[i].row);
	}
}

/* Feed a string to one of two traces of a connection. */
static void say(struct trace *t, enum who who, const char *text)
{
	struct rng rng = { 0 };

	trace_feed(t, &framer_http1, state, who, (const uint8_t *)text,
		   strlen(text), CUT_WHOLE, &rng);
}

static void test_connect_and_the_client(void)
{
	struct trace c, s;

	memset(&c, 0, sizeof(c));
	memset(&s, 0, sizeof(s));
	framer_http1.init(state, false);
	say(&c, WHO_CLIENT, "CONNECT a:1 HTTP/1.1\r\n\r\n");
	say(&s, WHO_SUT, OK "\r\n"); /* the SUT does not decide */
	memset(&s, 0, sizeof(s));
	say(&s, WHO_PROD, "HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n");
	say(&c, WHO_CLIENT, "CONNECT a:1 HTTP/1.1\r\n\r\n");
	say(&s, WHO_PROD, OK "\r\n");
	say(&c, WHO_CLIENT, GET "\r\n");
	CHECK(strcmp(trace_end(&c), "H24|.H24|.!O18") == 0);
	CHECK(strcmp(trace_end(&s), "H37|.H19|.!") == 0);

	memset(&c, 0, sizeof(c));
	framer_http1.init(state, false);
	say(&c, WHO_CLIENT, "CONNECT a:1 HTTP/1.1\r\n\r\n");
	say(&c, WHO_CLIENT, "x"); /* before it was answered */
	CHECK(strcmp(trace_end(&c), "H24|.!O1") == 0);

	memset(&c, 0, sizeof(c));
	memset(&s, 0, sizeof(s));
	framer_http1.init(state, false);
	say(&c, WHO_CLIENT, GET "Upgrade: x\r\n\r\n");
	say(&s, WHO_PROD, "HTTP/1.1 101 S\r\n\r\n");
	say(&c, WHO_CLIENT, GET "\r\n");
	CHECK(strcmp(trace_end(&c), "H30|.!O18") == 0);
}

/* More requests than the ring holds; @first is the first of them. Before them,
 * @heads that were answered.
 */
static const char *lagging(struct trace *s, unsigned heads, const char *first,
			   unsigned count)
{
	struct trace c;

	memset(&c, 0, sizeof(c));
	memset(s, 0, sizeof(*s));
	framer_http1.init(state, false);
	for (unsigned i = 0; i < heads; i++) {
		say(&c, WHO_CLIENT, "HEAD / HTTP/1.1\r\n\r\n");
		say(s, WHO_SUT, OK "Content-Length: 1\r\n\r\n");
	}
	memset(s, 0, sizeof(*s));
	s->index = heads;
	say(&c, WHO_CLIENT, first);
	for (unsigned i = 1; i < count; i++)
		say(&c, WHO_CLIENT, GET "\r\n");
	say(s, WHO_SUT, OK "Content-Length: 1\r\n\r\n");
	return trace_end(s);
}

static void test_outstanding_requests(void)
{
	struct trace s;

	static const char head[] = "HEAD / HTTP/1.1\r\n\r\n";

	CHECK(strcmp(lagging(&s, 0, head, 256), "H38|.") == 0);
	/* Forgotten: it may have been any, and is read as what most are. */
	CHECK(strcmp(lagging(&s, 0, head, 257), "H38|?") == 0);
	CHECK(strcmp(lagging(&s, 0, GET "\r\n", 1000), "H38|") == 0);
	CHECK(strcmp(lagging(&s, 300, GET "\r\n", 1000), "H38|") == 0);
}

/* Does the last message of @text say that its sender closes? */
static bool closes(const char *text, uint32_t step)
{
	uint32_t n = (uint32_t)strlen(text);
	struct framer_piece pc = { 0 };
	bool last = false;

	framer_http1.init(state, false);
	for (uint32_t i = 0; i < n; i += pc.used) {
		uint32_t give = n - i < step ? n - i : step;

		framer_http1.feed(state, WHO_SUT, (const uint8_t *)text + i,
				  give, &pc);
		CHECK((pc.flags & FRAMER_CLOSES) == 0 ||
		      (pc.flags & FRAMER_MARK) != 0);
		if ((pc.flags & FRAMER_MARK) != 0)
			last = (pc.flags & FRAMER_CLOSES) != 0;
	}
	return last;
}

static void test_answer_says_that_it_closes(void)
{
#define EMPTY "Content-Length: 0\r\n\r\n"
#define OLD   "HTTP/1.0 200 OK\r\n"
	static const struct {
		const char *in;
		bool want;
	} rows[] = {
		{ OK EMPTY, false },
		{ OK "Connection: close\r\n" EMPTY, true },
		{ OK "CONNECTION:CLOSE\r\n" EMPTY, true },
		{ OK "Connection: \t close \t \r\n" EMPTY, true },
		{ OK "Connection: upgrade , close\r\n" EMPTY, true },
		{ OK "Connection: keep-alive\r\nConnection: close\r\n" EMPTY,
		  true },
		{ OK "Connection: closed\r\n" EMPTY, false },
		{ OK "Connection: clos\r\n" EMPTY, false },
		{ OK "Connection: clo se\r\n" EMPTY, false },
		{ OK "Connection: ,,\r\n" EMPTY, false },
		{ OK "Connection:\r\n" EMPTY, false },
		{ OK "Connections: close\r\n" EMPTY, false },
		{ OK "Connectio: close\r\n" EMPTY, false },
		{ OK "Proxy-Connection: close\r\n" EMPTY, false },
		{ OK "Connection: keep-alive\r\n" EMPTY, false },
		{ OLD EMPTY, true },
		{ OLD "Connection: Keep-Alive\r\n" EMPTY, false },
		{ OLD "Connection: keep-alive, close\r\n" EMPTY, true },
		{ OK "Connection: close\r\n" EMPTY OK EMPTY, false },
		{ OK EMPTY OLD EMPTY, true },
		/* Of an interim answer it says nothing about the final one. */
		{ "HTTP/1.1 103 E\r\nConnection: close\r\n\r\n" OK EMPTY,
		  false },
		{ OK "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
		     "1\r\nx\r\n0\r\n\r\n",
		  true },
		/* Trailers are no framing. */
		{ OK "Transfer-Encoding: chunked\r\n\r\n"
		     "0\r\nConnection: close\r\n\r\n",
		  false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_ROW(closes(rows[i].in, 1000) == rows[i].want, rows[i].in);
		CHECK_ROW(closes(rows[i].in, 1) == rows[i].want, rows[i].in);
	}
}

static void test_fin(void)
{
	static const struct {
		const char *name;
		const char *in;
		uint16_t want;
	} rows[] = {
		{ "nothing", "", 0 },
		{ "behind a message", OK "Content-Length: 0\r\n\r\n", 0 },
		{ "inside of a head", OK, FRAMER_TUNNEL },
		{ "inside of a body", OK "Content-Length: 2\r\n\r\nx",
		  FRAMER_TUNNEL },
		{ "body until FIN", OK "\r\nx", FRAMER_MARK },
		{ "empty body until FIN", OK "\r\n", FRAMER_MARK },
		{ "inside of chunks",
		  OK "Transfer-Encoding: chunked\r\n\r\n0\r\n", FRAMER_TUNNEL },
		{ "behind an interim answer", "HTTP/1.1 100 C\r\n\r\n",
		  FRAMER_TUNNEL },
		{ "empty line only", "\r\n", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct trace t = { 0 };

		framer_http1.init(state, false);
		say(&t, WHO_PROD, rows[i].in);
		CHECK_ROW(framer_http1.fin(state, WHO_PROD) == rows[i].want,
			  rows[i].name);
	}
}

static void test_holes(void)
{
	struct trace t = { 0 };
	struct framer_piece piece;

	framer_http1.init(state, false);
	say(&t, WHO_PROD, OK "Content-Length: 100\r\n\r\nx");
	CHECK(framer_http1.skip(state, WHO_PROD, 98));
	say(&t, WHO_PROD, "y" OK);
	CHECK(strcmp(trace_end(&t), "H40|B2.H17") == 0);

	/* A hole that ends the body may have swallowed more. */
	framer_http1.init(state, false);
	memset(&t, 0, sizeof(t));
	say(&t, WHO_PROD, OK "Content-Length: 100\r\n\r\nx");
	CHECK(!framer_http1.skip(state, WHO_PROD, 99));
	framer_http1.feed(state, WHO_PROD, (const uint8_t *)"abc", 3, &piece);
	CHECK(piece.part == FRAMER_OPAQUE && piece.used == 3);
	CHECK((piece.flags & (FRAMER_MARK | FRAMER_TUNNEL)) == 0);
	framer_http1.resync(state, WHO_PROD, 7);
	memset(&t, 0, sizeof(t));
	t.index = 7;
	say(&t, WHO_PROD, OK "Content-Length: 0\r\n\r\n");
	CHECK(t.errors == 0 && strcmp(trace_end(&t), "H38|.") == 0);

	/* A chunk is known, a head is not. */
	framer_http1.init(state, false);
	memset(&t, 0, sizeof(t));
	say(&t, WHO_PROD, OK "Transfer-Encoding: chunked\r\n\r\n10\r\n");
	CHECK(framer_http1.skip(state, WHO_PROD, 15));
	say(&t, WHO_PROD, "x\r\n0\r\n\r\n");
	CHECK(strcmp(trace_end(&t), "H47|F4B1F7.") == 0);
	say(&t, WHO_PROD, OK);
	CHECK(!framer_http1.skip(state, WHO_PROD, 1));
	CHECK(framer_http1.fin(state, WHO_PROD) == FRAMER_TUNNEL);
}

/* Requests that fell into a hole may have been HEAD. */
static void test_methods_in_a_hole_are_not_known(void)
{
	struct trace c = { 0 }, s = { 0 };

	framer_http1.init(state, true);
	say(&c, WHO_CLIENT, GET "\r\n" GET);
	CHECK(!framer_http1.skip(state, WHO_CLIENT, 1000));
	framer_http1.resync(state, WHO_CLIENT, 3);
	memset(&c, 0, sizeof(c));
	c.index = 3;
	say(&c, WHO_CLIENT, "HEAD / HTTP/1.1\r\n\r\n");
	CHECK(c.errors == 0);
	for (unsigned i = 0; i < 3; i++)
		say(&s, WHO_PROD, OK "Content-Length: 1\r\n\r\nx");
	say(&s, WHO_PROD, OK "Content-Length: 1\r\n\r\n");
	/* Request 1 had been begun; 2 was never seen. */
	CHECK(strcmp(trace_end(&s), "H38|B1.H38|B1.H38|B1.?H38|.") == 0);

	framer_http1.resync(state, WHO_CLIENT, 100000);
	framer_http1.resync(state, WHO_PROD, 100000 - 5);
	memset(&s, 0, sizeof(s));
	s.index = 100000 - 5;
	say(&s, WHO_PROD, OK "Content-Length: 1\r\n\r\nx");
	CHECK(strcmp(trace_end(&s), "H38|B1.?") == 0);
}

static void test_begins(void)
{
	static const struct {
		struct bytes in;
		bool want;
	} rows[] = {
		{ S("G"), true },
		{ S("GET"), true },
		{ S("GET /"), true },
		{ S("GET / HTTP/1.1\r\n"), true },
		{ S("\r\nGET / HTTP/1.1\n"), true },
		{ S("X-METHOD a HTTP/1.0\r\n"), true },
		{ S("GET /\r\n"), false },
		{ S("EHLO example.com\r\n"), false },
		{ S("PRI * HTTP/2.0\r\n"), false },
		{ S("get"), false },
		{ S("Get"), false },
		{ S("GET  /"), false },
		{ S("\x16\x03\x01"), false },
		{ S("hello world"), true }, /* believed until its line ends */
		{ S(" "), false },
		{ S("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(framer_http1.begins(rows[i].in.p,
					      (uint32_t)rows[i].in.n) ==
				  rows[i].want,
			  (const char *)rows[i].in.p);
}

/* What may be the middle of a message is not believed. */
static void test_restarts(void)
{
	static const struct {
		struct bytes in;
		bool want;
	} rows[] = {
		{ S("GET /"), true },
		{ S("VERSION-CONTROL / HTTP/1.1\r\n"), true },
		{ S("\r\nGET / HTTP/1.1\r\n"), false },
		{ S("GET"), false },
		{ S("ET / HTTP/1.1\r\n"), false },
		{ S("0 HTTP/1.1"), false },
		{ S("hello world"), false },
		{ S("X-METHOD a HTTP/1.0\r\n"), false },
		{ S("GET /\r\n"), false },
		{ S("\r\n"), false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(framer_http1.restarts(rows[i].in.p,
						(uint32_t)rows[i].in.n) ==
				  rows[i].want,
			  (const char *)rows[i].in.p);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "requests", test_requests },
		{ "requests that two may split",
		  test_requests_that_two_may_split },
		{ "chunks that two may split", test_chunks_that_two_may_split },
		{ "no HTTP/1 is a tunnel", test_no_http1_is_a_tunnel },
		{ "answers", test_answers },
		{ "the method decides", test_method_decides },
		{ "CONNECT and the client", test_connect_and_the_client },
		{ "outstanding requests", test_outstanding_requests },
		{ "an answer says that it closes",
		  test_answer_says_that_it_closes },
		{ "FIN", test_fin },
		{ "holes", test_holes },
		{ "methods in a hole are not known",
		  test_methods_in_a_hole_are_not_known },
		{ "begins", test_begins },
		{ "restarts", test_restarts },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
