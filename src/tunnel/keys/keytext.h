/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keytext - Keys as text: base64 (RFC 4648), as wg(8) writes them
 */
#ifndef KEYS_KEYTEXT_H
#define KEYS_KEYTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"

#define KEYTEXT 44 /* characters of a key */

/** keytext_put() - Write a key; @out is terminated */
void keytext_put(char out[KEYTEXT + 1], const uint8_t key[CRYPTO_KEY]);

/**
 * keytext_get() - Read a key
 * @s, @n:	KEYTEXT characters; blanks and newlines may follow
 *
 * Return: 0, or -EINVAL: it is none, or bits that no key has are set (@key
 * untouched)
 */
int keytext_get(const char *s, size_t n, uint8_t key[CRYPTO_KEY]);

#endif /* KEYS_KEYTEXT_H */
