/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ack_send.c - When an ack or a window is sent to the SUT
 *
 * ack.c says what it would be sent. It is sent that with the client's next
 * bytes, at once, after DACK_WAIT or SPONT_WAIT, or when a repetition of the
 * SUT's asks for it.
 */
#include "shadow/shadow_internal.h"

static bool send_ack(const struct turn *t, struct flow *f,
		     const struct ack_plan *p, enum effect_cause cause)
{
	if (!effect_tcp(t, f, p, cause, TCP_ACK))
		return false;
	if (cause == CAUSE_ACK_DRAIN)
		f->leg.flags |= L_DRAIN;
	return true;
}

/* Bytes of the SUT that have not been acked start the spontaneous ack's timer.
 */
static void watch_unacked(const struct turn *t, struct flow *f)
{
	if (f->leg.last_ack_sent == stream_end(&f->leg.s)) {
		due_clear(f, DUE_SPONT);
		return;
	}
	if (f->due[DUE_SPONT] == WHEEL_NEVER)
		due_set(t->s, f, DUE_SPONT, t->now + SPONT_WAIT);
}

/* Would an edge at @adv_edge open the window from 0, or move it by two
 * segments?
 */
static bool edge_matters(const struct flow *f, uint32_t edge)
{
	uint32_t step = edge - f->leg.adv_edge;

	return seq_lt(f->leg.adv_edge, edge) &&
	       (step >= 2u * f->leg.mss ||
		f->leg.adv_edge == f->leg.last_ack_sent);
}

void ack_again(const struct turn *t, struct flow *f)
{
	struct ack_plan p;

	if (!f->leg.dup_ack)
		return;
	p = ack_plan(t, f, false);
	send_ack(t, f, &p, CAUSE_ACK_DUP);
}

void ack_push(const struct turn *t, struct flow *f)
{
	struct ack_plan p = ack_plan(t, f, false);
	uint32_t fresh = p.ack - f->leg.last_ack_sent;

	if (t->s->opt.timing && f->leg.ack_n > 0)
		due_set(t->s, f, DUE_DACK,
			f->leg.acks[f->leg.ack_head].now + t->s->opt.delay >
					t->now
				? f->leg.acks[f->leg.ack_head].now +
					  t->s->opt.delay
				: t->now + DACK_WAIT);
	if (f->leg.dup_ack) {
		if (!send_ack(t, f, &p, CAUSE_ACK_DUP))
			return;
	} else if ((f->leg.flags & L_HANDSHAKE) && !t->s->opt.timing &&
		   f->leg.s.nxt == f->leg.iss + 1) {
		if (f->due[DUE_DACK] == WHEEL_NEVER)
			due_set(t->s, f, DUE_DACK, t->now + HANDSHAKE_WAIT);
	} else if (f->leg.flags & L_HANDSHAKE) {
		if (!send_ack(t, f, &p, p.partial ? CAUSE_ACK_DUP : p.cause))
			return;
	} else if (fresh != 0 && (!p.partial || fresh >= 2u * f->leg.mss)) {
		if (!send_ack(t, f, &p, p.cause))
			return;
	} else if (edge_matters(f, p.adv_edge)) {
		if (!send_ack(t, f, &p, CAUSE_WINDOW))
			return;
	} else if (fresh != 0 && f->due[DUE_DACK] == WHEEL_NEVER) {
		due_set(t->s, f, DUE_DACK, t->now + DACK_WAIT);
	}
	watch_unacked(t, f);
}
