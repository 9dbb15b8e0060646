/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * samples - The first differences of each kind, kept for the end of a run
 */
#ifndef OUTCOME_SAMPLES_H
#define OUTCOME_SAMPLES_H

#include "account/snapshot.h"
#include "record/record.h"

struct samples;

/** samples_new() - An empty one; NULL: no memory */
struct samples *samples_new(void);
void samples_free(struct samples *s);

/**
 * samples_put() - A record of the engine: kept as it came, if it is a
 * difference of a kind of which few are there (forms/few.h)
 */
void samples_put(struct samples *s, const struct engine_item *t);

/**
 * samples_tell() - What is kept, in words
 * @t, @by:	As item_json()
 * @out:	Set; lives as long as @s, and until the next call
 *
 * Return: how many
 */
size_t samples_tell(struct samples *s, const struct run_epoch *t,
		    const struct redact *by,
		    const struct report_difference **out);

/** samples_left() - Differences that are not kept */
uint64_t samples_left(const struct samples *s);

#endif /* OUTCOME_SAMPLES_H */
