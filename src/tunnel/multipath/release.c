/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * release.c - Arrivals are put in order, each lane by itself
 *
 * Theory of operation
 *
 * A lane has a turn: the number that is released next. What arrives in its turn
 * is delivered at once, and after it all that was held behind it. What arrives
 * earlier is held, until
 *
 *	- its turn has come: the hole was filled;
 *	- the lane has waited long enough: `hold` after the lowest of those held
 *	  came, or after the last packet that came in its turn, whichever is
 *	  later. The sender told how long that is: what it needs to find a loss,
 *	  to send the packet again, and for that to arrive. The numbers of the
 *	  hole are given up; those behind it that have waited as long follow at
 *	  once;
 *	- more are held than may be (of this lane: `size`, then all its holes
 *	  are given up, as the thesis does; of all lanes: limits.packets, then
 *	  this lane's first).
 *
 * What arrives behind its turn is late, and delivered, or a second copy, and
 * dropped: of the last MP_SEEN numbers of a lane a bit says whether each came.
 * An older one is dropped, for nobody knows. One that is further ahead than the
 * shelf has room for means that more was lost than can be held: the lane goes
 * on there.
 *
 * Lane 0 is thin: all of it is delivered at once, and so is everything when
 * nothing is to be put in order. The bits still drop copies.
 *
 * Equal release. A congestion control that goes by the least round trip (BBR)
 * sees only the fastest path, and sends no more than that one carries. So
 * packets say when they were sent, and are held until the slowest path would
 * have brought them: TCP inside sees one path, of one delay, that is as fast as
 * all together. Each path's own delay is the least of (arrival - sending) in
 * ten seconds; the offset of the clocks is in all of them and cancels. Where
 * paths lose, the sender adds the time of sending again. Each path's packets
 * wait in their order; then they go the way above.
 */
#include "multipath/multipath_internal.h"

#include <assert.h>
#include <string.h>

static bool seen(const struct mp_lane *l, uint32_t seq)
{
	return l->seen[seq % MP_SEEN / 64] >> seq % 64 & 1;
}

static void see(struct mp_lane *l, uint32_t seq, bool came)
{
	uint64_t bit = UINT64_C(1) << seq % 64;

	if (came)
		l->seen[seq % MP_SEEN / 64] |= bit;
	else
		l->seen[seq % MP_SEEN / 64] &= ~bit;
}

/* The turn goes on to @seq; those between did not come. */
static void skip_to(struct mp_lane *l, uint32_t seq)
{
	uint32_t n = seq - l->turn;

	if (n > MP_SEEN) {
		l->turn = seq - MP_SEEN;
	}
	while (l->turn != seq)
		see(l, l->turn++, false);
}

/* The same, for those that were waited for. */
static void give_up_to(struct mp *m, struct mp_lane *l, uint32_t seq)
{
	m->n.given_up += seq - l->turn;
	mp_group(m, (uint32_t)(l - m->lane))->given_up += seq - l->turn;
	skip_to(l, seq);
}

static void deliver(struct mp *m, struct buf *f, bool late,
		    struct mp_effects *out)
{
	struct mp_effect *e = mp_effect(m, out);
	struct mp_lane_counters *n = mp_group(m, f->ack);

	assert(e);
	m->n.delivered++;
	m->n.delivered_late += late;
	n->delivered++;
	n->delivered_late += late;
	e->send = false;
	e->path = 0;
	e->why = late ? MP_WHY_LATE : MP_WHY_ORDER;
	e->frame = f;
	e->off = f->gso;
	e->len = f->len - f->gso;
	e->n = 0;
	e->pad = 0;
	buf_emit(f);
	mp_drop(m, f);
}

/* The lowest number that is held, from the turn on. */
static void find_low(struct mp *m, struct mp_lane *l)
{
	uint32_t lane = (uint32_t)(l - m->lane);
	struct buf *f;

	l->low = l->turn;
	while (!(f = shelf_find(&m->held, lane, l->low))) {
		assert(l->low != l->top);
		l->low++;
	}
	l->low_at = f->now;
}

static uint64_t hole_end(const struct mp *m, const struct mp_lane *l)
{
	uint64_t from = l->low_at > l->moved_at ? l->low_at : l->moved_at;

	return from + m->hold;
}

/* Deliver what is held from the turn on, as far as there is room. */
static void drain(struct mp *m, struct mp_lane *l, uint64_t now,
		  struct mp_effects *out)
{
	uint32_t lane = (uint32_t)(l - m->lane);

	while (l->held > 0) {
		if (l->low != l->turn)
			break;
		if (out->n == MP_EFFECTS) {
			if (!l->ready) {
				l->ready = true;
				list_add_tail(&m->ready, &l->ready_link);
			}
			m->more = true;
			return;
		}
		l->held--;
		deliver(m, shelf_take(&m->held, lane, l->turn), false, out);
		see(l, l->turn++, true);
		if (l->held > 0)
			find_low(m, l);
	}
	if (l->held > 0 && m->config.timer) {
		uint64_t end = hole_end(m, l);

		if (!timer_armed(&l->hole.t))
			mp_arm(m, &l->hole, end > now ? end : now);
	}
}

void mp_drain(struct mp *m, uint64_t now, struct mp_effects *out)
{
	while (!list_empty(&m->ready) && out->n < MP_EFFECTS) {
		struct mp_lane *l =
			list_entry(m->ready.next, struct mp_lane, ready_link);

		list_del(&l->ready_link);
		l->ready = false;
		drain(m, l, now, out);
	}
}

/* Give up the hole in front of the lowest that is held. */
static void give_up(struct mp *m, struct mp_lane *l, uint64_t now,
		    struct mp_effects *out)
{
	give_up_to(m, l, l->low);
	drain(m, l, now, out);
}

void mp_hole_timeout(struct mp *m, struct mp_lane *l, uint64_t now,
		     struct mp_effects *out)
{
	while (l->held > 0 && !l->ready) {
		if (now < hole_end(m, l)) {
			mp_arm(m, &l->hole, hole_end(m, l));
			return;
		}
		m->n.release_time++;
		give_up(m, l, now, out);
	}
}

/* Too many are held: all that this lane holds goes, in order. */
static void flush(struct mp *m, struct mp_lane *l, uint64_t now,
		  struct mp_effects *out)
{
	m->n.release_size += l->held > 0;
	while (l->held > 0 && !l->ready)
		give_up(m, l, now, out);
}

/* Hold a frame that is ahead of its turn; it is not there yet. */
static void hold(struct mp *m, struct mp_lane *l, struct buf *f, uint64_t now)
{
	bool put = shelf_put(&m->held, f);

	assert(put);
	(void)put;
	if (l->held++ == 0) {
		l->low = f->seq;
		l->low_at = now;
		l->top = f->seq + 1;
	} else if (seq_lt(f->seq, l->low)) {
		l->low = f->seq;
		l->low_at = now;
	}
	if (seq_lt(l->top, f->seq + 1))
		l->top = f->seq + 1;
	m->n.held++;
	mp_group(m, f->ack)->held++;
}

static void drop_arrived(struct mp *m, struct buf *f, uint64_t *counter)
{
	++*counter;
	mp_drop(m, f);
}

/* A frame behind the turn of its lane. */
static void behind(struct mp *m, struct mp_lane *l, struct buf *f,
		   struct mp_effects *out)
{
	if (l->turn - f->seq > MP_SEEN) {
		drop_arrived(m, f, &m->n.stale);
	} else if (seen(l, f->seq)) {
		drop_arrived(m, f, &m->n.duplicate);
	} else {
		see(l, f->seq, true);
		deliver(m, f, true, out);
	}
}

/* Deliver the frame whose turn it is. */
static void pass(struct mp *m, struct mp_lane *l, struct buf *f,
		 struct mp_effects *out)
{
	see(l, l->turn++, true);
	deliver(m, f, false, out);
}

static bool at_once(const struct mp *m, const struct buf *f)
{
	return f->ack == 0 || m->config.release == MP_RELEASE_OFF;
}

/* Make room for @f, which is ahead of its turn. Return: whether it may be held
 */
static bool make_room(struct mp *m, struct mp_lane *l, const struct buf *f,
		      uint64_t now, struct mp_effects *out)
{
	if (m->config.size > 0 && l->held >= m->config.size)
		flush(m, l, now, out);
	if (f->seq - l->turn > m->held.mask || shelf_full(&m->held))
		flush(m, l, now, out);
	return f->seq - l->turn <= m->held.mask && !shelf_full(&m->held);
}

/* Put one frame where it belongs; there is room for an effect. */
static void place(struct mp *m, struct buf *f, uint64_t now,
		  struct mp_effects *out)
{
	struct mp_lane *l = &m->lane[f->ack];
	bool once = at_once(m, f);

	if (seq_lt(f->seq, l->turn)) {
		behind(m, l, f, out);
		return;
	}
	if (l->held > 0 && shelf_find(&m->held, f->ack, f->seq)) {
		drop_arrived(m, f, &m->n.duplicate);
		return;
	}
	if (f->seq == l->turn) {
		l->moved_at = now;
		pass(m, l, f, out);
	} else if (l->held == 0 && once) {
		skip_to(l, f->seq);
		pass(m, l, f, out);
	} else if (make_room(m, l, f, now, out)) {
		hold(m, l, f, now);
	} else if (l->held > 0 || out->n == MP_EFFECTS) {
		/* What it would overtake is still to be delivered. */
		drop_arrived(m, f, &m->n.drop_held);
	} else if (seq_lt(f->seq, l->turn)) {
		behind(m, l, f, out); /* the hole that was just given up */
	} else {
		m->n.resync++;
		give_up_to(m, l, f->seq);
		pass(m, l, f, out);
	}
	if (once)
		flush(m, l, now, out);
	else
		drain(m, l, now, out);
}

/* Whose time to be released has come, and when the next one's comes. */
void mp_equal_timeout(struct mp *m, uint64_t now, struct mp_effects *out)
{
	while (m->waiting_equal > 0) {
		struct mp_in *first = NULL;
		struct buf *f;

		for (unsigned i = 0; i < m->path_n; i++) {
			struct mp_in *in = &m->path[i].in;

			if (in->first &&
			    (!first || in->first->ts < first->first->ts))
				first = in;
		}
		assert(first); /* as many wait as are counted */
		f = first->first;
		if (f->ts > now) {
			mp_arm(m, &m->equal, f->ts);
			return;
		}
		if (out->n == MP_EFFECTS) {
			m->more = true;
			mp_arm(m, &m->equal, now);
			return;
		}
		first->first = f->next;
		if (!first->first)
			first->last = &first->first;
		f->next = NULL;
		m->waiting_equal--;
		place(m, f, now, out);
	}
}

/* Let @f wait until the slowest path would have brought it. */
static void wait_equal(struct mp *m, struct mp_path *p,
		       const struct mp_header *h, struct buf *f, uint64_t now)
{
	struct mp_in *in = &p->in;
	int64_t way;
	int64_t most = INT64_MIN;
	uint64_t due;

	if (!m->has_in_offset) {
		m->has_in_offset = true;
		m->in_offset = mp_us(now) - h->sent;
	}
	way = (int32_t)(mp_us(now) - h->sent - m->in_offset);
	in->least = mp_least_of(&in->ways, way, now);
	in->has_least = true;
	for (unsigned i = 0; i < m->path_n; i++)
		if (m->path[i].used && m->path[i].in.has_least &&
		    m->path[i].in.least > most)
			most = m->path[i].in.least;
	due = now + MP_EQUAL_MORE + m->more_delay;
	if (most > way)
		due += (uint64_t)(most - way) * NS_PER_US;
	else if ((uint64_t)(way - most) * NS_PER_US <
		 MP_EQUAL_MORE + m->more_delay)
		due -= (uint64_t)(way - most) * NS_PER_US;
	else
		due = now;
	if (due > now + MP_HOLD_MOST)
		due = now + MP_HOLD_MOST;
	if (due < in->due)
		due = in->due;
	in->due = due;
	f->ts = due;
	f->next = NULL;
	*in->last = f;
	in->last = &f->next;
	m->waiting_equal++;
}

void mp_arrive(struct mp *m, struct mp_path *p, const struct mp_header *h,
	       struct buf *f, uint32_t off, uint64_t now,
	       struct mp_effects *out)
{
	if (h->lane >= m->limits.lanes) {
		drop_arrived(m, f, &m->n.bad_lane);
		return;
	}
	m->n.arrived++;
	mp_group(m, h->lane)->arrived++;
	f->ack = h->lane;
	f->seq = h->lane_seq;
	f->gso = (uint16_t)off;
	f->now = now;
	if (m->config.release == MP_RELEASE_EQUAL && h->lane != 0 &&
	    h->type == MP_DATA_TIMED) {
		wait_equal(m, p, h, f, now);
		mp_equal_timeout(m, now, out);
	} else {
		place(m, f, now, out);
	}
}

static void reset_lane(struct mp *m, struct mp_lane *l)
{
	while (l->held > 0) {
		mp_drop(m,
			shelf_take(&m->held, (uint32_t)(l - m->lane), l->low));
		if (--l->held > 0)
			find_low(m, l);
		m->n.drop_restart_held++;
	}
	if (l->ready)
		list_del(&l->ready_link);
	wheel_disarm(&m->wheel, &l->hole.t);
	l->ready = false;
	l->turn = 0;
	l->moved_at = 0;
	/* Nothing came before number 0, and nothing will. */
	memset(l->seen, 0xff, MP_SEEN / 8);
}

void mp_release_reset(struct mp *m)
{
	for (unsigned i = 0; i < m->path_n; i++) {
		struct mp_in *in = &m->path[i].in;

		while (in->first) {
			struct buf *f = in->first;

			in->first = f->next;
			m->waiting_equal--;
			m->n.drop_restart_held++;
			mp_drop(m, f);
		}
		*in = (struct mp_in){ .last = &in->first };
	}
	for (uint32_t i = 0; i < m->limits.lanes; i++)
		reset_lane(m, &m->lane[i]);
	wheel_disarm(&m->wheel, &m->equal.t);
	m->hold = MP_HOLD_UNTOLD;
	m->more_delay = 0;
}
