/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_rig - A store with something in each table, for tests of it
 */
#ifndef TEST_STORE_RIG_H
#define TEST_STORE_RIG_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"

/** struct store_rig - What a run might have found; @form points into it */
struct store_rig {
	struct report_map_sums sums[2];
	struct report_ruled ruled[2];
	struct report_rules rules;
	struct report_place place[2];
	struct report_gate gate[3];
	const struct report_gate *gates[3];
	struct report_times times[2];
	struct report_sum sum;
	struct report_data data;
	struct report_start start;
	struct report_map map[2];
	struct form form;
};

static inline struct report_endpoint store_rig_end(uint8_t last, uint16_t port)
{
	const uint8_t b[4] = { 10, 0, 0, last };

	return (struct report_endpoint){ ipaddr_from4(b), port };
}

static inline void store_rig_rest(struct store_rig *g)
{
	g->gate[0] = (struct report_gate){ .name = "--max-different 2",
					   .state = GATE_FAILED,
					   .unit = GATE_ANSWERS,
					   .limit = 2,
					   .at = 6 };
	g->gate[1] = (struct report_gate){ .name = "max-different 1%",
					   .endpoint = "fine",
					   .state = GATE_UNDECIDED,
					   .unit = GATE_SHARE,
					   .needs = 370,
					   .limit = 10000,
					   .high = 168434 };
	g->gate[2] = (struct report_gate){ .name = "--max-slower p99:10%",
					   .state = GATE_PASSED,
					   .unit = GATE_BY,
					   .limit = 100000,
					   .low = -70000,
					   .at = -20000,
					   .high = 30000 };
	for (unsigned i = 0; i < 3; i++)
		g->gates[i] = &g->gate[i];
	for (unsigned i = 0; i < 2; i++) {
		g->times[i] = (struct report_times){
			.name = i == 0 ? "*" : "fine",
			.production =
				i == 0 ? NULL : &g->sums[0].map.production,
			.metric = (enum perf_metric)i,
			.error = 47100,
			.row = { .yard = PERF_PROD,
				 .n = { 40000, 39999 },
				 .blocks = 60 }
		};
		for (unsigned q = 0; q < PERF_QUANTILES; q++)
			g->times[i].row.q[q] = (struct perf_quantiles){
				.says = q == 3 ? PERF_TOO_FEW : PERF_SLOWER,
				.yard = 1000000 + q,
				.sut = 1100000,
				.by = 100000,
				.low = -5,
				.high = 200000,
				.share = 100000,
				.share_low = -5,
				.share_high = 200000
			};
	}
}

static inline void store_rig_make(struct store_rig *g)
{
	*g = (struct store_rig){ .sum = { "sum", 7, 7 } };
	for (unsigned i = 0; i < 2; i++) {
		g->sums[i] = (struct report_map_sums){
			.map = { store_rig_end(10, 80),
				 store_rig_end((uint8_t)(20 + i), 80) },
			.baseline = i == 1,
			.verdicts = { 20, 3, 6, 1 }
		};
		g->map[i] = g->sums[i].map;
		g->ruled[i] = (struct report_ruled){
			.name = i == 0 ? "faults" : "fine",
			.verdicts = { 20, 3, 6 - i * 6, 1 }
		};
		g->place[i] = (struct report_place){
			.name = "GET /f",
			.name_len = 6,
			.reason = i == 0 ? REASON_STATUS : REASON_BODY,
			.kind = { .id = i * 7,
				  .place = "$.price",
				  .change = 2 },
			.n = 5 - i,
			.since = UINT64_C(1767225600000000000)
		};
	}
	store_rig_rest(g);
	g->rules =
		(struct report_rules){ .endpoint = g->ruled, .endpoints = 2 };
	g->data = (struct report_data){ .version = "0.1.0",
					.elapsed = UINT64_C(4800000000),
					.verdicts = { 40, 6, 12, 2 },
					.map = g->sums,
					.maps = 2,
					.place = g->place,
					.places = 2,
					.rules = &g->rules,
					.sums = &g->sum,
					.sum_count = 1 };
	g->start =
		(struct report_start){ .version = "0.1.0",
				       .command = "shadow",
				       .options = "--compare equivalent",
				       .started = UINT64_C(1767225600000000000),
				       .map = g->map,
				       .maps = 2 };
	g->form = (struct form){ .start = &g->start,
				 .data = &g->data,
				 .text = "DIFFERENT: 12 of 58\n! a warning\n\n"
					 "flows 1\n",
				 .code = 1,
				 .times = g->times,
				 .times_n = 2,
				 .gate = g->gates,
				 .gates = 3 };
}

/* Difference number @i: of five endpoints; each third is of a judge's kind. */
static inline void store_rig_difference(struct report_difference *d,
					struct compare_result *r, unsigned i)
{
	static const char *const request[] = {
		"GET /f?id=1 HTTP/1.1", "GET /g HTTP/1.1", "POST /h?x HTTP/1.1",
		"<script>alert(1)</script>", "\xff\x00\x01"
	};
	const char *line = request[i % 5];

	*r = (struct compare_result){
		.verdict = VERDICT_DIFFERENT,
		.reason = i % 2 == 0 ? REASON_STATUS : REASON_BODY,
		.reasons = reason_bit(i % 2 == 0 ? REASON_STATUS : REASON_BODY),
		.status = { 200, 500 },
		.bytes = { 812, 640 },
		.offset = i % 7 == 0 ? UINT64_MAX : i,
		.block = i,
		.evidence.kind = i % 3 == 0 ? 0x9f3a2c + i % 5 : 0
	};
	*d = (struct report_difference){
		.flow = i,
		.client = store_rig_end(2, (uint16_t)(1024 + i % 60000)),
		.production = store_rig_end(10, 80),
		.sut = store_rig_end(20, 80),
		.asked = UINT64_C(1767225600000000000) + i,
		.record = i % 4,
		.index = i % 9,
		.result = r,
		.detail = "$.price: 10.00 / 10.0",
		.request = line,
		.request_len = i % 5 == 4 ? 3 : strlen(line),
		.prod_ns = 812000,
		.sut_ns = 1020000
	};
}

/* A folder of its own in @path, which has room for 64 bytes. */
static inline void store_rig_folder(char path[64])
{
	const char *where = getenv("TMPDIR");

	snprintf(path, 64, "%.40s/store-XXXXXX", where ? where : "/tmp");
	if (!mkdtemp(path))
		abort();
}

static inline int store_rig_put(void *store, const void *p, size_t n)
{
	return store_row(store, p, n, 0);
}

/* All of @g and @n differences into @s. Return: 0 or -Exxx */
static inline int store_rig_fill(const struct store_rig *g, struct store *s,
				 unsigned n)
{
	static const char *const line[] = { "{\"type\":\"report\"}\n" };
	struct report_difference d;
	struct compare_result r;
	int rc;

	for (unsigned i = 0; i < n; i++) {
		store_rig_difference(&d, &r, i);
		store_difference(s, &d, i);
	}
	rc = store_start(&g->start, store_rig_put, s);
	return rc != 0 ? rc
		       : store_save(&g->form, 0, line, 1, store_rig_put, s);
}

static inline void store_rig_remove(const char *folder)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/" STORE_FILE, folder);
	(void)unlink(path);
	(void)rmdir(folder);
}

#endif /* TEST_STORE_RIG_H */
