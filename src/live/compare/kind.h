/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kind - Differences that are of one kind: the same endpoint, place and change
 *
 * Numbers of a place (of an element, a line, a byte, a part) say nothing of its
 * kind and are left out. A kind's number follows from what it is, so that it is
 * the same in every run.
 */
#ifndef COMPARE_KIND_H
#define COMPARE_KIND_H

#include <stddef.h>
#include <stdint.h>

#include "compare/place.h"

#define KIND_PLACE 64u
#define KIND_NAME  12u /* "k-" and eight digits, with the end of the string */

/**
 * struct diff_kind - A kind of difference
 * @id:		Its number; 0: it is none that a judge has found
 * @judge, @change: As case_place
 * @place:	Without numbers, zeroes behind its end
 */
struct diff_kind {
	uint32_t id;
	uint8_t judge;
	uint8_t change;
	char place[KIND_PLACE];
};

/**
 * diff_kind_of() - The kind of a difference
 * @out:	All zeroes if no judge has found it
 * @endpoint, @n: Name of the endpoint, or method and path
 * @reason:	First reason
 */
void diff_kind_of(struct diff_kind *out, const struct case_place *p,
		  const char *endpoint, size_t n, uint8_t reason);

/** kind_name() - As reports and rules spell it. Return: @out */
char *kind_name(char out[KIND_NAME], uint32_t id);

#endif /* COMPARE_KIND_H */
