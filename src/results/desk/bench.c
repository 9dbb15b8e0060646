/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.c - A judge with its memory and its decoders
 */
#include "desk/bench.h"

#include <errno.h>
#include <stdlib.h>

#include "codec/codec.h"
#include "judge/judge.h"
#include "os/mem.h"

struct bench {
	const struct rules *rules;
	struct arena mem;
	struct judge *judge;
	struct decoder *decoder;
};

static const struct judge_limits limits = {
	.members = BENCH_MEMBERS,
	.decoded = BENCH_DECODED,
	.versions = { .answers = BENCH_VERSIONS, .bytes = BENCH_REMEMBERED },
	.held = BENCH_HELD,
	.longest = BENCH_LONGEST,
};

static int decode(void *ctx, const uint8_t *coding, size_t cn,
		  const uint8_t *in, size_t n, uint8_t *out, size_t room,
		  size_t *len)
{
	struct bench *b = ctx;
	enum coding list[CODEC_NESTED];
	int k = coding_list(coding, cn, list);

	if (k < 0)
		return k;
	if (k == 0)
		return 1;
	return decode_whole(b->decoder, list, (unsigned)k, in, n, out, room,
			    len);
}

int bench_new(struct bench **out, const struct rules *rules,
	      const struct hash_key *key)
{
	static const struct decode_limits codings = { .most = BENCH_DECODED,
						      .ratio = BENCH_RATIO,
						      .free = BENCH_FREE,
						      .memory = BENCH_LIBRARY };
	struct bench *b = calloc(1, sizeof(*b));
	struct judge_ops ops = { .decode = decode, .ctx = b };
	int r = b ? mem_take(&b->mem, judge_size(&limits), 0) : -ENOMEM;

	if (r == 0)
		r = judge_init(&b->judge, &b->mem, &limits, rules, key, &ops);
	if (r == 0)
		r = decoder_new(&b->decoder, &codings);
	if (r != 0) {
		bench_free(b);
		return -ENOMEM;
	}
	b->rules = rules;
	*out = b;
	return 0;
}

void bench_redact(struct bench *b, const struct redact *r)
{
	judge_redact(b->judge, r);
}

void bench_all(struct bench *b)
{
	judge_all(b->judge);
}

void bench_free(struct bench *b)
{
	if (!b)
		return;
	decoder_free(b->decoder);
	mem_give(&b->mem);
	free(b);
}

int bench_judge(struct bench *b, const uint8_t *p, size_t n,
		struct case_answer *out)
{
	struct case_view c;
	struct case_answer a;
	int r = case_read(&c, rules_endpoints(b->rules), p, n);

	if (r != 0)
		return r;
	r = judge_case(b->judge, &c, &a) ? 0 : 1;
	if (decoder_starved(b->decoder))
		return -ENOMEM;
	if (r != 0)
		return r;
	*out = a;
	return 0;
}

bool bench_next(struct bench *b, struct case_answer *out)
{
	return judge_next(b->judge, out);
}

const struct versions_stats *bench_versions(const struct bench *b)
{
	return judge_versions(b->judge);
}

size_t bench_memory(void)
{
	return judge_size(&limits) + BENCH_LIBRARY;
}
