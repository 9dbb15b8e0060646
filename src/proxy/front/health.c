/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health.c - Servers that are out, and whether they are back
 *
 * A server that did not take --failures connections in a row gets no more
 * clients. It is asked by a connection of ours every --check-every, and is in
 * again when it takes one, ours or a client's.
 */
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/front_internal.h"

static void stop_asking(struct health *h)
{
	if (h->fd < 0)
		return;
	loop_drop(h->f->loop, &h->watch);
	close(h->fd);
	h->fd = -1;
}

static void good(struct health *h)
{
	struct front *f = h->f;

	stop_asking(h);
	due_never(f, &h->due);
	if (!servers_good(&f->servers[h->place], h->server))
		return;
	f->n.servers_back++;
	manage_server(f, "server_back", h->place, h->server);
}

static void ask_later(struct health *h)
{
	stop_asking(h);
	due_at(h->f, &h->due, h->f->now + h->f->o->check_every);
}

static void answered(void *ctx, uint64_t now)
{
	struct health *h = ctx;
	socklen_t n = sizeof(int);
	struct sockaddr_storage a;
	int rc = 0;

	h->f->now = now;
	if (getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &rc, &n) != 0 || rc != 0) {
		ask_later(h);
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

	f->n.checks++;
	h->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0);
	if (h->fd < 0 || (connect(h->fd, (struct sockaddr *)&to, len) != 0 &&
			  errno != EINPROGRESS)) {
		ask_later(h);
		return;
	}
	h->watch = (struct loop_watch){ .ready = answered, .ctx = h };
	if (loop_add_edges(f->loop, &h->watch, h->fd) != 0)
		ask_later(h);
	else
		due_at(f, &h->due, f->now + f->o->connect_timeout);
}

static void is_due(void *ctx)
{
	struct health *h = ctx;

	assert(!h->f->servers[h->place].s[h->server].gone);
	if (h->fd >= 0)
		ask_later(h);
	else if (h->f->stop_at == UINT64_MAX)
		ask(h);
}

void health_init(struct front *f)
{
	for (unsigned p = 0; p < FRONT_LISTENERS; p++)
		for (unsigned s = 0; s < SERVERS_PLACES; s++) {
			struct health *h = &f->health[p][s];

			*h = (struct health){
				.f = f, .fd = -1, .place = p, .server = s
			};
			due_init(&h->due, is_due, h);
		}
}

void health_failed(struct front *f, unsigned place, unsigned server)
{
	f->n.server_failures++;
	if (!servers_failed(&f->servers[place], server, f->o->failures) ||
	    f->servers[place].s[server].gone)
		return;
	f->n.servers_out++;
	manage_server(f, "server_out", place, server);
	ask_later(&f->health[place][server]);
}

void health_good(struct front *f, unsigned place, unsigned server)
{
	good(&f->health[place][server]);
}

void health_changed(struct front *f, unsigned place, unsigned server)
{
	struct health *h = &f->health[place][server];
	const struct server *s = &f->servers[place].s[server];

	if (s->out && !s->gone)
		return;
	stop_asking(h);
	due_never(f, &h->due);
}
