/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed.c - Frames that are ready before they are due
 *
 * Theory of operation
 *
 * Short captures, and all with -K, are loaded whole before the first frame is
 * sent: what is wrong with them is said before anything left, and a loop costs
 * nothing. Longer ones and pipes go through two traces of STREAM_BYTES: a
 * thread fills one while the other is sent. The two threads never touch the
 * same trace, and wait for each other under one lock.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/limits.h"
#include "os/clock.h"
#include "send/send.h"

#define STREAM_BYTES ((uint64_t)4 << 20)
#define STREAM_LIMIT                                                           \
	((size_t)64 << 20) /* 4 MB in frames of 14 bytes, and more */
#define PRELOAD_AUTO ((uint64_t)256 << 20) /* files up to this are loaded */

static size_t memory_limit(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);
	long size = sysconf(_SC_PAGESIZE);

	if (pages <= 0 || size <= 0)
		return (size_t)1 << 30;
	return (size_t)pages / 4 * 3 * (size_t)size;
}

static bool small(const struct loader *l)
{
	uint64_t sum = 0;
	struct stat st;

	for (uint32_t i = 0; i < l->o->files; i++) {
		if (fstat(l->in[i].fd, &st) || !S_ISREG(st.st_mode))
			return false;
		sum += (uint64_t)st.st_size;
	}
	return sum <= PRELOAD_AUTO;
}

static int preload(struct feed *f, struct errbuf *e)
{
	int rc;

	trace_init(&f->t[0], memory_limit());
	do {
		rc = load_fill(f->l, &f->t[0], UINT64_MAX, e);
	} while (rc > 0);
	f->l->passes = 1;
	return rc;
}

/* --- the thread --- */

/* Another pass over the files. Return: 1 there is one, 0, -Exxx */
static int next_pass(struct feed *f)
{
	const struct send_options *o = f->l->o;
	int rc;

	if ((o->loops > 0 && f->l->passes >= o->loops) ||
	    (o->limit > 0 && f->l->added >= o->limit))
		return 0;
	rc = load_again(f->l, &f->why);
	if (rc)
		return rc;
	pace_loop(&f->l->pace, o->loop_delay);
	f->l->passes++;
	return 1;
}

static int fill(struct feed *f, struct trace *t)
{
	const struct send_options *o = f->l->o;
	uint64_t pass;
	int rc;

	trace_clear(t);
	pass = f->l->passes - 1;
	rc = load_fill(f->l, t, STREAM_BYTES, &f->why);
	if (rc >= 0 && o->unique > 0)
		trace_shift(t, (uint32_t)(pass / o->unique));
	if (rc == 0)
		rc = next_pass(f);
	return rc;
}

static bool wait_empty(struct feed *f, unsigned at)
{
	bool go;

	pthread_mutex_lock(&f->lock);
	while (f->filled[at] != 0 && !f->stop)
		pthread_cond_wait(&f->turn, &f->lock);
	go = !f->stop;
	pthread_mutex_unlock(&f->lock);
	return go;
}

static void *reader(void *ctx)
{
	struct feed *f = ctx;
	unsigned at = 0;
	int rc = 1;

	while (rc > 0 && wait_empty(f, at)) {
		rc = fill(f, &f->t[at]);
		pthread_mutex_lock(&f->lock);
		f->filled[at] = rc > 0 ? 1 : 2;
		if (rc < 0)
			f->result = rc;
		pthread_cond_broadcast(&f->turn);
		pthread_mutex_unlock(&f->lock);
		at = 1 - at;
	}
	return NULL;
}

static int stream(struct feed *f, struct errbuf *e)
{
	int rc = 0;

	if (f->l->o->cache)
		rc = load_check(f->l, e);
	if (rc)
		return rc;
	for (unsigned i = 0; i < 2; i++)
		trace_init(&f->t[i], STREAM_LIMIT);
	f->l->passes = 1;
	rc = pthread_create(&f->thread, NULL, reader, f);
	if (rc)
		return errbuf_set(e, -rc, "no thread");
	f->running = true;
	return 0;
}

int feed_open(struct feed *f, struct loader *l, struct errbuf *e)
{
	memset(f, 0, sizeof(*f));
	f->l = l;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->turn, NULL);
	f->preload = l->o->preload || small(l);
	return f->preload ? preload(f, e) : stream(f, e);
}

/* --- the other side --- */

static struct trace *next_loop(struct feed *f)
{
	const struct send_options *o = f->l->o;
	struct trace *t = &f->t[0];

	if ((o->loops > 0 && f->loop == o->loops) || t->frames == 0)
		return NULL;
	if (f->loop > 0) {
		t->base += pace_end(&f->l->pace) + o->loop_delay;
		if (o->unique > 0 && f->loop % o->unique == 0)
			trace_shift(t, 1);
	}
	f->loop++;
	return t;
}

static struct timespec a_second_on(void)
{
	uint64_t t = clock_real() + NS_PER_SEC;

	return (struct timespec){ .tv_sec = (time_t)(t / NS_PER_SEC),
				  .tv_nsec = (long)(t % NS_PER_SEC) };
}

struct trace *feed_next(struct feed *f)
{
	struct trace *t = NULL;

	if (f->preload)
		return next_loop(f);
	pthread_mutex_lock(&f->lock);
	if (f->given) {
		bool last = f->filled[f->give] == 2;

		f->filled[f->give] = 0;
		f->give = 1 - f->give;
		f->given = false;
		pthread_cond_broadcast(&f->turn);
		f->stop |= last;
	}
	while (!f->stop && !send_stopped && f->filled[f->give] == 0) {
		struct timespec end = a_second_on();

		/* A pipe may bring nothing for long: a signal ends the wait. */
		pthread_cond_timedwait(&f->turn, &f->lock, &end);
	}
	f->stop |= send_stopped != 0;
	if (!f->stop) {
		t = &f->t[f->give];
		f->given = true;
	}
	pthread_mutex_unlock(&f->lock);
	return t;
}

void feed_close(struct feed *f)
{
	if (f->running) {
		struct timespec end = a_second_on();

		pthread_mutex_lock(&f->lock);
		f->stop = true;
		pthread_cond_broadcast(&f->turn);
		pthread_mutex_unlock(&f->lock);
		f->stuck = pthread_timedjoin_np(f->thread, NULL, &end) != 0;
	}
	f->running = false;
	if (f->stuck)
		return;
	trace_free(&f->t[0]);
	trace_free(&f->t[1]);
}
