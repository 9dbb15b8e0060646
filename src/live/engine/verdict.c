/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict.c - From an exchange to a verdict, its count and its record
 */
#include <string.h>

#include "engine/engine_internal.h"

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
	struct engine_event ev;

	/* The usual ends are counted, and say nothing more. */
	if (f->leg.end == FLOW_END_CLOSED || f->leg.end == FLOW_END_METHOD ||
	    f->leg.end == FLOW_END_OBSERVED || f->leg.end == FLOW_END_STOPPED)
		return;
	ev = event_of(e, EVENT_FLOW_END);
	ev.end = (enum flow_end)f->leg.end;
	event_tuple(e, &ev, f);
	event_put(e, &ev);
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

/* Where the pairing is guessed a difference is no evidence, and an answer that
 * is equal is: which one belongs to which request is then known again, unless
 * the client sends more than one at a time.
 */
static void discount_guessed(struct flow *f, const struct exchange *x,
			     struct compare_result *r)
{
	struct reader *rd = reader_of(f);

	if (!reader_guesses(rd, x->index))
		return;
	if (r->reason == REASON_UNANSWERED && wait_is_sure(f, x))
		return;
	if (r->verdict == VERDICT_DIFFERENT) {
		r->verdict = VERDICT_NOT_COMPARED;
		r->reason = (enum compare_reason)rd->guessed;
	} else if (r->verdict != VERDICT_NOT_COMPARED && !rd->pipelines) {
		rd->guessed = REASON_NONE;
	}
}

/* All of a record but verdict and latencies. */
static void record_of(const struct engine *e, const struct flow *f,
		      const struct exchange *x, struct exchange_record *rec)
{
	const struct protocol *p = reader_of(f)->protocol;

	*rec = (struct exchange_record){
		.kind = EVENT_VERDICT,
		.protocol = p ? (uint8_t)protocol_id(p) : PROTOCOL_BYTES,
		.client_port = f->key.cport,
		.prod_port = f->key.pport,
		.sut_port = f->sport,
		.index = x->index - ((x->odd & ODD_S_EXTRA) != 0),
		.map = f->key.map,
		.baseline = e->cfg.map[f->key.map].baseline,
		.record = x->record,
		.conn = f->id - reader_of(f)->behind_first,
		.flow = f->id,
		.asked = x->c_now,
		.judged = e->now,
		.client = f->key.client,
		.prod = f->key.prod,
		.sut = e->sut_ip[f->sut],
	};
}

/* The comparison's verdict, or one without a comparison. @kept: set if bytes
 * are; @hangs: if its request hangs on what the SUT has not
 */
static void decide(struct engine *e, struct flow *f, struct exchange *x,
		   enum compare_reason why, struct keep **kept, bool *hangs,
		   struct compare_result *r)
{
	struct reader *rd = reader_of(f);

	/* A SUT that does not answer does not agree to a tunnel either. */
	if (why == REASON_UNANSWERED && x->spoilt == REASON_TUNNEL &&
	    !(x->flags & X_S_BEGUN))
		x->spoilt = REASON_NONE;
	if (x->cmp) {
		if (x->spoilt != REASON_NONE)
			compare_spoil(x->cmp, (enum compare_reason)x->spoilt);
		*hangs = given_judged(e, f, x);
		*kept = compare_take(x->cmp);
		compare_asked(x->cmp, e->cfg.by, x->request, x->request_len);
		compare_end(x->cmp, e->pool, why, r);
		x->cmp = NULL;
	} else {
		memset(r, 0, sizeof(*r));
		uncompared(e, x, why, r);
	}
	/* Both were read alike, so what follows them is paired alike. */
	if (r->alike && rd->guessed == REASON_AMBIGUOUS &&
	    rd->guessed_from == x->index + 1)
		rd->guessed = REASON_NONE;
	discount_guessed(f, x, r);
}

void judge(struct engine *e, struct flow *f, struct exchange *x,
	   enum compare_reason why)
{
	struct exchange_record rec;
	struct compare_result r;
	struct keep *kept = NULL;
	bool hangs = false;

	decide(e, f, x, why, &kept, &hangs, &r);
	x->flags |= X_JUDGED;
	x->waited = (uint32_t)(e->now / NS_PER_MS);
	if (r.reason == REASON_UNANSWERED) {
		r.how = (enum unanswered)x->fate;
		e->stats.unanswered[r.how] += !e->cfg.map[f->key.map].baseline;
	}
	e->stats.count.requests_missed += !(x->flags & X_HAVE_C);
	record_of(e, f, x, &rec);
	rec.diverged = hangs;
	stamp_judged(e, f, x, &rec);
	refer_verdict(e, f, x, kept, &rec, &r);
}
