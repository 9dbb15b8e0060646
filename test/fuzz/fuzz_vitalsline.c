/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_vitalsline.c - Fuzz a line of understudy vitals, as another host writes it
 *
 * Input: the line. It is read within its bytes; what is refused leaves the output
 * alone; what is taken has numbers in their range, and says the same with blanks
 * around it and when it is read again as it was meant: written anew from what was
 * read. A line of ours with the input as a string in it is taken if that is a string.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vitals/vitals.h"

#define MOST (UINT64_C(1) << 50)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_copy(struct vitals_look *out, const void *p, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);
	struct vitals_look before = *out;
	int rc;

	if (copy == NULL)
		abort();
	memcpy(copy, p, n);
	rc = vitals_line(out, copy, n);
	free(copy);
	assert(rc == 0 || rc == -EINVAL || rc == -ENOMSG);
	assert(rc == 0 || memcmp(out, &before, sizeof(before)) == 0);
	return rc;
}

static bool same(const struct vitals_look *a, const struct vitals_look *b)
{
	return a->rss == b->rss && a->fds == b->fds &&
	       a->threads == b->threads && a->cpu_us == b->cpu_us &&
	       a->restarts == b->restarts;
}

static size_t written(char *out, size_t size, const struct vitals_look *l)
{
	char fds[24];

	snprintf(fds, sizeof(fds),
		 l->fds == VITALS_UNSEEN ? "null" : "%" PRIu64, l->fds);
	return (size_t)snprintf(
		out, size,
		" { "
		"\"schema\":1,\"type\":\"vitals\",\"time_ns\":"
		"1764600000000000000,"
		"\"rss\":%" PRIu64 ",\"fds\" : %s,\"threads\":%" PRIu64
		",\"cpu_us\":%" PRIu64 ",\"restarts\":%" PRIu64 "}\r\n",
		l->rss, fds, l->threads, l->cpu_us, l->restarts);
}

/* A string has no quote, backslash or control character. */
static bool is_string(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == '"' || p[i] == '\\' || p[i] < ' ')
			return false;
	return true;
}

static void within(const uint8_t *data, size_t size)
{
	static const char front[] =
		"{\"schema\":1,\"type\":\"vitals\",\"note\":\"";
	static const char back[] = "\",\"rss\":1,\"fds\":null,\"threads\":2,"
				   "\"cpu_us\":3,\"restarts\":4}\n";
	struct vitals_look l = { .rss = 0 };
	char text[VITALS_LINE];
	size_t n = sizeof(front) - 1;

	memcpy(text, front, n);
	memcpy(text + n, data, size);
	memcpy(text + n + size, back, sizeof(back) - 1);
	if (!is_string(data, size)) {
		(void)read_copy(&l, text, n + size + sizeof(back) - 1);
		return;
	}
	assert(read_copy(&l, text, n + size + sizeof(back) - 1) == 0);
	assert(l.rss == 1 && l.fds == VITALS_UNSEEN && l.threads == 2 &&
	       l.cpu_us == 3 && l.restarts == 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vitals_look l = { .rss = 7 }, again = { .rss = 9 };
	char text[512];

	if (size > 600)
		return 0;
	within(data, size);
	if (read_copy(&l, data, size) != 0)
		return 0;
	assert(l.rss < MOST && l.threads < MOST && l.cpu_us < MOST &&
	       l.restarts < MOST);
	assert(l.fds < MOST || l.fds == VITALS_UNSEEN);
	assert(read_copy(&again, text, written(text, sizeof(text), &l)) == 0);
	assert(same(&l, &again));
	return 0;
}
