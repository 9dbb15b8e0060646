/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send.c - The client's bytes, towards the SUT
 *
 * Theory of operation
 *
 * The queue holds every client frame that the SUT has not acked, by seq, whole.
 * @send is the first that is not wholly sent: what lies before it is in flight,
 * what follows is unsent; one list with a cursor cannot fall out of order
 * (I13). A frame leaves as it was captured, one effect each,
 * as far as the SUT's window allows; where the SUT's MSS is smaller the effect
 * asks the sink to cut, or is cut here. A frame is freed when the SUT has acked
 * all of it (I14).
 *
 * A frame is held back
 *   - until the SUT has answered what production had answered when the client
 *     sent it (I16b), unless the captured order is asked for
 *   - after production's FIN and its ack, until the SUT's FIN (I16): production
 *     reset those bytes, and the client sends them again on another connection
 *   - at level `timing`, until its capture time plus a constant
 *
 * Loss between us and the SUT is ours to repair, for the client will not (I15):
 * RFC 6298 timer with exponential backoff, RFC 5681 fast retransmit on the
 * third duplicate ack, then one segment for each partial ack (RFC 6582). There
 * is no congestion window: the wire is private, has one sender and one hop, and
 * a window of ours would delay bytes that the client had sent already; the
 * SUT's own window is the bound.
 */
#include <assert.h>
#include <string.h>

#include "shadow/shadow_internal.h"
#include "wire/tcpopt.h"

#define TS_LEN 12 /* NOP, NOP, Timestamps */
/* Bits of buf.flags, above TCP's: it was held back once; it is later than
 * level `timing` promises, for production's bytes that it acks were not here.
 */
#define BUF_HELD 0x8000u
#define BUF_LATE 0x4000u

uint32_t payload_mss(const struct flow *f)
{
	uint32_t mss = f->leg.mss;

	if (f->leg.flags & L_TS)
		mss -= TS_LEN;
	return mss;
}

/* SND.NXT: our FIN takes a sequence number. */
static uint32_t snd_seq(const struct flow *f)
{
	return f->leg.snd_nxt + ((f->leg.flags & L_FIN_SENT) != 0);
}

/* What the SUT sent out of order (RFC 2018): the first blocks. */
static uint8_t sack_blocks(const struct flow *f, struct sack_block *b)
{
	const struct buf *e = f->leg.s.early;
	uint8_t n = 0;

	while (e && n < TCP_SACK_MAX) {
		b[n].left = e->seq;
		b[n].right = e->seq + e->len;
		for (e = e->next; e && seq_le(e->seq, b[n].right); e = e->next)
			if (seq_lt(b[n].right, e->seq + e->len))
				b[n].right = e->seq + e->len;
		n++;
	}
	return n;
}

static void put_options(const struct flow *f, struct effect *e)
{
	struct tcp_opts o = { 0 };

	if (f->leg.flags & L_TS) {
		o.has = OPT_HAS_TS;
		o.tsval = f->w.c_tsval;
		o.tsecr = f->leg.tsval;
	}
	if (f->leg.flags & L_SACK)
		o.sacks = sack_blocks(f, o.sack);
	e->optlen = tcp_put_options(e->opts, &o);
}

static struct effect *effect_begin(const struct turn *t, struct flow *f,
				   enum effect_cause cause, uint8_t flags)
{
	struct effect *e;

	if (effects_left(t->out) == 0) {
		more_later(t->s, f);
		return NULL;
	}
	e = &t->out->e[t->out->n++];
	memset(e, 0, offsetof(struct effect, opts));
	e->kind = EFFECT_TCP;
	e->cause = cause;
	e->sut = f->sut;
	e->flow = f->id;
	e->ttl = f->w.ttl;
	e->flags = flags;
	e->src = f->key.client;
	e->sport = f->eport;
	e->dst = t->s->target[f->sut].ip;
	e->dport = f->sport;
	return e;
}

struct effect *effect_tcp(const struct turn *t, struct flow *f,
			  const struct ack_plan *plan, enum effect_cause cause,
			  uint8_t flags)
{
	struct effect *e = effect_begin(t, f, cause, flags);
	uint32_t ack = plan->ack;
	uint32_t win;

	if (!e)
		return NULL;
	if (plan->partial && cause != CAUSE_ACK_PARTIAL)
		ack = f->leg.last_ack_sent;
	/* Rounded up: rounding down would take the right edge back (I38). */
	win = (plan->adv_edge - ack + (1u << f->leg.wscale) - 1) >>
	      f->leg.wscale;
	e->seq = snd_seq(f);
	e->ack = ack;
	e->win = (uint16_t)(win < WIN_FULL ? win : WIN_FULL);
	put_options(f, e);
	/* Neither goes back (I7, I38), nor beyond what the SUT sent (I6). */
	assert(seq_le(f->leg.last_ack_sent, ack) &&
	       seq_le(ack, stream_end(&f->leg.s)));
	assert(seq_le(f->leg.adv_edge,
		      ack + ((uint32_t)e->win << f->leg.wscale)));
	f->leg.last_ack_sent = ack;
	f->leg.adv_edge = ack + ((uint32_t)e->win << f->leg.wscale);
	f->leg.dup_ack = false;
	f->leg.flags &= ~(uint32_t)L_HANDSHAKE;
	due_clear(f, DUE_DACK);
	if (f->leg.last_ack_sent == stream_end(&f->leg.s))
		due_clear(f, DUE_SPONT);
	return e;
}

void sent_something(const struct turn *t, struct flow *f)
{
	struct target *sut = &t->s->target[f->sut];

	if (sut->waiting == 0)
		sut->waiting = t->now;
	if (f->due[DUE_RTO] == WHEEL_NEVER)
		due_set(t->s, f, DUE_RTO, t->now + rto_of(f));
}

uint64_t rto_of(const struct flow *f)
{
	uint64_t rto = RTO_FIRST;
	unsigned shift = f->leg.tries < 6 ? f->leg.tries : 6;

	if (f->leg.srtt_us != 0) {
		rto = (f->leg.srtt_us + 4 * (uint64_t)f->leg.rttvar_us) *
		      NS_PER_US;
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

	if (f->leg.srtt_us == 0) {
		f->leg.srtt_us = r;
		f->leg.rttvar_us = r / 2;
		return;
	}
	d = f->leg.srtt_us > r ? f->leg.srtt_us - r : r - f->leg.srtt_us;
	f->leg.rttvar_us = (3 * f->leg.rttvar_us + d) / 4;
	f->leg.srtt_us = (7 * f->leg.srtt_us + r) / 8;
}

void send_syn(const struct turn *t, struct flow *f, enum effect_cause cause)
{
	struct effect *e = effect_begin(t, f, cause, TCP_SYN);
	struct tcp_opts o = { .has = (uint16_t)(f->w.c_has | OPT_HAS_MSS),
			      .mss = f->w.c_mss,
			      .wscale = f->w.c_wscale,
			      .tsval = f->w.c_tsval };

	assert(e);
	f->leg.syn_out = true;
	e->seq = f->w.c_iss;
	e->win = (uint16_t)(f->leg.adv_edge < WIN_FULL ? f->leg.adv_edge
						       : WIN_FULL);
	e->optlen = tcp_put_options(e->opts, &o);
	e->timed = cause == CAUSE_SYN;
	f->leg.rtt_at = cause == CAUSE_SYN ? t->now : 0;
	f->leg.rtt_seq = f->w.c_iss;
	sent_something(t, f);
}

bool send_rst(const struct turn *t, struct flow *f)
{
	struct effect *e = effect_begin(t, f, CAUSE_RST, TCP_RST | TCP_ACK);

	if (!e)
		return false;
	e->seq = snd_seq(f);
	if (f->leg.state == LEG_SYN_SENT)
		e->flags = TCP_RST;
	else
		e->ack = f->leg.last_ack_sent;
	put_options(f, e);
	return true;
}

/* May this frame's bytes go to the SUT now? */
static bool released(const struct turn *t, struct flow *f, const struct buf *fr)
{
	if (t->s->opt.timing && t->now < fr->now + t->s->opt.delay) {
		due_set(t->s, f, DUE_DACK, fr->now + t->s->opt.delay);
		return false;
	}
	if (is_late(f, fr) && !stream_has(&f->leg.s, STREAM_ENDED) &&
	    !(f->leg.hold_passed && was_accepted(f, fr))) {
		if (f->due[DUE_HOLD] == WHEEL_NEVER && !f->leg.hold_passed)
			due_set(t->s, f, DUE_HOLD, t->now + LATE_HOLD);
		return false;
	}
	if (t->s->opt.order_captured || (f->w.flags & W_PLOST))
		return true;
	if (shadow_waits_for_production(f))
		return false; /* until those bytes come, or are believed lost */
	return answers_reached(f, fr->ack);
}

/* Send the bytes of @fr from @from on, at most @n. There is room. */
static uint32_t send_piece(const struct turn *t, struct flow *f, struct buf *fr,
			   uint32_t from, uint32_t n, enum effect_cause cause)
{
	struct ack_plan plan = ack_plan(t, f, false);
	uint32_t mss = payload_mss(f);
	uint32_t max = t->s->opt.gso ? GSO_MAX / mss * mss : mss;
	uint8_t flags = TCP_ACK;
	struct effect *e;

	if (n > max)
		n = max;
	if (from + n == fr->seq + fr->len)
		flags |= (uint8_t)(fr->flags & TCP_PSH);
	e = effect_tcp(t, f, &plan, cause, flags);
	assert(e && n > 0);
	/* Within what the SUT's window had room for, and what the frame has. */
	assert(seq_le(fr->seq, from) && seq_le(from + n, fr->seq + fr->len));
	e->seq = from;
	e->frame = fr;
	e->off = from - fr->seq;
	e->len = n;
	if ((fr->flags & TCP_URG) && seq_le(from, fr->seq + fr->urg)) {
		e->flags |= TCP_URG;
		e->urg = (uint16_t)(fr->seq + fr->urg - from);
	}
	if (n > mss || (fr->gso != 0 && fr->gso < n))
		e->gso = (uint16_t)(fr->gso != 0 && fr->gso < mss ? fr->gso
								  : mss);
	buf_emit(fr);
	return n;
}

/* Does what goes out now end a request? Where messages end by quiet nobody
 * knows.
 */
static bool ends_request(struct flow *f)
{
	struct exchange *x = f->x.sent;
	bool ends = (f->framing & FRAMING_SPOKE_C);

	for (; x && (x->flags & X_HAVE_C) &&
	       seq_le(x->end[WHO_CLIENT], f->leg.snd_nxt);
	     x = x->next) {
		ends = true;
		x->flags |= X_SENT;
		f->x.sent = x->next;
	}
	return ends;
}

bool shadow_waits_for_production(const struct flow *f)
{
	return f->q.send && stream_has(&f->w.p, STREAM_ON) &&
	       !(f->w.flags & W_PLOST) &&
	       seq_lt(stream_end(&f->w.p), f->q.send->ack);
}

/* It is held back: count it. */
static void hold(const struct turn *t, const struct flow *f, struct buf *fr)
{
	t->s->count.order_held += !(fr->flags & BUF_HELD);
	fr->flags |= BUF_HELD;
	if (!t->s->opt.timing || t->now < fr->now + t->s->opt.delay ||
	    (fr->flags & BUF_LATE) || !shadow_waits_for_production(f))
		return;
	t->s->count.timing_late++;
	fr->flags |= BUF_LATE;
}

void send_data(const struct turn *t, struct flow *f)
{
	struct buf *fr;

	f->leg.shut = false;
	while ((fr = f->q.send)) {
		uint32_t left = fr->seq + fr->len - f->leg.snd_nxt;
		uint32_t edge = f->leg.snd_una + f->leg.snd_wnd;
		uint32_t n = left;

		if (at_hole(f))
			return; /* for the next connection: reopen.c */
		if (!released(t, f, fr)) {
			hold(t, f, fr);
			return;
		}
		if (seq_lt(edge, f->leg.snd_nxt + n))
			n = seq_lt(f->leg.snd_nxt, edge) ? edge - f->leg.snd_nxt
							 : 0;
		/* Silly windows: wait for room unless nothing is out. */
		if (n == 0 || (n < left && n < payload_mss(f) &&
			       f->leg.snd_una != f->leg.snd_nxt)) {
			f->leg.shut = true;
			sent_something(t, f);
			return;
		}
		if (effects_left(t->out) <= 1) {
			more_later(t->s, f);
			return;
		}
		n = send_piece(t, f, fr, f->leg.snd_nxt, n, CAUSE_DATA);
		if (f->leg.rtt_at == 0) {
			f->leg.rtt_at = t->now;
			f->leg.rtt_seq = f->leg.snd_nxt;
		}
		f->leg.snd_nxt += n;
		t->out->e[t->out->n - 1].timed = ends_request(f);
		sent_something(t, f);
		if (f->leg.snd_nxt == fr->seq + fr->len)
			f->q.send = fr->next;
	}
}

void retransmit(const struct turn *t, struct flow *f)
{
	struct buf *fr = f->q.head;
	struct ack_plan plan;
	struct effect *e;

	if (effects_left(t->out) == 0) {
		due_set(t->s, f, DUE_RTO, t->now);
		return;
	}
	f->leg.rtt_at = 0; /* Karn: what is sent twice is not timed */
	if (f->leg.snd_una == snd_seq(f) && f->q.send) {
		/* Nothing is out, and the window is closed: probe it. */
		plan = ack_plan(t, f, false);
		e = effect_tcp(t, f, &plan, CAUSE_ZERO_PROBE, TCP_ACK);
		e->seq = f->leg.snd_una - 1;
		t->s->count.zero_probes++;
	} else if (fr) {
		uint32_t from = seq_lt(fr->seq, f->leg.snd_una) ? f->leg.snd_una
								: fr->seq;
		uint32_t n = fr->seq + fr->len - from;

		if (n > payload_mss(f))
			n = payload_mss(f);
		if (n >
		    f->leg.snd_nxt - from) /* no more than had room before */
			n = f->leg.snd_nxt - from;
		send_piece(t, f, fr, from, n, CAUSE_DATA_AGAIN);
		t->s->count.retransmits++;
		f->leg.recover = f->leg.snd_nxt;
		f->leg.flags |= L_RECOVER;
	} else if (f->leg.snd_una != snd_seq(f)) {
		plan = ack_plan(t, f, false);
		e = effect_tcp(t, f, &plan, CAUSE_FIN_AGAIN, TCP_FIN | TCP_ACK);
		e->seq = f->w.c.fin;
		t->s->count.retransmits++;
	} else {
		f->leg.tries = 0;
		return; /* everything is acked: nothing to repair */
	}
	due_set(t->s, f, DUE_RTO, t->now + rto_of(f));
}

/* The SUT has acked what was captured at @since. */
static void note_lag(const struct turn *t, const struct flow *f, uint64_t since)
{
	struct target *sut = &t->s->target[f->sut];

	sut->lag = t->now - since;
	sut->lag_at = t->now;
}

/* Free the frames that the SUT has acked. */
static void queue_free(const struct turn *t, struct flow *f)
{
	struct buf *fr;

	while ((fr = f->q.head) && fr != f->q.send &&
	       seq_le(fr->seq + fr->len, f->leg.snd_una)) {
		bool keep = kept_add(t->s, f, fr);

		note_lag(t, f, fr->now);
		if (!keep)
			kept_drop(t->s, f);
		f->q.head = fr->next;
		f->q.bytes -= buf_block(fr->len);
		if (keep)
			continue;
		if (!f->q.head)
			f->q.tail = NULL;
		buf_clear(t->s->pool, fr, BUF_QUEUE);
	}
}

void deliver(const struct turn *t, struct flow *f)
{
	struct exchange *x = f->x.deliver;

	while (x && (x->flags & X_HAVE_C) &&
	       seq_le(x->end[WHO_CLIENT], f->leg.snd_una)) {
		x->flags |= X_DELIVERED;
		t->s->count.requests_delivered++;
		if (x->flags & X_P_ACKED)
			hist_add(&t->s->behind,
				 t->now > x->p_acked ? t->now - x->p_acked : 0);
		x = x->next;
		f->x.deliver = x;
	}
}

static void acked_forward(const struct turn *t, struct flow *f, uint32_t ack)
{
	uint32_t end = snd_seq(f);

	assert(seq_lt(f->leg.snd_una, ack) && seq_le(ack, end));
	f->leg.snd_una = ack;
	f->leg.tries = 0;
	f->leg.dupacks = 0;
	if (f->leg.rtt_at != 0 && seq_lt(f->leg.rtt_seq, ack)) {
		rtt_sample(f, t->now - f->leg.rtt_at);
		f->leg.rtt_at = 0;
	}
	if (stream_has(&f->w.c, STREAM_FIN) && ack == f->w.c.fin + 1)
		f->leg.ev |= EV_S_ACKFIN;
	queue_free(t, f);
	deliver(t, f);
	if (ack == end) /* what is held back is not out */
		due_clear(f, DUE_RTO);
	else
		due_set(t->s, f, DUE_RTO, t->now + rto_of(f));
	if (f->leg.flags & L_RECOVER) {
		if (seq_le(f->leg.recover, ack))
			f->leg.flags &= ~(uint32_t)L_RECOVER;
		else
			retransmit(t, f);
	}
}

void sut_acked(const struct turn *t, struct flow *f, const struct segment *seg)
{
	uint32_t end = snd_seq(f);
	/* In a SYN it is never scaled (RFC 7323 section 2.2). */
	bool scaled = (f->leg.flags & L_WSCALE) && !(seg->flags & TCP_SYN);
	uint32_t wnd = (uint32_t)seg->win << (scaled ? f->leg.sut_wscale : 0);

	if (seq_lt(end, seg->ack) || seq_lt(seg->ack, f->leg.snd_una))
		return;
	if (seq_lt(f->leg.snd_una, seg->ack)) {
		f->leg.snd_wnd = wnd;
		acked_forward(t, f, seg->ack);
		return;
	}
	if (seg->len == 0 && wnd == f->leg.snd_wnd && f->leg.snd_una != end &&
	    !(seg->flags & TCP_FIN)) {
		if (f->leg.dupacks < DUPACKS && ++f->leg.dupacks == DUPACKS &&
		    !(f->leg.flags & L_RECOVER)) {
			t->s->count.fast_retransmits++;
			retransmit(t, f);
		}
	} else if (f->leg.snd_wnd == 0 && wnd == 0) {
		f->leg.tries = 0; /* it answers our probes: it is alive */
	}
	f->leg.snd_wnd = wnd;
}
