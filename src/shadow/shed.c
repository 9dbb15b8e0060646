/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shed.c - Flows that are behind: what is dropped, and when they are taken up again
 *
 * Theory of operation
 *
 * A SUT that serves less than production makes flows wait, until one has waited longer
 * than it may (max_lag), holds more than its share of the pool, or brings more while the
 * pool is scarce. Such a flow is shed, between two messages: what has begun to go out is
 * played whole and its answer is waited for, what is behind that is dropped (@cut_at),
 * and then the leg ends (FLOW_END_BEHIND). Where messages are not known, or one message
 * alone is more than the share, the leg ends at once.
 *
 * It is taken up again with the client's next message when there is room: the pool and
 * the SUT's lag are below 3/4 of where flows are shed (so that it is not to and fro), and
 * no more than 1/HANDSHAKES of the table waits for a SYN,ACK. The order in which flows
 * are taken up is the one in which their clients ask; who was shed first asks first. It
 * begins with a connection of its own, and with a message to all of whose predecessors
 * production has answered: there the client's place in production's answers is known,
 * and causal order begins anew. What came in between is framed, counted and not compared
 * (shed).
 *
 * The SUT's lag is the age of what it acked last. A sample that is older than a part of
 * max_lag says nothing any more: nobody is played, or nothing is acked, and then the
 * first flow that is taken up will tell.
 *
 * Where the capture has a hole in the client's stream meanwhile, the flow is lost like any
 * other, and resumes like any other when there is room (shadow_resumes()).
 */
#include <assert.h>
#include <string.h>

#include "shadow/shadow_internal.h"

#define HANDSHAKES 8
#define LAG_SAMPLE 16 /* this part of max_lag */

/* Is it known where the client's and the SUT's messages begin? */
static bool has_messages(const struct flow *f)
{
	const uint32_t unknown = FLOW_LOST | FLOW_PLOST | FLOW_GAP |
				 FLOW_QUIET_P | FLOW_QUIET_S | FLOW_C_TUNNEL |
				 FLOW_AMBIGUOUS | FLOW_BROKEN_S;

	return f->restarts && (f->flags & unknown) == 0;
}

void shed_want(struct shadow *s, struct flow *f)
{
	if (!has_messages(f) || f->unheard ||
	    (f->shed != SHED_NO && f->q_bytes > s->lim.flow_share))
		f->ending = (uint8_t)behind(f);
	else if (f->shed == SHED_NO)
		f->shed = SHED_WANTED;
}

/* Where the message ends that is going out. Return: it is known */
static bool cut_at(const struct flow *f, uint32_t *at)
{
	const struct exchange *x = f->x.at[WHO_SUT];

	if (f->x.marks[WHO_CLIENT] < f->x.marks[WHO_SUT])
		return false;
	*at = f->x.turn;
	for (; x != NULL && seq_lt(*at, f->snd_nxt); x = x->next) {
		if ((x->flags & X_HAVE_C) == 0)
			return false;
		*at = x->end[WHO_CLIENT];
	}
	return seq_le(f->snd_nxt, *at);
}

/* Drop what is queued from @at on. */
static void cut_queue(struct shadow *s, struct flow *f, uint32_t at)
{
	struct frame *last = NULL;
	struct frame *fr = f->kept != NULL ? f->kept : f->q_head;

	for (; fr != NULL && seq_lt(fr->seq, at); fr = fr->next)
		last = fr;
	while (fr != NULL) {
		struct frame *next = fr->next;

		f->q_bytes -= frame_block(fr->len);
		if (fr == f->q_send)
			f->q_send = NULL;
		if (fr == f->q_head)
			f->q_head = NULL;
		frame_clear(s->pool, fr, FRAME_QUEUE);
		fr = next;
	}
	f->q_tail = last;
	if (last == NULL)
		return;
	last->next = NULL;
	if (seq_le(last->seq + last->len, at))
		return;
	/* Frames that are kept end with what was sent, and that lies before. */
	f->q_bytes -= frame_block(last->len);
	last->len = at - last->seq;
	f->q_bytes += frame_block(last->len);
	if (last == f->q_send && f->snd_nxt == at)
		f->q_send = NULL;
}

void shed_push(struct shadow *s, struct flow *f, uint64_t now,
	       struct effects *out)
{
	uint32_t at;

	if (f->shed == SHED_WANTED && cut_at(f, &at)) {
		cut_queue(s, f, at);
		f->shed = SHED_CUT;
		s->count.flows_shed++;
		due_set(s, f, DUE_LAG, now + s->opt.max_lag);
	}
	if (f->shed == SHED_CUT && f->q_head == NULL &&
	    f->snd_una == f->snd_nxt && f->x.turn == f->snd_nxt &&
	    f->x.marks[WHO_CLIENT] >= f->x.marks[WHO_SUT])
		shadow_end(s, f, FLOW_END_BEHIND, now, out);
}

bool shadow_is_shed(const struct flow *f)
{
	return f->restarts &&
	       (f->shed == SHED_CUT ||
		(f->leg == LEG_NONE &&
		 (f->end == FLOW_END_BEHIND || f->end == FLOW_END_POOL_FULL)));
}

void shed_lag(struct shadow *s, const struct flow *f, uint64_t since,
	      uint64_t now)
{
	struct target *t = &s->target[f->sut];

	t->lag = now - since;
	t->lag_at = now;
}

/* Is there room for a flow that was shed? */
static bool has_room(const struct shadow *s, const struct target *t,
		     uint64_t now)
{
	if (pool_used(s->pool) > s->pool_scarce / 4 * 3 ||
	    s->shaking >= s->lim.flows / HANDSHAKES)
		return false;
	return !s->opt.shed || t->lag < s->opt.max_lag / 4 * 3 ||
	       now - t->lag_at >= s->opt.max_lag / LAG_SAMPLE;
}

bool shed_resumes(const struct shadow *s, const struct flow *f)
{
	return shadow_is_shed(f) && has_room(s, &s->target[f->sut], s->now);
}

bool shadow_take_up(struct shadow *s, struct flow *f, const struct span *sp,
		    uint32_t seq, uint64_t now)
{
	struct exchange *x = f->x.at[WHO_CLIENT];
	uint32_t k = f->x.marks[WHO_CLIENT];
	uint32_t skip = seq - sp->seq;
	struct frame *fr;

	if (f->leg != LEG_NONE || !shadow_is_shed(f) || !has_messages(f) ||
	    mirror_over(f) || (f->ev & (EV_C_FIN | EV_P_FIN)) != 0 ||
	    (f->want & WANT_FREE) != 0 || x == NULL || f->x.head != x ||
	    f->x.marks[WHO_SUT] != k || f->x.marks[WHO_PROD] < k ||
	    !has_room(s, &s->target[f->sut], now))
		return false;
	fr = frame_alloc(s->pool, sp->len - skip, FRAME_QUEUE);
	if (fr == NULL)
		return false;
	memcpy(fr->data, sp->data + skip, sp->len - skip);
	fr->seq = seq;
	fr->ack = sp->ack;
	fr->now = sp->now;
	fr->ts = 0;
	fr->flags = TCP_ACK | TCP_PSH;
	fr->gso = 0;
	fr->urg = 0;
	f->shed = SHED_NO;
	f->met = 0;
	f->again = false;
	f->x.turn = seq;
	f->x.deliver = x;
	f->x.sent = x;
	f->a_cur = f->p_base;
	s->count.flows_taken_up++;
	leg_anew(s, f, now);
	queue_add(s, f, fr, now);
	return true;
}
