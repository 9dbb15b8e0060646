/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prometheus - What a run counts, in a file for Prometheus
 */
#ifndef ACCOUNT_PROMETHEUS_H
#define ACCOUNT_PROMETHEUS_H

#include <stdint.h>

#include "capture/ring.h"
#include "ctl/ctl.h"
#include "dgram/udp.h"
#include "emit/sink.h"
#include "engine/engine.h"
#include "os/maker.h"
#include "shadow/counters.h"

#define PROM_EVERY (10 * NS_PER_SEC)

/** struct prom_answers - Verdicts by name */
struct prom_answers {
	uint64_t identical;
	uint64_t equivalent;
	uint64_t different;
	uint64_t not_compared;
};

/** struct prom_now - What goes up and down */
struct prom_now {
	uint64_t flows;
	uint64_t pool_used;
	uint64_t pool;
	uint64_t datagrams_open;
	uint64_t timers;
	uint64_t copies_lost;
};

/** struct prom_copy - Counters of a run at one moment */
struct prom_copy {
	struct prom_now now;
	struct prom_answers answers;
	uint64_t different[REASON_COUNT];
	uint64_t not_compared[REASON_COUNT];
	struct shadow_counters machine;
	struct engine_counters frames;
	struct udp_counters datagrams;
	struct sink_stats sink;
	struct ring_stats ring[2]; /* mirror's, SUT's */
	bool has_ring[2];
};

#define PROM_GROUPS 10 /* at most */

/**
 * struct prom_view - The groups of counters that a run has
 *
 * Their ctx is a struct prom_copy.
 */
struct prom_view {
	struct ctl_group group[PROM_GROUPS];
	size_t groups;
};

/** prom_view() - Which there are; @has_ring as of the copies to come */
void prom_view(struct prom_view *v, const bool has_ring[2]);

/**
 * prom_text() - As node_exporter's textfile collector reads it
 *
 * Prometheus's text format 0.0.4. Return: its length; 0: no room
 */
size_t prom_text(struct prom_copy *c, char *out, size_t size);

struct prom;

/**
 * prom_open() - Begin to write
 * @path:	Replaced each time; a file beside it, with a 1 behind its name,
 *		is made and takes its name
 * @maker:	Who makes it; NULL: the process itself
 *
 * Return: 0 or -Exxx
 */
int prom_open(struct prom **out, const char *path, struct maker *maker);

/** prom_put() - Write these counters, soon; what has no room is lost, and
 * counted: the next copy says it
 */
void prom_put(struct prom *m, const struct prom_copy *c);

/** prom_lost() - Copies that had no room */
uint64_t prom_lost(const struct prom *m);

/**
 * prom_close() - Write what was put, and end
 *
 * NULL: nothing is done. Return: 0, or the first error
 */
int prom_close(struct prom *m);

#endif /* ACCOUNT_PROMETHEUS_H */
