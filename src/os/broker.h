/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * broker - A process that makes root's files for one that is root no more
 *
 * The theory is in broker.c.
 */
#ifndef OS_BROKER_H
#define OS_BROKER_H

#include <stdint.h>

#include "os/errbuf.h"

#define BROKER_KEPT 65536 /* newest files of a path that can be removed */

/* What it makes. */
enum broker_path {
	BROKER_LINES,	/* the file of JSON lines */
	BROKER_JOURNAL, /* the journal's files */
	BROKER_PATHS
};

struct broker;

/**
 * broker_start() - Start it
 * @out:	Result
 * @path:	Of each kind of file; NULL: none of it is made
 * @e:		Sentence on failure
 *
 * Called before anything else is opened and before the first thread: the broker
 * is a copy of the process. SIGCHLD is ignored from then on.
 *
 * Return: 0, or -ENOENT (no such folder), or another -Exxx
 */
int broker_start(struct broker **out, const char *const path[BROKER_PATHS],
		 struct errbuf *e);

/** broker_fd() - The socket to it; NULL: -1 */
int broker_fd(const struct broker *b);

/**
 * broker_make() - Make a file as folder_make() does
 * @which:	Kind
 * @number:	0: the path itself; else the number is put behind it. Must be
 *		above that of the call before
 *
 * One thread at a time, like broker_remove().
 *
 * Return: descriptor to write to, or -EEXIST, or -EPIPE (the broker is gone), or
 *	   another -Exxx
 */
int broker_make(struct broker *b, enum broker_path which, uint64_t number);

/**
 * broker_remove() - Remove a file that it has made
 *
 * Return: 0, or -EPERM (it has not, or too long ago), or another -Exxx
 */
int broker_remove(struct broker *b, enum broker_path which, uint64_t number);

/** broker_dismiss() - Let it end: no file is made or removed from now on */
void broker_dismiss(struct broker *b);

/** broker_stop() - The same, and free @b; NULL: nothing is done */
void broker_stop(struct broker *b);

#endif /* OS_BROKER_H */
