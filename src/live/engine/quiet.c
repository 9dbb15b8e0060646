/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quiet.c - Marks where no framing is known
 *
 * A server's message ends when it has spoken since the client's last bytes, all
 * of it is here, and nothing came for QUIET_WAIT; later bytes before the
 * client's next ones move that mark. The client's message ends when production
 * speaks. An exchange by quiet is judged only when its marks cannot move any
 * more.
 */
#include "engine/engine_internal.h"

void read_quiet_mark(struct engine *e, struct flow *f, enum who who,
		     uint64_t now)
{
	uint32_t spoke = who == WHO_PROD ? R_SPOKE_P : R_SPOKE_S;
	uint32_t move = who == WHO_PROD ? R_MOVE_P : R_MOVE_S;
	const struct stream *st = who == WHO_PROD ? &f->w.p : &f->leg.s;
	struct reader *r = reader_of(f);

	r->flags &= ~spoke;
	r->flags |= move;
	if (who == WHO_SUT)
		r->moves_at = f->leg.snd_nxt;
	e->stats.count.quiet_marks++;
	read_answered(e, f, who, st->nxt, now);
}

/* Does @who's last mark move if it speaks on? What the SUT says after it was
 * sent more may answer that.
 */
static bool may_move(const struct flow *f, enum who who)
{
	const struct reader *r = reader_of(f);

	if (who == WHO_PROD)
		return (r->flags & R_MOVE_P) != 0;
	return (r->flags & R_MOVE_S) && r->moves_at == f->leg.snd_nxt;
}

/* A server speaks: a mark that it made by quiet moves. */
void read_quiet_answer(struct engine *e, struct flow *f, enum who who,
		       uint64_t now)
{
	uint32_t spoke = who == WHO_PROD ? R_SPOKE_P : R_SPOKE_S;
	struct reader *r = reader_of(f);

	if ((f->framing & FRAMING_SPOKE_C) && who == WHO_PROD) {
		f->framing &= ~(uint32_t)FRAMING_SPOKE_C;
		read_asked(e, f, f->w.c.nxt, now);
	}
	if (may_move(f, who)) {
		const struct exchange *x = f->x.tail;
		uint16_t have = who == WHO_PROD ? X_HAVE_P : X_HAVE_S;

		/* A mark of an exchange that is not the last came after the
		 * client had spoken on, and what follows answers that.
		 */
		r->flags &= who == WHO_PROD ? ~(uint32_t)R_MOVE_P
					    : ~(uint32_t)R_MOVE_S;
		if (x && (x->flags & have) &&
		    !(x->flags & (X_JUDGED | X_PASSED)))
			shadow_unmark(e->shadow, f, who);
	}
	r->flags |= spoke;
	*(who == WHO_PROD ? &r->quiet_p : &r->quiet_s) = now;
	if (f->due[DUE_QUIET] == WHEEL_NEVER)
		shadow_arm_quiet(e->shadow, f, now + QUIET_WAIT);
}

/* The client speaks: what the servers said before is theirs for good. */
void read_quiet_client(struct engine *e, struct flow *f, uint32_t ack,
		       uint64_t now)
{
	struct reader *r = reader_of(f);
	struct exchange *x;

	if ((r->flags & R_SPOKE_P) && !seq_lt(ack, f->w.p.nxt))
		read_quiet_mark(e, f, WHO_PROD, now);
	r->flags &= ~(uint32_t)(R_MOVE_P | R_MOVE_S);
	f->framing |= FRAMING_SPOKE_C;
	for (x = f->x.head; x != NULL; x = x->next)
		read_judge(e, f, x);
}

void read_quiet(struct engine *e, struct flow *f, uint64_t now)
{
	const struct reader *r = reader_of(f);
	uint64_t next = WHEEL_NEVER;

	if ((r->flags & R_SPOKE_P) && !f->w.p.early) {
		if (now - r->quiet_p >= QUIET_WAIT)
			read_quiet_mark(e, f, WHO_PROD, now);
		else
			next = r->quiet_p + QUIET_WAIT;
	}
	if ((r->flags & R_SPOKE_S) && !f->leg.s.early && !read_is_broken(f)) {
		if (now - r->quiet_s >= QUIET_WAIT)
			read_quiet_mark(e, f, WHO_SUT, now);
		else if (r->quiet_s + QUIET_WAIT < next)
			next = r->quiet_s + QUIET_WAIT;
	}
	if (next != WHEEL_NEVER)
		shadow_arm_quiet(e->shadow, f, next);
}
