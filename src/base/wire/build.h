/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build - From header fields to the bytes of a frame
 *
 * Builders write headers only; the payload is gathered by the sink. Lengths and
 * checksums are always right (I31).
 */
#ifndef WIRE_BUILD_H
#define WIRE_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ipaddr.h"

#define ETH_LEN	      6
#define BUILD_HDR_MAX (14 + 40 + 60) /* Ethernet, IPv6, TCP with options */
#define BUILD_RAW_MAX 128	     /* longest frame of the other builders */

/* How the TCP or UDP checksum is written. */
enum build_csum {
	CSUM_FULL,    /* over header and payload */
	CSUM_PARTIAL, /* pseudo header only: the kernel or device completes it */
};

/**
 * struct tcp_header - Fields of a segment to be sent
 * @eth_dst, @eth_src: Hardware addresses
 * @src, @dst:	Both IPv4 or both IPv6
 * @ttl:	Time to live or hop limit
 * @ip_id:	IPv4 identification
 * @opts, @optlen: Options as bytes, padded to a multiple of 4 by the caller
 */
struct tcp_header {
	uint8_t eth_dst[ETH_LEN];
	uint8_t eth_src[ETH_LEN];
	struct ipaddr src;
	struct ipaddr dst;
	uint16_t sport;
	uint16_t dport;
	uint32_t seq;
	uint32_t ack;
	uint8_t flags;
	uint8_t ttl;
	uint16_t win;
	uint16_t urg;
	uint16_t ip_id;
	uint8_t optlen;
	const uint8_t *opts;
};

/**
 * build_tcp() - Write Ethernet, IP and TCP header
 * @out:	At least BUILD_HDR_MAX bytes
 * @h:		Fields
 * @data:	Payload, read for CSUM_FULL only
 * @len:	Bytes of payload; with them an IPv4 datagram of more than 65535
 *		bytes has total length 0, an IPv6 one payload length 0 (BIG TCP)
 * @csum:	How to write the checksum
 *
 * IPv4 has DF set.
 *
 * Return: bytes written
 */
size_t build_tcp(uint8_t *out, const struct tcp_header *h, const uint8_t *data,
		 uint32_t len, enum build_csum csum);

/** build_udp() - As build_tcp(), a UDP header; seq to urg and options unused */
size_t build_udp(uint8_t *out, const struct tcp_header *h, const uint8_t *data,
		 uint32_t len, enum build_csum csum);

/**
 * build_udp_fragment() - Write the headers of one IP fragment of a datagram
 * @out:	At least BUILD_HDR_MAX bytes
 * @h:		As for build_udp(); @ip_id is what its fragments have in common
 * @data, @len:	Payload of the whole datagram; with the headers at most 65535
 * @from, @n:	The part of it that this fragment bears; the first one has the
 *		UDP header too. All but the last end at a multiple of 8 bytes of
 *		the datagram, its UDP header counted
 *
 * RFC 791 section 3.2, RFC 8200 section 4.5.
 *
 * Return: bytes written
 */
size_t build_udp_fragment(uint8_t *out, const struct tcp_header *h,
			  const uint8_t *data, uint32_t len, uint32_t from,
			  uint32_t n);

/**
 * build_arp() - Write a whole ARP frame (RFC 826), padded to 60 bytes
 * @out:	At least BUILD_RAW_MAX bytes
 * @op:		1 request, 2 reply
 * @eth_dst:	Destination of the frame
 * @sha, @spa:	Sender; its hardware address is the frame's source
 * @tha, @tpa:	Target; @tha NULL: zero
 */
size_t build_arp(uint8_t *out, uint16_t op, const uint8_t *eth_dst,
		 const uint8_t *sha, const struct ipaddr *spa,
		 const uint8_t *tha, const struct ipaddr *tpa);

/**
 * build_ns() - Write a whole neighbour solicitation (RFC 4861 section 4.3)
 *
 * With the source link-layer option; to the target's solicited-node group.
 */
size_t build_ns(uint8_t *out, const uint8_t *sha, const struct ipaddr *src,
		const struct ipaddr *target);

/**
 * build_na() - Write a whole neighbour advertisement (RFC 4861 section 4.4)
 *
 * Solicited, override, with the target link-layer option @sha.
 */
size_t build_na(uint8_t *out, const uint8_t *eth_dst, const uint8_t *sha,
		const struct ipaddr *target, const struct ipaddr *dst);

/* Bytes of a datagram that fit into build_unreachable(). */
#define UNREACHABLE_QUOTE 66

/**
 * build_unreachable() - Write a whole ICMP or ICMPv6 "port unreachable"
 * @out:	At least BUILD_RAW_MAX bytes
 * @src:	Who was not reached: the datagram's destination
 * @dst:	Who sent it
 * @quote, @len: The datagram from its IP header on, at most UNREACHABLE_QUOTE
 *		bytes of it
 *
 * RFC 792, RFC 1122 section 3.2.2, RFC 4443 section 3.1.
 *
 * Return: bytes written
 */
size_t build_unreachable(uint8_t *out, const uint8_t *eth_dst,
			 const uint8_t *eth_src, const struct ipaddr *src,
			 const struct ipaddr *dst, const uint8_t *quote,
			 uint32_t len);

/** struct arp_packet - An ARP packet for IPv4 over Ethernet */
struct arp_packet {
	uint16_t op;
	uint8_t sha[ETH_LEN];
	uint8_t tha[ETH_LEN];
	struct ipaddr spa;
	struct ipaddr tpa;
};

/** arp_parse() - Read one. Return: 0 or -EBADMSG */
int arp_parse(const uint8_t *p, size_t len, struct arp_packet *a);

/**
 * struct nd_packet - Neighbour solicitation or advertisement
 * @type:	135 or 136
 * @target:	Target address
 * @lladdr:	Source (135) or target (136) link-layer option
 * @has_lladdr:	It was there
 */
struct nd_packet {
	uint8_t type;
	struct ipaddr target;
	uint8_t lladdr[ETH_LEN];
	bool has_lladdr;
};

/** nd_parse() - Read the ICMPv6 message at @p. Return: 0, -ENOTSUP (other
 * type) or -EBADMSG
 */
int nd_parse(const uint8_t *p, size_t len, struct nd_packet *n);

#endif /* WIRE_BUILD_H */
