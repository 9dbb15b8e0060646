/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shelf.c - Frames that wait, found by lane and number
 *
 * Theory of operation
 *
 * What waits to be sent is taken from the head of a lane, or from further back
 * when a slow path should get what is due later; what waits to be released is
 * put down in any order and taken in order. Both ask for "number n of lane l".
 * The numbers of a lane follow each other, so chain (n + l * STRIDE) % chains
 * makes of each lane a ring, and of all lanes rings that share one table: one
 * look finds it, where a list would have to be walked, and no lane has memory
 * of its own. Two lanes may meet in a chain; one alone never does, for a shelf
 * has as many chains as frames.
 */
#include "multipath/shelf.h"

#include <assert.h>
#include <errno.h>

#define STRIDE 40503u /* odd, far from a small fraction of 2^16 */

static struct buf **chain_of(const struct shelf *s, uint32_t lane, uint32_t seq)
{
	return &s->chain[(seq + lane * STRIDE) & s->mask];
}

size_t shelf_size(uint32_t n)
{
	return arena_need(n * sizeof(struct buf *));
}

int shelf_init(struct shelf *s, struct arena *a, uint32_t n)
{
	struct buf **chain = arena_take(a, n * sizeof(struct buf *));

	assert(n > 0 && !(n & (n - 1)));
	if (!chain)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		chain[i] = NULL;
	*s = (struct shelf){ .mask = n - 1, .chain = chain };
	return 0;
}

bool shelf_put(struct shelf *s, struct buf *f)
{
	struct buf **at = chain_of(s, f->ack, f->seq);

	if (shelf_full(s) || shelf_find(s, f->ack, f->seq))
		return false;
	f->next = *at;
	*at = f;
	s->count++;
	return true;
}

struct buf *shelf_find(const struct shelf *s, uint32_t lane, uint32_t seq)
{
	struct buf *f = *chain_of(s, lane, seq);

	while (f && (f->seq != seq || f->ack != lane))
		f = f->next;
	return f;
}

struct buf *shelf_take(struct shelf *s, uint32_t lane, uint32_t seq)
{
	struct buf **at = chain_of(s, lane, seq);

	while (*at && ((*at)->seq != seq || (*at)->ack != lane))
		at = &(*at)->next;
	if (*at) {
		struct buf *f = *at;

		*at = f->next;
		f->next = NULL;
		s->count--;
		return f;
	}
	return NULL;
}
