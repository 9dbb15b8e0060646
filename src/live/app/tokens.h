/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tokens - Words of a text that look like tokens, as numbers
 *
 * What a server gives a client to send back (the number of a session, a token
 * against forged requests, an identifier) is a word that nobody would guess. It
 * goes as a member of JSON, a field of a form, a header field or a part of a
 * path; a word's number is the same in all of them.
 */
#ifndef APP_TOKENS_H
#define APP_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/hash.h"

#define TOKENS_LEAST 16u /* bytes; what is shorter is no token */

/**
 * struct token_reader - A text that is read
 * @seed:	Of the numbers, a secret
 * @h, @n, @has: The word so far: its number, bytes and sorts of them
 * @skip:	Bytes of an escape that are yet to come
 */
struct token_reader {
	uint64_t seed;
	uint64_t h;
	uint16_t n;
	uint8_t has;
	uint8_t skip;
};

/**
 * struct token_word - A word
 * @number:	Not 0
 * @token:	It looks like one
 */
struct token_word {
	uint64_t number;
	bool token;
};

/** tokens_seed() - Seed of the numbers of tokens. @key: the judge's */
static inline uint64_t tokens_seed(const struct hash_key *key)
{
	return key->k[0] ^ UINT64_C(0x13198a2e03707344); /* digits of pi */
}

/** tokens_begin() - A text begins */
void tokens_begin(struct token_reader *w, uint64_t seed);

/** tokens_next() - Its next byte. Return: a word has ended in front of it, @out
 */
bool tokens_next(struct token_reader *w, uint8_t c, struct token_word *out);

/** tokens_end() - The text has ended. Return: with a word, @out */
bool tokens_end(struct token_reader *w, struct token_word *out);

#endif /* APP_TOKENS_H */
