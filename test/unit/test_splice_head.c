/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_splice_head.c - Unit test of splice/head.h
 *
 * Every packet goes through the rewriter and through the oracle (splice_oracle.h), in
 * copies of exact size; the tables have literal numbers beside, since what the oracle
 * has wrong in the same way it cannot see.
 */
#include "splice/head.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"
#include "splice_oracle.h"
#include "splice_way.h"
#include "wire_oracle.h"

#define PKT_MAX 400
#define SYN_ACK (SPLICE_SYN | SPLICE_ACK)

static struct oracle oracle;
static struct splice_pair pair;

/* The pair that does what the oracle's numbers say, joined. */
static void set_pair(bool ip6)
{
	memset(&pair, 0, sizeof(pair));
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		const struct oracle_side *a = &oracle.side[d];
		const struct oracle_side *b = &oracle.side[1 - d];
		struct splice_side *i = &pair.side[d];

		memcpy(i->tuple.src, a->peer, 16);
		memcpy(i->tuple.dst, a->us, 16);
		i->tuple.sport = a->peer_port;
		i->tuple.dport = a->our_port;
		i->scale = (uint8_t)a->peer_scale;
		i->told = (uint8_t)a->our_scale;
		i->mss = (uint16_t)a->mss;
		i->state = SPLICE_SPLICED;
		pair.map.seq_off[d] = b->iss - a->irs;
		pair.map.ts_off[d] = b->ts_sent - a->ts_recv;
	}
	pair.flags = SPLICE_PAIR_JOINED | (ip6 ? SPLICE_PAIR_IP6 : 0) |
		     (oracle.ts ? SPLICE_PAIR_TS : 0) |
		     (oracle.sack ? SPLICE_PAIR_SACK : 0) |
		     (oracle.ecn ? SPLICE_PAIR_ECN : 0);
}

static void any_oracle(struct rng *r)
{
	for (int s = 0; s < 2; s++) {
		struct oracle_side *a = &oracle.side[s];

		for (int i = 0; i < 16; i++) {
			a->peer[i] = (uint8_t)rng_next(r);
			a->us[i] = (uint8_t)rng_next(r);
		}
		a->peer_port = (uint16_t)rng_next(r);
		a->our_port = (uint16_t)rng_next(r);
		a->irs = (uint32_t)rng_next(r);
		a->iss = (uint32_t)rng_next(r);
		a->ts_recv = (uint32_t)rng_next(r);
		a->ts_sent = (uint32_t)rng_next(r);
		a->peer_scale = rng_below(r, 15);
		a->our_scale = rng_below(r, 15);
		a->mss = rng_below(r, 2) ? rng_below(r, 3000) : 0;
	}
	oracle.ts = rng_below(r, 4) != 0;
	oracle.sack = rng_below(r, 4) != 0;
	oracle.ecn = rng_below(r, 2) != 0;
}

/* A packet: IP header @ip of @ip_len, TCP header with the @n bytes of options at
 * @opts, filled up with @n to a multiple of 4, payload of @data bytes. Lengths, header
 * lengths and checksums are set.
 */
struct packet {
	uint8_t b[PKT_MAX];
	uint32_t ip_len;
	uint32_t len;
};

static void put_sums(struct packet *k)
{
	uint8_t *t = k->b + k->ip_len;
	uint32_t left = k->len - k->ip_len;

	if (k->b[0] >> 4 == 4) {
		put_be16(k->b + 2, (uint16_t)k->len);
		put_be16(k->b + 10, 0);
		put_be16(k->b + 10, (uint16_t)~oracle_sum(0, k->b, k->ip_len));
	} else {
		put_be16(k->b + 4, (uint16_t)(k->len - 40));
	}
	put_be16(t + 16, 0);
	put_be16(t + 16,
		 (uint16_t)~oracle_sum(oracle_pseudo(k->b, 6, left), t, left));
}

static void begin_packet(struct packet *k, bool ip6, uint16_t flags)
{
	uint8_t *t;

	memset(k, 0, sizeof(*k));
	k->ip_len = ip6 ? 40 : 20;
	k->b[0] = ip6 ? 0x60 : 0x45;
	k->b[ip6 ? 6 : 9] = 6;
	k->b[ip6 ? 7 : 8] = 1;
	t = k->b + k->ip_len;
	put_be16(t, 0x1111);
	put_be16(t + 2, 0x2222);
	put_be32(t + 4, 0xfffffff8u);
	put_be32(t + 8, 0x7ffffffcu);
	put_be16(t + 12, (uint16_t)(0x5000 | flags));
	put_be16(t + 14, 0x1234);
	put_be16(t + 18, 0x4321);
	k->len = k->ip_len + 20;
}

static void add_options(struct packet *k, const uint8_t *opts, uint32_t n)
{
	uint8_t *t = k->b + k->ip_len;
	uint32_t padded = (n + 3) / 4 * 4;

	memcpy(t + 20, opts, n);
	t[12] = (uint8_t)((20 + padded) / 4 << 4 | (t[12] & 15));
	k->len += padded;
}

static void add_payload(struct packet *k, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		k->b[k->len + i] = (uint8_t)(i * 7 + 1);
	k->len += n;
}

/* 0 and 0xffff are the same checksum. */
static void one_zero(uint8_t *at)
{
	if (get_be16(at) == 0xffff)
		put_be16(at, 0);
}

/* Map a copy both ways; the result is in @k. Return: what both say it came to. */
static enum splice_fault map_both(struct packet *k, enum dir d,
				  const char *name)
{
	uint8_t *copy = malloc(k->len);
	uint8_t want[PKT_MAX];
	enum way_fate fate = WAY_PEER;
	struct way_result r;
	bool good = oracle_map(&oracle, (int)d, k->b, k->len, want);

	memcpy(copy, k->b, k->len);
	r = way_packet(&pair, d, copy, k->len, 0);
	/* A SYN is answered; of the pair nothing was seen yet. */
	if (r.fate == WAY_SENDER || r.fault == SPLICE_UNANSWERED) {
		fate = WAY_SENDER;
		good = oracle_answer(&oracle, (int)d, k->b, k->len,
				     oracle.side[d].iss -
					     oracle.side[1 - d].irs,
				     0, 0, want);
		CHECK_ROW((r.seg.flags & (SYN_ACK | SPLICE_RST)) == SPLICE_SYN,
			  name);
	}
	CHECK_ROW(good == (r.fate == fate), name);
	CHECK_ROW((r.fate == fate) == (r.fault == SPLICE_FINE), name);
	if (!good || r.fate != fate) {
		CHECK_ROW(memcmp(copy, k->b, k->len) == 0, name);
	} else {
		one_zero(want + k->ip_len + 16);
		one_zero(copy + k->ip_len + 16);
		if (k->b[0] >> 4 == 4) {
			one_zero(want + 10);
			one_zero(copy + 10);
		}
		CHECK_ROW(memcmp(copy, want, k->len) == 0, name);
		memcpy(k->b, copy, k->len);
	}
	free(copy);
	return r.fault;
}

/* --- tables --- */

static void plain_oracle(void)
{
	memset(&oracle, 0, sizeof(oracle));
	for (int s = 0; s < 2; s++)
		for (int i = 0; i < 16; i++) {
			oracle.side[s].peer[i] = (uint8_t)(0x10 + s * 64 + i);
			oracle.side[s].us[i] = (uint8_t)(0x30 + s * 64 + i);
		}
	oracle.side[0].irs = 0xfffffff0u;
	oracle.side[0].iss = 0x7ffffff0u;
	oracle.side[1].irs = 0x80000010u;
	oracle.side[1].iss = 0x00000100u;
	oracle.side[0].ts_recv = 0xffffff00u;
	oracle.side[0].ts_sent = 0x00000200u;
	oracle.side[1].ts_recv = 0x80000000u;
	oracle.side[1].ts_sent = 0x00000010u;
	oracle.ts = oracle.sack = true;
}

static void every_number_at_its_wrap(void)
{
	static const uint8_t opts[] = { 1,    1,    8,	  10, 0xff, 0xff,
					0xff, 0xfc, 0,	  0,  2,    3,
					1,    1,    5,	  10, 0x7f, 0xff,
					0xff, 0xf8, 0x80, 0,  0,    4 };
	struct packet k;
	uint8_t *t;

	for (int ip6 = 0; ip6 < 2; ip6++) {
		plain_oracle();
		set_pair(ip6);
		begin_packet(&k, ip6, SPLICE_ACK);
		add_options(&k, opts, sizeof(opts));
		add_payload(&k, 5);
		put_sums(&k);
		CHECK(map_both(&k, DIR_C2S, "wrap") == SPLICE_FINE);
		t = k.b + k.ip_len;
		CHECK(get_be32(t + 4) == 0x00000108u);
		CHECK(get_be32(t + 8) == 0x8000001cu);
		CHECK(get_be32(t + 24) == 0x0000010cu);
		CHECK(get_be32(t + 28) == 0x80000003u);
		CHECK(get_be32(t + 36) == 0x80000018u);
		CHECK(get_be32(t + 40) == 0x80000024u);
		CHECK(get_be16(t + 18) == 0x4321);
		CHECK(oracle_good(k.b, k.len));
	}
}

static const struct {
	const char *name;
	enum splice_fault fault;
	uint32_t n;
	uint8_t opt[40];
} lists[] = {
	{ "none", SPLICE_FINE, 0, { 0 } },
	{ "timestamps at 0", SPLICE_FINE, 12, { 8, 10, 1, 2, 3, 4 } },
	{ "timestamps at 1", SPLICE_FINE, 12, { 1, 8, 10, 1, 2, 3, 4 } },
	{ "timestamps at 2", SPLICE_FINE, 12, { 1, 1, 8, 10, 1, 2, 3 } },
	{ "timestamps at 3", SPLICE_FINE, 16, { 1, 1, 1, 8, 10, 1, 2 } },
	{ "timestamps at the end",
	  SPLICE_FINE,
	  40,
	  { [0 ... 29] = 1, 8, 10, 9, 8, 7, 6, 5, 4, 3, 2 } },
	{ "sack at 1", SPLICE_FINE, 12, { 1, 5, 10, 1, 2, 3, 4, 5, 6 } },
	{ "sack at 3", SPLICE_FINE, 16, { 1, 1, 1, 5, 10, 1, 2, 3, 4 } },
	{ "four blocks", SPLICE_FINE, 36, { 5, 34, 1, 2, 3, 4, 5, 6 } },
	{ "four blocks at the end",
	  SPLICE_FINE,
	  40,
	  { 1, 1, 1, 1, 1, 1, 5, 34, 1, 2, 3, 4, 5, 6, 7, 8, 9 } },
	{ "three blocks and timestamps",
	  SPLICE_FINE,
	  40,
	  { 1, 1, 8, 10, [12] = 1, 1, 5, 26, 7, 7, 7, 7, 7 } },
	{ "end of list hides the rest",
	  SPLICE_FINE,
	  12,
	  { 1, 0, 8, 10, 1, 2, 3, 4, 19, 18 } },
	{ "unknown ones", SPLICE_FINE, 8, { 253, 5, 1, 2, 3, 254, 3 } },
	{ "multipath", SPLICE_FINE, 8, { 1, 30, 7, 1, 2, 3, 4, 5 } },
	{ "fast open", SPLICE_FINE, 4, { 34, 2, 1, 1 } },
	{ "AccECN", SPLICE_FINE, 12, { 172, 5, 1, 2, 3, 174, 5, 9, 9 } },
	{ "MSS not in a SYN", SPLICE_FINE, 4, { 2, 4, 0xff, 0xff } },
	{ "length is missing", SPLICE_BAD_LIST, 4, { 1, 1, 1, 8 } },
	{ "length 0", SPLICE_BAD_LIST, 4, { 253, 0, 1, 1 } },
	{ "length 1", SPLICE_BAD_LIST, 4, { 253, 1, 1, 1 } },
	{ "length past the end", SPLICE_BAD_LIST, 4, { 1, 253, 4, 1 } },
	{ "timestamps past the end", SPLICE_BAD_LIST, 8, { 8, 10 } },
	{ "timestamps of 9", SPLICE_BAD_LIST, 12, { 8, 9, 1, 1, 1 } },
	{ "timestamps of 11", SPLICE_BAD_LIST, 12, { 8, 11, 1, 1 } },
	{ "sack without a block", SPLICE_BAD_LIST, 4, { 5, 2, 1, 1 } },
	{ "half a block", SPLICE_BAD_LIST, 8, { 5, 6, 1, 1, 1, 1 } },
	{ "sack past the end", SPLICE_BAD_LIST, 12, { 5, 18, 1 } },
	{ "255", SPLICE_BAD_LIST, 40, { 253, 255 } },
	{ "MD5", SPLICE_SIGNED, 20, { 1, 1, 19, 18 } },
	{ "AO", SPLICE_SIGNED, 16, { 29, 16 } },
	{ "AO behind timestamps", SPLICE_SIGNED, 16, { 8, 10, [10] = 29, 4 } },
};

static void option_lists(void)
{
	static const uint16_t flags[] = { SPLICE_ACK, 0, SPLICE_RST };

	for (size_t i = 0; i < ARRAY_SIZE(lists) * 24; i++) {
		size_t r = i / 24;
		struct packet k;

		plain_oracle();
		oracle.ts = i % 2 != 0;
		oracle.sack = i / 2 % 2 != 0;
		set_pair(i / 4 % 2 != 0);
		begin_packet(&k, i / 4 % 2 != 0, flags[i / 8 % 3]);
		add_options(&k, lists[r].opt, lists[r].n);
		add_payload(&k, (uint32_t)i % 4);
		put_sums(&k);
		CHECK_ROW(map_both(&k, i % 3 ? DIR_C2S : DIR_S2C,
				   lists[r].name) == lists[r].fault,
			  lists[r].name);
	}
}

static void what_is_stripped_is_nops(void)
{
	static const uint8_t opts[] = { 1,  8, 10, 1, 2, 3, 4, 5, 6, 7,	 8, 5,
					10, 1, 2,  3, 4, 5, 6, 7, 8, 30, 3, 9 };
	struct packet k;

	plain_oracle();
	oracle.ts = oracle.sack = false;
	set_pair(false);
	begin_packet(&k, false, SPLICE_ACK);
	add_options(&k, opts, sizeof(opts));
	put_sums(&k);
	CHECK(map_both(&k, DIR_C2S, "stripped") == SPLICE_FINE);
	for (uint32_t i = 0; i < sizeof(opts); i++)
		CHECK(k.b[40 + i] == 1);
}

static void windows(void)
{
	static const struct {
		const char *name;
		unsigned from, to;
		uint16_t win, want;
	} rows[] = {
		{ "same", 7, 7, 1000, 1000 },
		{ "none", 0, 0, 65535, 65535 },
		{ "up", 3, 0, 100, 800 },
		{ "up to the most", 3, 0, 8191, 65528 },
		{ "clamped", 3, 0, 8192, 65535 },
		{ "clamped far", 14, 0, 65535, 65535 },
		{ "down", 0, 7, 65535, 511 },
		{ "down to a unit", 0, 7, 128, 1 },
		{ "below a unit", 0, 7, 127, 0 },
		{ "far down", 0, 14, 16383, 0 },
		{ "both ways", 4, 2, 3, 12 },
		{ "shut", 14, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet k, syn;

		plain_oracle();
		oracle.side[0].peer_scale = rows[i].from;
		oracle.side[1].our_scale = rows[i].to;
		oracle.side[1].peer_scale = 5;
		oracle.side[0].our_scale = 9;
		set_pair(true);
		begin_packet(&k, true, SPLICE_ACK);
		put_be16(k.b + 54, rows[i].win);
		put_sums(&k);
		CHECK(map_both(&k, DIR_C2S, rows[i].name) == SPLICE_FINE);
		CHECK_ROW(get_be16(k.b + 54) == rows[i].want, rows[i].name);
		begin_packet(&syn, true, SYN_ACK);
		put_be16(syn.b + 54, rows[i].win);
		put_sums(&syn);
		CHECK(map_both(&syn, DIR_C2S, rows[i].name) == SPLICE_FINE);
		CHECK_ROW(get_be16(syn.b + 54) == rows[i].win, rows[i].name);
	}
}

/* S4: the right edge that is told never goes back by a whole unit of the scale in which
 * it is told; in a scale that is no coarser, not at all.
 */
static void told_edge_never_shrinks(void)
{
	struct rng rng = { 5 };

	for (int i = 0; i < 100000; i++) {
		unsigned from = rng_below(&rng, 15), to = rng_below(&rng, 15);
		uint32_t win = rng_below(&rng, 65536);
		uint32_t moved = rng_below(&rng, win + 1);
		uint64_t unit = to > from ? UINT64_C(1) << to : 1;
		uint64_t was, now;

		plain_oracle();
		oracle.side[0].peer_scale = from;
		oracle.side[1].our_scale = to;
		set_pair(false);
		was = (uint64_t)splice_window(&pair, DIR_C2S, (uint16_t)win)
		      << to;
		now = ((uint64_t)splice_window(&pair, DIR_C2S,
					       (uint16_t)(win - moved))
		       << to) +
		      ((uint64_t)moved << from);
		CHECK(was <= (uint64_t)win << from);
		CHECK(now + unit > was);
		CHECK(to > from || now >= was);
	}
}

static void ecn_of_one_side_is_cleared(void)
{
	for (int i = 0; i < 4; i++) {
		bool ip6 = i % 2 != 0;
		struct packet k;
		uint8_t *tos;

		plain_oracle();
		oracle.ecn = i / 2 != 0;
		set_pair(ip6);
		begin_packet(&k, ip6, SPLICE_ACK | 0x1c0);
		tos = k.b + 1;
		*tos = ip6 ? 0xf7 : 0xbf;
		put_sums(&k);
		CHECK(map_both(&k, DIR_S2C, "ecn") == SPLICE_FINE);
		CHECK((get_be16(k.b + k.ip_len + 12) & 0x1ff) ==
		      (oracle.ecn ? SPLICE_ACK | 0x1c0 : SPLICE_ACK));
		CHECK(*tos == (ip6 ? (oracle.ecn ? 0xf7 : 0xc7)
				   : (oracle.ecn ? 0xbf : 0xbc)));
		CHECK(oracle_good(k.b, k.len));
	}
}

/* Insert @n bytes behind the fixed IP header. */
static void widen(struct packet *k, const uint8_t *p, uint32_t n)
{
	memmove(k->b + k->ip_len + n, k->b + k->ip_len, k->len - k->ip_len);
	memcpy(k->b + k->ip_len, p, n);
	k->ip_len += n;
	k->len += n;
}

static void ip_options_are_blanked(void)
{
	static const uint8_t opts[40] = { 7, 39, 4, 1, 2, 3 };

	for (uint32_t n = 4; n <= 40; n += 4) {
		struct packet k;

		plain_oracle();
		set_pair(false);
		begin_packet(&k, false, SPLICE_ACK);
		widen(&k, opts, n);
		k.b[0] = (uint8_t)(0x45 + n / 4);
		add_payload(&k, 9);
		put_sums(&k);
		CHECK(map_both(&k, DIR_C2S, "options") == SPLICE_FINE);
		for (uint32_t i = 0; i < n; i++)
			CHECK(k.b[20 + i] == 1);
		CHECK(oracle_sum(0, k.b, k.ip_len) == 0xffff);
	}
}

static void extension_headers(void)
{
	static const struct {
		const char *name;
		enum splice_fault fault;
		uint8_t first;
		uint32_t n;
		uint8_t b[88];
	} rows[] = {
		{ "hop by hop", SPLICE_FINE, 0, 8, { 6, 0, 5, 2, 0, 0, 1, 0 } },
		{ "destination", SPLICE_FINE, 60, 16, { 6, 1, 4, 1, 9, 1, 9 } },
		{ "both",
		  SPLICE_FINE,
		  0,
		  24,
		  { 60, 0, 1, 4, 7, 7, 7, 7, 6, 1, 7, 7 } },
		{ "64 bytes", SPLICE_FINE, 60, 64, { 6, 7, 1, 2 } },
		{ "four",
		  SPLICE_FINE,
		  0,
		  32,
		  { 60, 0, [8] = 60, 0, [16] = 60, 0, [24] = 6, 0 } },
		{ "five",
		  SPLICE_EXTENSION,
		  0,
		  40,
		  { 60, 0, [8] = 60, 0, [16] = 60, 0, [24] = 60,
		    0, [32] = 6 } },
		{ "72 bytes", SPLICE_EXTENSION, 60, 72, { 6, 8, 1, 2 } },
		{ "routing", SPLICE_EXTENSION, 43, 8, { 6, 0, 0, 0 } },
		{ "fragment", SPLICE_FRAGMENT, 44, 8, { 6, 0, 0, 0 } },
		{ "fragment behind another",
		  SPLICE_FRAGMENT,
		  0,
		  16,
		  { 44, 0, [8] = 6, 0 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet k;

		plain_oracle();
		set_pair(true);
		begin_packet(&k, true, SPLICE_ACK);
		widen(&k, rows[i].b, rows[i].n);
		k.b[6] = rows[i].first;
		add_payload(&k, 9);
		put_sums(&k);
		CHECK_ROW(map_both(&k, DIR_S2C, rows[i].name) == rows[i].fault,
			  rows[i].name);
		if (rows[i].fault == SPLICE_FINE)
			CHECK_ROW(k.b[42] == 1 && k.b[44] == 0 && k.b[47] == 0,
				  rows[i].name);
	}
}

static void packets_cut_short(void)
{
	static const struct {
		const char *name;
		enum splice_fault fault;
		uint32_t at;
		uint8_t v;
		uint32_t cut;
	} rows[] = {
		{ "whole", SPLICE_FINE, 8, 9, 0 },
		{ "a byte of the IP header", SPLICE_CUT, 8, 9, 39 },
		{ "IP header of 16", SPLICE_CUT, 0, 0x44, 0 },
		{ "IP header past the end", SPLICE_CUT, 0, 0x4f, 0 },
		{ "total length past the end", SPLICE_CUT, 3, 41, 0 },
		{ "total length within TCP", SPLICE_CUT, 3, 39, 0 },
		{ "total length 0", SPLICE_CUT, 3, 0, 0 },
		{ "TCP header of 16", SPLICE_CUT, 32, 0x40, 0 },
		{ "TCP header past the end", SPLICE_CUT, 32, 0x60, 0 },
		{ "more fragments", SPLICE_FRAGMENT, 6, 0x20, 0 },
		{ "later fragment", SPLICE_FRAGMENT, 7, 0x01, 0 },
		{ "not to be fragmented", SPLICE_FINE, 6, 0x40, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet k;

		plain_oracle();
		set_pair(false);
		begin_packet(&k, false, SPLICE_ACK);
		put_sums(&k);
		k.b[rows[i].at] = rows[i].v;
		k.len -= rows[i].cut;
		CHECK_ROW(map_both(&k, DIR_C2S, rows[i].name) == rows[i].fault,
			  rows[i].name);
	}
}

/* Of a packet that cannot be read: who gets it. */
static void who_gets_what_cannot_be_read(void)
{
	struct splice_pair p = { 0 };

	p.side[0].state = p.side[1].state = SPLICE_ESTABLISHED;
	CHECK(!splice_drops(&p, false) && !splice_drops(&p, true));
	p.side[0].state = p.side[1].state = SPLICE_PRE_SPLICED;
	CHECK(!splice_drops(&p, false) && splice_drops(&p, true));
	p.flags = SPLICE_PAIR_JOINED;
	CHECK(splice_drops(&p, false) && splice_drops(&p, true));
}

static void mss_of_a_syn(void)
{
	static const uint8_t opts[] = { 1, 2, 4, 0x05, 0xb4 };
	static const struct {
		uint16_t flags, most, want;
	} rows[] = {
		{ SYN_ACK, 0, 1460 },	   { SYN_ACK, 1459, 1459 },
		{ SYN_ACK, 1460, 1460 },   { SYN_ACK, 1461, 1460 },
		{ SPLICE_ACK, 536, 1460 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet k;

		plain_oracle();
		oracle.side[1].mss = rows[i].most;
		oracle.side[0].mss = 99;
		set_pair(false);
		begin_packet(&k, false, rows[i].flags);
		add_options(&k, opts, sizeof(opts));
		put_sums(&k);
		CHECK(map_both(&k, DIR_C2S, "mss") == SPLICE_FINE);
		CHECK(get_be16(k.b + 43) == rows[i].want);
		CHECK(oracle_good(k.b, k.len));
	}
}

/* S10. */
static void a_bad_checksum_is_never_made_good(void)
{
	struct rng rng = { 11 };

	for (int i = 0; i < 20000; i++) {
		bool ip6 = i % 2 != 0;
		struct packet k;
		uint16_t *bad;
		uint16_t flip = (uint16_t)(1 + rng_below(&rng, 0xfffe));

		any_oracle(&rng);
		set_pair(ip6);
		begin_packet(&k, ip6, SPLICE_ACK);
		add_payload(&k, rng_below(&rng, 40));
		put_sums(&k);
		bad = (uint16_t *)(void *)(k.b + k.ip_len + 16);
		*bad = (uint16_t)(*bad ^ flip);
		/* Unless that is its twin. */
		if (oracle_good(k.b, k.len))
			continue;
		CHECK(map_both(&k, DIR_C2S, "bad") == SPLICE_FINE);
		CHECK(!oracle_good(k.b, k.len));
	}
}

/* --- anything --- */

static uint32_t any_options(struct rng *r, uint8_t *o)
{
	static const uint8_t kinds[] = { 1, 1, 2, 3,  4,  5,   5,   8,
					 8, 8, 0, 30, 34, 172, 253, 19 };
	uint32_t n = 0;
	uint32_t most = rng_below(r, 41);

	while (n < most) {
		uint8_t kind = kinds[rng_below(r, sizeof(kinds))];
		uint32_t len = kind == 8   ? 10
			       : kind == 5 ? 2 + 8 * (1 + rng_below(r, 4))
			       : kind == 2 ? 4
					   : 2 + rng_below(r, 8);

		if ((kind == 19 || kind == 0) && rng_below(r, 8))
			continue;
		if (kind <= 1)
			len = 1;
		if (rng_below(r, 60) == 0)
			len = rng_below(r, 12);
		if (n + len > 40)
			break;
		o[n] = kind;
		if (kind > 1 && n + 1 < 40)
			o[n + 1] = (uint8_t)len;
		for (uint32_t i = 2; i < len; i++)
			o[n + i] = (uint8_t)rng_next(r);
		n += len > 0 ? len : 2;
	}
	return n > 40 ? 40 : n;
}

static void anything_is_as_the_oracle_has_it(void)
{
	struct rng rng = { 7 };
	unsigned fine = 0, not_fine = 0;

	for (int i = 0; i < 100000; i++) {
		bool ip6 = rng_below(&rng, 2) != 0;
		uint8_t opts[64] = { 0 };
		struct packet k;
		uint8_t *t;

		any_oracle(&rng);
		set_pair(ip6);
		begin_packet(&k, ip6,
			     (uint16_t)(rng_below(&rng, 512) |
					(rng_below(&rng, 4) ? SPLICE_ACK : 0)));
		t = k.b + k.ip_len;
		put_be32(t + 4, (uint32_t)rng_next(&rng));
		put_be32(t + 8, (uint32_t)rng_next(&rng));
		put_be32(t + 14, (uint32_t)rng_next(&rng));
		k.b[1] = (uint8_t)rng_next(&rng);
		add_options(&k, opts, any_options(&rng, opts));
		add_payload(&k, rng_below(&rng, 100));
		put_sums(&k);
		if (map_both(&k, rng_below(&rng, 2) ? DIR_C2S : DIR_S2C,
			     "any") == SPLICE_FINE) {
			CHECK(oracle_good(k.b, k.len));
			fine++;
		} else {
			not_fine++;
		}
	}
	/* Else it has tried nothing. */ CHECK(fine > 50000 && not_fine > 3000);
}

static void newest_tsval_is_known(void)
{
	static const uint8_t opts[12] = { 1, 1, 8, 10, 0, 0, 1, 0 };
	struct packet k;

	plain_oracle();
	set_pair(false);
	pair.side[1].tsval = 0x20f;
	begin_packet(&k, false, SPLICE_ACK);
	add_options(&k, opts, 12);
	put_sums(&k);
	/* 0x100 - 0xffffff00 + 0x10 */
	CHECK(map_both(&k, DIR_C2S, "tsval") == SPLICE_FINE);
	CHECK(pair.side[1].tsval == 0x210);
	pair.side[1].tsval = 0x211;
	begin_packet(&k, false, SPLICE_ACK);
	add_options(&k, opts, 12);
	put_sums(&k);
	CHECK(map_both(&k, DIR_C2S, "tsval") == SPLICE_FINE);
	CHECK(pair.side[1].tsval == 0x211);
	CHECK(pair.side[0].tsval == 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "every number at its wrap", every_number_at_its_wrap },
		{ "option lists", option_lists },
		{ "what is stripped is NOPs", what_is_stripped_is_nops },
		{ "windows", windows },
		{ "the told edge never shrinks", told_edge_never_shrinks },
		{ "ECN of one side is cleared", ecn_of_one_side_is_cleared },
		{ "IP options are blanked", ip_options_are_blanked },
		{ "extension headers", extension_headers },
		{ "packets cut short", packets_cut_short },
		{ "who gets what cannot be read",
		  who_gets_what_cannot_be_read },
		{ "the MSS of a SYN", mss_of_a_syn },
		{ "a bad checksum is never made good",
		  a_bad_checksum_is_never_made_good },
		{ "the newest TSval is known", newest_tsval_is_known },
		{ "anything is as the oracle has it",
		  anything_is_as_the_oracle_has_it },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
