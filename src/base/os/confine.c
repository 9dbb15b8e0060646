/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * confine.c - Give up, in two stages, what a process needs no more
 */
#include "os/confine.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/folder.h"
#include "os/log.h"
#include "os/privileges.h"

#define FDS (2 * CONFINE_PLACES)

void confine_place(struct confine *c, const char *path, bool make)
{
	if (!path || strcmp(path, "-") == 0)
		return;
	assert(c->places < CONFINE_PLACES);
	c->place[c->places++] = (struct confine_place){ path, make };
}

static void add(struct sandbox_place *list, unsigned *n, int fd, bool make)
{
	if (fd >= 0)
		list[(*n)++] = (struct sandbox_place){ fd, make };
}

/* The descriptors of a place: its folder and, to be read, itself. */
static int open_place(const struct confine_place *p, struct sandbox_place *list,
		      unsigned *n, struct errbuf *e)
{
	const char *base;
	int fd = folder_open(p->path, &base);

	if (fd < 0 && p->make)
		return errbuf_set(e, fd, "%s: %s", p->path, strerror(-fd));
	add(list, n, fd, p->make);
	if (!p->make)
		add(list, n, open(p->path, O_PATH | O_CLOEXEC), false);
	return 0;
}

static int close_files(const struct confine *c, struct errbuf *e)
{
	struct sandbox_place list[FDS];
	unsigned n = 0;
	int landlock = -1;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < c->places; i++)
		r = open_place(&c->place[i], list, &n, e);
	if (r == 0)
		landlock = sandbox_files(list, n, c->box.needs, e);
	while (n > 0)
		close(list[--n].fd);
	if (landlock == 0 && !c->quiet)
		log_line(LOG_INFO, "this kernel has no Landlock: what files "
				   "may be opened is left to seccomp alone");
	if (r == 0 && landlock < 0)
		r = landlock;
	return r;
}

static int early(const struct confine *c, struct errbuf *e)
{
	struct sandbox first = c->box;
	int r = c->stay	       ? privileges_freeze(e)
		: c->net_admin ? privileges_drop_but_net_admin(c->user, e)
			       : privileges_drop(c->user, e);

	first.needs |= c->early;
	if (r == 0)
		r = close_files(c, e);
	if (r == 0 && c->early != 0)
		r = sandbox_calls(&first, e);
	return r;
}

int confine(const struct confine *c, enum confine_stage stage, struct errbuf *e)
{
	return stage == CONFINE_EARLY ? early(c, e) : sandbox_calls(&c->box, e);
}
