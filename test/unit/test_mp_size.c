/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mp_size.c - Unit test of how long a message may be on a path
 *
 * Two ends with links between that drop what is longer than they take.
 */
#include <errno.h>

#include "multipath_rig.h"

#define LEAST 1100u
#define MOST  1448u

static struct end e, f;

static void open_pair(unsigned paths, uint32_t takes)
{
	struct mp_config c = mp_config_default();
	struct mp_path_config p = { .size_least = LEAST, .size_most = MOST };
	struct link l[2] = { { .rate = 1000000, .delay = 10 * MS },
			     { .rate = 1000000, .delay = 10 * MS } };

	l[0].most = takes;
	rig_pair(&e, &f, paths, l, &c);
	for (unsigned i = 0; i < paths; i++)
		CHECK(mp_path_configure(e.m, i, &p) == 0);
	rig_run(&e, &f, e.now + 200 * MS);
}

/* A packet each 50 ms, for so long. */
static void talk(uint64_t ms)
{
	for (uint64_t end = e.now + ms * MS; e.now < end;) {
		rig_udp(&e, 1, 900, 0, MP_AS_ALL);
		rig_run(&e, &f, e.now + 50 * MS);
	}
}

static uint32_t limit(unsigned path)
{
	struct mp_path_info info;

	mp_path_info(e.m, path, &info);
	return info.size;
}

static void most_pass_at_once(void)
{
	open_pair(1, 0);
	CHECK(mp_counters(e.m)->size_probes == 0);
	talk(3000);
	CHECK(mp_counters(e.m)->size_probes == 1);
	CHECK(mp_counters(f.m)->size_answers == 1);
	CHECK(mp_counters(e.m)->size_found == 1);
	CHECK(limit(0) == MOST && mp_size_limit(e.m) == MOST - MP_HEADER);
	/* Nobody looks for it on the other end. */
	CHECK(mp_size_limit(f.m) == 0);
	CHECK(mp_counters(f.m)->size_probes == 0);
	rig_end(&e, &f, true);
}

static void the_limit_is_found(void)
{
	for (uint32_t takes = LEAST - 50; takes <= MOST + 1; takes += 7) {
		uint32_t tries;

		open_pair(1, takes);
		talk(200);
		/* Until it is found the old one holds. */
		CHECK(limit(0) == MOST);
		for (int i = 0; mp_counters(e.m)->size_found == 0 && i < 100;
		     i++)
			talk(500);
		tries = (uint32_t)mp_counters(e.m)->size_probes;
		CHECK(tries <= 3 * 8);
		if (takes < LEAST)
			CHECK(limit(0) == LEAST);
		else
			CHECK(limit(0) <= takes && limit(0) + 8 >= takes);
		CHECK(mp_counters(e.m)->size_black == 0);
		rig_end(&e, &f, false);
	}
}

static void the_least_of_all_paths_counts(void)
{
	struct mp_path_config off = { .size_least = LEAST,
				      .size_most = MOST,
				      .off = true };

	open_pair(2, 1300);
	for (int i = 0; i < 200; i++) {
		rig_bulk(&e, 4);
		rig_run(&e, &f, e.now + 50 * MS);
	}
	CHECK(limit(0) <= 1300 && limit(0) >= 1292 && limit(1) == MOST);
	CHECK(mp_size_limit(e.m) == limit(0) - MP_HEADER);
	CHECK(mp_path_configure(e.m, 0, &off) == 0);
	CHECK(mp_size_limit(e.m) == MOST - MP_HEADER);
	rig_end(&e, &f, false);
}

static void a_black_hole_is_found(void)
{
	uint64_t found;

	open_pair(1, 0);
	talk(2000);
	CHECK(limit(0) == MOST);
	e.link[0].most = 1250;
	talk(55000);
	CHECK(limit(0) == MOST && mp_counters(e.m)->size_black == 0);
	talk(30000);
	CHECK(mp_counters(e.m)->size_black == 1);
	CHECK(limit(0) <= 1250 && limit(0) >= 1242);
	/* It is confirmed, and not left. */
	found = mp_counters(e.m)->size_found;
	talk(180000);
	CHECK(limit(0) >= 1242 && mp_counters(e.m)->size_black == 1);
	CHECK(mp_counters(e.m)->size_found == found);
	/* When the way is better, that is found too. */
	e.link[0].most = 0;
	talk(600000);
	CHECK(limit(0) == MOST && mp_counters(e.m)->size_black == 1);
	rig_end(&e, &f, false);
}

static void loss_is_no_limit(void)
{
	open_pair(1, 0);
	e.link[0].every = 7;
	talk(400000);
	CHECK(limit(0) == MOST && mp_counters(e.m)->size_black == 0);
	rig_end(&e, &f, false);
}

static void who_rests_is_not_tried(void)
{
	uint64_t n;

	open_pair(1, 0);
	talk(1000);
	n = mp_counters(e.m)->size_probes;
	/* One that was due when it rested. */
	rig_run(&e, &f, e.now + 3600 * NS_PER_SEC);
	CHECK(mp_counters(e.m)->size_probes <= n + 1);
	rig_end(&e, &f, true);
}

/* Answers that nobody waits for, or of another try, say nothing. */
static void old_answers_are_not_heard(void)
{
	struct mp_header h = { .type = MP_SIZED, .path_seq = MOST };
	uint8_t p[MP_HEADER_TIMED];
	struct note *t;

	open_pair(1, 1);
	rig_outer(&e, 0, p, mp_header_emit(&h, p));
	CHECK(mp_counters(e.m)->size_found == 0);
	rig_udp(&e, 1, 900, 0, MP_AS_ALL);
	rig_run(&e, &f, e.now + 50 * MS);
	t = rig_find(&e, 0, MP_WHY_SIZE, 0);
	CHECK(t != NULL && t->pad == MOST - MP_HEADER);
	if (t == NULL)
		return;
	CHECK(get_be32(t->bytes + 4) == MOST);
	h.lane = (uint16_t)(get_be16(t->bytes + 2) + 1);
	rig_outer(&e, 0, p, mp_header_emit(&h, p));
	h.lane--;
	h.path_seq--;
	rig_outer(&e, 0, p, mp_header_emit(&h, p));
	CHECK(mp_counters(e.m)->size_found == 0);
	h.path_seq++;
	h.path = 1;
	rig_outer(&e, 0, p, mp_header_emit(&h, p));
	CHECK(mp_counters(e.m)->size_found == 0);
	CHECK(mp_counters(e.m)->bad_path == 1);
	h.path = 0;
	rig_outer(&e, 0, p, mp_header_emit(&h, p));
	CHECK(mp_counters(e.m)->size_found == 1 && limit(0) == MOST);
	rig_end(&e, &f, false);
}

static void ranges_are_looked_at(void)
{
	struct mp_path_config p = { .size_least = MOST, .size_most = LEAST };

	open_pair(1, 0);
	CHECK(mp_path_configure(e.m, 0, &p) == -EINVAL);
	p.size_least = MP_HEADER;
	CHECK(mp_path_configure(e.m, 0, &p) == -EINVAL);
	p = (struct mp_path_config){ .size_most = 0 };
	CHECK(mp_path_configure(e.m, 0, &p) == 0);
	CHECK(limit(0) == 0 && mp_size_limit(e.m) == 0);
	rig_end(&e, &f, false);
}

/* What a router says is tried next; it need not be true. */
static void what_is_told_is_tried_next(void)
{
	static const struct {
		uint32_t told, least, most;
	} row[] = {
		{ 1300, 1292, 1300 }, /* true */
		{ 1200, 1292, 1300 }, /* less than passes */
		{ 1400, 1292, 1300 }, /* more than passes */
		{ 500, 1292, 1300 },  /* less than the least */
		{ 9000, 1292, 1300 }, /* more than the most */
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct note *n;

		open_pair(1, 1300);
		mp_size_told(e.m, 0, row[i].told, e.now); /* nothing is tried */
		CHECK(mp_counters(e.m)->size_probes == 0);
		rig_udp(&e, 1, 900, 0, MP_AS_ALL);
		rig_until(&e, e.now + MS);
		CHECK(mp_counters(e.m)->size_probes == 1);
		mp_size_told(e.m, 0, row[i].told, e.now);
		rig_until(&e, e.now + MS);
		n = rig_find(&e, 0, MP_WHY_SIZE, 1);
		CHECK((n != NULL) == (i < 3));
		CHECK(n == NULL || n->n + n->pad == row[i].told);
		talk(20000);
		CHECK(limit(0) >= row[i].least && limit(0) <= row[i].most);
		rig_end(&e, &f, true);
	}
}

static const struct check_test tests[] = {
	{ "what most paths take is tried once", most_pass_at_once },
	{ "what is told is tried next", what_is_told_is_tried_next },
	{ "the limit is found", the_limit_is_found },
	{ "the least of all paths counts", the_least_of_all_paths_counts },
	{ "a black hole is found, and the way back", a_black_hole_is_found },
	{ "loss is no limit", loss_is_no_limit },
	{ "who rests is not tried", who_rests_is_not_tried },
	{ "old answers are not heard", old_answers_are_not_heard },
	{ "ranges are looked at", ranges_are_looked_at },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
