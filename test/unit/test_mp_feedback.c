/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mp_feedback.c - Unit test of what an end tells about what came
 */
#include "multipath_rig.h"

static struct end e;
static struct mp_report last;

static void open_one(void)
{
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();

	rig_open(&e, &l, &c);
	rig_path(&e, 0, 10 * MS);
	e.notes = 0;
}

/* How many feedbacks so far; the last one is in @last. */
static uint32_t reports(void)
{
	uint32_t n = rig_count_of(&e, 0, MP_WHY_REPORT);

	if (n > 0) {
		struct note *t = rig_find(&e, 0, MP_WHY_REPORT, n - 1);

		CHECK(mp_report_parse(t->bytes, t->n, &last) == 0);
	}
	return n;
}

/* A full packet of a lane comes as this number of the path. */
static void full(uint32_t path_seq)
{
	static uint8_t p[MP_HEADER + 1400];
	struct mp_header h = { .type = MP_DATA,
			       .lane = 5,
			       .path_seq = path_seq,
			       .lane_seq = path_seq - 1 };

	rig_outer(&e, 0, p, mp_header_emit(&h, p) + 1400);
}

static void test_four_packets_or_20_ms(void)
{
	uint64_t from;

	open_one();
	for (uint32_t i = 1; i <= 3; i++)
		full(i);
	CHECK(reports() == 0);
	full(4);
	CHECK(reports() == 1);
	CHECK(last.highest == 4 && last.ranges == 0 && last.held == 0);
	CHECK(last.bytes == 4 * (1400 + MP_HEADER + MP_OVERHEAD));
	from = e.now;
	full(5);
	rig_until(&e, from + 19 * MS);
	CHECK(reports() == 1);
	rig_until(&e, from + 21 * MS);
	CHECK(reports() == 2);
	CHECK(last.highest == 5 && last.at == from / NS_PER_US);
	CHECK(last.held >= 20000 && last.held < 20600);
	rig_until(&e, from + 5 * NS_PER_SEC); /* nothing new: nothing to say */
	CHECK(reports() == 2);
	rig_close(&e);
}

static void test_thin_packets_wait_longer(void)
{
	uint64_t from;

	open_one();
	from = e.now;
	rig_data(&e, 0, 1, 0, 0);
	rig_until(&e, from + 199 * MS);
	CHECK(reports() == 0);
	rig_until(&e, from + 201 * MS);
	CHECK(reports() == 1);
	rig_data(&e, 0, 2, 0, 1);
	rig_data(&e, 0, 3, 5, 0); /* bulk: 20 ms from now */
	rig_until(&e, e.now + 21 * MS);
	CHECK(reports() == 2);
	rig_close(&e);
}

static void test_gap_is_told_at_once_and_again(void)
{
	struct mp_header h = { .type = MP_SETTLE, .path_seq = 3 };
	uint8_t p[MP_HEADER_TIMED];

	open_one();
	full(1);
	full(4);
	CHECK(reports() == 1);
	CHECK(last.highest == 4 && last.ranges == 1);
	CHECK(last.range[0].first == 2 && last.range[0].count == 2);
	full(5);
	rig_until(&e, e.now + 21 * MS);
	CHECK(reports() == 2 && last.ranges == 1);
	full(8);
	CHECK(reports() == 3 && last.ranges == 2);
	CHECK(last.range[1].first == 6 && last.range[1].count == 2);
	rig_outer(&e, 0, p, mp_header_emit(&h, p));
	full(9);
	rig_until(&e, e.now + 21 * MS);
	CHECK(reports() == 4 && last.ranges == 1 && last.range[0].first == 6);
	rig_close(&e);
}

static void test_settle_before_a_range_leaves_it(void)
{
	struct mp_header h = { .type = MP_SETTLE, .path_seq = 2 };
	uint8_t p[MP_HEADER_TIMED];

	open_one();
	full(1);
	full(4);
	rig_outer(&e, 0, p, mp_header_emit(&h, p));
	full(6);
	CHECK(reports() == 2 && last.ranges == 2 && last.range[0].first == 2);
	rig_close(&e);
}

static void test_late_number_leaves_its_range(void)
{
	struct mp_path_info info;

	open_one();
	full(1);
	full(10); /* 2..9 */
	full(5);
	full(20); /* 11..19 */
	CHECK(reports() == 2 && last.ranges == 3);
	CHECK(last.range[0].first == 2 && last.range[0].count == 3);
	CHECK(last.range[1].first == 6 && last.range[1].count == 4);
	full(6);
	full(9);
	full(19);
	full(11);
	full(22);
	reports();
	CHECK(last.ranges == 4);
	CHECK(last.range[1].first == 7 && last.range[1].count == 2);
	CHECK(last.range[2].first == 12 && last.range[2].count == 7);
	full(2);
	full(3);
	full(4);
	full(24);
	reports();
	CHECK(last.ranges == 4 && last.range[0].first == 7);
	full(7);
	full(7);
	mp_path_info(e.m, 0, &info);
	CHECK(info.n.missing_came == 9 && info.n.came_again == 1);
	CHECK(info.n.missing == 8 + 9 + 1 + 1);
	rig_close(&e);
}

static void test_full_table_forgets_the_oldest(void)
{
	open_one();
	for (uint32_t i = 0; i < MP_RANGES; i++)
		full(2 * i + 2); /* 1, 3, 5 ... are missing */
	reports();
	CHECK(last.ranges == MP_RANGES && last.range[0].first == 1);
	full(2 * MP_RANGES + 3);
	reports();
	CHECK(last.ranges == MP_RANGES && last.range[0].first == 3);
	CHECK(last.range[MP_RANGES - 1].count == 2);
	CHECK(mp_counters(e.m)->ranges_lost == 1);
	rig_close(&e);
}

static void test_too_far_back_is_forgotten(void)
{
	open_one();
	full(2);
	full(30000);
	full(60000);
	reports();
	CHECK(last.ranges == 3);
	full(65538);
	reports();
	CHECK(last.highest == 65538 && last.range[0].first == 3);
	CHECK(mp_counters(e.m)->ranges_lost == 1);
	rig_close(&e);
}

static void test_far_off_numbers_are_refused(void)
{
	open_one();
	full(5);
	full(5 + 32769);
	full(5u - 32769u);
	CHECK(mp_counters(e.m)->bad_seq == 2);
	full(5 + 32768);
	CHECK(mp_counters(e.m)->bad_seq == 2);
	reports();
	CHECK(last.highest == 32773);
	rig_close(&e);
}

static void test_probe_is_answered_at_once(void)
{
	struct mp_header h = { .type = MP_PROBE, .path_seq = 1 };
	uint8_t p[MP_HEADER_TIMED];

	open_one();
	rig_outer(&e, 0, p, mp_header_emit(&h, p));
	CHECK(reports() == 1);
	CHECK(last.highest == 1 && last.bytes == MP_HEADER + MP_OVERHEAD);
	rig_close(&e);
}

static void test_numbers_of_a_path_wrap(void)
{
	open_one();
	for (uint32_t i = 0; i < 140000; i++) {
		e.notes = 0;
		full(1 + i * 32768); /* up to the wrap and over it */
	}
	full(1 + 140000u * 32768u);
	reports();
	CHECK(last.highest == 1 + 140000u * 32768u);
	CHECK(mp_counters(e.m)->bad_seq == 0);
	rig_close(&e);
}

static void test_those_that_come_together_are_told_once(void)
{
	struct mp_effects out = { .n = 0 };

	open_one();
	mp_outer_begin(e.m);
	for (uint32_t i = 1; i <= 20; i++)
		if (i != 7)
			full(i);
	CHECK(reports() == 0);
	mp_outer_end(e.m, e.now, &out);
	rig_took(&e, &out);
	CHECK(reports() == 1);
	CHECK(last.highest == 20 && last.ranges == 1);
	CHECK(last.bytes == 19 * (1400 + MP_HEADER + MP_OVERHEAD));
	for (uint32_t i = 21; i <= 24; i++)
		full(i);
	CHECK(reports() == 2);
	rig_close(&e);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "after four packets or 20 ms", test_four_packets_or_20_ms },
		{ "those that come together are told once",
		  test_those_that_come_together_are_told_once },
		{ "thin packets wait longer", test_thin_packets_wait_longer },
		{ "a gap is told at once, and again until settled",
		  test_gap_is_told_at_once_and_again },
		{ "a settle before a range leaves it",
		  test_settle_before_a_range_leaves_it },
		{ "a late number leaves its range",
		  test_late_number_leaves_its_range },
		{ "a full table forgets the oldest",
		  test_full_table_forgets_the_oldest },
		{ "too far back is forgotten", test_too_far_back_is_forgotten },
		{ "far off numbers are refused",
		  test_far_off_numbers_are_refused },
		{ "a probe is answered at once",
		  test_probe_is_answered_at_once },
		{ "numbers of a path wrap", test_numbers_of_a_path_wrap },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
