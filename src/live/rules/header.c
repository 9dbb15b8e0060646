/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header.c - Which rule a header field has, and what it says of two values
 */
#include <string.h>

#include "rules/rules.h"
#include "rules/when.h"

/* Fields that need no rule. */
static const struct header_rule own_rules[] = {
	{ .verb = HEADER_IGNORE, .len = 3, .name = "age" },
	{ .verb = HEADER_IGNORE, .len = 10, .name = "connection" },
	{ .verb = HEADER_IGNORE, .len = 10, .name = "keep-alive" },
	{ .verb = HEADER_DATE,
	  .len = 4,
	  .name = "date",
	  .within_ns = RULES_CLOCK },
	{ .verb = HEADER_DATE,
	  .len = 7,
	  .name = "expires",
	  .within_ns = RULES_CLOCK },
};

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool is_named(const struct header_rule *r, const uint8_t *name, size_t n)
{
	size_t i = 0;

	if (r->len != n)
		return false;
	while (i < n && lower(name[i]) == (uint8_t)r->name[i])
		i++;
	return i == n;
}

const struct header_rule *rules_header(const struct rules_view *v,
				       const uint8_t *name, size_t n,
				       int *number)
{
	for (*number = (int)v->headers - 1; *number >= 0; (*number)--)
		if (is_named(v->header[*number], name, n))
			return v->header[*number];
	for (size_t i = 0; i < sizeof(own_rules) / sizeof(own_rules[0]); i++)
		if (is_named(&own_rules[i], name, n))
			return &own_rules[i];
	return NULL;
}

static bool within(const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
		   int64_t ns, int64_t late)
{
	int64_t s[2], apart;

	if (when_http(a, an, &s[0]) != 0 || when_http(b, bn, &s[1]) != 0)
		return false;
	/* Both are within 10,000 years. */
	apart = s[1] - s[0] - late / 1000000000;
	return (apart < 0 ? -apart : apart) <= ns / 1000000000;
}

/* Is it about the moment of an answer? Others say when something was made. */
static bool is_of_now(const struct header_rule *r)
{
	return is_named(r, (const uint8_t *)"date", 4) ||
	       is_named(r, (const uint8_t *)"expires", 7);
}

bool rules_header_alike(const struct header_rule *r, const uint8_t *a,
			size_t an, const uint8_t *b, size_t bn, int64_t late)
{
	enum value_class c = (enum value_class)r->class;
	size_t i = 0;

	switch ((enum header_verb)r->verb) {
	case HEADER_IGNORE:
		return true;
	case HEADER_SET:
		return an == bn && memcmp(a, b, an) == 0;
	case HEADER_CASE:
		while (i < an && i < bn && lower(a[i]) == lower(b[i]))
			i++;
		return i == an && i == bn;
	case HEADER_DATE:
		return within(a, an, b, bn, r->within_ns, 0) ||
		       (late != 0 && is_of_now(r) &&
			within(a, an, b, bn, r->within_ns, late));
	case HEADER_CLASS:
		return class_has(c, a, an) && class_has(c, b, bn) &&
		       (!class_sized(c) || an == bn);
	}
	return false;
}
