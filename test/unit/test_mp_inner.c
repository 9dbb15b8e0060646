/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mp_inner.c - Unit test of lanes and thin packets, and of the ECN mark
 *
 * Packets are built by wire/build; what an end makes of them is seen in the header
 * that it puts in front.
 */
#include "core/csum.h"
#include "multipath_rig.h"
#include "wire/build.h"
#include "wire/numbers.h"
#include "wire/segment.h"

static struct end e;

static void open_one(bool ethernet)
{
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();

	l.lanes = 65535; /* so that two flows hardly share one */
	l.pool = 4u << 20;
	c.ethernet = ethernet;
	c.scheduler = MP_ROUNDROBIN;
	rig_open(&e, &l, &c);
	rig_path(&e, 0, 10 * MS);
}

/* The lane that these bytes get. */
static uint16_t lane_of(const uint8_t *p, uint32_t n, enum mp_class class)
{
	struct mp_effects out = { 0 };
	struct buf *f = mp_frame(e.m, n);

	memcpy(f->data, p, n);
	e.notes = 0;
	mp_inner(e.m, f, class, e.now, &out);
	rig_took(&e, &out);
	CHECK(e.notes > 0 && e.note[0].send);
	return e.note[0].h.lane;
}

static struct ipaddr addr(bool v6, uint8_t last)
{
	uint8_t b[16] = { 0x20, 1, 0xd, 0xb8 };

	b[15] = last;
	return v6 ? ipaddr_from6(b) : ipaddr_from4(b + 12);
}

/* A TCP or UDP packet; its Ethernet header is left out if the end wants none. */
static uint32_t make(uint8_t *out, bool v6, bool udp, uint16_t sport,
		     uint16_t dport, uint8_t flags, uint32_t len)
{
	static const uint8_t data[64] = { 0 };
	struct tcp_header h = { .src = addr(v6, 1),
				.dst = addr(v6, 2),
				.sport = sport,
				.dport = dport,
				.flags = flags,
				.ttl = 64 };
	uint32_t n = (uint32_t)(udp ? build_udp(out, &h, data, len, CSUM_FULL)
				    : build_tcp(out, &h, data, len, CSUM_FULL));

	memcpy(out + n, data, len);
	return n + len;
}

struct row {
	const char *name;
	bool udp;
	uint16_t sport, dport;
	uint8_t flags;
	uint32_t len;
	bool thin;
};

static const struct row rows[] = {
	{ "ACK", false, 1000, 80, TCP_ACK, 0, true },
	{ "data", false, 1000, 80, TCP_ACK, 20, false },
	{ "SYN", false, 1000, 80, TCP_SYN, 0, true },
	{ "SYN,ACK", false, 80, 1000, TCP_SYN | TCP_ACK, 0, true },
	{ "SYN with data", false, 1000, 80, TCP_SYN, 20, false },
	{ "FIN", false, 1000, 80, TCP_FIN | TCP_ACK, 0, false },
	{ "RST", false, 1000, 80, TCP_RST, 0, false },
	{ "DNS question", true, 1000, 53, 0, 40, true },
	{ "DNS answer", true, 53, 1000, 0, 40, true },
	{ "UDP", true, 1000, 5353, 0, 40, false },
	{ "TCP port 53", false, 1000, 53, TCP_ACK, 20, false },
};

static void thin_rows(bool ethernet, bool v6)
{
	uint8_t p[256];
	uint32_t off = ethernet ? 0 : 14;

	open_one(ethernet);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		uint32_t n = make(p, v6, r->udp, r->sport, r->dport, r->flags,
				  r->len);

		CHECK_ROW((lane_of(p + off, n - off, 0) == 0) == r->thin,
			  r->name);
		/* DSCP EF makes all of them thin. */
		if (v6)
			put_be16(p + 14, 0x6000 | 46 << 6);
		else
			p[15] = 46 << 2;
		CHECK_ROW(lane_of(p + off, n - off, 0) == 0, r->name);
	}
	rig_close(&e);
}

static void test_thin_packets(void)
{
	thin_rows(false, false);
	thin_rows(false, true);
	thin_rows(true, false);
	thin_rows(true, true);
}

static void test_arp_and_icmp_are_thin(void)
{
	uint8_t p[BUILD_RAW_MAX];
	uint8_t mac[6] = { 2 };
	uint8_t quote[48] = { 0x45 };
	struct ipaddr a = addr(false, 1), b = addr(false, 2);
	size_t n = build_arp(p, 1, mac, mac, &a, NULL, &b);

	open_one(true);
	CHECK(lane_of(p, (uint32_t)n, 0) == 0);
	n = build_unreachable(p, mac, mac, &a, &b, quote, sizeof(quote));
	CHECK(lane_of(p, (uint32_t)n, 0) == 0);
	rig_close(&e);
}

static void test_flow_has_one_lane(void)
{
	static uint16_t seen[64];
	uint8_t p[256];
	unsigned same = 0;

	open_one(false);
	for (uint16_t i = 0; i < 64; i++) {
		uint32_t n =
			make(p, false, i % 2, 2000 + i / 2, 80, TCP_ACK, 9);

		seen[i] = lane_of(p + 14, n - 14, 0);
		n = make(p, false, i % 2, 2000 + i / 2, 80, TCP_ACK | TCP_PSH,
			 50);
		CHECK(lane_of(p + 14, n - 14, 0) == seen[i]);
		for (uint16_t k = 0; k < i; k++)
			same += seen[k] == seen[i];
	}
	CHECK(same == 0); /* of this key */
	CHECK(lane_of(p + 14, 70, MP_CLASS_PIN) != seen[63]);
	rig_close(&e);
}

static void test_fragments_go_together(void)
{
	uint8_t p[1600];
	static const uint8_t data[1400] = { 0 };
	struct tcp_header h = { .src = addr(false, 1),
				.dst = addr(false, 2),
				.sport = 9,
				.dport = 53,
				.ttl = 3 };
	size_t n = build_udp_fragment(p, &h, data, 1400, 0, 800);
	uint16_t lane;

	open_one(false);
	memset(p + n, 0, 800);
	lane = lane_of(p + 14, (uint32_t)n + 800 - 14, 0);
	CHECK(lane != 0); /* port 53 is in the first one only */
	n = build_udp_fragment(p, &h, data, 1400, 800, 600);
	memset(p + n, 0, 600);
	CHECK(lane_of(p + 14, (uint32_t)n + 600 - 14, 0) == lane);
	rig_close(&e);
}

static void test_rubbish_has_a_lane(void)
{
	uint8_t p[64];

	open_one(false);
	memset(p, 0xff, sizeof(p));
	for (uint32_t n = 1; n <= sizeof(p); n++)
		CHECK(lane_of(p, n, 0) != 0);
	rig_close(&e);
}

/* An end with a lane that has been over its target for longer than CoDel bears. */
static void crowd(void)
{
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();

	rig_open(&e, &l, &c);
	rig_path(&e, 0, 10 * MS);
	do
		rig_udp(&e, 1, 1000, 0, MP_AS_ALL);
	while (mp_queued(e.m) <= mp_bound(e.m));
	rig_udp(&e, 1, 40, 0, MP_AS_ALL);
	rig_until(&e, e.now + 101 * MS);
}

/* What becomes of the next packet if it has this TOS. */
static void mark(uint8_t tos, bool marked)
{
	crowd();
	rig_udp(&e, 1, 40, tos, MP_AS_ALL);
	CHECK(mp_counters(e.m)->marked_ce == marked);
	CHECK(mp_counters(e.m)->drop_law == !marked);
	rig_close(&e);
}

static void test_congestion_marks_who_understands(void)
{
	mark(0, false);
	mark(1, true);
	mark(2, true);
	mark(3, false);
}

static void test_mark_keeps_the_checksum(void)
{
	for (uint16_t i = 0; i < 60; i++) {
		struct mp_effects out = { 0 };
		struct buf *f;
		uint8_t *p;

		crowd();
		f = mp_frame(e.m, 40);
		p = f->data;
		memset(p, 0, 40);
		p[0] = 0x45;
		p[1] = (uint8_t)(1 + i % 2);
		put_be16(p + 2, 40);
		put_be16(p + 4, (uint16_t)(i * 1093)); /* many sums */
		p[9] = PROTO_UDP;
		put_be32(p + 12, 0x0a000001);
		put_be32(p + 16, 0x0a000002);
		put_be16(p + 20, 1001); /* the lane that is crowded */
		put_be16(p + 22, 7000);
		put_be16(p + 10, (uint16_t)~csum_fold(csum_add(0, p, 20)));
		mp_inner(e.m, f, MP_AS_ALL, e.now, &out);
		rig_took(&e, &out);
		/* It waits, and is ours to look at. */
		CHECK(mp_counters(e.m)->marked_ce == 1);
		CHECK((p[1] & 3) == 3);
		CHECK(csum_fold(csum_add(0, p, 20)) == 0xffff);
		rig_close(&e);
	}
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "thin packets, both families, with and without Ethernet",
		  test_thin_packets },
		{ "ARP and ICMP are thin", test_arp_and_icmp_are_thin },
		{ "a flow has one lane", test_flow_has_one_lane },
		{ "fragments go together", test_fragments_go_together },
		{ "rubbish has a lane", test_rubbish_has_a_lane },
		{ "congestion marks who understands it",
		  test_congestion_marks_who_understands },
		{ "a mark keeps the checksum right",
		  test_mark_keeps_the_checksum },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
