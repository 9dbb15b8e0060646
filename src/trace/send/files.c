/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files.c - The captures of a folder
 *
 * Other files lie beside captures, so here, unlike for a file that was named,
 * what does not begin as a capture does is left out. Symbolic links to folders
 * are not followed: they may lead in a circle.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "os/log.h"
#include "send/send.h"

/* Return: 1, or -ENOSPC */
static int add_file(struct send_options *o, const char *path, struct errbuf *e)
{
	if (o->files == SEND_FILES)
		return errbuf_set(e, -ENOSPC, "more than %d captures",
				  SEND_FILES);
	o->file[o->files++] = path;
	return 1;
}

/* Return: 1 it is, 0 it is not, -Exxx it cannot be read */
static int is_capture(const char *path, struct errbuf *e)
{
	uint8_t head[PCAP_MAGIC_LEN];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return errbuf_set(e, -errno, "%s: %s", path, strerror(errno));
	n = fread(head, 1, sizeof(head), f);
	fclose(f);
	return n == sizeof(head) && pcap_is_magic(head);
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int add_path(struct send_options *o, const char *path, struct errbuf *e);

/* Return: 1 taken, and @path with it; 0 it was not, or -Exxx */
static int add_entry(struct send_options *o, const char *path, struct errbuf *e)
{
	struct stat st;
	int rc;

	if (lstat(path, &st))
		return errbuf_set(e, -errno, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		rc = add_path(o, path, e);
		return rc < 0 ? rc : 0;
	}
	/* A pipe or a device is no capture that lies there. */
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return 0;
	rc = is_capture(path, e);
	if (rc == 0)
		log_line(LOG_WARN, "%s is no capture: left out", path);
	if (rc > 0)
		rc = add_file(o, path, e);
	return rc < 0 ? rc : rc > 0;
}

static int add_folder(struct send_options *o, const char *path,
		      struct errbuf *e)
{
	struct dirent **entry;
	int rc = 0;
	int n = scandir(path, &entry, visible, alphasort);

	if (n < 0)
		return errbuf_set(e, -errno, "%s: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		char *full = NULL;

		if (rc >= 0 &&
		    asprintf(&full, "%s/%s", path, entry[i]->d_name) < 0)
			rc = errbuf_set(e, -ENOMEM, "no memory");
		if (rc >= 0)
			rc = add_entry(o, full, e);
		/* One that was taken is the options' to the program's end. */
		if (rc <= 0)
			free(full);
		free(entry[i]);
	}
	free(entry);
	return rc < 0 ? rc : 0;
}

/* Return: 1 @path itself was taken, 0 what lies in it, or -Exxx */
static int add_path(struct send_options *o, const char *path, struct errbuf *e)
{
	uint32_t before = o->files;
	struct stat st;
	int rc;

	if (strcmp(path, "-") == 0 || stat(path, &st) || !S_ISDIR(st.st_mode))
		return add_file(o, path, e);
	rc = add_folder(o, path, e);
	if (rc == 0 && o->files == before)
		rc = errbuf_set(e, -ENOENT, "%s holds no capture", path);
	return rc;
}

int send_files_open(struct send_options *o, struct errbuf *e)
{
	const char *named[SEND_FILES];
	uint32_t n = o->files;
	int rc = 0;

	memcpy(named, o->file, sizeof(named));
	o->files = 0;
	for (uint32_t i = 0; rc >= 0 && i < n; i++)
		rc = add_path(o, named[i], e);
	if (rc >= 0 && o->dual && (o->files != 2 || o->cache))
		rc = errbuf_set(e, -EINVAL, "-2 wants two captures, and no -c");
	return rc < 0 ? rc : 0;
}
