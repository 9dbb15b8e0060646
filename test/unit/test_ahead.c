/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_ahead.c - Unit test of capture/ahead: a file's bytes are all there, in
 * order, whatever the consumer keeps back
 */
#include "capture/ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "core/rng.h"

/* Byte @at of the file; no two chunks look alike. */
static uint8_t byte_at(uint64_t at)
{
	uint64_t x = (at >> 3) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint8_t)(x >> (at & 7) * 8);
}

static int make_file(size_t len)
{
	int fd = memfd_create("test_ahead", MFD_CLOEXEC);
	uint8_t *p = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		p[i] = byte_at(i);
	CHECK(fd >= 0 && pwrite(fd, p, len, 0) == (ssize_t)len);
	free(p);
	return fd;
}

/* Bytes from @from on that are where they belong. */
static size_t right(const uint8_t *ring, size_t from, size_t n, uint64_t at)
{
	size_t good = 0;

	while (good < n && ring[from + good] == byte_at(at + good))
		good++;
	return good;
}

/*
 * Read a file of @len bytes from @base on; of what is there, leave a random part
 * each time.
 */
static void read_all(size_t len, size_t base, size_t leave, uint64_t seed)
{
	struct rng r = { seed };
	struct ahead *a = NULL;
	size_t start = 0, end = 0;
	int fd = make_file(len);
	uint64_t at = base;
	ssize_t n;

	CHECK(lseek(fd, (off_t)base, SEEK_SET) == (off_t)base);
	CHECK(ahead_open(&a, fd) == 0);
	while ((n = ahead_more(a, end - start)) > 0) {
		size_t keep = leave > 0 ? rng_below(&r, (uint32_t)leave) : 0;

		end += (size_t)n;
		if (keep > end - start)
			keep = end - start;
		/* All that was kept back must still be there. */
		if (right(ahead_bytes(a), start, end - start, at) !=
		    end - start)
			break;
		at += end - start - keep;
		start = end - keep;
		if (start >= AHEAD_RING) {
			start -= AHEAD_RING;
			end -= AHEAD_RING;
		}
	}
	CHECK(n == 0 && at + (end - start) == len);
	CHECK(ahead_more(a, end - start) == 0);
	ahead_close(a);
	CHECK(lseek(fd, 0, SEEK_CUR) == (off_t)base);
	close(fd);
}

static void every_byte_comes_once_and_in_order(void)
{
	static const size_t len[] = { 0,
				      1,
				      AHEAD_CHUNK - 1,
				      AHEAD_CHUNK,
				      AHEAD_CHUNK + 1,
				      AHEAD_RING,
				      3 * AHEAD_RING + 12345 };

	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		read_all(len[i], 0, 0, i);
		read_all(len[i], 0, 2000, i);
		read_all(len[i], 0, AHEAD_UNREAD_MAX, i);
	}
	read_all(3 * AHEAD_RING, 777, 5000, 9);
}

static void it_can_be_ended_at_any_time(void)
{
	int fd = make_file(2 * AHEAD_RING);

	for (int i = 0; i < 40; i++) {
		struct ahead *a = NULL;

		CHECK(ahead_open(&a, fd) == 0);
		for (int k = 0; k < i % 5; k++)
			CHECK(ahead_more(a, 0) == (ssize_t)AHEAD_CHUNK);
		ahead_close(a);
	}
	ahead_close(NULL);
	close(fd);
}

/* A file that is cut while it is read ends where it is cut. */
static void a_file_that_shrinks_just_ends(void)
{
	int fd = make_file(3 * AHEAD_RING);
	struct ahead *a = NULL;
	size_t sum = 0;
	ssize_t n;

	CHECK(ahead_open(&a, fd) == 0);
	CHECK(ahead_more(a, 0) == (ssize_t)AHEAD_CHUNK);
	CHECK(ftruncate(fd, (off_t)AHEAD_RING * 2 + 5) == 0);
	for (sum = AHEAD_CHUNK; (n = ahead_more(a, 0)) > 0; sum += (size_t)n)
		;
	CHECK(n == 0 && sum == AHEAD_RING * 2 + 5);
	ahead_close(a);
	close(fd);
}

static void what_cannot_be_read_is_said(void)
{
	struct ahead *a = NULL;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int pair[2];

	CHECK(ahead_open(&a, fd) == 0);
	CHECK(ahead_more(a, 0) == -EISDIR);
	CHECK(ahead_more(a, 0) == -EISDIR);
	ahead_close(a);
	close(fd);
	a = NULL;
	CHECK(pipe(pair) == 0);
	CHECK(ahead_open(&a, pair[0]) == -ESPIPE && a == NULL);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "every byte comes once and in order",
		  every_byte_comes_once_and_in_order },
		{ "it can be ended at any time", it_can_be_ended_at_any_time },
		{ "a file that shrinks just ends",
		  a_file_that_shrinks_just_ends },
		{ "what cannot be read is said", what_cannot_be_read_is_said },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
