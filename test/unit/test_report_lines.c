/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_report_lines.c - Unit test of report/lines
 */
#include "report/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define LINE_LEN 100

static char folder[] = "/tmp/test_report_lines.XXXXXX";

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void make_line(char *line, unsigned n)
{
	memset(line, 'a' + (int)(n % 26), LINE_LEN);
	snprintf(line, LINE_LEN, "%08u", n);
	line[8] = ' ';
	line[LINE_LEN - 1] = '\n';
}

/* Lines in @fd: whole, in order, each as it was made. Return: how many. */
static unsigned check_lines(int fd)
{
	char got[LINE_LEN], want[LINE_LEN];
	unsigned lines = 0, last = 0, n;
	FILE *f = fdopen(fd, "r");

	while (fread(got, 1, LINE_LEN, f) == LINE_LEN) {
		n = (unsigned)strtoul(got, NULL, 10);
		make_line(want, n);
		CHECK(memcmp(got, want, LINE_LEN) == 0);
		CHECK(lines == 0 || n > last);
		last = n;
		lines++;
	}
	CHECK(feof(f));
	fclose(f);
	return lines;
}

static void test_all_arrive(void)
{
	const char *path = path_of("all");
	char line[LINE_LEN], err[LINES_ERR] = "";
	struct lines *l = NULL;
	uint64_t lost = 1;
	struct stat st;

	CHECK(lines_open(&l, path, NULL, 4 << 20, err) == 0);
	for (unsigned i = 0; i < 20000; i++) {
		make_line(line, i);
		CHECK(lines_write(l, line, LINE_LEN));
	}
	CHECK(lines_lost(l) == 0);
	CHECK(lines_close(l, &lost) == 0 && lost == 0);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK(st.st_size == 20000 * LINE_LEN);
	CHECK(check_lines(open(path, O_RDONLY)) == 20000);

	/* Not over a file that is there, nor through a link. */
	CHECK(lines_open(&l, path, NULL, 4096, err) == -EEXIST);
	CHECK(strstr(err, path) != NULL && strstr(err, "exists") != NULL);
	CHECK(unlink(path) == 0 && symlink("elsewhere", path) == 0);
	CHECK(lines_open(&l, path, NULL, 4096, err) == -EEXIST);
	CHECK(unlink(path) == 0);
	CHECK(lines_open(&l, path, NULL, SIZE_MAX, err) < 0);
	CHECK(stat(path, &st) != 0);
}

/* Wait until lines_reopen() was seen: until the file is there. */
static void wait_for(const char *path)
{
	static const struct timespec nap = { .tv_nsec = 1000000 };

	for (int i = 0; i < 10000 && access(path, F_OK) != 0; i++)
		nanosleep(&nap, NULL);
	CHECK(access(path, F_OK) == 0);
}

/* What was renamed is made anew between two lines; none is lost. */
static void test_reopen(void)
{
	char path[128], line[LINE_LEN], err[LINES_ERR] = "", old[140];
	struct lines *l = NULL;
	uint64_t lost = 1;
	unsigned n = 0;

	snprintf(path, sizeof(path), "%s", path_of("again"));
	CHECK(lines_open(&l, path, NULL, 1 << 20, err) == 0);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 100; i++) {
			make_line(line, n++);
			CHECK(lines_write(l, line, LINE_LEN));
		}
		snprintf(old, sizeof(old), "%s.%u", path, round);
		CHECK(rename(path, old) == 0);
		lines_reopen(l);
		wait_for(path);
		CHECK(check_lines(open(old, O_RDONLY)) == 100);
		CHECK(unlink(old) == 0);
	}
	make_line(line, n);
	/* One that still is there is kept. */
	lines_reopen(l);
	CHECK(lines_write(l, line, LINE_LEN));
	CHECK(lines_close(l, &lost) == 0 && lost == 0);
	CHECK(check_lines(open(path, O_RDONLY)) == 1);
	CHECK(unlink(path) == 0);
}

/* A line of the number that a record is; of every fifth there is none. */
static size_t make(void *ctx, const void *p, uint32_t len, char *out,
		   size_t size)
{
	uint64_t n;

	CHECK(ctx == folder && len == sizeof(n) && size >= LINE_LEN);
	CHECK((uintptr_t)p % sizeof(n) == 0);
	memcpy(&n, p, len);
	if (n % 5 == 0)
		return 0;
	make_line(out, (unsigned)n);
	return LINE_LEN;
}

/* Records become lines in the order in which they and lines were handed over. */
static void test_records(void)
{
	const char *path = path_of("records");
	char line[LINE_LEN], err[LINES_ERR] = "";
	struct lines *l = NULL;
	uint64_t lost = 1;
	unsigned want = 0;

	CHECK(lines_open(&l, path, NULL, 4 << 20, err) == 0);
	lines_texts(l, make, folder);
	for (uint64_t i = 0; i < 10000; i++) {
		make_line(line, (unsigned)i);
		CHECK(i % 3 == 1 ? lines_write(l, line, LINE_LEN)
				 : lines_put(l, &i, sizeof(i)));
		want += i % 3 == 1 || i % 5 != 0;
	}
	CHECK(lines_close(l, &lost) == 0 && lost == 0);
	CHECK(check_lines(open(path, O_RDONLY)) == want);
	unlink(path);
}

static void test_too_long_is_lost(void)
{
	const char *path = path_of("long");
	static char line[4096];
	char err[LINES_ERR];
	struct lines *l = NULL;
	uint64_t lost = 0;

	CHECK(lines_open(&l, path, NULL, 4096, err) == 0);
	CHECK(!lines_write(l, line, sizeof(line)));
	CHECK(!lines_write(l, line, SIZE_MAX));
	CHECK(lines_lost(l) == 2);
	CHECK(lines_close(l, &lost) == 0 && lost == 2);
	unlink(path);
}

/* The file may not grow for a while: whole lines before and after. */
static void test_full_disk(void)
{
	static const struct timespec a_while = { .tv_nsec = 60000000 };
	const char *path = path_of("full");
	char line[LINE_LEN], err[LINES_ERR];
	struct rlimit was, small;
	struct lines *l = NULL;
	uint64_t lost = 0;
	unsigned n;

	CHECK(getrlimit(RLIMIT_FSIZE, &was) == 0);
	small = was;
	small.rlim_cur = 12345;
	CHECK(lines_open(&l, path, NULL, 1 << 20, err) == 0);
	CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
	for (unsigned i = 0; i < 3000; i++) {
		if (i == 1000) {
			nanosleep(&a_while, NULL);
			setrlimit(RLIMIT_FSIZE, &was);
		}
		make_line(line, i);
		CHECK(lines_write(l, line, LINE_LEN));
	}
	CHECK(lines_close(l, &lost) == -EFBIG);
	n = check_lines(open(path, O_RDONLY));
	CHECK(n >= 2123 && n < 3000 && n + lost == 3000);
	unlink(path);
}

/* Standard output that takes nothing: all lost, and nobody waits. */
static void test_dev_full(void)
{
	char line[LINE_LEN], err[LINES_ERR];
	int full = open("/dev/full", O_WRONLY);
	int was = dup(STDOUT_FILENO);
	struct lines *l = NULL;
	uint64_t lost = 0;
	int opened;

	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	opened = lines_open(&l, "-", NULL, 1 << 20, err);
	dup2(was, STDOUT_FILENO);
	close(was);
	close(full);
	CHECK(opened == 0);
	for (unsigned i = 0; i < 500; i++) {
		make_line(line, i);
		CHECK(lines_write(l, line, LINE_LEN));
	}
	CHECK(lines_close(l, &lost) == -ENOSPC && lost == 500);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "all lines arrive", test_all_arrive },
		{ "a renamed file is made anew", test_reopen },
		{ "records become lines", test_records },
		{ "a line that is too long is lost", test_too_long_is_lost },
		{ "a full disk costs whole lines", test_full_disk },
		{ "nothing can be written", test_dev_full },
	};
	int r;

	if (!mkdtemp(folder)) {
		printf("Bail out! no temporary folder\n");
		return 1;
	}
	r = check_main(tests, ARRAY_SIZE(tests));
	rmdir(folder);
	return r;
}
