/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory - Memory for one engine after the other
 *
 * Who plays thousands of worlds a second would spend its time on pages that are
 * fresh from the kernel: the block is kept from one to the next.
 */
#ifndef SCRIPT_MEMORY_H
#define SCRIPT_MEMORY_H

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#ifdef __has_include
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(p, n)	  ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

/**
 * memory_take() - A zero-filled arena of @size bytes, and under ASan no byte more
 * @kept:	The block, zero before the first call; what was taken from it
 *		before is gone
 */
static inline struct arena memory_take(struct arena *kept, size_t size)
{
	struct arena a = { .size = arena_need(size) };

	if (kept->size < a.size) {
		free(kept->base);
		kept->size = a.size;
		kept->base = aligned_alloc(ARENA_ALIGN, kept->size);
		if (kept->base == NULL)
			abort();
	}
	a.base = kept->base;
	ASAN_UNPOISON_MEMORY_REGION(a.base, a.size);
	ASAN_POISON_MEMORY_REGION(a.base + a.size, kept->size - a.size);
	memset(a.base, 0, a.size);
	return a;
}

#endif /* SCRIPT_MEMORY_H */
