/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.c - The client's bytes towards the SUT
 *
 * Theory of operation
 *
 * One list by sequence number, without overlaps: in front what the SUT has
 * acked and may be asked again (@kept), then what it has not acked (@head), of
 * which @send is the first that is not wholly sent.
 *
 * The SUT's kernel acks requests that its server then throws away, if the
 * client sends several at a time, or the server reads on behind its FIN. What
 * the SUT acked behind the request that it has to answer, or behind its FIN, is
 * therefore kept for a while: at most one part in KEEP_SHARE of a flow's share,
 * and nothing while the pool is scarce. Without it nothing is played again
 * (reopen.c).
 */
#include "shadow/shadow_internal.h"

#define KEEP_SHARE 4 /* this part of a flow's share */

bool queue_add(const struct turn *t, struct flow *f, struct buf *fr)
{
	t->s->count.late_data += is_late(f, fr);
	fr->next = NULL;
	if (f->q.tail)
		f->q.tail->next = fr;
	if (!f->q.head)
		f->q.head = fr;
	f->q.tail = fr;
	if (!f->q.send)
		f->q.send = fr;
	f->q.bytes += buf_block(fr->len);
	if (t->s->opt.shed && f->due[DUE_LAG] == WHEEL_NEVER)
		due_set(t->s, f, DUE_LAG, t->now + t->s->opt.max_lag);
	return f->q.bytes > t->s->lim.flow_share ||
	       (f->q.send != fr && pool_used(t->s->pool) > t->s->pool_scarce);
}

void queue_drop(struct shadow *s, struct flow *f)
{
	struct buf *fr;

	kept_drop(s, f);
	while ((fr = f->q.head)) {
		f->q.head = fr->next;
		buf_clear(s->pool, fr, BUF_QUEUE);
	}
	f->q.tail = NULL;
	f->q.send = NULL;
	f->q.bytes = 0;
}

void queue_cut(struct shadow *s, struct flow *f, uint32_t at)
{
	struct buf *last = NULL;
	struct buf *fr = f->q.kept ? f->q.kept : f->q.head;

	for (; fr && seq_lt(fr->seq, at); fr = fr->next)
		last = fr;
	while (fr) {
		struct buf *next = fr->next;

		f->q.bytes -= buf_block(fr->len);
		if (fr == f->q.send)
			f->q.send = NULL;
		if (fr == f->q.head)
			f->q.head = NULL;
		buf_clear(s->pool, fr, BUF_QUEUE);
		fr = next;
	}
	f->q.tail = last;
	if (!last)
		return;
	last->next = NULL;
	if (seq_le(last->seq + last->len, at))
		return;
	/* Frames that are kept end with what was sent, and that lies before. */
	f->q.bytes -= buf_block(last->len);
	last->len = at - last->seq;
	f->q.bytes += buf_block(last->len);
	if (last == f->q.send && f->leg.snd_nxt == at)
		f->q.send = NULL;
}

/* Free what is kept up to @to. */
static void kept_free(struct shadow *s, struct flow *f, uint32_t to)
{
	struct buf *fr;

	while ((fr = f->q.kept) && fr != f->q.head &&
	       seq_le(fr->seq + fr->len, to)) {
		f->q.kept = fr->next;
		f->q.kept_bytes -= buf_block(fr->len);
		buf_clear(s->pool, fr, BUF_QUEUE);
	}
	if (f->q.kept == f->q.head)
		f->q.kept = NULL;
	if (!f->q.kept && !f->q.head)
		f->q.tail = NULL;
}

void kept_drop(struct shadow *s, struct flow *f)
{
	kept_free(s, f, f->leg.snd_una);
}

void kept_trim(struct shadow *s, struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_SUT];

	if (f->leg.closes || stream_has(&f->leg.s, STREAM_FIN))
		kept_free(s, f, f->x.turn);
	else if (x && (x->flags & X_HAVE_C))
		kept_free(s, f, x->end[WHO_CLIENT]);
	else
		kept_drop(s, f);
}

bool kept_add(struct shadow *s, struct flow *f, struct buf *fr)
{
	const struct exchange *x = f->x.at[WHO_SUT];
	bool behind = f->leg.closes || stream_has(&f->leg.s, STREAM_FIN) ||
		      (x && (x->flags & X_HAVE_C) &&
		       seq_lt(x->end[WHO_CLIENT], fr->seq + fr->len));
	uint32_t bytes = f->q.kept_bytes + buf_block(fr->len);

	if (!(f->framing & FRAMING_RESTARTS) || !behind ||
	    pool_used(s->pool) > s->pool_scarce ||
	    bytes > s->lim.flow_share / KEEP_SHARE)
		return false;
	if (!f->q.kept)
		f->q.kept = fr;
	f->q.kept_bytes = bytes;
	return true;
}

void queue_rewind(struct shadow *s, struct flow *f)
{
	struct buf *fr;

	if (f->q.kept)
		f->q.head = f->q.kept;
	f->q.kept = NULL;
	f->q.bytes += f->q.kept_bytes;
	f->q.kept_bytes = 0;
	while ((fr = f->q.head) && seq_le(fr->seq + fr->len, f->x.turn)) {
		f->q.head = fr->next;
		f->q.bytes -= buf_block(fr->len);
		buf_clear(s->pool, fr, BUF_QUEUE);
	}
	if (!f->q.head)
		f->q.tail = NULL;
	f->q.send = f->q.head;
}
