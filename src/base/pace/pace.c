/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pace.c - From the times in a capture to the times of sending
 *
 * Theory of operation
 *
 * With the capture's own gaps a frame is due at
 *
 *	begin + at / multiplier - spent
 *
 * where @at is the clock of the capture's stamps (stamps.h) and @spent what cut
 * gaps have saved so far. A frame that is older than the latest before it
 * (captures of several queues, clocks that were set) is due together with it:
 * time never goes back, and what follows keeps its distance to the latest
 * frame.
 *
 * At a rate each frame moves the due time of the next by a fraction of a
 * nanosecond that is carried in @rest. So a rate is exact after any number of
 * frames.
 */
#include "pace/pace.h"

#include <errno.h>
#include <string.h>

#include "core/limits.h"

int pace_init(struct pace *p, const struct pace_config *cfg)
{
	if (cfg->mode == PACE_CAPTURED &&
	    (cfg->scale == 0 || cfg->scale > PACE_SCALE_MAX))
		return -EINVAL;
	if (cfg->mode == PACE_BITS &&
	    (cfg->bps == 0 || cfg->bps > PACE_BPS_MAX))
		return -EINVAL;
	if (cfg->mode == PACE_PACKETS &&
	    (cfg->pps == 0 || cfg->pps > PACE_PPS_MAX || cfg->burst == 0))
		return -EINVAL;
	memset(p, 0, sizeof(*p));
	p->cfg = *cfg;
	return 0;
}

/* @t * 10^6 / @scale without a product of more than 64 bits: what is left over
 * of the division is below @scale, at most 10^12.
 */
static uint64_t divide(uint64_t t, uint64_t scale)
{
	uint64_t whole = t / scale;

	if (whole > UINT64_MAX / PACE_MILLION - 1)
		return UINT64_MAX;
	return whole * PACE_MILLION + t % scale * PACE_MILLION / scale;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t due_captured(struct pace *p, uint64_t ts)
{
	bool back = ts != 0 && ts < p->stamps.high;
	uint64_t at = stamps_next(&p->stamps, ts);

	p->backward += back;
	if (back)
		return p->due;
	at = add(p->begin, divide(at, p->cfg.scale)) - p->spent;
	if (p->n > 0 && p->cfg.gap_max > 0 && at - p->due > p->cfg.gap_max) {
		p->spent += at - p->due - p->cfg.gap_max;
		p->capped++;
		at = p->due + p->cfg.gap_max;
	}
	return at;
}

/* The next frame of a rate comes @units / @per_second later. */
static void advance(struct pace *p, uint64_t units, uint64_t per_second)
{
	p->rest += units;
	p->next = add(p->next, p->rest / per_second);
	p->rest %= per_second;
}

static uint64_t due_bits(struct pace *p, uint32_t len)
{
	uint64_t at = p->next;

	advance(p, (uint64_t)len * 8 * NS_PER_SEC, p->cfg.bps);
	return at;
}

static uint64_t due_packets(struct pace *p)
{
	uint64_t at = p->due;

	if (p->in_burst == 0)
		at = p->next;
	advance(p, NS_PER_SEC * PACE_MILLION, p->cfg.pps);
	p->in_burst = (p->in_burst + 1) % p->cfg.burst;
	return at;
}

uint64_t pace_due(struct pace *p, uint64_t ts, uint32_t len)
{
	uint64_t at = p->begin;

	if (p->cfg.mode == PACE_CAPTURED)
		at = due_captured(p, ts);
	else if (p->cfg.mode == PACE_BITS)
		at = due_bits(p, len);
	else if (p->cfg.mode == PACE_PACKETS)
		at = due_packets(p);
	p->n++;
	p->due = at;
	return at;
}

uint64_t pace_end(const struct pace *p)
{
	if (p->cfg.mode == PACE_BITS || p->cfg.mode == PACE_PACKETS)
		return p->next;
	return p->due;
}

void pace_loop(struct pace *p, uint64_t delay)
{
	uint64_t at = add(pace_end(p), delay);

	p->begin = at;
	p->due = at;
	p->next = at;
	p->spent = 0;
	p->in_burst = 0;
	p->stamps = (struct stamps){ .count = p->stamps.count };
	p->n = 0;
}
