/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.c - Frames that are ready to be sent, in memory
 */
#include "xmit/trace.h"

#include <stdlib.h>
#include <string.h>

#include "rewrite/shape.h"

#define BLOCK	   ((size_t)4 << 20)
#define FIRST_ROOM 1024

/* One block of bytes; the next one is kept when a trace is cleared. */
struct trace_block {
	struct trace_block *next;
	size_t used;
	uint8_t b[];
};

void trace_init(struct trace *t, size_t limit)
{
	memset(t, 0, sizeof(*t));
	t->limit = limit;
}

void trace_free(struct trace *t)
{
	struct trace_block *b = t->first;

	while (b) {
		struct trace_block *next = b->next;

		free(b);
		b = next;
	}
	free(t->frame);
	free(t->flags);
	memset(t, 0, sizeof(*t));
}

void trace_clear(struct trace *t)
{
	t->frames = 0;
	t->bytes = 0;
	t->longest = 0;
	t->supers = 0;
	t->block = t->first;
	if (t->block)
		t->block->used = 0;
}

static bool grow_frames(struct trace *t)
{
	size_t room = t->room ? t->room * 2 : FIRST_ROOM;
	size_t more = (room - t->room) * (sizeof(*t->frame) + 1);
	struct xmit_frame *frame;
	uint8_t *flags;

	if (t->taken > t->limit || more > t->limit - t->taken)
		return false;
	frame = realloc(t->frame, room * sizeof(*frame));
	if (!frame)
		return false;
	t->frame = frame;
	flags = realloc(t->flags, room);
	if (!flags)
		return false;
	t->flags = flags;
	t->room = room;
	t->taken += more;
	return true;
}

static bool next_block(struct trace *t)
{
	struct trace_block *b = t->block ? t->block->next : NULL;

	if (!b) {
		if (t->taken > t->limit || BLOCK > t->limit - t->taken)
			return false;
		b = malloc(sizeof(*b) + BLOCK);
		if (!b)
			return false;
		b->next = NULL;
		t->taken += BLOCK;
		if (t->block)
			t->block->next = b;
		else
			t->first = b;
	}
	b->used = 0;
	t->block = b;
	return true;
}

uint8_t *trace_reserve(struct trace *t, uint32_t len)
{
	if (len > BLOCK || (t->frames == t->room && !grow_frames(t)))
		return NULL;
	if ((!t->block || len > BLOCK - t->block->used) && !next_block(t))
		return NULL;
	return t->block->b + t->block->used;
}

void trace_add(struct trace *t, const struct xmit_frame *f)
{
	struct shape s;

	t->flags[t->frames] = 0;
	if (shape_find(&s, f->data, f->len) == 0 &&
	    shape_ascending(&s, f->data))
		t->flags[t->frames] = TRACE_UP;
	t->frame[t->frames++] = *f;
	/* Eight by eight: what copies a frame likes it. */
	t->block->used += (f->len + 7u) / 8 * 8;
	if (t->block->used > BLOCK)
		t->block->used = BLOCK;
	t->bytes += f->len;
	if (f->len > t->longest)
		t->longest = f->len;
	t->supers += f->gso > 0;
}

void trace_shift(struct trace *t, uint32_t n)
{
	struct shape s;

	for (size_t i = 0; i < t->frames; i++) {
		const struct xmit_frame *f = &t->frame[i];
		/* The bytes are ours: they lie in our blocks. */
		uint8_t *p = (uint8_t *)(uintptr_t)f->data;

		if (shape_find(&s, p, f->len) == 0)
			shape_shift(&s, p, t->flags[i] & TRACE_UP, n);
	}
}
