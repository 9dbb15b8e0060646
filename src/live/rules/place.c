/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.c - Read the steps of a place
 *
 * Names lie in the place itself, one behind the other and without their quotes,
 * so that a place can be copied and needs nobody's memory.
 */
#include "rules/place.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

_Static_assert(PLACE_NAMES <= UINT8_MAX, "a name's length and place are bytes");

/* What is read, and how far. */
struct reader {
	const char *p;
	size_t n;
	size_t at;
};

static char peek(const struct reader *r)
{
	return r->at < r->n ? r->p[r->at] : '\0';
}

/* In a name without quotes: letters, digits, _, - and all that is not ASCII. */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       (unsigned char)c >= 0x80;
}

static int add_byte(struct place *out, struct place_step *s, char c)
{
	if (out->names_used == PLACE_NAMES)
		return -E2BIG;
	out->names[out->names_used++] = c;
	s->len++;
	return 0;
}

static int read_plain(struct place *out, struct place_step *s, struct reader *r)
{
	int rc = is_plain(peek(r)) ? 0 : -EINVAL;

	while (rc == 0 && is_plain(peek(r))) {
		rc = add_byte(out, s, peek(r));
		r->at += rc == 0;
	}
	return rc;
}

static int read_quoted(struct place *out, struct place_step *s,
		       struct reader *r)
{
	char quote = peek(r);
	int rc = 0;

	r->at++;
	while (rc == 0 && r->at < r->n && peek(r) != quote) {
		if (peek(r) == '\\' && r->at + 1 < r->n)
			r->at++;
		rc = add_byte(out, s, peek(r));
		r->at += rc == 0;
	}
	if (rc == 0 && peek(r) != quote)
		rc = -EINVAL;
	r->at += rc == 0;
	return rc;
}

static int read_index(struct place_step *s, struct reader *r)
{
	if (peek(r) < '0' || peek(r) > '9')
		return -EINVAL;
	s->kind = PLACE_INDEX;
	while (peek(r) >= '0' && peek(r) <= '9') {
		if (s->index >= UINT32_MAX / 10)
			return -E2BIG;
		s->index = s->index * 10 + (uint32_t)(peek(r) - '0');
		r->at++;
	}
	return 0;
}

/* Behind "[". */
static int read_bracket(struct place *out, struct place_step *s,
			struct reader *r)
{
	int rc = 0;

	if (peek(r) == '*') {
		s->kind = PLACE_ELEMENTS;
		r->at++;
	} else if (peek(r) == '\'' || peek(r) == '"') {
		rc = read_quoted(out, s, r);
	} else {
		rc = read_index(s, r);
	}
	if (rc == 0 && peek(r) != ']')
		rc = -EINVAL;
	r->at += rc == 0;
	return rc;
}

static int read_step(struct place *out, struct place_step *s, struct reader *r)
{
	*s = (struct place_step){ .kind = PLACE_NAME, .name = out->names_used };
	if (peek(r) == '[') {
		r->at++;
		return read_bracket(out, s, r);
	}
	if (peek(r) != '.')
		return -EINVAL;
	r->at++;
	if (peek(r) == '.') {
		s->deep = true;
		r->at++;
		if (peek(r) == '[') {
			r->at++;
			return read_bracket(out, s, r);
		}
	}
	if (peek(r) == '*') {
		s->kind = PLACE_MEMBERS;
		r->at++;
		return 0;
	}
	return read_plain(out, s, r);
}

int place_read(struct place *out, const char *text, size_t n, size_t *used)
{
	struct reader r = { .p = text, .n = n };
	struct place place;
	int rc = peek(&r) == '$' ? 0 : -EINVAL;

	memset(&place, 0, sizeof(place));
	r.at = rc == 0;
	while (rc == 0 && r.at < n && peek(&r) != ' ' && peek(&r) != '\t') {
		if (place.steps == PLACE_STEPS)
			rc = -E2BIG;
		else
			rc = read_step(&place, &place.step[place.steps], &r);
		if (rc == 0)
			place.steps++;
	}
	assert(r.at <= n && place.steps <= PLACE_STEPS);
	*used = r.at;
	if (rc == 0)
		*out = place;
	return rc;
}
