/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quiet.c - The framer of protocols that nobody knows
 */
#include "app/framer.h"

static void quiet_init(void *st, bool mid)
{
	(void)st;
	(void)mid;
}

static void quiet_feed(void *st, enum who who, const uint8_t *p, uint32_t n,
		       struct framer_piece *out)
{
	(void)st;
	(void)who;
	(void)p;
	*out = (struct framer_piece){ .used = n, .part = FRAMER_OPAQUE };
}

static uint16_t quiet_fin(void *st, enum who who)
{
	(void)st;
	(void)who;
	return 0;
}

/* There is no place in a message that could be lost. */
static bool quiet_skip(void *st, enum who who, uint32_t n)
{
	(void)st;
	(void)who;
	(void)n;
	return true;
}

static void quiet_resync(void *st, enum who who, uint32_t index)
{
	(void)st;
	(void)who;
	(void)index;
}

static bool quiet_begins(const uint8_t *p, uint32_t n)
{
	(void)p;
	(void)n;
	return true;
}

const struct framer_ops framer_quiet = {
	.name = "quiet",
	.size = 0,
	.init = quiet_init,
	.feed = quiet_feed,
	.fin = quiet_fin,
	.skip = quiet_skip,
	.resync = quiet_resync,
	.begins = quiet_begins,
	.restarts = quiet_begins,
};
