/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_ipip.c - Unit test of tunnel/ipip: outer headers, and the order of segments
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/rng.h"
#include "ipip/outer.h"
#include "ipip/reorder.h"

#define SYN 2u
#define FIN 1u
#define RST 4u
#define ACK 16u
#define MS  NS_PER_MS
#define LEN 100u /* bytes of a segment */

static struct reorder *r;
static struct arena arena;

static void begin(uint32_t flows, uint32_t held, uint32_t size, uint64_t hold)
{
	struct reorder_limits l = { flows, held, 1 << 20 };
	struct reorder_config c = { true, size, hold };
	struct hash_key key = { { 1, 2 } };
	size_t n = reorder_size(&l);

	arena = (struct arena){ .base = aligned_alloc(ARENA_ALIGN, n),
				.size = n };
	memset(arena.base, 0, n);
	CHECK(reorder_init(&r, &arena, &l, &c, &key, 0) == 0);
}

static void finish(void)
{
	struct buf *f;

	while ((f = reorder_next(r)))
		reorder_done(r, f);
	if (reorder_held(r) == 0)
		CHECK(reorder_used(r) == 0);
	free(arena.base);
}

/* A segment of connection @of, of @len bytes, and its number in the payload. */
static void put(uint16_t of, uint32_t seq, uint32_t len, uint8_t flags,
		uint64_t now)
{
	uint32_t n = 40 + len;
	struct buf *f = reorder_frame(r, n);
	uint8_t *p = f->data;

	memset(p, 0, n);
	p[0] = 0x45;
	put_be16(p + 2, (uint16_t)n);
	p[9] = 6;
	put_be32(p + 12, 0x0a630001);
	put_be32(p + 16, 0x0a630002);
	put_be16(p + 20, of);
	put_be16(p + 22, 80);
	put_be32(p + 24, seq);
	p[32] = 0x50;
	p[33] = flags;
	reorder_put(r, f, now);
	CHECK(!reorder_check(r));
}

static void data(uint32_t seq, uint64_t now)
{
	put(1, seq, LEN, ACK, now);
}

/* What goes on now has these numbers, 0 ends them. */
static bool gives(const uint32_t *seq)
{
	struct buf *f;
	bool same = true;

	while ((f = reorder_next(r))) {
		same &= *seq != 0 && get_be32(f->data + 24) == *seq;
		seq += *seq != 0;
		reorder_done(r, f);
	}
	return same && *seq == 0;
}

#define GIVES(...)	CHECK(gives((const uint32_t[]){ __VA_ARGS__, 0 }))
#define GIVES_NOTHING() CHECK(!reorder_next(r))

static void a_hole_is_filled(void)
{
	begin(4, 100, 0, 0);
	put(1, 1000, 0, SYN, 0);
	GIVES(1000);
	data(1001, 0);
	GIVES(1001);
	data(1201, 0);
	data(1401, 0);
	data(1301, 0);
	GIVES_NOTHING();
	CHECK(reorder_held(r) == 3);
	data(1101, 0);
	GIVES(1101, 1201, 1301, 1401);
	put(1, 1501, 10, FIN | ACK, 0);
	GIVES(1501);
	CHECK(reorder_counters(r)->held == 3);
	CHECK(reorder_counters(r)->released == 3);
	CHECK(reorder_next_timeout(r) == UINT64_MAX);
	finish();
}

static void numbers_wrap(void)
{
	begin(4, 100, 0, 0);
	data(0xffffff00, 0);
	GIVES(0xffffff00);
	data(0x2c, 0);
	GIVES_NOTHING();
	data(0xffffffc8, 0);
	GIVES_NOTHING();
	data(0xffffff64, 0);
	GIVES(0xffffff64, 0xffffffc8, 0x2c);
	finish();
}

static void what_is_behind_its_turn_goes_on(void)
{
	begin(4, 100, 0, 0);
	data(1000, 0);
	GIVES(1000);
	data(1000, 0); /* the acknowledgment was lost */
	GIVES(1000);
	put(1, 999, 0, ACK, 0); /* is it alive? */
	GIVES(999);
	CHECK(reorder_counters(r)->late == 1);
	put(1, 1050, LEN, ACK, 0); /* half of it is new */
	GIVES(1050);
	data(1150, 0);
	GIVES(1150);
	finish();
}

static void copies_of_what_is_held_go(void)
{
	begin(4, 100, 0, 0);
	data(1000, 0);
	GIVES(1000);
	data(1200, 0);
	data(1200, 0);
	put(1, 1200, 50, ACK, 0);
	CHECK(reorder_counters(r)->duplicate == 2);
	put(1, 1200, 150, ACK, 0); /* brings more */
	CHECK(reorder_held(r) == 2);
	data(1100, 0);
	GIVES(1100, 1200, 1200);
	CHECK(reorder_counters(r)->overtaken == 0);
	data(1450, 0);
	put(1, 1350, 200, ACK, 0); /* brings it all */
	GIVES(1350);
	CHECK(reorder_counters(r)->overtaken == 1);
	CHECK(reorder_held(r) == 0);
	finish();
}

static void time_gives_a_hole_up(void)
{
	begin(4, 100, 0, 100 * MS);
	data(1000, 0);
	GIVES(1000);
	data(1200, 10 * MS);
	data(1300, 20 * MS);
	data(1500, 30 * MS);
	reorder_timeout(r, 109 * MS);
	GIVES_NOTHING();
	CHECK(reorder_next_timeout(r) >= 110 * MS);
	CHECK(reorder_next_timeout(r) <= 111 * MS);
	reorder_timeout(r, 111 * MS);
	GIVES(1200, 1300);
	CHECK(!reorder_check(r));
	data(1400, 150 * MS); /* fills the second, whose time began at 111 */
	GIVES(1400, 1500);
	data(1100, 160 * MS); /* late */
	GIVES(1100);
	reorder_timeout(r, 1000 * MS);
	CHECK(reorder_counters(r)->given_up == 1);
	finish();
}

/* The thesis's rule: one more than `size`, and all goes on. */
static void size_gives_all_up(void)
{
	begin(4, 100, 3, 0);
	data(1000, 0);
	GIVES(1000);
	data(1200, 0);
	data(1600, 0);
	data(1400, 0);
	GIVES_NOTHING();
	data(1800, 0);
	GIVES(1200, 1400, 1600, 1800);
	CHECK(reorder_counters(r)->flushed == 1);
	data(1900, 0);
	GIVES(1900);
	finish();
}

static void all_together_are_bounded(void)
{
	begin(4, 2, 0, 0);
	for (uint16_t of = 1; of <= 3; of++)
		put(of, 1000, LEN, ACK, 0);
	GIVES(1000, 1000, 1000);
	put(1, 1200, LEN, ACK, 0);
	put(2, 1200, LEN, ACK, 0);
	GIVES_NOTHING();
	put(3, 1200, LEN, ACK, 0); /* holds nothing that it could give up */
	GIVES(1200);
	CHECK(reorder_counters(r)->no_room == 1);
	put(1, 1400, LEN, ACK, 0);
	GIVES(1200);
	CHECK(reorder_held(r) == 2);
	finish();
}

static void connections_are_bounded(void)
{
	begin(2, 100, 0, 0);
	put(1, 1000, LEN, ACK, 0);
	put(2, 1000, LEN, ACK, 0);
	put(1, 1200, LEN, ACK, 0);
	put(2, 1200, LEN, ACK, 0);
	GIVES(1000, 1000);
	put(1, 1300, LEN, ACK, 0);
	put(3, 5000, LEN, ACK, 0); /* 2 was silent longest */
	GIVES(1200, 5000);
	CHECK(reorder_counters(r)->evicted == 1);
	CHECK(reorder_held(r) == 2);
	finish();
}

static void what_has_no_order_passes(void)
{
	begin(4, 100, 0, 0);
	data(1000, 0);
	GIVES(1000);
	data(1200, 0);
	put(1, 1300, 0, ACK, 0); /* an ACK says nothing new by its place */
	GIVES(1300);
	put(1, 1300, 0, RST, 0);
	GIVES(1200, 1300); /* what was held comes before the end */
	CHECK(reorder_counters(r)->passed == 2);
	data(9000, 0); /* nothing is known of it any more */
	GIVES(9000);
	for (int i = 0; i < 2; i++) { /* a fragment, a datagram */
		struct buf *f = reorder_frame(r, 60);

		memset(f->data, 0, 60);
		f->data[0] = 0x45;
		put_be16(f->data + 2, 60);
		f->data[9] = i == 0 ? 6 : 17;
		put_be16(f->data + 6, i == 0 ? 0x2000 : 0);
		reorder_put(r, f, 0);
	}
	for (int i = 0; i < 2; i++)
		reorder_done(r, reorder_next(r));
	CHECK(reorder_counters(r)->passed == 4);
	finish();
}

static void a_connection_begins_anew(void)
{
	begin(4, 100, 0, 0);
	put(1, 1000, 0, SYN | ACK, 0);
	data(1001, 0);
	data(1201, 0);
	GIVES(1000, 1001);
	put(1, 1000, 0, SYN | ACK, 0); /* the same, repeated */
	GIVES(1000);
	CHECK(reorder_held(r) == 1);
	put(1, 700000, 0, SYN, 0); /* another one */
	GIVES(1201, 700000);
	data(700101, 0);
	GIVES_NOTHING();
	data(700001, 0);
	GIVES(700001, 700101);
	data(700201 + (1u << 30) + 1, 0); /* beyond any window */
	GIVES(700201 + (1u << 30) + 1);
	CHECK(reorder_counters(r)->resync == 1);
	finish();
}

static void it_is_switched_off(void)
{
	struct reorder_config c = { false, 0, 0 };

	begin(4, 100, 0, 100 * MS);
	data(1000, 0);
	data(1200, 0);
	GIVES(1000);
	reorder_configure(r, &c);
	CHECK(!reorder_check(r));
	GIVES(1200);
	data(9000, 0);
	data(8000, 0);
	GIVES(9000, 8000);
	finish();
}

/* Segments in a random order, of which no one is missing, come in theirs. */
static void any_order_becomes_one(void)
{
	static uint32_t at[200];
	struct rng rng = { 7 };

	for (int round = 0; round < 50; round++) {
		uint32_t next = 0xfffff000;

		begin(4, 1000, 0, 0);
		put(1, next - 1, 0, SYN, 0);
		for (uint32_t i = 0; i < 200; i++)
			at[i] = next + i * LEN;
		for (uint32_t i = 199; i > 0; i--) {
			uint32_t k = (uint32_t)(rng_next(&rng) % (i + 1));
			uint32_t was = at[i];

			at[i] = at[k];
			at[k] = was;
		}
		for (uint32_t i = 0; i < 200; i++)
			data(at[i], 0);
		reorder_done(r, reorder_next(r));
		for (uint32_t i = 0; i < 200; i++) {
			struct buf *f = reorder_next(r);

			CHECK(f && get_be32(f->data + 24) == next + i * LEN);
			if (f)
				reorder_done(r, f);
		}
		CHECK(reorder_held(r) == 0);
		finish();
	}
}

static void bounds_are_tested(void)
{
	struct reorder_limits l = { 0, 1, 1 };
	struct reorder_config c = { true, 0, 0 };
	struct hash_key key = { { 1, 2 } };
	struct arena a = { .size = 0 };
	struct reorder *out = NULL;

	CHECK(reorder_init(&out, &a, &l, &c, &key, 0) == -EINVAL);
	l.flows = 1;
	l.held = 0;
	CHECK(reorder_init(&out, &a, &l, &c, &key, 0) == -EINVAL);
	l.held = 1;
	CHECK(reorder_init(&out, &a, &l, &c, &key, 0) == -ENOMEM);
	CHECK(!out);
}

/* --- outer headers --- */

static uint8_t *exact(const uint8_t *p, uint32_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);

	memcpy(copy, p, n);
	return copy;
}

static enum outer_got parse(const uint8_t *p, uint32_t n, uint32_t *at)
{
	uint8_t *copy = exact(p, n);
	const uint8_t *src = NULL;
	enum outer_got got = outer_parse(copy, n, &src, at);

	CHECK((got == OUTER_BAD) == !src);
	CHECK(!src || src == copy + 12);
	free(copy);
	return got;
}

static void a_header_comes_and_goes(void)
{
	static const uint8_t from[4] = { 10, 0, 0, 1 }, to[4] = { 10, 0, 0, 2 };
	uint8_t p[OUTER_HEADER + 60] = { 0 };
	uint8_t *inner = p + OUTER_HEADER;
	uint32_t at = 7;

	inner[0] = 0x46;
	inner[1] = 0xb9; /* EF and a mark of congestion */
	put_be16(inner + 2, 60);
	put_be16(inner + 6, 0x4000);
	outer_emit(p, inner, 60, from, to);
	CHECK(p[0] == 0x45 && p[1] == 0xb9 && get_be16(p + 2) == 80);
	CHECK(get_be16(p + 6) == 0x4000 && p[8] == 64 && p[9] == 4);
	CHECK(memcmp(p + 12, from, 4) == 0 && memcmp(p + 16, to, 4) == 0);
	CHECK(parse(p, 80, &at) == OUTER_PACKET && at == 20);
	put_be16(inner + 6, 0x2000); /* a fragment inside says nothing of DF */
	outer_emit(p, inner, 60, from, to);
	CHECK(get_be16(p + 6) == 0);
	CHECK(parse(p, 80, &at) == OUTER_PACKET);
}

static void lies_are_refused(void)
{
	static const uint8_t zero[4];
	uint8_t p[OUTER_HEADER + 60] = { 0 };
	uint8_t *inner = p + OUTER_HEADER;
	uint32_t at = 7;

	inner[0] = 0x45;
	put_be16(inner + 2, 60);
	outer_emit(p, inner, 60, zero, zero);
	for (uint32_t n = 0; n < 80; n++) /* its own length is not there */
		CHECK(parse(p, n, &at) == OUTER_BAD);
	for (uint32_t n = 20; n < 80; n++) { /* the inner one is not */
		put_be16(p + 2, (uint16_t)n);
		CHECK(parse(p, n, &at) == OUTER_CUT);
	}
	put_be16(p + 2, 80);
	put_be16(inner + 2, 59);
	CHECK(parse(p, 80, &at) == OUTER_LONG);
	put_be16(inner + 2, 60);
	inner[0] = 0x60;
	CHECK(parse(p, 80, &at) == OUTER_NOT4);
	inner[0] = 0x44; /* a header of 16 bytes */
	CHECK(parse(p, 80, &at) == OUTER_NOT4);
	inner[0] = 0x45;
	p[9] = 17;
	CHECK(parse(p, 80, &at) == OUTER_BAD);
	p[9] = 4;
	put_be16(p + 6, 0x2000); /* more follow */
	CHECK(parse(p, 80, &at) == OUTER_BAD);
	put_be16(p + 6, 1);
	CHECK(parse(p, 80, &at) == OUTER_BAD);
	put_be16(p + 6, 0x4000);
	CHECK(at == 7);
	CHECK(parse(p, 80, &at) == OUTER_PACKET);
}

static const struct check_test tests[] = {
	{ "a hole is filled", a_hole_is_filled },
	{ "numbers wrap", numbers_wrap },
	{ "what is behind its turn goes on", what_is_behind_its_turn_goes_on },
	{ "copies of what is held go", copies_of_what_is_held_go },
	{ "time gives a hole up", time_gives_a_hole_up },
	{ "size gives all up", size_gives_all_up },
	{ "all together are bounded", all_together_are_bounded },
	{ "connections are bounded", connections_are_bounded },
	{ "what has no order passes", what_has_no_order_passes },
	{ "a connection begins anew", a_connection_begins_anew },
	{ "it is switched off", it_is_switched_off },
	{ "any order becomes one", any_order_becomes_one },
	{ "bounds are tested", bounds_are_tested },
	{ "a header comes and goes", a_header_comes_and_goes },
	{ "lies are refused", lies_are_refused },
};

int main(void)
{
	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
