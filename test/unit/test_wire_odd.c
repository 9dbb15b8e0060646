/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_wire_odd.c - Unit test of wire: headers that end in odd places
 *
 * What test_wire_decode.c leaves: captures that stop inside of a tag, an option
 * or an extension header, jumbo headers with padding, frames that a host captured
 * before its device put the checksums in. Each frame is decoded from a copy of its
 * exact size.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "wire/build.h"
#include "wire/decode.h"
#include "wire/tcpopt.h"
#include "wire_oracle.h"

#define PAYLOAD 40u
#define LONG	(14 + 40 + 70000u) /* wire bytes of a jumbogram */

static struct decoded got;

static enum decode_result decode(const uint8_t *p, uint32_t cap, uint32_t wire,
				 struct frag_table *frags)
{
	uint8_t *copy = malloc(cap > 0 ? cap : 1);
	struct frame_info in = {
		.data = copy, .cap = cap, .wire = wire, .link = LINK_ETHERNET
	};
	enum decode_result r;

	if (copy == NULL)
		abort();
	memcpy(copy, p, cap);
	r = frame_decode(&in, frags, 0, &got);
	free(copy);
	return r;
}

static uint32_t build(uint8_t *f, bool v4, bool udp, enum build_csum csum)
{
	static const uint8_t data[PAYLOAD] = "some bytes";
	struct tcp_header h = {
		.sport = 1000, .dport = 53, .flags = TCP_ACK, .ttl = 64
	};
	size_t n;

	h.src.b[0] = h.dst.b[0] = 0x20;
	if (v4) {
		h.src = ipaddr_from4((const uint8_t[]){ 10, 0, 0, 1 });
		h.dst = ipaddr_from4((const uint8_t[]){ 10, 0, 0, 2 });
	}
	n = udp ? build_udp(f, &h, data, PAYLOAD, csum)
		: build_tcp(f, &h, data, PAYLOAD, csum);
	memcpy(f + n, data, PAYLOAD);
	return (uint32_t)n + PAYLOAD;
}

static void fix_ip4(uint8_t *f)
{
	put_be16(f + 24, 0);
	put_be16(f + 24, (uint16_t)~oracle_sum(0, f + 14, (f[14] & 15) * 4u));
}

static void a_tag_may_be_cut(void)
{
	uint8_t f[20] = { [12] = 0x81, 0, 0, 7, 8, 0 };

	for (uint32_t cap = 14; cap < 18; cap++) {
		CHECK(decode(f, cap, 60, NULL) == DECODE_TRUNCATED);
		CHECK(decode(f, cap, cap, NULL) == DECODE_BAD_LENGTH);
	}
}

/* A length in place of a type, and nothing that tells whose it is. */
static void an_empty_llc_frame_is_no_ip(void)
{
	uint8_t f[15] = { [13] = 0x26, 0x42 };

	CHECK(decode(f, 14, 60, NULL) == DECODE_NOT_IP);
	CHECK(decode(f, 15, 60, NULL) == DECODE_LINK_CONTROL);
}

/* Cooked captures have no destination address to tell a group by. */
static void a_cooked_frame_is_of_no_group(void)
{
	uint8_t f[20] = { [14] = 0x12, 0x34 };
	struct frame_info in = {
		.data = f, .cap = 20, .wire = 20, .link = LINK_SLL
	};

	CHECK(frame_decode(&in, NULL, 0, &got) == DECODE_NOT_IP);
	CHECK(!got.has_eth);
	CHECK(strcmp(decode_name(DECODE_COUNT), "?") == 0);
}

static void ip4_options_may_be_cut(void)
{
	uint8_t f[BUILD_HDR_MAX + PAYLOAD + 8];
	uint32_t n = build(f, true, false, CSUM_FULL);

	memmove(f + 42, f + 34, n - 34);
	memset(f + 34, 1, 8);
	f[14] = 0x47;
	n += 8;
	put_be16(f + 16, (uint16_t)(n - 14));
	fix_ip4(f);
	CHECK(decode(f, n, n, NULL) == DECODE_TCP);
	for (uint32_t cap = 34; cap < 42; cap++)
		CHECK(decode(f, cap, n, NULL) == DECODE_TRUNCATED);
}

static void a_fragment_with_a_bad_length_is_dropped(void)
{
	const struct hash_key key = { { 1, 2 } };
	uint8_t f[BUILD_HDR_MAX + PAYLOAD];
	uint32_t n = build(f, true, true, CSUM_FULL);
	struct frag_table *t = NULL;
	struct arena a = { .size = arena_need(frag_size(2)) };

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	if (a.base == NULL)
		abort();
	memset(a.base, 0, a.size);
	CHECK(frag_init(&t, &a, 2, &key) == 0);
	put_be16(f + 20, 0x2000); /* more, and not a multiple of 8 */
	put_be16(f + 16, (uint16_t)(n - 14 - 1));
	fix_ip4(f);
	CHECK(decode(f, n, n, t) == DECODE_FRAG_DROPPED);
	CHECK(frag_used(t, 0) == 0);
	put_be16(f + 16, (uint16_t)(n - 14));
	fix_ip4(f);
	CHECK(decode(f, n, n, t) == DECODE_FRAGMENT);
	CHECK(frag_used(t, 0) == 1);
	free(a.base);
}

/* Hop-by-hop options of a jumbogram: @opts are the 14 behind the first two. */
static enum decode_result jumbo(const uint8_t *opts, uint32_t len)
{
	uint8_t f[BUILD_HDR_MAX + PAYLOAD + 16];
	uint32_t n = build(f, false, false, CSUM_FULL);

	memmove(f + 70, f + 54, n - 54);
	f[54] = f[20];
	f[55] = 1;
	memcpy(f + 56, opts, 14);
	f[20] = 0;
	put_be16(f + 18, 0);
	for (unsigned i = 56; i + 6 <= 70; i++)
		if (f[i] == 0xc2 && f[i + 1] == 4)
			put_be32(f + i + 2, len);
	return decode(f, n + 16, LONG, NULL);
}

static void a_jumbo_option_may_be_padded(void)
{
	static const struct {
		const char *name;
		uint8_t opts[14];
		enum decode_result want;
	} rows[] = {
		{ "pad1", { 0, 0, 0, 0, 0, 0, 0, 0, 0xc2, 4 }, DECODE_TCP },
		{ "padn", { 1, 6, 9, 9, 9, 9, 9, 9, 0xc2, 4 }, DECODE_TCP },
		{ "pad behind",
		  { 0xc2, 4, 0, 0, 0, 0, 1, 5, 9, 9, 9, 9, 9, 0 },
		  DECODE_TCP },
		{ "past the header",
		  { 0xc2, 4, 0, 0, 0, 0, 1, 7, 9, 9, 9, 9, 9, 9 },
		  DECODE_BAD_HEADER },
		{ "no room for a length",
		  { 0xc2, 4, 0, 0, 0, 0, 1, 5, 9, 9, 9, 9, 9, 5 },
		  DECODE_BAD_HEADER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(jumbo(rows[i].opts, LONG - 54) == rows[i].want,
			  rows[i].name);
}

static void an_extension_header_may_be_cut(void)
{
	static const uint8_t types[] = { 60, 51 };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		uint8_t f[BUILD_HDR_MAX + PAYLOAD];
		uint32_t n = build(f, false, false, CSUM_FULL);

		f[20] = types[i];
		for (uint32_t cap = 54; cap < 56; cap++) {
			CHECK(decode(f, cap, n, NULL) == DECODE_TRUNCATED);
			CHECK(decode(f, cap, cap, NULL) == DECODE_BAD_LENGTH);
		}
	}
}

static void icmp_may_be_cut(void)
{
	uint8_t f[BUILD_HDR_MAX + PAYLOAD];
	uint32_t n = build(f, true, true, CSUM_FULL);

	f[23] = PROTO_ICMP;
	fix_ip4(f);
	for (uint32_t cap = 34; cap < 38; cap++)
		CHECK(decode(f, cap, n, NULL) == DECODE_TRUNCATED);
}

static enum decode_result decode_open(const uint8_t *f, uint32_t n, bool ok,
				      bool *open)
{
	struct frame_info in = { .data = f,
				 .cap = n,
				 .wire = n,
				 .link = LINK_ETHERNET,
				 .csum_ok = ok };

	*open = false;
	return frame_decode_open(&in, NULL, 0, &got, open);
}

static void checksums_that_a_device_will_make_are_no_fault(void)
{
	uint8_t f[BUILD_HDR_MAX + PAYLOAD];
	bool open;

	for (unsigned k = 0; k < 4; k++) {
		bool udp = (k & 1) != 0;
		bool v4 = (k & 2) != 0;
		enum decode_result want = udp ? DECODE_UDP : DECODE_TCP;
		uint32_t n = build(f, v4, udp, CSUM_FULL);

		CHECK(decode_open(f, n, false, &open) == want && !open);
		f[n - 1] ^= 1;
		CHECK(decode_open(f, n, false, &open) == DECODE_BAD_L4_CSUM);
		CHECK(!open);
		n = build(f, v4, udp, CSUM_PARTIAL);
		CHECK(decode_open(f, n, true, &open) == want && !open);
		CHECK(decode_open(f, n, false, &open) == want && open);
		CHECK(got.seg.cap == PAYLOAD);
		if (!v4)
			continue;
		put_be16(f + 24, 0);
		CHECK(decode_open(f, n, false, &open) == want && open);
		put_be16(f + 24, 1);
		CHECK(decode_open(f, n, false, &open) == DECODE_BAD_IP_CSUM);
		CHECK(!open);
		put_be16(f + 24, 0);
		f[23] = 47; /* taken as good, and none of ours */
		CHECK(decode_open(f, n, false, &open) == DECODE_IP_OTHER);
		CHECK(!open);
	}
}

/* A segment that a device was to cut has no length yet, and perhaps a sum that
 * leaves it out; a frame that may be padded, a fragment and a datagram have one.
 */
static void a_length_that_a_device_will_make_is_no_fault(void)
{
	uint8_t f[BUILD_HDR_MAX + PAYLOAD];
	bool open;

	for (unsigned v4 = 0; v4 < 2; v4++) {
		uint32_t n = build(f, v4 != 0, false, CSUM_FULL);
		uint32_t at = v4 ? 16 : 18;
		uint32_t sum = v4 ? 50 : 70;

		put_be16(f + at, 0);
		if (v4)
			fix_ip4(f);
		CHECK(decode(f, n, n, NULL) == DECODE_BAD_LENGTH);
		CHECK(got.no_length);
		CHECK(decode_open(f, n, false, &open) == DECODE_TCP && open);
		CHECK(got.seg.len == PAYLOAD && got.seg.cap == PAYLOAD);
		/* The pseudo header's sum is that with a length, less it. */
		build(f, v4 != 0, false, CSUM_PARTIAL);
		put_be16(f + at, 0);
		if (v4)
			fix_ip4(f);
		CHECK(decode_open(f, n, false, &open) == DECODE_TCP && open);
		put_be16(f + sum, (uint16_t)(get_be16(f + sum) - 20 - PAYLOAD));
		CHECK(decode_open(f, n, false, &open) == DECODE_TCP && open);
		f[sum] ^= 1;
		CHECK(decode_open(f, n, false, &open) == DECODE_BAD_L4_CSUM);
		CHECK(!open);
		/* What a link pads. */
		CHECK(decode_open(f, 60, true, &open) == DECODE_BAD_LENGTH);
		if (v4) {
			f[20] = 0x20;
			fix_ip4(f);
		} else {
			f[20] = PROTO_UDP;
		}
		CHECK(decode_open(f, n, true, &open) == DECODE_BAD_LENGTH);
	}
}

/* Where no sum is to be believed none is tested; lengths are. */
static void a_trusted_frame_has_any_sum(void)
{
	for (unsigned k = 0; k < 4; k++) {
		bool udp = (k & 1) != 0;
		bool v4 = (k & 2) != 0;
		uint8_t f[BUILD_HDR_MAX + PAYLOAD];
		uint32_t n = build(f, v4, udp, CSUM_FULL);
		struct frame_info in = {
			.data = f, .cap = n, .wire = n, .link = LINK_ETHERNET
		};

		CHECK(frame_sum(&in) == FRAME_SUM_RIGHT);
		f[n - 1] ^= 1;
		CHECK(frame_sum(&in) == FRAME_SUM_WRONG);
		in.trusted = true;
		CHECK(frame_decode(&in, NULL, 0, &got) ==
		      (udp ? DECODE_UDP : DECODE_TCP));
		if (v4)
			f[24] ^= 1;
		CHECK(frame_decode(&in, NULL, 0, &got) ==
		      (udp ? DECODE_UDP : DECODE_TCP));
		f[v4 ? 16 : 18] ^= 0x40;
		CHECK(frame_decode(&in, NULL, 0, &got) == DECODE_BAD_LENGTH);
		f[v4 ? 16 : 18] ^= 0x40;
		in.trusted = false;
		in.wire++; /* not whole: nothing to test, unless IPv4's is wrong */
		CHECK(frame_sum(&in) == FRAME_SUM_NONE);
	}
}

/* Without a checksum IPv6 has no datagram, unless the host will make it. */
static void ip6_datagrams_have_a_checksum(void)
{
	uint8_t f[BUILD_HDR_MAX + PAYLOAD];
	uint32_t n = build(f, false, true, CSUM_FULL);
	bool open;

	put_be16(f + 60, 0);
	CHECK(decode_open(f, n, false, &open) == DECODE_BAD_L4_CSUM);
	CHECK(decode_open(f, n, true, &open) == DECODE_UDP && !open);
}

/* Only an option of 8 bytes holds an Ethernet address. */
static void a_link_address_of_another_length_is_none(void)
{
	uint8_t nd[24 + 16 + 8] = { 135, [8] = 0x20, [24] = 1, 2 };
	struct nd_packet p;

	CHECK(nd_parse(nd, 40, &p) == 0 && !p.has_lladdr);
	nd[40] = 1;
	nd[41] = 1;
	nd[42] = 0x77;
	CHECK(nd_parse(nd, 48, &p) == 0 && p.has_lladdr);
	CHECK(p.lladdr[0] == 0x77);
}

static void sack_blocks_are_whole(void)
{
	uint8_t o[TCP_OPT_MAX] = { 5, 2 };
	struct tcp_opts opts;

	for (unsigned len = 2; len <= sizeof(o); len++) {
		bool whole = len > 2 && (len - 2) % 8 == 0;

		o[1] = (uint8_t)len;
		CHECK(tcp_parse_options(o, len, &opts) == 0);
		CHECK(opts.sacks == (whole ? (len - 2) / 8 : 0));
	}
}

/* Sizes do not wrap, and the search for them ends. */
static void a_table_beyond_all_memory_is_large(void)
{
	CHECK(frag_size(UINT32_MAX) > frag_size(1u << 31));
	CHECK(frag_size(1u << 31) > (size_t)1 << 40);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a tag may be cut", a_tag_may_be_cut },
		{ "an empty LLC frame is no IP", an_empty_llc_frame_is_no_ip },
		{ "a cooked frame is of no group",
		  a_cooked_frame_is_of_no_group },
		{ "IPv4 options may be cut", ip4_options_may_be_cut },
		{ "a fragment with a bad length is dropped",
		  a_fragment_with_a_bad_length_is_dropped },
		{ "a jumbo option may be padded",
		  a_jumbo_option_may_be_padded },
		{ "an extension header may be cut",
		  an_extension_header_may_be_cut },
		{ "ICMP may be cut", icmp_may_be_cut },
		{ "checksums that a device will make are no fault",
		  checksums_that_a_device_will_make_are_no_fault },
		{ "a length that a device will make is no fault",
		  a_length_that_a_device_will_make_is_no_fault },
		{ "a trusted frame has any sum", a_trusted_frame_has_any_sum },
		{ "IPv6 datagrams have a checksum",
		  ip6_datagrams_have_a_checksum },
		{ "a link address of another length is none",
		  a_link_address_of_another_length_is_none },
		{ "SACK blocks are whole", sack_blocks_are_whole },
		{ "a table beyond all memory is large",
		  a_table_beyond_all_memory_is_large },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
