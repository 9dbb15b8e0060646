/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * time.c - A flow's deadlines, and what is left over
 *
 * Theory of operation
 *
 * A flow has several deadlines and one timer in the wheel, armed for the
 * earliest. A deadline that is moved later or cleared does not touch the wheel:
 * when the timer fires, the flow looks at what is really due and arms it again.
 * So the idle limit costs nothing per segment (I26).
 *
 * What did not fit into a call's effects is due at once: the flow goes to the end
 * of the list of those, and shadow_timeout() serves them in turn.
 *
 * A SUT is silent when nothing at all has come for so long although we sent, or
 * when it owes an answer that production gave and no payload of it has come: its
 * kernel may ack for a server that hangs (it is then called mute). Its flows are
 * ended, but one request that it has taken stays with it, and one flow a second
 * is played as a trial; a trial that stays without progress ends as the others
 * did. Any frame proves that a SUT is back, of a mute one only payload does.
 */
#include "shadow/shadow_internal.h"

void due_set(struct shadow *s, struct flow *f, enum flow_due d, uint64_t when)
{
	f->due[d] = when;
	if (!timer_armed(&f->timer) || when < f->timer.when)
		wheel_arm(&s->wheel, &f->timer, when);
}

void due_clear(struct flow *f, enum flow_due d)
{
	f->due[d] = WHEEL_NEVER;
}

void want(struct shadow *s, struct flow *f, uint16_t bits)
{
	f->want |= bits;
	if (list_empty(&f->attention))
		list_add_tail(&s->attention, &f->attention);
}

void more_later(struct shadow *s, struct flow *f)
{
	s->count.effects_left_over++;
	if (list_empty(&f->more))
		list_add_tail(&s->more, &f->more);
}

struct flow *shadow_attention(struct shadow *s, uint16_t *bits)
{
	struct flow *f;

	if (list_empty(&s->attention))
		return NULL;
	f = list_entry(s->attention.next, struct flow, attention);
	list_del(&f->attention);
	*bits = f->want;
	f->want = 0;
	return f;
}

/* Is @d due? Then it is cleared. */
static bool take(struct flow *f, enum flow_due d, uint64_t now)
{
	if (f->due[d] > now)
		return false;
	f->due[d] = WHEEL_NEVER;
	return true;
}

static void rearm(struct shadow *s, struct flow *f)
{
	uint64_t first = WHEEL_NEVER;

	for (int d = 0; d < DUE_COUNT; d++)
		if (f->due[d] < first)
			first = f->due[d];
	if (first != WHEEL_NEVER)
		wheel_arm(&s->wheel, &f->timer, first);
}

/* The acks that a timer forces. */
static void timed_acks(struct shadow *s, struct flow *f, uint64_t now,
		       struct effects *out)
{
	bool dack = take(f, DUE_DACK, now);
	bool spont = take(f, DUE_SPONT, now);
	enum effect_cause cause;
	struct ack_plan p;

	if (!dack && !spont)
		return;
	p = ack_plan(f, now, &s->opt, spont);
	cause = p.partial || spont ? CAUSE_ACK_PARTIAL : p.cause;
	if (p.ack == f->ack_sent && (f->flags & FLOW_HANDSHAKE) == 0)
		return;
	if (spont)
		s->count.acks_spontaneous++;
	f->force_ack = spont;
	effect_tcp(s, f, out, cause, TCP_ACK);
	f->force_ack = false;
}

/* After so many tries a leg ends; one whose answer is waited for ends with that, and
 * is not tried any more. Return: there is no other try
 */
static bool tried(struct shadow *s, struct flow *f, uint8_t most,
		  enum flow_end why, uint64_t now, struct effects *out)
{
	if (f->tries < most)
		return false;
	if (f->waiting)
		due_set(s, f, DUE_RTO, now + RTO_MAX);
	else
		shadow_end(s, f, why, now, out);
	return true;
}

/* A retransmission timer: SYN, data, FIN, or a probe of a closed window. */
static void timed_rto(struct shadow *s, struct flow *f, uint64_t now,
		      struct effects *out)
{
	const struct target *t = &s->target[f->sut];

	if (!take(f, DUE_RTO, now))
		return;
	if (t->silent && f->tries > 0 && !f->waiting) {
		shadow_end(s, f, FLOW_END_SUT_SILENT, now, out);
		return;
	}
	if (f->leg == LEG_SYN_SENT) {
		if (s->opt.proof)
			want(s, f, WANT_DEAF);
		if (tried(s, f, SYN_TRIES, FLOW_END_SYN_TIMEOUT, now, out))
			return;
		f->tries++;
		send_syn(s, f, now, out, CAUSE_SYN_AGAIN);
		return;
	}
	if (tried(s, f, DATA_TRIES, FLOW_END_NO_PROGRESS, now, out))
		return;
	f->tries++;
	retransmit(s, f, now, out);
}

static void timed_idle(struct shadow *s, struct flow *f, uint64_t now,
		       struct effects *out)
{
	if (!take(f, DUE_IDLE, now))
		return;
	if (f->class == FLOW_TIME_WAIT) {
		want(s, f, WANT_FREE);
		return;
	}
	if (f->waiting) {
		due_set(s, f, DUE_IDLE, now + s->opt.answer_wait);
		return;
	}
	if (now - f->last < s->opt.idle) {
		due_set(s, f, DUE_IDLE, f->last + s->opt.idle);
		return;
	}
	shadow_end(s, f, FLOW_END_IDLE, now, out);
	want(s, f, WANT_FREE);
}

static void timed_lag(struct shadow *s, struct flow *f, uint64_t now,
		      struct effects *out)
{
	uint64_t limit;

	if (!take(f, DUE_LAG, now))
		return;
	if (f->shed == SHED_CUT && f->waiting) {
		due_set(s, f, DUE_LAG, now + s->opt.answer_wait);
		return;
	}
	if (f->shed == SHED_CUT) /* its last answer does not come */
		shadow_end(s, f, behind(f), now, out);
	if (f->shed == SHED_CUT || f->q_head == NULL)
		return;
	limit = f->q_head->now + s->opt.max_lag;
	/* A SUT that says nothing may be down: then what waits is withheld. */
	if (limit <= now && f->waiting &&
	    now - f->s_progress >= s->opt.answer_wait)
		limit = now + s->opt.answer_wait;
	if (limit <= now)
		shed_want(s, f);
	else
		due_set(s, f, DUE_LAG, limit);
}

/* There is room for two effects, which is what the timers of a flow send at most
 * before it is pushed: one that ends the leg clears the others.
 */
static void flow_timeout(struct shadow *s, struct flow *f, uint64_t now,
			 struct effects *out)
{
	timed_idle(s, f, now, out);
	if (take(f, DUE_GAP, now))
		gap_timeout(s, f, now);
	timed_lag(s, f, now, out);
	timed_rto(s, f, now, out);
	timed_acks(s, f, now, out);
	if (take(f, DUE_HOLD, now))
		f->hold_passed = true;
	if (take(f, DUE_WAIT, now))
		wait_due(s, f, now);
	if (take(f, DUE_QUIET, now))
		want(s, f, WANT_QUIET);
	if ((f->want & WANT_FREE) == 0)
		shadow_push(s, f, now, out);
	rearm(s, f);
}

/* Since when a SUT owes us anything; 0: it does not. */
static uint64_t target_owes(const struct target *t)
{
	if (t->waiting == 0 || (t->owed != 0 && t->owed < t->waiting))
		return t->owed;
	return t->waiting;
}

void target_back(struct target *t)
{
	if (t->silent)
		t->owed = 0;
	t->silent = false;
	t->mute = false;
}

static void fall_silent(struct shadow *s, struct target *t, uint64_t now)
{
	t->silent = true;
	t->owing = target_owes(t);
	t->mute = t->waiting == 0 || now - t->waiting < s->opt.sut_silent;
	t->asked = 0;
	t->since = now;
	t->trial = now;
	s->count.sut_silences++;
}

/* Has a SUT that owes us something been silent for too long? While it is, its
 * trials are looked at.
 */
static void watch_targets(struct shadow *s, uint64_t now)
{
	for (unsigned i = 0; i < MAP_MAX; i++) {
		struct target *t = &s->target[i];
		uint64_t since = t->silent ? t->swept : target_owes(t);

		if (since == 0 || now - since < s->opt.sut_silent)
			continue;
		if (!t->silent)
			fall_silent(s, t, now);
		t->swept = now;
		s->sweep = true;
		s->sweep_at = 0;
	}
	s->watched = now;
}

/* Is @f to end because its SUT is silent? */
static bool in_vain(const struct shadow *s, const struct flow *f, uint64_t now)
{
	const struct target *t = &s->target[f->sut];

	return f->leg != LEG_NONE && f->leg != LEG_CLOSED && t->silent &&
	       !f->waiting &&
	       (f->s_progress <= t->since ||
		now - f->s_progress >= s->opt.sut_silent);
}

void shadow_waited(struct shadow *s, struct flow *f, uint64_t now,
		   struct effects *out)
{
	wait_watch(s, f, now);
	if (in_vain(s, f, now))
		shadow_end(s, f, FLOW_END_SUT_SILENT, now, out);
}

/* A SUT has fallen silent: end its flows, a piece of the table a call. */
static void sweep(struct shadow *s, uint64_t now, struct effects *out)
{
	uint32_t n = flow_table_n(s->flows);
	struct flow *f;

	for (uint32_t i = 0; i < SWEEP_STEP && s->sweep_at < n; i++) {
		if (effects_left(out) < 2)
			return;
		f = flow_at(s->flows, s->sweep_at++);
		if (f != NULL && in_vain(s, f, now))
			shadow_end(s, f, FLOW_END_SUT_SILENT, now, out);
	}
	if (s->sweep_at == n)
		s->sweep = false;
}

void shadow_timeout(struct shadow *s, uint64_t now, struct effects *out)
{
	struct timer *t;
	struct flow *f;

	s->now = now;
	if (now - s->watched >= NS_PER_SEC)
		watch_targets(s, now);
	if (s->sweep)
		sweep(s, now, out);
	while (effects_left(out) > EFFECTS_MAX / 2 && !list_empty(&s->more)) {
		f = list_entry(s->more.next, struct flow, more);
		list_del(&f->more);
		shadow_push(s, f, now, out);
		rearm(s, f);
	}
	while (effects_left(out) > EFFECTS_MAX / 2 &&
	       (t = wheel_pop(&s->wheel, now)) != NULL)
		flow_timeout(s, list_entry(t, struct flow, timer), now, out);
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
