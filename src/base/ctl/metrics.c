/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.c - What a control socket shows, for Prometheus to fetch over HTTP
 *
 * Theory of operation
 *
 * A client has one request. Its head is gathered until http_status() knows the
 * answer, which is made whole at once and written as the kernel takes it; then
 * our side is closed, and what he sends behind it is thrown away until he
 * closes his, since a close with bytes unread would make a RST that may
 * overtake the answer.
 *
 * There are few clients, and no time: who is slow, or never says anything,
 * keeps his place until somebody else wants it. Then the one who came first
 * goes. So nobody can keep others out by waiting, and none costs more than his
 * place.
 */
#include "ctl/metrics.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/http.h"
#include "net/address.h"
#include "text/text.h"

#define BACKLOG 16

/**
 * struct visitor - A client; @fd -1: none
 * @turn:	Clients that had come when he did
 * @in, @got:	Of his request; what comes behind it is only counted
 * @out:	The answer: @n bytes, of which @sent are written
 */
struct visitor {
	struct metrics *m;
	struct loop_watch on;
	int fd;
	uint64_t turn;
	size_t got;
	size_t sent;
	size_t n;
	char in[HTTP_REQUEST];
	char out[METRICS_ANSWER];
};

struct metrics {
	struct ctl_shown shown;
	int fd;
	struct loop *loop;
	struct loop_watch on;
	struct metrics_counters n;
	struct visitor visitor[METRICS_CLIENTS];
	char body[CTL_ANSWER];
};

static const struct counter rows[] = { METRICS_COUNTERS(
	COUNTER_ROW, struct metrics_counters) };

const struct counter_list metrics_counter_list = COUNTER_LIST(rows);

size_t metrics_size(void)
{
	return arena_need(sizeof(struct metrics));
}

static void drop(struct visitor *v)
{
	loop_drop(v->m->loop, &v->on);
	close(v->fd);
	v->fd = -1;
}

/* --- the answer --- */

static void answer(struct visitor *v, int status)
{
	struct metrics *m = v->m;
	struct text body, out;

	text_begin(&body, m->body, sizeof(m->body));
	if (status == 200) {
		ctl_show_prometheus(&m->shown, &body);
		m->n.no_room += body.full;
		status = body.full ? 500 : 200;
	}
	m->n.given += status == 200;
	m->n.refused += status != 200 && status != 500;
	if (status != 200) {
		text_begin(&body, m->body, sizeof(m->body));
		text_add(&body, "%d %s; write GET /metrics\n", status,
			 http_reason(status));
	}
	text_begin(&out, v->out, sizeof(v->out));
	text_add(&out,
		 "HTTP/1.1 %d %s\r\n"
		 "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
		 "Content-Length: %zu\r\n"
		 "X-Content-Type-Options: nosniff\r\n%s"
		 "Connection: close\r\n\r\n",
		 status, http_reason(status), body.len,
		 status == 405 ? "Allow: GET\r\n" : "");
	assert(out.len + body.len <= sizeof(v->out));
	memcpy(v->out + out.len, m->body, body.len);
	v->n = out.len + body.len;
}

/* Return: false: he is gone */
static bool flush(struct visitor *v)
{
	while (v->sent < v->n) {
		ssize_t n = send(v->fd, v->out + v->sent, v->n - v->sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			loop_turn(v->m->loop, &v->on, true);
			return true;
		}
		if (n < 0) {
			drop(v);
			return false;
		}
		v->sent += (size_t)n;
	}
	loop_turn(v->m->loop, &v->on, false);
	(void)shutdown(v->fd, SHUT_WR);
	return true;
}

/* --- the request --- */

/* His head goes on. Return: bytes that came; 0: none; -1: he is gone */
static ssize_t take(struct visitor *v, char *b, size_t size)
{
	ssize_t n = recv(v->fd, b, size, MSG_DONTWAIT);

	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	drop(v);
	return -1;
}

/* He was answered, and says something yet. */
static void throw_away(struct visitor *v)
{
	ssize_t n = take(v, v->in, sizeof(v->in));

	if (n <= 0)
		return;
	v->got += (size_t)n;
	if (v->got > METRICS_BEHIND)
		drop(v);
}

static void visitor_is_ready(void *ctx, uint64_t now)
{
	struct visitor *v = ctx;
	ssize_t n;
	int status;

	(void)now;
	if (v->n > 0) {
		if (v->sent < v->n && (!flush(v) || v->sent < v->n))
			return;
		throw_away(v);
		return;
	}
	n = take(v, v->in + v->got, sizeof(v->in) - v->got);
	if (n <= 0)
		return;
	v->got += (size_t)n;
	status = http_status(v->in, v->got);
	if (status == 0)
		return;
	answer(v, status);
	(void)flush(v);
}

/* A place for one more: a free one, or that of who came first. */
static struct visitor *place_for_one(struct metrics *m)
{
	struct visitor *first = &m->visitor[0];

	for (int i = 0; i < METRICS_CLIENTS; i++) {
		struct visitor *v = &m->visitor[i];

		if (v->fd < 0)
			return v;
		if (v->turn < first->turn)
			first = v;
	}
	m->n.full++;
	drop(first);
	return first;
}

static void somebody_came(void *ctx, uint64_t now)
{
	struct metrics *m = ctx;
	int fd = accept4(m->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct visitor *v;

	(void)now;
	if (fd < 0)
		return;
	v = place_for_one(m);
	v->on = (struct loop_watch){ .ready = visitor_is_ready, .ctx = v };
	v->m = m;
	v->got = v->sent = v->n = 0;
	if (loop_add(m->loop, &v->on, fd) != 0) {
		close(fd);
		return;
	}
	v->fd = fd;
	v->turn = m->n.clients++;
}

/* --- start and end --- */

int metrics_open(struct metrics **out, struct arena *a, const struct ipaddr *ip,
		 uint16_t port, const struct ctl_shown *shown, struct errbuf *e)
{
	int fd = address_bind(ip, port, false, e);
	struct metrics *m;

	if (fd < 0)
		return fd;
	if (listen(fd, BACKLOG) != 0) {
		close(fd);
		return errbuf_set(e, -EADDRINUSE,
				  "--metrics: somebody listens there already; "
				  "give another port");
	}
	m = arena_take(a, sizeof(*m));
	assert(m);
	m->shown = *shown;
	m->fd = fd;
	m->loop = NULL;
	m->n = (struct metrics_counters){ 0 };
	for (int i = 0; i < METRICS_CLIENTS; i++)
		m->visitor[i].fd = -1;
	*out = m;
	return 0;
}

void metrics_close(struct metrics *m)
{
	if (!m)
		return;
	for (int i = 0; i < METRICS_CLIENTS; i++)
		if (m->visitor[i].fd >= 0)
			drop(&m->visitor[i]);
	if (m->loop)
		loop_drop(m->loop, &m->on);
	close(m->fd);
}

int metrics_serve(struct metrics *m, struct loop *l)
{
	m->loop = l;
	m->on = (struct loop_watch){ .ready = somebody_came, .ctx = m };
	return loop_add(l, &m->on, m->fd);
}

const struct metrics_counters *metrics_counters(const struct metrics *m)
{
	return &m->n;
}
