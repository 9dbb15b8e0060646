/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_engine.c - Unit test of engine: whose a frame is
 *
 * What the scripts of test/script cannot say: several maps and legs, clients that
 * are left out, VXLAN, a SUT that is not there.
 */
#include <errno.h>

#include "core/csum.h"
#include "engine_rig.h"

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

/* Bytes of clients beyond the rate: their flows end, with all that they hold. */
static void test_rate(void)
{
	struct rig r;
	char body[1001] = { 0 };

	memset(body, 'x', 1000);
	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	r.cfg.rate = 80000; /* 10 KB a second */
	start(&r);
	for (unsigned i = 0; i < 40; i++) {
		syn(&r, ip(1, 8, i), 5000, ip(2, 0, 1), 80);
		tcp(&r, ip(1, 8, i), 5000, ip(2, 0, 1), 80, 1001, 1, TCP_ACK,
		    body);
	}
	CHECK(count(&r)->over_rate == 0);
	pass(&r, 150 * NS_PER_MS);
	for (unsigned i = 0; i < 40; i++)
		tcp(&r, ip(2, 0, 1), 80, ip(1, 8, i), 5000, 1, 2001, TCP_ACK,
		    "");
	CHECK(count(&r)->over_rate > 30);
	CHECK(shadow_counters(engine_shadow(r.e))->ended[FLOW_END_RATE] ==
	      count(&r)->over_rate);
	CHECK(shadow_flows(engine_shadow(r.e)) == 40 - count(&r)->over_rate);
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
	CHECK(r.n == 3 && r.seen[2].cause == CAUSE_OUTSIDE);
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
	CHECK(engine_next_timeout(r.e) <= r.now + SHADOW_IDLE);
	CHECK(machine(&r)->ended[FLOW_END_OBSERVED] == 1);
	CHECK(machine(&r)->requests_seen == 1);
	CHECK(machine(&r)->not_delivered[FLOW_END_OBSERVED] == 1);
	stop(&r);
	CHECK(engine_stats(r.e)
		      ->reason[VERDICT_NOT_COMPARED][REASON_NOT_PLAYED] == 1);
	/* Time passes without a wire as well. */
	syn(&r, ip(1, 0, 2), 5000, ip(2, 0, 1), 80);
	pass(&r, 2 * SHADOW_IDLE);
	CHECK(machine(&r)->ended[FLOW_END_OBSERVED] == 2);
	check_closed(&r);
}

static void test_not_ready(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	create(&r);
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
	static const struct decap want[] = {
		{ .kinds = 0 },
		{ .kinds = DECAP_ALL, .most = 1 },
		{ .kinds = DECAP_ALL, .most = 1, .keyed = true, .key = 7 },
		{ .kinds = DECAP_ALL, .most = 1, .keyed = true, .key = 8 },
	};
	static const unsigned seen[] = { 0, 1, 1, 1 };
	static const unsigned played[] = { 0, 1, 1, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct rig r;

		defaults(&r);
		r.cfg.decap = want[i];
		add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
		start(&r);
		vxlan(&r, 7);
		CHECK(r.n == played[i]);
		CHECK(count(&r)->client == played[i]);
		CHECK(engine_stats(r.e)->tunnels.n == seen[i]);
		CHECK(seen[i] == 0 ||
		      engine_stats(r.e)->tunnels.seen[0].taken ==
			      (played[i] > 0));
		check_closed(&r);
	}
}

/* --- what is left --- */

/* ICMP of the mirror counts where one of its ends is production's. */
static void test_mirror_icmp(void)
{
	static const char *const ends[] = {
		"\12\1\0\1\12\2\0\1", /* a client to production */
		"\12\2\0\1\12\1\0\1",
		"\12\1\0\1\12\7\0\1", /* to somebody else */
	};
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		uint8_t ping[14 + 20 + 8] = {
			2,	   [12] = 8,	[14] = 0x45,
			[17] = 28, [22] = 64,	[23] = PROTO_ICMP,
			[34] = 8,  [36] = 0xf7, [37] = 0xff
		};

		memcpy(ping + 26, ends[i], 8);
		put_be16(ping + 24,
			 (uint16_t)~csum_fold(csum_add(0, ping + 14, 20)));
		inject(&r, ENGINE_MIRROR, ping, sizeof(ping));
	}
	CHECK(count(&r)->not_segment == 3);
	CHECK(engine_stats(r.e)->icmp.echo == 2);
	check_closed(&r);
}

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
	r.cfg.refuse = false;
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
	CHECK(r.n == 0 && count(&r)->refused_tcp == 0);
	check_closed(&r);
}

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
	struct ipaddr none = { { 0 } };
	struct rig r;

	defaults(&r);
	r.cfg.sut_none = true;
	add_map(&r, ip(2, 0, 1), 32, 80, sut, 0);
	start(&r);
	CHECK(engine_sut(r.e, &sut) == 0 && engine_sut(r.e, &other) == -1);
	CHECK(engine_sut(r.e, &none) == -1);
	tcp_sut(&r, sut, 80, ip(1, 0, 1), 5000, 5, 9, TCP_ACK, "");
	CHECK(count(&r)->wire_stopped == 1 && r.n == 0);
	check_closed(&r);
}

/* A datagram goes to the port that the map names, and its answer comes from it. */

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

/* --- whose it is, once more --- */

/* The SUT has production's own address: on the mirror it is production. */
static void test_sut_with_productions_address(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(2, 0, 1), 0);
	start(&r);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80);
	tcp(&r, ip(2, 0, 1), 80, ip(1, 0, 1), 5000, 1, 1001, TCP_SYN | TCP_ACK,
	    "");
	CHECK(count(&r)->client == 1 && count(&r)->production == 1);
	CHECK(count(&r)->sut_in_mirror == 0 && r.n == 1);
	check_closed(&r);
}

/* More SUTs for one server than there are legs: the first maps count. */
static void test_legs_are_bounded(void)
{
	struct rig r;

	defaults(&r);
	for (unsigned i = 0; i < LEGS_MAX + 1; i++)
		add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1 + i), 0);
	start(&r);
	syn(&r, ip(1, 0, 1), 5000, ip(2, 0, 1), 80);
	CHECK(r.n == LEGS_MAX && machine(&r)->flows_seen == LEGS_MAX);
	check_closed(&r);
}

/* A SUT whose hardware address was given is not asked for it. */
static void test_pinned(void)
{
	for (unsigned suts = 1; suts <= 2; suts++) {
		struct rig r;

		defaults(&r);
		r.cfg.sut_pinned = true;
		memcpy(r.cfg.sut_mac, mac_sut, ETH_LEN);
		for (unsigned i = 0; i < suts; i++)
			add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1 + i), 0);
		start(&r);
		/* It is one SUT's, and says nothing where there are two. */
		CHECK(sutwire_stats(engine_wire(r.e))->asked ==
		      (suts == 1 ? 0 : 2));
		check_closed(&r);
	}
}

/* One SUT's hardware address, and the IP address of another, not found yet. */
static void test_sut_not_found_yet(void)
{
	uint8_t buf[BUILD_HDR_MAX];
	struct ipaddr first = ip(9, 0, 1);
	struct ipaddr asker = ip(9, 0, 9);
	struct rig r;

	defaults(&r);
	r.deaf = true;
	add_map(&r, ip(2, 0, 1), 32, 80, first, 0);
	add_map(&r, ip(2, 0, 2), 32, 80, ip(9, 0, 2), 0);
	create(&r);
	inject(&r, ENGINE_SUT, buf,
	       build_arp(buf, 2, mac_own, mac_sut, &first, mac_own, &asker));
	CHECK(sutwire_mac(engine_wire(r.e), 0) != NULL);
	CHECK(sutwire_mac(engine_wire(r.e), 1) == NULL);
	tcp_sut(&r, ip(9, 0, 2), 80, ip(1, 0, 1), 5000, 5, 9, TCP_ACK, "");
	CHECK(count(&r)->sut_stray == 1 && r.n == 0);
	check_closed(&r);
}

/* Which ports of a SUT serve: of its own maps, theirs or production's. */
static void test_served_ports(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 8080);
	add_map(&r, ip(2, 0, 2), 32, 81, ip(9, 0, 2), 0);
	start(&r);
	tcp_sut(&r, ip(9, 0, 1), 8080, ip(1, 0, 1), 5000, 5, 9, TCP_ACK, "");
	tcp_sut(&r, ip(9, 0, 2), 81, ip(1, 0, 1), 5000, 5, 9, TCP_ACK, "");
	CHECK(count(&r)->sut_stray == 2 && count(&r)->absorbed == 0);
	tcp_sut(&r, ip(9, 0, 1), 80, ip(1, 0, 1), 5000, 5, 9, TCP_ACK, "");
	tcp_sut(&r, ip(9, 0, 1), 81, ip(1, 0, 1), 5000, 5, 9, TCP_ACK, "");
	tcp_sut(&r, ip(9, 0, 2), 8080, ip(1, 0, 1), 5000, 5, 9, TCP_ACK, "");
	CHECK(count(&r)->sut_stray == 2 && count(&r)->absorbed == 3);
	check_closed(&r);
}

/* A host that may be on the SUT's wire could be a client of its own network. */
static void test_a_client_that_may_be_on_the_wire(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	r.cfg.alsos = 1;
	r.cfg.also[0].ip = ip(1, 7, 1);
	memcpy(r.cfg.also[0].mac, mac_a, ETH_LEN);
	start(&r);
	syn(&r, ip(1, 8, 9), 5000, ip(2, 0, 1), 80);
	CHECK(r.n == 1 && count(&r)->client == 1);
	syn(&r, ip(1, 7, 9), 5000, ip(2, 0, 1), 80);
	CHECK(r.n == 1 && count(&r)->wire_stopped == 1);
	CHECK(sutwire_stop(engine_wire(r.e))->reason == SUTWIRE_ALSO_CLIENT);
	check_closed(&r);
}

/* What one SUT sends to another is no business of ours: no answer in the other's
 * name.
 */
static void test_one_sut_to_another(void)
{
	uint8_t buf[FRAME_LEN];
	struct tcp_header h = { .seq = 5, .ack = 9, .flags = TCP_ACK };
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 0, ip(9, 0, 1), 0);
	add_map(&r, ip(2, 0, 2), 32, 0, ip(9, 0, 2), 0);
	start(&r);
	tcp_sut(&r, ip(9, 0, 1), 80, ip(9, 0, 2), 5000, 5, 9, TCP_ACK, "");
	CHECK(r.n == 0 && count(&r)->not_ours == 1);
	/* To a hardware address that is neither ours nor a SUT's. */
	memcpy(h.eth_src, mac_sut, ETH_LEN);
	size_t n =
		make(buf, false, ip(9, 0, 1), 80, ip(1, 0, 1), 5000, h, "", 0);
	memcpy(buf, mac_a, ETH_LEN);
	inject(&r, ENGINE_SUT, buf, n);
	CHECK(r.n == 0 && count(&r)->not_ours == 2);
	CHECK(count(&r)->sut_stray == 0 && count(&r)->absorbed == 0);
	check_closed(&r);
}

/* An IPv4 header of the SUT's to the outside, with a good checksum. */
static void packet_of_sut(uint8_t *f, uint8_t proto, uint16_t frag)
{
	memset(f, 0, 60);
	memcpy(f, mac_own, ETH_LEN);
	memcpy(f + 6, mac_sut, ETH_LEN);
	put_be16(f + 12, 0x0800);
	f[14] = 0x45;
	put_be16(f + 16, 44);
	put_be16(f + 20, frag);
	f[22] = 64;
	f[23] = proto;
	memcpy(f + 26, "\12\11\0\1\12\115\0\1", 8);
	put_be16(f + 24, (uint16_t)~csum_fold(csum_add(0, f + 14, 20)));
}

/* The SUT's packets that are neither TCP nor UDP, or only a part of one. */
static void test_other_packets_of_the_sut(void)
{
	const struct engine_stats *st;
	uint8_t f[60];
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	st = engine_stats(r.e);
	packet_of_sut(f, 47, 0);
	inject(&r, ENGINE_SUT, f, sizeof(f));
	CHECK(st->decode[ENGINE_SUT][DECODE_IP_OTHER] == 1);
	CHECK(count(&r)->absorbed == 1 && st->absorbed_n == 1);
	packet_of_sut(f, PROTO_TCP, 0x2000); /* more fragments follow */
	inject(&r, ENGINE_SUT, f, sizeof(f));
	CHECK(st->decode[ENGINE_SUT][DECODE_FRAGMENT] == 1);
	CHECK(count(&r)->not_segment == 1 && count(&r)->absorbed == 1);
	CHECK(r.n == 0);
	check_closed(&r);
}

/* Frames of the wire itself that were not sent change nothing: they are sent
 * again at their time.
 */
static void test_unsent_question(void)
{
	struct effects out = { .n = 0 };
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	create(&r);
	engine_timeout(r.e, r.now, &out);
	CHECK(out.n == 1 && out.e[0].kind == EFFECT_RAW);
	engine_unsent(r.e, &out.e[0]);
	engine_sent(r.e, &out.e[0]);
	pass(&r, 10 * NS_PER_SEC);
	CHECK(sutwire_ready(engine_wire(r.e), 0));
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
	{ "--max-rate", test_rate },
	{ "ICMP of the mirror", test_mirror_icmp },
	{ "frames of no flow", test_strays },
	{ "on the SUT's wire, from no SUT", test_not_a_sut },
	{ "no room for a flow", test_no_room },
	{ "nobody to send to", test_observed },
	{ "a wire that is not proved", test_not_ready },
	{ "the run ends", test_stopped },
	{ "VXLAN", test_vxlan },
	{ "more destinations than are named", test_absorbed },
	{ "checksums left to the device", test_offloaded },
	{ "no wire to the SUT", test_no_wire },
	{ "a client that may be on the SUT's wire",
	  test_a_client_that_may_be_on_the_wire },
	{ "what one SUT sends to another", test_one_sut_to_another },
	{ "absorbed destinations are told apart",
	  test_absorbed_are_told_apart },
	{ "the SUT has production's address",
	  test_sut_with_productions_address },
	{ "more legs than there may be", test_legs_are_bounded },
	{ "a hardware address that was given", test_pinned },
	{ "a SUT that is not found yet", test_sut_not_found_yet },
	{ "ports that serve", test_served_ports },
	{ "the SUT's other packets", test_other_packets_of_the_sut },
	{ "a question that was not sent", test_unsent_question },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
