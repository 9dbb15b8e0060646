/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - What a tunnel says of itself at its end
 */
#include <stdio.h>

#include "ends/ends_internal.h"
#include "text/text.h"

#define REPORT_MOST (96u << 10)

static const struct counter rows[] = { ENDS_COUNTERS(COUNTER_ROW,
						     struct ends_counters) };
static const struct counter gauge_rows[] = { ENDS_PATH_GAUGES(
	COUNTER_ROW, struct ends_path_gauges) };

const struct counter_list ends_counter_list = COUNTER_LIST(rows);
const struct counter_list ends_path_gauge_list = COUNTER_LIST(gauge_rows);

static bool find_path(void *ctx, unsigned i, struct ctl_item *out)
{
	static struct mp_path_info info;
	static struct ends_path_gauges gauges;
	struct ends *t = ctx;
	const struct wire_way *way = &t->path[i].way;

	if (!t->path[i].added)
		return false;
	mp_path_info(t->mp, i, &info);
	gauges = (struct ends_path_gauges){
		.alive = info.alive,
		.rate = info.rate,
		.rtt_us = info.srtt / NS_PER_US,
		.min_rtt_us = info.min_rtt / NS_PER_US,
		.mtu = info.size - (t->timed ? MP_HEADER_TIMED : MP_HEADER),
		.window = info.window,
		.out = info.out,
		.told = t->path[i].told,
		.told_size = t->path[i].told_size,
	};
	out->counters = &info.n;
	out->gauges = &gauges;
	text_endpoint(out->note, &way->remote, way->port);
	return true;
}

static bool find_lane(void *ctx, unsigned i, struct ctl_item *out)
{
	struct ends *t = ctx;

	out->counters = mp_group_counters(t->mp, i);
	return true;
}

static bool find_ends(void *ctx, unsigned i, struct ctl_item *out)
{
	struct ends *t = ctx;

	(void)i;
	if (t->o->pad)
		t->n.pad_left = pad_left(&t->pads.pad);
	out->counters = &t->n;
	return true;
}

static bool find_link(void *ctx, unsigned i, struct ctl_item *out)
{
	struct ends *t = ctx;

	(void)i;
	out->counters = link_counters(t->link);
	return true;
}

static bool find_machine(void *ctx, unsigned i, struct ctl_item *out)
{
	struct ends *t = ctx;

	(void)i;
	out->counters = mp_counters(t->mp);
	return true;
}

static bool find_ctl(void *ctx, unsigned i, struct ctl_item *out)
{
	struct ends *t = ctx;

	(void)i;
	if (!t->ctl)
		return false;
	out->counters = ctl_counters(t->ctl);
	return true;
}

static const struct ctl_group groups[] = {
	{ "path", "path", ENDS_PATHS, &mp_path_counter_list,
	  &ends_path_gauge_list, find_path },
	{ "lane", "group of lanes", MP_GROUPS, &mp_lane_counter_list, NULL,
	  find_lane },
	{ "machine", "all paths", 0, &mp_counter_list, NULL, find_machine },
	{ "link", "datagrams", 0, &link_counter_list, NULL, find_link },
	{ "ends", "device and sockets", 0, &ends_counter_list, NULL,
	  find_ends },
	{ "ctl", "control socket", 0, &ctl_counter_list, NULL, find_ctl },
};

struct ctl_shown report_shown(struct ends *t)
{
	return (struct ctl_shown){ "tunnel", groups,
				   sizeof(groups) / sizeof(groups[0]), t };
}

void ends_print(const struct ends_options *o, const struct ctl_shown *shown)
{
	static char buf[REPORT_MOST];
	struct text x;

	text_begin(&x, buf, sizeof(buf));
	if (o->json)
		x.len = ctl_show_json(shown, buf, sizeof(buf));
	else if (!o->quiet)
		ctl_show_text(shown, &x);
	fwrite(buf, 1, x.len, stdout);
	fflush(stdout);
}

void report_end(struct ends *t)
{
	struct ctl_shown shown = report_shown(t);

	ends_print(t->o, &shown);
}
