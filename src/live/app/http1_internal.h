/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http1_internal.h - One stream of HTTP/1: its states, and who reads which
 *
 * http1.c has the theory of operation. It goes from state to state and decides
 * where messages end; http1_line.c reads start lines and field lines,
 * http1_length.c reads what tells how long a body is: Content-Length,
 * Transfer-Encoding and the lines between chunks.
 */
#ifndef APP_HTTP1_INTERNAL_H
#define APP_HTTP1_INTERNAL_H

#include "app/framer.h"

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
	ST_CONN,  /* value of Connection */
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
	F_INTERIM = 1 << 10,   /* status is 1xx, not 101 */
	F_MALFORMED = 1 << 11, /* no reading is left */
	F_DOUBT = 1 << 12,     /* a message before was ambiguous */
	F_BARE = 1 << 13,      /* the message before must have no content */
	F_CLOSE = 1 << 14,     /* Connection: close */
	F_KEEP = 1 << 15,      /* Connection: keep-alive */
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
 * @odd:	enum framer_odd, of the message: the first that was noticed
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
	uint8_t odd;
};

/**
 * struct http1 - State of a connection
 * @s:		Streams
 * @ring:	Method codes, two bits each
 * @asked:	Codes pushed so far: requests [@asked - HTTP1_RING, @asked)
 * @plain:	From this request on, all that were overwritten were
 *		METHOD_OTHER
 */
struct http1 {
	struct stream s[WHO_COUNT];
	uint8_t ring[HTTP1_RING / 4];
	uint32_t asked;
	uint32_t plain;
};

/* "HTTP/1." as a big-endian number. */
#define WORD_HTTP1 UINT64_C(0x485454502f312e)

/* Fields of framing; bit i of @cand is row i of http1_line.c's table. */
enum { NAME_CL = 1, NAME_TE = 2, NAME_CONN = 4 };

/* The same of http1_codings. */
enum { CODING_CHUNKED = 1, CODING_ALL = 63 };

/* The same of the connection options (RFC 9112 section 9.3). */
enum { OPTION_CLOSE = 1, OPTION_KEEP = 2, OPTION_ALL = 3 };

/* A word that is looked for, lower case. */
struct word {
	uint8_t len;
	char text[18];
};

#define WORD(s)                                                                \
	{                                                                      \
		sizeof(s) - 1, s                                               \
	}

/* Registered transfer codings (IANA, "HTTP Transfer Coding Registry"). */
extern const struct word http1_codings[6];

/* 1: character of a token (RFC 9110 section 5.6.2). */
extern const uint8_t http1_tchar[256];

static inline bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline void stream_set(struct stream *s, unsigned flag)
{
	s->flags = (uint16_t)(s->flags | flag);
}

static inline void stream_clear(struct stream *s, unsigned flag)
{
	s->flags = (uint16_t)(s->flags & ~flag);
}

/* Go to a state that reads something from its beginning. */
static inline void stream_enter(struct stream *s, enum state st, uint8_t cand)
{
	s->st = (uint8_t)st;
	s->pos = 0;
	s->cand = cand;
	s->val = 0;
}

static inline void stream_tunnel(struct stream *s)
{
	s->st = ST_TUNNEL;
}

/* Two readers may differ from here on, because of @why. */
static inline void stream_ambiguous(struct stream *s, enum framer_odd why)
{
	if (s->odd == ODD_NONE)
		s->odd = (uint8_t)why;
	stream_set(s, F_AMBIGUOUS);
}

/* No reading of the protocol is left, because of @why: the rest is opaque. */
static inline void stream_malformed(struct stream *s, enum framer_odd why)
{
	if (s->odd == ODD_NONE)
		s->odd = (uint8_t)why;
	stream_set(s, F_MALFORMED);
	stream_tunnel(s);
}

/**
 * stream_line_end() - Notice the end of a line where bytes are read one by one
 *
 * A bare CR and a bare LF are ambiguous: to some they end a line, to some not.
 *
 * Return: true if @c is its LF
 */
static inline bool stream_line_end(struct stream *s, uint8_t c)
{
	if (((s->flags & F_CR) != 0) != (c == '\n'))
		stream_ambiguous(s, ODD_LINE_END);
	stream_clear(s, F_CR);
	if (c == '\r')
		stream_set(s, F_CR);
	return c == '\n';
}

/* --- http1.c --- */

/** http1_ring_push() - The method of the next request is known */
void http1_ring_push(struct http1 *h, enum method code);

/** http1_fields_end() - The empty line behind field lines has been read */
void http1_fields_end(struct http1 *h, struct stream *s, enum who who,
		      struct framer_piece *out);

/* --- http1_line.c --- */

/** http1_match() - Narrow @cand to the rows of @table that go on with these @n
 * bytes at offset @at
 */
void http1_match(struct stream *s, const struct word *table, uint64_t at,
		 const uint8_t *p, uint32_t n);

/** http1_match_end() - Reduce @cand to the row that has exactly @len bytes */
void http1_match_end(struct stream *s, const struct word *table, uint64_t len);

/**
 * http1_rest_of_line() - Skip to the end of a line
 * @eol:	Set to whether it was found
 *
 * Return: bytes taken, its LF included
 */
uint32_t http1_rest_of_line(struct stream *s, const uint8_t *p, uint32_t n,
			    bool *eol);

/*
 * Steps. Each reads in the state of its name, takes some of @n >= 1 bytes
 * (those with @c: one), and returns how many: none only if it changes the
 * state.
 */
uint32_t http1_step_start(struct stream *s, enum who who, uint8_t c,
			  struct framer_piece *out);
uint32_t http1_step_method(struct http1 *h, struct stream *s, const uint8_t *p,
			   uint32_t n);
uint32_t http1_step_target(struct stream *s, const uint8_t *p, uint32_t n);
uint32_t http1_step_status(struct stream *s, const uint8_t *p, uint32_t n);
uint32_t http1_step_skip(struct stream *s, const uint8_t *p, uint32_t n,
			 enum state next);
uint32_t http1_step_line(struct http1 *h, struct stream *s, enum who who,
			 uint8_t c, struct framer_piece *out);
uint32_t http1_step_empty(struct http1 *h, struct stream *s, enum who who,
			  uint8_t c, struct framer_piece *out);
uint32_t http1_step_name(struct stream *s, const uint8_t *p, uint32_t n);
uint32_t http1_step_connection(struct stream *s, const uint8_t *p, uint32_t n);

/* --- http1_length.c: more steps --- */

uint32_t http1_step_cl(struct stream *s, const uint8_t *p, uint32_t n);
uint32_t http1_step_te(struct stream *s, const uint8_t *p, uint32_t n);
uint32_t http1_step_size(struct stream *s, const uint8_t *p, uint32_t n);
uint32_t http1_step_ext(struct stream *s, const uint8_t *p, uint32_t n);
uint32_t http1_step_data_end(struct stream *s, uint8_t c);

#endif /* APP_HTTP1_INTERNAL_H */
