/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parts.c - Find the parts of two bodies, and pair them
 *
 * A boundary stands at the beginning of a line, behind two dashes; the line's
 * end in front of it is the boundary's, not the part's. What stands in front of
 * the first one and behind the last one is none of the body's. A body without a
 * last boundary is cut, and cannot be read.
 */
#include "deep/parts.h"

#include <assert.h>
#include <string.h>

#include "deep/headers_internal.h"

#define BOUNDARY 70u /* bytes; RFC 2046 section 5.1.1 */

struct part {
	struct piece head;
	struct piece content;
};

struct parts {
	struct part part[PARTS_MOST];
	uint32_t n;
};

/* The boundary of a Content-Type, without quotes. Return: false: there is none
 */
static bool boundary_of(const uint8_t *p, size_t n, struct piece *out)
{
	struct piece rest = { p, n }, part, name;

	while (piece_next(&rest, ';', &part)) {
		piece_pair(&part, &name, out);
		if (!piece_is(&name, "boundary"))
			continue;
		if (out->n > 1 && out->p[0] == '"' &&
		    out->p[out->n - 1] == '"') {
			out->p++;
			out->n -= 2;
		}
		return out->n > 0 && out->n <= BOUNDARY;
	}
	return false;
}

/* What a line is. */
enum line {
	LINE_OTHER,
	LINE_BOUNDARY,
	LINE_LAST,
};

static enum line line_of(struct piece line, const struct piece *boundary)
{
	size_t n = boundary->n + 2;
	struct piece rest;

	if (line.n < n || line.p[0] != '-' || line.p[1] != '-' ||
	    memcmp(line.p + 2, boundary->p, boundary->n) != 0)
		return LINE_OTHER;
	rest = piece_trim((struct piece){ line.p + n, line.n - n });
	if (rest.n == 0)
		return LINE_BOUNDARY;
	return rest.n == 2 && rest.p[0] == '-' && rest.p[1] == '-' ? LINE_LAST
								   : LINE_OTHER;
}

/* Bytes of the line at @at, with its end. */
static struct piece line_at(const uint8_t *p, size_t n, size_t at)
{
	const uint8_t *end = memchr(p + at, '\n', n - at);

	return (struct piece){ p + at,
			       end ? (size_t)(end - p) + 1 - at : n - at };
}

/* Without the line's end that is the boundary's. */
static size_t without_end(const uint8_t *p, size_t from, size_t to)
{
	if (to > from && p[to - 1] == '\n')
		to--;
	if (to > from && p[to - 1] == '\r')
		to--;
	return to;
}

/* Split a part at its empty line; without one it is all head. */
static void split_part(const uint8_t *p, size_t from, size_t to,
		       struct part *out)
{
	size_t at = from;

	assert(from <= to);
	while (at < to) {
		struct piece line = line_at(p, to, at);

		if (piece_trim(line).n == 0) {
			out->head = (struct piece){ p + from, at - from };
			at += line.n;
			to = without_end(p, at, to);
			out->content = (struct piece){ p + at, to - at };
			return;
		}
		at += line.n;
	}
	to = without_end(p, from, to);
	out->head = (struct piece){ p + from, to - from };
	out->content = (struct piece){ p + to, 0 };
}

/* Return: false: it cannot be read */
static bool read_parts(const uint8_t *p, size_t n, const struct piece *boundary,
		       struct parts *out)
{
	size_t at = 0, from = 0;
	bool inside = false;

	out->n = 0;
	while (at < n) {
		struct piece line = line_at(p, n, at);
		enum line is = line_of(line, boundary);

		if (is != LINE_OTHER && inside) {
			if (out->n == PARTS_MOST)
				return false;
			split_part(p, from, at, &out->part[out->n++]);
		}
		if (is == LINE_LAST)
			return true;
		at += line.n;
		if (is == LINE_BOUNDARY) {
			inside = true;
			from = at;
		}
	}
	return false;
}

static void differ(struct parts_verdict *out, enum parts_change change,
		   uint32_t part, const uint8_t *const body[2],
		   const struct piece *a, const struct piece *b)
{
	const struct piece *of[2] = { a, b };

	assert(part < PARTS_MOST && (a || b));
	out->outcome = PARTS_DIFFERENT;
	out->change = change;
	out->part = part;
	for (unsigned i = 0; i < 2; i++) {
		if (!of[i])
			continue;
		out->at[i] = (size_t)(of[i]->p - body[i]);
		out->len[i] = of[i]->n;
	}
}

void multipart_compare(const struct headers_rules *by,
		       const uint8_t *const type[2], const size_t tn[2],
		       const uint8_t *const body[2], const size_t n[2],
		       struct parts_verdict *out)
{
	struct parts parts[2];

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < 2; i++) {
		struct piece boundary;

		if (boundary_of(type[i], tn[i], &boundary) &&
		    read_parts(body[i], n[i], &boundary, &parts[i]))
			continue;
		out->outcome = i == 0 ? PARTS_UNJUDGED : PARTS_DIFFERENT;
		out->change = i == 0 ? PARTS_NO_CHANGE : PARTS_BROKEN;
		return;
	}
	for (uint32_t i = 0; i < parts[0].n && i < parts[1].n; i++) {
		const struct part *p = &parts[0].part[i];
		const struct part *q = &parts[1].part[i];

		headers_compare(by, p->head.p, p->head.n, q->head.p, q->head.n,
				&out->head);
		out->made |= out->head.made;
		if (out->head.outcome != HEADERS_EQUAL) {
			differ(out, PARTS_HEADER, i, body, &p->head, &q->head);
			return;
		}
		if (!piece_same(&p->content, &q->content)) {
			differ(out, PARTS_CONTENT, i, body, &p->content,
			       &q->content);
			return;
		}
	}
	if (parts[0].n > parts[1].n)
		differ(out, PARTS_MISSING, parts[1].n, body,
		       &parts[0].part[parts[1].n].content, NULL);
	else if (parts[1].n > parts[0].n)
		differ(out, PARTS_EXTRA, parts[0].n, body, NULL,
		       &parts[1].part[parts[0].n].content);
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next byte that a form means; -1: there is none. */
static int next_byte(struct piece *p)
{
	int high, low, c;

	if (p->n == 0)
		return -1;
	c = p->p[0];
	high = p->n > 2 ? hex_value(p->p[1]) : -1;
	low = p->n > 2 ? hex_value(p->p[2]) : -1;
	if (c == '%' && high >= 0 && low >= 0) {
		p->p += 3;
		p->n -= 3;
		return high << 4 | low;
	}
	p->p++;
	p->n--;
	return c == '+' ? ' ' : c;
}

/* Do two pieces of forms mean the same bytes? */
static bool same_bytes(struct piece a, struct piece b)
{
	int c, d;

	do {
		c = next_byte(&a);
		d = next_byte(&b);
	} while (c == d && c >= 0);
	return c == d;
}

/* A field of a form; head is its name. */
static bool read_form(const uint8_t *p, size_t n, struct parts *out)
{
	size_t at = 0;

	out->n = 0;
	while (at < n) {
		const uint8_t *end = memchr(p + at, '&', n - at);
		size_t to = end ? (size_t)(end - p) : n;
		const uint8_t *is = memchr(p + at, '=', to - at);
		size_t mid = is ? (size_t)(is - p) : to;
		struct part *f = &out->part[out->n];

		if (out->n == PARTS_MOST)
			return false;
		f->head = (struct piece){ p + at, mid - at };
		assert(at <= mid && mid <= to && to <= n);
		mid += is != NULL;
		f->content = (struct piece){ p + mid, to - mid };
		out->n++;
		at = to + 1;
	}
	return true;
}

void form_compare(const uint8_t *const body[2], const size_t n[2],
		  struct parts_verdict *out)
{
	struct parts form[2];
	bool taken[PARTS_MOST] = { false };
	uint32_t k;

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < 2; i++) {
		if (read_form(body[i], n[i], &form[i]))
			continue;
		out->outcome = i == 0 ? PARTS_UNJUDGED : PARTS_DIFFERENT;
		out->change = i == 0 ? PARTS_NO_CHANGE : PARTS_BROKEN;
		return;
	}
	for (uint32_t i = 0; i < form[0].n; i++) {
		const struct part *f = &form[0].part[i];

		k = 0;
		while (k < form[1].n &&
		       (taken[k] || !same_bytes(f->head, form[1].part[k].head)))
			k++;
		if (k == form[1].n) {
			differ(out, PARTS_MISSING, i, body, &f->content, NULL);
			return;
		}
		taken[k] = true;
		if (!same_bytes(f->content, form[1].part[k].content)) {
			differ(out, PARTS_CONTENT, i, body, &f->content,
			       &form[1].part[k].content);
			return;
		}
	}
	for (k = 0; k < form[1].n && taken[k]; k++)
		;
	if (k < form[1].n)
		differ(out, PARTS_EXTRA, k, body, NULL,
		       &form[1].part[k].content);
}
