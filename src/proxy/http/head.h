/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * head - The head of a message of HTTP/1, read as strictly as it can be
 *
 * A proxy that reads a message otherwise than the server behind it lets a
 * client put requests into other people's connections (RFC 9112 section 11).
 * So what two readers might split differently is no message here: lines that do
 * not end with CR LF, folded fields, spaces where none belong, two lengths, a
 * length beside a coding, any coding but chunked.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MOST 15360 /* bytes of a head */
#define HTTP_FIELDS    128   /* of a head */
#define HTTP_HOST      255   /* bytes of a name */

/** struct http_span - Bytes of a head, from its begin */
struct http_span {
	uint16_t at;
	uint16_t len;
};

/** enum http_field_kind - What a proxy has to do with a field */
enum http_field_kind {
	HTTP_OTHER,
	HTTP_HOP,     /* is for us alone: RFC 9110 section 7.6.1 */
	HTTP_HOST_IS, /* Host */
	HTTP_UPGRADE,
	HTTP_LENGTH,
	HTTP_CODING,
};

/** struct http_field - A line of a head */
struct http_field {
	struct http_span name;
	struct http_span value;
	uint8_t kind; /* enum http_field_kind */
};

/** enum http_method - Those with which something is done */
enum http_method {
	HTTP_ANY,
	HTTP_GET,
	HTTP_HEAD,
	HTTP_OPTIONS,
	HTTP_TRACE,
	HTTP_CONNECT,
};

/** enum http_framing - How long the body is (RFC 9112 section 6.3) */
enum http_framing {
	HTTP_NO_BODY,
	HTTP_SIZED, /* @length bytes */
	HTTP_CHUNKED,
	HTTP_TO_END, /* of the connection; answers only */
};

/**
 * struct http_head - A head
 * @len:	Bytes of it, from the first line to the empty one
 * @line:	The first line, without its end
 * @target:	Of a request: what stands behind the method
 * @path:	Of one in absolute form: path and query; empty: "/"
 * @host:	Of a request: whom it is for, as it was written, without port
 *		and brackets; a name, or an address
 * @authority:	The same with port, as it was written
 * @minor:	HTTP/1.@minor, 0 or 1; what is newer counts as 1
 * @status:	Of an answer, 100 to 999
 * @close:	The connection ends with this message
 * @upgrade:	Another protocol is asked for, or agreed on
 */
struct http_head {
	uint32_t len;
	struct http_span line;
	struct http_span method_at;
	struct http_span target;
	struct http_span path;
	struct http_span host;
	struct http_span authority;
	uint16_t port;
	uint16_t status;
	uint8_t method; /* enum http_method */
	uint8_t minor;
	uint8_t framing; /* enum http_framing */
	bool close;
	bool upgrade;
	bool max_forwards;
	uint64_t length;
	uint16_t fields;
	struct http_field field[HTTP_FIELDS];
};

/**
 * http_read_request() - Read the head of a request to a proxy
 * @b, @n:	All that there is of it
 * @h:		Result; garbage unless more than 0 is returned
 *
 * One empty line in front of it is left out (@h->line.at is 2 then).
 *
 * Return: its length; 0: there is more to come; or the negative status with
 * which it is answered: -400, -431, -501, -505
 */
int http_read_request(const uint8_t *b, size_t n, struct http_head *h);

/**
 * http_read_answer() - Read the head of a server's answer
 * @method:	Of the request: those to HEAD have no body
 *
 * Return: its length; 0: there is more to come; -502: it is none
 */
int http_read_answer(const uint8_t *b, size_t n, enum http_method method,
		     struct http_head *h);

#endif /* HTTP_HEAD_H */
