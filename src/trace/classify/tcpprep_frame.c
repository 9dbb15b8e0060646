/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcpprep_frame.c - Frames as tcpprep reads them
 *
 * Theory of operation
 *
 * The link header leads to an Ethernet type; VLAN tags and MPLS labels are
 * stepped over. A frame whose headers end early, or whose type is none of IP's,
 * is "not IP". IP lengths and checksums are not looked at.
 *
 * Where Ethernet has a length instead of a type, the first half of the next
 * byte is taken for IP's version.
 *
 * IPv6 extension headers are followed twice, by two walks that disagree: one
 * finds the protocol, the other the place. Both are kept as they are. Where the
 * original would read behind the frame, there is "no transport" here.
 */
#include "classify/tcpprep_internal.h"
#include "core/bytes.h"
#include "wire/numbers.h"

#define TAG_LEN	  4
#define LABEL_LEN 4
#define IP4_HLEN  20
#define IP6_HLEN  40

/* Step over MPLS labels; an Ethernet header may follow. Return: success. */
static bool skip_mpls(const struct tcpprep_frame *f, uint16_t *type,
		      uint32_t *at)
{
	uint32_t label;

	do {
		if (f->cap - *at < LABEL_LEN)
			return false;
		label = get_be32(f->data + *at);
		*at += LABEL_LEN;
		/* Generic associated channel (RFC 5586) */
		if (label >> 12 == 13)
			return false;
	} while (!(label & 0x100));
	if (*at == f->cap)
		return false;
	switch (f->data[*at] >> 4) {
	case 4:
		*type = ETHERTYPE_IP4;
		return true;
	case 6:
		*type = ETHERTYPE_IP6;
		return true;
	case 0:
		if (f->cap - *at < 4 + ETH_HEADER)
			return false;
		*at += 4 + ETH_HEADER;
		*type = get_be16(f->data + *at - 2);
		return true;
	default:
		return false;
	}
}

/* A length in the place of a type: the next byte decides. */
static uint16_t guess_type(const struct tcpprep_frame *f, uint16_t type,
			   uint32_t at)
{
	if (type > 1500 || at >= f->cap)
		return type;
	return f->data[at] >> 4 == 4   ? ETHERTYPE_IP4
	       : f->data[at] >> 4 == 6 ? ETHERTYPE_IP6
				       : type;
}

static bool skip_ethernet(const struct tcpprep_frame *f, uint16_t *type,
			  uint32_t *at)
{
	if (*at > f->cap || f->cap - *at <= ETH_HEADER + TAG_LEN)
		return false;
	*at += ETH_HEADER;
	*type = get_be16(f->data + *at - 2);
	for (;;) {
		switch (*type) {
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD:
			if (f->cap - *at < TAG_LEN)
				return false;
			*type = get_be16(f->data + *at + 2);
			*at += TAG_LEN;
			break;
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_MULTI:
			if (!skip_mpls(f, type, at))
				return false;
			break;
		default:
			*type = guess_type(f, *type, *at);
			return true;
		}
	}
}

static bool skip_fixed(const struct tcpprep_frame *f, uint32_t len,
		       uint32_t type_at, uint16_t *type, uint32_t *at)
{
	if (f->cap < len)
		return false;
	*type = get_be16(f->data + type_at);
	*at = len;
	return true;
}

static bool skip_juniper(const struct tcpprep_frame *f, uint16_t *type,
			 uint32_t *at)
{
	if (f->cap < 6 || f->data[0] != 'M' || f->data[1] != 'G' ||
	    f->data[2] != 'C')
		return false;
	*at = (f->data[3] & 0x80) ? 6u + get_be16(f->data + 4) : 4;
	return skip_ethernet(f, type, at);
}

static bool skip_link(const struct tcpprep_frame *f, uint16_t *type,
		      uint32_t *at)
{
	*at = 0;
	switch (f->link) {
	case TP_LINK_ETHERNET:
		return skip_ethernet(f, type, at);
	case TP_LINK_PPP:
		if (!skip_fixed(f, 4, 2, type, at))
			return false;
		if (*type == 0x0021)
			*type = ETHERTYPE_IP4;
		return true;
	case TP_LINK_HDLC:
		return skip_fixed(f, 4, 2, type, at);
	case TP_LINK_SLL:
		return skip_fixed(f, 16, 14, type, at);
	case TP_LINK_JUNIPER:
		return skip_juniper(f, type, at);
	default:
		if (f->cap == 0)
			return false;
		*type = guess_type(f, 0, 0);
		return true;
	}
}

bool tp_find_ip(const struct tcpprep_frame *f, struct tp_ip *ip)
{
	const uint8_t *p;
	uint16_t type;
	uint32_t at;

	if (!skip_link(f, &type, &at) || at > f->cap)
		return false;
	p = f->data + at;
	*ip = (struct tp_ip){ .l3 = p, .len = f->cap - at };
	if (type == ETHERTYPE_IP4 && ip->len >= IP4_HLEN) {
		ip->hlen = (p[0] & 15u) * 4;
		ip->proto = p[9];
		ip->src = p + 12;
		ip->dst = p + 16;
		return true;
	}
	if (type == ETHERTYPE_IP6 && ip->len >= IP6_HLEN) {
		ip->hlen = IP6_HLEN;
		ip->proto = p[6];
		ip->v6 = true;
		ip->src = p + 8;
		ip->dst = p + 24;
		return true;
	}
	return false;
}

/* Every extension header has the length of an authentication header. */
static uint32_t ext_len(const struct tp_ip *ip, uint32_t at)
{
	return ip->l3[at + 1] * 4u + 8;
}

/* One step of both walks, from the header at @at. Return: success. */
static bool next_header(const struct tp_ip *ip, uint32_t *at)
{
	if (*at > ip->len || ip->len - *at < 2)
		return false;
	switch (ip->l3[*at]) {
	case EXT_NONE:
	case EXT_ESP:
		return false;
	case EXT_FRAGMENT:
		*at += 8;
		break;
	case EXT_IPV6:
	case EXT_ROUTING:
	case EXT_DEST:
	case EXT_HOP:
	case EXT_AUTH:
		/* Kept in 8 bits. Where these are 0 tcpprep never ends; we do.
		 */
		if ((uint8_t)ext_len(ip, *at) == 0)
			return false;
		*at += (uint8_t)ext_len(ip, *at);
		break;
	default:
		return true;
	}
	return *at <= ip->len;
}

static bool is_extension(uint8_t proto)
{
	return proto == EXT_AUTH || proto == EXT_ROUTING || proto == EXT_DEST ||
	       proto == EXT_HOP;
}

static uint8_t walk_proto(const struct tp_ip *ip)
{
	uint8_t proto = ip->proto;
	uint32_t at = IP6_HLEN;

	for (;;) {
		if (proto == EXT_IPV6) {
			if (at > ip->len || ip->len - at < IP6_HLEN)
				return EXT_NONE;
			proto = ip->l3[at + 6];
			at += IP6_HLEN;
		} else if (is_extension(proto)) {
			if (!next_header(ip, &at) || ip->len - at < 2)
				return EXT_NONE;
			proto = ip->l3[at];
		} else {
			return proto;
		}
	}
}

static bool walk_place(const struct tp_ip *ip, uint32_t *off)
{
	uint8_t proto = ip->proto;
	uint32_t at = IP6_HLEN;

	for (;;) {
		if (is_extension(proto)) {
			if (!next_header(ip, &at) || ip->len - at < 2)
				return false;
			proto = ip->l3[at];
			continue;
		}
		/* Through IPv6 in IPv6 it runs until the frame ends. */
		if (proto == EXT_ESP || proto == EXT_FRAGMENT ||
		    proto == EXT_IPV6)
			return false;
		*off = at;
		if (proto == ip->proto)
			return true;
		if (at > ip->len || ip->len - at < 2)
			return false;
		*off = at + ext_len(ip, at);
		return *off <= ip->len;
	}
}

bool tp_transport(const struct tp_ip *ip, uint8_t *proto, uint32_t *off)
{
	if (!ip->v6) {
		*proto = ip->proto;
		*off = ip->hlen;
		return true;
	}
	*proto = walk_proto(ip);
	return walk_place(ip, off);
}
