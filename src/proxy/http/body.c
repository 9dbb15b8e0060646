/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * body.c - Where the body of a message ends
 *
 * Chunks are not taken apart, only counted: what goes by is what was sent. But
 * a line that another reader might take otherwise ends it.
 */
#include "http/body.h"

#include <assert.h>
#include <errno.h>

#define DIGITS 15 /* of a chunk's size */

/* What comes next of chunks; in this order. */
enum {
	SIZE,	   /* a digit of a size, or what ends it */
	EXTENSION, /* of it, up to the line's end */
	SIZE_LF,   /* the LF of that line */
	DATA,	   /* bytes of the chunk */
	DATA_CR,   /* the line's end behind them */
	DATA_LF,
	TRAILER,    /* the first byte of a trailer's line, or the last CR */
	IN_TRAILER, /* the rest of it */
	TRAILER_LF,
	LAST_LF,
};

void http_body_begin(struct http_body *y, const struct http_head *h)
{
	*y = (struct http_body){
		.left = h->length,
		.framing = h->framing,
		.state = SIZE,
		.done = h->framing == HTTP_NO_BODY ||
			(h->framing == HTTP_SIZED && h->length == 0),
	};
}

static int hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_text(uint8_t c)
{
	return c == '\t' || (c >= ' ' && c != 0x7f);
}

/* A byte of a chunk's line. Return: false: it belongs to none */
static bool size_byte(struct http_body *y, uint8_t c)
{
	int v = hex(c);

	if (++y->seen > HTTP_CHUNK_LINE)
		return false;
	if (y->state == SIZE && v >= 0) {
		y->left = y->left * 16 + (unsigned)v;
		return ++y->digits <= DIGITS;
	}
	if (y->digits == 0)
		return false;
	if (c == '\r') {
		y->state = SIZE_LF;
		return true;
	}
	/* Spaces in front of an extension are read otherwise by some. */
	if (y->state == SIZE && c != ';')
		return false;
	y->state = EXTENSION;
	return is_text(c);
}

static bool size_ends(struct http_body *y)
{
	y->state = y->left > 0 ? DATA : TRAILER;
	y->seen = 0;
	y->digits = 0;
	return true;
}

/* A byte of the trailers. Return: as size_byte() */
static bool trailer_byte(struct http_body *y, uint8_t c)
{
	if (++y->seen > HTTP_TRAILERS)
		return false;
	if (c == '\r') {
		y->state = y->state == TRAILER ? LAST_LF : TRAILER_LF;
		return true;
	}
	/* No folded ones. */
	if (y->state == TRAILER && (c == ' ' || c == '\t' || c == ':'))
		return false;
	y->state = IN_TRAILER;
	return is_text(c);
}

static bool chunk_byte(struct http_body *y, uint8_t c)
{
	switch (y->state) {
	case SIZE:
	case EXTENSION:
		return size_byte(y, c);
	case SIZE_LF:
		return c == '\n' && size_ends(y);
	case DATA_CR:
		y->state = DATA_LF;
		return c == '\r';
	case DATA_LF:
		y->state = SIZE;
		return c == '\n';
	case TRAILER:
	case IN_TRAILER:
		return trailer_byte(y, c);
	case TRAILER_LF:
		y->state = TRAILER;
		return c == '\n';
	default:
		assert(y->state == LAST_LF);
		y->done = true;
		return c == '\n';
	}
}

static size_t take_sized(struct http_body *y, size_t n)
{
	if (n > y->left)
		n = (size_t)y->left;
	y->left -= n;
	return n;
}

long http_body_take(struct http_body *y, const uint8_t *b, size_t n)
{
	size_t at = 0;

	if (y->framing == HTTP_TO_END)
		return (long)n;
	if (y->framing != HTTP_CHUNKED) {
		at = y->done ? 0 : take_sized(y, n);
		y->done |= y->left == 0;
		return (long)at;
	}
	while (at < n && !y->done) {
		if (y->state == DATA) {
			at += take_sized(y, n - at);
			if (y->left == 0)
				y->state = DATA_CR;
		} else if (!chunk_byte(y, b[at++])) {
			return -EBADMSG;
		}
	}
	return (long)at;
}
