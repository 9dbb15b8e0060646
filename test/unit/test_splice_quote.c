/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_splice_quote.c - Unit test of splice/quote.h
 *
 * A packet is relayed; a router behind us quotes what it got; mapped back, the message
 * must quote what its end has sent. Checksums are summed the slow way (wire_oracle.h).
 */
#include "splice/quote.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"
#include "splice_way.h"
#include "wire_oracle.h"

#define PKT_MAX 200

static void any_pair(struct rng *r, struct splice_pair *p, bool ip6)
{
	memset(p, 0, sizeof(*p));
	p->flags = SPLICE_PAIR_JOINED | SPLICE_PAIR_ECN;
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		struct splice_tuple *t = &p->side[d].tuple;

		for (int i = 0; i < 16; i++) {
			t->src[i] = (uint8_t)rng_next(r);
			t->dst[i] = (uint8_t)rng_next(r);
		}
		if (!ip6) {
			memset(t->src, 0, 10);
			memset(t->dst, 0, 10);
			t->src[10] = t->src[11] = t->dst[10] = t->dst[11] =
				0xff;
		}
		t->sport = (uint16_t)rng_next(r);
		t->dport = (uint16_t)rng_next(r);
		p->side[d].state = SPLICE_SPLICED;
		p->map.seq_off[d] = (uint32_t)rng_next(r);
	}
}

/* A packet without payload that comes from the peer of side @d. */
static uint32_t packet_of(struct rng *r, const struct splice_pair *p,
			  enum dir d, bool ip6, uint8_t *b)
{
	const struct splice_tuple *t = &p->side[d].tuple;
	uint32_t fixed = ip6 ? 40 : 20;
	uint8_t *tcp = b + fixed;

	memset(b, 0, PKT_MAX);
	b[0] = ip6 ? 0x60 : 0x45;
	b[ip6 ? 5 : 3] = (uint8_t)(ip6 ? 20 : 40);
	b[ip6 ? 6 : 9] = 6;
	b[ip6 ? 7 : 8] = 64;
	memcpy(b + (ip6 ? 8 : 12), ip6 ? t->src : t->src + 12, ip6 ? 16 : 4);
	memcpy(b + (ip6 ? 24 : 16), ip6 ? t->dst : t->dst + 12, ip6 ? 16 : 4);
	if (!ip6)
		put_be16(b + 10, (uint16_t)~oracle_sum(0, b, 20));
	put_be16(tcp, t->sport);
	put_be16(tcp + 2, t->dport);
	put_be32(tcp + 4, (uint32_t)rng_next(r));
	put_be32(tcp + 8, (uint32_t)rng_next(r));
	put_be16(tcp + 12, 0x5010);
	put_be16(tcp + 14, 1000);
	put_be16(tcp + 16,
		 (uint16_t)~oracle_sum(oracle_pseudo(b, 6, 20), tcp, 20));
	return fixed + 20;
}

/* The message of a router at 0x77... to us about the @n bytes at @quote. */
static void message_about(struct splice_quote *q, const struct splice_pair *p,
			  enum dir d, bool ip6, const uint8_t *quote,
			  uint32_t n)
{
	const struct splice_tuple *t = &p->side[d].tuple;
	uint16_t sum;

	memset(q, 0, sizeof(*q));
	q->ip6 = ip6;
	q->len = (uint16_t)(8 + n);
	q->ip[0] = ip6 ? 0x60 : 0x45;
	put_be16(q->ip + (ip6 ? 4 : 2), (uint16_t)(ip6 ? 8 + n : 28 + n));
	q->ip[ip6 ? 6 : 9] = ip6 ? 58 : 1;
	q->ip[ip6 ? 7 : 8] = 3;
	memset(q->ip + (ip6 ? 8 : 12), 0x77, ip6 ? 16 : 4);
	memcpy(q->ip + (ip6 ? 24 : 16), ip6 ? t->dst : t->dst + 12,
	       ip6 ? 16 : 4);
	if (!ip6)
		put_be16(q->ip + 10, (uint16_t)~oracle_sum(0, q->ip, 20));
	q->b[0] = ip6 ? 2 : 3;
	q->b[1] = ip6 ? 0 : 4;
	put_be16(q->b + 6, 1300);
	memcpy(q->b + 8, quote, n);
	sum = ip6 ? oracle_pseudo(q->ip, 58, q->len) : 0;
	put_be16(q->b + 2, (uint16_t)~oracle_sum(sum, q->b, q->len));
}

static bool good(const struct splice_quote *q)
{
	if (!q->ip6 && oracle_sum(0, q->ip, 20) != 0xffff)
		return false;
	return oracle_sum(q->ip6 ? oracle_pseudo(q->ip, 58, q->len) : 0, q->b,
			  q->len) == 0xffff;
}

static void a_quote_becomes_what_was_sent(void)
{
	struct rng rng = { 21 };

	for (int i = 0; i < 40000; i++) {
		bool ip6 = i % 2 != 0;
		enum dir d = i / 2 % 2 ? DIR_C2S : DIR_S2C;
		enum dir from = dir_reverse(d);
		uint32_t fixed = ip6 ? 40 : 20;
		uint32_t n = fixed + (i / 4 % 2 ? 20u : 8u);
		uint8_t sent[PKT_MAX], relayed[PKT_MAX];
		struct splice_tuple t;
		struct splice_quote q;
		struct splice_pair p;
		uint32_t len;

		any_pair(&rng, &p, ip6);
		len = packet_of(&rng, &p, from, ip6, sent);
		memcpy(relayed, sent, len);
		CHECK(way_packet(&p, from, relayed, len, 0).fate == WAY_PEER);
		message_about(&q, &p, d, ip6, relayed, n);
		CHECK(good(&q));
		CHECK(splice_quote_tuple(&q, &t));
		CHECK(memcmp(&t, &p.side[d].tuple, sizeof(t)) == 0);
		splice_map_quote(&p, d, &q);
		CHECK(good(&q));
		CHECK(memcmp(q.b + 8, sent, n) == 0);
		CHECK(q.b[0] == (ip6 ? 2 : 3) && get_be16(q.b + 6) == 1300);
		/* To who has sent it, from whom he knows. */
		CHECK(memcmp(q.ip + (ip6 ? 24 : 16), sent + (ip6 ? 8 : 12),
			     ip6 ? 16 : 4) == 0);
		CHECK(memcmp(q.ip + (ip6 ? 8 : 12), sent + (ip6 ? 24 : 16),
			     ip6 ? 16 : 4) == 0);
		CHECK(q.ip[ip6 ? 7 : 8] == SPLICE_HOPS);
	}
}

static void what_quotes_nothing_of_ours(void)
{
	static const struct {
		const char *name;
		bool ip6;
		uint8_t at, v;
		bool ours;
	} rows[] = {
		{ "unreachable", false, 0, 3, true },
		{ "time exceeded", false, 0, 11, true },
		{ "bad parameter", false, 0, 12, true },
		{ "echo", false, 0, 8, false },
		{ "redirect", false, 0, 5, false },
		{ "quotes UDP", false, 17, 17, false },
		{ "quotes options", false, 8, 0x46, false },
		{ "quotes a later part", false, 15, 1, false },
		{ "IPv6 unreachable", true, 0, 1, true },
		{ "IPv6 parameter", true, 0, 4, true },
		{ "IPv6 echo", true, 0, 128, false },
		{ "IPv6 nothing", true, 0, 0, false },
		{ "IPv6 quotes UDP", true, 14, 17, false },
		{ "IPv6 quotes IPv4", true, 8, 0x45, false },
	};
	struct rng rng = { 22 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t sent[PKT_MAX];
		struct splice_tuple t;
		struct splice_quote q;
		struct splice_pair p;

		any_pair(&rng, &p, rows[i].ip6);
		packet_of(&rng, &p, DIR_C2S, rows[i].ip6, sent);
		message_about(&q, &p, DIR_S2C, rows[i].ip6, sent,
			      rows[i].ip6 ? 60 : 40);
		q.b[rows[i].at] = rows[i].v;
		CHECK_ROW(splice_quote_tuple(&q, &t) == rows[i].ours,
			  rows[i].name);
	}
}

static void a_packet_that_is_too_long_is_answered(void)
{
	struct rng rng = { 23 };

	for (int i = 0; i < 20000; i++) {
		bool ip6 = i % 2 != 0;
		uint32_t fixed = ip6 ? 40 : 20;
		uint8_t sent[PKT_MAX], out[SPLICE_TOO_LONG_MAX];
		struct splice_segment s;
		struct splice_quote q = { .ip6 = ip6 };
		struct splice_pair p;
		struct splice_head h;
		uint32_t len, n;

		any_pair(&rng, &p, ip6);
		len = packet_of(&rng, &p, DIR_C2S, ip6, sent);
		CHECK(way_read(sent, len, &h, &s) == SPLICE_FINE);
		n = splice_too_long(&p.side[DIR_C2S].tuple, &h, 1280, out);
		CHECK(n == 2 * fixed + 28);
		memcpy(q.ip, out, fixed);
		q.len = (uint16_t)(n - fixed);
		memcpy(q.b, out + fixed, q.len);
		CHECK(good(&q));
		CHECK(memcmp(out + fixed + 8, sent, fixed + 20) == 0);
		CHECK(out[fixed] == (ip6 ? 2 : 3));
		CHECK(out[fixed + 1] == (ip6 ? 0 : 4));
		CHECK(get_be16(out + fixed + 6) == 1280);
		CHECK(get_be16(out + (ip6 ? 4 : 2)) == (ip6 ? 68 : 68));
		CHECK(memcmp(out + (ip6 ? 24 : 16), sent + (ip6 ? 8 : 12),
			     ip6 ? 16 : 4) == 0);
		CHECK(memcmp(out + (ip6 ? 8 : 12), sent + (ip6 ? 24 : 16),
			     ip6 ? 16 : 4) == 0);
	}
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a quote becomes what was sent",
		  a_quote_becomes_what_was_sent },
		{ "what quotes nothing of ours", what_quotes_nothing_of_ours },
		{ "a packet that is too long is answered",
		  a_packet_that_is_too_long_is_answered },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
