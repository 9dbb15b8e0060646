/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream - One direction of a connection, put in order
 *
 * A stream takes segments in any order and hands out each byte once, in order.
 * Segments that come in order are never copied; those that are early are kept
 * in frames of the pool, sorted, bounded by STREAM_HELD. Where copies of the
 * same bytes disagree, the one counts that Linux takes (stream.c), and the
 * stream is flagged.
 */
#ifndef FLOW_STREAM_H
#define FLOW_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/seq.h"
#include "wire/segment.h"

/* Early segments that one stream keeps; full: the new one is dropped (it counts
 * as missed by the capture).
 */
#define STREAM_HELD 2048

/* Bits of stream.flags. */
enum {
	STREAM_ON = 1 << 0,	  /* nxt is valid */
	STREAM_FIN = 1 << 1,	  /* fin is valid */
	STREAM_ENDED = 1 << 2,	  /* everything up to the FIN is in order */
	STREAM_CONFLICT = 1 << 3, /* copies of the same bytes disagreed */
};

/**
 * struct stream - One direction
 * @nxt:	First sequence number that is not in order yet
 * @fin:	Sequence number of the FIN
 * @held:	Frames in @early
 * @flags:	STREAM_ bits
 * @fin_ack:	What was acked with the FIN when it came first; set by the
 *		machine, of the SUT's
 * @early:	Segments after a hole, by seq; they may overlap
 * @early_tail:	Last of them
 */
struct stream {
	uint32_t nxt;
	uint32_t fin;
	uint16_t held;
	uint8_t flags;
	uint32_t fin_ack;
	struct buf *early;
	struct buf *early_tail;
};

/** stream_start() - Begin at sequence number @seq */
static inline void stream_start(struct stream *s, uint32_t seq)
{
	s->nxt = seq;
	s->flags = STREAM_ON;
}

/** stream_has() - Test for all of the bits @f */
static inline bool stream_has(const struct stream *s, uint8_t f)
{
	return (s->flags & f) == f;
}

enum stream_result {
	STREAM_IN_ORDER, /* @skip and @take say which bytes are new */
	STREAM_OLD,	 /* nothing new in it */
	STREAM_EARLY,	 /* kept for later */
	STREAM_FULL,	 /* early, and could not be kept */
};

/**
 * stream_data() - Bytes of a segment
 * @s:		Stream, STREAM_ON
 * @pool:	Where early segments are kept (BUF_QUEUE)
 * @seg:	Segment with cap == len > 0
 * @now:	Time, for the frame
 * @skip, @take: With STREAM_IN_ORDER: offset of the first new byte, and how
 *		many; @s->nxt is already behind them
 */
enum stream_result stream_data(struct stream *s, struct pool *pool,
			       const struct segment *seg, uint64_t now,
			       uint32_t *skip, uint32_t *take);

/** stream_hold() - Keep a segment as if it were early. Return: not IN_ORDER */
enum stream_result stream_hold(struct stream *s, struct pool *pool,
			       const struct segment *seg, uint64_t now);

/**
 * stream_pop() - Take the next early segment if its turn has come
 * @s:		Stream
 * @pool:	For those that turn out to be old
 * @skip:	Bytes at its front that are old
 *
 * Return: the frame, now the caller's; NULL: none. @s->nxt is behind it
 */
struct buf *stream_pop(struct stream *s, struct pool *pool, uint32_t *skip);

/** stream_fin() - A FIN was seen (or inferred) at sequence number @seq */
void stream_fin(struct stream *s, uint32_t seq);

/** stream_end() - First sequence number after all that is in order, the FIN
 * counted
 */
static inline uint32_t stream_end(const struct stream *s)
{
	return s->nxt + ((s->flags & STREAM_ENDED) != 0);
}

/** stream_settle() - Set STREAM_ENDED if the FIN's turn has come */
static inline void stream_settle(struct stream *s)
{
	if (stream_has(s, STREAM_FIN) && s->nxt == s->fin)
		s->flags |= STREAM_ENDED;
}

/**
 * stream_skip() - Give up everything before sequence number @to
 *
 * Early segments before it are freed. Never beyond a FIN that is known. Return:
 * bytes that were never seen
 */
uint32_t stream_skip(struct stream *s, struct pool *pool, uint32_t to);

/** stream_drop() - Free all early segments */
void stream_drop(struct stream *s, struct pool *pool);

#endif /* FLOW_STREAM_H */
