/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connect.c - A server for a connection, and what becomes of the two
 *
 * Theory of operation
 *
 * The library is told of both sockets before the server is asked
 * (usplice_intend()). If it says that there will be no splice, or says so when
 * both are connected, the same two sockets are copied between. Servers are
 * tried one after the other, each for its time; addresses of a name as race.c
 * says.
 *
 * Most servers answer at once; only where one does not, the client is waited
 * for as well, since he may leave.
 *
 * What we say ourselves goes out first: a PROXY header to the server, the reply
 * of SOCKS to the client.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "core/limits.h"
#include "front/front_internal.h"
#include "front/request_internal.h"

/* A server that is there has answered by then. */
#define LOOK_AFTER (100 * NS_PER_MS)

/* --- joined --- */

/* What the library will count as acked though it is of no end: what we have
 * said, and what is not acked yet. An ack that comes before the library looks
 * makes it too much.
 */
static uint32_t unacked(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCOUTQ, &n) == 0 && n > 0 ? (uint32_t)n : 0;
}

/* With @n bytes that we still say to the client. Return: they are spliced */
static bool splice(struct conn *c, uint32_t n)
{
	struct front *f = c->f;
	int rc;

	if (!c->pair)
		return false;
	if (f->o->proxy_out != 0)
		c->said[DIR_C2S] = unacked(c->fd[DIR_S2C]);
	if (n > 0)
		c->said[DIR_S2C] = unacked(c->fd[DIR_C2S]) + n;
	/* The library has them now, and nobody else tells of them. */
	loop_drop(f->loop, &c->work->watch[DIR_C2S]);
	loop_drop(f->loop, &c->work->watch[DIR_S2C]);
	rc = usplice_give(c->pair, n);
	if (rc == 0)
		return true;
	usplice_end(c->pair);
	c->pair = NULL;
	c->work->unspliced = rc == -EOPNOTSUPP ? WHY(f, copied_options)
			     : rc == -ENOTCONN ? WHY(f, copied_gone)
					       : WHY(f, copied_other);
	return false;
}

static bool say(struct conn *c, uint32_t n)
{
	const uint8_t *b;
	ssize_t sent;

	if (n == 0)
		return true;
	b = c->wish->reply;
	sent = c->pair ? usplice_write(c->pair, b, n)
		       : send(c->fd[DIR_C2S], b, n,
			      MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent == (ssize_t)n;
}

/* Both ends are there. */
static void join(struct conn *c)
{
	struct front *f = c->f;
	bool spliced;
	uint32_t n;

	c->opened = f->now;
	if (!greet_server(c)) {
		conn_give_up(c, CONN_FAILED, WHY(f, failed_own), SOCKS_FAILURE);
		return;
	}
	n = greet_granted(c);
	spliced = splice(c, n);
	if (spliced)
		c->fd[DIR_C2S] = c->fd[DIR_S2C] = -1;
	if (!spliced && f->o->splice == SETUP_TC) {
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_unspliced),
			     SOCKS_FAILURE);
	} else if (!spliced && stock_empty(&f->copies)) {
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_copies),
			     SOCKS_FAILURE);
	} else if (!say(c, n)) {
		conn_give_up(c, CONN_FAILED, WHY(f, failed_left),
			     SOCKS_FAILURE);
	} else if (spliced) {
		conn_rest(c);
		conn_settle(c, CONN_SPLICES, (struct why){ NULL, NULL });
		c->state = CONN_SPLICED;
	} else {
		due_never(f, &c->work->due);
		copy_begin(c);
		conn_watch(c, DIR_C2S);
		conn_watch(c, DIR_S2C);
		conn_settle(c, CONN_COPIES, c->work->unspliced);
		copy_run(c);
	}
}

/* --- connecting --- */

static struct why why_not(struct front *f, int rc)
{
	switch (rc) {
	case -EAFNOSUPPORT:
		return WHY(f, copied_families);
	case -EOPNOTSUPP:
		return WHY(f, copied_local);
	case -ENOSPC:
		return WHY(f, copied_full);
	case -EADDRINUSE:
		return WHY(f, copied_ports);
	case -ENOTCONN:
		return WHY(f, copied_gone);
	case -EPERM:
	case -EACCES:
		return WHY(f, copied_rights);
	default:
		return WHY(f, copied_other);
	}
}

static void intend(struct conn *c, int fd, const struct sockaddr_storage *to,
		   socklen_t len, struct usplice_pair **pair,
		   struct why *unspliced)
{
	struct front *f = c->f;
	int one = 1;
	int rc;

	*pair = NULL;
	*unspliced = f->unspliced;
	if (f->splicer && !c->request) {
		rc = usplice_intend(f->splicer, c->fd[DIR_C2S], fd,
				    (const struct sockaddr *)to, len, c, pair);
		if (rc == 0)
			return;
		*pair = NULL;
		*unspliced = why_not(f, rc);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

void connect_intend(struct conn *c, int fd, const struct sockaddr_storage *to,
		    socklen_t len, struct usplice_pair **pair,
		    struct why *unspliced)
{
	struct ipaddr ip;
	uint16_t port;

	intend(c, fd, to, len, pair, unspliced);
	if (c->f->tap && address_get(to, &ip, &port) == 0)
		tap_socket(c->f->tap, fd, &c->client, c->client_port, &ip,
			   port);
}

/* There will be no splice, and not because there is no way to the server. */
static bool is_refusal(const struct conn *c)
{
	return !c->pair && !c->request &&
	       c->work->unspliced.n != &c->f->n->copied_other;
}

/* Ask the server. Who waits for the answer is the library; or we, where another
 * one may be asked beside it.
 */
static int ask(struct conn *c, const struct sockaddr_storage *to, socklen_t len)
{
	if (c->pair && (conn_forwards(c) || eyeballs_alone(&c->work->eyes)))
		return usplice_connect(c->pair);
	if (connect(c->fd[DIR_S2C], (const struct sockaddr *)to, len) != 0 &&
	    errno != EINPROGRESS)
		return -errno;
	conn_watch(c, DIR_S2C);
	return 0;
}

/* Then a client whose server has not answered is looked after, or the server's
 * time is over.
 */
uint64_t connect_look_at(const struct conn *c)
{
	uint64_t soon = c->f->now + LOOK_AFTER;

	return !c->work->watch[DIR_C2S].on && soon < c->work->late_at
		       ? soon
		       : c->work->late_at;
}

int connect_to(struct conn *c)
{
	struct front *f = c->f;
	struct sockaddr_storage to;
	socklen_t len = address_put(&to, &c->server, c->server_port);
	int rc;

	c->fd[DIR_S2C] = socket(to.ss_family,
				SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd[DIR_S2C] < 0)
		return -errno;
	connect_intend(c, c->fd[DIR_S2C], &to, len, &c->pair,
		       &c->work->unspliced);
	if (f->o->splice == SETUP_TC && is_refusal(c))
		return -EXDEV;
	rc = ask(c, &to, len);
	if (rc != 0)
		return rc;
	c->work->late_at = f->now + f->o->connect_timeout;
	return 0;
}

/* Whom to try. Return: false: all were */
static bool choose(struct conn *c)
{
	struct servers *l = &c->f->servers[c->place];
	int i;

	i = servers_choose(l, &c->f->key, &c->client, c->tried);
	if (i < 0)
		return false;
	c->tried |= 1u << i;
	c->server_at = (unsigned)i;
	c->has_server = true;
	l->s[i].users++;
	c->server = l->s[i].ip;
	c->server_port = l->s[i].port;
	return true;
}

void connect_drop(struct conn *c)
{
	if (c->pair)
		usplice_end(c->pair);
	c->pair = NULL;
	conn_close(c, DIR_S2C, true);
}

/* The server that was tried did not take it. */
static void not_taken(struct conn *c)
{
	connect_drop(c);
	health_failed(c->f, c->place, c->server_at);
	conn_leave(c);
}

void conn_connect(struct conn *c)
{
	while (choose(c)) {
		int rc = connect_to(c);

		if (rc == 0) {
			c->state = CONN_CONNECT;
			due_at(c->f, &c->work->due, connect_look_at(c));
			return;
		}
		if (c->fd[DIR_S2C] < 0) {
			conn_give_up(c, CONN_FAILED, WHY(c->f, failed_own),
				     SOCKS_FAILURE);
			return;
		}
		if (rc == -EXDEV) {
			conn_give_up(c, CONN_REFUSED,
				     WHY(c->f, refused_unspliced),
				     SOCKS_FAILURE);
			return;
		}
		not_taken(c);
	}
	conn_give_up(c, CONN_FAILED, WHY(c->f, failed_server), SOCKS_FAILURE);
}

static void failed(struct conn *c, int error)
{
	if (!conn_forwards(c)) {
		race_failed(c, error);
		return;
	}
	not_taken(c);
	conn_connect(c);
}

/* The library says it once, and epoll whatever happens. */
static bool is_connected(const struct conn *c)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);

	return !c->work->watch[DIR_S2C].on ||
	       getpeername(c->fd[DIR_S2C], (struct sockaddr *)&a, &n) == 0;
}

void connect_ready(struct conn *c, int error)
{
	if (error != 0) {
		failed(c, error);
	} else if (is_connected(c)) {
		if (conn_forwards(c)) {
			health_good(c->f, c->place, c->server_at);
			c->f->servers[c->place].s[c->server_at].n.taken++;
		} else {
			race_end(c);
		}
		if (c->request)
			request_connected(c);
		else
			join(c);
	}
}

void connect_late(struct conn *c)
{
	/* He may have left: from now on he is waited for, too. */
	conn_watch(c, DIR_C2S);
	if (c->f->now < c->work->late_at) {
		due_at(c->f, &c->work->due, c->work->late_at);
		return;
	}
	failed(c, -ETIMEDOUT);
}
