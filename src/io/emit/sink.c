/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink.c - Who is sent to, and who is refused
 *
 * Theory of operation
 *
 * Every way out (packet.c, null.c) begins here. TCP and UDP go to the
 * destinations of the list alone, at the hardware address that each was pinned
 * to; ARP, neighbour discovery and refusals by ICMP are taken apart and must be
 * from us, to them. What is not is -EPERM, counted, and never reaches the
 * kernel. The list is made once, by who opens the sink, and nothing adds to it.
 */
#include "emit/sink.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "wire/numbers.h"
#include "wire/segment.h"

#define L3	   14 /* where the header after Ethernet begins */
#define ARP_LEN	   28
#define ND_LEN	   (40 + 24) /* IPv6, neighbour message */
#define ND_SOLICIT 135
#define IP4_LEN	   20
#define IP6_LEN	   40

static const struct counter rows[] = { SINK_COUNTERS(COUNTER_ROW,
						     struct sink_stats) };
const struct counter_list sink_counter_list = COUNTER_LIST(rows);

int sink_init(struct sink *s, const struct sink_ops *ops, const uint8_t *mac,
	      const struct emit_dest *dest, uint32_t dests, sink_done_fn *done,
	      void *ctx)
{
	if (dests > MAP_MAX)
		return -EINVAL;
	memset(s, 0, sizeof(*s));
	s->ops = ops;
	s->done = done;
	s->ctx = ctx;
	memcpy(s->mac, mac, ETH_LEN);
	memcpy(s->dest, dest, dests * sizeof(*dest));
	s->dests = dests;
	return 0;
}

int sink_pin(struct sink *s, const struct ipaddr *ip, const uint8_t *mac)
{
	int rc = -ENOENT;

	for (uint32_t i = 0; i < s->dests; i++) {
		if (!ipaddr_eq(&s->dest[i].ip, ip))
			continue;
		memcpy(s->dest[i].mac, mac, ETH_LEN);
		s->dest[i].known = true;
		rc = 0;
	}
	return rc;
}

static bool ip_allowed(const struct sink *s, const struct tcp_header *h)
{
	if (memcmp(h->eth_src, s->mac, ETH_LEN) != 0)
		return false;
	for (uint32_t i = 0; i < s->dests; i++)
		if (s->dest[i].known && ipaddr_eq(&s->dest[i].ip, &h->dst) &&
		    memcmp(s->dest[i].mac, h->eth_dst, ETH_LEN) == 0)
			return true;
	return false;
}

static bool listed(const struct sink *s, const struct ipaddr *ip)
{
	for (uint32_t i = 0; i < s->dests; i++)
		if (ipaddr_eq(&s->dest[i].ip, ip))
			return true;
	return false;
}

/* 198.18.0.0/15: nobody's, so that a question from there says nothing of
 * anybody.
 */
static bool is_nobody(const struct ipaddr *ip)
{
	return ipaddr_is4(ip) && ip->b[12] == 198 && (ip->b[13] & 0xfe) == 18;
}

static bool arp_allowed(const struct sink *s, const uint8_t *p, uint32_t len,
			bool unicast)
{
	static const uint8_t all[ETH_LEN] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	struct arp_packet a;

	if (len < L3 + ARP_LEN || arp_parse(p + L3, len - L3, &a))
		return false;
	if (memcmp(a.sha, s->mac, ETH_LEN) != 0)
		return false;
	return unicast || (a.op == 1 && memcmp(p, all, ETH_LEN) == 0 &&
			   (listed(s, &a.tpa) || is_nobody(&a.spa)));
}

/* 33:33:ff and the last three bytes of the address (RFC 2464 section 7). */
static bool is_solicited_node(const uint8_t *mac, const struct ipaddr *target)
{
	return mac[0] == 0x33 && mac[1] == 0x33 && mac[2] == 0xff &&
	       memcmp(mac + 3, target->b + 13, 3) == 0;
}

static bool nd_allowed(const struct sink *s, const uint8_t *p, uint32_t len,
		       bool unicast)
{
	struct nd_packet n;
	bool local;

	if (len < L3 + ND_LEN || p[L3 + 6] != PROTO_ICMP6 ||
	    nd_parse(p + L3 + 40, len - L3 - 40, &n))
		return false;
	/* Solicitation and advertisement are all that is parsed. */
	if (unicast)
		return true;
	local = p[L3 + 8] == 0xfe && (p[L3 + 9] & 0xc0) == 0x80;
	return n.type == ND_SOLICIT && (local || listed(s, &n.target)) &&
	       is_solicited_node(p, &n.target);
}

/* "Port unreachable", to a destination's own address at its hardware address.
 */
static bool icmp_allowed(const struct sink *s, const uint8_t *p, uint32_t len,
			 bool v4)
{
	uint32_t at = L3 + (v4 ? IP4_LEN : IP6_LEN);
	struct ipaddr dst;

	if (len < at + 8)
		return false;
	if (v4 ? p[L3] != 0x45 || p[L3 + 9] != PROTO_ICMP || p[at] != 3 ||
			    p[at + 1] != 3
	       : p[L3 + 6] != PROTO_ICMP6 || p[at] != 1 || p[at + 1] != 4)
		return false;
	dst = v4 ? ipaddr_from4(p + L3 + 16) : ipaddr_from6(p + L3 + 24);
	for (uint32_t i = 0; i < s->dests; i++)
		if (s->dest[i].known && ipaddr_eq(&s->dest[i].ip, &dst) &&
		    memcmp(s->dest[i].mac, p, ETH_LEN) == 0)
			return true;
	return false;
}

static bool raw_allowed(const struct sink *s, const uint8_t *p, uint32_t len)
{
	bool unicast = false;
	uint16_t type;

	if (len < L3 || memcmp(p + ETH_LEN, s->mac, ETH_LEN) != 0)
		return false;
	for (uint32_t i = 0; i < s->dests; i++)
		if (s->dest[i].known && memcmp(s->dest[i].mac, p, ETH_LEN) == 0)
			unicast = true;
	type = get_be16(p + 12);
	if (type == ETHERTYPE_ARP)
		return arp_allowed(s, p, len, unicast);
	if (type == ETHERTYPE_IP4)
		return icmp_allowed(s, p, len, true);
	return type == ETHERTYPE_IP6 && (nd_allowed(s, p, len, unicast) ||
					 icmp_allowed(s, p, len, false));
}

static int send_ip(struct sink *s, uint8_t proto, const struct tcp_header *h,
		   const uint8_t *data, uint32_t len, uint16_t gso,
		   uint64_t cookie)
{
	if (!ip_allowed(s, h)) {
		s->stats.refused++;
		return -EPERM;
	}
	return s->ops->ip(s, proto, h, data, len, gso, cookie);
}

int sink_tcp(struct sink *s, const struct tcp_header *h, const uint8_t *data,
	     uint32_t len, uint16_t gso, uint64_t cookie)
{
	return send_ip(s, PROTO_TCP, h, data, len, gso, cookie);
}

int sink_udp(struct sink *s, const struct tcp_header *h, const uint8_t *data,
	     uint32_t len, uint64_t cookie)
{
	return send_ip(s, PROTO_UDP, h, data, len, 0, cookie);
}

int sink_raw(struct sink *s, const uint8_t *p, uint32_t len, uint64_t cookie)
{
	if (!raw_allowed(s, p, len)) {
		s->stats.refused++;
		return -EPERM;
	}
	if (len > BUILD_RAW_MAX)
		return -EMSGSIZE;
	return s->ops->raw(s, p, len, cookie);
}

void sink_flush(struct sink *s)
{
	s->ops->flush(s);
}

void sink_close(struct sink *s)
{
	s->ops->flush(s);
	s->ops->close(s);
}
