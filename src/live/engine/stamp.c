/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stamp.c - Stamps on their way from frames and flushes to latencies
 *
 * Theory of operation
 *
 * Stamps are kept where they belong: of handshakes in the flow, of messages in
 * the exchange. When an exchange is judged latency.c makes latencies of them.
 *
 * The wall clock may be set while a run goes on, which is noticed up to a
 * second later. What is measured therefore waits beside the sums until the
 * clock was looked at (engine_clock()): if it was set, all of it counts as
 * LATENCY_CLOCK_STEP instead, and so does each exchange that had begun by then.
 */
#include <string.h>

#include "engine/engine_internal.h"

/* --- handshakes --- */

static void hand(struct flow *f, uint8_t who, uint64_t ts)
{
	struct reader *r = reader_of(f);

	r->hand = who;
	r->ts_hand = ts;
}

void stamp_client(struct engine *e, struct flow *f, const struct segment *seg)
{
	struct latency_pairs *p = &e->recent.handshakes;
	struct reader *r = reader_of(f);

	if ((seg->flags & (TCP_SYN | TCP_RST)) == TCP_SYN) {
		if (r->hand == HAND_NONE && !(f->w.flags & W_MID))
			hand(f, HAND_SYN, seg->ts);
		return;
	}
	if ((r->hand != HAND_SYN && r->hand != HAND_SYNACK) ||
	    !(f->w.ev & EV_C_ACK) ||
	    (seg->flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
		return;
	if (r->hand == HAND_SYN) {
		hand(f, HAND_ACK, seg->ts);
		return;
	}
	p->swapped += latency_swapped(r->ts_hand, seg->ts);
	r->hand = HAND_OVER;
}

/* Production's SYN,ACK. */
static void stamp_synack(struct engine *e, struct flow *f, uint64_t ts)
{
	struct latency_pairs *p = &e->recent.handshakes;
	struct reader *r = reader_of(f);
	uint64_t before = r->ts_hand;

	p->seen++;
	if (r->hand == HAND_ACK) {
		p->swapped += latency_swapped(ts, before);
		r->hand = HAND_OVER;
		return;
	}
	if (ts >= before)
		hist_add(&e->recent.side[LATENCY_PROD].connect, ts - before);
	p->swapped += latency_swapped(before, ts);
	hand(f, latency_swapped(before, ts) ? HAND_OVER : HAND_SYNACK, ts);
}

void stamp_production(struct engine *e, struct flow *f,
		      const struct segment *seg)
{
	const uint16_t both = TCP_SYN | TCP_ACK;
	struct reader *r = reader_of(f);

	if ((seg->flags & (both | TCP_RST)) == both) {
		if ((r->hand == HAND_SYN || r->hand == HAND_ACK) &&
		    seg->ack == f->w.c_iss + 1)
			stamp_synack(e, f, seg->ts);
	} else if (seg->len > 0) {
		/* @ts_hand is wanted for something else. */
		r->hand = HAND_OVER;
	}
}

void stamp_sut(struct engine *e, struct flow *f, const struct segment *seg)
{
	const uint16_t both = TCP_SYN | TCP_ACK;

	if ((seg->flags & both) != both || f->leg.state != LEG_OPEN ||
	    f->leg.left_ts == 0 || f->leg.left_to != f->w.c_iss + 1)
		return;
	/* Where the handshake is made up production had none to compare with.
	 */
	if (!(f->w.flags & W_MID) && seg->ts >= f->leg.left_ts)
		hist_add(&e->recent.side[LATENCY_SUT].connect,
			 seg->ts - f->leg.left_ts);
	shadow_left_seen(f);
}

/* --- messages --- */

/* An answer's stamp is kept as its distance from the request's. */
static void raise_to(uint32_t *packed, uint64_t from, uint64_t ts)
{
	if (*packed == 0 || latency_unpack(from, *packed) < ts)
		*packed = latency_pack(from, ts);
}

/* Does the answer's first byte answer all of the request? */
static bool is_early(const struct flow *f, const struct exchange *x,
		     uint32_t ack, bool quiet)
{
	if (x->flags & X_HAVE_C)
		return seq_lt(ack, x->end[WHO_CLIENT]);
	return !quiet || seq_lt(ack, f->w.c.nxt);
}

void stamp_bytes(const struct flow *f, struct exchange *x, enum who who,
		 const struct span *sp, bool first, bool quiet)
{
	bool prod = who == WHO_PROD;

	if (who == WHO_CLIENT) {
		if (x->c_ts < sp->ts)
			x->c_ts = sp->ts;
		return;
	}
	if (!prod && quiet && x->s_left == 0 && f->leg.left_to == f->w.c.nxt)
		x->s_left = f->leg.left_ts; /* its end is not known yet */
	if (first && is_early(f, x, sp->ack, quiet))
		x->flags |= prod ? X_P_EARLY : X_S_EARLY;
	if (sp->ts == 0 || (prod ? x->c_ts : x->s_left) == 0)
		return;
	if (first)
		*(prod ? &x->p_ts : &x->s_ts) =
			latency_pack(prod ? x->c_ts : x->s_left, sp->ts);
	raise_to(prod ? &x->p_ts_last : &x->s_ts_last,
		 prod ? x->c_ts : x->s_left, sp->ts);
}

void stamp_effects(struct effects *out, uint64_t ts)
{
	for (uint32_t i = 0; i < out->n; i++)
		out->e[i].asked = ts;
}

void engine_left(struct engine *e, const struct effect *x, uint64_t stamp)
{
	if (x->kind == EFFECT_TCP)
		shadow_left(e->shadow, x, stamp);
	else
		udp_left(e->udp, x, stamp);
	if (e->cfg.mirror_live && x->asked != 0 && stamp >= x->asked)
		hist_add(&e->recent.own, stamp - x->asked);
}

/* --- what is measured --- */

/* Had it begun when the clock was set? */
static bool spans_step(const struct engine *e, uint64_t begun)
{
	return e->stepped != 0 && begun <= e->stepped;
}

static void add_prod(struct engine *e, const struct latency_stamps *s,
		     struct latency *l)
{
	enum latency_why why = latency_add(&e->recent.side[LATENCY_PROD], s, l);

	if (why != LATENCY_SKEW && why != LATENCY_MEASURED)
		return;
	e->recent.answers.seen++;
	e->recent.answers.swapped += latency_swapped(s->asked, s->first);
}

static void note(struct exchange_record *rec, unsigned side,
		 const struct latency *l)
{
	rec->first_ns[side] = l->first;
	rec->last_ns[side] = l->last;
}

/* What a baseline took is in its record only; production's time is that of the
 * other leg.
 */
static void measure_prod(struct engine *e, const struct latency_stamps *s,
			 struct exchange_record *rec)
{
	struct latency l;

	if (rec->baseline)
		return;
	add_prod(e, s, &l);
	note(rec, LATENCY_PROD, &l);
}

/* @asked: Stamp of the request, as captured. */
static void measure_sut(struct engine *e, const struct latency_stamps *s,
			uint64_t asked, struct exchange_record *rec)
{
	enum latency_why why;
	struct latency l;
	uint64_t us;

	if (rec->baseline)
		why = latency_of(s, &l);
	else
		why = latency_add(&e->recent.side[LATENCY_SUT], s, &l);
	note(rec, LATENCY_SUT, &l);
	if (why != LATENCY_MEASURED || !e->cfg.mirror_live || asked == 0 ||
	    s->asked <= asked)
		return;
	us = (s->asked - asked + 999) / 1000;
	rec->waited_us = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

int64_t stamp_late(const struct exchange *x)
{
	uint64_t prod = latency_unpack(x->c_ts, x->p_ts);
	uint64_t sut = latency_unpack(x->s_left, x->s_ts);

	return prod != 0 && sut != 0 ? (int64_t)(sut - prod) : 0;
}

void stamp_judged(struct engine *e, const struct flow *f,
		  const struct exchange *x, struct exchange_record *rec)
{
	struct latency_stamps s = {
		.guessed = reader_guesses(reader_of(f), x->index),
		.resumed = (x->flags & X_RESUMED) != 0,
	};
	bool step = spans_step(e, x->c_now);

	s.asked = x->c_ts;
	s.first = latency_unpack(x->c_ts, x->p_ts);
	if (x->spoilt != REASON_PROD_GAP)
		s.last = latency_unpack(x->c_ts, x->p_ts_last);
	s.answered = (x->flags & X_HAVE_P) != 0;
	s.early = (x->flags & X_P_EARLY) != 0;
	s.stepped = step && e->cfg.mirror_live;
	measure_prod(e, &s, rec);
	s.asked = x->s_left;
	s.first = latency_unpack(x->s_left, x->s_ts);
	s.last = latency_unpack(x->s_left, x->s_ts_last);
	s.answered = (x->flags & X_HAVE_S) != 0;
	s.early = (x->flags & X_S_EARLY) != 0;
	s.stepped = step;
	measure_sut(e, &s, x->c_ts, rec);
}

void stamp_pair(struct engine *e, const struct udp_pair *p,
		struct exchange_record *rec)
{
	/* Which copy of a repeated query was answered cannot be told. */
	struct latency_stamps s = { .guessed = p->repeats > 0 };
	bool step = spans_step(e, p->opened);

	s.asked = p->ts[WHO_CLIENT];
	s.first = s.last = p->ts[WHO_PROD];
	s.answered = p->has[WHO_PROD];
	s.stepped = step && e->cfg.mirror_live;
	measure_prod(e, &s, rec);
	s.asked = p->left;
	s.first = s.last = p->ts[WHO_SUT];
	s.answered = p->has[WHO_SUT];
	s.stepped = step;
	measure_sut(e, &s, p->ts[WHO_CLIENT], rec);
}

void engine_clock(struct engine *e, int64_t step, uint64_t now)
{
	struct engine_event ev;

	e->now = now;
	if (step == 0)
		latency_merge(&e->measured, &e->recent);
	else
		latency_void(&e->measured, &e->recent, e->cfg.mirror_live);
	memset(&e->recent, 0, sizeof(e->recent));
	if (step == 0)
		return;
	e->stepped = now;
	ev = event_of(e, EVENT_CLOCK_STEP);
	ev.step_ns = step;
	event_put(e, &ev);
}

void engine_latencies(const struct engine *e, struct latencies *out)
{
	*out = e->measured;
	latency_merge(out, &e->recent);
}
