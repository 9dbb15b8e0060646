/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redact_internal - What the files of redact share
 */
#ifndef REDACT_REDACT_INTERNAL_H
#define REDACT_REDACT_INTERNAL_H

#include "redact/redact.h"

#define NAME_MOST 64u /* bytes of a name; a longer word is none */

/**
 * struct secret - Where one lies
 * @from, @to:	Its bytes
 * @part:	Some of it is not known
 */
struct secret {
	size_t from;
	size_t to;
	bool part;
};

static inline bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static inline bool is_alnum(uint8_t c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* Of a name. */
static inline bool is_word(uint8_t c)
{
	return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

/* Is it one of the bytes of @set? 0 is none. */
static inline bool one_of(const char *set, uint8_t c)
{
	while (*set != '\0' && (uint8_t)*set != c)
		set++;
	return *set != '\0';
}

/* Does @text stand at @i, in any case? */
static inline bool stands(const struct redact_text *t, size_t i,
			  const char *text)
{
	for (; *text != '\0'; text++, i++)
		if (i >= t->n || lower(t->p[i]) != (uint8_t)*text)
			return false;
	return true;
}

/* names.c */

enum name_says {
	NAME_PLAIN,
	NAME_SECRET,
	NAME_REST,   /* what is known of it is its end: it may be one */
	NAME_AUTH,   /* a scheme may stand in front of it */
	NAME_COOKIE, /* of pairs each value is one, but for attributes */
};

/** name_says() - What is the value of this name? */
enum name_says name_says(const struct redact *r, const uint8_t *p, size_t n);

/** name_is_attribute() - Of a cookie, and no cookie itself */
bool name_is_attribute(const uint8_t *p, size_t n);

/* forms.c */

/**
 * form_secret() - Does one stand at @i, by its form?
 * @s:		Set if so
 */
bool form_secret(const struct redact_text *t, size_t i, struct secret *s);

#endif /* REDACT_REDACT_INTERNAL_H */
