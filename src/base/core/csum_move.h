/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * csum_move - An Internet checksum moved by the difference (RFC 1624)
 *
 * Where some bytes of what is summed change, the checksum need not be made
 * anew: a right one stays right, and a wrong one wrong by as much as before.
 * Programs for the kernel include this, too.
 */
#ifndef CORE_CSUM_MOVE_H
#define CORE_CSUM_MOVE_H

#include <stdint.h>

#include "core/bytes.h"

/** csum_fold() - Finish a sum: ones' complement, not inverted, in host order */
static inline uint16_t csum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & UINT32_MAX);
	sum = (sum >> 32) + (sum & UINT32_MAX);
	sum = (sum >> 16) + (sum & UINT16_MAX);
	return (uint16_t)((sum >> 16) + (sum & UINT16_MAX));
}

/**
 * csum_swap16() - Add to @diff what a sum gains when the word @old becomes @now
 */
static inline uint64_t csum_swap16(uint64_t diff, uint16_t old, uint16_t now)
{
	return diff + (uint16_t)~old + now;
}

/** csum_swap32() - The same of two words, that @old and @now are made of */
static inline uint64_t csum_swap32(uint64_t diff, uint32_t old, uint32_t now)
{
	diff = csum_swap16(diff, (uint16_t)(old >> 16), (uint16_t)(now >> 16));
	return csum_swap16(diff, (uint16_t)old, (uint16_t)now);
}

/**
 * csum_swap() - The same of bytes
 * @diff:	Sum of differences so far, 0 at the start
 * @old, @now:	@n bytes each, from an even offset of what is summed on
 * @n:		An even number
 */
static inline uint64_t csum_swap(uint64_t diff, const uint8_t *old,
				 const uint8_t *now, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += 2)
		diff = csum_swap16(diff, get_be16(old + i), get_be16(now + i));
	return diff;
}

/** csum_move() - The checksum that @csum becomes (RFC 1624 equation 3) */
static inline uint16_t csum_move(uint16_t csum, uint64_t diff)
{
	return (uint16_t)~csum_fold((uint64_t)(uint16_t)~csum + diff);
}

#endif /* CORE_CSUM_MOVE_H */
