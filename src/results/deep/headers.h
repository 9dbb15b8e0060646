/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * headers - Do two heads mean the same?
 *
 * Names are compared without case and in any order, values of one name in
 * theirs (RFC 9110 section 5.3), each by what rules say of it; of two rules for
 * a name the later one of the view counts. Where none does: Age, Connection and
 * Keep-Alive are left out, Date and Expires may differ by RULES_CLOCK, a
 * Content-Type is compared by its parts, and the boundary of multipart is none
 * of them. Set-Cookie is compared by the cookie's name, its attributes in any
 * order; Expires of one is compared with each server's own Date. Hosts that the
 * rules call the same are the same in Location, Content-Location, Link,
 * Access-Control-Allow-Origin and a cookie's Domain.
 */
#ifndef DEEP_HEADERS_H
#define DEEP_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/rules.h"

#define HEADERS_MOST                                                           \
	300u /* fields of production's; a SUT may have twice as many */
#define HEADERS_NAME 64u /* bytes of a name that are told */

/* What the caller knows of both bodies. */
enum {
	/* They were decoded from other codings: Content-Encoding,
	 * Content-Length and Transfer-Encoding may differ, Vary by
	 * Accept-Encoding, an entity tag by being weak; Accept-Ranges may be in
	 * one of them only (what is encoded on its way has no ranges).
	 */
	HEADERS_RECODED = 1 << 0,
	/* They mean the same and are not the same bytes: Content-Length may
	 * differ.
	 */
	HEADERS_REWRITTEN = 1 << 1,
	/* Production's is of another moment: Date and Expires are left out. */
	HEADERS_OF_THEN = 1 << 2,
	/* Production's came with content, and the SUT's answers HEAD: fields of
	 * framing may be in one of them only.
	 */
	HEADERS_OF_GET = 1 << 3,
};

enum headers_outcome {
	HEADERS_EQUAL, /* @made says what was needed for it */
	HEADERS_DIFFERENT,
	HEADERS_UNJUDGED, /* production's has too many fields */
};

enum headers_change {
	HEADERS_NO_CHANGE,
	HEADERS_VALUE,
	HEADERS_MISSING, /* in the SUT's */
	HEADERS_EXTRA,
	HEADERS_MANY, /* the SUT's has too many fields */
};

/* What made fields alike that are not the same: bits of @made. */
#define HEADERS_MADE(X)                                                        \
	X(MADE_ORDER, "order") /* of names; case of names */                   \
	X(MADE_IGNORE, "ignore")                                               \
	X(MADE_SET, "set")                                                     \
	X(MADE_CASE, "case")                                                   \
	X(MADE_DATE, "date")                                                   \
	X(MADE_CLASS, "class")                                                 \
	X(MADE_ALIAS, "alias")                                                 \
	X(MADE_TYPE, "type") /* parts of a Content-Type */                     \
	X(MADE_COOKIE, "cookie")                                               \
	X(MADE_CODING, "coding")

enum headers_made {
#define X(id, name) id,
	HEADERS_MADE(X)
#undef X
		MADE_COUNT
};

/** headers_made_name() - As reports spell it */
const char *headers_made_name(enum headers_made m);

/**
 * struct headers_verdict - What came of two heads; [0] production's, [1] SUT's
 * @change:	HEADERS_DIFFERENT: what the first difference is, in production's
 *		order
 * @name:	Of the field, in lower case, with a 0 at its end
 * @part:	Name of the cookie, or empty
 * @attribute:	Of the cookie, or empty: its value
 * @at, @len:	Value of the field in each head; 0 where there is none
 * @made:	Bit headers_made: it was needed
 * @rules:	Bit i: header rule i of the view was needed
 * @cookies:	Bit i: cookie rule i of the view was needed
 */
struct headers_verdict {
	enum headers_outcome outcome;
	enum headers_change change;
	char name[HEADERS_NAME + 1];
	char part[HEADERS_NAME + 1];
	char attribute[HEADERS_NAME + 1];
	size_t at[2];
	size_t len[2];
	uint32_t made;
	uint64_t rules[RULES_VIEW_HEADERS / 64];
	uint64_t cookies;
};

/**
 * struct headers_rules - By what heads are compared
 * @rules:	Aliases come from here
 * @view:	Of the endpoint
 * @flags:	HEADERS_ bits
 * @late:	As rules_header_alike()
 */
struct headers_rules {
	const struct rules *rules;
	const struct rules_view *view;
	unsigned flags;
	int64_t late;
};

/**
 * headers_compare() - Compare the field lines of two heads
 * @by:		Rules
 * @a, @an:	Production's, without its status line; below 4 GB
 * @b, @bn:	The SUT's
 *
 * Time grows with the bytes, and with the number of fields squared.
 */
void headers_compare(const struct headers_rules *by, const uint8_t *a,
		     size_t an, const uint8_t *b, size_t bn,
		     struct headers_verdict *out);

#endif /* DEEP_HEADERS_H */
