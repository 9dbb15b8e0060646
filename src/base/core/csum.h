/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * csum - The Internet checksum (RFC 1071)
 */
#ifndef CORE_CSUM_H
#define CORE_CSUM_H

#include <stddef.h>
#include <stdint.h>

#include "core/csum_move.h"

/**
 * csum_add() - Add @len bytes to a running sum
 * @sum:	Sum so far, 0 at the start
 * @p:		Bytes, any alignment; taken as starting at an even offset
 *
 * Return: a sum to pass on or to csum_fold(); an odd @len pads with 0, so only
 * the last piece may be odd
 */
uint64_t csum_add(uint64_t sum, const void *p, size_t len);

/**
 * csum_add_end() - The same of bytes at the end of others
 * @zero:	Where those begin, if their sum is known to be 0 (modulo
 *		2^16 - 1), or NULL; then only what is in front of @p is walked
 *		over
 *
 * Return: as csum_add() modulo 2^16 - 1; if @sum is 0 the sum itself, as zeros
 * and a sum of 2^16 - 1 are not told apart otherwise
 */
uint64_t csum_add_end(uint64_t sum, const uint8_t *zero, const uint8_t *p,
		      size_t len);

#endif /* CORE_CSUM_H */
