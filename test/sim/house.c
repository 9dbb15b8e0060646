/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * house.c - The engine, called as the live loop calls it
 *
 * Theory of operation
 *
 * Frames that arrive wait until the next tick, when one turn takes them: first
 * those of the SUT's wire, then those of the mirror, then what is due; `now` is
 * read once a turn. What the engine wants sent goes through the program's own
 * sink with its allow-list, whose wire ours is, and leaves when the sink is
 * flushed: after each turn, and within it after so many frames as the options
 * say (--batch), which must not change anything.
 *
 * What belongs to the SUT's wire and to no client (ARP, neighbour discovery, the
 * probe) is answered here, as a SUT's kernel would.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/out.h"
#include "core/bytes.h"
#include "sim.h"

#define WALL	    (UINT64_C(1700000000) * NS_PER_SEC)
#define SPIN_MAX    200000u
#define CHECK_EVERY 16 /* calls of the engine */
#define WAIT_MAX    4096u
#define OPEN_WAIT   (30 * NS_PER_SEC)

static void digest(uint64_t *d, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		*d = (*d ^ b[i]) * UINT64_C(0x100000001b3);
}

/* --- the sink --- */

static struct sim_sink *of(struct sink *k)
{
	return (struct sim_sink *)(void *)k;
}

static struct effect *effect_of(struct sim *s, uint64_t cookie)
{
	return &s->pend[cookie % PEND_MAX];
}

static void take_back(void *ctx, uint64_t cookie, int err)
{
	struct sim *s = ctx;
	struct effect *x = effect_of(s, cookie);

	s->sunk++;
	s->pend_n--;
	if (err != 0)
		engine_unsent(s->engine, x);
	else if (x->timed)
		engine_left(s->engine, x, s->now);
	engine_sent(s->engine, x);
}

static void sink_flush_all(struct sink *k)
{
	struct sim_sink *z = of(k);
	struct sim *s = z->sim;
	bool first = true;
	bool lost = false;

	for (uint32_t i = 0; i < z->n; i++) {
		if (first)
			lost = !sim_is_healed(s) && chance(s, s->unsent);
		first = z->last[i];
		if (lost && z->wait[i]->leg != NULL &&
		    (z->wait[i]->flags & FL_SYN) != 0)
			z->wait[i]->leg->syns--; /* the SUT was not asked */
		if (lost || z->wait[i]->raw || z->wait[i]->leg == NULL)
			pkt_drop(z->wait[i]);
		else
			net_to_sut(s, z->wait[i]);
		if (z->last[i] && lost)
			s->late[s->late_n++] = z->cookie[i];
		else if (z->last[i])
			take_back(s, z->cookie[i], 0);
	}
	z->n = 0;
}

/* What was not sent is told at the end of the turn: when within it the batches end
 * must not change what the machine does next.
 */
static void turn_flush(struct sim *s)
{
	sink_flush(&s->sink.sink);
	for (uint32_t i = 0; i < s->late_n; i++)
		take_back(s, s->late[i], -ENOBUFS);
	s->late_n = 0;
}

static void enqueue(struct sim_sink *z, struct pkt *p, uint64_t cookie,
		    bool last)
{
	z->wait[z->n] = p;
	z->cookie[z->n] = cookie;
	z->last[z->n++] = last;
}

/* The SUT's kernel answers the probe's SYN. */
static void answer_probe(struct sim *s, const struct tcp_header *syn)
{
	struct tcp_header h = *syn;
	struct pkt *p = pkt_new(BUILD_HDR_MAX);

	h.src = syn->dst;
	h.dst = syn->src;
	h.sport = syn->dport;
	h.dport = syn->sport;
	h.seq = 0x1000;
	h.ack = syn->seq + 1;
	h.flags = FL_SYN | FL_ACK;
	h.win = 65535;
	h.optlen = 0;
	memcpy(h.eth_src, mac_sut, ETH_LEN);
	memcpy(h.eth_dst, mac_own, ETH_LEN);
	p->raw = true;
	p->len = (uint32_t)build_tcp(p->data, &h, NULL, 0, CSUM_FULL);
	sim_at(s, s->now + NS_PER_MS, EV_ANSWER, p);
}

static bool is_mute(const struct sim *s)
{
	return s->mute_sut && s->now >= s->mute_from && s->now < s->mute_to &&
	       !sim_is_healed(s);
}

static void sent_piece(struct sim_sink *z, const struct tcp_header *h,
		       const uint8_t *data, uint32_t len, uint64_t cookie,
		       bool last)
{
	static uint8_t b[FRAME_ROOM];
	struct sim *s = z->sim;
	const struct effect *x = effect_of(s, cookie);
	uint32_t n = (uint32_t)build_tcp(b, h, data, len, CSUM_FULL);
	const char *why;
	struct pkt *p;

	if (len > 0)
		memcpy(b + n, data, len);
	n += len;
	digest(&s->digest, &s->now, sizeof(s->now));
	digest(&s->digest, b, n);
	digest(&s->emit_digest, &s->now, sizeof(s->now));
	digest(&s->emit_digest, b, n);
	if (s->opt->dump != NULL) {
		fwrite(&s->now, sizeof(s->now), 1, s->opt->dump);
		fwrite(b, n, 1, s->opt->dump);
	}
	p = frame_get(s, b, n, &why);
	if (p == NULL) {
		sim_fail(s, NULL, "%s", why);
		p = pkt_new(0);
		p->raw = true;
	} else if (x->cause == CAUSE_PROBE) {
		if ((p->flags & FL_SYN) != 0 && !is_mute(s))
			answer_probe(s, h);
	} else {
		check_effect(s, x, p);
	}
	enqueue(z, p, cookie, last);
}

static int sink_ip(struct sink *k, uint8_t proto, const struct tcp_header *h,
		   const uint8_t *data, uint32_t len, uint16_t gso,
		   uint64_t cookie)
{
	struct tcp_header piece = *h;
	uint32_t at = 0;

	(void)proto;
	do {
		uint32_t n = len - at;
		bool last;

		if (gso != 0 && n > gso)
			n = gso;
		last = at + n == len;
		piece.flags = last ? h->flags
				   : h->flags & (uint8_t) ~(FL_FIN | FL_PSH);
		piece.seq = h->seq + at;
		if (of(k)->n == WAIT_MAX)
			abort();
		sent_piece(of(k), &piece, n > 0 ? data + at : data, n, cookie,
			   last);
		at += n;
	} while (at < len);
	return 0;
}

/* The SUT's kernel answers ARP and neighbour solicitation. */
static int sink_raw_frame(struct sink *k, const uint8_t *b, uint32_t len,
			  uint64_t cookie)
{
	struct sim *s = of(k)->sim;
	struct ipaddr sut = frame_address(s, SIDE_SUT, 0);
	struct pkt *p = pkt_new(BUILD_RAW_MAX);
	struct arp_packet arp;
	struct nd_packet nd;
	size_t n = 0;

	if (get_be16(b + 12) == 0x0806 && len >= 42 &&
	    arp_parse(b + 14, len - 14u, &arp) == 0 && arp.op == 1 &&
	    ipaddr_eq(&arp.tpa, &sut))
		n = build_arp(p->data, 2, arp.sha, mac_sut, &sut, arp.sha,
			      &arp.spa);
	else if (get_be16(b + 12) == 0x86dd && len >= 78 &&
		 nd_parse(b + 54, len - 54u, &nd) == 0 && nd.type == 135 &&
		 ipaddr_eq(&nd.target, &sut)) {
		struct ipaddr from = ipaddr_from6(b + 14 + 8);

		n = build_na(p->data, b + 6, mac_sut, &sut, &from);
	}
	p->raw = true;
	p->len = (uint32_t)n;
	if (n > 0 && !is_mute(s))
		sim_at(s, s->now + NS_PER_MS, EV_ANSWER, p);
	else
		pkt_drop(p);
	p = pkt_new(0);
	p->raw = true;
	enqueue(of(k), p, cookie, true);
	return 0;
}

static void sink_end(struct sink *k)
{
	(void)k;
}

static const struct sink_ops ops = { sink_ip, sink_raw_frame, sink_flush_all,
				     sink_end };

/* --- effects --- */

static const uint8_t *mac_of(struct sim *s, uint8_t sut)
{
	static const uint8_t none[ETH_LEN];
	const uint8_t *mac = sutwire_mac(engine_wire(s->engine), sut);

	if (mac == NULL)
		return none;
	if (!s->pinned)
		sink_pin(&s->sink.sink, &s->sink.sink.dest[0].ip, mac);
	s->pinned = true;
	return mac;
}

static void send_all(struct sim *s, const struct effects *out)
{
	for (uint32_t i = 0; i < out->n; i++) {
		const struct effect *x = &out->e[i];
		const uint8_t *dst = mac_of(s, x->sut);
		struct tcp_header h;
		int r;

		if (s->pend_n >= PEND_MAX - 1 || s->sink.n > WAIT_MAX / 2)
			sink_flush(&s->sink.sink);
		*effect_of(s, s->effects) = *x;
		s->pend_n++;
		if (x->kind == EFFECT_RAW) {
			r = sink_raw(&s->sink.sink, x->raw, x->rawlen,
				     s->effects);
		} else {
			out_header(x, mac_own, dst, s->effects, &h);
			r = sink_tcp(&s->sink.sink, &h, effects_data(x), x->len,
				     x->gso, s->effects);
		}
		if (r != 0) {
			sim_fail(s, NULL, "I1: the sink refused %s (%d)",
				 cause_name(x->cause), r);
			take_back(s, s->effects, r);
		}
		s->effects++;
	}
}

/* --- turns --- */

static void grow(struct held **q, uint32_t *cap, uint32_t n)
{
	if (n < *cap)
		return;
	*cap = *cap == 0 ? 256 : 2 * *cap;
	*q = realloc(*q, *cap * sizeof(**q));
	if (*q == NULL)
		abort();
}

static void plan_turn(struct sim *s, uint64_t at)
{
	uint64_t soonest = (s->now / s->tick + 1) * s->tick;

	at = at <= soonest ? soonest : (at + s->tick - 1) / s->tick * s->tick;
	if (s->turn_at != 0 && s->turn_at <= at)
		return;
	s->turn_at = at;
	sim_at(s, at, EV_TURN, NULL);
}

void house_hold(struct sim *s, bool mirror, struct pkt *p)
{
	struct held h = { p, WALL + s->now };

	if (mirror) {
		grow(&s->mirror_q, &s->mirror_cap, s->mirror_n);
		s->mirror_q[s->mirror_n++] = h;
	} else {
		grow(&s->sut_q, &s->sut_cap, s->sut_n);
		s->sut_q[s->sut_n++] = h;
	}
	plan_turn(s, s->now);
}

void house_plan(struct sim *s)
{
	uint64_t next = engine_next_timeout(s->engine);

	if (next != UINT64_MAX)
		plan_turn(s, next);
}

/* What holds between two calls: it looks at every flow, so not after each call, but
 * whatever breaks is there still some calls later.
 */
static void check_now(struct sim *s)
{
	if (s->calls++ % CHECK_EVERY == 0)
		engine_check(s->engine);
}

static void feed(struct sim *s, enum engine_source from, const struct held *h)
{
	static uint8_t room[FRAME_ROOM];
	struct pkt *p = h->p;
	struct effects out;
	struct frame_info in = { .ts = h->ts, .link = LINK_ETHERNET };
	uint8_t *exact;

	if (p->raw) {
		in.cap = p->len;
		memcpy(room, p->data, p->len);
	} else {
		in.cap = frame_put(s, p, room);
		in.gso = p->client % 2 ? p->gso : 0;
		sim_pkt(s, from == ENGINE_MIRROR ? "shown" : "heard", p);
	}
	in.wire = in.cap;
	exact = malloc(in.cap); /* of exact size: ASan sees the byte too far */
	if (exact == NULL)
		abort();
	memcpy(exact, room, in.cap);
	in.data = exact;
	if (!p->raw && !p->bad) {
		if (from == ENGINE_MIRROR)
			check_shown(s, p);
		else
			check_answer(s, p);
	}
	engine_frame(s->engine, from, &in, s->now, &out);
	check_now(s);
	free(exact);
	send_all(s, &out);
	pkt_drop(p);
}

static void take(struct sim *s, enum engine_source from, struct held *q,
		 uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		feed(s, from, &q[i]);
		if (s->opt->batch != 0 && (i + 1) % s->opt->batch == 0)
			sink_flush(&s->sink.sink);
	}
	sink_flush(&s->sink.sink);
}

/* What a report is told of, byte for byte. */
static void digest_told(struct sim *s, const struct engine_item *t)
{
	bool verdict = t->kind == EVENT_VERDICT;
	const char *request = verdict ? t->text->request : t->event->request;
	uint8_t len = verdict ? t->text->request_len : t->event->request_len;
	uint64_t flow = verdict ? t->exchange->flow : t->event->flow;
	uint64_t now = verdict ? t->exchange->judged : t->event->now;

	digest(&s->digest, &t->kind, sizeof(t->kind));
	digest(&s->digest, &now, sizeof(now));
	digest(&s->digest, &flow, sizeof(flow));
	digest(&s->digest, request, len);
	if (s->opt->dump != NULL)
		fprintf(s->opt->dump, "%d %u %.*s %s\n", (int)t->kind,
			verdict ? t->exchange->index : t->event->index,
			(int)len, request,
			reason_name(verdict ? (enum compare_reason)
						      t->exchange->reason
					    : REASON_NONE));
}

static void events(struct sim *s)
{
	struct engine_item t;

	while (engine_take(s->engine, &t)) {
		if (t.kind != EVENT_VERDICT || t.text != NULL)
			digest_told(s, &t);
		check_told(s, &t);
	}
}

void house_turn(struct sim *s)
{
	struct effects out;
	uint32_t spin = 0;

	s->turn_at = 0;
	take(s, ENGINE_SUT, s->sut_q, s->sut_n);
	s->sut_n = 0;
	take(s, ENGINE_MIRROR, s->mirror_q, s->mirror_n);
	s->mirror_n = 0;
	while (engine_next_timeout(s->engine) <= s->now) {
		if (spin++ == SPIN_MAX) {
			sim_fail(s, NULL, "timeouts do not end");
			return;
		}
		engine_timeout(s->engine, s->now, &out);
		check_now(s);
		send_all(s, &out);
		if (engine_waits_due(s->engine)) {
			engine_note(s->engine, ENGINE_SUT_READ, 0, s->now,
				    &out);
			send_all(s, &out);
		}
	}
	turn_flush(s);
	events(s);
	check_turn(s);
	house_plan(s);
}

/* --- beginning and end --- */

void house_open(struct sim *s)
{
	struct engine_map *m = &s->cfg.map[0];
	struct emit_dest dest = { .ip = frame_address(s, SIDE_SUT, 0) };
	int r;

	m->prod = frame_address(s, SIDE_PROD, 0);
	m->bits = IPADDR_BITS;
	m->prod_port = SERVER_PORT;
	m->sut = dest.ip;
	m->sut_port = SERVER_PORT;
	s->cfg.maps = 1;
	memcpy(s->cfg.mac, mac_own, ETH_LEN);
	sink_init(&s->sink.sink, &ops, mac_own, &dest, 1, take_back, s);
	s->sink.sim = s;
	s->arena.size = arena_need(engine_size(&s->cfg));
	s->arena.base = aligned_alloc(ARENA_ALIGN, s->arena.size);
	if (s->arena.base == NULL)
		abort();
	memset(s->arena.base, 0, s->arena.size);
	r = engine_init(&s->engine, &s->arena, &s->cfg, s->now);
	if (r != 0) {
		sim_fail(s, NULL, "engine_init() returns %d", r);
		return;
	}
	house_plan(s);
}

void house_close(struct sim *s)
{
	bool more = true;

	for (uint32_t i = 0; more && i < SPIN_MAX; i++) {
		struct effects out;

		more = engine_stop(s->engine, s->now, &out);
		send_all(s, &out);
		events(s);
	}
	turn_flush(s);
	events(s);
	if (more)
		sim_fail(s, NULL, "the stop does not end");
}
