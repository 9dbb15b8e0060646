/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * known.c - What is known of a flow
 *
 * Questions that several files ask. Nothing is changed here, and none of the
 * other files is called.
 */
#include "flow/known.h"

bool client_waits(const struct flow *f)
{
	return f->w.c.early != NULL && !seq_lt(f->w.c.nxt, f->w.c.early->seq);
}

/* Are production's next bytes here, and wait for the client's? */
bool prod_waits(const struct flow *f)
{
	return f->w.p.early != NULL && !seq_lt(f->w.p.nxt, f->w.p.early->seq);
}

bool client_hole(const struct flow *f)
{
	uint32_t end = stream_end(&f->w.c);
	bool cut = (f->w.flags & W_CUT) != 0 && seq_lt(end, f->w.c_cut);

	return (cut || seq_lt(end, f->w.p_ack)) &&
	       !stream_has(&f->w.c, STREAM_ENDED) && !client_waits(f) &&
	       (f->w.flags & (W_LOST | W_GAP)) == 0;
}

bool prod_hole(const struct flow *f)
{
	return stream_has(&f->w.p, STREAM_ON) &&
	       !stream_has(&f->w.p, STREAM_ENDED) &&
	       (f->w.flags & W_PLOST) == 0 && !prod_waits(f) &&
	       seq_lt(stream_end(&f->w.p), f->w.c_ack);
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
	else if ((f->w.flags & W_PLOST) != 0 && seq_lt(end, f->w.c_ack))
		end = f->w.c_ack;
	else if (early != NULL && seq_lt(end, early->seq + early->len))
		most += early->seq + early->len - end;
	if (most > NUMBERS_MOST)
		most = NUMBERS_MOST;
	end += most;
	if (seq_lt(end, f->w.c_ack)) /* production's FIN is known since */
		end = f->w.c_ack;
	return ack - low > end - low;
}

bool mirror_over(const struct flow *f)
{
	return (f->w.ev & (EV_C_RST | EV_P_RST)) != 0 ||
	       (f->w.flags & W_SUPERSEDED) != 0 ||
	       (f->w.ev & (EV_C_FIN | EV_P_FIN)) == (EV_C_FIN | EV_P_FIN);
}

enum flow_end reset_by(const struct flow *f)
{
	if ((f->w.ev & EV_C_RST) != 0)
		return FLOW_END_CLIENT_RST;
	if ((f->w.ev & EV_P_RST) != 0)
		return FLOW_END_PROD_RST;
	return (f->w.flags & W_SUPERSEDED) != 0 ? FLOW_END_REUSED
						: FLOW_END_NONE;
}

/* Is it known where the client's and the SUT's messages begin? */
bool has_messages(const struct flow *f)
{
	const uint32_t unknown = FRAMING_QUIET_P | FRAMING_QUIET_S |
				 FRAMING_C_TUNNEL | FRAMING_AMBIGUOUS |
				 FRAMING_BROKEN_S;

	return (f->framing & FRAMING_RESTARTS) != 0 &&
	       (f->framing & unknown) == 0 &&
	       (f->w.flags & (W_LOST | W_PLOST | W_GAP)) == 0;
}
