/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sut.c - Segments of the SUT
 *
 * What the SUT's segment changes: its SYN,ACK opens the leg, its acks free the
 * client's bytes, its numbers place ours. A segment of no flow is answered by
 * RST, at a limited rate (I39).
 */
#include <assert.h>
#include <string.h>

#include "shadow/shadow_internal.h"

/* Take one of @most in a second. */
static bool rate_take(struct rate *r, uint32_t most, uint64_t now)
{
	if (now - r->since >= NS_PER_SEC) {
		r->since = now;
		r->n = 0;
	}
	assert(now - r->since < NS_PER_SEC);
	if (r->n >= most)
		return false;
	r->n++;
	return true;
}

bool shadow_may_refuse(struct shadow *s, uint8_t sut, uint64_t now)
{
	return rate_take(&s->target[sut].strays, s->opt.strays, now);
}

/* A segment that belongs to no flow (RFC 9293 section 3.10.7.1, I39); @most
 * answers of @r are given in a second.
 */
static void stray(const struct turn *t, uint8_t sut, const struct segment *seg,
		  struct rate *r, uint32_t most)
{
	struct effect *e;

	t->s->count.sut_stray++;
	if ((seg->flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
		return;
	if (effects_left(t->out) == 0 || !rate_take(r, most, t->now)) {
		t->s->count.stray_rst_limited++;
		return;
	}
	e = &t->out->e[t->out->n++];
	memset(e, 0, offsetof(struct effect, opts));
	e->kind = EFFECT_TCP;
	e->cause = CAUSE_STRAY_RST;
	e->sut = sut;
	e->ttl = 64;
	e->flags = TCP_RST;
	e->src = seg->dst;
	e->sport = seg->dport;
	e->dst = seg->src;
	e->dport = seg->sport;
	e->seq = seg->ack;
}

/* Remember where the SUT's frames end (I9). */
static void add_boundary(struct flow *f, uint32_t seq)
{
	unsigned at = (f->leg.bound_head + f->leg.bound_n) % FLOW_BOUNDS;

	if (f->leg.bound_n == FLOW_BOUNDS)
		f->leg.bound_head =
			(uint8_t)((f->leg.bound_head + 1) % FLOW_BOUNDS);
	else
		f->leg.bound_n++;
	f->leg.bound[at] = seq;
	at = (f->leg.bound_head + f->leg.bound_n - 1u) % FLOW_BOUNDS;
	assert(f->leg.bound[at] == seq);
}

static void established(const struct turn *t, struct flow *f,
			const struct segment *seg)
{
	const struct tcp_opts *o = &seg->opts;
	uint8_t both = (uint8_t)(f->w.c_has & o->has);
	uint16_t mss = ipaddr_is4(&seg->src) ? TCP_MSS_4 : TCP_MSS_6;

	f->leg.state = LEG_OPEN;
	t->s->shaking--;
	f->leg.ev |= EV_S_SYNACK;
	t->s->count.flows_established++;
	if ((o->has & OPT_HAS_MSS) && o->mss >= MSS_LEAST)
		mss = o->mss;
	f->leg.mss = mss;
	if (both & OPT_HAS_TS) {
		f->leg.flags |= L_TS;
		f->leg.tsval = o->tsval;
	}
	if (both & OPT_HAS_SACK_OK)
		f->leg.flags |= L_SACK;
	if (both & OPT_HAS_WSCALE) {
		f->leg.flags |= L_WSCALE;
		f->leg.wscale = f->w.c_wscale;
		f->leg.sut_wscale =
			o->wscale < WSCALE_MAX ? o->wscale : WSCALE_MAX;
	}
	f->leg.iss = seg->seq;
	stream_start(&f->leg.s, seg->seq + 1);
	f->leg.base = seg->seq + 1;
	f->leg.last_ack_sent = seg->seq + 1; /* all that we send acks it */
	f->leg.adv_edge = seg->seq + 1 + f->leg.adv_edge;
	f->leg.snd_wnd = seg->win;
	f->leg.flags |= L_HANDSHAKE;
	f->leg.tries = 0;
	f->leg.progress = t->now;
	if (f->leg.rtt_at != 0) {
		rtt_sample(f, t->now - f->leg.rtt_at);
		f->leg.rtt_at = 0;
	}
	due_clear(f, DUE_RTO);
}

/* The SUT's answer to our SYN. */
static void syn_sent(const struct turn *t, struct flow *f,
		     const struct segment *seg)
{
	bool acks_us = (seg->flags & TCP_ACK) && seg->ack == f->w.c_iss + 1;

	if (seg->flags & TCP_RST) {
		if (acks_us) {
			t->s->count.sut_rst++;
			leg_over(t, f, FLOW_END_SUT_REFUSED);
		}
		return;
	}
	if ((seg->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
	    acks_us) {
		established(t, f, seg);
		return;
	}
	/* It opens towards us, as we towards it (RFC 9293 section 3.5): to our
	 * SYN it will say SYN,ACK.
	 */
	if ((seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return;
	/* The SUT may have got our SYN twice, or it still holds the previous
	 * connection, whose flow was resumed on this tuple. A lost SYN,ACK is
	 * retransmitted.
	 */
	if (acks_us && f->leg.tries < SYN_DOUBT)
		return;
	/* It remembers an older incarnation: end that, and try again. */
	stray(t, f->sut, seg, &t->s->older, OLDER_RATE);
	due_set(t->s, f, DUE_RTO, t->now + UNSENT_WAIT);
}

/* A RST of the SUT: it must be at the expected place (RFC 5961 section 3.2). */
static void sut_reset(const struct turn *t, struct flow *f,
		      const struct segment *seg)
{
	if (f->leg.state != LEG_OPEN ||
	    !seq_in(seg->seq, f->leg.last_ack_sent - 1,
		    f->leg.adv_edge + DRAIN_WINDOW))
		return;
	t->s->count.sut_rst++;
	if (!reopen_reset(t, f, seg))
		leg_over(t, f, FLOW_END_SUT_RST);
}

static void sut_segment(const struct turn *t, struct flow *f,
			const struct segment *seg)
{
	bool old = seq_lt(seg->seq, stream_end(&f->leg.s)); /* its FIN, too */

	/* Not of an older incarnation: its numbers lie before this one's. */
	if ((f->leg.flags & L_TS) && (seg->opts.has & OPT_HAS_TS) &&
	    seq_le(f->leg.iss, seg->seq) &&
	    seq_le(f->leg.tsval, seg->opts.tsval) &&
	    seq_le(seg->seq, f->leg.last_ack_sent))
		f->leg.tsval = seg->opts.tsval;
	if ((seg->flags & TCP_SYN) ||
	    (old &&
	     (seg->len == 0 || seq_le(seg->seq + seg->len, f->leg.s.nxt)) &&
	     !(f->leg.flags & L_HANDSHAKE)))
		f->leg.dup_ack = true; /* repeated, keepalive or window probe */
	if (f->leg.state == LEG_OPEN && (seg->flags & TCP_ACK)) {
		uint32_t una = f->leg.snd_una;

		sut_acked(t, f, seg);
		if (una != f->leg.snd_una)
			f->leg.progress = t->now;
	}
	if ((seg->flags & (TCP_FIN | TCP_SYN)) == TCP_FIN) {
		if (!stream_has(&f->leg.s, STREAM_FIN))
			f->leg.s.fin_ack = seg->ack;
		stream_fin(&f->leg.s, seg->seq + seg->len);
		f->leg.progress = t->now;
	}
	if (seg->len > 0) {
		add_boundary(f, seg->seq + seg->len);
		t->s->target[f->sut].owed = 0;
		target_back(&t->s->target[f->sut]);
		f->leg.progress = t->now;
	}
}

/* Does it reach beyond the window advertised to the SUT? */
static bool beyond_window(const struct flow *f, const struct segment *seg)
{
	return seq_lt(f->leg.adv_edge, seg->seq + seg->len);
}

bool shadow_owns(const struct shadow *s, uint8_t sut, const struct segment *seg)
{
	const struct flow *f =
		flow_find_sut(s->flows, sut, seg->sport, &seg->dst, seg->dport);

	return f && (f->leg.state == LEG_SYN_SENT || f->leg.state == LEG_OPEN);
}

struct flow *shadow_sut(struct shadow *s, uint8_t sut,
			const struct segment *seg, uint64_t now,
			struct effects *out)
{
	const struct turn t = { s, now, out };
	struct flow *f =
		flow_find_sut(s->flows, sut, seg->sport, &seg->dst, seg->dport);

	if (!f) {
		if (seg->len > 0) /* it answers what was left with it */
			target_back(&s->target[sut]);
		stray(&t, sut, seg, &s->target[sut].strays, s->opt.strays);
		return NULL;
	}
	f->w.last = now;
	if (f->leg.state == LEG_SYN_SENT)
		syn_sent(&t, f, seg);
	else if (seg->flags & TCP_RST)
		sut_reset(&t, f, seg);
	else if (f->leg.state == LEG_OPEN && beyond_window(f, seg)) {
		/* Not acceptable (RFC 9293 section 3.10.7.4). */
		s->count.sut_stray++;
		f->leg.dup_ack = true;
		push_flow(&t, f);
		return NULL;
	} else
		sut_segment(&t, f, seg);
	return f;
}
