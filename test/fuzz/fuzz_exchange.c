/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_exchange.c - Fuzz a client and servers of an HTTP proxy
 *
 * The first two bytes say how many of the rest the client sends; servers send the others.
 * Cut at any place, the client's bytes come to the same. What leaves for a server is read
 * again here, by a second, simpler reader: heads whose lines end with CR LF, with one Host,
 * and with at most one of length and coding; and behind each as many bytes as it says.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/exchange.h"

#define SENT_MOST (1u << 17)
#define STEPS	  100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sent {
	uint8_t b[DIR_COUNT][SENT_MOST];
	size_t n[DIR_COUNT];
	bool tunnel;
	bool cut; /* a request was broken, or asked for twice */
};

static struct sent whole, pieces;
static uint8_t memory[2 * HTTP_BUFFER];

/* --- the second reader --- */

static bool is_named(const uint8_t *line, size_t n, const char *name)
{
	size_t len = strlen(name);

	return n > len && strncasecmp((const char *)line, name, len) == 0 &&
	       line[len] == ':';
}

/* A request's head. Return: its length; @body: -1: chunks */
static size_t read_head(const uint8_t *b, size_t n, long *body)
{
	size_t at = 0, hosts = 0, framings = 0, lines = 0;

	*body = 0;
	for (;;) {
		const uint8_t *lf = memchr(b + at, '\n', n - at);
		size_t len;

		assert(lf && lf > b + at && lf[-1] == '\r');
		len = (size_t)(lf - (b + at)) - 1;
		assert(!memchr(b + at, '\r', len) && !memchr(b + at, 0, len));
		assert(len == 0 || (b[at] != ' ' && b[at] != '\t'));
		hosts += is_named(b + at, len, "host");
		if (is_named(b + at, len, "content-length")) {
			framings++;
			*body = strtol((const char *)b + at + 15, NULL, 10);
		}
		if (is_named(b + at, len, "transfer-encoding")) {
			framings++;
			*body = -1;
		}
		assert(!is_named(b + at, len, "proxy-connection") &&
		       !is_named(b + at, len, "keep-alive"));
		at = (size_t)(lf - b) + 1;
		if (len == 0)
			break;
		lines++;
	}
	assert(lines > 1 && hosts == 1 && framings <= 1);
	return at;
}

/* Up to a body that was cut: what follows would be nothing to read. */
static void read_requests(const struct sent *s)
{
	const uint8_t *b = s->b[DIR_C2S];
	size_t n = s->n[DIR_C2S];

	while (n > 0) {
		long body;
		size_t head = read_head(b, n, &body);

		b += head;
		n -= head;
		if (body < 0 || (size_t)body >= n)
			return;
		b += body;
		n -= (size_t)body;
	}
}

/* --- the proxy --- */

static void send_all(struct http_exchange *x, struct sent *s)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		const uint8_t *p;
		size_t n;

		while ((p = http_next(x, d, &n)) != NULL) {
			assert(n > 0 && n <= HTTP_BUFFER);
			if (n > SENT_MOST - s->n[d])
				n = SENT_MOST - s->n[d];
			if (n == 0)
				return;
			memcpy(s->b[d] + s->n[d], p, n);
			s->n[d] += n;
			http_sent(x, d, n);
		}
	}
}

/* Return: it goes on */
static bool go(struct http_exchange *x, struct sent *s, bool server)
{
	for (int i = 0; i < STEPS; i++) {
		switch (http_run(x)) {
		case HTTP_WAIT:
			s->tunnel |= x->phase == HTTP_TUNNELS;
			if (s->n[DIR_C2S] == SENT_MOST ||
			    s->n[DIR_S2C] == SENT_MOST)
				return false;
			{
				size_t before = s->n[0] + s->n[1];

				send_all(x, s);
				if (s->n[0] + s->n[1] == before)
					return true;
			}
			break;
		case HTTP_SERVER:
			assert(x->host[0] != '\0' && x->port != 0);
			if (server)
				http_connected(x);
			else
				http_fail(x, 502, "No.");
			break;
		case HTTP_LEAVE:
			http_left(x);
			break;
		case HTTP_DONE:
			assert(x->status != 0 && x->line_len <= HTTP_LINE);
			break;
		case HTTP_OVER:
			return false;
		default:
			s->cut = true;
			return false;
		}
	}
	abort();
}

static bool give(struct http_exchange *x, enum dir d, const uint8_t *b,
		 size_t n)
{
	size_t room;
	uint8_t *to = http_room(x, d, &room);

	if (!to || room < n)
		return false;
	memcpy(to, b, n);
	http_got(x, d, n);
	return true;
}

static void run(struct sent *s, const uint8_t *c, size_t n, const uint8_t *v,
		size_t m, size_t step)
{
	struct http_exchange x;
	bool server = m > 0;

	s->n[0] = s->n[1] = 0;
	s->tunnel = s->cut = false;
	http_begin(&x, memory);
	for (size_t at = 0; at < n; at += step) {
		size_t k = n - at < step ? n - at : step;

		if (!give(&x, DIR_C2S, c + at, k) || !go(&x, s, server))
			return;
	}
	for (size_t at = 0; at < m; at++)
		if (!give(&x, DIR_S2C, v + at, 1) || !go(&x, s, server))
			return;
	http_got(&x, DIR_C2S, 0);
	if (!go(&x, s, server))
		return;
	if (x.server) {
		http_got(&x, DIR_S2C, 0);
		go(&x, s, server);
	}
}

/* Of a request that is cut, more or less may have been sent before. */
static void same(enum dir d)
{
	size_t n = whole.n[d] < pieces.n[d] ? whole.n[d] : pieces.n[d];

	assert(whole.cut || whole.n[d] == pieces.n[d]);
	assert(memcmp(whole.b[d], pieces.b[d], n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n;

	if (size < 2 || size > 20000)
		return 0;
	n = (size_t)data[0] << 8 | data[1];
	data += 2;
	size -= 2;
	if (n > size)
		n = size;
	run(&whole, data, n, data + n, size - n, n > 0 ? n : 1);
	run(&pieces, data, n, data + n, size - n, 1);
	assert(whole.cut == pieces.cut);
	same(DIR_C2S);
	same(DIR_S2C);
	if (!whole.tunnel && !whole.cut && whole.n[DIR_C2S] < SENT_MOST)
		read_requests(&whole);
	return 0;
}
