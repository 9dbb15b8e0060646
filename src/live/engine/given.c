/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * given.c - What production gives its clients, and who hangs on it
 *
 * Theory of operation
 *
 * The cookies of a head are learned as soon as it is whole, production's as
 * such that may be sent back from now on, and the SUT's as what it has set of
 * them (session/session.h). A SUT that is judged without a head has set none.
 *
 * A request hangs on a value if the SUT did not have it when the first answer
 * to the request began, or does not when it is judged: in between, the SUT may
 * have set it, and have answered before. Where the pairing is guessed nothing
 * is learned, as the two heads may belong to two requests.
 */
#include "engine/engine_internal.h"
#include "session/session.h"

size_t given_size(const struct engine_config *cfg)
{
	return cfg->compare == COMPARE_EQUIVALENT ? session_size() : 0;
}

int given_init(struct engine *e, struct arena *a)
{
	return given_size(&e->cfg) > 0 ? session_init(&e->session, a) : 0;
}

void given_begin(struct engine *e, const struct flow *f, struct compare *c,
		 const struct asked *asked)
{
	if (!e->session || !asked)
		return;
	compare_sends(
		c, asked,
		session_hangs(e->session, f->key.map, asked->sent, ASKED_SENT));
}

/* @over: no more is to come of the SUT's */
static void learn(struct engine *e, const struct flow *f,
		  const struct exchange *x, bool over)
{
	struct head_rest prod, sut = { NULL, NULL };
	bool both;

	if (!e->session || reader_guesses(reader_of(f), x->index) ||
	    !compare_head(x->cmp, WHO_PROD, &prod))
		return;
	both = compare_head(x->cmp, WHO_SUT, &sut);
	session_given(e->session, e->cfg.key.k[0], f->key.map, prod,
		      both || over ? &sut : NULL);
	e->stats.refer.given = session_stats(e->session)->learned;
	e->stats.refer.given_pushed = session_stats(e->session)->pushed;
}

void given_piece(struct engine *e, const struct flow *f,
		 const struct exchange *x, const struct framer_piece *pc)
{
	if (pc->part == FRAMER_HEAD && (pc->flags & FRAMER_HEAD_END))
		learn(e, f, x, false);
}

bool given_judged(struct engine *e, const struct flow *f,
		  const struct exchange *x)
{
	const uint64_t *sent;
	struct head_rest sut;
	bool hangs;

	if (!e->session || reader_guesses(reader_of(f), x->index))
		return false;
	if (!compare_head(x->cmp, WHO_SUT, &sut))
		learn(e, f, x, true);
	sent = compare_what_sent(x->cmp, &hangs);
	return session_hangs(e->session, f->key.map, sent, ASKED_SENT) || hangs;
}
