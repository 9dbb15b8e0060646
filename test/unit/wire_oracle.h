/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_oracle - Checksums the slow way, to test the fast ones against
 *
 * Written from RFC 1071 section 1 word for word: 16-bit words, end-around carry
 * after each addition. Shares nothing with core/csum.h.
 */
#ifndef TEST_WIRE_ORACLE_H
#define TEST_WIRE_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ones' complement sum of @len bytes at @p, on top of @sum. */
static inline uint16_t oracle_sum(uint16_t sum, const uint8_t *p, size_t len)
{
	uint32_t s = sum;

	for (size_t i = 0; i < len; i++) {
		s += i % 2 == 0 ? p[i] * 256u : p[i];
		if (s > 0xffff)
			s = s - 0x10000 + 1;
	}
	return (uint16_t)s;
}

/* Sum of a TCP, UDP or ICMPv6 pseudo header of the IP header at @ip. */
static inline uint16_t oracle_pseudo(const uint8_t *ip, uint8_t proto,
				     uint32_t len)
{
	uint8_t tail[8] = { (uint8_t)(len >> 24),
			    (uint8_t)(len >> 16),
			    (uint8_t)(len >> 8),
			    (uint8_t)len,
			    0,
			    0,
			    0,
			    proto };
	uint16_t s = ip[0] >> 4 == 4 ? oracle_sum(0, ip + 12, 8)
				     : oracle_sum(0, ip + 8, 32);

	return oracle_sum(s, tail, 8);
}

/*
 * Test the IP and the upper checksum of the datagram of @len bytes at @ip, which
 * has no IP options or extension headers.
 */
static inline bool oracle_good(const uint8_t *ip, size_t len)
{
	bool v4 = ip[0] >> 4 == 4;
	size_t hlen = v4 ? 20 : 40;
	uint8_t proto = v4 ? ip[9] : ip[6];
	uint32_t left = (uint32_t)(len - hlen);

	if (v4 && oracle_sum(0, ip, 20) != 0xffff)
		return false;
	return oracle_sum(oracle_pseudo(ip, proto, left), ip + hlen, left) ==
	       0xffff;
}

#endif /* TEST_WIRE_ORACLE_H */
