/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_vitals.c - Fuzz what the kernel says of a process, and its name
 *
 * Input: the name that a process gives itself. In a file of /proc with it, what is
 * read are the numbers behind it; the input alone, as a file, is read within its
 * bytes, and leaves the output alone if it is refused. The same bytes as values of
 * a series come to growth that is in order.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vitals/vitals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_copy(struct vitals_stat *out, const void *p, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);
	int rc;

	if (copy == NULL)
		abort();
	memcpy(copy, p, n);
	rc = vitals_stat(out, copy, n);
	free(copy);
	return rc;
}

static void named(const uint8_t *name, size_t n)
{
	static const char rest[] =
		") S 1 2 3 4 5 6 7 8 9 10 700 30 13 14 15 16 5 18 9000 20 1234 "
		"99\n";
	char text[512] = "42 (";
	struct vitals_stat st;

	memcpy(text + 4, name, n);
	memcpy(text + 4 + n, rest, sizeof(rest) - 1);
	assert(read_copy(&st, text, 4 + n + sizeof(rest) - 1) == 0);
	assert(st.ticks == 730 && st.threads == 5);
	assert(st.start == 9000 && st.pages == 1234);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vitals_scratch scratch;
	static struct vitals_series s;
	struct vitals_stat st, before;
	struct vitals_growth g;

	if (size > 300)
		return 0;
	memset(&st, 7, sizeof(st));
	before = st;
	if (read_copy(&st, data, size) != 0)
		assert(memcmp(&st, &before, sizeof(st)) == 0);
	named(data, size);
	memset(&s, 0, sizeof(s));
	for (size_t i = 0; i < size; i++)
		vitals_add(&s, i * 1000000000, data[i]);
	assert(s.n <= VITALS_POINTS);
	vitals_grows(&s, 3600, 10, 1, &scratch, &g);
	assert((g.says == VITALS_TOO_FEW) == (g.points < VITALS_LEAST));
	assert(g.low <= g.high && g.level <= 255);
	return 0;
}
