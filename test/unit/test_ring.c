/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_ring.c - Unit test of core/ring and os/drain
 *
 * A model (a plain queue of lengths and a seeded filler) says what must come
 * out; the two-thread test checks that nothing is seen half written.
 */
#include "core/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"
#include "os/drain.h"

static struct ring *ring_new(size_t bytes, void **memory)
{
	struct arena a = { .size = ring_size(bytes) };
	struct ring *r = NULL;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	memset(a.base, 0xa5, a.size);
	CHECK(ring_init(&r, &a, bytes) == 0);
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
	struct arena small = { .size = ring_size(RING_MIN) - 1 };
	struct ring *r = NULL;

	CHECK(ring_size(RING_TOP + 1) == 0);
	CHECK(ring_size(1) == ring_size(RING_MIN));
	CHECK(ring_size(RING_MIN + 1) > ring_size(RING_MIN));
	CHECK(ring_init(&r, &small, RING_TOP + 1) == -EINVAL);
	CHECK(ring_init(&r, &small, RING_MIN) == -ENOMEM);
	CHECK(r == NULL && small.used == 0);
}

static void test_full_is_counted(void)
{
	void *memory;
	struct ring *r = ring_new(RING_MIN, &memory);
	uint32_t len = 0;
	unsigned n = 0;

	CHECK(ring_peek(r, &len) == NULL);
	CHECK(ring_reserve(r, ring_longest(r) + 1) == NULL);
	CHECK(ring_lost(r) == 1);
	while (ring_reserve(r, 24) != NULL) {
		ring_commit(r);
		n++;
	}
	CHECK(n == RING_MIN / 32);
	CHECK(ring_used(r) == RING_MIN);
	CHECK(ring_lost(r) == 2);
	CHECK(ring_peek(r, &len) != NULL && len == 24);
	ring_release(r);
	CHECK(ring_reserve(r, 25) == NULL);
	CHECK(ring_reserve(r, 24) != NULL);
	CHECK(ring_lost(r) == 3);
	free(memory);
}

/* A reserved record is not seen, and a second reserve takes its place. */
static void test_commit_hands_over(void)
{
	void *memory;
	struct ring *r = ring_new(RING_MIN, &memory);
	uint32_t len;

	CHECK(ring_reserve(r, 100) != NULL);
	CHECK(ring_peek(r, &len) == NULL);
	CHECK(ring_reserve(r, 0) != NULL);
	ring_commit(r);
	CHECK(ring_peek(r, &len) != NULL && len == 0);
	ring_release(r);
	CHECK(ring_peek(r, &len) == NULL);
	CHECK(ring_used(r) == 0);
	free(memory);
}

/* Longest record, with the ring's place everywhere it can be. */
static void test_longest_fits_anywhere(void)
{
	void *memory;
	uint32_t len, longest;

	for (unsigned at = 0; at < RING_MIN / RING_ALIGN; at++) {
		struct ring *r = ring_new(RING_MIN, &memory);
		uint8_t *p;

		for (unsigned i = 0; i < at; i++) {
			CHECK(ring_reserve(r, 0) != NULL);
			ring_commit(r);
			CHECK(ring_peek(r, &len) != NULL && len == 0);
			ring_release(r);
		}
		longest = ring_longest(r);
		p = ring_reserve(r, longest);
		CHECK(p != NULL);
		if (p) {
			fill(p, longest, at);
			ring_commit(r);
			CHECK(ring_peek(r, &len) == p && len == longest);
			CHECK(is_fill(p, len, at));
		}
		free(memory);
	}
}

static void test_against_queue(void)
{
	struct rng rng = { 7 };
	void *memory;
	struct ring *r = ring_new(RING_MIN, &memory);
	uint32_t len, sent[512];
	uint64_t in = 0, out = 0;

	for (int i = 0; i < 200000; i++) {
		if (rng_below(&rng, 100) < 50) {
			uint32_t n = rng_below(&rng, ring_longest(r) + 1) >>
				     rng_below(&rng, 12);
			uint8_t *p = ring_reserve(r, n);

			if (!p)
				continue;
			fill(p, n, in);
			sent[in++ % 512] = n;
			ring_commit(r);
		} else {
			const uint8_t *p = ring_peek(r, &len);

			CHECK((p != NULL) == (in != out));
			if (!p)
				continue;
			CHECK(len == sent[out % 512]);
			CHECK(is_fill(p, len, out));
			out++;
			ring_release(r);
		}
	}
	CHECK(out > 50000 && ring_lost(r) > 100);
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
		uint8_t *p = ring_reserve(drain_ring(d), len);

		if (!p)
			continue;
		memcpy(p, &n, sizeof(n));
		fill(p + 8, len - 8, n);
		ring_commit(drain_ring(d));
	}
	lost = ring_lost(drain_ring(d));
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
		{ "only a commit hands over", test_commit_hands_over },
		{ "the longest record fits at any place",
		  test_longest_fits_anywhere },
		{ "same as a queue", test_against_queue },
		{ "two threads", test_two_threads },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
