/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world.c - One cell: connections, two ends, links, in virtual time
 *
 * Theory of operation
 *
 * Whatever can happen next is one of few: the next arrival on each link, the timeout
 * of each end, of each connection, the next ping. The earliest comes, and so on; at
 * the same time the first of them in this order. So a seed gives the same run on any
 * machine.
 *
 * Connections send from end 0 to end 1. An inner packet is an IPv4 and TCP header
 * whose numbers count segments; its payload is never written, only its length. A
 * number of its own stands where the checksum is: what is delivered twice, out of the
 * order of its flow, or was never sent, breaks the run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "sim.h"
#include "wire/segment.h"

#define LANES	   64
#define PACKETS	   32768u
#define WINDOW	   8192u
#define POOL	   (256u << 20)
#define SEEN_WORDS (1u << 20) /* of 64 numbers each */
#define PINGS	   4096
#define PING_LEN   84
#define CHECK_EACH 64
#define ACKS	   32768u /* as many as an end can hold */

struct world {
	const struct cell *c;
	struct result *r;
	uint64_t now;
	struct rng rng;
	struct mp *m[2];
	void *memory[2];
	struct link to[MP_PATHS], back[MP_PATHS], shared[2];
	struct tcp tcp[FLOWS_MOST];
	uint64_t base[FLOWS_MOST]; /* segments before the measured time */
	uint32_t id[2];		   /* of the next inner packet from an end */
	uint64_t *seen[2];
	uint32_t last[2][FLOWS_MOST]; /* of each flow, plus 1 */
	uint64_t next_ping;
	uint64_t ping_sent[PINGS];
	uint64_t ping[PINGS];
	uint32_t pings, pings_out;
	uint64_t calls;
	/* What an arrival calls for, done when the call that brought it is over: a
	 * call in a call would send in another order than the machine's. */
	uint32_t pump; /* flows, as bits */
	uint32_t pong[PINGS];
	uint32_t pongs;
	uint32_t acks_n;
	struct {
		unsigned flow;
		struct ack a;
	} acks[ACKS];
};

static void broke(struct world *w, const char *what)
{
	if (w->r->broken[0] == '\0')
		snprintf(w->r->broken, sizeof(w->r->broken), "%.3f s: %s",
			 (double)w->now / 1e9, what);
}

static void took(struct world *w, unsigned end, struct mp_effects *out);

/* The headers of an inner packet. */
static void put_head(struct world *w, unsigned end, uint8_t *p, uint32_t len,
		     unsigned flow)
{
	memset(p, 0, len < COPIED ? len : COPIED);
	p[0] = 0x45;
	put_be16(p + 2, (uint16_t)len);
	p[8] = 64;
	p[9] = PROTO_TCP;
	put_be32(p + 12, 0x0a000001 + end);
	put_be32(p + 16, 0x0a000002 - end);
	put_be16(p + 20, (uint16_t)(1000 + flow));
	put_be16(p + 22, 80);
	p[33] = TCP_ACK;
	put_be32(p + 36, w->id[end]++);
}

static void inner(struct world *w, unsigned end, struct buf *f)
{
	struct mp_effects out;

	out.n = 0;
	mp_inner(w->m[end], f, MP_AS_ALL, w->now, &out);
	took(w, end, &out);
}

/* Where the bytes of a packet from @end are to be written; NULL: it is dropped. */
static uint8_t *start_packet(struct world *w, unsigned end, uint32_t len,
			     struct buf **f)
{
	struct link *l = end == 0 ? &w->to[0] : &w->back[0];

	*f = NULL;
	if (w->c->direct)
		return link_send(l, &w->rng, len, DIRECT_OVER, w->now);
	*f = mp_frame(w->m[end], len);
	if (*f == NULL) {
		broke(w, "the pool is full");
		return NULL;
	}
	return (*f)->data;
}

static void send_data(struct world *w, unsigned flow, uint32_t seq)
{
	struct buf *f;
	uint32_t len = INNER_HEAD + w->tcp[flow].mss;
	uint8_t *p = start_packet(w, 0, len, &f);

	if (p == NULL)
		return;
	put_head(w, 0, p, len, flow);
	put_be32(p + 24, seq);
	p[32] = 8 << 4;
	put_be32(p + 44, (uint32_t)(w->now / NS_PER_US));
	if (f != NULL)
		inner(w, 0, f);
}

static void want_ack(struct world *w, unsigned flow)
{
	if (w->acks_n == ACKS)
		abort();
	w->acks[w->acks_n].flow = flow;
	tcp_make_ack(&w->tcp[flow], &w->acks[w->acks_n++].a);
}

static void send_ack(struct world *w, unsigned flow, const struct ack *from)
{
	struct buf *f;
	struct ack a = *from;
	uint32_t len = INNER_HEAD + (a.sacks > 0 ? 4 + 8 * a.sacks : 0);
	uint8_t *p;

	p = start_packet(w, 1, len, &f);
	if (p == NULL)
		return;
	put_head(w, 1, p, len, flow);
	put_be32(p + 28, a.cum);
	p[32] = (uint8_t)((len - 20) / 4 << 4);
	put_be32(p + 48, (uint32_t)(a.tsecr / NS_PER_US));
	for (uint32_t i = 0; i < a.sacks; i++) {
		put_be32(p + 56 + 8 * i, a.from[i]);
		put_be32(p + 60 + 8 * i, a.to[i]);
	}
	if (f != NULL)
		inner(w, 1, f);
}

/* A time of 32 bits, us, of not long ago. */
static uint64_t whole_time(const struct world *w, uint32_t us)
{
	uint64_t now = w->now / NS_PER_US;

	return (now - (uint32_t)((uint32_t)now - us)) * NS_PER_US;
}

static void pump(struct world *w, unsigned flow)
{
	uint32_t seq;

	while (tcp_pull(&w->tcp[flow], w->now, &seq))
		send_data(w, flow, seq);
}

static void send_ping(struct world *w, unsigned end, uint32_t k)
{
	struct buf *f = mp_frame(w->m[end], PING_LEN);

	if (f == NULL) {
		broke(w, "the pool is full");
		return;
	}
	put_head(w, end, f->data, PING_LEN, 0);
	f->data[9] = PROTO_ICMP;
	f->data[20] = end == 0 ? 8 : 0;
	put_be32(f->data + 40, k);
	inner(w, end, f);
}

static void ping(struct world *w)
{
	w->next_ping += w->c->ping;
	if (w->pings_out == PINGS)
		return;
	w->ping_sent[w->pings_out] = w->now;
	send_ping(w, 0, w->pings_out++);
}

/* An inner packet comes out at @end. */
static void arrived(struct world *w, unsigned end, const uint8_t *p,
		    uint32_t len, bool in_turn)
{
	unsigned flow = (unsigned)get_be16(p + 20) - 1000;
	struct tcp *t;

	if (p[9] == PROTO_ICMP) {
		uint32_t k = get_be32(p + 40);

		if (end == 1)
			w->pong[w->pongs++] = k;
		else if (w->ping_sent[k] >= w->c->from)
			w->ping[w->pings++] = w->now - w->ping_sent[k];
		return;
	}
	(void)in_turn;
	t = &w->tcp[flow];
	if (end == 1) {
		if (tcp_data(t, get_be32(p + 24),
			     whole_time(w, get_be32(p + 44)), w->now))
			want_ack(w, flow);
	} else {
		struct ack a = { .cum = get_be32(p + 28),
				 .tsecr = whole_time(w, get_be32(p + 48)) };

		a.sacks = len > INNER_HEAD ? (len - INNER_HEAD) / 8 : 0;
		for (uint32_t i = 0; i < a.sacks; i++) {
			a.from[i] = get_be32(p + 56 + 8 * i);
			a.to[i] = get_be32(p + 60 + 8 * i);
		}
		tcp_ack(t, &a, w->now);
		w->pump |= 1u << flow;
	}
}

/* T1 and T2, by the packet's own number. */
static void judge(struct world *w, unsigned end, const struct mp_effect *e)
{
	const uint8_t *p = e->frame->data + e->off;
	unsigned from = 1 - end;
	uint32_t id = get_be32(p + 36);
	unsigned flow = (unsigned)get_be16(p + 20) - 1000;
	bool thin = p[9] == PROTO_ICMP || e->len <= INNER_HEAD + 28;

	if (id >= w->id[from]) {
		broke(w, "a packet that was never sent");
		return;
	}
	if (id / 64 < SEEN_WORDS) {
		if (w->seen[from][id / 64] >> id % 64 & 1)
			broke(w, "T1: a packet twice");
		w->seen[from][id / 64] |= UINT64_C(1) << id % 64;
	}
	if (thin || e->why == MP_WHY_LATE ||
	    w->c->config.release == MP_RELEASE_OFF)
		return;
	if (id + 1 <= w->last[from][flow])
		broke(w, "T2: out of order");
	w->last[from][flow] = id + 1;
}

static void check(struct world *w, unsigned end)
{
	const char *bad = NULL;

	if (w->c->every || ++w->calls % CHECK_EACH == 0)
		bad = mp_check(w->m[end], w->calls % 4096 == 0);
	if (bad != NULL)
		broke(w, bad);
}

/* One effect is done. What is delivered may call for more packets, later. */
static void effect(struct world *w, unsigned end, struct mp_effect *e)
{
	if (e->send) {
		struct link *l = end == 0 ? &w->to[e->path] : &w->back[e->path];
		uint32_t n = e->len < COPIED ? e->len : COPIED;
		uint8_t *p = link_send(l, &w->rng, e->n + e->len, MP_OVERHEAD,
				       w->now);

		if (p != NULL) {
			memcpy(p, e->bytes, e->n);
			if (n > 0)
				memcpy(p + e->n, e->frame->data + e->off, n);
		}
	} else {
		judge(w, end, e);
		arrived(w, end, e->frame->data + e->off, e->len,
			e->why == MP_WHY_ORDER);
	}
	mp_done(w->m[end], e);
}

static void took(struct world *w, unsigned end, struct mp_effects *out)
{
	for (;;) {
		for (uint32_t i = 0; i < out->n; i++)
			effect(w, end, &out->e[i]);
		if (mp_next_timeout(w->m[end]) > w->now)
			break;
		out->n = 0;
		mp_timeout(w->m[end], w->now, out);
	}
	check(w, end);
}

static void landed(struct world *w, unsigned end, unsigned path,
		   struct flight *fl)
{
	struct mp_effects out;
	struct buf *f;
	uint32_t n = fl->len < MP_CONTROL_MAX ? fl->len : MP_CONTROL_MAX;

	if (w->c->direct) {
		arrived(w, end, fl->p, fl->len, true);
		return;
	}
	f = mp_frame(w->m[end], fl->len);
	if (f == NULL) {
		broke(w, "the pool is full");
		return;
	}
	if (n > COPIED + MP_HEADER_TIMED && fl->p[0] != MP_FEEDBACK)
		n = COPIED + MP_HEADER_TIMED;
	memcpy(f->data, fl->p, n);
	out.n = 0;
	mp_outer(w->m[end], path, f, w->now, &out);
	took(w, end, &out);
}

static void open_end(struct world *w, unsigned end)
{
	static const struct hash_key key = { { 11, 12 } };
	static const struct mp_limits l = { .lanes = LANES,
					    .packets = PACKETS,
					    .window = WINDOW,
					    .pool = POOL };
	struct arena a = { .size = arena_need(mp_size(&l)) };

	/* As the program's: fresh pages, which nobody touches before use. */
	if (posix_memalign(&w->memory[end], ARENA_ALIGN, a.size) != 0)
		abort();
	a.base = w->memory[end];
	if (mp_init(&w->m[end], &a, &l, &w->c->config, &key, w->now) != 0)
		abort();
	for (unsigned i = 0; i < w->c->paths; i++) {
		struct mp_path_config p = { .tier = MP_PRIMARY };

		if (mp_path_add(w->m[end], i, &p, w->now) != 0)
			abort();
	}
}

static void open_world(struct world *w)
{
	const struct cell *c = w->c;
	uint64_t rtt = UINT64_MAX;

	w->now = SEC;
	w->rng.s = c->seed;
	w->next_ping = c->ping == 0 ? UINT64_MAX : w->now + c->from;
	for (unsigned i = 0; i < c->paths; i++) {
		uint64_t r =
			c->to[i].delay + c->back[i].delay + 500 * NS_PER_US;

		link_open(&w->to[i], &c->to[i]);
		link_open(&w->back[i], &c->back[i]);
		if (c->shared != 0) {
			w->to[i].shared = &w->shared[0];
			w->back[i].shared = &w->shared[1];
		}
		if (c->config.release == MP_RELEASE_EQUAL && rtt != UINT64_MAX)
			rtt = r > rtt ? r : rtt;
		else
			rtt = r < rtt ? r : rtt;
	}
	for (unsigned i = 0; i < 2; i++) {
		w->shared[i].plan.rate = c->shared;
		w->shared[i].plan.burst = 6000;
		w->seen[i] = calloc(SEEN_WORDS, sizeof(uint64_t));
		if (w->seen[i] == NULL)
			abort();
		if (!c->direct)
			open_end(w, i);
	}
	for (unsigned i = 0; i < c->flows; i++)
		tcp_open(&w->tcp[i], c->cc,
			 c->direct ? DIRECT_MSS
				   : INNER_MSS - (c->config.timed ? 4 : 0),
			 c->rwnd, rtt, c->seed + i);
}

enum { EV_LINK, EV_END, EV_TCP, EV_PING };

struct next {
	uint64_t at;
	int what;
	unsigned i;
};

static void sooner(struct next *n, uint64_t at, int what, unsigned i)
{
	if (at < n->at)
		*n = (struct next){ at, what, i };
}

static struct next find_next(const struct world *w)
{
	struct next n = { UINT64_MAX, 0, 0 };

	for (unsigned i = 0; i < w->c->paths; i++) {
		sooner(&n, link_next(&w->to[i]), EV_LINK, 2 * i + 1);
		sooner(&n, link_next(&w->back[i]), EV_LINK, 2 * i);
	}
	for (unsigned i = 0; i < 2 && !w->c->direct; i++)
		sooner(&n, mp_next_timeout(w->m[i]), EV_END, i);
	for (unsigned i = 0; i < w->c->flows; i++)
		sooner(&n, tcp_next(&w->tcp[i], w->now), EV_TCP, i);
	sooner(&n, w->next_ping, EV_PING, 0);
	return n;
}

static void do_wanted(struct world *w)
{
	uint32_t pongs = w->pongs;

	w->pongs = 0;
	for (uint32_t i = 0; i < pongs; i++)
		send_ping(w, 1, w->pong[i]);
	for (uint32_t i = 0; i < w->acks_n; i++)
		send_ack(w, w->acks[i].flow, &w->acks[i].a);
	w->acks_n = 0;
	for (unsigned i = 0; w->pump >> i != 0 && i < FLOWS_MOST; i++)
		if (w->pump >> i & 1)
			pump(w, i);
	w->pump = 0;
}

static void happen(struct world *w, const struct next *n)
{
	struct mp_effects out;

	if (n->at > w->now)
		w->now = n->at;
	switch (n->what) {
	case EV_LINK:
		landed(w, n->i % 2, n->i / 2,
		       link_take(n->i % 2 == 1 ? &w->to[n->i / 2]
					       : &w->back[n->i / 2]));
		break;
	case EV_END:
		out.n = 0;
		mp_timeout(w->m[n->i], w->now, &out);
		took(w, n->i, &out);
		break;
	case EV_TCP:
		if (tcp_timeout(&w->tcp[n->i], w->now))
			want_ack(w, n->i);
		w->pump |= 1u << n->i;
		break;
	default:
		ping(w);
		break;
	}
	do_wanted(w);
}

static void run_until(struct world *w, uint64_t at)
{
	while (w->r->broken[0] == '\0') {
		struct next n = find_next(w);

		if (n.at > at)
			break;
		happen(w, &n);
	}
	w->now = at;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static void sum_up(struct world *w)
{
	const struct cell *c = w->c;
	struct result *r = w->r;
	double sum = 0, squares = 0, whole = 0, most = 0;

	for (unsigned i = 0; i < c->flows; i++) {
		struct tcp *t = &w->tcp[i];
		double got = (double)(t->rcv_nxt - w->base[i]) * t->mss;

		sum += got;
		squares += got * got;
		whole += (double)t->rcv_nxt * t->mss;
		r->retx += t->retx;
		r->rtos += t->rtos;
		if ((double)t->gap_most / 1e6 > r->gap)
			r->gap = (double)t->gap_most / 1e6;
	}
	for (unsigned i = 0; i < c->paths; i++)
		most += (double)w->to[i].plan.rate;
	if (c->shared != 0 && most > (double)c->shared)
		most = (double)c->shared;
	r->goodput = sum * 1e9 / (double)(c->until - c->from);
	r->whole = whole * 1e9 / (double)c->until;
	r->share = 100 * r->goodput / (most * DIRECT_MSS / 1514);
	r->nominal = r->share;
	r->jain = squares > 0 ? sum * sum / (c->flows * squares) : 0;
	r->packets = w->id[0];
	qsort(w->ping, w->pings, sizeof(w->ping[0]), by_value);
	if (w->pings > 0) {
		r->ping50 = (double)w->ping[w->pings / 2] / 1e6;
		r->ping99 = (double)w->ping[w->pings * 99 / 100] / 1e6;
	}
	if (c->direct)
		return;
	r->again = mp_counters(w->m[0])->again;
	r->measured = mp_counters(w->m[0])->measured;
	r->drops = mp_counters(w->m[0])->drop_bound +
		   mp_counters(w->m[0])->drop_law;
	r->given_up = mp_counters(w->m[1])->given_up;
	for (unsigned i = 0; i < c->paths; i++) {
		struct mp_path_info p;

		mp_path_info(w->m[0], i, &p);
		r->rate[i] = p.rate;
	}
}

/* Both ends are whole, and all memory comes back. */
static void close_ends(struct world *w)
{
	for (unsigned i = 0; i < 2; i++) {
		const char *bad = mp_check(w->m[i], true);

		if (bad != NULL)
			broke(w, bad);
		mp_restart(w->m[i], w->now);
		if (pool_used(mp_pool(w->m[i])) != 0)
			broke(w, "T7: memory did not come back");
		free(w->memory[i]);
	}
}

void world_run(const struct cell *c, struct result *r)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		abort();
	*r = (struct result){ 0 };
	w->c = c;
	w->r = r;
	open_world(w);
	run_until(w, SEC + SEC / 2); /* paths are probed */
	for (unsigned i = 0; i < c->flows; i++)
		pump(w, i);
	run_until(w, SEC + SEC / 2 + c->from);
	for (unsigned i = 0; i < c->flows; i++) {
		w->base[i] = w->tcp[i].rcv_nxt;
		w->tcp[i].gap_most = 0;
	}
	run_until(w, SEC + SEC / 2 + c->until);
	sum_up(w);
	if (!c->direct)
		close_ends(w);
	for (unsigned i = 0; i < c->flows; i++)
		tcp_close(&w->tcp[i]);
	for (unsigned i = 0; i < c->paths; i++) {
		link_close(&w->to[i]);
		link_close(&w->back[i]);
	}
	free(w->seen[0]);
	free(w->seen[1]);
	free(w);
}
