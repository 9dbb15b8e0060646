/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy.c - A connection whose bytes we carry
 *
 * Theory of operation
 *
 * How bytes go is carry's; here is when. One that could go on for ever waits in
 * front.busy for the others to have their turn.
 *
 * When both streams have ended, the connection is kept until the last bytes are
 * acked, so that the log can say what arrived; a reset is passed on as a reset.
 */
#include <sys/socket.h>

#include "core/limits.h"
#include "front/front_internal.h"
#include "front/request_internal.h"

#define ACKS_FIRST (5 * NS_PER_MS) /* until last acks are looked for, doubled */
#define ACKS_MOST  (NS_PER_SEC)	   /* up to this */

static struct copy *take(struct front *f)
{
	struct copy *k = stock_take(&f->copies);

	if (k && !k->made)
		carry_init(&k->carry);
	return k;
}

static uint8_t *memory_of(const struct front *f, const struct copy *k)
{
	size_t at = stock_index(&f->copies, k);

	return f->buffers + at * DIR_COUNT * CARRY_BUFFER;
}

/* Return: NULL: all are in use */
static struct copy *begin(struct conn *c)
{
	struct front *f = c->f;
	struct copy *k = take(f);

	if (!k)
		return NULL;
	k->made = true;
	k->c = c;
	k->active = f->now;
	k->outq_wait = 0;
	list_init(&k->busy);
	c->copy = k;
	return k;
}

bool copy_begin(struct conn *c)
{
	struct front *f = c->f;
	struct copy *k = begin(c);

	if (!k)
		return false;
	if (!carry_begin(&k->carry, c->fd, memory_of(f, k),
			 f->o->splice == SETUP_PIPE))
		f->n->unpiped++;
	c->state = CONN_COPY;
	return true;
}

uint8_t *copy_take(struct conn *c)
{
	struct copy *k = begin(c);

	if (!k)
		return NULL;
	(void)carry_begin(&k->carry, c->fd, memory_of(c->f, k), false);
	return memory_of(c->f, k);
}

void copy_end(struct conn *c)
{
	if (!c->copy)
		return;
	list_del(&c->copy->busy);
	carry_end(&c->copy->carry);
	stock_give(&c->f->copies, c->copy);
	c->copy = NULL;
}

void copy_close(struct front *f)
{
	for (uint32_t i = 0; i < f->copies.used; i++) {
		struct copy *k = stock_at(&f->copies, i);

		if (k->made)
			carry_close(&k->carry);
		k->made = false;
	}
}

/* --- the end --- */

static void over(struct conn *c, struct why end)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		c->bytes[d] = carry_acked(&c->copy->carry, d);
	conn_over(c, end);
}

static bool is_broken(const struct conn *c)
{
	return conn_error(c, DIR_C2S) != 0 || conn_error(c, DIR_S2C) != 0;
}

/* Both have ended: @c may be over then. */
static void wait_for_acks(struct conn *c)
{
	struct front *f = c->f;
	struct copy *k = c->copy;

	if (is_broken(c)) {
		over(c, WHY(f, ended_reset));
		return;
	}
	if (carry_all_acked(&k->carry)) {
		over(c, WHY(f, ended_closed));
		return;
	}
	if (f->now - k->active >= half_closed_limit(f->o)) {
		over(c, WHY(f, ended_half_closed));
		return;
	}
	k->outq_wait = k->outq_wait == 0	      ? ACKS_FIRST
		       : k->outq_wait < ACKS_MOST / 2 ? 2 * k->outq_wait
						      : ACKS_MOST;
	due_at(f, &c->work->due, f->now + k->outq_wait);
}

/* When it has been silent for too long. */
static uint64_t limit_of(const struct conn *c)
{
	const struct setup *o = c->f->o;

	return c->copy->active + (carry_half_closed(&c->copy->carry)
					  ? half_closed_limit(o)
					  : o->idle_timeout);
}

/* The limits move with each byte; the timer follows when it runs out. */
void copy_due(struct conn *c)
{
	struct front *f = c->f;

	if (c->state == CONN_CLOSE) {
		wait_for_acks(c);
		return;
	}
	if (f->now < limit_of(c)) {
		due_at(f, &c->work->due, limit_of(c));
		return;
	}
	over(c, carry_half_closed(&c->copy->carry) ? WHY(f, ended_half_closed)
						   : WHY(f, ended_idle));
}

void copy_run(struct conn *c)
{
	struct due *due = &c->work->due;
	struct copy *k = c->copy;
	bool moved;
	int rc;

	if (c->state == CONN_CLOSE) {
		wait_for_acks(c);
		return;
	}
	list_del(&k->busy);
	if (c->request) {
		request_run(c);
		return;
	}
	rc = carry_run(&k->carry, &moved);
	if (moved)
		k->active = c->f->now;
	if (rc < 0) {
		over(c, WHY(c->f, ended_reset));
	} else if (rc == CARRY_DONE) {
		c->state = CONN_CLOSE;
		wait_for_acks(c);
	} else if (rc == CARRY_MORE) {
		list_add_tail(&c->f->busy, &k->busy);
	} else if (limit_of(c) < due->timer.when || !timer_armed(&due->timer)) {
		due_at(c->f, due, limit_of(c));
	}
}
