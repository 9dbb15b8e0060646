/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maker - Files of root's, made for a process that is root no more
 *
 * The requests of a broker: make the file of a path, or one with a number
 * behind its name, remove what was made, and give it the name of the path. The
 * theory is in maker.c.
 */
#ifndef OS_MAKER_H
#define OS_MAKER_H

#include <stdint.h>

#include "os/errbuf.h"

#define MAKER_PATHS 8
#define MAKER_KEPT  65536 /* newest files of a path that can be removed */

struct makers;

/** struct maker - Of one path; a writer gets one and knows no more of it */
struct maker {
	struct makers *of;
	uint32_t path;
};

/**
 * makers_start() - Start the broker behind them; see broker_start()
 * @path, @n:	Paths, at most MAKER_PATHS; NULL: it has no maker
 * @replaced:	Bit @i: of path number @i maker_replace() may be asked; its
 *		files are for all to read
 *
 * Return: 0, or -ENOENT (no such folder), or another -Exxx with a sentence
 */
int makers_start(struct makers **out, const char *const *path, unsigned n,
		 unsigned replaced, struct errbuf *e);

/** makers_of() - That of path number @i; NULL @m: NULL */
struct maker *makers_of(struct makers *m, unsigned i);

/** makers_fd() - The socket to the broker; NULL: -1 */
int makers_fd(const struct makers *m);

/** makers_dismiss() - No file is made or removed from now on */
void makers_dismiss(struct makers *m);

/** makers_stop() - The same, and free @m; NULL: nothing is done */
void makers_stop(struct makers *m);

/**
 * maker_make() - Make a file as folder_make() does
 * @number:	0: the path itself; else the number is put behind it. Must not
 *		be below that of the call before; the same again makes a file
 *		whose first was renamed
 *
 * Any thread, like maker_remove().
 *
 * Return: descriptor to write to, or -EEXIST, or -EPIPE (the broker is gone),
 *	   or another -Exxx
 */
int maker_make(struct maker *m, uint64_t number);

/**
 * maker_remove() - Remove a file that it has made
 *
 * Return: 0, or -EPERM (it has not, or too long ago), or another -Exxx
 */
int maker_remove(struct maker *m, uint64_t number);

/**
 * maker_replace() - Give the file that it has made last the name of the path
 * itself; what has that name goes
 * @number:	Its number, not 0; as of maker_make(), it may be made again
 *
 * Return: 0, or -EPERM (it has not made it, or may not), or another -Exxx
 */
int maker_replace(struct maker *m, uint64_t number);

#endif /* OS_MAKER_H */
