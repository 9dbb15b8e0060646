/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_shring.c - A ring in memory that somebody else writes
 *
 * Input: operations, a byte each with what it needs behind it: write a record, read
 * one, or change the shared memory as an end that was taken over may. Without a
 * change what is read is what was written, in order. With one nothing is read that is
 * longer than was asked for, neither end leaves the memory, and what an end has said
 * is its own place never goes back.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "os/shring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM  4096u
#define LONG  600u
#define QUEUE 1024u

struct state {
	struct shring w, r;
	uint64_t *memory;
	size_t words;
	bool changed;
	uint16_t length[QUEUE]; /* of records in the ring */
	uint8_t first[QUEUE];
	unsigned head, n;
};

static void write_one(struct state *s, size_t len, uint8_t first)
{
	uint64_t was = s->w.own;
	uint8_t buf[LONG];
	int r = shring_begin(&s->w, len);

	if (r != 0) {
		assert(s->w.own == was);
		assert(r == -EAGAIN || r == -EMSGSIZE || s->changed);
		return;
	}
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(first + i);
	shring_add(&s->w, buf, len / 3);
	shring_add(&s->w, buf + len / 3, len - len / 3);
	shring_commit(&s->w);
	assert(s->w.own > was && s->w.own - was <= LONG + 16);
	if (s->n == QUEUE)
		return; /* only when @changed */
	s->length[(s->head + s->n) % QUEUE] = (uint16_t)len;
	s->first[(s->head + s->n) % QUEUE] = first;
	s->n++;
}

static void read_one(struct state *s, size_t most)
{
	uint8_t *buf = malloc(most > 0 ? most : 1);
	uint64_t was = s->r.own;
	size_t len = SIZE_MAX;
	int r = shring_take(&s->r, buf, most, &len);

	if (r != 1)
		assert(s->r.own == was && len == SIZE_MAX);
	else
		assert(len <= most && s->r.own > was);
	if (!s->changed && r == 0)
		assert(s->n == 0);
	if (!s->changed && r == -EPROTO)
		assert(s->n > 0 && s->length[s->head] > most);
	if (!s->changed && r == 1) {
		assert(s->n > 0 && len == s->length[s->head]);
		for (size_t i = 0; i < len; i++)
			assert(buf[i] == (uint8_t)(s->first[s->head] + i));
		s->head = (s->head + 1) % QUEUE;
		s->n--;
	}
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state s = { .words = shring_size(ROOM) / 8 };
	size_t at = 0;

	s.memory = aligned_alloc(64, shring_size(ROOM));
	memset(s.memory, 0, shring_size(ROOM));
	shring_open(&s.w, s.memory, ROOM);
	shring_open(&s.r, s.memory, ROOM);
	while (at + 3 <= size) {
		unsigned op = data[at], a = data[at + 1], b = data[at + 2];

		at += 3;
		if (op % 8 < 3)
			write_one(&s, (a << 8 | b) % LONG, (uint8_t)b);
		else if (op % 8 < 6)
			read_one(&s, op % 8 == 5 ? a : LONG);
		else if (op % 8 == 6 && at + 8 <= size) {
			/* a counter, or any word */
			size_t word = a % 2 == 0 ? (size_t)(b % 2) * 8
						 : (a << 8 | b) % s.words;
			uint64_t v;

			memcpy(&v, data + at, 8);
			at += 8;
			s.memory[word] = v;
			s.changed = true;
		} else {
			/* a small lie */
			s.memory[(size_t)(b % 2) * 8] += a % 2 == 0 ? 8 : 1;
			s.changed = true;
		}
	}
	free(s.memory);
	return 0;
}
