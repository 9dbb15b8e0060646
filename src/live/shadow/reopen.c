/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reopen.c - A SUT that closes a connection that the client still uses
 *
 * Theory of operation
 *
 * Production keeps the connection, the SUT has closed it: it keeps connections
 * for a shorter time, or for fewer requests. A client of the SUT would open
 * another one (RFC 9112 sections 9.3.1 and 9.6), and so does the leg, for the
 * request whose turn it is: the first that the SUT has not answered. @turn is
 * where that begins. Its bytes are in the queue, so nothing is read again: the
 * SUT's side of the flow begins anew with a made-up handshake and from another
 * port, as of a client that has closed its own side; production's side and the
 * exchanges stay.
 *
 * A request is played again only if the close was not about it:
 *   - the SUT's last answer says that the connection ends with it; or
 *   - the SUT's FIN, or its RST without a FIN, acks no byte of it, and all
 *     answers before it are whole.
 * And then once: not if it was sent on two connections, and no more than
 * MEET_MAX connections are opened for it if the SUT closes them before it can
 * be sent. It may have been executed otherwise, or be what kills the SUT. Its
 * exchange is then done without an answer as soon as production has answered it
 * (WANT_CUT), and the next one has its turn. What came behind it and was acked
 * goes the same way; what was not sent yet begins on the next connection.
 *
 * What it has acked of them may be needed again: queue.c keeps it, within
 * bounds.
 *
 * A request that is not to be played (shadow_leave_out()) is a hole in the
 * queue, and numbers lead over none. When the SUT has answered all that is in
 * front of it, and production what is in it, the connection ends, and the leg
 * waits for a message that is to be played (LEG_WAITING, with queue.left): it
 * begins again with that.
 *
 * Where messages are not known (tunnels, quiet protocols, an ambiguous request,
 * a SUT whose answers break the protocol) no connection begins anew: it might
 * begin inside of one. Nor does it when production's side has ended: what
 * production has not begun to answer then is not the SUT's to answer.
 */
#include <assert.h>

#include "shadow/shadow_internal.h"

#define MEET_MAX 2

/* Is what the SUT has to answer next a request of which something is here? */
static bool has_turn(const struct flow *f)
{
	return has_messages(f) &&
	       f->x.marks[WHO_CLIENT] >= f->x.marks[WHO_SUT] &&
	       seq_lt(f->x.turn, f->w.c.nxt);
}

/* Are production's answers there to all that the SUT has answered? Its place in
 * the next one is needed for the client's acks.
 */
static bool prod_is_even(const struct flow *f)
{
	return f->x.marks[WHO_PROD] >= f->x.marks[WHO_SUT];
}

/* Has production ended without beginning to answer it? */
static bool prod_over(const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_SUT];

	if (!(f->w.ev & (EV_P_FIN | EV_P_RST | EV_C_RST)) &&
	    !(f->w.flags & W_SUPERSEDED))
		return false;
	return !x || !prod_is_even(f) || !(x->flags & (X_P_BEGUN | X_HAVE_P));
}

/* May the request whose turn it is be played on another connection? */
static bool may_reopen(const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_SUT];
	const struct buf *fr = f->q.kept ? f->q.kept : f->q.head;
	uint32_t una;

	if (!fr || seq_lt(f->x.turn, fr->seq) || (x && (x->flags & X_S_BEGUN)))
		return false;
	if (f->q.reopened >= MEET_MAX ||
	    (f->q.again && seq_lt(f->x.turn, f->leg.snd_nxt)))
		return false;
	/* A server that reads on behind its FIN throws away what it acks. */
	una = stream_has(&f->leg.s, STREAM_FIN) ? f->leg.s.fin_ack
						: f->leg.snd_una;
	return f->leg.closes || seq_le(una, f->x.turn);
}

/* What is in front of the request whose turn it is, is past. */
static void pass_answered(struct shadow *s, struct flow *f)
{
	struct exchange *x = f->x.head;

	for (; x && x->index < f->x.marks[WHO_SUT]; x = x->next) {
		x->flags |= X_PASSED;
		f->w.p_base = x->end[WHO_PROD];
		if (x->flags & X_DELIVERED)
			continue;
		/* Answered before the SUT had taken all of it, or left out. */
		x->flags |= X_DELIVERED;
		s->count.not_delivered[(x->flags & X_LEFT) != 0
					       ? FLOW_END_METHOD
					       : FLOW_END_SUT_CLOSED]++;
		f->x.deliver = x->next;
	}
	f->x.sent = x;
}

void leg_anew(const struct turn *t, struct flow *f)
{
	t->s->count.flows_seen += f->leg.state != LEG_WAITING;
	t->s->count.flows_resumed += f->leg.state != LEG_WAITING;
	f->leg = (struct leg){ 0 };
	f->w.c_iss = f->x.turn - 1;
	f->leg.snd_una = f->x.turn;
	f->leg.snd_nxt = f->x.turn;
	f->leg.adv_edge = WIN_FULL;
	f->leg.cli_ack = f->w.p_base;
	f->leg.cli_wnd = f->w.c_win;
	if (seq_lt(f->leg.cli_ack, f->w.c_ack))
		ack_queue(t, f, f->w.c_ack, f->w.c_win);
	f->leg.state = LEG_WAITING;
	f->leg.other_port = true;
	f->leg.progress = t->now;
	due_clear(f, DUE_RTO);
	due_clear(f, DUE_DACK);
	due_clear(f, DUE_SPONT);
	due_clear(f, DUE_HOLD);
	want(t->s, f, WANT_ANEW);
}

static void reopen(const struct turn *t, struct flow *f, enum flow_end why)
{
	bool closed = why == FLOW_END_SUT_CLOSED;

	f->q.again |= seq_lt(f->x.turn, f->leg.snd_nxt);
	f->q.reopened += closed;
	t->s->count.ended[why] += f->leg.state != LEG_WAITING;
	t->s->count.resumed_by_close += closed;
	flow_unbind(t->s->flows, f);
	stream_drop(&f->leg.s, t->s->pool);
	queue_rewind(t->s, f);
	pass_answered(t->s, f);
	leg_anew(t, f);
}

enum shut reopen_push(const struct turn *t, struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_SUT];
	bool closed = stream_has(&f->leg.s, STREAM_ENDED);

	if (!t->s->opt.reopen || !(closed || f->leg.closes) || !has_turn(f) ||
	    prod_over(f))
		return SHUT_NOT;
	if (!may_reopen(f)) {
		if (closed && x &&
		    (x->flags & (X_HAVE_C | X_HAVE_P)) == (X_HAVE_C | X_HAVE_P))
			want(t->s, f, WANT_CUT);
		return closed ? SHUT_TO_DATA : SHUT_NOT;
	}
	if (prod_is_even(f) && send_rst(t, f))
		reopen(t, f, FLOW_END_SUT_CLOSED);
	return SHUT_TO_ALL;
}

bool reopen_reset(const struct turn *t, struct flow *f,
		  const struct segment *seg)
{
	if ((seg->flags & TCP_ACK) && seq_lt(f->leg.snd_una, seg->ack) &&
	    seq_le(seg->ack, f->leg.snd_nxt))
		f->leg.snd_una = seg->ack;
	if (left_next(f) && has_messages(f) && prod_is_even(f)) {
		reopen(t, f, FLOW_END_METHOD);
		return true;
	}
	if (!t->s->opt.reopen || !has_turn(f) || prod_over(f) ||
	    !may_reopen(f) || !prod_is_even(f))
		return false;
	reopen(t, f, FLOW_END_SUT_CLOSED);
	return true;
}

void turn_moved(struct shadow *s, struct flow *f)
{
	f->q.reopened = 0;
	f->q.again = false;
	kept_trim(s, f);
}

void shadow_cut(struct shadow *s, struct flow *f)
{
	struct exchange *x = f->x.at[WHO_SUT];

	assert(x && (x->flags & X_HAVE_C));
	exchange_mark(&f->x, s->pool, WHO_SUT, f->leg.s.nxt);
	turn_moved(s, f);
}

/* Nothing comes of the client that production would answer. */
static bool is_over(const struct flow *f)
{
	return reset_by(f) != FLOW_END_NONE ||
	       (f->w.ev & (EV_C_FIN | EV_P_FIN));
}

/* Will what is left out, and has its turn, never be done? */
static bool left_for_good(const struct flow *f)
{
	bool whole = (f->x.at[WHO_SUT]->flags & X_HAVE_C);

	return is_over(f) &&
	       (!whole || (f->w.ev & EV_P_FIN) || reset_by(f) != FLOW_END_NONE);
}

/* Is what is in front of it sent and acked, or never will be? */
static bool front_is_done(const struct flow *f)
{
	return f->leg.state == LEG_WAITING ||
	       stream_has(&f->leg.s, STREAM_ENDED) ||
	       (f->leg.snd_una == f->leg.snd_nxt && (!f->q.send || at_hole(f)));
}

void left_push(const struct turn *t, struct flow *f)
{
	const uint16_t known = X_HAVE_C | X_HAVE_P | X_JUDGED;
	bool rests = f->leg.state == LEG_WAITING;
	bool passed;

	if ((!f->q.left && !left_next(f) && !at_hole(f)) || !front_is_done(f))
		return;
	if (effects_left(t->out) == 0) {
		more_later(t->s, f);
		return;
	}
	while (left_next(f) && (f->x.at[WHO_SUT]->flags & known) == known)
		shadow_cut(t->s, f);
	passed = seq_lt(f->leg.snd_nxt, f->x.turn);
	if (left_next(f) ? left_for_good(f)
			 : (passed || rests) && !f->q.head && is_over(f))
		end_leg(t, f, FLOW_END_METHOD);
	else if (!left_next(f) && passed) {
		if (!rests)
			send_rst(t, f); /* there is room */
		reopen(t, f, FLOW_END_METHOD);
	}
}
