/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * write.c - The journal's writer
 *
 * Theory of operation
 *
 * The packet thread copies a record into a ring and goes on. The thread behind
 * the ring makes pcapng of it in a buffer and writes the buffer when it is
 * FLUSH_AT full or the ring is empty. All of struct journal behind @drain is
 * the thread's, but for the atomic sums.
 *
 * Losses. A record takes its number before it is known whether the ring has
 * room, so every loss leaves a hole in the numbers. When a write fails, a file
 * is cut back to where the buffer began: it always ends with a whole record,
 * and the records of the buffer are lost. The next buffer is tried again; a
 * disk that has room again is used again. What is not a regular file cannot be
 * cut back: after a failed write nothing more is written to it. At the end a
 * pipe's reader has its time (outlet.h); what it has not taken by then is lost.
 *
 * Rotation. A file ends with the name of the next one, so the next one is made
 * first. If that fails the old one goes on growing. The prologue (section,
 * interfaces, header) is written before a file's first buffer; if the disk is
 * full just then, it is owed, and written before the next one.
 *
 * More than 600 lines: all of it is the state of one writer.
 */
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/block_internal.h"
#include "journal/names_internal.h"
#include "os/drain.h"
#include "os/folder.h"
#include "os/outlet.h"
#include "wire/pcap.h"

#define FLUSH_AT      (256u * 1024)
#define ITEM_OVERHEAD 4096u /* of pcapng around a frame, and its comment */
/* Less than FLUSH_AT is in the buffer when a record comes. */
#define BUF_SIZE      (FLUSH_AT + FRAME_MAX + ITEM_OVERHEAD)
#define PROLOGUE_SIZE (BLOCK_MAX + 4096u)
#define NUMBER_DIGITS 20u
#define RECORD_MORE   128u /* by which a record may be longer in a file */
#define EPB_OUTBOUND  2u   /* epb_flags, bits 0 and 1 */

/* What lies in the ring: this, the comment, the frame's bytes. */
struct item {
	struct block b;
	uint64_t ts;
	uint32_t iface;
	uint32_t cap;
	uint32_t wire;
	uint32_t comment_len;
};

struct journal {
	/* The packet thread's. */
	_Atomic uint64_t number; /* of the next record */
	_Atomic uint64_t lost_ring;
	bool only_client;
	struct drain *drain;

	/* The writer's. */
	struct journal_header header;
	uint64_t rotate_bytes;
	uint64_t rotate_ns;
	uint32_t keep;
	char *base;	     /* name of the first file; NULL: standard output */
	uint64_t *made;	     /* numbers of the newest @keep files */
	struct maker *maker; /* NULL: this process makes the files */
	int folder;
	int fd;
	struct outlet outlet; /* to @fd */
	bool can_cut;
	bool dead;
	bool owes_prologue;
	bool asked;	     /* another file, by journal_rotate() */
	uint64_t tried;	     /* highest number that a file was to have */
	uint64_t file;	     /* number of the open one */
	uint64_t file_good;  /* its bytes that are whole records */
	uint64_t file_from;  /* where its bytes began to count for rotation */
	uint64_t file_count; /* its records since then, buffered included */
	uint64_t file_since; /* now of the first of them */
	uint64_t file_first; /* number of its first record */
	uint8_t *buf;
	size_t used;
	uint64_t buffered; /* records in @buf */
	uint8_t *prologue;
	char *text; /* the header's strings */
	bool sums_written;
	uint64_t frames; /* handed on; the packet thread's */

	/* Sums, read by any thread. */
	_Atomic uint64_t written;
	_Atomic uint64_t lost_disk;
	_Atomic uint64_t bytes;
	_Atomic uint64_t files;
	_Atomic uint64_t rotate_failed;
	_Atomic int error;
};

static void add(_Atomic uint64_t *sum, uint64_t n)
{
	atomic_fetch_add_explicit(sum, n, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *sum)
{
	return atomic_load_explicit(sum, memory_order_relaxed);
}

/* ---- the packet thread ---- */

static uint8_t *item_begin(struct journal *j, struct item *it, size_t extra)
{
	uint8_t *p = NULL;

	it->b.number = get(&j->number);
	atomic_store_explicit(&j->number, it->b.number + 1,
			      memory_order_relaxed);
	if (extra <= FRAME_MAX + JOURNAL_COMMENT_MAX)
		p = spsc_reserve(drain_ring(j->drain),
				 (uint32_t)(sizeof(*it) + extra));
	if (!p) {
		add(&j->lost_ring, 1);
		return NULL;
	}
	memcpy(p, it, sizeof(*it));
	return p + sizeof(*it);
}

void journal_frame(struct journal *j, const struct journal_frame *f)
{
	struct item it = {
		.b = { .kind = BLOCK_FRAME,
		       .flags = (uint8_t)((f->csum_ok ? BLOCK_CSUM_OK : 0) |
					  (f->trusted ? BLOCK_TRUSTED : 0)),
		       .aux = f->gso,
		       .now = f->now,
		       .a = f->sut },
		.ts = f->ts,
		.iface = f->iface,
		.cap = f->cap + f->more_len,
		.wire = f->wire,
	};
	uint8_t *p;

	if (j->only_client && f->iface != JOURNAL_CLIENT)
		return;
	if (f->comment)
		it.comment_len =
			(uint32_t)strnlen(f->comment, JOURNAL_COMMENT_MAX);
	p = item_begin(j, &it, (size_t)f->cap + f->more_len + it.comment_len);
	if (!p)
		return;
	if (it.comment_len > 0)
		memcpy(p, f->comment, it.comment_len);
	p += it.comment_len;
	if (f->cap > 0)
		memcpy(p, f->data, f->cap);
	if (f->more_len > 0)
		memcpy(p + f->cap, f->more, f->more_len);
	spsc_commit(drain_ring(j->drain));
	j->frames++;
}

uint64_t journal_next_frame(const struct journal *j)
{
	return j->frames + 1;
}

static void put_block(struct journal *j, struct block b)
{
	struct item it = { .b = b };

	if (!j->only_client && item_begin(j, &it, 0))
		spsc_commit(drain_ring(j->drain));
}

void journal_timeout(struct journal *j, uint64_t now)
{
	put_block(j, (struct block){ .kind = BLOCK_TIMEOUT, .now = now });
}

void journal_unsent(struct journal *j, uint64_t effect, uint64_t now)
{
	put_block(j, (struct block){
			     .kind = BLOCK_UNSENT, .now = now, .a = effect });
}

void journal_left(struct journal *j, uint64_t effect, uint64_t stamp,
		  uint64_t now)
{
	put_block(j, (struct block){ .kind = BLOCK_LEFT,
				     .now = now,
				     .a = effect,
				     .b = stamp });
}

void journal_clock(struct journal *j, int64_t step, uint64_t now)
{
	put_block(j, (struct block){ .kind = BLOCK_CLOCK,
				     .now = now,
				     .a = (uint64_t)step });
}

void journal_refused(struct journal *j, uint64_t flow, uint32_t index,
		     uint64_t now)
{
	put_block(j, (struct block){ .kind = BLOCK_REFUSED,
				     .now = now,
				     .a = flow,
				     .b = index });
}

void journal_note(struct journal *j, unsigned note, uint64_t value,
		  uint64_t now)
{
	put_block(j, (struct block){ .kind = BLOCK_NOTE,
				     .aux = (uint16_t)note,
				     .now = now,
				     .a = value });
}

void journal_rotate(struct journal *j)
{
	drain_ask(j->drain);
}

void journal_stats(const struct journal *j, struct journal_stats *out)
{
	*out = (struct journal_stats){
		.records = get(&j->number),
		.written = get(&j->written),
		.lost_ring = get(&j->lost_ring),
		.lost_disk = get(&j->lost_disk),
		.bytes = get(&j->bytes),
		.files = get(&j->files),
		.rotate_failed = get(&j->rotate_failed),
		.error = atomic_load(&j->error),
	};
}

/* ---- files ---- */

static void file_name(const struct journal *j, uint64_t number, char *name)
{
	if (number == 0)
		snprintf(name, BLOCK_NAME + 1, "%s", j->base);
	else
		snprintf(name, BLOCK_NAME + 1, "%s%llu", j->base,
			 (unsigned long long)number);
}

static int file_make(const struct journal *j, uint64_t number)
{
	char name[BLOCK_NAME + 1];

	if (j->maker)
		return maker_make(j->maker, number);
	file_name(j, number, name);
	return folder_make(j->folder, name);
}

static void file_remove(const struct journal *j, uint64_t number)
{
	char name[BLOCK_NAME + 1];

	if (j->maker) {
		(void)maker_remove(j->maker, number);
		return;
	}
	file_name(j, number, name);
	unlinkat(j->folder, name, 0);
}

/* Write whole blocks or nothing. */
static int file_append(struct journal *j, const uint8_t *p, size_t len)
{
	size_t done;
	int r;

	if (j->dead)
		return -EPIPE;
	r = outlet_write(&j->outlet, j->drain, p, len, &done);
	if (r == 0) {
		j->file_good += len;
		add(&j->bytes, len);
		return 0;
	}
	atomic_store(&j->error, r);
	if (!j->can_cut || ftruncate(j->fd, (off_t)j->file_good) != 0 ||
	    lseek(j->fd, (off_t)j->file_good, SEEK_SET) < 0)
		j->dead = true;
	return r;
}

static int write_prologue(struct journal *j)
{
	struct block b = {
		.kind = BLOCK_HEADER,
		.flags = j->header.only_client ? BLOCK_ONLY_CLIENT : 0,
		.number = j->file_first,
		.a = j->file,
		.b = j->header.started,
	};
	char appl[JOURNAL_VERSION_MAX + 16];
	uint8_t *block = j->prologue + PROLOGUE_SIZE;
	uint32_t len;
	size_t n;
	int r;

	snprintf(appl, sizeof(appl), "understudy %s", j->header.version);
	n = pcapng_write_shb(j->prologue, PROLOGUE_SIZE, appl, NULL, 0);
	for (unsigned i = 0; i < JOURNAL_IFACES; i++)
		n += pcapng_write_idb(j->prologue + n, PROLOGUE_SIZE - n,
				      j->header.link[i], FRAME_MAX,
				      names_iface(i));
	len = block_put_header(block, &b, &j->header);
	n += pcapng_write_custom(j->prologue + n, PROLOGUE_SIZE - n, BLOCK_PEN,
				 block, len);
	r = file_append(j, j->prologue, n);
	j->owes_prologue = r != 0;
	return r;
}

static int flush(struct journal *j)
{
	int r = 0;

	if (j->used == 0)
		return 0;
	if (j->owes_prologue)
		r = write_prologue(j);
	if (r == 0)
		r = file_append(j, j->buf, j->used);
	add(r == 0 ? &j->written : &j->lost_disk, j->buffered);
	j->used = 0;
	j->buffered = 0;
	return r;
}

static void remember_file(struct journal *j)
{
	uint64_t n = get(&j->files);

	if (j->keep > 0) {
		if (n >= j->keep)
			file_remove(j, j->made[n % j->keep]);
		j->made[n % j->keep] = j->file;
	}
	add(&j->files, 1);
}

static void start_file(struct journal *j, int fd, uint64_t number)
{
	j->fd = fd;
	j->outlet.fd = fd;
	j->file = number;
	j->file_good = 0;
	j->file_count = 0;
	j->file_from = 0;
	j->dead = false;
	j->owes_prologue = true;
	remember_file(j);
}

static void rotate(struct journal *j, uint64_t next_number)
{
	struct block b = { .kind = BLOCK_NEXT, .number = next_number };
	uint8_t block[BLOCK_LEN + 2 + BLOCK_NAME];
	char name[BLOCK_NAME + 1];
	uint64_t number = ++j->tried;
	int fd = file_make(j, number);

	j->asked = false;
	if (fd < 0) {
		/* Not again for the very next record: bytes and time count
		 * from here, and the next attempt has another name.
		 */
		atomic_store(&j->error, fd);
		add(&j->rotate_failed, 1);
		j->file_count = 0;
		j->file_from = j->file_good + j->used;
		return;
	}
	file_name(j, number, name);
	flush(j);
	j->used = pcapng_write_custom(j->buf, BUF_SIZE, BLOCK_PEN, block,
				      block_put_next(block, &b, name));
	flush(j);
	close(j->fd);
	j->file_first = next_number;
	start_file(j, fd, number);
	write_prologue(j);
}

/* ---- the writer's thread ---- */

static bool rotation_due(const struct journal *j, const struct item *it,
			 size_t len)
{
	if (!j->base || j->file_count == 0)
		return false;
	if (j->asked)
		return true;
	if (j->rotate_bytes > 0 &&
	    j->file_good + j->used - j->file_from + len + RECORD_MORE >
		    j->rotate_bytes)
		return true;
	return j->rotate_ns > 0 && it->b.now - j->file_since >= j->rotate_ns;
}

static size_t encode(uint8_t *out, size_t size, const struct item *it,
		     const uint8_t *p)
{
	uint8_t block[BLOCK_LEN];
	char comment[BLOCK_COMMENT];
	size_t len;

	if (it->b.kind == BLOCK_FRAME) {
		len = block_put_comment(comment, &it->b, p, it->comment_len);
		return pcapng_write_epb(
			out, size, it->iface, it->ts, p + it->comment_len,
			it->cap, it->wire,
			it->iface == JOURNAL_EMITTED ? EPB_OUTBOUND : 0,
			comment, len);
	}
	block_put(block, &it->b);
	return pcapng_write_custom(out, size, BLOCK_PEN, block, BLOCK_LEN);
}

static void on_record(void *ctx, const uint8_t *p, uint32_t len)
{
	struct journal *j = ctx;
	struct item it;

	memcpy(&it, p, sizeof(it));
	if (rotation_due(j, &it, len))
		rotate(j, it.b.number);
	if (j->file_count++ == 0)
		j->file_since = it.b.now;
	j->used += encode(j->buf + j->used, BUF_SIZE - j->used, &it,
			  p + sizeof(it));
	j->buffered++;
	if (j->used >= FLUSH_AT)
		flush(j);
}

static void on_idle(void *ctx)
{
	flush(ctx);
}

static void on_asked(void *ctx)
{
	struct journal *j = ctx;

	j->asked = j->file_count > 0;
}

static void on_done(void *ctx)
{
	struct journal *j = ctx;
	uint8_t block[BLOCK_LEN];
	struct block b = { .kind = BLOCK_END, .number = get(&j->number) };

	flush(j);
	b.a = get(&j->lost_ring) + get(&j->lost_disk);
	block_put(block, &b);
	j->used = pcapng_write_custom(j->buf, BUF_SIZE, BLOCK_PEN, block,
				      BLOCK_LEN);
	j->sums_written = flush(j) == 0;
}

/* ---- open and close ---- */

static int check_opts(const struct journal_opts *o,
		      const struct journal_header *h, char *err)
{
	const char *name = strrchr(o->path, '/');

	if (strlen(h->version) > JOURNAL_VERSION_MAX ||
	    strlen(h->options) > JOURNAL_OPTIONS_MAX)
		return names_error(err, "journal header", -E2BIG);
	name = name ? name + 1 : o->path;
	if (strlen(name) > BLOCK_NAME - NUMBER_DIGITS)
		return names_error(err, o->path, -ENAMETOOLONG);
	if (o->rotate_secs > UINT64_MAX / NS_PER_SEC)
		return names_error(err, "journal rotation", -ERANGE);
	return 0;
}

static int copy_opts(struct journal *j, const struct journal_opts *o,
		     const struct journal_header *h)
{
	size_t version = strlen(h->version) + 1;
	size_t options = strlen(h->options) + 1;

	j->maker = o->maker;
	j->only_client = o->only_client;
	j->rotate_bytes = o->rotate_bytes;
	j->rotate_ns = o->rotate_secs * NS_PER_SEC;
	j->keep = o->files;
	j->buf = malloc(BUF_SIZE);
	j->prologue = malloc(PROLOGUE_SIZE + BLOCK_MAX);
	j->text = malloc(version + options);
	if (j->keep > 0)
		j->made = calloc(j->keep, sizeof(*j->made));
	if (!j->buf || !j->prologue || !j->text || (j->keep > 0 && !j->made))
		return -ENOMEM;
	memcpy(j->text, h->version, version);
	memcpy(j->text + version, h->options, options);
	j->header = *h;
	j->header.version = j->text;
	j->header.options = j->text + version;
	j->header.only_client = o->only_client;
	return 0;
}

static int open_first(struct journal *j, const char *path)
{
	const char *base;
	struct stat st;
	int fd;

	if (strcmp(path, "-") == 0) {
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return -errno;
	} else {
		j->folder = folder_open(path, &base);
		/* The maker's folder need not be open to this process. */
		if (j->folder < 0 && !j->maker)
			return j->folder;
		j->base = strdup(base);
		if (!j->base)
			return -ENOMEM;
		fd = file_make(j, 0);
		if (fd < 0) {
			/* Not ours: must not be removed. */
			free(j->base);
			j->base = NULL;
			return fd;
		}
	}
	outlet_init(&j->outlet, fd);
	j->can_cut = j->base && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	start_file(j, fd, 0);
	return write_prologue(j);
}

static void journal_free(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	if (j->folder >= 0)
		close(j->folder);
	free(j->base);
	free(j->made);
	free(j->buf);
	free(j->prologue);
	free(j->text);
	free(j);
}

int journal_open(struct journal **out, const struct journal_opts *o,
		 const struct journal_header *h, char *err)
{
	static const struct drain_ops ops = { .record = on_record,
					      .idle = on_idle,
					      .asked = on_asked,
					      .done = on_done };
	struct journal *j;
	int r = check_opts(o, h, err);

	if (r != 0)
		return r;
	j = calloc(1, sizeof(*j));
	if (!j)
		return names_error(err, o->path, -ENOMEM);
	j->fd = -1;
	j->folder = -1;
	r = copy_opts(j, o, h);
	if (r == 0)
		r = open_first(j, o->path);
	if (r == 0)
		r = drain_start(&j->drain, o->ring_bytes, &ops, j);
	if (r != 0) {
		if (j->base)
			file_remove(j, 0);
		journal_free(j);
		return names_error(err, o->path, r);
	}
	*out = j;
	return 0;
}

int journal_close(struct journal *j, struct journal_stats *out)
{
	struct journal_stats s;
	bool sums;

	drain_stop(j->drain);
	journal_stats(j, &s);
	sums = j->sums_written;
	journal_free(j);
	if (out)
		*out = s;
	return sums && s.lost_ring == 0 && s.lost_disk == 0 ? 0 : -EIO;
}
