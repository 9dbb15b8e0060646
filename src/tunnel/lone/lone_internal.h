/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lone_internal - One end while it runs
 */
#ifndef LONE_LONE_INTERNAL_H
#define LONE_LONE_INTERNAL_H

#include "core/turn.h"
#include "ctl/ctl.h"
#include "ends/inner.h"
#include "ipip/reorder.h"
#include "lone/counters.h"
#include "lone/lone.h"
#include "lone/raw.h"
#include "os/loop.h"

/** struct lone_path - A path: a gateway, or the far end itself */
struct lone_path {
	struct raw_way way;
	struct ipaddr remote;
	struct lone_path_counters n;
};

/** struct lone - An end; all memory is in @arena */
struct lone {
	const struct ends_options *o; /* @set */
	struct ends_options set;      /* control.c changes it while it runs */
	struct arena arena;
	struct ctl *ctl; /* or NULL */
	struct raw *raw;
	struct reorder *order;
	struct kernel *kernel; /* or NULL */
	struct lone_path path[ENDS_PATHS];
	uint32_t weight[TURN_MOST];
	struct turn turn;
	struct hash_key key; /* of pinned connections */
	int device;
	int signals;
	struct loop *loop;
	struct loop_watch on_device;
	struct loop_watch on_socket;
	struct loop_watch on_signal;
	struct loop_watch on_time;
	uint64_t armed; /* time that @on_time is set to */
	struct lone_counters n;
};

/* paths.c */

/** lone_paths_init() - Take those of the command line; none may be a loop */
int lone_paths_init(struct lone *t, struct errbuf *e);

/** lone_paths_configure() - Their weights, as the options have them now */
void lone_paths_configure(struct lone *t);

/** lone_paths_choose() - The path of a packet of IPv4 */
struct lone_path *lone_paths_choose(struct lone *t, const uint8_t *p,
				    uint32_t n);

/** lone_paths_find() - The path whose end this is, or NULL */
struct lone_path *lone_paths_find(struct lone *t, const uint8_t addr[4]);

/* kernel.c */

/**
 * kernel_open() - Let the kernel lead the far end's plain packets into our
 * device, if --catch asks for it, or do all, if it can
 *
 * Return: 0 or -Exxx with a sentence
 */
int kernel_open(struct lone *t, struct errbuf *e);

/** kernel_close() - No more; NULL: nothing */
void kernel_close(struct kernel *k);

/** kernel_whole() - Is the kernel all of the tunnel? */
bool kernel_whole(const struct lone *t);

/** kernel_configure() - Its weights are ours from now on */
void kernel_configure(struct lone *t);

/** kernel_count() - Add what it has counted to our counters */
void kernel_count(struct lone *t);

/* control.c */

/** lone_control_open() - Make the control socket, if --ctl asks for one */
int lone_control_open(struct lone *t, struct errbuf *e);

/** lone_control_config() - How the buffer is to work, by the options */
struct reorder_config lone_control_config(const struct lone *t);

/* report.c */

/** lone_report_shown() - What is counted, for reports and the control socket */
struct ctl_shown lone_report_shown(struct lone *t);

/** lone_report_end() - Print what was counted so far */
void lone_report_end(struct lone *t);

#endif /* LONE_LONE_INTERNAL_H */
