/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case - An exchange that its bytes alone do not judge
 *
 * What is handed to a judge is one message: both answers as their framers had
 * them, content codings and all. What comes back is an answer. Either may have
 * been written by a process that somebody else has taken over, so who reads one
 * checks it first.
 */
#ifndef COMPARE_CASE_H
#define COMPARE_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/asked.h"
#include "compare/compare.h"
#include "compare/kind.h"
#include "compare/place.h"
#include "rules/class.h"
#include "rules/rules.h"

/* What a case is made of: production's, and behind it the SUT's. */
enum case_part {
	CASE_HEAD,
	CASE_TRAILER = CASE_HEAD + 2,
	CASE_BODY = CASE_TRAILER + 2,
	CASE_PARTS = CASE_BODY + 2,
};

/* Both bodies are the same bytes, and the SUT's is not in the message. */
#define CASE_SAME_BODY 1u
/* Nothing is asked: production's answer is to be remembered. */
#define CASE_NOTE  2u
#define CASE_ASKED 8u /* from this bit on: asked.flags */
#define CASE_FLAGS                                                             \
	(CASE_SAME_BODY | CASE_NOTE |                                          \
	 (ASKED_HEAD | (ASKED_HEAD - 1)) << CASE_ASKED)

#define CASE_FIXED (40u + 4u * CASE_PARTS) /* bytes in front of the parts */

/**
 * struct case_view - A case that is read; the bytes are borrowed
 * @serial:	Number of the case in its run
 * @endpoint:	Of the rules
 * @flags:	CASE_SAME_BODY, CASE_NOTE, and what was asked
 * @at:		When production answered, ns
 * @late:	keep_late()
 * @object:	Which object it is about; 0: it is not known
 */
struct case_view {
	uint64_t serial;
	uint32_t endpoint;
	uint32_t flags;
	uint64_t at;
	int64_t late;
	uint64_t object;
	struct {
		const uint8_t *p;
		uint32_t n;
	} part[CASE_PARTS];
};

/**
 * case_put_fixed() - Write what stands in front of the parts: CASE_FIXED bytes
 */
void case_put_fixed(const struct case_view *c, uint8_t *out);

/**
 * case_read() - Read a message of any bytes
 * @endpoints:	There are so many
 *
 * Return: 0, or -EBADMSG: it is none (@out is untouched)
 */
int case_read(struct case_view *out, uint32_t endpoints, const uint8_t *p,
	      size_t n);

/* What made two answers alike that are not the same bytes. */
#define CASE_MADES(X)                                                          \
	/* as headers_made of results/deep */                                  \
	X(CASE_BY_ORDER, "order")                                              \
	X(CASE_BY_IGNORE, "ignore")                                            \
	X(CASE_BY_SET, "set")                                                  \
	X(CASE_BY_CASE, "case")                                                \
	X(CASE_BY_DATE, "date")                                                \
	X(CASE_BY_CLASS, "class")                                              \
	X(CASE_BY_ALIAS, "alias")                                              \
	X(CASE_BY_TYPE, "type")                                                \
	X(CASE_BY_COOKIE, "cookie")                                            \
	X(CASE_BY_CODING, "coding")                                            \
	/* of bodies */                                                        \
	X(CASE_BY_JSON, "json")	    /* another spelling of one value */        \
	X(CASE_BY_PLACE, "place")   /* rules for places of a JSON text */      \
	X(CASE_BY_MARKUP, "markup") /* another spelling of the same tokens */  \
	X(CASE_BY_TOKEN, "token")   /* values that no server gives twice */    \
	X(CASE_BY_MASK, "mask")                                                \
	X(CASE_BY_PARTS, "parts")   /* boundaries, escapes, order of fields */ \
	X(CASE_BY_STATUS, "status") /* no more of the endpoint is compared */  \
	/* of what production has served before, or later */                   \
	X(CASE_BY_VALIDATOR, "validator") /* as that which the client has */   \
	X(CASE_BY_OLDER, "older")	  /* still fresh */                    \
	X(CASE_BY_NEWER, "newer")                                              \
	X(CASE_BY_REPLY, "reply")   /* rules for commands of redis */          \
	X(CASE_BY_TTL, "ttl")	    /* a rule for times to live of DNS */      \
	X(CASE_BY_SUBSET, "subset") /* the same for parts of a set */

enum case_made {
#define X(id, name) id,
	CASE_MADES(X)
#undef X
		CASE_MADE_COUNT
};

/** case_made_name() - As reports spell it */
const char *case_made_name(enum case_made m);

/**
 * struct case_class - Of what class a value is
 * @mask:	Bit enum value_class: it is of it; and CASE_LITERAL ...
 * @len:	Its bytes, or the number of its shape: those of CASE_SIZED are
 *		alike if this is the same
 */
struct case_class {
	uint16_t mask;
	uint16_t len;
};

#define CASE_LITERAL (1u << CLASS_COUNT)       /* true, false, null */
#define CASE_EMPTY   (1u << (CLASS_COUNT + 1)) /* a text of no bytes */
#define CASE_WORDS   (1u << (CLASS_COUNT + 2)) /* any other text */
#define CASE_SHAPE   (1u << (CLASS_COUNT + 3)) /* a line or a token of a page */
#define CASE_SIZED   (1u << CLASS_HEX | 1u << CLASS_TOKEN | CASE_SHAPE)

#define CASE_FOUND 8u /* places of a difference */

/**
 * struct case_found - One place in which two answers differ
 * @judge, @change: As case_place
 * @place:	Without numbers, captured bytes, zeroes behind its end
 * @class:	Of both values; zeroes where there is none
 */
struct case_found {
	uint8_t judge;
	uint8_t change;
	struct case_class class[2];
	char place[KIND_PLACE];
};

#define CASE_GIVEN 8u /* tokens of an answer; of more the first ones */

#define CASE_RULES 24u /* lines that are told; of more the first ones */
/**
 * struct case_answer - What a judge says
 * @serial:	Of the case
 * @verdict:	VERDICT_EQUIVALENT, _DIFFERENT or _NOT_COMPARED
 * @reason:	With _DIFFERENT REASON_STATUS, _HEADER or _BODY, the first of
 *		@reasons;
 *		with _NOT_COMPARED REASON_TOO_LONG, _BOMB, _CODING, _UNJUDGED or
 *		_VALIDATOR
 * @reasons:	All of a difference, as reason_bit()
 * @made:	VERDICT_EQUIVALENT: bits of enum case_made
 * @rules, @rule: The same: numbers of the lines that were needed
 * @place:	VERDICT_DIFFERENT
 * @class:	Of both values there
 * @given, @givens: Numbers of tokens that production has set, and the SUT
 *		otherwise, whatever the verdict is
 * @found, @founds: All places, if all were asked for
 * @more:	And others, without room
 * @held:	The same: it is taken back by another answer of this serial if
 *		production comes to serve what the SUT did
 */
struct case_answer {
	uint64_t serial;
	uint8_t verdict;
	uint8_t reason;
	uint8_t held; /* 0 or 1 */
	uint8_t rules;
	uint32_t made;
	uint64_t reasons;
	uint16_t rule[CASE_RULES];
	struct case_place place;
	struct case_class class[2];
	uint8_t givens;
	uint64_t given[CASE_GIVEN];
	uint8_t founds;
	bool more;
	struct case_found found[CASE_FOUND];
};

/** case_is_answer() - Is every member in its range? @lines: of the rules */
bool case_is_answer(const struct case_answer *a, uint32_t lines);

/** case_needs() - Line @rule was needed, once */
void case_needs(struct case_answer *a, uint16_t rule);

#endif /* COMPARE_CASE_H */
