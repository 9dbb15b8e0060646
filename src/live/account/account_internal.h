/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account_internal - What the files of account share
 */
#ifndef ACCOUNT_ACCOUNT_INTERNAL_H
#define ACCOUNT_ACCOUNT_INTERNAL_H

#include "account/snapshot.h"

/* snapshot.c: as memcmp(), of two names; the shorter one first */
int snapshot_by_name(const char *a, size_t n, const char *b, size_t m);

/* beside.c; without a baseline nothing */
void snapshot_noise(struct snapshot *f, const struct engine *engine,
		    const struct run_facts *x);

#endif /* ACCOUNT_ACCOUNT_INTERNAL_H */
