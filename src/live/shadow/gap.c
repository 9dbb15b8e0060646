/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gap.c - Bytes that the capture missed
 *
 * Theory of operation
 *
 * What production acks was sent by the client, and what the client acks was
 * sent by production; if it is not here, the mirror has swapped or lost it. A
 * hole is believed when the first segment behind it (or, without one, the ack)
 * has been here for --reorder-wait. The same where a capture holds a segment of
 * the client without all of its payload, whoever acks it. Its age counts, not
 * when somebody looks: where a flow has many holes, it stays that much behind
 * and no more.
 *
 * One direction may come constantly later than the other, by two cards or two
 * clocks. Then some bytes that are acked are always missing, and never the
 * same: when bytes come in order, and none are behind a hole, its age begins
 * anew. What the other end says meanwhile acks what is not here, and is not
 * read before it (span.c).
 *
 * A hole of one number, with nothing behind it, is the FIN when the other end
 * has answered one (I20), but not inside of a message: there it is a byte.
 *
 * Nothing comes after a FIN, whatever is acked. In the client's stream a
 * believed hole ends the leg (I17), but not before the SUT has answered the
 * whole requests in front of it, or GAP_HOLD has passed without progress. Then
 * comes a RST, and the flow resumes with the first early segment that begins a
 * message. In production's stream a hole costs the comparison of the answers
 * that it touches.
 */
#include "shadow/shadow_internal.h"

/* Since when the bytes behind a hole are here. */
static uint64_t since(const struct stream *st, uint64_t noticed)
{
	if (st->early && st->early->now < noticed)
		return st->early->now;
	return noticed;
}

/* Note when a hole was seen first. Return: when it is to be believed */
static uint64_t note(const struct turn *t, const struct stream *st, bool hole,
		     uint64_t *noticed, uint64_t *healed)
{
	if (!hole) {
		*healed += *noticed != 0;
		*noticed = 0;
		return WHEEL_NEVER;
	}
	if (*noticed == 0)
		*noticed = t->now;
	return since(st, *noticed) + t->s->opt.reorder_wait;
}

void gap_progress(const struct turn *t, struct flow *f, enum who who)
{
	uint64_t *noticed = who == WHO_CLIENT ? &f->w.gap_c : &f->w.gap_p;

	if (who == WHO_SUT || *noticed == 0 || *noticed == t->now)
		return;
	*(who == WHO_CLIENT ? &t->s->count.gap_client_healed
			    : &t->s->count.gap_prod_healed) += 1;
	*noticed = 0;
}

void gap_watch(const struct turn *t, struct flow *f)
{
	struct shadow_counters *n = &t->s->count;
	uint64_t c;
	uint64_t p;
	uint64_t due;

	/* Believed already, and being looked at. */
	if (f->want & (WANT_PHOLE | WANT_SYNC))
		return;
	c = note(t, &f->w.c, client_hole(f), &f->w.gap_c,
		 &n->gap_client_healed);
	p = note(t, &f->w.p, prod_hole(f), &f->w.gap_p, &n->gap_prod_healed);
	due = c < p ? c : p;
	if (due != f->due[DUE_GAP])
		due_set(t->s, f, DUE_GAP, due);
}

/* Is the client inside of a message? Where messages end by quiet
 * (FRAMING_SPOKE_C) nobody knows.
 */
static bool in_message(const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_CLIENT];

	return x && (x->flags & X_C_BEGUN) && !(f->framing & FRAMING_SPOKE_C);
}

static void believe_client(const struct turn *t, struct flow *f)
{
	uint32_t n = f->w.p_ack - stream_end(&f->w.c);

	f->w.gap_c = 0;
	if (prod_waits(f))
		want(t->s, f, WANT_PHOLE);
	if (n == 1 && !f->w.c.early && !stream_has(&f->w.c, STREAM_FIN) &&
	    (stream_has(&f->w.p, STREAM_FIN) || (f->w.ev & EV_P_FIN)) &&
	    !in_message(f)) {
		t->s->count.inferred_client_fin++;
		f->w.ev |= EV_C_ACK; /* who closes has opened */
		f->w.rst_ack = f->w.c_ack;
		stream_fin(&f->w.c, f->w.c.nxt);
		return;
	}
	t->s->count.gap_client++;
	if (f->leg.state == LEG_OPEN || f->leg.state == LEG_SYN_SENT ||
	    f->leg.state == LEG_WAITING) {
		f->w.flags |= W_GAP;
		f->leg.progress = t->now;
		return;
	}
	gap_lost(t->s, f);
}

void shadow_prod_lost(struct flow *f)
{
	f->w.flags |= W_PLOST;
}

void shadow_prod_left(struct flow *f)
{
	f->w.flags |= W_PLOST;
	if (stream_has(&f->w.p, STREAM_FIN))
		f->w.ev |= EV_P_FIN; /* its place does not matter any more */
}

void shadow_prod_found(struct flow *f)
{
	f->w.flags &= ~(uint32_t)W_PLOST;
}

void gap_lost(struct shadow *s, struct flow *f)
{
	f->w.flags |= W_LOST;
	f->w.flags &= ~(uint32_t)W_GAP;
	if (stream_has(&f->w.c, STREAM_FIN))
		f->w.ev |= EV_C_FIN; /* its place does not matter any more */
	want(s, f, WANT_SYNC);
}

static void believe_prod(struct shadow *s, struct flow *f)
{
	uint32_t n = f->w.c_ack - stream_end(&f->w.p);

	f->w.gap_p = 0;
	if (n == 1 && !f->w.p.early && !stream_has(&f->w.p, STREAM_FIN) &&
	    stream_has(&f->w.c, STREAM_FIN)) {
		s->count.inferred_prod_fin++;
		stream_fin(&f->w.p, f->w.p.nxt);
	} else {
		s->count.gap_prod++;
	}
	want(s, f, WANT_PHOLE);
}

void gap_timeout(const struct turn *t, struct flow *f)
{
	if (client_hole(f) &&
	    since(&f->w.c, f->w.gap_c) + t->s->opt.reorder_wait <= t->now)
		believe_client(t, f);
	if (prod_hole(f) &&
	    since(&f->w.p, f->w.gap_p) + t->s->opt.reorder_wait <= t->now)
		believe_prod(t->s, f);
}

void gap_push(const struct turn *t, struct flow *f)
{
	bool answered = !f->q.send && f->leg.snd_una == f->leg.snd_nxt &&
			f->x.marks[WHO_SUT] >= f->x.marks[WHO_CLIENT];

	if (!(f->w.flags & W_GAP))
		return;
	if (!answered && f->leg.state != LEG_WAITING &&
	    t->now - f->leg.progress < GAP_HOLD) {
		due_set(t->s, f, DUE_HOLD, f->leg.progress + GAP_HOLD);
		return;
	}
	end_leg(t, f, FLOW_END_GAP);
	if (f->leg.state == LEG_NONE)
		gap_lost(t->s, f);
}
