/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_rules.c - Unit test of rules/rules.h and mask.h
 *
 * Texts of rules, in blocks of their exact size, and what they say or what is
 * wrong with them.
 */
#include "rules/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "rules/when.h"

#define FIRST "understudy rules 1\n"

static struct rules *new_rules(void)
{
	struct arena a = { .size = rules_size() };
	struct rules *r = NULL;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	memset(a.base, 0x5a, a.size);
	CHECK(rules_init(&r, &a) == 0);
	return r;
}

static int read_text(struct rules *r, const char *text, struct rules_error *e)
{
	size_t n = strlen(text);
	char *p = malloc(n > 0 ? n : 1);
	int rc;

	memcpy(p, text, n);
	rc = rules_read(r, p, n, e);
	free(p);
	return rc;
}

static const struct rules_view *view_of(struct rules *r, const char *method,
					const char *target)
{
	CHECK(rules_end(r, 0) == 0);
	return rules_view(
		r, rules_endpoint(r, (const uint8_t *)method, strlen(method),
				  (const uint8_t *)target, strlen(target)));
}

static void lines_become_rules(void)
{
	static const char text[] =
		"# of a shop\r\n" FIRST "\r\n"
		"host alias Shop.example = shop-next.example\n"
		"endpoint GET /user/{n}/orders as orders\n"
		"header ignore X-Request-Id Traceparent # ours\n"
		"header date Date within 5s\n"
		"header class ETag etag until 2027-01-31 \"ticket 4711\"\n"
		"cookie session sid\n"
		"on orders\n"
		"  json ignore $.generated_at\n"
		"  json key $.items by $.sku\n"
		"  json number $.total within 0.005\n"
		"  json time $['up dated'] within 2m\n"
		"\tjson class $..id uuid \"made anew\"\n"
		"  text mask /build [0-9a-f]{7,40}\\/x/\n"
		"  known k-9f3a2c until 2027-01-31 \"two decimals\"\n"
		"on POST /login\n"
		"  compare status";
	struct rules *r = new_rules();
	const struct rules_view *v;
	const struct rule *line;
	struct rules_error e;

	CHECK(read_text(r, text, &e) == 0);
	CHECK(rules_count(r) == 12);
	v = view_of(r, "GET", "/user/17/orders?x=1");
	CHECK(v->headers == 4 && v->cookies == 1 && v->masks == 1);
	CHECK(v->jsons == 5 && v->level == LEVEL_WHOLE);
	CHECK(v->header[0]->verb == HEADER_IGNORE && v->header[0]->len == 12 &&
	      memcmp(v->header[0]->name, "x-request-id", 12) == 0);
	CHECK(v->header[2]->verb == HEADER_DATE &&
	      v->header[2]->within_ns == INT64_C(5000000000));
	CHECK(v->header[3]->class == CLASS_ETAG);
	line = rules_line(r, v->header_rule[3]);
	CHECK(line->line == 8 && line->reason_len == 11);
	CHECK(memcmp(line->reason, "ticket 4711", 11) == 0);
	CHECK(line->until_ns == INT64_C(1801353600000000000));
	CHECK(v->json[1]->verb == JSON_KEY && v->json[1]->by.steps == 1);
	CHECK(v->json[2]->within_m == 5 && v->json[2]->within_e == -3);
	CHECK(v->json[3]->within_ns == INT64_C(120000000000));
	CHECK(v->json[4]->class == CLASS_UUID);
	CHECK(rules_line(r, v->json_rule[4])->line == 15);
	v = view_of(r, "POST", "/login");
	CHECK(v->level == LEVEL_STATUS && v->headers == 4 && v->jsons == 0);
	v = view_of(r, "GET", "/login");
	CHECK(v->level == LEVEL_WHOLE && v->headers == 4);
	CHECK(rules_aliases(r) == 1 && rules_alias(r, 0)->len[0] == 12);
	CHECK(memcmp(rules_alias(r, 0)->host[0], "shop.example", 12) == 0);
	free(r);
}

static void endpoints_are_found(void)
{
	static const char text[] = FIRST "endpoint * /a/* as rest\n"
					 "endpoint * /a/{n} as number\n"
					 "endpoint GET /a/{uuid}/{} as id\n"
					 "endpoint GET / as root\n"
					 "endpoint DELETE * as delete\n";
	static const struct {
		const char *method, *target, *want;
	} rows[] = {
		{ "GET", "/a/17", "number" },
		{ "PUT", "/a/17?q=/x", "number" },
		{ "GET", "http://h:80/a/17#f", "number" },
		{ "GET", "/a/17x", "rest" },
		{ "GET", "/a/", "rest" },
		{ "GET", "/a/b/c/d", "rest" },
		{ "GET", "/a", "*" },
		{ "GET", "/b", "*" },
		{ "GET", "/", "root" },
		{ "GET", "http://h", "root" },
		{ "GET", "http://h?x", "root" },
		{ "get", "/", "*" },
		{ "GET", "", "*" },
		{ "GET", "*", "*" },
		{ "DELETE", "/a/17", "delete" },
		{ "GET", "/a/550e8400-e29b-41d4-a716-446655440000/x", "id" },
		{ "GET", "/a/550e8400-e29b-41d4-a716-446655440000/", "rest" },
	};
	struct rules *r = new_rules();
	struct rules_error e;

	CHECK(read_text(r, text, &e) == 0 && rules_end(r, 0) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t at = rules_endpoint(r, (const uint8_t *)rows[i].method,
					     strlen(rows[i].method),
					     (const uint8_t *)rows[i].target,
					     strlen(rows[i].target));

		CHECK_ROW(strcmp(rules_name(r, at), rows[i].want) == 0,
			  rows[i].target);
	}
	free(r);
}

/* Of an endpoint, and of all where the endpoint says nothing. */
static void versions_are_read(void)
{
	static const char text[] =
		FIRST "version older within 60s\n"
		      "on GET /a\n"
		      "version newer \"deployed in turns\"\n"
		      "version older within 5s until 2027-01-31\n";
	struct rules *r = new_rules();
	const struct rules_view *v;
	struct rules_error e;

	CHECK(read_text(r, text, &e) == 0 && rules_end(r, 0) == 0);
	v = rules_view(r, RULES_ALL);
	CHECK(v->versions == 1u << VERSION_OLDER &&
	      v->older_ns == INT64_C(60000000000));
	v = rules_view(r, 1);
	CHECK(v->versions == (1u << VERSION_OLDER | 1u << VERSION_NEWER));
	CHECK(v->older_ns == INT64_C(5000000000));
	CHECK(v->version_rule[VERSION_OLDER] == 2 &&
	      v->version_rule[VERSION_NEWER] == 1);
	CHECK(rules_end(r, INT64_MAX - 1) == 0); /* its time is over */
	v = rules_view(r, 1);
	CHECK(v->older_ns == INT64_C(60000000000) &&
	      v->version_rule[VERSION_OLDER] == 0);
	/* a text that is wrong further on takes nothing along */
	CHECK(read_text(r, FIRST "on *\nversion newer\nx", &e) == -EINVAL);
	CHECK(rules_end(r, 0) == 0);
	CHECK(rules_view(r, RULES_ALL)->versions == 1u << VERSION_OLDER);
	free(r);
}

static const struct {
	const char *text;
	uint32_t line, column, other;
	const char *word;
} bad_texts[] = {
	{ "", 1, 1, 0, "" },
	{ "# nothing\n\n", 2, 1, 0, "" },
	{ "header ignore X", 1, 1, 0, "header" },
	{ "understudy rules 2", 1, 18, 0, "2" },
	{ "understudy rules", 1, 17, 0, "" },
	{ "understudy rules 1 2", 1, 20, 0, "2" },
	{ FIRST "heder ignore X", 2, 1, 0, "heder" },
	{ FIRST "\n  header ignor X", 3, 10, 0, "ignor" },
	{ FIRST "header ignore", 2, 14, 0, "" },
	{ FIRST "header ignore \"why\"", 2, 15, 0, "\"why\"" },
	{ FIRST "header ignore X:", 2, 16, 0, ":" },
	{ FIRST "header date Date", 2, 17, 0, "" },
	{ FIRST "header date Date within 5", 2, 25, 0, "5" },
	{ FIRST "header date Date within 5w", 2, 25, 0, "5w" },
	{ FIRST "header date Date about 5s", 2, 18, 0, "about" },
	{ FIRST "header class ETag tag", 2, 19, 0, "tag" },
	{ FIRST "header ignore A\nheader set B a", 3, 14, 2, "a" },
	{ FIRST "json ignore items", 2, 13, 0, "items" },
	{ FIRST "json ignore $.a[x]", 2, 17, 0, "x]" },
	{ FIRST "json key $.a $.b", 2, 14, 0, "$.b" },
	{ FIRST "json key $.a by $.b[*]", 2, 16, 0, " $.b[*]" },
	{ FIRST "json number $.a within 1.", 2, 24, 0, "1." },
	{ FIRST "json number $.a within -1", 2, 24, 0, "-1" },
	{ FIRST "json number $.a within 1234567890.123456", 2, 24, 0,
	  "1234567890.123456" },
	{ FIRST "json ignore $.a\njson set $.a", 3, 6, 2, "set" },
	{ FIRST "text mask build", 2, 11, 0, "build" },
	{ FIRST "text mask /build", 2, 11, 0, "/build" },
	{ FIRST "text mask /a(b/", 2, 15, 0, "" },
	{ FIRST "text mask /a*/", 2, 14, 0, "" },
	{ FIRST "text mask /a{99}/", 2, 13, 0, "{99}" },
	{ FIRST "compare some", 2, 9, 0, "some" },
	{ FIRST "compare status\ncompare whole", 3, 9, 2, "whole" },
	{ FIRST "version", 2, 8, 0, "" },
	{ FIRST "version other", 2, 9, 0, "other" },
	{ FIRST "version older", 2, 14, 0, "" },
	{ FIRST "version newer within 5s", 2, 15, 0, "within" },
	{ FIRST "version older within 5s\nversion older within 6s", 3, 9, 2,
	  "older" },
	{ FIRST "known k", 2, 8, 0, "" },
	{ FIRST "known k until 2027-02-29", 2, 15, 0, "2027-02-29" },
	{ FIRST "known k until 2027-01-31 \"x", 2, 26, 0, "\"x" },
	{ FIRST "known k until 2027-01-31 \"x\" y", 2, 30, 0, "y" },
	{ FIRST "redact", 2, 7, 0, "" },
	{ FIRST "redact password", 2, 8, 0, "password" },
	{ FIRST "redact header", 2, 14, 0, "" },
	{ FIRST "redact query a b=", 2, 17, 0, "=" },
	{ FIRST "redact json $[3]", 2, 13, 0, "$[3]" },
	{ FIRST "on GET /a\nredact query a", 3, 8, 0, "query" },
	{ FIRST "host alias a b", 2, 15, 0, "" },
	{ FIRST "on shop", 2, 4, 0, "shop" },
	{ FIRST "endpoint GET user as x", 2, 14, 0, "user" },
	{ FIRST "endpoint GET /a{n} as x", 2, 15, 0, "a{n}" },
	{ FIRST "endpoint GET /{m} as x", 2, 15, 0, "{m}" },
	{ FIRST "endpoint GET /*/a as x", 2, 15, 0, "*" },
	{ FIRST "endpoint GET / as *", 2, 19, 0, "*" },
	{ FIRST "endpoint GET / as x\nendpoint PUT / as x", 3, 19, 0, "x" },
	{ FIRST "include nginx", 2, 9, 0, "nginx" },
	{ FIRST "include @iis", 2, 9, 0, "@iis" },
	{ FIRST "include @http until 2027-01-01", 2, 15, 0, "until" },
};

static void what_is_wrong_is_told(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_texts); i++) {
		struct rules *r = new_rules();
		struct rules_error e;
		int rc = read_text(r, bad_texts[i].text, &e);

		CHECK_ROW(rc == -EINVAL || rc == -E2BIG, bad_texts[i].text);
		if (e.line != bad_texts[i].line ||
		    e.column != bad_texts[i].column ||
		    e.other != bad_texts[i].other ||
		    strcmp(e.word, bad_texts[i].word) != 0) {
			CHECK_ROW(false, bad_texts[i].text);
			printf("# %u:%u (%u) \"%s\": %s: %s\n", e.line,
			       e.column, e.other, e.word, e.what, e.remedy);
		}
		CHECK_ROW(e.what != NULL && e.remedy != NULL,
			  bad_texts[i].text);
		CHECK_ROW(rules_count(r) == 0, bad_texts[i].text);
		free(r);
	}
}

static void a_wrong_text_changes_nothing(void)
{
	struct rules *r = new_rules();
	struct rules_error e;
	const struct rules_view *v;

	CHECK(read_text(r, FIRST "header ignore A\ncompare status", &e) == 0);
	CHECK(read_text(r,
			FIRST "compare whole\nheader ignore B\n"
			      "endpoint GET /x as x\non x\njson set $\n"
			      "text mask /a/\ncookie ignore c\n"
			      "host alias a = b\n"
			      "known k until 2099-01-01\n"
			      "include @nginx\nnonsense",
			&e) == -EINVAL);
	CHECK(e.line == 12 && rules_count(r) == 2);
	v = view_of(r, "GET", "/x");
	CHECK(v->headers == 1 && v->jsons == 0 && v->masks == 0);
	CHECK(v->cookies == 0 && v->level == LEVEL_STATUS);
	CHECK(rules_aliases(r) == 0);
	CHECK(rules_known(r, RULES_ALL, "k", 1) == -ENOENT);
	free(r);
}

static void later_texts_and_presets_add(void)
{
	struct rules *r = new_rules();
	const struct rules_view *v;
	struct rules_error e;
	uint32_t before;

	CHECK(rules_preset(r, "@nginx", 6, &e) == 0);
	before = rules_count(r);
	CHECK(before > 10);
	CHECK(rules_preset(r, "@iis", 4, &e) == -EINVAL);
	CHECK(e.line == 1 && e.column == 1 && strcmp(e.word, "@iis") == 0);
	/* what a preset says may be said otherwise */
	CHECK(read_text(r, FIRST "include @http\nheader date Age within 1s",
			&e) == 0);
	v = view_of(r, "GET", "/");
	CHECK(v->header[v->headers - 1]->verb == HEADER_DATE);
	CHECK(rules_line(r, v->header_rule[v->headers - 1])->line == 3);
	free(r);
}

static void rules_have_an_end(void)
{
	static const char text[] = FIRST "json ignore $.a until 2027-01-31\n"
					 "known k until 2027-01-31 \"why\"\n"
					 "compare status until 2027-01-31\n";
	struct rules *r = new_rules();
	struct rules_error e;
	int64_t day = 0;

	CHECK(when_day((const uint8_t *)"2027-01-31", 10, &day) == 0);
	CHECK(read_text(r, text, &e) == 0);
	CHECK(rules_end(r, day - 1) == 0);
	CHECK(rules_view(r, RULES_ALL)->jsons == 1);
	CHECK(rules_view(r, RULES_ALL)->level == LEVEL_STATUS);
	CHECK(rules_known(r, RULES_ALL, "k", 1) == 1);
	CHECK(rules_end(r, day) == 0);
	CHECK(rules_view(r, RULES_ALL)->jsons == 0);
	CHECK(rules_view(r, RULES_ALL)->level == LEVEL_WHOLE);
	CHECK(rules_known(r, RULES_ALL, "k", 1) == -ENOENT);
	rules_hit(r, 0, false);
	rules_hit(r, 0, true);
	CHECK(rules_line(r, 0)->hits == 2 && rules_line(r, 0)->alone == 1);
	free(r);
}

static void too_many_are_refused(void)
{
	char *text = malloc(65536);
	struct rules *r = new_rules();
	struct rules_error e;
	size_t n = (size_t)sprintf(text, FIRST);

	for (unsigned i = 0; i <= RULES_JSON; i++)
		n += (size_t)sprintf(text + n, "json ignore $.m%u\n", i);
	CHECK(read_text(r, text, &e) == -E2BIG && e.line == RULES_JSON + 2);
	n = (size_t)sprintf(text, FIRST);
	for (unsigned i = 0; i <= RULES_VIEW; i++)
		n += (size_t)sprintf(text + n, "json ignore $.m%u\n", i);
	CHECK(read_text(r, text, &e) == 0);
	CHECK(rules_end(r, 0) == -E2BIG);
	free(r);
	free(text);
}

static void masks_find_the_longest_match(void)
{
	static const struct {
		const char *pattern, *text;
		int at; /* -1: none */
		size_t len;
	} rows[] = {
		{ "abc", "xxabcx", 2, 3 },
		{ "abc", "xxab", -1, 0 },
		{ "a|ab|abc", "zabcd", 1, 3 },
		{ "build [0-9a-f]{7,40}", "x build deadbee!", 2, 13 },
		{ "build [0-9a-f]{7,40}", "x build deadbe!", -1, 0 },
		{ "[^\"]+", "\"abc\"", 1, 3 },
		{ "\\d+\\.\\d+", "v1.25.", 1, 4 },
		{ "(ab)*c", "xababc", 1, 5 },
		{ "(ab){2}", "abxababab", 3, 4 },
		{ "a{2,}", "abaaaa", 2, 4 },
		{ "a{1,2}", "aaa", 0, 2 },
		{ "(a?b){2,}", "abb", 0, 3 },
		{ "x?y", "axy", 1, 2 },
		{ "^a", "ba", -1, 0 },
		{ "^a", "ab", 0, 1 },
		{ "a$", "aba", 2, 1 },
		{ "a+$", "aab", -1, 0 },
		{ "[]a]+", "x]a", 1, 2 },
		{ "[a-]+", "b-a", 1, 2 },
		{ ".", "\xff", 0, 1 },
		{ "\\w\\s\\w", "ab c", 1, 3 },
		{ "\\/\\*", "a/*", 1, 2 },
		{ "[\\d.]+", "v1.2", 1, 3 },
		{ "((a|b)(c|d))+", "xacbdx", 1, 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = strlen(rows[i].text), at = 77, len = 77;
		uint8_t *text = malloc(n);
		uint64_t work = 1000;
		struct mask m;
		int rc;

		memcpy(text, rows[i].text, n);
		CHECK_ROW(mask_read(&m, rows[i].pattern,
				    strlen(rows[i].pattern), &at) == 0,
			  rows[i].pattern);
		rc = mask_find(&m, text, n, 0, &at, &len, &work);
		CHECK_ROW(rc == (rows[i].at >= 0), rows[i].pattern);
		if (rc == 1)
			CHECK_ROW(at == (size_t)rows[i].at &&
					  len == rows[i].len,
				  rows[i].pattern);
		free(text);
	}
}

static void bad_patterns_are_refused(void)
{
	static const struct {
		const char *pattern;
		int rc;
	} rows[] = {
		{ "", -EINVAL },
		{ "*", -EINVAL },
		{ "a**", -EINVAL },
		{ "(", -EINVAL },
		{ "(a", -EINVAL },
		{ "a)", -EINVAL },
		{ "()", -EINVAL },
		{ "a|", -EINVAL },
		{ "a*", -EINVAL },
		{ "a?b*", -EINVAL },
		{ "[a", -EINVAL },
		{ "[z-a]", -EINVAL },
		{ "a{", -EINVAL },
		{ "a{2", -EINVAL },
		{ "a{3,2}", -EINVAL },
		{ "a{0}", -EINVAL },
		{ "a{}", -EINVAL },
		{ "a{,2}", -EINVAL },
		{ "\\b", -EINVAL },
		{ "a\\", -EINVAL },
		{ "a^", -EINVAL },
		{ "a{65}", -E2BIG },
		{ "(a{9}){9}", -E2BIG },
		{ "((((((((((((((((((a))))))))))))))))))", -E2BIG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mask m = { .first = 4711 };
		size_t at;

		CHECK_ROW(mask_read(&m, rows[i].pattern,
				    strlen(rows[i].pattern), &at) == rows[i].rc,
			  rows[i].pattern);
		CHECK_ROW(m.first == 4711, rows[i].pattern);
	}
}

/* What backtracks elsewhere has a budget here. */
static void work_is_bounded(void)
{
	static uint8_t text[100000];
	uint64_t work = 64 * sizeof(text);
	size_t at, len;
	struct mask m;

	memset(text, 'a', sizeof(text));
	CHECK(mask_read(&m, "(a|a)+b", 7, &at) == 0);
	CHECK(mask_find(&m, text, sizeof(text), 0, &at, &len, &work) == -E2BIG);
	CHECK(work == 0);
	work = 64 * sizeof(text);
	CHECK(mask_read(&m, "(a*)*c|b", 8, &at) == 0);
	memset(text, 'x', sizeof(text));
	CHECK(mask_find(&m, text, sizeof(text), 0, &at, &len, &work) == 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "versions are read", versions_are_read },
		{ "lines become rules", lines_become_rules },
		{ "endpoints are found", endpoints_are_found },
		{ "what is wrong is told", what_is_wrong_is_told },
		{ "a wrong text changes nothing",
		  a_wrong_text_changes_nothing },
		{ "later texts and presets add", later_texts_and_presets_add },
		{ "rules have an end", rules_have_an_end },
		{ "too many are refused", too_many_are_refused },
		{ "masks find the longest match",
		  masks_find_the_longest_match },
		{ "bad patterns are refused", bad_patterns_are_refused },
		{ "work is bounded", work_is_bounded },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
