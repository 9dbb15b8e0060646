/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read.c - In-order bytes to pieces, marks and the comparison
 *
 * Theory of operation
 *
 * The framer is chosen by the client's first bytes and then reads all three
 * streams. Each piece goes to the exchange that its endpoint's next mark belongs
 * to; the answers' pieces go on to the comparison of that exchange.
 *
 * Where no framing is known, marks come by quiet: a server's message ends when it
 * has spoken since the client's last bytes, all of it is here, and nothing came
 * for QUIET_WAIT; later bytes before the client's next ones move that mark. The
 * client's message ends when production speaks. An exchange by quiet is judged
 * only when its marks cannot move any more.
 *
 * A hole in production's stream: inside a body of known length the place is not
 * lost, and only that answer is spoilt. Otherwise it is lost until the client's
 * next request: what the client had acked by then is where production's answers
 * to all earlier requests ended.
 */
#include <string.h>

#include "engine/engine_internal.h"

/* --- which framer --- */

static const struct framer_ops *framer_of(const struct flow *f)
{
	return f->framer;
}

static bool is_quiet(const struct flow *f, enum who who)
{
	if (f->framer == &framer_quiet)
		return true;
	if (who == WHO_CLIENT)
		return (f->flags & FLOW_C_TUNNEL) != 0;
	return (f->flags &
		(uint32_t)(who == WHO_PROD ? FLOW_QUIET_P : FLOW_QUIET_S)) != 0;
}

static void choose(struct engine *e, struct flow *f, enum who who,
		   const uint8_t *p, uint32_t n)
{
	const struct framer_ops *ops = &framer_quiet;

	if (who == WHO_CLIENT) {
		ops = framer_guess(f->key.pport, p, n);
		if (framer_is_tls(p, n) == 1) {
			f->flags |= FLOW_IS_TLS;
			e->stats.count.tls++;
		}
	}
	if (who == WHO_SUT)
		f->flags |= FLOW_SUT_CHOSE;
	f->framer = ops;
	f->marked = ops != &framer_quiet;
	f->restarts = ops != &framer_quiet;
	f->flags |= FLOW_FRAMED;
	ops->init(f->app, (f->flags & FLOW_MID) != 0);
}

/* Is the client inside of a message, as far as it was read? */
static bool in_message(const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_CLIENT];

	return x != NULL && (x->flags & X_C_BEGUN) != 0;
}

/* Is @seq, which was not read yet, inside of the message that was read last? */
static bool is_inside(const struct flow *f, uint32_t seq)
{
	uint8_t app[FLOW_APP_MAX];

	if (framer_of(f) == NULL || is_quiet(f, WHO_CLIENT) || !in_message(f))
		return false;
	if (seq == f->c.nxt)
		return true;
	memcpy(app, f->app, sizeof(app));
	return framer_of(f)->skip(app, WHO_CLIENT, seq - f->c.nxt);
}

bool read_follows(const struct flow *f, uint32_t seq)
{
	return seq == f->c.nxt && framer_of(f) != NULL &&
	       !is_quiet(f, WHO_CLIENT) && !in_message(f);
}

void read_unsure(struct flow *f, enum compare_reason why, uint32_t from)
{
	if (f->unsure == REASON_NONE) {
		f->unsure = (uint8_t)why;
		f->unsure_from = from;
	} else if (seq_lt(from, f->unsure_from)) {
		f->unsure_from = from;
	}
}

bool read_begins(const struct flow *f, uint32_t seq, const uint8_t *p,
		 uint32_t n)
{
	const struct framer_ops *ops = framer_of(f);

	if (n == 0 || is_inside(f, seq))
		return false;
	if (ops == NULL) {
		ops = framer_guess(f->key.pport, p, n);
		/* It would take any byte for a beginning, and the bytes of a
		 * body whose head was missed look like nothing that is known.
		 */
		if (ops == &framer_quiet)
			return false;
	}
	return ops->restarts(p, n);
}

/* --- pieces --- */

/* Keep the request's first line. */
static void keep_line(struct exchange *x, const uint8_t *p, uint32_t n)
{
	uint32_t room = EXCHANGE_REQUEST - x->request_len;
	const uint8_t *end;

	if ((x->flags & X_LINE) != 0 || (x->odd & ODD_S_EXTRA) != 0)
		return;
	end = memchr(p, '\r', n);
	if (end == NULL)
		end = memchr(p, '\n', n);
	if (end != NULL) {
		n = (uint32_t)(end - p);
		x->flags |= X_LINE;
	}
	if (n > room)
		n = room;
	memcpy(x->request + x->request_len, p, n);
	x->request_len = (uint8_t)(x->request_len + n);
}

/* A request begins. Its client pipelines if it has acked nothing since the one
 * before began, or not all of the answer to that.
 */
static void request_begins(const struct engine *e, struct flow *f,
			   struct exchange *x, uint32_t ack)
{
	if (x->index > 0 && ack == f->begun_ack)
		f->pipelines = true;
	f->begun_ack = ack;
	x->c_ack = ack;
	x->record = e->record;
	x->flags |= X_C_BEGUN;
	if (f->taken_up)
		x->flags |= X_RESUMED;
	f->taken_up = false;
}

/* A request is here whole; it may have been judged without its end. */
static void client_mark(struct engine *e, struct flow *f, uint32_t seq,
			uint64_t now)
{
	const struct exchange *x =
		shadow_mark(e->shadow, f, WHO_CLIENT, seq, now);

	if (x != NULL && (x->flags & X_JUDGED) != 0)
		e->stats.count.requests_missed--;
}

/* From here on the client's messages end by quiet. */
static void leave_client(struct flow *f)
{
	f->flags |= FLOW_C_TUNNEL;
	f->marked = false;
}

static void client_piece(struct engine *e, struct flow *f,
			 const struct framer_piece *pc, const uint8_t *p,
			 uint32_t seq, const struct span *sp, uint64_t now)
{
	struct exchange *x = exchange_open(&f->x, e->pool, WHO_CLIENT);

	if (x == NULL) {
		f->ending = FLOW_END_POOL_FULL;
		return;
	}
	if ((x->flags & X_C_BEGUN) == 0) {
		request_begins(e, f, x, sp->ack);
		if (!shadow_take_up(e->shadow, f, sp, seq, now) &&
		    shadow_is_shed(f))
			read_spoil(x, REASON_SHED);
	}
	stamp_bytes(f, x, WHO_CLIENT, sp, false, false);
	if (pc->part == FRAMER_HEAD)
		keep_line(x, p, pc->used);
	/* Where a request may be split in two ways, or two copies of its
	 * bytes differ, nobody knows what answers what from there on (I18).
	 */
	if ((pc->flags & FRAMER_AMBIGUOUS) != 0 ||
	    stream_has(&f->c, STREAM_CONFLICT))
		f->flags |= FLOW_AMBIGUOUS;
	if ((f->flags & FLOW_AMBIGUOUS) != 0)
		read_spoil(x, REASON_AMBIGUOUS);
	if ((pc->flags & FRAMER_MARK) != 0)
		client_mark(e, f, seq + pc->used, sp->now);
	if ((pc->flags & FRAMER_TUNNEL) != 0)
		leave_client(f);
}

/* The comparison of an exchange, begun with its first answering byte. @begun:
 * there were answering bytes before, so that without one they are gone
 */
static struct compare *comparison(struct engine *e, struct flow *f,
				  struct exchange *x, bool begun)
{
	bool http = f->framer == &framer_http1;

	/* The answer that breaks the protocol is compared, those behind are not. */
	if ((f->flags & FLOW_BROKEN_S) != 0 && (x->flags & X_HAVE_S) == 0 &&
	    x->cmp == NULL)
		read_spoil(x, REASON_TUNNEL);
	/* A SUT may have answered, and reset, before production does: what has
	 * begun is compared to its end.
	 */
	if (e->cfg.compare == COMPARE_NONE || x->spoilt != REASON_NONE ||
	    (x->flags & X_JUDGED) != 0 ||
	    (f->leg == LEG_NONE && x->cmp == NULL))
		return NULL;
	if (x->cmp == NULL && begun) {
		read_spoil(x, REASON_CLIENT_GAP);
		return NULL;
	}
	if (x->cmp == NULL) {
		x->cmp = compare_begin(e->pool, e->cfg.compare, http);
		if (x->cmp == NULL)
			read_spoil(x, REASON_NO_MEMORY);
		else
			compare_by(x->cmp, &e->cfg.rules);
	}
	return x->cmp;
}

/* What the end of a leg means for an exchange that is open then. */
static enum compare_reason reason_of(const struct flow *f)
{
	switch ((enum flow_end)f->end) {
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
		break;
	}
	return REASON_NOT_PLAYED;
}

/* The same of one exchange, whose fate it is, if the SUT has brought it about. */
static enum compare_reason reason_for(const struct engine *e,
				      const struct flow *f, struct exchange *x)
{
	if (x->fate == UNANSWERED_NONE)
		x->fate = (uint8_t)wait_fate(e, f, x);
	return x->fate != UNANSWERED_NONE ? REASON_UNANSWERED : reason_of(f);
}

/* Is this an answer of production alone, whose request may be judged elsewhere?
 * The flow goes on (@again), maybe with requests that are here already, or has gone
 * on before. Or are these only the bytes of a SUT behind an answer that broke the
 * protocol?
 */
static bool is_spare(const struct flow *f, const struct exchange *x, bool again)
{
	bool guessed =
		f->unsure != REASON_NONE && !seq_lt(x->index, f->unsure_from);

	if ((f->flags & FLOW_BROKEN_S) != 0 && (x->odd & ODD_S_BROKE) == 0 &&
	    (x->flags & (X_C_BEGUN | X_HAVE_C | X_P_BEGUN)) == 0)
		return true;
	return (again || guessed) &&
	       (x->flags & (X_C_BEGUN | X_HAVE_C | X_S_BEGUN)) == 0;
}

static void try_judge(struct engine *e, struct flow *f, struct exchange *x)
{
	const uint16_t both = X_HAVE_P | X_HAVE_S;

	if ((x->flags & X_JUDGED) != 0)
		return;
	if ((x->flags & both) == both) {
		judge(e, f, x, REASON_NONE);
		read_parted(f, x);
	} else if ((x->flags & X_HAVE_P) != 0 && !is_spare(f, x, false) &&
		   (f->leg == LEG_NONE || x->fate != UNANSWERED_NONE)) {
		judge(e, f, x, reason_for(e, f, x));
	}
}

/* Does the SUT's stream have no marks of its own although production's has? What
 * it says cannot be told apart then; its answers end with production's.
 */
static bool is_broken(const struct flow *f)
{
	return f->framer != &framer_quiet &&
	       ((f->flags & FLOW_BROKEN_S) != 0 ||
		(f->flags & (FLOW_QUIET_S | FLOW_QUIET_P)) == FLOW_QUIET_S);
}

static void follow(struct engine *e, struct flow *f)
{
	struct exchange *x;

	while (is_broken(f) && (x = f->x.at[WHO_SUT]) != NULL &&
	       (x->flags & X_HAVE_P) != 0) {
		if (x->cmp == NULL)
			read_spoil(x, REASON_TUNNEL);
		else
			compare_done(x->cmp, WHO_SUT);
		exchange_mark(&f->x, e->pool, WHO_SUT, f->s.nxt);
		try_judge(e, f, x);
	}
}

static void answer_mark(struct engine *e, struct flow *f, enum who who,
			uint32_t seq, uint64_t now)
{
	struct exchange *x = shadow_mark(e->shadow, f, who, seq, now);

	if (x == NULL)
		return;
	if (who == WHO_PROD && x->next != NULL &&
	    (x->next->flags & X_C_BEGUN) != 0 && seq_lt(x->next->c_ack, seq))
		f->pipelines = true;
	if (who == WHO_SUT)
		wait_too_late(e, x, now);
	if (x->cmp != NULL)
		compare_done(x->cmp, who);
	if (!is_quiet(f, who))
		try_judge(e, f, x);
	if (who == WHO_PROD)
		follow(e, f);
}

/* The place in production's messages is lost. */
static void lose_prod(struct flow *f)
{
	f->flags |= FLOW_PLOST;
	if (stream_has(&f->p, STREAM_FIN))
		f->ev |= EV_P_FIN; /* its place does not matter any more */
}

/* From here on a server says what is none of the protocol's: as it agreed, with
 * the mark of what made the tunnel, or it breaks it. Production's place is known
 * again at the client's next request then; the SUT's never.
 */
static void leave_protocol(struct engine *e, struct flow *f, enum who who,
			   bool agreed, uint64_t now)
{
	if (agreed)
		f->flags |= (uint32_t)(who == WHO_PROD ? FLOW_QUIET_P
						       : FLOW_QUIET_S);
	else if (who == WHO_PROD)
		lose_prod(f);
	else
		read_break(f, f->x.at[WHO_SUT]);
	/* The SUT may have switched first, and spoken since. */
	if (who == WHO_PROD && (f->flags & FLOW_SPOKE_S) != 0)
		shadow_arm_quiet(e->shadow, f, now + QUIET_WAIT);
}

static void answer_piece(struct engine *e, struct flow *f, enum who who,
			 const struct framer_piece *pc, const uint8_t *p,
			 uint32_t seq, const struct span *sp, uint64_t now)
{
	struct exchange *x = exchange_open(&f->x, e->pool, who);
	struct compare *c;
	bool begun;
	bool first;

	if (x == NULL) {
		f->ending = FLOW_END_POOL_FULL;
		return;
	}
	begun = (x->flags & (X_P_BEGUN | X_S_BEGUN)) != 0;
	first = (x->flags & (who == WHO_PROD ? X_P_BEGUN : X_S_BEGUN)) == 0 &&
		pc->part != FRAMER_INTERIM;
	if (first)
		x->flags |= who == WHO_PROD ? X_P_BEGUN : X_S_BEGUN;
	if (first && who == WHO_PROD)
		x->p_first = now;
	stamp_bytes(f, x, who, sp, first, is_quiet(f, who));
	if (who == WHO_SUT && pc->part != FRAMER_INTERIM)
		shadow_answering(e->shadow, f, now);
	if (pc->flags != 0)
		read_odd(f, who, x, pc);
	c = comparison(e, f, x, begun);
	if (c != NULL)
		compare_feed(c, e->pool, who, pc, p);
	if ((pc->flags & FRAMER_TUNNEL) != 0)
		leave_protocol(e, f, who, (pc->flags & FRAMER_MARK) != 0, now);
	if ((pc->flags & FRAMER_MARK) != 0 && who == WHO_SUT)
		f->s_closes = (pc->flags & FRAMER_CLOSES) != 0;
	if ((pc->flags & FRAMER_MARK) != 0)
		answer_mark(e, f, who, seq + pc->used, now);
	/* No mark by quiet is moved: this one is by the protocol. */
	if ((x->odd & (ODD_P_LEFT | ODD_S_LEFT)) != 0)
		try_judge(e, f, x);
	if (who == WHO_SUT)
		follow(e, f);
}

/* --- quiet --- */

static void quiet_mark(struct engine *e, struct flow *f, enum who who,
		       uint64_t now)
{
	uint32_t spoke = who == WHO_PROD ? FLOW_SPOKE_P : FLOW_SPOKE_S;
	uint32_t move = who == WHO_PROD ? FLOW_MOVE_P : FLOW_MOVE_S;
	const struct stream *st = who == WHO_PROD ? &f->p : &f->s;

	f->flags &= ~spoke;
	f->flags |= move;
	e->stats.count.quiet_marks++;
	answer_mark(e, f, who, st->nxt, now);
}

/* A server speaks: a mark that it made by quiet moves. */
static void quiet_answer(struct engine *e, struct flow *f, enum who who,
			 uint64_t now)
{
	uint32_t spoke = who == WHO_PROD ? FLOW_SPOKE_P : FLOW_SPOKE_S;
	uint32_t move = who == WHO_PROD ? FLOW_MOVE_P : FLOW_MOVE_S;

	if ((f->flags & FLOW_SPOKE_C) != 0 && who == WHO_PROD) {
		f->flags &= ~(uint32_t)FLOW_SPOKE_C;
		client_mark(e, f, f->c.nxt, now);
	}
	if ((f->flags & move) != 0) {
		const struct exchange *x = f->x.tail;
		uint16_t have = who == WHO_PROD ? X_HAVE_P : X_HAVE_S;

		/* A mark of an exchange that is not the last came after the
		 * client had spoken on, and what follows answers that.
		 */
		f->flags &= ~move;
		if (x != NULL && (x->flags & have) != 0 &&
		    (x->flags & (X_JUDGED | X_PASSED)) == 0)
			shadow_unmark(e->shadow, f, who);
	}
	f->flags |= spoke;
	*(who == WHO_PROD ? &f->quiet_p : &f->quiet_s) = now;
	if (f->due[DUE_QUIET] == WHEEL_NEVER)
		shadow_arm_quiet(e->shadow, f, now + QUIET_WAIT);
}

/* The client speaks: what the servers said before is theirs for good. */
static void quiet_client(struct engine *e, struct flow *f, uint32_t ack,
			 uint64_t now)
{
	struct exchange *x;

	if ((f->flags & FLOW_SPOKE_P) != 0 && !seq_lt(ack, f->p.nxt))
		quiet_mark(e, f, WHO_PROD, now);
	f->flags &= ~(uint32_t)(FLOW_MOVE_P | FLOW_MOVE_S);
	f->flags |= FLOW_SPOKE_C;
	for (x = f->x.head; x != NULL; x = x->next)
		try_judge(e, f, x);
}

void read_quiet(struct engine *e, struct flow *f, uint64_t now)
{
	uint64_t next = WHEEL_NEVER;

	if ((f->flags & FLOW_SPOKE_P) != 0 && f->p.early == NULL) {
		if (now - f->quiet_p >= QUIET_WAIT)
			quiet_mark(e, f, WHO_PROD, now);
		else
			next = f->quiet_p + QUIET_WAIT;
	}
	if ((f->flags & FLOW_SPOKE_S) != 0 && f->s.early == NULL &&
	    !is_broken(f)) {
		if (now - f->quiet_s >= QUIET_WAIT)
			quiet_mark(e, f, WHO_SUT, now);
		else if (f->quiet_s + QUIET_WAIT < next)
			next = f->quiet_s + QUIET_WAIT;
	}
	if (next != WHEEL_NEVER)
		shadow_arm_quiet(e->shadow, f, next);
}

/* --- spans --- */

/* Production's place is lost; its answer @k begins at @ack. */
static void resync_prod(struct engine *e, struct flow *f, uint32_t ack,
			uint32_t k, uint64_t now)
{
	struct exchange *x;

	if (seq_lt(ack, f->p.nxt) || is_quiet(f, WHO_PROD))
		return;
	shadow_skip_prod(e->shadow, f, ack);
	f->flags &= ~(uint32_t)FLOW_PLOST;
	e->stats.count.resyncs++;
	/* What it said meanwhile is not known. */
	x = f->x.at[WHO_PROD];
	if (x != NULL && (x->odd & ODD_P_BROKE) != 0)
		read_spoil(x, REASON_PROD_MALFORMED);
	while (f->x.marks[WHO_PROD] < k) {
		x = exchange_open(&f->x, e->pool, WHO_PROD);
		if (x == NULL)
			return;
		read_spoil(x, REASON_PROD_GAP);
		answer_mark(e, f, WHO_PROD, ack, now);
	}
	framer_of(f)->resync(f->app, WHO_PROD, k);
	read_unsure(f, REASON_PROD_GAP, k);
	read_spans(e, f, WHO_PROD, NULL, now);
}

static void read_bytes(struct engine *e, struct flow *f, enum who who,
		       const struct span *sp, uint64_t now)
{
	const uint8_t *p = sp->data;
	uint32_t left = sp->len;
	uint32_t seq = sp->seq;
	struct framer_piece pc;

	while (left > 0) {
		if (is_quiet(f, who)) {
			pc = (struct framer_piece){ .used = left,
						    .part = FRAMER_OPAQUE };
			if (who == WHO_CLIENT)
				quiet_client(e, f, sp->ack, now);
			else
				quiet_answer(e, f, who, now);
		} else {
			framer_of(f)->feed(f->app, who, p, left, &pc);
			if (who == WHO_CLIENT &&
			    (pc.flags & FRAMER_BEGIN) != 0 &&
			    (f->flags & FLOW_PLOST) != 0)
				resync_prod(e, f, sp->ack,
					    f->x.marks[WHO_CLIENT], now);
		}
		if (who == WHO_CLIENT)
			client_piece(e, f, &pc, p, seq, sp, now);
		else
			answer_piece(e, f, who, &pc, p, seq, sp, now);
		p += pc.used;
		seq += pc.used;
		left -= pc.used;
	}
}

/* A server's FIN, in order: it may end a message. */
static void read_fin(struct engine *e, struct flow *f, enum who who,
		     uint64_t now)
{
	const struct stream *st = who == WHO_PROD ? &f->p : &f->s;
	uint32_t bit = who == WHO_PROD ? FLOW_ENDED_P : FLOW_ENDED_S;
	uint32_t spoke = who == WHO_PROD ? FLOW_SPOKE_P : FLOW_SPOKE_S;
	uint16_t r;

	if ((f->flags & bit) != 0 || !stream_has(st, STREAM_ENDED) ||
	    f->framer == NULL)
		return;
	f->flags |= bit;
	if (is_quiet(f, who)) {
		if ((f->flags & spoke) != 0 &&
		    (who == WHO_PROD || !is_broken(f)))
			quiet_mark(e, f, who, now);
		return;
	}
	r = framer_of(f)->fin(f->app, who);
	if (r == FRAMER_MARK && who == WHO_SUT)
		f->s_closes = true;
	if (r == FRAMER_MARK)
		answer_mark(e, f, who, st->nxt, now);
	else if (r == FRAMER_TUNNEL && f->x.at[who] != NULL)
		read_cut(f->x.at[who], who);
}

/* Keep production's bytes until a request tells where an answer begins. Without
 * room for them the oldest go.
 */
static void hold_prod(struct engine *e, struct flow *f,
		      const struct segment *seg, uint64_t now)
{
	if (shadow_hold_prod(e->shadow, f, seg, now))
		return;
	shadow_skip_prod(e->shadow, f, f->c_ack);
	shadow_hold_prod(e->shadow, f, seg, now);
}

/* The SUT has spoken first, which proves nothing about production: the client's
 * bytes decide, unless production has spoken before them. If they are of a known
 * protocol, what the SUT said is none of it.
 */
static void choose_again(struct engine *e, struct flow *f, enum who who,
			 const uint8_t *p, uint32_t n)
{
	f->flags &= ~(uint32_t)FLOW_SUT_CHOSE;
	if (who != WHO_CLIENT)
		return;
	choose(e, f, who, p, n);
	if (f->framer == &framer_quiet)
		return;
	shadow_unmark(e->shadow, f, WHO_SUT);
	f->flags &= ~(uint32_t)(FLOW_SPOKE_S | FLOW_MOVE_S);
	if (f->x.at[WHO_SUT] != NULL && f->x.at[WHO_SUT]->cmp != NULL)
		compare_odd(f->x.at[WHO_SUT]->cmp, ODD_GREETING);
	read_break(f, f->x.at[WHO_SUT]);
}

void read_spans(struct engine *e, struct flow *f, enum who who,
		const struct segment *seg, uint64_t now)
{
	struct span sp = { 0 };

	if (who == WHO_PROD && (f->flags & FLOW_PLOST) != 0) {
		hold_prod(e, f, seg, now);
		return;
	}
	while (shadow_span(e->shadow, f, who, seg, now, &sp)) {
		/* An answer to a request that was missed is no greeting. */
		if (f->framer == NULL && who == WHO_PROD &&
		    seq_lt(stream_end(&f->c), f->p_ack))
			f->flags |= FLOW_PLOST;
		else if (f->framer == NULL)
			choose(e, f, who, sp.data, sp.len);
		else if (who != WHO_SUT && (f->flags & FLOW_SUT_CHOSE) != 0)
			choose_again(e, f, who, sp.data, sp.len);
		if (who == WHO_PROD && (f->flags & FLOW_PLOST) != 0)
			continue; /* the answer to a request that was missed */
		read_bytes(e, f, who, &sp, now);
	}
	if (who != WHO_CLIENT)
		read_fin(e, f, who, now);
}

void read_waiting(struct engine *e, struct flow *f, uint64_t now)
{
	uint32_t c;
	uint32_t p;

	do {
		c = f->c.nxt;
		p = f->p.nxt;
		if (f->p.early != NULL)
			read_spans(e, f, WHO_PROD, NULL, now);
		if (f->c.early != NULL && (f->flags & FLOW_LOST) == 0)
			read_spans(e, f, WHO_CLIENT, NULL, now);
	} while (f->c.nxt != c || f->p.nxt != p);
}

/* The first request that is known to have begun behind the hole tells where
 * production's answers to the ones before it ended.
 */
static void resync_known(struct engine *e, struct flow *f, uint64_t now)
{
	const struct exchange *x;

	for (x = f->x.head; x != NULL; x = x->next)
		if ((x->flags & X_C_BEGUN) != 0 &&
		    x->index >= f->x.marks[WHO_PROD] &&
		    seq_le(f->p.nxt, x->c_ack)) {
			resync_prod(e, f, x->c_ack, x->index, now);
			return;
		}
}

void read_hole(struct engine *e, struct flow *f, uint64_t now)
{
	uint32_t to = f->p.early != NULL ? f->p.early->seq : f->c_ack;
	uint32_t was = f->p.nxt;
	struct exchange *x;
	uint32_t n;

	if (seq_lt(stream_end(&f->p), to))
		shadow_skip_prod(e->shadow, f, to);
	n = f->p.nxt - was;
	if (n > 0) {
		x = exchange_open(&f->x, e->pool, WHO_PROD);
		if (x != NULL)
			read_spoil(x, REASON_PROD_GAP);
		if (f->framer != NULL && !is_quiet(f, WHO_PROD)) {
			if (framer_of(f)->skip(f->app, WHO_PROD, n)) {
				e->stats.count.holes_skipped++;
			} else {
				e->stats.count.holes_lost++;
				f->flags |= FLOW_PLOST;
			}
		}
	}
	if ((f->flags & FLOW_PLOST) != 0)
		resync_known(e, f, now);
	else
		read_spans(e, f, WHO_PROD, NULL, now);
	read_waiting(e, f, now);
}

/* --- ends --- */

/* Production's answer to this was missed, and is so whatever came later. */
static bool is_unseen(const struct flow *f, const struct exchange *x)
{
	return (f->flags & FLOW_PLOST) != 0 && (x->flags & X_HAVE_P) == 0;
}

void read_anew(struct flow *f)
{
	framer_of(f)->resync(f->app, WHO_SUT, f->x.marks[WHO_SUT]);
}

void read_closed(struct engine *e, struct flow *f)
{
	struct exchange *x = f->x.at[WHO_SUT];

	if (f->leg != LEG_OPEN || x == NULL)
		return;
	if (x->fate == UNANSWERED_NONE)
		x->fate = (f->ev & EV_S_FIN) != 0 ? UNANSWERED_CUT
						  : UNANSWERED_RESET;
	if ((x->flags & X_JUDGED) == 0)
		judge(e, f, x, REASON_UNANSWERED);
	shadow_cut(e->shadow, f);
}

void read_leg_over(struct engine *e, struct flow *f)
{
	enum compare_reason why;
	struct exchange *x;

	for (x = f->x.head; x != NULL; x = x->next) {
		if ((x->flags & X_JUDGED) != 0)
			continue;
		/* The SUT is done: production may still be answering. */
		why = reason_for(e, f, x);
		if (why == REASON_UNANSWERED && (x->flags & X_HAVE_P) == 0)
			continue;
		if (is_spare(f, x, (f->flags & FLOW_LOST) != 0))
			continue;
		if ((x->flags & (X_C_BEGUN | X_P_BEGUN | X_S_BEGUN)) != 0)
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
	if ((f->ev & EV_C_RST) != 0 || (f->flags & FLOW_SUPERSEDED) != 0)
		return REASON_CLIENT_ABORT;
	if ((f->ev & (EV_P_FIN | EV_P_RST)) != 0)
		return REASON_PROD_CUT;
	return is_unseen(f, x) ? REASON_PROD_GAP : REASON_RUN_ENDED;
}

/* Has production begun this answer, and goes on with it, where the SUT has not? */
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
	if ((why == REASON_UNANSWERED && (x->flags & X_HAVE_P) == 0 &&
	     !is_owed_begun(f, x)) ||
	    ((x->odd & ODD_S_BROKE) != 0 && (x->flags & X_C_BEGUN) == 0))
		why = prod_left(f, x);
	/* The flow goes on behind it, so its answer will not be looked for. */
	if (why == REASON_RUN_ENDED && again && x->fate != UNANSWERED_NONE)
		why = REASON_SUT_DOWN;
	if ((x->flags & (X_HAVE_P | X_HAVE_S)) == (X_HAVE_P | X_HAVE_S))
		why = REASON_NONE;
	if ((x->odd & ODD_P_BROKE) != 0)
		read_cut(x, WHO_PROD);
	if ((x->flags & X_JUDGED) == 0 && !is_spare(f, x, again) &&
	    (x->flags & (X_HAVE_C | X_P_BEGUN | X_S_BEGUN)) != 0)
		judge(e, f, x, why);
	if (x->cmp != NULL) {
		compare_end(x->cmp, e->pool, why, &res);
		x->cmp = NULL;
	}
	exchange_drop(&f->x, e->pool);
}

void read_close(struct engine *e, struct flow *f)
{
	while (f->x.head != NULL)
		close_exchange(e, f, f->x.head, false);
}

/* Judge and drop what ended up to @ack. Return: does a message of production
 * begin there, and is nothing else open?
 */
static bool drop_until(struct engine *e, struct flow *f, uint32_t ack)
{
	uint32_t at = f->p_base;
	struct exchange *x;

	while ((x = f->x.head) != NULL && (x->flags & X_HAVE_P) != 0 &&
	       seq_le(x->end[WHO_PROD], ack)) {
		at = x->end[WHO_PROD];
		close_exchange(e, f, x, true);
	}
	for (; x != NULL; x = x->next)
		if ((x->flags & (X_HAVE_C | X_HAVE_S)) != 0) {
			if (seq_le(ack, f->p.nxt))
				f->pipelines = true;
			return false;
		}
	return at == ack;
}

bool read_restart(struct engine *e, struct flow *f, uint32_t ack)
{
	const struct framer_ops *ops = framer_of(f);
	struct exchange *x;

	if (ops != NULL && ops != &framer_quiet &&
	    (f->flags & (FLOW_PLOST | FLOW_QUIET_P)) == 0 &&
	    stream_has(&f->p, STREAM_ON) && drop_until(e, f, ack)) {
		exchange_restart(&f->x);
		for (x = f->x.head; x != NULL; x = x->next) {
			/* Read without its request, which may be a HEAD. */
			if ((x->flags & (X_P_BEGUN | X_C_BEGUN)) == X_P_BEGUN)
				read_spoil(x, REASON_CLIENT_GAP);
			x->flags &= X_HAVE_P | X_P_BEGUN | X_JUDGED;
			x->flags |= X_RESUMED;
			x->c_ts = 0;
			x->s_left = 0;
			x->fate = UNANSWERED_NONE;
		}
		ops->resync(f->app, WHO_CLIENT, f->x.marks[WHO_CLIENT]);
		ops->resync(f->app, WHO_SUT, f->x.marks[WHO_SUT]);
		return true;
	}
	while (f->x.head != NULL)
		close_exchange(e, f, f->x.head, true);
	memset(&f->x, 0, sizeof(f->x));
	f->unsure_from = 0;
	if (ops != NULL)
		ops->init(f->app, true);
	return false;
}
