/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain.c - A link without keys
 *
 * Theory of operation
 *
 * Each end has a random number, and each packet bears one that follows from
 * them. So an end is heard by the other only if both have seen each other's
 * packets, and whoever sees these can forge them: that is all that is promised.
 *
 *	hello    a        ->
 *	         <-       welcome  a b
 *	confirm  a b      ->
 *
 * The end that answers keeps nothing for a hello: its number b is a hash of a
 * and of the address that the hello came from, under a secret. A confirm with
 * the right b has therefore seen the welcome, and from then on its pair is the
 * link's: whoever can be reached at its address can become the other end. The
 * same pair again is the same process.
 *
 * A packet has the type and the path, as one with keys has, and 48 bits of b,
 * or on the way back of a XOR b: if a confirm is lost, the ends have different
 * pairs, and then neither may hear the other, or it would not ask anew. There
 * are no numbers: what is sent twice is the machine's to find.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "keys/link_internal.h"

#define TYPE_PACKET  17
#define TYPE_HELLO   18
#define TYPE_WELCOME 19
#define TYPE_CONFIRM 20
#define MESSAGE_LEN  20
#define TOKEN	     UINT64_C(0xffffffffffff) /* bits of it in a packet */

static uint32_t message(uint8_t *out, uint8_t type, uint64_t a, uint64_t b)
{
	memset(out, 0, 4);
	out[0] = type;
	put_be64(out + 4, a);
	put_be64(out + 12, b);
	return MESSAGE_LEN;
}

/* What packets to the end that answers bear, or those back. */
static uint64_t token(const struct link *l, bool to_answers)
{
	const struct link_plain *p = &l->plain;

	if (!to_answers)
		return p->ours ^ p->theirs;
	return l->c.role == LINK_ANSWERS ? p->ours : p->theirs;
}

void plain_head(const struct link *l, unsigned path, uint8_t *p)
{
	put_be64(p, token(l, l->c.role == LINK_BEGINS));
	p[0] = TYPE_PACKET;
	p[1] = (uint8_t)path;
}

uint32_t plain_ask(const struct link *l, uint8_t out[LINK_MESSAGE])
{
	if (!l->plain.asked)
		return 0;
	return message(out, TYPE_HELLO, l->plain.ours, 0);
}

/* What the end that answers calls itself towards @a at an address. */
static uint64_t token_for(const struct link *l, const struct link_in *in,
			  uint64_t a)
{
	uint8_t p[8 + LINK_FROM] = { 0 };

	put_be64(p, a);
	memcpy(p + 8, in->from, in->from_len);
	return hash_bytes(&l->c.tokens, p, 8 + in->from_len);
}

static void open_pair(struct link *l, uint64_t ours, uint64_t theirs,
		      struct link_out *out)
{
	struct link_plain *p = &l->plain;

	if (p->open && p->ours == ours && p->theirs == theirs)
		return;
	l->n.sessions++;
	l->n.restarts += p->open;
	out->restart = p->open;
	out->opened = true;
	p->ours = ours;
	p->theirs = theirs;
	p->open = true;
}

static void welcome(struct link *l, uint64_t a, uint64_t b,
		    struct link_out *out)
{
	if (!l->plain.asked || a != l->plain.ours) {
		l->n.stray++;
		return;
	}
	l->n.answered++;
	l->plain.asked = false;
	l->silent = NEVER;
	l->asked.tries = 0;
	l->asked.again = NEVER;
	open_pair(l, a, b, out);
	out->reply_len = message(out->reply, TYPE_CONFIRM, a, b);
}

static void answer_hello(struct link *l, const struct link_in *in,
			 struct link_out *out)
{
	uint64_t a = get_be64(in->p + 4), b = get_be64(in->p + 12);
	uint64_t ours = token_for(l, in, a);

	if (in->p[0] == TYPE_HELLO) {
		l->n.asked++;
		out->reply_len = message(out->reply, TYPE_WELCOME, a, ours);
	} else if (b != ours) {
		l->n.forged++;
	} else {
		l->n.asked++;
		open_pair(l, ours, a, out);
	}
}

static enum link_got packet(struct link *l, struct link_in *in,
			    struct link_out *out)
{
	uint64_t got =
		(uint64_t)get_be16(in->p + 2) << 32 | get_be32(in->p + 4);
	uint64_t want = token(l, l->c.role == LINK_ANSWERS);

	if (in->p[1] >= LINK_PATHS) {
		l->n.bad++;
		return LINK_NOTHING;
	}
	if (!l->plain.open || got != (want & TOKEN)) {
		l->n.unknown++;
		return LINK_NOTHING;
	}
	l->silent = NEVER;
	in->path = in->p[1];
	in->newest = true;
	in->off = LINK_HEADER;
	in->len = in->n - LINK_HEADER;
	if (in->len == GREETING_LEN && in->p[LINK_HEADER] == GREETING) {
		l->n.greetings++;
		out->greet_back = in->p[LINK_HEADER + 1] != 0;
		return LINK_PROOF;
	}
	l->n.data++;
	return LINK_PACKET;
}

enum link_got plain_input(struct link *l, struct link_in *in, uint64_t now,
			  struct link_out *out)
{
	uint8_t type = in->n > 0 ? in->p[0] : 0;
	bool begins = l->c.role == LINK_BEGINS;
	bool good;

	(void)now;
	if (type == TYPE_PACKET && in->n >= LINK_HEADER)
		return packet(l, in, out);
	good = in->n == MESSAGE_LEN && get_be32(in->p) == (uint32_t)type << 24;
	if (good && begins && type == TYPE_WELCOME)
		welcome(l, get_be64(in->p + 4), get_be64(in->p + 12), out);
	else if (good && !begins &&
		 (type == TYPE_HELLO || type == TYPE_CONFIRM))
		answer_hello(l, in, out);
	else
		l->n.bad++;
	return LINK_NOTHING;
}
