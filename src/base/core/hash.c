/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.c - Keyed hash of short keys
 */
#include "core/hash.h"

#include "core/bytes.h"

uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t len)
{
	uint64_t last = (uint64_t)len << 56;
	const uint8_t *at = p;
	struct sip s;

	sip_begin(&s, key);
	for (; len >= 8; len -= 8, at += 8)
		sip_word(&s, (uint64_t)get_le32(at + 4) << 32 | get_le32(at));
	for (size_t i = 0; i < len; i++)
		last |= (uint64_t)at[i] << 8 * i;
	sip_word(&s, last);
	return sip_end(&s);
}
