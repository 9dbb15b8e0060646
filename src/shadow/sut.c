/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sut.c - Segments of the SUT
 *
 * What the SUT's segment changes: its SYN,ACK opens the leg, its acks free the
 * client's bytes, its numbers place ours. A segment of no flow is answered by RST,
 * at a limited rate (I39).
 */
#include <string.h>

#include "shadow/shadow_internal.h"

/* Take one of @most in a second. */
static bool rate_take(struct rate *r, uint32_t most, uint64_t now)
{
	if (now - r->since >= NS_PER_SEC) {
		r->since = now;
		r->n = 0;
	}
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
static void stray(struct shadow *s, uint8_t sut, const struct segment *seg,
		  struct rate *r, uint32_t most, uint64_t now,
		  struct effects *out)
{
	struct effect *e;

	s->count.sut_stray++;
	if ((seg->flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
		return;
	if (effects_left(out) == 0 || !rate_take(r, most, now)) {
		s->count.stray_rst_limited++;
		return;
	}
	e = &out->e[out->n++];
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
	unsigned at = (f->bound_head + f->bound_n) % FLOW_BOUNDS;

	if (f->bound_n == FLOW_BOUNDS)
		f->bound_head = (uint8_t)((f->bound_head + 1) % FLOW_BOUNDS);
	else
		f->bound_n++;
	f->bound[at] = seq;
}

static void established(struct shadow *s, struct flow *f,
			const struct segment *seg, uint64_t now)
{
	const struct tcp_opts *o = &seg->opts;
	uint8_t both = (uint8_t)(f->c_has & o->has);
	uint16_t mss = ipaddr_is4(&seg->src) ? TCP_MSS_4 : TCP_MSS_6;

	f->leg = LEG_OPEN;
	s->shaking--;
	f->ev |= EV_S_SYNACK;
	s->count.flows_established++;
	if ((o->has & OPT_HAS_MSS) != 0 && o->mss >= MSS_LEAST)
		mss = o->mss;
	f->s_mss = mss;
	if ((both & OPT_HAS_TS) != 0) {
		f->flags |= FLOW_TS;
		f->s_tsval = o->tsval;
	}
	if ((both & OPT_HAS_SACK_OK) != 0)
		f->flags |= FLOW_SACK;
	if ((both & OPT_HAS_WSCALE) != 0) {
		f->flags |= FLOW_WSCALE;
		f->s_wscale = f->c_wscale;
		f->sut_wscale = o->wscale < WSCALE_MAX ? o->wscale : WSCALE_MAX;
	}
	f->s_iss = seg->seq;
	stream_start(&f->s, seg->seq + 1);
	f->s_base = seg->seq + 1;
	f->ack_sent = seg->seq + 1; /* all that we send acks it */
	f->edge = seg->seq + 1 + f->edge;
	f->snd_wnd = seg->win;
	f->flags |= FLOW_HANDSHAKE;
	f->tries = 0;
	f->s_progress = now;
	if (f->rtt_at != 0) {
		rtt_sample(f, now - f->rtt_at);
		f->rtt_at = 0;
	}
	due_clear(f, DUE_RTO);
}

/* The SUT's answer to our SYN. */
static void syn_sent(struct shadow *s, struct flow *f,
		     const struct segment *seg, uint64_t now,
		     struct effects *out)
{
	bool acks_us = (seg->flags & TCP_ACK) != 0 && seg->ack == f->c_iss + 1;

	if ((seg->flags & TCP_RST) != 0) {
		if (acks_us) {
			s->count.sut_rst++;
			leg_over(s, f, FLOW_END_SUT_REFUSED, now);
		}
		return;
	}
	if ((seg->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
	    acks_us) {
		established(s, f, seg, now);
		return;
	}
	/* It opens towards us, as we towards it (RFC 9293 section 3.5): to our
	 * SYN it will say SYN,ACK.
	 */
	if ((seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return;
	/* It may have got our SYN twice, and its SYN,ACK is lost; or it stands where
	 * an older incarnation of a flow that goes on here ended. The first mends
	 * itself.
	 */
	if (acks_us && f->tries < SYN_DOUBT)
		return;
	/* It remembers an older incarnation: end that, and try again. */
	stray(s, f->sut, seg, &s->older, OLDER_RATE, now, out);
	due_set(s, f, DUE_RTO, now + UNSENT_WAIT);
}

/* A RST of the SUT: it must be at the expected place (RFC 5961 section 3.2). */
static void sut_reset(struct shadow *s, struct flow *f,
		      const struct segment *seg, uint64_t now)
{
	if (f->leg != LEG_OPEN ||
	    !seq_in(seg->seq, f->ack_sent - 1, f->edge + DRAIN_WINDOW))
		return;
	s->count.sut_rst++;
	if (!reopen_reset(s, f, seg, now))
		leg_over(s, f, FLOW_END_SUT_RST, now);
}

static void sut_segment(struct shadow *s, struct flow *f,
			const struct segment *seg, uint64_t now,
			struct effects *out)
{
	bool old = seq_lt(seg->seq, stream_end(&f->s)); /* its FIN, too */

	/* Not of an older incarnation: its numbers lie before this one's. */
	if ((f->flags & FLOW_TS) != 0 && (seg->opts.has & OPT_HAS_TS) != 0 &&
	    seq_le(f->s_iss, seg->seq) && seq_le(f->s_tsval, seg->opts.tsval) &&
	    seq_le(seg->seq, f->ack_sent))
		f->s_tsval = seg->opts.tsval;
	if ((seg->flags & TCP_SYN) != 0 ||
	    (old && (seg->len == 0 || seq_le(seg->seq + seg->len, f->s.nxt)) &&
	     (f->flags & FLOW_HANDSHAKE) == 0))
		f->dup_ack = true; /* repeated, keepalive or window probe */
	if (f->leg == LEG_OPEN && (seg->flags & TCP_ACK) != 0) {
		uint32_t una = f->snd_una;

		sut_acked(s, f, seg, now, out);
		if (una != f->snd_una)
			f->s_progress = now;
	}
	if ((seg->flags & (TCP_FIN | TCP_SYN)) == TCP_FIN) {
		if (!stream_has(&f->s, STREAM_FIN))
			f->s.fin_ack = seg->ack;
		stream_fin(&f->s, seg->seq + seg->len);
		f->s_progress = now;
	}
	if (seg->len > 0) {
		add_boundary(f, seg->seq + seg->len);
		s->target[f->sut].owed = 0;
		target_back(&s->target[f->sut]);
		f->s_progress = now;
	}
}

/* Does it reach beyond the window that the SUT was told? */
static bool beyond_window(const struct flow *f, const struct segment *seg)
{
	return seq_lt(f->edge, seg->seq + seg->len);
}

bool shadow_owns(const struct shadow *s, uint8_t sut, const struct segment *seg)
{
	const struct flow *f =
		flow_find_sut(s->flows, sut, seg->sport, &seg->dst, seg->dport);

	return f != NULL && (f->leg == LEG_SYN_SENT || f->leg == LEG_OPEN);
}

struct flow *shadow_sut(struct shadow *s, uint8_t sut,
			const struct segment *seg, uint64_t now,
			struct effects *out)
{
	struct flow *f =
		flow_find_sut(s->flows, sut, seg->sport, &seg->dst, seg->dport);

	s->now = now;
	if (f == NULL) {
		if (seg->len > 0) /* it answers what was left with it */
			target_back(&s->target[sut]);
		stray(s, sut, seg, &s->target[sut].strays, s->opt.strays, now,
		      out);
		return NULL;
	}
	f->last = now;
	if (f->leg == LEG_SYN_SENT)
		syn_sent(s, f, seg, now, out);
	else if ((seg->flags & TCP_RST) != 0)
		sut_reset(s, f, seg, now);
	else if (f->leg == LEG_OPEN && beyond_window(f, seg)) {
		/* Not acceptable (RFC 9293 section 3.10.7.4). */
		s->count.sut_stray++;
		f->dup_ack = true;
		shadow_push(s, f, now, out);
		return NULL;
	} else
		sut_segment(s, f, seg, now, out);
	return f;
}
