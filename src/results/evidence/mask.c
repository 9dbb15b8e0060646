/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mask.c - Secrets in packets
 *
 * Theory of operation
 *
 * A secret may lie across two segments, and a segment that is sent again has it
 * once more. So what a side said is put together first, from all its frames;
 * that stream is redacted at equal length; and each byte of payload in each
 * frame is then written from the redacted stream. A byte that has no place in
 * it (of an exchange before, beyond the bound, behind a hole) becomes 'x': no
 * byte of payload comes out that was not read as a whole.
 *
 * Only what can be searched is shown: heads of HTTP/1, and contents that are
 * text as it stands. What is coded, chunked (a chunk's end may stand within a
 * secret), binary, or of another protocol is 'x' from its first byte on.
 * Checksums of TCP are made anew where the whole segment is there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "evidence/want.h"
#include "wire/pseudo.h"

#define HIDDEN 'x'

/* What one side said. */
struct said {
	uint8_t *p;
	uint8_t *known; /* a byte for each */
	uint32_t n;	/* bytes of which some are known */
	uint32_t whole; /* bytes from the first on that all are */
	uint32_t head;	/* bytes of its head; 0: it has none that is whole */
};

static void gather(struct said *s, const struct want *w, enum want_side side)
{
	for (uint32_t i = 0; i < w->n; i++) {
		const struct piece *p = &w->piece[i];

		for (uint32_t k = 0; p->side == side && k < p->len; k++) {
			uint32_t at = p->seq + k - w->base[side];

			if (at >= WANT_STREAM || s->known[at])
				continue;
			s->p[at] = p->bytes[p->at + k];
			s->known[at] = 1;
			s->n = at + 1 > s->n ? at + 1 : s->n;
		}
	}
	while (s->whole < s->n && s->known[s->whole])
		s->whole++;
	for (uint32_t i = 0; i + 4 <= s->whole && s->head == 0; i++)
		if (memcmp(s->p + i, "\r\n\r\n", 4) == 0)
			s->head = i + 4;
}

static bool begins_as_http(const struct said *s, enum want_side side)
{
	uint32_t i = 0;

	if (side != WANT_CLIENT)
		return s->whole >= 7 && memcmp(s->p, "HTTP/1.", 7) == 0;
	while (i < s->whole && s->p[i] >= 'A' && s->p[i] <= 'Z')
		i++;
	return i > 0 && i < s->whole && s->p[i] == ' ';
}

/* Has the head a field of this name, lower case? */
static bool has_field(const struct said *s, const char *name)
{
	size_t n = strlen(name);

	for (uint32_t i = 0; i + n + 3 <= s->head; i++) {
		size_t k = 0;

		if (s->p[i] != '\n')
			continue;
		while (k < n && (s->p[i + 1 + k] | 0x20) == (uint8_t)name[k])
			k++;
		if (k == n)
			return true;
	}
	return false;
}

static bool is_text(const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (p[i] == 0x7f || (p[i] < ' ' && p[i] != '\t' &&
				     p[i] != '\r' && p[i] != '\n'))
			return false;
	return true;
}

static void redact_said(struct said *s, const struct redact *r,
			enum want_side side)
{
	uint32_t shown = s->head > 0 ? s->head : s->whole;
	struct redact_text t = { .p = s->p };

	if (!begins_as_http(s, side)) {
		memset(s->p, HIDDEN, s->n);
		return;
	}
	if (s->head > 0 && s->whole == s->n &&
	    !has_field(s, "content-encoding:") &&
	    !has_field(s, "transfer-encoding:") &&
	    is_text(s->p + s->head, s->n - s->head))
		shown = s->n;
	t.n = t.to = shown;
	t.cut = shown == s->whole;
	memset(s->p + shown, HIDDEN, s->n - shown);
	redact_mask(r, &t, s->p);
}

/* Make a segment's checksum anew, if all of it is there: many are none yet when
 * they are captured, as a device makes them.
 */
static void sum_anew(struct piece *p)
{
	uint32_t len = p->at + p->len - p->l4;
	uint8_t *h = p->bytes + p->l4;
	uint64_t sum;

	if (p->l4 == 0 || p->wire > p->cap || p->at < p->l4 + 20 ||
	    p->at + p->len > p->cap)
		return;
	put_be16(h + 16, 0);
	sum = pseudo_sum(ipaddr_is4(&p->src), &p->src, &p->dst, PROTO_TCP, len);
	put_be16(h + 16, (uint16_t)~csum_fold(csum_add(sum, h, len)));
}

static void write_back(struct want *w, const struct said *s,
		       enum want_side side)
{
	for (uint32_t i = 0; i < w->n; i++) {
		struct piece *p = &w->piece[i];

		if (p->side != side)
			continue;
		for (uint32_t k = 0; k < p->len; k++) {
			uint32_t at = p->seq + k - w->base[side];

			p->bytes[p->at + k] =
				w->begun[side] && at < s->n ? s->p[at] : HIDDEN;
		}
		/* Padding of the link, and what nobody knows: no payload. */
		memset(p->bytes + p->at + p->len, 0, p->cap - p->at - p->len);
		sum_anew(p);
	}
}

/* Where in the answer the first difference lies. */
static uint64_t place_of(const struct want *w, const struct said *s)
{
	const struct compare_result *r = w->d->result;

	if (r->offset == UINT64_MAX)
		return 0;
	if (r->reason == REASON_BYTES)
		return r->offset;
	if (r->reason == REASON_BODY || r->reason == REASON_LENGTH)
		return s->head + r->offset;
	return 0;
}

static void mark(struct want *w, const struct said *s, enum want_side side)
{
	uint64_t at = place_of(w, s);
	struct piece *last = NULL;

	for (uint32_t i = 0; i < w->n; i++) {
		struct piece *p = &w->piece[i];
		uint32_t from = p->seq - w->base[side];

		if (p->side != side || p->len == 0 || !w->begun[side] ||
		    from >= WANT_STREAM)
			continue;
		last = p;
		if (at >= from && at < (uint64_t)from + p->len)
			break;
	}
	/* One is longer than the other: where the shorter one ends. */
	if (last)
		last->first = true;
}

int want_mask(struct want *w, const struct redact *r)
{
	struct said s = { .p = malloc(WANT_STREAM),
			  .known = malloc(WANT_STREAM) };

	if (!s.p || !s.known) {
		free(s.p);
		free(s.known);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < WANT_SIDES; i++) {
		enum want_side side = (enum want_side)i;

		memset(s.known, 0, WANT_STREAM);
		memset(s.p, HIDDEN, WANT_STREAM);
		s.n = s.whole = s.head = 0;
		if (w->begun[side])
			gather(&s, w, side);
		if (side != WANT_CLIENT)
			mark(w, &s, side);
		if (r->off)
			continue;
		redact_said(&s, r, side);
		write_back(w, &s, side);
	}
	free(s.p);
	free(s.known);
	return 0;
}
