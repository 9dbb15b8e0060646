/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise.c - The handshake's messages
 *
 * Theory of operation
 *
 * Two values run through a handshake. The hash takes in all that was said, and
 * is authenticated with each sealed field: a message that was changed anywhere
 * does not open. The chaining key takes in all secrets: each X25519, then the
 * key that both have besides; from it come the keys of the sealed fields and of
 * the session.
 *
 *	initiation	e, es: seals our public key; ss: seals the time
 *	response	e, ee, se, psk: seals nothing, which proves it all
 *
 * A function works on a copy of the state and stores it when all went well, so
 * a forged message costs time and changes nothing. The time in an initiation is
 * what keeps an old one from being taken again; who compares it is link.c.
 */
#include "keys/noise.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/limits.h"

/* Where fields lie in an initiation and in a response. */
#define AT_SENDER    4
#define AT_EPHEMERAL 8
#define AT_STATIC    40
#define AT_STAMP     88
#define AT_RECEIVER  8 /* of a response, whose fields lie 4 bytes behind */
#define AT_EMPTY     44
#define MACS	     (2 * CRYPTO_MAC)

#define TAI64_BASE (UINT64_C(1) << 62)
#define TAI_OFFSET 10 /* s, TAI ahead of UTC in 1970 */

static const char construction[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
static const char identifier[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";
static const char label_mac1[] = "mac1----";
static const char label_cookie[] = "cookie--";
#define TEXT_PART(s) ((struct crypto_part){ s, sizeof(s) - 1 })

void noise_wipe(void *p, size_t n)
{
	volatile uint8_t *b = p;

	while (n-- > 0)
		*b++ = 0;
}

bool noise_equal(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;
	uint8_t d = 0;

	for (size_t i = 0; i < n; i++)
		d |= x[i] ^ y[i];
	return d == 0;
}

/* --- hash and keys --- */

static int hash2(const struct noise_self *s, uint8_t out[CRYPTO_HASH],
		 struct crypto_part a, struct crypto_part b)
{
	struct crypto_part part[] = { a, b };

	return s->ops->hash(out, part, 2);
}

/* HMAC (RFC 2104) of up to two parts. */
static int hmac(const struct noise_self *s, uint8_t out[CRYPTO_HASH],
		const uint8_t key[CRYPTO_HASH], struct crypto_part a,
		struct crypto_part b)
{
	uint8_t pad[CRYPTO_BLOCK], inner[CRYPTO_HASH];
	struct crypto_part part[] = { { pad, sizeof(pad) }, a, b };
	int r;

	memset(pad, 0x36, sizeof(pad));
	for (int i = 0; i < CRYPTO_HASH; i++)
		pad[i] ^= key[i];
	r = s->ops->hash(inner, part, 3);
	for (int i = 0; i < CRYPTO_BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	part[1] = (struct crypto_part){ inner, sizeof(inner) };
	if (r == 0)
		r = s->ops->hash(out, part, 2);
	noise_wipe(pad, sizeof(pad));
	noise_wipe(inner, sizeof(inner));
	return r;
}

/* HKDF: @n keys of the chaining key and of @in; the first is the new chaining
 * key.
 */
static int derive(const struct noise_self *s, uint8_t chain[CRYPTO_HASH],
		  const uint8_t *in, size_t in_len, uint8_t more[][CRYPTO_HASH],
		  int n)
{
	static const uint8_t number[] = { 1, 2, 3 };
	struct crypto_part none = { NULL, 0 };
	uint8_t secret[CRYPTO_HASH], key[CRYPTO_HASH];
	struct crypto_part last = { key, 0 };
	int r = hmac(s, secret, chain, (struct crypto_part){ in, in_len },
		     none);

	for (int i = 0; r == 0 && i < n; i++) {
		struct crypto_part count = { &number[i], 1 };

		r = hmac(s, key, secret, last, count);
		last.n = sizeof(key);
		if (r == 0)
			memcpy(i == 0 ? chain : more[i - 1], key, sizeof(key));
	}
	noise_wipe(secret, sizeof(secret));
	noise_wipe(key, sizeof(key));
	return r;
}

static int mix_hash(const struct noise_self *s, struct noise *n, const void *p,
		    size_t len)
{
	return hash2(s, n->hash,
		     (struct crypto_part){ n->hash, sizeof(n->hash) },
		     (struct crypto_part){ p, len });
}

/* An ephemeral public key goes into both. */
static int mix_ephemeral(const struct noise_self *s, struct noise *n,
			 const uint8_t pub[CRYPTO_KEY])
{
	int r = derive(s, n->chain, pub, CRYPTO_KEY, NULL, 1);

	return r == 0 ? mix_hash(s, n, pub, CRYPTO_KEY) : r;
}

/* A shared secret, into the chaining key and, unless it is NULL, @key. */
static int mix_secret(const struct noise_self *s, struct noise *n,
		      const uint8_t secret[CRYPTO_KEY],
		      uint8_t key[][CRYPTO_HASH])
{
	return derive(s, n->chain, secret, CRYPTO_KEY, key, key ? 2 : 1);
}

static int mix_dh(const struct noise_self *s, struct noise *n,
		  const uint8_t priv[CRYPTO_KEY], const uint8_t pub[CRYPTO_KEY],
		  uint8_t key[][CRYPTO_HASH])
{
	uint8_t secret[CRYPTO_KEY];
	int r = s->ops->dh(secret, priv, pub);

	if (r == 0)
		r = mix_secret(s, n, secret, key);
	noise_wipe(secret, sizeof(secret));
	return r;
}

/* Each key of the handshake seals one field: the nonce is 0. */
static const uint8_t nonce0[CRYPTO_NONCE];

static int put_sealed(const struct noise_self *s, struct noise *n,
		      const uint8_t key[CRYPTO_KEY], const void *p, size_t len,
		      uint8_t *out)
{
	struct crypto_part ad = { n->hash, sizeof(n->hash) };
	int r = s->ops->seal(out, key, nonce0, &ad, p, len);

	return r == 0 ? mix_hash(s, n, out, len + CRYPTO_TAG) : r;
}

static int get_sealed(const struct noise_self *s, struct noise *n,
		      const uint8_t key[CRYPTO_KEY], const uint8_t *p,
		      size_t len, uint8_t *out)
{
	struct crypto_part ad = { n->hash, sizeof(n->hash) };
	int r = s->ops->open(out, key, nonce0, &ad, p, len);

	return r == 0 ? mix_hash(s, n, p, len) : r;
}

/* What both ends know before the first message: who responds. */
static int begin(const struct noise_self *s, struct noise *n,
		 const uint8_t responder[CRYPTO_KEY])
{
	struct crypto_part name = TEXT_PART(construction);
	int r = s->ops->hash(n->chain, &name, 1);

	if (r == 0)
		r = hash2(s, n->hash,
			  (struct crypto_part){ n->chain, CRYPTO_HASH },
			  TEXT_PART(identifier));
	return r == 0 ? mix_hash(s, n, responder, CRYPTO_KEY) : r;
}

/* --- initiation --- */

void noise_stamp(uint8_t out[NOISE_STAMP], uint64_t real)
{
	uint64_t secs = TAI64_BASE + TAI_OFFSET + real / NS_PER_SEC;

	put_be32(out, (uint32_t)(secs >> 32));
	put_be32(out + 4, (uint32_t)secs);
	put_be32(out + 8, (uint32_t)(real % NS_PER_SEC));
}

static void put_type(uint8_t *out, size_t n, enum noise_type type)
{
	memset(out, 0, n);
	out[0] = (uint8_t)type;
}

int noise_initiate(const struct noise_self *s, struct noise *n,
		   const uint8_t priv[CRYPTO_KEY], uint32_t ours,
		   const uint8_t stamp[NOISE_STAMP],
		   uint8_t out[NOISE_INITIATION])
{
	struct noise t = { .ours = ours };
	uint8_t key[1][CRYPTO_HASH];
	int r;

	put_type(out, NOISE_INITIATION, NOISE_TYPE_INITIATION);
	put_le32(out + AT_SENDER, ours);
	memcpy(t.priv, priv, sizeof(t.priv));
	r = s->ops->dh_public(out + AT_EPHEMERAL, priv);
	if (r == 0)
		r = begin(s, &t, s->peer);
	if (r == 0)
		r = mix_ephemeral(s, &t, out + AT_EPHEMERAL);
	if (r == 0)
		r = mix_dh(s, &t, priv, s->peer, key);
	if (r == 0)
		r = put_sealed(s, &t, key[0], s->pub, CRYPTO_KEY,
			       out + AT_STATIC);
	if (r == 0)
		r = mix_secret(s, &t, s->common, key);
	if (r == 0)
		r = put_sealed(s, &t, key[0], stamp, NOISE_STAMP,
			       out + AT_STAMP);
	if (r == 0)
		*n = t;
	noise_wipe(&t, sizeof(t));
	noise_wipe(key, sizeof(key));
	return r;
}

int noise_initiated(const struct noise_self *s, struct noise *n,
		    const uint8_t msg[NOISE_INITIATION],
		    uint8_t stamp[NOISE_STAMP])
{
	struct noise t = { .theirs = get_le32(msg + AT_SENDER) };
	uint8_t key[1][CRYPTO_HASH], who[CRYPTO_KEY], at[NOISE_STAMP];
	int r;

	memcpy(t.peer, msg + AT_EPHEMERAL, sizeof(t.peer));
	r = begin(s, &t, s->pub);
	if (r == 0)
		r = mix_ephemeral(s, &t, t.peer);
	if (r == 0)
		r = mix_dh(s, &t, s->priv, t.peer, key);
	if (r == 0)
		r = get_sealed(s, &t, key[0], msg + AT_STATIC,
			       CRYPTO_KEY + CRYPTO_TAG, who);
	if (r == 0 && !noise_equal(who, s->peer, sizeof(who)))
		r = -EBADMSG;
	if (r == 0)
		r = mix_secret(s, &t, s->common, key);
	if (r == 0)
		r = get_sealed(s, &t, key[0], msg + AT_STAMP,
			       NOISE_STAMP + CRYPTO_TAG, at);
	if (r == 0) {
		*n = t;
		memcpy(stamp, at, sizeof(at));
	}
	noise_wipe(&t, sizeof(t));
	noise_wipe(key, sizeof(key));
	return r;
}

/* --- response --- */

/* The second half of the secrets. Each end gives what it has of them: X25519 of
 * the two ephemeral keys, and of the initiator's static and the responder's
 * ephemeral.
 */
static int finish(const struct noise_self *s, struct noise *t,
		  const uint8_t ephemeral[CRYPTO_KEY], bool initiator,
		  uint8_t key[CRYPTO_KEY])
{
	uint8_t more[2][CRYPTO_HASH];
	int r = mix_ephemeral(s, t, ephemeral);

	if (r == 0)
		r = mix_dh(s, t, t->priv, t->peer, NULL);
	if (r == 0)
		r = initiator ? mix_dh(s, t, s->priv, t->peer, NULL)
			      : mix_dh(s, t, t->priv, s->peer, NULL);
	if (r == 0)
		r = derive(s, t->chain, s->psk, CRYPTO_KEY, more, 3);
	if (r == 0)
		r = mix_hash(s, t, more[0], CRYPTO_HASH);
	if (r == 0)
		memcpy(key, more[1], CRYPTO_KEY);
	noise_wipe(more, sizeof(more));
	return r;
}

int noise_respond(const struct noise_self *s, struct noise *n,
		  const uint8_t priv[CRYPTO_KEY], uint32_t ours,
		  uint8_t out[NOISE_RESPONSE])
{
	struct noise t = *n;
	uint8_t key[CRYPTO_KEY];
	int r;

	put_type(out, NOISE_RESPONSE, NOISE_TYPE_RESPONSE);
	put_le32(out + AT_SENDER, ours);
	put_le32(out + AT_RECEIVER, t.theirs);
	t.ours = ours;
	memcpy(t.priv, priv, sizeof(t.priv));
	r = s->ops->dh_public(out + AT_EPHEMERAL + 4, priv);
	if (r == 0)
		r = finish(s, &t, out + AT_EPHEMERAL + 4, false, key);
	if (r == 0)
		r = put_sealed(s, &t, key, NULL, 0, out + AT_EMPTY);
	if (r == 0)
		*n = t;
	noise_wipe(&t, sizeof(t));
	noise_wipe(key, sizeof(key));
	return r;
}

int noise_responded(const struct noise_self *s, struct noise *n,
		    const uint8_t msg[NOISE_RESPONSE])
{
	struct noise t = *n;
	uint8_t key[CRYPTO_KEY], none[1];
	int r;

	t.theirs = get_le32(msg + AT_SENDER);
	memcpy(t.peer, msg + AT_EPHEMERAL + 4, sizeof(t.peer));
	r = get_le32(msg + AT_RECEIVER) == n->ours ? 0 : -EBADMSG;
	if (r == 0)
		r = finish(s, &t, t.peer, true, key);
	if (r == 0)
		r = get_sealed(s, &t, key, msg + AT_EMPTY, CRYPTO_TAG, none);
	if (r == 0)
		*n = t;
	noise_wipe(&t, sizeof(t));
	noise_wipe(key, sizeof(key));
	return r;
}

int noise_split(const struct noise_self *s, struct noise *n, bool initiator,
		struct noise_keys *out)
{
	uint8_t second[1][CRYPTO_HASH];
	int r = derive(s, n->chain, NULL, 0, second, 2);

	if (r == 0) {
		memcpy(initiator ? out->send : out->recv, n->chain, CRYPTO_KEY);
		memcpy(initiator ? out->recv : out->send, second[0],
		       CRYPTO_KEY);
	}
	noise_wipe(second, sizeof(second));
	noise_wipe(n, sizeof(*n));
	return r;
}

/* --- MACs --- */

int noise_self_init(struct noise_self *s, const struct crypto_ops *ops,
		    const uint8_t priv[CRYPTO_KEY],
		    const uint8_t peer[CRYPTO_KEY], const uint8_t *psk)
{
	struct noise_self t = { .ops = ops };
	struct crypto_part mac1 = TEXT_PART(label_mac1);
	struct crypto_part cookie = TEXT_PART(label_cookie);
	struct crypto_part us = { t.pub, sizeof(t.pub) };
	struct crypto_part them = { t.peer, sizeof(t.peer) };
	int r = ops->dh_public(t.pub, priv);

	memcpy(t.priv, priv, sizeof(t.priv));
	memcpy(t.peer, peer, sizeof(t.peer));
	if (psk)
		memcpy(t.psk, psk, sizeof(t.psk));
	if (r == 0 && noise_equal(t.pub, peer, CRYPTO_KEY))
		r = -EINVAL;
	if (r == 0)
		r = ops->dh(t.common, priv, peer) == 0 ? 0 : -EINVAL;
	if (r == 0)
		r = hash2(&t, t.mac1_ours, mac1, us);
	if (r == 0)
		r = hash2(&t, t.mac1_peer, mac1, them);
	if (r == 0)
		r = hash2(&t, t.cookie_ours, cookie, us);
	if (r == 0)
		r = hash2(&t, t.cookie_peer, cookie, them);
	if (r == 0)
		*s = t;
	noise_wipe(&t, sizeof(t));
	return r;
}

int noise_mac(const struct noise_self *s, uint8_t *msg, size_t n,
	      const uint8_t *cookie)
{
	uint8_t *mac1 = msg + n - MACS, *mac2 = mac1 + CRYPTO_MAC;
	int r = s->ops->mac(mac1, s->mac1_peer, CRYPTO_HASH, msg, n - MACS);

	memset(mac2, 0, CRYPTO_MAC);
	if (r == 0 && cookie)
		r = s->ops->mac(mac2, cookie, CRYPTO_MAC, msg, n - CRYPTO_MAC);
	return r;
}

bool noise_mac1_good(const struct noise_self *s, const uint8_t *msg, size_t n)
{
	uint8_t mac[CRYPTO_MAC];

	return s->ops->mac(mac, s->mac1_ours, CRYPTO_HASH, msg, n - MACS) ==
		       0 &&
	       noise_equal(mac, msg + n - MACS, CRYPTO_MAC);
}

bool noise_mac2_good(const struct noise_self *s, const uint8_t *msg, size_t n,
		     const uint8_t cookie[CRYPTO_MAC])
{
	uint8_t mac[CRYPTO_MAC];

	return s->ops->mac(mac, cookie, CRYPTO_MAC, msg, n - CRYPTO_MAC) == 0 &&
	       noise_equal(mac, msg + n - CRYPTO_MAC, CRYPTO_MAC);
}
