/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keep_version.c - Which version of an object production answered with
 *
 * This is asked of every answer, also of those that are the same bytes, so it
 * is one walk over a head; content is hashed only where no strong entity tag
 * stands for it (RFC 9110 section 8.8.3).
 */
#include <string.h>

#include "app/head.h"
#include "compare/keep_internal.h"

/* What a head has that tells versions apart. */
struct marks {
	struct head_line etag;
	struct head_line modified;
	bool lives; /* it has a lifetime */
};

static bool is_field(const struct head_line *l, size_t n, const char *name)
{
	return strlen(name) == n && head_same(l->p, (const uint8_t *)name, n);
}

static void read_marks(struct head_rest head, struct marks *m)
{
	struct head_line l;

	*m = (struct marks){ .lives = false };
	while (head_next(&head, &l)) {
		size_t n;

		if (l.n == 0 || !memchr("eElLcC", l.p[0], 6))
			continue;
		n = head_name(&l);
		if (n == l.n)
			continue;
		if (is_field(&l, n, "etag"))
			m->etag = head_value(l, n);
		else if (is_field(&l, n, "last-modified"))
			m->modified = head_value(l, n);
		else if (is_field(&l, n, "cache-control"))
			m->lives |= head_has(&l, "max-age") ||
				    head_has(&l, "s-maxage");
	}
}

static uint64_t add(const struct hash_key *key, uint64_t h, const void *p,
		    size_t n)
{
	uint64_t pair[2] = { h, hash_bytes(key, p, n) };

	return hash_bytes(key, pair, sizeof(pair));
}

uint64_t keep_version(const struct keep *k, const struct hash_key *key,
		      bool any)
{
	const struct strand *head = &k->part[CASE_HEAD];
	const struct strand *body = &k->part[CASE_BODY];
	const uint32_t kept = 1u << CASE_HEAD | 1u << CASE_BODY;
	const struct buf *at = NULL;
	struct head_rest r;
	struct marks m;
	const uint8_t *p;
	uint64_t h;
	uint32_t n;

	if ((k->lost & kept) || !head->first || head->first != head->last)
		return 0;
	r = (struct head_rest){ head->first->data,
				head->first->data + head->tail };
	read_marks(r, &m);
	if (!any && m.etag.n == 0 && m.modified.n == 0 && !m.lives)
		return 0;
	h = add(key, body->len, m.modified.p, m.modified.n);
	h = add(key, h, m.etag.p, m.etag.n);
	while ((m.etag.n == 0 || m.etag.p[0] != '"') &&
	       (p = strand_next(body, &at, &n)))
		h = add(key, h, p, n);
	return h | 1;
}
