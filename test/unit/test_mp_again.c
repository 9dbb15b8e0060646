/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mp_again.c - Unit test of the fate of what was sent
 *
 * One end with two paths; the test gives the feedback.
 */
#include "multipath_rig.h"

static struct end e;

static void open_two(void)
{
	struct mp_limits l = rig_limits();
	struct mp_config c = mp_config_default();

	rig_open(&e, &l, &c);
	rig_path(&e, 0, 10 * MS);
	rig_path(&e, 1, 40 * MS);
	e.notes = 0;
}

static void heard(uint8_t path, uint32_t highest, uint32_t missing)
{
	struct mp_report r = { .path = path,
			       .highest = highest,
			       .bytes = highest * 1454,
			       .at = (uint32_t)(e.now / NS_PER_US) };

	if (missing > 0)
		r.range[r.ranges++] = (struct mp_range){ missing, 1 };
	rig_report(&e, &r);
}

/* The last time that inner packet @id was sent, copies that measure aside. */
static struct note *sent_last(uint32_t id)
{
	struct note *t = NULL;

	for (uint32_t i = 0; i < e.notes; i++)
		if (e.note[i].send && e.note[i].len > 0 && e.note[i].id == id &&
		    e.note[i].why != MP_WHY_MEASURE)
			t = &e.note[i];
	return t;
}

static struct mp_path_info info(unsigned path)
{
	struct mp_path_info i;

	mp_path_info(e.m, path, &i);
	return i;
}

static void test_lost_is_sent_again(void)
{
	struct note first, *t;
	uint32_t from;

	open_two();
	rig_bulk(&e, 3);
	first = *sent_last(1);
	rig_until(&e, e.now + 10 * MS);
	from = e.notes;
	heard(first.path, first.h.path_seq + 1, first.h.path_seq);
	t = rig_find(&e, from, MP_WHY_AGAIN, 0);
	CHECK(t != NULL && t->id == 1);
	CHECK(t->h.lane == first.h.lane && t->h.lane_seq == first.h.lane_seq);
	CHECK(t->h.path_seq != first.h.path_seq || t->path != first.path);
	CHECK(mp_counters(e.m)->again == 1);
	from = e.notes;
	heard(first.path, first.h.path_seq + 1, first.h.path_seq);
	CHECK(rig_find(&e, from, MP_WHY_AGAIN, 0) == NULL);
	rig_close(&e);
}

static void test_lost_again_is_sent_again(void)
{
	struct mp_config c = mp_config_default();
	struct note t;

	open_two();
	c.scheduler = MP_ROUNDROBIN; /* later ones follow on both paths */
	CHECK(mp_configure(e.m, &c) == 0);
	rig_bulk(&e, 1);
	for (unsigned i = 1; i <= 5; i++) {
		t = *sent_last(0);
		rig_until(&e, e.now + 10 * MS);
		rig_bulk(&e, 4); /* so that a later one came */
		heard(t.path, t.h.path_seq + 1, t.h.path_seq);
		CHECK(mp_counters(e.m)->again == i);
	}
	rig_close(&e);
}

static void test_names_losses_gets_settle(void)
{
	struct note t;
	uint32_t n;

	open_two();
	rig_bulk(&e, 8);
	rig_until(&e, e.now + 30 * MS);
	t = *sent_last(0);
	n = rig_count_of(&e, 0, MP_WHY_SETTLE);
	heard(t.path, t.h.path_seq + 2, t.h.path_seq);
	CHECK(rig_count_of(&e, 0, MP_WHY_SETTLE) == n + 1);
	CHECK(rig_find(&e, 0, MP_WHY_SETTLE, n)->h.path_seq ==
	      t.h.path_seq + 2);
	heard(t.path, t.h.path_seq + 3, t.h.path_seq);
	CHECK(rig_count_of(&e, 0, MP_WHY_SETTLE) == n + 1); /* too soon */
	rig_until(&e, e.now + 21 * MS);
	heard(t.path, t.h.path_seq + 3, t.h.path_seq); /* nothing else new */
	CHECK(rig_count_of(&e, 0, MP_WHY_SETTLE) == n + 2);
	rig_close(&e);
}

static void test_tail_is_sent_again_by_timer(void)
{
	struct note t;
	uint32_t from;
	uint64_t at;

	open_two();
	rig_bulk(&e, 1);
	t = *sent_last(0);
	from = e.notes;
	at = e.now;
	rig_until(&e, at + 40 * MS);
	CHECK(rig_find(&e, from, MP_WHY_AGAIN, 0) == NULL &&
	      rig_find(&e, from, MP_WHY_PROBE, 0) == NULL);
	rig_until(&e, at + 200 * MS);
	CHECK(sent_last(0)->why == MP_WHY_AGAIN);
	CHECK(rig_find(&e, from, MP_WHY_PROBE, 0)->path == t.path);
	/* The probe came, the packet had come, too. */
	heard(t.path, rig_find(&e, from, MP_WHY_PROBE, 0)->h.path_seq, 0);
	CHECK(info(t.path).alive && info(t.path).n.lost == 0);
	rig_close(&e);
}

static void test_silent_path_is_left(void)
{
	uint32_t on[2] = { 0 }, from;
	uint64_t at;

	open_two();
	rig_bulk(&e, 6);
	for (uint32_t i = 0; i < 6; i++)
		on[sent_last(i)->path]++;
	CHECK(on[0] > 0);
	at = e.now;
	/* Path 1 goes on hearing, path 0 does not. */
	for (unsigned i = 1; i <= 60; i++) {
		struct mp_path_info p = info(1);

		rig_until(&e, at + i * 10 * MS);
		if (p.n.sent > p.n.acked)
			heard(1, (uint32_t)p.n.sent, 0);
	}
	CHECK(!info(0).alive && info(1).alive);
	CHECK(mp_counters(e.m)->path_lost == 1);
	CHECK(info(0).out < 200 && info(0).n.left >= on[0]); /* probes */
	for (uint32_t i = 0; i < 6; i++)
		CHECK(sent_last(i)->path == 1);
	/* It is probed, less and less often; an answer takes it back. */
	from = e.notes;
	rig_until(&e, e.now + 5 * NS_PER_SEC);
	CHECK(rig_count_of(&e, from, MP_WHY_PROBE) >= 4);
	CHECK(rig_count_of(&e, from, MP_WHY_PROBE) <= 12);
	heard(0, (uint32_t)info(0).n.sent, 0);
	CHECK(info(0).alive && info(0).measuring);
	CHECK(mp_counters(e.m)->path_back == 1);
	rig_close(&e);
}

static void test_idle_end_probes_nobody(void)
{
	uint32_t from;

	open_two();
	rig_bulk(&e, 2);
	rig_until(&e, e.now + 15 * NS_PER_SEC);
	CHECK(!info(0).alive && !info(1).alive);
	from = e.notes;
	rig_until(&e, e.now + 100 * NS_PER_SEC);
	CHECK(e.notes == from);
	CHECK(mp_next_timeout(e.m) == UINT64_MAX);
	rig_bulk(&e, 1); /* the next packet begins with it */
	CHECK(rig_count_of(&e, from, MP_WHY_PROBE) == 2);
	rig_close(&e);
}

static void test_old_is_given_up(void)
{
	uint32_t from;
	struct note t;

	open_two();
	rig_bulk(&e, 1);
	t = *sent_last(0);
	rig_until(&e, e.now + 2100 * MS);
	from = e.notes;
	heard(t.path, (uint32_t)info(t.path).n.sent, 0);
	CHECK(rig_find(&e, from, MP_WHY_AGAIN, 0) == NULL);
	rig_bulk(&e, 4);
	CHECK(mp_counters(e.m)->again_old == 1);
	rig_close(&e);
}

static void test_off_sends_nothing_again(void)
{
	struct mp_config c = mp_config_default();
	struct note t;

	open_two();
	c.again = false;
	CHECK(mp_configure(e.m, &c) == 0);
	rig_bulk(&e, 4);
	t = *sent_last(0);
	rig_until(&e, e.now + 10 * MS);
	heard(t.path, t.h.path_seq + 1, t.h.path_seq);
	CHECK(mp_counters(e.m)->again == 0);
	CHECK(info(t.path).n.lost == 1);
	rig_close(&e);
}

static void test_what_was_never_sent_changes_nothing(void)
{
	struct mp_path_info was;
	uint32_t next;

	open_two();
	rig_bulk(&e, 4);
	was = info(0);
	next = (uint32_t)was.n.sent + 1;
	heard(0, next, 0);
	heard(0, next + 1000, 0);
	heard(0, 0u - 5, 0);
	heard(0, 0, 0);
	CHECK(info(0).n.acked == was.n.acked && info(0).out == was.out);
	CHECK(mp_counters(e.m)->feedback_bad == 2);
	CHECK(mp_counters(e.m)->feedback_old == 2);
	rig_close(&e);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "what was lost is sent again", test_lost_is_sent_again },
		{ "and again", test_lost_again_is_sent_again },
		{ "who names losses gets a settle",
		  test_names_losses_gets_settle },
		{ "the tail is sent again by timer",
		  test_tail_is_sent_again_by_timer },
		{ "a silent path is left, and comes back",
		  test_silent_path_is_left },
		{ "an idle end probes nobody", test_idle_end_probes_nobody },
		{ "what is old is given up", test_old_is_given_up },
		{ "switched off, nothing is sent again",
		  test_off_sends_nothing_again },
		{ "feedback about what was never sent changes nothing",
		  test_what_was_never_sent_changes_nothing },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
