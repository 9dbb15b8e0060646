/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * time.c - What is done when a deadline has come
 *
 * Theory of operation
 *
 * The timer of a flow tells that something may be due (due.c): what that is, is
 * done in one order, and then the flow is looked at as after any segment.
 *
 * When a SUT is silent (target.c) its flows are ended, but one request that it
 * has taken stays with it, and one flow a second is played as a trial; a trial
 * that stays without progress ends as the others did.
 */
#include <assert.h>

#include "flow/check.h"
#include "shadow/shadow_internal.h"

/* The acks that a timer forces. */
static void timed_acks(const struct turn *t, struct flow *f)
{
	bool dack = due_take(f, DUE_DACK, t->now);
	bool spont = due_take(f, DUE_SPONT, t->now);
	enum effect_cause cause;
	struct ack_plan p;

	if (!dack && !spont)
		return;
	p = ack_plan(t, f, spont);
	cause = p.partial || spont ? CAUSE_ACK_PARTIAL : p.cause;
	if (p.ack == f->leg.last_ack_sent && !(f->leg.flags & L_HANDSHAKE))
		return;
	if (spont)
		t->s->count.acks_spontaneous++;
	effect_tcp(t, f, &p, cause, TCP_ACK);
}

/* After so many tries a leg ends; one whose answer is waited for ends with
 * that, and is not tried any more. Return: there is no other try
 */
static bool tried(const struct turn *t, struct flow *f, uint8_t most,
		  enum flow_end why)
{
	if (f->leg.tries < most)
		return false;
	if (f->wait.on)
		due_set(t->s, f, DUE_RTO, t->now + RTO_MAX);
	else
		end_leg(t, f, why);
	return true;
}

/* A retransmission timer: SYN, data, FIN, or a probe of a closed window. */
static void timed_rto(const struct turn *t, struct flow *f)
{
	const struct target *sut = &t->s->target[f->sut];

	if (!due_take(f, DUE_RTO, t->now))
		return;
	if (sut->silent && f->leg.tries > 0 && !f->wait.on) {
		end_leg(t, f, FLOW_END_SUT_SILENT);
		return;
	}
	if (f->leg.state == LEG_SYN_SENT) {
		if (t->s->opt.proof)
			want(t->s, f, WANT_DEAF);
		if (tried(t, f, SYN_TRIES, FLOW_END_SYN_TIMEOUT))
			return;
		f->leg.tries++;
		send_syn(t, f, CAUSE_SYN_AGAIN);
		return;
	}
	if (tried(t, f, DATA_TRIES, FLOW_END_NO_PROGRESS))
		return;
	f->leg.tries++;
	retransmit(t, f);
}

static void timed_idle(const struct turn *t, struct flow *f)
{
	if (!due_take(f, DUE_IDLE, t->now))
		return;
	if (f->class == FLOW_TIME_WAIT) {
		want(t->s, f, WANT_FREE);
		return;
	}
	if (f->wait.on) {
		due_set(t->s, f, DUE_IDLE, t->now + t->s->opt.answer_wait);
		return;
	}
	if (t->now - f->w.last < t->s->opt.idle) {
		due_set(t->s, f, DUE_IDLE, f->w.last + t->s->opt.idle);
		return;
	}
	end_leg(t, f, FLOW_END_IDLE);
	want(t->s, f, WANT_FREE);
}

static void timed_lag(const struct turn *t, struct flow *f)
{
	const struct shadow_options *o = &t->s->opt;
	uint64_t heard = t->now - f->leg.progress; /* so long ago */
	uint64_t limit;

	if (!due_take(f, DUE_LAG, t->now))
		return;
	if (f->shed == SHED_CUT && f->wait.on) {
		due_set(t->s, f, DUE_LAG, t->now + t->s->opt.answer_wait);
		return;
	}
	if (f->shed == SHED_CUT) /* its last answer does not come */
		end_leg(t, f, behind(f));
	if (f->shed == SHED_CUT || !f->q.head)
		return;
	limit = f->q.head->now + t->s->opt.max_lag;
	/* A SUT that says nothing may be down: then what waits is withheld. */
	if (limit <= t->now && f->wait.on &&
	    (heard >= o->answer_wait ||
	     (f->leg.state == LEG_SYN_SENT && heard >= o->max_lag)))
		limit = t->now + o->answer_wait;
	if (limit <= t->now)
		shed_want(t->s, f);
	else
		due_set(t->s, f, DUE_LAG, limit);
}

/* There is room for two effects, which is what the timers of a flow send at
 * most before it is pushed: one that ends the leg clears the others.
 */
static void flow_timeout(const struct turn *t, struct flow *f)
{
	timed_idle(t, f);
	if (due_take(f, DUE_GAP, t->now))
		gap_timeout(t, f);
	timed_lag(t, f);
	timed_rto(t, f);
	timed_acks(t, f);
	if (due_take(f, DUE_HOLD, t->now))
		f->leg.hold_passed = true;
	if (due_take(f, DUE_WAIT, t->now))
		wait_due(t, f);
	if (due_take(f, DUE_QUIET, t->now))
		want(t->s, f, WANT_QUIET);
	if (!(f->want & WANT_FREE))
		push_flow(t, f);
	assert(!flow_is_due(f, t->now) || !list_empty(&f->more));
	due_rearm(t->s, f);
}

/* Is @f to end because its SUT is silent? */
static bool in_vain(const struct turn *t, const struct flow *f)
{
	const struct target *sut = &t->s->target[f->sut];

	return f->leg.state != LEG_NONE && f->leg.state != LEG_CLOSED &&
	       sut->silent && !f->wait.on &&
	       (f->leg.progress <= sut->since ||
		t->now - f->leg.progress >= t->s->opt.sut_silent);
}

void shadow_waited(struct shadow *s, struct flow *f, uint64_t now,
		   struct effects *out)
{
	const struct turn t = { s, now, out };
	wait_watch(&t, f);
	if (in_vain(&t, f))
		end_leg(&t, f, FLOW_END_SUT_SILENT);
}

/* A SUT has fallen silent: end its flows, a piece of the table a call. */
static void sweep(const struct turn *t)
{
	uint32_t n = flow_table_n(t->s->flows);
	struct flow *f;

	for (uint32_t i = 0; i < SWEEP_STEP && t->s->sweep_at < n; i++) {
		if (effects_left(t->out) < 2)
			return;
		f = flow_at(t->s->flows, t->s->sweep_at++);
		if (f && in_vain(t, f))
			end_leg(t, f, FLOW_END_SUT_SILENT);
	}
	if (t->s->sweep_at == n)
		t->s->sweep = false;
}

void shadow_timeout(struct shadow *s, uint64_t now, struct effects *out)
{
	const struct turn t = { s, now, out };
	struct timer *timer;
	struct flow *f;

	if (now - s->watched >= NS_PER_SEC)
		targets_watch(&t);
	assert(now - s->watched < NS_PER_SEC);
	if (s->sweep)
		sweep(&t);
	while (effects_left(out) > EFFECTS_MAX / 2 && !list_empty(&s->more)) {
		f = list_entry(s->more.next, struct flow, more);
		list_del(&f->more);
		push_flow(&t, f);
		due_rearm(s, f);
	}
	while (effects_left(out) > EFFECTS_MAX / 2 &&
	       (timer = wheel_pop(&s->wheel, now)))
		flow_timeout(&t, list_entry(timer, struct flow, timer));
}

uint64_t shadow_next_timeout(const struct shadow *s)
{
	uint64_t next = wheel_next(&s->wheel);
	uint64_t watch = s->watched + NS_PER_SEC;

	if (!list_empty(&s->more) || s->sweep)
		return 0;
	for (unsigned i = 0; i < MAP_MAX && next > watch; i++)
		if (target_owes(&s->target[i]) != 0 ||
		    (s->target[i].silent && flow_count(s->flows) > 0))
			next = watch;
	return next;
}
