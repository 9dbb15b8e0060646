/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf_internal - What the files of perf share
 */
#ifndef PERF_PERF_INTERNAL_H
#define PERF_PERF_INTERNAL_H

#include "core/rng.h"
#include "perf/perf.h"

/* Counters are taken in pieces, so that a histogram costs what it spans. */
#define CHUNK_BITS 4
#define CHUNK	   (1u << CHUNK_BITS)

/* A block's: 32 buckets an octave. */
#define COARSE_BITS 5
#define COARSE	    ((PERF_SPAN - COARSE_BITS + 1u) << COARSE_BITS)
/* A whole run's: HdrHistogram's index for three digits, 1,024 an octave. */
#define FINE_BITS 10
#define FINE	  ((PERF_SPAN - FINE_BITS + 1u) << FINE_BITS)

/* Interval: so many resamples. */
#define RESAMPLES 2000

/** struct perf_chunk - 16 counters; a free one's first leads to the next */
struct perf_chunk {
	uint32_t n[CHUNK];
};

/**
 * struct perf_series - Values of a group, side and metric; 0 is no chunk
 * @n:		All of them
 * @block:	By time
 * @all:	Of all times, finer
 */
struct perf_series {
	uint64_t n;
	uint16_t block[PERF_BLOCKS][COARSE / CHUNK];
	uint16_t all[FINE / CHUNK];
};

struct perf_group {
	struct perf_key key;
	struct perf_series series[PERF_SIDES][PERF_METRICS];
};

/** struct perf_scratch - What settling works in */
struct perf_scratch {
	uint32_t count[2][PERF_BLOCKS][COARSE];
	uint64_t sum[2][COARSE];
	double by[PERF_QUANTILES][RESAMPLES];
	double share[PERF_QUANTILES][RESAMPLES];
	uint8_t packed[PERF_HDR_LINE / 2];
};

struct perf {
	struct rng rng;
	uint64_t seed;
	uint64_t begun; /* the first block; 0: there is none yet */
	uint64_t length;
	uint64_t lost;
	uint64_t beyond;
	uint32_t groups;
	uint32_t used; /* chunks that were ever in use; number 0 is none */
	uint32_t free; /* the first of those that are no more; 0: none */
	struct perf_chunk *chunk;
	struct perf_group *group;
	struct perf_scratch *scratch;
};

/** perf_bucket() - Of @v, with 2^@bits buckets an octave */
static inline uint32_t perf_bucket(uint64_t v, unsigned bits)
{
	unsigned shift;

	if (v >> PERF_SPAN)
		v = (UINT64_C(1) << PERF_SPAN) - 1;
	if (v >> bits == 0)
		return (uint32_t)v;
	shift = 63u - (unsigned)__builtin_clzll(v) - bits;
	return (uint32_t)((((uint64_t)shift + 1) << bits) +
			  ((v >> shift) - (UINT64_C(1) << bits)));
}

/** perf_bucket_low() - Its least value */
static inline uint64_t perf_bucket_low(uint32_t b, unsigned bits)
{
	uint32_t octave = b >> bits;
	uint64_t in = b & ((1u << bits) - 1);

	return octave == 0 ? in : ((UINT64_C(1) << bits) + in) << (octave - 1);
}

/** perf_series() - One of them; NULL: there is no such group */
struct perf_series *perf_series(const struct perf *p, uint32_t group,
				enum perf_side side, enum perf_metric m);

#endif /* PERF_PERF_INTERNAL_H */
