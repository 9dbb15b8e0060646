/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan.c - What happens in a run, all of it from one seed
 *
 * The profile says what can go wrong; how bad it is, and everything else, is
 * drawn. Connections are drawn one after the other, so that a change of one kind
 * of fault does not change the others more than it must.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define HEAL_WAIT                                                              \
	(5 * NS_PER_SEC) /* from the last fault to what must be exact */
/* Where there is room for a few flows only: the old ones are forgotten first. */
#define SCARCE_APART (3 * NS_PER_SEC)

/* .least is of healthy, healed, differing, resumed, zero windows, resets, orders
 * judged: see marks.c.
 */
static const struct profile profiles[] = {
	{ .name = "clean",
	  .differ = true,
	  .least = { 7500, 1900, 1000, 0, 0, 0, 66000 } },
	{ .name = "net",
	  .net = true,
	  .differ = true,
	  .least = { 6900, 1900, 1000, 0, 30, 0, 60000 } },
	{ .name = "mirror",
	  .mirror = true,
	  .least = { 6400, 1900, 0, 50, 0, 70, 49000 } },
	{ .name = "sut",
	  .sut = true,
	  .net = true,
	  .least = { 3700, 1900, 0, 450, 90, 800, 60000 } },
	{ .name = "aborts",
	  .aborts = true,
	  .net = true,
	  .reuse = true,
	  .least = { 3700, 1900, 0, 0, 30, 750, 53000 } },
	{ .name = "reuse",
	  .reuse = true,
	  .differ = true,
	  .least = { 6200, 1900, 950, 0, 0, 0, 65000 } },
	{ .name = "scarce",
	  .scarce = true,
	  .net = true,
	  .aborts = true,
	  .least = { 0, 1900, 0, 150, 20, 2500, 53000 } },
	{ .name = "lossy",
	  .mirror = true,
	  .net = true,
	  .differ = true,
	  .lossy = true,
	  .least = { 1600, 1900, 350, 750, 40, 1000, 13000 } },
	{ .name = "keep",
	  .keep = true,
	  .differ = true,
	  .least = { 7500, 1900, 1400, 6500, 0, 6500, 95000 } },
	{ .name = "writes",
	  .writes = true,
	  .net = true,
	  .differ = true,
	  .least = { 8000, 1900, 1000, 5500, 0, 8000, 23000 } },
	{ .name = "all",
	  .net = true,
	  .mirror = true,
	  .sut = true,
	  .aborts = true,
	  .reuse = true,
	  .differ = true,
	  .least = { 1400, 1900, 700, 450, 95, 1500, 34000 } },
};

#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

const struct profile *profile_of(unsigned i)
{
	return i < PROFILES ? &profiles[i] : NULL;
}

static bool one_in(struct rng *r, uint32_t n)
{
	return rng_below(r, n) == 0;
}

static uint64_t ms(struct rng *r, uint32_t n)
{
	return rng_below(r, n * 1000) * NS_PER_US;
}

struct tcp_cfg plan_cfg(struct rng *r)
{
	static const uint16_t mss[] = {
		1460, 1460, 1460, 1400, 1220, 536, 300
	};
	struct tcp_cfg c = { .has = HAS_MSS };

	c.mss = mss[rng_below(r, 7)];
	if (!one_in(r, 5))
		c.has |= HAS_WSCALE;
	if (!one_in(r, 5))
		c.has |= HAS_TS;
	if (!one_in(r, 5))
		c.has |= HAS_SACK_OK;
	if (one_in(r, 20))
		c.has &= (uint8_t)~HAS_MSS;
	c.wscale = c.has & HAS_WSCALE ? (uint8_t)rng_below(r, 16) : 0;
	c.nagle = one_in(r, 2);
	c.cut = one_in(r, 4);
	c.fin_rides = one_in(r, 2);
	c.probe_byte = one_in(r, 3);
	c.tso = one_in(r, 2) ? 1 : (uint8_t)(1 + rng_below(r, 44));
	c.rcvbuf = one_in(r, 4) ? 2000 + rng_below(r, 8000)
				: 30000 + rng_below(r, 300000);
	c.delack = (1 + rng_below(r, 40)) * NS_PER_MS;
	c.keepalive = one_in(r, 8)
			      ? (1 + rng_below(r, 5)) *
					(NS_PER_SEC / (one_in(r, 2) ? 1 : 5))
			      : 0;
	if ((c.has & HAS_MSS) == 0)
		c.mss = 1460;
	return c;
}

static void plan_request(struct sim *s, struct request *q, bool last)
{
	struct rng *r = &s->rng;
	uint32_t big = one_in(r, 12) ? 60000 : one_in(r, 3) ? 5000 : 300;

	q->method =
		(uint8_t)(one_in(r, 3) ? 2 + rng_below(r, 2) : one_in(r, 10));
	q->size = 1 + rng_below(r, big);
	big = one_in(r, 12) ? 100000 : one_in(r, 3) ? 8000 : 400;
	q->answer_size = 1 + rng_below(r, big);
	q->answer = one_in(r, 3)    ? ANSWER_CHUNKED
		    : one_in(r, 12) ? ANSWER_NO_BODY
				    : ANSWER_LENGTH;
	if (last && one_in(r, 8))
		q->answer = ANSWER_UNTIL_FIN;
	q->pieces = (uint8_t)(one_in(r, 4) ? 1 + rng_below(r, 6) : 1);
	q->think = one_in(r, 3) ? ms(r, 60) : 0;
	if (one_in(r, 40))
		q->think = ms(r, 4000);
	q->service[0] = one_in(r, 2) ? ms(r, 20) : 0;
	q->service[1] = one_in(r, 2) ? ms(r, 20) : 0;
	if (one_in(r, 30))
		q->service[one_in(r, 2)] = ms(r, 1500);
	q->pace = ms(r, 5);
	if (!s->profile->differ || !one_in(r, 12))
		return;
	q->differ = (uint8_t)rng_below(r, DIFFER_COUNT);
	if ((q->method == 1 || q->answer == ANSWER_NO_BODY) &&
	    (q->differ == DIFFER_BODY || q->differ == DIFFER_LENGTH))
		q->differ = DIFFER_HEADER;
	if (q->answer == ANSWER_NO_BODY && q->differ == DIFFER_STATUS)
		q->differ = DIFFER_HEADER;
	if (q->differ == DIFFER_CHUNK &&
	    (q->answer != ANSWER_CHUNKED || q->method == 1))
		q->differ = DIFFER_NOT;
}

static void plan_end(struct sim *s, struct conn *c)
{
	static const uint8_t quiet[] = { END_CLIENT_FIN, END_CLIENT_FIN,
					 END_HALF_CLOSE, END_PROD_FIN };
	struct rng *r = &s->rng;

	c->ending = quiet[rng_below(r, 4)];
	if (s->profile->aborts && one_in(r, 2))
		c->ending = (uint8_t)rng_below(r, END_COUNT);
	if (c->ending == END_HALF_CLOSE && c->n == 0)
		c->ending = END_CLIENT_FIN;
	c->end_after = rng_below(r, c->n + 1);
	c->end_delay = one_in(r, 3) ? 0 : ms(r, one_in(r, 8) ? 3000 : 30);
	if (s->profile->sut && one_in(r, 4))
		c->fault = (uint8_t)(1 + rng_below(r, FAULT_COUNT - 1));
	if (s->profile->net && one_in(r, 30))
		c->fault = FAULT_STALL;
}

static void plan_conn(struct sim *s, uint32_t id)
{
	struct rng *r = &s->rng;
	struct conn *c = sim_alloc(sizeof(*c));
	unsigned ports = s->profile->reuse ? 1 : PORTS;

	s->conn[id] = c;
	c->sim = s;
	c->id = id;
	c->whole = true;
	c->client = rng_below(r, s->profile->reuse ? 6 : CLIENTS);
	c->port = (uint16_t)(CLIENT_PORT + rng_below(r, ports));
	c->start = 3 * NS_PER_SEC / 2 + ms(r, s->conns * 25);
	c->n = one_in(r, 12)   ? 0
	       : one_in(r, 12) ? 1 + rng_below(r, REQ_MAX)
			       : 1 + rng_below(r, 5);
	c->depth = one_in(r, 4) ? 1 + rng_below(r, 6) : 1;
	c->slow = one_in(r, 12);
	for (uint32_t k = 0; k < c->n; k++)
		plan_request(s, &c->r[k], k + 1 == c->n);
	plan_end(s, c);
	c->c.cfg = plan_cfg(r);
	if (c->slow && one_in(r, 2))
		c->c.cfg.rcvbuf = 3000;
	c->p.cfg = plan_cfg(r);
	c->c.sim = c->p.sim = s;
	c->c.conn = c->p.conn = c;
	c->c.side = SIDE_CLIENT;
	c->p.side = SIDE_PROD;
}

/* After the last fault: nobody does anything but talk, and the wait for a SUT that
 * was mute is over.
 */
static void plan_healed(struct sim *s, uint32_t id)
{
	static const uint8_t quiet[] = { END_CLIENT_FIN, END_HALF_CLOSE,
					 END_PROD_FIN };
	struct rng *r = &s->rng;
	struct conn *c;

	plan_conn(s, id);
	c = s->conn[id];
	c->healed = true;
	c->fault = FAULT_NONE;
	c->start = s->heal_at + HEAL_WAIT + ms(r, s->conns * 25);
	if (s->profile->scarce)
		c->start += s->cfg.shadow.idle +
			    ((id - s->opt->conns) * SCARCE_APART);
	if (c->ending != END_HALF_CLOSE || c->n == 0)
		c->ending = quiet[2 * rng_below(r, 2)];
}

static void plan_links(struct sim *s)
{
	struct rng *r = &s->rng;

	for (int i = 0; i < LINK_COUNT; i++) {
		struct link *l = &s->link[i];

		l->delay = 20 * NS_PER_US + ms(r, one_in(r, 4) ? 40 : 2);
		l->jitter = ms(r, 1) / 4;
		l->swap_by = ms(r, 8);
	}
	s->link[LINK_MIRROR].delay = 5 * NS_PER_US;
	s->link[LINK_MIRROR].jitter = 0;
	s->link[LINK_U_S].delay = 10 * NS_PER_US + ms(r, 1);
	s->link[LINK_S_U].delay = 10 * NS_PER_US + ms(r, 1);
	for (int i = 0; s->profile->net && i < LINK_MIRROR; i++) {
		struct link *l = &s->link[i];

		l->lose = one_in(r, 3) ? 0 : rng_below(r, 1300);
		l->swap = one_in(r, 3) ? 0 : rng_below(r, 1300);
		l->twice = one_in(r, 3) ? 0 : rng_below(r, 1300);
	}
	if (!s->profile->mirror)
		return;
	s->link[LINK_MIRROR].lose =
		one_in(r, 4) ? 0 : rng_below(r, one_in(r, 3) ? 4000 : 400);
	s->link[LINK_MIRROR].swap = one_in(r, 3) ? 0 : rng_below(r, 1300);
	s->link[LINK_MIRROR].twice = one_in(r, 3) ? 0 : rng_below(r, 1300);
	if (!s->profile->lossy)
		return;
	/* 10 to 40 of 100, or few but for long at a time, or both. */
	if (!one_in(r, 3))
		s->link[LINK_MIRROR].lose = 6554 + rng_below(r, 19660);
	if (one_in(r, 2))
		return;
	s->blind_every = ms(r, 4000) + 100 * NS_PER_MS;
	s->blind_for = one_in(r, 3) ? ms(r, 3000) : ms(r, 50);
}

static void plan_engine(struct sim *s)
{
	struct engine_config *c = &s->cfg;
	struct rng *r = &s->rng;

	engine_defaults(c);
	if (s->profile->writes)
		memcpy(c->methods, SIM_METHODS, sizeof(SIM_METHODS));
	c->limits.flows = s->profile->scarce ? 8 + rng_below(r, 24) : 1024;
	c->limits.pool = s->profile->scarce ? BUF_TOP : 16u * BUF_TOP;
	c->limits.flow_share = s->profile->scarce ? BUF_TOP / 8 : 4u * BUF_TOP;
	c->limits.frags = 4;
	c->shadow.gso = !one_in(r, 3);
	c->shadow.timing = one_in(r, 8);
	c->shadow.order_captured = one_in(r, 8);
	c->shadow.idle = 150 * NS_PER_SEC;
	c->shadow.delay = SHADOW_DELAY;
	c->compare = one_in(r, 4) ? COMPARE_IDENTICAL : COMPARE_EQUIVALENT;
	if (s->opt->compare >= 0)
		c->compare = (enum compare_level)s->opt->compare;
	c->seed = rng_next(r);
	c->key = (struct hash_key){ { rng_next(r), rng_next(r) } };
	c->prove_each = (c->seed & 1) != 0;
}

void plan_make(struct sim *s)
{
	unsigned n = (unsigned)(s->opt->seed % PROFILES);

	if (s->opt->profile >= 0)
		n = (unsigned)s->opt->profile;
	s->profile = &profiles[n];
	/* Mixed, or the next seed's numbers would be these, shifted by one. */
	s->rng.s = s->opt->seed ^ UINT64_C(0x5bf03635d78ea1c9);
	s->rng.s = rng_next(&s->rng);
	s->wire_rng.s = rng_next(&s->rng);
	s->now = NS_PER_SEC;
	s->v6 = one_in(&s->rng, 3);
	s->tick = one_in(&s->rng, 3) ? 1000 : 1000 + ms(&s->rng, 2);
	s->unsent = s->profile->net && one_in(&s->rng, 3)
			    ? rng_below(&s->rng, 600)
			    : 0;
	if (s->profile->sut && one_in(&s->rng, 4)) {
		s->mute_sut = true;
		s->mute_from = 2 * NS_PER_SEC + ms(&s->rng, 3000);
		s->mute_to = s->mute_from + ms(&s->rng, 30000);
	}
	if (s->profile->keep) {
		s->keep_max =
			one_in(&s->rng, 4) ? 0 : 1 + rng_below(&s->rng, 4);
		s->keep_said = s->keep_max > 0 && one_in(&s->rng, 2);
		s->keep_idle = one_in(&s->rng, 2) ? 1 + ms(&s->rng, 60) : 0;
	}
	s->stop_early = one_in(&s->rng, 16);
	s->stop_at = 3 * NS_PER_SEC / 2 + ms(&s->rng, s->opt->conns * 30);
	plan_links(s);
	plan_engine(s);
	s->conns = s->opt->conns;
	s->heal_at = UINT64_MAX;
	if (s->opt->heal) {
		s->conns += s->opt->conns / 3;
		s->heal_at = 2 * NS_PER_SEC + ms(&s->rng, s->opt->conns * 30);
		s->stop_early = false;
	}
	s->conn = sim_alloc(s->conns * sizeof(*s->conn));
	for (uint32_t i = 0; i < s->opt->conns; i++)
		plan_conn(s, i);
	for (uint32_t i = s->opt->conns; i < s->conns; i++)
		plan_healed(s, i);
	for (uint32_t i = 0; i < s->conns; i++)
		sim_at(s, s->conn[i]->start, EV_START, s->conn[i]);
}
