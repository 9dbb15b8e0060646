/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - What holds of the machine between two calls
 *
 * What needs the machine beside the flow: no time lies ahead, no deadline is
 * further away than the longest wait that sets it, what a SUT owes has a time.
 */
#include <assert.h>

#include "flow/check.h"
#include "shadow/shadow_internal.h"

static const struct ipaddr none;

static uint64_t longest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void check_times(const struct shadow *s, const struct flow *f,
			uint64_t now)
{
	const struct shadow_options *o = &s->opt;
	/* The longest wait that sets each deadline. Without a bound here: the
	 * reader's, and what is as long as production took.
	 */
	const uint64_t most[DUE_COUNT] = {
		[DUE_RTO] = RTO_MAX,
		[DUE_DACK] = longest(DACK_WAIT, o->delay),
		[DUE_SPONT] = SPONT_WAIT,
		[DUE_HOLD] = FIN_HOLD,
		[DUE_GAP] = o->reorder_wait,
		[DUE_LAG] = longest(o->max_lag, o->answer_wait),
		[DUE_IDLE] =
			longest(longest(o->idle, o->answer_wait), TIME_WAIT),
	};
	const struct leg *l = &f->leg;
	const struct exchange *x;

	assert(f->w.last <= now && l->progress <= now && l->rtt_at <= now);
	/* A frame began it. */
	assert(f->w.last != 0 && l->progress != 0);
	assert(f->w.gap_c <= now && f->w.gap_p <= now);
	assert(l->ack_n == 0 ||
	       l->acks[(l->ack_head + l->ack_n - 1u) % FLOW_ACKS].now <= now);
	for (const struct buf *fr = f->q.head; fr != NULL; fr = fr->next)
		assert(fr->now <= f->w.last);
	for (x = f->x.head; x != NULL; x = x->next)
		assert(x->c_now <= now && x->p_acked <= now &&
		       x->p_first <= now &&
		       x->p_took <= (now - x->c_now) / NS_PER_US);
	for (int d = 0; d < DUE_COUNT; d++)
		assert(f->due[d] == WHEEL_NEVER || most[d] == 0 ||
		       f->due[d] <= now + most[d]);
}

/* The answer that is waited for has been waited for since. */
static void check_wait(const struct shadow *s, const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_SUT];

	assert(!f->wait.on || s->opt.answer_wait != 0);
	while (x && (x->flags & X_JUDGED))
		x = x->next;
	if (!f->wait.on)
		return;
	assert(x && x->waited != 0 && !seq_lt(f->wait.from, x->waited));
	assert(!f->wait.whole || (x->flags & X_HAVE_P));
}

/* The mirror's table has it, and what it is played to has an address. */
static void check_found(struct shadow *s, const struct flow *f)
{
	const struct flow *at = flow_find(s->flows, &f->key);

	for (; at != f; at = flow_older(s->flows, at))
		assert(at);
	assert(f->sut < MAP_MAX);
	assert(!f->leg.syn_out || !ipaddr_eq(&s->target[f->sut].ip, &none));
}

static void check_flow(struct shadow *s, const struct flow *f, uint64_t now)
{
	const struct flow *at = flow_find_sut(s->flows, f->sut, f->sport,
					      &f->key.client, f->eport);
	bool live = f->leg.state == LEG_SYN_SENT || f->leg.state == LEG_OPEN;

	flow_check(f);
	check_found(s, f);
	assert(live ? at == f : at != f || f->leg.state == LEG_CLOSED);
	assert(!live || f->eport == f->key.cport ||
	       !((f->eport ^ f->key.cport) & PORT_ALIKE));
	assert(f->leg.tries <= DATA_TRIES && f->leg.dupacks <= DUPACKS);
	assert(f->leg.state != LEG_SYN_SENT || f->leg.tries <= SYN_TRIES);
	assert(f->w.c_mss >= MSS_LEAST);
	assert(f->leg.mss == 0 || f->leg.mss >= MSS_LEAST);
	assert(f->q.kept_bytes <= s->lim.flow_share);
	assert(s->opt.reopen || f->q.reopened == 0);
	assert(!f->w.unconfirmed || s->two_sided);
	assert(f->class != FLOW_TIME_WAIT || mirror_over(f));
	check_times(s, f, now);
	check_wait(s, f);
}

static void check_rate(const struct rate *r, uint32_t most, uint64_t now)
{
	assert(r->since <= now && r->n <= most);
}

static void check_target(const struct shadow *s, const struct target *t,
			 uint64_t now)
{
	assert(t->silent || !t->app_stalled);
	assert(t->waiting <= now && t->owed <= now);
	assert(t->owed == 0 || t->owed_flow != 0);
	assert(t->lag <= t->lag_at && t->lag_at <= now);
	assert(t->waiting == 0 || !ipaddr_eq(&t->ip, &none));
	assert(t->swept <= now && t->trial <= now);
	if (t->silent)
		assert(t->owing != 0 && t->owing <= t->since &&
		       t->since <= t->swept && t->since <= t->trial);
	check_rate(&t->strays, s->opt.strays, now);
}

void shadow_check(struct shadow *s, uint64_t now)
{
	const struct flow *f;
	uint32_t shaking = 0;
	uint32_t n = 0;
	uint32_t at = 0;

	while ((f = shadow_next_flow(s, &at))) {
		check_flow(s, f, now);
		shaking += f->leg.state == LEG_SYN_SENT;
		n++;
	}
	assert(n == flow_count(s->flows) && shaking == s->shaking);
	assert(s->watched <= now && s->sut_read <= now && s->stalled <= now);
	assert(s->sweep_at <= flow_table_n(s->flows));
	check_rate(&s->older, OLDER_RATE, now);
	for (unsigned i = 0; i < MAP_MAX; i++)
		check_target(s, &s->target[i], now);
}
