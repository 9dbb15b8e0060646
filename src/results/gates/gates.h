/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gates - What a count says of a share, and what is decided of a limit
 *
 * See share.c, blocks.c and watch.c.
 */
#ifndef GATES_GATES_H
#define GATES_GATES_H

#include <stdbool.h>
#include <stdint.h>

#define GATES_WHOLE 1000000u /* a share of all, in 1/1000000 */
/* Blocks of time; full: two become one, and a block is twice as long. */
#define GATES_BLOCKS 64
#define GATES_BLOCK  (1000 * UINT64_C(1000000)) /* ns, at first */
/* More answers than that are not reckoned with. */
#define GATES_MOST 1000000000u

/** struct gates_blocks - Answers by when they came; zeroes at first */
struct gates_blocks {
	uint64_t begun;
	uint64_t length; /* ns; 0: nothing came yet */
	struct {
		uint64_t n;
		uint64_t hit;
	} block[GATES_BLOCKS];
};

/**
 * gates_count() - Count an answer
 * @at:		When, ns; what is older than the first one counts with it
 * @hit:	It is one of those of which the share is asked
 */
void gates_count(struct gates_blocks *b, uint64_t at, bool hit);

/**
 * gates_effect() - How many answers are worth one that came alone
 *
 * Return: 1 or more: the design effect of blocks
 */
double gates_effect(const struct gates_blocks *b);

/** struct gates_interval - Of a share, in 1/1000000 */
struct gates_interval {
	uint32_t low;
	uint32_t at;
	uint32_t high;
};

/**
 * gates_interval() - The interval of 95 % of a share
 * @hit, @n:	Counted, @hit <= @n
 * @effect:	gates_effect()
 */
void gates_interval(uint64_t hit, uint64_t n, double effect,
		    struct gates_interval *out);

enum gates_side {
	GATES_BELOW,  /* the whole interval is at the limit or below */
	GATES_ABOVE,  /* it is above */
	GATES_ACROSS, /* the limit lies within */
};

/**
 * gates_side() - Where the interval lies
 * @limit:	In 1/1000000. 0 and GATES_WHOLE have no other side, and are
 *		decided by @hit alone
 */
enum gates_side gates_side(uint64_t hit, uint64_t n, double effect,
			   uint32_t limit);

/**
 * gates_needed() - Answers that would decide, all in all, if it goes on so
 *
 * Return: 0: more than GATES_MOST, or nobody knows
 */
uint64_t gates_needed(uint64_t hit, uint64_t n, double effect, uint32_t limit);

/**
 * struct gates_watch - A test that may be looked at after each answer; zeroes
 * at first
 * @n, @hit:	Answers so far
 * @m:		What is left of a stake of 1
 */
struct gates_watch {
	uint64_t n;
	uint64_t hit;
	double m;
};

/** gates_watch() - An answer; @limit as gates_side(), above 0 and below all */
void gates_watch(struct gates_watch *w, uint32_t limit, bool hit);

/**
 * gates_hopeless() - Is the share above the limit, as sure as no look at a
 * share that is not says so in one of GATES_CHANCE runs?
 */
#define GATES_CHANCE 200
bool gates_hopeless(const struct gates_watch *w);

#endif /* GATES_GATES_H */
