/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edit.c - A head is written for the next hop
 */
#include "http/edit.h"

#include <assert.h>
#include <string.h>

#define VIA " understudy\r\n"

struct out {
	uint8_t *b;
	size_t n;
	size_t most;
};

static void put(struct out *o, const void *p, size_t n)
{
	assert(n <= o->most - o->n);
	memcpy(o->b + o->n, p, n);
	o->n += n;
}

static void put_text(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

static void put_span(struct out *o, const uint8_t *b, struct http_span s)
{
	put(o, b + s.at, s.len);
}

static void put_number(struct out *o, unsigned n)
{
	char d[10];
	size_t at = sizeof(d);

	do {
		d[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	put(o, d + at, sizeof(d) - at);
}

static void put_field(struct out *o, const uint8_t *b,
		      const struct http_field *f)
{
	put_span(o, b, f->name);
	put_text(o, ": ");
	put_span(o, b, f->value);
	put_text(o, "\r\n");
}

/* All that goes on; what belongs to a protocol that is changed to, if it is. */
static void put_fields(struct out *o, const uint8_t *b,
		       const struct http_head *h, bool upgrade)
{
	for (uint16_t i = 0; i < h->fields; i++) {
		const struct http_field *f = &h->field[i];

		if (f->kind != HTTP_HOP && f->kind != HTTP_HOST_IS &&
		    (f->kind != HTTP_UPGRADE || upgrade))
			put_field(o, b, f);
	}
}

/* Each of both may have come to us in another version than it leaves in. */
static void put_via(struct out *o, const struct http_head *h)
{
	put_text(o, h->minor == 0 ? "Via: 1.0" VIA : "Via: 1.1" VIA);
}

size_t http_edit_request(const uint8_t *b, const struct http_head *h,
			 uint8_t *out)
{
	struct out o = { out, 0, HTTP_EDIT_MOST };

	assert(h->method != HTTP_CONNECT);
	put_span(&o, b, h->method_at);
	put_text(&o, " ");
	/* "OPTIONS http://a" is about the server itself (RFC 9112 3.2.4). */
	if (h->path.len == 0 && h->method == HTTP_OPTIONS)
		put_text(&o, "*");
	else if (h->path.len == 0 || b[h->path.at] != '/')
		put_text(&o, "/");
	put_span(&o, b, h->path);
	put_text(&o,
		 h->minor == 0 ? " HTTP/1.0\r\nHost: " : " HTTP/1.1\r\nHost: ");
	put_span(&o, b, h->authority);
	put_text(&o, "\r\n");
	put_fields(&o, b, h, h->upgrade);
	if (h->upgrade)
		put_text(&o, "Connection: upgrade\r\n");
	put_via(&o, h);
	put_text(&o, "\r\n");
	return o.n;
}

size_t http_edit_answer(const uint8_t *b, const struct http_head *h,
			uint8_t minor, bool close, uint8_t *out)
{
	struct out o = { out, 0, HTTP_EDIT_MOST };
	bool upgrade = h->status == 101;
	struct http_span rest = h->line;

	/* What stands behind the version. */
	rest.at = (uint16_t)(rest.at + 8);
	rest.len = (uint16_t)(rest.len - 8);
	put_text(&o, "HTTP/1.1");
	put_span(&o, b, rest);
	put_text(&o, "\r\n");
	put_fields(&o, b, h, upgrade);
	if (upgrade)
		put_text(&o, "Connection: upgrade\r\n");
	else if (h->status >= 200 && close)
		put_text(&o, "Connection: close\r\n");
	else if (h->status >= 200 && minor == 0)
		put_text(&o, "Connection: keep-alive\r\n");
	put_via(&o, h);
	put_text(&o, "\r\n");
	return o.n;
}

/* --- our own --- */

static const char *reason_of(unsigned status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 408:
		return "Request Timeout";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Gateway Timeout";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return NULL;
	}
}

size_t http_page(unsigned status, const char *why, bool close, bool body,
		 uint8_t *out)
{
	struct out o = { out, 0, HTTP_PAGE_MOST };
	const char *reason = reason_of(status);

	if (!reason) {
		status = 500;
		reason = "Internal Server Error";
	}
	put_text(&o, "HTTP/1.1 ");
	put_number(&o, status);
	put_text(&o, " ");
	put_text(&o, reason);
	put_text(&o, "\r\nContent-Type: text/plain; charset=utf-8\r\n"
		     "Content-Length: ");
	put_number(&o, (unsigned)(strlen(reason) + strlen(why) + 7));
	put_text(&o, "\r\nVia: 1.1" VIA);
	put_text(&o, close ? "Connection: close\r\n\r\n" : "\r\n");
	if (!body)
		return o.n;
	put_number(&o, status);
	put_text(&o, " ");
	put_text(&o, reason);
	put_text(&o, ".\n");
	put_text(&o, why);
	put_text(&o, "\n");
	return o.n;
}
