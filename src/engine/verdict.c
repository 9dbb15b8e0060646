/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict.c - From an exchange to a verdict, its count and its event
 */
#include <string.h>

#include "engine/engine_internal.h"
#include "engine/tally.h"

struct engine_event *event_new(struct engine *e)
{
	struct engine_event *ev;

	if (e->event_n == EVENTS_MAX) {
		e->stats.count.events_lost++;
		return NULL;
	}
	ev = &e->event[(e->event_head + e->event_n) % EVENTS_MAX];
	e->event_n++;
	memset(ev, 0, sizeof(*ev));
	ev->now = e->now;
	return ev;
}

bool engine_event(struct engine *e, struct engine_event *ev)
{
	if (e->event_n == 0)
		return false;
	*ev = e->event[e->event_head];
	e->event_head = (e->event_head + 1) % EVENTS_MAX;
	e->event_n--;
	return true;
}

void event_tuple(struct engine *e, struct engine_event *ev,
		 const struct flow *f)
{
	ev->flow = f->id;
	ev->map = f->key.map;
	ev->client = f->key.client;
	ev->prod = f->key.prod;
	ev->sut = e->sut_ip[f->sut];
	ev->client_port = f->key.cport;
	ev->prod_port = f->key.pport;
	ev->sut_port = f->sport;
}

void event_flow_end(struct engine *e, const struct flow *f)
{
	struct engine_event *ev;

	/* The usual ends are counted, and say nothing more. */
	if (f->end == FLOW_END_CLOSED || f->end == FLOW_END_OBSERVED ||
	    f->end == FLOW_END_STOPPED)
		return;
	ev = event_new(e);
	if (ev == NULL)
		return;
	ev->kind = EVENT_FLOW_END;
	ev->end = (enum flow_end)f->end;
	event_tuple(e, ev, f);
}

/* @r: zeroes */
static void uncompared(const struct engine *e, const struct exchange *x,
		       enum compare_reason why, struct compare_result *r)
{
	r->verdict = VERDICT_NOT_COMPARED;
	r->reason =
		x->spoilt != REASON_NONE ? (enum compare_reason)x->spoilt : why;
	if (r->reason == REASON_UNANSWERED) {
		r->verdict = VERDICT_DIFFERENT;
		r->reasons = reason_bit(REASON_UNANSWERED);
	} else if (e->cfg.compare == COMPARE_NONE) {
		r->reason = REASON_LEVEL_NONE;
	}
}

/* Where the pairing is guessed a difference is no evidence, and an answer that is
 * equal is: which one belongs to which request is then known again, unless the
 * client sends more than one at a time.
 */
static void doubt(struct flow *f, const struct exchange *x,
		  struct compare_result *r)
{
	if (f->unsure == REASON_NONE || seq_lt(x->index, f->unsure_from))
		return;
	if (r->reason == REASON_UNANSWERED && wait_is_sure(f, x))
		return;
	if (r->verdict == VERDICT_DIFFERENT) {
		r->verdict = VERDICT_NOT_COMPARED;
		r->reason = (enum compare_reason)f->unsure;
	} else if (r->verdict != VERDICT_NOT_COMPARED && !f->pipelines) {
		f->unsure = REASON_NONE;
	}
}

void judge(struct engine *e, struct flow *f, struct exchange *x,
	   enum compare_reason why)
{
	struct engine_event ev;
	struct engine_event *q;
	struct compare_result *r = &ev.result;

	memset(&ev, 0, sizeof(ev));
	/* A SUT that does not answer does not agree to a tunnel either. */
	if (why == REASON_UNANSWERED && x->spoilt == REASON_TUNNEL &&
	    (x->flags & X_S_BEGUN) == 0)
		x->spoilt = REASON_NONE;
	if (x->cmp != NULL) {
		if (x->spoilt != REASON_NONE)
			compare_spoil(x->cmp, (enum compare_reason)x->spoilt);
		compare_end(x->cmp, e->pool, why, r);
		x->cmp = NULL;
	} else {
		uncompared(e, x, why, r);
	}
	/* Both were read alike, so what follows them is paired alike. */
	if (r->alike && f->unsure == REASON_AMBIGUOUS &&
	    f->unsure_from == x->index + 1)
		f->unsure = REASON_NONE;
	doubt(f, x, r);
	x->flags |= X_JUDGED;
	x->waited = (uint32_t)(e->now / NS_PER_MS);
	if (r->reason == REASON_UNANSWERED) {
		r->how = (enum unanswered)x->fate;
		e->stats.unanswered[r->how]++;
	}
	e->stats.count.requests_missed += (x->flags & X_HAVE_C) == 0;
	ev.now = e->now;
	ev.kind = EVENT_VERDICT;
	ev.asked = x->c_now;
	ev.record = x->record;
	ev.index = x->index - ((x->odd & ODD_S_EXTRA) != 0);
	ev.request_len = x->request_len;
	memcpy(ev.request, x->request, x->request_len);
	event_tuple(e, &ev, f);
	tally(&e->stats, &ev);
	stamp_judged(e, f, x, &ev);
	if (r->verdict != VERDICT_DIFFERENT)
		return;
	q = event_new(e);
	if (q != NULL)
		*q = ev;
}
