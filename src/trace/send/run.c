/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - Frames leave when they are due
 *
 * Theory of operation
 *
 * First what needs privileges: files, interfaces, engines. Then the privileges
 * go and a filter of system calls is laid, then the captures are read. Which
 * engine serves is decided when the frames are known; those that might were
 * opened before.
 *
 * The schedule is absolute: a frame is due at a time after the start, whatever
 * happened to those before it. Until @spin before that time the program
 * sleeps, from there on it watches the clock: waking up takes 50 us and more,
 * and varies. All frames that are due by then leave together; how late each one
 * was handed over goes into a histogram. A frame that is late is sent at once
 * and moves no other.
 *
 * After the last frame the interfaces are asked for their own counters. Drivers
 * refresh them at leisure, so they have SETTLE to come to what was sent.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/guard.h"
#include "core/limits.h"
#include "os/clock.h"
#include "os/confine.h"
#include "os/exitcode.h"
#include "os/log.h"
#include "os/privileges.h"
#include "os/usage.h"
#include "send/send.h"
#include "text/text.h"

#define TOP_SLICE    1024
#define TIMED_BATCH  64
#define LEAD	     (2 * NS_PER_MS) /* from the start to the first frame */
#define SETTLE	     (3 * NS_PER_SEC)
#define SETTLE_PAUSE (5 * NS_PER_MS)
#define LONG_SLEEP   (100 * NS_PER_MS) /* a signal is heard this soon */
#define LONG_WAIT    (5 * NS_PER_SEC)  /* for a frame: it is said */

/* The live engine takes 20 ms to start: it serves where a second's worth of
 * frames, at the speed of the next best engine, waits.
 */
#define LIVE_FRAMES	 1500000u
#define LIVE_FRAME_BYTES 2040u

volatile sig_atomic_t send_stopped;

static void on_signal(int sig)
{
	(void)sig;
	send_stopped = 1;
}

static void take_signals(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sigemptyset(&sa.sa_mask);
	/* No SA_RESTART: a sleep or a read of the user's answer ends. */
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}

/* --- opening --- */

static int open_device(struct send_run *r, unsigned i, struct errbuf *e)
{
	struct device *d = &r->dev[i];
	char text[GUARD_WHY_TEXT];
	struct guard_why why;
	int rc = device_ask(d, r->asker, r->o->ifname[i], e);

	if (rc)
		return rc;
	rc = guard_in_use(d->name, &why);
	if (rc)
		return errbuf_set(e, rc, "%s: %s", d->name, strerror(-rc));
	if (why.use != GUARD_FREE && !r->o->in_use)
		return errbuf_set(
			e, -EBUSY,
			"%s is in use (%s): what is sent there reaches "
			"others; if that is meant, give "
			"--onto-live-network",
			d->name, guard_why_text(&why, text));
	if (!d->ethernet)
		return errbuf_set(e, -ENOTSUP, "%s is no Ethernet interface",
				  d->name);
	if (!d->up)
		return errbuf_set(e, -ENETDOWN,
				  "%s is down, or its other end is: ip link "
				  "set %s up",
				  d->name, d->name);
	return 0;
}

/* Engines that may serve; the first is the one that always can. */
struct choice {
	struct xmit *x[SEND_LIVE + 1];
	struct errbuf no[SEND_LIVE + 1];
};

static void choice_close(struct choice *c, const struct xmit *but)
{
	for (int i = 0; i <= SEND_LIVE; i++)
		if (c->x[i] != but)
			xmit_close(c->x[i]);
}

static int open_engine(struct choice *c, enum send_engine k,
		       const struct xmit_opts *o)
{
	static int (*const open[])(struct xmit **, const struct xmit_opts *,
				   struct errbuf *) = {
		[SEND_PACKET] = xmit_packet_open,
		[SEND_GSO] = xmit_gso_open,
		[SEND_XDP] = xmit_xdp_open,
		[SEND_LIVE] = xmit_live_open,
	};

	return open[k](&c->x[k], o, &c->no[k]);
}

/* Frames that a device does not take are lost in silence, so where it cannot be
 * asked, live frames serve only on demand.
 */
static bool redirects(const struct send_run *r)
{
	for (unsigned i = 0; i < r->ports; i++)
		if (r->dev[i].redirect != 1)
			return false;
	return true;
}

static int open_engines(struct send_run *r, struct choice *c, struct errbuf *e)
{
	struct xmit_opts o = { .ports = r->ports,
			       .qdisc = r->o->qdisc,
			       .any_order = r->o->any_order,
			       .stop = &send_stopped };
	bool fast = r->o->pace.mode == PACE_TOP && !r->o->step;
	int rc;

	memcpy(o.dev, r->dev, sizeof(o.dev));
	if (r->o->engine != SEND_AUTO) {
		o.zero_copy = true;
		rc = open_engine(c, r->o->engine, &o);
		if (rc)
			errbuf_set(e, rc, "%s", c->no[r->o->engine].s);
		snprintf(r->why, sizeof(r->why), "asked for");
		return rc;
	}
	rc = open_engine(c, SEND_PACKET, &o);
	if (rc)
		return errbuf_set(e, rc, "%s", c->no[SEND_PACKET].s);
	if (!fast || o.qdisc)
		return 0;
	(void)open_engine(c, SEND_GSO, &o);
	errbuf_set(&c->no[SEND_LIVE], -ENOTSUP,
		   "the interface does not say that it takes live frames");
	if ((r->ports == 1 || o.any_order) && redirects(r))
		(void)open_engine(c, SEND_LIVE, &o);
	if (r->ports == 1)
		(void)open_engine(c, SEND_XDP, &o);
	return 0;
}

/* Captures are read under what all engines that may serve need; frames are sent
 * under what the one that does needs.
 */
static void say_needs(struct send_run *r, const struct choice *c)
{
	struct sandbox *s = &r->confine.box;

	_Static_assert((SEND_LIVE + 1) * XMIT_PORTS <= SANDBOX_SINKS,
		       "all have a place");
	memset(s, 0, sizeof(*s));
	s->needs = SANDBOX_RUN | SANDBOX_SEND;
	s->broker = -1;
	s->sink[s->sinks++] = r->asker;
	for (int i = 0; i <= SEND_LIVE; i++) {
		if (r->xmit && c->x[i] != r->xmit)
			continue;
		s->sinks += xmit_fds(c->x[i], s->sink + s->sinks);
		if (i == SEND_LIVE && c->x[i])
			s->needs |= SANDBOX_PROGRAM;
	}
}

/* All files are open: what reads the captures needs no other. */
static int confine_early(struct send_run *r, const struct choice *c,
			 struct errbuf *e)
{
	say_needs(r, c);
	r->confine.user = privileges_user(r->o->user);
	r->confine.early = SANDBOX_START;
	return confine(&r->confine, CONFINE_EARLY, e);
}

static uint64_t frames_to_come(const struct send_run *r)
{
	uint64_t n = r->feed.t[0].frames;
	uint64_t all = r->o->loops == 0 ? UINT64_MAX : r->o->loops * n;

	if (!r->feed.preload || (r->o->loops > 0 && all / r->o->loops != n))
		all = UINT64_MAX;
	return r->o->limit > 0 && r->o->limit < all ? r->o->limit : all;
}

/* Now the frames are known. Live frames take a fifth of the processor time that
 * AF_XDP takes, a seventh of sendmmsg's, and 10 ms more to start; from some ten
 * thousand frames on they are the first to be done (test/bench/README.md). So
 * they serve where a second's worth is to be sent, and the interface says that
 * it takes them.
 */
static enum send_engine choose(struct send_run *r, struct choice *c)
{
	const struct trace *t = &r->feed.t[0];
	uint64_t n = frames_to_come(r);
	uint32_t longest = r->feed.preload ? t->longest : r->load.mtu + 18;
	char *why = r->why;
	size_t size = sizeof(r->why);

	if (c->x[SEND_GSO] && (t->supers > 0 || !r->feed.preload)) {
		snprintf(why, size, "the interface cuts super-frames itself");
		return SEND_GSO;
	}
	if (c->x[SEND_LIVE] && n >= LIVE_FRAMES &&
	    longest <= LIVE_FRAME_BYTES) {
		snprintf(why, size, "top speed, more than a second of it");
		return SEND_LIVE;
	}
	if (c->x[SEND_XDP] && longest <= XMIT_XDP_FRAME) {
		snprintf(why, size, "top speed; %s",
			 !c->x[SEND_LIVE]  ? c->no[SEND_LIVE].s
			 : n < LIVE_FRAMES ? "too short for live frames"
					   : "frames too long for live frames");
		return SEND_XDP;
	}
	snprintf(why, size, "%s",
		 r->o->pace.mode != PACE_TOP || r->o->step
			 ? "frames leave one by one"
		 : r->ports > 1 ? "top speed, order across two interfaces"
		 : r->o->qdisc	? "top speed, through the queueing discipline"
				: c->no[SEND_XDP].s);
	return SEND_PACKET;
}

static int open_all(struct send_run *r, struct choice *c, struct errbuf *e)
{
	int rc = 0;

	r->ports = r->o->ifname[1] ? 2 : 1;
	r->asker = device_socket();
	for (unsigned i = 0; i < r->ports && rc == 0; i++)
		rc = open_device(r, i, e);
	if (rc == 0)
		rc = load_open(&r->load, r->o, e);
	if (rc == 0)
		rc = open_engines(r, c, e);
	if (rc == -EPERM || rc == -EACCES) {
		size_t n = strlen(e->s);

		snprintf(e->s + n, sizeof(e->s) - n,
			 "; run it as root, or with CAP_NET_RAW");
	}
	if (rc == 0)
		rc = confine_early(r, c, e);
	if (rc < 0)
		return rc;
	r->load.mtu = r->dev[0].mtu;
	r->load.super_max = c->x[SEND_GSO] ? r->dev[0].super_max : 0;
	if (r->ports > 1 && r->dev[1].mtu < r->load.mtu)
		r->load.mtu = r->dev[1].mtu;
	if (r->ports > 1 && r->dev[1].super_max < r->load.super_max)
		r->load.super_max = r->dev[1].super_max;
	return feed_open(&r->feed, &r->load, e);
}

/* --- sending --- */

static bool over(struct send_run *r, uint64_t now)
{
	if (r->o->duration > 0 && now > r->begun &&
	    now - r->begun >= r->o->duration)
		return true;
	if (r->next_stats > 0 && now >= r->next_stats) {
		send_progress(r, now);
		r->next_stats = now + r->o->stats;
	}
	return send_stopped;
}

/* When what is @after behind @start is due: never, if that is beyond all time.
 */
static uint64_t due_at(uint64_t start, uint64_t after)
{
	return after > UINT64_MAX - start ? UINT64_MAX : start + after;
}

/* Say a long wait, and the next one if it is twice as long. */
static void say_wait(struct send_run *r, uint64_t wait)
{
	char t[TEXT_NUMBER];

	if (wait < LONG_WAIT || wait / 2 < r->wait_told)
		return;
	r->wait_told = wait;
	log_line(LOG_INFO,
		 "the next frame is due in %s; --maxsleep MS cuts such waits",
		 text_time(t, wait));
}

/* Return: the time, at least @due unless the run is over. */
static uint64_t wait_until(struct send_run *r, uint64_t due)
{
	uint64_t spin = r->spin;
	uint64_t now = clock_mono();

	if (due > now)
		say_wait(r, due - now);
	while (now < due && !over(r, now)) {
		uint64_t left = due - now;

		if (left > spin + LONG_SLEEP)
			clock_pause(LONG_SLEEP);
		else if (left > spin)
			clock_pause(left - spin);
		now = clock_mono();
	}
	return now;
}

/* -o: ask how many frames may go. Return: false at the end of the answers. */
static bool ask_user(struct send_run *r, const struct xmit_frame *f)
{
	char line[32];

	if (r->step_left > 0) {
		r->step_left--;
		return true;
	}
	fprintf(stderr,
		"next frame %llu, %u bytes, out of %s. How many shall be "
		"sent? [1] ",
		(unsigned long long)r->frames + 1, f->len,
		r->dev[f->port].name);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	r->step_left = strtoul(line, NULL, 10);
	if (r->step_left > 0)
		r->step_left--;
	return true;
}

static size_t allowed(const struct send_run *r, size_t n)
{
	uint64_t left;

	if (r->o->limit == 0)
		return n;
	left = r->o->limit - r->frames;
	return left < n ? (size_t)left : n;
}

/* -v: once they are handed over, so that no frame waits for its line. */
static void tell(const struct send_run *r, const struct trace *t, size_t from,
		 size_t n)
{
	for (size_t i = 0; r->o->verbose && i < n; i++)
		send_print(r, &t->frame[from + i],
			   t->base + t->frame[from + i].due);
}

static int play_fast(struct send_run *r, const struct trace *t)
{
	size_t n = allowed(r, t->frames);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i += TOP_SLICE) {
		size_t k = n - i < TOP_SLICE ? n - i : TOP_SLICE;

		if (over(r, clock_mono()))
			return 0;
		rc = xmit_send(r->xmit, t->frame + i, k);
		r->frames += k;
		tell(r, t, i, k);
	}
	return rc;
}

static int play_timed(struct send_run *r, const struct trace *t)
{
	size_t n = allowed(r, t->frames);
	const struct xmit_frame *f = t->frame;
	uint64_t start = r->begun + t->base;
	size_t i = 0;
	int rc = 0;

	while (i < n && rc == 0) {
		size_t j = i + 1;
		uint64_t now;

		if (r->o->step && !ask_user(r, &f[i])) {
			r->no_more = true;
			return 0;
		}
		now = r->o->step ? clock_mono()
				 : wait_until(r, due_at(start, f[i].due));
		if (over(r, now))
			return 0;
		while (!r->o->step && j < n && j - i < TIMED_BATCH &&
		       due_at(start, f[j].due) <= now)
			j++;
		for (size_t k = i; k < j && !r->o->step; k++)
			hist_add(&r->late, now - start - f[k].due);
		r->late_last = now - start - f[j - 1].due;
		rc = xmit_send(r->xmit, f + i, j - i);
		r->frames += j - i;
		tell(r, t, i, j - i);
		i = j;
	}
	return rc;
}

static int play(struct send_run *r, struct errbuf *e)
{
	bool fast = r->o->pace.mode == PACE_TOP && !r->o->step;
	struct trace *t;
	int rc = 0;

	r->begun = clock_mono() + (fast ? 0 : LEAD);
	if (r->o->stats > 0)
		r->next_stats = r->begun + r->o->stats;
	while (rc == 0 && !send_stopped &&
	       (r->o->limit == 0 || r->frames < r->o->limit)) {
		/* What waits points into the trace before. */
		rc = r->feed.preload && r->o->unique == 0 ? 0
							  : xmit_flush(r->xmit);
		t = feed_next(&r->feed);
		if (!t || rc)
			break;
		rc = fast ? play_fast(r, t) : play_timed(r, t);
		if (r->o->stats_loop)
			send_progress(r, clock_mono());
		if (r->no_more || over(r, clock_mono()))
			break;
	}
	if (rc == 0)
		rc = xmit_flush(r->xmit);
	r->ended = clock_mono();
	if (rc)
		return errbuf_set(e, rc, "sending ended: %s", strerror(-rc));
	if (r->feed.result)
		return errbuf_set(e, r->feed.result, "%s", r->feed.why.s);
	return 0;
}

/* --- the interfaces' own counters --- */

static void settle(struct send_run *r)
{
	uint64_t end = clock_mono() + SETTLE;
	bool equal;

	do {
		equal = true;
		for (unsigned i = 0; i < r->ports; i++) {
			r->counted[i] = device_count(&r->dev[i], r->asker,
						     &r->after[i]) == 0;
			if (r->counted[i] &&
			    r->after[i].tx_packets - r->before[i].tx_packets <
				    r->xmit->stats[i].sent)
				equal = false;
		}
		if (!equal)
			clock_pause(SETTLE_PAUSE);
	} while (!equal && clock_mono() < end);
}

int send_run(struct send_run *r, struct errbuf *e)
{
	struct choice c;
	int rc;

	memset(&c, 0, sizeof(c));
	take_signals();
	clock_precise();
	r->spin = r->o->spin != 0    ? r->o->spin
		  : usage_cpu_free() ? SEND_SPIN_WHOLE
				     : SEND_SPIN_SHORT;
	rc = open_all(r, &c, e);
	if (rc == 0) {
		enum send_engine k = r->o->engine != SEND_AUTO ? r->o->engine
							       : choose(r, &c);

		r->xmit = c.x[k];
		say_needs(r, &c);
		rc = confine(&r->confine, CONFINE_FINAL, e);
	}
	choice_close(&c, r->xmit);
	if (rc)
		return rc;
	if (r->feed.preload && r->o->unique == 0)
		xmit_hold(r->xmit, r->feed.t[0].frame, r->feed.t[0].frames);
	for (unsigned i = 0; i < r->ports; i++)
		(void)device_count(&r->dev[i], r->asker, &r->before[i]);
	r->cpu = usage_cpu();
	rc = play(r, e);
	r->cpu = usage_cpu() - r->cpu;
	settle(r);
	feed_close(&r->feed);
	return rc;
}
