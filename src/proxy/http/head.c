/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * head.c - The head of a message of HTTP/1, read as strictly as it can be
 *
 * Theory of operation
 *
 * First the end is looked for: an empty line, and on the way no byte that does
 * not belong into a head, so all lines end with CR LF. Then lines are read from
 * the front, each in its bounds, and none is read twice. What is said of a
 * message - its length, whether the connection ends - is made of the fields
 * when all are there.
 */
#include "http/head.h"

#include <assert.h>
#include <string.h>

#define BAD	 (-400)
#define LONG	 (-431)
#define NOT_DONE (-501)
#define VERSION	 (-505)

struct bytes {
	const uint8_t *p;
	uint32_t n;
};

/* --- characters (RFC 9110 section 5.6.2) --- */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool is_alnum(uint8_t c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

static bool is_token(uint8_t c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return is_alnum(c) || memchr(others, c, sizeof(others) - 1);
}

static bool is_same(struct bytes a, const char *word)
{
	if (a.n != strlen(word))
		return false;
	for (uint32_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != (uint8_t)word[i])
			return false;
	return true;
}

static bool all_token(struct bytes a)
{
	for (uint32_t i = 0; i < a.n; i++)
		if (!is_token(a.p[i]))
			return false;
	return a.n > 0;
}

static struct bytes bytes_of(const uint8_t *b, struct http_span s)
{
	return (struct bytes){ b + s.at, s.len };
}

/* --- the end --- */

/* Return: where the head ends; 0: it does not yet; -400, -431 */
static int find_end(const uint8_t *b, size_t n, uint32_t from)
{
	size_t most = n < HTTP_HEAD_MOST ? n : HTTP_HEAD_MOST;
	uint32_t begin = from;

	for (uint32_t i = from; i < most; i++) {
		uint8_t c = b[i];

		if (c == '\r') {
			if (i + 1 == n)
				return 0;
			if (i + 1 < most && b[i + 1] != '\n')
				return BAD;
			if (i + 1 == most)
				break;
			i++;
			if (i - 1 == begin)
				return begin == from ? BAD : (int)(i + 1);
			begin = i + 1;
		} else if (c == '\n' || c == 0x7f || (c < ' ' && c != '\t')) {
			return BAD;
		}
	}
	return n >= HTTP_HEAD_MOST ? LONG : 0;
}

/* --- lists: Connection's words --- */

/* The next word of a list; false at its end. What is no token is given whole.
 */
static bool next_word(struct bytes *l, struct bytes *word)
{
	while (l->n > 0 && (*l->p == ',' || *l->p == ' ' || *l->p == '\t')) {
		l->p++;
		l->n--;
	}
	if (l->n == 0)
		return false;
	word->p = l->p;
	word->n = 0;
	while (l->n > 0 && *l->p != ',') {
		l->p++;
		l->n--;
		word->n++;
	}
	while (word->p[word->n - 1] == ' ' || word->p[word->n - 1] == '\t')
		word->n--;
	return true;
}

/* --- fields --- */

static enum http_field_kind kind_of(struct bytes name)
{
	static const char *const hop[] = {
		"connection", "keep-alive",	     "proxy-connection",
		"te",	      "proxy-authorization", "proxy-authenticate",
	};

	for (unsigned i = 0; i < sizeof(hop) / sizeof(hop[0]); i++)
		if (is_same(name, hop[i]))
			return HTTP_HOP;
	return is_same(name, "host")		    ? HTTP_HOST_IS
	       : is_same(name, "upgrade")	    ? HTTP_UPGRADE
	       : is_same(name, "content-length")    ? HTTP_LENGTH
	       : is_same(name, "transfer-encoding") ? HTTP_CODING
						    : HTTP_OTHER;
}

/* A line of @n bytes at @at. Return: 0 or -4xx */
static int read_field(const uint8_t *b, uint32_t at, uint32_t n,
		      struct http_head *h)
{
	struct http_field *f = &h->field[h->fields];
	const uint8_t *colon = memchr(b + at, ':', n);
	uint32_t name_len, end = at + n;

	if (h->fields == HTTP_FIELDS)
		return LONG;
	name_len = colon ? (uint32_t)(colon - b) - at : 0;
	if (!all_token((struct bytes){ b + at, name_len }))
		return BAD;
	f->name = (struct http_span){ (uint16_t)at, (uint16_t)name_len };
	at += name_len + 1;
	while (at < end && (b[at] == ' ' || b[at] == '\t'))
		at++;
	while (end > at && (b[end - 1] == ' ' || b[end - 1] == '\t'))
		end--;
	f->value = (struct http_span){ (uint16_t)at, (uint16_t)(end - at) };
	f->kind = (uint8_t)kind_of(bytes_of(b, f->name));
	h->fields++;
	return 0;
}

static int read_fields(const uint8_t *b, uint32_t at, uint32_t end,
		       struct http_head *h)
{
	h->fields = 0;
	while (at < end - 2) {
		const uint8_t *cr = memchr(b + at, '\r', end - at);
		uint32_t n = (uint32_t)(cr - (b + at));
		int r = read_field(b, at, n, h);

		if (r != 0)
			return r;
		at += n + 2;
	}
	assert(at == end - 2);
	return 0;
}

/* --- what the fields say --- */

/* Digits and nothing else. Return: false: it is no length */
static bool get_length(struct bytes v, uint64_t *out)
{
	uint64_t n = 0;

	if (v.n == 0 || v.n > 18)
		return false;
	for (uint32_t i = 0; i < v.n; i++) {
		if (!is_digit(v.p[i]))
			return false;
		n = n * 10 + (v.p[i] - '0');
	}
	*out = n;
	return true;
}

/* A field that Connection names is for us alone, if it may be. */
static int drop_named(const uint8_t *b, struct http_head *h, struct bytes word)
{
	for (uint16_t i = 0; i < h->fields; i++) {
		struct http_field *f = &h->field[i];
		struct bytes name = bytes_of(b, f->name);

		if (name.n != word.n)
			continue;
		for (uint32_t k = 0; k < name.n; k++)
			if (lower(name.p[k]) != lower(word.p[k]))
				goto other;
		if (f->kind == HTTP_LENGTH || f->kind == HTTP_CODING ||
		    f->kind == HTTP_HOST_IS)
			return BAD;
		if (f->kind == HTTP_OTHER)
			f->kind = HTTP_HOP;
	other:;
	}
	return 0;
}

static int read_connection(const uint8_t *b, struct http_head *h,
			   struct bytes list, bool *keep, bool *upgrade)
{
	struct bytes word;

	while (next_word(&list, &word)) {
		int r;

		if (!all_token(word))
			return BAD;
		h->close |= is_same(word, "close");
		*keep |= is_same(word, "keep-alive");
		*upgrade |= is_same(word, "upgrade");
		r = drop_named(b, h, word);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Length and coding: each once, and not both. */
static int read_framing(const uint8_t *b, struct http_head *h)
{
	unsigned lengths = 0, codings = 0;

	for (uint16_t i = 0; i < h->fields; i++) {
		struct bytes v = bytes_of(b, h->field[i].value);

		if (h->field[i].kind == HTTP_LENGTH) {
			if (!get_length(v, &h->length))
				return BAD;
			lengths++;
		} else if (h->field[i].kind == HTTP_CODING) {
			if (!is_same(v, "chunked"))
				return NOT_DONE;
			codings++;
		}
	}
	if (lengths + codings > 1 || (codings > 0 && h->minor == 0))
		return BAD;
	h->framing = codings > 0   ? HTTP_CHUNKED
		     : lengths > 0 ? HTTP_SIZED
				   : HTTP_NO_BODY;
	return 0;
}

static int read_meaning(const uint8_t *b, struct http_head *h)
{
	bool keep = false, upgrade = false, has = false;
	int r = read_framing(b, h);

	h->close = false;
	h->max_forwards = false;
	for (uint16_t i = 0; i < h->fields && r == 0; i++) {
		struct bytes name = bytes_of(b, h->field[i].name);

		if (is_same(name, "connection"))
			r = read_connection(b, h,
					    bytes_of(b, h->field[i].value),
					    &keep, &upgrade);
		/* What old clients say to proxies. */
		else if (is_same(name, "proxy-connection"))
			keep |= is_same(bytes_of(b, h->field[i].value),
					"keep-alive");
		h->max_forwards |= is_same(name, "max-forwards");
		has |= h->field[i].kind == HTTP_UPGRADE;
	}
	h->close |= h->minor == 0 && !keep;
	h->upgrade = upgrade && has && h->minor == 1;
	return r;
}

/* --- first lines --- */

/* "HTTP/1." and a digit. Return: 0 or -4xx, -505 */
static int read_version(struct bytes v, uint8_t *minor)
{
	if (v.n != 8 || memcmp(v.p, "HTTP/", 5) != 0 || !is_digit(v.p[5]) ||
	    v.p[6] != '.' || !is_digit(v.p[7]))
		return BAD;
	if (v.p[5] != '1')
		return VERSION;
	*minor = v.p[7] == '0' ? 0 : 1;
	return 0;
}

static enum http_method method_of(struct bytes m)
{
	static const struct {
		const char *name;
		enum http_method is;
	} known[] = {
		{ "GET", HTTP_GET },	     { "HEAD", HTTP_HEAD },
		{ "OPTIONS", HTTP_OPTIONS }, { "TRACE", HTTP_TRACE },
		{ "CONNECT", HTTP_CONNECT },
	};

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (m.n == strlen(known[i].name) &&
		    memcmp(m.p, known[i].name, m.n) == 0)
			return known[i].is;
	return HTTP_ANY;
}

/* A name, an address, or [an address] of IPv6. Return: false: neither */
static bool read_host(const uint8_t *b, struct http_span s, struct http_head *h)
{
	bool six = s.len > 0 && b[s.at] == '[';

	if (six) {
		if (s.len < 4 || b[s.at + s.len - 1] != ']')
			return false;
		s.at++;
		s.len = (uint16_t)(s.len - 2);
	}
	if (s.len == 0 || s.len > HTTP_HOST)
		return false;
	for (uint16_t i = 0; i < s.len; i++) {
		uint8_t c = b[s.at + i];

		if (!is_alnum(c) && c != '.' && c != (six ? ':' : '-') &&
		    (six || c != '_'))
			return false;
	}
	h->host = s;
	return true;
}

/* HOST[:PORT]; @port: what it is without one, 0: there must be one. */
static bool read_authority(const uint8_t *b, struct http_span s, uint16_t port,
			   struct http_head *h)
{
	uint32_t n = s.len, at = 0;
	uint64_t v;

	while (n > 0 && is_digit(b[s.at + n - 1]))
		n--;
	h->authority = s;
	h->port = port;
	/* "a:80", and not the end of an address or a name. */
	if (n > 1 && b[s.at + n - 1] == ':' &&
	    (b[s.at] != '[' || b[s.at + n - 2] == ']')) {
		at = n;
		if (!get_length((struct bytes){ b + s.at + at, s.len - at },
				&v) ||
		    v == 0 || v > UINT16_MAX)
			return false;
		h->port = (uint16_t)v;
		s.len = (uint16_t)(n - 1);
	}
	return h->port != 0 && read_host(b, s, h);
}

static bool read_absolute(const uint8_t *b, struct http_head *h)
{
	struct http_span a = h->target;
	uint16_t n = 0;

	if (a.len < 8 || !is_same((struct bytes){ b + a.at, 7 }, "http://"))
		return false;
	a.at = (uint16_t)(a.at + 7);
	a.len = (uint16_t)(a.len - 7);
	while (n < a.len && b[a.at + n] != '/' && b[a.at + n] != '?')
		n++;
	h->path = (struct http_span){ (uint16_t)(a.at + n),
				      (uint16_t)(a.len - n) };
	a.len = n;
	return read_authority(b, a, 80, h);
}

/* METHOD SP TARGET SP VERSION */
static int read_line(const uint8_t *b, struct http_head *h)
{
	struct bytes l = bytes_of(b, h->line), m = { l.p, 0 }, t;
	int r;

	while (m.n < l.n && is_token(l.p[m.n]))
		m.n++;
	t = (struct bytes){ l.p + m.n + 1, 0 };
	if (m.n == 0 || m.n >= l.n || l.p[m.n] != ' ')
		return BAD;
	while (m.n + 1 + t.n < l.n && t.p[t.n] != ' ') {
		/* No fragment, and no byte that would need to be escaped. */
		if (t.p[t.n] >= 0x7f || t.p[t.n] <= ' ' || t.p[t.n] == '#')
			return BAD;
		t.n++;
	}
	if (t.n == 0 || m.n + 1 + t.n >= l.n)
		return BAD;
	r = read_version((struct bytes){ t.p + t.n + 1, l.n - m.n - t.n - 2 },
			 &h->minor);
	if (r != 0)
		return r;
	h->method = (uint8_t)method_of(m);
	h->method_at = (struct http_span){ h->line.at, (uint16_t)m.n };
	h->target = (struct http_span){ (uint16_t)(t.p - b), (uint16_t)t.n };
	if (h->method == HTTP_CONNECT)
		return read_authority(b, h->target, 0, h) ? 0 : BAD;
	return read_absolute(b, h) ? 0 : BAD;
}

/* --- both --- */

/* Find lines and fields. Return: as http_read_request(), but for the first line
 */
static int read_all(const uint8_t *b, size_t n, uint32_t from,
		    struct http_head *h)
{
	int end = find_end(b, n, from);
	const uint8_t *cr;
	int r;

	if (end <= 0)
		return end;
	cr = memchr(b + from, '\r', (size_t)end - from);
	h->len = (uint32_t)end;
	h->line = (struct http_span){ (uint16_t)from,
				      (uint16_t)(cr - (b + from)) };
	h->length = 0;
	r = read_fields(b, (uint32_t)(cr - b) + 2, (uint32_t)end, h);
	return r != 0 ? r : end;
}

static unsigned hosts(const struct http_head *h)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < h->fields; i++)
		n += h->field[i].kind == HTTP_HOST_IS;
	return n;
}

int http_read_request(const uint8_t *b, size_t n, struct http_head *h)
{
	uint32_t from = n >= 2 && b[0] == '\r' && b[1] == '\n' ? 2 : 0;
	int end, r;

	if (n == 1 && b[0] == '\r')
		return 0;
	end = read_all(b, n, from, h);
	if (end <= 0)
		return end;
	r = read_line(b, h);
	if (r == 0)
		r = read_meaning(b, h);
	if (r != 0)
		return r;
	if (hosts(h) > 1 || (h->minor == 1 && hosts(h) == 0))
		return BAD;
	if (h->method == HTTP_CONNECT)
		return h->framing == HTTP_CHUNKED || h->length > 0 ? BAD : end;
	/* What a proxy would have to answer or to count down itself. */
	if (h->method == HTTP_TRACE ||
	    (h->method == HTTP_OPTIONS && h->max_forwards))
		return NOT_DONE;
	return end;
}

/* VERSION SP 3DIGIT SP anything */
static bool read_status(const uint8_t *b, struct http_head *h)
{
	struct bytes l = bytes_of(b, h->line);

	if (l.n < 12 || read_version((struct bytes){ l.p, 8 }, &h->minor) != 0)
		return false;
	if (l.p[8] != ' ' || !is_digit(l.p[9]) || !is_digit(l.p[10]) ||
	    !is_digit(l.p[11]) || (l.n > 12 && l.p[12] != ' '))
		return false;
	h->status = (uint16_t)((l.p[9] - '0') * 100 + (l.p[10] - '0') * 10 +
			       (l.p[11] - '0'));
	return h->status >= 100;
}

int http_read_answer(const uint8_t *b, size_t n, enum http_method method,
		     struct http_head *h)
{
	int end = read_all(b, n, 0, h);

	if (end == 0)
		return 0;
	if (end < 0 || !read_status(b, h) || read_meaning(b, h) != 0)
		return -502;
	if (method == HTTP_HEAD || h->status < 200 || h->status == 204 ||
	    h->status == 304) {
		/* These have none, and may not say that they have. */
		if (h->framing == HTTP_CHUNKED &&
		    (h->status < 200 || h->status == 204))
			return -502;
		h->framing = HTTP_NO_BODY;
	} else if (h->framing == HTTP_NO_BODY) {
		h->framing = HTTP_TO_END;
		h->close = true;
	}
	return end;
}
