/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mp_path.c - Unit test of what a sender believes of a path
 *
 * The oracle is the link itself: its rate and delay are the test's.
 */
#include "multipath_rig.h"

static struct end e, f;

/* Keep the queue of @e full for @ms. */
static void load(uint64_t ms)
{
	uint64_t end = e.now + ms * MS;

	while (e.now < end) {
		for (unsigned i = 0;
		     i < 40 && mp_queued(e.m) * 2 <= mp_bound(e.m); i++)
			rig_udp(&e, 1, 1400, 0, MP_AS_ALL);
		rig_run(&e, &f, e.now + 2 * MS);
	}
}

static struct mp_path_info info(unsigned path)
{
	struct mp_path_info i;

	mp_path_info(e.m, path, &i);
	return i;
}

static void open_links(unsigned n, const struct link *l)
{
	struct mp_config c = mp_config_default();

	rig_pair(&e, &f, n, l, &c);
	rig_run(&e, &f, e.now + 500 * MS);
}

static bool near(uint64_t got, uint64_t want, uint64_t percent)
{
	bool ok = got * 100 >= want * (100 - percent) &&
		  got * 100 <= want * (100 + percent);

	if (!ok)
		printf("# got %llu, wanted %llu\n", (unsigned long long)got,
		       (unsigned long long)want);
	return ok;
}

static void test_rate_and_delay_are_found(void)
{
	static const struct link links[] = {
		{ .rate = 20000, .delay = 5 * MS, .queue = 100 },
		{ .rate = 100000, .delay = 50 * MS, .queue = 100 },
		{ .rate = 500000, .delay = 1 * MS, .queue = 100 },
		{ .rate = 3000000, .delay = 20 * MS, .queue = 100 },
		{ .rate = 1250000, .delay = 60 * MS, .queue = 100 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		const struct link *l = &links[i];
		uint64_t packet = 1454 * NS_PER_SEC / l->rate;
		struct mp_path_info p;

		open_links(1, l);
		load(6000);
		p = info(0);
		CHECK(near(p.rate, l->rate, 2));
		CHECK(p.min_rtt >= 2 * l->delay);
		CHECK(p.min_rtt < 2 * l->delay + 3 * packet + 5 * MS);
		/* What is out fills the way, and not much of a queue. */
		CHECK(p.window >= l->rate * (2 * l->delay / MS) / 1000);
		CHECK(p.window <
		      l->rate * (2 * l->delay / MS + 60) / 1000 + 4 * 1514);
		/* While the rate still grows no more than its window is lost. */
		CHECK(!p.measuring);
		CHECK(p.n.lost <=
		      4 * l->rate * (2 * l->delay / MS) / 1000 / 1454 + 100);
		rig_end(&e, &f, false);
	}
}

static void test_relative_delay_is_found(void)
{
	static const struct link l[2] = {
		{ .rate = 500000, .delay = 10 * MS, .queue = 100 },
		{ .rate = 500000, .delay = 70 * MS, .queue = 100 },
	};
	int64_t off;

	open_links(2, l);
	load(12000);
	off = info(1).delay - info(0).delay;
	CHECK(off > (int64_t)(55 * MS) && off < (int64_t)(68 * MS));
	rig_end(&e, &f, false);
}

static void test_rate_follows_steps(void)
{
	static const struct link l = { .rate = 1250000,
				       .delay = 10 * MS,
				       .queue = 100 };

	open_links(1, &l);
	load(3000);
	CHECK(near(info(0).rate, 1250000, 2));
	e.link[0].rate = 300000;
	load(3000);
	CHECK(near(info(0).rate, 300000, 3));
	e.link[0].rate = 1250000;
	load(3000);
	CHECK(near(info(0).rate, 1250000, 3));
	rig_end(&e, &f, false);
}

static void test_idle_time_forgets_nothing(void)
{
	static const struct link l = { .rate = 400000,
				       .delay = 10 * MS,
				       .queue = 100 };

	open_links(1, &l);
	load(3000);
	for (unsigned i = 0; i < 200; i++) { /* a little now and then */
		rig_udp(&e, 1, 1400, 0, MP_AS_ALL);
		rig_run(&e, &f, e.now + 100 * MS);
	}
	CHECK(near(info(0).rate, 400000, 3));
	rig_end(&e, &f, true);
}

static void test_burst_of_a_shaper_does_not_count(void)
{
	static const struct link l = { .rate = 30000,
				       .delay = 10 * MS,
				       .queue = 100 };

	open_links(1, &l);
	load(4000);
	CHECK(near(info(0).rate, 30000, 3));
	for (unsigned i = 0; i < 20; i++) {
		/* Idle; then four packets pass at once, as from a bucket. */
		rig_run(&e, &f, e.now + 1000 * MS);
		e.link[0].rate = 10000000;
		rig_bulk(&e, 4);
		e.link[0].rate = 30000;
		rig_bulk(&e, 6);
	}
	CHECK(near(info(0).rate, 30000, 5));
	rig_end(&e, &f, false);
}

/* A shaper that is given many packets as one lets all pass, and nothing else for as
 * long as they should have taken: one feedback tells of all, and nothing is out.
 */
static void test_clumps_do_not_hide_the_rate(void)
{
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();
	struct mp_report r = { .path = 0, .highest = 1, .bytes = 0 };

	rig_open(&e, &l, &c);
	rig_path(&e, 0, MS);
	for (unsigned i = 0; i < 8; i++) {
		uint32_t seen = e.notes;

		rig_bulk(&e, 8);
		for (; seen < e.notes; seen++)
			if (e.note[seen].send && e.note[seen].len > 0)
				r.highest = e.note[seen].h.path_seq;
		rig_until(&e, e.now + 50 * MS);
		r.bytes = r.highest * 1454;
		r.at = (uint32_t)(e.now / NS_PER_US);
		rig_report(&e, &r);
	}
	CHECK(info(0).rate > 100000 && info(0).rate < 1000000);
	rig_close(&e);
}

/* Nothing shows its rate: copies end by their own bound. */
static void test_path_without_a_limit_is_not_measured_for_long(void)
{
	static const struct link l[2] = { { .rate = 0, .delay = MS / 20 },
					  { .rate = 0, .delay = MS / 20 } };
	struct mp_path_config c = { .cap = 3000000 };

	open_links(2, l);
	CHECK(mp_path_configure(e.m, 1, &c) == 0);
	for (unsigned i = 0; i < 20000; i++) {
		rig_udp(&e, 1, 1400, 0, MP_AS_ALL);
		rig_run(&e, &f, e.now + MS / 100);
	}
	CHECK(!info(0).measuring);
	CHECK(mp_counters(e.m)->measured * 1514 < 3000000 / 16 + 4500000);
	CHECK(info(1).n.sent_bytes <= 3000000 + 20000);
	rig_end(&e, &f, false);
}

static void test_random_loss_does_not_shrink_the_window(void)
{
	struct link l = {
		.rate = 1250000, .delay = 30 * MS, .queue = 200, .every = 50
	};

	open_links(1, &l);
	load(6000);
	CHECK(info(0).n.lost > 50);
	CHECK(near(info(0).rate, 1250000, 3));
	CHECK(info(0).window >= 1250000 * 60 / 1000);
	CHECK(mp_counters(e.m)->again >= info(0).n.lost * 9 / 10);
	rig_end(&e, &f, false);
}

static void test_short_queue_is_not_overrun_for_long(void)
{
	struct link l = { .rate = 1250000, .delay = 30 * MS, .queue = 8 };
	uint64_t lost;

	open_links(1, &l);
	load(4000);
	lost = info(0).n.lost;
	load(4000);
	/* Less than 3 % of what the link carries. */
	CHECK((info(0).n.lost - lost) * 33 < 4 * 1250000 / 1454);
	CHECK(near(info(0).rate, 1250000, 10));
	rig_end(&e, &f, false);
}

/* What queues on the way back is not in front of this way's packets: a path that
 * carries a few acknowledgments now is not taken for one that bears no more.
 */
static void test_busy_way_back_is_no_limit(void)
{
	static const struct link l = { .rate = 1250000,
				       .delay = 10 * MS,
				       .queue = 100 };

	open_links(1, &l);
	load(3000);
	CHECK(near(info(0).rate, 1250000, 2));
	for (unsigned t = 0; t < 6000; t += 2) {
		for (unsigned i = 0;
		     i < 40 && mp_queued(f.m) * 2 <= mp_bound(f.m); i++)
			rig_udp(&f, 1, 1400, 0, MP_AS_ALL);
		for (unsigned i = 0; i < 60 && t % 200 == 0; i++)
			rig_udp(&e, 2, 60, 46 << 2, MP_AS_ALL);
		rig_run(&e, &f, e.now + 2 * MS);
	}
	CHECK(near(info(0).rate, 1250000, 2));
	rig_end(&e, &f, false);
}

/* A lying far end: whatever it reports, nothing breaks and the bounds hold. */
static void test_lies_are_bounded(void)
{
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();
	struct rng {
		uint64_t s;
	} r = { 3 };

	rig_open(&e, &l, &c);
	rig_path(&e, 0, 10 * MS);
	for (unsigned i = 0; i < 3000; i++) {
		struct mp_report lie = { .path = 0 };

		rig_udp(&e, 1, 1000, 0, MP_AS_ALL);
		r.s = r.s * UINT64_C(6364136223846793005) + 99;
		lie.highest = (uint32_t)(info(0).n.sent - (r.s >> 60));
		lie.bytes = (uint32_t)(r.s >> 20);
		lie.at = (uint32_t)(r.s >> 13);
		lie.held = (uint32_t)(r.s >> (r.s >> 59));
		rig_report(&e, &lie);
		CHECK(info(0).out <= 1024 * 1500);
		rig_until(&e, e.now + (r.s >> 62) * MS);
	}
	rig_close(&e);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "rate and delay are found", test_rate_and_delay_are_found },
		{ "relative delay is found", test_relative_delay_is_found },
		{ "a busy way back is no limit",
		  test_busy_way_back_is_no_limit },
		{ "the rate follows steps", test_rate_follows_steps },
		{ "idle time forgets nothing", test_idle_time_forgets_nothing },
		{ "the burst of a shaper does not count",
		  test_burst_of_a_shaper_does_not_count },
		{ "clumps do not hide the rate",
		  test_clumps_do_not_hide_the_rate },
		{ "a path without a limit is not measured for long",
		  test_path_without_a_limit_is_not_measured_for_long },
		{ "random loss does not shrink the window",
		  test_random_loss_does_not_shrink_the_window },
		{ "a short queue is not overrun for long",
		  test_short_queue_is_not_overrun_for_long },
		{ "lies are bounded", test_lies_are_bounded },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
