/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_fit.c - Unit test of wire/fit: MSS of SYNs, and answers to long packets
 *
 * The oracle of a checksum is the sum over all bytes, made anew.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/csum.h"
#include "core/rng.h"
#include "wire/fit.h"
#include "wire/pseudo.h"
#include "wire/segment.h"

#define PACKET 1500

/** struct packet - One of IPv4 or IPv6, its TCP header at @at */
struct packet {
	uint8_t b[PACKET];
	uint32_t n;
	uint32_t at;
	bool four;
};

static uint64_t pseudo(const struct packet *p, uint8_t proto)
{
	struct ipaddr src =
		p->four ? ipaddr_from4(p->b + 12) : ipaddr_from6(p->b + 8);
	struct ipaddr dst =
		p->four ? ipaddr_from4(p->b + 16) : ipaddr_from6(p->b + 24);

	return pseudo_sum(p->four, &src, &dst, proto, p->n - p->at);
}

static bool sum_is_right(const struct packet *p)
{
	uint64_t sum =
		csum_add(pseudo(p, PROTO_TCP), p->b + p->at, p->n - p->at);

	return csum_fold(sum) == 0xffff;
}

static void ip_head(struct packet *p, uint8_t proto)
{
	memset(p->b, 0, p->at);
	p->b[0] = p->four ? 0x45 : 0x60;
	p->b[p->four ? 9 : 6] = proto;
	if (p->four) {
		put_be16(p->b + 2, (uint16_t)p->n);
		put_be16(p->b + 6, 0x4000);
		memcpy(p->b + 12, "\x0a\x63\x00\x01\x0a\x63\x00\x02", 8);
	} else {
		put_be16(p->b + 4, (uint16_t)(p->n - 40));
		p->b[8] = p->b[24] = 0xfd;
		p->b[23] = 1;
		p->b[39] = 2;
	}
}

/* A segment with these options, and a byte of payload. */
static void segment(struct packet *p, bool four, uint8_t flags,
		    const void *options, uint32_t n)
{
	uint8_t *tcp;

	*p = (struct packet){ .four = four, .at = four ? 20 : 40 };
	p->n = p->at + 20 + n + 1;
	ip_head(p, PROTO_TCP);
	tcp = p->b + p->at;
	put_be16(tcp, 4000);
	put_be16(tcp + 2, 80);
	tcp[12] = (uint8_t)((20 + n) / 4 << 4);
	tcp[13] = flags;
	memcpy(tcp + 20, options, n);
	put_be16(tcp + 16, (uint16_t)~csum_fold(csum_add(pseudo(p, PROTO_TCP),
							 tcp, p->n - p->at)));
	CHECK(sum_is_right(p));
}

/* A copy of exact size, so that ASan sees the byte too far. */
static bool fit(struct packet *p, uint32_t n, uint32_t mtu)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	bool r;

	memcpy(copy, p->b, n);
	r = n > 0 && fit_mss(copy, n, mtu);
	memcpy(p->b, copy, n);
	free(copy);
	return r;
}

static const struct {
	const char *name;
	bool four;
	uint8_t flags;
	const char *options;
	uint32_t n;
	uint32_t at; /* of the option */
	uint32_t mtu;
	uint32_t mss; /* that is left; 0: it is not changed */
} rows[] = {
	{ "IPv4", true, TCP_SYN, "\2\4\5\xb4", 4, 0, 1436, 1396 },
	{ "IPv6", false, TCP_SYN, "\2\4\5\xb4", 4, 0, 1436, 1376 },
	{ "an answer", true, TCP_SYN | TCP_ACK, "\2\4\5\xb4", 4, 0, 1436,
	  1396 },
	{ "at an odd place", true, TCP_SYN, "\1\2\4\5\xb4\1\1\1", 8, 1, 1436,
	  1396 },
	{ "behind others", false, TCP_SYN, "\4\2\3\3\7\2\4\5\xb4\0\0\0", 12, 5,
	  1400, 1340 },
	{ "short enough", true, TCP_SYN, "\2\4\5\x74", 4, 0, 1436, 0 },
	{ "shorter", true, TCP_SYN, "\2\4\2\x18", 4, 0, 1436, 0 },
	{ "no SYN", true, TCP_ACK, "\2\4\5\xb4", 4, 0, 1436, 0 },
	{ "none", true, TCP_SYN, "\4\2\1\1", 4, 0, 1436, 0 },
	{ "behind the end", true, TCP_SYN, "\0\2\4\5\xb4\0\0\0", 8, 1, 1436,
	  0 },
	{ "of no length", true, TCP_SYN, "\3\0\2\4\5\xb4\0\0", 8, 2, 1436, 0 },
	{ "too long", true, TCP_SYN, "\3\11\2\4\5\xb4\0\0", 8, 2, 1436, 0 },
	{ "of a wrong length", true, TCP_SYN, "\2\3\5\xb4", 4, 0, 1436, 0 },
	{ "an MTU for no data", true, TCP_SYN, "\2\4\5\xb4", 4, 0, 40, 0 },
};

static void mss_is_lowered(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet p, before;
		uint32_t mss;

		segment(&p, rows[i].four, rows[i].flags, rows[i].options,
			rows[i].n);
		before = p;
		CHECK_ROW(fit(&p, p.n, rows[i].mtu) == (rows[i].mss != 0),
			  rows[i].name);
		mss = get_be16(p.b + p.at + 20 + rows[i].at + 2);
		CHECK_ROW(sum_is_right(&p), rows[i].name);
		CHECK_ROW(rows[i].mss != 0 ? mss == rows[i].mss
					   : memcmp(p.b, before.b, p.n) == 0,
			  rows[i].name);
	}
}

static void what_is_cut_is_left_alone(void)
{
	struct packet p, before;

	for (int four = 0; four < 2; four++) {
		segment(&p, four, TCP_SYN, "\1\1\1\1\2\4\5\xb4", 8);
		before = p;
		/* Up to the last byte of the options. */
		for (uint32_t n = 0; n < p.n - 1; n++) {
			CHECK(!fit(&p, n, 1436));
			CHECK(memcmp(p.b, before.b, p.n) == 0);
		}
		CHECK(fit(&p, p.n - 1, 1436));
	}
	segment(&p, true, TCP_SYN, "\2\4\5\xb4", 4);
	put_be16(p.b + 6, 0x2000); /* more fragments */
	CHECK(!fit(&p, p.n, 1436));
	put_be16(p.b + 6, 5); /* a later one */
	CHECK(!fit(&p, p.n, 1436));
}

static void extension_headers_are_passed(void)
{
	static const uint8_t types[] = { 0, 43, 60 };
	struct packet p;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		segment(&p, false, TCP_SYN, "\2\4\5\xb4", 4);
		memmove(p.b + 56, p.b + 40, p.n - 40);
		memset(p.b + 40, 0, 16);
		p.b[6] = types[i];
		p.b[40] = PROTO_TCP;
		p.b[41] = 1;
		p.n += 16;
		CHECK(fit(&p, p.n, 1436));
		CHECK(get_be16(p.b + 56 + 22) == 1376);
		p.b[41] = 200; /* beyond the packet */
		CHECK(!fit(&p, p.n, 1300));
		p.b[41] = 1;
		p.b[6] = 44; /* a fragment */
		CHECK(!fit(&p, p.n, 1300));
		p.b[6] = types[i];
		for (uint32_t n = 41; n < 48; n++) /* half a header */
			CHECK(!fit(&p, n, 1300));
	}
}

/* A long packet of a protocol, and what is answered. */
static uint32_t answer(struct packet *p, bool four, uint8_t proto, uint8_t type,
		       uint8_t out[FIT_ANSWER6])
{
	*p = (struct packet){ .four = four, .n = PACKET };
	p->at = four ? 20 : 40;
	for (uint32_t i = 0; i < p->n; i++)
		p->b[i] = (uint8_t)i;
	ip_head(p, proto);
	p->b[p->at] = type;
	return fit_answer(p->b, p->n, 1400, out);
}

static void a_long_packet_is_answered(void)
{
	uint8_t out[FIT_ANSWER6];
	struct packet p, a = { .four = false, .at = 40 };

	CHECK(answer(&p, true, PROTO_UDP, 0, out) == FIT_ANSWER4);
	CHECK(out[0] == 0x45 && get_be16(out + 2) == FIT_ANSWER4);
	CHECK(csum_fold(csum_add(0, out, 20)) == 0xffff);
	CHECK(csum_fold(csum_add(0, out + 20, FIT_ANSWER4 - 20)) == 0xffff);
	CHECK(out[9] == PROTO_ICMP && out[20] == 3 && out[21] == 4);
	CHECK(get_be16(out + 26) == 1400 && get_be16(out + 24) == 0);
	CHECK(memcmp(out + 12, p.b + 16, 4) == 0);
	CHECK(memcmp(out + 16, p.b + 12, 4) == 0);
	CHECK(memcmp(out + 28, p.b, FIT_ANSWER4 - 28) == 0);

	CHECK(answer(&p, false, PROTO_UDP, 0, out) == FIT_ANSWER6);
	CHECK(out[0] == 0x60 && get_be16(out + 4) == FIT_ANSWER6 - 40);
	CHECK(out[6] == PROTO_ICMP6 && out[40] == 2 && out[41] == 0);
	CHECK(get_be32(out + 44) == 1400);
	CHECK(memcmp(out + 8, p.b + 24, 16) == 0);
	CHECK(memcmp(out + 24, p.b + 8, 16) == 0);
	CHECK(memcmp(out + 48, p.b, FIT_ANSWER6 - 48) == 0);
	memcpy(a.b, out, FIT_ANSWER6);
	a.n = FIT_ANSWER6;
	CHECK(csum_fold(csum_add(pseudo(&a, PROTO_ICMP6), out + 40,
				 FIT_ANSWER6 - 40)) == 0xffff);
}

static void not_everything_is_answered(void)
{
	uint8_t out[FIT_ANSWER6];
	struct packet p;

	/* Errors are not, questions are. */
	CHECK(answer(&p, true, PROTO_ICMP, 3, out) == 0);
	CHECK(answer(&p, true, PROTO_ICMP, 5, out) == 0);
	CHECK(answer(&p, true, PROTO_ICMP, 8, out) > 0);
	CHECK(answer(&p, true, PROTO_ICMP, 0, out) > 0);
	CHECK(answer(&p, true, PROTO_ICMP, 13, out) > 0);
	CHECK(answer(&p, true, PROTO_ICMP, 14, out) > 0);
	CHECK(answer(&p, true, PROTO_ICMP, 15, out) == 0);
	CHECK(answer(&p, true, PROTO_ICMP, 8, out) > 0);
	p.b[0] = 0x4f; /* its header is all that there is of it */
	CHECK(fit_answer(p.b, 60, 50, out) == 0);
	p.b[60] = 8;
	CHECK(fit_answer(p.b, 61, 50, out) == 28 + 61);
	CHECK(answer(&p, false, PROTO_ICMP6, 2, out) == 0);
	CHECK(answer(&p, false, PROTO_ICMP6, 128, out) > 0);
	/* What may be cut; a later fragment. */
	CHECK(answer(&p, true, PROTO_UDP, 0, out) > 0);
	CHECK(!fit_may_cut(p.b, p.n));
	put_be16(p.b + 6, 0);
	CHECK(fit_may_cut(p.b, p.n));
	CHECK(!fit_may_cut(p.b, 19));
	p.b[0] = 0x60;
	CHECK(!fit_may_cut(p.b, p.n));
	p.b[0] = 0x45;
	CHECK(fit_answer(p.b, p.n, 1400, out) == 0);
	put_be16(p.b + 6, 0x4001);
	CHECK(fit_answer(p.b, p.n, 1400, out) == 0);
	/* From or to nobody, groups, everybody. */
	for (uint32_t at = 12; at <= 16; at += 4) {
		static const uint8_t firsts[] = { 0, 224, 255 };

		for (size_t i = 0; i < ARRAY_SIZE(firsts); i++) {
			answer(&p, true, PROTO_UDP, 0, out);
			p.b[at] = firsts[i];
			CHECK(fit_answer(p.b, p.n, 1400, out) == 0);
		}
	}
	for (uint32_t at = 8; at <= 24; at += 16) {
		answer(&p, false, PROTO_UDP, 0, out);
		p.b[at] = 0xff;
		CHECK(fit_answer(p.b, p.n, 1400, out) == 0);
		memset(p.b + at, 0, 16);
		CHECK(fit_answer(p.b, p.n, 1400, out) == 0);
	}
	/* What is no packet. */
	memset(p.b, 0, sizeof(p.b));
	CHECK(fit_answer(p.b, p.n, 1400, out) == 0);
	for (uint32_t n = 0; n < 20; n++) {
		answer(&p, true, PROTO_UDP, 0, out);
		CHECK(fit_answer(p.b, n, 1400, out) == 0);
	}
	/* A short one has all of it in the answer. */
	answer(&p, true, PROTO_UDP, 0, out);
	CHECK(fit_answer(p.b, 100, 68, out) == 128);
}

/* Any bytes: nothing is written beyond the packet or the answer. */
static void any_bytes(void)
{
	uint8_t out[FIT_ANSWER6];
	struct rng r = { 1 };

	for (int i = 0; i < 200000; i++) {
		uint32_t n = (uint32_t)(rng_next(&r) % 100);
		uint8_t *p = malloc(n + 1);

		for (uint32_t k = 0; k < n; k++)
			p[k] = (uint8_t)rng_next(&r);
		if (n > 40 && i % 2 == 0) {
			p[0] = i % 4 == 0 ? 0x45 : 0x60;
			p[i % 4 == 0 ? 9 : 6] = PROTO_TCP;
			put_be16(p + 6, i % 4 == 0 ? 0 : get_be16(p + 6));
		}
		p = realloc(p, n > 0 ? n : 1);
		if (n > 0)
			(void)fit_mss(p, n, 68 + n);
		CHECK(fit_answer(p, n, 1280, out) <= sizeof(out));
		free(p);
	}
}

static const struct check_test tests[] = {
	{ "the MSS of a SYN is lowered, and its sum stays right",
	  mss_is_lowered },
	{ "what is cut is left alone", what_is_cut_is_left_alone },
	{ "extension headers are passed", extension_headers_are_passed },
	{ "a long packet is answered", a_long_packet_is_answered },
	{ "not everything is answered", not_everything_is_answered },
	{ "any bytes", any_bytes },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
