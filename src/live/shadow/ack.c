/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ack.c - The client's acks, sent to the SUT in the SUT's numbers
 *
 * Theory of operation
 *
 * The two servers' answers differ in length, so that no constant leads from
 * production's numbers to the SUT's. The marks do: exchange k ends at p_end in
 * the one stream and at s_end in the other, and both streams stand at the same
 * place there. p_base and s_base are where the last exchange ended that the
 * client's acks have passed on both sides. From there:
 *
 *   - an ack inside production's answer k is 1:1, but never past the SUT's mark
 *     k
 *   - an ack of all of production's answer k acks what the SUT has sent of its
 *     answer k, as it comes, until the SUT's mark k is reached; then the base
 *     moves on
 *
 * While the place in production's messages is lost (a hole in the capture),
 * there is nothing to map by: all that the SUT sends is acked as it comes.
 *
 * Acks wait in a queue, first in first out, each with its window, until the
 * SUT's bytes are there (I8). The first one that is ahead of the SUT's bytes
 * may be acknowledged in part: all that is there, which always ends on a frame
 * boundary; from two segments on at once, as every receiver does, below that
 * after DACK_WAIT, if the ack has not advanced by then (I9, I10).
 *
 * The right edge is the client's ack, where it lies in the SUT's stream, plus
 * its window, even if the SUT's bytes are not there yet; it never goes back
 * (I38). Where our ack lags, the advertised window is larger by that much. A
 * closed window that came with the ack of a whole answer leaves room for a
 * segment of the SUT's, until that is whole too. Once client and production
 * have both said goodbye, all is drained with an open window, and what the
 * client said is not looked at any more (I7, I11).
 */
#include "flow/place.h"
#include "shadow/shadow_internal.h"

bool sut_reached(const struct flow *f, uint32_t p_ack)
{
	struct place at;

	if (stream_has(&f->leg.s, STREAM_ENDED))
		return true;
	if (f->w.flags & W_PLOST)
		return f->x.marks[WHO_SUT] >= f->x.marks[WHO_CLIENT];
	/* Where it was to get is not known before those bytes come. */
	if (prod_hole(f) && seq_lt(stream_end(&f->w.p), p_ack))
		return false;
	at = place_of(f, p_ack);
	return !at.open && seq_le(at.seq, f->leg.s.nxt);
}

bool answers_reached(const struct flow *f, uint32_t p_ack)
{
	if (stream_has(&f->leg.s, STREAM_ENDED))
		return true;
	return !place_of(f, p_ack).open;
}

/* The acks up to @p_ack are consumed: exchanges that end before it are passed
 * on both sides.
 */
static void pass(struct flow *f, uint32_t p_ack)
{
	struct exchange *x = f->x.head;

	for (; x != NULL; x = x->next) {
		if (x->flags & X_PASSED)
			continue;
		if ((x->flags & (X_HAVE_P | X_HAVE_S)) !=
			    (X_HAVE_P | X_HAVE_S) ||
		    seq_lt(p_ack, x->end[WHO_PROD]))
			return;
		x->flags |= X_PASSED;
		f->w.p_base = x->end[WHO_PROD];
		f->leg.base = x->end[WHO_SUT];
		if (seq_lt(f->leg.cli_ack, f->w.p_base))
			f->leg.cli_ack = f->w.p_base;
	}
}

void ack_queue(const struct turn *t, struct flow *f, uint32_t ack, uint32_t win)
{
	struct flow_ack *a;

	if (f->leg.ack_n == FLOW_ACKS) {
		a = &f->leg.acks[(f->leg.ack_head + f->leg.ack_n - 1) %
				 FLOW_ACKS];
		t->s->count.acks_merged++;
	} else {
		a = &f->leg.acks[(f->leg.ack_head + f->leg.ack_n) % FLOW_ACKS];
		f->leg.ack_n++;
	}
	a->ack = ack;
	a->win = win;
	a->now = t->now;
}

/* Take acks off the queue whose bytes the SUT has sent. */
static void consume(const struct turn *t, struct flow *f)
{
	while (f->leg.ack_n > 0) {
		const struct flow_ack *a = &f->leg.acks[f->leg.ack_head];
		struct place at;

		if (t->s->opt.timing && t->now < a->now + t->s->opt.delay)
			return;
		/* An ack that was merged may cover many answers: pass those
		 * that the SUT has given.
		 */
		pass(f, data_ack(f, a->ack));
		at = place_of(f, a->ack);
		if (at.open || seq_lt(f->leg.s.nxt, at.seq))
			return;
		if (seq_lt(f->leg.cli_ack, data_ack(f, a->ack)))
			f->leg.cli_ack = data_ack(f, a->ack);
		f->leg.cli_wnd = a->win;
		f->leg.ack_head = (uint8_t)((f->leg.ack_head + 1) % FLOW_ACKS);
		f->leg.ack_n--;
	}
}

/* Have both ends of the mirrored connection said goodbye? */
static bool draining(const struct flow *f)
{
	return (f->leg.flags & L_DRAIN) ||
	       ((f->w.ev & EV_C_FIN) && (f->w.ev & EV_P_FIN) &&
		(f->leg.flags & L_FIN_SENT));
}

/* The ack that waits first in the queue: what of it can be sent already? */
static void plan_next(const struct turn *t, const struct flow *f,
		      struct ack_plan *p, uint32_t *cand, uint32_t *edge)
{
	const struct flow_ack *a = &f->leg.acks[f->leg.ack_head];
	struct place at = place_of(f, a->ack);

	if (t->s->opt.timing && t->now < a->now + t->s->opt.delay)
		return;
	if (seq_lt(*cand, f->leg.s.nxt)) {
		*cand = f->leg.s.nxt;
		p->partial = !at.open;
		p->cause = at.open ? CAUSE_ACK : CAUSE_ACK_PARTIAL;
	}
	/* A window of 0 at the end of production's answer says nothing about
	 * the rest of the SUT's: without room for it the ack would wait for
	 * ever.
	 */
	*edge = at.seq + (at.open && a->win == 0 ? f->leg.mss : a->win);
}

struct ack_plan ack_plan(const struct turn *t, struct flow *f, bool force)
{
	struct ack_plan p = { f->leg.last_ack_sent, f->leg.adv_edge, false,
			      CAUSE_ACK };
	uint32_t cand;
	uint32_t edge;
	uint32_t most;

	consume(t, f);
	cand = place_of(f, f->leg.cli_ack).seq;
	if (seq_lt(f->leg.s.nxt, cand))
		cand = f->leg.s.nxt;
	edge = cand + f->leg.cli_wnd;
	if (draining(f)) {
		cand = f->leg.s.nxt;
		p.cause = CAUSE_ACK_DRAIN;
		edge = cand + (f->leg.cli_wnd > DRAIN_WINDOW ? f->leg.cli_wnd
							     : DRAIN_WINDOW);
	} else if (f->leg.ack_n > 0) {
		plan_next(t, f, &p, &cand, &edge);
	}
	if (force) /* the window is still the client's to open */
		cand = f->leg.s.nxt;
	if (t->s->opt.timing && !force && cand != f->leg.s.nxt)
		cand = boundary(f, cand);
	if (seq_lt(p.ack, cand))
		p.ack = cand;
	/* What the header cannot say is not news: a SUT that scales nothing
	 * would be sent the same window for each of its segments.
	 */
	most = p.ack + (WIN_FULL << f->leg.wscale);
	if (seq_lt(most, edge))
		edge = most;
	if (seq_lt(p.adv_edge, edge))
		p.adv_edge = edge;
	if (stream_has(&f->leg.s, STREAM_ENDED) && p.ack == f->leg.s.nxt)
		p.ack = f->leg.s.nxt + 1;
	return p;
}
