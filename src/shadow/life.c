/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * life.c - Opening and closing of the SUT's leg
 *
 * Theory of operation
 *
 * Three endpoints open a connection: the state is the set of {C_ACK, P_SYNACK,
 * S_SYNACK} that have been seen, and only in 111 does the client's ACK go to the
 * SUT. Three endpoints close it: {C_FIN, P_FIN, S_FIN, S_ACK of our FIN}. The
 * bits are only ever set, in any order, and what is done depends on the set alone
 * (I19): each of the functions here looks at the whole state and does what is due
 * and not done yet. A bit whose packet the mirror lost is inferred from one that
 * proves it (I20).
 *
 * The client's FIN goes out when the SUT's stream has got to where production's
 * stood when the client sent it; a RST likewise (I16a, I22). Both waits end after
 * FIN_HOLD and RST_HOLD without progress of the SUT.
 *
 * A leg starts when the tuple is free, the SUT is ready, and the client's network
 * is proved, in this order; the last is asked of the caller (WANT_PROOF), and the
 * leg waits for the answer.
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

bool mirror_over(const struct flow *f)
{
	return (f->ev & (EV_C_RST | EV_P_RST)) != 0 ||
	       (f->flags & FLOW_SUPERSEDED) != 0 ||
	       (f->ev & (EV_C_FIN | EV_P_FIN)) == (EV_C_FIN | EV_P_FIN);
}

enum flow_end reset_by(const struct flow *f)
{
	if ((f->ev & EV_C_RST) != 0)
		return FLOW_END_CLIENT_RST;
	if ((f->ev & EV_P_RST) != 0)
		return FLOW_END_PROD_RST;
	return (f->flags & FLOW_SUPERSEDED) != 0 ? FLOW_END_REUSED
						 : FLOW_END_NONE;
}

static void queue_drop(struct shadow *s, struct flow *f)
{
	struct frame *fr;

	kept_drop(s, f);
	while ((fr = f->q_head) != NULL) {
		f->q_head = fr->next;
		frame_clear(s->pool, fr, FRAME_QUEUE);
	}
	f->q_tail = NULL;
	f->q_send = NULL;
	f->q_bytes = 0;
}

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
static void let_go(struct shadow *s, struct flow *f)
{
	struct flow *n = f->newer;

	if (n == NULL)
		return;
	f->newer = NULL;
	n->older = NULL;
	more_later(s, n);
}

static void remember(struct shadow *s, struct flow *f, uint64_t now)
{
	if (f->class == FLOW_TIME_WAIT)
		return;
	flow_set_class(s->flows, f, FLOW_TIME_WAIT);
	due_set(s, f, DUE_IDLE, now + TIME_WAIT);
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
	return f->leg == LEG_NONE && (f->want & WANT_FREE) == 0 &&
	       (resumes(s, (enum flow_end)f->end) ||
		(s->opt.midstream && shed_resumes(s, f)));
}

void leg_over(struct shadow *s, struct flow *f, enum flow_end why, uint64_t now)
{
	bool closed = why == FLOW_END_CLOSED;

	if (f->leg == LEG_NONE || f->leg == LEG_CLOSED)
		return;
	s->shaking -= f->leg == LEG_SYN_SENT;
	count_undelivered(s, f, why);
	queue_drop(s, f);
	stream_drop(&f->s, s->pool);
	f->leg = closed ? LEG_CLOSED : LEG_NONE;
	if (!closed)
		flow_unbind(s->flows, f);
	f->end = (uint8_t)why;
	f->ack_n = 0;
	s->count.ended[why]++;
	s->count.flows_untaken += f->untaken;
	due_clear(f, DUE_RTO);
	due_clear(f, DUE_DACK);
	due_clear(f, DUE_SPONT);
	due_clear(f, DUE_HOLD);
	due_clear(f, DUE_LAG);
	if (f->gate == GATE_WAIT)
		list_del(&f->more);
	f->gate = GATE_UNASKED;
	wait_stop(f);
	want(s, f, resumes(s, why) ? WANT_JUDGE | WANT_SYNC : WANT_JUDGE);
	if (resumes(s, why))
		f->flags |= FLOW_LOST;
	if (s->target[f->sut].owed_flow == f->id)
		s->target[f->sut].owed = 0;
	let_go(s, f);
	if (mirror_over(f))
		remember(s, f, now);
}

/* One request that a silent SUT has taken and not answered stays with it: no RST
 * ends it, so that its answer tells that the SUT is back.
 */
static bool stays_asked(struct shadow *s, const struct flow *f,
			enum flow_end why)
{
	struct target *t = &s->target[f->sut];
	const struct exchange *x = f->x.at[WHO_SUT];

	if (why != FLOW_END_SUT_SILENT || !t->mute || t->asked != 0 ||
	    f->leg != LEG_OPEN || x == NULL || (x->flags & X_DELIVERED) == 0)
		return false;
	t->asked = f->id;
	return true;
}

void shadow_end(struct shadow *s, struct flow *f, enum flow_end why,
		uint64_t now, struct effects *out)
{
	s->now = now;
	if (f->leg == LEG_NONE || f->leg == LEG_CLOSED) {
		f->ending = FLOW_END_NONE;
		return;
	}
	if (f->leg != LEG_WAITING && !stays_asked(s, f, why) &&
	    !send_rst(s, f, out)) {
		f->ending = (uint8_t)why;
		return;
	}
	f->ending = FLOW_END_NONE;
	leg_over(s, f, why, now);
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
		if (flow_find_sut(s->flows, f->sut, f->sport, &f->key.client,
				  port) == NULL) {
			f->eport = port;
			s->count.flows_other_port++;
			return true;
		}
	}
	return false;
}

/* May the leg start, as far as its client's network is concerned? It is asked last,
 * so that no network is proved for a flow that would not start.
 */
static bool gate_open(struct shadow *s, struct flow *f, uint64_t now)
{
	switch ((enum flow_gate)f->gate) {
	case GATE_UNASKED:
		f->gate = GATE_WAIT;
		want(s, f, WANT_PROOF);
		return false;
	case GATE_WAIT:
		return false;
	case GATE_LOST:
		leg_over(s, f, FLOW_END_NO_ROUTE, now);
		return false;
	case GATE_LATER:
		leg_over(s, f, FLOW_END_UNPROVED, now);
		return false;
	case GATE_DEAF:
		leg_over(s, f, FLOW_END_SYN_TIMEOUT, now);
		return false;
	case GATE_OPEN:
		break;
	}
	return true;
}

void start_leg(struct shadow *s, struct flow *f, uint64_t now,
	       struct effects *out)
{
	struct target *t = &s->target[f->sut];
	/* The one whose network is being proved is the trial already. */
	bool trial = t->silent && t->asked != f->id &&
		     (f->gate != GATE_UNASKED || now - t->trial >= TRIAL_EVERY);
	struct flow *other; /* has its tuple at the SUT */

	if (effects_left(out) == 0) {
		more_later(s, f);
		return;
	}
	if (!t->ready || (t->silent && !trial)) {
		leg_over(s, f,
			 t->silent ? FLOW_END_SUT_SILENT : FLOW_END_NOT_READY,
			 now);
		return;
	}
	if (trial)
		t->trial = now;
	if (s->opt.proof && !gate_open(s, f, now))
		return;
	f->eport = f->key.cport;
	other = flow_find_sut(s->flows, f->sut, f->sport, &f->key.client,
			      f->eport);
	if (other != NULL && other->leg == LEG_CLOSED)
		flow_unbind(s->flows, other);
	else if ((other != NULL || f->other_port) && !choose_port(s, f) &&
		 other != NULL) {
		leg_over(s, f, FLOW_END_REUSED, now);
		return;
	}
	due_clear(f, DUE_HOLD);
	f->hold_passed = false;
	flow_bind(s->flows, f);
	f->leg = LEG_SYN_SENT;
	s->shaking++;
	f->tries = 0;
	s->count.flows_played++;
	send_syn(s, f, now, out, CAUSE_SYN);
}

/* Bytes that still have to go out before a FIN or RST may. */
static bool data_pending(const struct flow *f)
{
	const struct frame *fr = f->q_send;

	if (fr == NULL)
		return client_waits(f);
	/* What came after production's FIN is never sent before a RST. */
	return !(stream_has(&f->p, STREAM_ENDED) && seq_lt(f->p.fin, fr->ack));
}

/* Start or look at the deadline of a hold. True: it has passed. The wait for an
 * answer is never cut short: its end looks here again.
 */
static bool hold_over(struct shadow *s, struct flow *f, uint64_t limit,
		      uint64_t now)
{
	if (f->waiting)
		return false;
	if (now - f->s_progress >= limit)
		return true;
	due_set(s, f, DUE_HOLD, f->s_progress + limit);
	return false;
}

/* Is an answer waited for that production has given whole, and the SUT has not
 * begun?
 */
static bool owes_all(const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_SUT];

	return f->waiting && f->wait_whole && x != NULL &&
	       (x->flags & X_S_BEGUN) == 0;
}

/* A RST of client or production: the SUT's connection ends with it (I22). */
static void push_rst(struct shadow *s, struct flow *f, uint64_t now,
		     struct effects *out)
{
	enum flow_end why = reset_by(f);
	bool ready =
		f->leg == LEG_OPEN && !data_pending(f) &&
		f->snd_una == f->snd_nxt + ((f->flags & FLOW_FIN_SENT) != 0);

	if (ready && sut_reached(f, f->rst_ack) && !owes_all(f)) {
		s->count.late_data_dropped += f->q_send != NULL;
		shadow_end(s, f, why, now, out);
		return;
	}
	if ((f->flags & FLOW_HELD) == 0)
		s->count.rst_held++;
	f->flags |= FLOW_HELD;
	if (hold_over(s, f, RST_HOLD, now)) {
		s->count.rst_deadline++;
		shadow_end(s, f, why, now, out);
	}
}

static void push_fin(struct shadow *s, struct flow *f, uint64_t now,
		     struct effects *out)
{
	if ((f->flags & FLOW_FIN_SENT) != 0 || f->q_send != NULL ||
	    f->shed == SHED_CUT)
		return;
	/* Each of the client's bytes in order went through the queue. */
	assert(f->snd_nxt == f->c.fin);
	if (!sut_reached(f, f->rst_ack)) {
		if ((f->flags & FLOW_HELD) == 0)
			s->count.fin_held++;
		f->flags |= FLOW_HELD;
		if (!hold_over(s, f, FIN_HOLD, now))
			return;
		s->count.fin_deadline++;
	}
	if (effect_tcp(s, f, out, CAUSE_FIN, TCP_FIN | TCP_ACK) == NULL)
		return;
	f->flags |= FLOW_FIN_SENT;
	due_clear(f, DUE_HOLD);
	sent_something(s, f, now);
}

/* Client bytes after production's FIN have waited long enough: production reset
 * them, so the SUT must not see them.
 */
static void late_data_over(struct shadow *s, struct flow *f, uint64_t now,
			   struct effects *out)
{
	const struct frame *fr = f->q_send;

	if (fr == NULL || data_pending(f) || !f->hold_passed || f->waiting)
		return;
	if (stream_has(&f->s, STREAM_ENDED) || was_accepted(f, fr))
		return;
	s->count.late_data_dropped++;
	shadow_end(s, f, FLOW_END_LATE_DATA, now, out);
}

void close_push(struct shadow *s, struct flow *f, uint64_t now,
		struct effects *out)
{
	if ((f->ev & (EV_C_RST | EV_P_RST)) != 0 ||
	    ((f->flags & FLOW_SUPERSEDED) != 0 && (f->ev & EV_C_FIN) == 0)) {
		push_rst(s, f, now, out);
		return;
	}
	late_data_over(s, f, now, out);
	if (f->leg == LEG_OPEN && (f->ev & EV_C_FIN) != 0)
		push_fin(s, f, now, out);
	if (f->leg == LEG_OPEN && (f->ev & EV_S_ACKFIN) != 0 &&
	    stream_has(&f->s, STREAM_ENDED) && f->ack_sent == stream_end(&f->s))
		leg_over(s, f, FLOW_END_CLOSED, now);
}

void remember_if_over(struct shadow *s, struct flow *f, uint64_t now)
{
	if (mirror_over(f) && (f->leg == LEG_NONE || f->leg == LEG_CLOSED))
		remember(s, f, now);
}
