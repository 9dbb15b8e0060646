/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_internal - What the files of a report share
 */
#ifndef REPORT_REPORT_INTERNAL_H
#define REPORT_REPORT_INTERNAL_H

#include "report/json.h"
#include "report/report.h"
#include "report/text.h"

/** report_text_maps() - Verdicts of each --map, if there are several */
void report_text_maps(struct text *t, const struct report_data *d);

/** report_text_places() - The endpoints that differ most, and how to see one again */
void report_text_places(struct text *t, const struct report_data *d);

/** report_json_each() - "reasons": differences by each of their reasons */
void report_json_each(struct json *j, const uint64_t *each);

/** report_json_places() - "maps" and "endpoints" */
void report_json_places(struct json *j, const struct report_data *d);

#endif /* REPORT_REPORT_INTERNAL_H */
