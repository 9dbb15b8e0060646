/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * joint.pml - The moment in which two connections become one (splice/state.h)
 *
 * Two ends, our two sockets, a program that carries bytes between them, the
 * router that sees what the ends send, and four wires that lose, swap and
 * repeat. Numbers are counted in units from the beginning of each stream: what
 * splice/begin.h makes of them, a constant apart, is the same number here.
 *
 * Asserted: nobody is acked what it has not sent; nothing reaches a socket of
 * ours that is closed; in the end each stream has arrived whole, is acked, and
 * the connections are joined.
 */
#ifndef MUT
#define MUT 0
#endif
#ifndef A
#define A 2 /* units that end 0 sends */
#endif
#ifndef B
#define B 2 /* and end 1 */
#endif
#ifndef LOSS
#define LOSS 0
#endif
#ifndef SWAP
#define SWAP 0
#endif
#ifndef DUP
#define DUP 0
#endif
#define Q     4  /* segments on a wire */
#define STEPS 24 /* times that nothing moves but a clock */

#define WATCH  0
#define PRE    1
#define JOINED 2

chan up[2] = [Q] of { byte, byte, byte };   /* from an end: seq, len, ack */
chan down[2] = [Q] of { byte, byte, byte }; /* to it */
byte want[2];		  /* what an end has to send */
byte snd[2], una[2], rcv[2];    /* of the ends */
byte ksnd[2], kuna[2], krcv[2]; /* of our socket that faces an end */
byte end_of[2], acked[2];       /* what the router has seen of an end */
byte state;
bool alone[2];			/* MUT 1: a side that is relayed by itself */
byte lost, swapped, repeated, steps;
byte q, l, k;

#define MAX(x, y)  x = (y > x -> y : x)
#define CLEAN(i)   (acked[i] >= end_of[1 - i])
#define DONE(i)    (una[i] == want[i] && rcv[1 - i] == want[i])
#define OVER       (DONE(0) && DONE(1) && state == JOINED)

/* A bare ack that finds its wire full is not sent. */
inline ack_of_end(i)
{
	if
	:: nfull(up[i]) -> up[i]!snd[i], 0, rcv[i]
	:: full(up[i])
	fi
}

inline ack_of_ours(i)
{
	if
	:: nfull(down[i]) -> down[i]!ksnd[i], 0, krcv[i]
	:: full(down[i])
	fi
}

/* What stands before what is expected is old: its ack counts for nothing (RFC 9293
 * section 3.10.7.4).
 */
inline to_end(i)
{
	assert(k <= snd[i]);
	if
	:: q >= rcv[i] -> MAX(una[i], k)
	:: else
	fi;
	if
	:: l == 1 && q == rcv[i] -> rcv[i]++; ack_of_end(i)
	:: l == 1 && q != rcv[i] -> ack_of_end(i)
	:: else
	fi
}

inline to_stack(i)
{
	assert(state != JOINED);
	assert(k <= ksnd[i] || MUT == 1);
	if
	:: k <= ksnd[i] -> MAX(kuna[i], k)
	:: else
	fi;
	if
	:: l == 1 && q == krcv[i] -> krcv[i]++; ack_of_ours(i)
	:: l == 1 && q != krcv[i] -> ack_of_ours(i)
	:: else
	fi
}

/* splice_try_join() */
inline try_join()
{
	if
	:: MUT == 3 && (CLEAN(0) || CLEAN(1)) -> state = JOINED
	:: MUT != 3 && CLEAN(0) && CLEAN(1) -> state = JOINED
	:: else
	fi
}

/* splice_step() */
inline route(i)
{
	if
	:: state == JOINED -> down[1 - i]!q, l, k
	:: state == WATCH ->
		MAX(end_of[i], q + l);
		MAX(acked[i], k);
		to_stack(i)
	:: state == PRE ->
		MAX(acked[i], k);
		try_join();
		if
		:: state == JOINED -> down[1 - i]!q, l, k
		:: state == PRE && MUT == 1 && CLEAN(i) ->
			down[1 - i]!q, l, k
		:: state == PRE && !(MUT == 1 && CLEAN(i)) ->
			if
			:: MUT != 2 -> MAX(end_of[i], q + l)
			:: else
			fi;
			to_stack(i)
		fi
	fi
}

/* Nothing is on its way: who has something unacked sends it again. */
inline again(i)
{
	if
	:: una[i] < snd[i] -> up[i]!una[i], 1, rcv[i]
	:: else
	fi;
	if
	:: state != JOINED && kuna[i] < ksnd[i] -> down[i]!kuna[i], 1, krcv[i]
	:: else
	fi
}

inline damage(w)
{
	if
	:: nempty(w) && lost < LOSS -> w?q, l, k; lost++
	:: nempty(w) && nfull(w) && swapped < SWAP -> w?q, l, k; w!q, l, k;
		swapped++
	:: nempty(w) && nfull(w) && repeated < DUP -> w?<q, l, k>; w!q, l, k;
		repeated++
	fi
}

init {
	byte i;

	want[0] = A;
	want[1] = B;
	do
	:: atomic {
		OVER && empty(up[0]) && empty(up[1]) && empty(down[0]) &&
			empty(down[1]) -> break
	   }
	:: atomic {
		!OVER || nempty(up[0]) || nempty(up[1]) || nempty(down[0]) ||
			nempty(down[1]);
		select(i : 0 .. 1);
		if
		:: snd[i] < want[i] && nfull(up[i]) ->
			up[i]!snd[i], 1, rcv[i];
			snd[i]++
		:: nempty(up[i]) && nfull(down[1 - i]) ->
			up[i]?q, l, k;
			route(i)
		:: nempty(down[i]) ->
			down[i]?q, l, k;
			to_end(i)
		:: state != JOINED && ksnd[i] < krcv[1 - i] && nfull(down[i]) ->
			down[i]!ksnd[i], 1, krcv[i];
			ksnd[i]++
		:: state == WATCH ->
			state = PRE;
			try_join()
		:: damage(up[i])
		:: damage(down[i])
		:: empty(up[0]) && empty(up[1]) && empty(down[0]) &&
			empty(down[1]) && snd[0] == want[0] &&
			snd[1] == want[1] && state != WATCH &&
			(state == JOINED || (ksnd[0] == krcv[1] &&
					     ksnd[1] == krcv[0])) && !OVER ->
			steps++;
			assert(steps < STEPS);
			again(0);
			again(1)
		:: else
		fi;
		i = 0; q = 0; l = 0; k = 0
	   }
	od;
	assert(rcv[0] == B && rcv[1] == A);
	assert(una[0] == A && una[1] == B)
}
