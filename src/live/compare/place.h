/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place - Where two answers differ, as a judge has found it
 */
#ifndef COMPARE_PLACE_H
#define COMPARE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

/* By whom two bodies, or heads, were judged last. */
#define CASE_JUDGES(X)                                                         \
	X(CASE_NOBODY, "none")                                                 \
	X(CASE_HEADERS, "headers")                                             \
	X(CASE_TRAILERS, "trailers")                                           \
	X(CASE_CODING, "coding") /* how the content is encoded */              \
	X(CASE_JSON, "json")                                                   \
	X(CASE_HTML, "html")                                                   \
	X(CASE_XML, "xml")                                                     \
	X(CASE_TEXT, "text")                                                   \
	X(CASE_MULTIPART, "multipart")                                         \
	X(CASE_FORM, "form")                                                   \
	X(CASE_BYTES, "bytes")                                                 \
	X(CASE_VERSION, "version") /* which one of the object it is */

enum case_judge {
#define X(id, name) id,
	CASE_JUDGES(X)
#undef X
		CASE_JUDGE_COUNT
};

/* What is not the same at the place that is named. */
#define CASE_CHANGES(X)                                                        \
	X(CASE_NO_CHANGE, "none")                                              \
	X(CASE_VALUE, "value")                                                 \
	X(CASE_TYPE, "type")                                                   \
	X(CASE_MISSING, "missing")                                             \
	X(CASE_EXTRA, "extra")                                                 \
	X(CASE_ORDER, "order")                                                 \
	X(CASE_BROKEN,                                                         \
	  "broken") /* the SUT's cannot be read, production's can */           \
	X(CASE_SOMEWHERE, "somewhere") /* in or below the place */

enum case_change {
#define X(id, name) id,
	CASE_CHANGES(X)
#undef X
		CASE_CHANGE_COUNT
};

/** case_judge_name(), case_change_name() - As reports spell them */
const char *case_judge_name(enum case_judge j);
const char *case_change_name(enum case_change c);

#define CASE_PLACE 120u
#define CASE_SHOWN 40u /* bytes of a value */

/**
 * struct case_place - Where two answers differ
 * @judge, @change: enum case_judge (CASE_NOBODY: it is not told), case_change
 * @name:	A field, a place of a JSON text, elements, a line, a part;
 *		captured bytes, hostile, with a 0 at the end
 * @has:	Which side has a value there
 * @len, @value: The beginning of it; [0] production's
 */
struct case_place {
	uint8_t judge;
	uint8_t change;
	bool has[2];
	uint8_t len[2];
	char name[CASE_PLACE];
	uint8_t value[2][CASE_SHOWN];
};

#endif /* COMPARE_PLACE_H */
