/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_keys.c - Unit test of codec/crypto and of tunnel/keys
 *
 * Primitives are held against the vectors of their RFCs, a session and a link
 * against another one, through a wire that loses, repeats and forges. The
 * handshake's bytes are held against wireguard-go (test/net/test_tunnel.py).
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "codec/crypto.h"
#include "keys/cookie.h"
#include "keys/keytext.h"
#include "keys/link.h"
#include "keys_rig.h"

/* Reads hexadecimal digits. Return: bytes */
static size_t hex(uint8_t *out, const char *s)
{
	size_t n = 0;

	for (; s[0] != '\0'; s += 2) {
		char two[3] = { s[0], s[1], '\0' };

		out[n++] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

static bool is_hex(const uint8_t *p, const char *s)
{
	uint8_t want[256];

	return memcmp(p, want, hex(want, s)) == 0;
}

/* --- primitives --- */

static void x25519_is_rfc_7748s(void)
{
	uint8_t k[32], u[32], out[32];

	hex(k, "a546e36bf0527c9d3b16154b82465edd"
	       "62144c0ac1fc5a18506a2244ba449ac4");
	hex(u, "e6db6867583030db3594c1a424b15f7c"
	       "726624ec26b3353b10a903a6d0ab1c4c");
	CHECK(ops->dh(out, k, u) == 0);
	CHECK(is_hex(out, "c3da55379de9c6908e94ea4df28d084f"
			  "32eccf03491c71f754b4075577a28552"));
	hex(k, "77076d0a7318a57d3c16c17251b26645"
	       "df4c2f87ebc0992ab177fba51db92c2a");
	CHECK(ops->dh_public(out, k) == 0);
	CHECK(is_hex(out, "8520f0098930a754748b7ddcb43ef75a"
			  "0dbf3a0d26381af4eba4a98eaa9b4e6a"));
	memset(u, 0, sizeof(u));
	CHECK(ops->dh(out, k, u) == -EBADMSG);
}

static void blake2s_is_rfc_7693s(void)
{
	struct crypto_part part[] = { { "a", 1 }, { "bc", 2 } };
	uint8_t key[32], out[32];

	CHECK(ops->hash(out, part, 2) == 0);
	CHECK(is_hex(out, "508c5e8c327c14e2e1a72ba34eeb452f"
			  "37458b209ed63a294d999b4c86675982"));
	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t)i;
	CHECK(ops->mac(out, key, 32, "", 0) == 0);
	CHECK(ops->mac(out + 16, key, 32, key, 1) == 0);
	CHECK(memcmp(out, out + 16, 16) != 0);
}

static void the_cipher_is_rfc_8439s(void)
{
	static const char text[] =
		"Ladies and Gentlemen of the class of '99: If I could offer "
		"you "
		"only one tip for the future, sunscreen would be it.";
	uint8_t key[32], nonce[12], ad[12], out[256], back[256];
	struct crypto_part a = { ad, sizeof(ad) };
	size_t n = sizeof(text) - 1;

	hex(key, "808182838485868788898a8b8c8d8e8f"
		 "909192939495969798999a9b9c9d9e9f");
	hex(nonce, "070000004041424344454647");
	hex(ad, "50515253c0c1c2c3c4c5c6c7");
	CHECK(ops->seal(out, key, nonce, &a, (const uint8_t *)text, n) == 0);
	CHECK(is_hex(out, "d31a8d34648e60db7b86afbc53ef7ec2"));
	CHECK(is_hex(out + n, "1ae10b594f09e26a7e902ecbd0600691"));
	CHECK(ops->open(back, key, nonce, &a, out, n + 16) == 0);
	CHECK(memcmp(back, text, n) == 0);
	for (size_t i = 0; i < n + 16; i++) {
		out[i] ^= 1;
		CHECK(ops->open(back, key, nonce, &a, out, n + 16) == -EBADMSG);
		out[i] ^= 1;
	}
	ad[0] ^= 1;
	CHECK(ops->open(back, key, nonce, &a, out, n + 16) == -EBADMSG);
	CHECK(ops->open(back, key, nonce, &a, out, 15) == -EBADMSG);
}

static void a_block_is_rfc_8439s(void)
{
	uint8_t key[32], in[16], out[64];

	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t)i;
	hex(in, "01000000000000090000004a00000000");
	CHECK(ops->block(out, key, in) == 0);
	CHECK(is_hex(out, "10f1e7e4d13b5915500fdd1fa32071c4"
			  "c7d1f4c733c068030422aa9ac3d46c4e"
			  "d2826446079faa0914c2d705d98b02a2"
			  "b5129cd1de164eb9cbd083e8a2503c4e"));
}

/* --- keys as text --- */

static void keys_have_one_text(void)
{
	char text[KEYTEXT + 1], bad[KEYTEXT + 3];
	uint8_t key[32], back[32] = { 7 };

	for (int k = 0; k < 256; k++) {
		for (int i = 0; i < 32; i++)
			key[i] = (uint8_t)(k * 37 + i * 11);
		keytext_put(text, key);
		CHECK(strlen(text) == KEYTEXT);
		CHECK(keytext_get(text, KEYTEXT, back) == 0);
		CHECK(memcmp(key, back, 32) == 0);
	}
	hex(key, "77076d0a7318a57d3c16c17251b26645"
		 "df4c2f87ebc0992ab177fba51db92c2a");
	keytext_put(text, key);
	CHECK(strcmp(text, "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=") ==
	      0);
	memset(back, 7, sizeof(back));
	memcpy(bad, text, KEYTEXT + 1);
	bad[KEYTEXT - 2] = 'p'; /* a bit that no key has */
	CHECK(keytext_get(bad, KEYTEXT, back) == -EINVAL);
	for (size_t i = 0; i < KEYTEXT; i++) {
		memcpy(bad, text, KEYTEXT + 1);
		bad[i] = i == KEYTEXT - 1 ? 'A' : '-';
		CHECK(keytext_get(bad, KEYTEXT, back) == -EINVAL);
		CHECK(keytext_get(text, i, back) == -EINVAL);
	}
	CHECK(back[0] == 7 && back[31] == 7);
	memcpy(bad, text, KEYTEXT);
	memcpy(bad + KEYTEXT, "\n", 2);
	CHECK(keytext_get(bad, KEYTEXT + 1, back) == 0);
	for (const char *c = "\n\r \t"; *c != '\0'; c++) {
		bad[KEYTEXT] = *c;
		bad[KEYTEXT + 1] = *c;
		memset(back, 7, sizeof(back));
		CHECK(keytext_get(bad, KEYTEXT + 2, back) == 0);
		CHECK(memcmp(key, back, 32) == 0);
	}
	bad[KEYTEXT + 1] = 'A';
	CHECK(keytext_get(bad, KEYTEXT + 2, back) == -EINVAL);
	bad[3] = '\0';
	CHECK(keytext_get(bad, KEYTEXT, back) == -EINVAL);
}

/* --- a pair of ends --- */

static void packets_go_both_ways(void)
{
	for (int plain = 0; plain < 2; plain++) {
		struct link_in in;
		struct pair p;

		begin_both(&p, plain);
		for (unsigned i = 0; i < 20; i++) {
			CHECK(send_one(&p, &p.a, i % 16, &in) == LINK_PACKET);
			CHECK(in.path == i % 16 && in.len == 5 && in.newest);
			CHECK(send_one(&p, &p.b, i % 16, &in) == LINK_PACKET);
			CHECK(in.path == i % 16 && in.len == 5);
		}
		CHECK(p.a.restarts == 0 && p.b.restarts == 0);
		pair_free(&p);
	}
}

static void keys_change_and_packets_go_on(void)
{
	struct pair p;

	begin_both(&p, false);
	for (int i = 0; i < 60; i++) {
		CHECK(send_one(&p, &p.a, 1, NULL) == LINK_PACKET);
		CHECK(send_one(&p, &p.b, 1, NULL) == LINK_PACKET);
		pass(&p, 10 * SEC);
	}
	CHECK(p.a.opened == 5 || p.a.opened == 6);
	CHECK(p.b.opened == p.a.opened);
	CHECK(p.a.restarts == 0 && p.b.restarts == 0);
	CHECK(link_counters(p.a.l)->silences == 0);
	pair_free(&p);
}

static void a_late_packet_of_the_last_keys_is_taken(void)
{
	uint8_t d[LINK_HEADER + 5 + CRYPTO_TAG] = { 0 };
	struct link_in in;
	struct pair p;
	int n;

	begin_both(&p, false);
	pass(&p, 119 * SEC);
	n = link_seal(p.a.l, 0, d, 5, false, p.now);
	pass(&p, 3 * SEC);
	CHECK(p.a.opened == 2);
	CHECK(arrive(&p, &p.b, d, (uint32_t)n, &in) == LINK_PACKET);
	CHECK(!in.newest);
	CHECK(arrive(&p, &p.b, d, (uint32_t)n, &in) == LINK_NOTHING);
	CHECK(link_counters(p.b.l)->replayed == 1);
	pair_free(&p);
}

static void who_was_started_anew_is_found_out(void)
{
	for (int plain = 0; plain < 2; plain++) {
		struct pair p;

		begin_both(&p, plain);
		end_make(&p.b, LINK_ANSWERS, plain, p.now);
		CHECK(send_one(&p, &p.a, 0, NULL) == LINK_NOTHING);
		CHECK(link_counters(p.b.l)->unknown == 1);
		pass(&p, LINK_SILENCE + SEC / 100);
		CHECK(p.a.restarts == 1 && p.b.opened == 1);
		CHECK(send_one(&p, &p.a, 0, NULL) == LINK_PACKET);
		CHECK(send_one(&p, &p.b, 0, NULL) == LINK_PACKET);

		end_make(&p.a, LINK_BEGINS, plain, p.now);
		pass(&p, SEC / 100);
		CHECK(p.b.restarts == 1 && p.a.opened == 1);
		CHECK(send_one(&p, &p.b, 0, NULL) == LINK_PACKET);
		pair_free(&p);
	}
}

static void a_greeting_finds_it_out_too(void)
{
	for (int plain = 0; plain < 2; plain++) {
		uint8_t d[LINK_GREETING];
		struct pair p;
		uint32_t n;

		begin_both(&p, plain);
		pass(&p, 10 * SEC);
		CHECK(link_counters(p.a.l)->silences == 0);
		n = link_greet(p.a.l, 1, true, d, p.now);
		arrive(&p, &p.b, d, n, NULL);
		pass(&p, 10 * SEC);
		CHECK(link_counters(p.a.l)->silences == 0);
		end_make(&p.b, LINK_ANSWERS, plain, p.now);
		n = link_greet(p.a.l, 1, true, d, p.now);
		CHECK(arrive(&p, &p.b, d, n, NULL) == LINK_NOTHING);
		pass(&p, LINK_SILENCE + SEC / 100);
		CHECK(p.a.restarts == 1 && p.b.opened == 1);
		pair_free(&p);
	}
}

static void without_an_answer_it_asks_again(void)
{
	for (int plain = 0; plain < 2; plain++) {
		struct pair p;

		pair_make(&p, plain);
		p.lose = 7;
		pass(&p, 10 * SEC);
		CHECK(p.a.opened == 1 && p.b.opened == 1);
		CHECK(link_counters(p.a.l)->asks == 4);
		pair_free(&p);
	}
}

static void a_session_ends(void)
{
	struct pair p;

	begin_both(&p, false);
	p.lose = 1000;
	pass(&p, LINK_LIFE - SEC);
	CHECK(link_open(p.a.l, p.now));
	pass(&p, SEC);
	CHECK(!link_open(p.a.l, p.now) && !link_open(p.b.l, p.now));
	CHECK(send_one(&p, &p.a, 0, NULL) == LINK_NOTHING);
	p.lose = 0;
	pass(&p, 10 * SEC);
	CHECK(send_one(&p, &p.a, 0, NULL) == LINK_PACKET);
	CHECK(p.a.restarts == 0 && p.b.restarts == 0);
	pair_free(&p);
}

static void another_key_opens_nothing(void)
{
	uint8_t psk[32];
	struct pair p;

	pair_make(&p, false);
	numbers(psk, sizeof(psk));
	self_make(&p.a.self, &p.b.self, psk, NULL);
	end_make(&p.a, LINK_BEGINS, false, p.now);
	end_make(&p.b, LINK_ANSWERS, false, p.now);
	pass(&p, 3 * SEC);
	CHECK(p.a.opened == 0 && p.b.opened == 0);
	CHECK(link_counters(p.a.l)->forged > 0);
	self_make(&p.a.self, &p.b.self, psk, psk);
	end_make(&p.a, LINK_BEGINS, false, p.now);
	pass(&p, 3 * SEC);
	CHECK(p.a.opened == 0 && link_counters(p.b.l)->bad_mac > 0);
	pair_free(&p);
}

static void what_is_changed_anywhere_is_refused(void)
{
	struct link_out out = { .ask = false };
	uint8_t d[LINK_MESSAGE];
	struct link_in in;
	struct pair p;
	uint32_t n;

	pair_make(&p, false);
	link_timeout(p.a.l, p.now, REAL, &out);
	n = link_ask(p.a.l, 0, d);
	CHECK(n == NOISE_INITIATION);
	/* mac2 is not looked at without a reason. */
	for (uint32_t i = 0; i < n - CRYPTO_MAC; i++) {
		d[i] ^= 0x80;
		arrive(&p, &p.b, d, n, &in);
		d[i] ^= 0x80;
	}
	CHECK(link_counters(p.b.l)->asked == 0);
	CHECK(link_counters(p.b.l)->bad_mac == n - CRYPTO_MAC - 4);
	for (uint32_t i = 0; i < n; i++)
		arrive(&p, &p.b, d, i, &in);
	CHECK(link_counters(p.b.l)->asked == 0);
	arrive(&p, &p.b, d, n, &in);
	CHECK(p.b.opened == 1 && p.a.opened == 1);
	/* Again, when the session is open already. */
	arrive(&p, &p.b, d, n, &in);
	CHECK(link_counters(p.b.l)->old == 1 && p.b.opened == 1);
	pair_free(&p);
}

static void flood_and_ask(unsigned way)
{
	uint8_t d[LINK_MESSAGE];
	struct pair p;

	pair_make(&p, false);
	/* Who knows our public key can make good first MACs. */
	numbers(d, sizeof(d));
	memset(d, 0, 4);
	d[0] = 1;
	for (int i = 0; i < 200; i++) {
		struct link_out out = { .ask = false };
		struct link_in in = { .p = d,
				      .n = NOISE_INITIATION,
				      .from = "evil",
				      .from_len = 4 };

		d[40] = (uint8_t)i;
		CHECK(noise_mac(&p.a.self, d, NOISE_INITIATION, NULL) == 0);
		link_input(p.b.l, &in, p.now, &out);
		CHECK((out.reply_len == COOKIE_REPLY) == (i >= LINK_ASKS));
	}
	CHECK(link_counters(p.b.l)->forged == LINK_ASKS);
	CHECK(link_counters(p.b.l)->busy == 200 - LINK_ASKS);
	/* The other end is told too, and comes through with the cookie of the
	 * path, on which it has another address. */
	pass(&p, 1);
	CHECK(link_counters(p.a.l)->cookies == 2 && p.a.opened == 0);
	{
		uint8_t m[LINK_MESSAGE];
		uint32_t n = link_ask(p.a.l, way, m);

		p.way = way;
		arrive(&p, &p.b, m, n, NULL);
	}
	CHECK(p.a.opened == 1 && p.b.opened == 1);
	pair_free(&p);
}

static void a_flood_is_asked_for_cookies(void)
{
	flood_and_ask(0);
	flood_and_ask(1);
}

static void a_cookie_from_elsewhere_is_not_ours(void)
{
	uint8_t m[LINK_MESSAGE], reply[COOKIE_REPLY], nonce[COOKIE_NONCE],
		cookie[CRYPTO_MAC];
	struct link_out out = { .ask = false };
	struct link_in in = { .p = reply, .n = sizeof(reply) };
	struct pair p;

	pair_make(&p, false);
	p.lose = 100;
	pass(&p, 1);
	link_ask(p.a.l, 1, m);
	numbers(nonce, sizeof(nonce));
	numbers(cookie, sizeof(cookie));
	CHECK(cookie_reply(&p.b.self, reply, 1, nonce, cookie,
			   m + NOISE_INITIATION - 2 * CRYPTO_MAC) == 0);
	CHECK(link_is_cookie(&in));
	link_input(p.a.l, &in, p.now, &out);
	CHECK(link_counters(p.a.l)->cookies == 0);
	CHECK(link_counters(p.a.l)->stray == 1);
	in.ways = 1u << 1;
	link_input(p.a.l, &in, p.now, &out);
	CHECK(link_counters(p.a.l)->cookies == 1);
	pair_free(&p);
}

/* Of an end's own datagrams and of nothing else. */
static void quotes_are_known(void)
{
	for (int plain = 0; plain < 2; plain++) {
		uint8_t ask[LINK_MESSAGE], d[LINK_HEADER + 5 + CRYPTO_TAG];
		struct link_out out = { .ask = false };
		uint32_t n;
		struct pair p;

		pair_make(&p, plain);
		p.lose = 100;
		link_timeout(p.a.l, p.now, REAL, &out);
		n = link_ask(p.a.l, 1, ask);
		CHECK(n > 0 && link_quotes(p.a.l, ask, n) == 0xffff);
		CHECK(link_quotes(p.a.l, ask, LINK_HEADER - 1) == 0);
		ask[5] ^= 1;
		CHECK(link_quotes(p.a.l, ask, n) == 0);
		p.lose = 0;
		pass(&p, 2 * SEC);
		CHECK(p.a.opened == 1);
		CHECK(link_seal(p.a.l, 3, d, 5, true, p.now) > 0);
		for (n = 0; n <= LINK_HEADER; n++)
			CHECK(link_quotes(p.a.l, d, n) ==
			      (n == LINK_HEADER ? 1u << 3 : 0));
		CHECK(link_quotes(p.b.l, d, LINK_HEADER) == 0);
		for (unsigned k = 0; k < 5; k++) {
			d[k] ^= 0x40;
			CHECK(link_quotes(p.a.l, d, LINK_HEADER) == 0);
			d[k] ^= 0x40;
		}
		pair_free(&p);
	}
}

static void a_window_knows_what_came(void)
{
	static const struct {
		uint32_t number;
		int want;
	} row[] = {
		{ 0, 0 },	  { 0, -EALREADY },
		{ 5, 0 },	  { 4, 0 },
		{ 5, -EALREADY }, { 1029, 0 },
		{ 6, 0 },	  { 5, -EALREADY },
		{ 6, -EALREADY }, { 1028, 0 },
		{ 5000, 0 },	  { 1029, -EALREADY },
		{ 3977, 0 },	  { 3976, -EALREADY },
		{ 5001, 0 },	  { 3977, -EALREADY },
	};
	uint8_t d[SESSION_HEADER + 4 + CRYPTO_TAG];
	struct session out = { .used = true }, in = { .used = true };
	bool newest;

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		memset(d, 0, sizeof(d));
		out.sent[3] = row[i].number;
		CHECK(session_seal(&out, ops, 3, d, 4) == 0);
		CHECK(session_open(&in, ops, d, sizeof(d), &newest) ==
		      row[i].want);
	}
}

static void numbers_go_beyond_32_bits(void)
{
	uint8_t d[SESSION_HEADER + 4 + CRYPTO_TAG];
	struct session out = { .used = true }, in = { .used = true };
	uint64_t at[] = { 0x7ffffff0,  0xfffffff0,  0x100000003,
			  0xfffffff1,  0x17ffffff0, 0x1f0000000,
			  0x1fffffffe, 0x200000001, 0x1ffffffff };
	bool newest;

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		memset(d, 0, sizeof(d));
		out.sent[0] = at[i];
		CHECK(session_seal(&out, ops, 0, d, 4) == 0);
		CHECK(session_open(&in, ops, d, sizeof(d), &newest) == 0);
	}
	CHECK(in.came[0].next == 0x200000002);
	out.sent[0] = UINT64_C(1) << 60;
	CHECK(session_seal(&out, ops, 0, d, 4) == -EOVERFLOW);
}

static void xchacha_is_the_drafts(void)
{
	/* The draft's example of HChaCha20 can be seen in a cookie only: the
	 * reply opens with what its maker's cipher wrote. Another index, nonce,
	 * MAC or key does not open it.
	 */
	uint8_t nonce[COOKIE_NONCE], mac1[CRYPTO_MAC], want[CRYPTO_MAC];
	uint8_t got[CRYPTO_MAC] = { 0 }, msg[COOKIE_REPLY];
	struct noise_self a, b;

	self_make(&a, &b, NULL, NULL);
	numbers(nonce, sizeof(nonce));
	numbers(mac1, sizeof(mac1));
	numbers(want, sizeof(want));
	CHECK(cookie_reply(&a, msg, 5, nonce, want, mac1) == 0);
	CHECK(cookie_taken(&b, msg, mac1, got) == 0);
	CHECK(memcmp(got, want, sizeof(got)) == 0);
	for (int i = 8; i < COOKIE_REPLY; i++) {
		msg[i] ^= 4;
		CHECK(cookie_taken(&b, msg, mac1, got) == -EBADMSG);
		msg[i] ^= 4;
	}
	mac1[15] ^= 1;
	CHECK(cookie_taken(&b, msg, mac1, got) == -EBADMSG);
	CHECK(memcmp(got, want, sizeof(got)) == 0);
}

static void a_plain_end_wants_the_token(void)
{
	uint8_t d[28] = { 17, 0 };
	struct link_in in;
	struct pair p;

	begin_both(&p, true);
	for (int i = 0; i < 1000; i++) {
		numbers(d + 2, 6);
		CHECK(arrive(&p, &p.b, d, sizeof(d), &in) == LINK_NOTHING);
	}
	CHECK(link_counters(p.b.l)->unknown == 1000);
	/* A confirm with a token that was never given. */
	memset(d, 0, sizeof(d));
	d[0] = 20;
	numbers(d + 4, 16);
	CHECK(arrive(&p, &p.b, d, 20, &in) == LINK_NOTHING);
	CHECK(link_counters(p.b.l)->forged == 1 && p.b.restarts == 0);
	CHECK(send_one(&p, &p.a, 0, NULL) == LINK_PACKET);
	pair_free(&p);
}

static const struct check_test tests[] = {
	{ "X25519 is RFC 7748's", x25519_is_rfc_7748s },
	{ "BLAKE2s is RFC 7693's", blake2s_is_rfc_7693s },
	{ "the cipher is RFC 8439's", the_cipher_is_rfc_8439s },
	{ "a block of ChaCha20 is RFC 8439's", a_block_is_rfc_8439s },
	{ "a cookie is for who asked", xchacha_is_the_drafts },
	{ "a key has one text", keys_have_one_text },
	{ "a window knows what came", a_window_knows_what_came },
	{ "numbers go on beyond 32 bits", numbers_go_beyond_32_bits },
	{ "packets go both ways", packets_go_both_ways },
	{ "keys change and packets go on", keys_change_and_packets_go_on },
	{ "a late packet of the last keys is taken",
	  a_late_packet_of_the_last_keys_is_taken },
	{ "who was started anew is found out",
	  who_was_started_anew_is_found_out },
	{ "a greeting finds it out too", a_greeting_finds_it_out_too },
	{ "without an answer it asks again", without_an_answer_it_asks_again },
	{ "a session ends", a_session_ends },
	{ "another key opens nothing", another_key_opens_nothing },
	{ "what is changed anywhere is refused",
	  what_is_changed_anywhere_is_refused },
	{ "a flood is asked for cookies", a_flood_is_asked_for_cookies },
	{ "quotes are known", quotes_are_known },
	{ "a cookie from elsewhere is not ours",
	  a_cookie_from_elsewhere_is_not_ours },
	{ "a plain end wants the token", a_plain_end_wants_the_token },
};

int main(void)
{
	int r;

	if (crypto_open() != 0) {
		printf("1..0 # SKIP libcrypto lacks a cipher\n");
		return 1;
	}
	ops = crypto_table();
	r = check_main(tests, ARRAY_SIZE(tests));
	crypto_close();
	return r;
}
