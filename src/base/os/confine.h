/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * confine - Give up, in two stages, what a process needs no more
 *
 * What a command needs is data: each fills in a struct confine, and none has a
 * sequence of its own. The early stage comes when all that needs privileges is
 * open, before a byte is looked at that came from outside: no privilege, no
 * place in the file system but those that are named and, where such bytes
 * decide what is opened yet, a first filter of system calls. The final stage
 * comes before the work: the filter for good.
 */
#ifndef OS_CONFINE_H
#define OS_CONFINE_H

#include "os/sandbox.h"

#define CONFINE_PLACES 64

enum confine_stage {
	CONFINE_EARLY,
	CONFINE_FINAL,
};

/**
 * struct confine_place - Where files may be opened yet
 * @path:	A file
 * @make:	It is made, and others beside it; else it is read, and others
 *		beside it are. What is to be read and cannot be found is not
 *		fenced in, and is said by who reads it
 */
struct confine_place {
	const char *path;
	bool make;
};

/**
 * struct confine - What a process needs
 * @user:	Whom it becomes; NULL: it stays who it is, without privileges
 * @stay:	It stays who it is, with all that this user may
 * @net_admin:	It keeps CAP_NET_ADMIN, if it has it
 * @place, @places: Where files may be opened; none: nowhere
 * @early:	SANDBOX_ bits of the time between the stages, beside @box.needs;
 *		0: there is no filter before the final one
 * @box:	What it needs for its work, and by which descriptors
 * @quiet:	It is not said if the kernel has no Landlock
 */
struct confine {
	const char *user;
	bool stay;
	bool net_admin;
	struct confine_place place[CONFINE_PLACES];
	unsigned places;
	unsigned early;
	struct sandbox box;
	bool quiet;
};

/** confine_place() - Name a place; NULL and "-" (a standard stream) are none */
void confine_place(struct confine *c, const char *path, bool make);

/**
 * confine() - Go through a stage
 * @c:		What is needed; @box may be filled in further between the
 *		stages, but a filter is only ever narrowed
 * @e:		Sentence on failure; the process must end then
 *
 * The early one before the first thread is made.
 *
 * Return: 0, or -EACCES (@user may not look into a place's folder), or another
 * -Exxx
 */
int confine(const struct confine *c, enum confine_stage stage,
	    struct errbuf *e);

#endif /* OS_CONFINE_H */
