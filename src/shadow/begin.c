/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * begin.c - How a flow comes to be
 *
 * Theory of operation
 *
 * A flow begins with the client's SYN; or in the middle, at the start of one of
 * the client's messages, by a handshake that we make up (shadow_join()); or again,
 * after a hole or a SUT that reset (shadow_restart()). In the last two cases the
 * SUT sees a SYN whose sequence number is the one before the message's first byte.
 *
 * A flow that is met in the middle, or begins again, is played when production has
 * acked some of it: a client that missed production's RST, or its end, repeats its
 * last request to nobody. Where the mirror shows no production at all, nothing can
 * be waited for.
 *
 * A SYN on a tuple that is known is a repetition if it has the same sequence
 * number; otherwise it is a new incarnation, and the older one gets no more from
 * the mirror (I23). A mirror that swaps may show data of the new one first: what
 * lies behind the older one's end is met in the middle, and the SYN is then one
 * that is known.
 */
#include <assert.h>
#include <string.h>

#include "shadow/shadow_internal.h"

#define MID_WSCALE 7 /* the client's scale is unknown: as Linux */
#define MID_WINDOW 65535u
#define MID_MSS_4  1460
#define MID_MSS_6  1440
/* A victim is ended before the table is full: freeing it takes a call more. */
#define SPARE_FLOWS 2

/* Make room by ending somebody, as the limits say (I29). */
static struct flow *make_room(struct shadow *s, const struct flow_key *key,
			      uint64_t now, struct effects *out)
{
	bool half = flow_half_full(s->flows);
	struct flow *v = NULL;

	if (half ||
	    flow_count(s->flows) + SPARE_FLOWS >= flow_table_n(s->flows))
		v = flow_victim(s->flows, half);
	if (v != NULL && (v->want & WANT_FREE) == 0) {
		s->count.victims++;
		s->count.victims_half_open += v->class == FLOW_HALF_OPEN;
		shadow_end(s, v, FLOW_END_VICTIM, now, out);
		/* Without room for a RST the SUT gets one when it speaks. */
		leg_over(s, v, FLOW_END_VICTIM, now);
		want(s, v, WANT_FREE);
	}
	return flow_new(s->flows, key);
}

static struct flow *flow_make(struct shadow *s, const struct flow_key *key,
			      const struct shadow_leg *leg,
			      const struct segment *seg, uint64_t now,
			      struct effects *out)
{
	struct flow *f = make_room(s, key, now, out);

	if (f == NULL) {
		s->count.flows_not_played++;
		return NULL;
	}
	s->count.flows_seen++;
	f->sut = leg->sut;
	f->sport = leg->sport;
	f->leg = LEG_WAITING;
	f->ttl = seg->ttl;
	f->last = now;
	f->s_progress = now;
	due_set(s, f, DUE_IDLE, now + s->opt.idle);
	if (!leg->play)
		leg_over(s, f, FLOW_END_OBSERVED, now);
	return f;
}

/* Take from a SYN what we pass on; the rest is removed and counted. */
static void syn_options(struct shadow *s, struct flow *f,
			const struct segment *seg)
{
	const struct tcp_opts *o = &seg->opts;
	uint16_t stripped =
		OPT_HAS_FASTOPEN | OPT_HAS_MPTCP | OPT_HAS_MD5 | OPT_HAS_AO;

	f->c_has = (uint8_t)(o->has & (OPT_HAS_MSS | OPT_HAS_WSCALE |
				       OPT_HAS_SACK_OK | OPT_HAS_TS));
	f->c_mss = ipaddr_is4(&seg->src) ? TCP_MSS_4 : TCP_MSS_6;
	if ((o->has & OPT_HAS_MSS) != 0 && o->mss >= MSS_LEAST)
		f->c_mss = o->mss;
	f->c_wscale = 0;
	if ((o->has & OPT_HAS_WSCALE) != 0)
		f->c_wscale = o->wscale < WSCALE_MAX ? o->wscale : WSCALE_MAX;
	f->c_tsval = o->tsval;
	if ((o->has & stripped) != 0 || seg->len > 0 ||
	    (seg->flags & (TCP_ECE | TCP_CWR)) != 0)
		s->count.syn_stripped++;
}

/* The client's numbers at the start. */
static void client_start(struct flow *f, uint32_t iss, uint16_t win)
{
	f->c_iss = iss;
	stream_start(&f->c, iss + 1);
	f->p_ack = iss + 1;
	f->snd_una = iss + 1;
	f->snd_nxt = iss + 1;
	f->x.turn = iss + 1;
	f->c_win = win;
	f->a_win = win;
	f->edge = win; /* what the SYN says, until the SUT has numbers */
}

/* The tuple has a new incarnation: no more will come for the old one. */
static void supersede(struct shadow *s, struct flow *old, struct flow *f,
		      uint64_t now)
{
	old->flags |= FLOW_SUPERSEDED;
	if (!stream_has(&old->c, STREAM_FIN) &&
	    (old->ev & (EV_C_RST | EV_P_RST)) == 0)
		old->rst_ack = old->c_ack;
	if (old->leg == LEG_NONE || old->leg == LEG_CLOSED) {
		remember_if_over(s, old, now);
		return;
	}
	s->count.flows_waited++;
	f->older = old;
	old->newer = f;
	due_set(s, f, DUE_HOLD, now + REUSE_WAIT);
	more_later(s, old);
}

/* The incarnation whose SYN has this number, of @f's tuple, @f or older. */
static struct flow *incarnation(struct flow *f, uint32_t iss)
{
	const struct flow_key *key = f != NULL ? &f->key : NULL;

	while (f != NULL &&
	       (f->c_iss != iss || memcmp(&f->key, key, sizeof(*key)) != 0))
		f = f->mirror_next;
	return f;
}

/* How far is @f's client from acknowledgment number @ack? */
static uint32_t distance(const struct flow *f, uint32_t ack)
{
	uint32_t d = ack - f->c.nxt;

	return d < 0 - d ? d : 0 - d;
}

struct flow *shadow_find_acked(struct shadow *s, const struct flow_key *key,
			       const struct segment *seg)
{
	struct flow *f = shadow_find(s, key);
	struct flow *best = f;

	if (f == NULL || (seg->flags & TCP_ACK) == 0)
		return f;
	while ((f = f->mirror_next) != NULL)
		if (distance(f, seg->ack) < distance(best, seg->ack) &&
		    memcmp(&f->key, key, sizeof(*key)) == 0)
			best = f;
	return best;
}

struct flow *shadow_syn(struct shadow *s, const struct flow_key *key,
			const struct shadow_leg *leg, const struct segment *seg,
			uint64_t now, struct effects *out)
{
	struct flow *old = flow_find(s->flows, key);
	struct flow *f = incarnation(old, seg->seq);

	s->now = now;
	/* Also if the capture showed it behind the first data, where the flow
	 * was joined; or behind the SYN of the next incarnation.
	 */
	if (f != NULL) {
		s->count.client_syn_again++;
		f->last = now;
		return f;
	}
	f = flow_make(s, key, leg, seg, now, out);
	if (f == NULL)
		return NULL;
	syn_options(s, f, seg);
	client_start(f, seg->seq, seg->win);
	if (old != NULL)
		supersede(s, old, f, now);
	return f;
}

void shadow_syn_hold(struct shadow *s, struct flow *f,
		     const struct segment *seg, uint64_t now)
{
	struct segment data = *seg;

	if (seg->len == 0 || seg->cap != seg->len || f->c.early != NULL ||
	    seg->seq != f->c_iss || (f->ev & (EV_C_ACK | EV_P_SYNACK)) != 0)
		return;
	data.seq++;
	data.flags = TCP_ACK;
	f->syn_data = stream_hold(&f->c, s->pool, &data, now) == STREAM_EARLY;
}

bool shadow_syn_take(struct shadow *s, struct flow *f, uint32_t at)
{
	struct frame *fr = f->c.early;

	if (!f->syn_data || fr == NULL || !seq_lt(f->c_iss, at))
		return false;
	f->syn_data = false;
	if (at == fr->seq)
		stream_drop(&f->c, s->pool);
	else if (seq_lt(at, fr->seq + fr->len))
		fr->len = at - fr->seq;
	return true;
}

uint32_t shadow_syn_end(const struct flow *f)
{
	const struct frame *fr = f->c.early;

	if (!f->syn_data || fr == NULL)
		return f->c_iss + 1;
	return fr->seq + fr->len;
}

/* Make up what a handshake would have told. */
static void made_up(struct flow *f, bool ts, uint32_t tsval, bool ip4)
{
	f->flags |= FLOW_MID | FLOW_P_WSCALE;
	f->taken_up = true;
	f->ev = EV_C_ACK | EV_P_SYNACK;
	if ((f->c_has & OPT_HAS_MSS) == 0) {
		f->c_has = OPT_HAS_MSS | OPT_HAS_SACK_OK | OPT_HAS_WSCALE;
		f->c_mss = ip4 ? MID_MSS_4 : MID_MSS_6;
		f->c_wscale = MID_WSCALE;
	}
	if (ts) {
		f->c_has |= OPT_HAS_TS;
		f->c_tsval = tsval;
	}
}

void prod_start(struct flow *f, uint32_t seq)
{
	stream_start(&f->p, seq);
	f->c_ack = seq;
	f->a_cur = seq;
	f->p_base = seq;
	f->rst_ack = seq;
}

bool shadow_is_newer(const struct flow *f, const struct segment *seg)
{
	if (stream_has(&f->c, STREAM_ENDED))
		return seq_le(stream_end(&f->c), seg->seq);
	return (f->ev & (EV_C_RST | EV_P_RST)) != 0 &&
	       seq_lt(f->c.nxt, seg->seq);
}

struct flow *shadow_join(struct shadow *s, const struct flow_key *key,
			 const struct shadow_leg *leg,
			 const struct segment *seg, uint64_t now,
			 struct effects *out)
{
	struct flow *old = shadow_find(s, key);
	struct flow *f = flow_make(s, key, leg, seg, now, out);

	s->now = now;
	if (f == NULL)
		return NULL;
	s->count.flows_midstream++;
	made_up(f, (seg->opts.has & OPT_HAS_TS) != 0, seg->opts.tsval,
		ipaddr_is4(&seg->src));
	flow_set_class(s->flows, f, FLOW_LIVE);
	client_start(f, seg->seq - 1, MID_WINDOW);
	prod_start(f, seg->ack);
	f->untaken = s->two_sided;
	if (old != NULL)
		supersede(s, old, f, now);
	return f;
}

void count_missing(struct shadow *s, struct flow *f, uint32_t c, uint32_t p)
{
	uint32_t n = stream_skip(&f->c, s->pool, c);

	s->count.gap_client_bytes += n > f->lost_seen ? n - f->lost_seen : 0;
	f->lost_seen = 0;
	if (stream_has(&f->p, STREAM_ON))
		s->count.gap_prod_bytes += stream_skip(&f->p, s->pool, p);
}

/* What was agreed, counted and measured on a connection with the SUT holds for no
 * other one. What established() sets, and what @flags guard, is not named here.
 */
void forget_leg(struct flow *f)
{
	memset(&f->s, 0, sizeof(f->s));
	f->snd_wnd = 0;
	f->s_wscale = 0;
	f->dup_ack = false;
	f->dupacks = 0;
	f->gate = GATE_UNASKED;
	f->tries = 0;
	f->ack_n = 0;
	f->bound_n = 0;
	f->srtt_us = 0;
	f->rtt_at = 0;
	f->left_ts = 0;
	f->hold_passed = false;
	f->asked = false;
	f->unheard = false;
	f->other_port = false;
	f->s_closes = false;
	f->end = FLOW_END_NONE;
	f->ending = FLOW_END_NONE;
}

void shadow_restart(struct shadow *s, struct flow *f, uint32_t seq,
		    uint32_t ack, bool keep, uint64_t now)
{
	struct stream c;
	struct stream p;
	uint32_t c_ack = f->c_ack;
	uint32_t p_ack = f->p_ack;
	uint32_t win = f->c_win;
	uint32_t rst_ack = f->rst_ack;
	uint16_t ended = f->ev & (EV_C_RST | EV_P_RST | EV_P_FIN);

	/* A message of the client's that is known came after its handshake. */
	assert(stream_has(&f->p, STREAM_ON));
	s->count.flows_taken_up += f->shed != SHED_NO;
	count_missing(s, f, seq, keep ? f->p.nxt : f->c_ack);
	c = f->c;
	p = f->p;
	s->count.flows_resumed++;
	s->count.flows_seen++;
	s->now = now;
	memset(&f->c, 0, sizeof(f->c));
	f->syn_data = false;
	memset(&f->p, 0, sizeof(f->p));
	forget_leg(f);
	f->met = 0;
	f->again = false;
	f->shed = SHED_NO;
	/* A tuple that a newer incarnation has stays that one's; what answers what
	 * stays unknown as long as production's marks are those from before.
	 */
	f->flags &= FLOW_FRAMED | FLOW_SUPERSEDED |
		    (keep ? (uint32_t)FLOW_AMBIGUOUS : 0);
	made_up(f, (f->c_has & OPT_HAS_TS) != 0, f->c_tsval,
		ipaddr_is4(&f->key.client));
	f->ev |= ended;
	client_start(f, seq - 1, MID_WINDOW);
	prod_start(f, ack);
	f->rst_ack = rst_ack;
	f->c_win = win;
	f->a_win = win;
	f->c.early = c.early;
	f->c.early_tail = c.early_tail;
	f->c.held = c.held;
	if (stream_has(&c, STREAM_FIN))
		stream_fin(&f->c, c.fin);
	if (seq_lt(f->p_ack, p_ack))
		f->p_ack = p_ack;
	f->untaken = s->two_sided && seq_le(f->p_ack, seq);
	/* What came since @ack has been read. */
	f->p = p;
	if (!keep && (p.nxt != ack || p.early != NULL))
		f->flags |= FLOW_PLOST;
	if (seq_lt(ack, c_ack))
		f->c_ack = c_ack;
	f->leg = LEG_WAITING;
	f->s_progress = now;
	f->gap_c = 0;
	f->gap_p = 0;
	flow_set_class(s->flows, f, FLOW_LIVE);
	due_set(s, f, DUE_IDLE, now + s->opt.idle);
}
