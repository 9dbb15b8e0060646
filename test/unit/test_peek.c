/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every link type, tag and extension header that peek_frame() steps over, each
 * frame again at every shorter length, in a copy of exact size.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "wire/decode.h"
#include "wire/peek.h"

#define SPORT 0x1234
#define DPORT 80

static uint8_t frame[512];
static uint32_t len;

static void put(const char *bytes, size_t n)
{
	memcpy(frame + len, bytes, n);
	len += (uint32_t)n;
}

#define PUT(bytes) put(bytes, sizeof(bytes) - 1)

/* 10.0.0.1 to 10.0.0.2 */
static void ip4(uint8_t proto, uint16_t frag)
{
	uint8_t h[20] = { 0x45, 0, 0, 0, 0x77, 0x88 };

	put_be16(h + 6, frag);
	h[9] = proto;
	memcpy(h + 12, "\12\0\0\1\12\0\0\2", 8);
	put((char *)h, sizeof(h));
}

/* 2001:db8::1 to 2001:db8::2 */
static void ip6(uint8_t next)
{
	uint8_t h[40] = { 0x60 };

	h[6] = next;
	memcpy(h + 8, "\x20\1\x0d\xb8", 4);
	memcpy(h + 24, "\x20\1\x0d\xb8", 4);
	h[23] = 1;
	h[39] = 2;
	put((char *)h, sizeof(h));
}

static void tcp(void)
{
	uint8_t h[24] = { 0x12, 0x34, 0, DPORT };

	h[12] = 6 << 4;
	h[13] = TCP_SYN;
	put((char *)h, sizeof(h));
	PUT("data");
}

static struct peek look_at(uint16_t link, uint32_t cap)
{
	uint8_t *copy = malloc(cap + (cap == 0));
	struct peek p;

	if (copy == NULL)
		abort();
	memcpy(copy, frame, cap);
	peek_frame(link, copy, cap, &p);
	/* The pointers lead into what is freed here. */
	if (p.data != NULL) {
		CHECK(p.data + p.len <= copy + cap);
		p.data = frame + (p.data - copy);
	}
	if (p.has_eth) {
		CHECK(p.eth_dst == copy && p.eth_src == copy + 6);
		CHECK(cap >= 12);
	}
	free(copy);
	return p;
}

static struct ipaddr addr(bool v6, uint8_t host)
{
	uint8_t b[16] = { 0x20, 1, 0x0d, 0xb8 };
	uint8_t a[4] = { 10, 0, 0, host };

	b[15] = host;
	return v6 ? ipaddr_from6(b) : ipaddr_from4(a);
}

static bool is_between(const struct peek *p, bool v6, uint8_t from, uint8_t to)
{
	struct ipaddr a = addr(v6, from);
	struct ipaddr b = addr(v6, to);

	return ipaddr_eq(&p->src, &a) && ipaddr_eq(&p->dst, &b);
}

/* A frame that ends with tcp(); its IP header of @hlen ends before it. */
static void check_tcp(uint16_t link, bool v6, uint32_t hlen, const char *name)
{
	struct peek p = look_at(link, len);

	CHECK_ROW(p.depth == PEEK_PORTS && is_between(&p, v6, 1, 2), name);
	CHECK_ROW(p.proto == PROTO_TCP && p.flags == TCP_SYN, name);
	CHECK_ROW(p.sport == SPORT && p.dport == DPORT, name);
	CHECK_ROW(p.len == 4 && memcmp(p.data, "data", 4) == 0, name);
	CHECK_ROW(!p.error && p.icmp == 0 && p.first && !p.fragment, name);
	for (uint32_t cap = 0; cap < len; cap++) {
		enum peek_depth want = cap >= len - 24 ? PEEK_PORTS
				       : cap >= len - 28 - hlen + (v6 ? 40 : 20)
					       ? PEEK_IP
					       : PEEK_NOTHING;

		p = look_at(link, cap);
		CHECK_ROW(p.depth == want, name);
		CHECK_ROW(p.flags == (cap >= len - 14 ? TCP_SYN : 0), name);
		CHECK_ROW(p.len == (cap > len - 4 ? cap + 4 - len : 0), name);
	}
}

static const struct row {
	const char *name;
	const char *head;
	uint32_t n;
	uint16_t link;
	bool v6;
} rows[] = {
#define ETH "\2\0\0\0\0\1\2\0\0\0\0\2"
#define ROW(name, link, v6, head)                                              \
	{                                                                      \
		name, head, sizeof(head) - 1, link, v6                         \
	}
	ROW("Ethernet", LINK_ETHERNET, false, ETH "\x08\0"),
	ROW("Ethernet, IPv6", LINK_ETHERNET, true, ETH "\x86\xdd"),
	ROW("VLAN", LINK_ETHERNET, false, ETH "\x81\0\0\5\x08\0"),
	ROW("QinQ", LINK_ETHERNET, true,
	    ETH "\x88\xa8\0\5\x91\0\0\6\x81\0\0\7\x86\xdd"),
	ROW("MPLS", LINK_ETHERNET, false, ETH "\x88\x47\0\1\0\xff\0\1\1\xff"),
	ROW("MPLS, IPv6", LINK_ETHERNET, true, ETH "\x88\x48\0\1\1\xff"),
	ROW("PPPoE", LINK_ETHERNET, false,
	    ETH "\x88\x64\x11\0\0\1\0\x40\0\x21"),
	ROW("PPPoE, IPv6", LINK_ETHERNET, true,
	    ETH "\x88\x64\x11\0\0\1\0\x40\0\x57"),
	ROW("SLL", LINK_SLL, false, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0"),
	ROW("SLL2", LINK_SLL2, true,
	    "\x86\xdd\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0"),
	ROW("HDLC", 104, false, "\x0f\0\x08\0"),
	ROW("PPP", 50, false, "\xff\3\0\x21"),
	ROW("PPP, IPv6", 50, true, "\xff\3\0\x57"),
	ROW("NULL", LINK_NULL, false, "\2\0\0\0"),
	ROW("LOOP", LINK_LOOP, true, "\0\0\0\x18"),
	ROW("RAW", LINK_RAW, false, ""),
	ROW("RAW 12", 12, true, ""),
	ROW("RAW 14", 14, false, ""),
	ROW("IPV4", LINK_IPV4, false, ""),
	ROW("IPV6", LINK_IPV6, true, ""),
};

static void every_link_type_and_tag(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		len = 0;
		put(r->head, r->n);
		if (r->v6)
			ip6(PROTO_TCP);
		else
			ip4(PROTO_TCP, 0x4000);
		tcp();
		check_tcp(r->link, r->v6, r->v6 ? 40 : 20, r->name);
	}
}

static const struct row nothing[] = {
	ROW("another link type", 147, false, ""),
	ROW("another EtherType", LINK_ETHERNET, false, ETH "\x08\6"),
	ROW("another protocol of PPP", 50, false, "\xff\3\xc0\x21"),
	ROW("another version", LINK_RAW, false, "\x50"),
	ROW("MPLS and another version", LINK_ETHERNET, false,
	    ETH "\x88\x47\0\1\1\xff\x50"),
	ROW("eight tags", LINK_ETHERNET, false,
	    ETH "\x81\0\0\5\x81\0\0\5\x81\0\0\5\x81\0\0\5\x81\0\0\5\x81\0\0\5"
		"\x81\0\0\5\x81\0\0\5\x08\0"),
};

static void what_is_not_known_has_no_addresses(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++) {
		const struct row *r = &nothing[i];

		len = 0;
		put(r->head, r->n);
		ip4(PROTO_TCP, 0);
		tcp();
		CHECK_ROW(look_at(r->link, len).depth == PEEK_NOTHING, r->name);
	}
}

static void seven_tags_are_walked(void)
{
	len = 0;
	PUT(ETH "\x81\0\0\5\x81\0\0\5\x81\0\0\5\x81\0\0\5\x81\0\0\5\x81\0\0\5"
		"\x81\0\0\5\x08\0");
	ip4(PROTO_TCP, 0);
	tcp();
	check_tcp(LINK_ETHERNET, false, 20, "seven tags");
}

static void extension_headers_are_stepped_over(void)
{
	len = 0;
	ip6(0);
	PUT("\x2b\0......"); /* hop by hop */
	PUT("\x3c\1......"
	    "........");     /* routing, of 16 bytes */
	PUT("\x33\0......"); /* destination */
	PUT("\x06\4......"
	    "........"
	    "........"); /* authentication, 24 */
	tcp();
	check_tcp(LINK_RAW, true, 40 + 8 + 16 + 8 + 24, "extension headers");

	len = 0;
	ip6(60);
	for (int i = 0; i < 7; i++)
		PUT("\x3c\0......");
	PUT("\x06\0......");
	tcp();
	CHECK(look_at(LINK_RAW, len).depth == PEEK_IP);
}

static void a_fragment_has_ports_if_it_is_the_first(void)
{
	static const struct {
		uint16_t frag;
		bool fragment;
		bool first;
	} v4[] = {
		{ 0x4000, false, true },
		{ 0x2000, true, true },
		{ 0x2001, true, false },
		{ 0x1000, true, false },
	};
	struct peek p;

	for (size_t i = 0; i < ARRAY_SIZE(v4); i++) {
		len = 0;
		ip4(PROTO_UDP, v4[i].frag);
		PUT("\x12\x34\0\x35\0\x0a\0\0hi");
		p = look_at(LINK_RAW, len);
		CHECK(p.fragment == v4[i].fragment);
		CHECK(p.first == v4[i].first);
		CHECK(p.frag_id == 0x7788);
		CHECK(p.depth == (v4[i].first ? PEEK_PORTS : PEEK_IP));
		CHECK(p.len == (v4[i].first ? 2u : 0));
	}
	for (unsigned off = 0; off < 4; off++) {
		static const char *const heads[] = { "\x11\0\0\0\1\2\3\4",
						     "\x11\0\0\1\1\2\3\4",
						     "\x11\0\0\x08\1\2\3\4",
						     "\x11\0\0\6\1\2\3\4" };

		len = 0;
		ip6(44);
		put(heads[off], 8);
		PUT("\x12\x34\0\x35\0\x0a\0\0hi");
		p = look_at(LINK_RAW, len);
		CHECK(p.fragment == (off == 1 || off == 2));
		CHECK(p.first == (off != 2));
		CHECK(p.frag_id == 0x01020304);
		CHECK(p.depth == (off != 2 ? PEEK_PORTS : PEEK_IP));
	}
}

static void padding_is_no_payload(void)
{
	struct peek p;

	len = 0;
	ip4(PROTO_UDP, 0);
	PUT("\x12\x34\0\x35\0\x0a\0\0hi......");
	put_be16(frame + 2, 30);
	p = look_at(LINK_RAW, len);
	CHECK(p.len == 2);
	put_be16(frame + 2, 19); /* a length that is none */
	p = look_at(LINK_RAW, len);
	CHECK(p.len == 8);
	put_be16(frame + 2, 20);
	CHECK(look_at(LINK_RAW, len).depth == PEEK_IP);
}

static void other_protocols_have_no_ports(void)
{
	struct peek p;

	len = 0;
	ip4(47, 0);
	PUT("\x12\x34\0\x35\0\x0a\0\0");
	p = look_at(LINK_RAW, len);
	CHECK(p.depth == PEEK_IP && p.proto == 47 && p.icmp == 0);
}

static void an_echo_has_its_identifier_for_ports(void)
{
	for (unsigned type = 0; type < 256; type++) {
		for (int v6 = 0; v6 < 2; v6++) {
			bool echo = v6 ? type == 128 || type == 129
				       : type == 0 || type == 8;
			struct peek p;

			len = 0;
			if (v6)
				ip6(PROTO_ICMP6);
			else
				ip4(PROTO_ICMP, 0);
			PUT("\0\0\0\0\x55\x66");
			frame[len - 6] = (uint8_t)type;
			p = look_at(LINK_RAW, len);
			CHECK(p.icmp == type + 1);
			CHECK(p.depth == (echo ? PEEK_PORTS : PEEK_IP));
			CHECK(p.sport == (echo ? 0x5566 : 0));
			CHECK(p.dport == p.sport);
			CHECK(look_at(LINK_RAW, len - 1).depth == PEEK_IP);
			CHECK(look_at(LINK_RAW, len - 6).icmp == 0);
		}
	}
}

/* A packet inside an ICMP message of @type, 2 to 1, in one of 3 to 4. */
static struct peek about(bool v6, uint8_t type, uint16_t frag, uint32_t less)
{
	uint32_t at;

	len = 0;
	if (v6)
		ip6(PROTO_ICMP6);
	else
		ip4(PROTO_ICMP, 0);
	frame[len - 1] = 4;
	frame[len - (v6 ? 17 : 5)] = 3;
	at = len;
	PUT("\0\0\0\0\0\0\0\0");
	frame[at] = type;
	if (v6)
		ip6(PROTO_UDP);
	else
		ip4(PROTO_UDP, frag);
	PUT("\x12\x34\0\x35");
	return look_at(LINK_RAW, len - less);
}

static void an_error_is_of_the_packet_that_it_is_about(void)
{
	for (unsigned type = 0; type < 256; type++) {
		for (int v6 = 0; v6 < 2; v6++) {
			bool error = v6 ? type >= 1 && type <= 4
					: type == 3 || type == 4 || type == 5 ||
						     type == 11 || type == 12;
			struct peek p = about(v6 != 0, (uint8_t)type, 0, 0);

			CHECK(p.error == error);
			CHECK(p.icmp == type + 1);
			CHECK(is_between(&p, v6 != 0, error ? 1 : 3,
					 error ? 2 : 4));
			if (error)
				CHECK(p.sport == SPORT && p.dport == 53 &&
				      p.proto == PROTO_UDP &&
				      p.depth == PEEK_PORTS && p.data == NULL);
		}
	}
}

static void an_error_that_is_cut_is_its_own(void)
{
	struct peek p = about(false, 3, 0, 1);

	CHECK(p.error && p.depth == PEEK_IP && p.sport == 0);
	p = about(false, 3, 0, 5); /* the inner header is not whole */
	CHECK(!p.error && is_between(&p, false, 3, 4));
	p = about(false, 3, 0, 24 + 1);
	CHECK(!p.error && p.icmp == 4);
	p = about(false, 3, 1, 0); /* about a later fragment */
	CHECK(p.error && p.depth == PEEK_IP && p.sport == 0);
}

int main(void)
{
	static const struct check_test tests[] = {
#define TEST(f) { #f, f }
		TEST(every_link_type_and_tag),
		TEST(what_is_not_known_has_no_addresses),
		TEST(seven_tags_are_walked),
		TEST(extension_headers_are_stepped_over),
		TEST(a_fragment_has_ports_if_it_is_the_first),
		TEST(padding_is_no_payload),
		TEST(other_protocols_have_no_ports),
		TEST(an_echo_has_its_identifier_for_ports),
		TEST(an_error_is_of_the_packet_that_it_is_about),
		TEST(an_error_that_is_cut_is_its_own),
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
