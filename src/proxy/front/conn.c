/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conn.c - The life of a connection
 *
 * Theory of operation
 *
 *	accepted -> HEAD -> CONNECT (a server, then the next)
 *	accepted -> HEAD -> SOCKS -> RACE (addresses of a name)
 *	CONNECT, RACE -> SPLICED
 *	CONNECT, RACE -> COPY -> CLOSE
 *
 * Each call of the kernel is made once it is needed, none of them blocks (who
 * may have said something is looked at before he is waited for), and
 * each state has a time after which it ends. What a connection becomes -
 * spliced, copied, refused, failed - is settled once (conn_settle()); from then
 * on it can only end. So accepted = spliced + copied + refused + failed +
 * opening holds at any time.
 *
 * A pair that the library has taken (connect.c) owns copies of both sockets,
 * and ours are closed at once; the rest is told by it (conn_note()). The place
 * of such a connection is free again when its TIMEWAIT has passed; its client's
 * share before.
 *
 * Who is refused, or cut, gets a RST, but for a client of SOCKS who was told
 * why (greet.c).
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/limits.h"
#include "front/front_internal.h"
#include "front/request_internal.h"
#include "os/clock.h"

#define ACCEPTS	     64		       /* of a listener in a turn */
#define ACCEPT_AGAIN (100 * NS_PER_MS) /* after the kernel gave us none */

/* --- sockets --- */

void conn_close(struct conn *c, enum dir d, bool reset)
{
	struct linger none = { .l_onoff = 1 };

	if (c->fd[d] < 0)
		return;
	if (c->work)
		loop_drop(c->f->loop, &c->work->watch[d]);
	if (reset)
		setsockopt(c->fd[d], SOL_SOCKET, SO_LINGER, &none,
			   sizeof(none));
	close(c->fd[d]);
	c->fd[d] = -1;
}

static void close_both(struct conn *c, bool reset)
{
	conn_close(c, DIR_C2S, reset);
	conn_close(c, DIR_S2C, reset);
}

int conn_error(const struct conn *c, enum dir d)
{
	socklen_t n = sizeof(int);
	int rc = 0;

	return getsockopt(c->fd[d], SOL_SOCKET, SO_ERROR, &rc, &n) != 0 ? -errno
									: -rc;
}

/* --- beginning and end --- */

void conn_settle(struct conn *c, enum conn_how how, struct why why)
{
	struct front_counters *n = c->f->n;

	assert(c->how == CONN_OPENING);
	c->how = how;
	c->why = why.name;
	if (why.n)
		(*why.n)++;
	n->spliced += how == CONN_SPLICES;
	n->copied += how == CONN_COPIES;
	n->refused += how == CONN_REFUSED;
	n->failed += how == CONN_FAILED;
}

void conn_leave(struct conn *c)
{
	if (!c->has_server)
		return;
	c->f->servers[c->place].s[c->server_at].users--;
	c->has_server = false;
}

static struct lock *lock_of(const struct front *f)
{
	return f->worker ? f->worker->lock : NULL;
}

static void give_share(struct conn *c)
{
	if (c->share == MAP_NONE)
		return;
	lock_take(lock_of(c->f));
	shares_give(c->f->clients, c->share);
	lock_give(lock_of(c->f));
	c->share = MAP_NONE;
}

void conn_rest(struct conn *c)
{
	if (!c->work)
		return;
	due_never(c->f, &c->work->due);
	stock_give(&c->f->works, c->work);
	c->work = NULL;
}

static void release(struct conn *c)
{
	struct front *f = c->f;

	conn_rest(c);
	if (c->wish)
		stock_give(&f->wishes, c->wish);
	give_share(c);
	conn_leave(c);
	copy_end(c);
	c->state = CONN_FREE;
	if (c == &f->spare)
		return;
	list_del(&c->link);
	stock_give(&f->places, c);
}

void conn_give_up(struct conn *c, enum conn_how how, struct why why,
		  enum socks_code code)
{
	bool told;

	if (c->request) {
		request_failed(c, why, code);
		return;
	}
	told = greet_answer(c, code);
	if (c->state == CONN_RACE)
		race_end(c);
	if (c->pair)
		usplice_end(c->pair);
	c->pair = NULL;
	conn_close(c, DIR_C2S, !told);
	conn_close(c, DIR_S2C, true);
	conn_settle(c, how, why);
	c->ended = c->f->now;
	access_line(c);
	release(c);
}

void conn_over(struct conn *c, struct why end)
{
	struct front *f = c->f;

	assert(c->how == CONN_SPLICES || c->how == CONN_COPIES);
	request_end(c);
	close_both(c, end.n != &f->n->ended_closed);
	(*end.n)++;
	c->end = end.name;
	if (c->ended == 0)
		c->ended = f->now;
	f->n->bytes_c2s += c->bytes[DIR_C2S];
	f->n->bytes_s2c += c->bytes[DIR_S2C];
	access_line(c);
	release(c);
}

bool conn_holds(const struct conn *c)
{
	if (c->state == CONN_SPLICED && c->joined)
		return !c->f->o->pin && c->ended == 0;
	return !request_is_idle(c);
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
		return c->end ? WHY(f, ended_reset) : WHY(f, ended_closed);
	}
}

static void pair_is_over(struct conn *c, const struct usplice_pair *p,
			 enum usplice_reason reason)
{
	if (c->how == CONN_OPENING) {
		/* Its time ran out while a server was waited for. */
		race_pair_over(c, p);
		if (!c->pair && c->fd[DIR_S2C] >= 0)
			conn_watch(c, DIR_S2C);
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
	if (!c)
		return;
	switch (n->what) {
	case USPLICE_CONNECTED:
		connect_ready(c, n->error);
		break;
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
		conn_leave(c);
		break;
	case USPLICE_OVER:
		pair_is_over(c, n->pair, n->reason);
		break;
	case USPLICE_CUT: /* nobody asks for cuts here */
		break;
	}
}

/* --- what the loop calls --- */

static void client_is_ready(void *ctx, uint64_t now)
{
	struct conn *c = ctx;

	c->f->now = now;
	if (c->state == CONN_COPY || c->state == CONN_CLOSE)
		copy_run(c);
	else if (c->state == CONN_WEB)
		request_event(c, DIR_C2S);
	else if (conn_error(c, DIR_C2S) != 0)
		conn_give_up(c, CONN_FAILED, WHY(c->f, failed_left),
			     SOCKS_FAILURE);
	else if (c->state == CONN_HEAD || c->state == CONN_SOCKS)
		greet_ready(c);
}

static void server_is_ready(void *ctx, uint64_t now)
{
	struct conn *c = ctx;

	c->f->now = now;
	if (c->state == CONN_CONNECT || c->state == CONN_RACE)
		connect_ready(c, conn_error(c, DIR_S2C));
	else if (c->state == CONN_WEB)
		request_event(c, DIR_S2C);
	else
		copy_run(c);
}

void conn_watch(struct conn *c, enum dir d)
{
	if (c->work->watch[d].on)
		return;
	c->work->watch[d] = (struct loop_watch){
		.ready = d == DIR_C2S ? client_is_ready : server_is_ready,
		.ctx = c,
	};
	/* Who cannot be waited for is ended by its time. */
	(void)loop_add_edges(c->f->loop, &c->work->watch[d], c->fd[d]);
}

static void is_due(void *ctx)
{
	struct conn *c = ctx;

	switch (c->state) {
	case CONN_HEAD:
	case CONN_SOCKS:
	case CONN_LOGIN:
		greet_late(c);
		break;
	case CONN_RACE:
		race_due(c);
		break;
	case CONN_CONNECT:
		connect_late(c);
		break;
	case CONN_WEB:
		request_due(c);
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
	conn_bytes(c);
	if (c->state == CONN_SPLICED && c->ended != 0)
		conn_over(c, why_over(c, USPLICE_DONE));
	else if (c->state == CONN_SPLICED && f->o->pin && c->joined)
		conn_over(c, WHY(f, ended_left));
	else
		conn_over(c, WHY(f, ended_stopped));
}

void conn_bytes(struct conn *c)
{
	if (c->state == CONN_SPLICED)
		read_stats(c);
	for (enum dir d = DIR_C2S; c->copy && d < DIR_COUNT; d++)
		c->bytes[d] = c->request ? c->request->web.sent[d]
					 : c->copy->carry.way[d].sent;
}

void conn_kill(struct conn *c)
{
	struct front *f = c->f;

	if (c->how == CONN_OPENING) {
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_killed),
			     SOCKS_NOT_ALLOWED);
		return;
	}
	conn_bytes(c);
	if (c->pair)
		usplice_end(c->pair);
	c->pair = NULL;
	conn_over(c, WHY(f, ended_killed));
}

void conn_admit(struct conn *c)
{
	struct front *f = c->f;

	lock_take(lock_of(f));
	c->share = shares_take(f->clients, &c->client, f->o->per_client);
	lock_give(lock_of(f));
	if (c->share == MAP_NONE)
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_client),
			     SOCKS_FAILURE);
	else if (conn_forwards(c))
		conn_connect(c);
	else if (conn_is_web(c))
		request_hear(c);
	else
		greet_wishes(c);
}

/* --- accepting --- */

static struct conn *take(struct front *f)
{
	struct conn *c = stock_take(&f->places);

	if (!c) {
		f->spare = (struct conn){ .f = f };
		return &f->spare;
	}
	*c = (struct conn){ .f = f };
	list_add_tail(&f->conns, &c->link);
	return c;
}

/* There are as many as there are connections. */
static void give_work(struct conn *c)
{
	struct work *w = stock_take(&c->f->works);

	assert(w);
	*w = (struct work){ .error = 0 };
	due_init(&w->due, is_due, c);
	for (int k = 0; k < CONN_BESIDE; k++)
		w->beside[k].fd = -1;
	c->work = w;
}

/* Of workers each has numbers of its own, which grow. */
static uint64_t next_id(struct front *f)
{
	const struct worker *w = f->worker;

	f->last_id++;
	return w ? f->last_id * w->count + w->index : f->last_id;
}

static void begin(struct listener *l, int fd, const struct sockaddr_storage *a)
{
	struct front *f = l->f;
	struct conn *c = take(f);

	c->fd[DIR_C2S] = fd;
	c->fd[DIR_S2C] = -1;
	c->how = CONN_OPENING;
	c->place = l->place;
	c->id = next_id(f);
	c->share = MAP_NONE;
	c->began = f->now;
	c->began_real = clock_real();
	f->n->accepted++;
	(void)address_get(a, &c->client, &c->client_port);
	if (c == &f->spare) {
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_full),
			     SOCKS_FAILURE);
		return;
	}
	give_work(c);
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
		l->f->n->accept_errors++;
		loop_drop(l->f->loop, &l->watch);
		due_at(l->f, &l->again, l->f->now + ACCEPT_AGAIN);
		return;
	}
}
