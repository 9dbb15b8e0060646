/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_journal.c - Fuzz the journal's reader with arbitrary files
 *
 * Input: a byte of switches, then the file. Switch 1: a good prologue comes
 * first, so that what follows it is reached. Switch 2: the rest is cut into
 * blocks (a byte of kind, a byte of length, content) and these are well formed,
 * so that their content is reached. Switch 4, stronger than both: the file is a
 * journal that the writer made, and the input is edits of it, three bytes each:
 * where, and what is added there. Checks what journal.h promises of records, of the
 * final status and of reading on after the end; and that the journal without edits
 * is whole.
 */
#include "journal/journal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/bytes.h"
#include "wire/decode.h"
#include "wire/pcap.h"

#define PEN	 32473u
#define FILE_MAX 65536u
#define FIXED	 40u /* bytes of a block before its text */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t file[FILE_MAX];
static uint8_t good[FILE_MAX]; /* what the writer made */
static size_t good_len;

#define RECORDS 10u

static void write_records(struct journal *j)
{
	static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1 };

	for (uint64_t i = 0; i < RECORDS; i++) {
		struct journal_frame f = {
			.iface = (enum journal_iface)(i % JOURNAL_IFACES),
			.csum_ok = i % 2 == 0,
			.now = i,
			.ts = i,
			.data = frame,
			.cap = (uint32_t)(sizeof(frame) - i),
			.wire = sizeof(frame),
			.comment = i == 5 ? "data-again" : NULL,
		};

		if (i % 2 == 0)
			journal_frame(j, &f);
		else if (i == 1)
			journal_timeout(j, i);
		else if (i < 8)
			journal_unsent(j, 9, i);
		else if (i == 9)
			journal_left(j, 9, 10, i);
		else if (i == 11)
			journal_clock(j, -11, i);
		else
			journal_refused(j, 7, 1, i);
	}
}

/* Let the writer make a journal, in a folder that goes away. */
static void make_good(void)
{
	char folder[] = "/tmp/fuzz_journal.XXXXXX", path[64], err[JOURNAL_ERR];
	struct journal_opts o = { .path = path, .ring_bytes = 1u << 16 };
	struct journal_header h = { .version = "1",
				    .options = "-i mon0",
				    .limits = { 16, 1u << 20, 1u << 16, 1024 },
				    .link = { LINK_ETHERNET, LINK_ETHERNET,
					      LINK_ETHERNET, LINK_ETHERNET,
					      LINK_RAW } };
	struct journal *j;
	FILE *f;

	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/j", folder);
	if (journal_open(&j, &o, &h, err) != 0)
		abort();
	write_records(j);
	if (journal_close(j, NULL) != 0)
		abort();
	f = fopen(path, "rb");
	if (f == NULL)
		abort();
	good_len = fread(good, 1, sizeof(good), f);
	fclose(f);
	unlink(path);
	rmdir(folder);
}

/* The good journal with edits. Return: its length */
static size_t put_edited(const uint8_t *p, size_t size)
{
	memcpy(file, good, good_len);
	for (; size >= 3; p += 3, size -= 3) {
		size_t at = get_be16(p) % good_len;

		file[at] = (uint8_t)(file[at] + p[2]);
	}
	return good_len;
}

static size_t put_prologue(void)
{
	uint8_t block[FIXED + 64] = "USJ2\1";
	size_t n = pcapng_write_shb(file, FILE_MAX, NULL, NULL, 0);

	for (unsigned i = 0; i < JOURNAL_IFACES; i++)
		n += pcapng_write_idb(file + n, FILE_MAX - n, 1, 0, NULL);
	return n + pcapng_write_custom(file + n, FILE_MAX - n, PEN, block,
				       sizeof(block));
}

/* Even kinds are frames, of which the content is the comment. */
static size_t put_blocks(size_t n, const uint8_t *p, size_t size)
{
	uint8_t block[FIXED + 255] = "USJ2";

	while (size >= 2 && n < FILE_MAX - 1024) {
		uint8_t kind = p[0];
		size_t len = p[1] < size - 2 ? p[1] : size - 2;

		p += 2;
		if (kind % 2 == 0) {
			n += pcapng_write_epb(file + n, FILE_MAX - n,
					      kind / 2 % 8, 0, p, (uint32_t)len,
					      (uint32_t)len, 0, (const char *)p,
					      len);
		} else {
			block[4] = kind / 2 % 12;
			memcpy(block + 5, p, len);
			n += pcapng_write_custom(file + n, FILE_MAX - n, PEN,
						 block, FIXED + 255);
		}
		p += len;
		size -= 2 + len;
	}
	return n;
}

static void check_record(const struct journal_record *rec)
{
	volatile uint8_t sum = 0;

	assert(rec->kind <= JOURNAL_NOTE);
	if (rec->kind != JOURNAL_FRAME)
		return;
	assert(rec->frame.iface < JOURNAL_IFACES);
	assert(rec->frame.cap <= PCAP_RECORD_MAX);
	assert(rec->frame.now == rec->now && rec->frame.more_len == 0);
	/* A volatile sum: every byte is read, under the sanitizer's eyes. */
	for (uint32_t i = 0; i < rec->frame.cap; i++)
		sum = sum ^ rec->frame.data[i];
}

static void read_file(int fd, bool is_good)
{
	struct journal_reader *r;
	struct journal_record rec;
	struct journal_status st;
	char err[JOURNAL_ERR];
	uint64_t records = 0;
	int n = journal_read_fd(&r, fd, err);

	if (n != 0) {
		assert(!is_good);
		assert(n < 0 && strlen(err) < JOURNAL_ERR);
		return;
	}
	assert(strlen(journal_read_header(r)->options) <= JOURNAL_OPTIONS_MAX);
	while ((n = journal_read_next(r, &rec)) == 1) {
		check_record(&rec);
		records++;
	}
	assert(n <= 0 && journal_read_next(r, &rec) == n);
	journal_read_status(r, &st);
	assert(st.records == records);
	assert(st.whole == (n == 0 && st.why == NULL));
	assert(!st.whole || st.lost == 0);
	assert(!is_good || (st.whole && records == RECORDS));
	journal_read_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_good = size > 0 && size < 4 && (data[0] & 4) != 0;
	size_t n = 0;
	int fd;

	if (good_len == 0)
		make_good();
	if (size < 1 || size > FILE_MAX / 2)
		return 0;
	if ((data[0] & 5) == 1)
		n = put_prologue();
	if ((data[0] & 4) != 0) {
		n = put_edited(data + 1, size - 1);
	} else if ((data[0] & 2) != 0) {
		n = put_blocks(n, data + 1, size - 1);
	} else {
		memcpy(file + n, data + 1, size - 1);
		n += size - 1;
	}
	fd = memfd_create("fuzz", 0);
	assert(fd >= 0);
	assert(write(fd, file, n) == (ssize_t)n);
	lseek(fd, 0, SEEK_SET);
	read_file(fd, is_good);
	return 0;
}
