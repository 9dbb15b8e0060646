/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cut - Segments out of a record that is longer than the wire takes
 *
 * A host with GRO or TSO captures super-frames: many segments of one TCP stream
 * under one header. On the wire they were never one frame, and none of that
 * length can be sent.
 */
#ifndef REWRITE_CUT_H
#define REWRITE_CUT_H

#include <stdint.h>

#include "rewrite/shape.h"

/**
 * struct cut - How a frame is to be cut
 * @shape:	Its headers, as the segments have them
 * @drop:	Bytes behind the fixed IPv6 header that they do not have: a
 *		jumbo option (RFC 2675), which never was on a wire
 * @head:	Bytes of all headers, repeated in each segment
 * @payload:	Bytes that are shared out
 * @mss:	Bytes of them in each segment but the last
 * @segments:	How many
 */
struct cut {
	struct shape shape;
	uint32_t drop;
	uint32_t head;
	uint32_t payload;
	uint32_t mss;
	uint32_t segments;
};

/**
 * cut_plan() - Test whether a frame fits, and how to cut it if not
 * @c:		Set when the result is 1
 * @p, @len:	Frame
 * @mtu:	Longest IP packet of the interface
 *
 * Return: 0 it fits; 1 it is cut; -EMSGSIZE it does neither (no TCP in plain
 * IP, or a fragment, or no room for data), -EBADMSG no Ethernet header
 */
int cut_plan(struct cut *c, const uint8_t *p, uint32_t len, uint32_t mtu);

/**
 * cut_segment() - Write one segment
 * @i:		Which, from 0
 * @out:	Room for the headers and @mss bytes
 *
 * As a device with TSO does it: the sequence number and the IPv4 identification
 * move on, CWR is only in the first, FIN and PSH only in the last, and all
 * checksums are right.
 *
 * Return: bytes written
 */
uint32_t cut_segment(const struct cut *c, const uint8_t *p, uint32_t i,
		     uint8_t *out);

/**
 * cut_keep() - Prepare a whole super-frame for a device that cuts
 * @p:		Frame, changed: lengths, and the sum of the pseudo header alone
 *		where the TCP checksum is
 *
 * Return: its length (without padding), or -EMSGSIZE if it is longer than a
 * device may take at once
 */
int64_t cut_keep(const struct cut *c, uint8_t *p, uint32_t super_max);

#endif /* REWRITE_CUT_H */
