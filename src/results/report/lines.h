/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines - Lines of text to a file, without waiting for it
 */
#ifndef REPORT_LINES_H
#define REPORT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/maker.h"

#define LINES_ERR 256 /* room for any message of lines_open() */

struct lines;

/**
 * lines_open() - Make the file and start the writer's thread
 * @path:	File, made anew, 0600, no symbolic link; "-": standard output
 * @maker:	Makes it; NULL: the process does
 * @ring_bytes:	Room for lines that wait; a line longer than half of it is lost
 * @err:	LINES_ERR bytes: the message, if it fails
 *
 * Return: 0 or -Exxx (@out untouched)
 */
int lines_open(struct lines **out, const char *path, struct maker *maker,
	       size_t ring_bytes, char *err);

/**
 * lines_write() - Hand over one line, its newline included; one thread
 *
 * Return: true, or false if there was no room: it is lost and counted
 */
bool lines_write(struct lines *l, const char *p, size_t len);

/**
 * lines_texts() - How records become lines; before the first lines_put()
 * @make:	Called in the writer's thread: a line of the record @p, with its
 *		newline, to @out; @ctx and what it holds must not change.
 *		Return: bytes written, at most @size, or 0: there is no line of
 *		it
 */
void lines_texts(struct lines *l,
		 size_t (*make)(void *ctx, const void *p, uint32_t len,
				char *out, size_t size),
		 void *ctx);

/**
 * lines_put() - Hand over a record that becomes a line; as lines_write()
 * @p, @len:	Copied; at an address that is a multiple of 8 when it is made a
 *		line
 */
bool lines_put(struct lines *l, const void *p, uint32_t len);

/**
 * lines_reopen() - Lines from here on go to a file that is made anew
 *
 * For who has renamed the file. If it still is where it was, or cannot be made,
 * the old one stays; lines_close() has the error of the latter. Standard output
 * stays what it is.
 */
void lines_reopen(struct lines *l);

/** lines_lost() - Lines that found no room or could not be written */
uint64_t lines_lost(const struct lines *l);

/**
 * lines_close() - Write what is left
 * @lost:	Final number of lines lost; may be NULL
 *
 * Return: 0, or the first error of a write, -Exxx
 */
int lines_close(struct lines *l, uint64_t *lost);

#endif /* REPORT_LINES_H */
