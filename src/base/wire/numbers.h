/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * numbers - Numbers that IANA and IEEE assigned, and lengths of headers
 */
#ifndef WIRE_NUMBERS_H
#define WIRE_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

#define ETH_HEADER 14u /* of Ethernet's header, without a tag */

/* EtherTypes (IEEE 802 numbers, IANA). */
enum {
	ETHERTYPE_MIN = 0x0600, /* below: a length, and LLC follows */
	ETHERTYPE_IP4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IP6 = 0x86dd,
	ETHERTYPE_PAUSE = 0x8808, /* MAC control */
	ETHERTYPE_SLOW = 0x8809,  /* LACP, OAM */
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_MULTI = 0x8848,
	ETHERTYPE_PPPOE = 0x8864,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_LLDP = 0x88cc,
	ETHERTYPE_QINQ_OLD = 0x9100,
};

/* IPv6's next headers that are no transport (RFC 8200 section 4, IANA). */
enum {
	EXT_HOP = 0,
	EXT_IPV6 = 41,
	EXT_ROUTING = 43,
	EXT_FRAGMENT = 44,
	EXT_ESP = 50,
	EXT_AUTH = 51,
	EXT_NONE = 59,
	EXT_DEST = 60,
	EXT_MOBILITY = 135,
	EXT_HIP = 139,
	EXT_SHIM6 = 140,
};

/** ethertype_is_tag() - A VLAN tag's: 802.1Q, 802.1ad, and what was used for
 * outer tags before that
 */
static inline bool ethertype_is_tag(uint16_t type)
{
	return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ ||
	       type == ETHERTYPE_QINQ_OLD;
}

#endif /* WIRE_NUMBERS_H */
