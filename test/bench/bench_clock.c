/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_clock.c - The floor of all timing: a loop that sends nothing
 *
 * usage: bench_clock gtod|nano CAPTURE
 *
 * Waits for the time of every record of a capture, as a sender would, and notes
 * what the clock says then. gtod only reads the clock; nano sleeps until 60 us
 * before. What is wrong then is no sender's fault: an interrupt, another process
 * on this processor, or the host of a virtual one. Prints one line: p50 and p99 of
 * the gaps' errors, drift at the end, steal of all processors meanwhile, how long
 * it took; all in ns.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/file.h"
#include "os/clock.h"

#define TIMES_MAX 4096
#define GUARD	  (60 * UINT64_C(1000))
#define LEAD	  (2 * UINT64_C(1000000))

static uint64_t due[TIMES_MAX];
static uint64_t at[TIMES_MAX];
static uint64_t wrong[TIMES_MAX];
static size_t times;

static int load(const char *path)
{
	static struct capture_file f;
	struct frame_info info;
	struct errbuf e = { "" };
	int rc = file_open(&f, path, &e);

	while (rc == 0 && times < TIMES_MAX) {
		rc = file_next(&f, &info, &e);
		if (rc <= 0)
			break;
		due[times++] = info.ts;
		rc = 0;
	}
	file_close(&f);
	if (rc < 0)
		fprintf(stderr, "%s\n", e.s);
	return rc;
}

static int ascending(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return (*x > *y) - (*x < *y);
}

/* The eighth number of the first line of /proc/stat. */
static uint64_t steal(void)
{
	unsigned long long v[8] = { 0 };
	FILE *f = fopen("/proc/stat", "re");

	if (f && fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0],
			&v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
		v[7] = 0;
	if (f)
		fclose(f);
	return v[7] * UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
}

static void wait_for_all(bool sleeps)
{
	uint64_t start = clock_mono() + LEAD - due[0];

	for (size_t i = 0; i < times; i++) {
		uint64_t now = clock_mono();

		if (sleeps && start + due[i] > now + GUARD)
			clock_pause(start + due[i] - now - GUARD);
		do {
			now = clock_mono();
		} while (now < start + due[i]);
		at[i] = now;
	}
}

static void print_errors(uint64_t stolen)
{
	size_t n = times - 1;

	for (size_t i = 0; i < n; i++) {
		uint64_t gap = at[i + 1] - at[i];
		uint64_t want = due[i + 1] - due[i];

		wrong[i] = gap > want ? gap - want : want - gap;
	}
	qsort(wrong, n, sizeof(wrong[0]), ascending);
	printf("%llu %llu %lld %llu %llu\n",
	       (unsigned long long)wrong[n * 500 / 1000],
	       (unsigned long long)wrong[n * 990 / 1000],
	       (long long)(at[n] - at[0]) - (long long)(due[n] - due[0]),
	       (unsigned long long)stolen, (unsigned long long)(at[n] - at[0]));
}

int main(int argc, char **argv)
{
	uint64_t stolen;

	if (argc != 3 || load(argv[2]) < 0 || times < 2) {
		fprintf(stderr, "usage: bench_clock gtod|nano CAPTURE\n");
		return 2;
	}
	clock_precise();
	stolen = steal();
	wait_for_all(strcmp(argv[1], "nano") == 0);
	print_errors(steal() - stolen);
	return 0;
}
