/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.c - Bulk packets wait here, each lane by itself
 *
 * Theory of operation
 *
 * A packet gets its number of the lane when it is taken in, and is dropped
 * before that or never: so a number that the far end misses is one that a path
 * lost.
 *
 * The bound. All lanes together should hold what the paths send in max(50 ms,
 * half of the longest round trip + 1.5 x skew): what is due later must be here
 * already, or there is nothing to send ahead on a slow path; the rest would be
 * delay only. Where paths lose it is a round trip more: while a loss is
 * repaired its lane is held up at the far end, no ack comes from inside, and
 * only what waits here keeps the paths busy. Each lane has its equal share of
 * the bound, and four packets at least. The bound grows at once and shrinks
 * after three seconds: one that follows a rate which is being measured anew
 * would drop a burst.
 *
 * CoDel's law (RFC 8289), at the entrance: a lane that was over its share for
 * an interval (100 ms, or two round trips) loses one packet (or has one marked,
 * where its ends understand ECN, RFC 3168), then the next after interval /
 * sqrt(n). Where CoDel measures how long a packet has waited, here the bytes in
 * front of it say how long it will. Bursts pass, up to three shares: when a
 * hole is filled the far end releases a round trip's worth at once, as much
 * comes here at once, and a bound that drops half of it costs TCP more than the
 * queue does. A standing queue does not pass.
 *
 * The lanes take turns by bytes (deficit round robin, Shreedhar and Varghese
 * 1995): a lane with little to send is never behind one with much (schedule.c).
 */
#include "multipath/multipath_internal.h"
#include "wire/tos.h"

#include <assert.h>

#define WAIT_LEAST    (50 * NS_PER_MS)
#define BOUND_PACKETS 24u /* least */
#define SHARE_PACKETS 4u  /* least of a lane */
#define BURST_SHARES  3u
#define LOSSES	      50u /* in a round trip, thousandths of a packet */
#define BOUND_HOLDS   (3 * NS_PER_SEC)
#define INTERVAL      (100 * NS_PER_MS) /* RFC 8289 section 4.3 */

/* The longest least round trip of the paths in use. */
static uint64_t longest(const struct mp *m)
{
	uint64_t rtt = 0;

	for (unsigned i = 0; i < m->path_n; i++) {
		const struct mp_model *d = &m->path[i].model;

		if (mp_usable(&m->path[i]) && d->min_rtt != UINT64_MAX &&
		    d->min_rtt > rtt)
			rtt = d->min_rtt;
	}
	return rtt;
}

uint64_t mp_bound_now(struct mp *m, uint64_t now)
{
	uint64_t rtt = longest(m);
	uint64_t wait, bound;

	wait = rtt / 2 + mp_skew(m) * 3 / 2;
	if (mp_losses(m, rtt) > LOSSES)
		wait += rtt;
	if (wait < WAIT_LEAST)
		wait = WAIT_LEAST;
	bound = mp_total_rate(m) * (wait / NS_PER_US) /
		(NS_PER_SEC / NS_PER_US);
	if (bound < BOUND_PACKETS * MP_PACKET)
		bound = BOUND_PACKETS * MP_PACKET;
	if (bound >= m->bound || now - m->bound_at > BOUND_HOLDS) {
		m->bound = bound;
		m->bound_at = now;
	}
	return m->bound;
}

static uint64_t root(uint64_t v)
{
	uint64_t r = 1;

	while ((r + 1) * (r + 1) <= v)
		r++;
	return r;
}

/* Does CoDel's law want a packet of this lane? */
static bool law_wants(struct mp_lane *l, uint64_t target, uint64_t interval,
		      uint64_t now)
{
	if (l->bytes <= target) {
		l->above_at = 0;
		l->dropping = false;
		return false;
	}
	if (l->above_at == 0)
		l->above_at = now + interval;
	if (now < l->above_at)
		return false;
	if (!l->dropping) {
		/* It begins where it left off, if that was not long ago. */
		l->dropping = true;
		l->count = l->count > 2 && now - l->drop_at < 8 * interval
				   ? l->count - 2
				   : 0;
		l->drop_at = now;
	}
	if (now < l->drop_at)
		return false;
	l->count++;
	l->drop_at = now + interval * 16 / root(256 * (uint64_t)l->count);
	return true;
}

static void lane_add(struct mp *m, struct mp_lane *l, struct buf *f)
{
	if (l->waiting == 0) {
		l->head = f->seq;
		l->deficit = 0;
		list_add_tail(&m->active, &l->link);
		m->active_n++;
	}
	l->waiting++;
	l->bytes += f->len;
	m->queued += f->len;
}

void mp_enqueue(struct mp *m, struct buf *f, const struct mp_look *look,
		uint64_t now)
{
	struct mp_lane *l = &m->lane[look->lane];
	uint32_t lanes = m->active_n + (l->waiting == 0);
	uint64_t share = mp_bound_now(m, now) / lanes;
	uint64_t *dropped = &mp_group(m, look->lane)->dropped;
	bool put;

	m->bulk_at = now;
	if (share < SHARE_PACKETS * MP_PACKET)
		share = SHARE_PACKETS * MP_PACKET;
	if (shelf_full(&m->queue)) {
		m->n.drop_full++;
		++*dropped;
		mp_drop(m, f);
		return;
	}
	if (l->bytes + f->len > BURST_SHARES * share) {
		m->n.drop_bound++;
		++*dropped;
		mp_drop(m, f);
		return;
	}
	if (law_wants(l, share,
		      2 * longest(m) > INTERVAL ? 2 * longest(m) : INTERVAL,
		      now)) {
		if (!look->marks) {
			m->n.drop_law++;
			++*dropped;
			mp_drop(m, f);
			return;
		}
		tos_set_ecn(f->data + look->ip_at, ECN_CE);
		m->n.marked_ce++;
	}
	f->ack = look->lane;
	f->seq = l->next++;
	f->now = now;
	put = shelf_put(&m->queue, f);
	assert(put);
	(void)put;
	lane_add(m, l, f);
}

struct buf *mp_head(struct mp *m, struct mp_lane *l)
{
	uint32_t lane = (uint32_t)(l - m->lane);
	struct buf *f;

	assert(l->waiting > 0);
	while (!(f = shelf_find(&m->queue, lane, l->head)))
		l->head++;
	return f;
}

struct buf *mp_take(struct mp *m, struct mp_lane *l, uint32_t seq)
{
	struct buf *f = shelf_take(&m->queue, (uint32_t)(l - m->lane), seq);

	assert(f);
	l->waiting--;
	l->bytes -= f->len;
	m->queued -= f->len;
	if (l->waiting == 0) {
		list_del(&l->link);
		m->active_n--;
	}
	return f;
}
