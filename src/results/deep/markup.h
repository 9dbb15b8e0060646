/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * markup - HTML and XML by their tokens
 *
 * The same are: attributes in any order, in any quotes, white space of a text
 * and around it, and in HTML the case of names of tags and attributes. Not
 * folded is the text of pre, textarea, script and style. Masks of the rules
 * count in texts, comments and values. What no server gives twice need no rule:
 * an attribute nonce, the value of a hidden input and the content of a meta
 * whose name says csrf, xsrf, nonce or token; such two must both look like a
 * token.
 *
 * Nothing is built up: it is a comparison of two rows of tokens, so it says
 * equal of nothing that a reader could take for two, and different of some that
 * none would (a character and its reference).
 */
#ifndef DEEP_MARKUP_H
#define DEEP_MARKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/rules.h"

#define MARKUP_DEPTH	  64u /* elements of a path: the outermost ones */
#define MARKUP_ATTRIBUTES 64u /* of a tag; one with more is compared as bytes */
#define MARKUP_PATH	  256u

enum markup_outcome {
	MARKUP_EQUAL,
	MARKUP_DIFFERENT,
	MARKUP_UNJUDGED, /* masks took too many steps */
};

enum markup_change {
	MARKUP_NO_CHANGE,
	MARKUP_TEXT,	  /* a text or a comment */
	MARKUP_TAG,	  /* another tag, or another sort of token */
	MARKUP_ATTRIBUTE, /* its value, or that it is there */
	MARKUP_MISSING,	  /* the SUT's ends here */
	MARKUP_EXTRA,
};

/**
 * struct markup_verdict - What came of two; [0] production's, [1] the SUT's
 * @path:	MARKUP_DIFFERENT: names of the open elements, html/body/p, and
 *		of an attribute: html/body/form/input@value; with a 0 at its end
 * @at, @len:	The token in each; where there is none @len is 0
 * @folded:	Tokens were alike that are not the same bytes, without masks
 * @tokens:	Values that no server gives twice were not the same
 * @masks:	Bit i: mask i of the view was needed
 */
struct markup_verdict {
	enum markup_outcome outcome;
	enum markup_change change;
	char path[MARKUP_PATH];
	size_t at[2];
	size_t len[2];
	bool folded;
	bool tokens;
	uint64_t masks;
};

/**
 * markup_compare() - Compare two documents
 * @v:		Whose masks
 * @xml:	It is XML: names by case, and no element is special
 *
 * Time grows with their bytes.
 */
void markup_compare(const struct rules_view *v, bool xml, const uint8_t *a,
		    size_t an, const uint8_t *b, size_t bn,
		    struct markup_verdict *out);

#endif /* DEEP_MARKUP_H */
