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

#include <string.h>

#include "check.h"
#include "core/rng.h"
#include "evidence_rig.h"

static struct redact redact;

/* @sut: what it answers */
static void one_difference(const char *sut)
{
	static struct want w;
	struct rng r = { 1 };
	size_t room = WANT_ALL;
	struct rig_frame f;
	struct rig_talk t;
	unsigned first[2] = { 0, 0 };

	rig_begin(&t, rng_below(&r, 2) != 0, rng_below(&r, 90),
		  (uint32_t)rng_below(&r, UINT32_MAX));
	t.said[2] = sut;
	t.r.bytes[1] = strlen(sut);
	t.r.offset = 10;
	w = (struct want){ .d = &t.d };
	rig_make_frame(&f, JOURNAL_CLIENT, &t.client, &t.d.production,
		       t.isn[0] - 1, TCP_SYN, "", 0);
	CHECK(rig_give(&w, 1, &f, &room) == 0);
	rig_make_frame(&f, JOURNAL_PROD, &t.d.production, &t.client,
		       t.isn[1] - 1, TCP_SYN | TCP_ACK, "", 0);
	CHECK(rig_give(&w, 2, &f, &room) == 0);
	rig_make_frame(&f, JOURNAL_EMITTED, &t.client, &t.d.sut, t.isn[0] - 1,
		       TCP_SYN, "", 0);
	CHECK(rig_give(&w, 3, &f, &room) == 0);
	rig_part_of(&t, WANT_CLIENT, false, 0, (uint32_t)strlen(rig_request),
		    &f);
	CHECK(rig_give(&w, 4, &f, &room) == 0);
	rig_part_of(&t, WANT_PROD, false, 0, (uint32_t)strlen(rig_answer), &f);
	CHECK(rig_give(&w, 5, &f, &room) == 0);
	/* Of the exchange before: it came late. */
	rig_make_frame(&f, JOURNAL_SUT, &t.d.sut, &t.client, t.isn[2] - 5,
		       TCP_ACK, "older", 5);
	CHECK(rig_give(&w, 6, &f, &room) == 0);
	rig_part_of(&t, WANT_CLIENT, true, 0, (uint32_t)strlen(rig_request),
		    &f);
	CHECK(rig_give(&w, 7, &f, &room) == 0);
	rig_part_of(&t, WANT_SUT, false, 0, 20, &f);
	CHECK(rig_give(&w, 8, &f, &room) == 0);
	rig_part_of(&t, WANT_SUT, false, 20, (uint32_t)strlen(sut) - 20, &f);
	CHECK(rig_give(&w, 9, &f, &room) == 0);
	/* Of the next one. */
	rig_make_frame(&f, JOURNAL_PROD, &t.d.production, &t.client,
		       t.isn[1] + (uint32_t)strlen(rig_answer), TCP_ACK, "next",
		       4);
	CHECK(rig_give(&w, 10, &f, &room) == 0);
	CHECK(w.n == 8 && !w.full);
	CHECK(want_mask(&w, &redact) == 0);
	for (uint32_t i = 0; i < w.n; i++) {
		CHECK(!rig_is_left(&w.piece[i]));
		CHECK(rig_is_summed(&w.piece[i]));
		if (w.piece[i].first)
			first[w.piece[i].side == WANT_SUT]++;
	}
	CHECK(first[0] == 1 && first[1] == 1 && w.piece[7].first);
	CHECK(memmem(w.piece[7].bytes, w.piece[7].cap, "\r\n\r\n{", 5) ||
	      sut == rig_coded);
	CHECK(memmem(w.piece[7].bytes, w.piece[7].cap, "\r\n\r\nxxxxx", 9) ||
	      sut == rig_answer);
	CHECK(memmem(w.piece[4].bytes, w.piece[4].cap, "\"price\":10.00", 13));
	CHECK(memmem(w.piece[4].bytes, w.piece[4].cap, "sid=<secret:", 12));
	want_forget(&w);
}

static void the_frames_of_a_difference_are_taken(void)
{
	one_difference(rig_answer);
	one_difference(rig_coded);
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
		struct rig_frame f;
		struct rig_talk t;

		rig_begin(&t, rng_below(&r, 2) != 0, rng_below(&r, 90),
			  (uint32_t)rng_below(&r, UINT32_MAX));
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
			rig_part_of(&t, side,
				    rng_below(&r, 2) && i != t.d.record, from,
				    len, &f);
			if (changed && rng_below(&r, 3) == 0)
				f.bytes[rng_below(&r, f.f.cap - len)] ^=
					(uint8_t)rng_below(&r, 256);
			if (rng_below(&r, 6) == 0)
				f.f.cap -= (uint32_t)rng_below(&r, f.f.cap);
			CHECK(rig_give(&w, i, &f, &room) == 0);
		}
		CHECK(want_mask(&w, &redact) == 0);
		for (uint32_t i = 0; i < w.n; i++) {
			const struct piece *p = &w.piece[i];

			CHECK(!rig_is_left(p));
			CHECK(p->at + p->len <= p->cap);
			if (!changed && p->cap == p->wire)
				CHECK(rig_is_summed(p));
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
	struct rig_frame f;
	struct rig_talk t;

	off.off = true;
	rig_begin(&t, rng_below(&r, 2) != 0, rng_below(&r, 90),
		  (uint32_t)rng_below(&r, UINT32_MAX));
	w = (struct want){ .d = &t.d };
	t.d.record = 1;
	rig_part_of(&t, WANT_CLIENT, false, 0, (uint32_t)strlen(rig_request),
		    &f);
	CHECK(rig_give(&w, 1, &f, &room) == 0);
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
