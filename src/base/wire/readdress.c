/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * readdress.c - Another address in a frame
 */
#include "wire/readdress.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum_move.h"
#include "wire/segment.h"

#define IP4_HLEN   20u
#define IP6_HLEN   40u
#define IP4_OFFSET 0x1fffu /* of the field with the fragment's offset */
#define TCP_CSUM   16u
#define UDP_CSUM   6u

/* Put @len bytes at @new in the place of those at @old, in a checksum. Both
 * begin at an even offset of what is summed.
 */
static void adapt(uint8_t *csum, const uint8_t *old, const uint8_t *new,
		  uint32_t len)
{
	put_be16(csum, csum_move(get_be16(csum), csum_swap(0, old, new, len)));
}

/* The same of TCP or UDP: 0 would mean there is none, and has a twin (RFC 768).
 * Both are the same number.
 */
static void adapt_l4(uint8_t *csum, const uint8_t *old, const uint8_t *new,
		     uint32_t len)
{
	adapt(csum, old, new, len);
	if (get_be16(csum) == 0)
		put_be16(csum, 0xffff);
}

/* The checksum of the TCP or UDP header at @off, NULL: there is none. */
static uint8_t *l4_csum(uint8_t *frame, uint32_t cap, uint32_t off,
			uint8_t proto)
{
	uint32_t at = off + (proto == PROTO_TCP ? TCP_CSUM : UDP_CSUM);

	if ((proto != PROTO_TCP && proto != PROTO_UDP) || cap < 2 ||
	    at > cap - 2)
		return NULL;
	/* 0: the sender of the datagram has made none (RFC 768). */
	if (proto == PROTO_UDP && get_be16(frame + at) == 0)
		return NULL;
	return frame + at;
}

static int readdress4(uint8_t *frame, uint32_t cap, uint32_t l3, bool src,
		      const uint8_t *ip)
{
	uint8_t *h = frame + l3;
	uint8_t *at = h + (src ? 12 : 16);
	uint32_t hlen = (h[0] & 0x0fu) * 4u;
	uint8_t *csum = NULL;

	if (hlen < IP4_HLEN)
		return -EBADMSG;
	if (!(get_be16(h + 6) & IP4_OFFSET))
		csum = l4_csum(frame, cap, l3 + hlen, h[9]);
	if (csum)
		adapt_l4(csum, at, ip, 4);
	adapt(h + 10, at, ip, 4);
	memcpy(at, ip, 4);
	return 0;
}

int readdress(uint8_t *frame, uint32_t cap, uint32_t l3, bool src,
	      const struct ipaddr *ip)
{
	bool four = ipaddr_is4(ip);
	uint32_t need = four ? IP4_HLEN : IP6_HLEN;
	uint8_t *h = frame + l3;
	uint8_t *csum;
	uint8_t *at;

	if (l3 > cap || cap - l3 < need || h[0] >> 4 != (four ? 4 : 6))
		return -EBADMSG;
	if (four)
		return readdress4(frame, cap, l3, src, ip->b + 12);
	at = h + (src ? 8 : 24);
	csum = l4_csum(frame, cap, l3 + IP6_HLEN, h[6]);
	if (csum)
		adapt_l4(csum, at, ip->b, 16);
	memcpy(at, ip->b, 16);
	return 0;
}
