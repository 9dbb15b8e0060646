/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segment - One TCP segment or UDP datagram, taken out of its frame
 *
 * The meeting point of everything: decode writes it, machines read it. All
 * numbers are in host order.
 */
#ifndef WIRE_SEGMENT_H
#define WIRE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ipaddr.h"

/* IP protocol numbers (IANA). */
enum {
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ICMP6 = 58,
};

/* TCP flags (RFC 9293 section 3.1; RFC 3168). */
enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
};

#define TCP_OPT_MAX  40	  /* bytes of options that fit a header */
#define TCP_SACK_MAX 4	  /* SACK blocks that fit them */
#define TCP_MSS_4    536  /* without the option (RFC 9293 section 3.7.1) */
#define TCP_MSS_6    1220 /* over IPv6 */

/* What tcp_opts.has may hold. */
enum {
	OPT_HAS_MSS = 1 << 0,
	OPT_HAS_WSCALE = 1 << 1,
	OPT_HAS_SACK_OK = 1 << 2,
	OPT_HAS_TS = 1 << 3,
	OPT_HAS_FASTOPEN = 1 << 4, /* RFC 7413, and the experimental kind */
	OPT_HAS_MPTCP = 1 << 5,	   /* RFC 8684 */
	OPT_HAS_MD5 = 1 << 6,	   /* RFC 2385 */
	OPT_HAS_AO = 1 << 7,	   /* RFC 5925 */
};

/** struct sack_block - One block of a SACK option (RFC 2018 section 3) */
struct sack_block {
	uint32_t left;	/* first sequence number */
	uint32_t right; /* first one after it */
};

/**
 * struct tcp_opts - A TCP header's options
 * @has:	OPT_HAS_ bits: which of the following are valid
 * @mss:	Maximum segment size
 * @wscale:	Window scale as sent, 0 to 255 (more than 14 counts as 14, RFC
 *		7323 section 2.3; the reader clamps)
 * @sacks:	Blocks in @sack, 0 to TCP_SACK_MAX
 * @tsval, @tsecr: Timestamps (RFC 7323 section 3)
 */
struct tcp_opts {
	uint16_t has;
	uint16_t mss;
	uint8_t wscale;
	uint8_t sacks;
	uint32_t tsval;
	uint32_t tsecr;
	struct sack_block sack[TCP_SACK_MAX];
};

/**
 * struct segment - A TCP segment or UDP datagram
 * @src, @dst:	Addresses
 * @sport, @dport: Ports
 * @proto:	PROTO_TCP or PROTO_UDP
 * @ttl:	Time to live or hop limit
 * @seq, @ack, @flags, @win, @urg: TCP header as sent; @win is not scaled
 * @opts:	TCP options
 * @data:	Payload, borrowed: valid only during the call it is passed to
 * @len:	Bytes of payload on the wire
 * @cap:	Bytes of it at @data; less than @len if the capture cut it
 * @gso:	Segment size if the frame is a super-frame and it is known, else
 *		0
 * @ts:		Time of capture, ns since 1970
 */
struct segment {
	struct ipaddr src;
	struct ipaddr dst;
	uint16_t sport;
	uint16_t dport;
	uint8_t proto;
	uint8_t ttl;
	uint16_t flags;
	uint32_t seq;
	uint32_t ack;
	uint16_t win;
	uint16_t urg;
	struct tcp_opts opts;
	const uint8_t *data;
	uint32_t len;
	uint32_t cap;
	uint16_t gso;
	uint64_t ts;
};

#endif /* WIRE_SEGMENT_H */
