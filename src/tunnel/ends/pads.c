/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pads.c - The file of a one-time pad
 *
 * Theory of operation
 *
 * The file is mapped, so that its bytes are wiped where they lie. What is to be
 * durable before it counts is made so by fdatasync(2), which also takes what
 * was written by the mapping. A lock keeps a second process out; that the file
 * was cut off behind our back ends us by a signal (SIGBUS), and a host's owner
 * can do worse.
 */
#include "ends/pads.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "ends/ends.h"
#include "keys/noise.h"
#include "opt/values.h"
#include "os/folder.h"
#include "os/random.h"

#define PIECE 4096 /* bytes that are made at a time */
#define ONCE  256  /* that the kernel gives at a time */

static int keep(void *ctx)
{
	const struct pads *p = ctx;

	return fdatasync(p->fd) == 0 ? 0 : -errno;
}

static int say_why(const char *path, int r, bool begins, struct errbuf *e)
{
	switch (r) {
	case -EINVAL:
		return errbuf_set(e, r,
				  "%s: is no pad, or not a whole one; "
				  "'understudy tunnel padgen' makes one",
				  path);
	case -EPERM:
		return errbuf_set(e, r,
				  "%s: is the copy of the end that %s; each "
				  "end has its own",
				  path, begins ? "listens" : "begins");
	case -EEXIST:
		return errbuf_set(e, r,
				  "%s: is a copy of a pad that was in use, and "
				  "its bytes may be used; make another",
				  path);
	case -ENOSPC:
		return errbuf_set(e, r, "%s: is used up; make another", path);
	case -ENODATA:
		return errbuf_set(e, r,
				  "%s: has zeros where it is to be used next; "
				  "it was used elsewhere, or never was random",
				  path);
	default:
		return errbuf_set(e, r, "%s: %s", path, strerror(-r));
	}
}

/* A file of ours alone, in every sense. */
static int look_at(const struct pads *p, const char *path, struct stat *st,
		   struct errbuf *e)
{
	if (fstat(p->fd, st) != 0)
		return errbuf_set(e, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st->st_mode))
		return errbuf_set(e, -EINVAL,
				  "%s: is no file, and could not be wiped",
				  path);
	if (st->st_mode & 077)
		return errbuf_set(e, -EACCES,
				  "%s: others can read this pad; better make "
				  "another",
				  path);
	if (flock(p->fd, LOCK_EX | LOCK_NB) != 0)
		return errbuf_set(e, -EBUSY,
				  "%s: another process uses this pad; each end "
				  "needs a copy, and each pad is for one "
				  "tunnel",
				  path);
	return 0;
}

int pads_open(struct pads *p, const char *path, bool begins, struct errbuf *e)
{
	struct stat st;
	void *at;
	int r;

	p->fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (p->fd < 0)
		return errbuf_set(e, -errno, "%s: %s", path, strerror(errno));
	r = look_at(p, path, &st, e);
	if (r != 0)
		return r;
	p->size = (uint64_t)st.st_size;
	if (p->size < PAD_PAGE)
		return say_why(path, -EINVAL, begins, e);
	at = mmap(NULL, p->size, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
	if (at == MAP_FAILED)
		return errbuf_set(e, -errno, "%s: %s", path, strerror(errno));
	p->pad.bytes = at;
	p->pad.ops = crypto_table();
	p->pad.keep = keep;
	p->pad.ctx = p;
	p->pad.place = st.st_ino;
	r = pad_load(&p->pad, p->size, begins);
	return r == 0 ? 0 : say_why(path, r, begins, e);
}

int pads_end(const struct pads *p, struct errbuf *e)
{
	if (!p->pad.bytes)
		return 0;
	switch (p->pad.state) {
	case PAD_GOOD:
		break;
	case PAD_USED_UP:
		return errbuf_set(e, -ENOSPC, "the pad is used up");
	case PAD_ZERO:
		return errbuf_set(e, -ENODATA,
				  "the pad has zeros where it is to be used "
				  "next");
	case PAD_TWICE:
		return errbuf_set(
			e, -EEXIST,
			"the other end has seen more of this pad than "
			"this copy has sent: another copy is in use; "
			"make a new pad");
	case PAD_NOT_KEPT:
		return errbuf_set(e, -EIO,
				  "the pad's file could not be written");
	}
	return 0;
}

void pads_close(struct pads *p)
{
	if (p->pad.bytes) {
		(void)fdatasync(p->fd);
		munmap(p->pad.bytes, p->size);
	}
	p->pad.bytes = NULL;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

/* --- padgen --- */

static int from_kernel(uint8_t *p)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < PIECE; i += ONCE)
		r = random_bytes(p + i, ONCE);
	return r;
}

static int from_source(int fd, uint8_t *p)
{
	size_t have = 0;

	while (have < PIECE) {
		ssize_t n = read(fd, p + have, PIECE - have);

		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		have += (size_t)n;
	}
	return 0;
}

static int put_piece(int fd, const uint8_t *p, size_t n)
{
	ssize_t put = write(fd, p, n);

	return put == (ssize_t)n ? 0 : put < 0 ? -errno : -ENOSPC;
}

static int fill(int fd, uint64_t size, int from)
{
	uint8_t p[PIECE];
	int r;

	pad_page(p, size);
	r = put_piece(fd, p, PAD_PAGE);
	for (uint64_t at = 0; r == 0 && at < size; at += PIECE) {
		r = from >= 0 ? from_source(from, p) : from_kernel(p);
		if (r == 0 && !pad_random(p, PIECE))
			r = -EDOM;
		if (r == 0)
			r = put_piece(fd, p, PIECE);
	}
	if (r == 0 && fsync(fd) != 0)
		r = -errno;
	noise_wipe(p, sizeof(p));
	return r;
}

static int tell(int r, const char *path, const char *source, struct errbuf *e)
{
	if (r == 0)
		return 0;
	if (r == -ENODATA)
		return errbuf_set(e, r, "%s: has not so many bytes", source);
	if (r == -EDOM)
		return errbuf_set(e, r,
				  "%s: 32 bytes of zeros in a row: this "
				  "is not random",
				  source);
	return errbuf_set(e, r, "%s: %s", path, strerror(-r));
}

int ends_padgen(const char *path, const char *size, const char *source,
		struct errbuf *e)
{
	uint64_t n;
	int fd, from = -1, r;

	static_assert(PIECE == PAD_PAGE, "a page is a piece");
	if (value_get_size(size, &n) != 0 || n < PAD_LEAST || n > PAD_MOST)
		return errbuf_set(e, -EINVAL,
				  "padgen %s %s: is no size; write one from "
				  "64K on, for both directions together",
				  path, size);
	n = (n + 2 * PIECE - 1) / (2 * PIECE) * (2 * PIECE);
	if (source) {
		from = open(source, O_RDONLY | O_CLOEXEC);
		if (from < 0)
			return errbuf_set(e, -errno, "%s: %s", source,
					  strerror(errno));
	}
	fd = folder_make(AT_FDCWD, path);
	r = fd < 0 ? fd : fill(fd, n, from);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && r != 0)
		unlink(path);
	if (from >= 0)
		close(from);
	return tell(r, path, source ? source : "the kernel", e);
}
