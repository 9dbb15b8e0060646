/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pseudo - The pseudo header that TCP, UDP and ICMPv6 checksums begin with
 */
#ifndef WIRE_PSEUDO_H
#define WIRE_PSEUDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/csum.h"
#include "core/ipaddr.h"

/**
 * pseudo_sum() - Sum of the pseudo header (RFC 9293 section 3.1, RFC 8200
 * section 8.1)
 * @v4:		The addresses are IPv4
 * @src, @dst:	Addresses
 * @proto:	PROTO_ number
 * @len:	Bytes of the upper layer, header and payload
 *
 * A length of more than 16 bits is added as the two words that it is: BIG TCP
 * needs that, and no other sum is changed by it.
 *
 * Return: a running sum for csum_add()
 */
static inline uint64_t pseudo_sum(bool v4, const struct ipaddr *src,
				  const struct ipaddr *dst, uint8_t proto,
				  uint32_t len)
{
	size_t n = v4 ? 4 : 16;
	uint64_t sum = csum_add(0, src->b + 16 - n, n);

	sum = csum_add(sum, dst->b + 16 - n, n);
	return sum + proto + (len >> 16) + (len & 0xffff);
}

#endif /* WIRE_PSEUDO_H */
