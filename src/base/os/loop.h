/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop - Wait for descriptors, moments and signals, and call who waits for them
 *
 * For what is no packet path: a caller with many descriptors, or a process that
 * mostly waits. One thread; callbacks get the time at which the wait ended. The
 * packet thread's loop is its own (run/loop.c), which reads rings that want no
 * system call.
 */
#ifndef OS_LOOP_H
#define OS_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/** typedef loop_fn - @now: monotonic time, ns */
typedef void loop_fn(void *ctx, uint64_t now);

/**
 * struct loop_watch - A descriptor, a moment or signals; the caller's memory
 * @ready:	Called when the descriptor has something to read, or its other
 *		end is gone; or when the moment has come. It may add and drop
 *		any
 * @ctx:	Its own
 *
 * The rest is the loop's.
 */
struct loop_watch {
	loop_fn *ready;
	void *ctx;
	int fd;
	bool timer; /* @fd is a timerfd of the loop's */
	bool on;
	uint64_t round; /* it was added in; not told of what came before */
};

/** loop_open() - Return: 0 or -Exxx. loop_close() takes it back */
int loop_open(struct loop **out);

/** loop_close() - Watches that are still in it are forgotten; NULL: nothing */
void loop_close(struct loop *l);

/**
 * loop_add() - Watch a descriptor for reading
 * @w:		With @ready and @ctx; in the loop until loop_drop()
 * @fd:		The caller's: one that can be waited for, so no regular file. A
 *		signalfd (os/signals.h) is one like others
 *
 * Return: 0, -EPERM: it cannot be waited for, or another -Exxx
 */
int loop_add(struct loop *l, struct loop_watch *w, int fd);

/**
 * loop_turn() - Wait from now on until a descriptor of loop_add() takes bytes,
 * or again until it has some
 *
 * Either way it is called when the other end is gone.
 */
void loop_turn(struct loop *l, struct loop_watch *w, bool writes);

/**
 * loop_add_edges() - Watch a descriptor for reading and writing
 *
 * It is told when there is something to read, or room to write, that was not
 * there before: who is called reads and writes until it would block, or tries
 * again by himself.
 *
 * Return: as loop_add()
 */
int loop_add_edges(struct loop *l, struct loop_watch *w, int fd);

/**
 * loop_timer() - Make a timer, which is not set yet
 *
 * Return: 0 or -Exxx
 */
int loop_timer(struct loop *l, struct loop_watch *w);

/**
 * loop_set() - Let it be called once, at @at or soon after; UINT64_MAX: never
 */
void loop_set(struct loop_watch *w, uint64_t at);

/** loop_drop() - Take it out, at any time; a second time does nothing */
void loop_drop(struct loop *l, struct loop_watch *w);

/**
 * loop_wait() - Wait until something is ready, and call who waits for it
 * @most:	At most so long, ns; 0: not at all; UINT64_MAX: for ever
 *
 * A wait that is not for ever ends up to 1 ms late. Return: how many were
 * called
 */
unsigned loop_wait(struct loop *l, uint64_t most);

/** loop_run() - The same until loop_end(), which a callback calls */
void loop_run(struct loop *l);
void loop_end(struct loop *l);

#endif /* OS_LOOP_H */
