/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_redact.c - Unit test of redact/redact.h
 *
 * Rows: a text in which what must not be shown stands between two bytes 1. Each
 * is shown whole, and as the excerpts around every byte that a comparison could
 * make of it, cut on both sides; no four bytes of a secret may come out, and all
 * else that a reader could want must.
 */
#include "redact/redact.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "compare/compare.h"

#define JWT  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJVNzMifQ.c2lnbmF0dXJlT0ZqV1Q4Nw"
#define ROOM 4096

static const char *const rows[] = {
	/* fields of heads */
	"Authorization: Bearer \1mF_9.B5f-4.1JqM\1\r\nX-A: 1\r\n",
	"authorization: Basic \1QWxhZGRpbjpvcGVuIHNlc2FtZQ==\1\r\n",
	"Authorization: Digest \1username=\"Mufasa\", "
	"response=\"6629fae4\"\1\r\n",
	"Proxy-Authorization: Basic \1cHI6b3h5cGFzc3c=\1\r\nVia: x\r\n",
	"Cookie: sid=\0019f3a2c77aa\1; theme=\1dQrk42\1\r\nHost: a\r\n",
	"Set-Cookie: sid=\1Z81kq0Lm3\1; Path=/; HttpOnly; Max-Age=99\r\n",
	"X-Api-Key: \001k3y_of_a_Shop\1\r\n",
	"X-Auth-Token: \1t0kqn-For-All\1\r\n",
	"X-CSRF-Token: \1c5rq0fAPgge\1\r\n",
	/* queries */
	"GET /login?user=bob&password=\1huNter2xy\1 HTTP/1.1",
	"GET /cb?access_token=\1Gsl3Kq91\1&state=up HTTP/1.1",
	"GET /x?api_key=\1QQ88wwEE\1 HTTP/1.1",
	"GET /x?user%5Bpassword%5D=\1nEst3dOne\1&a=1 HTTP/1.1",
	"GET /x?j=%7B%22pin%22%3A%22\0014839Zx\1%22%7D HTTP/1.1",
	/* JSON */
	"{\"user\": \"bob\", \"password\": \"\1huNter2xy\1\", \"n\": 1}",
	"{\"apiKey\":\"\1aPi9key8\1\",\"ok\":true}",
	"{\"client_secret\" : \"\1with \\\" a quote Q7\1\" }",
	"{\"pin\": \001483920\1, \"n\": 17}",
	"{\"tokens\": \1[\"uNo1\", \"dUo2\", \"tRes3\"]\1, \"n\": 17}",
	"{\"text\": \"{\\\"password\\\":\\\"\1esCap3ed\1\\\",\\\"n\\\":17}\"}",
	"[{\"name\": \"refresh_token\", \"value\": \"\1HaR_v4lue\1\"}, 17]",
	/* forms and parts */
	"user=bob&passwd=\1foRm7Kqw9\1&go=17",
	"--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n"
	"\1Mult1part!\1\r\n--b\r\nContent-Disposition: form-data; name=\"n\""
	"\r\n\r\n17\r\n--b--\r\n",
	/* pages and XML */
	"<input type=\"password\" name=\"x\" value=\"\1pAge4Kq9\1\"> 17",
	"<input value='\1bef0reNqme\1' name='csrf_token'> 17",
	"<meta name=\"csrf-token\" content=\"\1m3taT0kqn\1\"/> 17",
	"<user><password>\1xMl 5Kq9\1</password><n>17</n></user>",
	/* by form */
	"card 17: \0014111 1111 1111 1111\1, thanks",
	"{\"number\":\"\0015500-0000-0000-0004\1\",\"n\":17}",
	"GET /pay/\001378282246310005\1/ok HTTP/1.1",
	"the jwt is \1" JWT "\1 17",
	"curl -H 'X: bearer \1abCDefGH12\1' 17",
	"https://\1bob:s3cr3tPw\1@shop.example/17",
	"key \1AKIAIOSFODNN7EXAMPLE\1 of 17",
	"key \1ghp_16C7e42F292c6912E7710c838347Ae178B4a\1 of 17",
	"key \1sk_live_4eC39HqLyjWDarjtT1zdp7dc\1 of 17",
	"-----BEGIN RSA PRIVATE KEY-----\1\nMIIEow\nIBAAKCAQ\n\1-----END RSA "
	"PRIVATE KEY----- 17",
	"see basic \1QWxhZGRpbjpvcGVuIHNlc2FtZQ==\1 17",
	"see basic%20\1dXNlcjp+fn4=\1 17",
	"see Basic+\1dXNlcjoxMjM0NTY3OD8_\1 17",
	"see bearer  \1abCDefGH12\1, 17",
	"key \1AIzaSyA1234567890123456789012345678901\1 of 17",
	"key \1github_pat_11ABCDEFG0abcdefghij\1 of 17",
	/* what a rule names */
	"X-Shop-Member: \1m3mKR0No8\1\r\n",
	"{\"phone\": \"\1+49 30 1234\1\", \"n\": 17}",
};

static struct rules *by;
static struct redact all;

static void set_up(void)
{
	static const char text[] = "understudy rules 1\n"
				   "redact header X-Shop-Member\n"
				   "redact query ref page\n"
				   "redact json $.user.phone\n";
	static const struct hash_key key = { { 3, 4 } };
	struct arena a = { .size = rules_size() };
	struct rules_error e;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	CHECK(rules_init(&by, &a) == 0);
	CHECK(rules_read(by, text, sizeof(text) - 1, &e) == 0);
	CHECK(rules_end(by, 0) == 0 && rules_secrets(by) == 4);
	redact_init(&all, &key, by, false);
}

/* The text without its marks, and which of its bytes are secrets. */
struct planted {
	char *text;
	bool *secret;
	size_t n;
};

static struct planted plant(const char *row)
{
	size_t n = strlen(row);
	struct planted p = { malloc(n + 1), malloc(n + 1), 0 };
	bool in = false;

	for (; *row != '\0'; row++) {
		if (*row == '\1') {
			in = !in;
			continue;
		}
		p.secret[p.n] = in;
		p.text[p.n++] = *row;
	}
	p.text[p.n] = '\0';
	return p;
}

static void unplant(struct planted *p)
{
	free(p->text);
	free(p->secret);
}

/* Do four bytes of a secret stand in @out? */
static bool leaks(const struct planted *p, const char *out)
{
	for (size_t i = 0; i + 4 <= p->n; i++) {
		char four[5] = "";

		if (!p->secret[i] || !p->secret[i + 1] || !p->secret[i + 2] ||
		    !p->secret[i + 3])
			continue;
		memcpy(four, p->text + i, 4);
		if (strstr(out, four) != NULL)
			return true;
	}
	return false;
}

static const char *shown(const struct redact *r, const struct redact_text *t)
{
	static char out[ROOM];
	uint8_t *p = malloc(t->n > 0 ? t->n : 1); /* of its exact size */
	struct redact_text exact = *t;

	memcpy(p, t->p, t->n);
	exact.p = p;
	out[redact_put(r, &exact, (uint8_t *)out, ROOM - 1)] = '\0';
	free(p);
	return out;
}

static const char *shown_all(const char *text)
{
	struct redact_text t = { .p = (const uint8_t *)text,
				 .n = strlen(text),
				 .to = strlen(text) };

	return shown(&all, &t);
}

static void no_secret_is_shown(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planted p = plant(rows[i]);
		const char *out = shown_all(p.text);

		CHECK_ROW(!leaks(&p, out), rows[i]);
		CHECK_ROW(strstr(out, "<secret:") != NULL, rows[i]);
		CHECK_ROW(strstr(out, "+>") == NULL, rows[i]);
		unplant(&p);
	}
}

static void all_else_is(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planted p = plant(rows[i]);
		const char *at = shown_all(p.text);

		for (size_t k = 0; k < p.n; k++) {
			if (!p.secret[k]) {
				CHECK_ROW(*at == p.text[k], rows[i]);
				at++;
			} else if (k == 0 || !p.secret[k - 1]) {
				at = strchr(at, '>');
				at = at != NULL ? at + 1 : "";
			}
		}
		CHECK_ROW(*at == '\0', rows[i]);
		unplant(&p);
	}
}

/* As lane.c makes them, around each byte. */
static void no_excerpt_shows_one(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planted p = plant(rows[i]);

		for (size_t at = 0; at < p.n; at++) {
			size_t front = at < COMPARE_FRONT ? at : COMPARE_FRONT;
			size_t end = at + COMPARE_EXCERPT;
			struct redact_text t = { .from = front,
						 .headless = at > front };

			end = end < p.n ? end : p.n;
			t.p = (const uint8_t *)p.text + at - front;
			t.n = t.to = end - at + front;
			t.cut = end < p.n;
			CHECK_ROW(!leaks(&p, shown(&all, &t)), rows[i]);
		}
		unplant(&p);
	}
}

static void what_is_none_is_shown(void)
{
	static const char *const plain[] = {
		"GET /user/17/orders?page_size=2&sort=price HTTP/1.1",
		"{\"price\": 10.00, \"id\": 4111111111111112, \"ok\": null}",
		"{\"password\": null, \"token\": false, \"pin\": \"\"}",
		"{\"epoch_ns\": 1700000000000000000}",
		"Content-Length: 4111\r\nETag: \"5f3a-17\"\r\n",
		"Basic questions about sessions and passwords",
		"http://shop.example:8080/17",
		"html/body/form/input",
		"basic",
		"bearer",
		"a bearer-of-news",
		"bearer x",
		"basic YWJjZGVmZ2hpamtsbW5v", /* no colon in it */
		"basic =====================",
		"card 41111111111111111111111",
		"card 4111111111111111x",
		"card 411111111111",
		"card 7111111111111111",
		"ftp://user@host/17",
		"http://a b:c@d",
		"http://a<b:c@d",
		"-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
		"-----BEGIN PRIVATE KEY-----",
		"AKIA17, sk-17, ghp_17, eyJ.17",
		"$.items[3].price",
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		CHECK_ROW(strcmp(shown_all(plain[i]), plain[i]) == 0, plain[i]);
}

/* The tag of the first secret. */
static const char *tag_of(const struct redact *r, const char *text,
			  const char *name)
{
	static char tag[4][REDACT_TAG + 1];
	static unsigned at;
	struct redact_text t = { .p = (const uint8_t *)text,
				 .n = strlen(text),
				 .to = strlen(text),
				 .name = name,
				 .name_len = name != NULL ? strlen(name) : 0 };
	const char *p = strstr(shown(r, &t), "<secret:");
	char *to = tag[at++ % 4];

	snprintf(to, REDACT_TAG + 1, "%.17s", p != NULL ? p : "none");
	return to;
}

static void equal_values_have_equal_tags(void)
{
	static const struct hash_key other = { { 3, 5 } };
	const char *a = tag_of(&all, "{\"token\":\"k7Qw\"}", NULL);
	struct redact r;

	CHECK(strlen(a) == 17);
	CHECK(strcmp(a, tag_of(&all, "/x?token=k7Qw&y", NULL)) == 0);
	CHECK(strcmp(a, tag_of(&all, "sid=k7Qw; Path=/", "set-cookie")) == 0);
	CHECK(strcmp(a, tag_of(&all, "\"k7Qw\"", "token")) == 0);
	CHECK(strcmp(a, tag_of(&all, "Bearer k7Qw", "Authorization")) == 0);
	CHECK(strcmp(a, tag_of(&all, "/x?token=k7QW", NULL)) != 0);
	redact_init(&r, &other, by, false);
	CHECK(strcmp(a, tag_of(&r, "/x?token=k7Qw", NULL)) != 0);
}

static void a_part_says_so(void)
{
	struct redact_text t = { .p = (const uint8_t *)"x=1&token=k7Qw",
				 .n = 14,
				 .to = 14,
				 .cut = true };
	const char *out = shown(&all, &t);

	CHECK(strncmp(out, "x=1&token=<secret:", 18) == 0);
	CHECK(strcmp(out + 26, "+>") == 0);
}

/* What is cut could be the beginning of one; what is not cut is none. */
static void what_is_cut_could_be_one(void)
{
	static const struct {
		const char *text;
		size_t shown;	/* bytes in front of the tag */
		bool whole_too; /* it is one without being cut */
	} row[] = {
		{ "card 4111 1111", 5, false },
		{ "card 4111 111", SIZE_MAX, false },
		{ "basic QWxh", 6, false },
		{ "bearer Q", 7, false },
		{ "bearer ", SIZE_MAX, false },
		{ "http://bob:s3cr", 7, false },
		{ "http://bob:8080", SIZE_MAX, false },
		{ "http://bob", SIZE_MAX, false },
		{ "key ghp_16", 4, false },
		{ "-----BEGIN RSA PRIV", 0, false },
		{ "-----BEGIN PRIVATE KEY-----\nMII", 27, true },
		{ "-----BEGIN PRIVATE KEY-----", SIZE_MAX, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row) * 2; i++) {
		const char *text = row[i / 2].text;
		struct redact_text t = { .p = (const uint8_t *)text,
					 .n = strlen(text),
					 .to = strlen(text),
					 .cut = i & 1 };
		const char *out = shown(&all, &t);
		size_t at = row[i / 2].shown;

		if (at == SIZE_MAX || (!t.cut && !row[i / 2].whole_too)) {
			CHECK_ROW(strcmp(out, text) == 0, text);
			continue;
		}
		CHECK_ROW(strncmp(out, text, at) == 0, text);
		CHECK_ROW(strncmp(out + at, "<secret:", 8) == 0, text);
	}
}

static void off_shows_all(void)
{
	struct redact r = all;
	struct redact_text t = { .p = (const uint8_t *)"token=k7Qw",
				 .n = 10,
				 .to = 10 };

	r.off = true;
	CHECK(strcmp(shown(&r, &t), "token=k7Qw") == 0);
	CHECK(strcmp(shown(NULL, &t), "token=k7Qw") == 0);
}

static void a_tag_is_not_cut_nor_tagged(void)
{
	static const char text[] = "a=1&token=k7Qw&b=2";
	char once[64];

	for (size_t room = 0; room < 40; room++) {
		uint8_t out[41];
		size_t n = redact_all(&all, text, sizeof(text) - 1, out, room);

		out[n] = '\0';
		CHECK(n <= room);
		CHECK(strchr((char *)out, '<') == NULL ||
		      strchr((char *)out, '>') != NULL);
	}
	snprintf(once, sizeof(once), "%s", shown_all(text));
	CHECK(strcmp(shown_all(once), once) == 0);
}

/* Any bytes, in blocks of their size: nothing is read beyond. */
static void any_bytes_are_read(void)
{
	static const char set[] =
		"\"'\\%=:<>{}[]&; \t\r\n-+eyJ41token5D3a22name";
	uint32_t x = 7;

	for (unsigned i = 0; i < 60000; i++) {
		uint8_t p[48];
		struct redact_text t = { .p = p };

		for (t.n = 0; t.n < 1 + i % 48; t.n++) {
			x = x * 1664525 + 1013904223;
			p[t.n] = (uint8_t)set[(x >> 16) % (sizeof(set) - 1)];
		}
		t.from = (x >> 8) % t.n;
		t.to = t.n;
		t.headless = (x >> 20) & 1;
		t.cut = (x >> 21) & 1;
		t.name = (x >> 22 & 7) == 0 ? "cookie" : NULL;
		t.name_len = 6;
		(void)shown(&all, &t);
	}
}

/* Each row whole, at equal length: nothing of a secret is left. */
static void masks_are_as_long(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t text[ROOM], out[ROOM];
		size_t n = 0, from[8], to[8], secrets = 0;
		bool inside = false;

		for (const char *p = rows[i]; *p != '\0'; p++) {
			if (*p != '\1') {
				text[n++] = (uint8_t)*p;
				continue;
			}
			if (inside)
				to[secrets++] = n;
			else
				from[secrets] = n;
			inside = !inside;
		}
		memset(out, 1, sizeof(out));
		redact_mask(&all,
			    &(struct redact_text){ .p = text, .n = n, .to = n },
			    out);
		CHECK_ROW(!memchr(out, 1, n) && out[n] == 1, rows[i]);
		for (size_t s = 0; s < secrets; s++)
			for (size_t k = from[s]; k + 4 <= to[s]; k++)
				CHECK_ROW(!memmem(out, n, text + k, 4),
					  rows[i]);
		redact_mask(&all,
			    &(struct redact_text){ .p = text, .n = n, .to = n },
			    text);
		CHECK_ROW(memcmp(text, out, n) == 0, rows[i]);
	}
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "no secret is shown", no_secret_is_shown },
		{ "all else is", all_else_is },
		{ "no excerpt shows one", no_excerpt_shows_one },
		{ "what is none is shown", what_is_none_is_shown },
		{ "equal values have equal tags",
		  equal_values_have_equal_tags },
		{ "a part says so", a_part_says_so },
		{ "what is cut could be one", what_is_cut_could_be_one },
		{ "off shows all", off_shows_all },
		{ "a tag is not cut, nor tagged", a_tag_is_not_cut_nor_tagged },
		{ "any bytes are read", any_bytes_are_read },
		{ "masks are as long", masks_are_as_long },
	};
	int r;

	set_up();
	r = check_main(tests, sizeof(tests) / sizeof(tests[0]));
	free(by);
	return r;
}
