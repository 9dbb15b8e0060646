/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conn.c - The life of a connection
 *
 * Theory of operation
 *
 *	accepted -> HEAD -> SOCKS -> LOOKUP -> CONNECT (then the next) ->
 *	SPLICED
 *	                                                               -> COPY
 *	                                                               -> CLOSE
 *
 * Each call of the kernel is made once it is needed, none of them blocks, and
 * each state has a time after which it ends. What a connection becomes -
 * spliced, copied, refused, failed - is settled once (settle()); from then on
 * it can only end. So accepted = spliced + copied + refused + failed + opening
 * holds at any time.
 *
 * The library is told of both sockets before the server is asked
 * (usplice_intend()). If it says that there will be no splice, or says so when
 * both are connected, the same two sockets are copied between. A pair that it
 * has taken owns copies of both, and ours are closed at once; the rest is told
 * by it (conn_note()). The place of such a connection is free again when its
 * TIMEWAIT has passed; its client's share before.
 *
 * Who is refused, or cut, gets a RST, but for a client of SOCKS who was told
 * why (greet.c).
 */
#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/limits.h"
#include "front/front_internal.h"
#include "os/clock.h"

#define ACCEPTS	     64		       /* of a listener in a turn */
#define ACCEPT_AGAIN (100 * NS_PER_MS) /* after the kernel gave us none */

/* --- sockets --- */

static void watch(struct conn *c, enum dir d);

static void close_fd(struct conn *c, enum dir d, bool reset)
{
	struct linger none = { .l_onoff = 1 };

	if (c->fd[d] < 0)
		return;
	loop_drop(c->f->loop, &c->watch[d]);
	if (reset)
		setsockopt(c->fd[d], SOL_SOCKET, SO_LINGER, &none,
			   sizeof(none));
	close(c->fd[d]);
	c->fd[d] = -1;
}

static void close_both(struct conn *c, bool reset)
{
	close_fd(c, DIR_C2S, reset);
	close_fd(c, DIR_S2C, reset);
}

static int socket_error(int fd)
{
	socklen_t n = sizeof(int);
	int rc = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &rc, &n) != 0 ? -errno
								  : -rc;
}

/* --- beginning and end --- */

static void settle(struct conn *c, enum conn_how how, struct why why)
{
	struct front_counters *n = &c->f->n;

	assert(c->how == CONN_OPENING);
	c->how = how;
	c->why = why.name;
	if (why.n != NULL)
		(*why.n)++;
	n->spliced += how == CONN_SPLICES;
	n->copied += how == CONN_COPIES;
	n->refused += how == CONN_REFUSED;
	n->failed += how == CONN_FAILED;
}

static void give_share(struct conn *c)
{
	if (c->share != MAP_NONE)
		shares_give(&c->f->shares, c->share);
	c->share = MAP_NONE;
}

static void release(struct conn *c)
{
	struct front *f = c->f;

	due_never(f, &c->due);
	give_share(c);
	list_del(&c->busy);
	if (c->copy != NULL)
		list_add_tail(&f->free_copies, &c->copy->link);
	c->copy = NULL;
	c->state = CONN_FREE;
	if (c == &f->spare)
		return;
	list_del(&c->link);
	list_add_tail(&f->free, &c->link);
	f->n_conns--;
}

void conn_give_up(struct conn *c, enum conn_how how, struct why why,
		  enum socks_code code)
{
	bool told = greet_answer(c, code);

	if (c->lookup != NULL)
		resolver_drop(c->lookup);
	c->lookup = NULL;
	if (c->pair != NULL)
		usplice_end(c->pair);
	c->pair = NULL;
	close_fd(c, DIR_C2S, !told);
	close_fd(c, DIR_S2C, true);
	settle(c, how, why);
	c->ended = c->f->now;
	access_line(c);
	release(c);
}

void conn_over(struct conn *c, struct why end)
{
	struct front *f = c->f;

	assert(c->how == CONN_SPLICES || c->how == CONN_COPIES);
	close_both(c, end.n != &f->n.ended_closed);
	(*end.n)++;
	c->end = end.name;
	if (c->ended == 0)
		c->ended = f->now;
	f->n.bytes_c2s += c->bytes[DIR_C2S];
	f->n.bytes_s2c += c->bytes[DIR_S2C];
	access_line(c);
	release(c);
}

bool conn_holds(const struct conn *c)
{
	if (c->state == CONN_SPLICED && c->joined)
		return c->f->o->pin == NULL && c->ended == 0;
	return true;
}

/* --- spliced --- */

static void read_stats(struct conn *c)
{
	struct usplice_stats st;

	if (usplice_stats(c->pair, &st) != 0)
		return;
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		/* A FIN counts one there, and so does what we have said. */
		uint64_t ours = c->said[d] + ((c->fins >> d) & 1);

		c->bytes[d] = st.acked[d] > ours ? st.acked[d] - ours : 0;
	}
}

static struct why why_over(const struct conn *c, enum usplice_reason reason)
{
	struct front *f = c->f;

	switch (reason) {
	case USPLICE_IDLE:
		return WHY(f, ended_idle);
	case USPLICE_HALF_CLOSED:
		return WHY(f, ended_half_closed);
	case USPLICE_NEVER_SPLICED:
	case USPLICE_LOST:
		return WHY(f, ended_lost);
	default:
		return c->end != NULL ? WHY(f, ended_reset)
				      : WHY(f, ended_closed);
	}
}

static void pair_is_over(struct conn *c, enum usplice_reason reason)
{
	if (c->how == CONN_OPENING) {
		/* Its time ran out while a server was waited for. */
		c->pair = NULL;
		c->unspliced = WHY(c->f, copied_other);
		return;
	}
	read_stats(c);
	c->pair = NULL;
	conn_over(c, why_over(c, reason));
}

void conn_note(struct front *f, const struct usplice_note *n)
{
	struct conn *c = n->user;

	/* One that outlived another process, whose log has it. */
	if (c == NULL)
		return;
	switch (n->what) {
	case USPLICE_SPLICED:
		c->joined = true;
		break;
	case USPLICE_FIN:
		c->fins |= (uint8_t)(1u << n->dir);
		break;
	case USPLICE_RESET:
		c->end = "reset";
		c->ended = f->now;
		break;
	case USPLICE_REVIVED:
		c->end = NULL;
		c->ended = 0;
		break;
	case USPLICE_TIMEWAIT:
		c->ended = f->now;
		give_share(c);
		break;
	case USPLICE_OVER:
		pair_is_over(c, n->reason);
		break;
	}
}

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

	if (c->pair == NULL)
		return false;
	c->said[DIR_C2S] = unacked(c->fd[DIR_S2C]);
	c->said[DIR_S2C] = unacked(c->fd[DIR_C2S]) + n;
	rc = usplice_splice(c->pair, n);
	if (rc == 0)
		return true;
	usplice_end(c->pair);
	c->pair = NULL;
	c->unspliced = rc == -EOPNOTSUPP ? WHY(f, copied_options)
		       : rc == -ENOTCONN ? WHY(f, copied_gone)
					 : WHY(f, copied_other);
	return false;
}

static bool say(struct conn *c, uint32_t n)
{
	const uint8_t *b = c->socks.reply;
	ssize_t sent;

	if (n == 0)
		return true;
	sent = c->pair != NULL ? usplice_write(c->pair, b, n)
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
	if (!spliced && f->o->splice == FRONT_TC) {
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_unspliced),
			     SOCKS_FAILURE);
	} else if (!spliced && list_empty(&f->free_copies)) {
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_copies),
			     SOCKS_FAILURE);
	} else if (!say(c, n)) {
		conn_give_up(c, CONN_FAILED, WHY(f, failed_left),
			     SOCKS_FAILURE);
	} else if (spliced) {
		due_never(f, &c->due);
		settle(c, CONN_SPLICES, (struct why){ NULL, NULL });
		c->state = CONN_SPLICED;
		close_both(c, false);
	} else {
		due_never(f, &c->due);
		copy_begin(c);
		settle(c, CONN_COPIES, c->unspliced);
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
	case -EPERM:
	case -EACCES:
		return WHY(f, copied_rights);
	default:
		return WHY(f, copied_other);
	}
}

/* Prepare the splice of what will be connected, if there can be one. */
static void intend(struct conn *c, const struct sockaddr_storage *to,
		   socklen_t len)
{
	struct front *f = c->f;
	int one = 1;
	int rc;

	c->unspliced = f->unspliced;
	if (f->splicer != NULL) {
		rc = usplice_intend(f->splicer, c->fd[DIR_C2S], c->fd[DIR_S2C],
				    (const struct sockaddr *)to, len, c,
				    &c->pair);
		if (rc == 0)
			return;
		c->pair = NULL;
		c->unspliced = why_not(f, rc);
	}
	setsockopt(c->fd[DIR_S2C], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* There will be no splice, and not because there is no way to the server. */
static bool is_refusal(const struct conn *c)
{
	return c->pair == NULL && c->unspliced.n != &c->f->n.copied_other;
}

/* Return: 0: it is on its way; -EXDEV: it must be spliced, and cannot be; -Exxx
 */
static int connect_to(struct conn *c)
{
	struct front *f = c->f;
	struct sockaddr_storage to;
	socklen_t len = address_put(&to, &c->server, c->server_port);

	c->fd[DIR_S2C] = socket(to.ss_family,
				SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd[DIR_S2C] < 0)
		return -errno;
	intend(c, &to, len);
	if (f->o->splice == FRONT_TC && is_refusal(c))
		return -EXDEV;
	if (connect(c->fd[DIR_S2C], (const struct sockaddr *)&to, len) != 0 &&
	    errno != EINPROGRESS)
		return -errno;
	watch(c, DIR_S2C);
	c->state = CONN_CONNECT;
	due_at(f, &c->due, f->now + f->o->connect_timeout);
	return 0;
}

static bool is_forward(const struct conn *c)
{
	return c->f->servers[c->place].n > 0;
}

/* Whom to try. Return: false: all were */
static bool choose(struct conn *c)
{
	struct servers *l = &c->f->servers[c->place];
	int i;

	if (!is_forward(c)) {
		if (c->addr_at == c->addrs)
			return false;
		c->server = c->addr[c->addr_at++];
		c->server_port = c->socks.port;
		return true;
	}
	i = servers_choose(l, &c->f->key, &c->client, c->tried);
	if (i < 0)
		return false;
	c->tried |= 1u << i;
	c->server_at = (unsigned)i;
	c->server = l->s[i].ip;
	c->server_port = l->s[i].port;
	return true;
}

/* The server that was tried did not take it. */
static void not_taken(struct conn *c, int error)
{
	c->error = error;
	if (c->pair != NULL)
		usplice_end(c->pair);
	c->pair = NULL;
	close_fd(c, DIR_S2C, true);
	if (is_forward(c))
		health_failed(c->f, c->place, c->server_at);
}

static enum socks_code code_of(int error)
{
	switch (error) {
	case -ECONNREFUSED:
		return SOCKS_REFUSED;
	case -ENETUNREACH:
		return SOCKS_NET_UNREACHABLE;
	case -EHOSTUNREACH:
	case -ETIMEDOUT:
		return SOCKS_HOST_UNREACHABLE;
	default:
		return SOCKS_FAILURE;
	}
}

void conn_connect(struct conn *c)
{
	while (choose(c)) {
		int rc = connect_to(c);

		if (rc == 0)
			return;
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
		not_taken(c, rc);
	}
	conn_give_up(c, CONN_FAILED, WHY(c->f, failed_server),
		     code_of(c->error));
}

static void on_connect(struct conn *c)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);

	int error = socket_error(c->fd[DIR_S2C]);

	if (error != 0) {
		not_taken(c, error);
		conn_connect(c);
	} else if (getpeername(c->fd[DIR_S2C], (struct sockaddr *)&a, &n) ==
		   0) {
		if (is_forward(c))
			health_good(c->f, c->place, c->server_at);
		join(c);
	}
}

/* --- what the loop calls --- */

static void client_is_ready(void *ctx, uint64_t now)
{
	struct conn *c = ctx;

	c->f->now = now;
	if (c->state == CONN_COPY || c->state == CONN_CLOSE)
		copy_run(c);
	else if (socket_error(c->fd[DIR_C2S]) != 0)
		conn_give_up(c, CONN_FAILED, WHY(c->f, failed_left),
			     SOCKS_FAILURE);
	else if (c->state == CONN_HEAD || c->state == CONN_SOCKS)
		greet_ready(c);
}

static void server_is_ready(void *ctx, uint64_t now)
{
	struct conn *c = ctx;

	c->f->now = now;
	if (c->state == CONN_CONNECT)
		on_connect(c);
	else
		copy_run(c);
}

static void watch(struct conn *c, enum dir d)
{
	c->watch[d] = (struct loop_watch){
		.ready = d == DIR_C2S ? client_is_ready : server_is_ready,
		.ctx = c,
	};
	/* Who cannot be waited for is ended by its time. */
	(void)loop_add_edges(c->f->loop, &c->watch[d], c->fd[d]);
}

static void is_due(void *ctx)
{
	struct conn *c = ctx;

	switch (c->state) {
	case CONN_HEAD:
	case CONN_SOCKS:
	case CONN_LOOKUP:
		greet_late(c);
		break;
	case CONN_CONNECT:
		not_taken(c, -ETIMEDOUT);
		conn_connect(c);
		break;
	default:
		assert(c->state == CONN_COPY || c->state == CONN_CLOSE);
		copy_due(c);
	}
}

void conn_stop(struct conn *c)
{
	struct front *f = c->f;

	if (c->how == CONN_OPENING) {
		conn_give_up(c, CONN_FAILED, WHY(f, failed_stopped),
			     SOCKS_FAILURE);
		return;
	}
	if (c->state != CONN_SPLICED) {
		for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
			c->bytes[d] = c->copy->way[d].sent;
		conn_over(c, WHY(f, ended_stopped));
		return;
	}
	read_stats(c);
	if (c->ended != 0)
		conn_over(c, why_over(c, USPLICE_DONE));
	else if (f->o->pin != NULL && c->joined)
		conn_over(c, WHY(f, ended_left));
	else
		conn_over(c, WHY(f, ended_stopped));
}

void conn_admit(struct conn *c)
{
	struct front *f = c->f;

	c->share = shares_take(&f->shares, &c->client, f->o->per_client);
	if (c->share == MAP_NONE)
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_client),
			     SOCKS_FAILURE);
	else if (is_forward(c))
		conn_connect(c);
	else
		greet_wishes(c);
}

/* --- accepting --- */

static struct conn *take(struct front *f)
{
	struct conn *c = &f->spare;

	if (!list_empty(&f->free)) {
		c = list_entry(f->free.next, struct conn, link);
		list_del(&c->link);
		list_add_tail(&f->conns, &c->link);
		f->n_conns++;
	}
	return c;
}

static void begin(struct listener *l, int fd, const struct sockaddr_storage *a)
{
	struct front *f = l->f;
	struct conn *c = take(f);
	struct list link = c->link;

	memset(c, 0, sizeof(*c));
	c->f = f;
	c->link = link;
	list_init(&c->busy);
	due_init(&c->due, is_due, c);
	c->fd[DIR_C2S] = fd;
	c->fd[DIR_S2C] = -1;
	c->how = CONN_OPENING;
	c->place = l->place;
	c->share = MAP_NONE;
	c->began = f->now;
	c->began_real = clock_real();
	f->n.accepted++;
	(void)address_get(a, &c->client, &c->client_port);
	if (c == &f->spare) {
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_full),
			     SOCKS_FAILURE);
		return;
	}
	watch(c, DIR_C2S);
	greet_begin(c);
}

void conn_accept(struct listener *l)
{
	for (int i = 0; i < ACCEPTS; i++) {
		struct sockaddr_storage a;
		socklen_t n = sizeof(a);
		int fd = accept4(l->fd, (struct sockaddr *)&a, &n,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			begin(l, fd, &a);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		/* It would be told of for ever. */
		l->f->n.accept_errors++;
		loop_drop(l->f->loop, &l->watch);
		due_at(l->f, &l->again, l->f->now + ACCEPT_AGAIN);
		return;
	}
}
