/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eyeballs - In which order, and when, addresses of a name are tried
 *
 * Happy Eyeballs, version 2 (RFC 8305): addresses of two families in turn, the
 * next one a while after the last if that has not answered, and the first that
 * answers is taken. No input or output, and no clock: the caller asks for
 * names, connects, and says what came of it. Times are ns.
 *
 * The family that is preferred is the caller's choice, and not always IPv6.
 */
#ifndef DIAL_EYEBALLS_H
#define DIAL_EYEBALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ipaddr.h"
#include "core/limits.h"

#define EYEBALLS_ADDRESSES 8 /* of a family; more are left out */
/* RFC 8305 section 8. */
#define EYEBALLS_ATTEMPT    (250 * NS_PER_MS)
#define EYEBALLS_RESOLUTION (50 * NS_PER_MS)

/** enum eyeballs_family - Of addresses, as the caller likes them */
enum eyeballs_family {
	EYEBALLS_PREFERRED,
	EYEBALLS_OTHER,

	EYEBALLS_FAMILIES /* must be last */
};

/**
 * struct eyeballs - One name's
 * @a:		Addresses, @n by family, of which @at were tried
 * @answered:	It is known which there are
 * @most:	Attempts at once; @out: of these, those that go on
 * @turn:	The next one's family, if it has any left
 * @began:	There was an attempt
 * @wait_until:	The other family waits for the preferred one
 * @next_at:	The next attempt beside others
 */
struct eyeballs {
	struct ipaddr a[EYEBALLS_FAMILIES][EYEBALLS_ADDRESSES];
	uint8_t n[EYEBALLS_FAMILIES];
	uint8_t at[EYEBALLS_FAMILIES];
	bool answered[EYEBALLS_FAMILIES];
	uint8_t most;
	uint8_t out;
	uint8_t turn;
	bool began;
	uint64_t wait_until;
	uint64_t next_at;
};

/** enum eyeballs_step - What is to be done */
enum eyeballs_step {
	EYEBALLS_WAIT, /* for an answer, an attempt, or eyeballs_due() */
	EYEBALLS_TRY,  /* this address; it is an attempt from now on */
	EYEBALLS_OVER, /* all were tried, and none took it */
};

/** eyeballs_begin() - @most: attempts at once, at least 1 */
void eyeballs_begin(struct eyeballs *e, unsigned most);

/** eyeballs_answer() - These addresses there are of a family; once for each */
void eyeballs_answer(struct eyeballs *e, enum eyeballs_family family,
		     const struct ipaddr *a, unsigned n, uint64_t now);

/** eyeballs_next() - What is to be done; until it is not EYEBALLS_TRY */
enum eyeballs_step eyeballs_next(struct eyeballs *e, uint64_t now,
				 struct ipaddr *out);

/** eyeballs_failed() - One attempt has: the next one need not wait */
void eyeballs_failed(struct eyeballs *e);

/** eyeballs_alone() - Will nothing be tried beside the attempt that goes on?
 */
bool eyeballs_alone(const struct eyeballs *e);

/** eyeballs_due() - When to ask again; UINT64_MAX: time changes nothing */
uint64_t eyeballs_due(const struct eyeballs *e);

#endif /* DIAL_EYEBALLS_H */
