/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account_internal - What the files of account share
 */
#ifndef ACCOUNT_ACCOUNT_INTERNAL_H
#define ACCOUNT_ACCOUNT_INTERNAL_H

#include "account/snapshot.h"

/* beside.c; without a baseline nothing */
void snapshot_noise(struct snapshot *f, const struct engine *engine,
		    const struct run_facts *x);

#endif /* ACCOUNT_ACCOUNT_INTERNAL_H */
