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
#include "front/manage_internal.h"
#include "front/work_internal.h"
#include "net/devices.h"
#include "os/clock.h"
#include "os/confine.h"
#include "os/log.h"
#include "os/mem.h"
#include "os/privileges.h"
#include "os/random.h"
#include "os/signals.h"

#define BACKLOG	    4096
#define STOP_LOOKS  (10 * NS_PER_MS) /* between looks whether all have ended */
#define MARK	    0x5550	     /* of --transparent */
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

static void report(struct front *f)
{
	front_look(f, &f->state);
	front_print(&f->view);
}

static void signal_came(void *ctx, uint64_t now)
{
	struct front *f = ctx;
	int s;

	f->now = now;
	while ((s = signals_next(f->signals)) != 0) {
		if (s == SIGUSR1)
			report(f);
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

		copy_run(list_entry(i, struct copy, busy)->c);
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

static bool has_web(const struct setup *o)
{
	for (unsigned i = 0; i < o->places; i++)
		if (o->place[i].http)
			return true;
	return false;
}

static int take_memory(struct front *f, struct errbuf *e)
{
	const struct setup *o = f->o;
	uint32_t n = o->connections;
	uint32_t copies = o->copies < n ? o->copies : n;
	uint32_t web = has_web(o) ? copies : 1;
	size_t buffers = (size_t)copies * DIR_COUNT * CARRY_BUFFER;
	size_t size = stock_size(n, sizeof(struct conn)) +
		      stock_size(n, sizeof(struct work)) +
		      stock_size(n, sizeof(struct wish)) +
		      (f->worker ? 0 : shares_size(n)) +
		      stock_size(copies, sizeof(struct copy)) +
		      stock_size(web, sizeof(struct request)) +
		      arena_need(buffers) + ctl_size() + metrics_size() +
		      login_size();

	if (mem_take(&f->arena, size, 0) != 0)
		return errbuf_set(e, -ENOMEM,
				  "no memory for so many connections; give "
				  "smaller --connections and --copies");
	if (f->worker)
		f->key = f->worker->key;
	else if (random_bytes(&f->key, sizeof(f->key)) != 0)
		return errbuf_set(e, -EIO, "no random numbers");
	stock_init(&f->places, &f->arena, n, sizeof(struct conn));
	stock_init(&f->works, &f->arena, n, sizeof(struct work));
	stock_init(&f->wishes, &f->arena, n, sizeof(struct wish));
	if (!f->worker)
		shares_init(&f->shares, &f->arena, n, &f->key);
	stock_init(&f->copies, &f->arena, copies, sizeof(struct copy));
	stock_init(&f->requests, &f->arena, web, sizeof(struct request));
	f->buffers = arena_take(&f->arena, buffers);
	return 0;
}

/* Two descriptors of each, and two of the library's, or two pipes. Less than
 * that is no error: when there is none, a client waits.
 */
static void take_descriptors(const struct front *f)
{
	rlim_t each = f->o->splice == SETUP_PIPE ? 6 : 4;
	rlim_t n = each * (rlim_t)f->o->connections + DESCRIPTORS;
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

/* Who says what all workers would. */
static bool is_first(const struct front *f)
{
	return !f->worker || f->worker->index == 0;
}

/* Each worker makes and removes rules of its own. */
static uint32_t mark_of(const struct front *f)
{
	return MARK + (f->worker ? f->worker->index : 0);
}

static int open_splicer(struct front *f, struct errbuf *e)
{
	const struct setup *o = f->o;
	const char *dev[DEVICES_LISTED + 1];
	struct usplice_options u = { .pairs = o->connections,
				     .port_low = (uint16_t)o->port_low,
				     .port_high = (uint16_t)o->port_high,
				     .opening = UINT64_MAX,
				     .idle = o->idle_timeout,
				     .closing = half_closed_limit(o),
				     .timewait = o->timewait,
				     .pin = o->pin,
				     .mark = o->transparent ? mark_of(f) : 0,
				     .flags = f->worker ? USPLICE_TCX : 0,
				     .key = { f->key.k[0], f->key.k[1] },
				     .dev = dev };
	struct usplice_counters first;
	char err[200] = "";
	int rc;

	f->unspliced = WHY(f, copied_asked);
	if (o->splice == SETUP_COPY || o->splice == SETUP_PIPE)
		return 0;
	devices_list(dev);
	rc = usplice_open(&f->splicer, &u, err, sizeof(err));
	if (rc == 0)
		/* What it asks of the system once, it asks now. */
		return usplice_counters(f->splicer, &first);
	if (o->splice == SETUP_TC || o->splice == SETUP_SYN || o->pin)
		return errbuf_set(e, rc,
				  "nothing can be spliced: %s; run as root, "
				  "see 'understudy proxy --check', or give "
				  "--splice copy",
				  err);
	f->unspliced = WHY(f, copied_rights);
	if (!o->quiet && is_first(f))
		log_line(LOG_WARN,
			 "proxy: all is copied, as nothing can be spliced: %s",
			 err);
	return 0;
}

static int open_tap(struct front *f, struct errbuf *e)
{
	const char *dev[DEVICES_LISTED + 1];
	int tables[2];
	struct tap_config c = { .dev = f->o->tap,
				.at = dev,
				.servers = &f->o->tap_match,
				.share = f->o->tap_share,
				.key = f->key,
				.connections = f->o->connections,
				.tcx = f->worker };

	if (!f->o->tap)
		return 0;
	devices_list(dev);
	if (f->splicer && f->o->splice == SETUP_SYN) {
		usplice_tables(f->splicer, tables);
		c.tables = tables;
	}
	return tap_open(&f->tap, &c, e);
}

static int listen_at(struct front *f, struct listener *l, struct errbuf *e)
{
	const struct setup_place *p = &f->o->place[l->place];
	char s[TEXT_ENDPOINT];
	int one = 1;

	l->watch = (struct loop_watch){ .ready = listener_is_ready, .ctx = l };
	due_init(&l->again, listener_again, l);
	l->fd = activation_find(&f->activation, &p->ip, p->port);
	if (l->fd < 0)
		l->fd = address_bind(&p->ip, p->port, f->worker != NULL, e);
	if (l->fd < 0)
		return l->fd;
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (f->splicer)
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
		r = f->worker ? work_open(f)
			      : loop_add(f->loop, &f->on_signal, f->signals);
	if (r == 0 && f->splicer)
		r = loop_add(f->loop, &f->on_splicer, usplice_fd(f->splicer));
	if (r != 0)
		return errbuf_set(e, r, "no loop could be made: %s",
				  strerror(-r));
	for (unsigned i = 0; r == 0 && i < f->o->places; i++)
		r = listen_at(f, &f->listener[i], e);
	if (r == 0)
		r = activation_rest(&f->activation, e);
	return r != 0 || f->worker ? r : manage_open(f, e);
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

	while (f->splicer && usplice_adopt(f->splicer, &p) == 1)
		f->n->adopted++;
}

/* What a worker has of its parent; signals are blocked for it. */
static int open_own(struct front *f, struct errbuf *e)
{
	int r = 0;

	if (f->worker) {
		f->activation = *f->worker->activation;
		return 0;
	}
	r = activation_open(&f->activation, e);
	if (r != 0)
		return r;
	f->signals = signals_open();
	return f->signals >= 0 ? 0
			       : errbuf_set(e, f->signals, "no signals: %s",
					    strerror(-f->signals));
}

static int open_all(struct front *f, struct errbuf *e)
{
	int r = open_own(f, e);

	if (r == 0)
		r = take_memory(f, e);
	if (r != 0)
		return r;
	take_descriptors(f);
	r = own_servers(f, f->servers, e);
	if (r == 0)
		r = open_splicer(f, e);
	if (r == 0)
		r = open_tap(f, e);
	if (r == 0)
		r = watch(f, e);
	if (r == 0 && has_socks(f))
		r = resolver_open(&f->resolver, f->loop,
				  f->o->has_dns ? &f->o->dns : NULL,
				  f->o->dns_port, e);
	if (r == 0 && f->o->socks_users)
		r = login_open(&f->login, &f->arena, f->o->socks_users, f->loop,
			       greet_login, f, e);
	if (r == 0)
		adopt(f);
	if (r == 0)
		r = passing_set(f, e);
	if (r == 0)
		health_begin(f);
	return r;
}

static int close_in(struct front *f, struct errbuf *e)
{
	bool splices = f->splicer;
	struct confine c = {
		.user = privileges_user(f->o->user),
		.net_admin = splices,
		.quiet = f->o->quiet,
		.box = { .needs = SANDBOX_RUN | SANDBOX_LOOP | SANDBOX_SOCKETS |
				  (splices ? SANDBOX_SPLICE : 0) |
				  (f->tap ? SANDBOX_TABLES : 0) |
				  (f->o->splice == SETUP_PIPE ? SANDBOX_PIPES
							      : 0) |
				  (f->ctl ? SANDBOX_CONTROL : 0),
			 .broker = -1,
			 .control = ctl_fd(f->ctl) },
	};
	int r;

	if (f->resolver) {
		c.box.needs |= SANDBOX_READ;
		confine_place(&c, RESOLVE_HOSTS, false);
	}
	if (f->o->socks_users) {
		c.box.needs |= SANDBOX_READ;
		confine_place(&c, f->o->socks_users, false);
	}
	for (unsigned i = 0; i < f->o->files; i++) {
		c.box.needs |= SANDBOX_READ;
		confine_place(&c, f->o->file[i], false);
	}
	if (f->o->log || f->o->log_json)
		c.box.needs |= SANDBOX_APPEND;
	confine_place(&c, f->o->log, true);
	confine_place(&c, f->o->log_json, true);
	r = confine(&c, CONFINE_EARLY, e);
	if (r == 0 && f->worker && child_bind(f->worker->parent) != 0)
		r = errbuf_set(e, -ESRCH, "whose worker this is is gone");
	if (r == 0)
		r = access_open(f, e);
	if (r == 0 && f->login)
		r = login_start(f->login, e);
	return r == 0 ? confine(&c, CONFINE_FINAL, e) : r;
}

static void close_all(struct front *f)
{
	if (f->loop) {
		close_listeners(f);
		loop_drop(f->loop, &f->on_time);
	}
	resolver_close(f->resolver);
	login_close(f->login);
	ctl_close(f->ctl);
	metrics_close(f->metrics);
	access_close(f);
	loop_close(f->loop);
	tap_close(f->tap);
	usplice_close(f->splicer);
	if (f->signals >= 0)
		close(f->signals);
	copy_close(f);
	mem_give(&f->arena);
}

static void look(void *ctx)
{
	struct front *f = ctx;

	front_look(f, &f->state);
}

static void prepare(struct front *f, const struct setup *o,
		    const struct worker *w)
{
	*f = (struct front){ .o = &f->set,
			     .set = *o,
			     .worker = w,
			     .n = w ? &w->share->n : &f->own,
			     .clients = w ? w->clients : &f->shares,
			     .view = { .o = &f->set,
				       .s = &f->state,
				       .look = look,
				       .ctx = f,
				       .ctl = &f->ctl,
				       .metrics = &f->metrics },
			     .signals = -1,
			     .log = { .path = o->log, .fd = -1 },
			     .log_json = { .path = o->log_json, .fd = -1 },
			     .armed = UINT64_MAX,
			     .stop_at = UINT64_MAX,
			     .now = clock_mono() };
	wheel_init(&f->wheel, f->now);
	list_init(&f->conns);
	list_init(&f->busy);
	due_init(&f->stop_due, look_for_end, f);
	health_init(f);
	for (unsigned i = 0; i < SETUP_LISTENERS; i++) {
		f->listener[i].f = f;
		f->listener[i].fd = -1;
		f->listener[i].place = i;
		due_init(&f->listener[i].again, listener_again,
			 &f->listener[i]);
		if (i < o->places)
			f->servers[i] = o->place[i].servers;
	}
}

static void begin(struct front *f)
{
	if (f->worker) {
		work_says(f, WORKER_UP);
		return;
	}
	front_look(f, &f->state);
	front_say_start(&f->view);
}

static void end(struct front *f)
{
	if (f->worker)
		work_says(f, WORKER_OVER);
	else
		report(f);
}

int front_run(const struct setup *o, const struct worker *w, struct errbuf *e)
{
	static struct front f;
	int r;

	prepare(&f, o, w);
	r = open_all(&f, e);
	if (r == 0)
		r = close_in(&f, e);
	if (r == 0) {
		begin(&f);
		loop(&f);
		end(&f);
	}
	close_all(&f);
	return r;
}
