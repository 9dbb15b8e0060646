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

#include "compare/compare.h"
#include "compare/place.h"
#include "rules/rules.h"

/* What a case is made of: production's, and behind it the SUT's. */
enum case_part {
	CASE_HEAD,
	CASE_TRAILER = CASE_HEAD + 2,
	CASE_BODY = CASE_TRAILER + 2,
	CASE_PARTS = CASE_BODY + 2,
};

/* Both bodies are the same bytes, and not in the message. */
#define CASE_SAME_BODY 1u

#define CASE_FIXED (24u + 4u * CASE_PARTS) /* bytes in front of the parts */

/**
 * struct case_view - A case that is read; the bytes are borrowed
 * @serial:	Number of the case in its run
 * @endpoint:	Of the rules
 * @flags:	CASE_SAME_BODY
 */
struct case_view {
	uint64_t serial;
	uint32_t endpoint;
	uint32_t flags;
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
	X(CASE_BY_STATUS, "status") /* no more of the endpoint is compared */

enum case_made {
#define X(id, name) id,
	CASE_MADES(X)
#undef X
		CASE_MADE_COUNT
};

/** case_made_name() - As reports spell it */
const char *case_made_name(enum case_made m);

#define CASE_RULES 24u /* lines that are told; of more the first ones */
/**
 * struct case_answer - What a judge says
 * @serial:	Of the case
 * @verdict:	VERDICT_EQUIVALENT, _DIFFERENT or _NOT_COMPARED
 * @reason:	With _DIFFERENT REASON_HEADER or _BODY, the first of @reasons;
 *		with _NOT_COMPARED REASON_TOO_LONG, _BOMB, _CODING or _UNJUDGED
 * @reasons:	All of a difference, as reason_bit()
 * @made:	VERDICT_EQUIVALENT: bits of enum case_made
 * @rules, @rule: The same: numbers of the lines that were needed
 * @place:	VERDICT_DIFFERENT
 */
struct case_answer {
	uint64_t serial;
	uint8_t verdict;
	uint8_t reason;
	uint16_t rules;
	uint32_t made;
	uint64_t reasons;
	uint16_t rule[CASE_RULES];
	struct case_place place;
};

/** case_is_answer() - Is every member in its range? @lines: of the rules */
bool case_is_answer(const struct case_answer *a, uint32_t lines);

/** case_needs() - Line @rule was needed, once */
void case_needs(struct case_answer *a, uint16_t rule);

#endif /* COMPARE_CASE_H */
