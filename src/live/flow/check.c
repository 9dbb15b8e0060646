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

#include "flow/known.h"

#define WSCALE_MOST 14	     /* RFC 7323 section 2.3 */
#define RTT_MOST    60000000 /* us */
#define WIN_MOST    (65535u << WSCALE_MOST)
#define MEET_MOST   2 /* connections that are closed in front of a request */
#define PASSED_ON   (OPT_HAS_MSS | OPT_HAS_WSCALE | OPT_HAS_SACK_OK | OPT_HAS_TS)

static void check_stream(const struct stream *st)
{
	const struct buf *last = NULL;
	uint32_t n = 0;

	assert((st->flags == 0 && !st->early) || stream_has(st, STREAM_ON));
	assert(!stream_has(st, STREAM_FIN) || seq_le(st->nxt, st->fin));
	assert(!stream_has(st, STREAM_ENDED) ||
	       (stream_has(st, STREAM_FIN) && st->nxt == st->fin));
	for (const struct buf *fr = st->early; fr != NULL; fr = fr->next) {
		assert(fr->len > 0 && (fr->interest & BUF_QUEUE));
		assert(!last || seq_le(last->seq, fr->seq));
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
		assert(f->leg.state != LEG_OPEN || !(x->flags & have[who]) ||
		       !n || !(n->flags & have[who]) ||
		       (x->flags & X_PASSED) != (n->flags & X_PASSED) ||
		       seq_le(x->end[who], n->end[who]));
	assert(!(x->flags & X_HAVE_C) ||
	       seq_le(x->end[WHO_CLIENT], f->w.c.nxt));
	/* Found again by an ack of the client's, which may count a FIN. */
	assert(!(x->flags & X_HAVE_P) || f->leg.state != LEG_OPEN ||
	       stream_has(&f->w.p, STREAM_ENDED) ||
	       seq_le(x->end[WHO_PROD], f->w.p.nxt));
	assert((x->flags & (X_HAVE_S | X_PASSED)) != X_HAVE_S ||
	       f->leg.state != LEG_OPEN ||
	       seq_le(x->end[WHO_SUT], f->leg.s.nxt));
	assert(!(x->flags & X_P_ACKED) ||
	       ((x->flags & X_HAVE_C) &&
		seq_le(x->end[WHO_CLIENT], f->w.p_ack)));
	assert(!(x->flags & X_DELIVERED) || (x->flags & X_HAVE_C));
	assert(!(x->flags & X_PASSED) || (x->flags & X_HAVE_P));
	assert(x->request_len <= EXCHANGE_REQUEST);
	assert(!(x->flags & X_P_ACKED) || x->p_acked != 0);
	assert(!(x->flags & X_HAVE_C) || x->c_now != 0);
	assert(!(x->flags & X_P_BEGUN) || x->p_first != 0);
	assert(x->c_ts == 0 || (x->flags & (X_C_BEGUN | X_HAVE_C)));
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
		assert(unacked == (!(x->flags & X_P_ACKED)));
		if (f->leg.state == LEG_NONE || f->leg.state == LEG_CLOSED)
			continue;
		assert(undelivered == (!(x->flags & X_DELIVERED)));
		assert(unsent || (x->flags & X_HAVE_C));
		if ((x->flags & X_PASSED) &&
		    (!x->next || !(x->next->flags & X_PASSED)))
			assert(f->w.p_base == x->end[WHO_PROD]);
		if (x->next && x->next == xs->at[WHO_SUT] &&
		    (x->flags & X_HAVE_C))
			assert(xs->turn == x->end[WHO_CLIENT]);
	}
}

static void check_exchanges(const struct flow *f)
{
	const struct exchanges *xs = &f->x;
	const struct exchange *last = NULL;

	for (const struct exchange *x = xs->head; x != NULL; x = x->next) {
		assert(!last || x->index == last->index + 1);
		for (int who = 0; who < WHO_COUNT; who++)
			assert(((x->flags & have[who]) != 0) ==
			       seq_lt(x->index, xs->marks[who]));
		check_ends(f, x);
		last = x;
	}
	assert(xs->tail == last);
	for (int who = 0; who < WHO_COUNT; who++)
		assert(xs->at[who] ? xs->at[who]->index == xs->marks[who]
				   : !last || last->index < xs->marks[who]);
	assert(!xs->deliver || !(xs->deliver->flags & X_DELIVERED));
	assert(!xs->pack || !(xs->pack->flags & X_P_ACKED));
	assert(f->w.c.flags == 0 || seq_le(xs->turn, f->w.c.nxt) ||
	       xs->marks[WHO_CLIENT] < xs->marks[WHO_SUT]);
}

/* --- the client's bytes --- */

static uint32_t end_of(const struct buf *fr)
{
	return fr->seq + fr->len;
}

/* Does a message end there that is not to be played? In front of it is a hole.
 */
static bool is_left(const struct flow *f, uint32_t seq)
{
	const struct exchange *x = f->x.head;

	while (x && ((x->flags & (X_LEFT | X_HAVE_C)) != (X_LEFT | X_HAVE_C) ||
		     x->end[WHO_CLIENT] != seq))
		x = x->next;
	return x != NULL;
}

/* One list without holes but those, and its bytes. */
static void check_queue_list(const struct flow *f)
{
	const struct queue *q = &f->q;
	const struct buf *fr = q->kept ? q->kept : q->head;
	const struct buf *last = NULL;
	uint32_t bytes[2] = { 0, 0 };
	bool kept = q->kept;
	bool send = !q->send;

	for (; fr != NULL; fr = fr->next) {
		if (fr == q->head)
			kept = false;
		if (fr == q->send)
			send = true;
		assert(fr->len > 0 && (fr->interest & BUF_QUEUE));
		assert(!last || end_of(last) == fr->seq ||
		       (seq_lt(end_of(last), fr->seq) && is_left(f, fr->seq)));
		bytes[kept] += buf_block(fr->len);
		last = fr;
	}
	assert(send && kept == (!q->head && q->kept));
	assert(q->tail == last);
	assert(q->bytes == bytes[0] && q->kept_bytes == bytes[1]);
	assert(q->reopened <= MEET_MOST && (!q->again || q->reopened > 0));
}

static void check_queue(const struct flow *f)
{
	const struct queue *q = &f->q;
	const struct leg *l = &f->leg;
	const struct exchange *x = f->x.at[WHO_CLIENT];
	uint32_t end = q->tail ? end_of(q->tail) : l->snd_nxt;
	bool whole =
		f->shed != SHED_CUT && l->ending == FLOW_END_NONE && !q->left;

	check_queue_list(f);
	if (l->state == LEG_NONE || l->state == LEG_CLOSED) {
		assert(!q->left);
		return;
	}
	/* As long as a message is left out, so are the client's bytes. */
	assert(!x || !(x->flags & X_LEFT) || q->left ||
	       l->ending != FLOW_END_NONE);
	/* What the SUT closed begins again from another port. */
	assert(q->reopened == 0 || l->other_port);
	/* What is in order and was not dropped went through it. */
	assert(whole ? end == f->w.c.nxt || !(f->framing & FRAMING_RESTARTS)
		     : seq_le(end, f->w.c.nxt));
	if (q->send)
		assert((seq_le(q->send->seq, l->snd_nxt) ||
			is_left(f, q->send->seq)) &&
		       seq_lt(l->snd_nxt, end_of(q->send)));
	else
		assert(end == l->snd_nxt);
	if (q->head && q->head != q->send)
		assert(seq_lt(l->snd_una, end_of(q->head)));
	if (q->kept)
		assert(seq_le(q->head ? q->head->seq : end, l->snd_una) ||
		       is_left(f, q->head->seq));
	if (l->state != LEG_OPEN)
		assert(q->send == q->head && !q->kept);
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
	assert(!(l->ev & ~may->ev_may));
	assert((l->flags & may->flags_set) == may->flags_set);
	assert(!(l->flags & ~may->flags_may));
	assert((l->end != FLOW_END_NONE) == may->ended);
	assert((l->end == FLOW_END_CLOSED) == (l->state == LEG_CLOSED));
	assert(l->ending == FLOW_END_NONE || !may->ended);
	assert(may->queue || (!f->q.head && !f->q.kept));
	assert(!may->bound || l->syn_out);
	/* A substitute is none of the ports that a system keeps for itself. */
	assert(!may->bound || f->eport == f->key.cport || f->eport >= 1024);
	assert(may->bound || f->in_sut == 0);
	assert(!(f->w.ev & EV_S_ALL));
	/* One of the SUT's follows its SYN,ACK, the ack of our FIN our FIN. */
	assert((l->ev & EV_S_SYNACK) || l->ev == 0);
	assert(!(l->ev & EV_S_ACKFIN) || (l->flags & L_FIN_SENT));
	assert(!(l->flags & L_FIN_SENT) || (f->w.ev & EV_C_FIN));
}

/* What goes to the SUT. */
static void check_sent(const struct flow *f)
{
	const struct leg *l = &f->leg;
	uint32_t end = l->snd_nxt + ((l->flags & L_FIN_SENT) != 0);

	assert(seq_le(l->snd_una, end) && seq_le(l->snd_nxt, f->w.c.nxt));
	assert(!(l->ev & EV_S_ACKFIN) || l->snd_una == end);
	if (l->state != LEG_OPEN)
		assert(l->snd_una == f->w.c_iss + 1 && end == l->snd_una);
	if (l->flags & L_FIN_SENT)
		assert(stream_has(&f->w.c, STREAM_ENDED) &&
		       l->snd_nxt == f->w.c.fin);
	if (l->flags & L_RECOVER)
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

	assert(l->s.flags == 0 && !l->s.early && l->mss == 0);
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
	assert(!(l->flags & L_HANDSHAKE) || l->last_ack_sent == l->iss + 1);
	assert(l->last_ack_sent == end || !(f->w.ev & EV_C_ACK) ||
	       l->ending != FLOW_END_NONE || !list_empty(&f->more) ||
	       f->due[DUE_SPONT] != WHEEL_NEVER);
	assert(!(l->flags & L_TS) || (f->w.c_has & OPT_HAS_TS));
	assert(!(l->flags & L_SACK) || (f->w.c_has & OPT_HAS_SACK_OK));
	assert((l->flags & L_WSCALE) ? l->wscale == f->w.c_wscale
				     : l->wscale == 0);
	assert(l->wscale <= WSCALE_MOST && l->sut_wscale <= WSCALE_MOST);
	assert(!l->shut || f->q.send);
	assert(l->adv_edge - l->last_ack_sent <= 65535u << l->wscale);
	assert((l->flags & L_TS) || l->tsval == 0);
	assert(((l->ev & EV_S_FIN) != 0) == stream_has(&l->s, STREAM_ENDED));
	/* Both have said goodbye, and our side has. */
	assert(!(l->flags & L_DRAIN) || (l->flags & L_FIN_SENT));
	/* What is owed is known, if its place in the client's stream is known.
	 */
	assert(!l->dup_ack || !(f->w.ev & EV_C_ACK) ||
	       l->ending != FLOW_END_NONE || !list_empty(&f->more));
	/* What came in order ended somewhere. */
	assert(l->s.nxt == l->iss + 1 || l->bound_n > 0);
	for (unsigned i = 0; i < l->bound_n; i++)
		assert(seq_le(l->bound[(l->bound_head + i) % FLOW_BOUNDS],
			      l->adv_edge));
}

static void check_leg(const struct flow *f)
{
	const struct leg *l = &f->leg;
	uint32_t last =
		seq_lt(f->w.c_ack, f->w.p_base) ? f->w.p_base : f->w.c_ack;
	/* Each of the client's acks is queued. */
	bool queues = !(l->flags & L_DRAIN) && l->ending == FLOW_END_NONE;

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
		assert(i + 1 == l->ack_n ? a->win == f->w.c_win || !queues
					 : a->now <= n->now);
	}
	if (l->state == LEG_NONE || l->state == LEG_CLOSED) {
		assert(l->ack_n == 0 && l->gate == GATE_UNASKED);
		assert(!f->wait.on && !f->newer);
		return;
	}
	assert(f->class != FLOW_TIME_WAIT);
	assert(l->state == LEG_WAITING || !f->older);
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

bool flow_is_due(const struct flow *f, uint64_t now)
{
	bool due = false;

	for (int d = 0; d < DUE_COUNT; d++)
		due |= f->due[d] <= now;
	return due;
}

static void check_watch(const struct flow *f)
{
	const struct watch *w = &f->w;

	check_stream(&w->c);
	check_stream(&w->p);
	check_stream(&f->leg.s);
	assert(stream_has(&w->c, STREAM_ON) && w->ttl != 0);
	assert(!(w->ev & EV_C_ACK) || stream_has(&w->p, STREAM_ON));
	assert(!stream_has(&w->c, STREAM_ENDED) || (w->ev & EV_C_FIN));
	assert(!stream_has(&w->p, STREAM_ENDED) || (w->ev & EV_P_FIN));
	assert(w->c_wscale <= WSCALE_MOST && w->c_win <= WIN_MOST);
	assert(!(w->c_has & ~PASSED_ON));
	assert((w->c_has & OPT_HAS_WSCALE) || w->c_wscale == 0);
	assert(!(w->ev & EV_C_ACK) || f->class != FLOW_HALF_OPEN ||
	       (w->ev & EV_C_FIN));
	assert(f->class != FLOW_LIVE || (w->ev & EV_C_ACK));
	assert(!w->syn_data || (w->c.early && !(w->flags & W_MID)));
	assert(!w->unconfirmed || (w->flags & W_MID));
	assert((w->flags & W_CUT) || w->c_cut == 0 || (w->flags & W_MID));
}

/* A hole has a time and a deadline, and no other flow has. */
static void check_gaps(const struct flow *f)
{
	bool c = client_hole(f);
	bool p = prod_hole(f);

	assert((f->w.gap_c != 0) == c && (f->w.gap_p != 0) == p);
	assert((f->due[DUE_GAP] != WHEEL_NEVER) == (c || p));
	assert(f->w.lost_seen == 0 || (f->w.flags & W_LOST));
}

void flow_check(const struct flow *f)
{
	assert(f->id != 0 && f->class < FLOW_CLASSES);
	assert((f->want != 0) == !list_empty(&f->attention));
	assert(!f->older ||
	       (f->older->newer == f && (f->older->w.flags & W_SUPERSEDED)));
	assert(!f->newer || f->newer->older == f);
	check_watch(f);
	check_legal(f);
	check_leg(f);
	check_queue(f);
	check_due(f);
	check_gaps(f);
	check_exchanges(f);
	check_cursors(f);
}
