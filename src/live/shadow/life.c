/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * life.c - Opening and closing of the SUT's leg
 *
 * Theory of operation
 *
 * Three endpoints open a connection: the state is the set of {C_ACK, P_SYNACK,
 * S_SYNACK} that have been seen, and only in 111 does the client's ACK go to
 * the SUT. Three endpoints close it: {C_FIN, P_FIN, S_FIN, S_ACK of our FIN}.
 * The bits are only ever set, in any order, and what is done depends on the set
 * alone (I19): each of the functions here looks at the whole state and does
 * what is due and not done yet. A bit whose packet the mirror lost is inferred
 * from one that proves it (I20).
 *
 * The client's FIN goes out when the SUT's stream has got to where production's
 * stood when the client sent it; a RST likewise (I16a, I22). Both waits end
 * after FIN_HOLD and RST_HOLD without progress of the SUT.
 *
 * A leg starts when the tuple is free, the SUT is ready, and the client's
 * network is proved, in this order; the last is asked of the caller
 * (WANT_PROOF), and the leg waits for the answer.
 *
 *   LEG_WAITING --start_leg()--> LEG_SYN_SENT --SYN,ACK--> LEG_OPEN
 *        LEG_OPEN --both FINs acked--> LEG_CLOSED
 *        any --leg_over(why)--> LEG_NONE
 *
 * A flow is over when the mirrored connection and the leg have both ended; the
 * SUT may be ahead of production as well as behind. It is then remembered for
 * TIME_WAIT, so that repetitions of its end do not begin a new flow.
 */
#include <assert.h>

#include "shadow/shadow_internal.h"

/* Requests that were captured whole and never got to the SUT. */
static void count_undelivered(struct shadow *s, struct flow *f,
			      enum flow_end why)
{
	const struct exchange *x = f->x.deliver;

	for (; x != NULL; x = x->next)
		if ((x->flags & (X_HAVE_C | X_DELIVERED)) == X_HAVE_C)
			s->count.not_delivered[why]++;
	f->x.deliver = NULL;
}

/* The newer incarnation of the tuple need not wait any more. */
static void release_successor(struct shadow *s, struct flow *f)
{
	struct flow *n = f->newer;

	if (!n)
		return;
	f->newer = NULL;
	n->older = NULL;
	more_later(s, n);
}

static void enter_time_wait(const struct turn *t, struct flow *f)
{
	if (f->class == FLOW_TIME_WAIT)
		return;
	flow_set_class(t->s->flows, f, FLOW_TIME_WAIT);
	due_set(t->s, f, DUE_IDLE, t->now + TIME_WAIT);
}

/* Does the flow go on with the client's next message? Not where that would play
 * a part of what was promised whole.
 */
static bool resumes(const struct shadow *s, enum flow_end why)
{
	if (!s->opt.midstream)
		return false;
	switch (why) {
	case FLOW_END_SUT_RST:
	case FLOW_END_SUT_REFUSED:
	case FLOW_END_SUT_SILENT:
	case FLOW_END_SYN_TIMEOUT:
	case FLOW_END_NO_PROGRESS:
	case FLOW_END_NOT_READY:
	case FLOW_END_UNPROVED:
	case FLOW_END_GAP:
		return true;
	default:
		return false;
	}
}

bool shadow_resumes(const struct shadow *s, const struct flow *f)
{
	/* A victim of this segment's other leg is beyond it. */
	return f->leg.state == LEG_NONE && !(f->want & WANT_FREE) &&
	       (resumes(s, (enum flow_end)f->leg.end) ||
		(s->opt.midstream && shadow_is_shed(f)));
}

void leg_over(const struct turn *t, struct flow *f, enum flow_end why)
{
	bool closed = why == FLOW_END_CLOSED;

	if (f->leg.state == LEG_NONE || f->leg.state == LEG_CLOSED)
		return;
	t->s->shaking -= f->leg.state == LEG_SYN_SENT;
	count_undelivered(t->s, f, why);
	queue_drop(t->s, f);
	f->q.left = false;
	stream_drop(&f->leg.s, t->s->pool);
	f->leg.state = closed ? LEG_CLOSED : LEG_NONE;
	if (!closed)
		flow_unbind(t->s->flows, f);
	f->leg.end = (uint8_t)why;
	f->leg.ack_n = 0;
	t->s->count.ended[why]++;
	t->s->count.flows_untaken += f->w.unconfirmed;
	due_clear(f, DUE_RTO);
	due_clear(f, DUE_DACK);
	due_clear(f, DUE_SPONT);
	due_clear(f, DUE_HOLD);
	due_clear(f, DUE_LAG);
	if (f->leg.gate == GATE_WAIT)
		list_del(&f->more);
	f->leg.gate = GATE_UNASKED;
	/* No network is proved for who has ended. */
	f->want &= (uint16_t)~WANT_PROOF;
	wait_stop(f);
	want(t->s, f, resumes(t->s, why) ? WANT_JUDGE | WANT_SYNC : WANT_JUDGE);
	if (resumes(t->s, why))
		f->w.flags |= W_LOST;
	if (t->s->target[f->sut].owed_flow == f->id)
		t->s->target[f->sut].owed = 0;
	release_successor(t->s, f);
	if (mirror_over(f))
		enter_time_wait(t, f);
}

/* One request that a silent SUT has taken and not answered stays with it: no
 * RST ends it, so that its answer tells that the SUT is back.
 */
static bool keep_canary(struct shadow *s, const struct flow *f,
			enum flow_end why)
{
	struct target *t = &s->target[f->sut];
	const struct exchange *x = f->x.at[WHO_SUT];

	if (why != FLOW_END_SUT_SILENT || !t->app_stalled || t->canary != 0 ||
	    f->leg.state != LEG_OPEN || !x || !(x->flags & X_DELIVERED))
		return false;
	t->canary = f->id;
	return true;
}

void end_leg(const struct turn *t, struct flow *f, enum flow_end why)
{
	if (f->leg.state == LEG_NONE || f->leg.state == LEG_CLOSED) {
		f->leg.ending = FLOW_END_NONE;
		return;
	}
	if (f->leg.state != LEG_WAITING && !keep_canary(t->s, f, why) &&
	    !send_rst(t, f)) {
		f->leg.ending = (uint8_t)why;
		return;
	}
	f->leg.ending = FLOW_END_NONE;
	leg_over(t, f, why);
}

void shadow_end(struct shadow *s, struct flow *f, enum flow_end why,
		uint64_t now, struct effects *out)
{
	const struct turn t = { s, now, out };

	end_leg(&t, f, why);
}

/* A client port that is free at the SUT, for a tuple that is in use there. The
 * substitute hashes alike in its low bits, so that a program that spreads
 * clients over threads sends both to the same one.
 */
static bool choose_port(struct shadow *s, struct flow *f)
{
	for (int i = 0; i < 64; i++) {
		uint16_t low = f->key.cport & PORT_ALIKE;
		uint16_t port = (uint16_t)(1024 + rng_below(&s->rng, 64000));

		port = (uint16_t)((port & ~PORT_ALIKE) | low);
		if (!flow_find_sut(s->flows, f->sut, f->sport, &f->key.client,
				   port)) {
			f->eport = port;
			s->count.flows_other_port++;
			return true;
		}
	}
	return false;
}

/* May the leg start, as far as its client's network is concerned? It is asked
 * last, so that no network is proved for a flow that would not start.
 */
static bool gate_open(const struct turn *t, struct flow *f)
{
	static const enum flow_end shut[] = {
		[GATE_LOST] = FLOW_END_NO_ROUTE,
		[GATE_LATER] = FLOW_END_UNPROVED,
		[GATE_DEAF] = FLOW_END_SYN_TIMEOUT,
		[GATE_OPEN] = FLOW_END_NONE,
	};

	if (f->leg.gate == GATE_UNASKED) {
		f->leg.gate = GATE_WAIT;
		want(t->s, f, WANT_PROOF);
	}
	if (f->leg.gate == GATE_WAIT)
		return false;
	if (shut[f->leg.gate] != FLOW_END_NONE)
		leg_over(t, f, shut[f->leg.gate]);
	return f->leg.gate == GATE_OPEN;
}

void start_leg(const struct turn *t, struct flow *f)
{
	struct target *sut = &t->s->target[f->sut];
	/* The one whose network is being proved is the trial already. */
	bool trial = sut->silent && sut->canary != f->id &&
		     (f->leg.gate != GATE_UNASKED ||
		      t->now - sut->trial >= TRIAL_EVERY);
	struct flow *other; /* has its tuple at the SUT */

	if (effects_left(t->out) == 0) {
		more_later(t->s, f);
		return;
	}
	if (!sut->ready || (sut->silent && !trial)) {
		leg_over(t, f,
			 sut->silent ? FLOW_END_SUT_SILENT
				     : FLOW_END_NOT_READY);
		return;
	}
	if (trial)
		sut->trial = t->now;
	if (t->s->opt.proof && !gate_open(t, f))
		return;
	f->eport = f->key.cport;
	other = flow_find_sut(t->s->flows, f->sut, f->sport, &f->key.client,
			      f->eport);
	if (other && other->leg.state == LEG_CLOSED)
		flow_unbind(t->s->flows, other);
	else if ((other || f->leg.other_port) && !choose_port(t->s, f) &&
		 other) {
		leg_over(t, f, FLOW_END_REUSED);
		return;
	}
	due_clear(f, DUE_HOLD);
	f->leg.hold_passed = false;
	flow_bind(t->s->flows, f);
	f->leg.state = LEG_SYN_SENT;
	t->s->shaking++;
	f->leg.tries = 0;
	t->s->count.flows_played++;
	send_syn(t, f, CAUSE_SYN);
}

/* Bytes that still have to go out before a FIN or RST may. */
static bool data_pending(const struct flow *f)
{
	const struct buf *fr = f->q.send;

	if (!fr)
		return client_waits(f);
	/* What came after production's FIN is never sent before a RST. */
	return !(stream_has(&f->w.p, STREAM_ENDED) &&
		 seq_lt(f->w.p.fin, fr->ack));
}

/* Start or look at the deadline of a hold. True: it has passed. The wait for an
 * answer is never cut short: its end looks here again.
 */
static bool hold_over(const struct turn *t, struct flow *f, uint64_t limit)
{
	if (f->wait.on)
		return false;
	if (t->now - f->leg.progress >= limit)
		return true;
	due_set(t->s, f, DUE_HOLD, f->leg.progress + limit);
	return false;
}

/* Is an answer waited for that production has given whole, and the SUT has not
 * begun?
 */
static bool owes_all(const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_SUT];

	assert(!f->wait.on || x);
	return f->wait.on && f->wait.whole && !(x->flags & X_S_BEGUN);
}

/* A RST of client or production: the SUT's connection ends with it (I22). */
static void push_rst(const struct turn *t, struct flow *f)
{
	enum flow_end why = reset_by(f);
	bool ready =
		f->leg.state == LEG_OPEN && !data_pending(f) &&
		f->leg.snd_una ==
			f->leg.snd_nxt + ((f->leg.flags & L_FIN_SENT) != 0);

	if (ready && sut_reached(f, f->w.rst_ack) && !owes_all(f)) {
		t->s->count.late_data_dropped += f->q.send != NULL;
		end_leg(t, f, why);
		return;
	}
	if (!(f->leg.flags & L_HELD))
		t->s->count.rst_held++;
	f->leg.flags |= L_HELD;
	if (hold_over(t, f, RST_HOLD)) {
		t->s->count.rst_deadline++;
		end_leg(t, f, why);
	}
}

static void push_fin(const struct turn *t, struct flow *f)
{
	struct ack_plan plan;

	if ((f->leg.flags & L_FIN_SENT) || f->shed == SHED_CUT || left_next(f))
		return;
	/* It lies behind what is left out: no connection gets there. */
	if (f->q.left) {
		if (hold_over(t, f, FIN_HOLD))
			end_leg(t, f, FLOW_END_METHOD);
		return;
	}
	if (f->q.send)
		return;
	/* Each of the client's bytes in order went through the queue. */
	assert(f->leg.snd_nxt == f->w.c.fin);
	if (!sut_reached(f, f->w.rst_ack)) {
		if (!(f->leg.flags & L_HELD))
			t->s->count.fin_held++;
		f->leg.flags |= L_HELD;
		if (!hold_over(t, f, FIN_HOLD))
			return;
		t->s->count.fin_deadline++;
	}
	plan = ack_plan(t, f, false);
	if (!effect_tcp(t, f, &plan, CAUSE_FIN, TCP_FIN | TCP_ACK))
		return;
	f->leg.flags |= L_FIN_SENT;
	due_clear(f, DUE_HOLD);
	sent_something(t, f);
}

/* Client bytes after production's FIN have waited long enough: production reset
 * them, so the SUT must not see them.
 */
static void late_data_over(const struct turn *t, struct flow *f)
{
	const struct buf *fr = f->q.send;

	if (!fr || data_pending(f) || !f->leg.hold_passed || f->wait.on)
		return;
	if (stream_has(&f->leg.s, STREAM_ENDED) || was_accepted(f, fr))
		return;
	t->s->count.late_data_dropped++;
	end_leg(t, f, FLOW_END_LATE_DATA);
}

void close_push(const struct turn *t, struct flow *f)
{
	if ((f->w.ev & (EV_C_RST | EV_P_RST)) ||
	    ((f->w.flags & W_SUPERSEDED) && !(f->w.ev & EV_C_FIN))) {
		push_rst(t, f);
		return;
	}
	late_data_over(t, f);
	if (f->leg.state == LEG_OPEN && (f->w.ev & EV_C_FIN))
		push_fin(t, f);
	if (f->leg.state == LEG_OPEN && (f->leg.ev & EV_S_ACKFIN) &&
	    stream_has(&f->leg.s, STREAM_ENDED) &&
	    f->leg.last_ack_sent == stream_end(&f->leg.s))
		leg_over(t, f, FLOW_END_CLOSED);
}

void close_if_done(const struct turn *t, struct flow *f)
{
	if (mirror_over(f) &&
	    (f->leg.state == LEG_NONE || f->leg.state == LEG_CLOSED))
		enter_time_wait(t, f);
}
