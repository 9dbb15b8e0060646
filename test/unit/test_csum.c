/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_csum.c - Unit test of the Internet checksum
 *
 * The oracle adds 16-bit words one by one, as RFC 1071 section 4.1 does.
 */
#include "core/csum.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/rng.h"

static uint16_t naive(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

static void test_rfc1071_example(void)
{
	/* RFC 1071 section 3 */
	static const uint8_t in[] = { 0x00, 0x01, 0xf2, 0x03,
				      0xf4, 0xf5, 0xf6, 0xf7 };

	CHECK(csum_fold(csum_add(0, in, sizeof(in))) == 0xddf2);
	CHECK(csum_fold(csum_add(0, in, 3)) == 0xf201);
	CHECK(csum_fold(csum_add(0, in, 0)) == 0);
}

static void test_ipv4_header(void)
{
	static const uint8_t in[] = { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40,
				      0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8,
				      0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7 };

	CHECK(csum_fold(csum_add(0, in, sizeof(in))) == 0xffff);
}

static void test_random_against_naive(void)
{
	struct rng r = { 1071 };

	for (size_t len = 0; len < 400; len++) {
		size_t shift = rng_below(&r, 4);
		uint32_t start = rng_below(&r, 0x10000);
		uint8_t *p = malloc(len + shift);

		for (size_t i = 0; i < len; i++)
			p[shift + i] = (uint8_t)rng_next(&r);
		CHECK(csum_fold(csum_add(start, p + shift, len)) ==
		      naive(start, p + shift, len));
		free(p);
	}
}

static void test_pieces_sum_to_the_whole(void)
{
	struct rng r = { 3 };
	uint8_t in[513];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)rng_next(&r);
	for (size_t cut = 0; cut < sizeof(in); cut += 2)
		CHECK(csum_fold(csum_add(csum_add(0, in, cut), in + cut,
					 sizeof(in) - cut)) ==
		      naive(0, in, sizeof(in)));
}

/* Of bytes whose sum is made 0, an end's sum is found from what is in front. */
static void test_end_of_what_sums_to_zero(void)
{
	struct rng r = { 15 };
	uint8_t p[300];

	for (size_t i = 0; i < 2000; i++) {
		size_t n = 2 + rng_below(&r, sizeof(p) - 1);
		size_t at = rng_below(&r, (uint32_t)n);
		uint32_t start = i % 3 == 0 ? 0 : 1 + rng_below(&r, 0xffff);
		uint16_t want;

		if (n > sizeof(p))
			n = sizeof(p);
		for (size_t k = 0; k < n; k++)
			p[k] = i % 7 == 0 ? 0 : (uint8_t)rng_next(&r);
		p[0] = p[1] = 0;
		put_be16(p, (uint16_t)~csum_fold(csum_add(0, p, n)));
		want = naive(start, p + at, n - at);
		CHECK(csum_fold(csum_add_end(start, p, p + at, n - at)) ==
		      want);
		CHECK(csum_fold(csum_add_end(start, NULL, p + at, n - at)) ==
		      want);
	}
}

static void test_carries_of_long_input(void)
{
	const size_t len = 1u << 20;
	uint8_t *p = malloc(len);

	memset(p, 0xff, len);
	CHECK(csum_fold(csum_add(0, p, len)) == 0xffff);
	CHECK(csum_fold(csum_add(1, p, len)) == naive(1, p, len));
	free(p);
}

static void test_fold_of_any_sum(void)
{
	CHECK(csum_fold(UINT64_MAX) == 0xffff);
	CHECK(csum_fold(UINT64_C(0xffff0001)) == 1);
	CHECK(csum_fold(UINT64_C(0x1ffffffff)) == 1);
	CHECK(csum_fold(UINT64_C(0xffffffff00000001)) == 1);
	CHECK(csum_fold(UINT64_C(0x800000008000ffff)) == 1);
	CHECK(csum_fold(0x10000) == 1);
}

static const struct check_test tests[] = {
	{ "example of RFC 1071", test_rfc1071_example },
	{ "IPv4 header", test_ipv4_header },
	{ "random against naive", test_random_against_naive },
	{ "pieces sum to the whole", test_pieces_sum_to_the_whole },
	{ "end of what sums to zero", test_end_of_what_sums_to_zero },
	{ "carries of long input", test_carries_of_long_input },
	{ "fold of any sum", test_fold_of_any_sum },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
