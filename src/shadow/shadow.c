/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadow.c - The machine: segments in
 *
 * Theory of operation
 *
 * Every segment first changes what is known (this file), then the engine frames
 * the bytes it brought, then shadow_push() looks at the whole flow and does what
 * may be done: start, bytes, acks, FIN or RST, end. Nothing is decided on the way
 * in; therefore the order of events does not matter beyond what they say.
 *
 * Holes: what production acks must have been captured, and what the client acks
 * too. If it has not, and is not there after REORDER_WAIT, a hole is believed: in
 * the client's stream it ends the leg, and the flow resumes at the client's next
 * message; in production's stream it costs a comparison (I17).
 */
#include "shadow/shadow.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "shadow/shadow_internal.h"

#define WSCALE_MAX 14 /* RFC 7323 section 2.3 */
#define MID_WSCALE 7  /* the client's scale is unknown: as Linux */
#define MID_WINDOW 65535u
#define MID_MSS_4  1460
#define MID_MSS_6  1440
#define MSS_LEAST  64 /* less would be an attack on us */
/* A victim is ended before the table is full: freeing it takes a call more. */
#define SPARE_FLOWS 2

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

bool shadow_is_silent(const struct shadow *s, uint8_t sut)
{
	return s->target[sut].silent;
}

void shadow_heard(struct shadow *s, uint8_t sut, uint64_t now)
{
	struct target *t = &s->target[sut];

	(void)now;
	t->waiting = 0;
	if (t->silent && !t->mute)
		target_back(t);
}

struct pool *shadow_pool(struct shadow *s)
{
	return s->pool;
}

struct flow *shadow_find(struct shadow *s, const struct flow_key *key)
{
	return flow_find(s->flows, key);
}

/* --- new flows --- */

/* Make room by ending somebody, as the limits say (I29). */
static struct flow *make_room(struct shadow *s, const struct flow_key *key,
			      uint64_t now, struct effects *out)
{
	bool half = flow_half_full(s->flows);
	struct flow *v = NULL;

	if (half ||
	    flow_count(s->flows) + SPARE_FLOWS >= flow_table_n(s->flows))
		v = flow_victim(s->flows, half);
	if (v != NULL && (v->want & WANT_FREE) == 0) {
		s->count.victims++;
		s->count.victims_half_open += v->class == FLOW_HALF_OPEN;
		shadow_end(s, v, FLOW_END_VICTIM, now, out);
		/* Without room for a RST the SUT gets one when it speaks. */
		leg_over(s, v, FLOW_END_VICTIM, now);
		want(s, v, WANT_FREE);
	}
	return flow_new(s->flows, key);
}

static struct flow *flow_make(struct shadow *s, const struct flow_key *key,
			      const struct shadow_leg *leg,
			      const struct segment *seg, uint64_t now,
			      struct effects *out)
{
	struct flow *f = make_room(s, key, now, out);

	if (f == NULL) {
		s->count.flows_not_played++;
		return NULL;
	}
	s->count.flows_seen++;
	f->sut = leg->sut;
	f->sport = leg->sport;
	f->leg = LEG_WAITING;
	f->ttl = seg->ttl;
	f->last = now;
	f->s_progress = now;
	due_set(s, f, DUE_IDLE, now + s->opt.idle);
	if (!leg->play)
		leg_over(s, f, FLOW_END_OBSERVED, now);
	return f;
}

/* Take from a SYN what we pass on; the rest is removed and counted. */
static void syn_options(struct shadow *s, struct flow *f,
			const struct segment *seg)
{
	const struct tcp_opts *o = &seg->opts;
	uint16_t stripped =
		OPT_HAS_FASTOPEN | OPT_HAS_MPTCP | OPT_HAS_MD5 | OPT_HAS_AO;

	f->c_has = (uint8_t)(o->has & (OPT_HAS_MSS | OPT_HAS_WSCALE |
				       OPT_HAS_SACK_OK | OPT_HAS_TS));
	f->c_mss = ipaddr_is4(&seg->src) ? TCP_MSS_4 : TCP_MSS_6;
	if ((o->has & OPT_HAS_MSS) != 0 && o->mss >= MSS_LEAST)
		f->c_mss = o->mss;
	f->c_wscale = 0;
	if ((o->has & OPT_HAS_WSCALE) != 0)
		f->c_wscale = o->wscale < WSCALE_MAX ? o->wscale : WSCALE_MAX;
	f->c_tsval = o->tsval;
	if ((o->has & stripped) != 0 || seg->len > 0 ||
	    (seg->flags & (TCP_ECE | TCP_CWR)) != 0)
		s->count.syn_stripped++;
}

/* The client's numbers at the start. */
static void client_start(struct flow *f, uint32_t iss, uint16_t win)
{
	f->c_iss = iss;
	stream_start(&f->c, iss + 1);
	f->p_ack = iss + 1;
	f->snd_una = iss + 1;
	f->snd_nxt = iss + 1;
	f->c_win = win;
	f->a_win = win;
	f->edge = win; /* what the SYN says, until the SUT has numbers */
}

/* The tuple has a new incarnation: no more will come for the old one. */
static void supersede(struct shadow *s, struct flow *old, struct flow *f,
		      uint64_t now)
{
	old->flags |= FLOW_SUPERSEDED;
	if (!stream_has(&old->c, STREAM_FIN) &&
	    (old->ev & (EV_C_RST | EV_P_RST)) == 0)
		old->rst_ack = old->c_ack;
	if (old->leg == LEG_NONE || old->leg == LEG_CLOSED) {
		remember_if_over(s, old, now);
		return;
	}
	s->count.flows_waited++;
	f->older = old;
	old->newer = f;
	due_set(s, f, DUE_HOLD, now + REUSE_WAIT);
	more_later(s, old);
}

struct flow *shadow_syn(struct shadow *s, const struct flow_key *key,
			const struct shadow_leg *leg, const struct segment *seg,
			uint64_t now, struct effects *out)
{
	struct flow *old = flow_find(s->flows, key);
	struct flow *f;

	s->now = now;
	/* Also if the capture showed it behind the first data, where the flow
	 * was joined.
	 */
	if (old != NULL && old->c_iss == seg->seq) {
		s->count.client_syn_again++;
		old->last = now;
		return old;
	}
	f = flow_make(s, key, leg, seg, now, out);
	if (f == NULL)
		return NULL;
	syn_options(s, f, seg);
	client_start(f, seg->seq, seg->win);
	if (old != NULL)
		supersede(s, old, f, now);
	return f;
}

/* Make up what a handshake would have told. */
static void made_up(struct flow *f, bool ts, uint32_t tsval, bool ip4)
{
	f->flags |= FLOW_MID | FLOW_P_WSCALE;
	f->ev = EV_C_ACK | EV_P_SYNACK;
	if ((f->c_has & OPT_HAS_MSS) == 0) {
		f->c_has = OPT_HAS_MSS | OPT_HAS_SACK_OK | OPT_HAS_WSCALE;
		f->c_mss = ip4 ? MID_MSS_4 : MID_MSS_6;
		f->c_wscale = MID_WSCALE;
	}
	if (ts) {
		f->c_has |= OPT_HAS_TS;
		f->c_tsval = tsval;
	}
}

static void prod_start(struct flow *f, uint32_t seq)
{
	stream_start(&f->p, seq);
	f->c_ack = seq;
	f->a_cur = seq;
	f->p_base = seq;
	f->rst_ack = seq;
}

struct flow *shadow_join(struct shadow *s, const struct flow_key *key,
			 const struct shadow_leg *leg,
			 const struct segment *seg, uint64_t now,
			 struct effects *out)
{
	struct flow *f = flow_make(s, key, leg, seg, now, out);

	s->now = now;
	if (f == NULL)
		return NULL;
	s->count.flows_midstream++;
	made_up(f, (seg->opts.has & OPT_HAS_TS) != 0, seg->opts.tsval,
		ipaddr_is4(&seg->src));
	flow_set_class(s->flows, f, FLOW_LIVE);
	client_start(f, seg->seq - 1, MID_WINDOW);
	prod_start(f, seg->ack);
	return f;
}

/* Give up what is before @c and @p in the two streams, and count what of it was
 * never seen.
 */
static void count_missing(struct shadow *s, struct flow *f, uint32_t c,
			  uint32_t p)
{
	uint32_t n = stream_skip(&f->c, s->pool, c);

	s->count.gap_client_bytes += n > f->lost_seen ? n - f->lost_seen : 0;
	f->lost_seen = 0;
	if (stream_has(&f->p, STREAM_ON))
		s->count.gap_prod_bytes += stream_skip(&f->p, s->pool, p);
}

void shadow_restart(struct shadow *s, struct flow *f, uint32_t seq,
		    uint32_t ack, bool keep, uint64_t now)
{
	struct stream c;
	struct stream p;
	uint32_t c_ack = f->c_ack;
	uint32_t p_ack = f->p_ack;
	uint32_t win = f->c_win;
	uint32_t rst_ack = f->rst_ack;
	uint16_t ended = f->ev & (EV_C_RST | EV_P_RST | EV_P_FIN);

	count_missing(s, f, seq, keep ? f->p.nxt : f->c_ack);
	c = f->c;
	p = f->p;
	s->count.flows_resumed++;
	s->count.flows_seen++;
	s->now = now;
	memset(&f->c, 0, sizeof(f->c));
	memset(&f->p, 0, sizeof(f->p));
	memset(&f->s, 0, sizeof(f->s));
	f->flags &= FLOW_FRAMED;
	made_up(f, (f->c_has & OPT_HAS_TS) != 0, f->c_tsval,
		ipaddr_is4(&f->key.client));
	f->ev |= ended;
	client_start(f, seq - 1, MID_WINDOW);
	prod_start(f, ack);
	f->rst_ack = rst_ack;
	f->c_win = win;
	f->a_win = win;
	f->c.early = c.early;
	f->c.early_tail = c.early_tail;
	f->c.held = c.held;
	if (stream_has(&c, STREAM_FIN))
		stream_fin(&f->c, c.fin);
	if (seq_lt(f->p_ack, p_ack))
		f->p_ack = p_ack;
	if (keep || stream_has(&p, STREAM_ON)) {
		uint32_t at = p.nxt; /* what came since has been read */

		f->p = p;
		if (!keep && (at != ack || p.early != NULL))
			f->flags |= FLOW_PLOST;
	}
	if (seq_lt(ack, c_ack))
		f->c_ack = c_ack;
	f->ack_n = 0;
	f->bound_n = 0;
	f->srtt_us = 0;
	f->rtt_at = 0;
	f->tries = 0;
	f->end = FLOW_END_NONE;
	f->ending = FLOW_END_NONE;
	f->leg = LEG_WAITING;
	f->s_progress = now;
	f->gap_c = 0;
	f->gap_p = 0;
	f->hold_passed = false;
	flow_set_class(s->flows, f, FLOW_LIVE);
	due_set(s, f, DUE_IDLE, now + s->opt.idle);
}

/* --- the mirror --- */

static void client_window(struct shadow *s, struct flow *f,
			  const struct segment *seg, uint64_t now)
{
	bool scaled = (f->flags & FLOW_P_WSCALE) != 0 &&
		      (f->c_has & OPT_HAS_WSCALE) != 0;
	uint32_t win = (uint32_t)seg->win << (scaled ? f->c_wscale : 0);
	bool news = seq_lt(f->c_ack, seg->ack);

	if (!news && (seg->ack != f->c_ack || win == f->c_win))
		return;
	f->c_ack = seg->ack;
	f->c_win = win;
	if (f->leg != LEG_NONE && f->leg != LEG_CLOSED &&
	    (f->flags & FLOW_DRAIN) == 0)
		ack_queue(s, f, seg->ack, win, now);
}

static void client_reset(struct flow *f, const struct segment *seg)
{
	/* A blind RST is outside the window (RFC 5961); production's stack has
	 * looked closer than we can.
	 */
	if (!seq_in(seg->seq, f->c.nxt - (1u << 30), f->c.nxt + (1u << 30)))
		return;
	if ((f->ev & EV_C_RST) == 0)
		f->rst_ack = f->c_ack;
	f->ev |= EV_C_RST;
}

void shadow_client(struct shadow *s, struct flow *f, const struct segment *seg,
		   uint64_t now)
{
	s->now = now;
	f->last = now;
	flow_touch(s->flows, f);
	if ((seg->flags & TCP_RST) != 0) {
		client_reset(f, seg);
		return;
	}
	if ((seg->flags & (TCP_ACK | TCP_SYN)) != TCP_ACK)
		return;
	if ((f->ev & EV_C_ACK) == 0) {
		f->ev |= EV_C_ACK;
		if (f->class == FLOW_HALF_OPEN)
			flow_set_class(s->flows, f, FLOW_LIVE);
		if ((f->ev & EV_P_SYNACK) == 0) {
			s->count.inferred_prod_synack++;
			f->ev |= EV_P_SYNACK;
			f->flags |= FLOW_P_WSCALE;
			prod_start(f, seg->ack);
		}
	}
	if ((seg->opts.has & OPT_HAS_TS) != 0 &&
	    seq_lt(f->c_tsval, seg->opts.tsval))
		f->c_tsval = seg->opts.tsval;
	client_window(s, f, seg, now);
	s->count.client_segments += seg->len > 0;
	s->count.client_payload += seg->len;
	if ((f->flags & FLOW_LOST) != 0)
		f->lost_seen += seg->len;
	if (seg->len <= 1 && seg->seq == f->c.nxt - 1 &&
	    (seg->flags & TCP_FIN) == 0 && seg->seq != f->c_iss)
		s->count.client_keepalive++;
	if (seg->len > seg->cap)
		s->count.client_truncated++;
	if ((seg->flags & TCP_FIN) != 0 && (f->flags & FLOW_LOST) != 0)
		f->ev |= EV_C_FIN; /* its place does not matter any more */
	if ((seg->flags & TCP_FIN) != 0 && !stream_has(&f->c, STREAM_FIN)) {
		f->rst_ack = seg->ack;
		stream_fin(&f->c, seg->seq + seg->len);
	}
}

void shadow_production(struct shadow *s, struct flow *f,
		       const struct segment *seg, uint64_t now)
{
	struct exchange *x;

	s->now = now;
	f->last = now;
	if ((seg->flags & TCP_RST) != 0) {
		if ((f->ev & (EV_P_RST | EV_C_RST)) == 0)
			f->rst_ack = stream_has(&f->p, STREAM_ON) ? f->p.nxt
								  : f->c_ack;
		f->ev |= EV_P_RST;
		return;
	}
	if ((seg->flags & TCP_ACK) == 0)
		return;
	if (!stream_has(&f->p, STREAM_ON)) {
		bool syn = (seg->flags & TCP_SYN) != 0;

		if (!syn)
			s->count.inferred_prod_synack++;
		if (!syn || (seg->opts.has & OPT_HAS_WSCALE) != 0)
			f->flags |= FLOW_P_WSCALE;
		f->ev |= EV_P_SYNACK;
		prod_start(f, syn ? seg->seq + 1 : seg->seq);
	}
	if (seq_lt(f->p_ack, seg->ack) &&
	    seq_lt(seg->ack, f->p_ack + (1u << 30)))
		f->p_ack = seg->ack;
	for (x = f->x.pack; x != NULL && (x->flags & X_HAVE_C) != 0 &&
			    seq_le(x->end[WHO_CLIENT], f->p_ack);
	     x = x->next) {
		x->flags |= X_P_ACKED;
		x->p_acked = now;
		if ((x->flags & X_DELIVERED) != 0)
			hist_add(&s->behind, 0);
		f->x.pack = x->next;
	}
	s->count.prod_segments += seg->len > 0;
	s->count.prod_payload += seg->len;
	if (seg->len > seg->cap)
		s->count.prod_truncated++;
	if ((seg->flags & (TCP_FIN | TCP_SYN)) != TCP_FIN)
		return;
	stream_fin(&f->p, seg->seq + seg->len);
	if ((f->flags & FLOW_PLOST) != 0)
		f->ev |= EV_P_FIN; /* its place does not matter any more */
}

/* --- the SUT's wire --- */

/* A segment that belongs to no flow (RFC 9293 section 3.10.7.1, I39). */
static void stray(struct shadow *s, uint8_t sut, const struct segment *seg,
		  uint64_t now, struct effects *out)
{
	struct effect *e;

	s->count.sut_stray++;
	if ((seg->flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
		return;
	if (now - s->stray_second >= NS_PER_SEC) {
		s->stray_second = now;
		s->stray_n = 0;
	}
	if (s->stray_n >= STRAY_RATE || effects_left(out) == 0) {
		s->count.stray_rst_limited++;
		return;
	}
	s->stray_n++;
	e = &out->e[out->n++];
	memset(e, 0, offsetof(struct effect, opts));
	e->kind = EFFECT_TCP;
	e->cause = CAUSE_STRAY_RST;
	e->sut = sut;
	e->ttl = 64;
	e->flags = TCP_RST;
	e->src = seg->dst;
	e->sport = seg->dport;
	e->dst = seg->src;
	e->dport = seg->sport;
	e->seq = seg->ack;
}

/* Remember where the SUT's frames end (I9). */
static void add_boundary(struct flow *f, uint32_t seq)
{
	unsigned at = (f->bound_head + f->bound_n) % FLOW_BOUNDS;

	if (f->bound_n == FLOW_BOUNDS)
		f->bound_head = (uint8_t)((f->bound_head + 1) % FLOW_BOUNDS);
	else
		f->bound_n++;
	f->bound[at] = seq;
}

static void established(struct shadow *s, struct flow *f,
			const struct segment *seg, uint64_t now)
{
	const struct tcp_opts *o = &seg->opts;
	uint8_t both = (uint8_t)(f->c_has & o->has);
	uint16_t mss = ipaddr_is4(&seg->src) ? TCP_MSS_4 : TCP_MSS_6;

	f->leg = LEG_OPEN;
	f->ev |= EV_S_SYNACK;
	s->count.flows_established++;
	if ((o->has & OPT_HAS_MSS) != 0 && o->mss >= MSS_LEAST)
		mss = o->mss;
	f->s_mss = mss;
	if ((both & OPT_HAS_TS) != 0) {
		f->flags |= FLOW_TS;
		f->s_tsval = o->tsval;
	}
	if ((both & OPT_HAS_SACK_OK) != 0)
		f->flags |= FLOW_SACK;
	if ((both & OPT_HAS_WSCALE) != 0) {
		f->flags |= FLOW_WSCALE;
		f->s_wscale = f->c_wscale;
		f->sut_wscale = o->wscale < WSCALE_MAX ? o->wscale : WSCALE_MAX;
	}
	f->s_iss = seg->seq;
	stream_start(&f->s, seg->seq + 1);
	f->s_base = seg->seq + 1;
	f->ack_sent = seg->seq + 1; /* all that we send acks it */
	f->edge = seg->seq + 1 + f->edge;
	f->snd_wnd = seg->win;
	f->flags |= FLOW_HANDSHAKE;
	f->tries = 0;
	f->s_progress = now;
	if (f->rtt_at != 0) {
		uint64_t us = (now - f->rtt_at) / NS_PER_US;

		f->srtt_us = us < 1	       ? 1
			     : us > UINT32_MAX ? UINT32_MAX
					       : (uint32_t)us;
		f->rttvar_us = f->srtt_us / 2;
		f->rtt_at = 0;
	}
	due_clear(f, DUE_RTO);
}

/* The SUT's answer to our SYN. */
static void syn_sent(struct shadow *s, struct flow *f,
		     const struct segment *seg, uint64_t now,
		     struct effects *out)
{
	bool acks_us = (seg->flags & TCP_ACK) != 0 && seg->ack == f->c_iss + 1;

	if ((seg->flags & TCP_RST) != 0) {
		if (acks_us) {
			s->count.sut_rst++;
			leg_over(s, f, FLOW_END_SUT_REFUSED, now);
		}
		return;
	}
	if ((seg->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
	    acks_us) {
		established(s, f, seg, now);
		return;
	}
	/* It remembers an older incarnation: end that, and try again. */
	stray(s, f->sut, seg, now, out);
	due_set(s, f, DUE_RTO, now + UNSENT_WAIT);
}

/* A RST of the SUT: it must be at the expected place (RFC 5961 section 3.2). */
static void sut_reset(struct shadow *s, struct flow *f,
		      const struct segment *seg, uint64_t now)
{
	if (f->leg != LEG_OPEN ||
	    !seq_in(seg->seq, f->ack_sent - 1, f->edge + DRAIN_WINDOW))
		return;
	s->count.sut_rst++;
	leg_over(s, f, FLOW_END_SUT_RST, now);
}

static void sut_segment(struct shadow *s, struct flow *f,
			const struct segment *seg, uint64_t now,
			struct effects *out)
{
	bool old = seq_lt(seg->seq, f->s.nxt);

	if ((f->flags & FLOW_TS) != 0 && (seg->opts.has & OPT_HAS_TS) != 0 &&
	    seq_le(f->s_tsval, seg->opts.tsval) &&
	    seq_le(seg->seq, f->ack_sent))
		f->s_tsval = seg->opts.tsval;
	if ((seg->flags & TCP_SYN) != 0 ||
	    (old && (seg->len == 0 || seq_le(seg->seq + seg->len, f->s.nxt)) &&
	     (f->flags & FLOW_HANDSHAKE) == 0))
		f->dup_ack = true; /* repeated, keepalive or window probe */
	if (f->leg == LEG_OPEN && (seg->flags & TCP_ACK) != 0) {
		uint32_t una = f->snd_una;

		sut_acked(s, f, seg, now, out);
		if (una != f->snd_una)
			f->s_progress = now;
	}
	if ((seg->flags & (TCP_FIN | TCP_SYN)) == TCP_FIN) {
		stream_fin(&f->s, seg->seq + seg->len);
		f->s_progress = now;
	}
	if (seg->len > 0) {
		add_boundary(f, seg->seq + seg->len);
		s->target[f->sut].owed = 0;
		target_back(&s->target[f->sut]);
		f->s_progress = now;
	}
}

/* Does it reach beyond the window that the SUT was told? */
static bool beyond_window(const struct flow *f, const struct segment *seg)
{
	return seq_lt(f->edge, seg->seq + seg->len);
}

struct flow *shadow_sut(struct shadow *s, uint8_t sut,
			const struct segment *seg, uint64_t now,
			struct effects *out)
{
	struct flow *f =
		flow_find_sut(s->flows, sut, seg->sport, &seg->dst, seg->dport);

	s->now = now;
	if (f == NULL) {
		if ((seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
			s->count.sut_syn++;
		if (seg->len > 0) /* it answers what was left with it */
			target_back(&s->target[sut]);
		stray(s, sut, seg, now, out);
		return NULL;
	}
	f->last = now;
	if (f->leg == LEG_SYN_SENT)
		syn_sent(s, f, seg, now, out);
	else if ((seg->flags & TCP_RST) != 0)
		sut_reset(s, f, seg, now);
	else if (f->leg == LEG_OPEN && beyond_window(f, seg)) {
		/* Not acceptable (RFC 9293 section 3.10.7.4). */
		s->count.sut_stray++;
		f->dup_ack = true;
		shadow_push(s, f, now, out);
		return NULL;
	} else
		sut_segment(s, f, seg, now, out);
	return f;
}

/* --- in-order bytes --- */

static void queue_add(struct shadow *s, struct flow *f, struct frame *fr,
		      uint64_t now)
{
	s->count.late_data += is_late(f, fr);
	fr->next = NULL;
	if (f->q_tail != NULL)
		f->q_tail->next = fr;
	else
		f->q_head = fr;
	f->q_tail = fr;
	if (f->q_send == NULL)
		f->q_send = fr;
	f->q_bytes += frame_block(fr->len);
	if (s->opt.shed && f->due[DUE_LAG] == WHEEL_NEVER)
		due_set(s, f, DUE_LAG, now + s->opt.max_lag);
	if (f->q_bytes > s->lim.flow_share ||
	    (f->q_send != fr && pool_used(s->pool) > s->pool_scarce))
		f->ending = FLOW_END_BEHIND;
}

/* Are the client's bytes kept for the SUT? */
static bool is_played(const struct flow *f)
{
	return f->leg != LEG_NONE && f->leg != LEG_CLOSED &&
	       f->ending == FLOW_END_NONE;
}

static bool client_in_order(struct shadow *s, struct flow *f,
			    const struct segment *seg, uint32_t skip,
			    uint32_t take, uint64_t now, struct span *sp)
{
	struct frame *fr;

	s->count.client_bytes += take;
	sp->data = seg->data + skip;
	if (!is_played(f))
		return true;
	fr = frame_alloc(s->pool, take, FRAME_QUEUE);
	if (fr == NULL) {
		f->ending = FLOW_END_POOL_FULL;
		return true;
	}
	memcpy(fr->data, seg->data + skip, take);
	fr->seq = seg->seq + skip;
	fr->ack = seg->ack;
	fr->now = now;
	fr->ts = seg->ts;
	fr->flags = seg->flags;
	fr->gso = seg->gso;
	fr->urg = seg->urg > skip ? (uint16_t)(seg->urg - skip) : 0;
	queue_add(s, f, fr, now);
	return true;
}

/* Does a repeated segment of the client say something else than the copy that
 * came first, as far as that is still held? Production took the first (I18).
 */
static bool contradicts(const struct flow *f, const struct segment *seg)
{
	const struct frame *fr = f->q_head;
	uint32_t end = seg->seq + seg->cap;

	if (!seq_lt(seg->seq, f->c.nxt))
		return false;
	for (; fr != NULL && seq_lt(fr->seq, end); fr = fr->next) {
		uint32_t from = seq_lt(fr->seq, seg->seq) ? seg->seq : fr->seq;
		uint32_t to = fr->seq + fr->len;

		if (seq_lt(end, to))
			to = end;
		if (seq_lt(from, to) &&
		    memcmp(fr->data + (from - fr->seq),
			   seg->data + (from - seg->seq), to - from) != 0)
			return true;
	}
	return false;
}

/* The segment itself: are its bytes next? */
static bool span_segment(struct shadow *s, struct flow *f, enum who who,
			 const struct segment *seg, uint64_t now,
			 struct span *sp)
{
	struct stream *st = who == WHO_CLIENT ? &f->c
			    : who == WHO_PROD ? &f->p
					      : &f->s;
	struct shadow_counters *c = &s->count;
	uint32_t skip;
	uint32_t take;

	if (who == WHO_CLIENT && contradicts(f, seg))
		c->client_conflict++;
	switch (stream_data(st, s->pool, seg, now, &skip, &take)) {
	case STREAM_IN_ORDER:
		sp->seq = seg->seq + skip;
		sp->ack = seg->ack;
		sp->now = now;
		sp->len = take;
		sp->data = seg->data + skip;
		if (who == WHO_CLIENT)
			return client_in_order(s, f, seg, skip, take, now, sp);
		return true;
	case STREAM_OLD:
		*(who == WHO_CLIENT ? &c->client_again
		  : who == WHO_PROD ? &c->prod_again
				    : &c->sut_again) += 1;
		break;
	case STREAM_EARLY:
		*(who == WHO_CLIENT ? &c->client_early
		  : who == WHO_PROD ? &c->prod_early
				    : &c->sut_early) += 1;
		f->dup_ack |= who == WHO_SUT;
		break;
	case STREAM_FULL:
		*(who == WHO_CLIENT ? &c->client_full : &c->prod_full) += 1;
		break;
	}
	return false;
}

static bool span_early(struct shadow *s, struct flow *f, enum who who,
		       uint64_t now, struct span *sp)
{
	struct stream *st = who == WHO_CLIENT ? &f->c
			    : who == WHO_PROD ? &f->p
					      : &f->s;
	uint32_t skip = 0;
	struct frame *fr = stream_pop(st, s->pool, &skip);

	if (fr == NULL)
		return false;
	sp->data = fr->data + skip;
	sp->len = fr->len - skip;
	sp->seq = fr->seq + skip;
	sp->ack = fr->ack;
	sp->now = fr->now;
	if (who != WHO_CLIENT || !is_played(f)) {
		sp->frame = fr;
		return true;
	}
	s->count.client_bytes += sp->len;
	if (seq_lt(f->a_cur, fr->ack)) /* after a gap nobody queued it */
		ack_queue(s, f, fr->ack, f->c_win, now);
	if (skip > 0) { /* the queue's frames do not overlap */
		memmove(fr->data, fr->data + skip, sp->len);
		fr->seq += skip;
		fr->len = sp->len;
		sp->data = fr->data;
	}
	queue_add(s, f, fr, now);
	return true;
}

bool shadow_span(struct shadow *s, struct flow *f, enum who who,
		 const struct segment *seg, uint64_t now, struct span *sp)
{
	const struct stream *st = who == WHO_CLIENT ? &f->c
				  : who == WHO_PROD ? &f->p
						    : &f->s;

	if (sp->frame != NULL)
		frame_clear(s->pool, sp->frame, FRAME_QUEUE);
	sp->frame = NULL;
	if (!stream_has(st, STREAM_ON))
		return false;
	if (sp->step == 0) {
		sp->step = 1;
		if (seg != NULL && seg->len > 0 && seg->cap == seg->len &&
		    (seg->flags & (TCP_SYN | TCP_RST)) == 0 &&
		    span_segment(s, f, who, seg, now, sp))
			return true;
	}
	return span_early(s, f, who, now, sp);
}

/* A request's mark may come after the SUT's ack of it (by quiet), or after the
 * end of the leg, when no cursor points at it any more.
 */
static void mark_delivered(struct shadow *s, struct flow *f, struct exchange *x,
			   uint64_t now)
{
	bool dead = f->leg == LEG_NONE || f->leg == LEG_CLOSED;
	bool acked = (f->ev & EV_S_SYNACK) != 0 &&
		     seq_le(x->end[WHO_CLIENT], f->snd_una);

	if (acked && dead)
		f->x.deliver = x;
	if (acked)
		deliver(s, f, now);
	else if (dead)
		s->count.not_delivered[f->end]++;
}

struct exchange *shadow_mark(struct shadow *s, struct flow *f, enum who who,
			     uint32_t seq, uint64_t now)
{
	struct exchange *x = exchange_mark(&f->x, s->pool, who, seq);

	if (x == NULL) {
		f->ending = FLOW_END_POOL_FULL;
		return NULL;
	}
	if (who == WHO_CLIENT) {
		x->c_now = now;
		s->count.requests_seen++;
		mark_delivered(s, f, x, now);
	} else if (who == WHO_SUT) {
		s->count.requests_answered++;
	} else if ((x->flags & X_HAVE_S) == 0 && f->leg == LEG_OPEN &&
		   s->target[f->sut].owed == 0) {
		s->target[f->sut].owed = now;
		s->target[f->sut].owed_flow = f->id;
	}
	return x;
}

void shadow_retire(struct shadow *s, struct flow *f)
{
	struct exchange *x;
	uint16_t all = X_HAVE_P | X_HAVE_S | X_HAVE_C | X_JUDGED | X_PASSED |
		       X_DELIVERED;
	bool dead = f->leg == LEG_NONE || f->leg == LEG_CLOSED;

	if (dead)
		all = X_HAVE_P | X_HAVE_C | X_JUDGED;
	while ((x = f->x.head) != NULL && (x->flags & all) == all &&
	       x->cmp == NULL)
		exchange_drop(&f->x, s->pool);
}

/* --- what may be done now --- */

/* Bits that the streams prove. */
static void settle(struct flow *f)
{
	stream_settle(&f->c);
	stream_settle(&f->p);
	stream_settle(&f->s);
	if (stream_has(&f->c, STREAM_ENDED))
		f->ev |= EV_C_FIN;
	if (stream_has(&f->p, STREAM_ENDED))
		f->ev |= EV_P_FIN;
	if (stream_has(&f->s, STREAM_ENDED))
		f->ev |= EV_S_FIN;
}

void shadow_push(struct shadow *s, struct flow *f, uint64_t now,
		 struct effects *out)
{
	s->now = now;
	settle(f);
	gap_watch(s, f, now);
	if (f->ending != FLOW_END_NONE) {
		shadow_end(s, f, (enum flow_end)f->ending, now, out);
		return;
	}
	if (f->leg == LEG_WAITING) {
		if (f->older != NULL && f->hold_passed) {
			f->older->newer = NULL;
			f->older = NULL;
		}
		if (f->older == NULL)
			start_leg(s, f, now, out);
	}
	if (f->leg == LEG_OPEN && (f->ev & EV_C_ACK) != 0) {
		send_data(s, f, now, out);
		if (f->leg == LEG_OPEN)
			ack_push(s, f, now, out);
	}
	gap_push(s, f, now, out);
	if (f->leg == LEG_OPEN || f->leg == LEG_SYN_SENT)
		close_push(s, f, now, out);
	if (f->leg == LEG_CLOSED)
		ack_again(s, f, out);
	remember_if_over(s, f, now);
}

void shadow_arm_quiet(struct shadow *s, struct flow *f, uint64_t when)
{
	due_set(s, f, DUE_QUIET, when);
}

void shadow_free(struct shadow *s, struct flow *f)
{
	assert(f->leg == LEG_NONE || f->leg == LEG_CLOSED);
	if (f->older != NULL)
		f->older->newer = NULL;
	if (f->newer != NULL) {
		f->newer->older = NULL;
		more_later(s, f->newer);
	}
	if (stream_has(&f->c, STREAM_ENDED) == false)
		count_missing(s, f, f->p_ack,
			      stream_has(&f->p, STREAM_ENDED) ? f->p.nxt
							      : f->c_ack);
	stream_drop(&f->c, s->pool);
	stream_drop(&f->p, s->pool);
	stream_drop(&f->s, s->pool);
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
	if (f == NULL || f->id != e->flow || f->leg == LEG_NONE ||
	    (e->len == 0 && (e->flags & (TCP_SYN | TCP_FIN)) == 0))
		return;
	if (f->tries > 0) /* the SUT was not asked */
		f->tries--;
	due_set(s, f, DUE_RTO, now + UNSENT_WAIT);
}

struct flow *shadow_any(struct shadow *s)
{
	struct flow *f = NULL;

	for (int c = 0; c < FLOW_CLASSES && f == NULL; c++)
		f = flow_oldest(s->flows, (enum flow_class)c);
	return f;
}

bool shadow_hold_prod(struct shadow *s, struct flow *f,
		      const struct segment *seg, uint64_t now)
{
	if (seg == NULL || seg->len == 0 || seg->cap != seg->len ||
	    (seg->flags & TCP_SYN) != 0)
		return true;
	return stream_hold(&f->p, s->pool, seg, now) != STREAM_FULL;
}

void shadow_lost(struct shadow *s, struct flow *f)
{
	for (const struct frame *fr = f->c.early; fr != NULL; fr = fr->next)
		f->lost_seen += fr->len;
	stream_drop(&f->c, s->pool);
}

void shadow_skip_prod(struct shadow *s, struct flow *f, uint32_t to)
{
	s->count.gap_prod_bytes += stream_skip(&f->p, s->pool, to);
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
