/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * begin.c - How a flow comes to be
 *
 * Theory of operation
 *
 * A flow begins with the client's SYN; or in the middle, at the start of one of
 * the client's messages, by a handshake that we make up (shadow_pickup()); or
 * again, after a hole or a SUT that reset (shadow_restart()). In the last two
 * cases the SUT sees a SYN whose sequence number is the one before the
 * message's first byte.
 *
 * A flow that is picked up mid-stream, or begins again, is played when
 * production has acked some of it: a client that missed production's RST, or
 * its end, repeats its last request to nobody. Where the mirror shows no
 * production at all, nothing can be waited for.
 *
 * Before the table is full, or half-open flows have more than their share,
 * somebody is ended for the new one (make_room()); he is freed when the caller
 * looks at him, so room is made two flows early. Where there is none all the
 * same, the new flow is not played, and counted.
 *
 * A SYN on a tuple that is known is a repetition if it has the same sequence
 * number; otherwise it is a new incarnation, and the older one gets no more
 * from the mirror (I23). A mirror that swaps may show data of the new one
 * first: what lies behind the older one's end is picked up mid-stream, and the
 * SYN is then one that is known.
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

struct flow *shadow_find(struct shadow *s, const struct flow_key *key)
{
	struct flow *f = flow_find(s->flows, key);

	/* If the newest is superseded, the one that did it has been freed, and
	 * what still comes is of that one, or later (I23).
	 */
	return f && !(f->w.flags & W_SUPERSEDED) ? f : NULL;
}

/* Make room by ending somebody, as the limits say (I29). */
static struct flow *make_room(const struct turn *t, const struct flow_key *key)
{
	bool half = flow_half_full(t->s->flows);
	struct flow *v = NULL;

	if (half ||
	    flow_count(t->s->flows) + SPARE_FLOWS >= flow_table_n(t->s->flows))
		v = flow_victim(t->s->flows, half);
	if (v && !(v->want & WANT_FREE)) {
		t->s->count.victims++;
		t->s->count.victims_half_open += v->class == FLOW_HALF_OPEN;
		end_leg(t, v, FLOW_END_VICTIM);
		/* Without room for a RST the SUT gets one when it speaks. */
		leg_over(t, v, FLOW_END_VICTIM);
		want(t->s, v, WANT_FREE);
	}
	return flow_new(t->s->flows, key);
}

static struct flow *flow_make(const struct turn *t, const struct flow_key *key,
			      const struct shadow_leg *leg,
			      const struct segment *seg)
{
	struct flow *f = make_room(t, key);

	if (!f) {
		t->s->count.flows_not_played++;
		return NULL;
	}
	t->s->count.flows_seen++;
	f->sut = leg->sut;
	f->sport = leg->sport;
	f->leg.state = LEG_WAITING;
	/* RFC 1122 section 3.2.1.7: nothing is sent with 0. */
	f->w.ttl = seg->ttl != 0 ? seg->ttl : 1;
	f->w.last = t->now;
	f->leg.progress = t->now;
	due_set(t->s, f, DUE_IDLE, t->now + t->s->opt.idle);
	if (!leg->play)
		leg_over(t, f, FLOW_END_OBSERVED);
	return f;
}

/* Take from a SYN what we pass on; the rest is removed and counted. */
static void syn_options(struct shadow *s, struct flow *f,
			const struct segment *seg)
{
	const struct tcp_opts *o = &seg->opts;
	uint16_t stripped =
		OPT_HAS_FASTOPEN | OPT_HAS_MPTCP | OPT_HAS_MD5 | OPT_HAS_AO;

	f->w.c_has = (uint8_t)(o->has & (OPT_HAS_MSS | OPT_HAS_WSCALE |
					 OPT_HAS_SACK_OK | OPT_HAS_TS));
	f->w.c_mss = ipaddr_is4(&seg->src) ? TCP_MSS_4 : TCP_MSS_6;
	if ((o->has & OPT_HAS_MSS) && o->mss >= MSS_LEAST)
		f->w.c_mss = o->mss;
	f->w.c_wscale = 0;
	if (o->has & OPT_HAS_WSCALE)
		f->w.c_wscale = o->wscale < WSCALE_MAX ? o->wscale : WSCALE_MAX;
	f->w.c_tsval = o->tsval;
	if ((o->has & stripped) || seg->len > 0 ||
	    (seg->flags & (TCP_ECE | TCP_CWR)))
		s->count.syn_stripped++;
}

/* The client's numbers at the start. */
static void client_start(struct flow *f, uint32_t iss, uint16_t win)
{
	f->w.c_iss = iss;
	stream_start(&f->w.c, iss + 1);
	f->w.p_ack = iss + 1;
	f->leg.snd_una = iss + 1;
	f->leg.snd_nxt = iss + 1;
	f->x.turn = iss + 1;
	f->w.c_win = win;
	f->leg.cli_wnd = win;
	f->leg.adv_edge =
		win; /* what the SYN says, until the SUT has numbers */
}

/* The tuple has a new incarnation: no more will come for the old one. */
static void supersede(const struct turn *t, struct flow *old, struct flow *f)
{
	old->w.flags |= W_SUPERSEDED;
	if (!stream_has(&old->w.c, STREAM_FIN) &&
	    !(old->w.ev & (EV_C_RST | EV_P_RST)))
		old->w.rst_ack = old->w.c_ack;
	if (old->leg.state == LEG_NONE || old->leg.state == LEG_CLOSED) {
		close_if_done(t, old);
		return;
	}
	t->s->count.flows_waited++;
	f->older = old;
	old->newer = f;
	due_set(t->s, f, DUE_HOLD, t->now + REUSE_WAIT);
	more_later(t->s, old);
}

/* The incarnation whose SYN has this number, of @f's tuple, @f or older. */
static struct flow *incarnation(struct shadow *s, struct flow *f, uint32_t iss)
{
	while (f && f->w.c_iss != iss)
		f = flow_older(s->flows, f);
	return f;
}

/* How far is acknowledgment number @ack from what @f's client has sent? */
static uint32_t distance(const struct flow *f, uint32_t ack)
{
	uint32_t d = ack - f->w.c.nxt;

	if (seq_lt(f->w.c_iss, ack) && seq_le(ack, f->w.c.nxt))
		return 0;
	return d < 0 - d ? d : 0 - d;
}

struct flow *shadow_find_acked(struct shadow *s, const struct flow_key *key,
			       const struct segment *seg)
{
	struct flow *f = shadow_find(s, key);
	struct flow *best = f;

	/* An older one's reset comes too late to end what its client has
	 * closed.
	 */
	if (!f || (seg->flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
		return f;
	while ((f = flow_older(s->flows, f)))
		if (distance(f, seg->ack) < distance(best, seg->ack))
			best = f;
	return best;
}

struct flow *shadow_syn(struct shadow *s, const struct flow_key *key,
			const struct shadow_leg *leg, const struct segment *seg,
			uint64_t now, struct effects *out)
{
	const struct turn t = { s, now, out };
	struct flow *old = flow_find(s->flows, key);
	struct flow *f = incarnation(s, old, seg->seq);

	/* Also if the capture showed it behind the first data, where the flow
	 * was joined; or behind the SYN of the next incarnation.
	 */
	if (f) {
		s->count.client_syn_again++;
		f->w.last = now;
		return f;
	}
	f = flow_make(&t, key, leg, seg);
	if (!f)
		return NULL;
	syn_options(s, f, seg);
	client_start(f, seg->seq, seg->win);
	if (old)
		supersede(&t, old, f);
	return f;
}

void shadow_syn_hold(struct shadow *s, struct flow *f,
		     const struct segment *seg, uint64_t now)
{
	struct segment data = *seg;

	assert(seg->seq == f->w.c_iss);
	if (seg->len == 0 || seg->cap != seg->len || f->w.c.early ||
	    (f->w.ev & (EV_C_ACK | EV_P_SYNACK)))
		return;
	data.seq++;
	data.flags = TCP_ACK;
	f->w.syn_data =
		stream_hold(&f->w.c, s->pool, &data, now) == STREAM_EARLY;
}

bool shadow_syn_take(struct shadow *s, struct flow *f, uint32_t at)
{
	struct buf *fr = f->w.c.early;

	if (!f->w.syn_data || !seq_lt(f->w.c_iss, at))
		return false;
	assert(fr);
	f->w.syn_data = false;
	if (at == fr->seq)
		stream_drop(&f->w.c, s->pool);
	else if (seq_lt(at, fr->seq + fr->len))
		fr->len = at - fr->seq;
	return true;
}

uint32_t shadow_syn_end(const struct flow *f)
{
	const struct buf *fr = f->w.c.early;

	if (!f->w.syn_data)
		return f->w.c_iss + 1;
	assert(fr);
	return fr->seq + fr->len;
}

/* Make up what a handshake would have told. */
static void made_up(struct flow *f, bool ts, uint32_t tsval, bool ip4)
{
	f->w.flags |= W_MID | W_P_WSCALE;
	f->w.ev = EV_C_ACK | EV_P_SYNACK;
	if (!(f->w.c_has & OPT_HAS_MSS)) {
		f->w.c_has = OPT_HAS_MSS | OPT_HAS_SACK_OK | OPT_HAS_WSCALE;
		f->w.c_mss = ip4 ? MID_MSS_4 : MID_MSS_6;
		f->w.c_wscale = MID_WSCALE;
	}
	if (ts) {
		f->w.c_has |= OPT_HAS_TS;
		f->w.c_tsval = tsval;
	}
}

void prod_start(struct flow *f, uint32_t seq)
{
	stream_start(&f->w.p, seq);
	f->w.c_ack = seq;
	f->leg.cli_ack = seq;
	f->w.p_base = seq;
	f->w.rst_ack = seq;
}

/* Does the client ack what production cannot have sent on this connection? All
 * of that is told only where all up to the FIN is here: a FIN that lies far
 * ahead may be an older incarnation's.
 */
static bool acks_other(const struct flow *f, uint32_t ack)
{
	if (stream_has(&f->w.p, STREAM_ENDED))
		return acks_unsent(f, ack);
	return stream_has(&f->w.p, STREAM_FIN) && seq_lt(f->w.p.fin + 1, ack);
}

bool shadow_is_newer(const struct flow *f, const struct segment *seg)
{
	if ((seg->flags & TCP_ACK) && acks_other(f, seg->ack))
		return true;
	if (stream_has(&f->w.c, STREAM_ENDED))
		return seq_le(stream_end(&f->w.c), seg->seq);
	return (f->w.ev & (EV_C_RST | EV_P_RST)) &&
	       seq_lt(f->w.c.nxt, seg->seq);
}

struct flow *shadow_pickup(struct shadow *s, const struct flow_key *key,
			   const struct shadow_leg *leg,
			   const struct segment *seg, uint64_t now,
			   struct effects *out)
{
	const struct turn t = { s, now, out };
	struct flow *old = shadow_find(s, key);
	struct flow *f = flow_make(&t, key, leg, seg);

	if (!f)
		return NULL;
	s->count.flows_midstream++;
	made_up(f, (seg->opts.has & OPT_HAS_TS) != 0, seg->opts.tsval,
		ipaddr_is4(&seg->src));
	flow_set_class(s->flows, f, FLOW_LIVE);
	client_start(f, seg->seq - 1, MID_WINDOW);
	prod_start(f, seg->ack);
	f->w.unconfirmed = s->two_sided;
	if (old)
		supersede(&t, old, f);
	return f;
}

void count_missing(struct shadow *s, struct flow *f, uint32_t c, uint32_t p)
{
	uint32_t n = stream_skip(&f->w.c, s->pool, c);

	s->count.gap_client_bytes +=
		n > f->w.lost_seen ? n - f->w.lost_seen : 0;
	f->w.lost_seen = 0;
	if (stream_has(&f->w.p, STREAM_ON))
		s->count.gap_prod_bytes += stream_skip(&f->w.p, s->pool, p);
}

/* It is played again. */
static void begin_again(struct shadow *s, struct flow *f)
{
	s->count.flows_resumed++;
	s->count.flows_seen++;
	s->count.flows_taken_up += f->shed != SHED_NO;
	f->shed = SHED_NO;
	f->leg.end = FLOW_END_NONE;
	f->leg.state = LEG_WAITING;
}

void shadow_restart(struct shadow *s, struct flow *f, uint32_t seq,
		    uint32_t ack, bool keep, uint64_t now)
{
	const struct turn t = { s, now, NULL };
	struct stream c;
	struct stream p;
	uint32_t c_ack = f->w.c_ack;
	uint32_t p_ack = f->w.p_ack;
	uint32_t win = f->w.c_win;
	uint32_t rst_ack = f->w.rst_ack;
	uint16_t ended = f->w.ev & (EV_C_RST | EV_P_RST | EV_P_FIN);
	bool stays = shed_stays(&t, f);
	uint8_t end = f->leg.end;

	/* A message of the client's that is known came after its handshake. */
	assert(stream_has(&f->w.p, STREAM_ON));
	count_missing(s, f, seq, keep ? f->w.p.nxt : f->w.c_ack);
	c = f->w.c;
	p = f->w.p;
	memset(&f->w.c, 0, sizeof(f->w.c));
	f->w.syn_data = false;
	memset(&f->w.p, 0, sizeof(f->w.p));
	f->leg = (struct leg){ 0 };
	f->q = (struct queue){ 0 };
	/* A tuple that a newer incarnation has stays that one's. */
	f->w.flags &= W_SUPERSEDED;
	made_up(f, (f->w.c_has & OPT_HAS_TS) != 0, f->w.c_tsval,
		ipaddr_is4(&f->key.client));
	f->w.ev |= ended;
	client_start(f, seq - 1, MID_WINDOW);
	prod_start(f, ack);
	f->w.rst_ack = rst_ack;
	f->w.c_win = win;
	f->leg.cli_wnd = win;
	f->w.c.early = c.early;
	f->w.c.early_tail = c.early_tail;
	f->w.c.held = c.held;
	if (stream_has(&c, STREAM_FIN))
		stream_fin(&f->w.c, c.fin);
	if (seq_lt(f->w.p_ack, p_ack))
		f->w.p_ack = p_ack;
	f->w.unconfirmed = s->two_sided && seq_le(f->w.p_ack, seq);
	/* What came since @ack has been read. */
	f->w.p = p;
	if (!keep && (p.nxt != ack || p.early))
		f->w.flags |= W_PLOST;
	if (seq_lt(ack, c_ack))
		f->w.c_ack = c_ack;
	f->leg.end = end;
	if (!stays)
		begin_again(s, f);
	f->leg.progress = now;
	f->w.gap_c = 0;
	f->w.gap_p = 0;
	flow_set_class(s->flows, f, FLOW_LIVE);
	due_set(s, f, DUE_IDLE, now + s->opt.idle);
}
