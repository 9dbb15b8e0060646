/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rendezvous - Which of several servers a client gets
 *
 * Each server has a weight for each client, and the heaviest one has the
 * client: so he comes back to the same one, and a server that goes moves its
 * own clients only (rendezvous hashing, Thaler and Ravishankar, 1998). Both are
 * hashed under a key, by themselves; a weight is a mix of the two hashes, which
 * costs a few instructions a server. Programs of the kernel and of user space
 * choose alike by it.
 */
#ifndef CORE_RENDEZVOUS_H
#define CORE_RENDEZVOUS_H

#include <stdint.h>

#include "core/bytes.h"
#include "core/sip.h"

static inline uint64_t rendezvous_hash(const struct hash_key *key,
				       const uint8_t ip[16], uint64_t last)
{
	struct sip s;

	sip_begin(&s, key);
	for (uint32_t at = 0; at < 16; at += 8)
		sip_word(&s, get_be64(ip + at));
	sip_word(&s, last);
	return sip_end(&s);
}

/** rendezvous_client() - Hash of a client, by its address as of core/ipaddr.h
 */
static inline uint64_t rendezvous_client(const struct hash_key *key,
					 const uint8_t ip[16])
{
	return rendezvous_hash(key, ip, UINT64_C(16) << 56);
}

/** rendezvous_server() - Hash of a server */
static inline uint64_t rendezvous_server(const struct hash_key *key,
					 const uint8_t ip[16], uint16_t port)
{
	return rendezvous_hash(key, ip, UINT64_C(18) << 56 | port);
}

/** rendezvous_weight() - Of a server for a client, by their hashes (the mix is
 * that of core/rng.h)
 */
static inline uint64_t rendezvous_weight(uint64_t client, uint64_t server)
{
	uint64_t z = client ^ server;

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

#endif /* CORE_RENDEZVOUS_H */
