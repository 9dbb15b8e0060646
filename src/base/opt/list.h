/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list - Values that are lists with commas, as tcpprep writes them
 */
#ifndef OPT_LIST_H
#define OPT_LIST_H

#include <stdbool.h>

#include "core/range.h"
#include "os/errbuf.h"

#define LIST_MAX  1024 /* items of a list */
#define LIST_ITEM 256  /* bytes of one, with its end */

/**
 * list_next() - Take the next item of a list; empty ones are stepped over
 *
 * Return: 1, 0 at the end, -E2BIG
 */
int list_next(const char **p, char out[LIST_ITEM]);

/**
 * list_ranges() - N, N-M or N- with commas; with a leading 0 in octal
 * @tcpprep:	N- is none, as in tcpprep, whose manual alone has it
 * @out:	Room for LIST_MAX
 *
 * Return: how many, -EINVAL or -E2BIG with a sentence
 */
int list_ranges(const char *s, bool tcpprep, struct number_range *out,
		struct errbuf *e);

#endif /* OPT_LIST_H */
