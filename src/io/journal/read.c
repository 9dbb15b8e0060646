/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read.c - The journal's reader
 *
 * Theory of operation
 *
 * A window slides over the file; pcap_read() takes blocks off its front. What
 * the journal says of a frame is in its comment, of anything else in a custom
 * block; both become a struct block.
 *
 * The numbers of the records tell what is missing. Three things end a journal:
 * the sums (it may be whole), the name of the next file that is not there, and
 * the end of a file without either (it was cut). The latter two are an end and
 * not an error: what is there can still be looked at.
 */
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/block_internal.h"
#include "journal/names_internal.h"
#include "os/folder.h"
#include "wire/pcap.h"

struct journal_reader {
	struct pcap_reader pcap;
	struct journal_header header;
	struct journal_status status;
	int folder; /* -1: only one file */
	int fd;
	bool ended;
	int error;	   /* final */
	uint64_t file;	   /* number of the open file */
	uint64_t expected; /* number of the next record */
	size_t begin, end; /* of what is in the window */
	uint8_t window[PCAP_WINDOW];
	char text[JOURNAL_VERSION_MAX + JOURNAL_OPTIONS_MAX + 2];
	char next_text[JOURNAL_VERSION_MAX + JOURNAL_OPTIONS_MAX + 2];
};

/* Return: bytes added, 0 at the end of the file, -Exxx. */
static int64_t window_fill(struct journal_reader *r)
{
	ssize_t n;

	if (r->begin > 0) {
		memmove(r->window, r->window + r->begin, r->end - r->begin);
		r->end -= r->begin;
		r->begin = 0;
	}
	if (r->end == PCAP_WINDOW)
		return -EBADMSG; /* a block longer than any that is ours */
	do {
		n = read(r->fd, r->window + r->end, PCAP_WINDOW - r->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	r->end += (size_t)n;
	return n;
}

/*
 * Next section, frame or custom block; others are stepped over.
 *
 * Return: 1, 0 at the end of the file, -ENODATA if it ends inside a block,
 * another -Exxx
 */
static int fetch(struct journal_reader *r, struct pcap_record *rec)
{
	for (;;) {
		int64_t n = pcap_read(&r->pcap, r->window + r->begin,
				      r->end - r->begin, rec);

		if (n < 0)
			return (int)n;
		r->begin += (size_t)n;
		if (n > 0 &&
		    (rec->kind == PCAP_FRAME || rec->kind == PCAP_CUSTOM ||
		     rec->kind == PCAP_SECTION))
			return 1;
		if (n > 0)
			continue;
		n = window_fill(r);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return r->begin == r->end ? 0 : -ENODATA;
	}
}

/* As fetch(), for a record: what the journal says of it is in @b. */
static int fetch_block(struct journal_reader *r, struct pcap_record *rec,
		       struct block *b)
{
	int n = fetch(r, rec);

	if (n <= 0)
		return n;
	if (rec->kind == PCAP_FRAME && rec->comment)
		n = block_get_comment(rec->comment, rec->comment_len, b);
	else if (rec->kind == PCAP_CUSTOM && rec->pen == BLOCK_PEN)
		n = block_get(rec->data, rec->cap, b);
	else
		n = -EBADMSG;
	if (n == 0 && b->kind == BLOCK_FRAME && rec->kind != PCAP_FRAME)
		n = -EBADMSG;
	return n == 0 ? 1 : n;
}

/* Section, interfaces, header block. Return: 0 or -Exxx. */
static int read_prologue(struct journal_reader *r, struct journal_header *h,
			 struct block *b, char *text)
{
	struct pcap_record rec;
	int n;

	pcap_reader_init(&r->pcap);
	n = fetch(r, &rec);
	if (n > 0 && rec.kind != PCAP_SECTION)
		return -EBADMSG;
	if (n > 0)
		n = fetch_block(r, &rec, b);
	if (n == 0 || n == -ENODATA)
		return -EBADMSG;
	if (n < 0)
		return n;
	if (b->kind != BLOCK_HEADER || r->pcap.ifaces != JOURNAL_IFACES)
		return -EBADMSG;
	n = block_get_header(rec.data, rec.cap, b, h, text);
	for (unsigned i = 0; i < JOURNAL_IFACES; i++)
		h->link[i] = r->pcap.iface[i].link;
	return n;
}

static void not_whole(struct journal_reader *r, const char *why)
{
	if (!r->status.why)
		r->status.why = why;
}

static int end(struct journal_reader *r)
{
	r->ended = true;
	r->status.whole = !r->status.why;
	return 0;
}

static int cut(struct journal_reader *r)
{
	not_whole(r, "it was cut: its end is missing");
	return end(r);
}

/* Account for number @n. Return: 0, or -EBADMSG if it goes back. */
static int take_number(struct journal_reader *r, uint64_t n)
{
	if (n < r->expected)
		return -EBADMSG;
	if (n > r->expected) {
		r->status.lost += n - r->expected;
		not_whole(r, "records were lost");
	}
	r->expected = n;
	return 0;
}

/* The sums. What follows them is not ours. */
static int take_end(struct journal_reader *r, const struct block *b)
{
	struct pcap_record rec;
	int n = take_number(r, b->number);

	if (n != 0)
		return n;
	if (b->a != r->status.lost)
		not_whole(r, "its sums do not fit its records");
	n = fetch(r, &rec);
	if (n != 0)
		return n == -ENODATA || n > 0 ? -EBADMSG : n;
	return end(r);
}

/* Return: 0 go on reading, 1 that was the end, -Exxx. */
static int follow(struct journal_reader *r, const struct pcap_record *rec,
		  const struct block *b)
{
	char name[BLOCK_NAME + 1];
	struct journal_header h;
	struct block first;
	int fd, n;

	n = block_get_next(rec->data, rec->cap, name);
	if (n == 0)
		n = take_number(r, b->number);
	if (n != 0)
		return n;
	fd = r->folder < 0
		     ? -1
		     : openat(r->folder, name,
			      O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		not_whole(r, "the file that follows is missing");
		end(r);
		return 1;
	}
	close(r->fd);
	r->fd = fd;
	r->begin = r->end;
	n = read_prologue(r, &h, &first, r->next_text);
	if (n != 0)
		return n;
	/* Files only go up, so no chain of names is endless. */
	if (first.a <= r->file || h.started != r->header.started ||
	    h.seed != r->header.seed ||
	    memcmp(&h.key, &r->header.key, sizeof(h.key)) != 0)
		return -EBADMSG;
	r->file = first.a;
	return take_number(r, first.number);
}

static int take_frame(const struct pcap_record *rec, const struct block *b,
		      struct journal_record *out)
{
	if (rec->iface >= JOURNAL_IFACES)
		return -EBADMSG;
	out->kind = JOURNAL_FRAME;
	out->frame = (struct journal_frame){
		.iface = (enum journal_iface)rec->iface,
		.sut = (uint8_t)b->a,
		.csum_ok = (b->flags & BLOCK_CSUM_OK) != 0,
		.trusted = (b->flags & BLOCK_TRUSTED) != 0,
		.gso = b->aux,
		.now = b->now,
		.ts = rec->ts,
		.data = rec->data,
		.cap = rec->cap,
		.wire = rec->wire,
	};
	return 0;
}

/* One record of the engine's. Return: 0 or -Exxx. */
static int take_record(const struct pcap_record *rec, const struct block *b,
		       struct journal_record *out)
{
	*out = (struct journal_record){ .now = b->now };
	switch (b->kind) {
	case BLOCK_FRAME:
		return take_frame(rec, b, out);
	case BLOCK_TIMEOUT:
		out->kind = JOURNAL_TIMEOUT;
		return 0;
	case BLOCK_UNSENT:
		out->kind = JOURNAL_UNSENT;
		out->effect = b->a;
		return 0;
	case BLOCK_LEFT:
		out->kind = JOURNAL_LEFT;
		out->effect = b->a;
		out->stamp = b->b;
		return 0;
	case BLOCK_CLOCK:
		out->kind = JOURNAL_CLOCK;
		out->step = (int64_t)b->a;
		return 0;
	case BLOCK_REFUSED:
		if (b->b > UINT32_MAX)
			return -EBADMSG;
		out->kind = JOURNAL_REFUSED;
		out->flow = b->a;
		out->index = (uint32_t)b->b;
		return 0;
	case BLOCK_NOTE:
		out->kind = JOURNAL_NOTE;
		out->note = b->aux;
		out->value = b->a;
		return 0;
	default:
		return -EBADMSG;
	}
}

static int read_next(struct journal_reader *r, struct journal_record *out)
{
	struct pcap_record rec;
	struct block b;
	int n;

	for (;;) {
		n = fetch_block(r, &rec, &b);
		if (n == 0 || n == -ENODATA)
			return cut(r);
		if (n < 0)
			return n;
		if (b.kind == BLOCK_END)
			return take_end(r, &b);
		if (b.kind != BLOCK_NEXT)
			break;
		n = follow(r, &rec, &b);
		if (n != 0)
			return n > 0 ? 0 : n;
	}
	n = take_record(&rec, &b, out);
	if (n == 0)
		n = take_number(r, b.number);
	if (n != 0)
		return n;
	r->expected++;
	r->status.records++;
	return 1;
}

int journal_read_next(struct journal_reader *r, struct journal_record *rec)
{
	int n;

	if (r->error != 0 || r->ended)
		return r->error;
	n = read_next(r, rec);
	if (n < 0) {
		r->error = n;
		not_whole(r, "it is broken");
	}
	return n;
}

/* Takes @fd and @folder, whatever happens. */
static int reader_new(struct journal_reader **out, int fd, int folder)
{
	struct journal_reader *r = calloc(1, sizeof(*r));
	struct block first;
	int n;

	if (!r) {
		close(fd);
		if (folder >= 0)
			close(folder);
		return -ENOMEM;
	}
	r->fd = fd;
	r->folder = folder;
	n = read_prologue(r, &r->header, &first, r->text);
	if (n != 0) {
		journal_read_close(r);
		return n;
	}
	r->file = first.a;
	r->expected = first.number;
	r->status.lost = first.number;
	if (first.number > 0)
		not_whole(r, "its beginning is missing");
	else if (r->header.only_client)
		not_whole(r, "only the clients' frames were recorded");
	*out = r;
	return 0;
}

static int open_error(char *err, const char *path, int r)
{
	if (r == -EBADMSG)
		snprintf(err, JOURNAL_ERR, "%.150s: not a journal", path);
	else if (r == -ENOTSUP)
		snprintf(err, JOURNAL_ERR,
			 "%.140s: a journal in another version's format: rerun "
			 "it with the understudy that wrote it (capinfos says "
			 "which)",
			 path);
	else if (r != 0)
		names_error(err, path, r);
	return r;
}

int journal_read_fd(struct journal_reader **out, int fd, char *err)
{
	return open_error(err, "journal", reader_new(out, fd, -1));
}

int journal_read_open(struct journal_reader **out, const char *path, char *err)
{
	const char *base;
	int fd, folder;

	if (strcmp(path, "-") == 0) {
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return names_error(err, "standard input", -errno);
		return open_error(err, "standard input",
				  reader_new(out, fd, -1));
	}
	folder = folder_open(path, &base);
	if (folder < 0)
		return names_error(err, path, folder);
	fd = openat(folder, base, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fd = -errno;
		close(folder);
		return names_error(err, path, fd);
	}
	return open_error(err, path, reader_new(out, fd, folder));
}

const struct journal_header *journal_read_header(const struct journal_reader *r)
{
	return &r->header;
}

void journal_read_status(const struct journal_reader *r,
			 struct journal_status *out)
{
	*out = r->status;
}

void journal_read_close(struct journal_reader *r)
{
	close(r->fd);
	if (r->folder >= 0)
		close(r->folder);
	free(r);
}
