/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mp_shelf.c - Unit test of the shelf, against an array of all that is on it
 */
#include "multipath/shelf.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

#define SLOTS 64u
#define LANES 4u
#define SPAN  200u

static struct buf frame[LANES][SPAN];
static bool there[LANES][SPAN];

static void make(struct shelf *s, struct arena *a)
{
	a->size = shelf_size(SLOTS);
	a->used = 0;
	a->base = aligned_alloc(ARENA_ALIGN, a->size);
	CHECK(shelf_init(s, a, SLOTS) == 0);
	memset(there, 0, sizeof(there));
}

static void check_all(const struct shelf *s, uint32_t count, uint32_t base)
{
	CHECK(s->count == count);
	for (uint32_t l = 0; l < LANES; l++)
		for (uint32_t k = 0; k < SPAN; k++)
			CHECK(shelf_find(s, l, base + k) ==
			      (there[l][k] ? &frame[l][k] : NULL));
}

static void walk(uint32_t base, uint64_t seed)
{
	struct rng rng = { seed };
	struct shelf s;
	struct arena a = { 0 };
	uint32_t count = 0;

	make(&s, &a);
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t l = rng_below(&rng, LANES);
		uint32_t k = rng_below(&rng, SPAN);
		struct buf *f = &frame[l][k];

		if (rng_below(&rng, 5) < 3) {
			bool want = !there[l][k] && count < SLOTS;

			if (!there[l][k]) {
				f->ack = l;
				f->seq = base + k;
			}
			CHECK(shelf_full(&s) == (count == SLOTS));
			CHECK(shelf_put(&s, f) == want);
			there[l][k] |= want;
			count += want;
		} else {
			CHECK(shelf_take(&s, l, base + k) ==
			      (there[l][k] ? f : NULL));
			count -= there[l][k];
			there[l][k] = false;
		}
		if (i % 100 == 0)
			check_all(&s, count, base);
	}
	check_all(&s, count, base);
	free(a.base);
}

static void test_finds_what_is_there(void)
{
	walk(0, 1);
}

static void test_numbers_wrap(void)
{
	walk(0u - SPAN / 2, 2);
}

static void test_no_memory(void)
{
	struct shelf s = { .mask = 7 };
	struct arena a = { 0 };

	CHECK(shelf_init(&s, &a, SLOTS) != 0);
	CHECK(s.mask == 7);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "finds what is there", test_finds_what_is_there },
		{ "numbers wrap", test_numbers_wrap },
		{ "without memory nothing is made", test_no_memory },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
