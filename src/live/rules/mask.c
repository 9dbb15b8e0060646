/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mask.c - Regular expressions as sets of states in a word
 *
 * Theory of operation
 *
 * Glushkov's construction: each byte or set of the pattern is a state, and
 * there are no others. A part of the pattern is known by the states that can
 * begin it, those that can end it, and whether it can be empty; joining two
 * parts lets the first ones of the second follow the last ones of the first. A
 * repetition reads its part anew as often as it must. So all states of a match
 * are one word, a byte is a step, and nothing is ever tried twice from one
 * beginning. Beginnings are tried one after the other; that product is what the
 * caller's budget is for.
 */
#include "rules/mask.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define DEPTH	16u
#define NO_LAST UINT32_MAX

struct part {
	uint64_t first;
	uint64_t last;
	bool empty;
};

struct reader {
	const char *p;
	size_t n;
	size_t at;
	struct mask *m;
	uint32_t states;
	uint32_t depth;
	int rc;
};

/* The bytes that a state takes. */
struct bytes {
	uint64_t w[4];
};

static void add_byte(struct bytes *b, uint8_t c)
{
	b->w[c / 64] |= UINT64_C(1) << c % 64;
}

static void add_range(struct bytes *b, uint8_t from, uint8_t to)
{
	for (unsigned c = from; c <= to; c++)
		add_byte(b, (uint8_t)c);
}

static char peek(const struct reader *r)
{
	return r->at < r->n ? r->p[r->at] : '\0';
}

static bool fail(struct reader *r, int rc)
{
	if (r->rc == 0)
		r->rc = rc;
	return false;
}

/* Behind a backslash. */
static bool read_escape(struct reader *r, struct bytes *b)
{
	char c = peek(r);

	if (r->at == r->n)
		return fail(r, -EINVAL);
	r->at++;
	if (c == 'd' || c == 'w')
		add_range(b, '0', '9');
	if (c == 'w') {
		add_range(b, 'a', 'z');
		add_range(b, 'A', 'Z');
		add_byte(b, '_');
	}
	if (c == 's') {
		add_byte(b, ' ');
		add_range(b, '\t', '\r');
	}
	if (c == 't')
		add_byte(b, '\t');
	else if (!memchr("dws", c, 3)) {
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9')) {
			r->at--;
			return fail(r, -EINVAL);
		}
		add_byte(b, (uint8_t)c);
	}
	return true;
}

/* Behind "[". */
static bool read_set(struct reader *r, struct bytes *b)
{
	bool not = peek(r) == '^';
	bool first = true;

	r->at += not ;
	for (; first || peek(r) != ']'; first = false) {
		uint8_t from = (uint8_t)peek(r);

		if (r->at == r->n)
			return fail(r, -EINVAL);
		r->at++;
		if (from == '\\') {
			if (!read_escape(r, b))
				return false;
			continue;
		}
		if (peek(r) != '-' || r->at + 1 >= r->n ||
		    r->p[r->at + 1] == ']') {
			add_byte(b, from);
			continue;
		}
		if ((uint8_t)r->p[r->at + 1] < from)
			return fail(r, -EINVAL);
		add_range(b, from, (uint8_t)r->p[r->at + 1]);
		r->at += 2;
	}
	r->at++;
	for (unsigned i = 0; not &&i < 4; i++)
		b->w[i] = ~b->w[i];
	return true;
}

static bool add_state(struct reader *r, const struct bytes *b, struct part *out)
{
	uint64_t bit;

	if (r->states == MASK_STATES)
		return fail(r, -E2BIG);
	bit = UINT64_C(1) << r->states++;
	for (unsigned c = 0; c < 256; c++)
		if (b->w[c / 64] >> c % 64 & 1)
			r->m->set[c] |= bit;
	*out = (struct part){ .first = bit, .last = bit };
	return true;
}

static bool read_choice(struct reader *r, struct part *out);

static bool read_atom(struct reader *r, struct part *out)
{
	struct bytes b = { { 0 } };
	char c = peek(r);

	if (r->at == r->n || memchr("*+?{|)$^", c, 8))
		return fail(r, -EINVAL);
	r->at++;
	if (c == '(') {
		if (r->depth == DEPTH)
			return fail(r, -E2BIG);
		r->depth++;
		if (!read_choice(r, out))
			return false;
		if (peek(r) != ')')
			return fail(r, -EINVAL);
		r->depth--;
		r->at++;
		return true;
	}
	if (c == '.')
		add_range(&b, 0, 255);
	else if (c == '[') {
		if (!read_set(r, &b))
			return false;
	} else if (c == '\\') {
		if (!read_escape(r, &b))
			return false;
	} else {
		add_byte(&b, (uint8_t)c);
	}
	return add_state(r, &b, out);
}

static void follow(struct mask *m, uint64_t from, uint64_t to)
{
	assert(from != 0);
	for (; from != 0; from &= from - 1)
		m->follow[__builtin_ctzll(from)] |= to;
}

static void join(struct mask *m, struct part *a, const struct part *b)
{
	follow(m, a->last, b->first);
	if (a->empty)
		a->first |= b->first;
	a->last = b->empty ? a->last | b->last : b->last;
	a->empty = a->empty && b->empty;
}

/* Read "{2}", "{2,}", "{2,4}", *, + or ?. Return: is there one? */
static bool read_count(struct reader *r, uint32_t *least, uint32_t *most)
{
	uint32_t v[2] = { 0, 0 };
	unsigned i = 0;
	char c = peek(r);

	*least = c == '+';
	*most = c == '?' ? 1 : NO_LAST;
	if (r->at < r->n && memchr("*+?", c, 3)) {
		r->at++;
		return true;
	}
	if (c != '{')
		return false;
	r->at++;
	for (;; r->at++) {
		c = peek(r);
		if (c >= '0' && c <= '9' && v[i] <= MASK_STATES)
			v[i] = v[i] * 10 + (uint32_t)(c - '0');
		else if (c == ',' && i == 0)
			i = 1;
		else
			break;
	}
	if (c != '}' || r->p[r->at - 1] == '{')
		return fail(r, -EINVAL);
	*least = v[0];
	*most = i == 0 ? v[0] : r->p[r->at - 1] == ',' ? NO_LAST : v[1];
	if (*most < *least || *most == 0)
		return fail(r, -EINVAL);
	r->at++;
	return true;
}

/* An atom and how often it stands there. */
static bool read_piece(struct reader *r, struct part *out)
{
	size_t from = r->at, behind;
	uint32_t least, most;
	struct part one = { 0 };

	if (!read_atom(r, out))
		return false;
	if (!read_count(r, &least, &most))
		return r->rc == 0;
	behind = r->at;
	for (uint32_t i = 1; i < (most == NO_LAST ? least : most); i++) {
		r->at = from;
		if (!read_atom(r, &one))
			return false;
		one.empty = one.empty || i >= least;
		join(r->m, out, &one);
	}
	if (most == NO_LAST)
		follow(r->m, out->last, least > 1 ? one.first : out->first);
	if (least == 0)
		out->empty = true;
	r->at = behind;
	return true;
}

static bool read_row(struct reader *r, struct part *out)
{
	struct part next = { 0 };

	if (!read_piece(r, out))
		return false;
	while (r->at < r->n && peek(r) != '|' && peek(r) != ')') {
		if (!read_piece(r, &next))
			return false;
		join(r->m, out, &next);
	}
	return true;
}

static bool read_choice(struct reader *r, struct part *out)
{
	struct part other = { 0 };

	if (!read_row(r, out))
		return false;
	while (peek(r) == '|') {
		r->at++;
		if (!read_row(r, &other))
			return false;
		out->first |= other.first;
		out->last |= other.last;
		out->empty = out->empty || other.empty;
	}
	return true;
}

int mask_read(struct mask *out, const char *p, size_t n, size_t *at)
{
	struct mask m;
	struct reader r = { .p = p, .n = n, .m = &m };
	struct part all = { 0 };

	memset(&m, 0, sizeof(m));
	m.begin = peek(&r) == '^';
	r.at = m.begin;
	m.end = n > 1 && p[n - 1] == '$' && p[n - 2] != '\\';
	r.n -= m.end;
	if (read_choice(&r, &all) && (r.at < r.n || all.empty))
		(void)fail(&r, -EINVAL);
	if (r.rc != 0) {
		*at = r.at;
		return r.rc;
	}
	assert(all.first != 0 && all.last != 0 && r.depth == 0);
	m.first = all.first;
	m.last = all.last;
	*out = m;
	return 0;
}

/* The longest match that begins at @s. Return: its end, or 0 */
static size_t match_at(const struct mask *m, const uint8_t *p, size_t n,
		       size_t s, uint64_t *work)
{
	uint64_t now = m->first & m->set[p[s]];
	size_t i = s + 1, end = 0;

	assert(s < n);
	while (now != 0 && *work > 0) {
		uint64_t next = 0;

		if ((now & m->last) && (!m->end || i == n))
			end = i;
		if (i == n)
			break;
		for (; now != 0; now &= now - 1)
			next |= m->follow[__builtin_ctzll(now)];
		now = next & m->set[p[i++]];
		(*work)--;
	}
	return end;
}

int mask_find(const struct mask *m, const uint8_t *p, size_t n, size_t from,
	      size_t *at, size_t *len, uint64_t *work)
{
	for (size_t s = from; s < n && (!m->begin || s == 0); s++) {
		size_t end = 0;

		if (m->first & m->set[p[s]])
			end = match_at(m, p, n, s, work);
		if (*work == 0)
			return -E2BIG;
		(*work)--;
		if (end > 0) {
			assert(end > s && end <= n);
			*at = s;
			*len = end - s;
			return 1;
		}
	}
	return 0;
}
