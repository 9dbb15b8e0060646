/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * merge - One answer of several workers'
 */
#ifndef CREW_MERGE_H
#define CREW_MERGE_H

#include <stddef.h>

#include "text/text.h"

#define MERGE_MOST 32 /* parts */

/**
 * merge_list() - One list of several
 * @part, @n:	Lists, 1 to MERGE_MOST: lines that begin with {"id":N, and N
 *		grows; the last one may be {"more":N}, from where there are
 *		others. Text that is something else ends its list
 * @room:	Bytes that @out may have before it is cut like this, too
 *
 * What is cut is so at the lowest number that is not told, so that who asks
 * from there on misses nobody.
 */
void merge_list(const char *const *part, unsigned n, size_t room,
		struct text *out);

#endif /* CREW_MERGE_H */
