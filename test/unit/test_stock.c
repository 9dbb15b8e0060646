/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_stock.c - Unit test of core/stock.h: records, of which few are touched
 */
#include "core/stock.h"

#include <stdlib.h>

#include "check.h"
#include "core/rng.h"
#include "header_use.h"

#define N 40u

struct record {
	void *first; /* the stock's, while it is free */
	uint32_t owner;
	uint32_t pad[5];
};

static void begin(struct stock *s, struct arena *a)
{
	*a = (struct arena){ .size = use_stock_size(N, sizeof(struct record)) };
	a->base = aligned_alloc(ARENA_ALIGN, a->size);
	memset(a->base, 0xa5, a->size);
	use_stock_init(s, a, N, sizeof(struct record));
	CHECK(a->used == a->size);
}

static bool is_untouched(const struct stock *s, uint32_t i)
{
	const uint8_t *b = use_stock_at(s, i);

	for (size_t k = 0; k < sizeof(struct record); k++)
		if (b[k] != 0xa5)
			return false;
	return true;
}

static void only_as_many_are_touched_as_were_in_use_at_once(void)
{
	struct record *held[4];
	struct arena a;
	struct stock s;

	begin(&s, &a);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 4; i++) {
			held[i] = use_stock_take(&s);
			memset(held[i], 0, sizeof(*held[i]));
		}
		for (int i = 0; i < 4; i++)
			use_stock_give(&s, held[i]);
	}
	for (uint32_t i = 0; i < N; i++)
		CHECK(is_untouched(&s, i) == (i >= 4));
	free(a.base);
}

static void the_last_one_that_was_given_is_taken_first(void)
{
	struct record *x, *y;
	struct arena a;
	struct stock s;

	begin(&s, &a);
	x = use_stock_take(&s);
	y = use_stock_take(&s);
	y->owner = 7;
	use_stock_give(&s, x);
	use_stock_give(&s, y);
	CHECK(use_stock_take(&s) == y && y->owner == 7);
	CHECK(use_stock_take(&s) == x);
	free(a.base);
}

/* Against a list of who has what. */
static void nobody_has_another_ones(void)
{
	struct record *held[N] = { NULL };
	struct rng r = { 5 };
	struct arena a;
	struct stock s;
	uint32_t n = 0;

	begin(&s, &a);
	for (int i = 0; i < 20000; i++) {
		uint32_t k = rng_below(&r, N);

		if (held[k]) {
			CHECK(held[k]->owner == k);
			use_stock_give(&s, held[k]);
			held[k] = NULL;
			n--;
		} else {
			held[k] = use_stock_take(&s);
			CHECK(held[k]);
			CHECK(use_stock_at(&s, use_stock_index(&s, held[k])) ==
			      held[k]);
			held[k]->owner = k;
			n++;
		}
		CHECK(s.out == n && use_stock_empty(&s) == (n == N));
	}
	for (uint32_t k = 0; k < N; k++)
		if (!held[k])
			CHECK(use_stock_take(&s));
	CHECK(use_stock_empty(&s) && !use_stock_take(&s) && s.out == N);
	free(a.base);
}

static const struct check_test tests[] = {
	{ "only as many are touched as were in use at once",
	  only_as_many_are_touched_as_were_in_use_at_once },
	{ "the last one that was given is taken first",
	  the_last_one_that_was_given_is_taken_first },
	{ "nobody has another one's", nobody_has_another_ones },
};

int main(void)
{
	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
