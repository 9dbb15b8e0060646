/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seq - Order 32-bit numbers that wrap
 *
 * Serial number arithmetic of RFC 1982 with SERIAL_BITS = 32. Serves sequence
 * numbers and timestamps alike; all in host order.
 */
#ifndef CORE_SEQ_H
#define CORE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* Two numbers exactly this far apart have no order (RFC 1982 section 3.2). */
#define SEQ_HALF 0x80000000u

/**
 * seq_lt() - Test whether @a comes before @b
 * @a, @b:	Numbers to compare
 *
 * For a pair SEQ_HALF apart this is false both ways round. The usual
 * (int32_t)(a - b) < 0 is true both ways round.
 *
 * Return: true if 0 < (@b - @a) mod 2^32 < 2^31 (RFC 1982 section 3.2)
 */
static inline bool seq_lt(uint32_t a, uint32_t b)
{
	return a != b && b - a < SEQ_HALF;
}

/** seq_le() - Test whether @a comes before @b or equals it; see seq_lt() */
static inline bool seq_le(uint32_t a, uint32_t b)
{
	return b - a < SEQ_HALF;
}

/**
 * seq_in() - Test whether @seq lies in the half-open interval [@lo, @hi)
 * @seq:	Number to place
 * @lo:		First number of the interval
 * @hi:		First number after it; @hi == @lo makes the interval empty
 *
 * Right for any length up to 2^32 - 1, where seq_le() and seq_lt() together
 * would fail beyond SEQ_HALF.
 *
 * Return: true if @seq is inside
 */
static inline bool seq_in(uint32_t seq, uint32_t lo, uint32_t hi)
{
	return seq - lo < hi - lo;
}

#endif /* CORE_SEQ_H */
