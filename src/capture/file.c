/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW	    ((size_t)2 * PCAP_RECORD_MAX)
#define CACHE_LINE  64
#define AHEAD_LEAST ((off_t)8 << 20) /* shorter files are read by one thread */

static_assert(PCAP_WINDOW <= AHEAD_UNREAD_MAX, "any record fits the ring");

const uint16_t file_links[FILE_LINKS] = { LINK_NULL, LINK_ETHERNET, LINK_RAW,
					  LINK_LOOP, LINK_SLL,	    LINK_IPV4,
					  LINK_IPV6, LINK_SLL2 };

static bool is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

int file_descriptor(const char *path, struct errbuf *e)
{
	int fd = is_stdin(path) ? STDIN_FILENO
				: open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errbuf_set(e, -errno, "%s: %s", path, strerror(errno));
	return fd;
}

int file_adopt(struct capture_file *f, int fd, const char *path,
	       struct errbuf *e)
{
	uint8_t *buf = malloc(WINDOW);

	if (!buf)
		return errbuf_set(e, -ENOMEM, "%s: no memory", path);
	memset(f, 0, sizeof(*f));
	f->fd = fd;
	f->buf = buf;
	f->path = is_stdin(path) ? "standard input" : path;
	pcap_reader_init(&f->reader);
	return 0;
}

int file_rewind(struct capture_file *f)
{
	assert(!f->ahead);
	if (lseek(f->fd, 0, SEEK_SET) < 0)
		return -errno;
	f->eof = false;
	f->start = 0;
	f->end = 0;
	f->frames = 0;
	f->skipped = 0;
	pcap_reader_init(&f->reader);
	return 0;
}

int file_open(struct capture_file *f, const char *path, struct errbuf *e)
{
	int fd = file_descriptor(path, e);
	int r = fd < 0 ? fd : file_adopt(f, fd, path, e);

	if (r != 0 && fd > STDIN_FILENO)
		close(fd);
	return r;
}

int file_release(struct capture_file *f)
{
	int fd = f->fd;

	if (f->ahead)
		ahead_close(f->ahead);
	else
		free(f->buf);
	memset(f, 0, sizeof(*f));
	return fd;
}

void file_close(struct capture_file *f)
{
	int fd;

	if (!f->buf)
		return;
	fd = file_release(f);
	if (fd != STDIN_FILENO)
		close(fd);
}

void file_read_ahead(struct capture_file *f)
{
	struct stat st;

	if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size < AHEAD_LEAST || ahead_open(&f->ahead, f->fd) != 0)
		return;
	free(f->buf);
	f->buf = ahead_bytes(f->ahead);
}

uint64_t file_place(const struct capture_file *f, const uint8_t *data)
{
	return f->bytes - (f->end - (size_t)(data - f->buf));
}

/* The next bytes of the ring. Return: as refill() */
static int refill_ahead(struct capture_file *f)
{
	ssize_t n;

	if (f->start >= AHEAD_RING) {
		f->start -= AHEAD_RING;
		f->end -= AHEAD_RING;
	}
	if (f->end - f->start > AHEAD_UNREAD_MAX)
		return -EBADMSG;
	n = ahead_more(f->ahead, f->end - f->start);
	if (n < 0)
		return (int)n;
	f->eof = n == 0;
	f->end += (size_t)n;
	f->bytes += (uint64_t)n;
	return 0;
}

/* Read more behind the window. Return: 0 (perhaps the end now) or -Exxx. */
static int refill(struct capture_file *f)
{
	ssize_t n;

	if (f->ahead)
		return refill_ahead(f);
	if (f->start > 0) {
		memmove(f->buf, f->buf + f->start, f->end - f->start);
		f->end -= f->start;
		f->start = 0;
	}
	if (f->end == WINDOW)
		return -EBADMSG; /* a record longer than any that is taken */
	if (f->wait != NULL) {
		int rc = f->wait(f->ctx, f->fd);

		if (rc != 0)
			return rc;
	}
	do {
		n = read(f->fd, f->buf + f->end, WINDOW - f->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	f->eof = n == 0;
	f->end += (size_t)n;
	f->bytes += (uint64_t)n;
	return 0;
}

static bool link_known(uint16_t link)
{
	for (size_t i = 0; i < FILE_LINKS; i++)
		if (file_links[i] == link)
			return true;
	return false;
}

static int fail(const struct capture_file *f, int rc, struct errbuf *e)
{
	unsigned long long n = f->frames;

	if (rc == -ENODATA)
		return errbuf_set(e, rc,
				  "%s: cut off in the middle of a record"
				  ", after frame %llu",
				  f->path, n);
	if (rc == -EBADMSG && !f->reader.started)
		return errbuf_set(e, rc, "%s: not a capture file", f->path);
	if (rc == -EBADMSG)
		return errbuf_set(e, rc, "%s: broken after frame %llu", f->path,
				  n);
	if (rc == -ENOTSUP)
		return errbuf_set(e, rc, "%s: this kind of capture is not read",
				  f->path);
	return errbuf_set(e, rc, "%s: %s", f->path, strerror(-rc));
}

/* Take one record. Return: 1, or 0 at the end, or -Exxx. */
static int record_next(struct capture_file *f, struct pcap_record *rec)
{
	for (;;) {
		size_t len = f->end - f->start;
		int64_t n = 0;
		int rc;

		if (len > 0)
			n = pcap_read(&f->reader, f->buf + f->start, len, rec);
		if (n < 0)
			return (int)n;
		if (n > 0) {
			if ((uint64_t)n > len)
				return -EBADMSG;
			f->start += (size_t)n;
			/* Its headers come while the caller is busy. */
			__builtin_prefetch(f->buf + f->start);
			__builtin_prefetch(f->buf + f->start + CACHE_LINE);
			return 1;
		}
		/* Too short to be told from something else: also an empty one. */
		if (f->eof && !f->reader.started)
			return -EBADMSG;
		if (f->eof)
			return len > 0 ? -ENODATA : 0;
		rc = refill(f);
		if (rc)
			return rc;
	}
}

int file_next(struct capture_file *f, struct frame_info *info, struct errbuf *e)
{
	struct pcap_record rec;
	const struct pcap_iface *iface;
	int rc;

	for (;;) {
		rc = record_next(f, &rec);
		if (rc == 0)
			return 0;
		if (rc < 0)
			return fail(f, rc, e);
		if (rec.kind == PCAP_FRAME)
			break;
		f->skipped++;
	}
	if (rec.iface >= PCAP_IFACES)
		return fail(f, -EBADMSG, e);
	iface = &f->reader.iface[rec.iface];
	if (!f->any_link && !link_known(iface->link))
		return errbuf_set(e, -ENOTSUP, "%s: link type %u is not read",
				  f->path, iface->link);
	f->frames++;
	f->iface = rec.iface;
	f->claimed = rec.claimed;
	*info = (struct frame_info){
		.data = rec.data,
		.cap = rec.cap,
		.wire = rec.wire < rec.cap ? rec.cap : rec.wire,
		.ts = rec.ts,
		.link = iface->link,
	};
	return 1;
}
