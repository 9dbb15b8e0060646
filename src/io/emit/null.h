/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * null - A sink that only counts, for runs without a SUT
 *
 * Destinations are still checked, so that such a run shows a machine's mistake
 * too.
 */
#ifndef EMIT_NULL_H
#define EMIT_NULL_H

#include "emit/sink.h"

/** struct sink_null - Private */
struct sink_null {
	struct sink sink;
};

/** sink_null_open() - Make one; @done is called at once. As sink_init() */
int sink_null_open(struct sink_null *n, const uint8_t *mac,
		   const struct emit_dest *dest, uint32_t dests,
		   sink_done_fn *done, void *ctx);

#endif /* EMIT_NULL_H */
