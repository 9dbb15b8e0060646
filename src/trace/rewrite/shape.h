/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shape - Where the headers of an Ethernet frame lie
 *
 * For what edits frames in place. wire/decode takes a frame apart into values;
 * here only offsets are found, and nothing is verified but that they lie
 * inside.
 */
#ifndef REWRITE_SHAPE_H
#define REWRITE_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#define SHAPE_TAGS_MAX 4 /* VLAN tags that are looked behind */
#define SHAPE_EXT_MAX  8 /* IPv6 extension headers that are looked behind */

/**
 * struct shape - What was found
 * @type:	EtherType behind all tags (below 1536: a length, IEEE 802.3)
 * @l3:		Offset of what follows it
 * @version:	4 or 6 if an IP header is there whole, else 0
 * @proto:	Protocol behind all extension headers, valid if @l4 > 0
 * @l4:		Offset of its header; 0: none was captured, or this is a
 *		fragment that is not the first
 * @fragment:	It is a fragment
 * @total:	End of the IP packet by its own header; the frame's end if the
 *		header says 0 (BIG TCP)
 * @end:	End of what of it was captured
 */
struct shape {
	uint16_t type;
	uint32_t l3;
	uint8_t version;
	uint8_t proto;
	uint32_t l4;
	bool fragment;
	uint32_t total;
	uint32_t end;
};

/**
 * shape_find() - Examine a frame. Return: 0, or -EBADMSG (no Ethernet header)
 */
int shape_find(struct shape *s, const uint8_t *p, uint32_t len);

/**
 * shape_csum_at() - Offset of the checksum of TCP, UDP, ICMP or ICMPv6
 *
 * Return: 0 if there is none in this frame
 */
uint32_t shape_csum_at(const struct shape *s, const uint8_t *p);

/**
 * shape_csum_full() - Sum the IPv4 header and the payload anew
 *
 * Return: 0; -ENODATA: the payload was not captured whole or is a fragment, its
 * checksum stays
 */
int shape_csum_full(const struct shape *s, uint8_t *p);

/**
 * shape_put() - Overwrite bytes that a checksum covers
 * @at:		Where the checksum lies, 0: none
 * @where:	Even offset from the start of what it covers
 * @bytes, @n:	New ones, an even number
 *
 * The checksum is moved by the difference (RFC 1624), so that a wrong one stays
 * wrong and a cut frame keeps a right one.
 */
void shape_put(uint8_t *p, uint32_t at, uint32_t where, const uint8_t *bytes,
	       uint32_t n);

/** shape_put_ip() - The same for an address of the IP header; both checksums */
void shape_put_ip(const struct shape *s, uint8_t *p, uint32_t where,
		  const uint8_t *ip);

/** shape_ip_src() - Offset of the source address */
static inline uint32_t shape_ip_src(const struct shape *s)
{
	return s->l3 + (s->version == 4 ? 12 : 8);
}

/** shape_ip_dst() - Offset of the destination address */
static inline uint32_t shape_ip_dst(const struct shape *s)
{
	return s->l3 + (s->version == 4 ? 16 : 24);
}

/** shape_ascending() - The source address is lower than the destination */
bool shape_ascending(const struct shape *s, const uint8_t *p);

/**
 * shape_shift() - Other addresses of the same flow in another loop
 * @up:		Add @n to the source and take it from the destination; else the
 *		other way. Both directions of a flow must be told differently.
 *
 * Only the lowest 32 bits of an address change. Checksums stay as right as they
 * were.
 */
void shape_shift(const struct shape *s, uint8_t *p, bool up, uint32_t n);

#endif /* REWRITE_SHAPE_H */
