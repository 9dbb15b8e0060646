/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * csum.c - The Internet checksum (RFC 1071)
 *
 * Theory of operation
 *
 * A ones' complement sum does not depend on the width of the words it is built
 * from, nor, but for one swap at the end, on their byte order (RFC 1071
 * section 2). The loop therefore adds 64-bit words in the machine's own order,
 * into four independent sums so that the additions overlap, each with its
 * carries counted beside it: compilers make an addition with carry of that.
 * 2^64 is 1 modulo 2^16 - 1, so a carry is added as a 1. csum_add() then folds
 * what it has to 16 bits and swaps it once into network order, so that its
 * callers add their own numbers (a length, a protocol) as they stand.
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

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/** struct wide - A sum of 64-bit words, and its carries */
struct wide {
	uint64_t sum;
	uint64_t carries;
};

static void add64(struct wide *w, const uint8_t *p)
{
	uint64_t v = load64(p);

	w->sum += v;
	w->carries += w->sum < v;
}

/* The same in fewer bits: room for 2^30 of them. */
static uint64_t narrow(const struct wide *w)
{
	return (w->sum & UINT32_MAX) + (w->sum >> 32) + w->carries;
}

/* The sum of a word in the machine's order, as the sum in network order. */
static uint16_t to_host(uint16_t sum)
{
	uint8_t b[2];

	memcpy(b, &sum, sizeof(sum));
	return get_be16(b);
}

/* Of 32 bytes and more, as far as there are 32. */
static uint64_t add_blocks(const uint8_t *at, size_t len)
{
	struct wide a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

	for (; len >= 32; len -= 32, at += 32) {
		add64(&a, at);
		add64(&b, at + 8);
		add64(&c, at + 16);
		add64(&d, at + 24);
	}
	return narrow(&a) + narrow(&b) + narrow(&c) + narrow(&d);
}

uint64_t csum_add(uint64_t sum, const void *p, size_t len)
{
	const uint8_t *at = p;
	uint8_t rest[4] = { 0 };
	uint64_t all = 0;

	if (len >= 32) {
		all = add_blocks(at, len);
		at += len / 32 * 32;
		len %= 32;
	}
	for (; len >= 4; len -= 4, at += 4)
		all += load32(at);
	if (len > 0) {
		memcpy(rest, at, len);
		all += load32(rest);
	}
	return sum + to_host(csum_fold(all));
}

uint64_t csum_add_end(uint64_t sum, const uint8_t *zero, const uint8_t *p,
		      size_t len)
{
	size_t front;

	if (!zero || sum == 0 || (p - zero) % 2 != 0)
		return csum_add(sum, p, len);
	front = (size_t)(p - zero);
	return sum + UINT16_MAX - csum_fold(csum_add(0, zero, front));
}
