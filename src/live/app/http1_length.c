/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http1_length.c - What tells how long an HTTP/1 body is
 *
 * Content-Length, Transfer-Encoding, and the lines between chunks. They are
 * read byte by byte: whatever only some readers take for a number or a coding
 * is ambiguous.
 */
#include "app/http1_internal.h"

const struct word http1_codings[] = { WORD("chunked"), WORD("gzip"),
				      WORD("deflate"), WORD("compress"),
				      WORD("x-gzip"),  WORD("x-compress") };

/* One byte of a Content-Length; only 1*DIGIT in white space is read by all. */
static void cl_byte(struct stream *s, uint8_t c)
{
	bool blank = c == ' ' || c == '\t';
	unsigned digit = (unsigned)(c - '0');

	if (s->pos >= CL_BAD || (blank && s->pos != CL_DIGITS))
		return;
	if (blank) {
		s->pos = CL_AFTER;
		return;
	}
	if (!is_digit(c) || s->pos == CL_AFTER ||
	    s->val > ((uint64_t)INT64_MAX - digit) / 10) {
		stream_ambiguous(s, ODD_LENGTH);
		s->pos = s->pos == CL_BEFORE ? CL_NONE : CL_BAD;
		return;
	}
	if (s->pos == CL_DIGITS && s->val == 0)
		stream_ambiguous(s,
				 ODD_LENGTH); /* leading zero: octal to some */
	s->pos = CL_DIGITS;
	s->val = s->val * 10 + digit;
}

uint32_t http1_step_cl(struct stream *s, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!stream_line_end(s, p[i])) {
			if (p[i] != '\r')
				cl_byte(s, p[i]);
			continue;
		}
		if (s->pos == CL_BEFORE)
			stream_ambiguous(s, ODD_LENGTH);
		else if ((s->flags & F_CL) && s->left != s->val)
			stream_ambiguous(s, ODD_LENGTHS);
		if (s->pos != CL_BEFORE && s->pos != CL_NONE &&
		    !(s->flags & F_CL)) {
			s->left = s->val;
			stream_set(s, F_CL);
		}
		stream_enter(s, ST_LINE, 0);
		return i + 1;
	}
	return n;
}

/* An element of Transfer-Encoding ends; @val is its length. */
static void coding_end(struct stream *s)
{
	http1_match_end(s, http1_codings, s->val);
	/* An empty or unknown one, or chunked not the last. */
	if (s->cand == 0 || (s->flags & F_CHUNKED))
		stream_ambiguous(s, ODD_CODING);
	if (s->val > 0)
		stream_clear(s, F_CHUNKED);
	if (s->val > 0 && s->cand == CODING_CHUNKED)
		stream_set(s, F_CHUNKED);
}

uint32_t http1_step_te(struct stream *s, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (stream_line_end(s, c)) {
			coding_end(s);
			stream_enter(s, ST_LINE, 0);
			return i + 1;
		}
		if (c == ',') {
			coding_end(s);
			stream_enter(s, ST_TE, CODING_ALL);
		} else if (c == ' ' || c == '\t') {
			s->pos = s->val > 0; /* behind the word */
		} else if (c != '\r') {
			http1_match(s, http1_codings, s->val++, &c, 1);
			if (s->pos != 0)
				s->cand = 0;
		}
	}
	return n;
}

static int hex_value(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Chunk size (section 7.1); @pos counts its digits. */
uint32_t http1_step_size(struct stream *s, const uint8_t *p, uint32_t n)
{
	uint32_t i = 0;

	for (; i < n; i++) {
		int digit = hex_value(p[i]);

		if (digit < 0)
			break;
		if (s->val >> 59 != 0) {
			stream_malformed(s, ODD_CHUNK_SIZE);
			return i + 1;
		}
		s->val = s->val << 4 | (unsigned)digit;
		if (++s->pos > 16) { /* zeros in front: too many for some */
			stream_ambiguous(s, ODD_CHUNK_SIZE);
			s->pos = 16;
		}
	}
	if (i == n)
		return i;
	if (s->pos == 0) {
		stream_malformed(s, ODD_CHUNK_SIZE);
		return i + 1;
	}
	if (p[i] != '\r' && p[i] != '\n' && p[i] != ';')
		stream_ambiguous(s, ODD_CHUNK_SIZE);
	s->st = ST_EXT;
	return i;
}

uint32_t http1_step_ext(struct stream *s, const uint8_t *p, uint32_t n)
{
	bool eol;
	uint32_t i = http1_rest_of_line(s, p, n, &eol);

	if (!eol)
		return i;
	if (s->val > 0) {
		s->left = s->val;
		s->st = ST_CHUNK;
	} else {
		stream_set(s, F_TRAILER);
		stream_enter(s, ST_LINE, 0);
	}
	return i;
}

uint32_t http1_step_data_end(struct stream *s, uint8_t c)
{
	if (c == '\r' && !(s->flags & F_CR)) {
		stream_set(s, F_CR);
	} else if (c == '\n') {
		if (!(s->flags & F_CR))
			stream_ambiguous(s, ODD_LINE_END);
		stream_clear(s, F_CR);
		stream_enter(s, ST_SIZE, 0);
	} else {
		stream_malformed(s, ODD_CHUNK_END);
	}
	return 1;
}
