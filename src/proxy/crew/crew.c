/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crew.c - Several processes are one proxy
 *
 * Theory of operation
 *
 * Workers are forked one after the other, before anything but signals and
 * shared memory is open, and each opens what it needs (front/work.c). We take
 * no client: we have the control socket, metrics, signals and the report, and
 * no right at all.
 *
 * To begin a worker anew takes rights that nobody has any more, and a proxy
 * with less than its workers has less connections and ports than it says. So
 * one that dies ends them all, at once, as one process that died would have;
 * what is pinned goes on, and who looks after us starts us anew. What it had
 * counted lies in shared memory; connections that it had are counted as cut.
 *
 * The kernel ends the workers when we die, and they see it by their channel.
 */
#include "crew/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/limits.h"
#include "crew/crew_internal.h"
#include "dial/shares.h"
#include "front/front.h"
#include "net/address.h"
#include "os/child.h"
#include "os/clock.h"
#include "os/confine.h"
#include "os/mem.h"
#include "os/privileges.h"
#include "os/random.h"
#include "os/signals.h"

#define START_MOST (60 * NS_PER_SEC) /* for a worker to begin */
#define END_MOST   (5 * NS_PER_SEC)  /* for all to end at once */
#define EXIT_WORST 2

/* --- a worker begins --- */

static void close_others(struct crew *c, unsigned i)
{
	close(c->signals);
	for (unsigned k = 0; k < i; k++) {
		close(c->member[k].fd);
		mem_give(&c->member[k].memory);
	}
}

/* In the child. */
static __attribute__((noreturn)) void work(struct crew *c, unsigned i,
					   int channel, pid_t parent)
{
	static struct setup own;
	struct member *m = &c->member[i];
	const struct worker w = { .index = i,
				  .count = c->o.workers,
				  .parent = parent,
				  .channel = channel,
				  .share = m->share,
				  .clients = c->clients,
				  .lock = c->lock,
				  .key = c->key,
				  .activation = &c->activation };
	struct worker_message failed = { .what = WORKER_FAILED };
	struct errbuf e = { "" };
	int r;

	close_others(c, i);
	own = c->o;
	r = setup_share(&own, i, c->o.workers, &e);
	if (r == 0)
		r = front_run(&own, &w, &e);
	if (r != 0) {
		m->share->e = e;
		(void)child_say(channel, &failed, sizeof(failed));
	}
	exit(r == 0 ? 0 : EXIT_WORST);
}

/* Wait until it takes clients. */
static int see_start(struct member *m, struct errbuf *e)
{
	uint64_t until = clock_mono() + START_MOST, now;
	struct worker_message said;
	char how[CHILD_HOW];
	int rc = 0;

	while (rc == 0 && (now = clock_mono()) < until) {
		child_wait(m->fd, until - now);
		rc = child_hear(m->fd, &said, sizeof(said));
		if (rc == 1 && said.what == WORKER_EVENT)
			rc = 0;
	}
	if (rc == 1 && said.what == WORKER_UP) {
		m->state = m->share->state;
		return 0;
	}
	if (rc == 1 && said.what == WORKER_FAILED) {
		*e = m->share->e;
		e->s[sizeof(e->s) - 1] = '\0';
		return -ECHILD;
	}
	child_how(m->pid, END_MOST, how);
	return errbuf_set(e, -ECHILD, "worker %u %s before it began", m->index,
			  how);
}

static int start(struct crew *c, unsigned i, struct errbuf *e)
{
	struct member *m = &c->member[i];
	pid_t parent = getpid();
	int fd[2];
	int r;

	if (mem_take(&m->memory, arena_need(sizeof(*m->share)), MEM_SHARED))
		return errbuf_set(e, -ENOMEM, "no memory for a worker");
	m->share = arena_take(&m->memory, sizeof(*m->share));
	r = child_channel(fd);
	if (r != 0)
		return errbuf_set(e, r, "no channel: %s", strerror(-r));
	m->pid = fork();
	if (m->pid == 0) {
		close(fd[0]);
		work(c, i, fd[1], parent);
	}
	close(fd[1]);
	m->fd = fd[0];
	if (m->pid < 0)
		return errbuf_set(e, -errno, "no process: %s", strerror(errno));
	return see_start(m, e);
}

/* --- the end --- */

/* One that has not answered is told again when it has something to say. */
static void tell_stops(struct crew *c)
{
	struct errbuf e;

	for (unsigned i = 0; i < c->o.workers; i++) {
		struct member *m = &c->member[i];

		while (m->told < c->stops && ask_one(m, "stop", &e) == 0)
			m->told++;
	}
}

void crew_stop(struct crew *c)
{
	if (c->stops == 0)
		crew_event(c, "drain");
	if (c->stops < 2)
		c->stops++;
	tell_stops(c);
	if (c->stops > 1 && c->until == UINT64_MAX)
		c->until = clock_mono() + END_MOST;
}

/* It is gone: what it had is counted as cut; with --pin what was joined goes
 * on, and how much that is nobody knows.
 */
static void bury(struct member *m)
{
	struct front_state *s = &m->state;
	char how[CHILD_HOW];

	m->buried = true;
	child_how(m->pid, NS_PER_SEC, how);
	if (m->ends)
		return;
	s->n = m->share->n;
	front_count(s);
	s->n.failed += s->g.opening;
	s->n.failed_stopped += s->g.opening;
	*(m->c->o.pin ? &s->n.ended_left : &s->n.ended_stopped) += s->g.open;
	s->g = (struct front_gauges){ .opening = 0 };
	for (unsigned i = 0; i < FRONT_SERVERS; i++)
		s->server[i].g.users = 0;
	if (m->c->why.s[0] == '\0')
		errbuf_set(&m->c->why, -ECHILD,
			   "worker %u (process %d) %s, and so all have ended",
			   m->index, (int)m->pid, how);
}

/* Return: one was buried */
static bool bury_gone(struct crew *c)
{
	bool any = false;

	for (unsigned i = 0; i < c->o.workers; i++) {
		struct member *m = &c->member[i];

		if (m->fd >= 0 || m->buried)
			continue;
		bury(m);
		any = true;
	}
	return any;
}

static bool all_gone(const struct crew *c)
{
	unsigned i = 0;

	while (i < c->o.workers && c->member[i].fd < 0)
		i++;
	return i == c->o.workers;
}

/* Who is asked may be found to be gone: it goes on until nobody is. Return: all
 * is over
 */
static bool tend(struct crew *c)
{
	tell_stops(c);
	while (bury_gone(c))
		while (c->why.s[0] != '\0' && c->stops < 2)
			crew_stop(c);
	return all_gone(c) || clock_mono() >= c->until;
}

/* Who has not ended in time is gone with us. */
static void drop_rest(struct crew *c)
{
	for (unsigned i = 0; i < c->o.workers; i++) {
		struct member *m = &c->member[i];

		if (m->fd < 0)
			continue;
		ask_drop(m);
		m->ends = false;
	}
	(void)bury_gone(c);
}

static void loop(struct crew *c)
{
	while (!tend(c)) {
		uint64_t now = clock_mono();

		loop_wait(c->loop, c->until == UINT64_MAX ? UINT64_MAX
				   : c->until > now	  ? c->until - now
							  : 0);
	}
}

/* --- what the loop calls --- */

static void worker_speaks(void *ctx, uint64_t now)
{
	(void)now;
	(void)ask_hear(ctx, 0);
}

static void report(struct crew *c)
{
	ask_state(c);
	front_print(&c->view);
}

static void signal_came(void *ctx, uint64_t now)
{
	struct crew *c = ctx;
	int s;

	(void)now;
	while ((s = signals_next(c->signals)) != 0) {
		if (s == SIGUSR1)
			report(c);
		else if (s == SIGHUP)
			crew_hup(c);
		else if (s == SIGINT || s == SIGTERM)
			crew_stop(c);
	}
}

static void look(void *ctx)
{
	ask_state(ctx);
}

/* --- opening --- */

/* Where workers will listen nobody else does: they could not tell. */
static int see_places(const struct crew *c, struct errbuf *e)
{
	struct activation given = c->activation;

	for (unsigned i = 0; i < c->o.places; i++) {
		const struct setup_place *p = &c->o.place[i];
		int fd;

		if (activation_find(&given, &p->ip, p->port) >= 0)
			continue;
		fd = address_bind(&p->ip, p->port, false, e);
		if (fd < 0)
			return fd;
		close(fd);
	}
	return 0;
}

static int take_memory(struct crew *c, struct errbuf *e)
{
	uint32_t n = c->o.connections;
	size_t size =
		arena_need(sizeof(*c->clients)) + lock_size() + shares_size(n);

	if (mem_take(&c->shared, size, MEM_SHARED) != 0 ||
	    mem_take(&c->arena, ctl_size() + metrics_size(), 0) != 0)
		return errbuf_set(e, -ENOMEM,
				  "no memory for so many connections; give "
				  "smaller --connections");
	if (random_bytes(&c->key, sizeof(c->key)) != 0)
		return errbuf_set(e, -EIO, "no random numbers");
	c->clients = arena_take(&c->shared, sizeof(*c->clients));
	c->lock = lock_open(&c->shared);
	if (!c->lock)
		return errbuf_set(e, -ENOMEM, "no lock");
	shares_init(c->clients, &c->shared, n, &c->key);
	return 0;
}

static int watch(struct crew *c, struct errbuf *e)
{
	int r = loop_open(&c->loop);

	c->on_signal = (struct loop_watch){ .ready = signal_came, .ctx = c };
	if (r == 0)
		r = loop_add(c->loop, &c->on_signal, c->signals);
	for (unsigned i = 0; r == 0 && i < c->o.workers; i++) {
		struct member *m = &c->member[i];

		m->watch =
			(struct loop_watch){ .ready = worker_speaks, .ctx = m };
		r = loop_add(c->loop, &m->watch, m->fd);
	}
	return r == 0 ? crew_manage(c, e)
		      : errbuf_set(e, r, "no loop could be made: %s",
				   strerror(-r));
}

static int open_all(struct crew *c, struct errbuf *e)
{
	int r = activation_open(&c->activation, e);

	if (r == 0)
		r = see_places(c, e);
	if (r == 0)
		r = take_memory(c, e);
	if (r != 0)
		return r;
	c->signals = signals_open();
	if (c->signals < 0)
		return errbuf_set(e, c->signals, "no signals: %s",
				  strerror(-c->signals));
	fflush(stdout);
	for (unsigned i = 0; r == 0 && i < c->o.workers; i++)
		r = start(c, i, e);
	/* They have them, and close them when they accept no more. */
	for (unsigned i = 0; i < c->activation.n; i++)
		close(c->activation.fd[i]);
	return r == 0 ? watch(c, e) : r;
}

static int close_in(struct crew *c, struct errbuf *e)
{
	struct confine k = {
		.user = privileges_user(c->o.user),
		.quiet = true, /* workers have said it */
		.box = { .needs = SANDBOX_RUN | SANDBOX_LOOP | SANDBOX_CHILD |
				  (c->metrics ? SANDBOX_SOCKETS : 0) |
				  (c->ctl ? SANDBOX_CONTROL : 0),
			 .broker = -1,
			 .control = ctl_fd(c->ctl) },
	};
	int r;

	for (unsigned i = 0; i < c->o.files; i++) {
		k.box.needs |= SANDBOX_READ;
		confine_place(&k, c->o.file[i], false);
	}
	r = confine(&k, CONFINE_EARLY, e);
	return r == 0 ? confine(&k, CONFINE_FINAL, e) : r;
}

static void close_all(struct crew *c)
{
	ctl_close(c->ctl);
	metrics_close(c->metrics);
	loop_close(c->loop);
	for (unsigned i = 0; i < c->o.workers; i++) {
		if (c->member[i].fd >= 0)
			close(c->member[i].fd);
		mem_give(&c->member[i].memory);
	}
	if (c->signals >= 0)
		close(c->signals);
	mem_give(&c->arena);
	mem_give(&c->shared);
}

static void prepare(struct crew *c, const struct setup *o)
{
	c->o = *o;
	c->signals = -1;
	c->until = UINT64_MAX;
	c->view = (struct front_view){ .o = &c->o,
				       .s = &c->state,
				       .look = look,
				       .ctx = c,
				       .ctl = &c->ctl,
				       .metrics = &c->metrics };
	for (unsigned i = 0; i < o->workers; i++) {
		c->member[i].c = c;
		c->member[i].index = i;
		c->member[i].fd = -1;
	}
}

static int run(struct crew *c, struct errbuf *e)
{
	int r = open_all(c, e);

	if (r == 0)
		r = close_in(c, e);
	if (r != 0)
		return r;
	ask_state(c);
	front_say_start(&c->view);
	loop(c);
	drop_rest(c);
	report(c);
	if (c->why.s[0] == '\0')
		return 0;
	*e = c->why;
	return -ECHILD;
}

int crew_run(const struct setup *o, struct errbuf *e)
{
	static struct crew c;
	int r = pins_fit(o, e);

	if (r != 0)
		return r;
	if (o->workers == 1)
		return front_run(o, NULL, e);
	prepare(&c, o);
	r = run(&c, e);
	close_all(&c);
	return r;
}
