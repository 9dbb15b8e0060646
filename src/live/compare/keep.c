/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keep.c - Kept bytes of an exchange, in frames of the pool
 *
 * Theory of operation
 *
 * Each part is a strand of frames that double in size, so that an answer of a
 * hundred bytes takes a small one and a long answer few. Content beyond its
 * bound is not kept, and neither is what finds no room in the pool, or any
 * while half of the pool is taken, since flows need it more: then all of that
 * side's content is given back, as half of it judges nothing. Heads have bounds
 * of their own, which the comparison has, too: what is longer never gets as far
 * as a judge.
 */
#include "compare/keep.h"

#include <assert.h>
#include <string.h>

#include "compare/keep_internal.h"

#define STRAND_FIRST 1024u /* blocks of the pool */
#define STRAND_LAST  65536u

struct keep *keep_begin(struct pool *pool, uint32_t most)
{
	struct buf *f = buf_alloc(pool, sizeof(struct keep), BUF_CMP);
	struct keep *k;

	if (!f)
		return NULL;
	k = (void *)f->data;
	*k = (struct keep){ .self = f, .most = most };
	return k;
}

static void release(struct strand *s, struct pool *pool)
{
	while (s->first) {
		struct buf *f = s->first;

		s->first = f->next;
		buf_clear(pool, f, BUF_CMP);
	}
	*s = (struct strand){ 0 };
}

/* Return: false: the pool is full */
static bool add(struct strand *s, struct pool *pool, const uint8_t *p,
		uint32_t n)
{
	while (n > 0) {
		uint32_t left = s->last ? s->last->len - s->tail : 0;
		uint32_t block =
			s->last ? buf_block(s->last->len) * 2 : STRAND_FIRST;
		struct buf *f;

		if (left > n)
			left = n;
		if (left > 0) {
			memcpy(s->last->data + s->tail, p, left);
			s->tail += left;
			s->len += left;
			p += left;
			n -= left;
			continue;
		}
		if (block > STRAND_LAST)
			block = STRAND_LAST;
		f = buf_alloc(pool, block - (uint32_t)sizeof(*f), BUF_CMP);
		if (!f)
			return false;
		if (s->last)
			s->last->next = f;
		else
			s->first = f;
		s->last = f;
		s->tail = 0;
	}
	return true;
}

/* The same up to @most bytes; what does not fit is not kept, all or nothing. */
static void add_whole(struct keep *k, enum case_part part, struct pool *pool,
		      uint32_t most, const uint8_t *p, uint32_t n)
{
	struct strand *s = &k->part[part];

	if (k->lost >> part & 1)
		return;
	if (n <= most - s->len &&
	    (part < CASE_BODY || pool_used(pool) < pool_total(pool) / 2) &&
	    add(s, pool, p, n))
		return;
	release(s, pool);
	k->lost |= 1u << part;
}

static enum case_part of_side(enum case_part part, unsigned side)
{
	return (enum case_part)((unsigned)part + side);
}

void keep_answer(struct keep *k, struct pool *pool, enum who who,
		 const struct framer_piece *piece, const uint8_t *p)
{
	unsigned side = who == WHO_SUT;
	uint32_t head = COMPARE_HEAD * (side == 1 ? COMPARE_SUT : 1);

	assert(who != WHO_CLIENT);
	switch (piece->part) {
	case FRAMER_INTERIM:
		/* What came as a head was its beginning. */
		release(&k->part[of_side(CASE_HEAD, side)], pool);
		break;
	case FRAMER_HEAD:
		add_whole(k, of_side(CASE_HEAD, side), pool, head, p,
			  piece->used);
		break;
	case FRAMER_TRAILER:
		add_whole(k, of_side(CASE_TRAILER, side), pool, head, p,
			  piece->used);
		break;
	case FRAMER_BODY:
	case FRAMER_OPAQUE:
		add_whole(k, of_side(CASE_BODY, side), pool, k->most, p,
			  piece->used);
		break;
	case FRAMER_FRAMING:
		break;
	}
}

void keep_end(struct keep *k, struct pool *pool)
{
	for (unsigned i = 0; i < CASE_PARTS; i++)
		release(&k->part[i], pool);
	buf_clear(pool, k->self, BUF_CMP);
}

const struct strand *keep_part(const struct keep *k, enum case_part part)
{
	return &k->part[part];
}

const uint8_t *strand_next(const struct strand *s, const struct buf **at,
			   uint32_t *n)
{
	const struct buf *f = !*at ? s->first : (*at)->next;

	if (!f)
		return NULL;
	*at = f;
	*n = f == s->last ? s->tail : f->len;
	return f->data;
}

bool keep_whole(const struct keep *k, unsigned part, struct head_rest *out)
{
	const struct strand *s = &k->part[part];

	*out = (struct head_rest){ NULL, NULL };
	if (!s->first)
		return true;
	out->p = s->first->data;
	out->end = out->p + (s->first == s->last ? s->tail : s->first->len);
	return s->first == s->last;
}

void keep_asked(struct keep *k, const struct asked *a)
{
	k->asked = *a;
}

void keep_late(struct keep *k, int64_t ns)
{
	k->late = ns;
}

uint64_t keep_object(const struct keep *k)
{
	return (k->asked.flags & asked_bit(ASKED_HOST)) &&
			       (k->asked.flags & ASKED_READ)
		       ? k->asked.object
		       : 0;
}

const uint64_t *keep_tokens(const struct keep *k)
{
	return k->asked.token;
}

uint64_t keep_shows(const struct keep *k)
{
	return (k->asked.flags & ASKED_HEAD) ? 0 : keep_object(k);
}

static size_t some_parts(const struct keep *k, uint32_t parts,
			 struct case_view *out)
{
	size_t n = CASE_FIXED;

	out->object = keep_object(k);
	out->late = k->late;
	out->flags |= (k->asked.flags & (ASKED_READ - 1u)) << CASE_ASKED;
	for (unsigned i = 0; i < CASE_PARTS; i++) {
		if (!(parts >> i & 1))
			continue;
		out->part[i].n = k->part[i].len;
		n += k->part[i].len;
	}
	return n;
}

size_t keep_case(const struct keep *k, bool same, bool body,
		 struct case_view *out)
{
	uint32_t parts = (1u << CASE_PARTS) - 1;

	*out = (struct case_view){ .flags = same ? CASE_SAME_BODY : 0 };
	if (same)
		parts &= ~(2u << CASE_BODY);
	if (same && !body)
		parts &= ~(1u << CASE_BODY);
	return some_parts(k, parts, out);
}

size_t keep_note(const struct keep *k, struct case_view *out)
{
	*out = (struct case_view){ .flags = CASE_NOTE };
	return some_parts(k, 1u << CASE_HEAD | 1u << CASE_BODY, out);
}

size_t keep_message(const struct keep *k, const struct case_view *c,
		    uint8_t *out)
{
	size_t to = CASE_FIXED;

	case_put_fixed(c, out);
	for (unsigned i = 0; i < CASE_PARTS; i++) {
		const struct buf *at = NULL;
		const uint8_t *p;
		uint32_t n;

		while (c->part[i].n > 0 &&
		       (p = strand_next(&k->part[i], &at, &n))) {
			memcpy(out + to, p, n);
			to += n;
		}
	}
	return to;
}
