/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadow.c - The machine: segments in
 *
 * Theory of operation
 *
 * Every segment first changes what is known (those of the mirror here, those of
 * the SUT in sut.c), then the engine frames the bytes it brought (span.c), then
 * shadow_push() looks at the whole flow and does what may be done: start,
 * bytes, acks, FIN or RST, end. Nothing is decided on the way in; therefore the
 * order of events does not matter beyond what they say.
 */
#include "shadow/shadow.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "shadow/shadow_internal.h"

size_t shadow_size(const struct limits *lim)
{
	return arena_need(sizeof(struct shadow)) + flow_table_size(lim->flows) +
	       pool_size(lim->pool);
}

int shadow_init(struct shadow **out, struct arena *a, const struct limits *lim,
		const struct shadow_options *opt, const struct hash_key *key,
		uint64_t now)
{
	struct shadow *s;
	int r;

	if (a->size - a->used < shadow_size(lim))
		return -ENOMEM;
	s = arena_take(a, sizeof(*s));
	r = flow_table_init(&s->flows, a, lim->flows, key);
	if (r != 0)
		return r;
	r = pool_init(&s->pool, a, lim->pool);
	if (r != 0)
		return r;
	s->opt = *opt;
	s->lim = *lim;
	s->pool_scarce = pool_total(s->pool) - pool_total(s->pool) / POOL_SPARE;
	s->rng.s = key->k[0] ^ key->k[1];
	s->watched = now;
	list_init(&s->attention);
	list_init(&s->more);
	wheel_init(&s->wheel, now);
	*out = s;
	return 0;
}

void shadow_add_sut(struct shadow *s, uint8_t sut, const struct ipaddr *ip)
{
	s->target[sut].ip = *ip;
}

void shadow_set_ready(struct shadow *s, uint8_t sut, bool ready)
{
	s->target[sut].ready = ready;
}

void shadow_gate(struct shadow *s, struct flow *f, enum flow_gate gate,
		 struct list *wait)
{
	bool listed = !list_empty(&f->more);

	/* What is due for a leg that waits is due when it no longer does. */
	list_del(&f->more);
	f->leg.gate = (uint8_t)gate;
	if (wait)
		list_add_tail(wait, &f->more);
	else if (listed)
		list_add_tail(&s->more, &f->more);
}

void shadow_route_lost(struct shadow *s)
{
	s->count.routes_lost++;
}

void shadow_two_sided(struct shadow *s)
{
	s->two_sided = true;
}

struct pool *shadow_pool(struct shadow *s)
{
	return s->pool;
}

/* --- the mirror --- */

/* The client's ack is news. Where production's place is lost nobody counts what
 * it sent, so the ack does. A SUT that is a whole window and more behind is
 * behind.
 */
static void client_acks(const struct turn *t, struct flow *f, uint32_t ack,
			uint32_t win)
{
	bool open = f->leg.state != LEG_NONE && f->leg.state != LEG_CLOSED;

	f->w.c_ack = ack;
	f->w.c_win = win;
	if ((f->w.flags & W_PLOST) && ack - f->w.p.nxt > WINDOW_MOST &&
	    seq_lt(f->w.p.nxt, ack))
		shadow_skip_prod(t->s, f, ack - WINDOW_MOST);
	if (!open || (f->leg.flags & L_DRAIN))
		return;
	if (!seq_in(ack, f->leg.cli_ack - WINDOW_MOST,
		    f->leg.cli_ack + WINDOW_MOST + 1))
		f->leg.ending = (uint8_t)behind(f);
	else
		ack_queue(t, f, ack, win);
}

static void client_window(const struct turn *t, struct flow *f,
			  const struct segment *seg)
{
	bool scaled =
		(f->w.flags & W_P_WSCALE) && (f->w.c_has & OPT_HAS_WSCALE);
	uint32_t win = (uint32_t)seg->win << (scaled ? f->w.c_wscale : 0);
	bool news = seq_lt(f->w.c_ack, seg->ack);

	if (!news && (seg->ack != f->w.c_ack || win == f->w.c_win))
		return;
	client_acks(t, f, seg->ack, win);
}

static void client_reset(struct flow *f, const struct segment *seg)
{
	/* Production drops a RST in front of its window (RFC 5961 section 3.2),
	 * and that is nowhere before what it has acked. A client sends such a
	 * one to an older incarnation that production has not forgotten (RFC
	 * 9293 section 3.10.7.3, SYN-SENT).
	 */
	if (!seq_in(seg->seq, f->w.p_ack, f->w.c.nxt + WINDOW_MOST))
		return;
	if (!(f->w.ev & EV_C_RST))
		f->w.rst_ack = f->w.c_ack;
	f->w.ev |= EV_C_RST;
}

bool shadow_client(struct shadow *s, struct flow *f, const struct segment *seg,
		   uint64_t now)
{
	const struct turn t = { s, now, NULL };

	f->w.last = now;
	flow_touch(s->flows, f);
	if (seg->flags & TCP_RST) {
		client_reset(f, seg);
		return true;
	}
	if ((seg->flags & (TCP_ACK | TCP_SYN)) != TCP_ACK)
		return true;
	if (acks_unsent(f, seg->ack)) {
		s->count.client_acks_unsent++;
		return false;
	}
	if (!(f->w.ev & EV_C_ACK)) {
		if (seq_le(seg->seq, f->w.c_iss))
			return true; /* late, of an older incarnation */
		f->w.ev |= EV_C_ACK;
		if (f->class == FLOW_HALF_OPEN)
			flow_set_class(s->flows, f, FLOW_LIVE);
		if (!(f->w.ev & EV_P_SYNACK)) {
			s->count.inferred_prod_synack++;
			f->w.ev |= EV_P_SYNACK;
		}
		if (!stream_has(&f->w.p, STREAM_ON)) {
			f->w.flags |= W_P_WSCALE;
			prod_start(f, seg->ack);
		}
	}
	if ((seg->opts.has & OPT_HAS_TS) &&
	    seq_lt(f->w.c_tsval, seg->opts.tsval))
		f->w.c_tsval = seg->opts.tsval;
	client_window(&t, f, seg);
	s->count.client_segments += seg->len > 0;
	s->count.client_payload += seg->len;
	if (f->w.flags & W_LOST)
		f->w.lost_seen += seg->len;
	if (seg->len <= 1 && seg->seq == f->w.c.nxt - 1 &&
	    !(seg->flags & TCP_FIN))
		s->count.client_keepalive++;
	if (seg->len > seg->cap) {
		s->count.client_truncated++;
		f->w.flags |= W_CUT;
		f->w.c_cut = seg->seq + seg->len;
		assert(seq_lt(seg->seq + seg->cap, f->w.c_cut));
	}
	if ((seg->flags & TCP_FIN) && (f->w.flags & W_LOST))
		f->w.ev |= EV_C_FIN; /* its place does not matter any more */
	if ((seg->flags & TCP_FIN) && !stream_has(&f->w.c, STREAM_FIN)) {
		stream_fin(&f->w.c, seg->seq + seg->len);
		/* One of an older incarnation is not taken. */
		if (stream_has(&f->w.c, STREAM_FIN))
			f->w.rst_ack = seg->ack;
	}
	return true;
}

/* The client takes a RST that acks its SYN (RFC 9293 section 3.10.7.3), and
 * later none outside of its window (RFC 5961 section 3.2): that would be of an
 * older incarnation.
 */
static void production_reset(struct flow *f, const struct segment *seg)
{
	bool on = stream_has(&f->w.p, STREAM_ON);

	if (on ? !in_client_window(f, seg->seq)
	       : !(seg->flags & TCP_ACK) || seq_le(seg->ack, f->w.c_iss))
		return;
	if (!(f->w.ev & (EV_P_RST | EV_C_RST)))
		f->w.rst_ack = on ? f->w.p.nxt : f->w.c_ack;
	f->w.ev |= EV_P_RST;
}

/* Production's own SYN without an ACK: that came before (RFC 9293 section 3.5,
 * simultaneous), or comes yet. Its numbers begin here.
 */
static void production_syn(struct flow *f, const struct segment *seg)
{
	if (!(seg->flags & TCP_SYN) || stream_has(&f->w.p, STREAM_ON))
		return;
	if (seg->opts.has & OPT_HAS_WSCALE)
		f->w.flags |= W_P_WSCALE;
	prod_start(f, seg->seq + 1);
}

void shadow_production(struct shadow *s, struct flow *f,
		       const struct segment *seg, uint64_t now)
{
	struct exchange *x;

	f->w.last = now;
	if (seg->flags & TCP_RST) {
		production_reset(f, seg);
		return;
	}
	if (!(seg->flags & TCP_ACK)) {
		production_syn(f, seg);
		return;
	}
	if (!stream_has(&f->w.p, STREAM_ON)) {
		bool syn = (seg->flags & TCP_SYN);

		/* An older incarnation that production has not forgotten: it
		 * answers the new one's SYN so (RFC 5961 section 4.2).
		 */
		if (seq_le(seg->ack, f->w.c_iss))
			return;
		if (acks_syn_alone(f, seg)) {
			f->w.ev |= EV_P_SYNACK;
			return;
		}
		if (!syn)
			s->count.inferred_prod_synack++;
		if (!syn || (seg->opts.has & OPT_HAS_WSCALE))
			f->w.flags |= W_P_WSCALE;
		f->w.ev |= EV_P_SYNACK;
		prod_start(f, syn ? seg->seq + 1 : seg->seq);
	}
	if (seq_lt(f->w.c_iss, seg->ack))
		f->w.ev |= EV_P_SYNACK;
	if (seq_lt(f->w.p_ack, seg->ack) &&
	    seq_lt(seg->ack, f->w.p_ack + WINDOW_MOST)) {
		f->w.p_ack = seg->ack;
		f->w.unconfirmed = false;
	}
	for (x = f->x.pack; x && (x->flags & X_HAVE_C) &&
			    seq_le(x->end[WHO_CLIENT], f->w.p_ack);
	     x = x->next) {
		x->flags |= X_P_ACKED;
		x->p_acked = now;
		if (x->flags & X_DELIVERED)
			hist_add(&s->behind, 0);
		f->x.pack = x->next;
	}
	s->count.prod_segments += seg->len > 0;
	s->count.prod_payload += seg->len;
	if (seg->len > seg->cap)
		s->count.prod_truncated++;
	if ((seg->flags & (TCP_FIN | TCP_SYN)) != TCP_FIN)
		return;
	stream_fin(&f->w.p, seg->seq + seg->len);
	if (f->w.flags & W_PLOST)
		f->w.ev |= EV_P_FIN; /* its place does not matter any more */
}

/* --- what may be done now --- */

/* Bits that the streams prove. */
static void settle(struct flow *f)
{
	stream_settle(&f->w.c);
	stream_settle(&f->w.p);
	stream_settle(&f->leg.s);
	if (stream_has(&f->w.c, STREAM_ENDED))
		f->w.ev |= EV_C_FIN;
	if (stream_has(&f->w.p, STREAM_ENDED))
		f->w.ev |= EV_P_FIN;
	if (stream_has(&f->leg.s, STREAM_ENDED))
		f->leg.ev |= EV_S_FIN;
}

/* A leg that waits: may it start? */
static void wait_over(const struct turn *t, struct flow *f)
{
	if (f->w.unconfirmed) {
		if (reset_by(f) != FLOW_END_NONE)
			leg_over(t, f, reset_by(f));
		return;
	}
	if (f->older && f->leg.hold_passed) {
		f->older->newer = NULL;
		f->older = NULL;
	}
	if (!f->older && !left_next(f) && (f->q.head || !f->q.left))
		start_leg(t, f);
}

void push_flow(const struct turn *t, struct flow *f)
{
	enum shut shut = SHUT_NOT;

	settle(f);
	gap_watch(t, f);
	if (f->leg.ending != FLOW_END_NONE) {
		end_leg(t, f, (enum flow_end)f->leg.ending);
		return;
	}
	if (f->leg.state != LEG_NONE && f->leg.state != LEG_CLOSED &&
	    f->shed != SHED_NO)
		shed_push(t, f);
	if (f->leg.state == LEG_OPEN || f->leg.state == LEG_WAITING)
		left_push(t, f);
	if (f->leg.state == LEG_OPEN)
		shut = reopen_push(t, f);
	if (f->leg.state == LEG_WAITING)
		wait_over(t, f);
	if (f->leg.state == LEG_OPEN && (f->w.ev & EV_C_ACK)) {
		if (shut == SHUT_NOT)
			send_data(t, f);
		ack_push(t, f);
	}
	gap_push(t, f);
	wait_watch(t, f);
	if (f->leg.state == LEG_SYN_SENT ||
	    (f->leg.state == LEG_OPEN && shut != SHUT_TO_ALL))
		close_push(t, f);
	if (f->leg.state == LEG_CLOSED)
		ack_again(t, f);
	close_if_done(t, f);
}

void shadow_push(struct shadow *s, struct flow *f, uint64_t now,
		 struct effects *out)
{
	const struct turn t = { s, now, out };

	push_flow(&t, f);
}

void shadow_arm_quiet(struct shadow *s, struct flow *f, uint64_t when)
{
	due_set(s, f, DUE_QUIET, when);
}

void shadow_free(struct shadow *s, struct flow *f)
{
	assert(f->leg.state == LEG_NONE || f->leg.state == LEG_CLOSED);
	assert(!f->newer); /* it waits for a leg only */
	if (f->older)
		f->older->newer = NULL;
	/* Holes that were not believed yet stay open for good. */
	count_missing(
		s, f,
		stream_has(&f->w.c, STREAM_ENDED) ? f->w.c.nxt : f->w.p_ack,
		stream_has(&f->w.p, STREAM_ENDED) ? f->w.p.nxt : f->w.c_ack);
	stream_drop(&f->w.c, s->pool);
	stream_drop(&f->w.p, s->pool);
	stream_drop(&f->leg.s, s->pool);
	wheel_disarm(&s->wheel, &f->timer);
	flow_free(s->flows, f);
}

void shadow_unsent(struct shadow *s, const struct effect *e, uint64_t now)
{
	struct flow *f;

	s->count.unsent++;
	if (e->flow == 0)
		return;
	f = flow_find_sut(s->flows, e->sut, e->dport, &e->src, e->sport);
	if (!f || f->id != e->flow ||
	    (e->len == 0 && !(e->flags & (TCP_SYN | TCP_FIN))))
		return;
	if (f->leg.tries > 0) /* the SUT was not asked */
		f->leg.tries--;
	due_set(s, f, DUE_RTO, now + UNSENT_WAIT);
}

void shadow_left(struct shadow *s, const struct effect *e, uint64_t stamp)
{
	struct flow *f =
		flow_find_sut(s->flows, e->sut, e->dport, &e->src, e->sport);
	uint32_t to = e->seq + e->len + ((e->flags & TCP_SYN) != 0);
	unsigned steps = LEFT_STEPS;
	struct exchange *x;

	assert(e->timed);
	if (!f || f->id != e->flow)
		return;
	f->leg.left_to = to;
	f->leg.left_ts = stamp;
	for (x = f->x.deliver;
	     x && (x->flags & X_HAVE_C) && seq_le(x->end[WHO_CLIENT], to);
	     x = x->next) {
		if (seq_lt(e->seq, x->end[WHO_CLIENT]))
			x->s_left = stamp;
		else if (steps-- == 0)
			return;
	}
}

void shadow_left_seen(struct flow *f)
{
	f->leg.left_ts = 0;
}

struct flow *shadow_next_flow(struct shadow *s, uint32_t *at)
{
	struct flow *f = NULL;

	while (!f && *at < flow_table_n(s->flows))
		f = flow_at(s->flows, (*at)++);
	return f;
}

struct flow *shadow_any(struct shadow *s)
{
	struct flow *f = NULL;

	for (int c = 0; c < FLOW_CLASSES && !f; c++)
		f = flow_oldest(s->flows, (enum flow_class)c);
	return f;
}

bool shadow_hold_prod(struct shadow *s, struct flow *f,
		      const struct segment *seg, uint64_t now)
{
	if (!seg || seg->len == 0 || seg->cap != seg->len ||
	    (seg->flags & TCP_SYN))
		return true;
	return stream_hold(&f->w.p, s->pool, seg, now) != STREAM_FULL;
}

void shadow_lost(struct shadow *s, struct flow *f)
{
	for (const struct buf *fr = f->w.c.early; fr != NULL; fr = fr->next)
		f->w.lost_seen += fr->len;
	f->w.syn_data = false;
	stream_drop(&f->w.c, s->pool);
}

void shadow_skip_prod(struct shadow *s, struct flow *f, uint32_t to)
{
	s->count.gap_prod_bytes += stream_skip(&f->w.p, s->pool, to);
}

const struct shadow_counters *shadow_counters(const struct shadow *s)
{
	return &s->count;
}

const struct histogram *shadow_behind(const struct shadow *s)
{
	return &s->behind;
}

uint32_t shadow_flows(const struct shadow *s)
{
	return flow_count(s->flows);
}

uint32_t shadow_flows_peak(const struct shadow *s)
{
	return flow_peak(s->flows);
}

uint32_t shadow_timers(const struct shadow *s)
{
	return s->wheel.count;
}
