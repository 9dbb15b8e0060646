/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pseudo - The pseudo header that TCP, UDP and ICMPv6 checksums begin with
 */
#ifndef WIRE_PSEUDO_H
#define WIRE_PSEUDO_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/bytes.h"
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
 * The layout is that of IPv6 for both: a length of 32 bits has the same sum as
 * one of 16 where both can hold it, and BIG TCP needs the longer one.
 *
 * Return: a running sum for csum_add()
 */
static inline uint64_t pseudo_sum(bool v4, const struct ipaddr *src,
				  const struct ipaddr *dst, uint8_t proto,
				  uint32_t len)
{
	uint8_t p[40];
	size_t n = v4 ? 4 : 16;

	memcpy(p, src->b + 16 - n, n);
	memcpy(p + n, dst->b + 16 - n, n);
	put_be32(p + 2 * n, len);
	put_be32(p + 2 * n + 4, proto);
	return csum_add(0, p, 2 * n + 8);
}

#endif /* WIRE_PSEUDO_H */
