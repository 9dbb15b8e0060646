/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mp_release.c - Unit test of order at the receiving end
 *
 * One end; the test is the other one. Numbers of packets are their lane sequence.
 */
#include "multipath_rig.h"

static struct end e;

static void open_with(enum mp_release release, uint32_t size, bool timer)
{
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();

	l.packets = 64;
	c.release = release;
	c.size = size;
	c.timer = timer;
	rig_open(&e, &l, &c);
	rig_path(&e, 0, 10 * MS);
	rig_path(&e, 1, 10 * MS);
	e.notes = 0;
}

/* The numbers that were delivered, as a string "0 1 2". */
static bool delivered(const char *want)
{
	char got[1024] = "";

	for (uint32_t i = 0; i < e.notes; i++)
		if (!e.note[i].send)
			snprintf(got + strlen(got), sizeof(got) - strlen(got),
				 "%s%u", got[0] == '\0' ? "" : " ",
				 e.note[i].id);
	if (strcmp(got, want) != 0)
		printf("# delivered: %s\n# wanted: %s\n", got, want);
	return strcmp(got, want) == 0;
}

static void test_in_order_at_once(void)
{
	open_with(MP_RELEASE_ORDER, 0, true);
	for (uint32_t i = 0; i < 5; i++)
		rig_data(&e, 0, i + 1, 3, i);
	CHECK(delivered("0 1 2 3 4"));
	CHECK(mp_counters(e.m)->held == 0);
	rig_close(&e);
}

static void test_hole_is_filled(void)
{
	open_with(MP_RELEASE_ORDER, 0, true);
	rig_data(&e, 0, 1, 3, 0);
	rig_data(&e, 0, 2, 3, 2);
	rig_data(&e, 0, 3, 3, 4);
	rig_data(&e, 0, 4, 3, 3);
	CHECK(delivered("0"));
	rig_data(&e, 1, 1, 3, 1);
	CHECK(delivered("0 1 2 3 4"));
	CHECK(mp_counters(e.m)->held == 3);
	CHECK(mp_counters(e.m)->given_up == 0);
	rig_close(&e);
}

static void test_hole_holds_its_lane_only(void)
{
	open_with(MP_RELEASE_ORDER, 0, true);
	rig_data(&e, 0, 1, 3, 1);
	rig_data(&e, 0, 2, 4, 0);
	CHECK(delivered("0"));
	rig_data(&e, 0, 3, 0, 7); /* thin: at once, whatever its number */
	rig_data(&e, 0, 4, 0, 5);
	CHECK(delivered("0 7 5"));
	rig_close(&e);
}

static void test_hole_is_given_up_after_its_time(void)
{
	uint64_t from;

	open_with(MP_RELEASE_ORDER, 0, true);
	rig_data(&e, 0, 1, 3, 0);
	rig_until(&e, e.now + 20 * MS);
	from = e.now;
	rig_data(&e, 0, 2, 3, 2);
	rig_until(&e, from + 50 * MS);
	rig_data(&e, 0, 3, 3, 5);
	rig_until(&e, from + 199 * MS);
	CHECK(delivered("0"));
	rig_until(&e, from + 201 * MS);
	CHECK(delivered("0 2"));
	rig_until(&e, from + 249 * MS);
	CHECK(delivered("0 2"));
	rig_until(&e, from + 251 * MS);
	CHECK(delivered("0 2 5"));
	CHECK(mp_counters(e.m)->given_up == 3);
	CHECK(mp_counters(e.m)->release_time == 2);
	rig_data(&e, 0, 4, 3, 4); /* late, but the first of its number */
	rig_data(&e, 1, 1, 3, 4);
	CHECK(delivered("0 2 5 4"));
	CHECK(mp_counters(e.m)->delivered_late == 1);
	CHECK(mp_counters(e.m)->duplicate == 1);
	rig_close(&e);
}

static void test_progress_gives_time(void)
{
	uint64_t from;

	open_with(MP_RELEASE_ORDER, 0, true);
	rig_data(&e, 0, 1, 3, 8);
	from = e.now;
	/* The turn moves: nobody waits for what is only due later. */
	for (uint32_t i = 0; i < 5; i++) {
		rig_until(&e, from + (i + 1) * 150 * MS);
		rig_data(&e, 0, 2 + i, 3, i);
	}
	CHECK(delivered("0 1 2 3 4"));
	rig_until(&e, from + 5 * 150 * MS + 201 * MS);
	CHECK(delivered("0 1 2 3 4 8"));
	rig_close(&e);
}

static void test_the_other_end_tells_the_time(void)
{
	struct mp_header h = { .type = MP_SETTLE, .lane_seq = 80000 };
	uint8_t p[MP_HEADER_TIMED];
	uint64_t from;

	open_with(MP_RELEASE_ORDER, 0, true);
	rig_outer(&e, 0, p, mp_header_emit(&h, p));
	from = e.now;
	rig_data(&e, 0, 1, 3, 1);
	rig_until(&e, from + 79 * MS);
	CHECK(delivered(""));
	rig_until(&e, from + 81 * MS);
	CHECK(delivered("1"));
	h.lane_seq = UINT32_MAX; /* not for ever */
	rig_outer(&e, 0, p, mp_header_emit(&h, p));
	rig_data(&e, 0, 2, 3, 3);
	rig_until(&e, e.now + 501 * MS);
	CHECK(delivered("1 3"));
	rig_close(&e);
}

static void test_no_packet_twice(void)
{
	struct rng {
		uint64_t s;
	} r = { 5 };
	static uint8_t times[400];

	open_with(MP_RELEASE_ORDER, 0, true);
	memset(times, 0, sizeof(times));
	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t k;

		r.s = r.s * UINT64_C(6364136223846793005) + 1;
		k = i / 10 + (uint32_t)(r.s >> 60);
		rig_data(&e, i % 2, i / 2 + 1, 3, k);
		rig_until(&e, e.now + MS);
	}
	rig_until(&e, e.now + 2 * NS_PER_SEC);
	for (uint32_t i = 0; i < e.notes; i++)
		if (!e.note[i].send)
			times[e.note[i].id]++;
	for (uint32_t i = 0; i < 400; i++)
		CHECK(times[i] <= 1);
	CHECK(mp_counters(e.m)->duplicate > 1000);
	CHECK(pool_used(mp_pool(e.m)) == 0);
	rig_close(&e);
}

static void test_off_delivers_as_they_come(void)
{
	open_with(MP_RELEASE_OFF, 0, false);
	rig_data(&e, 0, 1, 3, 2);
	rig_data(&e, 0, 2, 3, 0);
	rig_data(&e, 0, 3, 3, 2);
	rig_data(&e, 0, 4, 3, 1);
	CHECK(delivered("2 0 1"));
	CHECK(mp_counters(e.m)->duplicate == 1);
	rig_close(&e);
}

static void test_size_gives_up_all(void)
{
	open_with(MP_RELEASE_ORDER, 3, false);
	rig_data(&e, 0, 1, 3, 1);
	rig_data(&e, 0, 2, 3, 5);
	rig_data(&e, 0, 3, 3, 3);
	rig_until(&e, e.now + 5 * NS_PER_SEC); /* without timer for ever */
	CHECK(delivered(""));
	rig_data(&e, 0, 4, 3, 7);
	CHECK(delivered("1 3 5"));
	rig_data(&e, 0, 5, 3, 6);
	CHECK(delivered("1 3 5 6 7"));
	CHECK(mp_counters(e.m)->release_size == 1);
	/* What comes into a full lane may be what was just given up. */
	rig_data(&e, 0, 6, 3, 9);
	rig_data(&e, 0, 7, 3, 11);
	rig_data(&e, 0, 8, 3, 13);
	rig_data(&e, 0, 9, 3, 10);
	CHECK(delivered("1 3 5 6 7 9 11 13 10"));
	CHECK(mp_counters(e.m)->delivered_late == 1);
	rig_close(&e);
}

static void test_full_shelf_gives_up_a_lane(void)
{
	open_with(MP_RELEASE_ORDER, 0, false);
	for (uint32_t i = 0; i < 70; i++)
		rig_data(&e, 0, i + 1, (uint16_t)(1 + i % 2), 2 + i / 2);
	CHECK(mp_counters(e.m)->release_size > 0);
	CHECK(mp_counters(e.m)->drop_held == 0);
	CHECK(mp_counters(e.m)->delivered >= 6);
	rig_close(&e);
}

static void test_far_ahead_goes_on_there(void)
{
	open_with(MP_RELEASE_ORDER, 0, true);
	rig_data(&e, 0, 1, 3, 0);
	rig_data(&e, 0, 2, 3, 2);
	rig_data(&e, 0, 3, 3, 1000000);
	rig_data(&e, 0, 4, 3, 1000001);
	rig_data(&e, 0, 5, 3, 5);	    /* too old to know */
	rig_data(&e, 0, 6, 3, 1000000 - 9); /* late */
	CHECK(delivered("0 2 1000000 1000001 999991"));
	CHECK(mp_counters(e.m)->resync == 1);
	CHECK(mp_counters(e.m)->stale == 1);
	rig_close(&e);
}

static void test_more_than_fits_one_call(void)
{
	open_with(MP_RELEASE_ORDER, 0, true);
	for (uint32_t i = 50; i > 0; i--)
		rig_data(&e, 0, 51 - i, 3, i);
	CHECK(delivered(""));
	rig_data(&e, 0, 51, 3, 0);
	CHECK(mp_counters(e.m)->delivered == 51);
	for (uint32_t i = 0, k = 0; i < e.notes; i++)
		if (!e.note[i].send)
			CHECK(e.note[i].id == k++);
	rig_close(&e);
}

static void timed(uint8_t path, uint32_t path_seq, uint32_t lane_seq,
		  uint64_t sent)
{
	uint8_t p[MP_HEADER_TIMED + 100] = { 0 };
	struct mp_header h = { .type = MP_DATA_TIMED,
			       .path = path,
			       .lane = 3,
			       .path_seq = path_seq,
			       .lane_seq = lane_seq,
			       .sent = (uint32_t)(sent / NS_PER_US) };
	uint32_t n = mp_header_emit(&h, p);

	put_be32(p + n + RIG_FLOW_OFF + 2, lane_seq);
	rig_outer(&e, path, p, n + 100);
}

static void test_equal_waits_for_the_slowest_path(void)
{
	uint64_t t0;
	uint64_t skew = UINT64_C(4000) * NS_PER_SEC; /* of the two clocks */

	open_with(MP_RELEASE_EQUAL, 0, true);
	t0 = e.now;
	rig_until(&e, t0 + 10 * MS); /* path 0: 10 ms */
	timed(0, 1, 0, t0 + skew);
	rig_until(&e, t0 + 13 * MS);
	CHECK(delivered("0"));	     /* no slower path is known yet */
	rig_until(&e, t0 + 60 * MS); /* path 1: 60 ms */
	timed(1, 1, 1, t0 + skew);
	rig_until(&e, t0 + 63 * MS);
	CHECK(delivered("0 1"));
	timed(0, 2, 2, t0 + 53 * MS + skew);
	rig_until(&e, t0 + 114 * MS);
	CHECK(delivered("0 1"));
	rig_until(&e, t0 + 116 * MS);
	CHECK(delivered("0 1 2"));
	rig_close(&e);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "in order: at once", test_in_order_at_once },
		{ "a hole is filled", test_hole_is_filled },
		{ "a hole holds up its own lane only",
		  test_hole_holds_its_lane_only },
		{ "a hole is given up after its time",
		  test_hole_is_given_up_after_its_time },
		{ "a turn that moves gives time", test_progress_gives_time },
		{ "the other end tells the time",
		  test_the_other_end_tells_the_time },
		{ "no packet twice", test_no_packet_twice },
		{ "off: as they come", test_off_delivers_as_they_come },
		{ "size gives up all holes", test_size_gives_up_all },
		{ "a full shelf gives up a lane",
		  test_full_shelf_gives_up_a_lane },
		{ "far ahead: it goes on there", test_far_ahead_goes_on_there },
		{ "more than one call has room for",
		  test_more_than_fits_one_call },
		{ "equal release waits for the slowest path",
		  test_equal_waits_for_the_slowest_path },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
