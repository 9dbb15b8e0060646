/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send.c - The client's bytes, towards the SUT
 *
 * Theory of operation
 *
 * The queue holds every client frame that the SUT has not acked, by seq, whole.
 * q_send is the first that is not wholly sent: before it lies the document's
 * sent_not_acked, from it on its outside_window; one list with a cursor cannot
 * fall out of order (I13). A frame leaves as it was captured, one effect each, as
 * far as the SUT's window allows; where the SUT's MSS is smaller the effect asks
 * the sink to cut, or is cut here. A frame is freed when the SUT has acked all of
 * it (I14).
 *
 * A frame is held back
 *   - until the SUT has answered what production had answered when the client
 *     sent it (I16b), unless the captured order is asked for
 *   - after production's FIN and its ack, until the SUT's FIN (I16): production
 *     reset those bytes, and the client sends them again on another connection
 *   - at level `timing`, until its capture time plus a constant
 *
 * Loss between us and the SUT is ours to repair, for the client will not (I15):
 * RFC 6298 timer with exponential backoff, RFC 5681 fast retransmit on the third
 * duplicate ack, then one segment for each partial ack (RFC 6582). There is no
 * congestion window: the wire is private, has one sender and one hop, and a
 * window of ours would delay bytes that the client had sent already; the SUT's
 * own window is the bound.
 */
#include <assert.h>
#include <string.h>

#include "shadow/shadow_internal.h"
#include "wire/tcpopt.h"

#define TS_LEN 12 /* NOP, NOP, Timestamps */
/* Bits of frame.flags, above TCP's: it was held back once; it is later than level
 * `timing` promises, for production's bytes that it acks were not here.
 */
#define FRAME_HELD 0x8000u
#define FRAME_LATE 0x4000u

uint32_t payload_mss(const struct flow *f)
{
	uint32_t mss = f->s_mss;

	if ((f->flags & FLOW_TS) != 0)
		mss -= TS_LEN;
	return mss;
}

/* SND.NXT: our FIN takes a sequence number. */
static uint32_t snd_seq(const struct flow *f)
{
	return f->snd_nxt + ((f->flags & FLOW_FIN_SENT) != 0);
}

/* What the SUT sent out of order (RFC 2018): the first blocks. */
static uint8_t sack_blocks(const struct flow *f, struct sack_block *b)
{
	const struct frame *e = f->s.early;
	uint8_t n = 0;

	while (e != NULL && n < TCP_SACK_MAX) {
		b[n].left = e->seq;
		b[n].right = e->seq + e->len;
		for (e = e->next; e != NULL && seq_le(e->seq, b[n].right);
		     e = e->next)
			if (seq_lt(b[n].right, e->seq + e->len))
				b[n].right = e->seq + e->len;
		n++;
	}
	return n;
}

static void put_options(const struct flow *f, struct effect *e)
{
	struct tcp_opts o = { 0 };

	if ((f->flags & FLOW_TS) != 0) {
		o.has = OPT_HAS_TS;
		o.tsval = f->c_tsval;
		o.tsecr = f->s_tsval;
	}
	if ((f->flags & FLOW_SACK) != 0)
		o.sacks = sack_blocks(f, o.sack);
	e->optlen = tcp_put_options(e->opts, &o);
}

static struct effect *effect_begin(struct shadow *s, struct flow *f,
				   struct effects *out, enum effect_cause cause,
				   uint8_t flags)
{
	struct effect *e;

	if (effects_left(out) == 0) {
		more_later(s, f);
		return NULL;
	}
	e = &out->e[out->n++];
	memset(e, 0, offsetof(struct effect, opts));
	e->kind = EFFECT_TCP;
	e->cause = cause;
	e->sut = f->sut;
	e->flow = f->id;
	e->ttl = f->ttl;
	e->flags = flags;
	e->src = f->key.client;
	e->sport = f->eport;
	e->dst = s->target[f->sut].ip;
	e->dport = f->sport;
	return e;
}

struct effect *effect_tcp(struct shadow *s, struct flow *f, struct effects *out,
			  enum effect_cause cause, uint8_t flags)
{
	struct ack_plan p = ack_plan(f, s->now, &s->opt, f->force_ack);
	struct effect *e = effect_begin(s, f, out, cause, flags);
	uint32_t win;

	if (e == NULL)
		return NULL;
	if (p.partial && cause != CAUSE_ACK_PARTIAL)
		p.ack = f->ack_sent;
	/* Rounded up: rounding down would take the right edge back (I38). */
	win = (p.edge - p.ack + (1u << f->s_wscale) - 1) >> f->s_wscale;
	e->seq = snd_seq(f);
	e->ack = p.ack;
	e->win = (uint16_t)(win < WIN_FULL ? win : WIN_FULL);
	put_options(f, e);
	f->ack_sent = p.ack;
	f->edge = p.ack + ((uint32_t)e->win << f->s_wscale);
	f->dup_ack = false;
	f->flags &= ~(uint32_t)FLOW_HANDSHAKE;
	due_clear(f, DUE_DACK);
	if (f->ack_sent == stream_end(&f->s))
		due_clear(f, DUE_SPONT);
	return e;
}

void sent_something(struct shadow *s, struct flow *f, uint64_t now)
{
	struct target *t = &s->target[f->sut];

	if (t->waiting == 0)
		t->waiting = now;
	if (f->due[DUE_RTO] == WHEEL_NEVER)
		due_set(s, f, DUE_RTO, now + rto_of(f));
}

uint64_t rto_of(const struct flow *f)
{
	uint64_t rto = RTO_FIRST;
	unsigned shift = f->tries < 6 ? f->tries : 6;

	if (f->srtt_us != 0) {
		rto = (f->srtt_us + 4 * (uint64_t)f->rttvar_us) * NS_PER_US;
		rto = rto < RTO_MIN ? RTO_MIN : rto;
	}
	rto <<= shift;
	return rto < RTO_MAX ? rto : RTO_MAX;
}

void rtt_sample(struct flow *f, uint64_t ns)
{
	uint64_t us = ns / NS_PER_US;
	uint32_t r = us < 1 ? 1 : us > 60000000 ? 60000000 : (uint32_t)us;
	uint32_t d;

	if (f->srtt_us == 0) {
		f->srtt_us = r;
		f->rttvar_us = r / 2;
		return;
	}
	d = f->srtt_us > r ? f->srtt_us - r : r - f->srtt_us;
	f->rttvar_us = (3 * f->rttvar_us + d) / 4;
	f->srtt_us = (7 * f->srtt_us + r) / 8;
}

void send_syn(struct shadow *s, struct flow *f, uint64_t now,
	      struct effects *out, enum effect_cause cause)
{
	struct effect *e = effect_begin(s, f, out, cause, TCP_SYN);
	struct tcp_opts o = { .has = (uint16_t)(f->c_has | OPT_HAS_MSS),
			      .mss = f->c_mss,
			      .wscale = f->c_wscale,
			      .tsval = f->c_tsval };

	assert(e != NULL);
	f->asked = true;
	e->seq = f->c_iss;
	e->win = (uint16_t)(f->edge < WIN_FULL ? f->edge : WIN_FULL);
	e->optlen = tcp_put_options(e->opts, &o);
	e->timed = cause == CAUSE_SYN;
	f->rtt_at = cause == CAUSE_SYN ? now : 0;
	f->rtt_seq = f->c_iss;
	sent_something(s, f, now);
}

bool send_rst(struct shadow *s, struct flow *f, struct effects *out)
{
	struct effect *e =
		effect_begin(s, f, out, CAUSE_RST, TCP_RST | TCP_ACK);

	if (e == NULL)
		return false;
	e->seq = snd_seq(f);
	if (f->leg == LEG_SYN_SENT)
		e->flags = TCP_RST;
	else
		e->ack = f->ack_sent;
	put_options(f, e);
	return true;
}

/* May this frame's bytes go to the SUT now? */
static bool released(struct shadow *s, struct flow *f, const struct frame *fr,
		     uint64_t now)
{
	if (s->opt.timing && now < fr->now + s->opt.delay) {
		due_set(s, f, DUE_DACK, fr->now + s->opt.delay);
		return false;
	}
	if (is_late(f, fr) && !stream_has(&f->s, STREAM_ENDED) &&
	    !(f->hold_passed && was_accepted(f, fr))) {
		if (f->due[DUE_HOLD] == WHEEL_NEVER && !f->hold_passed)
			due_set(s, f, DUE_HOLD, now + LATE_HOLD);
		return false;
	}
	if (s->opt.order_captured || (f->flags & FLOW_PLOST) != 0)
		return true;
	if (shadow_waits_for_production(f))
		return false; /* until those bytes come, or are believed lost */
	return answers_reached(f, fr->ack);
}

/* Send the bytes of @fr from @from on, at most @n. There is room. */
static uint32_t send_piece(struct shadow *s, struct flow *f, struct frame *fr,
			   uint32_t from, uint32_t n, enum effect_cause cause,
			   struct effects *out)
{
	uint32_t mss = payload_mss(f);
	uint32_t max = s->opt.gso ? GSO_MAX / mss * mss : mss;
	uint8_t flags = TCP_ACK;
	struct effect *e;

	if (n > max)
		n = max;
	if (from + n == fr->seq + fr->len)
		flags |= (uint8_t)(fr->flags & TCP_PSH);
	e = effect_tcp(s, f, out, cause, flags);
	assert(e != NULL);
	e->seq = from;
	e->frame = fr;
	e->off = from - fr->seq;
	e->len = n;
	if ((fr->flags & TCP_URG) != 0 && seq_le(from, fr->seq + fr->urg)) {
		e->flags |= TCP_URG;
		e->urg = (uint16_t)(fr->seq + fr->urg - from);
	}
	if (n > mss || (fr->gso != 0 && fr->gso < n))
		e->gso = (uint16_t)(fr->gso != 0 && fr->gso < mss ? fr->gso
								  : mss);
	frame_emit(fr);
	return n;
}

/* Does what goes out now end a request? Where messages end by quiet nobody knows. */
static bool ends_request(struct flow *f)
{
	struct exchange *x = f->x.sent;
	bool ends = (f->flags & FLOW_SPOKE_C) != 0;

	for (; x != NULL && (x->flags & X_HAVE_C) != 0 &&
	       seq_le(x->end[WHO_CLIENT], f->snd_nxt);
	     x = x->next) {
		ends = true;
		x->flags |= X_SENT;
		f->x.sent = x->next;
	}
	return ends;
}

bool shadow_waits_for_production(const struct flow *f)
{
	return f->q_send != NULL && stream_has(&f->p, STREAM_ON) &&
	       (f->flags & FLOW_PLOST) == 0 &&
	       seq_lt(stream_end(&f->p), f->q_send->ack);
}

/* It is held back: count it. */
static void hold(struct shadow *s, const struct flow *f, struct frame *fr,
		 uint64_t now)
{
	s->count.order_held += (fr->flags & FRAME_HELD) == 0;
	fr->flags |= FRAME_HELD;
	if (!s->opt.timing || now < fr->now + s->opt.delay ||
	    (fr->flags & FRAME_LATE) != 0 || !shadow_waits_for_production(f))
		return;
	s->count.timing_late++;
	fr->flags |= FRAME_LATE;
}

void send_data(struct shadow *s, struct flow *f, uint64_t now,
	       struct effects *out)
{
	struct frame *fr;

	f->shut = false;
	while ((fr = f->q_send) != NULL) {
		uint32_t left = fr->seq + fr->len - f->snd_nxt;
		uint32_t edge = f->snd_una + f->snd_wnd;
		uint32_t n = left;

		if (!released(s, f, fr, now)) {
			hold(s, f, fr, now);
			return;
		}
		if (seq_lt(edge, f->snd_nxt + n))
			n = seq_lt(f->snd_nxt, edge) ? edge - f->snd_nxt : 0;
		/* Silly windows: wait for room unless nothing is out. */
		if (n == 0 || (n < left && n < payload_mss(f) &&
			       f->snd_una != f->snd_nxt)) {
			f->shut = true;
			sent_something(s, f, now);
			return;
		}
		if (effects_left(out) <= 1) {
			more_later(s, f);
			return;
		}
		n = send_piece(s, f, fr, f->snd_nxt, n, CAUSE_DATA, out);
		if (f->rtt_at == 0) {
			f->rtt_at = now;
			f->rtt_seq = f->snd_nxt;
		}
		f->snd_nxt += n;
		/* What the SUT says from now on may answer this. */
		f->flags &= ~(uint32_t)FLOW_MOVE_S;
		out->e[out->n - 1].timed = ends_request(f);
		sent_something(s, f, now);
		if (f->snd_nxt == fr->seq + fr->len)
			f->q_send = fr->next;
	}
}

void retransmit(struct shadow *s, struct flow *f, uint64_t now,
		struct effects *out)
{
	struct frame *fr = f->q_head;
	struct effect *e;

	if (effects_left(out) == 0) {
		due_set(s, f, DUE_RTO, now);
		return;
	}
	f->rtt_at = 0; /* Karn: what is sent twice is not timed */
	if (f->snd_una == snd_seq(f) && f->q_send != NULL) {
		/* Nothing is out, and the window is closed: probe it. */
		e = effect_tcp(s, f, out, CAUSE_ZERO_PROBE, TCP_ACK);
		e->seq = f->snd_una - 1;
		s->count.zero_probes++;
	} else if (fr != NULL) {
		uint32_t from =
			seq_lt(fr->seq, f->snd_una) ? f->snd_una : fr->seq;
		uint32_t n = fr->seq + fr->len - from;

		if (n > payload_mss(f))
			n = payload_mss(f);
		if (n > f->snd_nxt - from) /* no more than had room before */
			n = f->snd_nxt - from;
		send_piece(s, f, fr, from, n, CAUSE_DATA_AGAIN, out);
		s->count.retransmits++;
		f->recover = f->snd_nxt;
		f->flags |= FLOW_RECOVER;
	} else if (f->snd_una != snd_seq(f)) {
		e = effect_tcp(s, f, out, CAUSE_FIN_AGAIN, TCP_FIN | TCP_ACK);
		e->seq = f->c.fin;
		s->count.retransmits++;
	} else {
		f->tries = 0;
		return; /* everything is acked: nothing to repair */
	}
	due_set(s, f, DUE_RTO, now + rto_of(f));
}

/* Free the frames that the SUT has acked. */
static void queue_free(struct shadow *s, struct flow *f, uint64_t now)
{
	struct frame *fr;

	while ((fr = f->q_head) != NULL && fr != f->q_send &&
	       seq_le(fr->seq + fr->len, f->snd_una)) {
		bool keep = kept_add(s, f, fr);

		shed_lag(s, f, fr->now, now);
		if (!keep)
			kept_drop(s, f);
		f->q_head = fr->next;
		f->q_bytes -= frame_block(fr->len);
		if (keep)
			continue;
		if (f->q_head == NULL)
			f->q_tail = NULL;
		frame_clear(s->pool, fr, FRAME_QUEUE);
	}
}

void deliver(struct shadow *s, struct flow *f, uint64_t now)
{
	struct exchange *x = f->x.deliver;

	while (x != NULL && (x->flags & X_HAVE_C) != 0 &&
	       seq_le(x->end[WHO_CLIENT], f->snd_una)) {
		x->flags |= X_DELIVERED;
		s->count.requests_delivered++;
		if ((x->flags & X_P_ACKED) != 0)
			hist_add(&s->behind,
				 now > x->p_acked ? now - x->p_acked : 0);
		x = x->next;
		f->x.deliver = x;
	}
}

static void acked_forward(struct shadow *s, struct flow *f, uint32_t ack,
			  uint64_t now, struct effects *out)
{
	uint32_t end = snd_seq(f);

	f->snd_una = ack;
	f->tries = 0;
	f->dupacks = 0;
	if (f->rtt_at != 0 && seq_lt(f->rtt_seq, ack)) {
		rtt_sample(f, now - f->rtt_at);
		f->rtt_at = 0;
	}
	if (stream_has(&f->c, STREAM_FIN) && ack == f->c.fin + 1)
		f->ev |= EV_S_ACKFIN;
	queue_free(s, f, now);
	deliver(s, f, now);
	if (ack == end) /* what is held back is not out */
		due_clear(f, DUE_RTO);
	else
		due_set(s, f, DUE_RTO, now + rto_of(f));
	if ((f->flags & FLOW_RECOVER) != 0) {
		if (seq_le(f->recover, ack))
			f->flags &= ~(uint32_t)FLOW_RECOVER;
		else
			retransmit(s, f, now, out);
	}
}

void sut_acked(struct shadow *s, struct flow *f, const struct segment *seg,
	       uint64_t now, struct effects *out)
{
	uint32_t end = snd_seq(f);
	/* In a SYN it is never scaled (RFC 7323 section 2.2). */
	bool scaled =
		(f->flags & FLOW_WSCALE) != 0 && (seg->flags & TCP_SYN) == 0;
	uint32_t wnd = (uint32_t)seg->win << (scaled ? f->sut_wscale : 0);

	if (seq_lt(end, seg->ack) || seq_lt(seg->ack, f->snd_una))
		return;
	if (seq_lt(f->snd_una, seg->ack)) {
		f->snd_wnd = wnd;
		acked_forward(s, f, seg->ack, now, out);
		return;
	}
	if (seg->len == 0 && wnd == f->snd_wnd && f->snd_una != end &&
	    (seg->flags & TCP_FIN) == 0) {
		if (f->dupacks < DUPACKS && ++f->dupacks == DUPACKS &&
		    (f->flags & FLOW_RECOVER) == 0) {
			s->count.fast_retransmits++;
			retransmit(s, f, now, out);
		}
	} else if (f->snd_wnd == 0 && wnd == 0) {
		f->tries = 0; /* it answers our probes: it is alive */
	}
	f->snd_wnd = wnd;
}
