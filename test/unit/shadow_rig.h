/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadow_rig.h - A machine alone, and its caller
 *
 * Segments of the three endpoints by numbers from their initial ones; each byte's
 * value follows from its number. After each call what holds of the machine is
 * looked at; rig_end() tells whether all memory and all timers have come back.
 */
#ifndef UNIT_SHADOW_RIG_H
#define UNIT_SHADOW_RIG_H

#include "shadow/shadow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define C_ISS	 1000u
#define P_ISS	 5000u
#define S_ISS	 9000u
#define SEEN_MAX 64
#define SERVED	 80
#define CLIENT	 40001
#define SEC	 NS_PER_SEC

/**
 * struct rig - A machine and its caller
 * @full:	The next calls find no room for effects
 * @seen, @n:	Effects since clear()
 * @wants:	WANT_ bits since clear()
 */
struct rig {
	struct limits lim;
	struct shadow_options opt;
	struct arena arena;
	struct shadow *s;
	uint64_t now;
	bool full;
	uint8_t sut;
	uint32_t n;
	uint16_t wants;
	struct effect seen[SEEN_MAX];
};

static const struct hash_key hash_key = { { 11, 22 } };
static uint8_t bytes[70000];

static inline struct ipaddr client_ip(unsigned net, unsigned host)
{
	uint8_t v4[4] = { 10, (uint8_t)(net >> 8), (uint8_t)net,
			  (uint8_t)host };

	return ipaddr_from4(v4);
}

static inline struct ipaddr server_ip(unsigned last)
{
	uint8_t v4[4] = { 192, 168, 0, (uint8_t)last };

	return ipaddr_from4(v4);
}

static inline void rig_init(struct rig *r)
{
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	memset(r, 0, sizeof(*r));
	r->lim = (struct limits){ 64, BUF_TOP, BUF_TOP, 4 };
	r->opt.midstream = true;
	r->opt.gso = true;
	r->opt.reorder_wait = 20 * NS_PER_MS;
	r->opt.strays = SHADOW_STRAYS;
	r->opt.max_lag = SHADOW_MAX_LAG;
	r->opt.sut_silent = 1000 * SEC;
	r->opt.idle = 4000 * SEC;
	r->opt.delay = SHADOW_DELAY;
	r->now = 100 * SEC;
}

static inline void rig_start(struct rig *r)
{
	r->arena.size = arena_need(shadow_size(&r->lim));
	r->arena.base = aligned_alloc(ARENA_ALIGN, r->arena.size);
	if (r->arena.base == NULL)
		abort();
	memset(r->arena.base, 0, r->arena.size);
	if (shadow_init(&r->s, &r->arena, &r->lim, &r->opt, &hash_key,
			r->now) != 0)
		abort();
	for (unsigned i = 0; i < 4; i++) {
		struct ipaddr ip = server_ip(100 + i);

		shadow_add_sut(r->s, (uint8_t)i, &ip);
		shadow_set_ready(r->s, (uint8_t)i, true);
	}
}

/* --- the caller --- */

static inline void clear(struct rig *r)
{
	r->n = 0;
	r->wants = 0;
}

static inline struct effects room(const struct rig *r)
{
	static struct effects out;

	out.n = r->full ? EFFECTS_MAX : 0;
	return out;
}

static inline void take(struct rig *r, struct effects *out)
{
	for (uint32_t i = r->full ? EFFECTS_MAX : 0; i < out->n; i++) {
		const struct effect *e = &out->e[i];

		if (r->n < SEEN_MAX)
			r->seen[r->n++] = *e;
		if (e->frame != NULL)
			buf_emitted(shadow_pool(r->s), e->frame);
	}
}

static inline void drop(struct rig *r, struct flow *f)
{
	while (f->x.head != NULL)
		exchange_drop(&f->x, shadow_pool(r->s));
	shadow_free(r->s, f);
}

static inline void attend(struct rig *r)
{
	struct flow *f;
	uint16_t want;

	while ((f = shadow_attention(r->s, &want)) != NULL) {
		r->wants |= want;
		if ((want & WANT_FREE) != 0)
			drop(r, f);
	}
}

/* Each byte comes once and in order. */
static inline void spans(struct rig *r, struct flow *f, enum who who,
			 const struct segment *seg)
{
	static const uint32_t iss[] = { C_ISS, P_ISS, S_ISS };
	const struct stream *st = who == WHO_CLIENT ? &f->w.c
				  : who == WHO_PROD ? &f->w.p
						    : &f->leg.s;
	uint32_t at = st->nxt;
	struct span sp = { 0 };

	while (shadow_span(r->s, f, who, seg, r->now, &sp)) {
		CHECK(sp.seq == at && sp.len > 0);
		CHECK(memcmp(sp.data, bytes + (at - iss[who]), sp.len) == 0);
		at += sp.len;
	}
	CHECK(at == st->nxt);
}

static inline void push(struct rig *r, struct flow *f)
{
	struct effects out = room(r);

	shadow_push(r->s, f, r->now, &out);
	take(r, &out);
	attend(r);
	if (shadow_flows(r->s) < 32) /* it looks at all of them */
		shadow_check(r->s, r->now);
}

static inline void pass(struct rig *r, uint64_t ns)
{
	uint64_t until = r->now + ns;
	uint64_t next;

	while ((next = shadow_next_timeout(r->s)) <= until) {
		struct effects out = { .n = 0 };

		if (next > r->now)
			r->now = next;
		shadow_timeout(r->s, r->now, &out);
		take(r, &out);
		attend(r);
	}
	r->now = until;
}

static inline void rig_end(struct rig *r)
{
	struct flow *f;

	r->full = false;
	while ((f = shadow_any(r->s)) != NULL) {
		struct effects out = { .n = 0 };

		shadow_end(r->s, f, FLOW_END_STOPPED, r->now, &out);
		take(r, &out);
		drop(r, f);
	}
	CHECK(pool_used(shadow_pool(r->s)) == 0);
	CHECK(shadow_timers(r->s) == 0);
	CHECK(shadow_flows(r->s) == 0);
	free(r->arena.base);
}

static inline const struct shadow_counters *count(const struct rig *r)
{
	return shadow_counters(r->s);
}

/* How many effects of a cause were seen; the last of them in @last. */
static inline unsigned seen(const struct rig *r, enum effect_cause cause,
			    const struct effect **last)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		if (r->seen[i].cause != cause)
			continue;
		n++;
		if (last != NULL)
			*last = &r->seen[i];
	}
	return n;
}

static inline bool sent(const struct rig *r, enum effect_cause cause)
{
	return seen(r, cause, NULL) > 0;
}

/* --- segments --- */

/* Numbers are relative to the initial ones. */
static inline struct segment segment(const struct rig *r, enum who who,
				     uint16_t port, uint16_t flags,
				     uint32_t seq, uint32_t ack, uint32_t len)
{
	static const uint32_t iss[] = { C_ISS, P_ISS, S_ISS };
	bool c = who == WHO_CLIENT;
	struct ipaddr server = server_ip(who == WHO_SUT ? 100 + r->sut : 1);
	struct ipaddr client = client_ip(0, 1);

	return (struct segment){
		.src = c ? client : server,
		.dst = c ? server : client,
		.sport = c ? port : SERVED,
		.dport = c ? SERVED : port,
		.proto = PROTO_TCP,
		.ttl = 60,
		.flags = flags,
		.seq = iss[who] + seq,
		.ack = (c ? P_ISS : C_ISS) + ack,
		.win = 60000,
		.data = bytes + seq % 4096,
		.len = len,
		.cap = len,
	};
}

static inline struct flow_key key_of(uint16_t port, uint32_t map)
{
	struct flow_key key;

	memset(&key, 0, sizeof(key));
	key.client = client_ip(0, 1);
	key.prod = server_ip(1);
	key.cport = port;
	key.pport = SERVED;
	key.map = map;
	return key;
}

static inline struct flow *syn_of(struct rig *r, const struct flow_key *key,
				  uint32_t seq)
{
	struct effects out = room(r);
	struct shadow_leg leg = { r->sut, SERVED, true };
	struct segment seg =
		segment(r, WHO_CLIENT, key->cport, TCP_SYN, seq, 0, 0);
	struct flow *f = shadow_syn(r->s, key, &leg, &seg, r->now, &out);

	take(r, &out);
	return f;
}

static inline struct flow *syn(struct rig *r, uint16_t port)
{
	struct flow_key key = key_of(port, 0);
	struct flow *f = syn_of(r, &key, 0);

	if (f != NULL)
		push(r, f);
	return f;
}

static inline void client(struct rig *r, struct flow *f, uint16_t flags,
			  uint32_t seq, uint32_t ack, uint32_t len)
{
	struct segment seg =
		segment(r, WHO_CLIENT, f->key.cport, flags, seq, ack, len);

	shadow_client(r->s, f, &seg, r->now);
	spans(r, f, WHO_CLIENT, &seg);
	push(r, f);
}

static inline void prod(struct rig *r, struct flow *f, uint16_t flags,
			uint32_t seq, uint32_t ack, uint32_t len)
{
	struct segment seg =
		segment(r, WHO_PROD, f->key.cport, flags, seq, ack, len);

	shadow_production(r->s, f, &seg, r->now);
	spans(r, f, WHO_PROD, &seg);
	push(r, f);
}

static inline void sut_segment(struct rig *r, const struct segment *seg)
{
	struct effects out = room(r);
	struct flow *f;

	shadow_heard(r->s, r->sut);
	f = shadow_sut(r->s, r->sut, seg, r->now, &out);
	take(r, &out);
	attend(r);
	if (f == NULL)
		return;
	if (f->leg.state == LEG_OPEN)
		spans(r, f, WHO_SUT, seg);
	push(r, f);
}

static inline void sut(struct rig *r, uint16_t port, uint16_t flags,
		       uint32_t seq, uint32_t ack, uint32_t len)
{
	struct segment seg = segment(r, WHO_SUT, port, flags, seq, ack, len);

	sut_segment(r, &seg);
}

/* A connection that all three have opened, its handshake's ACK told. */
static inline struct flow *open_flow(struct rig *r, uint16_t port)
{
	struct flow *f = syn(r, port);

	prod(r, f, TCP_SYN | TCP_ACK, 0, 1, 0);
	sut(r, port, TCP_SYN | TCP_ACK, 0, 1, 0);
	client(r, f, TCP_ACK, 1, 1, 0);
	pass(r, 10 * NS_PER_MS);
	CHECK(f->leg.state == LEG_OPEN);
	clear(r);
	return f;
}

static inline struct buf *fill_pool(struct rig *r)
{
	struct buf *all = NULL;
	struct buf *fr;

	while ((fr = buf_alloc(shadow_pool(r->s), 1, BUF_QUEUE)) != NULL) {
		fr->next = all;
		all = fr;
	}
	return all;
}

static inline void empty_pool(struct rig *r, struct buf *all)
{
	while (all != NULL) {
		struct buf *next = all->next;

		buf_clear(shadow_pool(r->s), all, BUF_QUEUE);
		all = next;
	}
}

#define HTTP (FRAMING_MARKED | FRAMING_RESTARTS)
#define LEN  100u /* of most messages */

/* --- messages --- */

/* A machine whose legs begin again and are shed, and no flow in the middle. */
static inline void start(struct rig *r)
{
	rig_init(r);
	r->opt.reopen = true;
	r->opt.shed = true;
	r->opt.midstream = false;
	rig_start(r);
}

static inline struct flow *open_http(struct rig *r, uint16_t port)
{
	struct flow *f = open_flow(r, port);

	f->framing = HTTP;
	return f;
}

/* Handshake with the SUT for a leg that began with the client's byte @seq. */
static inline void sut_opens(struct rig *r, const struct flow *f)
{
	struct segment seg =
		segment(r, WHO_SUT, f->eport, TCP_SYN | TCP_ACK, 0, 0, 0);

	seg.ack = f->w.c_iss + 1;
	sut_segment(r, &seg);
	CHECK(f->leg.state == LEG_OPEN);
}

/* The same, of a flow that uses another port than its client's. */
static inline void sut_at(struct rig *r, const struct flow *f, uint16_t flags,
			  uint32_t seq, uint32_t ack, uint32_t len)
{
	sut(r, f->eport, flags, seq, ack, len);
}

enum ask {
	WHOLE,	 /* a message, to be played */
	PART,	 /* its end is not here yet */
	OUT,	 /* one that is not to be played */
	OUT_PART /* the beginning of one */
};

/* A message of the client's, or its beginning, in one segment. */
static inline struct exchange *ask_in(struct rig *r, struct flow *f,
				      uint32_t seq, uint32_t ack, uint32_t len,
				      enum ask what)
{
	struct segment seg =
		segment(r, WHO_CLIENT, f->key.cport, TCP_ACK, seq, ack, len);
	bool left = what == OUT || what == OUT_PART;
	struct span sp = { 0 };
	struct exchange *x;

	shadow_client(r->s, f, &seg, r->now);
	CHECK(shadow_span(r->s, f, WHO_CLIENT, &seg, r->now, &sp));
	x = exchange_open(&f->x, shadow_pool(r->s), WHO_CLIENT);
	if (!(x->flags & X_C_BEGUN) && left)
		shadow_leave_out(r->s, f, x, sp.seq);
	else if (!(x->flags & X_C_BEGUN))
		shadow_take_up(r->s, f, "", 0, &sp, sp.seq, r->now);
	x->flags |= X_C_BEGUN;
	if (what == WHOLE || what == OUT)
		shadow_mark(r->s, f, WHO_CLIENT, sp.seq + sp.len, r->now);
	CHECK(!shadow_span(r->s, f, WHO_CLIENT, &seg, r->now, &sp));
	return x;
}

static inline struct exchange *ask(struct rig *r, struct flow *f, uint32_t seq,
				   uint32_t ack, enum ask what)
{
	struct exchange *x = ask_in(r, f, seq, ack, LEN, what);

	push(r, f);
	return x;
}

static inline void begin(struct rig *r, struct flow *f, enum who who)
{
	struct exchange *x = exchange_open(&f->x, shadow_pool(r->s), who);

	if (who == WHO_PROD && x->p_first == 0)
		x->p_first = r->now;
	x->flags |= who == WHO_PROD ? X_P_BEGUN : X_S_BEGUN;
}

/* An answer of production's, or with !@whole its beginning. */
static inline void prod_says(struct rig *r, struct flow *f, uint32_t seq,
			     uint32_t ack, bool whole)
{
	struct segment seg =
		segment(r, WHO_PROD, f->key.cport, TCP_ACK, seq, ack, LEN);

	shadow_production(r->s, f, &seg, r->now);
	spans(r, f, WHO_PROD, &seg);
	begin(r, f, WHO_PROD);
	if (whole)
		shadow_mark(r->s, f, WHO_PROD, seg.seq + LEN, r->now);
	push(r, f);
}

static inline void sut_says(struct rig *r, struct flow *f, uint32_t seq,
			    uint32_t ack, bool whole)
{
	struct segment seg =
		segment(r, WHO_SUT, f->eport, TCP_ACK, seq, ack, LEN);
	struct effects out = room(r);

	shadow_heard(r->s, r->sut);
	CHECK(shadow_sut(r->s, r->sut, &seg, r->now, &out) == f);
	take(r, &out);
	spans(r, f, WHO_SUT, &seg);
	begin(r, f, WHO_SUT);
	shadow_answering(r->s, f, r->now);
	if (whole)
		shadow_mark(r->s, f, WHO_SUT, seg.seq + LEN, r->now);
	push(r, f);
}

static inline void judge_all(const struct flow *f)
{
	for (struct exchange *x = f->x.head; x != NULL; x = x->next)
		x->flags |= X_JUDGED;
}

#endif /* UNIT_SHADOW_RIG_H */
