/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out.c - Write a cache file
 *
 * Theory of operation
 *
 * The header holds the number of packets, which is known last, and stands
 * first. So the states go to a new file behind room for header and comment,
 * whose length is known, chunk by chunk as the bit cache fills; header and
 * comment are written at the end. Then the file takes its name. Whoever reads
 * that name sees the old file or the whole new one.
 *
 * A signal that would end the program removes the new file first. It has a name
 * from the beginning, because a file without one cannot take the place of
 * another.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prep/prep.h"

#define CHUNK ((size_t)64 << 10)
#define SLOTS ((size_t)16)

/* Signals that end the program if nobody asks for them. */
static const int deadly[] = { SIGHUP,  SIGINT,	SIGQUIT, SIGPIPE,
			      SIGALRM, SIGTERM, SIGXCPU, SIGXFSZ };
#define DEADLY (sizeof(deadly) / sizeof(deadly[0]))

static const char
	*volatile doomed; /* file to be removed; there is one at most */

static void remove_doomed(int sig)
{
	const char *path = doomed;

	if (path)
		unlink(path);
	/* Delivered when this returns, with what it does by nature. */
	raise(sig);
}

/* Who ignores one of them (nohup) goes on ignoring it. */
static void guard_signals(void)
{
	struct sigaction new = { .sa_handler = remove_doomed,
				 .sa_flags = (int)SA_RESETHAND };
	struct sigaction old;

	sigemptyset(&new.sa_mask);
	for (size_t i = 0; i < DEADLY; i++)
		if (sigaction(deadly[i], NULL, &old) == 0 &&
		    old.sa_handler == SIG_DFL)
			sigaction(deadly[i], &new, NULL);
}

void prep_hold_signals(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < DEADLY; i++)
		sigaddset(&set, deadly[i]);
	sigprocmask(SIG_BLOCK, &set, before);
}

/* No signal comes between the file and its being known to remove_doomed(). */
static int make_temp(struct prep_out *o)
{
	sigset_t before;
	int rc = 0;

	guard_signals();
	prep_hold_signals(&before);
	o->fd = mkostemp(o->temp, O_CLOEXEC);
	if (o->fd < 0)
		rc = -errno;
	else
		doomed = o->temp;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int prep_out_open(struct prep_out *o, const char *path, size_t comment_len,
		  struct errbuf *e)
{
	struct stat st;
	mode_t mask;
	int n;

	*o = (struct prep_out){ .fd = -1, .path = path };
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return errbuf_set(e, -EINVAL,
				  "%s: a cache is written to a regular file",
				  path);
	n = snprintf(o->temp, sizeof(o->temp), "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(o->temp))
		return errbuf_set(e, -ENAMETOOLONG, "%s: name too long", path);
	o->mem = malloc(CHUNK * SLOTS);
	if (!o->mem)
		return errbuf_set(e, -ENOMEM, "%s: no memory", path);
	bitcache_init(&o->bits, CACHEFILE_PER_BYTE, o->mem, CHUNK, SLOTS);
	o->body = CACHEFILE_HEADER + comment_len;
	n = make_temp(o);
	if (n) {
		free(o->mem);
		o->mem = NULL;
		return errbuf_set(e, n, "%s: %s", path, strerror(-n));
	}
	mask = umask(0);
	umask(mask);
	fchmod(o->fd, 0664 & ~mask);
	return 0;
}

static int write_at(struct prep_out *o, const void *p, size_t len, uint64_t at,
		    struct errbuf *e)
{
	const uint8_t *from = p;

	while (len > 0) {
		ssize_t n = pwrite(o->fd, from, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int rc = n < 0 ? -errno : -EIO;

			return errbuf_set(e, rc, "%s: %s", o->path,
					  strerror(-rc));
		}
		from += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_chunk(struct prep_out *o, struct errbuf *e)
{
	size_t len;
	const uint8_t *p = bitcache_oldest(&o->bits, &len);
	int rc = write_at(o, p, len, o->body + o->chunks * CHUNK, e);

	if (rc)
		return rc;
	bitcache_drop(&o->bits);
	o->chunks++;
	return 0;
}

int prep_out_add(struct prep_out *o, unsigned fate, struct errbuf *e)
{
	int rc = bitcache_add(&o->bits, fate);

	if (rc != -ENOSPC)
		return rc;
	rc = write_chunk(o, e);
	return rc ? rc : bitcache_add(&o->bits, fate);
}

int prep_out_finish(struct prep_out *o, uint64_t packets, const char *comment,
		    size_t comment_len, uint16_t claimed_len, struct errbuf *e)
{
	uint8_t header[CACHEFILE_HEADER];
	size_t len;
	int rc = 0;

	while (rc == 0 && bitcache_oldest(&o->bits, &len))
		rc = write_chunk(o, e);
	cachefile_header(header, packets, claimed_len);
	if (rc == 0)
		rc = write_at(o, header, sizeof(header), 0, e);
	if (rc == 0)
		rc = write_at(o, comment, comment_len, CACHEFILE_HEADER, e);
	if (rc)
		return rc;
	if (close(o->fd) != 0 || rename(o->temp, o->path) != 0) {
		rc = -errno;
		o->fd = -1;
		unlink(o->temp);
		doomed = NULL;
		return errbuf_set(e, rc, "%s: %s", o->path, strerror(-rc));
	}
	doomed = NULL;
	o->fd = -1;
	free(o->mem);
	o->mem = NULL;
	return 0;
}

void prep_out_abort(struct prep_out *o)
{
	if (o->fd >= 0) {
		close(o->fd);
		unlink(o->temp);
		doomed = NULL;
		o->fd = -1;
	}
	free(o->mem);
	o->mem = NULL;
}
