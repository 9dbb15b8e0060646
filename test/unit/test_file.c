/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_file.c - Unit test of capture/file
 *
 * Files are written by wire/pcap and read back through a window that is far
 * shorter than they are; then they are cut off at every byte, and broken.
 */
#include "capture/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "core/bytes.h"
#include "core/rng.h"

#define BIG_FRAMES 400
#define BIG_LEN	   60000u

static char path[] = "/tmp/test_file.XXXXXX";
static uint8_t data[BIG_LEN];

static void make_path(void)
{
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	for (uint32_t i = 0; i < BIG_LEN; i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8));
}

static void write_file(const uint8_t *p, size_t len)
{
	FILE *f = fopen(path, "wb");

	CHECK(f && fwrite(p, 1, len, f) == len);
	if (f)
		fclose(f);
}

/* A file of @n frames of random lengths. Returns its length. */
static size_t make(uint8_t *out, size_t size, bool ng, uint32_t n,
		   uint32_t longest, uint64_t seed)
{
	struct rng r = { .s = seed };
	size_t at;

	if (ng) {
		at = pcapng_write_shb(out, size, "test", NULL, 0);
		at += pcapng_write_idb(out + at, size - at, LINK_ETHERNET,
				       BIG_LEN, "eth0");
	} else {
		at = pcap_write_header(out, size, LINK_ETHERNET, BIG_LEN);
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = 1 + rng_below(&r, longest);

		if (ng)
			at += pcapng_write_epb(out + at, size - at, 0, 1000 + i,
					       data, len, len + i, 0, NULL, 0);
		else
			at += pcap_write_record(out + at, size - at, 1000 + i,
						data, len, len + i);
	}
	CHECK(at < size);
	return at;
}

/* Reads until the end or an error, and compares with what make() wrote. */
static int read_back(const char *name, uint32_t longest, uint64_t seed,
		     uint32_t *frames, struct errbuf *e)
{
	struct rng r = { .s = seed };
	struct capture_file f;
	struct frame_info in;
	uint32_t n = 0;
	int rc = file_open(&f, name, e);

	if (rc)
		return rc;
	while ((rc = file_next(&f, &in, e)) == 1) {
		uint32_t len = 1 + rng_below(&r, longest);

		if (in.cap != len || in.wire != len + n || in.ts != 1000 + n ||
		    in.link != LINK_ETHERNET || memcmp(in.data, data, len) != 0)
			CHECK(false);
		n++;
	}
	CHECK(f.frames == n);
	*frames = n;
	file_close(&f);
	file_close(&f);
	return rc;
}

static void test_long_files(void)
{
	size_t size = (size_t)32 << 20;
	uint8_t *out = malloc(size);
	struct errbuf e;
	uint32_t n = 0;

	for (int ng = 0; out && ng < 2; ng++) {
		size_t len = make(out, size, ng, BIG_FRAMES, BIG_LEN, 7);

		CHECK(len > (size_t)4 * PCAP_RECORD_MAX);
		write_file(out, len);
		CHECK(read_back(path, BIG_LEN, 7, &n, &e) == 0);
		CHECK(n == BIG_FRAMES);
	}
	free(out);
}

static void test_standard_input(void)
{
	static uint8_t out[20000];
	size_t len = make(out, sizeof(out), true, 50, 200, 9);
	int saved = dup(STDIN_FILENO);
	int p[2] = { -1, -1 };
	struct errbuf e;
	uint32_t n = 0;
	pid_t child;

	CHECK(pipe(p) == 0);
	child = fork();
	if (child == 0) {
		/* In pieces, as a pipe brings them. */
		for (size_t i = 0; i < len; i++)
			if (write(p[1], out + i, 1) != 1)
				_exit(1);
		_exit(0);
	}
	close(p[1]);
	CHECK(dup2(p[0], STDIN_FILENO) == STDIN_FILENO);
	close(p[0]);
	CHECK(read_back("-", 200, 9, &n, &e) == 0);
	CHECK(n == 50);
	dup2(saved, STDIN_FILENO);
	close(saved);
	waitpid(child, NULL, 0);
}

static void test_cut_off_everywhere(void)
{
	static uint8_t out[2000];
	static uint8_t shb[100];
	struct errbuf e;

	for (int ng = 0; ng < 2; ng++) {
		size_t whole = make(out, sizeof(out), ng, 5, 60, 3);
		size_t head =
			ng ? pcapng_write_shb(shb, sizeof(shb), "test", NULL, 0)
			   : 24;
		uint32_t ends = 0;

		for (size_t len = 0; len < whole; len++) {
			uint32_t n = 0;
			int rc;

			write_file(out, len);
			e.s[0] = '\0';
			rc = read_back(path, 60, 3, &n, &e);
			CHECK(rc == 0 || rc == -ENODATA || rc == -EBADMSG);
			/* Never silent about half a record; frames before it
			 * came.
			 */
			CHECK((rc == 0) == (e.s[0] == '\0'));
			/* Within the first header it is not known as such. */
			CHECK((rc == -EBADMSG) == (len < head));
			ends += rc == 0;
		}
		/* Between two records it is a shorter file, and a good one. */
		CHECK(ends == (ng ? 6 : 5));
		write_file(out, 0);
		CHECK(read_back(path, 60, 3, &(uint32_t){ 0 }, &e) == -EBADMSG);
	}
}

static void test_no_capture(void)
{
	static uint8_t out[4000];
	struct errbuf e;
	uint32_t n = 0;

	memset(out, 'x', sizeof(out));
	write_file(out, sizeof(out));
	CHECK(read_back(path, 60, 3, &n, &e) == -ENOTSUP);
	CHECK(strstr(e.s, "not a capture file") && strstr(e.s, path));
	memset(out, 0xf0, sizeof(out));
	write_file(out, sizeof(out));
	CHECK(read_back(path, 60, 3, &n, &e) == -EBADMSG);
	CHECK(strstr(e.s, "not a capture file") && strstr(e.s, path));
	memcpy(out, "\x1f\x8b\x08", 3);
	write_file(out, sizeof(out));
	CHECK(read_back(path, 60, 3, &n, &e) == -ENOTSUP);
	CHECK(strstr(e.s, "gzip") && strstr(e.s, "gunzip -c"));
	memcpy(out, "snoop\0\0\0", 8);
	write_file(out, sizeof(out));
	CHECK(read_back(path, 60, 3, &n, &e) == -ENOTSUP);
	CHECK(strstr(e.s, "snoop") && strstr(e.s, "editcap"));
}

/* Reads to the end. Return: of file_verdict(); @frames: how many came */
static int verdict(bool strict, uint64_t *frames, struct file_counters *count,
		   struct errbuf *e)
{
	struct capture_file f;
	struct frame_info in;
	int rc;

	CHECK(file_open(&f, path, e) == 0);
	f.strict = strict;
	do {
		rc = file_next(&f, &in, e);
		if (rc == 1 && (in.cap < 14 || in.cap > 74 ||
				memcmp(in.data, data, in.cap) != 0))
			CHECK(false);
	} while (rc == 1);
	*frames = f.frames;
	*count = f.count;
	rc = rc == 0 || rc == -ENODATA ? file_verdict(&f, e) : rc;
	file_close(&f);
	return rc;
}

/* Twenty records of 14 to 74 bytes and where each begins. */
static size_t twenty(uint8_t *out, size_t size, bool ng, size_t *at)
{
	size_t n = ng ? pcapng_write_shb(out, size, "test", NULL, 0)
		      : pcap_write_header(out, size, LINK_ETHERNET, BIG_LEN);

	if (ng)
		n += pcapng_write_idb(out + n, size - n, LINK_ETHERNET, BIG_LEN,
				      "eth0");
	for (uint32_t i = 0; i < 20; i++) {
		uint64_t ts = 1700000000000000000ull + i;
		uint32_t len = 14 + i * 3;

		at[i] = n;
		n += ng ? pcapng_write_epb(out + n, size - n, 0, ts, data, len,
					   len, 0, NULL, 0)
			: pcap_write_record(out + n, size - n, ts, data, len,
					    len);
	}
	return n;
}

/* Whatever is written over records, all others are read; and it is counted. */
static void test_damage_in_the_middle(void)
{
	static const struct {
		const char *name;
		uint32_t from, records; /* damaged from here, so many */
		int byte;
	} rows[] = {
		{ "one, 0xff", 7, 1, 0xff },   { "one, zeroes", 7, 1, 0 },
		{ "five, 0xff", 3, 5, 0xff },  { "five, zeroes", 3, 5, 0 },
		{ "first, 0xff", 0, 1, 0xff }, { "last but two", 17, 1, 0x55 },
		{ "last", 19, 1, 0xff },
	};
	static uint8_t out[8000];
	struct errbuf e;
	uint64_t frames;
	struct file_counters c;
	size_t at[20];

	for (size_t k = 0; k < 2 * ARRAY_SIZE(rows); k++) {
		bool ng = k >= ARRAY_SIZE(rows);
		size_t r = k % ARRAY_SIZE(rows);
		uint32_t last = rows[r].from + rows[r].records;
		size_t len = twenty(out, sizeof(out), ng, at);
		size_t end = last < 20 ? at[last] : len;

		memset(out + at[rows[r].from], rows[r].byte,
		       end - at[rows[r].from]);
		write_file(out, len);
		CHECK_ROW(verdict(false, &frames, &c, &e) == 1, rows[r].name);
		CHECK_ROW(frames == 20 - rows[r].records, rows[r].name);
		CHECK_ROW(c.damaged == 1, rows[r].name);
		CHECK_ROW(c.bytes_read == len - (end - at[rows[r].from]),
			  rows[r].name);
		CHECK(c.bytes_all == len && strstr(e.s, "1 damaged places"));
		if (rows[r].byte == 0 && !ng)
			continue; /* libpcap takes them for records */
		CHECK_ROW(verdict(true, &frames, &c, &e) == -EBADMSG,
			  rows[r].name);
		CHECK_ROW(frames == rows[r].from, rows[r].name);
	}
}

static void test_too_much_damage(void)
{
	static uint8_t out[8000];
	struct errbuf e;
	uint64_t frames;
	struct file_counters c;
	size_t at[20];

	for (int ng = 0; ng < 2; ng++) {
		size_t len = twenty(out, sizeof(out), ng, at);

		memset(out + at[4], 0xff, at[18] - at[4]);
		write_file(out, len);
		CHECK(verdict(false, &frames, &c, &e) == -EBADMSG);
		CHECK(frames == 6 && strstr(e.s, "read: "));
		/* Bytes that are lost at the end are of no file. */
		twenty(out, sizeof(out), ng, at);
		write_file(out, at[3] + 5);
		CHECK(verdict(false, &frames, &c, &e) == 1);
		CHECK(frames == 3 && c.cut_off == 1);
		write_file(out, at[0] + 20); /* not one frame */
		CHECK(verdict(false, &frames, &c, &e) == -EBADMSG);
	}
}

/* A length that leads into the middle of another record, or beyond the end. */
static void test_wrong_length(void)
{
	static uint8_t out[8000];
	struct errbuf e;
	uint64_t frames;
	struct file_counters c;
	size_t at[20];
	size_t len = twenty(out, sizeof(out), false, at);

	put_le32(out + at[5] + 8, 3000);
	put_le32(out + at[5] + 12, 3000);
	write_file(out, len);
	CHECK(verdict(false, &frames, &c, &e) == 1);
	CHECK(frames == 19 && c.damaged == 1 && c.cut_off == 0);
}

static void test_link_types(void)
{
	static uint8_t out[4000];
	size_t len = pcap_write_header(out, sizeof(out), 147, 100);
	struct errbuf e;
	struct file_counters c;
	uint64_t frames;

	len += pcap_write_record(out + len, sizeof(out) - len, 1, data, 20, 20);
	write_file(out, len);
	CHECK(verdict(false, &frames, &c, &e) == -EBADMSG);
	CHECK(frames == 0 && strstr(e.s, "147"));

	len = pcapng_write_shb(out, sizeof(out), NULL, NULL, 0);
	len += pcapng_write_idb(out + len, sizeof(out) - len, 239, 0, NULL);
	len += pcapng_write_idb(out + len, sizeof(out) - len, 1, 0, NULL);
	for (uint32_t i = 0; i < 12; i++)
		len += pcapng_write_epb(out + len, sizeof(out) - len,
					i % 4 != 0, i, data, 40, 40, 0, NULL,
					0);
	write_file(out, len);
	CHECK(verdict(false, &frames, &c, &e) == 1);
	CHECK(frames == 9 && c.frames_link == 3 && strstr(e.s, "239"));
}

static void test_long_secrets(void)
{
	size_t size = (size_t)5 << 20;
	uint8_t *out = calloc(1, size);
	struct errbuf e;
	struct file_counters c;
	uint64_t frames;
	size_t len = pcapng_write_shb(out, size, NULL, NULL, 0);
	uint32_t block = 4u << 20;
	size_t at;

	len += pcapng_write_idb(out + len, size - len, 1, 0, NULL);
	at = len;
	put_le32(out + at, 10);
	put_le32(out + at + 4, block);
	put_le32(out + at + block - 4, block);
	len += block;
	len += pcapng_write_epb(out + len, size - len, 0, 1, data, 40, 40, 0,
				NULL, 0);
	write_file(out, len);
	for (int strict = 0; strict < 2; strict++) {
		CHECK(verdict(strict, &frames, &c, &e) == 0);
		CHECK(frames == 1);
	}
	put_le32(out + at, 6); /* a frame of that length is not read */
	write_file(out, len);
	CHECK(verdict(false, &frames, &c, &e) == -EBADMSG);
	CHECK(frames == 1 && c.frames_unread == 1);
	free(out);
}

static void test_missing(void)
{
	struct capture_file f = { .frames = 77 };
	struct errbuf e;

	CHECK(file_open(&f, "/nonexistent/x.pcap", &e) == -ENOENT);
	CHECK(f.frames == 77); /* untouched */
	CHECK(strstr(e.s, "/nonexistent/x.pcap"));
	CHECK(file_open(&f, "/", &e) == 0);
	CHECK(file_next(&f, &(struct frame_info){ 0 }, &e) == -EISDIR);
	file_close(&f);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "files longer than the window, pcap and pcapng",
		  test_long_files },
		{ "standard input, byte by byte", test_standard_input },
		{ "cut off at every byte", test_cut_off_everywhere },
		{ "no capture files", test_no_capture },
		{ "damage in the middle", test_damage_in_the_middle },
		{ "too much damage", test_too_much_damage },
		{ "a wrong length", test_wrong_length },
		{ "link types that are not read", test_link_types },
		{ "a long block of secrets", test_long_secrets },
		{ "missing files and directories", test_missing },
	};
	int rc;

	make_path();
	rc = check_main(tests, ARRAY_SIZE(tests));
	unlink(path);
	return rc;
}
