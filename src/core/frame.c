/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame.c - Buddy allocator of captured frames
 *
 * Theory of operation
 *
 * The pool is cut into regions of FRAME_TOP bytes. A block of order k is
 * FRAME_MIN << k bytes and starts, counted from its region's start, at a
 * multiple of its size; so the block it was split from, and its buddy, follow
 * from its offset by one bit. Free blocks lie in one list per order, linked
 * through their own first bytes; a bit mask says which lists have any, so that
 * the order to split is found without a search.
 *
 * One byte per FRAME_MIN bytes, apart from the blocks, is order + 1 where a free
 * block starts and 0 elsewhere. To free, the buddy's byte alone decides whether
 * the two merge: captured bytes, which lie in blocks, are never asked.
 *
 * Lists are last in, first out: the block freed last is still in the cache.
 * Taking and freeing cost at most one split or merge per order, 12 in all.
 *
 * Under AddressSanitizer all of the pool but the frames in use, to the length
 * that was asked for, is poisoned: who reads a frame that he gave away, or past
 * captured bytes, is caught, although both lie in memory that is ours.
 */
#include "core/frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/list.h"

#define ORDERS 13 /* FRAME_MIN << (ORDERS - 1) is FRAME_TOP */
static_assert(FRAME_MIN << (ORDERS - 1) == FRAME_TOP, "ORDERS is wrong");
static_assert(FRAME_MIN >= sizeof(struct frame) &&
		      FRAME_MIN >= sizeof(struct list),
	      "the smallest block holds a frame, and a link when it is free");
static_assert(FRAME_MIN % ARENA_ALIGN == 0, "every block is aligned");

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISON 1
#endif

#ifdef POISON
void __asan_poison_memory_region(const volatile void *addr, size_t size);
void __asan_unpoison_memory_region(const volatile void *addr, size_t size);
#else
#define __asan_poison_memory_region(addr, size)	  ((void)(addr), (void)(size))
#define __asan_unpoison_memory_region(addr, size) ((void)(addr), (void)(size))
#endif

/**
 * struct pool - Blocks and which of them are free
 * @free:	Free blocks of each order
 * @avail:	Bit k: @free[k] is not empty
 * @blocks:	First block
 * @start:	Per FRAME_MIN bytes: order + 1 of the free block that starts
 *		there, 0: none does
 * @total:	Bytes at @blocks
 * @used:	Bytes in use
 * @peak:	Most of them so far
 */
struct pool {
	struct list free[ORDERS];
	uint32_t avail;
	uint8_t *blocks;
	uint8_t *start;
	size_t total;
	size_t used;
	size_t peak;
};

/* Bytes of blocks for @bytes asked, 0 if that is no number. */
static size_t round_up(size_t bytes)
{
	if (bytes > SIZE_MAX / 2)
		return 0;
	return (bytes + FRAME_TOP - 1) / FRAME_TOP * FRAME_TOP;
}

size_t pool_size(size_t bytes)
{
	size_t total = round_up(bytes);

	if (total == 0)
		return SIZE_MAX;
	return arena_need(sizeof(struct pool)) + arena_need(total / FRAME_MIN) +
	       arena_need(total);
}

/* Order of the smallest block of at least @size bytes, 1 to FRAME_TOP. */
static unsigned order_of(uint32_t size)
{
	uint32_t more = (size - 1) / FRAME_MIN;

	return more == 0 ? 0 : 32 - (unsigned)__builtin_clz(more);
}

static struct list *link_at(struct pool *p, size_t off)
{
	return (struct list *)(void *)(p->blocks + off);
}

static void put(struct pool *p, size_t off, unsigned order)
{
	p->start[off / FRAME_MIN] = (uint8_t)(order + 1);
	p->avail |= 1u << order;
	__asan_unpoison_memory_region(p->blocks + off, sizeof(struct list));
	list_add_tail(&p->free[order], link_at(p, off));
}

static void take(struct pool *p, size_t off, unsigned order)
{
	p->start[off / FRAME_MIN] = 0;
	list_del(link_at(p, off));
	__asan_poison_memory_region(p->blocks + off, sizeof(struct list));
	if (list_empty(&p->free[order]))
		p->avail &= ~(1u << order);
}

int pool_init(struct pool **out, struct arena *a, size_t bytes)
{
	struct pool *p;

	assert(bytes > 0);

	if (a->size - a->used < pool_size(bytes))
		return -ENOMEM;
	p = arena_take(a, sizeof(*p));
	*p = (struct pool){ .total = round_up(bytes) };
	p->start = arena_take(a, p->total / FRAME_MIN);
	p->blocks = arena_take(a, p->total);
	__asan_poison_memory_region(p->blocks, p->total);
	memset(p->start, 0, p->total / FRAME_MIN);
	for (unsigned k = 0; k < ORDERS; k++)
		list_init(&p->free[k]);
	/* From the end, so that the first region is the first to be used. */
	for (size_t off = p->total; off > 0; off -= FRAME_TOP)
		put(p, off - FRAME_TOP, ORDERS - 1);
	*out = p;
	return 0;
}

struct frame *frame_alloc(struct pool *p, uint32_t len, uint8_t interest)
{
	unsigned order, k;
	struct frame *f;
	size_t off;

	assert(interest != 0);

	if (len > FRAME_TOP - sizeof(struct frame))
		return NULL;
	order = order_of(len + (uint32_t)sizeof(struct frame));
	if (p->avail >> order == 0)
		return NULL;
	k = order + (unsigned)__builtin_ctz(p->avail >> order);
	off = (size_t)((uint8_t *)p->free[k].prev - p->blocks);
	take(p, off, k);
	while (k > order) {
		k--;
		put(p, off + ((size_t)FRAME_MIN << k), k);
	}
	p->used += (size_t)FRAME_MIN << order;
	if (p->used > p->peak)
		p->peak = p->used;

	__asan_unpoison_memory_region(p->blocks + off, sizeof(*f) + len);
	f = (struct frame *)(void *)(p->blocks + off);
	*f = (struct frame){
		.len = len,
		.interest = interest,
		.order = (uint8_t)order,
	};
	return f;
}

void frame_clear(struct pool *p, struct frame *f, uint8_t bits)
{
	size_t off = (size_t)((uint8_t *)f - p->blocks);
	unsigned k = f->order;

	assert(bits != 0 && (f->interest & bits) == bits);
	assert(off < p->total && k < ORDERS);

	f->interest &= (uint8_t)~bits;
	if (f->interest != 0)
		return;
	p->used -= (size_t)FRAME_MIN << k;
	__asan_poison_memory_region(f, (size_t)FRAME_MIN << k);
	for (; k < ORDERS - 1; k++) {
		size_t buddy = off ^ (size_t)FRAME_MIN << k;

		if (p->start[buddy / FRAME_MIN] != k + 1)
			break;
		take(p, buddy, k);
		off &= ~((size_t)FRAME_MIN << k);
	}
	put(p, off, k);
}

size_t pool_used(const struct pool *p)
{
	return p->used;
}

size_t pool_peak(const struct pool *p)
{
	return p->peak;
}

size_t pool_total(const struct pool *p)
{
	return p->total;
}

uint32_t frame_block(uint32_t len)
{
	assert(len <= FRAME_TOP - sizeof(struct frame));

	return FRAME_MIN << order_of(len + (uint32_t)sizeof(struct frame));
}
