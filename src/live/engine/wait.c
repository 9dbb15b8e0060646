/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait.c - Answers that production gave and the SUT did not
 *
 * Theory of operation
 *
 * An answer of production that is whole, and that the SUT refused, reset, cut,
 * or did not give within its wait, or whose request was withheld because the
 * SUT was down, is a difference: unanswered (I41). How, is the exchange's fate;
 * it is set when the wait is over (the machine counts it: shadow/wait.c), or
 * when the leg ends by the SUT. Production may be the slower one: then the fate
 * waits for the end of its answer, and without that nothing is held against the
 * SUT.
 *
 * What ended a leg on our side, or on the client's, is no fate, unless an
 * answer had been waited for on that leg in vain, and not a byte had come
 * since: then the SUT owes all that is open.
 *
 * Where the pairing is guessed (a gap, a flow picked up mid-stream), only a SUT
 * that has said nothing at all on that leg, or refused or reset it, is told to
 * owe: it may have answered a request that the capture missed.
 */
#include "engine/engine_internal.h"

/* A wait that ends with the run is evidence from this on. */
#define FINAL_LEAST NS_PER_SEC

/* What was in the SUT's hands is silence, what never got there was withheld; a
 * SUT that has closed will give neither.
 */
static enum unanswered silent_or_withheld(const struct flow *f,
					  const struct exchange *x)
{
	bool asked = f->leg.syn_out && !(f->leg.ev & EV_S_SYNACK);

	if (f->leg.ev & EV_S_FIN)
		return UNANSWERED_CUT;
	return (x->flags & X_SENT) || asked ? UNANSWERED_SILENT
					    : UNANSWERED_WITHHELD;
}

enum unanswered wait_fate(const struct engine *e, const struct flow *f,
			  const struct exchange *x)
{
	switch ((enum flow_end)f->leg.end) {
	case FLOW_END_SUT_REFUSED:
		return UNANSWERED_REFUSED;
	case FLOW_END_SUT_RST:
		return UNANSWERED_RESET;
	case FLOW_END_NONE:
	case FLOW_END_CLOSED:
		return UNANSWERED_CUT;
	case FLOW_END_SYN_TIMEOUT:
	case FLOW_END_SUT_SILENT:
	case FLOW_END_NO_PROGRESS:
		return silent_or_withheld(f, x);
	case FLOW_END_NOT_READY:
		return health_was_ready(&e->stats.health[f->sut])
			       ? UNANSWERED_WITHHELD
			       : UNANSWERED_NONE;
	default:
		return f->leg.unheard ? silent_or_withheld(f, x)
				      : UNANSWERED_NONE;
	}
}

void wait_end(struct engine *e, struct flow *f, uint64_t now,
	      struct effects *out)
{
	const struct health *h = &e->stats.health[f->sut];
	struct shadow_wait w;
	struct exchange *x = shadow_wait_over(e->shadow, f, now, &w);

	if (x) {
		x->fate = UNANSWERED_SILENT;
		if (w.flowing)
			x->fate = UNANSWERED_LATE;
		else if (stream_has(&f->leg.s, STREAM_ENDED))
			x->fate = UNANSWERED_CUT;
		judge(e, f, x, REASON_UNANSWERED);
		if (x->fate == UNANSWERED_SILENT && wait_is_sure(f, x) &&
		    h->heard <= w.since + NS_PER_MS && h->state == HEALTH_UP)
			health_set(e, f->sut, HEALTH_SILENT, w.since, f, x);
	}
	shadow_waited(e->shadow, f, now, out);
}

bool wait_is_sure(const struct flow *f, const struct exchange *x)
{
	if (!reader_guesses(reader_of(f), x->index))
		return true;
	if (x->fate == UNANSWERED_REFUSED || x->fate == UNANSWERED_RESET)
		return true;
	return !(f->leg.ev & EV_S_SYNACK) || f->leg.s.nxt == f->leg.iss + 1;
}

void wait_too_late(struct engine *e, const struct exchange *x, uint64_t now)
{
	uint32_t ms = (uint32_t)(now / NS_PER_MS) - x->waited;

	if (!(x->flags & X_JUDGED) || x->fate == UNANSWERED_NONE)
		return;
	e->stats.count.answers_after_verdict++;
	hist_add(&e->stats.after_verdict, ms * NS_PER_MS);
}

uint64_t engine_waits_left(struct engine *e, uint64_t now, uint32_t *n)
{
	uint64_t most = udp_waits_left(e->udp, now, n);
	uint64_t since, more;
	struct flow *f;
	uint32_t at = 0;

	while ((f = shadow_next_flow(e->shadow, &at))) {
		if (!shadow_waits(e->shadow, f, now, &since, &more))
			continue;
		*n += 1;
		if (more > most)
			most = more;
	}
	return most;
}

void wait_final(struct engine *e, uint64_t now)
{
	uint64_t since, more;
	struct flow *f;
	uint32_t at = 0;

	if (e->final == 0)
		return;
	while ((f = shadow_next_flow(e->shadow, &at))) {
		const struct health *h = &e->stats.health[f->sut];

		if (h->state == HEALTH_UP && h->heard < e->final &&
		    shadow_waits(e->shadow, f, now, &since, &more) &&
		    since <= e->final && now - since >= FINAL_LEAST)
			health_set(e, f->sut, HEALTH_SILENT, since, f,
				   f->x.at[WHO_SUT]);
	}
	e->final = 0;
}

/* What the wires tell beyond their frames. */
void engine_note(struct engine *e, enum engine_note what, uint64_t value,
		 uint64_t now, struct effects *out)
{
	out->n = 0;
	e->now = now;
	switch (what) {
	case ENGINE_SUT_READ:
		shadow_sut_read(e->shadow, now);
		udp_sut_read(e->udp, now);
		break;
	case ENGINE_STALLED:
		e->stats.count.stalls++;
		e->stats.stalled += value;
		shadow_stalled(e->shadow, value);
		udp_stalled(e->udp, value);
		break;
	case ENGINE_SUT_DROPPED:
		e->sut_dropped = now;
		break;
	case ENGINE_FINAL:
		e->final = now;
		break;
	case ENGINE_ENDED:
	case ENGINE_NOTES:
		break;
	}
	attend(e, now, out);
	udp_attend(e);
}

bool engine_waits_due(const struct engine *e)
{
	return shadow_waits_due(e->shadow) || udp_waits_due(e->udp);
}
