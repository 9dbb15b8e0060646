/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * body - Where the body of a message ends
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/head.h"

#define HTTP_CHUNK_LINE 256  /* bytes of a chunk's line, extensions included */
#define HTTP_TRAILERS	8192 /* bytes behind the last chunk */

/**
 * struct http_body - A body that goes by; private
 * @left:	SIZED: bytes to come; CHUNKED: of this chunk
 * @state:	CHUNKED: what comes next
 * @seen:	Bytes of this line, or of all trailers
 * @done:	All of it has gone by
 */
struct http_body {
	uint64_t left;
	uint32_t seen;
	uint8_t framing;
	uint8_t state;
	uint8_t digits;
	bool done;
};

/** http_body_begin() - A head has gone by */
void http_body_begin(struct http_body *y, const struct http_head *h);

/**
 * http_body_take() - How many of the next @n bytes are the body's?
 *
 * All that it says are passed on as they are; @y is behind them then.
 *
 * Return: 0 to @n; -EBADMSG: they are no chunks, by the letter (RFC 9112
 * section 7.1), or too long lines of them
 */
long http_body_take(struct http_body *y, const uint8_t *b, size_t n);

#endif /* HTTP_BODY_H */
