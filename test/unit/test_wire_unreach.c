/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_wire_unreach.c - Unit test of build_unreachable()
 *
 * What it builds is read by the decoder, which tests lengths and checksums, and
 * held against the figures of RFC 792 and RFC 4443.
 */
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "wire/build.h"
#include "wire/decode.h"

static const uint8_t us[ETH_LEN] = { 2, 0xaa, 0, 0, 0, 1 };
static const uint8_t sut[ETH_LEN] = { 2, 0xbb, 0, 0, 0, 2 };

static enum decode_result decode(const uint8_t *p, size_t n, struct decoded *d)
{
	struct frame_info in = { .data = p,
				 .cap = (uint32_t)n,
				 .wire = (uint32_t)n,
				 .link = LINK_ETHERNET };

	return frame_decode(&in, NULL, 0, d);
}

/* @n bytes are quoted, from an address to another of IPv6 or IPv4. */
static void one(bool v6, uint32_t n)
{
	uint8_t a[16] = { 0xfd, 1 };
	uint8_t b[16] = { 0xfd, 2 };
	struct ipaddr src = v6 ? ipaddr_from6(a) : ipaddr_from4(a);
	struct ipaddr dst = v6 ? ipaddr_from6(b) : ipaddr_from4(b);
	uint8_t quote[UNREACHABLE_QUOTE];
	uint8_t f[BUILD_RAW_MAX];
	struct decoded d;
	size_t len;

	for (uint32_t i = 0; i < n; i++)
		quote[i] = (uint8_t)(i * 7 + 1);
	len = build_unreachable(f, sut, us, &src, &dst, quote, n);
	CHECK(len == 14u + (v6 ? 40u : 20u) + 8u + n && len <= BUILD_RAW_MAX);
	CHECK(decode(f, len, &d) == DECODE_ICMP);
	CHECK(memcmp(d.eth_dst, sut, ETH_LEN) == 0);
	CHECK(memcmp(d.eth_src, us, ETH_LEN) == 0);
	CHECK(ipaddr_eq(&d.seg.src, &src) && ipaddr_eq(&d.seg.dst, &dst));
	CHECK(d.seg.ttl == 64);
	CHECK(d.l4_len == 8 + n);
	CHECK(d.l4[0] == (v6 ? 1 : 3) && d.l4[1] == (v6 ? 4 : 3));
	CHECK(get_be32(d.l4 + 4) == 0);
	CHECK(memcmp(d.l4 + 8, quote, n) == 0);
	for (size_t i = 14; i < len; i++) { /* each byte is under a sum */
		struct decoded bad;

		/* IPv6 sums neither flow label nor hop limit. */
		if (v6 && (i < 18 || i == 21))
			continue;
		f[i] ^= 0x40;
		CHECK(decode(f, len, &bad) != DECODE_ICMP);
		f[i] ^= 0x40;
	}
}

static void test_ipv4(void)
{
	one(false, 28);
	one(false, 29);
	one(false, UNREACHABLE_QUOTE);
}

static void test_ipv6(void)
{
	one(true, 48);
	one(true, 49);
	one(true, UNREACHABLE_QUOTE);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "IPv4", test_ipv4 },
		{ "IPv6", test_ipv6 },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
