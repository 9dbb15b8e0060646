/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mp_queue.c - Unit test of what waits: bound, CoDel's law, turns
 */
#include "multipath_rig.h"

static struct end e;

static void open_one(void)
{
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();

	l.lanes = 1024;
	rig_open(&e, &l, &c);
	rig_path(&e, 0, 10 * MS);
	/* So much is out that nothing more is sent. */
	do
		rig_udp(&e, 99, 1400, 0, MP_AS_ALL);
	while (mp_queued(e.m) == 0);
	e.notes = 0;
}

static void test_bound_is_24_packets_of_a_path_without_rate(void)
{
	open_one();
	rig_bulk(&e, 100);
	CHECK(mp_bound(e.m) == 24 * 1514);
	/* Two lanes: each has half of it, and in a burst three times as much. */
	CHECK(mp_queued(e.m) <= 1400 + 3 * 12 * 1514);
	CHECK(mp_queued(e.m) > 1400 + 3 * 12 * 1514 - 1400);
	CHECK(mp_counters(e.m)->drop_bound == 100 - 38);
	rig_close(&e);
}

static void test_lane_has_four_packets(void)
{
	open_one();
	for (uint8_t k = 1; k <= 60; k++)
		for (unsigned i = 0; i < 6; i++)
			rig_udp(&e, k, 1500, 0, MP_AS_ALL);
	CHECK(mp_counters(e.m)->inner ==
	      mp_counters(e.m)->first + mp_counters(e.m)->drop_bound +
		      mp_queued(e.m) / 1500 + (mp_queued(e.m) % 1500 != 0));
	/* 24 packets are shared by 61, yet each has 4. */
	CHECK(mp_queued(e.m) >= 58 * 4 * 1500);
	rig_close(&e);
}

static void test_full_shelf_drops(void)
{
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();

	l.packets = 4;
	rig_open(&e, &l, &c);
	rig_bulk(&e, 7);
	CHECK(mp_counters(e.m)->drop_full == 3);
	CHECK(mp_queued(e.m) == 4 * 1400);
	rig_close(&e);
}

static void test_codel_drops_at_its_times(void)
{
	static const unsigned want[4] = { 100, 200, 270, 328 };
	uint64_t from, last = 0;
	unsigned n = 0;

	open_one();
	/* Just over this lane's half. */
	while (mp_queued(e.m) <= 1400 + 12 * 1514)
		rig_udp(&e, 1, 200, 0, MP_AS_ALL);
	from = e.now;
	for (unsigned i = 0; i < 115; i++) {
		rig_udp(&e, 1, 36, 0, MP_AS_ALL);
		if (mp_counters(e.m)->drop_law > last && n < 4) {
			unsigned ms = (unsigned)((e.now - from) / MS);

			last = mp_counters(e.m)->drop_law;
			CHECK(ms >= want[n] && ms <= want[n] + 4 * (n + 1));
			n++;
		}
		rig_until(&e, from + (i + 1) * 3 * MS);
	}
	CHECK(n >= 3 && mp_counters(e.m)->drop_bound == 0);
	rig_close(&e);
}

static void test_codel_leaves_bursts_alone(void)
{
	open_one();
	rig_bulk(&e, 11);
	rig_until(&e, e.now + 90 * MS);
	rig_udp(&e, 1, 36, 0, MP_AS_ALL);
	CHECK(mp_counters(e.m)->drop_law == 0);
	rig_close(&e);
}

static void test_lanes_take_turns_by_bytes(void)
{
	struct mp_report r = { .path = 0 };
	int64_t ahead = 0;
	uint64_t both = 0;
	struct mp_path_info i;

	open_one();
	for (unsigned k = 0; k < 8; k++) {
		rig_udp(&e, 1, 1400, 0, MP_AS_ALL);
		for (unsigned n = 0; n < 4; n++)
			rig_udp(&e, 2, 300, 0, MP_AS_ALL);
	}
	CHECK(mp_counters(e.m)->drop_bound == 0);
	rig_until(&e, e.now + 10 * MS);
	mp_path_info(e.m, 0, &i);
	r.highest = (uint32_t)i.n.sent;
	r.bytes = (uint32_t)i.n.sent_bytes;
	r.at = (uint32_t)(e.now / NS_PER_US);
	rig_report(&e, &r);
	for (uint32_t k = 0; k < e.notes; k++) {
		const struct note *t = &e.note[k];

		if (t->why != MP_WHY_FIRST || t->flow > 2)
			continue;
		ahead += t->flow == 1 ? (int64_t)t->len : -(int64_t)t->len;
		both += t->len;
		CHECK(ahead <= 2 * 1514 && ahead >= -2 * 1514);
	}
	CHECK(both > 8000);
	rig_close(&e);
}

static void test_bound_shrinks_slowly(void)
{
	struct mp_path_config c = { .tier = MP_PRIMARY };
	struct mp_report r = { .path = 1, .highest = 1 };
	uint64_t was;

	open_one();
	CHECK(mp_path_add(e.m, 1, &c, e.now) == 0);
	rig_until(&e, e.now + 900 * MS); /* 0.9 s: so much more may wait */
	r.at = (uint32_t)(e.now / NS_PER_US);
	r.highest = 1;
	rig_report(&e, &r);
	rig_udp(&e, 1, 1400, 0, MP_AS_ALL);
	was = mp_bound(e.m);
	CHECK(was > 24 * 1514);
	CHECK(mp_path_remove(e.m, 1, e.now) == 0);
	rig_udp(&e, 1, 1400, 0, MP_AS_ALL);
	CHECK(mp_bound(e.m) == was);
	rig_until(&e, e.now + 3100 * MS);
	rig_udp(&e, 1, 1400, 0, MP_AS_ALL);
	CHECK(mp_bound(e.m) < was);
	rig_close(&e);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "the bound of a path without a rate is 24 packets",
		  test_bound_is_24_packets_of_a_path_without_rate },
		{ "a lane has four packets", test_lane_has_four_packets },
		{ "a full shelf drops", test_full_shelf_drops },
		{ "CoDel drops at its times", test_codel_drops_at_its_times },
		{ "CoDel leaves bursts alone", test_codel_leaves_bursts_alone },
		{ "lanes take turns by bytes", test_lanes_take_turns_by_bytes },
		{ "the bound shrinks slowly", test_bound_shrinks_slowly },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
