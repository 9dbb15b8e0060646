/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipaddr - An IPv4 or IPv6 address in one type
 *
 * IPv4 addresses are kept as IPv4-mapped IPv6 addresses (RFC 4291 section
 * 2.5.5.2), so that one table serves both families.
 */
#ifndef CORE_IPADDR_H
#define CORE_IPADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define IPADDR_BITS 128 /* length of a host prefix */
#define IPADDR_4IN6 96	/* bits in front of a mapped IPv4 address */

/** struct ipaddr - 16 bytes in network order; no padding, may be compared */
struct ipaddr {
	uint8_t b[16];
};

/** ipaddr_from4() - Make an address of the 4 bytes at @p (network order) */
static inline struct ipaddr ipaddr_from4(const uint8_t *p)
{
	struct ipaddr a = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff } };

	memcpy(a.b + 12, p, 4);
	return a;
}

/** ipaddr_from6() - Make an address of the 16 bytes at @p (network order) */
static inline struct ipaddr ipaddr_from6(const uint8_t *p)
{
	struct ipaddr a;

	memcpy(a.b, p, 16);
	return a;
}

/** ipaddr_is4() - Test whether @a is a mapped IPv4 address */
static inline bool ipaddr_is4(const struct ipaddr *a)
{
	static const uint8_t map[12] = { 0, 0, 0, 0, 0,	   0,
					 0, 0, 0, 0, 0xff, 0xff };

	return memcmp(a->b, map, 12) == 0;
}

/** ipaddr_eq() - Test whether two addresses are the same */
static inline bool ipaddr_eq(const struct ipaddr *a, const struct ipaddr *b)
{
	return memcmp(a->b, b->b, 16) == 0;
}

/**
 * ipaddr_in() - Test whether @a lies in a prefix
 * @a:		Address
 * @net:	Prefix; bits beyond @bits are not looked at
 * @bits:	Length of the prefix, 0 to IPADDR_BITS; an IPv4 prefix of length
 *		n is IPADDR_4IN6 + n. One that is shorter than IPADDR_4IN6 is of
 *		IPv6, and no IPv4 address lies in it
 */
static inline bool ipaddr_in(const struct ipaddr *a, const struct ipaddr *net,
			     unsigned bits)
{
	unsigned n = bits / 8;
	unsigned rest = bits % 8;

	if (bits < IPADDR_4IN6 && ipaddr_is4(a))
		return false;
	if (memcmp(a->b, net->b, n) != 0)
		return false;
	return rest == 0 || (a->b[n] ^ net->b[n]) >> (8 - rest) == 0;
}

/** ipaddr_is_host() - Test for an address of one host, of more than one link */
static inline bool ipaddr_is_host(const struct ipaddr *a)
{
	const uint8_t *b = a->b;

	if (ipaddr_is4(a)) {
		b += 12;
		return b[0] > 0 && b[0] != 127 && b[0] < 224 &&
		       !(b[0] == 169 && b[1] == 254);
	}
	return b[0] != 0 && b[0] != 0xff &&
	       !(b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}

#endif /* CORE_IPADDR_H */
