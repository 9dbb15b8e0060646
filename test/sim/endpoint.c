/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endpoint.c - A model of one end of a TCP connection
 *
 * Theory of operation
 *
 * RFC 9293's endpoint as far as hosts use it: SYN with options, acceptability,
 * windows that never shrink, delayed acks, Nagle's algorithm, silly windows,
 * zero-window probes, keepalives, half-close, RST with challenge acks (RFC 5961),
 * TIME-WAIT. Loss is repaired by RFC 6298's timer (go back, skipping what was
 * SACKed, RFC 2018) and fast retransmit with partial acks (RFC 5681, 6582), under
 * a congestion window. Timestamps by RFC 7323 with PAWS.
 *
 * Streams are kept whole: what was written in tx, what has come in order in rx.
 * So every byte can be held against what the other end wrote, however late.
 * Segments are cut as the configuration says: at the MSS, at random, or into
 * super-frames of several MSS, and again in other places when they are repeated.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define NEVER	    UINT64_MAX
#define RTO_FIRST   (1 * NS_PER_SEC)
#define RTO_LEAST   (200 * NS_PER_MS)
#define RTO_MOST    (10 * NS_PER_SEC)
#define TRIES_MAX   10
#define FIN_WAIT    (20 * NS_PER_SEC)
#define TIME_WAIT_C (400 * NS_PER_MS) /* clients use their ports again */
#define TIME_WAIT_S (60 * NS_PER_SEC)
#define SUPER_MAX   60000u
#define KEEPS_MAX   3  /* keepalives without an answer */
#define KEEPS_LOSSY 12 /* where wires lose */
#define SCALE_MAX   14 /* RFC 7323 section 2.3: more than that count as this */

static uint32_t data_end(const struct tcp *t)
{
	return t->iss + 1 + t->tx.len;
}

static uint32_t window(const struct tcp *t)
{
	uint32_t used = t->rx.len - t->read;
	uint32_t room = t->cfg.rcvbuf > used ? t->cfg.rcvbuf - used : 0;
	uint32_t told =
		seq_lt(t->rcv_nxt, t->rcv_edge) ? t->rcv_edge - t->rcv_nxt : 0;
	uint32_t top = 65535u << t->rcv_scale;

	/* Silly windows (RFC 9293 section 3.8.6.2.2); never less than told. */
	if (room < told + t->cfg.mss && room < told + t->cfg.rcvbuf / 2)
		room = told;
	return room < top ? room : top;
}

static uint8_t scale_of(uint8_t option)
{
	return option < SCALE_MAX ? option : SCALE_MAX;
}

static void arm(struct tcp *t)
{
	uint64_t when[] = { t->rto_at, t->delack_at, t->persist_at, t->keep_at,
			    t->wait_at };
	uint64_t first = NEVER;

	for (unsigned i = 0; i < sizeof(when) / sizeof(when[0]); i++)
		if (when[i] != 0 && when[i] < first)
			first = when[i];
	if (first == NEVER || (t->armed != 0 && t->armed <= first))
		return;
	t->armed = first;
	sim_at(t->sim, first, EV_TIMER, t);
}

static void put_sacks(struct tcp *t, struct pkt *p)
{
	unsigned max = p->has & HAS_TS ? 3 : SACKS;

	if (!t->sack || t->early.n == 0 || (p->flags & FL_SYN) != 0)
		return;
	for (unsigned i = 0; i < t->early.n && i < max; i++)
		p->sack[p->sacks++] =
			(struct iv){ t->irs + 1 + t->early.v[i].from,
				     t->irs + 1 + t->early.v[i].to };
}

/* Send @n bytes from @seq on. */
static void send(struct tcp *t, uint8_t flags, uint32_t seq, uint32_t n)
{
	struct pkt *p = pkt_new(n);
	uint32_t win = window(t);
	bool syn = (flags & FL_SYN) != 0;

	p->flags = flags;
	p->seq = seq;
	if (n > 0)
		memcpy(p->data, t->tx.p + (seq - t->iss - 1), n);
	if (n > t->mss)
		p->gso = t->mss;
	if (syn) {
		p->has = t->cfg.has;
		p->mss = t->cfg.mss;
		p->wscale = t->cfg.wscale;
		if ((flags & FL_ACK) != 0) {
			p->has = (uint8_t)((t->ts ? HAS_TS : 0) |
					   (t->sack ? HAS_SACK_OK : 0) |
					   HAS_MSS |
					   (t->rcv_scale | t->snd_scale
						    ? HAS_WSCALE
						    : 0));
			p->wscale = t->cfg.wscale;
		}
		win = win > 65535 ? 65535 : win;
	} else {
		win = (win + (1u << t->rcv_scale) - 1) >> t->rcv_scale;
		win = win > 65535 ? 65535 : win;
		p->has = t->ts ? HAS_TS : 0;
	}
	p->win = (uint16_t)win;
	p->tsval = t->ts_base + (uint32_t)(t->sim->now / NS_PER_MS);
	if ((flags & FL_ACK) != 0) {
		uint32_t edge = t->rcv_nxt + (win << (syn ? 0 : t->rcv_scale));

		p->ack = t->rcv_nxt;
		p->tsecr = t->ts_recent;
		t->last_ack = t->rcv_nxt;
		if (seq_lt(t->rcv_edge, edge))
			t->rcv_edge = edge;
		t->unacked = 0;
		t->delack_at = 0;
		t->ack_now = false;
		put_sacks(t, p);
	}
	if (t->cfg.keepalive != 0 && (flags & FL_RST) == 0)
		t->keep_at = t->sim->now + t->cfg.keepalive;
	net_send(t, p);
}

static void gone(struct tcp *t)
{
	t->state = TCP_CLOSED;
	t->rto_at = t->delack_at = t->persist_at = 0;
	t->keep_at = t->wait_at = 0;
}

static uint64_t rto(const struct tcp *t)
{
	uint64_t r = t->srtt == 0 ? RTO_FIRST : t->srtt + 4 * t->rttvar;

	r = r < RTO_LEAST ? RTO_LEAST : r;
	r <<= t->tries < 6 ? t->tries : 6;
	return r < RTO_MOST ? r : RTO_MOST;
}

static void rtt_take(struct tcp *t, uint64_t ns)
{
	uint64_t d = t->srtt > ns ? t->srtt - ns : ns - t->srtt;

	if (t->srtt == 0) {
		t->srtt = ns;
		t->rttvar = ns / 2;
		return;
	}
	t->rttvar = (3 * t->rttvar + d) / 4;
	t->srtt = (7 * t->srtt + ns) / 8;
}

static void sent(struct tcp *t, uint32_t seq, uint32_t n)
{
	if (t->rtt_at == 0 && seq == t->max) {
		t->rtt_at = t->sim->now;
		t->rtt_seq = seq;
	}
	if (seq_lt(t->max, seq + n))
		t->max = seq + n;
	if (t->rto_at == 0)
		t->rto_at = t->sim->now + rto(t);
	t->persist_at = 0;
}

/* How much of what may be sent from nxt on goes into the next frame. */
static uint32_t cut(struct tcp *t, uint32_t left, uint32_t room)
{
	uint32_t n = left < room ? left : room;
	uint32_t top = (uint32_t)t->mss * t->cfg.tso;

	top = top > SUPER_MAX ? SUPER_MAX / t->mss * t->mss : top;
	for (uint32_t i = 0; i < t->sacked.n; i++) {
		uint32_t at = t->iss + 1 + t->sacked.v[i].from;

		if (seq_lt(t->nxt, at) && at - t->nxt < n)
			n = at - t->nxt;
	}
	n = n < top ? n : top;
	if (t->cfg.cut && n > 1 && chance(t->sim, 20000))
		n = 1 + rng_below(&t->sim->wire_rng, n);
	if (n > t->mss && n < left)
		n = n / t->mss * t->mss;
	return n;
}

static void skip_sacked(struct tcp *t)
{
	for (uint32_t i = 0; i < t->sacked.n; i++) {
		uint32_t from = t->iss + 1 + t->sacked.v[i].from;
		uint32_t to = t->iss + 1 + t->sacked.v[i].to;

		if (seq_le(from, t->nxt) && seq_lt(t->nxt, to))
			t->nxt = to;
	}
}

/* One frame of data. Return: false if none may go now */
static bool send_some(struct tcp *t)
{
	uint32_t end = data_end(t);
	uint32_t may = t->cwnd < t->wnd ? t->cwnd : t->wnd;
	uint32_t edge = t->una + may;
	uint32_t left = end - t->nxt;
	uint32_t room = seq_lt(t->nxt, edge) ? edge - t->nxt : 0;
	uint32_t n = cut(t, left, room);
	uint8_t flags = FL_ACK;

	if (n == 0 || (n < left && n < t->mss && room < t->mss &&
		       t->una != t->max && t->nxt == t->max)) {
		if (t->una == t->max && t->persist_at == 0)
			t->persist_at = t->sim->now + rto(t);
		return false;
	}
	if (t->cfg.nagle && n < t->mss && n == left && t->nxt == t->max &&
	    t->una != t->max && !t->fin_queued)
		return false;
	if (n == left)
		flags |= FL_PSH;
	if (n == left && t->fin_queued && t->cfg.fin_rides)
		flags |= FL_FIN;
	send(t, flags, t->nxt, n);
	n += (flags & FL_FIN) != 0;
	sent(t, t->nxt, n);
	t->nxt += n;
	return true;
}

static void output(struct tcp *t)
{
	while (t->state == TCP_OPEN) {
		skip_sacked(t);
		if (seq_lt(t->nxt, data_end(t))) {
			if (!send_some(t))
				break;
		} else if (t->fin_queued && t->nxt == data_end(t)) {
			send(t, FL_FIN | FL_ACK, t->nxt, 0);
			sent(t, t->nxt, 1);
			t->nxt++;
		} else {
			break;
		}
	}
	if (t->state != TCP_CLOSED)
		arm(t);
}

/* The first segment that is not acked, again. */
static void repeat(struct tcp *t)
{
	uint32_t keep = t->nxt;
	uint32_t cwnd = t->cwnd;

	t->rtt_at = 0;
	t->nxt = t->una;
	t->cwnd = t->mss;
	if (t->nxt != data_end(t)) {
		send_some(t);
	} else if (t->fin_queued) {
		send(t, FL_FIN | FL_ACK, t->nxt, 0);
		t->nxt++;
	}
	t->cwnd = cwnd;
	if (seq_lt(t->nxt, keep))
		t->nxt = keep;
}

/* Opened: what both offered is used. */
static void agree(struct tcp *t, const struct pkt *p)
{
	uint8_t both = t->cfg.has & p->has;
	uint16_t mss = p->has & HAS_MSS ? p->mss : t->sim->v6 ? 1220 : 536;

	t->irs = p->seq;
	t->rcv_nxt = p->seq + 1;
	t->rcv_edge = t->rcv_nxt;
	t->mss = mss < t->cfg.mss ? mss : t->cfg.mss;
	t->ts = (both & HAS_TS) != 0;
	t->sack = (both & HAS_SACK_OK) != 0;
	if (both & HAS_WSCALE) {
		t->snd_scale = scale_of(p->wscale);
		t->rcv_scale = scale_of(t->cfg.wscale);
	}
	if (t->ts) {
		t->ts_recent = p->tsval;
		t->mss = (uint16_t)(t->mss - 12);
	}
	t->wnd = p->win; /* never scaled in a SYN */
	t->wl1 = p->seq;
	t->wl2 = p->ack;
	t->cwnd = 10u * t->mss;
	t->ssthresh = 1u << 30;
}

static void begin(struct tcp *t, uint32_t iss)
{
	t->iss = iss;
	t->una = iss;
	t->nxt = iss + 1;
	t->max = iss + 1;
	t->ts_base = iss ^ 0x5bd1e995u;
	t->mss = t->cfg.mss;
}

void tcp_connect(struct tcp *t, uint32_t iss)
{
	begin(t, iss);
	t->state = TCP_SYN_SENT;
	send(t, FL_SYN, iss, 0);
	t->rtt_at = t->sim->now;
	t->rtt_seq = iss;
	t->rto_at = t->sim->now + rto(t);
	arm(t);
}

void tcp_accept(struct tcp *t, uint32_t iss, const struct pkt *syn)
{
	begin(t, iss);
	agree(t, syn);
	t->state = TCP_SYN_RCVD;
	send(t, FL_SYN | FL_ACK, iss, 0);
	t->rto_at = t->sim->now + rto(t);
	arm(t);
}

static void wake(struct tcp *t)
{
	if (t->side == SIDE_CLIENT)
		app_client(t->conn);
	else if (t->side == SIDE_PROD)
		app_prod(t->conn);
	else
		app_sut(t->leg);
}

static void reset(struct tcp *t)
{
	t->was_reset = true;
	gone(t);
	wake(t);
}

static void refuse(struct tcp *t, const struct pkt *p)
{
	struct pkt *r;

	if (p->flags & FL_RST)
		return;
	r = pkt_new(0);
	r->flags = FL_RST;
	if (p->flags & FL_ACK) {
		r->seq = p->ack;
	} else {
		r->flags |= FL_ACK;
		r->ack = p->seq + p->len + ((p->flags & FL_SYN) != 0) +
			 ((p->flags & FL_FIN) != 0);
	}
	net_send(t, r);
}

/* --- acks --- */

static void grow(struct tcp *t, uint32_t n)
{
	if (t->cwnd < t->ssthresh)
		t->cwnd += n < 2u * t->mss ? n : 2u * t->mss;
	else
		t->cwnd += (uint32_t)t->mss * t->mss / t->cwnd + 1;
	if (t->cwnd > 1u << 24)
		t->cwnd = 1u << 24;
}

static void halve(struct tcp *t)
{
	uint32_t out = t->max - t->una;

	t->ssthresh = out / 2 > 2u * t->mss ? out / 2 : 2u * t->mss;
}

static void acked(struct tcp *t, uint32_t ack)
{
	uint32_t n = ack - t->una;

	if (t->rtt_at != 0 && seq_lt(t->rtt_seq, ack)) {
		rtt_take(t, t->sim->now - t->rtt_at);
		t->rtt_at = 0;
	}
	t->una = ack;
	t->tries = 0;
	t->dupacks = 0;
	if (seq_lt(t->nxt, ack))
		t->nxt = ack;
	ivs_cut(&t->sacked, ack - t->iss - 1);
	if (t->fin_queued && ack == data_end(t) + 1)
		t->fin_acked = true;
	t->rto_at = t->una == t->max ? 0 : t->sim->now + rto(t);
	if (!t->recovering) {
		grow(t, n);
	} else if (seq_le(t->recover, ack)) {
		t->recovering = false;
		t->cwnd = t->ssthresh;
	} else {
		repeat(t);
	}
}

static void take_sacks(struct tcp *t, const struct pkt *p)
{
	for (unsigned i = 0; t->sack && i < p->sacks; i++) {
		uint32_t from = p->sack[i].from;
		uint32_t to = p->sack[i].to;

		if (seq_lt(t->una, from) && seq_lt(from, to) &&
		    seq_le(to, t->max) && seq_le(to, data_end(t)))
			ivs_add(&t->sacked, from - t->iss - 1, to - t->iss - 1);
	}
}

static void take_ack(struct tcp *t, const struct pkt *p)
{
	uint32_t wnd = (uint32_t)p->win
		       << (p->flags & FL_SYN ? 0 : t->snd_scale);

	if (seq_lt(t->max, p->ack)) {
		t->ack_now = true;
		return;
	}
	take_sacks(t, p);
	if (seq_lt(t->una, p->ack)) {
		acked(t, p->ack);
	} else if (p->ack == t->una && p->len == 0 && wnd == t->wnd &&
		   t->una != t->max && (p->flags & FL_FIN) == 0) {
		if (++t->dupacks == 3 && !t->recovering) {
			halve(t);
			t->recovering = true;
			t->recover = t->max;
			t->cwnd = t->ssthresh + 3u * t->mss;
			repeat(t);
		}
	}
	if (seq_lt(p->ack, t->una))
		return;
	if (seq_lt(t->wl1, p->seq) ||
	    (t->wl1 == p->seq && seq_le(t->wl2, p->ack))) {
		if (t->wnd == 0 && wnd == 0)
			t->tries = 0; /* it answers: it is alive */
		t->wnd = wnd;
		t->wl1 = p->seq;
		t->wl2 = p->ack;
		if (wnd > 0)
			t->persist_at = 0;
	}
}

/* --- data --- */

static void take_data(struct tcp *t, const struct pkt *p)
{
	uint32_t at = p->seq - t->irs - 1;
	uint32_t from = 0;
	uint32_t n = p->len;
	uint32_t front;

	if (seq_lt(p->seq, t->rcv_nxt))
		from = t->rcv_nxt - p->seq;
	if (from > n)
		from = n;
	if (seq_lt(t->rcv_edge, p->seq + n))
		n = t->rcv_edge - p->seq;
	if (from >= n) {
		if (p->len > 0)
			t->ack_now = true;
		return;
	}
	if (!ivs_add(&t->early, at + from, at + n)) {
		t->ack_now = true;
		return;
	}
	buf_put(&t->rx, at + from, p->data + from, n - from);
	front = t->early.v[0].from == t->rx.len ? t->early.v[0].to : t->rx.len;
	if (front == t->rx.len || t->early.n > 1)
		t->ack_now = true;
	if (front > t->rx.len) {
		if (t->side == SIDE_SUT)
			check_bytes(t->leg, t->rx.len, t->rx.p + t->rx.len,
				    front - t->rx.len);
		t->rcv_nxt += front - t->rx.len;
		t->rx.len = front;
		ivs_cut(&t->early, front);
	}
	t->unacked = (uint8_t)(t->unacked + 1 + (p->len > t->mss));
	if (t->unacked >= 2)
		t->ack_now = true;
}

static bool acceptable(const struct tcp *t, const struct pkt *p)
{
	uint32_t n = p->len + ((p->flags & FL_FIN) != 0);
	uint32_t wnd = t->rcv_edge - t->rcv_nxt;

	if (n == 0 && wnd == 0)
		return p->seq == t->rcv_nxt;
	if (n == 0)
		return p->seq - t->rcv_nxt < wnd;
	if (wnd == 0)
		return false;
	return p->seq - t->rcv_nxt < wnd || p->seq + n - 1 - t->rcv_nxt < wnd ||
	       (seq_lt(p->seq, t->rcv_nxt) && seq_lt(t->rcv_nxt, p->seq + n));
}

static void ended(struct tcp *t)
{
	if (!t->fin_acked || !t->fin_rcvd || t->state != TCP_OPEN)
		return;
	t->state = TCP_TIME_WAIT;
	t->rto_at = t->persist_at = t->keep_at = 0;
	t->wait_at = t->sim->now +
		     (t->side == SIDE_CLIENT ? TIME_WAIT_C : TIME_WAIT_S);
}

static void take_syn_sent(struct tcp *t, const struct pkt *p)
{
	if ((p->flags & FL_ACK) != 0 && p->ack != t->iss + 1) {
		refuse(t, p);
		return;
	}
	if (p->flags & FL_RST) {
		if (p->flags & FL_ACK)
			reset(t);
		return;
	}
	if ((p->flags & (FL_SYN | FL_ACK)) != (FL_SYN | FL_ACK))
		return;
	agree(t, p);
	t->una = p->ack;
	t->tries = 0;
	t->rto_at = 0;
	t->rtt_at = 0;
	t->state = TCP_OPEN;
	t->ack_now = true;
}

static bool take_rst(struct tcp *t, const struct pkt *p)
{
	if ((p->flags & FL_RST) == 0)
		return false;
	if (p->seq == t->rcv_nxt)
		reset(t);
	else if (p->seq - t->rcv_nxt < t->rcv_edge - t->rcv_nxt)
		t->ack_now = true; /* a challenge */
	return true;
}

static void take_fin(struct tcp *t, const struct pkt *p)
{
	if ((p->flags & FL_FIN) != 0) {
		t->fin_seen = true;
		t->fin_at = p->seq + p->len;
	}
	if (!t->fin_seen || t->fin_rcvd || t->rcv_nxt != t->fin_at)
		return;
	t->fin_rcvd = true;
	t->rcv_nxt++;
	if (seq_lt(t->rcv_edge, t->rcv_nxt))
		t->rcv_edge = t->rcv_nxt;
	t->ack_now = true;
}

/* Acceptable, with ACK and without SYN or RST. */
static void take_segment(struct tcp *t, const struct pkt *p)
{
	if (t->state == TCP_SYN_RCVD) {
		if (p->ack != t->iss + 1 && seq_lt(t->max, p->ack)) {
			refuse(t, p);
			return;
		}
		if (!seq_lt(t->una, p->ack))
			return;
		t->state = TCP_OPEN;
	}
	if (t->ts && (p->has & HAS_TS) != 0 && seq_le(p->seq, t->last_ack) &&
	    seq_le(t->ts_recent, p->tsval))
		t->ts_recent = p->tsval;
	take_ack(t, p);
	/* Data for an application that is gone (RFC 9293 section 3.6.1). */
	if (t->closed && p->len > 0 && !t->fin_rcvd &&
	    seq_lt(t->rcv_nxt, p->seq + p->len)) {
		tcp_abort(t);
		return;
	}
	if (!t->fin_rcvd)
		take_data(t, p);
	else if (p->len > 0 || (p->flags & FL_FIN) != 0)
		t->ack_now = true;
	take_fin(t, p);
}

void tcp_input(struct tcp *t, const struct pkt *p)
{
	t->keeps = 0;
	if (t->state == TCP_CLOSED) {
		refuse(t, p);
		return;
	}
	if (t->state == TCP_SYN_SENT) {
		take_syn_sent(t, p);
	} else if (t->ts && (p->has & HAS_TS) != 0 &&
		   (p->flags & FL_RST) == 0 && seq_lt(p->tsval, t->ts_recent)) {
		t->ack_now = true; /* PAWS */
	} else if (!acceptable(t, p)) {
		if ((p->flags & FL_RST) == 0)
			t->ack_now = true;
		/* Its ack counts where the window is closed (section 3.8.6.1)
		 */
		if ((p->flags & (FL_ACK | FL_RST | FL_SYN)) == FL_ACK &&
		    t->state == TCP_OPEN && seq_le(p->ack, t->max))
			take_ack(t, p);
	} else if (take_rst(t, p)) {
		if (t->state == TCP_CLOSED)
			return;
	} else if (p->flags & FL_SYN) {
		t->ack_now = true; /* a challenge */
	} else if (p->flags & FL_ACK) {
		take_segment(t, p);
	}
	if (t->state == TCP_CLOSED)
		return;
	ended(t);
	if (t->state != TCP_TIME_WAIT || t->ack_now)
		wake(t);
	if (t->state == TCP_CLOSED)
		return;
	output(t);
	if (t->state == TCP_CLOSED)
		return;
	if (t->ack_now)
		send(t, FL_ACK, t->max, 0);
	else if (t->unacked > 0 && t->delack_at == 0)
		t->delack_at = t->sim->now + t->cfg.delack;
	if (t->keep_at != 0)
		t->keep_at = t->sim->now + t->cfg.keepalive;
	arm(t);
}

/* --- timers --- */

static bool due(struct tcp *t, uint64_t *at)
{
	if (*at == 0 || *at > t->sim->now)
		return false;
	*at = 0;
	return true;
}

/* A probe's byte that was lost goes again, whatever the window (RFC 9293 section
 * 3.8.6.1): else both sides would wait for ever.
 */
static void again_into_zero(struct tcp *t)
{
	if (t->state != TCP_OPEN || t->wnd != 0 || t->nxt != t->una ||
	    t->una == data_end(t))
		return;
	send(t, FL_ACK, t->una, 1);
	t->nxt++;
}

static void timed_rto(struct tcp *t)
{
	if (++t->tries > TRIES_MAX) {
		t->timed_out = true;
		gone(t);
		wake(t);
		return;
	}
	t->rtt_at = 0;
	if (t->state == TCP_SYN_SENT) {
		send(t, FL_SYN, t->iss, 0);
	} else if (t->state == TCP_SYN_RCVD) {
		send(t, FL_SYN | FL_ACK, t->iss, 0);
	} else if (t->una != t->max) {
		halve(t);
		t->cwnd = t->mss;
		t->recovering = false;
		t->dupacks = 0;
		t->sacked.n = t->tries > 2 ? 0 : t->sacked.n;
		t->nxt = t->una;
		output(t);
		again_into_zero(t);
	} else {
		return;
	}
	t->rto_at = t->sim->now + rto(t);
}

static void timed_persist(struct tcp *t)
{
	if (t->wnd != 0 || t->una != t->max || !seq_lt(t->nxt, data_end(t))) {
		if (t->state == TCP_OPEN && t->una == t->max)
			output(t);
		return;
	}
	if (++t->tries > 30) {
		t->timed_out = true;
		gone(t);
		wake(t);
		return;
	}
	if (t->cfg.probe_byte)
		send(t, FL_ACK, t->nxt, 1);
	else
		send(t, FL_ACK, t->una - 1, 0);
	if (t->cfg.probe_byte) {
		t->nxt++;
		if (seq_lt(t->max, t->nxt))
			t->max = t->nxt;
		t->rto_at = t->sim->now + rto(t);
		return;
	}
	t->persist_at = t->sim->now + rto(t);
}

/* Nobody answers: the peer is gone (RFC 9293 section 3.8.4). */
static void timed_keep(struct tcp *t)
{
	bool lossy = t->sim->profile->net && !sim_is_healed(t->sim);

	t->keep_at = t->sim->now + t->cfg.keepalive;
	if (t->state != TCP_OPEN || t->una != t->max)
		return;
	if (t->keeps++ == (lossy ? KEEPS_LOSSY : KEEPS_MAX)) {
		t->timed_out = true;
		tcp_abort(t);
		wake(t);
		return;
	}
	send(t, FL_ACK, t->max - 1, 0);
}

void tcp_due(struct tcp *t)
{
	if (t->armed > t->sim->now)
		return; /* an older event: a newer one is planned */
	t->armed = 0;
	if (t->state == TCP_CLOSED)
		return;
	if (due(t, &t->wait_at)) {
		gone(t);
		wake(t);
		return;
	}
	if (due(t, &t->delack_at))
		send(t, FL_ACK, t->max, 0);
	if (due(t, &t->rto_at))
		timed_rto(t);
	if (t->state != TCP_CLOSED && due(t, &t->persist_at))
		timed_persist(t);
	if (t->state != TCP_CLOSED && due(t, &t->keep_at))
		timed_keep(t);
	if (t->state != TCP_CLOSED)
		arm(t);
}

/* --- the application's side --- */

uint32_t tcp_unread(const struct tcp *t)
{
	return t->rx.len - t->read;
}

void tcp_write(struct tcp *t, const void *p, uint32_t n)
{
	if (t->fin_queued || t->state == TCP_CLOSED)
		return;
	buf_put(&t->tx, t->tx.len, p, n);
	t->tx.len += n;
	output(t);
}

void tcp_read(struct tcp *t, uint32_t n)
{
	uint32_t was =
		seq_lt(t->rcv_nxt, t->rcv_edge) ? t->rcv_edge - t->rcv_nxt : 0;
	uint32_t all = tcp_unread(t);

	t->read += n < all ? n : all;
	if (t->state != TCP_OPEN || t->fin_rcvd)
		return;
	if (window(t) >= was + 2u * t->cfg.mss ||
	    window(t) >= was + t->cfg.rcvbuf / 2) {
		send(t, FL_ACK, t->max, 0);
		arm(t);
	}
}

void tcp_shutdown(struct tcp *t)
{
	if (t->fin_queued || t->state == TCP_CLOSED)
		return;
	t->fin_queued = true;
	output(t);
}

void tcp_close(struct tcp *t)
{
	if (t->closed || t->state == TCP_CLOSED)
		return;
	if (t->state == TCP_SYN_SENT) {
		gone(t);
		return;
	}
	/* Unread bytes are a reset (RFC 2525 section 2.17). */
	if (tcp_unread(t) > 0 && !(t->fin_queued && t->fin_acked)) {
		tcp_abort(t);
		return;
	}
	t->closed = true;
	if (t->state == TCP_OPEN && t->wait_at == 0)
		t->wait_at = t->sim->now + FIN_WAIT;
	tcp_shutdown(t);
	if (t->state != TCP_CLOSED)
		arm(t);
}

void tcp_abort(struct tcp *t)
{
	if (t->state == TCP_CLOSED)
		return;
	if (t->state != TCP_SYN_SENT && t->state != TCP_TIME_WAIT)
		send(t, FL_RST | FL_ACK, t->max, 0);
	t->was_reset = true;
	gone(t);
}

void tcp_free(struct tcp *t)
{
	free(t->tx.p);
	free(t->rx.p);
	t->tx.p = NULL;
	t->rx.p = NULL;
}
