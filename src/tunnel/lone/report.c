/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - What an end without another one says of itself
 */
#include "lone/lone_internal.h"
#include "text/text.h"

static const struct counter rows[] = { LONE_COUNTERS(COUNTER_ROW,
						     struct lone_counters) };
static const struct counter path_rows[] = { LONE_PATH_COUNTERS(
	COUNTER_ROW, struct lone_path_counters) };

const struct counter_list lone_counter_list = COUNTER_LIST(rows);
const struct counter_list lone_path_counter_list = COUNTER_LIST(path_rows);

static bool find_path(void *ctx, unsigned i, struct ctl_item *out)
{
	struct lone *t = ctx;

	if (i >= t->o->paths)
		return false;
	kernel_count(t);
	out->counters = &t->path[i].n;
	text_ip(out->note, &t->path[i].remote);
	return true;
}

static bool find_order(void *ctx, unsigned i, struct ctl_item *out)
{
	struct lone *t = ctx;

	(void)i;
	out->counters = reorder_counters(t->order);
	return true;
}

static bool find_ends(void *ctx, unsigned i, struct ctl_item *out)
{
	struct lone *t = ctx;

	(void)i;
	kernel_count(t);
	out->counters = &t->n;
	return true;
}

static bool find_ctl(void *ctx, unsigned i, struct ctl_item *out)
{
	struct lone *t = ctx;

	(void)i;
	if (!t->ctl)
		return false;
	out->counters = ctl_counters(t->ctl);
	return true;
}

static const struct ctl_group groups[] = {
	{ "path", "path", ENDS_PATHS, &lone_path_counter_list, NULL,
	  find_path },
	{ "order", "what is put in order", 0, &reorder_counter_list, NULL,
	  find_order },
	{ "ends", "device and socket", 0, &lone_counter_list, NULL, find_ends },
	{ "ctl", "control socket", 0, &ctl_counter_list, NULL, find_ctl },
};

struct ctl_shown lone_report_shown(struct lone *t)
{
	return (struct ctl_shown){ "tunnel", groups,
				   sizeof(groups) / sizeof(groups[0]), t };
}

void lone_report_end(struct lone *t)
{
	struct ctl_shown shown = lone_report_shown(t);

	ends_print(t->o, &shown);
}
