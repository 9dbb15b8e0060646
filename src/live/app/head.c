/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * head.c - Lines of a kept head
 */
#include "app/head.h"

#include <string.h>

bool head_next(struct head_rest *r, struct head_line *l)
{
	const uint8_t *lf;

	if (r->p == r->end)
		return false;
	lf = memchr(r->p, '\n', (size_t)(r->end - r->p));
	l->p = r->p;
	r->p = lf ? lf + 1 : r->end;
	l->n = (size_t)((lf ? lf : r->end) - l->p);
	if (l->n > 0 && l->p[l->n - 1] == '\r')
		l->n--;
	return true;
}

size_t head_name(const struct head_line *l)
{
	const uint8_t *colon = l->n > 0 ? memchr(l->p, ':', l->n) : NULL;

	return colon ? (size_t)(colon - l->p) : l->n;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct head_line head_value(struct head_line l, size_t name)
{
	l.p += name + 1;
	l.n -= name + 1;
	while (l.n > 0 && is_blank(l.p[0])) {
		l.p++;
		l.n--;
	}
	while (l.n > 0 && is_blank(l.p[l.n - 1]))
		l.n--;
	return l;
}

bool head_same(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = a[i] | 0x20;

		if (a[i] != b[i] &&
		    ((a[i] ^ b[i]) != 0x20 || c < 'a' || c > 'z'))
			return false;
	}
	return true;
}

unsigned head_find(struct head_rest head, const char *name,
		   struct head_line *out)
{
	size_t n = strlen(name);
	unsigned found = 0;
	struct head_line l;

	while (head_next(&head, &l)) {
		if (l.n <= n || head_name(&l) != n ||
		    !head_same(l.p, (const uint8_t *)name, n))
			continue;
		if (found++ == 0)
			*out = head_value(l, n);
	}
	return found;
}

bool head_has(const struct head_line *l, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= l->n; i++)
		if (head_same(l->p + i, (const uint8_t *)word, n))
			return true;
	return false;
}
