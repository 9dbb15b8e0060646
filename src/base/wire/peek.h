/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peek - Who speaks to whom in a frame, as far as it can be seen
 *
 * For what sorts frames and does not play them: no checksum, no length is
 * tested beyond what was captured, nothing is reassembled. What frame_decode()
 * refuses still has addresses here.
 */
#ifndef WIRE_PEEK_H
#define WIRE_PEEK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ipaddr.h"

/* What was found; each implies those above it. */
enum peek_depth {
	PEEK_NOTHING, /* no IP */
	PEEK_IP,      /* addresses and protocol */
	PEEK_PORTS,   /* ports of TCP or UDP; for an ICMP echo its identifier,
		       * twice */
};

/**
 * struct peek - A frame
 * @depth:	How much of what follows is valid
 * @has_eth:	@eth_src and @eth_dst are valid, whatever @depth is
 * @src, @dst:	Addresses
 * @proto:	Protocol behind extension headers
 * @sport, @dport: Ports
 * @flags:	TCP flags; 0 if they were not captured
 * @icmp:	Type of an ICMP or ICMPv6 message + 1; 0: none
 * @fragment:	Part of a datagram: @frag_id names it
 * @first:	It is the part with the ports
 * @error:	An ICMP error: addresses, protocol and ports are those of the
 *		packet that it is about
 * @data, @len:	Payload of TCP or UDP that was captured
 */
struct peek {
	enum peek_depth depth;
	bool has_eth;
	const uint8_t *eth_src;
	const uint8_t *eth_dst;
	struct ipaddr src;
	struct ipaddr dst;
	uint8_t proto;
	uint16_t sport;
	uint16_t dport;
	uint8_t flags;
	uint16_t icmp;
	bool fragment;
	bool first;
	bool error;
	uint32_t frag_id;
	const uint8_t *data;
	uint32_t len;
};

/**
 * peek_frame() - Look at a frame
 * @link:	LINKTYPE_ number; what is not known holds no IP
 * @data, @cap:	What was captured
 * @p:		Result; pointers lead into the frame
 */
void peek_frame(uint16_t link, const uint8_t *data, uint32_t cap,
		struct peek *p);

#endif /* WIRE_PEEK_H */
