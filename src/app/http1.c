/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http1.c - Where HTTP/1.0 and HTTP/1.1 messages end (RFC 9112)
 *
 * Theory of operation
 *
 * Three streams, one machine of states each. A head is read as it comes: nothing
 * is buffered, only what framing needs is remembered (method code, status,
 * Content-Length, the last transfer coding). Names and values that matter are
 * matched byte by byte against short tables; everything else is skipped by
 * to_ctl(), eight bytes at a time, up to the next control character. So the end
 * of a line, a bare CR and a NUL all cost one scan. Bodies are not looked at.
 *
 * The length of an answer depends on the method of its request (HEAD, CONNECT),
 * so the client's stream leaves a code of two bits per request in a ring. It
 * does so as soon as the method is read: an answer may come before the rest of
 * its request. The ring keeps the last HTTP1_RING requests. When a stream of
 * answers lags further, it becomes a tunnel if a code other than METHOD_OTHER
 * was overwritten; else the code can only have been METHOD_OTHER.
 *
 * What production answers decides what the client's stream is: behind a CONNECT
 * the client's bytes wait for nobody (they are a tunnel if they come before the
 * answer), and 101 or a 2xx to CONNECT makes the rest a tunnel. The SUT's answer
 * decides about the SUT's stream only.
 *
 * Wherever two readers are known to split differently the message is ambiguous,
 * and one reading is followed: the one of RFC 9112 where it has one. Where no
 * reading is left (a chunk size without digits) the stream becomes a tunnel.
 *
 * Every decision is made at a byte, never at the end of an input, so the same
 * stream gives the same marks however it is cut.
 */
#include "app/framer.h"

#include <assert.h>
#include <string.h>

#include "core/bytes.h"

#define HTTP1_RING 256u /* outstanding requests whose methods are known */
#define METHOD_MAX 32	/* a longer first word is not a method */

enum state {
	ST_START, /* before a message: empty lines are skipped */
	ST_METHOD,
	ST_TARGET, /* rest of the request line */
	ST_STATUS, /* status line up to the code */
	ST_REASON, /* rest of it */
	ST_LINE,   /* first byte of a field line, or of the empty one */
	ST_EMPTY,  /* behind the CR of an empty line */
	ST_NAME,
	ST_VALUE, /* of a field that does not matter */
	ST_CL,	  /* value of Content-Length */
	ST_TE,	  /* value of Transfer-Encoding */
	ST_SIZE,
	ST_EXT,	     /* chunk extensions */
	ST_DATA_END, /* line end behind chunk data */

	/* From here on not read by lines(). */
	ST_BODY,  /* @left bytes to go */
	ST_CHUNK, /* @left bytes to go */
	ST_UNTIL_FIN,
	ST_CONNECT, /* client: behind CONNECT, not answered yet */
	ST_TUNNEL,
	ST_LOST,
};

enum {
	F_BEGUN = 1 << 0,
	F_AMBIGUOUS = 1 << 1,
	F_CR = 1 << 2,	    /* the byte before was a CR */
	F_FIRST = 1 << 3,   /* no field line yet */
	F_LENGTH = 1 << 4,  /* line before was one of framing: no fold there */
	F_TRAILER = 1 << 5, /* field lines are trailers */
	F_CL = 1 << 6,	    /* @left holds a Content-Length */
	F_TE = 1 << 7,	    /* there was a Transfer-Encoding */
	F_CHUNKED = 1 << 8, /* its last coding so far is chunked */
	F_V10 = 1 << 9,
	F_INTERIM = 1 << 10, /* status is 1xx, not 101 */
};

/* Codes in the ring. */
enum method { METHOD_OTHER, METHOD_HEAD, METHOD_CONNECT, METHOD_UNKNOWN };

/* Progress in a Content-Length value (@pos). */
enum { CL_BEFORE, CL_DIGITS, CL_AFTER, CL_BAD, CL_NONE };

/**
 * struct stream - One endpoint's stream
 * @left:	ST_BODY, ST_CHUNK: bytes to go; in a head: Content-Length
 * @val:	Number, or last bytes of a word, under way
 * @index:	Number of the message
 * @status:	Answers: status so far
 * @flags:	F_ bits
 * @st:		enum state
 * @pos:	Progress inside of the state
 * @cand:	Bit i: row i of the state's table still matches
 */
struct stream {
	uint64_t left;
	uint64_t val;
	uint32_t index;
	uint16_t status;
	uint16_t flags;
	uint8_t st;
	uint8_t pos;
	uint8_t cand;
};

/**
 * struct http1 - State of a connection
 * @s:		Streams
 * @ring:	Method codes, two bits each
 * @asked:	Codes pushed so far: requests [@asked - HTTP1_RING, @asked)
 * @lost:	A code other than METHOD_OTHER was overwritten
 */
struct http1 {
	struct stream s[WHO_COUNT];
	uint8_t ring[HTTP1_RING / 4];
	uint32_t asked;
	bool lost;
};

_Static_assert(sizeof(struct http1) <= FRAMER_STATE_MAX, "state too large");

/* A word that is looked for, lower case. */
struct word {
	uint8_t len;
	char text[18];
};

#define WORD(s)                                                                \
	{                                                                      \
		sizeof(s) - 1, s                                               \
	}

/* Fields of framing; bit i of @cand is row i. */
static const struct word names[] = { WORD("content-length"),
				     WORD("transfer-encoding") };
enum { NAME_CL = 1, NAME_TE = 2 };

/* Registered transfer codings (IANA, "HTTP Transfer Coding Registry"). */
static const struct word codings[] = { WORD("chunked"), WORD("gzip"),
				       WORD("deflate"), WORD("compress"),
				       WORD("x-gzip"),	WORD("x-compress") };
enum { CODING_CHUNKED = 1, CODING_ALL = 63 };

/* 1: character of a token (RFC 9110 section 5.6.2); rows of 16. */
/* clang-format off */
static const uint8_t tchar[256] = {
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

/* "HTTP/1." and "HEAD", "CONNECT" as big-endian numbers. */
#define WORD_HTTP1   UINT64_C(0x485454502f312e)
#define WORD_HEAD    UINT64_C(0x48454144)
#define WORD_CONNECT UINT64_C(0x434f4e4e454354)

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static void set(struct stream *s, unsigned flag)
{
	s->flags = (uint16_t)(s->flags | flag);
}

static void clear(struct stream *s, unsigned flag)
{
	s->flags = (uint16_t)(s->flags & ~flag);
}

/* Go to a state that reads something from its beginning. */
static void enter(struct stream *s, enum state st, uint8_t cand)
{
	s->st = (uint8_t)st;
	s->pos = 0;
	s->cand = cand;
	s->val = 0;
}

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

/* Narrow @cand to the rows of @table that go on with @n bytes at offset @at. */
static void match(struct stream *s, const struct word *table, uint64_t at,
		  const uint8_t *p, uint32_t n)
{
	for (unsigned row = 0; s->cand >> row != 0; row++) {
		const struct word *w = &table[row];
		uint32_t i = 0;

		if ((s->cand >> row & 1) == 0)
			continue;
		if (at <= w->len && n <= w->len - at)
			while (i < n &&
			       (uint8_t)w->text[at + i] == (p[i] | 0x20))
				i++;
		if (i < n)
			s->cand &= (uint8_t) ~(1u << row);
	}
}

/* Reduce @cand to the row that has exactly @len bytes. */
static void match_end(struct stream *s, const struct word *table, uint64_t len)
{
	for (unsigned row = 0; s->cand >> row != 0; row++)
		if ((s->cand >> row & 1) != 0 && table[row].len != len)
			s->cand &= (uint8_t) ~(1u << row);
}

static void ring_push(struct http1 *h, enum method code)
{
	uint32_t at = h->asked % HTTP1_RING;
	unsigned shift = at % 4 * 2;
	uint8_t *cell = &h->ring[at / 4];

	if ((*cell >> shift & 3) != METHOD_OTHER)
		h->lost = true;
	*cell = (uint8_t)((*cell & ~(3u << shift)) | (unsigned)code << shift);
	h->asked++;
}

/**
 * ring_get() - Method code of request @index
 *
 * A request that was not seen yet (a server that speaks first, such as with 408)
 * counts as METHOD_OTHER.
 *
 * Return: 0, or -1 if it has been overwritten
 */
static int ring_get(const struct http1 *h, uint32_t index, enum method *code)
{
	uint32_t ago = h->asked - index;
	uint32_t at = index % HTTP1_RING;

	*code = METHOD_OTHER;
	if (ago == 0 || ago > UINT32_MAX / 2)
		return 0;
	if (ago > HTTP1_RING)
		return h->lost ? -1 : 0;
	*code = (enum method)(h->ring[at / 4] >> (at % 4 * 2) & 3);
	return 0;
}

/* The message ends here; what comes next is its successor. */
static void message_end(struct stream *s, struct framer_piece *out)
{
	out->flags |= FRAMER_MARK;
	if ((s->flags & F_AMBIGUOUS) != 0)
		out->flags |= FRAMER_AMBIGUOUS;
	s->index++;
	s->flags = 0;
	s->left = 0;
	s->status = 0;
	enter(s, ST_START, 0);
}

static void tunnel(struct stream *s)
{
	s->st = ST_TUNNEL;
}

/* Choose how the body is delimited (RFC 9112 section 6.3, rules 3 to 8). */
static void body_begin(struct stream *s, bool answer, struct framer_piece *out)
{
	if ((s->flags & F_TE) != 0) {
		/* Both fields, an HTTP/1.0 peer that cannot know the field, or
		 * a last coding that is not chunked (section 6.1).
		 */
		if ((s->flags & (F_CL | F_V10)) != 0 ||
		    (s->flags & F_CHUNKED) == 0)
			set(s, F_AMBIGUOUS);
		if ((s->flags & F_CHUNKED) != 0) {
			enter(s, ST_SIZE, 0);
			return;
		}
		if (answer) {
			s->st = ST_UNTIL_FIN;
			return;
		}
	}
	if ((s->flags & F_CL) == 0 && answer)
		s->st = ST_UNTIL_FIN;
	else if (s->left > 0)
		s->st = ST_BODY;
	else
		message_end(s, out);
}

static void request_head_end(struct http1 *h, struct stream *s,
			     struct framer_piece *out)
{
	enum method code;
	bool framed = (s->flags & F_TE) != 0 || s->left > 0;

	ring_get(h, s->index, &code); /* just pushed: it is there */
	if (code != METHOD_CONNECT) {
		body_begin(s, false, out);
		return;
	}
	/* Content of CONNECT has no meaning (RFC 9110 section 9.3.6). */
	if (framed)
		set(s, F_AMBIGUOUS);
	message_end(s, out);
	s->st = ST_CONNECT;
}

/* A 1xx head ends: the answer's own head is still to come. */
static void interim_end(struct stream *s, struct framer_piece *out)
{
	if ((s->flags & F_TE) != 0 || s->left > 0)
		set(s, F_AMBIGUOUS);
	out->part = FRAMER_INTERIM;
	out->flags &= (uint16_t)~FRAMER_HEAD_END;
	s->flags &= F_BEGUN | F_AMBIGUOUS;
	s->left = 0;
	s->status = 0;
	enter(s, ST_START, 0);
}

static void answer_head_end(struct http1 *h, struct stream *s, enum who who,
			    struct framer_piece *out)
{
	struct stream *client = &h->s[WHO_CLIENT];
	uint32_t index = s->index;
	unsigned status = s->status;
	bool framed = (s->flags & F_TE) != 0 || s->left > 0;
	enum method code;
	bool switched;

	if ((s->flags & F_INTERIM) != 0) {
		interim_end(s, out);
		return;
	}
	if (ring_get(h, index, &code) != 0) {
		tunnel(s);
		return;
	}
	switched =
		status == 101 || (code == METHOD_CONNECT && status / 100 == 2);
	if (who == WHO_PROD && switched)
		tunnel(client);
	else if (who == WHO_PROD && client->st == ST_CONNECT &&
		 client->index == index + 1)
		client->st = ST_START;

	/* It may have been a HEAD; 204 has no content, some send it. */
	if (code == METHOD_UNKNOWN || (status == 204 && framed))
		set(s, F_AMBIGUOUS);
	if (!switched && code != METHOD_HEAD && status != 204 && status != 304)
		body_begin(s, true, out);
	else
		message_end(s, out);
	if (switched)
		tunnel(s);
}

/* The empty line behind field lines has been read. */
static void fields_end(struct http1 *h, struct stream *s, enum who who,
		       struct framer_piece *out)
{
	if ((s->flags & F_TRAILER) != 0) {
		message_end(s, out);
		return;
	}
	out->flags |= FRAMER_HEAD_END;
	if (who == WHO_CLIENT)
		request_head_end(h, s, out);
	else
		answer_head_end(h, s, who, out);
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

/**
 * rest_of_line() - Skip to the end of a line
 * @eol:	Set to whether it was found
 *
 * Return: bytes taken, its LF included
 */
static uint32_t rest_of_line(struct stream *s, const uint8_t *p, uint32_t n,
			     bool *eol)
{
	uint32_t i = 0;

	*eol = false;
	while (i < n) {
		uint32_t k;

		if ((s->flags & F_CR) != 0) {
			clear(s, F_CR);
			if (p[i] == '\n') {
				*eol = true;
				return i + 1;
			}
			set(s, F_AMBIGUOUS);
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
		case '\n':
			/* Chunk lines end with CRLF only (section 7.1). */
			if (s->st == ST_EXT)
				set(s, F_AMBIGUOUS);
			*eol = true;
			return i;
		case '\r':
			set(s, F_CR);
			break;
		case '\t':
			break;
		default:
			set(s, F_AMBIGUOUS);
			break;
		}
	}
	return i;
}

/* Skip empty lines; the first other byte begins the message. */
static uint32_t step_start(struct stream *s, enum who who, uint8_t c,
			   struct framer_piece *out)
{
	if (c == '\r' || c == '\n') {
		/* Only before a request (section 2.2). */
		if (who != WHO_CLIENT || ((s->flags & F_CR) != 0 && c == '\r'))
			set(s, F_AMBIGUOUS);
		clear(s, F_CR);
		if (c == '\r')
			set(s, F_CR);
		return 1;
	}
	if ((s->flags & F_CR) != 0)
		set(s, F_AMBIGUOUS);
	clear(s, F_CR);
	set(s, F_FIRST);
	if ((s->flags & F_BEGUN) == 0)
		out->flags |= FRAMER_BEGIN;
	set(s, F_BEGUN);
	enter(s, who == WHO_CLIENT ? ST_METHOD : ST_STATUS, 0);
	return 0;
}

static uint32_t step_method(struct http1 *h, struct stream *s, const uint8_t *p,
			    uint32_t n)
{
	uint32_t i = 0;

	for (; i < n && tchar[p[i]] != 0; i++) {
		s->val = s->val << 8 | p[i];
		if (++s->pos > METHOD_MAX) {
			tunnel(s);
			return i + 1;
		}
	}
	if (i == n)
		return i;
	if (p[i] != ' ' || s->pos == 0) {
		tunnel(s);
		return i + 1;
	}
	if (s->pos == 4 && s->val == WORD_HEAD)
		ring_push(h, METHOD_HEAD);
	else if (s->pos == 7 && s->val == WORD_CONNECT)
		ring_push(h, METHOD_CONNECT);
	else
		ring_push(h, METHOD_OTHER);
	enter(s, ST_TARGET, 0);
	return i + 1;
}

static uint32_t step_target(struct stream *s, const uint8_t *p, uint32_t n)
{
	bool eol;
	uint32_t i = rest_of_line(s, p, n, &eol);

	if (!eol)
		return i;
	if (s->pos != ' ' || s->val >> 8 != WORD_HTTP1 ||
	    !is_digit((uint8_t)s->val)) {
		tunnel(s);
		return i;
	}
	if ((uint8_t)s->val == '0')
		set(s, F_V10);
	enter(s, ST_LINE, 0);
	return i;
}

/* "HTTP/1." DIGIT SP 3DIGIT, and then a space or the end (section 4). */
static uint32_t step_status(struct stream *s, const uint8_t *p, uint32_t n)
{
	static const uint8_t begin[7] = { 'H', 'T', 'T', 'P', '/', '1', '.' };
	uint32_t i = 0;

	for (; i < n && s->pos < 12; i++, s->pos++) {
		uint8_t c = p[i];
		bool ok = s->pos == 8 ? c == ' ' : is_digit(c);

		if (s->pos < 7)
			ok = c == begin[s->pos];
		else if (s->pos == 7 && c == '0')
			set(s, F_V10);
		else if (s->pos == 9)
			ok = c >= '1' && c <= '9';
		if (!ok) {
			tunnel(s);
			return i + 1;
		}
		if (s->pos >= 9)
			s->status = (uint16_t)(s->status * 10 + (c - '0'));
	}
	if (s->pos == 12 && s->status < 200 && s->status != 101)
		set(s, F_INTERIM);
	if (i == n)
		return i;
	if (p[i] != ' ' && p[i] != '\r' && p[i] != '\n') {
		tunnel(s);
		return i + 1;
	}
	s->st = ST_REASON;
	return i;
}

/* Skip a line that tells nothing; @next is the state behind it. */
static uint32_t step_skip(struct stream *s, const uint8_t *p, uint32_t n,
			  enum state next)
{
	bool eol;
	uint32_t i = rest_of_line(s, p, n, &eol);

	if (eol)
		enter(s, next, 0);
	return i;
}

static uint32_t step_line(struct http1 *h, struct stream *s, enum who who,
			  uint8_t c, struct framer_piece *out)
{
	uint8_t cand = 0;

	if (c == '\r') {
		s->st = ST_EMPTY;
		return 1;
	}
	if (c == '\n') {
		fields_end(h, s, who, out);
		return 1;
	}
	if (c == ' ' || c == '\t') {
		/* obs-fold (section 5.2); before the first field or behind a
		 * length some skip the line, some take it.
		 */
		if ((s->flags & (F_FIRST | F_LENGTH)) != 0)
			set(s, F_AMBIGUOUS);
		s->st = ST_VALUE;
		return 1;
	}
	clear(s, F_FIRST | F_LENGTH);
	if ((s->flags & F_TRAILER) == 0) /* lengths in trailers are none */
		cand = (c | 0x20) == 'c'   ? NAME_CL
		       : (c | 0x20) == 't' ? NAME_TE
					   : 0;
	enter(s, ST_NAME, cand);
	return 0;
}

static uint32_t step_empty(struct http1 *h, struct stream *s, enum who who,
			   uint8_t c, struct framer_piece *out)
{
	if (c == '\n') {
		fields_end(h, s, who, out);
		return 1;
	}
	set(s, F_AMBIGUOUS);
	s->st = ST_VALUE;
	return 0;
}

/* The colon is there: choose how the value is read. */
static void name_end(struct stream *s)
{
	if (s->pos == 0)
		set(s, F_AMBIGUOUS);
	match_end(s, names, s->pos);
	switch (s->cand) {
	case NAME_CL:
		set(s, F_LENGTH);
		enter(s, ST_CL, 0);
		break;
	case NAME_TE:
		set(s, F_LENGTH | F_TE);
		enter(s, ST_TE, CODING_ALL);
		break;
	default:
		s->st = ST_VALUE;
		break;
	}
}

static uint32_t step_name(struct stream *s, const uint8_t *p, uint32_t n)
{
	uint32_t i = 0;

	while (i < n) {
		uint32_t from = i;
		uint8_t c;

		while (i < n && tchar[p[i]] != 0)
			i++;
		if (s->cand != 0)
			match(s, names, s->pos, p + from, i - from);
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
		set(s, F_AMBIGUOUS); /* no name has this, nor has it a colon */
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

/**
 * line_end() - Notice the end of a line in a value that is read byte by byte
 *
 * Return: true if @c is its LF; a CR is remembered, and is bare if anything else
 * follows
 */
static bool line_end(struct stream *s, uint8_t c)
{
	if (c == '\n') {
		clear(s, F_CR);
		return true;
	}
	if ((s->flags & F_CR) != 0)
		set(s, F_AMBIGUOUS);
	clear(s, F_CR);
	if (c == '\r')
		set(s, F_CR);
	return false;
}

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
		set(s, F_AMBIGUOUS);
		s->pos = s->pos == CL_BEFORE ? CL_NONE : CL_BAD;
		return;
	}
	if (s->pos == CL_DIGITS && s->val == 0)
		set(s, F_AMBIGUOUS); /* leading zero: octal to some */
	s->pos = CL_DIGITS;
	s->val = s->val * 10 + digit;
}

static uint32_t step_cl(struct stream *s, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!line_end(s, p[i])) {
			if (p[i] != '\r')
				cl_byte(s, p[i]);
			continue;
		}
		if (s->pos == CL_BEFORE ||
		    ((s->flags & F_CL) != 0 && s->left != s->val))
			set(s, F_AMBIGUOUS);
		if (s->pos != CL_BEFORE && s->pos != CL_NONE &&
		    (s->flags & F_CL) == 0) {
			s->left = s->val;
			set(s, F_CL);
		}
		enter(s, ST_LINE, 0);
		return i + 1;
	}
	return n;
}

/* An element of Transfer-Encoding ends; @val is its length. */
static void coding_end(struct stream *s)
{
	match_end(s, codings, s->val);
	/* An empty or unknown one, or chunked not the last. */
	if (s->cand == 0 || (s->flags & F_CHUNKED) != 0)
		set(s, F_AMBIGUOUS);
	if (s->val > 0)
		clear(s, F_CHUNKED);
	if (s->val > 0 && s->cand == CODING_CHUNKED)
		set(s, F_CHUNKED);
}

static uint32_t step_te(struct stream *s, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (line_end(s, c)) {
			coding_end(s);
			enter(s, ST_LINE, 0);
			return i + 1;
		}
		if (c == ',') {
			coding_end(s);
			enter(s, ST_TE, CODING_ALL);
		} else if (c == ' ' || c == '\t') {
			s->pos = s->val > 0; /* behind the word */
		} else if (c != '\r') {
			match(s, codings, s->val++, &c, 1);
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
static uint32_t step_size(struct stream *s, const uint8_t *p, uint32_t n)
{
	uint32_t i = 0;

	for (; i < n; i++) {
		int digit = hex_value(p[i]);

		if (digit < 0)
			break;
		if (s->val >> 59 != 0) {
			set(s, F_AMBIGUOUS);
			tunnel(s);
			return i + 1;
		}
		s->val = s->val << 4 | (unsigned)digit;
		if (++s->pos > 16) { /* zeros in front: too many for some */
			set(s, F_AMBIGUOUS);
			s->pos = 16;
		}
	}
	if (i == n)
		return i;
	if (s->pos == 0) {
		set(s, F_AMBIGUOUS);
		tunnel(s);
		return i + 1;
	}
	if (p[i] != '\r' && p[i] != '\n' && p[i] != ';')
		set(s, F_AMBIGUOUS);
	s->st = ST_EXT;
	return i;
}

static uint32_t step_ext(struct stream *s, const uint8_t *p, uint32_t n)
{
	bool eol;
	uint32_t i = rest_of_line(s, p, n, &eol);

	if (!eol)
		return i;
	if (s->val > 0) {
		s->left = s->val;
		s->st = ST_CHUNK;
	} else {
		set(s, F_TRAILER);
		enter(s, ST_LINE, 0);
	}
	return i;
}

static uint32_t step_data_end(struct stream *s, uint8_t c)
{
	if (c == '\r' && (s->flags & F_CR) == 0) {
		set(s, F_CR);
	} else if (c == '\n') {
		if ((s->flags & F_CR) == 0)
			set(s, F_AMBIGUOUS);
		clear(s, F_CR);
		enter(s, ST_SIZE, 0);
	} else {
		set(s, F_AMBIGUOUS);
		tunnel(s);
	}
	return 1;
}

/* Take some of @n >= 1 bytes; none only if the state changes. */
static uint32_t step(struct http1 *h, struct stream *s, enum who who,
		     const uint8_t *p, uint32_t n, struct framer_piece *out)
{
	switch ((enum state)s->st) {
	case ST_START:
		return step_start(s, who, p[0], out);
	case ST_METHOD:
		return step_method(h, s, p, n);
	case ST_TARGET:
		return step_target(s, p, n);
	case ST_STATUS:
		return step_status(s, p, n);
	case ST_REASON:
	case ST_VALUE:
		return step_skip(s, p, n, ST_LINE);
	case ST_LINE:
		return step_line(h, s, who, p[0], out);
	case ST_EMPTY:
		return step_empty(h, s, who, p[0], out);
	case ST_NAME:
		return step_name(s, p, n);
	case ST_CL:
		return step_cl(s, p, n);
	case ST_TE:
		return step_te(s, p, n);
	case ST_SIZE:
		return step_size(s, p, n);
	case ST_EXT:
		return step_ext(s, p, n);
	case ST_DATA_END:
		return step_data_end(s, p[0]);
	default:
		assert(false);
		return n;
	}
}

/* What the next byte @c is, in a state that lines() reads. */
static enum framer_part part_of(const struct stream *s, uint8_t c)
{
	bool eol = c == '\r' || c == '\n';

	switch ((enum state)s->st) {
	case ST_SIZE:
	case ST_EXT:
	case ST_DATA_END:
		return FRAMER_FRAMING;
	case ST_START:
		return eol ? FRAMER_FRAMING : FRAMER_HEAD;
	case ST_LINE:
	case ST_EMPTY:
		if ((s->flags & F_TRAILER) != 0 && eol)
			return FRAMER_FRAMING;
		break;
	default:
		break;
	}
	if ((s->flags & F_TRAILER) != 0)
		return FRAMER_TRAILER;
	return (s->flags & F_INTERIM) != 0 ? FRAMER_INTERIM : FRAMER_HEAD;
}

/* Read heads, chunk lines and trailers until the part or the message ends. */
static void lines(struct http1 *h, struct stream *s, enum who who,
		  const uint8_t *p, uint32_t n, struct framer_piece *out)
{
	uint32_t i = 0;

	while (i < n && s->st < ST_BODY &&
	       (out->flags & (FRAMER_MARK | FRAMER_HEAD_END)) == 0) {
		enum framer_part now = part_of(s, p[i]);

		if (i > 0 && now != out->part)
			break;
		out->part = now;
		i += step(h, s, who, p + i, n - i, out);
		if (now == FRAMER_HEAD && (s->flags & F_INTERIM) != 0)
			out->part = FRAMER_INTERIM;
	}
	out->used = i;
}

static void take_body(struct stream *s, uint32_t n, struct framer_piece *out)
{
	out->part = FRAMER_BODY;
	out->used = n < s->left ? n : (uint32_t)s->left;
	s->left -= out->used;
	if (s->left > 0)
		return;
	if (s->st == ST_BODY)
		message_end(s, out);
	else
		s->st = ST_DATA_END;
}

static void http1_feed(void *st, enum who who, const uint8_t *p, uint32_t n,
		       struct framer_piece *out)
{
	struct http1 *h = st;
	struct stream *s = &h->s[who];

	*out = (struct framer_piece){ .used = n,
				      .part = FRAMER_OPAQUE,
				      .index = s->index };
	if (s->st == ST_CONNECT)
		tunnel(s);
	if (s->st < ST_BODY)
		lines(h, s, who, p, n, out);
	else if (s->st == ST_BODY || s->st == ST_CHUNK)
		take_body(s, n, out);
	else if (s->st == ST_UNTIL_FIN)
		out->part = FRAMER_BODY;

	if ((s->flags & F_AMBIGUOUS) != 0 && (out->flags & FRAMER_MARK) == 0)
		out->flags |= FRAMER_AMBIGUOUS;
	if (s->st == ST_TUNNEL)
		out->flags |= FRAMER_TUNNEL;
	if (s->st == ST_UNTIL_FIN)
		out->flags |= FRAMER_UNTIL_FIN;
}

static void http1_init(void *st, bool mid)
{
	(void)mid; /* each stream begins with a message: no difference */
	memset(st, 0, sizeof(struct http1));
}

static uint16_t http1_fin(void *st, enum who who)
{
	struct http1 *h = st;
	struct stream *s = &h->s[who];
	bool begun = (s->flags & F_BEGUN) != 0;
	bool whole = s->st == ST_UNTIL_FIN;

	clear(s, F_BEGUN);
	tunnel(s);
	if (whole)
		return FRAMER_MARK;
	return begun ? FRAMER_TUNNEL : 0;
}

static bool http1_skip(void *st, enum who who, uint32_t n)
{
	struct http1 *h = st;
	struct stream *s = &h->s[who];

	if (s->st == ST_UNTIL_FIN || s->st == ST_TUNNEL)
		return true;
	if ((s->st == ST_BODY || s->st == ST_CHUNK) && n < s->left) {
		s->left -= n;
		return true;
	}
	s->st = ST_LOST;
	return false;
}

static void http1_resync(void *st, enum who who, uint32_t index)
{
	struct http1 *h = st;

	h->s[who] = (struct stream){ .index = index };
	if (who != WHO_CLIENT)
		return;
	if (index - h->asked > UINT32_MAX / 2) {
		h->asked = index; /* back: a request begins anew */
		return;
	}
	/* The methods of the requests in the hole are not known. */
	if (index - h->asked > HTTP1_RING)
		h->asked = index - HTTP1_RING;
	while (h->asked != index)
		ring_push(h, METHOD_UNKNOWN);
}

/**
 * http1_begins() - Test for a token, a space and a target
 *
 * A first line that is there whole must name its version; one that is not is
 * believed. Before the space only capital letters are believed. Empty lines alone
 * are rather the end of the message before: chunks end so.
 */
static bool http1_begins(const uint8_t *p, uint32_t n)
{
	const uint8_t *lf;
	uint32_t i = 0, word, len;

	while (i < n && (p[i] == '\r' || p[i] == '\n'))
		i++;
	p += i;
	n -= i;
	for (word = 0; word < n && tchar[p[word]] != 0; word++)
		if (word == METHOD_MAX)
			return false;
	if (word == n) {
		for (i = 0; i < n; i++)
			if (p[i] < 'A' || p[i] > 'Z')
				return false;
		return n > 0;
	}
	if (word == 0 || p[word] != ' ')
		return false;
	if (word + 1 < n && p[word + 1] <= ' ')
		return false;
	lf = memchr(p, '\n', n);
	if (lf == NULL)
		return true;
	len = (uint32_t)(lf - p);
	if (len > 0 && p[len - 1] == '\r')
		len--;
	return len >= word + 10 && get_be64(p + len - 8) >> 8 == WORD_HTTP1 &&
	       p[len - 9] == ' ';
}

const struct framer_ops framer_http1 = {
	.name = "http1",
	.size = sizeof(struct http1),
	.init = http1_init,
	.feed = http1_feed,
	.fin = http1_fin,
	.skip = http1_skip,
	.resync = http1_resync,
	.begins = http1_begins,
};
