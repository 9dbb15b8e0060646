/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * brotli.c - br by libbrotli
 *
 * Its window is at most 16 MB (RFC 7932 section 9.1); larger ones are an option
 * that is left off.
 */
#include "codec/codec_internal.h"

#include <brotli/decode.h>
#include <errno.h>

struct brotli {
	BrotliDecoderState *b;
	struct budget *budget;
};

static void end(void *state)
{
	struct brotli *t = state;

	if (t->b)
		BrotliDecoderDestroyInstance(t->b);
	budget_give(t->budget, t);
}

static void *begin(struct budget *b, enum coding c)
{
	struct brotli *t = budget_take(b, sizeof(*t));

	(void)c;
	if (!t)
		return NULL;
	t->budget = b;
	t->b = BrotliDecoderCreateInstance(budget_take, budget_give, b);
	if (!t->b) {
		end(t);
		return NULL;
	}
	return t;
}

static int step(void *state, struct step *s)
{
	struct brotli *t = state;

	switch (BrotliDecoderDecompressStream(t->b, &s->n, &s->in, &s->room,
					      &s->out, NULL)) {
	case BROTLI_DECODER_RESULT_SUCCESS:
		return 1;
	case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
	case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
		return 0;
	default:
		return -EBADMSG;
	}
}

const struct codec codec_brotli = {
	.begin = begin,
	.step = step,
	.end = end,
};
