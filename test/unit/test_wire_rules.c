/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_wire_rules.c - Unit test of engine/wire_rules
 *
 * Each row is a frame as it is on a wire, headers and all; the two lists are told
 * row by row.
 */
#include "lan/wire_rules.h"

#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/csum.h"
#include "wire/build.h"

#define FRAME_LEN 160

static const uint8_t all[ETH_LEN] = { 255, 255, 255, 255, 255, 255 };
static const uint8_t one[ETH_LEN] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t other[ETH_LEN] = { 2, 0xcc, 0, 0, 0, 9 };
static const uint8_t group4[ETH_LEN] = { 1, 0, 0x5e, 0, 0, 1 };
static const uint8_t group6[ETH_LEN] = { 0x33, 0x33, 0, 0, 0, 1 };

static uint8_t frame[FRAME_LEN];
static struct ipaddr who;

static enum wire_kind rules(size_t len)
{
	struct frame_info in = { .data = frame,
				 .cap = (uint32_t)len,
				 .wire = (uint32_t)len,
				 .link = LINK_ETHERNET,
				 .csum_ok = true };
	struct decoded d;
	enum decode_result r = frame_decode(&in, NULL, 0, &d);

	return wire_rules(&in, r, &d, &who);
}

static void put_ip(const char *text, uint8_t *p)
{
	unsigned a[4] = { 0 };
	int n = 0;

	for (const char *s = text; *s != '\0'; s++) {
		if (*s == '.')
			n++;
		else
			a[n] = a[n] * 10 + (unsigned)(*s - '0');
	}
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)a[i];
}

/* IPv4: @proto and 16 bytes of @l4 behind it. */
static enum wire_kind ip4(const uint8_t *to, const char *src, const char *dst,
			  uint8_t proto, const uint8_t *l4)
{
	memset(frame, 0, sizeof(frame));
	memcpy(frame, to, ETH_LEN);
	memcpy(frame + 6, other, ETH_LEN);
	put_be16(frame + 12, 0x0800);
	frame[14] = 0x45;
	put_be16(frame + 16, 36);
	frame[22] = 1;
	frame[23] = proto;
	put_ip(src, frame + 26);
	put_ip(dst, frame + 30);
	put_be16(frame + 24, (uint16_t)~csum_fold(csum_add(0, frame + 14, 20)));
	memcpy(frame + 34, l4, 16);
	return rules(60);
}

static enum wire_kind udp4(const uint8_t *to, const char *src, const char *dst,
			   uint16_t sport, uint16_t dport)
{
	uint8_t l4[16] = { 0 };

	put_be16(l4, sport);
	put_be16(l4 + 2, dport);
	put_be16(l4 + 4, 16);
	return ip4(to, src, dst, PROTO_UDP, l4);
}

/* IPv6 from @head::2 (0: from nobody) to ff02::1, or to one host. */
static enum wire_kind ip6(const uint8_t *to, uint16_t head, uint8_t proto,
			  uint8_t hops, const uint8_t *l4, uint16_t len)
{
	memset(frame, 0, sizeof(frame));
	memcpy(frame, to, ETH_LEN);
	memcpy(frame + 6, other, ETH_LEN);
	put_be16(frame + 12, 0x86dd);
	frame[14] = 0x60;
	put_be16(frame + 18, len);
	frame[20] = proto;
	frame[21] = hops;
	if (head != 0) {
		put_be16(frame + 22, head);
		frame[37] = 2;
	}
	put_be16(frame + 38, to[0] & 1 ? 0xff02 : 0xfd00);
	frame[53] = 1;
	memcpy(frame + 54, l4, len);
	return rules(54u + len);
}

static enum wire_kind icmp6(const uint8_t *to, uint16_t head, uint8_t type,
			    uint8_t hops)
{
	uint8_t l4[24] = { type };

	put_be16(l4 + 8, 0xfd00);
	l4[23] = 7;
	return ip6(to, head, PROTO_ICMP6, hops, l4, sizeof(l4));
}

static enum wire_kind udp6(uint16_t head, uint16_t sport, uint16_t dport)
{
	uint8_t l4[16] = { 0 };

	put_be16(l4, sport);
	put_be16(l4 + 2, dport);
	put_be16(l4 + 4, 16);
	return ip6(group6, head, PROTO_UDP, 1, l4, sizeof(l4));
}

static enum wire_kind arp(uint16_t op, const char *spa, const char *tpa)
{
	struct ipaddr s, t;
	uint8_t p[4];

	put_ip(spa, p);
	s = ipaddr_from4(p);
	put_ip(tpa, p);
	t = ipaddr_from4(p);
	return rules(build_arp(frame, op, all, other, &s, NULL, &t));
}

static bool who_is(const char *text)
{
	uint8_t p[4];
	struct ipaddr a;

	put_ip(text, p);
	a = ipaddr_from4(p);
	return ipaddr_eq(&who, &a);
}

static void test_frames_of_switches(void)
{
	static const uint8_t groups[][ETH_LEN] = {
		{ 1, 0x80, 0xc2, 0, 0, 0 },	  /* STP, LLDP */
		{ 1, 0x80, 0xc2, 0, 0, 1 },	  /* pause */
		{ 1, 0x80, 0xc2, 0, 0, 2 },	  /* LACP */
		{ 1, 0x80, 0xc2, 0, 0, 0x0e },	  /* LLDP */
		{ 1, 0, 0x0c, 0xcc, 0xcc, 0xcc }, /* CDP */
		{ 1, 0, 0x0c, 0xcc, 0xcc, 0xcd }, /* PVST */
	};

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		memset(frame, 0, sizeof(frame));
		memcpy(frame, groups[i], ETH_LEN);
		put_be16(frame + 12, 38);
		CHECK(rules(60) == WIRE_CONTROL);
	}
	memset(frame, 0, sizeof(frame));
	memcpy(frame, all, ETH_LEN);
	put_be16(frame + 12, 0x88b5);
	CHECK(rules(60) == WIRE_NOT_IP);
}

static void test_harmless(void)
{
	static const uint8_t none[16] = { 0 };

	CHECK(ip4(group4, "0.0.0.0", "224.0.0.1", 2, none) == WIRE_IGMP_UNSAID);
	for (uint8_t type = 130; type <= 132; type++) {
		CHECK(icmp6(group6, 0xfe80, type, 1) == WIRE_MLD_LOCAL);
		CHECK(icmp6(group6, 0, type, 1) == WIRE_MLD_LOCAL);
	}
	CHECK(icmp6(group6, 0xfe80, 143, 1) == WIRE_MLD_LOCAL);
	CHECK(icmp6(group6, 0, 143, 1) == WIRE_MLD_LOCAL);
	CHECK(arp(1, "0.0.0.0", "10.1.0.9") == WIRE_DAD && who_is("10.1.0.9"));
	CHECK(icmp6(group6, 0, 135, 255) == WIRE_DAD && who.b[15] == 7);
	CHECK(icmp6(group6, 0, 133, 255) == WIRE_RS);
	CHECK(icmp6(group6, 0xfe80, 133, 255) == WIRE_RS);
	CHECK(udp4(group4, "169.254.3.4", "224.0.0.251", 5353, 5353) ==
	      WIRE_NAMES);
	CHECK(udp4(group4, "0.0.0.0", "224.0.0.251", 5353, 5353) == WIRE_NAMES);
	CHECK(udp6(0xfe80, 5353, 5353) == WIRE_NAMES);
	CHECK(udp6(0xfe80, 40000, 5355) == WIRE_NAMES);
	CHECK(udp4(all, "0.0.0.0", "255.255.255.255", 68, 67) ==
	      WIRE_NO_SOURCE);
	for (int k = 0; k < WIRE_ARP; k++)
		CHECK(!wire_rules_stops((enum wire_kind)k));
}

static void test_who_has_an_address(void)
{
	static const uint8_t none[16] = { 0 };

	CHECK(arp(1, "10.1.0.9", "10.1.0.1") == WIRE_ARP && who_is("10.1.0.9"));
	CHECK(arp(2, "10.1.0.9", "10.1.0.9") == WIRE_ARP);
	CHECK(icmp6(group6, 0xfe80, 135, 255) == WIRE_NS);
	CHECK(icmp6(one, 0, 135, 255) == WIRE_NS);
	CHECK(icmp6(group6, 0xfe80, 136, 255) == WIRE_NA && who.b[15] == 7);
	CHECK(ip4(group4, "10.1.0.1", "224.0.0.1", 2, none) == WIRE_IGMP);
	CHECK(ip4(one, "0.0.0.0", "10.1.0.1", 2, none) == WIRE_IGMP);
	/* MLD that came from afar, or from an address of some reach */
	CHECK(icmp6(group6, 0xfe80, 130, 2) == WIRE_MULTICAST);
	CHECK(icmp6(group6, 0xfd00, 130, 1) == WIRE_MULTICAST);
	CHECK(icmp6(one, 0xfe80, 130, 1) == WIRE_UNICAST);
	CHECK(icmp6(group6, 0xfd00, 133, 255) == WIRE_MULTICAST);
	CHECK(udp4(group4, "10.1.0.9", "224.0.0.251", 5353, 5353) ==
	      WIRE_MULTICAST);
	CHECK(udp6(0xfd00, 5353, 5353) == WIRE_MULTICAST);
	CHECK(udp6(0xfe80, 546, 547) == WIRE_MULTICAST);
	CHECK(udp4(one, "169.254.3.4", "10.1.0.1", 5353, 5353) == WIRE_UNICAST);
	CHECK(udp4(all, "10.1.0.9", "10.1.0.255", 137, 137) == WIRE_BROADCAST);
	CHECK(udp4(one, "0.0.0.0", "10.1.0.1", 68, 67) == WIRE_UNICAST);
	CHECK(ip4(one, "10.1.0.9", "10.1.0.1", PROTO_ICMP, none) ==
	      WIRE_UNICAST);
	CHECK(who_is("10.1.0.9"));
}

static void test_who_is_a_router(void)
{
	static const uint8_t none[16] = { 0 };
	static const uint8_t redirect[16] = { 5 };
	static const struct {
		uint8_t proto;
		enum wire_kind kind;
	} by_proto[] = { { 88, WIRE_EIGRP },
			 { 89, WIRE_OSPF },
			 { 103, WIRE_PIM },
			 { 112, WIRE_VRRP } };

	CHECK(icmp6(group6, 0xfe80, 134, 255) == WIRE_RA);
	CHECK(icmp6(one, 0xfe80, 134, 255) == WIRE_RA);
	CHECK(icmp6(one, 0xfe80, 137, 255) == WIRE_REDIRECT);
	CHECK(ip4(one, "10.1.0.1", "10.1.0.9", PROTO_ICMP, redirect) ==
	      WIRE_REDIRECT);
	for (size_t i = 0; i < ARRAY_SIZE(by_proto); i++) {
		CHECK(ip4(group4, "10.1.0.1", "224.0.0.18", by_proto[i].proto,
			  none) == by_proto[i].kind);
		CHECK(ip4(group4, "0.0.0.0", "224.0.0.18", by_proto[i].proto,
			  none) == by_proto[i].kind);
		CHECK(ip6(group6, 0xfe80, by_proto[i].proto, 255, none, 16) ==
		      by_proto[i].kind);
		CHECK(wire_rules_routes(by_proto[i].kind));
	}
	CHECK(udp4(all, "10.1.0.1", "255.255.255.255", 67, 68) == WIRE_DHCP);
	CHECK(udp4(all, "0.0.0.0", "255.255.255.255", 67, 68) == WIRE_DHCP);
	CHECK(udp6(0xfe80, 547, 546) == WIRE_DHCP);
	CHECK(udp4(group4, "10.1.0.1", "224.0.0.9", 520, 520) == WIRE_RIP);
	CHECK(udp6(0xfe80, 521, 521) == WIRE_RIP);
	CHECK(udp4(group4, "10.1.0.1", "224.0.0.2", 1985, 1985) == WIRE_HSRP);
	CHECK(udp6(0xfe80, 2029, 2029) == WIRE_HSRP);
	CHECK(udp4(group4, "10.1.0.1", "224.0.0.102", 3222, 3222) == WIRE_HSRP);
	for (int k = 0; k < WIRE_KINDS; k++)
		CHECK(!wire_rules_routes((enum wire_kind)k) ||
		      wire_rules_stops((enum wire_kind)k));
	CHECK(!wire_rules_routes(WIRE_ARP) && !wire_rules_routes(WIRE_UNICAST));
}

static void test_broken(void)
{
	arp(1, "10.1.0.9", "10.1.0.1");
	CHECK(rules(14 + 27) == WIRE_BROKEN);
	udp4(one, "10.1.0.9", "10.1.0.1", 5, 6);
	frame[14] = 0x44;
	CHECK(rules(60) == WIRE_BROKEN);
	CHECK(rules(30) == WIRE_BROKEN);
	/* Neighbour discovery that does not end where it should */
	icmp6(group6, 0xfe80, 136, 255);
	put_be16(frame + 18, 20);
	CHECK(rules(54 + 20) == WIRE_BROKEN);
}

static void test_names(void)
{
	for (int k = 0; k < WIRE_KINDS; k++) {
		CHECK(strlen(wire_rules_name((enum wire_kind)k)) > 2);
		CHECK(strlen(wire_rules_text((enum wire_kind)k)) > 1);
		for (int m = 0; m < k; m++)
			CHECK(strcmp(wire_rules_name((enum wire_kind)k),
				     wire_rules_name((enum wire_kind)m)) != 0);
	}
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "frames of switches", test_frames_of_switches },
		{ "what makes nobody a neighbour", test_harmless },
		{ "who has an address stops", test_who_has_an_address },
		{ "who routes, or gives addresses, stops",
		  test_who_is_a_router },
		{ "broken frames stop", test_broken },
		{ "names", test_names },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
