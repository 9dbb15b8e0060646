/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keytext.c - Keys as text: base64 (RFC 4648)
 */
#include "keys/keytext.h"

#include <errno.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
			     "xyz0123456789+/";

void keytext_put(char out[KEYTEXT + 1], const uint8_t key[CRYPTO_KEY])
{
	uint32_t bits = 0;
	unsigned have = 0, at = 0;

	for (unsigned i = 0; i < CRYPTO_KEY; i++) {
		bits = bits << 8 | key[i];
		for (have += 8; have >= 6; have -= 6)
			out[at++] = digits[bits >> (have - 6) & 63];
	}
	out[at++] = digits[bits << (6 - have) & 63];
	out[at++] = '=';
	out[at] = '\0';
}

static int digit_of(char c)
{
	const char *d = c != '\0' ? memchr(digits, c, 64) : NULL;

	return d ? (int)(d - digits) : -EINVAL;
}

int keytext_get(const char *s, size_t n, uint8_t key[CRYPTO_KEY])
{
	uint8_t out[CRYPTO_KEY];
	uint32_t bits = 0;
	unsigned have = 0, at = 0;

	while (n > KEYTEXT && (s[n - 1] == '\n' || s[n - 1] == '\r' ||
			       s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	if (n != KEYTEXT || s[KEYTEXT - 1] != '=')
		return -EINVAL;
	for (unsigned i = 0; i < KEYTEXT - 1; i++) {
		int d = digit_of(s[i]);

		if (d < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)d;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[at++] = (uint8_t)(bits >> have);
		}
	}
	/* 258 bits were read, of which a key has 256. */
	if (bits & 3)
		return -EINVAL;
	memcpy(key, out, sizeof(out));
	return 0;
}
