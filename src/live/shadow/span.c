/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * span.c - In-order bytes, and the marks in them
 *
 * Each byte of a stream is handed out once, in order, and an answer of
 * production not before what it acks. The client's are put into the queue
 * towards the SUT on the way, those of the servers only pass.
 */
#include <string.h>

#include "shadow/shadow_internal.h"

/* Are the client's bytes kept for the SUT? None comes after LEG_CLOSED. */
static bool is_played(const struct flow *f)
{
	return f->leg.state != LEG_NONE && f->leg.ending == FLOW_END_NONE &&
	       f->shed != SHED_CUT && !f->q.left;
}

static void client_in_order(const struct turn *t, struct flow *f,
			    const struct segment *seg, uint32_t skip,
			    uint32_t take)
{
	struct buf *fr;

	t->s->count.client_bytes += take;
	if (!is_played(f))
		return;
	fr = buf_alloc(t->s->pool, take, BUF_QUEUE);
	if (!fr) {
		f->leg.ending = FLOW_END_POOL_FULL;
		return;
	}
	memcpy(fr->data, seg->data + skip, take);
	fr->seq = seg->seq + skip;
	fr->ack = seg->ack;
	fr->now = t->now;
	fr->ts = seg->ts;
	fr->flags = seg->flags;
	fr->gso = seg->gso;
	fr->urg = seg->urg > skip ? (uint16_t)(seg->urg - skip) : 0;
	if (queue_add(t, f, fr))
		shed_want(t->s, f);
}

/* The segment itself: are its bytes next? */
static bool span_segment(const struct turn *t, struct flow *f, enum who who,
			 const struct segment *seg, struct span *sp)
{
	struct stream *st = who == WHO_CLIENT ? &f->w.c
			    : who == WHO_PROD ? &f->w.p
					      : &f->leg.s;
	struct shadow_counters *c = &t->s->count;
	enum stream_result r;
	uint32_t skip = 0;
	uint32_t take = 0;

	if (who == WHO_CLIENT && contradicts(f, seg))
		c->client_conflict++;
	r = is_ahead(f, who, seg->ack)
		    ? stream_hold(st, t->s->pool, seg, t->now)
		    : stream_data(st, t->s->pool, seg, t->now, &skip, &take);
	if (r == STREAM_IN_ORDER) {
		gap_progress(t, f, who);
		sp->seq = seg->seq + skip;
		sp->ack = seg->ack;
		sp->now = t->now;
		sp->ts = seg->ts;
		sp->len = take;
		sp->data = seg->data + skip;
		if (who == WHO_CLIENT)
			client_in_order(t, f, seg, skip, take);
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
	f->leg.dup_ack |= r == STREAM_EARLY && who == WHO_SUT;
	return false;
}

static bool span_early(const struct turn *t, struct flow *f, enum who who,
		       struct span *sp)
{
	struct stream *st = who == WHO_CLIENT ? &f->w.c
			    : who == WHO_PROD ? &f->w.p
					      : &f->leg.s;
	uint32_t skip = 0;
	struct buf *fr;

	/* A SYN's data is no stream before it is known what of it was taken. */
	if ((who == WHO_CLIENT && f->w.syn_data) ||
	    (st->early && is_ahead(f, who, st->early->ack)))
		return false;
	fr = stream_pop(st, t->s->pool, &skip);
	if (!fr)
		return false;
	sp->data = fr->data + skip;
	sp->len = fr->len - skip;
	sp->seq = fr->seq + skip;
	sp->ack = fr->ack;
	sp->now = fr->now;
	sp->ts = fr->ts;
	t->s->count.client_bytes += who == WHO_CLIENT ? sp->len : 0;
	sp->frame = fr;
	buf_set(fr, BUF_SPAN);
	if (who != WHO_CLIENT || !is_played(f)) {
		buf_clear(t->s->pool, fr, BUF_QUEUE);
		return true;
	}
	if (seq_lt(f->leg.cli_ack, fr->ack)) /* after a gap nobody queued it */
		ack_queue(t, f, fr->ack, f->w.c_win);
	if (skip > 0) { /* the queue's frames do not overlap */
		memmove(fr->data, fr->data + skip, sp->len);
		fr->seq += skip;
		fr->len = sp->len;
		sp->data = fr->data;
	}
	if (queue_add(t, f, fr))
		shed_want(t->s, f);
	return true;
}

bool shadow_span(struct shadow *s, struct flow *f, enum who who,
		 const struct segment *seg, uint64_t now, struct span *sp)
{
	const struct turn t = { s, now, NULL };
	const struct stream *st = who == WHO_CLIENT ? &f->w.c
				  : who == WHO_PROD ? &f->w.p
						    : &f->leg.s;

	if (sp->frame)
		buf_clear(s->pool, sp->frame, BUF_SPAN);
	sp->frame = NULL;
	if (!stream_has(st, STREAM_ON))
		return false;
	if (sp->step == 0) {
		sp->step = 1;
		/* Without an ACK nobody takes it (RFC 9293 section 3.10.7.4).
		 */
		if (seg && seg->len > 0 && seg->cap == seg->len &&
		    (seg->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK &&
		    span_segment(&t, f, who, seg, sp))
			return true;
	}
	return span_early(&t, f, who, sp);
}

/* A request's mark may come after the SUT's ack of it (by quiet), or after the
 * end of the leg, when no cursor points at it any more.
 */
static void mark_delivered(const struct turn *t, struct flow *f,
			   struct exchange *x)
{
	bool dead = f->leg.state == LEG_NONE || f->leg.state == LEG_CLOSED;
	bool acked = (f->leg.ev & EV_S_SYNACK) &&
		     seq_le(x->end[WHO_CLIENT], f->leg.snd_una);

	if (acked && dead)
		f->x.deliver = x;
	if (acked)
		deliver(t, f);
	else if (dead)
		t->s->count.not_delivered[f->leg.end]++;
}

/* Production's answer is whole: how long it took, and the SUT owes its own. */
static void prod_answered(const struct turn *t, struct flow *f,
			  struct exchange *x)
{
	struct target *sut = &t->s->target[f->sut];
	uint64_t us = x->c_now != 0 ? (t->now - x->c_now) / NS_PER_US : 0;

	x->p_took = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
	if (!(x->flags & (X_HAVE_S | X_LEFT)) && f->leg.state == LEG_OPEN &&
	    f->shed != SHED_CUT && sut->owed == 0) {
		sut->owed = t->now;
		sut->owed_flow = f->id;
	}
}

struct exchange *shadow_mark(struct shadow *s, struct flow *f, enum who who,
			     uint32_t seq, uint64_t now)
{
	const struct turn t = { s, now, NULL };
	struct exchange *x = exchange_mark(&f->x, s->pool, who, seq);

	if (!x) {
		f->leg.ending = FLOW_END_POOL_FULL;
		return NULL;
	}
	if (who == WHO_SUT)
		turn_moved(s, f);
	if (who == WHO_CLIENT) {
		x->c_now = now;
		if (f->leg.left_ts != 0 && seq == f->leg.left_to) /* by quiet */
			x->s_left = f->leg.left_ts;
		s->count.requests_seen++;
		s->count.requests_answered += (x->flags & X_HAVE_S) != 0;
		mark_delivered(&t, f, x);
	} else if (who == WHO_SUT) {
		s->count.requests_answered += (x->flags & X_HAVE_C) != 0;
	} else {
		prod_answered(&t, f, x);
	}
	return x;
}

void shadow_no_room(struct flow *f)
{
	f->leg.ending = FLOW_END_POOL_FULL;
}

void shadow_closes(struct flow *f, bool closes)
{
	f->leg.closes = closes;
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
	bool dead = f->leg.state == LEG_NONE || f->leg.state == LEG_CLOSED;

	if (dead)
		all = X_HAVE_P | X_HAVE_C | X_JUDGED;
	while ((x = f->x.head) && (x->flags & all) == all) {
		/* Where production's next answer begins: a flow that goes on
		 * without its leg is then sure of what it answers.
		 */
		if (f->leg.state == LEG_NONE)
			f->w.p_base = x->end[WHO_PROD];
		exchange_drop(&f->x, s->pool);
	}
}
