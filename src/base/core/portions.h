/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * portions - Who may have how much of a queue that all share
 *
 * A queue holds so many items, and so many bytes. Each sort of them may have no
 * more than PORTION times what is free of either. Who is alone gets two thirds,
 * two that want everything get two fifths each, and for others there is always
 * some. Nobody need say how many sorts there are (dynamic thresholds: A. K.
 * Choudhury, E. L. Hahne, "Dynamic queue length thresholds for shared-memory
 * packet switches").
 */
#ifndef CORE_PORTIONS_H
#define CORE_PORTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define PORTION	 2u
#define PORTIONS 64u /* sorts that are told apart */

/* What is there, of all or of one sort. */
struct portion {
	uint32_t items;
	uint64_t bytes;
};

/**
 * struct portions - A queue
 * @most:	Items and bytes that it holds; no bytes: they do not matter
 * @all:	What is there
 * @of:		Of each sort
 */
struct portions {
	struct portion most;
	struct portion all;
	struct portion of[PORTIONS];
};

/** portions_init() - Nothing is there */
void portions_init(struct portions *p, uint32_t items, uint64_t bytes);

/** portions_full() - Would an item of @n bytes be more than its sort may have?
 * @sort: any number
 */
bool portions_full(const struct portions *p, uint64_t sort, uint64_t n);

/** portions_take() - It is there; it was not too much */
void portions_take(struct portions *p, uint64_t sort, uint64_t n);

/** portions_give() - It is there no more */
void portions_give(struct portions *p, uint64_t sort, uint64_t n);

#endif /* CORE_PORTIONS_H */
