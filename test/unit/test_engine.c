/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_engine.c - Unit test of engine: whose a frame is, and datagrams
 *
 * What the scripts of test/script cannot say: several maps and legs, clients that
 * are left out, VXLAN, a SUT that is not there, datagrams. Each test counts what
 * it gave and ends with check_closed(): every frame has one fate.
 */
#include "engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/csum.h"
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
	uint32_t n; /* effects of clients */
	struct effect seen[SYNS_MAX];
	uint8_t data[SYNS_MAX][64]; /* first bytes of each */
};

static struct ipaddr ip(unsigned b, unsigned c, unsigned d)
{
	uint8_t v4[4] = { 10, (uint8_t)b, (uint8_t)c, (uint8_t)d };

	return ipaddr_from4(v4);
}

static void inject(struct rig *r, enum engine_source from, const uint8_t *p,
		   size_t n);

/* The SUT's kernel: it answers ARP and the probe. */
static void sut_kernel(struct rig *r, const struct effect *x)
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

	if (x->kind == EFFECT_RAW) {
		if (arp_parse(x->raw + 14, x->rawlen - 14u, &arp) != 0 ||
		    arp.op != 1)
			return;
		inject(r, ENGINE_SUT, buf,
		       build_arp(buf, 2, arp.sha, mac_sut, &arp.tpa, arp.sha,
				 &arp.spa));
	} else if ((x->flags & TCP_SYN) != 0) {
		memcpy(h.eth_src, mac_sut, ETH_LEN);
		memcpy(h.eth_dst, mac_own, ETH_LEN);
		inject(r, ENGINE_SUT, buf,
		       build_tcp(buf, &h, NULL, 0, CSUM_FULL));
	}
}

static void take(struct rig *r, const struct effects *out)
{
	for (uint32_t i = 0; i < out->n; i++) {
		const struct effect *x = &out->e[i];

		if (x->kind == EFFECT_RAW || x->cause == CAUSE_PROBE) {
			sut_kernel(r, x);
		} else if (r->n < SYNS_MAX) {
			uint32_t n = x->len < 64 ? x->len : 64;

			r->seen[r->n] = *x;
			if (n > 0)
				memcpy(r->data[r->n], effects_data(x), n);
			r->n++;
		}
		engine_sent(r->e, x);
	}
}

static void inject(struct rig *r, enum engine_source from, const uint8_t *p,
		   size_t n)
{
	struct effects out = { .n = 0 };
	uint8_t *exact = malloc(n);
	struct frame_info in = { .data = exact,
				 .cap = (uint32_t)n,
				 .wire = (uint32_t)n,
				 .ts = WALL + r->now,
				 .link = LINK_ETHERNET };

	if (exact == NULL)
		abort();
	memcpy(exact, p, n);
	engine_frame(r->e, from, &in, r->now, &out);
	free(exact);
	take(r, &out);
}

static void pass(struct rig *r, uint64_t ns)
{
	uint64_t until = r->now + ns;
	uint64_t next;

	while ((next = engine_next_timeout(r->e)) <= until) {
		struct effects out = { .n = 0 };

		if (next > r->now)
			r->now = next;
		engine_timeout(r->e, r->now, &out);
		take(r, &out);
	}
	r->now = until;
}

/* --- configurations --- */

static void defaults(struct rig *r)
{
	struct engine_config *c = &r->cfg;

	memset(r, 0, sizeof(*r));
	engine_defaults(c);
	c->limits = (struct limits){ 256, 1u << 20, 1u << 19, 4 };
	c->key = (struct hash_key){ { 3, 4 } };
	memcpy(c->mac, mac_own, ETH_LEN);
}

static void add_map(struct rig *r, struct ipaddr prod, unsigned bits,
		    uint16_t port, struct ipaddr sut, uint16_t sut_port)
{
	r->cfg.map[r->cfg.maps++] =
		(struct engine_map){ prod, (uint8_t)(IPADDR_4IN6 + bits), port,
				     sut, sut_port };
}

/* The engine, with its wire proved if it has one. */
static void start(struct rig *r)
{
	r->now = NS_PER_SEC;
	r->arena.size = arena_need(engine_size(&r->cfg));
	r->arena.base = aligned_alloc(ARENA_ALIGN, r->arena.size);
	if (r->arena.base == NULL)
		abort();
	memset(r->arena.base, 0, r->arena.size);
	if (engine_init(&r->e, &r->arena, &r->cfg, r->now) != 0)
		abort();
	pass(r, 10 * NS_PER_SEC);
	CHECK(r->cfg.sut_none || sutwire_ready(engine_wire(r->e), 0));
	CHECK(r->n == 0);
}

static uint64_t fates(const struct rig *r)
{
	const struct engine_counters *c = &engine_stats(r->e)->count;
	uint64_t n = 0;

#define X(name) n += c->name;
	ENGINE_FATES(X)
#undef X
	return n;
}

static void stop(struct rig *r)
{
	struct effects out = { .n = 0 };

	while (engine_stop(r->e, r->now, &out))
		take(r, &out);
	take(r, &out);
}

static void check_closed(struct rig *r)
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

static const struct engine_counters *count(const struct rig *r)
{
	return &engine_stats(r->e)->count;
}

static const struct shadow_counters *machine(const struct rig *r)
{
	return shadow_counters((struct shadow *)(uintptr_t)engine_shadow(r->e));
}

/* --- frames --- */

static size_t make(uint8_t *buf, bool udp, struct ipaddr src, uint16_t sport,
		   struct ipaddr dst, uint16_t dport, struct tcp_header h,
		   const void *data, size_t len)
{
	size_t n;

	h.src = src;
	h.dst = dst;
	h.sport = sport;
	h.dport = dport;
	h.ttl = 64;
	h.win = 60000;
	memcpy(h.eth_dst, mac_own, ETH_LEN);
	n = udp ? build_udp(buf, &h, data, (uint32_t)len, CSUM_FULL)
		: build_tcp(buf, &h, data, (uint32_t)len, CSUM_FULL);
	if (len > 0)
		memcpy(buf + n, data, len);
	return n + len;
}

/* A segment on the mirror. */
static void tcp(struct rig *r, struct ipaddr src, uint16_t sport,
		struct ipaddr dst, uint16_t dport, uint32_t seq, uint32_t ack,
		uint8_t flags, const char *text)
{
	uint8_t buf[FRAME_LEN];
	struct tcp_header h = { .seq = seq, .ack = ack, .flags = flags };

	memcpy(h.eth_src, mac_a, ETH_LEN);
	inject(r, ENGINE_MIRROR, buf,
	       make(buf, false, src, sport, dst, dport, h, text, strlen(text)));
}

static void tcp_sut(struct rig *r, struct ipaddr src, uint16_t sport,
		    struct ipaddr dst, uint16_t dport, uint32_t seq,
		    uint32_t ack, uint8_t flags, const char *text)
{
	uint8_t buf[FRAME_LEN];
	struct tcp_header h = { .seq = seq, .ack = ack, .flags = flags };

	memcpy(h.eth_src, mac_sut, ETH_LEN);
	inject(r, ENGINE_SUT, buf,
	       make(buf, false, src, sport, dst, dport, h, text, strlen(text)));
}

static void udp(struct rig *r, enum engine_source from, struct ipaddr src,
		uint16_t sport, struct ipaddr dst, uint16_t dport,
		const void *data, size_t len)
{
	uint8_t buf[FRAME_LEN];
	struct tcp_header h = { .seq = 0 };

	memcpy(h.eth_src, from == ENGINE_SUT ? mac_sut : mac_a, ETH_LEN);
	inject(r, from, buf,
	       make(buf, true, src, sport, dst, dport, h, data, len));
}

static void syn(struct rig *r, struct ipaddr client, uint16_t port,
		struct ipaddr prod, uint16_t pport)
{
	tcp(r, client, port, prod, pport, 1000, 0, TCP_SYN, "");
}

/* --- maps --- */

static void test_config(void)
{
	struct rig r;

	defaults(&r);
	CHECK(engine_init(&r.e, &r.arena, &r.cfg, 0) == -EINVAL); /* no map */
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	CHECK(engine_init(&r.e, &r.arena, &r.cfg, 0) == -ENOMEM);
	r.cfg.skips = SKIP_MAX + 1;
	CHECK(engine_init(&r.e, &r.arena, &r.cfg, 0) == -EINVAL);
	r.cfg.skips = 0;
	r.cfg.limits.flows = 0;
	CHECK(engine_init(&r.e, &r.arena, &r.cfg, 0) == -EINVAL);
	r.cfg.limits.flows = 1;
	r.cfg.maps = MAP_MAX + 1;
	CHECK(engine_init(&r.e, &r.arena, &r.cfg, 0) == -EINVAL);
	CHECK(r.e == NULL && r.arena.used == 0);
}

static void test_prefix(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 0), 16, 0, ip(9, 0, 1), 0);
	start(&r);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 7, 7), 8080);
	CHECK(r.n == 1 && r.seen[0].dport == 8080);
	CHECK(r.n == 1 && ipaddr_eq(&r.seen[0].dst, &r.cfg.map[0].sut));
	syn(&r, ip(1, 0, 1), 5000, ip(3, 7, 7), 8080);
	syn(&r, ip(2, 0, 1), 5000, ip(2, 7, 7), 8080);
	CHECK(r.n == 1);
	CHECK(count(&r)->not_mapped == 1 && count(&r)->both_mapped == 1);
	CHECK(count(&r)->client == 1);
	check_closed(&r);
}

/* Every IPv6 address is not every address. */
static void test_families(void)
{
	static const uint8_t v6[16] = { 0 };
	static const uint8_t sut6[16] = { 0xfd, [15] = 9 };
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	r.cfg.map[r.cfg.maps++] =
		(struct engine_map){ .prod = ipaddr_from6(v6),
				     .sut = ipaddr_from6(sut6) };
	r.cfg.skips = 1;
	r.cfg.skip[0] = (struct engine_net){ ipaddr_from6(v6), 0 };
	start(&r);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80);
	CHECK(r.n == 1 && count(&r)->other_legs == 0);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 0, 2), 80);
	CHECK(count(&r)->not_mapped == 1 && count(&r)->skipped == 0);
	check_closed(&r);
}

/* Two production servers and one SUT: clients' tuples may collide there. */
static void test_colliding(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 8080);
	add_map(&r, ip(2, 0, 2), 32, 80, ip(9, 0, 1), 8080);
	start(&r);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 0, 2), 80);
	CHECK(r.n == 2 && r.seen[0].sport == 5000);
	CHECK(r.n == 2 && r.seen[1].sport != 5000);
	CHECK(r.n == 2 && (r.seen[1].sport & 0xf) == (5000 & 0xf));
	CHECK(r.n == 2 && r.seen[0].dport == 8080 && r.seen[1].dport == 8080);
	CHECK(machine(&r)->flows_other_port == 1);
	/* Each answer finds its own flow. */
	for (uint32_t i = 0; i < 2; i++)
		tcp_sut(&r, ip(9, 0, 1), 8080, ip(1, 0, 1), r.seen[i].sport, 77,
			1001, TCP_SYN | TCP_ACK, "");
	CHECK(machine(&r)->flows_established == 2);
	CHECK(count(&r)->sut == 2);
	check_closed(&r);
}

/* One production server and two SUTs: two legs. */
static void test_legs(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 2), 8080);
	start(&r);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80);
	CHECK(r.n == 2 && r.seen[0].sut == 0 && r.seen[1].sut == 1);
	CHECK(r.n == 2 && r.seen[0].dport == 80 && r.seen[1].dport == 8080);
	CHECK(r.n == 2 && r.seen[1].sport == 5000);
	CHECK(count(&r)->client == 2 && count(&r)->other_legs == 1);
	CHECK(machine(&r)->flows_seen == 2);
	tcp(&r, ip(2, 0, 1), 80, ip(1, 0, 1), 5000, 1, 1001, TCP_SYN | TCP_ACK,
	    "");
	CHECK(count(&r)->production == 2);
	check_closed(&r);
}

/* A prefix of a map or of a client need not end with a byte. */
static void test_prefixes(void)
{
	static const uint8_t net[16] = { 0x20, 1, 0x0d, 0xb8, 0xa4 };
	static const uint8_t in[16] = { 0x20, 1, 0x0d, 0xb8, 0xa5, [15] = 1 };
	static const uint8_t beside[16] = { 0x20, 1, 0x0d, 0xb8, 0xa6 };
	static const uint8_t sut6[16] = { 0xfd, [15] = 9 };
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 4), 30, 80, ip(9, 0, 1), 0);
	r.cfg.map[r.cfg.maps++] =
		(struct engine_map){ .prod = ipaddr_from6(net),
				     .bits = 39,
				     .prod_port = 80,
				     .sut = ipaddr_from6(sut6) };
	r.cfg.skips = 1;
	r.cfg.skip[0] = (struct engine_net){ ip(1, 16, 0), IPADDR_4IN6 + 20 };
	start(&r);
	syn(&r, ip(1, 31, 1), 5000, ip(2, 0, 7), 80);
	CHECK(count(&r)->skipped == 1);
	syn(&r, ip(1, 32, 1), 5000, ip(2, 0, 7), 80);
	CHECK(count(&r)->client == 1 && r.n == 1);
	syn(&r, ip(1, 32, 1), 5000, ip(2, 0, 8), 80);
	CHECK(count(&r)->not_mapped == 1);
	syn(&r, ipaddr_from6(beside), 5000, ipaddr_from6(in), 80);
	CHECK(count(&r)->client == 2);
	syn(&r, ipaddr_from6(in), 5000, ipaddr_from6(beside), 80);
	CHECK(count(&r)->not_mapped == 2);
	check_closed(&r);
}

/* --- fates --- */

static void test_left_out(void)
{
	struct rig r;
	unsigned played;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	r.cfg.skips = 1;
	r.cfg.skip[0] = (struct engine_net){ ip(1, 9, 0), IPADDR_4IN6 + 24 };
	r.cfg.sample = SAMPLE_ALL / 4;
	start(&r);
	syn(&r, ip(1, 9, 3), 5000, ip(2, 0, 1), 80);
	tcp(&r, ip(2, 0, 1), 80, ip(1, 9, 3), 5000, 1, 1001, TCP_SYN | TCP_ACK,
	    "");
	CHECK(count(&r)->skipped == 2 && r.n == 0);
	/* Whole clients are played or not, and about a quarter of them is. */
	for (unsigned i = 0; i < 200; i++) {
		uint64_t before = count(&r)->not_sampled;

		syn(&r, ip(1, 8, i), 5000, ip(2, 0, 1), 80);
		syn(&r, ip(1, 8, i), 5001, ip(2, 0, 1), 80);
		CHECK((count(&r)->not_sampled - before) % 2 == 0);
	}
	played = (unsigned)(400 - count(&r)->not_sampled) / 2;
	CHECK(played > 20 && played < 90);
	check_closed(&r);
}

static void test_strays(void)
{
	struct rig r;
	uint8_t junk[60] = { 0 };

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	uint64_t wire = count(&r)->wire;
	tcp(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80, 5, 5, TCP_ACK, "x");
	CHECK(count(&r)->no_flow == 1);
	tcp(&r, ip(9, 0, 1), 80, ip(2, 0, 1), 80, 5, 5, TCP_SYN, "");
	CHECK(count(&r)->sut_in_mirror == 1);
	inject(&r, ENGINE_MIRROR, junk, sizeof(junk));
	CHECK(count(&r)->not_segment == 1);
	/* On the SUT's wire: nothing of ours, to the outside, a SYN of its own */
	tcp_sut(&r, ip(9, 0, 1), 80, ip(1, 0, 1), 5000, 5, 9, TCP_ACK, "");
	CHECK(count(&r)->sut_stray == 1);
	CHECK(r.n == 1 && r.seen[0].cause == CAUSE_STRAY_RST);
	CHECK(r.n == 1 && r.seen[0].seq == 9);
	tcp_sut(&r, ip(9, 0, 1), 40000, ip(77, 0, 1), 443, 5, 0, TCP_SYN, "");
	tcp_sut(&r, ip(9, 0, 1), 40000, ip(77, 0, 1), 443, 5, 0, TCP_SYN, "");
	CHECK(count(&r)->absorbed == 2);
	CHECK(engine_stats(r.e)->absorbed_n == 1);
	CHECK(engine_stats(r.e)->absorbed[0].n == 2);
	CHECK(engine_stats(r.e)->absorbed[0].port == 443);
	CHECK(count(&r)->wire == wire);
	CHECK(r.n == 1);
	check_closed(&r);
}

static void test_not_a_sut(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	/* Its hardware address, but another one's IP: production's. */
	tcp_sut(&r, ip(2, 0, 1), 80, ip(1, 0, 1), 5000, 5, 9, TCP_ACK, "");
	CHECK(count(&r)->not_a_sut == 1);
	CHECK(count(&r)->production == 0 && r.n == 0);
	/* And somebody else's hardware address stops everything. */
	uint8_t buf[FRAME_LEN];
	struct tcp_header h = { .flags = TCP_ACK };
	memcpy(h.eth_src, mac_a, ETH_LEN);
	size_t n =
		make(buf, false, ip(9, 0, 1), 80, ip(1, 0, 1), 5000, h, "", 0);
	inject(&r, ENGINE_SUT, buf, n);
	CHECK(sutwire_stop(engine_wire(r.e))->reason != SUTWIRE_GOING);
	inject(&r, ENGINE_SUT, buf, n);
	CHECK(count(&r)->wire_stopped == 1);
	check_closed(&r);
}

static void test_no_room(void)
{
	struct rig r;

	defaults(&r);
	r.cfg.limits.flows = 1;
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80);
	syn(&r, ip(1, 0, 1), 5001, ip(2, 0, 1), 80);
	CHECK(count(&r)->no_room == 1);
	CHECK(machine(&r)->flows_not_played == 1);
	CHECK(machine(&r)->ended[FLOW_END_VICTIM] == 1);
	check_closed(&r);
}

/* --- the SUT's leg --- */

static void test_observed(void)
{
	struct rig r;

	defaults(&r);
	r.cfg.sut_none = true;
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80);
	tcp(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80, 1001, 1, TCP_ACK,
	    "GET / HTTP/1.1\r\n\r\n");
	pass(&r, NS_PER_SEC);
	CHECK(r.n == 0 && engine_wire(r.e) == NULL);
	CHECK(machine(&r)->ended[FLOW_END_OBSERVED] == 1);
	CHECK(machine(&r)->requests_seen == 1);
	CHECK(machine(&r)->not_delivered[FLOW_END_OBSERVED] == 1);
	stop(&r);
	CHECK(engine_stats(r.e)
		      ->reason[VERDICT_NOT_COMPARED][REASON_NOT_PLAYED] == 1);
	check_closed(&r);
}

static void test_not_ready(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	r.arena.size = arena_need(engine_size(&r.cfg));
	r.arena.base = aligned_alloc(ARENA_ALIGN, r.arena.size);
	if (r.arena.base == NULL)
		abort();
	memset(r.arena.base, 0, r.arena.size);
	CHECK(engine_init(&r.e, &r.arena, &r.cfg, 0) == 0);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80);
	CHECK(r.n == 0);
	CHECK(machine(&r)->ended[FLOW_END_NOT_READY] == 1);
	udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1), 80, "x", 1);
	CHECK(r.n == 0 && count(&r)->datagrams_not_played == 1);
	check_closed(&r);
}

static void test_stopped(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80);
	tcp_sut(&r, ip(9, 0, 1), 80, ip(1, 0, 1), 5000, 70, 1001,
		TCP_SYN | TCP_ACK, "");
	tcp(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80, 1001, 1, TCP_ACK,
	    "GET / HTTP/1.1\r\n\r\n");
	CHECK(r.n == 2 && r.seen[1].len == 18 && r.seen[1].ack == 71);
	stop(&r);
	CHECK(r.n == 3 && r.seen[2].cause == CAUSE_RST);
	CHECK(r.n == 3 && r.seen[2].seq == 1001 + 18);
	CHECK(machine(&r)->ended[FLOW_END_STOPPED] == 1);
	CHECK(engine_stats(r.e)
		      ->reason[VERDICT_NOT_COMPARED][REASON_RUN_ENDED] == 1);
	check_closed(&r);
}

/* --- VXLAN --- */

/* The frame in a VXLAN packet (RFC 7348 section 5) of network @vni. */
static void vxlan(struct rig *r, uint32_t vni)
{
	uint8_t in[FRAME_LEN] = { 8 };
	struct tcp_header h = { .seq = 1000, .flags = TCP_SYN };
	size_t n = make(in + 8, false, ip(1, 0, 1), 5000, ip(2, 0, 1), 80, h,
			"", 0);

	put_be32(in + 4, vni << 8);
	udp(r, ENGINE_MIRROR, ip(50, 0, 1), 999, ip(50, 0, 2), 4789, in, 8 + n);
}

static void test_vxlan(void)
{
	static const uint32_t want[] = { VXLAN_NONE, VXLAN_ANY, 7, 8 };
	static const unsigned played[] = { 0, 1, 1, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct rig r;

		defaults(&r);
		r.cfg.vxlan = want[i];
		add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
		start(&r);
		vxlan(&r, 7);
		CHECK(r.n == played[i]);
		CHECK(count(&r)->client == played[i]);
		check_closed(&r);
	}
}

/* --- datagrams --- */

/* A DNS message about "a.": query, or answer with one address (RFC 1035). */
static size_t dns(uint8_t *p, uint16_t id, bool answer, uint8_t last)
{
	static const uint8_t question[] = { 1, 'a', 0, 0, 1, 0, 1 };
	const uint8_t record[] = { 0xc0, 12, 0, 1, 0,  1, 0, 0,
				   0,	 60, 0, 4, 10, 0, 0, last };
	size_t n = 12;

	memset(p, 0, 12);
	put_be16(p, id);
	put_be16(p + 2, answer ? 0x8180 : 0x0100);
	put_be16(p + 4, 1);
	put_be16(p + 6, answer);
	memcpy(p + n, question, sizeof(question));
	n += sizeof(question);
	if (answer) {
		memcpy(p + n, record, sizeof(record));
		n += sizeof(record);
	}
	return n;
}

static void query(struct rig *r, uint16_t id)
{
	uint8_t m[64];

	udp(r, ENGINE_MIRROR, ip(1, 0, 1), 5353, ip(2, 0, 1), 53, m,
	    dns(m, id, false, 0));
}

static void answer(struct rig *r, enum engine_source from, uint16_t id,
		   uint8_t last)
{
	uint8_t m[64];

	udp(r, from, from == ENGINE_SUT ? ip(9, 0, 1) : ip(2, 0, 1), 53,
	    ip(1, 0, 1), 5353, m, dns(m, id, true, last));
}

/* What the event on an unanswered query with this question calls it. */
static void asks(struct rig *r, const char *question, size_t len,
		 const char *text)
{
	struct engine_event ev;
	uint8_t m[512] = { 0 };
	uint16_t id = 77;

	put_be16(m, id);
	put_be16(m + 2, 0x0100);
	put_be16(m + 4, 1);
	memcpy(m + 12, question, len);
	udp(r, ENGINE_MIRROR, ip(1, 0, 1), 5353, ip(2, 0, 1), 53, m, 12 + len);
	put_be16(m + 2, 0x8180);
	udp(r, ENGINE_MIRROR, ip(2, 0, 1), 53, ip(1, 0, 1), 5353, m, 12 + len);
	pass(r, UDP_TIMEOUT + 2 * NS_PER_SEC);
	CHECK_ROW(engine_event(r->e, &ev), text);
	CHECK_ROW(ev.request_len == strlen(text) &&
			  memcmp(ev.request, text, strlen(text)) == 0,
		  text);
}

static void test_question(void)
{
	static char many[4 * 64 + 5];
	static char text[EVENT_REQUEST + 1];
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
#define ASKS(question, text) asks(&r, question, sizeof(question) - 1, text)
	ASKS("\2n7\3lab\0\0\1\0\1", "n7.lab. A");
	ASKS("\0\0\2\0\1", ". NS");
	ASKS("\1a\0\0\34\0\1", "a. AAAA");
	ASKS("\1a\0\377\377\0\1", "a. TYPE65535");
	ASKS("\1a\0\0\0\0\1", "a. TYPE0");
	ASKS("\3a.b\2\\\33\0\0\1\0\1", "a\\.b.\\\\\33. A");
#undef ASKS
	/* As much as there is room for. */
	for (size_t i = 0; i < 4; i++) {
		many[64 * i] = 63;
		memset(many + 64 * i + 1, 'x', 63);
	}
	many[64 * 3] = 0; /* three labels: a name is at most 255 bytes */
	memcpy(many + 64 * 3 + 1, "\0\1\0\1", 4);
	memset(text, 'x', EVENT_REQUEST);
	text[63] = '.';
	asks(&r, many, 64 * 3 + 5, text);
	stop(&r);
	check_closed(&r);
}

static void test_dns(void)
{
	const struct engine_stats *st;
	struct engine_event ev;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
	st = engine_stats(r.e);
	query(&r, 11);
	query(&r, 12);
	query(&r, 13);
	query(&r, 14);
	CHECK(r.n == 4 && r.seen[0].kind == EFFECT_UDP);
	CHECK(r.n == 4 && r.seen[3].dport == 53 && r.seen[3].sport == 5353);
	CHECK(get_be16(r.data[2]) == 13);
	/* In any order, and the second one differs. */
	answer(&r, ENGINE_SUT, 12, 9);
	answer(&r, ENGINE_MIRROR, 11, 1);
	answer(&r, ENGINE_MIRROR, 12, 1);
	answer(&r, ENGINE_SUT, 11, 1);
	answer(&r, ENGINE_MIRROR, 13, 1);
	pass(&r, NS_PER_SEC);
	CHECK(st->verdict[VERDICT_IDENTICAL] == 1);
	CHECK(st->verdict[VERDICT_DIFFERENT] == 1);
	CHECK(engine_event(r.e, &ev) && ev.kind == EVENT_VERDICT &&
	      ev.result.verdict == VERDICT_DIFFERENT);
	CHECK(ev.request_len == 4 && memcmp(ev.request, "a. A", 4) == 0);
	pass(&r, UDP_TIMEOUT + NS_PER_SEC);
	CHECK(st->reason[VERDICT_DIFFERENT][REASON_MISSING] == 1);     /* 13 */
	CHECK(st->reason[VERDICT_NOT_COMPARED][REASON_PROD_CUT] == 1); /* 14 */
	CHECK(count(&r)->client_datagram == 4);
	CHECK(count(&r)->production_datagram == 3);
	CHECK(count(&r)->sut_datagram == 2);
	query(&r, 15);
	stop(&r);
	CHECK(st->reason[VERDICT_NOT_COMPARED][REASON_RUN_ENDED] == 1);
	check_closed(&r);
}

static void test_datagrams(void)
{
	const struct engine_stats *st;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 0, ip(9, 0, 1), 0);
	start(&r);
	st = engine_stats(r.e);
	/* Of no protocol that is known: paired in order, compared as bytes. */
	for (int i = 0; i < 2; i++) {
		udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1), 9000,
		    "ask", 3);
		udp(&r, ENGINE_MIRROR, ip(2, 0, 1), 9000, ip(1, 0, 1), 5000,
		    "tell", 4);
		udp(&r, ENGINE_SUT, ip(9, 0, 1), 9000, ip(1, 0, 1), 5000,
		    i == 0 ? "tell" : "tall", 4);
	}
	pass(&r, NS_PER_SEC);
	CHECK(r.n == 2 && memcmp(r.data[1], "ask", 3) == 0);
	CHECK(st->verdict[VERDICT_IDENTICAL] == 1);
	CHECK(st->reason[VERDICT_DIFFERENT][REASON_BYTES] == 1);
	check_closed(&r);
}

/* --- what is left --- */

/* The SUT looks for more destinations than are named. */
static void test_absorbed(void)
{
	const struct engine_stats *st;
	struct rig r;
	uint8_t ping[14 + 20 + 8] = { 2,	 [12] = 8,  [14] = 0x45,
				      [17] = 28, [22] = 64, [23] = PROTO_ICMP };
	bool named = false;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	st = engine_stats(r.e);
	for (unsigned i = 0; i < ABSORB_MAX + 5; i++)
		for (unsigned k = 0; k < (i == 7 ? 1u : 2u); k++)
			tcp_sut(&r, ip(9, 0, 1), 40000, ip(77, 0, i % 32),
				(uint16_t)(i / 32 + 1), 5, 0, TCP_SYN, "");
	CHECK(count(&r)->absorbed == 2 * (ABSORB_MAX + 5) - 1);
	CHECK(st->absorbed_n == ABSORB_MAX);
	/* The one that was seen least made room for the next. */
	for (uint32_t i = 0; i < ABSORB_MAX; i++) {
		const struct engine_absorbed *a = &st->absorbed[i];
		struct ipaddr seventh = ip(77, 0, 7);

		CHECK(!ipaddr_eq(&a->dst, &seventh) || a->port != 1);
		named |= a->port == 3;
	}
	CHECK(named);
	/* And what is no TCP or UDP. */
	memcpy(ping, mac_own, ETH_LEN);
	memcpy(ping + 6, mac_sut, ETH_LEN);
	memcpy(ping + 26, "\12\11\0\1\12\115\0\1", 8);
	put_be16(ping + 24, (uint16_t)~csum_fold(csum_add(0, ping + 14, 20)));
	ping[34] = 8;
	put_be16(ping + 36, (uint16_t)~csum_fold(csum_add(0, ping + 34, 8)));
	inject(&r, ENGINE_SUT, ping, sizeof(ping));
	CHECK(count(&r)->absorbed == 2 * (ABSORB_MAX + 5));
	CHECK(r.n == 0);
	check_closed(&r);
}

static void test_datagrams_not_compared(void)
{
	struct rig r;

	defaults(&r);
	r.cfg.compare = COMPARE_NONE;
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
	query(&r, 1);
	answer(&r, ENGINE_MIRROR, 1, 1);
	answer(&r, ENGINE_SUT, 1, 2);
	pass(&r, NS_PER_SEC);
	CHECK(engine_stats(r.e)
		      ->reason[VERDICT_NOT_COMPARED][REASON_LEVEL_NONE] == 1);
	CHECK(engine_stats(r.e)->verdict[VERDICT_DIFFERENT] == 0);
	check_closed(&r);
}

/* A SUT's datagram that is a beginning of production's, and the other way. */
static void test_datagrams_of_other_length(void)
{
	const struct engine_stats *st;
	struct engine_event ev;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 0, ip(9, 0, 1), 0);
	start(&r);
	st = engine_stats(r.e);
	for (unsigned i = 0; i < 2; i++) {
		udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1), 9000,
		    "ask", 3);
		udp(&r, ENGINE_MIRROR, ip(2, 0, 1), 9000, ip(1, 0, 1), 5000,
		    "tell", 3 + i);
		udp(&r, ENGINE_SUT, ip(9, 0, 1), 9000, ip(1, 0, 1), 5000,
		    "tell", 4 - i);
	}
	pass(&r, NS_PER_SEC);
	CHECK(st->reason[VERDICT_DIFFERENT][REASON_BYTES] == 2);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(engine_event(r.e, &ev) && ev.result.offset == 3);
		CHECK(ev.result.bytes[0] == 3 + i);
		CHECK(ev.result.bytes[1] == 4 - i);
		CHECK(ev.client_port == 5000 && ev.prod_port == 9000);
		CHECK(ev.request_len == 0);
	}
	check_closed(&r);
}

/* Questions that cannot be read have no words. */
static void test_no_question(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
#define ASKS(question) asks(&r, question, sizeof(question) - 1, "")
	ASKS("");
	ASKS("\300\14\0\1\0\1");
	ASKS("\2n");
	ASKS("\1a");
	ASKS("\1a\0\0\1\0");
	ASKS("\100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	     "aaa"
	     "\0\0\1\0\1");
#undef ASKS
	check_closed(&r);
}

/* Events that nobody fetches: the oldest stay, the others are counted. */
static void test_events_lost(void)
{
	struct engine_event ev;
	unsigned n = 0;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 53, ip(9, 0, 1), 0);
	start(&r);
	for (uint16_t i = 0; i < 300; i++) {
		query(&r, i);
		answer(&r, ENGINE_MIRROR, i, 1);
		answer(&r, ENGINE_SUT, i, 2);
		pass(&r, NS_PER_MS);
	}
	CHECK(engine_stats(r.e)->verdict[VERDICT_DIFFERENT] == 300);
	while (engine_event(r.e, &ev))
		n++;
	CHECK(n > 0 && n + count(&r)->events_lost == 300);
	CHECK(count(&r)->events_lost > 0);
	check_closed(&r);
}

/* A capture taken on the host that sent the frame: no checksum yet. */
static void test_offloaded(void)
{
	for (int open = 0; open < 2; open++) {
		struct tcp_header h = { .seq = 1000, .flags = TCP_SYN };
		uint8_t buf[FRAME_LEN];
		struct rig r;
		size_t n;

		defaults(&r);
		r.cfg.open_csum = open != 0;
		add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
		start(&r);
		memcpy(h.eth_src, mac_a, ETH_LEN);
		n = make(buf, false, ip(1, 0, 1), 5000, ip(2, 0, 1), 80, h, "",
			 0);
		put_be16(buf + 24, 0);
		inject(&r, ENGINE_MIRROR, buf, n);
		CHECK(r.n == (open ? 1 : 0));
		CHECK(count(&r)->offloaded == (open ? 1u : 0));
		put_be16(buf + 24, 1); /* wrong, and not left to a device */
		inject(&r, ENGINE_MIRROR, buf, n);
		CHECK(r.n == (open ? 1 : 0));
		CHECK(count(&r)->not_segment == (open ? 1u : 2u));
		check_closed(&r);
	}
}

static void test_no_wire(void)
{
	struct ipaddr sut = ip(9, 0, 1);
	struct ipaddr other = ip(9, 0, 2);
	struct rig r;

	defaults(&r);
	r.cfg.sut_none = true;
	add_map(&r, ip(2, 0, 1), 32, 80, sut, 0);
	start(&r);
	CHECK(engine_sut(r.e, &sut) == 0 && engine_sut(r.e, &other) == -1);
	tcp_sut(&r, sut, 80, ip(1, 0, 1), 5000, 5, 9, TCP_ACK, "");
	CHECK(count(&r)->wire_stopped == 1 && r.n == 0);
	check_closed(&r);
}

/* A datagram goes to the port that the map names, and its answer comes from it. */
static void test_datagram_port(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 9000, ip(9, 0, 1), 9001);
	start(&r);
	udp(&r, ENGINE_MIRROR, ip(1, 0, 1), 5000, ip(2, 0, 1), 9000, "ask", 3);
	CHECK(r.n == 1 && r.seen[0].dport == 9001);
	udp(&r, ENGINE_MIRROR, ip(2, 0, 1), 9000, ip(1, 0, 1), 5000, "tell", 4);
	udp(&r, ENGINE_SUT, ip(9, 0, 1), 9001, ip(1, 0, 1), 5000, "tell", 4);
	udp(&r, ENGINE_SUT, ip(9, 0, 1), 9000, ip(1, 0, 1), 5000, "tell", 4);
	pass(&r, NS_PER_SEC);
	CHECK(engine_stats(r.e)->verdict[VERDICT_IDENTICAL] == 1);
	CHECK(count(&r)->sut_datagram == 1 && count(&r)->absorbed == 1);
	check_closed(&r);
}

/* The same port of another host, the same host by another protocol. */
static void test_absorbed_are_told_apart(void)
{
	const struct engine_stats *st;
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	st = engine_stats(r.e);
	tcp_sut(&r, ip(9, 0, 1), 40000, ip(77, 0, 1), 53, 5, 0, TCP_SYN, "");
	tcp_sut(&r, ip(9, 0, 1), 40000, ip(77, 0, 2), 53, 5, 0, TCP_SYN, "");
	udp(&r, ENGINE_SUT, ip(9, 0, 1), 40000, ip(77, 0, 1), 53, "q", 1);
	udp(&r, ENGINE_SUT, ip(9, 0, 1), 40001, ip(77, 0, 1), 53, "q", 1);
	CHECK(st->absorbed_n == 3 && count(&r)->absorbed == 4);
	CHECK(st->absorbed[2].proto == PROTO_UDP && st->absorbed[2].n == 2);
	CHECK(st->absorbed[0].n == 1 && st->absorbed[1].n == 1);
	check_closed(&r);
}

/* A datagram that the sink did not take, and one of a served port that nobody
 * asked for.
 */
static void test_unsent_datagram(void)
{
	struct effects out = { .n = 0 };
	uint8_t buf[FRAME_LEN];
	struct tcp_header h = { .seq = 0 };
	struct frame_info in = { .data = buf, .link = LINK_ETHERNET };
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 0, ip(9, 0, 1), 0);
	start(&r);
	memcpy(h.eth_src, mac_a, ETH_LEN);
	in.cap = in.wire = (uint32_t)make(buf, true, ip(1, 0, 1), 5000,
					  ip(2, 0, 1), 9000, h, "ask", 3);
	engine_frame(r.e, ENGINE_MIRROR, &in, r.now, &out);
	CHECK(out.n == 1 && out.e[0].kind == EFFECT_UDP);
	engine_unsent(r.e, &out.e[0]);
	engine_sent(r.e, &out.e[0]);
	CHECK(engine_udp(r.e)->unsent == 1);
	udp(&r, ENGINE_SUT, ip(9, 0, 1), 9001, ip(1, 0, 1), 5000, "eh", 2);
	CHECK(count(&r)->sut_datagram == 1 && r.n == 0);
	check_closed(&r);
}

static const struct check_test tests[] = {
	{ "configurations that contradict themselves", test_config },
	{ "a prefix and every port", test_prefix },
	{ "IPv4 and IPv6", test_families },
	{ "two servers to one SUT: colliding tuples", test_colliding },
	{ "one server to two SUTs: two legs", test_legs },
	{ "a prefix ends at its bit", test_prefixes },
	{ "--skip and --sample", test_left_out },
	{ "frames of no flow", test_strays },
	{ "on the SUT's wire, from no SUT", test_not_a_sut },
	{ "no room for a flow", test_no_room },
	{ "nobody to send to", test_observed },
	{ "a wire that is not proved", test_not_ready },
	{ "the run ends", test_stopped },
	{ "VXLAN", test_vxlan },
	{ "DNS", test_dns },
	{ "a question in words", test_question },
	{ "other datagrams", test_datagrams },
	{ "more destinations than are named", test_absorbed },
	{ "datagrams that are not compared", test_datagrams_not_compared },
	{ "datagrams of another length", test_datagrams_of_other_length },
	{ "questions without words", test_no_question },
	{ "events that nobody fetches", test_events_lost },
	{ "checksums left to the device", test_offloaded },
	{ "no wire to the SUT", test_no_wire },
	{ "a datagram that was not sent", test_unsent_datagram },
	{ "the SUT's port of a datagram", test_datagram_port },
	{ "absorbed destinations are told apart",
	  test_absorbed_are_told_apart },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
