/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lifetime.c - How long an answer may be served to others
 *
 * Only what production said itself counts: s-maxage, else max-age. Of an answer
 * that is not for a shared cache, or that depends on more of a request than
 * how content may be encoded, another client's is never a right one, however
 * young.
 */
#include "versions/versions.h"

#define MOST (INT64_C(10) * 365 * 24 * 3600) /* s; longer ones are as long */

/* The number behind NAME= among the directives of @l. Return: s, or -1 */
static int64_t seconds_of(const struct head_line *l, const char *name, size_t n)
{
	for (size_t i = 0; i + n < l->n; i++) {
		int64_t s = 0;
		size_t k = i + n;

		if ((i > 0 && l->p[i - 1] != ' ' && l->p[i - 1] != ',' &&
		     l->p[i - 1] != '\t') ||
		    !head_same(l->p + i, (const uint8_t *)name, n))
			continue;
		k += l->p[k] == '"';
		if (k == l->n || l->p[k] < '0' || l->p[k] > '9')
			return -1;
		for (; k < l->n && l->p[k] >= '0' && l->p[k] <= '9'; k++)
			s = s < MOST ? s * 10 + (l->p[k] - '0') : MOST;
		return s < MOST ? s : MOST;
	}
	return -1;
}

/* Does it depend on the request, but for codings? */
static bool varies(struct head_rest head)
{
	static const char coding[] = "accept-encoding";
	struct head_line l;
	unsigned n = head_find(head, "vary", &l);

	if (n == 0)
		return false;
	return n > 1 || l.n != sizeof(coding) - 1 ||
	       !head_same(l.p, (const uint8_t *)coding, l.n);
}

int64_t versions_lifetime(struct head_rest head)
{
	struct head_line l;
	int64_t s;

	if (head_find(head, "cache-control", &l) != 1 || varies(head) ||
	    head_has(&l, "private") || head_has(&l, "no-store") ||
	    head_has(&l, "no-cache") ||
	    head_find(head, "set-cookie", &(struct head_line){ 0 }) != 0)
		return -1;
	s = seconds_of(&l, "s-maxage=", 9);
	if (s < 0)
		s = seconds_of(&l, "max-age=", 8);
	return s < 0 ? -1 : s * INT64_C(1000000000);
}
