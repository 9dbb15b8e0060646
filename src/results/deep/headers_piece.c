/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * headers_piece.c - Parts of a field's value
 */
#include "deep/headers_internal.h"

#include <assert.h>
#include <string.h>

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool same_lower(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i = 0;

	while (i < n && lower(a[i]) == lower(b[i]))
		i++;
	return i == n;
}

bool piece_is(const struct piece *a, const char *text)
{
	return strlen(text) == a->n &&
	       same_lower(a->p, (const uint8_t *)text, a->n);
}

bool piece_same(const struct piece *a, const struct piece *b)
{
	return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

bool piece_same_case(const struct piece *a, const struct piece *b)
{
	return a->n == b->n && same_lower(a->p, b->p, a->n);
}

struct piece piece_trim(struct piece p)
{
	while (p.n > 0 && is_blank(p.p[0])) {
		p.p++;
		p.n--;
	}
	while (p.n > 0 && is_blank(p.p[p.n - 1]))
		p.n--;
	return p;
}

bool piece_next(struct piece *rest, char mark, struct piece *part)
{
	bool quoted = false;
	size_t i = 0;

	if (!rest->p)
		return false;
	for (; i < rest->n; i++) {
		uint8_t c = rest->p[i];

		if (quoted && c == '\\' && i + 1 < rest->n)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == (uint8_t)mark && !quoted)
			break;
	}
	*part = piece_trim((struct piece){ rest->p, i });
	if (i == rest->n) {
		rest->p = NULL;
		rest->n = 0;
	} else {
		rest->p += i + 1;
		rest->n -= i + 1;
	}
	return true;
}

void piece_pair(const struct piece *p, struct piece *name, struct piece *value)
{
	const uint8_t *at = memchr(p->p, '=', p->n);
	size_t n = at ? (size_t)(at - p->p) : p->n;

	*name = piece_trim((struct piece){ p->p, n });
	*value = (struct piece){ p->p + n, 0 };
	if (at)
		*value = piece_trim((struct piece){ at + 1, p->n - n - 1 });
}

void piece_copy(char to[HEADERS_NAME + 1], const struct piece *p)
{
	size_t n = p->n < HEADERS_NAME ? p->n : HEADERS_NAME;

	for (size_t i = 0; i < n; i++)
		to[i] = (char)lower(p->p[i]);
	to[n] = '\0';
}

static bool is_host(uint8_t c)
{
	c = lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.';
}

/* Does a host of this name stand at @at? A dot in front of it is a Domain's. */
static bool host_at(const struct piece *p, size_t at, const char *host,
		    size_t n)
{
	assert(at <= p->n);
	if (p->n - at < n || !same_lower(p->p + at, (const uint8_t *)host, n))
		return false;
	if (at > 0 && is_host(p->p[at - 1]) && !(at == 1 && p->p[0] == '.'))
		return false;
	return at + n == p->n || !is_host(p->p[at + n]);
}

/* Bytes of one host in both, or 0 and 0. */
static void host_pair(const struct rules *r, const struct piece *a, size_t i,
		      const struct piece *b, size_t k, size_t len[2])
{
	for (uint32_t n = 0; n < rules_aliases(r); n++) {
		const struct host_alias *h = rules_alias(r, n);

		if (host_at(a, i, h->host[0], h->len[0]) &&
		    host_at(b, k, h->host[1], h->len[1])) {
			len[0] = h->len[0];
			len[1] = h->len[1];
			return;
		}
	}
	len[0] = len[1] = 0;
}

bool piece_same_host(const struct rules *r, const struct piece *a,
		     const struct piece *b)
{
	size_t i = 0, k = 0, len[2];

	while (i < a->n && k < b->n) {
		host_pair(r, a, i, b, k, len);
		if (len[0] == 0 && a->p[i] != b->p[k])
			return false;
		i += len[0] > 0 ? len[0] : 1;
		k += len[1] > 0 ? len[1] : 1;
	}
	assert(i <= a->n && k <= b->n);
	return i == a->n && k == b->n;
}
