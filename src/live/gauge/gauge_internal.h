/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gauge_internal - What the files of gauge share
 */
#ifndef GAUGE_GAUGE_INTERNAL_H
#define GAUGE_GAUGE_INTERNAL_H

#include "gates/gates.h"
#include "gauge/gauge.h"

#define GATE_NAME 48
#define ROWS_MAX  ((PERF_GROUPS + 2) * PERF_METRICS)

/**
 * struct gate - A demand
 * @told:	Somebody asked for it: it is in the report
 * @of:		Of the rules; its endpoint is RULES_ALL if it is the run's
 * @watch:	GATE_MAX_DIFFERENT by a share: whether there is hope
 * @is:		What came of it
 */
struct gate {
	bool told;
	struct rules_gate of;
	struct gates_watch watch;
	struct report_gate is;
	char name[GATE_NAME];
};

/**
 * struct gauge - All of it
 * @perf:	NULL: no times are asked for
 * @hdr:	NULL: there is no --hdr
 * @row, @group: Of the report, and which group of @perf each is
 * @growth:	NULL: nobody told
 * @blocks:	Different answers of those compared, by endpoint; of the run
 *		that is RULES_ALL
 */
struct gauge {
	const struct options *opt;
	struct arena mem;
	struct perf *perf;
	struct lines *hdr;
	struct report_endpoint production[PERF_GROUPS];
	struct report_times row[ROWS_MAX];
	uint32_t group[ROWS_MAX];
	unsigned rows;
	struct gate gate[GAUGE_GATES];
	uint32_t gates;
	const struct growth_found *growth;
	struct gates_blocks blocks[RULES_ENDPOINTS];
	char line[PERF_HDR_LINE];
};

/** judge_open() - Which demands there are */
void judge_open(struct gauge *g);

/** judge_exchange() - Count an exchange for what is demanded */
void judge_exchange(struct gauge *g, const struct exchange_record *x);

/** judge_settle() - Judge all, once the rows are made */
void judge_settle(struct gauge *g, const struct gauge_sums *sums);

#endif /* GAUGE_GAUGE_INTERNAL_H */
