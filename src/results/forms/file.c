/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.c - The file of a form, made before privileges go
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "forms/forms.h"
#include "os/folder.h"

const char *form_option(enum form_kind kind)
{
	static const char *const name[] = { [FORM_JUNIT] = "--junit",
					    [FORM_SUMMARY] = "--summary",
					    [FORM_HTML] = "--html",
					    [FORM_HAR] = "--har" };

	return name[kind];
}

int form_open(const char *path, struct maker *maker, struct errbuf *e)
{
	int fd;

	if (strcmp(path, "-") == 0) {
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		fd = fd < 0 ? -errno : fd;
	} else {
		fd = maker ? maker_make(maker, 0) : folder_make(AT_FDCWD, path);
	}
	if (fd < 0)
		return errbuf_set(e, fd, "%s: %s", path, strerror(-fd));
	return fd;
}
