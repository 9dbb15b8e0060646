/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http.c - Is it a request for /metrics?
 */
#include "ctl/http.h"

#include <stdbool.h>
#include <string.h>

#define END "\r\n\r\n"

/* Visible ASCII and blanks, and lines that end with CR LF. */
static bool is_text(const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (b[i] == '\r' && (i + 1 == n || b[i + 1] == '\n'))
			continue;
		if (b[i] == '\n' && i > 0 && b[i - 1] == '\r')
			continue;
		if ((b[i] < ' ' || b[i] > '~') && b[i] != '\t')
			return false;
	}
	return true;
}

static bool is(const char *b, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(b, word, n) == 0;
}

/* A method is a token (RFC 9110 section 9.1): these are its letters here. */
static bool is_method(const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (b[i] < 'A' || b[i] > 'Z')
			return false;
	return n > 0;
}

/* Of the request line, without its end. */
static int line_status(const char *b, size_t n)
{
	const char *path = memchr(b, ' ', n);
	const char *version, *query;
	size_t path_len;

	if (!path || !is_method(b, (size_t)(path - b)))
		return 400;
	path++;
	version = memchr(path, ' ', n - (size_t)(path - b));
	if (!version)
		return 400;
	path_len = (size_t)(version - path);
	version++;
	n -= (size_t)(version - b);
	if (n != 8 || memcmp(version, "HTTP/", 5) != 0)
		return 400;
	if (!is(version, n, "HTTP/1.1") && !is(version, n, "HTTP/1.0"))
		return 505;
	if (!is(b, (size_t)(path - 1 - b), "GET"))
		return 405;
	query = memchr(path, '?', path_len);
	if (query)
		path_len = (size_t)(query - path);
	return is(path, path_len, "/metrics") ? 200 : 404;
}

int http_status(const char *b, size_t n)
{
	size_t most = n < HTTP_REQUEST ? n : HTTP_REQUEST;
	const char *end = memmem(b, most, END, sizeof(END) - 1);
	const char *line;

	/* With the end of its last line: a CR in front of that is none. */
	if (!is_text(b, !end ? most : (size_t)(end - b) + 2))
		return 400;
	if (!end)
		return most < HTTP_REQUEST ? 0 : 431;
	line = memmem(b, most, "\r\n", 2);
	return line_status(b, (size_t)(line - b));
}

const char *http_reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Internal Server Error";
	}
}
