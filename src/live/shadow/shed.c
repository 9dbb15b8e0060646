/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shed.c - Flows that are behind: what is dropped, and when they are taken up
 * again
 *
 * Theory of operation
 *
 * A SUT that serves less than production makes flows wait, until one has waited
 * longer than it may (max_lag), holds more than its share of the pool, or
 * brings more while the pool is scarce. Such a flow is shed, between two
 * messages: what has begun to go out is played whole and its answer is waited
 * for, what is behind that is dropped (@cut_at), and then the leg ends
 * (FLOW_END_BEHIND). Where messages are not known, or one message alone is more
 * than the share, the leg ends at once.
 *
 * It is taken up again with the client's next message when there is room: the
 * pool and the SUT's lag are below 3/4 of where flows are shed (so that it is
 * not to and fro), and no more than 1/HANDSHAKES of the table waits for a
 * SYN,ACK. The order in which flows are taken up is the one in which their
 * clients ask; who was shed first asks first. It begins with a connection of
 * its own, and with a message to all of whose predecessors production has
 * answered: there the client's place in production's answers is known, and
 * causal order begins anew. What came in between is framed, counted and not
 * compared (shed).
 *
 * The SUT's lag is the age of what it acked last. A sample that is older than a
 * part of max_lag says nothing any more: nobody is played, or nothing is acked,
 * and then the first flow that is taken up will tell.
 *
 * Where the capture has a hole in the client's stream meanwhile, the flow is
 * lost like any other, and resumes like any other (shadow_resumes()); without
 * room for it, it is read again and stays shed.
 */
#include <assert.h>
#include <string.h>

#include "shadow/shadow_internal.h"

#define HANDSHAKES 8
#define LAG_SAMPLE 16 /* this part of max_lag */

bool shadow_is_shed(const struct flow *f)
{
	return (f->framing & FRAMING_RESTARTS) &&
	       (f->shed == SHED_CUT || f->q.left ||
		(f->leg.state == LEG_NONE &&
		 (f->leg.end == FLOW_END_BEHIND ||
		  f->leg.end == FLOW_END_METHOD ||
		  f->leg.end == FLOW_END_POOL_FULL)));
}

void shed_want(struct shadow *s, struct flow *f)
{
	if (!has_messages(f) || f->leg.unheard ||
	    (f->shed != SHED_NO && f->q.bytes > s->lim.flow_share))
		f->leg.ending = (uint8_t)behind(f);
	else if (f->shed == SHED_NO)
		f->shed = SHED_WANTED;
}

void shadow_leave_out(struct shadow *s, struct flow *f, struct exchange *x,
		      uint32_t seq)
{
	x->flags |= X_LEFT;
	if (f->leg.state == LEG_NONE || f->leg.state == LEG_CLOSED)
		return;
	queue_cut(s, f, seq);
	f->q.left = true;
}

/* Where the message ends that is going out. Return: it is known */
static bool cut_at(const struct flow *f, uint32_t *at)
{
	const struct exchange *x = f->x.at[WHO_SUT];

	if (f->x.marks[WHO_CLIENT] < f->x.marks[WHO_SUT])
		return false;
	*at = f->x.turn;
	for (; x && seq_lt(*at, f->leg.snd_nxt); x = x->next) {
		if (!(x->flags & X_HAVE_C))
			return false;
		*at = x->end[WHO_CLIENT];
	}
	return seq_le(f->leg.snd_nxt, *at);
}

void shed_push(const struct turn *t, struct flow *f)
{
	uint32_t at;

	if (f->shed == SHED_WANTED && cut_at(f, &at)) {
		queue_cut(t->s, f, at);
		f->shed = SHED_CUT;
		t->s->count.flows_shed++;
		due_set(t->s, f, DUE_LAG, t->now + t->s->opt.max_lag);
	}
	if (f->shed == SHED_CUT && !f->q.head &&
	    f->leg.snd_una == f->leg.snd_nxt && f->x.turn == f->leg.snd_nxt &&
	    f->x.marks[WHO_CLIENT] >= f->x.marks[WHO_SUT])
		end_leg(t, f, FLOW_END_BEHIND);
}

/* Is there room for a flow that was shed? */
static bool has_room(const struct turn *t, const struct target *sut)
{
	if (pool_used(t->s->pool) > t->s->pool_scarce / 4 * 3 ||
	    t->s->shaking >= t->s->lim.flows / HANDSHAKES)
		return false;
	return !t->s->opt.shed || sut->lag < t->s->opt.max_lag / 4 * 3 ||
	       t->now - sut->lag_at >= t->s->opt.max_lag / LAG_SAMPLE;
}

bool shed_stays(const struct turn *t, const struct flow *f)
{
	return shadow_is_shed(f) && !has_room(t, &t->s->target[f->sut]);
}

/* Does the leg go on behind what was left out? */
static bool goes_on(const struct flow *f)
{
	return f->q.left && f->leg.ending == FLOW_END_NONE &&
	       f->shed != SHED_CUT && has_messages(f);
}

/* May it begin again with the client's message of @x? */
static bool may_begin(const struct turn *t, const struct flow *f,
		      const struct exchange *x)
{
	uint32_t k = f->x.marks[WHO_CLIENT];

	return f->leg.state == LEG_NONE && shadow_is_shed(f) &&
	       has_messages(f) && !mirror_over(f) &&
	       !(f->w.ev & (EV_C_FIN | EV_P_FIN)) && !(f->want & WANT_FREE) &&
	       f->x.head == x && f->x.marks[WHO_SUT] == k &&
	       f->x.marks[WHO_PROD] >= k && has_room(t, &t->s->target[f->sut]);
}

static void take_up(const struct turn *t, struct flow *f, struct exchange *x,
		    uint32_t seq)
{
	f->shed = SHED_NO;
	f->q.reopened = 0;
	f->q.again = false;
	f->x.turn = seq;
	f->x.deliver = x;
	f->x.sent = x;
	t->s->count.flows_taken_up++;
	leg_anew(t, f);
}

bool shadow_take_up(struct shadow *s, struct flow *f, const char *head,
		    uint32_t n, const struct span *sp, uint32_t seq,
		    uint64_t now)
{
	const struct turn t = { s, now, NULL };
	struct exchange *x = f->x.at[WHO_CLIENT];
	uint32_t skip = seq - sp->seq;
	bool on = goes_on(f);
	struct buf *fr;

	if (!on && !may_begin(&t, f, x))
		return false;
	fr = buf_alloc(s->pool, n + sp->len - skip, BUF_QUEUE);
	if (!fr)
		return false;
	memcpy(fr->data, head, n);
	memcpy(fr->data + n, sp->data + skip, sp->len - skip);
	fr->seq = seq - n;
	fr->ack = sp->ack;
	fr->now = sp->now;
	fr->ts = 0;
	fr->flags = TCP_ACK | TCP_PSH;
	fr->gso = 0;
	fr->urg = 0;
	f->q.left = false;
	if (!on)
		take_up(&t, f, x, fr->seq);
	if (queue_add(&t, f, fr))
		shed_want(s, f);
	return true;
}
