/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outer.c - The IPv4 header in front of a packet of IPv4 (RFC 2003)
 */
#include "ipip/outer.h"

#include <assert.h>
#include <string.h>

#include "core/bytes.h"

#define IP4_DF	     0x4000
#define IP4_FRAGMENT 0x3fff /* more follow, or an offset */

/* Length of the header of an IPv4 packet; 0: there is none */
static uint32_t head_of(const uint8_t *p, uint32_t n)
{
	uint32_t head = n >= OUTER_HEADER ? (p[0] & 15u) * 4 : 0;

	return head >= OUTER_HEADER && head <= n && p[0] >> 4 == 4 ? head : 0;
}

enum outer_got outer_parse(const uint8_t *p, uint32_t n, const uint8_t **src,
			   uint32_t *inner)
{
	uint32_t head = head_of(p, n);
	uint32_t len;

	if (head == 0 || get_be16(p + 2) != n || p[9] != OUTER_PROTO ||
	    get_be16(p + 6) & IP4_FRAGMENT)
		return OUTER_BAD;
	*src = p + 12;
	if (n == head)
		return OUTER_CUT;
	p += head;
	n -= head;
	if (p[0] >> 4 != 4)
		return OUTER_NOT4;
	if (n < OUTER_HEADER)
		return OUTER_CUT;
	if (head_of(p, n) == 0)
		return OUTER_NOT4;
	len = get_be16(p + 2);
	if (len > n)
		return OUTER_CUT;
	if (len < n)
		return OUTER_LONG;
	*inner = head;
	return OUTER_PACKET;
}

void outer_emit(uint8_t *out, const uint8_t *p, uint32_t n,
		const uint8_t src[4], const uint8_t dst[4])
{
	assert(n >= OUTER_HEADER && n + OUTER_HEADER <= UINT16_MAX);
	memset(out, 0, OUTER_HEADER);
	out[0] = 0x45;
	out[1] = p[1];
	put_be16(out + 2, (uint16_t)(n + OUTER_HEADER));
	put_be16(out + 6, get_be16(p + 6) & IP4_DF);
	out[8] = OUTER_TTL;
	out[9] = OUTER_PROTO;
	memcpy(out + 12, src, 4);
	memcpy(out + 16, dst, 4);
}
