/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * known.c - What is known of a flow
 *
 * Questions that several files ask. Nothing is changed here, and none of the
 * other files is called.
 */
#include "flow/known.h"

#include <string.h>

bool client_waits(const struct flow *f)
{
	return f->w.c.early && !seq_lt(f->w.c.nxt, f->w.c.early->seq);
}

/* Are production's next bytes here, and wait for the client's? */
bool prod_waits(const struct flow *f)
{
	return f->w.p.early && !seq_lt(f->w.p.nxt, f->w.p.early->seq);
}

bool client_hole(const struct flow *f)
{
	uint32_t end = stream_end(&f->w.c);
	bool cut = (f->w.flags & W_CUT) && seq_lt(end, f->w.c_cut);

	return (cut || seq_lt(end, f->w.p_ack)) &&
	       !stream_has(&f->w.c, STREAM_ENDED) && !client_waits(f) &&
	       !(f->w.flags & (W_LOST | W_GAP));
}

bool prod_hole(const struct flow *f)
{
	return stream_has(&f->w.p, STREAM_ON) &&
	       !stream_has(&f->w.p, STREAM_ENDED) && !(f->w.flags & W_PLOST) &&
	       !prod_waits(f) && seq_lt(stream_end(&f->w.p), f->w.c_ack);
}

/* The range is of RFC 5961 section 5.2. What the mirror missed counts as sent,
 * up to the largest window, or to what is here behind a hole; but never so far
 * that numbers are not in order any more.
 */
bool acks_unsent(const struct flow *f, uint32_t ack)
{
	const struct buf *early = f->w.p.early_tail;
	uint32_t low = f->w.c_ack - WINDOW_MOST;
	uint32_t end = stream_end(&f->w.p);
	uint32_t most = WINDOW_MOST;

	if (!stream_has(&f->w.p, STREAM_ON))
		return false;
	if (stream_has(&f->w.p, STREAM_ENDED))
		most = 0;
	else if ((f->w.flags & W_PLOST) && seq_lt(end, f->w.c_ack))
		end = f->w.c_ack;
	else if (early && seq_lt(end, early->seq + early->len))
		most += early->seq + early->len - end;
	if (most > NUMBERS_MOST)
		most = NUMBERS_MOST;
	end += most;
	if (seq_lt(end, f->w.c_ack)) /* production's FIN is known since */
		end = f->w.c_ack;
	return ack - low > end - low;
}

/* Does a repeated segment of the client say something else than the copy that
 * came first, as far as that is still held? Production took the first (I18).
 */
bool contradicts(const struct flow *f, const struct segment *seg)
{
	const struct buf *fr = f->q.head;
	uint32_t end = seg->seq + seg->cap;

	if (!seq_lt(seg->seq, f->w.c.nxt))
		return false;
	for (; fr && seq_lt(fr->seq, end); fr = fr->next) {
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

/* Does this ack bytes of the other end that are not here? The mirror may have
 * swapped an answer with its request, which has to be read first, or the other
 * way round; it waits until those bytes come or are believed lost. The client's
 * does so only where its protocol does not tell where a message ends: otherwise
 * it is read, and what may be sent of it is decided in send.c.
 */
bool is_ahead(const struct flow *f, enum who who, uint32_t ack)
{
	if (who == WHO_CLIENT)
		return !(f->framing & FRAMING_MARKED) &&
		       seq_le(ack, f->w.c_ack) &&
		       seq_lt(stream_end(&f->w.p), ack) && prod_hole(f);
	return who == WHO_PROD && seq_le(ack, f->w.p_ack) &&
	       seq_lt(stream_end(&f->w.c), ack) && client_hole(f);
}

/* Is a RST of production in the client's window? What the client sent last may
 * have been missed: then production's newest byte is ahead of that. A window
 * that the SYN told is never scaled, and covers less than the client's next
 * one.
 */
bool in_client_window(const struct flow *f, uint32_t seq)
{
	uint32_t from = f->w.p.nxt;

	if (f->w.p.early_tail)
		from = f->w.p.early_tail->seq + f->w.p.early_tail->len;
	if (seq_lt(from, f->w.c_ack))
		from = f->w.c_ack;
	return seq_in(seq, f->w.c_ack, from + f->w.c_win + 1);
}

/* The first half of an answer in two parts: it tells nothing of production's
 * numbers, its SYN is yet to come.
 */
bool acks_syn_alone(const struct flow *f, const struct segment *seg)
{
	return !(f->w.ev & EV_C_ACK) && seg->len == 0 &&
	       !(seg->flags & (TCP_SYN | TCP_FIN)) &&
	       seg->ack == f->w.c_iss + 1;
}

bool mirror_over(const struct flow *f)
{
	return (f->w.ev & (EV_C_RST | EV_P_RST)) ||
	       (f->w.flags & W_SUPERSEDED) ||
	       (f->w.ev & (EV_C_FIN | EV_P_FIN)) == (EV_C_FIN | EV_P_FIN);
}

enum flow_end reset_by(const struct flow *f)
{
	if (f->w.ev & EV_C_RST)
		return FLOW_END_CLIENT_RST;
	if (f->w.ev & EV_P_RST)
		return FLOW_END_PROD_RST;
	return (f->w.flags & W_SUPERSEDED) ? FLOW_END_REUSED : FLOW_END_NONE;
}

bool left_next(const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_SUT];

	return x && (x->flags & X_LEFT);
}

bool at_hole(const struct flow *f)
{
	return f->q.send && seq_lt(f->leg.snd_nxt, f->q.send->seq);
}

/* Is it known where the client's and the SUT's messages begin? */
bool has_messages(const struct flow *f)
{
	const uint32_t unknown = FRAMING_QUIET_P | FRAMING_QUIET_S |
				 FRAMING_C_TUNNEL | FRAMING_AMBIGUOUS |
				 FRAMING_BROKEN_S;

	return (f->framing & FRAMING_RESTARTS) && !(f->framing & unknown) &&
	       !(f->w.flags & (W_LOST | W_PLOST | W_GAP));
}
