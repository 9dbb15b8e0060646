/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics - What a control socket shows, for Prometheus to fetch over HTTP
 *
 * A listener in the loop of a process; whoever reaches it may read, so it is of
 * this host's loopback unless its user wants more. A process whose own loop is
 * another one gives it a loop and turns it (loop_wait()) now and then.
 */
#ifndef CTL_METRICS_H
#define CTL_METRICS_H

#include <stdint.h>

#include "core/arena.h"
#include "core/counters.h"
#include "core/ipaddr.h"
#include "ctl/ctl.h"
#include "os/errbuf.h"
#include "os/loop.h"

#define METRICS_CLIENTS 4 /* at a time; full: who came first is closed (full) */
#define METRICS_ANSWER	(CTL_ANSWER + 1024) /* longer: 500 (no_room) */
/* Bytes that are read of a client behind his request, before he is closed. */
#define METRICS_BEHIND 65536

#define METRICS_COUNTERS(X, T)                                                 \
	X(T, clients, "", "clients that were taken")                           \
	X(T, given, "", "of these, who were given the metrics")                \
	X(T, refused, "", "of these, who asked for something else")            \
	X(T, full, "", "of these, closed for another one to come")             \
	X(T, no_room, "", "answers that were too long to be given")

struct metrics_counters {
	METRICS_COUNTERS(COUNTER_MEMBER, )
};

extern const struct counter_list metrics_counter_list;

struct metrics;

/** metrics_size() - Arena bytes */
size_t metrics_size(void);

/**
 * metrics_open() - Listen
 * @out:	In the arena
 * @shown:	Copied; what it points to is borrowed
 *
 * Return: 0 or -Exxx with a sentence; metrics_close() takes it back
 */
int metrics_open(struct metrics **out, struct arena *a, const struct ipaddr *ip,
		 uint16_t port, const struct ctl_shown *shown,
		 struct errbuf *e);

/** metrics_close() - NULL: nothing */
void metrics_close(struct metrics *m);

/** metrics_serve() - Serve it from a loop. Return: 0 or -Exxx */
int metrics_serve(struct metrics *m, struct loop *l);

/** metrics_counters() - What was counted */
const struct metrics_counters *metrics_counters(const struct metrics *m);

#endif /* CTL_METRICS_H */
