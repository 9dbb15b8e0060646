/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * carry - Bytes from one socket to another, and back
 *
 * Both sockets are the caller's, do not block, and are waited for by him. An
 * end of a stream is passed on when all before it was.
 */
#ifndef CARRY_CARRY_H
#define CARRY_CARRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dir.h"

#define CARRY_BUFFER                                                           \
	65536 /* bytes of a direction that wait for their receiver */

/**
 * struct carry_way - One direction
 * @buf:	CARRY_BUFFER bytes
 * @pipe:	It goes by this pipe, and not by @buf; [0] -1: it does not
 * @at, @len:	Of @buf, and @len of the pipe: bytes that are not sent yet
 * @sent:	Bytes that were
 * @ended:	Its sender has; @passed: and its receiver was told
 */
struct carry_way {
	uint8_t *buf;
	int pipe[2];
	uint32_t at;
	uint32_t len;
	uint64_t sent;
	bool ended;
	bool passed;
};

/**
 * struct carry - Two sockets
 * @fd:		By the direction in which they are read
 */
struct carry {
	struct carry_way way[DIR_COUNT];
	int fd[DIR_COUNT];
};

/** enum carry_step - What is to be done */
enum carry_step {
	CARRY_WAIT, /* until a socket can be read or written */
	CARRY_MORE, /* come again, when others have had their turn */
	CARRY_DONE, /* both streams have ended, and both ends were told */
};

/** carry_init() - It has never carried anything, and has no pipes */
void carry_init(struct carry *k);

/**
 * carry_begin() - Carry between two sockets from now on
 * @buf:	2 * CARRY_BUFFER bytes, unless it goes by pipes
 * @pipes:	It is to; those that it has from the time before are used again
 *
 * Return: whether it goes as it was to; if not, there were no pipes, and it
 * goes by @buf
 */
bool carry_begin(struct carry *k, const int fd[DIR_COUNT], uint8_t *buf,
		 bool pipes);

/**
 * carry_run() - Go on, as far as it goes now
 * @moved:	Result: something was carried
 *
 * Return: enum carry_step, or -Exxx: an end is gone
 */
int carry_run(struct carry *k, bool *moved);

/** carry_acked() - Bytes of a direction that its receiver has acked */
uint64_t carry_acked(const struct carry *k, enum dir d);

/** carry_all_acked() - Are all bytes of both directions? */
bool carry_all_acked(const struct carry *k);

/** carry_half_closed() - Has one of the streams ended? */
bool carry_half_closed(const struct carry *k);

/** carry_end() - No more, whatever is left. Pipes that are empty are kept for
 * the next time
 */
void carry_end(struct carry *k);

/** carry_close() - Close what is kept; @k is as after carry_init() */
void carry_close(struct carry *k);

#endif /* CARRY_CARRY_H */
