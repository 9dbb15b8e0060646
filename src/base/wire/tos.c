/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tos.c - DSCP and ECN of an IP packet
 */
#include "wire/tos.h"

#include <errno.h>

#include "core/bytes.h"
#include "core/csum_move.h"

#define IP4_HEAD 20
#define IP6_HEAD 40

uint8_t tos_of(const uint8_t *ip, uint32_t n)
{
	if (n >= IP4_HEAD && ip[0] >> 4 == 4)
		return ip[1];
	if (n >= IP6_HEAD && ip[0] >> 4 == 6)
		return (uint8_t)(get_be16(ip) >> 4);
	return 0;
}

void tos_set_ecn(uint8_t *ip, enum tos_ecn ecn)
{
	const unsigned bits = ECN_BITS;
	uint16_t old = get_be16(ip);
	uint16_t now;

	if (ip[0] >> 4 == 4) {
		now = (uint16_t)((old & ~bits) | (unsigned)ecn);
		put_be16(ip + 10, csum_move(get_be16(ip + 10),
					    csum_swap16(0, old, now)));
	} else {
		now = (uint16_t)((old & ~(bits << 4)) | (unsigned)ecn << 4);
	}
	put_be16(ip, now);
}

int tos_arrive(uint8_t *ip, uint32_t n, uint8_t outer)
{
	unsigned inner = tos_of(ip, n) & ECN_BITS;

	outer &= ECN_BITS;
	if (outer == ECN_CE && inner == ECN_NOT_ECT)
		return -ECONNABORTED;
	if (outer == ECN_CE && inner != ECN_CE)
		tos_set_ecn(ip, ECN_CE);
	if (outer == ECN_ECT1 && inner == ECN_ECT0)
		tos_set_ecn(ip, ECN_ECT1);
	return 0;
}
