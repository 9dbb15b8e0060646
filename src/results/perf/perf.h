/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf - How long each side took, by endpoint, and by how much they differ
 *
 * See perf.c and settle.c.
 */
#ifndef PERF_PERF_H
#define PERF_PERF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

/* Groups of answers that are known apart: endpoints of the rules, or entries of
 * --map. What is beyond is counted together, in the last one ("other").
 */
#define PERF_GROUPS 16
#define PERF_OTHER  PERF_GROUPS
#define PERF_ALL    (PERF_GROUPS + 1) /* answers of all of them */
/* Blocks of time; full: two become one, and a block is twice as long. */
#define PERF_BLOCKS 64
#define PERF_BLOCK  (1000 * UINT64_C(1000000)) /* ns, at first */
/* Blocks with answers below which no interval is told. */
#define PERF_LEAST_BLOCKS 30
/* Pieces of 16 counters; full: a time is not counted (perf_lost()). */
#define PERF_CHUNKS 65535u
#define PERF_SPAN   40 /* bits of a value; what is above counts as the largest */

enum perf_side { PERF_PROD, PERF_SUT, PERF_BASELINE, PERF_SIDES };

/* What is measured; reports use these names. Service: from the hand-over of the
 * request. Response: from the capture of the client's request, so that waiting
 * for what a slow SUT has not done yet is in it.
 */
#define PERF_METRICS_LIST(X)                                                   \
	X(PERF_SERVICE_FIRST, "service_first")                                 \
	X(PERF_SERVICE_LAST, "service_last")                                   \
	X(PERF_RESPONSE_FIRST, "response_first")                               \
	X(PERF_RESPONSE_LAST, "response_last")                                 \
	X(PERF_THROUGHPUT, "throughput") /* bytes/s, first to last byte */

enum perf_metric {
#define X(id, name) id,
	PERF_METRICS_LIST(X)
#undef X
		PERF_METRICS
};

/** perf_metric_name() - As reports spell it */
const char *perf_metric_name(enum perf_metric m);

/* Quantiles that are told, in permille. */
#define PERF_QUANTILES 4
extern const unsigned perf_quantile[PERF_QUANTILES];

/**
 * struct perf_answer - An exchange's times
 * @map, @endpoint: Of what --map, and whose by the rules
 * @at:		When it was judged, ns; never goes back
 * @baseline:	[1] is the baseline's
 * @first, @last: ns from the request to the answer's first and last byte;
 *		0: not measured. [0] production
 * @waited:	From the capture of the request to its hand-over, ns; 0: not
 *		known, and the SUT's response is not counted
 * @bytes:	Of the answers
 */
struct perf_answer {
	uint32_t map;
	uint32_t endpoint;
	uint64_t at;
	bool baseline;
	uint64_t first[2];
	uint64_t last[2];
	uint64_t waited;
	uint64_t bytes[2];
};

struct perf;

/** perf_size() - Arena bytes that one takes */
size_t perf_size(void);

/** perf_init() - Make one. @seed: of its random numbers. Return: 0, -ENOMEM */
int perf_init(struct perf **out, struct arena *a, uint64_t seed);

/** perf_add() - Count an answer's times */
void perf_add(struct perf *p, const struct perf_answer *a);

/**
 * perf_value() - Count one value of one group, as perf_add() does of many; not
 * in PERF_ALL
 */
void perf_value(struct perf *p, uint32_t map, uint32_t endpoint, uint64_t at,
		enum perf_side side, enum perf_metric m, uint64_t v);

/** perf_lost() - Values that had no room */
uint64_t perf_lost(const struct perf *p);

/** perf_beyond() - Answers of groups that are not known apart */
uint64_t perf_beyond(const struct perf *p);

/**
 * perf_groups() - Numbers below it are groups, and PERF_OTHER is one if there
 * is something beyond
 */
uint32_t perf_groups(const struct perf *p);

/** struct perf_key - Whose answers a group has */
struct perf_key {
	uint32_t map;
	uint32_t endpoint;
};

/** perf_key() - Of a group that is neither PERF_OTHER nor PERF_ALL */
struct perf_key perf_key(const struct perf *p, uint32_t group);

/** perf_count() - Values of a series */
uint64_t perf_count(const struct perf *p, uint32_t group, enum perf_side side,
		    enum perf_metric m);

/* What can be said of a difference; reports use these names. */
#define PERF_SAYS_LIST(X)                                                      \
	X(PERF_TOO_FEW, "too_few")     /* answers, or blocks of time */        \
	X(PERF_ALIKE, "alike")	       /* its interval has 0 in it */          \
	X(PERF_WITHIN, "within_error") /* no larger than the instrument's */   \
	X(PERF_SLOWER, "slower")       /* the SUT, or its throughput less */   \
	X(PERF_FASTER, "faster")

enum perf_says {
#define X(id, name) id,
	PERF_SAYS_LIST(X)
#undef X
		PERF_SAYS
};

/** perf_says_name() - As reports spell it */
const char *perf_says_name(enum perf_says s);

/**
 * struct perf_quantiles - One quantile of both sides
 * @yard, @sut:	Of production or the baseline, and of the SUT; 0: too few
 * @by, @low, @high: SUT less yard, with its interval of 95 %; not if too few
 * @share, @share_low, @share_high: The same in 1/1000000 of the yard
 */
struct perf_quantiles {
	enum perf_says says;
	uint64_t yard;
	uint64_t sut;
	int64_t by;
	int64_t low;
	int64_t high;
	int64_t share;
	int64_t share_low;
	int64_t share_high;
};

/**
 * struct perf_row - A metric of a group
 * @yard:	PERF_PROD or PERF_BASELINE
 * @n:		Answers, of the yard and of the SUT
 * @blocks:	Blocks of time in which both answered
 */
struct perf_row {
	enum perf_side yard;
	uint64_t n[2];
	uint32_t blocks;
	struct perf_quantiles q[PERF_QUANTILES];
};

/**
 * perf_settle() - How a group's SUT differs from its yard
 * @error:	What the instrument may be wrong by, ns
 *
 * The yard is the baseline, if it answered, else production. It takes a while
 * (tens of ms), and the same values and seed give the same row.
 */
void perf_settle(struct perf *p, uint32_t group, enum perf_metric m,
		 uint64_t error, struct perf_row *out);

/**
 * perf_hdr() - A line of a log of HdrHistogram (V2, compressed, base64)
 * @tag:	Its tag; no comma, quote or blank
 * @from, @ns:	Since the log's start, and how long the interval is, ns
 *
 * A value is right in its first three digits. Return: bytes of @out; 0: no
 * room, or no value
 */
size_t perf_hdr(struct perf *p, uint32_t group, enum perf_side side,
		enum perf_metric m, const char *tag, uint64_t from, uint64_t ns,
		char *out, size_t size);

/* Room for any line of perf_hdr(). */
#define PERF_HDR_LINE (256u << 10)

/** perf_check() - For tests: assert what holds between two calls */
void perf_check(const struct perf *p);

#endif /* PERF_PERF_H */
