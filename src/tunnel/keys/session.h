/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session - Packets under the keys of a handshake
 *
 *	  0      1      2       4           8
 *	+------+------+-------+-----------+------------------+-----+
 *	| type | path | index |  counter  |      sealed      | tag |
 *	+------+------+-------+-----------+------------------+-----+
 *
 * Integers are big-endian. @index is the lower half of the receiver's index of
 * the session, @counter the lower half of a 64-bit number of the path, from 0
 * on. The nonce is the path (32 bits) and the whole number (64), both
 * little-endian: no two packets under a key have the same. The first eight
 * bytes are authenticated.
 */
#ifndef KEYS_SESSION_H
#define KEYS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "keys/noise.h"

#define SESSION_TYPE   16
#define SESSION_HEADER 8
#define SESSION_PATHS  16
#define SESSION_WINDOW 1024u /* numbers of a path that are told apart */

/** struct session_window - Which numbers of a path have come */
struct session_window {
	uint64_t next; /* highest that has come, and one */
	uint64_t bits[SESSION_WINDOW / 64];
};

/**
 * struct session - Keys, and how far they are used; secrets
 * @used:	There is one
 * @ours, @theirs: Indices
 * @since:	When it was made, ns
 * @sent:	Next number of each path
 */
struct session {
	bool used;
	uint32_t ours;
	uint32_t theirs;
	uint64_t since;
	struct noise_keys keys;
	uint64_t sent[SESSION_PATHS];
	struct session_window came[SESSION_PATHS];
};

/** session_index() - Which session a datagram of SESSION_HEADER bytes is for */
uint16_t session_index(const uint8_t *p);

/**
 * session_seal() - Seal a packet where it lies
 * @path:	0 to SESSION_PATHS - 1
 * @p:		SESSION_HEADER bytes to be written, @n bytes, CRYPTO_TAG bytes
 *
 * Return: 0, -EOVERFLOW: numbers are used up; -EIO
 */
int session_seal(struct session *s, const struct crypto_ops *ops, unsigned path,
		 uint8_t *p, uint32_t n);

/**
 * session_open() - Open a datagram of @n bytes where it lies
 * @newest:	No packet of its path that was sent later has come
 *
 * What was sealed lies then behind the header, the tag's length shorter.
 *
 * Return: 0; -EINVAL: too short or of a path that there is not; -EALREADY: it
 * came before, or is too old to be known; -EBADMSG: forged; -EIO
 */
int session_open(struct session *s, const struct crypto_ops *ops, uint8_t *p,
		 uint32_t n, bool *newest);

#endif /* KEYS_SESSION_H */
