/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keep_internal - What the files of keep share
 */
#ifndef COMPARE_KEEP_INTERNAL_H
#define COMPARE_KEEP_INTERNAL_H

#include "app/head.h"
#include "compare/keep.h"

/**
 * struct keep - Kept bytes
 * @self:	Frame it lies in
 * @most:	Bytes of each answer's content
 * @lost:	Bit enum case_part: it is not whole, and gone
 * @late:	keep_late()
 * @asked:	What was asked for; it has no ASKED_HOST if that is not known
 */
struct keep {
	struct buf *self;
	uint32_t most;
	uint32_t lost;
	int64_t late;
	struct asked asked;
	struct strand part[CASE_PARTS];
};

/* A part, as far as it lies in its first frame. Return: is that all of it? */
bool keep_whole(const struct keep *k, unsigned part, struct head_rest *out);

#endif /* COMPARE_KEEP_INTERNAL_H */
