/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * race.c - A client of SOCKS is connected to the address that answers first
 *
 * Theory of operation
 *
 * A name is asked for twice, once for each family, and dial/eyeballs says which
 * address is tried when. The client's own family is the preferred one, since
 * only that can be joined. Each address is judged (dial/judge) before it goes
 * in; what was judged is what is connected to.
 *
 * The first attempt is the connection's own server socket. Those beside it are
 * in conn.beside until one of them answers: then it takes that place, and all
 * others are closed.
 *
 * The kernel's tables know a client once, so one attempt at a time can be
 * joined: the last one of the client's family, since an address that did not
 * answer in time is the worse bet. If an earlier one answers after all, it is
 * copied (copied_beside). With --splice tc, which does not copy, one is tried
 * after the other.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/front_internal.h"
#include "os/clock.h"

/* --- the end of it --- */

static void close_beside(struct attempt *t)
{
	if (t->fd < 0)
		return;
	loop_drop(t->c->f->loop, &t->watch);
	if (t->pair)
		usplice_end(t->pair);
	t->pair = NULL;
	close(t->fd);
	t->fd = -1;
}

void race_end(struct conn *c)
{
	for (int k = 0; k < EYEBALLS_FAMILIES; k++) {
		if (c->work->lookup[k])
			resolver_drop(c->work->lookup[k]);
		c->work->lookup[k] = NULL;
	}
	for (int i = 0; i < CONN_BESIDE; i++)
		close_beside(&c->work->beside[i]);
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

/* All were tried, or there is none to try. */
static void lost(struct conn *c)
{
	struct front *f = c->f;

	if (c->work->error != 0)
		conn_give_up(c, CONN_FAILED, WHY(f, failed_server),
			     code_of(c->work->error));
	else if (c->work->no.n)
		conn_give_up(c, CONN_REFUSED, c->work->no, SOCKS_NOT_ALLOWED);
	else if (c->work->silent)
		conn_give_up(c, CONN_FAILED, WHY(f, failed_handshake),
			     SOCKS_HOST_UNREACHABLE);
	else
		conn_give_up(c, CONN_FAILED, WHY(f, failed_name),
			     SOCKS_HOST_UNREACHABLE);
}

/* --- attempts --- */

/* One beside others has answered: it is the connection's from now on. */
static void has_won(struct attempt *t)
{
	struct conn *c = t->c;

	connect_drop(c);
	loop_drop(c->f->loop, &t->watch);
	c->fd[DIR_S2C] = t->fd;
	c->pair = t->pair;
	c->work->unspliced = t->unspliced;
	c->server = t->ip;
	t->fd = -1;
	t->pair = NULL;
	conn_watch(c, DIR_S2C);
	connect_ready(c, conn_error(c, DIR_S2C));
}

static void has_failed(struct attempt *t, int error)
{
	struct conn *c = t->c;

	c->work->error = error;
	close_beside(t);
	eyeballs_failed(&c->work->eyes);
}

static void beside_is_ready(void *ctx, uint64_t now)
{
	struct attempt *t = ctx;
	struct sockaddr_storage a;
	socklen_t n = sizeof(int);
	int rc = 0;

	t->c->f->now = now;
	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &rc, &n) != 0)
		rc = errno;
	n = sizeof(a);
	if (rc != 0) {
		has_failed(t, -rc);
		race_go(t->c);
	} else if (getpeername(t->fd, (struct sockaddr *)&a, &n) == 0) {
		has_won(t);
	}
}

static bool is_own_family(const struct conn *c, const struct ipaddr *ip)
{
	return ipaddr_is4(ip) == ipaddr_is4(&c->client);
}

/* Who could be joined until now cannot be any more. */
static void take_pair_away(struct conn *c, struct usplice_pair **pair,
			   struct why *unspliced)
{
	if (!*pair)
		return;
	usplice_end(*pair);
	*pair = NULL;
	*unspliced = WHY(c->f, copied_beside);
}

static struct attempt *free_beside(struct conn *c)
{
	for (int i = 0; i < CONN_BESIDE; i++)
		if (c->work->beside[i].fd < 0)
			return &c->work->beside[i];
	return NULL;
}

/* Return: 0: it is on its way; or -Exxx, @t->fd -1: there was no socket */
static int try_beside(struct conn *c, struct attempt *t,
		      const struct ipaddr *ip)
{
	struct front *f = c->f;
	struct sockaddr_storage to;
	socklen_t len = address_put(&to, ip, c->wish->socks.port);

	t->c = c;
	t->ip = *ip;
	t->pair = NULL;
	t->watch = (struct loop_watch){ .ready = beside_is_ready, .ctx = t };
	t->late_at = f->now + f->o->connect_timeout;
	t->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0);
	if (t->fd < 0)
		return -errno;
	if (is_own_family(c, ip)) {
		take_pair_away(c, &c->pair, &c->work->unspliced);
		for (int i = 0; i < CONN_BESIDE; i++)
			take_pair_away(c, &c->work->beside[i].pair,
				       &c->work->beside[i].unspliced);
	}
	connect_intend(c, t->fd, &to, len, &t->pair, &t->unspliced);
	if (connect(t->fd, (const struct sockaddr *)&to, len) != 0 &&
	    errno != EINPROGRESS)
		return -errno;
	/* Who cannot be waited for is ended by its time. */
	(void)loop_add_edges(f->loop, &t->watch, t->fd);
	f->n->beside++;
	return 0;
}

/* Return: 0, -EMFILE: there is no socket, -EXDEV: it must be joined and cannot
 * be, or another -Exxx
 */
static int try(struct conn *c, const struct ipaddr *ip)
{
	struct attempt *t;
	int rc;

	if (c->fd[DIR_S2C] < 0) {
		c->server = *ip;
		c->server_port = c->wish->socks.port;
		rc = connect_to(c);
		if (rc != 0 && c->fd[DIR_S2C] < 0)
			return -EMFILE;
		if (rc != 0 && rc != -EXDEV)
			connect_drop(c);
		return rc;
	}
	t = free_beside(c);
	assert(t);
	rc = try_beside(c, t, ip);
	if (rc != 0)
		close_beside(t);
	return rc;
}

/* --- time --- */

static void wait(struct conn *c)
{
	uint64_t at = eyeballs_due(&c->work->eyes);

	if (c->work->eyes.out == 0 && c->work->until < at)
		at = c->work->until;
	if (c->fd[DIR_S2C] >= 0 && connect_look_at(c) < at)
		at = connect_look_at(c);
	for (int i = 0; i < CONN_BESIDE; i++)
		if (c->work->beside[i].fd >= 0 &&
		    c->work->beside[i].late_at < at)
			at = c->work->beside[i].late_at;
	due_at(c->f, &c->work->due, at);
}

void race_go(struct conn *c)
{
	struct front *f = c->f;
	enum eyeballs_step step;
	struct ipaddr ip;
	int rc;

	while ((step = eyeballs_next(&c->work->eyes, f->now, &ip)) ==
	       EYEBALLS_TRY) {
		rc = try(c, &ip);
		if (rc == -EMFILE && c->work->eyes.out == 1) {
			conn_give_up(c, CONN_FAILED, WHY(f, failed_own),
				     SOCKS_FAILURE);
			return;
		}
		if (rc == -EXDEV) {
			conn_give_up(c, CONN_REFUSED, WHY(f, refused_unspliced),
				     SOCKS_FAILURE);
			return;
		}
		if (rc != 0) {
			c->work->error = rc;
			eyeballs_failed(&c->work->eyes);
		}
	}
	if (step == EYEBALLS_OVER)
		lost(c);
	else
		wait(c);
}

void race_failed(struct conn *c, int error)
{
	c->work->error = error;
	connect_drop(c);
	eyeballs_failed(&c->work->eyes);
	race_go(c);
}

void race_due(struct conn *c)
{
	struct front *f = c->f;

	if (c->work->eyes.out == 0 && f->now >= c->work->until) {
		greet_late(c);
		return;
	}
	/* He may have left: from now on he is waited for, too. */
	conn_watch(c, DIR_C2S);
	for (int i = 0; i < CONN_BESIDE; i++)
		if (c->work->beside[i].fd >= 0 &&
		    f->now >= c->work->beside[i].late_at)
			has_failed(&c->work->beside[i], -ETIMEDOUT);
	if (c->fd[DIR_S2C] >= 0 && f->now >= c->work->late_at)
		race_failed(c, -ETIMEDOUT);
	else
		race_go(c);
}

/* --- addresses --- */

/* Those of a family that may be connected to. */
static void answer(struct conn *c, enum eyeballs_family family,
		   const struct ipaddr *a, unsigned n)
{
	struct front *f = c->f;
	struct ipaddr may[EYEBALLS_ADDRESSES];
	unsigned k = 0;

	for (unsigned i = 0; i < n && k < EYEBALLS_ADDRESSES; i++)
		if (!judge_address(&f->o->allow, &f->o->deny, &a[i]))
			c->work->no = WHY(f, refused_address);
		else if (own_listens(f, &a[i], c->wish->socks.port))
			c->work->no = WHY(f, refused_own);
		else
			may[k++] = a[i];
	eyeballs_answer(&c->work->eyes, family, may, k, f->now);
}

static void found(struct conn *c, enum eyeballs_family family, int rc,
		  const struct ipaddr *a, unsigned n)
{
	/* Who calls is no callback of ours, which would have set it. */
	c->f->now = clock_mono();
	c->work->lookup[family] = NULL;
	c->work->silent |= rc == -ETIMEDOUT;
	answer(c, family, a, rc == 0 ? n : 0);
	/* The other question is asked first. */
	if (!c->work->asking)
		race_go(c);
}

static void found_preferred(void *ctx, int rc, const struct ipaddr *a,
			    unsigned n)
{
	found(ctx, EYEBALLS_PREFERRED, rc, a, n);
}

static void found_other(void *ctx, int rc, const struct ipaddr *a, unsigned n)
{
	found(ctx, EYEBALLS_OTHER, rc, a, n);
}

static void look_up(struct conn *c)
{
	static resolved_fn *const fn[] = { found_preferred, found_other };
	struct front *f = c->f;
	bool four = ipaddr_is4(&c->client);
	int rc = 0;

	f->n->lookups++;
	c->work->asking = true;
	for (int k = 0; rc == 0 && k < EYEBALLS_FAMILIES; k++)
		rc = resolver_ask(f->resolver, c->wish->socks.name,
				  (k == EYEBALLS_PREFERRED) == four ? AF_INET
								    : AF_INET6,
				  fn[k], c, &c->work->lookup[k]);
	c->work->asking = false;
	if (rc != 0)
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_names),
			     SOCKS_FAILURE);
	else
		race_go(c);
}

void race_begin(struct conn *c)
{
	struct front *f = c->f;
	bool own = is_own_family(c, &c->wish->socks.ip);

	c->state = CONN_RACE;
	eyeballs_begin(&c->work->eyes,
		       f->o->splice == SETUP_TC ? 1 : 1 + CONN_BESIDE);
	if (c->wish->socks.name_len > 0) {
		conn_watch(c, DIR_C2S);
		look_up(c);
		return;
	}
	answer(c, own ? EYEBALLS_PREFERRED : EYEBALLS_OTHER, &c->wish->socks.ip,
	       1);
	answer(c, own ? EYEBALLS_OTHER : EYEBALLS_PREFERRED, NULL, 0);
	race_go(c);
}

void race_pair_over(struct conn *c, const struct usplice_pair *p)
{
	struct why other = WHY(c->f, copied_other);

	if (c->pair == p) {
		c->pair = NULL;
		c->work->unspliced = other;
	}
	for (int i = 0; i < CONN_BESIDE; i++)
		if (c->work->beside[i].fd >= 0 &&
		    c->work->beside[i].pair == p) {
			c->work->beside[i].pair = NULL;
			c->work->beside[i].unspliced = other;
		}
}
