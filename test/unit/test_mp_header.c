/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mp_header.c - Unit test of the bytes between two ends
 *
 * What is written is read back; what nobody writes is refused, from copies of exact
 * size, and leaves the output alone.
 */
#include "multipath/header.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

static int parse(const uint8_t *p, uint32_t n, struct mp_header *h)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	int r;

	memcpy(copy, p, n);
	r = mp_header_parse(copy, n, h);
	free(copy);
	return r;
}

static int parse_report(const uint8_t *p, uint32_t n, struct mp_report *r)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	int ret;

	memcpy(copy, p, n);
	ret = mp_report_parse(copy, n, r);
	free(copy);
	return ret;
}

static void test_header_has_its_bytes(void)
{
	static const uint8_t want[16] = { 2,	3,    0x45, 0x67, 0x89, 0xab,
					  0xcd, 0xef, 0x01, 0x23, 0x45, 0x67,
					  0xfe, 0xdc, 0xba, 0x98 };
	struct mp_header h = { MP_DATA_TIMED, 3,	  0x4567,
			       0x89abcdef,    0x01234567, 0xfedcba98 };
	uint8_t p[MP_HEADER_TIMED];

	CHECK(mp_header_emit(&h, p) == 16);
	CHECK(memcmp(p, want, 16) == 0);
	h.type = MP_DATA;
	CHECK(mp_header_emit(&h, p) == 12);
	CHECK(p[0] == 1 && memcmp(p + 1, want + 1, 11) == 0);
}

static void test_header_comes_back(void)
{
	struct rng rng = { 1 };
	uint8_t p[MP_HEADER_TIMED + 1] = { 0 };

	for (unsigned i = 0; i < 5000; i++) {
		struct mp_header h = { .type = (uint8_t)(1 + i % 5),
				       .path = (uint8_t)rng_next(&rng),
				       .lane = (uint16_t)rng_next(&rng),
				       .path_seq = (uint32_t)rng_next(&rng),
				       .lane_seq = (uint32_t)rng_next(&rng) };
		struct mp_header got = { 0 };
		uint32_t n;

		if (h.type == MP_DATA_TIMED)
			h.sent = (uint32_t)rng_next(&rng);
		n = mp_header_emit(&h, p);
		CHECK(parse(p, n, &got) == (int)n);
		CHECK(memcmp(&got, &h, sizeof(h)) == 0);
		for (uint32_t k = 0; k < n; k++)
			CHECK(parse(p, k, &got) == -EBADMSG);
		CHECK(memcmp(&got, &h, sizeof(h)) == 0);
	}
}

static void test_other_types_and_tails_are_refused(void)
{
	uint8_t p[MP_HEADER + 1] = { 0 };
	struct mp_header h = { .path = 9 };

	for (unsigned t = 0; t < 256; t++) {
		p[0] = (uint8_t)t;
		if (t == 0 || t > MP_SIZED)
			CHECK(parse(p, MP_HEADER, &h) == -EBADMSG);
	}
	p[0] = MP_SIZED;
	CHECK(parse(p, MP_HEADER + 1, &h) == -EBADMSG);
	/* It says its own length. */
	p[0] = MP_SIZE;
	CHECK(parse(p, MP_HEADER + 1, &h) == -EBADMSG);
	p[7] = MP_HEADER + 2;
	CHECK(parse(p, MP_HEADER + 1, &h) == -EBADMSG);
	p[0] = MP_PROBE;
	CHECK(parse(p, MP_HEADER + 1, &h) == -EBADMSG);
	p[0] = MP_SETTLE;
	CHECK(parse(p, MP_HEADER + 1, &h) == -EBADMSG);
	CHECK(h.path == 9);
	p[0] = MP_DATA;
	CHECK(parse(p, MP_HEADER + 1, &h) == MP_HEADER);
	p[0] = MP_SIZE;
	p[7] = MP_HEADER + 1;
	CHECK(parse(p, MP_HEADER + 1, &h) == MP_HEADER);
}

static struct mp_report some(struct rng *rng, uint32_t ranges)
{
	struct mp_report r = { .path = (uint8_t)rng_next(rng),
			       .highest = (uint32_t)rng_next(rng),
			       .bytes = (uint32_t)rng_next(rng),
			       .at = (uint32_t)rng_next(rng),
			       .held = (uint32_t)rng_next(rng),
			       .ranges = ranges };
	uint32_t back = 0;

	for (uint32_t i = ranges; i-- > 0;) {
		uint32_t count = 1 + rng_below(rng, 900);

		back += 1 + count;
		r.range[i] = (struct mp_range){ r.highest - back + 1, count };
	}
	return r;
}

static void test_report_comes_back(void)
{
	struct rng rng = { 2 };
	uint8_t p[MP_CONTROL_MAX + 1] = { 0 };

	for (uint32_t i = 0; i <= MP_RANGES; i++) {
		struct mp_report r = some(&rng, i), got;
		uint32_t n = mp_report_emit(&r, p);

		memset(&got, 0, sizeof(got));
		CHECK(n == MP_REPORT + 4 * i && n <= MP_CONTROL_MAX);
		for (uint32_t k = 0; k <= n + 1; k++)
			if (k != n)
				CHECK(parse_report(p, k, &got) == -EBADMSG);
		CHECK(got.highest == 0 && got.ranges == 0);
		CHECK(parse_report(p, n, &got) == 0);
		CHECK(got.path == r.path && got.highest == r.highest &&
		      got.bytes == r.bytes && got.at == r.at &&
		      got.held == r.held && got.ranges == i);
		CHECK(memcmp(got.range, r.range, i * sizeof(r.range[0])) == 0);
	}
}

/* Two ranges as distance and length, below a highest of 1000. */
static int two(uint16_t b0, uint16_t c0, uint16_t b1, uint16_t c1)
{
	uint8_t p[MP_REPORT + 8] = { MP_FEEDBACK, 0, 0, 2, 0, 0, 3, 0xe8 };
	struct mp_report r;

	p[20] = (uint8_t)(b0 >> 8);
	p[21] = (uint8_t)b0;
	p[22] = (uint8_t)(c0 >> 8);
	p[23] = (uint8_t)c0;
	p[24] = (uint8_t)(b1 >> 8);
	p[25] = (uint8_t)b1;
	p[26] = (uint8_t)(c1 >> 8);
	p[27] = (uint8_t)c1;
	return parse_report(p, sizeof(p), &r);
}

static void test_ranges_ascend_apart_and_below(void)
{
	CHECK(two(10, 3, 6, 6) == 0);
	CHECK(two(10, 3, 7, 1) == -EBADMSG); /* touches */
	CHECK(two(10, 4, 7, 1) == -EBADMSG); /* overlaps */
	CHECK(two(10, 0, 6, 1) == -EBADMSG); /* is empty */
	CHECK(two(10, 3, 6, 7) == -EBADMSG); /* has the highest in it */
	CHECK(two(6, 1, 10, 3) == -EBADMSG); /* descends */
	CHECK(two(65535, 65529, 5, 5) == 0);
}

static void test_too_many_ranges_are_refused(void)
{
	uint8_t p[MP_REPORT + 4 * (MP_RANGES + 1)] = { MP_FEEDBACK, 0, 0,
						       MP_RANGES + 1 };
	struct mp_report r;

	for (uint32_t i = 0; i <= MP_RANGES; i++) {
		p[MP_REPORT + 4 * i + 1] = (uint8_t)(2 * (MP_RANGES + 1 - i));
		p[MP_REPORT + 4 * i + 3] = 1;
	}
	CHECK(parse_report(p, sizeof(p), &r) == -EBADMSG);
	p[3] = MP_RANGES;
	CHECK(parse_report(p, sizeof(p) - 4, &r) == 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a header has its bytes", test_header_has_its_bytes },
		{ "a header comes back", test_header_comes_back },
		{ "other types and tails are refused",
		  test_other_types_and_tails_are_refused },
		{ "a report comes back", test_report_comes_back },
		{ "ranges ascend, apart and below the highest",
		  test_ranges_ascend_apart_and_below },
		{ "too many ranges are refused",
		  test_too_many_ranges_are_refused },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
