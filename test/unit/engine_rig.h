/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_rig - An engine, a SUT that answers ARP and the probe, and frames for both
 *
 * Each test counts what it gave and ends with check_closed(): every frame has one
 * fate, and all memory has come back.
 */
#ifndef TEST_ENGINE_RIG_H
#define TEST_ENGINE_RIG_H

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "engine/engine.h"
#include "shadow/shadow.h"
#include "wire/build.h"

#define WALL	  (UINT64_C(1700000000) * NS_PER_SEC)
#define SYNS_MAX  64
#define FRAME_LEN 2048

static const uint8_t mac_a[ETH_LEN] = { 2, 0, 0, 0, 0, 0x0a };
static const uint8_t mac_sut[ETH_LEN] = { 2, 0, 0, 0, 0, 0x05 };
static const uint8_t mac_own[ETH_LEN] = { 2, 0, 0, 0, 0, 0x01 };

/** struct rig - An engine, and what it sent to the SUTs */
struct rig {
	struct engine_config cfg;
	struct arena arena;
	struct engine *e;
	uint64_t now;
	uint64_t
		ahead; /* of the wall clock: stamps are so much later than @now */
	bool unsent;   /* the sink cannot send what clients say */
	uint32_t
		missed; /* bytes that a capture misses of each frame, at its end */
	bool deaf;	/* the SUT answers neither ARP nor the probe */
	bool other_way; /* it answers clients by another wire, the probe here */
	uint64_t calls; /* of the engine */
	uint32_t n;	/* effects of clients */
	struct effect seen[SYNS_MAX];
	uint8_t data[SYNS_MAX][64]; /* first bytes of each */
};

static inline struct ipaddr ip(unsigned b, unsigned c, unsigned d)
{
	uint8_t v4[4] = { 10, (uint8_t)b, (uint8_t)c, (uint8_t)d };

	return ipaddr_from4(v4);
}

static inline void inject(struct rig *r, enum engine_source from,
			  const uint8_t *p, size_t n);

/* The SUT's kernel: it answers ARP and the probe. */
static inline void sut_kernel(struct rig *r, const struct effect *x)
{
	uint8_t buf[BUILD_HDR_MAX];
	struct arp_packet arp;
	struct tcp_header h = { .src = x->dst,
				.dst = x->src,
				.sport = x->dport,
				.dport = x->sport,
				.seq = 1,
				.ack = x->seq + 1,
				.flags = TCP_SYN | TCP_ACK,
				.ttl = 64 };

	if (r->deaf)
		return;
	if (x->kind == EFFECT_RAW) {
		if (arp_parse(x->raw + 14, x->rawlen - 14u, &arp) != 0 ||
		    arp.op != 1)
			return;
		inject(r, ENGINE_SUT, buf,
		       build_arp(buf, 2, arp.sha, mac_sut, &arp.tpa, arp.sha,
				 &arp.spa));
	} else if ((x->flags & TCP_SYN) != 0 &&
		   (!r->other_way || x->src.b[12] == 198)) {
		memcpy(h.eth_src, mac_sut, ETH_LEN);
		memcpy(h.eth_dst, mac_own, ETH_LEN);
		inject(r, ENGINE_SUT, buf,
		       build_tcp(buf, &h, NULL, 0, CSUM_FULL));
	}
}

static inline void take(struct rig *r, const struct effects *out)
{
	for (uint32_t i = 0; i < out->n; i++) {
		const struct effect *x = &out->e[i];

		if (x->cause != CAUSE_OUTSIDE &&
		    (x->kind == EFFECT_RAW || x->cause == CAUSE_PROBE)) {
			sut_kernel(r, x);
		} else if (r->n < SYNS_MAX) {
			uint32_t n = x->len < 64 ? x->len : 64;

			r->seen[r->n] = *x;
			if (n > 0)
				memcpy(r->data[r->n], effects_data(x), n);
			r->n++;
		}
		if (r->unsent && x->cause != CAUSE_PROBE)
			engine_unsent(r->e, x);
		else if (x->timed)
			engine_left(r->e, x, WALL + r->now + r->ahead);
		engine_sent(r->e, x);
	}
}

/* What holds between two calls; in a long dialogue not after each call, but whatever
 * breaks is there still some calls later.
 */
static inline void look(struct rig *r)
{
	if (r->calls < 1000 || r->calls % 64 == 0)
		engine_check(r->e);
	r->calls++;
}

static inline void inject(struct rig *r, enum engine_source from,
			  const uint8_t *p, size_t n)
{
	struct effects out = { .n = 0 };
	size_t cap = n - (from == ENGINE_MIRROR ? r->missed : 0);
	uint8_t *exact = malloc(cap);
	struct frame_info in = { .data = exact,
				 .cap = (uint32_t)cap,
				 .wire = (uint32_t)n,
				 .ts = WALL + r->now + r->ahead,
				 .link = LINK_ETHERNET };

	if (exact == NULL)
		abort();
	memcpy(exact, p, cap);
	engine_frame(r->e, from, &in, r->now, &out);
	look(r);
	free(exact);
	take(r, &out);
}

static inline void pass(struct rig *r, uint64_t ns)
{
	uint64_t until = r->now + ns;
	uint64_t next;

	while ((next = engine_next_timeout(r->e)) <= until) {
		struct effects out = { .n = 0 };

		if (next > r->now)
			r->now = next;
		engine_timeout(r->e, r->now, &out);
		look(r);
		take(r, &out);
		if (engine_waits_due(r->e)) {
			engine_note(r->e, ENGINE_SUT_READ, 0, r->now, &out);
			take(r, &out);
		}
	}
	r->now = until;
}

/* --- configurations --- */

static inline void defaults(struct rig *r)
{
	struct engine_config *c = &r->cfg;

	memset(r, 0, sizeof(*r));
	engine_defaults(c);
	c->limits = (struct limits){ 256, 1u << 20, 1u << 19, 4 };
	c->key = (struct hash_key){ { 3, 4 } };
	memcpy(c->mac, mac_own, ETH_LEN);
}

static inline void add_map(struct rig *r, struct ipaddr prod, unsigned bits,
			   uint16_t port, struct ipaddr sut, uint16_t sut_port)
{
	r->cfg.map[r->cfg.maps++] = (struct engine_map){
		prod, (uint8_t)(IPADDR_4IN6 + bits), port, sut, sut_port, false
	};
}

/* The engine, and nothing on its wire yet. */
static inline void create(struct rig *r)
{
	r->now = NS_PER_SEC;
	r->arena.size = arena_need(engine_size(&r->cfg));
	r->arena.base = aligned_alloc(ARENA_ALIGN, r->arena.size);
	if (r->arena.base == NULL)
		abort();
	memset(r->arena.base, 0, r->arena.size);
	if (engine_init(&r->e, &r->arena, &r->cfg, r->now) != 0)
		abort();
}

/* Take records until one is told. */
static inline bool next_told(struct rig *r, struct engine_item *t)
{
	while (engine_take(r->e, t))
		if (t->kind != EVENT_VERDICT || t->text != NULL)
			return true;
	return false;
}

/* The engine, with its wire proved if it has one. */
static inline void start(struct rig *r)
{
	struct engine_item up;

	create(r);
	pass(r, 10 * NS_PER_SEC);
	while (engine_take(r->e, &up))
		CHECK(up.kind == EVENT_SUT_STATE &&
		      up.event->state == HEALTH_UP);
	CHECK(r->cfg.sut_none || sutwire_ready(engine_wire(r->e), 0));
	CHECK(r->n == 0);
}

static inline uint64_t fates(const struct rig *r)
{
	return counter_sum(&engine_fate_list, &engine_stats(r->e)->count);
}

static inline void stop(struct rig *r)
{
	struct effects out = { .n = 0 };

	while (engine_stop(r->e, r->now, &out))
		take(r, &out);
	take(r, &out);
}

static inline void check_closed(struct rig *r)
{
	const struct engine_counters *c = &engine_stats(r->e)->count;
	struct engine_occupancy o;

	stop(r);
	engine_occupancy(r->e, r->now, &o);
	CHECK(o.pool_used == 0 && o.flows == 0 && o.timers == 0);
	CHECK(o.datagrams == 0);
	CHECK(fates(r) == c->frames_mirror + c->frames_sut + c->other_legs);
	free(r->arena.base);
}

static inline const struct engine_counters *count(const struct rig *r)
{
	return &engine_stats(r->e)->count;
}

static inline const struct shadow_counters *machine(const struct rig *r)
{
	return shadow_counters((struct shadow *)(uintptr_t)engine_shadow(r->e));
}

/* --- frames --- */

static inline size_t make(uint8_t *buf, bool udp, struct ipaddr src,
			  uint16_t sport, struct ipaddr dst, uint16_t dport,
			  struct tcp_header h, const void *data, size_t len)
{
	size_t n;

	h.src = src;
	h.dst = dst;
	h.sport = sport;
	h.dport = dport;
	h.ttl = 64;
	memcpy(h.eth_dst, mac_own, ETH_LEN);
	n = udp ? build_udp(buf, &h, data, (uint32_t)len, CSUM_FULL)
		: build_tcp(buf, &h, data, (uint32_t)len, CSUM_FULL);
	if (len > 0)
		memcpy(buf + n, data, len);
	return n + len;
}

/* A segment on the mirror. */
static inline void tcp(struct rig *r, struct ipaddr src, uint16_t sport,
		       struct ipaddr dst, uint16_t dport, uint32_t seq,
		       uint32_t ack, uint8_t flags, const char *text)
{
	uint8_t buf[FRAME_LEN];
	struct tcp_header h = {
		.seq = seq, .ack = ack, .flags = flags, .win = 60000
	};

	memcpy(h.eth_src, mac_a, ETH_LEN);
	inject(r, ENGINE_MIRROR, buf,
	       make(buf, false, src, sport, dst, dport, h, text, strlen(text)));
}

static inline void tcp_sut(struct rig *r, struct ipaddr src, uint16_t sport,
			   struct ipaddr dst, uint16_t dport, uint32_t seq,
			   uint32_t ack, uint8_t flags, const char *text)
{
	uint8_t buf[FRAME_LEN];
	struct tcp_header h = {
		.seq = seq, .ack = ack, .flags = flags, .win = 60000
	};

	memcpy(h.eth_src, mac_sut, ETH_LEN);
	inject(r, ENGINE_SUT, buf,
	       make(buf, false, src, sport, dst, dport, h, text, strlen(text)));
}

static inline void udp(struct rig *r, enum engine_source from,
		       struct ipaddr src, uint16_t sport, struct ipaddr dst,
		       uint16_t dport, const void *data, size_t len)
{
	uint8_t buf[FRAME_LEN];
	struct tcp_header h = { .seq = 0 };

	memcpy(h.eth_src, from == ENGINE_SUT ? mac_sut : mac_a, ETH_LEN);
	inject(r, from, buf,
	       make(buf, true, src, sport, dst, dport, h, data, len));
}

static inline void syn(struct rig *r, struct ipaddr client, uint16_t port,
		       struct ipaddr prod, uint16_t pport)
{
	tcp(r, client, port, prod, pport, 1000, 0, TCP_SYN, "");
}

/* --- one connection, client 10.1.0.1:5000, production 10.2.0.1:80 --- */

static inline void client(struct rig *r, uint32_t seq, uint32_t ack,
			  uint8_t flags, const char *text)
{
	tcp(r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80, seq, ack, flags, text);
}

static inline void production(struct rig *r, uint32_t seq, uint32_t ack,
			      uint8_t flags, const char *text)
{
	tcp(r, ip(2, 0, 1), 80, ip(1, 0, 1), 5000, seq, ack, flags, text);
}

static inline void sut(struct rig *r, unsigned host, uint32_t seq, uint32_t ack,
		       uint8_t flags, const char *text)
{
	tcp_sut(r, ip(9, 0, host), 80, ip(1, 0, 1), 5000, seq, ack, flags,
		text);
}

/* Both handshakes; the client's first byte is 1001, each server's 501. */
static inline void handshakes(struct rig *r)
{
	client(r, 1000, 0, TCP_SYN, "");
	production(r, 500, 1001, TCP_SYN | TCP_ACK, "");
	for (unsigned i = 1; i <= r->cfg.maps; i++)
		sut(r, i, 500, 1001, TCP_SYN | TCP_ACK, "");
	client(r, 1001, 501, TCP_ACK, "");
}

#endif /* TEST_ENGINE_RIG_H */
