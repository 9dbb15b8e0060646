/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wheel - Timers, hashed by expiry into a hierarchy of slots
 *
 * Adding, moving and deleting are O(1); the next expiry is found by bit maps.
 * The tick is WHEEL_TICK; a timer never fires before its time and at most one
 * tick after it, as far as the wheel is asked. Varghese and Lauck, "Hashed and
 * hierarchical timing wheels", 1987.
 */
#ifndef CORE_WHEEL_H
#define CORE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/list.h"

#define WHEEL_TICK   (UINT64_C(1) << 18) /* 262,144 ns */
#define WHEEL_BITS   6
#define WHEEL_SLOTS  (1u << WHEEL_BITS)
#define WHEEL_LEVELS 8 /* so that every uint64_t has a slot */
#define WHEEL_NEVER  UINT64_MAX

/**
 * struct timer - Link of a timer; embed it. Zero is not valid: timer_init()
 * @link:	Slot
 * @when:	Expiry in ns, valid while armed
 * @slot:	Level << WHEEL_BITS | index, or due: the wheel's own
 */
struct timer {
	struct list link;
	uint64_t when;
	uint16_t slot;
};

/**
 * struct wheel - All timers of one machine
 * @tick:	Everything up to this tick has been handed out
 * @count:	Timers armed
 * @used:	Per level, bit i: slot i is not empty
 * @due:	Timers whose time has come and that wheel_pop() has not taken
 */
struct wheel {
	uint64_t tick;
	uint32_t count;
	uint64_t used[WHEEL_LEVELS];
	struct list due;
	struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

/** wheel_init() - Start an empty wheel at time @now (ns) */
void wheel_init(struct wheel *w, uint64_t now);

/** timer_init() - Make a timer that is not armed */
void timer_init(struct timer *t);

/** timer_armed() - Test whether @t is in a wheel */
static inline bool timer_armed(const struct timer *t)
{
	return !list_empty(&t->link);
}

/** wheel_arm() - Set @t to expire at @when (ns; in the past: due at once) */
void wheel_arm(struct wheel *w, struct timer *t, uint64_t when);

/** wheel_disarm() - Take @t out, if it is armed */
void wheel_disarm(struct wheel *w, struct timer *t);

/**
 * wheel_pop() - Take one timer whose time has come, earliest tick first
 *
 * Return: the timer, no longer armed; NULL: none is left whose time, rounded up
 * to a tick, is <= @now
 */
struct timer *wheel_pop(struct wheel *w, uint64_t now);

/**
 * wheel_next() - When wheel_pop() should be asked again
 *
 * Return: ns, never later than the next expiry plus one tick, perhaps earlier;
 * WHEEL_NEVER if no timer is armed, or only within a tick of the end of time
 */
uint64_t wheel_next(const struct wheel *w);

#endif /* CORE_WHEEL_H */
