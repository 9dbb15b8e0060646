/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stamps.c - A clock made of the stamps of a capture's records
 *
 * Theory of operation
 *
 * The clock stands at the latest stamp so far and moves by the distance to the
 * next one. A record without a stamp (0: a simple packet block, or a time
 * before 1970) is of the same moment as the one before it; unless a capture
 * begins with it and goes on within a day of 1970: then its stamps count from
 * its beginning. A stamp that is a little older (two interfaces, a capture that
 * was merged) does not move the clock. One that is far older may be the odd one
 * out, or the one before it was: only when STAMPS_AGREE records in a row say so
 * the clock follows them, from where it stands. So one wrong stamp costs at
 * most one leap, and a capture behind another one that is younger runs at its
 * own pace.
 *
 * A leap longer than the limit is cut to it: 53 years between two records are a
 * broken stamp or a wrong resolution, never a wait that somebody wants; and
 * what a machine does every minute must not be done for centuries.
 */
#include "pace/stamps.h"

#define STAMPS_DAY (86400 * NS_PER_SEC)

static const struct counter rows[] = { STAMPS_COUNTERS(
	COUNTER_ROW, struct stamps_counters) };

const struct counter_list stamps_counter_list = COUNTER_LIST(rows);

static void begin(struct stamps *s, uint64_t ts)
{
	s->begun = true;
	s->high = ts;
	s->first = ts < STAMPS_BEGIN_MAX ? ts : STAMPS_BEGIN_MAX;
}

static void forward(struct stamps *s, uint64_t ts)
{
	uint64_t leap = s->leap != 0 ? s->leap : STAMPS_LEAP;
	uint64_t gap = ts - s->high;

	if (gap > leap) {
		gap = leap;
		s->count.stamps_leaps++;
	}
	s->now = gap < STAMPS_RUN_MAX - s->now ? s->now + gap : STAMPS_RUN_MAX;
	s->high = ts;
}

uint64_t stamps_next(struct stamps *s, uint64_t ts)
{
	if (ts == 0) {
		s->count.stamps_missing++;
		return s->now;
	}
	if (!s->begun)
		begin(s,
		      s->count.stamps_missing > 0 && ts < STAMPS_DAY ? 0 : ts);
	if (ts >= s->high || s->high - ts < STAMPS_BACK) {
		s->behind = 0;
		if (ts > s->high)
			forward(s, ts);
		return s->now;
	}
	s->count.stamps_back++;
	if (++s->behind == STAMPS_AGREE) {
		s->high = ts;
		s->behind = 0;
	}
	return s->now;
}
