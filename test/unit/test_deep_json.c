/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_deep_json.c - Unit test of deep/json.h
 *
 * Rows: production's text, the SUT's, rules, and what must come of them. Texts
 * are copied to blocks of their exact size. Each row is also judged the other
 * way round, and with more white space.
 */
#include "deep/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "json_rules.h"

#define MEMBERS 4096u

static struct json *new_json(uint32_t members)
{
	static const struct hash_key key = { { 11, 22 } };
	struct arena a = { .size = json_size(members) };
	struct json *j = NULL;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	memset(a.base, 0, a.size);
	CHECK(json_init(&j, &a, members, &key) == 0);
	CHECK((void *)j == (void *)a.base);
	return j;
}

static void judge(struct json *j, const char *a, size_t an, const char *b,
		  size_t bn, struct json_verdict *out)
{
	uint8_t *p = malloc(an + 1), *q = malloc(bn + 1);

	p = realloc(p, an > 0 ? an : 1);
	q = realloc(q, bn > 0 ? bn : 1);
	memcpy(p, a, an);
	memcpy(q, b, bn);
	json_compare(j, p, an, q, bn, out);
	free(p);
	free(q);
}

/* The text with blanks around whatever is no string. */
static size_t stretched(char *to, const char *p)
{
	bool string = false;
	size_t n = 0;

	for (; *p != '\0'; p++) {
		bool mark = strchr("{}[],:", *p) != NULL;

		if (mark && !string)
			to[n++] = '\n';
		to[n++] = *p;
		if (string && *p == '\\' && p[1] != '\0')
			to[n++] = *++p;
		else if (*p == '"')
			string = !string;
		if (mark && !string)
			to[n++] = '\t';
	}
	return n;
}

struct row {
	const char *a, *b;
	const char *rules;
	const char *want; /* "=", or "CHANGE PATH" */
};

static const char *told(const struct json_verdict *v)
{
	static char text[400];

	if (v->outcome == JSON_EQUAL)
		return "=";
	if (v->outcome == JSON_UNJUDGED)
		snprintf(text, sizeof(text), "? %s",
			 json_fault_text(v->fault[0]));
	else if (v->change == JSON_FAULT)
		snprintf(text, sizeof(text), "fault %s",
			 json_fault_text(v->fault[1]));
	else
		snprintf(text, sizeof(text), "%s %s",
			 json_change_text(v->change), v->path);
	return text;
}

static void run_rows(const struct row *rows, size_t n)
{
	struct json *j = new_json(MEMBERS);
	struct json_rule rule[16];
	const struct json_rule *list[16];

	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		struct json_verdict v, back;
		char wide[4096];
		size_t len;

		CHECK(json_rules(j, list,
				 json_rules_of(rule, list, r->rules)) == 0);
		judge(j, r->a, strlen(r->a), r->b, strlen(r->b), &v);
		CHECK_ROW(strcmp(told(&v), r->want) == 0, r->a);
		if (strcmp(told(&v), r->want) != 0)
			printf("# %s | %s | %s: %s, not %s\n", r->a, r->b,
			       r->rules, told(&v), r->want);
		judge(j, r->b, strlen(r->b), r->a, strlen(r->a), &back);
		CHECK_ROW((v.outcome == JSON_EQUAL) ==
				  (back.outcome == JSON_EQUAL),
			  r->a);
		judge(j, r->a, strlen(r->a), r->a, strlen(r->a), &back);
		CHECK_ROW((v.fault[0] == JSON_FINE) ==
				  (back.outcome == JSON_EQUAL),
			  r->a);
		len = stretched(wide, r->b);
		judge(j, r->a, strlen(r->a), wide, len, &v);
		CHECK_ROW(strcmp(told(&v), r->want) == 0, wide);
	}
	free(j);
}

static void spelling_does_not_matter(void)
{
	static const struct row rows[] = {
		{ "{}", " { } ", "", "=" },
		{ "[]", "[\n]", "", "=" },
		{ "null", "\tnull\r\n", "", "=" },
		{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", "", "=" },
		{ "{\"a\":{\"x\":[1,{\"p\":1,\"q\":2}],\"y\":2},\"b\":2}",
		  "{\"b\":2,\"a\":{\"y\":2,\"x\":[1,{\"q\":2,\"p\":1}]}}", "",
		  "=" },
		{ "\"abc\"", "\"\\u0061b\\u0063\"", "", "=" },
		{ "{\"name\":1}", "{\"n\\u0061me\":1}", "", "=" },
		{ "\"\\/\\b\\f\\n\\r\\t\\\\\\\"\"",
		  "\"/\\u0008\\u000C\\u000a\\u000d\\u0009\\u005c\\u0022\"", "",
		  "=" },
		{ "\"\xc3\xa9\"", "\"\\u00e9\"", "", "=" },
		{ "\"\xe2\x82\xac rest of it\"", "\"\\u20AC rest of it\"", "",
		  "=" },
		{ "\"12345678\xf0\x9d\x84\x9e\"", "\"12345678\\uD834\\uDd1e\"",
		  "", "=" },
		{ "[\"12345678\"]", "[\"\\u0031\\u0032345678\"]", "", "=" },
		{ "1", "1.0", "", "=" },
		{ "[1,100,0.5]", "[10e-1,1E2,5.00e-1]", "", "=" },
		{ "[0,0,0]", "[-0,0.000,0e99999999999999999999]", "", "=" },
		{ "123456789012345678901234567890",
		  "123456789012345678901234567.890e3", "", "=" },
		{ "1e400", "10.0e399", "", "=" },
		{ "[-5e-7]", "[-0.0000005]", "", "=" },
		{ "{\"a\":1,\"b\":0,\"a\":2}", "{\"a\":1,\"a\":2,\"b\":0}", "",
		  "=" },
		{ "[12345678901234567890]", "[1234567890123456789e1]", "",
		  "=" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

static void what_matters_is_found(void)
{
	static const struct row rows[] = {
		{ "1", "2", "", "value $" },
		{ "1", "\"1\"", "", "type $" },
		{ "null", "0", "", "type $" },
		{ "true", "false", "", "value $" },
		{ "{\"a\":1}", "{\"a\":null}", "", "type $.a" },
		{ "{\"a\":1}", "{}", "", "missing $.a" },
		{ "{}", "{\"a\":1}", "", "extra $.a" },
		{ "{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", "", "value $.a" },
		{ "{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}", "", "value $.a" },
		{ "{\"a\":1,\"b\":[1,{\"c\":2}],\"d\":3}",
		  "{\"d\":3,\"b\":[1,{\"c\":4}],\"a\":1}", "",
		  "value $.b[1].c" },
		{ "[1,2,3]", "[1,2]", "", "missing $[2]" },
		{ "[1,2]", "[1,2,3]", "", "extra $[2]" },
		{ "[1,2,3]", "[3,2,1]", "", "order $" },
		{ "{\"t\":[[1,2],[3,4]]}", "{\"t\":[[1,2],[4,3]]}", "",
		  "order $.t[1]" },
		{ "[1,2,2]", "[1,1,2]", "", "value $[1]" },
		{ "[[1,2],[3]]", "[[1],[2,3]]", "", "missing $[0][1]" },
		{ "[[],{}]", "[{},[]]", "", "order $" },
		{ "[{}]", "[[]]", "", "type $[0]" },
		{ "[\"\"]", "[null]", "", "type $[0]" },
		{ "0.1", "0.10000000000000001", "", "value $" },
		{ "9007199254740993", "9007199254740992", "", "value $" },
		{ "[1e400]", "[1e401]", "", "value $[0]" },
		{ "[1]", "[-1]", "", "value $[0]" },
		{ "123456789012345678901234567890",
		  "123456789012345678901234567891", "", "value $" },
		{ "\"a\"", "\"A\"", "", "value $" },
		{ "\"\\u0000\"", "\"\"", "", "value $" },
		{ "\"e\xcc\x81\"", "\"\xc3\xa9\"", "", "value $" },
		{ "\"\\ud834\"", "\"\\udd1e\"", "", "value $" },
		{ "{\"a\":1,\"a\":2}", "{\"a\":2,\"a\":1}", "", "value $.a" },
		{ "{\"a\":1,\"a\":1}", "{\"a\":1}", "", "missing $.a" },
		{ "{\"a\":1,\"b\":3,\"a\":2}", "{\"b\":3,\"a\":2,\"a\":1}", "",
		  "value $.a" },
		{ "{\"x y\":{\"\":1}}", "{\"x y\":{\"\":2}}", "",
		  "value $[\"x y\"][\"\"]" },
		{ "{\"a\":\"10.00\"}", "{\"a\":\"10.0\"}", "", "value $.a" },
		{ "[\"12345678\"]", "[\"1234567\"]", "", "value $[0]" },
		{ "[\"12345678\",\"\"]", "[\"\",\"12345678\"]", "", "order $" },
		{ "{\"a\":{\"b\":1},\"c\":2}", "{\"a\":{\"c\":2},\"b\":1}", "",
		  "missing $.a.b" },
		{ "{\"ab\":\"c\"}", "{\"a\":\"bc\"}", "", "missing $.ab" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

static void rules_make_alike(void)
{
	static const struct row rows[] = {
		{ "{\"at\":1,\"b\":2}", "{\"b\":2,\"at\":7}", "ignore $.at",
		  "=" },
		{ "{\"at\":1,\"b\":2}", "{\"b\":2}", "ignore $.at", "=" },
		{ "{\"at\":1,\"b\":2}", "{\"b\":3}", "ignore $.at",
		  "value $.b" },
		{ "{\"a\":{\"t\":1},\"t\":2}", "{\"a\":{\"t\":3},\"t\":4}",
		  "ignore $..t", "=" },
		{ "{\"a\":{\"t\":1},\"t\":2}", "{\"a\":{\"t\":3},\"t\":4}",
		  "ignore $.t", "value $.a.t" },
		{ "{\"a\":[{\"t\":{\"x\":[1]}},{}]}", "{\"a\":[{},{\"t\":9}]}",
		  "ignore $.a[*].t", "=" },
		{ "[1,2,3]", "[1,9,3]", "ignore $[1]", "=" },
		{ "{\"a\":1}", "{\"a\":2}", "ignore $.a; text $.a",
		  "value $.a" },
		{ "{\"a b\":{\"c\":1}}", "{\"a b\":{\"c\":2}}", "ignore $.*.c",
		  "=" },
		{ "[1,2,2]", "[2,1,2]", "set $", "=" },
		{ "[1,2,2]", "[2,1,1]", "set $", "missing $[2]" },
		{ "{\"a\":[1,2],\"b\":[1,2]}", "{\"a\":[2,1],\"b\":[2,1]}",
		  "set $.a", "order $.b" },
		{ "{\"a\":[1,[2,3]]}", "{\"a\":[[3,2],1]}", "set $.a",
		  "missing $.a[1]" },
		{ "{\"a\":[1,[2,3]]}", "{\"a\":[[3,2],1]}",
		  "set $.a; set $.a[*]", "=" },
		{ "{\"i\":[{\"sku\":\"a\",\"p\":1},{\"sku\":\"b\",\"p\":2}]}",
		  "{\"i\":[{\"p\":2,\"sku\":\"b\"},{\"sku\":\"a\",\"p\":1}]}",
		  "key $.i $.sku", "=" },
		{ "{\"i\":[{\"sku\":\"a\",\"p\":1},{\"sku\":\"b\",\"p\":2}]}",
		  "{\"i\":[{\"p\":3,\"sku\":\"b\"},{\"sku\":\"a\",\"p\":1}]}",
		  "key $.i $.sku", "value $.i[sku=\"b\"].p" },
		{ "[{\"k\":{\"n\":7},\"p\":1}]", "[{\"k\":{\"n\":8},\"p\":1}]",
		  "key $ $.k.n", "missing $[k.n=7]" },
		{ "[]", "[{\"k\":1}]", "key $ $.k", "extra $[0]" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

static void values_may_be_near_or_of_a_class(void)
{
	static const struct row rows[] = {
		{ "{\"t\":10.001}", "{\"t\":10.005}", "number $.t 5 -3", "=" },
		{ "{\"t\":10.001}", "{\"t\":10.0061}", "number $.t 5 -3",
		  "value $.t" },
		{ "[-0.002,0.004]", "[0.003,-1e-3]", "number $[*] 5 -3", "=" },
		{ "[-0.002]", "[0.0031]", "number $[*] 5 -3", "value $[0]" },
		{ "[1e-40]", "[2e-40]", "number $[*] 5 -3", "=" },
		{ "[1]", "[\"1\"]", "number $[*] 5 -3", "type $[0]" },
		{ "[{\"k\":1,\"p\":1.0},{\"k\":2,\"p\":5}]",
		  "[{\"k\":2,\"p\":5.5},{\"k\":1,\"p\":1.4}]",
		  "key $ $.k; number $[*].p 5 -1", "=" },
		{ "[{\"k\":1,\"p\":1.0},{\"k\":2,\"p\":5}]",
		  "[{\"k\":2,\"p\":5.7},{\"k\":1,\"p\":1.4}]",
		  "key $ $.k; number $[*].p 5 -1", "value $[k=2].p" },
		{ "[1.0]", "[1]", "text $[*]", "value $[0]" },
		{ "[1.0]", "[1.0]", "text $[*]", "=" },
		{ "{\"id\":\"550e8400-e29b-41d4-a716-446655440000\"}",
		  "{\"id\":\"00000000-e29b-41d4-a716-44665544ffff\"}",
		  "class $.id uuid", "=" },
		{ "{\"id\":\"550e8400-e29b-41d4-a716-446655440000\"}",
		  "{\"id\":\"error\"}", "class $.id uuid", "value $.id" },
		{ "{\"id\":\"550e8400-e29b-41d4-a716-446655440000\"}",
		  "{\"id\":null}", "class $.id uuid", "type $.id" },
		{ "{\"id\":\"550e8400-e29b-41d4-a716-446655440000\"}", "{}",
		  "class $.id uuid", "missing $.id" },
		{ "[\"deadbeef\"]", "[\"00c0ffee\"]", "class $[*] hex", "=" },
		{ "[\"deadbeef\"]", "[\"00c0ffee0\"]", "class $[*] hex",
		  "value $[0]" },
		{ "[5]", "[\"5\"]", "class $[*] integer", "type $[0]" },
		{ "{\"u\":\"2026-11-22T09:57:33Z\"}",
		  "{\"u\":\"2026-11-22T10:57:34.5+01:00\"}", "time $.u 2",
		  "=" },
		{ "{\"u\":\"2026-11-22T09:57:33Z\"}",
		  "{\"u\":\"2026-11-22T09:58:34Z\"}", "time $.u 2",
		  "value $.u" },
		{ "[1700000000]", "[1700000002]", "time $[0] 2", "=" },
		{ "[1700000000]", "[1700000003]", "time $[0] 2", "value $[0]" },
		{ "[[1]]", "[[2],3]", "ignore $", "=" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

static void faults_have_names(void)
{
	static const struct row rows[] = {
		{ "", "", "", "? no JSON" },
		{ "{", "{", "", "? no JSON" },
		{ "[1,]", "[1,]", "", "? no JSON" },
		{ "{\"a\":1,}", "{\"a\":1,}", "", "? no JSON" },
		{ "[1 2]", "[1 2]", "", "? no JSON" },
		{ "{\"a\" 1}", "{\"a\" 1}", "", "? no JSON" },
		{ "{a:1}", "{a:1}", "", "? no JSON" },
		{ "[1}", "[1}", "", "? no JSON" },
		{ "1 2", "1 2", "", "? no JSON" },
		{ "[01]", "[01]", "", "? no JSON" },
		{ "[1.]", "[1.]", "", "? no JSON" },
		{ "[.5]", "[.5]", "", "? no JSON" },
		{ "[1e]", "[1e]", "", "? no JSON" },
		{ "[+1]", "[+1]", "", "? no JSON" },
		{ "[-]", "[-]", "", "? no JSON" },
		{ "[NaN]", "[NaN]", "", "? no JSON" },
		{ "[tru]", "[tru]", "", "? no JSON" },
		{ "\"\\x\"", "\"\\x\"", "", "? no JSON" },
		{ "\"\\u12g4\"", "\"\\u12g4\"", "", "? no JSON" },
		{ "\"a\nb\"", "\"a\nb\"", "", "? no JSON" },
		{ "\"\xff\"", "\"\xff\"", "", "? no JSON" },
		{ "\"\xc0\x80\"", "\"\xc0\x80\"", "", "? no JSON" },
		{ "\"\xed\xa0\x80\"", "\"\xed\xa0\x80\"", "", "? no JSON" },
		{ "\"\xf4\x90\x80\x80\"", "\"\xf4\x90\x80\x80\"", "",
		  "? no JSON" },
		{ "\"\xe2\x82\"", "\"\xe2\x82\"", "", "? no JSON" },
		{ "\xef\xbb\xbf{}", "\xef\xbb\xbf{}", "", "? no JSON" },
		{ "'a'", "'a'", "", "? no JSON" },
		{ "[1e1000000000000001]", "[1e1000000000000001]", "",
		  "? an exponent that is too large" },
		{ "[1]", "[1", "", "fault no JSON" },
		{ "[1]", "[1e99999999999999999999]", "",
		  "fault an exponent that is too large" },
		{ "{\"a\":01}", "{\"a\":02}", "ignore $.a", "? no JSON" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

static void a_fault_has_its_place(void)
{
	struct json *j = new_json(64);
	uint64_t hash = 77;
	size_t at;

	CHECK(json_hash(j, (const uint8_t *)"[1,2,x]", 7, &hash, &at) ==
	      JSON_BROKEN);
	CHECK(at == 5 && hash == 77);
	CHECK(json_hash(j, (const uint8_t *)"[1] 2", 5, &hash, &at) ==
	      JSON_BROKEN);
	CHECK(at == 4 && hash == 77);
	CHECK(json_hash(j, (const uint8_t *)"[1] ", 4, &hash, &at) ==
	      JSON_FINE);
	CHECK(at == 4 && hash != 77);
	free(j);
}

static void a_difference_has_its_bytes(void)
{
	struct json *j = new_json(64);
	struct json_verdict v;

	judge(j, "{\"a\": [1, 22]}", 14, "{\"a\":[1,333]}", 13, &v);
	CHECK(v.outcome == JSON_DIFFERENT && v.change == JSON_VALUE);
	CHECK(v.at[0] == 10 && v.len[0] == 2);
	CHECK(v.at[1] == 8 && v.len[1] == 3);
	judge(j, "{\"a\":1,\"b\":{}}", 14, "{\"a\":1}", 7, &v);
	CHECK(v.change == JSON_MISSING && v.at[0] == 11 && v.len[0] == 2);
	CHECK(v.at[1] == 0 && v.len[1] == 0);
	free(j);
}

static void rules_that_were_needed_are_told(void)
{
	struct json *j = new_json(64);
	struct json_rule rule[3];
	const struct json_rule *list[3];
	struct json_verdict v;

	CHECK(json_rules(j, list,
			 json_rules_of(rule, list,
				       "number $.p 1 0; set $.s; "
				       "ignore $.i")) == 0);
	judge(j, "{\"p\":1,\"s\":[1,2]}", 17, "{\"s\":[1,2],\"p\":1}", 17, &v);
	CHECK(v.outcome == JSON_EQUAL && v.rules == 0 && v.met == 3);
	judge(j, "{\"p\":1,\"s\":[1,2]}", 17, "{\"s\":[1,2],\"p\":2}", 17, &v);
	CHECK(v.outcome == JSON_EQUAL && v.rules == 1 && v.met == 3);
	judge(j, "{\"p\":1,\"s\":[1,2]}", 17, "{\"s\":[2,1],\"i\":0,\"p\":1}",
	      23, &v);
	CHECK(v.outcome == JSON_EQUAL && v.rules == 6 && v.met == 7);
	free(j);
}

static void depth_is_bounded(void)
{
	struct json *j = new_json(64);
	size_t most = 1000000;
	char *deep = malloc(2 * most);
	struct json_verdict v;

	memset(deep, '[', JSON_DEPTH);
	memset(deep + JSON_DEPTH, ']', JSON_DEPTH);
	judge(j, deep, 2 * JSON_DEPTH, deep, 2 * JSON_DEPTH, &v);
	CHECK(v.outcome == JSON_EQUAL);
	memset(deep, '[', most);
	memset(deep + most, ']', most);
	judge(j, deep, 2 * most, deep, 2 * most, &v);
	CHECK(v.outcome == JSON_UNJUDGED && v.fault[0] == JSON_DEEP);
	CHECK(v.at[0] == JSON_DEPTH);
	judge(j, "[]", 2, deep, 2 * most, &v);
	CHECK(v.outcome == JSON_DIFFERENT && v.change == JSON_FAULT);
	free(deep);
	free(j);
}

/* {"n":0,"n":1,...}; @same: one name; last value @last */
static char *many(size_t n, bool same, bool back, unsigned last, size_t *len)
{
	char *p = malloc(n * 24 + 8);
	size_t at = 0;

	p[at++] = '{';
	for (size_t i = 0; i < n; i++) {
		size_t k = back ? n - 1 - i : i;

		at += (size_t)sprintf(p + at, "%s\"m%zu\":%zu",
				      i > 0 ? "," : "", same ? 0 : k,
				      k == n - 1 ? last : k % 10);
	}
	p[at++] = '}';
	*len = at;
	return p;
}

static void a_million_members_are_judged(void)
{
	struct json *j = new_json(UINT32_C(1) << 23);
	struct json_verdict v;
	size_t an, bn, cn;

	for (int same = 0; same < 2; same++) {
		char *a = many(1000000, same != 0, false, 3, &an);
		char *b = many(1000000, same != 0, true, 3, &bn);
		char *c = many(1000000, same != 0, false, 4, &cn);

		json_compare(j, (uint8_t *)a, an, (uint8_t *)a, an, &v);
		CHECK(v.outcome == JSON_EQUAL);
		json_compare(j, (uint8_t *)a, an, (uint8_t *)b, bn, &v);
		/* in another order, members of one name are another list */
		CHECK(v.outcome == (same != 0 ? JSON_DIFFERENT : JSON_EQUAL));
		json_compare(j, (uint8_t *)a, an, (uint8_t *)c, cn, &v);
		CHECK(v.outcome == JSON_DIFFERENT && v.change == JSON_VALUE);
		CHECK(strcmp(v.path, same != 0 ? "$.m0" : "$.m999999") == 0);
		json_compare(j, (uint8_t *)b, bn, (uint8_t *)c, cn, &v);
		CHECK(v.outcome == JSON_DIFFERENT && v.change == JSON_VALUE);
		free(a);
		free(b);
		free(c);
	}
	free(j);
}

static void too_many_members_are_named(void)
{
	struct json *j = new_json(1000);
	struct json_verdict v;
	size_t an, bn;
	char *a = many(1001, false, false, 1, &an);
	char *b = many(500, false, false, 1, &bn);
	char *c = many(500, false, true, 2, &bn);

	judge(j, a, an, a, an, &v);
	CHECK(v.outcome == JSON_UNJUDGED && v.fault[0] == JSON_MANY);
	judge(j, "{}", 2, a, an, &v);
	CHECK(v.outcome == JSON_UNJUDGED && v.fault[1] == JSON_MANY);
	/* 500 of them need a table of 1,024 */
	judge(j, b, bn, c, bn, &v);
	CHECK(v.outcome == JSON_UNJUDGED && v.fault[0] == JSON_MANY);
	free(a);
	free(b);
	free(c);
	free(j);
}

static void a_difference_beyond_memory_is_still_one(void)
{
	struct json *j = new_json(330);
	struct json_verdict v;
	size_t an, bn;
	char *a = many(70, false, false, 1, &an);
	char *b = many(70, false, true, 2, &bn);

	judge(j, a, an, b, bn, &v);
	CHECK(v.outcome == JSON_DIFFERENT && v.change == JSON_VALUE);
	CHECK(strcmp(v.path, "$.m69") == 0);
	free(j);
	j = new_json(210);
	judge(j, a, an, b, bn, &v);
	CHECK(v.outcome == JSON_DIFFERENT && v.change == JSON_SOMEWHERE);
	CHECK(strcmp(v.path, "$") == 0);
	free(a);
	free(b);
	free(j);
}

/* {"a":{"a":...,"b":0},"b":0} of that depth, or with b in front; @v innermost. */
static size_t nested(char *p, unsigned depth, bool front, const char *v)
{
	size_t n = 0;

	for (unsigned i = 0; i < depth; i++)
		n += (size_t)sprintf(p + n,
				     front ? "{\"b\":0,\"a\":" : "{\"a\":");
	n += (size_t)sprintf(p + n, "%s", v);
	for (unsigned i = 0; i < depth; i++)
		n += (size_t)sprintf(p + n, front ? "}" : ",\"b\":0}");
	return n;
}

/* A text would be read as often as it is deep: the walk has a budget. */
static void order_at_every_depth_costs_no_more(void)
{
	struct json *j = new_json(2048);
	const struct json_rule *list[1];
	struct json_rule rule[1];
	char a[2048], b[2048];
	struct json_verdict v;
	size_t an, bn;

	an = nested(a, 20, false, "1");
	bn = nested(b, 20, true, "2");
	judge(j, a, an, b, bn, &v);
	CHECK(v.outcome == JSON_DIFFERENT && v.change == JSON_VALUE);
	CHECK(strlen(v.path) == 1 + 2 * 20);
	an = nested(a, 100, false, "1");
	bn = nested(b, 100, true, "2");
	judge(j, a, an, b, bn, &v);
	CHECK(v.outcome == JSON_DIFFERENT && v.change == JSON_SOMEWHERE);
	CHECK(strncmp(v.path, "$.a.a.a", 7) == 0);
	bn = nested(b, 100, true, "1.0");
	judge(j, a, an, b, bn, &v);
	CHECK(v.outcome == JSON_EQUAL);
	/* what is left to the walk is not judged then, never equal */
	CHECK(json_rules(j, list,
			 json_rules_of(rule, list, "number $..b 1 0")) == 0);
	judge(j, a, an, b, bn, &v);
	CHECK(v.outcome == JSON_UNJUDGED && v.fault[0] == JSON_FINE);
	free(j);
}

static void a_long_path_is_cut(void)
{
	struct json *j = new_json(64);
	struct json_verdict v;
	char a[600], b[600];

	memset(a, 'n', sizeof(a));
	memcpy(a, "{\"", 2);
	memcpy(a + 500, "\":{\"x\":1}}", 11);
	memcpy(b, a, sizeof(b));
	b[507] = '2';
	judge(j, a, strlen(a), b, strlen(a), &v);
	CHECK(v.outcome == JSON_DIFFERENT && v.cut);
	CHECK(strlen(v.path) == JSON_PATH - 1);
	free(j);
}

static void too_many_rules_are_refused(void)
{
	static struct json_rule rule[JSON_RULES + 1];
	const struct json_rule *list[JSON_RULES + 1];
	struct json *j = new_json(64);

	for (uint32_t i = 0; i <= JSON_RULES; i++) {
		json_rule_of(&rule[i], "ignore $.a.b.c.d");
		list[i] = &rule[i];
	}
	CHECK(json_rules(j, list, JSON_RULES + 1) == -E2BIG);
	CHECK(json_rules(j, list, JSON_RULES) == 0);
	json_rule_of(&rule[0], "ignore $.a.b.c.d.e");
	CHECK(json_rules(j, list, JSON_RULES) == -E2BIG);
	free(j);
}

/* Every byte of a text is changed into every other: equal only if it is the
 * same.
 */
static void no_changed_byte_is_equal(void)
{
	static const char text[] = "{\"id\":1234,\"tags\":[\"a\",\"bc\"],\"p\":"
				   "1.25,\"n\":{\"x\":null,"
				   "\"y\":true},\"s\":\"12345678 9\\u00e9\"}";
	struct json *j = new_json(64);
	char b[sizeof(text)];
	unsigned equal = 0;

	memcpy(b, text, sizeof(b));
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		for (int c = 0; c < 256; c++) {
			struct json_verdict v;

			b[i] = (char)c;
			judge(j, text, sizeof(text) - 1, b, sizeof(text) - 1,
			      &v);
			equal += v.outcome == JSON_EQUAL && b[i] != text[i];
			CHECK(v.outcome != JSON_UNJUDGED);
		}
		b[i] = text[i];
	}
	/* only E9 for e9 */
	CHECK(equal == 1);
	free(j);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "spelling does not matter", spelling_does_not_matter },
		{ "what matters is found", what_matters_is_found },
		{ "rules make alike", rules_make_alike },
		{ "values may be near, or of a class",
		  values_may_be_near_or_of_a_class },
		{ "faults have names", faults_have_names },
		{ "a fault has its place", a_fault_has_its_place },
		{ "a difference has its bytes", a_difference_has_its_bytes },
		{ "rules that were needed are told",
		  rules_that_were_needed_are_told },
		{ "depth is bounded", depth_is_bounded },
		{ "a million members are judged",
		  a_million_members_are_judged },
		{ "too many members are named", too_many_members_are_named },
		{ "a difference beyond memory is still one",
		  a_difference_beyond_memory_is_still_one },
		{ "order at every depth costs no more",
		  order_at_every_depth_costs_no_more },
		{ "a long path is cut", a_long_path_is_cut },
		{ "too many rules are refused", too_many_rules_are_refused },
		{ "no changed byte is equal", no_changed_byte_is_equal },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
