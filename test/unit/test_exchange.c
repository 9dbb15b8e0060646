/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_exchange.c - Unit test of flow/exchange
 *
 * Oracle: three plain counters. The k-th mark of each endpoint belongs to
 * exchange k, whoever comes first; after a drop the list begins one later.
 */
#include "flow/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

static struct arena arena;
static struct pool *pool;

static void set_up(void)
{
	arena.size = pool_size(BUF_TOP);
	arena.used = 0;
	arena.base = aligned_alloc(ARENA_ALIGN, arena_need(arena.size));
	if (arena.base == NULL)
		abort();
	memset(arena.base, 0, arena.size);
	if (pool_init(&pool, &arena, BUF_TOP) != 0)
		abort();
}

static void tear_down(struct exchanges *xs)
{
	while (xs->head != NULL)
		exchange_drop(xs, pool);
	CHECK(xs->tail == NULL);
	for (int w = 0; w < WHO_COUNT; w++)
		CHECK(xs->at[w] == NULL);
	CHECK(xs->deliver == NULL && xs->pack == NULL && xs->sent == NULL);
	CHECK(pool_used(pool) == 0);
	free(arena.base);
}

/* What must hold at any time. */
static void check_list(const struct exchanges *xs)
{
	const struct exchange *x;
	uint32_t n = 0;

	for (x = xs->head; x != NULL; x = x->next) {
		CHECK(x->index == xs->head->index + n);
		CHECK(x->next != NULL || x == xs->tail);
		n++;
	}
	for (int w = 0; w < WHO_COUNT; w++) {
		const struct exchange *at = xs->at[w];

		if (at != NULL) {
			CHECK(at->index == xs->marks[w]);
			CHECK((at->flags & 1u << w) == 0);
		} else if (xs->tail != NULL) {
			CHECK(xs->marks[w] == xs->tail->index + 1);
		}
		for (x = xs->head; x != NULL; x = x->next)
			CHECK(((x->flags & 1u << w) != 0) ==
				      (x->index < xs->marks[w]) ||
			      x->index < xs->marks[w]);
	}
}

static void test_order(void)
{
	struct exchanges xs = { 0 };
	struct exchange *a, *b;

	set_up();
	a = exchange_mark(&xs, pool, WHO_SUT, 0xfffffffe);
	b = exchange_mark(&xs, pool, WHO_SUT, 5);
	CHECK(a != NULL && b != NULL && a->index == 0 && b->index == 1);
	CHECK(exchange_mark(&xs, pool, WHO_CLIENT, 100) == a);
	CHECK(exchange_open(&xs, pool, WHO_PROD) == a);
	CHECK(exchange_mark(&xs, pool, WHO_PROD, 200) == a);
	CHECK(exchange_open(&xs, pool, WHO_PROD) == b);
	CHECK(a->flags == (X_HAVE_C | X_HAVE_P | X_HAVE_S));
	CHECK(b->flags == X_HAVE_S);
	CHECK(a->end[WHO_SUT] == 0xfffffffe && b->end[WHO_SUT] == 5);
	CHECK(a->end[WHO_CLIENT] == 100 && a->end[WHO_PROD] == 200);
	CHECK(xs.head == a && xs.tail == b);
	CHECK(xs.turn ==
	      100); /* the SUT's third mark answers what begins there */
	CHECK(xs.deliver == a && xs.pack == a && xs.sent == a);
	xs.deliver = xs.pack = xs.sent = NULL; /* all have gone on */
	CHECK(exchange_mark(&xs, pool, WHO_SUT, 9) == b->next);
	CHECK(xs.deliver == b->next && xs.pack == b->next &&
	      xs.sent == b->next && b->next != NULL);
	check_list(&xs);
	tear_down(&xs);
}

static void test_random(void)
{
	struct rng rng = { 3 };
	struct exchanges xs = { 0 };
	uint32_t marks[WHO_COUNT] = { 0 };
	uint32_t dropped = 0;

	set_up();
	for (int i = 0; i < 20000; i++) {
		enum who w = (enum who)rng_below(&rng, WHO_COUNT);
		uint32_t op = rng_below(&rng, 16);

		if (op < 3 && xs.head != NULL) {
			CHECK(xs.head->index == dropped);
			exchange_drop(&xs, pool);
			dropped++;
			for (int k = 0; k < WHO_COUNT; k++)
				if (marks[k] < dropped)
					marks[k] = dropped;
		} else if (op == 3) {
			bool may = marks[w] > dropped;

			CHECK(exchange_unmark(&xs, w) == may);
			marks[w] -= may;
		} else if (xs.tail == NULL || marks[w] < dropped + 100) {
			struct exchange *x =
				exchange_mark(&xs, pool, w, (uint32_t)i);

			CHECK(x != NULL && x->index == marks[w]);
			CHECK(x != NULL && x->end[w] == (uint32_t)i);
			marks[w]++;
		}
		CHECK(memcmp(marks, xs.marks, sizeof(marks)) == 0);
		check_list(&xs);
	}
	tear_down(&xs);
}

static void test_unmark(void)
{
	struct exchanges xs = { 0 };
	struct exchange *a;

	set_up();
	CHECK(!exchange_unmark(&xs, WHO_PROD));
	a = exchange_mark(&xs, pool, WHO_PROD, 10);
	CHECK(exchange_unmark(&xs, WHO_PROD));
	CHECK(a != NULL && a->flags == 0);
	CHECK(!exchange_unmark(&xs, WHO_PROD));
	CHECK(exchange_mark(&xs, pool, WHO_PROD, 20) == a);
	CHECK(a != NULL && a->end[WHO_PROD] == 20);
	exchange_drop(&xs, pool);
	CHECK(!exchange_unmark(&xs, WHO_PROD)); /* it is gone for good */
	CHECK(xs.marks[WHO_PROD] == 1);
	tear_down(&xs);
}

static void test_drop_unmarked(void)
{
	struct exchanges xs = { 0 };
	struct exchange *x;

	set_up();
	exchange_mark(&xs, pool, WHO_PROD, 10);
	exchange_drop(&xs, pool);
	/* Who had not marked it loses that mark: the next pairs go on alike. */
	for (int w = 0; w < WHO_COUNT; w++)
		CHECK(xs.marks[w] == 1);
	x = exchange_mark(&xs, pool, WHO_CLIENT, 7);
	CHECK(x != NULL && x->index == 1);
	CHECK(exchange_mark(&xs, pool, WHO_PROD, 8) == x);
	CHECK(exchange_mark(&xs, pool, WHO_SUT, 9) == x);
	tear_down(&xs);
}

static void test_pool_full(void)
{
	struct exchanges xs = { 0 };
	struct exchanges before;
	struct exchange *x;
	uint32_t n = 0;

	set_up();
	while (exchange_mark(&xs, pool, WHO_CLIENT, n) != NULL)
		n++;
	CHECK(n == pool_total(pool) / buf_block(sizeof(struct exchange)));
	before = xs;
	CHECK(exchange_open(&xs, pool, WHO_CLIENT) == NULL);
	CHECK(memcmp(&before, &xs, sizeof(xs)) == 0);
	x = exchange_mark(&xs, pool, WHO_SUT, 1); /* takes nothing */
	CHECK(x != NULL && x == xs.head);
	tear_down(&xs);
}

static const struct check_test tests[] = {
	{ "whoever marks first", test_order },
	{ "indexes are dense, whatever is done", test_random },
	{ "a mark taken back", test_unmark },
	{ "an exchange dropped before all have marked it", test_drop_unmarked },
	{ "pool full", test_pool_full },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
