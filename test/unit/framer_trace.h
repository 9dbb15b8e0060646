/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framer_trace - What a framer makes of a stream, as a line of text
 *
 * Neighbouring pieces of one part and message are merged, so the text does not
 * depend on how the stream was cut: H head, I interim, B body, F framing,
 * T trailer, O opaque, each with its bytes. Behind a run: | the head ends,
 * . mark, ! tunnel from here, ~ only FIN ends it. A ? behind the mark, or at the
 * end, says that the message was ambiguous.
 */
#ifndef TEST_FRAMER_TRACE_H
#define TEST_FRAMER_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/framer.h"
#include "core/rng.h"

#define TRACE_MAX 4096

/**
 * struct trace - Zero is an empty one
 * @text:	The line so far, without the run under way
 * @len:	Its length; no more is written once it is full
 * @interim:	Bytes of interim answers in front of the run under way, which is
 *		a head and may still turn out to be one more of them
 * @run:	Bytes of the run under way
 * @part:	Its part
 * @ends:	Its head or message has ended, or a tunnel begun: nothing merges
 * @begun:	The message has begun
 * @errors:	Promises of framer.h that were broken
 */
struct trace {
	char text[TRACE_MAX];
	size_t len;
	uint64_t interim;
	uint64_t run;
	enum framer_part part;
	bool ends;
	bool begun;
	bool ambiguous;
	bool until_fin;
	bool tunnel;
	uint32_t index;
	unsigned errors;
};

static inline void trace_put(struct trace *t, const char *s)
{
	size_t n = strlen(s);

	if (t->len + n < TRACE_MAX) {
		memcpy(t->text + t->len, s, n + 1);
		t->len += n;
	}
}

static inline void trace_run(struct trace *t, char part, uint64_t bytes)
{
	char buf[32];

	if (bytes == 0)
		return;
	snprintf(buf, sizeof(buf), "%c%llu", part, (unsigned long long)bytes);
	trace_put(t, buf);
}

static inline void trace_flush(struct trace *t)
{
	trace_run(t, 'I', t->interim);
	trace_run(t, "HBFTIO"[t->part], t -> run);
	t->interim = 0;
	t->run = 0;
}

/* Take down one piece of an input of @n bytes. */
static inline void trace_add(struct trace *t, const struct framer_piece *piece,
			     uint32_t n)
{
	bool begin = (piece->flags & FRAMER_BEGIN) != 0;

	if (piece->used < 1 || piece->used > n || piece->index != t->index ||
	    (begin && t->begun) ||
	    (piece->part == FRAMER_HEAD && !begin && !t->begun) ||
	    (t->tunnel && (piece->flags & FRAMER_TUNNEL) == 0) ||
	    (t->ambiguous && (piece->flags & FRAMER_AMBIGUOUS) == 0))
		t->errors++;
	t->begun |= begin;
	if (piece->part == FRAMER_INTERIM && t->part == FRAMER_HEAD &&
	    !t->ends) {
		t->part = FRAMER_INTERIM;
		t->run += t->interim;
		t->interim = 0;
	}
	if (piece->part == FRAMER_HEAD && t->part == FRAMER_INTERIM) {
		t->interim = t->run;
		t->run = 0;
	}
	if (t->run > 0 && (t->ends || piece->part != t->part))
		trace_flush(t);
	if (piece->part == FRAMER_OPAQUE &&
	    (piece->flags & FRAMER_TUNNEL) != 0 && !t->tunnel) {
		trace_put(t, "!"); /* it began with what the server said */
		t->tunnel = true;
	}
	t->part = piece->part;
	t->run += piece->used;
	t->ends = false;
	t->ambiguous = (piece->flags & FRAMER_AMBIGUOUS) != 0;
	if ((piece->flags & FRAMER_HEAD_END) != 0) {
		trace_flush(t);
		trace_put(t, "|");
	}
	if ((piece->flags & FRAMER_UNTIL_FIN) != 0 && !t->until_fin) {
		trace_flush(t);
		trace_put(t, "~");
		t->until_fin = true;
	}
	if ((piece->flags & FRAMER_MARK) != 0) {
		trace_flush(t);
		trace_put(t, t->ambiguous ? ".?" : ".");
		t->ambiguous = false;
		t->begun = false;
		t->until_fin = false;
		t->ends = true;
		t->index++;
	}
	if ((piece->flags & FRAMER_TUNNEL) != 0 && !t->tunnel) {
		trace_flush(t);
		trace_put(t, "!");
		t->tunnel = true;
		t->ends = true;
	}
}

static inline const char *trace_end(struct trace *t)
{
	trace_flush(t);
	if (t->ambiguous)
		trace_put(t, "?");
	return t->text;
}

/* How an input is cut. */
enum cut { CUT_WHOLE, CUT_BYTES, CUT_RANDOM };

/**
 * trace_feed() - Feed @n bytes of @who's stream, cut as @cut says
 *
 * Each input is a heap copy of exactly its size, so that ASan sees an overrun.
 */
static inline void trace_feed(struct trace *t, const struct framer_ops *ops,
			      void *st, enum who who, const uint8_t *p,
			      size_t n, enum cut cut, struct rng *rng)
{
	struct framer_piece piece;

	while (n > 0) {
		size_t len = cut == CUT_WHOLE ? n : 1;
		uint8_t *copy;

		if (cut == CUT_RANDOM)
			len = 1 + rng_below(rng, n < 24 ? (uint32_t)n : 24);
		copy = malloc(len);
		if (copy == NULL)
			abort();
		memcpy(copy, p, len);
		for (size_t i = 0; i < len; i += piece.used) {
			ops->feed(st, who, copy + i, (uint32_t)(len - i),
				  &piece);
			trace_add(t, &piece, (uint32_t)(len - i));
			if (piece.used < 1 || piece.used > len - i)
				abort();
		}
		free(copy);
		p += len;
		n -= len;
	}
}

#endif /* TEST_FRAMER_TRACE_H */
