/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_case.c - Whole cases through the judge, as a process that was taken over may
 * hand them in; and what is settled without it
 *
 * Input: 1 byte: rules, and what is done; then two answers with a byte 0xff between
 * them, each a head, an empty line and content. Or the bytes are a message as they
 * are. Whatever is answered is an answer. A case of one answer twice is not
 * different; every other set of rules looks for all places, and finds some where it
 * is different. What keep_settle() finds alike the judge finds alike, too, and with the
 * other's content of one more byte it is not settled.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_rig.h"
#include "compare/keep.h"
#include "core/buf.h"
#include "desk/bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RULES 4u
#define MOST  4096u
#define POOL  (4u << 20)

static struct rules *rules[RULES];
static struct bench *bench[RULES];
static struct redact redact;
static struct pool *pool;

/* Do these look for all places, with secrets as tags? */
static bool all(unsigned r)
{
	return r % 2 == 1;
}

static void setup(void)
{
	static const char *const texts[RULES] = {
		"",
		"header ignore A|header set B|header case C|cookie session s|"
		"endpoint GET /a as a|on a|compare status",
		"@nginx",
		"json ignore $.a|json set $..b|text mask /[0-9]+/|"
		"header class X token|header date D within 3s|"
		"version newer|version older within 5s",
	};
	static const struct hash_key key = { { 3, 4 } };
	struct arena a = { .size = pool_size(POOL) };

	if (pool != NULL)
		return;
	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	memset(a.base, 0, a.size);
	assert(pool_init(&pool, &a, POOL) == 0);
	for (unsigned i = 0; i < RULES; i++) {
		rules[i] = case_rules(texts[i]);
		assert(bench_new(&bench[i], rules[i], &key) == 0);
		if (all(i)) {
			redact_init(&redact, &key, NULL, false);
			bench_redact(bench[i], &redact);
			bench_all(bench[i]);
		}
	}
}

static void judge(unsigned r, const uint8_t *p, size_t n, struct case_answer *a)
{
	struct case_answer later;
	bool different, by_version;

	if (bench_judge(bench[r], p, n, a) == 0) {
		assert(case_is_answer(a, rules_count(rules[r])));
		different = a->verdict == VERDICT_DIFFERENT && all(r);
		/* The place of these is the only one. */
		by_version = a->place.judge == CASE_VERSION ||
			     a->reason == REASON_STATUS;
		assert(different ? a->founds > 0 || a->more || by_version
				 : a->founds == 0 && !a->more);
	} else {
		a->verdict = VERDICT_COUNT;
	}
	while (bench_next(bench[r], &later))
		assert(case_is_answer(&later, rules_count(rules[r])) &&
		       later.verdict == VERDICT_EQUIVALENT);
}

/* An answer of the input: a head that ends with an empty line, and content. */
struct in {
	const uint8_t *p;
	size_t n;
	size_t head;
};

static struct in split(const uint8_t *p, size_t n)
{
	struct in in = { p, n, n };

	for (size_t i = 0; i + 1 < n; i++)
		if (p[i] == '\n' && p[i + 1] == '\n') {
			in.head = i + 2;
			break;
		}
	return in;
}

static void put(struct case_view *c, unsigned side, const struct in *in)
{
	case_part(c, CASE_HEAD + side, in->p, in->head);
	case_part(c, CASE_BODY + side, in->p + in->head, in->n - in->head);
}

static void judge_pair(unsigned r, const struct in *a, const struct in *b,
		       struct case_answer *out)
{
	struct case_view c = { 0 };
	uint8_t *message;
	size_t n;

	put(&c, 0, a);
	put(&c, 1, b);
	message = case_message(&c, &n);
	judge(r, message, n, out);
	free(message);
}

static void feed(struct keep *k, enum who who, const struct in *in)
{
	struct framer_piece pc = { .part = FRAMER_HEAD };

	/* In two pieces, so that a strand grows. */
	for (unsigned i = 0; i < 2; i++) {
		size_t half = i == 0 ? in->head / 2 : in->head - in->head / 2;

		pc.used = (uint32_t)half;
		keep_answer(k, pool, who, &pc,
			    in->p + (i == 0 ? 0 : in->head / 2));
	}
	pc.part = FRAMER_BODY;
	pc.used = (uint32_t)(in->n - in->head);
	keep_answer(k, pool, who, &pc, in->p + in->head);
}

static bool same(const uint8_t *a, size_t an, const uint8_t *b, size_t bn)
{
	return an == bn && (an == 0 || memcmp(a, b, an) == 0);
}

/* What the comparison may have found of these two. */
static void settle(unsigned r, const struct in *a, const struct in *b)
{
	struct compare_result res = { .verdict = VERDICT_EQUIVALENT };
	struct keep *k = keep_begin(pool, 2048);
	bool body = !same(a->p + a->head, a->n - a->head, b->p + b->head,
			  b->n - b->head);
	struct case_answer settled, judged;
	struct case_view view;
	size_t message;

	assert(k != NULL);
	feed(k, WHO_PROD, a);
	feed(k, WHO_SUT, b);
	if (body) {
		res.verdict = VERDICT_DIFFERENT;
		res.reason = REASON_BODY;
		res.reasons = reason_bit(REASON_BODY);
	}
	switch (keep_settle(k, &res, rules[r], RULES_ALL, &settled)) {
	case KEEP_SETTLED:
		if (settled.verdict != VERDICT_EQUIVALENT)
			break;
		assert(!body && settled.made != 0);
		judge_pair(r, a, b, &judged);
		if (judged.reason != REASON_UNJUDGED)
			assert(judged.verdict == VERDICT_EQUIVALENT);
		break;
	case KEEP_NOTHING:
		assert(!body || a->n - a->head > 2048 || b->n - b->head > 2048);
		break;
	case KEEP_ASK:
		message = keep_case(k, !body, false, &view);
		assert(message >= CASE_FIXED);
		assert(view.part[CASE_HEAD].n == a->head);
		break;
	}
	keep_end(k, pool);
	assert(pool_used(pool) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct case_answer a;
	const uint8_t *mark;
	struct in one, two;
	uint8_t *p, *q;
	size_t n;
	unsigned r;

	if (size < 2 || size > MOST)
		return 0;
	setup();
	r = data[0] % RULES;
	if ((data[0] & 0x80) != 0) {
		judge(r, data + 1, size - 1, &a);
		return 0;
	}
	mark = memchr(data + 1, 0xff, size - 1);
	n = mark != NULL ? (size_t)(mark - data) - 1 : size - 1;
	p = malloc(n > 0 ? n : 1);
	memcpy(p, data + 1, n);
	one = split(p, n);
	n = mark != NULL ? size - 2 - n : n;
	q = malloc(n > 0 ? n : 1);
	memcpy(q, mark != NULL ? mark + 1 : data + 1, n);
	two = split(q, n);
	judge_pair(r, &one, &two, &a);
	settle(r, &one, &two);
	judge_pair(r, &one, &one, &a);
	assert(a.verdict != VERDICT_DIFFERENT);
	settle(r, &one, &one);
	free(p);
	free(q);
	return 0;
}
