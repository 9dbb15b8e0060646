/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http - Is it a request for /metrics? Bytes in, a status out
 *
 * No more of HTTP/1 (RFC 9112) than this takes: one request a connection, GET,
 * one path. What a reader of more could take for another request is refused.
 */
#ifndef CTL_HTTP_H
#define CTL_HTTP_H

#include <stddef.h>

#define HTTP_REQUEST 4096 /* bytes of a request's head */

/**
 * http_status() - What is the answer to these bytes?
 * @b, @n:	All that has come so far
 *
 * Return: 0: its head is not whole yet, and may have more bytes; 200: it is a
 * GET of /metrics; 400: it is no request, or its head has bytes that are not
 * text; 404: another path; 405: another method; 431: HTTP_REQUEST bytes and no
 * end; 505: another version than 1.0 and 1.1
 */
int http_status(const char *b, size_t n);

/** http_reason() - The words of a status (RFC 9110 section 15) */
const char *http_reason(int status);

#endif /* CTL_HTTP_H */
