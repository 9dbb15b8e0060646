/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_sutwire.c - Unit test of engine/sutwire
 *
 * Dialogues: frames are built and decoded by the code that a run uses, so that
 * the machine sees what it would see on a wire. Time is a number.
 */
#include "lan/sutwire.h"

#include <errno.h>
#include <string.h>

#include "check.h"
#include "core/arena.h"
#include "core/bytes.h"
#include "core/csum.h"

#define SEC  NS_PER_SEC
#define PORT 80

static const uint8_t our_mac[ETH_LEN] = { 2, 0xaa, 0, 0, 0, 1 };
static const uint8_t sut_mac[ETH_LEN] = { 2, 0xbb, 0, 0, 0, 2 };
static const uint8_t sut2_mac[ETH_LEN] = { 2, 0xbb, 0, 0, 0, 3 };
static const uint8_t bad_mac[ETH_LEN] = { 2, 0xcc, 0, 0, 0, 9 };
static const uint8_t all_mac[ETH_LEN] = { 255, 255, 255, 255, 255, 255 };

static _Alignas(64) uint8_t memory[1 << 20];
static struct sutwire *wire;
static struct effects out;
static uint64_t now;
static bool any; /* SUTs may move */
static struct ipaddr sut4, sut4b, sut6, client4, client6, zero4, zero6, ll6;

static struct ipaddr ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t p[4] = { a, b, c, d };

	return ipaddr_from4(p);
}

static struct ipaddr ip6(uint16_t head, uint8_t last)
{
	struct ipaddr a = { { 0 } };

	put_be16(a.b, head);
	a.b[15] = last;
	return a;
}

static void addresses(void)
{
	sut4 = ip4(10, 72, 0, 20);
	sut4b = ip4(10, 72, 0, 21);
	client4 = ip4(203, 0, 113, 7);
	zero4 = ip4(0, 0, 0, 0);
	sut6 = ip6(0xfd72, 20);
	client6 = ip6(0x2a00, 7);
	ll6 = ip6(0xfe80, 2);
	memset(&zero6, 0, sizeof(zero6));
}

static int start_with(const struct sutwire_sut *sut, uint32_t n)
{
	struct arena a = { .base = memory, .size = sizeof(memory) };
	struct sutwire_cfg cfg = {
		.sut = sut, .suts = n, .any = any, .seed = 7
	};

	memset(memory, 0, sizeof(memory));
	memcpy(cfg.mac, our_mac, ETH_LEN);
	now = 5 * SEC;
	out.n = 0;
	return sutwire_init(&wire, &a, &cfg, now);
}

static void start(struct ipaddr ip)
{
	const struct sutwire_sut sut = { .ip = ip, .port = PORT, .index = 3 };

	CHECK(start_with(&sut, 1) == 0);
}

static void tick(void)
{
	out.n = 0;
	sutwire_timeout(wire, now, &out);
	sutwire_check(wire, now);
}

/* A frame comes in. */
static bool in(const uint8_t *p, size_t len)
{
	struct frame_info f = { .data = p,
				.cap = (uint32_t)len,
				.wire = (uint32_t)len,
				.link = LINK_ETHERNET };
	struct decoded d;
	enum decode_result r;
	bool taken;

	memset(&d, 0, sizeof(d));
	r = frame_decode(&f, NULL, now, &d);
	out.n = 0;
	taken = sutwire_frame(wire, &f, r, &d, now, &out) != SUTWIRE_PASSED;
	sutwire_check(wire, now);
	return taken;
}

static bool in_arp(uint16_t op, const uint8_t *mac, struct ipaddr spa,
		   struct ipaddr tpa)
{
	uint8_t f[BUILD_RAW_MAX];

	return in(f, build_arp(f, op, op == 1 ? all_mac : our_mac, mac, &spa,
			       op == 1 ? NULL : our_mac, &tpa));
}

static bool in_ns(const uint8_t *mac, struct ipaddr src, struct ipaddr target)
{
	uint8_t f[BUILD_RAW_MAX];

	return in(f, build_ns(f, mac, &src, &target));
}

static bool in_na(const uint8_t *mac, struct ipaddr target)
{
	uint8_t f[BUILD_RAW_MAX];

	return in(f, build_na(f, our_mac, mac, &target, &ll6));
}

/* A segment from @mac to @to. */
static bool in_tcp_to(const uint8_t *to, const uint8_t *mac, struct ipaddr src,
		      struct ipaddr dst, uint16_t dport, uint8_t flags,
		      uint32_t ack)
{
	uint8_t f[BUILD_HDR_MAX];
	struct tcp_header h = { .src = src,
				.dst = dst,
				.sport = PORT,
				.dport = dport,
				.seq = 1000,
				.ack = ack,
				.flags = flags,
				.ttl = 64,
				.win = 1000 };

	memcpy(h.eth_src, mac, ETH_LEN);
	memcpy(h.eth_dst, to, ETH_LEN);
	return in(f, build_tcp(f, &h, NULL, 0, CSUM_FULL));
}

static bool in_tcp(const uint8_t *mac, struct ipaddr src, struct ipaddr dst,
		   uint16_t dport, uint8_t flags, uint32_t ack)
{
	return in_tcp_to(our_mac, mac, src, dst, dport, flags, ack);
}

/* The SUT's answer to the probe @e. */
static bool in_answer(const struct effect *e, uint8_t flags)
{
	return in_tcp(sut_mac, e->dst, e->src, e->sport, flags, e->seq + 1);
}

static void test_asks_until_answered(void)
{
	struct arp_packet a;

	start(sut4);
	CHECK(sutwire_next_timeout(wire) == now);
	for (int i = 0; i < 20; i++) {
		tick();
		CHECK(out.n == 1 && out.e[0].kind == EFFECT_RAW);
		CHECK(out.e[0].cause == CAUSE_ARP && out.e[0].sut == 3);
		CHECK(arp_parse(out.e[0].raw + 14, 46u, &a) == 0);
		CHECK(a.op == 1 && ipaddr_eq(&a.tpa, &sut4));
		CHECK(a.spa.b[12] == 198 && (a.spa.b[13] & 0xfe) == 18);
		CHECK(memcmp(out.e[0].raw, all_mac, 6) == 0);
		CHECK(memcmp(a.sha, our_mac, 6) == 0);
		CHECK(sutwire_next_timeout(wire) == now + 200 * NS_PER_MS);
		CHECK(sutwire_mac(wire, 0) == NULL);
		tick();
		CHECK(out.n == 0);
		now = sutwire_next_timeout(wire);
	}
	CHECK(in_arp(2, sut_mac, sut4, a.spa));
	CHECK(sutwire_mac(wire, 0) &&
	      memcmp(sutwire_mac(wire, 0), sut_mac, 6) == 0);
	CHECK(sutwire_state(wire, 0) == SUTWIRE_PROBING);
	CHECK(!sutwire_ready(wire, 0));
}

/* Bring the only SUT to readiness; the probe is in @e. */
static void make_ready(struct effect *e)
{
	if (ipaddr_is4(&sut4) && !sutwire_mac(wire, 0))
		in_arp(2, sut_mac, sut4, client4);
	tick();
	CHECK(out.n == 1);
	*e = out.e[0];
	in_answer(e, TCP_SYN | TCP_ACK);
	CHECK(sutwire_ready(wire, 0));
}

static void test_probe(void)
{
	struct effect e;

	start(sut4);
	in_arp(2, sut_mac, sut4, client4);
	tick();
	CHECK(out.n == 1 && out.e[0].kind == EFFECT_TCP);
	e = out.e[0];
	CHECK(e.cause == CAUSE_PROBE && e.flags == TCP_SYN && e.sut == 3);
	CHECK(e.src.b[12] == 198 && (e.src.b[13] & 0xfe) == 18);
	CHECK(ipaddr_eq(&e.dst, &sut4) && e.dport == PORT);
	CHECK(e.optlen == 4 && e.opts[0] == 2 && e.ack == 0);

	/* Not this one's answer: another ack, another port, no ack at all. */
	CHECK(in_tcp(sut_mac, sut4, e.src, e.sport, TCP_SYN | TCP_ACK,
		     e.seq + 2));
	CHECK(in_tcp(sut_mac, sut4, e.src, e.sport + 1, TCP_SYN | TCP_ACK,
		     e.seq + 1));
	CHECK(in_tcp(sut_mac, sut4, e.src, e.sport, TCP_ACK, e.seq + 1));
	CHECK(in_tcp(sut_mac, sut4, e.src, e.sport, TCP_RST, e.seq + 1));
	CHECK(!sutwire_ready(wire, 0));
	CHECK(sutwire_stats(wire)->probe_stray == 4);

	CHECK(in_answer(&e, TCP_SYN | TCP_ACK));
	CHECK(sutwire_ready(wire, 0));
	CHECK(out.n == 1 && out.e[0].flags == TCP_RST);
	CHECK(out.e[0].seq == e.seq + 1 && out.e[0].sport == e.sport);
	CHECK(ipaddr_eq(&out.e[0].src, &e.src));
	CHECK(ipaddr_eq(&out.e[0].dst, &sut4) && out.e[0].dport == PORT);
	CHECK(sutwire_next_timeout(wire) == now + 60 * SEC);

	/* The RST got lost: the SYNACK comes again and does no more. */
	now += SEC;
	CHECK(in_answer(&e, TCP_SYN | TCP_ACK));
	CHECK(out.n == 1 && out.e[0].flags == TCP_RST);
	CHECK(sutwire_stats(wire)->probe_synack == 1);
	CHECK(sutwire_next_timeout(wire) == now + 59 * SEC);
}

static void test_refusal_proves_the_wire(void)
{
	struct effect e;

	start(sut4);
	in_arp(2, sut_mac, sut4, client4);
	tick();
	e = out.e[0];
	CHECK(in_answer(&e, TCP_RST | TCP_ACK));
	CHECK(sutwire_ready(wire, 0) && out.n == 0);
	CHECK(sutwire_stats(wire)->probe_rst == 1);
}

/* Whatever a stranger says, it ends the run, and nothing is sent any more. */
static void expect_stop(const char *name, enum sutwire_stop_reason why,
			const uint8_t *mac)
{
	CHECK_ROW(sutwire_stop(wire)->reason == why, name);
	CHECK_ROW(memcmp(sutwire_stop(wire)->mac, mac, 6) == 0, name);
	CHECK_ROW(out.n == 0, name);
	CHECK_ROW(!sutwire_ready(wire, 0), name);
	CHECK_ROW(sutwire_next_timeout(wire) == SUTWIRE_NEVER, name);
	CHECK_ROW(sutwire_stats(wire)->strangers == 1, name);
	now += 100 * SEC;
	tick();
	CHECK_ROW(out.n == 0, name);
	in_arp(1, sut_mac, sut4, client4);
	CHECK_ROW(out.n == 0, name);
}

/* A switch may flood what a SUT sends to its router: that is no proof. */
static void test_an_answer_to_another_is_no_proof(void)
{
	struct effect e;

	start(sut4);
	in_arp(2, sut_mac, sut4, client4);
	tick();
	e = out.e[0];
	CHECK(in_tcp_to(bad_mac, sut_mac, sut4, e.src, e.sport,
			TCP_SYN | TCP_ACK, e.seq + 1));
	CHECK(!sutwire_ready(wire, 0) && out.n == 0);
	CHECK(sutwire_stats(wire)->elsewhere == 1);
	CHECK(sutwire_via(wire, 0) &&
	      memcmp(sutwire_via(wire, 0), bad_mac, ETH_LEN) == 0);
	/* Its entry for that neighbour was stale, and it asks anew. */
	CHECK(in_tcp_to(all_mac, sut_mac, sut4, e.src, e.sport,
			TCP_SYN | TCP_ACK, e.seq + 1));
	CHECK(sutwire_ready(wire, 0) && out.n == 1);
	CHECK(sutwire_via(wire, 0) == NULL);
}

/* Whose answer to whose question is it? Not to ours, not ours. */
static void test_arp_for_another_teaches_nothing(void)
{
	uint8_t f[BUILD_RAW_MAX];

	start(sut4);
	CHECK(in(f,
		 build_arp(f, 2, bad_mac, sut_mac, &sut4, bad_mac, &client4)));
	CHECK(sutwire_mac(wire, 0) == NULL && out.n == 0);
	in_arp(2, sut_mac, sut4, client4);
	CHECK(sutwire_mac(wire, 0) != NULL);
	/* A unicast question of its is another's to answer. */
	CHECK(in(f, build_arp(f, 1, bad_mac, sut_mac, &sut4, NULL, &client4)));
	CHECK(out.n == 0 && sutwire_stats(wire)->elsewhere == 1);
	CHECK(in(f, build_arp(f, 1, our_mac, sut_mac, &sut4, NULL, &client4)));
	CHECK(out.n == 1);

	/* But a SUT's address at another place is seen wherever it is told. */
	in(f, build_arp(f, 2, sut_mac, bad_mac, &sut4, sut_mac, &client4));
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_MOVED);
}

/* Before its first probe was answered a SUT may have stale neighbours. */
static void test_a_router_that_the_sut_uses(void)
{
	uint8_t f[BUILD_RAW_MAX];
	struct effect e;

	start(sut4);
	in_arp(2, sut_mac, sut4, client4);
	CHECK(in_tcp_to(bad_mac, sut_mac, sut4, client4, 80, TCP_ACK, 1));
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_GOING);
	make_ready(&e);
	/* Its questions to one that was a neighbour are none yet. */
	in(f, build_arp(f, 1, bad_mac, sut_mac, &sut4, NULL, &client4));
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_GOING);
	CHECK(in_tcp_to(bad_mac, sut_mac, sut4, client4, 80, TCP_ACK, 1));
	expect_stop("router", SUTWIRE_ROUTES, bad_mac);
	CHECK(ipaddr_eq(&sutwire_stop(wire)->ip, &client4));
}

/* Who asks whether a SUT's address is free is about to take it. */
static void test_harmless_but_for_a_claim(void)
{
	struct effect e;

	start(sut4);
	make_ready(&e);
	in_arp(1, bad_mac, zero4, client4);
	in_ns(bad_mac, zero6, client6);
	CHECK(sutwire_ready(wire, 0) && out.n == 0);
	CHECK(sutwire_stats(wire)->other_hosts[WIRE_DAD] == 2);
	in_arp(1, bad_mac, zero4, sut4);
	expect_stop("claim", SUTWIRE_STRANGER, bad_mac);
	CHECK(sutwire_stop(wire)->kind == WIRE_CLAIM);
	start(sut4);
	make_ready(&e);
	in_arp(1, bad_mac, zero4, e.src); /* the probe's */
	expect_stop("claim", SUTWIRE_STRANGER, bad_mac);
}

static int start_also(struct ipaddr sut, const struct sutwire_also *also,
		      uint32_t n)
{
	struct arena a = { .base = memory, .size = sizeof(memory) };
	struct sutwire_sut s = { .ip = sut, .port = PORT };
	struct sutwire_cfg cfg = {
		.sut = &s, .suts = 1, .also = also, .alsos = n, .seed = 7
	};

	memset(memory, 0, sizeof(memory));
	memcpy(cfg.mac, our_mac, ETH_LEN);
	now = 5 * SEC;
	out.n = 0;
	return sutwire_init(&wire, &a, &cfg, now);
}

static int start_asking(struct ipaddr ip)
{
	struct arena a = { .base = memory, .size = sizeof(memory) };
	struct sutwire_sut s = { .ip = ip, .port = PORT };
	struct sutwire_cfg cfg = {
		.sut = &s, .suts = 1, .ask = true, .seed = 7
	};

	memset(memory, 0, sizeof(memory));
	memcpy(cfg.mac, our_mac, ETH_LEN);
	now = 5 * SEC;
	out.n = 0;
	return sutwire_init(&wire, &a, &cfg, now);
}

/* A router that the SUT uses answers it by unicast, where a switch does not show
 * it to us; we ask as well.
 */
static void test_who_else_has_it(void)
{
	struct arp_packet a;
	struct nd_packet n;
	struct effect e;

	CHECK(start_asking(sut4) == 0);
	make_ready(&e);
	in_arp(1, sut_mac, sut4, client4);
	CHECK(out.n == 2 && memcmp(out.e[0].raw, sut_mac, ETH_LEN) == 0);
	CHECK(memcmp(out.e[1].raw, all_mac, ETH_LEN) == 0);
	CHECK(arp_parse(out.e[1].raw + 14, 46u, &a) == 0);
	CHECK(a.op == 1 && ipaddr_eq(&a.tpa, &client4));
	CHECK(a.spa.b[12] == 198 && (a.spa.b[13] & 0xfe) == 18);
	in_arp(1, sut_mac, sut4, client4); /* once */
	CHECK(out.n == 1 && sutwire_stats(wire)->asked_others == 1);
	in_arp(1, sut_mac, sut4, sut4b);
	CHECK(out.n == 2);
	in_arp(1, sut_mac, sut4, sut4); /* announced, and not asked for */
	CHECK(out.n == 0);
	/* It is remembered for so many others. */
	for (uint8_t i = 0; i < 63; i++)
		in_arp(1, sut_mac, sut4, ip4(10, 72, 3, i));
	in_arp(1, sut_mac, sut4, client4);
	CHECK(out.n == 2 && sutwire_ready(wire, 0));
	in_arp(2, bad_mac, client4, a.spa);
	expect_stop("the router answers", SUTWIRE_STRANGER, bad_mac);
	CHECK(sutwire_stop(wire)->kind == WIRE_ARP);

	CHECK(start_asking(sut6) == 0);
	in_na(sut_mac, sut6);
	in_ns(sut_mac, sut6, client6);
	CHECK(out.n == 2 && out.e[1].raw[0] == 0x33 && out.e[1].raw[2] == 0xff);
	CHECK(nd_parse(out.e[1].raw + 54, out.e[1].rawlen - 54u, &n) == 0);
	CHECK(n.type == 135 && ipaddr_eq(&n.target, &client6));
	in_na(bad_mac, client6);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_STRANGER);
	CHECK(sutwire_stop(wire)->kind == WIRE_NA);
}

/* A bridge with an address, which it may use. */
static void test_another_host_that_was_named(void)
{
	const struct ipaddr bridge = ip4(10, 72, 0, 1);
	struct sutwire_also also = { .ip = bridge };
	struct effect e;

	memcpy(also.mac, bad_mac, ETH_LEN);
	CHECK(start_also(sut4, &also, 1) == 0);
	in_arp(1, bad_mac, bridge, sut4);
	make_ready(&e);
	in_arp(2, bad_mac, bridge, sut4);
	in_tcp(bad_mac, bridge, sut4, 80, TCP_SYN, 0);
	in_arp(1, bad_mac, zero4, bridge);
	/* What a SUT asks of it and sends to it is their own business. */
	in_arp(1, sut_mac, sut4, bridge);
	CHECK(out.n == 0);
	CHECK(in_tcp_to(bad_mac, sut_mac, sut4, bridge, 80, TCP_ACK, 1));
	CHECK(in_tcp(sut_mac, sut4, bridge, 80, TCP_ACK, 1));
	CHECK(out.n == 0 && sutwire_ready(wire, 0));
	CHECK(sutwire_stats(wire)->wire_also == 6);
	CHECK(sutwire_stats(wire)->elsewhere == 0);
	/* Its address at another hardware address is a stranger's. */
	in_arp(1, sut2_mac, bridge, sut4);
	expect_stop("another there", SUTWIRE_STRANGER, sut2_mac);

	/* It speaks from no other address. */
	CHECK(start_also(sut4, &also, 1) == 0);
	make_ready(&e);
	in_arp(1, bad_mac, client4, sut4);
	expect_stop("another address", SUTWIRE_ALSO_SPOKE, bad_mac);
	CHECK(sutwire_stop(wire)->kind == WIRE_ARP);
	CHECK(ipaddr_eq(&sutwire_stop(wire)->ip, &client4));
	CHECK(start_also(sut4, &also, 1) == 0);
	make_ready(&e);
	in_tcp(bad_mac, client4, sut4, 80, TCP_SYN, 0);
	expect_stop("forwards", SUTWIRE_ALSO_SPOKE, bad_mac);
	CHECK(start_also(sut4, &also, 1) == 0);
	make_ready(&e);
	in_arp(1, bad_mac, zero4, sut4);
	expect_stop("claims", SUTWIRE_ALSO_SPOKE, bad_mac);
	/* Nor does a SUT go on by it, not even before it was proved. */
	CHECK(start_also(sut4, &also, 1) == 0);
	in_arp(2, sut_mac, sut4, client4);
	in_tcp_to(bad_mac, sut_mac, sut4, client4, 80, TCP_ACK, 1);
	expect_stop("routes", SUTWIRE_ALSO_ROUTES, bad_mac);
	CHECK(ipaddr_eq(&sutwire_stop(wire)->ip, &client4));
}

static void test_another_host_of_ipv6(void)
{
	struct sutwire_also also[2] = { { .ip = ip6(0xfd72, 1) },
					{ .ip = ip6(0xfe80, 1) } };
	uint8_t f[BUILD_RAW_MAX];
	struct effect e;
	size_t n;

	memcpy(also[0].mac, bad_mac, ETH_LEN);
	memcpy(also[1].mac, bad_mac, ETH_LEN);
	for (uint32_t named = 1; named <= 2; named++) {
		CHECK(start_also(sut6, also, named) == 0);
		in_na(sut_mac, sut6);
		tick();
		e = out.e[0];
		in_answer(&e, TCP_SYN | TCP_ACK);
		CHECK(sutwire_ready(wire, 0));
		in_ns(sut_mac, sut6, also[0].ip);
		CHECK(out.n == 0);
		n = build_na(f, sut_mac, bad_mac, &also[0].ip, &sut6);
		in(f, n);
		CHECK(sutwire_ready(wire, 0));
		in_ns(bad_mac, also[1].ip, sut6);
		if (named == 2) {
			CHECK(sutwire_ready(wire, 0));
			in_ns(sut_mac, sut6, also[1].ip);
			CHECK(out.n == 0);
			continue;
		}
		expect_stop("link-local", SUTWIRE_ALSO_SPOKE, bad_mac);
		CHECK(ipaddr_eq(&sutwire_stop(wire)->ip, &also[1].ip));
	}
}

static void test_who_cannot_be_named(void)
{
	struct sutwire_also also[SUTWIRE_ALSO_MAX + 1];
	struct effect e;

	memset(also, 0, sizeof(also));
	for (uint8_t i = 0; i <= SUTWIRE_ALSO_MAX; i++) {
		also[i].ip = ip4(10, 72, 9, i);
		memcpy(also[i].mac, bad_mac, ETH_LEN);
	}
	CHECK(start_also(sut4, also, SUTWIRE_ALSO_MAX) == 0);
	CHECK(start_also(sut4, also, SUTWIRE_ALSO_MAX + 1) == -EINVAL);
	also[1].ip = sut4;
	CHECK(start_also(sut4, also, 2) == -EINVAL);

	/* A client of its network may be it. */
	CHECK(start_also(sut4, also, 1) == 0);
	make_ready(&e);
	{
		struct ipaddr near = ip4(10, 72, 9, 200);
		struct ipaddr far = ip4(10, 72, 8, 200);

		CHECK(!sutwire_client(wire, &far));
		CHECK(!sutwire_client(wire, &client6));
		CHECK(sutwire_ready(wire, 0));
		CHECK(sutwire_client(wire, &near));
		out.n = 0;
		expect_stop("client", SUTWIRE_ALSO_CLIENT, bad_mac);
	}
}

static void test_one_sut_to_another(void)
{
	struct sutwire_sut sut[2];

	memset(sut, 0, sizeof(sut));
	sut[0].ip = sut4;
	sut[1].ip = sut4b;
	CHECK(start_with(sut, 2) == 0);
	in_arp(2, sut_mac, sut4, client4);
	in_arp(2, sut2_mac, sut4b, client4);
	CHECK(in_tcp_to(sut2_mac, sut_mac, sut4, sut4b, 80, TCP_ACK, 1));
	/* And as if we were its router. */
	CHECK(in_tcp(sut_mac, sut4, sut4b, 80, TCP_ACK, 1));
	CHECK(in_tcp(sut2_mac, sut4b, sut4, 80, TCP_SYN, 0));
	CHECK(sutwire_stats(wire)->sut_to_sut == 3 && out.n == 0);
	CHECK(sutwire_stats(wire)->passed == 0);
	CHECK(sutwire_stats(wire)->elsewhere == 0);
	CHECK(!in_tcp(sut_mac, sut4, client4, 80, TCP_ACK, 1));
}

static void test_silence_ends_readiness(void)
{
	struct effect first;
	struct effect e;

	start(sut4);
	make_ready(&first);
	now = sutwire_next_timeout(wire);
	for (int i = 0; i < 4; i++) {
		CHECK(sutwire_ready(wire, 0));
		tick();
		CHECK(out.n == 1 && out.e[0].flags == TCP_SYN);
		if (i == 0)
			e = out.e[0];
		CHECK(out.e[0].seq == e.seq && out.e[0].sport == e.sport);
		now += SEC - 1;
		tick();
		CHECK(out.n == 0);
		now++;
	}
	CHECK(e.seq != first.seq);
	tick();
	CHECK(sutwire_state(wire, 0) == SUTWIRE_NO_ANSWER);
	CHECK(!sutwire_ready(wire, 0));
	/* It goes on asking, and an answer mends it. */
	CHECK(out.n == 1 && out.e[0].seq != e.seq);
	e = out.e[0];
	CHECK(in_answer(&e, TCP_SYN | TCP_ACK));
	CHECK(sutwire_ready(wire, 0));
}

static void test_answers_arp_for_the_world(void)
{
	struct effect e;
	struct arp_packet a;

	start(sut4);
	make_ready(&e);
	CHECK(in_arp(1, sut_mac, sut4, client4));
	CHECK(out.n == 1 && out.e[0].kind == EFFECT_RAW);
	CHECK(arp_parse(out.e[0].raw + 14, 46u, &a) == 0);
	CHECK(a.op == 2 && memcmp(a.sha, our_mac, 6) == 0);
	CHECK(ipaddr_eq(&a.spa, &client4) && ipaddr_eq(&a.tpa, &sut4));
	CHECK(memcmp(out.e[0].raw, sut_mac, 6) == 0);
	CHECK(memcmp(out.e[0].raw + 6, our_mac, 6) == 0);

	in_arp(1, sut_mac, zero4, client4); /* probe for duplicates */
	CHECK(out.n == 0 && sutwire_stats(wire)->dad == 1);
	in_arp(1, sut_mac, sut4, sut4); /* announcement */
	CHECK(out.n == 0);
	in_arp(1, sut_mac, sut4b, sut4b); /* of another address of its own */
	CHECK(out.n == 0);
	in_arp(1, sut_mac, sut4, sut4b); /* which is now known for that */
	CHECK(out.n == 0);
	in_arp(2, sut_mac, sut4, client4); /* an answer, not a question */
	CHECK(out.n == 0);
	CHECK(sutwire_ready(wire, 0));
}

static void test_ipv6(void)
{
	struct effect e;
	struct nd_packet n;
	uint8_t f[BUILD_RAW_MAX];
	size_t n_len;
	uint8_t mld[14 + 40 + 24] = { 0x33, 0x33, 0, 0, 0, 0x16 };

	start(sut6);
	tick();
	CHECK(out.n == 1 && out.e[0].cause == CAUSE_ND);
	CHECK(out.e[0].raw[0] == 0x33 && out.e[0].raw[2] == 0xff);
	CHECK(nd_parse(out.e[0].raw + 54, out.e[0].rawlen - 54u, &n) == 0);
	CHECK(n.type == 135 && ipaddr_eq(&n.target, &sut6));
	CHECK(out.e[0].raw[14 + 8] == 0xfe && out.e[0].raw[14 + 9] == 0x80);
	CHECK(in_na(sut_mac, sut6));
	CHECK(sutwire_mac(wire, 0) != NULL);
	tick();
	CHECK(out.n == 1 && out.e[0].flags == TCP_SYN);
	e = out.e[0];
	CHECK(get_be32(e.src.b) == 0x20010db8);
	CHECK(in_answer(&e, TCP_SYN | TCP_ACK));
	CHECK(sutwire_ready(wire, 0));

	in_ns(sut_mac, sut6, client6);
	CHECK(out.n == 1 && out.e[0].cause == CAUSE_ND);
	CHECK(nd_parse(out.e[0].raw + 54, out.e[0].rawlen - 54u, &n) == 0);
	CHECK(n.type == 136 && ipaddr_eq(&n.target, &client6));
	CHECK(n.has_lladdr && memcmp(n.lladdr, our_mac, 6) == 0);
	CHECK(memcmp(out.e[0].raw, sut_mac, 6) == 0);

	in_ns(sut_mac, ll6, client6); /* from its link-local address */
	CHECK(out.n == 1);
	in_ns(sut_mac, zero6, client6); /* duplicate address detection */
	CHECK(out.n == 0);
	in_ns(sut_mac, sut6, ll6); /* it used that one itself */
	CHECK(out.n == 0);
	CHECK(sutwire_ready(wire, 0));

	/* From beyond a router, and so no neighbour's word. */
	n_len = build_ns(f, sut_mac, &sut6, &client6);
	f[14 + 7] = 254;
	CHECK(in(f, n_len));
	CHECK(out.n == 0 && sutwire_stats(wire)->bad == 1);
	f[14 + 7] = 255;
	CHECK(in(f, n_len));
	CHECK(out.n == 1);

	memcpy(mld + 6, sut_mac, 6);
	put_be16(mld + 12, 0x86dd);
	mld[14] = 0x60;
	put_be16(mld + 18, 24);
	mld[20] = PROTO_ICMP6;
	mld[21] = 1;
	memcpy(mld + 22, ll6.b, 16);
	mld[54] = 131;
	CHECK(in(mld, sizeof(mld)));
	CHECK(out.n == 0 && sutwire_ready(wire, 0));
}

static void test_strangers_stop_the_run(void)
{
	uint8_t f[BUILD_RAW_MAX];
	struct effect e;
	size_t n;

	start(sut4);
	make_ready(&e);
	in_arp(1, bad_mac, client4, sut4);
	expect_stop("arp", SUTWIRE_STRANGER, bad_mac);
	CHECK(ipaddr_eq(&sutwire_stop(wire)->ip, &client4));

	start(sut4);
	make_ready(&e);
	in_arp(1, bad_mac, zero4, sut4);
	expect_stop("duplicate probe", SUTWIRE_STRANGER, bad_mac);

	start(sut4);
	make_ready(&e);
	in_ns(bad_mac, ll6, client6);
	expect_stop("nd", SUTWIRE_STRANGER, bad_mac);
	CHECK(sutwire_stop(wire)->kind == WIRE_NS);

	start(sut4);
	make_ready(&e);
	CHECK(in_tcp(bad_mac, client4, sut4, PORT, TCP_SYN, 0));
	expect_stop("ip", SUTWIRE_STRANGER, bad_mac);
	CHECK(ipaddr_eq(&sutwire_stop(wire)->ip, &client4));

	start(sut4);
	make_ready(&e);
	in_arp(2, bad_mac, sut4, client4);
	expect_stop("moved", SUTWIRE_MOVED, bad_mac);
	CHECK(ipaddr_eq(&sutwire_stop(wire)->ip, &sut4));

	start(sut4);
	make_ready(&e);
	n = build_arp(f, 2, our_mac, bad_mac, &sut4, our_mac, &client4);
	memcpy(f + 6, sut_mac, 6);
	in(f, n);
	expect_stop("forged", SUTWIRE_FORGED, bad_mac);

	start(sut4);
	make_ready(&e);
	n = build_ns(f, bad_mac, &ll6, &client6);
	memcpy(f + 6, sut_mac, 6);
	in(f, n);
	expect_stop("forged nd", SUTWIRE_FORGED, bad_mac);

	/* The first reason is kept. */
	in_arp(1, sut2_mac, client4, sut4);
	CHECK(memcmp(sutwire_stop(wire)->mac, bad_mac, 6) == 0);

	start(sut4);
	make_ready(&e);
	in_arp(1, our_mac, client4, sut4);
	expect_stop("our own frame came back", SUTWIRE_STRANGER, our_mac);
}

static void test_bridge_is_no_stranger(void)
{
	uint8_t stp[60] = { 0x01, 0x80, 0xc2, 0, 0, 0 };
	uint8_t odd[60];
	struct effect e;

	start(sut4);
	make_ready(&e);
	memcpy(stp + 6, bad_mac, 6);
	put_be16(stp + 12, 38);
	stp[14] = stp[15] = 0x42;
	CHECK(in(stp, sizeof(stp)));
	CHECK(sutwire_stats(wire)->control == 1);
	memcpy(odd, stp, sizeof(odd));
	odd[0] = 2;
	put_be16(odd + 12, 0x88b5); /* an experimental EtherType */
	CHECK(in(odd, sizeof(odd)));
	CHECK(sutwire_stats(wire)->other == 1);
	CHECK(sutwire_ready(wire, 0));
}

static void test_unknown_is_judged_when_all_are_found(void)
{
	const struct sutwire_sut two[2] = {
		{ .ip = { { 0 } }, .port = 80, .index = 0 },
		{ .ip = { { 0 } }, .port = 80, .index = 1 },
	};
	struct sutwire_sut sut[2];

	memcpy(sut, two, sizeof(sut));
	sut[0].ip = sut4;
	sut[1].ip = sut4b;
	CHECK(start_with(sut, 2) == 0);
	in_ns(sut2_mac, ll6, client6); /* a SUT that is just coming up */
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_GOING && out.n == 0);
	in_arp(2, sut_mac, sut4, client4);
	in_arp(2, sut2_mac, sut4b, client4);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_GOING);

	CHECK(start_with(sut, 2) == 0);
	in_ns(bad_mac, ll6, client6);
	in_arp(2, sut_mac, sut4, client4);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_GOING);
	in_arp(2, sut2_mac, sut4b, client4);
	expect_stop("judged", SUTWIRE_STRANGER, bad_mac);

	/* Of each the first frame that stops is kept, not the harmless ones. */
	CHECK(start_with(sut, 2) == 0);
	in_ns(bad_mac, zero6, client6);
	in_arp(1, bad_mac, client4, sut4);
	in_ns(bad_mac, ll6, client6);
	in_arp(2, sut_mac, sut4, client4);
	in_arp(2, sut2_mac, sut4b, client4);
	expect_stop("first of them", SUTWIRE_STRANGER, bad_mac);
	CHECK(sutwire_stop(wire)->kind == WIRE_ARP);
	CHECK(ipaddr_eq(&sutwire_stop(wire)->ip, &client4));
	CHECK(sutwire_stats(wire)->other_hosts[WIRE_DAD] == 1);

	/* As many as SUTWIRE_UNKNOWN_MAX may wait. */
	CHECK(start_with(sut, 2) == 0);
	for (uint8_t i = 0; i < 2 * SUTWIRE_UNKNOWN_MAX; i++) {
		uint8_t mac[ETH_LEN] = { 2, 0xdd, 0, 0, 0, i };

		CHECK(sutwire_stop(wire)->reason == SUTWIRE_GOING);
		in_ns(mac, ll6, client6);
		in_ns(mac, ll6, client6);
		if (i == SUTWIRE_UNKNOWN_MAX)
			break;
	}
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_STRANGER);
	CHECK(sutwire_stop(wire)->mac[5] == SUTWIRE_UNKNOWN_MAX);

	/* One SUT may not speak for another. */
	CHECK(start_with(sut, 2) == 0);
	in_arp(2, sut_mac, sut4, client4);
	in_arp(2, sut2_mac, sut4b, client4);
	in_tcp(sut_mac, sut4b, client4, 1234, TCP_ACK, 1);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_MOVED);
}

static void test_pinned_address_is_not_asked_for(void)
{
	struct sutwire_sut sut[2];

	memset(sut, 0, sizeof(sut));
	sut[0].ip = sut[1].ip = sut4;
	sut[0].port = 80;
	sut[1].port = 443;
	sut[1].index = 1;
	sut[1].pinned = true;
	memcpy(sut[1].mac, sut_mac, 6);
	CHECK(start_with(sut, 2) == 0);
	tick();
	CHECK(out.n == 2 && out.e[0].flags == TCP_SYN);
	CHECK(out.e[0].dport == 80 && out.e[1].dport == 443);
	CHECK(out.e[0].sut == 0 && out.e[1].sut == 1);
	in_arp(2, bad_mac, sut4, client4);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_MOVED);

	sut[0].pinned = true;
	memcpy(sut[0].mac, bad_mac, 6);
	CHECK(start_with(sut, 2) == -EINVAL);
	CHECK(start_with(sut, 0) == -EINVAL);
}

static void test_one_question_for_one_address(void)
{
	struct sutwire_sut sut[2];
	struct sutwire_cfg cfg = { .sut = sut, .suts = 2, .seed = 8 };
	struct arena a = { .base = memory, .size = sizeof(memory) };
	struct arp_packet one;
	struct arp_packet other;

	memset(sut, 0, sizeof(sut));
	sut[0].ip = sut[1].ip = sut4;
	sut[0].port = 80;
	sut[1].port = 443;
	CHECK(start_with(sut, 2) == 0);
	tick();
	CHECK(out.n == 1);
	CHECK(arp_parse(out.e[0].raw + 14, 46u, &one) == 0);
	in_arp(2, sut_mac, sut4, client4);
	CHECK(sutwire_mac(wire, 0) && sutwire_mac(wire, 1));

	/* Another run asks from another address, which is as much nobody's. */
	memcpy(cfg.mac, our_mac, ETH_LEN);
	CHECK(sutwire_init(&wire, &a, &cfg, now) == 0);
	tick();
	CHECK(arp_parse(out.e[0].raw + 14, 46u, &other) == 0);
	CHECK(!ipaddr_eq(&one.spa, &other.spa));
	CHECK(other.spa.b[12] == 198 && (other.spa.b[13] & 0xfe) == 18);
}

static void test_segments_pass(void)
{
	uint8_t f[BUILD_HDR_MAX];
	struct tcp_header h = { .src = sut4,
				.dst = client4,
				.sport = PORT,
				.dport = 1234,
				.ttl = 64,
				.flags = TCP_ACK };
	struct effect e;
	size_t n;

	start(sut4);
	make_ready(&e);
	CHECK(!in_tcp(sut_mac, sut4, client4, 1234, TCP_ACK, 1));
	CHECK(out.n == 0 && sutwire_stats(wire)->passed == 1);
	/* A broken one does not pass. */
	h.src = sut4;
	h.dst = client4;
	memcpy(h.eth_src, sut_mac, 6);
	memcpy(h.eth_dst, our_mac, 6);
	n = build_tcp(f, &h, NULL, 0, CSUM_FULL);
	f[n - 1] ^= 1;
	CHECK(in(f, n));
	CHECK(sutwire_stats(wire)->bad == 1);
	CHECK(in(f, 10));
	CHECK(sutwire_stats(wire)->bad == 2);
	CHECK(sutwire_ready(wire, 0));
}

static void test_full_effects_lose_nothing_due(void)
{
	static struct sutwire_sut sut[MAP_MAX];
	uint32_t asked = 0;

	for (uint8_t i = 0; i < MAP_MAX; i++) {
		sut[i].ip = ip4(10, 72, 1, i);
		sut[i].port = 80;
		sut[i].index = i;
	}
	CHECK(start_with(sut, MAP_MAX) == 0);
	for (int i = 0; i < MAP_MAX / EFFECTS_MAX; i++) {
		CHECK(sutwire_next_timeout(wire) <= now);
		tick();
		CHECK(out.n == EFFECTS_MAX);
		asked += out.n;
	}
	CHECK(asked == MAP_MAX);
	CHECK(sutwire_next_timeout(wire) > now);
	tick();
	CHECK(out.n == 0);
}

/* Whatever the machine has to say when nothing more fits is lost and counted. */
static void test_no_room_to_answer(void)
{
	const struct sutwire_sut both[] = {
		{ .ip = sut4, .port = PORT },
		{ .ip = sut6, .port = PORT, .index = 1 },
	};
	uint8_t f[BUILD_RAW_MAX];
	struct frame_info in = { .data = f, .link = LINK_ETHERNET };
	struct decoded d = { .has_eth = false };
	enum decode_result r;

	CHECK(start_with(both, 2) == 0);
	in_arp(2, sut_mac, sut4, client4);
	in_na(sut2_mac, sut6);
	for (int v6 = 0; v6 < 2; v6++) {
		in.cap = in.wire =
			(uint32_t)(v6 ? build_ns(f, sut2_mac, &sut6, &client6)
				      : build_arp(f, 1, all_mac, sut_mac, &sut4,
						  NULL, &client4));
		memset(&d, 0, sizeof(d));
		r = frame_decode(&in, NULL, now, &d);
		out.n = EFFECTS_MAX;
		CHECK(sutwire_frame(wire, &in, r, &d, now, &out) ==
		      SUTWIRE_TAKEN);
		CHECK(out.n == EFFECTS_MAX);
		CHECK(sutwire_stats(wire)->no_room == (v6 ? 2u : 1u));
		out.n = EFFECTS_MAX - 1;
		CHECK(sutwire_frame(wire, &in, r, &d, now, &out) ==
		      SUTWIRE_TAKEN);
		CHECK(out.n == EFFECTS_MAX);
	}
	CHECK(sutwire_stats(wire)->answered == 2);
	out.n = EFFECTS_MAX;
	sutwire_timeout(wire, now, &out);
	CHECK(sutwire_next_timeout(wire) <= now); /* the probes stay due */
}

/* A SUT with more addresses of its own than are remembered. */
static void test_many_own_addresses(void)
{
	struct effect e;

	start(sut4);
	make_ready(&e);
	for (unsigned i = 0; i < 300; i++)
		in_arp(1, sut_mac,
		       ip4(10, 73, (uint8_t)(i / 200), (uint8_t)(i % 200)),
		       client4);
	CHECK(sutwire_stats(wire)->own_full > 0);
	CHECK(sutwire_stats(wire)->own_full < 300);
	CHECK(sutwire_ready(wire, 0));
	in_arp(1, sut_mac, sut4, ip4(10, 73, 0, 1));
	CHECK(out.n == 0); /* the first ones are known */
	in_arp(1, sut_mac, sut4, ip4(10, 73, 1, 99));
	CHECK(out.n == 1); /* the last ones are not */
}

/* Neighbour discovery that did not come from a neighbour, or lies. */
static void test_nd_is_held_to_its_rules(void)
{
	uint8_t f[BUILD_RAW_MAX];
	struct effect e;
	size_t n;

	start(sut6);
	in_na(sut_mac, sut6);
	tick();
	e = out.e[0];
	in_answer(&e, TCP_SYN | TCP_ACK);
	n = build_ns(f, sut_mac, &sut6, &client6);
	f[14 + 7] = 254; /* hop limit: a router let it through */
	CHECK(in(f, n) && out.n == 0);
	CHECK(sutwire_stats(wire)->bad == 1);
	in_ns(sut_mac, zero6, client6);
	CHECK(out.n == 0 && sutwire_stats(wire)->dad == 1);
	CHECK(sutwire_ready(wire, 0));
	/* The option names another hardware address than the frame. */
	n = build_na(f, our_mac, bad_mac, &sut6, &ll6);
	memcpy(f + 6, sut_mac, ETH_LEN);
	in(f, n);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_FORGED);
	CHECK(memcmp(sutwire_stop(wire)->mac, bad_mac, ETH_LEN) == 0);
	CHECK(ipaddr_eq(&sutwire_stop(wire)->ip, &sut6));
	CHECK(!sutwire_ready(wire, 0));
}

/* An answer that claims to come from us, or from a group, introduces nobody. */
static void test_impossible_introductions(void)
{
	static const uint8_t group[ETH_LEN] = { 3, 0xbb, 0, 0, 0, 2 };

	start(sut4);
	in_arp(2, group, sut4, client4);
	CHECK(sutwire_mac(wire, 0) == NULL);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_STRANGER);
	start(sut4);
	in_arp(2, our_mac, sut4, client4);
	CHECK(sutwire_mac(wire, 0) == NULL);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_STRANGER);
}

/* Before all SUTs are found, a group's address or ours is nobody's all the same. */
static void test_impossible_speakers(void)
{
	static const uint8_t group[ETH_LEN] = { 3, 0xbb, 0, 0, 0, 2 };

	start(sut4);
	in_arp(1, group, client4, sut4);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_STRANGER);
	CHECK(memcmp(sutwire_stop(wire)->mac, group, ETH_LEN) == 0);
	start(sut4);
	in_arp(1, our_mac, client4, sut4);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_STRANGER);
	CHECK(memcmp(sutwire_stop(wire)->mac, our_mac, ETH_LEN) == 0);
	start(sut4);
	in_arp(1, bad_mac, client4, sut4);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_GOING);
}

static void test_bounds_of_a_wire(void)
{
	static struct sutwire_sut sut[MAP_MAX + 1];
	struct sutwire_cfg cfg = { .sut = sut, .suts = 1, .seed = 7 };
	struct arena a = { .base = memory, .size = sutwire_size() - 1 };

	sut[0].ip = sut4;
	CHECK(start_with(sut, MAP_MAX + 1) == -EINVAL);
	CHECK(sutwire_init(&wire, &a, &cfg, now) == -ENOMEM);
	/* A pinned address is that SUT's alone. */
	sut[0].pinned = true;
	memcpy(sut[0].mac, sut_mac, ETH_LEN);
	sut[1].ip = sut4b;
	CHECK(start_with(sut, 2) == 0);
	CHECK(sutwire_mac(wire, 0) && !sutwire_mac(wire, 1));
	CHECK(sutwire_state(wire, 1) == SUTWIRE_ASKING);
}

/* An ND message of the SUT's: @len bytes from its type on. */
static bool in_nd(const uint8_t *mac, struct ipaddr src, const uint8_t *msg,
		  size_t len)
{
	uint8_t f[14 + 40 + 64] = { 0x33, 0x33, 0, 0, 0, 2 };
	uint8_t pseudo[8] = { 0 };
	uint64_t sum;

	memcpy(f + 6, mac, ETH_LEN);
	put_be16(f + 12, 0x86dd);
	f[14] = 0x60;
	put_be16(f + 18, (uint16_t)len);
	f[20] = PROTO_ICMP6;
	f[21] = 255;
	memcpy(f + 22, src.b, 16);
	put_be16(f + 38, 0xff02);
	f[53] = 2;
	memcpy(f + 54, msg, len);
	put_be32(pseudo, (uint32_t)len);
	pseudo[7] = PROTO_ICMP6;
	sum = csum_add(csum_add(0, f + 22, 32), pseudo, sizeof(pseudo));
	put_be16(f + 56, (uint16_t)~csum_fold(csum_add(sum, f + 54, len)));
	return in(f, 54 + len);
}

static void test_other_nd(void)
{
	uint8_t msg[40] = { 133 };
	struct effect e;

	start(sut6);
	in_na(sut_mac, sut6);
	tick();
	e = out.e[0];
	in_answer(&e, TCP_SYN | TCP_ACK);
	/* It looks for routers: there is none but us, who say nothing. */
	CHECK(in_nd(sut_mac, sut6, msg, 8));
	CHECK(sutwire_stats(wire)->router == 1 && out.n == 0);
	CHECK(sutwire_stats(wire)->nd == 1); /* its advertisement */
	/* A solicitation need not say its hardware address. */
	msg[0] = 135;
	memcpy(msg + 8, client6.b, 16);
	CHECK(in_nd(sut_mac, sut6, msg, 24));
	CHECK(out.n == 1 && sutwire_stats(wire)->nd == 2);
	/* An option without length (RFC 4861 section 4.6) */
	msg[24] = 1;
	CHECK(in_nd(sut_mac, sut6, msg, 32));
	CHECK(out.n == 0 && sutwire_stats(wire)->bad == 1);
	CHECK(sutwire_ready(wire, 0));
}

static void test_short_arp(void)
{
	uint8_t f[BUILD_RAW_MAX];
	struct effect e;

	start(sut4);
	make_ready(&e);
	build_arp(f, 1, all_mac, sut_mac, &sut4, NULL, &client4);
	CHECK(in(f, 14 + 27));
	CHECK(out.n == 0 && sutwire_stats(wire)->bad == 1);
	CHECK(in(f, 14 + 28));
	CHECK(out.n == 1 && sutwire_stats(wire)->bad == 1);
}

/* A SUT that takes another's address gets no more answers. */
static void test_moved_is_not_answered(void)
{
	struct sutwire_sut sut[2];

	memset(sut, 0, sizeof(sut));
	sut[0].ip = sut6;
	sut[1].ip = ip6(0xfd72, 21);
	CHECK(start_with(sut, 2) == 0);
	in_na(sut_mac, sut[0].ip);
	in_na(sut2_mac, sut[1].ip);
	in_ns(sut2_mac, sut[0].ip, client6);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_MOVED && out.n == 0);
	sut[0].ip = sut4;
	sut[1].ip = sut4b;
	CHECK(start_with(sut, 2) == 0);
	in_arp(2, sut_mac, sut4, client4);
	in_arp(2, sut2_mac, sut4b, client4);
	in_arp(1, sut2_mac, sut4, client4);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_MOVED && out.n == 0);
}

/* One that may have another hardware address is followed there, and proved. */
static void test_a_sut_that_may_move(void)
{
	const struct sutwire_stats *st;

	any = true;
	start(sut4);
	any = false;
	st = sutwire_stats(wire);
	in_arp(2, sut_mac, sut4, client4);
	CHECK(sutwire_state(wire, 0) == SUTWIRE_PROBING && st->moves == 0);
	/* A segment from elsewhere is nobody's word: it is asked, not too often. */
	for (int i = 0; i < 3; i++) {
		in_tcp_to(our_mac, bad_mac, sut4, client4, 4000, TCP_ACK, 1);
		CHECK(out.n == (i == 0));
	}
	CHECK(st->moving == 3 && st->strangers == 0);
	CHECK(memcmp(sutwire_mac(wire, 0), sut_mac, ETH_LEN) == 0);
	now += SUTWIRE_ASK_EVERY;
	in_tcp_to(our_mac, bad_mac, sut4, client4, 4000, TCP_ACK, 1);
	CHECK(out.n == 1 && out.e[0].cause == CAUSE_ARP);
	in_arp(2, bad_mac, sut4, client4);
	CHECK(st->moves == 1 && sutwire_stop(wire)->reason == SUTWIRE_GOING);
	CHECK(memcmp(sutwire_mac(wire, 0), bad_mac, ETH_LEN) == 0);
	CHECK(sutwire_state(wire, 0) == SUTWIRE_PROBING);
	tick();
	CHECK(out.n == 1 && out.e[0].cause == CAUSE_PROBE);
	/* What still comes from where it was is asked about in its turn. */
	in_tcp_to(our_mac, sut_mac, sut4, client4, 4000, TCP_ACK, 1);
	CHECK(st->moving == 5 && sutwire_stop(wire)->reason == SUTWIRE_GOING);
	/* It does not answer, and has said nothing: it is asked where it is. */
	now += SUTWIRE_PROBE_WAIT;
	tick();
	CHECK(out.n == 2 && out.e[0].cause == CAUSE_PROBE &&
	      out.e[1].cause == CAUSE_ARP);
	/* Nobody moves to us, or to all. */
	in_arp(2, our_mac, sut4, client4);
	CHECK(sutwire_stop(wire)->reason != SUTWIRE_GOING);
	/* Another host is a stranger all the same. */
	any = true;
	start(sut4);
	any = false;
	in_arp(2, sut_mac, sut4, client4);
	in_arp(2, bad_mac, sut4b, client4);
	CHECK(sutwire_stop(wire)->reason == SUTWIRE_STRANGER);
}

/* Answers to the probe that are none: too early, of another port, from another
 * address, after the run was stopped.
 */
static void test_no_answers_to_the_probe(void)
{
	struct tcp_header h = { .dst = client4,
				.sport = PORT + 1,
				.flags = TCP_SYN | TCP_ACK,
				.ttl = 64 };
	uint8_t f[BUILD_HDR_MAX];
	struct arp_packet a;
	struct effect e;

	start(sut4);
	tick();
	CHECK(arp_parse(out.e[0].raw + 14, 46u, &a) == 0);
	in_arp(2, sut_mac, sut4, client4);
	in_tcp(sut_mac, sut4, a.spa, 0, TCP_SYN | TCP_ACK, 1);
	CHECK(sutwire_stats(wire)->probe_stray == 1);
	CHECK(!sutwire_ready(wire, 0) && out.n == 1);
	tick();
	e = out.e[0];
	memcpy(h.eth_src, sut_mac, ETH_LEN);
	memcpy(h.eth_dst, our_mac, ETH_LEN);
	h.src = sut4;
	h.dst = e.src;
	h.dport = e.sport;
	h.ack = e.seq + 1;
	CHECK(in(f, build_tcp(f, &h, NULL, 0, CSUM_FULL)));
	CHECK(!sutwire_ready(wire, 0));
	CHECK(out.n == 1 && out.e[0].dport == PORT + 1);
	CHECK(in_tcp(sut_mac, client4, e.src, e.sport, TCP_SYN | TCP_ACK,
		     e.seq + 1));
	CHECK(!sutwire_ready(wire, 0));
	CHECK(sutwire_stats(wire)->probe_stray == 3);
	in_arp(1, bad_mac, client4, sut4);
	in_answer(&e, TCP_SYN | TCP_ACK);
	CHECK(out.n == 0 && !sutwire_ready(wire, 0));
}

/* The RST behind the probe finds no room: the half-open connection is the SUT's
 * to end; it is proved all the same.
 */
static void test_no_room_for_the_reset(void)
{
	uint8_t f[BUILD_HDR_MAX];
	struct frame_info info = { .data = f, .link = LINK_ETHERNET };
	struct tcp_header h = { .sport = PORT,
				.flags = TCP_SYN | TCP_ACK,
				.ttl = 64 };
	enum decode_result r;
	struct decoded d;
	struct effect e;

	start(sut4);
	in_arp(2, sut_mac, sut4, client4);
	tick();
	e = out.e[0];
	memcpy(h.eth_src, sut_mac, ETH_LEN);
	memcpy(h.eth_dst, our_mac, ETH_LEN);
	h.src = e.dst;
	h.dst = e.src;
	h.dport = e.sport;
	h.ack = e.seq + 1;
	info.cap = info.wire = (uint32_t)build_tcp(f, &h, NULL, 0, CSUM_FULL);
	memset(&d, 0, sizeof(d));
	r = frame_decode(&info, NULL, now, &d);
	out.n = EFFECTS_MAX;
	CHECK(sutwire_frame(wire, &info, r, &d, now, &out) == SUTWIRE_TAKEN);
	CHECK(out.n == EFFECTS_MAX && sutwire_stats(wire)->no_room == 1);
	CHECK(sutwire_ready(wire, 0));
}

static void test_texts(void)
{
	CHECK(strlen(sutwire_state_text(SUTWIRE_READY)) > 0);
	CHECK(strcmp(sutwire_state_text(SUTWIRE_READY),
		     sutwire_state_text(SUTWIRE_PROBING)) != 0);
	CHECK(strcmp(sutwire_stop_text(SUTWIRE_STRANGER),
		     sutwire_stop_text(SUTWIRE_FORGED)) != 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "asks for the hardware address until it is told",
		  test_asks_until_answered },
		{ "the probe is answered by SYNACK", test_probe },
		{ "a refused probe proves the wire too",
		  test_refusal_proves_the_wire },
		{ "an answer to another hardware address proves nothing",
		  test_an_answer_to_another_is_no_proof },
		{ "ARP for another teaches nothing",
		  test_arp_for_another_teaches_nothing },
		{ "a router that the SUT uses",
		  test_a_router_that_the_sut_uses },
		{ "a probe for a SUT's address is a claim",
		  test_harmless_but_for_a_claim },
		{ "who else has what a SUT asks for", test_who_else_has_it },
		{ "another host that was named",
		  test_another_host_that_was_named },
		{ "another host of IPv6", test_another_host_of_ipv6 },
		{ "who cannot be named", test_who_cannot_be_named },
		{ "what one SUT sends to another", test_one_sut_to_another },
		{ "four SYNs without an answer end readiness",
		  test_silence_ends_readiness },
		{ "answers ARP for the world, never for the SUT",
		  test_answers_arp_for_the_world },
		{ "IPv6: solicitation, advertisement, probe, MLD", test_ipv6 },
		{ "strangers stop the run", test_strangers_stop_the_run },
		{ "STP and odd EtherTypes do not", test_bridge_is_no_stranger },
		{ "unknown addresses are judged when all SUTs are found",
		  test_unknown_is_judged_when_all_are_found },
		{ "pinned hardware addresses",
		  test_pinned_address_is_not_asked_for },
		{ "one question for one address",
		  test_one_question_for_one_address },
		{ "segments pass, broken ones do not", test_segments_pass },
		{ "what does not fit stays due",
		  test_full_effects_lose_nothing_due },
		{ "no room to answer", test_no_room_to_answer },
		{ "many addresses of a SUT's own", test_many_own_addresses },
		{ "neighbour discovery is held to its rules",
		  test_nd_is_held_to_its_rules },
		{ "introductions that cannot be",
		  test_impossible_introductions },
		{ "speakers that cannot be", test_impossible_speakers },
		{ "bounds", test_bounds_of_a_wire },
		{ "other neighbour discovery", test_other_nd },
		{ "ARP that ends early", test_short_arp },
		{ "a SUT that takes another's address",
		  test_moved_is_not_answered },
		{ "a SUT that may move", test_a_sut_that_may_move },
		{ "what does not answer the probe",
		  test_no_answers_to_the_probe },
		{ "no room for the probe's RST", test_no_room_for_the_reset },
		{ "texts", test_texts },
	};

	addresses();
	return check_main(tests, ARRAY_SIZE(tests));
}
