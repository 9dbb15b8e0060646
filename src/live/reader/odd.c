/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * odd.c - Answers that are not by the book
 *
 * Theory of operation
 *
 * Where only the SUT's answer is odd, that is a difference; the comparison says
 * so (compare/result.c), and the exchange is not spoilt. What is spoilt is what
 * cannot be paired any more:
 *
 *   behind a SUT's answer that broke the protocol, all that follows on the
 *     connection: no byte of it belongs to a request for sure
 *   behind a status that makes a tunnel of one server only (101, a 2xx to
 *     CONNECT), all that follows: the two do not speak the same protocol
 *   behind production's answer that may be split in two ways, what follows
 *     until an answer is equal again (discount_guessed() in engine/verdict.c),
 *     unless the SUT's answer was odd in the same way
 *
 * A SUT's answer that may be split in two ways needs no such doubt: the next
 * one begins with a status line where it should, or breaks the protocol.
 *
 * Bytes behind an answer that must have no content are no answer to the next
 * request, whether that was sent already or not: the exchange that they fall
 * into is `extra`, and has the number and the line of the one before.
 */
#include <string.h>

#include "reader/reader.h"

void read_spoil(struct exchange *x, enum compare_reason why)
{
	if (x->spoilt == REASON_NONE)
		x->spoilt = (uint8_t)why;
}

/* A flow that was joined in the middle: are these bytes of production the rest
 * of an answer to a request that came before the first one seen?
 */
static bool is_rest(const struct flow *f, enum who who,
		    const struct exchange *x)
{
	return (f->w.flags & W_MID) && who == WHO_PROD && x->index == 0;
}

/* Give @x the line of the exchange before it, if that is still known. */
static void take_line(const struct flow *f, struct exchange *x)
{
	const struct exchange *before = f->x.head;

	while (before && before->next != x)
		before = before->next;
	if (!before || (x->odd & ODD_S_EXTRA))
		return;
	x->odd |= ODD_S_EXTRA;
	x->request_len = before->request_len;
	memcpy(x->request, before->request, before->request_len);
}

/* From here on a server says what is none of the protocol's. */
static void odd_tunnel(struct flow *f, enum who who, struct exchange *x,
		       const struct framer_piece *pc)
{
	if (is_rest(f, who, x))
		read_spoil(x, REASON_MIDSTREAM);
	else if (pc->flags & FRAMER_MARK)
		x->odd |= who == WHO_PROD ? ODD_P_LEFT : ODD_S_LEFT;
	else if (!(pc->flags & FRAMER_MALFORMED))
		read_spoil(x, REASON_TUNNEL);
	else if (who == WHO_PROD)
		x->odd |= ODD_P_BROKE;
	else if (!(f->framing & FRAMING_BROKEN_S))
		x->odd |= ODD_S_BROKE;
}

void read_odd(struct flow *f, enum who who, struct exchange *x,
	      const struct framer_piece *pc)
{
	bool ours = framer_odd_is_ours((enum framer_odd)pc->odd);

	if ((pc->flags & FRAMER_AMBIGUOUS) && ours)
		read_spoil(x, REASON_AMBIGUOUS);
	if ((pc->flags & FRAMER_AMBIGUOUS) && (ours || who == WHO_PROD))
		read_unsure(f, REASON_AMBIGUOUS, x->index + 1);
	if (pc->flags & FRAMER_TUNNEL)
		odd_tunnel(f, who, x, pc);
	if ((pc->flags & FRAMER_EXTRA) && (x->odd & ODD_S_BROKE))
		take_line(f, x);
}

/* The requests behind it are not compared, also where production has answered
 * them already.
 */
void read_break(struct flow *f, struct exchange *x)
{
	f->framing |= FRAMING_BROKEN_S;
	while (x && (x = x->next))
		read_spoil(x, REASON_TUNNEL);
}

/* What broke the protocol ends with the stream, and is whole then. */
void read_cut(struct exchange *x, enum who who)
{
	uint8_t broke = who == WHO_PROD ? ODD_P_BROKE : ODD_S_BROKE;

	if (!(x->odd & broke) && who == WHO_PROD)
		read_spoil(x, REASON_PROD_CUT);
	else if ((x->odd & broke) && x->cmp)
		compare_done(x->cmp, who);
}

void read_parted(struct flow *f, struct exchange *x)
{
	const uint8_t left = ODD_P_LEFT | ODD_S_LEFT;

	if ((x->odd & left) && (x->odd & left) != left)
		read_break(f, x);
}

bool read_is_extra(const struct flow *f, const struct exchange *x)
{
	const uint16_t asked = X_HAVE_C | X_P_BEGUN;

	/* Production's own answers before it are whole, so it may have said
	 * more.
	 */
	if ((x->flags & asked) || !(x->flags & X_S_BEGUN) ||
	    seq_lt(f->x.marks[WHO_PROD], x->index))
		return false;
	return (f->w.ev & EV_P_FIN) ||
	       ((x->odd & ODD_S_BROKE) && !(x->flags & X_C_BEGUN));
}
