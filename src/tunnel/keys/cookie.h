/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cookie - Proof that who asks for a handshake gets what is sent to its address
 *
 * WireGuard's third message: section 5.4.7 of its paper.
 */
#ifndef KEYS_COOKIE_H
#define KEYS_COOKIE_H

#include "keys/noise.h"

#define COOKIE_REPLY 64 /* bytes of the message */
#define COOKIE_NONCE 24

/**
 * cookie_of() - The cookie of an address
 * @secret:	Ours, of two minutes
 * @from:	Address and port, as bytes that differ where these do
 *
 * Return: 0 or -EIO
 */
int cookie_of(const struct noise_self *s, uint8_t out[CRYPTO_MAC],
	      const uint8_t secret[CRYPTO_KEY], const void *from, size_t n);

/**
 * cookie_reply() - Write the message that brings it
 * @theirs:	Index in the message that is answered
 * @mac1:	Of it
 *
 * Return: 0 or -EIO
 */
int cookie_reply(const struct noise_self *s, uint8_t out[COOKIE_REPLY],
		 uint32_t theirs, const uint8_t nonce[COOKIE_NONCE],
		 const uint8_t cookie[CRYPTO_MAC],
		 const uint8_t mac1[CRYPTO_MAC]);

/**
 * cookie_taken() - Read it
 * @mac1:	Of the message of ours that it answers
 *
 * Return: 0, -EBADMSG (not from the other end, or to another message) or -EIO
 */
int cookie_taken(const struct noise_self *s, const uint8_t msg[COOKIE_REPLY],
		 const uint8_t mac1[CRYPTO_MAC], uint8_t cookie[CRYPTO_MAC]);

#endif /* KEYS_COOKIE_H */
