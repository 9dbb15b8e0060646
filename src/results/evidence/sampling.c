/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sampling.c - A difference as text
 *
 * Theory of operation
 *
 * Of each side the stream is put together (said.c), its last head is found,
 * and behind it the body, as long as its framing or the comparison says.
 * Chunks are joined, content codings undone, both within bounds. What is text
 * then is redacted as a whole, and only of that a part is taken: around the
 * first byte in which both answers differ. So no secret is cut in two before it
 * is known for one. Of a body that is not text, or not whole and coded, there
 * is nothing.
 */
#include "evidence/sampling.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"

#define RATIO	   200u
#define CODED_FREE (64u << 10)
#define MEMORY	   (16u << 20)
#define SHOWN	   (2 * SAMPLING_BODY) /* tags may be longer than secrets */

/* One side. */
struct told {
	enum sample_shown shown;
	size_t head_len;
	size_t n; /* of the body, as it is shown */
	uint8_t head[SAMPLE_HEAD];
	uint8_t body[SHOWN];
};

struct sampling {
	struct decoder *decoder;
	uint8_t known[WANT_STREAM];
	uint8_t stream[WANT_STREAM];
	uint8_t decoded[SAMPLING_BODY];
	struct told told[SAMPLE_SIDES];
};

struct sampling *sampling_new(void)
{
	static const struct decode_limits limits = { .most = SAMPLING_BODY,
						     .ratio = RATIO,
						     .free = CODED_FREE,
						     .memory = MEMORY };
	struct sampling *m = malloc(sizeof(*m));

	if (m && decoder_new(&m->decoder, &limits) != 0) {
		free(m);
		m = NULL;
	}
	return m;
}

void sampling_free(struct sampling *m)
{
	if (m)
		decoder_free(m->decoder);
	free(m);
}

/* --- framing --- */

/* Interim answers (RFC 9110 section 15.2) stand in front: leave them out. */
static void skip_interim(struct said *s)
{
	while (s->head > 9 && s->whole > s->head && s->p[9] == '1' &&
	       memcmp(s->p + 9, "101", 3) != 0) {
		uint32_t past = s->head;

		s->p += past;
		s->known += past;
		s->n -= past;
		s->whole -= past;
		s->head = 0;
		for (uint32_t i = 0; i + 4 <= s->whole && s->head == 0; i++)
			if (memcmp(s->p + i, "\r\n\r\n", 4) == 0)
				s->head = i + 4;
	}
}

/* Return: whether there is such a number */
static bool length_of(const struct said *s, uint64_t *out)
{
	size_t n, i = 0, digits = 0;
	const uint8_t *p = said_field(s, "content-length:", &n);
	uint64_t v = 0;

	while (p && i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	for (; p && i < n && p[i] >= '0' && p[i] <= '9' && digits < 18; i++) {
		v = v * 10 + p[i] - '0';
		digits++;
	}
	*out = v;
	return digits > 0;
}

static bool is_chunked(const struct said *s)
{
	size_t n;
	const uint8_t *p = said_field(s, "transfer-encoding:", &n);

	return p && memmem(p, n, "hunked", 6);
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Join chunks in place. Return: whether the last one was there */
static bool unchunk(uint8_t *p, size_t *n)
{
	size_t at = 0, made = 0;

	for (;;) {
		size_t size = 0, digits = 0;
		const uint8_t *end;

		while (at < *n && digit(p[at]) >= 0 && digits++ < 7)
			size = size * 16 + (size_t)digit(p[at++]);
		end = memchr(p + at, '\n', *n - at);
		if (digits == 0 || !end)
			return false;
		at = (size_t)(end - p) + 1;
		if (size == 0) {
			*n = made;
			return true;
		}
		if (size > *n - at || *n - at - size < 2)
			return false;
		assert(made <= at);
		memmove(p + made, p + at, size);
		made += size;
		at += size + 2;
	}
}

/* The body's bytes, cut to what is of this message. Return: it is whole */
static bool body_of(const struct said *s, const struct want *w,
		    enum want_side side, size_t *n)
{
	uint64_t most =
		side == WANT_CLIENT ? 0 : w->d->result->bytes[side == WANT_SUT];
	uint64_t length;
	bool whole = s->whole == s->n && !w->full && s->n < WANT_STREAM;

	*n = s->whole - s->head;
	if (is_chunked(s))
		return whole;
	if (length_of(s, &length) && length <= *n) {
		*n = (size_t)length;
		return true;
	}
	if (length > *n)
		return side != WANT_CLIENT && *n == 0; /* an answer to HEAD */
	if (side == WANT_CLIENT)
		*n = 0;
	else if (most > s->head && most - s->head < *n)
		*n = (size_t)most - s->head;
	return whole;
}

/* --- content --- */

/* Undo codings. Return: the text, or NULL, and @t says why */
static const uint8_t *decode(struct sampling *m, struct told *t,
			     const struct said *s, bool whole, size_t *n)
{
	enum coding coding[CODEC_NESTED];
	uint8_t *p = s->p + s->head;
	bool chunked = is_chunked(s);
	size_t len;
	const uint8_t *v = said_field(s, "content-encoding:", &len);
	int codings = v ? coding_list(v, len, coding) : 0;

	t->shown = whole ? SAMPLE_PLAIN : SAMPLE_PARTLY;
	if (*n == 0 || (codings == 0 && !chunked))
		return p;
	if (!whole)
		return NULL;
	t->shown = SAMPLE_BROKEN;
	if (codings < 0 || (chunked && !unchunk(p, n)))
		return NULL;
	t->shown = SAMPLE_DECODED;
	if (codings == 0)
		return p;
	if (decode_whole(m->decoder, coding, (unsigned)codings, p, *n,
			 m->decoded, sizeof(m->decoded), n) != 0) {
		t->shown = SAMPLE_BROKEN;
		return NULL;
	}
	return m->decoded;
}

static void tell(struct sampling *m, const struct want *w, enum want_side side,
		 const struct redact *r, struct told *t)
{
	struct said s = { .p = m->stream, .known = m->known };
	struct redact_text text = { 0 };
	size_t n;
	bool whole;

	t->shown = SAMPLE_OTHER;
	t->head_len = t->n = 0;
	said_gather(&s, w, side, 'x');
	if (!said_is_http(&s, side) || s.head == 0)
		return;
	if (side != WANT_CLIENT)
		skip_interim(&s);
	if (s.head == 0)
		return;
	text.p = s.p;
	text.n = text.to = s.head;
	t->head_len = redact_put(r, &text, t->head, sizeof(t->head));
	whole = body_of(&s, w, side, &n);
	text.p = decode(m, t, &s, whole, &n);
	if (!text.p)
		return;
	text.n = n;
	text.to = n < SAMPLING_BODY ? n : SAMPLING_BODY;
	text.cut = !whole;
	if (said_is_text(text.p, text.to))
		t->n = redact_put(r, &text, t->body, sizeof(t->body));
	else
		t->shown = SAMPLE_BINARY;
}

/* --- where --- */

static uint64_t differs_at(const struct told *a, const struct told *b)
{
	size_t n = a->n < b->n ? a->n : b->n;

	for (size_t i = 0; i < n; i++)
		if (a->body[i] != b->body[i])
			return i;
	return a->n == b->n ? SAMPLE_SAME : n;
}

/* The part of a body that is kept: around byte @at, whole characters. */
static void part_of(const struct told *t, uint64_t at, struct sample *out)
{
	size_t from = 0, n = t->n;

	if (at != SAMPLE_SAME && at > SAMPLE_BODY / 2 && n > SAMPLE_BODY)
		from = (at < n ? (size_t)at : n) - SAMPLE_BODY / 2;
	while (from > 0 && from < n && (t->body[from] & 0xc0) == 0x80)
		from++;
	n -= from;
	out->start = from;
	out->bytes = t->n;
	out->body = t->body + from;
	out->body_len = n < SAMPLE_BODY ? n : SAMPLE_BODY;
}

void sampling_make(struct sampling *m, const struct want *w,
		   const struct redact *r, struct sample out[SAMPLE_SIDES])
{
	static const enum want_side of[SAMPLE_SIDES] = {
		[SAMPLE_REQUEST] = WANT_CLIENT,
		[SAMPLE_PROD] = WANT_PROD,
		[SAMPLE_SUT] = WANT_SUT
	};
	uint64_t at;

	for (unsigned i = 0; i < SAMPLE_SIDES; i++)
		tell(m, w, of[i], r, &m->told[i]);
	at = differs_at(&m->told[SAMPLE_PROD], &m->told[SAMPLE_SUT]);
	for (unsigned i = 0; i < SAMPLE_SIDES; i++) {
		const struct told *t = &m->told[i];

		out[i] =
			(struct sample){ .side = (enum sample_side)i,
					 .shown = t->shown,
					 .at = i == SAMPLE_REQUEST ? SAMPLE_SAME
								   : at,
					 .head = t->head,
					 .head_len = t->head_len };
		part_of(t, out[i].at, &out[i]);
	}
}
