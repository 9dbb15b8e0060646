/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account_internal - What the files of account share
 */
#ifndef ACCOUNT_ACCOUNT_INTERNAL_H
#define ACCOUNT_ACCOUNT_INTERNAL_H

#include "account/snapshot.h"

/* snapshot.c: as memcmp(), of two names; the shorter one first */
int snapshot_by_name(const char *a, size_t n, const char *b, size_t m);

/* item.c */

/* A request's line, and tags in it. */
#define ITEM_REQUEST (2 * RECORD_REQUEST)

/* A request as it is shown. Return: its length in @out */
size_t item_request(const struct redact *by, const char *p, size_t n,
		    char out[ITEM_REQUEST]);

/* A flow that ended as its client, or production, ended it: nothing went wrong.
 */
bool item_is_usual(const struct engine_event *ev);

/* places.c */
void snapshot_places(struct snapshot *f, const struct run_facts *x,
		     const struct engine_stats *st);

/* beside.c; without a baseline nothing */
void snapshot_noise(struct snapshot *f, const struct engine *engine,
		    const struct run_facts *x);

#endif /* ACCOUNT_ACCOUNT_INTERNAL_H */
