/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode - From the bytes of a frame to a segment
 *
 * Ethernet (also Linux cooked v1 and v2, raw IP, BSD loopback: link types of
 * capture files), any number of 802.1Q/802.1ad tags up to 4, IPv4 with options,
 * IPv6 with extension headers, TCP, UDP. A frame that fails a length or
 * checksum test yields a count, never a segment (I30). Tunnels are datagrams
 * here: decap/decap.h looks into them.
 *
 * IP total length 0 of a BIG TCP frame, or the jumbo option of IPv6, is taken
 * from the frame's own length.
 */
#ifndef WIRE_DECODE_H
#define WIRE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/frag.h"
#include "wire/segment.h"

/* Link types (tcpdump.org's LINKTYPE_ numbers). */
enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_RAW_BSD = 12,     /* raw IP under the number of most systems */
	LINK_RAW_OPENBSD = 14, /* and of OpenBSD */
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
};

/* What frame_decode() found: each frame is exactly one of these (I33). */
#define DECODE_RESULTS(X)                                                      \
	X(DECODE_TCP, "tcp")	       /* segment filled in */                 \
	X(DECODE_UDP, "udp")	       /* segment filled in */                 \
	X(DECODE_ARP, "arp")	       /* eth, l3 filled in */                 \
	X(DECODE_ND, "nd")	       /* ICMPv6 133-137: eth, ip, l4 */       \
	X(DECODE_ICMP, "icmp")	       /* other ICMP and ICMPv6: eth, ip */    \
	X(DECODE_IP_OTHER, "ip_other") /* other protocol: eth, ip */           \
	X(DECODE_FRAGMENT, "fragment") /* kept; its datagram not whole yet */  \
	X(DECODE_LINK_CONTROL, "link_control") /* STP, LLDP, pause, LACP */    \
	X(DECODE_NOT_IP, "not_ip")                                             \
	X(DECODE_TRUNCATED, "truncated") /* headers not captured whole */      \
	X(DECODE_BAD_LENGTH, "bad_length")                                     \
	X(DECODE_BAD_IP_CSUM, "bad_ip_csum")                                   \
	X(DECODE_BAD_L4_CSUM, "bad_l4_csum")                                   \
	X(DECODE_BAD_HEADER, "bad_header") /* version, doff, option lengths */ \
	X(DECODE_FRAG_DROPPED, "frag_dropped") /* overlap or no room */        \
	X(DECODE_TOO_DEEP, "too_deep")	       /* tags or extension headers */

enum decode_result {
#define X(id, name) id,
	DECODE_RESULTS(X)
#undef X
		DECODE_COUNT
};

/** decode_name() - Name of a result, as reports spell it */
const char *decode_name(enum decode_result r);

/**
 * struct frame_info - A frame as a capture hands it over
 * @data:	Bytes, borrowed
 * @cap:	Bytes at @data
 * @wire:	Bytes on the wire, at least @cap
 * @ts:		Time of capture, ns since 1970
 * @link:	LINK_ number
 * @gso:	Segment size if the capture told it, else 0
 * @csum_ok:	L4 checksum need not be tested: not ready yet (offloaded to a
 *		device that the frame never reached) or already verified; an
 *		IPv4 header checksum of 0 is then no error either
 * @trusted:	No checksum is tested, IPv4's neither: who asked for it knows
 *		that those of this capture are wrong
 * @len_open:	An IP length of 0 is not ready yet either: of a TCP segment that
 *		a device was to cut (TSO), and is that of the frame
 * @cut:	Whoever copied the frame may have cut it, and nobody knows its
 *		length on the wire: IP's is believed, and what is missing was
 *		not captured
 * @zero:	Whoever took it out of another frame knows that the sum of the
 *		bytes from here to the last one of @data is 0 (modulo 2^16 - 1):
 *		a checksum that covers the last byte is tested by what is in
 *		front of it; NULL: it is not known
 */
struct frame_info {
	const uint8_t *data;
	uint32_t cap;
	uint32_t wire;
	uint64_t ts;
	uint16_t link;
	uint16_t gso;
	bool csum_ok;
	bool trusted;
	bool len_open;
	bool cut;
	const uint8_t *zero;
};

/**
 * struct decoded - What a frame holds
 * @seg:	Segment, for DECODE_TCP and DECODE_UDP; its addresses and proto
 *		also for DECODE_ND, DECODE_ICMP and DECODE_IP_OTHER; its
 *		addresses alone for DECODE_FRAGMENT, but for the first one of a
 *		datagram: of that its ports and payload, too, and @proto is
 *		PROTO_UDP
 * @eth_src, @eth_dst: Hardware addresses; zero if the link has none
 * @has_eth:	They are valid
 * @type:	EtherType, for DECODE_NOT_IP; 0: the link has none
 * @l3:		Offset of the ARP or IP header in the frame
 * @l4:		Payload of IP (borrowed, in the frame or in the reassembly
 *		buffer), for DECODE_ND, DECODE_ICMP and DECODE_IP_OTHER; the
 *		packet of DECODE_ARP; what follows @type for DECODE_NOT_IP
 * @l4_len:	Bytes captured at @l4
 * @l4_wire:	Bytes of it on the wire, for DECODE_IP_OTHER and DECODE_NOT_IP
 * @reassembled: The datagram came in fragments
 * @offloaded:	With DECODE_BAD_IP_CSUM: the field is 0; with
 *		DECODE_BAD_L4_CSUM: it holds the sum of the pseudo header alone.
 *		So a host leaves them to its network device: in a capture taken
 *		on that host such a frame is good, and @csum_ok is to be set
 * @no_length:	With DECODE_BAD_LENGTH: it is 0 in the IP header of a TCP
 *		segment that no link had to pad; the same, with @len_open
 * @no_sum:	With DECODE_BAD_L4_CSUM: it is a datagram over IPv6 without a
 *		checksum, which a tunnel's may do without (RFC 6935); @seg is
 *		filled in
 */
struct decoded {
	struct segment seg;
	uint8_t eth_src[6];
	uint8_t eth_dst[6];
	bool has_eth;
	bool reassembled;
	bool offloaded;
	bool no_length;
	bool no_sum;
	uint16_t type;
	uint32_t l3;
	const uint8_t *l4;
	uint32_t l4_len;
	uint32_t l4_wire;
};

/**
 * frame_decode() - Take a frame apart
 * @in:		Frame
 * @frags:	Reassembly, or NULL: fragments are DECODE_FRAG_DROPPED
 * @now:	Time for the reassembly's limit, ns
 * @d:		Result; undefined but for eth_, @offloaded, @no_length and
 *		@no_sum when the result is an error
 *
 * Checksums are tested only where the whole datagram was captured. Ethernet
 * padding is cut off by the IP length.
 *
 * Return: what was found
 */
enum decode_result frame_decode(const struct frame_info *in,
				struct frag_table *frags, uint64_t now,
				struct decoded *d);

/**
 * frame_decode_open() - frame_decode() of a frame that a host captured itself
 * @open:	Set if the frame is good but for a checksum or a length that was
 *		left to a network device; else untouched
 */
enum decode_result frame_decode_open(const struct frame_info *in,
				     struct frag_table *frags, uint64_t now,
				     struct decoded *d, bool *open);

/* What the checksums of a frame are; those left to a device count as right. */
enum frame_sum {
	FRAME_SUM_NONE, /* there is none that could be tested */
	FRAME_SUM_RIGHT,
	FRAME_SUM_WRONG,
};

/** frame_sum() - Test the checksums of a frame that was captured whole */
enum frame_sum frame_sum(const struct frame_info *in);

#endif /* WIRE_DECODE_H */
