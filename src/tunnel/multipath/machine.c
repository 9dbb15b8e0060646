/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - The face of an end: packets and time in, effects out
 *
 * Theory of operation
 *
 * Each call does what its input asks for, then what earlier calls left over,
 * then sends all that may be sent; in this order, so that an arrival is always
 * delivered at once if it may be. A call has room for MP_EFFECTS; who finds
 * none sets `more`, and the next call is due at once. Timers lie in one wheel;
 * a probe timer and the timer of a hole are set once and look at their deadline
 * when they fire, for it moves with every packet.
 *
 *	inner packet	inner.c (which lane), then queue.c or, thin, schedule.c
 *	data		feedback.c (its path's number), release.c (its lane's)
 *	probe		feedback.c
 *	feedback	again.c (fates), path.c (figures), schedule.c
 *	settle		feedback.c
 *	size, sized	size.c
 *
 * A frame has one owner at a time and perhaps several holders, counted in it:
 * the queue, the numbers that are out with it, the list of what goes again, the
 * last ones sent, the shelf of what is held; and effects, which hold it by the
 * pool's own count. The last one frees it. All memory is taken by mp_init().
 *
 * More than 600 lines: an end's whole face, with its configuration's limits.
 */
#include "multipath/multipath_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define WHY_NAME(id, name) name,
static const char *const why_name[] = { MP_WHYS(WHY_NAME) };

const char *mp_why_name(enum mp_why why)
{
	return why_name[why];
}

void mp_drop(struct mp *m, struct buf *f)
{
	assert(f->flags & MP_F_HOLDERS);
	f->flags--;
	if (!(f->flags & MP_F_HOLDERS))
		buf_clear(m->pool, f, BUF_QUEUE);
}

struct mp_effect *mp_effect(struct mp *m, struct mp_effects *out)
{
	if (out->n == MP_EFFECTS) {
		m->more = true;
		return NULL;
	}
	return &out->e[out->n++];
}

void mp_arm(struct mp *m, struct mp_timer *t, uint64_t when)
{
	if (!timer_armed(&t->t) || when < t->t.when)
		wheel_arm(&m->wheel, &t->t, when);
}

struct mp_config mp_config_default(void)
{
	return (struct mp_config){ .scheduler = MP_EARLIEST,
				   .release = MP_RELEASE_ORDER,
				   .weight = 1,
				   .again = true,
				   .timer = true };
}

static bool power(uint32_t v)
{
	return v > 0 && !(v & (v - 1));
}

static bool bounds_ok(const struct mp_limits *l)
{
	return l->lanes >= 2 && l->lanes <= UINT16_MAX && power(l->packets) &&
	       power(l->window) && l->packets <= 1u << 20 &&
	       l->window <= MP_AHEAD && l->pool > 0;
}

static bool config_ok(const struct mp_config *c)
{
	return c->weight >= 1 && c->scheduler <= MP_PIN &&
	       c->release <= MP_RELEASE_OFF;
}

static bool path_config_ok(const struct mp_path_config *c)
{
	return c->tier <= MP_BACKUP &&
	       (c->size_most == 0 || (c->size_least > MP_HEADER_TIMED &&
				      c->size_least <= c->size_most));
}

size_t mp_size(const struct mp_limits *l)
{
	size_t pool = pool_size(l->pool);

	if (pool == SIZE_MAX || !bounds_ok(l))
		return SIZE_MAX;
	return arena_need(sizeof(struct mp)) + pool +
	       arena_need(l->lanes * sizeof(struct mp_lane)) +
	       arena_need(l->lanes * (MP_SEEN / 8)) +
	       2 * shelf_size(l->packets) +
	       MP_PATHS * arena_need(l->window * sizeof(struct mp_sent));
}

static void init_timer(struct mp_timer *t, enum mp_timer_kind kind, uint32_t of)
{
	timer_init(&t->t);
	t->kind = kind;
	t->of = of;
}

static void init_lanes(struct mp *m)
{
	for (uint32_t i = 0; i < m->limits.lanes; i++) {
		struct mp_lane *l = &m->lane[i];

		memset(l, 0, sizeof(*l));
		l->seen = m->seen_base + i * (MP_SEEN / 64);
		list_init(&l->link);
		list_init(&l->ready_link);
		init_timer(&l->hole, MP_T_HOLE, i);
	}
}

static int take_memory(struct mp *m, struct arena *a, const struct mp_limits *l)
{
	int r = pool_init(&m->pool, a, l->pool);

	if (r == 0)
		r = shelf_init(&m->queue, a, l->packets);
	if (r == 0)
		r = shelf_init(&m->held, a, l->packets);
	m->lane = arena_take(a, l->lanes * sizeof(struct mp_lane));
	m->seen_base = arena_take(a, l->lanes * (MP_SEEN / 8));
	if (r != 0 || !m->lane || !m->seen_base)
		return -ENOMEM;
	for (unsigned i = 0; i < MP_PATHS; i++) {
		m->path[i].sent =
			arena_take(a, l->window * sizeof(struct mp_sent));
		if (!m->path[i].sent)
			return -ENOMEM;
	}
	return 0;
}

int mp_init(struct mp **out, struct arena *a, const struct mp_limits *l,
	    const struct mp_config *c, const struct hash_key *key, uint64_t now)
{
	struct mp *m;

	if (!bounds_ok(l) || !config_ok(c))
		return -EINVAL;
	m = arena_take(a, sizeof(*m));
	if (!m)
		return -ENOMEM;
	memset(m, 0, sizeof(*m));
	if (take_memory(m, a, l) != 0)
		return -ENOMEM;
	m->limits = *l;
	m->config = *c;
	m->key = *key;
	m->now = now;
	m->inner_at = now;
	m->again_last = &m->again_first;
	wheel_init(&m->wheel, now);
	list_init(&m->active);
	list_init(&m->ready);
	init_timer(&m->equal, MP_T_EQUAL, 0);
	init_timer(&m->pace, MP_T_PACE, 0);
	for (unsigned i = 0; i < MP_PATHS; i++) {
		init_timer(&m->path[i].lost, MP_T_LOST, i);
		init_timer(&m->path[i].report, MP_T_REPORT, i);
		init_timer(&m->path[i].size_timer, MP_T_SIZE, i);
	}
	init_lanes(m);
	mp_release_reset(m);
	*out = m;
	return 0;
}

int mp_configure(struct mp *m, const struct mp_config *c)
{
	if (!config_ok(c) || c->ethernet != m->config.ethernet)
		return -EINVAL;
	m->config = *c;
	m->more = true;
	return 0;
}

/* A path begins, or begins again: nothing is known of it, and it is probed. */
static void begin_path(struct mp *m, struct mp_path *p, uint64_t now)
{
	p->used = true;
	p->alive = false;
	p->heard = false;
	p->fresh = true;
	p->next = 1;
	p->done = 0;
	p->acked = p->tx;
	p->bulk_out = 0;
	p->sent_at = p->data_at = p->heard_at = p->measure_at = 0;
	p->settled_at = 0;
	p->paced_at = p->rated_at = 0;
	p->silent = 0;
	p->spent = 0;
	p->owes_settle = false;
	p->in = (struct mp_in){ .last = &p->in.first };
	mp_model_init(&p->model);
	mp_size_begin(m, p);
	p->deadline = now;
	wheel_arm(&m->wheel, &p->lost.t, now);
}

int mp_path_add(struct mp *m, unsigned path, const struct mp_path_config *c,
		uint64_t now)
{
	struct mp_path *p;

	if (path >= MP_PATHS || !path_config_ok(c))
		return -EINVAL;
	p = &m->path[path];
	if (p->used)
		return -EEXIST;
	p->n = (struct mp_path_counters){ 0 };
	p->tx = 0;
	p->copied = 0;
	p->config = *c;
	if (path >= m->path_n)
		m->path_n = path + 1;
	begin_path(m, p, now);
	return 0;
}

int mp_path_configure(struct mp *m, unsigned path,
		      const struct mp_path_config *c)
{
	struct mp_path *p;
	bool same;

	if (path >= MP_PATHS || !path_config_ok(c))
		return -EINVAL;
	p = &m->path[path];
	if (!p->used)
		return -ENOENT;
	same = p->config.size_least == c->size_least &&
	       p->config.size_most == c->size_most;
	p->config = *c;
	if (!same)
		mp_size_begin(m, p);
	m->more = true;
	return 0;
}

/* What waits for its time on a path that goes is lost. */
static void drop_waiting(struct mp *m, struct mp_path *p)
{
	while (p->in.first) {
		struct buf *f = p->in.first;

		p->in.first = f->next;
		m->waiting_equal--;
		m->n.drop_restart_held++;
		mp_drop(m, f);
	}
}

int mp_path_remove(struct mp *m, unsigned path, uint64_t now)
{
	struct mp_path *p;

	if (path >= MP_PATHS || !m->path[path].used)
		return -ENOENT;
	p = &m->path[path];
	m->now = now;
	mp_leave(m, p);
	drop_waiting(m, p);
	wheel_disarm(&m->wheel, &p->lost.t);
	wheel_disarm(&m->wheel, &p->report.t);
	wheel_disarm(&m->wheel, &p->size_timer.t);
	/* What it carried stays in the sums. */
	m->gone_sent += p->n.sent;
	m->gone_came += p->n.came;
	p->used = false;
	p->alive = false;
	m->more = true;
	return 0;
}

void mp_restart(struct mp *m, uint64_t now)
{
	m->now = now;
	for (unsigned i = 0; i < m->path_n; i++)
		if (m->path[i].used)
			mp_leave(m, &m->path[i]);
	while (m->again_first) {
		struct buf *f = m->again_first;

		m->again_first = f->next;
		mp_drop(m, f);
	}
	m->again_last = &m->again_first;
	for (unsigned i = 0; i < MP_LAST; i++) {
		if (m->last[i])
			mp_drop(m, m->last[i]);
		m->last[i] = NULL;
	}
	m->last_n = 0;
	while (m->active_n > 0) {
		struct mp_lane *l =
			list_entry(m->active.next, struct mp_lane, link);

		mp_drop(m, mp_take(m, l, mp_head(m, l)->seq));
		m->n.drop_restart++;
	}
	mp_release_reset(m);
	for (uint32_t i = 0; i < m->limits.lanes; i++)
		m->lane[i].next = 0;
	m->has_offset = false;
	m->has_in_offset = false;
	for (unsigned i = 0; i < m->path_n; i++)
		if (m->path[i].used)
			begin_path(m, &m->path[i], now);
}

bool mp_path_alive(const struct mp *m, unsigned path)
{
	return m->path[path].used && m->path[path].alive;
}

void mp_path_info(const struct mp *m, unsigned path, struct mp_path_info *out)
{
	const struct mp_path *p = &m->path[path];
	const struct mp_model *d = &p->model;

	*out = (struct mp_path_info){ .n = p->n };
	if (!p->used)
		return;
	out->used = true;
	out->alive = p->alive;
	out->measuring = d->state == MP_MEASURING;
	out->rate = d->rate;
	out->window = d->window;
	out->out = mp_out(p);
	out->min_rtt = d->min_rtt == UINT64_MAX ? 0 : d->min_rtt;
	out->srtt = d->srtt;
	out->delay = d->rel;
	out->size = p->size.limit;
}

struct buf *mp_frame(struct mp *m, uint32_t len)
{
	struct buf *f = buf_alloc(m->pool, len, BUF_QUEUE);

	if (f)
		mp_hold(f);
	return f;
}

void mp_frame_free(struct mp *m, struct buf *f)
{
	mp_drop(m, f);
}

/* What earlier calls left over, then all that may be sent. */
static void finish(struct mp *m, uint64_t now, struct mp_effects *out)
{
	if (m->waiting_equal > 0)
		mp_equal_timeout(m, now, out);
	mp_drain(m, now, out);
	for (unsigned i = 0; i < m->path_n && !m->together; i++)
		if (m->path[i].in.now)
			mp_report(m, &m->path[i], now, out);
	mp_push(m, now, out);
}

/* The time of this call, which never goes back. */
static uint64_t begin(struct mp *m, uint64_t now)
{
	if (now > m->now)
		m->now = now;
	m->more = false;
	return m->now;
}

void mp_inner(struct mp *m, struct buf *f, enum mp_class class, uint64_t now,
	      struct mp_effects *out)
{
	mp_inner_part(m, f, f->data, f->len, class, now, out);
}

void mp_inner_part(struct mp *m, struct buf *f, const uint8_t *whole,
		   uint32_t n, enum mp_class class, uint64_t now,
		   struct mp_effects *out)
{
	struct mp_look look;

	now = begin(m, now);
	m->n.inner++;
	mp_look(m, whole, n, class, &look);
	look.marks = look.marks && whole == f->data;
	mp_group(m, look.lane)->inner++;
	f->urg = (uint16_t) class;
	mp_wake(m, now, out);
	if (look.lane == 0) {
		f->flags |= MP_F_THIN;
		if (look.once)
			f->flags |= MP_F_ONCE;
		m->n.inner_thin++;
		mp_thin(m, f, now, out);
	} else {
		mp_enqueue(m, f, &look, now);
	}
	finish(m, now, out);
}

static void settle_came(struct mp *m, const struct mp_header *h)
{
	uint64_t hold = h->lane_seq * NS_PER_US;

	if (hold < MP_HOLD_LEAST)
		hold = MP_HOLD_LEAST;
	m->hold = hold < MP_HOLD_MOST ? hold : MP_HOLD_MOST;
	m->more_delay = h->lane * NS_PER_MS;
	if (m->more_delay > MP_HOLD_MOST)
		m->more_delay = MP_HOLD_MOST;
	mp_settled(&m->path[h->path], h->path_seq);
}

static void report_came(struct mp *m, const struct buf *f, uint64_t now,
			struct mp_effects *out)
{
	struct mp_report r;

	if (mp_report_parse(f->data, f->len, &r) != 0) {
		m->n.bad++;
		return;
	}
	mp_feedback(m, &r, now);
	mp_settle(m, &m->path[r.path], now, out);
}

static void size_came(struct mp *m, unsigned path, const struct mp_header *h,
		      uint64_t now, struct mp_effects *out)
{
	/* A length is a path's own: neither tries nor answers go by others. */
	if (h->path != path)
		m->n.bad_path++;
	else if (h->type == MP_SIZE)
		mp_size_came(m, h, out);
	else
		mp_sized(m, h, now);
}

/* Data or a probe. Return: whether the frame was given on */
static bool numbered_came(struct mp *m, unsigned path,
			  const struct mp_header *h, struct buf *f,
			  uint32_t off, uint64_t now, struct mp_effects *out)
{
	struct mp_path *p = &m->path[path];
	bool probe = h->type == MP_PROBE;

	if (h->path != path) {
		m->n.bad_path++;
		return false;
	}
	if (!probe && f->len == off) {
		m->n.bad++;
		return false;
	}
	if (!mp_came(m, p, h->path_seq, mp_size_of(probe ? 0 : f->len - off),
		     h->lane != 0, now)) {
		m->n.bad_seq++;
		return false;
	}
	if (probe) {
		p->in.now = true;
		m->n.probes_came++;
		return false;
	}
	mp_arrive(m, p, h, f, off, now, out);
	return true;
}

void mp_outer_begin(struct mp *m)
{
	m->together = true;
}

void mp_outer_end(struct mp *m, uint64_t now, struct mp_effects *out)
{
	m->together = false;
	finish(m, begin(m, now), out);
}

void mp_outer(struct mp *m, unsigned path, struct buf *f, uint64_t now,
	      struct mp_effects *out)
{
	struct mp_header h;
	bool given = false;
	int off;

	now = begin(m, now);
	off = mp_header_parse(f->data, f->len, &h);
	if (off < 0) {
		m->n.bad++;
	} else if (path >= MP_PATHS || !m->path[path].used ||
		   h.path >= MP_PATHS || !m->path[h.path].used) {
		m->n.bad_path++;
	} else {
		switch ((enum mp_type)h.type) {
		case MP_DATA:
		case MP_DATA_TIMED:
		case MP_PROBE:
			given = numbered_came(m, path, &h, f, (uint32_t)off,
					      now, out);
			break;
		case MP_FEEDBACK:
			report_came(m, f, now, out);
			break;
		case MP_SETTLE:
			settle_came(m, &h);
			break;
		case MP_SIZE:
		case MP_SIZED:
			size_came(m, path, &h, now, out);
			break;
		}
	}
	if (!given)
		mp_drop(m, f);
	finish(m, now, out);
}

static void fire(struct mp *m, struct mp_timer *t, uint64_t now,
		 struct mp_effects *out)
{
	switch (t->kind) {
	case MP_T_LOST:
		mp_lost_timeout(m, &m->path[t->of], now, out);
		break;
	case MP_T_REPORT:
		m->path[t->of].in.now = m->path[t->of].in.any;
		break;
	case MP_T_HOLE:
		mp_hole_timeout(m, &m->lane[t->of], now, out);
		break;
	case MP_T_EQUAL:
		mp_equal_timeout(m, now, out);
		break;
	case MP_T_SIZE:
		mp_size_timeout(m, &m->path[t->of], now, out);
		break;
	case MP_T_PACE:
		break; /* all that may be sent is sent after each call */
	}
}

void mp_timeout(struct mp *m, uint64_t now, struct mp_effects *out)
{
	struct timer *t;

	now = begin(m, now);
	while (out->n < MP_EFFECTS && (t = wheel_pop(&m->wheel, now)))
		fire(m, list_entry(t, struct mp_timer, t), now, out);
	finish(m, now, out);
}

uint64_t mp_next_timeout(const struct mp *m)
{
	return m->more ? m->now : wheel_next(&m->wheel);
}

void mp_done(struct mp *m, struct mp_effect *e)
{
	if (e->frame)
		buf_emitted(m->pool, e->frame);
	e->frame = NULL;
}

const struct mp_lane_counters *mp_group_counters(const struct mp *m,
						 unsigned group)
{
	return &m->group[group];
}

const struct mp_counters *mp_counters(const struct mp *m)
{
	return &m->n;
}

uint64_t mp_queued(const struct mp *m)
{
	return m->queued;
}

uint64_t mp_bound(const struct mp *m)
{
	return m->bound;
}

struct pool *mp_pool(const struct mp *m)
{
	return m->pool;
}
