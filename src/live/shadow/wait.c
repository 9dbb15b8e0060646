/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait.c - How long the SUT's answer is waited for
 *
 * Theory of operation
 *
 * What production has answered and the SUT has not is owed. Of a flow's owed
 * answers the oldest is waited for, one at a time. Its wait begins when
 *   - production's answer is whole; or has begun, the SUT's has not, and nobody
 *     has aborted it
 *   - the request's last byte has been sent to the SUT, or only the SUT keeps
 *     it back: its SYN,ACK is missing, or its window is closed
 *   - the SUT's answer before it is whole, or has been judged
 *   - the window advertised to the SUT lets it speak
 * It begins anew with each byte of the answer, and is as long as answer_wait()
 * says by production's time; answer_limit() bounds it in all. When it is over
 * the engine judges, once, and the next owed answer is waited for. The leg goes
 * on: what the SUT says later is read, so that the pairing stays right.
 *
 * Nothing that is ours may end a wait:
 *   - It ends only when the SUT's wire has been read empty at or after its
 *     time: the answer may lie in the ring. A flow whose time has come before
 *     that asks for it (shadow_waits_due()), and looks again LOOK_AGAIN later.
 *   - While this process stood still (stopped, its machine paused) nobody was
 *     waited for: waits are counted on a clock that stands still meanwhile.
 *   - While a flow waits, no hold, lag or silence ends its leg or lets the
 *     client's FIN or RST out. What must (pool, table) is no verdict on the
 *     SUT.
 *
 * A leg on which a wait has ended without a byte is unheard until one comes. If
 * it ends so, whatever ends it, the SUT owes all that is still open. Once the
 * client is gone there is no second wait on it, so that a dead SUT holds a flow
 * for one wait and not for one an answer.
 *
 * Milliseconds are enough, and 32 bits of them: no wait is as long as a month.
 */
#include <assert.h>

#include "shadow/shadow_internal.h"

#define LOOK_AGAIN NS_PER_MS

/* Now, ms, on the clock that stands still while we do; never 0. */
static uint32_t clock_of(const struct shadow *s, uint64_t now)
{
	uint32_t ms =
		(uint32_t)((now - s->stalled + NS_PER_MS - 1) / NS_PER_MS);

	return ms != 0 ? ms : 1;
}

/* ns since @ms of that clock; before it, 0. */
static uint64_t passed(const struct shadow *s, uint32_t ms, uint64_t now)
{
	int32_t n = (int32_t)(clock_of(s, now) - ms);

	return n > 0 ? (uint64_t)n * NS_PER_MS : 0;
}

/* Production's time for it: to its end, or so far as it is known. */
static uint64_t took(const struct exchange *x)
{
	if (x->flags & X_HAVE_P)
		return (uint64_t)x->p_took * NS_PER_US;
	return x->c_now != 0 && x->p_first > x->c_now ? x->p_first - x->c_now
						      : 0;
}

/* Has production answered what the SUT has not, and is to? An answer that was
 * aborted inside is nobody's debt.
 */
static bool is_owed(const struct flow *f, const struct exchange *x)
{
	return !(x->flags & X_LEFT) &&
	       ((x->flags & X_HAVE_P) ||
		((x->flags & (X_P_BEGUN | X_S_BEGUN)) == X_P_BEGUN &&
		 !(f->w.ev & (EV_C_RST | EV_P_RST))));
}

/* Does the SUT have all that it needs for an answer, or keeps it from coming?
 */
static bool is_asked(const struct flow *f, const struct exchange *x)
{
	if (!(x->flags & X_HAVE_C) && (x->flags & X_C_BEGUN))
		return false;
	if (f->leg.state == LEG_SYN_SENT)
		return true;
	if (f->leg.state != LEG_OPEN || f->leg.s.nxt == f->leg.adv_edge)
		return false;
	return !(x->flags & X_HAVE_C) || f->leg.shut ||
	       seq_le(x->end[WHO_CLIENT], f->leg.snd_nxt);
}

/* The answer that is waited for, or would be; NULL: none. */
static struct exchange *owed(const struct flow *f)
{
	struct exchange *x = f->x.at[WHO_SUT];

	while (x && (x->flags & X_JUDGED))
		x = x->next;
	return x && is_owed(f, x) && is_asked(f, x) ? x : NULL;
}

/* How long the wait for @x runs yet; 0: it is over. */
static uint64_t left(const struct shadow *s, const struct flow *f,
		     const struct exchange *x, uint64_t now)
{
	uint64_t wait = answer_wait(s->opt.answer_wait, took(x));
	uint64_t most = answer_limit(s->opt.answer_wait, took(x));
	uint64_t silent = passed(s, f->wait.from, now);
	uint64_t all = passed(s, x->waited, now);

	if (silent >= wait || all >= most)
		return 0;
	return wait - silent < most - all ? wait - silent : most - all;
}

void wait_stop(struct flow *f)
{
	f->wait.on = false;
	due_clear(f, DUE_WAIT);
}

void wait_watch(const struct turn *t, struct flow *f)
{
	struct exchange *x = owed(f);
	bool whole;

	if (t->s->opt.answer_wait == 0)
		return;
	if (!x || (f->leg.unheard && mirror_over(f))) {
		wait_stop(f);
		return;
	}
	whole = (x->flags & X_HAVE_P) != 0;
	if (f->wait.on && x->waited != 0 && f->wait.whole == whole)
		return;
	f->wait.on = true;
	f->wait.whole = whole;
	f->wait.from = clock_of(t->s, t->now);
	x->waited = f->wait.from;
	due_set(t->s, f, DUE_WAIT, t->now + left(t->s, f, x, t->now));
}

void shadow_answering(struct shadow *s, struct flow *f, uint64_t now)
{
	f->wait.from = clock_of(s, now);
	f->leg.unheard = false;
}

void wait_due(const struct turn *t, struct flow *f)
{
	const struct exchange *x = owed(f);
	uint64_t more;

	assert(f->wait.on);
	if (!x)
		return; /* judged meanwhile */
	more = left(t->s, f, x, t->now);
	if (more == 0 && left(t->s, f, x, t->s->sut_read) == 0) {
		want(t->s, f, WANT_WAIT);
		return;
	}
	t->s->waits_due |= more == 0;
	due_set(t->s, f, DUE_WAIT, t->now + (more != 0 ? more : LOOK_AGAIN));
}

bool shadow_waits_due(const struct shadow *s)
{
	return s->waits_due;
}

void shadow_sut_read(struct shadow *s, uint64_t now)
{
	s->sut_read = now;
	s->waits_due = false;
}

struct exchange *shadow_wait_over(struct shadow *s, struct flow *f,
				  uint64_t now, struct shadow_wait *out)
{
	struct exchange *x = owed(f);

	if (!f->wait.on || !x || left(s, f, x, now) != 0)
		return NULL;
	out->since = now - passed(s, f->wait.from, now);
	out->flowing = passed(s, f->wait.from, now) <
		       answer_wait(s->opt.answer_wait, took(x));
	f->leg.unheard = !out->flowing;
	wait_stop(f);
	return x;
}

bool shadow_waits(const struct shadow *s, const struct flow *f, uint64_t now,
		  uint64_t *since, uint64_t *more)
{
	const struct exchange *x = f->wait.on ? owed(f) : NULL;

	if (!x)
		return false;
	*since = now - passed(s, x->waited, now);
	*more = left(s, f, x, now);
	return true;
}

void shadow_stalled(struct shadow *s, uint64_t ns)
{
	s->stalled += ns;
	for (unsigned i = 0; i < MAP_MAX; i++) {
		struct target *t = &s->target[i];

		t->waiting += t->waiting != 0 ? ns : 0;
		t->owed += t->owed != 0 ? ns : 0;
	}
}
