/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shring - Records from one process to another, by memory that both can write
 *
 * One writes, one reads, nobody waits. Either end may be in the hands of an
 * attacker, so neither believes what it finds in the shared memory: each has
 * its own place for itself, checks the other's, and a reader copies a record
 * out before it looks at it.
 */
#ifndef OS_SHRING_H
#define OS_SHRING_H

#include <stddef.h>
#include <stdint.h>

struct shring_shared; /* what both see */

/**
 * struct shring - One end
 * @shared, @data: The memory
 * @room:	Bytes of @data, a power of two
 * @own:	Bytes that this end has written, or read, so far
 * @ahead:	Of a record that is being written: where its next byte goes
 * @end:	And where it ends
 */
struct shring {
	struct shring_shared *shared;
	uint8_t *data;
	uint64_t room;
	uint64_t own;
	uint64_t ahead;
	uint64_t end;
};

/**
 * shring_size() - Bytes of shared memory for @room, a power of two from 4096
 */
size_t shring_size(size_t room);

/**
 * shring_open() - An end of the ring in @memory, which is zero and aligned to
 * 64
 */
void shring_open(struct shring *e, void *memory, size_t room);

/**
 * shring_begin() - Begin to write a record of @len bytes
 *
 * Return: 0; -EAGAIN: it does not fit now; -EMSGSIZE: it never does; -EPROTO:
 * the reader claims what cannot be
 */
int shring_begin(struct shring *e, size_t len);

/** shring_add() - The next bytes of it; no more than was said */
void shring_add(struct shring *e, const void *p, size_t n);

/** shring_commit() - Hand it over; all of it was added */
void shring_commit(struct shring *e);

/**
 * shring_take() - Copy the oldest record out
 * @p, @most:	Where to
 * @len:	Its bytes
 *
 * Return: 1; 0: there is none; -EPROTO: the writer claims what cannot be, and
 * the ring is of no more use
 */
int shring_take(struct shring *e, void *p, size_t most, size_t *len);

#endif /* OS_SHRING_H */
