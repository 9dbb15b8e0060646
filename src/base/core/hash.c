/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.c - SipHash-1-3
 *
 * Aumasson and Bernstein, "SipHash: a fast short-input PRF", section 2, with
 * one round per word and three at the end: chains of a table are no place for a
 * forger's patience, and the hash is on the path of every packet.
 */
#include "core/hash.h"

#include "core/bytes.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	s->v0 ^= m;
}

uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t len)
{
	struct sip s = {
		.v0 = key->k[0] ^ UINT64_C(0x736f6d6570736575),
		.v1 = key->k[1] ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key->k[0] ^ UINT64_C(0x6c7967656e657261),
		.v3 = key->k[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t last = (uint64_t)len << 56;
	const uint8_t *at = p;

	for (; len >= 8; len -= 8, at += 8)
		sip_word(&s, (uint64_t)get_le32(at + 4) << 32 | get_le32(at));
	for (size_t i = 0; i < len; i++)
		last |= (uint64_t)at[i] << 8 * i;
	sip_word(&s, last);

	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
