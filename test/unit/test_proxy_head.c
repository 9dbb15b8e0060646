/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_proxy_head.c - Unit test of http/head, http/edit and http/body
 *
 * Each head is given a byte longer at a time, in a copy of its exact size: until it is
 * whole nothing may happen. What is refused live is in test/net/test_proxy_http.py, what
 * nobody thought of in test/fuzz/fuzz_exchange.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "http/body.h"
#include "http/edit.h"
#include "http/head.h"

#define GET  "GET http://a/ HTTP/1.1\r\n"
#define HOST "Host: b\r\n"

/* A whole request, and all that it begins with. */
static int read_request(const char *s, struct http_head *h)
{
	size_t n = strlen(s);
	int r = 0;

	for (size_t i = 0; i <= n; i++) {
		uint8_t *copy = malloc(i > 0 ? i : 1);

		memcpy(copy, s, i);
		r = http_read_request(copy, i, h);
		free(copy);
		/* What is refused may be so before its end. */
		if (r != 0)
			break;
		CHECK_ROW(i < n, s);
	}
	return r;
}

static void test_requests(void)
{
	static const struct {
		const char *s;
		int r; /* 0: all of it */
	} rows[] = {
		{ GET HOST "\r\n", 0 },
		{ "\r\n" GET HOST "\r\n", 0 },
		{ GET HOST "A:b\r\nC: \t d \t\r\nE:\r\n\r\n", 0 },
		{ "GET http://a HTTP/1.0\r\n\r\n", 0 },
		{ "OPTIONS http://[::1]:81 HTTP/1.1\r\n" HOST "\r\n", 0 },
		{ "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", 0 },
		{ "CONNECT [fd00::1]:443 HTTP/1.1\r\n" HOST "\r\n", 0 },
		{ "CONNECT a:1 HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
		  0 },
		{ "\r\n\r\n" GET HOST "\r\n", -400 },
		{ GET "\r\n", -400 },
		{ GET HOST HOST "\r\n", -400 },
		{ GET HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
		  -400 },
		{ GET HOST "Content-Length: 1\r\n"
			   "Transfer-Encoding: chunked\r\n\r\n",
		  -400 },
		{ "GET http://a/ HTTP/1.0\r\nTransfer-Encoding: "
		  "chunked\r\n\r\n",
		  -400 },
		{ GET HOST "Transfer-Encoding: chunked, x\r\n\r\n", -501 },
		{ GET HOST "Content-Length: 1 2\r\n\r\n", -400 },
		{ GET HOST "A : b\r\n\r\n", -400 },
		{ GET HOST "A: b\r\n c\r\n\r\n", -400 },
		{ GET HOST "A: b\n\r\n", -400 },
		{ GET HOST "Connection: Content-Length\r\n"
			   "Content-Length: 1\r\n\r\n",
		  -400 },
		{ "TRACE http://a/ HTTP/1.1\r\n" HOST "\r\n", -501 },
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", -400 },
		{ "GET http://a:1:2/ HTTP/1.1\r\n" HOST "\r\n", -400 },
		{ "GET http://[::1/ HTTP/1.1\r\n" HOST "\r\n", -400 },
		{ "GET http://a/ HTTP/3.0\r\n" HOST "\r\n", -505 },
		{ "CONNECT a HTTP/1.1\r\n" HOST "\r\n", -400 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_head h;
		int r = read_request(rows[i].s, &h);

		CHECK_ROW(r == (rows[i].r != 0 ? rows[i].r
					       : (int)strlen(rows[i].s)),
			  rows[i].s);
	}
}

static void test_a_head_has_a_longest(void)
{
	static char s[HTTP_HEAD_MOST + 2];
	struct http_head h;

	memset(s, 'a', sizeof(s));
	memcpy(s, GET HOST "A: ", strlen(GET HOST "A: "));
	CHECK(http_read_request((uint8_t *)s, HTTP_HEAD_MOST - 1, &h) == 0);
	CHECK(http_read_request((uint8_t *)s, HTTP_HEAD_MOST, &h) == -431);
	memcpy(s + HTTP_HEAD_MOST - 4, "\r\n\r\n", 4);
	CHECK(http_read_request((uint8_t *)s, HTTP_HEAD_MOST + 2, &h) ==
	      HTTP_HEAD_MOST);
}

static void test_answers(void)
{
	static const struct {
		const char *s;
		enum http_method method;
		int r;
		enum http_framing framing;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", HTTP_GET, 0, HTTP_TO_END },
		{ "HTTP/1.1 200 OK\r\n\r\n", HTTP_HEAD, 0, HTTP_NO_BODY },
		{ "HTTP/1.0 200\r\nContent-Length: 3\r\n\r\n", HTTP_GET, 0,
		  HTTP_SIZED },
		{ "HTTP/1.1 200 \r\nTransfer-Encoding: Chunked\r\n\r\n",
		  HTTP_GET, 0, HTTP_CHUNKED },
		{ "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n",
		  HTTP_HEAD, 0, HTTP_NO_BODY },
		{ "HTTP/1.1 304 X\r\nContent-Length: 3\r\n\r\n", HTTP_GET, 0,
		  HTTP_NO_BODY },
		{ "HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n",
		  HTTP_GET, -502, HTTP_NO_BODY },
		{ "HTTP/1.1 99 X\r\n\r\n", HTTP_GET, -502, HTTP_NO_BODY },
		{ "HTTP/1.1 2000 X\r\n\r\n", HTTP_GET, -502, HTTP_NO_BODY },
		{ "HTTP/2.0 200 X\r\n\r\n", HTTP_GET, -502, HTTP_NO_BODY },
		{ "\r\nHTTP/1.1 200 X\r\n\r\n", HTTP_GET, -502, HTTP_NO_BODY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_head h;
		int r = http_read_answer((const uint8_t *)rows[i].s,
					 strlen(rows[i].s), rows[i].method, &h);

		CHECK_ROW(r == (rows[i].r != 0 ? rows[i].r
					       : (int)strlen(rows[i].s)),
			  rows[i].s);
		CHECK_ROW(r < 0 || h.framing == rows[i].framing, rows[i].s);
	}
}

static void test_what_is_written(void)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "GET http://A:80/x?y HTTP/1.1\r\nHost: b\r\nX:1\r\n\r\n",
		  "GET /x?y HTTP/1.1\r\nHost: A:80\r\nX: 1\r\n"
		  "Via: 1.1 understudy\r\n\r\n" },
		{ "GET http://a?y HTTP/1.0\r\nTE: x\r\n\r\n",
		  "GET /?y HTTP/1.0\r\nHost: a\r\nVia: 1.0 "
		  "understudy\r\n\r\n" },
		{ "OPTIONS http://a HTTP/1.1\r\nHost: b\r\n\r\n",
		  "OPTIONS * HTTP/1.1\r\nHost: a\r\n"
		  "Via: 1.1 understudy\r\n\r\n" },
		{ "GET http://a/ HTTP/1.1\r\nHost: b\r\nUpgrade: c\r\n"
		  "Connection: D , upgrade\r\nd: 1\r\nConnection: "
		  "close\r\n\r\n",
		  "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: c\r\n"
		  "Connection: upgrade\r\nVia: 1.1 understudy\r\n\r\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static uint8_t out[HTTP_EDIT_MOST];
		struct http_head h;
		size_t n;

		CHECK_ROW(read_request(rows[i].in, &h) > 0, rows[i].in);
		n = http_edit_request((const uint8_t *)rows[i].in, &h, out);
		CHECK_ROW(n == strlen(rows[i].out) &&
				  memcmp(out, rows[i].out, n) == 0,
			  rows[i].in);
	}
}

/* How much of @s is a body in chunks, given in pieces of @step. */
static long chunks(const char *s, size_t step)
{
	struct http_head h = { .framing = HTTP_CHUNKED };
	size_t n = strlen(s), at = 0;
	struct http_body y;

	http_body_begin(&y, &h);
	while (at < n && !y.done) {
		size_t k = n - at < step ? n - at : step;
		long r = http_body_take(&y, (const uint8_t *)s + at, k);

		if (r < 0)
			return r;
		at += (size_t)r;
		CHECK_ROW(y.done || (size_t)r == k, s);
	}
	return y.done ? (long)at : 0;
}

static void test_chunks(void)
{
	static const struct {
		const char *s;
		long n; /* 0: it is not over */
	} rows[] = {
		{ "0\r\n\r\nGET", 5 },
		{ "3\r\nabc\r\n00\r\nA: b\r\n\r\nx", 20 },
		{ "A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n", 26 },
		{ "3\r\nabc\r\n0\r\nA: b\r\n", 0 },
		{ "3\r\nabcd\r\n", -EBADMSG },
		{ "3 \r\nabc\r\n0\r\n\r\n", -EBADMSG },
		{ "3\nabc\r\n0\r\n\r\n", -EBADMSG },
		{ "\r\n", -EBADMSG },
		{ "-3\r\nabc", -EBADMSG },
		{ "0x3\r\nabc", -EBADMSG },
		{ "10000000000000000\r\n", -EBADMSG },
		{ "0\r\n A: b\r\n\r\n", -EBADMSG },
		{ "0\r\nA: b\n\r\n", -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_ROW(chunks(rows[i].s, 100) == rows[i].n, rows[i].s);
		CHECK_ROW(chunks(rows[i].s, 1) == rows[i].n, rows[i].s);
	}
}

static const struct check_test tests[] = {
	{ "requests, whole and cut", test_requests },
	{ "a head has a longest", test_a_head_has_a_longest },
	{ "answers", test_answers },
	{ "what is written for the next hop", test_what_is_written },
	{ "chunks", test_chunks },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
