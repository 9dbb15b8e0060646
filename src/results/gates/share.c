/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * share.c - The interval of a share, and a limit in it
 *
 * Theory of operation
 *
 * The interval is the exact one (C. J. Clopper, E. S. Pearson, "The use of
 * confidence or fiducial limits", Biometrika 26, 1934): all shares p under
 * which as many hits as there were, or more, are no rarer than ALPHA, and as
 * many or fewer neither. It covers at least 95 %, also where there are a few
 * hits or none, where normal approximations do not.
 *
 * A tail of the binomial distribution is summed from the count on: each term
 * follows from its neighbour by a quotient of four numbers. The term of the
 * count itself is taken for 1, since both tails together are known to be 1 plus
 * that term. Where terms grow beyond LARGE the count is so far from what p
 * expects that the other tail is nothing. So neither logarithms nor factorials
 * are needed, and a sum has about as many terms as 50 deviations.
 *
 * Answers that came in bunches count for less (blocks.c): both counts are
 * divided by the design effect before (E. L. Korn, B. I. Graubard, "Confidence
 * intervals for proportions with small expected number of positive counts
 * estimated from survey data", Survey Methodology 24, 1998), and are rounded so
 * that the interval gets wider.
 */
#include "gates/gates.h"

#include <assert.h>

#define ALPHA 0.025 /* of each side */
#define LARGE 1e280
#define SMALL 1e-18 /* of the sum: no term behind counts */

struct tails {
	double below; /* P(X <= x) */
	double above; /* P(X >= x) */
};

/* Terms in one direction from the one at @x, which is 1 and is in the sum;
 * LARGE: they grow beyond it
 */
static double sum_up(uint64_t x, uint64_t n, double odds)
{
	double term = 1, sum = 1;

	for (uint64_t k = x; k < n; k++) {
		double by = (double)(n - k) / (double)(k + 1) * odds;

		term *= by;
		sum += term;
		if (sum > LARGE)
			return LARGE;
		if (by < 1 && term < sum * SMALL)
			break;
	}
	return sum;
}

static struct tails tails(uint64_t x, uint64_t n, double p)
{
	double up, down;

	assert(x <= n && p > 0 && p < 1);
	up = sum_up(x, n, p / (1 - p));
	/* Seen from the other end it is the same. */
	down = sum_up(n - x, n, (1 - p) / p);
	return (struct tails){ down / (up + down - 1), up / (up + down - 1) };
}

/* So many whole answers, by themselves; @up: round up */
static uint64_t worth(uint64_t v, double effect, bool up)
{
	double w = (double)v / effect;
	uint64_t n = (uint64_t)w;

	return n + (up && (double)n < w && n < v);
}

/* The counts that are reckoned with. */
struct counts {
	uint64_t n;
	uint64_t least; /* hits, for what lies below */
	uint64_t most;
};

static struct counts counts_of(uint64_t hit, uint64_t n, double effect)
{
	struct counts c;

	assert(hit <= n && effect >= 1);
	if (n > GATES_MOST) { /* as if there had been no more */
		hit = (uint64_t)((double)hit / (double)n * GATES_MOST);
		n = GATES_MOST;
	}
	c.n = worth(n, effect, false);
	c.least = worth(hit, effect, false);
	c.most = worth(hit, effect, true);
	if (c.most > c.n)
		c.most = c.n;
	if (c.least > c.n)
		c.least = c.n;
	return c;
}

static bool rare_above(const struct counts *c, uint32_t ppm)
{
	return tails(c->least, c->n, (double)ppm / GATES_WHOLE).above <= ALPHA;
}

static bool rare_below(const struct counts *c, uint32_t ppm)
{
	return tails(c->most, c->n, (double)ppm / GATES_WHOLE).below <= ALPHA;
}

void gates_interval(uint64_t hit, uint64_t n, double effect,
		    struct gates_interval *out)
{
	struct counts c = counts_of(hit, n, effect);
	uint32_t low = 0, high = GATES_WHOLE, from, to;

	out->at =
		n == 0 ? 0 : (uint32_t)((double)hit / (double)n * GATES_WHOLE);
	if (c.n > 0 && c.least > 0) {
		for (from = 0, to = GATES_WHOLE; to - from > 1;) {
			uint32_t mid = from + (to - from) / 2;

			if (rare_above(&c, mid))
				from = mid;
			else
				to = mid;
		}
		low = from;
	}
	if (c.n > 0 && c.most < c.n) {
		for (from = 0, to = GATES_WHOLE; to - from > 1;) {
			uint32_t mid = from + (to - from) / 2;

			if (rare_below(&c, mid))
				to = mid;
			else
				from = mid;
		}
		high = to;
	}
	out->low = low < out->at ? low : out->at;
	out->high = high > out->at ? high : out->at;
}

enum gates_side gates_side(uint64_t hit, uint64_t n, double effect,
			   uint32_t limit)
{
	struct counts c = counts_of(hit, n, effect);

	if (limit == 0)
		return hit > 0 ? GATES_ABOVE : GATES_BELOW;
	if (limit >= GATES_WHOLE)
		return GATES_BELOW;
	if (c.n == 0)
		return GATES_ACROSS;
	if (rare_above(&c, limit))
		return GATES_ABOVE;
	return rare_below(&c, limit) ? GATES_BELOW : GATES_ACROSS;
}

static uint64_t hits_of(uint64_t hit, uint64_t n, uint64_t of)
{
	double v = (double)hit / (double)n * (double)of;

	return v < (double)of ? (uint64_t)(v + 0.5) : of;
}

uint64_t gates_needed(uint64_t hit, uint64_t n, double effect, uint32_t limit)
{
	uint64_t from = n > 0 ? n : 1, to = from;
	uint64_t h = n > 0 ? hit : 0, of = n > 0 ? n : 1;

	while (to <= GATES_MOST && gates_side(hits_of(h, of, to), to, effect,
					      limit) == GATES_ACROSS) {
		from = to;
		to *= 2;
	}
	if (to > GATES_MOST)
		return 0;
	while (to - from > 1 + from / 64) {
		uint64_t mid = from + (to - from) / 2;

		if (gates_side(hits_of(h, of, mid), mid, effect, limit) ==
		    GATES_ACROSS)
			from = mid;
		else
			to = mid;
	}
	return to;
}
