/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_beside.c - Unit test of engine/beside: a baseline's verdicts, and its noise
 *
 * Every client asks production, whose answer is compared with that of a SUT and of a
 * baseline; what both do otherwise is at one place.
 */
#include <errno.h>

#include "engine_rig.h"
#include "noise/noise.h"

#define PROD	 ip(2, 0, 1)
#define CLIENT	 ip(1, 0, 1)
#define SUT	 ip(9, 0, 1)
#define BASELINE ip(9, 0, 2)
#define ASKED	 40000 /* a client's first port */

/* One question and its answers, NULL: none. */
static void ask(struct rig *r, uint16_t cport, uint16_t port,
		const char *const say[3], size_t n)
{
	const struct ipaddr from[3] = { PROD, SUT, BASELINE };

	udp(r, ENGINE_MIRROR, CLIENT, cport, PROD, port,
	    "\0\1\1\0\0\0\0\0\0\0\0\0", 12);
	for (unsigned i = 0; i < 3; i++)
		if (say[i] != NULL)
			udp(r, i == 0 ? ENGINE_MIRROR : ENGINE_SUT, from[i],
			    port, CLIENT, cport, say[i], n);
	r->n = 0;
}

static void begin(struct rig *r)
{
	defaults(r);
	r->cfg.shadow.answer_wait = NS_PER_SEC;
	add_map(r, PROD, 32, 0, SUT, 0);
	add_map(r, PROD, 32, 0, BASELINE, 0);
	r->cfg.map[1].baseline = true;
	start(r);
}

static const struct {
	const char *name;
	uint16_t port;
	const char *say[3];
	bool sut, baseline; /* it differs */
} answers[] = {
	{ "all the same", 9000, { "one", "one", "one" }, false, false },
	{ "the SUT differs", 9000, { "one", "two", "one" }, true, false },
	{ "the baseline differs", 9000, { "one", "one", "six" }, false, true },
	{ "both differ", 9000, { "one", "two", "six" }, true, true },
	{ "the SUT does not answer",
	  9000,
	  { "one", NULL, "one" },
	  true,
	  false },
	{ "the baseline does not answer",
	  9000,
	  { "one", "one", NULL },
	  false,
	  true },
};

static void a_baselines_verdicts_are_apart(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		const struct engine_stats *st;
		const struct noise_place *p;
		struct engine_item t;
		struct noise_sums s;
		unsigned seen[2] = { 0 };
		struct rig r;

		begin(&r);
		CHECK(engine_has_baseline(&r.cfg) && engine_by_place(&r.cfg));
		CHECK(!engine_is_baseline(r.e, 0) &&
		      engine_is_baseline(r.e, 1));
		ask(&r, ASKED, answers[i].port, answers[i].say, 3);
		pass(&r, 2 * UDP_TIMEOUT);
		st = engine_stats(r.e);
		/* Only the SUT's are verdicts of the run. */
		CHECK_ROW(st->verdict[VERDICT_DIFFERENT] == answers[i].sut,
			  answers[i].name);
		CHECK_ROW(st->verdict[VERDICT_DIFFERENT] +
					  st->verdict[VERDICT_IDENTICAL] ==
				  1,
			  answers[i].name);
		CHECK(!st->map[0].baseline && st->map[1].baseline);
		while (engine_take(r.e, &t))
			if (t.kind == EVENT_VERDICT)
				seen[t.exchange->baseline]++;
		CHECK_ROW(seen[0] == 1 && seen[1] == 1, answers[i].name);
		noise_settle(engine_noise(r.e), &s);
		CHECK_ROW(s.paired == 1 && s.alone == 0, answers[i].name);
		CHECK_ROW(s.different == answers[i].sut, answers[i].name);
		CHECK_ROW(noise_places(engine_noise(r.e)) ==
				  (answers[i].sut || answers[i].baseline),
			  answers[i].name);
		if (answers[i].sut || answers[i].baseline) {
			bool both = answers[i].sut && answers[i].baseline;

			p = noise_place(engine_noise(r.e), 0);
			CHECK_ROW(p->both == both, answers[i].name);
			CHECK_ROW(p->sut == (answers[i].sut && !both),
				  answers[i].name);
			CHECK_ROW(p->baseline == (answers[i].baseline && !both),
				  answers[i].name);
			CHECK_ROW(p->kind.judge == CASE_NOBODY,
				  answers[i].name);
		}
		check_closed(&r);
	}
}

/* A rcode is not excused by servers that now and then say another one, or set another
 * flag.
 */
static void what_differs_is_a_class(void)
{
	static const char good[] = "\0\1\x81\x80\0\0\0\0\0\0\0\0";
	static const char failure[] = "\0\1\x81\x82\0\0\0\0\0\0\0\0";
	static const char none[] = "\0\1\x81\x83\0\0\0\0\0\0\0\0";
	static const char flags[] = "\0\1\x85\x80\0\0\0\0\0\0\0\0";
	static const struct {
		const char *say[3];
		uint64_t excused;
	} row[] = {
		{ { good, failure, failure }, 1 },
		{ { good, failure, none }, 0 },
		{ { good, failure, flags }, 0 },
		{ { good, flags, flags }, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct noise_sums s;
		struct rig r;

		begin(&r);
		ask(&r, ASKED, 53, row[i].say, 12);
		pass(&r, 2 * UDP_TIMEOUT);
		noise_settle(engine_noise(r.e), &s);
		CHECK(s.paired == 1 && s.different == 1);
		CHECK(s.excused == row[i].excused);
		check_closed(&r);
	}
}

static void without_a_baseline_there_is_no_noise(void)
{
	struct rig r;

	defaults(&r);
	add_map(&r, PROD, 32, 0, SUT, 0);
	start(&r);
	CHECK(!engine_has_baseline(&r.cfg) && !engine_by_place(&r.cfg));
	CHECK(engine_noise(r.e) == NULL);
	check_closed(&r);
	defaults(&r);
	r.cfg.learn = true;
	add_map(&r, PROD, 32, 0, SUT, 0);
	start(&r);
	CHECK(engine_by_place(&r.cfg) && engine_noise(r.e) != NULL);
	check_closed(&r);
}

static void it_is_made_of_what_it_says(void)
{
	struct engine *e = NULL;
	struct arena a;
	struct rig r;

	defaults(&r);
	a.size = 0;
	CHECK(engine_init(&e, &a, &r.cfg, 1) == -EINVAL && e == NULL);
	add_map(&r, PROD, 32, 0, SUT, 0);
	a.size = engine_size(&r.cfg) - 1;
	a.used = 0;
	a.base = aligned_alloc(ARENA_ALIGN, engine_size(&r.cfg) + ARENA_ALIGN);
	CHECK(engine_init(&e, &a, &r.cfg, 1) == -ENOMEM && e == NULL);
	free(a.base);
	r.cfg.skips = SKIP_MAX + 1;
	CHECK(engine_init(&e, &a, &r.cfg, 1) == -EINVAL);
	r.cfg.skips = 0;
	r.cfg.limits.flows = 0;
	CHECK(engine_init(&e, &a, &r.cfg, 1) == -EINVAL);
	r.cfg.limits.flows = 8;
	r.cfg.maps = MAP_MAX + 1;
	CHECK(engine_init(&e, &a, &r.cfg, 1) == -EINVAL && e == NULL);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a baseline's verdicts are apart",
		  a_baselines_verdicts_are_apart },
		{ "what differs is a class", what_differs_is_a_class },
		{ "without a baseline there is no noise",
		  without_a_baseline_there_is_no_noise },
		{ "it is made of what it says", it_is_made_of_what_it_says },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
