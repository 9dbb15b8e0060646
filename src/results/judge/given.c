/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * given.c - Tokens in content that both servers have set differently
 *
 * Theory of operation
 *
 * A token of production's (app/tokens.h) counts if the SUT has another one in
 * its place: one of its own behind the same name, where a name is the last word
 * that is no token. So a list in which the SUT lacks an item gives nothing, and
 * neither does a page of other words. Looked at are the first GIVEN_LOOKED
 * bytes of each content and the first GIVEN_TOKENS tokens in them, so that time
 * is bounded.
 */
#include "app/tokens.h"
#include "judge/judge_internal.h"

#define GIVEN_LOOKED (64u << 10)
#define GIVEN_TOKENS 128u

/* A token, and the name that it has. */
struct seen {
	uint64_t number;
	uint64_t name;
};

/* Return: is there room for more? */
static bool add(struct seen *s, unsigned *n, uint64_t *name,
		const struct token_word *w)
{
	if (!w->token)
		*name = w->number;
	else
		s[(*n)++] = (struct seen){ w->number, *name };
	return *n < GIVEN_TOKENS;
}

static unsigned tokens_of(uint64_t seed, const uint8_t *p, size_t n,
			  struct seen s[GIVEN_TOKENS])
{
	uint64_t name = 0;
	struct token_reader w;
	struct token_word word;
	unsigned k = 0;

	tokens_begin(&w, seed);
	for (size_t i = 0; i < n && i < GIVEN_LOOKED; i++)
		if (tokens_next(&w, p[i], &word) && !add(s, &k, &name, &word))
			return k;
	if (tokens_end(&w, &word))
		(void)add(s, &k, &name, &word);
	return k;
}

static bool has(const struct seen *s, unsigned n, uint64_t number)
{
	for (unsigned i = 0; i < n; i++)
		if (s[i].number == number)
			return true;
	return false;
}

unsigned judge_given(uint64_t seed, const struct bodies *b,
		     uint64_t given[CASE_GIVEN])
{
	struct seen of[2][GIVEN_TOKENS];
	bool own[GIVEN_TOKENS]; /* of the SUT: production has it nowhere */
	unsigned n[2], k = 0;

	for (unsigned i = 0; i < 2; i++)
		n[i] = tokens_of(seed, b->p[i], b->n[i], of[i]);
	for (unsigned i = 0; i < n[1]; i++)
		own[i] = !has(of[0], n[0], of[1][i].number);
	for (unsigned i = 0; i < n[0] && k < CASE_GIVEN; i++) {
		unsigned at = 0;

		if (has(of[1], n[1], of[0][i].number))
			continue;
		while (at < n[1] &&
		       !(own[at] && of[1][at].name == of[0][i].name))
			at++;
		if (at < n[1])
			given[k++] = of[0][i].number;
	}
	return k;
}
