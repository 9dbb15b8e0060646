/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * folder.c - The folder of a path, and how a file of ours is made in it
 */
#include "os/folder.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

int folder_open(const char *path, const char **base)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";
	size_t len;
	int fd;

	if (slash) {
		/* The root's own name is its slash. */
		len = slash == path ? 1 : (size_t)(slash - path);
		if (len >= sizeof(dir))
			return -ENAMETOOLONG;
		memcpy(dir, path, len);
		dir[len] = '\0';
	}
	*base = slash ? slash + 1 : path;
	fd = open(dir, FOLDER_OPEN_FLAGS);
	return fd < 0 ? -errno : fd;
}

int folder_make(int folder, const char *name)
{
	int fd = openat(folder, name, FOLDER_MAKE_FLAGS, FOLDER_MAKE_MODE);

	return fd < 0 ? -errno : fd;
}

int folder_append(const char *path)
{
	int fd = open(path, FOLDER_APPEND_FLAGS, FOLDER_MAKE_MODE);

	return fd < 0 ? -errno : fd;
}
