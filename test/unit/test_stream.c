/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_stream.c - Unit test of flow/stream
 *
 * The oracle is the stream itself: byte i is a function of i, and whatever the
 * pieces, their order, overlaps and repeats, the bytes must come out once, in
 * order, and all frames must go back to the pool.
 */
#include "flow/stream.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

#define POOL_BYTES (4 * BUF_TOP)
#define TEXT_LEN   20000

static struct arena arena;
static struct pool *pool;
static uint8_t text[TEXT_LEN];

static void set_up(void)
{
	struct rng rng = { 1 };

	arena.size = pool_size(POOL_BYTES);
	arena.used = 0;
	arena.base = aligned_alloc(ARENA_ALIGN, arena_need(arena.size));
	if (arena.base == NULL)
		abort();
	memset(arena.base, 0, arena.size);
	if (pool_init(&pool, &arena, POOL_BYTES) != 0)
		abort();
	for (size_t i = 0; i < TEXT_LEN; i++)
		text[i] = (uint8_t)rng_next(&rng);
}

static void tear_down(void)
{
	CHECK(pool_used(pool) == 0);
	free(arena.base);
}

/* A piece of the text, which begins at sequence number @first. */
static struct segment piece(uint32_t first, uint32_t off, uint32_t len)
{
	return (struct segment){
		.seq = first + off, .data = text + off, .len = len, .cap = len
	};
}

/* Take what is in order behind *@at out of the list. */
static void pop_all(struct stream *s, uint32_t first, uint32_t *at)
{
	struct buf *f;
	uint32_t skip;

	while ((f = stream_pop(s, pool, &skip)) != NULL) {
		CHECK(f->seq + skip == first + *at);
		CHECK(skip < f->len);
		CHECK(memcmp(f->data + skip, text + *at, f->len - skip) == 0);
		*at += f->len - skip;
		CHECK(s->nxt == first + *at);
		buf_clear(pool, f, BUF_QUEUE);
	}
}

/* Hand @seg in and take all that is in order; *@at is what came so far. */
static enum stream_result feed(struct stream *s, const struct segment *seg,
			       uint32_t first, uint32_t *at)
{
	uint32_t skip = 0;
	uint32_t take = 0;
	enum stream_result r = stream_data(s, pool, seg, 7, &skip, &take);

	if (r == STREAM_IN_ORDER) {
		CHECK(seg->seq + skip == first + *at);
		CHECK(take > 0 && skip + take <= seg->len);
		CHECK(memcmp(seg->data + skip, text + *at, take) == 0);
		*at += take;
		CHECK(s->nxt == first + *at);
	}
	pop_all(s, first, at);
	return r;
}

static void one_shuffle(struct rng *rng, uint32_t first)
{
	struct stream s = { 0 };
	uint32_t at = 0;

	stream_start(&s, first);
	if (rng_below(rng, 2))
		stream_fin(&s, first + TEXT_LEN);
	/* Random pieces round the place reached; some lie behind a hole. */
	for (int i = 0; i < 4000 && at < TEXT_LEN; i++) {
		uint32_t back = rng_below(rng, 600);
		uint32_t off = at + rng_below(rng, 1500);
		uint32_t len = 1 + rng_below(rng, 900);

		off = off > back ? off - back : 0;
		if (off >= TEXT_LEN)
			off = TEXT_LEN - 1;
		if (len > TEXT_LEN - off)
			len = TEXT_LEN - off;
		struct segment seg = piece(first, off, len);
		feed(&s, &seg, first, &at);
	}
	struct segment rest = piece(first, at, TEXT_LEN - at);
	if (at < TEXT_LEN)
		feed(&s, &rest, first, &at);
	CHECK(at == TEXT_LEN);
	CHECK(!stream_has(&s, STREAM_CONFLICT));
	CHECK(stream_has(&s, STREAM_ENDED) == stream_has(&s, STREAM_FIN));
	CHECK(stream_end(&s) ==
	      first + TEXT_LEN + (stream_has(&s, STREAM_FIN) ? 1 : 0));
	CHECK(s.held == 0 && s.early == NULL && s.early_tail == NULL);
}

static void test_shuffles(void)
{
	static const uint32_t firsts[] = { 0, 0xffffff00, 0xffffb000,
					   0x7fffff00, 0x80000000 };
	struct rng rng = { 42 };

	set_up();
	for (size_t i = 0; i < ARRAY_SIZE(firsts); i++)
		for (int k = 0; k < 8; k++)
			one_shuffle(&rng, firsts[i]);
	tear_down();
}

static void test_trim(void)
{
	const uint32_t first = 0xfffffffa; /* wraps within the first piece */
	struct stream s = { 0 };
	uint32_t at = 0;
	struct segment a = piece(first, 0, 10);
	struct segment b = piece(first, 5, 10);
	struct segment c = piece(first, 3, 7);
	struct segment d = piece(first, 16, 4);
	struct segment e = piece(first, 14, 2);

	set_up();
	stream_start(&s, first);
	CHECK(feed(&s, &a, first, &at) == STREAM_IN_ORDER && at == 10);
	CHECK(feed(&s, &b, first, &at) == STREAM_IN_ORDER && at == 15);
	CHECK(feed(&s, &c, first, &at) == STREAM_OLD && at == 15);
	CHECK(feed(&s, &d, first, &at) == STREAM_EARLY && at == 15);
	CHECK(s.held == 1);
	CHECK(feed(&s, &d, first, &at) == STREAM_OLD);
	CHECK(s.held == 1);
	CHECK(feed(&s, &e, first, &at) == STREAM_IN_ORDER && at == 20);
	CHECK(s.held == 0);
	tear_down();
}

static void test_held(void)
{
	const uint32_t first = 0xffffff80;
	struct stream s = { 0 };
	uint32_t at = 0;

	set_up();
	stream_start(&s, first);
	/* Backwards, so that each is put in front of all others. */
	for (uint32_t i = STREAM_HELD; i > 0; i--) {
		struct segment seg = piece(first, 2 * i, 1);

		CHECK(feed(&s, &seg, first, &at) == STREAM_EARLY);
	}
	CHECK(s.held == STREAM_HELD);
	struct segment more = piece(first, 2 * STREAM_HELD + 2, 1);
	CHECK(feed(&s, &more, first, &at) == STREAM_FULL);
	CHECK(s.held == STREAM_HELD);
	/* Each missing byte lets one of them out; the first brings two. */
	struct segment two = piece(first, 0, 2);
	CHECK(feed(&s, &two, first, &at) == STREAM_IN_ORDER && at == 3);
	for (uint32_t i = 2; i <= STREAM_HELD; i++) {
		struct segment seg = piece(first, 2 * i - 1, 1);

		CHECK(feed(&s, &seg, first, &at) == STREAM_IN_ORDER);
		CHECK(at == 2 * i + 1 && s.held == STREAM_HELD - i);
	}
	tear_down();
}

static void test_pool_full(void)
{
	struct buf *all[POOL_BYTES / BUF_TOP];
	struct stream s = { 0 };
	uint32_t at = 0;
	struct segment seg = piece(0, 100, 50);

	set_up();
	stream_start(&s, 0);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = buf_alloc(pool, BUF_TOP / 2 + 1, BUF_EMIT);
	CHECK(feed(&s, &seg, 0, &at) == STREAM_FULL);
	CHECK(s.held == 0 && s.early == NULL);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		buf_clear(pool, all[i], BUF_EMIT);
	tear_down();
}

static void test_conflict(void)
{
	static const uint8_t other[6] = "wrong";
	struct stream s = { 0 };
	uint32_t at = 0;
	struct segment a = piece(0xffffff00, 250, 20);
	struct segment beside = piece(0xffffff00, 270, 20);
	struct segment b = {
		.seq = 0xffffff00 + 265u, .data = other, .len = 5, .cap = 5
	};

	set_up();
	stream_start(&s, 0xffffff00);
	CHECK(feed(&s, &a, 0xffffff00, &at) == STREAM_EARLY);
	CHECK(feed(&s, &beside, 0xffffff00, &at) == STREAM_EARLY);
	CHECK(!stream_has(&s, STREAM_CONFLICT));
	feed(&s, &b, 0xffffff00, &at);
	CHECK(stream_has(&s, STREAM_CONFLICT));
	stream_drop(&s, pool);
	CHECK(s.held == 0 && s.early == NULL && s.early_tail == NULL);
	tear_down();
}

/* Of two that begin at one number the longer one counts, as with Linux. */
static void test_longer(void)
{
	static const uint8_t other[40] = "the bytes of the longer one";
	const uint32_t first = 0xffffff00;
	struct stream s = { 0 };
	uint32_t at = 0, skip = 0;
	struct segment a = piece(first, 250, 20);
	struct segment beside = piece(first, 260, 30);
	struct segment b = {
		.seq = first + 250u, .data = other, .len = 40, .cap = 40
	};
	struct buf *f;

	for (unsigned tail = 0; tail < 2; tail++) {
		set_up();
		stream_start(&s, first);
		CHECK(feed(&s, &a, first, &at) == STREAM_EARLY);
		if (!tail)
			CHECK(feed(&s, &beside, first, &at) == STREAM_EARLY);
		CHECK(feed(&s, &b, first, &at) == STREAM_EARLY);
		CHECK(stream_has(&s, STREAM_CONFLICT));
		CHECK(s.held == (tail ? 1 : 2));
		CHECK(feed(&s, &a, first, &at) == STREAM_OLD);
		s.nxt = first + 255;
		f = stream_pop(&s, pool, &skip);
		CHECK(f && skip == 5 && s.nxt == first + 290);
		if (f) {
			CHECK(f->len == 40 && memcmp(f->data, other, 40) == 0);
			buf_clear(pool, f, BUF_QUEUE);
		}
		CHECK(!stream_pop(&s, pool, &skip));
		CHECK(s.held == 0 && !s.early && !s.early_tail);
		tear_down();
		s = (struct stream){ 0 };
	}
}

static void test_fin(void)
{
	const uint32_t first = 0xfffffff0;
	struct stream s = { 0 };
	uint32_t at = 0;
	struct segment early = piece(first, 20, 30);
	struct segment all = piece(first, 0, 60);
	struct segment behind = piece(first, 45, 5);

	set_up();
	stream_start(&s, first);
	CHECK(feed(&s, &early, first, &at) == STREAM_EARLY);
	stream_fin(&s, first + 40);
	stream_fin(&s, first + 45); /* the first one stands */
	CHECK(s.fin == first + 40);
	CHECK(!stream_has(&s, STREAM_ENDED));
	CHECK(stream_end(&s) == first);
	/* Bytes behind the FIN are nothing. */
	feed(&s, &behind, first, &at);
	CHECK(feed(&s, &all, first, &at) == STREAM_IN_ORDER);
	CHECK(at == 40 && stream_has(&s, STREAM_ENDED));
	CHECK(stream_end(&s) == first + 41);
	CHECK(feed(&s, &behind, first, &at) == STREAM_OLD);
	CHECK(s.held == 0);
	stream_drop(&s, pool);
	tear_down();
}

static void test_fin_behind(void)
{
	struct stream s = { 0 };
	uint32_t at = 0;
	struct segment seg = piece(0, 0, 30);

	set_up();
	stream_start(&s, 0);
	feed(&s, &seg, 0, &at);
	stream_fin(&s, 29); /* its bytes are here already: it cannot be */
	CHECK(!stream_has(&s, STREAM_FIN));
	stream_fin(&s, 30);
	CHECK(stream_has(&s, STREAM_FIN | STREAM_ENDED));
	tear_down();
}

/* Give up what is missing before the first early segment. */
static uint32_t to_early(struct stream *s)
{
	return s->early != NULL ? stream_skip(s, pool, s->early->seq) : 0;
}

static void test_hole(void)
{
	const uint32_t first = 0xffffffff;
	struct stream s = { 0 };
	uint32_t at = 0;
	struct segment a = piece(first, 10, 5);
	struct segment b = piece(first, 30, 5);

	set_up();
	stream_start(&s, first);
	CHECK(to_early(&s) == 0);
	feed(&s, &b, first, &at);
	feed(&s, &a, first, &at);
	CHECK(to_early(&s) == 10);
	at = 10;
	pop_all(&s, first, &at);
	CHECK(at == 15);
	CHECK(to_early(&s) == 15);
	CHECK(to_early(&s) == 0); /* nothing is missing before it now */
	at = 30;
	pop_all(&s, first, &at);
	CHECK(at == 35 && s.nxt == first + 35);
	tear_down();
}

/* An early segment may turn out to lie behind the FIN. */
static void test_hole_before_fin(void)
{
	const uint32_t first = 0xfffffff0;
	struct stream s = { 0 };
	uint32_t at = 0;
	struct segment seg = piece(first, 50, 5);

	set_up();
	stream_start(&s, first);
	feed(&s, &seg, first, &at);
	stream_fin(&s, first + 40);
	CHECK(to_early(&s) == 40);
	CHECK(stream_has(&s, STREAM_ENDED) && stream_end(&s) == first + 41);
	CHECK(to_early(&s) == 0);
	stream_drop(&s, pool);
	tear_down();
}

/* Where the place is lost all is held, but what is old. */
static void test_hold(void)
{
	const uint32_t first = 0xfffffff0;
	struct stream s = { 0 };
	struct segment old = piece(first, 0, 10);
	struct segment next = piece(first, 5, 10);
	uint32_t at = 10;

	set_up();
	stream_start(&s, first + 10);
	CHECK(stream_hold(&s, pool, &old, 0) == STREAM_OLD);
	CHECK(pool_used(pool) == 0);
	CHECK(stream_hold(&s, pool, &next, 0) == STREAM_EARLY);
	CHECK(s.nxt == first + 10);
	pop_all(&s, first, &at);
	CHECK(at == 15 && s.nxt == first + 15);
	tear_down();
}

/* The FIN may turn out to lie in front of an early segment, or inside of it. */
static void test_fin_before_early(void)
{
	for (uint32_t fin = 8; fin <= 12; fin += 2) {
		struct stream s = { 0 };
		struct segment seg = piece(0, 10, 5);
		struct segment a = piece(0, 0, 10);
		uint32_t at = 0;

		set_up();
		stream_start(&s, 0);
		feed(&s, &seg, 0, &at);
		stream_fin(&s, fin);
		feed(&s, &a, 0, &at);
		pop_all(&s, 0, &at);
		CHECK(at == fin && stream_has(&s, STREAM_ENDED));
		stream_drop(&s, pool);
		tear_down();
	}
}

/* Up to the middle of an early segment, and of one that is old in part. */
static void test_skip_into_early(void)
{
	struct stream s = { 0 };
	struct segment seg = piece(0, 10, 10);
	struct segment in = piece(0, 12, 4);
	uint32_t skip = 99;
	uint32_t at = 0;
	struct buf *f;

	set_up();
	stream_start(&s, 0);
	feed(&s, &seg, 0, &at);
	feed(&s, &in, 0, &at);
	CHECK(stream_skip(&s, pool, 15) == 10);
	CHECK(s.nxt == 15);
	f = stream_pop(&s, pool, &skip);
	CHECK(f != NULL && skip == 5 && s.nxt == 20);
	if (f != NULL)
		buf_clear(pool, f, BUF_QUEUE);
	/* The one inside of it is old by now. */
	CHECK(stream_skip(&s, pool, 25) == 5 && s.nxt == 25);
	CHECK(s.early == NULL && s.held == 0);
	tear_down();
}

static void test_kept(void)
{
	struct stream s = { 0 };
	struct segment seg = piece(0, 10, 5);
	uint32_t skip = 9;
	uint32_t take = 9;
	struct buf *f;

	set_up();
	seg.ack = 77;
	seg.ts = 1234;
	seg.gso = 1448;
	seg.urg = 3;
	seg.flags = TCP_ACK | TCP_URG;
	stream_start(&s, 0);
	CHECK(stream_data(&s, pool, &seg, 99, &skip, &take) == STREAM_EARLY);
	CHECK(skip == 9 && take == 9);
	CHECK(stream_pop(&s, pool, &skip) == NULL);
	CHECK(to_early(&s) == 10);
	f = stream_pop(&s, pool, &skip);
	CHECK(f != NULL && skip == 0);
	if (f != NULL) {
		CHECK(f->ack == 77 && f->ts == 1234 && f->now == 99);
		CHECK(f->gso == 1448 && f->urg == 3);
		CHECK(f->flags == (TCP_ACK | TCP_URG));
		CHECK(f->next == NULL && f->interest == BUF_QUEUE);
		buf_clear(pool, f, BUF_QUEUE);
	}
	tear_down();
}

static const struct check_test tests[] = {
	{ "any order of any pieces", test_shuffles },
	{ "overlaps are trimmed, also across 2^32", test_trim },
	{ "STREAM_HELD early segments", test_held },
	{ "pool full", test_pool_full },
	{ "copies that contradict", test_conflict },
	{ "the longer one of two that begin together", test_longer },
	{ "nothing behind a FIN", test_fin },
	{ "a FIN before bytes that are here", test_fin_behind },
	{ "holes", test_hole },
	{ "a hole before the FIN", test_hole_before_fin },
	{ "what is kept of an early segment", test_kept },
	{ "held where the place is lost", test_hold },
	{ "a FIN in front of early segments", test_fin_before_early },
	{ "a skip into early segments", test_skip_into_early },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
