/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_rules - What a frame tells about who else is on the SUT's wire
 *
 * Every switch and bridge speaks some. What makes nobody a neighbour of the SUT
 * is harmless and counted; what could be a way out for the SUT, or claims an
 * address, stops the run and is named. The theory is in wire_rules.c.
 */
#ifndef LAN_WIRE_RULES_H
#define LAN_WIRE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ipaddr.h"
#include "wire/decode.h"

/* Kinds of frame: identifier, name in reports, words. */
#define WIRE_HARMLESS(X)                                                       \
	X(WIRE_CONTROL, "control", "a frame between switches")                 \
	X(WIRE_NOT_IP, "not_ip", "a frame that is not IP")                     \
	X(WIRE_IGMP_UNSAID, "igmp_from_nobody", "IGMP from nobody")            \
	X(WIRE_MLD_LOCAL, "mld", "MLD")                                        \
	X(WIRE_DAD, "dad", "a probe for a duplicate address")                  \
	X(WIRE_RS, "router_solicitation", "a router solicitation")             \
	X(WIRE_NAMES, "mdns", "mDNS or LLMNR")                                 \
	X(WIRE_NO_SOURCE, "no_source", "a packet to all from no address")

#define WIRE_STOPPING(X)                                                       \
	X(WIRE_ARP, "arp", "ARP")                                              \
	X(WIRE_NS, "neighbour_solicitation", "a neighbour solicitation")       \
	X(WIRE_NA, "neighbour_advertisement", "a neighbour advertisement")     \
	X(WIRE_CLAIM, "claim", "a claim to an address of ours or a SUT's")     \
	X(WIRE_IGMP, "igmp", "IGMP")                                           \
	X(WIRE_MULTICAST, "multicast", "an IP multicast")                      \
	X(WIRE_BROADCAST, "broadcast", "an IP broadcast")                      \
	X(WIRE_UNICAST, "unicast", "IP")                                       \
	X(WIRE_RA, "router_advertisement", "a router advertisement")           \
	X(WIRE_REDIRECT, "redirect", "a redirect")                             \
	X(WIRE_DHCP, "dhcp", "a DHCP offer or another word of a DHCP server")  \
	X(WIRE_VRRP, "vrrp", "VRRP or CARP")                                   \
	X(WIRE_HSRP, "hsrp", "HSRP or GLBP")                                   \
	X(WIRE_OSPF, "ospf", "OSPF")                                           \
	X(WIRE_RIP, "rip", "RIP")                                              \
	X(WIRE_PIM, "pim", "PIM")                                              \
	X(WIRE_EIGRP, "eigrp", "EIGRP")                                        \
	X(WIRE_BROKEN, "broken", "a broken ARP or IP frame")

enum wire_kind {
#define X(id, name, text) id,
	WIRE_HARMLESS(X) WIRE_STOPPING(X)
#undef X
		WIRE_KINDS
};

/** wire_rules_stops() - Is it a reason to stop? */
static inline bool wire_rules_stops(enum wire_kind k)
{
	return k >= WIRE_ARP;
}

/** wire_rules_routes() - Does it speak as a router or a server of addresses? */
static inline bool wire_rules_routes(enum wire_kind k)
{
	return k >= WIRE_RA && k <= WIRE_EIGRP;
}

/** wire_rules_name() - As reports spell it */
const char *wire_rules_name(enum wire_kind k);

/** wire_rules_text() - In words, for "... from ADDRESS" */
const char *wire_rules_text(enum wire_kind k);

/**
 * wire_rules() - What a frame is, if it came from no SUT
 * @in:		Frame
 * @r, @d:	What frame_decode() made of it; with a hardware address
 * @who:	Set to the address that it is from, or asks or speaks for in ARP
 *		and neighbour discovery; zero if it tells none
 *
 * Never WIRE_CLAIM: whose an address is is the caller's to know.
 *
 * Return: its kind
 */
enum wire_kind wire_rules(const struct frame_info *in, enum decode_result r,
			  const struct decoded *d, struct ipaddr *who);

#endif /* LAN_WIRE_RULES_H */
