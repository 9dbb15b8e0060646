/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * greet.c - What is said before there is a server
 *
 * Theory of operation
 *
 * Who comes from a network of --proxy-in says first, in a header of the PROXY
 * protocol, whose connection it is; then that client counts. A client of SOCKS
 * says where he wants to go. Both are read by pure machines (pp.h, socks.h)
 * from bytes that are only looked at (MSG_PEEK); what a machine has used is
 * then taken away. So what comes behind stays in the socket, where a splice
 * finds it, and a client may send it at once.
 *
 * The whole of it has one time, --handshake-timeout, however the bytes come.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "front/front_internal.h"
#include "front/request_internal.h"
#include "http/edit.h"
#include "http/exchange.h"
#include "os/clock.h"

#define DRAIN_ROUNDS 16 /* of a buffer that is thrown away */

static uint8_t scratch[HTTP_HEAD_MOST];

_Static_assert(sizeof(scratch) >= PP_V2_MOST && sizeof(scratch) >= SOCKS_MOST,
	       "each message fits");

/* What has come so far. Return: its length; 0: nothing; -1: @c is over */
static ssize_t look(struct conn *c, size_t most)
{
	ssize_t n =
		recv(c->fd[DIR_C2S], scratch, most, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		conn_watch(c, DIR_C2S);
		return 0;
	}
	conn_give_up(c, CONN_FAILED, WHY(c->f, failed_left), SOCKS_FAILURE);
	return -1;
}

static void used(struct conn *c, size_t n)
{
	(void)recv(c->fd[DIR_C2S], scratch, n, MSG_DONTWAIT);
}

ssize_t greet_look(struct conn *c, const uint8_t **b)
{
	*b = scratch;
	return look(c, sizeof(scratch));
}

void greet_take(struct conn *c, size_t n)
{
	used(c, n);
}

/* --- whose connection it is --- */

static void read_head(struct conn *c)
{
	struct front *f = c->f;
	ssize_t n = look(c, PP_V2_MOST);
	int rc;

	if (n <= 0)
		return;
	rc = pp_read(scratch, (size_t)n, &c->work->via);
	if (rc < 0) {
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_header),
			     SOCKS_FAILURE);
	} else if (rc == 0) {
		conn_watch(c, DIR_C2S);
	} else {
		used(c, (size_t)rc);
		if (c->work->via.known) {
			c->client = c->work->via.src;
			c->client_port = c->work->via.sport;
		}
		conn_admit(c);
	}
}

void greet_begin(struct conn *c)
{
	struct front *f = c->f;

	c->work->until = f->now + f->o->handshake_timeout;
	due_at(f, &c->work->due, c->work->until);
	if (!judge_in(&f->o->proxy_in, &c->client)) {
		conn_admit(c);
		return;
	}
	c->state = CONN_HEAD;
	read_head(c);
}

bool greet_server(struct conn *c)
{
	struct pp p = c->work->via;
	uint8_t b[PP_MADE];
	size_t n;

	if (c->f->o->proxy_out == 0)
		return true;
	if (!p.known) {
		struct sockaddr_storage a;
		socklen_t len = sizeof(a);

		if (getsockname(c->fd[DIR_C2S], (struct sockaddr *)&a, &len) !=
			    0 ||
		    address_get(&a, &p.dst, &p.dport) != 0)
			return false;
		p.known = true;
		p.src = c->client;
		p.sport = c->client_port;
	}
	n = pp_make(c->f->o->proxy_out, &p, b);
	return send(c->fd[DIR_S2C], b, n, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)n;
}

/* --- where to --- */

static struct why why_refused(const struct conn *c)
{
	struct front *f = c->f;

	if ((c->wish->socks.version == 5 && !c->wish->socks.greeted) ||
	    (c->wish->socks.version == 4 && c->wish->socks.lock != SOCKS_OPEN))
		return WHY(f, refused_method);
	return c->wish->socks.command != 0 && c->wish->socks.command != 1
		       ? WHY(f, refused_command)
		       : WHY(f, refused_socks);
}

static bool send_reply(struct conn *c)
{
	const struct socks *s = &c->wish->socks;

	return send(c->fd[DIR_C2S], s->reply, s->reply_len,
		    MSG_DONTWAIT | MSG_NOSIGNAL) == s->reply_len;
}

/* Who he is was said in the bytes that were looked at. */
static void see_who(struct conn *c)
{
	struct front *f = c->f;
	struct socks_names who = socks_names(scratch);
	bool asked = login_ask(f->login, stock_index(&f->places, c), c->id,
			       who.name, who.name_len, who.password,
			       who.password_len, c->wish->user);

	if (asked)
		c->state = CONN_LOGIN;
	else
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_busy),
			     SOCKS_FAILURE);
}

void greet_login(void *ctx, uint32_t who, uint64_t id, bool good)
{
	struct front *f = ctx;
	struct conn *c = stock_at(&f->places, who);

	/* Who waited may be gone, and another one be in his place. */
	if (c->id != id || c->state != CONN_LOGIN)
		return;
	f->now = clock_mono();
	if (!good) {
		conn_give_up(c, CONN_REFUSED, WHY(f, refused_login),
			     SOCKS_NOT_ALLOWED);
		return;
	}
	socks_login(&c->wish->socks, true);
	if (send_reply(c))
		greet_wishes(c);
	else
		conn_give_up(c, CONN_FAILED, WHY(f, failed_left),
			     SOCKS_FAILURE);
}

/* One message. Return: there may be another */
static bool read_message(struct conn *c)
{
	struct front *f = c->f;
	ssize_t n = look(c, SOCKS_MOST);
	enum socks_step step;
	size_t taken;

	if (n <= 0)
		return false;
	step = socks_read(&c->wish->socks, scratch, (size_t)n, &taken);
	/* What is taken away are the bytes that were looked at. */
	if (taken > 0)
		used(c, taken);
	switch (step) {
	case SOCKS_MORE:
		assert(n < SOCKS_MOST);
		conn_watch(c, DIR_C2S);
		return false;
	case SOCKS_ANSWER:
		if (send_reply(c))
			return true;
		conn_give_up(c, CONN_FAILED, WHY(f, failed_left),
			     SOCKS_FAILURE);
		return false;
	case SOCKS_LOGIN:
		see_who(c);
		return false;
	case SOCKS_CONNECT:
		race_begin(c);
		return false;
	default:
		conn_give_up(c, CONN_REFUSED, why_refused(c), SOCKS_GRANTED);
		return false;
	}
}

void greet_wishes(struct conn *c)
{
	if (!c->wish) {
		c->wish = stock_take(&c->f->wishes);
		assert(c->wish);
		*c->wish = (struct wish){ .user = "" };
	}
	c->state = CONN_SOCKS;
	if (c->f->login && c->wish->socks.version == 0)
		c->wish->socks.lock = SOCKS_LOCKED;
	while (read_message(c))
		;
}

void greet_ready(struct conn *c)
{
	if (c->state == CONN_HEAD)
		read_head(c);
	else if (conn_is_web(c))
		request_hear(c);
	else
		greet_wishes(c);
}

void greet_late(struct conn *c)
{
	conn_give_up(c, CONN_FAILED, WHY(c->f, failed_handshake),
		     SOCKS_HOST_UNREACHABLE);
}

uint32_t greet_granted(struct conn *c)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);
	struct ipaddr ip;
	uint16_t port;

	if (c->wish && c->wish->http) {
		c->wish->reply = (const uint8_t *)HTTP_TUNNEL;
		return sizeof(HTTP_TUNNEL) - 1;
	}
	if (!c->wish || c->wish->socks.version == 0)
		return 0;
	if (getsockname(c->fd[DIR_S2C], (struct sockaddr *)&a, &n) != 0 ||
	    address_get(&a, &ip, &port) != 0)
		socks_reply(&c->wish->socks, SOCKS_GRANTED, NULL, 0);
	else
		socks_reply(&c->wish->socks, SOCKS_GRANTED, &ip, port);
	c->wish->reply = c->wish->socks.reply;
	return c->wish->socks.reply_len;
}

static bool send_page(struct conn *c, enum socks_code code)
{
	uint8_t page[HTTP_PAGE_MOST];
	size_t n = request_page(c, code, page);

	return send(c->fd[DIR_C2S], page, n, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)n;
}

/* Tell him. Return: he was told */
static bool send_answer(struct conn *c, enum socks_code code)
{
	if (c->wish && c->wish->http)
		return send_page(c, code);
	if (!c->wish || c->wish->socks.version == 0)
		return false;
	/* What the machine refuses has its reply already. */
	if (code != SOCKS_GRANTED)
		socks_reply(&c->wish->socks, code, NULL, 0);
	return c->wish->socks.reply_len > 0 && send_reply(c);
}

bool greet_answer(struct conn *c, enum socks_code code)
{
	if (!send_answer(c, code))
		return false;
	(void)shutdown(c->fd[DIR_C2S], SHUT_WR);
	/* Bytes that are left when we close would make a RST, which may
	 * overtake the reply.
	 */
	for (int i = 0; i < DRAIN_ROUNDS; i++)
		if (recv(c->fd[DIR_C2S], scratch, sizeof(scratch),
			 MSG_DONTWAIT) <= 0)
			break;
	return true;
}
