/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.c - The control socket of an end without another one
 */
#include <errno.h>
#include <stddef.h>

#include "lone/lone_internal.h"

static struct opt_table table;
static const struct opt_command knobs = {
	.name = "tunnel",
	.tables = &table,
	.count = 1,
};

static struct ends_options kept; /* before a change */

static int before(void *ctx, const char *name, struct errbuf *e)
{
	const struct lone *t = ctx;

	(void)name;
	(void)e;
	kept = t->set;
	return 0;
}

struct reorder_config lone_control_config(const struct lone *t)
{
	return (struct reorder_config){
		.on = t->o->release == MP_RELEASE_ORDER,
		.size = t->o->buffer_size,
		.hold = t->o->hold,
	};
}

static int after(void *ctx, const char *name, struct errbuf *e)
{
	struct lone *t = ctx;
	struct reorder_config c;
	int r = ends_options_check(&t->set, e);

	(void)name;
	if (r == 0 && kernel_whole(t) && t->o->release != MP_RELEASE_OFF)
		r = errbuf_set(e, -EPERM,
			       "in the kernel nothing is put in order; start "
			       "with --release order, or --offload off");
	if (r != 0) {
		t->set = kept;
		return r;
	}
	c = lone_control_config(t);
	reorder_configure(t->order, &c);
	lone_paths_configure(t);
	kernel_configure(t);
	/* A turn, so that what was held goes on. */
	loop_set(&t->on_time, 0);
	return 0;
}

int lone_control_open(struct lone *t, struct errbuf *e)
{
	struct ctl_config c = { .path = t->o->ctl,
				.options = &knobs,
				.base = t,
				.before = before,
				.after = after,
				.ctx = t,
				.shown = lone_report_shown(t) };

	if (!t->o->ctl)
		return 0;
	table = tunnel_command.tables[0];
	table.base = offsetof(struct lone, set);
	return ctl_open(&t->ctl, &t->arena, &c, e);
}
