/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_spsc.c - Unit test of core/spsc and os/drain
 *
 * A model (a plain queue of lengths and a seeded filler) says what must come
 * out; the two-thread test checks that nothing is seen half written.
 */
#include "core/spsc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"
#include "os/drain.h"

static struct spsc *spsc_new(size_t bytes, void **memory)
{
	struct arena a = { .size = spsc_size(bytes) };
	struct spsc *r = NULL;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	memset(a.base, 0xa5, a.size);
	CHECK(spsc_init(&r, &a, bytes) == 0);
	CHECK(a.used == a.size);
	*memory = a.base;
	return r;
}

static void fill(uint8_t *p, uint32_t len, uint64_t n)
{
	for (uint32_t i = 0; i < len; i++)
		p[i] = (uint8_t)(n * 31 + i);
}

static bool is_fill(const uint8_t *p, uint32_t len, uint64_t n)
{
	for (uint32_t i = 0; i < len; i++)
		if (p[i] != (uint8_t)(n * 31 + i))
			return false;
	return true;
}

static void test_bounds(void)
{
	struct arena small = { .size = spsc_size(RING_MIN) - 1 };
	struct spsc *r = NULL;

	CHECK(spsc_size(RING_TOP + 1) == 0);
	CHECK(spsc_size(1) == spsc_size(RING_MIN));
	CHECK(spsc_size(RING_MIN + 1) > spsc_size(RING_MIN));
	CHECK(spsc_init(&r, &small, RING_TOP + 1) == -EINVAL);
	CHECK(spsc_init(&r, &small, RING_MIN) == -ENOMEM);
	CHECK(r == NULL && small.used == 0);
}

static void test_full_is_counted(void)
{
	void *memory;
	struct spsc *r = spsc_new(RING_MIN, &memory);
	uint32_t len = 0;
	unsigned n = 0;

	CHECK(spsc_peek(r, &len) == NULL);
	CHECK(spsc_reserve(r, spsc_longest(r) + 1) == NULL);
	CHECK(spsc_lost(r) == 1);
	while (spsc_reserve(r, 24) != NULL) {
		spsc_commit(r);
		n++;
	}
	CHECK(n == RING_MIN / 32);
	CHECK(spsc_used(r) == RING_MIN);
	CHECK(spsc_lost(r) == 2);
	CHECK(spsc_peek(r, &len) != NULL && len == 24);
	spsc_release(r);
	CHECK(spsc_reserve(r, 25) == NULL);
	CHECK(spsc_reserve(r, 24) != NULL);
	CHECK(spsc_lost(r) == 3);
	free(memory);
}

/* What makes room for others is refused first. */
static void test_some_room_is_kept(void)
{
	void *memory;
	struct spsc *r = spsc_new(RING_MIN, &memory);
	unsigned n = 0;

	CHECK(spsc_room(r) == RING_MIN);
	while (spsc_reserve_above(r, 24, 512) != NULL) {
		spsc_commit(r);
		n++;
	}
	CHECK(n == (RING_MIN - 512) / 32);
	CHECK(spsc_lost(r) == 1);
	for (; spsc_reserve(r, 24) != NULL; n++)
		spsc_commit(r);
	CHECK(n == RING_MIN / 32);
	free(memory);
}

/* A reserved record is not seen, and a second reserve takes its place. */
static void test_commit_hands_over(void)
{
	void *memory;
	struct spsc *r = spsc_new(RING_MIN, &memory);
	uint32_t len;

	CHECK(spsc_reserve(r, 100) != NULL);
	CHECK(spsc_peek(r, &len) == NULL);
	CHECK(spsc_reserve(r, 0) != NULL);
	spsc_commit(r);
	CHECK(spsc_peek(r, &len) != NULL && len == 0);
	spsc_release(r);
	CHECK(spsc_peek(r, &len) == NULL);
	CHECK(spsc_used(r) == 0);
	free(memory);
}

/* Longest record, with the ring's place everywhere it can be. */
static void test_longest_fits_anywhere(void)
{
	void *memory;
	uint32_t len, longest;

	for (unsigned at = 0; at < RING_MIN / RING_ALIGN; at++) {
		struct spsc *r = spsc_new(RING_MIN, &memory);
		uint8_t *p;

		for (unsigned i = 0; i < at; i++) {
			CHECK(spsc_reserve(r, 0) != NULL);
			spsc_commit(r);
			CHECK(spsc_peek(r, &len) != NULL && len == 0);
			spsc_release(r);
		}
		longest = spsc_longest(r);
		p = spsc_reserve(r, longest);
		CHECK(p != NULL);
		if (p) {
			fill(p, longest, at);
			spsc_commit(r);
			CHECK(spsc_peek(r, &len) == p && len == longest);
			CHECK(is_fill(p, len, at));
		}
		free(memory);
	}
}

static void test_against_queue(void)
{
	struct rng rng = { 7 };
	void *memory;
	struct spsc *r = spsc_new(RING_MIN, &memory);
	uint32_t len, sent[512];
	uint64_t in = 0, out = 0;

	for (int i = 0; i < 200000; i++) {
		if (rng_below(&rng, 100) < 50) {
			uint32_t n = rng_below(&rng, spsc_longest(r) + 1) >>
				     rng_below(&rng, 12);
			uint8_t *p = spsc_reserve(r, n);

			if (!p)
				continue;
			fill(p, n, in);
			sent[in++ % 512] = n;
			spsc_commit(r);
		} else {
			const uint8_t *p = spsc_peek(r, &len);

			CHECK((p != NULL) == (in != out));
			if (!p)
				continue;
			CHECK(len == sent[out % 512]);
			CHECK(is_fill(p, len, out));
			out++;
			spsc_release(r);
		}
	}
	CHECK(out > 50000 && spsc_lost(r) > 100);
	free(memory);
}

#define THREAD_RECORDS 300000u

struct seen {
	uint64_t records;
	uint64_t next;
	uint64_t holes;
	bool broken;
	bool done;
};

static void seen_record(void *ctx, const uint8_t *p, uint32_t len)
{
	struct seen *s = ctx;
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	if (len != 8 + n % 57 || n < s->next || !is_fill(p + 8, len - 8, n))
		s->broken = true;
	s->holes += n - s->next;
	s->next = n + 1;
	s->records++;
}

static void seen_done(void *ctx)
{
	((struct seen *)ctx)->done = true;
}

static void test_two_threads(void)
{
	static const struct drain_ops ops = { .record = seen_record,
					      .done = seen_done };
	struct seen s = { 0 };
	struct drain *d = NULL;
	uint64_t lost, n;

	CHECK(drain_start(&d, 65536, &ops, &s) == 0);
	for (n = 0; n < THREAD_RECORDS; n++) {
		uint32_t len = 8 + (uint32_t)(n % 57);
		uint8_t *p = spsc_reserve(drain_ring(d), len);

		if (!p)
			continue;
		memcpy(p, &n, sizeof(n));
		fill(p + 8, len - 8, n);
		spsc_commit(drain_ring(d));
	}
	lost = spsc_lost(drain_ring(d));
	drain_stop(d);
	CHECK(s.done && !s.broken);
	CHECK(s.records > 1000);
	CHECK(s.records + lost == THREAD_RECORDS);
	CHECK(s.holes + (THREAD_RECORDS - s.next) == lost);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "bounds", test_bounds },
		{ "a full ring loses and counts", test_full_is_counted },
		{ "some room is kept", test_some_room_is_kept },
		{ "only a commit hands over", test_commit_hands_over },
		{ "the longest record fits at any place",
		  test_longest_fits_anywhere },
		{ "same as a queue", test_against_queue },
		{ "two threads", test_two_threads },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
