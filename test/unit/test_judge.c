/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_judge.c - Unit test of judge/judge.h, with its decoders (desk/bench.h)
 *
 * Rows: head and content of production and of the SUT, rules, and what must come of
 * them. Heads begin with a status line that is put in front, and "|" stands for a
 * line's end. "gz:" or "br:" in front of content: it is encoded so. Each row is judged as it
 * is and with production's on both sides.
 */
#include "judge/judge.h"

#include <brotli/encode.h>
#include <errno.h>
#include <zlib.h>

#include "app/head.h"
#include "app/tokens.h"
#include "case_rig.h"
#include "check.h"
#include "desk/bench.h"

#define JSON_T "Content-Type: application/json|"
#define HTML_T "Content-Type: text/html|"
#define TEXT_T "Content-Type: text/plain|"
#define GZIP_T "Content-Encoding: gzip|"
#define BR_T   "Content-Encoding: br|"
#define PNG_T  "Content-Type: image/png|"
#define FORM_T "Content-Type: application/x-www-form-urlencoded|"

struct row {
	const char *name;
	const char *head[2];
	const char *body[2];
	const char *rules;
	const char *want; /* verdict, and what made it so, or where */
};

static struct rules *by; /* of the bench that there is */

static struct bench *bench_of(const char *rules)
{
	static const struct hash_key key = { { 1, 2 } };
	struct bench *b = NULL;

	by = case_rules(rules);
	CHECK(bench_new(&b, by, &key) == 0);
	return b;
}

static void done(struct bench *b)
{
	bench_free(b);
	free(by);
}

static uint8_t *gzip(const uint8_t *p, size_t n, size_t *len)
{
	z_stream z = { 0 };
	uint8_t *out = malloc(n + 100);

	CHECK(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) ==
	      Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = (uInt)(n + 100);
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	*len = z.total_out;
	deflateEnd(&z);
	return out;
}

static uint8_t *brotli(const uint8_t *p, size_t n, size_t *len)
{
	uint8_t *out = malloc(n + 100);

	*len = n + 100;
	CHECK(BrotliEncoderCompress(5, 16, BROTLI_MODE_TEXT, n, p, len, out));
	return out;
}

/* A head, and content, as bytes. */
static uint8_t *head_of(const char *text, size_t *n)
{
	uint8_t *p = malloc(2 * strlen(text) + 32);

	*n = (size_t)sprintf((char *)p, "HTTP/1.1 200 OK\r\n");
	for (; *text != '\0'; text++) {
		if (*text == '|')
			p[(*n)++] = '\r';
		p[(*n)++] = (uint8_t)(*text == '|' ? '\n' : *text);
	}
	memcpy(p + *n, "\r\n", 2);
	*n += 2;
	return p;
}

static uint8_t *body_of(const char *text, size_t *n)
{
	if (strncmp(text, "gz:", 3) == 0)
		return gzip((const uint8_t *)text + 3, strlen(text) - 3, n);
	if (strncmp(text, "br:", 3) == 0)
		return brotli((const uint8_t *)text + 3, strlen(text) - 3, n);
	*n = strlen(text);
	return memcpy(malloc(*n + 1), text, *n + 1);
}

static void judge(struct bench *b, const char *const head[2],
		  const char *const body[2], struct case_answer *a)
{
	uint8_t *p[4], *message;
	struct case_view c = { .serial = 7 };
	size_t n[4], len;

	for (unsigned i = 0; i < 2; i++) {
		p[i] = head_of(head[i], &n[i]);
		p[2 + i] = body_of(body[i], &n[2 + i]);
		case_part(&c, CASE_HEAD + i, p[i], n[i]);
		case_part(&c, CASE_BODY + i, p[2 + i], n[2 + i]);
	}
	message = case_message(&c, &len);
	CHECK(bench_judge(b, message, len, a) == 0);
	CHECK(a->serial == 7 && case_is_answer(a, 1000));
	free(message);
	for (unsigned i = 0; i < 4; i++)
		free(p[i]);
}

static const struct row rows[] = {
	/* presets: what two healthy instances differ in, and what they may not */
	{ "@apache: inode, size and time make a tag",
	  { "Server: Apache|ETag: \"2d-5f1\"|Last-Modified: Sun, 06 Nov 1994 "
	    "08:49:37 GMT|",
	    "Server: Apache|ETag: \"2d-6a0\"|Last-Modified: Sun, 06 Nov 1994 "
	    "08:50:00 GMT|" },
	  { "x", "x" },
	  "@apache",
	  "= class #10 #11" },
	{ "@apache: another version",
	  { "Server: Apache/2.4.57|", "Server: Apache/2.4.58|" },
	  { "x", "x" },
	  "@apache",
	  "! headers server value" },
	{ "@haproxy: ids and the chosen server",
	  { "X-Unique-ID: 0A00|Set-Cookie: SERVERID=s1; path=/|",
	    "X-Unique-ID: 0B11|Set-Cookie: SERVERID=s2; path=/|" },
	  { "x", "x" },
	  "@haproxy",
	  "= ignore cookie #10 #11" },
	{ "@haproxy: the cookie's attributes count",
	  { "Set-Cookie: SERVERID=s1; path=/; Secure|",
	    "Set-Cookie: SERVERID=s2; path=/|" },
	  { "x", "x" },
	  "@haproxy",
	  "! headers set-cookie serverid secure value" },
	{ "@varnish: a hit and a miss",
	  { "X-Varnish: 5 3|Age: 7|Via: 1.1 a (Varnish/7.1)|",
	    "X-Varnish: 9|Age: 0|Via: 1.1 b (Varnish/7.1)|" },
	  { "x", "x" },
	  "@varnish",
	  "= ignore #0 #10" },
	{ "@varnish: its error page is another status' content",
	  { "X-Varnish: 5|", "X-Varnish: 9|Retry-After: 5|" },
	  { "x", "x" },
	  "@varnish",
	  "! headers retry-after extra" },
	{ "@django: cookies and a form's token",
	  { HTML_T "Set-Cookie: csrftoken=aaaa; Path=/; SameSite=Lax|",
	    HTML_T "Set-Cookie: csrftoken=bbbb; Path=/; SameSite=Lax|" },
	  { "<input type=hidden name=csrfmiddlewaretoken "
	    "value=0123456789abcdef0123456789abcdef>",
	    "<input type=hidden name=csrfmiddlewaretoken "
	    "value=fedcba9876543210fedcba9876543210>" },
	  "@django",
	  "= cookie markup token #10" },
	{ "@django: a token that is no token",
	  { HTML_T, HTML_T },
	  { "<input type=hidden name=csrfmiddlewaretoken "
	    "value=0123456789abcdef0123456789abcdef>",
	    "<input type=hidden name=csrfmiddlewaretoken value=NOTPROVIDED>" },
	  "@django",
	  "! html input@value value" },
	{ "@rails: ids, times, a weak tag and a token in a head",
	  { HTML_T "X-Request-Id: a|X-Runtime: 0.01|ETag: W/\"a1\"|",
	    HTML_T "X-Request-Id: b|X-Runtime: 0.02|ETag: W/\"b2\"|" },
	  { "<meta name=\"csrf-token\" "
	    "content=\"0123456789abcdef0123456789abcdef\"/>",
	    "<meta name=\"csrf-token\" "
	    "content=\"fedcba9876543210fedcba9876543210\"/>" },
	  "@rails",
	  "= ignore class markup token #7 #9 #11" },
	{ "@express: a session",
	  { "X-Powered-By: Express|Set-Cookie: connect.sid=s%3Aa; Path=/; "
	    "HttpOnly|",
	    "X-Powered-By: Express|Set-Cookie: connect.sid=s%3Ab; Path=/; "
	    "HttpOnly|" },
	  { "x", "x" },
	  "@express",
	  "= cookie #10" },
	{ "@spring: an error page",
	  { JSON_T, JSON_T },
	  { "{\"timestamp\":\"2024-05-01T10:00:00.123+00:00\",\"status\":404,"
	    "\"path\":\"/a\"}",
	    "{\"timestamp\":\"2024-05-01T10:00:01.456+00:00\",\"status\":404,"
	    "\"path\":\"/a\"}" },
	  "@spring",
	  "= place #12" },
	{ "@spring: an error page of a minute later",
	  { JSON_T, JSON_T },
	  { "{\"timestamp\":\"2024-05-01T10:00:00.123+00:00\"}",
	    "{\"timestamp\":\"2024-05-01T10:01:01.456+00:00\"}" },
	  "@spring",
	  "! json $.timestamp value" },
	/* JSON */
	{ "members in another order",
	  { JSON_T, JSON_T },
	  { "{\"a\":1,\"b\":2}", "{\"b\":2.0,\"a\":1}" },
	  "",
	  "= json" },
	{ "two members' values swapped",
	  { JSON_T, JSON_T },
	  { "{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}" },
	  "",
	  "! json $.a value" },
	{ "a member that is ignored",
	  { JSON_T, JSON_T },
	  { "{\"a\":1,\"at\":2}", "{\"a\":1,\"at\":3}" },
	  "json ignore $.at",
	  "= place #0" },
	{ "a member that is missing",
	  { JSON_T, JSON_T },
	  { "{\"a\":1,\"b\":2}", "{\"a\":1}" },
	  "",
	  "! json $.b missing" },
	{ "JSON that is called text",
	  { TEXT_T, TEXT_T },
	  { "[1, 2]", "[1,2]" },
	  "",
	  "= json" },
	{ "JSON without a type",
	  { "", "" },
	  { "{\"a\":1}", "{\"a\":[1]}" },
	  "",
	  "! json $.a type" },
	{ "problem+json",
	  { "Content-Type: application/problem+json; x=y|",
	    "Content-Type: application/problem+json; x=y|" },
	  { "[1, 2]", "[2, 1]" },
	  "",
	  "! json $ order" },
	{ "only the SUT's JSON is broken",
	  { JSON_T, JSON_T },
	  { "[1, 2]", "[1, 2" },
	  "",
	  "! json $ broken" },
	{ "both are broken, and text",
	  { JSON_T, JSON_T },
	  { "oops 1", "oops 2" },
	  "",
	  "! text line 1 value" },
	/* codings */
	{ "gzip and identity of one text",
	  { TEXT_T GZIP_T, TEXT_T },
	  { "gz:hello", "hello" },
	  "",
	  "= coding" },
	{ "gzip and identity of two",
	  { TEXT_T GZIP_T, TEXT_T },
	  { "gz:hello", "hallo" },
	  "",
	  "! text line 1 value" },
	{ "gzip of two spellings of JSON",
	  { JSON_T GZIP_T, JSON_T GZIP_T },
	  { "gz:[1,2]", "gz:[1, 2]" },
	  "",
	  "= json" },
	{ "Content-Length follows the coding",
	  { TEXT_T GZIP_T "Content-Length: 25|", TEXT_T "Content-Length: 5|" },
	  { "gz:hello", "hello" },
	  "",
	  "= coding" },
	{ "Content-Length alone",
	  { TEXT_T "Content-Length: 6|", TEXT_T "Content-Length: 5|" },
	  { "hello", "hello" },
	  "",
	  "! headers content-length value" },
	{ "gzip and br of one text",
	  { TEXT_T GZIP_T "Vary: Accept-Encoding|ETag: W/\"a\"|",
	    TEXT_T BR_T "ETag: \"a\"|" },
	  { "gz:hello", "br:hello" },
	  "",
	  "= coding" },
	{ "gzip and br of two texts",
	  { TEXT_T GZIP_T, TEXT_T BR_T },
	  { "gz:hello", "br:hellp" },
	  "",
	  "! text line 1 value" },
	{ "gzip that says br",
	  { TEXT_T GZIP_T, TEXT_T BR_T },
	  { "gz:hello", "gz:hello" },
	  "",
	  "! coding content-encoding broken" },
	/* places that are noisy by a rule, and what a rule does not excuse */
	{ "an identifier that is another one",
	  { JSON_T, JSON_T },
	  { "{\"id\":\"550e8400-e29b-41d4-a716-446655440000\"}",
	    "{\"id\":\"550e8400-e29b-41d4-a716-446655440001\"}" },
	  "json class $.id uuid",
	  "= place #0" },
	{ "an identifier that has become an error",
	  { JSON_T, JSON_T },
	  { "{\"id\":\"550e8400-e29b-41d4-a716-446655440000\"}",
	    "{\"id\":\"internal error\"}" },
	  "json class $.id uuid",
	  "! json $.id value" },
	{ "a set in another order",
	  { JSON_T, JSON_T },
	  { "{\"t\":[1,2,2,3]}", "{\"t\":[2,3,2,1]}" },
	  "json set $.t",
	  "= place #0" },
	{ "a set with another one twice",
	  { JSON_T, JSON_T },
	  { "{\"t\":[1,2,2,3]}", "{\"t\":[1,2,3,3]}" },
	  "json set $.t",
	  "! json $.t[2] missing" },
	{ "a moment that is within, and one that is not",
	  { JSON_T, JSON_T },
	  { "{\"a\":\"2024-05-01T10:00:00Z\",\"b\":\"2024-05-01T10:00:00Z\"}",
	    "{\"a\":\"2024-05-01T12:00:01+02:00\","
	    "\"b\":\"2024-05-01T10:01:01Z\"}" },
	  "json time $.* within 60s",
	  "! json $.b value" },
	{ "the SUT's gzip is broken",
	  { TEXT_T GZIP_T, TEXT_T GZIP_T },
	  { "gz:hello", "hello" },
	  "",
	  "! coding content-encoding broken" },
	{ "production's gzip is broken",
	  { TEXT_T GZIP_T, TEXT_T GZIP_T },
	  { "hello", "gz:hello" },
	  "",
	  "? coding" },
	{ "a coding that nobody knows",
	  { TEXT_T "Content-Encoding: x1|", TEXT_T "Content-Encoding: x1|" },
	  { "hello", "hallo" },
	  "",
	  "? coding" },
	{ "three codings",
	  { TEXT_T "Content-Encoding: gzip, gzip, gzip|", TEXT_T },
	  { "hello", "hallo" },
	  "",
	  "? bomb" },
	{ "broken, and another header",
	  { TEXT_T GZIP_T "X: 1|", TEXT_T GZIP_T "X: 2|" },
	  { "hello", "gz:hello" },
	  "",
	  "! headers x value" },
	/* text, markup, parts, bytes */
	{ "a line",
	  { TEXT_T, TEXT_T },
	  { "a\nb\n", "a\nc\n" },
	  "",
	  "! text line 2 value" },
	{ "a masked line",
	  { TEXT_T, TEXT_T },
	  { "build 12ab\n", "build 9f\n" },
	  "text mask /build [0-9a-f]+/",
	  "= mask #0" },
	{ "attributes in another order",
	  { HTML_T, HTML_T },
	  { "<a b=1 c=2>x</a>", "<a c='2' b=\"1\">x</a>" },
	  "",
	  "= markup" },
	{ "a text in a document",
	  { HTML_T, HTML_T },
	  { "<p>one</p>", "<p>two</p>" },
	  "",
	  "! html p value" },
	{ "a token that no server gives twice",
	  { HTML_T, HTML_T },
	  { "<input type=hidden name=csrf value=0123456789abcdef0123456789>",
	    "<input type=hidden name=csrf value=fedcba9876543210fedcba9876>" },
	  "",
	  "= markup token" },
	{ "another escape in a form",
	  { FORM_T, FORM_T },
	  { "a=%41&b=c", "b=c&a=A" },
	  "",
	  "= parts" },
	{ "another field in a form",
	  { FORM_T, FORM_T },
	  { "a=1&b=2", "a=1&b=3" },
	  "",
	  "! form field 1 value" },
	{ "a byte of a picture",
	  { PNG_T, PNG_T },
	  { "0123456789abcdef", "0123456789abXdef" },
	  "",
	  "! bytes byte 12 value" },
	{ "a picture's end",
	  { PNG_T, PNG_T },
	  { "0123", "01" },
	  "",
	  "! bytes byte 2 missing" },
	/* heads */
	{ "a Date a minute off",
	  { "Date: Sun, 06 Nov 1994 08:49:37 GMT|",
	    "Date: Sun, 06 Nov 1994 08:50:38 GMT|" },
	  { "", "" },
	  "",
	  "! headers date value" },
	{ "a Date a second off",
	  { "Date: Sun, 06 Nov 1994 08:49:37 GMT|",
	    "Date: Sun, 06 Nov 1994 08:49:38 GMT|" },
	  { "", "" },
	  "",
	  "= date" },
	{ "another entity tag",
	  { "ETag: \"1-2\"|", "ETag: \"3-4\"|" },
	  { "", "" },
	  "@nginx",
	  "= class #10" },
	{ "another entity tag without a rule",
	  { "ETag: \"1-2\"|", "ETag: \"3-4\"|" },
	  { "", "" },
	  "",
	  "! headers etag value" },
	{ "an alias",
	  { "Location: http://a.b/x|", "Location: http://c.d/x|" },
	  { "", "" },
	  "host alias a.b = c.d",
	  "= alias" },
	{ "a session",
	  { "Set-Cookie: s=1; Path=/|", "Set-Cookie: s=2; Path=/|" },
	  { "", "" },
	  "cookie session s",
	  "= cookie #0" },
	{ "an attribute of a session",
	  { "Set-Cookie: s=1; HttpOnly|", "Set-Cookie: s=2|" },
	  { "", "" },
	  "cookie session s",
	  "! headers set-cookie s httponly value" },
	{ "header and content",
	  { "X: 1|" TEXT_T, "X: 2|" TEXT_T },
	  { "a", "b" },
	  "",
	  "! text line 1 value" },
	{ "a header that is missing",
	  { "X: 1|", "" },
	  { "", "" },
	  "",
	  "! headers x missing" },
};

static void rows_are_judged(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct bench *b = bench_of(r->rules);
		struct case_answer a;

		judge(b, r->head, r->body, &a);
		if (strcmp(case_told(&a), r->want) != 0)
			printf("# %s\n", case_told(&a));
		CHECK_ROW(strcmp(case_told(&a), r->want) == 0, r->name);
		/* Nothing that can be judged differs from itself. */
		judge(b, (const char *const[]){ r->head[0], r->head[0] },
		      (const char *const[]){ r->body[0], r->body[0] }, &a);
		CHECK_ROW(a.verdict != VERDICT_DIFFERENT, r->name);
		done(b);
	}
}

/* A body that becomes 10 MB is a bomb on either side, and no difference. */
static void bombs_end(void)
{
	size_t n = 10u << 20, len;
	uint8_t *zeros = calloc(1, n);
	uint8_t *bomb = gzip(zeros, n, &len);
	struct bench *b = bench_of("");

	for (unsigned side = 0; side < 2; side++) {
		struct case_view c = { 0 };
		struct case_answer a;
		uint8_t *head[2], *message;
		size_t hn[2], all;

		for (unsigned i = 0; i < 2; i++) {
			head[i] = head_of(i == side ? TEXT_T GZIP_T : TEXT_T,
					  &hn[i]);
			case_part(&c, CASE_HEAD + i, head[i], hn[i]);
		}
		case_part(&c, CASE_BODY + side, bomb, len);
		case_part(&c, CASE_BODY + 1 - side, "x", 1);
		message = case_message(&c, &all);
		CHECK(bench_judge(b, message, all, &a) == 0);
		CHECK(a.verdict == VERDICT_NOT_COMPARED &&
		      a.reason == REASON_BOMB);
		free(message);
		free(head[0]);
		free(head[1]);
	}
	done(b);
	free(bomb);
	free(zeros);
}

static void deep_json_is_unjudged(void)
{
	size_t n = 100000;
	char *deep = malloc(n + 2);
	struct case_answer a;
	struct bench *b = bench_of("");

	memset(deep, '[', n);
	deep[n] = '1';
	deep[n + 1] = '\0';
	judge(b, (const char *const[]){ JSON_T, JSON_T },
	      (const char *const[]){ deep, "[1]" }, &a);
	CHECK(a.verdict == VERDICT_NOT_COMPARED && a.reason == REASON_UNJUDGED);
	done(b);
	free(deep);
}

static void same_content_is_left_out(void)
{
	struct bench *b = bench_of("header ignore X");
	struct case_view c = { .flags = CASE_SAME_BODY };
	static const char *const text[2] = { "X: 1|", "X: 2|" };
	struct case_answer a;
	uint8_t *head[2], *message;
	size_t n[2], len;

	for (unsigned i = 0; i < 2; i++) {
		head[i] = head_of(text[i], &n[i]);
		case_part(&c, CASE_HEAD + i, head[i], n[i]);
	}
	message = case_message(&c, &len);
	CHECK(bench_judge(b, message, len, &a) == 0);
	CHECK(strcmp(case_told(&a), "= ignore #0") == 0);
	free(message);
	free(head[0]);
	free(head[1]);
	done(b);
}

static void trailers_are_compared(void)
{
	struct bench *b = bench_of("");
	struct case_view c = { 0 };
	struct case_answer a;
	uint8_t *head, *message;
	size_t n, len;

	head = head_of("", &n);
	case_part(&c, CASE_HEAD, head, n);
	case_part(&c, CASE_HEAD + 1, head, n);
	case_part(&c, CASE_TRAILER, "X: 1\r\n\r\n", 8);
	case_part(&c, CASE_TRAILER + 1, "X: 2\r\n\r\n", 8);
	message = case_message(&c, &len);
	CHECK(bench_judge(b, message, len, &a) == 0);
	CHECK(strcmp(case_told(&a), "! trailers x value") == 0);
	free(message);
	free(head);
	done(b);
}

static void types_have_judges(void)
{
	static const struct {
		const char *type;
		enum case_judge judge;
	} all[] = {
		{ "", CASE_BYTES },
		{ "image/png", CASE_BYTES },
		{ "Text/HTML ; charset=x", CASE_HTML },
		{ "text/htmlx", CASE_TEXT },
		{ "application/vnd.x+json", CASE_JSON },
		{ "image/svg+xml;a=b", CASE_XML },
		{ "multipart/byteranges; boundary=x", CASE_MULTIPART },
		{ "text/css", CASE_TEXT },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		CHECK_ROW(judge_kind((const uint8_t *)all[i].type,
				     strlen(all[i].type)) == all[i].judge,
			  all[i].type);
}

/* A SUT that answered 20 s later than production says so in its Date. */
static void dates_are_of_their_answers(void)
{
	static const char p[] = "HTTP/1.1 200 OK\r\n"
				"Date: Tue, 01 Dec 2026 12:00:00 GMT\r\n\r\n";
	static const char s[] = "HTTP/1.1 200 OK\r\n"
				"Date: Tue, 01 Dec 2026 12:00:22 GMT\r\n\r\n";
	static const int64_t late[] = { 0, INT64_C(20000000000),
					INT64_C(-20000000000) };
	struct bench *b = bench_of("");

	for (size_t i = 0; i < ARRAY_SIZE(late); i++) {
		struct case_view c = { .late = late[i] };
		struct case_answer a;
		uint8_t *message;
		size_t n;

		case_part(&c, CASE_HEAD, p, sizeof(p) - 1);
		case_part(&c, CASE_HEAD + 1, s, sizeof(s) - 1);
		message = case_message(&c, &n);
		CHECK(bench_judge(b, message, n, &a) == 0);
		CHECK(a.verdict ==
		      (i == 1 ? VERDICT_EQUIVALENT : VERDICT_DIFFERENT));
		CHECK((a.made >> CASE_BY_DATE & 1) == (i == 1));
		free(message);
	}
	done(b);
}

/* What HEAD would have had is as long as the boundaries between its parts. */
static void heads_of_parts_have_their_boundaries(void)
{
	static const struct {
		const char *type[2];
		const char *length[2];
		bool alike;
	} row[] = {
		{ { "multipart/byteranges; boundary=6f0",
		    "multipart/byteranges; boundary=16f01" },
		  { "198", "204" },
		  true },
		{ { "multipart/byteranges; boundary=6f0",
		    "multipart/byteranges; boundary=6f1" },
		  { "198", "204" },
		  false },
		{ { "multipart/byteranges; boundary=6f0", "text/plain" },
		  { "198", "204" },
		  false },
		{ { "text/plain", "text/plain" }, { "198", "204" }, false },
	};
	struct bench *b = bench_of("");

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct case_view c = { .flags = CASE_SAME_BODY |
						(uint32_t)ASKED_HEAD
							<< CASE_ASKED };
		struct case_answer a;
		char head[2][160];
		uint8_t *message;
		size_t n;

		for (unsigned k = 0; k < 2; k++) {
			int len = snprintf(head[k], sizeof(head[k]),
					   "HTTP/1.1 206 Partial Content\r\n"
					   "Content-Type: %s\r\n"
					   "Content-Length: %s\r\n\r\n",
					   row[i].type[k], row[i].length[k]);

			case_part(&c, CASE_HEAD + k, head[k], (size_t)len);
		}
		message = case_message(&c, &n);
		CHECK(bench_judge(b, message, n, &a) == 0);
		CHECK_ROW(a.verdict == (row[i].alike ? VERDICT_EQUIVALENT
						     : VERDICT_DIFFERENT),
			  row[i].type[1]);
		free(message);
	}
	done(b);
}

#define HEAD_LEN 40 /* where the length of the head lies */

/* A message that lies about its lengths is none. */
static void lies_are_no_case(void)
{
	struct bench *b = bench_of("");
	struct case_view c = { 0 };
	struct case_answer a = { .serial = 99 };
	uint8_t *message;
	size_t n;

	case_part(&c, CASE_HEAD, "x", 1);
	message = case_message(&c, &n);
	CHECK(bench_judge(b, message, n, &a) == 0);
	a.serial = 99;
	CHECK(bench_judge(b, message, n - 1, &a) == -EBADMSG);
	CHECK(bench_judge(b, message, CASE_FIXED - 1, &a) == -EBADMSG);
	message[HEAD_LEN] = 2;
	CHECK(bench_judge(b, message, n, &a) == -EBADMSG);
	message[HEAD_LEN] = 0xff;
	message[HEAD_LEN + 3] = 0xff;
	CHECK(bench_judge(b, message, n, &a) == -EBADMSG);
	message[HEAD_LEN] = 1;
	message[HEAD_LEN + 3] = 0;
	message[8] = 1; /* an endpoint that there is not */
	CHECK(bench_judge(b, message, n, &a) == -EBADMSG);
	message[8] = 0;
	message[12] = 4; /* a flag */
	CHECK(bench_judge(b, message, n, &a) == -EBADMSG);
	CHECK(a.serial == 99);
	free(message);
	done(b);
}

static void answers_are_checked(void)
{
	const struct case_answer good = { .verdict = VERDICT_DIFFERENT,
					  .reason = REASON_BODY,
					  .reasons = reason_bit(REASON_BODY) };
	struct case_answer a = good;

	CHECK(case_is_answer(&a, 1));
	a.reason = REASON_HEADER;
	CHECK(!case_is_answer(&a, 1));
	a = good;
	a.reasons |= reason_bit(REASON_LENGTH);
	CHECK(!case_is_answer(&a, 1));
	a = good;
	a.verdict = VERDICT_IDENTICAL;
	CHECK(!case_is_answer(&a, 1));
	a.verdict = VERDICT_COUNT;
	CHECK(!case_is_answer(&a, 1));
	a = good;
	a.place.len[1] = CASE_SHOWN + 1;
	CHECK(!case_is_answer(&a, 1));
	a = good;
	memset(a.place.name, 'x', CASE_PLACE);
	CHECK(!case_is_answer(&a, 1));
	a = good;
	a.place.judge = CASE_JUDGE_COUNT;
	CHECK(!case_is_answer(&a, 1));
	a = (struct case_answer){ .verdict = VERDICT_EQUIVALENT, .rules = 1 };
	CHECK(case_is_answer(&a, 1) && !case_is_answer(&a, 0));
	a.held = 1; /* what is alike is not taken back */
	CHECK(!case_is_answer(&a, 1));
	a.held = 0;
	a.rules = CASE_RULES + 1;
	CHECK(!case_is_answer(&a, 1));
	a = (struct case_answer){ .verdict = VERDICT_NOT_COMPARED,
				  .reason = REASON_OVERLOAD };
	CHECK(!case_is_answer(&a, 1));
	a.reason = REASON_BOMB;
	CHECK(case_is_answer(&a, 1));
	a.reasons = reason_bit(REASON_BODY);
	CHECK(!case_is_answer(&a, 1));
	a = (struct case_answer){ .verdict = VERDICT_EQUIVALENT,
				  .reason = REASON_BODY };
	CHECK(!case_is_answer(&a, 1));
	a = (struct case_answer){ .verdict = VERDICT_EQUIVALENT,
				  .reasons = reason_bit(REASON_BODY) };
	CHECK(!case_is_answer(&a, 1));
}

/* A process that somebody else has taken over may answer anything: each member by
 * itself.
 */
static void no_member_is_believed(void)
{
	const struct case_answer good = { .verdict = VERDICT_DIFFERENT,
					  .reason = REASON_BODY,
					  .reasons = reason_bit(REASON_BODY),
					  .founds = 1,
					  .rules = 1 };
	struct case_answer a = good;
	const uint8_t two = 2;

	CHECK(case_is_answer(&a, 1));
#define BREAKS(what)                                                           \
	do {                                                                   \
		a = good;                                                      \
		what;                                                          \
		CHECK_ROW(!case_is_answer(&a, 1), #what);                      \
	} while (0)
	BREAKS(a.reason = REASON_COUNT);
	BREAKS(a.place.change = CASE_CHANGE_COUNT);
	BREAKS(a.place.len[0] = CASE_SHOWN + 1);
	BREAKS(a.founds = CASE_FOUND + 1);
	BREAKS(a.found[0].judge = CASE_JUDGE_COUNT);
	BREAKS(a.found[0].change = CASE_CHANGE_COUNT);
	BREAKS(memset(a.found[0].place, 'x', KIND_PLACE));
	BREAKS(memcpy(&a.more, &two, 1));
	BREAKS(memcpy(&a.place.has[0], &two, 1));
	BREAKS(memcpy(&a.place.has[1], &two, 1));
	BREAKS(a.made = UINT32_C(1) << CASE_MADE_COUNT);
	BREAKS(a.rule[0] = 1);
	BREAKS(a.held = 2);
#undef BREAKS
}

/* Each line once, and no more than there is room for. */
static void lines_that_were_needed_are_noted(void)
{
	struct case_answer a = { .rules = 0 };

	for (uint16_t i = 0; i < 2 * CASE_RULES; i++) {
		case_needs(&a, i);
		case_needs(&a, i);
		CHECK(a.rules == (i < CASE_RULES ? i + 1u : CASE_RULES));
	}
	for (uint16_t i = 0; i < CASE_RULES; i++)
		CHECK(a.rule[i] == i);
}

/* Lines of a head, however they end, and the first field of a name. */
/* The number of a token, as a request's would be. */
static uint64_t token(const char *s)
{
	static const struct hash_key key = { { 1, 2 } };
	struct token_reader w;
	struct token_word out = { 0 };

	tokens_begin(&w, tokens_seed(&key));
	for (; *s != '\0'; s++)
		CHECK(!tokens_next(&w, (uint8_t)*s, &out));
	CHECK(tokens_end(&w, &out) && out.token);
	return out.number;
}

#define TOKEN_A "aaaabbbbcccc0001"
#define TOKEN_B "aaaabbbbcccc0002"
#define TOKEN_C "ccccddddeeee0003"

/* Tokens that both servers set, each its own. */
static void tokens_in_content_are_found(void)
{
	static const struct {
		const char *type;
		const char *body[2];
		unsigned n;
	} row[] = {
		{ JSON_T,
		  { "{\"t\":\"" TOKEN_A "\"}", "{\"t\":\"" TOKEN_B "\"}" },
		  1 },
		{ JSON_T,
		  { "{\"t\":\"" TOKEN_A "\"}", "{\"u\":\"" TOKEN_B "\"}" },
		  0 }, /* in another place */
		{ JSON_T,
		  { "{\"t\":\"" TOKEN_A "\"}", "{\"t\":\"short\"}" },
		  0 },
		{ JSON_T,
		  { "[\"" TOKEN_A "\",\"" TOKEN_C "\"]", "[\"" TOKEN_C "\"]" },
		  0 }, /* the SUT lacks one */
		{ JSON_T,
		  { "[\"" TOKEN_C "\",\"" TOKEN_A "\"]",
		    "[\"" TOKEN_A "\",\"" TOKEN_C "\"]" },
		  0 }, /* both have both */
		{ JSON_T,
		  { "{\"jwt\":\"eyJhbGciOiJIUzI1NiJ9." TOKEN_A "\"}",
		    "{\"jwt\":\"eyJhbGciOiJIUzI1NiJ9." TOKEN_B "\"}" },
		  1 }, /* its first part is the same */
		{ GZIP_T JSON_T,
		  { "gz:{\"t\":\"" TOKEN_A "\"}",
		    "gz:{\"t\":\"" TOKEN_B "\"}" },
		  1 },
		{ HTML_T,
		  { "<input type=hidden name=csrf value='" TOKEN_A "'>",
		    "<input type=hidden name=csrf value='" TOKEN_B "'>" },
		  1 },
		{ FORM_T, { "t=" TOKEN_A, "t=" TOKEN_B }, 1 },
		{ TEXT_T, { TOKEN_A, TOKEN_B }, 1 },
	};
	struct bench *b = bench_of("");

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const char *head[2] = { row[i].type, row[i].type };
		struct case_answer a;

		judge(b, head, row[i].body, &a);
		CHECK_ROW(a.givens == row[i].n, row[i].body[0]);
		CHECK_ROW(a.givens == 0 || a.given[0] == token(TOKEN_A),
			  row[i].body[0]);
	}
	done(b);
}

/* Many of them: as many are told as there is room for, the first ones. */
static void of_many_tokens_the_first_are_told(void)
{
	const char *head[2] = { TEXT_T, TEXT_T };
	char text[2][18 * 300 + 1];
	const char *body[2] = { text[0], text[1] };
	struct bench *b = bench_of("");
	struct case_answer a;

	for (unsigned i = 0; i < 300; i++) {
		sprintf(text[0] + 18 * (size_t)i, "aaaabbbbcccc%04u,\n", i);
		sprintf(text[1] + 18 * (size_t)i, "ddddbbbbcccc%04u,\n", i);
	}
	judge(b, head, body, &a);
	CHECK(a.givens == CASE_GIVEN &&
	      a.given[0] == token("aaaabbbbcccc0000"));
	CHECK(a.given[7] == token("aaaabbbbcccc0007"));
	a.givens = CASE_GIVEN + 1;
	CHECK(!case_is_answer(&a, 1000));
	a.givens = 3;
	a.given[2] = 0;
	CHECK(!case_is_answer(&a, 1000));
	done(b);
}

static void heads_are_looked_through(void)
{
	static const struct {
		const char *head, *name;
		unsigned found;
		const char *value;
	} row[] = {
		{ "A: 1\r\nB: 2\r\n\r\n", "b", 1, "2" },
		{ "A: 1\nB: 2\n\n", "B", 1, "2" },
		{ "A: 1\r\nB:\t 2 \t", "b", 1, "2" },
		{ "B: 1\r\nb: 2\r\n", "b", 2, "1" },
		{ "B:\r\n", "b", 1, "" },
		{ "B: \t \r\n", "b", 1, "" },
		{ "B\r\n", "b", 0, NULL },
		{ "Bb: 1\r\n", "b", 0, NULL },
		{ "\r\n\n", "b", 0, NULL },
		{ "", "b", 0, NULL },
		{ "[a: 1\r\n", "{a", 0, NULL },
		{ "@a: 1\r\n", "`a", 0, NULL },
		{ "X-A: 1\r\n", "x-a", 1, "1" },
		{ "X-Z: 1\r\n", "X-z", 1, "1" },
		{ "X\ra: 1\r\n", "x-a", 0, NULL },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		size_t n = strlen(row[i].head);
		uint8_t *p = memcpy(malloc(n + 1), row[i].head, n);
		struct head_line l = { .n = 77 };

		CHECK_ROW(head_find((struct head_rest){ p, p + n }, row[i].name,
				    &l) == row[i].found,
			  row[i].head);
		if (row[i].found > 0)
			CHECK_ROW(l.n == strlen(row[i].value) &&
					  memcmp(l.p, row[i].value, l.n) == 0,
				  row[i].head);
		else
			CHECK_ROW(l.n == 77, row[i].head);
		free(p);
	}
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "rows are judged", rows_are_judged },
		{ "bombs end", bombs_end },
		{ "deep json is unjudged", deep_json_is_unjudged },
		{ "same content is left out", same_content_is_left_out },
		{ "trailers are compared", trailers_are_compared },
		{ "types have judges", types_have_judges },
		{ "dates are of their answers", dates_are_of_their_answers },
		{ "heads of parts have their boundaries",
		  heads_of_parts_have_their_boundaries },
		{ "lies are no case", lies_are_no_case },
		{ "answers are checked", answers_are_checked },
		{ "no member is believed", no_member_is_believed },
		{ "lines that were needed are noted",
		  lines_that_were_needed_are_noted },
		{ "tokens in content are found", tokens_in_content_are_found },
		{ "of many tokens the first are told",
		  of_many_tokens_the_first_are_told },
		{ "heads are looked through", heads_are_looked_through },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
