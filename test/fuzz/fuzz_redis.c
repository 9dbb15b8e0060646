/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_redis.c - Fuzz commands of redis, and verdicts on two of its replies
 *
 * Input: 1 byte of switches, 2 bytes of length of the first reply, two replies;
 * the first is taken for commands, too. Marks do not depend on how a stream is
 * cut; the verdict not on how two are cut and interleaved; a reply is the same as
 * itself; both orders agree; what is called the same is the same bytes; and with
 * a rule more is alike than without.
 */
#include "compare/compare.h"

#include <assert.h>

#include "compare_run.h"
#include "core/bytes.h"
#include "framer_trace.h"
#include "rules/rules.h"

#define LONGEST 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rules *rules_make(void)
{
	static const char text[] = "understudy rules 1\ninclude @redis\n";
	size_t size = arena_need(rules_size());
	struct arena a = { .base = aligned_alloc(ARENA_ALIGN, size),
			   .size = size };
	struct rules_error e;
	struct rules *r;

	if (a.base == NULL || rules_init(&r, &a) != 0 ||
	    rules_read(r, text, strlen(text), &e) != 0 || rules_end(r, 0) != 0)
		abort();
	return r;
}

static void fuzz_stream(enum who who, const uint8_t *p, size_t n, uint64_t seed)
{
	static struct trace whole, cut;
	uint64_t state[FRAMER_STATE_MAX / 8];
	struct rng rng = { seed };

	memset(&whole, 0, sizeof(whole));
	memset(&cut, 0, sizeof(cut));
	framer_redis.init(state, false);
	trace_feed(&whole, &framer_redis, state, who, p, n, CUT_WHOLE, &rng);
	framer_redis.init(state, false);
	trace_feed(&cut, &framer_redis, state, who, p, n, CUT_RANDOM, &rng);
	assert(whole.errors == 0 && cut.errors == 0);
	assert(strcmp(trace_end(&whole), trace_end(&cut)) == 0);
}

static struct compare_result
compare_all(struct pool *pool, const struct exchange *x, uint64_t salt)
{
	struct compare_result first, r;

	assert(run_exchange(pool, x, 0, &first));
	for (uint64_t seed = 1; seed < 3; seed++) {
		assert(run_exchange(pool, x, seed == 1 ? 1 : seed + salt, &r));
		assert(pool_used(pool) == 0);
		assert(r.verdict == first.verdict);
		assert(r.reasons == first.reasons && r.offset == first.offset);
		assert(strcmp(run_detail(PROTOCOL_REDIS, &first),
			      run_detail(PROTOCOL_REDIS, &r)) == 0);
	}
	return first;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const lines[] = { "GET k", "SMEMBERS k", "HGETALL k",
					     "TTL k" };
	static struct run_pool mem;
	static struct rules *rules;
	struct exchange x = { .why = REASON_UNANSWERED,
			      .ops = &framer_redis,
			      .level = COMPARE_EQUIVALENT,
			      .request = "*1\r\n$1\r\nx\r\n" };
	struct compare_result ab, r;
	size_t n;

	if (mem.pool == NULL) {
		mem = run_pool_make(1u << 20);
		rules = rules_make();
	}
	if (size < 4 || size > LONGEST)
		return 0;
	n = get_be16(data + 1) % (size - 3);
	x.line = lines[data[0] & 3];
	x.by = rules;
	x.p[0] = data + 3;
	x.n[0] = n;
	x.p[1] = data + 3 + n;
	x.n[1] = size - 3 - n;
	fuzz_stream(WHO_CLIENT, data + 3, size - 3, data[0]);
	fuzz_stream(WHO_SUT, data + 3, size - 3, data[0]);
	ab = compare_all(mem.pool, &x, data[0]);
	if (ab.verdict == VERDICT_IDENTICAL)
		assert(ab.bytes[0] == ab.bytes[1] &&
		       memcmp(x.p[0], x.p[1], ab.bytes[0]) == 0);
	x.by = NULL;
	r = compare_all(mem.pool, &x, data[0]);
	assert(r.verdict != VERDICT_EQUIVALENT || ab.verdict == r.verdict);
	assert(r.rule == 0);
	x.by = rules;
	x.p[0] = data + 3 + n;
	x.n[0] = size - 3 - n;
	x.p[1] = data + 3;
	x.n[1] = n;
	r = compare_all(mem.pool, &x, data[0]);
	if (ab.verdict <= VERDICT_EQUIVALENT)
		assert(r.verdict == ab.verdict);
	x.p[1] = x.p[0];
	x.n[1] = x.n[0];
	r = compare_all(mem.pool, &x, data[0]);
	assert(r.verdict == VERDICT_IDENTICAL ||
	       r.verdict == VERDICT_NOT_COMPARED ||
	       r.reason == REASON_UNANSWERED);
	return 0;
}
