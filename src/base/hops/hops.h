/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hops - A way, looked at hop by hop, until one fails
 *
 * Each hop rests on the one before, so the first that fails is the one to fix,
 * and the rest is not asked. A hop says on standard output that it is good, or
 * what is wrong and then what fixes it.
 */
#ifndef HOPS_HOPS_H
#define HOPS_HOPS_H

#include <stddef.h>

/**
 * struct hop - One station
 * @part:	Bits of the caller's: what it is of; 0: of every way
 * @check:	Its test. Returns 0, or -1 when it has said why not
 */
struct hop {
	unsigned part;
	int (*check)(void *ctx);
};

/**
 * hops_walk() - Look at each in its order
 * @way, @n:	Hops
 * @parts:	What this way has: a hop of another part is left out
 * @ctx:	Of all of them
 *
 * Return: 0: all are good; else what the first that is not has returned
 */
int hops_walk(const struct hop *way, size_t n, unsigned parts, void *ctx);

/** hop_ok() - Say that a hop is good. Return: 0 */
int hop_ok(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** hop_fail() - Say what is wrong; hop_remedy() follows. Return: -1 */
int hop_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** hop_remedy() - Say what fixes it. Return: -1 */
int hop_remedy(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* HOPS_HOPS_H */
