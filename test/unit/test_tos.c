/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tos.c - Unit test of wire/tos: the table of RFC 6040 section 4.2
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/csum.h"
#include "wire/tos.h"

/* Rows: inner; columns: outer; both not ECT, ECT(1), ECT(0), CE. -1: dropped */
static const int table[4][4] = {
	{ 0, 0, 0, -1 },
	{ 1, 1, 1, 3 },
	{ 2, 1, 2, 3 },
	{ 3, 3, 3, 3 },
};

static void make4(uint8_t p[20], uint8_t tos, uint16_t id)
{
	memset(p, 0, 20);
	p[0] = 0x45;
	p[1] = tos;
	p[3] = 20;
	put_be16(p + 4, id);
	p[8] = 64;
	put_be16(p + 10, (uint16_t)~csum_fold(csum_add(0, p, 20)));
}

static void marks_come_in_as_the_table_says(void)
{
	for (uint8_t dscp = 0; dscp < 64; dscp++)
		for (unsigned in = 0; in < 4; in++)
			for (unsigned out = 0; out < 4; out++) {
				uint8_t tos =
					(uint8_t)((unsigned)dscp << 2 | in);
				uint8_t v6[40] = { 0x60 };
				int want = table[in][out];

				put_be16(v6,
					 (uint16_t)(0x6000u |
						    (unsigned)tos << 4 | 5u));
				CHECK(tos_of(v6, 40) == tos);
				CHECK(tos_arrive(v6, 40,
						 (uint8_t)(0xa8 | out)) ==
				      (want < 0 ? -ECONNABORTED : 0));
				if (want >= 0)
					CHECK(get_be16(v6) ==
					      (0x6005u | (unsigned)dscp << 6 |
					       (unsigned)want << 4));
				else
					CHECK(tos_of(v6, 40) == tos);
			}
}

static void what_is_no_packet_stays(void)
{
	uint8_t p[40] = { 0x60 };

	CHECK(tos_of(p, 39) == 0 && tos_of(p, 0) == 0);
	p[0] = 0x45;
	p[1] = 7;
	CHECK(tos_of(p, 19) == 0 && tos_of(p, 20) == 7);
	p[0] = 0x75;
	CHECK(tos_of(p, 40) == 0);
}

/* A right checksum stays right, a wrong one wrong. */
static void the_checksum_moves_along(void)
{
	for (unsigned id = 0; id < 65536; id += 7) {
		uint8_t p[20];

		make4(p, (uint8_t)(id << 2 | ECN_ECT0), (uint16_t)id);
		CHECK(tos_arrive(p, 20, ECN_CE) == 0);
		CHECK(tos_of(p, 20) == (uint8_t)(id << 2 | ECN_CE));
		CHECK(csum_fold(csum_add(0, p, 20)) == 0xffff);
		make4(p, ECN_ECT0, (uint16_t)id);
		p[11] ^= 1;
		tos_set_ecn(p, ECN_CE);
		CHECK(csum_fold(csum_add(0, p, 20)) != 0xffff);
	}
}

static const struct check_test tests[] = {
	{ "marks come in as the table says", marks_come_in_as_the_table_says },
	{ "what is no packet stays", what_is_no_packet_stays },
	{ "the checksum moves along", the_checksum_moves_along },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
