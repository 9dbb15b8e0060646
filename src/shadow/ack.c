/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ack.c - The client's acks, told to the SUT in the SUT's numbers
 *
 * Theory of operation
 *
 * The two servers' answers differ in length, so that no constant leads from
 * production's numbers to the SUT's. The marks do: exchange k ends at p_end in
 * the one stream and at s_end in the other, and both streams stand at the same
 * place there. p_base and s_base are where the last exchange ended that the
 * client's acks have passed on both sides. From there:
 *
 *   - an ack inside production's answer k is 1:1, but never past the SUT's mark k
 *   - an ack of all of production's answer k acks what the SUT has sent of its
 *     answer k, as it comes, until the SUT's mark k is reached; then the base
 *     moves on
 *
 * While the place in production's messages is lost (a hole in the capture), there
 * is nothing to map by: all that the SUT sends is acked as it comes.
 *
 * Acks wait in a queue, first in first out, each with its window, until the SUT's
 * bytes are there (I8). The first one that is ahead of the SUT's bytes may be
 * told in part: all that is there, which always ends on a frame boundary; from
 * two segments on at once, as every receiver does, below that after DACK_WAIT,
 * if the ack has not advanced by then (I9, I10).
 *
 * The right edge is the client's ack, where it lies in the SUT's stream, plus its
 * window, even if the SUT's bytes are not there yet; it never goes back (I38).
 * Where our ack lags, the window told is larger by that much. A closed window that
 * came with the ack of a whole answer leaves room for a segment of the SUT's, until
 * that is whole too.
 * Once client and production have both said goodbye, all is drained with an open
 * window, and what the client said is not looked at any more (I7, I11).
 */
#include "shadow/shadow_internal.h"

/* Production's number @ack without the FIN that it may cover. */
static uint32_t data_ack(const struct flow *f, uint32_t ack)
{
	if (stream_has(&f->p, STREAM_FIN) && seq_lt(f->p.fin, ack))
		return f->p.fin;
	return ack;
}

/* Where production's number @p_ack lies in the SUT's stream. */
struct place {
	uint32_t seq;
	bool open; /* all of the SUT's answer k, whose end is not known yet */
};

static struct place place_of(const struct flow *f, uint32_t p_ack)
{
	const struct exchange *x = f->x.head;
	struct place at = { 0, false };
	uint32_t p = f->p_base;
	uint32_t s = f->s_base;

	p_ack = data_ack(f, p_ack);
	if ((f->flags & FLOW_PLOST) != 0) {
		at.seq = f->s.nxt;
		return at;
	}
	for (; x != NULL; x = x->next) {
		if ((x->flags & X_PASSED) != 0)
			continue;
		if ((x->flags & X_HAVE_P) == 0 ||
		    seq_lt(p_ack, x->end[WHO_PROD]))
			break;
		if ((x->flags & X_HAVE_S) == 0) {
			at.seq = f->s.nxt;
			at.open = true;
			return at;
		}
		p = x->end[WHO_PROD];
		s = x->end[WHO_SUT];
	}
	at.seq = s + (p_ack - p);
	if (x != NULL && (x->flags & X_HAVE_S) != 0 &&
	    seq_lt(x->end[WHO_SUT], at.seq))
		at.seq = x->end[WHO_SUT];
	return at;
}

bool sut_reached(const struct flow *f, uint32_t p_ack)
{
	struct place at;

	if (stream_has(&f->s, STREAM_ENDED))
		return true;
	if ((f->flags & FLOW_PLOST) != 0)
		return f->x.marks[WHO_SUT] >= f->x.marks[WHO_CLIENT];
	/* Where it was to get is not known before those bytes come. */
	if (prod_hole(f) && seq_lt(stream_end(&f->p), p_ack))
		return false;
	at = place_of(f, p_ack);
	return !at.open && seq_le(at.seq, f->s.nxt);
}

bool answers_reached(const struct flow *f, uint32_t p_ack)
{
	if (stream_has(&f->s, STREAM_ENDED))
		return true;
	return !place_of(f, p_ack).open;
}

/* The acks up to @p_ack are consumed: exchanges that end before it are passed on
 * both sides.
 */
static void pass(struct flow *f, uint32_t p_ack)
{
	struct exchange *x = f->x.head;

	for (; x != NULL; x = x->next) {
		if ((x->flags & X_PASSED) != 0)
			continue;
		if ((x->flags & (X_HAVE_P | X_HAVE_S)) !=
			    (X_HAVE_P | X_HAVE_S) ||
		    seq_lt(p_ack, x->end[WHO_PROD]))
			return;
		x->flags |= X_PASSED;
		f->p_base = x->end[WHO_PROD];
		f->s_base = x->end[WHO_SUT];
		if (seq_lt(f->a_cur, f->p_base))
			f->a_cur = f->p_base;
	}
}

void ack_queue(struct shadow *s, struct flow *f, uint32_t ack, uint32_t win,
	       uint64_t now)
{
	struct flow_ack *a;

	if (f->ack_n == FLOW_ACKS) {
		a = &f->acks[(f->ack_head + f->ack_n - 1) % FLOW_ACKS];
		s->count.acks_merged++;
	} else {
		a = &f->acks[(f->ack_head + f->ack_n) % FLOW_ACKS];
		f->ack_n++;
	}
	a->ack = ack;
	a->win = win;
	a->now = now;
}

/* The largest end of a SUT frame that is not after @seq, or the last ack. */
static uint32_t boundary(const struct flow *f, uint32_t seq)
{
	uint32_t best = f->ack_sent;

	for (unsigned i = 0; i < f->bound_n; i++) {
		uint32_t b = f->bound[(f->bound_head + i) % FLOW_BOUNDS];

		if (seq_le(b, seq) && seq_lt(best, b))
			best = b;
	}
	return best;
}

/* Take acks off the queue whose bytes the SUT has sent. */
static void consume(struct flow *f, uint64_t now,
		    const struct shadow_options *opt)
{
	while (f->ack_n > 0) {
		const struct flow_ack *a = &f->acks[f->ack_head];
		struct place at;

		if (opt->timing && now < a->now + opt->delay)
			return;
		/* An ack that was merged may cover many answers: pass those
		 * that the SUT has given.
		 */
		pass(f, data_ack(f, a->ack));
		at = place_of(f, a->ack);
		if (at.open || seq_lt(f->s.nxt, at.seq))
			return;
		if (seq_lt(f->a_cur, data_ack(f, a->ack)))
			f->a_cur = data_ack(f, a->ack);
		f->a_win = a->win;
		f->ack_head = (uint8_t)((f->ack_head + 1) % FLOW_ACKS);
		f->ack_n--;
	}
}

/* Have both ends of the mirrored connection said goodbye? */
static bool draining(const struct flow *f)
{
	return (f->flags & FLOW_DRAIN) != 0 ||
	       ((f->ev & EV_C_FIN) != 0 && (f->ev & EV_P_FIN) != 0 &&
		(f->flags & FLOW_FIN_SENT) != 0);
}

/* The ack that waits first in the queue: what of it can be told already? */
static void plan_next(const struct flow *f, uint64_t now,
		      const struct shadow_options *opt, struct ack_plan *p,
		      uint32_t *cand, uint32_t *edge)
{
	const struct flow_ack *a = &f->acks[f->ack_head];
	struct place at = place_of(f, a->ack);

	if (opt->timing && now < a->now + opt->delay)
		return;
	if (seq_lt(*cand, f->s.nxt)) {
		*cand = f->s.nxt;
		p->partial = !at.open;
		p->cause = at.open ? CAUSE_ACK : CAUSE_ACK_PARTIAL;
	}
	/* A window of 0 at the end of production's answer says nothing about the
	 * rest of the SUT's: without room for it the ack would wait for ever.
	 */
	*edge = at.seq + (at.open && a->win == 0 ? f->s_mss : a->win);
}

struct ack_plan ack_plan(struct flow *f, uint64_t now,
			 const struct shadow_options *opt, bool force)
{
	struct ack_plan p = { f->ack_sent, f->edge, false, CAUSE_ACK };
	uint32_t cand;
	uint32_t edge;
	uint32_t most;

	consume(f, now, opt);
	cand = place_of(f, f->a_cur).seq;
	if (seq_lt(f->s.nxt, cand))
		cand = f->s.nxt;
	edge = cand + f->a_win;
	if (draining(f)) {
		cand = f->s.nxt;
		p.cause = CAUSE_ACK_DRAIN;
		edge = cand +
		       (f->a_win > DRAIN_WINDOW ? f->a_win : DRAIN_WINDOW);
	} else if (f->ack_n > 0) {
		plan_next(f, now, opt, &p, &cand, &edge);
	}
	if (force) /* the window is still the client's to open */
		cand = f->s.nxt;
	if (opt->timing && !force && cand != f->s.nxt)
		cand = boundary(f, cand);
	if (seq_lt(p.ack, cand))
		p.ack = cand;
	/* What the header cannot say is not news: a SUT that scales nothing would
	 * be told the same window for each of its segments.
	 */
	most = p.ack + (WIN_FULL << f->s_wscale);
	if (seq_lt(most, edge))
		edge = most;
	if (seq_lt(p.edge, edge))
		p.edge = edge;
	if (stream_has(&f->s, STREAM_ENDED) && p.ack == f->s.nxt)
		p.ack = f->s.nxt + 1;
	return p;
}

static bool send_ack(struct shadow *s, struct flow *f, struct effects *out,
		     enum effect_cause cause)
{
	if (effect_tcp(s, f, out, cause, TCP_ACK) == NULL)
		return false;
	if (cause == CAUSE_ACK_DRAIN)
		f->flags |= FLOW_DRAIN;
	return true;
}

/* Bytes of the SUT that have not been acked start the spontaneous ack's timer. */
static void watch_unacked(struct shadow *s, struct flow *f, uint64_t now)
{
	if (f->ack_sent == stream_end(&f->s)) {
		due_clear(f, DUE_SPONT);
		return;
	}
	if (f->due[DUE_SPONT] == WHEEL_NEVER)
		due_set(s, f, DUE_SPONT, now + SPONT_WAIT);
}

/* Would an edge at @edge open the window from 0, or move it by two segments? */
static bool edge_matters(const struct flow *f, uint32_t edge)
{
	uint32_t step = edge - f->edge;

	return seq_lt(f->edge, edge) &&
	       (step >= 2u * f->s_mss || f->edge == f->ack_sent);
}

void ack_again(struct shadow *s, struct flow *f, struct effects *out)
{
	if (f->dup_ack)
		send_ack(s, f, out, CAUSE_ACK_DUP);
}

void ack_push(struct shadow *s, struct flow *f, uint64_t now,
	      struct effects *out)
{
	struct ack_plan p = ack_plan(f, now, &s->opt, false);
	uint32_t fresh = p.ack - f->ack_sent;

	if (s->opt.timing && f->ack_n > 0)
		due_set(s, f, DUE_DACK,
			f->acks[f->ack_head].now + s->opt.delay > now
				? f->acks[f->ack_head].now + s->opt.delay
				: now + DACK_WAIT);
	if (f->dup_ack) {
		if (!send_ack(s, f, out, CAUSE_ACK_DUP))
			return;
	} else if ((f->flags & FLOW_HANDSHAKE) != 0 && !s->opt.timing &&
		   f->s.nxt == f->s_iss + 1) {
		if (f->due[DUE_DACK] == WHEEL_NEVER)
			due_set(s, f, DUE_DACK, now + HANDSHAKE_WAIT);
	} else if ((f->flags & FLOW_HANDSHAKE) != 0) {
		if (!send_ack(s, f, out, p.partial ? CAUSE_ACK_DUP : p.cause))
			return;
	} else if (fresh != 0 && (!p.partial || fresh >= 2u * f->s_mss)) {
		if (!send_ack(s, f, out, p.cause))
			return;
	} else if (edge_matters(f, p.edge)) {
		if (!send_ack(s, f, out, CAUSE_WINDOW))
			return;
	} else if (fresh != 0 && f->due[DUE_DACK] == WHEEL_NEVER) {
		due_set(s, f, DUE_DACK, now + DACK_WAIT);
	}
	watch_unacked(s, f, now);
}
