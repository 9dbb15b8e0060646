/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state - What a proxy shows of itself, or one of its workers
 */
#ifndef FACE_STATE_H
#define FACE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/ctl.h"
#include "ctl/metrics.h"
#include "dial/servers.h"
#include "face/counters.h"
#include "join/usplice.h"
#include "setup/setup.h"
#include "tap/tap.h"

#define FRONT_SERVERS (SETUP_LISTENERS * SERVERS_PLACES)
#define FRONT_GROUPS  6

/** struct front_server - A server; those of listener @l have numbers from @l *
 * SERVERS_PLACES on
 */
struct front_server {
	bool there;
	struct ipaddr ip;
	uint16_t port;
	struct server_counters n;
	struct front_server_gauges g;
};

/** struct front_state - All that is shown; @kernel and @tap are garbage without
 * @has_kernel and @has_tap
 */
struct front_state {
	struct front_counters n;
	struct front_gauges g;
	bool has_kernel;
	struct usplice_counters kernel;
	bool has_tap;
	struct tap_counters tap;
	struct front_server server[FRONT_SERVERS];
};

/**
 * struct front_view - Who looks at it
 * @look:	Bring @s up to now
 * @ctl, @metrics: Where they will be; either may be NULL then
 */
struct front_view {
	const struct setup *o;
	struct front_state *s;
	void (*look)(void *ctx);
	void *ctx;
	struct ctl *const *ctl;
	struct metrics *const *metrics;
};

/** front_groups - What a control socket shows; of each the context is a struct
 * front_view. The first one looks
 */
extern const struct ctl_group front_groups[FRONT_GROUPS];

/** front_count() - Fill in the gauges that follow from counters */
void front_count(struct front_state *s);

/**
 * front_sum() - Add what @from shows to @to
 *
 * A server of the same address and listener is the same one, whatever numbers
 * the two give it; one for which @to has no place is left out.
 */
void front_sum(struct front_state *to, const struct front_state *from);

/** front_print() - Print what was counted */
void front_print(const struct front_view *v);

/** front_say_start() - Say where clients come in, and how they are joined */
void front_say_start(const struct front_view *v);

#endif /* FACE_STATE_H */
