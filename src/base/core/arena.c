/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.c - Hand out pieces of one block of memory, once, at start
 */
#include "core/arena.h"

void *arena_take(struct arena *a, size_t size)
{
	size_t need = arena_need(size);
	void *p = a->base + a->used;

	if (need < size || a->size - a->used < need)
		return NULL;
	a->used += need;
	return p;
}
