/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_outside.c - Unit test of engine/outside: what a SUT asks of the outside
 */
#include "engine_rig.h"

#define SUT	  ip(9, 0, 1)
#define CLIENT	  ip(1, 0, 1)
#define ORIGIN	  ip(77, 0, 1)
#define PROD	  ip(2, 0, 1)
#define SOME_PORT 40000

static void begin(struct rig *r, uint16_t port)
{
	defaults(r);
	add_map(r, PROD, 32, port, SUT, 0);
	start(r);
}

static void opens(struct rig *r, struct ipaddr dst)
{
	tcp_sut(r, SUT, SOME_PORT, dst, 443, 7000, 0, TCP_SYN, "");
}

static void asks(struct rig *r, uint16_t port, struct ipaddr dst)
{
	udp(r, ENGINE_SUT, SUT, port, dst, 53, "who?", 4);
}

static void test_a_syn_is_refused(void)
{
	const struct effect *x;
	struct ipaddr origin = ORIGIN;
	struct ipaddr sut = SUT;
	struct rig r;

	begin(&r, 80);
	opens(&r, ORIGIN);
	x = &r.seen[0];
	CHECK(r.n == 1 && x->kind == EFFECT_TCP && x->cause == CAUSE_OUTSIDE);
	CHECK(x->flags == (TCP_RST | TCP_ACK) && x->seq == 0);
	CHECK(x->ack == 7001 && x->len == 0);
	CHECK(ipaddr_eq(&x->src, &origin) && x->sport == 443);
	CHECK(ipaddr_eq(&x->dst, &sut) && x->dport == SOME_PORT);
	/* With data (fast open), also from a port that is served. */
	tcp_sut(&r, SUT, 80, ORIGIN, 443, 0xfffffffe, 0, TCP_SYN, "data");
	CHECK(r.n == 2 && r.seen[1].ack == 3);
	/* To production, too: no flow has these ends. */
	opens(&r, PROD);
	CHECK(r.n == 3);
	CHECK(count(&r)->refused_tcp == 3 && count(&r)->absorbed == 3);
	CHECK(engine_stats(r.e)->absorbed_n == 2);
	check_closed(&r);
}

static void test_what_is_not_refused(void)
{
	uint8_t v4[4] = { 169, 254, 1, 1 };
	struct ipaddr local = ipaddr_from4(v4);
	struct ipaddr group;
	uint8_t buf[FRAME_LEN];
	struct tcp_header h = { .flags = TCP_SYN };
	struct rig r;
	size_t n;

	v4[0] = 224;
	group = ipaddr_from4(v4);
	begin(&r, 80);
	/* No attempt to open, or one that ends. */
	tcp_sut(&r, SUT, SOME_PORT, ORIGIN, 443, 7, 9, TCP_ACK, "x");
	tcp_sut(&r, SUT, SOME_PORT, ORIGIN, 443, 7, 9, TCP_SYN | TCP_ACK, "");
	tcp_sut(&r, SUT, SOME_PORT, ORIGIN, 443, 7, 0, TCP_RST, "");
	tcp_sut(&r, SUT, SOME_PORT, ORIGIN, 443, 7, 0, TCP_SYN | TCP_RST, "");
	/* Link-local, a group, and a frame to all. */
	opens(&r, local);
	asks(&r, SOME_PORT, local);
	opens(&r, group);
	asks(&r, SOME_PORT, group);
	memcpy(h.eth_src, mac_sut, ETH_LEN);
	n = make(buf, false, SUT, SOME_PORT, ORIGIN, 443, h, "", 0);
	memset(buf, 0xff, ETH_LEN);
	inject(&r, ENGINE_SUT, buf, n);
	/* A port that is served, and production. */
	asks(&r, 80, ORIGIN);
	udp(&r, ENGINE_SUT, SUT, SOME_PORT, PROD, 80, "x", 1);
	CHECK(r.n == 0 && count(&r)->refused_tcp + count(&r)->refused_udp == 0);
	CHECK(count(&r)->refuse_limited == 0);
	CHECK(count(&r)->absorbed == 10);
	check_closed(&r);
}

/* A datagram of another frame's bytes: VLAN or not, the quote is its IP packet. */
static void test_a_datagram_is_refused(void)
{
	static const uint8_t big[400];
	struct effect *x;
	uint8_t sent[FRAME_LEN];
	struct tcp_header h = { .seq = 0 };
	struct frame_info in = { .link = LINK_ETHERNET };
	struct decoded d;
	struct rig r;
	size_t n;

	begin(&r, 80);
	memcpy(h.eth_src, mac_sut, ETH_LEN);
	n = make(sent, true, SUT, SOME_PORT, ORIGIN, 53, h, "who is?", 7);
	inject(&r, ENGINE_SUT, sent, n);
	x = &r.seen[0];
	CHECK(r.n == 1 && x->kind == EFFECT_RAW && x->cause == CAUSE_OUTSIDE);
	CHECK(count(&r)->refused_udp == 1 && count(&r)->absorbed == 1);
	in.data = x->raw;
	in.cap = in.wire = x->rawlen;
	CHECK(frame_decode(&in, NULL, 0, &d) == DECODE_ICMP);
	CHECK(memcmp(d.eth_dst, mac_sut, ETH_LEN) == 0);
	CHECK(memcmp(d.eth_src, mac_own, ETH_LEN) == 0);
	{
		struct ipaddr origin = ORIGIN;
		struct ipaddr sut = SUT;

		CHECK(ipaddr_eq(&d.seg.src, &origin));
		CHECK(ipaddr_eq(&d.seg.dst, &sut));
	}
	CHECK(d.l4[0] == 3 && d.l4[1] == 3 && d.l4_len == 8 + n - 14);
	CHECK(memcmp(d.l4 + 8, sent + 14, n - 14) == 0);
	/* A long one is quoted as far as there is room; padding never is. */
	n = make(sent, true, SUT, SOME_PORT, ORIGIN, 53, h, big, sizeof(big));
	inject(&r, ENGINE_SUT, sent, n);
	CHECK(r.n == 2 && r.seen[1].rawlen == 42 + UNREACHABLE_QUOTE);
	n = make(sent, true, SUT, SOME_PORT, ORIGIN, 53, h, "", 0);
	memset(sent + n, 0xee, 60 - n);
	inject(&r, ENGINE_SUT, sent, 60);
	CHECK(r.n == 3 && r.seen[2].rawlen == 42 + 28);
	check_closed(&r);
}

/* By its first fragment, unless that comes last; it is absorbed when it is whole. */
static void test_a_datagram_in_fragments(void)
{
	static const uint8_t data[64];
	uint8_t f[2][FRAME_LEN];
	struct tcp_header h = { .ttl = 64, .dport = 53, .ip_id = 9 };
	size_t n[2];
	struct rig r;

	begin(&r, 80);
	h.src = SUT;
	h.dst = ORIGIN;
	memcpy(h.eth_src, mac_sut, ETH_LEN);
	memcpy(h.eth_dst, mac_own, ETH_LEN);
	for (int turn = 0; turn < 3; turn++) {
		h.sport = turn == 2 ? 80 : SOME_PORT;
		h.ip_id++;
		n[0] = build_udp_fragment(f[0], &h, data, 64, 0, 40);
		n[1] = build_udp_fragment(f[1], &h, data, 64, 40, 24);
		memcpy(f[0] + n[0], data, 40);
		memcpy(f[1] + n[1], data, 24);
		n[0] += 40;
		n[1] += 24;
		if (turn == 1) {
			inject(&r, ENGINE_SUT, f[1], n[1]);
			CHECK(r.n == 1);
		}
		inject(&r, ENGINE_SUT, f[0], n[0]);
		if (turn != 1)
			inject(&r, ENGINE_SUT, f[1], n[1]);
		CHECK(r.n == 1); /* the later one brings nothing */
	}
	CHECK(r.seen[0].kind == EFFECT_RAW && r.seen[0].rawlen == 42 + 66);
	CHECK(memcmp(r.seen[0].raw + 42, f[0] + 14, 4) == 0);
	CHECK(count(&r)->refused_udp == 1 && count(&r)->not_segment == 3);
	CHECK(count(&r)->absorbed == 2 && count(&r)->sut_datagram == 1);
	check_closed(&r);
}

static void test_ipv6(void)
{
	uint8_t a[16] = { 0xfd, 9 };
	uint8_t b[16] = { 0x2a, 7 };
	struct ipaddr prod, sut, origin;
	struct frame_info in = { .link = LINK_ETHERNET };
	struct decoded d;
	struct rig r;

	a[15] = 1;
	sut = ipaddr_from6(a);
	a[15] = 2;
	prod = ipaddr_from6(a);
	origin = ipaddr_from6(b);
	defaults(&r);
	r.cfg.map[r.cfg.maps++] =
		(struct engine_map){ prod, IPADDR_BITS, 80, sut, 0, false };
	r.cfg.sut_pinned = true;
	memcpy(r.cfg.sut_mac, mac_sut, ETH_LEN);
	start(&r);
	tcp_sut(&r, sut, SOME_PORT, origin, 443, 7000, 0, TCP_SYN, "");
	CHECK(r.n == 1 && r.seen[0].flags == (TCP_RST | TCP_ACK));
	udp(&r, ENGINE_SUT, sut, SOME_PORT, origin, 53, "who?", 4);
	CHECK(r.n == 2 && r.seen[1].kind == EFFECT_RAW);
	in.data = r.seen[1].raw;
	in.cap = in.wire = r.seen[1].rawlen;
	CHECK(frame_decode(&in, NULL, 0, &d) == DECODE_ICMP);
	CHECK(d.l4[0] == 1 && d.l4[1] == 4 && d.l4_len == 8 + 40 + 8 + 4);
	b[0] = 0xfe; /* link-local */
	b[1] = 0x80;
	origin = ipaddr_from6(b);
	tcp_sut(&r, sut, SOME_PORT, origin, 443, 7000, 0, TCP_SYN, "");
	b[0] = 0xff;
	b[1] = 0x0e;
	origin = ipaddr_from6(b);
	udp(&r, ENGINE_SUT, sut, SOME_PORT, origin, 53, "who?", 4);
	CHECK(r.n == 2 && count(&r)->absorbed == 4);
	check_closed(&r);
}

static void test_silent(void)
{
	struct rig r;

	defaults(&r);
	r.cfg.refuse = false;
	add_map(&r, PROD, 32, 80, SUT, 0);
	start(&r);
	opens(&r, ORIGIN);
	asks(&r, SOME_PORT, ORIGIN);
	CHECK(r.n == 0 && count(&r)->absorbed == 2);
	CHECK(count(&r)->refused_tcp + count(&r)->refuse_limited == 0);
	check_closed(&r);
}

/* A hundred a second to each SUT, with the RSTs of strays. */
static void test_rate(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, PROD, 32, 80, SUT, 0);
	add_map(&r, ip(2, 0, 2), 32, 80, ip(9, 0, 2), 0);
	start(&r);
	for (int i = 0; i < 60; i++) {
		opens(&r, ORIGIN);
		asks(&r, SOME_PORT, ORIGIN);
	}
	CHECK(count(&r)->refused_tcp == 50 && count(&r)->refused_udp == 50);
	CHECK(count(&r)->refuse_limited == 20 && count(&r)->absorbed == 120);
	tcp_sut(&r, SUT, 80, CLIENT, 5000, 5, 9, TCP_ACK, "");
	CHECK(machine(&r)->stray_rst_limited == 1);
	/* The other one has its own. */
	tcp_sut(&r, ip(9, 0, 2), SOME_PORT, ORIGIN, 443, 5, 0, TCP_SYN, "");
	CHECK(count(&r)->refused_tcp == 51);
	pass(&r, NS_PER_SEC);
	opens(&r, ORIGIN);
	CHECK(count(&r)->refused_tcp == 52);
	check_closed(&r);
}

static void test_unsent(void)
{
	struct effects out = { .n = 0 };
	struct tcp_header h = { .flags = TCP_SYN };
	struct frame_info in = { .link = LINK_ETHERNET };
	uint8_t buf[FRAME_LEN];
	struct rig r;

	begin(&r, 80);
	memcpy(h.eth_src, mac_sut, ETH_LEN);
	in.data = buf;
	in.cap = in.wire = (uint32_t)make(buf, false, SUT, SOME_PORT, ORIGIN,
					  443, h, "", 0);
	engine_frame(r.e, ENGINE_SUT, &in, r.now, &out);
	CHECK(out.n == 1);
	engine_unsent(r.e, &out.e[0]);
	engine_sent(r.e, &out.e[0]);
	check_closed(&r);
}

/* Where a --map has no port, a port serves once it was asked, for a minute. */
static void test_a_map_without_ports(void)
{
	struct rig r;

	begin(&r, 0);
	asks(&r, 53, CLIENT);
	CHECK(count(&r)->refused_udp == 1 && count(&r)->absorbed == 1);
	udp(&r, ENGINE_MIRROR, CLIENT, 5000, PROD, 53, "ask", 3);
	CHECK(r.n == 2 && r.seen[1].kind == EFFECT_UDP);
	asks(&r, 53, CLIENT);
	pass(&r, 59 * NS_PER_SEC);
	asks(&r, 53, CLIENT);
	asks(&r, 54, CLIENT);
	CHECK(count(&r)->sut_datagram == 2 && count(&r)->refused_udp == 2);
	pass(&r, 2 * NS_PER_SEC);
	asks(&r, 53, CLIENT);
	CHECK(count(&r)->sut_datagram == 2 && count(&r)->refused_udp == 3);
	/* Its attempts to open are told by the flows. */
	opens(&r, ORIGIN);
	CHECK(count(&r)->refused_tcp == 1 && count(&r)->absorbed == 4);
	CHECK(engine_stats(r.e)->absorbed_n == 2);
	check_closed(&r);
}

/* More ports than are remembered: then none is refused. */
static void test_many_ports(void)
{
	struct rig r;

	begin(&r, 0);
	for (uint16_t p = 0; p < 65; p++) {
		udp(&r, ENGINE_MIRROR, CLIENT, 5000, PROD, 1000 + p, "ask", 3);
		pass(&r, NS_PER_MS);
	}
	asks(&r, 1000, CLIENT); /* had to make room */
	asks(&r, 1064, CLIENT);
	asks(&r, 2000, CLIENT);
	CHECK(count(&r)->refused_udp == 0 && count(&r)->sut_datagram == 3);
	pass(&r, 60 * NS_PER_SEC);
	asks(&r, 1064, CLIENT);
	asks(&r, 2000, CLIENT);
	CHECK(count(&r)->refused_udp == 2 && count(&r)->sut_datagram == 3);
	check_closed(&r);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a SYN is refused", test_a_syn_is_refused },
		{ "what is not refused", test_what_is_not_refused },
		{ "a datagram is refused", test_a_datagram_is_refused },
		{ "a datagram in fragments", test_a_datagram_in_fragments },
		{ "IPv6", test_ipv6 },
		{ "--outside silent", test_silent },
		{ "a hundred a second", test_rate },
		{ "a refusal that was not sent", test_unsent },
		{ "a map without ports", test_a_map_without_ports },
		{ "more ports than are remembered", test_many_ports },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
