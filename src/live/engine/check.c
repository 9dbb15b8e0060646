/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - What holds of the engine between two calls
 */
#include <assert.h>

#include "engine/engine_internal.h"

static void check_reader(const struct engine *e, const struct flow *f)
{
	const struct reader *r = reader_of(f);
	const struct framer_ops *framer = read_framer(f);
	const struct exchange *newest = NULL;
	const struct exchange *x;
	uint32_t last = 0; /* mark of any of the three */

	assert(r->hand <= HAND_OVER && r->guessed < REASON_COUNT);
	assert(!r->taken_up || (f->w.flags & W_MID));
	assert(r->named || r->behind_first == 0);
	assert(f->want == 0);
	if (!framer || framer == &framer_quiet)
		assert(!(f->framing & (FRAMING_MARKED | FRAMING_RESTARTS)));
	assert(!(f->framing & FRAMING_MARKED) ||
	       (f->framing & (FRAMING_RESTARTS | FRAMING_C_TUNNEL)) ==
		       FRAMING_RESTARTS);
	assert(!(f->framing & FRAMING_SUT_CHOSE) || framer == &framer_quiet);
	assert(!(r->flags & R_IS_TLS) || framer);
	assert(!(r->flags & R_SPOKE_P) || stream_has(&f->w.p, STREAM_ON));
	assert(r->hand == HAND_OVER || r->ts_hand == 0 || r->hand != HAND_NONE);
	assert(r->quiet_s <= e->now);
	for (int who = 0; who < WHO_COUNT; who++)
		last = seq_lt(last, f->x.marks[who]) ? f->x.marks[who] : last;
	assert(r->guessed == 0 || r->guessed_from <= last + 1);
	assert(!(r->flags & R_ENDED_P) || stream_has(&f->w.p, STREAM_ENDED));
	assert(!(r->flags & R_ENDED_S) || f->leg.state == LEG_NONE ||
	       stream_has(&f->leg.s, STREAM_ENDED));
	assert(!(r->flags & R_MOVE_S) || seq_le(r->moves_at, f->leg.snd_nxt));
	assert(f->due[DUE_QUIET] == WHEEL_NEVER ||
	       f->due[DUE_QUIET] <= e->now + QUIET_WAIT);
	assert(r->behind_first < f->id);
	/* The newest message of the client's, if it is here yet. */
	for (x = f->x.head; x != NULL; x = x->next)
		if (x->flags & X_C_BEGUN)
			newest = x;
	assert(!newest || newest->c_ack == r->begun_ack);
	for (x = f->x.head; x != NULL; x = x->next) {
		assert(x->spoilt < REASON_COUNT);
		assert(!(x->flags & X_JUDGED) || (x->waited != 0 && !x->cmp));
	}
}

/* Segments of production's that wait for their client. */
static void check_early(const struct engine *e)
{
	for (uint32_t i = 0; i < e->early.n; i++) {
		const struct early_flow *f = &e->early.flow[i];
		uint32_t n = 0;

		for (const struct buf *fr = f->head; fr != NULL; fr = fr->next)
			n++;
		assert(n == f->n && n > 0 && f->since <= e->now);
		assert(i == 0 || e->early.flow[i - 1].since <= f->since);
	}
}

/* Every verdict, a baseline's too, left as a record, or was refused. */
static void check_records(const struct engine_stats *st)
{
	uint64_t left = st->records.put;
	uint64_t verdicts = 0;

	for (int v = 0; v < VERDICT_COUNT; v++) {
		uint64_t all = 0, apart = 0;

		for (int m = 0; m < MAP_MAX; m++) {
			all += st->map[m].verdict[v];
			apart +=
				st->map[m].baseline ? st->map[m].verdict[v] : 0;
		}
		left += st->records.refused[v];
		verdicts += all;
		assert(st->verdict[v] + apart == all);
		assert(st->records.refused[v] <= all);
	}
	assert(left == verdicts);
	assert(st->records.refused[VERDICT_DIFFERENT] <= st->count.events_lost);
}

/* Each map's SUT has a number, and the port of one of its maps. */
static void check_suts(const struct engine *e)
{
	for (uint32_t m = 0; m < e->cfg.maps; m++) {
		const struct engine_map *map = &e->cfg.map[m];

		assert(e->map_sut[m] < e->suts);
		assert(ipaddr_eq(&e->sut_ip[e->map_sut[m]], &map->sut));
	}
	for (uint32_t i = 0; i < e->suts; i++) {
		bool any = false;

		for (uint32_t m = 0; m < e->cfg.maps; m++) {
			const struct engine_map *map = &e->cfg.map[m];
			uint16_t port = map->sut_port != 0 ? map->sut_port
							   : map->prod_port;

			any |= e->map_sut[m] == i && e->sut_port[i] == port;
		}
		assert(any);
	}
}

void engine_check(struct engine *e)
{
	const struct flow *f;
	uint32_t at = 0;

	shadow_check(e->shadow, e->now);
	udp_check(e->udp, e->now);
	if (e->wire) {
		sutwire_check(e->wire, e->now);
		prove_check(e->prove, e->now);
	}
	while ((f = shadow_next_flow(e->shadow, &at)))
		check_reader(e, f);
	check_suts(e);
	check_records(&e->stats);
	assert(e->stepped <= e->now && e->sut_dropped <= e->now);
	assert(e->final <= e->now && e->early.n <= EARLY_FLOWS);
	check_early(e);
	assert(e->outside.n <= OUTSIDE_PORTS);
	assert(e->outside.full_until <= e->now + OUTSIDE_ANSWERS);
	for (uint32_t i = 0; i < e->outside.n; i++)
		assert(e->outside.port[i].at <= e->now);
}
