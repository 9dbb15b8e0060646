/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cut - Where a splice ends, and our sockets begin again
 *
 * Theory of operation
 *
 * Each direction of a pair may have a cut: the seq behind the last byte that
 * crosses. A segment that ends there or before is relayed as any other. One
 * that goes beyond it, by data or a FIN, is held: it goes nowhere, and its
 * sender, who gets no ack for it, sends it again. So no byte beyond the cut
 * crosses, and none is lost. Acks without data cross wherever they stand, or
 * an end that has said more than it may would not be heard on what it gets.
 *
 * The cut is reached when each end has acked all that crosses to it. Then
 * nothing is under way that only the two ends could send again, and the numbers
 * that our sockets need are known: what they will send begins at the mapped cut
 * of one direction, what they expect at the cut of the other. They can be made
 * before, while the last bytes still flow: with SPLICE_PAIR_READY the segment
 * that reaches the cut is the last one that is relayed, if it has no data, or
 * the first one for the sockets. Else the pair is in the state CUT, where
 * everything is held, until they are there. Either way the pair is then as it
 * was before the splice, and can be spliced again.
 *
 * A segment that begins before the cut and ends behind it cannot be divided
 * here. So the cut moves back to where it begins, or to the end of what has
 * crossed already, and what is between is for our sockets. Who prepared sockets
 * for the old cut finds that they are not right any more (splice_ready()).
 *
 * A sender may put what has crossed, and was lost behind us, together with what
 * is beyond the cut, when it sends again. That is held each time. What is
 * beyond a cut is not expected, in HTTP, before it is reached; an end that goes
 * on like this ends by splice_limits.idle.
 */
#ifndef SPLICE_CUT_H
#define SPLICE_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dir.h"
#include "core/seq.h"
#include "core/seqmap.h"
#include "splice/pair.h"

/* Most bytes of a direction in front of a cut: seqs are compared by their
 * difference, and a window lies beyond it.
 */
#define SPLICE_CUT_MOST (1u << 30)

/** splice_has_cut() - Do its streams have cuts? */
static inline bool splice_has_cut(const struct splice_pair *p)
{
	return (p->flags & SPLICE_PAIR_CUT) != 0;
}

/**
 * splice_is_beyond() - Does a segment of direction @d have something behind the
 * cut? @end: splice_end()
 */
static inline bool splice_is_beyond(const struct splice_pair *p, enum dir d,
				    uint32_t seq, uint32_t end)
{
	return splice_has_cut(p) && seq != end && seq_lt(p->side[d].cut, end);
}

/**
 * splice_cut_reached() - Has all that crosses been acked?
 * @d, @ack:	As if the peer of side[d] had acked so much
 */
static inline bool splice_cut_reached(const struct splice_pair *p, enum dir d,
				      uint32_t ack)
{
	const struct splice_side *i = &p->side[d];
	enum dir r = dir_reverse(d);
	const struct splice_side *o = &p->side[r];

	/* A FIN that has crossed ended the stream before its cut. */
	return splice_has_cut(p) && i->state == SPLICE_SPLICED &&
	       o->state == SPLICE_SPLICED &&
	       seq_le(seqmap_seq(&p->map, r, o->cut), ack) &&
	       seq_le(seqmap_seq(&p->map, d, i->cut), o->ack);
}

/**
 * splice_uncut() - It is as before the splice: all is for our sockets
 *
 * A socket that was made for a peer has seen no TSval of his; the newest one
 * that was relayed stays known (begin.h).
 */
static inline void splice_uncut(struct splice_pair *p)
{
	uint32_t newest = p->side[DIR_S2C].tsval - p->map.ts_off[DIR_C2S];

	p->side[DIR_S2C].tsval =
		p->side[DIR_C2S].tsval - p->map.ts_off[DIR_S2C];
	p->side[DIR_C2S].tsval = newest;
	for (int k = 0; k < DIR_COUNT; k++) {
		p->side[k].state = SPLICE_ESTABLISHED;
		p->side[k].flags = SPLICE_SIDE_SEEN | SPLICE_SIDE_BACK;
		p->side[k].cut = 0;
	}
	p->flags &= ~(uint32_t)(SPLICE_PAIR_JOINED | SPLICE_PAIR_CUT |
				SPLICE_PAIR_READY | SPLICE_PAIR_HELD);
}

/** splice_end_here() - The cut is reached. Return: sockets are there */
static inline bool splice_end_here(struct splice_pair *p)
{
	if (p->flags & SPLICE_PAIR_READY) {
		splice_uncut(p);
		return true;
	}
	p->side[DIR_C2S].state = SPLICE_AT_CUT;
	p->side[DIR_S2C].state = SPLICE_AT_CUT;
	p->flags &= ~(uint32_t)SPLICE_PAIR_JOINED;
	return false;
}

/**
 * splice_hold() - A segment goes beyond the cut
 * @seq:	Where it begins
 *
 * The cut moves back if it begins before. Return: it is the first that does
 */
static inline bool splice_hold(struct splice_pair *p, enum dir d, uint32_t seq)
{
	struct splice_side *i = &p->side[d];
	uint32_t edge = seq_lt(seq, i->end) ? i->end : seq;
	bool first = !(p->flags & SPLICE_PAIR_HELD);

	if (seq_lt(edge, i->cut)) {
		i->cut = edge;
		p->flags &= ~(uint32_t)SPLICE_PAIR_READY;
	}
	p->flags |= SPLICE_PAIR_HELD;
	return first;
}

/**
 * splice_cut_now() - No more crosses than has come by now
 * @reached:	Result: that has been acked
 *
 * Return: false: the pair is not spliced, or a stream has ended
 */
static inline bool splice_cut_now(struct splice_pair *p, bool *reached)
{
	struct splice_side *c = &p->side[DIR_C2S];
	struct splice_side *s = &p->side[DIR_S2C];

	if (!splice_is_live(p) || (p->flags & SPLICE_PAIR_SYN) ||
	    c->state != SPLICE_SPLICED || s->state != SPLICE_SPLICED)
		return false;
	if (!splice_has_cut(p) || seq_lt(c->end, c->cut))
		c->cut = c->end;
	if (!splice_has_cut(p) || seq_lt(s->end, s->cut))
		s->cut = s->end;
	p->flags |= SPLICE_PAIR_CUT;
	p->flags &= ~(uint32_t)SPLICE_PAIR_READY;
	*reached = splice_cut_reached(p, DIR_C2S, c->ack);
	if (*reached)
		splice_end_here(p);
	return true;
}

/**
 * splice_ready() - There are sockets for what comes behind the cut
 * @cut:	The one that they were made for
 *
 * Return: false: it is another one, or none
 */
static inline bool splice_ready(struct splice_pair *p,
				const uint32_t cut[DIR_COUNT])
{
	if (!splice_has_cut(p) || cut[DIR_C2S] != p->side[DIR_C2S].cut ||
	    cut[DIR_S2C] != p->side[DIR_S2C].cut)
		return false;
	if (p->side[DIR_C2S].state == SPLICE_AT_CUT)
		splice_uncut(p);
	else if (splice_is_live(p))
		p->flags |= SPLICE_PAIR_READY;
	else
		return false;
	return true;
}

/**
 * splice_withdraw() - Do not splice it, after all
 *
 * Return: false: it is too late, it is joined
 */
static inline bool splice_withdraw(struct splice_pair *p)
{
	if (splice_is_live(p) || p->side[DIR_C2S].state == SPLICE_AT_CUT)
		return false;
	splice_uncut(p);
	return true;
}

#endif /* SPLICE_CUT_H */
