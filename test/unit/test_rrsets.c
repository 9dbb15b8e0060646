/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_rrsets.c - Unit test of rrsets/rrsets
 *
 * Production and the SUT answer with some records of a larger set; what comes of
 * each answer, and when, is asked of the room alone.
 */
#include "rrsets/rrsets.h"

#include <stdlib.h>
#include <string.h>

#include "case_rig.h"
#include "check.h"
#include "compare/dns.h"
#include "dns_rig.h"

#define S     UINT64_C(1000000000)
#define QUERY 0x8180
#define A     1

static struct rrsets *sets;
static struct rules *by;
static uint64_t now;
static struct arena mem;

static void begin_with(const char *rules)
{
	static const struct hash_key key = { { 5, 6 } };

	by = case_rules(rules);
	mem = (struct arena){ .size = rrsets_size() };
	mem.base = aligned_alloc(ARENA_ALIGN, mem.size);
	CHECK(rrsets_init(&sets, &mem, by, &key) == 0);
	now = 1000 * S;
}

static void end(void)
{
	struct rrsets_verdict v;

	while (rrsets_oldest(sets, &v))
		CHECK(v.r.verdict == VERDICT_DIFFERENT);
	CHECK(rrsets_held(sets, NULL) == 0);
	free(mem.base);
	free(by);
}

/* An answer with these last bytes of addresses; 0 ends them. */
static struct msg answer(const char *name, uint32_t ttl, const char *last)
{
	struct msg m = begin(QUERY, name);

	for (; *last != '\0'; last++)
		a_record(&m, "*", ttl, (uint8_t)*last);
	return m;
}

struct outcome {
	bool waits;
	struct rrsets_verdict v;
};

/* @index: of the record, to know it again */
static struct outcome look(const struct msg *p, const struct msg *s,
			   uint32_t index, bool baseline)
{
	struct outcome o = { .v.rec = { .index = index,
					.map = baseline,
					.baseline = baseline } };
	uint8_t *a = malloc(p->n), *b = malloc(s->n); /* of exact size */
	struct rrsets_pair pair = { baseline, { a, b }, { p->n, s->n }, now };

	memcpy(a, p->b, p->n);
	memcpy(b, s->b, s->n);
	dns_compare(COMPARE_EQUIVALENT, by, a, p->n, b, s->n, &o.v.r);
	o.waits = rrsets_look(sets, &pair, &o.v);
	free(a);
	free(b);
	return o;
}

static struct outcome ask(const char *p, const char *s)
{
	struct msg prod = answer("a.b", 60, p), sut = answer("A.b", 60, s);

	sut.b[QUERY_NAME + 1] = 'a';
	return look(&prod, &sut, 0, false);
}

static void is_part(struct outcome o)
{
	uint32_t within;

	CHECK(!o.waits && o.v.r.verdict == VERDICT_EQUIVALENT);
	CHECK(o.v.r.rule == (uint32_t)rules_dns_subset(by, &within) + 1);
}

static void is_other(struct outcome o)
{
	CHECK(!o.waits && o.v.r.verdict == VERDICT_DIFFERENT);
}

static void nothing_is_due(void)
{
	struct rrsets_verdict v;

	CHECK(!rrsets_next(sets, now, &v));
}

static void without_the_rule_it_is_different(void)
{
	begin_with("dns ttl within 5");
	is_other(ask("ab", "a"));
	is_other(ask("ab", "a"));
	end();
}

static void a_part_of_what_was_served_is_alike(void)
{
	begin_with("dns subset");
	is_part(ask("abcd", "b"));
	is_part(ask("ab", "cd"));
	is_part(ask("ab", "dcba"));
	is_part(ask("a", "d"));
	nothing_is_due();
	end();
}

static void a_record_that_comes_later_ends_the_wait(void)
{
	struct rrsets_verdict v;
	struct outcome o;

	begin_with("dns subset");
	CHECK(ask("ab", "cd").waits && rrsets_held(sets, NULL) == 1);
	nothing_is_due();
	now += 10 * S;
	o = ask("c", "c");
	CHECK(!o.waits && o.v.r.verdict == VERDICT_IDENTICAL);
	nothing_is_due();
	now += 10 * S;
	is_part(ask("bd", "a"));
	CHECK(rrsets_next(sets, now, &v) && v.r.verdict == VERDICT_EQUIVALENT);
	nothing_is_due();
	CHECK(rrsets_stats(sets)->held == 1);
	CHECK(rrsets_stats(sets)->taken_back == 1);
	end();
}

static void a_foreign_record_is_different_when_its_time_is_over(void)
{
	struct rrsets_verdict v;

	begin_with("dns subset");
	CHECK(ask("ab", "az").waits);
	now += 59 * S;
	(void)ask("ab", "ab");
	nothing_is_due();
	now += 2 * S;
	CHECK(rrsets_next(sets, now, &v) && v.r.verdict == VERDICT_DIFFERENT);
	CHECK(v.r.reason == REASON_BODY);
	nothing_is_due();
	/* What comes now is too late for that one. */
	is_part(ask("z", "a"));
	nothing_is_due();
	end();
}

static void a_record_is_good_for_its_time_to_live(void)
{
	begin_with("dns subset");
	(void)ask("abc", "abc");
	now += 60 * S;
	is_part(ask("a", "c"));
	now += S;
	CHECK(ask("a", "c").waits);
	end();
	begin_with("dns subset within 90");
	(void)ask("abc", "abc");
	now += 90 * S;
	is_part(ask("a", "c"));
	end();
}

static void all_else_must_be_the_same(void)
{
	static const uint8_t ns[] = { 192, 0, 2, 9 };
	struct msg p = answer("a.b", 60, "abc"), s;

	begin_with("dns subset|dns ttl within 5");
	is_part(ask("abc", "ab"));
	s = answer("a.b", 60, "ab");
	named(&s, 2, "b", 2, 0, "ns.b");
	is_other(look(&p, &s, 0, false)); /* authority */
	s = answer("a.b", 60, "");
	is_other(look(&p, &s, 0, false)); /* no record at all */
	s = answer("a.b", 60, "aa");
	is_other(look(&p, &s, 0, false)); /* one record twice */
	s = answer("a.b", 66, "ab");
	is_other(look(&p, &s, 0, false)); /* time to live */
	s = answer("a.b", 65, "ab");
	is_part(look(&p, &s, 0, false));
	CHECK(rules_line(by, 1)->hits == 1 && rules_line(by, 1)->alone == 0);
	s = answer("a.b", 60, "ab");
	record(&s, 1, "*", 28, 1, 60); /* another set, besides */
	u16(&s, 4);
	raw(&s, ns, 4);
	is_other(look(&p, &s, 0, false));
	end();
}

static void what_is_signed_is_whole(void)
{
	static const uint8_t sig[20] = { 0, A, 8, 2, 0, 0, 0, 60 };
	struct msg p = answer("a.b", 60, "ab"), s = answer("a.b", 60, "a");

	begin_with("dns subset");
	record(&p, 1, "*", 46, 1, 60);
	u16(&p, sizeof(sig));
	raw(&p, sig, sizeof(sig));
	record(&s, 1, "*", 46, 1, 60);
	u16(&s, sizeof(sig));
	raw(&s, sig, sizeof(sig));
	is_other(look(&p, &s, 0, false));
	end();
}

static void names_are_compared_in_any_case_and_without_compression(void)
{
	struct msg p = begin(QUERY, "a.b"), s = begin(QUERY, "a.b");

	begin_with("dns subset");
	named(&p, 1, "*", 15, 2, "mx1.a.b");
	named(&p, 1, "*", 15, 2, "mx2.a.b");
	named(&s, 1, "A.B", 15, 2, "MX2.a.b");
	is_part(look(&p, &s, 0, false));
	s = begin(QUERY, "a.b");
	named(&s, 1, "*", 15, 2, "mx3.a.b");
	CHECK(look(&p, &s, 0, false).waits);
	end();
}

static void names_and_legs_have_records_of_their_own(void)
{
	struct msg p = answer("a.b", 60, "abc"), s = answer("a.b", 60, "a");
	struct msg q = answer("c.b", 60, "xy"), t = answer("c.b", 60, "a");
	struct rrsets_verdict v;
	uint32_t sut;

	begin_with("dns subset");
	is_part(look(&p, &s, 0, false));
	CHECK(look(&q, &t, 1, false).waits);
	p = answer("a.b", 60, "d");
	CHECK(look(&p, &s, 2, true).waits); /* of a baseline */
	CHECK(rrsets_held(sets, &sut) == 2 && sut == 1);
	CHECK(rrsets_oldest(sets, &v) && v.rec.index == 1);
	CHECK(rrsets_oldest(sets, &v) && v.rec.index == 2);
	CHECK(!rrsets_oldest(sets, &v));
	end();
}

static void with_too_many_the_oldest_stands(void)
{
	struct msg p = answer("a.b", 60, "a"), s;
	struct rrsets_verdict v;
	char foreign[2] = "";

	begin_with("dns subset");
	for (uint32_t i = 0; i < RRSETS_HELD + 3; i++) {
		foreign[0] = (char)('b' + i % 100);
		s = answer("a.b", 60, foreign);
		CHECK(look(&p, &s, i, false).waits);
		if (i + 1 < RRSETS_HELD) {
			nothing_is_due();
			continue;
		}
		CHECK(rrsets_next(sets, now, &v));
		CHECK(v.rec.index == i + 1 - RRSETS_HELD);
		nothing_is_due();
	}
	CHECK(rrsets_stats(sets)->held_full == 4);
	end();
}

static void an_answer_that_waits_for_too_much_is_different(void)
{
	static const char many[] = "bcdefghijklmnopqr"; /* 17 */
	struct msg p = answer("a.b", 60, "a"), s = answer("a.b", 60, many);

	_Static_assert(sizeof(many) - 1 == RRSETS_AWAITED + 1, "one more");
	begin_with("dns subset");
	is_other(look(&p, &s, 0, false));
	s = answer("a.b", 60, many + 1);
	CHECK(look(&p, &s, 0, false).waits);
	end();
}

/* A table that is full forgets, and so excuses less, never more. */
static void a_full_table_forgets(void)
{
	char name[16];
	struct msg p, s;
	unsigned alike = 0;

	begin_with("dns subset within 900");
	for (unsigned i = 0; i < 2 * RRSETS_RECORDS; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		p = answer(name, 60, "a");
		(void)look(&p, &p, 0, false);
	}
	for (unsigned i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "n%u", i * 2000);
		p = answer(name, 60, "b");
		s = answer(name, 60, "a");
		alike += !look(&p, &s, 0, false).waits;
	}
	CHECK(alike > 0 && alike < 64);
	end();
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "without the rule it is different",
		  without_the_rule_it_is_different },
		{ "a part of what was served is alike",
		  a_part_of_what_was_served_is_alike },
		{ "a record that comes later ends the wait",
		  a_record_that_comes_later_ends_the_wait },
		{ "a foreign record is different when its time is over",
		  a_foreign_record_is_different_when_its_time_is_over },
		{ "a record is good for its time to live",
		  a_record_is_good_for_its_time_to_live },
		{ "all else must be the same", all_else_must_be_the_same },
		{ "what is signed is whole", what_is_signed_is_whole },
		{ "names are compared in any case and without compression",
		  names_are_compared_in_any_case_and_without_compression },
		{ "names and legs have records of their own",
		  names_and_legs_have_records_of_their_own },
		{ "with too many the oldest stands",
		  with_too_many_the_oldest_stands },
		{ "an answer that waits for too much is different",
		  an_answer_that_waits_for_too_much_is_different },
		{ "a full table forgets", a_full_table_forgets },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
