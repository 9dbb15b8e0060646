/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - What must hold of the reorder buffer between two calls
 */
#include "core/seq.h"
#include "ipip/reorder_internal.h"

static const char *check_flow(const struct reorder *r,
			      const struct reorder_flow *w, uint32_t *held)
{
	const struct buf *f, *last = NULL;
	uint32_t n = 0;

	for (f = w->first; f && n <= w->held; last = f, f = f->next, n++) {
		if (!seq_lt(w->turn, f->seq))
			return "what is held begins beyond its turn";
		if (last && !seq_le(last->seq, f->seq))
			return "what is held lies in its order";
	}
	if (n != w->held || w->last != last)
		return "the list of a connection is as long as it says";
	if (w->held > 0 && !map_has(&r->map, (uint32_t)(w - r->flow)))
		return "a connection that is forgotten holds nothing";
	if (timer_armed(&w->hole) != (w->held > 0 && r->config.hold > 0))
		return "a hole has a timer, and nothing else has";
	if (r->config.size > 0 && w->held > r->config.size)
		return "a connection holds no more than it may";
	*held += n;
	return NULL;
}

const char *reorder_check(const struct reorder *r)
{
	const struct reorder_counters *n = &r->n;
	uint32_t held = 0;
	const char *wrong = NULL;

	for (uint32_t i = 0; !wrong && i < r->limits.flows; i++)
		wrong = check_flow(r, &r->flow[i], &held);
	if (wrong)
		return wrong;
	if (held != r->held || held > r->limits.held)
		return "as many are held as are counted";
	if (n->came != n->passed + n->in_turn + n->late + n->held + n->no_room +
			       n->duplicate)
		return "each packet that came has one fate";
	if (n->held != n->released + n->overtaken + held)
		return "each that was held goes on, is dropped, or is held";
	if (!r->config.on && held > 0)
		return "a buffer that is off holds nothing";
	return NULL;
}
