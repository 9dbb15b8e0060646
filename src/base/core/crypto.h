/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypto - Primitives of cryptography, as a table that pure code is handed
 *
 * Pure rooms know what is sealed with what; how a primitive is computed is a
 * library's part (codec/crypto.h). Memory is the caller's; nothing is kept
 * between two calls but the tables of the library.
 */
#ifndef CORE_CRYPTO_H
#define CORE_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#define CRYPTO_KEY   32 /* bytes of every key, public, private or symmetric */
#define CRYPTO_HASH  32 /* of a hash */
#define CRYPTO_MAC   16 /* of a keyed hash */
#define CRYPTO_NONCE 12
#define CRYPTO_TAG   16 /* that a sealed text is longer than its plain one */
#define CRYPTO_BLOCK 64 /* of ChaCha20, and of BLAKE2s's input */

/** struct crypto_part - Some bytes; a hash takes several as if they were one */
struct crypto_part {
	const void *p;
	size_t n;
};

/**
 * struct crypto_ops - The table
 * @dh_public:	X25519 (RFC 7748): public key of @priv
 * @dh:		X25519 of @priv and @pub; -EBADMSG: @pub has a small order, and
 *		the secret would be 0
 * @hash:	BLAKE2s-256 (RFC 7693) of @n parts
 * @mac:	BLAKE2s-128, keyed by @key of @key_len bytes, 1 to 32
 * @seal:	ChaCha20-Poly1305 (RFC 8439) of @n bytes at @in; @out, of @n +
 *		CRYPTO_TAG bytes, may be @in
 * @open:	The way back from @n bytes, the tag included; -EBADMSG: forged,
 *		and @out, of @n - CRYPTO_TAG bytes, is not to be looked at
 * @block:	A block of ChaCha20's key stream; @counter: its last four words
 *		of input
 * @poly:	Poly1305 (RFC 8439 section 2.5) under a key that is used once
 *
 * Each returns 0 or -Exxx: -EIO is a library that fails, in a way that has
 * nothing to do with its input; outputs are not to be used then.
 */
struct crypto_ops {
	int (*dh_public)(uint8_t out[CRYPTO_KEY],
			 const uint8_t priv[CRYPTO_KEY]);
	int (*dh)(uint8_t out[CRYPTO_KEY], const uint8_t priv[CRYPTO_KEY],
		  const uint8_t pub[CRYPTO_KEY]);
	int (*hash)(uint8_t out[CRYPTO_HASH], const struct crypto_part *part,
		    size_t n);
	int (*mac)(uint8_t out[CRYPTO_MAC], const uint8_t *key, size_t key_len,
		   const void *p, size_t n);
	int (*seal)(uint8_t *out, const uint8_t key[CRYPTO_KEY],
		    const uint8_t nonce[CRYPTO_NONCE],
		    const struct crypto_part *ad, const uint8_t *in, size_t n);
	int (*open)(uint8_t *out, const uint8_t key[CRYPTO_KEY],
		    const uint8_t nonce[CRYPTO_NONCE],
		    const struct crypto_part *ad, const uint8_t *in, size_t n);
	int (*block)(uint8_t out[CRYPTO_BLOCK], const uint8_t key[CRYPTO_KEY],
		     const uint8_t counter[16]);
	int (*poly)(uint8_t out[CRYPTO_TAG], const uint8_t key[CRYPTO_KEY],
		    const void *p, size_t n);
};

#endif /* CORE_CRYPTO_H */
