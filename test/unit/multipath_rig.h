/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * multipath_rig - One end whose other end is the test, or two with links between
 *
 * After each call all effects are noted and given back, what is left over is asked
 * for, and mp_check() looks at all of it.
 */
#ifndef TEST_MULTIPATH_RIG_H
#define TEST_MULTIPATH_RIG_H

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/seq.h"
#include "multipath/multipath.h"

#define MS	     NS_PER_MS
#define RIG_NOTES    8192
#define RIG_FLIGHT   16384
#define RIG_HEAD     28 /* bytes of IPv4 and UDP in front of an inner payload */
#define RIG_FLOW_OFF 30 /* where the flow stands in it */

/** struct note - An effect */
struct note {
	bool send;
	uint8_t path;
	enum mp_why why;
	struct mp_header h; /* of what is sent */
	uint32_t n;	    /* bytes of it */
	uint8_t bytes[MP_CONTROL_MAX];
	uint32_t id; /* of the inner packet */
	uint8_t flow;
	uint8_t tos;
	uint32_t len; /* of the inner packet */
	uint32_t pad;
	uint64_t at;
};

/** struct link - One way of a path */
struct link {
	uint64_t rate; /* bytes/s, 0: any */
	uint64_t delay;
	uint32_t queue; /* packets */
	uint32_t every; /* loses each of so many; 0: none */
	uint32_t most;	/* bytes of a message that nobody may cut; 0: any */
	bool down;
	uint64_t free; /* when the last one has been sent */
	uint32_t n;
};

/** struct end - An end and what it did */
struct end {
	struct arena arena;
	struct mp *m;
	uint64_t now;
	uint32_t notes;
	struct note note[RIG_NOTES];
	uint32_t id; /* of the next inner packet */
	/* Two ends: */
	struct end *peer;
	struct link link[MP_PATHS];
};

/** struct flying - A datagram between two ends */
struct flying {
	uint64_t at;
	uint32_t n;
	struct end *to;
	uint8_t path;
	uint16_t len;
	uint8_t p[1600];
};

static struct flying *rig_heap[RIG_FLIGHT];
static uint32_t rig_flying, rig_count;

static inline bool rig_before(const struct flying *a, const struct flying *b)
{
	return a->at != b->at ? a->at < b->at : a->n < b->n;
}

static inline void rig_fly(struct end *e, const struct mp_effect *x)
{
	struct link *l = &e->link[x->path];
	struct flying *f;
	uint32_t size = x->n + x->len + x->pad + MP_OVERHEAD;
	uint64_t start = l->free > e->now ? l->free : e->now;
	uint64_t time = l->rate == 0 ? 0 : size * NS_PER_SEC / l->rate;

	if (l->queue > 0 && (start - e->now) / NS_PER_US * l->rate >
				    l->queue * 1514 * (NS_PER_SEC / NS_PER_US))
		return;
	l->free = start + time;
	l->n++;
	if (x->pad > 0 && l->most > 0 && x->n + x->pad > l->most)
		return;
	if (l->down || (l->every > 0 && l->n % l->every == 0))
		return;
	f = malloc(sizeof(*f));
	if (f == NULL || rig_flying == RIG_FLIGHT)
		abort();
	f->at = l->free + l->delay;
	f->n = rig_count++;
	f->to = e->peer;
	f->path = x->path;
	f->len = (uint16_t)(x->n + x->len + x->pad);
	memset(f->p, 0, sizeof(f->p));
	memcpy(f->p, x->bytes, x->n);
	if (x->len > 0)
		memcpy(f->p + x->n, x->frame->data + x->off, x->len);
	for (uint32_t i = rig_flying++;; i = (i - 1) / 2) {
		if (i == 0 || !rig_before(f, rig_heap[(i - 1) / 2])) {
			rig_heap[i] = f;
			break;
		}
		rig_heap[i] = rig_heap[(i - 1) / 2];
	}
}

static inline struct flying *rig_land(void)
{
	struct flying *first = rig_heap[0], *f = rig_heap[--rig_flying];
	uint32_t i = 0;

	for (;;) {
		uint32_t k = 2 * i + 1;

		if (k >= rig_flying)
			break;
		if (k + 1 < rig_flying &&
		    rig_before(rig_heap[k + 1], rig_heap[k]))
			k++;
		if (!rig_before(rig_heap[k], f))
			break;
		rig_heap[i] = rig_heap[k];
		i = k;
	}
	rig_heap[i] = f;
	return first;
}

static inline void rig_note(struct end *e, struct mp_effect *x)
{
	struct note *t = &e->note[e->notes++ % RIG_NOTES];
	const uint8_t *p = x->frame == NULL ? NULL : x->frame->data + x->off;

	memset(t, 0, sizeof(*t));
	t->send = x->send;
	t->path = x->path;
	t->why = x->why;
	t->at = e->now;
	t->n = x->n;
	memcpy(t->bytes, x->bytes, x->n);
	t->pad = x->pad;
	if (x->send && x->pad == 0)
		CHECK(mp_header_parse(x->bytes, x->n, &t->h) > 0);
	t->len = x->len;
	if (p != NULL && x->len >= RIG_HEAD + 8) {
		t->tos = p[1];
		t->flow = p[RIG_FLOW_OFF];
		t->id = get_be32(p + RIG_FLOW_OFF + 2);
	}
	if (e->peer != NULL && x->send)
		rig_fly(e, x);
	mp_done(e->m, x);
}

static inline void rig_check(struct end *e)
{
	const char *bad = mp_check(e->m, true);

	if (bad != NULL)
		printf("# mp_check: %s\n", bad);
	CHECK(bad == NULL);
}

static inline void rig_took(struct end *e, struct mp_effects *out)
{
	for (;;) {
		CHECK(out->n <= MP_EFFECTS);
		for (uint32_t i = 0; i < out->n; i++)
			rig_note(e, &out->e[i]);
		if (e->peer == NULL)
			rig_check(e);
		if (mp_next_timeout(e->m) > e->now)
			return;
		out->n = 0;
		mp_timeout(e->m, e->now, out);
	}
}

static inline struct mp_limits rig_limits(void)
{
	return (struct mp_limits){
		.lanes = 16, .packets = 1024, .window = 1024, .pool = 8u << 20
	};
}

static inline void rig_open(struct end *e, const struct mp_limits *l,
			    const struct mp_config *c)
{
	static const struct hash_key key = { { 1, 2 } };
	size_t n = mp_size(l);

	memset(e, 0, sizeof(*e));
	e->now = NS_PER_SEC;
	CHECK(n != SIZE_MAX);
	e->arena.base = aligned_alloc(ARENA_ALIGN, arena_need(n));
	if (e->arena.base == NULL)
		abort();
	memset(e->arena.base, 0, n);
	e->arena.size = n;
	CHECK(mp_init(&e->m, &e->arena, l, c, &key, e->now) == 0);
}

static inline void rig_close(struct end *e)
{
	free(e->arena.base);
}

/** rig_until() - Time goes on to @at; timers fire */
static inline void rig_until(struct end *e, uint64_t at)
{
	while (mp_next_timeout(e->m) <= at) {
		struct mp_effects out;
		uint64_t next = mp_next_timeout(e->m);

		out.n = 0;
		e->now = next > e->now ? next : e->now;
		mp_timeout(e->m, e->now, &out);
		rig_took(e, &out);
	}
	e->now = at > e->now ? at : e->now;
}

/** rig_udp() - An inner datagram of a flow: @len bytes of IPv4 in all */
static inline uint32_t rig_udp(struct end *e, uint8_t flow, uint32_t len,
			       uint8_t tos, enum mp_class class)
{
	struct mp_effects out;
	struct buf *f = mp_frame(e->m, len);
	uint8_t *p;

	if (f == NULL) {
		CHECK(f != NULL);
		return 0;
	}
	p = f->data;
	memset(p, 0, len);
	p[0] = 0x45;
	p[1] = tos;
	put_be16(p + 2, (uint16_t)len);
	p[8] = 64;
	p[9] = 17;
	put_be32(p + 12, 0x0a000001);
	put_be32(p + 16, 0x0a000002);
	put_be16(p + 20, (uint16_t)(1000 + flow));
	put_be16(p + 22, 7000);
	put_be16(p + 24, (uint16_t)(len - 20));
	p[RIG_FLOW_OFF] = flow;
	put_be32(p + RIG_FLOW_OFF + 2, e->id);
	out.n = 0;
	mp_inner(e->m, f, class, e->now, &out);
	rig_took(e, &out);
	return e->id++;
}

/** rig_bulk() - @n full packets of flow 1 */
static inline void rig_bulk(struct end *e, uint32_t n)
{
	while (n-- > 0)
		rig_udp(e, 1, 1400, 0, MP_AS_ALL);
}

/** rig_outer() - These bytes come on a path */
static inline void rig_outer(struct end *e, unsigned path, const uint8_t *p,
			     uint32_t n)
{
	struct mp_effects out;
	struct buf *f = mp_frame(e->m, n);

	if (f == NULL)
		abort();
	memcpy(f->data, p, n);
	out.n = 0;
	mp_outer(e->m, path, f, e->now, &out);
	rig_took(e, &out);
}

/** rig_data() - Packet @lane_seq of @lane comes as @path_seq of a path */
static inline void rig_data(struct end *e, uint8_t path, uint32_t path_seq,
			    uint16_t lane, uint32_t lane_seq)
{
	uint8_t p[MP_HEADER_TIMED + 100] = { 0 };
	struct mp_header h = { .type = MP_DATA,
			       .path = path,
			       .lane = lane,
			       .path_seq = path_seq,
			       .lane_seq = lane_seq };
	uint32_t n = mp_header_emit(&h, p);

	put_be32(p + n + RIG_FLOW_OFF + 2, lane_seq);
	rig_outer(e, path, p, n + 100);
}

/** rig_report() - A feedback comes */
static inline void rig_report(struct end *e, const struct mp_report *r)
{
	uint8_t p[MP_CONTROL_MAX];

	rig_outer(e, r->path, p, mp_report_emit(r, p));
}

/** rig_find() - The n-th note from @from on with this reason, or NULL */
static inline struct note *rig_find(struct end *e, uint32_t from,
				    enum mp_why why, uint32_t n)
{
	for (uint32_t i = from; i < e->notes; i++)
		if (e->note[i].why == why && n-- == 0)
			return &e->note[i];
	return NULL;
}

static inline uint32_t rig_count_of(const struct end *e, uint32_t from,
				    enum mp_why why)
{
	uint32_t n = 0;

	for (uint32_t i = from; i < e->notes; i++)
		n += e->note[i].why == why;
	return n;
}

/** rig_path() - Add a path and answer its probe after @rtt */
static inline void rig_path(struct end *e, unsigned path, uint64_t rtt)
{
	struct mp_path_config c = { .tier = MP_PRIMARY };
	struct mp_report r = { .path = (uint8_t)path, .highest = 1 };

	CHECK(mp_path_add(e->m, path, &c, e->now) == 0);
	rig_until(e, e->now + MS);
	rig_until(e, e->now + rtt - MS);
	r.at = (uint32_t)((e->now - rtt / 2) / NS_PER_US);
	r.bytes = MP_HEADER + MP_OVERHEAD;
	rig_report(e, &r);
}

/** rig_pair() - Two ends, @paths paths as @l */
static inline void rig_pair(struct end *a, struct end *b, unsigned paths,
			    const struct link *l, const struct mp_config *c)
{
	struct mp_limits limits = rig_limits();
	struct mp_path_config p = { .tier = MP_PRIMARY };

	rig_open(a, &limits, c);
	rig_open(b, &limits, c);
	a->peer = b;
	b->peer = a;
	for (unsigned i = 0; i < paths; i++) {
		a->link[i] = l[i];
		b->link[i] = l[i];
		b->link[i].every = 0;
		CHECK(mp_path_add(a->m, i, &p, a->now) == 0);
		CHECK(mp_path_add(b->m, i, &p, b->now) == 0);
	}
}

/** rig_run() - Both ends and what flies between them, until @at */
static inline void rig_run(struct end *a, struct end *b, uint64_t at)
{
	for (;;) {
		uint64_t ta = mp_next_timeout(a->m), tb = mp_next_timeout(b->m);
		uint64_t t = ta < tb ? ta : tb;

		if (rig_flying > 0 && rig_heap[0]->at < t)
			t = rig_heap[0]->at;
		if (t > at)
			break;
		a->now = a->now < t ? t : a->now;
		b->now = a->now;
		if (rig_flying > 0 && rig_heap[0]->at <= a->now) {
			struct flying *f = rig_land();

			rig_outer(f->to, f->path, f->p, f->len);
			free(f);
			continue;
		}
		rig_until(a, a->now);
		rig_until(b, a->now);
	}
	a->now = b->now = at;
}

/** rig_end() - Nothing flies any more; both ends are whole, and empty if @empty */
static inline void rig_end(struct end *a, struct end *b, bool empty)
{
	rig_check(a);
	rig_check(b);
	if (empty) {
		CHECK(mp_queued(a->m) == 0 && mp_queued(b->m) == 0);
		/* What is kept for copies goes with a restart. */
		mp_restart(a->m, a->now);
		mp_restart(b->m, b->now);
		CHECK(pool_used(mp_pool(a->m)) == 0);
		CHECK(pool_used(mp_pool(b->m)) == 0);
	}
	while (rig_flying > 0)
		free(rig_land());
	rig_close(a);
	rig_close(b);
}

#endif /* TEST_MULTIPATH_RIG_H */
