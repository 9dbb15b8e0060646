/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode_internal - What the layers of the decoder share
 *
 * Each layer is one function: it is given what is left of the frame, tests its
 * own header, and returns what the next one returns.
 */
#ifndef WIRE_DECODE_INTERNAL_H
#define WIRE_DECODE_INTERNAL_H

#include "wire/decode.h"
#include "wire/numbers.h"

/* Returned by tests inside a layer: nothing is wrong, go on. */
#define DECODE_GO_ON DECODE_COUNT

/**
 * struct span - A layer's bytes
 * @p:		First captured byte
 * @cap:	Captured bytes at @p
 * @wire:	Bytes on the wire, at least @cap
 */
struct span {
	const uint8_t *p;
	uint32_t cap;
	uint32_t wire;
};

/**
 * struct decode_ctx - One call of frame_decode()
 * @in:		Its frame
 * @frags:	Reassembly; NULL once used, since the buffer that it returned
 *		is valid only until it is called again
 * @now:	Time for it
 * @d:		Result
 */
struct decode_ctx {
	const struct frame_info *in;
	struct frag_table *frags;
	uint64_t now;
	struct decoded *d;
};

/**
 * span_need() - Test that @n bytes are there. Return: DECODE_GO_ON or why not
 */
static inline enum decode_result span_need(const struct span *s, uint32_t n)
{
	if (n <= s->cap)
		return DECODE_GO_ON;
	return n > s->wire ? DECODE_BAD_LENGTH : DECODE_TRUNCATED;
}

/** span_skip() - Step over @n captured bytes */
static inline void span_skip(struct span *s, uint32_t n)
{
	s->p += n;
	s->cap -= n;
	s->wire -= n;
}

/** span_limit() - The layer has @n bytes on the wire */
static inline void span_limit(struct span *s, uint32_t n)
{
	s->wire = n;
	if (s->cap > n)
		s->cap = n;
}

/** decode_link() - Take the link layer @link off @s and go on */
enum decode_result decode_link(struct decode_ctx *c, struct span s,
			       uint16_t link);

/** decode_ip4() - Take apart the IPv4 datagram at @s */
enum decode_result decode_ip4(struct decode_ctx *c, struct span s);

/** decode_ip6() - Take apart the IPv6 datagram at @s */
enum decode_result decode_ip6(struct decode_ctx *c, struct span s);

/**
 * decode_l4() - Take apart what IP carries
 * @v4:		Over IPv4
 * @proto:	Protocol number
 * @s:		All of IP's payload
 *
 * Addresses and ttl are in the segment already.
 */
enum decode_result decode_l4(struct decode_ctx *c, bool v4, uint8_t proto,
			     struct span s);

#endif /* WIRE_DECODE_INTERNAL_H */
