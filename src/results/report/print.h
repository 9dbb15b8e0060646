/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print - Frames as lines of text
 */
#ifndef REPORT_PRINT_H
#define REPORT_PRINT_H

#include <stdint.h>

#include "wire/decode.h"

/** print_ends() - Print "SRC:PORT > DST:PORT " */
void print_ends(const struct ipaddr *src, uint16_t sport,
		const struct ipaddr *dst, uint16_t dport);

/** print_tcp() - Print the rest of a segment, its flags as tcpdump has them */
void print_tcp(unsigned flags, uint32_t seq, uint32_t ack, uint16_t win,
	       uint32_t len);

/**
 * print_decoded() - Print what a frame is, and the line's end
 * @r, @d:	Of frame_decode()
 * @bytes:	Its length, for what is no segment
 */
void print_decoded(enum decode_result r, const struct decoded *d,
		   uint32_t bytes);

#endif /* REPORT_PRINT_H */
