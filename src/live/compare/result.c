/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * result.c - From what was found to a verdict
 *
 * Theory of operation
 *
 * What was found is a set; its reason is the one that tells most. An answer
 * that is not by the book (ambiguous, malformed) means, if it is
 *
 *   production's alone, or both are in another way: not compared, nobody
 *     knows what production meant
 *   the SUT's alone: different, malformed, besides whatever else differs;
 *     `extra` where the bytes stand behind an answer that must have no content
 *   both, in the same way: they are compared as far as they were read alike.
 *     Behind a break of the protocol these are the bytes up to where one side
 *     was not followed any more
 */
#include <assert.h>
#include <string.h>

#include "compare/compare_internal.h"

/* Which reason of several comes first. */
static const enum compare_reason order[] = {
	REASON_STATUS, REASON_MALFORMED,  REASON_HEAD_TOO_LONG,
	REASON_EXTRA,  REASON_UNANSWERED, REASON_HEADER,
	REASON_BODY,   REASON_LENGTH,	  REASON_BYTES,
};

static enum compare_reason first_of(uint64_t set)
{
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (set & reason_bit(order[i]))
			return order[i];
	return (enum compare_reason)__builtin_ctzll(set);
}

/* Is @r a difference, as the reason why an answer is not whole? */
static bool is_difference(enum compare_reason r)
{
	return r >= REASON_STATUS && r <= REASON_MALFORMED;
}

/* Are both not by the book in the same way? */
static bool alike(const struct compare *c)
{
	const struct side *p = &c->side[0];
	const struct side *s = &c->side[1];

	return p->odd != ODD_NONE && p->odd == s->odd &&
	       p->malformed == s->malformed && p->extra == s->extra;
}

/* Why there is no verdict although nothing spoiled the comparison; REASON_NONE:
 * there is one.
 */
static enum compare_reason doubtful(const struct compare *c)
{
	const struct side *p = &c->side[0];

	if (p->odd == ODD_NONE)
		return REASON_NONE;
	if (!alike(c))
		return p->malformed ? REASON_PROD_MALFORMED : REASON_AMBIGUOUS;
	/* How far production's bytes were followed is not the SUT's matter. */
	if (p->malformed &&
	    (p->wrap != c->side[1].wrap ||
	     (!c->lane.found && c->lane.pos[0] != c->lane.pos[1])))
		return REASON_PROD_MALFORMED;
	return REASON_NONE;
}

/* What only the SUT's answer has, with what was found besides. */
static uint64_t found_with_odd(const struct compare *c)
{
	const struct side *s = &c->side[1];
	uint64_t set = c->found;

	if (s->long_head)
		set |= reason_bit(REASON_HEAD_TOO_LONG);
	if (s->odd == ODD_NONE)
		return set;
	if (alike(c)) {
		if (s->malformed && (set & OF_LANE))
			set = (set & ~OF_LANE) | reason_bit(REASON_BYTES);
		return set;
	}
	/* What stands behind the break is no body. */
	if (s->malformed)
		set &= ~OF_LANE;
	if (c->side[0].done)
		set |= reason_bit(s->extra ? REASON_EXTRA : REASON_MALFORMED);
	return set;
}

static void note_evidence(const struct compare *c, struct compare_evidence *out)
{
	out->odd = c->side[1].odd;
	out->extra = c->side[1].extra;
	out->field = c->field;
	out->seen = c->lane.seen;
	memcpy(out->reply, c->reply, sizeof(out->reply));
}

/* Nothing was found. */
static enum verdict same(const struct compare *c)
{
	if (c->unlike || c->side[0].wrap != c->side[1].wrap)
		return VERDICT_EQUIVALENT;
	return VERDICT_IDENTICAL;
}

void compare_verdict(const struct compare *c, enum compare_reason why,
		     struct compare_result *out)
{
	bool done = c->side[0].done && c->side[1].done;
	bool sut_odd = c->side[1].odd != ODD_NONE && !alike(c);
	enum compare_reason not = c->spoiled;
	uint64_t set = 0;

	assert(done || why != REASON_NONE || c->spoiled != REASON_NONE);
	if (not == REASON_NONE)
		not = doubtful(c);
	/* What it is worth is known when production's is whole. */
	if (not == REASON_NONE && sut_odd && !c->side[0].done &&
	    !is_difference(why))
		not = why;
	if (not == REASON_NONE) {
		set = found_with_odd(c);
		if (!done && is_difference(why))
			set |= reason_bit(why);
		if (set == 0 && !done)
			not = why;
	}
	*out = (struct compare_result){
		.verdict = VERDICT_NOT_COMPARED,
		.reason = not,
		.reasons = set,
		.alike = alike(c),
		.status = { compare_status(&c->side[0]),
			    compare_status(&c->side[1]) },
		.bytes = { c->side[0].bytes, c->side[1].bytes },
		.rule = c->rule,
	};
	if (set != 0) {
		out->verdict = VERDICT_DIFFERENT;
		out->reason = first_of(set);
		note_evidence(c, &out->evidence);
	} else if (not == REASON_NONE) {
		out->verdict = same(c);
	}
	if (set & OF_LANE) {
		out->offset = c->lane.offset;
		out->block = c->lane.block;
	}
	if (c->ops->tell)
		c->ops->tell(c, out);
}
