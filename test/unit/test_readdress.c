/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_readdress.c - Unit test of wire/readdress.h
 *
 * Frames are built, given other addresses, and judged by frame_decode() with all
 * checksums tested; copies have their exact size.
 */
#include "wire/readdress.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/rng.h"
#include "wire/build.h"
#include "wire/decode.h"

#define PAYLOAD 333

static struct rng rng;

static struct ipaddr any_ip(bool four)
{
	struct ipaddr ip;
	uint8_t b[16];

	for (int i = 0; i < 16; i++)
		b[i] = (uint8_t)rng_below(&rng, 256);
	ip = four ? ipaddr_from4(b) : ipaddr_from6(b);
	return ip;
}

/* A frame of @len bytes in a block of its own. */
static uint8_t *frame_of(bool four, bool udp, struct ipaddr *src,
			 struct ipaddr *dst, uint32_t *len)
{
	static uint8_t payload[PAYLOAD];
	uint8_t hdr[BUILD_HDR_MAX];
	uint32_t n = rng_below(&rng, PAYLOAD);
	struct tcp_header h = { .sport = 1234,
				.dport = 80,
				.ttl = 64,
				.flags = TCP_ACK,
				.win = 500 };
	size_t hlen;
	uint8_t *f;

	for (uint32_t i = 0; i < n; i++)
		payload[i] = (uint8_t)rng_below(&rng, 256);
	h.src = *src = any_ip(four);
	h.dst = *dst = any_ip(four);
	hlen = udp ? build_udp(hdr, &h, payload, n, CSUM_FULL)
		   : build_tcp(hdr, &h, payload, n, CSUM_FULL);
	f = malloc(hlen + n);
	memcpy(f, hdr, hlen);
	memcpy(f + hlen, payload, n);
	*len = (uint32_t)hlen + n;
	return f;
}

static enum decode_result decode(const uint8_t *f, uint32_t len,
				 struct decoded *d)
{
	struct frame_info in = {
		.data = f, .cap = len, .wire = len, .link = LINK_ETHERNET
	};

	return frame_decode(&in, NULL, 0, d);
}

static void checksums_stay_right(void)
{
	for (int i = 0; i < 20000; i++) {
		bool four = (i & 1) != 0;
		bool udp = (i & 2) != 0;
		bool src = (i & 4) != 0;
		struct ipaddr s, d, other = any_ip(four);
		struct decoded got;
		uint32_t len;
		uint8_t *f = frame_of(four, udp, &s, &d, &len);

		CHECK(decode(f, len, &got) == (udp ? DECODE_UDP : DECODE_TCP));
		CHECK(readdress(f, len, got.l3, src, &other) == 0);
		CHECK(decode(f, len, &got) == (udp ? DECODE_UDP : DECODE_TCP));
		CHECK(ipaddr_eq(&got.seg.src, src ? &other : &s));
		CHECK(ipaddr_eq(&got.seg.dst, src ? &d : &other));
		free(f);
	}
}

static void wrong_ones_stay_wrong(void)
{
	for (int i = 0; i < 2000; i++) {
		bool four = (i & 1) != 0;
		struct ipaddr s, d, other = any_ip(four);
		struct decoded got;
		uint32_t len;
		uint8_t *f = frame_of(four, (i & 2) != 0, &s, &d, &len);

		CHECK(decode(f, len, &got) <= DECODE_UDP);
		f[got.l3 + (four ? 20 : 40) + 1] ^= 0x40; /* source port */
		CHECK(readdress(f, len, got.l3, (i & 4) != 0, &other) == 0);
		CHECK(decode(f, len, &got) == DECODE_BAD_L4_CSUM);
		free(f);
	}
}

static void what_was_cut_is_not_touched_behind_its_end(void)
{
	for (int i = 0; i < 8; i++) {
		bool four = (i & 1) != 0;
		struct ipaddr s, d, other = any_ip(four);
		uint32_t len;
		uint8_t *f = frame_of(four, (i & 2) != 0, &s, &d, &len);
		uint32_t head = 14 + (four ? 20 : 40);

		for (uint32_t cap = 0; cap < head + 20 && cap <= len; cap++) {
			uint8_t *cut = malloc(cap > 0 ? cap : 1);
			int rc;

			memcpy(cut, f, cap);
			rc = readdress(cut, cap, 14, (i & 4) != 0, &other);
			CHECK((rc == 0) == (cap >= head));
			CHECK(rc == 0 || memcmp(cut, f, cap) == 0);
			free(cut);
		}
		CHECK(readdress(f, len, len + 1, true, &other) != 0);
		CHECK(readdress(f, len, len, true, &other) != 0);
		free(f);
	}
}

static void another_version_is_refused(void)
{
	for (int i = 0; i < 2; i++) {
		struct ipaddr s, d, other = any_ip(i == 0);
		uint32_t len;
		uint8_t *f = frame_of(i == 1, false, &s, &d, &len);

		CHECK(readdress(f, len, 14, true, &other) != 0);
		free(f);
	}
}

static void a_later_fragment_has_no_ports(void)
{
	struct ipaddr s, d, other = any_ip(true);
	uint8_t before[8];
	uint32_t len;
	uint8_t *f;

	do {
		f = frame_of(true, true, &s, &d, &len);
		if (len >= 14 + 20 + 8)
			break;
		free(f);
	} while (true);
	put_be16(f + 14 + 6, 100); /* offset */
	memcpy(before, f + 14 + 20, 8);
	CHECK(readdress(f, len, 14, true, &other) == 0);
	CHECK(memcmp(before, f + 14 + 20, 8) == 0);
	free(f);
}

static void a_header_that_is_too_short_is_refused(void)
{
	struct ipaddr s, d, other = any_ip(true);
	uint32_t len;
	uint8_t *f = frame_of(true, true, &s, &d, &len);
	uint8_t *was = malloc(len);

	f[14] = 0x44;
	memcpy(was, f, len);
	CHECK(readdress(f, len, 14, true, &other) != 0);
	CHECK(memcmp(was, f, len) == 0);
	free(was);
	free(f);
}

static void what_has_no_checksum_gets_none(void)
{
	for (int i = 0; i < 4; i++) {
		bool four = (i & 1) != 0;
		struct ipaddr s, d, other = any_ip(four);
		uint32_t len;
		uint8_t *f = frame_of(four, true, &s, &d, &len);
		uint32_t l4 = 14 + (four ? 20 : 40);
		uint8_t before[8];

		if ((i & 2) != 0)
			f[four ? 23 : 20] = 47; /* none that is known */
		else
			put_be16(f + l4 + 6, 0);
		memcpy(before, f + l4, 8);
		CHECK(readdress(f, len, 14, false, &other) == 0);
		CHECK(memcmp(before, f + l4, 8) == 0);
		free(f);
	}
}

/* One of 65536 addresses makes a sum of 0, which would mean that there is none. */
static void a_sum_of_zero_is_sent_as_ones(void)
{
	struct ipaddr s, d;
	uint32_t len;
	uint8_t *f = frame_of(true, true, &s, &d, &len);
	unsigned ones = 0;

	for (unsigned i = 0; i < 65536; i++) {
		struct decoded got;

		put_be16(s.b + 14, (uint16_t)i);
		CHECK(readdress(f, len, 14, true, &s) == 0);
		CHECK(get_be16(f + 40) != 0);
		ones += get_be16(f + 40) == 0xffff;
		if (i % 4096 == 0 || get_be16(f + 40) == 0xffff)
			CHECK(decode(f, len, &got) == DECODE_UDP);
	}
	CHECK(ones > 0);
	free(f);
}

static const struct check_test tests[] = {
	{ "checksums stay right", checksums_stay_right },
	{ "wrong ones stay wrong", wrong_ones_stay_wrong },
	{ "what was cut is not touched behind its end",
	  what_was_cut_is_not_touched_behind_its_end },
	{ "another version is refused", another_version_is_refused },
	{ "a later fragment has no ports", a_later_fragment_has_no_ports },
	{ "a header that is too short is refused",
	  a_header_that_is_too_short_is_refused },
	{ "what has no checksum gets none", what_has_no_checksum_gets_none },
	{ "a sum of zero is sent as ones", a_sum_of_zero_is_sent_as_ones },
};

int main(void)
{
	rng.s = 11;
	return check_main(tests, ARRAY_SIZE(tests));
}
