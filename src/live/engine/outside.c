/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outside.c - What a SUT asks of others than its clients
 *
 * Theory of operation
 *
 * A SUT believes that it is in the world: it asks for names and the time, and
 * as a proxy for its origin. None of that leaves its wire. Each such packet is
 * absorbed and counted, and where it was for is remembered for the report.
 *
 * Swallowed in silence, an attempt to connect takes the SUT minutes, and the
 * client's request with it. So it is refused instead, as by a host on which
 * nobody listens: a SYN by RST,ACK with seq 0 and ack = its end (RFC 9293
 * section 3.10.7.1), a datagram by "port unreachable" that quotes it (RFC 1122
 * section 3.2.2). Both go to the SUT's own address at its hardware address, so
 * the sink's list of destinations holds for them.
 *
 * Refused is what was sent to one host, by our hardware address: no ICMP, no
 * broadcast or multicast, nothing link-local. A datagram in fragments is
 * refused by its first one, which has its ports (unless that comes last), and
 * absorbed when it is whole. Other SUTs and hosts of --wire-also never come
 * here (sutwire.c). A SYN with the ends of a flow that goes on is the flow's.
 *
 * A datagram from a port that a --map names may be a late answer, and to refuse
 * it would tell a DNS server that its answers are unwelcome; one to production
 * may be an answer that took a strange way. Where the --map has no port, every
 * port is served; there a datagram counts as an answer if a query went to its
 * port in the last OUTSIDE_ANSWERS. OUTSIDE_PORTS ports are remembered; if one
 * has to make room too early, all are taken for answers for as long.
 *
 * shadow_may_refuse() bounds how much of this goes to a SUT in a second.
 */
#include <string.h>

#include "engine/engine_internal.h"
#include "tally/tally.h"

_Static_assert(EFFECT_RAW_MAX >= BUILD_RAW_MAX, "any raw frame fits");

void outside_absorb(struct engine *e, const struct segment *seg)
{
	e->stats.count.absorbed++;
	tally_absorbed(&e->stats, seg);
}

/* --- which of its ports are served --- */

static bool has_port(const struct engine_map *m)
{
	return m->sut_port != 0 || m->prod_port != 0;
}

bool outside_serves(const struct engine *e, uint8_t sut, uint16_t port)
{
	for (uint32_t m = 0; m < e->cfg.maps; m++) {
		const struct engine_map *map = &e->cfg.map[m];
		uint16_t p =
			map->sut_port != 0 ? map->sut_port : map->prod_port;

		if (e->map_sut[m] == sut && (p == 0 || p == port))
			return true;
	}
	return false;
}

void outside_asked(struct engine *e, const struct engine_map *map, uint8_t sut,
		   uint16_t port, uint64_t now)
{
	struct outside *o = &e->outside;
	struct outside_port *p = o->port;

	if (has_port(map))
		return;
	for (uint32_t i = 0; i < o->n; i++) {
		if (o->port[i].sut == sut && o->port[i].port == port) {
			o->port[i].at = now;
			return;
		}
		if (o->port[i].at < p->at)
			p = &o->port[i];
	}
	if (o->n < OUTSIDE_PORTS)
		p = &o->port[o->n++];
	else if (now - p->at < OUTSIDE_ANSWERS)
		o->full_until = now + OUTSIDE_ANSWERS;
	*p = (struct outside_port){ .at = now, .port = port, .sut = sut };
}

bool outside_answers(const struct engine *e, uint8_t sut, uint16_t port,
		     uint64_t now)
{
	const struct outside *o = &e->outside;

	for (uint32_t m = 0; m < e->cfg.maps; m++) {
		const struct engine_map *map = &e->cfg.map[m];
		uint16_t p =
			map->sut_port != 0 ? map->sut_port : map->prod_port;

		if (e->map_sut[m] == sut && p == port)
			return true;
	}
	for (uint32_t i = 0; i < o->n; i++)
		if (o->port[i].sut == sut && o->port[i].port == port)
			return now - o->port[i].at < OUTSIDE_ANSWERS;
	return now < o->full_until;
}

/* --- refusals --- */

/* Did the SUT that we know at this hardware address send it to us alone? */
static bool to_us(const struct engine *e, uint8_t sut, const struct decoded *d)
{
	const uint8_t *mac = sutwire_mac(e->wire, sut);

	return mac && memcmp(mac, d->eth_src, ETH_LEN) == 0 &&
	       memcmp(e->cfg.mac, d->eth_dst, ETH_LEN) == 0 &&
	       ipaddr_is_host(&d->seg.src) && ipaddr_is_host(&d->seg.dst);
}

static bool is_production(const struct engine *e, const struct segment *seg)
{
	for (uint32_t m = 0; m < e->cfg.maps; m++)
		if (engine_is_prod(&e->cfg.map[m], &seg->dst, seg->dport))
			return true;
	return false;
}

/* An effect towards the SUT; NULL: it has had enough, or there is no room. */
static struct effect *refusal(struct engine *e, uint8_t sut, uint64_t now,
			      struct effects *out)
{
	struct effect *x;

	if (effects_left(out) == 0 || !shadow_may_refuse(e->shadow, sut, now)) {
		e->stats.count.refuse_limited++;
		return NULL;
	}
	x = &out->e[out->n++];
	memset(x, 0, sizeof(*x));
	x->cause = CAUSE_OUTSIDE;
	x->sut = sut;
	x->ttl = 64;
	return x;
}

static void refuse_syn(struct engine *e, uint8_t sut, const struct segment *seg,
		       uint64_t now, struct effects *out)
{
	struct effect *x = refusal(e, sut, now, out);

	if (!x)
		return;
	x->kind = EFFECT_TCP;
	x->flags = TCP_RST | TCP_ACK;
	x->src = seg->dst;
	x->sport = seg->dport;
	x->dst = seg->src;
	x->dport = seg->sport;
	x->ack = seg->seq + seg->len + 1;
	e->stats.count.refused_tcp++;
}

static void refuse_datagram(struct engine *e, uint8_t sut,
			    const struct frame_info *in,
			    const struct decoded *d, uint64_t now,
			    struct effects *out)
{
	const struct segment *seg = &d->seg;
	const uint8_t *ip = in->data + d->l3;
	uint8_t f[BUILD_RAW_MAX];
	struct effect *x;
	uint32_t head;
	uint32_t len;

	head = (uint32_t)(seg->data - ip);
	if (head > UNREACHABLE_QUOTE)
		return;
	len = head + seg->cap;
	if (len > UNREACHABLE_QUOTE)
		len = UNREACHABLE_QUOTE;
	x = refusal(e, sut, now, out);
	if (!x)
		return;
	x->kind = EFFECT_RAW;
	x->dst = seg->src;
	x->rawlen = (uint16_t)build_unreachable(f, d->eth_src, e->cfg.mac,
						&seg->dst, &seg->src, ip, len);
	memcpy(x->raw, f, x->rawlen);
	e->stats.count.refused_udp++;
}

void outside_segment(struct engine *e, uint8_t sut, enum decode_result r,
		     const struct frame_info *in, const struct decoded *d,
		     uint64_t now, struct effects *out)
{
	const struct segment *seg = &d->seg;

	outside_absorb(e, seg);
	if (!e->cfg.refuse || !to_us(e, sut, d))
		return;
	if (r == DECODE_UDP) {
		if (!is_production(e, seg) && !d->reassembled)
			refuse_datagram(e, sut, in, d, now, out);
	} else if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		refuse_syn(e, sut, seg, now, out);
	}
}

void outside_fragment(struct engine *e, const struct frame_info *in,
		      const struct decoded *d, uint64_t now,
		      struct effects *out)
{
	const struct segment *seg = &d->seg;
	int sut = engine_sut(e, &seg->src);

	if (seg->proto != PROTO_UDP || sut < 0 || !e->cfg.refuse ||
	    !to_us(e, (uint8_t)sut, d) || is_production(e, seg))
		return;
	if (!outside_serves(e, (uint8_t)sut, seg->sport) ||
	    !outside_answers(e, (uint8_t)sut, seg->sport, now))
		refuse_datagram(e, (uint8_t)sut, in, d, now, out);
}
