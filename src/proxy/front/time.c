/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * time.c - Deadlines of connections
 */
#include "front/front_internal.h"

#define DUE_AT_ONCE 256 /* then descriptors have their turn */

void due_init(struct due *d, void (*run)(void *ctx), void *ctx)
{
	timer_init(&d->timer);
	d->run = run;
	d->ctx = ctx;
}

void due_at(struct front *f, struct due *d, uint64_t at)
{
	wheel_arm(&f->wheel, &d->timer, at);
}

void due_never(struct front *f, struct due *d)
{
	wheel_disarm(&f->wheel, &d->timer);
}

void due_run(struct front *f)
{
	uint64_t next;

	for (int i = 0; i < DUE_AT_ONCE; i++) {
		struct timer *t = wheel_pop(&f->wheel, f->now);
		struct due *d;

		if (!t)
			break;
		d = list_entry(t, struct due, timer);
		d->run(d->ctx);
	}
	/* To wake up for nothing now and then is cheaper than to set it back
	 * for each connection.
	 */
	next = wheel_next(&f->wheel);
	if (next < f->armed) {
		loop_set(&f->on_time, next);
		f->armed = next;
	}
}
