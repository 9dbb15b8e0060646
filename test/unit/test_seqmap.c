/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_seqmap.c - Unit test of core/seqmap.h and core/csum_move.h
 *
 * The offsets are such that sums wrap and no two are alike: a wrong sign, or the
 * offset of the other direction, cannot pass.
 */
#include "core/seqmap.h"

#include "check.h"
#include "core/csum_move.h"
#include "core/rng.h"
#include "wire_oracle.h"

static const struct seqmap map = { .seq_off = { 0xfffffff0u, 0x1234u },
				   .ts_off = { 0x80000001u, 0xff000000u } };

static void numbers_are_carried(void)
{
	CHECK(seqmap_seq(&map, DIR_C2S, 0x20) == 0x10);
	CHECK(seqmap_seq(&map, DIR_S2C, 0xffffffffu) == 0x1233);
	CHECK(seqmap_ack(&map, DIR_C2S, 0x1233) == 0xffffffffu);
	CHECK(seqmap_ack(&map, DIR_S2C, 0x10) == 0x20);
	CHECK(seqmap_tsval(&map, DIR_C2S, 0x7fffffff) == 0);
	CHECK(seqmap_tsval(&map, DIR_S2C, 0x01000000) == 0);
	CHECK(seqmap_tsecr(&map, DIR_C2S, 0) == 0x01000000);
	CHECK(seqmap_tsecr(&map, DIR_S2C, 0) == 0x7fffffff);
}

/* S1: what one direction's seq becomes, the other's ack becomes again. */
static void an_ack_undoes_what_a_seq_was_given(void)
{
	struct rng rng = { 1 };

	for (int i = 0; i < 100000; i++) {
		struct seqmap m = { .seq_off = { (uint32_t)rng_next(&rng),
						 (uint32_t)rng_next(&rng) },
				    .ts_off = { (uint32_t)rng_next(&rng),
						(uint32_t)rng_next(&rng) } };
		uint32_t n = (uint32_t)rng_next(&rng);

		for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
			enum dir back = dir_reverse(d);

			CHECK(back != d && dir_reverse(back) == d);
			CHECK(seqmap_ack(&m, back, seqmap_seq(&m, d, n)) == n);
			CHECK(seqmap_seq(&m, d, seqmap_ack(&m, back, n)) == n);
			CHECK(seqmap_tsecr(&m, back, seqmap_tsval(&m, d, n)) ==
			      n);
		}
	}
}

/* Bytes change in 2, 4 and more at a time; the moved checksum is the one that the sum
 * over all makes.
 */
static void a_moved_checksum_is_the_summed_one(void)
{
	struct rng rng = { 2 };

	for (int i = 0; i < 100000; i++) {
		uint8_t old[24], now[24];
		uint64_t diff = 0;
		uint16_t was, sum;

		for (int k = 0; k < 24; k++) {
			old[k] = (uint8_t)rng_below(&rng, 256);
			now[k] = rng_below(&rng, 3) ? old[k]
						    : (uint8_t)rng_next(&rng);
		}
		now[0] = 1;
		was = (uint16_t)~oracle_sum(0, old, 24);
		diff = csum_swap16(diff, get_be16(old), get_be16(now));
		diff = csum_swap32(diff, get_be32(old + 2), get_be32(now + 2));
		diff = csum_swap(diff, old + 6, now + 6, 18);
		sum = (uint16_t)~oracle_sum(0, now, 24);
		CHECK(csum_move(was, diff) == sum);
	}
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "numbers are carried", numbers_are_carried },
		{ "an ack undoes what a seq was given",
		  an_ack_undoes_what_a_seq_was_given },
		{ "a moved checksum is the summed one",
		  a_moved_checksum_is_the_summed_one },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
