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

static void redact_said(struct said *s, const struct redact *r,
			enum want_side side)
{
	uint32_t shown = s->head > 0 ? s->head : s->whole;
	struct redact_text t = { .p = s->p };
	size_t n;

	if (!said_is_http(s, side)) {
		memset(s->p, HIDDEN, s->n);
		return;
	}
	if (s->head > 0 && s->whole == s->n &&
	    !said_field(s, "content-encoding:", &n) &&
	    !said_field(s, "transfer-encoding:", &n) &&
	    said_is_text(s->p + s->head, s->n - s->head))
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

		said_gather(&s, w, side, HIDDEN);
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
