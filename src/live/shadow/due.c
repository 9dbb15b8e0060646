/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * due.c - A flow's deadlines, what it wants, and what is left over
 *
 * Theory of operation
 *
 * A flow has several deadlines and one timer in the wheel, armed for the
 * earliest. A deadline that is moved later or cleared does not touch the wheel:
 * when the timer fires, the flow looks at what is really due and arms it again.
 * So the idle limit costs nothing per segment (I26).
 *
 * What did not fit into a call's effects is due at once: the flow goes to the
 * end of the list of those, and shadow_timeout() serves them in turn. What the
 * machine wants its caller to look at waits in a list of its own.
 *
 * This file calls none of the others.
 */
#include "shadow/shadow_internal.h"

void due_set(struct shadow *s, struct flow *f, enum flow_due d, uint64_t when)
{
	f->due[d] = when;
	if (!timer_armed(&f->timer) || when < f->timer.when)
		wheel_arm(&s->wheel, &f->timer, when);
}

void due_clear(struct flow *f, enum flow_due d)
{
	f->due[d] = WHEEL_NEVER;
}

void want(struct shadow *s, struct flow *f, uint16_t bits)
{
	f->want |= bits;
	if (list_empty(&f->attention))
		list_add_tail(&s->attention, &f->attention);
}

void more_later(struct shadow *s, struct flow *f)
{
	s->count.effects_left_over++;
	if (list_empty(&f->more))
		list_add_tail(&s->more, &f->more);
}

struct flow *shadow_attention(struct shadow *s, uint16_t *bits)
{
	struct flow *f;

	if (list_empty(&s->attention))
		return NULL;
	f = list_entry(s->attention.next, struct flow, attention);
	list_del(&f->attention);
	*bits = f->want;
	f->want = 0;
	return f;
}

bool due_take(struct flow *f, enum flow_due d, uint64_t now)
{
	if (f->due[d] > now)
		return false;
	f->due[d] = WHEEL_NEVER;
	return true;
}

void due_rearm(struct shadow *s, struct flow *f)
{
	uint64_t first = WHEEL_NEVER;

	for (int d = 0; d < DUE_COUNT; d++)
		if (f->due[d] < first)
			first = f->due[d];
	if (first != WHEEL_NEVER)
		wheel_arm(&s->wheel, &f->timer, first);
}
