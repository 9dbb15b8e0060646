/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer.c - What a client of the page is told of a store
 */
#include "page/answer.h"

#include <errno.h>
#include <stdbool.h>

#include "ctl/ctl.h"
#include "page/told.h"
#include "text/text.h"

static int run_of(struct archive *a, struct json *j, struct errbuf *e)
{
	struct look_list none = { .n = 0 };
	const struct archive_kind *kind;
	const struct store_tick *tick;
	struct form f;
	uint64_t kinds;
	size_t n;
	bool ended;
	int r = archive_facts(a, &f, &ended, e);

	if (r == 0)
		r = archive_ticks(a, &tick, &n, e);
	if (r != 0)
		return r;
	told_facts(j, &f, ended);
	told_ticks(j, tick, n);
	r = archive_kinds_of(a, &none, &kind, &n, &kinds, e);
	json_u64(j, "kinds", kinds);
	return r;
}

static int kinds_of(struct archive *a, const struct ask_want *w, struct json *j,
		    struct errbuf *e)
{
	const struct look_list l = { .find = w->find,
				     .find_len = w->find_len,
				     .from = w->from,
				     .n = w->n };
	const struct archive_kind *kind;
	uint64_t all;
	size_t n;
	int r = archive_kinds_of(a, &l, &kind, &n, &all, e);

	if (r != 0)
		return r;
	json_u64(j, "all", all);
	json_u64(j, "from", w->from);
	json_array(j, "kinds");
	for (size_t i = 0; i < n; i++)
		told_kind(j, NULL, &kind[i]);
	json_close_array(j);
	return 0;
}

static int kind_of(struct archive *a, const struct ask_want *w, struct json *j,
		   struct errbuf *e)
{
	const struct look_list l = { .from = w->from, .n = w->n };
	const struct look_difference *d;
	const struct archive_kind *kind;
	size_t n;
	int r = archive_kind_at(a, w->id, &kind, e);

	if (r == 0)
		r = archive_differences_of(a, w->id, &l, &d, &n, e);
	if (r != 0)
		return r;
	told_kind(j, "kind", kind);
	json_array(j, "differences");
	for (size_t i = 0; i < n; i++)
		told_difference(j, NULL, &d[i], false);
	json_close_array(j);
	return 0;
}

static int difference_of(struct archive *a, const struct ask_want *w,
			 struct json *j, struct errbuf *e)
{
	const struct look_difference *d;
	const struct sample *s;
	size_t n;
	int r = archive_difference_at(a, w->id, &d, e);

	if (r == 0)
		r = archive_samples_of(a, w->id, &s, &n, e);
	if (r != 0)
		return r;
	told_difference(j, "difference", d, true);
	told_samples(j, s, n);
	return 0;
}

/* --- Prometheus --- */

struct shown {
	struct store_tick tick;
	bool any;
};

static bool last_tick(void *ctx, unsigned i, struct ctl_item *out)
{
	const struct shown *s = ctx;

	(void)i;
	out->counters = &s->tick.n;
	out->gauges = &s->tick.is;
	return s->any;
}

static int metrics_of(struct archive *a, struct text *t, struct errbuf *e)
{
	struct shown s = { .any = false };
	const struct ctl_group group = { .name = "all",
					 .counters = &tick_counter_list,
					 .gauges = &tick_gauge_list,
					 .find = last_tick };
	const struct ctl_shown what = {
		.type = "run", .group = &group, .groups = 1, .ctx = &s
	};
	const struct store_tick *tick;
	struct form f;
	bool ended;
	size_t n;
	int r = archive_ticks(a, &tick, &n, e);

	if (r == 0)
		r = archive_facts(a, &f, &ended, e);
	if (r != 0)
		return r;
	if (n > 0)
		s = (struct shown){ tick[n - 1], true };
	ctl_show_prometheus(&what, t);
	text_add(t,
		 "# HELP understudy_run_ended it is over\n"
		 "# TYPE understudy_run_ended gauge\nunderstudy_run_ended %u\n",
		 ended);
	return 0;
}

static int all_of(struct archive *a, const struct ask_want *w, struct json *j,
		  struct errbuf *e)
{
	switch (w->what) {
	case ASK_RUN:
		return run_of(a, j, e);
	case ASK_KINDS:
		return kinds_of(a, w, j, e);
	case ASK_KIND:
		return kind_of(a, w, j, e);
	case ASK_DIFFERENCE:
		return difference_of(a, w, j, e);
	default:
		return errbuf_set(e, -ENOENT, "nothing is there");
	}
}

int answer(const char *dir, const struct ask_want *w, char *out, size_t *n,
	   struct errbuf *e)
{
	struct archive *a = NULL;
	struct json j;
	struct text t;
	int r = archive_open(&a, dir, e);
	bool there = r == 0;

	*n = 0;
	if (r == 0 && w->what == ASK_METRICS) {
		text_begin(&t, out, ANSWER_MAX);
		r = metrics_of(a, &t, e);
		*n = r == 0 && !t.full ? t.len : 0;
	} else if (r == 0) {
		json_begin(&j, out, ANSWER_MAX);
		r = all_of(a, w, &j, e);
		*n = r == 0 ? json_line(&j) : 0;
	}
	archive_close(a);
	if (r == 0 && *n == 0)
		r = errbuf_set(e, -EMSGSIZE, "%s: too long an answer", dir);
	return r == 0 ? 200 : r == -ENOENT && there ? 404 : 503;
}
