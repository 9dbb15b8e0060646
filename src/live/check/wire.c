/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.c - The hops of the SUT's wire
 *
 * Theory of operation
 *
 * The guard of the wire (sutwire) is driven by a small loop until it knows what
 * a hop asks. It is a machine of its own clockwork: each hop goes on where the
 * one before left it. A SUT is looked for once for each of its ports, since a
 * server may be missing on one of them.
 */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>

#include "bpf/guard.h"
#include "check/doctor.h"
#include "os/clock.h"
#include "os/mem.h"
#include "os/random.h"
#include "run/out.h"
#include "run/wire_stop.h"
#include "text/text.h"
#include "wire/decode.h"
#include "wire/peek.h"

#define ANSWER_WAIT (3 * NS_PER_SEC)
#define PROBE_WAIT  ((SUTWIRE_PROBE_TRIES + 1) * SUTWIRE_PROBE_WAIT)
#define ASTRAY_WAIT (8 * NS_PER_SEC) /* for a neighbour that is gone */
#define WATCH_FOR   (2 * NS_PER_SEC) /* for strangers */
#define POLL_MS	    20
#define PORT_HTTP   80 /* where neither side of a --map has a port */

int hop_wire_exists(void *ctx)
{
	struct doctor *d = ctx;
	const char *dev = d->o->sut_dev;

	if (if_nametoindex(dev) == 0) {
		hop_fail("SUT's wire: there is no interface %s", dev);
		return hop_remedy("ip -brief link  # and name another with "
				  "--sut-dev");
	}
	return hop_ok("SUT's wire: %s is there", dev);
}

int hop_wire_free(void *ctx)
{
	struct doctor *d = ctx;
	const char *dev = d->o->sut_dev;
	char text[GUARD_WHY_TEXT];
	struct guard_why why;
	int rc = guard_in_use(dev, &why);

	if (rc)
		return hop_fail("SUT's wire: %s: %s", dev, strerror(-rc));
	if (why.use == GUARD_FREE)
		return hop_ok("SUT's wire: %s is not in use", dev);
	hop_fail("SUT's wire: %s is in use: %s", dev,
		 guard_why_text(&why, text));
	switch (why.where == GUARD_SELF ? why.use : GUARD_FREE) {
	case GUARD_ADDRESS:
		return hop_remedy("ip address flush dev %s", dev);
	case GUARD_ROUTE:
		return hop_remedy("ip route flush dev %s; ip -6 route flush "
				  "dev %s",
				  dev, dev);
	case GUARD_MASTER:
		return hop_remedy("ip link set dev %s nomaster", dev);
	case GUARD_UPPER:
		return hop_remedy("ip link delete dev %s", why.other);
	default:
		return hop_remedy("name another interface with --sut-dev");
	}
}

int hop_wire_guard(void *ctx)
{
	struct doctor *d = ctx;
	const char *dev = d->o->sut_dev;
	struct errbuf e = { "" };
	int rc = guard_attach(dev, &e);

	if (rc == 0)
		rc = guard_link_up(dev, &e);
	if (rc) {
		hop_fail("SUT's wire: %s", e.s);
		return hop_remedy("tc filter show dev %s ingress; tc filter "
				  "show dev %s egress  # who else is there?",
				  dev, dev);
	}
	return hop_ok("SUT's wire: %s is guarded: the kernel is silent on "
		      "it",
		      dev);
}

int hop_wire_link(void *ctx)
{
	struct doctor *d = ctx;
	const char *dev = d->o->sut_dev;

	if (!doctor_carrier(dev)) {
		hop_fail("SUT's wire: %s has no carrier", dev);
		return hop_remedy("plug the cable in, or on the SUT: ip link "
				  "set dev DEV up");
	}
	return hop_ok("SUT's wire: %s is up", dev);
}

/* --- the machine of the wire --- */

static void on_done(void *ctx, uint64_t cookie, int err)
{
	(void)ctx;
	(void)cookie;
	(void)err;
}

/* An entry for each address and port that a --map plays to. */
static void list_suts(struct doctor *d)
{
	const struct engine_config *c = &d->o->engine;

	for (uint32_t m = 0; m < c->maps; m++) {
		const struct engine_map *map = &c->map[m];
		uint16_t port = map->sut_port ? map->sut_port : map->prod_port;
		struct sutwire_sut s = { .ip = map->sut,
					 .port = port ? port : PORT_HTTP,
					 .index = (uint8_t)d->suts,
					 .pinned = c->sut_pinned };
		uint32_t i = 0;

		memcpy(s.mac, c->sut_mac, ETH_LEN);
		while (i < d->suts && (d->sut[i].port != s.port ||
				       !ipaddr_eq(&d->sut[i].ip, &s.ip)))
			i++;
		if (i < d->suts)
			continue;
		d->sut_map[d->suts] = m;
		d->sut[d->suts++] = s;
	}
}

/* Take all that it needs of the kernel; its time begins with hop_neighbour().
 */
static int take_machine(struct doctor *d)
{
	int rc = random_bytes(&d->seed, sizeof(d->seed));

	if (rc == 0)
		rc = mem_take(&d->mem,
			      arena_need(sutwire_size()) +
				      prove_size(DOCTOR_PROOFS),
			      0);
	return rc ? rc : networks_init(d);
}

static int start_machine(struct doctor *d)
{
	struct sutwire_cfg cfg = { .sut = d->sut,
				   .suts = d->suts,
				   .also = d->o->engine.also,
				   .alsos = d->o->engine.alsos,
				   .ask = true,
				   .seed = d->seed };

	memcpy(cfg.mac, d->packet.sink.mac, ETH_LEN);
	return sutwire_init(&d->wire, &d->mem, &cfg, clock_mono());
}

int hop_wire_open(void *ctx)
{
	struct doctor *d = ctx;
	struct ring_opts ro = { .ifname = d->o->sut_dev,
				.version = RING_V2,
				.bytes = d->o->sut_ring != 0 ? d->o->sut_ring
							     : RING_SUT_LEAST,
				.promisc = true };
	struct emit_dest dest[MAP_MAX];
	struct errbuf e = { "" };
	uint8_t dev[ETH_LEN];
	uint8_t mac[ETH_LEN];
	int rc = ring_open(&d->wire_ring, &ro, &e);

	list_suts(d);
	memset(dest, 0, sizeof(dest));
	for (uint32_t i = 0; i < d->suts; i++)
		dest[i].ip = d->sut[i].ip;
	if (rc == 0)
		rc = ring_mac(&d->wire_ring, dev);
	if (rc == 0) {
		packet_private_mac(mac, dev);
		rc = packet_open(&d->packet, d->o->sut_dev, mac, dest, d->suts,
				 on_done, NULL, &e);
	}
	if (rc == 0)
		rc = take_machine(d);
	if (rc) {
		hop_fail("SUT's wire: %s",
			 e.s[0] != '\0' ? e.s : strerror(-rc));
		return hop_remedy("give less with --sut-ring, or name an "
				  "Ethernet interface with --sut-dev");
	}
	return hop_ok("SUT's wire: %s is open", d->o->sut_dev);
}

void doctor_wire_close(struct doctor *d)
{
	ring_close(&d->wire_ring);
	if (d->packet.batch)
		sink_close(&d->packet.sink);
	mem_give(&d->mem);
}

static void carry_out(struct doctor *d, const struct effects *out)
{
	struct sink *k = &d->packet.sink;

	for (uint32_t i = 0; i < out->n; i++) {
		const struct effect *x = &out->e[i];
		const uint8_t *mac = sutwire_mac(d->wire, x->sut);
		struct tcp_header h;

		if (mac)
			sink_pin(k, &d->sut[x->sut].ip, mac);
		if (x->kind == EFFECT_RAW) {
			sink_raw(k, x->raw, x->rawlen, 0);
		} else if (mac) {
			out_header(x, k->mac, mac, d->sent++, &h);
			sink_tcp(k, &h, NULL, 0, 0, 0);
		}
	}
	sink_flush(k);
}

/* Who refused a probe that was just answered by a RST? */
static void note_refusal(struct doctor *d, const struct segment *s)
{
	for (uint32_t i = 0; i < d->suts; i++)
		if (d->sut[i].port == s->sport &&
		    ipaddr_eq(&d->sut[i].ip, &s->src))
			d->refused[i] = true;
}

/* An ICMP error about a SYN of ours is a firewall's: its way back is right. */
static void note_reject(struct doctor *d, const struct frame_info *in)
{
	struct peek p;

	peek_frame(LINK_ETHERNET, in->data, in->cap, &p);
	if (!p.error || p.depth != PEEK_PORTS || p.proto != PROTO_TCP ||
	    memcmp(p.eth_dst, d->packet.sink.mac, ETH_LEN) != 0)
		return;
	for (uint32_t i = 0; i < d->suts; i++) {
		if (d->sut[i].port != p.dport ||
		    !ipaddr_eq(&d->sut[i].ip, &p.dst))
			continue;
		d->rejected[i] = true;
		d->reject_of[i] = p.src;
	}
}

/* A segment of a SUT that the wire has no use for. */
static void answer_proof(struct doctor *d, const struct decoded *dec,
			 struct effects *out)
{
	const struct segment *s = &dec->seg;
	bool ours = memcmp(dec->eth_dst, d->packet.sink.mac, ETH_LEN) == 0;

	for (uint32_t i = 0; i < d->suts; i++)
		if (d->sut[i].port == s->sport &&
		    ipaddr_eq(&d->sut[i].ip, &s->src))
			prove_segment(d->prove, (uint8_t)i, s, ours,
				      clock_mono(), out);
}

static void take_frame(struct doctor *d, const struct frame_info *in)
{
	uint64_t rst = sutwire_stats(d->wire)->probe_rst;
	struct effects out;
	struct decoded dec;
	enum decode_result r = frame_decode(in, NULL, 0, &dec);

	out.n = 0;
	if (sutwire_frame(d->wire, in, r, &dec, clock_mono(), &out) ==
		    SUTWIRE_PASSED &&
	    r == DECODE_TCP)
		answer_proof(d, &dec, &out);
	if (sutwire_stats(d->wire)->probe_rst > rst)
		note_refusal(d, &dec.seg);
	if (r == DECODE_ICMP)
		note_reject(d, in);
	carry_out(d, &out);
}

static bool stopped(const struct doctor *d)
{
	return sutwire_stop(d->wire)->reason != SUTWIRE_GOING;
}

void doctor_drive(struct doctor *d, uint64_t wait,
		  bool (*enough)(const struct doctor *d))
{
	uint64_t end = clock_mono() + wait;
	struct effects out;
	struct ring_frame f;

	while (clock_mono() < end && !stopped(d) && !enough(d)) {
		out.n = 0;
		sutwire_timeout(d->wire, clock_mono(), &out);
		carry_out(d, &out);
		out.n = 0;
		prove_timeout(d->prove, clock_mono(), &out);
		carry_out(d, &out);
		ring_wait(&d->wire_ring, POLL_MS);
		while (ring_next(&d->wire_ring, &f)) {
			take_frame(d, &f.info);
			ring_done(&d->wire_ring);
		}
	}
}

bool doctor_stopped(const struct doctor *d)
{
	const struct sutwire_stop *s = sutwire_stop(d->wire);
	char said[WIRE_STOP_TEXT], remedy[WIRE_STOP_TEXT];

	if (s->reason == SUTWIRE_GOING)
		return false;
	hop_fail("SUT's wire: %s", wire_stop_said(said, s));
	hop_remedy("%s", wire_stop_remedy(remedy, s, d->o->sut_dev));
	return true;
}

/* --- the SUT --- */

static bool all_known(const struct doctor *d)
{
	for (uint32_t i = 0; i < d->suts; i++)
		if (!sutwire_mac(d->wire, i))
			return false;
	return true;
}

int hop_neighbour(void *ctx)
{
	struct doctor *d = ctx;
	char ip[TEXT_IP];
	int rc = start_machine(d);

	if (rc)
		return hop_fail("SUT's wire: %s", strerror(-rc));
	doctor_drive(d, ANSWER_WAIT, all_known);
	if (doctor_stopped(d))
		return -1;
	for (uint32_t i = 0; i < d->suts; i++) {
		bool four = ipaddr_is4(&d->sut[i].ip);

		if (sutwire_mac(d->wire, i))
			continue;
		text_ip(ip, &d->sut[i].ip);
		hop_fail("SUT: %s does not answer %s", ip,
			 four ? "ARP" : "neighbour discovery");
		return hop_remedy("on the SUT: ip address add %s/%d dev DEV; "
				  "ip link set dev DEV up",
				  ip, four ? 24 : 64);
	}
	return hop_ok("SUT: answers ARP and neighbour discovery");
}

static bool all_decided(const struct doctor *d)
{
	for (uint32_t i = 0; i < d->suts; i++)
		if (sutwire_state(d->wire, i) == SUTWIRE_PROBING)
			return false;
	return true;
}

/* Does no SUT answer the probe to another hardware address than ours? */
static bool none_astray(const struct doctor *d)
{
	for (uint32_t i = 0; i < d->suts; i++)
		if (sutwire_via(d->wire, i))
			return false;
	return true;
}

/* SUT number @i answers the probe to somebody else. */
static int say_astray(const struct doctor *d, uint32_t i, const uint8_t *via)
{
	bool four = ipaddr_is4(&d->sut[i].ip);
	char ip[TEXT_IP];

	hop_fail("SUT: the route of %s to clients leads to "
		 "%02x:%02x:%02x:%02x:%02x:%02x on this wire, not to us",
		 text_ip(ip, &d->sut[i].ip), via[0], via[1], via[2], via[3],
		 via[4], via[5]);
	return hop_remedy("take that host off the wire of %s; on the SUT: ip "
			  "%sneighbour flush dev DEV",
			  d->o->sut_dev, four ? "" : "-6 ");
}

bool doctor_rejected(const struct doctor *d, uint32_t i)
{
	const struct sutwire_sut *s = &d->sut[i];
	char end[TEXT_ENDPOINT], from[TEXT_IP];

	if (!d->rejected[i])
		return false;
	hop_fail("SUT: a firewall rejects what a client from %s sends to %s; "
		 "its way back is this wire, by which the ICMP error came",
		 text_ip(from, &d->reject_of[i]),
		 text_endpoint(end, &s->ip, s->port));
	hop_remedy("on the SUT: let its firewall accept TCP to port %u from "
		   "any address; nft list ruleset shows its rules",
		   s->port);
	return true;
}

int hop_route_back(void *ctx)
{
	struct doctor *d = ctx;
	char end[TEXT_ENDPOINT];

	doctor_drive(d, PROBE_WAIT, all_decided);
	doctor_drive(d, ASTRAY_WAIT, none_astray);
	if (doctor_stopped(d))
		return -1;
	for (uint32_t i = 0; i < d->suts; i++) {
		const struct sutwire_sut *s = &d->sut[i];
		bool four = ipaddr_is4(&s->ip);

		if (sutwire_state(d->wire, i) == SUTWIRE_READY)
			continue;
		if (sutwire_via(d->wire, i))
			return say_astray(d, i, sutwire_via(d->wire, i));
		if (doctor_rejected(d, i))
			return -1;
		hop_fail("SUT: %s does not answer a client from %s on this "
			 "wire",
			 text_endpoint(end, &s->ip, s->port),
			 four ? "198.18.0.0/15" : "2001:db8::/32");
		return hop_remedy("on the SUT: ip %sroute replace default via "
				  "GW dev DEV  # GW: any other address of "
				  "that network. Then its firewall",
				  four ? "" : "-6 ");
	}
	return hop_ok("SUT: its way back to clients is this wire");
}

int hop_listening(void *ctx)
{
	struct doctor *d = ctx;
	char end[TEXT_ENDPOINT];

	for (uint32_t i = 0; i < d->suts; i++) {
		const struct sutwire_sut *s = &d->sut[i];

		text_endpoint(end, &s->ip, s->port);
		if (!d->refused[i])
			continue;
		if (!d->tcp[d->sut_map[i]]) {
			hop_ok("SUT: %s refuses TCP, and production's "
			       "clients send none",
			       end);
			continue;
		}
		hop_fail("SUT: %s refuses: nobody listens there", end);
		return hop_remedy("on the SUT: start the server on that "
				  "address and port; ss -ltn shows it");
	}
	return hop_ok("SUT: its servers listen");
}

static bool never(const struct doctor *d)
{
	(void)d;
	return false;
}

int hop_strangers(void *ctx)
{
	struct doctor *d = ctx;
	doctor_drive(d, WATCH_FOR, never);
	if (doctor_stopped(d))
		return -1;
	return hop_ok("SUT's wire: no stranger on it (%" PRIu64
		      " frames of the SUT)",
		      sutwire_stats(d->wire)->frames);
}
