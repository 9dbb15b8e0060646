/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - One run: the plan, the events, the end
 *
 * Time jumps from one event to the next. The run is over when nothing is under
 * way and the engine remembers no flow; it may take as long as its idle limit
 * and no longer (I24).
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define GIVE_UP	   (100 * NS_PER_SEC) /* of a client, then production */
#define GIVE_UP_P  (130 * NS_PER_SEC)
#define GIVE_UP_S  (250 * NS_PER_SEC)
#define IDLE_SLACK (30 * NS_PER_SEC)
#define STEPS_MOST UINT64_C(20000) /* events, for each connection */

static bool is_over(const struct tcp *t)
{
	return t->state == TCP_CLOSED || t->state == TCP_TIME_WAIT;
}

static uint32_t first_number(struct conn *c, const struct conn *old)
{
	struct rng *r = &c->sim->wire_rng;

	if (old != NULL)
		return old->c.max + 1000 + rng_below(r, 500000);
	/* On one port only, so that no two connections of a client overlap. */
	if (c->port == CLIENT_PORT && rng_below(r, 2) == 0)
		return UINT32_MAX - rng_below(r, 4000);
	return (uint32_t)rng_next(r);
}

static void start(struct conn *c)
{
	struct sim *s = c->sim;
	struct conn **slot = &s->slot[c->client][c->port - CLIENT_PORT];
	struct conn *old = *slot;

	if (old != NULL && !is_over(&old->c)) {
		sim_at(s, s->now + 20 * NS_PER_MS, EV_START, c);
		return;
	}
	if (old != NULL && (old->legs == NULL || !is_over(&old->legs->sut)))
		old->overtaken = true;
	c->slot_next = old;
	*slot = c;
	c->begun = true;
	tcp_connect(&c->c, first_number(c, old));
	sim_at(s, s->now + GIVE_UP, EV_APP, c);
	sim_at(s, s->now + GIVE_UP_P, EV_APP, c);
	c->start = s->now;
}

static void app(struct conn *c)
{
	uint64_t age = c->sim->now - c->start;

	if (age >= GIVE_UP)
		tcp_abort(&c->c);
	if (age >= GIVE_UP_P && c->p_used)
		tcp_abort(&c->p);
	app_client(c);
	app_prod(c);
}

static void leg(struct played *l)
{
	if (l->sut_used && !is_over(&l->sut) && l->snd_born != 0 &&
	    l->conn->sim->now >= l->snd_born + GIVE_UP_S) {
		l->sut.left_open = true;
		tcp_abort(&l->sut);
	}
	app_sut(l);
}

static void happen(struct sim *s, const struct event *e)
{
	switch (e->name) {
	case EV_TIMER:
		tcp_due(e->what);
		break;
	case EV_APP:
		app(e->what);
		break;
	case EV_LEG:
		leg(e->what);
		break;
	case EV_START:
		start(e->what);
		break;
	case EV_TURN:
		if (e->at == s->turn_at)
			house_turn(s);
		break;
	default:
		net_event(s, e);
		break;
	}
}

static bool is_done(struct sim *s)
{
	struct engine_occupancy o;

	if (s->stop_early && s->now >= s->stop_at)
		return true;
	if (s->others > 0 || s->mirror_n + s->sut_n > 0)
		return false;
	engine_occupancy(s->engine, s->now, &o);
	if (o.flows == 0)
		return true;
	if (s->now > s->last_frame + s->cfg.shadow.idle + IDLE_SLACK) {
		sim_fail(s, NULL, "I24: %u flows outlive the idle limit",
			 o.flows);
		return true;
	}
	return false;
}

bool sim_run(struct sim *s)
{
	struct event e;
	uint64_t most = STEPS_MOST * s->opt->conns;

	s->digest = s->emit_digest = UINT64_C(0xcbf29ce484222325);
	plan_make(s);
	for (unsigned i = 0; i < CLIENTS; i++) {
		s->at_sut[i] = sim_alloc(LEG_PORTS * sizeof(struct played *));
		s->server_of[i] =
			sim_alloc(LEG_PORTS * sizeof(struct played *));
	}
	house_open(s);
	while (!s->failed && !is_done(s) && sim_next(s, &e)) {
		s->now = e.at;
		happen(s, &e);
		if (most-- == 0)
			sim_fail(s, NULL,
				 "two ends answer each other for ever");
	}
	if (!s->failed)
		house_close(s);
	if (!s->failed)
		check_end(s);
	return !s->failed;
}

static void free_tcp(struct tcp *t, struct server *a)
{
	tcp_free(t);
	free(a->answer.p);
}

void sim_free(struct sim *s)
{
	struct event e;

	while (sim_next(s, &e))
		if (e.name <= EV_ANSWER)
			pkt_drop(e.what);
	for (uint32_t i = 0; i < s->mirror_n; i++)
		pkt_drop(s->mirror_q[i].p);
	for (uint32_t i = 0; i < s->sut_n; i++)
		pkt_drop(s->sut_q[i].p);
	for (uint32_t i = 0; i < s->sink.n; i++)
		pkt_drop(s->sink.wait[i]);
	while (s->legs != NULL) {
		struct played *l = s->legs;

		s->legs = l->all;
		free_tcp(&l->sut, &l->app);
		free(l);
	}
	for (uint32_t i = 0; i < s->conns; i++) {
		struct conn *c = s->conn[i];

		free_tcp(&c->p, &c->app);
		tcp_free(&c->c);
		free(c->cseg);
		free(c);
	}
	for (unsigned i = 0; i < CLIENTS; i++) {
		free(s->at_sut[i]);
		free(s->server_of[i]);
	}
	free(s->conn);
	free(s->heap);
	free(s->mirror_q);
	free(s->sut_q);
	free(s->arena.base);
	free(s->trace);
	free(s);
}
