/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.c - Where production's numbers lie in the SUT's stream
 *
 * The marks lead from the one to the other, as shadow/ack.c says. Nothing is
 * changed here.
 */
#include "flow/place.h"

/* Production's number @ack without the FIN that it may cover. */
uint32_t data_ack(const struct flow *f, uint32_t ack)
{
	if (stream_has(&f->w.p, STREAM_FIN) && seq_lt(f->w.p.fin, ack))
		return f->w.p.fin;
	return ack;
}

struct place place_of(const struct flow *f, uint32_t p_ack)
{
	const struct exchange *x = f->x.head;
	struct place at = { 0, false };
	uint32_t p = f->w.p_base;
	uint32_t s = f->leg.base;

	p_ack = data_ack(f, p_ack);
	if (f->w.flags & W_PLOST) {
		at.seq = f->leg.s.nxt;
		return at;
	}
	for (; x != NULL; x = x->next) {
		if (x->flags & X_PASSED)
			continue;
		if (!(x->flags & X_HAVE_P) || seq_lt(p_ack, x->end[WHO_PROD]))
			break;
		if (!(x->flags & X_HAVE_S)) {
			at.seq = f->leg.s.nxt;
			at.open = true;
			return at;
		}
		p = x->end[WHO_PROD];
		s = x->end[WHO_SUT];
	}
	at.seq = s + (p_ack - p);
	if (x && (x->flags & X_HAVE_S) && seq_lt(x->end[WHO_SUT], at.seq))
		at.seq = x->end[WHO_SUT];
	return at;
}

/* The largest end of a SUT frame that is not after @seq, or the last ack. */
uint32_t boundary(const struct flow *f, uint32_t seq)
{
	uint32_t best = f->leg.last_ack_sent;

	for (unsigned i = 0; i < f->leg.bound_n; i++) {
		uint32_t b =
			f->leg.bound[(f->leg.bound_head + i) % FLOW_BOUNDS];

		if (seq_le(b, seq) && seq_lt(best, b))
			best = b;
	}
	return best;
}
