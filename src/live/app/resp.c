/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resp.c - Read RESP as it comes
 *
 * Theory of operation
 *
 * (Redis serialization protocol specification.) The first byte of a value is
 * its type. Of a container, of a string a number follows, and CR LF; behind a
 * string's bytes stands CR LF again. All other values are a line. A container
 * of n values is n values more to come and one less, wherever it lies; -1 is a
 * value that is not there. Streamed values, whose length is not known before
 * they end, are in the specification, but no server sends them: they are no
 * RESP here.
 */
#include "app/resp.h"

#include <assert.h>
#include <string.h>

#define DIGITS	  10u /* of a number at most */
#define MOST_LEFT (UINT64_C(1) << 48)

/* Where in a value; RESP_AT_TYPE and RESP_AT_TEXT are the other two. */
enum {
	AT_NUMBER = RESP_AT_TEXT + 1,
	AT_NUMBER_LF,
	AT_LINE,
	AT_CR,
	AT_LF,
};

static bool is_container(uint8_t type)
{
	return type == '*' || type == '~' || type == '>' || type == '%' ||
	       type == '|';
}

static void bad(struct resp_found *out)
{
	out->what = RESP_BAD;
}

static void read_type(struct resp *r, uint8_t type, struct resp_found *out)
{
	if (r->left == 0)
		r->left = 1;
	else if (type == '>')
		return bad(out); /* stands between messages only */
	r->type = type;
	r->number = 0;
	r->digits = 0;
	r->minus = false;
	if (is_container(type) || type == '$' || type == '!' || type == '=')
		r->where = AT_NUMBER;
	else if (type != 0 && memchr("+-:_,#(", type, 7))
		r->where = AT_LINE;
	else
		return bad(out);
	out->used = 1;
}

static void read_number(struct resp *r, const uint8_t *p, uint32_t n,
			struct resp_found *out)
{
	uint32_t i = 0;

	for (; i < n && p[i] != '\r'; i++) {
		if (p[i] == '-' && r->digits == 0 && !r->minus) {
			r->minus = true;
			continue;
		}
		if (p[i] < '0' || p[i] > '9' || r->digits == DIGITS) {
			out->used = i;
			return bad(out);
		}
		r->number = r->number * 10 + (p[i] - '0');
		r->digits++;
	}
	out->used = i;
	if (i == n)
		return;
	if (r->digits == 0 || (r->minus && r->number != 1))
		return bad(out);
	out->used = i + 1;
	r->where = AT_NUMBER_LF;
}

/* A value is over. */
static void value(struct resp *r, bool null, struct resp_found *out)
{
	assert(r->left > 0);
	r->where = RESP_AT_TYPE;
	out->what = RESP_VALUE;
	out->null = null;
	out->ends = --r->left == 0;
}

static void open(struct resp *r, struct resp_found *out)
{
	uint64_t count = r->number;

	if (r->type == '%' || r->type == '|')
		count *= 2;
	if (r->type == '|')
		count++;
	if (r->left - 1 + count > MOST_LEFT)
		return bad(out);
	r->left += count - 1;
	r->where = RESP_AT_TYPE;
	out->what = RESP_OPEN;
	out->count = count;
	out->ends = r->left == 0;
}

/* The line of a number has ended. */
static void settle(struct resp *r, struct resp_found *out)
{
	out->used = 1;
	if (r->minus)
		return value(r, true, out);
	if (is_container(r->type))
		return open(r, out);
	r->where = r->number > 0 ? RESP_AT_TEXT : AT_CR;
}

static void read_line(struct resp *r, const uint8_t *p, uint32_t n,
		      struct resp_found *out)
{
	const uint8_t *end = memchr(p, '\r', n);
	uint32_t len = end ? (uint32_t)(end - p) : n;
	const uint8_t *lf = len > 0 ? memchr(p, '\n', len) : NULL;

	if (lf) {
		out->used = (uint32_t)(lf - p);
		return bad(out);
	}
	if (len > 0) {
		out->used = len;
		out->what = RESP_TEXT;
		return;
	}
	out->used = 1;
	r->where = AT_LF;
}

static void read_text(struct resp *r, uint32_t n, struct resp_found *out)
{
	out->used = n < r->number ? n : (uint32_t)r->number;
	out->what = RESP_TEXT;
	r->number -= out->used;
	if (r->number == 0)
		r->where = AT_CR;
}

void resp_next(struct resp *r, const uint8_t *p, uint32_t n,
	       struct resp_found *out)
{
	assert(n >= 1);
	*out = (struct resp_found){ .what = RESP_BYTES };
	switch (r->where) {
	case RESP_AT_TYPE:
		read_type(r, p[0], out);
		break;
	case AT_NUMBER:
		read_number(r, p, n, out);
		break;
	case AT_LINE:
		read_line(r, p, n, out);
		break;
	case RESP_AT_TEXT:
		read_text(r, n, out);
		break;
	default:
		if (p[0] != (r->where == AT_CR ? '\r' : '\n')) {
			bad(out);
			break;
		}
		out->used = 1;
		if (r->where == AT_CR)
			r->where = AT_LF;
		else if (r->where == AT_NUMBER_LF)
			settle(r, out);
		else
			value(r, false, out);
		break;
	}
	out->type = r->type;
}
