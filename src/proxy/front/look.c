/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look.c - What there is to show of a proxy, or of one of its workers
 */
#include "front/front_internal.h"

static void look_at_server(const struct front *f, unsigned i,
			   struct front_server *out)
{
	const struct servers *l = &f->servers[i / SERVERS_PLACES];
	const struct server *s = &l->s[i % SERVERS_PLACES];

	out->there = i % SERVERS_PLACES < l->n && !s->gone;
	if (!out->there)
		return;
	out->ip = s->ip;
	out->port = s->port;
	out->n = s->n;
	out->n.passed = passing_passed(f, i / SERVERS_PLACES, s);
	out->g = (struct front_server_gauges){
		.users = s->users,
		.out = s->out,
		.drained = s->drained,
	};
}

void front_look(const struct front *f, struct front_state *s)
{
	s->n = *f->n;
	s->g = (struct front_gauges){
		.used = f->places.out,
		.copying = f->copies.out,
		.draining = f->stop_at != UINT64_MAX,
	};
	front_count(s);
	s->has_kernel =
		f->splicer && usplice_counters(f->splicer, &s->kernel) == 0;
	s->has_tap = f->tap;
	if (f->tap)
		tap_count(f->tap, &s->tap);
	for (unsigned i = 0; i < FRONT_SERVERS; i++)
		look_at_server(f, i, &s->server[i]);
}
