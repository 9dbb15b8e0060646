/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_journal.c - Unit test of journal: what is written is read
 *
 * Records are made from their number by one function, which the reading side
 * calls again: a record that is lost, changed or out of order is seen.
 */
#include "journal/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "core/rng.h"
#include "wire/decode.h"

#define RING  (8u << 20)
#define START UINT64_C(1700000000123456789)

static char folder[] = "/tmp/test_journal.XXXXXX";
static char options[3000]; /* long ones, so that offsets cannot be off */

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static struct journal_header sample_header(void)
{
	return (struct journal_header){
		.version = "1.2.3",
		.options = options,
		.limits = { 65536, (size_t)5 << 32, 1 << 20, 1024 },
		.key = { { UINT64_C(0x0123456789abcdef), 42 } },
		.seed = UINT64_C(0xfedcba9876543210),
		.started = START,
		.begun = 12345678901,
		.mac = { 2, 0, 0, 0xfe, 0, 0xff },
		.link = { LINK_ETHERNET, LINK_ETHERNET, LINK_ETHERNET,
			  LINK_ETHERNET, LINK_RAW },
	};
}

static uint8_t frame_bytes[FRAME_MAX];

/* Record number @n of the sample run. */
static struct journal_record sample_record(uint64_t n)
{
	struct rng rng = { n };
	struct journal_record r = { .now = n * 1000000 };
	unsigned kind = rng_below(&rng, 10);

	r.kind = kind < 4 ? JOURNAL_FRAME : (enum journal_kind)(kind - 3);
	switch (r.kind) {
	case JOURNAL_FRAME:
		r.frame.iface = (enum journal_iface)rng_below(&rng, 5);
		r.frame.sut = (uint8_t)rng_below(&rng, 256);
		r.frame.csum_ok = rng_below(&rng, 2) == 1;
		r.frame.trusted = rng_below(&rng, 2) == 1;
		r.frame.gso = (uint16_t)rng_next(&rng);
		r.frame.now = r.now;
		r.frame.ts = START + n;
		r.frame.cap = rng_below(&rng, 1600);
		r.frame.wire = r.frame.cap + rng_below(&rng, 3);
		r.frame.data = frame_bytes + rng_below(&rng, 1000);
		break;
	case JOURNAL_TIMEOUT:
		break;
	case JOURNAL_UNSENT:
		r.effect = rng_next(&rng);
		break;
	case JOURNAL_REFUSED:
		r.flow = rng_next(&rng);
		r.index = (uint32_t)rng_next(&rng);
		break;
	case JOURNAL_LEFT:
		r.effect = rng_next(&rng);
		r.stamp = rng_next(&rng);
		break;
	case JOURNAL_CLOCK:
		r.step = (int64_t)rng_next(&rng);
		break;
	case JOURNAL_NOTE:
		r.note = rng_below(&rng, 65536);
		r.value = rng_next(&rng);
		break;
	}
	return r;
}

static void put_record(struct journal *j, uint64_t n)
{
	struct journal_record r = sample_record(n);

	switch (r.kind) {
	case JOURNAL_FRAME:
		/* In two pieces, and with a comment, now and then. */
		if (n % 3 == 0) {
			r.frame.more_len = r.frame.cap / 3;
			r.frame.cap -= r.frame.more_len;
			r.frame.more = r.frame.data + r.frame.cap;
		}
		r.frame.comment = n % 5 == 0 ? "data-again" : NULL;
		journal_frame(j, &r.frame);
		break;
	case JOURNAL_TIMEOUT:
		journal_timeout(j, r.now);
		break;
	case JOURNAL_UNSENT:
		journal_unsent(j, r.effect, r.now);
		break;
	case JOURNAL_REFUSED:
		journal_refused(j, r.flow, r.index, r.now);
		break;
	case JOURNAL_LEFT:
		journal_left(j, r.effect, r.stamp, r.now);
		break;
	case JOURNAL_CLOCK:
		journal_clock(j, r.step, r.now);
		break;
	case JOURNAL_NOTE:
		journal_note(j, r.note, r.value, r.now);
		break;
	}
}

static bool same_record(const struct journal_record *a,
			const struct journal_record *b)
{
	const struct journal_frame *f = &a->frame, *g = &b->frame;

	return a->kind == b->kind && a->now == b->now && a->flow == b->flow &&
	       a->effect == b->effect && a->stamp == b->stamp &&
	       a->step == b->step && a->index == b->index &&
	       a->note == b->note && a->value == b->value &&
	       f->iface == g->iface && f->sut == g->sut &&
	       f->csum_ok == g->csum_ok && f->trusted == g->trusted &&
	       f->gso == g->gso && f->now == g->now && f->ts == g->ts &&
	       f->wire == g->wire && f->cap == g->cap &&
	       (f->cap == 0 || memcmp(f->data, g->data, f->cap) == 0);
}

static struct journal *open_new(const char *path, struct journal_opts o)
{
	struct journal_header h = sample_header();
	char err[JOURNAL_ERR] = "";
	struct journal *j = NULL;

	o.path = path;
	if (o.ring_bytes == 0)
		o.ring_bytes = RING;
	CHECK_ROW(journal_open(&j, &o, &h, err) == 0, err);
	return j;
}

static void write_whole(const char *path, struct journal_opts o, uint64_t n)
{
	struct journal *j = open_new(path, o);
	struct journal_stats s;

	for (uint64_t i = 0; i < n; i++)
		put_record(j, i);
	CHECK(journal_close(j, &s) == 0);
	CHECK(s.records == n && s.written == n && s.error == 0);
	CHECK(s.lost_ring == 0 && s.lost_disk == 0);
}

/*
 * Read all; every record must be the one of its time. Return: records read.
 * Status in @st, last return value in @last.
 */
static uint64_t read_all(struct journal_reader *r, struct journal_status *st,
			 int *last)
{
	struct journal_record rec, want;
	uint64_t n = 0;

	while ((*last = journal_read_next(r, &rec)) == 1) {
		want = sample_record(rec.now / 1000000);
		CHECK(same_record(&rec, &want));
		n++;
	}
	CHECK(journal_read_next(r, &rec) == *last);
	journal_read_status(r, st);
	CHECK(st->records == n);
	CHECK(st->whole == (*last == 0 && st->why == NULL));
	return n;
}

static uint64_t read_path(const char *path, struct journal_status *st)
{
	struct journal_reader *r = NULL;
	char err[JOURNAL_ERR] = "";
	uint64_t n;
	int last;

	CHECK_ROW(journal_read_open(&r, path, err) == 0, err);
	if (!r)
		return 0;
	n = read_all(r, st, &last);
	CHECK(last == 0);
	journal_read_close(r);
	return n;
}

static void test_round_trip(void)
{
	const char *path = path_of("round");
	struct journal_header want = sample_header();
	const struct journal_header *h;
	struct journal_reader *r = NULL;
	struct journal_status st;
	char err[JOURNAL_ERR];
	struct stat file;
	int last;

	write_whole(path, (struct journal_opts){ 0 }, 10000);
	CHECK(stat(path, &file) == 0 && (file.st_mode & 07777) == 0600);
	CHECK(journal_read_open(&r, path, err) == 0);
	CHECK(read_all(r, &st, &last) == 10000);
	CHECK(last == 0 && st.whole && st.lost == 0 && st.why == NULL);
	h = journal_read_header(r);
	CHECK(strcmp(h->version, want.version) == 0);
	CHECK(strcmp(h->options, want.options) == 0);
	CHECK(h->limits.flows == want.limits.flows);
	CHECK(h->limits.pool == want.limits.pool);
	CHECK(h->limits.flow_share == want.limits.flow_share);
	CHECK(h->limits.frags == want.limits.frags);
	CHECK(memcmp(&h->key, &want.key, sizeof(want.key)) == 0);
	CHECK(h->seed == want.seed && h->started == want.started);
	CHECK(h->begun == want.begun && memcmp(h->mac, want.mac, 6) == 0);
	CHECK(memcmp(h->link, want.link, sizeof(want.link)) == 0);
	CHECK(!h->only_client);
	journal_read_close(r);
	unlink(path);
}

static void test_longest_frame(void)
{
	const char *path = path_of("longest");
	struct journal *j = open_new(path, (struct journal_opts){ 0 });
	struct journal_frame f = { .data = frame_bytes,
				   .cap = FRAME_MAX,
				   .wire = FRAME_MAX };
	struct journal_reader *r = NULL;
	struct journal_record rec;
	struct journal_stats s;
	char err[JOURNAL_ERR];

	journal_frame(j, &f);
	f.more = frame_bytes;
	f.more_len = 256 * 1024;
	journal_frame(j, &f); /* longer than any: lost */
	CHECK(journal_close(j, &s) == -EIO);
	CHECK(s.records == 2 && s.written == 1 && s.lost_ring == 1);
	CHECK(journal_read_open(&r, path, err) == 0);
	CHECK(journal_read_next(r, &rec) == 1);
	CHECK(rec.frame.cap == FRAME_MAX &&
	      memcmp(rec.frame.data, frame_bytes, FRAME_MAX) == 0);
	journal_read_close(r);
	unlink(path);
}

static void test_open_refuses(void)
{
	const char *path = path_of("there");
	struct journal_header h = sample_header();
	struct journal_opts o = { .path = path, .ring_bytes = RING };
	struct journal *j = NULL;
	char err[JOURNAL_ERR], longer[300];
	struct stat st;
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	CHECK(write(fd, "x", 1) == 1);
	close(fd);
	CHECK(journal_open(&j, &o, &h, err) == -EEXIST);
	CHECK(strstr(err, path) != NULL);
	CHECK(stat(path, &st) == 0 && st.st_size == 1);
	CHECK(unlink(path) == 0 && symlink("elsewhere", path) == 0);
	CHECK(journal_open(&j, &o, &h, err) == -EEXIST);
	unlink(path);
	o.ring_bytes = SIZE_MAX;
	CHECK(journal_open(&j, &o, &h, err) == -EINVAL);
	CHECK(lstat(path, &st) != 0); /* nothing is left behind */
	memset(longer, 'n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	h.version = longer;
	o.ring_bytes = RING;
	CHECK(journal_open(&j, &o, &h, err) == -E2BIG);
	h.version = "1";
	o.path = longer;
	CHECK(journal_open(&j, &o, &h, err) == -ENAMETOOLONG);
	o.path = path_of("none/there");
	CHECK(journal_open(&j, &o, &h, err) == -ENOENT);
	CHECK(j == NULL);
}

static void test_only_client(void)
{
	const char *path = path_of("client");
	struct journal_status st;
	uint64_t clients = 0;
	struct journal *j =
		open_new(path, (struct journal_opts){ .only_client = true });

	for (uint64_t i = 0; i < 1000; i++) {
		struct journal_record r = sample_record(i);

		clients += r.kind == JOURNAL_FRAME &&
			   r.frame.iface == JOURNAL_CLIENT;
		put_record(j, i);
	}
	CHECK(journal_close(j, NULL) == 0);
	CHECK(read_path(path, &st) == clients && clients > 50);
	CHECK(!st.whole && st.lost == 0 && strstr(st.why, "clients") != NULL);
	unlink(path);
}

static unsigned count_files(void)
{
	DIR *d = opendir(folder);
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void remove_files(void)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while ((e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

static void test_rotate_bytes(void)
{
	char path[128], last[160], err[JOURNAL_ERR];
	struct journal_reader *r = NULL;
	struct journal_status st;
	struct stat file;
	unsigned files;
	int n;

	strcpy(path, path_of("rot"));
	write_whole(path, (struct journal_opts){ .rotate_bytes = 100000 },
		    5000);
	files = count_files();
	CHECK(files > 15);
	for (unsigned i = 1; i < files; i++) {
		snprintf(last, sizeof(last), "%s%u", path, i);
		CHECK(stat(last, &file) == 0);
		CHECK(file.st_size > 50000 || i == files - 1);
		CHECK(file.st_size <= 100000 + 512);
	}
	CHECK(read_path(path, &st) == 5000 && st.whole);

	/* From the middle on: the beginning is missing. */
	CHECK(read_path(path_of("rot7"), &st) < 5000);
	CHECK(!st.whole && st.lost > 0 && strstr(st.why, "beginning"));

	/* A file in the middle is missing. */
	CHECK(unlink(path_of("rot7")) == 0);
	CHECK(read_path(path, &st) < 5000);
	CHECK(!st.whole && strstr(st.why, "follows") != NULL);

	/* The last one in its place: it is of this run, but of its end. */
	CHECK(rename(last, path_of("rot7")) == 0);
	CHECK(read_path(path, &st) < 5000);
	CHECK(!st.whole && strstr(st.why, "lost") != NULL);

	/* An earlier one in its place: there is no way back. */
	snprintf(last, sizeof(last), "%s3", path);
	CHECK(rename(last, path_of("rot7")) == 0);
	CHECK(journal_read_open(&r, path_of("rot4"), err) == 0);
	read_all(r, &st, &n);
	CHECK(n == -EBADMSG && !st.whole);
	journal_read_close(r);
	remove_files();
}

static void test_rotate_keeps_newest(void)
{
	struct journal_status st;

	write_whole(path_of("keep"),
		    (struct journal_opts){ .rotate_secs = 1, .files = 3 },
		    9500);
	/* A record a millisecond: 10 files, of which 3 are kept. */
	CHECK(count_files() == 3);
	CHECK(access(path_of("keep6"), F_OK) != 0);
	CHECK(read_path(path_of("keep7"), &st) == 2500);
	CHECK(!st.whole && st.lost == 7000);
	remove_files();
}

/* A name that is taken: the old file goes on, and nothing is lost. */
/* Asked for, without limits: the next record begins a file. */
static void test_rotate_asked(void)
{
	struct journal *j =
		open_new(path_of("asked"), (struct journal_opts){ 0 });
	static const struct timespec nap = { .tv_nsec = 20000000 };
	struct journal_status st;
	struct journal_stats s;
	uint64_t n = 0;

	journal_rotate(j); /* nothing is in it: one before the first is none */
	nanosleep(&nap, NULL);
	for (uint64_t file = 1; file < 4; file++) {
		for (int i = 0; i < 10; i++)
			put_record(j, n++);
		journal_rotate(j);
		do {
			put_record(j, n++);
			nanosleep(&nap, NULL);
			journal_stats(j, &s);
		} while (s.files <= file && n < 1000);
		CHECK(s.files == file + 1);
	}
	CHECK(journal_close(j, &s) == 0 && s.rotate_failed == 0);
	CHECK(read_path(path_of("asked"), &st) == n && st.whole);
	remove_files();
}

static void test_rotate_fails(void)
{
	struct journal *j = open_new(path_of("taken"),
				     (struct journal_opts){ .rotate_secs = 1 });
	int fd = open(path_of("taken1"), O_CREAT | O_WRONLY, 0600);
	struct journal_status st;
	struct journal_stats s;

	close(fd);
	for (uint64_t i = 0; i < 3500; i++)
		put_record(j, i);
	CHECK(journal_close(j, &s) == 0);
	CHECK(s.rotate_failed == 1 && s.files == 3 && s.error == -EEXIST);
	CHECK(read_path(path_of("taken"), &st) == 3500 && st.whole);
	remove_files();
}

/* By bytes: the next attempt comes after as many bytes again. */
static void test_rotate_fails_by_bytes(void)
{
	struct journal *j =
		open_new(path_of("taken"),
			 (struct journal_opts){ .rotate_bytes = 100000 });
	int fd = open(path_of("taken1"), O_CREAT | O_WRONLY, 0600);
	struct journal_status st;
	struct journal_stats s;
	struct stat file;

	close(fd);
	for (uint64_t i = 0; i < 2000; i++)
		put_record(j, i);
	CHECK(journal_close(j, &s) == 0 && s.rotate_failed == 1);
	CHECK(stat(path_of("taken"), &file) == 0);
	CHECK(file.st_size > 150000 && file.st_size < 210000);
	CHECK(read_path(path_of("taken"), &st) == 2000 && st.whole);
	remove_files();
}

/* The disk is full just when a file begins: its header is owed. */
static void test_rotate_on_full_disk(void)
{
	static const struct timespec a_while = { .tv_nsec = 60000000 };
	struct journal *j = open_new(path_of("owed"),
				     (struct journal_opts){ .rotate_secs = 1 });
	struct rlimit was, small;
	struct journal_status st;
	struct journal_stats s;

	CHECK(getrlimit(RLIMIT_FSIZE, &was) == 0);
	small = was;
	small.rlim_cur = 1000;
	for (uint64_t i = 0; i < 1900; i++) {
		if (i == 500 || i == 1500)
			nanosleep(&a_while, NULL);
		if (i == 500)
			CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
		if (i == 1500)
			CHECK(setrlimit(RLIMIT_FSIZE, &was) == 0);
		put_record(j, i);
	}
	CHECK(journal_close(j, &s) == -EIO && s.files == 2);
	CHECK(s.written >= 900 && s.written + s.lost_disk == 1900);
	CHECK(read_path(path_of("owed"), &st) == 500 && !st.whole);
	CHECK(read_path(path_of("owed1"), &st) == s.written - 500);
	CHECK(!st.whole && st.lost == 1900 - (s.written - 500));
	remove_files();
}

/* Cut at every byte: never whole, never a wrong record. */
static void test_cut_anywhere(void)
{
	const char *path = path_of("cut");
	struct journal_reader *r = NULL;
	struct journal_status st;
	char err[JOURNAL_ERR];
	uint8_t *file;
	size_t size, opened = 0;
	uint64_t n, before = 0;
	int fd, last;

	write_whole(path, (struct journal_opts){ 0 }, 12);
	fd = open(path, O_RDONLY);
	size = (size_t)lseek(fd, 0, SEEK_END);
	file = malloc(size);
	CHECK(pread(fd, file, size, 0) == (ssize_t)size);
	close(fd);
	for (size_t len = 0; len <= size; len++) {
		fd = memfd_create("cut", 0);
		CHECK(write(fd, file, len) == (ssize_t)len);
		lseek(fd, 0, SEEK_SET);
		last = journal_read_fd(&r, fd, err);
		if (last != 0) {
			CHECK(last == -EBADMSG && opened == 0);
			continue;
		}
		opened++;
		n = read_all(r, &st, &last);
		CHECK(last == 0);
		CHECK(n == before || n == before + 1);
		CHECK(st.whole == (len == size));
		CHECK(len == size || strstr(st.why, "cut") != NULL);
		before = n;
		journal_read_close(r);
	}
	CHECK(before == 12 && opened > 1000);
	free(file);
	unlink(path);
}

/* One wrong byte anywhere: an error or another record, and no more than that. */
static void test_one_wrong_byte(void)
{
	const char *path = path_of("wrong");
	struct journal_reader *r = NULL;
	struct journal_record rec;
	char err[JOURNAL_ERR];
	unsigned refused = 0;
	size_t size;
	uint8_t b;
	int fd, mem;

	write_whole(path, (struct journal_opts){ 0 }, 5);
	fd = open(path, O_RDONLY);
	size = (size_t)lseek(fd, 0, SEEK_END);
	for (size_t at = 0; at < size; at++) {
		mem = memfd_create("wrong", 0);
		lseek(fd, 0, SEEK_SET);
		CHECK(sendfile(mem, fd, NULL, size) == (ssize_t)size);
		CHECK(pread(mem, &b, 1, (off_t)at) == 1);
		b ^= 0x41;
		CHECK(pwrite(mem, &b, 1, (off_t)at) == 1);
		lseek(mem, 0, SEEK_SET);
		if (journal_read_fd(&r, mem, err) != 0) {
			refused++;
			continue;
		}
		for (int n = 0; journal_read_next(r, &rec) == 1; n++)
			CHECK(n < 5);
		journal_read_close(r);
	}
	CHECK(refused > 50);
	close(fd);
	unlink(path);
}

/*
 * One place of a whole journal, changed on purpose: @what is looked for from the
 * file's end, and the byte @at behind it becomes @byte. @opened and @last are
 * what the reader says; @whole is never true.
 */
static void test_changed_places(void)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t byte;
		int opened;
		int last;
		const char *why;
	} row[] = {
		{ "USJ2", 3, '1', 0, -ENOTSUP, "broken" },
		{ "USJ2", 15, 4, 0, -EBADMSG, "broken" }, /* number goes back */
		{ "USJ2", 15, 7, 0, 0, "lost" },
		{ "USJ2", 31, 1, 0, 0, "sums" },
		{ " csum=", 6, '9', 0, -EBADMSG, "broken" },
		{ " csum=", 6, 'x', 0, -EBADMSG, "broken" },
		{ " sut=", 1, 'S', 0, -EBADMSG, "broken" },
		{ "USJ2\1", 3, '1', -ENOTSUP, 0, NULL },
		{ "USJ2\1", 114, 255, -EBADMSG, 0, NULL }, /* options' length */
		{ "USJ2\1", 116, 0, -EBADMSG, 0, NULL },   /* NUL inside */
	};
	const char *path = path_of("changed");
	struct journal_reader *r = NULL;
	struct journal_record rec;
	struct journal_status st;
	char err[JOURNAL_ERR];
	static uint8_t file[65536];
	size_t size, place;
	int fd, n;

	write_whole(path, (struct journal_opts){ 0 }, 6);
	fd = open(path, O_RDONLY);
	size = (size_t)read(fd, file, sizeof(file));
	close(fd);
	unlink(path);
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		size_t len = strlen(row[i].what);

		for (place = size - len; place > 0; place--)
			if (memcmp(file + place, row[i].what, len) == 0)
				break;
		CHECK_ROW(place > 0, row[i].what);
		fd = memfd_create("changed", 0);
		CHECK(write(fd, file, size) == (ssize_t)size);
		CHECK(pwrite(fd, &row[i].byte, 1, (off_t)(place + row[i].at)) ==
		      1);
		lseek(fd, 0, SEEK_SET);
		n = journal_read_fd(&r, fd, err);
		CHECK_ROW(n == row[i].opened, row[i].what);
		CHECK(n != -ENOTSUP || strstr(err, "rerun it with") != NULL);
		if (n != 0)
			continue;
		while ((n = journal_read_next(r, &rec)) == 1)
			;
		journal_read_status(r, &st);
		CHECK_ROW(n == row[i].last && !st.whole, row[i].what);
		CHECK_ROW(st.why && strstr(st.why, row[i].why), row[i].why);
		journal_read_close(r);
	}

	/* Something behind the sums. */
	fd = memfd_create("changed", 0);
	CHECK(write(fd, file, size) == (ssize_t)size && write(fd, "", 1) == 1);
	lseek(fd, 0, SEEK_SET);
	CHECK(journal_read_fd(&r, fd, err) == 0);
	while ((n = journal_read_next(r, &rec)) == 1)
		;
	CHECK(n == -EBADMSG);
	journal_read_close(r);
}

/* The disk is full for a while. */
static void test_full_disk(void)
{
	static const struct timespec a_while = { .tv_nsec = 60000000 };
	const char *path = path_of("full");
	struct journal *j = open_new(path, (struct journal_opts){ 0 });
	struct journal_status st;
	struct journal_stats s;
	struct rlimit was, small;
	struct stat before;

	CHECK(getrlimit(RLIMIT_FSIZE, &was) == 0);
	CHECK(stat(path, &before) == 0);
	small = was;
	small.rlim_cur = (rlim_t)before.st_size + 50000;
	for (uint64_t i = 0; i < 3000; i++) {
		if (i == 20 || i == 1000)
			nanosleep(&a_while, NULL);
		if (i == 20)
			CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
		if (i == 1000)
			CHECK(setrlimit(RLIMIT_FSIZE, &was) == 0);
		put_record(j, i);
	}
	CHECK(journal_close(j, &s) == -EIO);
	CHECK(s.records == 3000 && s.lost_ring == 0 && s.error == -EFBIG);
	CHECK(s.lost_disk > 0 && s.lost_disk <= 980);
	CHECK(s.written + s.lost_disk == 3000);
	CHECK(read_path(path, &st) == s.written);
	CHECK(!st.whole && st.lost == s.lost_disk);
	CHECK(strstr(st.why, "lost") != NULL);
	unlink(path);
}

/* Nor can the sums be written: the journal reads as cut. */
static void test_full_to_the_end(void)
{
	const char *path = path_of("end");
	struct journal *j = open_new(path, (struct journal_opts){ 0 });
	struct journal_status st;
	struct journal_stats s;
	struct rlimit was, small;
	struct stat file;

	CHECK(getrlimit(RLIMIT_FSIZE, &was) == 0);
	small = was;
	CHECK(stat(path, &file) == 0);
	/* Room for a piece of a record, which must not stay. */
	small.rlim_cur = (rlim_t)file.st_size + 30;
	CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
	for (uint64_t i = 0; i < 100; i++)
		put_record(j, i);
	CHECK(journal_close(j, &s) == -EIO);
	CHECK(setrlimit(RLIMIT_FSIZE, &was) == 0);
	CHECK(s.written == 0 && s.lost_disk == 100);
	CHECK(stat(path, &file) == 0 && (uint64_t)file.st_size == s.bytes);
	CHECK(read_path(path, &st) == 0);
	CHECK(!st.whole && strstr(st.why, "cut") != NULL);
	unlink(path);
}

/* The other end of a pipe, in a thread: what a program behind "-" sees. */
struct pipe_end {
	int fd;
	int opened;
	int last;
	uint64_t records;
	struct journal_status status;
};

static void *read_pipe(void *arg)
{
	struct pipe_end *e = arg;
	struct journal_reader *r = NULL;
	char err[JOURNAL_ERR];

	e->opened = journal_read_fd(&r, e->fd, err);
	if (e->opened == 0) {
		e->records = read_all(r, &e->status, &e->last);
		journal_read_close(r);
	}
	return NULL;
}

/*
 * Standard output is a pipe that nobody reads for a while: the writer waits, the
 * packet thread does not.
 */
static void test_slow_pipe(void)
{
	struct pipe_end end = { 0 };
	struct journal_stats s;
	struct journal *j;
	pthread_t thread;
	int p[2], was;

	CHECK(pipe(p) == 0);
	fflush(stdout);
	was = dup(STDOUT_FILENO);
	dup2(p[1], STDOUT_FILENO);
	j = open_new("-", (struct journal_opts){ .ring_bytes = 65536 });
	dup2(was, STDOUT_FILENO);
	close(was);
	close(p[1]);
	for (uint64_t i = 0; i < 5000; i++)
		put_record(j, i);
	journal_stats(j, &s);
	CHECK(s.records == 5000 && s.lost_ring > 1000);
	end.fd = p[0];
	CHECK(pthread_create(&thread, NULL, read_pipe, &end) == 0);
	CHECK(journal_close(j, &s) == -EIO);
	pthread_join(thread, NULL);
	CHECK(s.written + s.lost_ring == 5000 && s.lost_disk == 0);
	CHECK(end.opened == 0 && end.last == 0 && end.records == s.written);
	CHECK(!end.status.whole && end.status.lost == s.lost_ring);
}

/* The program behind the pipe has gone: no signal, all lost. */
static void test_broken_pipe(void)
{
	struct journal_stats s;
	struct journal *j;
	int p[2], was;

	CHECK(pipe(p) == 0);
	fflush(stdout);
	was = dup(STDOUT_FILENO);
	dup2(p[1], STDOUT_FILENO);
	j = open_new("-", (struct journal_opts){ 0 });
	dup2(was, STDOUT_FILENO);
	close(was);
	close(p[1]);
	close(p[0]);
	for (uint64_t i = 0; i < 100; i++)
		put_record(j, i);
	CHECK(journal_close(j, &s) == -EIO);
	CHECK(s.lost_disk == 100 && s.written == 0 && s.error == -EPIPE);
}

static int shell(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Wireshark's tools open it: they see the frames, interfaces, times, comments. */
static void test_packet_tools(void)
{
	const char *path = path_of("tools");
	uint64_t frames = 0, comments = 0, first = UINT64_MAX;
	char command[512];

	if (shell("command -v tshark >/dev/null && command -v capinfos "
		  ">/dev/null") != 0)
		CHECK_SKIP("tshark and capinfos are not installed");
	write_whole(path, (struct journal_opts){ 0 }, 500);
	for (uint64_t i = 0; i < 500; i++) {
		if (sample_record(i).kind != JOURNAL_FRAME)
			continue;
		frames++;
		comments += i % 5 == 0;
		first = i < first ? i : first;
	}
	snprintf(command, sizeof(command),
		 "test \"$(capinfos -Mrc %s | awk '/packets:/ { print $4 }')\""
		 " = %llu",
		 path, (unsigned long long)frames);
	CHECK(shell(command) == 0);
	snprintf(command, sizeof(command),
		 "test \"$(tshark -r %s -Y 'frame.comment contains "
		 "\"data-again; #\"' 2>/dev/null | wc -l)\" = %llu",
		 path, (unsigned long long)comments);
	CHECK(shell(command) == 0);
	snprintf(command, sizeof(command),
		 "test \"$(tshark -r %s -Y frame.interface_name -T fields -e "
		 "frame.interface_name 2>/dev/null | sort -u | tr '\\n' ' ')\" "
		 "= 'SUT client emitted mirror production '",
		 path);
	CHECK(shell(command) == 0);
	snprintf(command, sizeof(command),
		 "test \"$(tshark -r %s -Y frame.interface_name -T fields -e "
		 "frame.time_epoch 2>/dev/null | head -n 1)\" = %llu.%09llu",
		 path, (unsigned long long)((START + first) / NS_PER_SEC),
		 (unsigned long long)((START + first) % NS_PER_SEC));
	CHECK(shell(command) == 0);
	unlink(path);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "what is written is read", test_round_trip },
		{ "longest frame", test_longest_frame },
		{ "open refuses and leaves nothing", test_open_refuses },
		{ "only the clients' frames", test_only_client },
		{ "rotation by bytes", test_rotate_bytes },
		{ "rotation by time keeps the newest",
		  test_rotate_keeps_newest },
		{ "rotation when asked", test_rotate_asked },
		{ "rotation into a name that is taken", test_rotate_fails },
		{ "the same by bytes", test_rotate_fails_by_bytes },
		{ "rotation on a full disk", test_rotate_on_full_disk },
		{ "cut at every byte", test_cut_anywhere },
		{ "changed places", test_changed_places },
		{ "one wrong byte", test_one_wrong_byte },
		{ "a full disk costs records, not the file", test_full_disk },
		{ "full to the end", test_full_to_the_end },
		{ "a slow pipe", test_slow_pipe },
		{ "a broken pipe", test_broken_pipe },
		{ "packet tools read it", test_packet_tools },
	};
	struct rng rng = { 1 };
	int r;

	for (size_t i = 0; i < sizeof(frame_bytes); i++)
		frame_bytes[i] = (uint8_t)rng_next(&rng);
	memset(options, 'o', sizeof(options) - 1);
	setenv("LC_ALL", "C", 1);
	if (!mkdtemp(folder)) {
		printf("Bail out! no temporary folder\n");
		return 1;
	}
	r = check_main(tests, ARRAY_SIZE(tests));
	remove_files();
	rmdir(folder);
	return r;
}
