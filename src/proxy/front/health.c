/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health.c - Servers that are out, and whether they are back
 *
 * A server that did not take --failures connections in a row gets no more
 * clients. It is asked by a connection of ours every --check-every, and is in
 * again when it takes one, ours or a client's. Where clients pass by us
 * (passing.c) each server is asked all the time.
 */
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/front_internal.h"
#include "front/manage_internal.h"

static void stop_asking(struct health *h)
{
	if (h->fd < 0)
		return;
	loop_drop(h->f->loop, &h->watch);
	close(h->fd);
	h->fd = -1;
}

/* When it is asked next, if it is. */
static void ask_in_time(struct health *h)
{
	struct front *f = h->f;
	const struct server *s = &f->servers[h->place].s[h->server];

	if (!s->gone && (s->out || passing_asks(f, h->place)))
		due_at(f, &h->due, f->now + f->o->check_every);
	else
		due_never(f, &h->due);
}

static void good(struct health *h)
{
	struct front *f = h->f;
	bool was_out = servers_good(&f->servers[h->place], h->server);

	stop_asking(h);
	ask_in_time(h);
	if (!was_out)
		return;
	f->n->servers_back++;
	passing_changed(f, h->place);
	manage_server(f, "server_back", h->place, h->server);
}

/* It did not take one. */
static void failed(struct health *h)
{
	struct front *f = h->f;

	f->n->server_failures++;
	if (!servers_failed(&f->servers[h->place], h->server, f->o->failures) ||
	    f->servers[h->place].s[h->server].gone)
		return;
	f->n->servers_out++;
	passing_changed(f, h->place);
	manage_server(f, "server_out", h->place, h->server);
}

static void bad(struct health *h)
{
	if (!h->f->servers[h->place].s[h->server].out)
		failed(h);
	stop_asking(h);
	ask_in_time(h);
}

static void answered(void *ctx, uint64_t now)
{
	struct health *h = ctx;
	socklen_t n = sizeof(int);
	struct sockaddr_storage a;
	int rc = 0;

	h->f->now = now;
	if (getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &rc, &n) != 0 || rc != 0) {
		bad(h);
		return;
	}
	n = sizeof(a);
	if (getpeername(h->fd, (struct sockaddr *)&a, &n) == 0)
		good(h);
}

static void ask(struct health *h)
{
	struct front *f = h->f;
	const struct server *s = &f->servers[h->place].s[h->server];
	struct sockaddr_storage to;
	socklen_t len = address_put(&to, &s->ip, s->port);

	f->n->checks++;
	h->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0);
	if (h->fd < 0) {
		ask_in_time(h);
		return;
	}
	if (connect(h->fd, (struct sockaddr *)&to, len) != 0 &&
	    errno != EINPROGRESS) {
		bad(h);
		return;
	}
	h->watch = (struct loop_watch){ .ready = answered, .ctx = h };
	if (loop_add_edges(f->loop, &h->watch, h->fd) != 0)
		bad(h);
	else
		due_at(f, &h->due, f->now + f->o->connect_timeout);
}

static void is_due(void *ctx)
{
	struct health *h = ctx;

	assert(!h->f->servers[h->place].s[h->server].gone);
	if (h->fd >= 0)
		bad(h);
	else if (h->f->stop_at == UINT64_MAX)
		ask(h);
}

void health_init(struct front *f)
{
	for (unsigned p = 0; p < SETUP_LISTENERS; p++)
		for (unsigned s = 0; s < SERVERS_PLACES; s++) {
			struct health *h = &f->health[p][s];

			*h = (struct health){
				.f = f, .fd = -1, .place = p, .server = s
			};
			due_init(&h->due, is_due, h);
		}
}

void health_begin(struct front *f)
{
	for (unsigned p = 0; p < f->o->places; p++)
		for (unsigned i = 0; i < f->servers[p].n; i++)
			health_changed(f, p, i);
}

void health_failed(struct front *f, unsigned place, unsigned server)
{
	struct health *h = &f->health[place][server];
	bool was_out = f->servers[place].s[server].out;

	failed(h);
	if (!was_out && h->fd < 0)
		ask_in_time(h);
}

void health_good(struct front *f, unsigned place, unsigned server)
{
	good(&f->health[place][server]);
}

void health_changed(struct front *f, unsigned place, unsigned server)
{
	struct health *h = &f->health[place][server];
	const struct servers *l = &f->servers[place];
	bool there = server < l->n && !l->s[server].gone;

	/* It is asked already. */
	if (there && (h->fd >= 0 || l->s[server].out))
		return;
	stop_asking(h);
	if (there && passing_asks(f, place))
		due_at(f, &h->due, f->now);
	else
		due_never(f, &h->due);
}
