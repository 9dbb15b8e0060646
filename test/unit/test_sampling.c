/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_sampling.c - Is a difference told as text, and without its secrets?
 */
#include "evidence/sampling.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "check.h"
#include "core/rng.h"

#define SECRET "hunter2hunter2"

static struct redact redact;

/* A difference whose sides said these bytes, cut into segments by chance. */
struct talk {
	struct want w;
	struct report_difference d;
	struct compare_result r;
	struct rng rng;
};

static void begin(struct talk *t, uint64_t seed)
{
	*t = (struct talk){ .rng = { seed } };
	t->d.result = &t->r;
	t->w.d = &t->d;
}

static void say(struct talk *t, enum want_side side, const void *p, size_t n)
{
	size_t at = 0;

	t->w.begun[side] = true;
	t->w.base[side] = UINT32_MAX - 7;
	while (at < n && t->w.n < WANT_FRAMES) {
		size_t len = 1 + rng_below(&t->rng, (uint32_t)(n - at));
		struct piece *f = &t->w.piece[t->w.n++];

		*f = (struct piece){ .side = side,
				     .seq = (uint32_t)(UINT32_MAX - 7 + at),
				     .len = (uint32_t)len,
				     .cap = (uint32_t)len };
		f->bytes = malloc(len);
		memcpy(f->bytes, (const char *)p + at, len);
		at += len;
	}
	if (side != WANT_CLIENT)
		t->r.bytes[side == WANT_SUT] = n;
}

static void say_text(struct talk *t, enum want_side side, const char *p)
{
	say(t, side, p, strlen(p));
}

static bool has(const void *p, size_t n, const char *what)
{
	return memmem(p, n, what, strlen(what)) != NULL;
}

static bool is(const struct sample *s, const char *body)
{
	return s->body_len == strlen(body) &&
	       memcmp(s->body, body, s->body_len) == 0;
}

static void heads_and_bodies_are_told_without_secrets(void)
{
	struct sampling *m = sampling_new();
	struct sample out[SAMPLE_SIDES];
	static struct talk t;

	for (uint64_t seed = 1; seed < 30; seed++) {
		begin(&t, seed);
		say_text(&t, WANT_CLIENT,
			 "POST /a?password=" SECRET " HTTP/1.1\r\n"
			 "Authorization: Bearer " SECRET "\r\n"
			 "Content-Length: 27\r\n\r\n"
			 "{\"password\":\"" SECRET "\"}"
			 "GET /next HTTP/1.1\r\n\r\n");
		say_text(&t, WANT_PROD,
			 "HTTP/1.1 100 Continue\r\n\r\n"
			 "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"
			 "{\"price\":10}"
			 "HTTP/1.1 200 OK\r\nX: " SECRET "\r\n\r\n");
		say_text(&t, WANT_SUT,
			 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
			 "Set-Cookie: sid=" SECRET "\r\n\r\n"
			 "9;x=y\r\n{\"price\":\r\n3\r\n11}\r\n0\r\n\r\n");
		sampling_make(m, &t.w, &redact, out);
		CHECK(out[SAMPLE_REQUEST].shown == SAMPLE_PLAIN);
		CHECK(has(out[0].head, out[0].head_len, "Bearer <secret:"));
		CHECK(has(out[0].body, out[0].body_len,
			  "{\"password\":\"<secret:"));
		CHECK(!has(out[0].body, out[0].body_len, "GET"));
		CHECK(is(&out[SAMPLE_PROD], "{\"price\":10}"));
		CHECK(is(&out[SAMPLE_SUT], "{\"price\":11}"));
		CHECK(out[SAMPLE_SUT].shown == SAMPLE_DECODED);
		CHECK(out[1].at == 10 && out[2].at == 10);
		for (unsigned i = 0; i < SAMPLE_SIDES; i++) {
			CHECK(!has(out[i].head, out[i].head_len, SECRET));
			CHECK(!has(out[i].body, out[i].body_len, SECRET));
		}
		want_forget(&t.w);
	}
	sampling_free(m);
}

/* Content-Encoding: gzip of @text. */
static size_t zipped(const char *text, size_t n, uint8_t *out, size_t room)
{
	z_stream z = { 0 };
	int head =
		snprintf((char *)out, room,
			 "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");

	CHECK(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) ==
	      Z_OK);
	z.next_in = (Bytef *)(uintptr_t)text;
	z.avail_in = (uInt)n;
	z.next_out = out + head;
	z.avail_out = (uInt)(room - (size_t)head);
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	n = (size_t)head + z.total_out;
	deflateEnd(&z);
	return n;
}

static void long_coded_bodies_are_shown_where_they_differ(void)
{
	struct sampling *m = sampling_new();
	struct sample out[SAMPLE_SIDES];
	static char text[100000];
	static uint8_t answer[2][200000];
	static struct talk t;
	struct rng r = { 7 };
	size_t n;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + rng_below(&r, 20));
	text[90000] = '.';
	memcpy(text + 80000, "\"password\":\"" SECRET "\"", 27);
	begin(&t, 3);
	n = zipped(text, sizeof(text), answer[0], sizeof(answer[0]));
	say(&t, WANT_PROD, answer[0], n);
	text[90000] = '!';
	n = zipped(text, sizeof(text), answer[1], sizeof(answer[1]));
	say(&t, WANT_SUT, answer[1], n);
	sampling_make(m, &t.w, &redact, out);
	CHECK(out[1].shown == SAMPLE_DECODED && out[2].shown == SAMPLE_DECODED);
	CHECK(out[2].at > 80000 && out[2].at - out[2].start < SAMPLE_BODY);
	CHECK(((const char *)out[2].body)[out[2].at - out[2].start] == '!');
	CHECK(((const char *)out[1].body)[out[1].at - out[1].start] == '.');
	CHECK(out[2].body_len <= SAMPLE_BODY && out[2].bytes > 90000);
	CHECK(!has(out[1].body, out[1].body_len, SECRET));
	want_forget(&t.w);
	sampling_free(m);
}

static void what_cannot_be_read_is_not_shown(void)
{
	static const struct {
		const char *answer;
		enum sample_shown shown;
	} row[] = {
		{ "PONG\r\n\r\n", SAMPLE_OTHER },
		{ "HTTP/1.1 200 OK\r\nX: no end", SAMPLE_OTHER },
		{ "HTTP/1.1 200 OK\r\n\r\na\001b", SAMPLE_BINARY },
		{ "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nabc",
		  SAMPLE_BROKEN },
		{ "HTTP/1.1 200 OK\r\nContent-Encoding: odd\r\n\r\nabc",
		  SAMPLE_BROKEN },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
		  "chunked\r\n\r\nffff\r\n",
		  SAMPLE_BROKEN },
		{ "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
		  "Content-Length: 9\r\n\r\nabc",
		  SAMPLE_PARTLY },
	};
	struct sampling *m = sampling_new();
	struct sample out[SAMPLE_SIDES];
	static struct talk t;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		begin(&t, i + 1);
		say_text(&t, WANT_SUT, row[i].answer);
		sampling_make(m, &t.w, &redact, out);
		CHECK_ROW(out[SAMPLE_SUT].shown == row[i].shown, row[i].answer);
		CHECK_ROW(out[SAMPLE_SUT].body_len == 0, row[i].answer);
		CHECK(out[SAMPLE_PROD].shown == SAMPLE_OTHER);
		want_forget(&t.w);
	}
	sampling_free(m);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "heads and bodies are told without secrets",
		  heads_and_bodies_are_told_without_secrets },
		{ "long coded bodies are shown where they differ",
		  long_coded_bodies_are_shown_where_they_differ },
		{ "what cannot be read is not shown",
		  what_cannot_be_read_is_not_shown },
	};
	struct hash_key key = { { 1, 2 } };

	redact_init(&redact, &key, NULL, false);
	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
