/* SPDX-License-Identifier: BSD-2-Clause */
#include "journal/names_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "journal/journal.h"

int names_folder(const char *path, const char **base)
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
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

const char *names_iface(unsigned iface)
{
	static const char *const name[JOURNAL_IFACES] = {
#define X(id, text) [id] = text,
		JOURNAL_IFACE_LIST(X)
#undef X
	};

	return name[iface];
}

int names_error(char *err, const char *path, int r)
{
	snprintf(err, JOURNAL_ERR, "%.150s: %s", path, strerror(-r));
	return r;
}
