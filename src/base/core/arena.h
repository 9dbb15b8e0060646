/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena - Hand out pieces of one block of memory, once, at start
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* Every piece is aligned to this (a cache line). */
#define ARENA_ALIGN 64

/**
 * struct arena - A block and how much of it is given away
 * @base:	Block, aligned to ARENA_ALIGN, zero filled by its owner
 * @size:	Its length in bytes
 * @used:	Bytes given away so far
 */
struct arena {
	uint8_t *base;
	size_t size;
	size_t used;
};

/** arena_need() - Bytes that a piece of @size takes from an arena */
static inline size_t arena_need(size_t size)
{
	return (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
}

/**
 * arena_take() - Take the next @size bytes
 *
 * Return: the piece (as zero as the arena was), or NULL if too little is left;
 * the arena is then unchanged
 */
void *arena_take(struct arena *a, size_t size);

#endif /* CORE_ARENA_H */
