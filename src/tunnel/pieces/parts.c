/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parts.c - A frame that is longer than a path takes goes in parts
 *
 * Theory of operation
 *
 * A bridge may not say "too long" as a router does, so a frame that is longer
 * than the paths take must go all the same. Its parts are packets of the tunnel
 * like others, each on a path of its own, and may come in any order (those of
 * thin frames do). A part says where it belongs and how long the whole is; bits
 * say which units of PARTS_UNIT bytes are there. No byte is taken twice: a part
 * that overlaps another, or says another length, is of somebody who lies or of
 * a frame whose number was used again, and the frame is given up.
 *
 * There is no timer. A number comes round after 65,536 frames, and the oldest
 * one makes room for a new one; until then it costs its place.
 */
#include "pieces/parts.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"

#define UNITS	   (PARTS_FRAME / PARTS_UNIT)
#define KIND_FRAME 0
#define KIND_PART  1

static_assert(PARTS_FRAME % (PARTS_UNIT * 64) == 0, "whole words of bits");

/** struct whole - A frame of which parts came; @total 0: none */
struct whole {
	uint32_t total;
	uint32_t left; /* bytes that have not come */
	uint16_t id;
	uint64_t age; /* which was begun first */
	uint64_t has[UNITS / 64];
	uint8_t b[PARTS_FRAME];
};

struct parts {
	uint64_t ages;
	struct parts_counters n;
	struct whole whole[PARTS_OPEN];
};

size_t parts_size(void)
{
	return arena_need(sizeof(struct parts));
}

int parts_init(struct parts **out, struct arena *a)
{
	struct parts *s = arena_take(a, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->n = (struct parts_counters){ 0 };
	s->ages = 0;
	for (uint32_t i = 0; i < PARTS_OPEN; i++)
		s->whole[i].total = 0;
	*out = s;
	return 0;
}

uint32_t parts_each(uint32_t n, uint32_t most)
{
	uint32_t room = (most - PARTS_TRAILER) / PARTS_UNIT * PARTS_UNIT;
	uint32_t count, each;

	assert(n > 0 && n <= PARTS_FRAME && most > PARTS_TRAILER + PARTS_UNIT);
	if (n + PARTS_WHOLE <= most)
		return n;
	count = (n + room - 1) / room;
	each = (n + count - 1) / count;
	return (each + PARTS_UNIT - 1) / PARTS_UNIT * PARTS_UNIT;
}

uint32_t parts_put(const uint8_t *frame, uint32_t n, uint16_t id,
		   uint32_t offset, uint32_t each, uint8_t *out)
{
	uint32_t len = n - offset < each ? n - offset : each;

	assert(offset < n);
	memcpy(out, frame + offset, len);
	if (len == n) {
		out[len] = KIND_FRAME;
		return len + PARTS_WHOLE;
	}
	put_be16(out + len, id);
	put_be16(out + len + 2, (uint16_t)offset);
	put_be16(out + len + 4, (uint16_t)n);
	out[len + 6] = KIND_PART;
	return len + PARTS_TRAILER;
}

bool parts_begins(const uint8_t *p, uint32_t n)
{
	if (n > PARTS_WHOLE && p[n - 1] == KIND_FRAME)
		return true;
	return n > PARTS_TRAILER && p[n - 1] == KIND_PART &&
	       get_be16(p + n - 5) == 0;
}

static struct whole *find(struct parts *s, uint16_t id)
{
	for (uint32_t i = 0; i < PARTS_OPEN; i++)
		if (s->whole[i].total > 0 && s->whole[i].id == id)
			return &s->whole[i];
	return NULL;
}

static void give_up(struct parts *s, struct whole *w)
{
	s->n.lost += w->total > 0;
	w->total = 0;
}

static struct whole *begin(struct parts *s, uint16_t id, uint32_t total)
{
	struct whole *w = &s->whole[0];

	for (uint32_t i = 1; i < PARTS_OPEN && w->total > 0; i++)
		if (s->whole[i].total == 0 || s->whole[i].age < w->age)
			w = &s->whole[i];
	give_up(s, w);
	w->age = s->ages++;
	w->id = id;
	w->total = total;
	w->left = total;
	memset(w->has, 0, sizeof(w->has));
	return w;
}

/* Note that units @from to @to came. Return: false: one has come before */
static bool note(struct whole *w, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		uint64_t bit = UINT64_C(1) << i % 64;

		if (w->has[i / 64] & bit)
			return false;
		w->has[i / 64] |= bit;
	}
	return true;
}

static enum parts_got take_part(struct parts *s, const uint8_t *p, uint32_t n,
				const uint8_t **frame, uint32_t *len)
{
	uint32_t at = get_be16(p + n + 2), total = get_be16(p + n + 4);
	struct whole *w = find(s, get_be16(p + n));

	/* All but the last have whole units. */
	if (total > PARTS_FRAME || at % PARTS_UNIT != 0 || at + n > total ||
	    n == total || (at + n < total && n % PARTS_UNIT != 0)) {
		s->n.bad++;
		return PARTS_BAD;
	}
	if (w && w->total != total) {
		give_up(s, w);
		w = NULL;
	}
	if (!w)
		w = begin(s, get_be16(p + n), total);
	if (!note(w, at / PARTS_UNIT, (at + n + PARTS_UNIT - 1) / PARTS_UNIT)) {
		s->n.bad++;
		give_up(s, w);
		return PARTS_BAD;
	}
	memcpy(w->b + at, p, n);
	w->left -= n;
	if (w->left > 0)
		return PARTS_WAIT;
	s->n.joined++;
	*frame = w->b;
	*len = total;
	w->total = 0;
	return PARTS_DONE;
}

enum parts_got parts_take(struct parts *s, const uint8_t *p, uint32_t n,
			  const uint8_t **frame, uint32_t *len)
{
	if (n > PARTS_WHOLE && n - PARTS_WHOLE <= PARTS_FRAME &&
	    p[n - 1] == KIND_FRAME) {
		*frame = p;
		*len = n - PARTS_WHOLE;
		return PARTS_DONE;
	}
	if (n > PARTS_TRAILER && p[n - 1] == KIND_PART)
		return take_part(s, p, n - PARTS_TRAILER, frame, len);
	s->n.bad++;
	return PARTS_BAD;
}

void parts_reset(struct parts *s)
{
	for (uint32_t i = 0; i < PARTS_OPEN; i++)
		give_up(s, &s->whole[i]);
}

const struct parts_counters *parts_counters(const struct parts *s)
{
	return &s->n;
}
