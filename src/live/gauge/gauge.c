/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gauge.c - What a run measures beside verdicts
 *
 * The packet thread counts each exchange's times (perf_add()) and adds its
 * verdict to what is demanded (judge.c): no interval is computed, and nothing
 * is written, before the last packet was played. All memory is taken at start.
 *
 * The instrument's own error. Stamps of what comes are the kernel's, and what
 * is sent is stamped when it is handed to the wire; between that and the wire
 * lies what nobody stamps. It is taken to be no more than what lies between a
 * client's capture and the hand-over in half of the cases. A response begins
 * with that capture, so that all of our own delay is in it, and its error is
 * what this varies by. Of captures neither is known.
 */
#include "gauge/gauge_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/histogram.h"
#include "os/log.h"
#include "os/mem.h"

/* Bytes of lines that wait for the disk; full: they are lost, and it is said */
#define HDR_RING (4u << 20)
#define HDR_HEAD                                                               \
	"#[Histogram log format version 1.3]\n"                                \
	"#[Values are ns, or bytes/s of throughput]\n"                         \
	"\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","             \
	"\"Interval_Compressed_Histogram\"\n"

/* Is anything asked of times? */
static bool times_wanted(const struct options *o)
{
	const struct rules_gate *gate[RULES_GATES];
	uint32_t n = o->engine.by ? rules_gates(o->engine.by, gate) : 0;

	for (uint32_t i = 0; i < n; i++)
		if (gate[i]->verb == GATE_MAX_SLOWER)
			return true;
	return o->perf || o->hdr || o->slowers > 0;
}

static int open_hdr(struct gauge *g, struct maker *maker, struct errbuf *e)
{
	char err[LINES_ERR];
	int r;

	if (!g->opt->hdr)
		return 0;
	r = lines_open(&g->hdr, g->opt->hdr, maker, HDR_RING, err);
	return r != 0 ? errbuf_set(e, r, "%s", err) : 0;
}

static int open_times(struct gauge *g, uint64_t seed, struct maker *maker,
		      struct errbuf *e)
{
	int r = mem_take(&g->mem, perf_size(), 0);

	if (r == 0)
		r = perf_init(&g->perf, &g->mem, seed);
	if (r != 0)
		return errbuf_set(e, r,
				  "no memory for %zu MB of times; drop --perf, "
				  "--hdr and --max-slower",
				  perf_size() >> 20);
	return open_hdr(g, maker, e);
}

int gauge_open(struct gauge **out, const struct options *o, uint64_t seed,
	       struct maker *maker, struct errbuf *e)
{
	struct gauge *g = calloc(1, sizeof(*g));
	int r = 0;

	if (!g)
		return errbuf_set(e, -ENOMEM, "no memory");
	g->opt = o;
	judge_open(g);
	if (times_wanted(o))
		r = open_times(g, seed, maker, e);
	if (r != 0) {
		gauge_close(g);
		return r;
	}
	*out = g;
	return 0;
}

void gauge_growth(struct gauge *g, const struct growth_found *of)
{
	g->growth = of;
}

void gauge_exchange(struct gauge *g, const struct exchange_record *x)
{
	struct perf_answer a = {
		.map = x->map,
		.endpoint = x->endpoint,
		.at = x->judged,
		.baseline = x->baseline,
		.first = { x->first_ns[0], x->first_ns[1] },
		.last = { x->last_ns[0], x->last_ns[1] },
		.waited = (uint64_t)x->waited_us * NS_PER_US,
		.bytes = { x->bytes[0], x->bytes[1] },
	};

	judge_exchange(g, x);
	if (!g->perf)
		return;
	/* Each --map has its baseline's behind all others. */
	if (x->baseline)
		a.map -= g->opt->engine.maps / 2;
	perf_add(g->perf, &a);
}

/* --- what came of it --- */

static uint64_t error_of(const struct latencies *own, enum perf_metric m)
{
	const struct histogram *h = &own->own;

	if (h->count == 0 || m == PERF_THROUGHPUT)
		return 0;
	if (m == PERF_RESPONSE_FIRST || m == PERF_RESPONSE_LAST)
		return hist_quantile(h, 990) - h->min;
	return hist_quantile(h, 500);
}

static const char *name_of(const struct gauge *g, uint32_t group)
{
	if (group == PERF_ALL)
		return "*";
	if (group == PERF_OTHER)
		return "other";
	if (!g->opt->engine.by)
		return "*";
	return rules_name(g->opt->engine.by, perf_key(g->perf, group).endpoint);
}

static void settle_group(struct gauge *g, uint32_t group,
			 const struct latencies *own)
{
	for (unsigned i = 0; i < PERF_METRICS; i++) {
		enum perf_metric m = (enum perf_metric)i;
		struct report_times *r = &g->row[g->rows];

		if (perf_count(g->perf, group, PERF_SUT, m) == 0)
			continue;
		*r = (struct report_times){ .name = name_of(g, group),
					    .metric = m,
					    .error = error_of(own, m) };
		if (group < PERF_GROUPS)
			r->production = &g->production[group];
		perf_settle(g->perf, group, m, r->error, &r->row);
		g->group[g->rows++] = group;
	}
}

static void write_hdr(struct gauge *g, uint64_t elapsed)
{
	static const char *const side[] = { "production", "sut", "baseline" };
	char tag[128];
	size_t n;

	lines_write(g->hdr, HDR_HEAD, strlen(HDR_HEAD));
	for (unsigned i = 0; i < PERF_SIDES * PERF_METRICS; i++) {
		enum perf_metric m = (enum perf_metric)(i / PERF_SIDES);
		enum perf_side who = (enum perf_side)(i % PERF_SIDES);

		for (uint32_t group = 0; group <= PERF_ALL; group++) {
			if (perf_count(g->perf, group, who, m) == 0)
				continue;
			snprintf(tag, sizeof(tag), "%s.%s.%s",
				 group == PERF_ALL ? "all" : name_of(g, group),
				 side[who], perf_metric_name(m));
			n = perf_hdr(g->perf, group, who, m, tag, 0, elapsed,
				     g->line, sizeof(g->line));
			if (n > 0)
				lines_write(g->hdr, g->line, n);
		}
	}
}

static void settle_times(struct gauge *g, const struct latencies *own)
{
	uint32_t groups = perf_groups(g->perf);

	for (uint32_t i = 0; i < groups; i++) {
		uint32_t map = perf_key(g->perf, i).map;
		const struct engine_map *m = &g->opt->engine.map[map];

		g->production[i] =
			(struct report_endpoint){ m->prod, m->prod_port };
	}
	settle_group(g, PERF_ALL, own);
	for (uint32_t i = 0; groups > 1 && i < groups; i++)
		settle_group(g, i, own);
	if (groups > 1)
		settle_group(g, PERF_OTHER, own);
}

void gauge_settle(struct gauge *g, const struct gauge_sums *sums,
		  const struct latencies *own, uint64_t elapsed)
{
	g->rows = 0;
	if (g->perf)
		settle_times(g, own);
	judge_settle(g, sums);
	if (g->hdr)
		write_hdr(g, elapsed);
}

void gauge_end(struct gauge *g, const struct engine *e, const struct options *o,
	       uint64_t elapsed)
{
	static struct latencies own;
	static struct gauge_sums sums;

	engine_latencies(e, &own);
	gauge_sums(&sums, e, o);
	gauge_settle(g, &sums, &own, elapsed);
}

size_t gauge_text(struct gauge *g, char *out, size_t size)
{
	size_t n = report_text_times(out, size, g->row, g->rows);

	if (g->growth)
		n += growth_text(g->growth, out + n, size - n);
	for (uint32_t i = 0; i < g->gates; i++)
		if (g->gate[i].told)
			n += report_text_gate(out + n, size - n,
					      &g->gate[i].is);
	return n;
}

void gauge_lines(struct gauge *g,
		 void (*put)(void *ctx, const char *line, size_t n), void *ctx)
{
	size_t n;

	if (g->growth) {
		n = growth_json(g->growth, g->line, sizeof(g->line));
		put(ctx, g->line, n);
	}
	for (unsigned i = 0; i < g->rows; i++) {
		n = report_json_times(g->line, sizeof(g->line), &g->row[i]);
		put(ctx, g->line, n);
	}
	for (uint32_t i = 0; i < g->gates; i++) {
		if (!g->gate[i].told)
			continue;
		n = report_json_gate(g->line, sizeof(g->line), &g->gate[i].is);
		put(ctx, g->line, n);
	}
}

unsigned gauge_times(const struct gauge *g, const struct report_times **out)
{
	*out = g->row;
	return g->rows;
}

void gauge_close(struct gauge *g)
{
	uint64_t lost = 0;

	if (!g)
		return;
	if (g->hdr && (lines_close(g->hdr, &lost) != 0 || lost > 0))
		log_line(LOG_WARN, "%s: not all of it could be written",
			 g->opt->hdr);
	mem_give(&g->mem);
	free(g);
}
