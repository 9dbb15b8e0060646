/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * series.c - Values over time, and whether they grow
 *
 * Theory of operation
 *
 * A process that was just started fills caches and pools: the first fifth of
 * the time is left out. The slope of the rest is the median of the slopes
 * between all pairs of points (H. Theil, 1950; P. K. Sen, "Estimates of the
 * regression coefficient based on Kendall's tau", J. Am. Stat. Assoc. 63,
 * 1968), which single peaks do not move. Its interval is that of a block
 * bootstrap: what is left of the points beside the line is drawn anew in blocks
 * of an eighth, since values in a row are alike, and added to the line. With as
 * few points as here such an interval is too narrow (its 95 % held the slope in
 * 89 % of made-up runs), so that nearly all of what was drawn is in ours: it
 * held it in 94.5 %.
 *
 * A slope alone is no leak: much memory goes up and down by a little. It is
 * told as one if its whole interval is above 0, and what it added is more than
 * a given amount and more than VITALS_SHARE of what there was. What grows in
 * steps that are farther apart than the time that was looked at is not seen.
 */
#include <assert.h>
#include <string.h>

#include "core/rng.h"
#include "vitals/vitals.h"

#define NS	   1e9
#define WHOLE_MOST 9e18
#define BLOCKS	   8  /* of a bootstrap: so many make a series */
#define LOW	   1u /* values of a bootstrap that are left out on each side */
#define HIGH	   (VITALS_RESAMPLES - 1 - LOW)

const char *vitals_says_name(enum vitals_says s)
{
	static const char *const name[] = {
#define X(id, text) [id] = text,
		VITALS_SAYS_LIST(X)
#undef X
	};

	return name[s];
}

static void halve(struct vitals_series *s)
{
	for (uint32_t i = 0; i < VITALS_POINTS / 2; i++) {
		s->t[i] = (s->t[2 * i] + s->t[2 * i + 1]) / 2;
		s->v[i] = (s->v[2 * i] + s->v[2 * i + 1]) / 2;
	}
	s->n = VITALS_POINTS / 2;
	s->each *= 2;
}

void vitals_add(struct vitals_series *s, uint64_t now, uint64_t value)
{
	if (s->each == 0) {
		s->each = 1;
		s->begun = now;
	}
	assert(now >= s->begun && s->have < s->each);
	s->t_sum += (double)(now - s->begun) / NS;
	s->v_sum += (double)value;
	if (++s->have < s->each)
		return;
	if (s->n == VITALS_POINTS)
		halve(s);
	/* Those that were to be one point alone are half of one now. */
	if (s->have < s->each)
		return;
	s->t[s->n] = s->t_sum / s->have;
	s->v[s->n++] = s->v_sum / s->have;
	s->t_sum = s->v_sum = 0;
	s->have = 0;
}

/* The value number @k of @n, were they in order; their order changes. */
static double select_value(double *v, size_t n, size_t k)
{
	size_t from = 0, to = n - 1;

	assert(k < n);
	while (from < to) {
		double pivot = v[from + (to - from) / 2];
		size_t i = from, j = to;

		while (i <= j) {
			double keep = v[i];

			if (v[i] < pivot) {
				i++;
			} else if (v[j] > pivot) {
				j--;
			} else {
				v[i++] = v[j];
				v[j] = keep;
				if (j == 0)
					break;
				j--;
			}
		}
		if (k <= j)
			to = j;
		else if (k >= i)
			from = i;
		else
			return v[k];
	}
	return v[k];
}

/* In a second. */
static double slope(const double *t, const double *v, uint32_t n, double *pair)
{
	size_t pairs = 0;

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = i + 1; k < n; k++)
			if (t[k] > t[i])
				pair[pairs++] = (v[k] - v[i]) / (t[k] - t[i]);
	return pairs == 0 ? 0 : select_value(pair, pairs, pairs / 2);
}

/* Points in blocks of others, in a ring. */
static void draw(const double *t, uint32_t n, double by,
		 struct vitals_scratch *x, struct rng *r)
{
	uint32_t length = n / BLOCKS > 0 ? n / BLOCKS : 1;

	assert(n >= VITALS_LEAST && n <= VITALS_POINTS);
	for (uint32_t i = 0; i < n; i += length) {
		uint32_t from = (uint32_t)rng_below(r, n);

		for (uint32_t k = 0; k < length && i + k < n; k++)
			x->v[i + k] = by * t[i + k] + x->off[(from + k) % n];
	}
}

int64_t vitals_whole(double v)
{
	if (v >= WHOLE_MOST)
		return INT64_MAX;
	return v <= -WHOLE_MOST ? INT64_MIN : (int64_t)v;
}

void vitals_grows(const struct vitals_series *s, double per, double least,
		  uint64_t seed, struct vitals_scratch *x,
		  struct vitals_growth *out)
{
	uint32_t from = s->n / 5, n = s->n - from;
	const double *t = s->t + from, *v = s->v + from;
	struct rng r = { seed };
	double by;

	*out = (struct vitals_growth){ .says = VITALS_TOO_FEW, .points = n };
	if (n < VITALS_LEAST)
		return;
	by = slope(t, v, n, x->pair);
	for (uint32_t i = 0; i < n; i++)
		x->off[i] = v[i] - by * t[i];
	for (unsigned i = 0; i < VITALS_RESAMPLES; i++) {
		draw(t, n, by, x, &r);
		x->by[i] = slope(t, x->v, n, x->pair);
	}
	out->by = by * per;
	out->low = select_value(x->by, VITALS_RESAMPLES, LOW) * per;
	out->high = select_value(x->by, VITALS_RESAMPLES, HIGH) * per;
	memcpy(x->v, v, n * sizeof(*v));
	out->level = select_value(x->v, n < 8 ? n : 8, n < 8 ? n / 2 : 4);
	out->adds = by * (t[n - 1] - t[0]);
	out->says = out->low > 0 && out->adds > least &&
				    out->adds * 100 > out->level * VITALS_SHARE
			    ? VITALS_LEAK
			    : VITALS_STEADY;
}
