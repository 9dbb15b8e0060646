/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read.c - In-order bytes to pieces, marks and the comparison
 *
 * Theory of operation
 *
 * The framer is chosen by the client's first bytes (reader/framing.c) and then
 * reads all three streams. Each piece goes to the exchange that its endpoint's
 * next mark belongs to; the answers' pieces go on to the comparison of that
 * exchange. Where no framing is known, marks come by quiet (quiet.c). What
 * becomes of an exchange is decided in settle.c.
 *
 * A hole in production's stream: inside a body of known length the place is not
 * lost, and only that answer is spoilt. Otherwise it is lost until the client's
 * next request: what the client had acked by then is where production's answers
 * to all earlier requests ended.
 */
#include <string.h>

#include "app/method.h"
#include "engine/engine_internal.h"

/* Keep the request's first line; @word: a word of it begins. */
static void keep_line(struct exchange *x, bool word, const uint8_t *p,
		      uint32_t n)
{
	uint32_t room = EXCHANGE_REQUEST - x->request_len;
	const uint8_t *end;

	if ((x->flags & X_LINE) || (x->odd & ODD_S_EXTRA))
		return;
	if (word && x->request_len > 0 && room > 0) {
		x->request[x->request_len++] = ' ';
		room--;
	}
	end = memchr(p, '\r', n);
	if (!end)
		end = memchr(p, '\n', n);
	if (end) {
		n = (uint32_t)(end - p);
		x->flags |= X_LINE;
	}
	if (n > room)
		n = room;
	memcpy(x->request + x->request_len, p, n);
	x->request_len = (uint8_t)(x->request_len + n);
}

/* What a query asks for, in place of its line. */
static void keep_question(const struct flow *f, struct exchange *x,
			  const uint8_t *p, uint32_t n)
{
	const struct describe_ops *d = reader_of(f)->protocol->describe;

	if (d->request && x->request_len == 0)
		x->request_len =
			(uint8_t)d->request(p, n, x->request, EXCHANGE_REQUEST);
}

/* A request begins. Its client pipelines if it has acked nothing since the one
 * before began, or not all of the answer to that.
 */
static void request_begins(const struct engine *e, struct flow *f,
			   struct exchange *x, uint32_t ack)
{
	struct reader *r = reader_of(f);

	if (x->index > 0 && ack == r->begun_ack)
		r->pipelines = true;
	r->begun_ack = ack;
	x->c_ack = ack;
	x->record = e->record;
	x->flags |= X_C_BEGUN;
	asked_begin(&r->asked, e->cfg.key.k[0], x->index);
	if (e->refer)
		asked_for_tokens(&r->asked, e->cfg.desk.seed);
	if (r->taken_up)
		x->flags |= X_RESUMED;
	r->taken_up = false;
}

/* A request is here whole; it may have been judged without its end. */
void read_asked(struct engine *e, struct flow *f, uint32_t seq, uint64_t now)
{
	const struct exchange *x =
		shadow_mark(e->shadow, f, WHO_CLIENT, seq, now);

	if (x && (x->flags & X_JUDGED))
		e->stats.count.requests_missed--;
}

/* From here on the client's messages end by quiet. */
static void leave_client(struct flow *f)
{
	f->framing |= FRAMING_C_TUNNEL;
	f->framing &= ~(uint32_t)FRAMING_MARKED;
}

/* What of a request is here, as far as its method needs it: the line that was
 * kept, and @p on. What is too long for that is no method.
 */
static enum method_is method_of(const struct engine *e,
				const struct exchange *x, const uint8_t *p,
				uint32_t n)
{
	uint8_t text[METHODS_TEXT];
	uint32_t len = x->request_len;

	memcpy(text, x->request, len);
	if (n > sizeof(text) - len)
		n = (uint32_t)sizeof(text) - len;
	memcpy(text + len, p, n);
	return method_is(e->cfg.methods, text, len + n);
}

/* Does this piece tell whether its request is to be played? */
static bool asks(const struct engine *e, const struct flow *f,
		 const struct framer_piece *pc)
{
	return e->cfg.methods[0] != '\0' && pc->part == FRAMER_HEAD &&
	       reader_of(f)->protocol->framer == &framer_http1;
}

/* A message of the client's begins, or its method goes on: is it played? As
 * long as that is not known it is left out, and nothing of it is lost.
 */
static void client_begins(struct engine *e, struct flow *f, struct exchange *x,
			  const struct framer_piece *pc, const uint8_t *p,
			  uint32_t seq, const struct span *sp, uint64_t now)
{
	uint32_t here = sp->seq + sp->len - seq;
	bool was = (x->flags & X_LEFT);
	enum method_is is = METHOD_IN;

	if (asks(e, f, pc))
		is = method_of(e, x, p, here);
	if (is == METHOD_OUT)
		read_spoil(x, REASON_METHOD);
	if (is != METHOD_IN) {
		if (!was)
			shadow_leave_out(e->shadow, f, x, seq);
		return;
	}
	x->flags &= (uint16_t)~X_LEFT;
	if (!shadow_take_up(e->shadow, f, x->request, was ? x->request_len : 0,
			    sp, seq, now) &&
	    shadow_is_shed(f))
		read_spoil(x, REASON_SHED);
}

/* Is it not known yet? An empty line in front of a method tells nothing. */
static bool is_unsure(const struct engine *e, const struct exchange *x)
{
	static const uint8_t none;

	return x->request_len == 0 ||
	       ((x->flags & X_LEFT) &&
		method_of(e, x, &none, 0) == METHOD_UNSURE);
}

static void client_piece(struct engine *e, struct flow *f,
			 const struct framer_piece *pc, const uint8_t *p,
			 uint32_t seq, const struct span *sp, uint64_t now)
{
	struct exchange *x = exchange_open(&f->x, e->pool, WHO_CLIENT);

	if (!x) {
		shadow_no_room(f);
		return;
	}
	if (!(x->flags & X_C_BEGUN)) {
		request_begins(e, f, x, sp->ack);
		client_begins(e, f, x, pc, p, seq, sp, now);
	} else if (asks(e, f, pc) && is_unsure(e, x)) {
		client_begins(e, f, x, pc, p, seq, sp, now);
	}
	stamp_bytes(f, x, WHO_CLIENT, sp, false, false);
	if (pc->part == FRAMER_HEAD) {
		keep_line(x, (pc->flags & FRAMER_WORD) != 0, p, pc->used);
		if (e->session)
			asked_head(&reader_of(f)->asked, p, pc->used);
	} else if (pc->part == FRAMER_BODY) {
		asked_body(&reader_of(f)->asked, p, pc->used);
	}
	if (pc->flags & FRAMER_WHOLE)
		keep_question(f, x, p, pc->used);
	/* Where a request may be split in two ways, or two copies of its
	 * bytes differ, nobody knows what answers what from there on (I18).
	 */
	if ((pc->flags & FRAMER_AMBIGUOUS) ||
	    stream_has(&f->w.c, STREAM_CONFLICT))
		f->framing |= FRAMING_AMBIGUOUS;
	if (f->framing & FRAMING_AMBIGUOUS)
		read_spoil(x, REASON_AMBIGUOUS);
	if (pc->flags & FRAMER_MARK) {
		asked_end(&reader_of(f)->asked);
		read_asked(e, f, seq + pc->used, sp->now);
		/* Behind a hole its answer may have been read before it. */
		read_judge(e, f, x);
	}
	if (pc->flags & FRAMER_TUNNEL)
		leave_client(f);
}

/* What the request asked for, if it is the newest one that was read and is here
 * whole.
 */
static const struct asked *asked_by(const struct flow *f,
				    const struct exchange *x)
{
	const struct reader *r = reader_of(f);

	return (x->flags & X_HAVE_C) && r->asked.index == x->index ? &r->asked
								   : NULL;
}

/* The comparison of an exchange, begun with its first answering byte. @begun:
 * there were answering bytes before, so that without one they are gone
 */
static struct compare *comparison(struct engine *e, struct flow *f,
				  struct exchange *x, bool begun)
{
	/* The answer that breaks the protocol is compared, those behind are
	 * not.
	 */
	if ((f->framing & FRAMING_BROKEN_S) && !(x->flags & X_HAVE_S) &&
	    !x->cmp)
		read_spoil(x, REASON_TUNNEL);
	/* A SUT may have answered, and reset, before production does: what has
	 * begun is compared to its end.
	 */
	if (e->cfg.compare == COMPARE_NONE || x->spoilt != REASON_NONE ||
	    (x->flags & X_JUDGED) || (f->leg.state == LEG_NONE && !x->cmp))
		return NULL;
	if (!x->cmp && begun) {
		read_spoil(x, REASON_CLIENT_GAP);
		return NULL;
	}
	if (!x->cmp) {
		x->cmp = compare_begin(e->pool, e->cfg.compare,
				       reader_of(f)->protocol);
		if (!x->cmp)
			read_spoil(x, REASON_NO_MEMORY);
		else
			compare_by(x->cmp, &e->cfg.rules);
		if (x->cmp)
			given_begin(e, f, x->cmp, asked_by(f, x));
		if (x->cmp && e->refer)
			compare_keep(x->cmp, e->pool, (uint32_t)e->cfg.keep,
				     asked_by(f, x));
	}
	return x->cmp;
}

/* Does the SUT's stream have no marks of its own although production's has?
 * What it says cannot be told apart then; its answers end with production's.
 */
bool read_is_broken(const struct flow *f)
{
	return read_framer(f) != &framer_quiet &&
	       ((f->framing & FRAMING_BROKEN_S) ||
		(f->framing & (FRAMING_QUIET_S | FRAMING_QUIET_P)) ==
			FRAMING_QUIET_S);
}

static void follow(struct engine *e, struct flow *f)
{
	struct exchange *x;

	while (read_is_broken(f) && (x = f->x.at[WHO_SUT]) &&
	       (x->flags & X_HAVE_P)) {
		if (!x->cmp)
			read_spoil(x, REASON_TUNNEL);
		else
			compare_done(x->cmp, WHO_SUT);
		exchange_mark(&f->x, e->pool, WHO_SUT, f->leg.s.nxt);
		read_judge(e, f, x);
	}
}

void read_answered(struct engine *e, struct flow *f, enum who who, uint32_t seq,
		   uint64_t now)
{
	struct exchange *x = shadow_mark(e->shadow, f, who, seq, now);

	if (!x)
		return;
	if (who == WHO_PROD && x->next && (x->next->flags & X_C_BEGUN) &&
	    seq_lt(x->next->c_ack, seq))
		reader_of(f)->pipelines = true;
	if (who == WHO_SUT)
		wait_too_late(e, x, now);
	if (x->cmp)
		compare_done(x->cmp, who);
	if (!read_is_quiet(f, who))
		read_judge(e, f, x);
	if (who == WHO_PROD)
		follow(e, f);
}

/* From here on a server says what is none of the protocol's: as it agreed, with
 * the mark of what made the tunnel, or it breaks it. Production's place is
 * known again at the client's next request then; the SUT's never.
 */
static void leave_protocol(struct engine *e, struct flow *f, enum who who,
			   bool agreed, uint64_t now)
{
	if (agreed)
		f->framing |= (uint32_t)(who == WHO_PROD ? FRAMING_QUIET_P
							 : FRAMING_QUIET_S);
	else if (who == WHO_PROD)
		shadow_prod_left(f);
	else
		read_break(f, f->x.at[WHO_SUT]);
	/* The SUT may have switched first, and spoken since. */
	if (who == WHO_PROD && (reader_of(f)->flags & R_SPOKE_S))
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

	if (!x) {
		shadow_no_room(f);
		return;
	}
	begun = (x->flags & (X_P_BEGUN | X_S_BEGUN)) != 0;
	first = !(x->flags & (who == WHO_PROD ? X_P_BEGUN : X_S_BEGUN)) &&
		pc->part != FRAMER_INTERIM;
	if (first)
		x->flags |= who == WHO_PROD ? X_P_BEGUN : X_S_BEGUN;
	if (first && who == WHO_PROD)
		x->p_first = now;
	stamp_bytes(f, x, who, sp, first, read_is_quiet(f, who));
	if (who == WHO_SUT && pc->part != FRAMER_INTERIM)
		shadow_answering(e->shadow, f, now);
	if (pc->flags != 0)
		read_odd(f, who, x, pc);
	c = comparison(e, f, x, begun);
	if (c) {
		compare_feed(c, e->pool, who, pc, p);
		given_piece(e, f, x, pc);
	}
	if (pc->flags & FRAMER_TUNNEL)
		leave_protocol(e, f, who, (pc->flags & FRAMER_MARK) != 0, now);
	if ((pc->flags & FRAMER_MARK) && who == WHO_SUT)
		shadow_closes(f, (pc->flags & FRAMER_CLOSES) != 0);
	if (pc->flags & FRAMER_MARK)
		read_answered(e, f, who, seq + pc->used, now);
	/* No mark by quiet is moved: this one is by the protocol. */
	if (x->odd & (ODD_P_LEFT | ODD_S_LEFT))
		read_judge(e, f, x);
	if (who == WHO_SUT)
		follow(e, f);
}

/* Production's place is lost; its answer @k begins at @ack. */
static void resync_prod(struct engine *e, struct flow *f, uint32_t ack,
			uint32_t k, uint64_t now)
{
	struct exchange *x;

	if (seq_lt(ack, f->w.p.nxt) || read_is_quiet(f, WHO_PROD))
		return;
	shadow_skip_prod(e->shadow, f, ack);
	shadow_prod_found(f);
	e->stats.count.resyncs++;
	/* What it said meanwhile is not known. */
	x = f->x.at[WHO_PROD];
	if (x && (x->odd & ODD_P_BROKE))
		read_spoil(x, REASON_PROD_MALFORMED);
	while (f->x.marks[WHO_PROD] < k) {
		x = exchange_open(&f->x, e->pool, WHO_PROD);
		if (!x)
			return;
		read_spoil(x, REASON_PROD_GAP);
		read_answered(e, f, WHO_PROD, ack, now);
	}
	read_framer(f)->resync(reader_of(f)->state, WHO_PROD, k);
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
		if (read_is_quiet(f, who)) {
			pc = (struct framer_piece){ .used = left,
						    .part = FRAMER_OPAQUE };
			if (who == WHO_CLIENT)
				read_quiet_client(e, f, sp->ack, now);
			else
				read_quiet_answer(e, f, who, now);
		} else {
			read_framer(f)->feed(reader_of(f)->state, who, p, left,
					     &pc);
			if (who == WHO_CLIENT && (pc.flags & FRAMER_BEGIN) &&
			    (f->w.flags & W_PLOST))
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
	const struct stream *st = who == WHO_PROD ? &f->w.p : &f->leg.s;
	uint32_t bit = who == WHO_PROD ? R_ENDED_P : R_ENDED_S;
	uint32_t spoke = who == WHO_PROD ? R_SPOKE_P : R_SPOKE_S;
	struct reader *r = reader_of(f);
	uint16_t end;

	if ((r->flags & bit) || !stream_has(st, STREAM_ENDED) ||
	    !read_framer(f))
		return;
	r->flags |= bit;
	if (read_is_quiet(f, who)) {
		if ((r->flags & spoke) &&
		    (who == WHO_PROD || !read_is_broken(f)))
			read_quiet_mark(e, f, who, now);
		return;
	}
	end = read_framer(f)->fin(reader_of(f)->state, who);
	if (end == FRAMER_MARK && who == WHO_SUT)
		shadow_closes(f, true);
	if (end == FRAMER_MARK)
		read_answered(e, f, who, st->nxt, now);
	else if (end == FRAMER_TUNNEL && f->x.at[who])
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
	shadow_skip_prod(e->shadow, f, f->w.c_ack);
	shadow_hold_prod(e->shadow, f, seg, now);
}

static void choose(struct engine *e, struct flow *f, enum who who,
		   const uint8_t *p, uint32_t n)
{
	read_choose(f, who, p, n);
	if (who == WHO_CLIENT && (reader_of(f)->flags & R_IS_TLS))
		e->stats.count.tls++;
}

/* The SUT has spoken first, which proves nothing about production: the client's
 * bytes decide, unless production has spoken before them. If they are of a
 * known protocol, what the SUT said is none of it.
 */
static void choose_again(struct engine *e, struct flow *f, enum who who,
			 const uint8_t *p, uint32_t n)
{
	f->framing &= ~(uint32_t)FRAMING_SUT_CHOSE;
	if (who != WHO_CLIENT)
		return;
	choose(e, f, who, p, n);
	if (read_framer(f) == &framer_quiet)
		return;
	shadow_unmark(e->shadow, f, WHO_SUT);
	reader_of(f)->flags &= ~(uint32_t)(R_SPOKE_S | R_MOVE_S);
	if (f->x.at[WHO_SUT] && f->x.at[WHO_SUT]->cmp)
		compare_odd(f->x.at[WHO_SUT]->cmp, ODD_GREETING);
	read_break(f, f->x.at[WHO_SUT]);
}

void read_spans(struct engine *e, struct flow *f, enum who who,
		const struct segment *seg, uint64_t now)
{
	struct span sp = { 0 };

	if (who == WHO_PROD && (f->w.flags & W_PLOST)) {
		hold_prod(e, f, seg, now);
		return;
	}
	while (shadow_span(e->shadow, f, who, seg, now, &sp)) {
		/* An answer to a request that was missed is no greeting. */
		if (!read_framer(f) && who == WHO_PROD &&
		    seq_lt(stream_end(&f->w.c), f->w.p_ack))
			shadow_prod_lost(f);
		else if (!read_framer(f))
			choose(e, f, who, sp.data, sp.len);
		else if (who != WHO_SUT && (f->framing & FRAMING_SUT_CHOSE))
			choose_again(e, f, who, sp.data, sp.len);
		if (who == WHO_PROD && (f->w.flags & W_PLOST))
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
		c = f->w.c.nxt;
		p = f->w.p.nxt;
		if (f->w.p.early)
			read_spans(e, f, WHO_PROD, NULL, now);
		if (f->w.c.early && !(f->w.flags & W_LOST))
			read_spans(e, f, WHO_CLIENT, NULL, now);
	} while (f->w.c.nxt != c || f->w.p.nxt != p);
}

/* The first request that is known to have begun behind the hole tells where
 * production's answers to the ones before it ended.
 */
static void resync_known(struct engine *e, struct flow *f, uint64_t now)
{
	const struct exchange *x;

	for (x = f->x.head; x != NULL; x = x->next)
		if ((x->flags & X_C_BEGUN) &&
		    x->index >= f->x.marks[WHO_PROD] &&
		    seq_le(f->w.p.nxt, x->c_ack)) {
			resync_prod(e, f, x->c_ack, x->index, now);
			return;
		}
}

void read_hole(struct engine *e, struct flow *f, uint64_t now)
{
	uint32_t to = f->w.p.early ? f->w.p.early->seq : f->w.c_ack;
	uint32_t was = f->w.p.nxt;
	struct exchange *x;
	uint32_t n;

	if (seq_lt(stream_end(&f->w.p), to))
		shadow_skip_prod(e->shadow, f, to);
	n = f->w.p.nxt - was;
	if (n > 0) {
		x = exchange_open(&f->x, e->pool, WHO_PROD);
		if (x)
			read_spoil(x, REASON_PROD_GAP);
		if (read_framer(f) && !read_is_quiet(f, WHO_PROD)) {
			if (read_framer(f)->skip(reader_of(f)->state, WHO_PROD,
						 n)) {
				e->stats.count.holes_skipped++;
			} else {
				e->stats.count.holes_lost++;
				shadow_prod_lost(f);
			}
		}
	}
	if (f->w.flags & W_PLOST)
		resync_known(e, f, now);
	else
		read_spans(e, f, WHO_PROD, NULL, now);
	read_waiting(e, f, now);
}
