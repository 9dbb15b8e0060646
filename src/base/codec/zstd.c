/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zstd.c - zstd by libzstd
 *
 * The library takes its memory from malloc(), since its face for other
 * allocators is not stable; what it takes is bounded by the window, and that is
 * 8 MB as RFC 9659 demands of a content coding.
 */
#include "codec/codec_internal.h"

#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

#define WINDOW_LOG 23

struct zstd {
	ZSTD_DCtx *z;
	struct budget *budget;
	bool full; /* it may have more than there was room for */
};

static void end(void *state)
{
	struct zstd *t = state;

	ZSTD_freeDCtx(t->z);
	budget_give(t->budget, t);
}

static void *begin(struct budget *b, enum coding c)
{
	struct zstd *t = budget_take(b, sizeof(*t));

	(void)c;
	if (!t)
		return NULL;
	t->budget = b;
	t->full = false;
	t->z = ZSTD_createDCtx();
	if (!t->z || ZSTD_isError(ZSTD_DCtx_setParameter(
			     t->z, ZSTD_d_windowLogMax, WINDOW_LOG))) {
		end(t);
		return NULL;
	}
	return t;
}

static int step(void *state, struct step *s)
{
	struct zstd *t = state;
	ZSTD_inBuffer in = { s->in, s->n, 0 };
	ZSTD_outBuffer out = { s->out, s->room, 0 };
	size_t rc;

	/* The library counts calls that do nothing, and fails at the 16th. */
	if (s->n == 0 && !t->full)
		return 0;
	rc = ZSTD_decompressStream(t->z, &out, &in);
	t->full = out.pos == out.size;
	s->in += in.pos;
	s->n -= in.pos;
	s->out += out.pos;
	s->room -= out.pos;
	if (!ZSTD_isError(rc))
		return rc == 0;
	if (ZSTD_getErrorCode(rc) == ZSTD_error_frameParameter_windowTooLarge)
		return -ENOMEM;
	return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? -ENOMEM
								     : -EBADMSG;
}

const struct codec codec_zstd = {
	.begin = begin,
	.step = step,
	.end = end,
	.again = true,
};
