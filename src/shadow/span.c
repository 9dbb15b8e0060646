/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * span.c - In-order bytes, and the marks in them
 *
 * Each byte of a stream is handed out once, in order, and an answer of production
 * not before what it acks. The client's are put into the queue towards the SUT on
 * the way, those of the servers only pass.
 */
#include <string.h>

#include "shadow/shadow_internal.h"

void queue_add(struct shadow *s, struct flow *f, struct frame *fr, uint64_t now)
{
	s->count.late_data += is_late(f, fr);
	fr->next = NULL;
	if (f->q_tail != NULL)
		f->q_tail->next = fr;
	if (f->q_head == NULL)
		f->q_head = fr;
	f->q_tail = fr;
	if (f->q_send == NULL)
		f->q_send = fr;
	f->q_bytes += frame_block(fr->len);
	if (s->opt.shed && f->due[DUE_LAG] == WHEEL_NEVER)
		due_set(s, f, DUE_LAG, now + s->opt.max_lag);
	if (f->q_bytes > s->lim.flow_share ||
	    (f->q_send != fr && pool_used(s->pool) > s->pool_scarce))
		shed_want(s, f);
}

/* Are the client's bytes kept for the SUT? None comes after LEG_CLOSED. */
static bool is_played(const struct flow *f)
{
	return f->leg != LEG_NONE && f->ending == FLOW_END_NONE &&
	       f->shed != SHED_CUT;
}

static void client_in_order(struct shadow *s, struct flow *f,
			    const struct segment *seg, uint32_t skip,
			    uint32_t take, uint64_t now)
{
	struct frame *fr;

	s->count.client_bytes += take;
	if (!is_played(f))
		return;
	fr = frame_alloc(s->pool, take, FRAME_QUEUE);
	if (fr == NULL) {
		f->ending = FLOW_END_POOL_FULL;
		return;
	}
	memcpy(fr->data, seg->data + skip, take);
	fr->seq = seg->seq + skip;
	fr->ack = seg->ack;
	fr->now = now;
	fr->ts = seg->ts;
	fr->flags = seg->flags;
	fr->gso = seg->gso;
	fr->urg = seg->urg > skip ? (uint16_t)(seg->urg - skip) : 0;
	queue_add(s, f, fr, now);
}

/* Does a repeated segment of the client say something else than the copy that
 * came first, as far as that is still held? Production took the first (I18).
 */
static bool contradicts(const struct flow *f, const struct segment *seg)
{
	const struct frame *fr = f->q_head;
	uint32_t end = seg->seq + seg->cap;

	if (!seq_lt(seg->seq, f->c.nxt))
		return false;
	for (; fr != NULL && seq_lt(fr->seq, end); fr = fr->next) {
		uint32_t from = seq_lt(fr->seq, seg->seq) ? seg->seq : fr->seq;
		uint32_t to = fr->seq + fr->len;

		if (seq_lt(end, to))
			to = end;
		if (seq_lt(from, to) &&
		    memcmp(fr->data + (from - fr->seq),
			   seg->data + (from - seg->seq), to - from) != 0)
			return true;
	}
	return false;
}

/* Does this ack bytes of the other end that are not here? The mirror may have
 * swapped an answer with its request, which has to be read first, or the other way
 * round; it waits until those bytes come or are believed lost. The client's does
 * so only where its protocol does not tell where a message ends: otherwise it is
 * read, and what may be sent of it is decided in send.c.
 */
static bool is_ahead(const struct flow *f, enum who who, uint32_t ack)
{
	if (who == WHO_CLIENT)
		return !f->marked && seq_le(ack, f->c_ack) &&
		       seq_lt(stream_end(&f->p), ack) && prod_hole(f);
	return who == WHO_PROD && seq_le(ack, f->p_ack) &&
	       seq_lt(stream_end(&f->c), ack) && client_hole(f);
}

/* The segment itself: are its bytes next? */
static bool span_segment(struct shadow *s, struct flow *f, enum who who,
			 const struct segment *seg, uint64_t now,
			 struct span *sp)
{
	struct stream *st = who == WHO_CLIENT ? &f->c
			    : who == WHO_PROD ? &f->p
					      : &f->s;
	struct shadow_counters *c = &s->count;
	enum stream_result r;
	uint32_t skip;
	uint32_t take;

	if (who == WHO_CLIENT && contradicts(f, seg))
		c->client_conflict++;
	r = is_ahead(f, who, seg->ack)
		    ? stream_hold(st, s->pool, seg, now)
		    : stream_data(st, s->pool, seg, now, &skip, &take);
	if (r == STREAM_IN_ORDER) {
		gap_progress(s, f, who, now);
		sp->seq = seg->seq + skip;
		sp->ack = seg->ack;
		sp->now = now;
		sp->ts = seg->ts;
		sp->len = take;
		sp->data = seg->data + skip;
		if (who == WHO_CLIENT)
			client_in_order(s, f, seg, skip, take, now);
		return true;
	}
	if (r == STREAM_OLD)
		*(who == WHO_CLIENT ? &c->client_again
		  : who == WHO_PROD ? &c->prod_again
				    : &c->sut_again) += 1;
	else if (r == STREAM_EARLY)
		*(who == WHO_CLIENT ? &c->client_early
		  : who == WHO_PROD ? &c->prod_early
				    : &c->sut_early) += 1;
	else
		*(who == WHO_CLIENT ? &c->client_full
		  : who == WHO_PROD ? &c->prod_full
				    : &c->sut_full) += 1;
	f->dup_ack |= r == STREAM_EARLY && who == WHO_SUT;
	return false;
}

static bool span_early(struct shadow *s, struct flow *f, enum who who,
		       uint64_t now, struct span *sp)
{
	struct stream *st = who == WHO_CLIENT ? &f->c
			    : who == WHO_PROD ? &f->p
					      : &f->s;
	uint32_t skip = 0;
	struct frame *fr;

	if (st->early != NULL && is_ahead(f, who, st->early->ack))
		return false;
	fr = stream_pop(st, s->pool, &skip);
	if (fr == NULL)
		return false;
	sp->data = fr->data + skip;
	sp->len = fr->len - skip;
	sp->seq = fr->seq + skip;
	sp->ack = fr->ack;
	sp->now = fr->now;
	sp->ts = fr->ts;
	s->count.client_bytes += who == WHO_CLIENT ? sp->len : 0;
	if (who != WHO_CLIENT || !is_played(f)) {
		sp->frame = fr;
		return true;
	}
	if (seq_lt(f->a_cur, fr->ack)) /* after a gap nobody queued it */
		ack_queue(s, f, fr->ack, f->c_win, now);
	if (skip > 0) { /* the queue's frames do not overlap */
		memmove(fr->data, fr->data + skip, sp->len);
		fr->seq += skip;
		fr->len = sp->len;
		sp->data = fr->data;
	}
	queue_add(s, f, fr, now);
	return true;
}

bool shadow_span(struct shadow *s, struct flow *f, enum who who,
		 const struct segment *seg, uint64_t now, struct span *sp)
{
	const struct stream *st = who == WHO_CLIENT ? &f->c
				  : who == WHO_PROD ? &f->p
						    : &f->s;

	if (sp->frame != NULL)
		frame_clear(s->pool, sp->frame, FRAME_QUEUE);
	sp->frame = NULL;
	if (!stream_has(st, STREAM_ON))
		return false;
	if (sp->step == 0) {
		sp->step = 1;
		/* Without an ACK nobody takes it (RFC 9293 section 3.10.7.4). */
		if (seg != NULL && seg->len > 0 && seg->cap == seg->len &&
		    (seg->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK &&
		    span_segment(s, f, who, seg, now, sp))
			return true;
	}
	return span_early(s, f, who, now, sp);
}

/* A request's mark may come after the SUT's ack of it (by quiet), or after the
 * end of the leg, when no cursor points at it any more.
 */
static void mark_delivered(struct shadow *s, struct flow *f, struct exchange *x,
			   uint64_t now)
{
	bool dead = f->leg == LEG_NONE || f->leg == LEG_CLOSED;
	bool acked = (f->ev & EV_S_SYNACK) != 0 &&
		     seq_le(x->end[WHO_CLIENT], f->snd_una);

	if (acked && dead)
		f->x.deliver = x;
	if (acked)
		deliver(s, f, now);
	else if (dead)
		s->count.not_delivered[f->end]++;
}

/* Production's answer is whole: how long it took, and the SUT owes its own. */
static void prod_answered(struct shadow *s, struct flow *f, struct exchange *x,
			  uint64_t now)
{
	struct target *t = &s->target[f->sut];
	uint64_t us = x->c_now != 0 ? (now - x->c_now) / NS_PER_US : 0;

	x->p_took = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
	if ((x->flags & X_HAVE_S) == 0 && f->leg == LEG_OPEN &&
	    f->shed != SHED_CUT && t->owed == 0) {
		t->owed = now;
		t->owed_flow = f->id;
	}
}

struct exchange *shadow_mark(struct shadow *s, struct flow *f, enum who who,
			     uint32_t seq, uint64_t now)
{
	struct exchange *x = exchange_mark(&f->x, s->pool, who, seq);

	if (x == NULL) {
		f->ending = FLOW_END_POOL_FULL;
		return NULL;
	}
	if (who == WHO_SUT)
		turn_moved(s, f);
	if (who == WHO_CLIENT) {
		x->c_now = now;
		if (f->left_ts != 0 && seq == f->left_to) /* by quiet */
			x->s_left = f->left_ts;
		s->count.requests_seen++;
		s->count.requests_answered += (x->flags & X_HAVE_S) != 0;
		mark_delivered(s, f, x, now);
	} else if (who == WHO_SUT) {
		s->count.requests_answered += (x->flags & X_HAVE_C) != 0;
	} else {
		prod_answered(s, f, x, now);
	}
	return x;
}

void shadow_unmark(struct shadow *s, struct flow *f, enum who who)
{
	if (exchange_unmark(&f->x, who) && who == WHO_SUT)
		s->count.requests_answered -=
			(f->x.at[who]->flags & X_HAVE_C) != 0;
}

void shadow_retire(struct shadow *s, struct flow *f)
{
	struct exchange *x;
	uint16_t all = X_HAVE_P | X_HAVE_S | X_HAVE_C | X_JUDGED | X_PASSED |
		       X_DELIVERED;
	bool dead = f->leg == LEG_NONE || f->leg == LEG_CLOSED;

	if (dead)
		all = X_HAVE_P | X_HAVE_C | X_JUDGED;
	while ((x = f->x.head) != NULL && (x->flags & all) == all) {
		/* Where production's next answer begins: a flow that goes on
		 * without its leg is then sure of what it answers.
		 */
		if (f->leg == LEG_NONE)
			f->p_base = x->end[WHO_PROD];
		exchange_drop(&f->x, s->pool);
	}
}
