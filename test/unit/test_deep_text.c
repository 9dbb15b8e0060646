/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_deep_text.c - Unit test of deep/text.h, parts.h and markup.h
 *
 * Rows: production's bytes, the SUT's, and what must come of them. All are
 * copied to blocks of their exact size, and each is also judged against itself.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "deep/markup.h"
#include "deep/parts.h"
#include "deep/text.h"

static struct rules *rules;

/* Rules of @lines, for all endpoints. */
static const struct rules_view *view_of(const char *lines)
{
	struct arena a = { .size = rules_size() };
	struct rules_error e;
	char text[1024];

	free(rules);
	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	CHECK(rules_init(&rules, &a) == 0);
	snprintf(text, sizeof(text), "understudy rules 1\n%s", lines);
	CHECK_ROW(rules_read(rules, text, strlen(text), &e) == 0, lines);
	CHECK(rules_end(rules, 0) == 0);
	return rules_view(rules, RULES_ALL);
}

static uint8_t *copy_of(const char *s)
{
	size_t n = strlen(s);
	uint8_t *p = malloc(n > 0 ? n : 1);

	memcpy(p, s, n);
	return p;
}

struct row {
	const char *a, *b;
	const char *rules;
	const char *want;
};

static const char *told_text(const struct row *r, const char *a, const char *b)
{
	static const char *const change[] = { "none", "value", "missing",
					      "extra" };
	const struct rules_view *v = view_of(r->rules);
	uint8_t *p = copy_of(a), *q = copy_of(b);
	struct text_verdict t;
	static char s[100];

	text_compare(v, p, strlen(a), q, strlen(b), &t);
	CHECK(t.at[0] + t.len[0] <= strlen(a));
	CHECK(t.at[1] + t.len[1] <= strlen(b));
	if (t.outcome == TEXT_EQUAL)
		snprintf(s, sizeof(s), "= %x", (unsigned)t.masks);
	else if (t.outcome == TEXT_UNJUDGED)
		snprintf(s, sizeof(s), "?");
	else
		snprintf(s, sizeof(s), "%s %u", change[t.change], t.line);
	free(p);
	free(q);
	return s;
}

static void lines_have_masks(void)
{
	static const struct row rows[] = {
		{ "a\nb\n", "a\nb\n", "", "= 0" },
		{ "", "", "", "= 0" },
		{ "a\nb\n", "a\nc\n", "", "value 2" },
		{ "a\nb\n", "a\nb", "", "value 2" },
		{ "a\nb\n", "a\r\nb\n", "", "value 1" },
		{ "a\nb\n", "a\n", "", "missing 2" },
		{ "a\n", "a\nb", "", "extra 2" },
		{ "a\n", "", "", "missing 1" },
		{ "x build deadbeef y\n", "x build 0123abc y\n",
		  "text mask /build [0-9a-f]{7,40}/", "= 1" },
		{ "x build deadbeef y\n", "x build 0123abc z\n",
		  "text mask /build [0-9a-f]{7,40}/", "value 1" },
		{ "x build deadbeef y\n", "x build error y\n",
		  "text mask /build [0-9a-f]{7,40}/", "value 1" },
		{ "1 2\n3\n", "4 5\n66\n", "text mask /[0-9]+/", "= 1" },
		{ "1 2\n", "4\n", "text mask /[0-9]+/", "value 1" },
		{ "12:30 7\n", "13:45 8\n",
		  "text mask /[0-9]+/\ntext mask /[0-9]+:[0-9]+/", "= 3" },
		{ "t=1\n", "t=\n", "text mask /t=[0-9]+/", "value 1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *got = told_text(&rows[i], rows[i].a, rows[i].b);

		CHECK_ROW(strcmp(got, rows[i].want) == 0, rows[i].a);
		got = told_text(&rows[i], rows[i].a, rows[i].a);
		CHECK_ROW(strcmp(got, "= 0") == 0, rows[i].a);
	}
}

static void a_costly_mask_is_named(void)
{
	const struct rules_view *v = view_of("text mask /a+b/");
	size_t n = 200000;
	uint8_t *p = malloc(n), *q = malloc(n);
	struct text_verdict t;

	memset(p, 'a', n);
	memset(q, 'a', n);
	q[n - 1] = 'c';
	text_compare(v, p, n, q, n, &t);
	CHECK(t.outcome == TEXT_UNJUDGED);
	free(p);
	free(q);
}

static void bytes_have_a_first_offset(void)
{
	static uint8_t a[1 << 20], b[1 << 20];

	CHECK(binary_first(a, sizeof(a), b, sizeof(b)) == sizeof(a));
	CHECK(binary_first(a, 5, b, sizeof(b)) == 5);
	b[1000001] = 1;
	CHECK(binary_first(a, sizeof(a), b, sizeof(b)) == 1000001);
	b[3] = 1;
	CHECK(binary_first(a, sizeof(a), b, sizeof(b)) == 3);
	CHECK(strcmp(binary_type((const uint8_t *)"GIF89a", 6), "GIF") == 0);
	CHECK(strcmp(binary_type((const uint8_t *)"GIF", 3), "") == 0);
}

static const char *told_parts(const struct parts_verdict *v)
{
	static const char *const change[] = { "none",  "broken", "missing",
					      "extra", "header", "content" };
	static char s[200];

	if (v->outcome == PARTS_EQUAL)
		return "=";
	if (v->outcome == PARTS_UNJUDGED)
		return "?";
	if (v->change == PARTS_HEADER)
		snprintf(s, sizeof(s), "header %u %s", v->part, v->head.name);
	else
		snprintf(s, sizeof(s), "%s %u", change[v->change], v->part);
	return s;
}

/* "|" is a line's end, "#" the boundary. */
static uint8_t *body_of(const char *text, const char *boundary, size_t *n)
{
	uint8_t *p = malloc(strlen(text) * 20 + 1);

	*n = 0;
	for (; *text != '\0'; text++) {
		const char *s = *text == '|' ? "\r\n" : boundary;

		if (*text == '|' || *text == '#') {
			memcpy(p + *n, s, strlen(s));
			*n += strlen(s);
		} else {
			p[(*n)++] = (uint8_t)*text;
		}
	}
	return realloc(p, *n > 0 ? *n : 1);
}

static void judge_multipart(const char *a, const char *b,
			    struct parts_verdict *v)
{
	static const char *const types[2] = {
		"multipart/byteranges; boundary=one",
		"multipart/byteranges; x=y; Boundary=\"the other\""
	};
	struct headers_rules by = { .view = view_of("header ignore X-Id") };
	const uint8_t *type[2], *body[2];
	uint8_t *own[4];
	size_t tn[2], n[2];

	by.rules = rules;
	for (unsigned i = 0; i < 2; i++) {
		type[i] = own[i] = copy_of(types[i]);
		tn[i] = strlen(types[i]);
		body[i] = own[i + 2] = body_of(
			i == 0 ? a : b, i == 0 ? "one" : "the other", &n[i]);
	}
	multipart_compare(&by, type, tn, body, n, v);
	for (unsigned i = 0; i < 2; i++)
		CHECK(v->at[i] + v->len[i] <= n[i]);
	for (unsigned i = 0; i < 4; i++)
		free(own[i]);
}

static void parts_are_paired(void)
{
	static const struct row rows[] = {
		{ "--#|A: 1||x|--#--", "--#|A: 1||x|--#--|", "", "=" },
		{ "pre|--#|A: 1||x|--#--|post", "--#|a:1||x|--#--", "", "=" },
		{ "--#|A: 1||x|--#--", "--#|A: 1||y|--#--", "", "content 0" },
		{ "--#|A: 1||x|--#--", "--#|A: 1||x||--#--", "", "content 0" },
		{ "--#|Content-Range: bytes 0-1/9||x|--#|B: 2||y|--#--",
		  "--#|Content-Range: bytes 0-2/9||x|--#|B: 2||y|--#--", "",
		  "header 0 content-range" },
		{ "--#|X-Id: 1||x|--#--", "--#|X-Id: 2||x|--#--", "", "=" },
		{ "--#||x|--#||y|--#--", "--#||x|--#--", "", "missing 1" },
		{ "--#||x|--#--", "--#||x|--#||y|--#--", "", "extra 1" },
		{ "--#||x|--#--", "--#||x|", "", "broken 0" },
		{ "--#||x|--#--", "--#||x|--#", "", "broken 0" },
		{ "--#||x|--#", "--#||x|--#--", "", "?" },
		{ "--#||x|--#x||--#--", "--#||x|--#x||--#--", "", "content 0" },
		{ "--#|A: 1|--#--", "--#|A: 1|--#--", "", "=" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct parts_verdict v;

		judge_multipart(rows[i].a, rows[i].b, &v);
		CHECK_ROW(strcmp(told_parts(&v), rows[i].want) == 0, rows[i].a);
	}
}

static void forms_have_fields(void)
{
	static const struct row rows[] = {
		{ "a=1&b=2", "b=2&a=1", "", "=" },
		{ "a=1&b=2", "b=2&a=2", "", "content 0" },
		{ "a=x+y", "a=x%20y", "", "=" },
		{ "a=%41", "%61=A", "", "=" },
		{ "a=%4", "a=%4", "", "=" },
		{ "a=%2B", "a=+", "", "content 0" },
		{ "a=1&a=2", "a=2&a=1", "", "content 0" },
		{ "a=1&b", "a=1", "", "missing 1" },
		{ "a=1", "a=1&b=", "", "extra 1" },
		{ "a", "a=", "", "=" },
		{ "", "", "", "=" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t *own[2] = { copy_of(rows[i].a), copy_of(rows[i].b) };
		const uint8_t *const body[2] = { own[0], own[1] };
		size_t n[2] = { strlen(rows[i].a), strlen(rows[i].b) };
		struct parts_verdict v;

		form_compare(body, n, &v);
		CHECK_ROW(strcmp(told_parts(&v), rows[i].want) == 0, rows[i].a);
		free(own[0]);
		free(own[1]);
	}
}

static const char *told_markup(const struct row *r, bool xml, const char *b)
{
	static const char *const change[] = { "none",	   "text",    "tag",
					      "attribute", "missing", "extra" };
	const struct rules_view *v = view_of(r->rules);
	uint8_t *p = copy_of(r->a), *q = copy_of(b);
	struct markup_verdict m;
	static char s[400];

	markup_compare(v, xml, p, strlen(r->a), q, strlen(b), &m);
	CHECK(m.at[0] + m.len[0] <= strlen(r->a));
	CHECK(m.at[1] + m.len[1] <= strlen(b));
	if (m.outcome == MARKUP_EQUAL)
		snprintf(s, sizeof(s), "=%s%s%s", m.folded ? " folded" : "",
			 m.tokens ? " tokens" : "",
			 m.masks != 0 ? " masks" : "");
	else if (m.outcome == MARKUP_UNJUDGED)
		snprintf(s, sizeof(s), "?");
	else
		snprintf(s, sizeof(s), "%s %s", change[m.change], m.path);
	free(p);
	free(q);
	return s;
}

static void run_markup(const struct row *rows, size_t n, bool xml)
{
	for (size_t i = 0; i < n; i++) {
		const char *got = told_markup(&rows[i], xml, rows[i].b);

		if (strcmp(got, rows[i].want) != 0) {
			CHECK_ROW(false, rows[i].a);
			printf("# %s / %s: %s, not %s\n", rows[i].a, rows[i].b,
			       got, rows[i].want);
		}
		CHECK_ROW(strcmp(told_markup(&rows[i], xml, rows[i].a), "=") ==
				  0,
			  rows[i].a);
	}
}

#define TOKEN_A "\"a2f4c6e8a2f4c6e8a2f4\""
#define TOKEN_B "\"00ff00ff00ff00ff00ff\""

static void html_is_compared_by_tokens(void)
{
	static const struct row rows[] = {
		{ "<p>a b</p>", "<P> a\n  b </p >", "", "= folded" },
		{ "<p>a b</p>", "<p>ab</p>", "", "text p" },
		{ "<html><body><p>a</p></body>",
		  "<html>\n<body>\n<p>b</p></body>", "", "text html/body/p" },
		{ "<a href=x class='y'>t</a>", "<a class=\"y\" href='x'>t</a>",
		  "", "= folded" },
		{ "<a href=x>t</a>", "<a href=y>t</a>", "",
		  "attribute a@href" },
		{ "<div><a href=x>t</a>", "<div><a>t</a>", "",
		  "attribute div/a@href" },
		{ "<a>t</a>", "<a id=1>t</a>", "", "attribute a@id" },
		{ "<p>a<br>b</p><i>x</i>", "<p>a<br/>b</p><b>x</b>", "",
		  "tag " },
		{ "<p>a", "<p>a<p>", "", "extra p" },
		{ "<p>a</p>", "<p>a", "", "missing p" },
		{ "<pre>a  b</pre>", "<pre>a b</pre>", "", "text pre" },
		{ "<script>if (a<b) x('</p>')</script>",
		  "<script>if (a<b) x('</q>')</script>", "", "text script" },
		{ "a < b", "a <  b", "", "= folded" },
		{ "<!-- a --><p>", "<!-- b --><p>", "", "text " },
		{ "<!-- a > --><p>", "<!-- a > --><q>", "", "tag " },
		{ "<a title='>'>x</a>", "<a title='>'>y</a>", "", "text a" },
		{ "<script nonce=" TOKEN_A ">x</script>",
		  "<script nonce=" TOKEN_B ">x</script>", "",
		  "= folded tokens" },
		{ "<script nonce=" TOKEN_A ">x</script>",
		  "<script nonce=\"\">x</script>", "",
		  "attribute script@nonce" },
		{ "<input type=hidden name=csrf_token value=" TOKEN_A ">",
		  "<input type=hidden name=csrf_token value=" TOKEN_B ">", "",
		  "= folded tokens" },
		{ "<input type=text name=csrf_token value=" TOKEN_A ">",
		  "<input type=text name=csrf_token value=" TOKEN_B ">", "",
		  "attribute input@value" },
		{ "<input type=hidden name=id value=" TOKEN_A ">",
		  "<input type=hidden name=id value=" TOKEN_B ">", "",
		  "attribute input@value" },
		{ "<meta name=csrf-token content=" TOKEN_A ">",
		  "<meta name=csrf-token content=" TOKEN_B ">", "",
		  "= folded tokens" },
		{ "<p>at 12:30</p>", "<p>at 13:45</p>",
		  "text mask /\\d\\d:\\d\\d/", "= masks" },
		{ "<a href=/x?v=12>", "<a href=/x?v=34>", "text mask /v=\\d+/",
		  "= folded masks" },
		{ "<p", "<q", "", "text " },
		{ "<p>a", "<p", "", "tag " },
	};

	run_markup(rows, ARRAY_SIZE(rows), false);
}

static void xml_is_stricter(void)
{
	static const struct row rows[] = {
		{ "<?xml version='1.0'?><a><b x='1' y='2'/></a>",
		  "<?xml version='1.0'?>\n<a>\n<b y=\"2\" x=\"1\"/>\n</a>", "",
		  "= folded" },
		{ "<a>x</a>", "<A>x</A>", "", "tag " },
		{ "<a b='1'/>", "<a B='1'/>", "", "attribute a@b" },
		{ "<a/>", "<a></a>", "", "tag " },
		{ "<a><![CDATA[ x>y ]]></a>", "<a><![CDATA[ x>z ]]></a>", "",
		  "text a" },
		{ "<title><b>1</b></title>", "<title><b>2</b></title>", "",
		  "text title/b" },
		{ "<a nonce=" TOKEN_A "/>", "<a nonce=" TOKEN_B "/>", "",
		  "attribute a@nonce" },
	};

	run_markup(rows, ARRAY_SIZE(rows), true);
}

static void depth_and_width_are_bounded(void)
{
	const struct rules_view *v = view_of("");
	size_t n = 1000000;
	uint8_t *p = malloc(3 * n), *q = malloc(3 * n);
	struct markup_verdict m;

	for (size_t i = 0; i < n; i++)
		memcpy(p + 3 * i, "<b>", 3);
	memcpy(q, p, 3 * n);
	q[3 * n - 2] = 'i';
	markup_compare(v, false, p, 3 * n, q, 3 * n, &m);
	CHECK(m.outcome == MARKUP_DIFFERENT && m.change == MARKUP_TAG);
	CHECK(m.at[0] == 3 * n - 3 && strncmp(m.path, "b/b/b/", 6) == 0);
	memset(p, '<', 3 * n);
	memset(q, '<', 3 * n);
	markup_compare(v, false, p, 3 * n, q, 3 * n, &m);
	CHECK(m.outcome == MARKUP_EQUAL);
	q[3 * n - 1] = '>';
	markup_compare(v, false, p, 3 * n, q, 3 * n, &m);
	CHECK(m.outcome == MARKUP_DIFFERENT);
	free(p);
	free(q);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "lines have masks", lines_have_masks },
		{ "a costly mask is named", a_costly_mask_is_named },
		{ "bytes have a first offset", bytes_have_a_first_offset },
		{ "parts are paired", parts_are_paired },
		{ "forms have fields", forms_have_fields },
		{ "html is compared by tokens", html_is_compared_by_tokens },
		{ "xml is stricter", xml_is_stricter },
		{ "depth and width are bounded", depth_and_width_are_bounded },
	};
	int rc = check_main(tests, ARRAY_SIZE(tests));

	free(rules);
	return rc;
}
