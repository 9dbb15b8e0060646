/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resp - Read RESP, redis's protocol, versions 2 and 3, as it comes
 *
 * A message is one value. A value is a line, a string of known length, or a
 * container of so many values; attributes stand in front of a value. What is
 * read is told piece by piece, without memory that grows: how deep containers
 * lie in each other does not matter, since only how many values are still to
 * come must be known.
 */
#ifndef APP_RESP_H
#define APP_RESP_H

#include <stdbool.h>
#include <stdint.h>

/* What a piece is. */
enum resp_what {
	RESP_BYTES, /* types, lengths, line ends: nothing to be told */
	RESP_TEXT,  /* bytes of a value that has no others in it */
	RESP_VALUE, /* such a value ends with the piece's last byte */
	RESP_OPEN, /* a container of resp_found.count values begins behind it */
	RESP_BAD,  /* no RESP; nothing is read from here on */
};

/**
 * struct resp - A reader; zeroes begin a message
 * @left:	Values that the message still wants; 0: it has not begun
 * @number:	A length so far, or bytes of a string that are still to come
 * @type:	First byte of the value under way
 * @where:	In it; of a string RESP_AT_TEXT
 * @digits:	Of the number, so far
 * @minus:	It is negative: there is no value
 */
struct resp {
	uint64_t left;
	uint64_t number;
	uint8_t type;
	uint8_t where;
	uint8_t digits;
	bool minus;
};

/* Values of resp.where that others look at. */
enum { RESP_AT_TYPE = 0, RESP_AT_TEXT = 1 };

/**
 * struct resp_found - A piece
 * @used:	Its bytes, at least 1; RESP_BAD: those in front of the one that
 *		breaks it, may be 0
 * @count:	RESP_OPEN: values in it, of a map keys and values, of an
 *		attribute the value that it stands in front of, too
 * @what:	enum resp_what
 * @type:	Of the value: the byte that it begins with
 * @null:	RESP_VALUE: there is none
 * @ends:	The message ends with it
 */
struct resp_found {
	uint32_t used;
	uint64_t count;
	uint8_t what;
	uint8_t type;
	bool null;
	bool ends;
};

/** resp_next() - Take a piece off the front of @n >= 1 bytes at @p */
void resp_next(struct resp *r, const uint8_t *p, uint32_t n,
	       struct resp_found *out);

#endif /* APP_RESP_H */
