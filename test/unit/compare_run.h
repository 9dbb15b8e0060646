/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare_run - One exchange, from bytes to a verdict, in any interleaving
 */
#ifndef TEST_COMPARE_RUN_H
#define TEST_COMPARE_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/framer.h"
#include "compare/compare.h"
#include "compare/protocol.h"
#include "core/rng.h"

/**
 * struct exchange - What is compared
 * @request:	Fed to the framer first
 * @p, @n:	Answers of production and the SUT
 * @fin:	Each ends with a FIN
 * @whole:	Both are whole at their end, whatever they are
 * @ops:	Framer; framer_quiet: an answer is whole when its bytes are
 * @rules:	For compare_by()
 * @why:	For compare_end()
 * @by, @line:	For compare_asked(); NULL: not asked
 * @lead:	So many first bytes of each are cut off in one piece at random
 *		interleavings
 * @cuts:	An answer is cut into so many pieces at most, about; 0: as it comes
 */
struct exchange {
	const char *request;
	const uint8_t *p[2];
	size_t n[2];
	bool fin[2];
	bool whole;
	const struct framer_ops *ops;
	enum compare_level level;
	const struct compare_rules *rules;
	enum compare_reason why;
	const struct rules *by;
	const char *line;
	size_t lead;
	uint32_t cuts;
};

/* A difference in words; it stands until the fourth call from here. */
static inline const char *run_detail(enum protocol_id id,
				     const struct compare_result *r)
{
	static char text[4][COMPARE_DETAIL];
	static unsigned at;
	char *to = text[at++ % 4];

	protocols[id].describe->difference(r, NULL, to);
	return to;
}

/* A pool, in memory of the heap that the caller frees. */
struct run_pool {
	struct pool *pool;
	void *mem;
};

static inline struct run_pool run_pool_make(size_t bytes)
{
	size_t size = pool_size(bytes);
	struct run_pool r = { NULL,
			      aligned_alloc(ARENA_ALIGN, arena_need(size)) };
	struct arena a = { .base = r.mem, .size = arena_need(size) };

	if (r.mem == NULL)
		abort();
	memset(r.mem, 0, a.size);
	if (pool_init(&r.pool, &a, bytes) != 0)
		abort();
	return r;
}

/* Feed @len bytes of a side; each input is a heap copy of its size. */
static inline void run_feed(struct compare *c, struct pool *pool, void *st,
			    const struct exchange *x, unsigned side,
			    const uint8_t *p, size_t len)
{
	enum who who = side == 0 ? WHO_PROD : WHO_SUT;
	uint8_t *copy = malloc(len);
	struct framer_piece piece;

	if (copy == NULL)
		abort();
	memcpy(copy, p, len);
	for (size_t i = 0; i < len; i += piece.used) {
		x->ops->feed(st, who, copy + i, (uint32_t)(len - i), &piece);
		if (piece.index != 0)
			break; /* the next answer */
		compare_feed(c, pool, who, &piece, copy + i);
		if ((piece.flags & FRAMER_MARK) != 0)
			compare_done(c, who);
	}
	free(copy);
}

/**
 * run_exchange() - Compare, cut and interleaved by @seed
 *
 * Seed 0: production's answer whole, then the SUT's; seed 1: the other way
 * round; others at random. Return: false if the pool had no room to begin
 */
static inline bool run_exchange(struct pool *pool, const struct exchange *x,
				uint64_t seed, struct compare_result *out)
{
	uint64_t st[FRAMER_STATE_MAX / 8];
	struct rng rng = { seed };
	uint32_t most = seed % 3 == 0 ? 7 : seed % 3 == 1 ? 300 : 9000;
	bool large = x->n[0] + x->n[1] > 100000; /* not in tiny pieces */
	size_t at[2] = { 0, 0 };
	struct framer_piece piece;
	struct compare *c;

	x->ops->init(st, false);
	if (x->request != NULL)
		x->ops->feed(st, WHO_CLIENT, (const uint8_t *)x->request,
			     (uint32_t)strlen(x->request), &piece);
	c = compare_begin(pool, x->level, protocol_of(x->ops));
	if (c == NULL)
		return false;
	compare_by(c, x->rules);
	if (large && most < 9000)
		most = 2000;
	if (x->cuts > 0 && most < (x->n[0] + x->n[1]) / x->cuts)
		most = (uint32_t)((x->n[0] + x->n[1]) / x->cuts);
	while (at[0] < x->n[0] || at[1] < x->n[1]) {
		unsigned side = seed < 2 ? (unsigned)seed : rng_below(&rng, 2);
		size_t left, len;

		if (at[side] == x->n[side])
			side = 1 - side;
		left = x->n[side] - at[side];
		len = seed < 2 ? left : 1 + rng_below(&rng, most);
		if (seed >= 2 && at[side] < x->lead)
			len = x->lead - at[side];
		if (len > left)
			len = left;
		run_feed(c, pool, st, x, side, x->p[side] + at[side], len);
		at[side] += len;
	}
	for (unsigned side = 0; side < 2; side++) {
		enum who who = side == 0 ? WHO_PROD : WHO_SUT;

		if (x->ops == &framer_quiet || x->whole ||
		    (x->fin[side] && x->ops->fin(st, who) == FRAMER_MARK))
			compare_done(c, who);
	}
	if (x->line != NULL)
		compare_asked(c, x->by, x->line, (uint8_t)strlen(x->line));
	compare_end(c, pool, x->why, out);
	return true;
}

#endif /* TEST_COMPARE_RUN_H */
