/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_parts.c - Frames that go in parts
 *
 * Input: steps of three bytes: what (a frame is cut; one of the parts that wait comes,
 * or is lost; a lie is sent), how long, how long a path takes. A frame that comes out is
 * one that went in, whole, and once. Without lies, and while no more than there are
 * places for are under way, none is lost but those with a lost part.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "pieces/parts.h"

#define WAITS 256
#define STEP  3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	uint8_t *b;
	uint32_t n;
} waits[WAITS];
static uint32_t waits_n;
static uint32_t length[65536]; /* of a frame that is under way; 0: none */
static uint16_t id;

static uint8_t byte_of(uint16_t frame, uint32_t at)
{
	return (uint8_t)(frame * 31u + at * 7u + (at >> 8));
}

static void cut(uint32_t n, uint32_t most)
{
	static uint8_t frame[PARTS_FRAME];
	uint32_t each = parts_each(n, most);

	for (uint32_t i = 0; i < n; i++)
		frame[i] = byte_of(id, i);
	put_be16(frame, id);
	length[id] = n;
	for (uint32_t at = 0; at < n && waits_n < WAITS; at += each) {
		uint32_t len = n - at < each ? n - at : each;
		uint8_t *b = malloc(len + PARTS_TRAILER);

		if (b == NULL)
			abort();
		waits[waits_n].n = parts_put(frame, n, id, at, each, b);
		assert(waits[waits_n].n <= most);
		waits[waits_n++].b = b;
	}
	id++;
}

static void check(const uint8_t *f, uint32_t n, bool lies)
{
	uint16_t of;

	if (lies)
		return;
	assert(n >= 2);
	of = get_be16(f);
	assert(length[of] == n);
	for (uint32_t i = 2; i < n; i++)
		assert(f[i] == byte_of(of, i));
	length[of] = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { .size = parts_size() };
	struct parts *s;
	bool lies = false;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	if (a.base == NULL || parts_init(&s, &a) != 0)
		abort();
	memset(length, 0, sizeof(length));
	for (; size >= STEP; data += STEP, size -= STEP) {
		uint32_t k = waits_n > 0 ? data[1] % waits_n : 0;
		const uint8_t *f;
		uint32_t n;

		if (data[0] % 4 == 0) {
			cut(2 + data[1] * 36u, 200 + data[2] * 6u);
			continue;
		}
		if (waits_n == 0)
			continue;
		if (data[0] % 4 == 3) {
			lies = true;
			waits[k].b[waits[k].n - 1 - data[2] % waits[k].n] ^=
				data[0] >> 2;
		}
		if (data[0] != 2 &&
		    parts_take(s, waits[k].b, waits[k].n, &f, &n) == PARTS_DONE)
			check(f, n, lies);
		free(waits[k].b);
		waits[k] = waits[--waits_n];
	}
	assert(lies || parts_counters(s)->bad == 0);
	while (waits_n > 0)
		free(waits[--waits_n].b);
	free(a.base);
	return 0;
}
