/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json - Do two JSON texts (RFC 8259) have the same value?
 *
 * The same are: members in any order, strings by their characters, numbers by
 * their decimal value however long they are (never by a binary approximation of
 * it: 1, 1.0 and 10e-1 are one number, 0.1 and 0.10000000000000001 are two),
 * arrays in their order. Members of one name are a list in the order in which
 * they stand, because readers differ in which of them they take. Rules say
 * where less is demanded.
 *
 * No tree is made. A text has a hash that does not depend on how it is written;
 * only where two hashes differ, or where a rule was met, both texts are walked
 * together.
 *
 * In an array in any order no element has a number: a place with [3] means none
 * there.
 */
#ifndef DEEP_JSON_H
#define DEEP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/hash.h"
#include "rules/rules.h"

#define JSON_DEPTH  128u	/* most containers in one another */
#define JSON_RULES  RULES_VIEW	/* most rules at once */
#define JSON_STATES RULES_STEPS /* most steps of all their places */
#define JSON_PATH   256u	/* bytes of a path that are told */

/* Why a text has no hash. */
#define JSON_FAULTS(X)                                                         \
	X(JSON_FINE, "fine")                                                   \
	X(JSON_BROKEN, "no JSON") /* RFC 8259, or not UTF-8 */                 \
	X(JSON_DEEP, "too deep")                                               \
	X(JSON_MANY, "too many members") /* open at once, for the memory */    \
	X(JSON_HUGE, "an exponent that is too large") /* beyond 10^15 */

enum json_fault {
#define X(id, text) id,
	JSON_FAULTS(X)
#undef X
		JSON_FAULT_COUNT
};

/** json_fault_text() - In words */
const char *json_fault_text(enum json_fault f);

enum json_outcome {
	JSON_EQUAL,	/* one value; @rules says what was needed for it */
	JSON_DIFFERENT, /* two; @change and @path say where */
	JSON_UNJUDGED, /* production's text has a fault, or memory did not do */
};

/* What is at the place. */
#define JSON_CHANGES(X)                                                        \
	X(JSON_NO_CHANGE, "none")                                              \
	X(JSON_VALUE, "value")                                                 \
	X(JSON_TYPE, "type")                                                   \
	X(JSON_MISSING, "missing") /* in the SUT's */                          \
	X(JSON_EXTRA, "extra")                                                 \
	X(JSON_ORDER, "order") /* the same elements, in another order */       \
	X(JSON_FAULT, "fault") /* the SUT's has one, production's has not */   \
	X(JSON_SOMEWHERE, "somewhere") /* below @path: memory did not do */

enum json_change {
#define X(id, text) id,
	JSON_CHANGES(X)
#undef X
		JSON_CHANGE_COUNT
};

/** json_change_text() - As reports spell it */
const char *json_change_text(enum json_change c);

/**
 * struct json_verdict - What came of two texts; [0] production's, [1] the SUT's
 * @outcome:	What
 * @change:	JSON_DIFFERENT: what the first difference is; else
 *		JSON_NO_CHANGE
 * @fault:	Of each text
 * @at, @len:	JSON_DIFFERENT: the value there in each text, bytes; with a
 *		fault: how many bytes in front of it are right, @len is 0. Where
 *		a side has no such value both are 0
 * @rules:	Bit i: where rule i was met the texts were not the same, or it
 *		left something out
 * @met:	Bit i: rule i was met
 * @path:	Where, as a place, with a 0 at its end:
 *		$.items[sku="4711"].price
 * @cut:	@path had no room for the rest
 */
struct json_verdict {
	enum json_outcome outcome;
	enum json_change change;
	enum json_fault fault[2];
	size_t at[2];
	size_t len[2];
	uint64_t rules;
	uint64_t met;
	char path[JSON_PATH];
	bool cut;
};

struct json; /* memory for one comparison at a time, and its rules */

/** json_size() - Bytes that json_init() takes of an arena
 * @members:	Members that can be open at once: of all objects from the
 *		outermost to the innermost one, and elements of sets; 2 to 2^28
 */
size_t json_size(uint32_t members);

/**
 * json_init() - Make one
 * @out:	Set on success
 * @a:		Where its memory comes from; it stays the arena's
 * @members:	As for json_size(). Two objects of n members, or two sets of n
 *		elements, take at most 5 n with what pairs them
 * @key:	Secret: whoever does not know it cannot find two values of one
 *		hash
 *
 * Return: 0 or -ENOMEM
 */
int json_init(struct json **out, struct arena *a, uint32_t members,
	      const struct hash_key *key);

/**
 * json_rules() - Compare by these from now on
 * @rule, @n:	Rules; they stay the caller's, and must outlive their use. Where
 *		two are met at one place the later one counts
 *
 * Return: 0, -E2BIG (more than JSON_RULES, or JSON_STATES steps of all), and
 * then the rules are as before
 */
int json_rules(struct json *j, const struct json_rule *const *rule, uint32_t n);

/**
 * json_hash() - Hash of a text's value
 * @j:		Memory
 * @p, @n:	Text, below 4 GB
 * @hash:	Set if it has one. Equal for all texts of one value. Two values
 *		that only rules with a tolerance, or a class, make alike may
 *		have one, too
 * @at:		How many bytes are right
 *
 * Time grows with @n. Return: JSON_FINE, or why there is none
 */
enum json_fault json_hash(struct json *j, const uint8_t *p, size_t n,
			  uint64_t *hash, size_t *at);

/**
 * json_compare() - Compare two texts, each below 4 GB
 * @j:		Memory
 * @a, @an:	Production's
 * @b, @bn:	The SUT's
 *
 * Time grows with @an + @bn. A fault of the SUT's alone is a difference, but
 * for JSON_MANY, which says more of our memory than of the text.
 */
void json_compare(struct json *j, const uint8_t *a, size_t an, const uint8_t *b,
		  size_t bn, struct json_verdict *out);

#endif /* DEEP_JSON_H */
