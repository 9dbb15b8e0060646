/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_pieces_look.c - Unit test of tunnel/pieces: what may be joined or cut at all
 *
 * One field is changed in a good packet, and its sums are made right again, so that
 * nothing but that field can be why it is left alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/csum.h"
#include "pieces/cut.h"
#include "pieces/join.h"
#include "pieces/parts.h"
#include "wire/build.h"
#include "wire/segment.h"

#define ETH 14

/* A packet without Ethernet; @n bytes of payload are behind its headers. */
static uint32_t make(uint8_t *p, bool four, bool tcp, uint32_t n)
{
	static const uint8_t a4[4] = { 10, 0, 0, 1 }, b4[4] = { 10, 0, 0, 2 };
	static const uint8_t a6[16] = { 0xfd, 1 }, b6[16] = { 0xfd, 2 };
	struct tcp_header h = { .sport = 4000,
				.dport = 80,
				.seq = 7,
				.ack = 9,
				.flags = TCP_ACK,
				.ttl = 64 };
	uint8_t head[BUILD_HDR_MAX], body[256];
	size_t len;

	h.src = four ? ipaddr_from4(a4) : ipaddr_from6(a6);
	h.dst = four ? ipaddr_from4(b4) : ipaddr_from6(b6);
	memset(body, 'x', sizeof(body));
	len = tcp ? build_tcp(head, &h, body, n, CSUM_FULL)
		  : build_udp(head, &h, body, n, CSUM_FULL);
	memcpy(p, head + ETH, len - ETH);
	memcpy(p + len - ETH, body, n);
	return (uint32_t)(len - ETH) + n;
}

/* Sums of all of it, as they must be. */
static void sum(uint8_t *p, uint32_t n, bool tcp)
{
	bool four = p[0] >> 4 == 4;
	uint32_t l4 = four ? (p[0] & 15u) * 4 : 40;
	uint8_t *at = p + l4 + (tcp ? 16 : 6);
	uint64_t s = four ? csum_add(0, p + 12, 8) : csum_add(0, p + 8, 32);

	if (four) {
		put_be16(p + 10, 0);
		put_be16(p + 10, (uint16_t)~csum_fold(csum_add(0, p, l4)));
	}
	put_be16(at, 0);
	s += (tcp ? PROTO_TCP : PROTO_UDP) + n - l4;
	put_be16(at, (uint16_t)~csum_fold(csum_add(s, p + l4, n - l4)));
}

static struct join *new_join(struct arena *a, bool udp)
{
	struct join *j = NULL;

	a->size = join_size();
	a->used = 0;
	a->base = aligned_alloc(ARENA_ALIGN, a->size);
	CHECK(join_init(&j, a, udp) == 0);
	return j;
}

static const struct {
	const char *name;
	bool four, tcp;
	uint32_t at; /* this byte is set to ... */
	uint8_t byte;
	uint32_t cut; /* bytes that are missing at the end */
	bool again;   /* sums are made again */
	bool key, whole;
} packets[] = {
	{ "TCP", true, true, 8, 64, 0, true, true, true },
	{ "UDP", true, false, 8, 64, 0, true, true, true },
	{ "TCP in IPv6", false, true, 7, 64, 0, true, true, true },
	{ "UDP in IPv6", false, false, 7, 64, 0, true, true, true },
	{ "another version", true, true, 0, 0x55, 0, false, false, false },
	{ "half of IPv4", true, true, 8, 64, 121, false, false, false },
	{ "half of IPv6", false, true, 7, 64, 121, false, false, false },
	{ "no ports", true, true, 8, 64, 117, false, false, false },
	{ "options of IPv4", true, true, 0, 0x46, 0, true, true, false },
	{ "a header that is too short", true, true, 0, 0x44, 0, false, false,
	  false },
	{ "shorter than it says", true, true, 3, 139, 0, true, true, false },
	{ "shorter than IPv6 says", false, true, 5, 119, 0, true, true, false },
	{ "a first fragment", true, true, 6, 0x20, 0, true, false, false },
	{ "another fragment", true, true, 7, 1, 0, true, false, false },
	{ "ICMPv6", false, true, 6, PROTO_ICMP6, 0, false, true, false },
	{ "an extension header", false, true, 6, 0, 0, false, false, false },
	{ "SYN", true, true, 33, TCP_ACK | TCP_SYN, 0, true, true, false },
	{ "RST", true, true, 33, TCP_ACK | TCP_RST, 0, true, true, false },
	{ "no ACK", true, true, 33, 0, 0, true, true, false },
	{ "PSH", true, true, 33, TCP_ACK | TCP_PSH, 0, true, true, true },
	{ "a TCP header that is too short", true, true, 32, 0x40, 0, true, true,
	  false },
	{ "no payload", true, true, 32, 0xf0, 80, true, true, false },
	{ "half a TCP header", true, true, 8, 64, 101, false, true, false },
	{ "another length of UDP", true, false, 25, 107, 0, true, true, false },
	{ "half a UDP header", true, false, 8, 64, 101, false, true, false },
	{ "a wrong sum", true, true, 60, 'y', 0, false, true, false },
	{ "a wrong sum in IPv6", false, true, 80, 'y', 0, false, true, false },
	{ "a wrong sum of IPv4", true, true, 8, 63, 0, false, true, false },
};

static void packets_may_be_joined_or_not(void)
{
	struct arena a, b;
	struct join *j = new_join(&a, true), *only_tcp = new_join(&b, false);

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		uint8_t p[400], *q;
		uint32_t n = make(p, packets[i].four, packets[i].tcp, 100);
		struct join_look l;

		if (packets[i].cut > 0) {
			n -= packets[i].cut;
			put_be16(p + (packets[i].four ? 2 : 4),
				 (uint16_t)(packets[i].four ? n : n - 40));
		}
		p[packets[i].at] = packets[i].byte;
		if (packets[i].again)
			sum(p, n, packets[i].tcp);
		q = memcpy(malloc(n), p, n);
		join_look(j, q, n, &l);
		CHECK_ROW(l.has_key == packets[i].key, packets[i].name);
		CHECK_ROW(l.whole == packets[i].whole, packets[i].name);
		/* A device that cannot take them gets no joined datagrams. */
		join_look(only_tcp, q, n, &l);
		CHECK_ROW(l.whole == (packets[i].whole && packets[i].tcp),
			  packets[i].name);
		free(q);
	}
	free(a.base);
	free(b.base);
}

/* RFC 768: without a sum nothing says that it is what was sent. */
static void a_datagram_without_a_sum_is_left(void)
{
	uint8_t p[200];
	uint32_t n = make(p, true, false, 100);
	struct join_look l;
	struct arena a;
	struct join *j = new_join(&a, true);

	put_be16(p + 26, 0);
	join_look(j, p, n, &l);
	CHECK(l.has_key && !l.whole);
	free(a.base);
}

static void what_no_device_hands_over_is_not_cut(void)
{
	static const struct {
		const char *name;
		bool four, tcp;
		uint32_t at;
		uint8_t byte;
		enum vnet_kind kind;
		uint16_t start;
		int want;
	} row[] = {
		{ "TCP", true, true, 8, 64, VNET_TCP4, 20, 0 },
		{ "UDP", true, false, 8, 64, VNET_UDP, 20, 0 },
		{ "TCP in IPv6", false, true, 7, 64, VNET_TCP6, 40, 0 },
		{ "UDP in IPv6", false, false, 7, 64, VNET_UDP, 40, 0 },
		{ "IPv6 that is called IPv4", false, true, 7, 64, VNET_TCP4, 40,
		  -EBADMSG },
		{ "IPv4 that is called IPv6", true, true, 8, 64, VNET_TCP6, 20,
		  -EBADMSG },
		{ "another protocol", true, true, 9, 47, VNET_TCP4, 20,
		  -EBADMSG },
		{ "TCP that is called UDP", true, true, 9, PROTO_TCP, VNET_UDP,
		  20, -EBADMSG },
		{ "a fragment", true, true, 7, 1, VNET_TCP4, 20, -EBADMSG },
		{ "another version", true, true, 0, 0x55, VNET_TCP4, 20,
		  -EBADMSG },
		{ "too early in IPv6", false, true, 7, 64, VNET_TCP6, 36,
		  -EBADMSG },
		{ "too early in IPv4", true, true, 0, 0x44, VNET_TCP4, 16,
		  -EBADMSG },
		{ "not where IPv4 ends", true, true, 0, 0x46, VNET_TCP4, 20,
		  -EBADMSG },
		{ "a header of 4 bytes", true, true, 32, 0x10, VNET_TCP4, 20,
		  -EBADMSG },
		{ "a header of 16 bytes", true, true, 32, 0x40, VNET_TCP4, 20,
		  -EBADMSG },
		{ "a header of all of it", true, true, 32, 0xf0, VNET_TCP4, 20,
		  -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		uint8_t p[200];
		bool udp = row[i].kind == VNET_UDP;
		uint32_t n = make(p, row[i].four, row[i].tcp, 40);
		struct vnet v = { .partial = true,
				  .kind = row[i].kind,
				  .size = 10,
				  .start = row[i].start,
				  .at = udp ? 6 : 16 };
		struct cut c = { .n = 77 };

		p[row[i].at] = row[i].byte;
		CHECK_ROW(cut_begin(&c, &v, p, n, 65535) == row[i].want,
			  row[i].name);
		CHECK_ROW(row[i].want == 0 || c.n == 77, row[i].name);
	}
}

/* The sum of a piece that would be 0 is all ones (RFC 768). */
static void a_piece_always_has_a_sum(void)
{
	struct vnet v = { .partial = true,
			  .kind = VNET_UDP,
			  .size = 2,
			  .start = 20,
			  .at = 6 };
	unsigned zeros = 0;

	for (uint32_t i = 0; i < 65536; i++) {
		uint8_t p[64], out[64];
		uint32_t n = make(p, true, false, 4);
		uint64_t s = csum_add(0, p + 12, 8) + PROTO_UDP + n - 20;
		struct cut c;

		put_be16(p + 26, csum_fold(s));
		put_be16(p + 28, (uint16_t)i);
		CHECK(cut_begin(&c, &v, p, n, 65535) == 0);
		CHECK(cut_length(&c) == 30);
		cut_next(&c, out);
		CHECK(get_be16(out + 26) != 0);
		s = csum_add(0, out + 12, 8) + PROTO_UDP + 10;
		if (csum_fold(csum_add(s, out + 20, 10)) != 0xffff)
			zeros++;
	}
	CHECK(zeros == 0);
}

static void each_kind_is_read_and_written(void)
{
	static const enum vnet_kind kind[] = { VNET_ONE, VNET_TCP4, VNET_TCP6,
					       VNET_UDP };

	for (int k = 0; k < 256; k++) {
		uint8_t p[VNET_HEADER] = { 0, (uint8_t)k, 1, 2, 3, 4, 5, 6, 7 };
		uint8_t out[VNET_HEADER];
		bool is = false;
		struct vnet v;

		for (size_t i = 0; i < ARRAY_SIZE(kind); i++)
			is |= (k & 0x7f) == (int)kind[i];
		CHECK((vnet_parse(p, sizeof(p), &v) == 0) == is);
		if (!is)
			continue;
		CHECK(!v.partial && v.ecn == (k >= 0x80));
		vnet_emit(&v, out);
		CHECK(memcmp(p, out, sizeof(p)) == 0);
	}
}

static void without_memory_there_is_none(void)
{
	struct arena a = { .size = join_size() - 1 };
	struct join *j = NULL;
	struct parts *s = NULL;

	a.base = aligned_alloc(ARENA_ALIGN, join_size());
	CHECK(join_init(&j, &a, true) == -ENOMEM && j == NULL);
	free(a.base);
	a.size = parts_size() - 1;
	a.used = 0;
	a.base = aligned_alloc(ARENA_ALIGN, parts_size());
	CHECK(parts_init(&s, &a) == -ENOMEM && s == NULL);
	free(a.base);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "packets may be joined or not",
		  packets_may_be_joined_or_not },
		{ "a datagram without a sum is left",
		  a_datagram_without_a_sum_is_left },
		{ "what no device hands over is not cut",
		  what_no_device_hands_over_is_not_cut },
		{ "a piece always has a sum", a_piece_always_has_a_sum },
		{ "each kind is read and written",
		  each_kind_is_read_and_written },
		{ "without memory there is none",
		  without_memory_there_is_none },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
