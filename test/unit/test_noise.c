/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_noise.c - Unit test of noise/noise.h and stats.h
 *
 * Simulated runs go through the real judge: answers of production, and of two
 * servers that draw what changes by itself anew.
 */
#include "noise/noise.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "case_rig.h"
#include "check.h"
#include "desk/bench.h"
#include "noise/stats.h"

/* --- statistics --- */

/* By exact integers: sum(comb(a + b, j) for j in range(b + 1)) / 2 ** (a + b) */
static const struct {
	uint64_t a, b;
	double p;
} exact[] = {
	{ 0, 0, 1 },
	{ 1, 0, 5.000000000000e-1 },
	{ 0, 1, 1 },
	{ 1, 1, 7.500000000000e-1 },
	{ 5, 0, 3.125000000000e-2 },
	{ 7, 0, 7.812500000000e-3 },
	{ 10, 3, 4.614257812500e-2 },
	{ 3, 10, 9.887695312500e-1 },
	{ 20, 9, 3.071417286992e-2 },
	{ 50, 30, 1.649630921324e-2 },
	{ 100, 100, 5.281742395046e-1 },
	{ 130, 100, 2.780678889070e-2 },
	{ 500, 430, 1.180441964627e-2 },
	{ 1000, 0, 9.332636185032e-302 },
	{ 1200, 1000, 1.090851320396e-5 },
	{ 3000, 3000, 5.051501081013e-1 },
	{ 3200, 3000, 5.744126885436e-3 },
	{ 9000, 1, 0 },
};

static void mcnemar_is_exact(void)
{
	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
		double p = stats_mcnemar(exact[i].a, exact[i].b);
		double d = p - exact[i].p;

		CHECK((d < 0 ? -d : d) <= 1e-9 * exact[i].p);
	}
}

static void holm_goes_up_to_the_first(void)
{
	const double p[] = { 0.004, 0.5, 0.0019, 0.0034, 0.02 };
	const bool want[] = { false, false, true, false, false };
	const double all[] = { 0.003, 0.0001, 0.006 };
	bool yes[5];

	stats_holm(p, 5, 0.01, yes);
	CHECK(memcmp(yes, want, sizeof(want)) == 0);
	stats_holm(all, 3, 0.01, yes);
	CHECK(yes[0] && yes[1] && yes[2]);
	stats_holm(all, 0, 0.01, yes);
}

/* --- pairs --- */

static struct noise *new_noise(void)
{
	static const struct hash_key key = { { 8, 9 } };
	struct arena a = { .size = noise_size() };
	struct noise *n = NULL;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	memset(a.base, 0x5a, a.size);
	CHECK(noise_init(&n, &a, &key) == 0);
	return n;
}

static struct noise_answer answer(uint64_t conn, enum noise_leg leg)
{
	return (struct noise_answer){ .conn = conn,
				      .asked = 5,
				      .leg = leg,
				      .compared = true,
				      .reason = REASON_BODY,
				      .name = "GET /a",
				      .name_len = 6 };
}

static void differs(struct noise_answer *a, const char *place,
		    enum case_change change, uint16_t mask)
{
	struct case_found *f = &a->found[a->founds++];

	*f = (struct case_found){ .judge = CASE_JSON,
				  .change = (uint8_t)change,
				  .class = { { mask, 0 }, { mask, 0 } } };
	memcpy(f->place, place, strlen(place));
}

/* One exchange, in which the SUT and the baseline differ at $.a or not. */
static void exchange(struct noise *n, uint64_t conn, bool sut, bool base)
{
	struct noise_answer a = answer(conn, NOISE_SUT);
	struct noise_answer b = answer(conn, NOISE_BASELINE);

	if (sut)
		differs(&a, "$.a", CASE_VALUE, 1);
	if (base)
		differs(&b, "$.a", CASE_VALUE, 1);
	noise_add(n, conn % 2 == 0 ? &a : &b);
	noise_add(n, conn % 2 == 0 ? &b : &a);
}

static void pairs_are_counted_by_place(void)
{
	struct noise *n = new_noise();
	struct noise_sums s;
	uint64_t conn = 0;
	const struct noise_place *p;

	for (unsigned i = 0; i < 40; i++)
		exchange(n, conn++, i < 9, i >= 7 && i < 20);
	noise_settle(n, &s);
	CHECK(s.paired == 40 && s.alone == 0 && s.lost == 0);
	CHECK(s.different == 9 && s.excused == 9);
	CHECK(noise_excused(n, "GET /a", 6) == 9);
	CHECK(noise_excused(n, "GET /", 5) == 0);
	CHECK(noise_excused(n, "GET /b", 6) == 0);
	CHECK(noise_places(n) == 1);
	p = noise_place(n, 0);
	CHECK(p->sut == 7 && p->both == 2 && p->baseline == 11);
	CHECK(p->state == NOISE_SAME && p->strange == 0);
	free(n);
}

static void where_the_baseline_never_differs_each_counts(void)
{
	struct noise *n = new_noise();
	struct noise_sums s;

	for (unsigned i = 0; i < 1000; i++)
		exchange(n, i, i == 500, false);
	noise_settle(n, &s);
	CHECK(s.different == 1 && s.excused == 0);
	CHECK(noise_place(n, 0)->state == NOISE_QUIET);
	free(n);
}

static void more_often_counts(void)
{
	struct noise *n = new_noise();
	struct noise_sums s;

	for (unsigned i = 0; i < 1000; i++)
		exchange(n, i, i < 130, i >= 130 && i < 200);
	noise_settle(n, &s);
	CHECK(noise_place(n, 0)->state == NOISE_MORE && s.excused == 0);
	free(n);
}

/* Another change at the same place, and a value of another class. */
static void noise_excuses_its_like_only(void)
{
	struct noise *n = new_noise();
	struct noise_answer a = answer(1000, NOISE_SUT);
	struct noise_answer b = answer(1001, NOISE_SUT);
	struct noise_answer c = answer(1002, NOISE_SUT);
	struct noise_sums s;

	for (unsigned i = 0; i < 100; i++)
		exchange(n, i, i < 50, i >= 50);
	differs(&a, "$.a", CASE_TYPE, 1);
	differs(&b, "$.a", CASE_VALUE, 1);
	b.found[0].class[1].mask = 2;
	differs(&c, "$.a", CASE_VALUE, 1);
	differs(&c, "$.b", CASE_VALUE, 1);
	noise_add(n, &a);
	noise_add(n, &b);
	noise_add(n, &c);
	noise_settle(n, &s);
	CHECK(s.different == 53 && s.excused == 50);
	free(n);
}

static void without_a_partner_nothing_is_paired(void)
{
	struct noise *n = new_noise();
	struct noise_answer a;
	struct noise_sums s;

	for (uint64_t i = 0; i < NOISE_PAIRS + 100; i++) {
		a = answer(i, NOISE_SUT);
		differs(&a, "$.a", CASE_VALUE, 1);
		noise_add(n, &a);
	}
	noise_settle(n, &s);
	CHECK(s.paired == 0 && s.lost == 100 && s.alone == 100);
	CHECK(noise_place(n, 0)->lone == 100);
	CHECK(s.excused == 0 && s.different == NOISE_PAIRS + 100);
	/* The oldest is gone, a younger one is not. */
	a = answer(NOISE_PAIRS, NOISE_BASELINE);
	noise_add(n, &a);
	a = answer(0, NOISE_BASELINE);
	noise_add(n, &a);
	a = answer(NOISE_PAIRS + 1, NOISE_BASELINE);
	a.compared = false;
	noise_add(n, &a);
	noise_settle(n, &s);
	/* The new one of number 0 takes the place of another. */
	CHECK(s.paired == 1 && s.alone >= 101);
	free(n);
}

/* What finds no room counts as different. */
static void full_tables_excuse_nothing(void)
{
	struct noise *n = new_noise();
	struct noise_sums s;

	for (unsigned i = 0; i < NOISE_PLACES + 50; i++) {
		struct noise_answer a = answer(i, NOISE_SUT);
		struct noise_answer b = answer(i, NOISE_BASELINE);
		char place[32];

		snprintf(place, sizeof(place), "$.m%u", i);
		differs(&a, place, CASE_VALUE, 1);
		differs(&b, place, CASE_VALUE, 1);
		noise_add(n, &a);
		noise_add(n, &b);
	}
	noise_settle(n, &s);
	CHECK(noise_places(n) == NOISE_PLACES && s.beyond == 2 * 50);
	CHECK(s.different == NOISE_PLACES + 50 && s.excused == NOISE_PLACES);
	free(n);
}

/* --- simulated runs, through the judge --- */

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) +
	       UINT64_C(1442695040888963407);
	return (uint32_t)((seed >> 33) % below);
}

enum planted { NOTHING, PRICE, MISSING, TYPE, CLASS, ELEMENT, BESIDE };

/* An answer; @noisy: it has values that no server gives twice. */
static size_t body(char *out, bool noisy, enum planted what)
{
	uint32_t id = noisy ? draw(UINT32_MAX) : 17;
	uint32_t second = noisy ? draw(60) : 30;
	size_t n = 0;

	n += (size_t)sprintf(out + n, "{\"id\":\"%08x%08x\",", id, id ^ 99);
	if (what != MISSING)
		n += (size_t)sprintf(
			out + n, "\"at\":\"2026-11-30T20:00:%02uZ\",", second);
	n += (size_t)sprintf(out + n, "\"took\":%s%u%s,",
			     what == TYPE ? "\"" : "", noisy ? draw(900) : 5,
			     what == TYPE ? "\"" : "");
	n += (size_t)sprintf(out + n, "\"node\":\"%s\",",
			     what == CLASS ? "error: no such host"
			     : noisy	   ? "0123456789abcdef"
					   : "fedcba9876543210");
	n += (size_t)sprintf(out + n, "\"price\":\"%s\",\"items\":[",
			     what == PRICE ? "11.00" : "10.00");
	for (unsigned i = 0; i < 12; i++)
		n += (size_t)sprintf(out + n, "%s{\"sku\":%u,\"stock\":%u}",
				     i > 0 ? "," : "",
				     i + (what == ELEMENT && i == 9),
				     noisy ? draw(9) : 7);
	n += (size_t)sprintf(out + n, "],\"tags\":[");
	for (unsigned i = 0; i < 4; i++)
		n += (size_t)sprintf(out + n, "%s\"%08x%s\"", i > 0 ? "," : "",
				     noisy ? 0xabcd0000 + draw(9999)
					   : 0xabcd0001,
				     what == BESIDE && i == 2 ? " gone" : "");
	n += (size_t)sprintf(out + n, "]}");
	return n;
}

static struct bench *bench;

/* What the judge finds of two answers. */
static void judged(struct noise_answer *a, const char *prod, size_t pn,
		   const char *sut, size_t sn)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n"
				   "Content-Type: application/json\r\n\r\n";
	struct case_view c = { .serial = 1 };
	struct case_answer out;
	uint8_t *message;
	size_t n;

	if (pn == sn && memcmp(prod, sut, pn) == 0)
		return;
	for (unsigned i = 0; i < 2; i++)
		case_part(&c, CASE_HEAD + i, head, sizeof(head) - 1);
	case_part(&c, CASE_BODY, prod, pn);
	case_part(&c, CASE_BODY + 1, sut, sn);
	message = case_message(&c, &n);
	CHECK(bench_judge(bench, message, n, &out) == 0);
	CHECK(case_is_answer(&out, 1000));
	free(message);
	if (out.verdict != VERDICT_DIFFERENT)
		return;
	CHECK(out.founds > 0 && !out.more);
	a->founds = out.founds;
	memcpy(a->found, out.found, out.founds * sizeof(*out.found));
}

/* Return: answers that are different and no noise, of @count; noise in @share of
 * 100, and @what in answer number @at
 */
static uint64_t simulate(unsigned count, uint32_t share, enum planted what,
			 unsigned at)
{
	static char text[3][2048];
	struct noise *n = new_noise();
	struct noise_sums s;

	for (unsigned i = 0; i < count; i++) {
		size_t len[3];

		for (unsigned leg = 0; leg < 3; leg++)
			len[leg] = body(text[leg], draw(100) < share,
					leg == 1 && i == at ? what : NOTHING);
		for (unsigned leg = 1; leg < 3; leg++) {
			struct noise_answer a = answer(
				i, leg == 1 ? NOISE_SUT : NOISE_BASELINE);

			judged(&a, text[0], len[0], text[leg], len[leg]);
			noise_add(n, &a);
		}
	}
	noise_settle(n, &s);
	CHECK(s.paired == count);
	free(n);
	return s.different - s.excused;
}

static void set_up(struct rules **r)
{
	static const struct hash_key key = { { 1, 2 } };

	*r = case_rules("");
	CHECK(bench_new(&bench, *r, &key) == 0);
	bench_all(bench);
}

/* 2 of 3 answers of production have noise, or of the other server. */
static void one_in_ten_thousand_is_found(void)
{
	static const enum planted all[] = { PRICE, MISSING, TYPE,
					    CLASS, ELEMENT, BESIDE };
	static const char *const names[] = {
		"price", "missing", "type", "class", "element", "beside others"
	};
	struct rules *r;

	set_up(&r);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		seed = 4711 + i;
		CHECK_ROW(simulate(10000, 30, all[i], 5003) == 1, names[i]);
	}
	bench_free(bench);
	free(r);
}

static void two_of_one_version_are_the_same(void)
{
	unsigned different = 0;
	struct rules *r;

	set_up(&r);
	for (unsigned run = 0; run < 20; run++) {
		seed = 1000 + run;
		different += simulate(1500, 30, NOTHING, 0) > 0;
	}
	printf("# %u of 20 runs of two servers of one version differ\n",
	       different);
	CHECK(different <= 1);
	bench_free(bench);
	free(r);
}

/* --- rows --- */

/* Which answers are partners: of one exchange, and one of each leg. */
static void partners_are_of_one_exchange(void)
{
	static const struct {
		const char *name;
		struct noise_answer a, b;
		uint64_t paired, alone;
	} row[] = {
		{ "both compared",
		  { .leg = NOISE_SUT, .compared = true },
		  { .leg = NOISE_BASELINE, .compared = true },
		  1,
		  0 },
		{ "the baseline was not",
		  { .leg = NOISE_SUT, .compared = true },
		  { .leg = NOISE_BASELINE },
		  0,
		  1 },
		{ "the SUT was not",
		  { .leg = NOISE_SUT },
		  { .leg = NOISE_BASELINE, .compared = true },
		  0,
		  0 },
		{ "another connection",
		  { .leg = NOISE_SUT, .compared = true },
		  { .leg = NOISE_BASELINE, .compared = true, .conn = 2 },
		  0,
		  0 },
		{ "another one of it",
		  { .leg = NOISE_SUT, .compared = true },
		  { .leg = NOISE_BASELINE, .compared = true, .index = 1 },
		  0,
		  0 },
		{ "asked at another time",
		  { .leg = NOISE_SUT, .compared = true },
		  { .leg = NOISE_BASELINE, .compared = true, .asked = 9 },
		  0,
		  0 },
		{ "the same leg twice",
		  { .leg = NOISE_SUT, .compared = true },
		  { .leg = NOISE_SUT, .compared = true },
		  0,
		  0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct noise *n = new_noise();
		struct noise_answer a = row[i].a, b = row[i].b;
		const struct noise_place *p;
		struct noise_sums s;

		a.name = b.name = "";
		if (a.compared)
			differs(&a, "$.a", CASE_VALUE, 1);
		noise_add(n, &a);
		noise_add(n, &b);
		noise_settle(n, &s);
		CHECK_ROW(s.paired == row[i].paired, row[i].name);
		CHECK_ROW(s.alone == row[i].alone, row[i].name);
		if (a.compared) {
			p = noise_place(n, 0);
			CHECK_ROW(p->lone == row[i].alone, row[i].name);
			CHECK_ROW(p->sut == row[i].paired, row[i].name);
		}
		free(n);
	}
}

/* What is told twice of one answer counts once, and both of its classes. */
static void a_place_counts_once_an_answer(void)
{
	struct noise *n = new_noise();
	struct noise_answer a = answer(1, NOISE_SUT);
	struct noise_sums s;

	differs(&a, "$.a", CASE_VALUE, 2);
	differs(&a, "$.a", CASE_VALUE, 1);
	differs(&a, "$.a", CASE_VALUE, 2);
	differs(&a, "$.b", CASE_VALUE, 2);
	noise_add(n, &a);
	noise_settle(n, &s);
	CHECK(s.different == 1 && noise_places(n) == 2);
	CHECK(noise_place(n, 0)->differs == 1 &&
	      noise_place(n, 1)->differs == 1);
	CHECK(noise_place(n, 0)->classes == 2);
	free(n);
}

/* Endpoint, reason, place and change make a place. */
static void places_are_told_apart(void)
{
	struct noise *n = new_noise();
	struct noise_answer a = answer(1, NOISE_SUT);

	differs(&a, "$.a", CASE_VALUE, 1);
	noise_add(n, &a);
	a.name = "GET /b";
	noise_add(n, &a);
	a.name_len = 5;
	noise_add(n, &a);
	a.reason = REASON_HEADER;
	noise_add(n, &a);
	a.found[0].change = CASE_TYPE;
	noise_add(n, &a);
	a.found[0].judge = CASE_TEXT;
	noise_add(n, &a);
	a.found[0].place[2] = 'b';
	noise_add(n, &a);
	CHECK(noise_places(n) == 7);
	noise_add(n, &a);
	CHECK(noise_places(n) == 7 && noise_place(n, 6)->differs == 2);
	free(n);
}

/* Where a value has no class, nothing is excused. */
static void what_has_no_class_is_opaque(void)
{
	static const struct {
		enum case_judge judge;
		enum noise_state state;
	} row[] = {
		{ CASE_JSON, NOISE_SAME },	  { CASE_TEXT, NOISE_SAME },
		{ CASE_BYTES, NOISE_OPAQUE },	  { CASE_FORM, NOISE_OPAQUE },
		{ CASE_MULTIPART, NOISE_OPAQUE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct noise *n = new_noise();
		struct noise_answer a = answer(1, NOISE_SUT);
		struct noise_answer b = answer(1, NOISE_BASELINE);
		struct noise_sums s;

		differs(&a, "x", CASE_VALUE, 1);
		differs(&b, "x", CASE_VALUE, 1);
		a.found[0].judge = b.found[0].judge = (uint8_t)row[i].judge;
		noise_add(n, &a);
		noise_add(n, &b);
		noise_settle(n, &s);
		CHECK(noise_place(n, 0)->state == row[i].state);
		CHECK(s.excused == (row[i].state == NOISE_SAME));
		free(n);
	}
}

static void classes_are_alike_or_not(void)
{
	static const struct {
		struct case_class a, b;
		bool alike;
	} row[] = {
		{ { 1u << CLASS_INTEGER, 0 },
		  { 1u << CLASS_INTEGER, 0 },
		  true },
		{ { 1u << CLASS_INTEGER, 0 }, { 1u << CLASS_UUID, 0 }, false },
		{ { 0, 0 }, { 0, 0 }, false },
		{ { 1u << CLASS_HEX, 8 }, { 1u << CLASS_HEX, 8 }, true },
		{ { 1u << CLASS_HEX, 8 }, { 1u << CLASS_HEX, 9 }, false },
		{ { 1u << CLASS_HEX | 1u << CLASS_INTEGER, 8 },
		  { 1u << CLASS_HEX | 1u << CLASS_INTEGER, 9 },
		  true },
		{ { (uint16_t)CASE_SHAPE, 7 },
		  { (uint16_t)CASE_SHAPE, 7 },
		  true },
		{ { (uint16_t)CASE_SHAPE, 7 },
		  { (uint16_t)CASE_SHAPE, 8 },
		  false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		CHECK(noise_alike(&row[i].a, &row[i].b) == row[i].alike);
		CHECK(noise_alike(&row[i].b, &row[i].a) == row[i].alike);
	}
}

/* A value that is like one that was seen is not strange, one that is not is; nor
 * is there room for every class.
 */
static void values_that_nobody_had_are_strange(void)
{
	struct noise *n = new_noise();
	struct noise_answer b = answer(1, NOISE_BASELINE);
	struct noise_sums s;

	differs(&b, "$.a", CASE_VALUE, 1u << CLASS_INTEGER);
	noise_add(n, &b);
	for (uint16_t i = 0; i < NOISE_CLASSES + 4; i++) {
		struct noise_answer a = answer(1u + i, NOISE_SUT);

		differs(&a, "$.a", CASE_VALUE, 1u << CLASS_INTEGER);
		a.found[0].class[1] = (struct case_class){
			(uint16_t)(i % 2 == 0 ? 1u << CLASS_HEX |
							1u << CLASS_INTEGER
					      : 1u << CLASS_HEX),
			i
		};
		noise_add(n, &a);
	}
	noise_settle(n, &s);
	CHECK(noise_place(n, 0)->classes == NOISE_CLASSES);
	/* One class is production's; of the 15 others each second is strange. */
	CHECK(noise_place(n, 0)->strange == 7);
	CHECK(s.different == NOISE_CLASSES + 4 && s.excused == 8);
	free(n);
}

/* So many sets of places: of one more it is not known what excuses it. */
static void more_sets_than_there_is_room_for(void)
{
	struct noise *n = new_noise();
	struct noise_sums s;
	uint64_t conn = 0;

	/* Sets of two of some 100 places. */
	for (unsigned i = 0; i < 100; i++)
		for (unsigned k = 0; k < i; k++) {
			struct noise_answer a = answer(++conn, NOISE_SUT);
			char place[8];

			snprintf(place, sizeof(place), "$.p%u", i);
			differs(&a, place, CASE_VALUE, 1);
			snprintf(place, sizeof(place), "$.p%u", k);
			differs(&a, place, CASE_VALUE, 1);
			noise_add(n, &a);
		}
	noise_settle(n, &s);
	CHECK(noise_places(n) == 100 && s.different == conn);
	CHECK(conn == 4950 && s.beyond == conn - NOISE_SETS);
	free(n);
}

static void states_have_names(void)
{
	struct arena a = { .size = noise_size() - 1 };
	static const struct hash_key key = { { 8, 9 } };
	struct noise *n = NULL;

	for (int i = 0; i <= NOISE_OPAQUE; i++)
		for (int k = 0; k < i; k++)
			CHECK(strcmp(noise_state_name((enum noise_state)i),
				     noise_state_name((enum noise_state)k)) !=
			      0);
	a.base = aligned_alloc(ARENA_ALIGN, noise_size());
	CHECK(noise_init(&n, &a, &key) == -ENOMEM && n == NULL);
	free(a.base);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "McNemar is exact", mcnemar_is_exact },
		{ "Holm goes up to the first", holm_goes_up_to_the_first },
		{ "pairs are counted by place", pairs_are_counted_by_place },
		{ "where the baseline never differs each counts",
		  where_the_baseline_never_differs_each_counts },
		{ "more often counts", more_often_counts },
		{ "noise excuses its like only", noise_excuses_its_like_only },
		{ "without a partner nothing is paired",
		  without_a_partner_nothing_is_paired },
		{ "full tables excuse nothing", full_tables_excuse_nothing },
		{ "partners are of one exchange",
		  partners_are_of_one_exchange },
		{ "a place counts once an answer",
		  a_place_counts_once_an_answer },
		{ "places are told apart", places_are_told_apart },
		{ "what has no class is opaque", what_has_no_class_is_opaque },
		{ "classes are alike or not", classes_are_alike_or_not },
		{ "values that nobody had are strange",
		  values_that_nobody_had_are_strange },
		{ "more sets than there is room for",
		  more_sets_than_there_is_room_for },
		{ "states have names", states_have_names },
		{ "one in ten thousand is found",
		  one_in_ten_thousand_is_found },
		{ "two of one version are the same",
		  two_of_one_version_are_the_same },
	};

	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
