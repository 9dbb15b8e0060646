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
 */
#include "app/asked.h"

#include <stddef.h>

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
};

static const char *const names[ASKED_FIELD_COUNT] = {
#define X(id, name) [id] = name,
	ASKED_FIELDS(X)
#undef X
};

static void mix(struct asked *a, uint8_t c)
{
	a->object = (a->object ^ c) * MIX;
	a->object ^= a->object >> 29;
}

void asked_begin(struct asked *a, uint64_t seed, uint32_t index)
{
	*a = (struct asked){ .object = seed, .index = index };
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static void line_begins(struct asked *a)
{
	a->where = IN_NAME;
	a->cand = (1u << ASKED_FIELD_COUNT) - 1;
	a->pos = 0;
}

/* A byte of a field's name, or the colon behind it. */
static void name_byte(struct asked *a, uint8_t c)
{
	for (unsigned i = 0; i < ASKED_FIELD_COUNT; i++) {
		uint8_t want;

		if ((a->cand >> i & 1) == 0)
			continue;
		want = (uint8_t)names[i][a->pos];
		if (want == 0 && c == ':') {
			a->flags |= asked_bit((enum asked_field)i);
			a->where = i == ASKED_HOST ? IN_HOST : IN_REST;
			if (i == ASKED_HOST)
				mix(a, BREAK);
			return;
		}
		if (want != lower(c) || want == 0)
			a->cand &= (uint8_t) ~(1u << i);
	}
	a->pos++;
	if (a->cand == 0 || a->pos == LONG)
		a->where = IN_REST;
}

void asked_head(struct asked *a, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (c == '\n') {
			line_begins(a);
			continue;
		}
		switch (a->where) {
		case IN_METHOD:
			if (c == ' ')
				a->where = IN_TARGET;
			break;
		case IN_TARGET:
			if (c == ' ' || c == '\r')
				a->where = IN_REST;
			else
				mix(a, c);
			break;
		case IN_NAME:
			name_byte(a, c);
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
