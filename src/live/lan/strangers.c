/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strangers.c - Who else is on the SUT's wire, and whether that ends the run
 */
#include "lan/sutwire_internal.h"

#include <string.h>

#define CLIENT_BITS4 (IPADDR_4IN6 + 24) /* a network of clients */
#define CLIENT_BITS6 64

void lan_stop(struct sutwire *w, enum sutwire_stop_reason why,
	      const uint8_t *mac, const struct ipaddr *ip)
{
	w->stats.strangers++;
	/* The first reason is the one that is reported. */
	if (w->stop.reason != SUTWIRE_GOING)
		return;
	w->stop.reason = why;
	memcpy(w->stop.mac, mac, ETH_LEN);
	w->stop.ip = *ip;
}

void lan_stranger(struct sutwire *w, enum wire_kind kind, const uint8_t *mac,
		  const struct ipaddr *ip)
{
	if (w->stop.reason == SUTWIRE_GOING)
		w->stop.kind = kind;
	lan_stop(w, SUTWIRE_STRANGER, mac, ip);
}

void lan_judge_unknown(struct sutwire *w)
{
	for (uint32_t i = 0; i < w->unknowns; i++) {
		const struct unknown *u = &w->unknown[i];

		if (!lan_by_mac(w, u->mac))
			lan_stranger(w, u->kind, u->mac, &u->ip);
	}
	w->unknowns = 0;
}

/* A frame that stops, unless @mac turns out to be a SUT's. */
static void unknown_spoke(struct sutwire *w, enum wire_kind kind,
			  const uint8_t *mac, const struct ipaddr *ip)
{
	bool multicast = mac[0] & 1;

	if (multicast || lan_all_known(w) ||
	    memcmp(mac, w->mac, ETH_LEN) == 0) {
		lan_stranger(w, kind, mac, ip);
		return;
	}
	for (uint32_t i = 0; i < w->unknowns; i++)
		if (memcmp(w->unknown[i].mac, mac, ETH_LEN) == 0)
			return;
	if (w->unknowns == SUTWIRE_UNKNOWN_MAX) {
		lan_stranger(w, kind, mac, ip);
		return;
	}
	memcpy(w->unknown[w->unknowns].mac, mac, ETH_LEN);
	w->unknown[w->unknowns].kind = kind;
	w->unknown[w->unknowns].ip = *ip;
	w->unknowns++;
}

/* Is @ip one that we use ourselves? */
static bool is_ours(const struct sutwire *w, const struct ipaddr *ip)
{
	return ipaddr_eq(ip, &w->probe4) || ipaddr_eq(ip, &w->probe6) ||
	       ipaddr_eq(ip, &w->link_local);
}

void lan_of_also(struct sutwire *w, const struct frame_info *in,
		 enum decode_result r, const struct decoded *d)
{
	struct ipaddr who;
	enum wire_kind kind = wire_rules(in, r, d, &who);
	const struct ipaddr *src = lan_source(r, d);
	bool claims = lan_is_own(w, &who) || is_ours(w, &who);

	w->stats.wire_also++;
	w->stats.other_hosts[kind]++;
	if (kind == WIRE_BROKEN ||
	    (!wire_rules_stops(kind) && !(kind == WIRE_DAD && claims)))
		return;
	if (wire_rules_routes(kind)) {
		lan_stranger(w, kind, d->eth_src, &who);
		return;
	}
	if (lan_is_also(w, d->eth_src, &who)) {
		if (!src || lan_is_also(w, d->eth_src, src))
			return;
		who = *src; /* it advertises its own, but from another */
	}
	if (w->stop.reason == SUTWIRE_GOING)
		w->stop.kind = kind;
	lan_stop(w, SUTWIRE_ALSO_SPOKE, d->eth_src, &who);
}

bool sutwire_client(struct sutwire *w, const struct ipaddr *client)
{
	unsigned bits = ipaddr_is4(client) ? CLIENT_BITS4 : CLIENT_BITS6;

	for (uint32_t i = 0; i < w->alsos; i++) {
		if (!ipaddr_in(client, &w->also[i].ip, bits))
			continue;
		lan_stop(w, SUTWIRE_ALSO_CLIENT, w->also[i].mac, client);
		return true;
	}
	return false;
}

void lan_of_other(struct sutwire *w, const struct frame_info *in,
		  enum decode_result r, const struct decoded *d)
{
	struct ipaddr who;
	enum wire_kind kind = wire_rules(in, r, d, &who);

	/* Who asks whether an address is free is about to take it. */
	if (kind == WIRE_DAD && (lan_is_own(w, &who) || is_ours(w, &who)))
		kind = WIRE_CLAIM;
	w->stats.other_hosts[kind]++;
	if (wire_rules_stops(kind))
		unknown_spoke(w, kind, d->eth_src, &who);
}
