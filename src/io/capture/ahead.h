/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ahead - A long file read by two threads, in order, through a small window
 */
#ifndef CAPTURE_AHEAD_H
#define CAPTURE_AHEAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define AHEAD_CHUNK  ((size_t)512 << 10) /* bytes of one read */
#define AHEAD_CHUNKS ((size_t)8)	 /* in the ring */
#define AHEAD_RING   (AHEAD_CHUNK * AHEAD_CHUNKS)
/* Unread bytes that may be left when more is asked for: one chunk must be free,
 * and the oldest unread byte may lie anywhere in its own.
 */
#define AHEAD_UNREAD_MAX (AHEAD_RING - 2 * AHEAD_CHUNK)

struct ahead;

/**
 * ahead_open() - Begin to read
 * @out:	Set on success
 * @fd:		A regular file, borrowed; read from its position on, which does
 *		not move
 *
 * Return: 0, or -Exxx: it cannot be read this way
 */
int ahead_open(struct ahead **out, int fd);

/**
 * ahead_bytes() - The ring, AHEAD_RING bytes, which is mapped a second time
 * behind itself: byte i is also byte i + AHEAD_RING
 */
uint8_t *ahead_bytes(const struct ahead *a);

/**
 * ahead_more() - Wait for the next bytes of the file; they follow those before
 * @unread:	How many of those that were given are still needed, at most
 *		AHEAD_UNREAD_MAX; the others may be written over
 *
 * Return: bytes, 0 at the end, or -Exxx of pread(2)
 */
ssize_t ahead_more(struct ahead *a, size_t unread);

/** ahead_close() - End the thread and free all; NULL is let pass */
void ahead_close(struct ahead *a);

#endif /* CAPTURE_AHEAD_H */
