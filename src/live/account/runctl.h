/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runctl - A run is asked and told while it goes on: its control socket
 */
#ifndef ACCOUNT_RUNCTL_H
#define ACCOUNT_RUNCTL_H

#include <stdbool.h>
#include <stdint.h>

#include "account/prometheus.h"
#include "config/config.h"
#include "engine/engine.h"
#include "os/errbuf.h"
#include "os/loop.h"
#include "redact/redact.h"

/* Events of answers and flows in a second; more are counted (left_out): a SUT
 * that answers all wrongly must not cost the packet thread a write for each.
 */
#define RUNCTL_EVENTS 100

#define RUNCTL_COUNTERS(X, T)                                                  \
	X(T, told, "", "differences and the like that were told as events")    \
	X(T, left_out, "", "of more than 100 a second, not told as events")

struct runctl_counters {
	RUNCTL_COUNTERS(COUNTER_MEMBER, )
};

extern const struct counter_list runctl_counter_list;

/**
 * struct runctl_config - Whose it is
 * @path:	Where the socket is made
 * @loop:	In which it is served; it must outlive it
 * @opt:	What get and set are of; the run reads them where it needs them
 * @redact:	What is redacted of captured bytes; borrowed
 * @has_ring:	There is a mirror's, and a SUT's
 * @copy:	Counters as of now
 * @report:	Print a report
 * @stop:	End the run, soon
 * @ctx:	Of these
 */
struct runctl_config {
	const char *path;
	struct loop *loop;
	struct options *opt;
	const struct redact *redact;
	bool has_ring[2];
	void (*copy)(void *ctx, struct prom_copy *out);
	void (*report)(void *ctx);
	void (*stop)(void *ctx);
	void *ctx;
};

struct runctl;

/**
 * runctl_open() - Make the socket
 * @c:		Copied
 *
 * Return: 0 or -Exxx with a sentence; runctl_close() takes it back, but not
 * the socket's file
 */
int runctl_open(struct runctl **out, const struct runctl_config *c,
		struct errbuf *e);

/** runctl_close() - Tell of the end, and close. NULL: nothing */
void runctl_close(struct runctl *c);

/** runctl_fd() - For SANDBOX_CONTROL; NULL: -1 */
int runctl_fd(const struct runctl *c);

/**
 * runctl_turn() - Turn the loop once: answer who asks, and wait for nobody.
 * NULL: nothing
 */
void runctl_turn(struct runctl *c);

/**
 * runctl_item() - Tell who watches what came out of the engine at @now
 *
 * Of exchanges those that are reported. NULL: nothing
 */
void runctl_item(struct runctl *c, const struct engine_item *t, uint64_t now);

/** runctl_link() - Tell that an interface is down, or up. NULL: nothing */
void runctl_link(struct runctl *c, const char *name, bool down);

#endif /* ACCOUNT_RUNCTL_H */
