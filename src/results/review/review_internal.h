/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * review_internal - What the files of review share
 */
#ifndef REVIEW_REVIEW_INTERNAL_H
#define REVIEW_REVIEW_INTERNAL_H

#include <stdio.h>

#include "review/review.h"
#include "store/store.h"

/** review_new() - Make a file, or take standard output ("-"). Return: a stream,
 * or NULL with a sentence
 */
FILE *review_new(const char *path, struct errbuf *e);

/** review_enter() - Nothing but these folders may be opened from now on */
int review_enter(const struct review_options *o, struct errbuf *e);

/** review_end() - Close it. Return: 0; -EIO with a sentence: not all of it was
 * written
 */
int review_end(FILE *f, const char *path, struct errbuf *e);

#endif /* REVIEW_REVIEW_INTERNAL_H */
