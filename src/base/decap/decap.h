/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decap - From a mirror's frame to a segment, whatever tunnel it came in
 *
 * A mirror brings frames as they are, or wraps each: a cloud in VXLAN or
 * GENEVE, a switch far away in GRE or ERSPAN. What was wrapped may have been
 * cut by who copied it. The theory is in decap.c.
 */
#ifndef DECAP_DECAP_H
#define DECAP_DECAP_H

#include <stdbool.h>
#include <stdint.h>

#include "decap/tunnel.h"
#include "wire/decode.h"

#define DECAP_ALL   ((1u << DECAP_KINDS) - 1)
#define DECAP_DEEP  2 /* tunnels in one another that are taken off, at most */
#define DECAP_SEEN  8 /* tunnels that are told apart */
#define DECAP_STEPS 4 /* tunnels and stacks of labels of one frame */

/**
 * struct decap - What is looked into
 * @kinds:	Bits (1 << DECAP_ number); 0: nothing
 * @most:	Tunnels in one another, 1 to DECAP_DEEP
 * @port:	UDP port of VXLAN or GENEVE; 0: those that IANA and Linux gave
 * @keyed:	Only tunnels of this key; the outermost has it
 * @key:	It, see struct tunnel
 */
struct decap {
	uint8_t kinds;
	uint8_t most;
	uint16_t port;
	bool keyed;
	uint32_t key;
};

/**
 * struct decap_found - What a frame was in
 * @tunnels:	How many were taken off
 * @other_key:	Not one, since it has another key; @outer is that one
 * @outer:	The outermost, if @tunnels > 0 or @other_key
 */
struct decap_found {
	unsigned tunnels;
	bool other_key;
	struct tunnel outer;
};

/**
 * struct decap_seen - One of the tunnels that a mirror has brought
 * @taken:	Looked into; else it is of another key than the one asked for
 * @frames:	That came in it
 */
struct decap_seen {
	enum decap_kind kind;
	bool keyed;
	bool taken;
	uint32_t key;
	uint64_t frames;
};

/**
 * struct decap_tally - All of them, in the order in which they came first
 * @n:		Of @seen
 * @more:	Frames of tunnels that have no place here
 */
struct decap_tally {
	uint32_t n;
	uint64_t more;
	struct decap_seen seen[DECAP_SEEN];
};

/** decap_name() - A kind's name, as options and reports spell it */
const char *decap_name(enum decap_kind kind);

/**
 * decap_frame() - Take a frame of a mirror apart, and those inside of it
 * @in, @frags, @now, @d: As frame_decode(); @d is of the innermost frame, but
 *		for @d->l3, and @d->reassembled says that any of them was
 * @how:	What is looked into
 * @open:	NULL; or else as of frame_decode_open(), which is then used
 * @found:	Set
 *
 * Labels of MPLS and PPPoE are taken off, whatever @how says.
 *
 * Return: what the innermost frame is
 */
enum decode_result decap_frame(const struct frame_info *in,
			       const struct decap *how,
			       struct frag_table *frags, uint64_t now,
			       struct decoded *d, bool *open,
			       struct decap_found *found);

/** decap_count() - Add a frame to those that were seen */
void decap_count(struct decap_tally *t, const struct decap_found *f);

#endif /* DECAP_DECAP_H */
