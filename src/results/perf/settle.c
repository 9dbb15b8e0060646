/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settle.c - Is the SUT slower, and how sure is that?
 *
 * Theory of operation
 *
 * The difference of a quantile of the SUT's and the yard's answers is a number
 * that would be another one had the run been at another time. How much another,
 * a stationary block bootstrap tells (Politis and Romano, "The Stationary
 * Bootstrap", 1994): the run is put together again RESAMPLES times, of
 * stretches of its own blocks of time, each of random length, of both sides
 * alike, so that what both had in common, as load, stays in common. How long a
 * stretch is on average follows from how much the median of a block tells of
 * the next one's (Carlstein's rule for a first-order series).
 *
 * The interval is where the middle 95 % of these lie, wider by what so few
 * blocks do not show: a resample of n blocks spreads less than the runs that it
 * stands for, the more so, the longer its stretches are. Tests hold it to
 * series without a difference.
 *
 * With fewer than PERF_LEAST_BLOCKS blocks in which both sides answered, or
 * fewer than 10 / (1 - q) answers of a side, nothing is told. What is no larger
 * than the error of the instrument is no difference.
 *
 * Within a bucket values are taken to lie evenly.
 */
#include <assert.h>
#include <string.h>

#include "perf/perf_internal.h"

#define LEAST_BEYOND 10 /* answers above a quantile */
#define LOWEST	     (RESAMPLES / 40)
#define HIGHEST	     (RESAMPLES - 1 - RESAMPLES / 40)

/**
 * struct span - Buckets that are not empty, and the blocks that are used
 * @stretch:	Mean length of what is drawn, blocks
 * @wider:	How much wider than the resamples the interval is
 */
struct span {
	uint32_t from;
	uint32_t to;
	uint32_t blocks;
	double stretch;
	double wider;
};

/* --- blocks, laid out --- */

static uint64_t lay_out(struct perf *p, const uint16_t *index, uint32_t *out,
			struct span *s)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < COARSE / CHUNK; i++) {
		const uint32_t *c = p->chunk[index[i]].n;

		for (uint32_t k = 0; k < CHUNK; k++) {
			uint32_t b = i * CHUNK + k;

			out[b] = index[i] == 0 ? 0 : c[k];
			n += out[b];
			if (out[b] > 0 && b < s->from)
				s->from = b;
			if (out[b] > 0 && b >= s->to)
				s->to = b + 1;
		}
	}
	return n;
}

/* Blocks in which both answered; one more is written over. */
static void lay_blocks(struct perf *p, const struct perf_series *yard,
		       const struct perf_series *sut, struct span *s)
{
	struct perf_scratch *x = p->scratch;

	*s = (struct span){ .from = COARSE };
	for (uint32_t b = 0; b < PERF_BLOCKS; b++) {
		struct span was = *s;
		uint32_t *y = x->count[0][s->blocks];
		uint32_t *u = x->count[1][s->blocks];

		if (lay_out(p, yard->block[b], y, s) > 0 &&
		    lay_out(p, sut->block[b], u, s) > 0)
			s->blocks++;
		else
			*s = was;
	}
}

/* --- quantiles --- */

/* Of counts, u32 or u64: where @rank of @n values lie below. */
static double place(uint32_t b, double in)
{
	double low = (double)perf_bucket_low(b, COARSE_BITS);
	double high = (double)perf_bucket_low(b + 1, COARSE_BITS);

	return low + (high - low) * in;
}

static double quantile(const uint64_t *c, const struct span *s,
		       unsigned permille)
{
	uint64_t n = 0;
	uint64_t below = 0;
	double rank;

	for (uint32_t b = s->from; b < s->to; b++)
		n += c[b];
	rank = (double)n * permille / 1000;
	for (uint32_t b = s->from; b < s->to; b++) {
		if (c[b] > 0 && (double)(below + c[b]) >= rank)
			return place(b, (rank - (double)below) / (double)c[b]);
		below += c[b];
	}
	return 0;
}

static double median(const uint32_t *c, const struct span *s, uint64_t *sum)
{
	for (uint32_t b = s->from; b < s->to; b++)
		sum[b] = c[b];
	return quantile(sum, s, 500);
}

/* --- how long stretches are --- */

static double cube_root(double v)
{
	double r = v > 1 ? v : 1;

	for (unsigned i = 0; i < 64; i++)
		r = (2 * r + v / (r * r)) / 3;
	return r;
}

/* How much a block's @v tells of the next one's, 0 to 0.9. Of n blocks it comes
 * out too low by (1 + 3 rho) / n (Kendall, "Note on Bias in the Estimation of
 * Autocorrelation", 1954).
 */
static double correlation(const double *v, uint32_t n)
{
	double mean = 0, with = 0, all = 0, rho;

	for (uint32_t i = 0; i < n; i++)
		mean += v[i] / n;
	for (uint32_t i = 0; i < n; i++) {
		all += (v[i] - mean) * (v[i] - mean);
		if (i > 0)
			with += (v[i] - mean) * (v[i - 1] - mean);
	}
	if (all <= 0)
		return 0;
	rho = (with / all + 1.0 / n) / (1 - 3.0 / n);
	if (rho < 0)
		return 0;
	return rho < 0.9 ? rho : 0.9;
}

/* How much more a mean of a first-order series spreads than one of numbers that
 * know nothing of each other: variance.
 */
static double spread(double rho)
{
	return (1 + rho) / (1 - rho);
}

static double square_root(double v)
{
	double r = v;

	for (unsigned i = 0; i < 32; i++)
		r = (r + v / r) / 2;
	return r;
}

/* A stretch forgets what the block before it had to tell, so resamples spread
 * less than runs; and few blocks tell little of how they spread.
 */
static void choose_stretch(struct perf_scratch *x, struct span *s)
{
	double by[PERF_BLOCKS];
	double rho, length, most = s->blocks / 4.0;

	for (uint32_t b = 0; b < s->blocks; b++) {
		by[b] = median(x->count[1][b], s, x->sum[1]);
		by[b] -= median(x->count[0][b], s, x->sum[0]);
	}
	rho = correlation(by, s->blocks);
	length = 6 * rho * rho / ((1 - rho * rho) * (1 - rho * rho));
	length = cube_root(length * s->blocks);
	length = length < 1 ? 1 : length < most ? length : most;
	s->stretch = length;
	s->wider = square_root(spread(rho) / spread(rho * (1 - 1 / length))) *
		   (1 + 2 * length / s->blocks);
}

/* --- resamples --- */

static void draw(struct perf *p, const struct span *s, uint32_t *times)
{
	uint32_t goes_on = (uint32_t)((1 - 1 / s->stretch) * (1u << 16));
	uint32_t at = rng_below(&p->rng, s->blocks);

	memset(times, 0, PERF_BLOCKS * sizeof(*times));
	for (uint32_t i = 0; i < s->blocks; i++) {
		times[at]++;
		if (rng_below(&p->rng, 1u << 16) < goes_on)
			at = (at + 1) % s->blocks;
		else
			at = rng_below(&p->rng, s->blocks);
	}
}

static void sum_up(struct perf_scratch *x, const struct span *s,
		   const uint32_t *times)
{
	for (unsigned side = 0; side < 2; side++) {
		uint64_t *sum = x->sum[side];

		memset(sum + s->from, 0, (s->to - s->from) * sizeof(*sum));
		for (uint32_t b = 0; b < s->blocks; b++) {
			const uint32_t *c = x->count[side][b];

			if (times[b] == 0)
				continue;
			for (uint32_t k = s->from; k < s->to; k++)
				sum[k] += (uint64_t)c[k] * times[b];
		}
	}
}

static void resample(struct perf *p, const struct span *s)
{
	struct perf_scratch *x = p->scratch;
	uint32_t times[PERF_BLOCKS];

	for (uint32_t i = 0; i < RESAMPLES; i++) {
		draw(p, s, times);
		sum_up(x, s, times);
		for (unsigned q = 0; q < PERF_QUANTILES; q++) {
			double yard = quantile(x->sum[0], s, perf_quantile[q]);
			double sut = quantile(x->sum[1], s, perf_quantile[q]);

			x->by[q][i] = sut - yard;
			x->share[q][i] = yard > 0 ? sut / yard - 1 : 0;
		}
	}
}

static void sort(double *v, uint32_t n)
{
	for (uint32_t gap = n / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
		for (uint32_t i = gap; i < n; i++) {
			double x = v[i];
			uint32_t k = i;

			for (; k >= gap && v[k - gap] > x; k -= gap)
				v[k] = v[k - gap];
			v[k] = x;
		}
}

/* --- intervals --- */

static int64_t whole(double v)
{
	return (int64_t)(v < 0 ? v - 0.5 : v + 0.5);
}

/* The middle of @v, and wider about @at by what few blocks hide. */
static void interval(double *v, double at, const struct span *s, int64_t *low,
		     int64_t *high)
{
	double from, to;

	sort(v, RESAMPLES);
	from = v[LOWEST] < at ? v[LOWEST] : at;
	to = v[HIGHEST] > at ? v[HIGHEST] : at;
	*low = whole(at - (at - from) * s->wider);
	*high = whole(at + (to - at) * s->wider);
}

static enum perf_says says(const struct perf_quantiles *q, enum perf_metric m,
			   uint64_t error)
{
	bool more = q->low > 0;

	if (q->low <= 0 && q->high >= 0)
		return PERF_ALIKE;
	if (m == PERF_THROUGHPUT)
		return more ? PERF_FASTER : PERF_SLOWER;
	if ((uint64_t)(q->by < 0 ? -q->by : q->by) <= error)
		return PERF_WITHIN;
	return more ? PERF_SLOWER : PERF_FASTER;
}

static bool too_few(const struct perf_row *r, unsigned permille)
{
	uint64_t least = LEAST_BEYOND * 1000 / (1000 - permille);

	return r->blocks < PERF_LEAST_BLOCKS || r->n[0] < least ||
	       r->n[1] < least;
}

static void settle_quantile(struct perf *p, const struct span *s, unsigned i,
			    struct perf_quantiles *q)
{
	struct perf_scratch *x = p->scratch;
	double yard = quantile(x->sum[0], s, perf_quantile[i]);
	double sut = quantile(x->sum[1], s, perf_quantile[i]);
	double share = yard > 0 ? sut / yard - 1 : 0;

	q->yard = (uint64_t)yard;
	q->sut = (uint64_t)sut;
	q->by = whole(sut - yard);
	q->share = whole(share * 1e6);
	interval(x->by[i], sut - yard, s, &q->low, &q->high);
	for (uint32_t k = 0; k < RESAMPLES; k++)
		x->share[i][k] *= 1e6;
	interval(x->share[i], share * 1e6, s, &q->share_low, &q->share_high);
}

void perf_settle(struct perf *p, uint32_t group, enum perf_metric m,
		 uint64_t error, struct perf_row *out)
{
	const struct perf_series *yard;
	uint32_t once[PERF_BLOCKS];
	struct span s;

	*out = (struct perf_row){ .yard = PERF_BASELINE };
	if (perf_count(p, group, PERF_BASELINE, m) == 0)
		out->yard = PERF_PROD;
	yard = perf_series(p, group, out->yard, m);
	lay_blocks(p, yard, perf_series(p, group, PERF_SUT, m), &s);
	out->n[0] = yard->n;
	out->n[1] = perf_count(p, group, PERF_SUT, m);
	out->blocks = s.blocks;
	if (too_few(out, perf_quantile[0]))
		return;
	choose_stretch(p->scratch, &s);
	p->rng.s = p->seed + group * PERF_METRICS + m;
	resample(p, &s);
	for (uint32_t b = 0; b < PERF_BLOCKS; b++)
		once[b] = 1;
	sum_up(p->scratch, &s, once);
	for (unsigned i = 0; i < PERF_QUANTILES; i++) {
		if (too_few(out, perf_quantile[i]))
			continue;
		settle_quantile(p, &s, i, &out->q[i]);
		out->q[i].says = says(&out->q[i], m, error);
	}
}
