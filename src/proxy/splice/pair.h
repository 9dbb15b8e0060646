/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair - Two TCP connections that are one
 *
 * A proxy has two connections: the client's to it, and its own to a server.
 * Once they are spliced, what one end sends leaves for the other end with other
 * numbers in its header and nothing else: the proxy is a router, and TCP goes
 * on between the two ends. A struct splice_pair is all that the router knows of
 * the two.
 *
 *      client  <--- side[DIR_C2S] --->  us  <--- side[DIR_S2C] --->  server
 *
 * side[d] is the side on which segments of direction d come in, and its numbers
 * are those that stand on its own wire: seq is what its peer counts, ack what
 * its peer acks of us. Everything else of the room works on this record:
 * state.h moves it, head.h maps headers by it, begin.h makes it.
 *
 * All headers of this room are for programs of the kernel, too. They hold no
 * assertion and call no library. Who calls them holds the pair alone meanwhile.
 */
#ifndef SPLICE_PAIR_H
#define SPLICE_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dir.h"
#include "core/seqmap.h"

/**
 * enum splice_state - What has been relayed to the peer of a side (thesis 5.1)
 *
 * CLOSE and ESTABLISHED are those of our own socket. PRE_SPLICED: the peer has
 * not yet acked all that our sockets have sent to it or will send. CUT: cut.h.
 */
enum splice_state {
	SPLICE_CLOSE,
	SPLICE_ESTABLISHED,
	SPLICE_PRE_SPLICED,
	SPLICE_SPLICED,
	SPLICE_FIN_RELAYED, /* the other end's FIN went to this peer */
	SPLICE_SHUTDOWN,    /* and this peer has acked it */
	SPLICE_TIMEWAIT,
	SPLICE_AT_CUT, /* the splice is over, our sockets are not there yet */

	SPLICE_STATES /* must be last */
};

/**
 * struct splice_tuple - Addresses and ports of the segments that come from a
 * peer
 * @src, @dst:	IPv6 addresses, or IPv4 ones as of core/ipaddr.h; network order
 * @sport, @dport: Host order
 *
 * There is no padding: the bytes are the key of a table.
 */
struct splice_tuple {
	uint8_t src[16];
	uint8_t dst[16];
	uint16_t sport;
	uint16_t dport;
};

/* Of splice_side.flags. */
enum {
	SPLICE_SIDE_SEEN = 1 << 0, /* @end holds something */
	SPLICE_SIDE_FIN = 1 << 1,  /* @fin holds something */
	SPLICE_SIDE_LAST = 1 << 2, /* before the splice: @end is behind a FIN */
	SPLICE_SIDE_SCALE = 1 << 3, /* its SYN had a window scale */
	SPLICE_SIDE_BACK = 1 << 4,  /* its socket was made behind a cut */
};

/* Of splice_pair.flags. */
enum {
	SPLICE_PAIR_IP6 = 1 << 0,
	SPLICE_PAIR_TS = 1 << 1,   /* both sides have timestamps */
	SPLICE_PAIR_SACK = 1 << 2, /* both sides have SACK */
	SPLICE_PAIR_ECN = 1 << 3,  /* both sides have ECN as of RFC 3168 */
	SPLICE_PAIR_JOINED = 1 << 4,
	SPLICE_PAIR_RESET = 1 << 5,	/* in TIMEWAIT because of a RST */
	SPLICE_PAIR_RESET_S2C = 1 << 6, /* and it was the server's */
	SPLICE_PAIR_SYN = 1 << 7,	/* made of a client's SYN: syn.h */
	SPLICE_PAIR_OPENING = 1 << 8,	/* and its handshake is not over */
	SPLICE_PAIR_CUT = 1 << 9,	/* @cut of both sides holds: cut.h */
	SPLICE_PAIR_READY = 1 << 10,	/* there are sockets for what follows */
	SPLICE_PAIR_HELD = 1 << 11,	/* something came from beyond it */
};

/**
 * struct splice_side - One of the two connections
 * @tuple:	Of what its peer sends
 * @acked:	Bytes (and FIN) of the other end that this peer has acked since
 *		the splice
 * @segments, @bytes: Of this peer, relayed; bytes of payload, repeated ones too
 * @outside:	Of @segments, those that lay in no window and moved no state
 * @lo, @hi:	Seqs: what the other end has acked, and the right edge of what
 *		it has ever offered to this peer
 * @end:	Seq behind the last byte or FIN that this peer has sent
 * @ack:	Its highest ack
 * @fin:	Ack by which this peer acks the other end's FIN
 * @from, @cut:	With SPLICE_PAIR_CUT, seqs of the first byte of this peer that
 *		crosses, and behind the last
 * @tsval:	Newest TSval that was relayed to this peer; behind a cut, and
 *		until the next splice, newest of its own
 * @room:	Window that our own socket may offer beyond what it has got; of
 *		a pair that is opening, what the other end's SYN has offered
 * @mss:	What a SYN relayed to this peer may announce at most, 0:
 *		anything
 * @scale:	Window scale of this peer's windows, 0 to 14
 * @told:	Window scale that our SYN told this peer, 0 to 14
 * @state:	enum splice_state
 * @was:	The state before a RST
 * @flags:	SPLICE_SIDE_
 */
struct splice_side {
	struct splice_tuple tuple;
	uint64_t acked;
	uint64_t segments;
	uint64_t bytes;
	uint64_t outside;
	uint32_t lo;
	uint32_t hi;
	uint32_t end;
	uint32_t ack;
	uint32_t fin;
	uint32_t from;
	uint32_t cut;
	uint32_t tsval;
	uint32_t room;
	uint16_t mss;
	uint8_t scale;
	uint8_t told;
	uint8_t state;
	uint8_t was;
	uint8_t flags;
};

/**
 * struct splice_pair - Both, and how the numbers of one become those of the
 * other
 * @map:	Valid from the splice on
 * @side:	By the direction of what comes from its peer
 * @seen:	Time of the last segment, ns
 * @since:	Time when TIMEWAIT began, ns; of one that is opening, of the
 *		client's last SYN
 * @generation:	Told apart from the pair that had the same place before
 * @flags:	SPLICE_PAIR_
 */
struct splice_pair {
	struct seqmap map;
	struct splice_side side[DIR_COUNT];
	uint64_t seen;
	uint64_t since;
	uint32_t generation;
	uint32_t flags;
};

/** splice_is_live() - Nothing of the pair is for our own sockets any more */
static inline bool splice_is_live(const struct splice_pair *p)
{
	return (p->flags & SPLICE_PAIR_JOINED) != 0;
}

/** splice_in_timewait() - Both ends are done with it */
static inline bool splice_in_timewait(const struct splice_pair *p)
{
	return p->side[DIR_C2S].state == SPLICE_TIMEWAIT;
}

/** splice_due() - TIMEWAIT has lasted @timewait ns: the pair may go */
static inline bool splice_due(const struct splice_pair *p, uint64_t timewait,
			      uint64_t now)
{
	return splice_in_timewait(p) && now - p->since >= timewait;
}

#endif /* SPLICE_PAIR_H */
