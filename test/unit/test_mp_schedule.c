/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mp_schedule.c - Unit test of which packet goes on which path
 */
#include <errno.h>

#include "multipath_rig.h"

static struct end e, f;

static void open_paths(enum mp_scheduler how, uint32_t weight, unsigned n)
{
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();

	c.scheduler = how;
	c.weight = weight;
	rig_open(&e, &l, &c);
	for (unsigned i = 0; i < n; i++)
		rig_path(&e, i, (10 + 10 * i) * MS);
	e.notes = 0;
}

/* The paths of the packets that were sent, as digits. */
static bool paths(const char *want)
{
	char got[256] = "";

	for (uint32_t i = 0; i < e.notes && i < 255; i++)
		if (e.note[i].send && e.note[i].len > 0)
			got[strlen(got)] = (char)('0' + e.note[i].path);
	if (strcmp(got, want) != 0)
		printf("# paths: %s\n# wanted: %s\n", got, want);
	return strcmp(got, want) == 0;
}

static void test_round_robin(void)
{
	open_paths(MP_ROUNDROBIN, 1, 3);
	rig_bulk(&e, 8);
	CHECK(paths("01201201"));
	rig_close(&e);
}

static void test_weights(void)
{
	open_paths(MP_WEIGHTS, 6, 2);
	rig_bulk(&e, 15);
	CHECK(paths("011111101111110"));
	rig_close(&e);
	open_paths(MP_WEIGHTS, 4, 3);
	rig_bulk(&e, 11);
	CHECK(paths("01212012120"));
	rig_close(&e);
	open_paths(MP_WEIGHTS, 5, 1);
	rig_bulk(&e, 4);
	CHECK(paths("0000"));
	rig_close(&e);
}

static void test_weights_without_the_light_path(void)
{
	open_paths(MP_WEIGHTS, 5, 3);
	CHECK(mp_path_remove(e.m, 0, e.now) == 0);
	rig_bulk(&e, 4);
	CHECK(paths("1212"));
	rig_close(&e);
}

/* Paths with weights of their own take turns that are not in a row. */
static void test_weights_of_paths(void)
{
	struct mp_path_config c = { .weight = 3 };

	open_paths(MP_WEIGHTS, 50, 3);
	CHECK(mp_path_configure(e.m, 1, &c) == 0);
	rig_bulk(&e, 10);
	CHECK(paths("1012110121"));
	rig_close(&e);
}

/* 20 packets of 1,454 bytes on a path that gets 50,000 a second: burst and all. */
static void test_rate_is_kept(void)
{
	struct mp_path_config c = { .rate = 50000 };
	uint64_t from, last = 0;

	open_paths(MP_EARLIEST, 1, 1);
	CHECK(mp_path_configure(e.m, 0, &c) == 0);
	from = e.now;
	rig_bulk(&e, 20);
	rig_until(&e, from + 2 * NS_PER_SEC);
	for (uint32_t i = 0; i < e.notes; i++)
		if (e.note[i].send && e.note[i].len > 0)
			last = e.note[i].at;
	CHECK(mp_counters(e.m)->first > 3);
	/* Nothing comes back, so copies go out, too; all at that rate. */
	CHECK(last > from);
	for (uint64_t at = from; at < last; at += 100 * MS) {
		uint64_t bytes = 0;

		for (uint32_t i = 0; i < e.notes; i++)
			if (e.note[i].send && e.note[i].at < at)
				bytes += e.note[i].len + 54;
		CHECK(bytes <= 50000 * (at - from) / NS_PER_SEC + 10 * 1454);
	}
	rig_close(&e);
}

/* What is off gets nothing, and is there when it is wanted again. */
static void test_path_that_is_off(void)
{
	struct mp_path_config c = { .off = true };

	open_paths(MP_ROUNDROBIN, 1, 3);
	CHECK(mp_path_configure(e.m, 3, &c) == -ENOENT);
	CHECK(mp_path_configure(e.m, MP_PATHS, &c) == -EINVAL);
	CHECK(mp_path_configure(e.m, 1, &c) == 0);
	rig_bulk(&e, 4);
	CHECK(paths("0202"));
	CHECK(mp_path_alive(e.m, 1));
	c.off = false;
	CHECK(mp_path_configure(e.m, 1, &c) == 0);
	rig_bulk(&e, 3);
	CHECK(paths("0202120"));
	rig_close(&e);
}

static void test_copy_goes_on_all(void)
{
	open_paths(MP_COPY, 1, 3);
	rig_bulk(&e, 3);
	CHECK(paths("012012012"));
	CHECK(e.note[0].h.lane_seq == e.note[2].h.lane_seq);
	CHECK(mp_counters(e.m)->twin == 6 && mp_counters(e.m)->first == 3);
	rig_close(&e);
}

static void test_lane_is_pinned(void)
{
	uint8_t on[20];
	unsigned used = 0, moved = 0;

	open_paths(MP_PIN, 1, 4);
	for (uint8_t k = 0; k < 20; k++) {
		e.notes = 0;
		rig_udp(&e, k, 100, 0, MP_AS_ALL);
		rig_udp(&e, k, 100, 0, MP_AS_ALL);
		CHECK(e.notes == 2 && e.note[0].path == e.note[1].path);
		on[k] = e.note[0].path;
		used |= 1u << on[k];
	}
	CHECK(used == 0xf);
	CHECK(mp_path_remove(e.m, 2, e.now) == 0);
	rig_until(&e, e.now); /* what was out on it goes again */
	for (uint8_t k = 0; k < 20; k++) {
		e.notes = 0;
		rig_udp(&e, k, 100, 0, MP_AS_ALL);
		if (on[k] != 2)
			moved += e.note[e.notes - 1].path != on[k];
		else
			CHECK(e.note[e.notes - 1].path != 2);
	}
	CHECK(moved == 0);
	rig_close(&e);
}

static void test_class_of_a_packet(void)
{
	open_paths(MP_EARLIEST, 1, 3);
	rig_udp(&e, 1, 100, 0, MP_CLASS_COPY);
	CHECK(mp_counters(e.m)->twin == 2);
	rig_close(&e);
	open_paths(MP_COPY, 1, 3);
	rig_udp(&e, 1, 100, 0, MP_CLASS_SPREAD);
	CHECK(mp_counters(e.m)->twin == 0 && mp_counters(e.m)->first == 1);
	rig_close(&e);
}

static void add(unsigned path, enum mp_tier tier, uint64_t cap)
{
	struct mp_path_config c = { .tier = tier, .cap = cap };
	struct mp_report r = { .path = (uint8_t)path, .highest = 1 };

	CHECK(mp_path_add(e.m, path, &c, e.now) == 0);
	rig_until(&e, e.now + 10 * MS);
	r.at = (uint32_t)(e.now / NS_PER_US);
	rig_report(&e, &r);
	e.notes = 0;
}

static uint32_t data_on(unsigned path)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < e.notes; i++)
		n += e.note[i].send && e.note[i].path == path &&
		     (e.note[i].why == MP_WHY_FIRST ||
		      e.note[i].why == MP_WHY_AHEAD ||
		      e.note[i].why == MP_WHY_TURN);
	return n;
}

/* Packets and copies. */
static uint32_t all_on(unsigned path)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < e.notes; i++)
		n += e.note[i].len > 0 && e.note[i].path == path;
	return n;
}

static void test_tiers(void)
{
	open_paths(MP_EARLIEST, 1, 0);
	add(0, MP_BACKUP, 0);
	rig_bulk(&e, 1);
	CHECK(data_on(0) == 1); /* there is no other */
	add(1, MP_SECONDARY, 0);
	rig_bulk(&e, 1);
	CHECK(data_on(1) == 1 && data_on(0) == 0);
	add(2, MP_PRIMARY, 0);
	rig_bulk(&e, 3);
	CHECK(data_on(2) == 3 && data_on(1) == 0 && data_on(0) == 0);
	rig_bulk(&e, 10); /* full, but not much waits */
	CHECK(all_on(1) == 0);
	rig_bulk(&e, 40); /* it is measured, and would be used then */
	CHECK(all_on(1) > 0 && all_on(0) == 0);
	rig_close(&e);
}

static void test_cap_ends_a_path(void)
{
	struct mp_path_info i;

	open_paths(MP_ROUNDROBIN, 1, 0);
	add(0, MP_PRIMARY, 5000);
	add(1, MP_PRIMARY, 0);
	rig_bulk(&e, 20);
	mp_path_info(e.m, 0, &i);
	CHECK(i.n.sent_bytes >= 5000 && i.n.sent_bytes < 5000 + 1500);
	CHECK(data_on(0) == 4 && data_on(1) == 16);
	rig_close(&e);
}

/* Not even thin packets go beyond the caps of all paths. */
static void test_caps_end_all(void)
{
	struct mp_path_info i;

	open_paths(MP_EARLIEST, 1, 0);
	add(0, MP_PRIMARY, 5000);
	for (uint32_t k = 0; k < 100; k++)
		rig_udp(&e, 1, 100, 46 << 2, MP_AS_ALL);
	mp_path_info(e.m, 0, &i);
	CHECK(i.n.sent_bytes >= 5000 && i.n.sent_bytes < 5000 + 200);
	CHECK(mp_counters(e.m)->drop_thin > 50);
	rig_close(&e);
}

/* What arrived at @f between two times, bytes a second. */
static uint64_t goodput(uint64_t from, uint64_t to)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < f.notes && i < RIG_NOTES; i++)
		if (!f.note[i].send && f.note[i].at >= from &&
		    f.note[i].at < to)
			n += f.note[i].len;
	return n * NS_PER_SEC / (to - from);
}

/* Keep the queue of @e full for @secs. */
static void load(uint64_t secs)
{
	uint64_t end = e.now + secs * NS_PER_SEC;

	while (e.now < end) {
		while (mp_queued(e.m) < mp_bound(e.m) * 2 / 3 ||
		       mp_queued(e.m) == 0) {
			uint64_t was = mp_counters(e.m)->first;

			rig_udp(&e, 1, 1400, 0, MP_AS_ALL);
			if (mp_queued(e.m) == 0 &&
			    mp_counters(e.m)->first == was)
				break;
		}
		rig_run(&e, &f, e.now + 2 * MS);
	}
}

static void test_slow_path_gets_what_is_due_later(void)
{
	struct mp_config c = mp_config_default();
	struct link l[2] = {
		{ .rate = 30000, .delay = 5 * MS, .queue = 100 },
		{ .rate = 300000, .delay = 5 * MS, .queue = 100 }
	};
	uint64_t from, good, last = 0, n = 0, on0 = 0;

	rig_pair(&e, &f, 2, l, &c);
	rig_run(&e, &f, e.now + 100 * MS);
	from = e.now;
	load(12);
	good = goodput(from + 4 * NS_PER_SEC, from + 12 * NS_PER_SEC);
	/* Nine tenths of both, headers deducted. */
	CHECK(good > 330000 * 95 / 100 * 1400 / 1454);
	CHECK(mp_counters(e.m)->ahead > 50);
	for (uint32_t i = 0; i < f.notes && i < RIG_NOTES; i++)
		if (!f.note[i].send) {
			CHECK(n++ == 0 || f.note[i].id > last);
			last = f.note[i].id;
		}
	for (uint32_t i = 0; i < e.notes && i < RIG_NOTES; i++)
		on0 += e.note[i].path == 0 && e.note[i].len > 0;
	CHECK(on0 > 150);
	CHECK(mp_counters(f.m)->given_up == 0);
	rig_end(&e, &f, false);
}

static void test_new_path_is_measured_with_copies(void)
{
	struct mp_config c = mp_config_default();
	struct link l[2] = { { .rate = 200000, .delay = 5 * MS, .queue = 50 },
			     { .rate = 80000, .delay = 30 * MS, .queue = 50 } };
	struct mp_path_info i;

	rig_pair(&e, &f, 2, l, &c);
	rig_run(&e, &f, e.now + 100 * MS);
	load(2);
	mp_path_info(e.m, 1, &i);
	CHECK(mp_counters(e.m)->measured > 0);
	CHECK(!i.measuring && i.rate > 72000 && i.rate < 84000);
	CHECK(mp_counters(f.m)->duplicate > 0);
	CHECK(mp_counters(f.m)->duplicate <= mp_counters(e.m)->measured);
	rig_end(&e, &f, false);
}

static void test_thin_passes_the_queue(void)
{
	open_paths(MP_EARLIEST, 1, 2);
	rig_bulk(&e, 90);
	CHECK(mp_queued(e.m) > 0);
	e.notes = 0;
	rig_udp(&e, 1, 60, 46 << 2, MP_AS_ALL);
	CHECK(e.notes == 1 && e.note[0].why == MP_WHY_THIN);
	CHECK(e.note[0].h.lane == 0);
	rig_close(&e);
}

/* A short thin packet goes twice, but only where packets are lost. */
static void test_thin_goes_twice_where_packets_are_lost(void)
{
	for (uint32_t every = 0; every <= 50; every += 50) {
		struct mp_config c = mp_config_default();
		struct link l[1] = { { .rate = 200000,
				       .delay = 5 * MS,
				       .queue = 100,
				       .every = every } };
		uint64_t twin, dropped;

		rig_pair(&e, &f, 1, l, &c);
		rig_run(&e, &f, e.now + 100 * MS);
		load(4);
		twin = mp_counters(e.m)->twin;
		CHECK(twin == 0);
		e.notes = f.notes = 0;
		dropped = mp_counters(f.m)->duplicate;
		rig_udp(&e, 1, 200, 46 << 2, MP_AS_ALL);
		rig_udp(&e, 1, 1000, 46 << 2, MP_AS_ALL);
		CHECK(rig_count_of(&e, 0, MP_WHY_THIN) == 2);
		CHECK(rig_count_of(&e, 0, MP_WHY_TWIN) == (every > 0));
		rig_run(&e, &f, e.now + 500 * MS);
		CHECK(mp_counters(f.m)->duplicate >= dropped);
		rig_end(&e, &f, false);
	}
}

static void test_without_an_answer_bulk_waits(void)
{
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();
	struct mp_path_config p = { .tier = MP_PRIMARY };
	struct mp_report r = { .path = 1, .highest = 1 };

	rig_open(&e, &l, &c);
	CHECK(mp_path_add(e.m, 0, &p, e.now) == 0);
	CHECK(mp_path_add(e.m, 1, &p, e.now) == 0);
	rig_bulk(&e, 2);
	rig_udp(&e, 1, 60, 46 << 2, MP_AS_ALL);
	rig_udp(&e, 1, 60, 46 << 2, MP_AS_ALL);
	CHECK(rig_count_of(&e, 0, MP_WHY_FIRST) == 0);
	CHECK(rig_find(&e, 0, MP_WHY_THIN, 0)->path !=
	      rig_find(&e, 0, MP_WHY_THIN, 1)->path);
	rig_until(&e, e.now + 10 * MS);
	r.at = (uint32_t)(e.now / NS_PER_US);
	rig_report(&e, &r);
	CHECK(rig_count_of(&e, 0, MP_WHY_FIRST) == 2);
	rig_close(&e);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "round robin", test_round_robin },
		{ "weights", test_weights },
		{ "weights without the light path",
		  test_weights_without_the_light_path },
		{ "paths have weights", test_weights_of_paths },
		{ "a path's rate is kept", test_rate_is_kept },
		{ "a path that is off gets nothing", test_path_that_is_off },
		{ "a copy goes on all paths", test_copy_goes_on_all },
		{ "a lane is pinned", test_lane_is_pinned },
		{ "class of a packet", test_class_of_a_packet },
		{ "tiers", test_tiers },
		{ "a cap ends a path", test_cap_ends_a_path },
		{ "caps end all", test_caps_end_all },
		{ "a slow path gets what is due later",
		  test_slow_path_gets_what_is_due_later },
		{ "a new path is measured with copies",
		  test_new_path_is_measured_with_copies },
		{ "a thin packet passes the queue",
		  test_thin_passes_the_queue },
		{ "a thin packet goes twice where packets are lost",
		  test_thin_goes_twice_where_packets_are_lost },
		{ "without an answer bulk waits",
		  test_without_an_answer_bulk_waits },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
