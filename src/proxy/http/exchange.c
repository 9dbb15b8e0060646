/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange.c - A client of an HTTP proxy: his requests, one after the other
 *
 * Theory of operation
 *
 *	IDLE -> LOOKS -> TALKS -> TOLD -> IDLE
 *	                     '-> TUNNELS  '-> ENDS
 *
 * A request's head is read, and written anew for the server (edit.h); its body
 * goes behind it as it is. Of the answer the same. The next request is looked
 * at when all of the answer was sent: what a client sends before (pipelining)
 * waits where it is, so answers come in his order. A server that stays is used
 * again if the next request is for it; one that has closed meanwhile is asked
 * once more on another connection, if it has said nothing, and the request has
 * no body and may be made twice (RFC 9110 section 9.2.2).
 *
 * A message whose head or chunks are not by the letter ends there: what of it
 * would be read otherwise behind us never leaves.
 */
#include "http/exchange.h"

#include <assert.h>
#include <string.h>

_Static_assert(HTTP_OUT >= HTTP_EDIT_MOST && HTTP_IN > HTTP_HEAD_MOST,
	       "a head fits");

static const char tunnel_is[] = HTTP_TUNNEL;

void http_begin(struct http_exchange *x, uint8_t *memory)
{
	memset(x, 0, sizeof(*x));
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		x->way[d].in = memory + d * HTTP_BUFFER;
		x->way[d].out = memory + d * HTTP_BUFFER + HTTP_IN;
	}
}

/* --- bytes --- */

uint8_t *http_room(struct http_exchange *x, enum dir d, size_t *n)
{
	struct http_way *w = &x->way[d];

	if (w->at == w->len)
		w->at = w->len = 0;
	if (w->len == HTTP_IN && w->at > 0) {
		memmove(w->in, w->in + w->at, w->len - w->at);
		w->len -= w->at;
		w->at = 0;
	}
	*n = HTTP_IN - w->len;
	return *n > 0 && !w->ended ? w->in + w->len : NULL;
}

void http_got(struct http_exchange *x, enum dir d, size_t n)
{
	struct http_way *w = &x->way[d];

	assert(n <= HTTP_IN - w->len);
	w->len += (uint32_t)n;
	w->ended |= n == 0;
	x->heard |= d == DIR_S2C && n > 0;
}

const uint8_t *http_next(const struct http_exchange *x, enum dir d, size_t *n)
{
	const struct http_way *w = &x->way[d];

	if (w->out_at < w->out_len) {
		*n = w->out_len - w->out_at;
		return w->out + w->out_at;
	}
	*n = w->pass;
	return w->pass > 0 ? w->in + w->at : NULL;
}

void http_sent(struct http_exchange *x, enum dir d, size_t n)
{
	struct http_way *w = &x->way[d];

	x->bytes[d] += n;
	if (w->out_at < w->out_len) {
		assert(n <= w->out_len - w->out_at);
		w->out_at += (uint32_t)n;
		return;
	}
	assert(n <= w->pass);
	w->at += (uint32_t)n;
	w->pass -= (uint32_t)n;
}

/* Is there something to be sent? */
static bool waits(const struct http_way *w)
{
	return w->out_at < w->out_len || w->pass > 0;
}

static const uint8_t *unread(const struct http_way *w, size_t *n)
{
	*n = w->len - w->at - w->pass;
	return w->in + w->at + w->pass;
}

static void drop(struct http_way *w, uint32_t n)
{
	assert(w->pass == 0 && n <= w->len - w->at);
	w->at += n;
}

bool http_is_idle(const struct http_exchange *x)
{
	return x->phase == HTTP_IDLE || x->phase == HTTP_ENDS;
}

/* --- the end of one --- */

void http_fail(struct http_exchange *x, unsigned status, const char *why)
{
	struct http_way *w = &x->way[DIR_S2C];

	assert(!waits(w));
	x->status = (uint16_t)status;
	x->ours = true;
	/* A body that we have not read would be taken for a request. */
	x->close |= !x->body[DIR_C2S].done;
	w->out_at = 0;
	w->out_len = (uint32_t)http_page(status, why, x->close,
					 x->method != HTTP_HEAD, w->out);
	x->phase = HTTP_TOLD;
	/* Nothing of it may be sent any more. */
	x->way[DIR_C2S].out_at = x->way[DIR_C2S].out_len = 0;
	x->way[DIR_C2S].pass = 0;
}

/* --- a request --- */

static void note(struct http_exchange *x, const uint8_t *b,
		 const struct http_head *h)
{
	x->requests++;
	x->bytes[DIR_C2S] = x->bytes[DIR_S2C] = 0;
	x->status = 0;
	x->ours = x->answered = x->heard = x->server_close = false;
	x->line_len = h->line.len < HTTP_LINE ? h->line.len : HTTP_LINE;
	memcpy(x->line, b + h->line.at, x->line_len);
	x->method = h->method;
	x->minor = h->minor;
	x->close = h->close;
	x->upgrade = h->upgrade;
}

/* Is it for the server that is there? Remember whom it is for. */
static bool same_server(struct http_exchange *x, const uint8_t *b,
			const struct http_head *h)
{
	bool same = x->server && x->port == h->port &&
		    strlen(x->host) == h->host.len &&
		    memcmp(x->host, b + h->host.at, h->host.len) == 0;

	memcpy(x->host, b + h->host.at, h->host.len);
	x->host[h->host.len] = '\0';
	x->port = h->port;
	return same;
}

static void not_by_the_letter(struct http_exchange *x, int status)
{
	static const char *const why[] = {
		"The proxy cannot read this request without doubt.",
		"The head of this request is too long.",
		"The proxy does not do this.",
		"The proxy speaks HTTP/1.0 and 1.1.",
	};

	x->requests++;
	x->bytes[DIR_C2S] = x->bytes[DIR_S2C] = 0;
	x->line_len = 0;
	x->method = HTTP_ANY;
	x->close = true;
	http_fail(x, (unsigned)status,
		  why[status == 431   ? 1
		      : status == 501 ? 2
		      : status == 505 ? 3
				      : 0]);
}

static enum http_step idle(struct http_exchange *x)
{
	struct http_way *w = &x->way[DIR_C2S];
	struct http_way *s = &x->way[DIR_S2C];
	struct http_head h;
	const uint8_t *b;
	bool same;
	size_t n;
	int r;

	/* A server that speaks now answers nothing. */
	if (x->server && (s->ended || s->len > s->at))
		return HTTP_LEAVE;
	b = unread(w, &n);
	r = http_read_request(b, n, &h);
	if (r == 0) {
		x->phase = w->ended ? HTTP_ENDS : HTTP_IDLE;
		return HTTP_WAIT;
	}
	if (r < 0) {
		not_by_the_letter(x, -r);
		return HTTP_WAIT;
	}
	note(x, b, &h);
	http_body_begin(&x->body[DIR_C2S], &h);
	same = same_server(x, b, &h);
	w->out_at = 0;
	w->out_len = h.method == HTTP_CONNECT
			     ? 0
			     : (uint32_t)http_edit_request(b, &h, w->out);
	x->head_len = w->out_len;
	drop(w, (uint32_t)r);
	x->phase = same && h.method != HTTP_CONNECT ? HTTP_TALKS : HTTP_LOOKS;
	return HTTP_WAIT;
}

void http_left(struct http_exchange *x)
{
	struct http_way *s = &x->way[DIR_S2C];

	assert(s->pass == 0);
	x->server = x->used = false;
	s->at = s->len = 0;
	s->ended = false;
}

void http_connected(struct http_exchange *x)
{
	struct http_way *s = &x->way[DIR_S2C];

	assert(x->phase == HTTP_ASKED);
	x->server = true;
	x->phase = HTTP_TALKS;
	if (x->method != HTTP_CONNECT)
		return;
	memcpy(s->out, tunnel_is, sizeof(tunnel_is) - 1);
	s->out_at = 0;
	s->out_len = sizeof(tunnel_is) - 1;
	x->status = 200;
	x->close = true;
	x->phase = HTTP_TUNNELS;
}

/* --- an answer --- */

/* Return: the request may be made again, on another connection */
static bool may_repeat(const struct http_exchange *x)
{
	return x->used && !x->heard &&
	       x->body[DIR_C2S].framing == HTTP_NO_BODY &&
	       (x->method == HTTP_GET || x->method == HTTP_HEAD ||
		x->method == HTTP_OPTIONS);
}

static enum http_step no_answer(struct http_exchange *x)
{
	if (may_repeat(x)) {
		x->way[DIR_C2S].out_at = 0;
		x->way[DIR_C2S].out_len = x->head_len;
		x->bytes[DIR_C2S] = 0;
		x->phase = HTTP_LOOKS;
		return HTTP_WAIT;
	}
	x->server_close = true;
	http_fail(x, 502, "The server has closed without an answer.");
	return HTTP_WAIT;
}

static enum http_step wrong_answer(struct http_exchange *x)
{
	x->server_close = true;
	http_fail(x, 502, "The proxy cannot read the server's answer.");
	return HTTP_WAIT;
}

static enum http_step answer_is(struct http_exchange *x, const uint8_t *b,
				struct http_head *h)
{
	struct http_way *s = &x->way[DIR_S2C];
	bool switched = h->status == 101;

	/* A client of 1.0 knows no chunks, and nothing before an answer. */
	if ((switched && !(x->upgrade && h->upgrade)) ||
	    (x->minor == 0 && h->framing == HTTP_CHUNKED))
		return wrong_answer(x);
	if (h->status < 200 && !switched && x->minor == 0) {
		drop(s, h->len);
		return HTTP_WAIT;
	}
	if (h->status >= 200 || switched) {
		x->answered = true;
		x->status = h->status;
		x->server_close = h->close;
		x->close |= h->framing == HTTP_TO_END || x->way[DIR_C2S].ended;
		http_body_begin(&x->body[DIR_S2C], h);
	}
	s->out_at = 0;
	s->out_len =
		(uint32_t)http_edit_answer(b, h, x->minor, x->close, s->out);
	drop(s, h->len);
	if (switched) {
		x->phase = HTTP_TUNNELS;
		x->close = true;
	}
	return HTTP_WAIT;
}

/* Return: false: nothing more can be done now; else *@step */
static bool read_answer(struct http_exchange *x, enum http_step *step)
{
	struct http_way *s = &x->way[DIR_S2C];
	struct http_head h;
	const uint8_t *b;
	size_t n;
	int r;

	if (waits(s))
		return false;
	b = unread(s, &n);
	r = http_read_answer(b, n, (enum http_method)x->method, &h);
	if (r == 0 && !s->ended)
		return false;
	*step = r > 0	? answer_is(x, b, &h)
		: r < 0 ? wrong_answer(x)
		: n > 0 ? wrong_answer(x)
			: no_answer(x);
	return true;
}

/* Bytes of a body that are there are to be sent. Return: false: they are none
 */
static bool pass_body(struct http_exchange *x, enum dir d)
{
	struct http_way *w = &x->way[d];
	const uint8_t *b;
	size_t n;
	long r;

	b = unread(w, &n);
	r = http_body_take(&x->body[d], b, n);
	if (r < 0)
		return false;
	w->pass += (uint32_t)r;
	return true;
}

static bool is_answered(struct http_exchange *x)
{
	const struct http_way *s = &x->way[DIR_S2C];
	struct http_body *y = &x->body[DIR_S2C];

	if (x->answered && y->framing == HTTP_TO_END && s->ended)
		y->done = true;
	return x->answered && y->done;
}

static enum http_step talks(struct http_exchange *x)
{
	struct http_way *c = &x->way[DIR_C2S], *s = &x->way[DIR_S2C];
	enum http_step step = HTTP_WAIT;

	if (!x->body[DIR_C2S].done) {
		if (!pass_body(x, DIR_C2S))
			return HTTP_BROKEN;
		/* His body was cut, and so was the request. */
		if (c->ended && !x->body[DIR_C2S].done && !waits(c))
			return HTTP_BROKEN;
	}
	while (!x->answered && x->phase == HTTP_TALKS)
		if (!read_answer(x, &step))
			return HTTP_WAIT;
	if (x->phase != HTTP_TALKS)
		return step;
	if (!pass_body(x, DIR_S2C))
		return HTTP_BROKEN;
	if (is_answered(x)) {
		/* Who has answered before all was sent does not want the rest.
		 */
		x->close |= !x->body[DIR_C2S].done || waits(c);
		x->server_close |= x->close;
		x->phase = HTTP_TOLD;
	} else if (s->ended && !waits(s)) {
		return HTTP_BROKEN;
	}
	return HTTP_WAIT;
}

/* --- the rest --- */

static enum http_step tunnels(struct http_exchange *x)
{
	bool over = true;

	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		struct http_way *w = &x->way[d];

		w->pass = w->len - w->at;
		w->shut = w->ended && !waits(w);
		over &= w->shut;
	}
	if (over)
		x->phase = HTTP_TOLD;
	return HTTP_WAIT;
}

static enum http_step told(struct http_exchange *x)
{
	if (waits(&x->way[DIR_S2C]))
		return HTTP_WAIT;
	x->used = x->server;
	x->phase = x->close ? HTTP_ENDS : HTTP_IDLE;
	/* What is left of a request that was not taken. */
	if (x->close)
		x->way[DIR_C2S].pass = x->way[DIR_C2S].out_len = 0;
	return HTTP_DONE;
}

static enum http_step ends(const struct http_exchange *x)
{
	return waits(&x->way[DIR_S2C]) ? HTTP_WAIT : HTTP_OVER;
}

static enum http_step one(struct http_exchange *x)
{
	switch (x->phase) {
	case HTTP_IDLE:
		if (x->server && x->server_close)
			return HTTP_LEAVE;
		return idle(x);
	case HTTP_LOOKS:
		if (x->server)
			return HTTP_LEAVE;
		x->phase = HTTP_ASKED;
		return HTTP_SERVER;
	case HTTP_ASKED:
		return HTTP_WAIT;
	case HTTP_TALKS:
		return talks(x);
	case HTTP_TUNNELS:
		return tunnels(x);
	case HTTP_TOLD:
		return told(x);
	default:
		return ends(x);
	}
}

enum http_step http_run(struct http_exchange *x)
{
	enum http_step step;
	uint8_t was;

	do {
		was = x->phase;
		step = one(x);
	} while (step == HTTP_WAIT && x->phase != was);
	return step;
}
