/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pace - From the times in a capture to the times of sending
 *
 * An absolute schedule: the time of every frame is reckoned from the start,
 * never as a sum of rounded gaps, so that no error accumulates. The theory is
 * in pace.c.
 */
#ifndef PACE_PACE_H
#define PACE_PACE_H

#include <stdint.h>

#include "pace/stamps.h"

#define PACE_MILLION UINT64_C(1000000)
/* Bounds of rates and multipliers: within them no product overflows. */
#define PACE_SCALE_MAX (UINT64_C(1000000) * PACE_MILLION)  /* a million times */
#define PACE_BPS_MAX   (UINT64_C(10000000) * PACE_MILLION) /* 10 Tbit/s */
#define PACE_PPS_MAX   (UINT64_C(1000000000) * PACE_MILLION) /* 10^9 a second */

enum pace_mode {
	PACE_CAPTURED, /* the capture's own gaps, divided by a multiplier */
	PACE_BITS,     /* so many bits a second */
	PACE_PACKETS,  /* so many packets a second */
	PACE_TOP,      /* everything is due at once */
};

/**
 * struct pace_config - What is wanted
 * @mode:	See above
 * @scale:	PACE_CAPTURED: multiplier in millionths, 1 to PACE_SCALE_MAX
 * @bps:	PACE_BITS: bits a second, 1 to PACE_BPS_MAX
 * @pps:	PACE_PACKETS: millionths of packets a second, 1 to PACE_PPS_MAX
 * @burst:	PACE_PACKETS: so many packets are due together, at least 1
 * @gap_max:	PACE_CAPTURED: no gap is longer (ns, after the multiplier); 0:
 *		no limit
 */
struct pace_config {
	enum pace_mode mode;
	uint64_t scale;
	uint64_t bps;
	uint64_t pps;
	uint64_t burst;
	uint64_t gap_max;
};

/**
 * struct pace - A schedule; private but for the counters
 * @capped:	Gaps that were cut to gap_max
 * @backward:	Frames that are older than the one before; due with it
 */
struct pace {
	struct pace_config cfg;
	uint64_t begin;	      /* due time of the first frame of this loop */
	struct stamps stamps; /* of this loop's frames */
	uint64_t spent; /* what the cut gaps have taken away, after scaling */
	uint64_t due;	/* of the last frame */
	uint64_t next;	/* rates: due time of the next */
	uint64_t rest;	/* rates: what the division left over */
	uint64_t in_burst;
	uint64_t n; /* frames of this loop */
	uint64_t capped;
	uint64_t backward;
};

/** pace_init() - Begin a schedule at 0. Return: 0 or -EINVAL (out of range) */
int pace_init(struct pace *p, const struct pace_config *cfg);

/**
 * pace_due() - When the next frame is due
 * @ts:		Its time in the capture, ns; 0: it has none
 * @len:	Its bytes, at most 2^24
 *
 * Return: ns since the start; never less than for the frame before
 */
uint64_t pace_due(struct pace *p, uint64_t ts, uint32_t len);

/**
 * pace_loop() - The capture begins again
 * @delay:	Pause between the loops, ns
 *
 * The first frame is due at once after the pause; at a rate, when it would be
 * due without a new loop.
 */
void pace_loop(struct pace *p, uint64_t delay);

/** pace_end() - What pace_loop() without delay would begin with */
uint64_t pace_end(const struct pace *p);

#endif /* PACE_PACE_H */
