/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_versions.c - Unit test of versions/versions.h: what production has served
 *
 * A store is held against a plain list of all that was ever put into it.
 */
#include "versions/versions.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

#define S UINT64_C(1000000000)

static struct versions *v;
static void *memory;

static void begin(uint32_t answers, size_t bytes)
{
	static const struct hash_key key = { { 1, 2 } };
	struct versions_limits l = { .answers = answers, .bytes = bytes };
	struct arena a = { .size = versions_size(&l) };

	a.base = memory = aligned_alloc(ARENA_ALIGN, a.size);
	CHECK(versions_init(&v, &a, &l, &key) == 0);
}

static void end(void)
{
	versions_check(v);
	free(memory);
}

static struct head_rest head_of(const char *text)
{
	const uint8_t *p = (const uint8_t *)text;

	return (struct head_rest){ p, p + strlen(text) };
}

static void saw(uint64_t object, const char *head, const char *body,
		uint64_t at)
{
	const uint8_t *p = (const uint8_t *)body;
	size_t n = strlen(body);

	versions_saw(v, object, versions_content(v, p, n), at, head_of(head), p,
		     n);
	versions_check(v);
}

static const struct version *content(uint64_t object, const char *body)
{
	return versions_of_content(
		v, object,
		versions_content(v, (const uint8_t *)body, strlen(body)));
}

static const struct version *under(uint64_t object, const char *head)
{
	return versions_of_validator(v, object, head_of(head));
}

#define HEAD "HTTP/1.1 200 OK\r\n"

static void validators_find_their_answer(void)
{
	struct head_rest head;
	const uint8_t *body;

	begin(8, 4096);
	saw(1, HEAD "ETag: \"a\"\r\nLast-Modified: X\r\n", "one", 1);
	saw(1, HEAD "ETag: \"b\"\r\nLast-Modified: X\r\n", "two", 2);
	saw(1, HEAD "ETag: W/\"c\"\r\n", "three", 3);
	CHECK(under(1, "ETag: \"a\"\r\n") == content(1, "one"));
	CHECK(under(1, "ETag: \"b\"\r\n") == content(1, "two"));
	/* weak and strong are one (RFC 9110 section 8.8.3.2) */
	CHECK(under(1, "ETag: \"c\"\r\n") == content(1, "three"));
	/* the tag counts, and without one the newest of a time */
	CHECK(under(1, "Last-Modified: X\r\nETag: \"a\"\r\n") ==
	      content(1, "one"));
	CHECK(under(1, "Last-Modified: X\r\n") == content(1, "two"));
	CHECK(under(1, "ETag: \"z\"\r\nLast-Modified: X\r\n") == NULL);
	CHECK(under(2, "ETag: \"a\"\r\n") == NULL &&
	      under(1, "X: y\r\n") == NULL);
	CHECK(versions_text(v, content(1, "two"), &head, &body));
	CHECK(content(1, "two")->body == 3 && memcmp(body, "two", 3) == 0);
	CHECK((size_t)(head.end - head.p) ==
	      strlen(HEAD "ETag: \"b\"\r\nLast-Modified: X\r\n"));
	end();
}

static void the_time_since_it_was_left(void)
{
	begin(8, 4096);
	saw(1, HEAD, "one", 10 * S);
	saw(1, HEAD, "one", 20 * S);
	CHECK(versions_left(v, content(1, "one"), 99 * S) == 0);
	CHECK(versions_newest(v, content(1, "one")));
	saw(1, HEAD, "two", 30 * S);
	CHECK(!versions_newest(v, content(1, "one")) &&
	      versions_newest(v, content(1, "two")));
	CHECK(versions_left(v, content(1, "one"), 99 * S) == 69 * S);
	CHECK(versions_left(v, content(1, "two"), 99 * S) == 0);
	saw(1, HEAD, "three", 50 * S);
	CHECK(versions_left(v, content(1, "one"), 99 * S) == 69 * S);
	CHECK(versions_left(v, content(1, "two"), 99 * S) == 49 * S);
	/* It is back; then doubt is the SUT's. */
	saw(1, HEAD, "one", 60 * S);
	CHECK(versions_left(v, content(1, "one"), 99 * S) == 0);
	saw(1, HEAD, "three", 61 * S);
	CHECK(versions_left(v, content(1, "one"), 99 * S) == 38 * S);
	/* told late: it was seen before what took its place */
	saw(1, HEAD, "two", 45 * S);
	CHECK(versions_left(v, content(1, "two"), 99 * S) == 49 * S);
	/* asked for a moment before it was left */
	CHECK(versions_left(v, content(1, "two"), 47 * S) == 0);
	end();
}

static void lifetimes(void)
{
	static const struct {
		const char *head;
		int64_t s;
	} rows[] = {
		{ "", -1 },
		{ "Cache-Control: max-age=60\r\n", 60 },
		{ "Cache-Control: public, MAX-AGE=\"60\"\r\n", 60 },
		{ "Cache-Control: max-age=60, s-maxage=5\r\n", 5 },
		{ "Cache-Control: s-maxage=0,max-age=60\r\n", 0 },
		{ "Cache-Control: xmax-age=60\r\n", -1 },
		{ "Cache-Control: max-age=\r\n", -1 },
		{ "Cache-Control: max-age=x\r\n", -1 },
		{ "Cache-Control: max-age=-5\r\n", -1 },
		{ "Cache-Control: max-age=\"\r\n", -1 },
		{ "Cache-Control: max-age=60;q\r\n", 60 },
		{ "Cache-Control: max-age=60/2\r\n", 60 },
		{ "Cache-Control: public,\tmax-age=60\r\n", 60 },
		{ "Cache-Control: max-age\r\n", -1 },
		{ "Cache-Control: max-age=99999999999999999999\r\n",
		  INT64_C(10) * 365 * 24 * 3600 },
		{ "Cache-Control: private, max-age=60\r\n", -1 },
		{ "Cache-Control: no-store\r\n", -1 },
		{ "Cache-Control: no-cache, max-age=60\r\n", -1 },
		{ "Cache-Control: max-age=60\r\nVary: Accept-Encoding\r\n",
		  60 },
		{ "Cache-Control: max-age=60\r\nVary: Accept-Language\r\n",
		  -1 },
		{ "Cache-Control: max-age=60\r\nVary: Accept-Encoding, "
		  "Cookie\r\n",
		  -1 },
		{ "Cache-Control: max-age=60\r\nVary: *\r\n", -1 },
		{ "Cache-Control: max-age=60\r\nVary: Accept-Encoding\r\n"
		  "Vary: Accept-Encoding\r\n",
		  -1 },
		{ "Cache-Control: max-age=60\r\nVary: Accept-Languages\r\n",
		  -1 },
		{ "Cache-Control: max-age=60\r\nSet-Cookie: a=b\r\n", -1 },
		{ "Cache-Control: max-age=60\r\nCache-Control: private\r\n",
		  -1 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t ns = versions_lifetime(head_of(rows[i].head));

		CHECK_ROW(ns == (rows[i].s < 0 ? -1 : rows[i].s * (int64_t)S),
			  rows[i].head);
	}
}

/* One content under two tags; what is told late changes no order. */
static void the_newest_of_a_content(void)
{
	const struct version *a, *b;

	begin(8, 4096);
	saw(1, HEAD "ETag: \"a\"\r\n", "one", 20 * S);
	saw(1, HEAD "ETag: W\r\n", "one", 10 * S);
	saw(1, HEAD "ETag: Wx\"c\"\r\n", "two", 5 * S);
	a = under(1, "ETag: \"a\"\r\n");
	b = under(1, "ETag: W\r\n");
	CHECK(a && b && a != b && content(1, "one") == a);
	CHECK(versions_now(v, 1) == a);
	CHECK(under(1, "ETag: Wx\"c\"\r\n") == content(1, "two"));
	CHECK(under(1, "ETag: \"c\"\r\n") == NULL);
	CHECK(under(1, "ETag:\r\n") == NULL);
	saw(1, HEAD "ETag: W\r\n", "one", 30 * S);
	CHECK(content(1, "one") == b && versions_now(v, 1) == b);
	CHECK(b->first == 10 * S && b->last == 30 * S);
	saw(1, HEAD "ETag: W\r\n", "one", 2 * S);
	CHECK(b->first == 2 * S && b->last == 30 * S);
	CHECK(content(1, "one") == b);
	end();
}

static void the_oldest_go(void)
{
	struct head_rest head;
	const uint8_t *body;
	char text[64];

	/* of one object */
	begin(64, 1 << 16);
	for (unsigned i = 0; i < VERSIONS_OF + 2; i++) {
		snprintf(text, sizeof(text), "%u", i);
		saw(5, HEAD, text, i);
	}
	CHECK(content(5, "0") == NULL && content(5, "1") == NULL);
	CHECK(content(5, "2") != NULL && versions_stats(v)->pushed == 2);
	end();
	/* of all */
	begin(4, 1 << 16);
	for (unsigned i = 0; i < 6; i++)
		saw(10 + i, HEAD, "x", i);
	CHECK(content(11, "x") == NULL && content(12, "x") != NULL);
	end();
	/* bytes: what is asked for again stays */
	begin(64, 1024);
	memset(text, 'x', 60);
	text[60] = '\0';
	saw(1, "", text, 0);
	saw(2, "", text, 0);
	for (unsigned i = 0; i < 40; i++) {
		saw(100 + i, "", text, i);
		saw(1, "", text, i);
	}
	CHECK(versions_text(v, content(1, text), &head, &body));
	CHECK(memcmp(body, text, 60) == 0);
	CHECK(!versions_text(v, content(2, text), &head, &body));
	end();
	/* too long to be kept, and known all the same */
	begin(4, 256);
	saw(1, "", text, 0);
	CHECK(content(1, text) != NULL && versions_stats(v)->long_ones == 1);
	CHECK(!versions_text(v, content(1, text), &head, &body));
	end();
}

/* Whatever is in it is what was put in, byte for byte. */
static void bytes_are_never_anothers(void)
{
	struct rng r = { 5 };

	begin(32, 4096);
	for (unsigned k = 0; k < 20000; k++) {
		uint64_t object = 1 + rng_below(&r, 40);
		size_t n = rng_below(&r, 300);
		uint8_t c = (uint8_t)(object * 7 + rng_below(&r, 3));
		uint8_t body[300];
		struct head_rest head;
		const struct version *of;
		const uint8_t *p;

		memset(body, c, n);
		versions_saw(v, object, versions_content(v, body, n), k,
			     head_of(HEAD), body, n);
		of = versions_of_content(v, object,
					 versions_content(v, body, n));
		CHECK(of != NULL && of->last >= k &&
		      versions_text(v, of, &head, &p));
		CHECK(of->body == n && (n == 0 || memcmp(p, body, n) == 0));
		if (k % 64 == 0)
			versions_check(v);
	}
	end();
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "validators find their answer",
		  validators_find_their_answer },
		{ "the time since it was left", the_time_since_it_was_left },
		{ "lifetimes", lifetimes },
		{ "the newest of a content", the_newest_of_a_content },
		{ "the oldest go", the_oldest_go },
		{ "bytes are never another's", bytes_are_never_anothers },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
