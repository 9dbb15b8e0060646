/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * csum.c - The Internet checksum (RFC 1071)
 *
 * Theory of operation
 *
 * A ones' complement sum does not depend on the width of the words it is built
 * from, nor, but for one swap at the end, on their byte order (RFC 1071 section
 * 2). The loop therefore adds 32-bit words in the machine's own order into a
 * 64-bit accumulator, four independent ones so that the additions overlap, and
 * has no carry to look after: 2^32 words fit. csum_add() then folds what it has
 * to 16 bits and swaps it once into network order, so that its callers add
 * their own numbers (a length, a protocol) as they stand.
 */
#include "core/csum.h"

#include <string.h>

#include "core/bytes.h"

static uint64_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The sum of a word in the machine's order, as the sum in network order. */
static uint16_t to_host(uint16_t sum)
{
	uint8_t b[2];

	memcpy(b, &sum, sizeof(sum));
	return get_be16(b);
}

uint64_t csum_add(uint64_t sum, const void *p, size_t len)
{
	uint64_t a = 0, b = 0, c = 0, d = 0;
	const uint8_t *at = p;
	uint8_t rest[4] = { 0 };

	for (; len >= 16; len -= 16, at += 16) {
		a += load32(at);
		b += load32(at + 4);
		c += load32(at + 8);
		d += load32(at + 12);
	}
	for (; len >= 4; len -= 4, at += 4)
		a += load32(at);
	if (len > 0) {
		memcpy(rest, at, len);
		b += load32(rest);
	}
	return sum + to_host(csum_fold(a + b + c + d));
}
