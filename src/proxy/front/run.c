/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - The proxy's loop
 *
 * Theory of operation
 *
 * One thread and one loop. What is opened with rights comes first: memory, the
 * program in the kernel on each device that has an address, listeners. Then the
 * rights go, but CAP_NET_ADMIN where there is a program: our sockets leave a
 * pair silently by TCP_REPAIR, which wants it. A filter leaves the system calls
 * of this loop. Only then is the first connection accepted.
 *
 *	listener -> conn_accept() -> conn.c -> usplice_splice()
 *	                                   '-> copy.c
 *	usplice_next() -> conn_note()
 *
 * The first signal to end closes the listeners; connections that need us have
 * --drain for their end, and a second signal, or the end of that time, cuts
 * what is left. With --pin those that are spliced are left to the kernel.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/limits.h"
#include "front/front_internal.h"
#include "os/clock.h"
#include "os/confine.h"
#include "os/log.h"
#include "os/mem.h"
#include "os/privileges.h"
#include "os/random.h"
#include "os/signals.h"

#define BACKLOG	    4096
#define STOP_LOOKS  (10 * NS_PER_MS) /* between looks whether all have ended */
#define DESCRIPTORS 512		     /* that are no connection's */

/* --- the loop --- */

static void splicer_is_ready(void *ctx, uint64_t now)
{
	struct front *f = ctx;
	struct usplice_note n;

	f->now = now;
	while (usplice_next(f->splicer, &n) == 1)
		conn_note(f, &n);
}

static void listener_is_ready(void *ctx, uint64_t now)
{
	struct listener *l = ctx;

	l->f->now = now;
	conn_accept(l);
}

static void listener_again(void *ctx)
{
	struct listener *l = ctx;

	if (l->fd >= 0 && loop_add(l->f->loop, &l->watch, l->fd) != 0)
		due_at(l->f, &l->again, l->f->now + NS_PER_SEC);
}

static void time_is_due(void *ctx, uint64_t now)
{
	struct front *f = ctx;

	f->now = now;
	f->armed = UINT64_MAX;
}

static void close_listeners(struct front *f)
{
	for (unsigned i = 0; i < f->o->places; i++) {
		struct listener *l = &f->listener[i];

		if (l->fd < 0)
			continue;
		loop_drop(f->loop, &l->watch);
		due_never(f, &l->again);
		close(l->fd);
		l->fd = -1;
	}
}

/* --- the end --- */

static bool all_ended(const struct front *f)
{
	for (const struct list *i = f->conns.next; i != &f->conns; i = i->next)
		if (conn_holds(list_entry(i, struct conn, link)))
			return false;
	return !passing_holds(f);
}

static void look_for_end(void *ctx)
{
	struct front *f = ctx;

	f->over = f->now >= f->stop_at || all_ended(f);
	if (!f->over)
		due_at(f, &f->stop_due, f->now + STOP_LOOKS);
}

void front_stop(struct front *f)
{
	if (f->stop_at != UINT64_MAX) {
		f->stop_at = 0;
		return;
	}
	passing_stop(f);
	close_listeners(f);
	manage_told(f, "drain");
	f->stop_at = f->now + f->o->drain;
	due_at(f, &f->stop_due, f->now);
}

static void signal_came(void *ctx, uint64_t now)
{
	struct front *f = ctx;
	int s;

	f->now = now;
	while ((s = signals_next(f->signals)) != 0) {
		if (s == SIGUSR1)
			front_report(f);
		else if (s == SIGHUP) {
			access_again(f);
			reload_files(f);
		} else if (s == SIGINT || s == SIGTERM)
			front_stop(f);
	}
}

static void run_busy(struct front *f)
{
	struct list *last = f->busy.prev;

	while (!list_empty(&f->busy)) {
		struct list *i = f->busy.next;

		copy_run(list_entry(i, struct conn, busy));
		if (i == last)
			break;
	}
}

static void loop(struct front *f)
{
	while (!f->over) {
		loop_wait(f->loop, list_empty(&f->busy) ? UINT64_MAX : 0);
		f->now = clock_mono();
		run_busy(f);
		due_run(f);
		access_flush(f);
	}
	while (!list_empty(&f->conns))
		conn_stop(list_entry(f->conns.next, struct conn, link));
}

/* --- opening --- */

static int take_memory(struct front *f, struct errbuf *e)
{
	const struct front_options *o = f->o;
	uint32_t n = o->connections;
	uint32_t copies = o->copies < n ? o->copies : n;
	size_t size = arena_need(n * sizeof(struct conn)) + shares_size(n) +
		      arena_need(copies * sizeof(struct copy)) +
		      arena_need((size_t)copies * DIR_COUNT * COPY_BUFFER) +
		      ctl_size() + metrics_size() + login_size();
	uint8_t *buf;

	if (mem_take(&f->arena, size, 0) != 0)
		return errbuf_set(e, -ENOMEM,
				  "no memory for so many connections; give "
				  "smaller --connections and --copies");
	if (random_bytes(&f->key, sizeof(f->key)) != 0)
		return errbuf_set(e, -EIO, "no random numbers");
	f->conn = arena_take(&f->arena, n * sizeof(struct conn));
	for (uint32_t i = 0; i < n; i++)
		list_add_tail(&f->free, &f->conn[i].link);
	shares_init(&f->shares, &f->arena, n, &f->key);
	f->copy = arena_take(&f->arena, copies * sizeof(struct copy));
	buf = arena_take(&f->arena, (size_t)copies * DIR_COUNT * COPY_BUFFER);
	for (uint32_t i = 0; i < copies; i++) {
		f->copy[i].way[DIR_C2S].buf = buf;
		f->copy[i].way[DIR_S2C].buf = buf + COPY_BUFFER;
		buf += DIR_COUNT * COPY_BUFFER;
		list_add_tail(&f->free_copies, &f->copy[i].link);
	}
	return 0;
}

/* Two descriptors of each, and two of the library's. Less than that is no
 * error: when there is none, a client waits.
 */
static void take_descriptors(const struct front *f)
{
	rlim_t n = 4 * (rlim_t)f->o->connections + DESCRIPTORS;
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= n)
		return;
	r.rlim_cur = n;
	if (r.rlim_max < n)
		r.rlim_max = n;
	if (setrlimit(RLIMIT_NOFILE, &r) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

static int open_splicer(struct front *f, struct errbuf *e)
{
	const struct front_options *o = f->o;
	const char *dev[DEVICES_LISTED + 1];
	struct usplice_options u = { .pairs = o->connections,
				     .port_low = (uint16_t)o->port_low,
				     .port_high = (uint16_t)o->port_high,
				     .opening = UINT64_MAX,
				     .idle = o->idle_timeout,
				     .closing = half_closed_limit(o),
				     .timewait = o->timewait,
				     .pin = o->pin,
				     .dev = dev };
	struct usplice_counters first;
	char err[200] = "";
	int rc;

	f->unspliced = WHY(f, copied_asked);
	if (o->splice == FRONT_COPY)
		return 0;
	devices_list(dev);
	rc = usplice_open(&f->splicer, &u, err, sizeof(err));
	if (rc == 0)
		/* What it asks of the system once, it asks now. */
		return usplice_counters(f->splicer, &first);
	if (o->splice == FRONT_TC || o->splice == FRONT_SYN || o->pin != NULL)
		return errbuf_set(e, rc,
				  "nothing can be spliced: %s; run as root, "
				  "see 'understudy proxy --check', or give "
				  "--splice copy",
				  err);
	f->unspliced = WHY(f, copied_rights);
	if (!o->quiet)
		log_line(LOG_WARN,
			 "proxy: all is copied, as nothing can be spliced: %s",
			 err);
	return 0;
}

static int listen_at(struct front *f, struct listener *l, struct errbuf *e)
{
	const struct front_place *p = &f->o->place[l->place];
	char s[TEXT_ENDPOINT];
	int one = 1;

	l->watch = (struct loop_watch){ .ready = listener_is_ready, .ctx = l };
	due_init(&l->again, listener_again, l);
	l->fd = activation_find(&f->activation, &p->ip, p->port);
	if (l->fd < 0)
		l->fd = address_bind(&p->ip, p->port, e);
	if (l->fd < 0)
		return l->fd;
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (f->splicer != NULL)
		usplice_init(f->splicer, l->fd);
	if (listen(l->fd, BACKLOG) != 0)
		return errbuf_set(e, -errno,
				  "cannot listen at %s: %s; is another process "
				  "there?",
				  text_endpoint(s, &p->ip, p->port),
				  strerror(errno));
	return loop_add(f->loop, &l->watch, l->fd);
}

static int watch(struct front *f, struct errbuf *e)
{
	int r = loop_open(&f->loop);

	f->on_time = (struct loop_watch){ .ready = time_is_due, .ctx = f };
	f->on_signal = (struct loop_watch){ .ready = signal_came, .ctx = f };
	f->on_splicer =
		(struct loop_watch){ .ready = splicer_is_ready, .ctx = f };
	if (r == 0)
		r = loop_timer(f->loop, &f->on_time);
	if (r == 0)
		r = loop_add(f->loop, &f->on_signal, f->signals);
	if (r == 0 && f->splicer != NULL)
		r = loop_add(f->loop, &f->on_splicer, usplice_fd(f->splicer));
	if (r != 0)
		return errbuf_set(e, r, "no loop could be made: %s",
				  strerror(-r));
	for (unsigned i = 0; r == 0 && i < f->o->places; i++)
		r = listen_at(f, &f->listener[i], e);
	if (r == 0)
		r = activation_rest(&f->activation, e);
	if (r == 0)
		r = manage_open(f, e);
	return r;
}

static bool has_socks(const struct front *f)
{
	for (unsigned i = 0; i < f->o->places; i++)
		if (f->servers[i].n == 0)
			return true;
	return false;
}

static void adopt(struct front *f)
{
	struct usplice_pair *p;

	while (f->splicer != NULL && usplice_adopt(f->splicer, &p) == 1)
		f->n.adopted++;
}

static int open_all(struct front *f, struct errbuf *e)
{
	int r = activation_open(&f->activation, e);

	if (r == 0)
		r = take_memory(f, e);
	if (r != 0)
		return r;
	take_descriptors(f);
	f->signals = signals_open();
	if (f->signals < 0)
		return errbuf_set(e, f->signals, "no signals: %s",
				  strerror(-f->signals));
	r = own_servers(f, f->servers, e);
	if (r == 0)
		r = open_splicer(f, e);
	if (r == 0)
		r = watch(f, e);
	if (r == 0 && has_socks(f))
		r = resolver_open(&f->resolver, f->loop,
				  f->o->has_dns ? &f->o->dns : NULL,
				  f->o->dns_port, e);
	if (r == 0 && f->o->socks_users != NULL)
		r = login_open(&f->login, &f->arena, f->o->socks_users, f->loop,
			       greet_login, f, e);
	if (r == 0)
		adopt(f);
	if (r == 0)
		r = passing_set(f, e);
	return r;
}

static int close_in(struct front *f, struct errbuf *e)
{
	bool splices = f->splicer != NULL;
	struct confine c = {
		.user = privileges_user(f->o->user),
		.net_admin = splices,
		.quiet = f->o->quiet,
		.box = { .needs = SANDBOX_RUN | SANDBOX_LOOP | SANDBOX_SOCKETS |
				  (splices ? SANDBOX_SPLICE : 0) |
				  (f->ctl != NULL ? SANDBOX_CONTROL : 0),
			 .broker = -1,
			 .control = ctl_fd(f->ctl) },
	};
	int r;

	if (f->resolver != NULL) {
		c.box.needs |= SANDBOX_READ;
		confine_place(&c, RESOLVE_HOSTS, false);
	}
	if (f->o->socks_users != NULL) {
		c.box.needs |= SANDBOX_READ;
		confine_place(&c, f->o->socks_users, false);
	}
	for (unsigned i = 0; i < f->o->files; i++) {
		c.box.needs |= SANDBOX_READ;
		confine_place(&c, f->o->file[i], false);
	}
	if (f->o->log != NULL || f->o->log_json != NULL)
		c.box.needs |= SANDBOX_APPEND;
	confine_place(&c, f->o->log, true);
	confine_place(&c, f->o->log_json, true);
	r = confine(&c, CONFINE_EARLY, e);
	if (r == 0)
		r = access_open(f, e);
	if (r == 0 && f->login != NULL)
		r = login_start(f->login, e);
	return r == 0 ? confine(&c, CONFINE_FINAL, e) : r;
}

static void say_start(const struct front *f)
{
	char s[TEXT_ENDPOINT];

	if (f->o->quiet)
		return;
	for (unsigned i = 0; i < f->o->places; i++)
		log_line(LOG_INFO, "proxy: at %s, %s",
			 text_endpoint(s, &f->o->place[i].ip,
				       f->o->place[i].port),
			 f->splicer == NULL ? "copied"
			 : f->o->splice == FRONT_SYN && f->servers[i].n > 0
				 ? "passed on in the kernel"
				 : "spliced in the kernel");
	if (f->n.adopted > 0)
		log_line(LOG_INFO, "proxy: %llu spliced connections go on",
			 (unsigned long long)f->n.adopted);
}

static void close_all(struct front *f)
{
	if (f->loop != NULL) {
		close_listeners(f);
		loop_drop(f->loop, &f->on_time);
	}
	resolver_close(f->resolver);
	login_close(f->login);
	ctl_close(f->ctl);
	metrics_close(f->metrics);
	access_close(f);
	loop_close(f->loop);
	usplice_close(f->splicer);
	if (f->signals >= 0)
		close(f->signals);
	mem_give(&f->arena);
}

static void prepare(struct front *f, const struct front_options *o)
{
	*f = (struct front){ .o = &f->set,
			     .set = *o,
			     .signals = -1,
			     .log = { .path = o->log, .fd = -1 },
			     .log_json = { .path = o->log_json, .fd = -1 },
			     .armed = UINT64_MAX,
			     .stop_at = UINT64_MAX,
			     .now = clock_mono() };
	wheel_init(&f->wheel, f->now);
	list_init(&f->free);
	list_init(&f->conns);
	list_init(&f->busy);
	list_init(&f->free_copies);
	list_init(&f->spare.link);
	due_init(&f->stop_due, look_for_end, f);
	health_init(f);
	for (unsigned i = 0; i < FRONT_LISTENERS; i++) {
		f->listener[i].f = f;
		f->listener[i].fd = -1;
		f->listener[i].place = i;
		due_init(&f->listener[i].again, listener_again,
			 &f->listener[i]);
		if (i < o->places)
			f->servers[i] = o->place[i].servers;
	}
}

int front_run(const struct front_options *o, struct errbuf *e)
{
	static struct front f;
	int r;

	prepare(&f, o);
	r = open_all(&f, e);
	if (r == 0)
		r = close_in(&f, e);
	if (r == 0) {
		say_start(&f);
		loop(&f);
		front_report(&f);
	}
	close_all(&f);
	return r;
}
