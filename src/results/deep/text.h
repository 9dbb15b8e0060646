/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text - Texts by lines, and what is no text by its bytes
 *
 * Two lines are alike if what masks (rules/mask.h) leave of them is the same,
 * and the same masks found something in the same order. A line's end is a part
 * of it.
 */
#ifndef DEEP_TEXT_H
#define DEEP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/rules.h"

/* Steps of masks for each byte of both texts (mask_find()). */
#define TEXT_WORK 64u

enum text_outcome {
	TEXT_EQUAL,
	TEXT_DIFFERENT,
	TEXT_UNJUDGED, /* masks took too many steps */
};

enum text_change {
	TEXT_NO_CHANGE,
	TEXT_VALUE,
	TEXT_MISSING, /* the SUT's ends in front of this line */
	TEXT_EXTRA,
};

/**
 * struct text_verdict - What came of two texts; [0] production's, [1] the SUT's
 * @line:	TEXT_DIFFERENT: number of the first line that differs, from 1
 * @at, @len:	That line in each; where there is none @len is 0
 * @masks:	Bit i: mask i of the view was needed
 */
struct text_verdict {
	enum text_outcome outcome;
	enum text_change change;
	uint32_t line;
	size_t at[2];
	size_t len[2];
	uint64_t masks;
};

/** text_compare() - Compare two texts; time grows with their bytes */
void text_compare(const struct rules_view *v, const uint8_t *a, size_t an,
		  const uint8_t *b, size_t bn, struct text_verdict *out);

/**
 * text_masked() - Are two pieces alike under masks?
 * @v:		Whose masks
 * @work:	Steps that may be taken, taken off
 * @masks:	Those that were needed are added
 *
 * Return: 1: yes, 0: no, -E2BIG: @work did not do
 */
int text_masked(const struct rules_view *v, const uint8_t *a, size_t an,
		const uint8_t *b, size_t bn, uint64_t *work, uint64_t *masks);

/** binary_first() - Where two differ first; the length of both if nowhere */
size_t binary_first(const uint8_t *a, size_t an, const uint8_t *b, size_t bn);

/** binary_type() - What its first bytes say that it is, or "" */
const char *binary_type(const uint8_t *p, size_t n);

#endif /* DEEP_TEXT_H */
