/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc.c - Congestion control of the connections inside
 *
 * Theory of operation
 *
 * CUBIC (RFC 9438) with HyStart's delay part (RFC 9406 without its conservative
 * phase), as Linux has it. BBR: version 1 (startup, drain, eight phases of bandwidth,
 * a probe of the round trip each ten seconds), paced. Old: slow start and congestion
 * avoidance (RFC 5681), with a recovery that halves.
 */
#include <math.h>

#include "sim.h"

#define CUBIC_C	    0.4
#define CUBIC_BETA  0.7
#define HYSTART_LOW 16.0
#define HYSTART_N   8u
#define BBR_HIGH    2.885
#define BBR_ROUNDS  10

enum { STARTUP, DRAIN, PROBE };

void cc_open(struct tcp *t, uint64_t rtt)
{
	t->b.gain = BBR_HIGH;
	t->b.min_at = rtt;
	t->h_min = UINT64_MAX;
}

static double bandwidth(const struct tcp *t)
{
	if (t->b.qn > 0)
		return t->b.q[0].bw;
	return 10.0 * t->mss / 0.1;
}

uint64_t cc_may_send(const struct tcp *t)
{
	return t->cc == CC_BBR ? t->b.next_send : 0;
}

void cc_sent(struct tcp *t, struct seg *s, uint64_t now)
{
	struct bbr *b = &t->b;
	double rate;

	if (t->cc != CC_BBR)
		return;
	if (t->inflight == 0) {
		b->first_at = now;
		b->delivered_at = now;
	}
	s->delivered = b->delivered;
	s->delivered_at = b->delivered_at;
	s->first_at = b->first_at;
	rate = b->gain * bandwidth(t);
	if (b->next_send < now)
		b->next_send = now;
	b->next_send += (uint64_t)((t->mss + 60) * 1e9 / (rate > 1 ? rate : 1));
}

static void bbr_sample(struct tcp *t, double bw)
{
	struct bbr *b = &t->b;
	uint32_t old = 0;

	while (b->qn > 0 && b->q[b->qn - 1].bw <= bw)
		b->qn--;
	if (b->qn == 64)
		b->qn--;
	b->q[b->qn].bw = bw;
	b->q[b->qn++].round = b->round;
	while (old + 1 < b->qn && b->q[old].round + BBR_ROUNDS < b->round)
		old++;
	b->qn -= old;
	for (uint32_t i = 0; i < b->qn && old > 0; i++)
		b->q[i] = b->q[i + old];
}

void cc_delivered(struct tcp *t, const struct seg *s, uint64_t rtt,
		  uint64_t now)
{
	struct bbr *b = &t->b;
	uint64_t send, ack, span;

	(void)rtt;
	if (t->cc != CC_BBR)
		return;
	b->delivered += t->mss;
	if (s->delivered >= b->round_end) {
		b->round++;
		b->round_end = b->delivered;
		if (b->mode == STARTUP) {
			if (bandwidth(t) >= b->full * 1.25) {
				b->full = bandwidth(t);
				b->same = 0;
			} else if (++b->same >= 3) {
				b->mode = DRAIN;
			}
		}
	}
	send = s->sent - s->first_at;
	ack = now - s->delivered_at;
	span = send > ack ? send : ack;
	if (span >= t->min_rtt && span > 0)
		bbr_sample(t, (double)(b->delivered - s->delivered) * 1e9 /
				      (double)span);
	if (s->sent > b->first_at)
		b->first_at = s->sent;
	b->delivered_at = now;
}

/* The probe of the round trip. Return: whether it is on */
static bool bbr_probe_rtt(struct tcp *t, uint64_t rtt, uint64_t now)
{
	struct bbr *b = &t->b;

	if (rtt <= t->min_rtt) {
		t->min_rtt = rtt;
		b->min_at = now;
	}
	if (!b->probing && now - b->min_at > 10 * SEC) {
		b->probing = true;
		b->probe_min = UINT64_MAX;
		b->probe_end = 0;
	}
	if (!b->probing)
		return false;
	if (rtt < b->probe_min)
		b->probe_min = rtt;
	if (b->probe_end == 0 && t->inflight <= 4)
		b->probe_end = now + (rtt > 200 * MS ? rtt : 200 * MS);
	if (b->probe_end != 0 && now > b->probe_end) {
		b->probing = false;
		t->min_rtt = b->probe_min;
		b->min_at = now;
		b->phase_at = now;
		return false;
	}
	b->gain = 1;
	t->cwnd = 4;
	return true;
}

static void bbr(struct tcp *t, uint32_t n, uint64_t rtt, uint64_t now)
{
	static const double gains[8] = { 1.25, 0.75, 1, 1, 1, 1, 1, 1 };
	struct bbr *b = &t->b;
	double bdp, gain = 2, most;

	if (bbr_probe_rtt(t, rtt, now))
		return;
	bdp = bandwidth(t) * (double)t->min_rtt / 1e9 / t->mss;
	if (b->mode == STARTUP) {
		b->gain = BBR_HIGH;
		gain = BBR_HIGH;
	} else if (b->mode == DRAIN) {
		b->gain = 1 / BBR_HIGH;
		gain = BBR_HIGH;
		if (t->inflight <= bdp + 3) {
			b->mode = PROBE;
			b->phase = 1 + (int)rng_below(&t->rng, 7);
			b->phase_at = now;
		}
	}
	if (b->mode == PROBE) {
		if (now - b->phase_at > t->min_rtt) {
			b->phase = (b->phase + 1) % 8;
			b->phase_at = now;
		}
		b->gain = gains[b->phase];
	}
	most = gain * bdp + 3;
	if (most < 4)
		most = 4;
	t->cwnd += n;
	if (b->mode != STARTUP && t->cwnd > most)
		t->cwnd = most;
	else if (b->mode == STARTUP && b->qn > 0 && t->cwnd > most)
		t->cwnd = most > 10 ? most : 10;
}

static void hystart(struct tcp *t, uint64_t rtt)
{
	uint64_t more = t->min_rtt / 8;

	if (t->una >= t->h_round) {
		t->h_round = t->nxt;
		t->h_min = UINT64_MAX;
		t->h_count = 0;
	}
	t->h_count++;
	if (rtt < t->h_min)
		t->h_min = rtt;
	if (more < 4 * MS)
		more = 4 * MS;
	if (more > 16 * MS)
		more = 16 * MS;
	if (t->cwnd >= HYSTART_LOW && t->h_count >= HYSTART_N &&
	    t->h_min > t->min_rtt + more)
		t->ssthresh = t->cwnd;
}

static void cubic_grow(struct tcp *t, uint32_t n, uint64_t now)
{
	double at, want;

	if (!t->has_epoch) {
		t->has_epoch = true;
		t->epoch = now;
		t->k = t->wmax > t->cwnd ? cbrt((t->wmax - t->cwnd) / CUBIC_C)
					 : 0;
		t->origin = t->wmax > t->cwnd ? t->wmax : t->cwnd;
		t->west = t->cwnd;
	}
	at = (double)(now - t->epoch + t->min_rtt) / 1e9 - t->k;
	want = t->origin + CUBIC_C * at * at * at;
	t->west += n * (3 * 0.3 / 1.7) / t->cwnd;
	if (want > t->cwnd) {
		double more = n * (want - t->cwnd) / t->cwnd;

		t->cwnd += more < n * 0.5 ? more : n * 0.5;
	} else {
		t->cwnd += n * 0.01 / t->cwnd;
	}
	if (t->west > t->cwnd)
		t->cwnd = t->west;
}

static void on_loss(struct tcp *t)
{
	t->recovering = true;
	t->recover = t->nxt;
	if (t->cc == CC_OLD) {
		t->cwnd = t->inflight / 2.0 > 2 ? t->inflight / 2.0 : 2;
	} else {
		t->wmax = t->cwnd < t->wmax ? t->cwnd * 0.85 : t->cwnd;
		t->cwnd = t->cwnd * CUBIC_BETA > 2 ? t->cwnd * CUBIC_BETA : 2;
	}
	t->ssthresh = t->cwnd;
	t->has_epoch = false;
}

void cc_acked(struct tcp *t, uint32_t n, uint32_t lost, uint64_t rtt,
	      uint64_t now)
{
	if (t->cc == CC_BBR) {
		bbr(t, n, rtt, now);
		return;
	}
	if (lost > 0 && !t->recovering) {
		on_loss(t);
		return;
	}
	if (t->recovering && t->cwnd >= t->ssthresh)
		return;
	/* Whoever does not use his window does not grow it (RFC 7661). */
	if (t->cwnd > 2.0 * (t->inflight + n))
		return;
	if (t->cwnd < t->ssthresh) {
		if (t->cc == CC_CUBIC)
			hystart(t, rtt);
		t->cwnd += n;
	} else if (t->cc == CC_CUBIC) {
		cubic_grow(t, n, now);
	} else {
		t->cwnd += n / t->cwnd;
	}
}

void cc_timeout(struct tcp *t)
{
	if (t->cc == CC_BBR) {
		t->cwnd = 4;
		return;
	}
	t->ssthresh = t->cwnd * (t->cc == CC_OLD ? 0.5 : CUBIC_BETA);
	if (t->ssthresh < 2)
		t->ssthresh = 2;
	t->wmax = t->cwnd;
	t->has_epoch = false;
	t->cwnd = 1;
}
