/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build.c - Headers from fields
 *
 * Theory of operation
 *
 * A header is written front to back with its checksum zero; the checksum is
 * summed over what stands there and put in last. With CSUM_PARTIAL the field
 * holds the sum of the pseudo header, not inverted, which is what Linux expects
 * below a virtio header with VIRTIO_NET_HDR_F_NEEDS_CSUM: it adds the rest.
 */
#include "wire/build.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum.h"
#include "wire/numbers.h"
#include "wire/pseudo.h"
#include "wire/segment.h"

#define ETH_FRAME_MIN  60 /* without the check sequence */
#define IP4_HLEN       20
#define IP6_HLEN       40
#define TCP_HLEN       20
#define UDP_HLEN       8
#define IP_LEN_MAX     65535u
#define IP4_DF	       0x4000
#define IP4_MF	       0x2000
#define FRAGMENT_HLEN  8
#define PROTO_FRAGMENT 44

#define ARP_LEN		  28
#define ND_LEN		  24
#define ND_OPT_LEN	  8
#define ND_SOLICIT	  135
#define ND_ADVERTISE	  136
#define ND_OPT_SOURCE	  1
#define ND_OPT_TARGET	  2
#define ND_HOPS		  255 /* RFC 4861 section 7.1: proof of being local */
#define ICMP_HLEN	  8
#define ICMP_UNREACHABLE  3
#define ICMP_PORT	  3
#define ICMP6_UNREACHABLE 1
#define ICMP6_PORT	  4
#define ICMP_TTL	  64
#define NA_SOLICITED	  0x40000000u
#define NA_OVERRIDE	  0x20000000u

static uint8_t *put_eth(uint8_t *p, const uint8_t *dst, const uint8_t *src,
			uint16_t type)
{
	memcpy(p, dst, ETH_LEN);
	memcpy(p + ETH_LEN, src, ETH_LEN);
	put_be16(p + 2 * ETH_LEN, type);
	return p + ETH_HEADER;
}

/* A length field: 0 stands for what does not fit (BIG TCP). */
static uint16_t ip_length(uint32_t len)
{
	return len > IP_LEN_MAX ? 0 : (uint16_t)len;
}

static uint8_t *put_ip4(uint8_t *p, const struct tcp_header *h, uint8_t proto,
			uint32_t len)
{
	memset(p, 0, IP4_HLEN);
	p[0] = 4 << 4 | IP4_HLEN / 4;
	put_be16(p + 2, ip_length(IP4_HLEN + len));
	put_be16(p + 4, h->ip_id);
	put_be16(p + 6, IP4_DF);
	p[8] = h->ttl;
	p[9] = proto;
	memcpy(p + 12, h->src.b + 12, 4);
	memcpy(p + 16, h->dst.b + 12, 4);
	put_be16(p + 10, (uint16_t)~csum_fold(csum_add(0, p, IP4_HLEN)));
	return p + IP4_HLEN;
}

static uint8_t *put_ip6(uint8_t *p, const struct ipaddr *src,
			const struct ipaddr *dst, uint8_t hops, uint8_t proto,
			uint32_t len)
{
	put_be32(p, UINT32_C(6) << 28);
	put_be16(p + 4, ip_length(len));
	p[6] = proto;
	p[7] = hops;
	memcpy(p + 8, src->b, 16);
	memcpy(p + 24, dst->b, 16);
	return p + IP6_HLEN;
}

/* Write Ethernet and IP for @len bytes of @proto. Return: where they begin. */
static uint8_t *put_l2_l3(uint8_t *p, const struct tcp_header *h, uint8_t proto,
			  uint32_t len)
{
	bool v4 = ipaddr_is4(&h->src);

	assert(v4 == ipaddr_is4(&h->dst));

	p = put_eth(p, h->eth_dst, h->eth_src,
		    v4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6);
	if (v4)
		return put_ip4(p, h, proto, len);
	return put_ip6(p, &h->src, &h->dst, h->ttl, proto, len);
}

/**
 * l4_csum() - Value of a checksum field
 * @l4:		Header, its checksum zero
 * @hlen:	Its length, even
 */
static uint16_t l4_csum(const struct tcp_header *h, uint8_t proto,
			const uint8_t *l4, uint32_t hlen, const uint8_t *data,
			uint32_t len, enum build_csum csum)
{
	uint64_t sum = pseudo_sum(ipaddr_is4(&h->src), &h->src, &h->dst, proto,
				  hlen + len);

	if (csum == CSUM_PARTIAL)
		return csum_fold(sum);
	sum = csum_add(sum, l4, hlen);
	if (len > 0)
		sum = csum_add(sum, data, len);
	return (uint16_t)~csum_fold(sum);
}

size_t build_tcp(uint8_t *out, const struct tcp_header *h, const uint8_t *data,
		 uint32_t len, enum build_csum csum)
{
	uint32_t hlen = TCP_HLEN + h->optlen;
	uint8_t *th;

	assert(h->optlen <= TCP_OPT_MAX && h->optlen % 4 == 0);

	th = put_l2_l3(out, h, PROTO_TCP, hlen + len);
	put_be16(th, h->sport);
	put_be16(th + 2, h->dport);
	put_be32(th + 4, h->seq);
	put_be32(th + 8, h->ack);
	th[12] = (uint8_t)(hlen / 4 << 4);
	th[13] = h->flags;
	put_be16(th + 14, h->win);
	put_be16(th + 16, 0);
	put_be16(th + 18, h->urg);
	if (h->optlen > 0)
		memcpy(th + TCP_HLEN, h->opts, h->optlen);
	put_be16(th + 16, l4_csum(h, PROTO_TCP, th, hlen, data, len, csum));
	return (size_t)(th - out) + hlen;
}

/* Write the UDP header of a datagram of @len bytes at @data. */
static void put_udp(uint8_t *uh, const struct tcp_header *h,
		    const uint8_t *data, uint32_t len, enum build_csum csum)
{
	uint16_t sum;

	put_be16(uh, h->sport);
	put_be16(uh + 2, h->dport);
	put_be16(uh + 4, ip_length(UDP_HLEN + len));
	put_be16(uh + 6, 0);
	sum = l4_csum(h, PROTO_UDP, uh, UDP_HLEN, data, len, csum);
	if (sum == 0 && csum == CSUM_FULL)
		sum = 0xffff; /* 0 says that there is none (RFC 768) */
	put_be16(uh + 6, sum);
}

size_t build_udp(uint8_t *out, const struct tcp_header *h, const uint8_t *data,
		 uint32_t len, enum build_csum csum)
{
	uint8_t *uh = put_l2_l3(out, h, PROTO_UDP, UDP_HLEN + len);

	put_udp(uh, h, data, len, csum);
	return (size_t)(uh - out) + UDP_HLEN;
}

/* Make the IPv4 header at @ip that of a fragment; @field: its flags and offset.
 */
static void set_fragment4(uint8_t *ip, uint16_t field)
{
	put_be16(ip + 6, field);
	put_be16(ip + 10, 0);
	put_be16(ip + 10, (uint16_t)~csum_fold(csum_add(0, ip, IP4_HLEN)));
}

static void put_fragment6(uint8_t *p, const struct tcp_header *h, uint16_t off,
			  bool more)
{
	p[0] = PROTO_UDP;
	p[1] = 0;
	put_be16(p + 2, (uint16_t)(off | more));
	put_be32(p + 4, h->ip_id);
}

size_t build_udp_fragment(uint8_t *out, const struct tcp_header *h,
			  const uint8_t *data, uint32_t len, uint32_t from,
			  uint32_t n)
{
	bool v4 = ipaddr_is4(&h->src);
	bool more = from + n < len;
	uint32_t own = from == 0 ? UDP_HLEN + n : n;
	uint32_t off = from == 0 ? 0 : UDP_HLEN + from;
	uint8_t *p;

	assert(off % 8 == 0 && UDP_HLEN + len <= IP_LEN_MAX - IP4_HLEN);
	assert(n <= len && from <= len - n && (!more || own % 8 == 0));

	if (v4) {
		p = put_l2_l3(out, h, PROTO_UDP, own);
		set_fragment4(p - IP4_HLEN,
			      (uint16_t)((more ? IP4_MF : 0) | off / 8));
	} else {
		p = put_l2_l3(out, h, PROTO_FRAGMENT, FRAGMENT_HLEN + own);
		put_fragment6(p, h, (uint16_t)off, more);
		p += FRAGMENT_HLEN;
	}
	if (from > 0)
		return (size_t)(p - out);
	put_udp(p, h, data, len, CSUM_FULL);
	return (size_t)(p - out) + UDP_HLEN;
}

size_t build_arp(uint8_t *out, uint16_t op, const uint8_t *eth_dst,
		 const uint8_t *sha, const struct ipaddr *spa,
		 const uint8_t *tha, const struct ipaddr *tpa)
{
	uint8_t *p;

	memset(out, 0, ETH_FRAME_MIN);
	p = put_eth(out, eth_dst, sha, ETHERTYPE_ARP);
	put_be16(p, 1);
	put_be16(p + 2, ETHERTYPE_IP4);
	p[4] = ETH_LEN;
	p[5] = 4;
	put_be16(p + 6, op);
	memcpy(p + 8, sha, ETH_LEN);
	memcpy(p + 14, spa->b + 12, 4);
	if (tha)
		memcpy(p + 18, tha, ETH_LEN);
	memcpy(p + 24, tpa->b + 12, 4);
	return ETH_FRAME_MIN;
}

/* Write an ND message with one link-layer option, IPv6 header included. */
static uint8_t *put_nd(uint8_t *p, uint8_t type, uint32_t flags,
		       const struct ipaddr *src, const struct ipaddr *dst,
		       const struct ipaddr *target, uint8_t opt,
		       const uint8_t *lladdr)
{
	const uint32_t len = ND_LEN + ND_OPT_LEN;
	uint64_t sum;

	p = put_ip6(p, src, dst, ND_HOPS, PROTO_ICMP6, len);
	p[0] = type;
	p[1] = 0;
	put_be16(p + 2, 0);
	put_be32(p + 4, flags);
	memcpy(p + 8, target->b, 16);
	p[ND_LEN] = opt;
	p[ND_LEN + 1] = ND_OPT_LEN / 8;
	memcpy(p + ND_LEN + 2, lladdr, ETH_LEN);

	sum = pseudo_sum(false, src, dst, PROTO_ICMP6, len);
	put_be16(p + 2, (uint16_t)~csum_fold(csum_add(sum, p, len)));
	return p + len;
}

size_t build_ns(uint8_t *out, const uint8_t *sha, const struct ipaddr *src,
		const struct ipaddr *target)
{
	struct ipaddr group = { { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
				  0xff } };
	uint8_t eth_group[ETH_LEN] = { 0x33, 0x33, 0xff };
	uint8_t *p;

	memcpy(group.b + 13, target->b + 13, 3);
	memcpy(eth_group + 3, target->b + 13, 3);
	p = put_eth(out, eth_group, sha, ETHERTYPE_IP6);
	p = put_nd(p, ND_SOLICIT, 0, src, &group, target, ND_OPT_SOURCE, sha);
	return (size_t)(p - out);
}

size_t build_na(uint8_t *out, const uint8_t *eth_dst, const uint8_t *sha,
		const struct ipaddr *target, const struct ipaddr *dst)
{
	uint8_t *p = put_eth(out, eth_dst, sha, ETHERTYPE_IP6);

	p = put_nd(p, ND_ADVERTISE, NA_SOLICITED | NA_OVERRIDE, target, dst,
		   target, ND_OPT_TARGET, sha);
	return (size_t)(p - out);
}

size_t build_unreachable(uint8_t *out, const uint8_t *eth_dst,
			 const uint8_t *eth_src, const struct ipaddr *src,
			 const struct ipaddr *dst, const uint8_t *quote,
			 uint32_t len)
{
	struct tcp_header h = { .src = *src, .dst = *dst, .ttl = ICMP_TTL };
	bool v4 = ipaddr_is4(src);
	uint32_t all = ICMP_HLEN + len;
	uint64_t sum = 0;
	uint8_t *p;

	assert(len <= UNREACHABLE_QUOTE);
	memcpy(h.eth_dst, eth_dst, ETH_LEN);
	memcpy(h.eth_src, eth_src, ETH_LEN);
	p = put_l2_l3(out, &h, v4 ? PROTO_ICMP : PROTO_ICMP6, all);
	memset(p, 0, ICMP_HLEN);
	p[0] = v4 ? ICMP_UNREACHABLE : ICMP6_UNREACHABLE;
	p[1] = v4 ? ICMP_PORT : ICMP6_PORT;
	memcpy(p + ICMP_HLEN, quote, len);
	if (!v4)
		sum = pseudo_sum(false, src, dst, PROTO_ICMP6, all);
	put_be16(p + 2, (uint16_t)~csum_fold(csum_add(sum, p, all)));
	return (size_t)(p - out) + all;
}

int arp_parse(const uint8_t *p, size_t len, struct arp_packet *a)
{
	if (len < ARP_LEN || get_be16(p) != 1 ||
	    get_be16(p + 2) != ETHERTYPE_IP4 || p[4] != ETH_LEN || p[5] != 4)
		return -EBADMSG;

	a->op = get_be16(p + 6);
	memcpy(a->sha, p + 8, ETH_LEN);
	a->spa = ipaddr_from4(p + 14);
	memcpy(a->tha, p + 18, ETH_LEN);
	a->tpa = ipaddr_from4(p + 24);
	return 0;
}

int nd_parse(const uint8_t *p, size_t len, struct nd_packet *n)
{
	struct nd_packet got = { 0 };
	uint8_t want;
	size_t optlen;

	if (len < 1)
		return -EBADMSG;
	if (p[0] != ND_SOLICIT && p[0] != ND_ADVERTISE)
		return -ENOTSUP;
	/* Code 0, and a target that is no group (RFC 4861 section 7.1). */
	if (len < ND_LEN || p[1] != 0 || p[8] == 0xff)
		return -EBADMSG;
	got.type = p[0];
	got.target = ipaddr_from6(p + 8);
	want = got.type == ND_SOLICIT ? ND_OPT_SOURCE : ND_OPT_TARGET;

	for (p += ND_LEN, len -= ND_LEN; len > 0; p += optlen, len -= optlen) {
		if (len < 2 || p[1] == 0 || p[1] * 8u > len)
			return -EBADMSG;
		optlen = p[1] * 8u;
		if (p[0] == want && optlen == ND_OPT_LEN) {
			memcpy(got.lladdr, p + 2, ETH_LEN);
			got.has_lladdr = true;
		}
	}
	*n = got;
	return 0;
}
