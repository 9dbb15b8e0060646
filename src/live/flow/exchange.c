/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange.c - A request and its two answers, as marks in three streams
 *
 * Theory of operation
 *
 * Indexes are dense: the list holds exchange head->index, +1, ... without a
 * hole, and whoever marks first makes the exchange. A cursor is NULL when its
 * endpoint is ahead of the list; it is then found again at the tail, as the
 * next one made is the one it waits for. Only the head is ever freed; an
 * endpoint that has not marked it by then loses that mark, so that indexes stay
 * dense.
 */
#include "flow/exchange.h"

#include <assert.h>
#include <string.h>

#include "core/list.h"

_Static_assert(sizeof(struct exchange) + sizeof(struct buf) <= BUF_MIN,
	       "an exchange takes the smallest block");

/* Append the exchange after the last one; every cursor that waited for it. */
static struct exchange *append(struct exchanges *xs, struct pool *pool,
			       uint32_t index)
{
	struct buf *f = buf_alloc(pool, sizeof(struct exchange), BUF_QUEUE);
	struct exchange *x;

	if (!f)
		return NULL;
	x = (struct exchange *)(void *)f->data;
	memset(x, 0, sizeof(*x));
	x->index = index;
	if (xs->tail)
		xs->tail->next = x;
	else
		xs->head = x;
	xs->tail = x;
	for (int w = 0; w < WHO_COUNT; w++)
		if (!xs->at[w])
			xs->at[w] = x;
	if (!xs->deliver)
		xs->deliver = x;
	if (!xs->pack)
		xs->pack = x;
	if (!xs->sent)
		xs->sent = x;
	return x;
}

struct exchange *exchange_open(struct exchanges *xs, struct pool *pool,
			       enum who who)
{
	while (!xs->at[who]) {
		uint32_t next = xs->tail ? xs->tail->index + 1 : xs->marks[who];

		if (!append(xs, pool, next))
			return NULL;
	}
	return xs->at[who];
}

struct exchange *exchange_mark(struct exchanges *xs, struct pool *pool,
			       enum who who, uint32_t seq)
{
	struct exchange *x = exchange_open(xs, pool, who);

	if (!x)
		return NULL;
	x->end[who] = seq;
	x->flags |= (uint16_t)(1u << who);
	xs->marks[who]++;
	if (x->index < xs->marks[WHO_SUT] && (x->flags & X_HAVE_C) &&
	    who != WHO_PROD)
		xs->turn = x->end[WHO_CLIENT];
	xs->at[who] = x->next;
	return x;
}

bool exchange_unmark(struct exchanges *xs, enum who who)
{
	const struct exchange *before = NULL;
	struct exchange *x;

	if (xs->marks[who] == 0)
		return false;
	for (x = xs->head; x && x->index != xs->marks[who] - 1;) {
		before = x;
		x = x->next;
	}
	if (!x)
		return false;
	if (who == WHO_SUT && before && (before->flags & X_HAVE_C))
		xs->turn = before->end[WHO_CLIENT];
	x->flags &= (uint16_t) ~(1u << who);
	xs->marks[who]--;
	xs->at[who] = x;
	return true;
}

void exchange_restart(struct exchanges *xs)
{
	uint32_t k = xs->head ? xs->head->index : xs->marks[WHO_PROD];

	xs->marks[WHO_CLIENT] = k;
	xs->marks[WHO_SUT] = k;
	xs->at[WHO_CLIENT] = xs->head;
	xs->at[WHO_SUT] = xs->head;
	xs->deliver = xs->head;
	xs->sent = xs->head;
	xs->pack = xs->head;
}

void exchange_clear(struct exchanges *xs)
{
	assert(!xs->head);
	memset(xs, 0, sizeof(*xs));
}

void exchange_drop(struct exchanges *xs, struct pool *pool)
{
	struct exchange *x = xs->head;

	assert(!x->cmp);
	for (int w = 0; w < WHO_COUNT; w++) {
		if (xs->at[w] == x)
			xs->at[w] = x->next;
		if (xs->marks[w] <= x->index)
			xs->marks[w] = x->index + 1;
	}
	if (xs->deliver == x)
		xs->deliver = x->next;
	if (xs->pack == x)
		xs->pack = x->next;
	if (xs->sent == x)
		xs->sent = x->next;
	xs->head = x->next;
	if (!xs->head)
		xs->tail = NULL;
	/* Nothing leads to what is given back. */
	assert(xs->head != x && xs->deliver != x && xs->sent != x);
	buf_clear(pool, list_entry(x, struct buf, data), BUF_QUEUE);
}
