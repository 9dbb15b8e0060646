/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tokens.c - A text byte by byte to the numbers of its words
 *
 * Theory of operation
 *
 * A word is letters, digits, '-' and '_'. All else ends one, also '.', '+', '/'
 * and '=', of which tokens are made, too: a token is cut there in the same way
 * wherever it stands, and a part that is long enough stands for it. So does an
 * escape, by its first byte: %2B in a form is the '+' of a JSON text, where a
 * '/' may be \/ or \u002f. What is written with escapes within a word is not
 * found.
 *
 * A token has TOKENS_LEAST bytes or more, and a digit, or both large and small
 * letters. Other long words are names.
 */
#include "app/tokens.h"

#define MIX UINT64_C(0x9e3779b97f4a7c15)

/* Sorts of bytes: bits of token_reader.has. */
enum {
	HAS_OTHER = 1,
	HAS_DIGIT = 2,
	HAS_SMALL = 4,
	HAS_LARGE = 8,
};

#define ESCAPE                                                                 \
	0xffu /* token_reader.skip: the byte behind a '\' is yet to come */

void tokens_begin(struct token_reader *w, uint64_t seed)
{
	*w = (struct token_reader){ .seed = seed, .h = seed };
}

/* 0: it is of no word */
static uint8_t sort_of(uint8_t c)
{
	if (c >= 'a' && c <= 'z')
		return HAS_SMALL;
	if (c >= 'A' && c <= 'Z')
		return HAS_LARGE;
	if (c >= '0' && c <= '9')
		return HAS_DIGIT;
	return c == '-' || c == '_' ? HAS_OTHER : 0;
}

bool tokens_end(struct token_reader *w, struct token_word *out)
{
	const uint8_t both = HAS_SMALL | HAS_LARGE;
	bool is = w->n > 0;

	if (is) {
		out->number = w->h != 0 ? w->h : 1;
		out->token = w->n >= TOKENS_LEAST &&
			     ((w->has & HAS_DIGIT) || (w->has & both) == both);
	}
	w->h = w->seed;
	w->n = 0;
	w->has = 0;
	return is;
}

bool tokens_next(struct token_reader *w, uint8_t c, struct token_word *out)
{
	uint8_t sort = sort_of(c);

	if (w->skip == ESCAPE) {
		w->skip = c == 'u' ? 4 : 0;
		return false;
	}
	if (w->skip > 0) {
		w->skip--;
		return false;
	}
	if (sort != 0) {
		w->h = (w->h ^ c) * MIX;
		w->h ^= w->h >> 29;
		if (w->n < UINT16_MAX)
			w->n++;
		w->has |= sort;
		return false;
	}
	if (c == '%')
		w->skip = 2;
	else if (c == '\\')
		w->skip = ESCAPE;
	return tokens_end(w, out);
}
