/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outer - The IPv4 header in front of a packet of IPv4 (RFC 2003)
 */
#ifndef IPIP_OUTER_H
#define IPIP_OUTER_H

#include <stdint.h>

#define OUTER_HEADER 20u /* of those that we write: no options */
#define OUTER_TTL    64
#define OUTER_PROTO  4 /* IP in IP */

/** enum outer_got - What a packet of protocol 4 was */
enum outer_got {
	OUTER_PACKET,
	OUTER_BAD,  /* its own header is none, or it is a fragment */
	OUTER_CUT,  /* the inner packet says that it is longer than it is */
	OUTER_LONG, /* there are bytes behind it */
	OUTER_NOT4, /* what is in it is no IPv4 */
};

/**
 * outer_parse() - Take the header off
 * @p, @n:	A packet of IPv4, from its header on
 * @src:	Set to its source, if it has a header: 4 bytes within @p
 * @inner:	Set to where the inner packet begins, 20 to 60
 *
 * The inner packet is @n - @inner bytes, and its own length says so.
 *
 * Return: what it was; @inner is set for OUTER_PACKET only, @src for all but
 * OUTER_BAD
 */
enum outer_got outer_parse(const uint8_t *p, uint32_t n, const uint8_t **src,
			   uint32_t *inner);

/**
 * outer_emit() - Write the header
 * @out:	OUTER_HEADER bytes in front of the packet
 * @p, @n:	The packet, at least 20 bytes of IPv4
 * @src, @dst:	4 bytes each; @src all zero: the kernel fills it in
 *
 * DF is the packet's (RFC 2003 section 3.1), TOS with both bits of ECN, too
 * (RFC 6040 section 4.1, the normal mode). Identification and checksum are left
 * to the kernel (0), as raw(7) has it for IP_HDRINCL.
 */
void outer_emit(uint8_t *out, const uint8_t *p, uint32_t n,
		const uint8_t src[4], const uint8_t dst[4]);

#endif /* IPIP_OUTER_H */
