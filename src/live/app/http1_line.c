/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http1_line.c - Start lines and field lines of HTTP/1
 *
 * Names that matter are matched byte by byte against a short table; everything
 * else is skipped by to_ctl().
 */
#include <string.h>

#include "app/http1_internal.h"
#include "core/bytes.h"

/* Fields that matter; bit i of @cand is row i. */
static const struct word names[] = { WORD("content-length"),
				     WORD("transfer-encoding"),
				     WORD("connection") };

static const struct word options[] = { WORD("close"), WORD("keep-alive") };

/* 1: character of a token (RFC 9110 section 5.6.2); rows of 16. */
/* clang-format off */
const uint8_t http1_tchar[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x00 */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x10 */
	0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0, /* 0x20 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, /* 0x30 */
	0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x40 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, /* 0x50 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x60 */
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, /* 0x70 */
};
/* clang-format on */

/* "HEAD" and "CONNECT" as big-endian numbers. */
#define WORD_HEAD    UINT64_C(0x48454144)
#define WORD_CONNECT UINT64_C(0x434f4e4e454354)

/**
 * to_ctl() - Find the first control character
 *
 * Per word: the high bit of each byte below 0x20 is set in @hit. A borrow can
 * only go up from such a byte, so the lowest one is exact.
 *
 * Return: its offset, or @n
 */
static uint32_t to_ctl(const uint8_t *p, uint32_t n)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint32_t i = 0;

	for (; n - i >= 8; i += 8) {
		uint64_t w = get_le64(p + i);
		uint64_t hit = (w - ones * 0x20) & ~w & ones * 0x80;

		if (hit != 0)
			return i + (uint32_t)__builtin_ctzll(hit) / 8;
	}
	while (i < n && p[i] >= 0x20)
		i++;
	return i;
}

void http1_match(struct stream *s, const struct word *table, uint64_t at,
		 const uint8_t *p, uint32_t n)
{
	for (unsigned row = 0; s->cand >> row != 0; row++) {
		const struct word *w = &table[row];
		uint32_t i = 0;

		if (!(s->cand >> row & 1))
			continue;
		if (at <= w->len && n <= w->len - at)
			while (i < n &&
			       (uint8_t)w->text[at + i] == (p[i] | 0x20))
				i++;
		if (i < n)
			s->cand &= (uint8_t) ~(1u << row);
	}
}

void http1_match_end(struct stream *s, const struct word *table, uint64_t len)
{
	for (unsigned row = 0; s->cand >> row != 0; row++)
		if ((s->cand >> row & 1) && table[row].len != len)
			s->cand &= (uint8_t) ~(1u << row);
}

/* Remember the last nine bytes: @pos, then @val. */
static void tail_add(struct stream *s, const uint8_t *p, uint32_t n)
{
	if (n >= 9) {
		s->pos = p[n - 9];
		s->val = get_be64(p + n - 8);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		s->pos = (uint8_t)(s->val >> 56);
		s->val = s->val << 8 | p[i];
	}
}

uint32_t http1_rest_of_line(struct stream *s, const uint8_t *p, uint32_t n,
			    bool *eol)
{
	uint32_t i = 0;

	*eol = false;
	while (i < n) {
		uint32_t k;

		if (s->flags & F_CR) {
			stream_clear(s, F_CR);
			if (p[i] == '\n') {
				*eol = true;
				return i + 1;
			}
			stream_ambiguous(s, ODD_LINE_END);
			if (s->st == ST_TARGET)
				tail_add(s, (const uint8_t *)"\r", 1);
		}
		k = to_ctl(p + i, n - i);
		if (s->st == ST_TARGET)
			tail_add(s, p + i, k);
		i += k;
		if (i == n)
			break;
		switch (p[i++]) {
		case '\n': /* to some a line end, to some a part of the line */
			stream_ambiguous(s, ODD_LINE_END);
			*eol = true;
			return i;
		case '\r':
			stream_set(s, F_CR);
			break;
		case '\t':
			break;
		default:
			stream_ambiguous(s, ODD_CONTROL);
			break;
		}
	}
	return i;
}

/* Skip empty lines; the first other byte begins the message. */
uint32_t http1_step_start(struct stream *s, enum who who, uint8_t c,
			  struct framer_piece *out)
{
	if (c == '\r' || c == '\n') {
		/* Only before a request (section 2.2). */
		if (who != WHO_CLIENT || ((s->flags & F_CR) && c == '\r'))
			stream_ambiguous(s, ODD_EMPTY_LINE);
		stream_clear(s, F_CR);
		if (c == '\r')
			stream_set(s, F_CR);
		return 1;
	}
	if (s->flags & F_CR)
		stream_ambiguous(s, ODD_LINE_END);
	stream_clear(s, F_CR);
	stream_set(s, F_FIRST);
	if (!(s->flags & F_BEGUN))
		out->flags |= FRAMER_BEGIN;
	stream_set(s, F_BEGUN);
	stream_enter(s, who == WHO_CLIENT ? ST_METHOD : ST_STATUS, 0);
	return 0;
}

uint32_t http1_step_method(struct http1 *h, struct stream *s, const uint8_t *p,
			   uint32_t n)
{
	uint32_t i = 0;

	for (; i < n && http1_tchar[p[i]] != 0; i++) {
		s->val = s->val << 8 | p[i];
		if (++s->pos > METHOD_MAX) {
			stream_tunnel(s);
			return i + 1;
		}
	}
	if (i == n)
		return i;
	if (p[i] != ' ' || s->pos == 0) {
		stream_tunnel(s);
		return i + 1;
	}
	if (s->pos == 4 && s->val == WORD_HEAD)
		http1_ring_push(h, METHOD_HEAD);
	else if (s->pos == 7 && s->val == WORD_CONNECT)
		http1_ring_push(h, METHOD_CONNECT);
	else
		http1_ring_push(h, METHOD_OTHER);
	stream_enter(s, ST_TARGET, 0);
	return i + 1;
}

uint32_t http1_step_target(struct stream *s, const uint8_t *p, uint32_t n)
{
	bool eol;
	uint32_t i = http1_rest_of_line(s, p, n, &eol);

	if (!eol)
		return i;
	if (s->pos != ' ' || s->val >> 8 != WORD_HTTP1 ||
	    !is_digit((uint8_t)s->val)) {
		stream_tunnel(s);
		return i;
	}
	if ((uint8_t)s->val == '0')
		stream_set(s, F_V10);
	stream_enter(s, ST_LINE, 0);
	return i;
}

/* "HTTP/1." DIGIT SP 3DIGIT, and then a space or the end (section 4). */
uint32_t http1_step_status(struct stream *s, const uint8_t *p, uint32_t n)
{
	static const uint8_t begin[7] = { 'H', 'T', 'T', 'P', '/', '1', '.' };
	uint32_t i = 0;

	for (; i < n && s->pos < 12; i++, s->pos++) {
		uint8_t c = p[i];
		bool ok = s->pos == 8 ? c == ' ' : is_digit(c);

		if (s->pos < 7)
			ok = c == begin[s->pos];
		else if (s->pos == 7 && c == '0')
			stream_set(s, F_V10);
		else if (s->pos == 9)
			ok = c >= '1' && c <= '9';
		if (!ok) {
			stream_malformed(s, ODD_STATUS_LINE);
			return i + 1;
		}
		if (s->pos >= 9)
			s->status = (uint16_t)(s->status * 10 + (c - '0'));
	}
	if (s->pos == 12 && s->status < 200 && s->status != 101)
		stream_set(s, F_INTERIM);
	if (i == n)
		return i;
	if (p[i] != ' ' && p[i] != '\r' && p[i] != '\n') {
		stream_malformed(s, ODD_STATUS_LINE);
		return i + 1;
	}
	/* It stands where the answer before was thought to end: that is certain
	 * now.
	 */
	stream_clear(s, F_DOUBT);
	s->st = ST_REASON;
	return i;
}

/* Skip a line that tells nothing; @next is the state behind it. */
uint32_t http1_step_skip(struct stream *s, const uint8_t *p, uint32_t n,
			 enum state next)
{
	bool eol;
	uint32_t i = http1_rest_of_line(s, p, n, &eol);

	if (eol)
		stream_enter(s, next, 0);
	return i;
}

uint32_t http1_step_line(struct http1 *h, struct stream *s, enum who who,
			 uint8_t c, struct framer_piece *out)
{
	uint8_t cand = 0;

	if (c == '\r') {
		s->st = ST_EMPTY;
		return 1;
	}
	if (c == '\n') {
		stream_ambiguous(s, ODD_LINE_END);
		http1_fields_end(h, s, who, out);
		return 1;
	}
	if (c == ' ' || c == '\t') {
		/* obs-fold (section 5.2): part of the line before, or skipped,
		 * or a field with a blank in front. In an answer it is told
		 * by comparison, if it is not where lengths are.
		 */
		if (who == WHO_CLIENT || (s->flags & (F_FIRST | F_LENGTH)))
			stream_ambiguous(s, ODD_FOLD);
		s->st = ST_VALUE;
		return 1;
	}
	stream_clear(s, F_FIRST | F_LENGTH);
	if (!(s->flags & F_TRAILER)) /* lengths in trailers are none */
		cand = (c | 0x20) == 'c'   ? NAME_CL | NAME_CONN
		       : (c | 0x20) == 't' ? NAME_TE
					   : 0;
	stream_enter(s, ST_NAME, cand);
	return 0;
}

uint32_t http1_step_empty(struct http1 *h, struct stream *s, enum who who,
			  uint8_t c, struct framer_piece *out)
{
	if (c == '\n') {
		http1_fields_end(h, s, who, out);
		return 1;
	}
	stream_ambiguous(s, ODD_LINE_END);
	s->st = ST_VALUE;
	return 0;
}

/* The colon is there: choose how the value is read. */
static void name_end(struct stream *s)
{
	if (s->pos == 0)
		stream_ambiguous(s, ODD_FIELD_NAME);
	http1_match_end(s, names, s->pos);
	switch (s->cand) {
	case NAME_CL:
		stream_set(s, F_LENGTH);
		stream_enter(s, ST_CL, 0);
		break;
	case NAME_TE:
		stream_set(s, F_LENGTH | F_TE);
		stream_enter(s, ST_TE, CODING_ALL);
		break;
	case NAME_CONN:
		stream_enter(s, ST_CONN, OPTION_ALL);
		break;
	default:
		s->st = ST_VALUE;
		break;
	}
}

uint32_t http1_step_name(struct stream *s, const uint8_t *p, uint32_t n)
{
	uint32_t i = 0;

	while (i < n) {
		uint32_t from = i;
		uint8_t c;

		while (i < n && http1_tchar[p[i]] != 0)
			i++;
		if (s->cand != 0)
			http1_match(s, names, s->pos, p + from, i - from);
		if (i > from) /* exact while a name still matches */
			s->pos =
				s->cand != 0 ? (uint8_t)(s->pos + i - from) : 1;
		if (i == n)
			break;
		c = p[i];
		if (c == ':') {
			name_end(s);
			return i + 1;
		}
		/* no name has this, nor has it a colon */
		stream_ambiguous(s, ODD_FIELD_NAME);
		if (c == '\r' || c == '\n') {
			s->st = ST_VALUE;
			return i;
		}
		if (c != ' ' && c != '\t')
			s->cand = 0;
		i++;
	}
	return i;
}

/* An element of Connection ends; @val is its length. */
static void option_end(struct stream *s)
{
	http1_match_end(s, options, s->val);
	if (s->val > 0 && s->cand == OPTION_CLOSE)
		stream_set(s, F_CLOSE);
	if (s->val > 0 && s->cand == OPTION_KEEP)
		stream_set(s, F_KEEP);
}

/* A list of options (RFC 9110 section 7.6.1). It tells nothing about lengths,
 * so that an odd one is ambiguous only where any other field would be.
 */
uint32_t http1_step_connection(struct stream *s, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (stream_line_end(s, c)) {
			option_end(s);
			stream_enter(s, ST_LINE, 0);
			return i + 1;
		}
		if (c == ',') {
			option_end(s);
			stream_enter(s, ST_CONN, OPTION_ALL);
		} else if (c == ' ' || c == '\t') {
			s->pos = s->val > 0; /* behind the word */
		} else if (c != '\r') {
			if (c < ' ')
				stream_ambiguous(s, ODD_CONTROL);
			http1_match(s, options, s->val++, &c, 1);
			if (s->pos != 0)
				s->cand = 0;
		}
	}
	return n;
}
