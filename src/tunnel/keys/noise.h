/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise - The handshake's messages, as bytes
 *
 * Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s with WireGuard's identifiers, layout
 * and message codes ("WireGuard: Next Generation Kernel Network Tunnel",
 * section 5.4), so that any implementation of WireGuard can be held against it.
 */
#ifndef KEYS_NOISE_H
#define KEYS_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"

#define NOISE_INITIATION 148 /* bytes of a message */
#define NOISE_RESPONSE	 92
#define NOISE_STAMP	 12 /* bytes of a TAI64N time */

enum noise_type {
	NOISE_TYPE_INITIATION = 1,
	NOISE_TYPE_RESPONSE = 2,
	NOISE_TYPE_COOKIE = 3,
};

/**
 * struct noise_self - Who we are and who the other end is; secrets
 * @ops:	Primitives
 * @priv, @pub:	Our keys
 * @peer:	The other end's public key
 * @psk:	Key that both have besides; zeros: none
 * @common:	X25519 of @priv and @peer
 * @mac1_ours, @mac1_peer: Keys of mac1 of what is sent to us, and to the other
 *		end
 * @cookie_ours, @cookie_peer: Keys of cookies that we give, and that we are
 *		given
 */
struct noise_self {
	const struct crypto_ops *ops;
	uint8_t priv[CRYPTO_KEY];
	uint8_t pub[CRYPTO_KEY];
	uint8_t peer[CRYPTO_KEY];
	uint8_t psk[CRYPTO_KEY];
	uint8_t common[CRYPTO_KEY];
	uint8_t mac1_ours[CRYPTO_HASH];
	uint8_t mac1_peer[CRYPTO_HASH];
	uint8_t cookie_ours[CRYPTO_HASH];
	uint8_t cookie_peer[CRYPTO_HASH];
};

/**
 * struct noise - A handshake that is under way; secrets
 * @chain:	Chaining key
 * @hash:	Of all that was said
 * @priv:	Our ephemeral private key
 * @peer:	The other end's ephemeral public key
 * @ours, @theirs: Indices by which each end finds its session
 */
struct noise {
	uint8_t chain[CRYPTO_HASH];
	uint8_t hash[CRYPTO_HASH];
	uint8_t priv[CRYPTO_KEY];
	uint8_t peer[CRYPTO_KEY];
	uint32_t ours;
	uint32_t theirs;
};

/** struct noise_keys - What a handshake comes to; secrets */
struct noise_keys {
	uint8_t send[CRYPTO_KEY];
	uint8_t recv[CRYPTO_KEY];
};

/** noise_wipe() - Overwrite a secret */
void noise_wipe(void *p, size_t n);

/** noise_equal() - Are @n bytes equal? Takes as long whatever they are */
bool noise_equal(const void *a, const void *b, size_t n);

/**
 * noise_self_init() - Compute what follows from the keys
 * @psk:	NULL: none
 *
 * Return: 0; -EINVAL: @peer is no public key, or our own; -EIO (@s untouched)
 */
int noise_self_init(struct noise_self *s, const struct crypto_ops *ops,
		    const uint8_t priv[CRYPTO_KEY],
		    const uint8_t peer[CRYPTO_KEY], const uint8_t *psk);

/** noise_stamp() - Write a time of day, ns since 1970, as TAI64N */
void noise_stamp(uint8_t out[NOISE_STAMP], uint64_t real);

/**
 * noise_initiate() - Write an initiation, its two MACs left 0
 * @priv:	Fresh ephemeral private key
 * @ours:	Index of the session to be
 *
 * Return: 0 or -EIO (@n untouched)
 */
int noise_initiate(const struct noise_self *s, struct noise *n,
		   const uint8_t priv[CRYPTO_KEY], uint32_t ours,
		   const uint8_t stamp[NOISE_STAMP],
		   uint8_t out[NOISE_INITIATION]);

/**
 * noise_initiated() - Read an initiation whose mac1 was found right
 * @stamp:	Its time, on success
 *
 * Return: 0; -EBADMSG: forged, or another one's than the other end's; -EIO
 * (outputs untouched)
 */
int noise_initiated(const struct noise_self *s, struct noise *n,
		    const uint8_t msg[NOISE_INITIATION],
		    uint8_t stamp[NOISE_STAMP]);

/** noise_respond() - Write a response, MACs left 0. Return: 0 or -EIO */
int noise_respond(const struct noise_self *s, struct noise *n,
		  const uint8_t priv[CRYPTO_KEY], uint32_t ours,
		  uint8_t out[NOISE_RESPONSE]);

/**
 * noise_responded() - Read a response. Return: 0, -EBADMSG or -EIO, @n
 * untouched
 */
int noise_responded(const struct noise_self *s, struct noise *n,
		    const uint8_t msg[NOISE_RESPONSE]);

/**
 * noise_split() - The keys of the session; @n is wiped
 * @initiator:	We began
 *
 * Return: 0 or -EIO
 */
int noise_split(const struct noise_self *s, struct noise *n, bool initiator,
		struct noise_keys *out);

/**
 * noise_mac() - Write both MACs of a message of ours
 * @cookie:	That the other end gave us; NULL: none, and mac2 is 0
 *
 * Return: 0 or -EIO
 */
int noise_mac(const struct noise_self *s, uint8_t *msg, size_t n,
	      const uint8_t *cookie);

/** noise_mac1_good() - Is mac1 of a message of @n bytes, 32 or more, right? */
bool noise_mac1_good(const struct noise_self *s, const uint8_t *msg, size_t n);

/** noise_mac2_good() - The same for mac2, by the cookie that we gave */
bool noise_mac2_good(const struct noise_self *s, const uint8_t *msg, size_t n,
		     const uint8_t cookie[CRYPTO_MAC]);

#endif /* KEYS_NOISE_H */
