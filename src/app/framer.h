/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framer - Find where messages end in the in-order streams of a connection
 *
 * One table of functions per protocol. A framer is fed with the in-order bytes
 * of the three endpoints of a flow (client, production, SUT), in whatever pieces
 * they come, and cuts them into homogeneous pieces: head, body, framing. A piece
 * may end a message: that is a mark. Message k of the client is answered by
 * message k of each server.
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
				    * (nor in later pieces): CONNECT, upgrade, not
				    * this protocol. With FRAMER_MARK: that one
				    * still stands */
	FRAMER_UNTIL_FIN =
		1 << 5, /* the message has no length: its FIN ends it */
	FRAMER_MALFORMED = 1 << 6, /* with FRAMER_TUNNEL, of an answer: because
				    * it breaks the protocol; sticky */
	FRAMER_CLOSES = 1 << 8,	   /* with FRAMER_MARK: its sender closes the
				 * connection behind this message, and says so */
};

/**
 * struct framer_piece - What one call found
 * @used:	Bytes of the input that the piece takes, at least 1
 * @part:	What they are
 * @flags:	FRAMER_ bits
 * @index:	Number of the message, from 0 (answers: of the final answer they
 *		belong to)
 */
struct framer_piece {
	uint32_t used;
	enum framer_part part;
	uint16_t flags;
	uint32_t index;
};

#define FRAMER_STATE_MAX 168 /* bytes of state a flow has room for */

/**
 * struct framer_ops - A protocol
 * @name:	As options and reports spell it
 * @size:	Bytes of state, at most FRAMER_STATE_MAX
 * @init:	Start. @mid: the streams do not begin with the connection's first
 *		byte (but each begins with a message)
 * @feed:	Take one piece off the front of @n >= 1 in-order bytes at @p of
 *		@who's stream
 * @fin:	@who's stream has ended. Return: FRAMER_MARK if that ends a
 *		message that had begun (a body until FIN), FRAMER_TUNNEL if it
 *		cut one short, 0 if none was open
 * @skip:	@n bytes of @who's stream are missing (a hole in the capture).
 *		Return: true if the place in the message is still known (they were
 *		inside a body of known length, which they do not end, or in one
 *		that only FIN ends, or in no message at all: a tunnel): feeding
 *		goes on behind them; false: that stream is lost until @resync
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
/* No framing known: every piece is FRAMER_OPAQUE without marks; the engine makes
 * marks by quiet. begins() is always true.
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

#endif /* APP_FRAMER_H */
