/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * begin - How two sockets of ours become a pair
 *
 * Theory of operation
 *
 * The next byte that we would write to one end is the next one that we would
 * read from the other. So the offset of a direction is the difference of two
 * counters of our sockets: what has been written to this end (and, by promise,
 * what still will be), less what has been read from the other. Both only move
 * when the program reads or writes, by the same number of bytes when it relays;
 * hence the offset can be taken while packets arrive, and is right for bytes
 * that came and were not read yet, and for those that were sent and are not
 * acked.
 *
 * What had come but stands in no counter yet (a packet on its way to the
 * socket, or one behind a hole) is known from watching: state.h notes where
 * segments end from the moment the tuples are in the table, which is before the
 * server was asked. What was noted is believed if it lies in the window that
 * our socket has offered.
 *
 * Timestamps go on where our socket's clock stands, one tick later, so that no
 * TSval runs backwards (RFC 7323 section 5). Towards a server that clock
 * belongs to the four numbers of the connection, not to the client: a later
 * connection from the same port of ours goes on with it, and meets no PAWS in
 * the server's TIME-WAIT.
 */
#ifndef SPLICE_BEGIN_H
#define SPLICE_BEGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dir.h"
#include "core/seq.h"
#include "core/seqmap.h"
#include "splice/cut.h"
#include "splice/pair.h"
#include "splice/state.h"

/**
 * struct splice_socket - One of our sockets at the moment of the splice
 * @snd_una, @write_seq: Oldest byte that is not acked; seq of the next byte
 *		that the program writes
 * @snd_wnd:	Window of the peer, bytes
 * @rcv_nxt, @copied_seq: Next byte expected; next one that the program reads
 * @rcv_wup, @rcv_wnd: The last ack sent, and the window offered with it, bytes
 * @room:	Most that it will offer beyond @rcv_nxt
 * @ts_recent:	Newest TSval of the peer; 0: it has none, and what is known of a
 *		splice before (cut.h) counts
 * @tsval:	What it would send as TSval now
 * @pending:	Bytes that the program will still write, after which no more
 * @cut:	Of both or none, with @has_cut: bytes from @copied_seq on that
 *		cross, SPLICE_CUT_MOST at most
 * @mss:	What a SYN that is relayed to the peer may announce at most, 0:
 *		anything
 * @scale, @told: Window scales: of the peer's windows, of ours
 * @ts, @sack, @ecn: Agreed on in the handshake; ECN as of RFC 3168, not AccECN
 * @open:	The handshake is done, and no RST has come
 * @fin:	The peer's FIN came; @rcv_nxt counts it. The program will close
 *		its writing half of the other socket once it has read up to
 *		there
 */
struct splice_socket {
	uint32_t snd_una;
	uint32_t write_seq;
	uint32_t snd_wnd;
	uint32_t rcv_nxt;
	uint32_t copied_seq;
	uint32_t rcv_wup;
	uint32_t rcv_wnd;
	uint32_t room;
	uint32_t ts_recent;
	uint32_t tsval;
	uint32_t pending;
	uint32_t cut;
	uint16_t mss;
	uint8_t scale;
	uint8_t told;
	bool ts;
	bool sack;
	bool ecn;
	bool open;
	bool fin;
	bool has_cut;
};

/** enum splice_refusal - Why two sockets are not spliced */
enum splice_refusal {
	SPLICE_AGREED,
	SPLICE_NOT_OPEN, /* one is not established any more, or not yet */
	SPLICE_TS_DIFFER, /* one has timestamps: its peer may drop what has none (RFC
			     7323 section 3.2) */
};

/**
 * splice_intend() - Begin to watch
 * @p:		Result; its whole content is new
 * @client, @server: Of the segments that will come
 * @ip6:	Both are IPv6; else both are IPv4
 * @generation:	Differs from that of the pair that had this place before
 * @now:	Time, ns
 *
 * The client's connection is open, the server's is about to be (thesis 4.1).
 */
static inline void splice_intend(struct splice_pair *p,
				 const struct splice_tuple *client,
				 const struct splice_tuple *server, bool ip6,
				 uint32_t generation, uint64_t now)
{
	static const struct splice_pair none;

	*p = none;
	p->side[DIR_C2S].tuple = *client;
	p->side[DIR_S2C].tuple = *server;
	p->side[DIR_C2S].state = SPLICE_ESTABLISHED;
	p->side[DIR_S2C].state = SPLICE_CLOSE;
	p->flags = ip6 ? SPLICE_PAIR_IP6 : 0;
	p->generation = generation;
	p->seen = now;
}

/* What one socket says about its own side. */
static inline void splice_take(struct splice_side *i,
			       const struct splice_socket *k)
{
	uint32_t edge = k->rcv_wup + k->rcv_wnd;
	bool back = (i->flags & SPLICE_SIDE_BACK) != 0;

	/* One behind a cut offers less than its peer may use: of what was
	 * watched beyond, it may have the part before, behind a hole.
	 */
	if (back && seq_lt(edge, i->end))
		i->end = edge;
	i->flags &= (uint8_t)~SPLICE_SIDE_BACK;
	/* Watched, and no further than our socket would take it. */
	if (!(i->flags & SPLICE_SIDE_SEEN) ||
	    !seq_in(i->end, k->rcv_nxt, edge + 1)) {
		i->end = k->rcv_nxt;
		i->flags &= (uint8_t)~SPLICE_SIDE_LAST;
	}
	if (k->fin)
		i->flags |= SPLICE_SIDE_LAST;
	i->lo = k->rcv_wup;
	if (!back || seq_lt(i->hi, edge))
		i->hi = edge;
	i->ack = k->snd_una;
	i->room = k->room;
	i->mss = k->mss;
	i->scale = k->scale;
	i->told = k->told;
	i->tsval = k->tsval;
	i->from = k->copied_seq;
	i->cut = k->has_cut ? k->copied_seq + k->cut : 0;
}

/* What the socket of side[d], and the watch on it, say about the other side. */
static inline void splice_take_peer(struct splice_pair *p, enum dir d,
				    const struct splice_socket *k)
{
	const struct splice_side *i = &p->side[d];
	struct splice_side *o = &p->side[dir_reverse(d)];
	uint32_t hi = seqmap_ack(&p->map, d, k->snd_una + k->snd_wnd);

	if (seq_lt(o->hi, hi))
		o->hi = hi;
	if (i->flags & SPLICE_SIDE_LAST) {
		o->fin = seqmap_seq(&p->map, d, i->end);
		o->flags |= SPLICE_SIDE_FIN;
	}
}

/**
 * splice_begin() - Splice two sockets
 * @p:		Pair that splice_intend() made, watched since; on refusal
 *		unchanged
 * @k:		Both sockets, by the direction of what they receive
 * @now:	Time, ns
 * @events:	Result: SPLICE_EV_JOINED if nothing of ours is under way
 *
 * Return: SPLICE_AGREED, or why not
 */
static inline enum splice_refusal
splice_begin(struct splice_pair *p, const struct splice_socket k[DIR_COUNT],
	     uint64_t now, uint32_t *events)
{
	const struct splice_socket *c = &k[DIR_C2S];
	const struct splice_socket *s = &k[DIR_S2C];

	const uint32_t recent[DIR_COUNT] = {
		c->ts_recent != 0 ? c->ts_recent : p->side[DIR_C2S].tsval,
		s->ts_recent != 0 ? s->ts_recent : p->side[DIR_S2C].tsval
	};

	*events = 0;
	if (!c->open || !s->open)
		return SPLICE_NOT_OPEN;
	if (c->ts != s->ts)
		return SPLICE_TS_DIFFER;
	p->map.seq_off[DIR_C2S] = s->write_seq + s->pending - c->copied_seq;
	p->map.seq_off[DIR_S2C] = c->write_seq + c->pending - s->copied_seq;
	p->map.ts_off[DIR_C2S] = s->tsval + 1 - recent[DIR_C2S];
	p->map.ts_off[DIR_S2C] = c->tsval + 1 - recent[DIR_S2C];
	splice_take(&p->side[DIR_C2S], c);
	splice_take(&p->side[DIR_S2C], s);
	splice_take_peer(p, DIR_C2S, c);
	splice_take_peer(p, DIR_S2C, s);
	p->flags |= (c->ts ? SPLICE_PAIR_TS : 0) |
		    (c->sack && s->sack ? SPLICE_PAIR_SACK : 0) |
		    (c->ecn && s->ecn ? SPLICE_PAIR_ECN : 0) |
		    (c->has_cut && s->has_cut ? SPLICE_PAIR_CUT : 0);
	p->seen = now;
	*events = splice_try_join(p, now);
	return SPLICE_AGREED;
}

/**
 * splice_may_reuse() - May a new connection from the same port go to the same
 * server
 *			while this one is in TIMEWAIT?
 * @tsval:	What its SYN will bear, if this one had timestamps
 * @iss:	Its initial sequence number
 *
 * The server's TIME-WAIT takes it if one of them is provably newer than all it
 * has seen (RFC 6191, RFC 9293 section 3.6.1).
 */
static inline bool splice_may_reuse(const struct splice_pair *p, uint32_t tsval,
				    uint32_t iss)
{
	if ((p->flags & SPLICE_PAIR_TS) &&
	    seq_lt(p->side[DIR_S2C].tsval, tsval))
		return true;
	return seq_lt(splice_all(p, DIR_S2C), iss);
}

#endif /* SPLICE_BEGIN_H */
