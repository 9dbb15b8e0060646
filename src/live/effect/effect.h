/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * effect - What a machine wants done
 *
 * A machine never sends; it writes effects. One effect is one segment towards
 * one SUT. Its payload is a piece of a frame that the pool holds: the effect
 * sets BUF_EMIT on it, and whoever takes the effect (the sink) gives it back,
 * in any order, once the bytes have left or were given up.
 */
#ifndef EFFECT_EFFECT_H
#define EFFECT_EFFECT_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/ipaddr.h"
#include "core/limits.h"
#include "wire/segment.h"

enum effect_kind {
	EFFECT_TCP,
	EFFECT_UDP,
	EFFECT_RAW, /* a whole frame in @raw: ARP, ND, ICMP */
};

/* Why it is sent; --print and the journal say so. */
#define EFFECT_CAUSES(X)                                                       \
	X(CAUSE_SYN, "syn")                                                    \
	X(CAUSE_SYN_AGAIN, "syn-again")                                        \
	X(CAUSE_ACK, "ack")		    /* a client's ack, rebased */      \
	X(CAUSE_ACK_PARTIAL, "ack-partial") /* forced on a frame boundary */   \
	X(CAUSE_ACK_DRAIN, "ack-drain")                                        \
	X(CAUSE_ACK_DUP, "ack-dup") /* out of order, probe, keepalive */       \
	X(CAUSE_WINDOW, "window")   /* the right edge moved */                 \
	X(CAUSE_DATA, "data")                                                  \
	X(CAUSE_DATA_AGAIN, "data-again")                                      \
	X(CAUSE_ZERO_PROBE, "zero-probe")                                      \
	X(CAUSE_FIN, "fin")                                                    \
	X(CAUSE_FIN_AGAIN, "fin-again")                                        \
	X(CAUSE_RST, "rst")                                                    \
	X(CAUSE_STRAY_RST, "stray-rst") /* answer to a segment of no flow */   \
	X(CAUSE_DATAGRAM, "datagram")                                          \
	X(CAUSE_ARP, "arp")                                                    \
	X(CAUSE_ND, "nd")                                                      \
	X(CAUSE_OUTSIDE, "outside") /* refuses what the SUT asks of others */  \
	X(CAUSE_PROBE, "probe")	    /* is the wire ours alone? */

enum effect_cause {
#define X(id, name) id,
	EFFECT_CAUSES(X)
#undef X
		CAUSE_COUNT
};

#define EFFECT_RAW_MAX 128 /* bytes of an ARP, ND or ICMP frame */

/**
 * struct effect - One segment, datagram or small frame to be sent
 * @kind:	What it is
 * @cause:	Why it is sent
 * @sut:	Index of the SUT, which is that of its wire and hardware address
 * @timed:	Tell the machine when it left: it is a SYN, or ends a request
 * @flow:	Serial number of the flow, 0: none
 * @slot:	Of a datagram: its exchange's place, the machine's
 * @asked:	Stamp of the client's segment that let it go at once, ns since
 *		1970; 0: it waited for something else
 * @src, @dst, @sport, @dport: Addresses
 * @seq ... @opts: TCP header; @opts is padded to a multiple of 4
 * @frame:	Holder of the payload, NULL: none
 * @off, @len:	Piece of @frame's data
 * @gso:	0: as it is; else to be cut into segments of so many bytes
 * @raw, @rawlen: For EFFECT_RAW, from the Ethernet header on
 */
struct effect {
	enum effect_kind kind;
	enum effect_cause cause;
	uint8_t sut;
	uint8_t flags;
	uint8_t ttl;
	uint8_t optlen;
	bool timed;
	uint16_t sport;
	uint16_t dport;
	uint16_t win;
	uint16_t urg;
	uint16_t gso;
	uint16_t rawlen;
	uint32_t seq;
	uint32_t ack;
	uint32_t off;
	uint32_t len;
	uint32_t slot;
	uint64_t flow;
	uint64_t asked;
	struct buf *frame;
	struct ipaddr src;
	struct ipaddr dst;
	union {
		uint8_t opts[TCP_OPT_MAX];
		uint8_t raw[EFFECT_RAW_MAX];
	};
};

/** struct effects - What one call of a machine wants done, in order */
struct effects {
	uint32_t n;
	struct effect e[EFFECTS_MAX];
};

/** effects_left() - How many more fit */
static inline uint32_t effects_left(const struct effects *out)
{
	assert(out && out->n <= EFFECTS_MAX);
	return EFFECTS_MAX - out->n;
}

/** effects_data() - Payload of @e; valid while BUF_EMIT is set */
const uint8_t *effects_data(const struct effect *e);

/** cause_name() - As --print and the journal spell it */
const char *cause_name(enum effect_cause c);

#endif /* EFFECT_EFFECT_H */
