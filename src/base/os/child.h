/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child - A process that is forked, and the channel to it
 *
 * Messages have ends, and come whole and in their order or not at all. Either
 * end sees by it that the other is gone.
 */
#ifndef OS_CHILD_H
#define OS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/arena.h"

#define CHILD_HOW 48 /* bytes of child_how() */

/**
 * child_channel() - Make a channel; neither end blocks
 * @fd:		Result: two descriptors, the caller's
 *
 * Return: 0 or -Exxx
 */
int child_channel(int fd[2]);

/** child_say() - Send a message of @n bytes, at least 1. Return: 0, -EAGAIN:
 * there is no room, or another -Exxx
 */
int child_say(int fd, const void *what, size_t n);

/**
 * child_hear() - Take a message
 * @n:		Bytes that it has; another one is no message
 *
 * Return: 1; 0: there is none; -EPIPE: the other end is gone; -EBADMSG
 */
int child_hear(int fd, void *what, size_t n);

/** child_wait() - Wait for something to hear, at most @ns. Return: there is */
bool child_wait(int fd, uint64_t ns);

/**
 * child_bind() - In the child: let the kernel end us with our parent
 * @parent:	Who it was
 *
 * A change of user or of rights undoes it, so it comes behind that.
 *
 * Return: 0; -ESRCH: the parent is gone already; or another -Exxx
 */
int child_bind(pid_t parent);

/**
 * child_how() - How has a child ended?
 * @how:	Result: "was killed by signal 9"; CHILD_HOW bytes
 * @ns:		How long it is waited for
 *
 * It is nobody's then, if it has ended.
 */
void child_how(pid_t pid, uint64_t ns, char how[CHILD_HOW]);

/**
 * struct lock - A lock in memory that several processes have (MEM_SHARED)
 *
 * Who dies with it gives it back.
 */
struct lock;

/** lock_size(), lock_open() - In an arena. Return: it, or NULL */
size_t lock_size(void);
struct lock *lock_open(struct arena *a);

/** lock_take(), lock_give() - NULL: there is nobody to keep out */
void lock_take(struct lock *l);
void lock_give(struct lock *l);

#endif /* OS_CHILD_H */
