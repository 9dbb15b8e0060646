/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quic.c - Is a datagram one of QUIC?
 *
 * QUIC cannot be played, as TLS cannot: the SUT picks keys of its own.
 */
#include "app/quic.h"

#include "core/bytes.h"

#define PORT_HTTPS   443
#define LONG_HEADER  0x80
#define FIXED_BIT    0x40
#define LONG_LEAST   7u /* first byte, version, two lengths of 0 */
#define SHORT_LEAST  21 /* RFC 9000 section 10.3 */
#define CID_MOST     20
#define VERSION_1    1u
#define VERSION_2    0x6b3343cfu /* RFC 9369 */
#define VERSION_0    0u		 /* version negotiation */
#define DRAFT_FIRST  0xff000001u
#define DRAFT_LAST   0xff000022u
#define RESERVED     0x0a0a0a0au /* of these, RFC 9000 section 15 */
#define RESERVED_BIT 0x0f0f0f0fu

static bool is_version(uint32_t v)
{
	return v == VERSION_0 || v == VERSION_1 || v == VERSION_2 ||
	       (v >= DRAFT_FIRST && v <= DRAFT_LAST) ||
	       (v & RESERVED_BIT) == RESERVED;
}

bool quic_is(const uint8_t *p, uint32_t n, uint16_t port)
{
	uint32_t v;

	if (n < LONG_LEAST)
		return false;
	if (!(p[0] & LONG_HEADER))
		return port == PORT_HTTPS && n >= SHORT_LEAST &&
		       (p[0] & FIXED_BIT);
	v = get_be32(p + 1);
	/* The fixed bit may have any value where versions are negotiated. */
	return is_version(v) && (v == VERSION_0 || (p[0] & FIXED_BIT)) &&
	       p[5] <= CID_MOST && n >= LONG_LEAST + p[5] &&
	       p[6 + p[5]] <= CID_MOST &&
	       (v != VERSION_0 || port == PORT_HTTPS);
}
