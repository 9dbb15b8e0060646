/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.c - Where two answers differ, in a record of fixed size
 */
#include <string.h>

#include "judge/judge_internal.h"

void place_begin(struct case_answer *a, enum case_judge judge,
		 enum case_change change, const char *name)
{
	memset(&a->place, 0, sizeof(a->place));
	a->place.judge = (uint8_t)judge;
	a->place.change = (uint8_t)change;
	place_add(a, name);
}

void place_add(struct case_answer *a, const char *text)
{
	size_t at = strlen(a->place.name);
	size_t n = strlen(text);

	if (n > CASE_PLACE - 1 - at)
		n = CASE_PLACE - 1 - at;
	memcpy(a->place.name + at, text, n);
	a->place.name[at + n] = '\0';
}

void place_number(struct case_answer *a, uint64_t n)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	place_add(a, digits + at);
}

void place_value(struct case_answer *a, unsigned side, const uint8_t *p,
		 size_t n)
{
	if (n > CASE_SHOWN)
		n = CASE_SHOWN;
	a->place.has[side] = true;
	a->place.len[side] = (uint8_t)n;
	if (n > 0)
		memcpy(a->place.value[side], p, n);
}
