/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out - Text on its way to a file, with all that others wrote in it escaped
 */
#ifndef FORMS_OUT_H
#define FORMS_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forms/forms.h"
#include "os/outlet.h"

/**
 * struct out - Where to
 * @error:	The first that there was; nothing is written from then on
 */
struct out {
	struct outlet outlet;
	int error;
	size_t used;
	char buf[16384];
};

/* What the text stands in. */
enum out_in {
	OUT_XML,      /* an element or a quoted attribute, of XML or HTML */
	OUT_MARKDOWN, /* a line, or a cell of a table */
	OUT_JSON,     /* a string */
	OUT_URL,      /* a URL, in a string of JSON */
};

/** out_put() - Our own words, as they are */
void out_put(struct out *o, const char *s);

/** out_add() - The same as printf() does, up to 512 bytes: numbers and words
 * of ours
 */
void out_add(struct out *o, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * out_text() - Bytes of anybody's
 *
 * Printable ASCII comes out, whatever goes in: other bytes are \xNN, as in all
 * reports.
 */
void out_text(struct out *o, enum out_in in, const void *p, size_t n);

/** out_str() - The same of a string */
void out_str(struct out *o, enum out_in in, const char *s);

/** out_flush() - Write what waits */
void out_flush(struct out *o);

/* The forms. */
void form_junit(struct out *o, const struct form *f);
void form_summary(struct out *o, const struct form *f);
void form_html(struct out *o, const struct form *f);
void form_har(struct out *o, const struct form *f);

/** form_head() - Bytes of the report's text that say how it ended, with its
 * warnings: up to the first empty line
 */
size_t form_head(const struct form *f);

/** out_any() - Is any of these not 0? */
bool out_any(const uint64_t verdicts[VERDICT_COUNT]);

/** form_limit() - What a gate allows, and what was found, in words */
#define FORM_LIMIT 96
const char *form_limit(char out[FORM_LIMIT], const struct report_gate *g);

#endif /* FORMS_OUT_H */
