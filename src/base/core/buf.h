/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf - Captured payload that somebody still needs, and the pool it is from
 *
 * A payload is copied out of a capture ring once, when a machine must keep it,
 * and never again: queues link it, effects point into it, sinks gather from it.
 * The interest mask says who still needs it. The last one to clear its bit
 * frees it.
 *
 * The pool is a buddy allocator over one block of the arena: sizes are powers
 * of two from BUF_MIN to BUF_TOP, so that a 60-byte request and a 64 KB
 * super-frame both lie in one piece, and occupancy returns to exactly 0.
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdint.h>

#include "core/arena.h"

#define BUF_MIN 256u	   /* smallest block, header included */
#define BUF_TOP (1u << 20) /* largest block */

/* Bits of the interest mask. */
enum {
	BUF_QUEUE = 1, /* a machine's queue */
	BUF_EMIT = 2,  /* effects that the sink has not sent yet */
	BUF_CMP = 4,   /* the comparison */
	BUF_SPAN = 8,  /* who reads its bytes just now */
};

/**
 * struct buf - One captured segment's payload
 * @next:	Free for the queue that holds it
 * @now:	When the engine saw it, ns
 * @ts:		The frame's own capture time, ns since 1970
 * @seq:	Sequence number of the first byte
 * @ack:	Acknowledgment number it carried
 * @len:	Bytes at @data
 * @flags:	Free for the queue that holds it
 * @gso:	Segment size of a super-frame, 0: unknown or not one
 * @urg:	Urgent pointer, valid with TCP_URG in @flags
 * @interest:	Who needs it; 0 only while free
 * @order:	Block size is BUF_MIN << order; the pool's own
 * @emits:	With BUF_EMIT: effects that point here; 0 counts as 1
 * @data:	Payload; aligned for any struct of pointers and integers
 */
struct buf {
	struct buf *next;
	uint64_t now;
	uint64_t ts;
	uint32_t seq;
	uint32_t ack;
	uint32_t len;
	uint16_t flags;
	uint16_t gso;
	uint16_t urg;
	uint8_t interest;
	uint8_t order;
	uint32_t emits;
	_Alignas(8) uint8_t data[];
};

struct pool;

/**
 * pool_size() - Arena bytes for a pool of @bytes (rounded up to BUF_TOP)
 *
 * Return: SIZE_MAX, which no arena has, if @bytes is beyond all memory
 */
size_t pool_size(size_t bytes);

/**
 * pool_init() - Make a pool
 * @out:	Pool, in the arena
 * @a:		Arena with pool_size() bytes left
 * @bytes:	Bytes of blocks, 1 and up
 *
 * Return: 0, or -ENOMEM if the arena is too small (@out untouched)
 */
int pool_init(struct pool **out, struct arena *a, size_t bytes);

/**
 * buf_alloc() - Take a buffer
 * @p:		Pool
 * @len:	Bytes of data, 0 to BUF_TOP - sizeof(struct buf)
 * @interest:	First bits of the mask, not 0
 *
 * Return: the buffer, fields but len, interest and order zero, data not
 * initialised; NULL if the pool is full or @len too long
 */
struct buf *buf_alloc(struct pool *p, uint32_t len, uint8_t interest);

/** buf_set() - Set interest bits; setting a set bit is no error */
static inline void buf_set(struct buf *f, uint8_t bits)
{
	f->interest |= bits;
}

/**
 * buf_clear() - Clear interest bits, and free the buffer when none is left
 *
 * Clearing a clear bit is a programming error (asserted).
 */
void buf_clear(struct pool *p, struct buf *f, uint8_t bits);

/** buf_emit() - One more effect points into @f */
static inline void buf_emit(struct buf *f)
{
	buf_set(f, BUF_EMIT);
	f->emits++;
}

/** buf_emitted() - One of them is done with */
static inline void buf_emitted(struct pool *p, struct buf *f)
{
	if (f->emits > 1) {
		f->emits--;
		return;
	}
	f->emits = 0;
	buf_clear(p, f, BUF_EMIT);
}

/** pool_used() - Bytes of blocks in use; 0 when every buffer is free */
size_t pool_used(const struct pool *p);

/** pool_peak() - Most bytes that were ever in use */
size_t pool_peak(const struct pool *p);

/** pool_total() - Bytes of blocks in all */
size_t pool_total(const struct pool *p);

/** buf_block() - Bytes of the pool that a buffer with @len bytes takes */
uint32_t buf_block(uint32_t len);

#endif /* CORE_BUF_H */
