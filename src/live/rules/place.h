/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place - Which values of a JSON text are meant
 *
 * A part of JSONPath (RFC 9535): $ and then steps .name, ['name'], ["name"],
 * .*, [*], [3], ..name and ..['name'] ("at any depth"). In quotes a backslash
 * keeps the next byte as it is.
 */
#ifndef RULES_PLACE_H
#define RULES_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_STEPS 16u	 /* most steps of a place */
#define PLACE_NAMES 160u /* bytes of all names in it */

enum place_kind {
	PLACE_NAME,	/* the member of this name */
	PLACE_MEMBERS,	/* any member */
	PLACE_ELEMENTS, /* any element */
	PLACE_INDEX,	/* the element of this number */
};

/**
 * struct place_step - From a value to one in it
 * @kind:	enum place_kind
 * @deep:	Or to one in one in it, at any depth
 * @len, @name:	PLACE_NAME: its bytes begin at place.names[@name]
 * @index:	PLACE_INDEX, from 0
 */
struct place_step {
	uint8_t kind;
	bool deep;
	uint8_t len;
	uint8_t name;
	uint32_t index;
};

/** struct place - A place; @steps of @step are in use, $ has none */
struct place {
	uint8_t steps;
	uint8_t names_used;
	struct place_step step[PLACE_STEPS];
	char names[PLACE_NAMES];
};

/**
 * place_read() - Read a place
 * @out:	Set on success
 * @text, @n:	Text; the place ends before the first blank outside of quotes
 * @used:	Bytes of it; on failure those in front of what is wrong
 *
 * Return: 0, -EINVAL (no place), -E2BIG (too many steps, or too long names)
 */
int place_read(struct place *out, const char *text, size_t n, size_t *used);

#endif /* RULES_PLACE_H */
