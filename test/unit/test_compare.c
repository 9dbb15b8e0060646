/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_compare.c - Verdicts on pairs of answers
 *
 * Every pair is compared in many interleavings and cuts; each must give the same
 * result, and the pool must be empty afterwards.
 */
#include "compare/compare.h"

#include <errno.h>

#include "check.h"
#include "compare_run.h"

#define SEEDS 40
#define GET   "GET / HTTP/1.1\r\n\r\n"
#define HEAD  "HEAD / HTTP/1.1\r\n\r\n"
#define OK    "HTTP/1.1 200 OK\r\n"
#define CL5   "Content-Length: 5\r\n"

static struct run_pool mem;

static const char *detail(const struct compare_result *r)
{
	return run_detail(PROTOCOL_HTTP1, r);
}

static bool same_result(const struct compare_result *a,
			const struct compare_result *b)
{
	return a->verdict == b->verdict && a->reason == b->reason &&
	       a->status[0] == b->status[0] && a->status[1] == b->status[1] &&
	       a->bytes[0] == b->bytes[0] && a->bytes[1] == b->bytes[1] &&
	       a->offset == b->offset && a->block == b->block &&
	       a->reasons == b->reasons && a->alike == b->alike &&
	       strcmp(detail(a), detail(b)) == 0;
}

/* Compare in every way; the result of all of them. */
static struct compare_result run(const struct exchange *x, const char *name)
{
	struct compare_result first, r;

	CHECK_ROW(run_exchange(mem.pool, x, 0, &first), name);
	for (uint64_t seed = 1; seed < SEEDS; seed++) {
		CHECK_ROW(run_exchange(mem.pool, x, seed, &r), name);
		CHECK_ROW(same_result(&r, &first), name);
		CHECK_ROW(pool_used(mem.pool) == 0, name);
	}
	return first;
}

static struct exchange http(const char *prod, const char *sut)
{
	return (struct exchange){
		.request = GET,
		.p = { (const uint8_t *)prod, (const uint8_t *)sut },
		.n = { strlen(prod), strlen(sut) },
		.ops = &framer_http1,
		.level = COMPARE_EQUIVALENT,
		.why = REASON_RUN_ENDED,
	};
}

struct row {
	const char *name;
	const char *prod;
	const char *sut;
	enum verdict verdict;
	enum compare_reason reason;
	uint64_t offset;
	const char *detail;
};

static void run_row(struct exchange x, const struct row *row)
{
	struct compare_result r = run(&x, row->name);

	CHECK_ROW(r.verdict == row->verdict, row->name);
	CHECK_ROW(r.reason == row->reason, row->name);
	CHECK_ROW(r.offset == row->offset, row->name);
	CHECK_ROW((r.reasons != 0) == (r.verdict == VERDICT_DIFFERENT),
		  row->name);
	/* NULL: of a difference it is not looked at. */
	if (row->detail == NULL && r.verdict == VERDICT_DIFFERENT)
		return;
	CHECK_ROW(strcmp(detail(&r), row->detail ? row->detail : "") == 0,
		  row->name);
	if (strcmp(detail(&r), row->detail ? row->detail : "") != 0)
		printf("# detail %s\n", detail(&r));
}

#define SAME  VERDICT_IDENTICAL, REASON_NONE, 0, NULL
#define ALIKE VERDICT_EQUIVALENT, REASON_NONE, 0, NULL

static const struct row heads[] = {
	{ "same bytes", OK CL5 "\r\nhello", OK CL5 "\r\nhello", SAME },
	{ "ignored fields",
	  OK "Date: 1\r\nAge: 2\r\nEXPIRES: 3\r\nConnection: a\r\n"
	     "Keep-Alive: b\r\n" CL5 "\r\nhello",
	  OK "date: 4\r\n" CL5 "\r\nhello", ALIKE },
	{ "reason and version", OK CL5 "\r\nhello",
	  "HTTP/1.0 200 Fine\r\n" CL5 "\r\nhello", ALIKE },
	{ "case of names, blanks, order", OK "A: 1\r\nB:2 \r\n" CL5 "\r\nhello",
	  OK "CONTENT-length:5\r\nb:\t2\r\na: 1\r\n\r\nhello", ALIKE },
	{ "line ends", OK CL5 "\r\nhello",
	  "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", VERDICT_DIFFERENT,
	  REASON_MALFORMED, 0, "not by the book: a bare CR or LF" },
	{ "fold", OK "A: b\r\n c\r\n" CL5 "\r\nhello",
	  OK "A:  b\r\n c \r\n" CL5 "\r\nhello", ALIKE },
	{ "fold differs", OK "A: b\r\n c\r\n" CL5 "\r\nhello",
	  OK "A: b\r\n d\r\n" CL5 "\r\nhello", VERDICT_DIFFERENT, REASON_HEADER,
	  0, "A: \"b.. c\" / \"b.. d\"" },
	{ "fold of an ignored field", OK "Date: b\r\n c\r\n" CL5 "\r\nhello",
	  OK "Date: d\r\n" CL5 "\r\nhello", ALIKE },
	{ "repeated names in order",
	  OK "A: 1\r\nB: x\r\nA: 2\r\n" CL5 "\r\nhello",
	  OK "B: x\r\nA: 1\r\nA: 2\r\n" CL5 "\r\nhello", ALIKE },
	{ "repeated names behind others",
	  OK "A: 1\r\nA: 2\r\nB: x\r\n" CL5 "\r\nhello",
	  OK "B: x\r\nA: 1\r\nA: 2\r\n" CL5 "\r\nhello", ALIKE },
	{ "what is not printable is shown as a point",
	  OK "A: ~ \x7f\t!\r\n" CL5 "\r\nhello", OK CL5 "\r\nhello",
	  VERDICT_DIFFERENT, REASON_HEADER, 0, "A: \"~ ..!\" / missing" },
	{ "value goes on", OK "A: b\r\n" CL5 "\r\nhello",
	  OK "A: bc\r\n" CL5 "\r\nhello", VERDICT_DIFFERENT, REASON_HEADER, 0,
	  "A: \"b\" / \"bc\"" },
	{ "fold of an ignored field behind another",
	  OK "A: 1\r\nDate: b\r\n c\r\n" CL5 "\r\nhello",
	  OK "A: 1\r\n" CL5 "\r\nhello", ALIKE },
	{ "repeated names out of order", OK "A: 1\r\nA: 2\r\n" CL5 "\r\nhello",
	  OK "A: 2\r\nA: 1\r\n" CL5 "\r\nhello", VERDICT_DIFFERENT,
	  REASON_HEADER, 0, "A: \"1\" / \"2\"" },
	{ "one too few", OK "A: 1\r\nA: 1\r\n" CL5 "\r\nhello",
	  OK "A: 1\r\n" CL5 "\r\nhello", VERDICT_DIFFERENT, REASON_HEADER, 0,
	  "A: \"1\" / missing" },
	{ "one too many", OK CL5 "\r\nhello", OK CL5 "Server: x\r\n\r\nhello",
	  VERDICT_DIFFERENT, REASON_HEADER, 0, "Server: missing / \"x\"" },
	{ "value, case of it", OK "A: b\r\n" CL5 "\r\nhello",
	  OK "A: B\r\n" CL5 "\r\nhello", VERDICT_DIFFERENT, REASON_HEADER, 0,
	  "A: \"b\" / \"B\"" },
	{ "detail is cut and printable",
	  OK "A-name-that-is-longer-than-28-bytes: "
	     "0123456789012345678901234567890\r\n" CL5 "\r\nhello",
	  OK "a-name-that-is-longer-than-28-bytes: \xff\t<\r\n" CL5 "\r\nhello",
	  VERDICT_DIFFERENT, REASON_HEADER, 0,
	  "A-name-that-is-longer-than-2: "
	  "\"0123456789012345678901234567\" / \"..<\"" },
	{ "status", OK CL5 "\r\nhello",
	  "HTTP/1.1 404 Not Found\r\n" CL5 "\r\nhello", VERDICT_DIFFERENT,
	  REASON_STATUS, 0, NULL },
	{ "status before header before body", OK "A: 1\r\n" CL5 "\r\nhello",
	  "HTTP/1.1 500 x\r\nA: 2\r\n" CL5 "\r\nHELLO", VERDICT_DIFFERENT,
	  REASON_STATUS, 0, NULL },
	{ "header before body", OK "A: 1\r\n" CL5 "\r\nhello",
	  OK "A: 2\r\n" CL5 "\r\nHELLO", VERDICT_DIFFERENT, REASON_HEADER, 0,
	  "A: \"1\" / \"2\"; from byte 0: \"hello\" / \"HELLO\"" },
};

static void test_heads(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		run_row(http(heads[i].prod, heads[i].sut), &heads[i]);
}

#define TE "Transfer-Encoding: chunked\r\n\r\n"

static void test_bodies(void)
{
	static const struct row rows[] = {
		{ "a byte", OK CL5 "\r\nhello", OK CL5 "\r\nhelLo",
		  VERDICT_DIFFERENT, REASON_BODY, 3,
		  "from byte 0: \"hello\" / \"helLo\"" },
		{ "other chunks", OK TE "5\r\nhello\r\n0\r\n\r\n",
		  OK TE "2;x\r\nhe\r\n3\r\nllo\r\n00\r\n\r\n", ALIKE },
		{ "same chunks", OK TE "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
		  OK TE "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", SAME },
		{ "chunked, shorter", OK TE "5\r\nhello\r\n0\r\n\r\n",
		  OK TE "4\r\nhell\r\n0\r\n\r\n", VERDICT_DIFFERENT,
		  REASON_LENGTH, 4, "from byte 0: \"hello\" / \"hell\"" },
		{ "chunked, empty", OK TE "5\r\nhello\r\n0\r\n\r\n",
		  OK TE "0\r\n\r\n", VERDICT_DIFFERENT, REASON_LENGTH, 0,
		  NULL },
		{ "chunked against a length", OK TE "5\r\nhello\r\n0\r\n\r\n",
		  OK CL5 "\r\nhello", VERDICT_DIFFERENT, REASON_HEADER, 0,
		  "Transfer-Encoding: \"chunked\" / missing" },
		{ "same trailers", OK TE "1\r\nx\r\n0\r\nA: 1\r\n\r\n",
		  OK TE "1\r\nx\r\n0\r\nA: 1\r\n\r\n", SAME },
		{ "trailers alike", OK TE "1\r\nx\r\n0\r\nA: 1\r\nB: 2\r\n\r\n",
		  OK TE "1\r\nx\r\n0\r\nDate: x\r\nb:2\r\na:1\r\n\r\n", ALIKE },
		{ "trailers differ", OK TE "1\r\nx\r\n0\r\nA: 1\r\n\r\n",
		  OK TE "1\r\nx\r\n0\r\nA: 2\r\n\r\n", VERDICT_DIFFERENT,
		  REASON_HEADER, 0, "A: \"1\" / \"2\"" },
		{ "trailer missing", OK TE "1\r\nx\r\n0\r\nA: 1\r\n\r\n",
		  OK TE "1\r\nx\r\n0\r\n\r\n", VERDICT_DIFFERENT, REASON_HEADER,
		  0, "A: \"1\" / missing" },
		{ "length and trailers", OK TE "1\r\nx\r\n0\r\nA: 1\r\n\r\n",
		  OK TE "2\r\nxy\r\n0\r\nA: 2\r\n\r\n", VERDICT_DIFFERENT,
		  REASON_HEADER, 1,
		  "A: \"1\" / \"2\"; from byte 0: \"x\" / \"xy\"" },
		{ "interim answers are ignored",
		  "HTTP/1.1 100 Continue\r\n\r\n" OK CL5 "\r\nhello",
		  "HTTP/1.1 103 E\r\nA: b\r\n\r\n"
		  "HTTP/1.1 100 C\r\n\r\n" OK CL5 "\r\nhello",
		  ALIKE },
		{ "interim answer on one side", OK CL5 "\r\nhello",
		  "HTTP/1.1 100 C\r\n\r\n" OK CL5 "\r\nhello", ALIKE },
		{ "same interim answer",
		  "HTTP/1.1 100 C\r\n\r\n" OK CL5 "\r\nhello",
		  "HTTP/1.1 100 C\r\n\r\n" OK CL5 "\r\nhello", SAME },
		{ "switching protocols", "HTTP/1.1 101 S\r\nUpgrade: a\r\n\r\n",
		  "HTTP/1.1 101 T\r\nUpgrade: a\r\n\r\n", ALIKE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(http(rows[i].prod, rows[i].sut), &rows[i]);
}

static void test_heads_of_HEAD(void)
{
	struct exchange x = http(OK CL5 "\r\n", OK CL5 "\r\n");
	struct compare_result r;

	x.request = HEAD;
	r = run(&x, "HEAD");
	CHECK(r.verdict == VERDICT_IDENTICAL && r.status[1] == 200);
	CHECK(r.bytes[0] == 38 && r.bytes[1] == 38);
}

static void test_identical_level(void)
{
	static const struct row rows[] = {
		{ "same", OK CL5 "\r\nhello", OK CL5 "\r\nhello", SAME },
		{ "date", OK "Date: 1\r\n" CL5 "\r\nhello",
		  OK "Date: 2\r\n" CL5 "\r\nhello", VERDICT_DIFFERENT,
		  REASON_BYTES, 23, NULL },
		{ "body", OK CL5 "\r\nhello", OK CL5 "\r\nhellO",
		  VERDICT_DIFFERENT, REASON_BYTES, 42, NULL },
		{ "chunks", OK TE "1\r\nx\r\n0\r\n\r\n",
		  OK TE "01\r\nx\r\n0\r\n\r\n", VERDICT_DIFFERENT, REASON_BYTES,
		  47, NULL },
		{ "interim", "HTTP/1.1 100 C\r\n\r\n" OK CL5 "\r\nhello",
		  OK CL5 "\r\nhello", VERDICT_DIFFERENT, REASON_BYTES, 9,
		  NULL },
		{ "prefix", OK TE "1\r\nx\r\n0\r\n\r\n",
		  OK TE "1\r\nx\r\n0\r\nA: b\r\n\r\n", VERDICT_DIFFERENT,
		  REASON_BYTES, 56, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exchange x = http(rows[i].prod, rows[i].sut);

		x.level = COMPARE_IDENTICAL;
		run_row(x, &rows[i]);
	}
}

/* What a server says that no reading of HTTP/1 explains is a difference at each
 * level, and the only one that is told.
 */
static void test_malformed(void)
{
	static const struct row rows[] = {
		{ "no HTTP", OK CL5 "\r\nhello", "SSH-2.0-x\r\n",
		  VERDICT_DIFFERENT, REASON_MALFORMED, 0, NULL },
		{ "no digits", OK TE "1\r\nx\r\n0\r\n\r\n", OK TE "x\r\n",
		  VERDICT_DIFFERENT, REASON_MALFORMED, 0, NULL },
		{ "too many digits", OK TE "1\r\nx\r\n0\r\n\r\n",
		  OK TE "12345678123456781\r\n", VERDICT_DIFFERENT,
		  REASON_MALFORMED, 0, NULL },
		{ "data longer than its size", OK TE "1\r\nx\r\n0\r\n\r\n",
		  OK TE "1\r\nxy\r\n0\r\n\r\n", VERDICT_DIFFERENT,
		  REASON_MALFORMED, 0, NULL },
		{ "behind another status", OK TE "1\r\nx\r\n0\r\n\r\n",
		  "HTTP/1.1 500 Oops\r\n" TE "x\r\n", VERDICT_DIFFERENT,
		  REASON_STATUS, 0,
		  "not by the book: a chunk size that is no number" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exchange x = http(rows[i].prod, rows[i].sut);

		run_row(x, &rows[i]);
		x.level = COMPARE_IDENTICAL;
		if (rows[i].reason == REASON_MALFORMED)
			run_row(x, &rows[i]);
	}
}

static size_t long_head(char *buf, size_t n, char last);

/* What only the SUT's answer has that is not by the book. */
static void test_odd_sut(void)
{
	static const struct {
		const char *sut;
		const char *detail; /* begins so */
	} rows[] = {
		{ "HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello",
		  "a bare CR or LF" },
		{ OK CL5 "\nhello", "a bare CR or LF" },
		{ OK "A: b\0c\r\n" CL5 "\r\nhello", "a control character" },
		{ OK "A : b\r\n" CL5 "\r\nhello",
		  "a field name that is no token" },
		{ OK CL5 "Content-Length: 6\r\n\r\nhello",
		  "two Content-Lengths" },
		{ OK "Content-Length: +5\r\n\r\n",
		  "a Content-Length that is no number" },
		{ OK CL5 TE "5\r\nhello\r\n0\r\n\r\n",
		  "Content-Length and Transfer-Encoding" },
		{ "HTTP/1.0 200 OK\r\n" TE "5\r\nhello\r\n0\r\n\r\n",
		  "Transfer-Encoding in HTTP/1.0" },
		{ OK TE "+5\r\nhello\r\n0\r\n\r\n",
		  "a chunk size that is no number" },
		{ OK TE "5 \r\nhello\r\n0\r\n\r\n",
		  "a chunk size that is no number" },
		{ OK TE "5\r\nhello!\r\n0\r\n\r\n",
		  "a chunk that is longer than its size" },
		{ OK "Transfer-Encoding: chunked, gzip\r\n\r\nhello",
		  "a Transfer-Encoding that does not end in chunked" },
		{ OK " x\r\n" CL5 "\r\nhello",
		  "a line fold where lengths are" },
		{ "\r\n" OK CL5 "\r\nhello", "an empty line in front of it" },
		{ "HTTP/2.0 200 OK\r\n" CL5 "\r\nhello",
		  "no status line of HTTP/1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exchange x = http(OK CL5 "\r\nhello", rows[i].sut);
		const char *book = "not by the book: ";
		struct compare_result r;

		if (i == 2)
			x.n[1] += 1 + strlen("c\r\n" CL5 "\r\nhello");
		r = run(&x, rows[i].detail);
		CHECK_ROW(r.verdict == VERDICT_DIFFERENT, rows[i].detail);
		CHECK_ROW(r.reason == REASON_MALFORMED, rows[i].detail);
		CHECK_ROW(!r.alike, rows[i].detail);
		CHECK_ROW(strncmp(detail(&r), book, strlen(book)) == 0,
			  rows[i].detail);
		CHECK_ROW(strncmp(detail(&r) + strlen(book), rows[i].detail,
				  strlen(rows[i].detail)) == 0,
			  detail(&r));
		/* Production's alone: nobody knows. */
		x = (struct exchange){
			.request = GET,
			.p = { x.p[1], x.p[0] },
			.n = { x.n[1], x.n[0] },
			.ops = &framer_http1,
			.level = COMPARE_EQUIVALENT,
			.why = REASON_RUN_ENDED,
		};
		r = run(&x, rows[i].detail);
		CHECK_ROW(r.verdict == VERDICT_NOT_COMPARED, rows[i].detail);
		/* Both: the same as itself, or not compared. */
		x.p[1] = x.p[0];
		x.n[1] = x.n[0];
		r = run(&x, rows[i].detail);
		CHECK_ROW(r.verdict != VERDICT_DIFFERENT && r.alike,
			  rows[i].detail);
	}
}

/* Both are not by the book in the same way: they are read alike, and behind a break
 * compared as bytes, without a server's own moment.
 */
static void test_odd_alike(void)
{
#define LF "HTTP/1.1 200 OK\nDate: "
#define V2 "HTTP/2.0 200 OK\r\nDate: "
	static const struct row rows[] = {
		{ "same", LF "1\n" CL5 "\r\nhello", LF "1\n" CL5 "\r\nhello",
		  SAME },
		{ "another date", LF "1\n" CL5 "\r\nhello",
		  LF "2\n" CL5 "\r\nhello", ALIKE },
		{ "another body", LF "1\n" CL5 "\r\nhello",
		  LF "1\n" CL5 "\r\nhelLo", VERDICT_DIFFERENT, REASON_BODY, 3,
		  "from byte 0: \"hello\" / \"helLo\"" },
		{ "broken, another date", V2 "1\r\n" CL5 "\r\nhello",
		  V2 "2\r\n" CL5 "\r\nhello", ALIKE },
		{ "broken, a date is longer", V2 "1\r\n" CL5 "\r\nhello",
		  V2 "\r\n" CL5 "\r\nhello", ALIKE },
		{ "broken, another body", V2 "1\r\n" CL5 "\r\nhello",
		  V2 "2\r\n" CL5 "\r\nhelLo", VERDICT_DIFFERENT, REASON_BYTES,
		  47, NULL },
		{ "a chunk", OK TE "+2\r\nab", OK TE "+2\r\nab", SAME },
		{ "another chunk", OK TE "+2\r\nab", OK TE "+2\r\nac",
		  VERDICT_DIFFERENT, REASON_BYTES, 4, NULL },
		{ "a broken interim answer", "HTTP/1.1 1000 x\r\n" OK,
		  "HTTP/1.1 1000 x\r\n" OK, SAME },
		{ "broken in another way", OK TE "+2\r\nab",
		  OK TE "2\r\nabc\r\n", VERDICT_NOT_COMPARED,
		  REASON_PROD_MALFORMED, 0, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exchange x = http(rows[i].prod, rows[i].sut);

		x.whole = true;
		run_row(x, &rows[i]);
	}
}

/* Status, header and body are judged apart, and all are named. */
static void test_all_are_named(void)
{
	struct exchange x =
		http(OK "X-Request-Id: 1\r\n" CL5 "\r\nhello",
		     "HTTP/1.1 500 No\r\nX-Request-Id: 2\r\n" CL5 "\r\nhelLo");
	struct compare_result r = run(&x, "all");

	CHECK(r.reason == REASON_STATUS);
	CHECK(r.reasons ==
	      (reason_bit(REASON_STATUS) | reason_bit(REASON_HEADER) |
	       reason_bit(REASON_BODY)));
	CHECK(strcmp(detail(&r), "X-Request-Id: \"1\" / \"2\"; "
				 "from byte 0: \"hello\" / \"helLo\"") == 0);
}

/* A SUT's head may be longer than production's, up to a limit of its own. */
static void test_long_sut_heads(void)
{
	static char sut[3 * COMPARE_HEAD];
	static const struct {
		size_t n;
		enum compare_reason reason;
	} rows[] = { { COMPARE_HEAD + 100, REASON_HEADER },
		     { 2 * COMPARE_HEAD - 43, REASON_HEADER },
		     { 2 * COMPARE_HEAD, REASON_HEAD_TOO_LONG } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exchange x = http(OK CL5 "\r\nhello", "");
		struct compare_result r;

		x.p[1] = (const uint8_t *)sut;
		x.n[1] = long_head(sut, rows[i].n, 'v');
		r = run(&x, "long");
		CHECK(r.verdict == VERDICT_DIFFERENT);
		CHECK(r.reason == rows[i].reason);
	}
}

static void test_many_sut_fields(void)
{
	static const struct {
		unsigned count;
		enum compare_reason reason;
	} rows[] = { { 301, REASON_HEADER },
		     { 599, REASON_HEADER },
		     { 600, REASON_HEAD_TOO_LONG } };
	static char sut[8192];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exchange x = http(OK CL5 "\r\nhello", sut);
		size_t n = strlen(strcpy(sut, OK CL5));
		struct compare_result r;

		for (unsigned k = 0; k < rows[i].count; k++)
			n += strlen(strcpy(sut + n, "A: b\r\n"));
		strcpy(sut + n, "\r\nhello");
		x.n[1] = strlen(sut);
		r = run(&x, "fields");
		CHECK(r.verdict == VERDICT_DIFFERENT);
		CHECK(r.reason == rows[i].reason);
	}
}

/* Fields that are left out hide nothing else. */
static void test_ignored_fields(void)
{
	struct compare_rules rules = { 0 };
	struct exchange x = http(OK "X-Request-Id: 1\r\n" CL5 "\r\nhello",
				 OK "x-request-id: 2\r\n" CL5 "\r\nhelLo");
	char name[COMPARE_NAME + 2];
	struct compare_result r = run(&x, "with it");

	CHECK(r.reasons ==
	      (reason_bit(REASON_HEADER) | reason_bit(REASON_BODY)));
	CHECK(compare_ignore(&rules, "X-REQUEST-ID") == 0);
	CHECK(compare_ignore(&rules, "x-request-id") == 0);
	CHECK(rules.ignored == 1);
	x.rules = &rules;
	r = run(&x, "without it");
	CHECK(r.reason == REASON_BODY && r.reasons == reason_bit(REASON_BODY));
	x.p[1] = (const uint8_t *)OK "X-Request-Id: 2\r\n" CL5 "\r\nhello";
	r = run(&x, "same but for it");
	CHECK(r.verdict == VERDICT_EQUIVALENT);
	x.p[1] = (const uint8_t *)OK "X-Request-Ie: 1\r\n" CL5 "\r\nhello";
	r = run(&x, "another name");
	CHECK(r.reason == REASON_HEADER);
	CHECK(compare_ignore(&rules, "") == -EINVAL);
	CHECK(compare_ignore(&rules, "a b") == -EINVAL);
	CHECK(compare_ignore(&rules, "a:") == -EINVAL);
	memset(name, 'a', sizeof(name));
	name[COMPARE_NAME + 1] = '\0';
	CHECK(compare_ignore(&rules, name) == -ENAMETOOLONG);
	for (unsigned i = 1; i < COMPARE_IGNORED; i++) {
		name[COMPARE_NAME - i] = '\0';
		CHECK(compare_ignore(&rules, name) == 0);
	}
	CHECK(compare_ignore(&rules, "b") == -ENOSPC);
	CHECK(compare_ignore(&rules, "a") == -ENOSPC);
	CHECK(compare_ignore(&rules, "X-Request-ID") == 0);
}

static void test_not_compared(void)
{
	static const struct row rows[] = {
		{ "ambiguous, production", OK "A : b\r\n" CL5 "\r\nhello",
		  OK CL5 "\r\nhello", VERDICT_NOT_COMPARED, REASON_AMBIGUOUS, 0,
		  NULL },
		{ "ambiguous behind a difference",
		  OK "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0 \r\n\r\n",
		  OK "Transfer-Encoding: chunked\r\n\r\n1\r\ny\r\n0\r\n\r\n",
		  VERDICT_NOT_COMPARED, REASON_AMBIGUOUS, 0, NULL },
		{ "production is no HTTP", "SSH-2.0-x\r\n", OK CL5 "\r\nhello",
		  VERDICT_NOT_COMPARED, REASON_PROD_MALFORMED, 0, NULL },
		{ "neither is HTTP, not whole", "SSH-2.0-x\r\n",
		  "SSH-2.0-x\r\n", VERDICT_NOT_COMPARED, REASON_RUN_ENDED, 0,
		  NULL },
		{ "production's chunk is malformed", OK TE "x\r\n",
		  OK TE "1\r\nx\r\n0\r\n\r\n", VERDICT_NOT_COMPARED,
		  REASON_PROD_MALFORMED, 0, NULL },
		{ "ambiguous, then malformed", OK TE "1\r\nx\nx",
		  OK CL5 "\r\nhello", VERDICT_NOT_COMPARED,
		  REASON_PROD_MALFORMED, 0, NULL },
		{ "malformed, and production not whole", OK CL5 "\r\nhel",
		  OK TE "x\r\n", VERDICT_NOT_COMPARED, REASON_RUN_ENDED, 0,
		  NULL },
		{ "not whole", OK CL5 "\r\nhel", OK CL5 "\r\nhello",
		  VERDICT_NOT_COMPARED, REASON_RUN_ENDED, 0, NULL },
	};
	static const enum compare_level levels[] = { COMPARE_IDENTICAL,
						     COMPARE_EQUIVALENT };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t k = 0; k < 2; k++) {
			struct exchange x = http(rows[i].prod, rows[i].sut);

			x.level = levels[k];
			run_row(x, &rows[i]);
		}
	}
}

/* Every reason that a caller may give for a side that is not done. */
static void test_why_a_side_is_not_done(void)
{
	struct exchange cut = http(OK CL5 "\r\nhello", OK CL5 "\r\nhel");
	struct exchange none = http(OK CL5 "\r\nhello", "");
	struct exchange differs = http(OK CL5 "\r\nhello", OK CL5 "\r\nheL");

	for (unsigned why = REASON_STATUS; why < REASON_COUNT; why++) {
		const char *name = reason_name((enum compare_reason)why);
		struct compare_result r;

		cut.why = none.why = differs.why = (enum compare_reason)why;
		r = run(&cut, name);
		CHECK_ROW(r.reason == why, name);
		CHECK_ROW(r.verdict == (why <= REASON_MALFORMED
						? VERDICT_DIFFERENT
						: VERDICT_NOT_COMPARED),
			  name);
		r = run(&none, name);
		CHECK_ROW(r.reason == why && r.status[1] == 0, name);
		CHECK_ROW(r.bytes[1] == 0, name);
		/* What both did say differs all the same. */
		r = run(&differs, name);
		CHECK_ROW(r.offset == 2, name);
		CHECK_ROW((r.reasons & reason_bit(REASON_BODY)) != 0, name);
	}
}

static void test_spoil(void)
{
	struct framer_piece piece = { .used = 1, .part = FRAMER_OPAQUE };
	struct compare_result r;
	struct compare *c;

	c = compare_begin(mem.pool, COMPARE_IDENTICAL,
			  &protocols[PROTOCOL_BYTES]);
	compare_feed(c, mem.pool, WHO_PROD, &piece, (const uint8_t *)"a");
	compare_feed(c, mem.pool, WHO_SUT, &piece, (const uint8_t *)"b");
	compare_spoil(c, REASON_PROD_GAP);
	compare_spoil(c, REASON_BEHIND);
	compare_end(c, mem.pool, REASON_NONE, &r);
	CHECK(r.verdict == VERDICT_NOT_COMPARED && r.reason == REASON_PROD_GAP);
	CHECK(detail(&r)[0] == '\0' && r.bytes[0] == 1 && r.bytes[1] == 1);
	CHECK(pool_used(mem.pool) == 0);
}

/* A difference found stays, although the answers do not end. */
static void test_decided_early(void)
{
	static const struct framer_piece head = { .used = 19,
						  .part = FRAMER_HEAD,
						  .flags = FRAMER_HEAD_END };
	struct compare_result r;
	struct compare *c = compare_begin(mem.pool, COMPARE_EQUIVALENT,
					  &protocols[PROTOCOL_HTTP1]);

	compare_feed(c, mem.pool, WHO_PROD, &head, (const uint8_t *)OK "\r\n");
	compare_feed(c, mem.pool, WHO_SUT, &head,
		     (const uint8_t *)"HTTP/1.1 201 OK\r\n\r\n");
	compare_end(c, mem.pool, REASON_RUN_ENDED, &r);
	CHECK(r.reason == REASON_STATUS && r.status[0] == 200 &&
	      r.status[1] == 201);
}

/* Once a difference is found, only the object itself is still held. */
static void test_a_difference_frees_memory(void)
{
	static const uint8_t zero[12000];
	struct framer_piece piece = { .used = sizeof(zero),
				      .part = FRAMER_OPAQUE };
	struct compare *c = compare_begin(mem.pool, COMPARE_IDENTICAL,
					  &protocols[PROTOCOL_BYTES]);
	struct compare_result r;

	compare_feed(c, mem.pool, WHO_PROD, &piece, zero);
	CHECK(pool_used(mem.pool) > 12000);
	piece.used = 1;
	compare_feed(c, mem.pool, WHO_SUT, &piece, (const uint8_t *)"x");
	CHECK(pool_used(mem.pool) == 2048);
	compare_end(c, mem.pool, REASON_RUN_ENDED, &r);
	CHECK(r.reason == REASON_BYTES && r.offset == 0);
}

static void test_other_protocols_are_bytes(void)
{
	struct exchange x = {
		.p = { (const uint8_t *)"one two", (const uint8_t *)"one two" },
		.n = { 7, 7 },
		.ops = &framer_quiet,
		.level = COMPARE_EQUIVALENT,
	};
	struct compare_result r = run(&x, "same");

	CHECK(r.verdict == VERDICT_IDENTICAL && r.status[0] == 0);
	x.p[1] = (const uint8_t *)"one tw0";
	r = run(&x, "byte");
	CHECK(r.reason == REASON_BYTES && r.offset == 6);
	x.n[1] = 3;
	r = run(&x, "prefix");
	CHECK(r.reason == REASON_BYTES && r.offset == 3);
}

/* An answer with a body of @n bytes until FIN, counted up from @salt. */
static uint8_t *large(size_t n, size_t *len)
{
	size_t head = strlen(OK "\r\n");
	uint8_t *p = malloc(head + n);

	if (p == NULL)
		abort();
	memcpy(p, OK "\r\n", head);
	for (size_t i = 0; i < n; i++)
		p[head + i] = (uint8_t)(i * 2654435761u >> 13);
	*len = head + n;
	return p;
}

static const struct {
	const char *name;
	size_t n[2];
	size_t flip; /* byte of the SUT's body that differs, 0: none */
	enum compare_reason reason;
	uint64_t offset;
	uint64_t block;
} large_bodies[] = {
	{ "same", { 300000, 300000 }, 0, REASON_NONE, 0, 0 },
	{ "same, whole blocks", { 40960, 40960 }, 0, REASON_NONE, 0, 0 },
	{ "byte 1", { 300000, 300000 }, 1, REASON_BODY, 1, 0 },
	{ "byte 5000", { 300000, 300000 }, 5000, REASON_BODY, 5000, 1 },
	{ "last kept byte", { 300000, 300000 }, 16383, REASON_BODY, 16383, 3 },
	{ "first hashed byte",
	  { 300000, 300000 },
	  16384,
	  REASON_BODY,
	  UINT64_MAX,
	  4 },
	{ "last byte of a block",
	  { 300000, 300000 },
	  20479,
	  REASON_BODY,
	  UINT64_MAX,
	  4 },
	{ "far behind",
	  { 1200000, 1200000 },
	  1199999,
	  REASON_BODY,
	  UINT64_MAX,
	  292 },
	{ "last byte of whole blocks",
	  { 40960, 40960 },
	  40959,
	  REASON_BODY,
	  UINT64_MAX,
	  9 },
	{ "last byte, of a word that is not whole",
	  { 20483, 20483 },
	  20482,
	  REASON_BODY,
	  UINT64_MAX,
	  5 },
	{ "shorter, kept", { 16000, 15000 }, 0, REASON_LENGTH, 15000, 3 },
	{ "shorter, at the border",
	  { 16385, 16384 },
	  0,
	  REASON_LENGTH,
	  16384,
	  4 },
	{ "longer, hashed", { 50000, 70000 }, 0, REASON_LENGTH, 50000, 12 },
	{ "byte, then shorter",
	  { 70000, 60000 },
	  30000,
	  REASON_BODY,
	  UINT64_MAX,
	  7 },
};

static void test_large_bodies(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(large_bodies); i++) {
		struct exchange x = http("", "");
		struct compare_result r;
		uint8_t *p[2];

		for (unsigned k = 0; k < 2; k++) {
			p[k] = large(large_bodies[i].n[k], &x.n[k]);
			x.p[k] = p[k];
			x.fin[k] = true;
		}
		if (large_bodies[i].flip != 0)
			p[1][strlen(OK "\r\n") + large_bodies[i].flip] ^= 0x10;
		r = run(&x, large_bodies[i].name);
		CHECK_ROW(r.reason == large_bodies[i].reason,
			  large_bodies[i].name);
		CHECK_ROW(r.offset == large_bodies[i].offset,
			  large_bodies[i].name);
		CHECK_ROW(r.block == large_bodies[i].block,
			  large_bodies[i].name);
		CHECK_ROW(r.bytes[1] == large_bodies[i].n[1] + 19,
			  large_bodies[i].name);
		free(p[0]);
		free(p[1]);
	}
}

/* Differences beyond the kept bytes that a weak hash would not see: behind zeroes,
 * and two that undo each other.
 */
static void test_hashes_see_every_bit(void)
{
	const size_t head = strlen(OK "\r\n");

	for (unsigned way = 0; way < 2 + 64; way++) {
		struct exchange x = http("", "");
		struct compare_result r;
		uint8_t *p[2];
		size_t at = head + 30000;

		for (unsigned k = 0; k < 2; k++) {
			p[k] = large(50000, &x.n[k]);
			x.p[k] = p[k];
			x.fin[k] = true;
			if (way < 2)
				memset(p[k] + head, way == 0 ? 0 : 255, 50000);
		}
		/* The same bit of two words, one row of words apart. */
		at = head + 20480 + (way % 64) / 8;
		p[1][at] ^= (uint8_t)(1u << way % 8);
		p[1][at + 32] ^= (uint8_t)(1u << way % 8);
		CHECK(run_exchange(mem.pool, &x, 0, &r));
		CHECK(r.reason == REASON_BODY && r.block == 5);
		free(p[0]);
		free(p[1]);
	}
}

/* The next bytes of one side's body; @at is moved. */
static void feed_body(struct compare *c, enum who who, const uint8_t *p,
		      size_t *at, size_t n)
{
	struct framer_piece piece = { .part = FRAMER_BODY };

	piece.used = (uint32_t)n;
	compare_feed(c, mem.pool, who, &piece, p + *at);
	*at += n;
}

/* Both bodies in pieces, one side @lag bytes ahead, first the one and from the
 * middle on the other.
 */
static struct compare_result with_lag(const uint8_t *const p[2], size_t n,
				      size_t lag, size_t piece)
{
	struct compare *c = compare_begin(mem.pool, COMPARE_EQUIVALENT,
					  &protocols[PROTOCOL_HTTP1]);
	size_t at[2] = { 0, 0 };
	struct compare_result r;

	while (at[0] < n || at[1] < n) {
		unsigned lead = at[0] + at[1] < n ? 0 : 1;
		unsigned side = at[lead] < n && at[lead] < at[1 - lead] + lag
					? lead
					: 1 - lead;
		size_t k;

		if (at[side] == n)
			side = 1 - side;
		k = n - at[side] < piece ? n - at[side] : piece;
		feed_body(c, side == 0 ? WHO_PROD : WHO_SUT, p[side], &at[side],
			  k);
	}
	compare_done(c, WHO_PROD);
	compare_done(c, WHO_SUT);
	compare_end(c, mem.pool, REASON_NONE, &r);
	CHECK(pool_used(mem.pool) == 0);
	return r;
}

/* However far one side is ahead: a byte that differs is found, in its block. */
static void test_sides_close_together(void)
{
	static const size_t lags[] = { 1,    1448,  4096,  8191,
				       8192, 12288, 12289, 40000 };
	static const size_t flips[] = { 0,     16384, 20479, 20480,
					28672, 60000, 90111, 90122 };
	enum { N = 90123 };
	static uint8_t a[N], b[N];
	const uint8_t *const p[2] = { a, b };

	for (size_t i = 0; i < N; i++)
		a[i] = b[i] = (uint8_t)(i * 2654435761u >> 13);
	for (size_t i = 0; i < ARRAY_SIZE(lags) * ARRAY_SIZE(flips); i++) {
		size_t lag = lags[i / ARRAY_SIZE(flips)];
		size_t flip = flips[i % ARRAY_SIZE(flips)];
		size_t piece = i % 3 == 0 ? 1448 : i % 3 == 1 ? 577 : 4096;
		struct compare_result r;

		b[flip] ^= flip != 0;
		r = with_lag(p, N, lag, piece);
		b[flip] ^= flip != 0;
		if (flip == 0)
			CHECK(r.verdict == VERDICT_IDENTICAL);
		else
			CHECK(r.reason == REASON_BODY &&
			      r.offset == UINT64_MAX &&
			      r.block == flip / COMPARE_BLOCK);
	}
}

/* Bytes of a tunnel without the message that made it: nobody knows where they
 * begin.
 */
static void test_tunnel_without_a_mark(void)
{
	for (int mark = 0; mark < 2; mark++) {
		struct compare *c = compare_begin(mem.pool, COMPARE_EQUIVALENT,
						  &protocols[PROTOCOL_HTTP1]);
		struct framer_piece piece = { .used = 3,
					      .part = FRAMER_OPAQUE,
					      .flags = FRAMER_TUNNEL };
		struct compare_result r;

		if (mark)
			piece.flags |= FRAMER_MARK;
		for (unsigned i = 0; i < 2; i++) {
			enum who who = i == 0 ? WHO_PROD : WHO_SUT;

			compare_feed(c, mem.pool, who, &piece,
				     (const uint8_t *)"abc");
			compare_done(c, who);
		}
		compare_end(c, mem.pool, REASON_NONE, &r);
		CHECK(r.verdict ==
		      (mark ? VERDICT_IDENTICAL : VERDICT_NOT_COMPARED));
		CHECK(r.reason == (mark ? REASON_NONE : REASON_TUNNEL));
	}
}

/* Write a head with a value of @n bytes, that ends with @last. */
static size_t long_head(char *buf, size_t n, char last)
{
	size_t at = strlen(OK CL5 "A: ");

	memcpy(buf, OK CL5 "A: ", at);
	memset(buf + at, 'v', n);
	at += n;
	buf[at - 1] = last;
	memcpy(buf + at, "\r\n\r\nhello", 9);
	return at + 9;
}

static void test_long_heads(void)
{
	static const struct {
		const char *name;
		size_t n;
		char last;
		enum compare_reason reason;
	} rows[] = {
		{ "more than its first room", 600, 'v', REASON_NONE },
		{ "more than its first frame", 3000, 'v', REASON_NONE },
		{ "differs", 3000, 'w', REASON_HEADER },
		{ "longest", COMPARE_HEAD - 43, 'v', REASON_NONE },
		{ "longest, differs", COMPARE_HEAD - 43, 'w', REASON_HEADER },
		{ "too long", COMPARE_HEAD - 42, 'v', REASON_HEAD_TOO_LONG },
	};
	char a[COMPARE_HEAD + 64], b[COMPARE_HEAD + 64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exchange x = http("", "");
		struct compare_result r;

		x.p[0] = (const uint8_t *)a;
		x.p[1] = (const uint8_t *)b;
		x.n[0] = long_head(a, rows[i].n, 'v');
		x.n[1] = long_head(b, rows[i].n, rows[i].last);
		r = run(&x, rows[i].name);
		CHECK_ROW(r.reason == rows[i].reason, rows[i].name);
	}
}

/* Trailers that are too long spoil, also behind a difference. */
static void test_long_trailers(void)
{
	static char a[COMPARE_HEAD + 256];
	size_t at = strlen(OK TE "1\r\nx\r\n0\r\nA: ");
	struct exchange x;

	memcpy(a, OK TE "1\r\nx\r\n0\r\nA: ", at);
	memset(a + at, 'v', COMPARE_HEAD);
	memcpy(a + at + COMPARE_HEAD, "\r\n\r\n", 5);
	x = http(a, OK TE "1\r\ny\r\n0\r\n\r\n");
	CHECK(run(&x, "trailers").reason == REASON_HEAD_TOO_LONG);
}

static void test_many_fields(void)
{
	static const struct {
		unsigned count;
		enum compare_reason reason;
	} rows[] = { { 299, REASON_NONE }, { 300, REASON_HEAD_TOO_LONG } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char a[4096] = OK CL5, b[4096] = OK CL5 "Date: x\r\n";
		size_t an = strlen(a), bn = strlen(b);
		struct exchange x;

		for (unsigned k = 0; k < rows[i].count; k++) {
			memcpy(a + an, "A: b\r\n", 6);
			memcpy(b + bn, "A: b\r\n", 6);
			an += 6;
			bn += 6;
		}
		memcpy(a + an, "\r\nhello", 8);
		memcpy(b + bn, "\r\nhello", 8);
		x = http(a, b);
		CHECK(run(&x, "fields").reason == rows[i].reason);
	}
}

static void test_full_pool(void)
{
	struct run_pool small = run_pool_make(1);
	struct buf *all[BUF_TOP / 2048];
	struct compare_result r;
	struct exchange x;
	unsigned count = 0;
	char a[1024];

	x = http("", "");
	x.n[0] = x.n[1] = long_head(a, 700, 'v');
	x.p[0] = x.p[1] = (const uint8_t *)a;
	for (; count < ARRAY_SIZE(all); count++) {
		all[count] = buf_alloc(small.pool, 2000, BUF_QUEUE);
		if (all[count] == NULL)
			break;
	}
	CHECK(!run_exchange(small.pool, &x, 0, &r));
	buf_clear(small.pool, all[--count], BUF_QUEUE);
	CHECK(run_exchange(small.pool, &x, 0, &r));
	CHECK(r.verdict == VERDICT_NOT_COMPARED &&
	      r.reason == REASON_NO_MEMORY);
	buf_clear(small.pool, all[--count], BUF_QUEUE);
	buf_clear(small.pool, all[--count], BUF_QUEUE);
	CHECK(run_exchange(small.pool, &x, 0, &r));
	CHECK(r.verdict == VERDICT_IDENTICAL);
	while (count > 0)
		buf_clear(small.pool, all[--count], BUF_QUEUE);
	CHECK(pool_used(small.pool) == 0);
	free(small.mem);
}

/* What a common small exchange takes of the pool: one block. */
static void test_small_answers_take_one_block(void)
{
	static const uint8_t body[512];
	struct framer_piece head = { .used = 38,
				     .part = FRAMER_HEAD,
				     .flags = FRAMER_HEAD_END };
	struct framer_piece data = { .used = 256, .part = FRAMER_BODY };
	struct compare *c = compare_begin(mem.pool, COMPARE_EQUIVALENT,
					  &protocols[PROTOCOL_HTTP1]);
	size_t used = pool_used(mem.pool);
	struct compare_result r;

	CHECK(used == 2048);
	for (unsigned i = 0; i < 2; i++) {
		enum who who = i == 0 ? WHO_PROD : WHO_SUT;

		compare_feed(c, mem.pool, who, &head,
			     (const uint8_t *)OK CL5 "\r\n");
		compare_feed(c, mem.pool, who, &data, body);
		CHECK(pool_used(mem.pool) == used);
		compare_done(c, who);
	}
	compare_end(c, mem.pool, REASON_NONE, &r);
	CHECK(r.verdict == VERDICT_IDENTICAL);
}

/* Where no framing is known a mark moves when its server goes on: the comparison of
 * what both have said goes on too, wherever the two stand.
 */
static void test_a_mark_moves(void)
{
	static uint8_t body[6000];
	struct framer_piece piece = { .part = FRAMER_OPAQUE };

	memset(body, 'x', sizeof(body));
	for (uint32_t first = 10; first < 4000; first += 133) {
		for (unsigned last = 0; last < 2; last++) {
			struct compare *c =
				compare_begin(mem.pool, COMPARE_EQUIVALENT,
					      &protocols[PROTOCOL_BYTES]);
			struct compare_result r;

			piece.used = first;
			compare_feed(c, mem.pool, WHO_PROD, &piece, body);
			compare_done(c, WHO_PROD);
			piece.used = 10;
			compare_feed(c, mem.pool, WHO_SUT, &piece, body);
			compare_done(c, WHO_SUT);
			piece.used = 4000 - first;
			compare_feed(c, mem.pool, WHO_PROD, &piece, body);
			piece.used = 3990 - last;
			compare_feed(c, mem.pool, WHO_SUT, &piece, body);
			compare_end(c, mem.pool, REASON_NONE, &r);
			CHECK(r.verdict == (last == 0 ? VERDICT_IDENTICAL
						      : VERDICT_DIFFERENT));
			CHECK(pool_used(mem.pool) == 0);
		}
	}
}

static void test_names(void)
{
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		CHECK(verdict_name((enum verdict)i)[0] != '\0');
	CHECK(strcmp(reason_name(REASON_PROD_GAP), "production_gap") == 0);
	CHECK(strcmp(verdict_name(VERDICT_NOT_COMPARED), "not_compared") == 0);
}

/* What a judge has found, in words: both values, or which is missing; no secret. */
static void test_places_are_told(void)
{
	static const struct {
		const char *name;
		bool has[2];
		const char *value[2];
		const char *want;
	} row[] = {
		{ "$.a",
		  { true, true },
		  { "1", "2" },
		  "json $.a value: \"1\" / \"2\"" },
		{ "$.a",
		  { true, false },
		  { "1", "" },
		  "json $.a value: \"1\" / missing" },
		{ "$.a",
		  { false, true },
		  { "", "x\"\n" },
		  "json $.a value: missing / \"x\\x22\\x0a\"" },
		{ "$.a",
		  { true, true },
		  { "", "y" },
		  "json $.a value: \"\" / \"y\"" },
	};
	struct compare_result r = { .verdict = VERDICT_DIFFERENT,
				    .reason = REASON_BODY,
				    .reasons = reason_bit(REASON_BODY) };
	struct case_place *p = &r.evidence.place;
	char text[COMPARE_DETAIL];

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		*p = (struct case_place){ .judge = CASE_JSON,
					  .change = CASE_VALUE };
		strcpy(p->name, row[i].name);
		for (unsigned k = 0; k < 2; k++) {
			p->has[k] = row[i].has[k];
			p->len[k] = (uint8_t)strlen(row[i].value[k]);
			memcpy(p->value[k], row[i].value[k], p->len[k]);
		}
		protocols[PROTOCOL_HTTP1].describe->difference(&r, NULL, text);
		CHECK_ROW(strcmp(text, row[i].want) == 0, row[i].want);
	}
	/* As long as can be, of bytes that take four each. */
	memset(p->name, '\1', CASE_PLACE);
	for (unsigned k = 0; k < 2; k++) {
		p->has[k] = true;
		p->len[k] = CASE_SHOWN;
		memset(p->value[k], '\2', CASE_SHOWN);
	}
	protocols[PROTOCOL_HTTP1].describe->difference(&r, NULL, text);
	CHECK(strlen(text) < COMPARE_DETAIL);
	CHECK(strstr(text, "\\x02\" / \"\\x02") != NULL);
}

/* Every row can read, judge and tell; every framer has one. */
static void test_protocols(void)
{
	static const struct framer_ops *const framers[] = { &framer_http1,
							    &framer_dns_tcp,
							    &framer_quiet };
	struct compare_result r = { .verdict = VERDICT_DIFFERENT,
				    .reason = REASON_UNANSWERED,
				    .reasons = reason_bit(REASON_UNANSWERED) };
	char text[COMPARE_DETAIL];

	for (unsigned i = 0; i < PROTOCOL_COUNT; i++) {
		const struct protocol *p = &protocols[i];

		CHECK_ROW(protocol_id(p) == i, p->name);
		CHECK_ROW((p->framer != NULL) == (p->compare->piece != NULL),
			  p->name);
		CHECK_ROW((p->framer == NULL) == (p->compare->whole != NULL),
			  p->name);
		/* Nothing was kept of an answer that did not come. */
		memset(text, 'x', sizeof(text));
		p->describe->difference(&r, NULL, text);
		CHECK_ROW(text[0] == '\0', p->name);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(framers); i++)
		CHECK(protocol_of(framers[i])->framer == framers[i]);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "heads", test_heads },
		{ "bodies", test_bodies },
		{ "answers to HEAD", test_heads_of_HEAD },
		{ "level identical", test_identical_level },
		{ "malformed", test_malformed },
		{ "only the SUT is odd", test_odd_sut },
		{ "both are odd alike", test_odd_alike },
		{ "all that differs is named", test_all_are_named },
		{ "fields that are left out", test_ignored_fields },
		{ "long heads of the SUT", test_long_sut_heads },
		{ "many fields of the SUT", test_many_sut_fields },
		{ "not compared", test_not_compared },
		{ "why a side is not done", test_why_a_side_is_not_done },
		{ "spoil", test_spoil },
		{ "decided early", test_decided_early },
		{ "a difference frees memory", test_a_difference_frees_memory },
		{ "other protocols are bytes", test_other_protocols_are_bytes },
		{ "large bodies", test_large_bodies },
		{ "hashes see every bit", test_hashes_see_every_bit },
		{ "sides close together", test_sides_close_together },
		{ "a tunnel without a mark", test_tunnel_without_a_mark },
		{ "long heads", test_long_heads },
		{ "long trailers", test_long_trailers },
		{ "many fields", test_many_fields },
		{ "full pool", test_full_pool },
		{ "small answers take one block",
		  test_small_answers_take_one_block },
		{ "a mark by quiet moves", test_a_mark_moves },
		{ "names", test_names },
		{ "places are told", test_places_are_told },
		{ "protocols", test_protocols },
	};
	int r;

	mem = run_pool_make(4u << 20);
	r = check_main(tests, ARRAY_SIZE(tests));
	free(mem.mem);
	return r;
}
