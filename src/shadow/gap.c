/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gap.c - Bytes that the capture missed
 *
 * Theory of operation
 *
 * What production acks was sent by the client, and what the client acks was sent
 * by production; if it is not here, the mirror has swapped or lost it. A hole is
 * believed when the first segment behind it (or, without one, the ack) has been
 * here for --reorder-wait. The same where a capture holds a segment of the client
 * without all of its payload, whoever acks it. Its age counts, not when somebody
 * looks: where a flow has many holes, it stays that much behind and no more.
 *
 * One direction may come constantly later than the other, by two cards or two
 * clocks. Then some bytes that are acked are always missing, and never the same:
 * when bytes come in order, and none are behind a hole, its age begins anew. What
 * the other end says meanwhile acks what is not here, and is not read before it
 * (span.c).
 *
 * A hole of one number, with nothing behind it, is the FIN when the other end has
 * answered one (I20), but not inside of a message: there it is a byte.
 *
 * Nothing comes after a FIN, whatever is acked. In the client's stream a believed
 * hole ends the leg (I17), but not before the SUT has answered the whole requests
 * in front of it, or GAP_HOLD has passed without progress. Then comes a RST, and
 * the flow resumes with the first early segment that begins a message. In
 * production's stream a hole costs the comparison of the answers that it touches.
 */
#include "shadow/shadow_internal.h"

bool client_hole(const struct flow *f)
{
	uint32_t end = stream_end(&f->c);
	bool cut = (f->flags & FLOW_CUT) != 0 && seq_lt(end, f->c_cut);

	return (cut || seq_lt(end, f->p_ack)) &&
	       !stream_has(&f->c, STREAM_ENDED) && !client_waits(f) &&
	       (f->flags & (FLOW_LOST | FLOW_GAP)) == 0;
}

bool client_waits(const struct flow *f)
{
	return f->c.early != NULL && !seq_lt(f->c.nxt, f->c.early->seq);
}

/* Are production's next bytes here, and wait for the client's? */
static bool prod_waits(const struct flow *f)
{
	return f->p.early != NULL && !seq_lt(f->p.nxt, f->p.early->seq);
}

bool prod_hole(const struct flow *f)
{
	return stream_has(&f->p, STREAM_ON) &&
	       !stream_has(&f->p, STREAM_ENDED) &&
	       (f->flags & FLOW_PLOST) == 0 && !prod_waits(f) &&
	       seq_lt(stream_end(&f->p), f->c_ack);
}

/* Since when the bytes behind a hole are here. */
static uint64_t since(const struct stream *st, uint64_t noticed)
{
	if (st->early != NULL && st->early->now < noticed)
		return st->early->now;
	return noticed;
}

/* Note when a hole was seen first. Return: when it is to be believed */
static uint64_t note(const struct shadow *s, const struct stream *st, bool hole,
		     uint64_t *noticed, uint64_t *healed, uint64_t now)
{
	if (!hole) {
		*healed += *noticed != 0;
		*noticed = 0;
		return WHEEL_NEVER;
	}
	if (*noticed == 0)
		*noticed = now;
	return since(st, *noticed) + s->opt.reorder_wait;
}

void gap_progress(struct shadow *s, struct flow *f, enum who who, uint64_t now)
{
	uint64_t *noticed = who == WHO_CLIENT ? &f->gap_c : &f->gap_p;

	if (who == WHO_SUT || *noticed == 0 || *noticed == now)
		return;
	*(who == WHO_CLIENT ? &s->count.gap_client_healed
			    : &s->count.gap_prod_healed) += 1;
	*noticed = 0;
}

void gap_watch(struct shadow *s, struct flow *f, uint64_t now)
{
	struct shadow_counters *n = &s->count;
	uint64_t c;
	uint64_t p;
	uint64_t due;

	/* Believed already, and being looked at. */
	if ((f->want & (WANT_PHOLE | WANT_SYNC)) != 0)
		return;
	c = note(s, &f->c, client_hole(f), &f->gap_c, &n->gap_client_healed,
		 now);
	p = note(s, &f->p, prod_hole(f), &f->gap_p, &n->gap_prod_healed, now);
	due = c < p ? c : p;
	if (due != f->due[DUE_GAP])
		due_set(s, f, DUE_GAP, due);
}

/* Is the client inside of a message? Where messages end by quiet (FLOW_SPOKE_C)
 * nobody knows.
 */
static bool in_message(const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_CLIENT];

	return x != NULL && (x->flags & X_C_BEGUN) != 0 &&
	       (f->flags & FLOW_SPOKE_C) == 0;
}

static void believe_client(struct shadow *s, struct flow *f, uint64_t now)
{
	uint32_t n = f->p_ack - stream_end(&f->c);

	f->gap_c = 0;
	if (prod_waits(f))
		want(s, f, WANT_PHOLE);
	if (n == 1 && f->c.early == NULL && !stream_has(&f->c, STREAM_FIN) &&
	    (stream_has(&f->p, STREAM_FIN) || (f->ev & EV_P_FIN) != 0) &&
	    !in_message(f)) {
		s->count.inferred_client_fin++;
		f->ev |= EV_C_ACK; /* who closes has opened */
		f->rst_ack = f->c_ack;
		stream_fin(&f->c, f->c.nxt);
		return;
	}
	s->count.gap_client++;
	if (f->leg == LEG_OPEN || f->leg == LEG_SYN_SENT ||
	    f->leg == LEG_WAITING) {
		f->flags |= FLOW_GAP;
		f->s_progress = now;
		return;
	}
	gap_lost(s, f);
}

void gap_lost(struct shadow *s, struct flow *f)
{
	f->flags |= FLOW_LOST;
	f->flags &= ~(uint32_t)FLOW_GAP;
	if (stream_has(&f->c, STREAM_FIN))
		f->ev |= EV_C_FIN; /* its place does not matter any more */
	want(s, f, WANT_SYNC);
}

static void believe_prod(struct shadow *s, struct flow *f)
{
	uint32_t n = f->c_ack - stream_end(&f->p);

	f->gap_p = 0;
	if (n == 1 && f->p.early == NULL && !stream_has(&f->p, STREAM_FIN) &&
	    stream_has(&f->c, STREAM_FIN)) {
		s->count.inferred_prod_fin++;
		stream_fin(&f->p, f->p.nxt);
	} else {
		s->count.gap_prod++;
	}
	want(s, f, WANT_PHOLE);
}

void gap_timeout(struct shadow *s, struct flow *f, uint64_t now)
{
	if (client_hole(f) &&
	    since(&f->c, f->gap_c) + s->opt.reorder_wait <= now)
		believe_client(s, f, now);
	if (prod_hole(f) && since(&f->p, f->gap_p) + s->opt.reorder_wait <= now)
		believe_prod(s, f);
}

void gap_push(struct shadow *s, struct flow *f, uint64_t now,
	      struct effects *out)
{
	bool answered = f->q_send == NULL && f->snd_una == f->snd_nxt &&
			f->x.marks[WHO_SUT] >= f->x.marks[WHO_CLIENT];

	if ((f->flags & FLOW_GAP) == 0)
		return;
	if (!answered && f->leg != LEG_WAITING &&
	    now - f->s_progress < GAP_HOLD) {
		due_set(s, f, DUE_HOLD, f->s_progress + GAP_HOLD);
		return;
	}
	shadow_end(s, f, FLOW_END_GAP, now, out);
	if (f->leg == LEG_NONE)
		gap_lost(s, f);
}
