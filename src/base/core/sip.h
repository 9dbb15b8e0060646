/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sip - SipHash-1-3, word by word
 *
 * Aumasson and Bernstein, "SipHash: a fast short-input PRF", section 2, with
 * one round per word and three at the end: chains of a table are no place for a
 * forger's patience, and the hash is on the path of every packet. For programs
 * of the kernel, too; hash.h is for everybody else.
 */
#ifndef CORE_SIP_H
#define CORE_SIP_H

#include <stdint.h>

/** struct hash_key - Secret of one run; written into the journal's header */
struct hash_key {
	uint64_t k[2];
};

/** struct sip - State between two words */
struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t sip_rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = sip_rotl(s->v1, 13) ^ s->v0;
	s->v3 = sip_rotl(s->v3, 16) ^ s->v2;
	s->v0 = sip_rotl(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = sip_rotl(s->v1, 17) ^ s->v2;
	s->v3 = sip_rotl(s->v3, 21) ^ s->v0;
	s->v2 = sip_rotl(s->v2, 32);
}

/** sip_begin() - Begin under a key */
static inline void sip_begin(struct sip *s, const struct hash_key *key)
{
	s->v0 = key->k[0] ^ UINT64_C(0x736f6d6570736575);
	s->v1 = key->k[1] ^ UINT64_C(0x646f72616e646f6d);
	s->v2 = key->k[0] ^ UINT64_C(0x6c7967656e657261);
	s->v3 = key->k[1] ^ UINT64_C(0x7465646279746573);
}

/** sip_word() - The next 8 bytes, the first one lowest; the last word has the
 * length in its highest byte
 */
static inline void sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	s->v0 ^= m;
}

/** sip_end() - Return: the hash */
static inline uint64_t sip_end(struct sip *s)
{
	s->v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif /* CORE_SIP_H */
