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
#define ON_A  "endpoint * /a as a\non a\n"

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
	{ FIRST "dns", 2, 4, 0, "" },
	{ FIRST "dns tll within 5", 2, 5, 0, "tll" },
	{ FIRST "dns ttl within 0.5", 2, 5, 0, "ttl" },
	{ FIRST "dns ttl within 4294967296", 2, 5, 0, "ttl" },
	{ FIRST "dns ttl within 5\ndns ttl within 6", 3, 5, 2, "ttl" },
	{ FIRST "endpoint * /a as a\non a\ndns ttl within 6", 4, 5, 0, "ttl" },
	{ FIRST "dns subset within", 2, 18, 0, "" },
	{ FIRST "dns subset within 0.5", 2, 5, 0, "subset" },
	{ FIRST "dns subset\ndns subset within 6", 3, 5, 2, "subset" },
	{ FIRST "dns subset of", 2, 12, 0, "of" },
	{ FIRST "version older within 5s\nversion older within 6s", 3, 9, 2,
	  "older" },
	{ FIRST "gate max-different 1%", 2, 6, 0, "max-different" },
	{ FIRST ON_A "gate", 4, 5, 0, "" },
	{ FIRST ON_A "gate max-leak 1", 4, 6, 0, "max-leak" },
	{ FIRST ON_A "gate max-different", 4, 19, 0, "" },
	{ FIRST ON_A "gate max-different some", 4, 20, 0, "some" },
	{ FIRST ON_A "gate max-different 1.5", 4, 20, 0, "1.5" },
	{ FIRST ON_A "gate max-different .5%", 4, 20, 0, ".5%" },
	{ FIRST ON_A "gate max-different 1.%", 4, 20, 0, "1.%" },
	{ FIRST ON_A "gate max-different 0.12345%", 4, 20, 0, "0.12345%" },
	{ FIRST ON_A "gate max-different 100.1%", 4, 20, 0, "100.1%" },
	{ FIRST ON_A "gate max-different %", 4, 20, 0, "%" },
	{ FIRST ON_A "gate min-compared 1234567890123456", 4, 19, 0,
	  "1234567890123456" },
	{ FIRST ON_A "gate max-slower p98:1%", 4, 17, 0, "p98:1%" },
	{ FIRST ON_A "gate max-slower p99:1", 4, 17, 0, "p99:1" },
	{ FIRST ON_A "gate max-slower p99", 4, 17, 0, "p99" },
	{ FIRST ON_A "gate max-slower p99:1% until 2027-01-31", 4, 24, 0,
	  "until" },
	{ FIRST ON_A "gate max-different 1\ngate max-different 1%", 5, 6, 4,
	  "max-different" },
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
	{ FIRST "endpoint", 2, 9, 0, "" },
	{ FIRST "endpoint GET /", 2, 15, 0, "" },
	{ FIRST "endpoint GET / is x", 2, 16, 0, "is" },
	{ FIRST "endpoint LONGERTHANSIXTEEN / as x", 2, 10, 0,
	  "LONGERTHANSIXTEEN" },
	{ FIRST "endpoint GET /{} as x\nendpoint GET /{nn} as y", 3, 15, 0,
	  "{nn}" },
	{ FIRST "endpoint GET /a} as x", 2, 15, 0, "a}" },
	{ FIRST "on", 2, 3, 0, "" },
	{ FIRST "on GET", 2, 4, 0, "GET" },
	{ FIRST "on LONGERTHANSIXTEEN /", 2, 4, 0, "LONGERTHANSIXTEEN" },
	{ FIRST "on GET /{m}", 2, 9, 0, "{m}" },
	{ FIRST "header", 2, 7, 0, "" },
	{ FIRST "header ignore A until", 2, 22, 0, "" },
	{ FIRST "header ignore A until x", 2, 23, 0, "x" },
	{ FIRST "header date", 2, 12, 0, "" },
	{ FIRST "header class A", 2, 15, 0, "" },
	{ FIRST "header date Date within s", 2, 25, 0, "s" },
	{ FIRST "header date Date within 9999999s", 2, 25, 0, "9999999s" },
	{ FIRST "header date Date within 999999d", 2, 25, 0, "999999d" },
	{ FIRST "header date Date within :s", 2, 25, 0, ":s" },
	{ FIRST "cookie", 2, 7, 0, "" },
	{ FIRST "cookie eat sid", 2, 8, 0, "eat" },
	{ FIRST "cookie ignore", 2, 14, 0, "" },
	{ FIRST "cookie ignore a;", 2, 16, 0, ";" },
	{ FIRST "cookie class", 2, 13, 0, "" },
	{ FIRST "cookie class sid", 2, 17, 0, "" },
	{ FIRST "cookie class sid tag", 2, 18, 0, "tag" },
	{ FIRST "cookie ignore a\ncookie session b a", 3, 18, 2, "a" },
	{ FIRST "json", 2, 5, 0, "" },
	{ FIRST "json eat $.a", 2, 6, 0, "eat" },
	{ FIRST "json ignore", 2, 12, 0, "" },
	{ FIRST "json key $.a of $.b", 2, 14, 0, "of" },
	{ FIRST "json key $.a by $..b", 2, 16, 0, " $..b" },
	{ FIRST "json class $.a", 2, 15, 0, "" },
	{ FIRST "json number $.a", 2, 16, 0, "" },
	{ FIRST "json number $.a within", 2, 23, 0, "" },
	{ FIRST "json number $.a within .5", 2, 24, 0, ".5" },
	{ FIRST "json number $.a within 1.2.3", 2, 24, 0, "1.2.3" },
	{ FIRST "json number $.a within 1:2", 2, 24, 0, "1:2" },
	{ FIRST "text", 2, 5, 0, "" },
	{ FIRST "text hide /a/", 2, 6, 0, "hide" },
	{ FIRST "text mask", 2, 10, 0, "" },
	{ FIRST "text mask /a\\", 2, 11, 0, "/a\\" },
	{ FIRST "compare", 2, 8, 0, "" },
	{ FIRST "known", 2, 6, 0, "" },
	{ FIRST "known k by 2027-02-28", 2, 9, 0, "by" },
	{ FIRST "host", 2, 5, 0, "" },
	{ FIRST "host name a = b", 2, 6, 0, "name" },
	{ FIRST "host alias a is b", 2, 14, 0, "is" },
	{ FIRST
	  "redact header "
	  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"
	  "x",
	  2, 15, 0, "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeee" },
	{ FIRST
	  "header ignore "
	  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"
	  "x",
	  2, 15, 0, "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeee" },
	{ FIRST "header ignore a@b", 2, 16, 0, "@" },
	{ FIRST "header ignore a[b", 2, 16, 0, "[" },
	{ FIRST "header ignore a{b", 2, 16, 0, "{" },
	{ FIRST "json ignore "
		"$.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a x",
	  2, 46, 0, ".a" },
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

static void gates_are_an_endpoint_s(void)
{
	static const char text[] =
		FIRST "endpoint GET /a as a\nendpoint GET /b as b\n"
		      "on a\n  gate max-different 0.25% # so far\n"
		      "  gate max-different 0.25%\n"
		      "  gate max-slower p99:10%\n  gate max-slower p99.9:1%\n"
		      "on b\n  gate min-compared 100\n  gate max-different 7";
	struct rules *r = new_rules();
	const struct rules_gate *g[RULES_GATES];
	struct rules_error e;

	CHECK(read_text(r, text, &e) == 0);
	CHECK(rules_count(r) == 0);
	CHECK(rules_gates(r, g) == 5);
	CHECK(g[0]->endpoint == 1 && g[0]->verb == GATE_MAX_DIFFERENT &&
	      g[0]->share && g[0]->n == 2500 && g[0]->line == 6);
	CHECK(g[1]->verb == GATE_MAX_SLOWER && g[1]->permille == 990 &&
	      g[1]->n == 100000);
	CHECK(g[2]->permille == 999 && g[2]->n == 10000);
	CHECK(g[3]->endpoint == 2 && g[3]->verb == GATE_MIN_COMPARED &&
	      !g[3]->share && g[3]->n == 100);
	CHECK(g[4]->n == 7 && g[4]->line == 11);
	/* A later text may demand otherwise. */
	CHECK(read_text(r, FIRST "on b\ngate max-different 9", &e) == 0);
	CHECK(rules_gates(r, g) == 5 && g[4]->n == 9 && g[4]->source == 1);
	free(r);
}

static void gates_have_their_most(void)
{
	char text[64 * 64];
	struct rules *r = new_rules();
	const struct rules_gate *g[RULES_GATES];
	struct rules_error e;
	size_t n = (size_t)snprintf(text, sizeof(text), FIRST);

	for (unsigned i = 0; i < 16; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "on GET /a%u\ngate max-slower p50:1%%\n"
				      "gate max-slower p90:1%%\n"
				      "gate max-different 1\n"
				      "gate min-compared 1\n",
				      i);
	CHECK(read_text(r, text, &e) == 0 && rules_gates(r, g) == RULES_GATES);
	CHECK(read_text(r, FIRST "on GET /b\ngate min-compared 1", &e) ==
	      -E2BIG);
	CHECK(rules_gates(r, g) == RULES_GATES);
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

/* Each sort has a number of its own; the one too many is told. */
static void each_sort_has_its_most(void)
{
	static const struct {
		const char *line; /* its number is put in twice */
		unsigned most;
	} row[] = {
		{ "header ignore H%u\n", RULES_LINES },
		{ "cookie ignore c%u\n", RULES_COOKIES },
		{ "json ignore $.m%u\n", RULES_JSON },
		{ "text mask /m%u/\n", RULES_MASKS },
		{ "host alias a%u = b%u\n", RULES_ALIASES },
		{ "known k%u until 2099-01-01\n", RULES_KNOWN },
		{ "redact header h%u\n", RULES_SECRETS },
		{ "endpoint GET /%u as e%u\n", RULES_ENDPOINTS - 1 },
		{ "on GET /%u\n", RULES_ENDPOINTS - 1 },
	};
	char *text = malloc(1 << 17);

	for (size_t k = 0; k < ARRAY_SIZE(row); k++) {
		struct rules *r = new_rules();
		struct rules_error e = { .line = 0 };
		size_t n = (size_t)sprintf(text, FIRST);

		for (unsigned i = 0; i < row[k].most; i++)
			n += (size_t)sprintf(text + n, row[k].line, i, i);
		CHECK_ROW(read_text(r, text, &e) == 0, row[k].line);
		free(r);
		r = new_rules();
		sprintf(text + n, row[k].line, row[k].most, row[k].most);
		CHECK_ROW(read_text(r, text, &e) == -E2BIG, row[k].line);
		CHECK_ROW(e.line == row[k].most + 2, row[k].line);
		CHECK_ROW(rules_count(r) == 0, row[k].line);
		free(r);
	}
	free(text);
}

/* Of an endpoint's view, too. */
static void a_view_has_its_most(void)
{
	static const struct {
		const char *line;
		unsigned most;
	} row[] = {
		{ "header ignore H%u\n", RULES_VIEW_HEADERS },
		{ "json ignore $.m%u\n", RULES_VIEW },
		{ "json ignore $.a.b.c.d.e.f.g.m%u\n", RULES_STEPS / 8 },
	};
	char *text = malloc(1 << 16);

	for (size_t k = 0; k < ARRAY_SIZE(row); k++)
		for (unsigned over = 0; over < 2; over++) {
			struct rules *r = new_rules();
			struct rules_error e;
			size_t n = (size_t)sprintf(text, FIRST);

			for (unsigned i = 0; i < row[k].most + over; i++)
				n += (size_t)sprintf(text + n, row[k].line, i);
			CHECK_ROW(read_text(r, text, &e) == 0, row[k].line);
			CHECK_ROW(rules_end(r, 0) == (over ? -E2BIG : 0),
				  row[k].line);
			free(r);
		}
	free(text);
}

static void header_rules_say_what_is_alike(void)
{
#define D1 "Sun, 06 Nov 1994 08:49:37 GMT"
#define D2 "Sun, 06 Nov 1994 08:49:42 GMT"
	static const struct {
		struct header_rule r;
		const char *a, *b;
		bool alike;
	} row[] = {
		{ { .verb = HEADER_IGNORE }, "a", "b", true },
		{ { .verb = HEADER_SET }, "a", "a", true },
		{ { .verb = HEADER_SET }, "a", "b", false },
		{ { .verb = HEADER_SET }, "a", "ab", false },
		{ { .verb = HEADER_CASE }, "aBc", "AbC", true },
		{ { .verb = HEADER_CASE }, "ab", "abc", false },
		{ { .verb = HEADER_CASE }, "abc", "ab", false },
		{ { .verb = HEADER_CASE }, "ab", "ac", false },
		{ { .verb = HEADER_DATE, .within_ns = INT64_C(5000000000) },
		  D1,
		  D2,
		  true },
		{ { .verb = HEADER_DATE, .within_ns = INT64_C(5000000000) },
		  D2,
		  D1,
		  true },
		{ { .verb = HEADER_DATE, .within_ns = INT64_C(4999999999) },
		  D1,
		  D2,
		  false },
		{ { .verb = HEADER_DATE, .within_ns = INT64_C(5000000000) },
		  "",
		  D2,
		  false },
		{ { .verb = HEADER_DATE, .within_ns = INT64_C(5000000000) },
		  D1,
		  "x",
		  false },
		{ { .verb = HEADER_CLASS, .class = CLASS_HEX },
		  "deadbeef",
		  "01234567",
		  true },
		{ { .verb = HEADER_CLASS, .class = CLASS_HEX },
		  "deadbeef",
		  "0123456789",
		  false },
		{ { .verb = HEADER_CLASS, .class = CLASS_HEX },
		  "deadbeef",
		  "error",
		  false },
		{ { .verb = HEADER_CLASS, .class = CLASS_HEX },
		  "error",
		  "deadbeef",
		  false },
		{ { .verb = HEADER_CLASS, .class = CLASS_INTEGER },
		  "7",
		  "4711",
		  true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		CHECK_ROW(rules_header_alike(
				  &row[i].r, (const uint8_t *)row[i].a,
				  strlen(row[i].a), (const uint8_t *)row[i].b,
				  strlen(row[i].b), 0) == row[i].alike,
			  row[i].b);
}

/* A SUT that is played to late has a later clock; a cache's Date has not. */
static void a_date_is_as_late_as_its_answer(void)
{
	static const char prod[] = "Tue, 01 Dec 2026 12:00:00 GMT";
	static const struct {
		const char *sut;
		int64_t late; /* ms */
		bool alike;
	} row[] = {
		{ "Tue, 01 Dec 2026 12:00:05 GMT", 0, true },
		{ "Tue, 01 Dec 2026 12:00:06 GMT", 0, false },
		{ "Tue, 01 Dec 2026 12:00:06 GMT", 1000, true },
		{ "Tue, 01 Dec 2026 12:00:30 GMT", 25900, true },
		{ "Tue, 01 Dec 2026 12:00:31 GMT", 25900, false },
		{ "Tue, 01 Dec 2026 12:00:00 GMT", 25900, true },
		{ "Tue, 01 Dec 2026 12:01:01 GMT", 25900, false },
		{ "Tue, 01 Dec 2026 11:59:20 GMT", -40000, true },
		{ "Wed, 01 Dec 2027 12:00:00 GMT", INT64_C(31536000000), true },
		{ "never", 1000, false },
	};
	static const struct header_rule by = { .verb = HEADER_DATE,
					       .len = 4,
					       .name = "date",
					       .within_ns = RULES_CLOCK };
	static const struct header_rule made = { .verb = HEADER_DATE,
						 .len = 13,
						 .name = "last-modified",
						 .within_ns = RULES_CLOCK };

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		const uint8_t *a = (const uint8_t *)prod;
		const uint8_t *b = (const uint8_t *)row[i].sut;
		size_t n = strlen(row[i].sut);
		int64_t late = row[i].late * 1000000;

		CHECK_ROW(rules_header_alike(&by, a, strlen(prod), b, n,
					     late) == row[i].alike,
			  row[i].sut);
		CHECK_ROW(!rules_header_alike(&made, a, strlen(prod), b, n,
					      late) ||
				  rules_header_alike(&by, a, strlen(prod), b, n,
						     0),
			  row[i].sut);
	}
	CHECK(rules_header_alike(&by, (const uint8_t *)prod, strlen(prod),
				 (const uint8_t *)prod, strlen(prod),
				 INT64_MIN));
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
		{ "gates are an endpoint's", gates_are_an_endpoint_s },
		{ "gates have their most", gates_have_their_most },
		{ "rules have an end", rules_have_an_end },
		{ "too many are refused", too_many_are_refused },
		{ "each sort has its most", each_sort_has_its_most },
		{ "a view has its most", a_view_has_its_most },
		{ "header rules say what is alike",
		  header_rules_say_what_is_alike },
		{ "a Date is as late as its answer",
		  a_date_is_as_late_as_its_answer },
		{ "masks find the longest match",
		  masks_find_the_longest_match },
		{ "bad patterns are refused", bad_patterns_are_refused },
		{ "work is bounded", work_is_bounded },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
