/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing.c - Which protocol's framer reads a flow, and where in it the client
 * is
 *
 * The client's first bytes tell the framer. A server that spoke before them is
 * read by quiet; if it was the SUT, the client's bytes decide all the same.
 */
#include <string.h>

#include "reader/reader.h"

const struct framer_ops *read_framer(const struct flow *f)
{
	const struct protocol *p = reader_of(f)->protocol;

	return p ? p->framer : NULL;
}

bool read_is_quiet(const struct flow *f, enum who who)
{
	if (read_framer(f) == &framer_quiet)
		return true;
	if (who == WHO_CLIENT)
		return (f->framing & FRAMING_C_TUNNEL) != 0;
	return (f->framing & (uint32_t)(who == WHO_PROD ? FRAMING_QUIET_P
							: FRAMING_QUIET_S)) !=
	       0;
}

void read_choose(struct flow *f, enum who who, const uint8_t *p, uint32_t n)
{
	const struct framer_ops *ops = &framer_quiet;
	struct reader *r = reader_of(f);

	if (who == WHO_CLIENT) {
		ops = framer_guess(f->key.pport, p, n);
		if (framer_is_tls(p, n) == 1)
			r->flags |= R_IS_TLS;
	}
	if (who == WHO_SUT)
		f->framing |= FRAMING_SUT_CHOSE;
	r->protocol = protocol_of(ops);
	f->framing &= ~(uint32_t)(FRAMING_MARKED | FRAMING_RESTARTS);
	if (ops != &framer_quiet)
		f->framing |= FRAMING_MARKED | FRAMING_RESTARTS;
	ops->init(r->state, (f->w.flags & W_MID) != 0);
}

/* Is the client inside of a message, as far as it was read? */
static bool in_message(const struct flow *f)
{
	const struct exchange *x = f->x.at[WHO_CLIENT];

	return x && (x->flags & X_C_BEGUN);
}

/* Is @seq, which was not read yet, inside of the message that was read last? */
static bool is_inside(const struct flow *f, uint32_t seq)
{
	uint8_t state[FRAMER_STATE_MAX];

	if (!read_framer(f) || read_is_quiet(f, WHO_CLIENT) || !in_message(f))
		return false;
	if (seq == f->w.c.nxt)
		return true;
	memcpy(state, reader_of(f)->state, sizeof(state));
	return read_framer(f)->skip(state, WHO_CLIENT, seq - f->w.c.nxt);
}

bool read_follows(const struct flow *f, uint32_t seq)
{
	return seq == f->w.c.nxt && read_framer(f) &&
	       !read_is_quiet(f, WHO_CLIENT) && !in_message(f);
}

void read_unsure(struct flow *f, enum compare_reason why, uint32_t from)
{
	struct reader *r = reader_of(f);

	if (r->guessed == REASON_NONE) {
		r->guessed = (uint8_t)why;
		r->guessed_from = from;
	} else if (seq_lt(from, r->guessed_from)) {
		r->guessed_from = from;
	}
}

bool read_begins(const struct flow *f, uint32_t seq, const uint8_t *p,
		 uint32_t n)
{
	const struct framer_ops *ops = read_framer(f);

	if (n == 0 || is_inside(f, seq))
		return false;
	if (!ops) {
		ops = framer_guess(f->key.pport, p, n);
		/* It would take any byte for a beginning, and the bytes of a
		 * body whose head was missed look like nothing that is known.
		 */
		if (ops == &framer_quiet)
			return false;
	}
	return ops->restarts(p, n);
}
