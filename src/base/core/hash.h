/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash - Keyed hash of short keys
 *
 * SipHash-1-3 (sip.h): a client who does not know the key cannot choose tuples
 * that fall into one chain.
 */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "core/sip.h"

/** hash_bytes() - Hash of @len bytes at @p under @key */
uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t len);

#endif /* CORE_HASH_H */
