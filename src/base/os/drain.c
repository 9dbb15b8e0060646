/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain.c - The writer's thread behind a ring
 *
 * Theory of operation
 *
 * The thread sleeps DRAIN_NAP when the ring is empty and is not woken: a
 * wake-up would be a system call by the packet thread, for nearly every packet
 * when traffic is light. The price is that a record is written up to DRAIN_NAP
 * late, and that the ring must hold what comes in that time.
 */
#include "os/drain.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DRAIN_NAP 2000000 /* ns */

struct drain {
	const struct drain_ops *ops;
	void *ctx;
	struct spsc *ring;
	void *memory;
	pthread_t thread;
	pthread_barrier_t begun;
	atomic_bool stop;
	atomic_bool ask;
};

static void *drain_run(void *arg)
{
	static const struct timespec nap = { .tv_nsec = DRAIN_NAP };
	struct drain *d = arg;
	const uint8_t *p;
	uint32_t len;
	bool stop, ask;

	pthread_barrier_wait(&d->begun);
	do {
		/* Before the ring: what was put before them is handled. */
		stop = atomic_load_explicit(&d->stop, memory_order_acquire);
		ask = atomic_exchange_explicit(&d->ask, false,
					       memory_order_acquire);
		p = spsc_peek(d->ring, &len);
		if (p) {
			for (; p; p = spsc_peek(d->ring, &len)) {
				d->ops->record(d->ctx, p, len);
				spsc_release(d->ring);
			}
			if (d->ops->idle)
				d->ops->idle(d->ctx);
		}
		if (ask && d->ops->asked)
			d->ops->asked(d->ctx);
		if (!stop)
			nanosleep(&nap, NULL);
	} while (!stop);
	if (d->ops->done)
		d->ops->done(d->ctx);
	return NULL;
}

static int start_thread(struct drain *d)
{
	sigset_t all, was;
	int r;

	pthread_barrier_init(&d->begun, NULL, 2);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	r = pthread_create(&d->thread, NULL, drain_run, d);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	/* What libc asks of the kernel for a new thread is behind it then: a
	 * sandbox that falls next need not let it through.
	 */
	if (r == 0)
		pthread_barrier_wait(&d->begun);
	return -r;
}

int drain_start(struct drain **out, size_t ring_bytes,
		const struct drain_ops *ops, void *ctx)
{
	size_t size = spsc_size(ring_bytes);
	struct arena a = { .size = size };
	struct drain *d;
	int r;

	if (size == 0)
		return -EINVAL;
	d = calloc(1, sizeof(*d));
	a.base = aligned_alloc(ARENA_ALIGN, size);
	if (!d || !a.base) {
		r = -ENOMEM;
		goto fail;
	}
	memset(a.base, 0, size);
	d->ops = ops;
	d->ctx = ctx;
	d->memory = a.base;
	r = spsc_init(&d->ring, &a, ring_bytes);
	if (r == 0)
		r = start_thread(d);
	if (r != 0)
		goto fail;
	*out = d;
	return 0;
fail:
	free(a.base);
	free(d);
	return r;
}

void drain_ask(struct drain *d)
{
	atomic_store_explicit(&d->ask, true, memory_order_release);
}

bool drain_stopping(const struct drain *d)
{
	return atomic_load_explicit(&d->stop, memory_order_relaxed);
}

struct spsc *drain_ring(struct drain *d)
{
	return d->ring;
}

void drain_stop(struct drain *d)
{
	atomic_store_explicit(&d->stop, true, memory_order_release);
	pthread_join(d->thread, NULL);
	pthread_barrier_destroy(&d->begun);
	free(d->memory);
	free(d);
}
