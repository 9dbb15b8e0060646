/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wheel.c - Timers in a hierarchy of slots
 *
 * Theory of operation
 *
 * A timer's tick is its time divided by WHEEL_TICK, rounded up. Ticks are
 * numbers of WHEEL_LEVELS digits to the base WHEEL_SLOTS. A timer lies at the
 * level of the highest digit in which its tick differs from the wheel's own, in
 * the slot of that digit's value. Hence, at every level, all used slots lie
 * above the wheel's own digit, all of a level come before any of the next, and
 * the first used slot of the lowest used level is the earliest there is: one
 * look at each bit map finds it.
 *
 * When the wheel's tick reaches the start of a slot of level 0, its timers are
 * due. At a higher level they are placed anew, by their lower digits, at lower
 * levels: at most WHEEL_LEVELS - 1 times in a timer's life. A jump over hours
 * visits only slots that are in use. The wheel moves only in wheel_pop(), and
 * only to the slot whose timers it hands out next, so that a timer armed
 * meanwhile still comes in its turn.
 */
#include "core/wheel.h"

#include <assert.h>
#include <stddef.h>

#define DUE UINT16_MAX /* timer.slot: it is in wheel.due */

#define TICKS (UINT64_MAX / WHEEL_TICK + 1) /* what no clock reaches */

static_assert(TICKS < UINT64_C(1) << (WHEEL_BITS * WHEEL_LEVELS),
	      "every time has a slot");

/* First tick at which a timer for @when may fire. */
static uint64_t tick_of(uint64_t when)
{
	return when / WHEEL_TICK + (when % WHEEL_TICK != 0);
}

/* Where a timer for @tick lies: level << WHEEL_BITS | index, or DUE. */
static uint16_t slot_of(const struct wheel *w, uint64_t tick)
{
	unsigned level;

	if (tick <= w->tick)
		return DUE;
	level = (63 - (unsigned)__builtin_clzll(tick ^ w->tick)) / WHEEL_BITS;
	return (uint16_t)(level << WHEEL_BITS |
			  (tick >> level * WHEEL_BITS & (WHEEL_SLOTS - 1)));
}

/* Find the earliest slot in use and the tick at which it starts. */
static bool first_slot(const struct wheel *w, uint16_t *slot, uint64_t *tick)
{
	for (unsigned l = 0; l < WHEEL_LEVELS; l++) {
		unsigned low = l * WHEEL_BITS;
		uint64_t high = w->tick >> low >> WHEEL_BITS;
		unsigned i;

		if (w->used[l] == 0)
			continue;
		i = (unsigned)__builtin_ctzll(w->used[l]);
		*slot = (uint16_t)(l << WHEEL_BITS | i);
		*tick = (high << WHEEL_BITS | i) << low;
		return true;
	}
	return false;
}

static void place(struct wheel *w, struct timer *t, uint16_t slot)
{
	unsigned level = slot >> WHEEL_BITS;
	unsigned i = slot & (WHEEL_SLOTS - 1);

	t->slot = slot;
	if (slot == DUE) {
		list_add_tail(&w->due, &t->link);
		return;
	}
	list_add_tail(&w->slot[level][i], &t->link);
	w->used[level] |= UINT64_C(1) << i;
}

static void unplace(struct wheel *w, struct timer *t)
{
	unsigned level = t->slot >> WHEEL_BITS;
	unsigned i = t->slot & (WHEEL_SLOTS - 1);

	list_del(&t->link);
	if (t->slot != DUE && list_empty(&w->slot[level][i]))
		w->used[level] &= ~(UINT64_C(1) << i);
}

void wheel_init(struct wheel *w, uint64_t now)
{
	*w = (struct wheel){ .tick = now / WHEEL_TICK };
	list_init(&w->due);
	for (unsigned l = 0; l < WHEEL_LEVELS; l++)
		for (unsigned i = 0; i < WHEEL_SLOTS; i++)
			list_init(&w->slot[l][i]);
}

void timer_init(struct timer *t)
{
	*t = (struct timer){ 0 };
	list_init(&t->link);
}

void wheel_arm(struct wheel *w, struct timer *t, uint64_t when)
{
	uint16_t slot = slot_of(w, tick_of(when));

	t->when = when;
	if (timer_armed(t)) {
		if (t->slot == slot)
			return;
		unplace(w, t);
	} else {
		w->count++;
	}
	place(w, t, slot);
}

void wheel_disarm(struct wheel *w, struct timer *t)
{
	if (!timer_armed(t))
		return;
	unplace(w, t);
	w->count--;
}

/* Move to the earliest slot in use, if it starts at @until or before. */
static bool advance(struct wheel *w, uint64_t until)
{
	struct list *head;
	uint64_t tick;
	uint16_t slot;

	if (!first_slot(w, &slot, &tick) || tick > until) {
		if (until > w->tick)
			w->tick = until;
		return false;
	}
	w->tick = tick;
	head = &w->slot[slot >> WHEEL_BITS][slot & (WHEEL_SLOTS - 1)];
	while (!list_empty(head)) {
		struct timer *t = list_entry(head->next, struct timer, link);

		unplace(w, t);
		place(w, t, slot_of(w, tick_of(t->when)));
	}
	return true;
}

struct timer *wheel_pop(struct wheel *w, uint64_t now)
{
	struct timer *t;

	while (list_empty(&w->due))
		if (!advance(w, now / WHEEL_TICK))
			return NULL;
	t = list_entry(w->due.next, struct timer, link);
	wheel_disarm(w, t);
	return t;
}

uint64_t wheel_next(const struct wheel *w)
{
	uint64_t tick;
	uint16_t slot;

	if (!list_empty(&w->due))
		return w->tick * WHEEL_TICK;
	if (!first_slot(w, &slot, &tick) || tick >= TICKS)
		return WHEEL_NEVER;
	return tick * WHEEL_TICK;
}
