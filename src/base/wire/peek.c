/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peek.c - Addresses and ports of a frame
 *
 * Theory of operation
 *
 * A cursor runs over link header, tags, labels, IP, extension headers; wherever
 * the capture ends, what was found so far stands. The packet inside an ICMP
 * error is looked at by the same functions, once: an error about an error has
 * no ports.
 */
#include "wire/peek.h"

#include <string.h>

#include "core/bytes.h"
#include "wire/decode.h"
#include "wire/numbers.h"

#define EXT_MAX 8 /* extension headers, tags or labels that are walked */

/* Link types that frame_decode() does not read. */
enum {
	LINK_PPP = 50,
	LINK_HDLC = 104,
};

/** struct cursor - What is left of a frame */
struct cursor {
	const uint8_t *p;
	uint32_t len;
};

static bool skip(struct cursor *c, uint32_t n)
{
	if (n > c->len)
		return false;
	c->p += n;
	c->len -= n;
	return true;
}

/* IP's version is its own type where nothing else names it. */
static uint16_t by_version(const struct cursor *c)
{
	if (c->len == 0)
		return 0;
	return c->p[0] >> 4 == 4   ? ETHERTYPE_IP4
	       : c->p[0] >> 4 == 6 ? ETHERTYPE_IP6
				   : 0;
}

static uint16_t ppp_type(struct cursor *c, uint32_t at)
{
	uint16_t v;

	if (c->len < at + 2)
		return 0;
	v = get_be16(c->p + at);
	skip(c, at + 2);
	return v == 0x0021 ? ETHERTYPE_IP4 : v == 0x0057 ? ETHERTYPE_IP6 : 0;
}

/* Step over tags and labels. Return: type of what follows, 0: unknown. */
static uint16_t skip_tags(struct cursor *c, uint16_t type)
{
	for (int n = 0; n < EXT_MAX; n++) {
		bool last;

		switch (type) {
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD:
			if (c->len < 4)
				return 0;
			type = get_be16(c->p + 2);
			skip(c, 4);
			break;
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_MULTI:
			if (c->len < 4)
				return 0;
			last = (c->p[2] & 1) != 0;
			skip(c, 4);
			if (last)
				return by_version(c);
			break;
		case ETHERTYPE_PPPOE:
			return ppp_type(c, 6);
		default:
			return type;
		}
	}
	return 0;
}

static uint16_t fixed(struct cursor *c, uint32_t len, uint32_t type_at)
{
	uint16_t type;

	if (c->len < len)
		return 0;
	type = get_be16(c->p + type_at);
	skip(c, len);
	return skip_tags(c, type);
}

static uint16_t skip_link(uint16_t link, struct cursor *c, struct peek *p)
{
	switch (link) {
	case LINK_ETHERNET:
		if (c->len >= 12) {
			p->has_eth = true;
			p->eth_dst = c->p;
			p->eth_src = c->p + 6;
		}
		return fixed(c, 14, 12);
	case LINK_SLL:
		return fixed(c, 16, 14);
	case LINK_SLL2:
		return fixed(c, 20, 0);
	case LINK_HDLC:
		return fixed(c, 4, 2);
	case LINK_PPP:
		return ppp_type(c, 2);
	case LINK_NULL:
	case LINK_LOOP:
		return skip(c, 4) ? by_version(c) : 0;
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
	case LINK_IPV4:
	case LINK_IPV6:
		return by_version(c);
	default:
		return 0;
	}
}

static bool is_error(uint8_t proto, uint8_t type)
{
	if (proto == PROTO_ICMP6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static bool is_echo(uint8_t proto, uint8_t type)
{
	if (proto == PROTO_ICMP6)
		return type == 128 || type == 129;
	return type == 0 || type == 8;
}

static void tcp_fields(struct cursor c, struct peek *p)
{
	if (c.len < 14)
		return;
	p->flags = c.p[13];
	if (skip(&c, (c.p[12] >> 4) * 4u)) {
		p->data = c.p;
		p->len = c.len;
	}
}

/* Ports and what is behind them. */
static void look_transport(struct cursor c, struct peek *p)
{
	switch (p->proto) {
	case PROTO_TCP:
	case PROTO_UDP:
		if (c.len < 4)
			return;
		p->sport = get_be16(c.p);
		p->dport = get_be16(c.p + 2);
		p->depth = PEEK_PORTS;
		if (p->proto == PROTO_TCP) {
			tcp_fields(c, p);
		} else if (skip(&c, 8)) {
			p->data = c.p;
			p->len = c.len;
		}
		return;
	case PROTO_ICMP:
	case PROTO_ICMP6:
		if (c.len < 1)
			return;
		p->icmp = (uint16_t)(c.p[0] + 1);
		if (is_echo(p->proto, c.p[0]) && c.len >= 6) {
			p->sport = p->dport = get_be16(c.p + 4);
			p->depth = PEEK_PORTS;
		}
		return;
	default:
		return;
	}
}

/* Return: whether addresses were found; @c is then at the transport header. */
static bool look_ip4(struct cursor *c, struct peek *p)
{
	const uint8_t *h = c->p;
	uint32_t frag, len;

	if (c->len < 20)
		return false;
	p->src = ipaddr_from4(h + 12);
	p->dst = ipaddr_from4(h + 16);
	p->proto = h[9];
	p->depth = PEEK_IP;
	len = get_be16(h + 2);
	if (len >= 20 && len < c->len)
		c->len = len; /* padding of the link */
	frag = get_be16(h + 6);
	p->fragment = (frag & 0x3fff) != 0;
	p->first = !(frag & 0x1fff);
	p->frag_id = get_be16(h + 4);
	return skip(c, (h[0] & 15u) * 4);
}

static bool look_ip6(struct cursor *c, struct peek *p)
{
	if (c->len < 40)
		return false;
	p->src = ipaddr_from6(c->p + 8);
	p->dst = ipaddr_from6(c->p + 24);
	p->proto = c->p[6];
	p->depth = PEEK_IP;
	p->first = true;
	skip(c, 40);
	for (int n = 0; n < EXT_MAX; n++) {
		uint32_t len = 8;

		if (p->proto != EXT_HOP && p->proto != EXT_ROUTING &&
		    p->proto != EXT_FRAGMENT && p->proto != EXT_AUTH &&
		    p->proto != EXT_DEST)
			return true;
		if (c->len < 8)
			return false;
		if (p->proto == EXT_FRAGMENT) {
			p->fragment = (get_be16(c->p + 2) & 0xfff9) != 0;
			p->first = !(get_be16(c->p + 2) & 0xfff8);
			p->frag_id = get_be32(c->p + 4);
		} else if (p->proto == EXT_AUTH) {
			len = c->p[1] * 4u + 8;
		} else {
			len = c->p[1] * 8u + 8;
		}
		p->proto = c->p[0];
		if (!skip(c, len) || !p->first)
			return false;
	}
	return false;
}

static bool look_ip(uint16_t type, struct cursor *c, struct peek *p)
{
	if (type == ETHERTYPE_IP4)
		return look_ip4(c, p);
	return type == ETHERTYPE_IP6 && look_ip6(c, p);
}

void peek_frame(uint16_t link, const uint8_t *data, uint32_t cap,
		struct peek *p)
{
	struct cursor c = { data, cap };
	struct peek in;

	memset(p, 0, sizeof(*p));
	if (!look_ip(skip_link(link, &c, p), &c, p) || !p->first)
		return;
	look_transport(c, p);
	if (p->icmp == 0 || !is_error(p->proto, (uint8_t)(p->icmp - 1)))
		return;
	memset(&in, 0, sizeof(in));
	if (!skip(&c, 8) || !look_ip(by_version(&c), &c, &in))
		return;
	if (in.first)
		look_transport(c, &in);
	p->error = true;
	p->src = in.src;
	p->dst = in.dst;
	p->proto = in.proto;
	p->sport = in.sport;
	p->dport = in.dport;
	p->depth = in.depth;
}
