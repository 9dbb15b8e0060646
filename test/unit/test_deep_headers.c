/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_deep_headers.c - Unit test of deep/headers.h
 *
 * Rows: production's fields, the SUT's, rules, and what must come of them. "|"
 * stands for a line's end. Heads are copied to blocks of their exact size; each
 * row is also judged with production's on both sides.
 */
#include "deep/headers.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

struct row {
	const char *a, *b;
	const char *rules; /* lines; "|" between them */
	unsigned flags;
	const char *want; /* "=" and what made it so, or what differs */
};

/* "|" becomes @end. Return: a block, @n its length */
static uint8_t *unfold(const char *text, const char *end, size_t *n)
{
	uint8_t *p = malloc(2 * strlen(text) + 3);

	*n = 0;
	for (; *text != '\0'; text++) {
		if (*text == '|') {
			memcpy(p + *n, end, strlen(end));
			*n += strlen(end);
		} else {
			p[(*n)++] = (uint8_t)*text;
		}
	}
	return realloc(p, *n > 0 ? *n : 1);
}

static void read_rules(struct rules **r, const char *text)
{
	struct arena a = { .size = rules_size() };
	struct rules_error e;
	uint8_t *lines;
	size_t n;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	CHECK(rules_init(r, &a) == 0);
	CHECK(rules_read(*r, "understudy rules 1\n", 19, &e) == 0);
	if (text[0] == '@') {
		CHECK(rules_preset(*r, text, strlen(text), &e) == 0);
	} else {
		char all[1024];

		snprintf(all, sizeof(all), "understudy rules 1|%s", text);
		lines = unfold(all, "\n", &n);
		CHECK_ROW(rules_read(*r, (char *)lines, n, &e) == 0, text);
		free(lines);
	}
	CHECK(rules_end(*r, 0) == 0);
}

static const char *told(const struct headers_verdict *v)
{
	static const char *const change[] = { "none", "value", "missing",
					      "extra", "many" };
	static char s[300];
	size_t n;

	if (v->outcome == HEADERS_UNJUDGED)
		return "?";
	if (v->outcome == HEADERS_DIFFERENT) {
		snprintf(s, sizeof(s), "%s %s%s%s%s%s", change[v->change],
			 v->name, v->part[0] != '\0' ? " " : "", v->part,
			 v->attribute[0] != '\0' ? " " : "", v->attribute);
		return s;
	}
	n = (size_t)snprintf(s, sizeof(s), "=");
	for (unsigned m = 0; m < MADE_COUNT; m++)
		if ((v->made >> m & 1) != 0)
			n += (size_t)snprintf(
				s + n, sizeof(s) - n, " %s",
				headers_made_name((enum headers_made)m));
	return s;
}

static void judge(const struct row *r, const char *a, const char *b,
		  struct headers_verdict *v)
{
	struct headers_rules by = { .flags = r->flags };
	struct rules *rules = NULL;
	size_t an, bn;
	uint8_t *p = unfold(a, "\r\n", &an), *q = unfold(b, "\r\n", &bn);

	read_rules(&rules, r->rules);
	by.rules = rules;
	by.view = rules_view(rules, RULES_ALL);
	headers_compare(&by, p, an, q, bn, v);
	for (unsigned i = 0; i < 2; i++)
		CHECK_ROW(v->at[i] + v->len[i] <= (i == 0 ? an : bn), a);
	free(rules);
	free(p);
	free(q);
}

static void run_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		struct headers_verdict v;

		judge(r, r->a, r->b, &v);
		if (strcmp(told(&v), r->want) != 0) {
			CHECK_ROW(false, r->a);
			printf("# %s / %s: %s, not %s\n", r->a, r->b, told(&v),
			       r->want);
		}
		judge(r, r->a, r->a, &v);
		CHECK_ROW(strcmp(told(&v), "=") == 0, r->a);
	}
}

#define DATE(s) "Date: Sun, 06 Nov 1994 08:49:" s " GMT|"

static void fields_without_rules(void)
{
	static const struct row rows[] = {
		{ "A: 1|B: 2|", "A: 1|B: 2|", "", 0, "=" },
		{ "A: 1|B: 2|", "b:2|a:  1 |", "", 0, "= order" },
		{ "A: 1|A: 2|", "A: 2|A: 1|", "", 0, "value a" },
		{ "A: 1|A: 2|", "A: 1, 2|", "", 0, "value a" },
		{ "A: 1|", "A: x|", "", 0, "value a" },
		{ "A: 1|B: 2|", "A: 1|", "", 0, "missing b" },
		{ "A: 1|", "A: 1|B: 2|", "", 0, "extra b" },
		{ "A: 1|", "A: 1|A: 1|", "", 0, "extra a" },
		{ "A: x|", "A: X|", "", 0, "value a" },
		{ "A: 1| 2|", "A: 1| 3|", "", 0, "value a" },
		{ DATE("37"), DATE("42"), "", 0, "= date" },
		{ DATE("37"), DATE("43"), "", 0, "value date" },
		{ DATE("37"), "", "", 0, "missing date" },
		{ "Age: 1|Connection: close|", "Keep-Alive: x|", "", 0,
		  "= ignore" },
		{ "Content-Length: 5|", "Content-Length: 6|", "", 0,
		  "value content-length" },
		{ "Content-Type: text/html; charset=UTF-8|",
		  "Content-Type: Text/HTML;charset=utf-8|", "", 0, "= type" },
		{ "Content-Type: text/html|", "Content-Type: text/plain|", "",
		  0, "value content-type" },
		{ "Content-Type: text/html; charset=utf-8|",
		  "Content-Type: text/html|", "", 0, "value content-type" },
		{ "Content-Type: multipart/byteranges; boundary=001|",
		  "Content-Type: multipart/byteranges; boundary=\"2;\"|", "", 0,
		  "= type" },
		{ "Content-Type: text/x; boundary=001|",
		  "Content-Type: text/x; boundary=002|", "", 0,
		  "value content-type" },
		{ "no colon|", "no colon|", "", 0, "=" },
		{ "no colon|", "other|", "", 0, "missing no colon" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

static void fields_by_rules(void)
{
	static const struct row rows[] = {
		{ "X-Id: 1|", "X-Id: 2|", "header ignore x-id", 0, "= ignore" },
		{ "X-Id: 1|", "", "header ignore x-id", 0, "= ignore" },
		{ "", "X-Id: 1|X-Id: 2|", "header ignore x-id", 0, "= ignore" },
		{ "Vary: A, B|", "Vary: b|Vary: a|", "header set Vary", 0,
		  "= set" },
		{ "Vary: A, B|", "Vary: b|", "header set Vary", 0,
		  "value vary" },
		{ "Vary: A|", "Vary: A, B|", "header set Vary", 0,
		  "value vary" },
		{ "Vary: A|", "", "header set Vary", 0, "missing vary" },
		{ "Allow: GET, PUT|", "Allow: PUT,, GET|", "header set Allow",
		  0, "= set" },
		{ "Allow: GET|", "Allow: get|", "header set Allow", 0,
		  "value allow" },
		{ "X: \"a,b\", c|", "X: c, \"a,b\"|", "header set x", 0,
		  "= set" },
		{ "X: \"a,b\"|", "X: b\", \"a|", "header set x", 0, "value x" },
		{ "X: Abc|", "X: aBC|", "header case X", 0, "= case" },
		{ "ETag: \"1\"|", "ETag: W/\"2\"|", "header class ETag etag", 0,
		  "= class" },
		{ "ETag: \"1\"|", "ETag: error|", "header class ETag etag", 0,
		  "value etag" },
		{ "X: deadbeef|", "X: deadbeef00|", "header class X hex", 0,
		  "value x" },
		{ DATE("00"), DATE("59"), "header date Date within 1m", 0,
		  "= date" },
		{ DATE("37"), DATE("38"), "header date Date within 0s", 0,
		  "value date" },
		/* the later one counts */
		{ "X: a|", "X: b|", "header ignore X|on GET /|on *|", 0,
		  "= ignore" },
		{ "Server: a|X-Request-Id: 1|Vary: A,B|" DATE("01"),
		  "Server: a|X-Request-Id: 2|Vary: B,A|" DATE("02"), "@nginx",
		  0, "= ignore set date" },
		{ "ETag: \"5f-1\"|Last-Modified: Sun, 06 Nov 1994 08:49:37 "
		  "GMT|",
		  "ETag: \"5f-2\"|Last-Modified: Sun, 06 Nov 1994 09:49:37 "
		  "GMT|",
		  "@nginx", 0, "= class" },
		{ "ETag: \"5f-1\"|", "", "@nginx", 0, "missing etag" },
		{ "Server: a|", "Server: b|", "@nginx", 0, "value server" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

static void hosts_have_aliases(void)
{
	static const char rules[] = "host alias shop.example = next.example";
	static const struct row rows[] = {
		{ "Location: https://shop.example/a|",
		  "Location: https://next.example/a|", rules, 0, "= alias" },
		{ "Location: https://Shop.Example:80/a|",
		  "Location: https://next.example:80/a|", rules, 0, "= alias" },
		{ "Location: https://shop.example/a|",
		  "Location: https://next.example/b|", rules, 0,
		  "value location" },
		{ "Location: https://shop.example/a|",
		  "Location: https://other.example/a|", rules, 0,
		  "value location" },
		{ "Location: https://ashop.example/|",
		  "Location: https://anext.example/|", rules, 0,
		  "value location" },
		{ "Location: https://shop.example.org/|",
		  "Location: https://next.example.org/|", rules, 0,
		  "value location" },
		{ "X-Host: shop.example|", "X-Host: next.example|", rules, 0,
		  "value x-host" },
		{ "Link: <https://shop.example/2>; rel=next|",
		  "Link: <https://next.example/2>; rel=next|", rules, 0,
		  "= alias" },
		{ "Access-Control-Allow-Origin: https://shop.example|",
		  "Access-Control-Allow-Origin: https://next.example|", rules,
		  0, "= alias" },
		{ "Access-Control-Allow-Origin: https://shop.example|",
		  "Access-Control-Allow-Origin: *|", rules, 0,
		  "value access-control-allow-origin" },
		{ "Set-Cookie: a=1; Domain=shop.example|",
		  "Set-Cookie: a=1; domain=.next.example|", rules, 0,
		  "value set-cookie a domain" },
		{ "Set-Cookie: a=1; Domain=.shop.example|",
		  "Set-Cookie: a=1; domain=.next.example|", rules, 0,
		  "= alias" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

static void cookies_have_parts(void)
{
	static const struct row rows[] = {
		{ "Set-Cookie: a=1; Path=/|Set-Cookie: b=2|",
		  "Set-Cookie: b=2|Set-Cookie: a=1; path=/|", "", 0,
		  "= order" },
		{ "Set-Cookie: a=1|", "Set-Cookie: a=2|", "", 0,
		  "value set-cookie a" },
		{ "Set-Cookie: a=1|", "Set-Cookie: a=2|", "cookie session a", 0,
		  "= cookie" },
		{ "Set-Cookie: a=1|", "Set-Cookie: a=|", "cookie session a", 0,
		  "value set-cookie a" },
		{ "Set-Cookie: a=1|", "", "cookie session a", 0,
		  "missing set-cookie a" },
		{ "Set-Cookie: a=1|", "", "cookie ignore a", 0, "= cookie" },
		{ "Set-Cookie: a=1|A: 1|", "A: 1|Set-Cookie: b=1|",
		  "header ignore Set-Cookie", 0, "= ignore" },
		{ "A: 1|", "A: 1|Set-Cookie: b=1|", "header ignore set-cookie",
		  0, "= ignore" },
		{ "", "Set-Cookie: a=1|", "", 0, "extra set-cookie a" },
		{ "Set-Cookie: a=1; HttpOnly; Secure|",
		  "Set-Cookie: a=1; Secure; HttpOnly|", "", 0, "= order" },
		{ "Set-Cookie: a=1; HttpOnly; Secure|",
		  "Set-Cookie: a=2; Secure|", "cookie session a", 0,
		  "value set-cookie a httponly" },
		{ "Set-Cookie: a=1; Secure|",
		  "Set-Cookie: a=1; Secure; SameSite=Lax|", "", 0,
		  "value set-cookie a samesite" },
		{ "Set-Cookie: a=1; Secure; Secure|",
		  "Set-Cookie: a=1; Secure; HttpOnly|", "", 0,
		  "value set-cookie a httponly" },
		{ "Set-Cookie: a=1; SameSite=lax|",
		  "Set-Cookie: a=1; SameSite=Lax|", "", 0, "= case" },
		{ "Set-Cookie: a=1; SameSite=None|",
		  "Set-Cookie: a=1; SameSite=Lax|", "", 0,
		  "value set-cookie a samesite" },
		{ "Set-Cookie: a=1; Max-Age=60|",
		  "Set-Cookie: a=1; Max-Age=61|", "", 0,
		  "value set-cookie a max-age" },
		{ "Set-Cookie: id=deadbeef|", "Set-Cookie: id=00c0ffee|",
		  "cookie class id hex", 0, "= cookie" },
		{ "Set-Cookie: id=deadbeef|", "Set-Cookie: id=00c0ffee00|",
		  "cookie class id hex", 0, "value set-cookie id" },
		{ DATE("10") "Set-Cookie: a=1; Expires=Sun, 06 Nov 1994 "
			     "09:49:10 GMT|",
		  DATE("14") "Set-Cookie: a=1; Expires=Sun, 06 Nov 1994 "
			     "09:49:14 GMT|",
		  "", 0, "= date" },
		{ "Set-Cookie: a=1; Expires=Sun, 06 Nov 1994 09:49:10 GMT|",
		  "Set-Cookie: a=1; Expires=Sun, 06 Nov 1994 09:49:16 GMT|", "",
		  0, "value set-cookie a expires" },
		{ "Set-Cookie: a=1|Set-Cookie: a=2|",
		  "Set-Cookie: a=2|Set-Cookie: a=1|", "", 0,
		  "value set-cookie a" },
		{ "Set-Cookie: a=\"x;y\"|", "Set-Cookie: a=\"x;z\"|", "", 0,
		  "value set-cookie a" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

static void codings_take_fields_along(void)
{
	static const struct row rows[] = {
		{ "Content-Encoding: gzip|Content-Length: 10|ETag: \"a\"|",
		  "Content-Encoding: br|ETag: W/\"a\"|"
		  "Transfer-Encoding: chunked|Vary: Accept-Encoding|",
		  "", HEADERS_RECODED, "= coding" },
		{ "Accept-Ranges: bytes|", "Content-Encoding: gzip|", "",
		  HEADERS_RECODED, "= coding" },
		{ "Accept-Ranges: bytes|", "Accept-Ranges: none|", "",
		  HEADERS_RECODED, "value accept-ranges" },
		{ "Accept-Ranges: bytes|", "", "", HEADERS_REWRITTEN,
		  "missing accept-ranges" },
		{ "Vary: Accept-Encoding, Cookie|", "Vary: Cookie|", "",
		  HEADERS_RECODED, "= coding" },
		{ "Vary: Accept-Encoding, Cookie|", "Vary: Accept-Encoding|",
		  "", HEADERS_RECODED, "value vary" },
		{ "ETag: \"a\"|", "ETag: W/\"b\"|", "", HEADERS_RECODED,
		  "value etag" },
		{ "ETag: \"a\"|", "ETag: W/\"a\"|", "", HEADERS_REWRITTEN,
		  "value etag" },
		{ "Content-Length: 10|", "Content-Length: 11|", "",
		  HEADERS_REWRITTEN, "= coding" },
		{ "Content-Encoding: gzip|", "", "", HEADERS_REWRITTEN,
		  "missing content-encoding" },
		{ "Content-Length: 10|", "", "", HEADERS_OF_GET, "= coding" },
		{ "Transfer-Encoding: chunked|", "Content-Length: 10|", "",
		  HEADERS_OF_GET, "= coding" },
		{ "Content-Length: 10|", "Content-Length: 11|", "",
		  HEADERS_OF_GET, "value content-length" },
		{ "Content-Length: 10|", "", "", 0, "missing content-length" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

static void rules_that_were_needed_are_told(void)
{
	static const struct row row = {
		.rules = "header ignore B|header set A|cookie session s"
	};
	struct headers_verdict v;

	judge(&row, "A: 1, 2|B: 1|Set-Cookie: s=1|",
	      "A: 1, 2|B: 2|Set-Cookie: s=1|", &v);
	CHECK(v.outcome == HEADERS_EQUAL && v.rules[0] == 1 && v.cookies == 0);
	judge(&row, "A: 1, 2|B: 1|Set-Cookie: s=1|",
	      "A: 2, 1|B: 1|Set-Cookie: s=2|", &v);
	CHECK(v.outcome == HEADERS_EQUAL && v.rules[0] == 2 && v.cookies == 1);
	judge(&row, "A: 1, 2|C: 1|", "A: 2, 1|C: 23|", &v);
	CHECK(v.outcome == HEADERS_DIFFERENT && v.rules[0] == 0);
	CHECK(v.at[0] == 12 && v.len[0] == 1 && v.len[1] == 2);
}

static void too_many_fields_are_named(void)
{
	static const struct row row = { .rules = "" };
	struct headers_verdict v;
	char *many = malloc(8 * 700);
	size_t n = 0;

	for (unsigned i = 0; i < HEADERS_MOST; i++)
		n += (size_t)sprintf(many + n, "A: 1|");
	judge(&row, many, many, &v);
	CHECK(v.outcome == HEADERS_EQUAL);
	n += (size_t)sprintf(many + n, "A: 1|");
	judge(&row, many, many, &v);
	CHECK(v.outcome == HEADERS_UNJUDGED);
	for (unsigned i = 0; i < HEADERS_MOST; i++)
		n += (size_t)sprintf(many + n, "A: 1|");
	judge(&row, "A: 1|", many, &v);
	CHECK(v.outcome == HEADERS_DIFFERENT && v.change == HEADERS_MANY);
	free(many);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "fields without rules", fields_without_rules },
		{ "fields by rules", fields_by_rules },
		{ "hosts have aliases", hosts_have_aliases },
		{ "cookies have parts", cookies_have_parts },
		{ "codings take fields along", codings_take_fields_along },
		{ "rules that were needed are told",
		  rules_that_were_needed_are_told },
		{ "too many fields are named", too_many_fields_are_named },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
