/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health.c - Is a SUT up, and for how long was it not?
 *
 * Theory of operation
 *
 *	never --probe answered--> up
 *	up --RST to a SYN--> refusing --SYN,ACK--> up
 *	up --owes, and no payload for a whole wait--> silent --payload--> up
 *	any but never --probe lost--> unproved --probe answered--> up
 *
 * A SUT whose kernel acks while its server hangs is silent; what its kernel
 * says does not bring it back. Time down counts from when it owed what did not
 * come, not from when that was noticed.
 */
#include <string.h>

#include "engine/engine_internal.h"

void health_set(struct engine *e, uint8_t sut, enum health_state to,
		uint64_t since, const struct flow *f, const struct exchange *x)
{
	struct health *h = &e->stats.health[sut];
	bool back = health_is_down(h);
	struct engine_event ev;

	if (!health_turn(h, to, since, e->now))
		return;
	ev = event_of(e, EVENT_SUT_STATE);
	ev.state = to;
	ev.up = to == HEALTH_UP && back;
	ev.since = health_is_down(h) ? h->since : e->now;
	ev.sut = e->sut_ip[sut];
	ev.sut_port = e->sut_port[sut];
	if (f)
		event_tuple(e, &ev, f);
	if (x) {
		ev.index = x->index;
		ev.request_len = x->request_len;
		memcpy(ev.request, x->request, x->request_len);
	}
	event_put(e, &ev);
}

void health_probe(struct engine *e, uint8_t sut, bool ready)
{
	if (ready)
		health_set(e, sut, HEALTH_UP, e->now, NULL, NULL);
	else if (health_was_ready(&e->stats.health[sut]))
		health_set(e, sut, HEALTH_UNPROVED, e->now, NULL, NULL);
}

void health_heard(struct engine *e, uint8_t sut, bool payload, bool opened)
{
	struct health *h = &e->stats.health[sut];

	if (payload)
		h->heard = e->now;
	if ((h->state == HEALTH_SILENT && payload) ||
	    (h->state == HEALTH_REFUSING && (payload || opened)))
		health_set(e, sut, HEALTH_UP, e->now, NULL, NULL);
}

/* The first request that is open yet. */
static const struct exchange *first_open(const struct flow *f)
{
	const struct exchange *x = f->x.head;

	while (x && (x->flags & X_JUDGED))
		x = x->next;
	return x;
}

void health_leg_over(struct engine *e, const struct flow *f)
{
	if (f->leg.end == FLOW_END_SUT_REFUSED)
		health_set(e, f->sut, HEALTH_REFUSING, e->now, f,
			   first_open(f));
}

void health_watch(struct engine *e)
{
	for (uint32_t i = 0; i < e->suts; i++)
		if (e->stats.health[i].state == HEALTH_UP &&
		    shadow_is_silent(e->shadow, (uint8_t)i))
			health_set(e, (uint8_t)i, HEALTH_SILENT,
				   shadow_silent_since(e->shadow, (uint8_t)i),
				   NULL, NULL);
}
