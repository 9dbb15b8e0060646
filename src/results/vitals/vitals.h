/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vitals - How a process fares over time
 *
 * See series.c, proc.c and line.c.
 */
#ifndef VITALS_VITALS_H
#define VITALS_VITALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Points of a series; full: two become one. */
#define VITALS_POINTS 128u
/* Points behind the first fifth below which nothing is told. */
#define VITALS_LEAST 24u
/* A leak adds at least so much of what there was, in 1/100. */
#define VITALS_SHARE 5

/**
 * struct vitals_series - A value over time; zeroes at first
 * @begun:	Time of the first value, ns
 * @each:	Values that make a point
 * @have, @t_sum, @v_sum: Of the next point
 * @n, @t, @v:	Points: seconds since @begun, and the mean of their values
 */
struct vitals_series {
	uint64_t begun;
	uint32_t each;
	uint32_t have;
	double t_sum;
	double v_sum;
	uint32_t n;
	double t[VITALS_POINTS];
	double v[VITALS_POINTS];
};

/** vitals_add() - A value; @now: ns, never goes back */
void vitals_add(struct vitals_series *s, uint64_t now, uint64_t value);

/* What is said of growth; reports use these names. */
#define VITALS_SAYS_LIST(X)                                                    \
	X(VITALS_TOO_FEW, "too_few")                                           \
	X(VITALS_STEADY, "steady")                                             \
	X(VITALS_LEAK, "leak")

enum vitals_says {
#define X(id, name) id,
	VITALS_SAYS_LIST(X)
#undef X
		VITALS_SAYS
};

/** vitals_says_name() - As reports spell it */
const char *vitals_says_name(enum vitals_says s);

/**
 * struct vitals_growth - How a value grows
 * @by, @low, @high: In what vitals_grows() was told, with its interval of
 *		95 %; 0 if too few
 * @adds:	Over the time that was looked at
 * @level:	What there was
 * @points:	That were looked at
 */
struct vitals_growth {
	enum vitals_says says;
	double by;
	double low;
	double high;
	double adds;
	double level;
	uint32_t points;
};

#define VITALS_PAIRS	 (VITALS_POINTS * (VITALS_POINTS - 1) / 2)
#define VITALS_RESAMPLES 300

/** struct vitals_scratch - What it is reckoned in */
struct vitals_scratch {
	double pair[VITALS_PAIRS];
	double off[VITALS_POINTS];
	double v[VITALS_POINTS];
	double by[VITALS_RESAMPLES];
};

/**
 * vitals_grows() - How does it grow?
 * @per:	In so many seconds, or what else its time counts
 * @least:	What a leak adds at least, in the value's unit
 * @seed:	Of the random numbers
 */
void vitals_grows(const struct vitals_series *s, double per, double least,
		  uint64_t seed, struct vitals_scratch *x,
		  struct vitals_growth *out);

#define VITALS_HOUR 3600.0 /* seconds */
/* What a leak adds at least, of memory and of open files. */
#define VITALS_LEAK_BYTES 8e6
#define VITALS_LEAK_FDS	  10.0

/** vitals_whole() - A number that may be any as one of 64 bits, at its ends */
int64_t vitals_whole(double v);

#define VITALS_SCHEMA 1		 /* of the lines of understudy vitals */
#define VITALS_LINE   1024u	 /* longest of them, its end included */
#define VITALS_UNSEEN UINT64_MAX /* @fds: nobody may see them */

/** struct vitals_look - What such a line says; see man understudy-vitals */
struct vitals_look {
	uint64_t rss;
	uint64_t fds;
	uint64_t threads;
	uint64_t cpu_us;
	uint64_t restarts;
};

/**
 * vitals_line() - Read one
 * @p, @n:	Any bytes; a newline at the end may be there
 *
 * Return: 0, -ENOMSG (JSON, and of another kind), -EINVAL (@out untouched)
 */
int vitals_line(struct vitals_look *out, const char *p, size_t n);

/**
 * struct vitals_stat - What /proc/PID/stat says
 * @ticks:	Processor time, user and system, in clock ticks
 * @start:	When it was started, in clock ticks since boot
 * @pages:	Resident
 */
struct vitals_stat {
	uint64_t ticks;
	uint64_t threads;
	uint64_t start;
	uint64_t pages;
};

/**
 * vitals_stat() - Read it (proc(5))
 * @p, @n:	The file; a process may call itself what it likes
 *
 * Return: 0, or -EINVAL (@out untouched)
 */
int vitals_stat(struct vitals_stat *out, const char *p, size_t n);

#endif /* VITALS_VITALS_H */
