/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines.c - Lines of text to a file, without waiting for it
 *
 * Theory of operation
 *
 * Lines go through a ring to a thread that gathers and writes them. What is not
 * text yet goes the same way, in its order, and becomes a line in that thread.
 * If a write fails in the middle of a line, the rest of that line is kept and
 * written first when writing works again, so that a reader never sees two lines
 * joined; lines that come meanwhile are lost.
 */
#include "report/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/drain.h"
#include "os/folder.h"
#include "os/outlet.h"

#define GATHER 65536u

/* In front of each record of the ring; what follows is aligned as a record is.
 */
enum kind { A_LINE, TO_BE_ONE };
#define HEAD RING_ALIGN

struct lines {
	struct drain *drain;
	_Atomic uint64_t lost_disk;
	_Atomic int error;
	struct maker *maker;
	char *path;
	bool renamed; /* a file is to be made anew at a line's end */
	int fd;
	struct outlet outlet; /* to @fd */
	bool begun;	      /* @buf begins inside a line */
	size_t (*make)(void *ctx, const void *p, uint32_t len, char *out,
		       size_t size);
	void *make_ctx;
	size_t used;
	size_t cap; /* of @buf: a longest line and GATHER bytes fit */
	char *buf;
};

/* Count the lines that end in @n bytes. */
static uint64_t count_lines(const char *p, size_t n)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	return lines;
}

/* What is left after a failure: the rest of a line that was begun, or nothing.
 */
static void keep_rest(struct lines *l, size_t done)
{
	const char *nl = NULL;
	size_t rest = 0;

	if (done > 0)
		l->begun = l->buf[done - 1] != '\n';
	if (l->begun)
		nl = memchr(l->buf + done, '\n', l->used - done);
	if (nl)
		rest = (size_t)(nl + 1 - (l->buf + done));
	atomic_fetch_add(&l->lost_disk, count_lines(l->buf + done + rest,
						    l->used - done - rest));
	memmove(l->buf, l->buf + done, rest);
	l->used = rest;
}

static int file_make(const char *path, struct maker *maker)
{
	int fd;

	if (strcmp(path, "-") != 0)
		return maker ? maker_make(maker, 0)
			     : folder_make(AT_FDCWD, path);
	fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

/* Its old file is whole: what follows goes to a new one, if it is gone. */
static void reopen(struct lines *l)
{
	int none = 0;
	int fd = file_make(l->path, l->maker);

	l->renamed = false;
	if (fd < 0 && fd != -EEXIST)
		atomic_compare_exchange_strong(&l->error, &none, fd);
	if (fd < 0)
		return;
	close(l->fd);
	l->fd = fd;
	outlet_init(&l->outlet, fd);
}

static void flush(void *ctx)
{
	struct lines *l = ctx;
	size_t done;
	int none = 0;
	int r = outlet_write(&l->outlet, l->drain, l->buf, l->used, &done);

	if (r != 0) {
		atomic_compare_exchange_strong(&l->error, &none, r);
		keep_rest(l, done);
	} else {
		l->used = 0;
		l->begun = false;
		if (l->renamed)
			reopen(l);
	}
}

/* Is there room for @len more bytes? If not, a line is lost. */
static bool make_room(struct lines *l, size_t len)
{
	if (l->used + len > l->cap)
		flush(l);
	if (l->used + len <= l->cap)
		return true;
	atomic_fetch_add(&l->lost_disk, 1);
	return false;
}

static void on_record(void *ctx, const uint8_t *p, uint32_t len)
{
	struct lines *l = ctx;
	bool line = p[0] == A_LINE;

	p += HEAD;
	len -= HEAD;
	if (!make_room(l, line ? len : GATHER))
		return;
	if (line)
		memcpy(l->buf + l->used, p, len);
	l->used +=
		line ? len
		     : l->make(l->make_ctx, p, len, l->buf + l->used, GATHER);
	if (l->used >= GATHER)
		flush(l);
}

static void on_asked(void *ctx)
{
	struct lines *l = ctx;

	l->renamed = strcmp(l->path, "-") != 0;
	flush(l);
}

static void on_done(void *ctx)
{
	struct lines *l = ctx;

	flush(l);
	/* The rest of a line that was cut in the middle, if there is one. */
	atomic_fetch_add(&l->lost_disk, count_lines(l->buf, l->used));
}

static void file_remove(const char *path, struct maker *maker)
{
	if (maker)
		(void)maker_remove(maker, 0);
	else
		unlinkat(AT_FDCWD, path, 0);
}

int lines_open(struct lines **out, const char *path, struct maker *maker,
	       size_t ring_bytes, char *err)
{
	static const struct drain_ops ops = { .record = on_record,
					      .idle = flush,
					      .asked = on_asked,
					      .done = on_done };
	bool made = strcmp(path, "-") != 0;
	struct lines *l = calloc(1, sizeof(*l));
	int r = -ENOMEM;

	if (!l)
		goto fail;
	l->maker = maker;
	l->path = strdup(path);
	if (!l->path)
		goto fail;
	l->fd = file_make(path, maker);
	if (l->fd < 0) {
		r = l->fd;
		goto fail;
	}
	outlet_init(&l->outlet, l->fd);
	l->cap = GATHER + ring_bytes + RING_MIN;
	l->buf = malloc(l->cap);
	if (l->buf)
		r = drain_start(&l->drain, ring_bytes, &ops, l);
	if (r == 0) {
		*out = l;
		return 0;
	}
	close(l->fd);
	if (made)
		file_remove(path, maker);
fail:
	snprintf(err, LINES_ERR, "%.150s: %s", path, strerror(-r));
	if (l) {
		free(l->path);
		free(l->buf);
	}
	free(l);
	return r;
}

static bool hand_over(struct lines *l, enum kind kind, const void *p,
		      size_t len)
{
	/* No ring takes UINT32_MAX: such a line is counted as lost, too. */
	uint8_t *to = spsc_reserve(
		drain_ring(l->drain),
		len < UINT32_MAX - HEAD ? (uint32_t)len + HEAD : UINT32_MAX);

	if (!to)
		return false;
	to[0] = (uint8_t)kind;
	memcpy(to + HEAD, p, len);
	spsc_commit(drain_ring(l->drain));
	return true;
}

bool lines_write(struct lines *l, const char *p, size_t len)
{
	return hand_over(l, A_LINE, p, len);
}

void lines_texts(struct lines *l,
		 size_t (*make)(void *ctx, const void *p, uint32_t len,
				char *out, size_t size),
		 void *ctx)
{
	l->make = make;
	l->make_ctx = ctx;
}

bool lines_put(struct lines *l, const void *p, uint32_t len)
{
	return hand_over(l, TO_BE_ONE, p, len);
}

void lines_reopen(struct lines *l)
{
	drain_ask(l->drain);
}

uint64_t lines_lost(const struct lines *l)
{
	return spsc_lost(drain_ring(l->drain)) + atomic_load(&l->lost_disk);
}

int lines_close(struct lines *l, uint64_t *lost)
{
	uint64_t in_ring = spsc_lost(drain_ring(l->drain));
	int r;

	drain_stop(l->drain);
	if (lost)
		*lost = in_ring + atomic_load(&l->lost_disk);
	r = atomic_load(&l->error);
	close(l->fd);
	free(l->path);
	free(l->buf);
	free(l);
	return r;
}
