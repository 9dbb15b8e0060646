/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * near.c - What may have been meant by a word that is not known
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "opt/opt_internal.h"

#define NEAR_MAX 40 /* longest word that is compared, with its end */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Changes of one character, and swaps of two neighbours, between two words. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned d[NEAR_MAX][NEAR_MAX];

	for (size_t i = 0; i <= n; i++)
		d[i][0] = (unsigned)i;
	for (size_t k = 0; k <= m; k++)
		d[0][k] = (unsigned)k;
	for (size_t i = 1; i <= n; i++) {
		for (size_t k = 1; k <= m; k++) {
			unsigned other = a[i - 1] != b[k - 1];

			d[i][k] = least(d[i - 1][k - 1] + other,
					least(d[i - 1][k], d[i][k - 1]) + 1);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
			    a[i - 2] == b[k - 1])
				d[i][k] = least(d[i][k], d[i - 2][k - 2] + 1);
		}
	}
	return d[n][m];
}

int opt_near(const char *word, const char *other)
{
	size_t n = strlen(word);
	size_t m = strlen(other);
	unsigned allowed = (unsigned)(m < 6 ? m : 6) / 3;
	unsigned d;

	if (n >= NEAR_MAX || m >= NEAR_MAX)
		return -1;
	d = distance(word, n, other, m);
	return d <= allowed ? (int)d : -1;
}

/* The name that is nearest to @word, or that begins with it; NULL: none is. */
static const char *nearest(const struct opt_command *c, const char *word)
{
	const char *best = NULL;
	const char *begun = NULL;
	int least_so_far = 0;
	const struct opt_row *r;
	size_t n = strlen(word);

	for (size_t i = 0; (r = opt_row(c, i, NULL)) != NULL; i++) {
		int d = opt_near(word, r->name);

		if (r->flags & OPT_HIDDEN)
			continue;
		if (d >= 0 && (!best || d < least_so_far)) {
			best = r->name;
			least_so_far = d;
		}
		if (!begun && n >= 3 && opt_same_name(r->name, word, n))
			begun = r->name;
	}
	return best ? best : begun;
}

int opt_unknown(const struct opt_command *c, const char *word, struct errbuf *e)
{
	char name[NEAR_MAX] = "";
	const char *bare = word + strspn(word, "-");
	size_t n = strcspn(bare, "=");
	const char *meant = NULL;

	if (n > 0 && n < sizeof(name)) {
		for (size_t i = 0; i < n; i++)
			name[i] = bare[i] == '_' ? '-' : bare[i];
		name[n] = '\0';
		meant = nearest(c, name);
	}
	return errbuf_set(
		e, -EINVAL,
		"no option %s; %s%s%s'understudy %s --help' lists all", word,
		meant ? "did you mean --" : "", meant ? meant : "",
		meant ? "? " : "", c->name);
}
