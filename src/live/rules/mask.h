/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mask - Find what is not compared in a line of text
 *
 * A pattern is a regular expression without back references: bytes, ".",
 * [a-f0-9], [^x], \d, \w, \s, a backslash in front of any other mark, ( | ), *,
 * +, ?, {2}, {2,} and {2,4}, ^ in front of all and $ behind all. It has at most
 * MASK_STATES bytes, sets and repetitions of them. What it finds is the first
 * match, and of those that begin there the longest one.
 */
#ifndef RULES_MASK_H
#define RULES_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MASK_STATES 64u

/**
 * struct mask - A pattern
 * @set:	Of each byte: the states that take it
 * @follow:	Of each state: those that may come next
 * @first, @last: Those that begin, and may end, a match
 * @begin, @end: It is bound to the line's beginning, its end
 */
struct mask {
	uint64_t set[256];
	uint64_t follow[MASK_STATES];
	uint64_t first;
	uint64_t last;
	bool begin;
	bool end;
};

/**
 * mask_read() - Compile a pattern
 * @out:	Set on success
 * @p, @n:	Pattern
 * @at:		On failure: where in it
 *
 * Return: 0, -EINVAL (no pattern, or one that matches nothing at all), -E2BIG
 * (more than MASK_STATES, or groups that are too deep)
 */
int mask_read(struct mask *out, const char *p, size_t n, size_t *at);

/**
 * mask_find() - The next match
 * @m:		Pattern
 * @p, @n:	A line
 * @from:	Where to begin
 * @at, @len:	Set if there is one; @len >= 1
 * @work:	Steps that may still be taken, taken off. A step is a byte and a
 *		place that a match may begin at
 *
 * Return: 1: found, 0: none, -E2BIG: @work did not do
 */
int mask_find(const struct mask *m, const uint8_t *p, size_t n, size_t from,
	      size_t *at, size_t *len, uint64_t *work);

#endif /* RULES_MASK_H */
