/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * table - What the program in the kernel and the library share
 *
 * A pair has a place in an array; both of its tuples lead there by a hash
 * table. So a packet costs one search, and both directions see one record,
 * which a lock guards. The places that nobody has lie in a queue, those in
 * TIMEWAIT in another, in the order in which they entered it.
 *
 * A place is had by one pair after the other. What names a pair therefore names
 * its generation, too; what is late misses the next one.
 */
#ifndef ROUTE_TABLE_H
#define ROUTE_TABLE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/dir.h"
#include "core/sip.h"
#include "splice/head.h"
#include "splice/over.h"
#include "splice/pair.h"

/* Of all that is shared by pinned tables; another one has other tables. */
#define JOIN_LAYOUT 5

#define JOIN_PAIRS 65536u /* most pairs at once, unless the loader says less */
#define JOIN_RING  (1u << 20)
/* Of those that are due, how many go when another one enters TIMEWAIT. */
#define JOIN_REAP 2
/* Of all places, the share that pairs may have which are opening. */
#define JOIN_OPENING_SHARE 8
#define JOIN_FORWARDS	   64
#define JOIN_SERVERS	   16 /* of a forward */
/* Servers whose connections are counted by themselves; of more they are not. */
#define JOIN_SERVED 1024
/* Ports that are tried for a SYN, places that are looked at for it. */
#define JOIN_PORT_TRIES 16
#define JOIN_LOOK	4
/* How long after it was woken the library is not woken again, ns. */
#define JOIN_PAUSE 5000000u

/**
 * struct join_name - A pair: where it lies, and which of those that lay there
 */
struct join_name {
	uint32_t place;
	uint32_t generation;
};

/** join_is_taken() - Has a pair this generation's place, or nobody? Taking and
 * leaving count one each
 */
static inline bool join_is_taken(uint32_t generation)
{
	return generation % 2 != 0;
}

/**
 * struct join_end - What a tuple leads to: a pair, and the direction of its
 * packets
 */
struct join_end {
	struct join_name name;
	uint32_t dir;
};

/** struct join_way - How packets go to a peer
 * @ifindex:	Device
 * @mtu:	Of the route, if that is less than the device's; else 0
 */
struct join_way {
	uint32_t ifindex;
	uint32_t mtu;
};

/**
 * struct join_slot - A place
 * @lock:	Held while the rest moves
 * @way:	To the peer of each side
 * @pair:	The pair
 */
struct join_slot {
	struct bpf_spin_lock lock;
	struct join_way way[DIR_COUNT];
	uint32_t pad;
	struct splice_pair pair;
};

/** struct join_event - What the library is told
 * @events:	SPLICE_EV_ bits; JOIN_EV_OVER: @dir is an enum splice_over
 * @side:	What its two sides have come to, of each as struct splice_side
 */
#define JOIN_EV_OVER (1u << 31)
struct join_event {
	struct join_name name;
	uint32_t events;
	uint32_t dir;
	struct {
		uint64_t segments, bytes, outside, acked;
	} side[DIR_COUNT];
};

/**
 * struct join_config - Set by the loader, before the program runs
 * @limits:	Of pairs that were made of a SYN; @limits.timewait of all
 * @key:	Of the hash by which a client comes to a server
 * @clock:	Added to our clock of timestamps, ms
 * @mark:	What servers' segments get that are for our sockets; 0: nothing
 * @pairs:	Places
 */
struct join_config {
	struct splice_limits limits;
	struct hash_key key;
	uint32_t clock;
	uint32_t pairs;
	uint32_t mark;
	uint32_t pad;
};

/**
 * struct join_state - What there is one of
 * @woken:	When the library was woken, ns
 * @used:	Places that were ever taken; may be a few more than there are
 * @syn_live, @syn_opening: Pairs that were made of a SYN; of them, those whose
 *		handshake is not over
 * @look_at:	Place that is looked at next for one that has lasted too long
 */
struct join_state {
	uint64_t woken;
	uint32_t used;
	uint32_t syn_live;
	uint32_t syn_opening;
	uint32_t look_at;
};

/** struct join_at - Where SYNs come in that are passed on */
struct join_at {
	uint8_t ip[16];
	uint32_t port;
};

/**
 * struct join_server - A server of a forward
 * @hash:	rendezvous_server()
 * @tuple:	What it will send, but for the port that it is sent to
 * @way:	To it
 * @served:	Where its connections are counted; JOIN_SERVED: nowhere
 */
struct join_server {
	uint64_t hash;
	struct splice_tuple tuple;
	struct join_way way;
	uint32_t served;
};

/**
 * struct join_forward - Where they go
 * @server:	Those that get clients, @servers of them: one or more
 * @port_low, @ports: Ports of ours, the first and how many
 * @next:	Counts the tries
 * @ip6:	The family, 0 or 1
 */
struct join_forward {
	struct join_server server[JOIN_SERVERS];
	uint32_t servers;
	uint32_t port_low;
	uint32_t ports;
	uint32_t next;
	uint32_t ip6;
};

/** struct join_peer - What a client has agreed on with our socket; 0: there is
 * no such socket
 * @mss:	Most bytes that it takes in a segment, options of TCP included
 * @window:	What it offers, bytes
 */
struct join_peer {
	uint32_t mss;
	uint32_t window;
};

/**
 * struct join_ask - What join_intend is run with: a pair to be watched
 * @tuple, @way: By direction
 * @ip6:	The family, 0 or 1
 * @name, @peer: Results
 */
struct join_ask {
	struct splice_tuple tuple[DIR_COUNT];
	struct join_way way[DIR_COUNT];
	uint32_t ip6;
	struct join_name name;
	struct join_peer peer;
};

/** struct join_look - What join_sweep is run with: places to be looked at, and
 * the limits of pairs that were not made of a SYN
 */
struct join_look {
	uint32_t first;
	uint32_t most;
	uint64_t now;
	struct splice_limits limits;
};

/** struct join_call - What join_splice and join_forget are run with
 * @pending:	Bytes that our program will still write to the peer of each side
 * @cut:	With @has_cut, splice_socket.cut
 */
struct join_call {
	struct join_name name;
	uint32_t pending[DIR_COUNT];
	uint32_t cut[DIR_COUNT];
	uint32_t has_cut;
};

/** enum join_cutting - What join_cut is run for: one of splice/cut.h */
enum join_cutting {
	JOIN_CUT_NOW,
	JOIN_CUT_READY,
	JOIN_CUT_WITHDRAW,
};

/** struct join_cut_call - What join_cut is run with
 * @what:	enum join_cutting
 * @cut:	Of JOIN_CUT_READY
 */
struct join_cut_call {
	struct join_name name;
	uint32_t what;
	uint32_t cut[DIR_COUNT];
};

/** struct join_moved - What join_move is run with: ways that are others now */
struct join_moved {
	struct join_name name;
	struct join_way way[DIR_COUNT];
};

/* What they return: 0, or one of these. join_splice: a splice_refusal, or
 * SPLICE_EV_ bits with JOIN_SPLICED and, if so, JOIN_UNREAD. join_cut:
 * SPLICE_EV_ bits with JOIN_SPLICED, or 0: it cannot be done any more.
 */
#define JOIN_SPLICED   0x10000u
#define JOIN_UNREAD    0x20000u /* the client's socket has something to read */
#define JOIN_NO_PAIR   0x200u
#define JOIN_NO_SOCKET 0x201u
#define JOIN_NO_PLACE  0x202u
#define JOIN_TAKEN     0x203u /* a tuple is another pair's */

/* What is counted. Each packet of a pair counts once in the first
 * seven.
 */
enum join_count {
	JOIN_RELAYED,
	JOIN_TO_STACK,
	JOIN_DROPPED, /* see those by fault */
	JOIN_TOO_LONG, /* for the device it should leave by; its sender was told */
	JOIN_FAILED,	 /* the kernel could not change it */
	JOIN_CHALLENGED, /* a SYN of a live pair: it was answered */
	JOIN_HELD,	 /* beyond a cut, or while sockets are made */
	JOIN_ERRORS,	 /* messages of ICMP that were relayed */
	JOIN_NO_EVENT,	 /* the ring was full: found by a sweep */
	JOIN_NO_QUEUE,	 /* TIMEWAIT's was full: found by a sweep */
	JOIN_REAPED,	 /* pairs whose TIMEWAIT was over */
	/* Pairs that were made of a SYN, and how they have ended. */
	JOIN_SYN_BEGUN,
	JOIN_SYN_CLOSED,
	JOIN_SYN_RESET,
	JOIN_SYN_IDLE,
	JOIN_SYN_HALF_CLOSED,
	JOIN_SYN_UNOPENED,
	/* SYNs that went to the listener. */
	JOIN_SYN_FULL,	/* no place, or too many that are opening */
	JOIN_SYN_PORTS, /* no port was free */
	JOIN_FAULT, /* and SPLICE_FAULTS from here on, by enum splice_fault */

	JOIN_COUNTS = JOIN_FAULT + SPLICE_FAULTS
};

#endif /* ROUTE_TABLE_H */
