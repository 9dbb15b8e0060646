/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * maps - The tables of the program in the kernel, and how pairs come and go
 *
 * Theory of operation
 *
 * A place that a pair has left is taken again first, else the next one that was
 * never used. The pair is written before its tuples are, so that a packet which
 * finds a tuple finds its pair. What leaves goes the other way: first the
 * tuples, then the generation, then the place. Several may want to end the same
 * pair at once, on several processors; the one that moves the generation, under
 * the lock, gives the place back.
 *
 * TIMEWAIT has no timer: who enters it lets go of those that are due.
 *
 * Events lie in a ring until the library looks. To wake it for each would cost
 * more than what it does about them, so it is woken at most once in JOIN_PAUSE,
 * and looks once more when that has passed.
 */
#ifndef ROUTE_MAPS_H
#define ROUTE_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/dir.h"
#include "route/table.h"
#include "splice/begin.h"
#include "splice/cut.h"
#include "splice/head.h"
#include "splice/over.h"
#include "splice/pair.h"
#include "splice/quote.h"
#include "splice/state.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * JOIN_PAIRS);
	__type(key, struct splice_tuple);
	__type(value, struct join_end);
} join_ends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, JOIN_PAIRS);
	__type(key, uint32_t);
	__type(value, struct join_slot);
} join_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, JOIN_PAIRS);
	__type(value, uint32_t);
} join_free SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, JOIN_PAIRS);
	__type(value, struct join_name);
} join_timewait SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, JOIN_RING);
} join_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, JOIN_COUNTS);
	__type(key, uint32_t);
	__type(value, uint64_t);
} join_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct join_state);
} join_state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, JOIN_FORWARDS);
	__type(key, struct join_at);
	__type(value, struct join_forward);
} join_forwards SEC(".maps");

/* Connections of a server that were begun, by join_server.served. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, JOIN_SERVED);
	__type(key, uint32_t);
	__type(value, uint64_t);
} join_served SEC(".maps");

/* A packet while it is looked at. */
struct scratch {
	struct splice_head h;
	struct splice_segment s;
	struct splice_tuple t;
	struct splice_tuple server;
	struct join_end begun;
	struct splice_quote q;
	uint8_t answer[SPLICE_TOO_LONG_MAX];
	uint32_t total;
	uint32_t fault;
	uint32_t events;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct scratch);
} join_scratch SEC(".maps");

const volatile struct join_config join_config;

/* There are forwards. */
volatile uint32_t join_passes;

static __always_inline void count(uint32_t what)
{
	uint64_t *n = bpf_map_lookup_elem(&join_counts, &what);

	if (n)
		*n += 1;
}

static __always_inline struct join_state *state(void)
{
	uint32_t first = 0;

	return bpf_map_lookup_elem(&join_state, &first);
}

static __always_inline void tell(const struct join_end *e,
				 const struct splice_pair *p, uint32_t events,
				 uint64_t now)
{
	struct join_event v = { .name = e->name,
				.events = events,
				.dir = e->dir };
	uint64_t how = BPF_RB_NO_WAKEUP;
	struct join_state *s = state();

	for (int d = 0; d < DIR_COUNT; d++) {
		v.side[d].segments = p->side[d].segments;
		v.side[d].bytes = p->side[d].bytes;
		v.side[d].outside = p->side[d].outside;
		v.side[d].acked = p->side[d].acked;
	}
	/* Whose end it is can wait. Who makes sockets for what is behind a cut
	 * makes them now.
	 */
	if (s && events != JOIN_EV_OVER &&
	    ((p->flags & SPLICE_PAIR_CUT) || (events & SPLICE_EV_CUT) ||
	     now - s->woken >= JOIN_PAUSE)) {
		s->woken = now;
		how = BPF_RB_FORCE_WAKEUP;
	}
	if (bpf_ringbuf_output(&join_events, &v, sizeof(v), how))
		count(JOIN_NO_EVENT);
}

/* --- a pair comes --- */

/* A place for a new pair, and the name that it will have. */
static __always_inline struct join_slot *take_place(struct join_name *n)
{
	struct join_state *s = state();
	struct join_slot *slot;

	if (bpf_map_pop_elem(&join_free, &n->place)) {
		/* Several at once may count on beyond the last. */
		if (!s || s->used >= join_config.pairs)
			return NULL;
		n->place = __sync_fetch_and_add(&s->used, 1);
	}
	slot = bpf_map_lookup_elem(&join_slots, &n->place);
	if (slot)
		n->generation = slot->pair.generation + 1;
	return slot;
}

static __always_inline int put_end(const struct splice_tuple *t,
				   const struct join_name *n, enum dir d)
{
	struct join_end e = { .name = *n, .dir = d };
	struct splice_tuple key = *t;

	return bpf_map_update_elem(&join_ends, &key, &e, BPF_NOEXIST) != 0;
}

/* --- a pair goes: functions that the kernel looks at once, alone --- */

/* Take a tuple out, unless it is of a later pair by now. */
static __always_inline void forget_end(const struct splice_tuple *t,
				       const struct join_name *n)
{
	struct splice_tuple key = *t;
	struct join_end *e = bpf_map_lookup_elem(&join_ends, &key);

	if (e && e->name.place == n->place &&
	    e->name.generation == n->generation)
		bpf_map_delete_elem(&join_ends, &key);
}

/* Take both tuples of a pair out. Return: 0 */
__noinline int join_unlink(uint32_t place, uint32_t generation)
{
	struct join_name n = { .place = place, .generation = generation };
	struct join_slot *slot = bpf_map_lookup_elem(&join_slots, &place);

	if (!slot)
		return 0;
	forget_end(&slot->pair.side[DIR_C2S].tuple, &n);
	forget_end(&slot->pair.side[DIR_S2C].tuple, &n);
	return 0;
}

/* A pair that was made of a SYN has ended, or its handshake has. */
static __always_inline void account(uint32_t flags, uint32_t why)
{
	struct join_state *s = state();

	if (!s || !(flags & SPLICE_PAIR_SYN))
		return;
	__sync_fetch_and_sub(&s->syn_live, 1);
	if (flags & SPLICE_PAIR_OPENING)
		__sync_fetch_and_sub(&s->syn_opening, 1);
	if (why == SPLICE_IDLE)
		count(JOIN_SYN_IDLE);
	else if (why == SPLICE_HALF_CLOSED)
		count(JOIN_SYN_HALF_CLOSED);
	else if (why == SPLICE_NEVER_JOINED)
		count(JOIN_SYN_UNOPENED);
	else
		count(flags & SPLICE_PAIR_RESET ? JOIN_SYN_RESET
						: JOIN_SYN_CLOSED);
}

/* A pair goes. @why: enum splice_over; SPLICE_GOES_ON: the library knows it.
 * Return: 1: it has gone now; 0: it was gone
 */
__noinline int join_leave(uint32_t place, uint32_t generation, uint32_t why)
{
	struct join_slot *slot = bpf_map_lookup_elem(&join_slots, &place);
	struct join_end e = { .name = { place, generation }, .dir = why };
	uint32_t flags = 0;
	int ours = 0;

	if (!slot)
		return 0;
	join_unlink(place, generation);
	bpf_spin_lock(&slot->lock);
	if (slot->pair.generation == generation) {
		slot->pair.generation++;
		flags = slot->pair.flags;
		ours = 1;
	}
	bpf_spin_unlock(&slot->lock);
	if (!ours)
		return 0;
	account(flags, why);
	if (why != SPLICE_GOES_ON && !(flags & SPLICE_PAIR_SYN))
		tell(&e, &slot->pair, JOIN_EV_OVER, 0);
	bpf_map_push_elem(&join_free, &place, 0);
	return 1;
}

/* Return: 1 it is gone, 0 it is not due */
static __always_inline int reap_one(const struct join_name *n, uint64_t now)
{
	uint32_t place = n->place;
	struct join_slot *slot = bpf_map_lookup_elem(&join_slots, &place);

	/* Another pair's place by now, or a RST was not taken. */
	if (!slot || slot->pair.generation != n->generation ||
	    !splice_in_timewait(&slot->pair))
		return 1;
	if (!splice_due(&slot->pair, join_config.limits.timewait, now))
		return 0;
	if (join_leave(place, n->generation, SPLICE_DONE))
		count(JOIN_REAPED);
	return 1;
}

static __always_inline void reap(uint64_t now)
{
	for (int i = 0; i < JOIN_REAP; i++) {
		struct join_name n;

		if (bpf_map_pop_elem(&join_timewait, &n))
			return;
		if (!reap_one(&n, now)) {
			bpf_map_push_elem(&join_timewait, &n, 0);
			return;
		}
	}
}

/* What a pair's new state asks for. */
static __always_inline void follow(const struct join_name *name,
				   uint32_t events, uint64_t now)
{
	struct join_name n = *name;
	struct join_state *s;

	if (events & SPLICE_EV_REUSED)
		join_unlink(n.place, n.generation);
	if (events & SPLICE_EV_SETTLED) {
		s = state();
		if (s)
			__sync_fetch_and_sub(&s->syn_opening, 1);
	}
	if (events & (SPLICE_EV_TIMEWAIT | SPLICE_EV_RESET)) {
		if (bpf_map_push_elem(&join_timewait, &n, 0))
			count(JOIN_NO_QUEUE);
		reap(now);
	}
}

#endif /* ROUTE_MAPS_H */
