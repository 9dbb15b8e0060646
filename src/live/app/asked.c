/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asked.c - A request's head, byte by byte, to the number of an object
 *
 * Theory of operation
 *
 * Bytes of the target and of Host, the latter in lower case, go through
 * multiplications from a seed that nobody outside knows; a byte that no text
 * has stands between the two. Field names are recognised as they come: a set of
 * candidates that each byte narrows. So the head needs no memory, however it is
 * cut.
 *
 * Where tokens are asked for they are looked for in the target, the values of
 * fields and the beginning of the body; not in validators, which have a meaning
 * of their own.
 */
#include "app/asked.h"

#include <string.h>

#define MIX   UINT64_C(0x9e3779b97f4a7c15)
#define BREAK 0xffu /* in no text */
#define LONG  32u   /* longer than any name */

/* What the next byte belongs to. */
enum {
	IN_METHOD,
	IN_TARGET,
	IN_REST, /* of a line that says no more */
	IN_NAME,
	IN_HOST, /* its value */
	IN_COOKIE,
	IN_VALUE, /* of any other field */
};

static const char *const names[ASKED_FIELD_COUNT] = {
#define X(id, name) [id] = name,
	ASKED_FIELDS(X)
#undef X
};

static uint64_t mixed(uint64_t h, uint8_t c)
{
	h = (h ^ c) * MIX;
	return h ^ h >> 29;
}

static void mix(struct asked *a, uint8_t c)
{
	a->object = mixed(a->object, c);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* A cookie begins with what no target begins with. */
static uint64_t pair_begin(uint64_t seed)
{
	return mixed(seed, BREAK);
}

uint64_t asked_pair(uint64_t seed, const uint8_t *p, size_t n)
{
	uint64_t h = pair_begin(seed);

	for (size_t i = 0; i < n; i++)
		if (!is_blank(p[i]))
			h = mixed(h, p[i]);
	return h != 0 ? h : 1;
}

/* The cookie that is read has ended; it may be empty. */
static void pair_end(struct asked *a)
{
	uint64_t empty = pair_begin(a->seed);

	if (a->pair != empty && a->sents < ASKED_SENT)
		a->sent[a->sents++] = a->pair != 0 ? a->pair : 1;
	a->pair = empty;
}

void asked_begin(struct asked *a, uint64_t seed, uint32_t index)
{
	*a = (struct asked){ .object = seed, .seed = seed, .index = index };
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static void line_begins(struct asked *a)
{
	a->where = IN_NAME;
	a->cand = (uint16_t)((1u << ASKED_FIELD_COUNT) - 1);
	a->pos = 0;
}

/* A byte of the method, or the blank behind it. */
static void method_byte(struct asked *a, uint8_t c)
{
	/* One behind the other; a place in it is what was read so far. */
	static const char methods[] = "GET HEAD";
	const uint8_t head = 4;

	if (c == ' ') {
		a->where = IN_TARGET;
		if (a->pos == head - 1 || a->pos == sizeof(methods) - 1)
			a->flags |= ASKED_READ;
		if (a->pos == sizeof(methods) - 1)
			a->flags |= ASKED_HEAD;
		return;
	}
	if (a->pos == 0 && c == 'H')
		a->pos = head;
	if (a->pos < sizeof(methods) - 1 && c == (uint8_t)methods[a->pos])
		a->pos++;
	else
		a->pos = LONG;
}

/* What a field's value is for. */
static uint8_t where_in(enum asked_field f)
{
	switch (f) {
	case ASKED_HOST:
		return IN_HOST;
	case ASKED_COOKIE:
		return IN_COOKIE;
	case ASKED_AUTHORIZED:
		return IN_VALUE;
	default:
		return IN_REST;
	}
}

static void keep_token(struct asked *a, const struct token_word *w)
{
	if (w->token && a->tokens < ASKED_TOKENS)
		a->token[a->tokens++] = w->number;
}

/* A byte in which tokens are looked for. */
static void word_byte(struct asked *a, uint8_t c)
{
	struct token_word w;

	if (a->looks && tokens_next(&a->words, c, &w))
		keep_token(a, &w);
}

void asked_for_tokens(struct asked *a, uint64_t seed)
{
	a->looks = true;
	tokens_begin(&a->words, seed);
}

void asked_end(struct asked *a)
{
	struct token_word w;

	if (a->looks && tokens_end(&a->words, &w))
		keep_token(a, &w);
}

void asked_body(struct asked *a, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n && a->looks && a->body < ASKED_BODY; i++) {
		word_byte(a, p[i]);
		a->body++;
	}
}

/* A byte of a field's name, or the colon behind it. */
static void name_byte(struct asked *a, uint8_t c)
{
	if (a->cand == 0 && c == ':')
		a->where = IN_VALUE;
	if (a->cand == 0)
		return;
	for (unsigned i = 0; i < ASKED_FIELD_COUNT; i++) {
		uint8_t want;

		if (!(a->cand >> i & 1))
			continue;
		want = (uint8_t)names[i][a->pos];
		if (want == 0 && c == ':') {
			a->flags |= asked_bit((enum asked_field)i);
			a->where = where_in((enum asked_field)i);
			if (i == ASKED_HOST)
				mix(a, BREAK);
			a->pair = pair_begin(a->seed);
			return;
		}
		if (want != lower(c) || want == 0)
			a->cand &= (uint16_t) ~(1u << i);
	}
	a->pos++;
	if (a->cand == 0)
		a->where = !a->looks ? IN_REST : c == ':' ? IN_VALUE : IN_NAME;
}

void asked_head(struct asked *a, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t c = p[i];
		const uint8_t *lf;

		/* Most of a head says no more. */
		if (a->where == IN_REST && c != '\n') {
			lf = memchr(p + i, '\n', n - i);
			if (!lf)
				return;
			i = (uint32_t)(lf - p);
			c = '\n';
		}
		if (c == '\n') {
			if (a->where == IN_COOKIE)
				pair_end(a);
			word_byte(a, c);
			line_begins(a);
			continue;
		}
		switch (a->where) {
		case IN_METHOD:
			method_byte(a, c);
			break;
		case IN_TARGET:
			word_byte(a, c);
			if (c == ' ' || c == '\r')
				a->where = IN_REST;
			else
				mix(a, c);
			break;
		case IN_NAME:
			name_byte(a, c);
			break;
		case IN_VALUE:
			word_byte(a, c);
			break;
		case IN_COOKIE:
			word_byte(a, c);
			if (c == ';')
				pair_end(a);
			else if (!is_blank(c))
				a->pair = mixed(a->pair, c);
			break;
		case IN_HOST:
			if (c != ' ' && c != '\t' && c != '\r')
				mix(a, lower(c));
			break;
		default:
			break;
		}
	}
}
