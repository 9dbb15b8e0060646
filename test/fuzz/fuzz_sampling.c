/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_sampling.c - Fuzz what of two answers is shown as text
 *
 * Input: two bytes that say how, then bytes of both answers' bodies. Either they are
 * letters that are framed here, by chunks or a length: then both are shown as what they
 * are, the same, or where they differ. Or they are what stands behind a head that
 * promises chunks or a coding. Whatever comes: lengths and places in their bounds, and
 * nothing of the request's secret.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/sampling.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "hunter2hunter2"
#define MOST   4096u

static const char *const heads[] = {
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
	("HTTP/1.1 200 OK\r\nContent-Encoding: br, gzip\r\n"
	 "Transfer-Encoding: chunked\r\n\r\n"),
	"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
	"",
};

struct side {
	uint8_t p[12 * MOST];
	size_t n;
};

static void put(struct side *s, const void *p, size_t n)
{
	assert(n <= sizeof(s->p) - s->n);
	memcpy(s->p + s->n, p, n);
	s->n += n;
}

static void put_text(struct side *s, const char *p)
{
	put(s, p, strlen(p));
}

/* An answer of these letters, in chunks of @step or by its length. */
static void frame(struct side *s, const char *body, size_t n, size_t step)
{
	char line[64];

	if (step == 0) {
		snprintf(line, sizeof(line),
			 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
		put_text(s, line);
		put(s, body, n);
		return;
	}
	put_text(s, heads[0]);
	for (size_t at = 0; at < n; at += step) {
		size_t len = n - at < step ? n - at : step;

		snprintf(line, sizeof(line), "%zX;a=b\r\n", len);
		put_text(s, line);
		put(s, body + at, len);
		put_text(s, "\r\n");
	}
	put_text(s, "0\r\nTrailer: x\r\n\r\n");
}

/* As frames of a connection; its numbers wrap. */
static void say(struct want *w, struct compare_result *r, enum want_side side,
		const struct side *s, size_t step)
{
	w->begun[side] = true;
	w->base[side] = UINT32_MAX - 7;
	for (size_t at = 0; at < s->n; at += step) {
		size_t len = s->n - at < step ? s->n - at : step;
		struct piece *f = &w->piece[w->n++];

		*f = (struct piece){ .side = side,
				     .seq = w->base[side] + (uint32_t)at,
				     .len = (uint32_t)len,
				     .cap = (uint32_t)len };
		f->bytes = malloc(len);
		assert(f->bytes);
		memcpy(f->bytes, s->p + at, len);
	}
	if (side != WANT_CLIENT)
		r->bytes[side == WANT_SUT] = s->n;
}

static void check(const struct sample out[SAMPLE_SIDES])
{
	uint64_t most = out[SAMPLE_PROD].bytes > out[SAMPLE_SUT].bytes
				? out[SAMPLE_PROD].bytes
				: out[SAMPLE_SUT].bytes;

	for (unsigned i = 0; i < SAMPLE_SIDES; i++) {
		const struct sample *s = &out[i];

		assert(s->head_len <= SAMPLE_HEAD);
		assert(s->body_len <= SAMPLE_BODY);
		assert(s->start + s->body_len <= s->bytes);
	}
	assert(out[SAMPLE_REQUEST].head_len > 0);
	assert(!memmem(out[SAMPLE_REQUEST].head, out[SAMPLE_REQUEST].head_len,
		       SECRET, sizeof(SECRET) - 1));
	assert(out[SAMPLE_PROD].at == out[SAMPLE_SUT].at);
	assert(out[SAMPLE_PROD].at == SAMPLE_SAME ||
	       out[SAMPLE_PROD].at <= most);
}

static bool is(const struct sample *s, const char *body, size_t n)
{
	return s->body_len == n && memcmp(s->body, body, n) == 0;
}

/* Both answers, as @data says. Return: letters of a body; 0: any bytes */
static size_t make(const uint8_t *data, size_t size, char *letters,
		   struct side s[2])
{
	size_t n = size < MOST ? size : MOST;

	s[0].n = s[1].n = 0;
	if (!(data[0] & 1)) {
		for (int i = 0; i < 2; i++) {
			put_text(&s[i],
				 heads[(data[0] >> 1) %
				       (sizeof(heads) / sizeof(heads[0]))]);
			put(&s[i], data + 2, i == 0 ? n - 2 : (n - 2) / 2);
		}
		return 0;
	}
	for (size_t i = 2; i < n; i++)
		letters[i - 2] = (char)('a' + data[i] % 16);
	n -= 2;
	frame(&s[0], letters, n, data[0] >> 1);
	if (data[1] & 1 && n > 0)
		letters[data[1] % n] = '!';
	frame(&s[1], letters, n, data[1] & 2 ? 0 : 1 + data[1] / 4);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct side request, answer[2];
	static struct sampling *m;
	static struct want w;
	struct sample out[SAMPLE_SIDES];
	struct report_difference d = { 0 };
	struct compare_result r = { 0 };
	struct redact redact;
	char letters[MOST];
	size_t n;

	if (size < 2)
		return 0;
	if (!m)
		m = sampling_new();
	assert(m);
	redact_init(&redact, &(struct hash_key){ { 3, 4 } }, NULL, false);
	d.result = &r;
	w = (struct want){ .d = &d };
	request.n = 0;
	put_text(&request, "GET /?token=" SECRET " HTTP/1.1\r\n"
			   "Authorization: Bearer " SECRET "\r\n\r\n");
	n = make(data, size, letters, answer);
	say(&w, &r, WANT_CLIENT, &request, 20);
	say(&w, &r, WANT_PROD, &answer[0], 200);
	say(&w, &r, WANT_SUT, &answer[1], 1448);
	sampling_make(m, &w, &redact, out);
	check(out);
	if (n > 0) {
		assert(is(&out[SAMPLE_SUT], letters, n));
		assert(out[SAMPLE_PROD].body_len == n);
		assert((out[SAMPLE_PROD].at == SAMPLE_SAME) ==
		       is(&out[SAMPLE_PROD], letters, n));
		assert(!(data[1] & 1) || out[SAMPLE_PROD].at == data[1] % n);
	}
	want_forget(&w);
	return 0;
}
