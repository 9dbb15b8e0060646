/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state - What a segment does to a pair, and where it goes
 *
 * Theory of operation
 *
 * Until the two connections are joined, every segment is for our own sockets,
 * and is only watched. While they are in PRE_SPLICED, the sockets go on: what
 * they receive, the program relays by reading and writing. So a number of one
 * side stays a constant apart from its number on the other (begin.h), and "all
 * that our sockets were told to send to this peer is acked" is simply: the peer
 * has acked the mapped end of all that the other end has sent so far. Nothing
 * is parked: the boundary moves with each segment that goes to a socket.
 *
 * The two sides leave PRE_SPLICED together, with the segment whose ack reaches
 * the second boundary, and that segment is the first to be relayed. A side by
 * itself cannot: as long as a socket of ours acks what a peer sends, its acks
 * bear the seq that the socket knows, and once other bytes were relayed to the
 * peer these acks are old and count for nothing.
 *
 * From then on every segment is relayed, mapped: RST and SYN,ACK, keepalives,
 * old ones and forged ones as well. The ends judge them, as they would without
 * us (RFC 9293 section 3.10, RFC 5961). Nothing reaches our own stack, which
 * has no socket there and would answer with a RST.
 *
 * But for a SYN that would open another connection. The other end may have gone
 * unseen (our sockets ended with their process, say, and told both), and its
 * host would take the SYN: a client would be with a server that nobody chose
 * for him. So the SYN is answered here, as an end does that still has the
 * connection (RFC 5961 section 4, challenge.h). A peer that has lost it resets
 * it by what the answer acks; that RST is relayed and counts, and the next SYN
 * finds TIMEWAIT. To a peer that has it, and to whoever forged the SYN, the
 * answer says nothing.
 *
 * What decides about the pair's own state is only a segment that an end would
 * take: its seq lies between what the other end has acked and the edge of the
 * window that the other end has offered, and its ack counts nothing that the
 * other end has not sent (RFC 9293 section 3.10.7.4, RFC 5961 section 5.2).
 * Windows, ends and acks of all others are not believed either. A RST counts if
 * its seq is one that the end may take for exact: from what is acked to what
 * was sent (RFC 5961 section 3.2); one beyond makes a challenge ack, which
 * proves that nothing has ended.
 *
 * A pair that was made of a client's SYN (syn.h) has no sockets of ours. Until
 * the client has acked the server's SYN it is opening: what decides then is
 * only what answers the other end's SYN, in the client's newest one.
 *
 * A pair whose streams have cuts (cut.h) relays no byte beyond them, whatever
 * its segment says else, and ends where both are reached.
 *
 * A RST that counted may still not have been taken: it may be lost behind us.
 * So the pair stays in TIMEWAIT, still relaying, and a segment of the end to
 * which the RST went, in its windows, that is no RST, brings it back to where
 * it was.
 */
#ifndef SPLICE_STATE_H
#define SPLICE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dir.h"
#include "core/seq.h"
#include "core/seqmap.h"
#include "splice/cut.h"
#include "splice/pair.h"

/* Flags of a TCP header, as wire/segment.h has them (RFC 9293 section 3.1). */
enum {
	SPLICE_FIN = 0x01,
	SPLICE_SYN = 0x02,
	SPLICE_RST = 0x04,
	SPLICE_ACK = 0x10,
};

/* How far an ack may lag behind the highest one of its sender and still stand
 * in a segment that decides something. RFC 5961 section 5.2 says the largest
 * window seen; one number for all serves the same end.
 */
#define SPLICE_ACK_LAG (1u << 20)

/**
 * struct splice_offer - What the options of a SYN say (RFC 7323)
 * @tsval:	With @has_ts
 * @scale:	Of windows, with @has_scale
 */
struct splice_offer {
	uint32_t tsval;
	uint8_t scale;
	bool has_scale;
	bool has_ts;
};

/**
 * struct splice_segment - What the state needs of a segment
 * @seq, @ack:	As on the wire
 * @len:	Bytes of payload
 * @win:	Window as sent, not scaled
 * @flags:	Of its header
 * @offer:	Of a SYN of a pair that is opening; else nothing
 */
struct splice_segment {
	uint32_t seq;
	uint32_t ack;
	uint32_t len;
	uint16_t win;
	uint16_t flags;
	struct splice_offer offer;
};

/** enum splice_act - Where a segment goes */
enum splice_act {
	SPLICE_TO_STACK,  /* on to our own sockets, unchanged */
	SPLICE_TO_PEER,	  /* mapped, to the other end */
	SPLICE_TO_SENDER, /* nowhere: a challenge ack goes back (challenge.h) */
	SPLICE_TO_NOBODY, /* nowhere: it is beyond a cut (cut.h) */
};

/* What came of a segment, for whoever keeps books. */
enum {
	SPLICE_EV_JOINED = 1 << 0,   /* our sockets are out of it */
	SPLICE_EV_FIN = 1 << 1,	     /* a first FIN was relayed */
	SPLICE_EV_TIMEWAIT = 1 << 2, /* both ends are done */
	SPLICE_EV_RESET = 1 << 3,    /* the same by a RST */
	SPLICE_EV_REVIVED = 1 << 4,  /* the RST was not taken */
	SPLICE_EV_REUSED = 1 << 5,   /* a SYN in TIMEWAIT: the pair is over */
	SPLICE_EV_SETTLED = 1 << 6,  /* it is not opening any more */
	SPLICE_EV_CUT = 1 << 7,	     /* its cut is reached */
	SPLICE_EV_HELD = 1 << 8,     /* a first segment came from beyond */
};

/** splice_end() - Seq behind all that a segment occupies (SYN and FIN count) */
static inline uint32_t splice_end(const struct splice_segment *s)
{
	return s->seq + s->len + ((s->flags & SPLICE_SYN) != 0) +
	       ((s->flags & SPLICE_FIN) != 0);
}

/* The ack by which the peer of side[d] acks all that the other end has sent. */
static inline uint32_t splice_all(const struct splice_pair *p, enum dir d)
{
	enum dir o = dir_reverse(d);

	return seqmap_seq(&p->map, o, p->side[o].end);
}

/**
 * splice_counts() - Does the other end take this segment for one of its
 * windows?
 */
static inline bool splice_counts(const struct splice_pair *p, enum dir d,
				 const struct splice_segment *s)
{
	const struct splice_side *i = &p->side[d];

	if (!seq_le(s->seq, i->hi) || !seq_le(i->lo, splice_end(s)))
		return false;
	if (!(s->flags & SPLICE_ACK))
		return (s->flags & SPLICE_RST) != 0;
	return seq_le(s->ack, splice_all(p, d)) &&
	       seq_le(i->ack - SPLICE_ACK_LAG, s->ack);
}

/* Believe the ack and the window of a segment that counts. */
static inline void splice_note_ack(struct splice_pair *p, enum dir d,
				   const struct splice_segment *s)
{
	struct splice_side *i = &p->side[d];
	struct splice_side *o = &p->side[dir_reverse(d)];
	uint32_t lo = seqmap_ack(&p->map, d, s->ack);
	uint32_t hi = lo + ((uint32_t)s->win << (i->scale & 15));

	if (!(s->flags & SPLICE_ACK))
		return;
	if (seq_lt(i->ack, s->ack)) {
		i->acked += s->ack - i->ack;
		i->ack = s->ack;
	}
	if (seq_lt(o->lo, lo))
		o->lo = lo;
	if (seq_lt(o->hi, hi))
		o->hi = hi;
}

/* Believe where it ends. A FIN ends a stream: nothing was sent behind it, and
 * what comes behind it later says that it was somebody else's.
 */
static inline void splice_note_end(struct splice_pair *p, enum dir d,
				   const struct splice_segment *s)
{
	struct splice_side *i = &p->side[d];
	struct splice_side *o = &p->side[dir_reverse(d)];
	uint32_t end = splice_end(s);
	uint32_t mapped = seqmap_seq(&p->map, d, end);

	if ((s->flags & SPLICE_FIN) && seq_lt(i->lo, end) &&
	    !seq_lt(end, i->end)) {
		o->fin = mapped;
		o->flags |= SPLICE_SIDE_FIN;
	} else if ((o->flags & SPLICE_SIDE_FIN) && seq_lt(o->fin, mapped)) {
		o->flags &= (uint8_t)~SPLICE_SIDE_FIN;
	}
	if (seq_lt(i->end, end))
		i->end = end;
}

static inline void splice_to_timewait(struct splice_pair *p, uint64_t now)
{
	p->side[DIR_C2S].state = SPLICE_TIMEWAIT;
	p->side[DIR_S2C].state = SPLICE_TIMEWAIT;
	p->since = now;
}

/* The peer of side[d] has acked all: is it a FIN that it has acked last? */
static inline uint8_t splice_joined_state(const struct splice_side *i)
{
	return (i->flags & SPLICE_SIDE_FIN) ? SPLICE_SHUTDOWN : SPLICE_SPLICED;
}

/**
 * splice_try_join() - Leave PRE_SPLICED, if nothing of ours is under way
 *
 * Return: SPLICE_EV_ bits, 0: not yet
 */
static inline uint32_t splice_try_join(struct splice_pair *p, uint64_t now)
{
	struct splice_side *c = &p->side[DIR_C2S];
	struct splice_side *s = &p->side[DIR_S2C];
	bool c_clean = seq_le(splice_all(p, DIR_C2S), c->ack);
	bool s_clean = seq_le(splice_all(p, DIR_S2C), s->ack);

	c->state = c_clean ? splice_joined_state(c) : SPLICE_PRE_SPLICED;
	s->state = s_clean ? splice_joined_state(s) : SPLICE_PRE_SPLICED;
	if (!c_clean || !s_clean)
		return 0;
	/* Our sockets have done it all. */
	if (splice_cut_reached(p, DIR_C2S, c->ack)) {
		splice_uncut(p);
		return SPLICE_EV_CUT;
	}
	p->flags |= SPLICE_PAIR_JOINED;
	if (c->state != SPLICE_SHUTDOWN || s->state != SPLICE_SHUTDOWN)
		return SPLICE_EV_JOINED;
	splice_to_timewait(p, now);
	return SPLICE_EV_JOINED | SPLICE_EV_TIMEWAIT;
}

/* Before the splice: the last byte that came, for begin.h to look at. */
static inline void splice_watch(struct splice_pair *p, enum dir d,
				const struct splice_segment *s)
{
	struct splice_side *i = &p->side[d];
	uint32_t end = splice_end(s);

	if (s->flags & SPLICE_RST)
		return;
	if (!(i->flags & SPLICE_SIDE_SEEN) || seq_lt(i->end, end)) {
		i->end = end;
		i->flags &= (uint8_t)~SPLICE_SIDE_LAST;
	}
	if ((s->flags & SPLICE_FIN) && end == i->end)
		i->flags |= SPLICE_SIDE_LAST;
	i->flags |= SPLICE_SIDE_SEEN;
	if (i->state == SPLICE_CLOSE && (s->flags & SPLICE_SYN) &&
	    (s->flags & SPLICE_ACK))
		i->state = SPLICE_ESTABLISHED;
}

/* FINs of a segment that was noted, and acks of them. */
static inline uint32_t splice_note_fin(struct splice_pair *p, enum dir d,
				       const struct splice_segment *s,
				       uint64_t now)
{
	struct splice_side *i = &p->side[d];
	struct splice_side *o = &p->side[dir_reverse(d)];
	bool fin = (o->flags & SPLICE_SIDE_FIN);
	uint32_t events = 0;

	if (fin && o->state == SPLICE_SPLICED) {
		o->state = SPLICE_FIN_RELAYED;
		events |= SPLICE_EV_FIN;
	} else if (!fin && o->state == SPLICE_FIN_RELAYED) {
		o->state = SPLICE_SPLICED;
	}
	if (i->state == SPLICE_FIN_RELAYED && (s->flags & SPLICE_ACK) &&
	    seq_le(i->fin, s->ack))
		i->state = SPLICE_SHUTDOWN;
	if (i->state == SPLICE_SHUTDOWN && o->state == SPLICE_SHUTDOWN) {
		splice_to_timewait(p, now);
		events |= SPLICE_EV_TIMEWAIT;
	}
	return events;
}

static inline uint32_t splice_reset(struct splice_pair *p, enum dir d,
				    uint64_t now)
{
	if (splice_in_timewait(p))
		return 0;
	p->side[DIR_C2S].was = p->side[DIR_C2S].state;
	p->side[DIR_S2C].was = p->side[DIR_S2C].state;
	p->flags |= SPLICE_PAIR_RESET;
	p->flags &= ~(uint32_t)SPLICE_PAIR_RESET_S2C;
	if (d == DIR_S2C)
		p->flags |= SPLICE_PAIR_RESET_S2C;
	splice_to_timewait(p, now);
	return SPLICE_EV_RESET;
}

/* A segment of direction @d that counts and is no RST, in TIMEWAIT. */
static inline uint32_t splice_revive(struct splice_pair *p, enum dir d)
{
	enum dir by = (p->flags & SPLICE_PAIR_RESET_S2C) ? DIR_S2C : DIR_C2S;

	if (!(p->flags & SPLICE_PAIR_RESET) || d == by)
		return 0;
	p->side[DIR_C2S].state = p->side[DIR_C2S].was;
	p->side[DIR_S2C].state = p->side[DIR_S2C].was;
	p->flags &= ~(uint32_t)SPLICE_PAIR_RESET;
	return SPLICE_EV_REVIVED;
}

/* --- a handshake that goes through us --- */

/* The client's SYN: the first, once more, or another one in its place. */
static inline void splice_note_syn(struct splice_pair *p,
				   const struct splice_segment *s)
{
	struct splice_side *c = &p->side[DIR_C2S];
	struct splice_side *v = &p->side[DIR_S2C];

	c->end = splice_end(s);
	c->lo = s->seq;
	c->hi = s->seq + 1;
	c->scale = v->told = s->offer.has_scale ? s->offer.scale & 15 : 0;
	c->flags = s->offer.has_scale ? SPLICE_SIDE_SCALE : 0;
	v->room = s->win;
	v->flags = 0;
}

/* Does this ack the client's SYN? (RFC 9293 section 3.10.7.3) */
static inline bool splice_acks_syn(const struct splice_pair *p,
				   const struct splice_segment *s)
{
	const struct splice_side *c = &p->side[DIR_C2S];
	uint32_t ack = seqmap_ack(&p->map, DIR_S2C, s->ack);

	return (s->flags & SPLICE_ACK) && seq_lt(c->lo, ack) &&
	       seq_le(ack, c->end);
}

/* The server's SYN, which acks the client's. Windows are scaled if both have
 * said so (RFC 7323 section 2.2); those of SYNs are not.
 */
static inline void splice_note_synack(struct splice_pair *p,
				      const struct splice_segment *s)
{
	struct splice_side *c = &p->side[DIR_C2S];
	struct splice_side *v = &p->side[DIR_S2C];
	bool both = s->offer.has_scale && (c->flags & SPLICE_SIDE_SCALE);

	v->end = splice_end(s);
	v->lo = s->seq;
	v->hi = s->seq + 1 + v->room;
	v->ack = s->ack;
	v->flags |= SPLICE_SIDE_SEEN;
	v->scale = c->told = both ? s->offer.scale & 15 : 0;
	if (!both)
		c->scale = v->told = 0;
	c->ack = seqmap_seq(&p->map, DIR_S2C, s->seq);
	c->lo = seqmap_ack(&p->map, DIR_S2C, s->ack);
	c->hi = c->lo + s->win;
}

/* Would the end that is asked take this RST? */
static inline bool splice_refuses(const struct splice_pair *p, enum dir d,
				  const struct splice_segment *s)
{
	const struct splice_side *i = &p->side[d];

	if (d == DIR_S2C)
		return splice_acks_syn(p, s) ||
		       ((i->flags & SPLICE_SIDE_SEEN) && s->seq == i->end);
	return seq_le(i->lo, s->seq) && seq_le(s->seq, i->end);
}

/**
 * splice_handshake() - A segment of a pair that is opening
 *
 * Return: events; without SPLICE_EV_SETTLED the segment moves nothing more
 */
static inline uint32_t splice_handshake(struct splice_pair *p, enum dir d,
					const struct splice_segment *s,
					uint64_t now)
{
	const struct splice_side *c = &p->side[DIR_C2S];
	const struct splice_side *v = &p->side[DIR_S2C];
	uint16_t kind = s->flags & (SPLICE_SYN | SPLICE_ACK | SPLICE_RST);

	if (d == DIR_C2S && kind == SPLICE_SYN) {
		/* One that was answered may come once more, late, and nobody
		 * would answer it again.
		 */
		if (!(v->flags & SPLICE_SIDE_SEEN) || c->end != splice_end(s))
			splice_note_syn(p, s);
		p->since = now;
		return 0;
	}
	if (d == DIR_S2C && kind == (SPLICE_SYN | SPLICE_ACK) &&
	    splice_acks_syn(p, s)) {
		splice_note_synack(p, s);
		return 0;
	}
	if ((kind & SPLICE_RST) && splice_refuses(p, d, s)) {
		p->flags &= ~(uint32_t)SPLICE_PAIR_OPENING;
		return SPLICE_EV_SETTLED | splice_reset(p, d, now);
	}
	if (d == DIR_C2S && kind == SPLICE_ACK &&
	    (v->flags & SPLICE_SIDE_SEEN) && splice_counts(p, d, s) &&
	    seq_lt(p->side[d].ack, s->ack)) {
		p->flags &= ~(uint32_t)SPLICE_PAIR_OPENING;
		return SPLICE_EV_SETTLED;
	}
	p->side[d].outside++;
	return 0;
}

/* Would this segment open another connection at the other end? */
static inline bool splice_opens(const struct splice_pair *p,
				const struct splice_segment *s)
{
	return (s->flags & (SPLICE_SYN | SPLICE_ACK | SPLICE_RST)) ==
		       SPLICE_SYN &&
	       !(p->flags & SPLICE_PAIR_OPENING);
}

/* A segment that counts of a pair whose streams have cuts: is there more to it
 * than that it is relayed, and noted? Then @act is what becomes of it.
 */
static inline bool splice_at_cut(struct splice_pair *p, enum dir d,
				 const struct splice_segment *s,
				 enum splice_act *act, uint32_t *events)
{
	struct splice_side *i = &p->side[d];
	bool acks = (s->flags & SPLICE_ACK) && seq_lt(i->ack, s->ack);
	bool beyond = splice_is_beyond(p, d, s->seq, splice_end(s));

	if (beyond && splice_hold(p, d, s->seq))
		*events |= SPLICE_EV_HELD;
	*act = beyond ? SPLICE_TO_NOBODY : SPLICE_TO_PEER;
	if (!splice_cut_reached(p, d, acks ? s->ack : i->ack)) {
		/* Where an ack stands says nothing of what has crossed. */
		if (!beyond && seq_lt(i->cut, s->seq))
			splice_note_ack(p, d, s);
		return beyond || seq_lt(i->cut, s->seq);
	}
	splice_note_ack(p, d, s);
	*events |= SPLICE_EV_CUT;
	if (splice_end_here(p) && splice_end(s) != s->seq) {
		splice_watch(p, d, s);
		*act = SPLICE_TO_STACK;
	}
	return true;
}

/* What a segment of a live pair moves, and where it goes. */
static inline enum splice_act splice_live(struct splice_pair *p, enum dir d,
					  const struct splice_segment *s,
					  uint64_t now, uint32_t *events)
{
	struct splice_side *i = &p->side[d];
	enum splice_act act = SPLICE_TO_PEER;

	if (p->flags & SPLICE_PAIR_OPENING) {
		*events |= splice_handshake(p, d, s, now);
		if (*events != SPLICE_EV_SETTLED)
			return act;
	}
	if ((s->flags & SPLICE_SYN) || !splice_counts(p, d, s)) {
		i->outside++;
		return splice_is_beyond(p, d, s->seq, splice_end(s)) &&
				       !(s->flags & SPLICE_RST)
			       ? SPLICE_TO_NOBODY
			       : act;
	}
	if (s->flags & SPLICE_RST) {
		if (seq_le(i->lo, s->seq) && seq_le(s->seq, i->end))
			*events |= splice_reset(p, d, now);
		return act;
	}
	if (splice_in_timewait(p))
		*events |= splice_revive(p, d);
	if (splice_has_cut(p) && splice_at_cut(p, d, s, &act, events))
		return act;
	splice_note_ack(p, d, s);
	splice_note_end(p, d, s);
	if (!splice_in_timewait(p))
		*events |= splice_note_fin(p, d, s, now);
	return act;
}

/* A segment of a pair in PRE_SPLICED. */
static inline enum splice_act splice_pre(struct splice_pair *p, enum dir d,
					 const struct splice_segment *s,
					 uint64_t now, uint32_t *events)
{
	struct splice_side *i = &p->side[d];
	struct splice_side *o = &p->side[dir_reverse(d)];

	if ((s->flags & (SPLICE_SYN | SPLICE_RST)) || !splice_counts(p, d, s))
		return SPLICE_TO_STACK;
	splice_note_ack(p, d, s);
	*events = splice_try_join(p, now);
	if (splice_is_live(p))
		return splice_in_timewait(p)
			       ? SPLICE_TO_PEER
			       : splice_live(p, d, s, now, events);
	if (*events & SPLICE_EV_CUT) {
		splice_watch(p, d, s);
		return SPLICE_TO_STACK;
	}
	splice_note_end(p, d, s);
	if (!seq_le(splice_all(p, dir_reverse(d)), o->ack))
		o->state = SPLICE_PRE_SPLICED;
	/* Our socket acks it, unseen by us, and offers as much again. */
	if (seq_lt(i->hi, i->end + i->room))
		i->hi = i->end + i->room;
	return SPLICE_TO_STACK;
}

/**
 * splice_step() - Take a segment
 * @p:		Pair
 * @d:		Where it comes from
 * @s:		Its numbers
 * @now:	Time, ns
 * @events:	Result: SPLICE_EV_ bits
 *
 * With SPLICE_EV_REUSED the segment is not this pair's any more: the caller
 * takes the pair's two tuples out of its table.
 *
 * Return: where it goes. What is relayed is counted; if head.h cannot map it,
 * it is dropped
 */
static inline enum splice_act splice_step(struct splice_pair *p, enum dir d,
					  const struct splice_segment *s,
					  uint64_t now, uint32_t *events)
{
	struct splice_side *i = &p->side[d];
	enum splice_act act = SPLICE_TO_PEER;

	*events = 0;
	p->seen = now;
	if (splice_is_live(p)) {
		if (splice_in_timewait(p) && (s->flags & SPLICE_SYN)) {
			*events = SPLICE_EV_REUSED;
			return SPLICE_TO_STACK;
		}
		if (splice_opens(p, s))
			return SPLICE_TO_SENDER;
		act = splice_live(p, d, s, now, events);
	} else if (i->state == SPLICE_AT_CUT) {
		act = SPLICE_TO_NOBODY;
	} else if (i->state <= SPLICE_ESTABLISHED) {
		splice_watch(p, d, s);
		act = SPLICE_TO_STACK;
	} else {
		act = splice_pre(p, d, s, now, events);
	}
	if (act == SPLICE_TO_PEER) {
		i->segments++;
		i->bytes += s->len;
	}
	return act;
}

/**
 * splice_drops() - Is a packet dropped that head.h can not read?
 * @fragment:	It is part of a datagram
 *
 * Not if it is for our own sockets: they judge. But part of a segment may tell
 * nothing of where the segment ends, which is what PRE_SPLICED lives by; TCP
 * sends it again.
 */
static inline bool splice_drops(const struct splice_pair *p, bool fragment)
{
	return splice_is_live(p) || p->side[DIR_C2S].state == SPLICE_AT_CUT ||
	       (fragment && p->side[DIR_C2S].state >= SPLICE_PRE_SPLICED);
}

#endif /* SPLICE_STATE_H */
