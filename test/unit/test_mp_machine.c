/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mp_machine.c - Unit test of an end as a whole, and of two with links between
 */
#include "multipath_rig.h"

static struct end e, f;

/* Packets of five flows on both ends for @ms, every 2 ms some; then rest. */
static void talk(uint64_t ms, unsigned each)
{
	uint64_t end = e.now + ms * MS;
	uint32_t k = 0;

	while (e.now < end) {
		for (unsigned i = 0; i < each; i++, k++) {
			rig_udp(&e, (uint8_t)(k % 5), 200 + k * 7 % 1200, 0,
				MP_AS_ALL);
			if (k % 4 == 0)
				rig_udp(&f, (uint8_t)(k % 3), 90,
					k % 8 == 0 ? 46 << 2 : 0, MP_AS_ALL);
		}
		rig_run(&e, &f, e.now + 2 * MS);
	}
	rig_run(&e, &f, e.now + 5 * NS_PER_SEC);
}

/* Each packet that @to delivered came once; of a flow in order, but late ones. */
static void check_delivery(const struct end *from, const struct end *to)
{
	static uint8_t times[1u << 20];
	uint32_t last[256] = { 0 };
	uint32_t n = 0;

	CHECK(from->id < 1u << 20 && to->notes <= RIG_NOTES);
	memset(times, 0, sizeof(times));
	for (uint32_t i = 0; i < to->notes && i < RIG_NOTES; i++) {
		const struct note *t = &to->note[i];

		if (t->send)
			continue;
		n++;
		CHECK(++times[t->id] == 1);
		if (t->why == MP_WHY_ORDER && t->tos == 0) {
			CHECK(t->id >= last[t->flow]);
			last[t->flow] = t->id;
		}
	}
	CHECK(n == mp_counters(to->m)->delivered);
}

static void test_all_arrives_through_loss(void)
{
	struct mp_config c = mp_config_default();
	struct link l[3] = {
		{ .rate = 400000, .delay = 5 * MS, .queue = 60, .every = 20 },
		{ .rate = 200000, .delay = 40 * MS, .queue = 60, .every = 33 },
		{ .rate = 100000, .delay = 15 * MS, .queue = 60 },
	};

	rig_pair(&e, &f, 3, l, &c);
	rig_run(&e, &f, e.now + 200 * MS);
	e.notes = f.notes = 0;
	talk(3000, 1);
	CHECK(mp_counters(e.m)->again > 20);
	CHECK(mp_counters(f.m)->delivered == mp_counters(e.m)->first);
	CHECK(mp_counters(e.m)->delivered == mp_counters(f.m)->first);
	check_delivery(&e, &f);
	check_delivery(&f, &e);
	rig_end(&e, &f, true);
}

static void test_every_scheduler_and_release(void)
{
	for (unsigned k = 0; k < 15; k++) {
		struct mp_config c = mp_config_default();
		struct link l[2] = {
			{ .rate = 300000,
			  .delay = 5 * MS,
			  .queue = 60,
			  .every = 40 },
			{ .rate = 200000, .delay = 20 * MS, .queue = 60 },
		};

		c.scheduler = (enum mp_scheduler)(k % 5);
		c.release = (enum mp_release)(k / 5);
		c.weight = 3;
		c.timed = c.release == MP_RELEASE_EQUAL;
		rig_pair(&e, &f, 2, l, &c);
		rig_run(&e, &f, e.now + 200 * MS);
		e.notes = f.notes = 0;
		talk(600, 1);
		CHECK(mp_counters(f.m)->delivered == mp_counters(e.m)->first);
		if (c.release != MP_RELEASE_OFF)
			check_delivery(&e, &f);
		rig_end(&e, &f, true);
	}
}

static void test_path_dies_and_comes_back(void)
{
	struct mp_config c = mp_config_default();
	struct link l[2] = {
		{ .rate = 300000, .delay = 5 * MS, .queue = 60 },
		{ .rate = 300000, .delay = 20 * MS, .queue = 60 },
	};
	struct mp_path_info i;

	rig_pair(&e, &f, 2, l, &c);
	rig_run(&e, &f, e.now + 200 * MS);
	e.notes = f.notes = 0;
	talk(400, 1);
	e.link[0].down = f.link[0].down = true;
	for (unsigned k = 0; k < 500; k++) {
		rig_udp(&e, 1, 500, 0, MP_AS_ALL);
		rig_run(&e, &f, e.now + 2 * MS);
	}
	mp_path_info(e.m, 0, &i);
	CHECK(!i.alive);
	e.link[0].down = f.link[0].down = false;
	talk(1500, 1);
	mp_path_info(e.m, 0, &i);
	CHECK(i.alive && mp_counters(e.m)->path_back == 1);
	CHECK(mp_counters(f.m)->delivered == mp_counters(e.m)->first);
	check_delivery(&e, &f);
	rig_end(&e, &f, true);
}

static void test_restart_of_both_ends(void)
{
	struct mp_config c = mp_config_default();
	struct link l[2] = {
		{ .rate = 100000, .delay = 5 * MS, .queue = 60 },
		{ .rate = 100000, .delay = 20 * MS, .queue = 60 },
	};
	uint64_t before;

	rig_pair(&e, &f, 2, l, &c);
	rig_run(&e, &f, e.now + 200 * MS);
	for (unsigned k = 0; k < 50; k++)
		rig_udp(&e, 1, 1400, 0, MP_AS_ALL);
	rig_run(&e, &f, e.now + 60 * MS);
	while (rig_flying > 0)
		free(rig_land());
	mp_restart(e.m, e.now);
	rig_check(&e);
	mp_restart(f.m, f.now);
	rig_check(&f);
	CHECK(mp_queued(e.m) == 0 && mp_counters(e.m)->drop_restart > 0);
	CHECK(pool_used(mp_pool(e.m)) == 0 && pool_used(mp_pool(f.m)) == 0);
	rig_run(&e, &f, e.now + 200 * MS);
	before = mp_counters(f.m)->delivered;
	rig_bulk(&e, 10);
	rig_run(&e, &f, e.now + 1000 * MS);
	CHECK(mp_counters(f.m)->delivered == before + 10);
	rig_end(&e, &f, true);
}

static void test_paths_come_and_go(void)
{
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();
	struct mp_path_config p = { .tier = MP_PRIMARY };
	struct mp_path_config wrong = { .tier = (enum mp_tier)3 };

	rig_open(&e, &l, &c);
	CHECK(mp_path_add(e.m, MP_PATHS, &p, e.now) != 0);
	CHECK(mp_path_add(e.m, 0, &wrong, e.now) != 0);
	CHECK(mp_path_remove(e.m, 3, e.now) != 0);
	for (unsigned i = 0; i < MP_PATHS; i++)
		rig_path(&e, i, 10 * MS);
	CHECK(mp_path_add(e.m, 5, &p, e.now) != 0);
	rig_bulk(&e, 60);
	for (unsigned i = 0; i < MP_PATHS; i++) {
		CHECK(mp_path_remove(e.m, i, e.now) == 0);
		rig_until(&e, e.now);
		rig_check(&e);
	}
	rig_bulk(&e, 3);
	rig_path(&e, 2, 10 * MS);
	CHECK(e.note[e.notes - 1].path == 2);
	rig_close(&e);
}

static void test_strangers_change_nothing(void)
{
	uint8_t p[64] = { 0 };
	struct mp_header h = { .type = MP_DATA, .path = 1, .lane = 2 };
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();
	uint32_t n = mp_header_emit(&h, p);
	struct mp_report r = { .path = 7 };

	rig_open(&e, &l, &c);
	rig_path(&e, 0, 10 * MS);
	rig_outer(&e, 0, p, n + 20); /* says another path than it came on */
	rig_outer(&e, 1, p, n + 20); /* there is no such path */
	rig_outer(&e, 255, p, n + 20);
	rig_report(&e, &r);
	CHECK(mp_counters(e.m)->bad_path == 4);
	h.path = 0;
	n = mp_header_emit(&h, p);
	rig_outer(&e, 0, p, n); /* nothing follows */
	rig_outer(&e, 0, p, n - 1);
	p[0] = 77;
	rig_outer(&e, 0, p, n + 20);
	CHECK(mp_counters(e.m)->bad == 3);
	h.path_seq = 1;
	h.lane = 16;
	n = mp_header_emit(&h, p);
	rig_outer(&e, 0, p, n + 20);
	CHECK(mp_counters(e.m)->bad_lane == 1);
	CHECK(mp_counters(e.m)->delivered == 0);
	CHECK(pool_used(mp_pool(e.m)) == 0);
	rig_close(&e);
}

static void test_bounds_are_tested(void)
{
	static const struct hash_key key = { { 1, 2 } };
	struct mp_config c = mp_config_default();
	struct mp_limits good = rig_limits(), l;
	struct arena none = { 0 };
	struct mp *m = NULL;

	l = good;
	l.lanes = 1;
	CHECK(mp_size(&l) == SIZE_MAX);
	l = good;
	l.packets = 1000;
	CHECK(mp_init(&m, &none, &l, &c, &key, 0) < 0);
	l = good;
	l.window = 65536;
	CHECK(mp_init(&m, &none, &l, &c, &key, 0) < 0);
	l = good;
	c.weight = 0;
	CHECK(mp_init(&m, &none, &l, &c, &key, 0) < 0);
	c.weight = 1;
	CHECK(mp_init(&m, &none, &good, &c, &key, 0) < 0);
	CHECK(m == NULL);
}

/* However small the arena is short: it is refused, and nothing is written. */
static void test_memory_is_taken_once(void)
{
	static const struct hash_key key = { { 1, 2 } };
	struct mp_config c = mp_config_default();
	struct mp_limits l = rig_limits();
	struct arena a = { .size = mp_size(&l) };
	struct mp *m = NULL;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	a.size -= ARENA_ALIGN;
	CHECK(mp_init(&m, &a, &l, &c, &key, 0) < 0 && m == NULL);
	a.size += ARENA_ALIGN;
	a.used = 0;
	CHECK(mp_init(&m, &a, &l, &c, &key, 0) == 0);
	CHECK(a.used == a.size);
	free(a.base);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "all arrives through loss", test_all_arrives_through_loss },
		{ "every scheduler and release",
		  test_every_scheduler_and_release },
		{ "a path dies and comes back", test_path_dies_and_comes_back },
		{ "restart of both ends", test_restart_of_both_ends },
		{ "paths come and go", test_paths_come_and_go },
		{ "strangers change nothing", test_strangers_change_nothing },
		{ "bounds are tested", test_bounds_are_tested },
		{ "memory is taken once", test_memory_is_taken_once },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
