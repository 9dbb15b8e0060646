/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_rule - How values at a place of a JSON text are compared
 */
#ifndef RULES_JSON_RULE_H
#define RULES_JSON_RULE_H

#include <stdint.h>

#include "rules/class.h"
#include "rules/place.h"

enum json_verb {
	JSON_IGNORE, /* as if it were not there */
	JSON_SET,    /* an array in any order; how often each is there counts */
	JSON_KEY,    /* the same; what differs is found by a member's value */
	JSON_NUMBER, /* numbers that differ by little */
	JSON_TEXT,   /* numbers by their text: 1.0 is not 1 */
	JSON_CLASS,  /* any two values of a class */
	JSON_TIME,   /* moments that differ by little */
};

/**
 * struct json_rule - One of them
 * @at:		Where
 * @verb:	enum json_verb
 * @class:	JSON_CLASS: enum value_class
 * @by:		JSON_KEY: the member, from an element on; names only
 * @within_m, @within_e: JSON_NUMBER: @within_m * 10^@within_e, @within_m below
 * 10^15
 * @within_ns:	JSON_TIME, not negative
 */
struct json_rule {
	struct place at;
	uint8_t verb;
	uint8_t class;
	int8_t within_e;
	uint64_t within_m;
	int64_t within_ns;
	struct place by;
};

#endif /* RULES_JSON_RULE_H */
