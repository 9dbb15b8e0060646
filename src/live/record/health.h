/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health - Is a SUT up, and for how long was it not?
 */
#ifndef TOLD_HEALTH_H
#define TOLD_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

/* States of a SUT; reports use these names. */
#define HEALTH_STATES(X)                                                       \
	X(HEALTH_NEVER, "never_ready")                                         \
	X(HEALTH_UP, "up")                                                     \
	X(HEALTH_REFUSING, "refusing") /* RST to our SYN */                    \
	X(HEALTH_SILENT, "silent")     /* owes an answer, and says nothing */  \
	X(HEALTH_UNPROVED, "unproved") /* its probe is not answered any more */

enum health_state {
#define X(id, name) id,
	HEALTH_STATES(X)
#undef X
		HEALTH_COUNT
};

/** health_name() - As reports spell it */
const char *health_name(enum health_state s);

/**
 * struct health - One SUT
 * @state:	Now
 * @since:	While it is down: since when, ns
 * @down:	ns that it was down before that, in all
 * @times:	How often it went down
 * @back:	When it came back last
 * @heard:	When its last payload came
 */
struct health {
	enum health_state state;
	uint64_t since;
	uint64_t down;
	uint32_t times;
	uint64_t back;
	uint64_t heard;
};

/** health_is_down() - It was ready once, and is not now */
static inline bool health_is_down(const struct health *h)
{
	return h->state > HEALTH_UP;
}

/** health_was_ready() - It was ready once */
static inline bool health_was_ready(const struct health *h)
{
	return h->state != HEALTH_NEVER;
}

/** health_down() - How long it was down until @now, in all, ns */
uint64_t health_down(const struct health *h, uint64_t now);

/**
 * health_turn() - The SUT has state @to
 * @since:	From when on; what lies before @h->back counts from there
 *
 * Return: true if that is news
 */
bool health_turn(struct health *h, enum health_state to, uint64_t since,
		 uint64_t now);

#endif /* TOLD_HEALTH_H */
