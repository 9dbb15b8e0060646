/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency - How long client, production and SUT took, from stamps alone
 *
 * See latency.c.
 */
#ifndef LATENCY_LATENCY_H
#define LATENCY_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/histogram.h"
#include "core/limits.h"

/* What became of one side of an exchange; the first that holds is told. */
#define LATENCY_WHYS(X)                                                        \
	X(LATENCY_MEASURED, "measured")                                        \
	X(LATENCY_NO_ANSWER, "no_answer")   /* not whole when it was judged */ \
	X(LATENCY_UNSURE, "unsure")	    /* what answers what is guessed */ \
	X(LATENCY_RESUMED, "resumed")	    /* with it a flow was taken up */  \
	X(LATENCY_CLOCK_STEP, "clock_step") /* the clock was set meanwhile */  \
	X(LATENCY_EARLY,                                                       \
	  "early") /* the answer began before the request ended \
				   */              \
	X(LATENCY_NO_STAMP, "no_stamp")                                        \
	X(LATENCY_SKEW, "skew") /* stamps contradict the order of events */

enum latency_why {
#define X(id, name) id,
	LATENCY_WHYS(X)
#undef X
		LATENCY_WHY_COUNT
};

/** latency_why_name() - As reports spell it */
const char *latency_why_name(enum latency_why why);

/**
 * struct latency_stamps - One side of an exchange
 * @asked:	Request's last byte: captured, or handed to the wire; ns since
 *		1970, 0: not known
 * @first, @last: Answer's first and last byte, captured
 * @answered:	The answer is whole
 * @guessed:	It may belong to another request
 * @resumed:	The flow began, or began again, with this request
 * @stepped:	The clock was set while it was under way
 * @early:	The answer's first byte acks no end of the request
 */
struct latency_stamps {
	uint64_t asked;
	uint64_t first;
	uint64_t last;
	bool answered;
	bool guessed;
	bool resumed;
	bool stepped;
	bool early;
};

/** struct latency - From the request's last byte, ns */
struct latency {
	uint64_t first;
	uint64_t last;
};

/**
 * latency_of() - The only place where latencies come from
 * @out:	Zero unless it is measured
 */
enum latency_why latency_of(const struct latency_stamps *s,
			    struct latency *out);

enum { LATENCY_PROD, LATENCY_SUT, LATENCY_SIDES };

/* Stamps of two directions that differ by so much are of two clocks, or of two
 * ways of different length.
 */
#define LATENCY_SKEW_MIN NS_PER_MS
/* So many pairs in a hundred, and none of production's latencies is believed.
 */
#define LATENCY_SKEW_SHARE 1

/** struct latency_side - Of production or of the SUTs */
struct latency_side {
	struct histogram connect; /* SYN to SYN,ACK, ns */
	struct histogram first;
	struct histogram last;
	uint64_t why[LATENCY_WHY_COUNT];
};

/** struct latency_pairs - Stamps of what must follow each other */
struct latency_pairs {
	uint64_t seen;
	uint64_t swapped; /* by LATENCY_SKEW_MIN and more */
};

/**
 * struct latencies - All that was measured; zero is nothing
 * @own:	From the capture of a client's segment to the hand-over of what
 *		it made us send: our own delay
 * @handshakes:	Production's: its SYN,ACK, and the client's segments around it
 * @answers:	Requests, and production's answers to them
 */
struct latencies {
	struct latency_side side[LATENCY_SIDES];
	struct histogram own;
	struct latency_pairs handshakes;
	struct latency_pairs answers;
};

/**
 * latency_pack() - A stamp by its distance from another
 *
 * Exact up to 16 ms, then to 1 in 2^24. Never 0, which says that there is none.
 */
uint32_t latency_pack(uint64_t from, uint64_t stamp);

/** latency_unpack() - The stamp; 0 of 0 */
uint64_t latency_unpack(uint64_t from, uint32_t packed);

/** latency_add() - Count one exchange's side. Return: what became of it */
enum latency_why latency_add(struct latency_side *side,
			     const struct latency_stamps *s,
			     struct latency *out);

/**
 * latency_swapped() - Is what came @later stamped before what came @earlier?
 */
bool latency_swapped(uint64_t earlier, uint64_t later);

/** latency_merge() - Add all of @from to @to */
void latency_merge(struct latencies *to, const struct latencies *from);

/**
 * latency_void() - The same, but what @from measured spans a step of the clock
 * @prod:	Production's stamps are of that clock, too
 */
void latency_void(struct latencies *to, const struct latencies *from,
		  bool prod);

/** latency_skewed() - Are production's two directions stamped apart? */
bool latency_skewed(const struct latencies *l);

/** latency_total() - Exchanges that @side knows of: measured and not */
uint64_t latency_total(const struct latency_side *side);

/** latency_distrust() - Take back what @side measured, as LATENCY_SKEW */
void latency_distrust(struct latency_side *side);

#endif /* LATENCY_LATENCY_H */
