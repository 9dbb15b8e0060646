/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * note.c - Which pairs the library has, and what is to be told of them
 *
 * Theory of operation
 *
 * A pair's place in the router is free as soon as the program in the kernel
 * lets go of it, and may be another pair's before the caller has heard of that.
 * So a pair as the caller has it is no place: there are twice as many, and a
 * place knows who has it. A pair that is over is told of once more, and lasts
 * until the caller comes again.
 *
 * What is to be told is a bit a kind, not a queue: so there is always room for
 * it.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>

#include "core/limits.h"
#include "join/usplice_internal.h"

#define NOBODY UINT32_MAX

struct usplice_pair *pair_take(struct usplice *s)
{
	struct usplice_pair *p;

	if (!list_empty(&s->free)) {
		p = list_entry(s->free.next, struct usplice_pair, link);
		list_del(&p->link);
	} else if (s->used < s->n_pairs) {
		p = &s->pairs[s->used++];
	} else {
		return NULL;
	}
	memset(p, 0, sizeof(*p));
	p->s = s;
	list_init(&p->link);
	list_init(&p->late);
	p->fd[DIR_C2S] = p->fd[DIR_S2C] = -1;
	p->name.place = NOBODY;
	p->state = PAIR_INTENDED;
	s->live++;
	if (!s->ticking)
		tick_set(s, NS_PER_SEC);
	return p;
}

void pair_free(struct usplice_pair *p)
{
	struct usplice *s = p->s;

	assert(p->state != PAIR_FREE && s->live > 0);
	if (p->state != PAIR_OVER && pair_find(s, &p->name) == p)
		s->by_place[p->name.place] = NOBODY;
	list_del(&p->late);
	list_del(&p->link);
	p->state = PAIR_FREE;
	list_add_tail(&s->free, &p->link);
	s->live--;
}

void pair_named(struct usplice_pair *p, const struct join_name *name)
{
	struct usplice *s = p->s;
	uint32_t *at = &s->by_place[name->place];
	bool inside = s->inside;

	assert(name->place < s->o.pairs);
	/* That he is over was told, and not heard yet. */
	if (*at != NOBODY) {
		s->inside = true;
		pairs_told(s);
		s->inside = inside;
		if (!s->pausing)
			pause_set(s);
	}
	if (*at != NOBODY)
		pair_over(&s->pairs[*at], USPLICE_DONE);
	p->name = *name;
	*at = (uint32_t)(p - s->pairs);
}

struct usplice_pair *pair_find(struct usplice *s, const struct join_name *n)
{
	uint32_t i = n->place < s->o.pairs ? s->by_place[n->place] : NOBODY;

	if (i == NOBODY || s->pairs[i].name.generation != n->generation)
		return NULL;
	return &s->pairs[i];
}

void pair_note(struct usplice_pair *p, enum usplice_event what)
{
	assert(p->state != PAIR_FREE);
	p->notes |= (uint8_t)(1u << what);
	if (list_empty(&p->link))
		list_add_tail(&p->s->told, &p->link);
	if (p->s->inside)
		return;
	/* Whose end it is waits for nothing: with the next events. To let a
	 * timer run out at once costs more than all else of a connection.
	 */
	if (what != USPLICE_OVER)
		tick_set(p->s, 1);
	else if (!p->s->pausing)
		pause_set(p->s);
}

void pair_joined(struct usplice_pair *p)
{
	if (p->state != PAIR_PRE)
		return;
	if (p->has_cut)
		pre_measure(p);
	pre_close(p, true);
	p->state = PAIR_SPLICED;
	p->s->counters.spliced++;
	pair_note(p, USPLICE_SPLICED);
	if (p->has_cut)
		back_joined(p);
}

void pair_ending(struct usplice_pair *p, enum usplice_event what)
{
	assert(p->state == PAIR_SPLICED);
	back_drop(p);
	if (list_empty(&p->late))
		list_add_tail(&p->s->late, &p->late);
	pair_note(p, what);
}

void pair_over(struct usplice_pair *p, enum usplice_reason why)
{
	assert(p->state != PAIR_FREE && p->state != PAIR_OVER);
	if (p->state == PAIR_PRE)
		pre_close(p, false);
	else if (p->state == PAIR_SPLICED || p->state == PAIR_APART)
		back_drop(p);
	else
		pre_unwatch(p);
	p->notes &= (uint8_t) ~(1u << USPLICE_CONNECTED | 1u << USPLICE_CUT);
	p->s->by_place[p->name.place] = NOBODY;
	list_del(&p->late);
	p->state = PAIR_OVER;
	p->reason = (uint8_t)why;
	p->s->counters.over[why]++;
	pair_note(p, USPLICE_OVER);
}

int pair_read(struct usplice_pair *p)
{
	struct splice_pair pair;
	int rc = router_look(p->s->router, &p->name, &pair);

	if (rc != 0)
		return rc;
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		p->last.segments[d] = pair.side[d].segments;
		p->last.bytes[d] = pair.side[d].bytes;
		p->last.outside[d] = pair.side[d].outside;
		p->last.acked[d] = pair.side[dir_reverse(d)].acked;
	}
	return 0;
}

void pause_set(struct usplice *s)
{
	s->pausing = true;
	tick_set(s, JOIN_PAUSE);
}

void tick_set(struct usplice *s, uint64_t ns)
{
	struct itimerspec t = { .it_value = {
					.tv_sec = (time_t)(ns / NS_PER_SEC),
					.tv_nsec = (long)(ns % NS_PER_SEC) } };

	timerfd_settime(s->timer, 0, &t, NULL);
	s->ticking = ns != 0;
}
