/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_multipath.c - Fuzz the machine: operations on two ends and what is between
 *
 * Input: bytes of configuration, then operations of one byte and its arguments:
 * inner packets of some flows, time, the datagrams in flight (delivered in any order,
 * lost, repeated, one bit changed), forged messages, paths that come and go, another
 * configuration, a restart. A mode without forgery holds what the tunnel promises:
 * no packet twice, order within a lane but for late ones, none that was not sent; and
 * that in the end all memory is back. In every mode mp_check() holds after each call,
 * a call writes no more than MP_EFFECTS, and both ends come to rest.
 */
#include "multipath/multipath.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLIGHT	256u
#define PACKETS 4096u
#define FLOWS	16u /* by two bits of flow and two of class */
#define LEN	48u

/** struct datagram - In flight */
struct datagram {
	bool used;
	uint8_t to;
	uint8_t path;
	uint16_t len;
	uint8_t p[MP_CONTROL_MAX + LEN];
};

/** struct world - Two ends and what is between them */
struct world {
	struct arena arena[2];
	struct mp *m[2];
	uint64_t now;
	struct datagram flight[FLIGHT];
	uint32_t at;		   /* oldest place */
	uint32_t sent[2];	   /* inner packets so far */
	uint8_t times[2][PACKETS]; /* delivered, by the end that sent it */
	uint32_t last[2][FLOWS];   /* of each flow, plus 1 */
	bool forged;
	bool ordered[2];
	const uint8_t *data;
	size_t size;
};

static struct world w;

static uint8_t next(void)
{
	if (w.size == 0)
		return 0;
	w.size--;
	return *w.data++;
}

static void fly(unsigned from, const struct mp_effect *e)
{
	struct datagram *d = &w.flight[w.at++ % FLIGHT];

	d->used = true; /* what was there is lost */
	d->to = (uint8_t)(1 - from);
	d->path = e->path;
	assert(e->pad == 0 || e->n + e->pad <= LEN);
	d->len = (uint16_t)(e->n + e->len + e->pad);
	memset(d->p + e->n, 0, e->pad);
	memcpy(d->p, e->bytes, e->n);
	if (e->len > 0)
		memcpy(d->p + e->n, e->frame->data + e->off, e->len);
}

/* An inner packet comes out at @end. */
static void deliver(unsigned end, const struct mp_effect *e)
{
	const uint8_t *p = e->frame->data + e->off;
	unsigned from = 1 - end;
	uint32_t id, flow;

	if (w.forged)
		return;
	assert(e->len >= 36 && e->len <= LEN);
	id = get_be32(p + 32);
	flow = p[30];
	assert(id < w.sent[from] && flow < FLOWS);
	assert(w.times[from][id]++ == 0);
	if (e->why == MP_WHY_ORDER && p[1] == 0 && w.ordered[end]) {
		assert(id + 1 > w.last[from][flow]);
		w.last[from][flow] = id + 1;
	}
}

static void must_hold(unsigned end)
{
	const char *bad = mp_check(w.m[end], true);

	if (bad != NULL) {
		fprintf(stderr, "end %u: %s\n", end, bad);
		abort();
	}
}

static void took(unsigned end, struct mp_effects *out)
{
	unsigned calls = 0;

	for (;;) {
		assert(out->n <= MP_EFFECTS);
		for (uint32_t i = 0; i < out->n; i++) {
			if (out->e[i].send)
				fly(end, &out->e[i]);
			else
				deliver(end, &out->e[i]);
			mp_done(w.m[end], &out->e[i]);
		}
		must_hold(end);
		if (mp_next_timeout(w.m[end]) > w.now)
			break;
		assert(++calls < 100000);
		out->n = 0;
		mp_timeout(w.m[end], w.now, out);
	}
}

static void time_goes(uint64_t ns)
{
	uint64_t end = w.now + ns;

	for (unsigned calls = 0;; calls++) {
		uint64_t a = mp_next_timeout(w.m[0]);
		uint64_t b = mp_next_timeout(w.m[1]);
		uint64_t t = a < b ? a : b;
		struct mp_effects out;

		assert(calls < 100000);
		if (t > end)
			break;
		w.now = t > w.now ? t : w.now;
		out.n = 0;
		mp_timeout(w.m[a <= b ? 0 : 1], w.now, &out);
		took(a <= b ? 0 : 1, &out);
	}
	w.now = end;
}

static void inner(unsigned end, uint8_t how)
{
	uint32_t len = 36 + how % 13;
	struct buf *f = mp_frame(w.m[end], len);
	struct mp_effects out;
	uint8_t *p;

	if (f == NULL || w.sent[end] == PACKETS) {
		if (f != NULL)
			buf_clear(mp_pool(w.m[end]), f, BUF_QUEUE);
		return;
	}
	p = f->data;
	memset(p, 0, len);
	p[0] = 0x45;
	p[1] = how & 0x80 ? 46 << 2 : 0;
	put_be16(p + 2, (uint16_t)len);
	p[9] = 17;
	p[30] = (uint8_t)(how % 4 | (how >> 4 & 3) << 2);
	put_be16(p + 20, (uint16_t)(1000 + how % 4));
	put_be32(p + 32, w.sent[end]++);
	out.n = 0;
	mp_inner(w.m[end], f, (enum mp_class)(how >> 4 & 3), w.now, &out);
	took(end, &out);
}

static void outer(unsigned end, uint8_t path, const uint8_t *p, uint32_t len)
{
	struct buf *f = mp_frame(w.m[end], len);
	struct mp_effects out;

	if (f == NULL)
		return;
	memcpy(f->data, p, len);
	out.n = 0;
	mp_outer(w.m[end], path, f, w.now, &out);
	took(end, &out);
}

/* What becomes of a datagram that is in flight. */
static void land(uint8_t which, uint8_t how)
{
	struct datagram *d = &w.flight[(w.at + which) % FLIGHT];

	if (!d->used)
		return;
	if (how % 8 != 7)
		d->used = false; /* else it comes twice */
	if (how % 8 == 6)
		return; /* it is lost */
	if (how % 8 == 5 && w.forged)
		d->p[(how >> 3) % d->len] ^= (uint8_t)(1 << which % 8);
	outer(d->to, d->path, d->p, d->len);
}

static void land_all(void)
{
	for (uint32_t i = 0; i < FLIGHT; i++)
		land((uint8_t)i, 0);
}

static void forge(unsigned end)
{
	uint8_t p[MP_CONTROL_MAX];
	uint32_t n = next();

	for (uint32_t i = 0; i < n; i++)
		p[i] = next();
	if (n > 0)
		p[0] = (uint8_t)(p[0] % 9);
	if (w.forged)
		outer(end, next() % 4, p, n);
}

static struct mp_config config(uint8_t how)
{
	struct mp_config c = mp_config_default();

	c.scheduler = (enum mp_scheduler)(how % 5);
	c.release = (enum mp_release)(how / 5 % 3);
	c.timed = c.release == MP_RELEASE_EQUAL;
	c.again = how < 200;
	c.timer = how % 7 != 6;
	c.size = how % 11 == 3 ? how % 8 : 0;
	c.weight = 1 + how % 4;
	return c;
}

static void path_goes(unsigned end, uint8_t how)
{
	struct mp_path_config c = { .tier = (enum mp_tier)(how >> 4 & 1),
				    .cap = how & 0x80 ? 5000 : 0,
				    .off = (how & 0x44) == 0x44,
				    .size_least = 30,
				    .size_most = how & 0x20 ? LEN : 0 };

	if (how & 8)
		mp_path_remove(w.m[end], how % 4, w.now);
	else if (mp_path_add(w.m[end], how % 4, &c, w.now) != 0)
		mp_path_configure(w.m[end], how % 4, &c);
	must_hold(end);
}

static void restart(void)
{
	for (unsigned i = 0; i < FLIGHT; i++)
		w.flight[i].used = false;
	for (unsigned i = 0; i < 2; i++) {
		mp_restart(w.m[i], w.now);
		must_hold(i);
		assert(pool_used(mp_pool(w.m[i])) == 0);
	}
}

static void operation(uint8_t op)
{
	unsigned end = op >> 7;
	struct mp_config c;

	switch (op & 15) {
	case 0:
	case 1:
	case 2:
		inner(end, next());
		break;
	case 3:
		for (unsigned i = op >> 4 & 7; i > 0; i--)
			inner(end, next());
		break;
	case 4:
	case 5:
	case 6:
		land(next(), next());
		break;
	case 7:
	case 8:
		land_all();
		break;
	case 9:
		time_goes((op >> 4 & 7) * NS_PER_MS);
		break;
	case 10:
		time_goes(next() * 4 * NS_PER_MS);
		break;
	case 11:
		time_goes(next() * NS_PER_SEC / 8);
		break;
	case 12:
		forge(end);
		break;
	case 13:
		path_goes(end, next());
		break;
	case 14:
		c = config(next());
		w.ordered[end] = false;
		assert(mp_configure(w.m[end], &c) == 0);
		break;
	case 15:
		if (op == 0x7f)
			restart();
		break;
	}
}

static void begin(unsigned end, uint8_t how)
{
	static const struct hash_key key = { { 3, 4 } };
	struct mp_limits l = { .lanes = 8,
			       .packets = how & 1 ? 8 : 64,
			       .window = how & 2 ? 8 : 64,
			       .pool = 1u << 20 };
	struct mp_config c = config(next());
	struct mp_path_config p = { .tier = MP_PRIMARY };
	struct arena *a = &w.arena[end];

	if (a->base == NULL) {
		struct mp_limits most = l;

		most.packets = most.window = 64;
		a->size = mp_size(&most);
		a->base = aligned_alloc(ARENA_ALIGN, a->size);
		if (a->base == NULL)
			abort();
	}
	a->used = 0;
	/* Two lanes of the thesis's release do not keep their order, nor holes
	 * that are given up for want of room. */
	w.ordered[end] = c.release != MP_RELEASE_OFF;
	assert(mp_init(&w.m[end], a, &l, &c, &key, w.now) == 0);
	for (unsigned i = 0; i < 3; i++)
		assert(mp_path_add(w.m[end], i, &p, w.now) == 0);
}

/* Without a word from outside both come to rest, and nothing is left behind. */
static void end_of_it(void)
{
	for (unsigned i = 0; i < 8; i++) {
		time_goes(NS_PER_SEC);
		land_all();
	}
	time_goes(300 * NS_PER_SEC);
	assert(mp_next_timeout(w.m[0]) == UINT64_MAX);
	assert(mp_next_timeout(w.m[1]) == UINT64_MAX);
	restart();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena keep[2] = { w.arena[0], w.arena[1] };
	uint8_t how;

	if (size < 4 || size > 2048)
		return 0;
	memset(&w, 0, sizeof(w));
	memcpy(w.arena, keep, sizeof(keep));
	w.data = data;
	w.size = size;
	w.now = NS_PER_SEC;
	how = next();
	w.forged = how & 0x80;
	begin(0, how);
	begin(1, how >> 2);
	while (w.size > 0)
		operation(next());
	end_of_it();
	return 0;
}
