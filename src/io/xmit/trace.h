/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace - Frames that are ready to be sent, in memory
 *
 * Bytes lie in blocks that never move, so that a frame's pointer stays good
 * while more are added. A trace grows up to a limit that its owner names; a
 * streaming reader keeps its limit small and clears the trace again and again.
 */
#ifndef XMIT_TRACE_H
#define XMIT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xmit/xmit.h"

/* A frame's address order; see trace_shift(). */
enum { TRACE_UP = 1 << 0 };

struct trace_block;

/**
 * struct trace - Frames in order
 * @frame, @frames: They
 * @bytes:	Sum of their lengths
 * @longest:	Length of the longest
 * @supers:	How many of them are super-frames
 * @base:	Is added to each due time, ns
 * @limit:	Bytes of memory that it may take
 */
struct trace {
	struct xmit_frame *frame;
	size_t frames;
	size_t room;
	uint8_t *flags;
	uint64_t bytes;
	uint32_t longest;
	uint64_t supers;
	uint64_t base;
	size_t limit;
	size_t taken;
	struct trace_block *first;
	struct trace_block *block;
};

/** trace_init() - An empty trace of at most @limit bytes of memory */
void trace_init(struct trace *t, size_t limit);

/** trace_free() - Give all memory back */
void trace_free(struct trace *t);

/** trace_clear() - Forget the frames, keep the memory */
void trace_clear(struct trace *t);

/**
 * trace_reserve() - Room for the next frame
 * @len:	Bytes
 *
 * Return: where to write them, good until the next call; NULL: the limit is
 * reached, or there is no memory
 */
uint8_t *trace_reserve(struct trace *t, uint32_t len);

/**
 * trace_add() - The frame is written
 * @f:		The frame; its data must be what trace_reserve() gave and its
 *		length at most what was reserved
 */
void trace_add(struct trace *t, const struct xmit_frame *f);

/**
 * trace_shift() - Give all frames other addresses
 * @n:		Added to the lower address of a flow, taken from the higher
 *
 * Which one was lower is noted when a frame is added, so that both directions
 * of a flow stay one flow however often it is shifted.
 */
void trace_shift(struct trace *t, uint32_t n);

#endif /* XMIT_TRACE_H */
