/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_keys_fail.c - Unit test of tunnel/keys: what fails, and what nobody asked for
 *
 * A library that fails at its n-th call, for every n, changes nothing but a counter,
 * and the ends find each other afterwards. What comes at a wrong time, of a wrong
 * length or from nobody is counted as what it is.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "codec/crypto.h"
#include "core/bytes.h"
#include "keys/cookie.h"
#include "keys/link.h"
#include "keys_rig.h"

/* --- a library that fails --- */

static const struct crypto_ops *real;
static unsigned calls;	 /* of the library and of random numbers */
static unsigned fail_at; /* which of them fails; 0: none */
static bool failed;

static bool fails(void)
{
	if (fail_at == 0 || ++calls != fail_at)
		return false;
	failed = true;
	return true;
}

static int fail_public(uint8_t *out, const uint8_t *priv)
{
	return fails() ? -EIO : real->dh_public(out, priv);
}

static int fail_dh(uint8_t *out, const uint8_t *priv, const uint8_t *pub)
{
	return fails() ? -EIO : real->dh(out, priv, pub);
}

static int fail_hash(uint8_t *out, const struct crypto_part *part, size_t n)
{
	return fails() ? -EIO : real->hash(out, part, n);
}

static int fail_mac(uint8_t *out, const uint8_t *key, size_t key_len,
		    const void *p, size_t n)
{
	return fails() ? -EIO : real->mac(out, key, key_len, p, n);
}

static int fail_seal(uint8_t *out, const uint8_t *key, const uint8_t *nonce,
		     const struct crypto_part *ad, const uint8_t *in, size_t n)
{
	return fails() ? -EIO : real->seal(out, key, nonce, ad, in, n);
}

static int fail_open(uint8_t *out, const uint8_t *key, const uint8_t *nonce,
		     const struct crypto_part *ad, const uint8_t *in, size_t n)
{
	return fails() ? -EIO : real->open(out, key, nonce, ad, in, n);
}

static int fail_block(uint8_t *out, const uint8_t *key, const uint8_t *counter)
{
	return fails() ? -EIO : real->block(out, key, counter);
}

static int fail_random(void *p, size_t n)
{
	return fails() ? -EIO : numbers(p, n);
}

static const struct crypto_ops failing = {
	.dh_public = fail_public,
	.dh = fail_dh,
	.hash = fail_hash,
	.mac = fail_mac,
	.seal = fail_seal,
	.open = fail_open,
	.block = fail_block,
};

static void fail_from(unsigned n)
{
	calls = 0;
	fail_at = n;
	failed = false;
}

/* What a handshake is made of, each with what it hands out. */
struct made {
	struct noise_self self;
	struct noise a, b;
	struct noise_keys keys;
	uint8_t stamp[NOISE_STAMP];
	uint8_t cookie[CRYPTO_MAC];
};

enum step {
	SELF,
	INITIATE,
	INITIATED,
	RESPOND,
	RESPONDED,
	SPLIT,
	MACS,
	COOKIE,
	COOKIE_TAKEN,
	STEPS,
};

struct messages {
	uint8_t initiation[NOISE_INITIATION];
	uint8_t response[NOISE_RESPONSE];
	uint8_t cookie[COOKIE_REPLY];
};

static int do_step(enum step s, const struct noise_self *a,
		   const struct noise_self *b, struct made *m,
		   struct messages *msg)
{
	static const uint8_t one[32] = { 1 }, two[32] = { 2 };
	uint8_t stamp[NOISE_STAMP];

	noise_stamp(stamp, REAL);
	switch (s) {
	case SELF:
		return noise_self_init(&m->self, &failing, a->priv, b->pub,
				       NULL);
	case INITIATE:
		return noise_initiate(a, &m->a, one, 7, stamp, msg->initiation);
	case INITIATED:
		return noise_initiated(b, &m->b, msg->initiation, m->stamp);
	case RESPOND:
		return noise_respond(b, &m->b, two, 9, msg->response);
	case RESPONDED:
		return noise_responded(a, &m->a, msg->response);
	case SPLIT:
		return noise_split(a, &m->a, true, &m->keys);
	case MACS:
		return noise_mac(a, msg->response, NOISE_RESPONSE, two);
	case COOKIE:
		return cookie_reply(a, msg->cookie, 5, one, two, two);
	default:
		return cookie_taken(b, msg->cookie, two, m->cookie);
	}
}

/* Each step fails with -EIO wherever the library does, and leaves what it hands out
 * alone; of the keys of a session that fails, the state is wiped.
 */
static void nothing_comes_of_a_step_that_fails(void)
{
	struct noise_self a, b;
	struct made m, before;
	struct messages msg;

	memset(&m, 0, sizeof(m));
	ops = real;
	self_make(&a, &b, NULL, NULL);
	a.ops = b.ops = &failing;
	for (enum step s = SELF; s < STEPS; s++) {
		unsigned n = 0;

		do {
			struct noise_self had;
			int r;

			fail_from(++n);
			before = m;
			had = before.self;
			r = do_step(s, &a, &b, &m, &msg);
			CHECK((r != 0) == failed);
			CHECK(!failed || r == -EIO || s == SELF);
			CHECK(s != SELF || !failed ||
			      memcmp(&m.self, &had, sizeof(had)) == 0);
			if (failed && s == SPLIT)
				m.a = before.a;
			CHECK(!failed || memcmp(&m, &before, sizeof(m)) == 0);
		} while (failed && n < 1000);
		CHECK(n > 1 && n < 1000);
	}
	fail_from(0);
	CHECK(m.stamp[0] == 0x40 && m.cookie[0] == 2);
}

/* Whatever fails once, a later handshake is made, and packets come through. */
static void what_failed_is_begun_again(void)
{
	unsigned n = 0;

	ops = &failing;
	keys_random = fail_random;
	do {
		struct pair p;

		fail_from(0);
		pair_make(&p, false);
		fail_from(++n);
		pass(&p, SEC / 10);
		CHECK((p.a.opened == 1 && p.b.opened == 1) || failed);
		fail_at = 0;
		pass(&p, 12 * SEC);
		CHECK(p.a.opened >= 1 && p.b.opened >= 1);
		CHECK(p.a.restarts == 0 && p.b.restarts == 0);
		CHECK(send_one(&p, &p.a, 0, NULL) == LINK_PACKET);
		CHECK(send_one(&p, &p.b, 0, NULL) == LINK_PACKET);
		pair_free(&p);
	} while (failed && n < 1000);
	CHECK(n > 50 && n < 1000);
	ops = real;
	keys_random = numbers;
}

static void a_packet_that_cannot_be_sealed_is_not_sent(void)
{
	uint8_t d[LINK_HEADER + 5 + CRYPTO_TAG] = { 0 }, g[LINK_GREETING];
	struct link_in in;
	struct pair p;
	int n;

	ops = &failing;
	begin_both(&p, false);
	fail_from(1);
	CHECK(link_seal(p.a.l, 0, d, 5, true, p.now) == -EIO);
	fail_from(1);
	CHECK(link_greet(p.a.l, 0, true, g, p.now) == 0);
	fail_from(0);
	pass(&p, 2 * LINK_SILENCE); /* it was not sent: nothing is waited for */
	CHECK(link_counters(p.a.l)->silences == 0);
	n = link_seal(p.a.l, 0, d, 5, true, p.now);
	fail_from(1);
	CHECK(arrive(&p, &p.b, d, (uint32_t)n, &in) == LINK_NOTHING);
	CHECK(link_counters(p.b.l)->failed == 1);
	fail_from(0);
	CHECK(arrive(&p, &p.b, d, (uint32_t)n, &in) == LINK_PACKET);
	pair_free(&p);
	ops = real;
}

static void an_end_that_cannot_be_made_is_none(void)
{
	struct link_config c = { .role = LINK_BEGINS,
				 .plain = true,
				 .random = fail_random };
	struct arena a = { .base = aligned_alloc(ARENA_ALIGN, link_size()),
			   .size = link_size() };
	struct link *l = NULL;
	bool zero = true;

	fail_from(1);
	CHECK(link_init(&l, &a, &c, 5) == -EIO && l == NULL && a.used == 0);
	fail_from(0);
	a.size--;
	CHECK(link_init(&l, &a, &c, 5) == -ENOMEM && l == NULL);
	a.size++;
	CHECK(link_init(&l, &a, &c, 5) == 0 && l != NULL);
	link_wipe(l);
	for (size_t i = 0; i < link_size() && i < a.used; i++)
		zero = zero && ((uint8_t *)l)[i] == 0;
	CHECK(zero);
	free(a.base);
}

static void a_key_that_is_none_is_refused(void)
{
	struct noise_self s = { .ops = NULL }, a, b;
	uint8_t low[CRYPTO_KEY] = { 0 };

	self_make(&a, &b, NULL, NULL);
	CHECK(noise_self_init(&s, real, a.priv, a.pub, NULL) == -EINVAL);
	CHECK(noise_self_init(&s, real, a.priv, low, NULL) == -EINVAL);
	CHECK(s.ops == NULL);
}

/* --- what nobody asked for --- */

static enum link_got to(struct pair *p, struct end *e, const void *d,
			uint32_t n)
{
	return arrive(p, e, d, n, NULL);
}

static void messages_at_the_wrong_end_are_strays(void)
{
	uint8_t initiation[LINK_MESSAGE], response[NOISE_RESPONSE] = { 2 };
	uint8_t reply[COOKIE_REPLY] = { 3 };
	struct link_out out = { .ask = false };
	struct pair p;

	pair_make(&p, false);
	link_timeout(p.a.l, p.now, REAL, &out);
	CHECK(link_ask(p.a.l, 0, initiation) == NOISE_INITIATION);
	CHECK(to(&p, &p.a, initiation, NOISE_INITIATION) == LINK_NOTHING);
	CHECK(to(&p, &p.b, response, sizeof(response)) == LINK_NOTHING);
	CHECK(to(&p, &p.b, reply, sizeof(reply)) == LINK_NOTHING);
	CHECK(link_counters(p.a.l)->stray == 1);
	CHECK(link_counters(p.b.l)->stray == 2);
	/* A cookie for a question that was not asked. */
	CHECK(to(&p, &p.a, reply, sizeof(reply)) == LINK_NOTHING);
	CHECK(link_counters(p.a.l)->stray == 2);
	CHECK(link_counters(p.a.l)->cookies == 0);
	/* No session: nothing to ask or greet in. */
	CHECK(link_ask(p.b.l, 0, initiation) == 0);
	CHECK(link_greet(p.a.l, 0, true, initiation, p.now) == 0);
	CHECK(link_greet(p.b.l, 0, true, initiation, p.now) == 0);
	pair_free(&p);
}

/* The other end's answer, changed, with a right first MAC or a wrong one. */
static void an_answer_that_was_changed_is_refused(void)
{
	uint8_t d[LINK_MESSAGE], response[NOISE_RESPONSE];
	struct link_out out = { .ask = false };
	struct link_in in = {
		.p = d, .n = NOISE_INITIATION, .from = "a", .from_len = 1
	};
	struct pair p;

	pair_make(&p, false);
	link_timeout(p.a.l, p.now, REAL, &out);
	CHECK(link_ask(p.a.l, 0, d) == NOISE_INITIATION);
	link_input(p.b.l, &in, p.now, &out);
	CHECK(out.reply_len == NOISE_RESPONSE);
	memcpy(response, out.reply, sizeof(response));
	response[NOISE_RESPONSE - 17] ^= 1; /* the first MAC */
	CHECK(to(&p, &p.a, response, sizeof(response)) == LINK_NOTHING);
	CHECK(link_counters(p.a.l)->bad_mac == 1);
	for (int i = 8; i < 60; i++) { /* the receiver, the key, the seal */
		memcpy(response, out.reply, sizeof(response));
		response[i] ^= 1;
		CHECK(noise_mac(&p.b.self, response, sizeof(response), NULL) ==
		      0);
		CHECK(to(&p, &p.a, response, sizeof(response)) == LINK_NOTHING);
	}
	CHECK(link_counters(p.a.l)->forged == 52 && p.a.opened == 0);
	CHECK(link_counters(p.a.l)->answered == 0);
	CHECK(to(&p, &p.a, out.reply, NOISE_RESPONSE) == LINK_NOTHING);
	CHECK(link_counters(p.a.l)->answered == 1 && p.a.opened == 1);
	pair_free(&p);
}

/* Who knows our public key, but is not the other end, is not answered. */
static void a_third_end_is_not_answered(void)
{
	uint8_t priv[32], fresh[32], d[NOISE_INITIATION], stamp[NOISE_STAMP];
	struct noise_self third;
	struct noise n;
	struct pair p;

	pair_make(&p, false);
	numbers(priv, sizeof(priv));
	numbers(fresh, sizeof(fresh));
	CHECK(noise_self_init(&third, real, priv, p.b.self.pub, p.b.self.psk) ==
	      0);
	noise_stamp(stamp, REAL);
	CHECK(noise_initiate(&third, &n, fresh, 1, stamp, d) == 0);
	CHECK(noise_mac(&third, d, sizeof(d), NULL) == 0);
	CHECK(to(&p, &p.b, d, sizeof(d)) == LINK_NOTHING);
	CHECK(link_counters(p.b.l)->forged == 1);
	CHECK(link_counters(p.b.l)->asked == 0);
	pair_free(&p);
}

static void packets_that_are_none_are_bad(void)
{
	uint8_t d[64] = { SESSION_TYPE };
	struct link_in in;
	struct pair p;
	int n;

	begin_both(&p, false);
	CHECK(to(&p, &p.b, d, LINK_HEADER - 1) == LINK_NOTHING);
	CHECK(to(&p, &p.b, d, 0) == LINK_NOTHING);
	CHECK(link_counters(p.b.l)->bad == 2);
	n = link_seal(p.a.l, 3, d, 5, false, p.now);
	d[1] = SESSION_PATHS;
	CHECK(to(&p, &p.b, d, (uint32_t)n) == LINK_NOTHING);
	d[1] = 3;
	CHECK(to(&p, &p.b, d, LINK_HEADER + CRYPTO_TAG - 1) == LINK_NOTHING);
	CHECK(link_counters(p.b.l)->bad == 4);
	d[1] = 2; /* of another path: not what was sealed */
	CHECK(to(&p, &p.b, d, (uint32_t)n) == LINK_NOTHING);
	CHECK(link_counters(p.b.l)->forged == 1);
	d[1] = 3;
	CHECK(arrive(&p, &p.b, d, (uint32_t)n, &in) == LINK_PACKET);
	CHECK(in.path == 3 && in.len == 5);
	/* A packet that is as long as a greeting, and one that begins as one. */
	memset(d, 1, sizeof(d));
	n = link_seal(p.a.l, 0, d, LINK_GREETING - LINK_HEADER - CRYPTO_TAG,
		      false, p.now);
	CHECK(arrive(&p, &p.b, d, (uint32_t)n, &in) == LINK_PACKET);
	d[LINK_HEADER] = 64;
	n = link_seal(p.a.l, 0, d, 5, false, p.now);
	CHECK(arrive(&p, &p.b, d, (uint32_t)n, &in) == LINK_PACKET);
	pair_free(&p);
}

/* --- greetings and times --- */

/* Without its greeting a session brings no packets, and it is greeted again. */
static void a_lost_greeting_is_said_again(void)
{
	struct pair p;

	pair_make(&p, false);
	p.lose = 2 + 2; /* two paths, twice */
	p.lose_type = SESSION_TYPE;
	pass(&p, LINK_GREET + 1);
	CHECK(p.a.opened == 0 && p.b.opened == 0 && p.lose == 0);
	CHECK(!link_open(p.a.l, p.now) && !link_open(p.b.l, p.now));
	pass(&p, LINK_GREET);
	CHECK(p.a.opened == 1 && p.b.opened == 1);
	CHECK(link_counters(p.a.l)->asks == 1);
	CHECK(send_one(&p, &p.a, 0, NULL) == LINK_PACKET);
	pair_free(&p);
}

/* Then whoever began asks anew, and a session that was never greeted is gone. */
static void a_greeting_that_never_comes(void)
{
	struct pair p;

	pair_make(&p, false);
	p.lose = 10000;
	p.lose_type = SESSION_TYPE;
	pass(&p, SEC / 2);
	CHECK(link_counters(p.a.l)->answered == 1);
	p.lose_type = 0;
	pass(&p, LINK_LIFE + SEC);
	CHECK(p.a.opened == 0 && p.b.opened == 0);
	CHECK(link_counters(p.a.l)->asks > LINK_TRIES);
	p.lose = 0;
	pass(&p, 2 * LINK_TRY_SELDOM);
	CHECK(p.a.opened == 1 && p.b.opened == 1);
	pair_free(&p);
}

static void a_packet_before_the_greeting_is_early(void)
{
	uint8_t d[LINK_HEADER + 5 + CRYPTO_TAG] = { 0 };
	struct link_out out = { .ask = false };
	uint8_t ask[LINK_MESSAGE];
	struct noise_keys keys;
	struct session s = { .used = true, .ours = 7 };
	struct noise n;
	uint8_t stamp[NOISE_STAMP], fresh[32] = { 5 };
	struct link_in in = {
		.p = ask, .n = NOISE_INITIATION, .from = "a", .from_len = 1
	};
	struct pair p;

	/* An end of our own, which seals before it greets. */
	pair_make(&p, false);
	noise_stamp(stamp, REAL);
	CHECK(noise_initiate(&p.a.self, &n, fresh, 7, stamp, ask) == 0);
	CHECK(noise_mac(&p.a.self, ask, NOISE_INITIATION, NULL) == 0);
	link_input(p.b.l, &in, p.now, &out);
	CHECK(out.reply_len == NOISE_RESPONSE);
	CHECK(noise_responded(&p.a.self, &n, out.reply) == 0);
	s.theirs = n.theirs;
	CHECK(noise_split(&p.a.self, &n, true, &keys) == 0);
	s.keys = keys;
	CHECK(session_seal(&s, real, 0, d, 5) == 0);
	CHECK(to(&p, &p.b, d, sizeof(d)) == LINK_NOTHING);
	CHECK(link_counters(p.b.l)->early == 1 && p.b.opened == 0);
	pair_free(&p);
}

/* A cookie is used for as long as it is good, on the path that was asked on. */
static void a_cookie_has_its_time(void)
{
	uint8_t d[LINK_MESSAGE], reply[COOKIE_REPLY],
		cookie[CRYPTO_MAC] = { 9 };
	uint8_t none[CRYPTO_MAC] = { 0 }, nonce[COOKIE_NONCE] = { 4 };
	struct link_out out = { .ask = false };
	const uint8_t *mac2 = d + NOISE_INITIATION - CRYPTO_MAC;
	struct pair p;

	pair_make(&p, false);
	p.lose = 100000;
	link_timeout(p.a.l, p.now, REAL, &out);
	CHECK(link_ask(p.a.l, 5, d) > 0);
	CHECK(cookie_reply(&p.b.self, reply, 1, nonce, cookie,
			   d + NOISE_INITIATION - 2 * CRYPTO_MAC) == 0);
	p.way = 5;
	to(&p, &p.a, reply, sizeof(reply));
	CHECK(link_counters(p.a.l)->cookies == 1);
	for (int late = 0; late < 2; late++) {
		CHECK(link_ask(p.a.l, 0, d) > 0 && memcmp(mac2, none, 16) == 0);
		CHECK(link_ask(p.a.l, 5, d) > 0);
		CHECK((memcmp(mac2, none, 16) == 0) == late);
		CHECK(noise_mac2_good(&p.b.self, d, NOISE_INITIATION, cookie) ==
		      !late);
		pass(&p, late ? 0 : 10 * SEC);
		CHECK(link_ask(p.a.l, 5, d) > 0);
		CHECK((memcmp(mac2, none, 16) == 0) == late);
		pass(&p, late ? 0 : 120 * SEC);
	}
	pair_free(&p);
}

/* One message of a flood that bears @cookie. Return: length of what is answered */
static uint32_t flood(struct pair *p, const uint8_t *cookie,
		      uint8_t reply[COOKIE_REPLY], uint8_t mac1[CRYPTO_MAC])
{
	uint8_t d[NOISE_INITIATION] = { 1 };
	struct link_out out = { .ask = false };
	struct link_in in = {
		.p = d, .n = sizeof(d), .from = "evil", .from_len = 4
	};

	CHECK(noise_mac(&p->a.self, d, sizeof(d), cookie) == 0);
	memcpy(mac1, d + sizeof(d) - 2 * CRYPTO_MAC, CRYPTO_MAC);
	link_input(p->b.l, &in, p->now, &out);
	CHECK(link_check(p->b.l) == NULL);
	memcpy(reply, out.reply, COOKIE_REPLY);
	return out.reply_len;
}

/* A cookie is under a secret that changes: later it opens nothing. */
static void a_cookie_is_not_good_for_ever(void)
{
	uint8_t reply[COOKIE_REPLY], mac1[CRYPTO_MAC], cookie[CRYPTO_MAC];
	struct pair p;

	pair_make(&p, false);
	for (int i = 0; i < LINK_ASKS; i++)
		CHECK(flood(&p, NULL, reply, mac1) == 0);
	CHECK(flood(&p, NULL, reply, mac1) == COOKIE_REPLY);
	CHECK(cookie_taken(&p.a.self, reply, mac1, cookie) == 0);
	/* It is looked at, and then found to be forged: no second cookie. */
	CHECK(flood(&p, cookie, reply, mac1) == 0);
	CHECK(link_counters(p.b.l)->forged == LINK_ASKS + 1);
	p.now += 119 * SEC;
	for (int i = 0; i < LINK_ASKS; i++)
		CHECK(flood(&p, NULL, reply, mac1) == 0);
	CHECK(flood(&p, cookie, reply, mac1) == 0);
	p.now += 2 * SEC;
	for (int i = 0; i < LINK_ASKS; i++)
		CHECK(flood(&p, NULL, reply, mac1) == 0);
	CHECK(flood(&p, cookie, reply, mac1) == COOKIE_REPLY);
	CHECK(link_counters(p.b.l)->busy == 2);
	pair_free(&p);
}

/* Where the library or chance fails, no cookie is given, and none is taken. */
static void a_cookie_that_cannot_be_made(void)
{
	uint8_t reply[COOKIE_REPLY], mac1[CRYPTO_MAC], cookie[CRYPTO_MAC];
	unsigned n = 0, answers = 0;

	ops = &failing;
	keys_random = fail_random;
	do {
		struct pair p;
		uint32_t len;

		fail_from(0);
		pair_make(&p, false);
		for (int i = 0; i < LINK_ASKS; i++)
			flood(&p, NULL, reply, mac1);
		/* The sender's own call comes first. */
		fail_from(++n + 1);
		len = flood(&p, NULL, reply, mac1);
		fail_at = 0;
		CHECK(failed || len == COOKIE_REPLY);
		CHECK(len == 0 ||
		      cookie_taken(&p.a.self, reply, mac1, cookie) == 0);
		CHECK(link_counters(p.b.l)->forged == LINK_ASKS);
		answers += failed && len > 0;
		pair_free(&p);
	} while (failed && n < 100);
	CHECK(n > 5 && n < 100);
	CHECK(answers ==
	      1); /* a second MAC that cannot be looked at is wrong */
	ops = real;
	keys_random = numbers;
}

/* Numbers that are anything but random. */
static int zeros(void *p, size_t n)
{
	if (n == sizeof(uint32_t)) {
		memset(p, 0, n);
		return 0;
	}
	return numbers(p, n);
}

/* No two sessions have one index, whatever chance says; packets go on. */
static void indices_are_told_apart(void)
{
	struct pair p;

	keys_random = zeros;
	begin_both(&p, false);
	for (int i = 0; i < 70; i++) {
		CHECK(send_one(&p, &p.a, 1, NULL) == LINK_PACKET);
		CHECK(send_one(&p, &p.b, 1, NULL) == LINK_PACKET);
		pass(&p, 10 * SEC);
	}
	CHECK(p.a.opened >= 6 && p.b.opened == p.a.opened);
	pair_free(&p);
	keys_random = numbers;
}

static void a_clock_that_goes_back_ends_nothing(void)
{
	struct pair p;

	begin_both(&p, false);
	p.clock_back = 3600 * SEC;
	pass(&p, LINK_REKEY + SEC);
	CHECK(p.a.opened == 2 && p.b.opened == 2);
	CHECK(link_counters(p.b.l)->old == 0);
	pair_free(&p);
}

/* --- a session's numbers --- */

static void numbers_that_cannot_be(void)
{
	uint8_t d[SESSION_HEADER + 4 + CRYPTO_TAG] = { 0 };
	struct session out = { .used = true }, in = { .used = true };
	bool newest = false;

	/* Before anything has come, all ones are no number below 0. */
	out.sent[0] = 0xffffffff;
	CHECK(session_seal(&out, real, 0, d, 4) == 0);
	CHECK(session_open(&in, real, d, sizeof(d), &newest) == 0);
	CHECK(newest && in.came[0].next == UINT64_C(1) << 32);
	/* The last number there is, and none behind it. */
	memset(&in, 0, sizeof(in));
	in.used = true;
	in.came[0].next = (UINT64_C(1) << 60) - 1;
	memset(d, 0, sizeof(d));
	out.sent[0] = (UINT64_C(1) << 60) - 1;
	CHECK(session_seal(&out, real, 0, d, 4) == 0);
	CHECK(session_open(&in, real, d, sizeof(d), &newest) == 0);
	put_be32(d + 4, 0);
	CHECK(session_open(&in, real, d, sizeof(d), &newest) == -EALREADY);
}

/* --- without keys --- */

static uint32_t plain(uint8_t *d, uint8_t type, uint64_t a, uint64_t b)
{
	memset(d, 0, 28);
	d[0] = type;
	put_be64(d + 4, a);
	put_be64(d + 12, b);
	return 20;
}

enum { PACKET = 17, HELLO, WELCOME, CONFIRM };

static void plain_messages_have_one_form(void)
{
	static const struct {
		const char *name;
		bool begins;
		uint8_t type, extra;
		uint32_t n;
		bool bad;
	} row[] = {
		{ "hello", false, HELLO, 0, 20, false },
		{ "hello at the one that begins", true, HELLO, 0, 20, true },
		{ "confirm there", true, CONFIRM, 0, 20, true },
		{ "welcome at the one that answers", false, WELCOME, 0, 20,
		  true },
		{ "no type", false, 99, 0, 20, true },
		{ "too short", false, HELLO, 0, 19, true },
		{ "too long", false, HELLO, 0, 21, true },
		{ "something in the reserved bytes", false, HELLO, 1, 20,
		  true },
		{ "nothing", false, 0, 0, 0, true },
		{ "half a packet's header", false, PACKET, 0, 7, true },
		{ "a path that there is not", false, PACKET, LINK_PATHS, 28,
		  true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct end *e;
		uint8_t d[28];
		struct pair p;

		begin_both(&p, true);
		e = row[i].begins ? &p.a : &p.b;
		plain(d, row[i].type, 5, 6);
		d[1] = row[i].extra;
		CHECK_ROW(to(&p, e, d, row[i].n) == LINK_NOTHING, row[i].name);
		CHECK_ROW(link_counters(e->l)->bad == row[i].bad, row[i].name);
		pair_free(&p);
	}
}

/* A welcome is taken once, by who asked, and a confirm opens its pair once. */
static void a_plain_handshake_is_done_once(void)
{
	uint8_t d[LINK_MESSAGE], hello[LINK_MESSAGE], confirm[LINK_MESSAGE];
	struct link_out out = { .ask = false };
	struct link_in in = {
		.p = hello, .n = 20, .from = "addr", .from_len = 4
	};
	struct pair p;
	uint64_t a, b;

	pair_make(&p, true);
	CHECK(link_ask(p.a.l, 0, hello) == 0);
	plain(d, WELCOME, 5, 6); /* before it has asked */
	CHECK(to(&p, &p.a, d, 20) == LINK_NOTHING);
	CHECK(link_counters(p.a.l)->stray == 1);
	plain(d, PACKET, 0, 0); /* and the token of nobody */
	CHECK(to(&p, &p.a, d, 28) == LINK_NOTHING);
	CHECK(link_counters(p.a.l)->unknown == 1);
	link_timeout(p.a.l, p.now, REAL, &out);
	CHECK(out.ask && link_ask(p.a.l, 0, hello) == 20);
	a = get_be64(hello + 4);
	plain(d, WELCOME, a + 1, 6); /* for another one's question */
	CHECK(to(&p, &p.a, d, 20) == LINK_NOTHING);
	CHECK(link_counters(p.a.l)->stray == 2 && p.a.opened == 0);
	link_input(p.b.l, &in, p.now, &out);
	CHECK(out.reply_len == 20 && out.reply[0] == WELCOME);
	b = get_be64(out.reply + 12);
	CHECK(to(&p, &p.a, out.reply, 20) == LINK_NOTHING);
	CHECK(p.a.opened == 1 && p.b.opened == 1);
	CHECK(to(&p, &p.a, out.reply, 20) == LINK_NOTHING); /* again */
	CHECK(link_counters(p.a.l)->stray == 3 && p.a.opened == 1);
	plain(confirm, CONFIRM, a, b);
	CHECK(to(&p, &p.b, confirm, 20) == LINK_NOTHING);
	CHECK(p.b.opened == 1 && p.b.restarts == 0);
	/* Another process of the same end is told from it. */
	plain(d, HELLO, a + 1, 0);
	memcpy(hello, d, 20);
	link_input(p.b.l, &in, p.now, &out);
	plain(confirm, CONFIRM, a + 1, get_be64(out.reply + 12));
	CHECK(to(&p, &p.b, confirm, 20) == LINK_NOTHING);
	CHECK(p.b.opened == 2 && p.b.restarts == 1);
	pair_free(&p);
}

static void a_plain_packet_may_look_like_a_greeting(void)
{
	uint8_t d[LINK_GREETING + 4] = { 0 };
	struct link_in in;
	struct pair p;
	int n;

	begin_both(&p, true);
	n = link_seal(p.a.l, 0, d, 12, false, p.now);
	CHECK(arrive(&p, &p.b, d, (uint32_t)n, &in) == LINK_PACKET);
	d[LINK_HEADER] = 64;
	CHECK(arrive(&p, &p.b, d, (uint32_t)n + 1, &in) == LINK_PACKET);
	CHECK(in.len == 13);
	CHECK(arrive(&p, &p.b, d, (uint32_t)n, &in) == LINK_PROOF);
	pair_free(&p);
}

static const struct check_test tests[] = {
	{ "nothing comes of a step that fails",
	  nothing_comes_of_a_step_that_fails },
	{ "what failed is begun again", what_failed_is_begun_again },
	{ "a packet that cannot be sealed is not sent",
	  a_packet_that_cannot_be_sealed_is_not_sent },
	{ "an end that cannot be made is none",
	  an_end_that_cannot_be_made_is_none },
	{ "a key that is none is refused", a_key_that_is_none_is_refused },
	{ "messages at the wrong end are strays",
	  messages_at_the_wrong_end_are_strays },
	{ "an answer that was changed is refused",
	  an_answer_that_was_changed_is_refused },
	{ "a third end is not answered", a_third_end_is_not_answered },
	{ "packets that are none are bad", packets_that_are_none_are_bad },
	{ "a lost greeting is said again", a_lost_greeting_is_said_again },
	{ "a greeting that never comes", a_greeting_that_never_comes },
	{ "a packet before the greeting is early",
	  a_packet_before_the_greeting_is_early },
	{ "a cookie has its time", a_cookie_has_its_time },
	{ "a cookie is not good for ever", a_cookie_is_not_good_for_ever },
	{ "a cookie that cannot be made", a_cookie_that_cannot_be_made },
	{ "indices are told apart", indices_are_told_apart },
	{ "a clock that goes back ends nothing",
	  a_clock_that_goes_back_ends_nothing },
	{ "numbers that cannot be", numbers_that_cannot_be },
	{ "plain messages have one form", plain_messages_have_one_form },
	{ "a plain handshake is done once", a_plain_handshake_is_done_once },
	{ "a plain packet may look like a greeting",
	  a_plain_packet_may_look_like_a_greeting },
};

int main(void)
{
	int r;

	if (crypto_open() != 0) {
		printf("1..0 # SKIP libcrypto lacks a cipher\n");
		return 1;
	}
	real = ops = crypto_table();
	r = check_main(tests, ARRAY_SIZE(tests));
	crypto_close();
	return r;
}
