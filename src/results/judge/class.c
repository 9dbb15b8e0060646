/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * class.c - Of what class a value is
 *
 * Theory of operation
 *
 * A value is of all classes of rules/class.h that have it: eight digits are an
 * integer, and could be hex. A text of none of them is words. Lines, and tokens
 * of a page, have a shape: words stay words, and what no word looks like (it
 * has a digit, is hex, or is long) is one sign, so that two lines are of one
 * shape if they say the same of other values.
 */
#include <string.h>

#include "judge/judge_internal.h"

#define SHAPE_HEX  4u  /* letters a to f that are no word */
#define SHAPE_LONG 12u /* letters that are no word */
#define FNV_BASIS  0x811c9dc5u
#define FNV_PRIME  0x01000193u

static bool is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c >= 0x80;
}

/* Is this run of letters and digits a value, and no word? */
static bool is_value(const uint8_t *p, size_t n)
{
	bool hex = n >= SHAPE_HEX;

	for (size_t i = 0; i < n; i++) {
		if (p[i] >= '0' && p[i] <= '9')
			return true;
		hex &= (p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f';
	}
	return hex || n >= SHAPE_LONG;
}

static uint16_t shape(const uint8_t *p, size_t n)
{
	uint32_t h = FNV_BASIS;
	size_t i = 0;

	while (i < n) {
		size_t run = 0;

		while (i + run < n && is_alnum(p[i + run]))
			run++;
		if (run > 0 && is_value(p + i, run)) {
			h = (h ^ 1) * FNV_PRIME;
		} else {
			run += run == 0;
			for (size_t k = 0; k < run; k++)
				h = (h ^ p[i + k]) * FNV_PRIME;
		}
		i += run;
	}
	return (uint16_t)(h ^ h >> 16);
}

static struct case_class value(const uint8_t *p, size_t n)
{
	struct case_class c = {
		.len = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX)
	};

	for (unsigned i = 0; i < CLASS_COUNT; i++)
		if (class_has((enum value_class)i, p, n))
			c.mask |= (uint16_t)(1u << i);
	if (n == 0)
		c.mask = (uint16_t)CASE_EMPTY;
	else if (c.mask == 0)
		c.mask = (uint16_t)CASE_WORDS;
	/* A length that says nothing makes no class of its own. */
	if (!(c.mask & CASE_SIZED))
		c.len = 0;
	return c;
}

struct case_class judge_class(enum case_judge judge, const uint8_t *p, size_t n)
{
	switch (judge) {
	case CASE_TEXT:
	case CASE_HTML:
	case CASE_XML:
		return (struct case_class){ (uint16_t)CASE_SHAPE, shape(p, n) };
	case CASE_HEADERS:
	case CASE_TRAILERS:
		return value(p, n);
	case CASE_JSON:
		if (n >= 2 && p[0] == '"')
			return value(p + 1, n - 2);
		if (n > 0 && (p[0] == '{' || p[0] == '['))
			return (struct case_class){ 0 };
		if (n > 0 && (p[0] == 't' || p[0] == 'f' || p[0] == 'n'))
			return (struct case_class){ (uint16_t)CASE_LITERAL, 0 };
		return value(p, n);
	default:
		return (struct case_class){ 0 };
	}
}
