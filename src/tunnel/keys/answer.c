/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer.c - Handshakes that the other end asks for
 *
 * Theory of operation
 *
 * A handshake costs us four X25519. Who does not know our public key is turned
 * away by mac1, one hash. Beyond LINK_ASKS a second, who knows it must show by
 * a cookie that what we send arrives at its address.
 */
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "keys/link_internal.h"

#define ANSWER_AGAIN (2 * LINK_PATHS)

/* May one more be answered now without a cookie? */
static bool has_credit(struct link_load *d, uint64_t now)
{
	uint64_t more = now - d->at;

	d->credit += more < LOAD_FULL ? more : LOAD_FULL;
	if (d->credit > LOAD_FULL)
		d->credit = LOAD_FULL;
	d->at = now;
	if (d->credit < LOAD_ONE)
		return false;
	d->credit -= LOAD_ONE;
	return true;
}

/* Return: whether the handshake may go on; else a cookie was given */
static bool may_ask(struct link *l, const struct link_in *in, uint64_t now,
		    struct link_out *out)
{
	struct link_load *d = &l->load;
	uint8_t mine[CRYPTO_MAC], nonce[COOKIE_NONCE];

	if (has_credit(d, now))
		return true;
	if (d->secret_at == 0 || now - d->secret_at >= COOKIE_LIFE) {
		if (l->c.random(d->secret, sizeof(d->secret)) != 0)
			return false;
		d->secret_at = now > 0 ? now : 1;
	}
	if (cookie_of(&l->self, mine, d->secret, in->from, in->from_len) != 0)
		return false;
	if (noise_mac2_good(&l->self, in->p, in->n, mine))
		return true;
	if (l->c.random(nonce, sizeof(nonce)) == 0 &&
	    cookie_reply(&l->self, out->reply, get_le32(in->p + 4), nonce, mine,
			 in->p + in->n - 2 * CRYPTO_MAC) == 0)
		out->reply_len = COOKIE_REPLY;
	return false;
}

/* The answer to one that came before by another path. */
static bool answered_before(struct link *l, const struct link_in *in,
			    struct link_out *out)
{
	struct link_answered *a = &l->answered;

	if (a->again == 0 || !l->next.used ||
	    memcmp(a->msg, in->p, sizeof(a->msg)) != 0)
		return false;
	a->again--;
	memcpy(out->reply, a->reply, NOISE_RESPONSE);
	out->reply_len = NOISE_RESPONSE;
	l->n.asked_again++;
	return true;
}

/* Answer an initiation that is authentic and new. */
static int answer(struct link *l, const struct link_in *in, struct noise *n,
		  uint64_t now, struct link_out *out)
{
	struct link_answered *a = &l->answered;
	uint8_t priv[CRYPTO_KEY];
	uint32_t ours;
	int r = l->c.random(priv, sizeof(priv));

	if (r == 0)
		r = link_choose_index(l, &ours);
	if (r == 0)
		r = noise_respond(&l->self, n, priv, ours, out->reply);
	noise_wipe(priv, sizeof(priv));
	if (r == 0)
		r = noise_mac(&l->self, out->reply, NOISE_RESPONSE, NULL);
	if (r == 0)
		r = link_make_session(l, n, false, now);
	if (r != 0)
		return r;
	memcpy(a->msg, in->p, sizeof(a->msg));
	memcpy(a->reply, out->reply, NOISE_RESPONSE);
	a->again = ANSWER_AGAIN;
	out->reply_len = NOISE_RESPONSE;
	return 0;
}

void link_initiation(struct link *l, const struct link_in *in, uint64_t now,
		     struct link_out *out)
{
	struct link_answered *a = &l->answered;
	uint8_t stamp[NOISE_STAMP];
	struct noise n;
	int r;

	if (l->c.role != LINK_ANSWERS) {
		l->n.stray++;
	} else if (!noise_mac1_good(&l->self, in->p, in->n)) {
		l->n.bad_mac++;
	} else if (answered_before(l, in, out)) {
		l->n.asked++;
	} else if (!may_ask(l, in, now, out)) {
		l->n.busy++;
	} else if ((r = noise_initiated(&l->self, &n, in->p, stamp)) != 0) {
		*(r == -EBADMSG ? &l->n.forged : &l->n.failed) += 1;
	} else if (memcmp(stamp, a->stamp, NOISE_STAMP) <= 0) {
		l->n.old++;
	} else if (answer(l, in, &n, now, out) != 0) {
		l->n.failed++;
	} else {
		memcpy(a->stamp, stamp, NOISE_STAMP);
		l->n.asked++;
	}
	noise_wipe(&n, sizeof(n));
}
