/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pins.c - Folders of --pin, of which each worker has one
 *
 * Pairs of a folder that no worker has would go on, and nobody would end those
 * that are silent, nor know their ports. So a proxy with another number of
 * workers does not begin.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crew/crew_internal.h"

/* A worker's folder is a number; what a proxy of one pins has a name. */
static bool fits(const char *name, uint32_t workers)
{
	char *end;
	unsigned long n = strtoul(name, &end, 10);

	if (name[0] == '.')
		return true;
	if (*end != '\0')
		return workers == 1;
	return workers > 1 && n < workers;
}

int pins_fit(const struct setup *o, struct errbuf *e)
{
	const struct dirent *d;
	bool all = true;
	DIR *dir;

	if (!o->pin)
		return 0;
	/* A proxy of one makes its own. */
	if (o->workers > 1 && mkdir(o->pin, 0700) != 0 && errno != EEXIST)
		return errbuf_set(e, -errno,
				  "--pin %s: %s; give a folder in a bpffs "
				  "(mount -t bpf bpf /sys/fs/bpf)",
				  o->pin, strerror(errno));
	dir = opendir(o->pin);
	if (!dir)
		return 0;
	while (all && (d = readdir(dir)) != NULL)
		all = fits(d->d_name, o->workers);
	closedir(dir);
	return all ? 0
		   : errbuf_set(e, -EEXIST,
				"--pin %s: a proxy with another number of "
				"--workers has left connections there; give "
				"that number, or remove the folder",
				o->pin);
}
