/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf.c - Buddy allocator of captured payload
 *
 * Theory of operation
 *
 * The pool is cut into regions of BUF_TOP bytes. A block of order k is BUF_MIN
 * << k bytes and starts, counted from its region's start, at a multiple of its
 * size; so the block it was split from, and its buddy, follow from its offset
 * by one bit. Blocks are named by the number of their first unit of BUF_MIN
 * bytes.
 *
 * Free blocks lie in one list per order; a bit mask says which lists have any,
 * so that the order to split is found without a search. The links, and
 * which blocks are free, lie in a table apart from the blocks: whether two
 * buddies merge is never asked of captured bytes, and splitting and merging
 * touch no block that is not in use.
 *
 * A region joins the lists when no list has a large enough block, and not
 * before: of a pool that is hardly used neither blocks nor table take memory of
 * the machine.
 *
 * Lists are last in, first out: the block freed last is still in the cache.
 * Taking and freeing cost at most one split or merge per order, 12 in all.
 *
 * Under AddressSanitizer all of the pool but the buffers in use, to the length
 * that was asked for, is poisoned: who reads a buffer that he gave away, or
 * past captured bytes, is caught, although both lie in memory that is ours.
 */
#include "core/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define ORDERS 13 /* BUF_MIN << (ORDERS - 1) is BUF_TOP */
static_assert(BUF_MIN << (ORDERS - 1) == BUF_TOP, "ORDERS is wrong");
static_assert(BUF_MIN >= sizeof(struct buf), "the smallest block is one");
static_assert(BUF_MIN % ARENA_ALIGN == 0, "every block is aligned");

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

static void poison(const void *p, size_t size)
{
	__asan_poison_memory_region(p, size);
}

static void unpoison(const void *p, size_t size)
{
	__asan_unpoison_memory_region(p, size);
}
#else
static void poison(const void *p, size_t size)
{
	(void)p;
	(void)size;
}

static void unpoison(const void *p, size_t size)
{
	(void)p;
	(void)size;
}
#endif

/**
 * struct unit - BUF_MIN bytes of the pool, or the head of a list
 * @next, @prev:	Neighbours in the list, if a free block starts here
 * @start:		Its order + 1, 0: none starts here
 */
struct unit {
	uint32_t next;
	uint32_t prev;
	uint32_t start;
};

/**
 * struct pool - Blocks and which of them are free
 * @unit:	All units, then the heads of the lists, one per order
 * @blocks:	First block
 * @units:	Units at @blocks; the head of order k is @unit[units + k]
 * @fresh:	Units that are in regions which joined the lists; a multiple of
 *		a region, at most @units
 * @avail:	Bit k: the list of order k is not empty
 * @used:	Units in use
 * @peak:	Most of them so far
 */
struct pool {
	struct unit *unit;
	uint8_t *blocks;
	uint32_t units;
	uint32_t fresh;
	uint32_t avail;
	uint32_t used;
	uint32_t peak;
};

/* Units for @bytes, 0 if they are more than can be numbered. */
static uint32_t units_of(size_t bytes)
{
	size_t regions = bytes / BUF_TOP + (bytes % BUF_TOP != 0);

	if (regions >= UINT32_MAX / (BUF_TOP / BUF_MIN))
		return 0;
	return (uint32_t)(regions * (BUF_TOP / BUF_MIN));
}

static size_t table_size(uint32_t units)
{
	return ((size_t)units + ORDERS) * sizeof(struct unit);
}

size_t pool_size(size_t bytes)
{
	uint32_t units = units_of(bytes);

	if (units == 0)
		return SIZE_MAX;
	return arena_need(sizeof(struct pool)) + arena_need(table_size(units)) +
	       arena_need((size_t)units * BUF_MIN);
}

/* Order of the smallest block of at least @size bytes, 1 to BUF_TOP. */
static unsigned order_of(uint32_t size)
{
	uint32_t more = (size - 1) / BUF_MIN;

	return more == 0 ? 0 : 32 - (unsigned)__builtin_clz(more);
}

static void put(struct pool *p, uint32_t at, unsigned order)
{
	uint32_t head = p->units + order;
	uint32_t next = p->unit[head].next;

	p->unit[at] = (struct unit){ next, head, order + 1 };
	p->unit[next].prev = at;
	p->unit[head].next = at;
	p->avail |= 1u << order;
}

static void take(struct pool *p, uint32_t at, unsigned order)
{
	struct unit *u = &p->unit[at];

	u->start = 0;
	p->unit[u->prev].next = u->next;
	p->unit[u->next].prev = u->prev;
	if (u->prev == u->next)
		p->avail &= ~(1u << order);
}

int pool_init(struct pool **out, struct arena *a, size_t bytes)
{
	struct pool *p;
	uint32_t units;

	assert(bytes > 0);

	if (a->size - a->used < pool_size(bytes))
		return -ENOMEM;
	units = units_of(bytes);
	p = arena_take(a, sizeof(*p));
	*p = (struct pool){ .units = units };
	p->unit = arena_take(a, table_size(units));
	p->blocks = arena_take(a, (size_t)units * BUF_MIN);
	poison(p->blocks, (size_t)units * BUF_MIN);
	for (uint32_t head = units; head < units + ORDERS; head++)
		p->unit[head] = (struct unit){ head, head, 0 };
	*out = p;
	return 0;
}

/* One more region joins the lists, if there is one. */
static bool open_region(struct pool *p)
{
	uint32_t at = p->fresh;

	if (at == p->units)
		return false;
	p->fresh += BUF_TOP / BUF_MIN;
	assert(p->fresh <= p->units);
	memset(&p->unit[at], 0, BUF_TOP / BUF_MIN * sizeof(struct unit));
	put(p, at, ORDERS - 1);
	return true;
}

struct buf *buf_alloc(struct pool *p, uint32_t len, uint8_t interest)
{
	unsigned order, k;
	struct buf *f;
	uint32_t at;

	assert(interest != 0);

	if (len > BUF_TOP - sizeof(struct buf))
		return NULL;
	order = order_of(len + (uint32_t)sizeof(struct buf));
	if (p->avail >> order == 0 && !open_region(p))
		return NULL;
	k = order + (unsigned)__builtin_ctz(p->avail >> order);
	at = p->unit[p->units + k].next;
	take(p, at, k);
	while (k > order) {
		k--;
		put(p, at + (1u << k), k);
	}
	p->used += 1u << order;
	if (p->used > p->peak)
		p->peak = p->used;

	f = (struct buf *)(void *)(p->blocks + (size_t)at * BUF_MIN);
	unpoison(f, sizeof(*f) + len);
	*f = (struct buf){
		.len = len,
		.interest = interest,
		.order = (uint8_t)order,
	};
	return f;
}

void buf_clear(struct pool *p, struct buf *f, uint8_t bits)
{
	size_t off = (size_t)((uint8_t *)f - p->blocks);
	uint32_t at = (uint32_t)(off / BUF_MIN);
	unsigned k = f->order;

	assert(bits != 0 && (f->interest & bits) == bits);
	assert(off / BUF_MIN < p->fresh && k < ORDERS);

	f->interest &= (uint8_t)~bits;
	if (f->interest != 0)
		return;
	p->used -= 1u << k;
	poison(f, (size_t)BUF_MIN << k);
	for (; k < ORDERS - 1; k++) {
		uint32_t buddy = at ^ 1u << k;

		if (p->unit[buddy].start != k + 1)
			break;
		take(p, buddy, k);
		at &= ~(1u << k);
	}
	put(p, at, k);
}

size_t pool_used(const struct pool *p)
{
	return (size_t)p->used * BUF_MIN;
}

size_t pool_peak(const struct pool *p)
{
	return (size_t)p->peak * BUF_MIN;
}

size_t pool_total(const struct pool *p)
{
	return (size_t)p->units * BUF_MIN;
}

uint32_t buf_block(uint32_t len)
{
	assert(len <= BUF_TOP - sizeof(struct buf));

	return BUF_MIN << order_of(len + (uint32_t)sizeof(struct buf));
}
