/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem - The block of memory that the packet path lives on
 */
#ifndef OS_MEM_H
#define OS_MEM_H

#include <stddef.h>

#include "core/arena.h"

enum {
	MEM_HUGE = 1,	/* advise the kernel to back it with huge pages */
	MEM_TOUCH = 2,	/* have every page now, no fault in the packet path */
	MEM_SHARED = 4, /* a child that is forked then has the very same */
};

/**
 * mem_take() - Take one zero-filled block from the kernel
 * @a:		Set to an arena over it
 * @size:	Bytes, 1 and up; rounded up to a page
 * @flags:	MEM_ bits
 *
 * Reserved in full: a limit that the machine cannot hold is refused here and
 * now, where a message can name it, and not by the OOM killer an hour later.
 *
 * Return: 0, or -EINVAL (@size 0 or overflows), or -ENOMEM
 */
int mem_take(struct arena *a, size_t size, unsigned flags);

/** mem_give() - Give the block back; @a becomes empty */
void mem_give(struct arena *a);

#endif /* OS_MEM_H */
