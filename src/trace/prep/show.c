/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show.c - understudy prep -P, -I, -S: what a cache file says
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/exitcode.h"
#include "os/log.h"
#include "prep/prep.h"

#define TCPPREP_INFO_MAX 65535 /* it prints nothing of a longer cache */

/* Map a file. Return: its bytes, NULL after a message. */
static const uint8_t *map_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		*len = (size_t)st.st_size;
		errno = S_ISREG(st.st_mode) ? 0 : EINVAL;
		if (errno == 0 && *len == 0)
			errno = ENODATA;
		if (errno == 0)
			p = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	if (p == MAP_FAILED)
		log_line(LOG_ERROR, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return p == MAP_FAILED ? NULL : p;
}

/* A comment was made by somebody else: nothing of it may steer a terminal. */
static void print_clean(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\n' || c == '\t' || (c >= ' ' && c != 0x7f))
			putchar(c);
		else
			printf("\\x%02x", c);
	}
}

static void show_info(const struct cachefile *f)
{
	for (uint64_t i = 0; i < f->packets; i++) {
		int fate = cachefile_get(f, i);

		printf("Packet %" PRIu64 " -> %s\n", i + 1,
		       fate == BITCACHE_C2S   ? "Primary"
		       : fate == BITCACHE_S2C ? "Secondary"
					      : "Don't Send");
	}
}

static void show_stats(const struct cachefile *f)
{
	uint64_t n[4] = { 0 };

	for (uint64_t i = 0; i < f->packets; i++)
		n[cachefile_get(f, i)]++;
	printf("Primary packets:\t%" PRIu64 "\n", n[BITCACHE_C2S]);
	printf("Secondary packets:\t%" PRIu64 "\n", n[BITCACHE_S2C]);
	printf("Skipped packets:\t%" PRIu64 "\n", n[BITCACHE_SKIP]);
	printf("------------------------------\n");
	printf("Total packets:\t\t%" PRIu64 "\n", f->packets);
}

int prep_show(const struct prep_args *a)
{
	struct cachefile f;
	size_t len = 0;
	const uint8_t *p = map_file(a->in, &len);
	struct errbuf e = { "" };
	int rc;

	if (!p)
		return EXIT_ERROR;
	if (prep_confine(a, NULL, 0, false, &e) != 0) {
		log_line(LOG_ERROR, "prep: %s", e.s);
		return EXIT_ERROR;
	}
	rc = cachefile_open(&f, p, len);
	if (rc) {
		log_line(LOG_ERROR, "%s: %s", a->in, cachefile_why(rc));
	} else if (a->show == 'P') {
		printf("tcpprep args: ");
		print_clean(f.comment, f.comment_len);
		printf("\nCache contains data for %" PRIu64 " packets\n",
		       f.packets);
	} else if (a->show == 'S') {
		show_stats(&f);
	} else if (a->tcpprep && f.packets > TCPPREP_INFO_MAX) {
		log_line(LOG_ERROR,
			 "%s: tcpprep prints nothing of more than %d packets",
			 a->in, TCPPREP_INFO_MAX);
		rc = -EFBIG;
	} else {
		show_info(&f);
	}
	munmap((void *)(uintptr_t)p, len);
	return rc ? EXIT_ERROR : EXIT_SAME;
}
