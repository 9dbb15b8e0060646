/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settle.c - What becomes of open exchanges
 *
 * An exchange is judged when both answers are whole; or when the SUT's will not
 * come: its wait is over, its leg has ended, or the flow has. Each is judged
 * once, and dropped when its flow does not need it any more. A flow that begins
 * anew keeps those of which production's answer is known.
 */
#include <assert.h>

#include "engine/engine_internal.h"

/* What the end of a leg means for an exchange that is open then. */
static enum compare_reason reason_of(const struct flow *f)
{
	switch ((enum flow_end)f->leg.end) {
	case FLOW_END_CLIENT_RST:
		return REASON_CLIENT_ABORT;
	case FLOW_END_PROD_RST:
	case FLOW_END_LATE_DATA:
		return REASON_PROD_CUT;
	case FLOW_END_NOT_READY:
		return REASON_SUT_DOWN; /* and it never was */
	case FLOW_END_GAP:
		return REASON_CLIENT_GAP;
	case FLOW_END_BEHIND:
		return REASON_BEHIND;
	case FLOW_END_METHOD:
		return REASON_METHOD;
	case FLOW_END_POOL_FULL:
		return REASON_NO_MEMORY;
	case FLOW_END_TLS:
		return REASON_TLS;
	case FLOW_END_STOPPED:
		return REASON_RUN_ENDED;
	case FLOW_END_SUT_REFUSED:
	case FLOW_END_SUT_SILENT:
	case FLOW_END_SYN_TIMEOUT:
	case FLOW_END_NO_PROGRESS:
	case FLOW_END_NONE:
	case FLOW_END_CLOSED:
	case FLOW_END_SUT_RST:
	case FLOW_END_SUT_CLOSED:
	case FLOW_END_COUNT:
		return REASON_UNANSWERED;
	case FLOW_END_IDLE:
	case FLOW_END_VICTIM:
	case FLOW_END_REUSED:
	case FLOW_END_NO_ROUTE:
	case FLOW_END_UNPROVED:
	case FLOW_END_OBSERVED:
	case FLOW_END_RATE:
		break;
	}
	return REASON_NOT_PLAYED;
}

/* The same of one exchange, whose fate it is, if the SUT has brought it about.
 */
static enum compare_reason reason_for(const struct engine *e,
				      const struct flow *f, struct exchange *x)
{
	if (x->flags & X_LEFT)
		return REASON_METHOD;
	if (x->fate == UNANSWERED_NONE)
		x->fate = (uint8_t)wait_fate(e, f, x);
	/* Who did not answer has a fate, or it was not the SUT's doing. */
	assert(x->fate != UNANSWERED_NONE || reason_of(f) != REASON_UNANSWERED);
	return x->fate != UNANSWERED_NONE ? REASON_UNANSWERED : reason_of(f);
}

/* Is this an answer of production alone, whose request may be judged elsewhere?
 * The flow goes on (@again), maybe with requests that are here already, or has
 * gone on before. Or are these only the bytes of a SUT behind an answer that
 * broke the protocol?
 */
static bool is_spare(const struct flow *f, const struct exchange *x, bool again)
{
	bool guessed = reader_guesses(reader_of(f), x->index);

	if ((f->framing & FRAMING_BROKEN_S) && !(x->odd & ODD_S_BROKE) &&
	    !(x->flags & (X_C_BEGUN | X_HAVE_C | X_P_BEGUN)))
		return true;
	return (again || guessed) &&
	       !(x->flags & (X_C_BEGUN | X_HAVE_C | X_S_BEGUN));
}

void read_judge(struct engine *e, struct flow *f, struct exchange *x)
{
	const uint16_t both = X_HAVE_P | X_HAVE_S;

	if (x->flags & X_JUDGED)
		return;
	if ((x->flags & (X_LEFT | X_HAVE_P | X_HAVE_C)) ==
	    (X_LEFT | X_HAVE_P | X_HAVE_C)) {
		judge(e, f, x, REASON_METHOD);
	} else if ((x->flags & both) == both) {
		judge(e, f, x, REASON_NONE);
		read_parted(f, x);
	} else if ((x->flags & X_HAVE_P) && !is_spare(f, x, false) &&
		   (f->leg.state == LEG_NONE || x->fate != UNANSWERED_NONE)) {
		judge(e, f, x, reason_for(e, f, x));
	}
}

/* Production's answer to this was missed, and is so whatever came later. */
static bool is_unseen(const struct flow *f, const struct exchange *x)
{
	return (f->w.flags & W_PLOST) && !(x->flags & X_HAVE_P);
}

void read_leg_over(struct engine *e, struct flow *f)
{
	enum compare_reason why;
	struct exchange *x;

	for (x = f->x.head; x != NULL; x = x->next) {
		if (x->flags & X_JUDGED)
			continue;
		/* The SUT is done: production may still be answering. */
		why = reason_for(e, f, x);
		if (why == REASON_UNANSWERED && !(x->flags & X_HAVE_P))
			continue;
		if (is_spare(f, x, (f->w.flags & W_LOST) != 0))
			continue;
		if (x->flags & (X_C_BEGUN | X_P_BEGUN | X_S_BEGUN))
			judge(e, f, x,
			      why == REASON_RUN_ENDED && is_unseen(f, x)
				      ? REASON_PROD_GAP
				      : why);
	}
}

/* Production's side of an exchange will not be completed. */
static enum compare_reason prod_left(const struct flow *f,
				     const struct exchange *x)
{
	if (read_is_extra(f, x))
		return REASON_EXTRA;
	if ((f->w.ev & EV_C_RST) || (f->w.flags & W_SUPERSEDED))
		return REASON_CLIENT_ABORT;
	if (f->w.ev & (EV_P_FIN | EV_P_RST))
		return REASON_PROD_CUT;
	return is_unseen(f, x) ? REASON_PROD_GAP : REASON_RUN_ENDED;
}

/* Has production begun this answer, and goes on with it, where the SUT has not?
 */
static bool is_owed_begun(const struct flow *f, const struct exchange *x)
{
	return (x->flags & (X_HAVE_C | X_P_BEGUN | X_S_BEGUN)) ==
		       (X_HAVE_C | X_P_BEGUN) &&
	       prod_left(f, x) == REASON_RUN_ENDED;
}

/* Judge the first exchange, if nobody has, and drop it. */
static void close_exchange(struct engine *e, struct flow *f, struct exchange *x,
			   bool again)
{
	enum compare_reason why = reason_for(e, f, x);
	struct compare_result res;

	if (why == REASON_RUN_ENDED && is_unseen(f, x))
		why = REASON_PROD_GAP;
	if ((why == REASON_UNANSWERED && !(x->flags & X_HAVE_P) &&
	     !is_owed_begun(f, x)) ||
	    ((x->odd & ODD_S_BROKE) && !(x->flags & X_C_BEGUN)))
		why = prod_left(f, x);
	/* The flow goes on behind it, so its answer will not be looked for. */
	if (why == REASON_RUN_ENDED && again && x->fate != UNANSWERED_NONE)
		why = REASON_SUT_DOWN;
	if ((x->flags & (X_HAVE_P | X_HAVE_S)) == (X_HAVE_P | X_HAVE_S))
		why = REASON_NONE;
	if (x->odd & ODD_P_BROKE)
		read_cut(x, WHO_PROD);
	if (!(x->flags & X_JUDGED) && !is_spare(f, x, again) &&
	    (x->flags & (X_HAVE_C | X_P_BEGUN | X_S_BEGUN)))
		judge(e, f, x, why);
	if (x->cmp) {
		compare_end(x->cmp, e->pool, why, &res);
		x->cmp = NULL;
	}
	exchange_drop(&f->x, e->pool);
}

void read_close(struct engine *e, struct flow *f)
{
	while (f->x.head)
		close_exchange(e, f, f->x.head, false);
}

void read_closed(struct engine *e, struct flow *f)
{
	struct exchange *x = f->x.at[WHO_SUT];

	if (f->leg.state != LEG_OPEN || !x)
		return;
	if (x->fate == UNANSWERED_NONE)
		x->fate = (f->leg.ev & EV_S_FIN) ? UNANSWERED_CUT
						 : UNANSWERED_RESET;
	if (!(x->flags & X_JUDGED))
		judge(e, f, x, REASON_UNANSWERED);
	shadow_cut(e->shadow, f);
}

/* Judge and drop what ended up to @ack. Return: does a message of production
 * begin there, and is nothing else open?
 */
static bool drop_until(struct engine *e, struct flow *f, uint32_t ack)
{
	uint32_t at = f->w.p_base;
	struct exchange *x;

	while ((x = f->x.head) && (x->flags & X_HAVE_P) &&
	       seq_le(x->end[WHO_PROD], ack)) {
		at = x->end[WHO_PROD];
		close_exchange(e, f, x, true);
	}
	for (; x != NULL; x = x->next)
		if (x->flags & (X_HAVE_C | X_HAVE_S)) {
			if (seq_le(ack, f->w.p.nxt))
				reader_of(f)->pipelines = true;
			return false;
		}
	return at == ack;
}

/* The client and the SUT begin anew. What answers what stays unknown as long as
 * production's marks are those from before (@keep).
 */
static void begin_anew(struct flow *f, bool keep)
{
	struct reader *r = reader_of(f);

	r->flags = 0;
	r->taken_up = true;
	f->framing &= (uint32_t)(FRAMING_MARKED | FRAMING_RESTARTS) |
		      (keep ? (uint32_t)FRAMING_AMBIGUOUS : 0);
}

/* What is kept of an exchange whose request and answer of the SUT come again.
 */
static void exchange_again(struct exchange *x)
{
	/* Read without its request, which may be a HEAD. */
	if ((x->flags & (X_P_BEGUN | X_C_BEGUN)) == X_P_BEGUN)
		read_spoil(x, REASON_CLIENT_GAP);
	x->flags &= X_HAVE_P | X_P_BEGUN | X_JUDGED;
	x->flags |= X_RESUMED;
	x->c_ts = 0;
	x->s_left = 0;
	x->fate = UNANSWERED_NONE;
}

bool read_restart(struct engine *e, struct flow *f, uint32_t ack)
{
	const struct framer_ops *ops = read_framer(f);
	struct reader *r = reader_of(f);
	struct exchange *x;

	if (ops && ops != &framer_quiet && !(f->w.flags & W_PLOST) &&
	    !(f->framing & FRAMING_QUIET_P) && stream_has(&f->w.p, STREAM_ON) &&
	    drop_until(e, f, ack)) {
		exchange_restart(&f->x);
		for (x = f->x.head; x != NULL; x = x->next)
			exchange_again(x);
		ops->resync(r->state, WHO_CLIENT, f->x.marks[WHO_CLIENT]);
		ops->resync(r->state, WHO_SUT, f->x.marks[WHO_SUT]);
		begin_anew(f, true);
		return true;
	}
	while (f->x.head)
		close_exchange(e, f, f->x.head, true);
	exchange_clear(&f->x);
	r->guessed_from = 0;
	if (ops)
		ops->init(r->state, true);
	begin_anew(f, false);
	return false;
}

void read_anew(struct flow *f)
{
	struct reader *r = reader_of(f);

	r->flags &= ~(uint32_t)(R_SPOKE_S | R_ENDED_S | R_MOVE_S);
	read_framer(f)->resync(r->state, WHO_SUT, f->x.marks[WHO_SUT]);
}
