/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lane.c - Compare two streams of bytes that come in any interleaving
 *
 * Theory of operation
 *
 * The first COMPARE_KEEP bytes are kept by whichever side brings them first,
 * and the other side's are compared with them. Of later bytes each side makes a
 * hash per block of COMPARE_BLOCK. The side that finishes a block first leaves
 * its hash in a queue, the other takes it out: the queue is as long as one side
 * is ahead. What is found depends on the two streams only, not on their
 * interleaving, nor on how they were cut.
 *
 * A hash costs several times what comparing does. So as long as one side is
 * less than LANE_BLOCKS blocks ahead, its blocks are kept in a window, and the
 * other's bytes compared with them. Which way a block goes is decided at its
 * first byte; of one that differs only its number is told, when both have it.
 *
 * Where the place of the first difference is known, some bytes around it are
 * shown of both sides: what was kept before, and what comes then.
 *
 * The hash mixes eight bytes at a time by a multiplication with an odd number
 * and a shift, both of which can be undone: blocks that differ in one word only
 * never have the same hash, others with a chance of 2^-64 unless somebody
 * constructs them. Four hashes take turns at the words, so that the processor
 * need not wait for one multiplication to begin the next; at the end of a block
 * they are mixed into one. It is not keyed; a SUT that wants to deceive its own
 * test could.
 */
#include "compare/compare_internal.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"

_Static_assert(COMPARE_KEEP % COMPARE_BLOCK == 0, "hashing begins a block");

#define HASH_BASIS UINT64_C(0x243f6a8885a308d3) /* digits of pi */
#define HASH_MULT  UINT64_C(0x9e3779b97f4a7c15) /* odd; golden ratio */
#define HASH_SIZE  8u

/* Data bytes of a frame that fills a block of the pool. */
#define FRAME_FILL(block) ((uint32_t)((block) - sizeof(struct buf)))

#define KEEP_FIRST 2048u /* blocks of kept bytes grow from here */
#define KEEP_LAST  8192u
#define QUEUE	   1024u /* block of the queue of hashes */
#define WINDOW	   16384u

_Static_assert(LANE_BLOCKS *COMPARE_BLOCK + sizeof(struct buf) <= WINDOW,
	       "a block of the pool has room for the window");

static void hash_reset(struct lane *l, unsigned side)
{
	for (unsigned i = 0; i < LANE_WORDS; i++)
		l->hash[side][i] = HASH_BASIS + i;
}

void lane_init(struct lane *l, uint8_t *room, uint32_t size)
{
	*l = (struct lane){
		.room = room,
		.room_size = size,
		.seen = { .from = UINT64_MAX },
	};
	hash_reset(l, 0);
	hash_reset(l, 1);
}

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * HASH_MULT;
	return h ^ h >> 32;
}

/* Whole rows of LANE_WORDS words. Return: bytes taken; @next is behind them */
static uint32_t hash_rows(uint64_t *h, const uint8_t *p, uint32_t n,
			  const uint8_t **next)
{
	const uint32_t row = 8 * LANE_WORDS;
	uint64_t a = h[0];
	uint64_t b = h[1];
	uint64_t c = h[2];
	uint64_t d = h[3];
	uint32_t took = 0;

	for (; n - took >= row; took += row, p += row) {
		a = mix(a, get_le64(p));
		b = mix(b, get_le64(p + 8));
		c = mix(c, get_le64(p + 16));
		d = mix(d, get_le64(p + 24));
	}
	h[0] = a;
	h[1] = b;
	h[2] = c;
	h[3] = d;
	*next = p;
	return took;
}

/* The hash of a block: each of the four decides it alone if the rest is fixed.
 */
static uint64_t hash_whole(const uint64_t *h)
{
	return mix(mix(mix(h[0], h[1]), h[2]), h[3]);
}

/* Add bytes that do not cross the end of a block to the hash of @side. */
static void hash_add(struct lane *l, unsigned side, const uint8_t *p,
		     uint32_t n)
{
	unsigned fill = (unsigned)(l->pos[side] % 8);
	unsigned at = (unsigned)(l->pos[side] / 8 % LANE_WORDS);
	uint64_t *h = l->hash[side];
	uint64_t word = l->word[side];

	while (n > 0 && (fill > 0 || n < 8)) {
		word |= (uint64_t)*p++ << fill * 8;
		n--;
		if (++fill == 8) {
			h[at] = mix(h[at], word);
			at = (at + 1) % LANE_WORDS;
			word = 0;
			fill = 0;
		}
	}
	for (; n >= 8 && at != 0; n -= 8, p += 8) {
		h[at] = mix(h[at], get_le64(p));
		at = (at + 1) % LANE_WORDS;
	}
	n -= hash_rows(h, p, n, &p);
	for (; n >= 8; n -= 8, p += 8) {
		h[at] = mix(h[at], get_le64(p));
		at++;
	}
	for (; n > 0; n--)
		word |= (uint64_t)*p++ << fill++ * 8;
	l->word[side] = word;
}

static int queue_put(struct lane *l, struct pool *pool, uint64_t hash)
{
	if (!l->last || l->write + HASH_SIZE > l->last->len) {
		struct buf *f = buf_alloc(pool, FRAME_FILL(QUEUE), BUF_CMP);

		if (!f)
			return -ENOMEM;
		if (l->last)
			l->last->next = f;
		else
			l->first = f;
		l->last = f;
		l->write = 0;
	}
	memcpy(l->last->data + l->write, &hash, HASH_SIZE);
	l->write += HASH_SIZE;
	return 0;
}

/* Take the oldest hash; there is one. */
static uint64_t queue_get(struct lane *l, struct pool *pool)
{
	struct buf *f = l->first;
	uint64_t hash;

	memcpy(&hash, f->data + l->read, HASH_SIZE);
	l->read += HASH_SIZE;
	if (l->read + HASH_SIZE > f->len ||
	    (f == l->last && l->read == l->write)) {
		l->first = f->next;
		l->read = 0;
		if (f == l->last)
			l->last = NULL;
		buf_clear(pool, f, BUF_CMP);
	}
	return hash;
}

static struct window *window(const struct lane *l)
{
	return l->window ? (void *)l->window->data : NULL;
}

/* The place of block @number; NULL: it is hashed */
static struct window *kept(const struct lane *l, uint64_t number,
			   unsigned *place)
{
	struct window *w = window(l);

	*place = (unsigned)(number % LANE_BLOCKS);
	return w && w->kept[*place] == number ? w : NULL;
}

/* @side begins block @number, before the other: is it to be kept? Both are past
 * what was in the places behind the other's block.
 */
static void block_begins(struct lane *l, struct pool *pool, unsigned side,
			 uint64_t number)
{
	uint64_t other = l->pos[1 - side] / COMPARE_BLOCK;
	unsigned place = (unsigned)(number % LANE_BLOCKS);

	if (number - other >= LANE_BLOCKS)
		return;
	if (!l->window && pool_used(pool) < pool_total(pool) / 2) {
		l->window = buf_alloc(pool, FRAME_FILL(WINDOW), BUF_CMP);
		if (l->window)
			memset(window(l)->kept, 0, sizeof(window(l)->kept));
	}
	if (l->window) {
		window(l)->kept[place] = number;
		window(l)->bad[place] = false;
	}
}

/* Bytes of a block at @place: those that the other has are compared. */
static void window_add(struct lane *l, unsigned place, unsigned side,
		       const uint8_t *p, uint32_t n)
{
	uint64_t pos = l->pos[side];
	uint64_t other = l->pos[1 - side];
	uint8_t *at = window(l)->p[place] + pos % COMPARE_BLOCK;
	uint32_t both = 0;

	if (other > pos)
		both = other - pos < n ? (uint32_t)(other - pos) : n;
	if (both > 0 && memcmp(at, p, both) != 0)
		window(l)->bad[place] = true;
	memcpy(at + both, p + both, n - both);
}

/* The block of @side ends at its position. */
static int block_end(struct lane *l, struct pool *pool, unsigned side)
{
	uint64_t hash = hash_whole(l->hash[side]);
	uint64_t number = l->pos[side] / COMPARE_BLOCK;
	bool last = l->pos[1 - side] / COMPARE_BLOCK >= number;
	unsigned place;
	const struct window *w = kept(l, number - 1, &place);

	if (w) {
		if (!last || !w->bad[place])
			return FOUND_NOTHING;
	} else {
		hash_reset(l, side);
		if (!last)
			return queue_put(l, pool, hash);
		if (queue_get(l, pool) == hash)
			return FOUND_NOTHING;
	}
	l->offset = UINT64_MAX;
	l->block = number - 1;
	return FOUND_BYTE;
}

static int feed_hashed(struct lane *l, struct pool *pool, unsigned side,
		       const uint8_t *p, uint32_t n)
{
	while (n > 0) {
		uint32_t k = COMPARE_BLOCK -
			     (uint32_t)(l->pos[side] % COMPARE_BLOCK);
		uint64_t number = l->pos[side] / COMPARE_BLOCK;
		unsigned place;
		int r;

		if (k > n)
			k = n;
		if (k > 0 && l->pos[side] % COMPARE_BLOCK == 0 &&
		    l->pos[1 - side] <= l->pos[side])
			block_begins(l, pool, side, number);
		if (kept(l, number, &place))
			window_add(l, place, side, p, k);
		else
			hash_add(l, side, p, k);
		l->pos[side] += k;
		p += k;
		n -= k;
		if (l->pos[side] % COMPARE_BLOCK != 0)
			break;
		r = block_end(l, pool, side);
		if (r != FOUND_NOTHING)
			return r;
	}
	return FOUND_NOTHING;
}

/**
 * keep_at() - Memory of the kept byte at @pos
 * @pool:	NULL: it is there
 * @left:	Set to bytes of memory from there on
 *
 * Makes room if there is none yet. Return: NULL if the pool is full
 */
static uint8_t *keep_at(struct lane *l, struct pool *pool, uint64_t pos,
			uint32_t *left)
{
	uint32_t at = (uint32_t)pos; /* below COMPARE_KEEP */
	struct buf **f = &l->keep;
	uint32_t block = KEEP_FIRST;

	if (at < l->room_size) {
		*left = l->room_size - at;
		return l->room + at;
	}
	at -= l->room_size;
	for (; *f && at >= (*f)->len; f = &(*f)->next) {
		at -= (*f)->len;
		if (block < KEEP_LAST)
			block *= 2;
	}
	if (!*f && pool)
		*f = buf_alloc(pool, FRAME_FILL(block), BUF_CMP);
	if (!*f)
		return NULL;
	*left = (*f)->len - at;
	return (*f)->data + at;
}

static void keep_release(struct lane *l, struct pool *pool)
{
	while (l->keep) {
		struct buf *f = l->keep;

		l->keep = f->next;
		buf_clear(pool, f, BUF_CMP);
	}
}

/* Feed bytes that all lie below COMPARE_KEEP. */
static int feed_kept(struct lane *l, struct pool *pool, unsigned side,
		     const uint8_t *p, uint32_t n)
{
	while (n > 0) {
		uint64_t pos = l->pos[side];
		uint64_t other = l->pos[1 - side];
		uint32_t k;
		uint8_t *at = keep_at(l, pool, pos, &k);

		if (!at)
			return -ENOMEM;
		if (k > n)
			k = n;
		if (pos >= other) {
			memcpy(at, p, k);
		} else {
			uint32_t same = 0;

			if (k > other - pos)
				k = (uint32_t)(other - pos);
			if (memcmp(at, p, k) != 0) {
				while (at[same] == p[same])
					same++;
				l->offset = pos + same;
				l->block = l->offset / COMPARE_BLOCK;
				return FOUND_BYTE;
			}
		}
		l->pos[side] += k;
		p += k;
		n -= k;
	}
	return FOUND_NOTHING;
}

/* Add what the excerpt wants of the bytes of @side that begin at @pos. */
static void excerpt_add(struct compare_excerpt *x, unsigned side, uint64_t pos,
			const uint8_t *p, uint32_t n)
{
	uint64_t want = x->from + x->n[side];
	uint32_t room = COMPARE_EXCERPT - x->n[side];
	uint32_t k;

	/* Of the bytes beyond what is kept one side's may be gone. */
	if (x->from == UINT64_MAX || want < pos || want - pos >= n ||
	    want >= COMPARE_KEEP)
		return;
	k = n - (uint32_t)(want - pos);
	if (k > room)
		k = room;
	if (k > COMPARE_KEEP - want)
		k = (uint32_t)(COMPARE_KEEP - want);
	memcpy(x->p[side] + x->n[side], p + (want - pos), k);
	x->n[side] = (uint8_t)(x->n[side] + k);
}

/* Begin it, before the kept bytes are given back: both sides have what stands
 * in front of @l->offset, and @lead has more.
 */
static void excerpt_begin(struct lane *l, unsigned lead)
{
	struct compare_excerpt *x = &l->seen;
	uint64_t from =
		l->offset < COMPARE_BEFORE ? 0 : l->offset - COMPARE_BEFORE;

	if (l->offset >= COMPARE_KEEP)
		return;
	*x = (struct compare_excerpt){ .from = from };
	x->fronts = (uint8_t)(from < COMPARE_FRONT ? from : COMPARE_FRONT);
	for (uint64_t at = from - x->fronts; at < from; at++) {
		uint32_t left;

		x->front[at + x->fronts - from] = *keep_at(l, NULL, at, &left);
	}
	for (uint64_t at = from; at < from + COMPARE_EXCERPT &&
				 at < COMPARE_KEEP && at < l->pos[lead];
	     at++) {
		uint32_t left;
		const uint8_t *p = keep_at(l, NULL, at, &left);

		excerpt_add(x, lead, at, p, 1);
		if (at < l->offset)
			excerpt_add(x, 1 - lead, at, p, 1);
	}
}

static int feed(struct lane *l, struct pool *pool, unsigned side,
		const uint8_t *p, uint32_t n)
{
	if (l->pos[side] < COMPARE_KEEP) {
		uint32_t k = COMPARE_KEEP - (uint32_t)l->pos[side];
		int r;

		if (k > n)
			k = n;
		r = feed_kept(l, pool, side, p, k);
		if (r != FOUND_NOTHING)
			return r;
		p += k;
		n -= k;
		if (l->pos[0] >= COMPARE_KEEP && l->pos[1] >= COMPARE_KEEP)
			keep_release(l, pool);
	}
	return feed_hashed(l, pool, side, p, n);
}

int lane_feed(struct lane *l, struct pool *pool, unsigned side,
	      const uint8_t *p, uint32_t n)
{
	uint64_t pos = l->pos[side];
	int r = FOUND_NOTHING;

	if (!l->found)
		r = feed(l, pool, side, p, n);
	if (r < 0)
		return r;
	if (r == FOUND_BYTE) {
		l->found = true;
		excerpt_begin(l, 1 - side);
		lane_release(l, pool);
	}
	if (l->found) {
		excerpt_add(&l->seen, side, pos, p, n);
		l->pos[side] = pos + n;
	}
	return r;
}

int lane_finish(struct lane *l)
{
	const struct window *w;
	unsigned place;

	if (l->found)
		return FOUND_NOTHING;
	if (l->pos[0] != l->pos[1]) {
		l->offset = l->pos[0] < l->pos[1] ? l->pos[0] : l->pos[1];
		l->block = l->offset / COMPARE_BLOCK;
		excerpt_begin(l, l->pos[0] < l->pos[1]);
		return FOUND_LENGTH;
	}
	/* The last block is not whole: its hashes are still with the sides. */
	w = kept(l, l->pos[0] / COMPARE_BLOCK, &place);
	if (w ? !w->bad[place]
	      : memcmp(l->hash[0], l->hash[1], sizeof(l->hash[0])) == 0 &&
			    l->word[0] == l->word[1])
		return FOUND_NOTHING;
	l->offset = UINT64_MAX;
	l->block = l->pos[0] / COMPARE_BLOCK;
	return FOUND_BYTE;
}

void lane_release(struct lane *l, struct pool *pool)
{
	keep_release(l, pool);
	if (l->window)
		buf_clear(pool, l->window, BUF_CMP);
	l->window = NULL;
	while (l->first) {
		struct buf *f = l->first;

		l->first = f->next;
		buf_clear(pool, f, BUF_CMP);
	}
	l->last = NULL;
}
