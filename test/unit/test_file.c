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

static void test_broken(void)
{
	static uint8_t out[4000];
	size_t len = make(out, sizeof(out), false, 3, 60, 3);
	struct errbuf e;
	uint32_t n = 0;

	memset(out + len, 0xff, 16); /* a record of 4 GB */
	write_file(out, len + 16);
	CHECK(read_back(path, 60, 3, &n, &e) == -EBADMSG);
	CHECK(n == 3 && strstr(e.s, "after frame 3"));

	memset(out, 'x', sizeof(out));
	write_file(out, sizeof(out));
	CHECK(read_back(path, 60, 3, &n, &e) == -EBADMSG);
	CHECK(strstr(e.s, "not a capture file") && strstr(e.s, path));
}

static void test_link_type_is_named(void)
{
	static uint8_t out[400];
	size_t len = pcap_write_header(out, sizeof(out), 147, 100);
	struct errbuf e;
	uint32_t n = 0;

	len += pcap_write_record(out + len, sizeof(out) - len, 1, data, 20, 20);
	write_file(out, len);
	CHECK(read_back(path, 60, 3, &n, &e) == -ENOTSUP);
	CHECK(n == 0 && strstr(e.s, "147"));
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
		{ "broken files", test_broken },
		{ "a link type that is not read is named",
		  test_link_type_is_named },
		{ "missing files and directories", test_missing },
	};
	int rc;

	make_path();
	rc = check_main(tests, ARRAY_SIZE(tests));
	unlink(path);
	return rc;
}
