/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * over - When a pair has lasted too long
 *
 * Ends tell of their end only if they can. What they leave behind goes by time,
 * counted from the last segment of either of them, or from where TIMEWAIT
 * began.
 */
#ifndef SPLICE_OVER_H
#define SPLICE_OVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dir.h"
#include "splice/pair.h"

/**
 * struct splice_limits - How long a pair may say nothing, ns; 0: for ever
 * @opening:	Before it is joined; since the client's last SYN, before its
 *		handshake through us is over
 * @idle:	While both streams go on
 * @closing:	After one of them has ended
 * @timewait:	How long it stays after both ends are done; not 0
 */
struct splice_limits {
	uint64_t opening;
	uint64_t idle;
	uint64_t closing;
	uint64_t timewait;
};

/** enum splice_over - Why a pair is over; also indexes counters */
enum splice_over {
	SPLICE_GOES_ON,
	SPLICE_NEVER_JOINED, /* or never opened */
	SPLICE_IDLE,
	SPLICE_HALF_CLOSED,
	SPLICE_DONE, /* TIMEWAIT has passed */

	SPLICE_OVERS /* must be last */
};

/**
 * splice_is_over() - Has it lasted too long? @now is no earlier than its times
 */
static inline enum splice_over splice_is_over(const struct splice_pair *p,
					      const struct splice_limits *l,
					      uint64_t now)
{
	uint64_t silent = now - p->seen;

	/* The server may ask for long, and unheard. */
	if (p->flags & SPLICE_PAIR_OPENING)
		return l->opening != 0 && now - p->since >= l->opening
			       ? SPLICE_NEVER_JOINED
			       : SPLICE_GOES_ON;

	if (splice_in_timewait(p))
		return splice_due(p, l->timewait, now) ? SPLICE_DONE
						       : SPLICE_GOES_ON;
	if (!splice_is_live(p))
		return l->opening != 0 && silent >= l->opening
			       ? SPLICE_NEVER_JOINED
			       : SPLICE_GOES_ON;
	if (p->side[DIR_C2S].state != SPLICE_SPLICED ||
	    p->side[DIR_S2C].state != SPLICE_SPLICED)
		return l->closing != 0 && silent >= l->closing
			       ? SPLICE_HALF_CLOSED
			       : SPLICE_GOES_ON;
	return l->idle != 0 && silent >= l->idle ? SPLICE_IDLE : SPLICE_GOES_ON;
}

#endif /* SPLICE_OVER_H */
