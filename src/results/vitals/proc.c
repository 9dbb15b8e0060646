/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc.c - What the kernel says of a process
 *
 * The name in /proc/PID/stat is the process's own choice, in parentheses, with
 * blanks and parentheses in it; so fields are counted from the last one on
 * (proc(5), "/proc/pid/stat").
 */
#include <errno.h>
#include <string.h>

#include "vitals/vitals.h"

/* Numbers of fields, of which the third is the first behind the name. */
enum {
	FIELD_STATE = 3,
	FIELD_USER = 14,
	FIELD_SYSTEM = 15,
	FIELD_THREADS = 20,
	FIELD_START = 22,
	FIELD_PAGES = 24,
};

static bool read_number(const char *p, size_t n, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9' || v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	*out = v;
	return n > 0;
}

int vitals_stat(struct vitals_stat *out, const char *p, size_t n)
{
	uint64_t value[FIELD_PAGES + 1] = { 0 };
	size_t at = n;

	while (at > 0 && p[at - 1] != ')')
		at--;
	if (at == 0)
		return -EINVAL;
	for (unsigned field = FIELD_STATE; field <= FIELD_PAGES; field++) {
		size_t from;

		while (at < n && p[at] == ' ')
			at++;
		from = at;
		while (at < n && p[at] != ' ' && p[at] != '\n')
			at++;
		if (from == at)
			return -EINVAL;
		if ((field == FIELD_USER || field == FIELD_SYSTEM ||
		     field == FIELD_THREADS || field == FIELD_START ||
		     field == FIELD_PAGES) &&
		    !read_number(p + from, at - from, &value[field]))
			return -EINVAL;
	}
	out->ticks = value[FIELD_USER] + value[FIELD_SYSTEM];
	out->threads = value[FIELD_THREADS];
	out->start = value[FIELD_START];
	out->pages = value[FIELD_PAGES];
	return 0;
}
