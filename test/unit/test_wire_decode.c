/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_wire_decode.c - Unit test of wire/decode.h and wire/build.h
 *
 * Frames are built, patched, and decoded from heap copies of their exact size,
 * so that a read one byte too far is seen. Checksums of builders are judged by
 * wire_oracle.h; a frame whose bytes are written out below keeps builder and
 * decoder from agreeing on the same mistake.
 */
#include "wire/build.h"
#include "wire/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/rng.h"
#include "wire_oracle.h"

#define BIG 200000u

static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 0x0a };
static const uint8_t mac_b[6] = { 2, 0, 0, 0, 0, 0x0b };

/* A SYN from 192.0.2.1:4660 to 198.51.100.2:80, every byte by hand. */
static const uint8_t syn_frame[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x02, 0x00, 0x00, 0x00, 0x00,
	0x0a, 0x08, 0x00, 0x45, 0x00, 0x00, 0x3c, 0x00, 0x01, 0x40, 0x00,
	0x40, 0x06, 0x4f, 0x8d, 0xc0, 0x00, 0x02, 0x01, 0xc6, 0x33, 0x64,
	0x02, 0x12, 0x34, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0x00, 0x00,
	0x00, 0x00, 0xa0, 0x02, 0xfa, 0xf0, 0x00, 0x00, 0x00, 0x00, 0x02,
	0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a, 0x11, 0x22, 0x33, 0x44,
	0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07,
};

static struct decoded got;

/* Decode an exact copy of @cap bytes; pointers in got are into freed memory. */
static enum decode_result try_link(uint16_t link, const uint8_t *p,
				   uint32_t cap, uint32_t wire)
{
	uint8_t *copy = malloc(cap > 0 ? cap : 1);
	struct frame_info in = {
		.data = copy,
		.cap = cap,
		.wire = wire,
		.ts = 77,
		.link = link,
	};
	enum decode_result r;

	memcpy(copy, p, cap);
	r = frame_decode(&in, NULL, 0, &got);
	if (r == DECODE_TCP || r == DECODE_UDP) {
		CHECK(got.seg.cap <= got.seg.len);
		CHECK(got.seg.data >= copy);
		CHECK(got.seg.data + got.seg.cap <= copy + cap);
		CHECK(got.seg.ts == 77);
	}
	free(copy);
	return r;
}

static enum decode_result try(const uint8_t *p, uint32_t len)
{
	return try_link(LINK_ETHERNET, p, len, len);
}

static struct ipaddr addr4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t p[4] = { a, b, c, d };

	return ipaddr_from4(p);
}

static struct ipaddr addr6(uint8_t last)
{
	return (struct ipaddr){ { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0,
				  0, 0, 0x12, 0x34, last } };
}

static struct tcp_header header(bool v4)
{
	struct tcp_header h = {
		.src = v4 ? addr4(192, 0, 2, 1) : addr6(1),
		.dst = v4 ? addr4(198, 51, 100, 2) : addr6(2),
		.sport = 0x1234,
		.dport = 80,
		.seq = 0xfffffff0,
		.ack = 0x80000001,
		.flags = TCP_ACK | TCP_PSH,
		.ttl = 61,
		.win = 502,
		.urg = 9,
		.ip_id = 4711,
	};

	memcpy(h.eth_dst, mac_b, 6);
	memcpy(h.eth_src, mac_a, 6);
	return h;
}

/* Build a frame with @len bytes of payload behind its headers. */
static uint32_t build(uint8_t *out, const struct tcp_header *h, bool udp,
		      uint32_t len)
{
	uint8_t *data = malloc(len + 1);
	size_t n;

	for (uint32_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 7 + 3);
	n = udp ? build_udp(out, h, data, len, CSUM_FULL)
		: build_tcp(out, h, data, len, CSUM_FULL);
	memcpy(out + n, data, len);
	free(data);
	return (uint32_t)n + len;
}

/* Put the right IPv4 header checksum into the frame at @f. */
static void fix_ip4(uint8_t *f)
{
	put_be16(f + 24, 0);
	put_be16(f + 24, (uint16_t)~oracle_sum(0, f + 14, (f[14] & 15) * 4u));
}

/* The builder makes the same bytes. */
static void check_built_syn(const uint8_t *want)
{
	struct tcp_header h = header(true);
	uint8_t f[BUILD_HDR_MAX];

	h.seq = 0x01020304;
	h.ack = 0;
	h.flags = TCP_SYN;
	h.ttl = 64;
	h.win = 64240;
	h.urg = 0;
	h.ip_id = 1;
	h.opts = syn_frame + 54;
	h.optlen = 20;
	CHECK(build_tcp(f, &h, NULL, 0, CSUM_FULL) == sizeof(syn_frame));
	CHECK(memcmp(f, want, sizeof(syn_frame)) == 0);
}

static void test_syn_by_hand(void)
{
	uint8_t f[sizeof(syn_frame)];
	uint16_t sum;

	memcpy(f, syn_frame, sizeof(f));
	fix_ip4(f);
	sum = (uint16_t)~oracle_sum(oracle_pseudo(f + 14, 6, 40), f + 34, 40);
	put_be16(f + 50, sum);

	CHECK(try(f, sizeof(f)) == DECODE_TCP);
	CHECK(got.has_eth && memcmp(got.eth_src, mac_a, 6) == 0);
	CHECK(memcmp(got.eth_dst, mac_b, 6) == 0);
	CHECK(got.l3 == 14 && !got.reassembled);
	CHECK(got.seg.sport == 4660 && got.seg.dport == 80);
	CHECK(got.seg.seq == 0x01020304 && got.seg.ack == 0);
	CHECK(got.seg.flags == TCP_SYN && got.seg.win == 64240);
	CHECK(got.seg.ttl == 64 && got.seg.proto == PROTO_TCP);
	CHECK(got.seg.len == 0 && got.seg.cap == 0);
	CHECK(got.seg.opts.has ==
	      (OPT_HAS_MSS | OPT_HAS_WSCALE | OPT_HAS_SACK_OK | OPT_HAS_TS));
	CHECK(got.seg.opts.mss == 1460 && got.seg.opts.wscale == 7);
	CHECK(got.seg.opts.tsval == 0x11223344 && got.seg.opts.tsecr == 0);
	CHECK(ipaddr_is4(&got.seg.src) && got.seg.src.b[12] == 192);
	CHECK(got.seg.dst.b[12] == 198 && got.seg.dst.b[15] == 2);

	check_built_syn(f);
	f[50] ^= 1;
	CHECK(try(f, sizeof(f)) == DECODE_BAD_L4_CSUM);
	f[50] ^= 1;
	f[24] ^= 1;
	CHECK(try(f, sizeof(f)) == DECODE_BAD_IP_CSUM);
}

static void check_same(const struct tcp_header *h, uint32_t len, bool udp)
{
	CHECK(ipaddr_eq(&got.seg.src, &h->src));
	CHECK(ipaddr_eq(&got.seg.dst, &h->dst));
	CHECK(got.seg.sport == h->sport && got.seg.dport == h->dport);
	CHECK(got.seg.ttl == h->ttl);
	CHECK(got.seg.len == len && got.seg.cap == len);
	CHECK(memcmp(got.eth_src, h->eth_src, 6) == 0);
	CHECK(memcmp(got.eth_dst, h->eth_dst, 6) == 0);
	if (udp)
		return;
	CHECK(got.seg.seq == h->seq && got.seg.ack == h->ack);
	CHECK(got.seg.flags == h->flags && got.seg.win == h->win);
	CHECK(got.seg.urg == h->urg);
}

static void test_built_frames_come_back(void)
{
	static const uint32_t lens[] = { 0, 1, 2, 17, 1448, 65000, BIG };
	static const uint8_t ts[12] = { 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t *f = malloc(BUILD_HDR_MAX + BIG);

	for (unsigned k = 0; k < 2 * 2 * ARRAY_SIZE(lens); k++) {
		uint32_t len = lens[k / 4];
		bool udp = (k & 1) != 0;
		struct tcp_header h = header((k & 2) != 0);
		uint32_t n;

		h.opts = ts;
		h.optlen = len == 2 ? 0 : sizeof(ts);
		n = build(f, &h, udp, len);
		CHECK(oracle_good(f + 14, n - 14));
		CHECK(try(f, n) == (udp ? DECODE_UDP : DECODE_TCP));
		check_same(&h, len, udp);
		if (udp)
			continue;
		CHECK(got.seg.opts.has == (len == 2 ? 0 : OPT_HAS_TS));
		if (len != 2)
			CHECK(got.seg.opts.tsval == 0x01020304 &&
			      got.seg.opts.tsecr == 0x05060708);
	}
	free(f);
}

static void test_big_tcp_has_no_length(void)
{
	uint8_t *f = malloc(BUILD_HDR_MAX + BIG + 8);
	struct tcp_header h = header(true);
	uint32_t n = build(f, &h, false, BIG);

	CHECK(get_be16(f + 16) == 0);
	/* The same claim in a frame that is not big is none. */
	CHECK(try(f, 1514) == DECODE_BAD_LENGTH);
	CHECK(try(f, 14 + 65535) == DECODE_BAD_LENGTH);
	CHECK(try_link(LINK_ETHERNET, f, 96, 14 + 65536) == DECODE_TCP);
	/* Captured in part: the wire length counts. */
	CHECK(try_link(LINK_ETHERNET, f, 96, n) == DECODE_TCP);
	CHECK(got.seg.len == BIG && got.seg.cap == 96 - 54);

	h = header(false);
	n = build(f, &h, false, BIG);
	CHECK(get_be16(f + 18) == 0);
	CHECK(try(f, 54 + 65535) == DECODE_BAD_LENGTH);
	CHECK(try_link(LINK_ETHERNET, f, 96, 54 + 65536) == DECODE_TCP);
	/* Make room for a hop-by-hop header with the jumbo option. */
	memmove(f + 62, f + 54, n - 54);
	memcpy(f + 54, (const uint8_t[]){ 6, 0, 0xc2, 4 }, 4);
	put_be32(f + 58, n - 54 + 8);
	f[20] = 0;
	n += 8;
	CHECK(try(f, n) == DECODE_TCP);
	check_same(&h, BIG, false);
	for (uint32_t cap = 54; cap < 62; cap++)
		CHECK(try_link(LINK_ETHERNET, f, cap, n) == DECODE_TRUNCATED);
	f[55] = 1; /* a longer header, of which the end was not captured */
	CHECK(try_link(LINK_ETHERNET, f, 69, n) == DECODE_TRUNCATED);
	f[55] = 0;
	put_be32(f + 58, n - 54 + 1);
	CHECK(try(f, n) == DECODE_BAD_LENGTH);
	put_be32(f + 58, 65535);
	CHECK(try(f, n) == DECODE_BAD_LENGTH);
	f[57] = 3;
	CHECK(try(f, n) == DECODE_BAD_HEADER);
	f[57] = 5;
	CHECK(try(f, n) == DECODE_BAD_HEADER);
	free(f);
}

static void test_every_truncation_is_told(void)
{
	for (unsigned k = 0; k < 4; k++) {
		bool v4 = (k & 1) != 0, udp = (k & 2) != 0;
		struct tcp_header h = header(v4);
		static const uint8_t opts[8] = { 1, 1, 4, 2, 253, 4, 0, 0 };
		uint8_t f[BUILD_HDR_MAX + 100];
		uint32_t n, hdr;

		h.opts = opts;
		h.optlen = sizeof(opts);
		n = build(f, &h, udp, 100);
		hdr = n - 100;
		for (uint32_t cap = 0; cap < n; cap++) {
			enum decode_result r;

			/* Snapped: told apart from a lie by the wire length. */
			r = try_link(LINK_ETHERNET, f, cap, n);
			if (cap < hdr) {
				CHECK(r == DECODE_TRUNCATED);
			} else {
				CHECK(r == (udp ? DECODE_UDP : DECODE_TCP));
				CHECK(got.seg.len == 100);
				CHECK(got.seg.cap == cap - hdr);
			}
			CHECK(try(f, cap) == DECODE_BAD_LENGTH);
		}
	}
}

static void test_padding_is_cut_off(void)
{
	struct tcp_header h = header(true);
	uint8_t f[BUILD_HDR_MAX + 200];
	uint32_t n = build(f, &h, false, 1);

	memset(f + n, 0xee, 100);
	CHECK(try(f, n + 100) == DECODE_TCP);
	check_same(&h, 1, false);
}

static void test_every_flipped_bit_is_noticed(void)
{
	struct tcp_header h = header(true);
	uint8_t f[BUILD_HDR_MAX + 40];
	uint32_t n = build(f, &h, false, 40);

	for (uint32_t bit = 14 * 8; bit < n * 8; bit++) {
		enum decode_result r;

		f[bit / 8] ^= (uint8_t)(1 << bit % 8);
		r = try(f, n);
		CHECK(r != DECODE_TCP && r != DECODE_UDP);
		f[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CHECK(try(f, n) == DECODE_TCP);
}

static void test_offloaded_checksum_is_not_tested(void)
{
	struct tcp_header h = header(true);
	uint8_t f[BUILD_HDR_MAX];
	size_t n = build_tcp(f, &h, NULL, 0, CSUM_PARTIAL);
	struct frame_info in = { .data = f,
				 .cap = (uint32_t)n,
				 .wire = (uint32_t)n,
				 .link = LINK_ETHERNET,
				 .gso = 1448,
				 .csum_ok = true };

	CHECK(get_be16(f + 50) == oracle_pseudo(f + 14, 6, 20));
	CHECK(frame_decode(&in, NULL, 0, &got) == DECODE_TCP);
	CHECK(got.seg.gso == 1448);
	in.csum_ok = false;
	CHECK(frame_decode(&in, NULL, 0, &got) == DECODE_BAD_L4_CSUM);
	CHECK(got.offloaded);
	f[51] ^= 1; /* neither offloaded nor right */
	CHECK(frame_decode(&in, NULL, 0, &got) == DECODE_BAD_L4_CSUM);
	CHECK(!got.offloaded);
	put_be16(f + 24, 0);
	CHECK(frame_decode(&in, NULL, 0, &got) == DECODE_BAD_IP_CSUM);
	CHECK(got.offloaded);
	in.csum_ok = true;
	CHECK(frame_decode(&in, NULL, 0, &got) == DECODE_TCP);
	f[25] = 1;
	CHECK(frame_decode(&in, NULL, 0, &got) == DECODE_BAD_IP_CSUM);
}

static void test_bad_headers_are_told(void)
{
	struct tcp_header h = header(true);
	uint8_t f[BUILD_HDR_MAX + 20], g[sizeof(f)];
	uint32_t n = build(f, &h, false, 20);

	memcpy(g, f, n);
	g[14] = 0x55; /* version */
	CHECK(try(g, n) == DECODE_BAD_HEADER);
	g[14] = 0x44; /* header of 16 bytes */
	CHECK(try(g, n) == DECODE_BAD_HEADER);
	memcpy(g, f, n);
	put_be16(g + 16, 19); /* shorter than its header */
	CHECK(try(g, n) == DECODE_BAD_LENGTH);
	put_be16(g + 16, 0);
	CHECK(try(g, n) == DECODE_BAD_LENGTH);
	put_be16(g + 16, (uint16_t)(n - 14 + 1));
	CHECK(try(g, n) == DECODE_BAD_LENGTH);
	put_be16(g + 16, 39); /* no room for TCP */
	fix_ip4(g);
	CHECK(try(g, n) == DECODE_BAD_LENGTH);
	memcpy(g, f, n);
	g[46] = 0x40; /* doff 16 bytes */
	CHECK(try(g, n) == DECODE_BAD_HEADER);
	g[46] = 0xf0; /* doff 60 bytes of 40 */
	CHECK(try(g, n) == DECODE_BAD_HEADER);

	h = header(false);
	n = build(f, &h, false, 20);
	f[14] = 0x40;
	CHECK(try(f, n) == DECODE_BAD_HEADER);
}

static void test_ip4_options_are_skipped(void)
{
	static const struct {
		uint8_t opts[4];
		enum decode_result want;
	} rows[] = {
		{ { 148, 4, 0, 0 }, DECODE_TCP },
		{ { 130, 2, 1, 1 }, DECODE_TCP },
		{ { 1, 7, 3, 0 }, DECODE_TCP },
		{ { 1, 7, 4, 0 }, DECODE_BAD_HEADER },
		{ { 7, 5, 4, 0 }, DECODE_BAD_HEADER },
		{ { 7, 1, 0, 0 }, DECODE_BAD_HEADER },
		{ { 1, 1, 1, 7 }, DECODE_BAD_HEADER },
		{ { 1, 0, 7, 9 },
		  DECODE_TCP }, /* nothing counts after the end */
	};
	struct tcp_header h = header(true);
	uint8_t f[BUILD_HDR_MAX + 24];
	uint32_t n = build(f, &h, false, 20);

	memmove(f + 38, f + 34, n - 34);
	memset(f + 34, 1, 4);
	f[14] = 0x46;
	put_be16(f + 16, (uint16_t)(n + 4 - 14));
	fix_ip4(f);
	CHECK(try(f, n + 4) == DECODE_TCP);
	check_same(&h, 20, false);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(f + 34, rows[i].opts, 4);
		fix_ip4(f);
		CHECK(try(f, n + 4) == rows[i].want);
	}
}

static void test_udp_lengths_and_zero_checksum(void)
{
	struct tcp_header h = header(true);
	uint8_t f[BUILD_HDR_MAX + 20];
	uint32_t n = build(f, &h, true, 20);

	put_be16(f + 40, 0); /* 0: none was made */
	CHECK(try(f, n) == DECODE_UDP);
	f[n - 1] ^= 1;
	CHECK(try(f, n) == DECODE_UDP);
	put_be16(f + 38, 7);
	CHECK(try(f, n) == DECODE_BAD_LENGTH);
	put_be16(f + 38, 0);
	CHECK(try(f, n) == DECODE_BAD_LENGTH);
	put_be16(f + 38, 29);
	CHECK(try(f, n) == DECODE_BAD_LENGTH);
	put_be16(f + 38, 18); /* shorter than IP says: the rest is not ours */
	CHECK(try(f, n) == DECODE_UDP);
	CHECK(got.seg.len == 10 && got.seg.cap == 10);

	h = header(false);
	n = build(f, &h, true, 20);
	put_be16(f + 60, 0);
	CHECK(try(f, n) == DECODE_BAD_L4_CSUM);
}

/* A length of 0 stands for more than 16 bits hold, and for nothing less. */
static void test_udp_length_of_zero(void)
{
	uint8_t *f = malloc(BUILD_HDR_MAX + 65536);
	struct tcp_header h = header(false);
	uint32_t n = build(f, &h, true, 65535 - 8);
	struct frame_info in = { .data = f,
				 .cap = n,
				 .wire = n,
				 .link = LINK_ETHERNET,
				 .gso = 1400,
				 .csum_ok = true };

	CHECK(frame_decode(&in, NULL, 0, &got) == DECODE_UDP);
	CHECK(got.seg.gso == 1400 && got.seg.len == 65535 - 8);
	put_be16(f + 58, 0);
	CHECK(frame_decode(&in, NULL, 0, &got) == DECODE_BAD_LENGTH);
	free(f);
}

static void test_udp_sum_of_zero_is_sent_as_ones(void)
{
	struct tcp_header h = header(true);
	uint8_t f[BUILD_HDR_MAX], data[2] = { 0, 0 };
	uint16_t sum;

	build_udp(f, &h, data, 2, CSUM_FULL);
	sum = get_be16(f + 40);
	put_be16(data, sum); /* makes the sum of all else 0xffff */
	build_udp(f, &h, data, 2, CSUM_FULL);
	CHECK(get_be16(f + 40) == 0xffff);
}

/* Put @n tags behind the addresses of the frame of @len bytes. */
static uint32_t tag(uint8_t *f, uint32_t len, unsigned n, uint16_t type)
{
	for (unsigned i = 0; i < n; i++) {
		memmove(f + 16, f + 12, len - 12);
		put_be16(f + 12, type);
		put_be16(f + 14, (uint16_t)(100 + i));
		len += 4;
	}
	return len;
}

static void test_up_to_four_tags(void)
{
	static const uint16_t types[] = { 0x8100, 0x88a8, 0x9100 };

	for (unsigned k = 0; k < 3 * 6; k++) {
		struct tcp_header h = header(true);
		uint8_t f[BUILD_HDR_MAX + 64];
		uint32_t n =
			tag(f, build(f, &h, false, 10), k / 3, types[k % 3]);

		if (k / 3 == 5) {
			CHECK(try(f, n) == DECODE_TOO_DEEP);
			continue;
		}
		CHECK(try(f, n) == DECODE_TCP);
		CHECK(got.l3 == 14 + k / 3 * 4);
		check_same(&h, 10, false);
		CHECK(try_link(LINK_ETHERNET, f, 14 + k / 3 * 4, n) ==
		      DECODE_TRUNCATED);
	}
}

static void test_other_links(void)
{
	static const struct {
		const char *name;
		uint16_t link;
		bool v4;
		uint8_t n;
		uint8_t hdr[20];
	} rows[] = {
		{ "raw 4", LINK_RAW, true, 0, { 0 } },
		{ "raw 6", LINK_RAW, false, 0, { 0 } },
		{ "ipv4", LINK_IPV4, true, 0, { 0 } },
		{ "ipv6", LINK_IPV6, false, 0, { 0 } },
		{ "null le", LINK_NULL, true, 4, { 2 } },
		{ "null be", LINK_NULL, true, 4, { 0, 0, 0, 2 } },
		{ "null bsd 6", LINK_NULL, false, 4, { 24 } },
		{ "null freebsd 6", LINK_NULL, false, 4, { 28 } },
		{ "null darwin 6", LINK_NULL, false, 4, { 30 } },
		{ "loop", LINK_LOOP, true, 4, { 0, 0, 0, 2 } },
		{ "sll",
		  LINK_SLL,
		  true,
		  16,
		  { 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0 } },
		{ "sll 6",
		  LINK_SLL,
		  false,
		  16,
		  { 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x86, 0xdd } },
		{ "sll2", LINK_SLL2, true, 20, { 8, 0, 0, 0, 0, 0, 0, 2 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tcp_header h = header(rows[i].v4);
		uint8_t f[BUILD_HDR_MAX + 64], g[sizeof(f)];
		uint32_t n = build(f, &h, false, 30);

		memcpy(g, rows[i].hdr, rows[i].n);
		memcpy(g + rows[i].n, f + 14, n - 14);
		n += rows[i].n - 14u;
		CHECK_ROW(try_link(rows[i].link, g, n, n) == DECODE_TCP,
			  rows[i].name);
		CHECK_ROW(got.seg.len == 30 && got.l3 == rows[i].n,
			  rows[i].name);
		CHECK_ROW(!got.has_eth, rows[i].name);
		for (uint32_t cap = 0; cap < rows[i].n + 20u; cap++)
			CHECK_ROW(try_link(rows[i].link, g, cap, n) ==
					  DECODE_TRUNCATED,
				  rows[i].name);
	}
	CHECK(try_link(LINK_RAW, (const uint8_t *)"\x50", 1, 1) ==
	      DECODE_BAD_HEADER);
	CHECK(try_link(147, syn_frame, 60, 60) == DECODE_NOT_IP);
	CHECK(try_link(LINK_NULL, (const uint8_t *)"\7\0\0\0", 4, 4) ==
	      DECODE_NOT_IP);
}

static void test_frames_without_ip(void)
{
	static const struct {
		const char *name;
		enum decode_result want;
		uint8_t dst_last;
		uint16_t type;
		uint8_t first;
	} rows[] = {
		{ "stp", DECODE_LINK_CONTROL, 0x00, 0x0026, 0x42 },
		{ "stp by its sap", DECODE_LINK_CONTROL, 0x77, 0x0026, 0x42 },
		{ "pause", DECODE_LINK_CONTROL, 0x01, 0x8808, 0 },
		{ "lacp", DECODE_LINK_CONTROL, 0x02, 0x8809, 1 },
		{ "lldp", DECODE_LINK_CONTROL, 0x77, 0x88cc, 2 },
		{ "bridge group", DECODE_LINK_CONTROL, 0x0f, 0x1234, 0 },
		{ "beyond it", DECODE_NOT_IP, 0x10, 0x1234, 0 },
		{ "llc", DECODE_NOT_IP, 0x77, 0x0026, 0xaa },
		{ "arp to a bridge", DECODE_ARP, 0x00, 0x0806, 0 },
		{ "ip to a bridge", DECODE_BAD_HEADER, 0x00, 0x0800, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t f[60] = { 0x01, 0x80, 0xc2, 0, 0, rows[i].dst_last };

		put_be16(f + 12, rows[i].type);
		f[14] = rows[i].first;
		CHECK_ROW(try(f, 60) == rows[i].want, rows[i].name);
	}
	for (unsigned last = 0xcb; last <= 0xce; last++) { /* Cisco's own */
		uint8_t f[60] = { 0x01, 0x00, 0x0c, 0xcc, 0xcc, (uint8_t)last };

		CHECK(try(f, 60) == (last == 0xcc || last == 0xcd
					     ? DECODE_LINK_CONTROL
					     : DECODE_NOT_IP));
		f[4] = 0;
		CHECK(try(f, 60) == DECODE_NOT_IP);
	}
}

/* Put @n destination option headers in front of TCP. */
static uint32_t extend(uint8_t *f, uint32_t len, unsigned n, uint8_t type)
{
	for (unsigned i = 0; i < n; i++) {
		memmove(f + 62, f + 54, len - 54);
		memcpy(f + 54, (const uint8_t[8]){ f[20], 0, 1, 4 }, 8);
		f[20] = type;
		len += 8;
		put_be16(f + 18, (uint16_t)(len - 54));
	}
	return len;
}

static void test_extension_headers(void)
{
	static const uint8_t types[] = { 43, 60, 135, 139, 140, 51 };

	for (size_t k = 0; k < ARRAY_SIZE(types); k++) {
		for (unsigned n = 1; n <= 9; n++) {
			struct tcp_header h = header(false);
			uint8_t f[BUILD_HDR_MAX + 120];
			uint32_t len =
				extend(f, build(f, &h, false, 10), n, types[k]);

			if (n == 9) {
				CHECK(try(f, len) == DECODE_TOO_DEEP);
				continue;
			}
			CHECK(try(f, len) == DECODE_TCP);
			check_same(&h, 10, false);
			CHECK(try_link(LINK_ETHERNET, f, 54 + n * 8 - 1, len) ==
			      DECODE_TRUNCATED);
		}
	}
}

static void test_odd_extension_headers(void)
{
	struct tcp_header h = header(false);
	uint8_t f[BUILD_HDR_MAX + 120];
	uint32_t n = extend(f, build(f, &h, false, 10), 1, 0);

	CHECK(try(f, n) == DECODE_TCP); /* hop-by-hop, first */
	n = extend(f, n, 1, 60);
	CHECK(try(f, n) == DECODE_BAD_HEADER); /* hop-by-hop, second */

	n = extend(f, build(f, &h, false, 10), 1, 44);
	memset(f + 55, 0, 7);
	CHECK(try(f, n) == DECODE_TCP); /* atomic fragment */
	f[57] = 1;
	CHECK(try(f, n) == DECODE_FRAG_DROPPED); /* no reassembly here */
	CHECK(try_link(LINK_ETHERNET, f, n - 1, n) == DECODE_TRUNCATED);

	n = build(f, &h, false, 10);
	f[20] = 59;
	CHECK(try(f, n) == DECODE_IP_OTHER);
	f[20] = PROTO_ICMP;
	CHECK(try(f, n) == DECODE_IP_OTHER);
	f[20] = 60;
	f[55] = 200; /* runs past the datagram */
	CHECK(try(f, n) == DECODE_BAD_LENGTH);
}

static void test_bad_options_are_told(void)
{
	uint8_t f[BUILD_HDR_MAX + 40];
	struct tcp_header h = header(true);

	h.opts = (const uint8_t *)"\2\4\5\xb4\1\1\4\2\1\3\3\7";
	h.optlen = 12;
	CHECK(try(f, build(f, &h, false, 20)) == DECODE_TCP);
	CHECK(got.seg.opts.has ==
	      (OPT_HAS_MSS | OPT_HAS_SACK_OK | OPT_HAS_WSCALE));
	h.opts = (const uint8_t *)"\x77\5zz";
	h.optlen = 4;
	CHECK(try(f, build(f, &h, false, 20)) == DECODE_BAD_HEADER);
}

static void test_arp_both_ways(void)
{
	struct ipaddr spa = addr4(10, 0, 0, 1), tpa = addr4(10, 0, 0, 2);
	struct arp_packet a;
	uint8_t f[BUILD_RAW_MAX], exact[28];

	CHECK(build_arp(f, 2, mac_b, mac_a, &spa, mac_b, &tpa) == 60);
	CHECK(try(f, 60) == DECODE_ARP);
	CHECK(got.l3 == 14 && got.has_eth && got.l4_len == 46);
	memcpy(exact, f + 14, 28);
	CHECK(memcmp(exact, "\0\1\x8\0\6\4\0\2", 8) == 0);
	CHECK(arp_parse(exact, 28, &a) == 0);
	CHECK(a.op == 2 && memcmp(a.sha, mac_a, 6) == 0);
	CHECK(memcmp(a.tha, mac_b, 6) == 0);
	CHECK(ipaddr_eq(&a.spa, &spa) && ipaddr_eq(&a.tpa, &tpa));
	CHECK(memcmp(got.eth_src, mac_a, 6) == 0);
	CHECK(memcmp(got.eth_dst, mac_b, 6) == 0);

	CHECK(arp_parse(exact, 27, &a) == -EBADMSG);
	for (size_t i = 0; i < 6; i++) {
		exact[i] ^= 0x40;
		CHECK(arp_parse(exact, 28, &a) == -EBADMSG);
		exact[i] ^= 0x40;
	}
	build_arp(f, 1, mac_b, mac_a, &spa, NULL, &tpa);
	CHECK(arp_parse(f + 14, 46, &a) == 0 && a.op == 1);
	CHECK(memcmp(a.tha, "\0\0\0\0\0\0", 6) == 0);
}

static void test_nd_both_ways(void)
{
	struct ipaddr src = addr6(1), dst = addr6(2);
	struct nd_packet nd;
	uint8_t f[BUILD_RAW_MAX];
	size_t n = build_ns(f, mac_a, &src, &dst);

	CHECK(n == 86 && oracle_good(f + 14, n - 14));
	CHECK(memcmp(f, "\x33\x33\xff\x12\x34\x02", 6) == 0);
	CHECK(memcmp(f + 38, "\xff\2\0\0\0\0\0\0\0\0\0\1\xff\x12\x34\x02",
		     16) == 0);
	CHECK(f[21] == 255 && f[78] == 1);
	CHECK(try(f, (uint32_t)n) == DECODE_ND);
	CHECK(got.l4_len == 32 && got.seg.proto == PROTO_ICMP6);
	CHECK(nd_parse(f + 54, 32, &nd) == 0);
	CHECK(nd.type == 135 && ipaddr_eq(&nd.target, &dst));
	CHECK(nd.has_lladdr && memcmp(nd.lladdr, mac_a, 6) == 0);
	CHECK(nd_parse(f + 54, 24, &nd) == 0 && !nd.has_lladdr);
	for (size_t len = 0; len < 32; len++)
		CHECK(len == 24 || nd_parse(f + 54, len, &nd) == -EBADMSG);

	n = build_na(f, mac_b, mac_a, &dst, &src);
	CHECK(n == 86 && oracle_good(f + 14, n - 14));
	CHECK(try(f, (uint32_t)n) == DECODE_ND);
	CHECK(ipaddr_eq(&got.seg.src, &dst) && ipaddr_eq(&got.seg.dst, &src));
	CHECK(nd_parse(f + 54, 32, &nd) == 0 && nd.type == 136);
	CHECK(memcmp(nd.lladdr, mac_a, 6) == 0 && f[58] == 0x60);
	CHECK(f[78] == 2);
	f[78] = 1; /* a source option is not the advertiser's */
	CHECK(nd_parse(f + 54, 32, &nd) == 0 && !nd.has_lladdr);
	f[79] = 0; /* option of length 0 */
	CHECK(nd_parse(f + 54, 32, &nd) == -EBADMSG);
	f[79] = 2; /* runs past the end */
	CHECK(nd_parse(f + 54, 32, &nd) == -EBADMSG);
	f[79] = 1;
	f[62] = 0xff; /* target is a group */
	CHECK(nd_parse(f + 54, 32, &nd) == -EBADMSG);
	f[62] = 0x20;
	f[55] = 1; /* code */
	CHECK(nd_parse(f + 54, 32, &nd) == -EBADMSG);
	f[54] = 133;
	CHECK(nd_parse(f + 54, 32, &nd) == -ENOTSUP);
}

static void test_icmp_is_told_from_nd(void)
{
	static const uint8_t types[] = { 128, 132, 133, 137, 138 };
	struct ipaddr src = addr6(1), dst = addr6(2);
	struct tcp_header h = header(true);
	uint8_t f[BUILD_HDR_MAX + 40];
	uint32_t n;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		bool nd = types[i] >= 133 && types[i] <= 137;

		build_ns(f, mac_a, &src, &dst);
		f[54] = types[i];
		CHECK(try(f, 86) ==
		      (types[i] == 135 ? DECODE_ND : DECODE_BAD_L4_CSUM));
		put_be16(f + 56, 0);
		put_be16(f + 56,
			 (uint16_t)~oracle_sum(oracle_pseudo(f + 14, 58, 32),
					       f + 54, 32));
		CHECK(try(f, 86) == (nd ? DECODE_ND : DECODE_ICMP));
	}

	n = build(f, &h, false, 12);
	f[23] = PROTO_ICMP;
	fix_ip4(f);
	put_be16(f + 36, 0);
	put_be16(f + 36, (uint16_t)~oracle_sum(0, f + 34, n - 34));
	CHECK(try(f, n) == DECODE_ICMP);
	CHECK(got.l4_len == n - 34 && got.seg.src.b[12] == 192);
	f[n - 1] ^= 4;
	CHECK(try(f, n) == DECODE_BAD_L4_CSUM);
	f[23] = PROTO_ICMP6;
	fix_ip4(f);
	CHECK(try(f, n) == DECODE_IP_OTHER);
}

static void test_every_result_has_a_name(void)
{
	for (int i = 0; i < DECODE_COUNT; i++)
		for (int j = 0; j < i; j++)
			CHECK(strcmp(decode_name((enum decode_result)i),
				     decode_name((enum decode_result)j)) != 0);
	CHECK(strcmp(decode_name(DECODE_TCP), "tcp") == 0);
	CHECK(strcmp(decode_name(DECODE_TOO_DEEP), "too_deep") == 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a SYN written by hand", test_syn_by_hand },
		{ "built frames come back", test_built_frames_come_back },
		{ "BIG TCP has no length", test_big_tcp_has_no_length },
		{ "every truncation is told", test_every_truncation_is_told },
		{ "padding is cut off", test_padding_is_cut_off },
		{ "every flipped bit is noticed",
		  test_every_flipped_bit_is_noticed },
		{ "an offloaded checksum is not tested",
		  test_offloaded_checksum_is_not_tested },
		{ "bad headers are told", test_bad_headers_are_told },
		{ "IPv4 options are skipped", test_ip4_options_are_skipped },
		{ "UDP lengths, and no checksum",
		  test_udp_lengths_and_zero_checksum },
		{ "a UDP length of zero", test_udp_length_of_zero },
		{ "a UDP sum of zero is sent as ones",
		  test_udp_sum_of_zero_is_sent_as_ones },
		{ "up to four tags", test_up_to_four_tags },
		{ "other links", test_other_links },
		{ "frames without IP", test_frames_without_ip },
		{ "extension headers", test_extension_headers },
		{ "odd extension headers", test_odd_extension_headers },
		{ "bad options are told", test_bad_options_are_told },
		{ "ARP both ways", test_arp_both_ways },
		{ "neighbour discovery both ways", test_nd_both_ways },
		{ "ICMP is told from it", test_icmp_is_told_from_nd },
		{ "every result has a name", test_every_result_has_a_name },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
