/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files.c - The report's files, beside the store that they are made of
 *
 * They are made of the store and not of the run, so that they are what
 * "understudy report" makes of it later.
 */
#include "store/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/folder.h"
#include "store/store.h"

static const struct {
	const char *name;
	enum form_kind kind; /* FORM_KINDS: the text */
} file[] = {
	{ "report.txt", FORM_KINDS },
	{ "report.html", FORM_HTML },
	{ "summary.md", FORM_SUMMARY },
	{ "junit.xml", FORM_JUNIT },
};

#define FILES (sizeof(file) / sizeof(file[0]))

static int path_of(char out[STORE_PATH], const char *dir, size_t i)
{
	int n = snprintf(out, STORE_PATH, "%s/%s", dir, file[i].name);

	return n < STORE_PATH ? 0 : -ENAMETOOLONG;
}

static int put_text(int fd, const char *text)
{
	size_t n = strlen(text);

	return write(fd, text, n) == (ssize_t)n ? 0 : -EIO;
}

static int make_one(const char *dir, size_t i, const struct form *f)
{
	char path[STORE_PATH];
	int r = path_of(path, dir, i);
	int fd = r == 0 ? folder_make(AT_FDCWD, path) : r;

	if (fd < 0)
		return fd;
	r = file[i].kind == FORM_KINDS ? put_text(fd, f->text)
				       : form_write(file[i].kind, fd, f);
	close(fd);
	return r;
}

int files_make(const char *dir, void (*moved)(void *ctx), void *ctx)
{
	struct archive *s = NULL;
	struct errbuf e;
	struct form f;
	int r = archive_open(&s, dir, &e);

	if (r == 0)
		r = archive_form(s, &f, &e);
	for (size_t i = 0; r == 0 && i < FILES; i++) {
		moved(ctx);
		r = make_one(dir, i, &f);
	}
	archive_close(s);
	return r;
}

void files_remove(const char *dir)
{
	char path[STORE_PATH];

	for (size_t i = 0; i < FILES; i++)
		if (path_of(path, dir, i) == 0)
			(void)unlink(path);
}
