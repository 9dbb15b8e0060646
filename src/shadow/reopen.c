/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reopen.c - A SUT that closes a connection on which the client goes on
 *
 * Theory of operation
 *
 * Production keeps the connection, the SUT has closed it: it keeps connections for
 * a shorter time, or for fewer requests. A client of the SUT would open another one
 * (RFC 9112 sections 9.3.1 and 9.6), and so does the leg, for the request whose turn
 * it is: the first that the SUT has not answered. @turn is where that begins. Its
 * bytes are in the queue, so nothing is read again: the SUT's side of the flow begins
 * anew with a made-up handshake and from another port, as of a client that has closed
 * its own side; production's side and the exchanges stay.
 *
 * A request is played again only if the close was not about it:
 *   - the SUT's last answer says that the connection ends with it; or
 *   - the SUT's FIN, or its RST without a FIN, acks no byte of it, and all answers
 *     before it are whole.
 * And then once: not if it was sent on two connections, and no more than MEET_MAX
 * connections are opened for it if the SUT closes them before it can be sent. It may
 * have been executed otherwise, or be what kills the SUT. Its exchange is then done
 * without an answer as soon as production has answered it (WANT_CUT), and the next one
 * has its turn. What came behind it and was acked goes the same way; what was not sent
 * yet begins on the next connection.
 *
 * The SUT's kernel acks requests that its server then throws away, if the client sends
 * several at a time, or the server reads on behind its FIN. What the SUT acked behind
 * the request that it has to answer, or behind its FIN, is therefore kept for a
 * while: at most one part in KEEP_SHARE of a flow's share, and nothing while the pool
 * is scarce. Without it nothing is played again.
 *
 * Where messages are not known (tunnels, quiet protocols, an ambiguous request, a SUT
 * whose answers break the protocol) no connection begins anew: it might begin inside of
 * one. Nor does it when production's side has ended: what production has not begun to
 * answer then is not the SUT's to answer.
 */
#include <assert.h>

#include "shadow/shadow_internal.h"

#define MEET_MAX   2
#define KEEP_SHARE 4 /* this part of a flow's share */

/* What of flow.flags is about one connection with the SUT. */
#define LEG_FLAGS                                                              \
	(FLOW_FIN_SENT | FLOW_TS | FLOW_SACK | FLOW_WSCALE | FLOW_DRAIN |      \
	 FLOW_HELD | FLOW_RECOVER | FLOW_HANDSHAKE | FLOW_SPOKE_S |            \
	 FLOW_ENDED_S | FLOW_MOVE_S)

/* Of these a connection cannot begin anew. */
#define UNKNOWN_FLAGS                                                          \
	(FLOW_LOST | FLOW_PLOST | FLOW_GAP | FLOW_QUIET_P | FLOW_QUIET_S |     \
	 FLOW_C_TUNNEL | FLOW_AMBIGUOUS | FLOW_BROKEN_S | FLOW_SUT_CHOSE)

/* Free what is kept up to @to. */
static void kept_free(struct shadow *s, struct flow *f, uint32_t to)
{
	struct frame *fr;

	while ((fr = f->kept) != NULL && fr != f->q_head &&
	       seq_le(fr->seq + fr->len, to)) {
		f->kept = fr->next;
		f->kept_bytes -= frame_block(fr->len);
		frame_clear(s->pool, fr, FRAME_QUEUE);
	}
	if (f->kept == f->q_head)
		f->kept = NULL;
	if (f->kept == NULL && f->q_head == NULL)
		f->q_tail = NULL;
}

void kept_drop(struct shadow *s, struct flow *f)
{
	kept_free(s, f, f->snd_una);
}

/* Free what the SUT will not be asked again. */
static void kept_trim(struct shadow *s, struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_SUT];

	if (f->s_closes || stream_has(&f->s, STREAM_FIN))
		kept_free(s, f, f->x.turn);
	else if (x != NULL && (x->flags & X_HAVE_C) != 0)
		kept_free(s, f, x->end[WHO_CLIENT]);
	else
		kept_drop(s, f);
}

bool kept_add(struct shadow *s, struct flow *f, struct frame *fr)
{
	const struct exchange *x = f->x.at[WHO_SUT];
	bool behind = f->s_closes || stream_has(&f->s, STREAM_FIN) ||
		      (x != NULL && (x->flags & X_HAVE_C) != 0 &&
		       seq_lt(x->end[WHO_CLIENT], fr->seq + fr->len));
	uint32_t bytes = f->kept_bytes + frame_block(fr->len);

	if (!f->restarts || !behind || pool_used(s->pool) > s->pool_scarce ||
	    bytes > s->lim.flow_share / KEEP_SHARE)
		return false;
	if (f->kept == NULL)
		f->kept = fr;
	f->kept_bytes = bytes;
	return true;
}

/* Is what the SUT has to answer next a request of which something is here? */
static bool has_turn(const struct flow *f)
{
	return f->restarts && (f->flags & UNKNOWN_FLAGS) == 0 &&
	       f->x.marks[WHO_CLIENT] >= f->x.marks[WHO_SUT] &&
	       seq_lt(f->x.turn, f->c.nxt);
}

/* Are production's answers there to all that the SUT has answered? Its place in the
 * next one is needed for the client's acks.
 */
static bool prod_is_even(const struct flow *f)
{
	return f->x.marks[WHO_PROD] >= f->x.marks[WHO_SUT];
}

/* Has production ended without beginning to answer it? */
static bool prod_over(const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_SUT];

	if ((f->ev & (EV_P_FIN | EV_P_RST | EV_C_RST)) == 0 &&
	    (f->flags & FLOW_SUPERSEDED) == 0)
		return false;
	return x == NULL || !prod_is_even(f) ||
	       (x->flags & (X_P_BEGUN | X_HAVE_P)) == 0;
}

/* May the request whose turn it is be played on another connection? */
static bool may_reopen(const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_SUT];
	const struct frame *fr = f->kept != NULL ? f->kept : f->q_head;
	uint32_t una;

	if (fr == NULL || seq_lt(f->x.turn, fr->seq) ||
	    (x != NULL && (x->flags & X_S_BEGUN) != 0))
		return false;
	if (f->met >= MEET_MAX || (f->again && seq_lt(f->x.turn, f->snd_nxt)))
		return false;
	/* A server that reads on behind its FIN throws away what it acks. */
	una = stream_has(&f->s, STREAM_FIN) ? f->s.fin_ack : f->snd_una;
	return f->s_closes || seq_le(una, f->x.turn);
}

/* The queue, from the request on whose turn it is. */
static void queue_rewind(struct shadow *s, struct flow *f)
{
	struct frame *fr;

	if (f->kept != NULL)
		f->q_head = f->kept;
	f->kept = NULL;
	f->q_bytes += f->kept_bytes;
	f->kept_bytes = 0;
	while ((fr = f->q_head) != NULL &&
	       seq_le(fr->seq + fr->len, f->x.turn)) {
		f->q_head = fr->next;
		f->q_bytes -= frame_block(fr->len);
		frame_clear(s->pool, fr, FRAME_QUEUE);
	}
	if (f->q_head == NULL)
		f->q_tail = NULL;
	f->q_send = f->q_head;
}

/* What is in front of the request whose turn it is, is past. */
static void pass_answered(struct shadow *s, struct flow *f)
{
	struct exchange *x = f->x.head;

	for (; x != NULL && x->index < f->x.marks[WHO_SUT]; x = x->next) {
		x->flags |= X_PASSED;
		f->p_base = x->end[WHO_PROD];
		if ((x->flags & X_DELIVERED) != 0)
			continue;
		/* Answered before the SUT had taken all of it. */
		x->flags |= X_DELIVERED;
		s->count.not_delivered[FLOW_END_SUT_CLOSED]++;
		f->x.deliver = x->next;
	}
	f->x.sent = x;
	f->a_cur = f->p_base;
}

void leg_anew(struct shadow *s, struct flow *f, uint64_t now)
{
	s->count.flows_seen++;
	s->count.flows_resumed++;
	forget_leg(f);
	f->flags &= ~(uint32_t)LEG_FLAGS;
	f->ev &= (uint16_t) ~(EV_S_SYNACK | EV_S_FIN | EV_S_ACKFIN);
	f->c_iss = f->x.turn - 1;
	f->snd_una = f->x.turn;
	f->snd_nxt = f->x.turn;
	f->edge = WIN_FULL;
	f->a_win = f->c_win;
	if (seq_lt(f->a_cur, f->c_ack))
		ack_queue(s, f, f->c_ack, f->c_win, now);
	f->leg = LEG_WAITING;
	f->other_port = true;
	f->s_progress = now;
	due_clear(f, DUE_RTO);
	due_clear(f, DUE_DACK);
	due_clear(f, DUE_SPONT);
	due_clear(f, DUE_HOLD);
	want(s, f, WANT_ANEW);
}

static void reopen(struct shadow *s, struct flow *f, uint64_t now)
{
	f->again |= seq_lt(f->x.turn, f->snd_nxt);
	f->met++;
	s->count.ended[FLOW_END_SUT_CLOSED]++;
	s->count.resumed_by_close++;
	flow_unbind(s->flows, f);
	stream_drop(&f->s, s->pool);
	queue_rewind(s, f);
	pass_answered(s, f);
	leg_anew(s, f, now);
}

enum shut reopen_push(struct shadow *s, struct flow *f, uint64_t now,
		      struct effects *out)
{
	const struct exchange *x = f->x.at[WHO_SUT];
	bool closed = stream_has(&f->s, STREAM_ENDED);

	if (!s->opt.reopen || !(closed || f->s_closes) || !has_turn(f) ||
	    prod_over(f))
		return SHUT_NOT;
	if (!may_reopen(f)) {
		if (closed && x != NULL &&
		    (x->flags & (X_HAVE_C | X_HAVE_P)) == (X_HAVE_C | X_HAVE_P))
			want(s, f, WANT_CUT);
		return closed ? SHUT_TO_DATA : SHUT_NOT;
	}
	if (prod_is_even(f) && send_rst(s, f, out))
		reopen(s, f, now);
	return SHUT_TO_ALL;
}

bool reopen_reset(struct shadow *s, struct flow *f, const struct segment *seg,
		  uint64_t now)
{
	if ((seg->flags & TCP_ACK) != 0 && seq_lt(f->snd_una, seg->ack) &&
	    seq_le(seg->ack, f->snd_nxt))
		f->snd_una = seg->ack;
	if (!s->opt.reopen || !has_turn(f) || prod_over(f) || !may_reopen(f) ||
	    !prod_is_even(f))
		return false;
	reopen(s, f, now);
	return true;
}

void turn_moved(struct shadow *s, struct flow *f)
{
	f->met = 0;
	f->again = false;
	kept_trim(s, f);
}

void shadow_cut(struct shadow *s, struct flow *f)
{
	struct exchange *x = f->x.at[WHO_SUT];

	assert(x != NULL && (x->flags & X_HAVE_C) != 0);
	exchange_mark(&f->x, s->pool, WHO_SUT, f->s.nxt);
	turn_moved(s, f);
}
