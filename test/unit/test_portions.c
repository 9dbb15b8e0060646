/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_portions.c - Unit test of core/portions: who may have how much of a queue
 */
#include "core/portions.h"

#include "check.h"
#include "core/rng.h"

/* Sort @sort takes as long as it may. Return: how many items */
static unsigned fill(struct portions *p, uint64_t sort, uint64_t n)
{
	unsigned items = 0;

	for (; !portions_full(p, sort, n); items++)
		portions_take(p, sort, n);
	return items;
}

static void who_is_alone_gets_two_thirds(void)
{
	struct portions p;

	portions_init(&p, 4096, 0);
	CHECK(fill(&p, 7, 1000) == 2731);
	CHECK(p.all.items == 2731 && p.all.bytes == 2731000);
}

static void others_find_room_whoever_came_first(void)
{
	struct portions p;

	portions_init(&p, 3000, 0);
	CHECK(fill(&p, 1, 1) == 2000);
	CHECK(fill(&p, 2, 1) > 600);
	CHECK(fill(&p, 3, 1) > 200);
	CHECK(p.all.items < 3000);
}

static void two_that_want_everything_get_the_same(void)
{
	struct rng rng = { 1 };
	struct portions p;

	portions_init(&p, 1000, 0);
	fill(&p, 1, 1);
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t sort = rng_below(&rng, 2);

		if (p.of[sort].items > 0)
			portions_give(&p, sort, 1);
		for (uint64_t k = 0; k < 2; k++)
			if (!portions_full(&p, k, 1))
				portions_take(&p, k, 1);
	}
	CHECK(p.of[0].items > 380 && p.of[0].items < 420);
	CHECK(p.of[1].items > 380 && p.of[1].items < 420);
}

static void bytes_are_shared_as_items_are(void)
{
	struct portions p;

	portions_init(&p, 4096, 30000);
	CHECK(fill(&p, 1, 1000) == 20);
	CHECK(portions_full(&p, 1, 1) && !portions_full(&p, 2, 9000));
	CHECK(portions_full(&p, 2, 10001)); /* it does not fit at all */
	CHECK(fill(&p, 2, 1000) == 7);
	portions_give(&p, 1, 1000);
	CHECK(p.all.bytes == 26000 && p.all.items == 26);
}

static void sorts_beyond_those_share(void)
{
	struct portions p;

	portions_init(&p, 3, 0);
	portions_take(&p, PORTIONS + 5, 1);
	portions_take(&p, 5, 1);
	CHECK(p.of[5].items == 2 && portions_full(&p, 5, 1));
	CHECK(!portions_full(&p, 6, 1));
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "who is alone gets two thirds",
		  who_is_alone_gets_two_thirds },
		{ "others find room, whoever came first",
		  others_find_room_whoever_came_first },
		{ "two that want everything get the same",
		  two_that_want_everything_get_the_same },
		{ "bytes are shared as items are",
		  bytes_are_shared_as_items_are },
		{ "sorts beyond those that are told apart share",
		  sorts_beyond_those_share },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
