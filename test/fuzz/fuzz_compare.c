/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_compare.c - Fuzz verdicts on two arbitrary answers
 *
 * Input: 1 byte of switches, 2 bytes of length of production's answer, the two
 * answers. Switches 32 and 64: both stand behind a lead of zeros that ends close in
 * front of the end of what is kept, or of a block of hashes, so that a short input
 * crosses it. The verdict must not depend on how the streams are cut and
 * interleaved, all memory must come back, an answer must be the same as itself,
 * and answers of different bytes must never be called identical.
 */
#include "compare/compare.h"

#include <assert.h>

#include "compare_run.h"
#include "core/bytes.h"

#define LONGEST	  4096u
#define LEAD_MAX  (COMPARE_KEEP + 2 * COMPARE_BLOCK)
#define CUTS	  64u /* pieces of an answer: more are slow and find no more */
#define LEAD_CUTS 8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_result(const struct compare_result *a,
			const struct compare_result *b)
{
	return a->verdict == b->verdict && a->reason == b->reason &&
	       a->status[0] == b->status[0] && a->status[1] == b->status[1] &&
	       a->bytes[0] == b->bytes[0] && a->bytes[1] == b->bytes[1] &&
	       a->offset == b->offset && a->block == b->block &&
	       a->reasons == b->reasons && a->alike == b->alike &&
	       strcmp(run_detail(PROTOCOL_HTTP1, a),
		      run_detail(PROTOCOL_HTTP1, b)) == 0;
}

/* Seeds 0 and 1 are one side after the other, the others of run_exchange() random. */
static void compare_all(struct pool *pool, const struct exchange *x,
			uint64_t salt)
{
	struct compare_result first, r;

	assert(run_exchange(pool, x, 0, &first));
	for (uint64_t seed = 1; seed < 4; seed++) {
		assert(run_exchange(pool, x, seed == 1 ? 1 : seed + salt, &r));
		assert(pool_used(pool) == 0);
		/* Of several reasons to spoil, the first to come stays. */
		if (first.verdict == VERDICT_NOT_COMPARED &&
		    r.verdict == VERDICT_NOT_COMPARED)
			r.reason = first.reason;
		assert(same_result(&first, &r));
	}
	if (first.verdict != VERDICT_IDENTICAL)
		return;
	assert(first.bytes[0] == first.bytes[1]);
	assert(first.bytes[0] <= x->n[0] && first.bytes[1] <= x->n[1]);
	assert(memcmp(x->p[0], x->p[1], first.bytes[0]) == 0);
}

/* Put both answers behind @lead zeros, of no known protocol. */
static void put_behind(struct exchange *x, size_t lead)
{
	static uint8_t text[2][LEAD_MAX + LONGEST];

	x->ops = &framer_quiet;
	x->lead = lead;
	x->cuts = LEAD_CUTS;
	for (int i = 0; i < 2; i++) {
		memcpy(text[i] + lead, x->p[i], x->n[i]);
		x->p[i] = text[i];
		x->n[i] += lead;
	}
	/* What an earlier input left behind a lead that was shorter. */
	memset(text[0], 0, lead);
	memset(text[1], 0, lead);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t leads[] = { 0, COMPARE_KEEP - 40,
					COMPARE_KEEP + COMPARE_BLOCK - 40,
					LEAD_MAX - 3 };
	static struct run_pool mem;
	struct exchange x = { .why = REASON_UNANSWERED, .cuts = CUTS };
	size_t n;

	if (mem.pool == NULL)
		mem = run_pool_make(1u << 20);
	if (size < 4 || size > LONGEST)
		return 0;
	n = get_be16(data + 1) % (size - 3);
	x.ops = (data[0] & 1) != 0 ? &framer_quiet : &framer_http1;
	x.level = (data[0] & 2) != 0 ? COMPARE_IDENTICAL : COMPARE_EQUIVALENT;
	x.request = (data[0] & 4) != 0 ? "HEAD / HTTP/1.1\r\n\r\n"
				       : "GET / HTTP/1.1\r\n\r\n";
	x.fin[0] = (data[0] & 8) != 0;
	x.fin[1] = (data[0] & 16) != 0;
	x.p[0] = data + 3;
	x.n[0] = n;
	x.p[1] = data + 3 + n;
	x.n[1] = size - 3 - n;
	if ((data[0] & 0x60) != 0)
		put_behind(&x, leads[data[0] >> 5 & 3]);
	compare_all(mem.pool, &x, get_be16(data + size - 2));
	x.p[1] = x.p[0];
	x.n[1] = x.n[0];
	x.fin[1] = x.fin[0];
	compare_all(mem.pool, &x, get_be16(data + size - 2));
	return 0;
}
