/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request.c - Clients of HTTP
 *
 * Theory of operation
 *
 * A client whose first word is CONNECT is one of SOCKS in other words: where to
 * is his wish, the race finds the server, and the two are joined. The reply and
 * what he is told when it fails are of HTTP (greet.c).
 *
 * All others are carried from the first request to the last, by the machine of
 * http/exchange: settled once, as copied (copied_http), and over when he is
 * gone. For each server that it asks for there is a race of its own; what
 * conn_give_up() would do to another connection is an answer of ours here, and
 * he may ask for something else. That is deferred to the next turn of the loop,
 * so that who asks for a hundred such things at once does not hold it.
 */
#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#include "core/limits.h"
#include "front/front_internal.h"
#include "front/request_internal.h"
#include "http/edit.h"
#include "http/exchange.h"
#include "http/head.h"
#include "opt/values.h"
#include "os/clock.h"

#define DRAIN_ROUNDS 16		       /* of a buffer that is thrown away */
#define KEPT	     (60 * NS_PER_SEC) /* who asks for nothing more */
#define CONNECT	     "CONNECT "

/* --- what he is told --- */

static unsigned status_of(const struct front *f, struct why why,
			  enum socks_code code)
{
	if (code == SOCKS_NOT_ALLOWED)
		return 403;
	if (why.n == &f->n->failed_handshake || code == SOCKS_HOST_UNREACHABLE)
		return 504;
	return why.n == &f->n->refused_names || why.n == &f->n->failed_own
		       ? 503
		       : 502;
}

static const char *words_of(unsigned status)
{
	switch (status) {
	case 403:
		return "The proxy does not connect to this address.";
	case 504:
		return "The server, or its name, has not answered in time.";
	case 503:
		return "The proxy has no room for this request.";
	case 502:
		return "The server does not take connections.";
	default:
		return "The proxy cannot read this request without doubt.";
	}
}

size_t request_page(const struct conn *c, enum socks_code code, uint8_t *out)
{
	unsigned status =
		c->wish->status != 0 ? c->wish->status
		: code == SOCKS_FAILURE
			? 503
			: status_of(c->f, (struct why){ NULL, NULL }, code);

	return http_page(status, words_of(status), true, true, out);
}

/* --- the first word --- */

/* Where to, as a client of SOCKS would have said it. */
static void wish_for(struct socks *s, const char *host, size_t n, uint16_t port)
{
	*s = (struct socks){ .port = port, .command = 1 };
	if (value_get_ip(host, n, &s->ip) == 0)
		return;
	assert(n <= SOCKS_NAME);
	memcpy(s->name, host, n);
	s->name[n] = '\0';
	s->name_len = (uint8_t)n;
}

static void make_wish(struct conn *c)
{
	if (c->wish)
		return;
	c->wish = stock_take(&c->f->wishes);
	assert(c->wish);
	*c->wish = (struct wish){ .user = "" };
}

static void connect_for(struct conn *c, const uint8_t *b, size_t n)
{
	struct front *f = c->f;
	struct http_head h;
	int r = http_read_request(b, n, &h);

	if (r == 0) {
		conn_watch(c, DIR_C2S);
		return;
	}
	make_wish(c);
	c->wish->http = true;
	if (r < 0) {
		c->wish->status = (uint16_t)-r;
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_http),
			     SOCKS_GRANTED);
		return;
	}
	wish_for(&c->wish->socks, (const char *)b + h.host.at, h.host.len,
		 h.port);
	greet_take(c, (size_t)r);
	race_begin(c);
}

static void carry(struct conn *c)
{
	struct front *f = c->f;
	uint8_t *memory = copy_take(c);

	make_wish(c);
	if (!memory) {
		c->wish->http = true;
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_copies),
			     SOCKS_FAILURE);
		return;
	}
	c->request = stock_take(&f->requests);
	assert(c->request);
	*c->request = (struct request){ .moved = f->now };
	web_begin(&c->request->web, c->fd[DIR_C2S], memory);
	conn_watch(c, DIR_C2S);
	c->opened = f->now;
	conn_settle(c, CONN_COPIES, WHY(f, copied_http));
	c->state = CONN_WEB;
	request_run(c);
}

void request_hear(struct conn *c)
{
	const size_t most = sizeof(CONNECT) - 1;
	const uint8_t *b;
	ssize_t n;

	c->state = CONN_SOCKS;
	n = greet_look(c, &b);
	if (n <= 0)
		return;
	if (memcmp(b, CONNECT, (size_t)n < most ? (size_t)n : most) != 0)
		carry(c);
	else if ((size_t)n < most)
		conn_watch(c, DIR_C2S);
	else
		connect_for(c, b, (size_t)n);
}

/* --- servers --- */

static void wait_for_turn(struct conn *c)
{
	list_del(&c->copy->busy);
	list_add_tail(&c->f->busy, &c->copy->busy);
}

static void look_for_server(struct conn *c)
{
	const struct http_exchange *x = &c->request->web.x;
	struct work *w = c->work;

	wish_for(&c->wish->socks, x->host, strlen(x->host), x->port);
	w->until = c->f->now + c->f->o->handshake_timeout;
	w->no = (struct why){ NULL, NULL };
	w->silent = false;
	w->error = 0;
	race_begin(c);
}

void request_connected(struct conn *c)
{
	c->state = CONN_WEB;
	c->request->moved = c->f->now;
	/* Of him no event was taken meanwhile. */
	web_event(&c->request->web, DIR_C2S);
	if (!greet_server(c)) {
		request_failed(c, WHY(c->f, failed_own), SOCKS_FAILURE);
		return;
	}
	web_server(&c->request->web, c->fd[DIR_S2C]);
	request_run(c);
}

static void gone(struct conn *c, struct why end)
{
	conn_bytes(c);
	conn_over(c, end);
}

void request_failed(struct conn *c, struct why why, enum socks_code code)
{
	struct front *f = c->f;
	unsigned status = status_of(f, why, code);

	race_end(c);
	connect_drop(c);
	c->state = CONN_WEB;
	if (why.n == &f->n->failed_left || conn_error(c, DIR_C2S) != 0) {
		gone(c, WHY(f, ended_reset));
		return;
	}
	web_event(&c->request->web, DIR_C2S);
	http_fail(&c->request->web.x, status, words_of(status));
	wait_for_turn(c);
}

/* --- the end of one, and of all --- */

static void done(struct conn *c)
{
	struct front_counters *n = c->f->n;
	struct http_exchange *x = &c->request->web.x;

	n->requests++;
	n->requests_answered += !x->ours;
	n->requests_refused += x->ours && x->status != 502 &&
			       x->status != 503 && x->status != 504;
	n->requests_failed += x->ours && x->status >= 502 && x->status <= 504;
	access_request(c);
	c->request->began = 0;
}

/* All was sent. Bytes that are left when we close would make a RST, which may
 * overtake it.
 */
static void close_well(struct conn *c)
{
	uint8_t b[4096];

	(void)shutdown(c->fd[DIR_C2S], SHUT_WR);
	for (int i = 0; i < DRAIN_ROUNDS; i++)
		if (recv(c->fd[DIR_C2S], b, sizeof(b), MSG_DONTWAIT) <= 0)
			break;
	gone(c, WHY(c->f, ended_closed));
}

static void leave(struct conn *c)
{
	conn_close(c, DIR_S2C, false);
	web_left(&c->request->web);
}

static uint64_t limit_of(const struct conn *c)
{
	const struct setup *o = c->f->o;
	const struct request *q = c->request;
	uint64_t idle = o->idle_timeout;

	/* He has connected, and asked for nothing yet. */
	if (q->web.x.requests == 0)
		return c->began + o->handshake_timeout;
	if (http_is_idle(&q->web.x) && idle > KEPT)
		idle = KEPT;
	return q->moved + idle;
}

/* Return: there may be more to do */
static bool step(struct conn *c)
{
	struct request *q = c->request;
	bool moved;
	int r = web_run(&q->web, &moved);

	if (moved)
		q->moved = c->f->now;
	if (q->began == 0 && !http_is_idle(&q->web.x)) {
		q->began = c->f->now;
		q->began_real = clock_real();
	}
	switch (r) {
	case HTTP_SERVER:
		look_for_server(c);
		return false;
	case HTTP_LEAVE:
		leave(c);
		return true;
	case HTTP_DONE:
		done(c);
		return true;
	case HTTP_OVER:
		close_well(c);
		return false;
	case HTTP_BROKEN:
		gone(c, WHY(c->f, ended_reset));
		return false;
	case WEB_MORE:
		wait_for_turn(c);
		return false;
	default:
		if (c->fd[DIR_S2C] >= 0)
			conn_watch(c, DIR_S2C);
		due_at(c->f, &c->work->due, limit_of(c));
		return false;
	}
}

void request_run(struct conn *c)
{
	/* A turn is a few requests; a race may have begun meanwhile. */
	for (int i = 0; i < 16; i++)
		if (c->state != CONN_WEB || !step(c))
			return;
	wait_for_turn(c);
}

void request_event(struct conn *c, enum dir d)
{
	web_event(&c->request->web, d);
	request_run(c);
}

void request_due(struct conn *c)
{
	struct front *f = c->f;

	if (f->now < limit_of(c))
		due_at(f, &c->work->due, limit_of(c));
	else if (http_is_idle(&c->request->web.x))
		close_well(c);
	else
		gone(c, WHY(f, ended_idle));
}

bool request_is_idle(const struct conn *c)
{
	return c->request && http_is_idle(&c->request->web.x);
}

void request_end(struct conn *c)
{
	struct request *q = c->request;

	if (!q)
		return;
	if (c->state == CONN_RACE)
		race_end(c);
	/* What was asked for and has not come to its end. */
	if (q->began != 0) {
		c->f->n->requests++;
		c->f->n->requests_cut++;
		access_request(c);
	}
	stock_give(&c->f->requests, q);
	c->request = NULL;
}
