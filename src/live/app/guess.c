/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guess.c - Which protocol a connection speaks
 */
#include "app/framer.h"

#define DNS_PORT   53
#define REDIS_PORT 6379 /* a command may be a line there */

const struct framer_ops *framer_guess(uint16_t port, const uint8_t *p,
				      uint32_t n)
{
	if (port == DNS_PORT)
		return &framer_dns_tcp;
	if (port == REDIS_PORT || framer_redis.begins(p, n))
		return &framer_redis;
	if (framer_http1.begins(p, n))
		return &framer_http1;
	return &framer_quiet;
}

/* A TLSPlaintext record with a ClientHello (RFC 8446 sections 4 and 5.1): type
 * 22, version 3.0 to 3.4, a length of 4 to 2^14, handshake type 1.
 */
int framer_is_tls(const uint8_t *p, uint32_t n)
{
	if (n > 0 && p[0] != 22)
		return 0;
	if (n > 1 && p[1] != 3)
		return 0;
	if (n > 2 && p[2] > 4)
		return 0;
	if (n > 3 && p[3] > 0x40)
		return 0;
	if (n > 4 && (p[3] << 8 | p[4]) < 4)
		return 0;
	if (n > 4 && (p[3] << 8 | p[4]) > 0x4000)
		return 0;
	if (n > 5 && p[5] != 1)
		return 0;
	return n > 5 ? 1 : -1;
}
