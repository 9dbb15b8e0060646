/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_wires.c - The engine between two wires, with several servers and SUTs
 *
 * Theory of operation
 *
 * fuzz_engine looks at one connection after the other, closely. This target looks
 * at what is round them: datagrams, tags, VXLAN, fragments, prefixes, two SUTs for
 * one server, ARP and neighbour discovery that is answered, late, by a stranger or
 * not at all, what the SUT says to others, and jumps of time.
 *
 * The input is {configuration, 4 bytes}, then {operation, a, b, c}. A "party" is
 * one of a few clients at one of a few servers; its numbers go on as if both sides
 * heard each other, with small slips. The SUTs answer the newest effect towards
 * each, or say anything.
 *
 * Of every effect: it goes to a SUT that --map names, at a port that it names, and
 * only when that SUT's hardware address is known; it comes from an address that
 * the mirror has shown as a client's, or from the probe, or refuses what the SUT
 * asked of somebody; its bytes can be read. A
 * stranger on the SUT's wire ends the run, as it does live. At the end nothing is
 * left in use and the sums are closed.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum.h"
#include "engine/engine.h"
#include "engine_sums.h"
#include "script/memory.h"
#include "wire/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS	   4
#define SERVERS	   6
#define SUTS	   4 /* addresses of SUTs; the last is IPv6 */
#define FRAME_MOST 2048
#define SPIN_MOST  100000u
#define WALL	   (UINT64_C(1700000000) * NS_PER_SEC)

/** struct party - A connection: next numbers of both sides */
struct party {
	uint32_t nxt[2];
};

#define ASKED 64

/* A SUT and an address of a network that it was asked from. */
struct ask {
	struct ipaddr ip;
	uint8_t sut;
};

struct wires {
	struct engine *e;
	struct engine_config cfg;
	uint64_t now;
	uint8_t auto_answers; /* 1: ARP and ND, 2: the probe, 4: TCP */
	bool other_way;	      /* of probes, those of the wire only */
	unsigned asked_n;
	struct ask asked[ASKED];
	uint16_t ip_id;
	struct party party[CLIENTS][SERVERS];
	struct effect newest[SUTS]; /* by index of the engine's */
	bool has_newest[SUTS];
	uint32_t nested; /* answers of answers */
};

static const uint8_t mac_own[ETH_LEN] = { 2, 0xaa, 0, 0, 0, 1 };
static const uint8_t mac_sut[ETH_LEN] = { 2, 0, 0, 0, 0, 5 };
static const uint8_t mac_other[ETH_LEN] = { 2, 0, 0, 0, 0, 7 };

static const char said[] =
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	"\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	"\x01"
	"a\x02"
	"bc\x00\x00\x01\x00\x01"
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
	"POST / HTTP/1.1\r\nContent-Length: 400\r\n\r\n";

static struct ipaddr v4(uint8_t b, uint8_t c, uint8_t d)
{
	uint8_t p[4] = { 10, b, c, d };

	return ipaddr_from4(p);
}

static struct ipaddr v6(uint8_t net, uint8_t host)
{
	uint8_t p[16] = { 0xfd, net };

	p[15] = host;
	return ipaddr_from6(p);
}

/* The servers: mapped ones first, then one nobody maps, then a SUT. */
static struct ipaddr server_addr(unsigned n)
{
	static const uint8_t last[] = { 1, 2, 77, 0, 200 };

	if (n == 3)
		return v6(2, 1);
	if (n == 5)
		return v4(9, 0, 1);
	return v4(2, n == 4, last[n]);
}

static struct ipaddr client_addr(unsigned n, bool six)
{
	return six ? v6(1, (uint8_t)(n + 1)) : v4(1, 0, (uint8_t)(n + 1));
}

static uint16_t server_port(unsigned n, bool udp)
{
	static const uint16_t ports[SERVERS] = { 80, 53, 443, 80, 80, 80 };

	return udp && n < 3 ? 53 : ports[n];
}

static struct ipaddr sut_addr(unsigned n)
{
	return n == SUTS - 1 ? v6(9, 1) : v4(9, 0, (uint8_t)(n + 1));
}

static void add_map(struct wires *w, unsigned server, uint8_t bits,
		    uint16_t port, unsigned sut, uint16_t sut_port)
{
	struct engine_map *m = &w->cfg.map[w->cfg.maps++];

	m->prod = server_addr(server);
	m->bits = bits;
	m->prod_port = port;
	m->sut = sut_addr(sut);
	m->sut_port = sut_port;
}

static void configure(struct wires *w, const uint8_t *p)
{
	struct engine_config *c = &w->cfg;

	engine_defaults(c);
	c->limits.flows = p[0] & 1 ? 4 : 16;
	c->limits.pool = BUF_TOP;
	c->limits.flow_share = BUF_TOP / 2;
	c->limits.frags = 2;
	c->shadow.midstream = (p[0] & 2) == 0;
	c->shadow.gso = (p[0] & 4) != 0;
	if (p[0] & 8)
		c->shadow.sut_silent = NS_PER_SEC;
	if (p[0] & 16)
		c->shadow.idle = 5 * NS_PER_SEC;
	c->compare = (enum compare_level)((p[0] >> 5) % 3);
	c->sample = p[1] & 1 ? SAMPLE_ALL / 2 : SAMPLE_ALL;
	if ((p[1] & 6) != 0)
		c->decap = (struct decap){ .kinds = DECAP_ALL,
					   .most = DECAP_DEEP,
					   .keyed = (p[1] & 2) == 0,
					   .key = 7 };
	c->open_csum = (p[1] & 8) != 0;
	c->sut_none = (p[1] & 0x70) == 0x70;
	c->key = (struct hash_key){ { 5, 6 } };
	memcpy(c->mac, mac_own, ETH_LEN);
	w->auto_answers = p[2] & 7;
	add_map(w, 0, IPADDR_BITS, 80, 0, 0);
	if (p[2] & 8) /* a second SUT for the same server */
		add_map(w, 0, IPADDR_BITS, 80, 1, 8080);
	add_map(w, 1, IPADDR_BITS, 53, p[2] & 16 ? 1 : 0, 53);
	if (p[2] & 32)
		add_map(w, 3, IPADDR_BITS, 80, 3, 0);
	if (p[2] & 64) { /* a prefix, any port */
		add_map(w, 2, IPADDR_BITS - 8, 0, 2, 0);
		c->map[c->maps - 1].prod = v4(2, 0, 0);
	}
	if (p[2] & 128) {
		c->skips = 1;
		c->skip[0].net = client_addr(3, false);
		c->skip[0].bits = IPADDR_BITS;
	}
	c->prove_each = (p[3] & 2) != 0;
	w->other_way = (p[3] & 4) != 0;
	if (p[3] & 1) {
		c->sut_pinned = true;
		memcpy(c->sut_mac, mac_sut, ETH_LEN);
	}
}

/* --- effects --- */

static void give(struct wires *w, enum engine_source from, const uint8_t *p,
		 size_t len);

static bool is_client(const struct ipaddr *ip)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct ipaddr four = client_addr(i, false);
		struct ipaddr six = client_addr(i, true);

		if (ipaddr_eq(ip, &four) || ipaddr_eq(ip, &six))
			return true;
	}
	return false;
}

/* 198.18.0.0/15 and 2001:db8::/32 */
static bool is_probe(const struct ipaddr *ip)
{
	return ipaddr_is4(ip) ? ip->b[12] == 198 && (ip->b[13] & 254) == 18
			      : get_be32(ip->b) == 0x20010db8;
}

static bool same_net(const struct ipaddr *a, const struct ipaddr *b)
{
	return prove_bits(a) == prove_bits(b) && ipaddr_in(a, b, prove_bits(a));
}

static bool was_asked(const struct wires *w, const struct ipaddr *ip,
		      uint8_t sut)
{
	for (unsigned i = 0; i < w->asked_n; i++)
		if (w->asked[i].sut == sut && same_net(ip, &w->asked[i].ip))
			return true;
	return false;
}

/* A network's own probe: from a neighbour of a client's who is nobody. */
static bool is_neighbour(struct wires *w, const struct effect *e)
{
	bool known = false;

	for (unsigned i = 0; i < 2 * CLIENTS && !known; i++) {
		struct ipaddr c = client_addr(i / 2, i % 2);

		known = same_net(&e->src, &c);
	}
	for (unsigned i = 0; i < SUTS; i++) {
		struct ipaddr sut = sut_addr(i);

		if (ipaddr_eq(&sut, &e->src))
			return false;
	}
	if (ipaddr_is4(&e->src) && (e->src.b[15] < 2 || e->src.b[15] > 253))
		return false;
	if (known && !was_asked(w, &e->src, e->sut) && w->asked_n < ASKED)
		w->asked[w->asked_n++] = (struct ask){ e->src, e->sut };
	return known;
}

static bool is_mapped(const struct wires *w, const struct effect *e)
{
	for (uint32_t i = 0; i < w->cfg.maps; i++) {
		const struct engine_map *m = &w->cfg.map[i];
		uint16_t port = m->sut_port ? m->sut_port : m->prod_port;

		if (ipaddr_eq(&m->sut, &e->dst) &&
		    (port == 0 || port == e->dport))
			return true;
	}
	return false;
}

static void check_effect(struct wires *w, const struct effect *e)
{
	const struct sutwire *wire = engine_wire(w->e);
	volatile uint8_t sum = 0;

	assert(!w->cfg.sut_none);
	if (e->kind == EFFECT_RAW) {
		assert(e->rawlen >= 14 && e->rawlen <= EFFECT_RAW_MAX);
		assert(memcmp(e->raw + ETH_LEN, mac_own, ETH_LEN) == 0);
		assert((e->raw[0] & 1) || !memcmp(e->raw, mac_sut, ETH_LEN) ||
		       !memcmp(e->raw, mac_other, ETH_LEN));
		return;
	}
	assert(engine_sut(w->e, &e->dst) == e->sut);
	assert(sutwire_mac(wire, e->sut) != NULL);
	/* A refusal goes to a port of the SUT's own, from whom it had asked. */
	assert(e->cause == CAUSE_OUTSIDE
		       ? w->cfg.refuse && e->flags == (TCP_RST | TCP_ACK)
		       : is_mapped(w, e));
	assert(e->cause == CAUSE_PROBE
		       ? is_probe(&e->src) || is_neighbour(w, e)
		       : is_client(&e->src) || e->cause == CAUSE_STRAY_RST ||
				 e->cause == CAUSE_OUTSIDE);
	if (w->cfg.prove_each && e->cause != CAUSE_PROBE &&
	    e->cause != CAUSE_STRAY_RST && e->cause != CAUSE_OUTSIDE &&
	    w->asked_n < ASKED)
		assert(was_asked(w, &e->src, e->sut));
	assert(e->len == 0 || e->frame != NULL);
	for (uint32_t i = 0; i < e->len; i++)
		sum = sum ^ effects_data(e)[i];
}

static void answer_raw(struct wires *w, const struct effect *e,
		       const uint8_t *mac)
{
	uint8_t buf[BUILD_RAW_MAX];
	struct arp_packet arp;
	struct nd_packet nd;

	if (get_be16(e->raw + 12) == 0x0806 &&
	    arp_parse(e->raw + 14, e->rawlen - 14u, &arp) == 0 && arp.op == 1)
		give(w, ENGINE_SUT, buf,
		     build_arp(buf, 2, arp.sha, mac, &arp.tpa, arp.sha,
			       &arp.spa));
	else if (get_be16(e->raw + 12) == 0x86dd && e->rawlen >= 54 &&
		 nd_parse(e->raw + 54, e->rawlen - 54u, &nd) == 0 &&
		 nd.type == 135) {
		struct ipaddr from = ipaddr_from6(e->raw + 22);

		give(w, ENGINE_SUT, buf,
		     build_na(buf, e->raw + 6, mac, &nd.target, &from));
	}
}

/* What the SUT says to @e, an effect towards it. */
static void answer(struct wires *w, const struct effect *e, uint8_t flags,
		   const uint8_t *data, uint32_t len, const uint8_t *mac)
{
	uint8_t buf[FRAME_MOST];
	struct tcp_header h = { .src = e->dst,
				.dst = e->src,
				.sport = e->dport,
				.dport = e->sport,
				.seq = e->flags & TCP_SYN ? 1000 : e->ack,
				.ack = e->seq + e->len +
				       ((e->flags & (TCP_SYN | TCP_FIN)) != 0),
				.flags = flags,
				.ttl = 64,
				.win = 30000 };
	size_t n;

	memcpy(h.eth_src, mac, ETH_LEN);
	memcpy(h.eth_dst, mac_own, ETH_LEN);
	n = e->kind == EFFECT_UDP ? build_udp(buf, &h, data, len, CSUM_FULL)
				  : build_tcp(buf, &h, data, len, CSUM_FULL);
	memcpy(buf + n, data, len);
	give(w, ENGINE_SUT, buf, n + len);
}

static void respond(struct wires *w, const struct effect *e)
{
	if (e->kind == EFFECT_RAW) {
		if (w->auto_answers & 1)
			answer_raw(w, e, mac_sut);
	} else if (e->cause == CAUSE_PROBE) {
		if ((w->auto_answers & 2) && (e->flags & TCP_SYN) &&
		    (!w->other_way || is_probe(&e->src)))
			answer(w, e, TCP_SYN | TCP_ACK, (const uint8_t *)said,
			       0, mac_sut);
	} else if (e->sut < SUTS) {
		w->newest[e->sut] = *e;
		w->newest[e->sut].frame = NULL;
		w->has_newest[e->sut] = true;
		if ((w->auto_answers & 4) && e->kind == EFFECT_TCP &&
		    (e->len > 0 || (e->flags & (TCP_SYN | TCP_FIN))))
			answer(w, e,
			       e->flags & TCP_SYN ? TCP_SYN | TCP_ACK : TCP_ACK,
			       (const uint8_t *)said, 0, mac_sut);
	}
}

static void take(struct wires *w, struct effects *out)
{
	w->nested++;
	for (uint32_t i = 0; i < out->n; i++)
		check_effect(w, &out->e[i]);
	for (uint32_t i = 0; i < out->n; i++) {
		if (w->nested < 8)
			respond(w, &out->e[i]);
		if (out->e[i].timed)
			engine_left(w->e, &out->e[i], out->e[i].seq);
		engine_sent(w->e, &out->e[i]);
	}
	w->nested--;
}

static void drain(struct wires *w)
{
	struct engine_item t;

	while (engine_take(w->e, &t)) {
		assert(t.text == NULL || t.text->request_len <= RECORD_REQUEST);
		assert(t.event == NULL ||
		       t.event->request_len <= RECORD_REQUEST);
	}
}

static void give(struct wires *w, enum engine_source from, const uint8_t *p,
		 size_t len)
{
	struct effects out = { .n = 0 };
	uint8_t *exact = malloc(len);
	struct frame_info in = { .data = exact,
				 .cap = (uint32_t)len,
				 .wire = (uint32_t)len,
				 .ts = WALL + w->now,
				 .link = LINK_ETHERNET };

	if (exact == NULL)
		abort();
	memcpy(exact, p, len);
	engine_frame(w->e, from, &in, w->now, &out);
	engine_check(w->e);
	free(exact);
	take(w, &out);
	drain(w);
}

static void settle(struct wires *w)
{
	for (uint32_t i = 0; engine_next_timeout(w->e) <= w->now; i++) {
		struct effects out = { .n = 0 };

		assert(i < SPIN_MOST);
		engine_timeout(w->e, w->now, &out);
		engine_check(w->e);
		take(w, &out);
		if (engine_waits_due(w->e)) {
			engine_note(w->e, ENGINE_SUT_READ, 0, w->now, &out);
			take(w, &out);
		}
		drain(w);
	}
}

/* Let time pass; @jump: all at once, as a suspended machine does. */
static void pass(struct wires *w, uint64_t ns, bool jump)
{
	uint64_t until = w->now + ns;

	for (uint32_t i = 0; !jump && engine_next_timeout(w->e) <= until; i++) {
		uint64_t next = engine_next_timeout(w->e);

		assert(i < SPIN_MOST);
		w->now = next > w->now ? next : w->now;
		settle(w);
	}
	w->now = until;
	settle(w);
}

/* --- frames of the mirror --- */

/* Put 4 bytes of tag behind the hardware addresses. */
static size_t tag(uint8_t *buf, size_t n, uint16_t type, uint16_t vid)
{
	memmove(buf + 16, buf + 12, n - 12);
	put_be16(buf + 12, type);
	put_be16(buf + 14, vid);
	return n + 4;
}

/* Put the frame into VXLAN between two other hosts. */
static size_t wrap(uint8_t *buf, size_t n, uint32_t vni)
{
	uint8_t outer[FRAME_MOST], inner[FRAME_MOST];
	struct tcp_header h = { .src = v4(7, 0, 1),
				.dst = v4(7, 0, 2),
				.sport = 5000,
				.dport = 4789,
				.ttl = 64 };
	size_t head;

	put_be32(inner, 0x08000000);
	put_be32(inner + 4, vni << 8);
	memcpy(inner + 8, buf, n);
	head = build_udp(outer, &h, inner, (uint32_t)n + 8, CSUM_FULL);
	memcpy(buf, outer, head);
	memcpy(buf + head, inner, n + 8);
	return head + n + 8;
}

/* Send an IPv4 frame in two fragments, in either order. */
static void in_fragments(struct wires *w, const uint8_t *buf, size_t n,
			 bool swap)
{
	uint8_t part[2][FRAME_MOST];
	size_t len[2], cut = (n - 34) / 16 * 8;

	len[0] = 34 + cut;
	len[1] = n - cut;
	memcpy(part[0], buf, len[0]);
	memcpy(part[1], buf, 34);
	memcpy(part[1] + 34, buf + 34 + cut, n - 34 - cut);
	for (int i = 0; i < 2; i++) {
		put_be16(part[i] + 16, (uint16_t)(len[i] - 14));
		put_be16(part[i] + 20, i == 0 ? 0x2000 : (uint16_t)(cut / 8));
		put_be16(part[i] + 24, 0);
		put_be16(part[i] + 24,
			 (uint16_t)~csum_fold(csum_add(0, part[i] + 14, 20)));
	}
	give(w, ENGINE_MIRROR, part[swap], len[swap]);
	give(w, ENGINE_MIRROR, part[!swap], len[!swap]);
}

/* The mirror sees @buf as @how says. */
static void mirrored(struct wires *w, uint8_t *buf, size_t n, uint8_t how)
{
	switch (how & 15) {
	case 1:
		n = tag(buf, n, 0x8100, 5);
		break;
	case 2:
		n = tag(buf, n, 0x8100, 5);
		n = tag(buf, n, 0x88a8, 6);
		break;
	case 3:
		n = wrap(buf, n, 7);
		break;
	case 4:
		n = tag(buf, n, 0x8100, 5);
		n = wrap(buf, n, 8);
		n = tag(buf, n, 0x8100, 9);
		break;
	case 5:
	case 6:
		if (get_be16(buf + 12) == 0x0800 && n >= 34 + 16) {
			in_fragments(w, buf, n, (how & 1) != 0);
			return;
		}
		break;
	case 7:
		n = n * 3 / 4; /* cut, and the wire knows no better */
		break;
	default:
		break;
	}
	give(w, ENGINE_MIRROR, buf, n);
}

static void header(struct wires *w, struct tcp_header *h, unsigned client,
		   unsigned server, bool up, bool udp)
{
	struct ipaddr s = server_addr(server);
	struct ipaddr c = client_addr(client, !ipaddr_is4(&s));
	uint16_t cport = (uint16_t)(40000 + client);

	*h = (struct tcp_header){ .src = up ? c : s,
				  .dst = up ? s : c,
				  .ttl = 60,
				  .win = 20000,
				  .ip_id = w->ip_id++ };
	h->sport = up ? cport : server_port(server, udp);
	h->dport = up ? server_port(server, udp) : cport;
}

static void mirror_tcp(struct wires *w, uint8_t op, const uint8_t *p)
{
	static const uint8_t flags[8] = {
		TCP_SYN,	   TCP_ACK,	     TCP_ACK | TCP_PSH,
		TCP_ACK | TCP_PSH, TCP_ACK,	     TCP_FIN | TCP_ACK,
		TCP_RST | TCP_ACK, TCP_ACK | TCP_URG
	};
	unsigned client = p[0] & 3, server = (p[0] >> 2 & 7) % SERVERS;
	bool up = (op & 1) == 0;
	struct party *y = &w->party[client][server];
	uint32_t from = p[2] % (sizeof(said) - 1);
	uint32_t len = (p[1] & 6) == 2 || (p[1] & 7) == 7
			       ? p[2] % 64 + (p[1] & 64 ? 400u : 0u)
			       : 0;
	uint8_t buf[FRAME_MOST], text[FRAME_MOST];
	struct tcp_header h;
	size_t n;

	header(w, &h, client, server, up, false);
	h.flags = flags[p[1] & 7];
	if (h.flags == TCP_SYN) {
		h.flags = up ? TCP_SYN : TCP_SYN | TCP_ACK;
		y->nxt[!up] = up ? 0xffffff00 : 0x7fffff00;
	}
	h.seq = y->nxt[!up] - (p[1] & 8 ? p[2] % 16 : 0);
	h.ack = h.flags & TCP_ACK ? y->nxt[up] : 0;
	h.urg = h.flags & TCP_URG ? 3 : 0;
	for (uint32_t i = 0; i < len; i++)
		text[i] = (uint8_t)said[(from + i) % (sizeof(said) - 1)];
	n = build_tcp(buf, &h, text, len, CSUM_FULL);
	memcpy(buf + n, text, len);
	if ((p[1] & 8) == 0)
		y->nxt[!up] += len + ((h.flags & (TCP_SYN | TCP_FIN)) != 0);
	mirrored(w, buf, n + len, (uint8_t)(op >> 4 | (p[1] & 0x30) >> 2));
}

static void mirror_udp(struct wires *w, uint8_t op, const uint8_t *p)
{
	static const uint8_t query[] = "\0\0\1\0\0\1\0\0\0\0\0\0\1a\2bc\0\0\1"
				       "\0\1\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4"
				       "\1\2\3\4";
	unsigned client = p[0] & 3, server = (p[0] >> 2 & 7) % SERVERS;
	bool up = (op & 1) == 0;
	uint8_t buf[FRAME_MOST], text[FRAME_MOST];
	uint32_t len = sizeof(query) - 1;
	struct tcp_header h;
	size_t n;

	header(w, &h, client, server, up, true);
	memcpy(text, query, len);
	text[1] = p[1] & 3;
	if (up)
		len -= 16;
	else
		text[2] = 0x81, text[7] = 1;
	if (p[1] & 4)
		text[13 + p[2] % 8] ^= p[2];
	if (p[1] & 8)
		len = p[2] % len + 1;
	n = build_udp(buf, &h, text, len, CSUM_FULL);
	memcpy(buf + n, text, len);
	mirrored(w, buf, n + len, (uint8_t)(p[1] >> 4));
}

/* --- frames of the SUT's wire --- */

/* A SUT answers the newest that came, in one way or another. */
static void sut_answers(struct wires *w, const uint8_t *p)
{
	static const uint8_t flags[8] = {
		TCP_SYN | TCP_ACK, TCP_ACK,	      TCP_ACK | TCP_PSH,
		TCP_ACK,	   TCP_FIN | TCP_ACK, TCP_RST | TCP_ACK,
		TCP_RST,	   TCP_ACK | TCP_PSH
	};
	unsigned sut = p[0] & 3;
	uint32_t from = p[2] % 64;
	uint32_t len = p[1] & 2 ? p[2] % (uint32_t)(sizeof(said) - 64) : 0;

	if (w->has_newest[sut])
		answer(w, &w->newest[sut], flags[p[1] & 7],
		       (const uint8_t *)said + from, len,
		       (p[1] & 0xf0) == 0xf0 ? mac_other : mac_sut);
}

/* The SUT goes out by itself: to anywhere, or asks for a neighbour. */
static void sut_speaks(struct wires *w, const uint8_t *p)
{
	struct ipaddr to = p[1] & 1 ? v4(100, 0, p[2]) : server_addr(p[2] % 6);
	uint8_t buf[FRAME_MOST];
	struct tcp_header h = { .src = sut_addr(p[0] & 3),
				.dst = to,
				.sport = (uint16_t)(p[1] & 2 ? 80 : 33000),
				.dport = (uint16_t)(p[1] & 4 ? 53 : 40000),
				.seq = p[2],
				.flags = p[1] & 8 ? TCP_SYN : TCP_ACK,
				.ttl = 64 };
	struct ipaddr own = h.src;

	if (ipaddr_is4(&h.src) != ipaddr_is4(&to))
		return;
	memcpy(h.eth_src, mac_sut, ETH_LEN);
	memcpy(h.eth_dst, p[1] & 16 ? mac_other : mac_own, ETH_LEN);
	if ((p[1] & 0x60) == 0x60 && ipaddr_is4(&to))
		give(w, ENGINE_SUT, buf,
		     build_arp(buf, 1, mac_other, mac_sut, &own, NULL, &to));
	else if (p[1] & 0x40)
		give(w, ENGINE_SUT, buf,
		     build_udp(buf, &h, NULL, 0, CSUM_FULL));
	else
		give(w, ENGINE_SUT, buf,
		     build_tcp(buf, &h, NULL, 0, CSUM_FULL));
}

/* Late, gratuitous or foreign answers to the engine's own questions. */
static void resolve(struct wires *w, const uint8_t *p)
{
	const uint8_t *mac = p[1] & 1 ? mac_other : mac_sut;
	struct ipaddr sut = sut_addr(p[0] & 3);
	struct ipaddr ask = client_addr(p[2] & 3, !ipaddr_is4(&sut));
	uint8_t buf[BUILD_RAW_MAX];
	size_t n;

	if (ipaddr_is4(&sut))
		n = build_arp(buf, p[1] & 2 ? 2 : 1, mac_own, mac, &sut,
			      mac_own, p[1] & 4 ? &sut : &ask);
	else if (p[1] & 2)
		n = build_na(buf, mac_own, mac, &sut, &ask);
	else
		n = build_ns(buf, mac, &sut, &ask);
	give(w, ENGINE_SUT, buf, n);
}

static void operation(struct wires *w, const uint8_t *p)
{
	switch (p[0] & 15) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
		mirror_tcp(w, p[0], p + 1);
		break;
	case 6:
	case 7:
		mirror_udp(w, p[0], p + 1);
		break;
	case 8:
	case 9:
		sut_answers(w, p + 1);
		break;
	case 10:
		sut_speaks(w, p + 1);
		break;
	case 11:
		resolve(w, p + 1);
		break;
	case 12:
		w->auto_answers = p[1] & 7;
		break;
	case 13:
		pass(w, p[1] * (NS_PER_SEC / 4), (p[2] & 1) != 0);
		break;
	case 14:
		if (p[1] < 4) /* an hour */
			pass(w, 3600 * NS_PER_SEC, true);
		break;
	default:
		pass(w, p[1] * NS_PER_MS, (p[2] & 1) != 0);
		break;
	}
	settle(w);
}

static bool is_over(const struct wires *w)
{
	return !w->cfg.sut_none &&
	       sutwire_stop(engine_wire(w->e))->reason != SUTWIRE_GOING;
}

static void finish(struct wires *w)
{
	struct engine_occupancy o;
	const char *wrong;
	bool more = true;

	for (uint32_t i = 0; more; i++) {
		struct effects out = { .n = 0 };

		assert(i < SPIN_MOST);
		more = engine_stop(w->e, w->now, &out);
		take(w, &out);
		drain(w);
	}
	engine_occupancy(w->e, w->now, &o);
	assert(o.pool_used == 0 && o.flows == 0 && o.timers == 0);
	assert(o.datagrams == 0);
	wrong = frame_sums(engine_stats(w->e));
	if (wrong == NULL)
		wrong = verdict_sums(w->e);
	if (wrong != NULL) {
		fprintf(stderr, "not so: %s\n", wrong);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wires w;
	static struct arena kept;
	struct arena a;
	int r;

	if (size < 8 || size > 2000)
		return 0;
	memset(&w, 0, sizeof(w));
	w.now = NS_PER_SEC;
	configure(&w, data);
	a = memory_take(&kept, engine_size(&w.cfg));
	r = engine_init(&w.e, &a, &w.cfg, w.now);
	assert(r == 0);
	(void)r;
	settle(&w);
	for (size_t at = 4; at + 4 <= size && !is_over(&w); at += 4)
		operation(&w, data + at);
	finish(&w);
	return 0;
}
