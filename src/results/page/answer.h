/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer - What a client of the page is told of a store
 */
#ifndef PAGE_ANSWER_H
#define PAGE_ANSWER_H

#include "page/ask.h"
#include "os/errbuf.h"
#include "text/json.h"

#define ANSWER_MAX (2u << 20) /* bytes of any answer but a file */

/**
 * answer() - Make the answer to what was asked for
 * @dir:	Of the store
 * @out:	ANSWER_MAX bytes: JSON, or for ASK_METRICS Prometheus's text
 * @n:		Bytes of it
 *
 * The store is opened, read and closed: between two requests nobody is held up
 * by us. Return: 200; 404 (there is no such row); 503 (it cannot be read now,
 * with a sentence)
 */
int answer(const char *dir, const struct ask_want *w, char *out, size_t *n,
	   struct errbuf *e);

#endif /* PAGE_ANSWER_H */
