/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.c - Frames of a capture file
 *
 * Theory of operation
 *
 * A window slides over the file; pcap_read() takes records off its front. What
 * cannot be read costs what it is and no more: a frame of a link type that
 * nobody decodes, a block that is broken inside, a block that is longer than
 * the window (whose bytes are dropped as they come). Where not even a record's
 * bounds can be believed, the reader is lost: it goes on at the next plausible
 * record. All bytes that were passed by are counted, so that it can be said how
 * much of a file was read.
 */
#include "capture/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/kinds.h"

#define WINDOW	    ((size_t)2 * PCAP_RECORD_MAX)
#define CACHE_LINE  64
#define AHEAD_LEAST ((off_t)8 << 20) /* shorter files are read by one thread */

static_assert(PCAP_WINDOW <= AHEAD_UNREAD_MAX, "any record fits the ring");

static const struct counter rows[] = { FILE_COUNTERS(COUNTER_ROW,
						     struct file_counters) };

const struct counter_list file_counter_list = COUNTER_LIST(rows);

const uint16_t file_links[FILE_LINKS] = {
	LINK_NULL, LINK_ETHERNET, LINK_RAW,  LINK_LOOP,	   LINK_SLL,
	LINK_IPV4, LINK_IPV6,	  LINK_SLL2, LINK_RAW_BSD, LINK_RAW_OPENBSD
};

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

static void begin(struct capture_file *f)
{
	struct stat st;

	pcap_reader_init(&f->reader);
	if (fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode))
		f->count.bytes_all = (uint64_t)st.st_size;
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
	begin(f);
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
	f->bytes = 0;
	f->lost = false;
	f->searched = f->drop = 0;
	f->count = (struct file_counters){ 0 };
	begin(f);
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
	if (f->wait) {
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
	const char *remedy = "";
	const char *kind;

	if (rc == -ENODATA)
		return errbuf_set(e, rc,
				  "%s: cut off in the middle of a record"
				  ", after frame %llu",
				  f->path, n);
	if (rc == -EBADMSG && f->reader.started)
		return errbuf_set(e, rc, "%s: broken after frame %llu", f->path,
				  n);
	if (rc != -EBADMSG && rc != -ENOTSUP)
		return errbuf_set(e, rc, "%s: %s", f->path, strerror(-rc));
	kind = kind_of_file(f->buf + f->start, f->end - f->start, &remedy);
	if (kind)
		return errbuf_set(e, -ENOTSUP, "%s is %s: %s", f->path, kind,
				  remedy);
	if (rc == -ENOTSUP)
		return errbuf_set(e, rc,
				  "%s: this version of its format is not read: "
				  "editcap -F pcapng %s NEW",
				  f->path, f->path);
	return errbuf_set(e, rc, "%s: not a capture file", f->path);
}

/* --- records --- */

bool file_is_pipe(const struct capture_file *f)
{
	return f->count.bytes_all == 0;
}

/* No record's bounds are to be believed here. */
static void lose(struct capture_file *f)
{
	if (f->count.damaged++ == 0)
		f->place = f->bytes - (f->end - f->start);
	f->lost = true;
	f->searched = 0;
}

static void step(struct capture_file *f, size_t n)
{
	f->start += n;
	f->searched += n;
}

/* Look for a record in the window. Return: 1 found, 0 not yet, -Exxx */
static int search(struct capture_file *f)
{
	size_t len = f->end - f->start;
	bool full = len + PCAP_HEAD_MAX > PCAP_RECORD_MAX;
	size_t skip = 0;
	int agree = pcap_resync(&f->reader, f->buf + f->start, len,
				f->eof ? PCAP_LAST
				: full ? PCAP_FULL
				       : PCAP_MORE,
				&skip);

	/* Not again the record that was broken. */
	if (agree > 0 && skip == 0 && f->searched == 0) {
		step(f, 1);
		return 0;
	}
	step(f, skip);
	if (agree > 0) {
		f->count.damaged_unsure += agree < PCAP_AGREE;
		f->lost = false;
		return 1;
	}
	if (f->eof || f->searched > FILE_SEARCH_MAX) {
		f->start = f->end;
		f->eof = true;
	}
	return 0;
}

/* Drop what is left of a long block. Return: is there more of it to come? */
static bool drop_some(struct capture_file *f)
{
	size_t len = f->end - f->start;
	size_t n = f->drop < len ? (size_t)f->drop : len;

	f->start += n;
	f->drop -= n;
	return f->drop > 0;
}

/* A record of @n bytes was found. */
static void pass(struct capture_file *f, const struct pcap_record *rec,
		 uint64_t n)
{
	size_t len = f->end - f->start;

	f->drop = n > len ? n - len : 0;
	f->start += n > len ? len : (size_t)n;
	if (rec->kind == PCAP_BROKEN) {
		if (f->count.damaged++ == 0)
			f->place = f->bytes - (f->end - f->start);
	} else if (rec->kind != PCAP_UNREAD) {
		f->count.bytes_read += n;
	}
	if (rec->kind == PCAP_CUSTOM && f->pen == 0)
		f->pen = rec->pen;
	f->count.frames_unread += rec->kind == PCAP_UNREAD;
	f->count.blocks_unknown += rec->kind == PCAP_UNKNOWN;
	/* Its headers come while the caller is busy. */
	__builtin_prefetch(f->buf + f->start);
	__builtin_prefetch(f->buf + f->start + CACHE_LINE);
}

/* Is there a record behind the end of the file, whose bounds were a lie? */
static bool lies(struct capture_file *f)
{
	size_t skip;

	return !f->strict && f->end - f->start > 1 &&
	       pcap_resync(&f->reader, f->buf + f->start + 1,
			   f->end - f->start - 1, PCAP_LAST, &skip) > 0;
}

/* The window is at its end, and so is the file. Return: 1 go on, 0, -Exxx */
static int at_end(struct capture_file *f)
{
	/* Too short to be told from something else: also an empty one. */
	if (!f->reader.started)
		return -EBADMSG;
	if (f->end == f->start && f->drop == 0)
		return 0;
	if (f->drop == 0 && lies(f)) {
		lose(f);
		return 1;
	}
	f->count.cut_off = 1;
	f->start = f->end;
	f->drop = 0;
	return -ENODATA;
}

/* Take what the window has. Return: 1 a record, 0 it is too short, -Exxx */
static int from_window(struct capture_file *f, struct pcap_record *rec)
{
	size_t len;
	int64_t n;

	if (f->drop > 0 && drop_some(f))
		return 0;
	if (f->lost && search(f) == 0)
		return 0;
	len = f->end - f->start;
	if (len == 0)
		return 0;
	n = pcap_read(&f->reader, f->buf + f->start, len, rec);
	if (n > 0 && (uint64_t)n > len && !file_is_pipe(f) &&
	    f->bytes - len + (uint64_t)n > f->count.bytes_all)
		n = -EBADMSG; /* longer than the file: a lie */
	if (n == -EBADMSG && f->reader.started && !f->strict) {
		lose(f);
		return from_window(f, rec);
	}
	if (n > 0)
		pass(f, rec, (uint64_t)n);
	return n > 0 ? 1 : (int)n;
}

/* Take one record. Return: 1, or 0 at the end, or -Exxx. */
static int record_next(struct capture_file *f, struct pcap_record *rec)
{
	for (;;) {
		bool eof = f->eof;
		int rc = from_window(f, rec);

		if (rc != 0)
			return rc;
		if (eof) {
			if (f->lost && f->start < f->end)
				continue;
			rc = at_end(f);
			if (rc <= 0)
				return rc;
			continue;
		}
		if (f->eof) /* the search was given up */
			return 0;
		rc = refill(f);
		if (rc)
			return rc;
	}
}

int file_next(struct capture_file *f, struct frame_info *info, struct errbuf *e)
{
	struct pcap_record rec;
	uint16_t link;
	int rc;

	f->reader.lenient = !f->strict;
	f->reader.long_blocks = true;
	for (;;) {
		rc = record_next(f, &rec);
		if (rc == 0)
			return 0;
		if (rc < 0)
			return fail(f, rc, e);
		if (rec.kind == PCAP_UNREAD && f->strict)
			return fail(f, -EBADMSG, e);
		if (rec.kind != PCAP_FRAME) {
			f->skipped++;
			continue;
		}
		assert(rec.iface < PCAP_IFACES);
		link = f->reader.iface[rec.iface].link;
		if (f->any_link || link_known(link))
			break;
		if (f->count.frames_link++ == 0)
			f->link = link;
		f->count.bytes_read -= rec.cap;
	}
	f->frames++;
	f->iface = rec.iface;
	f->claimed = rec.claimed;
	*info = (struct frame_info){
		.data = rec.data,
		.cap = rec.cap,
		.wire = rec.wire < rec.cap ? rec.cap : rec.wire,
		.ts = rec.ts,
		.link = link,
	};
	return 1;
}

static void add_count(char *out, size_t size, uint64_t n, const char *what)
{
	size_t len = strlen(out);

	if (n > 0)
		snprintf(out + len, size - len, ", %llu %s",
			 (unsigned long long)n, what);
}

int file_verdict(const struct capture_file *f, struct errbuf *e)
{
	const struct file_counters *c = &f->count;
	uint64_t all = file_is_pipe(f) ? f->bytes : c->bytes_all;
	char more[200] = "";
	char link[64] = "";

	if (c->bytes_read >= all && c->frames_unread == 0)
		return 0;
	add_count(more, sizeof(more), c->damaged, "damaged places");
	add_count(more, sizeof(more), c->damaged_unsure,
		  "of them with only two records behind it that agree");
	add_count(more, sizeof(more), c->cut_off, "record cut off at the end");
	add_count(more, sizeof(more), c->frames_unread, "frames not read");
	if (c->frames_link > 0)
		snprintf(link, sizeof(link), ", %llu frames of link type %u",
			 (unsigned long long)c->frames_link, f->link);
	errbuf_set(e, 0, "%s: read: %llu of %llu bytes%s%s", f->path,
		   (unsigned long long)c->bytes_read, (unsigned long long)all,
		   more, link);
	return f->frames == 0 || c->bytes_read < all / 2 ? -EBADMSG : 1;
}
