/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_evidence.c - Packets of a difference: which are taken, and what is in them
 *
 * A connection with secrets on all sides is cut into segments by chance, some come
 * twice, late, overlapping, cut short or changed. Whatever is taken, no six bytes of a
 * secret may be left in a frame, each frame is as long as it was, and the checksum of
 * each that is whole is right.
 */
#include "evidence/want.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"
#include "wire/build.h"
#include "wire/pseudo.h"

static const char request[] =
	"POST /f?password=qU3ryS3cr3t HTTP/1.1\r\n"
	"Authorization: Bearer b3ar3rT0k3n\r\nContent-Type: text/plain\r\n\r\n"
	"{\"n\":17,\"password\":\"js0nPassw0rd\"}";
static const char answer[] =
	"HTTP/1.1 200 OK\r\nSet-Cookie: sid=c00ki3Valu3; Path=/\r\n"
	"Content-Type: application/json\r\n\r\n{\"price\":10.00,"
	"\"token\":\"t0k3nOfTh3Body\"}";
static const char coded[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
			    "c0d3dPassw0rd";
static const char *const secret[] = { "qU3ryS3cr3t",	"b3ar3rT0k3n",
				      "js0nPassw0rd",	"c00ki3Valu3",
				      "t0k3nOfTh3Body", "c0d3dPassw0rd" };

static struct redact redact;

/* A frame, as a journal gives it. */
struct frame {
	struct journal_frame f;
	uint8_t bytes[2048];
};

static struct report_endpoint end(uint8_t net, uint8_t host, uint16_t port)
{
	const uint8_t b[4] = { 10, net, 0, host };

	return (struct report_endpoint){ ipaddr_from4(b), port };
}

static void make_frame(struct frame *out, enum journal_iface iface,
		       const struct report_endpoint *src,
		       const struct report_endpoint *dst, uint32_t seq,
		       uint8_t flags, const void *data, uint32_t len)
{
	struct tcp_header h = { .src = src->ip,
				.dst = dst->ip,
				.sport = src->port,
				.dport = dst->port,
				.seq = seq,
				.ack = 1,
				.flags = flags,
				.ttl = 64,
				.win = 1000 };
	uint32_t n = (uint32_t)build_tcp(out->bytes, &h, data, len, CSUM_FULL);

	memcpy(out->bytes + n, data, len);
	out->f = (struct journal_frame){ .iface = iface,
					 .data = out->bytes,
					 .cap = n + len,
					 .wire = n + len };
}

/* As evidence.c does; of exactly its length, so that a byte too far is seen. */
static void give(struct want *w, uint64_t number, const struct frame *f,
		 size_t *room)
{
	uint8_t *copy = malloc(f->f.cap + 1u);
	struct journal_frame j = f->f;
	struct frame_info in = { .data = copy,
				 .cap = j.cap,
				 .wire = j.wire,
				 .link = LINK_ETHERNET,
				 .csum_ok = true,
				 .trusted = true };
	struct decoded d;

	memcpy(copy, f->bytes, j.cap);
	copy = realloc(copy, j.cap > 0 ? j.cap : 1u);
	j.data = in.data = copy;
	if (frame_decode(&in, NULL, 0, &d) == DECODE_TCP)
		CHECK(want_take(w, number, &j, &d, room) == 0);
	free(copy);
}

static bool is_left(const struct piece *p)
{
	for (size_t s = 0; s < sizeof(secret) / sizeof(secret[0]); s++)
		for (size_t k = 0; k + 6 <= strlen(secret[s]); k++)
			if (memmem(p->bytes, p->cap, secret[s] + k, 6))
				return true;
	return false;
}

static bool is_summed(const struct piece *p)
{
	uint32_t len = p->at + p->len - p->l4;
	uint64_t sum = pseudo_sum(true, &p->src, &p->dst, PROTO_TCP, len);

	return csum_fold(csum_add(sum, p->bytes + p->l4, len)) == 0xffff;
}

struct talk {
	struct report_difference d;
	struct compare_result r;
	struct report_endpoint client;
	const char *said[WANT_SIDES];
	uint32_t isn[WANT_SIDES];
};

static void begin(struct talk *t, struct rng *r)
{
	*t = (struct talk){ .client = end(0, 2, 40000),
			    .said = { request, answer,
				      rng_below(r, 2) ? answer : coded } };
	t->d = (struct report_difference){ .client = t->client,
					   .production = end(0, 10, 80),
					   .sut = end(1, 20, 80),
					   .record = 4,
					   .result = &t->r,
					   .detail = "" };
	t->r = (struct compare_result){ .reason = REASON_BODY,
					.offset = rng_below(r, 90),
					.bytes = { strlen(t->said[1]),
						   strlen(t->said[2]) } };
	for (unsigned i = 0; i < WANT_SIDES; i++)
		t->isn[i] = (uint32_t)rng_below(r, UINT32_MAX);
}

/* A piece of what a side said: on its wire, and the client's on both. */
static void part_of(const struct talk *t, enum want_side side, bool emitted,
		    uint32_t from, uint32_t len, struct frame *f)
{
	const struct report_endpoint *server =
		side == WANT_SUT || emitted ? &t->d.sut : &t->d.production;
	bool client = side == WANT_CLIENT;

	make_frame(f,
		   side == WANT_SUT ? JOURNAL_SUT
		   : emitted	    ? JOURNAL_EMITTED
		   : client	    ? JOURNAL_CLIENT
				    : JOURNAL_PROD,
		   client ? &t->client : server, client ? server : &t->client,
		   t->isn[side] + from, TCP_ACK | TCP_PSH, t->said[side] + from,
		   len);
}

/* @sut: what it answers */
static void one_difference(const char *sut)
{
	static struct want w;
	struct rng r = { 1 };
	size_t room = WANT_ALL;
	struct frame f;
	struct talk t;
	unsigned first[2] = { 0, 0 };

	begin(&t, &r);
	t.said[2] = sut;
	t.r.bytes[1] = strlen(sut);
	t.r.offset = 10;
	w = (struct want){ .d = &t.d };
	make_frame(&f, JOURNAL_CLIENT, &t.client, &t.d.production, t.isn[0] - 1,
		   TCP_SYN, "", 0);
	give(&w, 1, &f, &room);
	make_frame(&f, JOURNAL_PROD, &t.d.production, &t.client, t.isn[1] - 1,
		   TCP_SYN | TCP_ACK, "", 0);
	give(&w, 2, &f, &room);
	make_frame(&f, JOURNAL_EMITTED, &t.client, &t.d.sut, t.isn[0] - 1,
		   TCP_SYN, "", 0);
	give(&w, 3, &f, &room);
	part_of(&t, WANT_CLIENT, false, 0, (uint32_t)strlen(request), &f);
	give(&w, 4, &f, &room);
	part_of(&t, WANT_PROD, false, 0, (uint32_t)strlen(answer), &f);
	give(&w, 5, &f, &room);
	/* Of the exchange before: it came late. */
	make_frame(&f, JOURNAL_SUT, &t.d.sut, &t.client, t.isn[2] - 5, TCP_ACK,
		   "older", 5);
	give(&w, 6, &f, &room);
	part_of(&t, WANT_CLIENT, true, 0, (uint32_t)strlen(request), &f);
	give(&w, 7, &f, &room);
	part_of(&t, WANT_SUT, false, 0, 20, &f);
	give(&w, 8, &f, &room);
	part_of(&t, WANT_SUT, false, 20, (uint32_t)strlen(sut) - 20, &f);
	give(&w, 9, &f, &room);
	/* Of the next one. */
	make_frame(&f, JOURNAL_PROD, &t.d.production, &t.client,
		   t.isn[1] + (uint32_t)strlen(answer), TCP_ACK, "next", 4);
	give(&w, 10, &f, &room);
	CHECK(w.n == 8 && !w.full);
	CHECK(want_mask(&w, &redact) == 0);
	for (uint32_t i = 0; i < w.n; i++) {
		CHECK(!is_left(&w.piece[i]));
		CHECK(is_summed(&w.piece[i]));
		if (w.piece[i].first)
			first[w.piece[i].side == WANT_SUT]++;
	}
	CHECK(first[0] == 1 && first[1] == 1 && w.piece[7].first);
	CHECK(memmem(w.piece[7].bytes, w.piece[7].cap, "\r\n\r\n{", 5) ||
	      sut == coded);
	CHECK(memmem(w.piece[7].bytes, w.piece[7].cap, "\r\n\r\nxxxxx", 9) ||
	      sut == answer);
	CHECK(memmem(w.piece[4].bytes, w.piece[4].cap, "\"price\":10.00", 13));
	CHECK(memmem(w.piece[4].bytes, w.piece[4].cap, "sid=<secret:", 12));
	want_forget(&w);
}

static void the_frames_of_a_difference_are_taken(void)
{
	one_difference(answer);
	one_difference(coded);
}

/* Any frames, in any order. */
static void no_secret_is_left(void)
{
	static struct want w;
	struct rng r = { 9 };
	unsigned taken = 0;

	for (unsigned run = 0; run < 150; run++) {
		size_t room = rng_below(&r, 9) == 0 ? 5000 : WANT_ALL;
		bool changed = rng_below(&r, 3) == 0;
		struct frame f;
		struct talk t;

		begin(&t, &r);
		w = (struct want){ .d = &t.d };
		t.d.record = 1 + rng_below(&r, 4);
		for (unsigned i = 1; i < 60; i++) {
			enum want_side side =
				(enum want_side)rng_below(&r, WANT_SIDES);
			uint32_t n = (uint32_t)strlen(t.said[side]);
			uint32_t from = (uint32_t)rng_below(&r, n);
			uint32_t len = 1 + (uint32_t)rng_below(&r, n - from);

			if (i == t.d.record)
				side = WANT_CLIENT, from = 0, len = 9;
			part_of(&t, side, rng_below(&r, 2) && i != t.d.record,
				from, len, &f);
			if (changed && rng_below(&r, 3) == 0)
				f.bytes[rng_below(&r, f.f.cap - len)] ^=
					(uint8_t)rng_below(&r, 256);
			if (rng_below(&r, 6) == 0)
				f.f.cap -= (uint32_t)rng_below(&r, f.f.cap);
			give(&w, i, &f, &room);
		}
		CHECK(want_mask(&w, &redact) == 0);
		for (uint32_t i = 0; i < w.n; i++) {
			const struct piece *p = &w.piece[i];

			CHECK(!is_left(p));
			CHECK(p->at + p->len <= p->cap);
			if (!changed && p->cap == p->wire)
				CHECK(is_summed(p));
		}
		taken += w.n;
		want_forget(&w);
	}
	CHECK(taken > 2000);
}

static void off_leaves_all(void)
{
	static struct want w;
	struct redact off = redact;
	size_t room = WANT_ALL;
	struct rng r = { 2 };
	struct frame f;
	struct talk t;

	off.off = true;
	begin(&t, &r);
	w = (struct want){ .d = &t.d };
	t.d.record = 1;
	part_of(&t, WANT_CLIENT, false, 0, (uint32_t)strlen(request), &f);
	give(&w, 1, &f, &room);
	CHECK(w.n == 1 && want_mask(&w, &off) == 0);
	CHECK(w.piece[0].cap == f.f.cap &&
	      memcmp(w.piece[0].bytes, f.bytes, f.f.cap) == 0);
	want_forget(&w);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "the frames of a difference are taken",
		  the_frames_of_a_difference_are_taken },
		{ "no secret is left", no_secret_is_left },
		{ "off leaves all", off_leaves_all },
	};

	redact_init(&redact, &(struct hash_key){ { 3, 4 } }, NULL, false);
	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
