/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_tokens.c - Words of any text, as numbers
 *
 * Input: a text. An oracle of its own cuts it into words, with the escapes of
 * forms (%41) and of JSON (\n, \u0041) as the reader's theory of operation has
 * them. Both find the same words in the same order; two have the same number if
 * they are the same bytes, and else not; and each has the same number alone, in
 * a form, in a path and in JSON.
 */
#include "app/tokens.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORDS_MOST 256u
#define LONGEST	   2048u
#define SEED	   UINT64_C(0x0123456789abcdef)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct word {
	size_t at;
	size_t n;
};

static bool is_of_word(uint8_t c)
{
	static const char those[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_";

	return c != 0 && strchr(those, c);
}

/* Bytes of the escape that begins with the byte before @at. */
static size_t escape(const uint8_t *p, size_t size, size_t at)
{
	size_t n = 0;

	if (p[at - 1] == '%')
		n = 2;
	else if (p[at - 1] == '\\')
		n = at < size && p[at] == 'u' ? 5 : 1;
	return n < size - at ? n : size - at;
}

static size_t cut(const uint8_t *p, size_t size, struct word *out)
{
	size_t n = 0, at = 0;

	while (at < size) {
		struct word w = { .at = at };

		while (at < size && is_of_word(p[at]))
			at++;
		w.n = at - w.at;
		if (w.n > 0 && n < WORDS_MOST)
			out[n++] = w;
		if (at < size) {
			at++;
			at += escape(p, size, at);
		}
	}
	return n;
}

static bool is_token(const uint8_t *p, size_t n)
{
	bool digit = false, small = false, large = false;

	for (size_t i = 0; i < n; i++) {
		digit |= p[i] >= '0' && p[i] <= '9';
		small |= p[i] >= 'a' && p[i] <= 'z';
		large |= p[i] >= 'A' && p[i] <= 'Z';
	}
	return n >= 16 && (digit || (small && large));
}

/* The words that the reader finds, at most WORDS_MOST. */
static size_t all(const uint8_t *p, size_t size, struct token_word *out)
{
	struct token_reader r;
	struct token_word w;
	size_t n = 0;

	tokens_begin(&r, SEED);
	for (size_t i = 0; i < size; i++)
		if (tokens_next(&r, p[i], &w) && n < WORDS_MOST)
			out[n++] = w;
	if (tokens_end(&r, &w) && n < WORDS_MOST)
		out[n++] = w;
	assert(!tokens_end(&r, &w));
	return n;
}

/* Behind @front and before @back it is the same word. */
static void check_place(const uint8_t *p, const struct word *w,
			const struct token_word *as, const char *front,
			const char *back)
{
	static uint8_t text[LONGEST + 64];
	static struct token_word got[WORDS_MOST];
	size_t f = strlen(front), b = strlen(back), n;

	memcpy(text, front, f);
	memcpy(text + f, p + w->at, w->n);
	memcpy(text + f + w->n, back, b);
	n = all(text, f + w->n + b, got);
	assert(n > 0 && got[n - 1].number == as->number);
	assert(got[n - 1].token == as->token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct token_word got[WORDS_MOST];
	static struct word want[WORDS_MOST];
	size_t n;

	if (size > LONGEST)
		return 0;
	n = cut(data, size, want);
	assert(all(data, size, got) == n);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = data + want[i].at;

		assert(got[i].number != 0);
		assert(got[i].token == is_token(p, want[i].n));
		for (size_t k = 0; k < i; k++)
			assert((got[k].number == got[i].number) ==
			       (want[k].n == want[i].n &&
				memcmp(data + want[k].at, p, want[i].n) == 0));
		if (i >= 8)
			continue;
		check_place(data, &want[i], &got[i], "", "");
		check_place(data, &want[i], &got[i], "token=", "&");
		check_place(data, &want[i], &got[i], "/a/", "?");
		check_place(data, &want[i], &got[i], "{\"t\":\"", "\"}");
	}
	return 0;
}
