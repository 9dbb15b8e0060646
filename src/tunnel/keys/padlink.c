/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * padlink.c - A link under a one-time pad
 *
 * Theory of operation
 *
 * There is no handshake: who has the pad is the other end. What the two must
 * agree on is which processes they are, for the machine begins anew with each,
 * and where the other one may be sent by. A life is named by the offset that it
 * began to send at; offsets never go back, so a later life has a higher name.
 *
 * A greeting says
 *
 *	 0  GREETING, and whether one is wanted back
 *	 4  our life
 *	12  the other end's life, as we know it; 0: not at all
 *	20  since where in the pad we have known it
 *	28  before where we take nothing any more
 *	36  behind where we have taken nothing yet
 *
 * and is hidden as a packet is. An end is open when a greeting has named its
 * own life: then both know each other. It takes packets from where in the pad
 * the other end has known it on; those before were meant for who was here
 * before.
 *
 *	life A, knows nobody  ->
 *	                      <-  life B, knows A	(A is open)
 *	life A, knows B       ->			(B is open)
 *
 * Who was started anew takes nothing before its mark, which is not beyond ours,
 * so the end that begins asks from its own mark on; each further jump comes
 * after twice as many questions in vain, or a dead end would cost a block a
 * second.
 *
 * A greeting of an earlier life was held back by somebody on the way: it
 * changes nothing. An end that has taken what we never sent has it of another
 * copy of our pad (pad_skip()).
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "keys/link_internal.h"

#define AT_LIFE	 4
#define AT_PEER	 12
#define AT_SINCE 20
#define AT_FLOOR 28
#define AT_MARK	 36

static_assert(PAD_HEADER == LINK_HEADER && PAD_PATHS == LINK_PATHS &&
		      PAD_GREETING_LEN + LINK_HEADER + CRYPTO_TAG <=
			      LINK_GREETS,
	      "a link has room for it");

void padlink_init(struct link *l)
{
	l->pad = (struct link_pad){ .life = l->c.pad->at };
}

void padlink_ask(struct link *l)
{
	uint32_t tries = l->asked.tries;

	if (!(tries & (tries - 1)))
		pad_jump(l->c.pad);
}

int padlink_seal(struct link *l, unsigned path, uint8_t *p, uint32_t n)
{
	return pad_seal(l->c.pad, path, p, n);
}

uint32_t padlink_greet(struct link *l, unsigned path, bool answer, uint8_t *out)
{
	struct link_pad *k = &l->pad;
	uint8_t *p = out + LINK_HEADER;

	memset(p, 0, PAD_GREETING_LEN);
	p[0] = GREETING;
	p[1] = answer || !k->open;
	put_be64(p + AT_LIFE, k->life);
	put_be64(p + AT_PEER, k->peer);
	put_be64(p + AT_SINCE, k->since);
	put_be64(p + AT_FLOOR, l->c.pad->floor);
	put_be64(p + AT_MARK, l->c.pad->recv.mark);
	if (pad_seal(l->c.pad, path, out, PAD_GREETING_LEN) != 0)
		return 0;
	return LINK_HEADER + PAD_GREETING_LEN + CRYPTO_TAG;
}

/* Our own life was named: the other end knows us. */
static void known(struct link *l, uint64_t since, struct link_out *out)
{
	struct link_pad *k = &l->pad;

	k->from = since;
	l->asked.tries = 0;
	l->asked.again = NEVER;
	if (k->open)
		return;
	k->open = true;
	l->n.sessions++;
	l->n.restarts += k->before != 0 && k->before != k->peer;
	out->restart = k->before != 0 && k->before != k->peer;
	out->opened = true;
	k->before = k->peer;
}

static enum link_got greeting(struct link *l, const uint8_t *p,
			      struct link_out *out)
{
	struct link_pad *k = &l->pad;
	uint64_t life = get_be64(p + AT_LIFE);

	if (life < k->peer) {
		l->n.old++;
		return LINK_NOTHING;
	}
	l->n.greetings++;
	pad_skip(l->c.pad, get_be64(p + AT_FLOOR), get_be64(p + AT_MARK));
	if (life != k->peer) {
		k->peer = life;
		k->since = l->c.pad->at;
		k->open = false;
	}
	if (get_be64(p + AT_PEER) == k->life)
		known(l, get_be64(p + AT_SINCE), out);
	out->greet_back = p[1] != 0;
	return LINK_PROOF;
}

enum link_got padlink_input(struct link *l, struct link_in *in,
			    struct link_out *out)
{
	struct link_pad *k = &l->pad;
	uint64_t at;
	int r;

	if (in->n == 0 || in->p[0] != PAD_TYPE) {
		l->n.bad++;
		return LINK_NOTHING;
	}
	r = pad_open(l->c.pad, in->p, in->n, &in->newest);
	if (r != 0) {
		*(r == -EBADMSG	   ? &l->n.forged
		  : r == -EALREADY ? &l->n.replayed
		  : r == -EINVAL   ? &l->n.bad
				   : &l->n.failed) += 1;
		return LINK_NOTHING;
	}
	at = pad_offset(in->p);
	in->path = in->p[1];
	in->off = LINK_HEADER;
	in->len = in->n - LINK_HEADER - CRYPTO_TAG;
	if (in->len == PAD_GREETING_LEN && in->p[LINK_HEADER] == GREETING) {
		l->silent = NEVER;
		return greeting(l, in->p + LINK_HEADER, out);
	}
	if (!k->open || at < k->from) {
		l->n.early++;
		return LINK_NOTHING;
	}
	l->silent = NEVER;
	l->n.data++;
	return LINK_PACKET;
}
