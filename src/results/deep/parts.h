/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parts - Bodies that are made of parts
 *
 * multipart (RFC 2046 section 5.1), byteranges among them (RFC 9110 section
 * 14.6): parts are paired in their order, boundaries are free, fields of a part
 * are compared as those of a head, and its content by its bytes. A form
 * (application/x-www-form-urlencoded): fields by name, in any order of names,
 * by what their escapes mean.
 */
#ifndef DEEP_PARTS_H
#define DEEP_PARTS_H

#include "deep/headers.h"

#define PARTS_MOST 256u /* parts of a body, or fields of a form */

enum parts_outcome {
	PARTS_EQUAL,
	PARTS_DIFFERENT,
	PARTS_UNJUDGED, /* production's cannot be read, or has too many */
};

enum parts_change {
	PARTS_NO_CHANGE,
	PARTS_BROKEN,  /* the SUT's cannot be read, or has too many */
	PARTS_MISSING, /* in the SUT's */
	PARTS_EXTRA,
	PARTS_HEADER, /* @head says which */
	PARTS_CONTENT,
};

/**
 * struct parts_verdict - What came of two bodies; [0] production's, [1] the
 * SUT's
 * @part:	PARTS_DIFFERENT: number of the part, from 0
 * @at, @len:	Its content in each, or of a form its field
 * @head:	PARTS_HEADER: what differs
 * @made:	What made heads of parts alike, as in headers_verdict
 */
struct parts_verdict {
	enum parts_outcome outcome;
	enum parts_change change;
	uint32_t part;
	size_t at[2];
	size_t len[2];
	uint32_t made;
	struct headers_verdict head;
};

/**
 * multipart_compare() - Compare two bodies of multipart
 * @by:		Rules for fields of parts
 * @type, @tn:	Content-Type of each side: its boundary
 */
void multipart_compare(const struct headers_rules *by,
		       const uint8_t *const type[2], const size_t tn[2],
		       const uint8_t *const body[2], const size_t n[2],
		       struct parts_verdict *out);

/** form_compare() - Compare two forms */
void form_compare(const uint8_t *const body[2], const size_t n[2],
		  struct parts_verdict *out);

#endif /* DEEP_PARTS_H */
