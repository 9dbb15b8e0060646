/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate.c - Who waits until his network is proved, and who is not played for now
 *
 * Theory of operation
 *
 * The machine of connections says which flow wants to start (WANT_PROOF),
 * prove.c says whether its network is proved. A flow that waits hangs in the
 * network's list by its link, as a datagram does; when the network is settled
 * they are released, or ended. Nothing else is remembered here, and whoever
 * ends in the meantime leaves the list by himself.
 *
 * Every address that the mirror shows and that no flow will ask for is told to
 * prove.c here as well: no probe may be from it.
 *
 * A client beyond --max-rate (quota.c) has no flow: what he has ends.
 */
#include "engine/engine_internal.h"

#define NETS_LEAST 64

uint32_t gate_nets(const struct engine_config *cfg)
{
	uint32_t n = cfg->limits.flows;

	if (cfg->sut_none)
		return 0;
	if (n < NETS_LEAST)
		return NETS_LEAST;
	return n < PROVE_NETS ? n : PROVE_NETS;
}

int gate_init(struct engine *e, struct arena *a, uint64_t now)
{
	struct ipaddr never[2 * MAP_MAX];
	struct prove_sut sut[MAP_MAX];
	struct prove_cfg cfg = { .sut = sut,
				 .suts = e->suts,
				 .never = never,
				 .nets = gate_nets(&e->cfg),
				 .each = e->cfg.prove_each,
				 .seed = e->cfg.seed,
				 .key = e->cfg.key };

	for (uint32_t i = 0; i < e->suts; i++) {
		sut[i].ip = e->sut_ip[i];
		sut[i].port = sut_probe_port(e, i);
		never[cfg.nevers++] = e->sut_ip[i];
	}
	for (uint32_t m = 0; m < e->cfg.maps; m++)
		if (e->cfg.map[m].bits == IPADDR_BITS)
			never[cfg.nevers++] = e->cfg.map[m].prod;
	return prove_init(&e->prove, a, &cfg, now);
}

void gate_show(struct engine *e, const struct segment *seg)
{
	if (!e->prove)
		return;
	prove_show(e->prove, &seg->src);
	prove_show(e->prove, &seg->dst);
}

bool gate_rate(struct engine *e, const struct route *r,
	       const struct segment *seg, uint64_t now, struct effects *out)
{
	uint32_t bytes = r->from_client ? seg->len + QUOTA_HEADERS : 0;
	struct flow_key key = r->key;
	struct flow *f;

	if (!e->quota || quota_plays(e->quota, &r->key.client, bytes, now))
		return true;
	e->stats.count.over_rate++;
	for (uint32_t i = 0; i < r->n; i++) {
		key.map = r->map[i];
		f = shadow_find(e->shadow, &key);
		if (!f)
			continue;
		shadow_end(e->shadow, f, FLOW_END_RATE, now, out);
		read_close(e, f);
		shadow_free(e->shadow, f);
	}
	gate_show(e, seg);
	return false;
}

void gate_flow(struct engine *e, struct flow *f, uint64_t now)
{
	struct prove_ask a;

	prove_show(e->prove, &f->key.client);
	prove_show(e->prove, &f->key.prod);
	a = prove_ask(e->prove, f->sut, &f->key.client, now);
	shadow_gate(e->shadow, f, a.gate, a.gate == GATE_WAIT ? a.flows : NULL);
}

void gate_query(struct engine *e, const struct segment *seg,
		const struct udp_tag *tag, const struct udp_to *to,
		uint64_t now, struct effects *out)
{
	struct prove_counters *c = prove_counters(e->prove);
	struct prove_ask a;

	gate_show(e, seg);
	a = prove_ask(e->prove, to->sut, &seg->src, now);
	if (a.gate == GATE_OPEN) {
		udp_query(e->udp, seg, tag, to, now, out);
	} else if (a.gate == GATE_WAIT) {
		c->datagrams_held++;
		udp_hold(e->udp, seg, tag, to, now, a.queries);
	} else {
		c->datagrams_dropped++;
		e->stats.count.datagrams_not_played++;
	}
}

static void tell(struct engine *e, const struct prove_news *n)
{
	struct engine_event ev = event_of(e, EVENT_NETWORK);

	ev.client = n->net;
	ev.bits = n->bits;
	ev.sut = e->sut_ip[n->sut];
	ev.sut_port = sut_probe_port(e, n->sut);
	ev.up = n->gate == GATE_OPEN;
	ev.end =
		n->gate == GATE_LOST ? FLOW_END_NO_ROUTE : FLOW_END_SYN_TIMEOUT;
	event_put(e, &ev);
}

void gate_attend(struct engine *e, uint64_t now)
{
	struct prove_news n;

	while (e->prove && prove_next(e->prove, &n)) {
		bool open = n.gate == GATE_OPEN;

		while (!list_empty(n.flows))
			shadow_gate(
				e->shadow,
				list_entry(n.flows->next, struct flow, more),
				n.gate, NULL);
		while (udp_release(e->udp, n.queries, open, now))
			udp_attend(e);
		if (!n.tell)
			continue;
		if (!open)
			shadow_route_lost(e->shadow);
		tell(e, &n);
	}
}
