/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.c - A link: a token bucket, a queue of packets, a way
 *
 * Theory of operation
 *
 * As a shaper with a burst (HTB): `free` is the time at which the bucket would be
 * empty of debt; a packet leaves when its bytes have been earned, at once if the
 * bucket holds them. So a departure is known when the packet comes, and only
 * departures are kept to know how many queue. Jitter never lets one overtake another.
 * A link that others share stands behind theirs.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define QUEUE_RING 4096u

void link_open(struct link *l, const struct link_plan *p)
{
	memset(l, 0, sizeof(*l));
	l->plan = *p;
	l->leave = malloc(QUEUE_RING * sizeof(*l->leave));
	if (l->leave == NULL || p->queue >= QUEUE_RING)
		abort();
}

void link_close(struct link *l)
{
	free(l->leave);
	free(l->ring);
}

static void follow_steps(struct link *l, uint64_t now)
{
	while (l->step < l->plan.steps && l->plan.step[l->step].at <= now) {
		if (l->plan.step[l->step].rate != 0)
			l->plan.rate = l->plan.step[l->step].rate;
		l->step++;
	}
}

static bool is_down(const struct link *l)
{
	return l->step > 0 && l->plan.step[l->step - 1].down;
}

/* When these bytes have left; the bucket pays as much as it holds. */
static uint64_t leave_at(struct link *l, uint32_t size, uint64_t now)
{
	uint64_t credit = l->plan.burst * SEC / l->plan.rate;
	uint64_t least = now > credit ? now - credit : 0;

	if (l->free < least)
		l->free = least;
	l->free += size * SEC / l->plan.rate;
	return l->free > now ? l->free : now;
}

static struct flight *slot(struct link *l)
{
	if (l->n == l->cap) {
		uint32_t cap = l->cap == 0 ? 256 : 2 * l->cap;
		struct flight *ring = malloc(cap * sizeof(*ring));

		if (ring == NULL)
			abort();
		for (uint32_t i = 0; i < l->n; i++)
			ring[i] = l->ring[(l->head + i) % l->cap];
		free(l->ring);
		l->ring = ring;
		l->cap = cap;
		l->head = 0;
	}
	return &l->ring[(l->head + l->n++) & (l->cap - 1)];
}

uint8_t *link_send(struct link *l, struct rng *rng, uint32_t len, uint32_t over,
		   uint64_t now)
{
	struct flight *f;
	uint64_t at;

	follow_steps(l, now);
	while (l->q_n > 0 && l->leave[l->q_head % QUEUE_RING] <= now) {
		l->q_head++;
		l->q_n--;
	}
	if (l->q_n >= l->plan.queue) {
		l->drops++;
		return NULL;
	}
	at = leave_at(l, len + over, now);
	if (l->shared != NULL)
		at = leave_at(l->shared, len + over, at);
	l->leave[(l->q_head + l->q_n++) % QUEUE_RING] = at;
	l->bytes += len + over;
	if (is_down(l) ||
	    (l->plan.loss > 0 &&
	     (double)(rng_next(rng) >> 11) * 0x1p-53 < l->plan.loss)) {
		l->lost++;
		return NULL;
	}
	at += l->plan.delay;
	if (l->plan.jitter > 0)
		at += rng_next(rng) % l->plan.jitter;
	if (at < l->last)
		at = l->last;
	l->last = at;
	f = slot(l);
	f->at = at;
	f->len = len;
	return f->p;
}

uint64_t link_next(const struct link *l)
{
	return l->n == 0 ? UINT64_MAX : l->ring[l->head].at;
}

struct flight *link_take(struct link *l)
{
	struct flight *f = &l->ring[l->head];

	l->head = (l->head + 1) & (l->cap - 1);
	l->n--;
	return f;
}
