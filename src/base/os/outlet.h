/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outlet - Where a writer's thread puts its bytes: a file, or a pipe
 *
 * A reader of a pipe may stop for good. While the run goes on, the thread
 * behind a ring waits for it, and the ring overflows; at the end nobody would
 * ever be told. So from drain_stop() on a reader has OUTLET_STALL for its next
 * bytes, and OUTLET_END for all of them.
 *
 * A regular file is written to without such a limit: poll() cannot tell of it.
 */
#ifndef OS_OUTLET_H
#define OS_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/drain.h"

#define OUTLET_STALL (UINT64_C(5) * 1000000000)	 /* ns without a byte taken */
#define OUTLET_END   (UINT64_C(30) * 1000000000) /* ns from drain_stop() on */

/**
 * struct outlet - One of them; only its thread uses it
 * @fd:		Borrowed
 * @waits:	Its reader may let us wait: no regular file
 * @over:	The reader was given up: nothing more is written
 * @end:	When the wait for it is over, ns; 0: the run goes on
 */
struct outlet {
	int fd;
	bool waits;
	bool over;
	uint64_t end;
};

/** outlet_init() - Begin to write to @fd, which stays the caller's */
void outlet_init(struct outlet *o, int fd);

/**
 * outlet_write() - Write all of it
 * @d:		Whose thread this is; NULL: before there is one, or behind it.
 *		The reader then has its time as if the end had come
 * @done:	Set to the bytes that were written, @len or less, also on
 *		failure
 *
 * Return: 0, -ETIMEDOUT (the reader stopped; so do all later calls), what
 * write() said, -EIO
 */
int outlet_write(struct outlet *o, const struct drain *d, const void *p,
		 size_t len, size_t *done);

#endif /* OS_OUTLET_H */
