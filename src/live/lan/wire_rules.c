/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_rules.c - What a frame tells about who else is on the SUT's wire
 *
 * Theory of operation
 *
 * The question is not whether somebody is there (a switch always is), but
 * whether the SUT could come to send to him. It can if it learns an address of
 * his, as host or as router. So each frame is one of two:
 *
 * Harmless: it holds no address that a host would send to. Frames between
 * switches (IEEE 802.1 groups), what is not IP, IGMP from 0.0.0.0 (how a bridge
 * without an address asks, RFC 4541 section 2.1.1), MLD with hop limit 1 from
 * link-local or no address (RFC 3810 section 5), probes for duplicate addresses
 * (RFC 5227, RFC 4862), router solicitations, mDNS and LLMNR without an address
 * of any reach (RFC 6762, RFC 4795), and whatever else goes to all from no
 * address, as a host that asks for its own by DHCP.
 *
 * Stopping: all else. A message by which routers or DHCP servers make
 * themselves known is one whatever its source. The list of harmless ones is
 * closed: what is not on it is a reason to stop, so a protocol that is missing
 * here stops a run under a poorer name, and is not let through.
 */
#include "lan/wire_rules.h"

#include <string.h>

#include "wire/build.h"

#define PROTO_IGMP  2
#define PROTO_EIGRP 88
#define PROTO_OSPF  89
#define PROTO_PIM   103
#define PROTO_VRRP  112 /* CARP has the same number */

#define PORT_DHCP  67 /* of servers and relays */
#define PORT_DHCP6 547
#define PORT_RIP   520
#define PORT_RIPNG 521
#define PORT_HSRP  1985
#define PORT_HSRP6 2029
#define PORT_GLBP  3222
#define PORT_MDNS  5353
#define PORT_LLMNR 5355

#define ICMP_REDIRECT 5
#define ND_RS	      133
#define ND_RA	      134
#define ND_SOLICIT    135
#define ND_REDIRECT   137
#define MLD_FIRST     130 /* query, report, done */
#define MLD_LAST      132
#define MLD_REPORT2   143

const char *wire_rules_name(enum wire_kind k)
{
	static const char *const name[] = {
#define X(id, name, text) name,
		WIRE_HARMLESS(X) WIRE_STOPPING(X)
#undef X
	};

	return name[k];
}

const char *wire_rules_text(enum wire_kind k)
{
	static const char *const text[] = {
#define X(id, name, text) text,
		WIRE_HARMLESS(X) WIRE_STOPPING(X)
#undef X
	};

	return text[k];
}

static bool is_none(const struct ipaddr *ip)
{
	static const uint8_t zero[16];
	size_t from = ipaddr_is4(ip) ? 12 : 0;

	return memcmp(ip->b + from, zero, 16 - from) == 0;
}

static bool is_link_local(const struct ipaddr *ip)
{
	if (ipaddr_is4(ip))
		return ip->b[12] == 169 && ip->b[13] == 254;
	return ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
}

static bool is_multicast(const struct ipaddr *ip)
{
	return ipaddr_is4(ip) ? (ip->b[12] & 0xf0) == 0xe0 : ip->b[0] == 0xff;
}

/* To all or to a group, by its frame; 255.255.255.255 in a frame to one host is
 * odd, and nothing harmless either.
 */
static bool to_many(const struct decoded *d)
{
	return (d->eth_dst[0] & 1) != 0;
}

/* What remains: by source and destination alone. */
static enum wire_kind by_address(const struct decoded *d)
{
	if (!to_many(d))
		return WIRE_UNICAST;
	if (is_none(&d->seg.src))
		return WIRE_NO_SOURCE;
	return is_multicast(&d->seg.dst) ? WIRE_MULTICAST : WIRE_BROADCAST;
}

static enum wire_kind of_arp(const struct frame_info *in,
			     const struct decoded *d, struct ipaddr *who)
{
	struct arp_packet a;

	if (d->l3 > in->cap ||
	    arp_parse(in->data + d->l3, in->cap - d->l3, &a) != 0)
		return WIRE_BROKEN;
	*who = is_none(&a.spa) ? a.tpa : a.spa;
	return is_none(&a.spa) ? WIRE_DAD : WIRE_ARP;
}

static enum wire_kind of_nd(const struct decoded *d, struct ipaddr *who)
{
	const struct ipaddr *src = &d->seg.src;
	bool near = is_none(src) || is_link_local(src);
	struct nd_packet n;

	switch (d->l4[0]) {
	case ND_RS:
		return near && to_many(d) ? WIRE_RS : by_address(d);
	case ND_RA:
		return WIRE_RA;
	case ND_REDIRECT:
		return WIRE_REDIRECT;
	default:
		break;
	}
	if (nd_parse(d->l4, d->l4_len, &n) != 0)
		return WIRE_BROKEN;
	if (n.type != ND_SOLICIT) {
		*who = n.target;
		return WIRE_NA;
	}
	if (!is_none(src) || !to_many(d))
		return WIRE_NS;
	*who = n.target;
	return WIRE_DAD;
}

static enum wire_kind of_icmp(const struct decoded *d)
{
	const struct ipaddr *src = &d->seg.src;
	uint8_t type = d->l4[0];

	if (ipaddr_is4(src))
		return type == ICMP_REDIRECT ? WIRE_REDIRECT : by_address(d);
	if (((type >= MLD_FIRST && type <= MLD_LAST) || type == MLD_REPORT2) &&
	    d->seg.ttl == 1 && to_many(d) &&
	    (is_none(src) || is_link_local(src)))
		return WIRE_MLD_LOCAL;
	return by_address(d);
}

static enum wire_kind of_udp(const struct decoded *d)
{
	const struct ipaddr *src = &d->seg.src;

	switch (d->seg.dport) {
	case PORT_RIP:
	case PORT_RIPNG:
		return WIRE_RIP;
	case PORT_HSRP:
	case PORT_HSRP6:
	case PORT_GLBP:
		return WIRE_HSRP;
	case PORT_MDNS:
	case PORT_LLMNR:
		if (to_many(d) && (is_none(src) || is_link_local(src)))
			return WIRE_NAMES;
		break;
	default:
		break;
	}
	if (d->seg.sport == PORT_DHCP || d->seg.sport == PORT_DHCP6)
		return WIRE_DHCP;
	return by_address(d);
}

static enum wire_kind of_other_ip(const struct decoded *d)
{
	switch (d->seg.proto) {
	case PROTO_IGMP:
		return is_none(&d->seg.src) && to_many(d) ? WIRE_IGMP_UNSAID
							  : WIRE_IGMP;
	case PROTO_EIGRP:
		return WIRE_EIGRP;
	case PROTO_OSPF:
		return WIRE_OSPF;
	case PROTO_PIM:
		return WIRE_PIM;
	case PROTO_VRRP:
		return WIRE_VRRP;
	default:
		return by_address(d);
	}
}

enum wire_kind wire_rules(const struct frame_info *in, enum decode_result r,
			  const struct decoded *d, struct ipaddr *who)
{
	memset(who, 0, sizeof(*who));
	switch (r) {
	case DECODE_LINK_CONTROL:
		return WIRE_CONTROL;
	case DECODE_NOT_IP:
		return WIRE_NOT_IP;
	case DECODE_ARP:
		return of_arp(in, d, who);
	case DECODE_TCP:
	case DECODE_UDP:
	case DECODE_ND:
	case DECODE_ICMP:
	case DECODE_IP_OTHER:
	case DECODE_FRAGMENT:
		break;
	default:
		return WIRE_BROKEN;
	}
	*who = d->seg.src;
	if (r == DECODE_ND)
		return of_nd(d, who);
	if (r == DECODE_ICMP)
		return of_icmp(d);
	if (r == DECODE_UDP)
		return of_udp(d);
	return r == DECODE_IP_OTHER ? of_other_ip(d) : by_address(d);
}
