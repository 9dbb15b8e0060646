/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * networks.c - Does the SUT answer the clients that are seen, on its wire?
 *
 * Theory of operation
 *
 * The networks of the first clients that the mirror showed are proved as a run
 * does it, by the same machine: one SYN each from an address that is nobody's.
 * A SUT with a leg in the clients' network is found so before it can answer one
 * of them.
 */
#include <inttypes.h>
#include <string.h>

#include "check/doctor.h"
#include "os/clock.h"
#include "account/networks.h"
#include "text/text.h"

#define LISTEN_MORE NS_PER_SEC
#define SETTLE_WAIT (3 * NS_PER_SEC)

int networks_init(struct doctor *d)
{
	struct prove_sut sut[MAP_MAX];
	struct ipaddr never[MAP_MAX];
	struct prove_cfg cfg = { .sut = sut,
				 .suts = d->suts,
				 .never = never,
				 .nevers = d->suts,
				 .nets = DOCTOR_PROOFS,
				 .each = true,
				 .seed = d->seed,
				 .key = { { d->seed, 0 } } };

	for (uint32_t i = 0; i < d->suts; i++) {
		sut[i] = (struct prove_sut){ d->sut[i].ip, d->sut[i].port };
		never[i] = d->sut[i].ip;
	}
	return prove_init(&d->prove, &d->mem, &cfg, clock_mono());
}

static void add_network(struct doctor *d, const struct ipaddr *client)
{
	uint8_t bits = prove_bits(client);

	for (uint32_t i = 0; i < d->nets; i++)
		if (prove_bits(&d->net[i]) == bits &&
		    ipaddr_in(client, &d->net[i], bits))
			return;
	if (d->nets < DOCTOR_NETS)
		d->net[d->nets++] = *client;
	else
		d->nets_left_out = true;
}

void networks_seen(struct doctor *d, const struct segment *s, bool to,
		   bool from)
{
	if (!d->prove)
		return;
	prove_show(d->prove, &s->src);
	prove_show(d->prove, &s->dst);
	if (to != from)
		add_network(d, to ? &s->src : &s->dst);
}

/* Of several entries of a SUT's address the first is asked, and no SUT is asked
 * for clients of the other family.
 */
static bool is_asked(const struct doctor *d, uint32_t sut, uint32_t net)
{
	if (ipaddr_is4(&d->sut[sut].ip) != ipaddr_is4(&d->net[net]))
		return false;
	for (uint32_t i = 0; i < sut; i++)
		if (ipaddr_eq(&d->sut[i].ip, &d->sut[sut].ip))
			return false;
	return true;
}

static enum flow_gate gate_of(const struct doctor *d, uint32_t sut,
			      uint32_t net)
{
	return prove_ask(d->prove, (uint8_t)sut, &d->net[net], clock_mono())
		.gate;
}

static bool all_settled(const struct doctor *d)
{
	for (uint32_t s = 0; s < d->suts; s++)
		for (uint32_t n = 0; n < d->nets; n++)
			if (is_asked(d, s, n) && gate_of(d, s, n) == GATE_WAIT)
				return false;
	return true;
}

static int say_lost(const struct doctor *d, uint32_t sut, uint32_t net)
{
	const struct ipaddr *ip = &d->sut[sut].ip;
	uint8_t bits = prove_bits(&d->net[net]);
	const char *six = ipaddr_is4(ip) ? "" : " -6";
	struct ipaddr base = d->net[net];
	char end[TEXT_ENDPOINT], own[TEXT_IP], client[TEXT_IP];
	char name[NETWORK_NAME];

	memset(base.b + bits / 8, 0, sizeof(base.b) - bits / 8u);
	text_ip(own, ip);
	hop_fail("SUT: %s does not answer clients of %s on this wire: it "
		 "has a route to them by another interface, or a firewall",
		 text_endpoint(end, ip, d->sut[sut].port),
		 networks_name(name, &base, bits));
	hop_remedy("on the SUT: ip%s route get %s from %s  # which interface? "
		   "If another one than this wire's:",
		   six, text_ip(client, &d->net[net]), own);
	return hop_remedy("on the SUT: ip%s rule add from %s table 100; "
			  "ip%s route add default via GW dev DEV table 100  "
			  "# GW: any other address of that network",
			  six, own, six);
}

int hop_networks(void *ctx)
{
	struct doctor *d = ctx;
	char name[TEXT_ENDPOINT];

	doctor_listen(d, LISTEN_MORE);
	doctor_drive(d, SETTLE_WAIT, all_settled);
	if (doctor_stopped(d))
		return -1;
	for (uint32_t s = 0; s < d->suts; s++)
		for (uint32_t n = 0; n < d->nets; n++) {
			enum flow_gate g = is_asked(d, s, n) ? gate_of(d, s, n)
							     : GATE_OPEN;

			if (g == GATE_LOST && doctor_rejected(d, s))
				return -1;
			if (g == GATE_LOST)
				return say_lost(d, s, n);
			if (g == GATE_OPEN)
				continue;
			hop_fail("SUT: %s does not answer SYNs reliably",
				 text_endpoint(name, &d->sut[s].ip,
					       d->sut[s].port));
			return hop_remedy("on the SUT: ss -ltn  # Recv-Q at "
					  "Send-Q: its queue is full");
		}
	return hop_ok("SUT: answers the clients that are seen on this "
		      "wire (%" PRIu32 " %s%s)",
		      d->nets, d->nets == 1 ? "network" : "networks",
		      d->nets_left_out ? ", and others that were not asked "
					 "for"
				       : "");
}
