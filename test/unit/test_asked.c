/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_asked.c - Unit test of app/asked.h: which object, and on what condition
 */
#include "app/asked.h"

#include <string.h>

#include "check.h"

static struct asked of(const char *head)
{
	struct asked a;

	asked_begin(&a, 7, 3);
	asked_head(&a, (const uint8_t *)head, (uint32_t)strlen(head));
	return a;
}

#define LINE(t) "GET " t " HTTP/1.1\r\n"
#define BASE	LINE("/a?b=1") "Host: h.example\r\n"

static void target_and_host_name_an_object(void)
{
	static const char *const same[] = {
		BASE "\r\n",
		BASE "If-None-Match: \"x\"\r\nCookie: a=b\r\n\r\n",
		LINE("/a?b=1") "Accept: */*\r\nhOST:\t h.Example \r\n\r\n",
		"HEAD /a?b=1 HTTP/1.0\nHost: H.EXAMPLE\n\n",
	};
	static const char *const other[] = {
		LINE("/a?b=2") "Host: h.example\r\n\r\n",
		LINE("/A?b=1") "Host: h.example\r\n\r\n",
		LINE("/a?b=1") "Host: i.example\r\n\r\n",
		LINE("/a?b=1") "X-Host: h.example\r\n\r\n",
		LINE("/a?b=1h.example") "Host:\r\n\r\n",
		LINE("/a?b=1") "\r\n",
	};
	uint64_t object = of(same[0]).object;

	CHECK(of(same[0]).index == 3);
	for (unsigned i = 0; i < ARRAY_SIZE(same); i++)
		CHECK_ROW(of(same[i]).object == object, same[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(other); i++)
		CHECK_ROW(of(other[i]).object != object, other[i]);
}

static void conditions_are_seen(void)
{
	static const struct {
		const char *line;
		unsigned flags;
	} rows[] = {
		{ "", 0 },
		{ "If-None-Match: \"x\"\r\n", 1u << ASKED_NONE_MATCH },
		{ "IF-MATCH: *\r\n", 1u << ASKED_MATCH },
		{ "if-range: \"x\"\r\nRange: bytes=0-1\r\n",
		  1u << ASKED_RANGE },
		{ "If-Modified-Since: x\r\nIf-Unmodified-Since: y\r\n",
		  1u << ASKED_SINCE | 1u << ASKED_UNMODIFIED },
		{ "Authorization: Basic eDp5\r\n", 1u << ASKED_AUTHORIZED },
		{ "If-Matched: x\r\nIf-Matc: y\r\nIf-Match : z\r\n", 0 },
		{ "X: a\r\n if-match: folded\r\n", 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char head[256];

		strcpy(head, BASE);
		strcat(head, rows[i].line);
		strcat(head, "\r\n");
		CHECK_ROW(of(head).flags == (rows[i].flags | 1u << ASKED_HOST |
					     ASKED_READ),
			  rows[i].line);
	}
}

static void head_is_told_from_other_methods(void)
{
	static const struct {
		const char *line;
		unsigned head;
	} rows[] = {
		{ LINE("/"), ASKED_READ },
		{ "GETS / HTTP/1.1\r\n", 0 },
		{ "GE / HTTP/1.1\r\n", 0 },
		{ "GETHEAD / HTTP/1.1\r\n", 0 },
		{ "POST / HTTP/1.1\r\n", 0 },
		{ "HEAD / HTTP/1.1\r\n", ASKED_HEAD | ASKED_READ },
		{ "HEADS / HTTP/1.1\r\n", 0 },
		{ "HEA / HTTP/1.1\r\n", 0 },
		{ "head / HTTP/1.1\r\n", 0 },
		{ "AHEAD / HTTP/1.1\r\n", 0 },
		{ "HHEAD / HTTP/1.1\r\n", 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char head[128];

		strcpy(head, rows[i].line);
		strcat(head, "Host: x\r\nAccept: y\r\n\r\n");
		CHECK_ROW(of(head).flags == (1u << ASKED_HOST | rows[i].head),
			  rows[i].line);
	}
}

#define PAIR(s) asked_pair(7, (const uint8_t *)s, sizeof(s) - 1)

static void cookies_have_numbers(void)
{
	static const char head[] = BASE
		"Cookie: a=b; c=d;e=\r\nCookie2: x=y\r\ncookie:\tg=\"h\" ;; "
		"i=j; k=l\r\n\r\n";
	struct asked a = of(head);

	CHECK(a.sents == 4 && (a.flags & 1u << ASKED_COOKIE));
	CHECK(a.sent[0] == PAIR("a=b") && a.sent[1] == PAIR("c=d"));
	CHECK(a.sent[2] == PAIR("e=") && a.sent[3] == PAIR("g=\"h\""));
	CHECK(PAIR("a=b") != PAIR("a=c") && PAIR("a=b") != PAIR("b=a"));
	CHECK(PAIR("a=b") != asked_pair(8, (const uint8_t *)"a=b", 3));
	CHECK(of(BASE "Cookie: \r\nSet-Cookie: a=b\r\n\r\n").sents == 0);
	for (uint32_t cut = 1; cut + 1 < sizeof(head); cut++) {
		asked_begin(&a, 7, 3);
		asked_head(&a, (const uint8_t *)head, cut);
		asked_head(&a, (const uint8_t *)head + cut,
			   (uint32_t)sizeof(head) - 1 - cut);
		CHECK(a.sents == 4 && a.sent[3] == PAIR("g=\"h\""));
	}
}

/* The number of a word alone, read by itself. */
static uint64_t token(const char *s)
{
	struct token_reader w;
	struct token_word out = { 0 };

	tokens_begin(&w, 9);
	for (; *s != '\0'; s++)
		CHECK(!tokens_next(&w, (uint8_t)*s, &out));
	CHECK(tokens_end(&w, &out) && out.token);
	return out.number;
}

static struct asked tokens_of(const char *head, const char *body, size_t cut)
{
	size_t n = strlen(head), k = strlen(body);
	struct asked a;

	asked_begin(&a, 7, 3);
	asked_for_tokens(&a, 9);
	for (size_t i = 0; i < n; i += cut)
		asked_head(&a, (const uint8_t *)head + i,
			   (uint32_t)(n - i < cut ? n - i : cut));
	for (size_t i = 0; i < k; i += cut)
		asked_body(&a, (const uint8_t *)body + i,
			   (uint32_t)(k - i < cut ? k - i : cut));
	asked_end(&a);
	return a;
}

static void tokens_of_a_request_have_numbers(void)
{
	static const char head[] =
		"POST /reset/0123456789abcdefT?x=fedcba9876543210_ HTTP/1.1\r\n"
		"Host: 00000000000000000000.example\r\n"
		"If-None-Match: \"11111111111111111111\"\r\n"
		"X-Csrf-Token-Of-A-Name: aaaabbbbccccDDDD\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\n"
		"authorization: Bearer abc.2222333344445555-.x\r\n"
		"Cookie: csrf=eeeeffff00001111; s=12345\r\n\r\n";
	static const char body[] = "t=a%2B9999888877776666%3D&u=short1&v="
				   "\\u00410000111122223333\\/4444555566667777";
	const uint64_t want[ASKED_TOKENS] = {
		token("0123456789abcdefT"), token("fedcba9876543210_"),
		token("aaaabbbbccccDDDD"),  token("2222333344445555-"),
		token("eeeeffff00001111"),  token("9999888877776666"),
		token("0000111122223333"),  token("4444555566667777"),
	};

	for (size_t cut = 1; cut < sizeof(head); cut++) {
		struct asked a = tokens_of(head, body, cut);

		CHECK(a.tokens == ASKED_TOKENS);
		CHECK(memcmp(a.token, want, sizeof(want)) == 0);
		CHECK(a.sents == 2 && a.object == of(head).object);
		CHECK(a.flags == of(head).flags);
	}
	CHECK(of(head).tokens == 0); /* nobody asked for them */
}

/* What is small, or says something, is no token; more than are kept are not. */
static void what_is_no_token_has_no_number(void)
{
	static char body[2 * ASKED_BODY];

	CHECK(tokens_of(
		      "GET / HTTP/1.1\r\nA: x\r\n\r\n",
		      "abcdefabcdef123 abcdefghijklmnopqrst UPPER-CASE-NAME-X",
		      9)
		      .tokens == 0);
	for (size_t i = 0; i < ASKED_BODY - 16; i++)
		body[i] = ' ';
	memcpy(body + ASKED_BODY - 16, "0123456789abcdefT", 18);
	CHECK(tokens_of("", body, 1000).token[0] == token("0123456789abcdef"));
	for (size_t i = 0; i < 20; i++)
		memcpy(body + 17 * i, "0123456789abcdef ", 18);
	CHECK(tokens_of("", body, 1000).tokens == ASKED_TOKENS);
}

static void it_does_not_matter_how_it_is_cut(void)
{
	static const char head[] =
		BASE "If-Range: x\r\nAuthorization: y\r\n\r\n";
	struct asked whole = of(head), a;

	asked_begin(&a, 7, 3);
	for (uint32_t i = 0; i + 1 < sizeof(head); i++)
		asked_head(&a, (const uint8_t *)head + i, 1);
	CHECK(a.object == whole.object && a.flags == whole.flags);
	asked_begin(&a, 8, 3);
	asked_head(&a, (const uint8_t *)head, sizeof(head) - 1);
	CHECK(a.object != whole.object); /* another seed */
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "target and host name an object",
		  target_and_host_name_an_object },
		{ "conditions are seen", conditions_are_seen },
		{ "HEAD is told from other methods",
		  head_is_told_from_other_methods },
		{ "cookies have numbers", cookies_have_numbers },
		{ "tokens of a request have numbers",
		  tokens_of_a_request_have_numbers },
		{ "what is no token has no number",
		  what_is_no_token_has_no_number },
		{ "it does not matter how it is cut",
		  it_does_not_matter_how_it_is_cut },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
