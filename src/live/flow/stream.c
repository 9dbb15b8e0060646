/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.c - One direction of a connection, put in order
 *
 * Theory of operation
 *
 * Nearly every segment begins at nxt: it is trimmed and handed back in place.
 * One that begins later is copied into a frame and put into the list of early
 * segments, which is searched from its tail: after a hole the rest comes in
 * order, so that the new one belongs at the end. Overlaps are left in the list
 * and resolved when a frame is taken out: by then nxt tells which of its bytes
 * somebody else brought first.
 *
 * Linux, which production mostly is, takes of early segments what the lowest
 * number brings, and of two with one number the longer one, whichever came
 * first; so does this. Elsewhere the first that came counts.
 *
 * Disagreement can be seen only while both copies are here, which is between
 * early segments. The bytes that are in order already are gone.
 */
#include "flow/stream.h"

#include <assert.h>
#include <string.h>

/* Do two early segments bring different bytes for the same numbers? */
static bool disagree(const struct buf *a, const struct segment *seg)
{
	uint32_t lo = seq_lt(a->seq, seg->seq) ? seg->seq : a->seq;
	uint32_t ae = a->seq + a->len;
	uint32_t be = seg->seq + seg->len;
	uint32_t hi = seq_lt(ae, be) ? ae : be;

	if (!seq_lt(lo, hi))
		return false;
	return memcmp(a->data + (lo - a->seq), seg->data + (lo - seg->seq),
		      hi - lo) != 0;
}

/* Put @f into the list by seq, in place of those that begin where it does. */
static void insert(struct stream *s, struct pool *pool, struct buf *f)
{
	struct buf **p = &s->early;
	struct buf *old;

	if (s->early_tail && seq_lt(s->early_tail->seq, f->seq))
		p = &s->early_tail->next;
	else
		while (*p && seq_lt((*p)->seq, f->seq))
			p = &(*p)->next;
	while ((old = *p) && old->seq == f->seq) {
		*p = old->next;
		old->next = NULL;
		s->held--;
		buf_clear(pool, old, BUF_QUEUE);
	}
	f->next = *p;
	*p = f;
	if (!f->next)
		s->early_tail = f;
	s->held++;
}

/* Could @seg be old or in disagreement? Not if it begins after all the rest. */
static bool is_last(const struct stream *s, const struct segment *seg)
{
	const struct buf *t = s->early_tail;

	return !t || !seq_lt(seg->seq, t->seq + t->len);
}

static enum stream_result keep(struct stream *s, struct pool *pool,
			       const struct segment *seg, uint64_t now)
{
	struct buf *f = is_last(s, seg) ? NULL : s->early;

	for (; f && seq_lt(f->seq, seg->seq + seg->len); f = f->next) {
		if (disagree(f, seg))
			s->flags |= STREAM_CONFLICT;
		if (f->seq == seg->seq && f->len >= seg->len)
			return STREAM_OLD;
	}
	if (s->held >= STREAM_HELD)
		return STREAM_FULL;
	f = buf_alloc(pool, seg->len, BUF_QUEUE);
	if (!f)
		return STREAM_FULL;
	f->now = now;
	f->ts = seg->ts;
	f->seq = seg->seq;
	f->ack = seg->ack;
	f->flags = seg->flags;
	f->gso = seg->gso;
	f->urg = seg->urg;
	memcpy(f->data, seg->data, seg->len);
	insert(s, pool, f);
	return STREAM_EARLY;
}

enum stream_result stream_data(struct stream *s, struct pool *pool,
			       const struct segment *seg, uint64_t now,
			       uint32_t *skip, uint32_t *take)
{
	uint32_t end = seg->seq + seg->len;

	if (stream_has(s, STREAM_FIN) && !seq_lt(seg->seq, s->fin))
		return STREAM_OLD;
	if (stream_has(s, STREAM_FIN) && seq_lt(s->fin, end))
		end = s->fin;
	if (!seq_lt(s->nxt, end))
		return STREAM_OLD;
	if (seq_lt(s->nxt, seg->seq))
		return keep(s, pool, seg, now);
	*skip = s->nxt - seg->seq;
	*take = end - s->nxt;
	s->nxt = end;
	stream_settle(s);
	return STREAM_IN_ORDER;
}

enum stream_result stream_hold(struct stream *s, struct pool *pool,
			       const struct segment *seg, uint64_t now)
{
	if (!seq_lt(s->nxt, seg->seq + seg->len))
		return STREAM_OLD;
	return keep(s, pool, seg, now);
}

struct buf *stream_pop(struct stream *s, struct pool *pool, uint32_t *skip)
{
	struct buf *f;

	while ((f = s->early) && !seq_lt(s->nxt, f->seq)) {
		s->early = f->next;
		if (!s->early)
			s->early_tail = NULL;
		s->held--;
		f->next = NULL;
		if (stream_has(s, STREAM_FIN) &&
		    seq_lt(s->fin, f->seq + f->len))
			f->len = seq_lt(f->seq, s->fin) ? s->fin - f->seq : 0;
		if (seq_lt(s->nxt, f->seq + f->len)) {
			*skip = s->nxt - f->seq;
			s->nxt = f->seq + f->len;
			stream_settle(s);
			return f;
		}
		buf_clear(pool, f, BUF_QUEUE);
	}
	return NULL;
}

void stream_fin(struct stream *s, uint32_t seq)
{
	if (stream_has(s, STREAM_FIN) || seq_lt(seq, s->nxt))
		return;
	s->flags |= STREAM_FIN;
	s->fin = seq;
	stream_settle(s);
}

/* Free the first early segment. */
static void drop_first(struct stream *s, struct pool *pool)
{
	struct buf *f = s->early;

	s->early = f->next;
	if (!s->early)
		s->early_tail = NULL;
	s->held--;
	buf_clear(pool, f, BUF_QUEUE);
}

uint32_t stream_skip(struct stream *s, struct pool *pool, uint32_t to)
{
	uint32_t missing = 0;

	if (stream_has(s, STREAM_FIN) && seq_lt(s->fin, to))
		to = s->fin;
	while (s->early && seq_lt(s->early->seq, to)) {
		uint32_t end = s->early->seq + s->early->len;

		if (seq_lt(s->nxt, s->early->seq)) {
			missing += s->early->seq - s->nxt;
			s->nxt = s->early->seq;
		}
		if (seq_lt(s->nxt, end))
			s->nxt = seq_lt(to, end) ? to : end;
		if (seq_lt(to, end))
			break;
		drop_first(s, pool);
	}
	if (seq_lt(s->nxt, to)) {
		missing += to - s->nxt;
		s->nxt = to;
	}
	assert(seq_le(to, s->nxt));
	stream_settle(s);
	return missing;
}

void stream_drop(struct stream *s, struct pool *pool)
{
	struct buf *f;

	while ((f = s->early)) {
		s->early = f->next;
		buf_clear(pool, f, BUF_QUEUE);
	}
	s->early_tail = NULL;
	s->held = 0;
}
