/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - What holds of every flow between two calls of the engine
 *
 * Each assertion is a relation between members, or a bound, that some file
 * keeps: a member that is set wrongly is noticed here although no test looks at
 * it.
 */
#include "flow/check.h"

#include <assert.h>

#define WSCALE_MOST 14	     /* RFC 7323 section 2.3 */
#define RTT_MOST    60000000 /* us */
#define WIN_MOST    (65535u << WSCALE_MOST)
#define MEET_MOST   2 /* connections that are closed in front of a request */
#define PASSED_ON   (OPT_HAS_MSS | OPT_HAS_WSCALE | OPT_HAS_SACK_OK | OPT_HAS_TS)

static void check_stream(const struct stream *st)
{
	const struct buf *last = NULL;
	uint32_t n = 0;

	assert((st->flags == 0 && st->early == NULL) ||
	       stream_has(st, STREAM_ON));
	assert(!stream_has(st, STREAM_FIN) || seq_le(st->nxt, st->fin));
	assert(!stream_has(st, STREAM_ENDED) ||
	       (stream_has(st, STREAM_FIN) && st->nxt == st->fin));
	for (const struct buf *fr = st->early; fr != NULL; fr = fr->next) {
		assert(fr->len > 0 && (fr->interest & BUF_QUEUE) != 0);
		assert(last == NULL || seq_le(last->seq, fr->seq));
		last = fr;
		n++;
	}
	assert(st->early_tail == last && st->held == n && n <= STREAM_HELD);
}

/* --- exchanges --- */

static const uint16_t have[WHO_COUNT] = { X_HAVE_C, X_HAVE_P, X_HAVE_S };

/* Marks of two that follow each other, and how far their streams are. Where no
 * leg is open, no bound keeps numbers in order: a message may be longer than
 * half of their space, and production go on as long.
 */
static void check_ends(const struct flow *f, const struct exchange *x)
{
	const struct exchange *n = x->next;

	for (int who = 0; who < WHO_COUNT; who++)
		assert(f->leg.state != LEG_OPEN ||
		       (x->flags & have[who]) == 0 || n == NULL ||
		       (n->flags & have[who]) == 0 ||
		       (x->flags & X_PASSED) != (n->flags & X_PASSED) ||
		       seq_le(x->end[who], n->end[who]));
	assert((x->flags & X_HAVE_C) == 0 ||
	       seq_le(x->end[WHO_CLIENT], f->w.c.nxt));
	/* Found again by an ack of the client's, which may count a FIN. */
	assert((x->flags & X_HAVE_P) == 0 || f->leg.state != LEG_OPEN ||
	       stream_has(&f->w.p, STREAM_ENDED) ||
	       seq_le(x->end[WHO_PROD], f->w.p.nxt));
	assert((x->flags & (X_HAVE_S | X_PASSED)) != X_HAVE_S ||
	       f->leg.state != LEG_OPEN ||
	       seq_le(x->end[WHO_SUT], f->leg.s.nxt));
	assert((x->flags & X_P_ACKED) == 0 ||
	       ((x->flags & X_HAVE_C) != 0 &&
		seq_le(x->end[WHO_CLIENT], f->w.p_ack)));
	assert((x->flags & X_DELIVERED) == 0 || (x->flags & X_HAVE_C) != 0);
	assert((x->flags & X_PASSED) == 0 || (x->flags & X_HAVE_P) != 0);
	assert(x->request_len <= EXCHANGE_REQUEST);
	assert((x->flags & X_P_ACKED) == 0 || x->p_acked != 0);
	assert((x->flags & X_HAVE_C) == 0 || x->c_now != 0);
	assert((x->flags & X_P_BEGUN) == 0 || x->p_first != 0);
	assert(x->c_ts == 0 || (x->flags & (X_C_BEGUN | X_HAVE_C)) != 0);
}

/* What a cursor has passed is done, what is behind it is not. */
static void check_cursors(const struct flow *f)
{
	const struct exchanges *xs = &f->x;
	bool undelivered = false;
	bool unacked = false;
	bool unsent = false;

	for (const struct exchange *x = xs->head; x != NULL; x = x->next) {
		undelivered |= x == xs->deliver;
		unacked |= x == xs->pack;
		unsent |= x == xs->sent;
		assert(unacked == ((x->flags & X_P_ACKED) == 0));
		if (f->leg.state == LEG_NONE || f->leg.state == LEG_CLOSED)
			continue;
		assert(undelivered == ((x->flags & X_DELIVERED) == 0));
		assert(unsent || (x->flags & X_HAVE_C) != 0);
		if ((x->flags & X_PASSED) != 0 &&
		    (x->next == NULL || (x->next->flags & X_PASSED) == 0))
			assert(f->w.p_base == x->end[WHO_PROD]);
		if (x->next != NULL && x->next == xs->at[WHO_SUT] &&
		    (x->flags & X_HAVE_C) != 0)
			assert(xs->turn == x->end[WHO_CLIENT]);
	}
}

static void check_exchanges(const struct flow *f)
{
	const struct exchanges *xs = &f->x;
	const struct exchange *last = NULL;

	for (const struct exchange *x = xs->head; x != NULL; x = x->next) {
		assert(last == NULL || x->index == last->index + 1);
		for (int who = 0; who < WHO_COUNT; who++)
			assert(((x->flags & have[who]) != 0) ==
			       seq_lt(x->index, xs->marks[who]));
		check_ends(f, x);
		last = x;
	}
	assert(xs->tail == last);
	for (int who = 0; who < WHO_COUNT; who++)
		assert(xs->at[who] != NULL
			       ? xs->at[who]->index == xs->marks[who]
			       : last == NULL || last->index < xs->marks[who]);
	assert(xs->deliver == NULL || (xs->deliver->flags & X_DELIVERED) == 0);
	assert(xs->pack == NULL || (xs->pack->flags & X_P_ACKED) == 0);
	assert(f->w.c.flags == 0 || seq_le(xs->turn, f->w.c.nxt) ||
	       xs->marks[WHO_CLIENT] < xs->marks[WHO_SUT]);
}

/* --- the client's bytes --- */

static uint32_t end_of(const struct buf *fr)
{
	return fr->seq + fr->len;
}

/* One list without holes, and its bytes. */
static void check_queue_list(const struct queue *q)
{
	const struct buf *fr = q->kept != NULL ? q->kept : q->head;
	const struct buf *last = NULL;
	uint32_t bytes[2] = { 0, 0 };
	bool kept = q->kept != NULL;
	bool send = q->send == NULL;

	for (; fr != NULL; fr = fr->next) {
		if (fr == q->head)
			kept = false;
		if (fr == q->send)
			send = true;
		assert(fr->len > 0 && (fr->interest & BUF_QUEUE) != 0);
		assert(last == NULL || end_of(last) == fr->seq);
		bytes[kept] += buf_block(fr->len);
		last = fr;
	}
	assert(send && kept == (q->head == NULL && q->kept != NULL));
	assert(q->tail == last);
	assert(q->bytes == bytes[0] && q->kept_bytes == bytes[1]);
	assert(q->reopened <= MEET_MOST && (!q->again || q->reopened > 0));
}

static void check_queue(const struct flow *f)
{
	const struct queue *q = &f->q;
	const struct leg *l = &f->leg;
	uint32_t end = q->tail != NULL ? end_of(q->tail) : l->snd_nxt;
	bool whole = f->shed != SHED_CUT && l->ending == FLOW_END_NONE;

	check_queue_list(q);
	if (l->state == LEG_NONE || l->state == LEG_CLOSED)
		return;
	/* What is in order and was not dropped went through it. */
	assert(whole ? end == f->w.c.nxt || (f->framing & FRAMING_RESTARTS) == 0
		     : seq_le(end, f->w.c.nxt));
	if (q->send != NULL)
		assert(seq_le(q->send->seq, l->snd_nxt) &&
		       seq_lt(l->snd_nxt, end_of(q->send)));
	else
		assert(end == l->snd_nxt);
	if (q->head != NULL && q->head != q->send)
		assert(seq_lt(l->snd_una, end_of(q->head)));
	if (q->kept != NULL)
		assert(seq_le(q->head != NULL ? q->head->seq : end,
			      l->snd_una));
	if (l->state != LEG_OPEN)
		assert(q->send == q->head && q->kept == NULL);
}

/* --- the SUT's leg --- */

static const struct legal {
	uint16_t ev_set;
	uint16_t ev_may;
	uint32_t flags_set;
	uint32_t flags_may;
	bool ended;
	bool bound;
	bool queue;
} legal[] = {
#define X(state, ev_set, ev_may, flags_set, flags_may, ...)                    \
	[state] = { ev_set, ev_may, flags_set, flags_may, __VA_ARGS__ },
	LEG_STATES(X)
#undef X
};

static void check_legal(const struct flow *f)
{
	const struct leg *l = &f->leg;
	const struct legal *may;

	assert(l->state < sizeof(legal) / sizeof(legal[0]));
	may = &legal[l->state];
	assert((l->ev & may->ev_set) == may->ev_set);
	assert((l->ev & ~may->ev_may) == 0);
	assert((l->flags & may->flags_set) == may->flags_set);
	assert((l->flags & ~may->flags_may) == 0);
	assert((l->end != FLOW_END_NONE) == may->ended);
	assert((l->end == FLOW_END_CLOSED) == (l->state == LEG_CLOSED));
	assert(l->ending == FLOW_END_NONE || !may->ended);
	assert(may->queue || (f->q.head == NULL && f->q.kept == NULL));
	assert(!may->bound || l->syn_out);
	assert(may->bound || f->in_sut == 0);
	assert((f->w.ev & EV_S_ALL) == 0);
	/* One of the SUT's follows its SYN,ACK, the ack of our FIN our FIN. */
	assert((l->ev & EV_S_SYNACK) != 0 || l->ev == 0);
	assert((l->ev & EV_S_ACKFIN) == 0 || (l->flags & L_FIN_SENT) != 0);
	assert((l->flags & L_FIN_SENT) == 0 || (f->w.ev & EV_C_FIN) != 0);
}

/* What goes to the SUT. */
static void check_sent(const struct flow *f)
{
	const struct leg *l = &f->leg;
	uint32_t end = l->snd_nxt + ((l->flags & L_FIN_SENT) != 0);

	assert(seq_le(l->snd_una, end) && seq_le(l->snd_nxt, f->w.c.nxt));
	assert((l->ev & EV_S_ACKFIN) == 0 || l->snd_una == end);
	if (l->state != LEG_OPEN)
		assert(l->snd_una == f->w.c_iss + 1 && end == l->snd_una);
	if ((l->flags & L_FIN_SENT) != 0)
		assert(stream_has(&f->w.c, STREAM_ENDED) &&
		       l->snd_nxt == f->w.c.fin);
	if ((l->flags & L_RECOVER) != 0)
		assert(seq_lt(l->snd_una, l->recover) &&
		       seq_le(l->recover, l->snd_nxt));
	if (l->rtt_at != 0 && l->state == LEG_OPEN)
		assert(seq_le(l->snd_una, l->rtt_seq) &&
		       seq_lt(l->rtt_seq, l->snd_nxt));
	/* What is out is repeated if nobody acks it. */
	assert(l->snd_una == end || l->ending != FLOW_END_NONE ||
	       f->due[DUE_RTO] != WHEEL_NEVER);
	assert(l->state != LEG_SYN_SENT || l->ending != FLOW_END_NONE ||
	       f->due[DUE_RTO] != WHEEL_NEVER);
	/* What was sent again was sent, and is waited for. */
	assert(l->tries == 0 || l->ending != FLOW_END_NONE ||
	       f->due[DUE_RTO] != WHEEL_NEVER);
	assert(l->dupacks == 0 || l->snd_una != end);
	assert(l->left_ts == 0 || seq_le(l->left_to, end));
	assert(l->snd_wnd <= WIN_MOST);
	assert(l->srtt_us != 0 || l->rttvar_us == 0);
}

/* Before the SUT has answered our SYN, nothing of its is known. */
static void check_unopened(const struct leg *l)
{
	bool sent = l->state == LEG_SYN_SENT;

	assert(l->s.flags == 0 && l->s.early == NULL && l->mss == 0);
	assert(l->adv_edge <= 65535 && l->last_ack_sent == 0 && l->base == 0);
	assert(l->bound_n == 0 && l->tsval == 0 && l->srtt_us == 0);
	assert(l->wscale == 0 && l->sut_wscale == 0 && l->dupacks == 0);
	assert(!l->dup_ack && !l->shut && !l->closes && (sent || !l->unheard));
	assert(l->syn_out == sent && (sent || l->tries == 0));
	/* Karn: a SYN that was sent again is not timed. */
	assert(l->rtt_at == 0 ||
	       (sent && l->tries == 0 && l->rtt_seq == l->snd_una - 1));
}

/* What the SUT sent, and what was sent to it. */
static void check_acked(const struct flow *f)
{
	const struct leg *l = &f->leg;
	uint32_t end = stream_end(&l->s);

	assert(stream_has(&l->s, STREAM_ON) && l->mss != 0);
	assert(seq_le(l->last_ack_sent, end));
	assert(seq_le(l->s.nxt, l->adv_edge) &&
	       seq_le(l->last_ack_sent, l->adv_edge + 1));
	assert(seq_le(l->base, l->s.nxt));
	assert((l->flags & L_HANDSHAKE) == 0 || l->last_ack_sent == l->iss + 1);
	assert(l->last_ack_sent == end || (f->w.ev & EV_C_ACK) == 0 ||
	       l->ending != FLOW_END_NONE || !list_empty(&f->more) ||
	       f->due[DUE_SPONT] != WHEEL_NEVER);
	assert((l->flags & L_TS) == 0 || (f->w.c_has & OPT_HAS_TS) != 0);
	assert((l->flags & L_SACK) == 0 || (f->w.c_has & OPT_HAS_SACK_OK) != 0);
	assert((l->flags & L_WSCALE) != 0 ? l->wscale == f->w.c_wscale
					  : l->wscale == 0);
	assert(l->wscale <= WSCALE_MOST && l->sut_wscale <= WSCALE_MOST);
	assert(!l->shut || f->q.send != NULL);
	assert(l->adv_edge - l->last_ack_sent <= 65535u << l->wscale);
	assert((l->flags & L_TS) != 0 || l->tsval == 0);
	assert(((l->ev & EV_S_FIN) != 0) == stream_has(&l->s, STREAM_ENDED));
	/* Both have said goodbye, and our side has. */
	assert((l->flags & L_DRAIN) == 0 || (l->flags & L_FIN_SENT) != 0);
	/* What is owed is known, if its place in the client's stream is known.
	 */
	assert(!l->dup_ack || (f->w.ev & EV_C_ACK) == 0 ||
	       l->ending != FLOW_END_NONE || !list_empty(&f->more));
	for (unsigned i = 0; i < l->bound_n; i++)
		assert(seq_le(l->bound[(l->bound_head + i) % FLOW_BOUNDS],
			      l->adv_edge));
}

static void check_leg(const struct flow *f)
{
	const struct leg *l = &f->leg;
	uint32_t last =
		seq_lt(f->w.c_ack, f->w.p_base) ? f->w.p_base : f->w.c_ack;

	assert(l->ack_n <= FLOW_ACKS && l->ack_head < FLOW_ACKS);
	assert(l->bound_n <= FLOW_BOUNDS && l->bound_head < FLOW_BOUNDS);
	assert(l->bound_head == 0 || l->bound_n == FLOW_BOUNDS);
	assert(l->srtt_us <= RTT_MOST && l->rttvar_us <= RTT_MOST);
	assert(l->cli_wnd <= WIN_MOST);
	for (unsigned i = 0; i < l->ack_n; i++) {
		const struct flow_ack *a =
			&l->acks[(l->ack_head + i) % FLOW_ACKS];
		const struct flow_ack *n =
			&l->acks[(l->ack_head + i + 1u) % FLOW_ACKS];

		assert(a->win <= WIN_MOST && seq_le(a->ack, f->w.c_ack));
		assert(a->now != 0);
		assert(i + 1 == l->ack_n || a->now <= n->now);
	}
	if (l->state == LEG_NONE || l->state == LEG_CLOSED) {
		assert(l->ack_n == 0 && l->gate == GATE_UNASKED);
		assert(!f->wait.on && f->newer == NULL);
		return;
	}
	assert(f->class != FLOW_TIME_WAIT);
	assert(l->state == LEG_WAITING || f->older == NULL);
	assert(l->state == LEG_WAITING || l->gate == GATE_OPEN ||
	       l->gate == GATE_UNASKED);
	/* Where p_base stands to it numbers do not tell: an answer may be
	 * longer than half of their space.
	 */
	assert(seq_le(l->cli_ack, last));
	check_sent(f);
	if (l->state == LEG_OPEN)
		check_acked(f);
	else
		check_unopened(l);
}

/* --- deadlines and links --- */

static void check_due(const struct flow *f)
{
	for (int d = 0; d < DUE_COUNT; d++)
		assert(f->due[d] == WHEEL_NEVER ||
		       (timer_armed(&f->timer) && f->timer.when <= f->due[d]));
	assert(f->due[DUE_IDLE] != WHEEL_NEVER);
	assert(f->wait.on == (f->due[DUE_WAIT] != WHEEL_NEVER));
	assert(!f->wait.on || f->leg.state == LEG_SYN_SENT ||
	       f->leg.state == LEG_OPEN);
	if (f->leg.state != LEG_NONE)
		return;
	assert(f->due[DUE_RTO] == WHEEL_NEVER);
	assert(f->due[DUE_DACK] == WHEEL_NEVER);
	assert(f->due[DUE_SPONT] == WHEEL_NEVER);
	assert(f->due[DUE_LAG] == WHEEL_NEVER);
}

static void check_watch(const struct flow *f)
{
	const struct watch *w = &f->w;

	check_stream(&w->c);
	check_stream(&w->p);
	check_stream(&f->leg.s);
	assert(stream_has(&w->c, STREAM_ON) && w->ttl != 0);
	assert((w->ev & EV_C_ACK) == 0 || stream_has(&w->p, STREAM_ON));
	assert(!stream_has(&w->c, STREAM_ENDED) || (w->ev & EV_C_FIN) != 0);
	assert(!stream_has(&w->p, STREAM_ENDED) || (w->ev & EV_P_FIN) != 0);
	assert(w->c_wscale <= WSCALE_MOST && w->c_win <= WIN_MOST);
	assert((w->c_has & ~PASSED_ON) == 0);
	assert((w->c_has & OPT_HAS_WSCALE) != 0 || w->c_wscale == 0);
	assert((w->ev & EV_C_ACK) == 0 || f->class != FLOW_HALF_OPEN ||
	       (w->ev & EV_C_FIN) != 0);
	assert(f->class != FLOW_LIVE || (w->ev & EV_C_ACK) != 0);
	assert(!w->syn_data || (w->c.early != NULL && (w->flags & W_MID) == 0));
	assert(!w->unconfirmed || (w->flags & W_MID) != 0);
	assert((w->flags & W_CUT) != 0 || w->c_cut == 0 ||
	       (w->flags & W_MID) != 0);
}

void flow_check(const struct flow *f)
{
	assert(f->id != 0 && f->class < FLOW_CLASSES);
	assert((f->want != 0) == !list_empty(&f->attention));
	assert(f->older == NULL || (f->older->newer == f &&
				    (f->older->w.flags & W_SUPERSEDED) != 0));
	assert(f->newer == NULL || f->newer->older == f);
	check_watch(f);
	check_legal(f);
	check_leg(f);
	check_queue(f);
	check_due(f);
	check_exchanges(f);
	check_cursors(f);
}
