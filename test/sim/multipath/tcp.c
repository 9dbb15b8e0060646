/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp.c - A TCP connection inside: sender and receiver, in segments
 *
 * Theory of operation
 *
 * A sender that always has data, and a receiver that always reads. Acks are delayed
 * (every second segment or 40 ms, at once out of order, RFC 5681), with SACK (RFC
 * 2018) and timestamps (RFC 7323).
 *
 * Loss is found as Linux does it today (RFC 8985, RACK): a segment is lost when one
 * that was sent later by more than a reordering window has come; the window is a
 * quarter of the least round trip once reordering was seen, and before that three
 * segments beyond it are enough, too. "Old" stands for Linux 2.4: three segments
 * beyond are enough, and each reordering that is seen raises that number, to 127. A
 * timeout that timestamps prove wrong is undone (RFC 3522), and so is a recovery.
 *
 * Segments that are out lie in a list in the order of sending, so that what RACK
 * finds is found from its old end.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define NONE	   UINT32_MAX
#define DELACK	   (40 * MS)
#define RTO_LEAST  (200 * MS)
#define RTO_MOST   (60 * SEC)
#define THRESH_OLD 127u

static struct seg *at(struct tcp *t, uint32_t k)
{
	return &t->seg[k & (TCP_RING - 1)];
}

void tcp_open(struct tcp *t, enum cc cc, uint32_t mss, uint32_t rwnd,
	      uint64_t rtt, uint64_t seed)
{
	memset(t, 0, sizeof(*t));
	t->cc = cc;
	t->mss = mss;
	t->rwnd = rwnd < TCP_RING / 2 ? rwnd : TCP_RING / 2;
	t->seg = calloc(TCP_RING, sizeof(*t->seg));
	t->lostq = malloc(TCP_RING * sizeof(*t->lostq));
	if (t->seg == NULL || t->lostq == NULL)
		abort();
	t->cwnd = cc == CC_OLD ? 3 : 10;
	t->ssthresh = 1e9;
	t->first = t->tail = NONE;
	t->rto = SEC;
	t->rto_at = UINT64_MAX;
	t->delack_at = UINT64_MAX;
	t->min_rtt = rtt;
	t->dupthresh = 3;
	t->backoff = 0;
	t->rng.s = seed;
	cc_open(t, rtt);
}

void tcp_close(struct tcp *t)
{
	free(t->seg);
	free(t->lostq);
}

static void unlist(struct tcp *t, uint32_t k)
{
	struct seg *s = at(t, k);

	if (!s->listed)
		return;
	if (s->prev == NONE)
		t->first = s->next;
	else
		at(t, s->prev)->next = s->next;
	if (s->next == NONE)
		t->tail = s->prev;
	else
		at(t, s->next)->prev = s->prev;
	s->listed = false;
}

static void enlist(struct tcp *t, uint32_t k)
{
	struct seg *s = at(t, k);

	s->prev = t->tail;
	s->next = NONE;
	if (t->tail == NONE)
		t->first = k;
	else
		at(t, t->tail)->next = k;
	t->tail = k;
	s->listed = true;
}

static void mark_lost(struct tcp *t, uint32_t k)
{
	struct seg *s = at(t, k);

	unlist(t, k);
	s->lost = true;
	t->inflight--;
	t->lostq[(t->lost_head + t->lost_n++) & (TCP_RING - 1)] = k;
}

static uint64_t rto_of(const struct tcp *t)
{
	uint64_t rto = t->rto << (t->backoff < 6 ? t->backoff : 6);

	return rto < RTO_MOST ? rto : RTO_MOST;
}

/* The next one to be sent again, or NONE. */
static uint32_t next_lost(struct tcp *t)
{
	while (t->lost_n > 0) {
		uint32_t k = t->lostq[t->lost_head & (TCP_RING - 1)];

		t->lost_head++;
		t->lost_n--;
		if (k - t->una < t->nxt - t->una && at(t, k)->lost &&
		    !at(t, k)->sacked)
			return k;
	}
	return NONE;
}

bool tcp_pull(struct tcp *t, uint64_t now, uint32_t *seq)
{
	struct seg *s;
	uint32_t k;

	if ((double)t->inflight + 1 > t->cwnd || now < cc_may_send(t))
		return false;
	k = next_lost(t);
	if (k == NONE) {
		if (t->nxt - t->una >= t->rwnd)
			return false;
		k = t->nxt++;
		*at(t, k) = (struct seg){ 0 };
	} else {
		at(t, k)->again = true;
		t->retx++;
	}
	s = at(t, k);
	cc_sent(t, s, now);
	s->sent = now;
	s->lost = false;
	enlist(t, k);
	t->inflight++;
	if (t->rto_at == UINT64_MAX)
		t->rto_at = now + rto_of(t);
	*seq = k;
	return true;
}

/* One segment has come. */
static void delivered(struct tcp *t, uint32_t k, uint64_t rtt, uint64_t now)
{
	struct seg *s = at(t, k);

	if (!s->lost)
		t->inflight--;
	unlist(t, k);
	if (k < t->hi && !s->again) {
		t->reordered = true;
		if (t->dupthresh < t->hi - k)
			t->dupthresh =
				t->hi - k < THRESH_OLD ? t->hi - k : THRESH_OLD;
	}
	if (k > t->hi)
		t->hi = k;
	if (!(s->again && now - s->sent < t->min_rtt) && s->sent > t->rack_sent)
		t->rack_sent = s->sent;
	cc_delivered(t, s, rtt, now);
}

static uint32_t take_acks(struct tcp *t, const struct ack *a, uint64_t rtt,
			  uint64_t now)
{
	uint32_t n = 0;

	for (; t->una != a->cum; t->una++)
		if (!at(t, t->una)->sacked) {
			delivered(t, t->una, rtt, now);
			n++;
		}
	for (uint32_t i = 0; i < a->sacks; i++) {
		uint32_t k = a->from[i] > a->cum ? a->from[i] : a->cum;

		for (; k < a->to[i]; k++) {
			if (at(t, k)->sacked)
				continue;
			delivered(t, k, rtt, now);
			at(t, k)->sacked = true;
			n++;
		}
	}
	return n;
}

static uint32_t find_lost(struct tcp *t)
{
	uint64_t window = t->reordered ? t->min_rtt / 4 : 0;
	uint32_t n = 0;

	if (t->srtt > 0 && window > t->srtt)
		window = t->srtt;
	while (t->first != NONE) {
		uint32_t k = t->first;
		struct seg *s = at(t, k);

		if (t->cc == CC_OLD) {
			if (k >= t->hi || t->hi - k < t->dupthresh ||
			    s->sent >= t->rack_sent)
				break;
		} else if (s->sent + window >= t->rack_sent &&
			   (t->reordered || s->sent >= t->rack_sent ||
			    k + 3 > t->hi)) {
			break;
		} else if (window == 0 && !t->reordered && k + 3 > t->hi) {
			break;
		}
		mark_lost(t, k);
		n++;
	}
	return n;
}

static void measure_rtt(struct tcp *t, uint64_t rtt)
{
	uint64_t off = t->srtt > rtt ? t->srtt - rtt : rtt - t->srtt;

	if (t->srtt == 0) {
		t->srtt = rtt;
		t->var = rtt / 2;
	} else {
		t->var = (3 * t->var + off) / 4;
		t->srtt = (7 * t->srtt + rtt) / 8;
	}
	t->rto = t->srtt + 4 * t->var;
	if (t->rto < RTO_LEAST)
		t->rto = RTO_LEAST;
	if (t->cc != CC_BBR && rtt < t->min_rtt)
		t->min_rtt = rtt;
}

/* The ack is of a segment that was sent before what we took for a loss. */
static void try_undo(struct tcp *t, const struct ack *a)
{
	if (!t->undo || a->cum <= t->undo_una)
		return;
	t->undo = false;
	if (a->tsecr >= t->undo_at)
		return;
	t->cwnd = t->undo_cwnd;
	t->ssthresh = t->undo_ssthresh;
	t->recovering = false;
	/* What was marked has not been sent again yet: it is out still. */
	while (t->lost_n > 0) {
		uint32_t k = next_lost(t);

		if (k == NONE)
			break;
		at(t, k)->lost = false;
		t->inflight++;
		enlist(t, k);
	}
}

void tcp_ack(struct tcp *t, const struct ack *a, uint64_t now)
{
	uint64_t rtt = now - a->tsecr > 0 ? now - a->tsecr : 1;
	uint32_t n, lost;

	if (a->cum < t->una)
		return;
	n = take_acks(t, a, rtt, now);
	if (n == 0)
		return;
	measure_rtt(t, rtt);
	try_undo(t, a);
	t->backoff = 0;
	lost = find_lost(t);
	if (t->recovering && t->una >= t->recover)
		t->recovering = false;
	if (lost > 0 && !t->recovering && t->cc != CC_BBR) {
		t->undo = true;
		t->undo_cwnd = t->cwnd;
		t->undo_ssthresh = t->ssthresh;
		t->undo_una = t->una;
		t->undo_at = now;
	}
	cc_acked(t, n, lost, rtt, now);
	t->rto_at = t->una == t->nxt ? UINT64_MAX : now + rto_of(t);
}

static void retransmission_timeout(struct tcp *t, uint64_t now)
{
	if (t->una == t->nxt) {
		t->rto_at = UINT64_MAX;
		return;
	}
	t->rtos++;
	t->undo = true;
	t->undo_cwnd = t->cwnd;
	t->undo_ssthresh = t->ssthresh;
	t->undo_una = t->una;
	t->undo_at = now;
	t->lost_n = 0;
	for (uint32_t k = t->una; k != t->nxt; k++) {
		struct seg *s = at(t, k);

		if (s->sacked)
			continue;
		if (s->lost)
			t->inflight++;
		mark_lost(t, k);
	}
	cc_timeout(t);
	t->recovering = true;
	t->recover = t->nxt;
	t->backoff++;
	t->rto_at = now + rto_of(t);
}

/* Note that @seq came out of order. */
static void keep(struct tcp *t, uint32_t seq)
{
	uint32_t i = 0;

	while (i < t->ooo_n && t->ooo[i].to < seq)
		i++;
	t->ooo_last = i;
	if (i < t->ooo_n && t->ooo[i].from <= seq && seq < t->ooo[i].to)
		return;
	if (i < t->ooo_n && t->ooo[i].to == seq) {
		t->ooo[i].to++;
		if (i + 1 < t->ooo_n && t->ooo[i + 1].from == seq + 1) {
			t->ooo[i].to = t->ooo[i + 1].to;
			t->ooo_n--;
			memmove(&t->ooo[i + 1], &t->ooo[i + 2],
				(t->ooo_n - i - 1) * sizeof(t->ooo[0]));
		}
	} else if (i < t->ooo_n && t->ooo[i].from == seq + 1) {
		t->ooo[i].from = seq;
	} else if (t->ooo_n < OOO_MOST) {
		memmove(&t->ooo[i + 1], &t->ooo[i],
			(t->ooo_n - i) * sizeof(t->ooo[0]));
		t->ooo[i].from = seq;
		t->ooo[i].to = seq + 1;
		t->ooo_n++;
	}
}

bool tcp_data(struct tcp *t, uint32_t seq, uint64_t ts, uint64_t now)
{
	bool now_ack = t->ooo_n > 0 || seq != t->rcv_nxt;

	if (seq == t->rcv_nxt) {
		t->rcv_nxt++;
		if (t->ooo_n > 0 && t->ooo[0].from == t->rcv_nxt) {
			t->rcv_nxt = t->ooo[0].to;
			t->ooo_n--;
			memmove(&t->ooo[0], &t->ooo[1],
				t->ooo_n * sizeof(t->ooo[0]));
		}
		t->ooo_last = 0;
		if (now - t->came_at > t->gap_most)
			t->gap_most = now - t->came_at;
		t->came_at = now;
	} else if (seq > t->rcv_nxt) {
		keep(t, seq);
	}
	if (t->pending++ == 0)
		t->pending_ts = ts;
	if (t->pending == 1)
		t->delack_at = now + DELACK;
	return now_ack || t->pending >= 2;
}

void tcp_make_ack(struct tcp *t, struct ack *a)
{
	a->cum = t->rcv_nxt;
	a->tsecr = t->pending_ts;
	a->sacks = 0;
	for (uint32_t i = 0; i < t->ooo_n && a->sacks < SACKS; i++) {
		/* The one that changed last, then the others from there on. */
		uint32_t k = (t->ooo_last + i) % t->ooo_n;

		a->from[a->sacks] = t->ooo[k].from;
		a->to[a->sacks++] = t->ooo[k].to;
	}
	t->pending = 0;
	t->delack_at = UINT64_MAX;
}

uint64_t tcp_next(const struct tcp *t, uint64_t now)
{
	uint64_t next = t->rto_at < t->delack_at ? t->rto_at : t->delack_at;
	uint64_t may = cc_may_send(t);

	if (may > now && may < next && (double)t->inflight + 1 <= t->cwnd)
		next = may;
	return next;
}

bool tcp_timeout(struct tcp *t, uint64_t now)
{
	if (now >= t->rto_at)
		retransmission_timeout(t, now);
	return now >= t->delack_at && t->pending > 0;
}
