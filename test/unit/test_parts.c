/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_parts.c - Unit test of tunnel/pieces/parts: frames in parts
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/rng.h"
#include "pieces/parts.h"

#define PARTS 64

static struct rng rng = { 1 };
static struct parts *parts;
static uint8_t frame[PARTS_FRAME];

/** struct packet - A part, of exact size, so that ASan sees the byte too far */
struct packet {
	uint8_t *b;
	uint32_t n;
};

static void begin(struct arena *a)
{
	size_t n = parts_size();

	*a = (struct arena){ .base = aligned_alloc(ARENA_ALIGN, n), .size = n };
	memset(a->base, 0x5a, n);
	CHECK(parts_init(&parts, a) == 0);
}

static void random_frame(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		frame[i] = (uint8_t)rng_next(&rng);
}

static uint32_t cut(uint32_t n, uint32_t most, uint16_t id, struct packet *out)
{
	uint32_t each = parts_each(n, most), count = 0;

	for (uint32_t at = 0; at < n; at += each) {
		uint32_t len = n - at < each ? n - at : each;
		uint32_t more = len == n ? PARTS_WHOLE : PARTS_TRAILER;
		uint32_t put;

		out[count].b = malloc(len + more);
		put = parts_put(frame, n, id, at, each, out[count].b);
		CHECK(put == len + more && put <= most);
		CHECK(parts_begins(out[count].b, put) == (at == 0));
		out[count++].n = put;
	}
	return count;
}

static enum parts_got take(const struct packet *p, const uint8_t **f,
			   uint32_t *n)
{
	return parts_take(parts, p->b, p->n, f, n);
}

static void free_all(struct packet *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free(p[i].b);
}

static void shuffle(struct packet *p, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t k = rng_below(&rng, i);
		struct packet t = p[i - 1];

		p[i - 1] = p[k];
		p[k] = t;
	}
}

static void every_length_comes_whole(void)
{
	struct packet p[PARTS];
	const uint8_t *f;
	struct arena a;
	uint32_t n;

	begin(&a);
	for (uint32_t len = 1; len <= PARTS_FRAME; len += 1 + len / 7)
		for (uint32_t most = 300; most < 1500; most += 37) {
			uint32_t count;

			random_frame(len);
			count = cut(len, most, (uint16_t)len, p);
			CHECK(count == 1 ||
			      count <= (len + most - 16) / (most - 15));
			shuffle(p, count);
			for (uint32_t i = 0; i + 1 < count; i++)
				CHECK(take(&p[i], &f, &n) == PARTS_WAIT);
			CHECK(take(&p[count - 1], &f, &n) == PARTS_DONE);
			CHECK(n == len && memcmp(f, frame, n) == 0);
			free_all(p, count);
		}
	CHECK(parts_counters(parts)->lost + parts_counters(parts)->bad == 0);
	free(a.base);
}

static void what_does_not_come_is_given_up(void)
{
	struct packet p[PARTS], first[3];
	const uint8_t *f;
	struct arena a;
	uint32_t n;

	begin(&a);
	random_frame(3000);
	CHECK(cut(3000, 1400, 1, first) == 3);
	CHECK(take(&first[0], &f, &n) == PARTS_WAIT);
	CHECK(take(&first[1], &f, &n) == PARTS_WAIT);
	for (uint16_t id = 2; id < PARTS_OPEN + 1; id++) {
		CHECK(cut(2000, 1400, id, p) == 2);
		CHECK(take(&p[0], &f, &n) == PARTS_WAIT);
		free_all(p, 2);
	}
	/* All places are taken, and the first has its own yet. */
	CHECK(parts_counters(parts)->lost == 0);
	CHECK(take(&first[2], &f, &n) == PARTS_DONE && n == 3000);
	for (uint16_t id = 200; id < 202; id++) {
		CHECK(cut(2000, 1400, id, p) == 2);
		CHECK(take(&p[0], &f, &n) == PARTS_WAIT);
		free_all(p, 2);
	}
	CHECK(parts_counters(parts)->lost == 1);
	parts_reset(parts);
	CHECK(parts_counters(parts)->lost == PARTS_OPEN + 1);
	free_all(first, 3);
	free(a.base);
}

static void lies_are_refused(void)
{
	struct packet p[PARTS];
	const uint8_t *f;
	struct arena a;
	uint32_t n;
	uint8_t *end;

	begin(&a);
	random_frame(2000);
	CHECK(cut(2000, 1400, 1, p) == 2);
	end = p[0].b + p[0].n - PARTS_TRAILER;
	/* One comes again. */
	CHECK(take(&p[0], &f, &n) == PARTS_WAIT);
	CHECK(take(&p[0], &f, &n) == PARTS_BAD);
	CHECK(parts_counters(parts)->lost == 1);
	CHECK(take(&p[1], &f, &n) == PARTS_WAIT);
	/* Another length. */
	put_be16(end + 4, 2008);
	CHECK(take(&p[0], &f, &n) == PARTS_WAIT);
	CHECK(parts_counters(parts)->lost == 2);
	/* Beyond its end, beyond all, not at a unit, all of it. */
	put_be16(end + 4, 999);
	CHECK(take(&p[0], &f, &n) == PARTS_BAD);
	put_be16(end + 4, 1000);
	CHECK(take(&p[0], &f, &n) == PARTS_BAD);
	put_be16(end + 4, PARTS_FRAME + 8);
	CHECK(take(&p[0], &f, &n) == PARTS_BAD);
	put_be16(end + 4, 2000);
	put_be16(end + 2, 4);
	CHECK(take(&p[0], &f, &n) == PARTS_BAD);
	put_be16(end + 2, 0xfff8);
	CHECK(take(&p[0], &f, &n) == PARTS_BAD);
	end[6] = 2;
	CHECK(take(&p[0], &f, &n) == PARTS_BAD);
	p[0].n = 1;
	p[0].b[0] = 0;
	CHECK(take(&p[0], &f, &n) == PARTS_BAD);
	p[0].n = PARTS_TRAILER;
	memset(p[0].b, 1, PARTS_TRAILER);
	CHECK(take(&p[0], &f, &n) == PARTS_BAD);
	free_all(p, 2);
	free(a.base);
}

static const struct check_test tests[] = {
	{ "every length comes whole", every_length_comes_whole },
	{ "what does not come is given up", what_does_not_come_is_given_up },
	{ "lies are refused", lies_are_refused },
};

int main(void)
{
	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
