/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - What must hold between two calls
 *
 * Sums: whatever came has one fate. Tables: what lanes and paths say of
 * themselves is what lies there. Simulator, fuzzers and unit tests ask after
 * each call.
 */
#include "multipath/multipath_internal.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			return #cond;                                          \
	} while (0)

static const char *check_path(const struct mp *m, const struct mp_path *p)
{
	const struct mp_path_counters *n = &p->n;
	uint32_t out = p->next - p->done - 1;

	MUST(out <= m->limits.window);
	MUST(n->sent == n->acked + n->lost + n->left + out);
	MUST(p->acked <= p->tx && p->tx == n->sent_bytes);
	MUST(p->in.ranges <= MP_RANGES);
	MUST(p->bulk_out <= out);
	MUST(out > 0 || mp_out(p) == 0);
	MUST(p->size.limit <= p->config.size_most);
	MUST(p->size.limit == 0 || p->size.limit >= p->config.size_least);
	MUST(p->size.probe == 0 || timer_armed(&p->size_timer.t));
	/* Whoever is out is waited for. */
	MUST(out == 0 || timer_armed(&p->lost.t) || !p->alive);
	for (uint32_t i = 0; i < p->in.ranges; i++) {
		const struct mp_range *r = &p->in.range[i];

		MUST(r->count > 0);
		MUST(seq_lt(r->first + r->count - 1, p->in.highest));
		MUST(i == 0 || seq_lt(r[-1].first + r[-1].count, r->first));
	}
	return NULL;
}

static const char *check_sums(const struct mp *m)
{
	const struct mp_counters *n = &m->n;
	struct mp_lane_counters all = { 0 };
	uint64_t sent = m->gone_sent, came = m->gone_came;

	for (unsigned i = 0; i < m->path_n; i++) {
		const char *bad = NULL;

		if (!m->path[i].used)
			continue;
		bad = check_path(m, &m->path[i]);
		if (bad)
			return bad;
		sent += m->path[i].n.sent;
		came += m->path[i].n.came;
	}
	MUST(n->inner == n->first + n->drop_bound + n->drop_law + n->drop_full +
				 n->drop_thin + n->drop_restart +
				 m->queue.count);
	MUST(sent == n->first + n->again + n->twin + n->measured + n->probes);
	MUST(n->arrived == n->delivered + n->duplicate + n->stale +
				   n->drop_held + n->drop_restart_held +
				   m->held.count + m->waiting_equal);
	MUST(came == n->arrived + n->bad_lane + n->probes_came);
	for (unsigned i = 0; i < MP_GROUPS; i++)
		counter_add(&mp_lane_counter_list, &all, &m->group[i]);
	/* Only what a restart found waiting is in no group's sum of drops. */
	MUST(all.inner == n->inner && m->group[0].inner == n->inner_thin);
	MUST(all.dropped ==
	     n->drop_bound + n->drop_law + n->drop_full + n->drop_thin);
	MUST(all.arrived == n->arrived && all.delivered == n->delivered);
	MUST(all.delivered_late == n->delivered_late);
	MUST(all.held == n->held && all.given_up == n->given_up);
	return NULL;
}

static const char *check_lane(const struct mp *m, uint32_t lane)
{
	const struct mp_lane *l = &m->lane[lane];
	uint32_t waiting = 0, held = 0;
	uint64_t bytes = 0;

	for (uint32_t s = l->head; l->waiting > 0 && s != l->next; s++) {
		const struct buf *f = shelf_find(&m->queue, lane, s);

		waiting += f != NULL;
		bytes += f ? f->len : 0;
	}
	MUST(waiting == l->waiting && bytes == l->bytes);
	MUST((l->waiting > 0) == !list_empty(&l->link));
	for (uint32_t s = l->turn; l->held > 0 && s != l->top; s++) {
		const struct buf *f = shelf_find(&m->held, lane, s);

		MUST(held > 0 || !f || s == l->low);
		held += f != NULL;
	}
	MUST(held == l->held);
	/* What could be released is, unless there was no room. */
	MUST(l->held == 0 || l->low != l->turn || l->ready);
	MUST(l->held == 0 || l->ready || !m->config.timer ||
	     timer_armed(&l->hole.t));
	return NULL;
}

const char *mp_check(const struct mp *m, bool deep)
{
	uint32_t waiting = 0, held = 0, active = 0;
	uint64_t bytes = 0;
	const char *bad = check_sums(m);

	for (uint32_t i = 0; !bad && deep && i < m->limits.lanes; i++) {
		bad = check_lane(m, i);
		waiting += m->lane[i].waiting;
		held += m->lane[i].held;
		bytes += m->lane[i].bytes;
		active += m->lane[i].waiting > 0;
	}
	if (bad || !deep)
		return bad;
	MUST(waiting == m->queue.count && held == m->held.count);
	MUST(bytes == m->queued && active == m->active_n);
	return NULL;
}
