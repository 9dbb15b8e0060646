/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edit - A head is written for the next hop
 */
#ifndef HTTP_EDIT_H
#define HTTP_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/head.h"

/* What may be added: Via, Host, Connection, a path. */
#define HTTP_EDIT_MORE 512
#define HTTP_EDIT_MOST (HTTP_HEAD_MOST + HTTP_EDIT_MORE)
#define HTTP_PAGE_MOST 1024 /* bytes of http_page() */

/**
 * http_edit_request() - Write the head of a request in origin form
 * @b, @h:	What was read
 * @out:	Room for HTTP_EDIT_MOST
 *
 * Fields that are for us alone are left out, and so are those that Connection
 * names; Host is what the request line says (RFC 9112 section 3.2.2); Via is
 * added (RFC 9110 section 7.6.3). A client of 1.0 stays one, so that no server
 * answers it in chunks.
 *
 * Return: bytes
 */
size_t http_edit_request(const uint8_t *b, const struct http_head *h,
			 uint8_t *out);

/**
 * http_edit_answer() - The same of an answer
 * @minor:	The client's, of HTTP/1
 * @close:	The client's connection ends with it
 */
size_t http_edit_answer(const uint8_t *b, const struct http_head *h,
			uint8_t minor, bool close, uint8_t *out);

/**
 * http_page() - An answer of our own, which ends the connection if @close
 * @status:	Of those that this knows, else 500
 * @why:	A sentence for a person, plain text without < and &
 * @out:	Room for HTTP_PAGE_MOST
 *
 * Return: bytes
 */
size_t http_page(unsigned status, const char *why, bool close, bool body,
		 uint8_t *out);

#endif /* HTTP_EDIT_H */
