/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.c - The way of one frame
 *
 * Theory of operation
 *
 * A frame's wire decides first whose it can be (I32): only the SUT's wire
 * yields segments of a SUT, only the mirror yields segments of clients and
 * production, whatever addresses they bear. On the mirror, the end that a --map
 * names is production; a frame that fits several maps has several legs (one to
 * many), each with a flow of its own. On the SUT's wire the guard (sutwire)
 * sees every frame first; what is left is a segment of a flow, or goes to the
 * outside and is absorbed and counted.
 *
 * Each call ends by attending to the flows that want something: a leg that
 * ended is judged, a hole is given up, a flow is freed. So there is one place
 * where a flow is freed, after everybody is done with it.
 */
#include "engine/engine.h"

#include <errno.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tally/tally.h"

#define FLOWS_DEFAULT 65536
#define POOL_DEFAULT  ((size_t)256 << 20)
#define SHARE_DEFAULT ((size_t)16 << 20)
#define FRAGS_DEFAULT 256
#define FRAGS_LEAST   16
#define PORT_PROBE    80 /* of a SUT where no --map names one */

static uint32_t frag_count(const struct engine_config *cfg)
{
	return cfg->limits.frags > FRAGS_LEAST ? cfg->limits.frags
					       : FRAGS_LEAST;
}

/* As many exchanges of datagrams as flows. */
static uint32_t datagram_count(const struct engine_config *cfg)
{
	uint32_t n = cfg->limits.flows;

	return n < DATAGRAMS_MAX ? n : DATAGRAMS_MAX;
}

void engine_defaults(struct engine_config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->limits.flows = FLOWS_DEFAULT;
	cfg->limits.pool = POOL_DEFAULT;
	cfg->limits.flow_share = SHARE_DEFAULT;
	cfg->limits.frags = FRAGS_DEFAULT;
	cfg->shadow.midstream = true;
	cfg->shadow.shed = true;
	cfg->shadow.gso = true;
	cfg->shadow.reorder_wait = SHADOW_REORDER;
	cfg->shadow.reopen = true;
	cfg->shadow.answer_wait = ANSWER_WAIT_LEAST;
	cfg->keep = KEEP_DEFAULT;
	cfg->refuse = true;
	cfg->ask_others = true;
	cfg->shadow.max_lag = SHADOW_MAX_LAG;
	cfg->shadow.sut_silent = SHADOW_SUT_SILENT;
	cfg->shadow.idle = SHADOW_IDLE;
	cfg->compare = COMPARE_EQUIVALENT;
	cfg->sample = SAMPLE_ALL;
}

size_t engine_size(const struct engine_config *cfg)
{
	uint32_t nets = gate_nets(cfg);

	return arena_need(sizeof(struct engine)) + arena_need(sutwire_size()) +
	       (nets > 0 ? prove_size(nets) : 0) +
	       (cfg->rate != 0 ? quota_size() : 0) +
	       frag_size(frag_count(cfg)) + early_size() +
	       spsc_size(RECORDS_ROOM) + refer_size(cfg) + given_size(cfg) +
	       beside_size(cfg) + shadow_size(&cfg->limits) +
	       udp_size(datagram_count(cfg));
}

/* Give every SUT's address a number. */
static void number_suts(struct engine *e)
{
	for (uint32_t m = 0; m < e->cfg.maps; m++) {
		const struct engine_map *map = &e->cfg.map[m];
		uint32_t i = 0;

		while (i < e->suts && !ipaddr_eq(&e->sut_ip[i], &map->sut))
			i++;
		if (i == e->suts) {
			e->sut_ip[i] = map->sut;
			e->sut_port[i] = map->sut_port != 0 ? map->sut_port
							    : map->prod_port;
			e->suts++;
		}
		e->map_sut[m] = (uint8_t)i;
	}
	e->stats.suts = e->suts;
	memcpy(e->stats.sut, e->sut_ip, sizeof(e->stats.sut));
}

uint16_t sut_probe_port(const struct engine *e, uint32_t sut)
{
	return e->sut_port[sut] != 0 ? e->sut_port[sut] : PORT_PROBE;
}

static int wire_init(struct engine *e, struct arena *a, uint64_t now)
{
	struct sutwire_sut sut[MAP_MAX];
	struct sutwire_cfg cfg = { .sut = sut,
				   .suts = e->suts,
				   .also = e->cfg.also,
				   .alsos = e->cfg.alsos,
				   .any = e->cfg.sut_any,
				   .ask = e->cfg.ask_others,
				   .seed = e->cfg.seed };

	memset(sut, 0, sizeof(sut));
	memcpy(cfg.mac, e->cfg.mac, ETH_LEN);
	for (uint32_t i = 0; i < e->suts; i++) {
		sut[i].ip = e->sut_ip[i];
		sut[i].port = sut_probe_port(e, i);
		sut[i].index = (uint8_t)i;
		sut[i].pinned = e->cfg.sut_pinned && e->suts == 1;
		memcpy(sut[i].mac, e->cfg.sut_mac, ETH_LEN);
	}
	return sutwire_init(&e->wire, a, &cfg, now);
}

int engine_init(struct engine **out, struct arena *a,
		const struct engine_config *cfg, uint64_t now)
{
	struct engine *e;
	int r;

	if (cfg->maps == 0 || cfg->maps > MAP_MAX || cfg->skips > SKIP_MAX ||
	    cfg->limits.flows == 0)
		return -EINVAL;
	if (a->size - a->used < engine_size(cfg))
		return -ENOMEM;
	e = arena_take(a, sizeof(*e));
	e->cfg = *cfg;
	e->cfg.shadow.strays =
		cfg->refuse ? SHADOW_STRAYS : SHADOW_STRAYS_SILENT;
	e->cfg.shadow.proof = !cfg->sut_none;
	number_suts(e);
	r = shadow_init(&e->shadow, a, &cfg->limits, &e->cfg.shadow, &cfg->key,
			now);
	if (r == 0)
		r = frag_init(&e->frags, a, frag_count(cfg), &cfg->key);
	if (r == 0)
		r = early_init(&e->early, a);
	if (r == 0)
		r = spsc_init(&e->records, a, RECORDS_ROOM);
	if (r == 0)
		r = refer_init(e, a);
	if (r == 0)
		r = given_init(e, a);
	if (r == 0)
		r = beside_init(e, a);
	if (r == 0 && cfg->rate != 0)
		r = quota_init(&e->quota, a, cfg->rate, &cfg->key, now);
	if (r != 0)
		return r;
	e->pool = shadow_pool(e->shadow);
	r = udp_init(&e->udp, a, e->pool, datagram_count(cfg), &cfg->key,
		     cfg->compare != COMPARE_NONE, cfg->shadow.answer_wait,
		     now);
	if (r == 0 && !cfg->sut_none)
		r = wire_init(e, a, now);
	if (r == 0 && !cfg->sut_none)
		r = gate_init(e, a, now);
	if (r != 0)
		return r;
	for (uint32_t i = 0; i < e->suts; i++)
		shadow_add_sut(e->shadow, (uint8_t)i, &e->sut_ip[i]);
	*out = e;
	return 0;
}

/* --- whose is it? --- */

void engine_record(struct engine *e, uint64_t number)
{
	e->record = number <= UINT32_MAX ? (uint32_t)number : 0;
}

bool engine_is_prod(const struct engine_map *m, const struct ipaddr *ip,
		    uint16_t port)
{
	return (m->prod_port == 0 || m->prod_port == port) &&
	       ipaddr_in(ip, &m->prod, m->bits);
}

/* Clients that are played: whole clients, chosen by a keyed hash. */
static bool is_sampled(const struct engine *e, const struct ipaddr *client)
{
	if (e->cfg.sample >= SAMPLE_ALL)
		return true;
	return (hash_bytes(&e->cfg.key, client, sizeof(*client)) & 0xffff) <
	       e->cfg.sample;
}

static bool is_skipped(const struct engine *e, const struct ipaddr *client)
{
	for (uint32_t i = 0; i < e->cfg.skips; i++)
		if (ipaddr_in(client, &e->cfg.skip[i].net, e->cfg.skip[i].bits))
			return true;
	return false;
}

/* The SUT with this address, or -1. */
static int sut_of(const struct engine *e, const struct ipaddr *ip)
{
	for (uint32_t i = 0; i < e->suts; i++)
		if (ipaddr_eq(&e->sut_ip[i], ip))
			return (int)i;
	return -1;
}

int engine_sut(const struct engine *e, const struct ipaddr *ip)
{
	return sut_of(e, ip);
}

/* A SUT's own address on the mirror means that the two wires are one; but a SUT
 * may have production's address.
 */
static bool sut_shows(const struct engine *e, const struct segment *seg)
{
	const struct ipaddr *end[2] = { &seg->src, &seg->dst };

	for (int i = 0; i < 2; i++) {
		int sut = sut_of(e, end[i]);
		uint32_t m = 0;

		if (sut < 0)
			continue;
		while (m < e->cfg.maps &&
		       !ipaddr_in(end[i], &e->cfg.map[m].prod,
				  e->cfg.map[m].bits))
			m++;
		if (m == e->cfg.maps)
			return true;
	}
	return false;
}

/* Which maps name one of the ends? Counts what is none of ours. */
static bool route_of(struct engine *e, const struct segment *seg,
		     struct route *r)
{
	struct engine_counters *c = &e->stats.count;
	bool to = false;
	bool from = false;

	r->n = 0;
	for (uint32_t m = 0; m < e->cfg.maps; m++) {
		const struct engine_map *map = &e->cfg.map[m];
		bool d = engine_is_prod(map, &seg->dst, seg->dport);
		bool s = engine_is_prod(map, &seg->src, seg->sport);

		to |= d;
		from |= s;
		if ((d || s) && r->n < LEGS_MAX)
			r->map[r->n++] = m;
	}
	e->stats.to_prod += to;
	e->stats.to_client += from && !to;
	memset(&r->key, 0, sizeof(r->key));
	r->from_client = to;
	r->key.client = to ? seg->src : seg->dst;
	r->key.prod = to ? seg->dst : seg->src;
	r->key.cport = to ? seg->sport : seg->dport;
	r->key.pport = to ? seg->dport : seg->sport;
	if (!to && !from)
		c->not_mapped++;
	else if (to && from)
		c->both_mapped++;
	else if (sut_shows(e, seg))
		c->sut_in_mirror++;
	else if (is_skipped(e, &r->key.client))
		c->skipped++;
	else if (!is_sampled(e, &r->key.client))
		c->not_sampled++;
	else if (e->wire && sutwire_client(e->wire, &r->key.client))
		c->wire_stopped++;
	else
		return true;
	gate_show(e, seg);
	return false;
}

/* Is an address of it production's? */
static bool is_about_prod(const struct engine *e, const struct segment *seg)
{
	for (uint32_t m = 0; m < e->cfg.maps; m++) {
		const struct engine_map *map = &e->cfg.map[m];

		if (ipaddr_in(&seg->src, &map->prod, map->bits) ||
		    ipaddr_in(&seg->dst, &map->prod, map->bits))
			return true;
	}
	return false;
}

static enum engine_kind from_mirror(struct engine *e, enum decode_result r,
				    const struct decoded *d, uint64_t now,
				    struct effects *out)
{
	const struct segment *seg = &d->seg;
	struct route route;

	if (r != DECODE_TCP && r != DECODE_UDP) {
		e->stats.count.not_segment++;
		if (r == DECODE_ICMP && is_about_prod(e, seg))
			tally_icmp(&e->stats, d);
		return ENGINE_NONE;
	}
	if (!route_of(e, seg, &route) || !gate_rate(e, &route, seg, now, out))
		return ENGINE_NONE;
	if (r == DECODE_UDP)
		return udp_mirror(e, &route, seg, now, out);
	return tcp_mirror(e, &route, seg, now, out);
}

/* --- the SUT's wire --- */

/* From a port that is served: does it begin something of the SUT's own? */
static bool is_outside(const struct engine *e, uint8_t sut,
		       enum decode_result r, const struct segment *seg,
		       uint64_t now)
{
	if (r == DECODE_UDP)
		return !outside_answers(e, sut, seg->sport, now);
	return (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	       !shadow_owns(e->shadow, sut, seg);
}

static enum engine_kind from_sut(struct engine *e, enum decode_result r,
				 const struct frame_info *in,
				 const struct decoded *d, uint64_t now,
				 struct effects *out)
{
	struct engine_counters *c = &e->stats.count;
	const struct segment *seg = &d->seg;
	enum sutwire_fate fate;
	bool ours;
	int sut;

	if (!e->wire || sutwire_stop(e->wire)->reason != SUTWIRE_GOING) {
		c->wire_stopped++;
		return ENGINE_NONE;
	}
	fate = sutwire_frame(e->wire, in, r, d, now, out);
	if (fate == SUTWIRE_OUTSIDE)
		outside_absorb(e, seg);
	else if (fate != SUTWIRE_PASSED)
		*(fate == SUTWIRE_NOT_OURS ? &c->not_ours : &c->wire) += 1;
	if (fate != SUTWIRE_PASSED)
		return ENGINE_NONE;
	if (r != DECODE_TCP && r != DECODE_UDP) {
		c->not_segment++;
		outside_fragment(e, in, d, now, out);
		return ENGINE_NONE;
	}
	sut = sut_of(e, &seg->src);
	if (sut < 0) {
		c->not_a_sut++;
		return ENGINE_NONE;
	}
	if (!outside_serves(e, (uint8_t)sut, seg->sport)) {
		outside_segment(e, (uint8_t)sut, r, in, d, now, out);
		return ENGINE_NONE;
	}
	/* Nothing was played to it yet, and an answer had nowhere to go. */
	if (!sutwire_mac(e->wire, (uint32_t)sut)) {
		c->sut_stray++;
		return ENGINE_NONE;
	}
	shadow_heard(e->shadow, (uint8_t)sut);
	health_heard(e, (uint8_t)sut, seg->len > 0,
		     r == DECODE_TCP && (seg->flags & (TCP_SYN | TCP_ACK)) ==
						(TCP_SYN | TCP_ACK));
	if (is_outside(e, (uint8_t)sut, r, seg, now)) {
		outside_segment(e, (uint8_t)sut, r, in, d, now, out);
		return ENGINE_NONE;
	}
	if (r == DECODE_UDP)
		return udp_sut(e, (uint8_t)sut, seg, now);
	ours = memcmp(d->eth_dst, e->cfg.mac, ETH_LEN) == 0;
	if (prove_segment(e->prove, (uint8_t)sut, seg, ours, now, out)) {
		c->wire++;
		return ENGINE_NONE;
	}
	return tcp_sut(e, (uint8_t)sut, seg, ours, now, out);
}

/* Tell the machine which SUTs the wire's guard has proved. */
static void follow_wire(struct engine *e)
{
	if (!e->wire)
		return;
	for (uint32_t i = 0; i < e->suts; i++) {
		bool ready = sutwire_ready(e->wire, i);

		if (ready == e->ready[i])
			continue;
		e->ready[i] = ready;
		shadow_set_ready(e->shadow, (uint8_t)i, ready);
		health_probe(e, (uint8_t)i, ready);
		if (ready)
			shadow_heard(e->shadow, (uint8_t)i);
	}
}

/* A capture taken on the host that sent a frame has it before its device put
 * the checksums in: such a frame is taken as good.
 */
static enum decode_result decode(struct engine *e, enum engine_source from,
				 const struct frame_info *in, uint64_t now,
				 struct decoded *d)
{
	struct decap_found found;
	enum decode_result r;
	bool open = false;

	if (from != ENGINE_MIRROR)
		return frame_decode(in, e->frags, now, d);
	r = decap_frame(in, &e->cfg.decap, e->frags, now, d,
			e->cfg.open_csum ? &open : NULL, &found);
	decap_count(&e->stats.tunnels, &found);
	e->stats.count.offloaded += open;
	return r;
}

enum engine_kind engine_frame(struct engine *e, enum engine_source from,
			      const struct frame_info *in, uint64_t now,
			      struct effects *out)
{
	enum engine_kind kind;
	enum decode_result r;
	struct decoded d;

	out->n = 0;
	e->now = now;
	r = decode(e, from, in, now, &d);
	e->stats.decode[from][r]++;
	if (from == ENGINE_MIRROR) {
		e->stats.count.frames_mirror++;
		kind = from_mirror(e, r, &d, now, out);
	} else {
		e->stats.count.frames_sut++;
		kind = from_sut(e, r, in, &d, now, out);
		follow_wire(e);
	}
	attend(e, now, out);
	gate_attend(e, now);
	udp_attend(e);
	if (kind == ENGINE_CLIENT)
		stamp_effects(out, in->ts);
	return kind;
}

/* --- time --- */

void engine_timeout(struct engine *e, uint64_t now, struct effects *out)
{
	out->n = 0;
	e->now = now;
	if (e->wire) {
		sutwire_timeout(e->wire, now, out);
		follow_wire(e);
		if (sutwire_stop(e->wire)->reason == SUTWIRE_GOING)
			prove_timeout(e->prove, now, out);
		gate_attend(e, now);
	}
	e->stats.count.early_dropped += early_timeout(
		&e->early, e->pool, e->cfg.shadow.reorder_wait, now);
	shadow_timeout(e->shadow, now, out);
	health_watch(e);
	udp_timeout(e->udp, now, out);
	attend(e, now, out);
	udp_attend(e);
}

uint64_t engine_next_timeout(const struct engine *e)
{
	uint64_t next = shadow_next_timeout(e->shadow);
	uint64_t t = udp_next_timeout(e->udp);

	if (t < next)
		next = t;
	t = early_next_timeout(&e->early, e->cfg.shadow.reorder_wait);
	if (t < next)
		next = t;
	if (e->wire) {
		t = sutwire_next_timeout(e->wire);
		if (t < next)
			next = t;
		t = sutwire_stop(e->wire)->reason == SUTWIRE_GOING
			    ? prove_next_timeout(e->prove)
			    : SUTWIRE_NEVER;
		if (t < next)
			next = t;
	}
	return next;
}

void engine_sent(struct engine *e, const struct effect *x)
{
	if (x->frame)
		buf_emitted(e->pool, x->frame);
}

void engine_unsent(struct engine *e, const struct effect *x)
{
	if (x->kind == EFFECT_TCP)
		shadow_unsent(e->shadow, x, e->now);
	else if (x->kind == EFFECT_UDP)
		udp_unsent(e->udp, x);
}

bool engine_stop(struct engine *e, uint64_t now, struct effects *out)
{
	struct flow *f;

	out->n = 0;
	e->stats.count.early_dropped +=
		early_timeout(&e->early, e->pool, 0, now);
	e->now = now;
	wait_final(e, now);
	while ((f = shadow_any(e->shadow))) {
		if (effects_left(out) < 2)
			return true;
		shadow_end(e->shadow, f, FLOW_END_STOPPED, now, out);
		event_flow_end(e, f);
		read_close(e, f);
		shadow_free(e->shadow, f);
	}
	while (udp_flush(e->udp))
		udp_attend(e);
	udp_attend(e);
	return false;
}

const struct engine_stats *engine_stats(const struct engine *e)
{
	return &e->stats;
}

const struct shadow *engine_shadow(const struct engine *e)
{
	return e->shadow;
}

const struct udp_counters *engine_udp(const struct engine *e)
{
	return udp_counters(e->udp);
}

struct prove *engine_prove(const struct engine *e)
{
	return e->prove;
}

const struct sutwire *engine_wire(const struct engine *e)
{
	return e->wire;
}

void engine_occupancy(const struct engine *e, uint64_t now,
		      struct engine_occupancy *out)
{
	out->pool_used = pool_used(e->pool);
	out->pool_peak = pool_peak(e->pool);
	out->pool_total = pool_total(e->pool);
	out->flows = shadow_flows(e->shadow);
	out->flows_peak = shadow_flows_peak(e->shadow);
	out->timers = shadow_timers(e->shadow);
	out->frags = frag_used(e->frags, now);
	out->datagrams = udp_used(e->udp);
	out->datagrams_open = udp_open(e->udp);
}
