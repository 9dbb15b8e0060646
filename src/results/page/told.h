/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * told - Rows of a store as JSON
 *
 * Numbers that may be beyond 2^53, which a browser does not read whole, are
 * left out or told in a larger unit: times are ms.
 */
#ifndef PAGE_TOLD_H
#define PAGE_TOLD_H

#include "store/look.h"
#include "text/json.h"

void told_facts(struct json *j, const struct form *f, bool ended);
void told_ticks(struct json *j, const struct store_tick *t, size_t n);
void told_kind(struct json *j, const char *key, const struct archive_kind *k);

/** told_difference() - @whole: all of it, not as a row of a list; without
 * samples
 */
void told_difference(struct json *j, const char *key,
		     const struct look_difference *d, bool whole);
void told_samples(struct json *j, const struct sample *s, size_t n);

#endif /* PAGE_TOLD_H */
