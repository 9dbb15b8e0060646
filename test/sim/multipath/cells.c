/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cells.c - Cells by name, each with what must hold in it; and drawn ones
 *
 * A drawn cell has 2 to 6 paths. A path's rate is 20 kB/s to 12 MB/s (evenly by its
 * logarithm), its delay 0 to 75 ms each way (a round trip of 0 to 150), its loss
 * nothing (half of the paths) or up to 1 %, evenly; queues are 100 packets, a shaper
 * lets 6,000 bytes pass at once. Six seconds are measured, when the
 * window inside may be as large as it has to be: after 9 to 32 s.
 */
#include "cells.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define KBS 1000u /* a rate of 1 kB/s */

static void base(struct cell *c, const char *name)
{
	*c = (struct cell){ .flows = 1,
			    .rwnd = 30000,
			    .cc = CC_CUBIC,
			    .from = 12 * SEC,
			    .until = 30 * SEC,
			    .seed = 1 };
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->config = mp_config_default();
}

/* Add @n paths: kB/s, delay each way in us, loss in percent. */
static void paths(struct cell *c, unsigned n, unsigned rate, unsigned us,
		  double loss)
{
	while (n-- > 0) {
		c->to[c->paths] = (struct link_plan){ .rate = rate * KBS,
						      .delay = us * NS_PER_US,
						      .loss = loss / 100,
						      .queue = 100,
						      .burst = 6000 };
		c->back[c->paths] = c->to[c->paths];
		c->paths++;
	}
}

static const unsigned rates[7] = { 20, 50, 100, 150, 200, 250, 500 };

static void equal_paths(struct named *n, unsigned rate)
{
	char name[32];

	snprintf(name, sizeof(name), "5 x %u kB/s", rate);
	base(&n->cell, name);
	paths(&n->cell, 5, rate, 500, 0);
	n->bar = rate == 20 ? 93 : 95;
}

static void unequal_paths(struct named *n, unsigned rate)
{
	char name[32];

	snprintf(name, sizeof(name), "%u + 4 x 100 kB/s", rate);
	base(&n->cell, name);
	paths(&n->cell, 1, rate, 500, 0);
	paths(&n->cell, 4, 100, 500, 0);
	n->bar = 95;
}

static void far_paths(struct named *n, double loss, uint64_t seed, double bar)
{
	char name[64];

	snprintf(name, sizeof(name), "10/60 ms, loss %g %%, seed %u", loss,
		 (unsigned)seed);
	base(&n->cell, name);
	paths(&n->cell, 1, 1250, 10000, loss);
	paths(&n->cell, 1, 1250, 60000, loss);
	n->cell.seed = seed;
	n->bar = bar;
}

/* Two paths of 10 Mbit/s, one of which changes at 15 s. */
static void changing(struct named *n, const char *name, uint64_t rate,
		     bool down, uint64_t back_at)
{
	base(&n->cell, name);
	paths(&n->cell, 1, 1250, 10000, 0);
	paths(&n->cell, 1, 1250, 30000, 0);
	for (unsigned k = 0; k < 2; k++) {
		struct link_plan *l =
			k == 0 ? &n->cell.to[0] : &n->cell.back[0];

		l->step[l->steps++] = (struct step){ 15 * SEC, rate, down };
		if (back_at != 0)
			l->step[l->steps++] =
				(struct step){ back_at, 1250000, false };
	}
}

static bool more_cells(unsigned n, struct named *out)
{
	struct cell *c = &out->cell;

	switch (n) {
	case 0:
		base(c, "20 kB/s + 12.5 MB/s");
		paths(c, 1, 20, 500, 0);
		paths(c, 1, 12500, 500, 0);
		out->bar = 95;
		return true;
	case 1:
		base(c, "10 + 100 Mbit/s");
		paths(c, 1, 1250, 500, 0);
		paths(c, 1, 12500, 500, 0);
		out->bar = 95;
		return true;
	case 2:
		base(c, "2 x 100 Mbit/s");
		paths(c, 2, 12500, 500, 0);
		out->bar = 95;
		return true;
	case 3:
		base(c, "five paths over one 100 Mbit/s");
		paths(c, 5, 12500, 500, 0);
		c->shared = 12500000;
		out->bar = 95;
		return true;
	case 4:
		base(c, "uplinks of 60 kB/s");
		paths(c, 1, 1250, 10000, 0);
		paths(c, 1, 1250, 30000, 0);
		c->back[0].rate = c->back[1].rate = 60 * KBS;
		out->bar = 88;
		return true;
	case 5:
		base(c, "20 connections, 3 paths");
		paths(c, 1, 150, 5000, 0);
		paths(c, 1, 500, 20000, 0);
		paths(c, 1, 1250, 40000, 0);
		c->flows = 20;
		out->bar = 95;
		out->jain_bar = 0.95;
		return true;
	case 6:
		base(c, "ping, 5 x 150 kB/s");
		paths(c, 5, 150, 500, 0);
		c->ping = 100 * MS;
		out->bar = 95;
		out->ping_bar = 1 + 8 * 1514 / 150.0;
		return true;
	case 7:
		base(c, "ping, 10/60 ms, loss 1 %");
		paths(c, 1, 1250, 10000, 1);
		paths(c, 1, 1250, 60000, 1);
		c->ping = 100 * MS;
		out->bar = 90;
		out->ping_bar = 2 * 10 + 50;
		return true;
	case 8:
		base(c, "jitter of 20 ms, order kept");
		paths(c, 1, 1250, 10000, 0);
		paths(c, 1, 600, 40000, 0);
		c->to[0].jitter = c->to[1].jitter = 20 * MS;
		c->back[0].jitter = c->back[1].jitter = 20 * MS;
		return true;
	default:
		return false;
	}
}

static bool changing_cell(unsigned n, struct named *out)
{
	struct cell *c = &out->cell;

	switch (n) {
	case 0: /* of what is left, from two seconds on */
		changing(out, "one of two falls silent, after 2 s", 0, true, 0);
		c->from = 16 * SEC;
		c->until = 24 * SEC;
		out->bar = 90 / 2.0;
		return true;
	case 1:
		changing(out, "one of two falls silent, the gap", 0, true, 0);
		c->from = 12 * SEC;
		out->gap_bar = 500;
		return true;
	case 2:
		changing(out, "it comes back, after 5 s", 0, true, 20 * SEC);
		c->from = 24 * SEC;
		out->bar = 95;
		return true;
	case 3: /* of the new sum */
		changing(out, "10 to 3 Mbit/s, after 3 s", 375000, false, 0);
		c->from = 17 * SEC;
		out->bar = 90;
		return true;
	case 4:
		base(c, "BBR, 10/60 ms, equal");
		break;
	case 5:
		base(c, "BBR, 10/60 ms, in order");
		break;
	default:
		return false;
	}
	paths(c, 1, 1250, 10000, 0);
	paths(c, 1, 1250, 60000, 0);
	c->cc = CC_BBR;
	if (n == 4) {
		c->config.release = MP_RELEASE_EQUAL;
		c->config.timed = true;
		out->wish = 89;
	}
	return true;
}

bool named_cell(unsigned n, struct named *out)
{
	*out = (struct named){ 0 };
	if (n < 7) {
		equal_paths(out, rates[n]);
		if (n == 0) {
			out->cell.from = 20 * SEC;
			out->cell.until = 60 * SEC;
		}
		return true;
	}
	if (n < 14) {
		unequal_paths(out, rates[n - 7]);
		return true;
	}
	if (n < 15) {
		far_paths(out, 0, 1, 95);
		return true;
	}
	if (n < 20) {
		far_paths(out, 0.1, n - 14, 93);
		return true;
	}
	if (n < 25) {
		far_paths(out, 1, n - 19, 90);
		return true;
	}
	n -= 25;
	if (n < 9)
		return more_cells(n, out);
	return changing_cell(n - 9, out);
}

static double even(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}

/* Measure when CUBIC may have come to its window: it grows from little as 0.4 t^3,
 * for HyStart ends when a slower path is used for the first time.
 */
static void steady(struct cell *c)
{
	uint64_t rate = 0, delay = 0;
	double window;

	for (unsigned i = 0; i < c->paths; i++) {
		rate += c->to[i].rate;
		if (c->to[i].delay > delay)
			delay = c->to[i].delay;
	}
	/* A round trip's worth is out, and one more waits where paths lose. */
	window = (double)rate * (double)(4 * delay + 50 * MS) / 1e9 / 1514;
	c->from = 6 * SEC + (uint64_t)(cbrt(window / 0.4) * 1e9);
	c->until = c->from + 6 * SEC;
}

void drawn_cell(uint64_t seed, unsigned n, struct cell *out)
{
	struct rng r = { seed * 1000003 + n };
	unsigned count = 2 + rng_below(&r, 5);
	char name[64];

	snprintf(name, sizeof(name), "drawn %llu.%u", (unsigned long long)seed,
		 n);
	base(out, name);
	out->seed = rng_next(&r);
	for (unsigned i = 0; i < count; i++) {
		unsigned rate = (unsigned)(20 * pow(600, even(&r)));
		unsigned us = (unsigned)(75000 * even(&r));
		double loss = rng_below(&r, 2) == 0 ? 0 : even(&r);

		paths(out, 1, rate, us, loss);
	}
	steady(out);
}

void drawn_words(const struct cell *c, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < c->paths && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, " %u/%u/%.2g",
				       (unsigned)(c->to[i].rate / KBS),
				       (unsigned)(c->to[i].delay / MS),
				       c->to[i].loss * 100);
}
