/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cookie.c - Cookies, and the cipher with the long nonce that hides them
 *
 * Theory of operation
 *
 * An end that is asked for more handshakes than it wants to compute answers
 * with a cookie, a MAC of the asker's address under a secret of its own, and
 * computes nothing else until a message bears a second MAC by that cookie.
 * Nothing is kept for an asker. The reply is sealed under a key that follows
 * from our public key, so that who does not know it learns nothing, with mac1
 * of the question as what is authenticated, so that it answers that question
 * only.
 *
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) is ChaCha20-Poly1305 under a key
 * that HChaCha20 makes of the key and the first 16 bytes of the nonce.
 * HChaCha20 is a block of ChaCha20 without the last addition, and only of the
 * words of the input that everybody knows; so it is had by subtracting these
 * from a block.
 */
#include "keys/cookie.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"

#define AT_RECEIVER 4
#define AT_NONCE    8
#define AT_COOKIE   32

/* "expand 32-byte k" */
static const uint32_t constants[] = { 0x61707865, 0x3320646e, 0x79622d32,
				      0x6b206574 };

static int hchacha(const struct crypto_ops *ops, uint8_t out[CRYPTO_KEY],
		   const uint8_t key[CRYPTO_KEY], const uint8_t in[16])
{
	uint8_t block[CRYPTO_BLOCK];
	int r = ops->block(block, key, in);

	for (int i = 0; r == 0 && i < 4; i++) {
		put_le32(out + 4 * i, get_le32(block + 4 * i) - constants[i]);
		put_le32(out + 16 + 4 * i,
			 get_le32(block + 48 + 4 * i) - get_le32(in + 4 * i));
	}
	noise_wipe(block, sizeof(block));
	return r;
}

/* The key and the nonce of the short-nonce cipher. */
static int shorten(const struct crypto_ops *ops, uint8_t key[CRYPTO_KEY],
		   uint8_t nonce[CRYPTO_NONCE],
		   const uint8_t long_key[CRYPTO_KEY],
		   const uint8_t long_nonce[COOKIE_NONCE])
{
	memset(nonce, 0, 4);
	memcpy(nonce + 4, long_nonce + 16, 8);
	return hchacha(ops, key, long_key, long_nonce);
}

int cookie_of(const struct noise_self *s, uint8_t out[CRYPTO_MAC],
	      const uint8_t secret[CRYPTO_KEY], const void *from, size_t n)
{
	return s->ops->mac(out, secret, CRYPTO_KEY, from, n);
}

int cookie_reply(const struct noise_self *s, uint8_t out[COOKIE_REPLY],
		 uint32_t theirs, const uint8_t nonce[COOKIE_NONCE],
		 const uint8_t cookie[CRYPTO_MAC],
		 const uint8_t mac1[CRYPTO_MAC])
{
	struct crypto_part ad = { mac1, CRYPTO_MAC };
	uint8_t key[CRYPTO_KEY], nonce12[CRYPTO_NONCE];
	int r = shorten(s->ops, key, nonce12, s->cookie_ours, nonce);

	memset(out, 0, COOKIE_REPLY);
	out[0] = NOISE_TYPE_COOKIE;
	put_le32(out + AT_RECEIVER, theirs);
	memcpy(out + AT_NONCE, nonce, COOKIE_NONCE);
	if (r == 0)
		r = s->ops->seal(out + AT_COOKIE, key, nonce12, &ad, cookie,
				 CRYPTO_MAC);
	noise_wipe(key, sizeof(key));
	return r;
}

int cookie_taken(const struct noise_self *s, const uint8_t msg[COOKIE_REPLY],
		 const uint8_t mac1[CRYPTO_MAC], uint8_t cookie[CRYPTO_MAC])
{
	struct crypto_part ad = { mac1, CRYPTO_MAC };
	uint8_t key[CRYPTO_KEY], nonce[CRYPTO_NONCE], got[CRYPTO_MAC];
	int r = shorten(s->ops, key, nonce, s->cookie_peer, msg + AT_NONCE);

	if (r == 0)
		r = s->ops->open(got, key, nonce, &ad, msg + AT_COOKIE,
				 CRYPTO_MAC + CRYPTO_TAG);
	if (r == 0)
		memcpy(cookie, got, sizeof(got));
	noise_wipe(key, sizeof(key));
	return r;
}
