/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seqmap - TCP's numbers carried from one connection over to another
 *
 * Two connections are joined: a client's to us, and ours to a server. A byte of
 * a stream has one sequence number on each of them, a constant apart, and so
 * has a tick of a peer's timestamp clock. A struct seqmap holds these
 * constants, one of each kind for each direction:
 *
 *	C2S:	seq, TSval   + off[C2S]   on the server's connection
 *		ack, TSecr   - off[S2C]
 *	S2C:	seq, TSval   + off[S2C]   on the client's connection
 *		ack, TSecr   - off[C2S]
 *
 * An ack counts the other stream's bytes, a TSecr repeats the other peer's
 * clock: both go back by what the other direction has added, exactly, whatever
 * the ticks of the clocks are. So the maps of seq and ack are inverse to each
 * other.
 *
 * All numbers are in host order, all sums modulo 2^32 (RFC 9293 section 3.4,
 * RFC 7323 section 5.2). Programs for the kernel include this, too.
 */
#ifndef CORE_SEQMAP_H
#define CORE_SEQMAP_H

#include <stdint.h>

#include "core/dir.h"

/**
 * struct seqmap - What is added to the numbers of a direction
 * @seq_off:	To seq, and so to a FIN, and to edges of SACK blocks reversed
 * @ts_off:	To TSval
 */
struct seqmap {
	uint32_t seq_off[DIR_COUNT];
	uint32_t ts_off[DIR_COUNT];
};

/** seqmap_seq() - Map the seq of a segment that travels in @d */
static inline uint32_t seqmap_seq(const struct seqmap *m, enum dir d,
				  uint32_t seq)
{
	return seq + m->seq_off[d];
}

/**
 * seqmap_ack() - Map the ack, or a SACK edge, of a segment that travels in @d
 */
static inline uint32_t seqmap_ack(const struct seqmap *m, enum dir d,
				  uint32_t ack)
{
	return ack - m->seq_off[dir_reverse(d)];
}

/** seqmap_tsval() - Map the TSval of a segment that travels in @d */
static inline uint32_t seqmap_tsval(const struct seqmap *m, enum dir d,
				    uint32_t tsval)
{
	return tsval + m->ts_off[d];
}

/**
 * seqmap_tsecr() - Map the TSecr of a segment that travels in @d
 *
 * Right for the echo of a TSval that crossed the join the other way; of one
 * that we sent ourselves before it, it is a number that the receiver never
 * sent.
 */
static inline uint32_t seqmap_tsecr(const struct seqmap *m, enum dir d,
				    uint32_t tsecr)
{
	return tsecr - m->ts_off[dir_reverse(d)];
}

#endif /* CORE_SEQMAP_H */
