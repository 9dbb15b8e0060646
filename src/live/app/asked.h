/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asked - Which object an HTTP request is about, and on what condition
 *
 * An object is a target (RFC 9110 section 7.1) and a Host, as one number: the
 * bytes themselves are not kept. What depends on more than these two is not
 * told apart here.
 */
#ifndef APP_ASKED_H
#define APP_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/tokens.h"

/* Fields that a request has: bits of asked.flags. */
#define ASKED_FIELDS(X)                                                        \
	X(ASKED_HOST, "host")                                                  \
	X(ASKED_NONE_MATCH, "if-none-match")                                   \
	X(ASKED_SINCE, "if-modified-since")                                    \
	X(ASKED_RANGE, "if-range")                                             \
	X(ASKED_MATCH, "if-match")                                             \
	X(ASKED_UNMODIFIED, "if-unmodified-since")                             \
	X(ASKED_AUTHORIZED, "authorization")                                   \
	X(ASKED_COOKIE, "cookie")

enum asked_field {
#define X(id, name) id,
	ASKED_FIELDS(X)
#undef X
		ASKED_FIELD_COUNT
};

/* Beside them: its method is HEAD; it is GET or HEAD. */
#define ASKED_HEAD (1u << ASKED_FIELD_COUNT)
#define ASKED_READ (2u << ASKED_FIELD_COUNT)

#define ASKED_SENT   4u /* cookies of a request that are known; the first ones */
#define ASKED_TOKENS 8u	   /* and tokens */
#define ASKED_BODY   4096u /* bytes of its body in which they are looked for */

/** asked_bit() - The bit of a field */
static inline uint16_t asked_bit(enum asked_field f)
{
	return (uint16_t)(1u << f);
}

/**
 * struct asked - It
 * @object:	So far; the seed's without a target
 * @index:	Number of the request, the caller's
 * @flags:	Bits of enum asked_field, ASKED_HEAD and ASKED_READ
 * @seed:	As it was told
 * @sent, @sents: Number of each cookie, by asked_pair(), and how many
 * @pair:	Of the one that is read
 * @words, @tokens, @token: What reads its tokens, if they are asked for, how
 *		many there are, and the number of each; 0: of no more
 * @looks:	They are asked for
 * @body:	Bytes of its body so far, up to ASKED_BODY
 * @cand, @pos, @where: Of the line that is read: names that it still may
 *		begin with, bytes of it so far, and what they are
 */
struct asked {
	uint64_t object;
	uint64_t seed;
	uint64_t pair;
	uint64_t sent[ASKED_SENT];
	uint32_t index;
	uint16_t flags;
	uint16_t cand;
	uint8_t pos;
	uint8_t where;
	uint8_t sents;
	bool looks;
	uint8_t tokens;
	uint16_t body;
	struct token_reader words;
	uint64_t token[ASKED_TOKENS];
};

/** asked_begin() - Request @index begins. @seed: secret of the run */
void asked_begin(struct asked *a, uint64_t seed, uint32_t index);

/**
 * asked_pair() - The number of a cookie, "name=value"; blanks do not count.
 * Never 0
 */
uint64_t asked_pair(uint64_t seed, const uint8_t *p, size_t n);

/** asked_for_tokens() - Look for tokens (app/tokens.h) from the beginning on.
 * @seed: of their numbers
 */
void asked_for_tokens(struct asked *a, uint64_t seed);

/** asked_head() - The next bytes of its head, cut anywhere */
void asked_head(struct asked *a, const uint8_t *p, uint32_t n);

/** asked_body() - The next bytes of its body */
void asked_body(struct asked *a, const uint8_t *p, uint32_t n);

/** asked_end() - The request has ended */
void asked_end(struct asked *a);

#endif /* APP_ASKED_H */
