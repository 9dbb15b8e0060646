/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_comparedns.c - Fuzz dns_compare() with two arbitrary messages
 *
 * Input: 2 bytes, the length of the first message, then both. Checks that a
 * message is identical to itself, that both orders agree on whether they differ,
 * that equal bytes and only those are identical, and that the detail is a string
 * of printable characters; that a rule for times to live finds more to differ, and
 * never less; and that messages over TCP come to the same, however they are cut.
 */
#include "compare/dns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "case_rig.h"
#include "compare/protocol.h"
#include "compare_run.h"
#include "core/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_result(const struct compare_result *r)
{
	char detail[COMPARE_DETAIL];
	const char *end;

	memset(detail, 'x', sizeof(detail));
	protocols[PROTOCOL_DNS].describe->difference(r, NULL, detail);
	end = memchr(detail, '\0', COMPARE_DETAIL);
	assert(end != NULL);
	for (const char *p = detail; p < end; p++)
		assert(*p >= ' ' && *p <= '~');
	assert((r->verdict == VERDICT_DIFFERENT) == (r->reason != REASON_NONE));
}

/* The same over TCP, as far as messages are kept. */
static void over_tcp(const struct rules *by, const uint8_t *a, uint32_t a_len,
		     const uint8_t *b, uint32_t b_len,
		     const struct compare_result *want)
{
	static struct run_pool mem;
	static uint8_t in[2][16384];
	const struct exchange x = {
		.p = { in[0], in[1] },
		.n = { a_len + 2, b_len + 2 },
		.ops = &framer_dns_tcp,
		.level = COMPARE_EQUIVALENT,
		.by = by,
		.line = "x",
	};
	struct compare_result r;

	if (mem.pool == NULL)
		mem = run_pool_make(1 << 20);
	if (a_len == 0 || b_len == 0 || a_len > 16000 || b_len > 16000)
		return;
	put_be16(in[0], (uint16_t)a_len);
	memcpy(in[0] + 2, a, a_len);
	put_be16(in[1], (uint16_t)b_len);
	memcpy(in[1] + 2, b, b_len);
	assert(run_exchange(mem.pool, &x, a_len, &r));
	assert(r.verdict == want->verdict && r.reason == want->reason);
	assert(r.offset == want->offset && r.rule == want->rule);
	assert(pool_used(mem.pool) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rules *by;
	struct compare_result ab, ba, aa, near;
	uint32_t n, a_len, b_len;
	uint8_t *a, *b; /* of exact size */
	bool equal;

	if (size < 2 || size > 65536)
		return 0;
	n = (uint32_t)size - 2;
	a_len = get_be16(data);
	if (a_len > n)
		return 0;
	b_len = n - a_len;
	a = malloc(a_len + 1u);
	b = malloc(b_len + 1u);
	if (a == NULL || b == NULL)
		abort();
	/* Behind a first byte, so that a length of 0 has a place. */
	a++;
	b++;
	memcpy(a, data + 2, a_len);
	memcpy(b, data + 2 + a_len, b_len);

	dns_compare(COMPARE_EQUIVALENT, NULL, a, a_len, b, b_len, &ab);
	dns_compare(COMPARE_EQUIVALENT, NULL, b, b_len, a, a_len, &ba);
	dns_compare(COMPARE_EQUIVALENT, NULL, a, a_len, a, a_len, &aa);
	if (by == NULL)
		by = case_rules("dns ttl within 5");
	dns_compare(COMPARE_EQUIVALENT, by, a, a_len, b, b_len, &near);
	assert(near.verdict == ab.verdict ||
	       near.evidence.dns == COMPARE_DNS_TTL);
	over_tcp(by, a, a_len, b, b_len, &near);
	check_result(&near);
	check_result(&ab);
	check_result(&ba);
	assert(aa.verdict == VERDICT_IDENTICAL);
	assert(ab.verdict == ba.verdict);
	equal = a_len == b_len && memcmp(a, b, a_len) == 0;
	assert((ab.verdict == VERDICT_IDENTICAL) == equal);
	free(a - 1);
	free(b - 1);
	return 0;
}
