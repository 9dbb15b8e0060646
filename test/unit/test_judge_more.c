/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_judge_more.c - Unit test of judge/judge.h: all places of a difference,
 * classes of values, conditions, and what a decoder says
 *
 * A head is written without its status line, "|" stands for a line's end. The decoder
 * is the test's: a coding names what comes of it.
 */
#include "judge/judge.h"

#include <errno.h>

#include "case_rig.h"
#include "check.h"

#define JSON_T "Content-Type: application/json|"
#define TEXT_T "Content-Type: text/plain|"
#define HTML_T "Content-Type: text/html|"
#define XML_T  "Content-Type: text/xml|"
#define PNG_T  "Content-Type: image/png|"
#define PART_T "Content-Type: multipart/mixed; boundary=b|"
#define HAS(f) (1u << (f))

static const struct judge_limits limits = {
	.members = 1000,
	.decoded = 4000,
	.versions = { .answers = 8, .bytes = 1 << 16 },
	.held = 2,
	.longest = 1000,
};

static const struct hash_key key = { { 1, 2 } };

/* "same": nothing was encoded. "up": bytes are one higher. Others fail. */
static int decode(void *ctx, const uint8_t *coding, size_t cn,
		  const uint8_t *in, size_t n, uint8_t *out, size_t room,
		  size_t *len)
{
	(void)ctx;
	CHECK(room == limits.decoded && n > 0);
	if (cn == 4 && memcmp(coding, "same", 4) == 0)
		return 1;
	if (cn == 3 && memcmp(coding, "bad", 3) == 0)
		return -EBADMSG;
	if (cn == 3 && memcmp(coding, "big", 3) == 0)
		return -E2BIG;
	if (cn == 3 && memcmp(coding, "mem", 3) == 0)
		return -ENOMEM;
	if (cn != 2)
		return -ENOTSUP;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(in[i] - 1);
	*len = n;
	return 0;
}

static const struct judge_ops ops = { .decode = decode };

struct rig {
	struct rules *by;
	struct arena a;
	struct judge *j;
};

static void begin(struct rig *r, const char *rules)
{
	r->by = case_rules(rules);
	r->a = (struct arena){ .size = judge_size(&limits) };
	r->a.base = aligned_alloc(ARENA_ALIGN, r->a.size);
	CHECK(judge_init(&r->j, &r->a, &limits, r->by, &key, &ops) == 0);
}

static void end(struct rig *r)
{
	free(r->a.base);
	free(r->by);
}

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

/* What is handed to a judge: both sides as text. */
struct asked_of {
	unsigned asked;
	unsigned flags;
	const char *status[2];
	const char *head[2];
	const char *body[2];
	const char *trailer[2];
};

static void judge(struct rig *r, const struct asked_of *s,
		  struct case_answer *out)
{
	char head[2][2048];
	struct case_view c = { .serial = 3,
			       .flags = s->flags | s->asked << CASE_ASKED,
			       .object = s->asked != 0 ? 9 : 0,
			       .at = 1 };

	for (unsigned i = 0; i < 2; i++) {
		size_t n = head_of(head[i],
				   s->status[i] != NULL ? s->status[i] : "200",
				   s->head[i]);

		case_part(&c, CASE_HEAD + i, head[i], n);
		case_part(&c, CASE_BODY + i, s->body[i], strlen(s->body[i]));
		if (s->trailer[i] != NULL)
			case_part(&c, CASE_TRAILER + i, s->trailer[i],
				  strlen(s->trailer[i]));
	}
	CHECK(judge_case(r->j, &c, out));
	CHECK(out->serial == 3 && case_is_answer(out, rules_count(r->by)));
}

/* All places in words; a shape is a letter, in the order in which they come. */
static const char *told(const struct case_answer *a)
{
	static char s[1000];
	char shapes[CASE_FOUND][5];
	unsigned known = 0;
	size_t n = 0;

	s[0] = '\0';
	for (unsigned i = 0; i < a->founds; i++) {
		const struct case_found *f = &a->found[i];
		char place[KIND_PLACE + 1] = { 0 };
		char *sign;
		unsigned k = 0;

		memcpy(place, f->place, KIND_PLACE);
		sign = strchr(place, '~');
		if (sign != NULL && strlen(sign) == 5) {
			while (k < known && strcmp(shapes[k], sign + 1) != 0)
				k++;
			if (k == known)
				memcpy(shapes[known++], sign + 1, 5);
			sign[1] = (char)('A' + k);
			sign[2] = '\0';
		}
		n += (size_t)snprintf(
			s + n, sizeof(s) - n, "%s%s %s %s", i > 0 ? "; " : "",
			case_judge_name((enum case_judge)f->judge), place,
			case_change_name((enum case_change)f->change));
	}
	snprintf(s + n, sizeof(s) - n, "%s", a->more ? " +" : "");
	return s;
}

/* --- all places --- */
static const struct {
	const char *name;
	struct asked_of s;
	const char *rules;
	const char *want;
} places[] = {
	{ "two members",
	  { .head = { JSON_T, JSON_T },
	    .body = { "{\"a\":1,\"b\":2,\"c\":3}",
		      "{\"a\":9,\"b\":2,\"c\":8}" } },
	  "",
	  "json $.a value; json $.c value" },
	{ "beside what a rule leaves out",
	  { .head = { JSON_T, JSON_T },
	    .body = { "{\"a\":1,\"b\":2,\"c\":3}",
		      "{\"a\":9,\"b\":5,\"c\":8}" } },
	  "json ignore $.b",
	  "json $.a value; json $.c value" },
	{ "a member that is gone, and one that came",
	  { .head = { JSON_T, JSON_T },
	    .body = { "{\"a\":1,\"b\":2}", "{\"b\":2,\"c\":3}" } },
	  "",
	  "json $.a missing; json $.c extra" },
	{ "elements are one place",
	  { .head = { JSON_T, JSON_T },
	    .body = { "[1,2,3,4,5,6]", "[6,5,4,7,8,9]" } },
	  "",
	  "json $[*] value" },
	{ "behind so many of one class, another change",
	  { .head = { JSON_T, JSON_T },
	    .body = { "[1,2,3,4,5,6]", "[7,8,9,7,\"x\",9]" } },
	  "",
	  "json $[*] value; json $[*] type" },
	{ "values of no class",
	  { .head = { JSON_T, JSON_T },
	    .body = { "[\"a\",\"b\",\"c\",\"d\"]",
		      "[\"w x\",\"x x\",\"y x\",\"z x\"]" } },
	  "",
	  "json $[*] value" },
	{ "more than there are rules for",
	  { .head = { JSON_T, JSON_T },
	    .body = { "[{\"a\":[1,2],\"b\":[1,2],\"c\":[1,2],\"d\":[1,"
		      "2],\"e\":[1,2],\"f\":[1,2],\"g\":[1,2],\"h\":[1,"
		      "2,3]}]",
		      "[{\"a\":[7,8],\"b\":[7,8],\"c\":[7,8],\"d\":[7,"
		      "8],\"e\":[7,8],\"f\":[7,8],\"g\":[7,8],\"h\":[7,"
		      "8,9]}]" } },
	  "",
	  "json $[*].a[*] value; json $[*].b[*] value; json "
	  "$[*].c[*] value; json $[*].d[*] value; json $[*].e[*] "
	  "value; json $[*].f[*] value; json $[*].g[*] value; json "
	  "$[*].h[*] value +" },
	{ "JSON that the SUT broke",
	  { .head = { JSON_T, JSON_T }, .body = { "[1]", "[2" } },
	  "",
	  "json $ broken +" },
	{ "lines of one shape",
	  { .head = { TEXT_T, TEXT_T },
	    .body = { "took 1 ms\nsame\ntook 2 ms\n",
		      "took 3 ms\nsame\ntook 4 ms\n" } },
	  "",
	  "text line ~A value" },
	{ "lines of two shapes",
	  { .head = { TEXT_T, TEXT_T },
	    .body = { "took 1 ms\nuser 2\n", "took 3 ms\nuser 4\n" } },
	  "",
	  "text line ~A value; text line ~B value" },
	{ "lines that are missing have nothing behind them",
	  { .head = { TEXT_T, TEXT_T }, .body = { "a 1\nb\nc\n", "a 2\nb\n" } },
	  "",
	  "text line ~A value; text line ~B missing +" },
	{ "so many rounds",
	  { .head = { TEXT_T, TEXT_T },
	    .body = { "1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n"
		      "1\n1\n1\n1\n1\n1\n1\n1\n1\n",
		      "2\n2\n2\n2\n2\n2\n2\n2\n2\n2\n2\n2\n2\n2\n2\n2\n"
		      "2\n2\n2\n2\n2\n2\n2\n2\n2\n" } },
	  "",
	  "text line ~A value +" },
	{ "tokens of a page",
	  { .head = { HTML_T, HTML_T },
	    .body = { "<p>one</p><b>x</b><i>two</i>",
		      "<p>eno</p><b>x</b><i>owt</i>" } },
	  "",
	  "html p ~A value; html i ~B value" },
	{ "tokens of a document",
	  { .head = { XML_T, XML_T },
	    .body = { "<a><b>one</b><c>two</c></a>",
		      "<a><b>eno</b><c>owt</c></a>" } },
	  "",
	  "xml a/b ~A value; xml c ~B value" },
	{ "bytes have one place",
	  { .head = { PNG_T "X: 1|", PNG_T "X: 2|" },
	    .body = { "abc", "axc" } },
	  "",
	  "bytes byte value; headers x value" },
	{ "fields",
	  { .head = { "X: 1|Y: 1|Z: 1|", "X: 2|Y: 1|Z: 2|W: 1|" },
	    .body = { "", "" } },
	  "",
	  "headers x value; headers z value; headers w extra" },
	{ "cookies",
	  { .head = { "Set-Cookie: a=1|Set-Cookie: b=1|"
		      "Set-Cookie: c=1; Secure|X: 1|",
		      "Set-Cookie: a=2|Set-Cookie: b=2|"
		      "Set-Cookie: c=1|X: 2|" },
	    .body = { "", "" } },
	  "",
	  "headers x value; headers set-cookie a value; headers "
	  "set-cookie b value; headers set-cookie c secure value" },
	{ "more fields than places",
	  { .head = { "A: 1|B: 1|C: 1|D: 1|E: 1|F: 1|G: 1|H: 1|I: 1|",
		      "A: 2|B: 2|C: 2|D: 2|E: 2|F: 2|G: 2|H: 2|I: 2|" },
	    .body = { "", "" } },
	  "",
	  "headers a value; headers b value; headers c value; headers "
	  "d value; headers e value; headers f value; headers g value; "
	  "headers h value +" },
	{ "content, head and trailers",
	  { .head = { JSON_T "X: 1|", JSON_T "X: 2|" },
	    .body = { "[1]", "[2]" },
	    .trailer = { "Y: 1\r\n\r\n", "Y: 2\r\n\r\n" } },
	  "",
	  "json $[*] value; headers x value; trailers y value" },
	{ "a coding that the SUT broke, and a field",
	  { .head = { "Content-Encoding: up|X: 1|",
		      "Content-Encoding: bad|X: 2|" },
	    .body = { "abc", "abc" } },
	  "header ignore Content-Encoding",
	  "coding content-encoding broken; headers x value" },
};

static void all_places_are_found(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct case_answer a, one;
		struct rig r;

		begin(&r, places[i].rules);
		judge(&r, &places[i].s, &one);
		CHECK_ROW(one.founds == 0 && !one.more, places[i].name);
		judge_all(r.j);
		judge(&r, &places[i].s, &a);
		if (strcmp(told(&a), places[i].want) != 0)
			printf("# %s\n", told(&a));
		CHECK_ROW(strcmp(told(&a), places[i].want) == 0,
			  places[i].name);
		/* The first of them is the one that is told without. */
		CHECK_ROW(a.verdict == VERDICT_DIFFERENT &&
				  a.reasons == one.reasons &&
				  memcmp(&a.place, &one.place,
					 sizeof(a.place)) == 0,
			  places[i].name);
		end(&r);
	}
}

/* The place of a name that is as long as names can be keeps its shape. */
static void long_names_are_cut(void)
{
	char path[400] = "", a[1000], b[1000];
	struct case_answer out;
	struct rig r;

	for (int i = 0; i < 20; i++)
		strcat(path, "<element-nr>");
	snprintf(a, sizeof(a), "%sone", path);
	snprintf(b, sizeof(b), "%stwo", path);
	begin(&r, "");
	judge_all(r.j);
	judge(&r,
	      &(struct asked_of){ .head = { XML_T, XML_T }, .body = { a, b } },
	      &out);
	CHECK(out.founds == 1 && out.found[0].place[KIND_PLACE - 1] == '\0');
	CHECK(strlen(out.found[0].place) >= KIND_PLACE - 3);
	CHECK(out.found[0].place[strlen(out.found[0].place) - 5] == '~');
	CHECK(strlen(out.place.name) == CASE_PLACE - 1);
	end(&r);
}

/* --- classes --- */

static void values_have_classes(void)
{
	static const struct {
		const char *json;
		unsigned has;	  /* these bits */
		unsigned has_not; /* and none of these */
		unsigned len;
	} row[] = {
		{ "12345", 1u << CLASS_INTEGER, CASE_WORDS | CASE_LITERAL, 0 },
		{ "\"12\"", 1u << CLASS_INTEGER, CASE_WORDS, 0 },
		{ "\"550e8400-e29b-41d4-a716-446655440000\"", 1u << CLASS_UUID,
		  CASE_WORDS, 36 },
		{ "\"\"", CASE_EMPTY, CASE_WORDS, 0 },
		{ "\"two words\"", CASE_WORDS, CASE_EMPTY | CASE_LITERAL, 0 },
		{ "true", CASE_LITERAL, CASE_WORDS, 0 },
		{ "false", CASE_LITERAL, CASE_WORDS, 0 },
		{ "null", CASE_LITERAL, CASE_WORDS, 0 },
		{ "{}", 0, 0xffff, 0 },
		{ "[]", 0, 0xffff, 0 },
		{ "\"0123456789abcdef0123456789abcdef\"", 1u << CLASS_HEX,
		  CASE_WORDS, 32 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		char b[200];
		struct case_answer a;
		struct rig r;

		snprintf(b, sizeof(b), "{\"a\":%s}", row[i].json);
		begin(&r, "");
		judge(&r,
		      &(struct asked_of){ .head = { JSON_T, JSON_T },
					  .body = { "{\"a\":-7.5}", b } },
		      &a);
		CHECK_ROW((a.class[1].mask & row[i].has) == row[i].has,
			  row[i].json);
		CHECK_ROW((a.class[1].mask & row[i].has_not) == 0, row[i].json);
		CHECK_ROW(a.class[1].len == row[i].len, row[i].json);
		end(&r);
	}
}

/* Two lines are of one shape if they say the same of other values. */
static void lines_have_shapes(void)
{
	static const struct {
		const char *line[2];
		bool same;
	} row[] = {
		{ { "id deadbeef", "id cafebabe" }, true },
		{ { "id beef", "id FACE" }, true },
		{ { "id abc", "id abd" }, false }, /* short: words */
		{ { "id face", "id fact" }, false },
		{ { "id a1", "id zz99" }, true },
		{ { "abcdefghijkl", "mnopqrstuvwx" }, true },
		{ { "abcdefghijk", "mnopqrstuvw" }, false },
		{ { "GHIJKLMNOPQRS", "ghijklmnopqrs" }, true },
		{ { "\xc3\xa9\xc3\xa9\xc3\xa9 1",
		    "\xc3\xa8\xc3\xa9\xc3\xa9 1" },
		  false },
		{ { "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
		    "\xc3\xa8\xc3\xa8\xc3\xa8\xc3\xa8\xc3\xa8\xc3\xa8" },
		  true },
		{ { "took 1 ms", "took 1  ms" }, false },
		{ { "a-1", "a_1" }, false },
		{ { "a/1", "a:1" }, false },
		{ { "a@1", "a[1" }, false },
		{ { "a`1", "a{1" }, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct case_answer a;
		struct rig r;

		begin(&r, "");
		judge(&r,
		      &(struct asked_of){
			      .head = { TEXT_T, TEXT_T },
			      .body = { row[i].line[0], row[i].line[1] } },
		      &a);
		CHECK(a.class[0].mask == CASE_SHAPE &&
		      a.class[1].mask == CASE_SHAPE);
		CHECK_ROW((a.class[0].len == a.class[1].len) == row[i].same,
			  row[i].line[0]);
		end(&r);
	}
}

/* A value that is longer than its length can say is as long as that. */
static void a_long_value_has_the_longest_length(void)
{
	char *body[2];
	size_t n;
	struct case_answer a;
	struct rig r;

	begin(&r, "");
	for (unsigned i = 0; i < 2; i++) {
		body[i] = malloc(UINT16_MAX + 20);
		n = (size_t)sprintf(body[i], "{\"a\":\"");
		memset(body[i] + n, 'a' + (int)i, UINT16_MAX + 2);
		strcpy(body[i] + n + UINT16_MAX + 2, "\"}");
	}
	judge(&r,
	      &(struct asked_of){ .head = { JSON_T, JSON_T },
				  .body = { body[0], body[1] } },
	      &a);
	CHECK((a.class[0].mask >> CLASS_HEX & 1) != 0);
	CHECK(a.class[0].len == UINT16_MAX && a.class[1].len == UINT16_MAX);
	end(&r);
	free(body[0]);
	free(body[1]);
}

/* --- content --- */
static const struct {
	const char *name;
	struct asked_of s;
	const char *rules;
	const char *want;
} contents[] = {
	{ "JSON behind white space",
	  { .head = { "", "" }, .body = { " \t\r\n[1]", "\n\r\t [1]" } },
	  "",
	  "= json" },
	{ "white space is no JSON",
	  { .head = { TEXT_T, TEXT_T }, .body = { " ", "\t" } },
	  "",
	  "! text line 1 value" },
	{ "only one begins as JSON",
	  { .head = { TEXT_T, TEXT_T }, .body = { "[1]", "x" } },
	  "",
	  "! text line 1 value" },
	{ "what is called text is text if the SUT's is no JSON",
	  { .head = { TEXT_T, TEXT_T }, .body = { "[1]\n[2]", "[1]\n[3" } },
	  "",
	  "! text line 2 value" },
	{ "a picture that has become another kind",
	  { .head = { PNG_T, PNG_T },
	    .body = { "\x89PNG\r\n\x1a\n0", "GIF89a01" } },
	  "",
	  "! bytes byte 0 type" },
	{ "more bytes",
	  { .head = { PNG_T, PNG_T }, .body = { "ab", "abc" } },
	  "",
	  "! bytes byte 2 extra" },
	{ "a document",
	  { .head = { XML_T, XML_T }, .body = { "<a>1</a>", "<a>2</a>" } },
	  "",
	  "! xml a value" },
	{ "a page with a mask",
	  { .head = { HTML_T, HTML_T },
	    .body = { "<p>build 12</p>", "<p>build 9</p>" } },
	  "text mask /build [0-9]+/",
	  "= mask #0" },
	{ "a mask, and another spelling",
	  { .head = { HTML_T, HTML_T },
	    .body = { "<p a=1>build 12</p>", "<P a='1'>build 9</p>" } },
	  "text mask /build [0-9]+/",
	  "= markup mask #0" },
	{ "a part's content",
	  { .head = { PART_T, PART_T },
	    .body = { "--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--\r\n",
		      "--b\r\n\r\n1\r\n--b\r\n\r\n3\r\n--b--\r\n" } },
	  "",
	  "! multipart part 1 value" },
	{ "a part's field",
	  { .head = { PART_T, PART_T },
	    .body = { "--b\r\nX: 1\r\n\r\n1\r\n--b--\r\n",
		      "--b\r\nX: 2\r\n\r\n1\r\n--b--\r\n" } },
	  "",
	  "! multipart part 0 x value" },
	{ "another boundary",
	  { .head = { PART_T, "Content-Type: multipart/mixed; boundary=c|" },
	    .body = { "--b\r\n\r\n1\r\n--b--\r\n",
		      "--c\r\n\r\n1\r\n--c--\r\n" } },
	  "header ignore Content-Type",
	  "= ignore parts #0" },
	{ "parts that production broke",
	  { .head = { PART_T, PART_T },
	    .body = { "--x\r\n", "--b\r\n\r\n1\r\n--b--\r\n" } },
	  "",
	  "? unjudged" },
	{ "parts that the SUT broke",
	  { .head = { PART_T, PART_T },
	    .body = { "--b\r\n\r\n1\r\n--b--\r\n", "--x\r\n" } },
	  "",
	  "! multipart part 0 broken" },
	{ "types may have white space behind them",
	  { .head = { "Content-Type: application/json \t; x=y|",
		      "Content-Type: application/json \t; x=y|" },
	    .body = { "[1]", "[ 1]" } },
	  "",
	  "= json" },
	/* codings */
	{ "a coding and its content",
	  { .head = { TEXT_T "Content-Encoding: up|",
		      TEXT_T "Content-Encoding: up|" },
	    .body = { "bcd", "bce" } },
	  "",
	  "! text line 1 value" },
	{ "a coding that changes nothing",
	  { .head = { TEXT_T "Content-Encoding: same|", TEXT_T },
	    .body = { "abc", "abc" } },
	  "header ignore Content-Encoding",
	  "= ignore #0" },
	{ "one is encoded",
	  { .head = { TEXT_T "Content-Encoding: up|", TEXT_T },
	    .body = { "bcd", "abc" } },
	  "",
	  "= coding" },
	{ "the same coding, the same bytes",
	  { .head = { TEXT_T "Content-Encoding: up|",
		      TEXT_T "Content-Encoding: up|" },
	    .body = { "bcd", "bcd" } },
	  "",
	  "= coding" },
	{ "nothing is in no coding",
	  { .head = { TEXT_T "Content-Encoding: bad|",
		      TEXT_T "Content-Encoding: bad|" },
	    .body = { "", "" } },
	  "",
	  "=" },
	{ "two lines of a coding",
	  { .head = { TEXT_T "Content-Encoding: up|"
			     "Content-Encoding: up|",
		      TEXT_T },
	    .body = { "bcd", "abc" } },
	  "",
	  "? coding" },
	{ "production's bomb",
	  { .head = { TEXT_T "Content-Encoding: big|", TEXT_T },
	    .body = { "bcd", "abc" } },
	  "header ignore Content-Encoding",
	  "? bomb" },
	{ "the SUT's bomb",
	  { .head = { TEXT_T, TEXT_T "Content-Encoding: big|" },
	    .body = { "bcd", "abc" } },
	  "header ignore Content-Encoding",
	  "? bomb" },
	{ "no memory",
	  { .head = { TEXT_T "Content-Encoding: mem|", TEXT_T },
	    .body = { "bcd", "abc" } },
	  "header ignore Content-Encoding",
	  "? unjudged" },
	{ "no memory for the SUT's",
	  { .head = { TEXT_T, TEXT_T "Content-Encoding: mem|" },
	    .body = { "bcd", "abc" } },
	  "header ignore Content-Encoding",
	  "? unjudged" },
	{ "not known on the SUT's side",
	  { .head = { TEXT_T, TEXT_T "Content-Encoding: x|" },
	    .body = { "bcd", "abc" } },
	  "header ignore Content-Encoding",
	  "? coding" },
	{ "broken without a coding of production's",
	  { .head = { TEXT_T, TEXT_T "Content-Encoding: bad|" },
	    .body = { "bcd", "abc" } },
	  "header ignore Content-Encoding",
	  "! coding content-encoding broken" },
	{ "the same bytes in a broken coding, and a field",
	  { .head = { TEXT_T "Content-Encoding: bad|X: 1|",
		      TEXT_T "Content-Encoding: bad|X: 2|" },
	    .body = { "bcd", "bcd" },
	    .flags = CASE_SAME_BODY },
	  "",
	  "! headers x value" },
};

static void contents_are_judged(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		struct case_answer a;
		struct rig r;

		begin(&r, contents[i].rules);
		judge(&r, &contents[i].s, &a);
		if (strcmp(case_told(&a), contents[i].want) != 0)
			printf("# %s\n", case_told(&a));
		CHECK_ROW(strcmp(case_told(&a), contents[i].want) == 0,
			  contents[i].name);
		end(&r);
	}
}

/* --- conditions --- */

/* Production sent a part of which nothing else is known: a wrong one is told only
 * where it is sure whose bytes are compared.
 */
static const struct {
	const char *head; /* of production's 206 */
	const char *other;
	const char *body[2];
	const char *want;
} ranges[] = {
	{ "Content-Range: bytes 1-3/5|",
	  "",
	  { "ell", "hexlo" },
	  "! bytes byte 2 value" },
	{ "Content-Range: bytes 1-3/5|",
	  "",
	  { "ell", "hello" },
	  "? validator" },
	{ "Content-Range: BYTES 0-4/5|",
	  "",
	  { "hello", "hellO" },
	  "! bytes byte 4 value" },
	{ "Content-Range: bytes 1-3/5|",
	  "",
	  { "ell", "hell" },
	  "! bytes byte 4 missing" },
	{ "Content-Range: bytes 1-3/5|",
	  "",
	  { "ell", "hello!" },
	  "! bytes byte 5 extra" },
	{ "Content-Range: bytes 1-1/5|",
	  "",
	  { "e", "hxllo" },
	  "! bytes byte 1 value" },
	{ "", "", { "ell", "xxxxx" }, "? validator" },
	{ "Content-Range: bits 1-3/5|", "", { "ell", "xxxxx" }, "? validator" },
	{ "Content-Range: by|", "", { "ell", "xxxxx" }, "? validator" },
	{ "Content-Range: bytes a-3/5|",
	  "",
	  { "ell", "xxxxx" },
	  "? validator" },
	{ "Content-Range: bytes :-3/5|",
	  "",
	  { "ell", "xxxxx" },
	  "? validator" },
	{ "Content-Range: bytes 1|", "", { "ell", "xxxxx" }, "? validator" },
	{ "Content-Range: bytes 1+3/5|",
	  "",
	  { "ell", "xxxxx" },
	  "? validator" },
	{ "Content-Range: bytes 1-3/*|",
	  "",
	  { "ell", "xxxxx" },
	  "? validator" },
	{ "Content-Range: bytes 1-3/5;|",
	  "",
	  { "ell", "xxxxx" },
	  "? validator" },
	{ "Content-Range: bytes 3-1/5|",
	  "",
	  { "ell", "xxxxx" },
	  "? validator" },
	{ "Content-Range: bytes 3-5/5|",
	  "",
	  { "ell", "xxxxx" },
	  "? validator" },
	{ "Content-Range: bytes 1-3/5|", "", { "el", "xxxxx" }, "? validator" },
	{ "Content-Range: bytes 1-3/5|Content-Encoding: up|",
	  "",
	  { "ell", "xxxxx" },
	  "? validator" },
	{ "Content-Range: bytes 1-3/5|",
	  "Content-Encoding: up|",
	  { "ell", "xxxxx" },
	  "? validator" },
	{ "Content-Range: bytes 1-3/5|Content-Range: bytes 0-2/5|",
	  "",
	  { "ell", "xxxxx" },
	  "? validator" },
	{ "Content-Range: bytes 1-0000000000000000003/5|",
	  "",
	  { "ell", "xxxxx" },
	  "? validator" }, /* 19 digits */
};

static void parts_of_what_is_not_known(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		struct case_answer a;
		struct rig r;

		begin(&r, "");
		judge(&r,
		      &(struct asked_of){
			      .asked = HAS(ASKED_RANGE),
			      .status = { "206", "200" },
			      .head = { ranges[i].head, ranges[i].other },
			      .body = { ranges[i].body[0],
					ranges[i].body[1] } },
		      &a);
		if (strcmp(case_told(&a), ranges[i].want) != 0)
			printf("# %s\n", case_told(&a));
		CHECK_ROW(strcmp(case_told(&a), ranges[i].want) == 0,
			  ranges[i].head);
		end(&r);
	}
}

/* Two statuses: which of them a condition explains. */
static const struct {
	const char *status[2];
	unsigned asked;
	const char *head[2];
	const char *want;
} statuses[] = {
	{ { "200", "412" },
	  HAS(ASKED_MATCH),
	  { "ETag: a|", "ETag: a|" },
	  "! headers status value" },
	{ { "200", "412" },
	  HAS(ASKED_MATCH),
	  { "ETag: a|", "ETag: b|" },
	  "? validator" },
	{ { "206", "412" },
	  HAS(ASKED_MATCH),
	  { "ETag: a|", "ETag: a|" },
	  "! headers status value" },
	{ { "206", "412" },
	  HAS(ASKED_MATCH),
	  { "ETag: a|", "" },
	  "? validator" },
	{ { "206", "412" },
	  HAS(ASKED_MATCH),
	  { "ETag: |", "ETag: |" },
	  "? validator" },
	{ { "200", "412" },
	  HAS(ASKED_MATCH),
	  { "ETag: ab|", "ETag: a|" },
	  "? validator" },
	{ { "200", "404" },
	  HAS(ASKED_MATCH),
	  { "ETag: a|", "ETag: b|" },
	  "! headers status value" },
	{ { "304", "404" },
	  HAS(ASKED_NONE_MATCH),
	  { "ETag: a|", "" },
	  "! headers status value" },
	{ { "200", "304" },
	  HAS(ASKED_NONE_MATCH),
	  { "ETag: a|", "ETag: a|" },
	  "! headers status value" },
	{ { "200", "304" },
	  HAS(ASKED_NONE_MATCH),
	  { "ETag: a|", "ETag: b|" },
	  "? validator" },
	/* by time, as nothing else was asked, or there is no tag */
	{ { "200", "304" },
	  HAS(ASKED_SINCE),
	  { "ETag: a|Last-Modified: x|", "ETag: b|Last-Modified: x|" },
	  "! headers status value" },
	{ { "200", "304" },
	  HAS(ASKED_NONE_MATCH),
	  { "Last-Modified: x|", "Last-Modified: x|" },
	  "! headers status value" },
	/* the newest object, by the validator that the SUT has */
	{ { "200", "304" },
	  HAS(ASKED_NONE_MATCH),
	  { "ETag: a|Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT|",
	    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT|" },
	  "= validator" },
	/* of a content that cannot be read nothing is known */
	{ { "200", "304" },
	  HAS(ASKED_NONE_MATCH),
	  { "Content-Encoding: bad|ETag: a|Last-Modified: Sun, 06 Nov "
	    "1994 08:49:37 GMT|",
	    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT|" },
	  "? validator" },
};

static void statuses_are_explained_or_not(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct case_answer a;
		struct rig r;

		begin(&r, "");
		judge(&r,
		      &(struct asked_of){ .asked = statuses[i].asked,
					  .status = { statuses[i].status[0],
						      statuses[i].status[1] },
					  .head = { statuses[i].head[0],
						    statuses[i].head[1] },
					  .body = { "hello", "" } },
		      &a);
		if (strcmp(case_told(&a), statuses[i].want) != 0)
			printf("# %zu: %s\n", i, case_told(&a));
		CHECK_ROW(strcmp(case_told(&a), statuses[i].want) == 0,
			  statuses[i].head[0]);
		end(&r);
	}
}

/* A status line of a framer's: three digits, or there is no status. */
static void a_head_without_a_status_has_none(void)
{
	static const char *const head[] = { "HTTP/1.1 2x0 OK\r\n\r\n",
					    "HTTP/1.1 2/0 OK\r\n\r\n",
					    "HTTP/1.1 20" };

	for (size_t i = 0; i < ARRAY_SIZE(head); i++) {
		struct case_view c = { .serial = 3, .object = 9 };
		struct case_answer a;
		struct rig r;

		begin(&r, "");
		for (unsigned side = 0; side < 2; side++) {
			case_part(&c, CASE_HEAD + side, head[i],
				  strlen(head[i]));
			case_part(&c, CASE_BODY + side, "x", 1);
		}
		CHECK(judge_case(r.j, &c, &a));
		CHECK(a.verdict == VERDICT_EQUIVALENT);
		/* Nothing is remembered of it. */
		CHECK(judge_versions(r.j)->seen == 0);
		end(&r);
	}
}

/* --- the judge --- */

static void a_judge_takes_what_it_says(void)
{
	size_t need = judge_size(&limits);
	struct rules *by = case_rules("");
	struct arena a = { .base = aligned_alloc(ARENA_ALIGN, need) };
	struct judge *j = NULL;

	for (size_t n = 0; n < need; n += 64) {
		a.size = n;
		a.used = 0;
		CHECK(judge_init(&j, &a, &limits, by, &key, &ops) == -ENOMEM);
		CHECK(j == NULL);
	}
	a.size = need;
	a.used = 0;
	CHECK(judge_init(&j, &a, &limits, by, &key, &ops) == 0 && j != NULL);
	free(a.base);
	free(by);
}

/* A secret is a tag where a difference is shown, once the judge knows what is one.
 */
static void secrets_are_not_shown(void)
{
	static const struct asked_of s = {
		.head = { "Authorization: Bearer abcdefgh12345678|",
			  "Authorization: Bearer zyxwvuts87654321|" },
		.body = { "", "" },
	};
	struct redact redact = { .key = { { 5, 6 } } };
	struct case_answer a;
	struct rig r;

	begin(&r, "");
	judge(&r, &s, &a);
	CHECK(memcmp(a.place.value[0], "Bearer abcdefgh", 15) == 0);
	judge_redact(r.j, &redact);
	judge(&r, &s, &a);
	CHECK(a.place.has[0] && a.place.has[1]);
	for (unsigned i = 0; i + 4 <= CASE_SHOWN; i++)
		CHECK(memcmp(a.place.value[0] + i, "abcd", 4) != 0);
	CHECK(memcmp(a.place.value[0], a.place.value[1], CASE_SHOWN) != 0);
	end(&r);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "all places are found", all_places_are_found },
		{ "long names are cut", long_names_are_cut },
		{ "values have classes", values_have_classes },
		{ "lines have shapes", lines_have_shapes },
		{ "a long value has the longest length",
		  a_long_value_has_the_longest_length },
		{ "contents are judged", contents_are_judged },
		{ "parts of what is not known", parts_of_what_is_not_known },
		{ "statuses are explained or not",
		  statuses_are_explained_or_not },
		{ "a head without a status has none",
		  a_head_without_a_status_has_none },
		{ "a judge takes what it says", a_judge_takes_what_it_says },
		{ "secrets are not shown", secrets_are_not_shown },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
