/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_judge_versions.c - Unit test of judge/judge.h: what production has served
 *
 * Stories: rows of requests for one object, each with when, on what condition,
 * both answers, and what comes of it. "-" as status: nothing is asked, and
 * production's answer is remembered. "|" stands for a line's end.
 */
#include "case_rig.h"
#include "check.h"
#include "desk/bench.h"

#define S UINT64_C(1000000000)

struct step {
	unsigned at; /* s */
	unsigned asked;
	const char *status[2];
	const char *head[2];
	const char *body[2];
	const char *want;
	const char *later; /* another answer, to the step of this number */
	unsigned object;   /* besides the story's */
};

struct story {
	const char *name;
	const char *rules;
	struct step step[6];
};

#define HAS(f)	 (1u << ASKED_HOST | 1u << (f))
#define HEAD(f)	 (ASKED_HEAD | HAS(f))
#define TEXT	 "Content-Type: text/plain|"
#define JSON	 "Content-Type: application/json|"
#define LIVES(s) "Cache-Control: max-age=" #s "|"

static const struct story stories[] = {
	{ "304 and 200: what the client has",
	  "header class ETag etag",
	  { { 1,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { TEXT "ETag: \"p\"|", "" },
	      { "hello", "" },
	      "",
	      NULL,
	      0 },
	    { 2,
	      HAS(ASKED_NONE_MATCH),
	      { "304", "200" },
	      { "ETag: \"p\"|", TEXT "ETag: \"s\"|" },
	      { "", "hello" },
	      "= class validator #0",
	      NULL,
	      0 },
	    { 3,
	      HAS(ASKED_NONE_MATCH),
	      { "304", "200" },
	      { "ETag: \"p\"|", TEXT "ETag: \"s\"|" },
	      { "", "hallo" },
	      "! text line 1 value",
	      NULL,
	      0 },
	    { 4,
	      HAS(ASKED_NONE_MATCH),
	      { "304", "200" },
	      { "ETag: \"q\"|", TEXT "ETag: \"s\"|" },
	      { "", "hello" },
	      "? validator",
	      NULL,
	      0 },
	    /* the SUT has it, and should have said so */
	    { 5,
	      HAS(ASKED_NONE_MATCH),
	      { "304", "200" },
	      { "ETag: \"p\"|", TEXT "ETag: \"p\"|" },
	      { "", "hello" },
	      "! headers status value",
	      NULL,
	      0 },
	    /* another object */
	    { 6,
	      HAS(ASKED_NONE_MATCH),
	      { "304", "200" },
	      { "ETag: \"p\"|", TEXT "ETag: \"s\"|" },
	      { "", "hello" },
	      "? validator",
	      NULL,
	      1 } } },
	{ "304 and 200: by meaning, and by time",
	  "header class Last-Modified time|json ignore $.at",
	  { { 1,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { JSON "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT|"
		     "Date: Sun, 06 Nov 1994 08:49:37 GMT|",
		"" },
	      { "{\"a\":1,\"at\":5}", "" },
	      "",
	      NULL,
	      0 },
	    { 2,
	      HAS(ASKED_SINCE),
	      { "304", "200" },
	      { "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT|",
		JSON "Last-Modified: Sun, 06 Nov 1994 08:50:00 GMT|"
		     "Date: Sun, 06 Nov 1994 09:49:37 GMT|" },
	      { "", "{\"at\":6,\"a\":1}" },
	      "= date class place validator #1 #0",
	      NULL,
	      0 },
	    { 3,
	      HAS(ASKED_SINCE),
	      { "304", "200" },
	      { "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT|",
		JSON "Last-Modified: Sun, 06 Nov 1994 08:50:00 GMT|" },
	      { "", "{\"at\":6,\"a\":2}" },
	      "! json $.a value",
	      NULL,
	      0 },
	    { 4,
	      HAS(ASKED_SINCE),
	      { "304", "200" },
	      { "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT|",
		JSON "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT|" },
	      { "", "{\"at\":6,\"a\":1}" },
	      "! headers status value",
	      NULL,
	      0 } } },
	{ "206 and 200: the part, and all of it",
	  "header class ETag etag|header ignore Accept-Ranges",
	  { { 1,
	      HAS(ASKED_RANGE),
	      { "206", "200" },
	      { "ETag: \"p\"|Content-Range: bytes 1-3/5|", "ETag: \"s\"|" },
	      { "ell", "hello" },
	      "? validator",
	      NULL,
	      0 },
	    { 2,
	      HAS(ASKED_RANGE),
	      { "206", "200" },
	      { "ETag: \"p\"|Content-Range: bytes 1-3/5|", "ETag: \"s\"|" },
	      { "ell", "helxo" },
	      "! bytes byte 3 value",
	      NULL,
	      0 },
	    { 3,
	      HAS(ASKED_RANGE),
	      { "206", "200" },
	      { "ETag: \"p\"|Content-Range: bytes 1-3/5|", "ETag: \"s\"|" },
	      { "ell", "hello!" },
	      "! bytes byte 5 extra",
	      NULL,
	      0 },
	    { 4,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { "ETag: \"p\"|", "" },
	      { "hello", "" },
	      "",
	      NULL,
	      0 },
	    { 5,
	      HAS(ASKED_RANGE),
	      { "206", "200" },
	      { "ETag: \"p\"|Content-Range: bytes 1-3/5|", "ETag: \"s\"|" },
	      { "ell", "hello" },
	      "= class validator #0",
	      NULL,
	      0 },
	    { 6,
	      HAS(ASKED_RANGE),
	      { "206", "200" },
	      { "ETag: \"p\"|Content-Range: bytes 1-3/5|", "ETag: \"s\"|" },
	      { "ell", "hellO" },
	      "! bytes byte 4 value",
	      NULL,
	      0 } } },
	{ "416 and 200: no such part, and all of it",
	  "header class ETag etag|header ignore Accept-Ranges",
	  { { 1,
	      HAS(ASKED_RANGE),
	      { "416", "200" },
	      { "Content-Range: bytes */5|", "ETag: \"s\"|" },
	      { "no", "hello" },
	      "? validator",
	      NULL,
	      0 },
	    { 2,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { "ETag: \"p\"|", "" },
	      { "hello", "" },
	      "",
	      NULL,
	      0 },
	    { 3,
	      HAS(ASKED_RANGE),
	      { "416", "200" },
	      { "Content-Range: bytes */5|", "ETag: \"s\"|" },
	      { "no", "hello" },
	      "= class validator #0",
	      NULL,
	      0 },
	    { 4,
	      HAS(ASKED_RANGE),
	      { "416", "200" },
	      { "Content-Range: bytes */5|", "ETag: \"s\"|" },
	      { "no", "hallo" },
	      "? validator",
	      NULL,
	      0 },
	    { 5,
	      HAS(ASKED_RANGE),
	      { "416", "200" },
	      { "Content-Range: bytes */5|", "ETag: \"s\"|" },
	      { "no", "hello" },
	      "? validator",
	      NULL,
	      1 } } },
	{ "an older object, fresh and stale",
	  "",
	  { { 0,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { TEXT LIVES(10), "" },
	      { "one", "" },
	      "",
	      NULL,
	      0 },
	    { 20,
	      HAS(ASKED_HOST),
	      { "200", "200" },
	      { TEXT LIVES(10), TEXT LIVES(10) },
	      { "two", "one" },
	      "! text line 1 value",
	      NULL,
	      9 },
	    { 20,
	      HAS(ASKED_HOST),
	      { "200", "200" },
	      { TEXT LIVES(10), TEXT LIVES(10) },
	      { "two", "one" },
	      "= older",
	      NULL,
	      0 },
	    { 30,
	      HAS(ASKED_HOST),
	      { "200", "200" },
	      { TEXT LIVES(10), TEXT LIVES(10) },
	      { "two", "one" },
	      "= older",
	      NULL,
	      0 },
	    { 31,
	      HAS(ASKED_HOST),
	      { "200", "200" },
	      { TEXT LIVES(10), TEXT LIVES(10) },
	      { "two", "one" },
	      "! version older by 11 s, lifetime 10 s value",
	      NULL,
	      0 },
	    { 32,
	      HAS(ASKED_HOST),
	      { "200", "200" },
	      { TEXT LIVES(10), TEXT LIVES(10) },
	      { "two", "none" },
	      "! text line 1 value",
	      NULL,
	      0 } } },
	{ "an older object that is not for others, or not as it was",
	  "",
	  { { 0,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { TEXT LIVES(10), "" },
	      { "one", "" },
	      "",
	      NULL,
	      0 },
	    { 1,
	      HAS(ASKED_AUTHORIZED),
	      { "200", "200" },
	      { TEXT LIVES(10), TEXT LIVES(10) },
	      { "two", "one" },
	      "! version older by 0 s, no lifetime value",
	      NULL,
	      0 },
	    { 2,
	      HAS(ASKED_HOST),
	      { "200", "200" },
	      { TEXT LIVES(10), TEXT LIVES(11) },
	      { "two", "one" },
	      "! text line 1 value",
	      NULL,
	      0 },
	    { 3,
	      HAS(ASKED_HOST),
	      { "200", "200" },
	      { TEXT "Cache-Control: private|", TEXT LIVES(10) },
	      { "three", "one" },
	      "= older",
	      NULL,
	      0 },
	    { 4,
	      HAS(ASKED_HOST),
	      { "200", "200" },
	      { TEXT LIVES(10), TEXT "Cache-Control: private|" },
	      { "two", "three" },
	      "! version older by 0 s, no lifetime value",
	      NULL,
	      0 } } },
	{ "an older object by a rule",
	  "version older within 60s",
	  { { 0,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { TEXT, "" },
	      { "one", "" },
	      "",
	      NULL,
	      0 },
	    { 1,
	      HAS(ASKED_HOST),
	      { "200", "200" },
	      { TEXT, TEXT },
	      { "two", "one" },
	      "= older #0",
	      NULL,
	      0 },
	    { 62,
	      HAS(ASKED_HOST),
	      { "200", "200" },
	      { TEXT, TEXT },
	      { "two", "one" },
	      "! version older by 61 s, lifetime 60 s value",
	      NULL,
	      0 } } },
	{ "the SUT says that nothing has changed",
	  "",
	  { { 0,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { TEXT LIVES(10) "ETag: \"a\"|", "" },
	      { "one", "" },
	      "",
	      NULL,
	      0 },
	    { 5,
	      HAS(ASKED_NONE_MATCH),
	      { "200", "304" },
	      { TEXT LIVES(10) "ETag: \"b\"|", "ETag: \"a\"|" },
	      { "two", "" },
	      "= older",
	      NULL,
	      0 },
	    { 16,
	      HAS(ASKED_NONE_MATCH),
	      { "200", "304" },
	      { TEXT LIVES(10) "ETag: \"b\"|", "ETag: \"a\"|" },
	      { "two", "" },
	      "! version older by 11 s, lifetime 10 s value",
	      NULL,
	      0 },
	    { 17,
	      HAS(ASKED_NONE_MATCH),
	      { "200", "304" },
	      { TEXT LIVES(10) "ETag: \"b\"|", "ETag: \"z\"|" },
	      { "two", "" },
	      "? validator",
	      NULL,
	      0 },
	    { 18,
	      HAS(ASKED_NONE_MATCH),
	      { "200", "304" },
	      { TEXT LIVES(10) "ETag: \"b\"|", "ETag: \"b\"|" },
	      { "two", "" },
	      "! headers status value",
	      NULL,
	      0 },
	    { 19,
	      HAS(ASKED_MATCH),
	      { "200", "412" },
	      { TEXT "ETag: \"b\"|", TEXT },
	      { "two", "no" },
	      "? validator",
	      NULL,
	      0 } } },
	{ "HEAD: what the client has, by the head that it came with",
	  "header class ETag etag",
	  { { 1,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { TEXT "ETag: \"p\"|Content-Length: 5|", "" },
	      { "hello", "" },
	      "",
	      NULL,
	      0 },
	    { 2,
	      HEAD(ASKED_NONE_MATCH),
	      { "304", "200" },
	      { "ETag: \"p\"|", TEXT "ETag: \"s\"|Content-Length: 5|" },
	      { "", "" },
	      "= class validator #0",
	      NULL,
	      0 },
	    /* a server may leave out what it learns from the content only */
	    { 3,
	      HEAD(ASKED_SINCE),
	      { "304", "200" },
	      { "ETag: \"p\"|", TEXT "ETag: \"s\"|" },
	      { "", "" },
	      "= class coding validator #0",
	      NULL,
	      0 },
	    { 4,
	      HEAD(ASKED_NONE_MATCH),
	      { "304", "200" },
	      { "ETag: \"p\"|", TEXT "ETag: \"s\"|Content-Length: 6|" },
	      { "", "" },
	      "! headers content-length value",
	      NULL,
	      0 },
	    { 5,
	      HEAD(ASKED_NONE_MATCH),
	      { "304", "200" },
	      { "ETag: \"p\"|", TEXT "ETag: \"p\"|Content-Length: 5|" },
	      { "", "" },
	      "! headers status value",
	      NULL,
	      0 },
	    { 6,
	      HEAD(ASKED_RANGE),
	      { "206", "200" },
	      { "ETag: \"p\"|Content-Range: bytes 1-3/5|",
		JSON "ETag: \"s\"|Content-Length: 5|" },
	      { "", "" },
	      "! headers content-type value",
	      NULL,
	      0 } } },
	{ "HEAD: content in another coding",
	  "header class ETag etag",
	  { { 1,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { TEXT "ETag: \"p\"|Content-Length: 5|", "" },
	      { "hello", "" },
	      "",
	      NULL,
	      0 },
	    { 2,
	      HEAD(ASKED_NONE_MATCH),
	      { "304", "200" },
	      { "ETag: \"p\"|",
		TEXT "ETag: \"s\"|Content-Encoding: gzip|"
		     "Vary: Accept-Encoding|Content-Length: 25|" },
	      { "", "" },
	      "= class coding validator #0",
	      NULL,
	      0 },
	    { 3,
	      HEAD(ASKED_HOST),
	      { "200", "200" },
	      { TEXT "Content-Encoding: gzip|Content-Length: 25|",
		TEXT "Content-Encoding: gzip|Content-Length: 26|" },
	      { "", "" },
	      "= coding",
	      NULL,
	      0 },
	    { 4,
	      HEAD(ASKED_HOST),
	      { "200", "200" },
	      { TEXT "Content-Length: 25|", TEXT "Content-Length: 26|" },
	      { "", "" },
	      "! headers content-length value",
	      NULL,
	      0 } } },
	{ "HEAD: it shows no object",
	  "header class ETag etag",
	  { { 1,
	      HEAD(ASKED_HOST),
	      { "200", "200" },
	      { TEXT "ETag: \"p\"|", TEXT "ETag: \"s\"|" },
	      { "", "" },
	      "= class #0",
	      NULL,
	      0 },
	    { 2,
	      HEAD(ASKED_NONE_MATCH),
	      { "304", "200" },
	      { "ETag: \"p\"|", TEXT "ETag: \"s\"|" },
	      { "", "" },
	      "? validator",
	      NULL,
	      0 },
	    { 3,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { TEXT LIVES(10) "ETag: \"a\"|", "" },
	      { "one", "" },
	      "",
	      NULL,
	      0 },
	    /* what production has by now was not seen */
	    { 4,
	      HEAD(ASKED_NONE_MATCH),
	      { "200", "304" },
	      { TEXT LIVES(10) "ETag: \"b\"|", "ETag: \"a\"|" },
	      { "", "" },
	      "? validator",
	      NULL,
	      0 },
	    { 5,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { TEXT LIVES(10) "ETag: \"b\"|", "" },
	      { "two", "" },
	      "",
	      NULL,
	      0 },
	    { 6,
	      HEAD(ASKED_NONE_MATCH),
	      { "200", "304" },
	      { TEXT LIVES(10) "ETag: \"b\"|", "ETag: \"a\"|" },
	      { "", "" },
	      "= older",
	      NULL,
	      0 } } },
	{ "a newer object",
	  "version newer",
	  { { 1,
	      HAS(ASKED_HOST),
	      { "200", "200" },
	      { TEXT, TEXT },
	      { "one", "two" },
	      "! text line 1 value held",
	      NULL,
	      0 },
	    { 2,
	      HAS(ASKED_HOST),
	      { "200", "200" },
	      { TEXT, TEXT },
	      { "one", "never" },
	      "! text line 1 value held",
	      NULL,
	      0 },
	    { 3,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { TEXT, "" },
	      { "two", "" },
	      "",
	      NULL,
	      1 },
	    { 4,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { TEXT, "" },
	      { "two", "" },
	      "",
	      "0 = newer #0",
	      0 },
	    { 5,
	      HAS(ASKED_HOST),
	      { "-", "" },
	      { TEXT, "" },
	      { "two", "" },
	      "",
	      NULL,
	      0 } } },
};

static size_t head_of(char *to, const char *status, const char *fields)
{
	char *p = to + sprintf(to, "HTTP/1.1 %s X\r\n", status);

	for (; *fields != '\0'; fields++) {
		if (*fields == '|')
			*p++ = '\r';
		*p++ = *fields == '|' ? '\n' : *fields;
	}
	return (size_t)(p + sprintf(p, "\r\n") - to);
}

static int step(struct bench *b, const struct step *s, unsigned serial,
		struct case_answer *out)
{
	bool note = s->status[0][0] == '-';
	char head[2][512];
	struct case_view c = { .serial = serial,
			       .flags = s->asked << CASE_ASKED,
			       .at = s->at * S,
			       .object = 77 + s->object };
	uint8_t *message;
	size_t len;
	int r;

	c.flags |= note ? CASE_NOTE : 0;
	for (unsigned i = 0; i < (note ? 1 : 2); i++) {
		len = head_of(head[i], note ? "200" : s->status[i], s->head[i]);
		case_part(&c, CASE_HEAD + i, head[i], len);
		case_part(&c, CASE_BODY + i, s->body[i], strlen(s->body[i]));
	}
	message = case_message(&c, &len);
	r = bench_judge(b, message, len, out);
	free(message);
	return r;
}

static void tell(const struct story *t)
{
	static const struct hash_key key = { { 1, 2 } };
	struct rules *by = case_rules(t->rules);
	struct bench *b;

	CHECK(bench_new(&b, by, &key) == 0);
	for (unsigned i = 0; i < 6 && t->step[i].asked != 0; i++) {
		const struct step *s = &t->step[i];
		struct case_answer a;
		char got[400] = "", late[400] = "";

		if (step(b, s, i, &a) == 0) {
			CHECK(case_is_answer(&a, rules_count(by)) &&
			      a.serial == i);
			snprintf(got, sizeof(got), "%s%s", case_told(&a),
				 a.held ? " held" : "");
		}
		while (bench_next(b, &a)) {
			CHECK(case_is_answer(&a, rules_count(by)));
			snprintf(late, sizeof(late), "%u %s",
				 (unsigned)a.serial, case_told(&a));
		}
		if (strcmp(got, s->want) != 0 ||
		    strcmp(late, s->later != NULL ? s->later : "") != 0) {
			printf("# step %u: %s, later %s\n", i, got, late);
			CHECK_ROW(false, t->name);
		}
	}
	bench_free(b);
	free(by);
}

static void stories_end_as_they_should(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(stories); i++)
		tell(&stories[i]);
}

/* More than are held: they stand. What is held is given back once. */
static void as_many_are_held_as_there_is_room_for(void)
{
	static const struct hash_key key = { { 1, 2 } };
	struct rules *by = case_rules("version newer");
	struct step s = { .asked = HAS(ASKED_HOST),
			  .status = { "200", "200" },
			  .head = { TEXT, TEXT },
			  .body = { "one", "two" } };
	struct case_answer a;
	struct bench *b;
	unsigned held = 0, back = 0;
	char *longer;

	CHECK(bench_new(&b, by, &key) == 0);
	for (unsigned i = 0; i < BENCH_HELD + 5; i++) {
		CHECK(step(b, &s, i, &a) == 0);
		held += a.held;
	}
	CHECK(held == BENCH_HELD);
	s.status[0] = "-";
	s.body[0] = "two";
	CHECK(step(b, &s, 0, &a) == 1);
	while (bench_next(b, &a)) {
		CHECK(a.serial == back && a.verdict == VERDICT_EQUIVALENT);
		back++;
	}
	CHECK(back == BENCH_HELD);
	/* nor what is longer than there is room for */
	longer = malloc(BENCH_LONGEST + 1);
	memset(longer, 'x', BENCH_LONGEST);
	longer[BENCH_LONGEST] = '\0';
	s.status[0] = "200";
	s.body[1] = longer;
	CHECK(step(b, &s, 99, &a) == 0 && a.verdict == VERDICT_DIFFERENT &&
	      a.held == 0);
	free(longer);
	bench_free(b);
	free(by);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "stories end as they should", stories_end_as_they_should },
		{ "as many are held as there is room for",
		  as_many_are_held_as_there_is_room_for },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
