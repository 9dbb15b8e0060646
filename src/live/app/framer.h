/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framer - Find where messages end in the in-order streams of a connection
 *
 * One table of functions per protocol. A framer is fed with the in-order bytes
 * of the three endpoints of a flow (client, production, SUT), in whatever
 * pieces they come, and cuts them into homogeneous pieces: head, body, framing.
 * A piece may end a message: that is a mark. Message k of the client is
 * answered by message k of each server.
 *
 * It runs whatever is compared. It allocates nothing: its state is a fixed-size
 * part of the flow. It is tolerant: what it cannot parse it hands on as FRAMER_
 * TUNNEL (the rest of that stream has no marks of this protocol), and where two
 * readers might split differently it says so once (FRAMER_AMBIGUOUS).
 */
#ifndef APP_FRAMER_H
#define APP_FRAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/who.h"

/* What a piece is. */
enum framer_part {
	FRAMER_HEAD,	/* start line and header fields, with their line ends */
	FRAMER_BODY,	/* body as the application sees it, chunks unwrapped */
	FRAMER_FRAMING, /* chunk sizes, their extensions and line ends */
	FRAMER_TRAILER, /* trailer fields */
	FRAMER_INTERIM, /* the whole head of a 1xx answer but 101; bytes fed before
			 * its status code was there came as FRAMER_HEAD */
	FRAMER_OPAQUE, /* no framing is known (any more): tunnel, other protocol */
};

/* Bits of framer_piece.flags. */
enum {
	FRAMER_BEGIN = 1 << 0,	  /* first piece of its message */
	FRAMER_MARK = 1 << 1,	  /* its message ends with its last byte */
	FRAMER_HEAD_END = 1 << 2, /* the head ends with its last byte */
	FRAMER_AMBIGUOUS = 1
			   << 3, /* from here two readers may differ; sticky for
				    * the message */
	FRAMER_TUNNEL = 1 << 4,	 /* behind its last byte no marks by this framer
				    * (nor in later pieces): CONNECT, upgrade,
				    * not this protocol. With FRAMER_MARK: that
				    * one still stands */
	FRAMER_UNTIL_FIN =
		1 << 5, /* the message has no length: its FIN ends it */
	FRAMER_MALFORMED = 1 << 6, /* with FRAMER_TUNNEL, of an answer: because
				    * it breaks the protocol; sticky */
	FRAMER_EXTRA = 1 << 7, /* with FRAMER_MALFORMED: what came stands behind
				* an answer that must have no content; sticky */
	FRAMER_CLOSES = 1 << 8, /* with FRAMER_MARK: its sender closes the
				 * connection behind this message, and says
				 * so */
	FRAMER_WORD = 1 << 9,	/* with FRAMER_HEAD, of a request whose line
				 * is made of words: one begins */
	FRAMER_WHOLE = 1 << 10, /* with FRAMER_BODY: it is all of its message
				 * but for its framing */
};

/* What of a message is not by the book, in words that end a sentence. */
#define FRAMER_ODDS(X)                                                         \
	X(ODD_NONE, "nothing")                                                 \
	X(ODD_METHOD, "an answer whose request's method was forgotten")        \
	X(ODD_BEHIND, "what follows an answer that was not by the book")       \
	X(ODD_LINE_END, "a bare CR or LF")                                     \
	X(ODD_CONTROL, "a control character")                                  \
	X(ODD_EMPTY_LINE, "an empty line in front of it")                      \
	X(ODD_STATUS_LINE, "no status line of HTTP/1")                         \
	X(ODD_FIELD_NAME, "a field name that is no token")                     \
	X(ODD_FOLD, "a line fold where lengths are")                           \
	X(ODD_LENGTH, "a Content-Length that is no number")                    \
	X(ODD_LENGTHS, "two Content-Lengths")                                  \
	X(ODD_BOTH, "Content-Length and Transfer-Encoding")                    \
	X(ODD_VERSION, "Transfer-Encoding in HTTP/1.0")                        \
	X(ODD_CODING, "a Transfer-Encoding that does not end in chunked")      \
	X(ODD_CHUNK_SIZE, "a chunk size that is no number")                    \
	X(ODD_CHUNK_END, "a chunk that is longer than its size")               \
	X(ODD_CONTENT, "a length where there is no content")                   \
	X(ODD_GREETING, "bytes in front of the first request")                 \
	X(ODD_REPLY, "a reply that is no RESP")

enum framer_odd {
#define X(id, text) id,
	FRAMER_ODDS(X)
#undef X
		ODD_COUNT
};

/** framer_odd_text() - In words */
const char *framer_odd_text(enum framer_odd o);

/**
 * framer_odd_is_ours() - Does it say what we do not know, not what a server
 * did?
 */
static inline bool framer_odd_is_ours(enum framer_odd o)
{
	return o == ODD_METHOD || o == ODD_BEHIND;
}

/**
 * struct framer_piece - What one call found
 * @used:	Bytes of the input that the piece takes, at least 1
 * @part:	What they are
 * @flags:	FRAMER_ bits
 * @odd:	With FRAMER_AMBIGUOUS or FRAMER_MALFORMED: what was first in
 *		this message that is not by the book
 * @index:	Number of the message, from 0 (answers: of the final answer they
 *		belong to)
 */
struct framer_piece {
	uint32_t used;
	enum framer_part part;
	uint16_t flags;
	uint8_t odd; /* enum framer_odd */
	uint32_t index;
};

#define FRAMER_STATE_MAX 168 /* bytes of state a flow has room for */

/**
 * struct framer_ops - A protocol
 * @name:	As options and reports spell it
 * @size:	Bytes of state, at most FRAMER_STATE_MAX
 * @init:	Start. @mid: the streams do not begin with the connection's
 *		first byte (but each begins with a message)
 * @feed:	Take one piece off the front of @n >= 1 in-order bytes at @p of
 *		@who's stream
 * @fin:	@who's stream has ended. Return: FRAMER_MARK if that ends a
 *		message that had begun (a body until FIN), FRAMER_TUNNEL if it
 *		cut one short, 0 if none was open
 * @skip:	@n bytes of @who's stream are missing (a hole in the capture).
 *		Return: true if the place in the message is still known (they
 *		were inside a body of known length, which they do not end, or in
 *		one that only FIN ends, or in no message at all: a tunnel):
 *		feeding goes on behind them; false: that stream is lost until
 *		@resync
 * @resync:	@who's next byte begins message @index
 * @begins:	Do these bytes of a client look like the beginning of a message?
 *		May be wrong, must be cheap
 * @restarts:	The same, where they may be the middle of a message: doubt is no
 */
struct framer_ops {
	const char *name;
	size_t size;
	void (*init)(void *st, bool mid);
	void (*feed)(void *st, enum who who, const uint8_t *p, uint32_t n,
		     struct framer_piece *out);
	uint16_t (*fin)(void *st, enum who who);
	bool (*skip)(void *st, enum who who, uint32_t n);
	void (*resync)(void *st, enum who who, uint32_t index);
	bool (*begins)(const uint8_t *p, uint32_t n);
	bool (*restarts)(const uint8_t *p, uint32_t n);
};

/* HTTP/1.0 and 1.1 (RFC 9112). */
extern const struct framer_ops framer_http1;
/* DNS over TCP: two bytes of length in front (RFC 1035 section 4.2.2). */
extern const struct framer_ops framer_dns_tcp;
/* Redis: RESP 2 and 3 (Redis serialization protocol specification). */
extern const struct framer_ops framer_redis;
/* No framing known: every piece is FRAMER_OPAQUE without marks; the engine
 * makes marks by quiet. begins() is always true.
 */
extern const struct framer_ops framer_quiet;

/**
 * framer_guess() - Choose the protocol of a connection
 * @port:	Production's port, for what cannot be told from bytes
 * @p, @n:	First in-order bytes of the client, @n >= 1
 *
 * TLS is told apart by framer_is_tls(). Return: never NULL.
 */
const struct framer_ops *framer_guess(uint16_t port, const uint8_t *p,
				      uint32_t n);

/** framer_is_tls() - Do these first client bytes begin a TLS ClientHello?
 *
 * Return: 1 yes, 0 no, -1 not enough bytes to tell
 */
int framer_is_tls(const uint8_t *p, uint32_t n);

/** struct dns_id - What pairs a DNS query and its answer over UDP */
struct dns_id {
	uint16_t id;
	bool response;
	uint32_t
		question; /* hash of the question section, names in lower case */
};

/** dns_parse_id() - Read it from a DNS message. Return: 0 or -EBADMSG */
int dns_parse_id(const uint8_t *p, uint32_t n, struct dns_id *out);

/**
 * dns_question() - Name and type of the first question, as in a zone file (RFC
 * 1035 section 5.1)
 * @p, @len:	A message; it may be cut, or be none
 * @out, @size:	Where the text goes, without an end; it is cut to fit. Bytes of
 *		the name are as captured but for a backslash in front of "." and
 *		"\"
 *
 * Return: bytes written; 0: there is no question, or not the whole of it
 */
size_t dns_question(const uint8_t *p, uint32_t len, char *out, size_t size);

#endif /* APP_FRAMER_H */
