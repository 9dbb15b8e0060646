/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_buf.c - Unit test of the pool of frames
 *
 * The model is a bit map, one bit per BUF_MIN bytes: every frame must take
 * bits that were clear, at an aligned place; a frame is refused exactly when no
 * aligned run of clear bits is left, which is true of a buddy allocator only if
 * it merges all that can be merged.
 */
#include "core/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

#define REGIONS 2u
#define UNITS	(REGIONS * BUF_TOP / BUF_MIN)
#define HELD	4000u

static uint8_t *memory;
static struct buf *held[HELD];
static uint8_t busy[UNITS];

static struct pool *make_pool(size_t bytes)
{
	size_t size = pool_size(bytes);
	struct pool *p = NULL;
	struct arena a;

	memory = aligned_alloc(ARENA_ALIGN, size);
	memset(memory, 0, size);
	a = (struct arena){ .base = memory, .size = size };
	CHECK(pool_init(&p, &a, bytes) == 0);
	CHECK(a.used == size);
	return p;
}

static void test_size_is_rounded_to_whole_regions(void)
{
	struct pool *p = make_pool(1);

	CHECK(pool_total(p) == BUF_TOP);
	CHECK(pool_used(p) == 0 && pool_peak(p) == 0);
	free(memory);
	p = make_pool(BUF_TOP + 1);
	CHECK(pool_total(p) == 2 * (size_t)BUF_TOP);
	free(memory);
	CHECK(pool_size(SIZE_MAX) == SIZE_MAX);
	CHECK(pool_size(SIZE_MAX / 2 + 1) == SIZE_MAX);
	/* 2^33 blocks and some: more than can be numbered. */
	CHECK(pool_size(((size_t)1 << 41) + 5 * (size_t)BUF_TOP) == SIZE_MAX);
}

static void test_small_arena_is_refused_untouched(void)
{
	size_t size = pool_size(1) - 1;
	struct pool *p = (struct pool *)&memory;
	struct arena a = { .base = aligned_alloc(64, 64), .size = size };

	CHECK(pool_init(&p, &a, 1) == -ENOMEM);
	CHECK(p == (struct pool *)&memory && a.used == 0);
	a.size = SIZE_MAX - 1;
	CHECK(pool_init(&p, &a, SIZE_MAX) == -ENOMEM);
	free(a.base);
}

static void test_block_is_the_next_power_of_two(void)
{
	const uint32_t head = sizeof(struct buf);
	static const struct {
		uint32_t room, block;
	} rows[] = {
		{ 256, 256 },	      { 257, 512 },	{ 512, 512 },
		{ 513, 1024 },	      { 65536, 65536 }, { 65537, 131072 },
		{ 1048576, 1048576 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK(buf_block(rows[i].room - head) == rows[i].block);
	CHECK(buf_block(0) == BUF_MIN);
}

static void test_new_frame_is_zero_but_its_length(void)
{
	struct pool *p = make_pool(1);
	struct buf *f = buf_alloc(p, 300, BUF_QUEUE);

	memset(f, 0xa5, sizeof(*f) + 300);
	f->interest = BUF_QUEUE;
	f->order = 1;
	buf_clear(p, f, BUF_QUEUE);
	f = buf_alloc(p, 290, BUF_CMP);
	CHECK(f->next == NULL && f->now == 0 && f->ts == 0 && f->seq == 0);
	CHECK(f->ack == 0 && f->flags == 0 && f->gso == 0);
	CHECK(f->len == 290 && f->interest == BUF_CMP);
	free(memory);
}

static void test_last_interest_frees(void)
{
	struct pool *p = make_pool(1);
	struct buf *f = buf_alloc(p, 100, BUF_QUEUE);

	buf_set(f, BUF_EMIT | BUF_CMP);
	buf_set(f, BUF_EMIT);
	buf_clear(p, f, BUF_QUEUE);
	CHECK(pool_used(p) == 256);
	buf_clear(p, f, BUF_EMIT);
	CHECK(pool_used(p) == 256 && f->interest == BUF_CMP);
	buf_clear(p, f, BUF_CMP);
	CHECK(pool_used(p) == 0 && pool_peak(p) == 256);
	free(memory);
}

static void test_last_effect_frees(void)
{
	struct pool *p = make_pool(1);
	struct buf *f = buf_alloc(p, 100, BUF_QUEUE);

	buf_emit(f);
	buf_emit(f);
	buf_emitted(p, f);
	CHECK(f->interest == (BUF_QUEUE | BUF_EMIT));
	buf_emitted(p, f);
	CHECK(f->interest == BUF_QUEUE);
	buf_emit(f); /* sent again */
	buf_emit(f);
	buf_clear(p, f, BUF_QUEUE);
	buf_emitted(p, f);
	CHECK(pool_used(p) == 256);
	buf_emitted(p, f);
	CHECK(pool_used(p) == 0);
	f = buf_alloc(p, 100, BUF_EMIT); /* made for one effect */
	buf_emitted(p, f);
	CHECK(pool_used(p) == 0);
	free(memory);
}

/* Of AddressSanitizer's library; NULL in a build without it. */
int __asan_address_is_poisoned(const volatile void *addr) __attribute__((weak));

static int poisoned(const volatile void *addr)
{
	return __asan_address_is_poisoned(addr);
}

static void test_what_nobody_holds_is_poisoned(void)
{
	struct pool *p = make_pool(1);
	struct buf *f = buf_alloc(p, 300, BUF_QUEUE);

	if (__asan_address_is_poisoned != NULL) {
		CHECK(!poisoned(f) && !poisoned(f->data + 299));
		CHECK(poisoned(f->data + 300));
		CHECK(poisoned((uint8_t *)f + buf_block(300)));
		buf_clear(p, f, BUF_QUEUE);
		CHECK(poisoned(f) && poisoned(f->data));
	}
	free(memory);
}

static void test_limits_of_length(void)
{
	const uint32_t most = BUF_TOP - sizeof(struct buf);
	struct pool *p = make_pool(1);
	struct buf *f;

	CHECK(buf_alloc(p, most + 1, 1) == NULL);
	CHECK(buf_alloc(p, UINT32_MAX, 1) == NULL);
	f = buf_alloc(p, most, 1);
	CHECK(f != NULL && pool_used(p) == BUF_TOP);
	memset(f->data, 0xff, most);
	CHECK(buf_alloc(p, 0, 1) == NULL);
	buf_clear(p, f, 1);
	CHECK(pool_used(p) == 0);
	CHECK(buf_alloc(p, 0, 1) != NULL);
	free(memory);
}

/* Whether an aligned run of @n clear units is left. */
static int model_has_room(uint32_t n)
{
	for (uint32_t at = 0; at < UNITS; at += n) {
		uint32_t i = 0;

		while (i < n && busy[at + i] == 0)
			i++;
		if (i == n)
			return 1;
	}
	return 0;
}

static void model_set(const uint8_t *base, const struct buf *f, uint32_t len,
		      uint8_t from, uint8_t to)
{
	size_t at = (size_t)((const uint8_t *)f - base);
	uint32_t n = buf_block(len) / BUF_MIN;

	CHECK(at % buf_block(len) == 0);
	CHECK(at / BUF_MIN + n <= UNITS);
	for (uint32_t i = 0; i < n; i++) {
		CHECK(busy[at / BUF_MIN + i] == from);
		busy[at / BUF_MIN + i] = to;
	}
}

static void test_random_against_bit_map(void)
{
	struct pool *p = make_pool((size_t)REGIONS * BUF_TOP);
	const uint8_t *base = memory + pool_size((size_t)REGIONS * BUF_TOP) -
			      (size_t)REGIONS * BUF_TOP;
	struct rng r = { 7 };
	size_t used = 0, refused = 0;

	for (int step = 0; step < 60000; step++) {
		uint32_t i = rng_below(&r, HELD);
		uint32_t len = rng_below(&r, 200u << rng_below(&r, 10));

		if (held[i] != NULL) {
			len = held[i]->len;
			used -= buf_block(len);
			model_set(base, held[i], len, 1, 0);
			buf_clear(p, held[i], 1);
			held[i] = NULL;
		} else {
			held[i] = buf_alloc(p, len, 1);
			if (held[i] == NULL) {
				CHECK(!model_has_room(buf_block(len) /
						      BUF_MIN));
				refused++;
				continue;
			}
			used += buf_block(len);
			model_set(base, held[i], len, 0, 1);
			memset(held[i]->data, 0x5a, len);
		}
		CHECK(pool_used(p) == used);
	}
	CHECK(refused > 100);
	for (uint32_t i = 0; i < HELD; i++)
		if (held[i] != NULL)
			buf_clear(p, held[i], 1);
	CHECK(pool_used(p) == 0);
	/* All merged: the largest frames fit again. */
	for (uint32_t i = 0; i < REGIONS; i++)
		CHECK(buf_alloc(p, BUF_TOP / 2, 1) != NULL);
	CHECK(buf_alloc(p, 0, 1) == NULL);
	free(memory);
}

static const struct check_test tests[] = {
	{ "size is rounded to whole regions",
	  test_size_is_rounded_to_whole_regions },
	{ "small arena is refused untouched",
	  test_small_arena_is_refused_untouched },
	{ "block is the next power of two",
	  test_block_is_the_next_power_of_two },
	{ "new frame is zero but its length",
	  test_new_frame_is_zero_but_its_length },
	{ "last interest frees", test_last_interest_frees },
	{ "the last effect frees", test_last_effect_frees },
	{ "what nobody holds is poisoned", test_what_nobody_holds_is_poisoned },
	{ "limits of length", test_limits_of_length },
	{ "random against a bit map", test_random_against_bit_map },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
