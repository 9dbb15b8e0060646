/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_reply.c - Verdicts on pairs of redis's replies
 *
 * Every pair is compared in many interleavings and cuts; each must give the same
 * result, and the pool must be empty afterwards.
 */
#include "compare/compare.h"

#include "check.h"
#include "compare_run.h"
#include "rules/rules.h"

#define SEEDS 40

static struct run_pool mem;
static struct rules *rules;

static void rules_make(void)
{
	static const char text[] = "understudy rules 1\n"
				   "include @redis\n"
				   "reply type own until 1999-01-01\n"
				   "reply number score within 0.001\n"
				   "reply number score|near within 0\n";
	size_t size = arena_need(rules_size());
	struct arena a = { .base = aligned_alloc(ARENA_ALIGN, size),
			   .size = size };
	struct rules_error e;

	if (a.base == NULL || rules_init(&rules, &a) != 0 ||
	    rules_read(rules, text, strlen(text), &e) != 0 ||
	    rules_end(rules, INT64_C(1700000000000000000)) != 0)
		abort();
}

struct row {
	const char *name;
	const char *line;
	const char *prod;
	const char *sut;
	enum verdict verdict;
	enum compare_reason reason;
	const char *detail; /* begins so */
};

static struct compare_result run(const struct exchange *x, const char *name)
{
	struct compare_result first, r;

	CHECK_ROW(run_exchange(mem.pool, x, 0, &first), name);
	for (uint64_t seed = 1; seed < SEEDS; seed++) {
		CHECK_ROW(run_exchange(mem.pool, x, seed, &r), name);
		CHECK_ROW(r.verdict == first.verdict &&
				  r.reason == first.reason &&
				  r.reasons == first.reasons &&
				  r.offset == first.offset &&
				  r.rule == first.rule,
			  name);
		CHECK_ROW(strcmp(run_detail(PROTOCOL_REDIS, &r),
				 run_detail(PROTOCOL_REDIS, &first)) == 0,
			  name);
		CHECK_ROW(pool_used(mem.pool) == 0, name);
	}
	return first;
}

static struct exchange pair(const char *prod, const char *sut)
{
	return (struct exchange){
		.request = "*1\r\n$1\r\nx\r\n",
		.p = { (const uint8_t *)prod, (const uint8_t *)sut },
		.n = { strlen(prod), strlen(sut) },
		.ops = &framer_redis,
		.level = COMPARE_EQUIVALENT,
		.why = REASON_UNANSWERED,
		.by = rules,
	};
}

#define SAME  VERDICT_IDENTICAL, REASON_NONE, NULL
#define ALIKE VERDICT_EQUIVALENT, REASON_NONE, NULL
#define BYTES VERDICT_DIFFERENT, REASON_BYTES

static const struct row rows[] = {
	{ "the same", "GET k", "$1\r\na\r\n", "$1\r\na\r\n", SAME },
	{ "a byte", "GET k", "$3\r\nabc\r\n", "$3\r\nabd\r\n", BYTES,
	  "from byte 0: \"$3\\x0d\\x0aabc\\x0d\\x0a\" / " },
	{ "one is a beginning of the other", "GET k", "$2\r\nab\r\n",
	  "$3\r\nabc\r\n", BYTES, "" },
	{ "an error for a value", "GET k", "$1\r\na\r\n", "-WRONGTYPE no\r\n",
	  VERDICT_DIFFERENT, REASON_STATUS,
	  "a string / an error; from byte 0: " },
	{ "a value for an error", "GET k", "-ERR\r\n", ":1\r\n",
	  VERDICT_DIFFERENT, REASON_STATUS, "an error / an integer; " },
	{ "none for a value", "GET k", "$1\r\na\r\n", "$-1\r\n", BYTES, "" },
	{ "another error", "TIME", "-ERR a\r\n", "-ERR b\r\n", BYTES, "" },
	{ "a status that is a string", "x", "+a\r\n", "$1\r\na\r\n", BYTES,
	  "a status / a string; " },
	{ "an array in another order", "LRANGE k 0 -1", "*2\r\n:1\r\n:2\r\n",
	  "*2\r\n:2\r\n:1\r\n", BYTES, "" },
	{ "a set in another order", "smembers k", "*2\r\n:1\r\n:2\r\n",
	  "*2\r\n:2\r\n:1\r\n", ALIKE },
	{ "a set with another member", "SMEMBERS k", "*2\r\n:1\r\n:2\r\n",
	  "*2\r\n:2\r\n:3\r\n", BYTES, "" },
	{ "a set with one twice", "SMEMBERS k", "*3\r\n:1\r\n:2\r\n:2\r\n",
	  "*3\r\n:2\r\n:1\r\n:1\r\n", BYTES, "" },
	{ "a set of RESP3, without a rule", "x", "~2\r\n:1\r\n:2\r\n",
	  "~2\r\n:2\r\n:1\r\n", ALIKE },
	{ "a map of RESP3", "x", "%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n",
	  "%2\r\n+b\r\n:2\r\n+a\r\n:1\r\n", ALIKE },
	{ "its values swapped", "x", "%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n",
	  "%2\r\n+a\r\n:2\r\n+b\r\n:1\r\n", BYTES, "" },
	{ "a set in an array", "x", "*2\r\n~2\r\n:1\r\n:2\r\n:3\r\n",
	  "*2\r\n~2\r\n:2\r\n:1\r\n:3\r\n", ALIKE },
	{ "a set for an array", "x", "*1\r\n~1\r\n:1\r\n", "*1\r\n*1\r\n:1\r\n",
	  BYTES, "" },
	{ "another nesting", "x", "*2\r\n*1\r\n:1\r\n:2\r\n",
	  "*1\r\n*2\r\n:1\r\n:2\r\n", BYTES, "" },
	{ "pairs in another order", "HGETALL k",
	  "*4\r\n+a\r\n:1\r\n+b\r\n:2\r\n", "*4\r\n+b\r\n:2\r\n+a\r\n:1\r\n",
	  ALIKE },
	{ "pairs with values swapped", "HGETALL k",
	  "*4\r\n+a\r\n:1\r\n+b\r\n:2\r\n", "*4\r\n+a\r\n:2\r\n+b\r\n:1\r\n",
	  BYTES, "" },
	{ "pairs, and one without a partner", "HGETALL k",
	  "*3\r\n+a\r\n:1\r\n+b\r\n", "*3\r\n+a\r\n:1\r\n+c\r\n", BYTES, "" },
	{ "a rule for two words", "config get *",
	  "*4\r\n+a\r\n:1\r\n+b\r\n:2\r\n", "*4\r\n+b\r\n:2\r\n+a\r\n:1\r\n",
	  ALIKE },
	{ "not for another second word", "config set a b",
	  "*4\r\n+a\r\n:1\r\n+b\r\n:2\r\n", "*4\r\n+b\r\n:2\r\n+a\r\n:1\r\n",
	  BYTES, "" },
	{ "a longer name is another command", "TIMES", "*1\r\n:1\r\n",
	  "*1\r\n:2\r\n", BYTES, "" },
	{ "two moments", "TIME", "*2\r\n:1\r\n:2\r\n", "*2\r\n:3\r\n:4\r\n",
	  ALIKE },
	{ "no moment", "TIME", "*2\r\n:1\r\n:2\r\n", ":3\r\n", BYTES, "" },
	{ "a rule that has ended", "OWN", ":1\r\n", ":2\r\n", BYTES, "" },
	{ "a second less", "TTL k", ":60\r\n", ":59\r\n", ALIKE },
	{ "two seconds", "TTL k", ":60\r\n", ":58\r\n", BYTES, "" },
	{ "no time to live", "TTL k", ":0\r\n", ":-1\r\n", ALIKE },
	{ "no key", "TTL k", ":60\r\n", ":-2\r\n", BYTES, "" },
	{ "decimals", "SCORE k", "$4\r\n0.10\r\n", "$3\r\n0.1\r\n", ALIKE },
	{ "decimals that are near", "SCORE k", "$5\r\n1.001\r\n",
	  "$5\r\n1.002\r\n", ALIKE },
	{ "decimals that are not", "SCORE k", "$5\r\n1.001\r\n",
	  "$6\r\n1.0021\r\n", BYTES, "" },
	{ "many digits", "SCORE k", "$19\r\n3.14000000000000012\r\n",
	  "$4\r\n3.14\r\n", ALIKE },
	{ "a later and narrower rule", "SCORE NEAR k", "$3\r\n0.1\r\n",
	  "$6\r\n0.1001\r\n", BYTES, "" },
	{ "a number above and below 0", "SCORE k", "$6\r\n0.0005\r\n",
	  "$7\r\n-0.0005\r\n", ALIKE },
	{ "a sign alone", "SCORE k", "$1\r\n-\r\n", "$1\r\n0\r\n", BYTES, "" },
	{ "two points", "SCORE k", "$5\r\n1.0.0\r\n", "$3\r\n1.0\r\n", BYTES,
	  "" },
	{ "a character below the digits", "SCORE k", "$3\r\n1/2\r\n",
	  "$3\r\n1.2\r\n", BYTES, "" },
	{ "nothing for a number", "SCORE k", "$0\r\n\r\n", "$1\r\n0\r\n", BYTES,
	  "" },
	{ "none at all for a number", "SCORE k", "$-1\r\n", "$1\r\n0\r\n",
	  BYTES, "" },
	{ "arrays are no numbers", "SCORE k", "*1\r\n:1\r\n", "*1\r\n:2\r\n",
	  BYTES, "" },
	{ "more places than are read", "SCORE k",
	  "$23\r\n0.000000000000000000001\r\n", "$1\r\n0\r\n", BYTES, "" },
	{ "longer than is kept", "SCORE k",
	  "$70\r\n0000000000000000000000000000000000000000"
	  "000000000000000000000000000001\r\n",
	  "$1\r\n1\r\n", BYTES, "" },
	{ "no numbers", "SCORE k", "$3\r\nabc\r\n", "$3\r\nabd\r\n", BYTES,
	  "" },
	{ "more digits than are read", "SCORE k",
	  "$20\r\n12345678901234567890\r\n", "$20\r\n12345678901234567891\r\n",
	  BYTES, "" },
	{ "pushes", "x", ">1\r\n:1\r\n:5\r\n", ":5\r\n", ALIKE },
	{ "deeper than is known", "SMEMBERS k",
	  "*2\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n:2\r\n",
	  "*2\r\n:2\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
	  BYTES, "" },
	{ "the SUT's is no RESP", "GET k", ":1\r\n", ":1x\r\n",
	  VERDICT_DIFFERENT, REASON_BYTES, "" },
	{ "the SUT's begins as none", "GET k", ":1\r\n", "HTTP/1.1 400\r\n",
	  VERDICT_DIFFERENT, REASON_MALFORMED,
	  "not by the book: a reply that is no RESP" },
};

static void test_verdicts(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct exchange x = pair(row->prod, row->sut);
		struct compare_result r;
		const char *detail;

		x.line = row->line;
		r = run(&x, row->name);
		detail = run_detail(PROTOCOL_REDIS, &r);
		CHECK_ROW(r.verdict == row->verdict, row->name);
		CHECK_ROW(r.reason == row->reason, row->name);
		CHECK_ROW(row->detail == NULL ||
				  strncmp(detail, row->detail,
					  strlen(row->detail)) == 0,
			  row->name);
		if (r.verdict != row->verdict || r.reason != row->reason)
			printf("# %s: %s %s\n", row->name,
			       verdict_name(r.verdict), detail);
	}
}

/* Which line it was is told, and no rule where none was needed. */
static void test_rule_is_named(void)
{
	struct exchange x = pair("*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n");
	struct compare_result r;

	x.line = "SMEMBERS k";
	r = run(&x, "named");
	CHECK(r.rule > 0 && r.rule <= rules_count(rules));
	x = pair("~2\r\n:1\r\n:2\r\n", "~2\r\n:2\r\n:1\r\n");
	x.line = "SMEMBERS k";
	CHECK(run(&x, "not needed").rule == 0);
	/* Without rules. */
	x = pair("*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n");
	x.line = "SMEMBERS k";
	x.by = NULL;
	CHECK(run(&x, "without").verdict == VERDICT_DIFFERENT);
	x.level = COMPARE_IDENTICAL;
	x.by = rules;
	CHECK(run(&x, "identical").verdict == VERDICT_DIFFERENT);
}

/* A member of many that is another one. */
static void test_long_sets(void)
{
	enum { MANY = 3000 };
	static char text[2][MANY * 16 + 32];

	for (unsigned how = 0; how < 2; how++) {
		struct compare_result r;
		struct exchange x;

		for (unsigned side = 0; side < 2; side++) {
			char *p = text[side];

			p += sprintf(p, "*%u\r\n", MANY);
			for (unsigned i = 0; i < MANY; i++) {
				unsigned n = side == 0 ? i : MANY - 1 - i;

				if (how == 1 && side == 1 && n == 1234)
					n = MANY;
				p += sprintf(p, "$8\r\nm%07u\r\n", n);
			}
		}
		x = pair(text[0], text[1]);
		x.line = "SMEMBERS k";
		r = run(&x, "long");
		CHECK(r.verdict ==
		      (how == 0 ? VERDICT_EQUIVALENT : VERDICT_DIFFERENT));
	}
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "verdicts", test_verdicts },
		{ "the rule is named", test_rule_is_named },
		{ "long sets", test_long_sets },
	};

	mem = run_pool_make(4u << 20);
	rules_make();
	return check_main(tests, ARRAY_SIZE(tests));
}
