/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_reorder.c - Segments of a few connections, in any order, and outer headers
 *
 * Input: a byte that says which. 0: a packet of IP in IP, any bytes; what is taken lies
 * within it, and is as long as it says. Else: bounds, by a byte each (connections,
 * segments, size, time), then six bytes an event: whose, number and length (in steps, so
 * that they meet), flags, time that passes. A model of arrays, which looks through all of
 * them each time, says what goes on, in which order; the machine says the same.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/seq.h"
#include "ipip/outer.h"
#include "ipip/reorder.h"

#define FLOWS 5
#define MOST  64 /* segments that the model can hold */
#define STEP  6
#define HEAD  40u
#define MS    UINT64_C(1000000)
#define FAR   (1u << 30)

#define FIN 1
#define SYN 2
#define RST 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** struct segment - @id: which one it is */
struct segment {
	uint32_t seq, end, id;
};

/** struct model - A connection */
struct model {
	bool known, syn;
	uint32_t isn, turn, n;
	uint64_t used, since;
	struct segment held[MOST];
};

static struct model model[FLOWS];
static struct reorder_limits limits;
static struct reorder_config config;
static struct reorder *r;
static uint32_t expected[2 * FLOWS * MOST], expect_n;
static uint64_t clock_now, uses;

static uint32_t held_all(void)
{
	uint32_t n = 0;

	for (int i = 0; i < FLOWS; i++)
		n += model[i].n;
	return n;
}

static void expect(uint32_t id)
{
	assert(expect_n < sizeof(expected) / sizeof(expected[0]));
	expected[expect_n++] = id;
}

/* The one that is due first: the lowest number, and of equal ones the first. */
static uint32_t lowest(const struct model *m)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < m->n; i++)
		if (seq_lt(m->held[i].seq, m->held[best].seq))
			best = i;
	return best;
}

static void drain(struct model *m, bool moved)
{
	while (m->n > 0) {
		uint32_t i = lowest(m);
		struct segment s = m->held[i];

		if (!seq_le(s.seq, m->turn))
			break;
		moved = true;
		m->n--;
		memmove(m->held + i, m->held + i + 1,
			(m->n - i) * sizeof(m->held[0]));
		if (seq_le(s.end, m->turn))
			continue;
		m->turn = s.end;
		expect(s.id);
	}
	if (moved)
		m->since = clock_now;
}

static void give_up(struct model *m)
{
	m->turn = m->held[lowest(m)].seq;
	drain(m, true);
}

static void flush(struct model *m)
{
	while (m->n > 0)
		give_up(m);
}

static void go(struct model *m, const struct segment *s)
{
	m->turn = s->end;
	expect(s->id);
}

static void hold(struct model *m, const struct segment *s)
{
	if (held_all() == limits.held) {
		flush(m);
		if (seq_le(s->seq, m->turn) || held_all() == limits.held) {
			go(m, s);
			return;
		}
	}
	for (uint32_t i = 0; i < m->n; i++)
		if (m->held[i].seq == s->seq && seq_le(s->end, m->held[i].end))
			return;
	assert(m->n < MOST);
	if (m->n == 0)
		m->since = clock_now;
	m->held[m->n++] = *s;
	if (config.size > 0 && m->n > config.size)
		flush(m);
}

static void enter(struct model *m)
{
	struct model *old = NULL;
	uint32_t known = 0;

	for (int i = 0; i < FLOWS; i++) {
		known += model[i].known;
		if (model[i].known && (!old || model[i].used < old->used))
			old = &model[i];
	}
	if (!m->known && known == limits.flows) {
		flush(old);
		old->known = false;
	}
	m->used = ++uses;
}

static void model_put(uint8_t of, uint8_t flags, const struct segment *s)
{
	struct model *m = &model[of];

	if (!config.on || (s->seq == s->end && !(flags & RST))) {
		expect(s->id);
	} else if (flags & RST) {
		if (m->known)
			flush(m);
		m->known = false;
		expect(s->id);
	} else {
		enter(m);
		if (!m->known ||
		    (flags & SYN && (!m->syn || m->isn != s->seq))) {
			flush(m);
			m->known = true;
			m->syn = flags & SYN;
			m->isn = s->seq;
			go(m, s);
		} else if (seq_le(s->end, m->turn)) {
			expect(s->id);
		} else if (seq_le(s->seq, m->turn)) {
			go(m, s);
			drain(m, true);
		} else if (s->seq - m->turn > FAR) {
			flush(m);
			go(m, s);
		} else {
			hold(m, s);
		}
	}
}

static void compare(void)
{
	struct buf *f;
	uint32_t i = 0;

	while ((f = reorder_next(r))) {
		assert(i < expect_n && get_be16(f->data + 4) == expected[i]);
		i++;
		reorder_done(r, f);
	}
	assert(i == expect_n);
	expect_n = 0;
	assert(reorder_check(r) == NULL);
	assert(reorder_held(r) == held_all());
}

static void put(const uint8_t *d, uint32_t id)
{
	uint8_t of = d[0] % FLOWS, flags = d[3] & (FIN | SYN | RST);
	uint32_t len = d[2] % 8 * 10u;
	struct segment s = { .seq = 0xfffffc00u + d[1] * 10u, .id = id };
	struct buf *f;
	uint8_t *p;

	/* Connections that never end are the rule. */
	if (d[3] & 0xc0)
		flags = 0;
	if (d[4] == 255)
		s.seq += FAR + 5000;
	s.end = s.seq + len + !!(flags & SYN) + !!(flags & FIN);
	f = reorder_frame(r, HEAD + len);
	assert(f);
	p = f->data;
	memset(p, 0, HEAD + len);
	p[0] = 0x45;
	put_be16(p + 2, (uint16_t)(HEAD + len));
	put_be16(p + 4, (uint16_t)id);
	p[9] = 6;
	p[12] = of;
	put_be32(p + 24, s.seq);
	p[32] = 0x50;
	p[33] = flags;
	s.id = (uint16_t)id;
	model_put(of, flags, &s);
	reorder_put(r, f, clock_now);
	compare();
}

/* Time passes until the machine says that something is due. Each hole that it gives up
 * then is the oldest of the model's, and its time is over.
 */
static void pass_time(void)
{
	uint64_t due = reorder_next_timeout(r);
	uint64_t gave = reorder_counters(r)->given_up;

	assert((due == UINT64_MAX) == (held_all() == 0 || config.hold == 0));
	if (due == UINT64_MAX)
		return;
	if (due > clock_now)
		clock_now = due;
	reorder_timeout(r, clock_now);
	for (; gave < reorder_counters(r)->given_up; gave++) {
		struct model *m = NULL;

		for (int i = 0; i < FLOWS; i++)
			if (model[i].n > 0 && (!m || model[i].since < m->since))
				m = &model[i];
		assert(m && m->since + config.hold <= clock_now);
		give_up(m);
	}
	compare();
}

static void outer_any(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size > 0 ? size : 1);
	const uint8_t *src = NULL;
	uint32_t at = 0;

	if (p == NULL)
		abort();
	memcpy(p, data, size);
	if (outer_parse(p, (uint32_t)size, &src, &at) == OUTER_PACKET) {
		assert(at >= 20 && at <= 60 && at + 20 <= size);
		assert(src == p + 12 && p[at] >> 4 == 4);
		assert(get_be16(p + at + 2) == size - at);
	}
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hash_key key = { { 3, 4 } };
	struct arena a = { .size = 0 };
	uint32_t id = 0;

	if (size < 6)
		return 0;
	if (data[0] == 0) {
		outer_any(data + 1, size - 1);
		return 0;
	}
	limits = (struct reorder_limits){ 1 + data[1] % FLOWS,
					  1 + data[2] % MOST, 1 << 20 };
	config = (struct reorder_config){ true, data[3] % 12,
					  data[4] % 4 * 50 * MS };
	/* Of the pool, which is last, no byte is read before it is written. */
	a.size = reorder_size(&limits);
	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	if (a.base == NULL)
		abort();
	memset(a.base, 0, a.size - pool_size(limits.pool) + 4096);
	memset(model, 0, sizeof(model));
	clock_now = uses = 0;
	expect_n = 0;
	if (reorder_init(&r, &a, &limits, &config, &key, 0) != 0)
		abort();
	for (size_t i = 5; i + STEP <= size; i += STEP) {
		/* No two holes begin at one time, nor within a tick. */
		clock_now += MS;
		put(data + i, ++id);
		if (data[i + 5] >= 224) {
			pass_time();
		} else if (data[i + 5] == 1) {
			for (int k = 0; k < FLOWS; k++)
				flush(&model[k]);
			config.on = !config.on;
			/* In the order of the machine's table, which is not ours. */
			reorder_configure(r, &config);
			expect_n = 0;
			for (struct buf *f; (f = reorder_next(r));)
				reorder_done(r, f);
			compare();
		}
	}
	for (int k = 0; k < FLOWS; k++)
		flush(&model[k]);
	config.on = false;
	reorder_configure(r, &config);
	for (struct buf *f; (f = reorder_next(r));)
		reorder_done(r, f);
	assert(reorder_held(r) == 0 && reorder_used(r) == 0);
	free(a.base);
	return 0;
}
