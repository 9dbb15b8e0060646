/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gauge - How long both sides took, and whether that, and what differs, is
 * allowed
 *
 * See gauge.c, judge.c and gate.c.
 */
#ifndef GAUGE_GAUGE_H
#define GAUGE_GAUGE_H

#include "config/config.h"
#include "engine/engine.h"
#include "growth/growth.h"
#include "latency/latency.h"
#include "os/errbuf.h"
#include "os/maker.h"
#include "perf/perf.h"
#include "record/record.h"
#include "report/lines.h"
#include "report/report.h"
#include "rules/rules.h"

#define GAUGE_TEXT (64u << 10) /* room for any text */

struct gauge;

/**
 * struct gauge_sum - Answers: all, those that were compared, and of these the
 * different ones but for noise
 */
struct gauge_sum {
	uint64_t all;
	uint64_t compared;
	uint64_t different;
};

/** struct gauge_sums - Of a run, and of the endpoints of its rules */
struct gauge_sums {
	struct gauge_sum run;
	struct gauge_sum endpoint[RULES_ENDPOINTS];
};

/**
 * gauge_sums() - What an engine has counted
 *
 * At level none a capture without production's side tells what the SUT should
 * have answered all the same, every request: what it did not is different.
 */
void gauge_sums(struct gauge_sums *out, const struct engine *e,
		const struct options *o);

/**
 * gauge_open() - Take its memory, and make the file of --hdr
 * @maker:	Makes it; NULL: the process does
 *
 * Return: 0, or -Exxx with a sentence (@out untouched)
 */
int gauge_open(struct gauge **out, const struct options *o, uint64_t seed,
	       struct maker *maker, struct errbuf *e);

/** gauge_growth() - Take what the SUT's host told of it, before all is settled
 * @of:		Settled, and outlives it; NULL: nothing
 */
void gauge_growth(struct gauge *g, const struct growth_found *of);

/** gauge_exchange() - Count an exchange, and its times if they are asked for */
void gauge_exchange(struct gauge *g, const struct exchange_record *x);

/**
 * gauge_settle() - Judge what was measured; once, when no packet waits any more
 * @sums:	Of the whole run
 * @own:	What the instrument says of itself
 * @elapsed:	How long the run was, ns
 *
 * Writes the file of --hdr.
 */
void gauge_settle(struct gauge *g, const struct gauge_sums *sums,
		  const struct latencies *own, uint64_t elapsed);

/** gauge_end() - The same, of what an engine says */
void gauge_end(struct gauge *g, const struct engine *e, const struct options *o,
	       uint64_t elapsed);

/**
 * gauge_hopeless() - Which demand can not be met any more?
 * @sums:	So far
 *
 * May be asked at any time (gates/watch.c). Return: its name, or NULL
 */
const char *gauge_hopeless(struct gauge *g, const struct gauge_sums *sums);

/** gauge_text() - Of what was settled. Return: bytes of @out, GAUGE_TEXT at
 * most
 */
size_t gauge_text(struct gauge *g, char *out, size_t size);

/** gauge_lines() - The same as JSON lines, each handed to @put */
void gauge_lines(struct gauge *g,
		 void (*put)(void *ctx, const char *line, size_t n), void *ctx);

/** gauge_times() - Rows of times that were settled. Return: how many */
unsigned gauge_times(const struct gauge *g, const struct report_times **out);

/**
 * gauge_gates() - All that is demanded, and what came of it
 * @out:	GAUGE_GATES pointers, that live as long as @g
 *
 * Return: how many
 */
#define GAUGE_GATES (RULES_GATES + SLOWER_MAX + 3)
unsigned gauge_gates(const struct gauge *g, const struct report_gate **out);

/**
 * gauge_exit() - The exit code, where without gates it is @code; once settled
 */
int gauge_exit(const struct gauge *g, int code);

/** gauge_close() - End; NULL: nothing is done */
void gauge_close(struct gauge *g);

/** gate_leak() - What came of --max-leak, by growth in GROWTH_PER requests
 * @of:		NULL: nobody told
 * @limit:	Bytes a request
 */
void gate_leak(struct report_gate *out, const struct vitals_growth *of,
	       size_t limit);

/**
 * gate_slower() - What came of --max-slower
 * @row:	Times of the answers it is about
 * @error:	Of the instrument, ns
 */
void gate_slower(struct report_gate *out, const struct option_slower *limit,
		 const struct perf_row *row, uint64_t error);

#endif /* GAUGE_GAUGE_H */
