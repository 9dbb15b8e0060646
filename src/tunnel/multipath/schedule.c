/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schedule.c - Which packet goes on which path, and when
 *
 * Theory of operation
 *
 * A packet is not pushed onto a path but pulled by it: it waits in its lane
 * until some path has room in its window, so that it queues here, where it can
 * still go another way, and not in the network.
 *
 * "earliest": of the paths with room, the one that would deliver the head of
 * the lane first gets it, if no other path would deliver it earlier still. If
 * one would, but has no room now, a later path is given not the head but the
 * packet that is due when this path delivers: what the others can send in the
 * time that it is slower. If the lane is not that long, it gets nothing now. So
 * a path of 20 kB/s beside one of 12 MB/s carries its share, and what it
 * carries arrives in its turn. Where the far end releases at equal delay, all
 * paths are equally late, and the head goes on any.
 *
 * "roundrobin" and "weights 1:w" are the thesis's: the next path, whatever its
 * window, and nothing waits; of 1 + w packets one goes to path 0, the others in
 * turn to the others. "copy" sends each packet on every path that has room,
 * "pin" all of a lane on one path, by the highest hash of lane and path, so
 * that only lanes of a path that fell silent move.
 *
 * Secondary paths are used while no primary one has room and half of what may
 * wait is waiting; a backup while there is no other. What was lost goes first,
 * past all windows; thin packets go at once, on the earliest path. One that no
 * later one says again goes twice where the path loses, if it is short: else
 * one of as many as are lost is a round trip late.
 *
 * A path whose rate is not known is measured with copies of the last bulk
 * packets, never with originals: one that is late or lost holds up nobody, and
 * the far end drops it. They leave half of the window to originals, and there
 * is an end of them: 64 packets or 0.2 s of the path's rate, 4 MB at most, and
 * 16 times what it holds; a path without a limit never shows one, and what was
 * found by then has to do. Of what a path may carry in all (its cap) copies get
 * a sixteenth; then it is used as one of MP_UNKNOWN until use shows more. A
 * path that nobody used for half a second though something waited is measured
 * anew, at most every two seconds or twenty round trips.
 */
#include "multipath/multipath_internal.h"

#include <assert.h>

#define QUANTUM	      1514
#define COPIES_A_TIME 8u
#define FIRST_COPIES  10u
#define COPY_RECENT   (200 * NS_PER_MS)
#define UNUSED	      (500 * NS_PER_MS)
#define MEASURE_AGAIN (2 * NS_PER_SEC)
#define TWIN_MOST     300u /* bytes of a thin packet that goes twice */

static bool has_number(const struct mp *m, const struct mp_path *p)
{
	return p->next - p->done <= m->limits.window;
}

/* Send a frame on a path. The caller has seen that an effect is left. */
static void send_on(struct mp *m, struct mp_path *p, struct buf *f,
		    enum mp_why why, uint64_t now, struct mp_effects *out)
{
	bool copy = why == MP_WHY_MEASURE;
	struct mp_effect *e = mp_effect(m, out);
	struct mp_header h = { .type = m->config.timed ? MP_DATA_TIMED
						       : MP_DATA,
			       .path = (uint8_t)(p - m->path),
			       .lane = (uint16_t)f->ack,
			       .lane_seq = f->seq,
			       .sent = mp_us(now) };

	assert(e);
	if (!copy) {
		mp_hold(f);
		p->data_at = now;
		mp_size_used(m, p, now);
	}
	if (copy) {
		p->copied += mp_size_of(f->len);
		p->spent += mp_size_of(f->len);
	}
	h.path_seq = mp_number(m, p, copy ? NULL : f, mp_size_of(f->len), !copy,
			       !(f->flags & MP_F_THIN), now);
	e->send = true;
	e->path = h.path;
	e->why = why;
	e->frame = f;
	e->off = 0;
	e->len = f->len;
	e->pad = 0;
	e->n = mp_header_emit(&h, e->bytes);
	buf_emit(f);
	mp_arm_lost(m, p, now);
	/* Thin packets wait for no room: a burst of them shows no limit. */
	if (!(f->flags & MP_F_THIN) && !mp_room(m, p))
		p->model.limited = true;
}

/* Who sent a bulk packet keeps it for a while: copies measure other paths. */
static void remember(struct mp *m, struct buf *f)
{
	struct buf **at = &m->last[m->last_n++ % MP_LAST];

	mp_hold(f);
	if (*at)
		mp_drop(m, *at);
	*at = f;
}

/* Paths that may be used, as bits; secondary and backup ones when they may. */
static uint32_t candidates(const struct mp *m, bool for_queue)
{
	uint32_t tier[3] = { 0 };
	bool room = false;

	for (unsigned i = 0; i < m->path_n; i++) {
		const struct mp_path *p = &m->path[i];

		if (!mp_usable(p) || !has_number(m, p))
			continue;
		tier[p->config.tier] |= 1u << i;
		room |= p->config.tier == MP_PRIMARY && mp_room(m, p);
	}
	if (tier[MP_PRIMARY] != 0 &&
	    (!for_queue || room || m->queued * 2 < m->bound))
		return tier[MP_PRIMARY];
	if ((tier[MP_PRIMARY] | tier[MP_SECONDARY]) != 0)
		return tier[MP_PRIMARY] | tier[MP_SECONDARY];
	return tier[MP_BACKUP];
}

static struct mp_path *earliest(struct mp *m, uint32_t of, uint32_t size)
{
	struct mp_path *best = NULL;
	int64_t least = INT64_MAX;

	for (unsigned i = 0; of >> i != 0; i++) {
		int64_t eta;

		if (!(of >> i & 1))
			continue;
		eta = mp_eta(&m->path[i], size);
		if (!best || eta < least) {
			least = eta;
			best = &m->path[i];
		}
	}
	return best;
}

/* Of these paths those that no timer speaks against, if there are any. */
static uint32_t speaking(const struct mp *m, uint32_t of)
{
	uint32_t good = of;

	for (unsigned i = 0; of >> i != 0; i++)
		if (m->path[i].silent > 0)
			good &= ~(1u << i);
	return good != 0 ? good : of;
}

static bool push_again(struct mp *m, uint64_t now, struct mp_effects *out)
{
	uint32_t of = speaking(m, candidates(m, false));
	struct mp_path *p;
	struct buf *f;

	if (!m->again_first || of == 0 || out->n == MP_EFFECTS)
		return false;
	f = mp_again_next(m, now);
	if (!f)
		return false;
	p = earliest(m, of, mp_size_of(f->len));
	m->n.again++;
	send_on(m, p, f, MP_WHY_AGAIN, now, out);
	mp_drop(m, f);
	return true;
}

/* A packet of the queue goes on its way. */
static void send_first(struct mp *m, struct mp_lane *l, struct mp_path *p,
		       struct buf *f, enum mp_why why, uint64_t now,
		       struct mp_effects *out)
{
	mp_take(m, l, f->seq);
	l->deficit -= (int32_t)f->len;
	m->n.first++;
	send_on(m, p, f, why, now, out);
	remember(m, f);
	mp_drop(m, f);
}

/* The packet of the lane that is due @later ns after its head, or NULL. */
static struct buf *due_later(struct mp *m, struct mp_lane *l,
			     const struct mp_path *slow, uint64_t later,
			     uint32_t size)
{
	uint64_t rate = 0, bytes;
	uint32_t lane = (uint32_t)(l - m->lane);
	uint64_t ahead;

	for (unsigned i = 0; i < m->path_n; i++) {
		const struct mp_path *p = &m->path[i];

		if (p != slow && mp_usable(p))
			rate += p->model.rate == 0 ? MP_UNKNOWN : p->model.rate;
	}
	bytes = later / NS_PER_US * rate / (NS_PER_SEC / NS_PER_US);
	ahead = bytes / size / m->active_n;
	if (ahead >= l->next - l->head)
		return NULL;
	for (uint32_t seq = l->head + (uint32_t)ahead; seq != l->next; seq++) {
		struct buf *f = shelf_find(&m->queue, lane, seq);

		if (f)
			return f;
	}
	return NULL;
}

/* Of these paths those whose rate is known, or will never be; if there is none,
 * the nearest.
 */
static uint32_t known(const struct mp *m, uint32_t of)
{
	uint64_t least = UINT64_MAX;
	uint32_t good = 0, near = 0;

	for (unsigned i = 0; of >> i != 0; i++) {
		const struct mp_model *d = &m->path[i].model;

		if (!(of >> i & 1))
			continue;
		if (d->rate > 0 ||
		    (m->path[i].config.cap > 0 && !mp_may_measure(&m->path[i])))
			good |= 1u << i;
		if (near == 0 || d->min_rtt < least) {
			least = d->min_rtt;
			near = 1u << i;
		}
	}
	return good != 0 ? good : near;
}

static bool send_earliest(struct mp *m, struct mp_lane *l, struct buf *head,
			  uint64_t now, struct mp_effects *out)
{
	uint32_t size = mp_size_of(head->len);
	uint32_t of = known(m, candidates(m, true));
	uint32_t open = 0;
	struct mp_path *best = earliest(m, of, size);
	int64_t least = !best ? 0 : mp_eta(best, size);

	for (unsigned i = 0; of >> i != 0; i++)
		if (of >> i & 1 && mp_room(m, &m->path[i]))
			open |= 1u << i;
	if (open == 0) {
		for (unsigned i = 0; of >> i != 0; i++)
			if (of >> i & 1)
				m->path[i].model.limited = true;
		return false;
	}
	while (open != 0) {
		struct mp_path *p = earliest(m, open, size);
		struct buf *f = head;

		if (p != best && !m->config.timed)
			f = due_later(m, l, p,
				      (uint64_t)(mp_eta(p, size) - least),
				      size);
		if (f) {
			m->n.ahead += f != head;
			send_first(m, l, p, f,
				   f == head ? MP_WHY_FIRST : MP_WHY_AHEAD, now,
				   out);
			return true;
		}
		open &= ~(1u << (p - m->path));
	}
	return false;
}

/* The n-th path of those in @of. */
static struct mp_path *nth(struct mp *m, uint32_t of, uint32_t n)
{
	for (unsigned i = 0; of >> i != 0; i++)
		if (of >> i & 1 && n-- == 0)
			return &m->path[i];
	return NULL;
}

static uint32_t count(uint32_t of)
{
	uint32_t n = 0;

	for (; of != 0; of &= of - 1)
		n++;
	return n;
}

/* By the weights of the paths. */
static struct mp_path *heaviest(struct mp *m, uint32_t of)
{
	uint32_t weight[TURN_MOST] = { 0 };

	for (unsigned i = 0; of >> i != 0; i++)
		weight[i] = m->path[i].config.weight > 0
				    ? m->path[i].config.weight
				    : 1;
	return &m->path[turn_next(&m->turn, weight, of)];
}

static bool weighs(const struct mp *m, uint32_t of)
{
	for (unsigned i = 0; of >> i != 0; i++)
		if (of >> i & 1 && m->path[i].config.weight > 0)
			return true;
	return false;
}

/* Round robin, and 1:w, which begins with path 0. */
static bool send_turn(struct mp *m, struct mp_lane *l, struct buf *head,
		      uint64_t now, struct mp_effects *out)
{
	uint32_t of = candidates(m, false);
	bool light = false;

	if (of == 0)
		return false;
	if (m->config.scheduler == MP_WEIGHTS && weighs(m, of)) {
		send_first(m, l, heaviest(m, of), head, MP_WHY_TURN, now, out);
		return true;
	}
	if (m->config.scheduler == MP_WEIGHTS && of & 1 && of != 1) {
		light = m->turn_count == 0;
		m->turn_count = (m->turn_count + 1) % (1 + m->config.weight);
		of = light ? 1 : of & ~1u;
	}
	assert(of != 0); /* a light path is not alone */
	send_first(m, l, nth(m, of, light ? 0 : m->turn_path % count(of)), head,
		   MP_WHY_TURN, now, out);
	m->turn_path += !light;
	return true;
}

static bool send_pinned(struct mp *m, struct mp_lane *l, struct buf *head,
			uint64_t now, struct mp_effects *out)
{
	uint32_t of = candidates(m, false);
	struct mp_path *best = NULL;
	uint32_t most = 0;

	for (unsigned i = 0; of >> i != 0; i++) {
		/* Fibonacci hashing of the pair. */
		uint32_t h = (head->ack * MP_PATHS + i) * 2654435769u;

		h = (h ^ h >> 15) * 2246822519u;
		if (of >> i & 1 && (!best || h > most)) {
			best = &m->path[i];
			most = h;
		}
	}
	if (!best)
		return false;
	if (!mp_room(m, best)) {
		best->model.limited = true;
		return false;
	}
	send_first(m, l, best, head, MP_WHY_TURN, now, out);
	return true;
}

static bool send_copies(struct mp *m, struct mp_lane *l, struct buf *head,
			uint64_t now, struct mp_effects *out)
{
	uint32_t size = mp_size_of(head->len);
	uint32_t of = candidates(m, false);
	uint32_t open = 0;
	struct mp_path *p;

	for (unsigned i = 0; of >> i != 0; i++) {
		if (!(of >> i & 1))
			continue;
		if (mp_room(m, &m->path[i]))
			open |= 1u << i;
		else
			m->path[i].model.limited = true;
	}
	if (open == 0)
		return false;
	if (MP_EFFECTS - out->n < count(open)) {
		m->more = true;
		return false;
	}
	mp_hold(head);
	p = earliest(m, open, size);
	send_first(m, l, p, head, MP_WHY_FIRST, now, out);
	for (unsigned i = 0; i < m->path_n; i++) {
		if (!(open >> i & 1) || p == &m->path[i])
			continue;
		m->n.twin++;
		send_on(m, &m->path[i], head, MP_WHY_TWIN, now, out);
	}
	mp_drop(m, head);
	return true;
}

static enum mp_scheduler manner(const struct mp *m, const struct buf *f)
{
	switch ((enum mp_class)f->urg) {
	case MP_CLASS_SPREAD:
		return MP_EARLIEST;
	case MP_CLASS_PIN:
		return MP_PIN;
	case MP_CLASS_COPY:
		return MP_COPY;
	case MP_AS_ALL:
		break;
	}
	return m->config.scheduler;
}

static bool send_head(struct mp *m, struct mp_lane *l, struct buf *f,
		      uint64_t now, struct mp_effects *out)
{
	switch (manner(m, f)) {
	case MP_ROUNDROBIN:
	case MP_WEIGHTS:
		return send_turn(m, l, f, now, out);
	case MP_COPY:
		return send_copies(m, l, f, now, out);
	case MP_PIN:
		return send_pinned(m, l, f, now, out);
	case MP_EARLIEST:
		break;
	}
	return send_earliest(m, l, f, now, out);
}

/* The next packet of the lane whose turn it is; lanes that cannot send are
 * passed.
 */
static bool push_first(struct mp *m, uint64_t now, struct mp_effects *out)
{
	uint32_t tries = m->active_n;
	bool spread = true; /* may still be sent */

	while (tries > 0 && m->active_n > 0 && out->n < MP_EFFECTS) {
		struct mp_lane *l =
			list_entry(m->active.next, struct mp_lane, link);
		struct buf *f = mp_head(m, l);
		bool spreads = manner(m, f) == MP_EARLIEST;

		if (l->deficit <= 0) {
			l->deficit += QUANTUM;
			list_del(&l->link);
			list_add_tail(&m->active, &l->link);
			continue;
		}
		if ((!spreads || spread) && send_head(m, l, f, now, out))
			return true;
		spread &= !spreads;
		tries--;
		list_del(&l->link);
		list_add_tail(&m->active, &l->link);
	}
	return false;
}

/* Copies take half of a window at most; without a rate, ten packets. */
static bool may_copy(const struct mp *m, const struct mp_path *p)
{
	if (p->model.rate == 0)
		return mp_room(m, p) && mp_out(p) < FIRST_COPIES * MP_PACKET;
	return mp_room(m, p) && 2 * mp_out(p) < p->model.window;
}

static void measure(struct mp *m, struct mp_path *p, uint64_t now,
		    struct mp_effects *out)
{
	uint32_t have = m->last_n < MP_LAST ? m->last_n : MP_LAST;

	if (!mp_may_measure(p)) {
		if (p->model.rate > 0) {
			p->model.state = MP_KNOWN;
			m->n.measure_full++;
		}
		return;
	}
	for (uint32_t k = 0;
	     k < COPIES_A_TIME && may_copy(m, p) && mp_may_measure(p); k++) {
		struct buf *f = m->last[(m->last_n - 1 - k % have) % MP_LAST];

		if (out->n == MP_EFFECTS) {
			m->more = true;
			return;
		}
		m->n.measured++;
		send_on(m, p, f, MP_WHY_MEASURE, now, out);
	}
	if (!may_copy(m, p))
		p->model.limited = true;
}

static bool stale(const struct mp_path *p, uint64_t now)
{
	uint64_t wait = MEASURE_AGAIN;

	if (p->model.min_rtt != UINT64_MAX && 20 * p->model.min_rtt > wait)
		wait = 20 * p->model.min_rtt;
	return mp_out(p) == 0 && now - p->data_at > UNUSED &&
	       now - p->measure_at > wait;
}

static void push_measure(struct mp *m, uint64_t now, struct mp_effects *out)
{
	uint32_t of = candidates(m, true);

	for (unsigned i = 0; i < m->path_n; i++) {
		struct mp_path *p = &m->path[i];

		if (!(of >> i & 1))
			continue;
		if (m->active_n > 0 && stale(p, now)) {
			p->measure_at = now;
			p->n.remeasured++;
			mp_measure(p);
		}
		if (p->model.state == MP_MEASURING && m->last_n > 0 &&
		    now - m->bulk_at < COPY_RECENT &&
		    m->config.scheduler == MP_EARLIEST)
			measure(m, p, now, out);
	}
}

void mp_push(struct mp *m, uint64_t now, struct mp_effects *out)
{
	while (push_again(m, now, out) || push_first(m, now, out))
		;
	if (out->n == MP_EFFECTS && (m->again_first || m->active_n > 0))
		m->more = true;
	push_measure(m, now, out);
	for (unsigned i = 0; m->active_n > 0 && i < m->path_n; i++) {
		uint64_t at = UINT64_MAX;

		if (mp_usable(&m->path[i]))
			at = mp_paced_until(m, &m->path[i]);
		if (at != UINT64_MAX)
			mp_arm(m, &m->pace, at);
	}
}

void mp_thin(struct mp *m, struct buf *f, uint64_t now, struct mp_effects *out)
{
	uint32_t of = candidates(m, false);
	struct mp_path *p = NULL;

	/* No path has answered: one of them, each in turn. */
	for (unsigned i = 0; of == 0 && i < m->path_n; i++) {
		unsigned k = (m->turn_path + i) % m->path_n;

		if (m->path[k].used && mp_allowed(&m->path[k]) &&
		    has_number(m, &m->path[k]))
			of = 1u << k;
	}
	if (of != 0)
		p = earliest(m, of, mp_size_of(f->len));
	if (!p || out->n == MP_EFFECTS) {
		m->n.drop_thin++;
		mp_group(m, 0)->dropped++;
		mp_drop(m, f);
		return;
	}
	if (!p->alive)
		m->turn_path++;
	f->ack = 0;
	f->seq = m->lane[0].next++;
	f->now = now;
	m->n.first++;
	send_on(m, p, f, MP_WHY_THIN, now, out);
	if (!(f->flags & MP_F_ONCE) && f->len <= TWIN_MOST && mp_lossy(p) &&
	    has_number(m, p) && out->n < MP_EFFECTS) {
		m->n.twin++;
		send_on(m, p, f, MP_WHY_TWIN, now, out);
	}
	mp_drop(m, f);
}
