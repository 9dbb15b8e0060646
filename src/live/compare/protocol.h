/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * protocol - All that is known of a protocol: one row of a table
 *
 * Who reads, judges and tells of an exchange asks its row, and knows no
 * protocol by name. A row has a framer if its messages come in streams;
 * datagrams are messages.
 */
#ifndef COMPARE_PROTOCOL_H
#define COMPARE_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/framer.h"
#include "compare/compare.h"
#include "redact/redact.h"
#include "core/buf.h"

/* Rows of protocols[]. */
enum protocol_id {
	PROTOCOL_BYTES, /* a stream without a framing that is known */
	PROTOCOL_HTTP1,
	PROTOCOL_DNS_TCP,
	PROTOCOL_REDIS,
	PROTOCOL_DATAGRAM, /* bytes */
	PROTOCOL_DNS,
	PROTOCOL_COUNT
};

/**
 * struct compare_ops - How answers are compared
 * @fields:	Of streams: at COMPARE_EQUIVALENT heads of fields are parsed;
 *		else bytes are compared
 * @state:	Bytes of memory that it has of an exchange, zeroes at first
 * @piece:	Of streams: the next piece of side @side (0 production, 1 SUT);
 *		compare_feed() calls it
 * @finish:	Of streams, at COMPARE_EQUIVALENT: both are whole; what was
 *		found may be excused. NULL: nothing is
 * @whole:	Of datagrams: the verdict on two whole messages; @by as for
 *		dns_compare()
 * @tell:	Of streams: add to a verdict what only it knows. NULL: nothing
 */
struct compare_ops {
	bool fields;
	size_t state;
	void (*piece)(struct compare *c, struct pool *pool, unsigned side,
		      const struct framer_piece *piece, const uint8_t *p);
	void (*finish)(struct compare *c);
	void (*whole)(enum compare_level level, const struct rules *by,
		      const uint8_t *prod, uint32_t prod_len,
		      const uint8_t *sut, uint32_t sut_len,
		      struct compare_result *out);
	void (*tell)(const struct compare *c, struct compare_result *out);
};

/**
 * struct describe_ops - How its exchanges are told of
 * @request:	Of datagrams, and of messages that come as one (FRAMER_WHOLE):
 *		at most @size bytes that stand for a query, captured and
 *		hostile. Return: how many. NULL: there is nothing to tell
 * @endpoint:	How many bytes of a request's line say of what sort it is. NULL:
 *		all do
 * @difference:	A difference in printable ASCII, COMPARE_DETAIL bytes at most
 *		with the end of the string: what is not by the book, header
 *		field and both values, both bodies around the first byte that
 *		differs; secrets as tags, by @by, or as they are if that is NULL
 */
struct describe_ops {
	size_t (*request)(const uint8_t *query, uint32_t len, char *out,
			  size_t size);
	size_t (*endpoint)(const char *line, size_t n);
	void (*difference)(const struct compare_result *r,
			   const struct redact *by, char *out);
};

/**
 * struct protocol - A row
 * @name:	As messages spell it
 * @framer:	Cuts its streams into messages; NULL: it comes in datagrams
 */
struct protocol {
	const char *name;
	const struct framer_ops *framer;
	const struct compare_ops *compare;
	const struct describe_ops *describe;
};

extern const struct protocol protocols[PROTOCOL_COUNT];

/** protocol_of() - The row of streams that are cut by @framer */
const struct protocol *protocol_of(const struct framer_ops *framer);

/** protocol_id() - Number of a row of protocols[] */
static inline enum protocol_id protocol_id(const struct protocol *p)
{
	return (enum protocol_id)(p - protocols);
}

#endif /* COMPARE_PROTOCOL_H */
