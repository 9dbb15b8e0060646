/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_internal - What the files of a report share
 */
#ifndef REPORT_REPORT_INTERNAL_H
#define REPORT_REPORT_INTERNAL_H

#include "report/report.h"
#include "text/json.h"
#include "text/text.h"

#define INDENT 12 /* columns in front of a paragraph, for its name */
/* Quantiles, in permille. */
#define P50 500
#define P99 990

/* report_text.c */

/* A paragraph: items with ", " between them, wrapped. */
struct para {
	struct text *t;
	size_t column;
	bool first; /* no item yet on this line */
};

void para_begin(struct para *p, struct text *t, const char *title);
void para_item(struct para *p, const char *item);
void para_count(struct para *p, const char *before, uint64_t v,
		const char *after);
void para_end(struct para *p);

/* report_json.c */

void report_put_counts(struct json *j, const char *key,
		       const struct report_counts *c);

/* report_times.c */

typedef void (*put_time_fn)(struct json *j, const char *key, uint64_t ns);

/* A quantile of @h, or null. */
void report_put_quantile(struct json *j, const char *key,
			 const struct histogram *h, unsigned permille,
			 put_time_fn put_time);
void report_put_latency(struct json *j, const struct report_data *d);
void report_times(struct text *t, const struct report_data *d);
/** report_text_maps() - Verdicts of each --map, if there are several */
void report_text_maps(struct text *t, const struct report_data *d);

/**
 * report_text_places() - The endpoints that differ most, and how to see one
 * again
 */
void report_text_places(struct text *t, const struct report_data *d);

/* report_rules.c; nothing without rules */
void report_text_rules(struct text *t, const struct report_data *d);
void report_json_rules(struct json *j, const struct report_data *d);

/* report_noise.c; nothing without a baseline */
void report_text_noise(struct text *t, const struct report_data *d);
void report_json_noise(struct json *j, const struct report_data *d);

/* report_doubts.c; nothing where there are none */
void report_text_doubts(struct text *t, const struct report_data *d);
void report_json_doubts(struct json *j, const struct report_data *d);

/** report_add_percent() - A share in 1/1000000 with its sign, one decimal */
void report_add_percent(struct text *t, int64_t ppm);

/** report_excused() - Different answers that are noise */
uint64_t report_excused(const struct report_data *d);

/** report_curl() - A request of a place, as a line for a shell
 *
 * Return: false: there is none, and what is in @t is none
 */
bool report_curl(struct text *t, const struct report_place *p);

/** report_json_each() - "reasons": differences by each of their reasons */
void report_json_each(struct json *j, const uint64_t *each);

/** report_json_places() - "maps" and "endpoints" */
void report_json_places(struct json *j, const struct report_data *d);

/** report_put_endpoint() - "key": "192.0.2.1:80" */
void report_put_endpoint(struct json *j, const char *key,
			 const struct report_endpoint *e);

#endif /* REPORT_REPORT_INTERNAL_H */
