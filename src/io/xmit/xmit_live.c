/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xmit_live.c - Send frames that the kernel makes itself (live frames of XDP)
 *
 * Theory of operation
 *
 * A thread sits in BPF_PROG_RUN, where the kernel makes frames and our program
 * (bpf/live_frames.bpf.c) writes over each the next one of a ring in shared
 * memory. This side only fills the ring: a copy, no system call. One run takes
 * 20 ms to begin and to end, so it is made once, with more repetitions than are
 * ever needed, and ended by a signal to the thread when the ring is empty.
 *
 * Frames that are sent again and again and have room in the ring are written
 * into it once; then this side only counts how many more may leave. The second
 * processor has nothing to do, and the first reads what stays in its cache.
 *
 * The kernel hands 64 frames at a time to the device. A device that is full
 * drops frames then, and nobody is told: only its own counter shows it, after
 * the run.
 *
 * Frames of two interfaces wait in different queues until the 64 are through,
 * and may overtake each other.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/xdplive.h"
#include "os/clock.h"
#include "xmit/xmit.h"

#define REPEAT	   (1u << 30)
#define FULL_PAUSE (300 * UINT64_C(1000)) /* half of the ring lasts longer */
#define HELD_LEAD  (1u << 16) /* held frames that may leave without us */
#define WAKE	   SIGUSR2    /* ends the thread's system call */

struct live_xmit {
	struct xmit x;
	struct xdplive live;
	pthread_t thread;
	bool running;
	_Atomic bool quit;
	_Atomic bool left;
	_Atomic int result;
	uint64_t tail;
	uint64_t head; /* as last read */
	bool held;
};

static struct live_xmit *of(struct xmit *x)
{
	/* It is the first member. */
	return (struct live_xmit *)(void *)x;
}

static void on_wake(int sig)
{
	(void)sig;
}

static void *runner(void *ctx)
{
	struct live_xmit *v = ctx;
	int rc = 0;

	while (!atomic_load(&v->quit) && (rc == 0 || rc == -EINTR))
		rc = xdplive_run(&v->live, REPEAT);
	if (rc != 0 && rc != -EINTR)
		atomic_store(&v->result, rc);
	atomic_store(&v->left, true);
	return NULL;
}

static int start(struct live_xmit *v)
{
	struct sigaction sa;
	sigset_t all, old;
	int rc;

	if (v->running)
		return 0;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_wake;
	sigemptyset(&sa.sa_mask);
	sigaction(WAKE, &sa, NULL);
	/* Other signals are for the main thread. */
	sigfillset(&all);
	sigdelset(&all, WAKE);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&v->thread, NULL, runner, v);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	v->running = rc == 0;
	return -rc;
}

static void end(struct live_xmit *v)
{
	if (!v->running)
		return;
	atomic_store(&v->quit, true);
	/* A signal that comes before the system call ends nothing: again. */
	while (!atomic_load(&v->left)) {
		pthread_kill(v->thread, WAKE);
		clock_pause(FULL_PAUSE);
	}
	pthread_join(v->thread, NULL);
	v->running = false;
}

static uint64_t load(const __u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* Wait until at most @rest frames are in the ring. */
static int wait_room(struct live_xmit *v, uint64_t rest)
{
	uint64_t since = clock_mono();
	uint64_t last = v->head;

	for (;;) {
		v->head = load(&v->live.control->head);
		if (v->tail - v->head <= rest)
			return 0;
		if (atomic_load(&v->result))
			return atomic_load(&v->result);
		if (v->head != last) {
			last = v->head;
			since = clock_mono();
		} else if (clock_mono() - since > XMIT_PATIENCE) {
			return -ETIMEDOUT;
		}
		clock_pause(FULL_PAUSE);
	}
}

static void put(struct live_xmit *v, uint64_t at, const struct xmit_frame *f)
{
	struct live_slot *s = &v->live.slot[at];

	s->len = f->len;
	s->port = f->port;
	memcpy(s->data, f->data, f->len);
}

static void publish(struct live_xmit *v)
{
	__atomic_store_n(&v->live.control->tail, v->tail, __ATOMIC_RELEASE);
}

static int live_hold(struct xmit *x, const struct xmit_frame *f, size_t n)
{
	struct live_xmit *v = of(x);

	if (n == 0 || n > LIVE_SLOTS)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		if (f[i].len > LIVE_DATA_MAX || f[i].gso > 0)
			return -EMSGSIZE;
	for (size_t i = 0; i < n; i++)
		put(v, i, &f[i]);
	v->live.control->wrap = n;
	v->held = true;
	return 0;
}

static int live_send(struct xmit *x, const struct xmit_frame *f, size_t n)
{
	struct live_xmit *v = of(x);
	uint64_t lead = v->held ? HELD_LEAD : LIVE_SLOTS;
	int rc = start(v);

	for (size_t i = 0; i < n && rc == 0 && !*x->stop; i++) {
		struct xmit_stats *st = &x->stats[f[i].port];

		if (f[i].len > LIVE_DATA_MAX || f[i].gso > 0) {
			st->failed++;
			st->error = -EMSGSIZE;
			continue;
		}
		if (v->tail - v->head == lead) {
			publish(v);
			rc = wait_room(v, lead / 2);
			if (rc)
				break;
		}
		if (!v->held)
			put(v, v->tail & (LIVE_SLOTS - 1), &f[i]);
		v->tail++;
		st->sent++;
		st->bytes += f[i].len;
	}
	publish(v);
	return rc;
}

static int live_flush(struct xmit *x)
{
	struct live_xmit *v = of(x);
	uint64_t bad;
	int rc = v->running ? wait_room(v, 0) : 0;

	end(v);
	/* Which interface the bad ones were for is not known. */
	bad = load(&v->live.control->bad);
	for (unsigned i = 0; i < x->ports; i++)
		x->stats[i].completed = x->stats[i].sent;
	x->stats[0].completed -= v->tail - load(&v->live.control->head) + bad;
	atomic_store(&v->quit, false);
	atomic_store(&v->left, false);
	return rc;
}

static void live_end(struct xmit *x)
{
	struct live_xmit *v = of(x);

	end(v);
	xdplive_close(&v->live);
	free(v);
}

static int possible(const struct xmit_opts *o, struct errbuf *e)
{
	for (unsigned i = 0; i < o->ports; i++)
		if (o->dev[i].redirect == 0)
			return errbuf_set(e, -ENOTSUP,
					  "%s takes no frames from XDP (of a "
					  "veth pair the other end needs GRO "
					  "or an XDP program)",
					  o->dev[i].name);
	if (o->ports > 1 && !o->any_order)
		return errbuf_set(e, -ENOTSUP,
				  "live frames of two interfaces overtake each "
				  "other; if that may be, give --any-order");
	if (o->qdisc)
		return errbuf_set(e, -ENOTSUP,
				  "live frames go round the queueing "
				  "discipline");
	return 0;
}

int xmit_live_open(struct xmit **out, const struct xmit_opts *o,
		   struct errbuf *e)
{
	static const struct xmit_ops ops = {
		.name = "live",
		.hold = live_hold,
		.send = live_send,
		.flush = live_flush,
		.close = live_end,
	};
	int index[XMIT_PORTS] = { o->dev[0].index, o->dev[1].index };
	int rc = possible(o, e);
	struct live_xmit *v;

	if (rc)
		return rc;
	v = calloc(1, sizeof(*v));
	if (!v)
		return errbuf_set(e, -ENOMEM, "no memory");
	v->x = (struct xmit){ .ops = &ops, .stop = o->stop, .ports = o->ports };
	memcpy(v->x.dev, o->dev, sizeof(v->x.dev));
	rc = xdplive_open(&v->live, index, o->ports, e);
	if (rc) {
		free(v);
		return rc;
	}
	*out = &v->x;
	return 0;
}
