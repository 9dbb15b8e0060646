/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world.c - The three endpoints round an engine, in virtual time
 *
 * Theory of operation
 *
 * The engine is called as the live loop calls it: a frame or a timeout in, the
 * effects taken at once (so "sent" is immediate), again while more is due. What
 * belongs to the SUT's wire and not to a client (ARP, neighbour discovery, the
 * probe) is answered here, as a SUT's kernel would; all else is copied into the
 * queue that the lines of the script consume.
 *
 * The memory of a world is kept for the next one (memory.h), so there is one
 * world at a time.
 *
 * The initial sequence numbers make every number of connection 1 wrap within a
 * few hundred bytes, each endpoint's at another place.
 */
#include "compare/protocol.h"
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "memory.h"
#include "wire/build.h"
#include "wire/tcpopt.h"

#define WALL	  (UINT64_C(1700000000) * NS_PER_SEC) /* capture time at 0 */
#define SPIN_MAX  100000u /* timeouts at one instant */
#define OPEN_TIME (30 * NS_PER_SEC)

/* A client's bytes, of each connection; zero between two worlds. */
static struct {
	uint8_t stream[STREAM_MAX];
	bool known[STREAM_MAX];
} said[CONNS];

/* The arena of the last world. */
static struct arena kept;

static const uint8_t mac_client[ETH_LEN] = { 2, 0, 0, 0, 0, 0x0c };
static const uint8_t mac_prod[ETH_LEN] = { 2, 0, 0, 0, 0, 0x0a };
static const uint8_t mac_sut[ETH_LEN] = { 2, 0, 0, 0, 0, 0x05 };
static const uint8_t mac_own[ETH_LEN] = { 2, 0, 0, 0, 0, 0x01 };

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	w->failed = true;
	printf("# %s:%u: ", w->path, w->line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(" (at +%.6f)\n", (double)(w->now - w->start) / 1e9);
}

struct ipaddr world_addr(const struct world *w, enum who who)
{
	static const uint8_t last[] = { 1, 2, 9 };
	uint8_t v4[4] = { 10, last[who], 0, 1 };
	uint8_t v6[16] = { 0xfd };

	v6[15] = last[who];
	return w->v6 ? ipaddr_from6(v6) : ipaddr_from4(v4);
}

void world_conn(struct world *w, unsigned n, unsigned as)
{
	static const uint32_t first[] = { 0xffffff00, 0x7fffffc0, 0xffffffa0 };
	struct conn *c = &w->conn[n];

	w->cur = c;
	if (c->used)
		return;
	c->used = true;
	c->port = (uint16_t)(40000 + (as != 0 ? as : n));
	c->leg_port = c->port;
	for (int i = 0; i < WHO_COUNT; i++)
		c->iss[i] = first[i] + (n - 1) * 0x01000000u;
	c->stream = said[n].stream;
	c->known = said[n].known;
}

static void keep(struct world *w, const struct effect *e)
{
	struct seen *s = &w->queue[w->seen];

	if (w->seen == SEEN_MAX) {
		world_fail(w, "too many effects that no line asks for");
		return;
	}
	w->seen++;
	*s = (struct seen){ .at = w->now, .e = *e, .conn = conn_of(w, e) };
	if (e->len > 0) {
		s->data = malloc(e->len);
		if (s->data == NULL)
			abort();
		memcpy(s->data, effects_data(e), e->len);
	}
	s->e.frame = NULL;
	if (e->kind == EFFECT_TCP &&
	    tcp_parse_options(e->opts, e->optlen, &s->opts) != 0)
		world_fail(w, "broken options");
	if (w->verbose)
		printf("# %s:%u: +%.6f %s\n", w->path, w->line,
		       (double)(s->at - w->start) / 1e9, seen_text(w, s));
	contract_effect(w, s);
}

static void take(struct world *w, struct effects *out);

static void inject(struct world *w, enum engine_source from, const uint8_t *p,
		   size_t len, uint32_t cut, uint16_t gso)
{
	struct effects out = { .n = 0 };
	uint8_t *exact = malloc(len);
	struct frame_info in = {
		.data = exact,
		.cap = (uint32_t)len - cut,
		.wire = (uint32_t)len,
		.ts = WALL + w->now,
		.link = LINK_ETHERNET,
		.gso = gso,
	};

	if (exact == NULL)
		abort();
	memcpy(exact, p, len);
	engine_frame(w->engine, from, &in, w->now, &out);
	engine_check(w->engine);
	free(exact);
	take(w, &out);
}

/* Does the SUT answer a probe from this address here and now? */
static bool hears_probe(const struct world *w, const struct ipaddr *from)
{
	uint64_t at = w->now - w->start;
	bool bench = ipaddr_is4(from)
			     ? from->b[12] == 198 && from->b[13] >> 1 == 9
			     : get_be32(from->b) == 0x20010db8;

	return (bench || !w->other_way) &&
	       (at < w->deaf_from || at >= w->deaf_until);
}

/* The SUT's kernel answers the probe's SYN. */
static void answer_probe(struct world *w, const struct effect *e)
{
	struct tcp_header h = {
		.src = e->dst,
		.dst = e->src,
		.sport = e->dport,
		.dport = e->sport,
		.seq = 0x1000,
		.ack = e->seq + 1,
		.flags = TCP_SYN | TCP_ACK,
		.ttl = 64,
		.win = 65535,
	};
	uint8_t buf[BUILD_HDR_MAX];

	if ((e->flags & TCP_SYN) == 0 || !hears_probe(w, &e->src))
		return;
	memcpy(h.eth_src, mac_sut, ETH_LEN);
	memcpy(h.eth_dst, mac_own, ETH_LEN);
	inject(w, ENGINE_SUT, buf, build_tcp(buf, &h, NULL, 0, CSUM_FULL), 0,
	       0);
}

/* The SUT's kernel answers ARP and neighbour solicitation. */
static void answer_raw(struct world *w, const struct effect *e)
{
	struct ipaddr sut = world_addr(w, WHO_SUT);
	uint8_t buf[BUILD_RAW_MAX];
	struct arp_packet arp;
	struct nd_packet nd;
	size_t n = 0;

	if (e->rawlen >= 14 && get_be16(e->raw + 12) == 0x0806 &&
	    arp_parse(e->raw + 14, e->rawlen - 14u, &arp) == 0 && arp.op == 1 &&
	    ipaddr_eq(&arp.tpa, &sut))
		n = build_arp(buf, 2, arp.sha, mac_sut, &sut, arp.sha,
			      &arp.spa);
	else if (e->rawlen >= 54 && get_be16(e->raw + 12) == 0x86dd &&
		 nd_parse(e->raw + 54, e->rawlen - 54u, &nd) == 0 &&
		 nd.type == 135 && ipaddr_eq(&nd.target, &sut)) {
		struct ipaddr from = ipaddr_from6(e->raw + 14 + 8);

		n = build_na(buf, e->raw + 6, mac_sut, &sut, &from);
	}
	if (n > 0)
		inject(w, ENGINE_SUT, buf, n, 0, 0);
}

/* An effect left at once. */
static void left(struct world *w, const struct effect *e)
{
	if (e->timed)
		engine_left(w->engine, e, WALL + w->now);
	engine_sent(w->engine, e);
}

/* Take effects as a sink that sends them at once. */
static void take(struct world *w, struct effects *out)
{
	for (uint32_t i = 0; i < out->n; i++) {
		struct effect *e = &out->e[i];

		if (e->kind == EFFECT_RAW)
			answer_raw(w, e);
		else if (e->cause == CAUSE_PROBE)
			answer_probe(w, e);
		else
			keep(w, e);
		if (w->sink != NULL)
			w->sink(w, e);
		else
			left(w, e);
	}
}

static void drain_events(struct world *w)
{
	struct engine_item t;

	while (engine_take(w->engine, &t)) {
		char detail[COMPARE_DETAIL];
		struct compare_result r;

		if (t.text != NULL) {
			item_result(&t, &r);
			protocols[t.exchange->protocol].describe->difference(
				&r, NULL, detail);
			if (w->verbose)
				printf("# %s:%u: verdict %s, %s %s\n", w->path,
				       w->line, verdict_name(r.verdict),
				       reason_name(r.reason), detail);
		}
		if (w->verbose && t.kind == EVENT_FLOW_END)
			printf("# %s:%u: flow ends: %s\n", w->path, w->line,
			       flow_end_name(t.event->end));
	}
}

/* Do all that is due at this instant. */
static void settle(struct world *w)
{
	for (uint32_t i = 0; engine_next_timeout(w->engine) <= w->now; i++) {
		struct effects out = { .n = 0 };

		if (i == SPIN_MAX) {
			world_fail(w, "timeouts do not end");
			return;
		}
		engine_timeout(w->engine, w->now, &out);
		engine_check(w->engine);
		take(w, &out);
		if (engine_waits_due(w->engine) && !w->deaf) {
			engine_note(w->engine, ENGINE_SUT_READ, 0, w->now,
				    &out);
			take(w, &out);
		}
		drain_events(w);
	}
	drain_events(w);
}

bool world_step(struct world *w, uint64_t until)
{
	uint64_t next;

	settle(w);
	next = engine_next_timeout(w->engine);
	if (next > until) {
		w->now = until > w->now ? until : w->now;
		return false;
	}
	if (next > w->now)
		w->now = next;
	settle(w);
	return true;
}

void world_advance(struct world *w, uint64_t until)
{
	while (!w->failed && world_step(w, until))
		;
}

void world_drop(struct world *w, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free(w->queue[i].data);
	memmove(w->queue, w->queue + n, (w->seen - n) * sizeof(*w->queue));
	w->seen -= n;
}

static bool wire_ready(const struct world *w)
{
	return sutwire_ready(engine_wire(w->engine), 0);
}

static void own_world(struct world *w)
{
	struct engine_config *c = &w->cfg;
	struct engine_map *m = &c->map[0];

	m->prod = world_addr(w, WHO_PROD);
	m->bits = IPADDR_BITS;
	m->prod_port = 80;
	m->sut = world_addr(w, WHO_SUT);
	m->sut_port = 80;
	c->maps = 1;
	memcpy(c->mac, mac_own, ETH_LEN);
}

bool world_begin(struct world *w)
{
	int r;

	w->began = true;
	own_world(w);
	w->now = NS_PER_SEC;
	w->start = w->now;
	w->arena = memory_take(&kept, engine_size(&w->cfg));
	r = engine_init(&w->engine, &w->arena, &w->cfg, w->now);
	if (r != 0) {
		world_fail(w, "engine_init() returns %d", r);
		return false;
	}
	while (!wire_ready(w) && world_step(w, w->start + OPEN_TIME))
		;
	if (!wire_ready(w)) {
		world_fail(w, "the SUT's wire did not get ready");
		return false;
	}
	w->start = w->now;
	return true;
}

static void must_be_0(struct world *w, const char *what, uint64_t v)
{
	if (v != 0)
		world_fail(w, "%s: %llu left after the stop", what,
			   (unsigned long long)v);
}

void world_stop(struct world *w)
{
	bool more = w->engine != NULL;

	for (uint32_t i = 0; more && i < SPIN_MAX; i++) {
		struct effects out = { .n = 0 };

		more = engine_stop(w->engine, w->now, &out);
		take(w, &out);
		drain_events(w);
	}
	if (more)
		world_fail(w, "the stop does not end");
}

void world_end(struct world *w)
{
	struct engine_occupancy o;

	world_stop(w);
	if (w->engine != NULL && w->sent > 0) {
		engine_occupancy(w->engine, w->now, &o);
		must_be_0(w, "pool", o.pool_used);
		must_be_0(w, "flows", o.flows);
		must_be_0(w, "flow timers", o.timers);
		must_be_0(w, "datagrams", o.datagrams);
	}
	world_drop(w, w->seen);
	for (int i = 0; i < CONNS; i++) {
		memset(said[i].stream, 0, w->conn[i].learnt);
		memset(said[i].known, 0, w->conn[i].learnt);
	}
}

static uint8_t *put_pair(uint8_t *p, uint8_t kind, uint8_t len)
{
	p[0] = kind;
	p[1] = len;
	return p + 2;
}

static uint8_t *put_filler(uint8_t *p, uint8_t kind, uint8_t len)
{
	memset(p, kind == 30 ? 0 : 0x5a, len);
	put_pair(p, kind, len);
	return p + len;
}

/* Write options; numbers of SACK are relative to @sack_base. */
static uint8_t put_options(uint8_t *out, const struct tcp_opts *o,
			   uint32_t sack_base)
{
	uint8_t *p = out;

	if (o->has & OPT_HAS_MSS) {
		p = put_pair(p, 2, 4);
		put_be16(p, o->mss);
		p += 2;
	}
	if (o->has & OPT_HAS_SACK_OK)
		p = put_pair(p, 4, 2);
	if (o->has & OPT_HAS_TS) {
		p = put_pair(p, 8, 10);
		put_be32(p, o->tsval);
		put_be32(p + 4, o->tsecr);
		p += 8;
	}
	if (o->has & OPT_HAS_WSCALE) {
		p = put_pair(p, 3, 3);
		*p++ = o->wscale;
	}
	if (o->sacks > 0)
		p = put_pair(p, 5, (uint8_t)(2 + 8 * o->sacks));
	for (int i = 0; i < o->sacks; i++, p += 8) {
		put_be32(p, o->sack[i].left + sack_base);
		put_be32(p + 4, o->sack[i].right + sack_base);
	}
	if (o->has & OPT_HAS_FASTOPEN)
		p = put_filler(p, 34, 10);
	if (o->has & OPT_HAS_MPTCP)
		p = put_filler(p, 30, 12);
	if (o->has & OPT_HAS_MD5)
		p = put_filler(p, 19, 18);
	if (o->has & OPT_HAS_AO)
		p = put_filler(p, 29, 16);
	while ((p - out) % 4 != 0)
		*p++ = 1;
	return (uint8_t)(p - out);
}

/* The pattern of a payload without text: it differs at every offset. */
static void pattern(struct line *l)
{
	static const char abc[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	l->data = malloc(l->len + 1u);
	if (l->data == NULL)
		abort();
	for (uint32_t i = 0; i < l->len; i++)
		l->data[i] = (uint8_t)abc[(l->seq + i) % (sizeof(abc) - 1)];
}

/* Remember what the client said; of contradicting copies the first, as Linux. */
static void learn(struct conn *c, const struct line *l)
{
	for (uint32_t i = 0; i < l->len && !l->bad; i++) {
		uint32_t at = l->seq + i + ((l->flags & TCP_SYN) != 0);

		if (at >= STREAM_MAX || c->known[at])
			continue;
		c->known[at] = true;
		c->stream[at] = l->data[i];
		if (c->learnt <= at)
			c->learnt = at + 1;
	}
}

/* The first ack of production, or the number that the client goes on with, tells
 * how much of a SYN's data is the stream's: what lies behind it was never taken.
 */
static void settle_syn(struct conn *c, const struct line *l)
{
	bool client = l->who == WHO_CLIENT;
	uint32_t at = client ? l->seq : l->ack;

	if (client && (l->flags & TCP_SYN) != 0 && c->syn_len == 0)
		c->syn_len = l->len;
	if (c->syn_len == 0 || l->who == WHO_SUT || (l->flags & TCP_RST) != 0 ||
	    (client ? (l->flags & TCP_SYN) != 0 : !l->has_ack))
		return;
	for (; at <= c->syn_len; at++)
		c->known[at] = false;
	c->syn_len = 0;
}

void world_send(struct world *w, const struct line *l)
{
	static uint8_t buf[BUILD_HDR_MAX + 60 + TEXT_MAX];
	struct conn *c = w->cur;
	bool client = l->who == WHO_CLIENT;
	enum who peer = client ? WHO_PROD : WHO_CLIENT;
	uint8_t opts[3 * TCP_OPT_MAX];
	struct line with = *l;
	struct tcp_header h = {
		.src = world_addr(w, l->who),
		.dst = world_addr(w, peer),
		.sport = client ? c->port : 80,
		.dport = client		      ? 80
			 : l->who == WHO_PROD ? c->port
					      : c->leg_port,
		.seq = l->seq + c->iss[l->who],
		.ack = l->has_ack ? l->ack + c->iss[peer] : 0,
		.flags = (uint8_t)l->flags,
		.ttl = 64,
		.win = l->win,
		.urg = l->urg,
		.ip_id = w->sent++,
		.opts = opts,
	};
	size_t n;

	h.optlen = put_options(opts, &l->opts, c->iss[peer]);
	if (h.optlen > TCP_OPT_MAX) {
		world_fail(w, "the options do not fit");
		return;
	}
	memcpy(h.eth_src,
	       client		    ? mac_client
	       : l->who == WHO_PROD ? mac_prod
				    : mac_sut,
	       ETH_LEN);
	memcpy(h.eth_dst,
	       client		    ? mac_prod
	       : l->who == WHO_PROD ? mac_client
				    : mac_own,
	       ETH_LEN);
	if (l->data == NULL)
		pattern(&with);
	settle_syn(c, l);
	if (client)
		learn(c, &with);
	else if (l->who == WHO_SUT)
		contract_segment(c, l, w->v6);
	n = build_tcp(buf, &h, with.data, l->len, CSUM_FULL);
	memcpy(buf + n, with.data, l->len);
	if (l->bad)
		buf[n - h.optlen - 4] ^= 0x55; /* in the checksum */
	inject(w, client || l->who == WHO_PROD ? ENGINE_MIRROR : ENGINE_SUT,
	       buf, n + l->len, l->cut, l->gso);
	settle(w);
	if (l->data == NULL)
		free(with.data);
}
